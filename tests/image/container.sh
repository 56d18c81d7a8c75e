# The container apart from mail. Sourced by run.sh, with the container running.
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

daemons_have_nothing() {
  local role pid field
  for role in mta mda steward; do
    pid=$(pid_of "$role") || { echo "no $role"; return 1; }
    # Neither as user nor as group, whether real, effective or saved.
    ! grep -E '^(Uid|Gid|Groups):.*\b0\b' "/proc/$pid/status" || { echo "$role is root"; return 1; }
    for field in CapInh CapPrm CapEff CapBnd CapAmb SigBlk; do
      is "$(status_of "$pid" $field)" 0000000000000000 || { echo "$role $field"; return 1; }
    done
    is "$(status_of "$pid" NoNewPrivs)" 1 || return 1
  done
}
# Their own filter of system calls, beside the engine's; and the other restrictions that the kernel enforces, as our log reports them.
daemons_are_sandboxed() {
  local role engine log
  engine=$(status_of "$(first)" Seccomp_filters) && log=$(compose logs --no-log-prefix --no-color mail) || return 1
  for role in mta mda steward; do
    [ "$(status_of "$(pid_of "$role")" Seccomp_filters)" -gt "$engine" ] || { echo "$role has no filter of its own"; return 1; }
    holds "$log" "sandboxed role=\"$role\" enforced=\"(Landlock V[0-9]+ .*)?seccomp\"" || return 1
  done
}
# As root, whom file permissions do not stop. The volume must be writable.
writes_to_the_volume_alone() {
  local root path error
  root=/proc/$(first)/root
  for path in probe bin/probe etc/probe; do
    error=$(touch "$root/$path" 2>&1) && { echo "$path was written"; return 1; }
    holds "$error" 'Read-only file system' || return 1
  done
  touch "$root/data/probe" && rm "$root/data/probe"
}
users_differ() {
  local users
  users=$(for role in mta mda steward; do status_of "$(pid_of $role)" Uid; done | sort -u | wc -l)
  is "$users" 3
}
# Every socket on which a process of the container can be reached, each once. DNS queries leave from sockets of UDP
# that have a high port until the answer arrives; no other is allowed.
sockets() {
  processes >"$work/processes"
  ss -Hltunxp | "$python" -c '
import re, sys
ours = set(open(sys.argv[1]).read().split())
seen = set()
for line in sys.stdin:
    if ours & set(re.findall(r"pid=(\d+)", line)):
        kind, _, _, _, address = line.split()[:5]
        is_query = kind == "udp" and int(address.rsplit(":", 1)[1]) >= 1024
        has_no_name = kind.startswith("u_") and address.startswith("*")
        if not is_query and not has_no_name:
            seen.add(f"{kind} {address}")
print(*sorted(seen), sep="\n")' "$work/processes"
}
listens_where_it_should() { sockets | diff "$top/tests/image/sockets" -; }
as_promised() { docker inspect "$container" | "$python" "$top/tests/image/promises.py" "$top/README.md"; }
# From the start of process 1 to the end of the first check that succeeded.
healthy_in_time() {
  docker inspect "$container" | "$python" -c '
import json, sys
from datetime import datetime
state = json.load(sys.stdin)[0]["State"]
moment = lambda text: datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")
good = min(moment(check["End"]) for check in state["Health"]["Log"] if check["ExitCode"] == 0)
seconds = (good - moment(state["StartedAt"])).total_seconds()
print(f"healthy after {seconds:.2f} s")
sys.exit(seconds > 3)'
}
first() { inspect '{{.State.Pid}}'; }
# inner COMMAND...: a program of this machine as a process of the container, which has no program but ours.
inner() { nsenter --target "$(first)" --pid -- "$@"; }
children() { ps -o stat= --ppid "$(first)"; }
only_daemons_left() { is "$(children | wc -l)" 3 && ! children | grep Z; }
reaps_orphans() {
  # A hundred processes whose parent ends before them: process 1 becomes their parent.
  # shellcheck disable=SC2016
  inner bash -c 'for i in $(seq 100); do (sleep 2 &) ; done' && [ "$(children | wc -l)" -gt 50 ] && wait_for 10 only_daemons_left
}
survives_a_kill_from_inside() { inner kill -9 1 && still_healthy && is "$(inspect '{{.State.Running}} {{.RestartCount}}')" 'true 0'; }
four_processes() { is "$(processes | wc -l)" 4; }
leaks_no_process() {
  local check checks
  for _ in $(seq 50); do
    checks=()
    for _ in 1 2 3 4; do
      timeout 20 docker exec "$container" /bin/mailstead health >/dev/null &
      checks+=($!)
    done
    for check in "${checks[@]}"; do wait "$check" || return 1; done
  done
  wait_for 5 four_processes && wait_for 5 only_daemons_left
}
# stopped_early SECONDS: a stop so long after its start ends it in time, with status 0.
stopped_early() {
  local begin
  docker start "$container" && sleep "$1" && begin=$SECONDS && docker kill --signal TERM "$container" >/dev/null &&
    is "$(timeout 10 docker wait "$container")" 0 && echo "took $((SECONDS - begin)) s" && [ $((SECONDS - begin)) -le 2 ]
}
comes_back() {
  local before
  before=$(pid_of "$1")
  kill -9 "$before"
  # The connection is not refused: the socket belongs to process 1.
  swaks --silent 2 --timeout 30 --ehlo client.example.com --server "$host" --from stranger@example.com --to "$user_0" \
    --header "Subject: after-$1" || return 1
  wait_for 60 is_another "$1" "$before"
}
is_another() {
  local now
  now=$(pid_of "$1") && [ "$now" != "$2" ]
}
accepts_mail_after_mda() {
  local before
  before=$(pid_of mda)
  kill -9 "$before"
  wait_for 60 is_another mda "$before" &&
    wait_for 60 swaks --silent 2 --timeout 30 --ehlo client.example.com --server "$host" --from stranger@example.com \
      --to "$user_0" --header "Subject: after-mda"
}
ignores_unexpected_signals() {
  local signal
  for signal in USR1 USR2 WINCH PIPE CONT TTIN TTOU ALRM RTMIN; do docker kill --signal "$signal" "$container" >/dev/null || return 1; done
  still_healthy && is "$(inspect '{{.RestartCount}}')" 0 && only_daemons_left
}
still_healthy() { wait_for 60 compose exec -T mail mailstead health; }
engine_reports_healthy() { is "$(inspect '{{.State.Health.Status}}')" healthy; }
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
# As README advises, since compose would not pass it on.
finds_a_misspelt_name() {
  local output status=0
  { cat "$work/env"; echo MAIL_MESAGE_SIZE=10M; } >"$work/misspelt"
  output=$(docker run --rm --env-file "$work/misspelt" mailstead plan 2>&1) || status=$?
  is "$status" 64 && holds "$output" 'MAIL_MESAGE_SIZE.*did you mean MAIL_MESSAGE_SIZE'
}

