"""Every recipe of data/recipes runs from end to end on files in its data set's format, and ends in the same weights on
every device after a few steps.

Usage: recipes.py CAIRN [RECIPE...]. Writes small data sets of noise as IDX and CIFAR-10 files, trains each recipe for three steps
(small batches, whatever else the recipe says) on the reference, on PoCL and, where it is quick enough, on rusticl, evaluates
the run, and asks `cairn summary` for the parameter counts that "Fashion-MNIST classification" prints. What is not
installed is named and left out; PoCL must be there.
"""

import gzip
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECIPES = os.path.join(ROOT, "data", "recipes")
TRAIN, TEST, BATCH, STEPS = 40, 12, 8, 3

# Too much arithmetic for rusticl's integer fma within a test.
SLOW_ON_RUSTICL = {"cifar10-convnet", "cifar10-resnet20", "cifar10-vgg11", "fashion-resnet", "fashion-vgg11"}

# The layers with parameters, as the report lists them.
PARAMETERS = {
    "fashion-cnn-a": [40, 8, 148, 8, 1970],
    "fashion-cnn-b": [320, 582500, 1010],
    "fashion-cnn-c": [320, 1156, 8, 16900, 15150, 1510],
}

DEVICES = {
    "reference": ("reference", {}),
    "PoCL": ("opencl", {"OCL_ICD_VENDORS": "pocl.icd"}),
    "rusticl": ("opencl", {"OCL_ICD_VENDORS": "rusticl.icd", "RUSTICL_ENABLE": "llvmpipe"}),
}


def write_idx(folder):
    noise = random.Random(1)
    os.mkdir(folder)
    for part, count in (("train", TRAIN), ("t10k", TEST)):
        with gzip.open(os.path.join(folder, f"{part}-images-idx3-ubyte.gz"), "wb") as file:
            file.write(struct.pack(">IIII", 2051, count, 28, 28) + noise.randbytes(count * 784))
        with gzip.open(os.path.join(folder, f"{part}-labels-idx1-ubyte.gz"), "wb") as file:
            file.write(struct.pack(">II", 2049, count) + bytes(i % 10 for i in range(count)))


