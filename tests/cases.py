"""One table of calls of the backend's functions; backend/test_cases.py checks values and gradients of each.

A row names the function, describes its tensors, and gives the other arguments; :mod:`reference` has the function of
the same name. Where that is not enough, ``call`` is given: it is run with K and tensors, and with the reference and arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Array:
    """What a tensor of a case holds: a kind of numbers in a shape."""

    kind: str
    shape: tuple[int, ...]
    top: int = 0

    def draw(self, rng: np.random.RandomState) -> np.ndarray:
        if self.kind == "truth":
            return rng.uniform(size=self.shape) > 0.5
        if self.kind == "whole":
            return rng.randint(0, self.top, self.shape).astype("int32")
        if self.kind == "apart":
            count = int(np.prod(self.shape))
            return 0.2 * (rng.permutation(count).reshape(self.shape) - count // 2 + 0.37)
        low, high = {"real": (-2, 2), "positive": (0.3, 2), "shares": (0.1, 0.9), "unit": (0.1, 0.9)}[self.kind]
        x = rng.uniform(low, high, self.shape)
        return x / x.sum(-1, keepdims=True) if self.kind == "shares" else x


def real(*shape: int) -> Array:
    """Numbers of both signs."""
    return Array("real", shape)


def positive(*shape: int) -> Array:
    return Array("positive", shape)


def unit(*shape: int) -> Array:
    """Numbers inside (0, 1)."""
    return Array("unit", shape)


def shares(*shape: int) -> Array:
    """Positive numbers that sum to 1 over the last axis."""
    return Array("shares", shape)


def apart(*shape: int) -> Array:
    """Numbers far from each other and from round ones, where functions have kinks."""
    return Array("apart", shape)


def whole(top: int, *shape: int) -> Array:
    """Integers from 0 to top - 1."""
    return Array("whole", shape, top)


def truth(*shape: int) -> Array:
    return Array("truth", shape)


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes:
        name: of the function in K, and in :mod:`reference`.
        inputs: arrays to draw, and plain values; a list is passed as a list.
        arguments: the keyword arguments.
        call: what to call in place of the function: ``call(K, *inputs)``.
        smooth: whether gradients flow to the real inputs (those with fractions).
        rtol: how far float32 may be from the reference.
    """

    name: str
    inputs: tuple = ()
    arguments: dict[str, Any] = field(default_factory=dict)
    call: Callable | None = None
    smooth: bool = True
    rtol: float = 2e-5

    def __str__(self) -> str:
        def text(v: Any) -> str:
            if isinstance(v, Array):
                return f"{v.kind}{list(v.shape)}"
            return "[" + ", ".join(map(text, v)) + "]" if isinstance(v, list) else str(v)

        parts = [*map(text, self.inputs), *(f"{k}={v}" for k, v in self.arguments.items())]
        return f"{self.name}({', '.join(parts)})"

    def draw(self, dtype: str = "float64") -> list[np.ndarray]:
        """The arrays, the same at each call; those with fractions in ``dtype``."""
        rng = np.random.RandomState(7)
        drawn = [a.draw(rng) for a in self.arrays()]
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in drawn]

    def arrays(self) -> list[Array]:
        return [v for v in self._flat() if isinstance(v, Array)]

    def _flat(self) -> list:
        return [v for given in self.inputs for v in (given if isinstance(given, list) else [given])]

    def run(self, backend: Any, values: list) -> list:
        """The outputs of the call on ``values``, one per array."""
        rest = iter(values)

        def filled(v: Any) -> Any:
            if isinstance(v, list):
                return [filled(x) for x in v]
            return next(rest) if isinstance(v, Array) else v

        inputs = [filled(v) for v in self.inputs]
        if self.call is not None:
            out = self.call(backend, *inputs, **self.arguments)
        else:
            out = getattr(backend, self.name)(*inputs, **self.arguments)
        return list(out) if isinstance(out, (list, tuple)) else [out]


def case(
    name: str, *inputs: Any, call: Callable | None = None, smooth: bool = True, rtol: float = 2e-5, **arguments: Any
) -> Case:
    return Case(name, inputs, arguments, call, smooth, rtol)


def _each(name: str, *inputs: Any, **options: list) -> list[Case]:
    """A case for each value of the one option."""
    ((option, values),) = options.items()
    return [case(name, *inputs, **{option: value}) for value in values]


FIRST, LAST = {"data_format": "channels_first"}, {"data_format": "channels_last"}

