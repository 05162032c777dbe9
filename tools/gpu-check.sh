#!/bin/sh
# Everything that tells whether Cairn is right and fast on a GPU, in one go. Usage: sh tools/gpu-check.sh [DEVICE] [BUILD]
# DEVICE as `cairn train --device` takes it (default: opencl), BUILD the folder with tools/cairn (default: build).
# Prints the probe, `cairn check`, the products of docs/performance.md, and a short training run whose digest must be the
# reference's. Exit status 0 only if the device is exact and the digests agree.
set -eu
device=${1:-opencl}
cairn=${2:-build}/tools/cairn
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

echo "== devices"
"$cairn" devices --probe
echo "== check"
"$cairn" check --device "$device" --cases 100
echo "== bench"
for problem in "gemm m=512 n=512 k=512" "gemm m=1024 n=1024 k=1024" "gemm m=2048 n=2048 k=2048" \
    "conv n=128 c=8 h=14 w=14 o=16 kh=3 kw=3" "pool planes=1024 h=28 w=28 kh=2 kw=2 stride_h=2 stride_w=2" \
    "pool kind=average planes=65536 h=7 w=7 kh=7 kw=7" \
    "augment n=256 c=3 h=32 w=32 oh=32 ow=32 random=1 shift_h=4 shift_w=4 flip=1 turn=119304647"; do
    "$cairn" bench --device "$device" --op "$problem"
done
echo "== training, this device against the reference"
for d in "$device" reference; do
    "$cairn" train data/recipes/glyphs-cnn.yaml --device "$d" --limit-train 1000 --limit-test 500 --epochs 1 \
        --out "$work/$d" --quiet
done
digest() { sed -n 's/.*"weights_sha256": *"\([0-9a-f]*\)".*/\1/p' "$work/$1/summary.json"; }
echo "$device: $(digest "$device")"
echo "reference: $(digest reference)"
if [ -n "$(digest reference)" ] && [ "$(digest "$device")" = "$(digest reference)" ]; then
    echo "same bits"
else
    echo "DIFFERENT bits" >&2
    exit 1
fi
