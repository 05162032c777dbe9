"""Completion of command lines: what the program offers, and that bash takes it. Usage: complete.py CAIRN.

Every command and option of `cairn help` and `--help` is offered; values by their kind; nothing is said on standard error. Then
an interactive bash on a terminal of its own completes real lines. Skipped (77) there where no bash is.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CAIRN = os.path.abspath(sys.argv[1])
WORK = tempfile.mkdtemp(prefix="cairn-complete-")
ENV = dict(os.environ, CAIRN_RECIPE_DIR=os.path.join(ROOT, "data", "recipes"), PATH=os.path.dirname(CAIRN) + ":" + os.environ["PATH"],
           HOME=WORK, TERM="dumb", PS1="$ ", OCL_ICD_VENDORS=os.path.join(WORK, "none"), LC_ALL="C", XDG_CACHE_HOME=WORK)
checks = failures = 0


def check(good, what):
    global checks, failures
    checks += 1
    failures += not good
    if not good:
        print("FAIL", what)


def offered(*words):
    result = subprocess.run([CAIRN, "--complete", *words], env=ENV, cwd=WORK, capture_output=True, text=True, timeout=300)
    check(result.returncode == 0 and result.stderr == "", f"{words}: exit {result.returncode}, {result.stderr!r}")
    return [line.split("\t")[0] for line in result.stdout.splitlines()]


def told(*words):
    return subprocess.run([CAIRN, *words, "--help"], env=ENV, capture_output=True, text=True, timeout=300).stdout


def test_tables():
    commands = re.findall(r"^  ([\w-]+) ", told(), re.M)
    check(len(commands) > 10 and set(offered("")) == {*commands, "help"}, "commands")
    for name in commands:
        parts = re.findall(rf"^(?:usage:|  +) cairn {name} ([a-z]+) ", told(name), re.M)
        check(offered(name, "") == parts or not parts, f"{name}: {parts}")
        for part in [[part] for part in parts] or [[]]:
            options = re.findall(r"^  (--[\w-]+)", told(name, *part), re.M)
            check(len(options) > 1 and offered(name, *part, "--") == options, f"{name} {part}: {options}")


RECIPES = {name[:-5] for name in os.listdir(os.path.join(ROOT, "data", "recipes")) if name.endswith(".yaml")}
VALUES = [
    (["d"], ["devices", "data", "doctor"]),
    (["help", "tr"], ["train"]),
    (["train", ""], [*RECIPES, ":files"]),
    (["train", "glyphs-t"], ["glyphs-tiny", ":files"]),
    (["train", "glyphs-tiny", ""], []),
    (["train", "--device", ""], ["opencl", "reference"]),
    (["train", "--device=re"], ["--device=reference"]),
    (["compare", "glyphs-tiny", "--devices", "reference,re"], ["reference,reference"]),
    (["check", "--variant", "poo"], ["pool=", "pool_grad="]),
    (["check", "--device", "reference", "--variant", "gemm="], ["gemm=plain"]),
    (["check", "--device=reference", "--variant=gemm=pl"], ["--variant=gemm=plain"]),
    (["check", "--variant", "nothing="], []),
    (["check", "--device", "nothing", "--variant", "gemm="], []),
    (["train", "--set", "train.lo"], ["train.loss="]),
    (["train", "--on-nan", "s"], ["stop"]),
    (["train", "--math="], ["--math=exact", "--math=fast"]),
    (["train", "--quiet", "--qu"], []),
    (["train", "--set", "a=b", "--se"], ["--set", "--seed"]),
    (["check", "--function", "erf"], ["erf"]),
    (["data", "fetch", "fa"], ["fashion-mnist"]),
    (["eval", ""], [":folders"]),
    (["import", "x.onnx", ""], [":folders"]),
    (["import", "x.onnx", "run", ""], []),
    (["predict", "run", "a.png", "b.png", ""], [":files"]),
    (["export", "--", "--x"], [":folders"]),
    (["train", "--nothing", "--nothing=", ""], [*RECIPES, ":files"]),
    (["nothing", ""], []),
    (["nothing"], []),
    ([], []),
]


class Bash:
    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(WORK)
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], ENV)
        self.send("bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; PS1='$ '; source "
                  f"'{ROOT}/tools/completion.bash'; echo rea''dy\n", "ready\r\n$ ")

    def send(self, text, until):
        """What comes back up to `until`, for two minutes at most."""
        os.write(self.fd, text.encode())
        end, got = time.monotonic() + 120, ""
        while until not in got and time.monotonic() < end:
            if select.select([self.fd], [], [], 1)[0]:
                got += os.read(self.fd, 65536).decode(errors="replace")
        return got

    def close(self):
        os.write(self.fd, b"exit\n")
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def test_bash():
    os.makedirs(os.path.join(WORK, "runs", "one"))
    open(os.path.join(WORK, "my image.png"), "wb").close()
    bash = Bash()
    # What Enter runs is a function that prints its words; the completion asks the program itself.
    bash.send("cairn() { case $1 in --complete) command cairn \"$@\" ;; *) printf '<%s>' \"$@\"; echo ;; esac; }; echo do''ne\n", "done\r\n$ ")
    lines = [
        ("cairn tra\tglyphs-ti\t", ["train", "glyphs-tiny"]),
        ("cairn train --devi\treference", ["train", "--device", "reference"]),
        ("cairn train --device=refe\t", ["train", "--device=reference"]),
        ("cairn compare x --devices reference,refe\t", ["compare", "x", "--devices", "reference,reference"]),
        ("cairn train --set train.learn\t0.5", ["train", "--set", "train.learning_rate=0.5"]),
        ("cairn check --device=reference --variant=gemm=pl\t", ["check", "--device=reference", "--variant=gemm=plain"]),
        ("cairn eval ru\t\t", ["eval", "runs/one/"]),
        ("cairn predict runs/one my\t", ["predict", "runs/one", "my image.png"]),
        ("cairn inspect --out=my\t", ["inspect", "--out=my image.png"]),
        ("cairn data fetch fash\t", ["data", "fetch", "fashion-mnist"]),
    ]
    for typed, words in lines:
        got = bash.send(typed + "\n", "\r\n$ ")
        shown = re.findall(r"<([^<>]*)>", got)
        check(shown == words, f"bash: {typed!r}: {shown}, not {words}; {got!r}")
    bash.close()


test_tables()
for given, wanted in VALUES:
    found = offered(*given)
    check(sorted(found) == sorted(wanted), f"{given}: {found}, not {wanted}")
bash_there = shutil.which("bash")
if bash_there:
    test_bash()
shutil.rmtree(WORK)
print(f"{checks - failures} of {checks} passed" + ("" if bash_there else "; bash is not there"))
sys.exit(1 if failures else 0 if bash_there else 77)
