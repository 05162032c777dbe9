#!/bin/sh
# run-pocl.sh CAIRN CASES: every operator and variant on PoCL against the reference, 300 random cases each and the regressions.
# PoCL must be there: it is the device that every other test stands on.
set -u
cairn=$1 cases=$2
export OCL_ICD_VENDORS=pocl.icd
"$cairn" check --device opencl --cases 300 || exit 1
"$cairn" check --device opencl --twice --file "$cases/edges.txt" || exit 1