ELEMENTWISE = [
    *(case(name, real(2, 3)) for name in ("square", "exp", "sin", "cos", "tanh", "sigmoid", "softplus", "elu")),
    *(case(name, apart(2, 3)) for name in ("abs", "softsign", "hard_sigmoid")),
    *(case(name, positive(2, 3)) for name in ("log", "sqrt")),
    case("sqrt", apart(5)),
    case("round", real(4, 3), smooth=False),
    case("sign", apart(4, 3), smooth=False),
    case("elu", real(5), alpha=0.5),
    case("pow", positive(2, 3), 2.5),
    case("pow", positive(2, 3), real(2, 3)),
    *(case("clip", apart(3, 4), *ends) for ends in ((-1.0, 0.5), (None, 0.5), (-1.0, None), (0.5, -1.0))),
    case("cast", real(3, 2), dtype="int32", smooth=False),
    case("cast", whole(5, 3, 2), dtype="float64", smooth=False),
    *(case(name, apart(2, 3), real(3)) for name in ("maximum", "minimum")),
    *(case(name, whole(3, 4, 5), whole(3, 5), smooth=False) for name in ("equal", "not_equal", "greater", "less")),
    *(case(name, real(4, 1), real(4, 5), smooth=False) for name in ("greater_equal", "less_equal")),
    *(
        case("relu", apart(4, 5), alpha=alpha, max_value=top, threshold=threshold)
        for alpha in (0.0, 0.1)
        for top in (None, 1.1, 6)
        for threshold in (0.0, 0.3, -0.7)
    ),
    case("identity", real(2, 3)),
    case("stop_gradient", real(2, 3), smooth=False),
    case("switch", truth(3, 2), real(3, 2), real(3, 2)),
    case("switch", truth(3), real(3, 2), real(3, 2)),
    case("switch", True, real(3, 2), 2.0, call=lambda B, c, x, y: B.switch(c, x, y)),
    case("in_train_phase", real(3), real(3), call=lambda B, x, y: B.in_train_phase(x, y, training=1) + y),
    case("in_test_phase", real(3), real(3), call=lambda B, x, y: B.in_test_phase(x, y, training=1) + x),
]  # fmt: skip

AXES = (None, 1, -1, [0, 2], (0, 1, 2))
REDUCTIONS = [
    *(
        case(name, array(2, 3, 2), axis=axis, keepdims=keepdims)
        for name, array in (
            ("sum", real), ("mean", real), ("prod", positive), ("max", apart), ("min", apart), ("var", real), ("std", real),
            ("logsumexp", real),
        )
        for axis in AXES
        for keepdims in (False, True)
    ),
    *(case(name, truth(2, 3, 2), axis=axis, smooth=False) for name in ("any", "all") for axis in AXES),
    case("mean", truth(3, 4), axis=1, smooth=False),
    *(case(name, apart(3, 4), axis=axis, smooth=False) for name in ("argmax", "argmin") for axis in (0, 1, -1)),
    *(case(name, positive(3, 4), axis=axis) for name in ("cumsum", "cumprod") for axis in (0, 1, -1)),
    *_each("l2_normalize", real(3, 4), axis=[None, 0, -1]),
]  # fmt: skip

PRODUCTS = [
    case("dot", real(2, 3), real(3, 4)),
    case("dot", real(2, 2, 3), real(3, 2)),
    case("dot", real(2, 3), real(2, 3, 2)),
    case("dot", real(2, 1, 3), real(2, 3, 2)),
    case("dot", real(2, 3), real(3)),
    case("dot", real(3), real(3)),
    case("batch_dot", real(2, 3), real(2, 3)),
    case("batch_dot", real(2, 3, 2), real(2, 2, 4)),
    case("batch_dot", real(2, 3), real(2, 3), axes=1),
    case("batch_dot", real(2, 3, 2), real(2, 4, 2), axes=2),
    case("batch_dot", real(2, 3, 2), real(2, 3, 4), axes=[1, 1]),
    case("batch_dot", real(2, 3, 2), real(2, 2), axes=(2, 1)),
    case("batch_dot", real(2, 3), real(2, 4, 3), axes=(1, 2)),
    case("batch_dot", real(2, 2, 3, 2), real(2, 3, 2), axes=(2, 1)),
    case("batch_dot", real(2, 2, 3, 2), real(2, 2, 3, 2), axes=(-1, -1)),
    case("transpose", real(2, 3)),
    case("transpose", real(2, 3, 4)),
    case("gather", real(4, 3), whole(4, 5)),
    case("gather", real(4, 3), whole(4, 2, 2)),
]