check "the engine reports healthy" wait_for 60 engine_reports_healthy
check "it was healthy within three seconds" healthy_in_time
check "the engine gives it what README promises, and no more" as_promised
check "the daemons have no capability and cannot gain one" daemons_have_nothing
check "the daemons are three users" users_differ
check "the daemons are sandboxed" daemons_are_sandboxed
check "only the volume is writable" writes_to_the_volume_alone
check "it listens on the expected sockets only" listens_where_it_should
check "a killed mta comes back, and no connection is refused" comes_back mta
check "a killed mda comes back, and mail is accepted" accepts_mail_after_mda
check "it is healthy again" still_healthy
check "process 1 reaps a hundred orphans" reaps_orphans
check "two hundred health checks leave nothing behind" leaks_no_process
check "unexpected signals do nothing" ignores_unexpected_signals
check "a kill from inside does nothing" survives_a_kill_from_inside
check "compose stop ends within the grace period with status 0" stops_in_time
check "a stop right after the start works" stopped_early 0
check "a stop 5 ms after the start works" stopped_early 0.005
check "a stop 50 ms after the start works" stopped_early 0.05
check "it starts again and has its mail" starts_again_with_its_mail
check "a wrong environment lists every fault with status 64" lists_every_fault
check "a misspelt name in .env is found by plan" finds_a_misspelt_name
check "it stops once more with status 0" stops_in_time
