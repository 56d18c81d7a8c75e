# A machine without a reverse name that forges senders, relays and guesses. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

# refused PATTERN HOST SWAKS-OPTION...: the server's answer has it.
refused() {
  local pattern=$1 host=$2 output
  shift 2
  output=$(on "$host" swaks --timeout 30 --ehlo client.example.com "$@" 2>&1) || true
  holds "$output" "$pattern"
}
pretends() {
  on spam swaks --silent 2 --timeout 30 --ehlo mx.example.net --server "$1" --from someone@example.net --to postmaster@example.org \
    --header "Subject: $2" --body "believe me"
}

check "a stranger cannot relay" refused '^<\*\* 550 5\.7\.1' spam --server "$host4" --from a@example.net --to b@example.net
check "nor can the machine itself" refused '^<\*\* 550 5\.7\.1' vps --server 127.0.0.1 --from a@example.net --to b@example.net
check "nor a neighbour over IPv6" refused '^<\*\* 550 5\.7\.1' remote --server "$host6" --from a@example.net --to b@example.net
check "a stranger without a reverse name is refused, and learns what to do" refused \
  '^<\*\* 550 5\.7\.25 Your address 198\.51\.100\.66 has no reverse name: set a PTR record' spam \
  --server "$host4" --from someone@example.net --to "$user_0" --quit-after RCPT
check "nor may it take the name of the server" refused '^<\*\* 550 5\.7\.1 The name mail\.example\.org' client \
  --server "$host4" --ehlo mail.example.org --from someone@example.net --to "$user_0" --quit-after RCPT
check "a sender that cannot be answered is refused" refused '^<\*\* 550 5\.1\.8 ' client \
  --server "$host4" --from someone@text.example.com --to "$user_0" --quit-after RCPT
check "a sender that takes no mail is refused" refused '^<\*\* 550 5\.7\.27 ' client \
  --server "$host4" --from someone@silent.example.com --to "$user_0" --quit-after RCPT
check "a forged author is refused in the name of its domain" refused '^<\*\* 550 5\.7\.1 DMARC: .*example\.com' client \
  --server "$host4" --from someone@example.net --to "$user_0" --header "From: chief@example.com"
check "a stranger may ask the postmaster for help" pretends "$host4" pretended
check "the postmaster is shown what it is" arrives "$user_0" "$password_0" pretended
check "SPF fails by its true address" results_hold pretended 'spf=fail'
check "and it has no reverse name" results_hold pretended 'iprev=(fail|permerror)'
check "a field tells a person the same" holds "$(fields "$work/pretended")" \
  '^Mailstead-Policy: accepted; reverse name fail: 198\.51\.100\.66 has no name;'
check "it came from that address" came_from pretended 198.51.100.66
