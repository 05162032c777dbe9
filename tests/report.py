"""`cairn report` of runs of every kind: HTML that is sound, JSON and Markdown that say what the run's files say.

Usage: report.py CAIRN, one that writes PNG. See cli.py. Everything runs on the reference.

HTML is read by html.parser: elements balance, ids are unique and what refers to one finds it, nothing is fetched, every picture has
its text, every chart title, description and role, tables their scopes, headings come in order. docs/reports.md has every key of the JSON.
"""

import base64
import html.parser
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import time

import cli
from cli import QUICK, ROOT, TINY, check, png

R = ["--device", "reference"]
VOID = {"meta", "link", "br", "img", "input", "hr"}
SECTIONS = ["training", "curves", "answers", "mistakes", "inside", "layers", "profile", "device", "reproduce"]


class Page(html.parser.HTMLParser):
    """What is wrong with a page, and what there is in it."""

    def __init__(self, text):
        super().__init__()
        self.bad, self.open, self.ids, self.wanted, self.headings = [], [], [], [], []
        self.images, self.charts, self.sections, self.notes = [], [], [], 0
        self.words, self.texts, self.cells = [], [], []  # all text; <text> of charts; rows of tables
        self.feed(text)
        self.close()
        self.bad += [f"not closed: {self.open}"] if self.open else []
        self.bad += [f"id twice: {i}" for i in set(self.ids) if self.ids.count(i) > 1]
        self.bad += [f"refers to no id: {i}" for i in self.wanted if i not in self.ids]
        self.bad += [f"heading h{b} behind h{a}" for a, b in zip(self.headings, self.headings[1:]) if b > a + 1]
        if self.headings.count(1) != 1 or self.headings[0] != 1:
            self.bad.append(f"headings: {self.headings}")
        for chart in self.charts:
            if not {"title", "desc"} <= chart["has"]:
                self.bad.append(f"a chart without title or description: {chart}")

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [a["id"]] if "id" in a else []
        self.wanted += a.get("aria-labelledby", "").split()
        for key in ("href", "src", "xlink:href", "srcset", "action", "data"):
            value = a.get(key, "data:")
            self.wanted += [value[1:]] if value.startswith("#") else []
            if not value.startswith(("#", "data:")):
                self.bad.append(f"refers to {value}")
        if tag in ("script", "iframe", "object", "embed") or any(key.startswith("on") for key in a):
            self.bad.append(f"a {tag} that acts: {a}")
        if tag == "html" and a.get("lang") != "en" or tag == "th" and a.get("scope") not in ("col", "row"):
            self.bad.append(f"{tag} {a}")
        if tag == "img":
            self.images.append(a)
            if not a.get("alt") or not base64.b64decode(a["src"].split(",")[1], validate=True).startswith(b"\x89PNG"):
                self.bad.append(f"a picture without text, or no PNG: {a.get('alt')}")
        if tag == "svg":
            self.charts.append({"has": set(), "id": a.get("aria-labelledby", "").split("-title")[0]})
            if a.get("role") != "img" or "viewbox" not in a:
                self.bad.append(f"svg {a}")
        if "svg" in self.open and tag in ("title", "desc"):
            self.charts[-1]["has"].add(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "section":
            self.sections.append(a["id"])
        self.notes += a.get("class") == "note"
        if tag == "tr":
            self.cells.append([])
        elif tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.bad += [f"the style fetches: {word}" for word in re.findall(r"url\([^)]*\)|@import", data)]
            return
        self.words.append(data)
        if self.open and self.open[-1] == "text":
            self.texts.append((self.charts[-1]["id"], data))
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1][-1] += data

    def says(self, text):
        return text in " ".join(" ".join(self.words).split())


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def look(b, run, *options, code=0):
    """The run's report as a page and as JSON; both hold the same numbers, and those of the run's files."""
    out = os.path.join(b.work, "page.html")
    r = b.run("report", run, *options, "--out", out, "--force")
    check(r.returncode == code and r.stderr == "" and f"file      {out}\n" in r.stdout, f"{run}: a page", r)
    with open(out, encoding="utf-8") as file:
        page = Page(file.read())
    check(not page.bad, f"{run}: {page.bad[:5]}")
    check(page.sections == SECTIONS, f"{run}: sections {page.sections}")
    r = b.run("report", run, *options, "--format", "json")
    check(r.returncode == 0 and r.stderr == "", f"{run}: JSON", r)
    value = json.loads(r.stdout)
    if os.path.exists(os.path.join(run, "summary.json")):
        summary = load(os.path.join(run, "summary.json"))
        check(value["summary"] == summary and value["state"] == "finished", f"{run}: the summary")
        check(page.says(summary["best_weights_sha256"]) and page.says(summary["weights_sha256"]), f"{run}: digests")
    test = value.get("test")
    if test:
        check(test["accuracy"] is None or page.says(f"{100 * test['accuracy']:.2f} %"), f"{run}: the accuracy")
        if len(test["confusion"]) <= 20:
            there = [word for chart, word in page.texts if chart == "confusion" and word.isdigit()]
            numbers = [str(n) for row in test["confusion"] for n in row if n]
            check("\n".join(numbers) in "\n".join(there), f"{run}: the numbers of the heat map")
        for c, row in zip(value["classes"], test["confusion"]):
            check(c["support"] == sum(row) and c["answered"] == sum(r[c["class"]] for r in test["confusion"]), f"{run}: {c}")
            if c["support"]:
                check(abs(c["recall"] - row[c["class"]] / sum(row)) < 1e-8, f"{run}: recall {c}")
            if c["support"] + c["answered"]:
                f1 = 2 * row[c["class"]] / (c["support"] + c["answered"])
                check(abs(c["f1"] - f1) < 1e-8, f"{run}: F1 {c}")
    check(page.notes >= len([m for m in value["missing"] if m["section"] != "weights"]) > -1, f"{run}: {page.notes} notes, {value['missing']}")
    return page, value


