"""The program from outside: what it measures. Usage: cli_bench.py CAIRN. See cli.py; the roofline needs PoCL. No time is held to a bound."""

import json
import os
import subprocess
import sys

import cli
from cli import TINY, check

FEW = ["--device", "reference", "--samples", "2", "--sample-ms", "1"]


def positive(value, *keys):
    return all(isinstance(value[key], (int, float)) and value[key] > 0 for key in keys)


def test_operators(b):
    r = b.run("bench", *FEW, "--op", "gemm m=9 n=8 k=7", "--json")
    one = json.loads(r.stdout)
    check(r.returncode == 0 and one["problem"] == "gemm m=9 n=8 k=7" and one["samples"] == 2 and
          positive(one, "seconds", "min", "max", "gflops", "gbytes"), "one operator", r)
    shapes = b.write("shapes.txt", "# a list\n\ngemm m=3 n=4 k=5 : data=real seed=1 offset.a=3\r\nreduce n2=10\n")
    r = b.run("bench", *FEW, "--op", "sgd count=5", "--file", shapes, "--variant", "gemm=plain", "--json")
    check(r.returncode == 0 and [one["problem"] for one in json.loads(r.stdout)] == ["sgd count=5", "gemm m=3 n=4 k=5", "reduce n2=10"],
          "operators of a file", r)
    r = b.run("bench", *FEW, "--file", shapes)
    check(r.returncode == 0 and r.stdout.count(" us ") == 2 and "GFLOP/s" in r.stdout, "a file as text", r)
    t = ["bench", "--device", "reference"]
    b.refused("nothing to time", 2, "nothing to time", *t)
    b.refused("an unknown operator", 2, "'matmul' is not an operator", *t, "--op", "matmul")
    b.refused("a problem with a word behind it", 2, "'data' is not of the form", *t, "--op", "gemm m=3 : data")
    b.refused("no such list", 2, "nowhere.txt: No such file", *t, "--file", "nowhere.txt")
    b.refused("an empty list", 2, "/dev/null holds no problem", *t, "--file", "/dev/null")
    b.refused("an endless list", 2, "--file: /dev/zero is no text", *t, "--file", "/dev/zero")
    b.refused("a folder as list", 2, "reading / failed", *t, "--file", "/")
    for line, says in (("gemm m=0", "m"), ("conv k=1", "conv has no field 'k'"), ("gemm : seed=x", "seed")):
        path = b.write("wrong.txt", f"# wrong\n\nreduce n2=10\n{line}\n")
        b.refused(f"a list with '{line}'", 2, [path + ":4: ", says], *t, "--file", path)
    b.refused("a peer of what it does not know", 2, [shapes + ":4: ", "knows gemm only, not reduce"], *t, "--file", shapes, "--peer", "openblas")
    b.refused("an unknown peer", 2, "there is: openblas", *t, "--op", "gemm", "--peer", "mkl")
    b.refused("math", 2, "neither exact nor fast", *t, "--op", "gemm", "--math", "double")
    b.refused("the reference's limits", 2, "no roofline", *t, "--roofline", "--json")
    r = b.run("bench", "--roofline", "--op", "gemm m=64 n=64 k=64", "--samples", "2", "--json")
    one = json.loads(r.stdout or "{}")
    check(r.returncode == 0 and positive(one, "share") and positive(one["roofline"], "gflops", "gbytes"), "a share of the roofline", r)
    r = b.run("bench", "--roofline", "--recipe", TINY, "--samples", "2", "--json")
    one = json.loads(r.stdout or "{}")
    check(r.returncode == 0 and positive(one, "share") and positive(one["inference"], "share"), "a recipe's share", r)
    r = b.run("bench", "--roofline")
    check(r.returncode == 0 and "roofline: " in r.stdout, "limits alone", r)
    for samples in ("0", "1002", "many"):
        b.refused(f"{samples} samples", 2, f"--samples: '{samples}'", *t, "--op", "gemm", "--samples", samples)


