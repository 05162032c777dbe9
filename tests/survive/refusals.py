"""Memory, threads and files are refused once: no crash, no hang, no leak of a run, one clear complaint, an intact checkpoint.

Usage: refusals.py FAULTY [--every N] [--scenario NAME]... [--events] [--verbose]

FAULTY is the program that host.c is linked into. Scenarios that compile all kernels
anew are run where they are named: memory-cold, files-cold. Each scenario runs once to see its calls; then for each call (with --every N the
first of each place in the program and one in N of the others) it runs again with that call refused, and again with those behind
it refused too: memory that stays out, a disk that stays full. The ways in which a run may end are those of calls.py;
where nothing was said and nothing changed, the places are listed: kept programs and tables of tuned variants that are optional,
folders that are synchronised, threads and helpers whose work is done without them, locks that some file systems do not know.

Then a training ends on a disk that is really full, a small tmpfs (for root alone), and in a folder that may only be read.
"""

import argparse
import bisect
import collections
import concurrent.futures
import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

import common

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import event_files

REASONS = [os.strerror(code) for code in (errno.EMFILE, errno.ENOMEM, errno.EIO, errno.EROFS, errno.ENOSPC, errno.EBUSY, errno.EACCES,
                                          errno.ENOLCK, errno.EISDIR)]


class Places:
    """The function that a place in the program belongs to."""

    def __init__(self, program):
        symbols = subprocess.run(["nm", "-n", program], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in symbols.splitlines()]
        start = next(int(row[0], 16) for row in rows if row[-1] == "__executable_start")
        rows = [(int(row[0], 16) - start, row[2]) for row in rows if len(row) == 3 and row[1] in "tT"]
        self.starts, self.names = [row[0] for row in rows], [row[1] for row in rows]

    def name(self, place):
        return self.names[bisect.bisect_right(self.starts, place) - 1] if place < self.starts[-1] else "a library"


class Report:
    def __init__(self, path):
        self.calls, self.fired, self.ended = collections.defaultdict(list), [], False
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                for line in file:
                    word, *rest = line.split()
                    if word == "call":
                        self.calls[rest[0]].append((rest[1], int(rest[2], 16)))
                    elif word == "fired":
                        self.fired.append((rest[1], int(rest[2], 16)))
                    self.ended = word == "end"


class Scenario:
    def __init__(self, name, device, kind, resumes=False, cold=False, events=False):
        self.name, self.device, self.kind, self.resumes, self.cold, self.events = name, device, kind, resumes, cold, events