def missing(value):
    return [m["section"] for m in value["missing"]]


def train(b, name, *options, length=("--epochs", "1")):
    run = os.path.join(b.work, name)
    r = b.run("train", TINY, *QUICK[:-2], *length, "--out", run, *options)
    check(r.returncode == 0, f"training of {name}", r)
    return run


def copy(b, run, name, *without):
    to = os.path.join(b.work, name)
    shutil.copytree(run, to)
    for file in without:
        os.remove(os.path.join(to, file))
    return to


def change(path, old, new):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert old in text, (path, old)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def test_whole(b):
    """A finished run with all there is, and the documentation of its JSON value."""
    run = train(b, "run", "--set", "train.test_curve=yes", length=("--epochs", "3"))
    page, value = look(b, run, *R, "--profile", "--mistakes", "5", "--image", "train:3")
    summary = load(os.path.join(run, "summary.json"))
    check(value["missing"] == [] and value["test"]["as_in_summary"] is True and value["weights_file"]["as_in_summary"] is True, "nothing is missing")
    check(value["test"]["confusion"] == summary["confusion"] and value["test"]["source"] == "measured", "the matrix")
    check(page.says(f"{summary['test_loss']:.4f}") and page.says("it holds the tested weights, bit for bit"), "figures of the summary")
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    check([{k: v for k, v in m.items() if k in lines[0]} for m in value["metrics"]] == lines, "the metrics")
    check({c["id"] for c in page.charts} == {"loss", "accuracy", "rate", "confusion", "memory", "arena", "kernels"}, f"charts: {page.charts}")
    check([len(row) for row in page.cells if row and row[0] == "3"] and page.says("test loss"), "the table of metrics")
    wrong = value["test"]["images"] - value["test"]["correct"]
    check(len(value["mistakes"]) == min(5, wrong) > 0 and len(page.images) == len(value["mistakes"]) + 3, "pictures of mistakes")
    sure = [m["probability"] for m in value["mistakes"]]
    check(sure == sorted(sure, reverse=True) and all(m["label"] != m["answer"] for m in value["mistakes"]), "the surest first")
    r = b.run("eval", run, *R, "--mistakes", "5", "--json")
    listed = [(m["index"], m["probability"]) for c in json.loads(r.stdout)["classes"] for m in c["mistakes"]]
    check(all((m["index"], m["probability"]) in listed for m in value["mistakes"]), "mistakes as of cairn eval")
    check(value["activations"]["image"] == "train:3" and value["weights"]["shape"] == [1, 5, 5], "pictures of the net")
    s = json.loads(b.run("summary", os.path.join(run, "recipe.yaml"), *R, "--json").stdout)
    check(value["layers"] == s["layers"] and value["memory"]["bytes"] == s["memory_bytes"], "layers and memory as of cairn summary")
    most = max(step["bytes"] for step in value["memory"]["arena"])
    check(0 < most <= s["memory_bytes"]["activations"], f"the arena: {most}")
    check(sum(k["seconds"] for k in value["profile"]["kernels"]) > 0 and value["profile"]["layers"], "the profile")
    with open(os.path.join(ROOT, "docs", "reports.md"), encoding="utf-8") as file:
        docs = file.read()
    keys = set(value) | {k for v in value.values() if isinstance(v, dict) for k in v} - set(summary) - set(value["recipe"]["train"])
    keys -= {"compute_units", "max_work_group", "local_bytes", "global_bytes", "max_alloc_bytes"}  # "limits in bytes and units"
    check(all(f"`{key}`" in docs for key in keys), f"docs/reports.md lacks {[k for k in keys if f'`{k}`' not in docs]}")
    text = b.run("report", run, *R, "--format", "md").stdout
    check(text.startswith("# run\n") and summary["best_weights_sha256"] in text and "<img" not in text, "Markdown")
    rows = [line for line in text.split("## Answers by class")[1].split("##")[0].splitlines() if re.match(r"\| \d \| ", line)]
    check(len(rows) == 10 and all(line.count("|") == 6 for line in rows), f"classes in Markdown: {rows}")
    check("Not measured" in text and "| 0 | conv 4 5x5" in text, "its layers")
    a = b.run("report", run, *R, "--out", os.path.join(b.work, "a.html"))
    c = b.run("report", run, *R, "--out", os.path.join(b.work, "c.html"))
    with open(os.path.join(b.work, "a.html"), "rb") as one, open(os.path.join(b.work, "c.html"), "rb") as other:
        check(a.returncode == c.returncode == 0 and one.read() == other.read(), "twice the same page")


