#!/usr/bin/env bash
# nightly.sh: what is too slow for every change. Every step runs, then it fails if one did.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=()
step() {
  echo "== $*"
  "$@" || failed+=("$*")
}
step scripts/lint.sh
step scripts/test.sh release -LE perf
step scripts/check_headers.py build/release
step scripts/tidy.sh --all
export TARGETS="unit_tests integration_tests"
step scripts/test.sh asan -L "unit|integration"
step scripts/test.sh tsan -L 'unit|integration'
unset TARGETS
step scripts/fuzz.sh 600
step scripts/coverage.sh
step scripts/perf.sh
[ ${#failed[@]} -eq 0 ] || { printf 'nightly: failed: %s\n' "${failed[@]}"; exit 1; }
echo "nightly: ok"
