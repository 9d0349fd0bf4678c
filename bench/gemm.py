"""Matrix products beside NumPy, PyTorch and ONNX Runtime: ``python bench/gemm.py [--threads N] [--isa NAME]``.

Each library runs in a process of its own and they take turns. Figures are microseconds of the fastest call (hot
caches), in brackets the median's, GFLOP/s, and the share of the fma peak measured in between.
"""

from __future__ import annotations

import os

import numpy as np
from contest import compare_arithmetic

#: name, rows, columns, inner dimension, transpose a, transpose b, whether b is a weight that stays the same
CASES = [
    ("square 256", 256, 256, 256, 0, 0, 0),
    ("square 512", 512, 512, 512, 0, 0, 0),
    ("square 1024", 1024, 1024, 1024, 0, 0, 0),
    ("square 2048", 2048, 2048, 2048, 0, 0, 0),
    ("1024, a transposed", 1024, 1024, 1024, 1, 0, 0),
    ("1024, b transposed", 1024, 1024, 1024, 0, 1, 0),
    ("1024, both transposed", 1024, 1024, 1024, 1, 1, 0),
    ("1000", 1000, 1000, 1000, 0, 0, 0),
    ("dense 784-512, batch 32", 32, 512, 784, 0, 0, 0),
    ("  its input gradient", 32, 784, 512, 0, 1, 0),
    ("  its weight gradient", 784, 512, 32, 1, 0, 0),
    ("  prediction", 32, 512, 784, 0, 0, 1),
    ("  prediction of one", 1, 512, 784, 0, 0, 1),
    ("dense 512-10, batch 32", 32, 10, 512, 0, 0, 0),
    ("dense 9216-128, batch 128", 128, 128, 9216, 0, 0, 0),
    ("  its input gradient", 128, 9216, 128, 0, 1, 0),
    ("  its weight gradient", 9216, 128, 128, 1, 0, 0),
    ("dense 4096-4096, batch 1", 1, 4096, 4096, 0, 0, 0),
    ("  prediction", 1, 4096, 4096, 0, 0, 1),
    ("tiny 4x8x3", 4, 3, 8, 0, 0, 0),
]


def _arrays(case):
    _, m, n, k, turn_a, turn_b, _ = case
    rng = np.random.RandomState(0)
    a = rng.uniform(-1, 1, (k, m) if turn_a else (m, k)).astype("float32")
    b = rng.uniform(-1, 1, (n, k) if turn_b else (k, n)).astype("float32")
    return a, b


def hornbeam(case):
    from hornbeam import graph as G

    a, b = _arrays(case)
    x = G.placeholder(a.shape)
    y = G.constant(b) if case[6] else G.placeholder(b.shape)
    product = G.apply("matmul", [x, y], transpose_a=bool(case[4]), transpose_b=bool(case[5]))
    run = G.Function([x] if case[6] else [x, y], [product])
    feeds = [a] if case[6] else [a, b]
    return lambda: run(feeds)


def numpy(case):
    a, b = _arrays(case)
    a, b = a.T if case[4] else a, b.T if case[5] else b
    return lambda: a @ b


def torch(case):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    a, b = map(torch.from_numpy, _arrays(case))
    a, b = a.T if case[4] else a, b.T if case[5] else b
    return lambda: torch.mm(a, b)


def onnxruntime(case):
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    a, b = _arrays(case)
    node = helper.make_node("Gemm", ["a", "b"], ["y"], transA=case[4], transB=case[5])
    inputs = [helper.make_tensor_value_info("a", TensorProto.FLOAT, a.shape)]
    weights = []
    if case[6]:
        weights.append(onnx.numpy_helper.from_array(b, "b"))
    else:
        inputs.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, b.shape))
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [case[1], case[2]])
    graph = helper.make_graph([node], "gemm", inputs, [output], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    feeds = {"a": a} if case[6] else {"a": a, "b": b}
    return lambda: session.run(None, feeds)


CONTESTANTS = {"hornbeam": hornbeam, "numpy": numpy, "torch": torch, "onnxruntime": onnxruntime}


if __name__ == "__main__":
    compare_arithmetic(globals(), lambda case: 2.0 * case[1] * case[2] * case[3])
