"""Nodes of TensorFlow's graph that models of tf.keras 1.15 to 2.3 hold as layers, as functions of :mod:`hornbeam.tf`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tf import PURE

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
        return PURE[name](*inputs, **own)

    return apply


def _reduction(name: str) -> Callable:
    return lambda attrs, x, axis: PURE[name](x, axis, attrs.get("keep_dims", False))


#: By the op of a TensorFlowOpLayer's ``node_def``: functions of its attributes and its inputs.
NODES: dict[str, Callable] = {
    **{op: _node_of(name) for op, name in _SAME.items()},
    **{op: _reduction(f"math.reduce_{op.lower()}") for op in ("Sum", "Mean", "Max", "Min", "Prod", "Any", "All")},
    "ConcatV2": lambda attrs, *inputs: PURE["concat"](inputs[:-1], inputs[-1]),
    "Pack": lambda attrs, *inputs: PURE["stack"](inputs, attrs.get("axis", 0)),
    "Unpack": lambda attrs, x: PURE["unstack"](x, axis=attrs.get("axis", 0)),
    "AddN": lambda attrs, *inputs: PURE["add_n"](inputs),
    "Split": lambda attrs, axis, x: PURE["split"](x, attrs["num_split"], axis),
    "SplitV": lambda attrs, x, sizes, axis: PURE["split"](x, sizes, axis),
    "Cast": lambda attrs, x: PURE["cast"](x, attrs["DstT"]),
    "Squeeze": _node_of("squeeze", "squeeze_dims"),
    "LeakyRelu": _node_of("nn.leaky_relu", "alpha"),
    "ArgMax": _node_of("math.argmax", "output_type"),
    "ArgMin": _node_of("math.argmin", "output_type"),
    "MatMul": _node_of("linalg.matmul", "transpose_a", "transpose_b"),
    "BatchMatMul": _node_of("linalg.matmul", adj_x="adjoint_a", adj_y="adjoint_b"),
    "BatchMatMulV2": _node_of("linalg.matmul", adj_x="adjoint_a", adj_y="adjoint_b"),
    "GatherV2": lambda attrs, x, indices, axis: PURE["gather"](x, indices, axis=axis),
    "OneHot": lambda attrs, x, depth, on, off: PURE["one_hot"](x, depth, on, off, attrs.get("axis", -1)),
    "Cumsum": _node_of("math.cumsum", "exclusive", "reverse"),
    "StridedSlice": lambda attrs, x, begin, end, strides: PURE["strided_slice"](
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
