# Authorities of the test network: one that we make for the ACME server's own https and for the other mail host, and
# Pebble, the ACME server that Let's Encrypt tests with. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

acme_directory=https://acme.example.com:14000/dir

# issue NAME: a key and a certificate of our own authority.
issue() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out "$1.pem" \
    -extfile <(printf 'subjectAltName=DNS:%s\n' "$1") 2>/dev/null
}

certificates_up() {
  mkdir -p "$work"/{authority,secrets}
  cd "$work/authority" || return
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=the test network' \
    -keyout ca.key -out ca.pem 2>/dev/null
  issue acme.example.com
  issue mx.example.net
  cd "$top" || return
}

# acme_up SECONDS PERCENT: its certificates are valid for SECONDS, and it reuses PERCENT of the authorisations. It refuses
# some good nonces, as it does by default.
acme_up() {
  mkdir -p "$work/acme"
  cat >"$work/acme/pebble.json" <<C
{"pebble": {"listenAddress": "198.51.100.14:14000", "managementListenAddress": "198.51.100.14:15000",
 "certificate": "$work/authority/acme.example.com.pem", "privateKey": "$work/authority/acme.example.com.key",
 "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": false,
 "certificateValidityPeriod": $1}}
C
  start_on infra "$work/acme/pebble.log" env PEBBLE_VA_NOSLEEP=1 PEBBLE_AUTHZREUSE="$2" pebble -config "$work/acme/pebble.json" \
    -dnsserver 198.51.100.54:53 -strict
  acme=$!
  wait_for 20 acme_answers
  # It makes itself a new root at every start, which Mailstead's users trust beside the one of its https.
  limit=10 on client curl -sSf --cacert "$work/authority/ca.pem" https://acme.example.com:15000/roots/0 >"$work/acme/root.pem"
  cat "$work/authority/ca.pem" "$work/acme/root.pem" >"$work/secrets/acme-ca.pem"
}
acme_answers() { limit=5 on client curl -sSf --cacert "$work/authority/ca.pem" "$acme_directory"; }
acme_down() {
  kill "$acme" 2>/dev/null || true
  wait "$acme" 2>/dev/null || true
}
