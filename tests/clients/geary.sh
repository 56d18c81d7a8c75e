# Geary: its assistant, its folders, a message read and one written. Sourced by run.sh.
# shellcheck shell=bash disable=SC2016,SC2154

geary_up() {
  # The keyring of a user who has logged in, so that it asks for no password of its own.
  on_desktop sh -c 'printf "of the session" | gnome-keyring-daemon --unlock --components=secrets' >"$work/keyring.log" 2>&1
  start_on_desktop "$work/geary.log" geary --debug
}
has_no_bad_answer() { ! grep -E ' (BAD|NO) ' "$work/geary.log"; }

deliver for-geary "Hello from elsewhere."
geary_up
drive geary
check "geary: its message has arrived" wait_for 20 holds_message "$user_1" "$password_1" INBOX from-geary
check "geary: a copy is in Sent" wait_for 20 holds_message "$user_0" "$password_0" Sent from-geary
check "geary: no command was refused" has_no_bad_answer
