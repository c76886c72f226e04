#!/usr/bin/env bash
# install-deps.sh [--build] [--test] [--lint] [--all] [--check] [--list]
#   Installs the Debian or Ubuntu packages that etcd-monitor is built and tested with. As root, or with sudo.
#   --build  compilers and libraries     --test  real servers and tools that the tests start     --lint  clang-19, gcovr
#   --all    the three of them (the default)
#   --check  installs nothing; exit 1 and a list if something is missing
#   --list   prints every package and what it is for
# Servers among the packages are neither started nor enabled: the tests start their own.
set -euo pipefail

# group, package (or alternatives, best first), what it is for
packages() {
  cat <<'TABLE'
build  g++                                            compiler (C++20; g++ 12 or newer)
build  cmake                                          build description, 3.25 or newer
build  ninja-build                                    build runner
build  make                                           the targets of the Makefile
build  mold                                           fast linker
build  ccache                                         rebuilds without compiling again
build  pkg-config                                     finds libraries that have no CMake package
build  git                                            version in the binary, changed files in the lints
build  python3                                        the lints
build  libboost1.81-dev|libboost1.83-dev|libboost-dev coroutines and sockets (Asio), HTTP parser (Beast)
build  libnghttp2-dev                                 HTTP/2 framing below our gRPC layer
build  libprotobuf-dev                                encoding of etcd's messages
build  protobuf-compiler                              code for etcd's messages
build  libssl-dev                                     TLS
build  libcurl4-openssl-dev                           HTTP requests that go out, and SMTP
build  libsqlite3-dev                                 alert state and outbox on disk
build  libhiredis-dev                                 encoding of what Redis is told and says
build  libre2-dev                                     patterns of label matchers, in linear time
build  libexpected-dev                                tl::expected below Result
build  nlohmann-json3-dev                             JSON
build  libyaml-cpp-dev                                config files
build  libspdlog-dev                                  log output
build  libfmt-dev                                     text formatting
build  libedit-dev                                    line editing and history of `ctl shell` (BSD; readline is GPL)
build  libgtest-dev                                   unit tests
build  libgmock-dev                                   matchers of the unit tests
build  libbenchmark-dev                               make perf
build  librapidcheck-dev                              property tests
test   etcd-server                                    the etcd 3.4 that the tests watch
test   etcd-client                                    etcdctl, to compare with and to set clusters up
test   python3-grpcio                                 a gRPC server that misbehaves on purpose
test   python3-h2                                     an HTTP/2 peer that misbehaves on purpose
test   iproute2                                       network namespaces for true partitions
test   nftables                                       cuts links inside them
test   strace                                         slow disks: delays fdatasync
test   openssl                                        certificates for TLS tests
test   curl                                           talks to the API as a user would
test   jq                                             reads its answers
test   procps                                         looks for processes left behind
test   faketime                                       steps the clock of the monitor
test   prometheus                                     promtool, and the peer of the scrape measurements
test   nghttp2-client                                 h2load, the peer of the gRPC measurements
test   wrk                                            HTTP load on the API
test   nginx                                          the peer of the API measurements
test   redis-server                                   the outbox that several monitors share
test   prometheus-alertmanager                        takes the alerts of a channel, and says what it holds
test   python3-aiosmtpd                               a mail server with STARTTLS and logins
lint   clang-19                                       libFuzzer builds
lint   clang-tidy-19                                  make tidy
lint   clang-format-19                                make fmt
lint   libclang-rt-19-dev                             sanitizer and fuzzer runtimes for clang
lint   gcovr                                          make coverage
TABLE
}

say() { printf 'install-deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

installed() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }
available() { apt-cache show --no-all-versions "$1" >/dev/null 2>&1; }

any_installed() {
  local name
  for name in ${1//|/ }; do
    installed "$name" && return 0
  done
  return 1
}

first_available() {
  local name
  for name in ${1//|/ }; do
    available "$name" && { echo "$name"; return 0; }
  done
  return 1
}

groups='' check=no
for argument; do
  case $argument in
    --build | --test | --lint) groups+=" ${argument#--}" ;;
    --all) groups=" build test lint" ;;
    --check) check=yes ;;
    --list) packages; exit 0 ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
: "${groups:= build test lint}"

command -v dpkg-query >/dev/null || die "this needs Debian 12, Ubuntu 24.04 or newer; elsewhere install what --list names"

missing=() reasons=()
while read -r group alternatives reason; do
  [[ " $groups " == *" $group "* ]] || continue
  any_installed "$alternatives" && continue
  missing+=("$alternatives")
  reasons+=("$reason")
done <<<"$(packages)"

if [ ${#missing[@]} -eq 0 ]; then
  [ $check = yes ] || say "nothing is missing (${groups# })"
  exit 0
fi
list() {
  local -n names=$1
  local index
  for index in "${!names[@]}"; do
    printf '  %-22s %s\n' "${names[$index]}" "${reasons[$index]}" >&2
  done
}
if [ $check = yes ]; then
  say "missing:"
  list missing
  exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || die "run me as root: there is no sudo"
  as_root=(sudo)
fi
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o Dpkg::Use-Pty=0 "$@" </dev/null; }

# Lists are fetched only where what is missing is not in them.
choose() {
  chosen=()
  local alternatives name
  for alternatives in "${missing[@]}"; do
    name=$(first_available "$alternatives") || { unavailable=$alternatives; return 1; }
    chosen+=("$name")
  done
}
unavailable=''
if ! choose; then
  say "reading the package lists"
  apt update
  choose || die "no package $unavailable in this system's sources"
fi

say "installing:"
list chosen

# Debian starts a server as it installs it unless policy-rc.d forbids that. A guard of somebody else's stays as it is.
guard=/usr/sbin/policy-rc.d
if [ ! -e $guard ]; then
  trap '"${as_root[@]}" rm -f $guard' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $guard >/dev/null
  "${as_root[@]}" chmod 755 $guard
fi
if ! apt install --no-install-recommends "${chosen[@]}"; then
  say "once more, with fresh package lists"
  apt update
  apt install --no-install-recommends "${chosen[@]}"
fi

# ... and enables it for the next boot.
if command -v systemctl >/dev/null; then
  for name in "${chosen[@]}"; do
    case $name in
      etcd-server) "${as_root[@]}" systemctl --quiet disable etcd.service || say "could not disable etcd.service" ;;
      prometheus) "${as_root[@]}" systemctl --quiet disable prometheus.service || say "could not disable prometheus.service" ;;
      nginx) "${as_root[@]}" systemctl --quiet disable nginx.service || say "could not disable nginx.service" ;;
      redis-server) "${as_root[@]}" systemctl --quiet disable redis-server.service || say "could not disable redis-server.service" ;;
      prometheus-alertmanager) "${as_root[@]}" systemctl --quiet disable prometheus-alertmanager.service || say "could not disable prometheus-alertmanager.service" ;;
    esac
  done
fi
say "done"
