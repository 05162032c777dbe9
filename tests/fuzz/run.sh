#!/bin/sh
# run.sh SECONDS [TARGET...]: builds the fuzz targets (tests/fuzz/TARGET.c; all of them) for libFuzzer with ASan and UBSan, lets them
# run for so many seconds in all, two at a time, and prints a table. Fails if anything was found; the inputs that did it are
# in FOLDER/findings. FOLDER: $CAIRN_FUZZ_FOLDER, or build-fuzz; inputs that reached something new are kept there for the
# next time. Exits 77 where no clang has libFuzzer (Debian: clang-15).
set -eu
seconds=${1:?usage: sh tests/fuzz/run.sh SECONDS [TARGET...]}
shift
cd "$(dirname "$0")/../.."
folder=${CAIRN_FUZZ_FOLDER:-build-fuzz}
mkdir -p "$folder"
clang=
for name in clang-15 clang clang-19 clang-18 clang-17 clang-16 clang-14; do
    [ -z "$clang" ] || break
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n > 99; }' |
        "$name" -x c -fsanitize=fuzzer,address,undefined - -o "$folder/probe" 2>/dev/null && clang=$name
done
rm -f "$folder/probe"
if [ -z "$clang" ]; then
    echo "skipped: no clang with libFuzzer and ASan is installed (Debian: clang-15)"
    exit 77
fi
[ -f "$folder/build/build.ninja" ] ||
    CC=$clang meson setup "$folder/build" -Dfuzz=true -Dtests=disabled -Dbuildtype=debugoptimized -Db_lundef=false >&2
ninja -C "$folder/build" fuzz-targets >&2
exec python3 tests/fuzz/run.py "$folder" "$seconds" "$@"
