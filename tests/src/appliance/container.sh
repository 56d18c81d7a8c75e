# The first program of the namespaces: makes the root of a container and becomes the one that is tested.
#   container.sh ROOT VOLUME PROGRAM TEXTS CAPABILITIES
# ROOT is an empty folder, TEXTS one with passwd, group and whatever else shall lie in /etc. What is in BEFORE is run when
# all is in place.
set -eu
root=$1 volume=$2 program=$3 texts=$4 capabilities=$5
mount -t tmpfs -o mode=0755 root "$root"
cd "$root"
mkdir bin sbin etc data run tmp proc dev sys
mount --bind "$volume" data
mount -t tmpfs -o size=16m,mode=0755 run run
mount -t tmpfs -o size=64m,mode=1777 tmp tmp
mount -t proc proc proc
cp "$texts"/* etc/
mkdir -p etc/ssl/certs
cp /etc/ssl/certs/ca-certificates.crt etc/ssl/certs/
for folder in lib lib64 usr/lib usr/lib64; do
  # The program under test may be linked with the system's libraries, as the one of a developer is.
  if [ -d "/$folder" ]; then mkdir -p "$folder"; mount --bind -o ro "/$folder" "$folder"; fi
done
for pair in "$program:bin/mailstead" "$(command -v setpriv):sbin/setpriv" /dev/null:dev/null; do
  : >"${pair#*:}"
  mount --bind "${pair%%:*}" "${pair#*:}"
done
ip link set lo up
eval "${BEFORE:-}"
# As compose.yaml has it.
mount -o remount,bind,ro "$root"
unset BEFORE
exec chroot "$root" /sbin/setpriv --bounding-set "$capabilities" --inh-caps -all --no-new-privs /bin/mailstead
