"""TensorBoard reads what `cairn train --tensorboard` writes. Usage: peers_tensorboard.py CAIRN

With the Python that has TensorBoard (pip install tensorboard); skipped (77) without it. Its EventAccumulator reads scalars, images,
histograms, the graph and the plugin's data of a training, of one that was resumed, and of two that are compared; then a server on the
loopback address answers for them as its pages ask.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import cli
from cli import check
import events
from event_files import read_png

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import metadata
except ImportError:
    print("SKIP: there is no tensorboard here (pip install tensorboard)")
    sys.exit(77)

ALL = {"scalars": 0, "images": 0, "histograms": 0, "tensors": 0, "compressedHistograms": 0}
read = {"scalars": 0, "images": 0, "histograms": 0, "nodes": 0, "settings": 0}


def accumulate(folder):
    return EventAccumulator(folder, size_guidance=ALL).Reload()


def agree(found, run, what):
    rows = events.metrics(run)
    for key, tag in events.TAGS.items():
        wanted = [(row["step"], events.single(row[key])) for row in rows if row.get(key) is not None]
        seen = [(e.step, e.value) for e in found.Scalars(tag)] if tag in found.Tags()["scalars"] else []
        check(seen == wanted, f"{what}: {tag} is {seen}, metrics.jsonl has {wanted}")
        read["scalars"] += len(seen)


def test_whole(b):
    ended, run = events.train(b, "whole", "--tensorboard", events.place(b, "whole"))
    check(ended.returncode == 0, "a training", ended)
    found = accumulate(events.place(b, "whole"))
    agree(found, run, "whole")
    tags = found.Tags()
    check(set(tags["images"]) == {"images/train", "weights/0.conv"}, f"images: {tags['images']}")
    for tag in tags["images"]:
        for image in found.Images(tag):
            w, h, _, _ = read_png(image.encoded_image_string)
            check((w, h) == (image.width, image.height), f"{tag}: {w}x{h}")
            read["images"] += 1
    counts = {"0.conv/weight": 150, "0.conv/bias": 6, "1.batchnorm/weight": 6, "1.batchnorm/bias": 6, "1.batchnorm/running_mean": 6,
              "1.batchnorm/running_var": 6, "4.conv/weight": 216, "7.linear/weight": 4000, "7.linear/bias": 10}
    check(set(tags["histograms"]) == set(counts), f"histograms: {tags['histograms']}")
    for tag, count in counts.items():
        for e in found.Histograms(tag):
            check(e.histogram_value.num == sum(e.histogram_value.bucket) == count, f"{tag} at {e.step}")
            read["histograms"] += 1
    graph = {node.name: node for node in found.Graph().node}
    check(list(graph) == ["images", *events.LAYERS, "loss"] and list(graph["3.add"].input) == ["2.relu", "0.conv"], f"graph: {list(graph)}")
    shapes = [[d.size for d in graph[name].attr["_output_shapes"].list.shape[0].dim] for name in ("0.conv", "7.linear")]
    check(shapes == [[-1, 6, 12, 12], [-1, 10]], f"shapes: {shapes}")
    read["nodes"] += len(graph)
    data = found.PluginTagToContent("hparams")
    start = metadata.parse_session_start_info_plugin_data(data[metadata.SESSION_START_INFO_TAG])
    end = metadata.parse_session_end_info_plugin_data(data[metadata.SESSION_END_INFO_TAG])
    check(start.hparams["train.learning_rate"].number_value == 0.003 and start.hparams["data.name"].string_value == "glyphs" and end.status == 1, "the recipe")
    read["settings"] += len(start.hparams)


def test_resumed(b):
    """Evaluations behind the checkpoint are written again, and counted once."""
    folder, run = events.place(b, "resumed"), os.path.join(b.work, "resumed")
    words = ["--epochs", "6", "--tensorboard", folder]
    whole, _ = events.train(b, "resumed", *words)
    check(whole.returncode == 0, "a training", whole)
    first = sorted(os.listdir(folder))
    other, _ = events.train(b, "shorter", "--epochs", "6")
    # As if it had been killed behind the third evaluation's events: the checkpoint of another start, stopped there.
    path = os.path.join(b.work, "stopped")
    process = subprocess.Popen([b.cairn, "train", os.path.join(b.work, "recipe.yaml"), "--quiet", "--device", "reference", "--out", path, "--epochs", "6"],
                               cwd=b.here, env=b.env, stderr=subprocess.DEVNULL)
    while process.poll() is None and not os.path.exists(os.path.join(path, "last.safetensors")):
        time.sleep(0.001)
    process.kill()
    process.wait()
    for name in os.listdir(path):
        os.replace(os.path.join(path, name), os.path.join(run, name))
    again, _ = events.train(b, "resumed", *words, "--resume")
    check(again.returncode == 0 and json.loads(again.stdout)["weights_sha256"] == json.loads(other.stdout)["weights_sha256"], "it goes on", again)
    names = sorted(os.listdir(folder))
    check(len(names) == 2 and names[0] == first[0], f"files: {names}")
    found = accumulate(folder)
    for tag in ("loss/train", "accuracy/validation", "learning_rate"):
        steps = [e.step for e in found.Scalars(tag)]
        check(steps == [row["step"] for row in events.metrics(run)], f"{tag} at {steps}")
    check([e.step for e in found.Histograms("7.linear/weight")] == [0] + [row["step"] for row in events.metrics(run)], "histograms")


class Server:
    def __init__(self, folder):
        self.process = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", folder, "--port", "0", "--bind_all", "--load_fast", "false"],
                                        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for line in self.process.stderr:
            if match := re.search(r"at (http://[^/]*:)(\d+)", line):
                self.address = f"http://127.0.0.1:{match[2]}"
                return
        raise AssertionError("the server did not begin")

    def ask(self, path, post=None, **query):
        address = f"{self.address}/data/plugin/{path}" + ("?" + urllib.parse.urlencode(query) if query else "")
        data = json.dumps(post).encode() if post is not None else None
        request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def wait(self, path, ready):
        """It reads the files while it answers."""
        for _ in range(1200):
            value = json.loads(self.ask(path))
            if ready(value):
                return value
            time.sleep(0.1)
        raise AssertionError(f"{path}: {value}")


def test_server(b):
    """Two trainings with different rates, side by side."""
    for name, rate in (("slow", "0.001"), ("quick", "0.01")):
        ended, _ = events.train(b, name, "--set", f"train.learning_rate={rate}", "--tensorboard", events.place(b, f"two/{name}"))
        check(ended.returncode == 0, name, ended)
    server = Server(events.place(b, "two"))
    try:
        tags = server.wait("scalars/tags", lambda value: len(value) == 2 and all("final/test_loss" in tags for tags in value.values()))
        check(set(tags) == {"slow", "quick"}, f"runs: {tags}")
        for name in tags:
            rows = json.loads(server.ask("scalars/scalars", tag="loss/validation", run=name))
            wanted = [[row["step"], events.single(row["validation_loss"])] for row in events.metrics(os.path.join(b.work, name))]
            check([row[1:] for row in rows] == wanted, f"{name}: {rows}")
        check(set(json.loads(server.ask("histograms/tags"))["slow"]) >= {"0.conv/weight", "7.linear/bias"}, "histograms")
        images = json.loads(server.ask("images/images", tag="weights/0.conv", run="slow", sample=0))
        png = server.ask("images/individualImage?" + images[-1]["query"])
        check(min(read_png(png)[:2]) > 100 and [image["step"] for image in images] == [0, 6, 12, 18], f"images: {images}")
        graph = server.ask("graphs/graph", run="slow", limit_attr_size=1024, large_attrs_key="_too_large_attrs").decode()
        names = re.findall(r'^  name: "(.*)"$', graph, re.M)
        check(names == ["images", *events.LAYERS, "loss"], f"graph: {names}")
        groups = json.loads(server.ask("hparams/session_groups", post={
            "experimentName": "", "allowedStatuses": ["STATUS_SUCCESS"], "startIndex": 0, "sliceSize": 100,
            "colParams": [{"metric": {"group": "", "tag": "final/test_accuracy"}, "order": "ORDER_DESC"}]}))["sessionGroups"]
        seen = {group["hparams"]["train.learning_rate"]: group["metricValues"] for group in groups}
        check(set(seen) == {0.001, 0.01}, f"settings: {seen}")
        for rate, name in ((0.001, "slow"), (0.01, "quick")):
            with open(os.path.join(b.work, name, "summary.json"), encoding="utf-8") as file:
                wanted = events.single(json.load(file)["test_accuracy"])
            check([m["value"] for m in seen[rate] if m["name"]["tag"] == "final/test_accuracy"] == [wanted], f"{name}: {seen[rate]}")
    finally:
        server.process.terminate()
        server.process.wait()
    print("read:", ", ".join(f"{count} {what}" for what, count in read.items()))


if __name__ == "__main__":
    cli.run_tests([test_whole, test_resumed, test_server])