def write_cifar(folder):
    noise = random.Random(2)
    os.mkdir(folder)
    files = [(f"data_batch_{i}.bin", TRAIN // 5) for i in range(1, 6)] + [("test_batch.bin", TEST)]
    for name, count in files:
        with open(os.path.join(folder, name), "wb") as file:
            for i in range(count):
                file.write(bytes([i % 10]) + noise.randbytes(3072))


class Bench:
    def __init__(self, cairn):
        self.cairn, self.work = cairn, tempfile.mkdtemp(prefix="cairn-recipes-")
        self.passed = self.failed = 0

    def run(self, device, *args):
        env = dict(os.environ, CAIRN_RECIPE_DIR=RECIPES)
        for name in ("CAIRN_KERNEL_DIR", "CAIRN_DATA_DIR"):
            env.pop(name, None)
        env.update(DEVICES[device][1])
        return subprocess.run([self.cairn, *args], env=env, capture_output=True, text=True, timeout=900)

    def tell(self, good, text):
        self.passed += good
        self.failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {text}", flush=True)
        return good


def settings(name, data):
    """Few images, small batches, three steps: the rest is the recipe's own."""
    with open(os.path.join(RECIPES, name + ".yaml"), encoding="utf-8") as file:
        text = re.sub(r"#.*", "", file.read())
    pairs = []
    batch = int((re.search(r"\bbatch: *(\d+)", text) or [0, "64"])[1])
    if batch > BATCH:
        pairs.append(f"train.batch={BATCH}")
    if re.search(r"\bsteps: ", text):
        pairs += [f"train.steps={STEPS}", "train.evaluate_every=2 steps"]
        images = TRAIN
    else:
        pairs.append("train.epochs=1")
        images = min(batch, BATCH) * STEPS
    if "validation:" in text:
        pairs.append("data.validation=4")
        images += 4
    if data == "glyphs":
        pairs.append(f"data.limit_test={TEST}")
    pairs.append(f"data.limit_train={images}")
    return [word for pair in pairs for word in ("--set", pair)]


def data_of(name):
    with open(os.path.join(RECIPES, name + ".yaml"), encoding="utf-8") as file:
        kind = re.search(r"\bname: *([\w-]+)", re.sub(r"#.*", "", file.read()))[1]
    return {"glyphs": "glyphs", "cifar10": "cifar"}.get(kind, "idx")


def check_recipe(bench, name, devices):
    data = data_of(name)
    args = [] if data == "glyphs" else ["--data-dir", os.path.join(bench.work, data)]
    digests, took = {}, []
    for device in devices:
        if device == "rusticl" and name in SLOW_ON_RUSTICL:
            continue
        run, start = os.path.join(bench.work, f"{name}-{device}"), time.monotonic()
        result = bench.run(device, "train", name, "--device", DEVICES[device][0], "--out", run, "--quiet", *args,
                           *settings(name, data))
        if result.returncode:
            bench.tell(False, f"{name}: {device}: exit status {result.returncode}: {result.stderr.strip()}")
            return
        with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
            digests[device] = json.load(file)["weights_sha256"]
        took.append(f"{device} {time.monotonic() - start:.1f} s")
    same = len(set(digests.values())) == 1
    bench.tell(same, f"{name}: {digests['reference'][:16]} on {', '.join(took)}" if same else f"{name}: {digests}")
    result = bench.run("reference", "eval", os.path.join(bench.work, f"{name}-reference"), "--device", "reference", *args)
    if result.returncode:
        bench.tell(False, f"{name}: eval: {result.stderr.strip()}")
    check_exchange(bench, name, os.path.join(bench.work, f"{name}-reference"), args)


def check_exchange(bench, name, run, args):
    """The run's exported model and weights, imported again: the same weights, and the same outputs bit for bit."""
    images = [f"test:{i}" for i in range(4)]
    wanted = json.loads(bench.run("reference", "predict", run, *images, "--device", "reference", "--json", *args).stdout)
    for file, more in (("m.onnx", []), ("m.safetensors", ["--recipe", os.path.join(run, "recipe.yaml")])):
        again, path = os.path.join(bench.work, "again"), os.path.join(bench.work, file)
        result = bench.run("reference", "export", run, path, "--force", *args)
        if "libprotobuf-c" in result.stderr:
            print("skipped: this build has no ONNX")
            continue
        if result.returncode == 0:
            result = bench.run("reference", "import", path, again, "--force", *more, *args)
        if result.returncode == 0:
            result = bench.run("reference", "predict", again, *images, "--device", "reference", "--json", *args)
        found = json.loads(result.stdout) if result.returncode == 0 else {}
        same = all(found.get(key) == wanted[key] for key in ("weights_sha256", "images"))
        bench.tell(same, f"{name}: back from {file}" + ("" if same else f": {result.stderr.strip()}: {str(found)[:300]}"))


def check_parameters(bench, name, wanted):
    args = ["--data-dir", os.path.join(bench.work, "idx")]
    result = bench.run("reference", "summary", name, "--json", *args)
    if result.returncode:
        bench.tell(False, f"{name}: summary: {result.stderr.strip()}")
        return
    found = [layer["parameters"] for layer in json.loads(result.stdout)["layers"] if layer["parameters"]]
    bench.tell(found == wanted, f"{name}: parameters {found}, the report's are {wanted}")


def main():
    bench = Bench(os.path.abspath(sys.argv[1]))
    names = sys.argv[2:] or sorted(file[:-5] for file in os.listdir(RECIPES) if file.endswith(".yaml"))
    try:
        write_idx(os.path.join(bench.work, "idx"))
        write_cifar(os.path.join(bench.work, "cifar"))
        devices = ["reference"]
        for device in ("PoCL", "rusticl"):
            if "opencl:" in bench.run(device, "devices").stdout:
                devices.append(device)
            else:
                print(f"skipped: {device} is not here")
        bench.tell("PoCL" in devices, "PoCL is here")
        for name in names:
            check_recipe(bench, name, devices)
        for name, wanted in PARAMETERS.items():
            if name in names:
                check_parameters(bench, name, wanted)
    finally:
        shutil.rmtree(bench.work)
    print(f"{bench.passed} passed, {bench.failed} failed")
    sys.exit(bench.failed > 0)


if __name__ == "__main__":
    main()