def test_recipes(b):
    t = ["bench", "--device", "reference", "--recipe", "glyphs-tiny"]
    r = b.run("bench", *FEW, "--recipe", "glyphs-tiny", "--batch", "8", "--set", "vars.drop=0", "--json")
    got = json.loads(r.stdout)
    keys = ("seconds", "min", "max", "samples_per_second", "gflops", "gbytes", "operators", "steps")
    check(r.returncode == 0 and got["batch"] == 8 and got["device_bytes"] > 0 and positive(got, *keys) and
          positive(got["inference"], *keys) and got["inference"]["operators"] < got["operators"], "a recipe", r)
    check(abs(got["samples_per_second"] * got["seconds"] / 8 - 1) < 1e-6, "images per second", r)
    r = b.run("bench", *FEW, "--recipe", TINY)
    check(r.returncode == 0 and "training " in r.stdout and "inference " in r.stdout and "images/s" in r.stdout, "a recipe as text", r)
    r = b.run(*t, "--list")
    lines = [line for line in r.stdout.splitlines() if not line.startswith("#")]
    check(r.returncode == 0 and len(lines) == len(set(lines)) and any(line.startswith("adam ") for line in lines), "a recipe's operators", r)
    r = b.run("bench", *FEW, "--file", b.write("net.txt", r.stdout), "--json")
    check(r.returncode == 0 and [one["problem"] for one in json.loads(r.stdout)] == lines, "the list given back", r)
    r = b.run("bench", *FEW, "--recipe", "mnist-lenet", "--batch", "2", "--json")
    check(r.returncode == 0 and json.loads(r.stdout)["input"] == [1, 28, 28], "a data set whose files are not there", r)
    folder = os.path.join(cli.ROOT, "tools", "bench")
    recipes = [os.path.join(folder, name) for name in sorted(os.listdir(folder)) if name.endswith(".yaml")]
    check(len(recipes) == 6, f"the recipes of tools/bench: {recipes}")
    for recipe in recipes:
        r = b.run("bench", "--device", "reference", "--recipe", recipe, "--list")
        check(r.returncode == 0 and "\nsgd " in r.stdout or "\nadam " in r.stdout, recipe, r)
    for script in ("peers.py", "scaling.py"):
        r = subprocess.run([sys.executable, "-B", os.path.join(folder, script), "--help"], capture_output=True, text=True, timeout=300)
        check(r.returncode == 0 and "--cairn" in r.stdout, script, r)
        r = subprocess.run([sys.executable, "-B", os.path.join(folder, script), "--cairn", "/nowhere/cairn"], capture_output=True, text=True, timeout=300)
        check(r.returncode == 2 and "/nowhere/cairn is not there" in r.stderr, f"{script} without the program", r)
    b.refused("no such recipe", 2, "there is no recipe 'nope'", "bench", "--recipe", "nope")
    b.refused("a recipe and operators", 2, "choose one", *t, "--op", "gemm")
    b.refused("a recipe and a peer", 2, "no recipes", *t, "--peer", "openblas")
    b.refused("no images", 2, "--batch: '0'", *t, "--batch", "0")
    b.refused("more images than there are", 2, "only 540 to train with", *t, "--batch", "541")
    b.refused("a setting that is none", 2, "unknown key 'lr'", *t, "--set", "train.lr=1")
    b.refused("a batch that is not whole", 2, "train.accumulate", *t, "--set", "train.accumulate=3", "--batch", "32")
    b.refused("a variant without its operator", 2, "OP=NAME", *t, "--variant", "gemm")
    b.refused("a folder of images without the folder", 2, "--data-dir", *t, "--set", "data.name=images")
    for option in (["--batch", "2"], ["--set", "x=1"], ["--list"], ["--data-dir", "."]):
        b.refused(f"{option[0]} of operators", 2, option[0] + " belongs to --recipe", "bench", "--op", "gemm", *option)


