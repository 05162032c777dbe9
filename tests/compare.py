#!/usr/bin/env python3
"""compare.py CAIRN CL: `cairn compare` and `cairn gradcheck` on PoCL with good kernels and with faults planted in copies.

A wrong gradient has to be told by its layer and operator, a wrong update as nobody's layer; of three lanes the one that is wrong,
wherever it stands, in exact and in fast arithmetic; gradcheck has to fail for a gradient that is wrong and for no other fault. Then
bad input, a row each. CL is the folder of the kernels."""
import json
import os
import re
import subprocess
import sys
import tempfile

import plant

NET = """data: {name: glyphs, limit_train: 96, limit_test: 10, normalize: zscore}
model:
  - conv 4 3x3 pad=1
  - batchnorm
  - tanh as=a
  - conv 4 3x3 pad=1 from=a
  - add a
  - avgpool 2
  - dropout 0.1
  - linear 10
train: {loss: cross-entropy, optimizer: sgd momentum=0.9, learning_rate: 0.05, batch: 32, epochs: 3, clip: 1}
"""

# (file, the line as it is, as it is planted)
GRADIENT = ("activation.cl", "dy[dy_off + i] * FMA(-v, v, 1.0f);", "dy[dy_off + i] * FMA(-v, v, 1.5f);")
UPDATE = ("optimizer.cl", "vi = FMA(momentum, v[v_at.x + i], gi), d", "vi = momentum * v[v_at.x + i] + gi * 1.0000001f, d")

BAD = [
    (["compare", "NET"], 2, "--devices"),
    (["compare", "NET", "--devices", "reference"], 2, "at least two"),
    (["compare", "NET", "--devices", "reference", "--kernels", "OVER"], 2, "the reference has none"),
    (["compare", "NET", "--devices", "reference+OVER,opencl"], 2, "no kernels"),
    (["compare", "NET", "--devices", "opencl+,opencl"], 2, "no folder"),
    (["compare", "NET", "--devices", "opencl", "--kernels", "/nonexistent"], 2, "/nonexistent is no folder"),
    (["compare", "NET", "--devices", "opencl", "--kernels", "EMPTY"], 2, "no kernel file"),
    (["compare", "NET", "--devices", "opencl", "--kernels", "STRAY"], 2, "gem.cl"),
    (["compare", "NET", "--devices", "opencl", "--kernels", "BROKEN"], 3, "activation.cl:1:"),
    (["compare", "NET", "--devices", "opencl", "--kernels", "NET"], 2, "no folder"),
    (["compare", "NET", "--devices", ",".join(["opencl"] * 17)], 2, "more than 16"),
    (["compare", "NET", "--devices", "reference,opencl", "--rounds", "-1"], 2, "--rounds"),
    (["compare", "NET", "--devices", "reference,opencl", "--math", "exakt"], 2, "--math"),
    (["compare", "NET", "--devices", "reference,opencl", "--html", "/nonexistent/a.html"], 2, "/nonexistent"),
    (["compare", "NET", "--devices", "reference,opencl", "--html", "EMPTY"], 2, "folder"),
    (["compare", "NET", "--devices", "opencl", "--kernels", ""], 2, "empty"),
    (["compare", "NET", "--devices", "opencl", "--kernels", "BYTES"], 2, "no text"),
    (["compare", "NET", "--devices", "reference,opencl", "--html", ""], 2, "empty"),
    (["check", "--kernels", "EMPTY"], 2, "no kernel file"),
    (["check", "--device", "reference", "--kernels", "OVER"], 2, "no kernels"),
    (["compare", "NET", "--devices", "reference,"], 2, "missing"),
    (["compare", "NET", "--devices", "reference,opencl:nosuch"], 2, "nosuch"),
    (["compare", "NET", "--devices", "reference,opencl", "--steps", "0"], 2, "--steps"),
    (["compare", "NET", "--devices", "reference,opencl", "--variant", "gemm=none"], 2, "no variant"),
    (["compare", "nosuch", "--devices", "reference,opencl"], 2, "no recipe"),
    (["gradcheck", "NET", "--epsilon", "0"], 2, "--epsilon"),
    (["gradcheck", "NET", "--epsilon", "nan"], 2, "--epsilon"),
    (["gradcheck", "NET", "--allowed", "-1"], 2, "--allowed"),
    (["gradcheck", "NET", "--pattern", "0"], 2, "--pattern"),
    (["gradcheck", "NET", "--pattern", "97"], 2, "1 to 96"),
    (["gradcheck", "NET", "--weight", "9.weight"], 2, "7.weight"),
    (["gradcheck", "NET", "--weight", "7.bias[10]"], 2, "7.bias"),
    (["gradcheck", "NET", "--weight", "7.bias[1"], 2, "NAME[ELEMENT]"),
]

