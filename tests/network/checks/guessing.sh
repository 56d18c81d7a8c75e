# An attacker guesses ann's password over SMTP and IMAP at once, while she logs in. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

guesses=16 looked_at=12
put_off=$((guesses - looked_at + 1)) # with the right one at the end
guess() { start_on spam "$work/guesses-$1" "$python" "$network/guess.py" "$host4" "$1" "$user_0" $guesses; }
logs_in_at_once() {
  limit=5 on client curl -sS --cacert "$ca_file" --user "$user_0:$password_0" "imaps://$hostname/" -X NOOP &&
    limit=5 on client "${swaks_[@]}" --server "$hostname" --port 465 --tls-on-connect --tls-sni "$hostname" \
      --auth PLAIN --auth-user "$user_0" --auth-password "$password_0" --quit-after AUTH
}
still_guessing() { kill -0 "$guesser_smtp" && kill -0 "$guesser_imap"; }
# slowed_down PROTOCOL WRONG REFUSED: the first guesses were checked, the last of them after a long wait; the others not at all.
slowed_down() {
  local answers=$work/guesses-$1 slowest
  is "$(grep -c "$2" "$answers") wrong, $(grep -c "$3" "$answers") refused" "$looked_at wrong, $((guesses - looked_at)) refused" ||
    { cat "$answers"; return 1; }
  slowest=$(grep "$2" "$answers" | sort -n | tail -1 | cut -d. -f1)
  echo "the slowest took $slowest s" && [ "$slowest" -ge 15 ]
}
imap_refuses_the_right_one() {
  local output
  output=$(limit=20 on spam curl -sSv --insecure --user "$user_0:$password_0" "imaps://$host4/" -X NOOP 2>&1) && { echo "it got in"; return 1; }
  holds "$output" '^< [^ ]+ NO \[UNAVAILABLE\]'
}
# lines PROTOCOL EVENT: the logins of that machine and that account that the log has, in lines of their own or counted.
lines() {
  log | { grep "login: $2 peer=198\\.51\\.100\\.66 protocol=\"$1\" user=\"$user_0\"" || true; } |
    sed -E 's/^.* suppressed=([0-9]+) .*$/\1/;t;s/.*/0/' | awk '{ sum += $1 + 1 } END { print sum + 0 }'
}
logged() { is "$(lines "$1" "$2")" "$3"; }
guesses_arrive() { [ "$(lines smtp failed)" -gt 0 ] && [ "$(lines imap failed)" -gt 0 ]; }
nothing_tried_is_logged() { log >"$work/log" && [ -s "$work/log" ] && ! grep -E "guess [0-9]|$password_0" "$work/log"; }
logins() { metric "mailstead_logins_total{service=\"$1\",outcome=\"$2\"}"; }
# counted SERVICE OUTCOME MORE: the counter has grown by MORE.
counted() { is "$(logins "$1" "$2")" $((before[$1-$2] + $3)); }

declare -A before
for service in submissions imaps; do
  for outcome in refused put_off; do before[$service-$outcome]=$(logins $service $outcome); done
done
guess smtp && guesser_smtp=$!
guess imap && guesser_imap=$!
check "an attacker guesses ann's password" wait_for 20 guesses_arrive
check "ann logs in at once from her own machine" logs_in_at_once
check "while the guessing continues" still_guessing
check "every guess is answered over SMTP" wait "$guesser_smtp"
check "and over IMAP" wait "$guesser_imap"
check "the attacker is slowed down, and then refused without a check, over SMTP" slowed_down smtp ' 535 5\.7\.8' ' 454 4\.7\.0'
check "and over IMAP" slowed_down imap AUTHENTICATIONFAILED UNAVAILABLE
check "then the right one is refused like any other, over SMTP" refused '^<~\* 454 4\.7\.0' spam --server "$host4" --port 465 --tls-on-connect \
  --auth PLAIN --auth-user "$user_0" --auth-password "$password_0" --quit-after AUTH
check "and over IMAP" imap_refuses_the_right_one
check "ann can still log in" logs_in_at_once
check "the log names that machine for each that was wrong, over SMTP" wait_for 80 logged smtp failed $looked_at
check "and over IMAP" wait_for 80 logged imap failed $looked_at
check "and for each that was refused without a check, over SMTP" wait_for 80 logged smtp refused $put_off
check "and over IMAP" wait_for 80 logged imap refused $put_off
check "but nothing that was tried" nothing_tried_is_logged
for service in submissions imaps; do
  check "the metrics count the wrong logins at $service" counted $service refused $looked_at
  check "and the deferred ones" counted $service put_off $put_off
done