def test_less(b):
    """Runs of which something is not there."""
    run = train(b, "less")
    page, value = look(b, copy(b, run, "no-summary", "summary.json"), *R)
    check(value["state"] == "interrupted" and "summary" in missing(value) and "test" in value, "no summary")
    check(value["test"]["as_in_summary"] is None and page.says("not finished"), "nothing to compare with")
    page, value = look(b, copy(b, run, "no-metrics", "metrics.jsonl"), *R)
    check(missing(value) == ["metrics", "profile"] and value["metrics"] == [], "no metrics")
    page, value = look(b, copy(b, run, "no-best", "model.safetensors"), *R)
    check(value["weights_file"]["file"] == "last.safetensors" and page.says("the last weights"), "the last weights")
    page, value = look(b, copy(b, run, "no-weights", "model.safetensors", "last.safetensors"), *R)
    check({"net", "test"} <= set(missing(value)) and value["test"]["source"] == "summary.json", "no weights")
    begun = copy(b, run, "begun", "model.safetensors", "last.safetensors", "summary.json", "metrics.jsonl")
    page, value = look(b, begun, *R)
    check(value["state"] == "begun" and "test" not in value and "layers" not in value, "nothing but a recipe")
    away = copy(b, run, "away")
    change(os.path.join(away, "recipe.yaml"), "name: glyphs", "name: mnist")
    page, value = look(b, away, *R)
    check(missing(value) == ["test", "profile"] and value["test"]["source"] == "summary.json", "no data")
    check("mistakes" not in value and value["layers"] and page.says("not at hand"), "what there is without data")
    b.refused("data that was named", 2, b.work, "report", away, *R, "--data-dir", b.work, "--format", "json")
    b.env["OCL_ICD_VENDORS"] = "/nonexistent"
    page, value = look(b, run)
    check({"device", "test"} <= set(missing(value)) and value["memory"]["device"] and page.says("No OpenCL device"), "no device")
    b.refused("a device that was named", 3, "OpenCL", "report", run, "--device", "opencl", "--format", "json")
    del b.env["OCL_ICD_VENDORS"]


