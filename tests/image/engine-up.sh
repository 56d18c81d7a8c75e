#!/usr/bin/env bash
# Brings up a container engine with its build and compose plugins on a Debian 12 machine: root, no init system, no
# container registry. An engine that runs already is used and left alone.
#
# Usage: engine-up.sh         use the engine that answers, else install and start one
#        engine-up.sh stop    end the engine that this script started, if it did
set -euo pipefail

socket=/var/run/docker.sock
own=/var/run/mailstead-engine # the pid file and the folder of the engine that we started
log=/tmp/mailstead-engine.log
plugins=/usr/local/lib/docker/cli-plugins
newer=/opt/docker-trixie
export DOCKER_HOST=unix://$socket

if [ "${1:-}" = stop ]; then
  [ -e "$own.pid" ] || exit 0
  pid=$(cat "$own.pid")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || exit 0; sleep .1; done
  echo "the engine (pid $pid) does not end" >&2
  exit 1
fi

# 1. The programs that the engine needs, from the machine's own release.
missing=()
for pair in iptables:iptables containerd:containerd runc:runc docker.io:dockerd git:git; do
  PATH=$PATH:/usr/sbin command -v "${pair#*:}" >/dev/null || missing+=("${pair%%:*}")
done
if [ ${#missing[@]} -gt 0 ]; then
  # No package's script is to start a service by itself.
  [ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; }
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

# 2. The next release's engine and plugins, unpacked beside the system: Debian 12 has no plugins at all. A private apt
#    state leaves the machine's own sources as they are.
if [ ! -x $plugins/docker-compose ] || [ ! -x $plugins/docker-buildx ] || [ ! -x $newer/usr/sbin/dockerd ]; then
  apt=$(mktemp -d)
  chmod 755 "$apt"
  mkdir -p "$apt"/{lists/partial,cache/archives/partial,debs}
  chmod 777 "$apt/debs"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '!/security/ && !found { print; found = 1 }')
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
  own_apt() {
    apt-get -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
      -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" "$@"
  }
  own_apt update
  (cd "$apt/debs" && own_apt download docker-buildx docker-compose docker.io docker-cli)
  mkdir -p $plugins $newer
  for package in "$apt"/debs/*.deb; do dpkg -x "$package" $newer; done
  cp $newer/usr/libexec/docker/cli-plugins/* $plugins/
  rm -rf "$apt"
fi
command -v docker >/dev/null || ln -s $newer/usr/bin/docker /usr/local/bin/docker

# 3. The engine.
if docker version >/dev/null 2>&1; then
  echo "engine $(docker version --format '{{.Server.Version}}') runs already"
else
  rm -f "$own.pid"
  PATH=$newer/usr/sbin:$PATH:/usr/sbin:/sbin nohup $newer/usr/sbin/dockerd -H unix://$socket --exec-root $own -p $own.pid \
    >"$log" 2>&1 </dev/null &
  for _ in $(seq 300); do docker version >/dev/null 2>&1 && break; sleep .1; done
  docker version --format 'engine {{.Server.Version}} started' || { tail -5 "$log" >&2; exit 1; }
fi
docker buildx version
docker compose version
