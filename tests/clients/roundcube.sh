# Roundcube, the web mail of Debian, in Chromium. Sourced by run.sh.
# shellcheck shell=bash disable=SC2016,SC2154

# The configuration that an administrator writes. `ip netns exec` shows this folder as /etc/roundcube.
roundcube_settings() {
  local folder=/etc/netns/$net-client/roundcube
  mkdir -p "$folder" "$home"/roundcube/{temp,logs}
  cp /etc/roundcube/{defaults.inc.php,mimetypes.php} "$folder/"
  cat >"$folder/config.inc.php" <<C
<?php
\$config['imap_host'] = 'ssl://$hostname:993';
\$config['smtp_host'] = 'ssl://$hostname:465';
\$config['imap_conn_options'] = ['ssl' => ['cafile' => '/etc/ssl/certs/ca-certificates.crt', 'verify_peer' => true]];
\$config['smtp_conn_options'] = \$config['imap_conn_options'];
\$config['plugins'] = ['archive', 'markasjunk'];
\$config['archive_mbox'] = 'Archive';
\$config['skin'] = 'elastic';
\$config['enable_spellcheck'] = false;
\$config['des_key'] = 'a key of the tests only, 24c';
\$config['db_dsnw'] = 'sqlite:///$home/roundcube/roundcube.db?mode=0640';
\$config['temp_dir'] = '$home/roundcube/temp';
\$config['log_dir'] = '$home/roundcube/logs';
C
  on_desktop php -r 'foreach (array_slice($argv, 2) as $file) (new PDO("sqlite:$argv[1]"))->exec(file_get_contents($file));' \
    "$home/roundcube/roundcube.db" /usr/share/roundcube/SQL/sqlite.initial.sql
}
roundcube_up() {
  start_on_desktop "$work/roundcube.log" env PHP_CLI_SERVER_WORKERS=4 php -S 127.0.0.1:8000 -t /var/lib/roundcube/public_html
  wait_for 20 on_desktop curl -sSf http://127.0.0.1:8000/
}
has_no_errors() { [ ! -s "$home/roundcube/logs/errors.log" ] || { cat "$home/roundcube/logs/errors.log"; return 1; }; }

deliver for-roundcube "Hello from elsewhere."
deliver "needle in a haystack" "Find me."
deliver "no longer needed" "Delete me."
roundcube_settings
roundcube_up
drive roundcube
check "roundcube: its message has arrived" wait_for 20 holds_message "$user_1" "$password_1" INBOX from-roundcube
check "roundcube: its log has no error" has_no_errors
