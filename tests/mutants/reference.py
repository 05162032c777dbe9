"""Mutants of the reference: one object is built again and linked in front of the library, then the suites of its family run, and
`cairn check`, whose kernels were written separately and hold the reference to every bit."""
import json
import os
import re
import shlex
import signal
import subprocess
import tempfile

import plant

SUITES = {
    "activation.c": ["reference_others"], "add.c": ["reference_norm"], "augment.c": ["augment"], "batchnorm.c": ["reference_norm"],
    "backend.c": ["device"], "conv.c": ["reference_products"], "dropout.c": ["reference_others"], "gather.c": ["reference_others"],
    "functions.c": [], "gemm.c": ["reference_products"], "im2col.c": ["reference_windows"], "loss.c": ["reference_losses"],
    "optimizer.c": ["reference_optimizer"], "pool.c": ["reference_windows"], "probe.c": ["reference_probe"],
    "product.c": ["reference_bits", "reference_products"], "reduce.c": ["reference_others", "reference_bits"],
    "softmax.c": ["reference_losses"], "exact.h": ["exact"], "random.c": ["exact"], "random.h": ["exact"],
}
OPERATORS = {
    "activation.c": ["activation", "activation_grad", "gemm"], "add.c": ["add"], "augment.c": ["augment"],
    "batchnorm.c": ["batchnorm_stats", "batchnorm", "batchnorm_grad"], "backend.c": [], "conv.c": ["conv", "conv_data", "conv_weights"],
    "dropout.c": ["dropout"], "functions.c": ["functions"], "gather.c": ["gather"], "gemm.c": ["gemm"], "im2col.c": ["im2col", "col2im"], "loss.c": ["loss"],
    "optimizer.c": ["clip", "sgd", "adam", "rmsprop", "adagrad", "adadelta"], "pool.c": ["pool", "pool_grad"], "probe.c": [],
    "product.c": ["gemm", "conv", "conv_weights"], "reduce.c": ["reduce", "batchnorm_stats"], "softmax.c": ["softmax", "softmax_grad"],
    "exact.h": ["functions", "activation", "activation_grad", "loss"], "random.c": ["dropout", "augment"], "random.h": ["dropout", "augment"],
}
# What is built again for a header: the suite that includes it, and what the operators are of.
INCLUDED = {"exact.h": ["src/reference/activation.c", "src/reference/functions.c", "src/reference/loss.c"], "random.h": ["src/base/random.c", "src/reference/dropout.c"]}
CASES = [(40, 1), (300, 2)]


class Bench:
    def __init__(self, build, source, scratch):
        self.build, self.source, self.scratch = build, source, scratch
        with open(os.path.join(build, "compile_commands.json")) as file:
            self.compiles = {os.path.normpath(os.path.join(entry["directory"], entry["file"])): entry["command"]
                             for entry in json.load(file) if "small" not in entry.get("output", "")}
        self.links = {}

    def link_command(self, target):
        if target not in self.links:
            said = subprocess.run(["ninja", "-C", self.build, "-t", "commands", target], capture_output=True, text=True, check=True)
            self.links[target] = said.stdout.splitlines()[-1]
        return self.links[target]

    def compile(self, name, scratch, include=None):
        """The object of a source, which lies changed in scratch, or is changed by a header there."""
        words = shlex.split(self.compiles[os.path.join(self.source, name)])
        while words[0] in ("ccache", "sccache"):
            words.pop(0)
        for option in ("-MD", "-MQ", "-MF", "-Werror"):
            while option in words:
                at = words.index(option)
                del words[at:at + (1 if option in ("-MD", "-Werror") else 2)]
        words = ["-O1" if word in ("-O2", "-O3") else word for word in words]
        words[words.index("-c") + 1] = os.path.join(scratch if os.path.exists(os.path.join(scratch, name)) else self.source, name)
        target = os.path.join(scratch, os.path.basename(name) + ".o")
        words[words.index("-o") + 1] = target
        # One version of each loop instead of several: they give the same bits.
        words[1:1] = ["-w", "-Werror=implicit-function-declaration", "-march=native", "-DREF_CLONES=", "-I" + os.path.join(scratch, "src")]
        done = subprocess.run(words, cwd=self.build, capture_output=True, text=True)
        return target if done.returncode == 0 else None

    def link(self, target, objects, scratch):
        words = shlex.split(self.link_command(target))
        mine = {os.path.basename(name) for name in objects}
        words = [word for word in words if os.path.basename(word) not in mine]
        program = os.path.join(scratch, os.path.basename(target))
        words[words.index("-o") + 1] = program
        words[words.index("-Wl,--start-group"):words.index("-Wl,--start-group")] = objects
        subprocess.run(words, cwd=self.build, capture_output=True, text=True, check=True)
        return program

    @staticmethod
    def verdict(process):
        if process.returncode == 0:
            return None
        if process.returncode in (126, 127):
            raise SystemExit(f"a program did not start: {process.stderr}")
        if process.returncode < 0 or process.returncode > 128:
            number = -process.returncode if process.returncode < 0 else process.returncode - 128
            return "hang" if number in (signal.SIGXCPU, signal.SIGKILL) else "crash"
        return "difference"

    def run(self, mutant, text, _at, effort_limit=None):
        name = os.path.basename(mutant.file)
        with tempfile.TemporaryDirectory(dir=self.scratch) as scratch:
            path = os.path.join(scratch, mutant.file)
            os.makedirs(os.path.dirname(path))
            with open(path, "w") as file:
                file.write(text)
            sources = [] if name.endswith(".h") else [mutant.file]
            for suite in SUITES[name]:
                objects = [self.compile(source, scratch) for source in sources or [f"tests/test_{suite}.c"]]
                if None in objects:
                    return "no build", ""
                # A fork for each test would outlive the limit of its parent; without one the first failure ends the suite.
                env = dict(os.environ, CK_FORK="no", CK_VERBOSITY="minimal")
                process = plant.run([self.link(f"tests/test_{suite}", objects, scratch)], env, 60)
                how = self.verdict(process)
                if how:
                    said = [line for line in process.stdout.splitlines() if re.search(r":[FE]:|Assert", line)]
                    return how, f"test_{suite}: {' '.join(said[:1])[:200]}"
            objects = [self.compile(source, scratch) for source in sources or INCLUDED[name]]
            if None in objects:
                return "no build", ""
            # The program as the tests build it, of objects and a static library: a shared one would not take another object.
            program = self.link("tests/cairn-faulty", objects, scratch)
            for cases, seed in CASES[:effort_limit]:
                for operator in OPERATORS[name]:
                    env = dict(os.environ, OCL_ICD_VENDORS="pocl.icd")
                    what = ["--op", operator, "--cases", str(cases), "--seed", str(seed)]
                    if operator == "functions":
                        what = ["--functions", "--every", str(40000000 // cases + 3)]
                    process = plant.run([program, "check", *what], env, 300)
                    how = self.verdict(process)
                    if how:
                        return how, "cairn check: " + " ".join(process.stdout.splitlines()[1:3])[:250]
        return "survived", ""
