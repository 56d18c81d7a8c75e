# Shared by the acceptance scripts: checks that are counted, waiting with a limit, and the demo's facts.
# The variables that all these files share are set by the run.sh that sources them.
# shellcheck shell=bash disable=SC2034,SC2154

passed=0 failed=0

# check NAME COMMAND...: runs the command, counts, and shows its output when it fails.
check() {
  local name=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
    sed 's/^/        /' "$work/output"
  fi
}

verdict() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

# is FOUND EXPECTED
is() { [ "$1" = "$2" ] || { printf 'expected %s, found %s\n' "$2" "$1"; return 1; }; }

# holds TEXT PATTERN: a line of the text matches. Not through a pipe, whose writer fails when grep has seen enough.
holds() { grep -Eq -- "$2" <<<"$1" || { printf 'nothing matches %s in\n%s\n' "$2" "$1"; return 1; }; }

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "timed out: $*" >&2; return 1; }
    sleep .1
  done
}

# stop PID: ends a process that we started, if it still runs.
stop() {
  [ -n "$1" ] || return 0
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# stops PID: the process ends on SIGTERM, with status 0.
stops() {
  kill "$1" && wait "$1"
}

# load_facts FILE: demo.json as variables.
load_facts() {
  eval "$("$python" - "$1" <<'P'
import json, shlex, sys
facts = json.load(open(sys.argv[1]))
out = {k: facts[k] for k in ("host", "hostname", "domain", "ca_file", "mail_dir")}
out |= {f"port_{name}": port for name, port in facts["ports"].items()}
for number, user in enumerate(facts["users"]):
    out |= {f"user_{number}": user["address"], f"password_{number}": user["password"]}
for name, value in out.items():
    print(f"{name}={shlex.quote(str(value))}")
P
)"
  # The name in the certificate, at the address where the demo listens.
  at=(--resolve "$hostname:$port_imaps:$host" --resolve "$hostname:$port_submissions:$host" --cacert "$ca_file")
}
