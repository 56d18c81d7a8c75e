# A user's desktop on the machine `client`: a screen in memory, a window manager, a session bus, an empty home.
# Sourced by run.sh.
# shellcheck shell=bash disable=SC2016,SC2154

# desktop_up NAME: the desktop on which that client starts as on its first day.
desktop_up() {
  home=$work/home-$1
  mkdir -p "$home"/{.config,.cache,.local/share,run}
  chmod 700 "$home/run"
  bus=unix:path=$home/run/bus
  : >"$work/screen"
  start_on client "$work/screen.log" sh -c 'exec Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"$1"' screen "$work/screen"
  wait_for 20 test -s "$work/screen"
  desktop=(PATH="$PATH" HOME="$home" DISPLAY=":$(cat "$work/screen")" XDG_RUNTIME_DIR="$home/run" DBUS_SESSION_BUS_ADDRESS="$bus"
    LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC NO_AT_BRIDGE=0 SCREENS="$screens" MAIL_NAME="$name_0" MAIL_ADDRESS="$user_0"
    MAIL_PASSWORD="$password_0")
  trust_authority
  wait_for 20 on_desktop xdpyinfo
  start_on client "$work/bus.log" env -i "${desktop[@]}" dbus-daemon --session --nofork --nopidfile --address="$bus"
  wait_for 20 test -S "$home/run/bus"
  start_on client "$work/manager.log" env -i "${desktop[@]}" openbox
}

# Ends all that runs on the machine `client`.
desktop_down() {
  local process
  for process in $(ip netns pids "$net-client"); do kill "$process" 2>/dev/null || true; done
  wait_for 10 desktop_is_empty || for process in $(ip netns pids "$net-client"); do kill -9 "$process" 2>/dev/null || true; done
}
desktop_is_empty() { [ -z "$(ip netns pids "$net-client")" ]; }

# on_desktop COMMAND...: there, as its user. `start_on_desktop LOG COMMAND...` leaves it running.
on_desktop() { on client env -i "${desktop[@]}" "$@"; }
start_on_desktop() {
  local log=$1
  shift
  start_on client "$log" env -i "${desktop[@]}" "$@"
}

# The system's store of that machine has the test network's authority, beside those of the package ca-certificates.
# `ip netns exec` shows this folder as /etc/ssl.
trust_authority() {
  local folder=/etc/netns/$net-client/ssl
  [ ! -d "$folder" ] || return 0
  cp -r --dereference /etc/ssl "$folder"
  cat "$ca_file" >>"$folder/certs/ca-certificates.crt"
}

# drive NAME: plays the steps of that client's script as its user, and counts them.
drive() {
  local script=$clients/$1.py
  limit=600 on_desktop "$python" -B -W ignore "$script" 2>&1 | tee "$work/steps" || true
  passed=$((passed + $(grep -c '^ok ' "$work/steps" || true)))
  failed=$((failed + $(grep -c '^FAILED ' "$work/steps" || true)))
  grep -q '^ok ' "$work/steps" || { failed=$((failed + 1)); echo "FAILED  $1 did not begin"; }
}
