# Another mail host: a real Postfix with a folder of its own, which checks DANE when it sends, is relay for the client's
# machine, and keeps all mail to example.net, over4 and over6 in one Maildir. On 465 and 587 it is a smarthost, for the
# users in Dovecot's file. Sourced by run.sh.
# shellcheck shell=bash disable=SC2016,SC2154

smarthost_user=mailstead smarthost_password='open sesame'

remote_up() {
  remote=$work/remote
  mkdir -p "$remote"/{etc,spool,data,mail}
  chown postfix "$remote/data"
  chown nobody "$remote/mail"
  local for_users="-o smtpd_sasl_auth_enable=yes -o smtpd_tls_security_level=encrypt
    -o smtpd_client_restrictions=permit_sasl_authenticated,reject"
  # No service is in a chroot of its own. Two ways out know one family only.
  sed -E 's/^([a-z]+ +[a-z-]+ +[-a-z]+ +[-a-z]+ +)[-y]( )/\1n\2/' /usr/share/postfix/master.cf.dist >"$remote/etc/master.cf"
  cat >>"$remote/etc/master.cf" <<C
only4 unix - - n - - smtp -o inet_protocols=ipv4
only6 unix - - n - - smtp -o inet_protocols=ipv6
587 inet n - n - - smtpd $for_users -o syslog_name=postfix/submission
465 inet n - n - - smtpd $for_users -o syslog_name=postfix/submissions -o smtpd_tls_wrappermode=yes
C
  cat >"$remote/etc/main.cf" <<C
compatibility_level = 3.6
queue_directory = $remote/spool
data_directory = $remote/data
maillog_file = $remote/mail.log
maillog_file_prefixes = $work
myhostname = mx.example.net
mydomain = example.net
mydestination = localhost
mynetworks = 127.0.0.0/8 [::1]/128 198.51.100.30/32 [2001:db8:51::30]/128
inet_interfaces = all
inet_protocols = all
smtp_dns_support_level = dnssec
smtp_tls_security_level = dane
smtp_tls_loglevel = 1
smtpd_tls_security_level = may
smtpd_tls_cert_file = $work/authority/mx.example.net.pem
smtpd_tls_key_file = $work/authority/mx.example.net.key
smtpd_tls_received_header = yes
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_authenticated_header = yes
transport_maps = inline:{ {ann@example.org = only4:} {bob@example.org = only6:} }
virtual_mailbox_domains = example.net, over4.example.net, over6.example.net
virtual_mailbox_base = $remote/mail
virtual_mailbox_maps = static:inbox/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
message_size_limit = 60000000
virtual_mailbox_limit = 0
minimal_backoff_time = 2s
maximal_backoff_time = 5s
queue_run_delay = 2s
C
  limit=30 on remote postfix -c "$remote/etc" start >"$remote/start.log" 2>&1 9>&- || { cat "$remote/start.log" >&2; return 1; }
  wait_for 20 remote_answers
  passwords_up
}
# The users that may send through it, in a file of Dovecot's.
passwords_up() {
  mkdir "$remote/dovecot"
  echo "$smarthost_user:{PLAIN}$smarthost_password" >"$remote/dovecot/users"
  cat >"$remote/dovecot/dovecot.conf" <<C
base_dir = $remote/dovecot/run
log_path = $remote/dovecot/log
protocols =
ssl = no
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = $remote/dovecot/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=/
}
service auth {
  unix_listener $remote/spool/private/auth {
    user = postfix
    mode = 0600
  }
}
C
  start_on remote "$remote/dovecot/out" dovecot -F -c "$remote/dovecot/dovecot.conf"
  wait_for 20 test -S "$remote/spool/private/auth"
}
remote_answers() {
  limit=5 on client bash -c 'exec 3<>/dev/tcp/198.51.100.20/25; read -t 3 -r line <&3; [[ $line == 220* ]]'
}
remote_down() {
  [ ! -e "$work/remote/etc/main.cf" ] || limit=20 on remote postfix -c "$work/remote/etc" stop >/dev/null 2>&1 || true
}
remote_has() { grep -rlq "Subject: $1" "$remote/mail/inbox/new"; }
