# Mail in and out over both families, through and from a foreign mail server, with a user on another machine.
# Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

swaks_=(swaks --silent 2 --timeout 30 --ehlo client.example.com)

# through_remote SUBJECT USER: to the other mail host, which sends it on to the user's MX.
through_remote() {
  on client "${swaks_[@]}" --server mx.example.net --from someone@example.net --to "$2" --header "Subject: $1" --body hello
}
# submit SUBJECT RECIPIENT SERVER...: as ann, from her machine.
submit() {
  local subject=$1 to=$2
  shift 2
  on client "${swaks_[@]}" --server "$@" --auth PLAIN --auth-user "$user_0" --auth-password "$password_0" --from "$user_0" \
    --to "$to" --header "Subject: $subject" --body "signed, I hope"
}
# read_mail USER PASSWORD SUBJECT: with curl, into the file of that name.
read_mail() {
  local found
  found=$(number_of "$@") && limit=20 on client curl -sS --cacert "$ca_file" --user "$1:$2" "imaps://$hostname/INBOX;MAILINDEX=$found" >"$work/$3" &&
    holds "$(<"$work/$3")" "Subject: $3"
}
arrives() { wait_for 30 read_mail "$@"; }
# fields FILE: the message's header, each field on a line.
fields() { tr -d '\r' <"$1" | sed '/^$/q' | sed ':join; N; $!bjoin; s/\n[ \t]/ /g'; }
came_from() { holds "$(fields "$work/$1")" "^Received: from .*\\[$2\\]\\) *by mail\\.example\\.org "; }
results_hold() { holds "$(fields "$work/$1")" "^Authentication-Results: mail\\.example\\.org;.* $2( |;|\$)"; }
leaves() { wait_for 30 remote_has "$1"; }
postfix_saw() { holds "$(grep -o ' client=.*' "$remote/mail.log")" "$1"; }
# remote_trace SUBJECT PATTERN: the other host's own trace in a message that it keeps.
remote_trace() {
  local message
  message=$(grep -rl "Subject: $1" "$remote/mail/inbox/new") &&
    holds "$(fields "$message" | grep '^Received: from mail\.example\.org ')" "$2"
}
postfix_log_has() { grep -q "$1" "$remote/mail.log" || { grep 'TLS connection' "$remote/mail.log"; return 1; }; }
signature_holds() {
  local message
  message=$(grep -rl "Subject: $1" "$remote/mail/inbox/new") && "$python" "$top/tests/acceptance/dkim_check.py" "$message" "$work/zone"
}

check "the other host accepts mail for ann" through_remote over-4 "$user_0"
check "and for bob" through_remote over-6 "$user_1"
check "ann reads hers on her own machine" arrives "$user_0" "$password_0" over-4
check "it came over IPv4, from the other host's true address" came_from over-4 198.51.100.20
check "bob reads his" arrives "$user_1" "$password_1" over-6
check "it came over IPv6, from the other host's true address" came_from over-6 IPv6:2001:db8:51::20
check "the other host has checked our certificate by DANE" postfix_log_has 'Verified TLS connection established to mail.example.org'
check "SPF is judged by that address, over IPv4" results_hold over-4 'spf=pass'
check "and over IPv6" results_hold over-6 'spf=pass'
check "the reverse name is found" results_hold over-4 'iprev=pass'

check "ann submits over 465" submit by-465 friend@over4.example.net "$hostname" --port 465 --tls-on-connect --tls-sni "$hostname"
check "ann submits over 587, with IPv6" submit by-587 friend@over6.example.net "$host6" --port 587 --tls
check "her mail reaches a host with IPv4 alone" leaves by-465
check "and one with IPv6 alone" leaves by-587
check "it is encrypted on its way" remote_trace by-465 '\(using TLSv1\.3 .* with ESMTPS '
check "the other host saw our IPv4 name and address" postfix_saw "client=mail.example.org\\[$host4\\]"
check "and our IPv6 name and address" postfix_saw "client=mail.example.org\\[$host6\\]"
check "the signatures hold by the printed records" signature_holds by-465
check "imaplib on ann's machine reads, flags, copies, moves, expunges" on client "$python" "$top/tests/acceptance/imap_check.py" \
  "$host6" 993 "$hostname" "$ca_file" "$user_1" "$password_1" over-6
