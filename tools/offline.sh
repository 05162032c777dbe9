#!/bin/sh
# offline.sh [--json] [--quick] [--file FILE.cl] [TARGET...]: what the compilers of GPUs make of every kernel, without a GPU:
# registers, spills, local memory, occupancy, the share of fma. docs/kernels.md explains the table. It exits with 1 if a kernel
# that GPUs run by default does not compile or spills, with 77 if no compiler is there.
# Debian: apt-get install clang-15 libclc-15 rocm-device-libs intel-opencl-icd    (Intel's ocloc comes with the last one)
# Registers on NVIDIA need ptxas: from a CUDA toolkit, in $PTXAS, or pip install nvidia-cuda-nvcc-cu12
exec python3 "$(dirname "$0")/offline.py" "$@"
