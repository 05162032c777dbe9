#!/usr/bin/env python3
"""Compares Cairn with PyTorch, operator by operator, on the same numbers.

Run by hand. It needs PyTorch and NumPy, which it does not install:

    python3 -m venv VENV && VENV/bin/pip install torch numpy
    ninja -C build && VENV/bin/python tools/compare-torch.py [--device D]... [NAME]...

Each comparison runs in Cairn (tests/run_op.c, any device) and in PyTorch on the CPU, in float32 as people use it and in
float64 as the nearer to the truth. Its line tells the largest difference from each, divided by the largest number of the
tensor where it is, and what is allowed: so many roundings of 2^-24, for float32 twice as many, since both sides round.
Exit status: 0 all within what is allowed, 1 some are not, 2 wrong use or something is missing, 3 the device failed.

To add one: write a function that yields (what, Cairn's array, PyTorch's tensor) and decorate it with
@comparison(name, roundings). It is given `cairn`, whose run() takes a problem line as `cairn check` prints it and the
operands by name, and `torch_dtype`, in which PyTorch is to compute.
"""

import argparse
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
except ImportError as error:
    print(f"compare-torch.py: {error}. It needs PyTorch and NumPy; in an environment of your own:\n"
          "    python3 -m venv VENV && VENV/bin/pip install torch numpy", file=sys.stderr)
    sys.exit(2)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMPARISONS = []


def comparison(name, roundings):
    """Adds a function to the list; `roundings`: how many of 2^-24 its results may be off."""
    def add(function):
        COMPARISONS.append((name, roundings, function))
        return function
    return add


class Cairn:
    """Operators of one device, through run-op."""

    def __init__(self, run_op, device):
        self.run_op, self.device = run_op, device

    def call(self, *args):
        done = subprocess.run([self.run_op, *args], capture_output=True, text=True)
        if done.returncode:
            print(f"compare-torch.py: {done.stderr.strip()}", file=sys.stderr)
            sys.exit(done.returncode)
        return done.stdout

    def run(self, problem, **operands):
        """Runs a problem; returns its results by name, flat."""
        rows = [row.split() for row in self.call("--list", problem).splitlines()]
        with tempfile.TemporaryDirectory() as folder:
            for name, dtype, role, _ in rows:
                if role in ("in", "inout"):
                    np.ascontiguousarray(operands[name], dtype=dtype).tofile(os.path.join(folder, name))
            self.call("--device", self.device, problem, folder)
            return {name: np.fromfile(os.path.join(folder, name), dtype=dtype)
                    for name, dtype, role, _ in rows if role in ("out", "inout")}


def single(x):
    """The float32 next to x, as PyTorch takes scalars: Cairn's are float32."""
    return float(np.float32(x))


def difference(got, want):
    """The largest difference, relative to the tensor's largest number; infinite where one alone is NaN or infinite."""
    want = want.detach().double().numpy().reshape(-1)
    got = np.asarray(got, dtype=np.float64).reshape(-1)
    if got.shape != want.shape:
        return np.inf
    odd = ~np.isfinite(got) | ~np.isfinite(want)
    if not np.array_equal(got[odd], want[odd], equal_nan=True):
        return np.inf
    off = np.abs(got - want)[~odd].max(initial=0)
    return off / np.abs(want[~odd]).max(initial=0) if off else 0.0


# Optimisers: ten steps from the same start -------------------------------------------------------------------------------

COUNT, STEPS = 2000, 10
PARTS = (slice(0, 1200), slice(1200, COUNT))  # the first part has a penalty


def problem_line(op, fields):
    """ "sgd count=3 lr=0.1"; floats as the shortest text of the float32."""
    return op + "".join(f" {key}={np.float32(value) if isinstance(value, float) else value}"
                        for key, value in fields.items())


def optimiser(name, op, fields, moments, torch_class, options, states, **penalty):
    """Adds ten steps of an optimiser. `fields`: Cairn's scalars; `moments`: its moments, `states`: PyTorch's names of the
    same, where it has them; penalty: l2= or decay=, which is weight_decay there. A step is at most eight roundings of each
    number."""
    options = {key: single(value) if isinstance(value, float) else value for key, value in options.items()}
    weight_decay = single(sum(penalty.values()))

    @comparison(name, 8 * STEPS)
    def steps(cairn, torch_dtype):
        rng = np.random.default_rng(1)
        held = {key: np.zeros(COUNT, np.float32) for key in moments}
        held["w"] = rng.uniform(-1, 1, COUNT).astype(np.float32)
        parts = [torch.tensor(held["w"][part], dtype=torch_dtype, requires_grad=True) for part in PARTS]
        groups = [{"params": [parts[0]], "weight_decay": weight_decay}, {"params": [parts[1]], "weight_decay": 0.0}]
        twin = torch_class(groups, foreach=False, **options)
        now = dict(count=COUNT, decay_count=PARTS[0].stop, **fields, **penalty)
        for step in range(1, STEPS + 1):
            g = rng.normal(0, 1, COUNT).astype(np.float32)
            for part, tensor in zip(PARTS, parts):
                tensor.grad = torch.tensor(g[part], dtype=torch_dtype)
            twin.step()
            if op == "adam":
                now.update({c: 1 / (1 - single(now[beta]) ** step) for c, beta in (("c1", "beta1"), ("c2", "beta2"))})
            held.update(cairn.run(problem_line(op, now), g=g, **held))
        yield "w", held["w"], torch.cat(parts)
        for moment, state in zip(moments, states):
            yield moment, held[moment], torch.cat([twin.state[tensor][state] for tensor in parts])


