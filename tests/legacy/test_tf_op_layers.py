"""Layers that tf.keras made of TensorFlow's functions: each function against NumPy, calls in every form that files have."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import Dense, Input
from hornbeam.layers import deserialize as deserialize_layer
from hornbeam.legacy.tf_op_layers import SlicingOpLambda, TensorFlowOpLayer, TFOpLambda
from hornbeam.legacy.tf_ops import NODES
from hornbeam.models import Model, clone_model, model_from_json
from hornbeam.tf import PURE as FUNCTIONS
from hornbeam.tf import find

A = np.random.RandomState(0).uniform(0.1, 2.0, (2, 3, 4)).astype("float32")
B = np.random.RandomState(1).uniform(0.1, 2.0, (2, 3, 4)).astype("float32")
a, b = A.astype("float64"), B.astype("float64")
NORM = np.sqrt((a**2).sum(-1, keepdims=True))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def exp_share(x):
    return np.exp(x) / np.exp(x).sum(-1, keepdims=True)


erf = np.vectorize(__import__("math").erf)
SELU = (1.6732632423543772, 1.0507009873554805)

#: function, further arguments, what NumPy says for A (and B)
CASES = [
    *[(f"math.{name}", {}, getattr(np, name)(a))
      for name in ("abs", "exp", "log", "sqrt", "square", "sign", "sin", "cos", "tanh", "negative", "reciprocal", "log1p",
                   "expm1", "floor", "ceil")],
    ("math.round", {}, np.round(a)), ("math.sigmoid", {}, sigmoid(a)), ("math.softplus", {}, np.log1p(np.exp(a))),
    ("math.rsqrt", {}, a**-0.5), ("math.erf", {}, erf(a)), ("math.is_nan", {}, np.isnan(a)), ("math.is_inf", {}, np.isinf(a)),
    *[(f"math.{name}", {"y": 0.7}, result) for name, result in (
        ("add", a + 0.7), ("subtract", a - 0.7), ("multiply", a * 0.7), ("divide", a / 0.7), ("truediv", a / 0.7),
        ("floordiv", a // 0.7), ("floormod", a % 0.7), ("mod", a % 0.7), ("pow", a**0.7), ("maximum", np.maximum(a, 0.7)),
        ("minimum", np.minimum(a, 0.7)), ("greater", a > 0.7), ("greater_equal", a >= 0.7), ("less", a < 0.7),
        ("less_equal", a <= 0.7), ("equal", a == 0.7), ("not_equal", a != 0.7), ("squared_difference", (a - 0.7) ** 2))],
    ("__operators__.add", {"y": 2.0, "name": None}, a + 2), ("__operators__.eq", {"y": 2.0}, a == 2),
    ("__operators__.ne", {"y": 2.0}, a != 2),
    ("__operators__.getitem", {"slice_spec": [0, {"start": 1, "stop": None, "step": None}]}, a[0, 1:]),
    ("__operators__.getitem", {"slice_spec": [{"class_name": "__ellipsis__", "config": {}}, None, -1]}, a[..., None, -1]),
    *[(f"math.reduce_{name}", {"axis": [1, 2], "keepdims": True}, getattr(np, name)(a, (1, 2), keepdims=True))
      for name in ("sum", "mean", "max", "min", "prod", "std")],
    ("math.reduce_sum", {}, a.sum()), ("math.reduce_variance", {"axis": -1}, a.var(-1)),
    ("math.reduce_logsumexp", {"axis": -1}, np.log(np.exp(a).sum(-1))),
    ("math.argmax", {"axis": -1}, a.argmax(-1)), ("math.argmin", {"axis": 1, "output_type": "int32"}, a.argmin(1)),
    ("math.cumsum", {"axis": 1}, a.cumsum(1)), ("math.cumprod", {"axis": 2}, a.cumprod(2)),
    ("math.l2_normalize", {"axis": -1}, a / NORM), ("nn.l2_normalize", {"axis": [-1]}, a / NORM),
    ("linalg.l2_normalize", {"axis": -1}, a / NORM),
    ("linalg.matmul", {"b": b.transpose(0, 2, 1).tolist()}, a @ b.transpose(0, 2, 1)),
    ("linalg.matmul", {"b": b.tolist(), "transpose_b": True}, a @ b.transpose(0, 2, 1)),
    ("cast", {"dtype": "int32"}, a.astype("int32")), ("split", {"num_or_size_splits": 2, "axis": -1}, np.split(a, 2, -1)),
    ("split", {"num_or_size_splits": [1, 3], "axis": 2}, [a[..., :1], a[..., 1:]]),
    ("unstack", {"axis": 1}, [a[:, 0], a[:, 1], a[:, 2]]), ("reshape", {"shape": [-1, 12]}, a.reshape(-1, 12)),
    ("transpose", {"perm": [0, 2, 1]}, a.transpose(0, 2, 1)), ("transpose", {}, a.T),
    ("expand_dims", {"axis": 1}, a[:, None]), ("clip_by_value", {"clip_value_min": 0.5, "clip_value_max": 1.0}, a.clip(0.5, 1)),
    ("gather", {"indices": [2, 0], "axis": 1}, a[:, [2, 0]]), ("pad", {"paddings": [[0, 0], [1, 0], [0, 2]]},
                                                               np.pad(a, [(0, 0), (1, 0), (0, 2)])),
    ("tile", {"multiples": [1, 2, 1]}, np.tile(a, (1, 2, 1))), ("reverse", {"axis": [1]}, a[:, ::-1]),
    ("zeros_like", {}, a * 0), ("ones_like", {"dtype": None}, a * 0 + 1), ("identity", {}, a), ("stop_gradient", {}, a),
    ("shape", {}, np.array(a.shape)), ("nn.relu", {}, a), ("nn.relu6", {}, a.clip(0, 6)), ("nn.elu", {}, a),
    ("nn.selu", {}, SELU[1] * a), ("nn.softplus", {}, np.log1p(np.exp(a))), ("nn.softsign", {}, a / (1 + a)),
    ("nn.tanh", {}, np.tanh(a)), ("nn.sigmoid", {}, sigmoid(a)), ("nn.silu", {}, a * sigmoid(a)),
    ("nn.swish", {"beta": 2.0}, a * sigmoid(2 * a)), ("nn.gelu", {}, a * 0.5 * (1 + erf(a / np.sqrt(2)))),
    ("nn.gelu", {"approximate": True}, 0.5 * a * (1 + np.tanh(np.sqrt(2 / np.pi) * (a + 0.044715 * a**3)))),
    ("nn.leaky_relu", {"alpha": 0.1}, a), ("nn.softmax", {"axis": -1}, exp_share(a)),
    ("nn.log_softmax", {}, np.log(exp_share(a))), ("nn.bias_add", {"bias": [1.0, 2.0, 3.0, 4.0]}, a + [1, 2, 3, 4]),
]  # fmt: skip
ON_OTHERS = [
    ("math.logical_not", [A > 1], {}, a <= 1), ("math.logical_and", [A > 1], {"y": (B > 1).tolist()}, (a > 1) & (b > 1)),
    ("math.logical_or", [A > 1], {"y": (B > 1).tolist()}, (a > 1) | (b > 1)),
    ("math.reduce_any", [A > 1], {"axis": 1}, (a > 1).any(1)), ("math.reduce_all", [A > 1], {"axis": 1}, (a > 1).all(1)),
    ("concat", [A, B], {"axis": -1}, np.concatenate([a, b], -1)), ("stack", [A, B], {"axis": 1}, np.stack([a, b], 1)),
    ("math.add_n", [A, B, A], {}, a + b + a), ("where", [A > 1], {"x": 2.0, "y": B.tolist()}, np.where(a > 1, 2.0, b)),
    ("squeeze", [A[:, :1]], {"axis": [1]}, a[:, 0]), ("squeeze", [A[:1, :, :1]], {}, a[0, :, 0]),
    ("one_hot", [np.array([2, 0])], {"depth": 3, "on_value": 5.0}, 5 * np.eye(3)[[2, 0]]),
]  # fmt: skip


def check(got, expected):
    got, expected = (x if isinstance(x, list) else [x] for x in (got, expected))
    for x, y in zip(got, expected, strict=True):
        np.testing.assert_allclose(K.eval(x), y, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("function, arguments, expected", CASES, ids=[c[0] for c in CASES])
def test_function(function, arguments, expected):
    check(FUNCTIONS[function](K.constant(A), **arguments), expected)


@pytest.mark.parametrize("function, inputs, arguments, expected", ON_OTHERS, ids=[c[0] for c in ON_OTHERS])
def test_function_of_other_things(function, inputs, arguments, expected):
    tensors = [K.constant(x, x.dtype.name) for x in inputs]
    check(
        FUNCTIONS[function](tensors if function in ("concat", "stack", "math.add_n") else tensors[0], **arguments),
        expected,
    )


def integer(value):
    return {"i": str(value)}


@pytest.mark.parametrize(
    "op, attr, arguments, expected",
    [
        ("Mul", {}, [A, 2.0], a * 2), ("Mul", {}, [2.0, A], a * 2), ("AddV2", {}, [A, B], a + b), ("Relu", {}, [A], a),
        ("Mean", {"keep_dims": {"b": True}}, [A, [1, 2]], a.mean((1, 2), keepdims=True)), ("Sum", {}, [A, 1], a.sum(1)),
        ("ConcatV2", {"N": integer(2)}, [A, B, -1], np.concatenate([a, b], -1)),
        ("Pack", {"axis": integer(1)}, [A, B], np.stack([a, b], 1)), ("AddN", {}, [A, B], a + b),
        ("Unpack", {"axis": integer(1)}, [A], [a[:, i] for i in range(3)]),
        ("Split", {"num_split": integer(2)}, [2, A], np.split(a, 2, 2)), ("SplitV", {}, [A, [1, 3], 2], [a[..., :1], a[..., 1:]]),
        ("Cast", {"DstT": {"type": "DT_INT32"}}, [A], a.astype(int)), ("Reshape", {}, [A, [2, 12]], a.reshape(2, 12)),
        ("Squeeze", {"squeeze_dims": {"list": {"i": ["1"]}}}, [A[:, :1]], a[:, 0]), ("ExpandDims", {}, [A, 1], a[:, None]),
        ("LeakyRelu", {"alpha": {"f": 0.3}}, [-A], -0.3 * a), ("ArgMax", {"output_type": {"type": "DT_INT64"}}, [A, 1], a.argmax(1)),
        ("BatchMatMulV2", {"adj_x": {"b": False}, "adj_y": {"b": True}}, [A, B], a @ b.transpose(0, 2, 1)),
        ("MatMul", {"transpose_a": {"b": True}, "transpose_b": {"b": False}}, [A[0], B[0]], a[0].T @ b[0]),
        ("GatherV2", {}, [A, [1], 1], a[:, [1]]), ("Transpose", {}, [A, [1, 0, 2]], a.transpose(1, 0, 2)),
        ("OneHot", {"axis": integer(-1)}, [np.array([1, 0]), 2, 1.0, 0.0], np.eye(2)[[1, 0]]),
        ("Cumsum", {"exclusive": {"b": False}}, [A, 1], a.cumsum(1)), ("SelectV2", {}, [A > 1, A, B], np.where(a > 1, a, b)),
        ("StridedSlice", {"begin_mask": integer(1), "end_mask": integer(1), "shrink_axis_mask": integer(4)},
         [A, [0, 1, 2], [0, 3, 3], [1, 1, 1]], a[:, 1:3, 2]),
        ("StridedSlice", {"ellipsis_mask": integer(1), "new_axis_mask": integer(2)}, [A, [0, 0], [0, 0], [1, 1]], a[..., None]),
    ],
)  # fmt: skip
def test_node(op, attr, arguments, expected):
    numbers = [i for i, x in enumerate(arguments) if not isinstance(x, np.ndarray)]
    node = {"name": "n", "op": op, "input": [], "attr": {"T": {"type": "DT_FLOAT"}, **attr}}
    layer = TensorFlowOpLayer(node, {str(i): arguments[i] for i in numbers})
    tensors = [K.constant(x, x.dtype.name) for x in arguments if isinstance(x, np.ndarray)]
    check(layer.call(tensors), expected)
    assert TensorFlowOpLayer.from_config(layer.get_config()).get_config() == layer.get_config()


def test_every_node_is_a_function():
    assert all(callable(node) for node in NODES.values()) and {"Mul", "Pow", "SquaredDifference"} <= set(NODES)


def test_functions_of_tensorflow_1():
    check(FUNCTIONS["squeeze"](K.constant(A[:, :1]), squeeze_dims=[1]), a[:, 0])
    assert find("compat.v1.transpose") is FUNCTIONS["transpose"]
    check(find("compat.v1.reduce_sum")(K.constant(A), reduction_indices=[1], keep_dims=True), a.sum(1, keepdims=True))
    check(find("compat.v1.expand_dims")(K.constant(A), dim=1), a[:, None])


@pytest.mark.parametrize("nothing", ["compat.v1.py_func", "", None, ["math.add"]], ids=str)
def test_names_of_no_function(nothing):
    assert find(nothing) is None


@pytest.mark.parametrize(
    "kind, config, message",
    [
        ("TFOpLambda", {"function": "linalg.svd"}, r"needs the function tf\.linalg\.svd"),
        ("TFOpLambda", {"function": "io.read_file"}, r"needs the function tf\.io\.read_file"),
        ("TensorFlowOpLayer", {"node_def": {"op": "PyFunc"}}, "needs TensorFlow's op PyFunc"),
    ],
    ids=str,
)
def test_unknown_functions_say_which(kind, config, message):
    with pytest.raises(ValueError, match=message):
        deserialize_layer({"class_name": kind, "config": {"name": "f", **config}})


def op_model():
    """Numbers first, tensors as keywords and in lists, slices, several outputs."""
    x = Input((4,), name="x")
    h = Dense(4, name="h")(x)
    y = TFOpLambda("math.subtract", name="tf.math.subtract")(2.0, y=h)
    y = TFOpLambda("math.multiply", name="tf.math.multiply")(y, y=x)
    y = TFOpLambda("concat", name="tf.concat")([y, h], axis=-1)
    first, second = TFOpLambda("split", name="tf.split")(y, num_or_size_splits=2, axis=-1)
    y = TFOpLambda("__operators__.add", name="tf.__operators__.add")(first, y=second)
    spec = [{"start": None, "stop": None, "step": None}, {"start": 1, "stop": 3, "step": None}]
    return Model(x, SlicingOpLambda("__operators__.getitem", name="slice")(y, slice_spec=spec))


def test_calls_come_back_from_a_file(rng):
    model = op_model()
    x = rng.rand(3, 4).astype("float32")
    calls = {layer["name"]: layer["inbound_nodes"] for layer in model.get_config()["layers"]}
    assert calls["tf.math.subtract"] == [["_CONSTANT_VALUE", -1, 2.0, {"y": ["h", 0, 0]}]]
    assert calls["tf.math.multiply"] == [["tf.math.subtract", 0, 0, {"y": ["x", 0, 0]}]]
    assert calls["tf.concat"] == [[["tf.math.multiply", 0, 0, {"axis": -1}], ["h", 0, 0, {"axis": -1}]]]
    for again in (model_from_json(model.to_json()), clone_model(model)):
        again.set_weights(model.get_weights())
        assert np.array_equal(again.predict(x), model.predict(x))
    h = x @ model.get_weights()[0]
    np.testing.assert_allclose(model.predict(x), ((2 - h) * x + h)[:, 1:3], rtol=1e-5, atol=1e-5)
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.train_on_batch(x, np.zeros((3, 2)))
    assert not np.array_equal(model.get_weights()[0], before)
