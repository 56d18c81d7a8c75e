# The records: published, judged by the doctor, and each fault found and named. Sourced by run.sh.
# shellcheck shell=bash disable=SC2015,SC2154

# Keeps the doctor's report for the log.
examine() { inside check --json >"$work/report"; }
green() { examine || { cat "$work/report"; return 1; }; }
# names FINDING: the report has it, with cause and fix, and the exit status is that of its severity.
names() {
  local status=0
  examine || status=$?
  "$python" - "$work/report" "$1" $status <<'P'
import json, sys
report, wanted, status = json.load(open(sys.argv[1])), sys.argv[2], int(sys.argv[3])
found = [finding for finding in report["findings"] if finding["id"] == wanted]
assert found and all(finding["cause"] and finding["fix"] for finding in found), found
assert status == {"warning": 1, "error": 2}[report["status"]], status
P
}
# fault FINDING ZONE KEY LINE...: with that change in DNS, the doctor reports the finding.
fault() {
  local finding=$1 zone=$2 key=$3
  shift 3
  printf '%s\n' "$@" | change "$zone" client "$key" && wait_for 20 names "$finding" || { cat "$work/report"; return 1; }
}
# The printed fix removes the finding.
mended() { inside dns --publish --yes && wait_for 20 green || { cat "$work/report"; return 1; }; }
mended_by_owner() { change "$1" client owner && wait_for 20 green || { cat "$work/report"; return 1; }; }
mended_by_provider() { change "$1" client provider && wait_for 20 green || { cat "$work/report"; return 1; }; }
nothing_to_publish() { holds "$(inside dns --publish --yes)" "^$1\\. 0 records published"; }
published_from_nothing() {
  local name
  for name in example.org town.example; do
    grep " IN " "$work/zone" | awk -v zone="$name." '$1 == zone || substr($1, length($1) - length(zone)) == "." zone {
      print "update delete " $1 " " $4 }' | sort -u | change "$name" client owner || return 1
  done
  wait_for 10 gone example.org MX && inside dns --publish --yes && wait_for 20 green
}

check "mailstead check is all green" green
check "the records published by hand are those that mailstead would publish" nothing_to_publish example.org
check "and for the other domain" nothing_to_publish town.example
check "removed and published by mailstead, all is green again" published_from_nothing

org=mail.example.org.
check "no SPF record: spf-missing" fault spf-missing example.org owner 'update delete example.org. TXT'
check "fixed by publishing" mended
check "an SPF record without us: spf-different" fault spf-different example.org owner 'update delete example.org. TXT' \
  'update add example.org. 60 TXT "v=spf1 ip4:198.51.100.20 -all"'
check "fixed by publishing" mended
check "an SPF record that refers to nothing: spf-include" fault spf-include example.org owner 'update delete example.org. TXT' \
  'update add example.org. 60 TXT "v=spf1 include:mx.example.net mx -all"'
check "fixed by publishing" mended
check "no DKIM key: dkim-missing" fault dkim-missing example.org owner 'update delete mailstead-ed25519._domainkey.example.org. TXT'
check "fixed by publishing" mended
check "another DKIM key: dkim-different" fault dkim-different town.example owner 'update delete mailstead-ed25519._domainkey.town.example. TXT' \
  'update add mailstead-ed25519._domainkey.town.example. 60 TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'
check "fixed by publishing" mended
check "no DMARC record: dmarc-missing" fault dmarc-missing town.example owner 'update delete _dmarc.town.example. TXT'
check "fixed by publishing" mended
check "another address: address-different" fault address-different example.org owner "update delete $org A" "update add $org 60 A 198.51.100.66"
check "fixed by publishing" mended
check "another key in TLSA: tlsa-different" fault tlsa-different example.org owner "update delete _25._tcp.$org TLSA" \
  "update add _25._tcp.$org 60 TLSA 3 1 1 $(printf '%064d' 0)"
check "fixed by publishing" mended
# Records of other services stay: publishing does not remove them.
foreign() {
  local before
  printf '%s\n' "$@" | change example.org client owner && inside dns --publish --yes >"$work/published" 2>&1
  # At the server of the zone: the resolver may have the previous records for two more seconds.
  before=$(ask_server mta-sts.example.org CNAME; ask_server example.org MX | sort -n; ask_server _dmarc.example.org TXT)
  is "$before" "$(printf 'mx.example.net.\n5 mx.example.net.\n10 mail.example.org.\n"v=DMARC1; p=reject"')" && inside dns --publish --dry-run
}
check "a backup MX, a stricter policy and a foreign web name survive publishing" foreign 'update delete mta-sts.example.org.' \
  'update add mta-sts.example.org. 2 CNAME mx.example.net.' 'update add example.org. 2 MX 5 mx.example.net.' \
  'update delete _dmarc.example.org. TXT' 'update add _dmarc.example.org. 2 TXT "v=DMARC1; p=reject"'
check "removed, all is green" mended_by_owner example.org <<L
update delete mta-sts.example.org.
update add mta-sts.example.org. 2 CNAME mail.example.org.
update delete example.org. MX 5 mx.example.net.
L
check "no reverse name: reverse-missing" fault reverse-missing 100.51.198.in-addr.arpa provider 'update delete 10.100.51.198.in-addr.arpa. PTR'
check "fixed by the provider" mended_by_provider 100.51.198.in-addr.arpa <<<"update add 10.100.51.198.in-addr.arpa. 60 PTR $org"
check "on a block list: blocklisted" fault blocklisted example.com provider 'update add 10.100.51.198.dnsbl.example.com. 60 A 127.0.0.2'
check "fixed by the list" mended_by_provider example.com <<<'update delete 10.100.51.198.dnsbl.example.com. A'
