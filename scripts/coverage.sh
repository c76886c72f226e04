#!/usr/bin/env bash
# coverage.sh [PERCENT]: line coverage of src/ by all tests but the measurements; fails below PERCENT (default 80).
#   Generated code and tests do not count. The pages are build/coverage/report/index.html.
set -euo pipefail
cd "$(dirname "$0")/.."
percent=${1:-80}
find build/coverage -name '*.gcda' -delete 2>/dev/null || true
scripts/test.sh coverage
mkdir -p build/coverage/report
# A branch that only an exception takes is no branch of ours; a process killed in mid-write leaves half a counter file.
gcovr --root . --object-directory build/coverage --filter 'src/' --exclude '.*_test\.cpp$' --exclude-throw-branches \
  --gcov-ignore-parse-errors --gcov-executable "gcov-$(g++ -dumpversion | cut -d. -f1)" \
  --html-details build/coverage/report/index.html --print-summary --fail-under-line "$percent" build/coverage
