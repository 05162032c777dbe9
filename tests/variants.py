#!/usr/bin/env python3
"""variants.py JSON...: what `cairn check --json` printed, together: how often each variant of each operator ran. Fails where one of those
that OpenCL devices have did not run, and where one ran that is not known here."""
import json
import sys

PRODUCTS = 'cpu gpu gpu-64 gpu-32 gpu-narrow gpu-flat small'
CONVOLUTIONS = PRODUCTS + ' batch-cpu direct-cpu direct-gpu lanes'
WANTED = {
    'gemm': PRODUCTS + ' cpu-packed cpu-direct',
    'conv': CONVOLUTIONS + ' winograd',
    'conv_data': CONVOLUTIONS + ' winograd',
    'conv_weights': CONVOLUTIONS,
    'conv_pool': CONVOLUTIONS,
    'softmax': 'row group',
    'softmax_grad': 'row group',
    'loss': 'row group',
    **{op: 'cpu gpu' for op in ('im2col', 'col2im', 'pool', 'pool_grad', 'activation', 'add', 'batchnorm_stats', 'batchnorm', 'batchnorm_grad',
                                'dropout', 'augment', 'reduce', 'gather')},
    **{op: 'plain' for op in ('activation_grad', 'clip', 'sgd', 'adam', 'rmsprop', 'adagrad', 'adadelta')},
}


def main():
    runs = {}
    for path in sys.argv[1:]:
        with open(path, encoding='utf-8') as text:
            for entry in json.load(text)['operators']:
                of = runs.setdefault(entry['op'], {})
                for name, count in entry['variants'].items():
                    of[name] = of.get(name, 0) + count
    bad = 0
    for op, of in runs.items():
        print(f'{op:16}', ' '.join(f'{name} {count}' for name, count in sorted(of.items())))
        strange = set(of) - set(WANTED.get(op, '').split()) - {'clblast'}  # CLBlast's kernels are not ours
        bad += len(strange)
        if strange:
            print(f'    add to tests/variants.py: {op}: {sorted(strange)}')
    for op, names in WANTED.items():
        missing = set(names.split()) - set(runs.get(op, {}))
        bad += len(missing)
        if missing:
            print(f'    never run: {op}: {sorted(missing)}')
    sys.exit(bad > 0)


main()
