"""Ten steps of each optimiser from the same start with the same gradients, and clipping."""

import numpy as np
import torch

from .common import Result, comparison, problem_line, single

COUNT, STEPS = 2000, 10
PARTS = (slice(0, 1200), slice(1200, COUNT))  # the first part has a penalty


def optimiser(name, op, fields, moments, torch_class, options, states, l1=0.0, l2=0.0, decay=0.0):
    """Adds ten steps of an optimiser. `fields`: Cairn's scalars; `moments`: its moments, `states`: PyTorch's names of the
    same, where it has them. l2 is weight_decay there, and so is decay of AdamW. What PyTorch's optimisers have not, l1 and
    the decay of others, is done before the step: the terms of the gradient (l2 too where there is decay) with the old weight,
    then the decay. A step is at most eight roundings of each number."""
    options = {key: single(value) if isinstance(value, float) else value for key, value in options.items()}
    is_adamw = torch_class is torch.optim.AdamW
    weight_decay = single(decay) if is_adamw else 0.0 if decay else single(l2)
    rest = single(l2) if decay else 0.0

    @comparison(name)
    def steps(cairn, torch_dtype):
        rng = np.random.default_rng(1)
        held = {key: np.zeros(COUNT, np.float32) for key in moments}
        held["w"] = rng.uniform(-1, 1, COUNT).astype(np.float32)
        parts = [torch.tensor(held["w"][part], dtype=torch_dtype, requires_grad=True) for part in PARTS]
        groups = [{"params": [parts[0]], "weight_decay": weight_decay}, {"params": [parts[1]], "weight_decay": 0.0}]
        twin = torch_class(groups, foreach=False, **options)
        now = dict(count=COUNT, decay_count=PARTS[0].stop, **fields, l1=l1, l2=l2, decay=decay)
        for step in range(1, STEPS + 1):
            g = rng.normal(0, 1, COUNT).astype(np.float32)
            for part, tensor in zip(PARTS, parts):
                tensor.grad = torch.tensor(g[part], dtype=torch_dtype)
            with torch.no_grad():
                parts[0].grad += single(l1) * parts[0].sign() + rest * parts[0]
                if not is_adamw:
                    parts[0] *= 1 - options["lr"] * single(decay)
            twin.step()
            if op == "adam":
                now.update({c: 1 / (1 - single(now[beta]) ** step) for c, beta in (("c1", "beta1"), ("c2", "beta2"))})
            held.update(cairn.run(problem_line(op, **now), g=g, **held))
        yield Result("w", held["w"], torch.cat(parts), 8 * STEPS)
        for moment, state in zip(moments, states):
            yield Result(moment, held[moment], torch.cat([twin.state[tensor][state] for tensor in parts]), 8 * STEPS)


SGD, BUFFER, BOTH = torch.optim.SGD, ["momentum_buffer"], ["exp_avg", "exp_avg_sq"]
optimiser("sgd", "sgd", dict(lr=0.1), ["v"], SGD, dict(lr=0.1), [])
optimiser("sgd l2", "sgd", dict(lr=0.1), ["v"], SGD, dict(lr=0.1), [], l2=0.05)
optimiser("sgd l1", "sgd", dict(lr=0.1), ["v"], SGD, dict(lr=0.1), [], l1=0.05)
optimiser("sgd decay", "sgd", dict(lr=0.1), ["v"], SGD, dict(lr=0.1), [], decay=0.5)
optimiser("sgd momentum", "sgd", dict(lr=0.1, momentum=0.9), ["v"], SGD, dict(lr=0.1, momentum=0.9), BUFFER, l2=0.05)
optimiser("sgd nesterov", "sgd", dict(lr=0.1, momentum=0.9, nesterov=1), ["v"], SGD,
          dict(lr=0.1, momentum=0.9, nesterov=True), BUFFER, l2=0.05)
ADAM = dict(lr=0.01, beta1=0.9, beta2=0.999, epsilon=1e-8)
TWIN = dict(lr=0.01, betas=(single(0.9), single(0.999)), eps=1e-8)
optimiser("adam", "adam", ADAM, ["m", "v"], torch.optim.Adam, TWIN, BOTH)
optimiser("adam l2", "adam", ADAM, ["m", "v"], torch.optim.Adam, TWIN, BOTH, l2=0.05)
optimiser("adam l1", "adam", ADAM, ["m", "v"], torch.optim.Adam, TWIN, BOTH, l1=0.05)
optimiser("adamw", "adam", ADAM, ["m", "v"], torch.optim.AdamW, TWIN, BOTH, decay=0.5)
RMSPROP = dict(lr=0.01, alpha=0.99, epsilon=1e-8)
TWIN = dict(lr=0.01, alpha=0.99, eps=1e-8)
optimiser("rmsprop", "rmsprop", RMSPROP, ["v", "m"], torch.optim.RMSprop, TWIN, ["square_avg"])
optimiser("rmsprop momentum", "rmsprop", dict(RMSPROP, momentum=0.9), ["v", "m"], torch.optim.RMSprop,
          dict(TWIN, momentum=0.9), ["square_avg", "momentum_buffer"], l1=0.02, l2=0.05, decay=0.1)
ADAGRAD = dict(lr=0.1, epsilon=1e-10)
TWIN = dict(lr=0.1, eps=1e-10)
optimiser("adagrad", "adagrad", ADAGRAD, ["v"], torch.optim.Adagrad, TWIN, ["sum"])
optimiser("adagrad l1 l2", "adagrad", ADAGRAD, ["v"], torch.optim.Adagrad, TWIN, ["sum"], l1=0.02, l2=0.05, decay=0.1)
ADADELTA = dict(lr=1.0, rho=0.9, epsilon=1e-6)
TWIN = dict(lr=1.0, rho=0.9, eps=1e-6)
optimiser("adadelta", "adadelta", ADADELTA, ["v", "u"], torch.optim.Adadelta, TWIN, ["square_avg", "acc_delta"])
optimiser("adadelta l1 l2", "adadelta", ADADELTA, ["v", "u"], torch.optim.Adadelta, TWIN, ["square_avg", "acc_delta"],
          l1=0.02, l2=0.05, decay=0.1)


@comparison("clip")
def clip(cairn, torch_dtype):
    """The norm of all gradients and the clipping, above the limit and below. PyTorch adds 1e-6 to the norm."""
    g = np.random.default_rng(2).normal(0, 1, COUNT).astype(np.float32)
    sumsq = cairn.run(problem_line("reduce", kind="sumsq", n2=COUNT), x=g)["y"]
    for limit in (1.5, 1000.0):
        tensor = torch.zeros(COUNT, dtype=torch_dtype, requires_grad=True)
        tensor.grad = torch.tensor(g, dtype=torch_dtype)
        torch.nn.utils.clip_grad_norm_([tensor], limit, foreach=False)
        got = cairn.run(problem_line("clip", count=COUNT, limit=limit), sumsq=sumsq, g=g)["g"]
        yield Result(f"limit {limit}", got, tensor.grad, 16)
