"""The program from outside: pictures and tables of a run. Usage: cli_report.py CAIRN, one that writes PNG. See cli.py."""

import csv
import json
import os
import struct

import cli
from cli import TINY, check, png


def png_size(path):
    with open(path, "rb") as file:
        head = file.read(26)
    assert head[:8] == b"\x89PNG\r\n\x1a\n", path
    return struct.unpack(">II", head[16:24])[::-1]


def test_eval_files(b):
    """eval --mistakes --confusion --out: what is printed and what is written agree."""
    run, out = os.path.join(b.work, "looked-at"), os.path.join(b.work, "eval", "files")
    args = ["--device", "reference"]
    r = b.run("train", TINY, "--device", "reference", "--limit-train", "200", "--limit-test", "60", "--epochs", "2", "--out", run)
    check(r.returncode == 0, "a run to look at", r)
    plain = b.run("eval", run, *args)
    check("mistakes" not in plain.stdout and "confusion matrix: a row" in plain.stdout, "eval as it was", plain)
    r = b.run("eval", run, *args, "--mistakes", "2")
    check(r.returncode == 0 and r.stdout.startswith(plain.stdout) and "mistakes by class" in r.stdout, "mistakes as text", r)
    r = b.run("eval", run, *args, "--mistakes", "2", "--confusion", "--out", out, "--json")
    check(r.returncode == 0, "eval with files", r)
    result = json.loads(r.stdout)
    with open(os.path.join(out, "confusion.csv"), encoding="utf-8", newline="") as file:
        table = list(csv.reader(file))
    check([[int(n) for n in row[1:]] for row in table[1:]] == result["confusion"], "confusion.csv")
    with open(os.path.join(out, "mistakes.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    listed = [(m["index"], m["label"], m["answer"]) for c in result["classes"] for m in c["mistakes"]]
    check([(int(m["index"]), int(m["label"]), int(m["answer"])) for m in rows if m["index"]] == listed and listed, "mistakes.csv")
    check(sum(c["wrong"] for c in result["classes"]) == 60 - result["correct"], "the mistakes' sum")
    check(sorted(os.path.basename(f) for f in result["files"]) == sorted(os.listdir(out)), f"files: {os.listdir(out)}")
    for c in result["classes"]:
        path = os.path.join(out, f"class-{c['class']}.png")
        n = len(c["mistakes"])
        check(n == min(2, c["wrong"]) and (png_size(path)[1] == 8 + n * 120 if n else not os.path.exists(path)), path)
    check(png_size(os.path.join(out, "confusion.png"))[1] > 400, "confusion.png")

    again = ["eval", run, *args, "--mistakes", "2", "--confusion", "--out"]
    b.refused("files that are there", 2, ["confusion.csv is there already", "--force"], *again, out)
    check(b.run(*again, out, "--force").returncode == 0, "--force")
    part = b.run("eval", run, *args, "--part", "train", "--json")
    check(part.returncode == 0 and json.loads(part.stdout)["images"] == 180 and "train_loss" in part.stdout, "--part train", part)
    b.refused("a part that is none", 2, ["'all'", "validation"], "eval", run, *args, "--part", "all")
    for word in ("0", "1001", "-1", "x"):
        b.refused(f"--mistakes {word}", 2, "--mistakes: '" + word, "eval", run, *args, "--mistakes", word)
    b.refused("--out alone", 2, "--confusion, --mistakes K", "eval", run, *args, "--out", out)
    b.refused("--force alone", 2, "--out DIR", "eval", run, *args, "--force")
    b.refused("a file as folder", 2, ["recipe.yaml", "not a folder"], *again, os.path.join(run, "recipe.yaml"))
    b.refused("a folder without a name", 2, "empty name", *again, "")
    b.refused("an unwritable folder", 3, "/proc/cairn", *again, "/proc/cairn/x")
    b.refused("not a run", 2, "is no run", "eval", out, *args, "--mistakes", "1")


def test_fold(b):
    """A fold's validation part is the one that it was validated on; the folder of folds has no weights."""
    run = os.path.join(b.work, "folds")
    r = b.run("train", TINY, "--device", "reference", "--limit-train", "90", "--limit-test", "20", "--epochs", "2", "--set",
              "train.folds=3", "--set", "data.validation=0", "--out", run)
    check(r.returncode == 0, "a cross-validation", r)
    with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
        folds = json.load(file)["folds"]
    seen = []
    for k, fold in enumerate(folds):
        r = b.run("eval", os.path.join(run, f"fold-{k + 1}"), "--device", "reference", "--part", "validation", "--mistakes", "30", "--json")
        e = json.loads(r.stdout)
        check(e["images"] == 30 and abs(e["validation_loss"] - fold["validation_loss"]) < 1e-6 and
              abs(e["validation_accuracy"] - fold["validation_accuracy"]) < 1e-6, f"fold {k + 1}: {fold}", r)
        seen += [m["index"] for c in e["classes"] for m in c["mistakes"]]
    check(len(seen) == len(set(seen)) and max(seen) < 90, f"images of two folds: {sorted(seen)}")
    b.refused("the folder of folds", 2, ["has no weights", "fold-1"], "eval", run, "--device", "reference", "--part", "train")
    b.refused("its curves", 2, ["no metrics.jsonl", "folds"], "inspect", run, "--curves")


def test_inspect(b):
    run, device = os.path.join(b.work, "looked-at"), ["--device", "reference"]
    picture = os.path.join(b.work, "picture.png")
    w = b.run("inspect", run, "--weights", "--out", picture, "--json")
    check(w.returncode == 0 and json.loads(w.stdout)["shape"] == [1, 5, 5] and png_size(picture) == (323, 323), "inspect --weights", w)
    b.refused("a picture that is there", 2, ["picture.png is there already", "--force"], "inspect", run, "--weights", "--out", picture)
    a = ["inspect", run, "--activations"]
    r = b.run(*a, "train:3", "--layer", "1", *device, "--out", picture, "--force")
    check(r.returncode == 0 and "layer     1: relu" in r.stdout and "train:3" in r.stdout, "inspect --activations", r)
    r = b.run("inspect", run, "--curves")
    check(r.returncode == 0 and os.listdir(b.here) == ["curves.svg"], "inspect --curves", r)
    os.remove(os.path.join(b.here, "curves.svg"))
    b.refused("nothing to draw", 2, "one of --weights", "inspect", run)
    b.refused("two things to draw", 2, "one of --weights", "inspect", run, "--weights", "--curves")
    b.refused("a device for weights", 2, "--activations", "inspect", run, "--weights", *device)
    b.refused("no such layer", 2, ["no layer 9", "0 to 4"], "inspect", run, "--weights", "--layer", "9")
    b.refused("a layer without weights", 2, ["'relu'", "0, 4"], "inspect", run, "--weights", "--layer", "1")
    b.refused("no such image", 2, ["no test image 2000", "0 to 1999"], *a, "2000", *device)
    for word in ("none.png", "train:", "validation:3", "-1"):
        b.refused("no such file", 2, [f"no image '{word}'", "nor a file"], *a, word, *device)
    b.refused("a file without a name", 2, "empty name", "inspect", run, "--weights", "--out", "")
    b.refused("a file in no folder", 2, "the folder nowhere", "inspect", run, "--weights", "--out", "nowhere/w.png")
    small = b.write("small.png", png(9, 7, bytes(189)))
    b.refused("a PNG of another size", 2, ["small.png is RGB, 7x9", "gray, 28x28"], *a, small, *device)
    b.refused("no PNG", 2, "not a PNG image", *a, os.path.join(run, "recipe.yaml"), *device)
    b.refused("a folder as file", 2, "is a folder", "inspect", run, "--weights", "--out", b.work)
    b.refused("an unwritable file", 3, "/proc", "inspect", run, "--weights", "--out", "/proc/w.png")
    b.refused("not a run", 2, "is no run", "inspect", b.work, "--weights")


if __name__ == "__main__":
    cli.run_tests([test_eval_files, test_fold, test_inspect])
