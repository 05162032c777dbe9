"""What the comparisons share: Cairn's operators and program as functions, and the measure of a difference."""

import json
import os
import struct
import subprocess
import sys
import tempfile
from typing import NamedTuple

import numpy as np
import torch

UNIT = 2.0 ** -24  # half an ulp of 1: what one rounding costs, relatively
DOUBLE = torch.float64


def fail(status, text):
    print(f"compare-torch.py: {text}", file=sys.stderr)
    sys.exit(status)


class Cairn:
    """Operators of one device through run-op, and the program on it."""

    def __init__(self, build, recipes, device):
        self.run_op, self.program = os.path.join(build, "tests", "run-op"), os.path.join(build, "tools", "cairn")
        self.device = device
        self.environment = dict(os.environ, CAIRN_RECIPE_DIR=recipes)

    def call(self, *args):
        done = subprocess.run(args, capture_output=True, text=True, env=self.environment)
        if done.returncode:
            fail(done.returncode, f"{' '.join(args)}: {done.stderr.strip()}")
        return done.stdout

    def run(self, problem, **operands):
        """Runs a problem; returns its results by name, flat."""
        rows = [row.split() for row in self.call(self.run_op, "--list", problem).splitlines()]
        with tempfile.TemporaryDirectory() as folder:
            for name, dtype, role, _ in rows:
                if role in ("in", "inout"):
                    np.ascontiguousarray(operands[name], dtype=dtype).tofile(os.path.join(folder, name))
            self.call(self.run_op, "--device", self.device, problem, folder)
            return {name: np.fromfile(os.path.join(folder, name), dtype=dtype)
                    for name, dtype, role, _ in rows if role in ("out", "inout")}

    def summary(self, recipe, *sets):
        return json.loads(self.call(self.program, "summary", recipe, "--json", *sets))

    def train(self, recipe, folder, data, sets):
        """Trains; the run's folder is `folder`."""
        args = [word for key, value in sets.items() for word in ("--set", f"{key}={value}")]
        self.call(self.program, "train", recipe, "--device", self.device, "--data-dir", data, "--out", folder, "--quiet",
                  *args)


def read_safetensors(path):
    """({name: array}, metadata) of a file of float32 tensors."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        rest = file.read()
    metadata = header.pop("__metadata__", {})
    assert all(entry["dtype"] == "F32" for entry in header.values())
    return {name: np.frombuffer(rest[slice(*entry["data_offsets"])], dtype="<f4").reshape(entry["shape"])
            for name, entry in header.items()}, metadata


def problem_line(op, **fields):
    """ "sgd count=3 lr=0.1"; floats as the shortest text of the float32."""
    return op + "".join(f" {key}={np.float32(value) if isinstance(value, float) else value}"
                        for key, value in fields.items())


def single(x):
    """The float32 next to x, as PyTorch takes scalars: Cairn's are float32."""
    return float(np.float32(x))


# Measuring ---------------------------------------------------------------------------------------------------------------


class Result(NamedTuple):
    """Cairn's array, PyTorch's tensor, and what Cairn's may be off: each element by `roundings` 2^-24 times that of `scale`
    (None: the tensor's largest number)."""
    what: str
    got: np.ndarray
    want: torch.Tensor
    roundings: float
    scale: object = None


class Found(NamedTuple):
    """The element that is nearest to what is allowed, or farthest beyond it. Errors are relative to the scale."""
    share: float  # of what is allowed; infinite where the shapes, infinities or NaNs differ
    error: float
    allowed: float
    what: str


def flat(x):
    return (x.detach().double().numpy() if isinstance(x, torch.Tensor) else np.asarray(x, dtype=np.float64)).reshape(-1)


def measure(result, sides):
    """`sides`: 2 where PyTorch computes in float32 too, so that both round."""
    got, want, allowed = flat(result.got), flat(result.want), sides * result.roundings * UNIT
    wrong = Found(np.inf, np.inf, allowed, result.what)
    if got.shape != want.shape:
        return wrong
    fine = np.isfinite(got) & np.isfinite(want)
    if not np.array_equal(got[~fine], want[~fine], equal_nan=True):
        return wrong
    if result.scale is None:
        scale = np.full(want.shape, np.abs(want[fine]).max(initial=0))
    else:
        scale = np.broadcast_to(flat(result.scale), want.shape)
    off, scale = np.abs(got - want)[fine], scale[fine]
    if not (scale[off > 0] > 0).all():
        return wrong
    error = float((off[off > 0] / scale[off > 0]).max(initial=0))
    return Found(error / allowed if allowed else np.inf if error else 0.0, error, allowed, result.what)


# Bounds of docs/ARITHMETIC.md, "Errors", in roundings ---------------------------------------------------------------------


def product_roundings(terms):
    """Of a product, relative to the sum of |a b|."""
    return min(terms, 256) + min(-(-terms // 256), 16) + -(-terms // 4096) + 2


def sum_roundings(terms):
    """Of a sum, relative to the sum of |x|."""
    return 70 + max(0, int(np.ceil(np.log2(terms / 4096))))


def twin(function, dtype, dy, *operands):
    """(y, gradients of the operands) of a PyTorch function by autograd."""
    leaves = [torch.tensor(x, dtype=dtype, requires_grad=True) for x in operands]
    y = function(*leaves)
    y.backward(torch.tensor(dy, dtype=dtype).reshape(y.shape))
    return (y, *(leaf.grad for leaf in leaves))


def scales(function, dy, *operands):
    """The same for absolute values: of a function that is linear in each operand these are the sums of absolute values of
    the terms of its results, the scale that their rounding errors are relative to."""
    return twin(function, DOUBLE, np.abs(dy), *(np.abs(x) for x in operands))


# The list ----------------------------------------------------------------------------------------------------------------

COMPARISONS = []  # (name, function): function(cairn, torch_dtype) yields Results


def comparison(name):
    def add(function):
        COMPARISONS.append((name, function))
        return function
    return add


def generator(seed):
    """Numbers as float32 of a generator with a seed of its own."""
    rng = np.random.default_rng(seed)
    return rng, lambda *shape: rng.normal(0, 1, shape).astype(np.float32)
