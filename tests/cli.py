"""The program from outside: help, exit statuses, one clear complaint for each mistake, and nothing left behind.

Usage: cli.py CAIRN [png]. png: the program reads folders of PNG. Everything runs on the reference, in an empty folder of its own.
"""

import gzip
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECIPES = os.path.join(ROOT, "data", "recipes")
TINY = os.path.join(RECIPES, "glyphs-tiny.yaml")
QUICK = ["--device", "reference", "--limit-train", "96", "--limit-test", "32", "--epochs", "1"]

checks = failures = 0


def check(good, what, result=None):
    global checks, failures
    checks += 1
    if not good:
        failures += 1
        print("FAIL", what)
        if result:
            print(f"     exit {result.returncode}\n     stdout: {result.stdout!r}\n     stderr: {result.stderr!r}")


class Bench:
    def __init__(self, cairn):
        self.cairn = cairn
        self.work = tempfile.mkdtemp(prefix="cairn-cli-")
        self.env = dict(os.environ, CAIRN_RECIPE_DIR=RECIPES, XDG_CACHE_HOME=os.path.join(self.work, "cache"),
                        XDG_DATA_HOME=os.path.join(self.work, "share"))
        self.env.pop("CAIRN_DATA_DIR", None)
        self.env.pop("CAIRN_DATASETS", None)
        os.makedirs(os.path.join(self.work, "here"))
        self.here = os.path.join(self.work, "here")

    def run(self, *args, **kwargs):
        kwargs.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([self.cairn, *args], cwd=self.here, env=self.env, stderr=subprocess.PIPE, text=True,
                              timeout=300, **kwargs)

    def write(self, name, text):
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w" if isinstance(text, str) else "wb") as file:
            file.write(text)
        return path

    def recipe(self, name, **changes):
        """glyphs-tiny with lines replaced: recipe("x", **{"old text": "new text"})."""
        with open(TINY, encoding="utf-8") as file:
            text = file.read()
        for old, new in changes.items():
            assert old in text, old
            text = text.replace(old, new)
        return self.write(name + ".yaml", text)

    def refused(self, what, code, says, *args):
        """The command fails with this status and one line that holds `says`, and leaves nothing behind."""
        result = self.run(*args)
        lines = result.stderr.splitlines()
        parts = [says] if isinstance(says, str) else says
        good = (result.returncode == code and len(lines) == 1 and result.stdout == "" and
                all(part in lines[0] for part in parts) and lines[0].startswith("cairn"))
        check(good, f"{what}: wanted {code} and {parts}", result)
        check(os.listdir(self.here) == [], f"{what}: left {os.listdir(self.here)}")


def test_help(b):
    for args in (["--help"], ["-h"], ["help"]):
        r = b.run(*args)
        check(r.returncode == 0 and "commands:" in r.stdout and r.stderr == "", "help", r)
    r = b.run("--version")
    check(r.returncode == 0 and r.stdout.startswith("cairn "), "version", r)
    commands = [line.split()[0] for line in b.run("--help").stdout.split("commands:\n")[1].split("\n\n")[0].splitlines()]
    check({"train", "eval", "summary", "check"} <= set(commands), f"commands: {commands}")
    for command in commands:
        r = b.run(command, "--help")
        check(r.returncode == 0 and r.stdout.startswith(f"usage: cairn {command}") and r.stderr == "", f"{command} --help", r)
        r = b.run(command, "--no-such-flag")
        check(r.returncode == 2 and "--no-such-flag" in r.stderr and r.stdout == "", f"{command} --no-such-flag", r)
    b.refused("no command", 2, ["command is missing", "train"])
    b.refused("unknown command", 2, ["there is no command 'trian';", "train", "eval"], "trian")
    b.refused("an empty command", 2, "there is no command '';", "")
    b.refused("help on what is no command", 2, "there is no command 'trian'", "help", "trian")
    b.refused("help on two commands", 2, "'eval' is one argument too many", "help", "train", "eval")
    b.refused("a word behind the version", 2, "'x' is one argument too many", "--version", "x")
    r = b.run("help", "train")
    check(r.returncode == 0 and r.stdout == b.run("train", "--help").stdout, "help train", r)
    b.refused("unknown option", 2, "there is no option '--verbose'", "--verbose")
    with open("/dev/full", "w", encoding="utf-8") as full:
        r = b.run("--help", stdout=full)
        check(r.returncode == 3 and "standard output" in r.stderr, "a full disk behind standard output", r)
    for closed, code in ((0, 0), (1, 3), (2, 0)):
        run = os.path.join(b.work, f"closed{closed}")
        command = [b.cairn, "train", TINY, *QUICK, "--out", run]
        r = subprocess.run(["sh", "-c", f'exec "$@" {closed}>&-', "sh", *command], cwd=b.here, env=b.env, capture_output=True,
                           text=True, timeout=300)
        check(r.returncode == code and len(os.listdir(run)) == 5, f"file {closed} is closed", r)
        r = b.run("eval", run, "--device", "reference", "--last")
        check(r.returncode == 0, f"the run of a program whose file {closed} is closed", r)


