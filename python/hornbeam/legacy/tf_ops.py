"""TensorFlow's functions that models of tf.keras hold as layers, written on the ops of Hornbeam.

Only what stands here can be named by a file. Arguments have TensorFlow's names, as files hold them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import activations, graph
from .. import backend as K
from ..graph import Tensor


def _operand(value: Any, like: Any) -> Any:
    return value if isinstance(value, Tensor) else graph.constant(value, like.dtype)


def _binary(op: str) -> Callable:
    def apply(x: Any, y: Any, name: Any = None) -> Tensor:
        like = x if isinstance(x, Tensor) else y
        return graph.apply(op, [_operand(x, like), _operand(y, like)])

    return apply


def _unary(function: Callable) -> Callable:
    def apply(x: Any, name: Any = None) -> Tensor:
        return function(x)

    return apply


def _op(name: str) -> Callable:
    return _unary(lambda x: graph.apply(name, [x]))


def _reduce(function: Callable) -> Callable:
    def apply(
        input_tensor: Any, axis: Any = None, keepdims: Any = False, name: Any = None, reduction_indices: Any = None,
        keep_dims: Any = None,
    ) -> Tensor:  # fmt: skip
        axis = reduction_indices if axis is None else axis
        return function(input_tensor, axis=_axes(axis), keepdims=bool(keepdims or keep_dims))

    return apply


def _axes(axis: Any) -> Any:
    return [int(a) for a in axis] if isinstance(axis, (list, tuple)) else axis


def _squared_difference(x: Any, y: Any, name: Any = None) -> Tensor:
    return K.square(_binary("sub")(x, y))


def _cast(x: Any, dtype: str, name: Any = None) -> Tensor:
    return K.cast(x, dtype)


def _matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, adjoint_a: bool = False,
    adjoint_b: bool = False, a_is_sparse: bool = False, b_is_sparse: bool = False, output_type: Any = None,
    name: Any = None,
) -> Tensor:  # fmt: skip
    like = a if isinstance(a, Tensor) else b
    return graph.apply(
        "matmul", [_operand(a, like), _operand(b, like), None],
        transpose_a=bool(transpose_a or adjoint_a), transpose_b=bool(transpose_b or adjoint_b), activation="linear",
    )  # fmt: skip


def _concat(values: Any, axis: int, name: Any = None) -> Tensor:
    return K.concatenate(values, axis=int(axis))


def _stack(values: Any, axis: int = 0, name: Any = None) -> Tensor:
    return K.stack(values, axis=int(axis))


def _split(value: Any, num_or_size_splits: Any, axis: int = 0, num: Any = None, name: Any = None) -> list[Tensor]:
    axis = int(axis) % value.ndim
    size = value.shape[axis]
    if size is None:
        raise ValueError(f"tf.split needs a known size of axis {axis}, got shape {value.shape}")
    if isinstance(num_or_size_splits, (list, tuple)):
        sizes = [int(n) for n in num_or_size_splits]
        if sum(sizes) != size or min(sizes, default=0) < 0:
            raise ValueError(f"tf.split cannot cut {size} into {sizes}")
    else:
        count = int(num_or_size_splits)
        if count < 1 or size % count:
            raise ValueError(f"tf.split cannot cut {size} into {count} parts")
        sizes = [size // count] * count
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [value[(slice(None),) * axis + (slice(at, at + n),)] for at, n in zip(starts, sizes)]


def _unstack(value: Any, num: Any = None, axis: int = 0, name: Any = None) -> list[Tensor]:
    axis = int(axis) % value.ndim
    if value.shape[axis] is None:
        raise ValueError(f"tf.unstack needs a known size of axis {axis}, got shape {value.shape}")
    return [value[(slice(None),) * axis + (i,)] for i in range(value.shape[axis])]


def _reshape(tensor: Any, shape: Any, name: Any = None) -> Tensor:
    return K.reshape(tensor, shape)


def _transpose(a: Any, perm: Any = None, conjugate: bool = False, name: Any = None) -> Tensor:
    return K.permute_dimensions(a, list(range(a.ndim))[::-1] if perm is None else [int(p) for p in perm])


def _expand_dims(input: Any, axis: Any = -1, name: Any = None, dim: Any = None) -> Tensor:
    axis = axis if dim is None else dim
    return K.expand_dims(input, int(axis[0]) if isinstance(axis, (list, tuple)) else int(axis))


def _squeeze(input: Any, axis: Any = None, squeeze_dims: Any = None, name: Any = None) -> Tensor:
    axes = axis if axis is not None else squeeze_dims
    if axes is None or axes == []:
        axes = [i for i, n in enumerate(input.shape) if n == 1]
    for a in sorted(
        ((int(a) % input.ndim) for a in (axes if isinstance(axes, (list, tuple)) else [axes])), reverse=True
    ):
        input = K.squeeze(input, a)
    return input


def _clip(t: Any, clip_value_min: Any, clip_value_max: Any, name: Any = None) -> Tensor:
    return K.minimum(K.maximum(t, clip_value_min), clip_value_max)


def _where(condition: Any, x: Any = None, y: Any = None, name: Any = None) -> Tensor:
    if x is None or y is None:
        raise ValueError("tf.where with a condition alone is not supported: how much it gives depends on the data")
    dtype = next((v.dtype for v in (x, y) if isinstance(v, Tensor)), None)
    return graph.apply("select", [condition, graph.convert(x, dtype), graph.convert(y, dtype)])


def _softmax(logits: Any, axis: Any = -1, name: Any = None) -> Tensor:
    return K.softmax(logits, axis=-1 if axis is None else int(axis))


def _log_softmax(logits: Any, axis: Any = -1, name: Any = None) -> Tensor:
    axis = -1 if axis is None else int(axis)
    return logits - K.logsumexp(logits, axis=axis, keepdims=True)


def _leaky_relu(features: Any, alpha: float = 0.2, name: Any = None) -> Tensor:
    return K.relu(features, alpha=float(alpha))


def _gelu(features: Any, approximate: bool = False, name: Any = None) -> Tensor:
    return activations.gelu(features, bool(approximate))


def _swish(features: Any, beta: Any = 1.0, name: Any = None) -> Tensor:
    return features * K.sigmoid(features * beta)


def _bias_add(value: Any, bias: Any, data_format: Any = None, name: Any = None) -> Tensor:
    first = isinstance(data_format, str) and data_format.startswith("NC")
    return K.bias_add(value, _operand(bias, value), "channels_first" if first else "channels_last")


def _l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: Any = None, dim: Any = None) -> Tensor:
    axis = axis if axis is not None else dim
    return x * graph.apply("rsqrt", [K.maximum(K.sum(K.square(x), axis=_axes(axis), keepdims=True), epsilon)])


def _arg(function: Callable) -> Callable:
    def apply(input: Any, axis: Any = None, output_type: str = "int64", name: Any = None) -> Tensor:
        return K.cast(function(input, axis=0 if axis is None else int(axis)), output_type)

    return apply


def _cumulative(function: Callable) -> Callable:
    def apply(x: Any, axis: int = 0, exclusive: bool = False, reverse: bool = False, name: Any = None) -> Tensor:
        if exclusive or reverse:
            raise ValueError("cumulative sums and products that are exclusive or run backwards are not supported")
        return function(x, axis=int(axis))

    return apply


def _gather(
    params: Any, indices: Any, validate_indices: Any = None, axis: Any = None, batch_dims: int = 0, name: Any = None
) -> Tensor:
    if batch_dims:
        raise ValueError("tf.gather with batch_dims is not supported")
    indices = indices if isinstance(indices, Tensor) else graph.constant(indices, "int32")
    return graph.apply("gather", [params, indices], axis=0 if axis is None else int(axis) % params.ndim)


def _one_hot(
    indices: Any, depth: int, on_value: Any = None, off_value: Any = None, axis: Any = None, dtype: Any = None,
    name: Any = None,
) -> Tensor:  # fmt: skip
    if axis not in (None, -1):
        raise ValueError("tf.one_hot is supported along a new last axis only")
    on, off = (1.0 if on_value is None else on_value), (0.0 if off_value is None else off_value)
    hot = K.one_hot(indices, depth) * (on - off) + off
    return K.cast(hot, dtype) if dtype else hot


def _pad(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: Any = 0, name: Any = None) -> Tensor:
    if mode.upper() != "CONSTANT" or constant_values:
        raise ValueError("tf.pad is supported with zeros only")
    pairs = [[int(n) for n in pair] for pair in paddings]
    return graph.apply("pad", [tensor], before=[a for a, _ in pairs], after=[b for _, b in pairs])


def _tile(input: Any, multiples: Any, name: Any = None) -> Tensor:
    return K.tile(input, [int(n) for n in multiples])


def _add_n(inputs: Any, name: Any = None) -> Tensor:
    total = inputs[0]
    for x in inputs[1:]:
        total = total + x
    return total


def _reverse(tensor: Any, axis: Any, name: Any = None) -> Tensor:
    return K.reverse(tensor, _axes(axis))


def _like(function: Callable) -> Callable:
    def apply(input: Any, dtype: Any = None, name: Any = None, layout: Any = None) -> Tensor:
        return function(input, dtype=dtype)

    return apply


def getitem(tensor: Any, slice_spec: Any, var: Any = None) -> Tensor:
    """``tensor[slice_spec]``: numbers, None and ``{start, stop, step}`` as files hold them."""
    items = slice_spec if isinstance(slice_spec, (list, tuple)) else [slice_spec]
    return tensor[tuple(_index(item) for item in items)]


def _index(item: Any) -> Any:
    if isinstance(item, dict):
        if {"start", "stop", "step"} <= set(item):
            return slice(item["start"], item["stop"], item["step"])
        if "ellipsis" in str(item.get("class_name")).lower():
            return Ellipsis
    if item == "Ellipsis":
        return Ellipsis
    if item is None or isinstance(item, int):
        return item
    raise ValueError(f"unknown index {str(item)[:100]}")


def strided_slice(
    tensor: Any, begin: Any, end: Any, strides: Any, begin_mask: int = 0, end_mask: int = 0, ellipsis_mask: int = 0,
    new_axis_mask: int = 0, shrink_axis_mask: int = 0,
) -> Tensor:  # fmt: skip
    """TensorFlow's form of an index: three lists of numbers, and bits that say what they are not to mean."""
    items: list[Any] = []
    for i, (start, stop, step) in enumerate(zip(begin, end, strides)):
        bit = 1 << i
        if ellipsis_mask & bit:
            items.append(Ellipsis)
        elif new_axis_mask & bit:
            items.append(None)
        elif shrink_axis_mask & bit:
            items.append(int(start))
        else:
            start, stop = None if begin_mask & bit else int(start), None if end_mask & bit else int(stop)
            items.append(slice(start, stop, int(step)))
    return tensor[tuple(items)]


