#!/usr/bin/env python3
"""replay.py CAIRN TARGET...: runs the fuzz targets (fuzz-NAME, built with replay.c) over their seeds, each of which must be accepted,
and over tests/fuzz/regressions/NAME, inputs that once broke something; their names say what."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    bad = total = 0
    with tempfile.TemporaryDirectory() as place:
        subprocess.run([sys.executable, os.path.join(HERE, 'seeds.py'), sys.argv[1], place], check=True)
        for target in sys.argv[2:]:
            name = os.path.basename(target).removeprefix('fuzz-')
            folders = [os.path.join(place, name), os.path.join(HERE, 'regressions', name)]
            inputs = [os.path.join(folder, item) for folder in folders if os.path.isdir(folder) for item in sorted(os.listdir(folder))]
            done = subprocess.run([target, *inputs], capture_output=True, text=True, errors='replace', check=False, env={**os.environ, 'TMPDIR': place})
            good = {line.removesuffix(' is good') for line in done.stderr.splitlines() if line.endswith(' is good')}
            refused = [item for item in inputs if item.startswith(place) and item not in good]
            total += len(inputs)
            if done.returncode or refused or not good:
                bad += 1
                print(f'{name}: exit status {done.returncode}, refused seeds: {[os.path.basename(item) for item in refused]}\n{done.stderr[-2000:]}')
    print(f'{total} inputs of {len(sys.argv) - 2} targets, {bad} targets failed')
    sys.exit(bad > 0 or total < 50)


main()
