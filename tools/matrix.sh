#!/bin/sh
# matrix.sh [--fetch] [--cases N] [--only TEXT] [CAIRN]: `cairn doctor` on every OpenCL implementation that is there - PoCL with one and
# two threads, small work-groups and little memory, rusticl, Oclgrind, a GPU - and on those that --fetch gets from PyPI into build/matrix:
# another PoCL and Intel's runtime for CPUs. Each checks all operators, gradients and trainings against the reference; the table goes
# to docs/devices.md. --only runs the rows whose name has TEXT and keeps the others. CAIRN is build/tools/cairn unless given.
# Exit status 1 where something differs.
set -eu
exec python3 "$(dirname "$0")/matrix.py" "$@"
