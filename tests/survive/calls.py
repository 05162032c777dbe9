"""Every OpenCL call fails once: no crash, no hang, no leak, one clear complaint, an intact checkpoint.

Usage: calls.py CAIRN LAYER [--every N] [--arguments N] [--lost N] [--scenario NAME]... [--verbose]

LAYER is the layer of layer.c. Each scenario runs once to see its calls; then, for each call (with --every N the first of each
name and about one in N of the others), it runs again with that call failing, and again with all behind it failing too, as of a
device that is lost. Each run ends in one of these ways:

  told      a status that is not 0 and one line that names what failed and OpenCL's error
  harmless  the status and the results of a run without fault; only of calls that are listed below with a reason, and in
            the helper that compiles, whose work the program then does itself
  wrong     anything else: a crash, a hang, objects not let go of, silence, other results, a run that cannot go on
"""

import argparse
import collections
import concurrent.futures
import glob
import json
import os
import re
import shutil
import sys
import tempfile

import common

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = os.path.join(HERE, "..", "..", "src")

# Calls whose failure changes no result, and why.
HARMLESS = {
    "clCreateProgramWithBinary": "the program is built from its source",
    "clCreateProgramWithSource": "ahead of its use: the program is built when it is needed",
    "clBuildProgram": "of a kept binary, or ahead of its use: the program is built from its source when it is needed",
    "clGetProgramInfo": "the binary is not kept; the next start compiles again",
    "clFlush": "the commands are handed over by the next one, or by waiting",
    "clGetEventProfilingInfo": "the launch is missing in the profile",
    "clGetPlatformInfo": "of the key of a kept binary: programs are built anew",
    "clGetDeviceInfo": "a hint: how wide vectors are, whether rounded division may be asked for; the probe decides",
    "clFinish": "the last one, at closing: all results were read before",
    "clGetProgramBuildInfo": "the compiler's own words are missing",
    **{"clRelease" + what: "it was let go of; nobody waits for an answer" for what in (
        "Context", "CommandQueue", "MemObject", "Program", "Kernel", "Event")},
}

# What an implementation without devices says by itself: told as that, without the error's name.
NONE_THERE = {("clGetPlatformIDs", -1001), ("clGetDeviceIDs", -1)}


def used_calls():
    """Names of all OpenCL calls in the sources."""
    names = set()
    for path in glob.glob(os.path.join(SOURCES, "**", "*.c"), recursive=True) + glob.glob(os.path.join(SOURCES, "**", "*.h"), recursive=True):
        with open(path, encoding="utf-8") as file:
            names |= set(re.findall(r"\b(cl[A-Z]\w*)\s*\(", file.read()))
    return {name for name in names if not name.startswith("clKernel")}


def known_calls():
    with open(os.path.join(HERE, "calls.h"), encoding="utf-8") as file:
        return set(re.findall(r"^(?:STATUS\(|RELEASE\(|HANDLE\([^,]+, )(\w+)", file.read(), re.M))


class Report:
    """What the layer told: of a process, or of its helpers, of whose calls the longest list counts."""

    def __init__(self, path, helpers):
        self.calls, self.fired, self.live, self.ended = [], [], {}, helpers
        for part in glob.glob(path + ".*") if helpers else [path]:
            calls, self.calls = self.calls, []
            self.read(part)
            self.calls = max(calls, self.calls, key=len)

    def read(self, path):
        if not os.path.exists(path):
            return
        with open(path, encoding="utf-8") as file:
            for line in file:
                word, *rest = line.split()
                if word == "call":
                    self.calls.append(rest[0])
                elif word == "fired":
                    self.fired.append((rest[0], int(rest[1])))
                elif word == "live":
                    self.live[rest[0]] = int(rest[1])
                self.ended = self.ended or word == "end"


class Scenario:
    """A command line; its result is what a run with a fault must not change silently."""

    def __init__(self, name, words, cold=False, trains=False, helper=False):
        self.name, self.words, self.cold, self.trains, self.helper = name, words, cold, trains, helper

    def result(self, ended):
        if self.trains:
            return common.trained(ended)
        try:
            value = json.loads(ended.stdout)
        except ValueError:
            return None
        if self.words[0] == "check":  # times differ
            return [{k: v for k, v in row.items() if "second" not in k} for row in value] if isinstance(value, list) else {
                k: v for k, v in value.items() if "second" not in k}
        return value


