#!/usr/bin/env python3
"""seeds.py CAIRN FOLDER: small valid inputs for each fuzz target, in FOLDER/TARGET/, and dictionaries, FOLDER/TARGET.dict.

Every seed is accepted by its target (tests/fuzz/replay.py holds them to it), so that fuzzing starts behind the first checks.
"""
import gzip
import io
import json
import os
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
ZEROS = '0' * 64  # every digest, as fuzz_digest.c computes it
WITH_WORDS = ('cases', 'layers', 'onnx', 'recipe', 'register', 'run', 'safetensors', 'npy', 'tune')
VALUES = ['0', '1', '-1', '2x1', '1048576', '2147483647', '2147483648', '4294967296', '9223372036854775807',
          '18446744073709551615', '99999999999999999999', '1e39', '1e-46', '1e999', 'nan', 'inf', '-inf', '&a', '*a', '!!a', '---', '$']

LAYERS = [
    ['conv 4 3x3 pad=same', 'relu', 'maxpool 2', 'linear 4'],
    ['conv 6 3x2 pad=1,0,2,1 stride=2x1 dilation=1x2 groups=3 bias=no init=xavier', 'batchnorm momentum=0.2 epsilon=1e-3', 'tanh',
     'avgpool 2 pad=1 count_pad=yes', 'dropout 0.25', 'flatten', 'linear 4 init=normal(0,0.1) bias=no'],
    ['conv 3 1x1 as=a', 'gelu form=tanh', 'convtranspose 3 2x2 stride=2 extra=1 pad=1', 'maxpool global', 'linear 4 init=uniform(-1,1)'],
    ['conv 3 3x3 pad=1 as=a', 'sigmoid', 'conv 3 3x3 pad=1', 'add a', 'softplus', 'linear 8', 'logsoftmax', 'linear 4'],
    ['leakyrelu 0.1', 'elu 0.5', 'silu', 'hardsigmoid', 'hardswish', 'none', 'linear 4', 'softmax'],
    ['linear 5 as=x', 'gelu from=x', 'add x', 'linear 4 as=last'],
]


def idx(sizes, data):
    return struct.pack('>BBBB', 0, 0, 8, len(sizes)) + struct.pack(f'>{len(sizes)}I', *sizes) + data


def npy(shape, data, version=1):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    begin = 10 if version == 1 else 12
    header += ' ' * (-(begin + len(header) + 1) % 64) + '\n'
    return b'\x93NUMPY' + bytes([version, 0]) + struct.pack('<H' if version == 1 else '<I', len(header)) + header.encode() + data


def npz(member, method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        archive.writestr('arr_0.npy', member)
    return out.getvalue()


def png(width, height, depth, kind, interlaced=0):
    samples = {0: 1, 2: 3, 3: 1}[kind]
    row = b'\0' + bytes(range(1, 1 + (width * samples * depth + 7) // 8))

    def chunk(name, data):
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))

    palette = chunk(b'PLTE', bytes(3 << depth)) if kind == 3 else b''
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, kind, 0, 0, interlaced)) + palette +
            chunk(b'IDAT', zlib.compress(row * height)) + chunk(b'IEND', b''))


def folder(members):
    return b'\n'.join(b'=== ' + name.encode() + b'\n' + data for name, data in members.items())


def tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue().rstrip(b'\0') + bytes(1024)


