"""Mutants of the kernels: which checks each file's are run against, from cheap to dear."""
import os
import re
import shutil
import signal
import tempfile
import threading

import plant

# The checks of a file: (what the enclosing kernel's name begins with, operator, variant or None for all). "probe" and "suite" are
# no operators: `cairn devices --probe`, and a suite of tests.
CHECKS = {
    "activation.cl": [(r"\w+_grad", "activation_grad", None), (r"\w+_forward", "activation", None), (None, "activation", None),
                      (None, "activation_grad", None)],
    "add.cl": [("add", "add", None)],
    "augment.cl": [(r"\w+_cpu", "augment", "cpu"), (r"\w+_gpu", "augment", "gpu"), (None, "augment", None)],
    "batchnorm.cl": [("batchnorm_(mean|spread)", "batchnorm_stats", None), ("batchnorm_(grad|sums)", "batchnorm_grad", None),
                     ("batchnorm_(rows|columns|gpu)", "batchnorm", None), (None, "batchnorm_grad", None),
                     (None, "batchnorm_stats", None), (None, "batchnorm", None)],
    "chunks.h": [(None, "reduce", None), (None, "batchnorm_stats", None), (None, "batchnorm_grad", None)],
    "conv-cpu.cl": [(None, "conv", "batch-cpu"), (None, "conv_data", "batch-cpu")],
    "conv-lanes.cl": [("conv_pool|pool", "conv_pool", "lanes"), ("conv", "conv", "lanes"), ("data", "conv_data", "lanes"),
                      (None, "conv", "lanes"), (None, "conv_data", "lanes"), (None, "conv_pool", "lanes")],
    "conv-taps.cl": [(None, "conv_weights", "lanes")],
    "conv-weights-cpu.cl": [(None, "conv_weights", "batch-cpu")],
    "conv-winograd.cl": [(None, "conv", "winograd"), (None, "conv_data", "winograd")],
    "conv.cl": [("conv_cpu", "conv", "direct-cpu"), ("conv_gpu", "conv", "direct-gpu"), ("data_cpu", "conv_data", "direct-cpu"),
                ("data_gpu", "conv_data", "direct-gpu"), ("weights_cpu", "conv_weights", "direct-cpu"),
                ("weights_gpu", "conv_weights", "direct-gpu"), (None, "conv", "direct-cpu"), (None, "conv_data", "direct-cpu"),
                (None, "conv_weights", "direct-cpu"), (None, "conv_weights", "direct-gpu"), (None, "conv", "direct-gpu"),
                (None, "conv_data", "direct-gpu")],
    "dropout.cl": [("dropout_cpu", "dropout", "cpu"), ("dropout_gpu", "dropout", "gpu"), (None, "dropout", None)],
    "even.h": [(None, "pool", "cpu"), (None, "pool_grad", "cpu"), (None, "conv", "direct-cpu")],
    "exact.h": [(None, "probe", None), (None, "functions", None), (None, "activation", None), (None, "activation_grad", None), (None, "loss", None),
                (None, "softmax", None)],
    "exact16.h": [(None, "functions", None), (None, "activation", None), (None, "softmax", None), (None, "gemm", "cpu")],
    "functions.cl": [(None, "functions", None)],
    "functions-cpu.cl": [(None, "functions", None)],
    "gather.cl": [("gather", "gather", None)],
    "gemm-cpu.cl": [(None, "gemm", "cpu-packed"), (None, "conv", "cpu"), (None, "conv_weights", "cpu"), (None, "conv_data", "cpu")],
    "gemm-direct.cl": [(None, "gemm", "cpu-direct")],
    "gemm-slabs.cl": [(None, "gemm", "small"), (None, "conv_weights", None)],
    "gemm-small.cl": [(None, "gemm", "small")],
    "gemm.cl": [(None, "gemm", "gpu-32"), (None, "conv_weights", "gpu-32"), (None, "conv", "gpu-32"), (None, "gemm", "gpu-narrow"),
                (None, "gemm", "gpu-flat"), (None, "gemm", "gpu"), (None, "conv", "gpu"), (None, "conv_weights", "gpu-narrow")],
    "im2col.cl": [("im2col_cpu", "im2col", "cpu"), ("im2col_gpu", "im2col", "gpu"), ("col2im_cpu", "col2im", "cpu"),
                  ("col2im_gpu", "col2im", "gpu"), (None, "im2col", None), (None, "col2im", None)],
    "lanes.h": [(None, "gemm", "cpu-packed"), (None, "gemm", "cpu-direct"), (None, "conv", "lanes"), (None, "conv_weights", "batch-cpu"),
                (None, "conv_weights", "lanes")],
    "loss.cl": [("", "loss", None), (None, "loss", None)],
    "memory.cl": [("", "suite", "device")],
    "optimizer.cl": [(name, name, None) for name in ("sgd", "adam", "rmsprop", "adagrad", "adadelta", "clip")] +
                    [(None, "sgd", None), (None, "adam", None)],
    "philox.h": [(None, "dropout", None), (None, "augment", None), (None, "suite", "functions")],
    "pool-mean.cl": [("mean_grad_cpu", "pool_grad", "cpu"), ("mean_grad_gpu", "pool_grad", "gpu"), (r"mean_\w*cpu", "pool", "cpu"),
                     (r"mean_\w*gpu", "pool", "gpu"), (None, "pool", None), (None, "pool_grad", None)],
    "pool.cl": [(r"pool_grad\w*_cpu", "pool_grad", "cpu"), ("pool_grad_gpu", "pool_grad", "gpu"), (r"pool\w*_cpu", "pool", "cpu"),
                ("pool_gpu", "pool", "gpu"), (None, "pool", None), (None, "pool_grad", None)],
    "probe.cl": [("", "probe", None), (None, "probe", None)],
    "reduce.cl": [(None, "reduce", None)],
    "row.h": [(None, "softmax", None), (None, "loss", None), (None, "softmax_grad", None)],
    "softmax.cl": [("softmax_grad", "softmax_grad", None), ("softmax", "softmax", None), (None, "softmax", None),
                   (None, "softmax_grad", None)],
    "strip.h": [(None, "add", "cpu"), (None, "reduce", "cpu"), (None, "im2col", "cpu")],
    "sum.h": [(None, "reduce", None), (None, "softmax", None)],
    "tile-cpu.h": [(None, "gemm", "cpu-packed"), (None, "gemm", "cpu-direct"), (None, "conv", "batch-cpu"),
                   (None, "conv_weights", "batch-cpu")],
}
# Where the end of a kernel's name tells its variant.
SHAPES = {"_(cpu|rows|columns)$": "cpu", "_gpu$": "gpu", "_(row|few)$": "row", "_group$": "group"}
SHAPED = {"add.cl", "augment.cl", "batchnorm.cl", "dropout.cl", "gather.cl", "im2col.cl", "loss.cl", "pool.cl", "pool-mean.cl", "softmax.cl"}
# Nothing here is held to a result: roofline.cl measures speed, and its own header says that its results mean nothing.
LEFT_OUT = {"roofline.cl"}

