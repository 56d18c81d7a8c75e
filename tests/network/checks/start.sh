# A first start on a fresh machine, before anything is published. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

# The last certificate of the chain is the authority that the server has created.
trust_what_is_shown() {
  limit=20 on client openssl s_client -connect "$host4:993" -servername "$hostname" -showcerts </dev/null 2>/dev/null |
    awk '/BEGIN CERTIFICATE/ { text = "" } { text = text $0 "\n" } /END CERTIFICATE/ { last = text } END { printf "%s", last }' >"$ca_file"
  [ -s "$ca_file" ]
}
prints_records() { inside dns >"$work/zone" && holds "$(<"$work/zone")" "^mail.example.org. [0-9]+ IN A $host4\$" && holds "$(<"$work/zone")" "^mail.example.org. [0-9]+ IN AAAA $host6\$"; }

check "compose brings it up, healthy, with nothing published" starts
[ "$failed" = 0 ] || { compose logs >&2; exit 1; } # all else would fail too
check "it shows a certificate of its own" trust_what_is_shown
check "mailstead dns prints the records, with both addresses" prints_records
check "they are published with knsupdate as they are" publish "$work/zone"
check "the resolver finds the host" answers_with "^$host4\$" mail.example.org A
check "and the domain's MX" answers_with ' mail.example.org.$' example.org MX
