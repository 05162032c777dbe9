"""The program from outside: models taken elsewhere and brought in. Usage: cli_exchange.py CAIRN [png] [onnx]. See cli.py.

png, onnx: the program reads PNG files, writes ONNX. What other programs make of exported files: tests/peers.py.
"""

import json
import os
import struct
import sys

import cli
from cli import QUICK, TINY, check, png

ON = ["--device", "reference"]


def read_header(path):
    with open(path, "rb") as file:
        return json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))


def trained(b, name, recipe=TINY):
    """A run's folder."""
    run = os.path.join(b.work, name)
    r = b.run("train", recipe, *QUICK, "--out", run)
    check(r.returncode == 0, f"the run {name}", r)
    return run


# Every layer, and every way to wire them.
LAYERS = """
data: {name: glyphs, normalize: zscore, limit_train: 64, limit_test: 16}
model:
  - conv 6 5x3 pad=1,2,0,1 stride=2x1 bias=no as=n0
  - batchnorm momentum=0.3 epsilon=0.001
  - leakyrelu 0.2
  - conv 8 3x3 pad=2x1 dilation=2x1 groups=2
  - silu
  - convtranspose 6 3x3 pad=1 stride=2x1 extra=1x0
  - maxpool 2x1
  - add n0
  - gelu
  - avgpool 3 stride=1 pad=1
  - gelu form=tanh
  - avgpool 3 stride=2 pad=1,0,1,0 count_pad=yes
  - hardswish
  - maxpool 3 stride=2 pad=1
  - hardsigmoid as=n14
  - linear 24
  - elu 0.7
  - batchnorm
  - tanh as=n18
  - linear 24 bias=no from=n14
  - sigmoid
  - add n18
  - none
  - dropout 0.25
  - conv 12 1x1
  - softplus
  - avgpool 1
  - flatten
  - softmax
  - logsoftmax
  - relu
  - linear 10
train: {optimizer: sgd momentum=0.9, learning_rate: 0.05, batch: 16, epochs: 1}
"""


def test_export(b):
    run, out = trained(b, "exported"), os.path.join(b.work, "out")
    os.mkdir(out)
    weights = os.path.join(out, "w.safetensors")
    r = b.run("export", run, weights, "--json")
    result = json.loads(r.stdout)
    check(r.returncode == 0 and result["format"] == "safetensors" and result["opset"] is None and
          result["bytes"] == os.path.getsize(weights) and result["parameters"] == 2074 and result["input"] == [1, 28, 28], "export --json", r)
    check({key: value["shape"] for key, value in read_header(weights).items() if key[0] != "_"} ==
          {"0.weight": [4, 1, 5, 5], "0.bias": [4], "4.weight": [10, 196], "4.bias": [10]}, "names and shapes of weights")
    b.refused("a file that is there", 2, ["w.safetensors is there already", "--force"], "export", run, weights)
    r = b.run("export", run, weights, "--force", "--last")
    check(r.returncode == 0 and "weights_sha256" in r.stdout, "export --force --last", r)
    b.refused("a file of no kind", 2, [".onnx", ".safetensors"], "export", run, os.path.join(out, "model.pt"))
    b.refused("a file in no folder", 2, "the folder nowhere", "export", run, "nowhere/m.safetensors")
    b.refused("not a run", 2, "is no run", "export", out, os.path.join(out, "x.safetensors"))
    b.refused("two kinds of weights", 2, "exclude each other", "export", run, os.path.join(out, "x.safetensors"), "--best", "--last")
    b.refused("no file", 2, "usage: cairn export", "export", run)
    normed = trained(b, "normed", b.recipe("normed", **{"  - $act\n": "  - batchnorm\n  - $act\n"}))
    r = b.run("export", normed, os.path.join(out, "normed.safetensors"))
    names = set(read_header(os.path.join(out, "normed.safetensors"))) - {"__metadata__"}
    check(r.returncode == 0 and {"1.running_mean", "1.running_var", "1.num_batches_tracked", "1.weight"} <= names, f"names: {names}", r)
    if "onnx" not in sys.argv:
        b.refused("no ONNX", 2, "libprotobuf-c", "export", run, os.path.join(out, "m.onnx"))


