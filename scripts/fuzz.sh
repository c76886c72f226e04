#!/usr/bin/env bash
# fuzz.sh [SECONDS] [NAME...]: builds the libFuzzer targets and runs each for SECONDS (default 20), or only those named.
#   Seeds are tests/fuzz/corpus/NAME/; what is found new stays in build/fuzz/corpus/NAME/, a crash in build/fuzz/crashes/.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
shift || true
command -v clang++-19 >/dev/null || { echo "fuzz: clang++-19 is missing, see scripts/install-deps.sh --lint" >&2; exit 1; }

cmake --preset fuzz --log-level=WARNING >/dev/null
cmake --build --preset fuzz --parallel "${JOBS:-$(nproc)}" --target fuzzers

run_one() {
  local name=$1 corpus=build/fuzz/corpus/$1 seeds=tests/fuzz/corpus/$1 log=build/fuzz/$1.log
  local folders=("$corpus")
  mkdir -p "$corpus" build/fuzz/crashes
  [ ! -d "$seeds" ] || folders+=("$seeds")
  # 5 s a unit: a parser that needs longer for 64 KiB is a finding.
  if "build/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix=build/fuzz/crashes/"$name"- "${folders[@]}" >"$log" 2>&1; then
    echo "fuzz: $name: ok, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs"
  else
    tail -40 "$log"
    echo "fuzz: $name: FAILED, input in build/fuzz/crashes/, whole output in $log"
    return 1
  fi
}
export -f run_one
export seconds

names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for binary in build/fuzz/bin/fuzz_*; do
    [ -x "$binary" ] && names+=("${binary##*/fuzz_}")
  done
fi
[ ${#names[@]} -gt 0 ] || { echo "fuzz: there are no fuzzers" >&2; exit 1; }
printf '%s\0' "${names[@]}" | xargs -0 -P"$(nproc)" -n1 bash -euo pipefail -c 'run_one "$1"' fuzz
