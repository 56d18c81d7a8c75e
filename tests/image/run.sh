#!/usr/bin/env bash
# Builds the container image and proves it: the real compose.yaml is brought up on this machine's own ports, mail goes in
# and out with independent tools, and it is stopped. Needs root on Debian 12; installs an engine where none
# answers. Ends with `N passed, N failed`.
#
# RUST_IMAGE names the build image; without it a local stand-in for the official one is made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
here=$top/tests/acceptance
python=${PYTHON:-/usr/bin/python3}
# shellcheck disable=SC1091,SC2034
. "$here/lib.sh"

# The ports and the engine are the machine's: one run at a time.
exec 9>"${TMPDIR:-/tmp}/mailstead-image.lock"
flock 9

for tool in cargo curl git nsenter openssl readelf ss swaks "$python"; do
  command -v "$tool" >/dev/null || { echo "image: $tool is not installed" >&2; exit 1; }
done
taken=$(ss -Hltn '( sport = :25 or sport = :80 or sport = :443 or sport = :143 or sport = :465 or sport = :587 or sport = :993 or sport = :8025 )')
[ -z "$taken" ] || { printf 'image: these ports must be free, since the container has the network of this machine:\n%s\n' "$taken" >&2; exit 1; }

work=$(mktemp -d)
sink="" ours="" compiling=""
docker version >/dev/null 2>&1 || ours=yes # the engine that we start is ours to stop
compose() { docker compose --project-name mailstead-test --project-directory "$top" --env-file "$work/env" "$@"; }
finish() {
  stop "$sink"
  [ -z "$compiling" ] || kill -- "-$compiling" 2>/dev/null || true
  [ ! -e "$work/env" ] || compose down --volumes --timeout 5 >/dev/null 2>&1 || true
  [ -z "$ours" ] || "$top/tests/image/engine-up.sh" stop || true
  rm -rf "$work"
}
trap finish EXIT

"$top/tests/image/engine-up.sh" 9>&-
RUST_IMAGE=${RUST_IMAGE:-$("$top/tests/image/standin-base.sh")}

mkdir "$work/sent"
"$python" "$here/sink.py" "$work/sent" "$work/sink-port" & sink=$!
wait_for 20 test -s "$work/sink-port"
cat >"$work/env" <<C
RUST_IMAGE=$RUST_IMAGE
MAIL_DOMAIN=example.org
MAIL_USERS=ann:correct horse,bob:battery staple
MAIL_RELAY_URL=smtp://127.0.0.1:$(cat "$work/sink-port")
# Nothing answers DNS there, so no query leaves this machine.
MAIL_DNS_SERVERS=127.0.0.1:$(cat "$work/sink-port")
C

echo "-- the compose files"
. "$top/tests/image/compose.sh"
# The build's cache will spare the engine's second build the compiler. So the compiler runs outside of any container
# too, in a folder of its own: beside the engine's first build, since each links for minutes on one core.
mkdir "$work/elsewhere"
git -C "$top" ls-files -z --cached --others --exclude-standard | (cd "$top" && tar --null -T - -cf -) | tar -xC "$work/elsewhere"
set -m # a group of its own, to be ended with all that it has started
(cd "$work/elsewhere" && exec image/compile.sh) >"$work/compiled" 2>"$work/compiler" 9>&- & compiling=$!
set +m
begin=$SECONDS
compose build --quiet
echo "-- the image, built in $((SECONDS - begin)) s: $(docker image inspect --format '{{.Size}}' mailstead:latest) octets"
. "$top/tests/image/contents.sh"

# The variables of the acceptance scripts.
host=127.0.0.1 hostname=mail.example.org domain=example.org ca_file=$work/certificate.pem
user_0=ann@example.org password_0='correct horse' user_1=bob@example.org password_1='battery staple'
port_smtp=25 port_submission=587 port_submissions=465 port_imap=143 port_imaps=993 port_health=8025
at=(--resolve "$hostname:$port_imaps:$host" --resolve "$hostname:$port_submissions:$host" --cacert "$ca_file")

inspect() { docker inspect --format "$1" "$container"; }

check "compose brings it up, healthy" compose up --detach --no-build --wait --wait-timeout 120
container=$(compose ps --all --quiet mail)
wait_for 20 compose exec -T mail mailstead health || { compose logs >&2; exit 1; }
# The last certificate of the chain is the authority that the container has made for itself.
openssl s_client -connect "$host:$port_imaps" -servername "$hostname" -showcerts </dev/null 2>/dev/null |
  awk '/BEGIN CERTIFICATE/ { text = "" } { text = text $0 "\n" } /END CERTIFICATE/ { last = text } END { printf "%s", last }' >"$ca_file"
compose exec -T mail mailstead dns >"$work/zone"

echo "-- mail"
. "$here/mail.sh"
echo "-- health"
. "$here/health.sh"
echo "-- the container"
. "$top/tests/image/container.sh"
verdict
