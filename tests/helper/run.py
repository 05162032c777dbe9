"""The helper that compiles: a compiler or a kernel that crashes, hangs, ends or fails is a message, and nothing is lost.

Usage: run.py CAIRN HELPER LAYER. LAYER is tests/helper/layer.c, which breaks OpenCL where CAIRN_BROKEN says. Trains the
smallest net on PoCL; checks one operator on rusticl and Oclgrind where they are installed.
"""

import filecmp
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TINY = os.path.join(ROOT, "data", "recipes", "glyphs-tiny.yaml")
OCLGRIND = ["/usr/lib/oclgrind/liboclgrind-rt-icd.so", "/usr/lib/x86_64-linux-gnu/oclgrind/liboclgrind-rt-icd.so"]
RUSTICL = "/etc/OpenCL/vendors/rusticl.icd"

failed = 0


def check(good, what, result=None):
    global failed
    if not good:
        failed += 1
        print("FAIL", what)
        if result:
            print(f"     exit {result.returncode}\n     stdout: {result.stdout[-600:]!r}\n     stderr: {result.stderr!r}")


class Bench:
    def __init__(self, cairn, helper, layer):
        self.cairn, self.layer = cairn, layer
        self.work = tempfile.mkdtemp(prefix="cairn-helper-")
        self.cache, self.log = os.path.join(self.work, "cache"), os.path.join(self.work, "log")
        self.env = dict(os.environ, XDG_CACHE_HOME=self.cache, OCL_ICD_VENDORS="pocl.icd", OPENCL_LAYERS=layer, CAIRN_COMPILE=helper,
                        CAIRN_BROKEN_LOG=self.log)
        for name in ("CAIRN_KERNEL_DIR", "CAIRN_COMPILE_SECONDS", "CAIRN_BROKEN"):
            self.env.pop(name, None)

    def run(self, *args, **env):
        return subprocess.run([self.cairn, *args], cwd=self.work, env=dict(self.env, **env), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=600)

    def train(self, *args, **env):
        result = self.run("train", TINY, "--out", os.path.join(self.work, "run"), "--force", "--json", *args, **env)
        return result, json.loads(result.stdout)["weights_sha256"] if result.returncode == 0 else None

    def times(self):
        """How often the layer broke something; then none."""
        count = 0
        if os.path.exists(self.log):
            with open(self.log, encoding="utf-8") as file:
                count = len(file.readlines())
            os.remove(self.log)
        return count

    def entries(self):
        return glob.glob(os.path.join(self.cache, "cairn", "kernels", "*.bin"))

    def forget(self, kernel):
        """Takes the programs that have this kernel out of the cache."""
        for path in self.entries():
            with open(path, "rb") as file:
                if kernel.encode() in file.read():
                    os.remove(path)

    def told(self, what, kernel, broken, *says, **env):
        """A program that there is no other for: one error that says all of this, and later all is well."""
        self.forget(kernel)
        result, _ = self.train(CAIRN_BROKEN=broken, **env)
        lines = [line for line in result.stderr.splitlines() if not line.startswith(("compil", "training"))]
        check(result.returncode == 3 and len(lines) == 1 and all(s in lines[0] for s in says) and "driver" in lines[0], what, result)
        check(self.times() > 0, f"{what}: nothing was broken")


def test_single(b, whole):
    b.told("a crash in the compiler", "adam", "crash build optimizer.cl", "optimizer.cl (-DFULL=0)", "died of signal 11", "while building",
           "the layer crashes on purpose")
    b.told("a crash at the first launch", "adam", "crash launch adam", "signal 11", "while launching kernel adam")
    b.told("a compiler that ends the process", "adam", "exit build optimizer.cl", "ended with status 7", "while building")
    b.told("a compiler that fails", "adam", "error build optimizer.cl", "optimizer.cl", "-DFULL=0", "CL_BUILD_PROGRAM_FAILURE")
    b.told("a compiler that hangs", "adam", "hang build optimizer.cl", "optimizer.cl", "was ended after", CAIRN_COMPILE_SECONDS="3")
    result, digest = b.train()
    check(digest == whole, "once it is mended", result)