SHAPES = [
    *_each("reshape", real(2, 6), shape=[(3, 4), (-1, 3), (2, 3, 2), (12,)]),
    case("reshape", real(2, 6), call=lambda B, x: B.reshape(x, (B.shape(x)[0], -1, 3))),
    case("permute_dimensions", real(2, 3, 2), (2, 0, 1)),
    case("permute_dimensions", real(2, 3, 2), (0, -1, 1)),
    *_each("expand_dims", real(2, 3), axis=[0, 1, -1, -2]),
    *_each("squeeze", real(1, 2, 1), axis=[0, 2, -1]),
    case("flatten", real(2, 3, 2)),
    case("batch_flatten", real(2, 3, 2)),
    *_each("concatenate", [real(2, 3), real(2, 3)], axis=[0, 1, -1]),
    case("concatenate", [real(2, 1), real(2, 3), real(2, 2)]),
    *_each("stack", [real(2, 3), real(2, 3)], axis=[0, 1, 2, -1]),
    *_each("tile", real(2, 3), n=[2, (2, 1), (1, 3), (2, 2)]),
    case("repeat", real(2, 3), 3),
    *(case("repeat_elements", real(2, 3), 2, axis) for axis in (0, 1, -1)),
    *_each("reverse", real(2, 3, 2), axes=[0, -1, (0, 2)]),
    case("slice", real(3, 4), (1, 0), (2, 3)),
    case("slice", real(3, 4), (1, 2), (-1, 2)),
    case("temporal_padding", real(2, 3, 2)),
    case("temporal_padding", real(2, 3, 2), padding=(0, 2)),
    case("spatial_2d_padding", real(1, 2, 3, 1), padding=((1, 0), (2, 1))),
    case("spatial_2d_padding", real(1, 1, 2, 3), **FIRST),
    case("spatial_3d_padding", real(1, 2, 1, 2, 1), padding=((1, 0), (0, 1), (2, 0))),
    case("spatial_3d_padding", real(1, 1, 2, 1, 2), **FIRST),
    case("one_hot", whole(4, 3), 4, smooth=False),
    case("one_hot", whole(5, 2, 3), 4, smooth=False),
    case("arange", 5, call=lambda B, n: B.arange(n), smooth=False),
    case("arange", 2, 9, 3, call=lambda B, *n: B.arange(*n), smooth=False),
    case("arange", 5, -1, -2, call=lambda B, *n: B.arange(*n, dtype="float32"), smooth=False),
    case("arange", real(2, 5), call=lambda B, x: x + B.cast(B.arange(0, B.shape(x)[1]), x.dtype)),
    case("shape", real(2, 3), smooth=False),
    case("size", real(2, 3), smooth=False),
    case("zeros_like", real(2, 3), smooth=False),
    case("ones_like", real(2, 3), smooth=False),
    *(case(name, shape=shape, smooth=False) for name in ("zeros", "ones") for shape in ((2, 3), 4)),
    case("eye", 3, smooth=False),
]  # fmt: skip

