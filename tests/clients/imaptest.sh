#!/usr/bin/env bash
# Dovecot's imaptest against the demo: each of its scripts whose capabilities are announced, then four
# sessions with random commands in one mailbox.
#
#   tests/clients/imaptest.sh CHECKOUT    a folder of https://github.com/dovecot/imaptest, with src/imaptest built
#
# Built as its README says, against the libraries of Dovecot 2.4. MAILSTEAD_BIN names the program, STRESS_SECONDS how
# long the second part lasts (30). Ends with `N passed, N failed`.
# shellcheck disable=SC1091,SC2034,SC2154
set -euo pipefail
clients=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$clients/../.." && pwd)
checkout=$(realpath "${1:?names a checkout of imaptest}")
program=$(realpath "${MAILSTEAD_BIN:?names the mailstead program}")
python=${PYTHON:-/usr/bin/python3}
[ -x "$checkout/src/imaptest" ] || { echo "imaptest: $checkout/src/imaptest is not built" >&2; exit 1; }
. "$top/tests/acceptance/lib.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/mailstead-imaptest-XXXXXX")
chmod 711 "$work"
demo=""
finish() {
  stop "$demo"
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

"$program" demo --dir "$work/demo" >"$work/demo.log" 2>&1 & demo=$!
wait_for 60 test -s "$work/demo/demo.json" || { cat "$work/demo.log" >&2; exit 1; }
load_facts "$work/demo/demo.json"

# imaptest ARGUMENT...: runs it as the first user.
imaptest() {
  (cd "$work" && timeout 300 "$checkout/src/imaptest" host="$hostname" hostip="$host" port="$port_imaps" ssl ssl_ca_file="$ca_file" \
    user="$user_0" pass="$password_0" mbox="$checkout/src/tests/default.mbox" "$@")
}
script() { imaptest box=imaptest test="$1" >"$work/script" 2>&1; }
show() { cat "$work/script" && return "$1"; }
# The errors, except refusals of messages that another session has expunged (RFC 2180 §4.1.2, RFC 5530 §3).
errors() { grep -aE '^(Error|Warning|Fatal): ' "$work/stress" | grep -avE 'NO \[EXPUNGEISSUED\]|Raw backtrace'; }
# Without own_flags, in which imaptest compares the number of a keyword with a number of octets, and reports changes
# that did not happen. An empty mailbox breaks its assertions, so the mailbox gets mail first. A run in which imaptest
# itself crashes is repeated with another seed.
stress() {
  local seed
  printf 'Subject: to begin with\r\n\r\nHello.\r\n' >"$work/message"
  for seed in {1..40}; do
    curl -sS "${at[@]}" --user "$user_0:$password_0" --upload-file "$work/message" "imaps://$hostname:$port_imaps/INBOX"
  done
  for seed in 1 2 3 4 5 6 7 8; do
    imaptest box=INBOX secs="${STRESS_SECONDS:-30}" clients=4 msgs=60 checkpoint=5 seed=$seed >"$work/stress" 2>&1 || true
    ! errors || return 1
    ! grep -aq '^Totals:' "$work/stress" || return 0
  done
  tail "$work/stress"
  return 1
}

skipped=0
for path in "$checkout"/src/tests/*; do
  [ -f "$path" ] && [[ $path != *.mbox ]] || continue
  status=0
  script "$path" || status=$?
  if grep -aq ', 1 skipped' "$work/script"; then
    skipped=$((skipped + 1))
  else
    check "imaptest: $(basename "$path")" show "$status"
  fi
done
echo "        $skipped scripts need capabilities that are not announced"
check "imaptest: four concurrent sessions in one mailbox" stress
check "nothing has panicked" test "$(grep -c panicked "$work/demo.log")" = 0
verdict
