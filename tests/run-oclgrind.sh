#!/bin/sh
# run-oclgrind.sh CAIRN CASES: every operator and variant (tests/variants.py sees to that) in Oclgrind's simulator, which reports races, accesses out of bounds,
# use of uninitialised memory and misuse of the API. It exits 0 whatever it finds, so a log that is not empty fails.
# Kernels are built unoptimised: the simulator knows no `freeze` instruction, and nothing is optimised out of its sight.
# Groups of 64 keep tiles cheap; a few cases run with groups as large as the simulator takes. Skipped (77) where it is not installed.
set -u
cairn=$1 cases=$2
icd=
for folder in /usr/lib/oclgrind /usr/lib64/oclgrind /usr/local/lib/oclgrind /opt/oclgrind/lib/oclgrind; do
    [ -e "$folder/liboclgrind-rt-icd.so" ] && icd=$folder/liboclgrind-rt-icd.so
done
if [ -z "$icd" ]; then
    echo "skipped: Oclgrind is not installed (Debian: oclgrind)"
    exit 77
fi
folder=$(mktemp -d) || exit 99
trap 'rm -rf "$folder"' EXIT
export OCL_ICD_VENDORS="$icd" OCLGRIND_DATA_RACES=1 OCLGRIND_UNINITIALIZED=1 OCLGRIND_CHECK_API=1
export OCLGRIND_BUILD_OPTIONS=-cl-opt-disable OCLGRIND_MAX_WGSIZE=64 OCLGRIND_MAX_ERRORS=20 OCLGRIND_LOG="$folder/log" XDG_CACHE_HOME="$folder"
status=0
"$cairn" check --device opencl --json --small --cases "${CAIRN_OCLGRIND_CASES:-12}" >"$folder/random.json" || status=1
"$cairn" check --device opencl --json --file "$cases/small.txt" >"$folder/small.json" || status=1
"$cairn" check --device opencl --json --math fast --file "$cases/fast.txt" >"$folder/fast.json" || status=1
OCLGRIND_MAX_WGSIZE=1024 "$cairn" check --device opencl --json --file "$cases/groups.txt" >"$folder/groups.json" || status=1
[ $status -eq 0 ] || grep -h -A 12 '"case"' "$folder"/*.json
python3 "$(dirname "$0")/variants.py" "$folder"/*.json || status=1
if [ -s "$folder/log" ]; then
    echo "Oclgrind reports:"
    head -60 "$folder/log"
    status=1
fi
exit $status