def test_predict(b):
    run = os.path.join(b.work, "exported")
    r = b.run("predict", run, "test:3", "train:0", "7", *ON, "--json")
    result = json.loads(r.stdout)
    check(r.returncode == 0 and [p["image"] for p in result["images"]] == ["test:3", "train:0", "test:7"] and result["classes"] == 10,
          "predict --json", r)
    for p in result["images"]:
        check(p["answer"] == p["outputs"].index(max(p["outputs"])) and p["probability"] == max(p["probabilities"]) and
              abs(sum(p["probabilities"]) - 1) < 1e-6, f"probabilities: {p}")
    again = json.loads(b.run("predict", run, "test:7", *ON, "--json").stdout)
    check(again["images"] == result["images"][2:], f"an image alone and among others: {again}")
    r = b.run("predict", run, "test:3", *ON, "--top", "2")
    check(r.returncode == 0 and r.stdout.startswith("test:3  (labelled ") and r.stdout.count("%") == 2, "predict as text", r)
    tested = json.loads(b.run("eval", run, *ON, "--json").stdout)
    many = b.run("predict", run, *(f"test:{i}" for i in range(tested["images"])), *ON, "--top", "1").stdout.splitlines()
    right = sum(label.split("labelled ")[1][:-1] == answer.split()[2] for label, answer in zip(many[::2], many[1::2]))
    check(right == tested["correct"], f"predict is right {right} times, eval {tested['correct']} of {tested['images']}")
    b.refused("no such image", 2, ["no test image 2000", "0 to 1999"], "predict", run, "2000", *ON)
    b.refused("no image", 2, "usage: cairn predict", "predict", run, *ON)
    b.refused("not a run", 2, "is no run", "predict", b.work, "3", *ON)
    if "png" in sys.argv:
        gray = b.write("gray.png", png(28, 28, bytes(i % 251 for i in range(784)), 1))
        r = b.run("predict", run, gray, *ON, "--json")
        check(r.returncode == 0 and json.loads(r.stdout)["images"][0]["image"] == gray, "predict a file", r)
        small = b.write("rgb.png", png(9, 7, bytes(189)))
        b.refused("a PNG of another size", 2, ["rgb.png is RGB, 7x9", "gray, 28x28"], "predict", run, gray, small, *ON)


def lines_of(run):
    with open(os.path.join(run, "recipe.yaml"), encoding="utf-8") as file:
        return [line[4:].strip("\n'") for line in file if line.startswith("  - ")]


def test_import(b):
    """What is exported comes back as the same layers and the same bits, and trains further."""
    run, out = trained(b, "all-layers", b.write("layers.yaml", LAYERS)), os.path.join(b.work, "out")
    wanted = json.loads(b.run("predict", run, *(str(i) for i in range(8)), *ON, "--json").stdout)
    for file, more in (("all.onnx", []), ("all.safetensors", ["--recipe", os.path.join(b.work, "layers.yaml")])):
        if file.endswith("onnx") and "onnx" not in sys.argv:
            continue
        path, again = os.path.join(out, file), os.path.join(b.work, "again-" + file)
        r = b.run("export", run, path)
        check(r.returncode == 0, f"export {file}", r)
        r = b.run("import", path, again, *more, "--json")
        result = json.loads(r.stdout or "{}")
        check(r.returncode == 0 and result["layers"] == len(lines_of(run)) and result["weights_sha256"] == wanted["weights_sha256"],
              f"import {file}", r)
        check(sorted(os.listdir(again)) == ["last.safetensors", "model.safetensors", "recipe.yaml"], f"files: {os.listdir(again)}")
        check(lines_of(again) == lines_of(run), f"{file}: {lines_of(again)}")
        found = json.loads(b.run("predict", again, *(str(i) for i in range(8)), *ON, "--json").stdout)
        check(found["images"] == wanted["images"], f"outputs of {file}")
        b.refused("a run that is there", 2, ["already holds a run", "--force"], "import", path, again, *more)
        r = b.run("import", path, again, *more, "--force")
        check(r.returncode == 0 and "--resume" in r.stdout, f"import {file} --force", r)
        r = b.run("train", os.path.join(again, "recipe.yaml"), *ON, "--out", again, "--resume", "--json")
        check(r.returncode == 0 and json.loads(r.stdout)["steps"] > 0 and json.loads(r.stdout)["weights_sha256"] != wanted["weights_sha256"],
              f"{file} trained further", r)
        r = b.run("eval", again, *ON)
        check(r.returncode == 0, f"{file} tested", r)


