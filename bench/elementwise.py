"""Elementwise ops, a chain of them, an optimizer step and random numbers beside PyTorch:
``python bench/elementwise.py [--threads N]``.

Each library runs in a process of its own and they take turns. Figures are microseconds of the fastest call, in
brackets the median's, and bytes of inputs and outputs per second of the fastest. Both return fresh outputs; the
optimizer step works in place in both. PyTorch runs a chain op by op, and Adam in its fused form.
"""

from __future__ import annotations

import os

import numpy as np
from contest import compare_bandwidth

PARAMETERS = [(784, 1024), (1024,), (1024, 1024), (1024,), (1024, 640), (640,), (640, 10), (10,)]

#: name, what, shapes, bytes moved per element
CASES = [
    ("add, 8", "add", [(8,), (8,)], 12),
    ("add, 100 k", "add", [(100_000,)] * 2, 12),
    ("add, 10 M", "add", [(10_000_000,)] * 2, 12),
    ("add a bias of 10, 1 M", "add", [(100_000, 10), (10,)], 8),
    ("add a bias of 1000, 1 M", "add", [(1000, 1000), (1000,)], 8),
    ("add a column, 1 M", "add", [(1000, 1000), (1000, 1)], 8),
    ("exp, 100 k", "exp", [(100_000,)], 8),
    ("exp, 10 M", "exp", [(10_000_000,)], 8),
    ("log, 100 k", "log", [(100_000,)], 8),
    ("tanh, 100 k", "tanh", [(100_000,)], 8),
    ("tanh, 10 M", "tanh", [(10_000_000,)], 8),
    ("sigmoid, 100 k", "sigmoid", [(100_000,)], 8),
    ("erf, 100 k", "erf", [(100_000,)], 8),
    ("square root, 100 k", "sqrt", [(100_000,)], 8),
    ("comparison, 1 M", "less", [(1_000_000,)] * 2, 9),
    ("chain of 6, 8", "chain", [(8,)] * 2, 12),
    ("chain of 6, 100 k", "chain", [(100_000,)] * 2, 12),
    ("chain of 6, 10 M", "chain", [(10_000_000,)] * 2, 12),
    ("Adam, 2.5 M parameters", "adam", PARAMETERS, 28),
    ("uniform, 1 M", "random_uniform", [(1_000_000,)], 4),
    ("normal, 1 M", "random_normal", [(1_000_000,)], 4),
]


def _array(shape, seed=0):
    return np.random.default_rng(seed).uniform(0.1, 1, shape).astype("float32")


def hornbeam(case):
    from hornbeam import graph as G

    _, what, shapes, _ = case
    if what == "adam":
        return _hornbeam_adam(shapes)
    if what.startswith("random"):
        return _run(G.Function([], [G.apply(what, [G.constant(np.array(shapes[0]))], seed=1)]), [])
    inputs = [G.placeholder(s) for s in shapes]
    if what == "chain":
        x, y = inputs
        out = G.apply("maximum", [(G.apply("relu", [x * 2.0 + y]) - 0.5) * y, x])
    else:
        out = G.apply(what, inputs)
    return _run(G.Function(inputs, [out]), [_array(s, i) for i, s in enumerate(shapes)])


def _run(function, feeds):
    return lambda: function(feeds)


def _hornbeam_adam(shapes):
    from hornbeam import graph as G

    def variables(value):
        return [G.Variable(np.full(s, value, "float32")) for s in shapes]

    step = G.Variable(np.float32(1))
    rate = (
        1e-3
        * G.apply("sqrt", [1.0 - G.apply("pow", [G.constant(0.999, "float32"), step + 0.0])])
        / (1.0 - G.apply("pow", [G.constant(0.9, "float32"), step + 0.0]))
    )
    updates = [(step, step + 1.0)]
    for p, m, v, g in zip(variables(0.5), variables(0.0), variables(0.0), variables(0.1)):
        new_m, new_v = m * 0.9 + g * 0.1, v * 0.999 + G.apply("square", [g]) * 0.001
        updates += [(m, new_m), (v, new_v), (p, p - rate * new_m / (G.apply("sqrt", [new_v]) + 1e-7))]
    return _run(G.Function([], [], updates), [])


def torch(case):
    import torch as t
    import torch.nn.functional as F

    t.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    _, what, shapes, _ = case
    if what == "adam":
        parameters = [t.nn.Parameter(t.full(s, 0.5)) for s in shapes]
        for p in parameters:
            p.grad = t.full_like(p, 0.1)
        return t.optim.Adam(parameters, fused=True).step
    t.set_grad_enabled(False)
    if what.startswith("random"):
        draw = {"random_uniform": t.rand, "random_normal": t.randn}[what]
        return lambda: draw(shapes[0])
    x = [t.from_numpy(_array(s, i)) for i, s in enumerate(shapes)]
    if what == "chain":
        return lambda: t.maximum((F.relu(x[0] * 2.0 + x[1]) - 0.5) * x[1], x[0])
    op = {"less": t.lt}.get(what) or getattr(t, what)
    return lambda: op(*x)


CONTESTANTS = {"hornbeam": hornbeam, "torch": torch}


def _bytes(case):
    _, what, shapes, per_element = case
    return per_element * (sum(int(np.prod(s)) for s in shapes) if what == "adam" else int(np.prod(shapes[0])))


if __name__ == "__main__":
    compare_bandwidth(globals(), _bytes)
