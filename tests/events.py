"""cairn train --tensorboard, read by event_files.py. Usage: events.py CAIRN [tensorboard]; without the word the build has no event files."""

import json
import os
import resource
import signal
import struct
import subprocess
import sys
import time

import cli
from cli import check
from event_files import Events, crc32c, doubles, double, fields, one, read_png, text

RECIPE = """
data: {name: glyphs, normalize: 01, validation: 0.25, limit_train: 120, limit_test: 40}
model: [conv 6 5x5 stride=2 as=a, batchnorm, relu, add a, conv 4 3x3 bias=no, gelu, dropout 0.1, linear 10]
train: {optimizer: adam, learning_rate: 3e-3, batch: 16, epochs: 3, test_curve: yes}
"""
LAYERS = ["0.conv", "1.batchnorm", "2.relu", "3.add", "4.conv", "5.gelu", "6.dropout", "7.linear"]
ON = ["--device", "reference", "--quiet", "--json"]
TAGS = {"train_loss": "loss/train", "train_accuracy": "accuracy/train", "validation_loss": "loss/validation",
        "validation_accuracy": "accuracy/validation", "test_loss": "loss/test", "test_accuracy": "accuracy/test",
        "learning_rate": "learning_rate", "samples_per_second": "images_per_second"}


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def metrics(run):
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def agree(events, run, what):
    """Every number of metrics.jsonl is a scalar, and no scalar is anything else."""
    rows = metrics(run)
    for key, tag in TAGS.items():
        wanted = {row["step"]: single(row[key]) for row in rows if row.get(key) is not None}
        check(events.scalars.get(tag, {}) == wanted, f"{what}: {tag} is {events.scalars.get(tag)}, metrics.jsonl has {wanted}")
    others = {tag for tag, steps in events.scalars.items() if steps and not tag.startswith("final/")} - set(TAGS.values())
    check(not others, f"{what}: other scalars {others}")


def train(b, name, *args, recipe=None, **more):
    """The ended program and the run's folder."""
    run = os.path.join(b.work, name)
    return b.run("train", recipe or b.write("recipe.yaml", RECIPE), *ON, "--out", run, *args, **more), run


def place(b, name):
    return os.path.join(b.work, "tb", name)


def look_at_pictures(events):
    (step, image), = events.images["images/train"].items()
    w, h, c, _ = read_png(image[4][0])
    check(step == 0 and (one(image, 2), one(image, 1), one(image, 3)) == (w, h, c) == (8 * 57 + 1, 2 * 57 + 1, 1), f"images: {w}x{h}, {c}")
    weights = events.images["weights/0.conv"]
    pixels = [read_png(image[4][0]) for image in weights.values()]
    check(sorted(weights) == [0, 6, 12, 18] and len(set(pixels)) == 4, f"weights: {sorted(weights)}")


def look_at_histograms(b, events, run):
    with open(os.path.join(run, "last.safetensors"), "rb") as file:
        head = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    held = {}
    for tag, steps in events.histograms.items():
        layer, part = tag.split("/")
        entry = head[f"{layer.split('.')[0]}.{part}"]
        first, end = entry["data_offsets"]
        values = struct.unpack(f"<{(end - first) // 4}f", data[first:end])
        check(sorted(steps) == [0, 6, 12, 18], f"{tag} at {sorted(steps)}")
        last = steps[18]
        limits, buckets = doubles(last, 6), doubles(last, 7)
        check((double(last, 1), double(last, 2), double(last, 3)) == (min(values), max(values), len(values)), f"{tag}: least, largest, number")
        check(abs(double(last, 4) - sum(values)) < 1e-9 and abs(double(last, 5) - sum(v * v for v in values)) < 1e-9, f"{tag}: sums")
        check(sum(buckets) == len(values) and list(limits) == sorted(limits) and limits[-1] == max(values), f"{tag}: buckets")
        edges = [-1e300, *limits[:-1], 1e300]
        # A number on an edge may be on either side of it: the edges are computed.
        exact = [sum(low <= v < high for v in values) for low, high in zip(edges, edges[1:])]
        check(sum(abs(a - n) for a, n in zip(buckets, exact)) <= 2, f"{tag}: {buckets} but {exact}")
        held[tag] = len(values)
    trained = sum(count for tag, count in held.items() if "running" not in tag)
    summary = json.loads(b.run("summary", os.path.join(b.work, "recipe.yaml"), "--json").stdout)
    check(trained == summary["parameters"] and "1.batchnorm/running_var" in held, f"{trained} parameters in {sorted(held)}")


