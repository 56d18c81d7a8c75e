# Restarting, and a copy of the volume put into a new container. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

# A connected client gets a BYE before the connection closes.
gets_bye() {
  start_on client "$work/goodbye.out" "$python" "$network/idle.py" "$hostname" "$ca_file" "$user_0" "$password_0" "$work/goodbye"
  wait_for 20 grep -q '^+' "$work/goodbye" && stops_with_0 && wait_for 20 grep -q '^\* BYE' "$work/goodbye"
}
everything_of() {
  limit=20 on client curl -sS --cacert "$ca_file" --user "$1:$2" "imaps://$hostname/INBOX" -X 'UID FETCH 1:* (UID FLAGS RFC822.SIZE)'
  limit=20 on client curl -sS --cacert "$ca_file" --user "$1:$2" "imaps://$hostname/" -X 'STATUS INBOX (UIDVALIDITY UIDNEXT MESSAGES)'
}
mountpoint() { on_engine docker volume inspect --format '{{.Mountpoint}}' "${project}_data"; }
copied_while_it_runs() {
  local folder
  folder=$(mountpoint) && everything_of "$user_0" "$password_0" >"$work/before" && inside dns >"$work/records-before" &&
    tar --numeric-owner --exclude=./index -C "$folder" -czf "$work/copy.tar.gz" .
}
put_into_a_new_container() {
  compose create --no-build && tar --numeric-owner -C "$(mountpoint)" -xzf "$work/copy.tar.gz" && starts
}
has_the_same_mail() {
  everything_of "$user_0" "$password_0" >"$work/after" && diff "$work/before" "$work/after" && holds "$(<"$work/after")" 'FETCH .*UID'
}
has_the_same_keys() { inside dns | diff "$work/records-before" -; }

check "a connected client gets a BYE at the stop, and it stops with status 0" gets_bye
check "the other host accepts mail for ann meanwhile" through_remote meanwhile "$user_0"
check "it starts again" starts
check "ann has what was sent meanwhile" arrives "$user_0" "$password_0" meanwhile
check "the volume is copied while it runs" copied_while_it_runs
check "it is stopped, with status 0" stops_with_0
project=restored
check "the copy is put into a new container" put_into_a_new_container
check "ann finds the same mail, with the same UIDs" has_the_same_mail
check "the published records are still right" has_the_same_keys
check "and new mail comes" through_remote after-restoring "$user_0"
check "and is read" arrives "$user_0" "$password_0" after-restoring
check "it stops with status 0" stops_with_0
compose down --volumes >/dev/null 2>&1
project=mailstead