_UNARY = {
    "abs": K.abs, "exp": K.exp, "log": K.log, "sqrt": K.sqrt, "square": K.square, "sign": K.sign, "sin": K.sin,
    "cos": K.cos, "tanh": K.tanh, "sigmoid": K.sigmoid, "round": K.round, "softplus": K.softplus,
}  # fmt: skip
_NAMED_OPS = {
    "negative": "neg", "rsqrt": "rsqrt", "reciprocal": "reciprocal", "log1p": "log1p", "expm1": "expm1",
    "floor": "floor", "ceil": "ceil", "erf": "erf", "logical_not": "logical_not", "is_nan": "is_nan", "is_inf": "is_inf",
}  # fmt: skip
_BINARY = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div", "truediv": "div", "floordiv": "floor_div",
    "floormod": "mod", "mod": "mod", "pow": "pow", "maximum": "maximum", "minimum": "minimum", "greater": "greater",
    "greater_equal": "greater_equal", "less": "less", "less_equal": "less_equal", "equal": "equal",
    "not_equal": "not_equal", "logical_and": "logical_and", "logical_or": "logical_or",
}  # fmt: skip
_REDUCE = {
    "reduce_sum": K.sum, "reduce_mean": K.mean, "reduce_max": K.max, "reduce_min": K.min, "reduce_prod": K.prod,
    "reduce_any": K.any, "reduce_all": K.all, "reduce_std": K.std, "reduce_variance": K.var,
    "reduce_logsumexp": K.logsumexp,
}  # fmt: skip