class Bench:
    def __init__(self, options, work):
        self.program, self.work, self.verbose = options.faulty, work, options.verbose
        self.places = Places(options.faulty)
        self.recipe = common.write_recipe(work, 2)
        self.env = common.environment(os.path.join(work, "cache"))
        self.scenarios = [Scenario(f"{kind}-{device}", device, kind) for device in ("reference", "opencl") for kind in ("memory", "files")]
        self.scenarios += [Scenario(f"{kind}-resume", "reference", kind, True) for kind in ("memory", "files")]
        self.scenarios += [Scenario(f"{kind}-cold", "opencl", kind, cold=True) for kind in ("memory", "files")]
        if options.events:
            self.scenarios += [Scenario(f"{kind}-events", "reference", kind, events=True) for kind in ("memory", "files")]
        whole = os.path.join(work, "whole")
        ended = self.train("reference", whole)
        assert ended.returncode == 0, ended.stderr
        self.good, self.lines = common.trained(ended), common.metrics(whole)
        self.half = self.begin_run()

    def train(self, device, folder, resume=False, preexec_fn=None, events=None, **more):
        words = ["train", self.recipe, "--data-dir", self.work, "--device", device, "--out", folder, "--json", "--quiet"] + ["--resume"] * resume
        words += ["--tensorboard", events] if events else []
        return common.run([self.program, *words], dict(self.env, **more), preexec_fn=preexec_fn)

    def begin_run(self):
        """A run that was killed behind its first checkpoint, at the first rename of the second."""
        report, folder = os.path.join(self.work, "begun"), os.path.join(self.work, "half")
        self.train("reference", os.path.join(self.work, "seen"), CAIRN_HOST_REPORT=report)
        names = [name for name, _ in Report(report).calls["files"]]
        renames = [number for number, name in enumerate(names, 1) if name == "rename"]
        ended = self.train("reference", folder, CAIRN_HOST_FAIL=f"files:{renames[4]}!")
        assert ended.returncode == -9 and "last.safetensors" in os.listdir(folder), (ended, os.listdir(folder))
        return folder

    def start(self, scenario, number, fault=None):
        folder = os.path.join(self.work, f"{scenario.name}-{number}")
        run, report = os.path.join(folder, "run"), os.path.join(folder, "report")
        os.makedirs(folder)
        if scenario.resumes:
            shutil.copytree(self.half, run)
        more = {"CAIRN_HOST_FAIL": fault} if fault else {}
        if scenario.cold:
            more["XDG_CACHE_HOME"] = os.path.join(folder, "cache")
        events = os.path.join(folder, "events") if scenario.events else None
        ended = self.train(scenario.device, run, scenario.resumes, events=events, CAIRN_HOST_REPORT=report, **more)
        return ended, Report(report), run, folder

    def learn(self, scenario):
        if not scenario.cold:
            shutil.rmtree(self.start(scenario, "warm")[3])
        ended, report, _, folder = self.start(scenario, "good")
        assert common.trained(ended) == self.good, (scenario.name, ended.stderr)
        shutil.rmtree(folder)
        return report.calls[scenario.kind]

    def judge(self, scenario, ended, report, run):
        if ended.returncode is None:
            return "wrong", "a hang"
        if ended.returncode < 0 or ended.returncode > 3 or not report.ended:
            return "wrong", f"a crash: exit {ended.returncode}: {ended.stderr.strip()[-300:]}"
        why = common.goes_on(self.program, self.recipe, run, self.good, self.lines, self.env)
        if scenario.resumes and not os.path.exists(os.path.join(run, "last.safetensors")):
            why = "it is gone"
        if why:
            return "wrong", f"a lost checkpoint: {why}"
        if ended.returncode == 0:
            if common.trained(ended) != self.good:
                return "wrong", f"other results: {ended.stdout!r}"
            return "told" if "without more events" in ended.stderr else "harmless", ""
        line = common.complaint(ended)
        words = ["memory", "thread"] if scenario.kind == "memory" else REASONS
        if not line or not any(word in line for word in words):
            return "wrong", f"an unclear complaint: {ended.stderr[-300:]!r}"
        return "told", ""

    def read_events(self, folder, run, verdict, ended):
        """No events without a run; else whole records, and an evaluation's all or none: all of them where nothing was told."""
        if not os.path.exists(run):
            return ("wrong", "events without a run") if os.path.exists(folder) else (verdict, "")
        if not os.path.exists(folder):
            return (verdict, "") if ended.returncode else ("wrong", "no events")
        try:
            events = event_files.Events(folder)
        except (AssertionError, IndexError, UnicodeDecodeError) as error:
            return "wrong", f"damaged events: {error}"
        steps, many = sorted(events.scalars.get("loss/train", {})), len(self.lines)
        if any(sorted(step for step in held if step) != steps for held in events.histograms.values()):
            return "wrong", f"half an evaluation: {steps}"
        return ("wrong", f"events are missing: {steps}") if verdict == "harmless" and len(steps) != many else (verdict, "")

    def one(self, job):
        scenario, number, suffix = job
        ended, report, run, folder = self.start(scenario, f"{number}{suffix}", f"{scenario.kind}:{number}{suffix}")
        verdict, why = self.judge(scenario, ended, report, run) if report.fired else ("unreached", "")
        if scenario.events and verdict in ("told", "harmless"):
            verdict, why = self.read_events(os.path.join(folder, "events"), run, verdict, ended)
        where = f"{report.fired[0][0]} in {self.places.name(report.fired[0][1])}" if report.fired else ""
        shutil.rmtree(folder)
        if verdict == "wrong" or self.verbose:
            print(f"{verdict}  {scenario.name} CAIRN_HOST_FAIL={scenario.kind}:{number}{suffix} {where}: {why or ended.stderr.strip()}", flush=True)
        return scenario.name, where, verdict