def safetensors(tensors, metadata):
    header, data = ({'__metadata__': metadata} if metadata else {}), b''
    for name, (kind, shape, content) in tensors.items():
        header[name] = {'dtype': kind, 'shape': shape, 'data_offsets': [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    return struct.pack('<Q', len(text)) + text + data


def kernel_entry(payload):
    key = b'0123456789abcdef' * 4
    owner = b'device d\nkernels ' + ZEROS.encode() + b'\n\n'
    return b'CAIRNKRN' + struct.pack('<IIQ', 2, len(owner), len(payload)) + key + ZEROS.encode() + payload + owner


def table(lines):
    owner = {'device': 'd', 'vendor': 'v', 'platform': 'p', 'driver': '1', 'version': '2', 'compute_units': 1, 'max_work_group': 64,
             'local_bytes': 1024, 'math': 'exact', 'sources': ZEROS}
    entries = [{'problem': line, 'winner': 'gpu', 'default': 'cpu', 'seconds': 1e-5, 'default_seconds': 2e-5,
                'candidates': [{'name': 'gpu', 'failed': '', 'seconds': 1e-5}, {'name': 'cpu', 'failed': 'no', 'seconds': 0}]}
               for line in lines]
    return json.dumps({'format': 'cairn tune 1', 'for': owner, 'problems': entries}).encode()


def read(*path):
    with open(os.path.join(ROOT, *path), 'rb') as source:
        return source.read()


def run_cairn(cairn, *arguments, **variables):
    done = subprocess.run([cairn, *arguments], env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f'cairn {" ".join(arguments)} failed: {done.stderr}')
    return done.stdout


TINY = b"""tiny:
  kind: idx
  shape: 1x2x3
  classes: 3
  train: 9
  test: 3
  files: {train-images: {name: a}, train-labels: {name: b}, test-images: {name: c}, test-labels: {name: d}}
"""

OWNER = b'cairn failures 1\ndevice d\nvendor v\nplatform p\ndriver 1\nversion 2\nlimits 1 64 1024\nkernels ' + ZEROS.encode() + b'\n\n'


def write_tiny(place):
    for name, data in {'sets.yaml': TINY, 'a': idx((9, 2, 3), bytes(i * 37 % 256 for i in range(54))), 'b': idx((9,), bytes([0, 1, 2] * 3)),
                       'c': idx((3, 2, 3), bytes(i * 37 % 256 for i in range(18))), 'd': idx((3,), bytes([0, 1, 2]))}.items():
        with open(os.path.join(place, name), 'wb') as out:
            out.write(data)


MODELS = [
    'conv 2 2x2 pad=1 as=a, batchnorm, silu, convtranspose 2 1x1, add a, maxpool 2, avgpool global, linear 3',
    'linear 4 as=a, batchnorm momentum=0.5, gelu, linear 4 bias=no, add a, dropout 0.5, conv 3 1x1, flatten, none, logsoftmax',
    'leakyrelu 0.1, elu, tanh, sigmoid, softplus, hardsigmoid, hardswish, avgpool 2 stride=1, linear 3, softmax',
]


def models(cairn):
    """Exported models of the tiny data set; none where this build has no ONNX."""
    with tempfile.TemporaryDirectory() as place:
        write_tiny(place)
        for number, lines in enumerate(MODELS):
            recipe, out, file = os.path.join(place, 'r.yaml'), os.path.join(place, f'run{number}'), os.path.join(place, f'{number}.onnx')
            with open(recipe, 'w', encoding='utf-8') as text:
                text.write(f'data: {{name: tiny, normalize: zscore}}\nmodel: [{", ".join(f"{line.strip()!r}" for line in lines.split(", "))}]\n'
                           'train: {learning_rate: 0.1, batch: 4, steps: 1}\n')
            sets = {'CAIRN_DATASETS': os.path.join(place, 'sets.yaml')}
            run_cairn(cairn, 'train', recipe, '--device', 'reference', '--quiet', '--out', out, '--data-dir', place, **sets)
            done = subprocess.run([cairn, 'export', out, file], env={**os.environ, **sets}, capture_output=True, text=True, check=False)
            if 'libprotobuf-c' in done.stderr:
                return
            with open(file, 'rb') as source:
                yield source.read()


def runs(cairn):
    """Runs of the tiny data set, half way through: two steps of four."""
    with tempfile.TemporaryDirectory() as place:
        write_tiny(place)
        for number, keys in enumerate(['optimizer: sgd', 'optimizer: adam, keep: last, schedule: plateau patience=1, test_curve: yes']):
            recipe, out = os.path.join(place, 'r.yaml'), os.path.join(place, f'run{number}')
            with open(recipe, 'w', encoding='utf-8') as text:
                text.write(f'data: {{name: tiny, validation: 0.3}}\nmodel: [linear 2, batchnorm, tanh, linear 3]\n'
                           f'train: {{learning_rate: 0.1, batch: 4, steps: 2, evaluate_every: 1 steps, {keys}}}\n')
            run_cairn(cairn, 'train', recipe, '--device', 'reference', '--quiet', '--out', out, '--data-dir', place,
                      CAIRN_DATASETS=os.path.join(place, 'sets.yaml'))
            files = {}
            for name in ('recipe.yaml', 'metrics.jsonl', 'model.safetensors', 'last.safetensors'):
                with open(os.path.join(out, name), 'rb') as source:
                    files[name] = re.sub(rb'\b[0-9a-f]{64}\b', ZEROS.encode(), source.read())
            files['recipe.yaml'] = files['recipe.yaml'].replace(b'steps: 2\n', b'steps: 4\n')
            yield folder(files)


def seeds(cairn):
    images, labels = idx((2, 2, 3), bytes(range(12))), idx((3,), bytes([2, 1, 0]))
    arrays = [npy((2, 2, 3), bytes(range(12))), npy('(5,)', bytes(5), 2)]
    kinds = [png(3, 2, 8, 0), png(5, 3, 1, 0), png(2, 2, 8, 2), png(3, 3, 2, 3), png(1, 1, 8, 0, 1)]
    batch = bytes([1, 9, 8, 7, 6, 5, 4])
    cifar = {f'data_batch_{i}.bin': batch for i in range(1, 6)} | {'test_batch.bin': batch * 2, 'batches.meta.txt': b'a\nb\nc\n'}
    listed = run_cairn(cairn, 'check', '--list', '--small', '--cases', '2').splitlines()
    recipes = sorted(name for name in os.listdir(os.path.join(ROOT, 'data/recipes')) if name.endswith('.yaml'))
    register = read('data/datasets.yaml')
    short = b'vars: {n: 4}\ndata: {name: glyphs}\nmodel: [linear $n, relu, linear 10]\ntrain: {learning_rate: 0.1}\n'
    weights = struct.pack('<6f', 0, -0.0, 1, float('nan'), float('inf'), 1e-40)
    return {
        'cases': [line.encode() for line in listed],
        'cifar': [folder(cifar), folder({'cifar-10-batches-bin/' + name: data for name, data in cifar.items()})],
        'failures': [OWNER + b'variant gemm cpu\tgemm m=1\nkernel gemm.cl gemm_cpu\tdid not come back\n', OWNER + b'device\tprobe\n'],
        'folders': [folder({f'{part}/{name}/{i}.png': kinds[0] for part in ('train', 'test') for name in 'ab' for i in range(2)})],
        'gzip': [gzip.compress(images, 9), gzip.compress(images[:9]) + gzip.compress(images[9:], 0), gzip.compress(labels, 1)],
        'idx': [images, labels, idx((1, 1, 2, 2), bytes(4))],
        'kernels': [kernel_entry(b'binary'), kernel_entry(b'\0')],
        'layers': ['\n'.join(lines).encode() for lines in LAYERS],
        'npy': arrays,
        'npz': [npz(arrays[0], zipfile.ZIP_STORED), npz(arrays[1], zipfile.ZIP_DEFLATED)],
        'onnx': list(models(cairn)),
        'png': kinds,
        'recipe': [read('data/recipes', name) for name in recipes] +
                  [short, folder({'recipe.yaml': short, 'sets': b'vars.n=5\ntrain.optimizer=adam beta1=0.8\ndata.validation=0.1'})],
        'register': [register, TINY],
        'run': list(runs(cairn)),
        'safetensors': [safetensors({'a': ('F32', [2, 3], weights), 'b': ('I64', [1], bytes(8))}, {'key': 'value'}),
                        safetensors({'none': ('F32', [0, 4], b'')}, None)],
        'tar': [tar({'one.bin': b'12345', 'inner/names.txt': b'a\nb\n', 'other': b'x'})],
        'tune': [table([line.split(' : ')[0] for line in listed[::8]]), table([])],
    }


def words_of(inputs):
    """What an input is written with: its words, and values at the ends of ranges."""
    words = {word for data in inputs for word in re.findall(r'[A-Za-z_][A-Za-z0-9_-]{1,30}[=:(]?', data.decode('latin-1'))}
    return sorted(words | set(VALUES))


def main():
    cairn, place = os.path.abspath(sys.argv[1]), sys.argv[2]
    for target, inputs in seeds(cairn).items():
        os.makedirs(os.path.join(place, target), exist_ok=True)
        for number, data in enumerate(inputs):
            with open(os.path.join(place, target, f'seed-{number:02}'), 'wb') as out:
                out.write(data)
        if target in WITH_WORDS:
            with open(os.path.join(place, target + '.dict'), 'w', encoding='utf-8') as out:
                out.writelines(f'"{word}"\n' for word in words_of(inputs))


main()
