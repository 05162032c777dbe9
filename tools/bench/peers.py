#!/usr/bin/env python3
"""Training and inference steps of Cairn and of PyTorch, in turns on one machine.

Usage: peers.py [--cairn FILE] [--python FILE] [--device D] [--rounds N] [--choices FILE] [--compile] [--json FILE] [MODEL...]

MODEL: a, b, c, d, e, softmax (all where none is named); their recipes are the YAML files beside this script, and build() below has the
same nets for PyTorch. --python is an interpreter that has PyTorch (pip install torch; default: this one).

First PyTorch's best set-up is sought for each step: environment (OpenMP's waiting and binding, a heap that is kept), threads, memory format, form of the optimizer, for inference
also TorchScript, with --compile also torch.compile. --choices keeps what was found in a file, and takes it from there in later runs.
Then both are timed in turns, --rounds times: PyTorch for half a second, `cairn bench --recipe` for about as long. PyTorch's process is
stopped during Cairn's turns, since its threads spin after their work. What counts is the median over the rounds.

PyTorch's step is forward, loss, backward and update on one batch that stays in place; its inference is the forward pass. Cairn's step also
gathers its batch from the data set on the device and converts it from bytes, and its inference also computes losses and counts right answers.
"""

import argparse
import atexit
import json
import math
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

import common

MODELS = {"a": "a-mlp", "b": "b-mlp", "c": "c-cnn", "d": "d-lenet", "e": "e-vgg11", "softmax": "softmax"}
BATCH = {"softmax": 1}
SAYS = {
    "a": "a: 784-128-10, tanh, SGD with momentum", "b": "b: 784-256-256-10, ReLU, SGD with momentum",
    "c": "c: kmnist-cnn, Adam", "d": "d: LeNet, SGD with momentum", "e": "e: VGG11, batch norm, 3x32x32, SGD with momentum",
    "softmax": "softmax regression, SGD",
}
PASSES = ("training", "inference")
# What counts from the start of a process: OpenMP's settings, and glibc's heap, which else gives freed memory back at every step and gets it
# page by page again.
HEAP = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(1 << 30)}
ENVIRONMENTS = {
    "default": {},
    "kept heap": HEAP,
    "kept heap, OMP_WAIT_POLICY=active": {"OMP_WAIT_POLICY": "active", **HEAP},
    "kept heap, OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive", **HEAP},
    "kept heap, OMP_PROC_BIND=close": {"OMP_PROC_BIND": "close", "OMP_PLACES": "cores", **HEAP},
}


# --- PyTorch's side, in a process of its own ---


def build(name, torch):
    """The net, its input's shape, its optimizer's constructor."""
    nn = torch.nn

    def sgd(parameters, momentum=0.9, **form):
        return torch.optim.SGD(parameters, lr=0.01, momentum=momentum, **form)

    if name == "a":
        return nn.Sequential(nn.Linear(784, 128), nn.Tanh(), nn.Linear(128, 10)), (784,), sgd
    if name == "b":
        net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
        return net, (784,), sgd
    if name == "softmax":
        return nn.Linear(784, 10), (784,), lambda parameters, **form: sgd(parameters, momentum=0, **form)
    if name == "c":
        net = nn.Sequential(nn.Conv2d(1, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
                            nn.Flatten(), nn.Linear(576, 600), nn.ReLU(), nn.Dropout(0.3), nn.Linear(600, 120), nn.ReLU(),
                            nn.Linear(120, 10))
        return net, (1, 28, 28), lambda parameters, **form: torch.optim.Adam(parameters, lr=0.001, **form)
    if name == "d":
        net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
                            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
        return net, (1, 28, 28), sgd
    layers, channels = [], 3
    for width in (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0):
        if width:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10)), (3, 32, 32), sgd


class Worker:
    """Steps by model, pass and set-up, made once and kept."""

    def __init__(self):
        import torch
        torch.manual_seed(1)
        torch.set_flush_denormal(True)
        self.torch, self.steps = torch, {}

    def make(self, name, which, setup):
        torch = self.torch
        net, shape, optimizer = build(name, torch)
        batch = BATCH.get(name, 128)
        x, labels = torch.rand(batch, *shape), torch.randint(0, 10, (batch,))
        if setup["format"] == "channels_last":
            net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        if which == "training":
            loss_of = torch.nn.CrossEntropyLoss()
            form = {} if setup["form"] == "plain" else {setup["form"]: True}
            update = optimizer(net.parameters(), **form)
            model = torch.compile(net) if setup["graph"] == "compile" else net

            def step():
                update.zero_grad(set_to_none=True)
                loss_of(model(x), labels).backward()
                update.step()
            return step
        net.eval()
        with torch.no_grad():
            if setup["graph"] == "script":
                net = torch.jit.optimize_for_inference(torch.jit.trace(net, x))
            if setup["graph"] == "compile":
                net = torch.compile(net)

        def infer():
            with torch.inference_mode():
                net(x)
        return infer

    def measure(self, name, which, setup, samples, seconds):
        """Seconds of a step, a number for each sample."""
        self.torch.set_num_threads(setup["threads"])
        key = json.dumps([name, which, setup], sort_keys=True)
        if key not in self.steps:
            self.steps[key] = self.make(name, which, setup)
            start = time.perf_counter()
            for count in range(5):
                if count == 0 or time.perf_counter() - start < 0.5:
                    self.steps[key]()
        step, result = self.steps[key], []
        step()
        for _ in range(samples):
            start, count = time.perf_counter(), 0
            while True:
                step()
                count += 1
                elapsed = time.perf_counter() - start
                if elapsed > seconds:
                    break
            result.append(elapsed / count)
        return result

    def describe(self):
        torch = self.torch
        config = torch.__config__.show()
        found = {word: line.strip(" -") for word in ("MKL-DNN", "Math Kernel", "CPU capability") for line in config.splitlines() if word in line}
        return {"version": torch.__version__, "mkldnn": found.get("MKL-DNN", "none").split(" (")[0], "mkl": found.get("Math Kernel", "none"),
                "cpu": found.get("CPU capability", "?")}


