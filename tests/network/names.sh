# The DNS of the test network: Knot holds and signs the zones and accepts updates with a key, Unbound validates and
# answers at once that all else does not exist. Sourced by run.sh.
# shellcheck shell=bash disable=SC2016,SC2154

authoritative=198.51.100.52
# The zones that Mailstead's owner may change, and those that only the provider may: the reverse names.
owned_zones=(example.org town.example)
foreign_zones=(example.net example.com 100.51.198.in-addr.arpa 1.5.0.0.8.b.d.0.1.0.0.2.ip6.arpa)
signed_zones=(example.org town.example example.net)

# ask NAME TYPE [OPTION...]: the resolver's answer, short.
ask() { limit=5 on client kdig +timeout=1 +retry=1 +short "@$resolver" "$@"; }
# The same, from the server of the zones and not from a cache.
ask_server() { limit=5 on client kdig +timeout=1 +retry=1 +short "@$authoritative" "$@"; }

zone() {
  printf '$ORIGIN %s.\n$TTL 2\n@ SOA ns.example.com. hostmaster.example.com. 1 60 60 3600 1\n@ NS ns.example.com.\n' "$1"
  cat
}

zones() {
  local tlsa
  tlsa=$(openssl x509 -in "$work/authority/mx.example.net.pem" -pubkey -noout | openssl pkey -pubin -outform DER |
    sha256sum | cut -d' ' -f1)
  zone example.org </dev/null >"$names/example.org.zone"
  zone town.example </dev/null >"$names/town.example.zone"
  # over4 and over6 can be reached over one family only.
  zone example.net >"$names/example.net.zone" <<Z
@      MX 10 mx
@      TXT "v=spf1 mx -all"
mx     A 198.51.100.20
mx     AAAA 2001:db8:51::20
_25._tcp.mx TLSA 3 1 1 $tlsa
over4  MX 10 mx4
mx4    A 198.51.100.20
over6  MX 10 mx6
mx6    AAAA 2001:db8:51::20
Z
  zone example.com >"$names/example.com.zone" <<Z
ns     A $authoritative
ns     AAAA 2001:db8:51::52
acme   A 198.51.100.14
acme   AAAA 2001:db8:51::14
client A 198.51.100.30
client AAAA 2001:db8:51::30
_spf   TXT "v=spf1 ip4:192.0.2.1 -all"
silent MX 0 .
text   TXT "no mail here"
_dmarc TXT "v=DMARC1; p=reject"
66.100.51.198.dnsbl A 127.0.0.2
2.0.0.127.dnsbl     A 127.0.0.2
Z
  zone 100.51.198.in-addr.arpa >"$names/100.51.198.in-addr.arpa.zone" <<Z
10 PTR mail.example.org.
20 PTR mx.example.net.
30 PTR client.example.com.
Z
  zone 1.5.0.0.8.b.d.0.1.0.0.2.ip6.arpa >"$names/1.5.0.0.8.b.d.0.1.0.0.2.ip6.arpa.zone" <<Z
0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR mail.example.org.
0.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR mx.example.net.
0.3.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR client.example.com.
Z
}

knot_configuration() {
  cat <<C
server:
    rundir: "$names/run"
    listen: [ "$authoritative@53", "2001:db8:51::52@53" ]
log:
  - target: "$names/knot.log"
    any: info
database:
    storage: "$names/db"
key:
  - id: owner
    algorithm: hmac-sha256
    secret: $owner_key
  - id: provider
    algorithm: hmac-sha256
    secret: $provider_key
acl:
  - id: owner
    key: owner
    action: update
  - id: provider
    key: provider
    action: update
policy:
  - id: signed
    algorithm: ecdsap256sha256
    single-type-signing: on
template:
  - id: default
    storage: "$names"
    file: "%s.zone"
    acl: provider
    zonefile-sync: -1
    semantic-checks: off
C
  local name
  echo "zone:"
  for name in "${owned_zones[@]}" "${foreign_zones[@]}"; do
    echo "  - domain: $name"
    [[ " ${owned_zones[*]} " != *" $name "* ]] || echo "    acl: [ owner, provider ]"
    [[ " ${signed_zones[*]} " != *" $name "* ]] || cat <<C
    zonefile-load: difference-no-serial
    journal-content: all
    dnssec-signing: on
    dnssec-policy: signed
C
  done
}