passed = failed = 0


def tell(good, text, process):
    global passed, failed
    passed += good
    failed += not good
    print(f"{'ok  ' if good else 'FAIL'} {text}", flush=True)
    if not good:
        print(f"exit {process.returncode}\n{process.stdout}{process.stderr}")


def run(cairn, arguments, kernels=None):
    env = dict(os.environ, OCL_ICD_VENDORS="pocl.icd")
    env.pop("CAIRN_KERNEL_DIR", None)
    if kernels:
        env["CAIRN_KERNEL_DIR"] = kernels
    return subprocess.run([cairn, *arguments], env=env, capture_output=True, text=True, timeout=300)


def folder(scratch, name, files):
    """A folder of files by name; its path."""
    path = os.path.join(scratch, name)
    os.mkdir(path)
    for file, text in files.items():
        with open(os.path.join(path, file), "w", encoding="utf-8") as out:
            out.write(text)
    return path


def lanes(cairn, net, over):
    """Kernels of a folder with one changed file as a lane among good ones: wherever it stands it is the one that is wrong, in its step,
    layer and operator, and the others agree."""
    faulty = "opencl+" + over
    for devices, groups, held in ((["opencl", "reference", faulty], [0, 0, 1], 1), ([faulty, "opencl", "opencl"], [0, 1, 1], 1),
                                  (["opencl", faulty, "opencl"], [0, 1, 0], 0), ([faulty, faulty, "reference"], [0, 0, 1], 2)):
        process = run(cairn, ["compare", net, "--devices", ",".join(devices), "--json", "--steps", "2", "--rounds", "0"])
        result = json.loads(process.stdout or "{}")
        wrong = devices.index(faulty)
        tell(process.returncode == 1 and [lane["group"] for lane in result["lanes"]] == groups and result["lane"] == wrong and
             result["held"] == held and result["step"] == 1 and result["layer"] == 2 and result["phase"] == "backward" and
             result["problem"].startswith("activation_grad kind=tanh") and
             {(row["layer"], row["op"]) for row in result["rows"] if any(cell["different"] for cell in row["lanes"])} ==
             {(2, "activation_grad")}, "three lanes, " + " ".join(device.partition("/")[0] for device in devices), process)
    words = result["again"].split(" ", 1)
    process = run(cairn, ["check", *words[1].replace("check ", "").split("'")[0].split(), words[1].split("'")[1]])
    tell(words[0] == "cairn" and process.returncode == 1, "the line for `cairn check` fails as well", process)
    process = run(cairn, ["compare", net, "--devices", "opencl", "--kernels", over, "--rounds", "0"])
    tell(process.returncode == 1 and "B differs from A in step 1 (0 steps before it equal)" in process.stdout and
         "layer     model[2] tanh as=a, backward" in process.stdout and f"--kernels {over}" in process.stdout, "as text", process)


def fast(cairn, net, over):
    """Fast arithmetic, within its bounds; a fault that is not."""
    process = run(cairn, ["compare", net, "--devices", "opencl,opencl", "--math", "fast", "--json", "--steps", "4", "--rounds", "0"])
    result = json.loads(process.stdout or "{}")
    tell(process.returncode == 0 and result["equal_steps"] == 4 and 0 < result["worst"] <= 1 and result["worst"] ==
         max(cell["worst"] for row in result["rows"] for cell in row["lanes"]), "fast: within its bounds for 4 steps", process)
    process = run(cairn, ["compare", net, "--devices", f"reference,opencl+{over},opencl", "--math", "fast", "--json", "--steps", "2",
                          "--rounds", "0"])
    result = json.loads(process.stdout or "{}")
    tell(process.returncode == 1 and result["lane"] == 1 and result["layer"] == 2 and result["steps"] == 2 and result["step"] == 1 and
         [lane["group"] for lane in result["lanes"]] == [0, 1, 0] and
         result["problem"].startswith("activation_grad kind=tanh"), "fast: a fault is out of its bounds", process)


