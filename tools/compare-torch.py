#!/usr/bin/env python3
"""Compares Cairn with PyTorch on the same numbers: operators, optimisers, parameter counts and whole nets that train.

Run by hand, from anywhere. It needs PyTorch and NumPy (`pip install torch numpy`), which it does not install, and a build of
Cairn in build/ or where --build says:

    python3 -m venv VENV && VENV/bin/pip install torch numpy
    meson setup build && ninja -C build && VENV/bin/python tools/compare-torch.py [--device D]... [NAME]...

Operators and optimisers run in Cairn by build/tests/run-op, on any device, and in PyTorch on the CPU: in float32, as people use
it, and in float64, as the nearer to the truth. An error is told relative to the scale of its number: what the rounding
errors of its computation are relative to, like the sum of |a b| for a product. What is allowed are so many roundings of 2^-24,
computed from the shapes by docs/ARITHMETIC.md, "Errors"; twice as many where PyTorch rounds to float32, too.

Nets are recipes and lists of layers. Their parameters are counted on both sides; those that train do so for ten steps by
`cairn train` and in PyTorch, from Cairn's initial weights, on the same images. tools/pytorch/models.py says what is allowed there.

Exit status: 0 all agrees, 1 something does not, 2 wrong use or something is missing, 3 the device failed.

To add an operator: in tools/pytorch/, write a function that yields Results and decorate it with @comparison(name). It is given
`cairn`, whose run() takes a problem line as `cairn check` prints it and the operands by name, and the type in which PyTorch is
to compute.
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True
try:
    import torch
    from pytorch import layers, updates  # noqa: F401 (they fill the list)
    from pytorch.common import COMPARISONS, Cairn, measure
    from pytorch.models import GROWTH, NETS, count, train
except ImportError as error:
    print(f"compare-torch.py: {error}. It needs PyTorch and NumPy; in an environment of your own:\n"
          "    python3 -m venv VENV && VENV/bin/pip install torch numpy", file=sys.stderr)
    sys.exit(2)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def worst_of(results, sides):
    return max((measure(result, sides) for result in results), key=lambda found: (found.share, found.allowed))


def compare(cairn, name, function):
    """Prints a line for an operator or optimiser; whether all is within what is allowed."""
    floats, doubles = list(function(cairn, torch.float32)), list(function(cairn, torch.float64))
    worst = [worst_of(floats, 2), worst_of(doubles, 1)]
    note, fine = "", all(found.share <= 1 for found in worst)
    if not fine:
        theirs = worst_of([a._replace(got=b.want) for a, b in zip(floats, doubles)], 1)
        fine = worst[1].share <= 1 and theirs.share > 1
        note = f"PyTorch's float32: {theirs.error:.1e} from its float64" if fine else "DIFFERS"
    columns = [f"{found.error:.1e} of {found.allowed:.1e} ({found.what})" for found in worst]
    print(f"{name:<26} {columns[0]:<37} {columns[1]:<37} {note}".rstrip(), flush=True)
    return fine


def compare_operators(cairn, rows):
    print(f"\nOperators and optimisers on {cairn.device}: the error nearest to what is allowed, of what is allowed")
    print(f"{'':<26} {'from PyTorch in float32':<37} from PyTorch in float64")
    return [compare(cairn, *row) for row in rows]


def compare_counts(cairn, rows):
    print("\nParameters, layer by layer, and shapes of outputs: Cairn's summary and PyTorch's modules")
    return [count(cairn, net) for net in rows]


def compare_training(cairn, rows):
    print(f"\nTen steps from the same weights on {cairn.device}: distances from PyTorch in float64, of Cairn and of PyTorch "
          f"in float32 (of that {GROWTH} times is allowed)")
    print(f"{'':<55} {'loss, first to last':<22} {'losses':<25} weights, relative to their way")
    return [train(cairn, net) for net in rows]


def main():
    parser = argparse.ArgumentParser(description="Compares Cairn with PyTorch on the same numbers.")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="Cairn's build folder (build)")
    parser.add_argument("--recipes", default=os.path.join(ROOT, "data", "recipes"), help="folder of recipes (data/recipes)")
    parser.add_argument("--device", action="append", help="Cairn's device; may be repeated (reference)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only comparisons whose name begins with this")
    args = parser.parse_args()
    for path in ("tests/run-op", "tools/cairn"):
        if not os.path.exists(os.path.join(args.build, path)):
            parser.error(f"{args.build}/{path} is not there: build it with 'ninja -C build {path}' (-Dtests=enabled), or say "
                         "where with --build")
    begins = tuple(args.names) or ("",)
    operators = [row for row in COMPARISONS if row[0].startswith(begins)]
    nets = [net for net in NETS if net.name.startswith(begins)]
    if not operators and not nets:
        parser.error("no comparison has such a name; there are: " +
                     ", ".join([row[0] for row in COMPARISONS] + [net.name for net in NETS]))
    torch.set_num_threads(1)  # its sums, too, are then the same each time
    print(f"PyTorch {torch.__version__}")
    results = []
    for device in args.device or ["reference"]:
        cairn = Cairn(args.build, args.recipes, device)
        for rows, run in ((operators, compare_operators),
                          ([net for net in nets if net.recipe and not results], compare_counts),
                          ([net for net in nets if net.trains], compare_training)):
            if rows:
                results += [run(cairn, rows)]
    total = sum(results, [])
    print(f"\n{sum(total)} of {len(total)} agree")
    sys.exit(0 if all(total) else 1)


main()
