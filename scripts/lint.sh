#!/usr/bin/env bash
# lint.sh: every check that needs no compiler: layers, coroutines, sizes, words, format. All run, then it fails if one did.
set -u
cd "$(dirname "$0")/.." || exit 1
failed=0
for check in layers coroutines sizes words; do
  python3 scripts/check_$check.py || failed=1
done
scripts/format.sh --check || failed=1
exit $failed
