"""What README.md and docs/recipes.md say is so: their recipes train, their command lines are accepted, what they list is complete.

Usage: docs.py CAIRN [png] [onnx]. The words: what the program was built with; without png the tutorial is not followed.

- Each ```yaml block trains for one step on a few glyphs. A block without all of data, model and train takes the missing
  sections from a small recipe.
- Each `cairn ...` line of a code block names a command and options that `--help` knows; what needs no data is run:
  `cairn summary` of the recipe with its settings, `cairn check` with --list or with its case on the reference.
- docs/recipes.md has every key, layer, optimizer, schedule and initialiser that the program knows, with the defaults
  that a resolved recipe shows, and every key of metrics.jsonl and summary.json.
- docs/tutorial-train.md is followed in a folder of its own: its images are made, its recipe saved, its commands run, on the reference.
- Links to files and to headings lead somewhere, and every recipe is installed.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SMALL = {
    "data": "data: {name: glyphs}",
    "model": "model: [flatten, linear 10]",
    "train": "train: {learning_rate: 0.1}",
}
FEW = ["data.name=glyphs", "data.limit_train=60", "data.limit_test=10", "train.steps=1"]


def pages():
    names = sorted(name for name in os.listdir(os.path.join(ROOT, "docs")) if name.endswith(".md"))
    return ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{name}" for name in names)]


class Docs:
    def __init__(self, cairn):
        self.cairn, self.work = cairn, tempfile.mkdtemp(prefix="cairn-docs-")
        self.passed = self.failed = 0
        self.helps = {}

    def run(self, *args, cwd=ROOT):
        env = dict(os.environ, CAIRN_RECIPE_DIR=os.path.join(ROOT, "data", "recipes"))
        for name in ("CAIRN_KERNEL_DIR", "CAIRN_DATA_DIR", "CAIRN_DATASETS"):
            env.pop(name, None)
        if cwd != ROOT:
            env["CAIRN_DATA_DIR"] = os.path.join(cwd, "shapes")
        return subprocess.run([self.cairn, *args], env=env, cwd=cwd, capture_output=True, text=True, timeout=300)

    def tell(self, good, text):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print(f"FAIL {text}", flush=True)
        return good

    def help(self, *command):
        if command not in self.helps:
            result = self.run(*command, "--help")
            self.tell(result.returncode == 0 and not result.stderr, f"cairn {' '.join(command)} --help: {result.stderr}")
            self.helps[command] = result.stdout
        return self.helps[command]

    def write(self, text):
        path = os.path.join(self.work, "recipe.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


    def tutorial(self):
        """The folder in which the tutorials begin: images, and the recipe of the first of them."""
        folder = os.path.join(self.work, "tutorial")
        if not os.path.isdir(folder):
            os.makedirs(folder)
            shapes = os.path.join(ROOT, "tools", "examples", "shapes.py")
            subprocess.run([sys.executable, shapes, os.path.join(folder, "shapes"), "24", "6"], check=True, timeout=300)
            with open(os.path.join(folder, "shapes.yaml"), "w", encoding="utf-8") as file:
                file.write(next(blocks(read("docs/tutorial-train.md"), "yaml"))[1])
        return folder


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def blocks(text, language):
    """(line number, content) of each fenced block with this word behind the fence."""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        if match[1] == language:
            yield text.count("\n", 0, match.start()) + 1, match[2]


# --- recipes ---


def complete(text):
    """The block and the sections that it lacks."""
    there = re.findall(r"^(\w+):", text, re.M)
    return text + "".join(f"\n{SMALL[name]}" for name in SMALL if name not in there) + "\n"


def check_recipes(docs, name):
    count = 0
    for line, text in blocks(read(name), "yaml"):
        count += 1
        run = os.path.join(docs.work, "run")
        settings = [word for setting in FEW for word in ("--set", setting)]
        result = docs.run("train", docs.write(complete(text)), "--device", "reference", "--out", run, "--force", "--quiet", *settings)
        docs.tell(result.returncode == 0, f"{name}:{line}: the recipe does not train: {result.stderr.strip()}")
    docs.tell(count > 0, f"{name} has no recipes")


# --- command lines ---


def command_lines(text):
    for first, block in blocks(text, ""):
        for number, line in enumerate(block.splitlines(), first + 1):
            if match := re.match(r"(?:[A-Z_]+=\S+ )*cairn (.*)", line):
                yield number, shlex.split(match[1], comments=True)


def run_recipe(docs, where, words):
    recipe = "glyphs-tiny" if words[1] == "RECIPE" else words[1]
    if recipe == "shapes.yaml" and "png" not in sys.argv[2:]:
        return
    settings = [word for i, word in enumerate(words) if word == "--set" or words[i - 1] == "--set"]
    result = docs.run("summary", recipe, *settings, cwd=docs.tutorial() if recipe == "shapes.yaml" else ROOT)
    docs.tell(result.returncode == 0, f"{where}: {result.stderr.strip()}")


def check_line(docs, where, words):
    commands = re.findall(r"^  ([\w-]+) ", docs.help(), re.M)
    if not docs.tell(words and words[0] in commands, f"{where}: cairn has no command '{words[0] if words else ''}'"):
        return
    command = tuple(words[:2]) if words[0] in ("data", "cache") else (words[0],)
    for word in words[len(command) :]:
        if word.startswith("--"):
            docs.tell(re.search(rf"^ +{word}\b", docs.help(*command), re.M), f"{where}: cairn {command[0]} has no option {word}")
    if words[0] in ("summary", "train", "compare", "gradcheck") and "..." not in words:
        run_recipe(docs, where, words)
    case = [word for word in words[1:] if words[0] == "check" and " : data=" in word]
    if case:
        case = [re.sub(r" variant=\w+", "", word) for word in case]
        result = docs.run("check", "--device", "reference", *case)
        docs.tell(result.returncode == 0, f"{where}: {result.stderr.strip() or result.stdout.strip()}")


def follow_tutorial(docs):
    """Every command of docs/tutorial-train.md in its order, shortened."""
    for number, words in command_lines(read("docs/tutorial-train.md")):
        if words[0] == "export" and "onnx" not in sys.argv[2:]:
            continue
        more = ["--epochs", "2"] if words[0] == "train" else []
        if not {"--device", "--curves"} & set(words) and re.search(r"^  --device ", docs.help(words[0]), re.M):
            more += ["--device", "reference"]
        result = docs.run(*words, *more, cwd=docs.tutorial())
        docs.tell(result.returncode == 0, f"docs/tutorial-train.md:{number}: {' '.join(words)}: {result.stderr.strip()}")


def check_lines(docs, name, needed):
    lines = list(command_lines(read(name)))
    docs.tell(lines or not needed, f"{name} has no command lines")
    for number, words in lines:
        check_line(docs, f"{name}:{number}", words)


def check_helps(docs):
    names = re.findall(r"^  ([\w-]+) ", docs.help(), re.M)
    docs.tell(len(names) >= 10, "cairn --help lists no commands")
    for name in names:
        parts = re.findall(rf"^(?:usage:|  +) cairn {name} ([a-z]+) ", docs.help(name), re.M)
        for command in [(name, part) for part in parts] or [(name,)]:
            text = docs.help(*command)
            docs.tell(text.startswith(f"usage: cairn {name}") and "--help" in text, f"cairn {name} --help")
            docs.tell(all(len(line) <= 120 for line in text.splitlines()), f"cairn {name} --help has lines of over 120 characters")


# --- completeness ---


def resolved(docs, *settings):
    """{section: {key: text}} of a small recipe with every default, and the folder."""
    run = os.path.join(docs.work, "small")
    result = docs.run("train", docs.write("\n".join(SMALL.values())), "--device", "reference", "--out", run, "--force", "--quiet",
                      "--limit-train", "60", "--limit-test", "10", *(word for s in settings for word in ("--set", s)))
    docs.tell(result.returncode == 0, f"the small recipe: {result.stderr.strip()}")
    sections = {}
    with open(os.path.join(run, "recipe.yaml"), encoding="utf-8") as file:
        for line in file:
            if match := re.match(r"(\w+):$", line):
                keys = sections[match[1]] = {}
            elif match := re.match(r"  (\w+): (.*)$", line):
                keys[match[1]] = match[2]
    return sections, run


def section_of(text, name):
    return re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", text, re.M | re.S)[1]


def check_keys(docs, text):
    sections, _ = resolved(docs)
    for section in ("data", "init", "train"):
        table = section_of(text, section).split("\n|---|---|---|\n")[1].split("\n\n")[0]
        rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.M))
        refused = docs.run("summary", "glyphs-tiny", "--set", f"{section}.nothing=1").stderr
        known = refused.split("accepted: ")[1].strip().split(", ")
        docs.tell(len(known) > 2 and set(known) == set(rows), f"docs/recipes.md: the keys of {section} differ: {set(known) ^ set(rows)}")
        for key, default in rows.items():
            if default in ("needed", "default's") or key in ("limit_train", "limit_test", "steps"):
                continue
            value = sections[section][key]
            value = {"0x0": "0", "shift=0x0 flip=no rotate=0": "none"}.get(value, value)
            same = value == default or key in ("optimizer", "schedule") and value.split()[0] == default
            docs.tell(same, f"docs/recipes.md: the default of {section}.{key} is '{value}', not '{default}'")


def check_words(docs, text):
    """What complaints list as accepted."""
    refused = docs.run("summary", docs.write(SMALL["data"] + "\nmodel: [nothing]\n" + SMALL["train"])).stderr
    layers = refused.split("there are: ")[1].strip().split(", ")
    words = {"layer": layers}
    for key, section in (("optimizer", "train"), ("schedule", "train"), ("default", "init")):
        refused = docs.run("summary", "glyphs-tiny", "--set", f"{section}.{key}=nothing").stderr
        listed = re.split(r"; |, ", refused.split("there are: ")[1].strip())
        words[key] = [word.split()[0] for word in listed]
        for option in re.findall(r"(\w+)=", refused.split("there are: ")[1]):
            docs.tell(f"{option}=" in text, f"docs/recipes.md: {key} has a setting {option}=")
    for key, names in words.items():
        docs.tell(len(names) > 3, f"no {key} is known")
        for name in names:
            docs.tell(re.search(rf"`{name}[` ]", text), f"docs/recipes.md: {key} '{name}' is missing")


def check_files(docs, text):
    text = section_of(text, "A run's folder")
    _, run = resolved(docs, "train.test_curve=yes", "train.epochs=1", "data.validation=10")
    with open(os.path.join(run, "metrics.jsonl"), encoding="utf-8") as file:
        keys = set(json.loads(file.readline()))
    with open(os.path.join(run, "summary.json"), encoding="utf-8") as file:
        keys |= set(json.load(file))
    _, folds = resolved(docs, "train.folds=2", "train.epochs=1")
    with open(os.path.join(folds, "summary.json"), encoding="utf-8") as file:
        keys |= set(json.load(file))
    for name in sorted(keys | {re.sub(r"\d+", "1", name) for name in os.listdir(run)}):
        docs.tell(f"`{name}`" in text, f"docs/recipes.md: '{name}' of a run's folder is missing")


def check_installed(docs):
    names = [name for name in os.listdir(os.path.join(ROOT, "data", "recipes")) if name.endswith(".yaml")]
    listed = re.findall(r"'recipes/([^']+)'", read("data/meson.build"))
    docs.tell(names and sorted(names) == sorted(listed), f"data/meson.build: the recipes differ: {set(names) ^ set(listed)}")


# --- links ---


def anchors(text):
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(docs):
    for name in pages():
        for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```$", "", read(name), flags=re.M | re.S)):
            if "://" in link:
                continue
            path, _, anchor = link.partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if docs.tell(os.path.exists(os.path.join(ROOT, target)), f"{name}: {link} leads nowhere") and anchor:
                docs.tell(anchor in anchors(read(target)), f"{name}: {link}: there is no such heading")


def main():
    docs = Docs(os.path.abspath(sys.argv[1]))
    try:
        check_helps(docs)
        for name in ("README.md", "docs/recipes.md"):
            check_recipes(docs, name)
        for name in pages():
            check_lines(docs, name, name in ("README.md", "docs/recipes.md"))
        if "png" in sys.argv[2:]:
            follow_tutorial(docs)
        else:
            print("the tutorial is not followed: the program was built without PNG")
        text = read("docs/recipes.md")
        check_keys(docs, text)
        check_words(docs, text)
        check_files(docs, text)
        check_installed(docs)
        check_links(docs)
    finally:
        shutil.rmtree(docs.work)
    print(f"{docs.passed} passed, {docs.failed} failed")
    sys.exit(docs.failed > 0)


main()
