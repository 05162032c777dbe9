#!/usr/bin/env python3
"""doctor.py CAIRN CL [LAYER]: `cairn doctor` and `cairn check --functions` on PoCL, with good kernels and with faults planted in copies.

A variant that is wrong is found, told with a small case that `cairn check` takes back, and no longer used: a training ends in
the reference's weights. An operator without a sound variant makes the device unfit, and it is refused. Good kernels are sound,
before and after. A wrong edge of a function shows in a sample of all floats. CL is the folder of the kernels; LAYER, of
tests/helper/layer.c, makes a kernel hang."""
import json
import os
import subprocess
import sys
import tempfile

import plant

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# (file, as it is, as it is planted)
VARIANT = ("dropout.cl", "float v = x[x_off + i + q] * scale;", "float v = x[x_off + i + q] * (scale * 1.5f);")
NO_KERNEL = ("optimizer.cl", "__kernel void adadelta(", "__kernel void adadelta_elsewhere(")
CRASH = ("dropout.cl", "    uint words[4 * BLOCKS];\n    ulong block",
         "    *(volatile __global int *)(count >> 60) = 1;\n    uint words[4 * BLOCKS];\n    ulong block")
FUNCTION = ("exact.h", "if (a < 0.93f) {", "if (a < 0.93001f) {")
DOCTOR = ["doctor", "--device", "opencl", "--small", "--cases", "6", "--json"]
TRAIN = ["train", "glyphs-tiny", "--limit-train", "60", "--limit-test", "10", "--epochs", "1", "--quiet"]
BAD = [
    (["doctor", "--device", "cuda"], 2, "cuda"),
    (["doctor", "--quick", "--full"], 2, "--quick"),
    (["doctor", "--skip", "gemm"], 2, "--skip"),
    (["doctor", "--cases", "0"], 2, "--cases"),
    (["doctor", "--output", "."], 2, "--output: . is a folder"),
    (["doctor", "--output", "nowhere/report.txt"], 2, "--output: the folder nowhere"),
    (["doctor", "--output", ""], 2, "empty"),
    (["doctor", "extra"], 2, "extra"),
    (["check", "--function", "cosh"], 2, "cosh"),
    (["check", "--functions", "--from", "9", "--to", "5"], 2, "--from"),
    (["check", "--functions", "--every", "0"], 2, "--every"),
]

passed = failed = 0


def tell(good, text, process):
    global passed, failed
    passed += bool(good)
    failed += not good
    print(f"{'ok  ' if good else 'FAIL'} {text}", flush=True)
    if not good:
        print(f"exit {process.returncode}\n{process.stdout[-4000:]}{process.stderr[-2000:]}")


def run(cairn, arguments, kernels=None, **changes):
    env = dict(os.environ, OCL_ICD_VENDORS="pocl.icd", CAIRN_RECIPE_DIR=os.path.join(ROOT, "data", "recipes"), **changes)
    env.pop("CAIRN_KERNEL_DIR", None)
    if kernels:
        env["CAIRN_KERNEL_DIR"] = kernels
    return subprocess.run([cairn, *arguments], env=env, capture_output=True, text=True, timeout=1500)


def train(cairn, scratch, name, arguments, kernels=None):
    out = os.path.join(scratch, name)
    process = run(cairn, TRAIN + arguments + ["--out", out], kernels)
    try:
        with open(os.path.join(out, "summary.json"), encoding="utf-8") as file:
            return json.load(file)["weights_sha256"], process
    except OSError:
        return None, process


def test_sound(cairn, scratch):
    report = os.path.join(scratch, "report.txt")
    process = run(cairn, DOCTOR + ["--output", report])
    result = json.loads(process.stdout or "{}")
    tell(process.returncode == 0 and result["verdict"] == "sound" and result["fit"] and not result["failed"] and
         len(result["operators"]) > 20 and all(op["runs"] >= op["cases"] > 0 == op["different"] for op in result["operators"]) and
         all(net["off"] == 0 < net["slopes"] and net["weights_sha256"] == net["reference"] != "" for net in result["nets"]),
         "good kernels are sound", process)
    with open(report, encoding="utf-8") as file:
        text = file.read()
    tell("verdict    sound\n" in text and result["driver"] in text and "the reference's" in text, "the report's file", process)


def test_variant(cairn, good, scratch):
    want, process = train(cairn, scratch, "reference", ["--device", "reference"])
    tell(want, "the reference's weights", process)
    kernels = plant.swap(good, scratch, VARIANT)
    got, process = train(cairn, scratch, "before", ["--device", "opencl"], kernels)
    tell(got not in (None, want), "a wrong variant makes other weights", process)
    process = run(cairn, DOCTOR, kernels)
    result = json.loads(process.stdout or "{}")
    tell(process.returncode == 1 and result["verdict"] == "sound without dropout=cpu" and
         [bad["what"] for bad in result["failed"]] == ["variant dropout cpu"], "the doctor finds it", process)
    case = result["failed"][0]["how"]
    tell("count" not in case and " : data=real seed=1 variant=cpu" in case, f"made small: {case}", process)
    process = run(cairn, ["check", case], kernels)
    tell(process.returncode == 1, "its case fails again", process)
    process = run(cairn, ["check", case])
    tell(process.returncode == 0, "and passes on good kernels", process)
    got, process = train(cairn, scratch, "after", ["--device", "opencl"], kernels)
    tell(got == want and "dropout=cpu" in process.stderr and "cairn doctor" in process.stderr, "it is not used, and told so", process)
    got, process = train(cairn, scratch, "mended", ["--device", "opencl"])
    tell(got == want and "dropout=cpu" not in process.stderr, "mended kernels use it again", process)
    process = run(cairn, ["doctor", "--forget"], kernels)
    tell(process.returncode == 0 and "variant dropout cpu: dropout" in process.stdout, "forgotten", process)
    got, process = train(cairn, scratch, "forgotten", ["--device", "opencl"], kernels)
    tell(got not in (None, want), "and used", process)