def test_train_options(b):
    t = ["train", TINY]
    b.refused("no recipe", 2, "usage: cairn train RECIPE", "train")
    b.refused("two recipes", 2, "one argument too many", "train", TINY, TINY)
    b.refused("unknown flag", 2, ["there is no option --epoch;", "--epochs"], *t, "--epoch", "3")
    b.refused("missing value", 2, "--epochs: a value is missing", *t, "--epochs")
    for word in ("0", "-1", "3x", "010", "1e3", "", "99999999999999999999"):
        b.refused(f"epochs {word}", 2, "--epochs: '" + word, *t, "--epochs", word)
    b.refused("seed", 2, "--seed: '-3'", *t, "--seed", "-3")
    b.refused("flag with value", 2, "--quiet takes no value", *t, "--quiet=1")
    b.refused("math", 2, "neither exact nor fast", *t, "--math", "double")
    b.refused("a folder below a file", 2, ["glyphs-tiny.yaml/x", "Not a directory"], *t, "--device", "reference", "--out", TINY + "/x")
    b.refused("a name too long below a new folder", 3, "File name too long", *t, *QUICK[:2], "--out", "new/" + "n" * 300)
    b.refused("more folds than memory", 2, ["train.folds: 2000000000", "images"], *t, "--device", "reference", "--set",
              "train.folds=2000000000", "--set", "data.validation=0")
    b.refused("a number that is none as a float", 2, "as a float it would be 0", *t, "--set", "train.l2=1e-46")
    b.refused("a number that is none at all", 2, "as a float it would be 0", *t, "--set", "train.l2=0.1e-400")
    b.refused("check of no case", 2, "/dev/null holds no case", "check", "--device", "reference", "--json", "--file", "/dev/null")
    b.refused("check of an endless file", 2, "--file: /dev/zero is no text", "check", "--device", "reference", "--json", "--file", "/dev/zero")
    b.refused("an endless recipe", 2, "/dev/zero has more than 16 MiB: it is no recipe", "train", "/dev/zero", "--device", "reference")
    b.refused("an epsilon that changes no weight", 2, "epsilon: 1e-300 is out of range", "gradcheck", TINY, *QUICK[:2], "--epsilon", "1e-300")
    diverging = [*t, *QUICK, "--set", "train.optimizer=sgd", "--set", "train.learning_rate=3e38", "--out", os.path.join(b.work, "diverged")]
    b.refused("a diverging training", 1, ["step 2", "layer 4 (linear 10) became", "--on-nan continue"], *diverging, "--quiet")
    r = b.run(*diverging, "--on-nan", "continue")
    check(r.returncode == 0 and "loss nan" in r.stdout and "-nan" not in r.stdout + r.stderr, "a diverged training", r)
    drivers = {key: value for key, value in b.env.items() if not key.startswith("OCL_ICD")}
    r = subprocess.run([b.cairn, *t], cwd=b.here, env=dict(drivers, OCL_ICD_VENDORS="/nowhere"), capture_output=True, text=True, timeout=300)
    check(r.returncode == 3 and "there is no OpenCL device; install" in r.stderr and r.stderr.count("\n") == 1, "no driver", r)
    b.refused("resume and force", 2, "exclude each other", *t, "--resume", "--force")
    b.refused("unknown device", 2, ["device 'cuda' is unknown", "reference, opencl"], *t, "--device", "cuda")
    b.refused("device that is not there", 2, "no device matches 'opencl:no-such-thing'", *t, "--device", "opencl:no-such-thing")
    b.refused("variant without =", 2, "OP=NAME", *t, "--device", "reference", "--variant", "gemm")
    b.refused("variant of nothing", 2, "'matmul' is not an operator", *t, "--device", "reference", "--variant", "matmul=cpu")
    b.refused("unknown variant", 2, "gemm has no variant 'turbo'", *t, "--device", "reference", "--variant", "gemm=turbo")


