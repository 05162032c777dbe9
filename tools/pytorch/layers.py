"""Layers as operators: outputs by PyTorch's functions, gradients by its autograd.

Where PyTorch has no such function (padding that differs from side to side, the perceptron's loss) it is composed of functions
that it has, and autograd differentiates that.
"""

import numpy as np
import torch
import torch.nn.functional as F

from .common import DOUBLE, UNIT, Result, comparison, generator, problem_line, product_roundings, scales, sum_roundings, twin

# Products and convolutions -----------------------------------------------------------------------------------------------


def linear(name, batch, inputs, outputs):
    @comparison(name)
    def compare(cairn, dtype):
        _, draw = generator(1)
        x, w, b, dy = draw(batch, inputs), draw(outputs, inputs), draw(outputs), draw(batch, outputs)
        y, dx, dw, db = twin(F.linear, dtype, dy, x, w, b)
        sy, sdx, sdw, sdb = scales(F.linear, dy, x, w, b)
        shape = dict(m=batch, n=outputs, k=inputs, tb=1, bias="n")
        got = cairn.run(problem_line("gemm", **shape), a=x, b=w, bias_v=b)["c"]
        yield Result("y", got, y, product_roundings(inputs) + 1, sy)
        for act, function in (("relu", torch.relu), ("tanh", torch.tanh), ("sigmoid", torch.sigmoid)):
            got = cairn.run(problem_line("gemm", **shape, act=act), a=x, b=w, bias_v=b)["c"]
            yield Result(f"y, {act}", got, function(y), product_roundings(inputs) + 5, sy + 1)
        got = cairn.run(problem_line("gemm", m=batch, n=inputs, k=outputs), a=dy, b=w)["c"]
        yield Result("dx", got, dx, product_roundings(outputs), sdx)
        got = cairn.run(problem_line("gemm", m=outputs, n=inputs, k=batch, ta=1), a=dy, b=x)["c"]
        yield Result("dw", got, dw, product_roundings(batch), sdw)
        got = cairn.run(problem_line("reduce", n1=batch, c=outputs), x=dy)["y"]
        yield Result("db", got, db, sum_roundings(batch), sdb)


linear("linear", 7, 30, 11)
linear("linear, long", 300, 5000, 6)


def pads(all_pads, fill=0.0):
    """PyTorch's padding of x by (top, bottom, left, right)."""
    top, bottom, left, right = all_pads
    return lambda x: F.pad(x, (left, right, top, bottom), value=fill)


def window_fields(kernel, stride, padding, dilation=None):
    fields = dict(kh=kernel[0], kw=kernel[1], stride_h=stride[0], stride_w=stride[1])
    fields.update(zip(("pad_t", "pad_b", "pad_l", "pad_r"), padding))
    if dilation:
        fields.update(dilation_h=dilation[0], dilation_w=dilation[1])
    return fields


