"""The pages of the public headers are made without a warning: every function, member and enumeration is described. Skipped (77) without doxygen.

Usage: api_docs.py PROJECT_ROOT
"""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = sys.argv[1]


def main():
    if not shutil.which('doxygen'):
        print('skipped: there is no doxygen')
        return 77
    with tempfile.TemporaryDirectory(prefix='cairn-api-') as work:
        with open(os.path.join(ROOT, 'docs', 'Doxyfile.in'), encoding='utf-8') as source:
            config = source.read()
        for name, value in {'ROOT': ROOT, 'VERSION': 'test', 'OUTPUT': work, 'PYTHON': sys.executable}.items():
            config = config.replace(f'@{name}@', value)
        done = subprocess.run(['doxygen', '-'], input=config, universal_newlines=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        warnings = [line for line in done.stdout.splitlines() if line.strip()]
        pages = len(os.listdir(os.path.join(work, 'api'))) if os.path.isdir(os.path.join(work, 'api')) else 0
        print('\n'.join(warnings[:50]))
        print(f'{len(warnings)} warnings, {pages} files')
        return int(done.returncode != 0 or bool(warnings) or pages < 50)


sys.exit(main())
