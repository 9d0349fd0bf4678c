"""One model, one backend, many threads: what they share is made once, locked or their own.

These run under ThreadSanitizer as well (.ci/full), which sees a race even where nothing went wrong.
"""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import GRU, LSTM, BatchNormalization, Conv2D, Dense, Dropout, MaxPooling2D, Reshape
from hornbeam.models import Sequential
from together import at_once


def again_and_again(*tasks, times):
    """Call each of the functions with 0, 1, ... ``times - 1``, every one in a thread of its own."""
    at_once(*(lambda task=task: [task(i) for i in range(times)] for task in tasks))


@pytest.fixture
def mlp():
    model = Sequential(
        [
            Dense(64, activation="relu", input_shape=(40,)),
            BatchNormalization(),
            Dropout(0.3),
            Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["acc"])
    return model


X = np.random.RandomState(0).randn(96, 40).astype("float32")
Y = np.eye(3)[np.random.RandomState(1).randint(0, 3, 96)]


def test_first_predictions(mlp):
    outputs = []
    again_and_again(*[lambda i: outputs.append(mlp.predict(X))] * 12, times=1)
    for output in outputs:
        np.testing.assert_array_equal(output, outputs[0])


def test_predicting_beside_training_reading_and_writing_weights(mlp, threads):
    weights = mlp.get_weights()

    def predict(i):
        p = mlp.predict(X[: (1, 3, 32, 96)[i % 4]])
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)

    def pool(i):
        threads(1 + i % 4)

    again_and_again(
        *[predict] * 12,
        lambda i: mlp.fit(X, Y, verbose=0),
        lambda i: mlp.evaluate(X, Y, verbose=0),
        lambda i: mlp.get_weights(),
        lambda i: mlp.set_weights(weights),
        pool,
        times=4,
    )


def test_packed_weights_while_they_change(threads):
    threads(3)
    model = Sequential(
        [
            Conv2D(16, 3, padding="same", activation="relu", input_shape=(12, 12, 3)),
            BatchNormalization(),
            MaxPooling2D(),
            Reshape((36, 16)),
            LSTM(20, return_sequences=True),
            GRU(12),
            Dense(2),
        ]
    )
    model.compile("sgd", "mse")
    rng = np.random.RandomState(0)
    x, y = rng.randn(20, 12, 12, 3), rng.randn(20, 2)
    again_and_again(
        *[lambda i: model.predict(x[: 1 + i % 20])] * 6,
        lambda i: model.train_on_batch(x, y),
        lambda i: model.evaluate(x, y, verbose=0),
        times=4,
    )


def test_more_shapes_than_plans_are_kept():
    p = K.placeholder((None, None))
    f = K.function([p], [K.sum(K.exp(p) + K.dot(p, K.transpose(p)), axis=1)])

    def call(seed):
        def one(i):
            n = random.Random(100 * seed + i).randint(1, 90)
            np.testing.assert_allclose(f([np.zeros((n, n))])[0], np.full(n, n))

        return one

    again_and_again(*[call(seed) for seed in range(6)], times=40)


def test_evaluation_on_demand_beside_assignments():
    v = K.variable(np.zeros((50, 50)))

    def read(i):
        assert np.ptp(K.eval(v * 1.0 + i)) == 0
        assert np.ptp(K.get_value(v)) == 0

    again_and_again(*[read] * 6, *[lambda i: K.set_value(v, np.full((50, 50), i))] * 2, times=10)


def test_programs_that_are_cut_and_loops_with_random_numbers():
    lengths, state = K.placeholder((None,), dtype="int32"), K.variable(np.arange(100.0))
    total = K.sum(K.cast(K.arange(K.max(lengths)), "float32")) + K.sum(state) * 0
    ranges = K.function([lengths], [total], updates=[(state, state + 1)])

    def sum_of_range(i):
        assert ranges([np.array([3, 3 + i % 7], "int32")])[0] == sum(range(3 + i % 7))

    x = K.placeholder((4, None, 5))
    step = lambda t, s: (s[0] + K.random_uniform((4, 5)), [s[0] + t])  # noqa: E731
    last, outputs, _ = K.rnn(step, x, [K.zeros((4, 5))])
    rows = K.function([x], [last, outputs])

    def noise(i):
        out = rows([np.ones((4, 2 + i % 5, 5))])[1]
        assert (np.floor(out) == np.arange(2 + i % 5)[:, None]).all()

    again_and_again(*[sum_of_range] * 4, *[noise] * 4, times=10)
    assert K.get_value(state)[0] == 40


def test_one_pool_many_callers(threads):
    threads(4)
    a = np.random.RandomState(0).randn(200, 200).astype("float32")
    p = K.placeholder((200, 200))
    f = K.function([p], [K.dot(p, p), K.softmax(p)])
    want = f([a])

    def call(i):
        for got, expected in zip(f([a]), want):
            np.testing.assert_array_equal(got, expected)

    again_and_again(*[call] * 8, times=10)


def test_models_built_in_threads():
    def build(i):
        model = Sequential([Dense(5, input_shape=(4,)), Dense(2)])
        model.compile("rmsprop", "mse")
        model.train_on_batch(np.ones((3, 4)), np.ones((3, 2)))
        assert model.predict(np.ones((2, 4))).shape == (2, 2)

    again_and_again(*[build] * 5, times=2)


def test_every_answer_and_file_is_of_one_state():
    script = Path(__file__).parent.parent / "soak.py"
    done = subprocess.run(
        [sys.executable, script, "--seconds", "3", "--predicting", "6"], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
