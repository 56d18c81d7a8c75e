#!/bin/sh
# Makes the image without a container engine, as an archive that `docker load` and `podman load` take: what image/Dockerfile makes,
# from the same program and files. Run from the top of the sources, on a machine of the kind that the image is for, with
# this Rust and a C compiler.
#
# Usage: image/archive.sh [ARCHIVE]      default: mailstead-image.tar
#
# PROGRAM names a program that image/compile.sh has made, TAG another name than mailstead:latest.
set -eu
archive=${1:-mailstead-image.tar}
tag=${TAG:-mailstead:latest}
epoch=${SOURCE_DATE_EPOCH:-1700000000}
case $archive in /*) ;; *) archive=$PWD/$archive ;; esac
case $(uname -m) in
  x86_64) architecture=amd64 ;;
  aarch64) architecture=arm64 ;;
  *) echo "image/archive.sh: the image is for amd64 and arm64, and this machine is $(uname -m)" >&2; exit 1 ;;
esac
program=${PROGRAM:-$(image/compile.sh)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/root" "$work/image"
install -D -m 0755 "$program" "$work/root/bin/mailstead"
install -d -m 0755 "$work/root/data" "$work/root/run" "$work/root/etc"
install -d -m 1777 "$work/root/tmp"
install -m 0644 image/passwd "$work/root/etc/passwd"
install -m 0644 image/group "$work/root/etc/group"

cd "$work/root"
tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cf "$work/image/layer.tar" bin data etc run tmp
layer=$(sha256sum "$work/image/layer.tar" | cut -d' ' -f1)
created=$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)

# The configuration after the last FROM of the Dockerfile; times are nanoseconds.
cd "$work/image"
cat >config.json <<JSON
{"architecture":"$architecture","os":"linux","created":"$created","config":{"Entrypoint":["/bin/mailstead"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Volumes":{"/data":{}},"WorkingDir":"/","StopSignal":"SIGTERM","Healthcheck":{"Test":["CMD","/bin/mailstead","health"],"Interval":2000000000,"Timeout":5000000000,"Retries":5}},"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]},"history":[{"created":"$created","created_by":"image/archive.sh"}]}
JSON
config=$(sha256sum config.json | cut -d' ' -f1)
mv config.json "$config.json"
mkdir "$layer"
mv layer.tar "$layer/layer.tar"
printf '[{"Config":"%s.json","RepoTags":["%s"],"Layers":["%s/layer.tar"]}]\n' "$config" "$tag" "$layer" >manifest.json
tar --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -cf "$archive" manifest.json "$config.json" "$layer"
echo "$archive"
