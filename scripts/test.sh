#!/usr/bin/env bash
# test.sh PRESET [CTEST ARGUMENT...]: builds the preset and runs its tests, all but the measurements and the long ones unless told otherwise.
#   etcd 3.5 is fetched once into .deps/, beside the etcd 3.4 of the system.
#   TARGETS names what is built instead of everything: "unit_tests integration_tests".
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?preset}
shift
[ $# -gt 0 ] || set -- -LE 'perf|nightly'
jobs=${JOBS:-$(nproc)}

scripts/get-etcd-3.5.sh
cmake --preset "$preset" --log-level=WARNING -DETCDMON_TESTS=ON >/dev/null
read -ra targets <<<"${TARGETS:-all}"
cmake --build --preset "$preset" --parallel "$jobs" --target "${targets[@]}"

# etcd waits for its disk at every write, and a build beside it writes to the same one.
room=$(df --output=avail -BM /dev/shm 2>/dev/null | tail -n 1 | tr -dc 0-9)
[ -n "${TMPDIR:-}" ] || [ "${room:-0}" -lt 4096 ] || export TMPDIR=/dev/shm

# The sanitizers of g++ 12 cannot live with the address randomisation of newer kernels.
run=()
case $preset in
  asan | tsan) [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -le 28 ] || run=(setarch -R) ;;
esac
"${run[@]}" ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --parallel $((3 * jobs)) "$@"
