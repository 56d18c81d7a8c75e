#!/usr/bin/env bash
# Independent mail clients, in windows, against the whole server on a separate test network: an address and a
# password are all that a person types. Needs root on Debian 12; installs the clients where they are missing.
#
#   tests/clients/run.sh [thunderbird|geary|roundcube]...   all of them without a name
#   tests/clients/run.sh imaptest CHECKOUT                  see imaptest.sh
#
# MAILSTEAD_BIN names the program. MAILSTEAD_SCREENS names a folder for pictures of the screen. Ends with
# `N passed, N failed`.
# shellcheck disable=SC1090,SC1091,SC2034
set -euo pipefail
clients=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$clients/../.." && pwd)
network=$top/tests/network
python=/usr/bin/python3 # Debian's, which has the bindings that are installed
PATH=$PATH:/usr/sbin:/sbin
if [ "${1-}" = imaptest ]; then
  shift
  exec "$clients/imaptest.sh" "$@"
fi
program=$(realpath "${MAILSTEAD_BIN:?names the mailstead program}")
. "$top/tests/acceptance/lib.sh"
for part in hosts names authority; do . "$network/$part.sh"; done
net=mailstead-clients-$$ # apart from those that tests/network clears away
. "$clients/packages.sh"

if [ $# = 0 ]; then set -- thunderbird geary roundcube; fi
for name; do
  [ -e "$clients/$name.sh" ] || { echo "clients: there is no $name" >&2; exit 2; }
done
install_packages "$@"

work=$(mktemp -d "${TMPDIR:-/tmp}/mailstead-clients-XXXXXX")
chmod 755 "$work"
screens=${MAILSTEAD_SCREENS:-$work/screens}
mkdir -p "$screens"
for part in server desktop; do . "$clients/$part.sh"; done
stage_up
for name; do
  stage "$name"
  desktop_up "$name"
  . "$clients/$name.sh"
  desktop_down
done
stage "done"
verdict
