# Mail in, mail out, mail read. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

swaks_=(swaks --silent 2 --timeout 30 --ehlo client.example.com)

submit_with_swaks() {
  "${swaks_[@]}" --server "$host" --port "$port_submissions" --tls-on-connect --tls-sni "$hostname" --auth PLAIN \
    --auth-user "$user_0" --auth-password "$password_0" --from "$user_0" --to friend@example.net \
    --header "Subject: by-swaks" --body "signed, I hope"
}
submit_with_starttls() {
  "${swaks_[@]}" --server "$host" --port "$port_submission" --tls --auth LOGIN \
    --auth-user "$user_0" --auth-password "$password_0" --from "$user_0" --to friend@example.net \
    --header "Subject: by-starttls" --body "signed, I hope"
}
submit_with_curl() {
  printf 'From: %s\r\nTo: %s\r\nSubject: by-curl\r\n\r\nbetween us\r\n' "$user_0" "$user_1" >"$work/by-curl"
  curl -sS "${at[@]}" --url "smtps://$hostname:$port_submissions" --user "$user_0:$password_0" \
    --mail-from "$user_0" --mail-rcpt "$user_1" --upload-file "$work/by-curl"
}
arrives_outside() { wait_for 30 grep -lq "Subject: $1" "$work"/sent/*.eml; }
signature_holds() {
  local message
  message=$(grep -l "Subject: $1" "$work"/sent/*.eml) && "$python" "$here/dkim_check.py" "$message" "$work/zone"
}
from_a_stranger() {
  "${swaks_[@]}" --server "$host" --port "$port_smtp" --tls --from stranger@example.com --to "$user_1" \
    --header "Subject: by-stranger" --body "hello"
}
read_with_curl() {
  local found message
  found=$(curl -sS "${at[@]}" --user "$user_1:$password_1" "imaps://$hostname:$port_imaps/INBOX?SUBJECT%20$1")
  found=$(tr -dc '0-9 ' <<<"$found" | awk '{print $1}')
  message=$(curl -sS "${at[@]}" --user "$user_1:$password_1" "imaps://$hostname:$port_imaps/INBOX;MAILINDEX=$found")
  holds "$message" "Subject: $1"
}
read_with_imaplib() {
  "$python" "$here/imap_check.py" "$host" "$port_imaps" "$hostname" "$ca_file" "$user_1" "$password_1" "$1"
}
starttls_with_openssl() {
  openssl s_client -connect "$host:$1" -starttls "$2" -servername "$hostname" -CAfile "$ca_file" \
    -verify_hostname "$hostname" -verify_return_error -brief </dev/null
}

check "swaks submits over 465 with a password" submit_with_swaks
check "swaks submits over 587 with STARTTLS" submit_with_starttls
check "curl submits over 465 with a password" submit_with_curl
check "the message from swaks leaves" arrives_outside by-swaks
check "dkimpy verifies it with the records that mailstead dns prints" signature_holds by-swaks
check "the message over 587 leaves" arrives_outside by-starttls
check "dkimpy verifies that too" signature_holds by-starttls
check "mail from another host is accepted on 25" from_a_stranger
check "curl reads it over imaps" read_with_curl by-stranger
check "curl reads the message from curl" read_with_curl by-curl
check "imaplib reads, flags, copies, moves, expunges" read_with_imaplib by-stranger
check "openssl trusts the certificate on 25" starttls_with_openssl "$port_smtp" smtp
check "openssl trusts the certificate on 143" starttls_with_openssl "$port_imap" imap
