"""Every command with --json, and what commands write to terminals and pipes.

Usage: cli_json.py CAIRN [onnx]. See cli.py.

Each line of the table is run with --json, when standard output is exactly one JSON value and neither it nor standard error has a
control character, and as text on a terminal that is dumb. Every command of `cairn help` must be in it. (`data fetch` and what fails
by faulty kernels are in fetch.py, compare.py, doctor.py and faults/run.py.)
"""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys

import cli
from cli import QUICK, TINY, check

R = ["--device", "reference"]
FEW = ["--set", "data.limit_train=40", "--set", "data.limit_test=10"]
RELU = "/usr/share/libonnx-testdata/data/node/test_relu"


def with_onnx():
    return "onnx" in sys.argv[2:] and os.path.isdir(RELU)


def table(b):
    """(exit status, words, what the value must hold: keys of an object, or a list's least length)."""
    run = os.path.join(b.work, "run")
    diverging = ["--set", "train.optimizer=sgd", "--set", "train.learning_rate=3e38", "--out", os.path.join(b.work, "diverged")]
    yield 0, ["devices"], 1
    yield 0, ["devices", "--probe"], 1
    yield 0, ["summary", TINY], ["layers", "memory_bytes"]
    yield 0, ["train", TINY, *QUICK, "--out", run, "--force"], ["weights_sha256", "test_accuracy"]
    yield 0, ["train", TINY, *QUICK, "--out", run + "-folds", "--force", "--set", "train.folds=2", "--set", "data.validation=0"], ["folds", "test_accuracy"]
    yield 0, ["train", TINY, *QUICK, "--out", run, "--force", "--profile"], ["profile"]
    yield 1, ["train", TINY, *QUICK, *diverging], ["recipe", "diverged"]
    yield 0, ["eval", run, *R, "--mistakes", "2"], ["confusion", "classes"]
    yield 0, ["report", run, *R, "--out", os.path.join(b.work, "report.html"), "--force"], ["run"]
    yield 0, ["report", run, *R, "--format", "json"], ["run"]
    yield 0, ["predict", run, "test:1", *R], ["images", "classes"]
    yield 0, ["inspect", run, "--curves", "--out", os.path.join(b.work, "curves.svg"), "--force"], ["points"]
    yield 0, ["report", run, *R, "--out", os.path.join(b.work, "report.html"), "--force"], ["file", "missing"]
    yield 0, ["report", run, *R, "--format", "json"], ["summary", "classes", "layers"]
    yield 0, ["gradcheck", TINY, *R, *FEW, "--images", "4", "--directions", "1"], ["weights", "directions"]
    yield 1, ["gradcheck", TINY, *R, *FEW, "--images", "4", "--directions", "1", "--epsilon", "1", "--allowed", "1e-9"], ["failed"]
    yield 0, ["compare", TINY, "--devices", "reference,reference", "--steps", "2", *FEW], ["different", "operators"]
    yield 0, ["check", *R, "--op", "gemm", "--cases", "3"], ["operators", "failures"]
    yield 0, ["check", "--op", "gemm", "--cases", "3", "--list"], 3
    yield 0, ["check", *R, "--function", "exp", "--every", "99999999"], ["functions"]
    yield 0, ["doctor", *R, "--forget"], ["forgotten"]
    yield 0, ["bench", *R, "--op", "gemm m=5 n=6 k=7", "--samples", "1", "--sample-ms", "1"], ["problem"]
    yield 0, ["bench", *R, "--op", "gemm", "--op", "reduce", "--samples", "1", "--sample-ms", "1"], 2
    yield 0, ["bench", *R, "--recipe", TINY, "--batch", "4", "--samples", "1", "--sample-ms", "1"], ["device"]
    yield 0, ["bench", *R, "--recipe", TINY, "--list"], ["training", "inference"]
    yield 0, ["tune", *R, "--op", "gemm m=5 n=6 k=7", "--seconds", "0.001", "--force"], 1
    yield 0, ["data", "list"], 3
    yield 0, ["cache", "list"], ["folder", "groups"]
    yield 0, ["cache", "prune"], ["removed_bytes", "groups"]
    weights = os.path.join(b.work, "weights.safetensors")
    yield 0, ["export", run, weights, "--force"], ["weights_sha256", "format"]
    yield 0, ["import", weights, run + "-again", "--recipe", TINY, "--force"], ["weights_sha256", "layers"]
    if with_onnx():
        yield 0, ["onnx-test", RELU, *R], ["passed", "failures"]
        wrong = os.path.join(b.work, "wrong", "test_relu")
        shutil.copytree(RELU, wrong, dirs_exist_ok=True)
        data = os.path.join(wrong, "test_data_set_0")
        shutil.copy(os.path.join(data, "input_0.pb"), os.path.join(data, "output_0.pb"))
        yield 1, ["onnx-test", os.path.dirname(wrong), *R], ["failures"]


