#!/usr/bin/env python3
"""house.py ROOT: the house rules that no compiler sees.

1. A file includes headers of its own floor or below. The backends' own headers stay in their folders, CL/cl.h stays under
   src/opencl/, and the program sees the public headers and its own only. Exceptions: EXCEPTIONS, each with its reason.
2. The same stem in every room: each operator family has its file in src/device, src/reference, src/opencl, src/check and cl/, and
   its operators are in a test. (Convolution has no kernel of its own: it is im2col and the product.)
"""
import os
import re
import sys

FLOORS = {
    'src/base': 0, 'src/tensor': 1, 'src/device': 2, 'src/reference': 3, 'src/opencl': 3, 'src/check': 3.5, 'src/tune': 3.5,
    'src/nn': 4, 'src/data': 5, 'src/io': 5, 'src/train': 6, 'src/events': 6, 'src/compare': 6, 'src/report': 6, 'src/onnx': 6, 'tools': 7,
}
# The floor of each public header is that of the room that it speaks for.
PUBLIC = {
    'status': 0, 'cache': 2, 'device': 2, 'own': 2, 'problem': 2, 'check': 3.5, 'bench': 3.5, 'tune': 3.5, 'data': 5, 'train': 6,
    'compare': 6, 'report': 6, 'exchange': 6, 'doctor': 6, 'cairn': 7,
}
EXCEPTIONS = {
    ('src/base/version.c', 'cairn/cairn.h'),  # defines cairn_version(), which only cairn.h declares
    ('src/base/installed.c', 'cairn/cairn.h'),  # asks in which file that function is
}
PRIVATE = ('src/reference', 'src/opencl')
FAMILIES = {
    'gemm': ['gemm'], 'conv': ['conv', 'conv_data', 'conv_weights', 'conv_pool'], 'im2col': ['im2col', 'col2im'],
    'pool': ['pool', 'pool_grad'], 'activation': ['activation', 'activation_grad'], 'softmax': ['softmax', 'softmax_grad'], 'loss': ['loss'], 'add': ['add'],
    'dropout': ['dropout'], 'reduce': ['reduce'], 'gather': ['gather'], 'augment': ['augment'],
    'batchnorm': ['batchnorm_stats', 'batchnorm', 'batchnorm_grad'],
    'optimizer': ['clip', 'sgd', 'adam', 'rmsprop', 'adagrad', 'adadelta'],
}
ROOMS = {'src/device': '.c', 'src/reference': '.c', 'src/opencl': '.c', 'src/check': '.c', 'cl': '.cl'}
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)

problems = []


def complain(path, text):
    problems.append(f'{path}: {text}')


def read(path):
    with open(path, encoding='utf-8') as source:
        return source.read()


def files(folder, *suffixes):
    """Paths below a folder, relative to the root."""
    for base, _, names in os.walk(folder):
        for name in sorted(names):
            if name.endswith(suffixes):
                yield os.path.join(base, name)


def room_of(path):
    """'src/base' for src/base/error.h; 'tools' for tools/main.c."""
    parts = path.split(os.sep)
    return '/'.join(parts[:2]) if parts[0] == 'src' else parts[0]


def check_include(path, room, kind, name):
    floor = FLOORS[room]
    if name.startswith('CL/') and room != 'src/opencl':
        complain(path, f'includes <{name}>, which belongs to src/opencl')
    if name.startswith('cairn/'):
        public = PUBLIC.get(name[len('cairn/'):-len('.h')])
        if public is None:
            complain(path, f'includes <{name}>, whose floor tests/house.py does not know')
        elif public > floor and (path, name) not in EXCEPTIONS:
            complain(path, f'includes <{name}> of floor {public} from floor {floor}')
    elif kind == '"' and room == 'tools':
        if '/' in name or not os.path.exists(os.path.join('tools', name)):
            complain(path, f'includes "{name}": tools/ sees the public headers and its own')
    elif kind == '"':
        other = 'src/' + name.split('/')[0]
        if other not in FLOORS or not os.path.exists(os.path.join('src', name)):
            complain(path, f'includes "{name}", which is no header of src/')
        elif FLOORS[other] > floor:
            complain(path, f'includes "{name}" of floor {FLOORS[other]} from floor {floor}')
        elif other in PRIVATE and other != room:
            complain(path, f'includes "{name}": the backends are nobody else\'s')


def check_includes():
    seen = 0
    for folder in ('src', 'tools'):
        for path in files(folder, '.c', '.h'):
            room = room_of(path)
            if room not in FLOORS:
                complain(path, 'lies in a room without a floor: add it to DESIGN and to tests/house.py')
                continue
            for kind, name in INCLUDE.findall(read(path)):
                check_include(path, room, kind, name)
                seen += 1
    if seen < 100:
        complain('src', f'only {seen} includes were found: is this the root?')


def check_kernels():
    """Kernel files include headers of cl/ only."""
    for path in files('cl', '.cl', '.h'):
        for kind, name in INCLUDE.findall(read(path)):
            if kind != '"' or not os.path.exists(os.path.join('cl', name)) or not name.endswith('.h'):
                complain(path, f'includes {name}, which is no header of cl/')


def check_stems():
    tests = ''.join(read(path) for path in files('tests', '.c'))
    for stem, ops in FAMILIES.items():
        for room, suffix in ROOMS.items():
            path = os.path.join(room, stem + suffix)
            if not os.path.exists(path):
                complain(path, f'is missing: the family {stem} has a file in every room')
        for op in ops:
            if not re.search(rf'\bCAIRN_OP_{op.upper()}\b|"{op}[" ]', tests):
                complain('tests', f'no test names the operator {op}')


def check_families():
    """FAMILIES above is the list of include/cairn/problem.h."""
    text = read('include/cairn/problem.h')
    listed = set(re.findall(r'^\s+X\((\w+),', text, re.M))
    known = {op for ops in FAMILIES.values() for op in ops}
    for op in sorted(listed ^ known):
        complain('tests/house.py', f'the operator {op} is not in both FAMILIES and CAIRN_OP_LIST')


def main():
    os.chdir(sys.argv[1])
    check_includes()
    check_kernels()
    check_stems()
    check_families()
    print('\n'.join(problems) if problems else 'the house is in order')
    sys.exit(bool(problems))


main()
