# Health, as a monitor and as the container's engine ask for it. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

ready() {
  curl -sSf "http://$host:$port_health/health/$1" | "$python" -c '
import json, sys
health = json.load(sys.stdin)
print(json.dumps(health, indent=1))'
}
check "GET /health/live" ready live
check "GET /health/ready" ready ready