# Random cases, the sequence that they are of, and seconds of the processor: few first, more for what is left.
EFFORTS = [(2, 1, 60), (24, 2, 90), (200, 3, 240), (800, 4, 900)]
SIMULATED = 3  # before which effort what is left runs in Oclgrind; barriers before the first
IN_PIECES = 3  # before which effort it runs with launch limits so small that every launch comes in pieces


NO_OPERATORS = ("probe", "suite", "functions")

# exact.h on a device whose own fma, division and square root are wrong.
IN_INTEGERS = "#define CAIRN_SOFT_FMA\n#define CAIRN_SOFT_DIV\n#define CAIRN_SOFT_SQRT\n"


def is_in_integers(name, text, at):
    """Whether a place lies in one of the functions of exact.h that do in integers what a device does wrong."""
    begin = text.rfind("\nstatic inline", 0, at)
    return name == "exact.h" and "\n}" not in text[begin:at] and " soft_" in text[begin:begin + 50]


def kernel_around(text, at):
    """The name of the kernel that a place is in, "" outside of every one."""
    begin = text.rfind("\n__kernel", 0, at)
    if begin < 0 or re.search(r"\n(?:\}|\))", text[begin:at]):
        return ""
    name = re.search(r"\bvoid\s+(\w+)", text[begin:])
    return name.group(1) if name else ""


def checks_of(name, kernel):
    """(those of the kernel itself, or of all when it is none; all of the file)."""
    rows = CHECKS[name]
    shape = next((shape for ends, shape in SHAPES.items() if re.search(ends, kernel)), None) if name in SHAPED else None
    own = [(op, variant or shape) for pattern, op, variant in rows if pattern is not None and kernel and re.match(pattern, kernel)][:1]
    every = list(dict.fromkeys((op, variant) for pattern, op, variant in rows if pattern is None)) or \
        list(dict.fromkeys((op, variant) for _, op, variant in rows))
    return own or every, list(dict.fromkeys(own + every))


