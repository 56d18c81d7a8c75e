# Thunderbird: its Account Hub, its folders, a message read and one written. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

thunderbird_up() {
  local profile=$home/profile
  mkdir -p "$profile"
  # It has a store of its own, and a page of the maker's that it would look for in vain.
  certutil -N -d "sql:$profile" --empty-password
  certutil -A -d "sql:$profile" -t C,, -n "the test network" -i "$ca_file"
  cat >"$profile/user.js" <<'C'
user_pref("mailnews.start_page.enabled", false);
user_pref("datareporting.policy.dataSubmissionPolicyBypassNotification", true);
C
  start_on_desktop "$work/thunderbird.log" thunderbird --profile "$profile" --no-remote --marionette \
    --remote-allow-system-access
}
deliver for-thunderbird "Hello from elsewhere."
thunderbird_up
drive thunderbird
check "thunderbird: its message has arrived" wait_for 20 holds_message "$user_1" "$password_1" INBOX from-thunderbird
check "thunderbird: a copy is in Sent" wait_for 20 holds_message "$user_0" "$password_0" Sent from-thunderbird
