"""Cairn's exported models and weights in onnxruntime and PyTorch: the same logits, for every recipe.

Usage: peers.py CAIRN [RECIPE...]. Needs NumPy with onnx and onnxruntime, or with PyTorch; what is not there is named and
left out, and without any of them the exit status is 77. Each recipe trains for three steps on noise (tests/recipes.py); then
images of noise are given to `cairn predict --json`, to onnxruntime with the exported ONNX model, and to PyTorch's modules of the
recipe's layer lines (tools/pytorch/models.py) with the exported weights, loaded by load_state_dict().
"""

import json
import os
import re
import shutil
import struct
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)), os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools")]

import recipes
from cli import png

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
    data, run = recipes.data_of(name), os.path.join(bench.work, name)
    args = [] if data == "glyphs" else ["--data-dir", os.path.join(bench.work, data)]
    bench.call("train", name, "--device", "reference", "--out", run, "--quiet", *args, *recipes.settings(name, data))
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
    if torch:
        bench.call("export", run, f"{run}.safetensors", *args)
        with open(os.path.join(run, "last.safetensors"), "rb") as file:
            state = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))["__metadata__"]
        scaling = [float.fromhex(state[key]) for key in ("cairn.shift", "cairn.scale")]
        found["PyTorch"] = np.abs((by_torch(f"{run}.safetensors", lines, x, scaling) - ours) / scale).max()
    bench.tell(all(far <= NEAR for far in found.values()), f"{name}: " + ", ".join(f"{k} {v:.1e}" for k, v in found.items()))
    shutil.rmtree(run)


def main():
    for module, text in ((onnx, "onnx and onnxruntime"), (torch, "PyTorch")):
        if not module:
            print(f"skipped: {text} is not here")
    if not onnx and not torch:
        sys.exit(77)
    if torch:
        torch.set_num_threads(1)
    bench = Peers(os.path.abspath(sys.argv[1]))
    try:
        recipes.write_idx(os.path.join(bench.work, "idx"))
        recipes.write_cifar(os.path.join(bench.work, "cifar"))
        for name in sys.argv[2:] or sorted(file[:-5] for file in os.listdir(recipes.RECIPES) if file.endswith(".yaml")):
            try:
                check(bench, name)
            except Exception as error:  # the next recipe has its turn
                bench.tell(False, f"{name}: {error}")
    finally:
        shutil.rmtree(bench.work)
    print(f"{bench.passed} passed, {bench.failed} failed")
    sys.exit(bench.failed > 0)


main()