#: By the name that TFOpLambda layers hold: what follows ``tf.``
FUNCTIONS: dict[str, Callable] = {
    **{f"math.{name}": _unary(function) for name, function in _UNARY.items()},
    **{f"math.{name}": _op(op) for name, op in _NAMED_OPS.items()},
    **{f"math.{name}": _binary(op) for name, op in _BINARY.items()},
    **{f"math.{name}": _reduce(function) for name, function in _REDUCE.items()},
    "__operators__.add": _binary("add"), "__operators__.eq": _binary("equal"), "__operators__.ne": _binary("not_equal"),
    "__operators__.getitem": getitem,
    "math.squared_difference": _squared_difference, "math.argmax": _arg(K.argmax), "math.argmin": _arg(K.argmin),
    "math.cumsum": _cumulative(K.cumsum), "math.cumprod": _cumulative(K.cumprod), "math.add_n": _add_n,
    "math.l2_normalize": _l2_normalize, "linalg.l2_normalize": _l2_normalize, "nn.l2_normalize": _l2_normalize,
    "linalg.matmul": _matmul, "cast": _cast, "concat": _concat, "stack": _stack, "split": _split, "unstack": _unstack,
    "reshape": _reshape, "transpose": _transpose, "expand_dims": _expand_dims, "squeeze": _squeeze,
    "clip_by_value": _clip, "where": _where, "gather": _gather, "one_hot": _one_hot, "pad": _pad, "tile": _tile,
    "reverse": _reverse, "zeros_like": _like(K.zeros_like), "ones_like": _like(K.ones_like),
    "identity": _unary(K.identity), "stop_gradient": _unary(K.stop_gradient), "shape": _unary(K.shape),
    "nn.relu": _unary(K.relu), "nn.relu6": _unary(lambda x: K.relu(x, max_value=6.0)), "nn.elu": _unary(K.elu),
    "nn.selu": _op("selu"), "nn.softplus": _unary(K.softplus), "nn.softsign": _unary(K.softsign),
    "nn.tanh": _unary(K.tanh), "nn.sigmoid": _unary(K.sigmoid), "nn.silu": _swish, "nn.swish": _swish,
    "nn.gelu": _gelu, "nn.leaky_relu": _leaky_relu, "nn.softmax": _softmax, "nn.log_softmax": _log_softmax,
    "nn.bias_add": _bias_add,
}  # fmt: skip


