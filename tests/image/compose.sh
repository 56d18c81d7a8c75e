# The compose files, as the client reads them. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

bridge() { compose --file "$top/compose.yaml" --file "$top/compose.bridge.yaml" "$@"; }
without_a_domain() {
  local output
  ! output=$(env -u MAIL_DOMAIN docker compose --env-file /dev/null --file "$top/compose.yaml" config --quiet 2>&1) &&
    holds "$output" 'MAIL_DOMAIN.*set it in .env'
}
# Every setting that docs/settings.md lists, and its form as a file, can be given in .env, and no other is passed on.
passes_every_setting() {
  compose config --format json | "$python" -c '
import json, sys
print(*sorted(json.load(sys.stdin)["services"]["mail"]["environment"]), sep="\n")' >"$work/passed"
  sed -n -E 's/^## (MAIL_[A-Z0-9_]*)$/\1/p; s/^- or in a file: `(MAIL_[A-Z0-9_]*)=.*/\1/p' "$top/docs/settings.md" |
    LC_ALL=C sort | diff - "$work/passed"
}
# Old clients refuse these, and an older engine than Debian's needs one.
has_nothing_that_old_clients_refuse() { ! grep -En '^(version|name):|start_interval|^ *(ulimits|sysctls):' "$top/compose.yaml"; }
publishes_what_is_served() {
  bridge config --format json | "$python" -c '
import json, sys
service = json.load(sys.stdin)["services"]["mail"]
assert "network_mode" not in service, service["network_mode"]
assert all(port["published"] == str(port["target"]) for port in service["ports"])
print(*sorted(port["target"] for port in service["ports"]))' >"$work/published"
  is "$(<"$work/published")" "$(sed -n 's/^tcp \*:\([0-9]*\)$/\1/p' "$top/tests/image/sockets" | sort -n | xargs)"
}

check "compose.yaml is valid" compose config --quiet
check "and by clients of 2021" has_nothing_that_old_clients_refuse
check "without a domain it names the missing setting" without_a_domain
check "it passes on the settings and nothing else" passes_every_setting
check "compose.bridge.yaml is valid" bridge config --quiet
check "it publishes the served ports only" publishes_what_is_served
