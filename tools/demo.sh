#!/bin/sh
# Installs what is missing, builds, and trains data/recipes/glyphs-cnn.yaml on the best OpenCL device. Can be run again:
# the run's folder is replaced. Further arguments go to `cairn train`.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh build
[ -f build/build.ninja ] || meson setup build -Dtests=disabled >&2
ninja -C build >&2
exec build/tools/cairn train data/recipes/glyphs-cnn.yaml --device opencl --out runs/glyphs-cnn --force "$@"
