# The variant with a network of its own: the peers' addresses are still the true ones. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

check "it stops once more, with status 0" stops_with_0
files+=("$top/compose.bridge.yaml" "$network/compose.bridge-before-27.yaml")
check "the variant with a bridge starts with the same volume" starts
check "it has a network of its own" is "$(state '{{.HostConfig.NetworkMode}}')" "${project}_outside"
check "mail comes over IPv4" through_remote bridged-4 "$user_0"
check "and over IPv6" through_remote bridged-6 "$user_1"
check "ann reads hers" arrives "$user_0" "$password_0" bridged-4
check "the peer's address is true over IPv4" came_from bridged-4 198.51.100.20
check "bob reads his" arrives "$user_1" "$password_1" bridged-6
check "and over IPv6" came_from bridged-6 IPv6:2001:db8:51::20
check "ann sends over IPv4" submit bridged-out-4 friend@over4.example.net "$hostname" --port 465 --tls-on-connect --tls-sni "$hostname"
check "and it leaves" leaves bridged-out-4
check "the machine itself cannot relay, though it seems to be the bridge" refused '^<\*\* 550 5\.7\.1' vps --server 127.0.0.1 --from a@example.net --to b@example.net
check "the variant stops with status 0" stops_with_0
