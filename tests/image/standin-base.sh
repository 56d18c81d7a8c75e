#!/usr/bin/env bash
# Makes a local stand-in for the official build image that image/Dockerfile names, out of Debian's archive and this
# machine's own Rust toolchain: for machines that reach no container registry. Prints its tag.
#
# Usage: standin-base.sh            makes it when it is missing
#        standin-base.sh --force    makes it again
set -euo pipefail

suite=bookworm
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '!/security/ && !found { print; found = 1 }')
version=$(rustc --version | awk '{print $2}')
tag=rust:$version-slim-$suite

if [ "${1:-}" != --force ] && docker image inspect "$tag" >/dev/null 2>&1; then
  echo "$tag"
  exit 0
fi
command -v mmdebstrap >/dev/null || {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends mmdebstrap >/dev/null
} >&2

# On a tmpfs, dpkg's many small fsyncs cost nothing.
work=$(mktemp -d /tmp/standin.XXXXXX)
mount -t tmpfs -o size=3g,mode=0755 standin "$work"
trap 'umount -l "$work"; rmdir "$work"' EXIT
root=$work/root

export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1700000000}
TMPDIR=$work mmdebstrap --quiet --variant=minbase --format=directory --include=ca-certificates,gcc,libc6-dev \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --aptopt='Acquire::Languages "none"' "$suite" "$root" "$mirror" >&2

# Authorities that this machine trusts beside Mozilla's, so that cargo inside the build works where it works outside.
# The official image has none of them, and the finished image takes only Mozilla's.
if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
  mkdir -p "$root/usr/local/share/ca-certificates"
  cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
  chroot "$root" update-ca-certificates >/dev/null 2>&1
fi
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/*

# The toolchain, at the official image's places.
sysroot=$(rustc --print sysroot)
mkdir -p "$root/usr/local/rustup/toolchains/host" "$root/usr/local/cargo/bin"
tar -C "$sysroot" --exclude=share/doc --exclude=share/man -cf - . | tar -C "$root/usr/local/rustup/toolchains/host" -xf -
for program in cargo rustc rustdoc; do
  ln -s "/usr/local/rustup/toolchains/host/bin/$program" "$root/usr/local/cargo/bin/$program"
done
tar -C "$root" --sort=name --numeric-owner --mtime=@"$SOURCE_DATE_EPOCH" --one-file-system -cf - . |
  docker import --change 'CMD ["bash"]' --change "ENV RUST_VERSION=$version" \
    --change 'ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    - "$tag" >/dev/null
echo "$tag"
