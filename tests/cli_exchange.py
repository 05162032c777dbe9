"""The program from outside: models taken elsewhere and brought in. Usage: cli_exchange.py CAIRN [png] [onnx]. See cli.py.

png, onnx: the program reads PNG files, writes ONNX. What other programs make of exported files: tests/peers.py.
"""

import json
import os
import struct
import sys

import cli
from cli import QUICK, TINY, check, png

ON = ["--device", "reference"]


def read_header(path):
    with open(path, "rb") as file:
        return json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))


def trained(b, name, recipe=TINY):
    """A run's folder."""
    run = os.path.join(b.work, name)
    r = b.run("train", recipe, *QUICK, "--out", run)
    check(r.returncode == 0, f"the run {name}", r)
    return run


def test_export(b):
    run, out = trained(b, "exported"), os.path.join(b.work, "out")
    os.mkdir(out)
    weights = os.path.join(out, "w.safetensors")
    r = b.run("export", run, weights, "--json")
    result = json.loads(r.stdout)
    check(r.returncode == 0 and result["format"] == "safetensors" and result["opset"] is None and
          result["bytes"] == os.path.getsize(weights) and result["parameters"] == 2074 and result["input"] == [1, 28, 28], "export --json", r)
    check({key: value["shape"] for key, value in read_header(weights).items() if key[0] != "_"} ==
          {"0.weight": [4, 1, 5, 5], "0.bias": [4], "4.weight": [10, 196], "4.bias": [10]}, "names and shapes of weights")
    b.refused("a file that is there", 2, ["w.safetensors is there already", "--force"], "export", run, weights)
    r = b.run("export", run, weights, "--force", "--last")
    check(r.returncode == 0 and "weights_sha256" in r.stdout, "export --force --last", r)
    b.refused("a file of no kind", 2, [".onnx", ".safetensors"], "export", run, os.path.join(out, "model.pt"))
    b.refused("a file in no folder", 2, "the folder nowhere", "export", run, "nowhere/m.safetensors")
    b.refused("not a run", 2, "is no run", "export", out, os.path.join(out, "x.safetensors"))
    b.refused("two kinds of weights", 2, "exclude each other", "export", run, os.path.join(out, "x.safetensors"), "--best", "--last")
    b.refused("no file", 2, "usage: cairn export", "export", run)
    normed = trained(b, "normed", b.recipe("normed", **{"  - $act\n": "  - batchnorm\n  - $act\n"}))
    r = b.run("export", normed, os.path.join(out, "normed.safetensors"))
    names = set(read_header(os.path.join(out, "normed.safetensors"))) - {"__metadata__"}
    check(r.returncode == 0 and {"1.running_mean", "1.running_var", "1.num_batches_tracked", "1.weight"} <= names, f"names: {names}", r)
    if "onnx" not in sys.argv:
        b.refused("no ONNX", 2, "libprotobuf-c", "export", run, os.path.join(out, "m.onnx"))


def test_predict(b):
    run = os.path.join(b.work, "exported")
    r = b.run("predict", run, "test:3", "train:0", "7", *ON, "--json")
    result = json.loads(r.stdout)
    check(r.returncode == 0 and [p["image"] for p in result["images"]] == ["test:3", "train:0", "test:7"] and result["classes"] == 10,
          "predict --json", r)
    for p in result["images"]:
        check(p["answer"] == p["outputs"].index(max(p["outputs"])) and p["probability"] == max(p["probabilities"]) and
              abs(sum(p["probabilities"]) - 1) < 1e-6, f"probabilities: {p}")
    again = json.loads(b.run("predict", run, "test:7", *ON, "--json").stdout)
    check(again["images"] == result["images"][2:], f"an image alone and among others: {again}")
    r = b.run("predict", run, "test:3", *ON, "--top", "2")
    check(r.returncode == 0 and r.stdout.startswith("test:3  (labelled ") and r.stdout.count("%") == 2, "predict as text", r)
    tested = json.loads(b.run("eval", run, *ON, "--json").stdout)
    many = b.run("predict", run, *(f"test:{i}" for i in range(tested["images"])), *ON, "--top", "1").stdout.splitlines()
    right = sum(label.split("labelled ")[1][:-1] == answer.split()[2] for label, answer in zip(many[::2], many[1::2]))
    check(right == tested["correct"], f"predict is right {right} times, eval {tested['correct']} of {tested['images']}")
    b.refused("no such image", 2, ["no test image 2000", "0 to 1999"], "predict", run, "2000", *ON)
    b.refused("no image", 2, "usage: cairn predict", "predict", run, *ON)
    b.refused("not a run", 2, "is no run", "predict", b.work, "3", *ON)
    if "png" in sys.argv:
        gray = b.write("gray.png", png(28, 28, bytes(i % 251 for i in range(784)), 1))
        r = b.run("predict", run, gray, *ON, "--json")
        check(r.returncode == 0 and json.loads(r.stdout)["images"][0]["image"] == gray, "predict a file", r)
        small = b.write("rgb.png", png(9, 7, bytes(189)))
        b.refused("a PNG of another size", 2, ["rgb.png is RGB, 7x9", "gray, 28x28"], "predict", run, gray, small, *ON)


if __name__ == "__main__":
    cli.run_tests([test_export, test_predict])