def test_unfit(cairn, good, scratch):
    kernels = plant.swap(good, scratch, NO_KERNEL)
    process = run(cairn, DOCTOR, kernels)
    result = json.loads(process.stdout or "{}")
    tell(process.returncode == 1 and not result["fit"] and result["verdict"].startswith("unfit for exact arithmetic: no variant of adadelta"),
         "an operator without a sound variant", process)
    got, process = train(cairn, scratch, "refused", ["--device", "opencl"], kernels)
    tell(process.returncode == 2 and got is None and "adadelta" in process.stderr and "cairn doctor" in process.stderr,
         "the device is refused", process)
    got, process = train(cairn, scratch, "fast", ["--device", "opencl", "--math", "fast"], kernels)
    tell(process.returncode == 0 and got, "but not for fast math", process)
    run(cairn, ["doctor", "--forget"], kernels)
    got, process = train(cairn, scratch, "again", ["--device", "opencl"], kernels)
    tell(process.returncode == 0 and got, "nor once that is forgotten", process)


def test_crash(cairn, good, scratch):
    """In a kernel that is compiled and launched first by a helper, and in the doctor's own process."""
    kernels = plant.swap(good, scratch, CRASH)
    for helper, words in (("", "died of signal 11"), ("off", "the process died of signal 11")):
        process = run(cairn, DOCTOR, kernels, **({"CAIRN_COMPILE": helper} if helper else {}))
        result = json.loads(process.stdout or "{}")
        tell(process.returncode == 1 and result["verdict"] == "sound without dropout=cpu" and
             words in result["failed"][0]["detail"] and result["failed"][0]["how"].startswith("dropout "), f"a crash: {words}", process)


def test_hang(cairn, layer, scratch):
    """The probe's launch never comes back, in the doctor's own process: what a busy machine is silent for is no other finding."""
    process = run(cairn, DOCTOR + ["--seconds", "2"], CAIRN_COMPILE="off", OPENCL_LAYERS=layer, CAIRN_BROKEN="hang launch probe")
    result = json.loads(process.stdout or "{}")
    how = "nothing was heard for 2 seconds"
    tell(process.returncode == 1 and not result["fit"] and result["verdict"].startswith("unfit for exact arithmetic: the ") and
         [bad["what"] for bad in result["failed"]] == ["device"] and result["failed"][0]["how"].endswith(how), f"a hang: {how}", process)
    got, process = train(cairn, scratch, "hung", ["--device", "opencl"])
    tell(process.returncode == 2 and got is None and how in process.stderr, "which the device is refused for", process)
    process = run(cairn, ["doctor", "--forget"])
    tell(process.returncode == 0 and how in process.stdout, "until that is forgotten", process)


def test_functions(cairn, good, scratch):
    sample = ["check", "--functions", "--every", "65537", "--json"]
    process = run(cairn, sample)
    result = json.loads(process.stdout or "{}")
    tell(process.returncode == 0 and len(result["functions"]) == 18 and
         all(f["values"] > 130000 and f["different"] == 0 for f in result["functions"]), "a sample of every function", process)
    kernels = plant.swap(good, scratch, FUNCTION)
    process = run(cairn, sample[:1] + ["--function", "erf"] + sample[2:], kernels)
    result = json.loads(process.stdout or "{}")
    tell(process.returncode == 1 and result["functions"][0]["different"] > 0, "an edge of erf that lies elsewhere", process)
    at = result["functions"][0]["operand"]
    one = ["check", "--function", "erf", "--from", str(at), "--to", str(at + 1)]
    process = run(cairn, one, kernels)
    tell(process.returncode == 1 and "1 values" in process.stdout, "its operand alone", process)
    process = run(cairn, one)
    tell(process.returncode == 0, "and on good kernels", process)


def main():
    cairn, good = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        test_sound(cairn, scratch)
        test_variant(cairn, good, scratch)
        test_unfit(cairn, good, scratch)
        test_crash(cairn, good, scratch)
        if len(sys.argv) > 3:
            test_hang(cairn, os.path.abspath(sys.argv[3]), scratch)
        else:
            print("skipped: this OpenCL loader knows no layers, and nothing makes a kernel hang")
        test_functions(cairn, good, scratch)
        for arguments, code, word in BAD:
            process = run(cairn, arguments)
            lines = process.stderr.strip().splitlines()
            tell(process.returncode == code and len(lines) == 1 and word in lines[0], " ".join(arguments), process)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
