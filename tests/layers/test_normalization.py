"""Batch normalization: training, moving averages, freezing."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Sequential

X = np.random.RandomState(0).normal(3, 2, (40, 3, 4)).astype("float32")


def along(v, axis):
    return v if axis == -1 else v[:, None]


@pytest.mark.parametrize("axis", [-1, 1])
def test_training_and_inference(axis):
    n = X.shape[axis]
    layer = L.BatchNormalization(axis=axis, momentum=0.8, input_shape=X.shape[1:])
    model = Sequential([layer])
    model.compile("sgd", "mse")
    rng = np.random.RandomState(1)
    gamma, beta, mean, var = rng.rand(n), rng.rand(n), rng.rand(n), rng.rand(n)
    layer.set_weights([gamma, beta, mean, var])
    inference = (X - along(mean, axis)) / np.sqrt(along(var, axis) + 1e-3) * along(gamma, axis) + along(beta, axis)
    np.testing.assert_allclose(model.predict(X), inference, rtol=1e-4, atol=1e-4)

    reduced = (0, 1) if axis == -1 else (0, 2)
    m, v = X.mean(reduced), X.var(reduced)
    train = K.function([*model.inputs, K.learning_phase()], model.outputs)([X, 1])[0]
    expected = (X - along(m, axis)) / np.sqrt(along(v, axis) + 1e-3) * along(gamma, axis) + along(beta, axis)
    np.testing.assert_allclose(train, expected, rtol=1e-3, atol=1e-4)

    K.set_value(model.optimizer.lr, 0.0)
    model.train_on_batch(X, X)
    samples = X.size / n
    np.testing.assert_allclose(K.get_value(layer.moving_mean), 0.8 * mean + 0.2 * m, rtol=1e-4)
    unbiased = v * samples / (samples - 1.001)
    np.testing.assert_allclose(K.get_value(layer.moving_variance), 0.8 * var + 0.2 * unbiased, rtol=1e-4)


def test_weights():
    layer = L.BatchNormalization()
    layer.build((None, 5))
    assert [w.name.split("/")[-1] for w in layer.weights] == ["gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"]
    assert len(layer.trainable_weights) == 2
    bare = L.BatchNormalization(center=False, scale=False)
    bare.build((None, 5))
    assert len(bare.weights) == 2
    with pytest.raises(ValueError, match="defined dimension"):
        L.BatchNormalization(axis=1)(L.Input((None, 5)))


def test_a_frozen_layer_keeps_its_averages():
    layer = L.BatchNormalization(input_shape=(3, 4))
    layer.trainable = False
    model = Sequential([layer, L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    before = layer.get_weights()
    model.train_on_batch(X, np.zeros((40, 1)))
    for a, b in zip(layer.get_weights(), before):
        np.testing.assert_array_equal(a, b)


def test_the_learning_phase_can_be_stated():
    layer = L.BatchNormalization()
    x = L.Input((3, 4))
    y = layer(x, training=False)
    assert not layer.updates
    np.testing.assert_allclose(K.function([x], [y])([X])[0], X / np.sqrt(1.001), rtol=1e-4)


def test_a_layer_used_twice_counts_both_batches():
    layer = L.BatchNormalization(momentum=0.5)
    a, b = L.Input((2,)), L.Input((2,))
    layer(a), layer(b)
    assert len(layer.updates) == 4 and len(layer.get_updates_for(a)) == 2
    ones = np.ones((4, 2), "float32")
    K.function([a, b, K.learning_phase()], [], updates=layer.updates)([ones, 3 * ones, 1])
    np.testing.assert_allclose(K.get_value(layer.moving_mean), [2, 2], rtol=1e-5)


def test_axis_as_tf_keras_stores_it():
    assert L.BatchNormalization.from_config({**L.BatchNormalization().get_config(), "axis": [3]}).axis == 3


class TestAsInTensorFlow:
    """Layers of tf.keras's files, which have the axis as a list."""

    @pytest.mark.parametrize("shape", [(8, 4), (8, 3, 4), (8, 3, 3, 4), (4, 2, 2, 2, 4)])
    def test_moving_variance(self, rng, shape):
        """That of images is an estimate of the population's, the others' is the batch's."""
        x = rng.normal(2, 3, shape).astype("float32")
        layer = L.BatchNormalization(axis=[len(shape) - 1], momentum=0.8, input_shape=shape[1:])
        model = Sequential([layer])
        model.compile("sgd", "mse")
        model.train_on_batch(x, x)
        samples = x.size / 4
        correction = samples / (samples - 1) if len(shape) in (4, 5) else 1.0
        variance = x.var(tuple(range(len(shape) - 1))) * correction
        np.testing.assert_allclose(K.get_value(layer.moving_variance), 0.8 + 0.2 * variance, rtol=1e-5)

    def test_one_that_is_frozen_trains_by_its_averages(self):
        layer = L.BatchNormalization(axis=[2], trainable=False, input_shape=(3, 4))
        model = Sequential([layer])
        run = K.function([*model.inputs, K.learning_phase()], model.outputs)
        assert np.array_equal(run([X, 1])[0], run([X, 0])[0])
        assert not np.array_equal(X, run([X, 1])[0]) and layer.updates == []

    def test_config(self):
        layer = L.BatchNormalization(axis=[2])
        assert layer.get_config()["axis"] == [2] and layer.axis == 2
        again = L.BatchNormalization.from_config(layer.get_config())
        assert again.get_config() == layer.get_config()
        assert L.BatchNormalization(axis=2).get_config()["axis"] == 2