def find(name: Any) -> Callable | None:
    """The function of a name as TFOpLambda layers hold it; some have TensorFlow 1's functions."""
    if not isinstance(name, str):
        return None
    name = name.removeprefix("compat.v1.")
    return FUNCTIONS.get(name) or FUNCTIONS.get(f"math.{name}")


# -- as nodes of a TensorFlow graph ---------------------------------------------------------------------------
_DTYPES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_INT32": "int32", "DT_INT64": "int64", "DT_BOOL": "bool",
           "DT_HALF": "float16"}  # fmt: skip
_SAME = {
    "Abs": "math.abs", "Exp": "math.exp", "Log": "math.log", "Sqrt": "math.sqrt", "Square": "math.square",
    "Sign": "math.sign", "Sin": "math.sin", "Cos": "math.cos", "Tanh": "math.tanh", "Sigmoid": "math.sigmoid",
    "Round": "math.round", "Softplus": "math.softplus", "Neg": "math.negative", "Rsqrt": "math.rsqrt",
    "Reciprocal": "math.reciprocal", "Inv": "math.reciprocal", "Log1p": "math.log1p", "Expm1": "math.expm1",
    "Floor": "math.floor", "Ceil": "math.ceil", "Erf": "math.erf", "LogicalNot": "math.logical_not",
    "IsNan": "math.is_nan", "IsInf": "math.is_inf", "Add": "math.add", "AddV2": "math.add", "Sub": "math.subtract",
    "Mul": "math.multiply", "RealDiv": "math.divide", "Div": "math.divide", "FloorDiv": "math.floordiv",
    "FloorMod": "math.floormod", "Pow": "math.pow", "Maximum": "math.maximum", "Minimum": "math.minimum",
    "Greater": "math.greater", "GreaterEqual": "math.greater_equal", "Less": "math.less",
    "LessEqual": "math.less_equal", "Equal": "math.equal", "NotEqual": "math.not_equal",
    "LogicalAnd": "math.logical_and", "LogicalOr": "math.logical_or", "SquaredDifference": "math.squared_difference",
    "Relu": "nn.relu", "Relu6": "nn.relu6", "Elu": "nn.elu", "Selu": "nn.selu", "Softsign": "nn.softsign",
    "Softmax": "nn.softmax", "LogSoftmax": "nn.log_softmax", "Reshape": "reshape", "Transpose": "transpose",
    "ExpandDims": "expand_dims", "Tile": "tile", "Identity": "identity", "StopGradient": "stop_gradient",
    "ZerosLike": "zeros_like", "OnesLike": "ones_like", "Select": "where", "SelectV2": "where", "Shape": "shape",
    "ClipByValue": "clip_by_value", "ReverseV2": "reverse", "Pad": "pad", "BiasAdd": "nn.bias_add",
}  # fmt: skip