def check_trace(path, wanted, what):
    """Spans of a track follow each other; steps hold layers, layers hold kernels."""
    with open(path, encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    spans = [[e for e in events if e["ph"] == "X" and e["tid"] == track] for track in (1, 2, 3)]
    check([e["args"]["step"] for e in spans[0] if e["name"].startswith("step")] == wanted, f"{what}: steps {[e['name'] for e in spans[0]]}")
    for track in spans:
        ends = [e["ts"] + e["dur"] for e in track]
        check(all(end <= e["ts"] + 0.002 for end, e in zip(ends, track[1:])), f"{what}: spans overlap")
    check(len(spans[0]) < len(spans[1]) < len(spans[2]), f"{what}: {[len(track) for track in spans]} spans")
    phases = {e["cat"] for e in spans[2]}
    check({"forward", "backward", "update"} <= phases, f"{what}: {phases}")
    check(all(e["args"]["operator"].startswith(e["name"]) for e in spans[2] if e["args"]["operator"]), f"{what}: operators")
    check(all(e["args"]["layer"].startswith("0 conv 4 5x5") for e in spans[2] if e["name"] == "conv"), f"{what}: layers")


def test_profile(b):
    t = ["train", TINY, "--device", "reference", "--limit-train", "96", "--limit-test", "32", "--epochs", "3"]
    run, trace = os.path.join(b.work, "profiled"), os.path.join(b.work, "trace.json")
    plain = b.run(*t, "--out", run, "--json")
    check(plain.returncode == 0 and "profile" not in json.loads(plain.stdout), "no profile unless it is asked for", plain)
    r = b.run(*t, "--out", run, "--force", "--json", "--quiet", "--profile", "--trace", trace, "--trace-steps", "4")
    got = json.loads(r.stdout)
    check(r.returncode == 0 and r.stderr == "" and got["weights_sha256"] == json.loads(plain.stdout)["weights_sha256"], "the same weights", r)
    kernels, layers = got["profile"]["kernels"], got["profile"]["layers"]
    check(abs(sum(k["share"] for k in kernels) - 1) < 1e-6 and abs(sum(row["share"] for row in layers) - 1) < 1e-6, "shares", r)
    check(sum(k["launches"] for k in kernels) == sum(row["launches"] for row in layers), "launches", r)
    names = [row["text"].split()[0] for row in layers]
    check(names == ["images", "conv", "maxpool", "dropout", "linear", "loss", "update"], f"layers: {names}")
    check_trace(trace, [1, 2, 3, 4], "a trace")
    r = b.run(*t, "--out", run, "--force", "--profile")
    check(r.returncode == 0 and "GFLOP/s" in r.stderr and "update" in r.stderr, "a profile as text", r)
    r = b.run(*t[:-1], "1", "--out", run, "--force", "--quiet", "--trace", trace)
    check(r.returncode == 0 and r.stderr == "", "a trace alone", r)
    check_trace(trace, [1, 2], "a trace of a short run")
    r = b.run(*t[:-2], "--set", "train.steps=1", "--out", run, "--force", "--quiet", "--trace", trace)
    check(r.returncode == 0, "a run of one step", r)
    check_trace(trace, [0], "a trace of one step")
    folds = [*t[:-2], "--set", "train.steps=3", "--set", "data.validation=0", "--set", "train.folds=2", "--out", os.path.join(b.work, "fold-run")]
    r = b.run(*folds, "--trace", trace, "--profile", "--quiet")
    check(r.returncode == 0 and r.stderr.count("GFLOP/s") == 2, "folds", r)
    check_trace(trace, [1, 2], "a trace of a fold")
    r = b.run("bench", *FEW, "--recipe", TINY, "--profile", "--trace", trace, "--json")
    got = json.loads(r.stdout)
    check(r.returncode == 0 and got["profile"]["layers"] and got["inference"]["profile"]["kernels"], "a bench's profile", r)
    r = b.run("bench", *FEW, "--recipe", TINY, "--profile")
    check(r.returncode == 0 and "training, a step:" in r.stdout and "inference, a step:" in r.stdout, "a bench's profile as text", r)
    for command in (["train", TINY, "--device", "reference"], ["bench", *FEW, "--recipe", TINY]):
        b.refused("a trace without a name", 2, "empty name", *command, "--trace", "")
        b.refused("a trace in no folder", 2, "nowhere", *command, "--trace", "nowhere/t.json")
        b.refused("a trace that is a folder", 2, "is a folder", *command, "--trace", b.work)
    b.refused("steps of no trace", 2, "--trace-steps belongs to --trace", "train", TINY, "--trace-steps", "3")
    b.refused("no steps", 2, "--trace-steps: '0'", "train", TINY, "--trace", trace, "--trace-steps", "0")
    for option in (["--profile"], ["--trace", trace]):
        b.refused(f"{option[0]} of operators", 2, option[0] + " belongs to --recipe", "bench", "--op", "gemm", *option)


if __name__ == "__main__":
    cli.run_tests([test_operators, test_recipes, test_profile])
