"""The manual pages and the program say the same.

Usage: man.py CAIRN

- Every command has a page and every page a command; cairn(1) tells of each what `cairn help` does.
- The options of a page are those of the command's `--help`, with the same words for their values.
- cairn(1) has every environment variable CAIRN_... that the program reads, and no other.
- cairn-recipe(5) has every key, layer, optimizer, schedule and initialiser that the program knows.
- Each is in the build, and scdoc and mandoc take it without an error; skipped (77) where scdoc is not there.
"""

import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = os.path.join(ROOT, "docs", "man")
CAIRN = os.path.abspath(sys.argv[1])
checks = failures = 0


def check(good, what):
    global checks, failures
    checks += 1
    failures += not good
    if not good:
        print("FAIL", what)


def run(*args):
    env = dict(os.environ, CAIRN_RECIPE_DIR=os.path.join(ROOT, "data", "recipes"))
    return subprocess.run([CAIRN, *args], env=env, capture_output=True, text=True, timeout=300)


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def section(page, title):
    found = re.search(rf"^# {title}\n(.*?)(?=^# |\Z)", page, re.M | re.S)
    return found[1] if found else ""


def told_options(*command):
    """{name: value's word or ""} of `--help`, where two spaces stand before the text."""
    return dict(re.findall(r"^  --([\w-]+)(?: (\S+))?  +\S", run(*command, "--help").stdout, re.M))


def page_options(text):
    return {name: value or "" for name, value in re.findall(r"^\*--([\w-]+)\*(?: _(\S+)_)?$", text, re.M)}


def same(told, paged, page):
    for name in sorted(set(told) | set(paged)):
        if name not in paged:
            check(False, f"{page}: --{name} is missing")
        elif name not in told:
            check(False, f"{page}: the program has no --{name}")
        else:
            check(told[name] == paged[name], f"{page}: --{name} takes '{told[name]}', not '{paged[name]}'")


def check_commands():
    listed = dict(re.findall(r"^  ([\w-]+) +(.*)$", run("help").stdout, re.M))
    names = {name for name in os.listdir(PAGES) if name.endswith(".scd")}
    check(len(listed) > 10, "cairn help lists no commands")
    wanted = {"cairn.1.scd", "cairn-recipe.5.scd"} | {f"cairn-{name}.1.scd" for name in listed}
    check(names == wanted, f"pages and commands differ: {sorted(names ^ wanted)}")
    told = dict(re.findall(r"^\*cairn-([\w-]+)\*\(1\)\n\t(.*)\.$", section(read("docs", "man", "cairn.1.scd"), "COMMANDS"), re.M))
    for name, text in listed.items():
        check(told.get(name, "").lower() == text.lower(), f"cairn.1: {name}: '{told.get(name)}', not '{text}'")
    check(set(told) == set(listed), f"cairn.1: commands differ: {set(told) ^ set(listed)}")
    for name in sorted(set(listed) & {name[6:-6] for name in names}):
        page = read("docs", "man", f"cairn-{name}.1.scd")
        check(f"\ncairn-{name} - {listed[name]}\n" in page, f"cairn-{name}.1: NAME is not '{listed[name]}'")
        parts = re.findall(rf"^(?:usage:|  +) cairn {name} ([a-z]+) ", run(name, "--help").stdout, re.M)
        for part in parts:
            same(told_options(name, part), page_options(section(page, f"OPTIONS OF {part.upper()}")), f"cairn-{name}.1, {part}")
        if not parts:
            same(told_options(name), page_options(section(page, "OPTIONS")), f"cairn-{name}.1")


def check_environment():
    read_there = set()
    for folder in ("src", "tools"):
        for path, _, files in os.walk(os.path.join(ROOT, folder)):
            for name in files:
                if name.endswith(".c"):
                    read_there |= set(re.findall(r'getenv\("(CAIRN_\w+)"', read(path, name)))
    page = section(read("docs", "man", "cairn.1.scd"), "ENVIRONMENT")
    told = set(re.findall(r"\*(CAIRN_\w+)\*", page))
    check(len(told) > 4 and told == read_there, f"cairn.1: ENVIRONMENT differs: {told ^ read_there}")


def check_recipe():
    page = read("docs", "man", "cairn-recipe.5.scd")
    words = set(re.findall(r"\*([\w-]+)[*= ]", page))
    known = set()
    for part in ("data", "init", "train"):
        known |= set(run("summary", "glyphs-tiny", "--set", f"{part}.nothing=1").stderr.split("accepted: ")[1].strip().split(", "))
    for key in ("train.optimizer", "train.schedule", "init.default", "train.loss"):
        refused = run("summary", "glyphs-tiny", "--set", f"{key}=nothing").stderr
        known |= {word.split()[0] for word in re.split(r"; |, ", re.split("there are: |not one of: ", refused)[1].strip())}
    recipe = "data: {name: glyphs}\nmodel: [nothing]\ntrain: {learning_rate: 0.1}\n"
    refused = subprocess.run([CAIRN, "summary", "/dev/stdin"], input=recipe, capture_output=True, text=True, timeout=300).stderr
    known |= set(refused.split("there are: ")[1].strip().split(", "))
    check(len(known) > 60, f"only {len(known)} words of recipes are known")
    check(known <= words, f"cairn-recipe.5: missing: {sorted(known - words)}")


def check_pages():
    """True if all were rendered."""
    scdoc, mandoc = shutil.which("scdoc"), shutil.which("mandoc")
    built = re.findall(r"^  '(.*)',$", read("docs", "man", "meson.build"), re.M)
    check(sorted(f"{name}.scd" for name in built) == sorted(n for n in os.listdir(PAGES) if n.endswith(".scd")),
          "docs/man/meson.build lists other pages")
    for name in built if scdoc else []:
        page = subprocess.run([scdoc], input=read("docs", "man", f"{name}.scd"), capture_output=True, text=True, timeout=60)
        check(page.returncode == 0, f"{name}: scdoc: {page.stderr.strip()}")
        if mandoc and page.returncode == 0:
            lint = subprocess.run([mandoc, "-Tlint", "-Werror"], input=page.stdout, capture_output=True, text=True, timeout=60)
            check(lint.returncode == 0, f"{name}: {lint.stdout.strip()}")
    for tool, found in (("scdoc", scdoc), ("mandoc", mandoc)):
        print("" if found else f"{tool} is not there: pages not tried by it\n", end="")
    return scdoc


check_commands()
check_environment()
check_recipe()
rendered = check_pages()
print(f"{checks - failures} of {checks} passed")
sys.exit(1 if failures else 0 if rendered else 77)
