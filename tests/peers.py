"""Cairn's exported models and weights in onnxruntime and PyTorch: the same logits, for every recipe.

Usage: peers.py CAIRN [RECIPE...] [import] [fashion=DIR]. Needs NumPy with onnx and onnxruntime, or with PyTorch; what is not there is named and
left out, and without any of them the exit status is 77. Each recipe trains for three steps on noise (tests/recipes.py); then
images of noise are given to `cairn predict --json`, to onnxruntime with the exported ONNX model, and to PyTorch's modules of the
recipe's layer lines (tools/pytorch/models.py) with the exported weights, loaded by load_state_dict(). The same for a net of every
layer (cli_exchange.py). The other way, nets are trained in PyTorch on small data sets and must have the same test accuracy in Cairn,
with weights brought in as a safetensors file and, where PyTorch can write that, with its ONNX model; and layers that its exporters
write as several nodes give the same logits (import: only these). fashion=DIR: two such nets on the whole of
Fashion-MNIST, whose files are in DIR.
"""

import contextlib
import gzip
import io
import json
import logging
import os
import re
import shutil
import struct
import sys
import warnings

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools")]

import recipes
from cli import png
from cli_exchange import LAYERS

try:
    import numpy as np
except ImportError:
    print("skipped: NumPy is not here")
    sys.exit(77)
try:
    import onnx
    import onnxruntime
except ImportError:
    onnx = None
try:
    import torch
    from pytorch.models import Twin
except ImportError:
    torch = None

IMAGES, NEAR = 5, 1e-5


class Peers(recipes.Bench):
    def call(self, *args):
        result = self.run("reference", *args)
        if result.returncode:
            raise RuntimeError(f"cairn {' '.join(args)}: {result.stderr.strip()}")
        return result.stdout

    def images(self, channels, side):
        """PNG files of noise and their bytes, N x C x H x W."""
        pixels = np.random.default_rng(7).integers(0, 256, (IMAGES, channels, side, side), dtype=np.uint8)
        paths = []
        for i, image in enumerate(pixels):
            paths.append(os.path.join(self.work, f"{channels}-{i}.png"))
            with open(paths[-1], "wb") as file:
                file.write(png(side, side, image.transpose(1, 2, 0).tobytes(), channels))
        return paths, pixels


def shaped(pixels, recipe):
    """As the recipe pads, cuts and crops: what the net takes."""
    pad = [int(n) for n in re.search(r"^  pad: (\d+)x(\d+)", recipe, re.M).groups()]
    patch = re.search(r"^  patches: (\d+)x(\d+)", recipe, re.M)
    crop = re.search(r"^  augment: .* crop=(\d+)x(\d+)", recipe, re.M)
    x = np.pad(pixels, ((0, 0), (0, 0), (pad[0],) * 2, (pad[1],) * 2))
    n, c, h, w = x.shape
    if patch:
        ph, pw = int(patch[1]), int(patch[2])
        x = x.reshape(n, c, h // ph, ph, w // pw, pw).transpose(0, 2, 4, 1, 3, 5).reshape(n, -1, ph, pw)
    if crop:
        top, left = (h - int(crop[1])) // 2, (w - int(crop[2])) // 2
        x = x[:, :, top:top + int(crop[1]), left:left + int(crop[2])]
    return np.ascontiguousarray(x, dtype=np.float32)


def read_weights(path):
    """A safetensors file as load_state_dict() takes it."""
    kinds = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        rest = file.read()
    header.pop("__metadata__", None)
    return {name: torch.from_numpy(np.frombuffer(rest[slice(*t["data_offsets"])], kinds[t["dtype"]]).reshape(t["shape"]).copy())
            for name, t in header.items()}


def by_onnxruntime(path, x):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, {session.get_inputs()[0].name: x})
    assert len(outputs) == 1
    return outputs[0]


def by_torch(path, lines, x, scaling):
    twin = Twin(lines, x.shape[1:])
    twin.load_state_dict(read_weights(path), strict=True)
    with torch.no_grad():
        return twin.eval()((torch.from_numpy(x) - scaling[0]) * scaling[1]).numpy()