def look_at_graph(events):
    check(list(events.graph) == ["images", *LAYERS, "loss"], f"nodes: {list(events.graph)}")
    wired = {name: inputs for name, (_, inputs, _) in events.graph.items()}
    check(wired["0.conv"] == ["images"] and wired["3.add"] == ["2.relu", "0.conv"] and wired["loss"] == ["7.linear"], f"edges: {wired}")
    attributes = events.graph["4.conv"][2]
    sizes = [[one(fields(d), 1, 0) for d in fields(attributes["weight"][7][0])[2]]]
    sizes += [[one(fields(d), 1, 0) for d in fields(fields(attributes["_output_shapes"][1][0])[7][0])[2]]]
    check(sizes == [[4, 6, 3, 3], [-1, 4, 10, 10]] and text(attributes["layer"], 2) == "conv 4 3x3 bias=no" and "bias" not in attributes, f"4.conv: {sizes}")
    check(events.graph["loss"][0] == "cross-entropy" and events.graph["5.gelu"][0] == "gelu", "what nodes do")


def look_at_settings(events):
    start = fields(events.plugin["_hparams_/session_start_info"][3][0])
    values = {}
    for entry in map(fields, start[1]):
        value = fields(entry[2][0])
        values[text(entry, 1)] = double(value, 2) if 2 in value else text(value, 3)
    check(values["train.learning_rate"] == 0.003 and values["data.name"] == "glyphs" and values["data.normalize"] == "01" and
          values["train.batch"] == 16 and values["model"].startswith("conv 6 5x5 stride=2 as=a, batchnorm, relu") and
          values["device"] == "reference" and values["math"] == "exact", f"settings: {values}")
    experiment = fields(events.plugin["_hparams_/experiment"][2][0])
    kinds = {text(info, 1): one(info, 4) for info in map(fields, experiment[4])}
    check(kinds == {key: 3 if isinstance(value, float) else 1 for key, value in values.items()}, f"kinds: {kinds}")
    tags = [text(fields(fields(info)[1][0]), 2) for info in experiment[5]]
    check(len(tags) == 4 and all(tag in events.scalars for tag in tags), f"figures: {tags}")
    check(one(fields(events.plugin["_hparams_/session_end_info"][4][0]), 1) == 1, "the end")


def test_whole(b):
    plain, _ = train(b, "plain")
    ended, run = train(b, "whole", "--tensorboard", place(b, "whole"))
    check(ended.returncode == 0 and ended.stderr == "", "a training with events", ended)
    result, bare = json.loads(ended.stdout), json.loads(plain.stdout)
    check(all(result[key] == bare[key] for key in ("weights_sha256", "best_weights_sha256", "test_loss")), "the same bits with events and without")
    events = Events(place(b, "whole"))
    check(result["tensorboard"] == {"file": events.files[0], "failure": None} and "tensorboard" not in bare, f"the result: {result}")
    agree(events, run, "whole")
    final = {tag: list(steps.values()) for tag, steps in events.scalars.items() if tag.startswith("final/")}
    with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
        summary = json.load(file)
    check(final == {f"final/{key}": [single(summary[key])] for key in ("test_loss", "test_accuracy", "validation_loss", "validation_accuracy")},
          f"final figures: {final}")
    look_at_pictures(events)
    look_at_histograms(b, events, run)
    look_at_graph(events)
    look_at_settings(events)


def test_killed(b):
    """A training that is killed leaves whole records; what goes on tells readers to forget what is behind the checkpoint."""
    recipe, folder, run = os.path.join(b.work, "recipe.yaml"), place(b, "killed"), os.path.join(b.work, "killed")
    more = ["--epochs", "40", "--tensorboard", folder]
    words = [b.cairn, "train", recipe, *ON, "--out", run, *more]
    killed = subprocess.Popen(words, cwd=b.here, env=b.env, stdout=subprocess.DEVNULL)
    while killed.poll() is None and not (os.path.exists(os.path.join(run, "metrics.jsonl")) and len(metrics(run)) >= 3):
        time.sleep(0.01)
    killed.kill()
    check(killed.wait() == -signal.SIGKILL, "it was at work")
    early = Events(folder, whole=False)
    check(len(early.scalars["loss/train"]) >= 2 and list(early.graph)[1:-1] == LAYERS, "what a killed training left")
    with open(early.files[0], "ab") as file:
        file.write(struct.pack("<QI", 77, 0)[:9])  # as if it had died within a record
    ended, _ = train(b, "killed", *more, "--resume")
    check(ended.returncode == 0 and ended.stderr == "", "it goes on", ended)
    events = Events(folder, whole=False)
    check(len(events.files) == 2 and events.files[0] == early.files[0] and events.graphs == 1, f"files: {events.files}")
    agree(events, run, "killed")
    whole, other = train(b, "unkilled", "--epochs", "40")
    rows = [[{key: row[key] for key in row if "second" not in key} for row in metrics(folder)] for folder in (run, other)]
    check(json.loads(whole.stdout)["weights_sha256"] == json.loads(ended.stdout)["weights_sha256"] and rows[0] == rows[1], "the same end")