class Bench:
    def __init__(self, options, work):
        self.cairn, self.layer, self.work, self.verbose = options.cairn, options.layer, work, options.verbose
        self.recipe, self.failed = common.write_recipe(work, 2), set()
        train = ["train", self.recipe, "--data-dir", work, "--device", "opencl", "--json", "--quiet", "--out", "RUN"]
        self.scenarios = [
            Scenario("devices", ["devices", "--json"]),
            Scenario("probe", ["devices", "--probe", "--json"]),
            Scenario("check", ["check", "--op", "add", "--cases", "2", "--device", "opencl", "--json"]),
            Scenario("cold", ["check", "--op", "add", "--cases", "1", "--device", "opencl", "--json"], cold=True),
            Scenario("helper", ["check", "--op", "add", "--cases", "1", "--device", "opencl", "--json"], cold=True, helper=True),
            Scenario("train", train, trains=True),
            Scenario("profile", train + ["--profile"], trains=True),
        ]

    def start(self, scenario, number, fault=None):
        """Runs the scenario in a folder of its own; gives the ended program, the layer's report, and the run's folder."""
        folder = os.path.join(self.work, f"{scenario.name}-{number}")
        os.makedirs(folder)
        report = os.path.join(folder, "report")
        env = common.environment(os.path.join(folder, "cache") if scenario.cold else os.path.join(self.work, "cache"),
                                 OPENCL_LAYERS=self.layer, CAIRN_LAYER_REPORT=report, CAIRN_LAYER_PARENT=str(os.getpid()))
        if fault:
            env["CAIRN_LAYER_FAIL"] = fault
        if scenario.helper:
            env["CAIRN_LAYER_CHILDREN"] = "1"
        else:
            env["CAIRN_COMPILE"] = "off"
        run = os.path.join(folder, "run")
        words = [run if word == "RUN" else word for word in scenario.words]
        ended = common.run([self.cairn, *words], env, cwd=folder)
        return ended, Report(report, scenario.helper), run, folder

    def learn(self, scenario):
        """A warm run without fault."""
        shutil.rmtree(self.start(scenario, "warm")[3])
        ended, report, run, folder = self.start(scenario, "good")
        if not report.calls and ended.returncode == 0 and scenario.name == "devices":
            print("SKIP: this OpenCL loader knows no layers")
            sys.exit(77)
        scenario.good, scenario.calls = scenario.result(ended), report.calls
        scenario.lines = common.metrics(run)
        assert ended.returncode == 0 and scenario.good and report.ended, (scenario.name, ended.stderr)
        assert not report.live, f"{scenario.name}: without a fault, not let go of: {report.live}"
        shutil.rmtree(folder)

    def judge(self, scenario, ended, report, run):
        """("told" or "harmless", ""), or ("wrong", why)."""
        if ended.returncode is None:
            return "wrong", "a hang"
        if ended.returncode < 0 or ended.returncode > 3 or not report.ended:
            return "wrong", f"a crash: exit {ended.returncode}: {ended.stderr.strip()[-300:]}"
        if report.live:
            return "wrong", f"a leak: {report.live}"
        if scenario.trains:
            why = common.goes_on(self.cairn, self.recipe, run, scenario.good, scenario.lines, common.environment(None))
            if why:
                return "wrong", f"a lost checkpoint: {why}"
        names = {name for name, _ in report.fired}
        if ended.returncode == 0:
            if scenario.result(ended) == scenario.good and (names <= set(HARMLESS) and self.closes(report) or scenario.helper):
                return "harmless", ""
            told = "CL_" in ended.stdout + ended.stderr  # a list of devices tells of the one that failed
            return ("told", "") if told and scenario.words[0] == "devices" else ("wrong", f"silence: {ended.stdout[-200:]!r}")
        line = common.complaint(ended) or ("" if ended.stderr else self.listed(ended))
        if report.fired[0] in NONE_THERE and "there is no OpenCL device; install a driver" in line:
            return "told", ""
        if not line or not re.search(r"CL_[A-Z_]+", line):
            return "wrong", f"an unclear complaint: {ended.stderr[-300:] or ended.stdout[-300:]!r}"
        return "told", ""

    @staticmethod
    def closes(report):
        """A clFinish that failed was the last call of all but letting go."""
        if not any(name == "clFinish" for name, _ in report.fired):
            return True
        place = len(report.calls) - 1 - report.calls[::-1].index("clFinish")
        others = report.calls[len(report.calls) - len(report.fired):place] if len(report.fired) > 1 else []
        return all(name.startswith("clRelease") for name in others + report.calls[place + 1:])

    @staticmethod
    def listed(ended):
        """What `devices` and `check` say of a failure within their results."""
        found = re.search(r"[^\"\n]*CL_[A-Z_]+[^\"\n]*", ended.stdout)
        return found.group(0) if found else ""

    def one(self, job):
        scenario, number, suffix = job
        ended, report, run, folder = self.start(scenario, f"{number}{suffix}", f"{number}{suffix}")
        verdict, why = self.judge(scenario, ended, report, run) if report.fired else ("unreached", "")
        name = report.fired[0][0] if report.fired else ""
        shutil.rmtree(folder)
        if verdict == "wrong" or self.verbose:
            print(f"{verdict}  {scenario.name} CAIRN_LAYER_FAIL={number}{suffix} {name} "
                  f"{report.fired[0][1] if report.fired else ''}: {why or ended.stderr.strip()}", flush=True)
        self.failed |= {name for name, _ in report.fired}
        return scenario.name, name, verdict


