"""Random models of layers, for the fuzzer: a pure function of a seed and of floatx."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model
from random_programs import REFUSED

ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "hard_sigmoid", "softplus", "softsign", "selu", "elu", "softmax")
LENGTHS = (1, 2, 3, 4, 5, 7, 8, 9, 13, 17)


class Plan:
    """A model in the making: tensors made so far, and the layers that made them."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 2])
        self.batch = self.length()
        self.inputs: list[Any] = []
        self.feeds: list[np.ndarray] = []
        self.tensors: list[Any] = []
        self.layers: list[tuple[Any, tuple]] = []
        self.refused = 0
        self.is_random = False  # whether training draws numbers

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def among(self, items: Sequence[Any]) -> Any:
        return items[int(self.rng.integers(len(items)))]

    def length(self, at_most: int = 20) -> int:
        return min(int(self.among(LENGTHS)), at_most)

    def add_input(self) -> None:
        rank = self.among([1, 2, 2, 2, 3, 3, 4])
        if rank == 1 and self.chance(0.3):  # words
            words, steps = self.length() + 1, self.length(9)
            self.inputs.append(L.Input((steps,)))
            self.feeds.append(self.rng.integers(0, words, (self.batch, steps)).astype(K.floatx()))
            embedding = L.Embedding(words, self.length(), mask_zero=self.chance(0.7))
            self.tensors.append(embedding(self.inputs[-1]))
            return
        shape = [self.length(9 if rank > 1 else 20) for _ in range(rank)]
        if rank == 4:
            shape = [self.length(4), self.length(5), self.length(5), self.length(4)]
        value = self.rng.normal(size=(self.batch, *shape))
        known = [None if rank in (2, 3) and axis == 0 and self.chance(0.3) else n for axis, n in enumerate(shape)]
        self.inputs.append(L.Input(known))
        x = self.inputs[-1]
        if rank == 2 and self.chance(0.3):
            value[self.rng.random(value.shape[:2]) < 0.3] = 0
            x = L.Masking()(x)
        self.feeds.append(value.astype(K.floatx()))
        self.tensors.append(x)

    def add_layer(self) -> None:
        x = self.among(self.tensors[-3:])
        if self.chance(0.15):
            same = [t for t in self.tensors if K.int_shape(t) == K.int_shape(x)]
            if len(same) > 1 and None not in K.int_shape(x)[1:]:
                merge = self.among([L.Add, L.Multiply, L.Average, L.Maximum, L.Concatenate, L.Subtract])
                self.tensors.append(merge()(same[-2:]))
                return
        again = [layer for layer, shape in self.layers if shape == K.int_shape(x)]
        if again and self.chance(0.15):
            self.tensors.append(self.among(again)(x))
            return
        layer = self.among(BY_RANK[min(len(K.int_shape(x)), 5)])(self, x)
        y = layer(x)
        self.tensors.append(self.among(y) if isinstance(y, list) else y)
        self.layers.append((layer, K.int_shape(x)))


