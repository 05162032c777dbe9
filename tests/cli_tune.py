"""The program from outside: tuning. Usage: cli_tune.py CAIRN. See cli.py. No time is held to a bound."""

import glob
import json
import os
import signal
import subprocess
import time

import cli
from cli import RECIPES, TINY, check

T = ["tune", "--device", "reference", "--seconds", "0.01"]


def tables(b):
    return glob.glob(os.path.join(b.work, "cache", "cairn", "tune", "*"))


def test_words(b):
    b.refused("nothing to tune", 2, "name a recipe", *T)
    b.refused("an unknown operator", 2, "'matmul' is not an operator", *T, "--op", "matmul")
    b.refused("a problem of no size", 2, "m=0 is out of range", *T, "--op", "gemm m=0")
    b.refused("math", 2, "neither exact nor fast", *T, "--op", "gemm", "--math", "double")
    for seconds in ("0", "-1", "nan", "many"):
        b.refused(f"{seconds} seconds", 2, f"--seconds: '{seconds}'", *T[:3], "--op", "gemm", "--seconds", seconds)
    b.refused("an unknown device", 2, "device 'cuda' is unknown", "tune", TINY, "--device", "cuda")
    check(tables(b) == [], f"a table of nothing: {tables(b)}")


def test_tables(b):
    r = b.run(*T, "--op", "gemm m=5 n=6 k=7", "--op", "reduce n2=10", "--json")
    told = json.loads(r.stdout)
    check(r.returncode == 0 and len(told) == 1 and told[0]["problems"] == 2 and told[0]["known"] == 0 and told[0]["recipe"] is None and
          [e["problem"] for e in told[0]["entries"]] == ["gemm m=5 n=6 k=7", "reduce n2=10"] and
          all(e["winner"] == e["default"] == "plain" and e["seconds"] > 0 for e in told[0]["entries"]), "two operators", r)
    check(len(tables(b)) == 1 and tables(b)[0].endswith(".json"), f"one table: {tables(b)}")
    r = b.run(*T, "--op", "gemm m=5 n=6 k=7", "--op", "sgd count=9 lr=0.5")
    check(r.returncode == 0 and "gemm m=5 n=6 k=7  (known)" in r.stdout and "sgd count=9\n" in r.stdout and "1 were known" in r.stdout,
          "known and new", r)
    r = b.run(*T, "--op", "gemm m=5 n=6 k=7", "--force")
    check(r.returncode == 0 and "0 were known" in r.stdout, "force", r)
    r = b.run("devices", "--json")
    check(r.returncode == 0 and json.loads(r.stdout)[0]["tuned"] == {"problems": 3, "won": 0, "file": tables(b)[0]}, "devices", r)
    r = b.run("devices")
    check(r.returncode == 0 and "tuned     exact: 3 problems, 0 of them" in r.stdout, "devices as text", r)
    with open(tables(b)[0], "r+", encoding="utf-8") as file:
        file.truncate(60)
    r = b.run("summary", TINY)
    check(r.returncode == 0 and "cairn: note: " in r.stderr and "is ignored: line" in r.stderr, "a damaged table beside summary", r)
    r = b.run("summary", TINY, "--no-tune")
    check(r.returncode == 0 and r.stderr == "", "a damaged table that is not read", r)
    r = b.run(*T, "--op", "reduce n2=10")
    check(r.returncode == 0 and "is ignored" in r.stderr and "0 were known" in r.stdout, "a damaged table is rebuilt", r)
    r = b.run("summary", TINY)
    check(r.returncode == 0 and r.stderr == "", "a table that is whole again", r)


def test_recipes(b):
    few = ["--set", "data.limit_train=40", "--set", "data.limit_test=10", "--batch", "8"]
    r = b.run(*T, TINY, os.path.join(RECIPES, "glyphs-tiny.yaml"), *few, "--json")
    first, second = json.loads(r.stdout)
    check(r.returncode == 0 and first["problems"] == second["known"] == second["problems"] > 10 and first["train_seconds"] > 0 and
          first["evaluate_seconds"] > 0 and first["train_seconds"] == first["train_default_seconds"], "a recipe twice", r)
    r = b.run(*T, TINY, *few)
    check(r.returncode == 0 and "a training step of 8 images: the operators take" in r.stdout and "an evaluation of 10" in r.stdout,
          "a recipe as text", r)
    r = b.run(*T, "no-such-recipe")
    check(r.returncode == 2 and "no-such-recipe" in r.stderr and r.stderr.count("\n") == 1, "no such recipe", r)


def test_interrupt(b):
    command = [b.cairn, *T[:3], "--seconds", "0.5", TINY, "--set", "data.limit_train=40", "--set", "train.batch=7"]
    before = len(json.load(open(tables(b)[0], encoding="utf-8"))["problems"])
    process = subprocess.Popen(command, cwd=b.here, env=b.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and len(json.load(open(tables(b)[0], encoding="utf-8"))["problems"]) < before + 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=120)
    check(process.returncode == 3 and errors == "cairn tune: interrupted\n" and "goes on from there" in out, f"interrupted: {errors!r} {out!r}")
    check(len(tables(b)) == 1, f"leftovers: {tables(b)}")
    kept = len(json.load(open(tables(b)[0], encoding="utf-8"))["problems"])
    r = b.run(*T, TINY, "--set", "data.limit_train=40", "--set", "train.batch=7", "--json")
    one = json.loads(r.stdout)[0]
    check(r.returncode == 0 and one["known"] >= kept - before >= 2 and one["problems"] > one["known"], "goes on", r)


if __name__ == "__main__":
    cli.run_tests([test_words, test_tables, test_recipes, test_interrupt])
