#!/usr/bin/env python3
"""run.py CAIRN CL [NAME...]: plants one fault at a time in a copy of the kernels and asks `cairn check` to find it.

Each fault is one exact replacement in one kernel file; a text that is no longer there, or there more than once, fails loudly.
A fault is found when the checker tells a case whose line, given back on the faulty kernels, differs again (exit 1) and on the
good kernels does not (exit 0). Faults that leave results right on PoCL are looked for with Oclgrind: there a line counts that
makes it report something, and nothing on the good kernels. CL is the folder of the kernels."""
import json
import os
import sys
import tempfile

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import plant  # noqa: E402
from faults import FAULTS  # noqa: E402


def check(cairn, env, *arguments):
    return plant.run([cairn, "check", *arguments], env)


def copy_with(good, scratch, fault):
    """A copy of the kernels with the fault in it."""
    with open(os.path.join(good, fault["file"])) as file:
        text = file.read()
    count = text.count(fault["old"])
    if count != 1:
        raise SystemExit(f"{fault['name']}: {fault['file']} has {count} times, not once:\n{fault['old']}")
    return plant.copy_with(good, scratch, fault["file"], text.replace(fault["old"], fault["new"]))


def expect(condition, fault, what, process):
    if not condition:
        raise SystemExit(f"{fault['name']}: {what} (exit {process.returncode})\n{process.stdout[-3000:]}{process.stderr[-3000:]}")


def find_difference(cairn, good, faulty, scratch, fault):
    env, clean = plant.environment(scratch, faulty), plant.environment(scratch, good)
    process = check(cairn, env, "--json", "--op", fault["op"], *fault.get("options", ["--cases", "100"]))
    expect(process.returncode == 1, fault, "not found", process)
    failure = json.loads(process.stdout)["failures"][0]
    process = check(cairn, env, *fault.get("again", []), failure["case"])
    expect(process.returncode == 1, fault, "its line does not reproduce it", process)
    process = check(cairn, clean, *fault.get("again", []), failure["case"])
    expect(process.returncode == 0, fault, "its line fails on the good kernels, too", process)
    return f"{failure['where']}: {failure['case']}"


def reported(cairn, env, line):
    """Whether Oclgrind has something to say about a case, or the case differs."""
    plant.read_log(env)
    process = check(cairn, env, line)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{line}: exit {process.returncode}\n{process.stderr}")
    said = plant.read_log(env)
    return said or (process.stdout if process.returncode else "")


def find_report(cairn, good, faulty, scratch, fault):
    env, clean = plant.environment(scratch, faulty, True), plant.environment(scratch, good, True)
    process = check(cairn, env, "--list", "--small", "--op", fault["op"], *fault.get("options", ["--cases", "30"]))
    expect(process.returncode == 0, fault, "no cases", process)
    for line in process.stdout.splitlines():
        line += fault.get("suffix", "")
        said = reported(cairn, env, line)
        if not said:
            continue
        if not reported(cairn, env, line) or reported(cairn, clean, line):
            raise SystemExit(f"{fault['name']}: not reproduced, or reported for the good kernels, too: {line}")
        return f"Oclgrind, {said.splitlines()[0].strip()}: {line}"
    raise SystemExit(f"{fault['name']}: Oclgrind reports nothing")


def main():
    cairn, good = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    wanted = [fault for fault in FAULTS if fault["name"] in sys.argv[3:] or not sys.argv[3:]]
    if not wanted:
        raise SystemExit("no such fault; there are: " + ", ".join(fault["name"] for fault in FAULTS))
    if "XDG_CACHE_HOME" not in os.environ:
        raise SystemExit("set XDG_CACHE_HOME to a folder for the binaries: they are shared by the faults")
    skipped = [fault["name"] for fault in wanted if fault.get("simulator") and not plant.OCLGRIND]

    def find(fault):
        with tempfile.TemporaryDirectory() as scratch:
            look = find_report if fault.get("simulator") else find_difference
            return f"{fault['name']}: {look(cairn, good, copy_with(good, scratch, fault), scratch, fault)}"

    # The dear ones first, so that none is left alone at the end.
    wanted = [fault for fault in wanted if fault["name"] not in skipped]
    for found in plant.each(find, sorted(wanted, key=lambda fault: "300" not in fault.get("options", []))):
        print(found, flush=True)
    if skipped:
        print("Oclgrind is not installed; not looked for: " + ", ".join(skipped))
    return 77 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