# unbound_configuration NUMBER: for the resolver at that address.
unbound_configuration() {
  cat <<C
server:
    directory: "$names"
    chroot: ""
    username: ""
    pidfile: ""
    logfile: "$names/unbound-$1.log"
    use-syslog: no
    do-daemonize: no
    interface: 198.51.100.$1
    interface: 2001:db8:51::$1
    access-control: 198.51.100.0/24 allow
    access-control: 2001:db8:51::/64 allow
    module-config: "validator iterator"
    num-threads: 1
    cache-max-ttl: 0
    cache-max-negative-ttl: 0
    infra-host-ttl: 1
    local-zone: "." static
    local-zone: "100.51.198.in-addr.arpa." nodefault
    local-zone: "8.b.d.0.1.0.0.2.ip6.arpa." nodefault
C
  local name
  for name in "${signed_zones[@]}"; do
    echo "    trust-anchor: \"$(timeout 10 keymgr -c "$names/knot.conf" "$name" ds 2>/dev/null | awk '/ 13 2 / && !found { print; found = 1 }')\""
  done
  for name in "${owned_zones[@]}" "${foreign_zones[@]}"; do echo "    local-zone: \"$name.\" transparent"; done
  for name in "${owned_zones[@]}" "${foreign_zones[@]}"; do
    printf 'stub-zone:\n    name: "%s"\n    stub-addr: %s\n' "$name" "$authoritative"
  done
}

every_zone_is_signed() {
  local name
  for name in "${signed_zones[@]}"; do
    limit=5 on infra kdig +timeout=1 +retry=0 +short "@$authoritative" "$name" DNSKEY | grep -q '^257 ' || return 1
  done
}

names_up() {
  names=$work/names
  mkdir -p "$names"/{db,run}
  owner_key=$(openssl rand -base64 32)
  provider_key=$(openssl rand -base64 32)
  zones
  knot_configuration >"$names/knot.conf"
  start_on infra "$names/knot.out" knotd -c "$names/knot.conf"
  wait_for 20 every_zone_is_signed
  # The authority has a resolver of its own, so that its cache is empty.
  local number
  for number in 53 54; do
    unbound_configuration $number >"$names/unbound-$number.conf"
    start_on infra "$names/unbound-$number.out" unbound -d -c "$names/unbound-$number.conf"
  done
  wait_for 20 answers_with mx.example.net. example.net MX
}

# answers_with PATTERN NAME TYPE: the resolver's answer has it.
answers_with() {
  local pattern=$1
  shift
  holds "$(ask "$@")" "$pattern"
}

# gone NAME TYPE: the resolver answers that there is no such record.
gone() {
  local answer
  answer=$(limit=5 on client kdig +timeout=1 +retry=1 "@$resolver" "$@")
  holds "$answer" 'status: (NOERROR|NXDOMAIN);' && holds "$answer" 'ANSWER: 0;'
}

# change ZONE HOST KEY: the lines of knsupdate on standard input, sent from that host.
change() {
  local zone=$1 host=$2 key=$3 secret=${3}_key
  { printf 'server %s\nzone %s.\norigin .\n' "$authoritative" "$zone"; cat; printf 'send\nquit\n'; } |
    limit=20 on "$host" knsupdate -t 10 -y "hmac-sha256:$key:${!secret}"
}

# publish FILE: every record of a zone file, one a line, each to the zone that it belongs to.
publish() {
  local zone
  for zone in "${owned_zones[@]}"; do
    { grep -v '^;' "$1" || true; } | awk -v zone="$zone." '
      $1 == zone || substr($1, length($1) - length(zone)) == "." zone { $3 = ""; print "update add " $0 }' >"$work/update"
    [ ! -s "$work/update" ] || change "$zone" client owner <"$work/update" || return 1
  done
}
