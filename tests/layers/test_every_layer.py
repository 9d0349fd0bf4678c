"""What holds for every layer: weights, shape rule, config, saving, training, formats, gradients, threads."""

import inspect

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model
from hornbeam.utils.test_utils import layer_test

from . import cases

EACH = pytest.mark.parametrize("case", cases.CASES, ids=cases.name)


def inputs_of(case, dtype=None):
    inputs = [L.Input(shape[1:], dtype=dtype) for shape in cases.shapes(case)]
    return inputs, inputs if isinstance(case[2], list) else inputs[0]


def unpacked(case, arrays):
    return arrays if isinstance(case[2], list) else arrays[0]


def test_each_layer_has_a_case():
    classes = {value for name, value in vars(L).items() if inspect.isclass(value) and issubclass(value, L.Layer)}
    elsewhere = {
        *(L.Layer, L.InputLayer, L.Wrapper, L.Embedding),
        *(L.Discretization, L.CategoryEncoding, L.IntegerLookup),  # their inputs are numbers of categories
        *(L.Hashing, L.HashedCrossing, L.StringLookup, L.TextVectorization),  # and strings: test_text_layers.py
        L.SpectralNormalization,  # trains where steps are eager: test_spectral_normalization.py
        L.AbstractRNNCell,
        *(L.RNN, L.ConvRNN2D, L.SimpleRNNCell, L.GRUCell, L.LSTMCell, L.StackedRNNCells, L.ConvLSTM2DCell),
    }
    assert classes - elsewhere == {case[0] for case in cases.CASES}


@EACH
def test_layer(case):
    np.random.seed(1)
    cls, kwargs, shape = case
    layer_test(cls, kwargs, input_shape=shape, input_data=unpacked(case, cases.arrays(case)))


@pytest.mark.parametrize("case", [case for case in cases.CASES if cases.has_formats(case[0])], ids=cases.name)
def test_channels_first_computes_the_same(case):
    np.random.seed(1)
    cls, kwargs, _ = case
    channels = 2 if cls.__name__.startswith("ConvLSTM") else 1
    (x,) = cases.arrays(case)
    moved = np.ascontiguousarray(np.moveaxis(x, -1, channels))
    layer_test(cls, {**kwargs, "data_format": "channels_first"}, input_data=moved)
    last, first = (cls(data_format=f"channels_{end}", **kwargs) for end in ("last", "first"))
    want = np.asarray(last(x))
    first.build(moved.shape)
    weights = last.get_weights()
    if kwargs.get("implementation") == 2:
        rank = x.ndim - 2
        weights[0] = np.moveaxis(weights[0], [rank, -1], [0, rank + 1])
    elif cls is L.LocallyConnected2D:  # its kernel has the window's axes in the inputs' order
        places, _, filters = weights[0].shape
        window = weights[0].reshape(places, *kwargs["kernel_size"], x.shape[-1], filters)
        weights[0] = np.moveaxis(window, 3, 1).reshape(weights[0].shape)
    first.set_weights(weights)
    got = np.asarray(first(moved))
    if want.ndim > 2:
        got = np.moveaxis(got, channels if want.ndim == x.ndim else 1, -1)
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kwargs", [{}, {"mask_zero": True}, {"input_length": 3}], ids=str)
def test_embedding(kwargs):
    data = np.array([[1, 0, 3], [2, 2, 0]], "int32")
    layer_test(
        L.Embedding, {"input_dim": 4, "output_dim": 5, **kwargs}, input_data=data, expected_output_dtype="float32"
    )


@pytest.mark.parametrize("length", [None, (None, 5)], ids=str)
def test_embedding_of_masks_of_two_axes(length):
    """They meet the weights of samples."""
    deep = np.arange(30).reshape(3, 2, 5) % 4
    kwargs = {"input_dim": 4, "output_dim": 2, "mask_zero": True, "input_length": length}
    layer_test(L.Embedding, kwargs, input_data=deep.astype("int32"), expected_output_dtype="float32")


@pytest.fixture
def float64():
    K.set_floatx("float64")
    yield
    K.set_floatx("float32")


