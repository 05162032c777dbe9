"""What `meson install` gives a stranger: headers, libraries, cairn.pc, the program.

Usage: installed.py BUILD [COMPILER...]

Installed into a scratch folder, which is then moved, so that nothing may depend on where it was built for.
- The shared library exports what the public headers declare, in a version of its soname, and nothing else. What is declared is
  asked of the compiler (gcc's -aux-info), not of tools/symbols.py, which made the list.
- Each header compiles alone, as strict C11 and as C++17.
- Each program of tools/examples is built with what pkg-config says, with the shared and with the static library, and run.
- The program finds its recipes and cairn-compile.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD, CC = sys.argv[1], sys.argv[2:] or ['cc']
CXX = shutil.which('c++')
STRICT = ['-pedantic-errors', '-Wall', '-Wextra', '-Werror']
WORK = tempfile.mkdtemp(prefix='cairn-installed-')
failures = []


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, check=False, **more)


def expect(right, what, detail=''):
    if not right:
        failures.append(what)
        print(f'FAILED: {what}\n{detail}'.rstrip())


def good(command, what, **more):
    """Runs what must succeed; its standard output."""
    done = run(command, **more)
    expect(done.returncode == 0, f'{what}: status {done.returncode}', ' '.join(command) + '\n' + done.stdout + done.stderr)
    return done.stdout


def install():
    """The prefix, moved from where it was installed to."""
    staged = os.path.join(WORK, 'staged')
    good(['meson', 'install', '-C', BUILD, '--no-rebuild', '--destdir', staged], 'meson install')
    options = json.loads(good(['meson', 'introspect', BUILD, '--buildoptions'], 'meson introspect'))
    option = {o['name']: o['value'] for o in options}
    prefix = os.path.join(WORK, 'prefix')
    shutil.move(staged + option['prefix'], prefix)
    if option['b_sanitize'] != 'none':
        CC.append('-fsanitize=' + option['b_sanitize'])
    if option['b_coverage']:
        CC.append('--coverage')
    return prefix, os.path.join(prefix, option['libdir']), os.path.join(prefix, option['libexecdir'])


def declared(include):
    """Functions that the compiler finds declared by <cairn/cairn.h>; None where it does not tell."""
    source, told = os.path.join(WORK, 'all.c'), os.path.join(WORK, 'told')
    with open(source, 'w', encoding='utf-8') as out:
        out.write('#include <cairn/cairn.h>\n')
    done = run([*CC, '-std=c11', '-fsyntax-only', '-I', include, '-aux-info', told, source])
    if done.returncode or not os.path.exists(told):
        return None
    with open(told, encoding='utf-8') as lines:
        return set(re.findall(r'include/cairn/\S+ \*/ extern [^(]*?\b(\w+) \(', lines.read()))


def check_symbols(libdir, include):
    soname = re.search(r'SONAME.*\[libcairn\.so\.(\d+)\]', good(['readelf', '-d', f'{libdir}/libcairn.so'], 'readelf'))
    expect(soname, 'the shared library has a soname')
    found = good(['nm', '-D', '--defined-only', f'{libdir}/libcairn.so'], 'nm').split('\n')
    exported = {line.split()[2] for line in found if line and ' A ' not in line}
    names = {name.split('@@')[0] for name in exported}
    versions = {name.split('@@')[-1] for name in exported}
    expect(soname and versions == {f'CAIRN_{soname.group(1)}'}, f'one version of all symbols: {sorted(versions)[:5]}')
    wanted = declared(include)
    if wanted is None:
        print('not compared: exported with declared functions; the compiler has no -aux-info')
        return
    expect(len(wanted) > 50, f'only {len(wanted)} functions are declared')
    expect(not names - wanted, f'exported, but not declared: {sorted(names - wanted)}')
    expect(not wanted - names, f'declared, but not exported: {sorted(wanted - names)}')


def check_headers(include):
    languages = [[*CC, '-x', 'c', '-std=c11']]
    if CXX:
        languages.append([CXX, '-x', 'c++', '-std=c++17'])
    else:
        print('not compiled: the headers as C++; there is no c++')
    names = sorted(os.path.basename(path) for path in glob.glob(f'{include}/cairn/*.h'))
    expect(names == sorted(os.path.basename(path) for path in glob.glob(f'{ROOT}/include/cairn/*.h')),
           'every public header is installed')
    for name in names:
        for language in languages:
            good([*language, *STRICT, '-I', include, '-fsyntax-only', '-'], f'{name} alone: {language[-1]}',
                 input=f'#include <cairn/{name}>\n')


def pkg_config(prefix, libdir, *words):
    env = {**os.environ, 'PKG_CONFIG_PATH': f'{libdir}/pkgconfig'}
    return good(['pkg-config', f'--define-variable=prefix={prefix}', *words, 'cairn'], 'pkg-config', env=env).split()


def check_examples(prefix, libdir, env):
    shared = pkg_config(prefix, libdir, '--cflags', '--libs')
    static = ['-l:libcairn.a' if word == '-lcairn' else word for word in pkg_config(prefix, libdir, '--static', '--cflags', '--libs')]
    examples = sorted(glob.glob(f'{ROOT}/tools/examples/*.c'))
    expect(len(examples) >= 3, 'there are examples')
    for source in examples:
        name = os.path.basename(source)[:-2]
        for kind, flags in (('shared', shared), ('static', static)):
            program = os.path.join(WORK, f'{name}-{kind}')
            folder = f'{program}.d'
            os.mkdir(folder)
            good([*CC, '-std=c11', *STRICT, '-o', program, source, *flags], f'{name} builds, {kind}')
            needed = run(['readelf', '-d', program]).stdout
            expect(('[libcairn.so.' in needed) == (kind == 'shared'), f'{name} is linked to the {kind} library')
            here = {**env, 'LD_LIBRARY_PATH': libdir} if kind == 'shared' else env
            said = good([program], f'{name} runs, {kind}', env=here, cwd=folder)
            if kind == 'shared':
                first = said
                print(f'{name}:\n{said}', end='')
            else:
                expect(digits(said) == digits(first), f'{name} prints the same with the static library', said)


def digits(text):
    """What a program printed, but for times."""
    return re.sub(r'[\d.]+ (s|ms|us|images/s)\b', '', text)


def check_program(prefix, libexecdir):
    cairn = f'{prefix}/bin/cairn'
    good([cairn, '--help'], 'the installed program runs', cwd=WORK)
    good([cairn, 'summary', 'glyphs-tiny', '--device', 'reference'], 'it finds its recipes', cwd=WORK)
    expect(os.access(f'{libexecdir}/cairn/cairn-compile', os.X_OK), 'cairn-compile is there')
    wrong = run([cairn, 'summary', 'no-such-recipe', '--device', 'reference'], cwd=WORK)
    expect(wrong.returncode == 2 and f'{prefix}/share/cairn/recipes' in wrong.stderr, 'it names the moved folder of recipes', wrong.stderr)


def main():
    env = {**os.environ, 'XDG_CACHE_HOME': os.environ.get('XDG_CACHE_HOME', os.path.join(WORK, 'cache'))}
    env.pop('CAIRN_COMPILE', None)
    prefix, libdir, libexecdir = install()
    check_symbols(libdir, f'{prefix}/include')
    check_headers(f'{prefix}/include')
    check_program(prefix, libexecdir)
    check_examples(prefix, libdir, env)


try:
    main()
finally:
    shutil.rmtree(WORK, ignore_errors=True)
print(f'{len(failures)} failed' if failures else 'all good')
sys.exit(bool(failures))
