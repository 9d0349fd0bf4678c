"""The commonest mistakes with layers: the error says where, what was there, and what to write."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model, Sequential

MISTAKES = [
    (
        "images without a channel axis",
        lambda: Sequential([L.Conv2D(8, 3, input_shape=(28, 28), name="first")]),
        r"layer first: expected ndim=4, found ndim=3 \(shape \(None, 28, 28\)\)\. "
        r"Inputs are \(batch, height, width, channels\); a single channel needs its axis, too",
    ),
    (
        "the same with channels first",
        lambda: L.Conv1D(8, 3, data_format="channels_first")(L.Input((28,))),
        r"Inputs are \(batch, channels, steps\)",
    ),
    (
        "stacked recurrent layers without sequences",
        lambda: Sequential([L.LSTM(4, input_shape=(10, 3)), L.LSTM(4, name="second")]),
        r"layer second: expected ndim=3, found ndim=2 .*return_sequences=True",
    ),
    ("a number as input_shape", lambda: L.Dense(3, input_shape=4), r"got 4: write \(4,\)"),
    ("no number of units", lambda: L.Dense("3"), "`units` argument must be a positive integer. Received: '3'"),
    ("half a filter", lambda: L.Conv2D(2.5, 3), "`filters` argument must be a positive integer. Received: 2.5"),
    ("no units", lambda: L.GRU(0), "`units` argument must be a positive integer. Received: 0"),
    (
        "an output that no layer is behind",
        lambda: Model(L.Input((3,)), K.constant([1.0]) + 1.0),
        "must be the output of a Keras `Layer`",
    ),
    (
        "a mask where none is understood",
        lambda: Sequential([L.Embedding(5, 2, mask_zero=True, input_length=4), L.Conv1D(3, 2, name="conv")]),
        "Layer conv does not support masking.*mask_zero=True",
    ),
    (
        "a window larger than what is left",
        lambda: Sequential([L.MaxPooling2D(4, input_shape=(3, 3, 1), name="pool")]),
        r'layer "pool" \(class MaxPooling2D.*window \(4, 4\) is larger than the input \(None, 3, 3, 1\)',
    ),
    (
        "shapes that do not add up",
        lambda: L.Add(name="sum")([L.Input((4,)), L.Input((3,))]),
        r'layer "sum" .*could not be broadcast together with shapes \(4,\) \(3,\)',
    ),
    (
        "a reshape to another size",
        lambda: L.Reshape((3, 5), name="grid")(L.Input((16,))),
        r'layer "grid" .*cannot reshape \(16,\) to \(3, 5\)',
    ),
    ("a wrapper around the wrong layer", lambda: L.Bidirectional(L.Dense(2)), "wraps a recurrent layer, such as LSTM"),
    ("a wrapper around a class", lambda: L.TimeDistributed(L.Dense), "TimeDistributed wraps a layer .*an instance"),
    ("no cells", lambda: L.RNN([]), "needs at least one cell"),
    ("a padding that is no name", lambda: L.Conv2D(2, 3, padding=1), "`padding` argument must be one of .*Received: 1"),
    ("half a stride", lambda: L.Conv2D(2, 3, strides=(1.5, 2)), r"`strides` .* 2 integers. Received: \(1.5, 2\)"),
    ("a number as target shape", lambda: L.Reshape(5), "`target_shape` argument must be a tuple of integers"),
    (
        "two inputs of a layer of one",
        lambda: L.Embedding(5, 2, name="words")([L.Input((3,)), L.Input((3,))]),
        "Layer words expects 1 inputs, but it received 2",
    ),
    (
        "a kernel larger than the input",
        lambda: L.LocallyConnected2D(2, 3, name="local")(L.Input((3, 2, 5))),
        r'layer "local" .*does not fit',
    ),
    (
        "more memory than there is",
        lambda: L.Dense(2**40, name="wide")(L.Input((2**40,))),
        r'layer "wide" .*a variable of shape .* takes more memory',
    ),
    (
        "an axis that is not there",
        lambda: L.BatchNormalization(axis=7)(L.Input((3,))),
        r"`axis` 7 is none .*\(None, 3\)",
    ),
    ("more cropped than there is", lambda: L.Cropping2D(5)(L.Input((8, 8, 3))), "axis 0 has 8 cells"),
    ("a misspelt activation", lambda: L.Dense(3, activation="rellu"), "Unknown activation function: rellu"),
    (
        "data of another width",
        lambda: Sequential([L.Dense(3, input_shape=(4,), name="d")]).predict(np.ones((2, 5))),
        r"expected d_input to have shape \(4,\) but got array with shape \(5,\)",
    ),
]


@pytest.mark.parametrize("mistake, message", [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_the_error_helps(mistake, message):
    with pytest.raises((ValueError, TypeError), match=message):
        mistake()


def test_sizes_computed_by_division_are_integers():
    """n / 2 was an integer in scripts written for Python 2."""
    for layer in (L.Dense(16 / 2), L.LSTM(16 / 2), L.Embedding(8.0, 16 / 2, input_length=3)):
        y = layer(L.Input((3,) if isinstance(layer, L.Embedding) else (3, 4)))
        assert K.int_shape(y)[-1] == 8
        assert not any(isinstance(v, float) and v == 8 for v in layer.get_config().values())
