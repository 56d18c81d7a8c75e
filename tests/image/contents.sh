# The contents of the image, and that the same sources always give the same image. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

layers() { docker image inspect --format '{{len .RootFS.Layers}} {{index .RootFS.Layers 0}}' "$1"; }

# The one layer, as it is shipped.
unpack_layer() {
  local layer
  mkdir "$work/saved"
  docker save mailstead:latest | tar -xC "$work/saved"
  layer=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[0]["Layers"][0])' "$work/saved/manifest.json")
  mv "$work/saved/$layer" "$work/layer.tar"
  rm -r "$work/saved"
}
one_layer() { holds "$(layers mailstead:latest)" '^1 sha256:'; }
# Mode, owner and path of each: no shell, no package, no key, no certificate authority.
only_what_is_listed() { tar --numeric-owner -tvf "$work/layer.tar" | awk '{ print $1, $2, $6 }' | LC_ALL=C sort -k3 | diff "$top/tests/image/files" -; }
no_later_than_its_epoch() { is "$(tar --utc --full-time -tvf "$work/layer.tar" | awk '{ print $4, $5 }' | sort -u)" "2023-11-14 22:13:20"; }
at_most_20_mb() {
  local size
  size=$(docker image inspect --format '{{.Size}}' mailstead:latest)
  echo "$size octets"
  [ "$size" -le 20000000 ]
}
# No path of a machine, and nothing that depends on one.
no_path_of_the_builder() {
  tar -xOf "$work/layer.tar" bin/mailstead >"$work/from-image" && [ -s "$work/from-image" ] || return 1
  ! LC_ALL=C grep -Eaob '/(root|home|usr/local/(cargo|rustup)|tmp/[A-Za-z0-9]+/src)/[a-z.]+' "$work/from-image"
}
static_and_unwinding() {
  local headers sections
  headers=$(readelf --program-headers --wide "$work/from-image") && sections=$(readelf --sections --wide "$work/from-image") || return 1
  # No interpreter is requested; and a panic unwinds, since it must end one session and not the daemon.
  holds "$headers" '^ *LOAD ' && ! grep INTERP <<<"$headers" && holds "$sections" '\.eh_frame '
}
another_build_gives_the_same_layer() {
  docker build --quiet --no-cache --build-arg RUST_IMAGE="$RUST_IMAGE" --file "$top/image/Dockerfile" --tag mailstead:again "$top" >/dev/null &&
    is "$(layers mailstead:again)" "$(layers mailstead:latest)"
}
# The archive that is made without an engine is loaded under another name, and is the same but for how its layer is packed.
archive_is_loaded() {
  (cd "$top" && PROGRAM=$work/from-image TAG=mailstead:archive image/archive.sh "$work/archive.tar") && docker load --input "$work/archive.tar" || return 1
  local image wanted
  for image in latest archive; do
    docker image inspect "mailstead:$image" | "$python" -c '
import json, sys
image = json.load(sys.stdin)[0]
config = image["Config"]
keys = ["Entrypoint", "Cmd", "Env", "Volumes", "StopSignal", "Healthcheck", "User", "ExposedPorts"]
print(json.dumps([image["Architecture"], image["Os"]] + [config.get(key) or None for key in keys], sort_keys=True))' >"$work/config-$image"
  done
  diff "$work/config-latest" "$work/config-archive" || return 1
  wanted=$(docker run --rm mailstead:archive --version) && is "$wanted" "$(docker run --rm mailstead:latest --version)" || return 1
  docker image rm --force mailstead:archive >/dev/null
}
another_folder_gives_the_same_program() {
  wait "$compiling" && compiling="" && cmp "$work/elsewhere/$(<"$work/compiled")" "$work/from-image" || { tail -5 "$work/compiler"; return 1; }
}

unpack_layer
check "the image is one layer" one_layer
check "it holds what tests/image/files lists, with those modes and owners" only_what_is_listed
check "it has 20 MB at most" at_most_20_mb
check "its files' time is the source's epoch" no_later_than_its_epoch
check "no path of the building machine is in the program" no_path_of_the_builder
check "the program is static, and unwinds" static_and_unwinding
check "an archive that was made without an engine is loaded, and is the same image" archive_is_loaded
check "built again, it is the same layer" another_build_gives_the_same_layer
check "built outside of a container in another folder, it is the same program" another_folder_gives_the_same_program
