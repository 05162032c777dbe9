#!/bin/sh
# coverage.sh [TEST...]: by hand, runs the tests (all, or those named) in a build that counts (build-coverage) and prints the lines and
# branches of src/ and tools/ that they reached: by folder, in all, and the files with the fewest branches. Needs gcovr (Debian: gcovr).
set -eu
cd "$(dirname "$0")/.."
command -v gcovr >/dev/null || {
    echo "coverage.sh: gcovr is not installed (Debian: gcovr)" >&2
    exit 3
}
folder=build-coverage
[ -f $folder/build.ninja ] || meson setup $folder -Dtests=enabled -Db_coverage=true -Dbuildtype=debug -Doptimization=1 >&2
ninja -C $folder >&2
find $folder -name '*.gcda' -delete
meson test -C $folder --no-rebuild --timeout-multiplier 10 --num-processes "${JOBS:-2}" "$@" >&2 || echo "coverage.sh: a test failed; what it reached counts" >&2
gcovr --root . --filter src/ --filter tools/ --exclude-unreachable-branches --exclude-throw-branches --json-summary $folder/coverage.json \
    $folder/libcairn.a.p $folder/tools >/dev/null
exec python3 - $folder/coverage.json <<'PYTHON'
import collections, json, sys
files = json.load(open(sys.argv[1], encoding='utf-8'))['files']
rooms = collections.defaultdict(lambda: [0, 0, 0, 0])
for f in files:
    parts = f['filename'].split('/')
    for name in ('/'.join(parts[:2]) if parts[0] == 'src' else parts[0], 'together'):
        for i, key in enumerate(('line_covered', 'line_total', 'branch_covered', 'branch_total')):
            rooms[name][i] += f[key]
print(f'{"":16}   lines       branches')
for name, (a, b, c, d) in sorted(rooms.items(), key=lambda item: (item[0] == 'together', item[0])):
    print(f'{name:16} {100 * a / max(b, 1):6.1f} % {100 * c / max(d, 1):8.1f} % of {d}')
print('\nfewest branches reached:')
known = [f for f in files if f['branch_total'] >= 10]
for f in sorted(known, key=lambda f: f['branch_covered'] / f['branch_total'])[:15]:
    print(f'{100 * f["branch_covered"] / f["branch_total"]:6.1f} % of {f["branch_total"]:4} {f["filename"]}')
PYTHON
