"""Threads that build, compile or use a model for the first time: of one model they queue up, different ones do not meet."""

import sys
import threading

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import Dense, Dropout, Input, Lambda
from hornbeam.models import Model, Sequential, clone_model, load_model
from together import at_once

X = np.ones((8, 4), "float32")


def in_threads(task, count=8):
    """What a function returns in that many threads, let loose together."""
    return at_once(*[task] * count)


@pytest.fixture(autouse=True)
def switch_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_building_at_the_first_data():
    for _ in range(5):
        model = Sequential([Dense(3, kernel_initializer="ones"), Dense(2, kernel_initializer="ones")])
        for y in in_threads(lambda model=model: model.predict(X)):
            np.testing.assert_array_equal(y, 12)
        assert len(model.weights) == 4 and [len(la._inbound_nodes) for la in model.layers] == [1, 1]


def test_building_a_subclass():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(2, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x)

    for _ in range(5):
        model = Own()
        for y in in_threads(lambda model=model: model.predict_on_batch(X)):
            np.testing.assert_array_equal(y, 4)
        assert len(model.weights) == 2


def test_compiling_beside_training_and_predicting():
    model = Sequential([Dense(3, input_shape=(4,)), Dropout(0.1), Dense(2)])
    data = np.zeros((8, 2))

    def task():
        model.compile("adam", "mse", metrics=["mae", "acc"])
        assert len(model.train_on_batch(X, data)) == 3
        assert len(model.evaluate(X, data, verbose=0)) == 3
        model.fit(X, data, verbose=0, validation_data=(X, data))
        assert model.metrics_names == ["loss", "mae", "acc"]
        assert model.predict_on_batch(X).shape == model.predict(X).shape == (8, 2)

    in_threads(task)


def test_first_calls_of_a_function():
    x = K.placeholder((None, 4))
    for _ in range(5):
        noise = K.function([x], [x + K.random_uniform((8, 4))])
        draws = in_threads(lambda noise=noise: noise([X])[0])
        assert len({d.tobytes() for d in draws}) == len(draws) == noise.counter.value == 8


def test_first_calls_of_train_evaluate_and_predict():
    for _ in range(3):
        model = Sequential([Dense(3, input_shape=(4,)), Dense(2)])
        model.compile("adam", "mse")
        calls = [
            lambda model=model: model.train_on_batch(X, np.zeros((8, 2))),
            lambda model=model: model.test_on_batch(X, np.zeros((8, 2))),
            lambda model=model: model.predict_on_batch(X),
        ] * 4
        in_threads(lambda calls=calls: calls.pop()(), count=12)
        assert len(model.optimizer.weights) == 1 + 3 * 4 and model.optimizer.get_weights()[0] == 4


def test_fits_report_their_own_history():
    model = Sequential([Dense(1, input_shape=(4,))])
    model.compile("sgd", "mse")
    epochs = list(range(1, 7))
    fit = lambda: (n := epochs.pop(), model.fit(X, np.zeros((8, 1)), epochs=n, verbose=0))  # noqa: E731
    for n, history in in_threads(fit, count=6):
        assert history.epoch == list(range(n))


def test_cloning_and_summaries_of_a_model_that_is_being_built():
    model = Sequential([Dense(3), Dense(2)])

    def task():
        model.predict(X)
        clone = clone_model(model)
        clone.set_weights(model.get_weights())
        np.testing.assert_array_equal(clone.predict(X), model.predict(X))
        lines = []
        model.summary(print_fn=lines.append)
        return "\n".join(lines)

    assert len(set(in_threads(task))) == 1


def test_layers_that_models_share():
    base = Sequential([Dense(3, kernel_initializer="ones", input_shape=(4,)), Lambda(lambda x: x * 2.0)])
    unbuilt = Dense(2, kernel_initializer="ones")

    def task():
        inputs = Input((4,))
        model = Model(inputs, unbuilt(base(inputs)))
        model.compile("sgd", "mse")
        return model.predict(X)

    for y in in_threads(task):
        np.testing.assert_array_equal(y, 24)
    assert len(unbuilt.weights) == 2 and len(unbuilt._inbound_nodes) == 8


def test_names_are_unique():
    names = [name for names in in_threads(lambda: [Dense(1).name for _ in range(200)]) for name in names]
    assert len(set(names)) == len(names)