def conv(name, image, outputs, kernel, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1):
    n, c, h, w = image

    def function(x, weight, bias):
        return F.conv2d(pads(padding)(x), weight, bias, stride=stride, dilation=dilation, groups=groups)

    @comparison(name)
    def compare(cairn, dtype):
        _, draw = generator(2)
        x, weight, bias = draw(*image), draw(outputs, c // groups, *kernel), draw(outputs)
        dy = draw(*function(torch.zeros(image), torch.tensor(weight), torch.tensor(bias)).shape)
        y, dx, dw, db = twin(function, dtype, dy, x, weight, bias)
        sy, sdx, sdw, sdb = scales(function, dy, x, weight, bias)
        shape = dict(n=n, c=c, h=h, w=w, o=outputs, **window_fields(kernel, stride, padding, dilation), groups=groups)
        taps, places = kernel[0] * kernel[1], dy.shape[2] * dy.shape[3]
        got = cairn.run(problem_line("conv", **shape, bias=1), x=x, weight=weight, bias_v=bias)["y"]
        yield Result("y", got, y, product_roundings(c // groups * taps) + 1, sy)
        got = cairn.run(problem_line("conv", **shape, bias=1, act="relu"), x=x, weight=weight, bias_v=bias)["y"]
        yield Result("y, relu", got, torch.relu(y), product_roundings(c // groups * taps) + 1, sy)
        got = cairn.run(problem_line("conv_data", **shape), y=dy, weight=weight)["x"]
        yield Result("dx", got, dx, product_roundings(outputs // groups) + taps, sdx)
        got = cairn.run(problem_line("conv_weights", **shape), x=x, y=dy)["weight"]
        yield Result("dw", got, dw, product_roundings(n * places), sdw)
        got = cairn.run(problem_line("reduce", n1=n, c=outputs, n2=places), x=dy)["y"]
        yield Result("db", got, db, sum_roundings(n * places), sdb)


conv("conv", (2, 3, 9, 8), 5, (3, 3))
conv("conv, stride", (2, 3, 11, 12), 4, (3, 2), stride=(2, 3))
conv("conv, pads of each side", (2, 3, 7, 6), 4, (3, 5), padding=(1, 2, 0, 3))
conv("conv, dilation", (2, 2, 12, 11), 3, (3, 2), padding=(2, 2, 1, 1), dilation=(2, 3))
conv("conv, groups", (2, 6, 8, 8), 4, (3, 3), padding=(1, 1, 1, 1), groups=2)
conv("conv, depthwise", (2, 5, 9, 9), 10, (3, 3), stride=(2, 2), padding=(1, 1, 1, 1), groups=5)
conv("conv, all of them", (3, 6, 13, 12), 9, (3, 2), (2, 1), (2, 0, 1, 3), (1, 2), 3)
conv("conv, long", (5, 40, 33, 31), 3, (5, 5), padding=(2, 2, 2, 2))


def convtranspose(name, image, outputs, kernel, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), extra=(0, 0)):
    """conv_data from the input to the output, then the bias by add; its gradients are conv and conv_weights of dy."""
    n, c, _, _ = image
    top, bottom, left, right = padding

    def function(x, weight, bias):
        whole = F.conv_transpose2d(x, weight, bias, stride=stride, output_padding=extra, dilation=dilation)
        return whole[:, :, top:whole.shape[2] - bottom, left:whole.shape[3] - right]

    @comparison(name)
    def compare(cairn, dtype):
        _, draw = generator(3)
        x, weight, bias = draw(*image), draw(c, outputs, *kernel), draw(outputs)
        dy = draw(*function(torch.zeros(image), torch.tensor(weight), torch.tensor(bias)).shape)
        h, w = dy.shape[2:]
        y, dx, dw, db = twin(function, dtype, dy, x, weight, bias)
        sy, sdx, sdw, sdb = scales(function, dy, x, weight, bias)
        shape = dict(n=n, c=outputs, h=h, w=w, o=c, **window_fields(kernel, stride, padding, dilation))
        taps = kernel[0] * kernel[1]
        got = cairn.run(problem_line("conv_data", **shape), y=x, weight=weight)["x"]
        got = cairn.run(problem_line("add", n1=n, c=outputs, n2=h * w, channel=1), x=got, b=bias)["y"]
        yield Result("y", got, y, product_roundings(c) + taps + 1, sy)
        got = cairn.run(problem_line("conv", **shape), x=dy, weight=weight)["y"]
        yield Result("dx", got, dx, product_roundings(outputs * taps), sdx)
        got = cairn.run(problem_line("conv_weights", **shape), x=dy, y=x)["weight"]
        yield Result("dw", got, dw, product_roundings(x.size // c), sdw)
        got = cairn.run(problem_line("reduce", n1=n, c=outputs, n2=h * w), x=dy)["y"]
        yield Result("db", got, db, sum_roundings(n * h * w), sdb)


convtranspose("convtranspose", (2, 4, 5, 6), 3, (3, 3))
convtranspose("convtranspose, stride", (2, 4, 5, 6), 3, (4, 3), (2, 3), (1, 1, 1, 1), extra=(1, 2))
convtranspose("convtranspose, pads", (2, 3, 6, 5), 4, (3, 5), (2, 1), (1, 0, 2, 3), (1, 2), (1, 0))


@comparison("im2col, col2im")
def im2col(cairn, dtype):
    """unfold and fold."""
    _, draw = generator(4)
    n, c, h, w, kernel, stride, dilation = 2, 3, 9, 8, (3, 2), (2, 1), (1, 2)
    x = draw(n, c, h, w)

    def function(x):
        return F.unfold(x, kernel, dilation=dilation, padding=(1, 2), stride=stride)

    dcol = draw(*function(torch.tensor(x)).shape)
    col, dx = twin(function, dtype, dcol, x)
    shape = problem_line("", n=n, c=c, h=h, w=w, **window_fields(kernel, stride, (1, 1, 2, 2), dilation))
    yield Result("col", cairn.run("im2col" + shape, x=x)["col"], col, 0, 1)
    yield Result("dx", cairn.run("col2im" + shape, col=dcol)["x"], dx, 6, scales(function, dcol, x)[1])


# Pools -------------------------------------------------------------------------------------------------------------------


def pool(name, kind, image, kernel, stride, padding=(0, 0, 0, 0), count_pad=0):
    n, c, h, w = image

    def largest(x):
        return F.max_pool2d(pads(padding, -np.inf)(x), kernel, stride)

    def mean(x):
        total = F.avg_pool2d(pads(padding)(x), kernel, stride, divisor_override=1)
        inside = F.avg_pool2d(pads(padding)(torch.ones_like(x)), kernel, stride, divisor_override=1)
        return total / (kernel[0] * kernel[1] if count_pad else inside)

    def ready(x):
        """PyTorch's own of that kind, where the padding of both sides is the same and it has one."""
        same = (padding[0], padding[2])
        if kind == "max":
            return F.max_pool2d(x, kernel, stride, padding=same)
        return F.avg_pool2d(x, kernel, stride, padding=same, count_include_pad=bool(count_pad))

    is_even = padding[0] == padding[1] and padding[2] == padding[3]
    function = ready if is_even else largest if kind == "max" else mean

    @comparison(name)
    def compare(cairn, dtype):
        _, draw = generator(5)
        x = draw(*image)
        if kind == "max":
            x = np.round(2 * x) / 2  # so that many are equal: the first of them wins
        dy = draw(*function(torch.tensor(x)).shape)
        y, dx = twin(function, dtype, dy, x)
        shape = dict(kind=kind, planes=n * c, h=h, w=w, **window_fields(kernel, stride, padding))
        if kind == "average":
            shape["count_pad"] = count_pad
        got = cairn.run(problem_line("pool", **shape), x=x)
        taps = kernel[0] * kernel[1]
        sy = np.abs(x) if kind == "average" else x
        yield Result("y", got["y"], y, 0 if kind == "max" else taps + 1, twin(function, DOUBLE, np.abs(dy), sy)[0].abs())
        got = cairn.run(problem_line("pool_grad", **shape), y=dy, index=got.get("index"))["x"]
        yield Result("dx", got, dx, taps + 1, twin(function, DOUBLE, np.abs(dy), x)[1])


pool("maxpool", "max", (2, 3, 8, 9), (2, 2), (2, 2))
pool("maxpool, overlapping", "max", (2, 3, 9, 9), (3, 3), (2, 1), (1, 1, 1, 1))
pool("maxpool, pads", "max", (2, 3, 8, 7), (3, 4), (2, 2), (0, 2, 1, 3))
pool("maxpool, global", "max", (3, 5, 7, 7), (7, 7), (1, 1))
pool("avgpool", "average", (2, 3, 8, 9), (2, 2), (2, 2))
pool("avgpool, pads", "average", (2, 3, 9, 9), (3, 3), (2, 1), (1, 1, 1, 1))
pool("avgpool, count_pad", "average", (2, 3, 9, 9), (3, 3), (2, 1), (1, 1, 1, 1), 1)
pool("avgpool, pads of each side", "average", (2, 3, 8, 7), (3, 4), (2, 2), (0, 2, 1, 3))
pool("avgpool, both", "average", (2, 3, 8, 7), (3, 4), (2, 2), (0, 2, 1, 3), 1)
pool("avgpool, global", "average", (3, 5, 7, 7), (7, 7), (1, 1))

# Batch normalisation -----------------------------------------------------------------------------------------------------


def batchnorm(name, n1, c, n2, momentum, epsilon):
    @comparison(name)
    def compare(cairn, dtype):
        """A mean is off by its sum, s roundings of the mean of |x|; that error and those of rstd, gamma and the sums of the
        gradient are followed through the formulas to first order: V is the scale of v = (x - mean) rstd."""
        _, draw = generator(6)
        x = draw(n1, c, n2) * np.float32(2) + np.float32(1)
        dy, gamma, beta = draw(n1, c, n2), draw(c), draw(c)
        old_mean, old_var = draw(c), np.abs(draw(c))
        now_mean, now_var = torch.tensor(old_mean, dtype=dtype), torch.tensor(old_var, dtype=dtype)

        def function(x, gamma, beta):
            return F.batch_norm(x, now_mean, now_var, gamma, beta, True, float(np.float32(momentum)), float(np.float32(epsilon)))

        y, dx, dgamma, dbeta = twin(function, dtype, dy, x, gamma, beta)
        s = sum_roundings(n1 * n2) + 8

        def wide(per_channel):
            return np.asarray(per_channel, dtype=np.float64).reshape(1, c, 1)

        x64, dy64 = x.astype(np.float64), dy.astype(np.float64)
        size, rstd = np.abs(x64).mean((0, 2)), 1 / np.sqrt(x64.var((0, 2)) + epsilon)
        V = (np.abs(x64 - x64.mean((0, 2), keepdims=True)) + wide(size)) * wide(rstd)
        shape = dict(n1=n1, c=c, n2=n2)
        got = cairn.run(problem_line("batchnorm_stats", **shape, momentum=momentum, epsilon=epsilon), x=x,
                        running_mean=old_mean, running_var=old_var)
        yield Result("running_mean", got["running_mean"], now_mean, s, np.abs(old_mean) + size)
        yield Result("running_var", got["running_var"], now_var, s, np.abs(old_var) + x64.var((0, 2), ddof=1))
        mean, rstd_got = got["mean"], got["rstd"]
        got = cairn.run(problem_line("batchnorm", **shape), x=x, mean=mean, rstd=rstd_got, gamma=gamma, beta=beta)["y"]
        yield Result("y", got, y, 2 * s, V * wide(np.abs(gamma)) + wide(np.abs(beta)))
        got = cairn.run(problem_line("batchnorm_grad", **shape), x=x, dy=dy, mean=mean, rstd=rstd_got, gamma=gamma)
        terms = np.abs(dy64) + V * wide((V * np.abs(dy64)).mean((0, 2))) + wide(np.abs(dy64).mean((0, 2)))
        yield Result("dx", got["dx"], dx, 4 * s, wide(np.abs(gamma) * rstd) * terms)
        yield Result("dgamma", got["dgamma"], dgamma, 3 * s, (V * np.abs(dy64)).sum((0, 2)))
        yield Result("dbeta", got["dbeta"], dbeta, s, np.abs(dy64).sum((0, 2)))
        y = F.batch_norm(*(torch.tensor(z, dtype=dtype) for z in (x, old_mean, old_var, gamma, beta)), False, 0.0,
                         float(np.float32(epsilon)))
        got = cairn.run(problem_line("batchnorm", **shape, inference=1, epsilon=epsilon), x=x, mean=old_mean, rstd=old_var,
                        gamma=gamma, beta=beta)["y"]
        around = np.abs(x64) + wide(np.abs(old_mean))
        yield Result("y, inference", got, y, 8,
                     around * wide(np.abs(gamma) / np.sqrt(old_var + epsilon)) + wide(np.abs(beta)))


batchnorm("batchnorm", 6, 5, 35, 0.1, 1e-5)
batchnorm("batchnorm, after linear", 40, 9, 1, 0.3, 1e-3)
batchnorm("batchnorm, long", 20, 2, 700, 1.0, 1e-5)

# Activations -------------------------------------------------------------------------------------------------------------
# Roundings of y and of the slope as docs/ARITHMETIC.md has them: functions of |x| and |y|. The slopes from y take Cairn's
# own y, whose error is in the bound too; two more are those of dy * slope.


def activation(kind, function, y_bound=lambda x, y: 4 * y, slope_bound=lambda x: 14, alpha=None):
    @comparison(f"{kind}{'' if alpha is None else f' {alpha:g}'}")
    def compare(cairn, dtype):
        _, draw = generator(7)
        edges = np.array([0, -0.0, 3, -3, 1e-3, -1e-3, 1e-20, -1e-20, 19, -19, 60, -60], np.float32)
        x = np.concatenate([draw(2000) * np.float32(3), edges])
        dy = draw(x.size)
        y, dx = twin(function, dtype, dy, x)
        exact = twin(function, DOUBLE, dy, x)[0].detach().numpy()
        given = dict(kind=kind, count=x.size, **({} if alpha is None else dict(alpha=alpha)))
        got = cairn.run(problem_line("activation", **given), x=x)["y"]
        size = np.abs(x).astype(np.float64)
        yield Result("y", got, y, 1, y_bound(size, np.abs(exact)) + 2.0 ** -120)
        got = cairn.run(problem_line("activation_grad", **given), x=x, y=got, dy=dy)["dx"]
        yield Result("dx", got, dx, 1, np.abs(dy) * slope_bound(size) + 2.0 ** -120)


activation("relu", F.relu, lambda x, y: 0 * y, lambda x: 0 * x)
activation("tanh", torch.tanh)
activation("sigmoid", torch.sigmoid)
activation("leaky_relu", lambda x: F.leaky_relu(x, float(np.float32(0.01))), lambda x, y: y, lambda x: 1, 0.01)
activation("leaky_relu", lambda x: F.leaky_relu(x, float(np.float32(0.3))), lambda x, y: y, lambda x: 1, 0.3)
activation("elu", F.elu, alpha=1.0)
activation("elu", lambda x: F.elu(x, float(np.float32(1.7))), slope_bound=lambda x: 28, alpha=1.7)
activation("softplus", F.softplus)
activation("hard_sigmoid", F.hardsigmoid)
activation("hard_swish", F.hardswish, slope_bound=lambda x: 10)
activation("silu", F.silu, slope_bound=lambda x: 10 + 4 * x)
activation("gelu", F.gelu, lambda x, y: 1.5 * x + 4 * y, lambda x: 10)
activation("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), lambda x, y: 2.5 * x + 4 * y,
           lambda x: 10 + 4 * x * (0.8 + 0.108 * x * x))

# Softmax and losses ------------------------------------------------------------------------------------------------------
# exp(z - max) is off by |z - max| + 3 roundings of itself, their sum and p by `spread` = 80 + 2 (max z - min z).


def rows_of(seed, rows, classes):
    rng, draw = generator(seed)
    z = draw(rows, classes) * np.float32(4)
    z[0] = 0  # all are the largest: the first of them counts
    labels = rng.integers(0, classes, rows).astype(np.int32)
    labels[:2] = 0, classes - 1
    z64 = z.astype(np.float64)
    top = z64.max(1, keepdims=True)
    log_sum = np.log(np.exp(z64 - top).sum(1, keepdims=True))
    spread = 80 + 2 * (top - z64.min(1, keepdims=True))
    return rng, draw, z, labels, z64 - top - log_sum, log_sum, spread


def softmax_layer(name, classes, log):
    function = (lambda z: F.log_softmax(z, 1)) if log else (lambda z: F.softmax(z, 1))

    @comparison(name)
    def compare(cairn, dtype):
        rows = 20
        _, draw, z, labels, log_p, log_sum, spread = rows_of(8, rows, classes)
        dy = draw(rows, classes)
        y, dz = twin(function, dtype, dy, z)
        got = cairn.run(problem_line("softmax", rows=rows, classes=classes, want_prob=1 + log), logits=z, labels=labels)["prob"]
        p, size = np.exp(log_p), np.abs(dy.astype(np.float64))
        yield Result("y", got, y, 1, spread + np.abs(log_p) + 2 * log_sum if log else spread * p)
        got = cairn.run(problem_line("softmax_grad", rows=rows, classes=classes, log=log), y=got, dy=dy)["dx"]
        if log:
            scale = size + p * (spread + sum_roundings(classes) + np.abs(log_p) + 2 * log_sum + 5) * size.sum(1, keepdims=True)
        else:
            scale = p * (2 * spread + sum_roundings(classes) + 5) * (size + (size * p).sum(1, keepdims=True))
        yield Result("dz", got, dz, 1, scale)


softmax_layer("softmax", 10, 0)
softmax_layer("softmax, wide", 5000, 0)
softmax_layer("logsoftmax", 10, 1)
softmax_layer("logsoftmax, wide", 5000, 1)


def loss_results(cairn, dtype, line, operand, z, labels, function, weights, loss_scale, grad_scale):
    """`function`: PyTorch's losses of rows; a batch's loss is their sum / rows, also where they are weighted."""
    rows, classes = z.shape
    scale = float(np.float32(1 / rows))
    leaf = torch.tensor(z, dtype=dtype, requires_grad=True)
    losses = function(leaf, torch.tensor(labels, dtype=torch.int64))
    if weights is not None:
        losses = losses * torch.tensor(weights, dtype=dtype)[labels]
    (losses.sum() * scale).backward()
    line += problem_line("", rows=rows, classes=classes, want_grad=1, weighted=int(weights is not None), scale=scale)
    got = cairn.run(line, **{operand: z}, labels=labels, class_weights=weights)
    factor = 1.0 if weights is None else weights[labels]
    yield Result("loss", got["loss"], losses, 1, loss_scale * factor)
    yield Result("dz", got["grad"], leaf.grad, 1, grad_scale * scale * np.reshape(factor, (-1, 1)))
    yield Result("correct", got["correct"], (torch.tensor(z).argmax(1) == torch.tensor(labels)).int(), 0, 1)


def weights_of(draw, classes, weighted):
    if not weighted:
        return None
    weights = np.abs(draw(classes))
    weights[1] = 0
    return weights


def cross_entropy(name, classes=10, smoothing=0.0, weighted=False):
    @comparison(name)
    def compare(cairn, dtype):
        _, draw, z, labels, log_p, log_sum, spread = rows_of(9, 30, classes)
        smooth = float(np.float32(smoothing))
        target = np.full(z.shape, smooth / classes)
        target[np.arange(30), labels] += 1 - smooth
        u = np.abs(log_p).sum(1) * smooth / classes
        loss_scale = spread[:, 0] + 3 * np.abs(log_p[np.arange(30), labels]) + 2 * log_sum[:, 0] + (sum_roundings(classes) + 5) * u
        yield from loss_results(
            cairn, dtype, problem_line("softmax", smoothing=smoothing), "logits", z, labels,
            lambda z, labels: F.cross_entropy(z, labels, reduction="none", label_smoothing=smooth),
            weights_of(draw, classes, weighted), loss_scale, (spread + 4) * np.exp(log_p) + 6 * target)


cross_entropy("cross-entropy")
cross_entropy("cross-entropy, wide", classes=1000)
cross_entropy("cross-entropy, smoothing", smoothing=0.1)
cross_entropy("cross-entropy, weights", weighted=True)
cross_entropy("cross-entropy, both", smoothing=0.3, weighted=True)


def mse(name, weighted):
    @comparison(name)
    def compare(cairn, dtype):
        _, draw, z, labels, *_ = rows_of(10, 30, 10)
        off = np.abs(z.astype(np.float64) - np.eye(10)[labels])
        yield from loss_results(
            cairn, dtype, "loss kind=mse", "z", z, labels,
            lambda z, labels: F.mse_loss(z, F.one_hot(labels, 10).to(z.dtype), reduction="none").mean(1),
            weights_of(draw, 10, weighted), (sum_roundings(10) + 5) * (off ** 2).mean(1), 6 * off * 0.2)


mse("mse", False)
mse("mse, weights", True)


def perceptron(name, classes, function, weighted=False):
    @comparison(name)
    def compare(cairn, dtype):
        _, draw, z, labels, *_ = rows_of(11, 30, classes)
        z[0, 1] = 1 / 4  # PyTorch's subgradients where all are equal are others
        most = np.abs(z).max(1).astype(np.float64)
        yield from loss_results(cairn, dtype, "loss kind=perceptron", "z", z, labels, function,
                                weights_of(draw, classes, weighted), 3 * most, np.full(z.shape, 2.0))


def largest_less_label(z, labels):
    return (z.max(1).values - z.gather(1, labels[:, None])[:, 0]).clone()


def margin(z, labels):
    """The sum over the other classes of max(0, z_j - z_label), / classes: for two of them half of the perceptron's."""
    return 2 * F.multi_margin_loss(z, labels, p=1, margin=0.0, reduction="none")


perceptron("perceptron", 10, largest_less_label)
perceptron("perceptron, weights", 10, largest_less_label, weighted=True)
perceptron("perceptron, two classes", 2, margin)

# The rest ----------------------------------------------------------------------------------------------------------------


@comparison("add")
def add(cairn, dtype):
    _, draw = generator(12)
    x, b, bias = draw(4, 5, 6), draw(4, 5, 6), draw(5)
    tx, tb, tbias = (torch.tensor(z, dtype=dtype) for z in (x, b, bias))
    y, y_channel = tx + tb, tx + tbias.reshape(1, 5, 1)
    yield Result("y", cairn.run(problem_line("add", n1=4, c=5, n2=6), x=x, b=b)["y"], y, 1, y.abs())
    got = cairn.run(problem_line("add", n1=4, c=5, n2=6, channel=1), x=x, b=bias)["y"]
    yield Result("y, by channel", got, y_channel, 1, y_channel.abs())


@comparison("reduce")
def reduce(cairn, dtype):
    _, draw = generator(13)
    x = draw(3, 4, 3000)
    t, size = torch.tensor(x, dtype=dtype), np.abs(x.astype(np.float64))
    for kind, want, roundings, scale in (("sum", t.sum((0, 2)), sum_roundings(9000), size.sum((0, 2))),
                                         ("sumsq", (t * t).sum((0, 2)), sum_roundings(9000) + 1, (size ** 2).sum((0, 2))),
                                         ("max", t.amax((0, 2)), 0, 1)):
        yield Result(kind, cairn.run(problem_line("reduce", kind=kind, n1=3, c=4, n2=3000), x=x)["y"], want, roundings, scale)


@comparison("dropout")
def dropout(cairn, dtype):
    """The masks differ by definition. The kept ones are x / (1 - rate) in both, and as many as chance lets: within five
    deviations of (1 - rate) count. The gradient has the mask of the output."""
    count = 100000
    _, draw = generator(14)
    x, dy = draw(count), draw(count)
    torch.manual_seed(1)
    for rate in (0.2, 0.5):
        share, line = 1 - float(np.float32(rate)), problem_line("dropout", count=count, rate=rate, seed=5, stream=3, step=2)
        chance = 5 * np.sqrt(share * (1 - share) / count) / UNIT
        y, dx = cairn.run(line, x=x)["y"], cairn.run(line, x=dy)["y"]
        theirs = F.dropout(torch.ones(count, dtype=dtype), float(np.float32(rate)))
        kept = torch.tensor(y != 0)
        yield Result(f"y, {rate}", y, torch.tensor(x, dtype=dtype) * kept * theirs.max(), 3, np.abs(x) / share)
        yield Result(f"dx, {rate}", dx, torch.tensor(dy, dtype=dtype) * kept * theirs.max(), 3, np.abs(dy) / share)
        ours = [np.count_nonzero(y) / count]
        yield Result(f"share, {rate}", ours, torch.tensor([share], dtype=dtype), chance, 1)
        yield Result(f"their share, {rate}", ours, (theirs != 0).to(dtype).mean().reshape(1), 2 * chance, 1)
