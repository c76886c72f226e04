#!/usr/bin/env bash
# tidy.sh --all | --changed | FILE...: clang-tidy-19 over all, over the changed, or over the named sources.
#   --changed  what is not committed and what differs from TIDY_BASE; without that from where we left origin/main; on main
#              itself from the last tag, or, where there is none, what the last 50 commits touched. Newest first; after
#              TIDY_SECONDS (default 140) no other file is begun, and those left out are named: the gate has minutes,
#              `make nightly` reads all.
#   TIDY_BUILD names the built tree whose flags are used (default: build/release, else build/dev).
set -euo pipefail
cd "$(dirname "$0")/.."
command -v clang-tidy-19 >/dev/null || { echo "tidy: clang-tidy-19 is missing, see scripts/install-deps.sh --lint" >&2; exit 1; }

build=${TIDY_BUILD:-}
for candidate in build/release build/dev; do
  [ -n "$build" ] || [ ! -f $candidate/compile_commands.json ] || build=$candidate
done
[ -n "$build" ] || { echo "tidy: no built tree: make build first" >&2; exit 1; }
python3 scripts/compile_commands.py "$build" build/tidy

git() { command git -c safe.directory='*' "$@"; }

# The newest commit that is not part of the change. A fresh clone of main says nothing about where a change began.
base_of_change() {
  local head base
  head=$(git rev-parse HEAD)
  if [ -n "${TIDY_BASE:-}" ]; then
    git rev-parse --verify "$TIDY_BASE^{commit}"
    return
  fi
  base=$(git merge-base HEAD origin/main 2>/dev/null) || base=$head
  [ "$base" != "$head" ] || base=$(git describe --tags --abbrev=0 HEAD~1 2>/dev/null) || base=
  [ -n "$base" ] || base=$(git rev-list --first-parent --max-count=51 HEAD | tail -1)
  git rev-parse "$base^{commit}"
}

# Newest first. A changed header is read through the source beside it.
changed_files() {
  local base
  base=$(base_of_change)
  echo "tidy: changes since $(git log -1 --format='%h %s' "$base")" >&2
  { git diff --name-only HEAD && git log --format= --name-only "$base..HEAD"; } |
    sed -n -E 's/^((src|tests|examples)\/.*)\.[ch]pp$/\1.cpp/p' | awk '!seen[$0]++'
}

case ${1:-} in
  --all) select=all ;;
  --changed) select=changed ;;
  '' | -*) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  *) select=named ;;
esac

mapfile -t known < <(python3 -c 'import json, os
for entry in json.load(open("build/tidy/compile_commands.json")): print(os.path.relpath(entry["file"]))' | sort -u)
case $select in
  all) files=("${known[@]}") ;;
  changed) mapfile -t files < <(changed_files | awk 'NR == FNR { known[$0] = 1; next } $0 in known' <(printf '%s\n' "${known[@]}") -) ;;
  named) files=("$@") ;;
esac
[ ${#files[@]} -gt 0 ] || { echo "tidy: ok (no files)"; exit 0; }

export limit=0 left_out=build/tidy/left-out
: >$left_out
[ $select != changed ] || limit=$(($(date +%s) + ${TIDY_SECONDS:-140}))
read_one() {
  local out
  if [ "$limit" -gt 0 ] && [ "$(date +%s)" -ge "$limit" ]; then
    echo "$1" >>"$left_out"
  else
    out=$(clang-tidy-19 --quiet -p build/tidy "$1" 2>/dev/null) || { printf '%s\n' "$out"; echo "tidy: $1 failed"; return 1; }
  fi
}
export -f read_one

status=0
printf '%s\0' "${files[@]}" | xargs -0 -P"$(nproc)" -n1 bash -euo pipefail -c 'read_one "$1"' tidy || status=1
count=$(wc -l <$left_out)
if [ "$count" -gt 0 ]; then
  echo "tidy: $count of ${#files[@]} changed files were left out after ${TIDY_SECONDS:-140} s (make tidy reads all):"
  sed 's/^/  /' $left_out
fi
[ $status -eq 0 ] && echo "tidy: ok ($((${#files[@]} - count)) files)"
exit $status
