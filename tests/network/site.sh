# The machine under test as its owner deals with it: the compose files, the variables in .env, the mailstead command.
# Sourced by run.sh.
# shellcheck shell=bash disable=SC2034,SC2154

project=mailstead
files=("$top/compose.yaml" "$network/compose.override.yaml")
hostname=mail.example.org host4=198.51.100.10 host6=2001:db8:51::10
user_0=ann@example.org password_0='correct horse' user_1=bob@example.org password_1='battery staple'
user_2=carl@town.example password_2='two words'
ca_file=$work/trusted.pem # what the clients trust
secrets=/etc/mailstead    # where $work/secrets lies in the container

# The settings that the user enters, and those that the test network needs.
site_up() {
  cat >"$work/env" <<C
MAIL_DOMAIN=example.org,town.example
MAIL_USERS=ann:$password_0,bob:$password_1,$user_2:$password_2
MAIL_ACME_DIRECTORY=$acme_directory
MAIL_ACME_CA_FILE=$secrets/acme-ca.pem
MAIL_ACME_CONTACT=ann@example.org
MAIL_CHECK_BLOCKLISTS=dnsbl.example.com
MAIL_CHECK_SMTP_HOST=mx.example.net
NETWORK_SECRETS=$work/secrets
C
}
# set_variable NAME=VALUE: takes effect with the next start.
set_variable() { sed -i "/^${1%%=*}=/d" "$work/env" && echo "$1" >>"$work/env"; }

compose() {
  local file arguments=()
  for file in "${files[@]}"; do arguments+=(--file "$file"); done
  on_engine docker compose --project-name "$project" --project-directory "$top" --env-file "$work/env" "${arguments[@]}" "$@"
}
inside() { compose exec -T mail mailstead "$@"; }
starts() { compose up --detach --no-build --wait --wait-timeout 60; }
starts_with() { set_variable "$1" && starts; }
# Reads the settings' files again, and checks if the certificate is due.
hang_up() { compose --progress quiet kill --signal HUP mail; }
log() { compose logs --no-log-prefix --no-color "$@" mail; }
# metric NAME: its current value; the name includes its labels.
metric() { limit=10 on vps curl -sSf http://127.0.0.1:8025/metrics | awk -v name="$1" '$1 == name { print $2 }'; }
# number_of USER PASSWORD SUBJECT: that message's place in the INBOX.
number_of() {
  local found
  found=$(limit=20 on client curl -sS --cacert "$ca_file" --user "$1:$2" "imaps://$hostname/INBOX?SUBJECT%20$3" | tr -dc '0-9 ' | awk '{print $1}')
  [ -n "$found" ] && echo "$found"
}
state() { on_engine docker inspect --format "$1" "$(compose ps --all --quiet mail)"; }
stops_with_0() {
  local begin=$SECONDS
  compose stop && is "$(state '{{.State.ExitCode}}')" 0 && echo "took $((SECONDS - begin)) s" && [ $((SECONDS - begin)) -lt 40 ]
}