def has(value, wanted):
    if isinstance(wanted, int):
        return isinstance(value, list) and len(value) >= wanted
    return isinstance(value, dict) and all(key in value for key in wanted)


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def on_terminal(b, words, **env):
    """Exit status and everything that reaches a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([b.cairn, *words], cwd=b.here, env=dict(b.env, **env), stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    got = b""
    while True:
        ready = select.select([master], [], [], 0.2)[0]
        try:
            part = os.read(master, 65536) if ready else b""
        except OSError:
            part = b""
        got += part
        if not part and process.poll() is not None:
            break
    os.close(master)
    return process.returncode, got.decode(errors="replace")


def test_json(b):
    for code, words, wanted in table(b):
        r = b.run(*words, "--json")
        value = parsed(r.stdout)
        check(r.returncode == code and has(value, wanted), f"{' '.join(words)} --json: wanted {code} and {wanted}", r)
        check("\033" not in r.stdout + r.stderr and "\r" not in r.stderr, f"{words}: control characters in a pipe", r)
        lines = r.stderr.splitlines()
        check(words[0] in ("train", "data") or len(lines) == 0, f"{words}: says {lines}")
    check(os.listdir(b.here) == [], f"left {os.listdir(b.here)}")


def test_terminals(b):
    """Where TERM is dumb nothing is rewritten or coloured. Elsewhere progress is rewritten, and colours obey NO_COLOR."""
    rows = [(code, words) for code, words, _ in table(b)]
    for code, words in [*rows, (0, ["doctor", *R, "--small", "--cases", "1"])]:
        got, text = on_terminal(b, words, TERM="dumb")
        check(got == code and "\033" not in text and "\r" not in text.replace("\r\n", ""), f"{words}, TERM=dumb: exit {got}, {text!r}")
    train = next(words for _, words in rows if words[0] == "train")
    small = ["check", *R, "--op", "gemm", "--cases", "3"]
    for words, env, wanted in ((train, {"TERM": "xterm"}, {"K", "m"}), (train, {"TERM": "xterm", "NO_COLOR": "1"}, {"K"}),
                               (train, {"TERM": "xterm", "NO_COLOR": ""}, {"K", "m"}), (train, {"TERM": ""}, set()),
                               ([*train, "--quiet"], {"TERM": "xterm"}, set()), (small, {"TERM": "xterm"}, {"K"}),
                               ([*small, "--json"], {"TERM": "xterm"}, {"K"})):
        got, text = on_terminal(b, words, **env)
        escapes = set(re.findall(r"\033\[[0-9;]*([A-Za-z])", text))
        check(got == 0 and escapes == wanted, f"{words}, {env}: exit {got}, {escapes}, {text!r}")


def test_complete(b):
    commands = re.findall(r"^  ([\w-]+) ", b.run("help").stdout, re.M)
    missing = set(commands) - {words[0] for _, words, _ in table(b)}
    check(missing <= (set() if with_onnx() else {"onnx-test"}), f"the table lacks {missing}")
    for name in commands:
        parts = re.findall(rf"^(?:usage:|  +) cairn {name} ([a-z]+) ", b.run(name, "--help").stdout, re.M)
        for part in [[part] for part in parts] or [[]]:
            check("\n  --json " in b.run(name, *part, "--help").stdout, f"{name} {part} has no --json")


def test_complaints(b):
    """With --json a complaint is what it is without: one line on standard error, and nothing on standard output."""
    b.refused("recipe", 2, "no recipe", "train", "nothing-of-this-name", "--json")
    b.refused("run", 2, "nowhere", "eval", "nowhere", "--json")
    b.refused("device", 2, "cuda", "check", "--device", "cuda", "--json")
    b.refused("problem", 2, "matmul", "bench", "--op", "matmul", "--json")
    b.refused("events", 2, "give one of them", "doctor", "--events", "--json")
    full = os.open("/dev/full", os.O_WRONLY)
    for words in (["devices"], ["summary", TINY], ["check", "--op", "gemm", "--list"], ["data", "list"], ["bench", *R, "--recipe", TINY, "--list"]):
        r = b.run(*words, "--json", stdout=full)
        check(r.returncode == 3 and r.stderr.count("\n") == 1, f"{words}: a full disk", r)
    os.close(full)


if __name__ == "__main__":
    cli.run_tests([test_json, test_terminals, test_complete, test_complaints])
