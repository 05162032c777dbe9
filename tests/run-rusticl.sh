#!/bin/sh
# run-rusticl.sh CAIRN CASES: every operator and variant on Mesa's rusticl: a second compiler, small limits, an fma of its own.
# Its products are slow (0.2 GFLOP/s), so the cases are fewer and small. Skipped (77) where it is not installed.
set -u
cairn=$1 cases=$2
if ! [ -e /etc/OpenCL/vendors/rusticl.icd ]; then
    echo "skipped: rusticl is not installed (Debian: mesa-opencl-icd)"
    exit 77
fi
export OCL_ICD_VENDORS=rusticl.icd RUSTICL_ENABLE=llvmpipe
"$cairn" check --device opencl --small --cases 40 || exit 1
"$cairn" check --device opencl --file "$cases/small.txt" || exit 1
