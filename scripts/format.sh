#!/usr/bin/env bash
# format.sh [--check]: clang-format over our C++ files; with --check it only says what differs.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-format-19 >/dev/null || { echo "format: clang-format-19 is missing, see scripts/install-deps.sh --lint" >&2; exit 1; }
mapfile -t files < <(find src tests examples -name samples -prune -o \( -name '*.cpp' -o -name '*.hpp' \) -print 2>/dev/null | sort)
if [ "${1:-}" = --check ]; then
  mapfile -t differing < <(printf '%s\0' "${files[@]}" | xargs -0 -P2 -n1 sh -c \
    'clang-format-19 --dry-run -Werror "$1" >/dev/null 2>&1 || echo "$1"' format | sort)
  if [ ${#differing[@]} -gt 0 ]; then
    printf '%s: format: make fmt\n' "${differing[@]}"
    echo "format: ${#differing[@]} found"
    exit 1
  fi
  echo "format: ok"
else
  printf '%s\0' "${files[@]}" | xargs -0 -P2 -n16 clang-format-19 -i
fi
