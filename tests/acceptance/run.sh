#!/usr/bin/env bash
# Checks the demo with independent tools: swaks, curl, Python's imaplib, dkimpy, and Dovecot.
# MAILSTEAD_BIN names the program. Ends with `N passed, N failed`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=${MAILSTEAD_BIN:?names the mailstead program}
python=${PYTHON:-/usr/bin/python3} # Debian's, which has python3-dkim

for tool in curl swaks openssl doveadm "$python"; do
  command -v "$tool" >/dev/null || { echo "acceptance: $tool is not installed" >&2; exit 1; }
done

# shellcheck disable=SC1091,SC2034
. "$here/lib.sh"

work=$(mktemp -d)
chmod 711 "$work"
demo="" sink=""
finish() {
  stop "$sink"
  stop "$demo"
  rm -rf "$work"
}
trap finish EXIT

# Receives all mail that leaves the demo: a small server that stores each message as a file.
mkdir "$work/sent"
"$python" "$here/sink.py" "$work/sent" "$work/sink-port" & sink=$!
wait_for 20 test -s "$work/sink-port"

"$program" demo --dir "$work/demo" --relay-to "127.0.0.1:$(cat "$work/sink-port")" >"$work/demo.log" 2>&1 & demo=$!
wait_for 60 test -s "$work/demo/demo.json" || { cat "$work/demo.log" >&2; exit 1; }
load_facts "$work/demo/demo.json"

"$program" dns --dir "$work/demo" >"$work/zone"

echo "-- mail"
. "$here/mail.sh"
echo "-- bad input"
. "$here/refusals.sh"
echo "-- health"
. "$here/health.sh"
check "mailstead health reports healthy" "$program" health --config "$work/demo/run/steward.toml"
echo "-- Dovecot"
. "$here/dovecot.sh"

check "the demo stops on SIGTERM" stops "$demo"
demo=
verdict
