"""CuDNNGRU and CuDNNLSTM: the plain layers' numbers from cuDNN's weight layout."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import GRU, LSTM, Bidirectional, CuDNNGRU, CuDNNLSTM, Input, Masking, deserialize, serialize
from hornbeam.models import Model, Sequential
from hornbeam.saving.legacy_weights import convert_rnn_weights

PAIRS = pytest.mark.parametrize("fast, plain", [(CuDNNLSTM, LSTM), (CuDNNGRU, GRU)])


def arrays(rng, *shape):
    return rng.uniform(-1, 1, shape).astype("float32")


def pair(fast, plain, **options):
    """Models of both layers with the same weights, each in its own layout."""
    x = Input((5, 4))
    fast_layer = fast(3, bias_initializer="uniform", **options)
    plain_layer = plain(3, **options, **({"reset_after": True} if plain is GRU else {}))
    models = Model(x, fast_layer(x)), Model(x, plain_layer(x))
    plain_layer.set_weights(convert_rnn_weights(plain_layer, fast_layer.get_weights()))
    return models


@PAIRS
@pytest.mark.parametrize("go_backwards", [False, True])
def test_equal_to_the_plain_layer(fast, plain, go_backwards, rng):
    models = pair(fast, plain, return_sequences=True, return_state=True, go_backwards=go_backwards)
    data = arrays(rng, 2, 5, 4)
    for got, want in zip(*(model.predict(data) for model in models)):
        np.testing.assert_array_equal(got, want)


@PAIRS
def test_gradients_reach_all_weights(fast, plain):
    models = pair(fast, plain)
    assert len(models[0].trainable_weights) == 3
    grads, want = (
        [K.eval(g) for g in K.gradients(K.sum(m(K.constant(np.ones((2, 5, 4))))), m.weights)] for m in models
    )
    layer = models[1].layers[1]
    kernel, recurrent, bias = convert_rnn_weights(layer, grads)
    np.testing.assert_allclose(kernel, want[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(recurrent, want[1], rtol=1e-5, atol=1e-6)
    if plain is LSTM:
        bias = bias / 2  # both of cuDNN's biases get the gradient of their sum
    np.testing.assert_allclose(bias, want[2], rtol=1e-5, atol=1e-6)


@PAIRS
def test_config(fast, plain):
    layer = fast(3, kernel_regularizer="l2", go_backwards=True, stateful=True, batch_input_shape=(2, 5, 4))
    config = serialize(layer)
    assert "unroll" not in config["config"] and config["config"]["go_backwards"] is True
    assert serialize(deserialize(config)) == config


def test_weights():
    layer = CuDNNLSTM(2, name="c")
    layer(Input((5, 4)))
    assert [w.name for w in layer.weights] == ["c/kernel:0", "c/recurrent_kernel:0", "c/bias:0"]
    assert [w.shape for w in layer.weights] == [(4, 8), (2, 8), (16,)]
    np.testing.assert_array_equal(layer.get_weights()[2], [0] * 10 + [1, 1] + [0] * 4)
    layer = CuDNNLSTM(2, unit_forget_bias=False)
    layer(Input((5, 4)))
    assert not layer.get_weights()[2].any()


@PAIRS
def test_stateful_and_bidirectional(fast, plain, rng):
    model = Sequential([Bidirectional(fast(2, stateful=True), batch_input_shape=(2, 5, 4))])
    data = arrays(rng, 2, 5, 4)
    first = model.predict(data)
    assert np.abs(model.predict(data) - first).max() > 1e-4
    model.reset_states()
    np.testing.assert_array_equal(model.predict(data), first)


@PAIRS
def test_initial_state(fast, plain, rng):
    x, data = Input((5, 4)), arrays(rng, 2, 5, 4)
    states = [Input((3,)) for _ in range(2 if plain is LSTM else 1)]
    layer = fast(3)
    model = Model([x, *states], layer(x, initial_state=states))
    zeros = [np.zeros((2, 3))] * len(states)
    np.testing.assert_array_equal(model.predict([data, *zeros]), Model(x, layer(x)).predict(data))
    ones = [np.ones((2, 3))] * len(states)
    assert np.abs(model.predict([data, *ones]) - model.predict([data, *zeros])).max() > 1e-2


def test_no_masks():
    with pytest.raises(ValueError, match="Masking is not supported for CuDNN RNNs"):
        CuDNNGRU(2)(Masking()(Input((5, 4))))
    with pytest.raises(TypeError, match="cannot be unrolled"):
        CuDNNGRU(2, unroll=True)