SGD, BUFFER, BOTH = torch.optim.SGD, ["momentum_buffer"], ["exp_avg", "exp_avg_sq"]
optimiser("sgd", "sgd", dict(lr=0.1), ["v"], SGD, dict(lr=0.1), [])
optimiser("sgd l2", "sgd", dict(lr=0.1), ["v"], SGD, dict(lr=0.1), [], l2=0.05)
optimiser("sgd momentum", "sgd", dict(lr=0.1, momentum=0.9), ["v"], SGD, dict(lr=0.1, momentum=0.9), BUFFER, l2=0.05)
optimiser("sgd nesterov", "sgd", dict(lr=0.1, momentum=0.9, nesterov=1), ["v"], SGD,
          dict(lr=0.1, momentum=0.9, nesterov=True), BUFFER, l2=0.05)
ADAM = dict(lr=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8)
TWIN = dict(lr=0.01, betas=(single(0.9), single(0.999)), eps=1e-8)
optimiser("adam", "adam", ADAM, ["m", "v"], torch.optim.Adam, TWIN, BOTH)
optimiser("adam l2", "adam", ADAM, ["m", "v"], torch.optim.Adam, TWIN, BOTH, l2=0.05)
optimiser("adamw", "adam", ADAM, ["m", "v"], torch.optim.AdamW, TWIN, BOTH, decay=0.5)
RMSPROP = dict(lr=0.01, alpha=0.99, epsilon=1e-8)
TWIN = dict(lr=0.01, alpha=0.99, eps=1e-8)
optimiser("rmsprop", "rmsprop", RMSPROP, ["v", "m"], torch.optim.RMSprop, TWIN, ["square_avg"])
optimiser("rmsprop momentum", "rmsprop", dict(RMSPROP, momentum=0.9), ["v", "m"], torch.optim.RMSprop,
          dict(TWIN, momentum=0.9), ["square_avg", "momentum_buffer"], l2=0.05)
optimiser("adagrad", "adagrad", dict(lr=0.1, epsilon=1e-10), ["v"], torch.optim.Adagrad, dict(lr=0.1, eps=1e-10), ["sum"])
optimiser("adagrad l2", "adagrad", dict(lr=0.1, epsilon=1e-10), ["v"], torch.optim.Adagrad, dict(lr=0.1, eps=1e-10),
          ["sum"], l2=0.05)
optimiser("adadelta", "adadelta", dict(lr=1.0, rho=0.9, epsilon=1e-6), ["v", "u"], torch.optim.Adadelta,
          dict(lr=1.0, rho=0.9, eps=1e-6), ["square_avg", "acc_delta"], l2=0.05)


@comparison("clip", 16)
def clip(cairn, torch_dtype):
    """The norm of all gradients and the clipping, above the limit and below. PyTorch adds 1e-6 to the norm."""
    g = np.random.default_rng(2).normal(0, 1, COUNT).astype(np.float32)
    sumsq = cairn.run(f"reduce kind=sumsq n2={COUNT}", x=g)["y"]
    for limit in (1.5, 1000.0):
        tensor = torch.zeros(COUNT, dtype=torch_dtype, requires_grad=True)
        tensor.grad = torch.tensor(g, dtype=torch_dtype)
        torch.nn.utils.clip_grad_norm_([tensor], limit, foreach=False)
        yield f"limit {limit}", cairn.run(f"clip count={COUNT} limit={limit}", sumsq=sumsq, g=g)["g"], tensor.grad


# The program -------------------------------------------------------------------------------------------------------------


def compare(cairn, name, roundings, function):
    """Prints a line; whether all is within what is allowed."""
    allowed, found, fine = roundings * 2.0 ** -24, [], True
    for dtype, sides in ((torch.float32, 2), (torch.float64, 1)):
        worst, where = max((difference(got, want), what) for what, got, want in function(cairn, dtype))
        fine = fine and worst <= sides * allowed
        found.append(f"{worst:.2e} ({where})")
    print(f"{name:<20} {cairn.device:<12} {found[0]:<22} {found[1]:<22} {allowed:.2e}{'' if fine else '   DIFFERS'}")
    return fine


def main():
    parser = argparse.ArgumentParser(description="Compares Cairn with PyTorch on the same numbers.")
    parser.add_argument("--run-op", default=os.path.join(ROOT, "build", "tests", "run-op"), help="build/tests/run-op")
    parser.add_argument("--device", action="append", help="Cairn's device; may be repeated (reference)")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only comparisons whose name begins with this")
    args = parser.parse_args()
    if not os.path.exists(args.run_op):
        parser.error(f"{args.run_op} is not there: build it with 'ninja -C build tests/run-op', or say where with --run-op")
    chosen = [row for row in COMPARISONS if not args.names or row[0].startswith(tuple(args.names))]
    if not chosen:
        parser.error("no comparison has such a name; there are: " + ", ".join(row[0] for row in COMPARISONS))
    print(f"PyTorch {torch.__version__}, differences relative to the largest number of a tensor; float32 may be twice off")
    print(f"{'comparison':<20} {'device':<12} {'from float32':<22} {'from float64':<22} allowed")
    results = [compare(Cairn(args.run_op, device), *row) for device in args.device or ["reference"] for row in chosen]
    print(f"{sum(results)} of {len(results)} agree")
    sys.exit(0 if all(results) else 1)


main()
