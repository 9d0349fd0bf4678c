"""Layers and models on eager tensors, as scripts for TensorFlow 2 call them."""

import numpy as np
import pytest
from hornbeam import Input, Model, Sequential, layers, losses, metrics, optimizers
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.tf.eager import GradientTape, function

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def data(rng):
    x = rng.rand(32, 8).astype("float32")
    return x, (x.sum(1, keepdims=True) > 4).astype("float32")


def network():
    return Sequential(
        [
            layers.Dense(6, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def test_a_call_gives_what_predict_gives(data):
    model = network()
    out = model(data[0], training=True)
    assert out.shape == (32, 1)
    np.testing.assert_allclose(model(data[0]).numpy(), model.predict(data[0]), atol=1e-6)


def test_moving_averages_move_once_for_each_call_in_training(data):
    model = network()
    model(data[0])
    before = model.layers[1].get_weights()[2]
    np.testing.assert_array_equal(before, np.zeros(6))
    model(data[0], training=True)
    after = model.layers[1].get_weights()[2]
    hidden = np.maximum(data[0] @ model.get_weights()[0], 0).mean(0)
    np.testing.assert_allclose(after, 0.01 * hidden, rtol=1e-4)
    model(data[0], training=False)
    np.testing.assert_array_equal(model.layers[1].get_weights()[2], after)


def test_a_loop_trains_as_fit_does(data):
    x, y = data
    looped, fitted = (
        Sequential([layers.Dense(4, activation="tanh", input_shape=(8,), kernel_regularizer="l2"), layers.Dense(1)])
        for _ in "ab"
    )
    fitted.set_weights(looped.get_weights())
    fitted.compile(optimizers.Adam(0.01), "mse")
    optimizer, loss_of = optimizers.Adam(0.01), losses.MeanSquaredError()
    seen = []
    for i in range(0, 32, 8):
        with GradientTape() as tape:
            loss = loss_of(y[i : i + 8], looped(x[i : i + 8], training=True)) + sum(looped.losses)
        grads = tape.gradient(loss, looped.trainable_variables)
        optimizer.apply_gradients(zip(grads, looped.trainable_variables))
        seen.append(float(loss))
    expected = [fitted.train_on_batch(x[i : i + 8], y[i : i + 8]) for i in range(0, 32, 8)]
    np.testing.assert_allclose(seen, expected, rtol=1e-5)
    for a, b in zip(looped.get_weights(), fitted.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert optimizer.iterations.numpy() == 4


def test_penalties_are_those_of_the_weights_as_they_are():
    layer = layers.Dense(2, kernel_regularizer="l2", use_bias=False)
    layer(np.ones((1, 2), "float32"))
    layer.set_weights([np.full((2, 2), 3.0)])
    with GradientTape() as tape:
        penalty = sum(layer.losses)
    assert float(penalty) == pytest.approx(0.01 * 36)
    np.testing.assert_allclose(tape.gradient(penalty, layer.kernel).numpy(), np.full((2, 2), 0.06), rtol=1e-6)


def test_losses_of_a_call_last_until_the_next():
    class Activity(layers.Layer):
        def call(self, x):
            self.add_loss(K.mean(x))
            return x

    layer = Activity()
    for value in (1.0, 2.0):
        layer(np.full((2, 2), value))
        assert [float(x) for x in layer.losses] == [value]


def test_a_layer_that_assigns(data):
    class Count(layers.Layer):
        def build(self, input_shape):
            self.total = self.add_weight("total", (), initializer="zeros", trainable=False)

        def call(self, x):
            self.total.assign_add(K.sum(x))
            return x

    count = Count()
    model = Sequential([count, layers.Dense(1)])
    model(data[0])
    assert count.total.numpy() == pytest.approx(data[0].sum(), rel=1e-5)
    count.total.assign(0.0)
    model.compile("sgd", "mse")
    model.fit(*data, batch_size=8, verbose=0)
    assert count.total.numpy() == pytest.approx(data[0].sum(), rel=1e-5)


def test_masks_are_passed_on():
    embedding, lstm = layers.Embedding(10, 4, mask_zero=True), layers.LSTM(3)
    x = np.array([[1, 2, 0, 0], [3, 4, 5, 0]])
    np.testing.assert_allclose(lstm(embedding(x)).numpy()[0], lstm(embedding(x[:, :2])).numpy()[0], atol=1e-6)


def test_a_cell_of_the_users_own_is_differentiated(rng):
    class Cell(layers.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = self.state_size = units

        def build(self, shape):
            self.kernel = self.add_weight("kernel", (shape[-1], self.units))
            self.recurrent = self.add_weight("recurrent", (self.units, self.units))

        def call(self, x, states):
            h = K.tanh(K.dot(x, self.kernel) + K.dot(states[0], self.recurrent))
            return h, [h]

    rnn = layers.RNN(Cell(3))
    x = rng.rand(2, 5, 4).astype("float32")
    with GradientTape() as tape:
        total = K.sum(rnn(x))
    found = tape.gradient(total, rnn.trainable_variables)
    step = 1e-2
    weights = rnn.get_weights()
    for i, (w, g) in enumerate(zip(weights, found)):
        moved = [v.copy() for v in weights]
        moved[i] = w + step * g.numpy()
        rnn.set_weights(moved)
        up = float(K.sum(rnn(x)))
        moved[i] = w - step * g.numpy()
        rnn.set_weights(moved)
        slope = (up - float(K.sum(rnn(x)))) / (2 * step)
        assert slope == pytest.approx(float((g.numpy() ** 2).sum()), rel=1e-2)
        rnn.set_weights(weights)


def test_a_stateful_layer_goes_on_until_it_is_reset(rng):
    model = Sequential([layers.LSTM(3, stateful=True, batch_input_shape=(2, 4, 1))])
    x = rng.rand(2, 4, 1).astype("float32")
    first, second = model(x).numpy(), model(x).numpy()
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_array_equal(model(x).numpy(), first)


def test_metrics_alone():
    mean = metrics.Mean()
    mean.update_state([1.0, 2.0, 3.0])
    assert float(mean(6.0)) == float(mean.result()) == 3
    mean.reset_state()
    mean.update_state(5.0)
    assert float(mean.result()) == 5


def test_a_traced_step_and_an_eager_one_agree(data):
    x, y = data
    results = []
    for wrap in (lambda f: f, function):
        np.random.seed(3)
        model = Sequential([layers.Dense(4, activation="relu", input_shape=(8,)), layers.Dense(1)])
        optimizer, accuracy = optimizers.SGD(0.1, momentum=0.9), metrics.MeanAbsoluteError()

        @wrap
        def step(x, y, model=model, optimizer=optimizer, accuracy=accuracy):
            with GradientTape() as tape:
                out = model(x, training=True)
                loss = K.mean(K.square(out - y))
            optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights))
            accuracy.update_state(y, out)
            return loss

        losses_seen = [float(step(G.constant(x[i : i + 8]), G.constant(y[i : i + 8]))) for i in range(0, 32, 8)]
        results.append([*losses_seen, float(accuracy.result())])
    np.testing.assert_allclose(*results, rtol=1e-5)


def test_inputs_and_outputs_in_dicts(data):
    x, y = data
    ends = {"a": Input((8,)), "b": Input((8,))}
    joined = layers.Concatenate()([ends["a"], ends["b"]])
    model = Model(inputs=ends, outputs={"y": layers.Dense(1)(joined), "z": layers.Dense(2)(joined)})
    model.compile("adam", {"y": "mse", "z": "mae"}, metrics={"y": ["mae"]})
    history = model.fit({"b": x, "a": x}, {"y": y, "z": np.repeat(y, 2, 1)}, verbose=0).history
    assert {"loss", "y_loss", "z_loss", "y_mae"} == set(history)
    out, predicted = model({"a": x, "b": x * 2}), model.predict({"a": x, "b": x * 2})
    for name in ("y", "z"):
        np.testing.assert_allclose(out[name].numpy(), predicted[name], atol=1e-6)


def test_a_model_out_of_another_models_layers_on_a_tape(data):
    model = Sequential([layers.Dense(4, activation="relu", input_shape=(8,)), layers.Dense(3)])
    both = Model(model.inputs, [model.layers[0].output, model.output])
    with GradientTape() as tape:
        hidden, out = both(data[0])
        score = out[:, 0]
    kernel = model.get_weights()[2]
    np.testing.assert_allclose(tape.gradient(score, hidden).numpy(), np.tile(kernel[:, 0], (32, 1)), rtol=1e-6)
