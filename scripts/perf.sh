#!/usr/bin/env bash
# perf.sh [--quick] [NUMBER...]: builds the release preset and takes the measurements of tests/perf one after another,
#   nothing beside them. Prints each number against its goal and writes docs/performance.md. About 25 minutes for all.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/get-etcd-3.5.sh
cmake --preset release --log-level=WARNING -DETCDMON_TESTS=ON >/dev/null
cmake --build --preset release --parallel "${JOBS:-$(nproc)}" --target etcd-monitor perf_programs
exec python3 tests/perf/run.py "$@"
