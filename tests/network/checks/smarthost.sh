# All mail that leaves is handed to a host that wants a login: a real Postfix, which asks Dovecot for the passwords.
# Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

# What the settings name is read anew by a SIGHUP.
write_relay() { (umask 077 && printf '%s\n' "$1" >"$work/secrets/relay"); }
name_relay() { write_relay "$1" && hang_up; }
name_authority() { cp "$1" "$work/secrets/relay-ca.pem" && hang_up; }
send_to_friend() { submit "$1" friend@over4.example.net "$hostname" --port 465 --tls-on-connect --tls-sni "$hostname"; }
# relay_trouble: the reasons for which health is degraded, as far as the smarthost is concerned, a line each.
relay_trouble() {
  inside health --json | "$python" -c '
import json, sys
for reason in json.load(sys.stdin)["reasons"]:
    if reason["severity"] != "note" and "MAIL_RELAY_" in (line := reason["problem"] + "; " + reason["fix"]):
        print(line)'
}
# told PATTERN: health says what is wrong with the smarthost, and names the setting.
told() { holds "$(relay_trouble)" "mx\\.example\\.net:[0-9]+ .*$1.*MAIL_RELAY_URL"; }
told_of_the_file() { holds "$(relay_trouble)" "MAIL_RELAY_CA_FILE, $secrets/relay-ca\\.pem,.*the one before counts on.*no certificate in PEM"; }
no_trouble() { is "$(relay_trouble)" ""; }
waits() { is "$(metric mailstead_queue_messages)" 1 && ! remote_has "$1"; }
nobody_has_logged_in() { ! grep -i sasl "$remote/mail.log"; }
# By Postfix's own trace: who has logged in, and over what.
came_by_login() { remote_trace "$1" "\\(using TLSv1\\.3 .*\\(Authenticated sender: $smarthost_user\\) *by mx\\.example\\.net .*with ESMTPSA "; }
# Neither as it is typed, nor as it stands in the URL, nor as it goes over the wire.
tells_no_password() {
  { log && inside health --json && inside plan; } >"$work/told" 2>&1
  holds "$(<"$work/told")" 'login refused by the relay' &&
    ! grep -E "sesame|barley|$(printf '\0%s\0%s' "$smarthost_user" "$smarthost_password" | base64)" "$work/told"
}

relay=$smarthost_user:open%20sesame@mx.example.net
cp "$work/acme/root.pem" "$work/secrets/relay-ca.pem"
printf '%s\n' "submissions://$relay" >"$work/secrets/relay"
chmod 600 "$work/secrets/relay"
set_variable MAIL_RELAY_CA_FILE="$secrets/relay-ca.pem"
check "the first one goes on, with a smarthost whose URL stands in a file" starts_with MAIL_RELAY_URL_FILE="$secrets/relay"
check "ann sends a message" send_to_friend via-465
check "the smarthost's certificate is of nobody that is trusted: health names the setting" wait_for 30 told certificate
check "the message waits" waits via-465
check "and no password was sent" nobody_has_logged_in
write_relay "submissions://$smarthost_user:open%20barley@mx.example.net"
name_authority "$work/authority/ca.pem"
check "with the authority's certificate and a wrong password, health tells what the smarthost said" wait_for 30 told '535 5\.7\.8'
check "the message still waits" waits via-465
name_relay "submissions://$relay"
check "with the right one it leaves, without a restart" leaves via-465
check "over TLS, after a login, as Postfix says" came_by_login via-465
check "health says nothing of it any more" wait_for 20 no_trouble
name_authority /dev/null
check "a file without a certificate is told" wait_for 20 told_of_the_file
name_relay "submission://$relay:587"
check "another port is taken over" wait_for 20 inside plan
check "ann sends another message" send_to_friend via-587
check "it leaves, for the authority that was known before still counts" leaves via-587
check "over TLS, after a login" came_by_login via-587
check "no password is told anywhere" tells_no_password
set_variable MAIL_RELAY_URL_FILE=
set_variable MAIL_RELAY_CA_FILE=
