# The Debian packages of the clients and of what drives them. Sourced by run.sh.
# shellcheck shell=bash

declare -A packages=(
  [desktop]="xvfb openbox dbus-daemon at-spi2-core xdotool x11-utils imagemagick fonts-dejavu-core
    iproute2 util-linux openssl curl swaks knot knot-dnsutils unbound pebble"
  [thunderbird]="thunderbird libnss3-tools"
  [geary]="geary gnome-keyring python3-gi gir1.2-atspi-2.0"
  [roundcube]="roundcube-core roundcube-plugins roundcube-sqlite3 php-cli chromium chromium-driver python3-selenium"
)

# install_packages CLIENT...
install_packages() {
  local name package missing=()
  for name in desktop "$@"; do
    for package in ${packages[$name]-}; do
      dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  # No package's script is to start a service by itself.
  [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; }
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600 "${missing[@]}" >/dev/null
}