class Bench:
    """Runs mutants, each with compiled kernels of its own."""

    def __init__(self, build, source, scratch):
        self.build, self.source, self.scratch = build, source, scratch
        self.good = os.path.join(source, "cl")
        self.cairn = os.path.join(build, "tools", "cairn")
        self.lock = threading.Lock()

    def caches(self, env, folder):
        return dict(env, XDG_CACHE_HOME=os.path.join(folder, "xdg"), POCL_CACHE_DIR=os.path.join(folder, "pocl"))

    def command(self, check, effort):
        op, variant = check
        cases, seed, _ = effort
        if variant == "winograd":
            cases *= 6  # which takes few of them
        if op == "probe":
            return [self.cairn, "devices", "--probe"]
        if op == "suite":
            # Some suites plant kernels of their own beside those of the folder cl that they are run next to.
            return ["/bin/sh", "-c", 'cd "${CAIRN_KERNEL_DIR%/*}" && exec "$0"', os.path.join(self.build, "tests", "test_" + variant)]
        if op == "functions":
            return [self.cairn, "check", "--functions", "--every", "1000003"]
        return [self.cairn, "check", "--op", op, "--cases", str(cases), "--seed", str(seed), *(["--variant", variant] if variant else []),
                *(["--math", "fast"] if variant == "winograd" else [])]

    def verdict(self, process, check):
        """How a mutant was killed, or None."""
        if process.returncode < 0 or process.returncode > 128:
            number = -process.returncode if process.returncode < 0 else process.returncode - 128
            return "hang" if number in (signal.SIGXCPU, signal.SIGKILL) else "crash"
        said = process.stdout + process.stderr
        if re.search("BUILD_PROGRAM_FAILURE", said):
            return "no build"
        if "has no variant" in said:
            return None  # none of so few cases was for it
        if check[0] == "probe":
            return None if process.returncode == 0 and re.search(r"exact +yes$", said.split("opencl", 1)[-1], re.M) else "probe"
        return None if process.returncode == 0 else "difference" if process.returncode == 1 else "error"

    def warm(self):
        """The binaries that every process needs: the probe's."""
        folder = os.path.join(self.scratch, "good")
        with self.lock:
            if not os.path.isdir(folder):
                os.makedirs(folder)
                env = self.caches(plant.environment(folder, self.good), folder)
                process = plant.run(self.command(("probe", None), EFFORTS[0]), env)
                if self.verdict(process, ("probe", None)):
                    raise SystemExit(f"the good kernels do not pass the probe:\n{process.stdout}{process.stderr}")
        return folder

    def run(self, mutant, text, at, effort_limit=None):
        """(status, what showed it) of a mutant whose file has this text, changed at this place."""
        name = os.path.basename(mutant.file)
        own, every = checks_of(name, kernel_around(text, at))
        if is_in_integers(name, text, at):
            text, own, every = IN_INTEGERS + text, [("probe", None), ("functions", None)], [("gemm", "small"), ("softmax", None)]
        with tempfile.TemporaryDirectory(dir=self.scratch) as scratch:
            caches = os.path.join(scratch, "cache")
            shutil.copytree(self.warm(), caches, copy_function=os.link)
            kernels = plant.copy_with(self.good, scratch, name, text)
            os.symlink(kernels, os.path.join(scratch, "cl"))
            env = self.caches(plant.environment(scratch, kernels), caches)
            for number, effort in enumerate(EFFORTS[:effort_limit], 1):
                if number == IN_PIECES and name != "conv-winograd.cl":
                    shown = self.in_pieces(every, env)
                    if shown:
                        return shown
                if number in (1 if mutant.kind == "barrier" else SIMULATED, SIMULATED) and plant.OCLGRIND:
                    shown = self.simulate(own if number == 1 else every, scratch, kernels)
                    if shown:
                        return shown
                for check in own if number < 3 else every:
                    process = plant.run(self.command(check, effort), env, effort[2])
                    how = self.verdict(process, check)
                    if how == "difference" and number > 2:
                        self.hold_good(process)
                    if how:
                        return how, f"{check[0]} {check[1] or ''}, {effort[0]} cases: {self.first(process)}"
        return "survived", ""

    def in_pieces(self, checks, env):
        for op, variant in checks:
            if op in NO_OPERATORS:
                continue
            command = self.command((op, variant), (150, 5, 0))
            process = plant.run([os.path.join(self.build, "tests", "cairn-small-limits"), *command[1:]], env, 900)
            how = self.verdict(process, (op, variant))
            if how:
                return how, f"{op} {variant or ''}, small limits: {self.first(process)}"
        return None

    def hold_good(self, process):
        """What killed after long is a line that the good kernels pass."""
        line = next((line for line in process.stdout.splitlines() if " : data=" in line), None)
        if line:
            fast = ["--math", "fast"] if "winograd" in line else []
            good = plant.run([self.cairn, "check", *fast, line], plant.environment(self.scratch, self.good))
            if good.returncode != 0:
                raise SystemExit(f"the good kernels fail, too: {line}\n{good.stdout}{good.stderr}")

    @staticmethod
    def first(process):
        lines = [line for line in (process.stdout + process.stderr).splitlines() if line and not line.startswith("opencl:")]
        return " ".join(lines[:2])[:300]

    def simulate(self, checks, scratch, kernels):
        env = self.caches(plant.environment(scratch, kernels, True), os.path.join(scratch, "simulated"))
        env["OCLGRIND_MAX_WGSIZE"] = "64"
        for check in checks:
            if check[0] == "suite":
                continue
            command = self.command(check, (60, 1, 0)) + (["--small"] if check[0] not in NO_OPERATORS else [])
            if check[0] == "functions":
                command = [self.cairn, "check", "--functions", "--from", "1065353216", "--to", "1065353317"]
            process = plant.run(command, env, 600)
            how, log = self.verdict(process, check), plant.read_log(env)
            if log:
                return "simulator", f"{check[0]}: {log.splitlines()[0].strip()[:200]}"
            if how:
                return how, f"Oclgrind, {check[0]}: {self.first(process)}"
        return None
