#!/usr/bin/env bash
# benchmark.sh [ARGS of `etcd-monitor bench`]: the benchmark on three etcd members of its own, on this machine.
set -eu
cd "$(dirname "$0")/.."
log=$(mktemp)
build/release/bin/etcd-monitor demo --api-host=127.0.0.1 --api-port=0 >"$log" 2>&1 &
demo=$!
trap 'kill "$demo" 2>/dev/null || true; wait "$demo" 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 300); do
  grep -q '^Stop  ' "$log" && break
  kill -0 "$demo" 2>/dev/null || { cat "$log" >&2; exit 1; }
  sleep 0.1
done
endpoints=$(sed -n 's/^  [^ ]* *\(http[^ ]*\)  pid .*/\1/p' "$log" | paste -sd,)
[ -n "$endpoints" ] || { cat "$log" >&2; exit 1; }
echo "on $endpoints, whose disks and cores this machine shares with the load" >&2
build/release/bin/etcd-monitor bench --endpoints="$endpoints" --test-cluster "$@"
