# What the container is and does beside mail. Sourced by run.sh, with the container running.
# shellcheck shell=bash disable=SC2154

# The numbers, on this machine, of the processes in the container.
processes() { docker top "$container" -o pid | tail -n +2 | tr -d ' '; }
status_of() { awk -v field="$2:" '$1 == field { print $2 }' "/proc/$1/status"; }
role_of() { tr '\0' '\n' <"/proc/$1/cmdline" | sed -n 2p; }
pid_of() {
  local pid
  for pid in $(processes); do [ "$(role_of "$pid")" != "$1" ] || { echo "$pid"; return; }; done
  return 1
}

only_the_program() {
  # The image has this and nothing more: no shell, no package, no key.
  docker export "$container" | tar -t | grep -v '/$' | grep -Ev '^(\.dockerenv|dev/|etc/(hostname|hosts|resolv.conf|mtab)|proc|sys)' |
    sort >"$work/files"
  printf '%s\n' bin/mailstead etc/group etc/passwd etc/ssl/certs/ca-certificates.crt | diff - "$work/files"
}
small() { [ "$(docker image inspect --format '{{.Size}}' mailstead:latest)" -lt 60000000 ]; }
authorities_inside() {
  [ "$(docker cp "$container:/etc/ssl/certs/ca-certificates.crt" - | tar -xO | grep -c 'BEGIN CERTIFICATE')" -gt 100 ]
}
daemons_have_nothing() {
  local role pid field
  for role in mta mda steward; do
    pid=$(pid_of "$role") || { echo "no $role"; return 1; }
    [ "$(status_of "$pid" Uid)" != 0 ] || { echo "$role is root"; return 1; }
    for field in CapInh CapPrm CapEff CapAmb; do
      is "$(status_of "$pid" $field)" 0000000000000000 || { echo "$role $field"; return 1; }
    done
    is "$(status_of "$pid" NoNewPrivs)" 1 || return 1
  done
}
users_differ() {
  local users
  users=$(for role in mta mda steward; do status_of "$(pid_of $role)" Uid; done | sort -u | wc -l)
  is "$users" 3
}
listens_where_it_should() {
  ss -Hltn | awk '{print $4}' >"$work/listening"
  local port
  for port in 25 143 465 587 993; do grep -q ":$port\$" "$work/listening" || { echo "nothing on $port"; return 1; }; done
  # Health is for this machine only.
  is "$(grep ':8025$' "$work/listening")" 127.0.0.1:8025
}
comes_back() {
  local before
  before=$(pid_of "$1")
  kill -9 "$before"
  # Refused by nobody: the socket belongs to process 1.
  swaks --silent 2 --timeout 30 --ehlo client.example.com --server "$host" --from stranger@example.com --to "$user_0" \
    --header "Subject: after-$1" || return 1
  wait_for 60 is_another "$1" "$before"
}
is_another() {
  local now
  now=$(pid_of "$1") && [ "$now" != "$2" ]
}
takes_mail_after_mda() {
  local before
  before=$(pid_of mda)
  kill -9 "$before"
  wait_for 60 is_another mda "$before" &&
    wait_for 60 swaks --silent 2 --timeout 30 --ehlo client.example.com --server "$host" --from stranger@example.com \
      --to "$user_0" --header "Subject: after-mda"
}
ignores_inner_kill() { compose exec -T mail mailstead health >/dev/null && docker kill --signal USR1 "$container" >/dev/null && still_healthy; }
still_healthy() { wait_for 60 compose exec -T mail mailstead health; }
engine_says_healthy() { is "$(inspect '{{.State.Health.Status}}')" healthy; }
stops_in_time() {
  local begin=$SECONDS
  compose stop mail && echo "took $((SECONDS - begin)) s" && [ $((SECONDS - begin)) -lt 40 ] && is "$(inspect '{{.State.ExitCode}}')" 0
}
starts_again_with_its_mail() {
  compose up --detach --no-build --wait --wait-timeout 120 && read_with_curl by-curl
}
lists_every_fault() {
  local output variable status=0
  output=$(docker run --rm --env MAIL_DOMAIN='no domain' --env MAIL_USERS=ann --env MAIL_HOSTNAM=x mailstead:latest 2>&1) || status=$?
  printf '%s\n' "$output"
  is "$status" 64 && for variable in MAIL_DOMAIN MAIL_USERS MAIL_HOSTNAM; do
    holds "$output" "$variable" || return 1
  done
}

check "the engine says healthy" wait_for 60 engine_says_healthy
check "the root file system is read-only" is "$(inspect '{{.HostConfig.ReadonlyRootfs}}')" true
check "all capabilities are dropped but those named" is "$(inspect '{{.HostConfig.CapDrop}}')" '[ALL]'
check "no process gains privileges" is "$(inspect '{{.HostConfig.SecurityOpt}}')" '[no-new-privileges:true]'
check "the image holds the program and nothing more" only_the_program
check "the image is small" small
check "the image holds the authorities" authorities_inside
check "the daemons have no capability and no way to one" daemons_have_nothing
check "the daemons are three users" users_differ
check "it listens where it should and nowhere else" listens_where_it_should
check "a killed mta comes back, and no connection is refused" comes_back mta
check "a killed mda comes back, and mail is taken" takes_mail_after_mda
check "it is healthy again" still_healthy
check "an unexpected signal to process 1 does nothing" ignores_inner_kill
check "compose stop ends within the grace period with status 0" stops_in_time
check "it starts again and has its mail" starts_again_with_its_mail
check "a wrong environment lists every fault with status 64" lists_every_fault
check "it stops once more with status 0" stops_in_time
