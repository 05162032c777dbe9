"""What the planted faults (tests/faults) and the mutants (tests/mutants) share: changed copies of the kernels, the environment that
`cairn check` runs them in, and several at a time."""
import concurrent.futures
import glob
import os
import shutil
import subprocess
import sys
import tempfile

OCLGRIND = sorted(glob.glob("/usr/lib*/oclgrind/liboclgrind-rt-icd.so") + glob.glob("/usr/local/lib*/oclgrind/liboclgrind-rt-icd.so"))


def environment(scratch, kernels, simulator=False):
    """For kernels from a folder, on PoCL or in Oclgrind, which reports to scratch/log."""
    env = dict(os.environ, CAIRN_KERNEL_DIR=kernels, OCL_ICD_VENDORS="pocl.icd")
    if simulator:
        env.update(OCL_ICD_VENDORS=OCLGRIND[0], OCLGRIND_DATA_RACES="1", OCLGRIND_UNINITIALIZED="1", OCLGRIND_CHECK_API="1",
                   OCLGRIND_BUILD_OPTIONS="-cl-opt-disable", OCLGRIND_MAX_ERRORS="5",
                   OCLGRIND_LOG=os.path.join(scratch, "log"))
    return env


def copy_with(good, scratch, name, text):
    """A copy of the folder of kernels `good` in which one file has another text."""
    folder = os.path.join(scratch, "kernels")
    shutil.copytree(good, folder)
    path = os.path.join(folder, name)
    os.chmod(path, 0o644)
    with open(path, "w") as file:
        file.write(text)
    return folder


def swap(good, scratch, fault):
    """A copy of the folder of kernels `good` with one fault: a file's name, a text that stands there once, another for it."""
    name, old, new = fault
    with open(os.path.join(good, name), encoding="utf-8") as file:
        text = file.read()
    if text.count(old) != 1:
        sys.exit(f"{name} has {text.count(old)} times, not once: {old}")
    return copy_with(good, tempfile.mkdtemp(dir=scratch), name, text.replace(old, new))


def run(arguments, env, cpu_seconds=None):
    """A process that is ended (SIGXCPU) after so many seconds of the processor: clocks mean nothing on a busy machine."""
    if cpu_seconds:
        arguments = ["/bin/sh", "-c", 'ulimit -t "$0" && exec "$@"', str(cpu_seconds), *arguments]
    return subprocess.run(arguments, env=env, capture_output=True, text=True, errors="replace", timeout=3600)


def read_log(env):
    """What Oclgrind has written since, which is then forgotten."""
    log = env["OCLGRIND_LOG"]
    if not os.path.exists(log):
        return ""
    with open(log, errors="replace") as file:
        text = file.read().strip()
    os.remove(log)
    return text


def each(work, items, workers=None):
    """Yields work(item) in order, several at a time; the first failure ends it."""
    with concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        waiting = [pool.submit(work, item) for item in items]
        try:
            for future in waiting:
                yield future.result()
        finally:
            for future in waiting:
                future.cancel()
