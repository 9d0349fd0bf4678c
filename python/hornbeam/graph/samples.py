"""A small call of every op of the core: what ``hornbeam info --ops`` tries, and the tests that every op has to pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import _core
from .ops import apply, constant, placeholder
from .tensor import Tensor

_rng = np.random.RandomState(0)


def f(*shape: int) -> np.ndarray:
    """Fractions."""
    return _rng.uniform(0.1, 0.9, shape).astype("float32")


def ints(*values: int) -> np.ndarray:
    """A vector of integers, known when the op is made."""
    return np.array(values, "int64")


def mask(*shape: int) -> np.ndarray:
    return _rng.uniform(size=shape) > 0.5


WINDOW = {"strides": [1, 1], "padding": "same"}
CONV = {**WINDOW, "dilation": [1, 1]}
CONV_3D = {"strides": [1, 1, 1], "dilation": [1, 1, 1], "padding": WINDOW["padding"]}
POOL = {**WINDOW, "size": [2, 2]}
X, V, W, Y = (2, 5, 6, 3), (2, 3, 5, 6, 3), (3, 3, 3, 4), (2, 5, 6, 4)
LOCAL = {"kernel": [2, 3], "strides": [1, 1], "places": [4, 3]}
LSTM = {"activation": "tanh", "recurrent_activation": "sigmoid"}

#: op -> (inputs, attributes); integers are constants
SAMPLES: dict[str, tuple[list[Any], Any]] = {
    "reduce_sum": ([f(3, 4)], {"axes": [1], "keepdims": False}),
    "reduce_mean": ([f(3, 4)], {"axes": [0], "keepdims": True}),
    "reduce_max": ([f(3, 4)], {"axes": [1], "keepdims": False}),
    "reduce_min": ([f(3, 4)], {"axes": [1], "keepdims": False}),
    "reduce_prod": ([f(3, 4)], {"axes": [1], "keepdims": False}),
    "reduce_any": ([mask(3, 4)], {"axes": [1], "keepdims": False}),
    "reduce_all": ([mask(3, 4)], {"axes": [1], "keepdims": False}),
    "argmax": ([f(3, 4)], {"axis": 1}),
    "argmin": ([f(3, 4)], {"axis": 1}),
    "cumsum": ([f(3, 4)], {"axis": 1, "reverse": True}),
    "cumprod": ([f(3, 4)], {"axis": 0}),
    "recurrence": ([f(3, 4), f(3, 4)], {"axis": 1}),
    "top_k": ([f(3, 4)], {"k": 2}),
    "softmax": ([f(3, 4)], {}),
    "log_softmax": ([f(3, 4)], {}),
    "softmax_grad": ([f(3, 4), f(3, 4)], {}),
    "log_softmax_grad": ([f(3, 4), f(3, 4)], {}),
    "softmax_cross_entropy": ([f(3, 4), f(3, 4)], {}),
    "softmax_cross_entropy_grad": ([f(3, 4), f(3, 4), f(3)], {}),
    "sparse_softmax_cross_entropy": ([f(3, 4), ints(0, 1, 2)], {}),
    "sparse_softmax_cross_entropy_grad": ([f(3, 4), ints(0, 1, 2), f(3)], {}),
    "ctc_loss": ([f(2, 5, 4), *(np.array(a, "int32") for a in ([[0, 1], [2, 2]], [5, 4], [2, 1]))], {}),
    "ctc_greedy": ([f(2, 5, 4), np.array([5, 4], "int32")], {"merge_repeated": True}),
    "ctc_beam": ([f(2, 5, 4), np.array([5, 4], "int32")], {"beam_width": 3, "top_paths": 2}),
    "matmul": ([f(3, 4), f(4, 5), f(5)], {}),
    "conv2d": ([f(*X), f(*W), f(4)], CONV),
    "conv2d_input_grad": ([f(*Y), f(*W), ints(*X)], CONV),
    "conv2d_filter_grad": ([f(*X), f(*Y)], {**CONV, "kernel": [3, 3]}),
    "conv3d": ([f(*V), f(2, 3, 3, 3, 4), f(4)], CONV_3D),
    "conv3d_input_grad": ([f(2, 3, 5, 6, 4), f(2, 3, 3, 3, 4), ints(*V)], CONV_3D),
    "conv3d_filter_grad": ([f(*V), f(2, 3, 5, 6, 4)], {**CONV_3D, "kernel": [2, 3, 3]}),
    "depthwise_conv2d": ([f(*X), f(3, 3, 3, 2), f(6)], CONV),
    "depthwise_conv2d_input_grad": ([f(2, 5, 6, 6), f(3, 3, 3, 2), ints(*X)], CONV),
    "depthwise_conv2d_filter_grad": ([f(*X), f(2, 5, 6, 6)], {**CONV, "kernel": [3, 3], "multiplier": 2}),
    "local_conv2d": ([f(*X), f(12, 18, 4)], LOCAL),
    "local_conv2d_input_grad": ([f(2, 4, 3, 4), f(12, 18, 4), ints(*X)], LOCAL),
    "local_conv2d_filter_grad": ([f(*X), f(2, 4, 3, 4)], LOCAL),
    "resize": ([f(*X), ints(7, 4)], {"interpolation": "bilinear"}),
    "resize_grad": ([f(2, 7, 4, 3), ints(*X)], {"interpolation": "bilinear"}),
    "max_pool2d": ([f(*X)], POOL),
    "max_pool2d_grad": ([f(*X), f(*X), f(*X)], POOL),
    "max_pool2d_gather": ([f(*X), f(*X), f(*X)], POOL),
    "avg_pool2d": ([f(*X)], POOL),
    "avg_pool2d_grad": ([f(*X), ints(*X)], POOL),
    "batch_norm": ([f(*X), f(3), f(3)], {"epsilon": 1e-3}),
    "batch_norm_grad": ([f(*X), f(*X), f(3), f(3), f(3)], {}),
    "lstm": ([f(2, 5, 12), f(2, 3), f(2, 3), f(3, 12), mask(2, 5), f(4, 2, 3)], LSTM),
    "lstm_grad": (
        [f(2, 5, 3), f(2, 3), f(2, 3), f(2, 5, 3), f(2, 5, 12), f(2, 5, 3), None, None, f(3, 12), mask(2, 5), None],
        LSTM,
    ),
    "gru": ([f(2, 5, 9), f(2, 3), f(3, 9), f(9), mask(2, 5), None], {**LSTM, "reset_after": True}),
    "gru_grad": (
        [f(2, 5, 3), f(2, 3), f(2, 5, 3), f(2, 5, 9), f(2, 5, 3), None, f(3, 9), f(9), mask(2, 5), None],
        {**LSTM, "reset_after": True},
    ),
    "simple_rnn": ([f(2, 5, 3), f(2, 3), f(3, 3), mask(2, 5), None], {"activation": "tanh"}),
    "simple_rnn_grad": ([f(2, 5, 3), f(2, 3), f(2, 5, 3), None, f(3, 3), mask(2, 5), None], {"activation": "tanh"}),
    "reshape": ([f(3, 4), ints(2, -1)], {}),
    "expand_dims": ([f(3, 4)], {"axis": 1}),
    "squeeze": ([f(3, 1)], {"axes": [1]}),
    "identity": ([f(3, 4)], {}),
    "stop_gradient": ([f(3, 4)], {}),
    "transpose": ([f(3, 4, 2)], {"perm": [2, 0, 1]}),
    "reverse": ([f(3, 4)], {"axes": [1]}),
    "concat": ([f(3, 4), f(3, 2)], {"axis": 1}),
    "tile": ([f(3, 4), ints(2, 1)], {}),
    "broadcast_to": ([f(1, 4), ints(3, 4)], {}),
    "sum_to": ([f(3, 4), ints(1, 4)], {}),
    "pad": ([f(3, 4)], {"before": [1, 0], "after": [0, 2], "value": 0.5}),
    "slice": ([f(5, 4), ints(0, 1), ints(4, 3)], {"strides": [2, 1], "begin_mask": 0, "end_mask": 0}),
    "slice_grad": (
        [f(2, 2), ints(5, 4), ints(0, 1), ints(4, 3)],
        {"strides": [2, 1], "begin_mask": 0, "end_mask": 0},
    ),
    "gather": ([f(5, 4), ints(3, 0, 3)], {"axis": 0}),
    "scatter_add": ([ints(3, 0, 3), f(3, 4), ints(5, 4)], {}),
    "sum_rows": ([ints(3, 0, 3), f(3, 4), ints(5, 4)], {}),
    "one_hot": ([ints(3, 0, 1)], {"depth": 4, "dtype": "float32"}),
    "shape": ([f(3, 4)], {}),
    "fill": ([ints(3, 4)], {"value": 2.5, "dtype": "float32"}),
    "arange": ([np.int64(1), np.int64(7), np.int64(2)], {"dtype": "int64"}),
    "random_uniform": ([ints(3, 4)], {"low": -1.0, "high": 1.0, "seed": 1, "dtype": "float32"}),
    "random_normal": ([ints(3, 4)], {"mean": 0.0, "stddev": 1.0, "seed": 1, "dtype": "float32"}),
    "truncated_normal": ([ints(3, 4)], {"mean": 0.0, "stddev": 1.0, "seed": 1, "dtype": "float32"}),
    "random_bernoulli": ([ints(3, 4)], {"p": 0.5, "scale": 2.0, "seed": 1, "dtype": "float32"}),
    "cast": ([f(3, 4)], {"dtype": "int32"}),
    "elu": ([f(3, 4)], {"alpha": 0.5}),
    # relu(x * y), of inputs 0 and 1; programs are described in csrc/ops/elementwise.h
    "fused": ([f(3, 4), f(4)], "fused"),
    "fused_rows": ([f(2, 4), np.array([-1, 1, 0, -1, -1], "int32"), f(5, 4)], "fused_rows"),
    "fused_multi": ([np.float32(0.5), f(3, 4), f(5)], "fused_multi"),
}


def _fill_in_elementwise() -> None:
    code = {name: i for i, (name, _) in enumerate(_core.elementwise_instructions())}
    float32 = _core.dtype_names().index("float32")
    program = {"constants": [], "out_dtypes": [float32], "dtype": "float32"}
    multiplied = [code["mul"], 0, 1, code["relu"], 2]
    for name, attrs in (("fused", {}), ("fused_rows", {}), ("fused_multi", {"n_shared": 1, "n_groups": 2})):
        SAMPLES[name] = (SAMPLES[name][0], {**program, "code": multiplied, "outputs": [3], **attrs})
    for name, arity in _core.elementwise_instructions():
        SAMPLES.setdefault(name, ([mask(3, 4)] * (name == "select") + [f(3, 4)] * (arity - (name == "select")), {}))


_fill_in_elementwise()


#: ops without a sample: those of the benchmark tool, and those that hold bodies of other ops
WITHOUT = {name for name in _core.op_names() if _core.op_info(name).family in ("peak", "scan")}


def sample(name: str, dtype: str = "float32") -> tuple[list[Tensor], list[Tensor], list[np.ndarray]]:
    """Build the sample of an op with another float dtype (or any dtype) in place of float32.

    Returns:
        Its inputs that are to be fed, its outputs, and the arrays to feed.

    Raises:
        TypeError: the op does not take that dtype.
    """
    arrays, attrs = SAMPLES[name]
    inputs: list[Tensor | None] = []
    fed: list[Tensor] = []
    feeds = []
    for a in arrays:
        if a is None:
            inputs.append(None)
        elif np.asarray(a).dtype.kind == "i":
            inputs.append(constant(a))
        else:
            a = a.astype(dtype) if a.dtype == np.float32 else a
            fed.append(placeholder(a.shape, a.dtype.name))
            inputs.append(fed[-1])
            feeds.append(a)
    out = apply(name, inputs, **{k: dtype if v == "float32" else v for k, v in attrs.items()})
    return fed, list(out) if isinstance(out, tuple) else [out], feeds