def test_kinds(b):
    """Losses, parts, evaluations, NaN, folds, arithmetic, an interruption."""
    page, value = look(b, train(b, "mse", "--set", "train.loss=mse", "--set", "data.validation=0"), *R)
    check("validation" not in " ".join(word for _, word in page.texts) and value["data"]["validation_images"] == 0, "no validation")
    page, value = look(b, train(b, "steps", "--set", "train.evaluate_every=1 steps", length=("--set", "train.steps=3")), *R)
    check(value["axis"] == "steps" and len(value["metrics"]) == 3 and ("loss", "step") in page.texts, "steps")
    page, value = look(b, train(b, "fast", "--math", "fast"), *R)
    check(value["commands"][0].endswith("--math fast --out again") and page.says("another device may give other bits"), "fast")
    folds = train(b, "folds", "--set", "train.folds=2", "--set", "data.validation=0")
    b.refused("all folds", 2, "folds/fold-1", "report", folds, *R, "--format", "json")
    page, value = look(b, os.path.join(folds, "fold-2"), *R)
    check(value["test"]["as_in_summary"] is True, "a fold")
    none = train(b, "none")
    with open(os.path.join(none, "metrics.jsonl"), encoding="utf-8") as file:
        line = json.loads(file.readline())
    rows = [dict(line, epoch=e, train_loss=x, validation_loss=None, train_accuracy=None) for e, x in ((1, None), (2, 1e300), (3, 0.5))]
    b.write("none/metrics.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    page, value = look(b, none, *R)
    check([m["train_loss"] for m in value["metrics"]] == [None, 1e300, 0.5], "values that are not finite")
    args = ["train", TINY, *R, "--limit-train", "200", "--limit-test", "32", "--epochs", "60", "--out", os.path.join(b.work, "broken")]
    process = subprocess.Popen([b.cairn, *args], cwd=b.here, env=b.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not os.path.exists(os.path.join(b.work, "broken", "model.safetensors")):
        time.sleep(0.002)
    process.send_signal(signal.SIGINT)
    process.wait()
    page, value = look(b, os.path.join(b.work, "broken"), *R)
    check(value["state"] == "interrupted" and value["test"]["source"] == "measured", "an interrupted run")
    check(b.run(*args, "--resume").returncode == 0, "resumed")
    page, value = look(b, os.path.join(b.work, "broken"), *R)
    check(value["state"] == "finished" and value["test"]["as_in_summary"] is True, "a resumed run")


def folder(b, name, classes, size, channels=3):
    for part, count in (("train", 4), ("test", 2)):
        for i, c in enumerate(classes):
            for k in range(count):
                pixels = bytes((i * 37 + k * 31 + j * (i + 1)) % 256 for j in range(size * size * channels))
                b.write(f"{name}/{part}/{c}/{k}.png", png(size, size, pixels, channels))
    return os.path.join(b.work, name)


def test_classes(b):
    """Two classes and a hundred, RGB and gray, names that HTML and Markdown would act on."""
    recipe = b.write("images.yaml", "data: {name: images}\nmodel: [conv 3 3x3, relu, linear CLASSES]\n"
                     "train: {optimizer: sgd, learning_rate: 0.001, batch: 4, epochs: 1}\n")
    names = ['<b>&"x"', "größe | *☃* '`"]
    for kinds, size, channels in ((names, 7, 3), ([f"k{i:02d}" for i in range(100)], 5, 1)):
        data = folder(b, f"data{len(kinds)}", kinds, size, channels)
        change(recipe, "CLASSES" if kinds is names else "linear 2]", str(len(kinds)) if kinds is names else "linear 100]")
        run = os.path.join(b.work, f"images{len(kinds)}")
        r = b.run("train", recipe, *R, "--data-dir", data, "--out", run)
        check(r.returncode == 0, "training on images", r)
        page, value = look(b, run, *R, "--data-dir", data)
        check(value["data"]["class_names"] == sorted(kinds) and value["data"]["image"] == [channels, size, size], "names")
        check(all(page.says(" ".join(c["name"].split())) for c in value["classes"]), "every class is named")
        check(("confusion", sorted(kinds)[0]) in page.texts, "in the heat map, too")
        text = b.run("report", run, *R, "--data-dir", data, "--format", "md").stdout
        check("<b>" not in text.replace("\\<b\\>", "") and all(re.sub(r"\\.", "", line).count("|") in (0, 3, 4, 5, 6, 7, 8)
                                                                  for line in text.splitlines()), "Markdown's tables hold")
        page, value = look(b, run, *R)
        check("net" in missing(value) and value["test"]["source"] == "summary.json", "images that are away")


def test_bad(b):
    """Each mistake is one line, and nothing is written."""
    run = train(b, "good")
    args = ["report", run, *R]
    out = b.write("there.html", "mine")
    b.refused("a file that is there", 2, ["there.html is there already", "--force"], *args, "--out", out)
    with open(out, encoding="utf-8") as file:
        check(file.read() == "mine", "it is left alone")
    b.refused("not a run", 2, "is no run", "report", b.work)
    b.refused("no folder", 2, "is no run", "report", "nowhere")
    b.refused("a format", 2, ["'pdf'", "html, md, json"], *args, "--format", "pdf")
    b.refused("no run named", 2, "RUN", "report")
    b.refused("Markdown and JSON", 2, "--format md", *args, "--format", "md", "--json")
    b.refused("--force without a file", 2, "--out FILE", *args, "--format", "md", "--force")
    b.refused("a folder as file", 2, "is a folder", *args, "--out", b.work)
    pipe = os.path.join(b.work, "pipe")
    os.mkfifo(pipe)
    b.refused("a pipe as file", 2, "is a device or a pipe", *args, "--out", pipe, "--force")
    check(stat.S_ISFIFO(os.stat(pipe).st_mode), "it is left alone")
    b.refused("a run without a name", 2, "empty name", "report", "")
    b.refused("in no folder", 2, "the folder nowhere", *args, "--out", "nowhere/r.html")
    b.refused("an unwritable file", 3, "/proc", *args, "--out", "/proc/r.html")
    b.refused("a device that is none", 2, "nosuch", "report", run, "--device", "opencl:nosuch")
    b.refused("an image that is none", 2, "no test image 2000", *args, "--image", "2000")
    for word in ("0", "101", "x"):
        b.refused(f"--mistakes {word}", 2, f"'{word}'", *args, "--mistakes", word)
    for name, text, says in (("summary.json", "{", "summary.json:1"), ("summary.json", "{}", "missing"), ("summary.json", "[]", "missing"),
                             ("metrics.jsonl", "x\n", "metrics.jsonl:1"), ("model.safetensors", "xxxxxxxxxxxx", "model.safetensors"),
                             ("recipe.yaml", "a: b\n", "recipe.yaml:1")):
        bad = copy(b, run, "bad")
        b.write(f"bad/{name}", text)
        b.refused(f"a damaged {name}", 2, says, "report", bad, *R)
        shutil.rmtree(bad)
    bad = copy(b, run, "bad")
    change(os.path.join(bad, "summary.json"), '"confusion": [\n    [', '"confusion": [\n    [-1, ')
    b.refused("a matrix that is none", 2, "'confusion'", "report", bad, *R)
    check(sorted(os.listdir(run)) == sorted(os.listdir(bad)), "a run's folder is left as it was")
    for key, value in (("test_loss", None), ("test_accuracy", "none"), ("epochs", -1), ("confusion", [[1 << 60] * 10] * 10)):
        summary = load(os.path.join(run, "summary.json"))
        summary[key] = value
        if value is None:
            del summary[key]
        b.write("bad/summary.json", json.dumps(summary))
        b.refused(f"a summary's {key}", 2, f"'{key}'", "report", bad, *R)
    with open("/dev/full", "w", encoding="utf-8") as full:
        for form in ("json", "md"):
            r = b.run(*args, "--format", form, stdout=full)
            check(r.returncode == 3 and "standard output" in r.stderr, f"a full disk: {form}", r)
    r = b.run(*args)
    check(r.returncode == 0 and os.listdir(b.here) == ["report.html"], "report.html", r)
    r = b.run(*args, "--format", "html", "--force", "--json")
    check(r.returncode == 0 and json.loads(r.stdout)["file"] == "report.html", "--json of a file", r)


if __name__ == "__main__":
    cli.run_tests([test_whole, test_less, test_kinds, test_classes, test_bad])
