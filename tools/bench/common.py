"""What the scripts of this folder share: running `cairn bench`, the machine's limits, files."""

import json
import os
import platform
import subprocess
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MOVED = 0.1  # of the fma rate, between the beginning and the end


def tell(text):
    print(text, file=sys.stderr, flush=True)


def paragraph(text):
    print(textwrap.fill(text, 140) + "\n")


def bench(cairn, *args, env=None):
    """The JSON of `cairn bench`."""
    command = [cairn, "bench", *args, "--json"]
    result = subprocess.run(command, env=dict(os.environ, **(env or {})), stdout=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {' '.join(command)} ended with status {result.returncode}")
    return json.loads(result.stdout)


def recipe(name):
    return os.path.join(HERE, name + ".yaml")


def handover(cairn):
    """Nanoseconds of a cache line's way to another core and back, where `ninja tools/handover` was built beside the program."""
    program = os.path.join(os.path.dirname(cairn), "handover")
    if not os.path.exists(program):
        return None
    result = subprocess.run([program], stdout=subprocess.PIPE, text=True)
    return int(result.stdout) if result.returncode == 0 else None


class Limits:
    """The device's limits before and after: a process beside the measured ones shows in them."""

    def __init__(self, options):
        self.cairn, self.device = options.cairn, options.device
        self.before, self.line = self.measure(), handover(self.cairn)

    def measure(self):
        return bench(self.cairn, "--roofline", "--device", self.device)["roofline"]

    def text(self):
        after = self.measure()
        pairs = [(self.before[key], after[key], unit) for key, unit in (("gflops", "GFLOP/s"), ("gbytes", "GB/s"))]
        said = "limits before and after: " + ", ".join(f"{a:.4g} and {b:.4g} {unit}" for a, b, unit in pairs)
        if abs(after["gflops"] / self.before["gflops"] - 1) > MOVED:
            said += "; **the machine was not quiet**"
        if self.line is not None:
            said += f"; a cache line went to the other core and back in {self.line} and {handover(self.cairn)} ns"
        return said


def processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def write(path, text):
    """Whole or not at all."""
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".tmp", path)
