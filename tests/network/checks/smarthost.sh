# All outgoing mail is sent to a host that requires a login: a real Postfix, which checks passwords with Dovecot.
# Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

# A SIGHUP reads the files that the settings name again.
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
# reported PATTERN: health reports the fault of the smarthost, and names the setting.
reported() { holds "$(relay_trouble)" "mx\\.example\\.net:[0-9]+ .*$1.*MAIL_RELAY_URL"; }
file_is_reported() { holds "$(relay_trouble)" "MAIL_RELAY_CA_FILE, $secrets/relay-ca\\.pem,.*the previous one stays in use.*no certificate in PEM"; }
no_trouble() { is "$(relay_trouble)" ""; }
waits() { is "$(metric mailstead_queue_messages)" 1 && ! remote_has "$1"; }
no_login_was_tried() { ! grep -i sasl "$remote/mail.log"; }
# By Postfix's own trace: the user and the protocol of the login.
came_by_login() { remote_trace "$1" "\\(using TLSv1\\.3 .*\\(Authenticated sender: $smarthost_user\\) *by mx\\.example\\.net .*with ESMTPSA "; }
# Neither as typed, nor as in the URL, nor as on the wire.
shows_no_password() {
  { log && inside health --json && inside plan; } >"$work/reported" 2>&1
  holds "$(<"$work/reported")" 'login refused by the relay' &&
    ! grep -E "sesame|barley|$(printf '\0%s\0%s' "$smarthost_user" "$smarthost_password" | base64)" "$work/reported"
}

relay=$smarthost_user:open%20sesame@mx.example.net
cp "$work/acme/root.pem" "$work/secrets/relay-ca.pem"
printf '%s\n' "submissions://$relay" >"$work/secrets/relay"
chmod 600 "$work/secrets/relay"
set_variable MAIL_RELAY_CA_FILE="$secrets/relay-ca.pem"
check "the first container restarts with a smarthost whose URL is in a file" starts_with MAIL_RELAY_URL_FILE="$secrets/relay"
check "ann sends a message" send_to_friend via-465
check "the smarthost's certificate is not trusted: health names the setting" wait_for 30 reported certificate
check "the message waits" waits via-465
check "and no password was sent" no_login_was_tried
write_relay "submissions://$smarthost_user:open%20barley@mx.example.net"
name_authority "$work/authority/ca.pem"
check "with the authority's certificate and a wrong password, health reports the smarthost's reply" wait_for 30 reported '535 5\.7\.8'
check "the message still waits" waits via-465
name_relay "submissions://$relay"
check "with the right one it leaves, without a restart" leaves via-465
check "over TLS, after a login, as Postfix says" came_by_login via-465
check "health no longer reports it" wait_for 20 no_trouble
name_authority /dev/null
check "a file without a certificate is reported" wait_for 20 file_is_reported
name_relay "submission://$relay:587"
check "another port takes effect" wait_for 20 inside plan
check "ann sends another message" send_to_friend via-587
check "it leaves, since the previous authority is still trusted" leaves via-587
check "over TLS, after a login" came_by_login via-587
check "no password is shown anywhere" shows_no_password
set_variable MAIL_RELAY_URL_FILE=
set_variable MAIL_RELAY_CA_FILE=