@EACH
def test_gradients(case, float64):
    """Along random directions, the gradients of inputs and weights are those of central differences."""
    np.random.seed(2)
    rng = np.random.RandomState(3)
    layer = cases.make(case)
    inputs, argument = inputs_of(case, "float64")
    output = layer(argument)
    data = cases.arrays(case, dtype="float64")
    # Only normalization can be compared in training: noise would differ from run to run.
    phase = int(isinstance(layer, L.BatchNormalization))
    weights = layer.trainable_weights
    for weight in weights:
        K.set_value(weight, K.get_value(weight) + rng.uniform(-0.3, 0.3, weight.shape))
    shape = K.function([*inputs, K.learning_phase()], [output])([*data, phase])[0].shape
    value = K.sum(output * K.constant(rng.uniform(-1, 1, shape)))
    gradients = K.gradients(value, [*inputs, *weights])
    assert all(g is not None for g in gradients)
    run = K.function([*inputs, K.learning_phase()], [value, *gradients])
    _, *got = run([*data, phase])
    starts = [*data, *K.batch_get_value(weights)]

    def at(index, point):
        if index < len(data):
            return run([*data[:index], point, *data[index + 1 :], phase])[0]
        K.set_value(weights[index - len(data)], point)
        result = run([*data, phase])[0]
        K.set_value(weights[index - len(data)], starts[index])
        return result

    step = 1e-6
    for index, (gradient, start) in enumerate(zip(got, starts)):
        assert gradient.shape == start.shape
        for _ in range(3):
            direction = rng.choice([-1.0, 1.0], start.shape)
            numeric = (at(index, start + step * direction) - at(index, start - step * direction)) / (2 * step)
            np.testing.assert_allclose((gradient * direction).sum(), numeric, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cls", [L.Dropout, L.SpatialDropout1D, L.GaussianDropout, L.AlphaDropout, L.GaussianNoise])
def test_gradients_of_noise(cls):
    """What noise multiplies an input by, it multiplies the gradient by, in the same run."""
    x = L.Input((5, 4))
    y = cls(0.4)(x)
    run = K.function([x, K.learning_phase()], [y, K.gradients(K.sum(y), x)[0]])
    data = np.random.RandomState(0).uniform(1, 2, (3, 5, 4)).astype("float32")
    noisy, gradient = run([data, 1])
    if cls is L.GaussianNoise:
        np.testing.assert_array_equal(gradient, np.ones_like(data))
    elif cls is L.AlphaDropout:
        dropped = gradient == 0
        assert dropped.any() and np.unique(gradient).size == 2
        assert np.ptp(noisy[dropped]) == 0, "all dropped values are the same"
    else:
        np.testing.assert_allclose(gradient, noisy / data, rtol=1e-5)


@EACH
def test_threads_change_no_bit(case, threads):
    """Outputs and one training step, with a batch large enough to be divided."""
    results = []
    for count in (1, 2):
        threads(count)
        np.random.seed(4)
        layer = cases.make(case, name="layer")
        _, argument = inputs_of(case)
        model = Model(argument, layer(argument))
        data = unpacked(case, cases.arrays(case, batch=600))
        outputs = [model.predict(data)]
        model.compile("sgd", "mse")
        model.train_on_batch(data, np.ones_like(outputs[0]))
        results.append(outputs + model.get_weights())
    for one, two in zip(*results):
        assert one.tobytes() == two.tobytes()


@pytest.mark.parametrize(
    "cls, kwargs, shape",
    [
        (L.Conv1D, {"filters": 2, "kernel_size": 3}, (None, None, 3)),
        (L.Conv2D, {"filters": 2, "kernel_size": 3, "padding": "same"}, (None, None, None, 3)),
        (L.Conv2DTranspose, {"filters": 2, "kernel_size": 3, "strides": 2}, (None, None, None, 3)),
        (L.UpSampling2D, {}, (None, None, None, 3)),
        (L.MaxPooling2D, {}, (None, None, None, 3)),
        (L.ZeroPadding2D, {}, (None, None, None, 3)),
        (L.GlobalAveragePooling2D, {}, (None, None, None, 3)),
        (L.Cropping1D, {}, (None, None, 3)),
    ],
)
def test_unknown_sizes(cls, kwargs, shape):
    data = np.random.RandomState(0).randn(2, *([6] * (len(shape) - 2)), 3).astype("float32")
    layer_test(cls, kwargs, input_shape=shape, input_data=data)