def grow_model(seed: int) -> tuple[Model, list[np.ndarray], list[np.ndarray], bool]:
    """The model of a seed: it, what it is fed, targets, and whether training draws random numbers."""
    plan = Plan(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(1 + plan.chance(0.25)):
            plan.add_input()
        for _ in range(int(plan.rng.integers(1, 7))):
            try:
                plan.add_layer()
            except REFUSED as error:
                plan.refused += 1
                if not 10 <= len(str(error)) <= 1500:
                    raise AssertionError(f"unreadable {type(error).__name__}: {str(error)!r:.300}") from error
        outputs = [plan.tensors[-1]]
        if plan.chance(0.3):
            outputs.append(plan.among(plan.tensors))
        outputs = [t if t not in plan.inputs else L.Lambda(lambda t: t * 0.5)(t) for t in outputs]
        model = Model(plan.inputs, outputs if len(outputs) > 1 else outputs[0])
    rng = np.random.default_rng([seed, 3])
    model.set_weights([_weights(rng, w) for w in model.get_weights()])
    targets = [rng.normal(size=y.shape).astype(K.floatx()) for y in _listed(model.predict_on_batch(plan.feeds))]
    return model, plan.feeds, targets, plan.is_random


def _listed(x: Any) -> list:
    return x if isinstance(x, list) else [x]


def _weights(rng: np.random.Generator, like: np.ndarray) -> np.ndarray:
    """Numbers that keep the size of what goes through; positive vectors, as variances have to be."""
    if like.ndim == 1:
        return rng.uniform(0.2, 1, like.shape)
    return rng.normal(size=like.shape) / np.sqrt(max(like.size / like.shape[-1], 1))


# -- what to put on a tensor -------------------------------------------------------------------------------------------
def _dense(p: Plan, x: Any) -> Any:
    return L.Dense(p.length(), activation=p.among(ACTIVATIONS), use_bias=p.chance(0.8))


def _norm(p: Plan, x: Any) -> Any:
    axis = p.among([-1, -1, 1])
    return L.BatchNormalization(axis=axis, scale=p.chance(0.8), center=p.chance(0.8), momentum=0.9)


def _activation(p: Plan, x: Any) -> Any:
    return p.among([
        lambda: L.Activation(p.among(ACTIVATIONS)), lambda: L.LeakyReLU(0.2), lambda: L.ELU(0.5), lambda: L.PReLU(),
        lambda: L.ThresholdedReLU(0.3), lambda: L.Softmax(), lambda: L.ReLU(max_value=1.0),
    ])()  # fmt: skip


def _noise(p: Plan, x: Any) -> Any:
    p.is_random = True
    return p.among([lambda: L.Dropout(0.4, seed=3), lambda: L.GaussianNoise(0.1), lambda: L.AlphaDropout(0.2)])()


def _repeat(p: Plan, x: Any) -> Any:
    return L.RepeatVector(p.length(6))


def _reshape(p: Plan, x: Any) -> Any:
    n = K.int_shape(x)[-1]
    first = p.among([d for d in range(1, max(n, 1) + 1) if n % d == 0])
    return L.Reshape(p.among([(first, -1), (-1, first), (first, 1, n // first)]))


def _lambda(p: Plan, x: Any) -> Any:
    return L.Lambda(p.among([
        lambda t: K.map_fn(lambda row: K.softmax(row * 2.0) if K.ndim(row) else row, t),
        lambda t: K.switch(K.sum(t) > 0, lambda: t * 2.0, lambda: K.tanh(t)),
        lambda t: t - K.mean(t, axis=-1, keepdims=True),
        lambda t: K.in_train_phase(t * 0.5, K.tanh(t)),
        lambda t: K.concatenate([t[..., :1], t * K.cast(K.shape(t)[0], K.floatx()) * 0.1]),
        lambda t: K.l2_normalize(t, axis=-1),
        lambda t: K.permute_dimensions(t, [0, *range(K.ndim(t) - 1, 0, -1)]),
    ]))  # fmt: skip


def _recurrent(p: Plan, x: Any) -> Any:
    kind = p.among([L.LSTM, L.GRU, L.SimpleRNN])
    arguments: dict[str, Any] = {
        "return_sequences": p.chance(0.5),
        "go_backwards": p.chance(0.3),
        "activation": p.among(["tanh", "tanh", "relu", "sigmoid", "softsign", "selu"]),
    }
    if kind is not L.SimpleRNN:
        arguments["recurrent_activation"] = p.among(["sigmoid", "hard_sigmoid", "tanh"])
        arguments["implementation"] = p.among([1, 2])
    if kind is L.GRU:
        arguments["reset_after"] = p.chance(0.5)
    if p.chance(0.15):
        p.is_random = True
        arguments |= {"dropout": 0.3, "recurrent_dropout": 0.2}
    if K.int_shape(x)[1] is not None and p.chance(0.15):
        arguments["unroll"] = True
    layer = kind(p.length(), **arguments)
    if p.chance(0.25):
        return L.Bidirectional(layer, merge_mode=p.among(["concat", "sum", "mul", "ave"]))
    return layer


def _cells(p: Plan, x: Any) -> Any:
    cells = [
        p.among([L.LSTMCell, L.GRUCell, L.SimpleRNNCell])(p.length(), activation=p.among(["tanh", "relu", "softsign"]))
        for _ in range(p.among([1, 2, 2, 3]))
    ]
    return L.RNN(cells, return_sequences=p.chance(0.5), go_backwards=p.chance(0.2))


def _own_loop(p: Plan, x: Any) -> Any:
    units = K.int_shape(x)[-1]
    backwards, masked = p.chance(0.3), p.chance(0.5)

    def call(t: Any, mask: Any = None) -> Any:
        def step(row: Any, states: list) -> tuple:
            new = K.tanh(row * 0.5 + states[0] * 0.7) + states[1] * 0.1
            return new * row, [new, states[1] * 0.9 + K.mean(row, axis=-1, keepdims=True)]

        zeros = K.zeros_like(t[:, 0])
        last, outputs, _ = K.rnn(step, t, [zeros, zeros + 1.0], backwards, mask if masked else None)
        return outputs + K.expand_dims(last, 1) * (1.0 / units)

    return L.Lambda(call)


def _conv1d(p: Plan, x: Any) -> Any:
    padding = p.among(["same", "valid", "causal"])
    strides = p.among([1, 1, 2])
    return p.among([
        lambda: L.Conv1D(p.length(), p.among([1, 2, 3, 5]), padding=padding, strides=strides,
                         dilation_rate=1 if strides > 1 else p.among([1, 2]), activation=p.among(ACTIVATIONS)),
        lambda: L.SeparableConv1D(p.length(), p.among([1, 2, 3]), padding=padding.replace("causal", "same"),
                                  depth_multiplier=p.among([1, 2]), activation=p.among(ACTIVATIONS)),
        lambda: L.LocallyConnected1D(p.length(), p.among([1, 2, 3]), activation=p.among(ACTIVATIONS)),
    ])()  # fmt: skip


def _pool1d(p: Plan, x: Any) -> Any:
    kind = p.among([L.MaxPooling1D, L.AveragePooling1D])
    return p.among([
        lambda: kind(p.among([1, 2, 3]), strides=p.among([None, 1, 2]), padding=p.among(["same", "valid"])),
        L.GlobalMaxPooling1D, L.GlobalAveragePooling1D, L.Flatten, lambda: L.UpSampling1D(2),
        lambda: L.ZeroPadding1D((1, 2)), lambda: L.Cropping1D((1, 0)), lambda: L.Permute((2, 1)),
    ])()  # fmt: skip


def _each_step(p: Plan, x: Any) -> Any:
    inner = p.among(BY_RANK[len(K.int_shape(x)) - 1])(p, K.placeholder((None, *K.int_shape(x)[2:])))
    return L.TimeDistributed(inner)


def _format(p: Plan) -> str:
    return p.among(["channels_last", "channels_last", "channels_first"])


def _conv2d(p: Plan, x: Any) -> Any:
    size, padding, strides = p.among([1, 2, 3, 3, (3, 1)]), p.among(["same", "valid"]), p.among([1, 1, 2])
    common = {"padding": padding, "strides": strides, "data_format": _format(p), "activation": p.among(ACTIVATIONS[:9])}
    dilation = 1 if strides > 1 else p.among([1, 1, 2])
    return p.among([
        lambda: L.Conv2D(p.length(), size, dilation_rate=dilation, **common),
        lambda: L.Conv2D(p.length(), size, dilation_rate=dilation, **common),
        lambda: L.SeparableConv2D(p.length(), size, depth_multiplier=p.among([1, 2]), **common),
        lambda: L.DepthwiseConv2D(size, depth_multiplier=p.among([1, 2]), **common),
        lambda: L.Conv2DTranspose(p.length(), size, **common),
        lambda: L.LocallyConnected2D(p.length(6), size, strides=strides, activation=p.among(ACTIVATIONS[:9])),
    ])()  # fmt: skip


def _pool2d(p: Plan, x: Any) -> Any:
    kind = p.among([L.MaxPooling2D, L.AveragePooling2D])
    form = {"data_format": _format(p)}
    return p.among([
        lambda: kind(p.among([1, 2, 3]), strides=p.among([None, 1, 2]), padding=p.among(["same", "valid"]), **form),
        lambda: L.GlobalMaxPooling2D(**form), lambda: L.GlobalAveragePooling2D(**form), L.Flatten,
        lambda: L.UpSampling2D(2, interpolation=p.among(["nearest", "bilinear"]), **form),
        lambda: L.ZeroPadding2D(((1, 0), (2, 1)), **form), lambda: L.Cropping2D(((1, 0), (0, 1)), **form),
    ])()  # fmt: skip


def _conv_lstm(p: Plan, x: Any) -> Any:
    return L.ConvLSTM2D(p.length(7), p.among([1, 2, 3, 3]), padding=p.among(["same", "same", "valid"]),
                        strides=p.among([1, 1, 2]), return_sequences=p.chance(0.5), go_backwards=p.chance(0.3),
                        activation=p.among(["tanh", "relu"]), use_bias=p.chance(0.8))  # fmt: skip


def _conv3d(p: Plan, x: Any) -> Any:
    return p.among([
        lambda: L.Conv3D(p.length(5), p.among([1, 2, 3]), padding="same", activation=p.among(ACTIVATIONS[:9])),
        lambda: L.MaxPooling3D(2, padding="same"), lambda: L.AveragePooling3D(2, padding="same"),
        L.GlobalAveragePooling3D, L.Flatten,
    ])()  # fmt: skip


BY_RANK: dict[int, list[Callable[[Plan, Any], Any]]] = {
    2: [_dense, _dense, _dense, _norm, _activation, _noise, _repeat, _reshape, _lambda],
    3: [_recurrent, _recurrent, _recurrent, _cells, _cells, _own_loop, _conv1d, _conv1d, _pool1d, _each_step, _dense, _norm,
        _activation, _noise, _lambda],
    4: [_conv2d, _conv2d, _conv2d, _pool2d, _pool2d, _each_step, _norm, _activation, _noise, _lambda, _dense],
    5: [_conv_lstm, _conv_lstm, _conv_lstm, _conv3d, _each_step, _norm, _activation],
}  # fmt: skip
