# Replies to bad input. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

# answers PATTERN COMMAND...: the command's output has a line that matches; its exit status does not matter.
answers() {
  local pattern=$1 output
  shift
  output=$("$@" 2>&1) || true
  holds "$output" "$pattern"
}
# A dialogue with port 25: octets as printf writes them, answers as they come.
dialogue() {
  local octets=$1
  exec 3<>"/dev/tcp/$host/$port_smtp"
  # shellcheck disable=SC2059
  printf "$octets" >&3
  timeout 20 cat <&3
  exec 3>&-
}
wrong_environment() {
  local output variable status=0
  output=$(env -i MAIL_DOMAIN='no domain' MAIL_USERS=ann MAIL_HOSTNAM=x "$program" 2>&1) || status=$?
  printf '%s\n' "$output"
  [ "$status" = 64 ] && for variable in MAIL_DOMAIN MAIL_USERS MAIL_HOSTNAM; do
    holds "$output" "$variable" || return 1
  done
}
swaks_to() { swaks --timeout 30 --ehlo client.example.com --server "$host" "$@"; }

check "relaying is refused" answers '^<\*\* 550 5\.7\.1' \
  swaks_to --port "$port_smtp" --from stranger@example.com --to someone@example.net
check "an unknown recipient gets 550 5.1.1" answers '^<\*\* 550 5\.1\.1' \
  swaks_to --port "$port_smtp" --from stranger@example.com --to "unknown@$domain"
check "a wrong password gets 535 5.7.8" answers '535 5\.7\.8' \
  swaks_to --port "$port_submissions" --tls-on-connect --auth PLAIN --auth-user "$user_0" --auth-password wrong --quit-after AUTH
check "a size too large gets 552 5.3.4" answers '^552 5\.3\.4' \
  dialogue "EHLO a.example.com\r\nMAIL FROM:<a@example.com> SIZE=999999999999\r\nQUIT\r\n"
check "a line too long gets 500 5.5.6" answers '^500 5\.5\.6' \
  dialogue "EHLO a.example.com\r\nNOOP $(printf 'x%.0s' $(seq 5000))\r\nQUIT\r\n"
check "a NUL gets a syntax error" answers '^50[01] 5\.5\.' \
  dialogue 'EHLO a.example.com\r\nNOOP \0\r\nQUIT\r\n'
check "a wrong environment lists every fault" wrong_environment
