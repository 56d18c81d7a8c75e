# A small closed internet in network namespaces of its own: one switch, and hosts that reach each other and nothing
# else. Sourced by run.sh.
#
#   infra   .52 authoritative DNS   .53 validating resolver   .14 ACME authority     ns, acme.example.com
#           .54 the authority's own resolver
#   vps     .10 the machine that Mailstead runs on                                   mail.example.org
#   remote  .20 another mail host                                                    mx.example.net
#   client  .30 a user's machine                                                     client.example.com
#   spam    .66 a machine on a block list, without a reverse name
#
# Addresses are 198.51.100.x and 2001:db8:51::x, which are reserved for documentation (RFC 5737, RFC 3849).
# shellcheck shell=bash disable=SC2154

net=mailstead-$$ # our namespaces begin with it, so that two runs never meet
hosts=(infra vps remote client spam)
declare -A numbers=([infra]="52 53 54 14" [vps]=10 [remote]=20 [client]=30 [spam]=66)
resolver=198.51.100.53
daemons=() # processes that we started and end

# on HOST COMMAND...: runs it there, for a minute at most; `limit` sets another limit in seconds.
on() {
  local host=$1
  shift
  timeout --kill-after=5 "${limit:-60}" ip netns exec "$net-$host" "$@"
}

# start_on HOST LOG COMMAND...: a process that runs there until we end it.
start_on() {
  local host=$1 log=$2
  shift 2
  ip netns exec "$net-$host" "$@" >>"$log" 2>&1 </dev/null 9>&- &
  daemons+=($!)
}

hosts_up() {
  local host number port=0
  ip netns add "$net-switch"
  ip -n "$net-switch" link add lan type bridge
  ip -n "$net-switch" link set lan up
  for host in "${hosts[@]}"; do
    port=$((port + 1))
    ip netns add "$net-$host"
    # `ip netns exec` shows this file as /etc/resolv.conf. The engine gets the same.
    mkdir -p "/etc/netns/$net-$host"
    printf 'nameserver %s\noptions edns0 trust-ad\n' "$resolver" >"/etc/netns/$net-$host/resolv.conf"
    ip link add "port$port" netns "$net-switch" type veth peer name eth0 netns "$net-$host"
    ip -n "$net-switch" link set "port$port" master lan up
    ip -n "$net-$host" link set lo up
    ip -n "$net-$host" link set eth0 up
    for number in ${numbers[$host]}; do
      ip -n "$net-$host" address add "198.51.100.$number/24" dev eth0
      ip -n "$net-$host" address add "2001:db8:51::$number/64" dev eth0 nodad
    done
    # Other destinations are refused at once, without a timeout.
    ip -n "$net-$host" route add unreachable default
    ip -n "$net-$host" -6 route add unreachable default
  done
}

# ends PROCESS: of ours, within five seconds.
ends() {
  local try
  for try in $(seq 50); do kill -0 "$1" 2>/dev/null || break; sleep .1; done
  [ "$try" -lt 50 ]
}

# Removes what is left of a run that was killed before its cleanup. The caller holds the lock, so that no other run
# is under way.
clear_away() {
  local name process folder state
  # A container with a network of its own is in no namespace of ours; its engine has recorded its process.
  for state in "${TMPDIR:-/tmp}"/mailstead-network-*/engine-*/exec/runtime-runc/moby/*/state.json; do
    [ -e "$state" ] || continue
    process=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["init_process_pid"])' "$state")
    ! grep -qs "$(basename "$(dirname "$state")")" "/proc/$process/cgroup" || kill -9 "$process"
  done
  for name in $(ip netns list | grep -oE '^mailstead-[0-9]+-[a-z]+'); do
    for process in $(ip netns pids "$name"); do kill -9 "$process" 2>/dev/null || true; done
    ip netns delete "$name"
    rm -rf "/etc/netns/$name"
  done
  for folder in "${TMPDIR:-/tmp}"/mailstead-network-*; do
    [ -d "$folder" ] || continue
    awk -v folder="$folder/" 'index($2, folder) == 1 { print $2 }' /proc/mounts | sort -r | xargs -r -n1 umount -l
    rm -rf --one-file-system "$folder"
  done
}

hosts_down() {
  local host process
  for process in "${daemons[@]}"; do kill "$process" 2>/dev/null || true; done
  for process in "${daemons[@]}"; do ends "$process" || true; done
  for host in "${hosts[@]}" switch; do
    # Every process that is left in a namespace of ours is ours.
    for process in $(ip netns pids "$net-$host" 2>/dev/null); do kill -9 "$process" 2>/dev/null || true; done
    ip netns delete "$net-$host" 2>/dev/null || true
    rm -rf "/etc/netns/$net-$host"
  done
}
