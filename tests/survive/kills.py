"""A training is killed at random moments and goes on: the end is that of a training that was left alone.

Usage: kills.py FAULTY [--kills N] [--seed N] [--device NAME]...

FAULTY is the program that host.c is linked into. Each training makes a checkpoint after every step and is killed up to three times,
half of them (SIGKILL) after a time drawn at random, half in the middle of a call for files drawn at random, within the writing of a
checkpoint mostly. Then it goes on with --resume, by turns on the device and on the reference; where it was killed before its first
checkpoint it begins anew. Weights, best weights, test loss and the lines of metrics.jsonl must be those of the training that was left
alone. N is how many kills behind a checkpoint to count. SIGINT and SIGTERM at random moments: a message, a checkpoint, the same end.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import common
import refusals

STEPS = 24
MOST = 3  # kills of one training


class Bench:
    def __init__(self, options, work):
        self.program, self.work, self.draw = options.faulty, work, random.Random(options.seed)
        self.recipe = common.write_recipe(work, STEPS)
        self.counts, self.wrong = collections.Counter(), 0

    def words(self, device, run, *more):
        return [self.program, "train", self.recipe, "--data-dir", self.work, "--device", device, "--out", run, "--json", "--quiet", *more]

    def env(self, **more):
        return common.environment(os.path.join(self.work, "cache"), **more)

    def learn(self, device):
        """Trainings that are left alone: what they end with, how long they take, how many calls for files they make."""
        run, report = os.path.join(self.work, "whole"), os.path.join(self.work, "report")
        for _ in range(2):
            shutil.rmtree(run, ignore_errors=True)
            start = time.monotonic()
            ended = common.run(self.words(device, run), self.env())
            self.seconds = time.monotonic() - start
            assert ended.returncode == 0, ended.stderr
        self.good, self.lines = common.trained(ended), common.metrics(run)
        shutil.rmtree(run)
        common.run(self.words(device, run), self.env(CAIRN_HOST_REPORT=report))
        self.calls = len(refusals.Report(report).calls["files"])
        assert len(self.lines) == STEPS and self.calls > STEPS
        shutil.rmtree(run)
        os.remove(report)

    def fail(self, what):
        self.wrong += 1
        print("FAIL", what, flush=True)

    def kill(self, device, run, resume):
        """Starts the training and kills it; what it was killed by, None if it ended before."""
        more, calls = ["--resume"] * resume, 0
        if self.draw.random() < 0.5:
            calls = self.draw.randint(1, self.calls)
            ended = common.run(self.words(device, run, *more), self.env(CAIRN_HOST_FAIL=f"files:{calls}!"))
            code, said = ended.returncode, ended.stderr
        else:
            process = subprocess.Popen(self.words(device, run, *more), env=self.env(), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.PIPE, text=True)
            time.sleep(self.draw.random() * self.seconds)
            process.kill()
            said = process.communicate()[1]
            code = process.returncode
        how = f"at call {calls} for files" if calls else "after a time"
        if code not in (0, -signal.SIGKILL):
            self.fail(f"{device}: exit {code} {how}: {said}")
        return how if code == -signal.SIGKILL else None

    def check_lines(self, run, how):
        lines = common.metrics(run)
        if lines != self.lines[:len(lines)]:
            self.fail(f"metrics.jsonl of a training that was killed {how}: {lines}")

    def finish(self, device, run, how):
        """Goes on to the end."""
        resumes = os.path.exists(os.path.join(run, "last.safetensors"))
        ended = common.run(self.words(device, run, "--resume" if resumes else "--force"), self.env())
        if ended.returncode != 0 or common.trained(ended) != self.good:
            return self.fail(f"{device}, killed {how}: exit {ended.returncode} {ended.stderr} {common.trained(ended)}, not {self.good}")
        if common.metrics(run) != self.lines:
            return self.fail(f"{device}, killed {how}: metrics.jsonl has {common.metrics(run)}")
        spare = [name for name in os.listdir(run) if ".tmp." in name]
        if spare:
            self.fail(f"{device}, killed {how}: left {spare}")
        return None

    def trial(self, device):
        run = os.path.join(self.work, "run")
        how = []
        for number in range(self.draw.randint(1, MOST)):
            resume = os.path.exists(os.path.join(run, "last.safetensors"))
            if number and not resume:
                break
            killed = self.kill(device if number % 2 == 0 else "reference", run, resume)
            if not killed:
                self.counts["ended before"] += 1
                break
            how.append(killed)
            there = os.path.exists(os.path.join(run, "last.safetensors"))
            self.counts["behind a checkpoint" if there else "before the first checkpoint"] += 1
            half = os.path.isdir(run) and any(".tmp." in name for name in os.listdir(run))
            self.counts["within writing a file"] += half
            self.check_lines(run, killed)
        if how:
            self.finish(self.draw.choice([device, "reference"]), run, ", ".join(how))
        shutil.rmtree(run, ignore_errors=True)

    def interrupt(self, device, number):
        """SIGINT or SIGTERM."""
        run = os.path.join(self.work, "run")
        process = subprocess.Popen(self.words(device, run), env=self.env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(self.draw.random() * self.seconds)
        process.send_signal(number)
        stderr = process.communicate()[1]
        left = os.listdir(run) if os.path.isdir(run) else []
        if process.returncode == -number and not left:
            self.counts["signal before the program watched"] += 1
        elif process.returncode == 3 and stderr.count("\n") == 1 and "interrupted" in stderr:
            kept = "last.safetensors" in left
            self.counts["signal with a checkpoint" if kept else "signal before the first step"] += 1
            if kept != ("--resume" in stderr):
                self.fail(f"{device}: {stderr} with {left}")
            self.finish(device, run, f"by signal {number}")
        elif process.returncode != 0:
            self.fail(f"{device}: signal {number}: exit {process.returncode}: {stderr}")
        shutil.rmtree(run, ignore_errors=True)

    def change(self, device):
        """Another recipe does not go on, and changes nothing."""
        run = os.path.join(self.work, "run")
        common.run(self.words(device, run), self.env(CAIRN_HOST_FAIL=f"files:{self.calls * 2 // 3}!"))
        before = {name: open(os.path.join(run, name), "rb").read() for name in os.listdir(run) if ".tmp." not in name}
        for setting in ("train.seed=2", "train.batch=8", "model=[linear 10]", "data.validation=4"):
            words = [word for word in self.words(device, run, "--resume", "--set", setting)]
            ended = common.run(words, self.env())
            after = {name: open(os.path.join(run, name), "rb").read() for name in os.listdir(run) if ".tmp." not in name}
            if ended.returncode != 2 or not common.complaint(ended) or before != after:
                self.fail(f"{device}: another recipe, {setting}: exit {ended.returncode}: {ended.stderr}")
        self.finish(device, run, "before another recipe was refused")
        shutil.rmtree(run, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("faulty")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", action="append")
    options = parser.parse_args()
    options.faulty = os.path.abspath(options.faulty)
    devices = options.device or ["reference", "opencl"]
    with tempfile.TemporaryDirectory(prefix="cairn-kills-") as work:
        bench = Bench(options, work)
        for place, device in enumerate(devices, 1):
            bench.learn(device)
            while bench.counts["behind a checkpoint"] < options.kills * place // len(devices):
                bench.trial(device)
            for number in (signal.SIGINT, signal.SIGTERM) * max(1, options.kills // 20):
                bench.interrupt(device, number)
            bench.change(device)
    for what, count in sorted(bench.counts.items()):
        print(f"{count:6} {what}")
    print(f"{bench.counts['behind a checkpoint']} kills behind a checkpoint, {bench.wrong} wrong")
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
