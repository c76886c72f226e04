#!/usr/bin/env bash
# installed_library_test.sh BUILD: installs BUILD somewhere, builds the example against what was installed, and
# runs it on a real one-member etcd.
set -euo pipefail
build=$1
source=$(cd "$(dirname "$0")/../.." && pwd)
tmp=$(mktemp -d)
etcd_pid=
cleanup() {
  [ -z "$etcd_pid" ] || kill "$etcd_pid" 2>/dev/null || true
  wait 2>/dev/null
  rm -rf "$tmp"
}
trap cleanup EXIT

cmake --install "$build" --prefix "$tmp/prefix" >"$tmp/install.log"
for file in bin/etcd-monitor include/etcdmon/monitor_service.hpp lib/systemd/system/etcd-monitor.service; do
  test -f "$tmp/prefix/$file" || { echo "not installed: $file"; exit 1; }
done
"$tmp/prefix/bin/etcd-monitor" version

cmake -S "$source/examples" -B "$tmp/example" -DCMAKE_PREFIX_PATH="$tmp/prefix" >"$tmp/configure.log"
cmake --build "$tmp/example" >"$tmp/build.log" || { cat "$tmp/build.log"; exit 1; }

read -r client peer < <(python3 - <<'PORTS'
import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in sockets))
PORTS
)
etcd --data-dir "$tmp/data" --name one --listen-client-urls "http://127.0.0.1:$client" \
  --advertise-client-urls "http://127.0.0.1:$client" --listen-peer-urls "http://127.0.0.1:$peer" \
  --initial-advertise-peer-urls "http://127.0.0.1:$peer" --initial-cluster "one=http://127.0.0.1:$peer" \
  >"$tmp/etcd.log" 2>&1 &
etcd_pid=$!
for _ in $(seq 100); do
  curl -fs "http://127.0.0.1:$client/health" >/dev/null && break
  sleep 0.1
done

LD_LIBRARY_PATH=$(dirname "$(find "$tmp/prefix" -name 'libetcdmon.so' | head -n 1)") \
  "$tmp/example/minimal" "http://127.0.0.1:$client" | tee "$tmp/out"
grep -q '^healthy: yes$' "$tmp/out"
grep -q '^members: 1$' "$tmp/out"
