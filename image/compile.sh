#!/bin/sh
# Compiles the program as it is in the image. Run from the top of the sources, in the build image or on any machine with
# this Rust and this gcc: the same sources give the same bytes, wherever they and cargo's registry lie. Prints where the
# program is.
#
# Usage: image/compile.sh [TARGET-FOLDER]
set -eu
target=${1:-target}
host=$(rustc -vV | sed -n 's/^host: //p')
registry=${CARGO_HOME:-$HOME/.cargo}/registry

# crt-static needs an explicit --target, else it would apply to build scripts too. Without the getrandom cfg a static
# glibc program falls back to /dev/urandom, which an empty root may lack. No path of this machine gets into the program,
# neither from Rust nor from C. Relative relocations are packed, and C has no tables for unwinding, which stops before it:
# together they are half a megabyte.
rust="-C target-feature=+crt-static --cfg getrandom_backend=\"linux_getrandom\" -C link-arg=-Wl,-z,pack-relative-relocs"
c="-fno-asynchronous-unwind-tables -fno-unwind-tables"
export RUSTFLAGS="$rust --remap-path-prefix=$registry=/cargo --remap-path-prefix=$PWD=/src"
export CFLAGS="$c -ffile-prefix-map=$registry=/cargo -ffile-prefix-map=$PWD=/src"
export CARGO_INCREMENTAL=0
# Random numbers are seeded by the kernel, and by the processor where it has a generator. The jitter of its clock as one more
# source would hold 128 KiB in every process, and take most of the time in which one starts.
export AWS_LC_SYS_NO_JITTER_ENTROPY=1
cargo build --release --locked --package supervisor --bin mailstead --target "$host" --target-dir "$target" >&2
echo "$target/$host/release/mailstead"