def check(bench, name):
    """Distances relative to the largest logit of an image, or to 1 where that is less."""
    data, run = "glyphs" if name == "every layer" else recipes.data_of(name), os.path.join(bench.work, name)
    args = [] if data == "glyphs" else ["--data-dir", os.path.join(bench.work, data)]
    recipe = os.path.join(bench.work, "layers.yaml") if name == "every layer" else name
    bench.call("train", recipe, "--device", "reference", "--out", run, "--quiet", *args, *([] if recipe != name else recipes.settings(name, data)))
    paths, pixels = bench.images(*((3, 32) if data == "cifar" else (1, 28)))
    predicted = json.loads(bench.call("predict", run, *paths, "--device", "reference", "--json", *args))
    ours = np.array([image["outputs"] for image in predicted["images"]])
    lines = [layer["layer"] for layer in json.loads(bench.call("summary", os.path.join(run, "recipe.yaml"), "--json", *args))["layers"]]
    with open(os.path.join(run, "recipe.yaml"), encoding="utf-8") as file:
        x = shaped(pixels, file.read())
    scale = np.maximum(1, np.abs(ours).max(axis=1, keepdims=True))
    found = {}
    if onnx:
        bench.call("export", run, f"{run}.onnx", *args)
        theirs = by_onnxruntime(f"{run}.onnx", x)
        if lines[-1].startswith("softmax"):  # the model's output; a cross-entropy's logits lie before it
            ours_as_output = np.array([image["probabilities"] for image in predicted["images"]])
            found["onnxruntime"] = np.abs(theirs - ours_as_output).max()
        else:
            found["onnxruntime"] = np.abs((theirs - ours) / scale).max()
    if torch and recipe == name:  # those modules have no convolution behind a linear layer
        bench.call("export", run, f"{run}.safetensors", *args)
        with open(os.path.join(run, "last.safetensors"), "rb") as file:
            state = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))["__metadata__"]
        scaling = [float.fromhex(state[key]) for key in ("cairn.shift", "cairn.scale")]
        found["PyTorch"] = np.abs((by_torch(f"{run}.safetensors", lines, x, scaling) - ours) / scale).max()
    bench.tell(all(far <= NEAR for far in found.values()), f"{name}: " + ", ".join(f"{k} {v:.1e}" for k, v in found.items()))
    shutil.rmtree(run)


# From PyTorch ------------------------------------------------------------------------------------------------------------


# Lines of a recipe, and the nn.Sequential that a user of PyTorch would write for them.
NETS = {
    "lenet": (["conv 6 5x5", "maxpool 2", "conv 16 5x5", "maxpool 2", "flatten", "linear 120", "relu", "linear 10"],
              lambda n: [n.Conv2d(1, 6, 5), n.MaxPool2d(2), n.Conv2d(6, 16, 5), n.MaxPool2d(2), n.Flatten(), n.Linear(256, 120), n.ReLU(),
                         n.Linear(120, 10)]),
    "norms": (["conv 4 3x3 pad=1", "batchnorm", "relu", "maxpool 2", "conv 8 3x3 pad=1 bias=no", "batchnorm", "silu", "avgpool 7",
               "dropout 0.1", "flatten", "linear 10"],
              lambda n: [n.Conv2d(1, 4, 3, padding=1), n.BatchNorm2d(4), n.ReLU(), n.MaxPool2d(2),
                         n.Conv2d(4, 8, 3, padding=1, bias=False), n.BatchNorm2d(8), n.SiLU(), n.AvgPool2d(7), n.Dropout(0.1),
                         n.Flatten(), n.Linear(32, 10)]),
}
LARGE = {
    "mlp": (["flatten", "linear 128", "relu", "linear 10"], lambda n: [n.Flatten(), n.Linear(784, 128), n.ReLU(), n.Linear(128, 10)]),
    "lenet": NETS["lenet"],
}
RECIPE = """
data: {{name: mnist, normalize: 01}}
model: [{}]
train: {{optimizer: sgd momentum=0.9, learning_rate: 0.02, batch: 50, epochs: 1}}
"""


def write_patterns(folder, train=600, test=400):
    """Ten classes, each a pattern of its own under so much noise that no net is right everywhere. Pixels and labels of both parts."""
    rng = np.random.default_rng(5)
    patterns, parts = np.kron(rng.uniform(60, 200, (10, 7, 7)), np.ones((4, 4))), []
    os.mkdir(folder)
    for part, count in (("train", train), ("t10k", test)):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        pixels = np.clip(patterns[labels] + rng.normal(0, 110, (count, 28, 28)), 0, 255).astype(np.uint8)
        with open(os.path.join(folder, f"{part}-images-idx3-ubyte"), "wb") as file:
            file.write(struct.pack(">IIII", 2051, count, 28, 28) + pixels.tobytes())
        with open(os.path.join(folder, f"{part}-labels-idx1-ubyte"), "wb") as file:
            file.write(struct.pack(">II", 2049, count) + labels.tobytes())
        parts.append((torch.from_numpy(pixels[:, None].astype(np.float32) / np.float32(255)), torch.from_numpy(labels.astype(np.int64))))
    return parts


