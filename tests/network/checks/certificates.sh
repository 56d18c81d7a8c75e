# Certificates of an authority, by each of the three challenges, and their renewal under way. Sourced by run.sh.
# shellcheck shell=bash disable=SC2015,SC2154

# shown_by PORT [OPTION...]: the certificate that is shown to ann's machine.
shown_by() {
  local port=$1
  shift
  limit=15 on client openssl s_client -connect "$hostname:$port" -servername "$hostname" "$@" </dev/null 2>/dev/null | openssl x509
}
fingerprint() { openssl x509 -noout -fingerprint -sha256; }
# Of the authority, for that name, and trusted through it alone.
trusted() {
  limit=15 on client openssl s_client -connect "$hostname:$1" -servername "$hostname" -CAfile "$work/acme/root.pem" \
    -verify_hostname "$2" -verify_return_error -brief "${@:3}" </dev/null
}
# renewed_since FINGERPRINT: another certificate than that one is served on every port.
renewed_since() {
  local now
  now=$(shown_by 993 | fingerprint) && [ "$now" != "$1" ] && trusted 993 "$hostname" && trusted 465 "$hostname" &&
    trusted 25 "$hostname" -starttls smtp && trusted 443 "$hostname"
}
# proved_by CHALLENGE: each name of the latest order.
proved_by() {
  local order
  order=$(log | grep 'ordering a certificate' | tail -1)
  echo "$order"
  is "$(grep -o ' by [a-z0-9-]*' <<<"$order" | sort -u)" " by $1"
}
# The public key stays, or the published TLSA record would be wrong.
key() { openssl x509 -noout -pubkey; }
# is_due FINGERPRINT: two thirds of that certificate's lifetime are over, or it is no longer served.
is_due() {
  local certificate start end
  certificate=$(shown_by 993) || return 1
  [ "$(fingerprint <<<"$certificate")" = "$1" ] || return 0
  start=$(date -d "$(openssl x509 -noout -startdate <<<"$certificate" | cut -d= -f2)" +%s)
  end=$(date -d "$(openssl x509 -noout -enddate <<<"$certificate" | cut -d= -f2)" +%s)
  [ "$(date +%s)" -gt $((start + (end - start) * 2 / 3)) ]
}
has_names() {
  local names name
  names=$(shown_by 993 | openssl x509 -noout -ext subjectAltName)
  for name in "$hostname" {mta-sts,autoconfig,autodiscover}.{example.org,town.example}; do holds "$names" "DNS:$name\\b" || return 1; done
}
keeps_its_key() { is "$(shown_by 993 | key)" "$(<"$work/key")"; }
policy_is_served() {
  local policy
  policy=$(limit=15 on client curl -sSf --cacert "$work/acme/root.pem" "https://mta-sts.$1/.well-known/mta-sts.txt") &&
    holds "$policy" '^version: STSv1' && holds "$policy" "^mx: $hostname"
}
# renewed_by CHALLENGE: waits until the renewal is due, and requests a check.
renewed_by() {
  local before
  before=$(shown_by 993 | fingerprint) && wait_for 90 is_due "$before" && hang_up &&
    wait_for 60 renewed_since "$before" && proved_by "$1" || { log --tail 20; return 1; }
}
# Status 7 of curl: the connection is refused.
port_80_is_closed() {
  local status=0
  limit=10 on client curl -sS "http://$hostname/" || status=$?
  is "$status" 7
}
# A session in IDLE gets the update after the answer to IDLE.
gets_the_update() { sed '1,/^+/d' "$work/idle" | grep -q 'EXISTS'; }
arrived_whole() {
  local number found
  number=$(number_of "$user_0" "$password_0" fifty-megabytes) &&
    limit=60 on client curl -sS --cacert "$ca_file" --user "$user_0:$password_0" --output "$work/body" \
      "imaps://$hostname/INBOX;MAILINDEX=$number;SECTION=TEXT" &&
    found=$(sha256sum <"$work/body" | cut -d' ' -f1) && holds "$(<"$work/slow.out")" "^$found\$"
}
nothing_left() {
  local name
  for name in "$hostname" {mta-sts,autoconfig,autodiscover}.{example.org,town.example}; do
    gone "_acme-challenge.$name" TXT || return 1
  done
}

shown_by 993 | key >"$work/key"
check "within two minutes of the records there is an authority's certificate" wait_for 120 renewed_since none
check "it was proved by HTTP-01" proved_by http-01
check "it is for every name of every domain" has_names
check "the key is the one that is published" keeps_its_key
check "the policy of example.org is served" policy_is_served example.org
check "and the policy of town.example" policy_is_served town.example
set_variable MAIL_HTTP_PORT=none
check "it restarts with TLS-ALPN-01 alone" starts_with MAIL_ACME_CHALLENGE=tls-alpn-01
check "without port 80" port_80_is_closed
ca_file=$work/acme/root.pem
start_on client "$work/idle.out" "$python" "$network/idle.py" "$hostname" "$ca_file" "$user_0" "$password_0" "$work/idle"
session=$!
wait_for 20 grep -q '^+' "$work/idle"
start_on remote "$work/slow.out" "$python" "$network/slow.py" "$host4" someone@example.net "$user_0" fifty-megabytes 50000000 40
message=$!
check "it is renewed by TLS-ALPN-01, while a session idles and a large message arrives" renewed_by tls-alpn-01
check "that message was still arriving" kill -0 "$message"
check "it is accepted" wait "$message"
check "the session in IDLE gets the update" wait_for 30 gets_the_update
check "no octet of it is lost" arrived_whole
kill "$session"
check "and ends in order" wait "$session"
check "the key is still the same" keeps_its_key
set_variable MAIL_HTTP_PORT=80
set_variable MAIL_DNS_UPDATE_SERVER="$authoritative"
set_variable MAIL_DNS_UPDATE_KEY="owner:hmac-sha256:$owner_key"
check "it restarts with DNS-01 alone, and a key for updates" starts_with MAIL_ACME_CHALLENGE=dns-01
check "it is renewed by DNS-01" renewed_by dns-01
check "no proof is left in the zone" nothing_left
check "the key has never changed" keeps_its_key

# From here on the certificate is long-lived. This authority is a new one, without an account of ours.
acme_down
acme_up 7776000 50
check "it restarts with the challenge of its choice" starts_with MAIL_ACME_CHALLENGE=auto
check "an authority that has forgotten the account issues again" renewed_by http-01