def sample(calls, every, arguments):
    """Numbers of calls: the first of each name and one in `every`, of the many that set arguments one in `arguments`."""
    places, chosen = collections.defaultdict(list), set()
    for number, name in enumerate(calls, 1):
        places["arguments" if name == "clSetKernelArg" else "others"].append(number)
        if len(places[name]) == 0:
            places[name].append(number)
            chosen.add(number)
    return sorted(chosen | set(places["others"][every - 1::every]) | set(places["arguments"][arguments - 1::arguments]))


def table(results):
    rows = collections.defaultdict(collections.Counter)
    for scenario, _, verdict in results:
        rows[scenario][verdict] += 1
    print(f"{'scenario':<10} {'failed':>8} {'told':>8} {'harmless':>8} {'wrong':>8}")
    for scenario, row in rows.items():
        print(f"{scenario:<10} {sum(row.values()) - row['unreached']:>8} {row['told']:>8} {row['harmless']:>8} {row['wrong']:>8}")
    harmless = collections.Counter(name for _, name, verdict in results if verdict == "harmless")
    for name, count in sorted(harmless.items()):
        print(f"harmless  {name} ({count}): {HARMLESS.get(name, 'the helper cannot compile: the program does')}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("cairn")
    parser.add_argument("layer")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--arguments", type=int, help="the same for clSetKernelArg; as --every if it is not given")
    parser.add_argument("--lost", type=int, help="the same for devices that are lost; as --every if it is not given")
    parser.add_argument("--scenario", action="append")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    options.cairn, options.layer = os.path.abspath(options.cairn), os.path.abspath(options.layer)
    unknown = used_calls() - known_calls()
    if unknown:
        print(f"FAIL tests/survive/calls.h does not have {', '.join(sorted(unknown))}")
        return 1
    with tempfile.TemporaryDirectory(prefix="cairn-calls-") as work:
        bench = Bench(options, work)
        jobs, lost = [], options.lost or options.every
        for scenario in bench.scenarios:
            if options.scenario and scenario.name not in options.scenario:
                continue
            bench.learn(scenario)
            jobs += [(scenario, number, "") for number in sample(scenario.calls, options.every, options.arguments or options.every)]
            jobs += [(scenario, number, "+") for number in sample(scenario.calls, lost, max(lost, options.arguments or 1))]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(bench.one, jobs))
    table(results)
    never = used_calls() - bench.failed
    if never and not options.scenario:
        print("never called here:", ", ".join(sorted(never)))
    wrong = sum(verdict == "wrong" for _, _, verdict in results)
    print(f"{sum(verdict != 'unreached' for _, _, verdict in results)} calls failed, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
