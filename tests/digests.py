"""The promise, end to end: one recipe and seed, the same weights_sha256 on every device, thread count and path.

Usage: digests.py CAIRN [--markdown]. Trains both convolutional recipes on real images (MNIST and Fashion-MNIST in
$CAIRN_DATA_DIR, else ../shared/datasets) on the reference and on PoCL with one and two threads, interrupted and resumed,
and begun on one device and resumed on another; shorter on rusticl; a net with every feature of recipes; and a tiny net on the built-in glyphs on every
implementation, Oclgrind included. What is not installed, and data that is not there, is named and left out; PoCL must be
there. --markdown prints the table of docs/devices.md.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OCLGRIND = ["/usr/lib/oclgrind/liboclgrind-rt-icd.so", "/usr/lib/x86_64-linux-gnu/oclgrind/liboclgrind-rt-icd.so"]


class Device:
    def __init__(self, label, spec, **env):
        self.label, self.spec, self.env = label, spec, env


REFERENCE = Device("reference", "reference")
POCL = Device("PoCL, two threads", "opencl", OCL_ICD_VENDORS="pocl.icd", POCL_MAX_PTHREAD_COUNT="2")
POCL1 = Device("PoCL, one thread", "opencl", OCL_ICD_VENDORS="pocl.icd", POCL_MAX_PTHREAD_COUNT="1")
RUSTICL = Device("rusticl (llvmpipe)", "opencl", OCL_ICD_VENDORS="rusticl.icd", RUSTICL_ENABLE="llvmpipe")


def oclgrind(log):
    for icd in OCLGRIND:
        if os.path.exists(icd):
            # Without OCLGRIND_UNINITIALIZED: it forgets what was written when a buffer is written in two parts, as the images
            # are, and then reports every use of it. The checker's own run under Oclgrind has it on.
            return Device("Oclgrind", "opencl", OCL_ICD_VENDORS=icd, OCLGRIND_DATA_RACES="1", OCLGRIND_CHECK_API="1",
                          OCLGRIND_LOG=log)
    return None


class Bench:
    """Runs cairn with a private folder for runs."""

    def __init__(self, cairn):
        self.cairn, self.work = cairn, tempfile.mkdtemp(prefix="cairn-digests-")
        self.failures, self.rows = 0, []
        self.count = 0

    def environment(self, device):
        env = dict(os.environ, CAIRN_RECIPE_DIR=os.path.join(ROOT, "data/recipes"))
        env.pop("CAIRN_KERNEL_DIR", None)
        env.update(device.env)
        return env

    def start(self, device, run, args):
        command = [self.cairn, "train", *args, "--device", device.spec, "--out", run, "--quiet"]
        return subprocess.Popen(command, env=self.environment(device), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def train(self, device, args, run=None, resume=False):
        self.count += 1
        run = run or os.path.join(self.work, f"run{self.count}")
        process = self.start(device, run, args + (["--resume"] if resume else []))
        output, errors = process.communicate(timeout=1500)
        if process.returncode != 0:
            return f"exit status {process.returncode}: {errors.strip() or output.strip()}"
        with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
            return json.load(file)["weights_sha256"]

    def interrupted(self, first, second, args):
        """Interrupts a run after its first checkpoint and resumes it on `second`; a run that was quicker is tried again."""
        for _ in range(8):
            self.count += 1
            run = os.path.join(self.work, f"run{self.count}")
            process = self.start(first, run, args)
            while process.poll() is None and not os.path.exists(os.path.join(run, "last.safetensors")):
                time.sleep(0.002)
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=600)
            if os.path.exists(os.path.join(run, "summary.json")):
                continue
            return self.train(second, args, run, resume=True)
        return "the run ended before it could be interrupted, eight times"

    def row(self, what, path, digest, expected):
        good = digest == expected and len(digest) == 64
        self.failures += not good
        self.rows.append((what, path, digest[:16] if len(digest) == 64 else digest, "same" if good else "DIFFERENT"))
        print(f"{'ok  ' if good else 'FAIL'} {what}: {path}: {digest}", flush=True)


def available(bench, device):
    result = subprocess.run([bench.cairn, "devices"], env=bench.environment(device), capture_output=True, text=True)
    return "opencl:" in result.stdout


def data_folder(name):
    base = os.environ.get("CAIRN_DATA_DIR") or os.path.join(ROOT, "..", "shared", "datasets")
    folder = os.path.join(base, name)
    return folder if os.path.isdir(folder) else None


def real_images(bench):
    recipes = [("mnist-lenet", "mnist", []), ("kmnist-cnn on Fashion-MNIST", "fashion", ["--set", "data.name=fashion-mnist"])]
    for what, folder, extra in recipes:
        data = data_folder(folder)
        if not data:
            print(f"skipped: {what}: no folder {folder} in $CAIRN_DATA_DIR or ../shared/datasets")
            continue
        recipe = [what.split()[0], "--data-dir", data, *extra]
        args = recipe + ["--limit-train", "2000", "--limit-test", "500", "--epochs", "2"]
        what2 = what + ", 2000 images, 2 epochs"
        expected = bench.train(REFERENCE, args)
        bench.row(what2, "reference", expected, expected)
        bench.row(what2, "PoCL, two threads", bench.train(POCL, args), expected)
        bench.row(what2, "PoCL, one thread", bench.train(POCL1, args), expected)
        bench.row(what2, "PoCL, interrupted and resumed", bench.interrupted(POCL, POCL, args), expected)
        bench.row(what2, "begun on PoCL, resumed on the reference", bench.interrupted(POCL, REFERENCE, args), expected)
        if available(bench, RUSTICL):
            args = recipe + ["--limit-train", "256", "--limit-test", "100", "--epochs", "1"]
            what1 = what + ", 256 images, 1 epoch"
            expected = bench.train(REFERENCE, args)
            bench.row(what1, "reference", expected, expected)
            bench.row(what1, RUSTICL.label + ", integer fma", bench.train(RUSTICL, args), expected)
        else:
            print("skipped: rusticl is not installed")


def tiny_net(bench):
    log = os.path.join(bench.work, "oclgrind.log")
    grind = oclgrind(log)
    args = ["glyphs-tiny", "--limit-train", "20", "--limit-test", "4", "--epochs", "1", "--set", "train.batch=8"]
    what = "glyphs-tiny, 18 images in 3 steps"
    expected = bench.train(REFERENCE, args)
    for device in [REFERENCE, POCL, RUSTICL, grind]:
        if device is None or (device is RUSTICL and not available(bench, device)):
            print("skipped:", "Oclgrind is not installed" if device is None else "rusticl is not installed")
            continue
        bench.row(what, device.label, bench.train(device, args), expected)
    if grind and os.path.exists(log) and os.path.getsize(log):
        bench.failures += 1
        with open(log, encoding="utf-8", errors="replace") as file:
            print("FAIL Oclgrind reported:\n" + file.read()[:4000])


EVERYTHING = """
data: {name: glyphs, limit_train: 150, limit_test: 60, validation: 0.1, pad: 2, augment: shift=1 flip=yes rotate=10 crop=28}
model:
  - conv 6 5x5 stride=2 pad=same as=a
  - batchnorm
  - gelu
  - conv 6 3x3 pad=same groups=2 bias=no
  - add a
  - avgpool 3 stride=2 pad=1
  - dropout 0.2
  - linear 10