def test_other_variant(b, whole):
    for broken in ("crash build conv-lanes.cl", "crash launch conv_lanes"):
        b.forget("conv_lanes")
        result, digest = b.train(CAIRN_BROKEN=broken)
        check(digest == whole and "died of signal 11" in result.stderr and "are not used: " in result.stderr, f"another variant: {broken}", result)
        check(b.times() > 0, f"{broken}: nothing was broken")
        result, digest = b.train(CAIRN_BROKEN=broken)
        check(digest == whole and "failed on" in result.stderr and "before are not used" in result.stderr and b.times() == 0,
              f"remembered: {broken}", result)
        shutil.rmtree(os.path.join(b.cache, "cairn", "failures"))


def test_nothing_lost(b):
    """A run that is interrupted, cannot be resumed for a compiler that crashes, and is resumed once that is mended."""
    args = ["train", TINY, "--set", "train.epochs=40", "--json", "--out"]
    result = b.run(*args, "whole")
    digest = json.loads(result.stdout)["weights_sha256"]
    process = subprocess.Popen([b.cairn, *args, "cut"], cwd=b.work, env=b.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    metrics, saved, kept = (os.path.join(b.work, *path) for path in (("cut", "metrics.jsonl"), ("cut", "last.safetensors"), ("kept",)))
    while process.poll() is None and not (os.path.exists(metrics) and os.path.getsize(metrics)):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    check(process.returncode == 3, f"interrupted: {process.returncode}")
    shutil.copy(saved, kept)
    b.forget("adam")
    result = b.run(*args, "cut", "--resume", CAIRN_BROKEN="crash build optimizer.cl")
    check(result.returncode == 3 and "died of signal 11" in result.stderr and b.times() > 0, "resumed with a broken compiler", result)
    check(filecmp.cmp(saved, kept, shallow=False), "the checkpoint is what it was")
    result = b.run(*args, "cut", "--resume")
    check(result.returncode == 0 and json.loads(result.stdout)["weights_sha256"] == digest, "resumed", result)


def test_without(b, whole):
    """No helper, one that is none, and no cache."""
    b.forget("adam")
    result, digest = b.train(CAIRN_COMPILE="off", OPENCL_LAYERS="")
    check(digest == whole, "compiled in the process", result)
    b.forget("adam")
    for program in ("/bin/true", "/nowhere/cairn-compile"):
        result, _ = b.train(CAIRN_COMPILE=program)
        check(result.returncode == 3 and f"CAIRN_COMPILE: {program} is not the helper" in result.stderr, program, result)
    with open(os.path.join(b.work, "file"), "w", encoding="utf-8"):
        pass
    result = b.run("check", "--device", "opencl", "gemm m=3 n=4 k=5", XDG_CACHE_HOME=os.path.join(b.work, "file", "cache"))
    check(result.returncode == 0 and "0 differ" in result.stdout, "no place for a cache", result)


def test_device(b, name, **env):
    """An implementation that keeps binaries: compiled by the helper, and its crash is told."""
    case = "softmax rows=3 classes=4"
    env["XDG_CACHE_HOME"] = os.path.join(b.work, name)
    result = b.run("check", "--device", "opencl", case, CAIRN_BROKEN="crash build softmax.cl", **env)
    check(result.returncode in (1, 3) and "died of signal 11" in result.stdout + result.stderr, f"{name}: a crash", result)
    check(b.times() > 0, f"{name}: nothing was broken")
    result = b.run("check", "--device", "opencl", case, **env)
    check(result.returncode == 0 and "0 differ" in result.stdout, f"{name}: mended", result)
    check(glob.glob(os.path.join(env["XDG_CACHE_HOME"], "cairn", "kernels", "*.bin")), f"{name}: nothing is kept")


def main():
    b = Bench(*map(os.path.abspath, sys.argv[1:]))
    try:
        result, whole = b.train()
        check(whole, "a clean run", result)
        check(b.entries() and b.times() == 0, "nothing is broken yet")
        test_single(b, whole)
        test_other_variant(b, whole)
        test_nothing_lost(b)
        test_without(b, whole)
        if os.path.exists(RUSTICL):
            test_device(b, "rusticl", OCL_ICD_VENDORS="rusticl.icd", RUSTICL_ENABLE="llvmpipe")
        else:
            print("skipped: rusticl is not installed (Debian: mesa-opencl-icd)")
        oclgrind = [path for path in OCLGRIND if os.path.exists(path)]
        if oclgrind:
            test_device(b, "Oclgrind", OCL_ICD_VENDORS=oclgrind[0], OCLGRIND_BUILD_OPTIONS="-cl-opt-disable")
        else:
            print("skipped: Oclgrind is not installed (Debian: oclgrind)")
    finally:
        shutil.rmtree(b.work)
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
