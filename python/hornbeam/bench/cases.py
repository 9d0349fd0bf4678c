"""The list of what ``hornbeam bench`` measures: shapes that networks have, for every op that takes time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .case import Array, Case, array, case, weight

Attrs = dict[str, Any]


def all_cases() -> list[Case]:
    """Every case, in the order shown."""
    return [
        *matmul(),
        *conv(),
        *depthwise(),
        *local(),
        *resize(),
        *pool(),
        *norm(),
        *recurrent(),
        *softmax(),
        *ctc(),
        *reduce(),
        *elementwise(),
        *layout(),
        *index(),
        *random(),
    ]


def ints(*values: int) -> np.ndarray:
    return np.array(values, "int64")


def matmul() -> Iterator[Case]:
    for m, k, n in [(1024, 1024, 1024), (128, 784, 512), (32, 2048, 1000), (1, 1024, 1024)]:
        yield case("matmul", array(m, k), weight(k, n), flops=2 * m * k * n)
    yield case("matmul", array(512, 512), array(512, 512), transpose_a=True, flops=2 * 512**3, note="transpose_a")
    yield case("matmul", array(64, 128, 64), array(64, 64, 128), flops=2 * 64 * 128 * 64 * 128, note="batched")


def conv() -> Iterator[Case]:
    shapes = [(8, 56, 64, 3, 1, 64), (8, 28, 128, 3, 1, 128), (8, 14, 256, 1, 1, 1024), (8, 56, 128, 3, 2, 128)]
    for batch, size, channels, kernel, stride, filters in shapes:
        out = -(-size // stride)
        flops = 2 * batch * out * out * filters * kernel * kernel * channels
        x, w = array(batch, size, size, channels), weight(kernel, kernel, channels, filters)
        dy = array(batch, out, out, filters)
        options: Attrs = {"strides": [stride, stride], "padding": "same"}
        note = f"stride {stride}" if stride > 1 else ""
        yield case("conv2d", x, w, flops=flops, note=note, **options)
        yield case("conv2d_input_grad", dy, w, ints(*x.shape), flops=flops, note=note, **options)
        yield case("conv2d_filter_grad", x, dy, kernel=[kernel, kernel], flops=flops, note=note, **options)
    x, w = array(8, 224, 224, 3), weight(7, 7, 3, 64)
    flops = 2 * 8 * 112 * 112 * 64 * 7 * 7 * 3
    yield case("conv2d", x, w, flops=flops, note="stride 2", strides=[2, 2], padding="same")
    x, w = array(2, 16, 28, 28, 64), weight(3, 3, 3, 64, 64)
    flops = 2 * 2 * 16 * 28 * 28 * 64 * 27 * 64
    yield case("conv3d", x, w, flops=flops, strides=[1, 1, 1], dilation=[1, 1, 1], padding="same")


def depthwise() -> Iterator[Case]:
    x, w = array(8, 56, 56, 128), weight(3, 3, 128, 1)
    options: Attrs = {"strides": [1, 1], "padding": "same"}
    yield case("depthwise_conv2d", x, w, **options)
    yield case("depthwise_conv2d_input_grad", x, w, ints(*x.shape), **options)
    yield case("depthwise_conv2d_filter_grad", x, x, kernel=[3, 3], multiplier=1, **options)


def local() -> Iterator[Case]:
    x, w = array(32, 28, 28, 16), weight(26 * 26, 3 * 3 * 16, 16)
    flops = 2 * 32 * 26 * 26 * 16 * 9 * 16
    yield case("local_conv2d", x, w, flops=flops, kernel=[3, 3], strides=[1, 1], places=[26, 26])


def resize() -> Iterator[Case]:
    for interpolation in ("nearest", "bilinear"):
        x, size = array(8, 56, 56, 64), ints(112, 112)
        yield case("resize", x, size, note=interpolation, interpolation=interpolation)


def pool() -> Iterator[Case]:
    x, y = array(16, 112, 112, 64), array(16, 56, 56, 64)
    options: Attrs = {"size": [2, 2], "strides": [2, 2], "padding": "valid"}
    yield case("max_pool2d", x, **options)
    yield case("max_pool2d_grad", x, y, y, **options)
    yield case("avg_pool2d", x, **options)
    yield case("avg_pool2d_grad", y, ints(*x.shape), **options)


def norm() -> Iterator[Case]:
    x, c = array(16, 56, 56, 128), weight(128)
    yield case("batch_norm", x, c, c, epsilon=1e-3)
    yield case("batch_norm_grad", x, x, c, Array((128,)), c)


def recurrent() -> Iterator[Case]:
    batch, steps, units = 32, 100, 128
    for op, gates in [("lstm", 4), ("gru", 3), ("simple_rnn", 1)]:
        flops = 2 * batch * steps * units * gates * units
        states = [None] * (2 if op == "lstm" else 1)
        bias = [None] if op == "gru" else []
        xp, recurrent = array(batch, steps, gates * units), weight(units, gates * units)
        yield case(op, xp, *states, recurrent, *bias, None, None, flops=flops, keep=1)


def softmax() -> Iterator[Case]:
    for shape in [(128, 1000), (64, 8, 128, 128)]:
        yield case("softmax", array(*shape))
    yield case("log_softmax", array(128, 1000))
    yield case("softmax_cross_entropy", array(1024, 1000), array(1024, 1000))
    yield case("sparse_softmax_cross_entropy", array(1024, 1000), Array((1024,), "int64", 1000))


def ctc() -> Iterator[Case]:
    """A line of handwriting: 32 samples of 100 steps, 80 classes, up to 20 labels."""
    scores, steps = array(32, 100, 80), Array((32,), "int32", 101)
    yield case("ctc_loss", scores, Array((32, 20), "int32", 79), steps, Array((32,), "int32", 21))
    yield case("ctc_greedy", scores, steps, merge_repeated=True)
    yield case("ctc_beam", scores, steps, beam_width=10, top_paths=1)


def reduce() -> Iterator[Case]:
    x = array(64, 56, 56, 64)
    for op in ("reduce_sum", "reduce_mean", "reduce_max"):
        yield case(op, x, axes=[1, 2], note="axes 1, 2")
    yield case("reduce_sum", x, axes=[0, 1, 2, 3], note="all")
    yield case("reduce_sum", array(4096, 4096), axes=[1], note="rows")
    yield case("argmax", array(4096, 1000), axis=1)
    yield case("sum_to", x, ints(64))
    for op, inputs in (("cumsum", 1), ("cumprod", 1), ("recurrence", 2)):
        yield case(op, *[array(64, 512, 64)] * inputs, axis=1)
    yield case("cumsum", array(4096, 1000), axis=1, note="rows")
    yield case("top_k", array(4096, 1000), k=5)


def elementwise() -> Iterator[Case]:
    """Every instruction of the interpreter on 16 MB."""
    from hornbeam import _core

    x, condition = array(4 << 20), Array((4 << 20,), "bool")
    for op, arity in _core.elementwise_instructions():
        if _core.op_info(op).elementwise and op != "cast":
            if op == "elu":  # the instruction's second argument is the op's attribute
                arity = 1
            first = condition if op == "select" or op.startswith("logical") else x
            rest = condition if op.startswith("logical") else x
            yield case(op, first, *[rest] * (arity - 1))
    yield case("cast", x, dtype="int32")


def layout() -> Iterator[Case]:
    x = array(32, 56, 56, 64)
    yield case("transpose", x, perm=[0, 3, 1, 2], note="NHWC to NCHW")
    yield case("transpose", array(32, 64, 56, 56), perm=[0, 2, 3, 1], note="NCHW to NHWC")
    yield case("transpose", array(2048, 2048), perm=[1, 0])
    yield case("reverse", array(128, 100, 512), axes=[1], note="time")
    yield case("concat", x, x, axis=-1)
    yield case("tile", array(64, 1, 512), ints(1, 100, 1))
    yield case("broadcast_to", array(64, 512, 1), ints(64, 512, 100))
    yield case("pad", x, before=[0, 1, 1, 0], after=[0, 1, 1, 0])
    yield case("slice", x, ints(0, 1, 1), ints(32, 55, 55), note="crop")
    yield case("slice_grad", array(32, 54, 54, 64), ints(*x.shape), ints(0, 1, 1), ints(32, 55, 55))


def index() -> Iterator[Case]:
    table, rows = weight(20000, 128), Array((32, 80), "int32", 20000)
    yield case("gather", table, rows)
    yield case("scatter_add", rows, array(32, 80, 128), ints(*table.shape))
    yield case("one_hot", Array((4096,), "int32", 1000), depth=1000)


def random() -> Iterator[Case]:
    shape = ints(4 << 20)
    yield case("random_uniform", shape, low=0.0, high=1.0, seed=1, note="4194304")
    yield case("random_normal", shape, mean=0.0, stddev=1.0, seed=1, note="4194304")
    yield case("random_bernoulli", shape, p=0.5, scale=2.0, seed=1, note="4194304")