train:
  loss: cross-entropy
  smoothing: 0.1
  class_weights: balanced
  optimizer: adamw
  learning_rate: 3e-3
  schedule: plateau patience=1 factor=0.5 warmup=3
  l1: 1e-6
  l2: 1e-4
  decay_per: sample
  clip: 1
  accumulate: 4
  batch: 32
  steps: 120
  evaluate_every: 4 steps
  test_curve: yes
"""
OPTIMIZERS = ["sgd momentum=0.9 nesterov=yes", "rmsprop momentum=0.5", "adagrad", "adadelta"]


def everything(bench):
    """What a recipe can switch on, all at once; and each optimizer."""
    recipe = os.path.join(bench.work, "everything.yaml")
    with open(recipe, "w", encoding="utf-8") as file:
        file.write(EVERYTHING)
    what = "every feature, 120 steps"
    expected = bench.train(REFERENCE, [recipe])
    for device in [REFERENCE, POCL, POCL1]:
        bench.row(what, device.label, bench.train(device, [recipe]), expected)
    bench.row(what, "PoCL, interrupted and resumed", bench.interrupted(POCL, POCL, [recipe]), expected)
    bench.row(what, "begun on PoCL, resumed on the reference", bench.interrupted(POCL, REFERENCE, [recipe]), expected)
    short = [recipe, "--set", "train.steps=2", "--limit-train", "40", "--limit-test", "4", "--set", "train.schedule=cosine"]
    if available(bench, RUSTICL):
        bench.row("every feature, 2 steps", RUSTICL.label, bench.train(RUSTICL, short), bench.train(REFERENCE, short))
    for optimizer in OPTIMIZERS:
        args = [recipe, "--set", "train.optimizer=" + optimizer, "--set", "train.loss=mse", "--set", "train.smoothing=0"]
        bench.row("mse, " + optimizer, "PoCL, two threads", bench.train(POCL, args), bench.train(REFERENCE, args))


def main():
    bench = Bench(os.path.abspath(sys.argv[1]))
    try:
        if not available(bench, POCL):
            sys.exit("digests: PoCL is not there: install pocl-opencl-icd")
        tiny_net(bench)
        everything(bench)
        real_images(bench)
        if "--markdown" in sys.argv:
            print("| recipe | path | weights_sha256 | |\n|---|---|---|---|")
            for row in bench.rows:
                print("| {} | {} | `{}...` | {} |".format(*row))
    finally:
        shutil.rmtree(bench.work, ignore_errors=True)
    print(f"{len(bench.rows)} digests, {bench.failures} failures")
    sys.exit(1 if bench.failures or not bench.rows else 0)


if __name__ == "__main__":
    main()