def test_import_refused(b):
    """One complaint for each mistake: the file, and in a graph the node, its operator and what is not taken."""
    run, out, new = os.path.join(b.work, "exported"), os.path.join(b.work, "out"), os.path.join(b.work, "new")
    weights = os.path.join(out, "w.safetensors")
    b.refused("weights without a recipe", 2, ["w.safetensors", "--recipe"], "import", weights, new)
    b.refused("weights of another net", 2, ["w.safetensors", "0.weight has another shape"], "import", weights, new, "--recipe", b.recipe(
        "other", **{"conv 4 5x5": "conv 8 5x5"}))
    b.refused("weights of another layer", 2, ["w.safetensors", "5.weight is missing", "state_dict"], "import", weights, new, "--recipe",
              b.recipe("other", **{"  - linear 10\n": "  - relu\n  - linear 10\n"}))
    b.refused("weights too many", 2, ["w.safetensors", "0.bias is none"], "import", weights, new, "--recipe",
              b.recipe("other", **{"  - conv 4 5x5 ": "  - conv 4 5x5 bias=no "}))
    b.refused("no such file", 2, "nothing.safetensors", "import", "nothing.safetensors", new, "--recipe", TINY)
    b.refused("not safetensors", 2, TINY, "import", TINY, new, "--recipe", TINY)
    b.refused("no folder", 2, "usage: cairn import", "import", weights)
    if "onnx" not in sys.argv:
        b.refused("no ONNX", 2, "libprotobuf-c", "import", "m.onnx", new)
        return
    model = os.path.join(out, "m.onnx")
    check(b.run("export", run, model).returncode == 0, "export a model")
    b.refused("another normalisation", 2, ["m.onnx", "the model takes the images as", "data.normalize"], "import", model, new, "--set",
              "data.normalize=zscore")
    b.refused("images of another size", 2, ["m.onnx", "'pixels' has 28 as dimension 2", "30"], "import", model, new, "--set", "data.pad=1")
    with open(model, "rb") as file:
        good = file.read()
    for what, old, new_bytes, says in (
            ("an operator that is none", b"Relu", b"Rely", ["node 2 '1' (Rely)", "not supported"]),
            ("an input from nowhere", b"\n\x010\x12\x011", b"\n\x019\x12\x011", ["node 2 '1' (Relu)", "'9'", "no node before it"]),
            ("a producer that is another's", b"cairn.recipe", b"cairn.recipf", ["--recipe"])):
        check(old in good, f"the model has {old}")
        bad = b.write("bad.onnx", good.replace(old, new_bytes, 1))
        b.refused(what, 2, ["bad.onnx", *says], "import", bad, new)
    b.refused("a model that is cut off", 2, ["cut.onnx", "no ONNX model"], "import", b.write("cut.onnx", good[:len(good) // 2]), new)
    b.refused("an empty model", 2, ["empty.onnx", "no ONNX model"], "import", b.write("empty.onnx", b""), new)
    b.refused("no model", 2, ["m2.onnx", "no ONNX model"], "import", b.write("m2.onnx", "model:"), new)


def message(*fields):
    """A protobuf message: (number, value) pairs; bytes and texts, integers, or a list of float32."""
    def number(n):
        return bytes([n & 127 | 128]) + number(n >> 7) if n > 127 else bytes([n])
    out = b""
    for key, value in fields:
        if isinstance(value, int):
            out += number(key << 3) + number(value)
        else:
            value = value.encode() if isinstance(value, str) else struct.pack(f"<{len(value)}f", *value) if isinstance(value, list) else value
            out += number(key << 3 | 2) + number(len(value)) + value
    return out


def floats(name, values):
    return message((1, len(values)), (2, 1), (4, values), (8, name))


def node(op, inputs, outputs, *attributes):
    """Attributes: (name, value), of a float, an integer or a list of integers."""
    kinds = {float: (2, 1), int: (3, 2), list: (8, 7)}
    packed = []
    for name, value in attributes:
        field, kind = kinds[type(value)]
        values = [(field, n) for n in value] if isinstance(value, list) else [(field, value)]
        body = message((1, name), *(pair for pair in values if not isinstance(pair[1], float)), (20, kind))
        packed.append((5, body + (bytes([2 << 3 | 5]) + struct.pack("<f", value) if isinstance(value, float) else b"")))
    return message(*((1, name) for name in inputs), *((2, name) for name in outputs), (4, op), *packed)


def tensor(name, dims, values):
    return message(*((1, n) for n in dims), (2, 1), (4, values), (8, name))


def declared(name, *dims):
    shape = message(*((1, message((1, n) if n else (2, "n"))) for n in dims))
    return message((1, name), (2, message((1, message((1, 1), (2, shape))))))


def graph(nodes, tensors, inputs=("x",), outputs=("y",)):
    """A model of images x, N x 1 x 28 x 28, to y, N x 10."""
    body = message(*((1, n) for n in nodes), (2, "graph"), *((5, t) for t in tensors), *((11, declared(name, 0, 1, 28, 28)) for name in inputs),
                   *((12, declared(name, 0, 10)) for name in outputs))
    return message((1, 8), (7, body), (8, message((2, 17))))


LINEAR = [tensor("w", (10, 784), [i % 7 / 16 - 0.1875 for i in range(7840)]), tensor("b", (10,), [0.5 * i for i in range(10)])]


def two(op, a, b, out):
    return node(op, [a, b], [out])


# Nodes from z to a, with the numbers that they take, and the line that they are.
FUNCTIONS = {
    "silu": ([node("Sigmoid", ["z"], ["s"]), two("Mul", "z", "s", "a")], {}),
    "silu ": ([node("Sigmoid", ["z"], ["s"]), two("Mul", "s", "z", "a")], {}),
    "hardswish": ([node("HardSigmoid", ["z"], ["s"], ("alpha", 1 / 6), ("beta", 0.5)), two("Mul", "z", "s", "a")], {}),
    "hardswish ": ([two("Add", "z", "three", "p"), node("Clip", ["p", "none", "six"], ["q"]), two("Mul", "z", "q", "r"), two("Div", "r", "six", "a")],
                   {"three": 3.0, "none": 0.0, "six": 6.0}),
    "gelu": ([two("Div", "z", "root", "p"), node("Erf", ["p"], ["q"]), two("Add", "q", "one", "r"), two("Mul", "z", "r", "s"), two("Mul", "s", "half", "a")],
             {"root": 2 ** 0.5, "one": 1.0, "half": 0.5}),
    "gelu ": ([two("Mul", "half", "z", "s"), two("Mul", "z", "root", "p"), node("Erf", ["p"], ["q"]), two("Add", "one", "q", "r"), two("Mul", "r", "s", "a")],
              {"root": 0.5 ** 0.5, "one": 1.0, "half": 0.5}),
    "gelu form=tanh": ([two("Pow", "z", "three", "p"), two("Mul", "p", "k", "q"), two("Add", "z", "q", "r"), two("Mul", "r", "root", "s"),
                        node("Tanh", ["s"], ["t"]), two("Add", "t", "one", "u"), two("Mul", "u", "half", "v"), two("Mul", "v", "z", "a")],
                       {"three": 3.0, "k": 0.044715, "root": 0.7978845608, "one": 1.0, "half": 0.5}),
    "gelu form=tanh ": ([two("Mul", "z", "z", "p"), two("Mul", "p", "z", "p3"), two("Mul", "p3", "k", "q"), two("Add", "z", "q", "r"),
                         two("Mul", "r", "root", "s"), node("Tanh", ["s"], ["t"]), two("Add", "one", "t", "u"), two("Mul", "z", "u", "v"),
                         two("Mul", "half", "v", "a")], {"k": 0.044715, "root": 0.7978845608, "one": 1.0, "half": 0.5}),
    "tanh": ([node("Tanh", ["z"], ["a"])], {}),
    "relu": ([node("Clip", ["z", "none"], ["a"])], {"none": 0.0}),
    "none": ([node("Identity", ["z"], ["a"])], {}),
}


def test_import_graphs(b):
    """What others write: functions in several nodes, factors of products, windows that hang over, casts; and what is refused."""
    if "onnx" not in sys.argv:
        return
    flat, gemm = node("Flatten", ["x"], ["f"]), node("Gemm", ["a", "w", "b"], ["y"], ("transB", 1))

    def bring(what, nodes, tensors=(), **more):
        run = os.path.join(b.work, "graph")
        path = b.write("graph.onnx", graph(nodes, [*LINEAR, *tensors], **more))
        return b.run("import", path, run, "--recipe", TINY, "--force", "--json"), run

    for name, (nodes, numbers) in FUNCTIONS.items():
        r, run = bring(name, [flat, node("Elu", ["f"], ["e"]), node("Cast", ["e"], ["z"], ("to", 1)), *nodes, gemm], [tensor(key, (), [value]) for key, value in numbers.items()])
        check(r.returncode == 0 and lines_of(run) == ["elu", name.strip(), "linear 10"], f"{name}: {r.returncode == 0 and lines_of(run)}", r)
    # A function and a branch of it: the sigmoid is a line of its own, and the product a silu.
    r, run = bring("branches", [flat, node("Sigmoid", ["f"], ["s"]), two("Mul", "f", "s", "t"), two("Add", "s", "t", "a"), gemm])
    check(r.returncode == 0 and lines_of(run) == ["sigmoid as=n0", "silu as=n1 from=input", "add n1 from=n0", "linear 10"], f"branches: {r.returncode == 0 and lines_of(run)}", r)

    r, run = bring("factors", [flat, node("Gemm", ["f", "w", "b"], ["y"], ("transB", 1), ("alpha", 0.25), ("beta", 3.0))])
    weights = os.path.join(b.work, "factors.safetensors")
    check(r.returncode == 0 and b.run("export", run, weights, "--force").returncode == 0, "factors", r)
    with open(weights, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        head, data = json.loads(file.read(size)), file.read()
    first = {key: struct.unpack("<f", data[head[key]["data_offsets"][0] + 4:][:4])[0] for key in ("0.weight", "0.bias")}
    check(first == {"0.weight": (1 / 16 - 0.1875) / 4, "0.bias": 1.5}, f"alpha and beta: {first}")

    for what, op, window, line in (
            ("a window that hangs over", "MaxPool", [("kernel_shape", [3, 3]), ("strides", [2, 2]), ("ceil_mode", 1)], "maxpool 3 stride=2 pad=0,1,0,1"),
            ("a mean that hangs over", "AveragePool", [("kernel_shape", [3, 3]), ("strides", [2, 2]), ("ceil_mode", 1)], "avgpool 3 stride=2 pad=0,1,0,1"),
            ("windows that fit", "MaxPool", [("kernel_shape", [2, 2]), ("strides", [2, 2]), ("ceil_mode", 1)], "maxpool 2"),
            ("a window that would begin behind", "MaxPool", [("kernel_shape", [1, 1]), ("strides", [3, 3]), ("pads", [0, 0, 0, 0]), ("ceil_mode", 1)],
             "maxpool 1 stride=3")):
        side = 10 if "stride=3" in line else 14
        r, run = bring(what, [node(op, ["x"], ["p"], *window), node("Flatten", ["p"], ["a"]), node("Gemm", ["a", "v"], ["y"], ("transB", 1))],
                       [tensor("v", (10, side * side), [0.0] * 10 * side * side)])
        check(r.returncode == 0 and lines_of(run) == [line, "linear 10 bias=no"], f"{what}: {r.returncode == 0 and lines_of(run)}", r)

    new = os.path.join(b.work, "new-graph")

    def refused(what, says, nodes, tensors=(), **more):
        path = b.write("graph.onnx", graph(nodes, [*LINEAR, *tensors], **more))
        b.refused(what, 2, ["graph.onnx", *([says] if isinstance(says, str) else says)], "import", path, new, "--recipe", TINY)

    six = [tensor("six", (), [6.0]), tensor("none", (), [0.0])]
    plain = [flat, node("Gemm", ["f", "w", "b"], ["y"], ("transB", 1))]
    refused("two inputs", "more than one input", plain, inputs=("x", "x2"))
    refused("two outputs", "2 outputs; a net has one", plain, outputs=("y", "f"))
    refused("no output", "0 outputs", plain, outputs=())
    refused("relu6", ["'a' is no activation that is known, as a function of 'f'"], [flat, node("Clip", ["f", "none", "six"], ["a"]), gemm], six)
    refused("a hard sigmoid of another slope", "no activation that is known", [flat, node("HardSigmoid", ["f"], ["a"]), gemm])
    refused("a function at the end", "no activation that is known", [*plain[:1], node("Gemm", ["f", "w"], ["g"], ("transB", 1)), two("Pow", "g", "six", "y")], six)
    refused("a product of two values", "functions of one value", [flat, node("Relu", ["f"], ["r"]), node("Elu", ["f"], ["e"]), two("Mul", "r", "e", "a"), gemm])
    refused("a mean that counts what hangs over", "ceil_mode with count_include_pad",
            [node("AveragePool", ["x"], ["y"], ("kernel_shape", [3, 3]), ("strides", [2, 2]), ("ceil_mode", 1), ("count_include_pad", 1))])
    refused("groups of a transposed convolution", "groups of a transposed convolution", [node("ConvTranspose", ["x", "k"], ["y"], ("group", 2))],
            [tensor("k", (2, 1, 3, 3), [0.0] * 18)])
    refused("a cast to another type", "only float32", [flat, node("Cast", ["f"], ["a"], ("to", 7)), gemm])
    deep = [two("Mul", "f", "f", "m0"), *(two("Mul", f"m{i}", f"m{i}", f"m{i + 1}") for i in range(9)), node("Identity", ["m9"], ["a"]), gemm]
    refused("a function that is too deep", "too many nodes", [flat, *deep])


def write_test(b, name, op, given, wanted):
    """A test folder of ONNX: one node from x to y."""
    shape = message((1, message((1, 1), (2, message((1, message((1, len(given)))))))))
    graph = message((1, message((1, "x"), (2, "y"), (4, op))), (2, name), (11, message((1, "x"), (2, shape))),
                    (12, message((1, "y"), (2, shape))))
    b.write(f"onnx/{name}/model.onnx", message((1, 8), (7, graph), (8, message((2, 13)))))
    b.write(f"onnx/{name}/test_data_set_0/input_0.pb", floats("x", given))
    b.write(f"onnx/{name}/test_data_set_0/output_0.pb", floats("y", wanted))


def test_onnx_test(b):
    """Folders of one's own: one that passes, one whose expected output is wrong, one that is skipped; and ONNX's own."""
    place = os.path.join(b.work, "onnx")
    if "onnx" not in sys.argv:
        b.refused("no ONNX", 2, "libprotobuf-c", "onnx-test", b.work, *ON)
        return
    write_test(b, "good", "Relu", [-1.0, 0.0, 2.0], [0.0, 0.0, 2.0])
    write_test(b, "other", "Cos", [0.0], [1.0])
    r = b.run("onnx-test", place, *ON)
    check(r.returncode == 0 and "passed   1\nskipped  1\nfailed   0\n" in r.stdout and "Cos 1" in r.stdout, "onnx-test", r)
    write_test(b, "wrong", "Sigmoid", [0.0, 1.0], [0.5, 0.75])
    r = b.run("onnx-test", place, *ON, "--json")
    result = json.loads(r.stdout)
    check(r.returncode == 1 and result["failed"] == 1 and result["failures"][0]["test"].endswith("wrong") and
          "'y'[1] is 0.731058" in result["failures"][0]["why"] and result["skipped_by_operator"] == {"Cos": 1}, "onnx-test that fails", r)
    for file, bad in (("model.onnx", b"\x0a\xff"), ("test_data_set_0/input_0.pb", message((1, 5), (2, 1), (4, [1.0]))), ("test_data_set_0/output_0.pb", b"")):
        write_test(b, "wrong", "Sigmoid", [0.0], [0.5])
        b.write(f"onnx/wrong/{file}", bad)
        r = b.run("onnx-test", os.path.join(place, "wrong"), *ON)
        check(r.returncode == 1 and "failed   1" in r.stdout and r.stderr == "", f"a damaged {file}", r)
    b.refused("no test", 2, ["here", "holds no test"], "onnx-test", b.here, *ON)
    b.refused("no folder", 2, ["nowhere", "cannot list"], "onnx-test", "nowhere", *ON)
    theirs = "/usr/share/libonnx-testdata/data"
    if not os.path.isdir(theirs):
        print("skipped: ONNX's own tests (Debian: libonnx-testdata) are not here")
        return
    r = b.run("onnx-test", theirs, *ON, "--json")
    result = json.loads(r.stdout)
    check(r.returncode == 0 and result["failed"] == 0 and result["passed"] > 100, f"ONNX's own tests: {result['failures']}")


if __name__ == "__main__":
    cli.run_tests([test_export, test_predict, test_import, test_import_refused, test_import_graphs, test_onnx_test])
