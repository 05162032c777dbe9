#!/usr/bin/env python3
"""The work of matrix.sh: runs the rows, keeps their results in build/matrix/results.json, writes the table."""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, "build", "matrix")
DOCS = os.path.join(ROOT, "docs", "devices.md")
BEGIN, END = "<!-- written by tools/matrix.sh -->\n", "<!-- end of what tools/matrix.sh writes -->\n"
PACKAGES = ["pocl-binary-distribution", "intel-opencl-rt", "intel-cmplr-lib-rt"]
POCL = {"OCL_ICD_VENDORS": "pocl.icd"}


def fetch():
    """Wheels are unpacked, not installed: the libraries of Intel's lie together, less their own ICD loader."""
    wheels = os.path.join(FOLDER, "wheels")
    os.makedirs(wheels, exist_ok=True)
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "-d", wheels, *PACKAGES], check=True)
    for wheel in glob.glob(os.path.join(wheels, "*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(os.path.join(FOLDER, "unpacked"))
    intel = os.path.join(FOLDER, "intel")
    shutil.rmtree(intel, ignore_errors=True)
    os.makedirs(intel)
    for library in glob.glob(os.path.join(FOLDER, "unpacked", "*.data", "data", "lib", "*")):
        if os.path.isfile(library) and not os.path.basename(library).startswith("libOpenCL"):
            shutil.copy(library, intel)


def rows():
    """name, environment, options of cairn doctor ("": a flag); None for the environment: not there."""
    grind = sorted(glob.glob("/usr/lib*/oclgrind/liboclgrind-rt-icd.so") + glob.glob("/usr/local/lib*/oclgrind/liboclgrind-rt-icd.so"))
    wheel = glob.glob(os.path.join(FOLDER, "unpacked", "pyopencl", ".libs", "libpocl-*.so"))
    intel = os.path.join(FOLDER, "intel")
    rusticl = os.path.exists("/etc/OpenCL/vendors/rusticl.icd")
    yield "PoCL, two threads", dict(POCL, POCL_MAX_PTHREAD_COUNT="2"), {}
    yield "PoCL, one thread", dict(POCL, POCL_MAX_PTHREAD_COUNT="1"), {}
    yield "PoCL, work-groups of 64", dict(POCL, POCL_MAX_WORK_GROUP_SIZE="64"), {}
    yield "PoCL, 1 GiB of memory", dict(POCL, POCL_MEMORY_LIMIT="1"), {}
    yield "PoCL from PyPI", {"OCL_ICD_VENDORS": wheel[0]} if wheel else None, {}
    yield ("Intel's runtime for CPUs", {"OCL_ICD_VENDORS": os.path.join(intel, "libintelocl.so"), "LD_LIBRARY_PATH": intel}
           if os.path.exists(intel) else None, {})
    yield "rusticl on llvmpipe", {"OCL_ICD_VENDORS": "rusticl.icd", "RUSTICL_ENABLE": "llvmpipe"} if rusticl else None, {"small": ""}
    yield ("Oclgrind", {"OCL_ICD_VENDORS": grind[0], "OCLGRIND_BUILD_OPTIONS": "-cl-opt-disable", "OCLGRIND_MAX_WGSIZE": "64",
                        "CAIRN_COMPILE": "off"} if grind else None, {"small": "", "cases": "4", "seconds": "0"})


def run(cairn, arguments, env):
    return subprocess.run([cairn, *arguments], env=dict(os.environ, **env), capture_output=True, text=True)


def gpus(cairn):
    env = {name: os.environ[name] for name in ("OCL_ICD_VENDORS",) if name in os.environ}
    process = run(cairn, ["devices", "--json"], env)
    for device in json.loads(process.stdout or "[]"):
        if device["type"] == "gpu" and device["available"] and "llvmpipe" not in device["name"]:
            yield device["name"], env, {"device": device["spec"]}


def examine(cairn, name, env, options, cases):
    start = time.time()
    arguments = ["doctor", "--json"]
    for word, value in {"device": "opencl", "cases": str(cases), **options}.items():
        arguments += [f"--{word}", value] if value else [f"--{word}"]
    process = run(cairn, arguments, env)
    try:
        result = json.loads(process.stdout)
    except ValueError:
        return {"verdict": f"exit status {process.returncode}: {process.stderr.strip()[-300:]}", "operators": [], "nets": [], "failed": []}
    result["seconds"] = round(time.time() - start)
    return result


def text_of(name, result):
    ops, nets = result["operators"], result["nets"]
    cases = max((op["cases"] for op in ops), default=0)
    digests = " ".join(f"`{net['weights_sha256'][:8]}`" for net in nets) or "-"
    words = [name, f"{result.get('name', '')}, driver {result.get('driver', '')}", f"{len(ops)} x {cases}", f"{sum(op['runs'] for op in ops):,}",
             f"{sum(op['values'] for op in ops):,}", f"{sum(op['different'] for op in ops):,}",
             f"{sum(net['off'] for net in nets)} of {sum(net['slopes'] for net in nets)}", digests, f"{result.get('seconds', 0)} s",
             result["verdict"]]
    return "| " + " | ".join(words) + " |\n"


def write(results, missing):
    reference = {net["net"]: net["reference"][:8] for result in results.values() for net in result["nets"]}
    digests = {tuple(net["weights_sha256"] for net in result["nets"]) for result in results.values()}
    lines = ["| implementation | device | operators x cases | runs | values | differing | slopes off | weights | time | verdict |\n",
             "|---|---|---|---|---|---|---|---|---|---|\n"]
    lines += [text_of(name, result) for name, result in results.items()]
    lines.append("\nA run is a case by one variant; the weights are the first digits of the `weights_sha256` of the nets "
                 + ", ".join(reference) + ": the reference's are " + " ".join(f"`{digest}`" for digest in reference.values())
                 + (", the same in every row.\n" if len(digests) == 1 else "; not every row has them.\n"))
    lines += [f"Not there when this was written: {', '.join(missing)}.\n"] if missing else []
    with open(DOCS, encoding="utf-8") as file:
        text = file.read()
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        sys.exit(f"{DOCS} has lost its marks, {BEGIN.strip()} and {END.strip()}")
    with open(DOCS + ".tmp", "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "".join(lines) + END + after)
    os.replace(DOCS + ".tmp", DOCS)
    good = len(digests) == 1 and all(result["verdict"] == "sound" and result["nets"] for result in results.values())
    return 0 if good and all(net["weights_sha256"] == net["reference"] for r in results.values() for net in r["nets"]) else 1


def main():
    parser = argparse.ArgumentParser(prog="matrix.sh")
    parser.add_argument("cairn", nargs="?", default=os.path.join(ROOT, "build", "tools", "cairn"))
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    if not os.path.exists(options.cairn):
        sys.exit(f"matrix: {options.cairn} is not there: build first, or name the program")
    os.makedirs(FOLDER, exist_ok=True)
    if options.fetch:
        fetch()
    kept, path = {}, os.path.join(FOLDER, "results.json")
    if options.only and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
    results, missing = {}, []
    for name, env, words in [*rows(), *gpus(options.cairn)]:
        if env is None:
            missing.append(name)
            print(f"{name}: not there", flush=True)
        elif options.only.lower() in name.lower():
            results[name] = examine(os.path.abspath(options.cairn), name, env, words, options.cases)
            print(f"{name}: {results[name]['verdict']}", flush=True)
        elif name in kept:
            results[name] = kept[name]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dict(kept, **results), file, indent=1)
    sys.exit(write(results, missing))


main()
