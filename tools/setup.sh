#!/bin/sh
# Installs the Debian packages that Cairn is built from, if any is missing. Usage: sh tools/setup.sh build|test
# Debian 12 or newer (or a derivative with the same package names); as root, or with sudo. Says what it installs; does
# nothing where everything is there.
set -eu

# To build and run: a C compiler and meson; the OpenCL loader with its headers and PoCL, the OpenCL device that is
# any CPU; YAML, JSON, zlib, zip, tar, PNG, HTTP, SHA-256 and Random123; protobuf and CRC-32C.
build="gcc libc6-dev binutils meson ninja-build pkg-config python3 ocl-icd-opencl-dev opencl-c-headers pocl-opencl-icd
libyaml-dev libjansson-dev zlib1g-dev libdeflate-dev libzip-dev libarchive-dev libpng-dev libcurl4-openssl-dev libssl-dev librandom123-dev libclblast-dev
libprotobuf-c-dev protobuf-c-compiler libisal-dev"
# To test: the unit test framework, a C++ compiler for the public headers, a second OpenCL compiler with low limits (rusticl), a race and
# bounds checker; compilers for AMD and NVIDIA GPUs (tools/offline.sh), of which clang also fuzzes (tests/fuzz); a locale with a decimal
# comma; ONNX's own tests; the manual pages, and what reads them strictly.
test="g++ check libsubunit-dev locales mesa-opencl-icd oclgrind clang-15 libclc-15 rocm-device-libs libonnx-testdata scdoc mandoc"

case "${1:-}" in
build) wanted=$build ;;
test) wanted="$build $test" ;;
*)
    echo "usage: sh tools/setup.sh build|test" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: this is not a Debian system. Install the equivalents of these yourself, then use meson:" >&2
    echo "$wanted" >&2
    exit 3
fi

missing=
for package in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "setup: these packages are missing, and installing them needs root or sudo:$missing" >&2
        exit 3
    fi
    as_root=sudo
fi
echo "setup: installing$missing" >&2
$as_root apt-get update -q >&2
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >&2