def serve():
    """Reads a request a line, answers a line; standard output belongs to the answers alone."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": worker.describe() if request["do"] == "describe" else worker.measure(*request["arguments"])}
        except Exception as error:  # a set-up that this PyTorch does not have
            answer = {"error": f"{type(error).__name__}: {error}"[:300]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


# --- this side ---


class Torch:
    def __init__(self, options, environment):
        env = dict(os.environ, PYTHONWARNINGS="ignore", **ENVIRONMENTS[environment])
        env.setdefault("OMP_NUM_THREADS", str(options.cores))
        errors = None if options.verbose else subprocess.DEVNULL
        self.process = subprocess.Popen([options.python, os.path.abspath(__file__), "--worker"], env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=errors, text=True)
        atexit.register(self.process.kill)  # it may be stopped, and would stay

    def ask(self, **request):
        os.kill(self.process.pid, signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            sys.exit("peers: PyTorch's process ended; is PyTorch installed for this interpreter? (--python FILE, --verbose)")
        os.kill(self.process.pid, signal.SIGSTOP)
        return json.loads(line)

    def measure(self, *arguments):
        return self.ask(do="measure", arguments=arguments)

    def close(self):
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


def settings(options, name, which):
    """What may be chosen, the first of each to begin with."""
    forms = ["plain", "foreach", "fused"] if which == "training" else ["plain"]
    graphs = ["eager"] + (["script"] if which == "inference" else []) + (["compile"] if options.compile else [])
    return {"threads": sorted({options.cores, 1}, reverse=True), "format": ["contiguous", "channels_last"] if name in "cde" else ["contiguous"],
            "form": forms, "graph": graphs}


def best_setup(options, torch, name, which):
    """One setting after the other, each at its best before the next. Returns the set-up, its seconds, and all that was tried."""
    choices = settings(options, name, which)
    setup = {key: values[0] for key, values in choices.items()}
    tried, best = [], math.inf
    for key, values in choices.items():
        for value in values if key == "threads" else values[1:]:
            candidate = dict(setup, **{key: value})
            answer = torch.measure(name, which, candidate, 3, 0.1)
            seconds = min(answer.get("result", [math.inf]))
            tried.append({"setup": candidate, **({"seconds": seconds} if "result" in answer else answer)})
            if seconds < best:
                setup, best = candidate, seconds
    return setup, best, tried


def choose(options, steps):
    """The best environment and set-up of each step; what --choices has is not sought again."""
    kept = {}
    if options.choices and os.path.exists(options.choices):
        with open(options.choices, encoding="utf-8") as file:
            kept = json.load(file)
    for environment in ENVIRONMENTS:
        missing = [step for step in steps if environment not in kept.get("/".join(step), {"tried": ()})["tried"]]
        if not missing:
            continue
        torch = Torch(options, environment)
        for name, which in missing:
            setup, seconds, tried = best_setup(options, torch, name, which)
            said = kept.setdefault(f"{name}/{which}", {"seconds": math.inf, "tried": {}})
            said["tried"][environment] = tried
            if seconds < said["seconds"]:
                said.update(environment=environment, setup=setup, seconds=seconds)
            common.tell(f"{name} {which}: {environment}: {setup_text(setup)}: {1e3 * seconds:.3f} ms")
        torch.close()
        if options.choices:
            common.write(options.choices, json.dumps(kept, indent=1))
    return kept


def setup_text(setup, environment="default"):
    words = [f"{setup['threads']} thread{'s' * (setup['threads'] > 1)}", setup["format"] if setup["format"] != "contiguous" else "",
             setup["form"] if setup["form"] != "plain" else "", setup["graph"] if setup["graph"] != "eager" else "",
             environment if environment != "default" else ""]
    return ", ".join(word for word in words if word)


def run_cairn(options, name, samples):
    return common.bench(options.cairn, "--recipe", common.recipe(MODELS[name]), "--device", options.device, "--samples", str(samples),
                        "--sample-ms", "60")


def race(options, names, kept):
    """Rounds of both, one after the other. Returns the figures by model."""
    workers, limits = {}, common.Limits(options)
    figures = {name: {which: {"cairn": [], "torch": []} for which in PASSES} for name in names}
    for name in names:
        run_cairn(options, name, 1)  # kernels into the cache
    for number in range(options.rounds):
        for name in names:
            mine = run_cairn(options, name, 5)
            for which in PASSES:
                said = kept[f"{name}/{which}"]
                torch = workers.setdefault(said["environment"], None) or Torch(options, said["environment"])
                workers[said["environment"]] = torch
                answer = torch.measure(name, which, said["setup"], 3, 0.15)
                if "error" in answer:
                    sys.exit(f"peers: {name}, {which}: {answer['error']}")
                row = figures[name][which]
                row["torch"].append(statistics.median(answer["result"]))
                row["cairn"].append((mine if which == "training" else mine["inference"])["seconds"])
                row["batch"], row["launches"] = mine["batch"], (mine if which == "training" else mine["inference"])["launches"]
        common.tell(f"round {number + 1} of {options.rounds}")
    about = {"limits": limits.text(), "device": mine["name"], "driver": mine["driver"], "math": mine["math"]}
    about["torch"] = next(iter(workers.values())).ask(do="describe")["result"]
    for torch in workers.values():
        torch.close()
    return figures, about


def summary(figures, kept):
    """A row for each step."""
    rows = []
    for which in PASSES:
        for name, passes in figures.items():
            row, said = passes[which], kept[f"{name}/{which}"]
            ratios = [theirs / mine for theirs, mine in zip(row["torch"], row["cairn"])]
            mine, theirs = statistics.median(row["cairn"]), statistics.median(row["torch"])
            rows.append({"model": name, "pass": which, "batch": row["batch"], "cairn": mine, "torch": theirs, "ratio": theirs / mine,
                         "least": min(ratios), "most": max(ratios), "samples_per_second": row["batch"] / mine, "launches": row["launches"],
                         "setup": setup_text(said["setup"], said["environment"]), "samples": row})
    return rows


def geometric_mean(values):
    return math.exp(statistics.mean(math.log(value) for value in values))


def print_table(rows, about, options):
    common.paragraph(f"{common.processor()}, {options.cores} cores; {about['device']}, driver {about['driver']}, {about['math']}; PyTorch "
                     f"{about['torch']['version']} ({about['torch']['cpu']}; {about['torch']['mkldnn']}); medians of "
                     f"{options.rounds} rounds in turns; {about['limits']}.")
    for which in PASSES:
        print(f"| {which} | batch | PyTorch, ms | Cairn, ms | times as fast | over the rounds | images per second | PyTorch's set-up |")
        print("|---|---|---|---|---|---|---|---|")
        part = [row for row in rows if row["pass"] == which]
        for row in part:
            print(f"| {SAYS[row['model']]} | {row['batch']} | {1e3 * row['torch']:.3f} | {1e3 * row['cairn']:.3f} | {row['ratio']:.2f} | "
                  f"{row['least']:.2f} to {row['most']:.2f} | {row['samples_per_second']:,.0f} | {row['setup']} |")
        print(f"| geometric mean | | | | {geometric_mean([row['ratio'] for row in part]):.2f} | | | |\n")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cairn", default=os.path.join(common.ROOT, "build", "tools", "cairn"))
    parser.add_argument("--python", default=sys.executable, help="an interpreter that has PyTorch")
    parser.add_argument("--device", default="opencl")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--choices", metavar="FILE", help="keep PyTorch's best set-ups here")
    parser.add_argument("--compile", action="store_true", help="try torch.compile, too: it needs a C++ compiler, and minutes")
    parser.add_argument("--json", metavar="FILE", help="write all figures here")
    parser.add_argument("--verbose", action="store_true", help="show what PyTorch says")
    parser.add_argument("models", nargs="*", metavar="MODEL", help=", ".join(MODELS))
    options = parser.parse_args()
    options.cores = len(os.sched_getaffinity(0))
    options.models = options.models or list(MODELS)
    for name in options.models:
        if name not in MODELS:
            parser.error(f"there is no model '{name}'; there are: {', '.join(MODELS)}")
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    for path in (options.cairn, options.python):
        if not shutil.which(path):
            parser.error(f"{path} is not there, or no program")
    return options


def main():
    if sys.argv[1:] == ["--worker"]:
        return serve()
    options = parse()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(143))
    kept = choose(options, [(name, which) for name in options.models for which in PASSES])
    figures, about = race(options, options.models, kept)
    rows = summary(figures, kept)
    print_table(rows, about, options)
    if options.json:
        common.write(options.json, json.dumps({"machine": common.processor(), "cores": options.cores, **about, "steps": rows,
                                               "choices": kept}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
