#!/bin/sh
# sanitize.sh KIND [TEST...]: by hand, the tests (all that suit it, or those named) under a checker, in build-sanitize/KIND:
#   asan      AddressSanitizer, with leaks, and UndefinedBehaviorSanitizer: everything
#   tsan      ThreadSanitizer: everything that is compiled (Python's tests start the program, which is checked the same)
#   valgrind  memcheck: the suites of tests/test_*.c
# A report fails its test. What is not Cairn's is in tests/KIND.supp, each line with its reason. Compiled kernels are kept
# apart for each kind: under valgrind the processor has fewer instructions.
set -eu
cd "$(dirname "$0")/.."
kind=${1:?usage: sh tools/sanitize.sh asan|tsan|valgrind [TEST...]}
shift
folder=build-sanitize/$kind here=$PWD
case $kind in
asan) options="-Db_sanitize=address,undefined -Dbuildtype=debugoptimized" ;;
# The functions that pick a clone of a loop run before ThreadSanitizer does: no clones.
tsan) options="-Db_sanitize=thread -Dbuildtype=debugoptimized -Dc_args=-DREF_CLONES=" ;;
valgrind) options="-Dbuildtype=debugoptimized" ;;
*)
    echo "sanitize.sh: '$kind' is none of asan, tsan, valgrind" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086 # a list of words
[ -f "$folder/build.ninja" ] || meson setup "$folder" -Dtests=enabled -Db_lundef=false $options >&2
ninja -C "$folder" >&2
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:strict_string_checks=1:detect_stack_use_after_return=1
export LSAN_OPTIONS="suppressions=$here/tests/asan.supp:print_suppressions=0"
export TSAN_OPTIONS="suppressions=$here/tests/tsan.supp:halt_on_error=1:second_deadlock_stack=1:allocator_may_return_null=1"
# Other drivers load libraries in ways that sanitizers refuse.
export OCL_ICD_VENDORS="${OCL_ICD_VENDORS:-pocl.icd}"
export CK_TIMEOUT_MULTIPLIER=20 CAIRN_OCLGRIND_CASES=1
if [ "$kind" != valgrind ]; then
    exec meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 10 --num-processes "${JOBS:-2}" "$@"
fi
[ $# -gt 0 ] || set -- $(cd "$folder/tests" && ls | sed -n 's/^test_\([a-z_]*\)$/\1/p')
exec meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 30 --num-processes "${JOBS:-2}" \
    --wrapper "valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --trace-children=yes --suppressions=$here/tests/valgrind.supp" "$@"