IMAGES = [
    *(case("conv1d", real(2, 6, 2), real(3, 2, 2), padding=padding) for padding in ("valid", "same", "causal")),
    case("conv1d", real(2, 7, 2), real(2, 2, 2), strides=2, padding="same"),
    case("conv1d", real(1, 7, 2), real(2, 2, 1), dilation_rate=2, padding="causal"),
    case("conv1d", real(2, 2, 6), real(3, 2, 2), **FIRST),
    *(case("conv2d", real(1, 4, 4, 2), real(2, 3, 2, 2), padding=padding) for padding in ("valid", "same")),
    case("conv2d", real(1, 5, 4, 1), real(2, 2, 1, 2), strides=(2, 1), padding="same"),
    case("conv2d", real(1, 5, 5, 1), real(2, 2, 1, 2), dilation_rate=(2, 1)),
    case("conv2d", real(1, 2, 4, 4), real(2, 3, 2, 2), padding="same", **FIRST),
    case("conv3d", real(1, 3, 3, 3, 1), real(2, 2, 2, 1, 2)),
    case("conv3d", real(1, 3, 4, 3, 1), real(2, 2, 1, 1, 2), strides=(2, 1, 1), padding="same"),
    case("conv3d", real(1, 1, 3, 3, 3), real(2, 1, 2, 1, 2), dilation_rate=(1, 1, 2), **FIRST),
    case("conv2d_transpose", real(1, 3, 3, 2), real(2, 2, 1, 2), (1, 4, 4, 1)),
    case("conv2d_transpose", real(1, 2, 3, 2), real(3, 2, 1, 2), (1, 4, 6, 1), strides=(2, 2), padding="same"),
    case("conv2d_transpose", real(1, 2, 3, 2), real(3, 2, 1, 2), (1, 5, 6, 1), strides=(2, 2)),
    case("conv2d_transpose", real(1, 3, 3, 1), real(2, 2, 1, 1), (1, 5, 4, 1), dilation_rate=(2, 1)),
    case("conv2d_transpose", real(1, 2, 3, 3), real(2, 2, 1, 2), (1, 1, 4, 4), **FIRST),
    case("conv3d_transpose", real(1, 2, 2, 2, 1), real(2, 1, 2, 1, 1), (1, 3, 2, 3, 1)),
    case("conv3d_transpose", real(1, 2, 2, 1, 1), real(2, 2, 2, 1, 1), (1, 4, 2, 2, 1), strides=(2, 1, 2), padding="same"),
    case("conv3d_transpose", real(1, 1, 2, 2, 2), real(2, 1, 2, 1, 1), (1, 1, 3, 2, 3), **FIRST),
    *(case("depthwise_conv2d", real(1, 4, 3, 2), real(2, 2, 2, 2), padding=padding) for padding in ("valid", "same")),
    case("depthwise_conv2d", real(1, 2, 5, 4), real(2, 2, 2, 1), strides=(2, 2), padding="same", **FIRST),
    case("depthwise_conv2d", real(1, 5, 4, 1), real(2, 2, 1, 2), dilation_rate=(2, 2)),
    case("separable_conv1d", real(1, 5, 2), real(3, 2, 1), real(1, 2, 2), padding="same"),
    case("separable_conv1d", real(1, 2, 5), real(2, 2, 2), real(1, 4, 1), strides=2, **FIRST),
    case("separable_conv2d", real(1, 4, 3, 2), real(2, 2, 2, 1), real(1, 1, 2, 2), padding="same"),
    case("separable_conv2d", real(1, 2, 4, 3), real(2, 2, 2, 1), real(1, 1, 2, 2), dilation_rate=(2, 1), **FIRST),
    *(
        case("pool2d", apart(1, 5, 4, 1), (2, 2), pool_mode=mode, padding=padding, strides=(2, 1))
        for mode in ("max", "avg")
        for padding in ("valid", "same")
    ),
    case("pool2d", apart(1, 2, 3, 3), (2, 3), pool_mode="avg", padding="same", **FIRST),
    *(
        case("pool3d", apart(1, 3, 3, 2, 1), (2, 2, 1), pool_mode=mode, padding="same", strides=(2, 1, 1))
        for mode in ("max", "avg")
    ),
    case("pool3d", apart(1, 1, 3, 3, 2), (2, 2, 2), **FIRST),
    case("local_conv1d", real(2, 5, 2), real(2, 6, 2), (3,), (2,)),
    case("local_conv2d", real(1, 3, 4, 2), real(6, 8, 2), (2, 2), (1, 1), (2, 3)),
    case("local_conv2d", real(1, 2, 3, 4), real(6, 8, 1), (2, 2), (1, 1), (2, 3), **FIRST),
    *(case("bias_add", real(*(2, 3, 2, 2)[:rank], 4), real(4)) for rank in (1, 2, 3, 4)),
    *(case("bias_add", real(2, 4, *(3, 2, 2)[:rank]), real(4), **FIRST) for rank in (0, 1, 2, 3)),
    case("bias_add", real(2, 3, 4), real(3, 4)),
    case("bias_add", real(2, 4, 3), real(3, 4), **FIRST),
    case("bias_add", real(1, 2, 3, 2), real(3, 2, 2), **FIRST),
    case("resize_images", real(1, 2, 3, 1), 2, 3, **LAST),
    case("resize_images", real(1, 1, 2, 3), 2, 1, **FIRST),
    case("resize_images", real(1, 2, 3, 1), 2, 3, interpolation="bilinear", **LAST),
    case("resize_images", real(1, 1, 3, 2), 3, 2, interpolation="bilinear", **FIRST),
    case("resize_volumes", real(1, 2, 1, 2, 1), 2, 3, 1, **LAST),
    case("resize_volumes", real(1, 1, 2, 1, 2), 2, 1, 2, **FIRST),
]  # fmt: skip

