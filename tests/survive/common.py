"""What the tests of survival share: a small training, a verdict on how a program ended, and whether its run can go on."""

import gzip
import json
import os
import random
import re
import struct
import subprocess

RECIPE = """data: {name: mnist, validation: 8}
model: [conv 4 5x5 stride=2 pad=1, batchnorm, relu, maxpool 2, dropout 0.2, linear 10]
train: {optimizer: adam, learning_rate: 3e-3, batch: 16, clip: 1, steps: STEPS, evaluate_every: 1 steps}
"""
PATIENCE = 900  # seconds: hung; what waits for other work on a busy machine is not


def write_recipe(folder, steps, changes=()):
    """The recipe, and beside it the few images that it trains on: --data-dir is the folder."""
    noise = random.Random(7)
    for part, count in (("train", 40), ("t10k", 16)):
        with gzip.open(os.path.join(folder, f"{part}-images-idx3-ubyte.gz"), "wb") as file:
            file.write(struct.pack(">IIII", 2051, count, 28, 28) + noise.randbytes(count * 784))
        with gzip.open(os.path.join(folder, f"{part}-labels-idx1-ubyte.gz"), "wb") as file:
            file.write(struct.pack(">II", 2049, count) + bytes(i % 10 for i in range(count)))
    path = os.path.join(folder, "recipe.yaml")
    text = RECIPE.replace("STEPS", str(steps))
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def environment(cache, **more):
    """The test's own caches, and nothing that is not asked for."""
    env = dict(os.environ, NO_COLOR="1", **more)
    env.pop("CAIRN_KERNEL_DIR", None)
    env.setdefault("OCL_ICD_VENDORS", "pocl.icd")
    if cache:
        env["XDG_CACHE_HOME"] = cache
    return env


def run(command, env, cwd=None, preexec_fn=None):
    """The ended program; returncode None when it hung."""
    try:
        return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, errors="replace", timeout=PATIENCE,
                              preexec_fn=preexec_fn, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, None, "", "")


def complaint(result):
    """The one line that a failed program ends with; None if there is not exactly one, or it is no complaint."""
    lines = result.stderr.splitlines()
    return lines[0] if len(lines) == 1 and re.match(r"cairn( \w+)?: .", lines[0]) else None


def trained(result):
    """Digests of a training that ended well (--json)."""
    try:
        values = json.loads(result.stdout)
        return values["weights_sha256"], values["best_weights_sha256"], values["test_loss"]
    except (ValueError, KeyError, TypeError):
        return None


def metrics(folder):
    """The lines of metrics.jsonl without what a clock measured."""
    path = os.path.join(folder, "metrics.jsonl")
    rows = []
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                try:
                    row = json.loads(line)
                    row.pop("seconds"), row.pop("samples_per_second")
                except (ValueError, KeyError):
                    row = f"malformed: {line}"
                rows.append(row)
    return rows


def goes_on(cairn, recipe, folder, expected, lines, env):
    """What is wrong with the run that a failed training left: "" if it leads to the expected end, or is not there.

    expected and lines: digests and metrics of a training that nothing happened to. It goes on on the reference."""
    left = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    if not any(name == "last.safetensors" for name in left):
        return f"left {left} and no checkpoint" if left else ""
    again = run([cairn, "train", recipe, "--device", "reference", "--data-dir", os.path.dirname(recipe), "--out", folder, "--resume", "--json",
                 "--quiet"], env)
    if again.returncode != 0:
        return f"--resume: exit {again.returncode}: {again.stderr.strip()}"
    if trained(again) != expected:
        return "--resume ends elsewhere"
    if metrics(folder) != lines:
        return f"metrics.jsonl has other lines: {metrics(folder)}"
    spare = [name for name in os.listdir(folder) if ".tmp." in name]
    return f"left {spare}" if spare else ""
