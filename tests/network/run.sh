#!/usr/bin/env bash
# The whole as a user has it, on a test network: the real compose.yaml on a VPS, DNS that is signed and accepts updates, an
# ACME authority, another mail host, a smarthost, a user's machine, a spammer. Needs root on Debian 12 and the packages of .ci/run;
# installs an engine where none answers. Ends with `N passed, N failed`.
#
# RUST_IMAGE names the build image; without it a local stand-in for the official one is made. MAILSTEAD_IMAGE names an
# image that is there already, and nothing is built.
# shellcheck disable=SC1090,SC1091,SC2034,SC2154
set -euo pipefail
network=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$network/../.." && pwd)
python=${PYTHON:-/usr/bin/python3}
PATH=$PATH:/usr/sbin:/sbin
. "$top/tests/acceptance/lib.sh"
for part in hosts names authority remote engine; do
  . "$network/$part.sh"
done

# The addresses and the engine are the machine's: one run at a time.
exec 9>"${TMPDIR:-/tmp}/mailstead-image.lock"
flock 9

for tool in ip nsenter knotd knsupdate kdig keymgr unbound pebble postfix dovecot swaks curl openssl "$python"; do
  command -v "$tool" >/dev/null || { echo "network: $tool is not installed" >&2; exit 1; }
done

clear_away
work=$(mktemp -d "${TMPDIR:-/tmp}/mailstead-network-XXXXXX")
chmod 755 "$work"
built_on_ours=""
docker version >/dev/null 2>&1 || built_on_ours=yes # the engine that we start is ours to stop
finish() {
  [ -z "${engine_process:-}" ] || on_engine docker ps --quiet | on_engine xargs -r docker kill >/dev/null 2>&1 || true
  engine_down
  remote_down
  hosts_down
  [ -z "$built_on_ours" ] || "$top/tests/image/engine-up.sh" stop || true
  rm -rf --one-file-system "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM
stage() { printf -- '-- %4d s  %s\n' "$SECONDS" "$*"; }

stage "the image"
"$top/tests/image/engine-up.sh" >/dev/null 9>&-
image=${MAILSTEAD_IMAGE:-mailstead:latest}
if [ -z "${MAILSTEAD_IMAGE:-}" ]; then
  RUST_IMAGE=${RUST_IMAGE:-$("$top/tests/image/standin-base.sh" 9>&-)}
  timeout 3000 docker build --quiet --build-arg RUST_IMAGE="$RUST_IMAGE" --file "$top/image/Dockerfile" --tag "$image" "$top"
fi
docker save "$image" >"$work/image.tar"
[ -z "$built_on_ours" ] || { "$top/tests/image/engine-up.sh" stop; built_on_ours=""; }

stage "the network"
hosts_up
certificates_up
names_up
acme_up 42 0
remote_up
engine_up "$newer"

. "$network/site.sh"
site_up
places=(all private) # the certificates are ordered at Pebble
for part in start certificates records faults mail strangers guessing upkeep smarthost bridge older; do
  stage "$part"
  . "$network/checks/$part.sh"
done
stage "done"
verdict
