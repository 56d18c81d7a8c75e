# The server that the clients use: the program as process 1 of a container without an engine, on the machine `vps` of the
# test network, with published records and certificates of the ACME authority. Sourced by run.sh after the parts of
# tests/network.
# shellcheck shell=bash disable=SC2034,SC2154

hostname=mail.example.org host4=198.51.100.10 host6=2001:db8:51::10
user_0=ann@example.org password_0='correct horse' user_1=bob@example.org password_1='battery staple'
name_0='Ann Example'
capabilities=+net_bind_service,+setuid,+setgid,+setpcap,+chown,+kill,+dac_read_search # as compose.yaml gives them
ca_file=$work/acme/root.pem # the authority that the clients trust
settings=(PATH="$PATH" MAIL_DOMAIN=example.org MAIL_USERS="ann:$password_0,bob:$password_1"
  MAIL_ACME_DIRECTORY="$acme_directory" MAIL_ACME_CA_FILE=/etc/acme-ca.pem MAIL_CHECK_BLOCKLISTS=none MAIL_CHECK_SMTP_HOST=none)

finish() {
  hosts_down
  rm -rf --one-file-system "$work"
}
stage() { printf -- '-- %4d s  %s\n' "$SECONDS" "$*"; }
# The network with the server on it, taken away at the end of the script.
stage_up() {
  trap finish EXIT
  trap 'exit 1' HUP INT TERM
  stage "the network"
  hosts_up
  certificates_up
  names_up
  acme_up 7776000 50
  stage "the server"
  server_up
}

# inside COMMAND...: the mailstead command as an operator types it.
inside() {
  on vps env -i "${settings[@]}" nsenter "--target=$(init)" --mount --pid --uts --ipc --root --wdns=/ -- /bin/mailstead "$@"
}
# The process that is number 1 in there.
init() { pgrep -P "$server"; }

server_up() {
  local folder=$work/server
  mkdir -p "$folder"/{root,volume,etc}
  cp "$top/image/passwd" "$top/image/group" "$folder/etc/"
  printf 'nameserver %s\noptions edns0 trust-ad\n' "$resolver" >"$folder/etc/resolv.conf"
  cp "$work/secrets/acme-ca.pem" "$folder/etc/acme-ca.pem"
  # The domain's own name has led to the machine before, as that of a web site. Mail programs ask it first.
  printf 'example.org. 300 IN A %s\nexample.org. 300 IN AAAA %s\n' "$host4" "$host6" >"$work/zone"
  publish "$work/zone"
  start_on vps "$folder/log" env -i "${settings[@]}" unshare --pid --fork --kill-child --mount --uts --ipc -- \
    sh "$top/tests/src/appliance/container.sh" "$folder/root" "$folder/volume" "$program" "$folder/etc" "-all,$capabilities"
  server=${daemons[-1]}
  wait_for 30 healthy || { cat "$folder/log" >&2; return 1; }
  inside dns >"$work/zone"
  publish "$work/zone"
  wait_for 120 has_certificate || { tail -n 30 "$folder/log" >&2; return 1; }
}
healthy() { inside health; }
has_certificate() {
  limit=15 on client curl -sSf --cacert "$ca_file" "https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=$user_0"
}

# deliver SUBJECT BODY [SWAKS_OPTION...]: a message from elsewhere to the first user, over port 25.
deliver() {
  local subject=$1 body=$2
  shift 2
  limit=30 on remote swaks --silent 2 --server "$hostname" --ehlo mx.example.net --from friend@example.net --to "$user_0" \
    --header "From: A Friend <friend@example.net>" --header "Subject: $subject" --body "$body" "$@"
}
# holds_message USER PASSWORD FOLDER SUBJECT: that folder has a message with it.
holds_message() {
  local found
  found=$(limit=20 on client curl -sS --cacert "$ca_file" --user "$1:$2" "imaps://$hostname/$3?SUBJECT%20$4")
  holds "$found" 'SEARCH [0-9]'
}