def test_interrupted(b):
    """Ended by a signal: the events of what was evaluated."""
    run = os.path.join(b.work, "stopped")
    words = [b.cairn, "train", os.path.join(b.work, "recipe.yaml"), *ON, "--out", run, "--epochs", "400", "--tensorboard", place(b, "stopped")]
    process = subprocess.Popen(words, cwd=b.here, env=b.env, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not os.path.exists(os.path.join(run, "last.safetensors")):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    check(process.returncode == 3 and errors.count("\n") == 1 and "--resume" in errors, f"interrupted: {errors!r}")
    events = Events(place(b, "stopped"))
    agree(events, run, "interrupted")
    check("_hparams_/session_end_info" not in events.plugin, "it has not ended")


def test_folds(b):
    ended, run = train(b, "folds", "--set", "train.folds=2", "--set", "data.validation=0", "--tensorboard", place(b, "folds"))
    check(ended.returncode == 0, "folds", ended)
    for name in ("fold-1", "fold-2"):
        agree(Events(os.path.join(place(b, "folds"), name)), os.path.join(run, name), name)
    check(sorted(os.listdir(place(b, "folds"))) == ["fold-1", "fold-2"], "a folder for each fold")
    new = os.path.join(b.work, "more-folds")
    folds = ["train", os.path.join(b.work, "recipe.yaml"), *ON, "--set", "train.folds=2", "--set", "data.validation=0", "--out", new]
    b.refused("folds over others", 2, ["fold-1 holds the events of another training", "--force"], *folds, "--tensorboard", place(b, "folds"))
    b.refused("events among the folds", 2, "is the folder of the cross-validation", *folds, "--tensorboard", new)
    check(not os.path.exists(new), "a refused training leaves nothing")


def test_refused(b):
    recipe = os.path.join(b.work, "recipe.yaml")
    t = ["train", recipe, *ON, "--out", os.path.join(b.work, "none")]
    b.refused("a file as folder", 2, ["recipe.yaml is not a folder", "--tensorboard"], *t, "--tensorboard", recipe)
    b.refused("a folder below a file", 2, "Not a directory", *t, "--tensorboard", recipe + "/x")
    b.refused("an empty name", 2, "empty name", *t, "--tensorboard", "")
    b.refused("a folder that cannot be made", 3, "/proc/cairn", *t, "--tensorboard", "/proc/cairn/tb")
    b.refused("a folder with events", 2, ["another training", "--force"], *t, "--tensorboard", place(b, "whole"))
    b.refused("data that are not there", 2, "mnist", *t, "--set", "data.name=mnist", "--tensorboard", "tb/here")
    diverging = ["--set", "train.optimizer=sgd", "--set", "train.learning_rate=3e38"]
    plain = [word for word in t if word != "--json"]
    b.refused("a training that ends before its first checkpoint", 1, "no checkpoint yet", *plain, *diverging, "--tensorboard", "tb/here")
    check(not os.path.exists(os.path.join(b.work, "none")), "no run")
    os.symlink("nowhere", os.path.join(b.work, "dangling"))
    b.refused("a link to nowhere", 3, "dangling", *t, "--tensorboard", os.path.join(b.work, "dangling"))


def test_force(b):
    old = Events(place(b, "whole")).files
    ended, run = train(b, "whole", "--force", "--epochs", "2", "--tensorboard", place(b, "whole"))
    check(ended.returncode == 0, "--force", ended)
    events = Events(place(b, "whole"))
    check(len(events.files) == 1 and events.files != old and events.graphs == 1, f"old events are gone: {events.files}")
    agree(events, run, "replaced")


def test_full(b):
    """Where events can no more be written the training goes on, and says so; what is in the file is whole."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (120000, 120000))

    recipe = b.write("small.yaml", RECIPE.replace("conv 6", "conv 2").replace("add a, conv 4 3x3 bias=no", "add a, maxpool 2"))
    plain, _ = train(b, "roomy", "--epochs", "30", recipe=recipe)
    ended, run = train(b, "full", "--epochs", "30", "--tensorboard", place(b, "full"), recipe=recipe, preexec_fn=limit)
    lines = ended.stderr.splitlines()
    check(ended.returncode == 0 and len(lines) == 1 and lines[0].startswith("cairn: note: cannot write") and "File too large" in lines[0] and
          "goes on without more events" in lines[0], "events that no more fit", ended)
    result = json.loads(ended.stdout)
    check(result["weights_sha256"] == json.loads(plain.stdout)["weights_sha256"] and "File too large" in result["tensorboard"]["failure"], "the run")
    events = Events(place(b, "full"))
    rows = metrics(run)
    steps = sorted(events.scalars["loss/train"])
    check(len(rows) == 30 and 1 <= len(steps) < 30 and steps == [row["step"] for row in rows][:len(steps)], f"evaluations: {steps}")
    check(all(steps == sorted(s for s in held if s) for held in events.histograms.values()), "an evaluation is in the file whole or not at all")


def test_none(b):
    b.refused("no event files", 2, ["--tensorboard", "libisal-dev"], "train", cli.TINY, *ON, "--tensorboard", "tb")


if __name__ == "__main__":
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720
    cli.run_tests([test_whole, test_folds, test_refused, test_force, test_full, test_killed, test_interrupted] if "tensorboard" in sys.argv else [test_none])
