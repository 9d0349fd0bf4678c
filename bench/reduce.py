"""Reductions, softmax, batch normalization and pooling beside PyTorch: ``python bench/reduce.py [--threads N]``.

Each library runs in a process of its own and they take turns. Figures are microseconds of the fastest call (hot
caches), in brackets the median's, and bytes of inputs and outputs per second of the fastest. PyTorch gets
channels-last tensors, as its convolutions would hand over; both return fresh outputs.
"""

from __future__ import annotations

import os

import numpy as np
from contest import compare_bandwidth

#: name, op, shape, what else the op needs: axes of a reduction, (size, stride) of a window
CASES = [
    ("sum of all, 64 MB", "sum", (1 << 24,), (0,)),
    ("sum of all, 1 MB", "sum", (1 << 18,), (0,)),
    ("sum of rows", "sum", (4096, 1024), (1,)),
    ("sum of columns", "sum", (4096, 1024), (0,)),
    ("bias gradient 56x56x64", "sum", (32, 56, 56, 64), (0, 1, 2)),
    ("bias gradient of 3", "sum", (32, 112, 112, 3), (0, 1, 2)),
    ("global average 28x28x128", "mean", (32, 28, 28, 128), (1, 2)),
    ("maximum of rows", "max", (4096, 1024), (1,)),
    ("argmax of rows", "argmax", (4096, 1024), (1,)),
    ("softmax of 10", "softmax", (10000, 10), ()),
    ("softmax of 128", "softmax", (4096, 128), ()),
    ("softmax of 1000", "softmax", (256, 1000), ()),
    ("softmax of 30000", "softmax", (64, 30000), ()),
    ("cross entropy of 10", "cross_entropy", (10000, 10), ()),
    ("cross entropy of 1000", "cross_entropy", (256, 1000), ()),
    ("batch norm 56x56x64", "batch_norm", (32, 56, 56, 64), ()),
    ("  its gradient", "batch_norm_grad", (32, 56, 56, 64), ()),
    ("batch norm 7x7x512", "batch_norm", (32, 7, 7, 512), ()),
    ("batch norm of 3", "batch_norm", (32, 112, 112, 3), ()),
    ("batch norm 128x100", "batch_norm", (128, 100), ()),
    ("max pool 2/2 56x56x64", "max_pool2d", (32, 56, 56, 64), (2, 2)),
    ("  its gradient", "max_pool2d_grad", (32, 56, 56, 64), (2, 2)),
    ("max pool 3/2 112x112x64", "max_pool2d", (8, 112, 112, 64), (3, 2)),
    ("  its gradient", "max_pool2d_grad", (8, 112, 112, 64), (3, 2)),
    ("max pool 2/2 24x24x6", "max_pool2d", (64, 24, 24, 6), (2, 2)),
    ("average pool 3/1 35x35x192", "avg_pool2d", (8, 35, 35, 192), (3, 1)),
]


def _array(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, dtype="float32")


def _labels(shape):
    return np.random.default_rng(1).integers(0, shape[1], shape[0])


def hornbeam(case):
    from hornbeam import graph as G

    _, op, shape, extra = case
    x = G.placeholder(shape)
    inputs, feeds = [x], [_array(shape)]
    if op in ("sum", "mean", "max"):
        outputs = [G.apply("reduce_" + op, [x], axes=list(extra), keepdims=False)]
    elif op == "argmax":
        outputs = [G.apply(op, [x], axis=extra[0])]
    elif op == "softmax":
        outputs = [G.apply(op, [x])]
    elif op == "cross_entropy":
        inputs.append(G.placeholder(shape[:1], "int64"))
        feeds.append(_labels(shape))
        outputs = [G.apply("sparse_softmax_cross_entropy", inputs)[0]]
    else:
        if op.startswith("batch_norm"):
            gamma, beta = (G.constant(np.ones(shape[-1], "float32")) for _ in range(2))
            outputs = list(G.apply("batch_norm", [x, gamma, beta], epsilon=1e-3))
            if op == "batch_norm_grad":
                # Fed, so that only the backward op runs.
                mean, inv_std = outputs[1], outputs[3]
                statistics = G.Function([x], [mean, inv_std])(feeds)
                inputs += [G.placeholder(shape), *(G.placeholder((shape[-1],)) for _ in range(2))]
                feeds += [_array(shape, 1), *statistics]
                outputs = list(G.apply(op, [inputs[1], x, *inputs[2:], gamma]))
        else:
            window = {"size": [extra[0]] * 2, "strides": [extra[1]] * 2, "padding": "valid"}
            outputs = [G.apply(op.removesuffix("_grad"), [x], **window)]
            if op.endswith("_grad"):
                y = G.Function([x], outputs)(feeds)[0]
                inputs += [G.placeholder(y.shape) for _ in range(2)]
                feeds += [y, _array(y.shape, 1)]
                outputs = [G.apply(op, inputs, **window)]
    run = G.Function(inputs, outputs)
    return lambda: run(feeds)


def torch(case):
    import torch as t
    import torch.nn.functional as F

    t.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    t.set_grad_enabled(False)
    _, op, shape, extra = case
    x = t.from_numpy(_array(shape))
    if op in ("sum", "mean", "max"):
        reduce = {"sum": t.sum, "mean": t.mean, "max": t.amax}[op]
        return lambda: reduce(x, tuple(extra))
    if op == "argmax":
        return lambda: t.argmax(x, extra[0])
    if op == "softmax":
        return lambda: t.softmax(x, -1)
    if op == "cross_entropy":
        labels = t.from_numpy(_labels(shape))
        return lambda: F.cross_entropy(x, labels, reduction="none")
    image = x.permute(0, 3, 1, 2) if len(shape) == 4 else x
    if op.startswith("batch_norm"):
        gamma, beta = t.ones(shape[-1]), t.ones(shape[-1])
        if op == "batch_norm":
            return lambda: t.native_batch_norm(image, gamma, beta, None, None, True, 0.1, 1e-3)
        _, mean, inv_std = t.native_batch_norm(image, gamma, beta, None, None, True, 0.1, 1e-3)
        dy = t.from_numpy(_array(shape, 1)).permute(0, 3, 1, 2)
        back = t.ops.aten.native_batch_norm_backward
        return lambda: back(dy, image, gamma, None, None, mean, inv_std, True, 1e-3, [True] * 3)
    if op == "avg_pool2d":
        return lambda: F.avg_pool2d(image, *extra)
    if op == "max_pool2d":
        return lambda: F.max_pool2d(image, *extra)
    y, indices = F.max_pool2d(image, *extra, return_indices=True)
    dy = t.randn_like(y)
    back = t.ops.aten.max_pool2d_with_indices_backward
    return lambda: back(dy, image, [extra[0]] * 2, [extra[1]] * 2, [0, 0], [1, 1], False, indices)


CONTESTANTS = {"hornbeam": hornbeam, "torch": torch}


def _bytes(case):
    """Inputs and outputs once each, which is what no implementation can go below."""
    _, op, shape, extra = case
    size = 4 * int(np.prod(shape))
    if op.endswith(("pool2d", "pool2d_grad")):
        pooled = 4 * int(np.prod([shape[0], *((n - extra[0]) // extra[1] + 1 for n in shape[1:3]), shape[3]]))
        return 2 * (size + pooled) if op.endswith("_grad") else size + pooled
    return size * {"softmax": 2, "batch_norm": 2, "batch_norm_grad": 3}.get(op, 1)


if __name__ == "__main__":
    compare_bandwidth(globals(), _bytes)
