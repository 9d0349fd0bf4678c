"""Every argument of every layer does something: what can be observed of the layer changes with it."""

import functools
import inspect

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.legacy.layers import Highway, MaxoutDense
from hornbeam.models import Model

#: for each argument, a value that is not the default
VALUES = {
    **{"units": 5, "filters": 5, "kernel_size": 1, "strides": 2, "padding": "same", "data_format": "channels_first"},
    **{"dilation_rate": 2, "depth_multiplier": 2, "output_padding": 1, "pool_size": 3, "size": 3, "n": 4},
    **{"activation": "softsign", "recurrent_activation": "linear", "use_bias": False, "unit_forget_bias": False},
    **{"dropout": 0.5, "recurrent_dropout": 0.5, "reset_after": True, "return_sequences": True, "return_state": True},
    **{"go_backwards": True, "stateful": True, "noise_shape": (2, 1, 4), "seed": 7, "rate": 0.5, "stddev": 2.0},
    **{"alpha": 0.7, "theta": 0.2, "l1": 0.5, "l2": 0.5, "axis": 1, "momentum": 0.5, "epsilon": 0.5, "center": False},
    **{"scale": False, "max_value": 0.4, "negative_slope": 0.4, "threshold": 0.3, "shared_axes": [1]},
    **{"mask_value": 2.0, "interpolation": "bilinear", "merge_mode": "sum", "normalize": True, "mask_zero": True},
    **{"input_length": 3, "input_dim": 9, "output_dim": 5, "target_shape": (3, 2), "dims": (1, 2), "axes": 1},
    **{"nb_feature": 3, "init": "he_normal", "bias": False},
    **{"initializer": "he_normal", "regularizer": "l2", "constraint": "unit_norm"},
}
#: those whose numbers mean something else in a family of layers
PAIRS = {1: (2, 1), 2: ((2, 1), (0, 1)), 3: ((2, 1), (0, 1), (1, 1))}
#: arguments that have an effect only beside others
BESIDE = {
    "output_padding": {"strides": 2},
    (L.Cropping2D, "data_format"): {"cropping": 1},
    (L.LocallyConnected1D, "padding"): {"implementation": 2},
    (L.LocallyConnected2D, "padding"): {"implementation": 2},
}
#: arguments that choose how the same is computed, and those without which there is no layer
OTHERS = {"implementation", "unroll", "kwargs", "weights", "layer"}