def test_recipes(b):
    quick = ["--device", "reference"]
    b.refused("no such recipe", 2, "no-such-recipe", "train", "no-such-recipe")
    b.refused("no such file", 2, "/nowhere/r.yaml", "train", "/nowhere/r.yaml")
    for key, value in (("train.learning_rate", "5e-4abc"), ("train.learning_rate", "nan"), ("train.batch", "010"),
                       ("train.batch", "0"), ("train.epochs", "many"), ("train.loss", "hinge"), ("train.lr", "0.1"),
                       ("vars.drop", "1")):
        b.refused(f"{key}={value}", 2, [value if key != "train.lr" else "lr"], "train", TINY, *quick, "--set", f"{key}={value}")
    b.refused("wrong key", 2, ["wrong.yaml:", "epoch"], "train", b.recipe("wrong", **{"epochs: 2": "epoch: 2"}), *quick)
    b.refused("bad number", 2, ["number.yaml:", "5e-4abc"], "train", b.recipe("number", **{"3e-3": "5e-4abc"}), *quick)
    shapes = {"maxpool 3 stride=2 pad=1": "maxpool 20"}
    b.refused("kernel larger than its input", 2, ["model[2] 'maxpool 20'", "larger than the image"], "train",
              b.recipe("shape", **shapes), *quick)
    b.refused("the same for summary", 2, "model[2] 'maxpool 20'", "summary", b.recipe("shape", **shapes))
    b.refused("classes", 2, ["gives 11x1x1 numbers", "10 classes"], "train", b.recipe("classes", **{"linear 10": "linear 11"}), *quick)
    for part in ("600", "1.5e19", "0.001"):
        b.refused(f"validation {part}", 2, "data.validation", "train", TINY, *quick, "--set", f"data.validation={part}")


def idx(magic, *dims):
    return struct.pack(f">{1 + len(dims)}I", magic, *dims)


def test_data(b):
    lenet = ["train", "mnist-lenet", "--device", "reference", "--epochs", "1"]
    empty = os.path.join(b.work, "empty")
    os.makedirs(empty)
    b.refused("no data", 2, "train-images-idx3-ubyte", *lenet, "--data-dir", empty)
    folder = os.path.join(b.work, "cut")
    files = {
        "train-images-idx3-ubyte": idx(0x803, 40, 28, 28) + bytes(40 * 784), "train-labels-idx1-ubyte": idx(0x801, 40) + bytes(40),
        "t10k-images-idx3-ubyte": idx(0x803, 10, 28, 28) + bytes(10 * 784), "t10k-labels-idx1-ubyte": idx(0x801, 10) + bytes(10),
    }
    for name, content in files.items():
        b.write("cut/" + name, content)
    r = b.run(*lenet, "--data-dir", folder, "--out", os.path.join(b.work, "whole"), "--set", "data.normalize=01", "--quiet")
    check(r.returncode == 0, "whole files train", r)
    b.refused("images all the same", 2, "zscore", *lenet, "--data-dir", folder, "--set", "data.normalize=zscore")
    for name, content in files.items():
        b.write("cut/" + name, content[:-7])
        b.refused("cut off " + name, 2, name, *lenet, "--data-dir", folder)
        packed = gzip.compress(content)[:-9]
        os.remove(os.path.join(folder, name))
        b.write("cut/" + name + ".gz", packed)
        b.refused("cut off packed " + name, 2, name, *lenet, "--data-dir", folder)
        os.remove(os.path.join(folder, name + ".gz"))
        b.write("cut/" + name, content)