NETWORKS = [
    *_each("softmax", real(2, 3, 2), axis=[-1, 0, 1]),
    case("normalize_batch_in_training", real(4, 3), real(3), real(3), [0]),
    case("normalize_batch_in_training", real(2, 3, 2), real(3), real(3), [0, 2]),
    case("normalize_batch_in_training", real(3, 2, 2), None, real(2, 2), [0]),
    case("batch_normalization", real(4, 3), real(3), positive(3), real(3), real(3)),
    case("batch_normalization", real(2, 3, 2), real(3), positive(3), real(3), None, axis=1),
    case("batch_normalization", real(2, 3), real(1, 3), positive(1, 3), None, real(1, 3), epsilon=0.1),
    *(case("categorical_crossentropy", shares(3, 4), positive(3, 4), from_logits=logits) for logits in (False, True)),
    case("categorical_crossentropy", unit(2, 3, 2), positive(2, 3, 2), axis=1),
    *(
        case("sparse_categorical_crossentropy", whole(4, 3), positive(3, 4), from_logits=True),
        case("sparse_categorical_crossentropy", whole(4, 3), shares(3, 4)),
        case("sparse_categorical_crossentropy", whole(3, 2, 2), shares(2, 2, 3)),
        case("sparse_categorical_crossentropy", whole(3, 2, 2), unit(2, 3, 2), axis=1),
    ),
    case("sparse_categorical_crossentropy", whole(4, 3, 2), shares(3, 2, 4), ignore_class=1),
    case("binary_focal_crossentropy", unit(3, 2), unit(3, 2)),
    case("binary_focal_crossentropy", unit(3, 2), real(3, 2), True, 0.3, 1.5, from_logits=True),
    case("categorical_focal_crossentropy", unit(2, 3, 2), positive(2, 3, 2), axis=1),
    case("categorical_focal_crossentropy", shares(3, 2), real(3, 2), [0.5, 2.0], 1.5, from_logits=True),
    case("binary_crossentropy", unit(3, 2), unit(3, 2)),
    case("binary_crossentropy", unit(3, 2), real(3, 2), from_logits=True),
    case("in_top_k", apart(4, 5), whole(5, 4), 2, smooth=False),
    case("ctc_batch_cost", np.array([[0, 1], [1, 1]]), shares(2, 4, 3), np.array([[4], [3]]), np.array([[2], [1]])),
]  # fmt: skip


def _simple_rnn(B, x, h, w, u, **options):
    def step(inputs, states):
        new = B.tanh(B.dot(inputs, w) + B.dot(states[0], u))
        return new, [new]

    last, outputs, states = B.rnn(step, x, [h], **options)
    return [last, outputs, *states]


def _gated(B, x, h, gate, **options):
    def step(inputs, states):
        return states[0] * states[1] + inputs, [states[0] + inputs]

    last, outputs, states = B.rnn(step, x, [h], constants=[gate], **options)
    return [last, outputs, *states]


FUNCTIONS = [
    case("map_fn", real(4, 3), call=lambda B, x: B.map_fn(lambda row: B.square(row) + 1, x)),
    case("foldl", real(4, 3), call=lambda B, x: B.foldl(lambda total, row: total * row + 1, x)),
    case("foldl", real(4, 3), real(3), call=lambda B, x, s: B.foldl(lambda total, row: total * row, x, s)),
    case("foldr", real(4, 3), call=lambda B, x: B.foldr(lambda total, row: total * row + 1, x)),
    *(
        case("rnn", real(2, 3, 2), real(2, 2), real(2, 2), real(2, 2), go_backwards=back, unroll=unroll, call=_simple_rnn)
        for back in (False, True)
        for unroll in (False, True)
    ),
    case("rnn", real(3, 2, 2), real(2, 2), real(2, 2), real(2, 2), time_major=True, call=_simple_rnn),
    case("rnn", real(2, 3, 2), real(2, 2), real(2, 2), real(2, 2), return_all_outputs=False, call=_simple_rnn),
    case("rnn", real(2, 3, 2), real(2, 2), real(2, 2), call=_gated),
]  # fmt: skip

CASES = [*ELEMENTWISE, *REDUCTIONS, *PRODUCTS, *SHAPES, *IMAGES, *NETWORKS, *FUNCTIONS]
