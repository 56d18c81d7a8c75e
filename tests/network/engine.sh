# A container engine on the VPS: its host network is that namespace, so that a container with `network_mode: host`
# answers on 198.51.100.10 and sees its peers' true addresses. Sourced by run.sh.
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

# Both were put there by tests/image/engine-up.sh: today's, and the one of 2021 that comes with Debian 12.
newer=/opt/docker-trixie/usr/sbin
older=/usr/sbin

# engine_up FOLDER: the engine whose programs are there, with the image.
engine_up() {
  engine=$(mktemp -d "$work/engine-XXXX")
  mkdir "$engine"/{root,exec}
  # What an engine before 27 needs for a bridge with IPv6.
  echo '{ "experimental": true, "ip6tables": true }' >"$engine/daemon.json"
  # `ip netns exec` would show a fresh /sys without the control groups, which the engine needs. So the network alone is
  # entered, and the resolv.conf put in place by hand.
  PATH=$1:$PATH nsenter --net="/run/netns/$net-vps" unshare --mount sh -c '
    mount --bind "$1" /etc/resolv.conf && shift && exec "$@"' engine "/etc/netns/$net-vps/resolv.conf" \
    dockerd --host "unix://$engine/docker.sock" --config-file "$engine/daemon.json" --data-root "$engine/root" \
    --exec-root "$engine/exec" --pidfile "$engine/docker.pid" >"$engine/log" 2>&1 </dev/null 9>&- &
  engine_process=$!
  wait_for 30 on_engine docker version || { tail -5 "$engine/log" >&2; return 1; }
  on_engine docker load --quiet --input "$work/image.tar"
  on_engine docker tag "$image" mailstead:latest
}
# on_engine COMMAND...: with that engine as the one that the docker client uses.
on_engine() { DOCKER_HOST=unix://$engine/docker.sock timeout --kill-after=5 "${limit:-120}" "$@"; }
engine_down() {
  [ -n "${engine_process:-}" ] || return 0
  kill "$engine_process" 2>/dev/null || true
  local try
  for try in $(seq 300); do kill -0 "$engine_process" 2>/dev/null || break; sleep .1; done
  [ "$try" -lt 300 ] || kill -9 "$engine_process"
  # What it leaves mounted.
  engine_process=""
  awk -v folder="$engine/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n1 umount -l
}