RNN_INPUT = (2, 5, 4)
#: layer, the arguments that it must have, the shape of its input (or a list of shapes)
PLAIN = [
    (L.Dense, {"units": 4}, (2, 6)),
    (L.Activation, {"activation": "tanh"}, (2, 6)),
    (L.Dropout, {"rate": 0.3, "seed": 1}, (2, 5, 4)),
    (L.SpatialDropout1D, {"rate": 0.3}, (2, 5, 4)),
    (L.SpatialDropout2D, {"rate": 0.3}, (2, 4, 5, 3)),
    (L.SpatialDropout3D, {"rate": 0.3}, (2, 3, 4, 5, 3)),
    (L.Flatten, {}, (2, 2, 3, 4)),
    (L.Reshape, {"target_shape": (2, 3)}, (2, 6)),
    (L.Permute, {"dims": (2, 1)}, (2, 3, 3)),
    (L.RepeatVector, {"n": 2}, (2, 3)),
    (L.Masking, {}, (2, 5, 4)),
    (L.ActivityRegularization, {}, (2, 5)),
    *[(cls, {"filters": 2, "kernel_size": 3}, (2, 7, 8)) for cls in (L.Conv1D, L.SeparableConv1D)],
    *[(cls, {"filters": 2, "kernel_size": 3}, (2, 7, 8, 5)) for cls in (L.Conv2D, L.SeparableConv2D)],
    (L.Conv3D, {"filters": 2, "kernel_size": 3}, (2, 5, 6, 7, 8)),
    (L.Conv2DTranspose, {"filters": 2, "kernel_size": 3}, (2, 4, 5, 3)),
    (L.Conv3DTranspose, {"filters": 2, "kernel_size": 3}, (2, 3, 4, 5, 2)),
    (L.DepthwiseConv2D, {"kernel_size": 3}, (2, 7, 8, 5)),
    (L.LocallyConnected1D, {"filters": 2, "kernel_size": 3}, (2, 5, 4)),
    (L.LocallyConnected2D, {"filters": 2, "kernel_size": 3}, (2, 4, 5, 3)),
    *[(cls, {}, (2, 5, 4)) for cls in (L.UpSampling1D, L.ZeroPadding1D, L.Cropping1D)],
    *[(cls, {}, (2, 5, 6, 4)) for cls in (L.UpSampling2D, L.ZeroPadding2D, L.Cropping2D)],
    *[(cls, {}, (2, 4, 6, 7, 5)) for cls in (L.UpSampling3D, L.ZeroPadding3D, L.Cropping3D)],
    *[(cls, {"strides": 1}, (2, 7, 8)) for cls in (L.MaxPooling1D, L.AveragePooling1D)],
    *[(cls, {"strides": 1}, (2, 7, 8, 5)) for cls in (L.MaxPooling2D, L.AveragePooling2D)],
    *[(cls, {"strides": 1}, (2, 5, 6, 7, 8)) for cls in (L.MaxPooling3D, L.AveragePooling3D)],
    *[(cls, {}, (2, 4, 5)) for cls in (L.GlobalMaxPooling1D, L.GlobalAveragePooling1D)],
    *[(cls, {}, (2, 4, 5, 3)) for cls in (L.GlobalMaxPooling2D, L.GlobalAveragePooling2D)],
    *[(cls, {}, (2, 4, 5, 3, 2)) for cls in (L.GlobalMaxPooling3D, L.GlobalAveragePooling3D)],
    (L.BatchNormalization, {}, (2, 3, 4)),
    (L.GaussianNoise, {"stddev": 0.3}, (2, 4)),
    (L.GaussianDropout, {"rate": 0.3}, (2, 4)),
    (L.AlphaDropout, {"rate": 0.3, "seed": 1}, (2, 5, 4)),
    *[(cls, {}, (2, 5, 4)) for cls in (L.LeakyReLU, L.ELU, L.ThresholdedReLU, L.ReLU, L.Softmax, L.PReLU)],
    *[(cls, {"units": 3}, RNN_INPUT) for cls in (L.SimpleRNN, L.GRU, L.LSTM, L.CuDNNGRU, L.CuDNNLSTM)],
    (L.ConvLSTM2D, {"filters": 2, "kernel_size": 2}, (2, 3, 4, 5, 3)),
    (L.Bidirectional, {"layer": L.LSTM(2)}, RNN_INPUT),
    (L.Embedding, {"input_dim": 6, "output_dim": 2}, (2, 3)),
    (L.Concatenate, {}, [(2, 3, 3), (2, 3, 3)]),
    (L.Dot, {"axes": 2}, [(2, 3, 3), (2, 3, 3)]),
    (MaxoutDense, {"output_dim": 3}, (2, 4)),
    (Highway, {}, (2, 4)),
]
EACH = [
    pytest.param(index, argument, id=f"{cls.__name__}-{argument}")
    for index, (cls, _, _) in enumerate(PLAIN)
    for argument in inspect.signature(cls).parameters
    if argument not in OTHERS
]


def value_of(cls, argument):
    if cls.__name__.startswith(("ZeroPadding", "Cropping")) and argument in ("padding", "cropping"):
        return PAIRS[int(cls.__name__[-2])]
    kind = argument.rpartition("_")[2]
    return VALUES[kind if kind in ("initializer", "regularizer", "constraint") else argument]


