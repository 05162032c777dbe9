"""Whole nets: the layer lines of a recipe as PyTorch's modules, their parameters counted, and ten steps of training.

Both sides start from Cairn's initial weights (a run of one step with a rate of 1e-38, which moves nothing) and see the same
images, all of them in each step, so that their order is no part of the result. What differs is the order of sums and the
rounding of functions, and how a net lets such errors grow no formula tells beforehand. PyTorch itself does: ten steps in float32,
for several orders of the images, against the same in float64. The largest distance among them is what rounding makes of this
net; Cairn's distance from float64 may be GROWTH times that, and one rounding a step of each number besides. Distances:

    loss      the largest difference of a step's loss, relative to the largest loss
    weights   |w - w64| / |w64 - w0|, w64 PyTorch's weights and running statistics in float64, w0 the first; Euclidean

Such a bound must not hide a wrong term: the net "control" trains in PyTorch with a rate that is 1e-4 larger, and counts as good
only if that is told.
"""

import json
import os
import re
import struct
import tempfile
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .common import DOUBLE, UNIT, read_safetensors, single

GROWTH, STEPS, ORDERS = 8, 10, 6


# Layer lines as modules --------------------------------------------------------------------------------------------------


def pair(text):
    parts = [int(part) for part in text.split("x")]
    return (parts[0], parts[-1])


