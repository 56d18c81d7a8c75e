# The same image and the same compose.yaml under an engine of 2021, with the copy of the volume. Sourced by run.sh.
# shellcheck shell=bash disable=SC2034,SC2154

files=("$top/compose.yaml" "$network/compose.override.yaml")
engine_down
check "an engine of 2021 starts" engine_up "$older"
check "it is one" holds "$(on_engine docker version --format '{{.Server.Version}}')" '^20\.10\.'
check "the copy is put into a new container" put_into_a_new_container
check "mail comes over IPv4" through_remote older-4 "$user_0"
check "and over IPv6" through_remote older-6 "$user_1"
check "ann reads hers" arrives "$user_0" "$password_0" older-4
check "the peer's address is true over IPv4" came_from older-4 198.51.100.20
check "bob reads his" arrives "$user_1" "$password_1" older-6
check "and over IPv6" came_from older-6 IPv6:2001:db8:51::20
check "it stops with status 0" stops_with_0
