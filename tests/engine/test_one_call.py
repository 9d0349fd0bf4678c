"""A warm training step is one call into the compiled core, which allocates nothing."""

import sys

import numpy as np
import pytest
from hornbeam import _core
from hornbeam.layers import LSTM, BatchNormalization, Conv2D, Dense, Dropout, Embedding, Flatten, MaxPooling2D
from hornbeam.models import Sequential


def mlp():
    model = Sequential([Dense(16, activation="relu", input_shape=(8,)), Dropout(0.5), Dense(3, activation="softmax")])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, np.random.RandomState(0).rand(32, 8), np.eye(3)[np.arange(32) % 3]


def cnn():
    model = Sequential(
        [
            Conv2D(4, 3, activation="relu", input_shape=(8, 8, 1)),
            BatchNormalization(),
            MaxPooling2D(),
            Flatten(),
            Dense(3, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    return model, np.random.RandomState(0).rand(32, 8, 8, 1), np.eye(3)[np.arange(32) % 3]


def lstm():
    model = Sequential([Embedding(20, 8, input_length=5), LSTM(6), Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    return model, np.random.RandomState(0).randint(0, 20, (32, 5)), np.arange(32) % 2


def core_calls(function):
    """Names of the functions of the compiled core that ``function()`` calls."""
    calls = []

    def watch(frame, event, called):
        if event == "c_call" and ("_core" in (called.__module__ or "") or "pybind11" in type(called.__self__).__name__):
            calls.append(called.__name__)

    sys.setprofile(watch)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.skipif(sys.version_info[:2] in ((3, 10), (3, 12)), reason="profiling sees no calls of compiled methods")
@pytest.mark.parametrize("make", [mlp, cnn, lstm])
def test_a_warm_training_step_is_one_call(make):
    model, x, y = make()

    def epoch(samples):
        return core_calls(lambda: model.fit(x[:samples], y[:samples], batch_size=8, epochs=1, verbose=0))

    epoch(8)
    # Where a device has memory of its own, the next batch's feeds are set while a step runs.
    step = ["run"] if _core.device() == "cpu" else ["run_ahead", "set"]
    short, long = epoch(8), epoch(32)
    assert short.count(step[0]) == 1
    assert sorted(long) == sorted(short + step * 3)  # three more batches are three more calls


@pytest.mark.host_only(reason="kernels of other devices may allocate")
@pytest.mark.parametrize("make", [mlp, cnn, lstm])
def test_a_warm_training_step_allocates_nothing_in_the_core(make):
    model, x, y = make()
    for _ in range(3):
        model.train_on_batch(x, y)
    plan = model.train_function.program(1).bind([x.shape, y.reshape(32, -1).shape, (32,)])
    assert plan.last_nanoseconds > 0  # the plan that the steps above used
    assert plan.last_allocations == 0
