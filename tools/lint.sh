#!/bin/sh
# lint.sh [FILE...]: by hand, clang-tidy (.clang-tidy says which checks, and why not the others) and cppcheck over src/ and tools/, or
# over the files named. Needs a build folder, $BUILD or build, for its compile_commands.json. A finding fails it.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
[ -f "$build/compile_commands.json" ] || meson setup "$build" >&2
[ $# -gt 0 ] || set -- $(find src tools -name '*.c' | sort)
status=0
# tools/cppcheck.cfg tells cppcheck the loops of the JSON library, whose header it does not read. What it is not asked: style, and
# its own trouble with
#   uninitvar at probe.c    an array that the loop before it fills, of a length that is never 0
#   negativeIndex at race.c an index that is compared with -1 and never is it
#   ctunullpointer at write.c   no values, of which there are then 0
#   constStatement          a declaration of two pointers to functions
cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --inline-suppr --std=c11 -I include -I src \
    --suppress=missingIncludeSystem --suppress=uninitvar:src/opencl/probe.c \
    --suppress=ctunullpointer:src/onnx/write.c --suppress=negativeIndex:src/tune/race.c --suppress=constStatement:tools/bench/gemm-peers.c \
    --library=tools/cppcheck.cfg \
    -D_POSIX_C_SOURCE=200809L -DCAIRN_WITH_LIBZIP -DCAIRN_WITH_PNG -DCAIRN_WITH_CURL -DCAIRN_WITH_ARCHIVE -DCAIRN_WITH_CLBLAST \
    '-DCAIRN_VERSION="0"' "$@" || status=1
# A file that the build does not compile (a template of another) is passed over.
for file in "$@"; do
    grep -q "/$file\"" "$build/compile_commands.json" && echo "$file"
done | xargs -n 4 -P "${JOBS:-2}" clang-tidy -p "$build" --quiet || status=1
exit $status