class Line:
    """`NAME ARG* (key=value)*` of src/nn/layer.h."""

    def __init__(self, text):
        words = text.split()
        self.kind = words[0]
        self.arguments = [word for word in words[1:] if "=" not in word]
        self.settings = dict(word.split("=") for word in words[1:] if "=" in word)
        self.stride = pair(self.settings.get("stride", "1"))
        self.dilation = pair(self.settings.get("dilation", "1"))
        if self.kind in ("conv", "convtranspose"):
            self.kernel = pair(self.arguments[1])

    def pools(self, shape):
        """Completes the window of a pool over images of that shape."""
        word = self.arguments[0]
        self.kernel = tuple(shape[2:]) if word == "global" else pair(word)
        self.stride = pair(self.settings["stride"]) if "stride" in self.settings else self.kernel

    def pads(self, shape):
        """(top, bottom, left, right). same: out = ceil(in / stride), the odd pixel behind."""
        text = self.settings.get("pad", "0")
        if text == "same":
            both = []
            for i in range(2):
                spread = (self.kernel[i] - 1) * self.dilation[i] + 1
                total = max(0, (-(-shape[2 + i] // self.stride[i]) - 1) * self.stride[i] + spread - shape[2 + i])
                both += [total // 2, total - total // 2]
            return tuple(both)
        if "," in text:
            return tuple(int(part) for part in text.split(","))
        h, w = pair(text)
        return (h, h, w, w)


class Window(nn.Module):
    """A pool or convolution behind padding that may differ from side to side."""

    def __init__(self, function, pads, fill=0.0):
        super().__init__()
        top, bottom, left, right = pads
        self.function, self.around, self.fill = function, (left, right, top, bottom), fill

    def forward(self, x):
        return self.function(F.pad(x, self.around, value=self.fill))


class Conv(nn.Conv2d):
    def __init__(self, line, shape):
        super().__init__(shape[1], int(line.arguments[0]), line.kernel, line.stride, 0, line.dilation,
                         int(line.settings.get("groups", 1)), line.settings.get("bias") != "no")
        self.pads = line.pads(shape)

    def forward(self, x):
        return Window(super().forward, self.pads)(x)


class ConvTranspose(nn.ConvTranspose2d):
    def __init__(self, line, shape):
        super().__init__(shape[1], int(line.arguments[0]), line.kernel, line.stride, 0, pair(line.settings.get("extra", "0")),
                         bias=line.settings.get("bias") != "no", dilation=line.dilation)
        self.pads = line.pads(shape)

    def forward(self, x):
        whole, (top, bottom, left, right) = super().forward(x), self.pads
        return whole[:, :, top:whole.shape[2] - bottom, left:whole.shape[3] - right]


class Linear(nn.Linear):
    def __init__(self, line, shape):
        super().__init__(int(np.prod(shape[1:])), int(line.arguments[0]), line.settings.get("bias") != "no")

    def forward(self, x):
        return super().forward(x.flatten(1))


class Softmax(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x.flatten(1), 1).reshape(x.shape)


def maxpool(line, shape):
    line.pools(shape)
    return Window(nn.MaxPool2d(line.kernel, line.stride), line.pads(shape), -np.inf)


def avgpool(line, shape):
    line.pools(shape)
    total = Window(nn.AvgPool2d(line.kernel, line.stride, divisor_override=1), line.pads(shape))
    size = line.kernel[0] * line.kernel[1] if line.settings.get("count_pad") == "yes" else total(torch.ones(1, 1, *shape[2:]))
    return type("AvgPool", (nn.Module,), {"forward": lambda self, x: total(x) / size})()


def batchnorm(line, shape):
    kind = nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d
    return kind(shape[1], single(line.settings.get("epsilon", 1e-5)), single(line.settings.get("momentum", 0.1)))


def number(line, usual):
    return single(line.arguments[0]) if line.arguments else usual


MODULES = {
    "conv": Conv,
    "convtranspose": ConvTranspose,
    "linear": Linear,
    "maxpool": maxpool,
    "avgpool": avgpool,
    "batchnorm": batchnorm,
    "relu": lambda line, shape: nn.ReLU(),
    "tanh": lambda line, shape: nn.Tanh(),
    "sigmoid": lambda line, shape: nn.Sigmoid(),
    "leakyrelu": lambda line, shape: nn.LeakyReLU(number(line, single(0.01))),
    "elu": lambda line, shape: nn.ELU(number(line, 1.0)),
    "gelu": lambda line, shape: nn.GELU("tanh" if line.settings.get("form") == "tanh" else "none"),
    "silu": lambda line, shape: nn.SiLU(),
    "softplus": lambda line, shape: nn.Softplus(),
    "hardsigmoid": lambda line, shape: nn.Hardsigmoid(),
    "hardswish": lambda line, shape: nn.Hardswish(),
    "softmax": lambda line, shape: Softmax(F.softmax),
    "logsoftmax": lambda line, shape: Softmax(F.log_softmax),
    "dropout": lambda line, shape: nn.Dropout(float(line.arguments[0])),
    "add": lambda line, shape: nn.Identity(),
    "flatten": lambda line, shape: nn.Flatten(),
    "none": lambda line, shape: nn.Identity(),
}


class Twin(nn.Module):
    """The modules of layer lines for images c x h x w; a parameter has Cairn's name: "3.weight" of the line 3."""

    def __init__(self, lines, image):
        super().__init__()
        self.lines, self.shapes = [Line(text) for text in lines], []
        named = {"input": torch.zeros(2, *image)}
        x = named["input"]
        for i, line in enumerate(self.lines):
            x = named[line.settings["from"]] if "from" in line.settings else x
            module = MODULES[line.kind](line, x.shape)
            self.add_module(str(i), module)
            with torch.no_grad():
                x = module.eval()(x)
            named[line.settings.get("as", i)] = x
            self.shapes.append((list(x.shape[1:]) + [1, 1])[:3])
        self.train()

    def forward(self, x, is_cross_entropy=True):
        """The last layer's outputs; for a cross-entropy without a softmax at the end, which is the loss's own."""
        named = {"input": x}
        last = len(self.lines) - 1
        for i, line in enumerate(self.lines):
            x = named[line.settings["from"]] if "from" in line.settings else x
            if i < last or not is_cross_entropy or line.kind != "softmax":
                x = self.get_submodule(str(i))(x)
            if line.kind == "add":
                x = x + named[line.arguments[0]]
            named[line.settings.get("as", i)] = x
        return x.flatten(1)


# The nets ----------------------------------------------------------------------------------------------------------------


class Net(NamedTuple):
    """A recipe by name, or layer lines; and how it trains. `sets`: Cairn's settings besides those of ten plain steps."""
    name: str
    recipe: str = ""
    layers: tuple = ()
    optimizer: str = ""  # "": it is not trained
    rate: float = 0.1
    images: int = 64
    published: tuple = ()  # counts of its layers, as published
    sets: tuple = ()
    off: float = 0.0  # PyTorch's rate is so much larger

    @property
    def trains(self):
        return bool(self.optimizer)


SGD = "sgd momentum=0.9"
NETS = [
    Net("fashion-mlp4", "fashion-mlp4", optimizer=SGD, rate=0.02, sets=(("vars.drop", 0), ("train.clip", 1))),
    Net("fashion-mlp-custom", "fashion-mlp-custom", optimizer="adam", rate=1e-3, sets=(("vars.drop", 0),)),
    Net("fashion-cnn-a", "fashion-cnn-a", optimizer=SGD, rate=0.01, published=(40, 8, 148, 8, 1970)),
    Net("fashion-cnn-b", "fashion-cnn-b", optimizer="adam", rate=1e-3, published=(320, 582500, 1010)),
    Net("fashion-cnn-c", "fashion-cnn-c", optimizer=SGD, rate=0.01, published=(320, 1156, 8, 16900, 15150, 1510),
        sets=(("vars.drop", 0),)),
    Net("fashion-resnet", "fashion-resnet", optimizer=SGD, rate=0.005, images=32, sets=(("train.l2", 5e-4),)),
    Net("fashion-vgg11", "fashion-vgg11"),
    Net("cifar10-resnet20", "cifar10-resnet20", optimizer=SGD, rate=5e-4, images=16, sets=(("train.l2", 1e-4),)),
    Net("cifar10-vgg11", "cifar10-vgg11"),
    Net("mnist-lenet", "mnist-lenet", optimizer=SGD, rate=0.002),
    Net("kmnist-cnn", "kmnist-cnn", optimizer="adam", rate=5e-4, sets=(("vars.drop", 0),)),
]


def small(name, *lines, optimizer=SGD, rate=0.05, head="conv 3 3x3 stride=3", off=0.0, **sets):
    """A layer between a convolution and a linear layer."""
    layers = ((head,) if head else ()) + lines + ("linear 10",)
    NETS.append(Net(name, layers=layers, optimizer=optimizer, rate=rate, images=24, off=off,
                    sets=tuple((f"train.{key}", value) for key, value in sets.items())))


for text in ("conv 4 3x2 stride=2x1 pad=1,0,2,1", "conv 6 3x3 dilation=2 groups=3", "conv 3 3x3 groups=3 bias=no",
             "conv 4 4x4 stride=2 pad=same", "convtranspose 2 3x4 stride=2 pad=1 extra=1",
             "convtranspose 2 3x3 stride=1x2 pad=0,1,2,0 dilation=1x2", "linear 20 bias=no", "maxpool 3 stride=2 pad=1",
             "maxpool 2x3 pad=0,1,1,2", "maxpool global", "avgpool 2", "avgpool 3 stride=2 pad=1,0,2,1",
             "avgpool 3 stride=2 pad=1 count_pad=yes", "avgpool global", "batchnorm", "batchnorm momentum=0.5 epsilon=0.01",
             "relu", "tanh", "sigmoid", "leakyrelu", "leakyrelu 0.3", "elu", "elu 1.5", "gelu", "gelu form=tanh", "silu", "softplus",
             "hardsigmoid", "hardswish", "softmax", "dropout 0", "flatten", "none"):
    small(text, text)
small("logsoftmax", "logsoftmax", rate=1e-3)
small("batchnorm after linear", "linear 12", "batchnorm", "relu")
small("add", "relu as=a", "conv 3 3x3 pad=1", "relu", "add a", "tanh")
small("add of branches", "relu as=a", "conv 5 3x3 stride=2 pad=1 as=b", "conv 5 1x1 stride=2 from=a", "add b", "relu")
small("add input", "conv 1 3x3 pad=1", "tanh", "add input", head="")
small("smoothing", "relu", smoothing=0.1)
small("class weights", "relu", class_weights="1 2 0.5 1 0 3 1 1.5 1 1")
small("class weights, balanced", "relu", class_weights="balanced")
small("mse", "tanh", loss="mse", rate=0.05)
small("perceptron", "relu", loss="perceptron")
small("l1, l2 and decay", "relu", l1=1e-3, l2=1e-2, decay=1e-2)
small("l2 of a sample", "relu", l2=0.5, decay_per="sample")
small("clip", "relu", clip=0.5)
small("accumulate", "relu", accumulate=4)
for text, rate in (("sgd", 0.1), ("sgd momentum=0.9 nesterov=yes", 0.05), ("adam", 3e-3), ("adam beta1=0.8 beta2=0.99", 3e-3),
                   ("adamw decay", 3e-3), ("rmsprop", 3e-3), ("rmsprop momentum=0.5", 1e-3), ("adagrad", 0.03), ("adadelta", 1.0)):
    small(text, "tanh", optimizer=text.split(" decay")[0], rate=rate, **({"decay": 0.1} if "decay" in text else {}))
small("control", "tanh", off=1e-4)


# Counting ----------------------------------------------------------------------------------------------------------------


def count(cairn, net):
    """Prints a line; whether the parameters of each layer, their sum and the shapes agree, also with what is published."""
    summary = cairn.summary(net.recipe)
    twin = Twin([row["layer"] for row in summary["layers"]], summary["input"])
    theirs = [sum(p.numel() for p in twin.get_submodule(str(i)).parameters()) for i in range(len(twin.lines))]
    ours = [row["parameters"] for row in summary["layers"]]
    fine = (ours == theirs and summary["parameters"] == sum(theirs) and
            [row["output"] for row in summary["layers"]] == twin.shapes)
    note = ""
    if net.published:
        fine = fine and tuple(filter(None, ours)) == net.published
        note = f"   published: {', '.join(f'{n:,}' for n in net.published)}"
    print(f"{net.name:<20} Cairn {summary['parameters']:>10,}   PyTorch {sum(theirs):>10,}{note}{'' if fine else '   DIFFERS'}")
    return fine


# Training ----------------------------------------------------------------------------------------------------------------


def write_data(name, folder, images):
    """Images of ten classes, drawn from a seed: each class has a pattern of its own under noise. Returns pixels, labels."""
    rng = np.random.default_rng(3)
    shape = (3, 32, 32) if name == "cifar10" else (1, 28, 28)
    labels = (np.arange(images) % 10).astype(np.uint8)
    patterns = np.kron(rng.uniform(0, 200, (10, shape[0], shape[1] // 4, shape[2] // 4)), np.ones((4, 4)))
    pixels = np.clip(patterns[labels] + rng.normal(0, 30, (images, *shape)), 0, 255).astype(np.uint8)
    if name == "cifar10":
        records = np.concatenate([labels[:, None], pixels.reshape(images, -1)], axis=1)
        for i, part in enumerate(np.array_split(records, 5)):
            part.tofile(os.path.join(folder, f"data_batch_{i + 1}.bin"))
        records[:10].tofile(os.path.join(folder, "test_batch.bin"))
        return pixels, labels
    for part, last in (("train", images), ("t10k", 10)):
        for file, array in ((f"{part}-images-idx3-ubyte", pixels[:last, 0]), (f"{part}-labels-idx1-ubyte", labels[:last])):
            with open(os.path.join(folder, file), "wb") as out:
                out.write(struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes())
    return pixels, labels


def write_recipe(net, folder):
    path = os.path.join(folder, "net.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write("data: {name: mnist, normalize: zscore}\nmodel:\n" + "".join(f"  - {line}\n" for line in net.layers) +
                   "init: {default: he}\ntrain: {loss: cross-entropy, optimizer: sgd, learning_rate: 1, batch: 8, epochs: 1, "
                   "seed: 1}\n")
    return path


class Settings:
    """train.* of a net as PyTorch takes them."""

    def __init__(self, net):
        self.values = {key.removeprefix("train."): value for key, value in net.sets if key.startswith("train.")}
        self.words = dict(word.split("=") for word in net.optimizer.split()[1:])
        self.kind, self.images = net.optimizer.split()[0], net.images
        self.rate = single(net.rate) * (1 + net.off)
        share = net.images if self.values.get("decay_per") == "sample" else 1
        self.l1, self.l2, self.decay = (single(single(self.values.get(key, 0.0)) / share) for key in ("l1", "l2", "decay"))
        self.smoothing = single(self.values.get("smoothing", 0.0))

    def word(self, key, usual):
        return single(self.words.get(key, usual))

    def optimiser(self, weights, others):
        """Penalties are of weights, not of biases and norms. l2 is weight_decay; the others are in step()."""
        is_adamw = self.kind == "adamw"
        groups = [{"params": weights, "weight_decay": self.decay if is_adamw else 0.0}, {"params": others, "weight_decay": 0.0}]
        kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop,
                "adagrad": torch.optim.Adagrad, "adadelta": torch.optim.Adadelta}[self.kind]
        options = {"lr": self.rate}
        if self.kind in ("sgd", "rmsprop"):
            options["momentum"] = self.word("momentum", 0.0)
        if self.kind == "sgd":
            options["nesterov"] = self.words.get("nesterov") == "yes"
        if self.kind in ("adam", "adamw"):
            options["betas"] = (self.word("beta1", 0.9), self.word("beta2", 0.999))
        if self.kind == "rmsprop":
            options["alpha"] = self.word("alpha", 0.99)
        if self.kind == "adadelta":
            options["rho"] = self.word("rho", 0.9)
        return kind(groups, **options)

    def penalise(self, weights):
        """The terms of the gradient with the old weight, then the decay, as docs/ARITHMETIC.md has it."""
        with torch.no_grad():
            for w in weights:
                w.grad += self.l2 * w + self.l1 * w.sign()
                if self.kind != "adamw":
                    w *= 1 - self.rate * self.decay

    def class_weights(self, labels, dtype):
        text = self.values.get("class_weights")
        if text is None:
            return torch.ones(10, dtype=dtype)
        if text == "balanced":
            counts = np.bincount(labels, minlength=10)
            return torch.tensor(len(labels) / (10 * counts), dtype=dtype)
        return torch.tensor([float(word) for word in text.split()], dtype=dtype)

    def losses(self, z, labels):
        """Of each image, before its class's weight."""
        kind = self.values.get("loss", "cross-entropy")
        if kind == "mse":
            return F.mse_loss(z, F.one_hot(labels, 10).to(z.dtype), reduction="none").mean(1)
        if kind == "perceptron":
            return z.max(1).values - z.gather(1, labels[:, None])[:, 0]
        return F.cross_entropy(z, labels, reduction="none", label_smoothing=self.smoothing)


def train_twin(net, lines, start, pixels, labels, dtype, order):
    """(losses of the steps, final state by name) in PyTorch. The loss is the sum of the images' over their number, also where
    they are weighted."""
    settings, twin = Settings(net), Twin(lines, pixels.shape[1:]).to(dtype)
    state = twin.state_dict()
    names = [name for name in state if not name.endswith("num_batches_tracked")]
    assert sorted(names) == sorted(start), "the parameters' names differ"
    twin.load_state_dict({name: torch.tensor(start[name]) for name in names}, strict=False)
    x, y = torch.tensor(pixels[order]).to(dtype), torch.tensor(labels[order].astype(np.int64))
    weights = [p for p in twin.parameters() if p.dim() > 1]
    optimiser = settings.optimiser(weights, [p for p in twin.parameters() if p.dim() == 1])
    factors = settings.class_weights(labels, dtype)[y]
    is_cross_entropy = settings.values.get("loss", "cross-entropy") == "cross-entropy"
    losses = []
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = (settings.losses(twin(x, is_cross_entropy), y) * factors).sum() / len(order)
        loss.backward()
        if "clip" in settings.values:
            nn.utils.clip_grad_norm_(list(twin.parameters()), single(settings.values["clip"]))
        settings.penalise(weights)
        optimiser.step()
        losses.append(loss.item())
    state = twin.state_dict()
    return np.array(losses), {name: state[name].double().numpy() for name in names}


def distances(run, exact, start):
    """(loss, weights) of the docstring above."""
    away = np.sqrt(sum(((run[1][name] - w) ** 2).sum() for name, w in exact[1].items()))
    way = np.sqrt(sum(((w - start[name]) ** 2).sum() for name, w in exact[1].items()))
    return np.abs(run[0] - exact[0]).max() / np.abs(exact[0]).max(), away / way


def train_cairn(cairn, net, recipe, data, folder, steps, rate):
    """(losses of the steps, final state by name, metadata)."""
    sets = {"train.optimizer": net.optimizer, "train.learning_rate": rate, "train.batch": net.images, "train.steps": steps,
            "train.evaluate_every": "1 steps"}
    if net.recipe:
        sets.update({"train.schedule": "constant", "data.augment": "none", "data.validation": 0, "train.test_curve": "no"})
    sets.update(net.sets)
    cairn.train(recipe, folder, data, sets)
    with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as file:
        losses = [json.loads(line)["train_loss"] for line in file]
    state, metadata = read_safetensors(os.path.join(folder, "last.safetensors"))
    return np.array(losses), {name: w for name, w in state.items() if not re.match("moment[12]\\.", name)}, metadata


def train(cairn, net):
    """Prints a line; whether ten steps agree."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = net.recipe or write_recipe(net, folder)
        rows = cairn.summary(recipe, *(f"--set={key}={value}" for key, value in net.sets))
        lines = [row["layer"] for row in rows["layers"]]
        pixels, labels = write_data(rows["data"], folder, net.images)
        _, start, metadata = train_cairn(cairn, net, recipe, folder, os.path.join(folder, "start"), 1, 1e-38)
        ours = train_cairn(cairn, net, recipe, folder, os.path.join(folder, "run"), STEPS, net.rate)
    for name in start:  # one step has moved the statistics
        if name.rpartition(".")[2] in ("running_mean", "running_var"):
            start[name] = np.full_like(start[name], name.endswith("var"))
    shift, scale = (np.float32(float.fromhex(metadata[f"cairn.{key}"])) for key in ("shift", "scale"))
    fine = np.allclose([shift, scale], [pixels.mean(), 1 / pixels.std()], rtol=2 * UNIT, atol=0)
    images = (pixels.astype(np.float32) - shift) * scale
    rng, orders = np.random.default_rng(4), [np.arange(net.images)]
    orders += [rng.permutation(net.images) for _ in range(ORDERS - 1)]
    exact = train_twin(net, lines, start, images, labels, DOUBLE, orders[0])
    away = distances(ours, exact, start)
    floats = [distances(train_twin(net, lines, start, images, labels, torch.float32, order), exact, start) for order in orders]
    theirs = np.max(floats, axis=0)
    size = np.sqrt(sum((w ** 2).sum() for w in exact[1].values()))
    way = np.sqrt(sum(((w - start[name]) ** 2).sum() for name, w in exact[1].items()))
    allowed = GROWTH * theirs + STEPS * UNIT * np.array([1, size / way])
    agrees = bool(fine and len(ours[0]) == STEPS and away[0] <= allowed[0] and away[1] <= allowed[1])
    good = agrees != bool(net.off)
    verdict = "" if good else "   DIFFERS" if not net.off else "   NOT TOLD"
    print(f"{net.name:<55} {f'{ours[0][0]:.5g} to {ours[0][-1]:.5g}':<22} {away[0]:.1e}, float32 {theirs[0]:.1e}  "
          f"{away[1]:.1e}, float32 {theirs[1]:.1e}{verdict}{'   (told, as it must be)' if good and net.off else ''}", flush=True)
    return good