class Disk:
    """Folders and disks that really refuse: a half run goes on in each, is told of it, and goes on when they no longer do."""

    def __init__(self, bench):
        self.bench, self.failures = bench, 0
        self.folder = os.path.join(bench.work, "disk")
        self.run = os.path.join(self.folder, "run")

    def refused(self, what, says, begin, end, **more):
        """begin() makes the disk refuse, end() lets it take everything again."""
        shutil.copytree(self.bench.half, self.run)
        begin()
        ended = self.bench.train("reference", self.run, True, **more)
        end()
        line = common.complaint(ended)
        why = common.goes_on(self.bench.program, self.bench.recipe, self.run, self.bench.good, self.bench.lines, self.bench.env)
        good = ended.returncode == 3 and line and says in line and not why
        print(f"{'good' if good else 'FAIL'}  {what}: {ended.stderr.strip()}{why}", flush=True)
        self.failures += not good
        shutil.rmtree(self.run, ignore_errors=True)

    def limited(self):
        """Files of at most 2 KiB, as with a quota."""
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
        os.makedirs(self.folder)
        self.refused("a quota", os.strerror(errno.EFBIG), lambda: None, lambda: None, preexec_fn=limit)
        os.rmdir(self.folder)

    def full(self):
        os.makedirs(self.folder)
        mounted = os.getuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", self.folder],
                                                      capture_output=True, check=False).returncode == 0
        if not mounted:
            print("SKIP  a full disk: no file system can be mounted here")
            return
        filler = os.path.join(self.folder, "filler")

        def fill():
            with open(filler, "wb", buffering=0) as file:
                try:
                    while file.write(bytes(4096)):
                        pass
                except OSError:
                    pass

        try:
            self.refused("a full disk", os.strerror(errno.ENOSPC), fill, lambda: os.remove(filler))
        finally:
            subprocess.run(["umount", self.folder], check=False)

    def read_only(self):
        """For another user where this one is root, whom nothing is refused."""
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.bench.work, 0o755)
        nobody = (lambda: os.setuid(65534)) if os.getuid() == 0 else None
        if common.run([self.bench.program, "--version"], self.bench.env, preexec_fn=nobody).returncode != 0:
            print("SKIP  a read-only folder: another user cannot run the program here")
            return
        denied = os.strerror(errno.EACCES)
        self.refused("a read-only folder", denied, lambda: os.chmod(self.run, 0o555), lambda: os.chmod(self.run, 0o755), preexec_fn=nobody)
        os.chmod(self.folder, 0o555)
        ended = self.bench.train("reference", os.path.join(self.folder, "new"), preexec_fn=nobody)
        os.chmod(self.folder, 0o755)
        good = ended.returncode == 3 and denied in (common.complaint(ended) or "") and not os.listdir(self.folder)
        print(f"{'good' if good else 'FAIL'}  a new run in a read-only folder: {ended.stderr.strip()}")
        self.failures += not good


def sample(calls, every):
    first = {call: number for number, call in reversed(list(enumerate(calls, 1)))}
    return sorted(set(first.values()) | set(range(every, len(calls) + 1, every))) if every > 1 else range(1, len(calls) + 1)


def table(results):
    rows = collections.defaultdict(collections.Counter)
    for scenario, _, verdict in results:
        rows[scenario][verdict] += 1
    print(f"{'scenario':<20} {'refused':>8} {'told':>8} {'harmless':>8} {'wrong':>8}")
    for scenario, row in rows.items():
        print(f"{scenario:<20} {sum(row.values()) - row['unreached']:>8} {row['told']:>8} {row['harmless']:>8} {row['wrong']:>8}")
    harmless = collections.Counter(where for _, where, verdict in results if verdict == "harmless")
    print("harmless:", ", ".join(f"{where} ({count})" for where, count in sorted(harmless.items())))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("faulty")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--scenario", action="append")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--events", action="store_true", help="the build writes events for TensorBoard: memory-events, files-events, too")
    options = parser.parse_args()
    options.faulty = os.path.abspath(options.faulty)
    with tempfile.TemporaryDirectory(prefix="cairn-refusals-") as work:
        bench = Bench(options, work)
        jobs = []
        for scenario in bench.scenarios:
            if scenario.name not in options.scenario if options.scenario else scenario.cold:
                continue
            for number in sample(bench.learn(scenario), options.every):
                jobs += [(scenario, number, ""), (scenario, number, "+")]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(bench.one, jobs))
        table(results)
        disk = Disk(bench)
        disk.limited()
        disk.full()
        disk.read_only()
    wrong = sum(verdict == "wrong" for _, _, verdict in results) + disk.failures
    print(f"{sum(verdict != 'unreached' for _, _, verdict in results)} refusals, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
