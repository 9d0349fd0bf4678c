"""Layers, losses and schedules of scripts for TensorFlow 2 that decide by tensors and by the phase, as Python does."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import optimizers
from hornbeam.graph import symbolic
from hornbeam.layers import RNN, BatchNormalization, Dense, Dropout, Input, Lambda, Layer, TimeDistributed, Wrapper
from hornbeam.models import Model, Sequential
from hornbeam.tf import NAMES as tf
from hornbeam.tf.eager import function

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def x(rng):
    return rng.normal(size=(6, 4)).astype("float32")


class Sign(Layer):
    def call(self, x):
        if tf["reduce_sum"](x) > 0:
            return x
        else:
            return -x


class Running(Layer):
    """A sum over the rows before, with a temporary variable and a state in a list."""

    def call(self, x):
        steps = K.shape(x)[1]
        states = [x[:, 0] * 0.0]
        written = tf["TensorArray"]("float32", size=steps)
        for t in tf["range"](steps):
            now = x[:, t]
            states = [states[0] + now]
            written = written.write(t, states[0])
        return tf["transpose"](written.stack(), [1, 0])


class Doubling(Layer):
    def call(self, x, training=None):
        if training:
            x = x * 2.0
        return x


class Noted(Layer):
    """It drops, normalizes, and adds a loss, as its call says."""

    def __init__(self):
        super().__init__()
        self.norm = BatchNormalization(momentum=0.5)
        self.drop = Dropout(0.5)

    def call(self, x, training=False):
        self.add_loss(K.mean(x) * (10.0 if training else 1.0))
        return self.drop(self.norm(x, training=training), training=training)


class Counting(Layer):
    def build(self, shape):
        self.count = self.add_weight("count", (), initializer="zeros", trainable=False)

    def call(self, x, training=False):
        if training:
            self.count.assign_add(1.0)
        return x + self.count


def graph_model(layer):
    inputs = Input((4,))
    return Model(inputs, layer(inputs))


@pytest.mark.parametrize("of", [Sign, Running], ids=lambda c: c.__name__)
def test_a_layer_decides_by_a_tensor_wherever_it_is_called(of, x):
    expected = of()(x).numpy()  # of values it is Python's own
    layer = of()
    traced = function(lambda x: layer(x))
    for result in (graph_model(of()).predict(x), traced(x).numpy(), graph_model(of())(x).numpy()):
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-6)
    assert all(program is not None for program in traced._traced._known.values())
    np.testing.assert_allclose(graph_model(Sign()).predict(-np.abs(x)), np.abs(x))


def test_a_layer_decides_by_the_phase_of_fit_and_predict(x):
    model = Sequential([Input((4,)), Doubling(), Dense(1, kernel_initializer="ones", use_bias=False)])
    model.compile(optimizers.SGD(0.0), "mae")
    sums = x.sum(1, keepdims=True)
    history = model.fit(x, sums, batch_size=6, verbose=0).history
    np.testing.assert_allclose(history["loss"][0], np.abs(sums).mean(), rtol=1e-5)  # |2 s - s|
    np.testing.assert_allclose(model.predict(x), sums, rtol=1e-5, atol=1e-6)
    assert model.evaluate(x, sums, verbose=0) == pytest.approx(0, abs=1e-6)


def test_layers_inside_of_wrappers_and_models_do_so_too(x):
    inputs = Input((3, 4))
    model = Model(inputs, graph_model(Doubling())(TimeDistributed(Doubling())(inputs)[:, 0]))
    with symbolic():
        run = K.function([inputs, K.learning_phase()], model.outputs)
    rows = np.stack([x, x, x], axis=1)
    np.testing.assert_allclose(run([rows, 0])[0], x)
    np.testing.assert_allclose(run([rows, 1])[0], 4 * x)


def test_what_a_call_adds_is_added_once(x):
    layer = Noted()
    model = Sequential([Input((4,)), layer])
    model.compile(optimizers.SGD(0.0), lambda y_true, y_pred: 0.0 * y_pred)
    with symbolic():
        assert len(model.losses) == 1 and len(model.updates) == 2
    assert model.train_on_batch(x, x) == pytest.approx(10 * x.mean(), rel=1e-5)
    np.testing.assert_allclose(layer.norm.get_weights()[2], 0.5 * x.mean(0), rtol=1e-5, atol=1e-6)
    mean, variance = layer.norm.get_weights()[2:]
    np.testing.assert_allclose(model.predict(x), (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)


def test_what_a_call_assigns_in_training_is_assigned_in_training(x):
    layer = Counting()
    model = graph_model(layer)
    model.compile("sgd", "mse")
    for _ in range(3):
        model.train_on_batch(x, x)
    model.predict(x)
    assert layer.get_weights() == [3.0]


def test_a_metric_reports_what_each_phase_computes(x):
    class Reporting(Layer):
        def call(self, x, training=False):
            self.add_metric(K.mean(K.ones_like(x)) * (2.0 if training else 1.0), name="phase")
            return x

    model = graph_model(Reporting())
    model.compile("sgd", "mse")
    assert model.metrics_names == ["loss", "phase"]
    assert model.fit(x, x, verbose=0).history["phase"] == [2.0]
    assert model.evaluate(x, x, verbose=0) == [0.0, 1.0]
    assert model.total_loss is not None  # it has no need to train by steps


def test_what_is_read_after_an_assignment_is_the_new_value(x):
    """As spectral normalization does it, whose kernel is divided before each step."""

    class Halved(Wrapper):
        def build(self, shape):
            super().build(shape)  # which builds the layer inside

        def call(self, x, training=None):
            if training:
                self.layer.kernel.assign(self.layer.kernel / 2.0)
            return self.layer(x)

    layer = Halved(Dense(1, kernel_initializer="ones", use_bias=False))
    model = Sequential([Input((4,)), layer])
    model.compile(optimizers.SGD(0.1), "mse")
    kernel, targets = np.ones((4, 1), "float32"), x[:, :1]
    for _ in range(3):
        kernel = kernel / 2
        error = x @ kernel - targets
        assert model.train_on_batch(x, targets) == pytest.approx((error**2).mean(), rel=1e-4)
        kernel = kernel - 0.1 * 2 * x.T @ error / len(x)
        np.testing.assert_allclose(layer.layer.get_weights()[0], kernel, rtol=1e-4, atol=1e-6)
    assert model.evaluate(x, targets, verbose=0) == pytest.approx(((x @ kernel - targets) ** 2).mean(), rel=1e-4)


def test_cells_of_recurrent_layers_decide_too(x):
    class Cell(Layer):
        state_size = 4

        def call(self, x, states, training=None):
            if training:
                x = x * 10.0
            if tf["reduce_sum"](states[0]) < 0:
                x = x * 0.0
            state = states[0] + x
            return state, [state]

    inputs = Input((3, 4))
    model = Model(inputs, RNN(Cell())(inputs))
    rows = np.stack([x, x, x], axis=1)
    with symbolic():
        run = K.function([inputs, K.learning_phase()], model.outputs)
    for values in (rows, -rows):
        state = np.zeros((6, 4), "float32")
        for t in range(3):
            state = state + values[:, t] * (0 if state.sum() < 0 else 1)
        np.testing.assert_allclose(run([values, 0])[0], state, rtol=1e-5)
        np.testing.assert_allclose(run([values, 1])[0], 10 * state, rtol=1e-5)


def test_losses_metrics_lambdas_and_schedules(x):
    def huber(y_true, y_pred):
        error = tf["reduce_mean"](tf["abs"](y_true - y_pred))
        if error > 1.0:
            return error * 2.0
        return error

    def positive(y_true, y_pred):
        if tf["reduce_mean"](y_pred) > 0:
            share = 1.0
        else:
            share = -1.0
        return share

    class Falling(optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            if step < 2:
                return 1.0
            return 0.0

    model = Sequential([Input((4,)), Lambda(lambda x: x if tf["reduce_sum"](x) > 0 else -x), Dense(4, "linear")])
    model.layers[-1].set_weights([np.eye(4), np.zeros(4)])
    model.compile(optimizers.SGD(Falling()), huber, metrics=[positive])
    x = np.abs(x)
    assert model.evaluate(-x, x + 3.0, verbose=0) == pytest.approx([6.0, 1.0], rel=1e-5)
    assert model.evaluate(x, x + 0.5, verbose=0) == pytest.approx([0.5, 1.0], rel=1e-5)
    model.compile(optimizers.SGD(Falling()), "mse")
    changes = []
    for _ in range(4):
        before = model.get_weights()[1]
        model.train_on_batch(x, x + 3.0)
        changes.append(np.abs(model.get_weights()[1] - before).sum() > 0)
    assert changes == [True, True, False, False]


def test_what_cannot_be_converted_says_what_it_asked_for():
    class Assigning(Layer):
        def build(self, shape):
            self.seen = self.add_weight("seen", (), initializer="zeros", trainable=False)

        def call(self, x):
            if tf["reduce_sum"](x) > 0:
                self.seen.assign(1.0)
            return x

    with pytest.raises(TypeError, match="is assigned in a branch"):
        graph_model(Assigning())


def test_what_layers_inside_of_a_layer_add_belongs_to_the_model(x):
    class Block(Layer):
        def __init__(self):
            super().__init__()
            self.dense = Dense(3, activity_regularizer=lambda y: 0.5 * K.sum(y * 0.0 + 1.0), kernel_initializer="ones")
            self.norm = BatchNormalization(momentum=0.5)

        def call(self, x):
            return self.norm(self.dense(x))

    block = Block()
    model = Sequential([Input((4,)), block, Dense(1)])
    model.compile(optimizers.SGD(0.0), lambda y_true, y_pred: 0.0 * y_pred)
    assert model.train_on_batch(x, x[:, :1]) == pytest.approx(0.5 * 18 / 6)
    np.testing.assert_allclose(block.norm.get_weights()[2], [0.5 * x.sum(1).mean()] * 3, rtol=1e-4, atol=1e-6)