def train_small(b, what, name, classes, steps, data_dir):
    """A net on a folder's images: trained, summarised and evaluated."""
    net = b.write(name + "-small.yaml", f"""
data: {{name: {name}, normalize: zscore}}
model: [conv 3 3x3 stride=2, relu, maxpool 2, linear {classes}]
train: {{loss: cross-entropy, optimizer: adam, learning_rate: 1e-2, batch: 4, epochs: 1, seed: 1}}
""")
    run = os.path.join(b.work, name + "-run")
    r = b.run("train", net, "--device", "reference", "--data-dir", data_dir, "--out", run, "--json")
    check(r.returncode == 0 and json.loads(r.stdout)["steps"] == steps, f"{what}: train", r)
    r = b.run("eval", run, "--device", "reference", "--data-dir", data_dir, "--json")
    check(r.returncode == 0 and json.loads(r.stdout)["data"] == name, f"{what}: eval", r)
    r = b.run("summary", net, "--data-dir", data_dir, "--json")
    check(r.returncode == 0 and json.loads(r.stdout)["classes"] == classes, f"{what}: summary", r)
    return net, json.loads(r.stdout)


def test_cifar(b):
    for file, count in [(f"data_batch_{i}.bin", 1 + i % 2) for i in range(1, 6)] + [("test_batch.bin", 10)]:
        b.write("cifar/cifar-10-batches-bin/" + file, b"".join(
            bytes([i]) + bytes((i * 11 + k * k // 9) % 256 for k in range(3072)) for i in range(count)))
    net, s = train_small(b, "CIFAR-10", "cifar10", 10, 2, os.path.join(b.work, "cifar"))
    check(s["input"] == [3, 32, 32] and s["train_images"] == 50000, f"summary of CIFAR-10: {s}")
    os.remove(os.path.join(b.work, "cifar", "cifar-10-batches-bin", "data_batch_4.bin"))
    b.refused("CIFAR-10 with a file missing", 2, ["data_batch_4.bin", "cairn data fetch cifar10"], "train", net, "--device", "reference",
              "--data-dir", os.path.join(b.work, "cifar"))
    r = b.run("eval", os.path.join(b.work, "cifar10-run"), "--device", "reference", "--data-dir", os.path.join(b.work, "cifar"))
    check(r.returncode == 0, "eval reads the test part only", r)


def png(width, height, pixels, channels=3):
    """An RGB image, or a gray one of one channel; pixels: its bytes, row by row."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + pixels[i * width * channels:(i + 1) * width * channels] for i in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, channels - 1, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def test_images(b):
    for part, count in (("train", 3), ("test", 1)):
        for i, name in enumerate(("apple", "pear")):
            for k in range(count):
                b.write(f"photos/{part}/{name}/{k}.png", png(9, 7, bytes((i * 90 + k * 31 + j) % 256 for j in range(9 * 7 * 3))))
    photos = os.path.join(b.work, "photos")
    net, s = train_small(b, "a folder of PNG", "images", 2, 2, photos)
    check(s["input"] == [3, 7, 9] and s["train_images"] == 6 and s["test_images"] == 2, f"summary of a folder of PNG: {s}")
    train = ["train", net, "--device", "reference", "--data-dir", photos]
    b.refused("summary without the folder", 2, ["shape, classes and counts", "--data-dir"], "summary", net)
    b.write("photos/test/pear/1.png", png(8, 7, bytes(168)))
    b.refused("an image of another size", 2, ["test/pear/1.png", "3x7x8"], *train)
    b.write("photos/test/pear/1.png", "no image")
    b.refused("no PNG", 2, "test/pear/1.png: not a PNG image", *train)
    os.remove(os.path.join(photos, "test", "pear", "1.png"))
    os.makedirs(os.path.join(photos, "train", "quince"))
    b.refused("an empty class", 2, ["train/quince", "without images"], *train)


def test_folders(b):
    run = os.path.join(b.work, "run")
    r = b.run("train", TINY, *QUICK, "--out", run, "--json")
    check(r.returncode == 0, "a run", r)
    result = json.loads(r.stdout)
    check(len(result["weights_sha256"]) == 64 and result["run"] == run, "its JSON", r)
    before = {name: os.stat(os.path.join(run, name)).st_mtime_ns for name in os.listdir(run)}
    check(sorted(before) == ["last.safetensors", "metrics.jsonl", "model.safetensors", "recipe.yaml", "summary.json"],
          f"its files: {sorted(before)}")
    with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    check(summary["weights_sha256"] == result["weights_sha256"] and sum(map(sum, summary["confusion"])) == 32, "its summary")

    def untouched():
        return before == {name: os.stat(os.path.join(run, name)).st_mtime_ns for name in os.listdir(run)}

    b.refused("existing run", 2, ["already holds a run", "--resume", "--force"], "train", TINY, *QUICK, "--out", run)
    b.refused("another recipe", 2, ["another recipe", "seed: 1", "seed: 2"], "train", TINY, *QUICK, "--out", run, "--resume", "--seed", "2")
    b.refused("force, but another mistake", 2, "device 'cuda'", "train", TINY, "--out", run, "--force", "--device", "cuda")
    check(untouched(), "the run was touched")
    other = b.run("train", TINY, *QUICK, "--out", run, "--force", "--seed", "2", "--json")
    check(other.returncode == 0 and json.loads(other.stdout)["weights_sha256"] != result["weights_sha256"], "--force", other)

    b.refused("nothing to resume", 2, "no checkpoint", "train", TINY, *QUICK, "--out", os.path.join(b.work, "none"), "--resume")
    full = b.write("full/notes.txt", "mine")
    b.refused("a folder with something else", 2, "holds no run", "train", TINY, *QUICK, "--out", os.path.dirname(full), "--force")
    check(os.listdir(os.path.dirname(full)) == ["notes.txt"], "something else was touched")
    b.refused("a file in the way", 2, "is not a folder", "train", TINY, *QUICK, "--out", full)
    b.refused("below a file", 2, full, "train", TINY, *QUICK, "--out", os.path.join(full, "run"))
    b.refused("unwritable", 3, "/proc/cairn", "train", TINY, *QUICK, "--out", "/proc/cairn/run")
    if os.geteuid() != 0:
        closed = os.path.join(b.work, "closed")
        os.makedirs(closed, mode=0o555)
        b.refused("closed folder", 3, closed, "train", TINY, *QUICK, "--out", os.path.join(closed, "run"))
    default = b.run("train", "glyphs-tiny", *QUICK, "--quiet")
    check(default.returncode == 0 and os.listdir(os.path.join(b.here, "runs")) == ["glyphs-tiny"], "the default folder", default)
    check(default.stderr == "", "--quiet", default)
    check("\033" not in default.stdout and "run             runs/glyphs-tiny" in default.stdout, "the text result", default)
    shutil.rmtree(os.path.join(b.here, "runs"))

    again = b.run("eval", run, "--device", "reference", "--json")
    check(again.returncode == 0 and json.loads(again.stdout)["weights_sha256"] == json.loads(other.stdout)["best_weights_sha256"], "eval", again)
    b.refused("eval of nothing", 2, "is no run", "eval", os.path.join(b.work, "none"))
    os.remove(os.path.join(run, "model.safetensors"))
    b.refused("eval without a model", 2, "--last", "eval", run, "--device", "reference")
    check(b.run("eval", run, "--last", "--device", "reference").returncode == 0, "eval --last")


def test_damage(b):
    """Whatever is not as it was written is told, and nothing goes on from it."""
    run, whole = os.path.join(b.work, "sound"), os.path.join(b.work, "damaged")
    args = ["train", TINY, *QUICK, "--epochs", "2"]
    r = b.run(*args, "--out", run)
    check(r.returncode == 0, "a run to damage", r)

    def damaged(what, says, name, change, *command):
        shutil.rmtree(whole, ignore_errors=True)
        shutil.copytree(run, whole)
        path = os.path.join(whole, name)
        with open(path, "rb") as file:
            content = file.read()
        changed = change(content)
        os.remove(path)
        if changed is not None:
            b.write(path, changed)
        b.refused(what, 2, [says] if isinstance(says, str) else says, *(command or (*args, "--out", whole, "--resume")))

    def flip(at):
        return lambda content: content[:at] + bytes([content[at] ^ 1]) + content[at + 1:]

    def edit(old, new):
        def change(content):
            assert old in content, old
            return content.replace(old, new)
        return change

    def signed(old, new):
        """The same, with the digest that such counters have."""
        def change(content):
            changed = edit(old, new)(content)
            size = struct.unpack("<Q", changed[:8])[0]
            state = [(key, value) for key, value in json.loads(changed[8:8 + size])["__metadata__"].items() if not key.endswith("sha256") or key == "cairn.kept_sha256"]
            digest = hashlib.sha256("".join(f"{key}={value}\n" for key, value in state).encode()).hexdigest().encode()
            at = changed.index(b'"cairn.state.sha256":"') + len(b'"cairn.state.sha256":"')
            return changed[:at] + digest + changed[at + 64:]
        return change

    last, best = "last.safetensors", "model.safetensors"
    damaged("a flipped bit in a moment", [last, "damaged", "moment2"], last, flip(-1000))
    damaged("a flipped bit in a weight", [best, "damaged"], best, flip(-1000))
    damaged("the same for eval", [best, "damaged"], best, flip(-1000), "eval", whole, "--device", "reference")
    damaged("an epoch less", [last, "damaged", "cairn.state.sha256"], last, edit(b'"cairn.epoch":"2"', b'"cairn.epoch":"1"'))
    damaged("an epoch less, and its digest", [last, "counters"], last, signed(b'"cairn.epoch":"2"', b'"cairn.epoch":"1"'))
    damaged("another power of beta", [last, "damaged", "cairn.state.sha256"], last, edit(b'"cairn.power1":"0x1.', b'"cairn.power1":"0x0.'))
    damaged("cut off in its data", [last, "cut off"], last, lambda content: content[:-1])
    damaged("an epoch that is none", [last, "cairn.epoch"], last, edit(b'"cairn.epoch":"2"', b'"cairn.epoch":"x"'))
    for size in (0, 7, 300, 20000):
        damaged(f"cut to {size}", last, last, lambda content, n=size: content[:n])
    damaged("no metrics", "metrics.jsonl", "metrics.jsonl", lambda content: None)
    damaged("a line less", "metrics.jsonl has 1 lines", "metrics.jsonl", lambda content: content.split(b"\n")[0] + b"\n")
    damaged("no recipe", "recipe.yaml", "recipe.yaml", lambda content: None)
    damaged("another layer", [best, "damaged"], "recipe.yaml", edit(b"linear 10", b"linear 10 bias=no"), "eval", whole,
            "--device", "reference")
    damaged("nothing to resume", "no checkpoint", last, lambda content: None)


def test_odd_places(b):
    quick = ["--device", "reference"]
    folder = os.path.join(b.work, "folder.yaml")
    os.makedirs(folder)
    b.refused("a folder as recipe", 2, ["folder.yaml", "is a folder"], "train", folder, *quick)
    escape = b.write("escape.yaml", 'data: {"\\e[31mname": glyphs}\n')
    r = b.run("train", escape, *quick)
    check(r.returncode == 2 and "\033" not in r.stderr and r.stderr.count("\n") == 1, "control characters in a complaint", r)
    bare = b.write("bare.yaml", "data: {name: glyphs}\nmodel: [linear 10]\n")
    b.refused("a key that is missing beside a setting", 2, "bare.yaml:1:1: train.learning_rate", "train", bare, *quick, "--epochs", "1")
    below = os.path.join("a", "b", "c") + "/"
    b.refused("a folder with a slash behind", 2, "turbo", "train", TINY, *quick, "--out", below, "--variant", "gemm=turbo")
    os.makedirs(os.path.join(b.work, "odd"))
    odd = os.path.join(b.work, "odd", "run-\udcff")
    r = b.run("train", TINY, *QUICK, "--out", odd, "--json", "--quiet")
    check(r.returncode == 0 and json.loads(r.stdout)["run"].endswith("run-?"), "a path that is no UTF-8", r)
    r = b.run("eval", odd, "--device", "reference", "--json")
    check(r.returncode == 0 and json.loads(r.stdout)["run"].endswith("run-?"), "the same for eval", r)


def test_kill(b):
    """A killed process leaves a run that goes on to the same weights; a run has one process at a time."""
    args = ["train", TINY, "--device", "reference", "--limit-test", "32", "--epochs", "60"]
    whole = json.loads(b.run(*args, "--out", os.path.join(b.work, "unkilled"), "--json").stdout)
    run = os.path.join(b.work, "killed")
    process = subprocess.Popen([b.cairn, *args, "--out", run, "--quiet"], cwd=b.here, env=b.env, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    while process.poll() is None and not os.path.exists(os.path.join(run, "last.safetensors")):
        time.sleep(0.002)
    process.send_signal(signal.SIGSTOP)
    for mode in ("--resume", "--force"):
        b.refused(f"a second process with {mode}", 2, ["another process", run], *args, "--out", run, mode)
    process.kill()
    process.wait()
    b.write(os.path.join(run, "last.safetensors.tmp.1"), "half")
    r = b.run(*args, "--out", run, "--resume", "--json")
    check(r.returncode == 0 and json.loads(r.stdout)["weights_sha256"] == whole["weights_sha256"], "resumed after a kill", r)
    check(not [name for name in os.listdir(run) if "tmp" in name], f"leftovers: {os.listdir(run)}")
    half = b.write(os.path.join(b.work, "half", "recipe.yaml.tmp.1"), "da")
    r = b.run("train", TINY, *QUICK, "--out", os.path.dirname(half), "--quiet")
    check(r.returncode == 0 and not os.path.exists(half), "a folder with a leftover alone", r)


def test_summary(b):
    r = b.run("summary", "kmnist-cnn", "--json")
    s = json.loads(r.stdout)
    check(s["parameters"] == 420906 and s["layers"][6]["parameters"] == 346200 and s["layers"][3]["output"] == [16, 12, 12], "summary", r)
    check(s["memory_bytes"]["total"] == sum(v for k, v in s["memory_bytes"].items() if k != "total"), "its memory", r)
    r = b.run("summary", "kmnist-cnn")
    check("346,200" in r.stdout and "420,906" in r.stdout and r.returncode == 0, "summary as text", r)
    b.refused("batch", 2, "--batch: '0'", "summary", "kmnist-cnn", "--batch", "0")


def test_curves(b):
    run = os.path.join(b.work, "curve")
    sets = [word for key in ("steps=7", "evaluate_every=3 steps", "test_curve=yes", "keep=last") for word in ("--set", "train." + key)]
    r = b.run("train", TINY, "--device", "reference", "--limit-train", "96", "--limit-test", "32", *sets, "--out", run)
    check(r.returncode == 0 and "step 3/7  loss" in r.stderr and "  test: loss" in r.stderr and "weights of step 7" in r.stdout, "steps", r)
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    check([line["step"] for line in lines] == [3, 6, 7] and [line["epoch"] for line in lines] == [1, 2, 3], f"lines: {lines}")
    check(all({"train_loss", "validation_loss", "test_loss", "test_accuracy", "learning_rate"} <= set(line) for line in lines), "keys")
    with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    check(summary["best_step"] == 7 and summary["best_weights_sha256"] == summary["weights_sha256"], f"summary: {summary}")
    check(abs(summary["test_loss"] - lines[-1]["test_loss"]) < 1e-6, "the last weights are those tested")
    r = b.run("train", TINY, *QUICK, "--epochs", "90", "--set", "train.patience=1", "--out", run, "--force")
    check(r.returncode == 0 and "patience is over after step" in r.stderr, "patience", r)


def test_folds(b):
    run = os.path.join(b.work, "folds")
    args = ["train", TINY, *QUICK, "--out", run, "--set", "data.validation=0", "--set", "train.folds=3"]
    r = b.run(*args)
    rows = [line.split()[0] for line in r.stdout.splitlines()]
    check(r.returncode == 0 and rows == ["fold", "1", "2", "3", "mean", "deviation", "device", "run"] and "fold 3/3" in r.stderr, "folds", r)
    check(sorted(os.listdir(run)) == ["fold-1", "fold-2", "fold-3", "recipe.yaml", "summary.json"], f"files: {os.listdir(run)}")
    with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    losses = [fold["validation_loss"] for fold in summary["folds"]]
    mean = sum(losses) / 3
    deviation = (sum((loss - mean) ** 2 for loss in losses) / 2) ** 0.5
    check(abs(summary["validation_loss"]["mean"] - mean) < 1e-6 and abs(summary["validation_loss"]["deviation"] - deviation) < 1e-6,
          f"means: {summary}")
    os.remove(os.path.join(run, "fold-2", "summary.json"))
    r = b.run(*args, "--resume", "--json")
    check(r.returncode == 0 and json.loads(r.stdout)["validation_loss"]["mean"] == summary["validation_loss"]["mean"], "resumed", r)
    r = b.run("eval", os.path.join(run, "fold-2"), "--device", "reference", "--json")
    check(r.returncode == 0 and abs(json.loads(r.stdout)["test_accuracy"] - summary["folds"][1]["test_accuracy"]) < 1e-6, "eval of a fold", r)
    b.refused("eval of all folds", 2, "name one of its folds", "eval", run, "--device", "reference")
    b.refused("a validation part beside folds", 2, "data.validation", "train", TINY, *QUICK, "--set", "train.folds=3")
    b.refused("force, but another mistake", 2, "device 'cuda'", *args, "--force", "--device", "cuda")
    b.refused("force, but too many folds", 2, "train.folds: 97", *args[:-1], "train.folds=97", "--force")
    check(os.path.exists(os.path.join(run, "fold-3", "model.safetensors")), "the folds were touched")
    r = b.run("train", TINY, *QUICK, "--out", run, "--force")
    check(r.returncode == 0 and "fold-1" not in os.listdir(run) and len(os.listdir(run)) == 5, f"replaced: {os.listdir(run)}", r)
    r = b.run(*args, "--force", "--quiet")
    check(r.returncode == 0 and len(os.listdir(run)) == 5 and "fold-3" in os.listdir(run), f"replaced again: {os.listdir(run)}", r)


def test_interrupt(b):
    args = ["train", TINY, "--device", "reference", "--limit-test", "32", "--epochs", "60"]
    whole = json.loads(b.run(*args, "--out", os.path.join(b.work, "unbroken"), "--json").stdout)
    for number in (signal.SIGINT, signal.SIGTERM):
        run = os.path.join(b.work, f"broken{int(number)}")
        process = subprocess.Popen([b.cairn, *args, "--out", run, "--quiet"], cwd=b.here, env=b.env, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        while process.poll() is None and not os.path.exists(os.path.join(run, "last.safetensors")):
            time.sleep(0.002)
        process.send_signal(number)
        _, errors = process.communicate(timeout=120)
        check(process.returncode == 3 and errors.count("\n") == 1 and "--resume" in errors, f"signal {number}: {errors!r}")
        check(not os.path.exists(os.path.join(run, "summary.json")), "an interrupted run has no summary")
        check(not [name for name in os.listdir(run) if "tmp" in name], "no temporary files")
        r = b.run(*args, "--out", run, "--resume", "--json")
        check(r.returncode == 0 and json.loads(r.stdout)["weights_sha256"] == whole["weights_sha256"], "resumed", r)
        check(json.loads(r.stdout)["steps"] == whole["steps"], "steps", r)


def run_tests(tests):
    """A program's end: `tests` one after another on the program that the first argument names."""
    bench = Bench(os.path.abspath(sys.argv[1]))
    try:
        for test in tests:
            test(bench)
    finally:
        shutil.rmtree(bench.work, ignore_errors=True)
    print(f"{checks} checks, {failures} failures")
    sys.exit(1 if failures else 0)


def main():
    tests = [test_help, test_train_options, test_recipes, test_data, test_cifar, test_images, test_folders, test_damage,
             test_odd_places, test_summary, test_curves, test_folds, test_interrupt, test_kill]
    run_tests(test for test in tests if test is not test_images or "png" in sys.argv[2:])


if __name__ == "__main__":
    main()
