#!/bin/sh
# Installs what is missing, builds with warnings as errors, and runs every test. Can be run again.
# Tests on real images look for MNIST and Fashion-MNIST in $CAIRN_DATA_DIR, else in ../shared/datasets, and say when they
# skip. Further arguments go to `meson test`.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh test
[ -f build-test/build.ninja ] || meson setup build-test -Dwerror=true -Dtests=enabled >&2
ninja -C build-test >&2
status=0
meson test -C build-test --no-rebuild --print-errorlogs "$@" || status=$?
python3 tools/test-totals.py build-test/meson-logs/testlog.json || status=1
exit $status
