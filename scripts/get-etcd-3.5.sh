#!/usr/bin/env bash
# get-etcd-3.5.sh: puts etcd 3.5 into .deps/etcd-3.5, for tests on a system whose own etcd is 3.4. Nothing is installed.
#
# The packages come from Debian trixie, through apt and its signature checks, from the mirror that apt uses here. What is
# there already is left alone, so that every test run may call this. ETCDMON_SUITE names another suite.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
target=$here/.deps/etcd-3.5
suite=${ETCDMON_SUITE:-trixie}
packages=(etcd-server etcd-client)
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
  echo "get-etcd-3.5: $*" >&2
  exit 1
}

installed_version() {
  "$target/usr/bin/etcd" --version 2>/dev/null | sed -n 's/^etcd Version: //p'
}

if [ -x "$target/usr/bin/etcdctl" ] && version=$(installed_version) && [ -n "$version" ]; then
  echo "etcd $version is in ${target#"$here"/}"
  exit 0
fi

command -v apt-get >/dev/null || die "needs apt-get; on other systems put etcd and etcdctl 3.5 into ${target}/usr/bin"
[ -r "$keyring" ] || die "needs $keyring (package debian-archive-keyring)"

# The site of the distribution itself, not the one for its security updates, which has no other suites.
mirror=$(apt-get indextargets --format '$(SITE) $(REPO_URI)' 'Created-By: Packages' |
         awk '$2 !~ /security/ { print $2; exit }')
[ -n "$mirror" ] || die "apt's sources name no mirror"

# Beside the target, so that the last step is a rename: another run never sees half of it.
mkdir -p "$here/.deps"
scratch=$(mktemp -d "$here/.deps/etcd-3.5.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/apt/{lists/partial,archives/partial} "$scratch"/{debs,root}
: > "$scratch/apt/status"
printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$mirror" "$suite" > "$scratch/apt/sources.list"

# An apt of its own: it neither sees nor changes what the system knows about packages.
cat > "$scratch/apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$scratch/apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State::lists "$scratch/apt/lists";
Dir::State::status "$scratch/apt/status";
Dir::Cache "$scratch/apt";
Acquire::Languages "none";
APT::Sandbox::User "";
CONF
export APT_CONFIG=$scratch/apt/apt.conf

apt-get update -qq || die "cannot read the package lists of $suite"
(cd "$scratch/debs" && apt-get download -qq "${packages[@]}") || die "cannot download ${packages[*]} of $suite"
for package in "$scratch"/debs/*.deb; do
  dpkg-deb --extract "$package" "$scratch/root"
done

rm -rf "$target"
# A run at the same time may have been faster: what counts is checked below.
mv -T "$scratch/root" "$target" 2>/dev/null || true
version=$(installed_version)
[ -n "$version" ] || die "what was unpacked to $target does not run"
echo "etcd $version was put into ${target#"$here"/}"
