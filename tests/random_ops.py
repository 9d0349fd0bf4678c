"""Makers of random_programs.py: each applies one op, or a pattern that rewrites look for, to tensors of a Builder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hornbeam import _core
from hornbeam import graph as G
from hornbeam.graph import Tensor
from hornbeam.graph.samples import SAMPLES
from random_programs import Builder

ACTIVATIONS = ("linear", *(name for name, _, _ in _core.activations()))
#: Those of the graph's ops that may stand behind a product.
_ACTIVATION_OPS = tuple(op for _, op, _ in _core.activations())
_GATES = ("tanh", "sigmoid", "hard_sigmoid", "relu", "linear", "softsign")
_ANYWHERE = (
    "neg", "abs", "sign", "square", "sin", "cos", "tanh", "sigmoid", "hard_sigmoid", "relu", "softplus", "softsign",
    "elu", "selu", "erf", "floor", "ceil", "round",
)  # fmt: skip
_POSITIVE = ("sqrt", "rsqrt", "reciprocal", "log", "log1p")
_COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")
_REDUCTIONS = ("reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod")
FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


# -- elementwise ------------------------------------------------------------------------------------------------------
def unary(b: Builder) -> None:
    x = b.number()
    kind = b.rng.random()
    if kind < 0.7:
        b.put(G.apply(b.among(_ANYWHERE), [x]))
    elif kind < 0.9:
        x = G.apply("abs", [x]) + 0.5 if b.chance(0.9) else x
        b.put(x, G.apply(b.among(_POSITIVE), [x]))
    else:
        b.put(G.apply(b.among(["exp", "expm1"]), [G.apply("minimum", [x, 2.0])]))


def binary(b: Builder) -> None:
    x = b.number()
    y = x if b.chance(0.05) else b.beside(x)
    op = b.among(["add", "add", "add", "sub", "sub", "mul", "mul", "mul", "maximum", "minimum", "div", "pow", "mod"])
    if op in ("div", "mod"):
        y = G.apply("abs", [y]) + 0.5
    elif op == "pow":
        x, y = G.apply("abs", [x]) + 0.5, G.apply("tanh", [y])
    elif op == "mul":
        x = b.tame(x)
    pair = [y, x] if b.chance(0.3) and op != "pow" else [x, y]
    b.put(G.apply(op, pair))


def by_a_number(b: Builder) -> None:
    x, number = b.number(), b.among([0.0, 1.0, -1.0, 0.5, 2.0])
    makers = [
        lambda: x + number,
        lambda: number - x,
        lambda: x * number,
        lambda: x / (number or 2.0),
        lambda: x - number,
    ]
    b.put(b.among(makers)())


def compare(b: Builder) -> None:
    x = b.number()
    y = b.beside(x)
    truth = G.apply(b.among(_COMPARISONS), [x, y])
    if b.chance(0.3):
        other = G.apply(b.among(_COMPARISONS), [y, b.like(x)])
        truth = G.apply(b.among(["logical_and", "logical_or"]), [truth, other])
    if b.chance(0.2):
        truth = G.apply("logical_not", [truth])
    if b.chance(0.6):
        b.put(truth, G.apply("select", [truth, x, b.like(x) if b.chance(0.5) else y]))
    else:
        b.put(truth, G.cast(truth, b.dtype) * x)


def cast(b: Builder) -> None:
    x = b.number()
    if b.chance(0.5):
        other = b.among([d for d in ("float16", "float32", "float64") if d != b.dtype])
        middle = G.cast(x, other)
        b.coarse = min(b.coarse, other)  # by alphabet, too
        middle = middle * 2.0 if b.chance(0.5) else G.apply("tanh", [middle])
        b.put(middle, G.cast(middle, b.dtype))
    else:
        whole = G.cast(G.apply("tanh", [x]) * 6.53, b.among(["int32", "int64"]))
        b.put(whole, G.cast(whole, b.dtype) * 0.25)


def integers(b: Builder) -> None:
    x = b.find(lambda t, s: t.dtype in ("int32", "int64"))
    if x is None:
        return cast(b)
    op = b.among(["add", "sub", "mul", "div", "floor_div", "mod", "neg", "less"])
    y = G.apply(op, [x] if op == "neg" else [x, b.among([x, 1, 2, 3, -2])])
    if op != "div":  # of integers gives float64
        b.put(y)
    if y.dtype != "bool":
        b.put(G.cast(y, b.dtype) * 0.125)
    return None


# -- along axes -------------------------------------------------------------------------------------------------------
def reduce(b: Builder) -> None:
    x = b.number()
    if x.ndim == 0:
        return
    axes = b.some(range(x.ndim), x.ndim)
    if b.chance(0.2):
        axes = [a - x.ndim for a in axes]
    op = b.among(_REDUCTIONS)
    x = G.apply("tanh", [x]) if op == "reduce_prod" else x
    b.put(G.apply(op, [x], axes=axes, keepdims=b.chance(0.4)))


def moments(b: Builder) -> None:
    x = b.number()
    if x.ndim == 0:
        return
    axes = b.some(range(x.ndim), x.ndim)
    mean = G.apply("reduce_mean", [x], axes=axes, keepdims=True)
    centred = x - mean
    variance = G.apply("reduce_mean", [G.apply("square", [centred])], axes=axes, keepdims=True)
    b.put(mean, variance, centred / G.apply("sqrt", [variance + 0.1]))


def along(b: Builder) -> None:
    x = b.number()
    if x.ndim == 0:
        return
    axis = int(b.rng.integers(-x.ndim, x.ndim))
    op = b.among(["argmax", "argmin", "cumsum", "cumprod", "recurrence", "softmax", "log_softmax", "top_k", "reverse"])
    if op in ("argmax", "argmin"):
        b.put(G.apply(op, [x], axis=axis))
    elif op in ("cumsum", "cumprod"):
        x = G.apply("tanh", [x]) if op == "cumprod" else x
        b.put(G.apply(op, [x], axis=axis, reverse=b.chance(0.5)))
    elif op == "recurrence":
        b.put(G.apply(op, [G.apply("tanh", [b.like(x)]), x], axis=axis, reverse=b.chance(0.5)))
    elif op == "reverse":
        b.put(G.apply(op, [x], axes=[axis]))
    elif op == "top_k":
        shape = b.shape(x)
        k = -1 if shape is None or b.chance(0.3) else int(b.rng.integers(1, max(shape[-1], 1) + 1))
        b.put(*G.apply(op, [x], k=k))
    else:
        b.put(G.apply(op, [x]))


def cross_entropy(b: Builder) -> None:
    x = b.number(2)
    rows, classes = b.shape(x)  # type: ignore[misc]
    if classes == 0:
        return
    if b.chance(0.5):
        labels = G.apply("softmax", [b.like(x)])
        b.put(*G.apply("softmax_cross_entropy", [x, labels]))
    else:
        chosen = b.rng.integers(0, classes + b.chance(0.05), rows).astype("int64")
        b.put(*G.apply("sparse_softmax_cross_entropy", [x, b.placeholder([rows], chosen)]))


# -- layout -----------------------------------------------------------------------------------------------------------
def layout(b: Builder) -> None:
    x = b.number()
    shape = b.shape(x)
    if shape is None:
        return
    op = b.among(["reshape", "expand_dims", "squeeze", "transpose", "tile", "broadcast_to", "sum_to", "pad", "flatten"])
    if op in ("reshape", "flatten"):
        count = int(np.prod(shape))
        if op == "flatten" and x.ndim >= 2:
            b.put(G.reshape(x, [shape[0] if b.chance(0.5) else G.shape_of(x)[0], -1]))
            return
        first = b.among([n for n in range(1, min(count, 64) + 1) if count % n == 0] or [1])
        b.put(G.reshape(x, b.among([[first, -1], [-1, first], [first, 1, -1], [-1]])))
    elif op == "expand_dims":
        b.put(G.apply(op, [x], axis=int(b.rng.integers(-x.ndim - 1, x.ndim + 1))))
    elif op == "squeeze":
        ones = [a - x.ndim * b.chance(0.3) for a, n in enumerate(shape) if n == 1]
        if ones:
            b.put(G.apply(op, [x], axes=b.some(ones, len(ones))))
    elif op == "transpose":
        b.put(G.apply(op, [x], perm=[int(p) for p in b.rng.permutation(x.ndim)]))
    elif op == "tile":
        b.put(G.apply(op, [x, b.ints(*(b.among([1, 1, 2, 3]) for _ in shape))]))
    elif op == "broadcast_to":
        b.put(G.apply(op, [x, b.ints(b.length(4), *(b.length(5) if n == 1 else n for n in shape))]))
    elif op == "sum_to":
        smaller = [1 if b.chance(0.4) else n for n in shape][int(b.rng.integers(x.ndim + 1)) :]
        b.put(G.apply(op, [x, b.ints(*smaller)]))
    else:
        before, after = ([int(b.rng.integers(0, 3)) for _ in shape] for _ in range(2))
        b.put(G.apply(op, [x], before=before, after=after, value=float(b.among([0.0, 0.5, -1.0]))))


def slices(b: Builder) -> None:
    """One slice, or a whole axis cut into pieces, as gates are."""
    x = b.number()
    shape = b.shape(x)
    if not shape:
        return
    axis = int(b.rng.integers(x.ndim))
    key: list[Any] = [slice(None)] * x.ndim
    if b.chance(0.5):
        for a, n in enumerate(shape):
            if b.chance(0.5):
                begin, end = (int(b.rng.integers(-n - 1, n + 2)) for _ in range(2))
                key[a] = slice(begin, end, b.among([1, 1, 2, -1])) if n and b.chance(0.8) else slice(None)
        b.put(x[tuple(key)])
        return
    cuts = sorted(int(b.rng.integers(0, shape[axis] + 1)) for _ in range(int(b.rng.integers(1, 4))))
    pieces = []
    for begin, end in zip([None, *cuts], [*cuts, None]):
        key[axis] = slice(begin, end)
        pieces.append(x[tuple(key)])
    b.put(pieces)
    if b.chance(0.5):
        pieces = [G.apply(b.among(_ACTIVATION_OPS[:8]), [p]) for p in pieces]
        b.put(G.apply("concat", pieces[:: b.among([1, -1])], axis=axis - x.ndim * b.chance(0.3)))


def gates(b: Builder) -> None:
    """Pieces of one tensor, each with an activation of its own, joined again: as in recurrent cells."""
    count = b.among([2, 3, 4])
    x = b.find(lambda t, s: t.dtype == b.dtype and len(s) > 0 and s[-1] % count == 0 and 0 < s[-1] < 200)
    if x is None or x.dims[-1] < 0 or b.chance(0.3):
        x = b.leaf([b.length(5), count * b.length(8)], "variable") * 0.7
    units = x.dims[-1] // count
    pieces = [x[..., i * units : (i + 1) * units] for i in range(count)]
    pieces = [G.apply(b.among(["tanh", "sigmoid", "hard_sigmoid", "relu"]), [p]) for p in pieces]
    total = pieces[0]
    for piece in pieces[1:]:
        total = total * piece if b.chance(0.5) else total + piece
    b.put(x, total)


def concat(b: Builder) -> None:
    x = b.number()
    if x.ndim:
        b.put(
            G.apply(
                "concat", [x, *(b.like(x) for _ in range(int(b.rng.integers(1, 3))))], axis=int(b.rng.integers(x.ndim))
            )
        )


def shapes(b: Builder) -> None:
    """What is computed from shapes: lengths as numbers, fills, shapes of reshapes."""
    x = b.number()
    if x.ndim == 0:
        return
    n = G.shape_of(x)
    kind = b.rng.integers(4)
    if kind == 0:
        b.put(n, G.cast(n, b.dtype) * 0.01)
    elif kind == 1:
        b.put(G.apply("fill", [n], value=float(b.among([0.0, 1.0, -0.0, 2.0])), dtype=b.dtype) * x + x)
    elif kind == 2:
        b.put(G.reshape(x * 1.0, G.apply("reverse", [n], axes=[0])))
    else:
        last = G.cast(n[x.ndim - 1], "int64")
        steps = G.apply("arange", [G.constant(np.int64(0)), last, G.constant(np.int64(1))], dtype="int64")
        b.put(G.cast(steps, b.dtype) * 0.1 + x)


# -- index ------------------------------------------------------------------------------------------------------------
def index(b: Builder) -> None:
    x = b.number()
    shape = b.shape(x)
    if not shape or 0 in shape:
        return
    axis = int(b.rng.integers(x.ndim))
    count = b.length(17)
    picked = b.rng.integers(0, shape[axis] + b.chance(0.05), count).astype(b.among(["int32", "int64"]))
    where = G.constant(picked) if b.chance(0.3) else b.placeholder([None if b.chance(0.5) else count], picked)
    if b.chance(0.6):
        b.put(G.apply("gather", [x, where], axis=axis))
    else:
        rows = b.leaf([count, *shape[1:]])
        places = b.placeholder([count], b.rng.integers(0, shape[0], count).astype("int32"))
        b.put(G.apply("scatter_add", [places, rows, b.ints(*shape)]) + x)


def one_hot(b: Builder) -> None:
    ids = b.find(lambda t, s: t.dtype in ("int32", "int64") and len(s) <= 2)
    if ids is not None:
        b.put(G.apply("one_hot", [ids], depth=b.length(9), dtype=b.dtype))


def embedding(b: Builder) -> None:
    """Rows of a variable, so that a gradient is a scatter_add that an optimizer reads."""
    table = b.leaf([b.length(), b.length(16)], "variable")
    ids = b.rng.integers(0, max(table.dims[0], 1), (b.length(7), b.length(5))).astype("int32")
    rows = G.apply("gather", [table, b.placeholder([None, ids.shape[1]], ids)], axis=0)
    b.put(rows, G.apply("reduce_mean", [rows], axes=[1], keepdims=False))


# -- products ---------------------------------------------------------------------------------------------------------
def behind(b: Builder, y: Tensor, channels: int) -> None:
    """What stands behind a product: a bias, a scale and a shift, an activation; every value may be read by others."""
    b.put(y)
    for _ in range(int(b.rng.integers(0, 4))):
        kind = b.rng.integers(4)
        if kind < 2:
            vector = b.leaf(
                [1] * b.among([0, 0, 0, y.ndim - 1, y.ndim]) + [channels], b.among(["variable", "variable", "constant"])
            )
            op = "add" if kind == 0 else "mul"
            y = G.apply(op, [vector, y] if b.chance(0.3) else [y, vector])
        elif kind == 2:
            y = G.apply(b.among(_ACTIVATION_OPS[:8]), [y])
        elif any(n == 1 for n in y.dims):
            y = G.apply(
                "squeeze", [y], axes=[b.among([a - y.ndim * b.chance(0.3) for a, n in enumerate(y.dims) if n == 1])]
            )
        if b.chance(0.4):
            b.put(y)
    b.put(y)


def matmul(b: Builder) -> None:
    x = b.number(b.among([2, 2, 2, 3]), 20000)
    shape = b.shape(x)
    if shape is None:
        return
    inner, columns = shape[-1], b.length(80)
    kernel = [*([shape[0]] if x.ndim == 3 and b.chance(0.3) else []), inner, columns]
    flags = {"transpose_a": b.chance(0.15), "transpose_b": b.chance(0.2)}
    if flags["transpose_a"]:
        kernel[-2] = shape[-2]
    if flags["transpose_b"]:
        kernel[-2:] = kernel[:-3:-1]
    scale = 1 / np.sqrt(max(inner, 1))
    w = b.leaf(kernel, b.among(["variable", "variable", "placeholder", "constant"]))
    attrs: dict[str, Any] = {k: v for k, v in flags.items() if v}
    inputs = [x, w]
    if b.chance(0.2):
        inputs.append(b.leaf([columns]))
    if b.chance(0.2):
        attrs["activation"] = b.among(ACTIVATIONS)
    y = G.apply("matmul", inputs, **attrs)
    behind(b, y * float(scale) if b.chance(0.3) else y, columns)


def image(b: Builder, rank: int = 4) -> Tensor | None:
    """Images, or a reshape of something into images."""
    x = b.number(rank, 20000)
    shape = b.shape(x)
    if shape is None or (rank == 4 and shape[-1] > 40):
        return None
    return x


def window(b: Builder, n: int) -> dict[str, Any]:
    strides = [b.among([1, 1, 2, 3]) for _ in range(n)]
    dilation = [b.among([1, 1, 1, 2]) for _ in range(n)] if max(strides) == 1 else [1] * n
    return {"strides": strides, "dilation": dilation, "padding": b.among(["same", "valid"])}


def conv(b: Builder) -> None:
    n = b.among([2, 2, 2, 3])
    x = image(b, n + 2)
    if x is None:
        return
    shape = b.shape(x)
    attrs, kernel, filters = window(b, n), [b.among([1, 2, 3, 3, 5])] * n, b.length(20)
    inputs = [x, b.tame(b.leaf([*kernel, shape[-1], filters], b.among(["variable", "variable", "placeholder"])))]  # type: ignore[index]
    if b.chance(0.2):
        inputs.append(b.leaf([filters]))
    if b.chance(0.15):
        attrs["activation"] = b.among(ACTIVATIONS)
    behind(b, G.apply(f"conv{n}d", inputs, **attrs), filters)


def conv1d(b: Builder) -> None:
    """As a convolution of images that have one row."""
    x = b.number(3, 5000)
    shape = b.shape(x)
    if shape is None or shape[-1] > 40:
        return
    kernel = b.leaf([1, b.among([1, 2, 3]), shape[-1], b.length(12)], "variable")
    attrs = {"strides": [1, b.among([1, 2])], "dilation": [1, 1], "padding": b.among(["same", "valid"])}
    y = G.apply("conv2d", [G.apply("expand_dims", [x], axis=1), b.tame(kernel)], **attrs)
    if b.chance(0.2):
        b.put(y)
    behind(b, G.apply("squeeze", [y], axes=[b.among([1, -3])]), kernel.dims[-1])


def transposed(b: Builder) -> None:
    n = b.among([2, 2, 3])
    x = image(b, n + 2)
    if x is None:
        return
    shape = b.shape(x)
    attrs, kernel, filters = window(b, n), [b.among([1, 2, 3, 4])] * n, b.length(12)
    sizes = []
    for length, k, s, d in zip(shape[1:-1], kernel, attrs["strides"], attrs["dilation"]):  # type: ignore[index]
        reach = (k - 1) * d + 1
        sizes.append(length * s if attrs["padding"] == "same" else (length - 1) * s + reach)
    target = b.ints(shape[0], *sizes, filters)  # type: ignore[index]
    w = b.tame(b.leaf([*kernel, filters, shape[-1]], "variable"))  # type: ignore[index]
    behind(b, G.apply(f"conv{n}d_input_grad", [x, w, target], **attrs), filters)


def depthwise(b: Builder) -> None:
    x = image(b)
    if x is None:
        return
    channels, multiplier = b.shape(x)[-1], b.among([1, 1, 2, 3])  # type: ignore[index]
    kernel = b.leaf([b.among([1, 2, 3]), b.among([1, 3, 5]), channels, multiplier], "variable")
    behind(b, G.apply("depthwise_conv2d", [x, kernel], **window(b, 2)), channels * multiplier)


def local(b: Builder) -> None:
    x = image(b)
    if x is None:
        return
    _, height, width, channels = b.shape(x)  # type: ignore[misc]
    kernel, strides = [b.among([1, 2, 3]) for _ in range(2)], [b.among([1, 2]) for _ in range(2)]
    places = [(n - k) // s + 1 for n, k, s in zip((height, width), kernel, strides)]
    if min(places) > 0 and channels <= 20:
        w = b.leaf([places[0] * places[1], kernel[0] * kernel[1] * channels, b.length(5)], "variable")
        b.put(G.apply("local_conv2d", [x, b.tame(w)], kernel=kernel, strides=strides, places=places))


def channels_first(b: Builder) -> None:
    """Transposes around ops, which a rewrite lets meet."""
    x = b.number(4, 20000)
    y = G.apply("transpose", [x], perm=FIRST)
    shape = b.shape(y)
    for _ in range(int(b.rng.integers(1, 4))):
        kind = b.rng.integers(5)
        if kind == 0:
            y = G.apply(b.among(_ACTIVATION_OPS[:8]), [y])
        elif kind == 1 and shape is not None:
            y = y + b.among([b.leaf(()), b.leaf((1, 1, 1, 1)), b.leaf((1,)), y * 0.5, b.leaf(shape)])
        elif kind == 2:
            y = G.apply("pad", [y], before=[0, 0, 1, 0], after=[1, 0, 0, 2], value=0.0)
            shape = None
        elif kind == 3:
            y = G.apply("concat", [y, y * 2.0], axis=b.among([1, -1, 2]))
            shape = None
        else:
            b.put(G.apply(b.among(_REDUCTIONS[:4]), [y], axes=b.some([-1, 1, 2, 0], 3), keepdims=b.chance(0.5)))
        if b.chance(0.3):
            b.put(y)
    back = b.among([LAST, LAST, FIRST, [3, 2, 1, 0]])
    b.put(y, G.apply("transpose", [y], perm=back))


def pool(b: Builder) -> None:
    x = image(b)
    if x is not None:
        attrs = {"size": [b.among([1, 2, 3]) for _ in range(2)], "strides": [b.among([1, 2, 3]) for _ in range(2)]}
        b.put(G.apply(b.among(["max_pool2d", "avg_pool2d"]), [x], **attrs, padding=b.among(["same", "valid"])))


def resize(b: Builder) -> None:
    x = image(b)
    if x is not None:
        size = b.ints(b.length(17), b.length(17))
        b.put(G.apply("resize", [x, size], interpolation=b.among(["nearest", "bilinear"])))


def batch_norm(b: Builder) -> None:
    """All four results may be read, with activations behind each."""
    x = b.number(b.among([2, 3, 4]))
    shape = b.shape(x)
    if shape is None or int(np.prod(shape[:-1])) < 2:
        return
    vectors = [b.leaf([shape[-1]]) if b.chance(0.6) else None for _ in range(2)]
    attrs: dict[str, Any] = {"epsilon": 0.1}
    if b.chance(0.15):
        attrs["activation"] = b.among(ACTIVATIONS)
    results = list(G.apply("batch_norm", [x, *vectors], **attrs))
    if b.chance(0.5):
        at = int(b.rng.integers(4))
        b.put(G.apply(b.among(_ACTIVATION_OPS[:8]), [results[at]]))
    b.put(results if b.chance(0.5) else results[:1])


# -- sequences --------------------------------------------------------------------------------------------------------
def recurrent(b: Builder) -> None:
    kind, gates = b.among([("lstm", 4), ("gru", 3), ("simple_rnn", 1)])
    batch, steps, units = b.length(5), b.length(7), b.length(17)
    x = b.find(lambda t, s: t.dtype == b.dtype and len(s) == 3 and s[1] < 20 and s[2] % gates == 0 and 0 < s[2] < 200)
    if x is not None and b.chance(0.6):
        batch, steps, units = b.shape(x)  # type: ignore[misc]
        units //= gates
    else:
        x = b.leaf([batch, steps, gates * units])
    state = [b.leaf([batch, units]) if b.chance(0.5) else None for _ in range(2)]
    kernel = b.tame(b.leaf([units, gates * units], "variable"), 1.0)
    mask = b.placeholder([batch, steps], b.rng.random((batch, steps)) > 0.3) if b.chance(0.4) else None
    dropped = None
    if b.chance(0.2):
        dropped = b.placeholder([gates, batch, units], (b.rng.random((gates, batch, units)) > 0.3).astype(b.dtype))
    attrs: dict[str, Any] = {"activation": b.among(_GATES), "go_backwards": b.chance(0.3)}
    if kind == "lstm":
        made = G.apply(kind, [x, *state, kernel, mask, dropped], **attrs, recurrent_activation=b.among(_GATES))
    elif kind == "gru":
        after = b.chance(0.5)
        attrs |= {"recurrent_activation": b.among(_GATES), "reset_after": after}
        bias = b.leaf([gates * units]) if after and b.chance(0.7) else None
        made = G.apply(kind, [x, state[0], kernel, bias, mask, dropped], **attrs)
    else:
        made = G.apply(kind, [x, state[0], kernel, mask, dropped], **attrs)
    states = 3 if kind == "lstm" else 2
    b.put(made[:states] if mask is not None or b.chance(0.7) else made)


#: What bodies are made of.
_BODY: list[tuple[float, Callable[[Builder], None]]] = []


def scan(b: Builder) -> None:
    """A body of random ops over rows and states; its states are vectors, matrices or images."""
    if b.depth > 1:
        return
    rank = b.among([2, 3, 3, 5])
    x = b.find(lambda t, s: t.dtype == b.dtype and len(s) == rank and s[0] < 10 and np.prod(s) < 3000)
    if x is None or b.chance(0.3):
        shape = [b.length(6), *(b.length(5) for _ in range(rank - 2)), b.length(9)]
        x = b.leaf(shape, b.among(["placeholder", "variable"]))
    shape = b.shape(x)
    kinds = [b.among(["product", "product", "sum", "own"]) for _ in range(int(b.rng.integers(0, 3)))]
    units = [b.length(9) for _ in kinds]
    initial = [b.leaf([*shape[1:-1], u]) for u in units]  # type: ignore[index]
    extra = [b.like(x)] if b.chance(0.3) else []
    kernels = [(_kernel(b, shape[-1], u, rank), _kernel(b, u, u, rank)) for u in units]  # type: ignore[index]

    def step(states: list[Tensor], rows: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        new = []
        with b.inside([*states, *rows]):
            for kind, state, (w, u) in zip(kinds, states, kernels):
                if kind == "product":
                    total = _product(rows[0], w, rank) + _product(state, u, rank)
                    gate = G.apply(b.among(["sigmoid", "hard_sigmoid"]), [total])
                    new.append(gate * state + (1.0 - gate) * G.apply("tanh", [total]))
                elif kind == "sum":
                    row = G.apply("reduce_mean", [rows[-1]], axes=[rank - 2], keepdims=True)
                    new.append(state * 0.5 + row)
                else:
                    new.append(G.apply("tanh", [b.like(state)]) if b.chance(0.5) else state)
            b.put(new)
            for _ in range(int(b.rng.integers(0, 4))):
                b.step(_BODY)
            outputs = b.some(b.pool[-4:], 3)
        return outputs, new

    made = G.scan(step, initial, [x, *extra], reverse=b.chance(0.3))
    b.put(*(part for part in (made.finals, made.states, made.outputs) if b.chance(0.7)))


def _kernel(b: Builder, rows: int, columns: int, rank: int) -> Tensor:
    leaf = b.leaf(
        [3, 3, rows, columns] if rank == 5 else [rows, columns], b.among(["variable", "variable", "placeholder"])
    )
    return leaf * 0.3 if b.chance(0.3) else leaf


def _product(x: Tensor, w: Tensor, rank: int) -> Tensor:
    if rank == 5:
        return G.apply("conv2d", [x, w], strides=[1, 1], dilation=[1, 1], padding="same")
    if rank == 2:
        return G.apply("squeeze", [G.apply("matmul", [G.apply("expand_dims", [x], axis=0), w])], axes=[0])
    return G.apply("matmul", [x, w])


def cond(b: Builder) -> None:
    if b.depth > 1:
        return
    x = b.number()
    low = G.apply("reduce_min", [x], axes=list(range(x.ndim)), keepdims=False)
    truth = b.among([low < 0.0, low < -100.0, b.leaf((), "placeholder") > 0.0])

    def branch() -> Tensor:
        with b.inside([]):
            before = len(b.pool)
            for _ in range(int(b.rng.integers(0, 3))):
                b.step(_BODY)
            fits = [t for t in b.pool[before:] if t.dtype == x.dtype and t.dims == x.dims]
            return b.among(fits) if fits else b.among([x, x * 0.5, b.like(x)])

    b.put(G.cond(truth, branch, branch))


def phase(b: Builder) -> None:
    """A branch that the program does not choose, whose gradients are absent."""
    x = b.number()
    y = b.among([x * 2.0, G.apply("relu", [x]) + b.beside(x), b.like(x), G.apply("softmax", [x]) if x.ndim else x])
    if y.dims == x.dims:
        b.put(G.phase_switch(*((x, y) if b.chance(0.5) else (y, x))))


def drawn(b: Builder) -> None:
    shape = [b.length(9) for _ in range(int(b.rng.integers(1, 4)))]
    if b.chance(0.5):
        x: Tensor | None = b.number()
        wanted = G.shape_of(x)
    else:
        wanted, x = b.ints(*shape), None
    op, attrs = b.among([
        ("random_uniform", {"low": -1.0, "high": 1.0}), ("random_normal", {"mean": 0.0, "stddev": 1.0}),
        ("truncated_normal", {"mean": 0.0, "stddev": 1.0}), ("random_bernoulli", {"p": 0.5, "scale": 2.0}),
    ])  # fmt: skip
    y = G.apply(op, [wanted], **attrs, seed=int(b.rng.integers(1000)), dtype=b.dtype)
    b.put(y if x is None else y * x)


#: Random ones are made by `drawn`, fused ones and sum_rows by rewrites alone.
_SAMPLED = [op for op in SAMPLES if not op.startswith(("fused", "random", "truncated", "sum_rows"))]
#: Results that are defined: what gates hold at a masked step is not.
_DEFINED = {"lstm": 3, "gru": 2}
_ODD = (
    -(2**62),
    -3,
    -1,
    0,
    1,
    2,
    3,
    7,
    2**40,
    0.5,
    -0.0,
    True,
    "same",
    "linear",
    "nearest",
    "",
    None,
    [],
    [1],
    [2, -1],
    [0, 0],
)


def sampled(b: Builder) -> None:
    """The sample of any op of the core, with inputs of nearly its shapes, and now and then something odd among them."""
    op = b.among(_SAMPLED)
    arrays, attrs = SAMPLES[op]
    inputs: list[Any] = []
    for a in arrays:
        if a is None or b.chance(0.01):
            inputs.append(None)
            continue
        a = np.asarray(a)
        if a.dtype.kind == "f":
            shape = [int(n + b.among([-1, 1])) if b.chance(0.03) else n for n in a.shape]
            x = b.find(lambda t, s, shape=shape: t.dtype == b.dtype and list(s) == shape)
            x = b.leaf([max(n, 0) for n in shape]) if x is None or b.chance(0.6) else x
            inputs.append(G.apply("sigmoid", [x]) * 0.8 + 0.1)
        elif b.chance(0.03):
            inputs.append(G.constant(a + b.among([-9, -1, 1, 9]) if a.dtype.kind == "i" else a))
        else:
            inputs.append(G.constant(a))
    attrs = {k: b.dtype if v == "float32" else v for k, v in attrs.items()}
    if attrs and b.chance(0.1):
        attrs[b.among(list(attrs))] = b.among(_ODD)
    if b.chance(0.02):
        inputs.append(b.number())
    made = G.apply(op, inputs, **attrs)
    b.put(list(made)[: _DEFINED.get(op)] if isinstance(made, tuple) else made)


def stopped(b: Builder) -> None:
    x = b.number()
    b.put(G.apply(b.among(["stop_gradient", "identity"]), [x]))


_BODY += [
    (6, unary), (8, binary), (3, by_a_number), (2, compare), (2, reduce), (1, moments), (2, layout), (2, slices), (2, concat),
    (1, shapes), (2, matmul), (1, along), (1, index), (0.5, phase), (0.5, conv), (0.5, scan), (0.5, cond), (0.3, drawn),
    (0.5, cast),
]  # fmt: skip
#: Patterns that rewrites look for and that are rare among the others.
PATTERNS: list[tuple[float, Callable[[Builder], None]]] = [
    (4, phase), (4, gates), (4, embedding), (7, conv1d), (3, matmul), (2, batch_norm), (2, channels_first), (2, binary),
    (2, shapes), (2, unary), (1, scan),
]  # fmt: skip
MAKERS: list[tuple[float, Callable[[Builder], None]]] = [
    (6, unary), (8, binary), (4, by_a_number), (3, compare), (2, cast), (2, integers), (5, reduce), (2, moments), (4, along),
    (1.5, cross_entropy), (5, layout), (4, slices), (2, gates), (2, concat), (2, shapes), (2, index), (1, one_hot), (2, embedding),
    (6, matmul), (5, conv), (2, conv1d), (2, transposed), (2, depthwise), (1, local), (3, channels_first), (2, pool), (1, resize),
    (3, batch_norm), (3, recurrent), (4, scan), (2, cond), (2, phase), (1, drawn), (1, stopped), (4, sampled),
]  # fmt: skip