def test_different_models_get_what_one_thread_gets():
    def outcome(i):
        rng = np.random.RandomState(i)
        x, y = rng.randn(64, 6).astype("float32"), rng.randn(64, 2).astype("float32")
        glorot = keras.initializers.glorot_uniform
        inputs = Input((6,), name=f"input_of_{i}")
        h = Dense(8 + i, activation="tanh", kernel_initializer=glorot(seed=i), name=f"hidden_of_{i}")(inputs)
        h = keras.layers.BatchNormalization(name=f"scaled_of_{i}")(h)
        h = keras.layers.Dropout(0.2, seed=i, name=f"dropped_of_{i}")(h)
        model = Model(inputs, Dense(2, kernel_initializer=glorot(seed=i + 1), name=f"out_of_{i}")(h), name=f"model_{i}")
        metrics = ["mae", keras.metrics.Precision(name=f"precision_of_{i}")]
        model.compile(["adam", "sgd", "rmsprop", "nadam"][i % 4], "mse", metrics=metrics)
        names = [*model.metrics_names, *(weight.name for weight in model.weights)]
        history = model.fit(x, abs(y) % 1, epochs=2, batch_size=16, shuffle=False, verbose=0).history
        names += [*history, *(weight.name for weight in model.optimizer.weights), model.total_loss.op.label]
        return list(history.values()), model.predict(x), model.evaluate(x, abs(y) % 1, verbose=0), names

    indices = list(range(8))
    for i, got in in_threads(lambda: (n := indices.pop(), outcome(n))):
        want = outcome(i)
        np.testing.assert_array_equal(got[0], want[0])
        np.testing.assert_array_equal(got[1], want[1])
        np.testing.assert_array_equal(got[2], want[2])
        assert got[3] == want[3]


def test_loading_in_threads(tmp_path):
    class Double(Dense):
        def call(self, inputs):
            return 2.0 * super().call(inputs)

    model = Sequential([Double(3, input_shape=(4,)), Dropout(0.2), Dense(2)])
    model.compile("adam", "mse", metrics=["mae"])
    want = model.predict(X)
    for name in ("model.h5", "model.keras"):
        model.save(str(tmp_path / name))

    def load():
        for name in ("model.h5", "model.keras"):
            loaded = load_model(str(tmp_path / name), custom_objects={"Double": Double})
            np.testing.assert_array_equal(loaded.predict(X), want)

    in_threads(load)


def test_custom_objects_are_the_threads_own():
    seen = threading.Barrier(4)

    def task():
        class Mine(Dense):
            pass

        with keras.utils.CustomObjectScope({"Mine": Mine}):
            seen.wait()
            layer = keras.layers.deserialize({"class_name": "Mine", "config": {"units": 1}})
            seen.wait()
        return type(layer) is Mine

    assert all(in_threads(task, count=4))
    assert "Mine" not in keras.utils.get_custom_objects()


def test_pending_updates_are_seen_by_the_thread_that_made_them():
    v = K.variable(1.0)
    inside, done = threading.Event(), threading.Event()

    def other():
        with K.control_dependencies([K.update(v, 5.0)]):
            inside.set()
            assert done.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(60)
    assert K.eval(v * 2.0) == 2
    done.set()
    thread.join()
    assert K.get_value(v) == 1


def test_a_metric_beside_another_reads_its_own_update():
    first_is_open, second_is_open, first_is_closed = threading.Event(), threading.Event(), threading.Event()

    def first():
        total = K.variable(0.0)
        with K.control_dependencies([K.update_add(total, 1.0)]):
            first_is_open.set()
            assert second_is_open.wait(60)
        first_is_closed.set()

    def second():
        total = K.variable(1.0)
        assert first_is_open.wait(60)
        with K.control_dependencies([K.update_add(total, 1.0)]):
            second_is_open.set()
            assert first_is_closed.wait(60)
            result = total * 1.0
        return K.eval(result)

    assert at_once(first, second)[1] == 2


def test_a_body_is_built_by_one_thread_alone():
    x, total = K.placeholder((3, 2)), K.variable(0.0)
    inside, done = threading.Event(), threading.Event()

    def step(row):
        inside.set()
        assert done.wait(60)
        return row * 2.0

    def update():
        assert inside.wait(60)
        try:
            return K.update(total, 1.0)
        finally:
            done.set()

    rows, updated = at_once(lambda: K.map_fn(step, x), update)
    assert K.eval(updated) == 1
    np.testing.assert_array_equal(K.function([x], [rows])([np.ones((3, 2))])[0], 2)