def data_for(cls, shape):
    rng = np.random.RandomState(0)
    if cls is L.Embedding:
        return rng.randint(0, 6, shape)
    data = rng.randn(*shape).astype("float32")
    if cls is L.Masking:
        data[0, 1], data[1, 2] = 0.0, 2.0
    return data


def observe(cls, kwargs, shape):
    """Everything that can be seen of a layer: shapes, weights before and after a step, outputs, losses, masks."""
    np.random.seed(1)
    K.reset_uids()
    shapes = shape if isinstance(shape, list) else [shape]
    data = [data_for(cls, s) for s in shapes]
    inputs = [L.Input(batch_shape=s, dtype=a.dtype.name.replace("64", "32")) for s, a in zip(shapes, data)]
    if "layer" in kwargs:
        kwargs = {**kwargs, "layer": type(kwargs["layer"]).from_config(kwargs["layer"].get_config())}
    layer = cls(**kwargs)
    output = layer(inputs if isinstance(shape, list) else inputs[0])
    outputs = output if isinstance(output, list) else [output]
    seen = {"declared": getattr(layer, "batch_input_shape", None), "shapes": [K.int_shape(y) for y in outputs]}
    seen["weights"] = layer.get_weights()
    layer.set_weights([w + np.linspace(0.1, 0.9, w.size).reshape(w.shape) for w in seen["weights"]])

    mask = layer.compute_mask(inputs if isinstance(shape, list) else inputs[0], None)
    masks = [m for m in (mask if isinstance(mask, list) else [mask]) if m is not None]
    seen["masks"] = K.function(inputs, masks)(data) if masks else []
    run = K.function([*inputs, K.learning_phase()], [*outputs, *(K.sum(loss) for loss in layer.losses)])
    seen["inference"], seen["training"] = run([*data, 0]), run([*data, 1])

    model = Model(inputs, outputs)
    seen["twice"] = [model.predict(data), model.predict(data)]
    model.compile("sgd", "mse")
    model.train_on_batch(data, [np.ones(K.int_shape(y)) for y in outputs])
    seen["trained"] = layer.get_weights()
    return seen


@functools.lru_cache
def observed_twice(index, *beside):
    """What is seen without the argument; twice, because only what repeats itself can tell of a change."""
    cls, kwargs, shape = PLAIN[index]
    once, again = (flat(observe(cls, {**kwargs, **dict(beside)}, shape)) for _ in range(2))
    assert once == again
    return once


def flat(value):
    """Nested lists with the bytes of arrays, for comparison."""
    if isinstance(value, dict):
        return {key: flat(v) for key, v in value.items()}
    if isinstance(value, list):
        return [flat(v) for v in value]
    return (np.shape(value), np.asarray(value).tobytes()) if isinstance(value, (np.ndarray, np.generic)) else value


@pytest.mark.filterwarnings("ignore:The `(MaxoutDense|Highway)` layer is deprecated")
@pytest.mark.parametrize("index, argument", EACH)
def test_an_argument_changes_something(index, argument):
    cls, kwargs, shape = PLAIN[index]
    beside = {**BESIDE.get(argument, {}), **BESIDE.get((cls, argument), {})}
    changed = observe(cls, {**kwargs, **beside, argument: value_of(cls, argument)}, shape)
    assert flat(changed) != observed_twice(index, *beside.items())


@pytest.mark.parametrize("cls", [L.GRU, L.LSTM])
@pytest.mark.parametrize("argument, value", [("implementation", 1), ("unroll", True)])
def test_how_a_layer_computes_changes_nothing(cls, argument, value):
    plain, changed = (observe(cls, {"units": 3, **more}, RNN_INPUT) for more in ({}, {argument: value}))
    for before, after in zip([*plain["inference"], *plain["trained"]], [*changed["inference"], *changed["trained"]]):
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-6)
    assert cls(3, **{argument: value}).get_config()[argument] == value