def write_weights(path, state):
    """A state_dict as a safetensors file."""
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, tensor in state.items():
        array = tensor.numpy()
        piece = array.astype("<i8" if array.dtype == np.int64 else "<f4").tobytes()
        header[name] = {"dtype": "I64" if array.dtype == np.int64 else "F32", "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(piece)]}
        data += piece
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


# Layers that PyTorch's exporters write as several nodes, or with attributes of their own; and what they are in a recipe.
EXPORTED = {
    "gelu": (lambda n: n.GELU(), ["gelu"]),
    "gelu tanh": (lambda n: n.GELU(approximate="tanh"), ["gelu form=tanh"]),
    "silu": (lambda n: n.SiLU(), ["silu"]),
    "hardswish": (lambda n: n.Hardswish(), ["hardswish"]),
    "hardsigmoid": (lambda n: n.Hardsigmoid(), ["hardsigmoid"]),
    "maxpool ceil": (lambda n: n.MaxPool2d(3, 2, 1, ceil_mode=True), ["maxpool 3 stride=2 pad=1,2,1,2"]),
    "avgpool ceil": (lambda n: n.AvgPool2d(3, 2, ceil_mode=True, count_include_pad=False), ["avgpool 3 stride=2 pad=0,1,0,1"]),
    "avgpool that fits": (lambda n: n.AvgPool2d(4, 3, ceil_mode=True), ["avgpool 4 stride=3 count_pad=yes"]),
    "batchnorm": (lambda n: n.BatchNorm2d(6), ["batchnorm"]),
    "dropout": (lambda n: n.Sequential(n.Dropout(0.3), n.Identity()), []),
    "prelu": (lambda n: n.PReLU(), None),
    "relu6": (lambda n: n.ReLU6(), None),
}


def check_exported(bench, name, folder, parts):
    """A layer between a convolution and a linear one, written by both exporters, with opsets before and after Gelu was an operator."""
    module, lines = EXPORTED[name]
    torch.manual_seed(4)
    layer = module(torch.nn)
    first = [torch.nn.Conv2d(1, 6, 3, padding=1), layer, torch.nn.Flatten()]
    inputs = torch.nn.Sequential(*first).eval()(torch.zeros(1, 1, 28, 28)).shape[1]
    net = torch.nn.Sequential(*first, torch.nn.Linear(inputs, 10)).eval()
    for statistics in [m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]:
        statistics.running_mean.uniform_(-1, 1)
        statistics.running_var.uniform_(0.5, 2)
    with torch.no_grad():
        logits = net(parts[1][0][:50]).numpy()
    recipe, args = os.path.join(bench.work, "exported.yaml"), ["--data-dir", folder]
    with open(recipe, "w", encoding="utf-8") as file:
        file.write(RECIPE.format("flatten, linear 10"))
    for dynamo, opset in ((False, 17), (False, 20), (True, 18), (True, 20)):
        path, run = os.path.join(bench.work, f"{'dynamo' if dynamo else 'traced'}-{opset}.onnx"), os.path.join(bench.work, "exported")
        if not export_from_torch(net, path, dynamo, opset):
            continue
        what = f"{name}, {os.path.basename(path)}"
        result = bench.run("reference", "import", path, run, "--force", "--recipe", recipe, *args)
        if lines is None:
            bench.tell(result.returncode == 2 and len(result.stderr.splitlines()) == 1, f"{what}: refused: {result.stderr.strip()}")
            continue
        if result.returncode:
            bench.tell(False, f"{what}: {result.stderr.strip()}")
            continue
        predicted = json.loads(bench.call("predict", run, *(f"test:{i}" for i in range(50)), "--device", "reference", "--json", *args))
        ours = np.array([image["outputs"] for image in predicted["images"]])
        far = np.abs((ours - logits) / np.maximum(1, np.abs(logits).max(axis=1, keepdims=True))).max()
        with open(os.path.join(run, "recipe.yaml"), encoding="utf-8") as file:
            found = [line[4:].strip("\n'") for line in file if line.startswith("  - ")][1:-1]
        plain = [line for line in found if not line.startswith(("dropout", "none"))]
        bench.tell(far <= NEAR and plain in (lines, [] if name == "batchnorm" else lines), f"{what}: {found}; logits {far:.1e}")


def read_part(folder, part):
    """Pixels and labels of MNIST's files, as write_patterns() gives them."""
    arrays = []
    for kind, head in (("images-idx3", 16), ("labels-idx1", 8)):
        with gzip.open(os.path.join(folder, f"{part}-{kind}-ubyte.gz")) as file:
            arrays.append(np.frombuffer(file.read(), np.uint8, offset=head))
    return (torch.from_numpy(arrays[0].reshape(-1, 1, 28, 28).astype(np.float32) / np.float32(255)),
            torch.from_numpy(arrays[1].astype(np.int64)))


def train_in_torch(net, pixels, labels):
    torch.manual_seed(3)
    update = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for _ in range(10 if len(labels) < 10000 else 2):
        for rows in torch.randperm(len(labels)).split(50):
            update.zero_grad()
            torch.nn.functional.cross_entropy(net(pixels[rows]), labels[rows]).backward()
            update.step()
    return net.eval()


def export_from_torch(net, path, dynamo, opset=None):
    """Whether PyTorch wrote its ONNX model: with the exporter of dynamo, which needs onnxscript, or the older one."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            torch.onnx.export(net, (torch.zeros(2, 1, 28, 28),), path, input_names=["x"], verbose=False, dynamo=dynamo, opset_version=opset,
                              **({} if dynamo else {"dynamic_axes": {"x": {0: "batch"}}}))
    except Exception as error:  # what is missing differs from release to release
        print(f"skipped: PyTorch wrote no {os.path.basename(path)}: {str(error).splitlines()[0]}")
        return False
    return True


def check_from_torch(bench, name, folder, parts):
    """Both ways of a trained net into Cairn: as accurate there, and trained further."""
    lines, modules = LARGE[name] if len(parts[1][1]) == 10000 else NETS[name]
    net = train_in_torch(torch.nn.Sequential(*modules(torch.nn)), *parts[0])
    with torch.no_grad():
        logits = net(parts[1][0])
    images, right = len(parts[1][1]), int((logits.argmax(1) == parts[1][1]).sum())
    scale = np.maximum(1, np.abs(logits[:50].numpy()).max(axis=1, keepdims=True))
    recipe, args = os.path.join(bench.work, name + ".yaml"), ["--data-dir", folder]
    with open(recipe, "w", encoding="utf-8") as file:
        file.write(RECIPE.format(", ".join(lines)))
    write_weights(os.path.join(bench.work, "torch.safetensors"), net.state_dict())
    files = ["torch.safetensors"]
    files += ["dynamo.onnx"] if export_from_torch(net, os.path.join(bench.work, "dynamo.onnx"), True) else []
    files += ["traced.onnx"] if export_from_torch(net, os.path.join(bench.work, "traced.onnx"), False) else []
    for file in files:
        run = os.path.join(bench.work, "from-" + file)
        bench.call("import", os.path.join(bench.work, file), run, "--force", "--recipe", recipe, *args)
        found = json.loads(bench.call("eval", run, "--device", "reference", "--json", *args))
        predicted = json.loads(bench.call("predict", run, *(f"test:{i}" for i in range(50)), "--device", "reference", "--json", *args))
        ours = np.array([image["outputs"] for image in predicted["images"]])
        far = np.abs((ours - logits[:50].numpy()) / scale).max()
        if images < 10000:
            bench.call("train", os.path.join(run, "recipe.yaml"), "--out", run, "--resume", "--device", "reference", "--quiet", *args)
        bench.tell(found["correct"] == right and far <= NEAR and images / 2 < right < images,
                   f"{name} trained in PyTorch, {file}: right {right} of {images} there, {found['correct']} here; logits {far:.1e}")


def main():
    for module, text in ((onnx, "onnx and onnxruntime"), (torch, "PyTorch")):
        if not module:
            print(f"skipped: {text} is not here")
    if not onnx and not torch:
        sys.exit(77)
    if torch:
        torch.set_num_threads(1)
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    bench = Peers(os.path.abspath(sys.argv[1]))
    try:
        recipes.write_idx(os.path.join(bench.work, "idx"))
        recipes.write_cifar(os.path.join(bench.work, "cifar"))
        with open(os.path.join(bench.work, "layers.yaml"), "w", encoding="utf-8") as file:
            file.write(LAYERS)
        names = sys.argv[2:] or ["every layer", *sorted(file[:-5] for file in os.listdir(recipes.RECIPES) if file.endswith(".yaml"))]
        folder = os.path.join(bench.work, "patterns")
        parts = write_patterns(folder) if torch else None
        if "import" in names or len(sys.argv) < 3:
            names = [*(("net", name) for name in NETS if torch), *(("layer", name) for name in EXPORTED if torch), *names]
        for name in names:
            try:
                if name == "import":
                    continue
                if isinstance(name, str) and name.startswith("fashion="):
                    place = name.partition("=")[2]
                    for net in LARGE:
                        check_from_torch(bench, net, place, [read_part(place, part) for part in ("train", "t10k")])
                elif name[0] == "net":
                    check_from_torch(bench, name[1], folder, parts)
                elif name[0] == "layer":
                    check_exported(bench, name[1], folder, parts)
                else:
                    check(bench, name)
            except Exception as error:  # the next recipe has its turn
                bench.tell(False, f"{name}: {error}")
    finally:
        shutil.rmtree(bench.work)
    print(f"{bench.passed} passed, {bench.failed} failed")
    sys.exit(bench.failed > 0)


main()