def speeds(cairn, net):
    """What is told of each lane, in nine digits."""
    page = net + ".html"
    process = run(cairn, ["compare", net, "--devices", "reference,opencl", "--json", "--steps", "1", "--rounds", "2", "--html", page])
    result = json.loads(process.stdout or "{}")
    step, good = [lane["step"] for lane in result["lanes"]], True
    for number, lane in enumerate(result["lanes"]):
        good = good and 0 < step[number]["min"] <= step[number]["seconds"] <= step[number]["max"] and lane["again"]["compiled"] == 0
        good = good and 0 < lane["plan_bytes"] <= lane["peak_bytes"]
        good = good and abs(step[number]["images_per_second"] * step[number]["seconds"] - 32) < 1e-4
        rows = sum(row["lanes"][number]["seconds"] for row in result["rows"])
        kernels = sum(kernel["lanes"][number]["seconds"] for kernel in result["kernels"])
        good = good and rows > 0 and abs(rows - kernels) < 1e-6 * rows
    launches = sum(kernel["lanes"][1]["launches"] for kernel in result["kernels"])
    tell(process.returncode == 0 and good and step[0]["launches"] == 0 and step[1]["launches"] == launches,
         "speed, memory and times of both", process)
    with open(page, encoding="utf-8") as file:
        text = file.read()
    ids = re.findall(r"\bid=['\"]([^'\"]+)", text)
    tell(result["verdict"] in text and len(ids) == len(set(ids)) and text.count("<svg") == 5 and text.count("</svg>") == 5 and
         not re.search(r"(src|href)=.https?:|<script", text) and all(f">{row['op']}<" in text for row in result["rows"]),
         "the page: the verdict, five charts, every operator, nothing from elsewhere", process)


def main():
    cairn, good = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        net = os.path.join(scratch, "net.yaml")
        with open(net, "w", encoding="utf-8") as file:
            file.write(NET)
        compare = ["compare", net, "--devices", "reference,opencl", "--json", "--steps", "4", "--rounds", "0"]
        gradcheck = ["gradcheck", net, "--json"]

        process = run(cairn, compare)
        result = json.loads(process.stdout or "{}")
        tell(process.returncode == 0 and result.get("equal_steps") == 4 and not result["different"], "equal for 4 steps", process)
        process = run(cairn, compare + ["--set", "train.accumulate=4", "--set", "train.optimizer=adam"])
        tell(process.returncode == 0 and json.loads(process.stdout)["equal_steps"] == 4, "accumulated: equal for 4 steps", process)
        for device in ("reference", "opencl"):
            process = run(cairn, gradcheck + ["--device", device])
            result = json.loads(process.stdout or "{}")
            rows = result.get("weights", []) + result.get("directions", [])
            tell(process.returncode == 0 and len(rows) == 23 and all(row["within"] for row in rows),
                 f"gradients of {device}: {len(rows)} slopes", process)
        process = run(cairn, gradcheck + ["--weight", "1.weight", "--weight", "0.weight[3]", "--pattern", "last", "--directions", "0"])
        rows = json.loads(process.stdout or '{"weights": []}')["weights"]
        tell([(row["pattern"], row["weight"]) for row in rows] == [(96, "1.weight"), (96, "0.weight")] and rows[1]["element"] == 3,
             "chosen weights and patterns", process)

        kernels = plant.swap(good, scratch, GRADIENT)
        process = run(cairn, compare, kernels)
        result = json.loads(process.stdout or "{}")
        tell(process.returncode == 1 and result["step"] == 1 and result["layer"] == 2 and
             result["problem"].startswith("activation_grad kind=tanh"), "a wrong gradient of tanh: its step, layer, operator", process)
        process = run(cairn, gradcheck + ["--device", "opencl"], kernels)
        tell(process.returncode == 1, "gradcheck finds it", process)
        kernels = plant.swap(good, scratch, UPDATE)
        process = run(cairn, compare, kernels)
        result = json.loads(process.stdout or "{}")
        tell(process.returncode == 1 and result["layer"] is None and result["problem"].startswith("sgd ") and
             result["tensor"] == "w", "a wrong update: nobody's layer", process)
        process = run(cairn, gradcheck + ["--device", "opencl"], kernels)
        tell(process.returncode == 0, "which gradcheck has nothing to say about", process)

        text = open(os.path.join(good, GRADIENT[0]), encoding="utf-8").read()
        over = folder(scratch, "over", {GRADIENT[0]: text.replace(*GRADIENT[1:]), "readme.txt": "not a kernel"})
        lanes(cairn, net, over)
        fast(cairn, net, over)
        speeds(cairn, net)

        names = {"NET": net, "OVER": over, "EMPTY": folder(scratch, "empty", {"readme.txt": ""}),
                 "BYTES": folder(scratch, "bytes", {"exact.h": "\0"}),
                 "STRAY": folder(scratch, "stray", {"gem.cl": "", GRADIENT[0]: text}),
                 "BROKEN": folder(scratch, "broken", {GRADIENT[0]: "this is no kernel\n" + text})}
        for arguments, code, word in BAD:
            process = run(cairn, [names.get(word_, word_.replace("OVER", over)) for word_ in arguments])
            lines = process.stderr.strip().splitlines()
            tell(process.returncode == code and len(lines) == 1 and word in lines[0], " ".join(arguments), process)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
