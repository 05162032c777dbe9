#!/usr/bin/env python3
"""compare.py CAIRN CL: `cairn compare` and `cairn gradcheck` on PoCL with good kernels and with faults planted in copies.

A wrong gradient has to be told by its layer and operator, a wrong update as nobody's layer; gradcheck has to fail for a gradient
that is wrong and for no other fault. Then bad input, a row each. CL is the folder of the kernels."""
import json
import os
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


def main():
    cairn, good = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        net = os.path.join(scratch, "net.yaml")
        with open(net, "w", encoding="utf-8") as file:
            file.write(NET)
        compare = ["compare", net, "--devices", "reference,opencl", "--json", "--steps", "4"]
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

        for arguments, code, word in BAD:
            process = run(cairn, [net if word_ == "NET" else word_ for word_ in arguments])
            lines = process.stderr.strip().splitlines()
            tell(process.returncode == code and len(lines) == 1 and word in lines[0], " ".join(arguments), process)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


main()
