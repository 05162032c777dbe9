#!/bin/sh
# dist.sh [FOLDER [TEST...]]: the tarball of this tree's last commit, in FOLDER (build-dist), and what is in it: unpacked in a place of
# its own, built with warnings as errors, and tested - by all tests, or by those named.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build-dist}
[ $# -eq 0 ] || shift
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
[ -f "$folder/build/build.ninja" ] || meson setup "$folder/build" -Dtests=disabled >&2
meson dist -C "$folder/build" --no-tests --formats xztar >&2
tarball=$(ls "$folder"/build/meson-dist/*.tar.xz)
mv "$tarball" "$tarball.sha256sum" "$folder"
tarball=$folder/$(basename "$tarball")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tar -x -f "$tarball" -C "$scratch"
cd "$scratch"/*
meson setup build -Dwerror=true -Dtests=enabled >&2
ninja -C build >&2
meson test -C build --no-rebuild --print-errorlogs "$@" >&2
echo "$tarball"
