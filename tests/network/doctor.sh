#!/usr/bin/env bash
# The doctor on the test network without an engine: the program as process 1 of a container on the machine `vps`, its records in
# a signed zone, and each fault of checks/faults.txt. Needs root on Debian 12 and the packages of .ci/run.
# MAILSTEAD_BIN names the program. Ends with `N passed, N failed`.
# shellcheck disable=SC1090,SC1091,SC2034
set -euo pipefail
network=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$network/../.." && pwd)
python=${PYTHON:-/usr/bin/python3}
PATH=$PATH:/usr/sbin:/sbin
program=$(realpath "${MAILSTEAD_BIN:?names the mailstead program}")
. "$top/tests/acceptance/lib.sh"
for part in hosts names authority; do . "$network/$part.sh"; done
net=mailstead-doctor-$$ # apart from those that run.sh clears away

work=$(mktemp -d "${TMPDIR:-/tmp}/mailstead-doctor-XXXXXX")
chmod 755 "$work"
. "$top/tests/clients/server.sh"
# The blocklist that run.sh uses.
settings+=(MAIL_CHECK_BLOCKLISTS=dnsbl.example.com)
places=(all private)

stage_up
stage "connections"
# unseen PORT: the doctor reports that it could not check the port.
unseen() {
  look
  "$python" - "$report" "$1" <<'P'
import json, re, sys
causes = [f["cause"] for f in json.load(open(sys.argv[1]))["findings"] if f["id"] == "not-checked" and f["check"] == "incoming"]
sys.exit(not any(re.search(r"blocks port [^w]*\b" + sys.argv[2] + r"\b", cause) for cause in causes))
P
}
seen() { ! unseen "$1"; }
connects() { limit=10 on client openssl s_client -connect "$host4:$1" </dev/null >/dev/null 2>&1 || true; }
report=$work/report
look() { inside check --json >"$report" || true; }
check "a port that no other host has connected to is not reported as open" unseen 993
check "and one that the authority has connected to is" seen 80
connects 993
check "a connection from another host shows that it is open" wait_for 10 seen 993
is_not_green() { ! holds "$(inside check)" "green" >/dev/null; }
check "a report with skipped checks is not green" is_not_green
stage "faults"
. "$network/checks/faults.sh"
stage "done"
verdict