def _node_of(name: str, *attributes: str, **renamed: str) -> Callable:
    """A node that has its arguments in order, and some as attributes."""

    def apply(attrs: dict, *inputs: Any) -> Any:
        own = {key: attrs[key] for key in attributes if key in attrs}
        own.update((to, attrs[key]) for key, to in renamed.items() if key in attrs)
        return FUNCTIONS[name](*inputs, **own)

    return apply


def _reduction(name: str) -> Callable:
    return lambda attrs, x, axis: FUNCTIONS[name](x, axis, attrs.get("keep_dims", False))


#: By the op of a TensorFlowOpLayer's ``node_def``: functions of its attributes and its inputs.
NODES: dict[str, Callable] = {
    **{op: _node_of(name) for op, name in _SAME.items()},
    **{op: _reduction(f"math.reduce_{op.lower()}") for op in ("Sum", "Mean", "Max", "Min", "Prod", "Any", "All")},
    "ConcatV2": lambda attrs, *inputs: _concat(inputs[:-1], inputs[-1]),
    "Pack": lambda attrs, *inputs: _stack(inputs, attrs.get("axis", 0)),
    "Unpack": lambda attrs, x: _unstack(x, axis=attrs.get("axis", 0)),
    "AddN": lambda attrs, *inputs: _add_n(inputs),
    "Split": lambda attrs, axis, x: _split(x, attrs["num_split"], axis),
    "SplitV": lambda attrs, x, sizes, axis: _split(x, sizes, axis),
    "Cast": lambda attrs, x: _cast(x, attrs["DstT"]),
    "Squeeze": _node_of("squeeze", "squeeze_dims"),
    "LeakyRelu": _node_of("nn.leaky_relu", "alpha"),
    "ArgMax": _node_of("math.argmax", "output_type"),
    "ArgMin": _node_of("math.argmin", "output_type"),
    "MatMul": _node_of("linalg.matmul", "transpose_a", "transpose_b"),
    "BatchMatMul": _node_of("linalg.matmul", adj_x="adjoint_a", adj_y="adjoint_b"),
    "BatchMatMulV2": _node_of("linalg.matmul", adj_x="adjoint_a", adj_y="adjoint_b"),
    "GatherV2": lambda attrs, x, indices, axis: _gather(x, indices, axis=axis),
    "OneHot": lambda attrs, x, depth, on, off: _one_hot(x, depth, on, off, attrs.get("axis", -1)),
    "Cumsum": _node_of("math.cumsum", "exclusive", "reverse"),
    "StridedSlice": lambda attrs, x, begin, end, strides: strided_slice(
        x, begin, end, strides, **{key: value for key, value in attrs.items() if key.endswith("_mask")}
    ),
}  # fmt: skip


def attributes(attr: dict) -> dict[str, Any]:
    """The plain values of a ``node_def``'s attributes."""
    return {name: _attribute(value) for name, value in attr.items()}


def _attribute(value: dict) -> Any:
    ((kind, content),) = value.items()
    if kind == "list":
        return [_attribute({inner: item}) for inner, items in content.items() for item in items]
    if kind == "i":
        return int(content)
    if kind == "type":
        return _DTYPES.get(content, content)
    return content
