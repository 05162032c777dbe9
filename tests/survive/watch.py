"""The first value of a training that is not finite: the same step, layer and tensor on every device, and the last good checkpoint kept.

Usage: watch.py CAIRN
"""

import os
import re
import shutil
import sys
import tempfile

import common

# Name, changes of the recipe, what the complaint says, whether there is a checkpoint before.
LATE = ["model=[linear 10]", "train.loss=mse", "train.optimizer=sgd", "train.learning_rate=4", "train.clip=0", "train.steps=60",
        "train.evaluate_every=5 steps"]
HUGE = ["init={linear: normal mean=0 dev=1e38}", "train.clip=0"]
CASES = [
    ("loss", LATE, r"step \d+ .*: loss of the batch became infinite", True),
    ("activation", ["model=[conv 4 5x5, batchnorm, relu, maxpool 2, linear 20, relu, linear 10]", *HUGE],
     r"step 1 .*: activation c of layer 4 \(linear 20\) became (NaN|infinite|-infinite)", False),
    ("activation in parts", ["model=[conv 4 5x5, batchnorm, relu, maxpool 2, linear 20, relu, linear 10]", "train.accumulate=2", *HUGE],
     r"step 1 .*: activation c of layer 4 \(linear 20\)", False),
    ("weights", ["model=[linear 32, relu, linear 10]", "train.optimizer=sgd", "train.learning_rate=3e38", "train.clip=0"],
     r"step 2 .*: activation c of layer 0 \(linear 32\) became", True),
    ("second moment", ["model=[conv 4 5x5 stride=2, linear 20, linear 10]",
                       "init={conv: normal mean=0 dev=1e-12, linear: normal mean=0 dev=1e12}", "train.clip=0", "train.learning_rate=1e-20"],
     r"step 1 .*: second moment of 0.weight of layer 0 \(conv 4 5x5 stride=2\) became infinite", False),
]


class Bench:
    def __init__(self, cairn, work):
        self.cairn, self.work, self.failures = cairn, work, 0
        self.recipe = common.write_recipe(work, 2)
        self.run = os.path.join(work, "run")
        self.env = common.environment(os.path.join(work, "cache"))

    def recipe_of(self, changes):
        """The recipe with sections replaced, and settings of keys."""
        path = os.path.join(self.work, "case.yaml")
        with open(self.recipe, encoding="utf-8") as file:
            lines = file.read().splitlines()
        sets = []
        for change in changes:
            key, value = change.split("=", 1)
            if "." in key:
                sets += ["--set", change]
                continue
            lines = [line for line in lines if not line.startswith(key + ":")] + [f"{key}: {value}"]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return [path, *sets]

    def train(self, device, changes, *more):
        words = ["train", *self.recipe_of(changes), "--data-dir", self.work, "--device", device, "--out", self.run, "--json", "--quiet", *more]
        return common.run([self.cairn, *words], self.env)

    def check(self, good, what, ended):
        if not good:
            self.failures += 1
            print(f"FAIL {what}: exit {ended.returncode}: {ended.stderr.strip()} {ended.stdout[-200:]!r}")

    def stops(self, name, device, changes, says, kept):
        ended = self.train(device, changes)
        line = common.complaint(ended) or ""
        self.check(ended.returncode == 1 and re.search(says, line), f"{name} on {device}", ended)
        found = re.search(r"the checkpoint after step (\d+) is kept", line)
        self.check(bool(found) == kept == os.path.exists(os.path.join(self.run, "last.safetensors")), f"{name} on {device}: checkpoint", ended)
        if kept:
            step = re.search(r"train: step (\d+)", line)
            lines = common.metrics(self.run)
            self.check(step and int(found.group(1)) < int(step.group(1)) and lines[-1]["step"] == int(found.group(1)) and
                       all(row["train_loss"] is not None for row in lines), f"{name} on {device}: {lines[-1:]}", ended)
            looked = common.run([self.cairn, "eval", self.run, "--last", "--device", "reference", "--data-dir", self.work], self.env)
            self.check(looked.returncode == 0, f"{name} on {device}: eval", looked)
            again = self.train(device, changes, "--resume")
            self.check(again.returncode == 1 and again.stderr == ended.stderr, f"{name} on {device}: resumed", again)
        shutil.rmtree(self.run, ignore_errors=True)
        return line

    def goes_on(self, name, device, changes):
        """--on-nan continue trains as if nothing were; what it leaves goes on in that way only."""
        ended = self.train(device, changes, "--on-nan", "continue")
        self.check(ended.returncode == 0 and common.trained(ended), f"{name} on {device}, continue", ended)
        again = self.train(device, changes, "--resume")
        self.check(again.returncode == 1 and "--on-nan continue" in (common.complaint(again) or ""), f"{name} on {device}, to stop", again)
        again = self.train(device, changes, "--resume", "--on-nan", "continue")
        self.check(again.returncode == 0, f"{name} on {device}, continue again", again)
        shutil.rmtree(self.run, ignore_errors=True)
        return common.trained(ended)[0]


def main():
    with tempfile.TemporaryDirectory(prefix="cairn-watch-") as work:
        bench = Bench(os.path.abspath(sys.argv[1]), work)
        for name, changes, says, kept in CASES:
            lines = [bench.stops(name, device, changes, says, kept) for device in ("reference", "opencl")]
            if lines[0] != lines[1]:
                bench.failures += 1
                print(f"FAIL {name}: the devices do not agree:\n  {lines[0]}\n  {lines[1]}")
            print(lines[0])
            digests = [bench.goes_on(name, device, changes) for device in ("reference", "opencl")]
            if digests[0] != digests[1]:
                bench.failures += 1
                print(f"FAIL {name}: {digests}")
        ended = bench.train("reference", [], "--on-nan", "perhaps")
        bench.check(ended.returncode == 2 and "neither stop nor continue" in ended.stderr, "--on-nan perhaps", ended)
        good = [bench.train("reference", [], "--force", *more).stdout for more in ([], ["--on-nan", "continue"])]
        if common.metrics(bench.run) == [] or '"weights_sha256"' not in good[0] or \
           [re.findall(r"[0-9a-f]{64}", text) for text in good][0] != re.findall(r"[0-9a-f]{64}", good[1]):
            bench.failures += 1
            print("FAIL a finite training is not the same with --on-nan continue:", good)
    print(f"{len(CASES)} trainings that diverge, {bench.failures} failures")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
