"""Layers of tf.keras that are in few models: random features of kernels, and the base of users' cells."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import initializers
from hornbeam import layers as L
from hornbeam.graph import StaticShape
from hornbeam.layers.experimental import RandomFourierFeatures
from hornbeam.models import Sequential, load_model


@pytest.mark.parametrize("kernel, scale", [("gaussian", 2.0), ("Gaussian", None), ("laplacian", 3.0)])
def test_products_of_random_features_are_the_kernel(kernel, scale):
    np.random.seed(0)
    layer = RandomFourierFeatures(40_000, kernel, scale=scale)
    points = np.array([[0.1, 0.2, 0.3], [0.5, -0.4, 0.9]], "float32")
    features = np.asarray(layer(points), "float64")
    difference, scale = points[0] - points[1], scale or np.sqrt(1.5)
    gaussian = np.exp(-np.sum(difference**2) / (2 * scale**2))
    wanted = np.exp(-np.sum(abs(difference)) / scale) if kernel == "laplacian" else gaussian
    got = features @ features.T * 2 / 40_000
    np.testing.assert_allclose(got, [[1, wanted], [wanted, 1]], atol=0.02)


@pytest.mark.parametrize("trainable", [False, True])
def test_random_features_in_a_model(trainable, tmp_path):
    layer = RandomFourierFeatures(6, initializers.he_normal(), scale=0.5, trainable=trainable, input_shape=(3,))
    model = Sequential([layer, L.Dense(1)])
    assert {w.shape for w in layer.weights} == {(1,), (3, 6), (6,)}
    assert [w.shape for w in layer.trainable_weights] == ([(1,)] if trainable else [])
    kernel, bias, scale = (K.get_value(w) for w in (layer.unscaled_kernel, layer.bias, layer.kernel_scale))
    x = np.random.RandomState(0).rand(2, 3).astype("float32")
    np.testing.assert_allclose(np.asarray(layer(x)), np.cos(x @ kernel / scale + bias), rtol=1e-4, atol=1e-5)
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", compile=False)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


@pytest.mark.parametrize("make, message", [
    (lambda: RandomFourierFeatures(0), "positive integer"), (lambda: RandomFourierFeatures(2, "linear"), "Unsupported"),
    (lambda: RandomFourierFeatures(2, scale=0), "positive float"),
    (lambda: RandomFourierFeatures(2)(L.Input((2, 3))), r"shape \(batch, dim\)"),
])  # fmt: skip
def test_mistakes_with_random_features(make, message):
    with pytest.raises(ValueError, match=message):
        make()


class Sums(L.AbstractRNNCell):
    state_size = property(lambda self: [3, StaticShape((2, 3))])
    output_size = property(lambda self: 3)

    def call(self, inputs, states):
        total = states[0] + inputs
        return total, [total, states[1]]


def test_a_users_cell():
    cell = Sums()
    first, second = cell.get_initial_state(batch_size=4, dtype="float64")
    assert K.int_shape(first) == (4, 3) and K.int_shape(second) == (4, 2, 3) and first.dtype == "float64"
    x = np.random.RandomState(0).rand(2, 5, 3).astype("float32")
    assert K.eval(cell.get_initial_state(K.constant(x[:, 0]))[0]).tolist() == np.zeros((2, 3)).tolist()
    with pytest.raises(ValueError, match="`batch_size` and `dtype`"):
        cell.get_initial_state(batch_size=3)

    class Simple(Sums):
        state_size = 3

        def call(self, inputs, states):
            return super().call(inputs, [states[0], None])[0], [states[0] + inputs]

    np.testing.assert_allclose(np.asarray(L.RNN(Simple())(x)), x.sum(1), rtol=1e-6)


@pytest.mark.parametrize("part", ["state_size", "output_size"])
def test_a_cell_says_its_sizes(part):
    with pytest.raises(NotImplementedError, match=part):
        getattr(L.AbstractRNNCell(), part)
