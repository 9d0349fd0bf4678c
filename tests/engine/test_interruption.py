"""Ctrl-C while a program runs: seen soon, never swallowed, and everything is usable afterwards."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from interrupting import SOON, in_child

SETUP = """
import numpy as np
import hornbeam as keras
from hornbeam import backend as K
from hornbeam.layers import *
from hornbeam.models import Model, Sequential

def network(batch=40, **arguments):
    model = Sequential([Conv2D(64, 3, padding="same", input_shape=(96, 96, 32), **arguments), Conv2D(64, 3), GlobalAveragePooling2D()])
    model.compile("adam", "mse")
    return model, np.random.RandomState(0).rand(batch, 96, 96, 32).astype("float32"), np.zeros((batch, 64), "float32")
"""

# Each runs for a second or so; a name, what is prepared, and what is interrupted.
LONG = {
    "predict": ("model, x, y = network(200)", "model.predict(x, batch_size=200)"),
    "train": ("model, x, y = network(100)", "model.train_on_batch(x, y)"),
    "fit": ("model, x, y = network(100)", "model.fit(x, y, batch_size=100, epochs=50, verbose=0)"),
    "evaluate": ("model, x, y = network(200)", "model.evaluate(x, y, batch_size=200, verbose=0)"),
    "one convolution": (
        "x = np.ones((30, 256, 256, 32), 'float32'); model = Sequential([Conv2D(64, 7, input_shape=(256, 256, 32))])",
        "model.predict(x, batch_size=30)",
    ),
    "one product": (
        "a, b = K.placeholder((None, None)), K.placeholder((None, None)); f = K.function([a, b], [K.dot(a, b)]);"
        "x = np.ones((9000, 9000), 'float32')",
        "f([x, x])",
    ),
    "one product of what stays": ("a = K.variable(np.ones((9000, 9000), 'float32'))", "K.eval(K.dot(a, a))"),
    "scan": (
        "x = K.placeholder((None, 2)); f = K.function([x], [K.foldl(lambda a, v: K.tanh(K.dot(K.reshape(a + v, (1, 2)),"
        "K.ones((2, 2))))[0], x)]); values = np.ones((3_000_000, 2), 'float32')",
        "f([values])",
    ),
    "recurrent": (
        "model = Sequential([LSTM(256, input_shape=(None, 64))]); x = np.ones((16, 20000, 64), 'float32'); model.predict(x[:, :2])",
        "model.predict(x, batch_size=16)",
    ),
    "recurrent gradient": (
        "model = Sequential([GRU(256, input_shape=(None, 64))]); model.compile('sgd', 'mse');"
        "x = np.ones((16, 10000, 64), 'float32'); model.train_on_batch(x[:, :2], np.ones((16, 256)))",
        "model.train_on_batch(x, np.ones((16, 256)))",
    ),
    "feeds that are converted": (
        "model = Sequential([Dense(1, input_shape=(1,))]); x = np.ones((80_000_000, 2))[:, ::2]",
        "model.predict_on_batch(x)",
    ),
}


@pytest.mark.host_only(reason="copies of large tensors to other devices are not interrupted")
@pytest.mark.parametrize(("name", "threads"), [*((name, "2") for name in LONG), ("predict", "1"), ("train", "1")])
def test_seen_soon(name, threads):
    setup, run = LONG[name]
    out = in_child(
        SETUP + setup + f"\nprint(max(waited(lambda: {run}) for _ in range(2)))",
        HORNBEAM_NUM_THREADS=threads,
    )
    assert float(out) < SOON


def test_everything_is_usable_afterwards(tmp_path):
    """The same numbers as before, from the same model, with its locks, memory and pool."""
    in_child(
        SETUP
        + textwrap.dedent(f"""
        import threading
        model, x, y = network(100)
        small = x[:4]
        before, weights = model.predict(small), model.get_weights()
        for _ in range(4):
            assert waited(lambda: model.predict(x, batch_size=100)) < SOON
            assert np.array_equal(model.predict(small), before)
        assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_weights()))
        other = []
        thread = threading.Thread(target=lambda: other.append(model.predict(small)))
        thread.start()
        thread.join(60)
        assert np.array_equal(other[0], before)
        model.set_weights(weights)
        model.save({str(tmp_path / "model.h5")!r})
        twin = keras.models.load_model({str(tmp_path / "model.h5")!r})
        assert model.train_on_batch(small, y[:4]) == twin.train_on_batch(small, y[:4])
        assert all(np.array_equal(a, b) for a, b in zip(twin.get_weights(), model.get_weights()))
        """)
    )


# Long before its updates, and long in its updates; running means, states of recurrent layers.
TRAINED = {
    "computes": "[Conv2D(32, 3, input_shape=(48, 48, 8)), BatchNormalization(), Conv2D(32, 3), Flatten(), Dense(4)]",
    "writes": "[Flatten(batch_input_shape=(64, 48, 48, 8)), Dense(250, kernel_constraint='unit_norm'), Dense(4)]",
    "states": "[Reshape((48, 384), batch_input_shape=(64, 48, 48, 8)), LSTM(200, stateful=True, return_sequences=True), "
    "SimpleRNN(100, stateful=True), Dense(4)]",
}


@pytest.mark.parametrize("name", TRAINED)
def test_a_step_is_made_whole_or_not_at_all(name):
    """After every Ctrl-C the weights and the optimizer's are those before the step or those after it, bit by bit."""
    out = in_child(
        SETUP
        + textwrap.dedent(f"""
        import random
        def build():
            model = Sequential({TRAINED[name]})
            model.compile(keras.optimizers.Adam(1e-3, amsgrad=True), "mse", metrics=["mae"])
            model._make_train_function()
            return model
        model, twin = build(), build()
        x, y = np.random.RandomState(0).rand(64, 48, 48, 8).astype("float32"), np.ones((64, 4), "float32")
        def everything(m):
            states = [s for layer in m.layers for s in getattr(layer, "states", None) or []]
            variables = m.weights + m.optimizer.weights + states
            return variables, [K.get_value(v) for v in variables]
        def copy(values, m):
            for variable, value in zip(everything(m)[0], values):
                K.set_value(variable, value)
        import time
        copy(everything(model)[1], twin)
        model.train_on_batch(x, y), twin.train_on_batch(x, y)
        start = time.perf_counter()
        model.train_on_batch(x, y), twin.train_on_batch(x, y)
        once = (time.perf_counter() - start) / 2
        rng, outcomes = random.Random(0), {{"before": 0, "after": 0}}
        for _ in range(25):
            before = everything(model)[1]
            copy(before, twin)
            twin.train_on_batch(x, y)
            after = everything(twin)[1]
            try:
                waited_once(lambda: (model.train_on_batch(x, y), time.sleep(0.2)), after=rng.uniform(0, 1.3 * once))
            except KeyboardInterrupt:
                pass
            now = everything(model)[1]
            same = [k for k, v in {{"before": before, "after": after}}.items() if all(np.array_equal(a, b) for a, b in zip(now, v))]
            assert len(same) == 1, same
            outcomes[same[0]] += 1
        print(outcomes["after"])
        """),
        HORNBEAM_NUM_THREADS="2",
    )
    assert int(out) > 0


def test_fit_ends_with_the_exception(tmp_path):
    in_child(
        SETUP
        + textwrap.dedent("""
        model, x, y = network(2)
        calls = []
        class Watch(keras.callbacks.Callback):
            def on_train_begin(self, logs=None): calls.append("begin")
            def on_epoch_end(self, epoch, logs=None): calls.append(epoch)
            def on_train_end(self, logs=None): calls.append("end")
        assert waited(lambda: model.fit(x, y, batch_size=1, epochs=100000, verbose=0, callbacks=[Watch()]), after=3)
        assert calls == ["begin", *range(len(calls) - 1)] and len(calls) > 1  # as in Keras, nobody says "end"
        assert model.history.epoch == calls[1:]
        assert model.fit(x, y, verbose=0).epoch == [0]
        """)
    )


@pytest.mark.parametrize(
    ("method", "kind", "processes"),
    [
        ("fit", "sequence", False),
        ("fit", "sequence", True),
        ("fit", "generator", False),
        ("fit", "generator", True),
        ("predict", "sequence", True),
        ("evaluate", "generator", False),
    ],
)
def test_workers_end(method, kind, processes):
    if processes and kind == "generator" and sys.platform != "linux":
        pytest.skip("generators are copied to processes by forking")
    in_child(
        SETUP
        + textwrap.dedent(f"""
        import multiprocessing, threading, time
        closed = []
        def generator():
            try:
                while True:
                    yield np.ones((50, 96, 96, 32), "float32"), np.zeros((50, 64), "float32")
            finally:
                closed.append(1)
        class Batches(keras.utils.Sequence):
            def __len__(self): return 1000
            def __getitem__(self, i): return np.ones((50, 96, 96, 32), "float32"), np.zeros((50, 64), "float32")
        model, x, y = network()
        threads = threading.active_count()
        data = Batches() if {kind == "sequence"} else generator()
        if {method!r} == "fit":
            run = lambda: model.fit_generator(data, 1000, epochs=10, verbose=0, workers=2, use_multiprocessing={processes})
        else:
            run = lambda: model.{method}_generator(data, 1000, workers=2, use_multiprocessing={processes})
        assert waited(run, after=2) < 15  # workers have batches of 60 MB to finish
        end = time.monotonic() + 20
        while (multiprocessing.active_children() or (not {processes} and threading.active_count() > threads)) and time.monotonic() < end:
            time.sleep(0.05)
        assert not multiprocessing.active_children(), multiprocessing.active_children()
        assert {processes} or threading.active_count() <= threads, threading.enumerate()
        if {kind == "generator" and not processes}:  # processes have copies of it
            data.close()
            assert closed
        model.train_on_batch(x[:2], y[:2])
        """)
    )


def test_a_handler_that_raises_nothing_does_not_end_the_run():
    """It runs soon, between two attempts, and may use the model, whose locks nobody holds."""
    in_child(
        SETUP
        + textwrap.dedent("""
        import threading
        model, x, y = network(60)
        model._make_train_function()
        wanted, seen = model.predict(x, batch_size=60), []
        def handler(number, frame):
            seen.append((number, time.perf_counter(), frame is not None, len(model.get_weights())))
            model.predict(x[:1])
        signal.signal(signal.SIGINT, handler)
        def press():
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        for run in (lambda: model.predict(x, batch_size=60), lambda: model.train_on_batch(x, y)):
            sent = []
            seen.clear()
            threading.Timer(0.2, press).start()
            result = run()
            time.sleep(0.3)
            assert len(seen) == 1 and seen[0][0] == signal.SIGINT and seen[0][2] and seen[0][3] == 4
            assert seen[0][1] - sent[0] < SOON
            if np.ndim(result):
                assert np.array_equal(result, wanted)
        """)
    )


def test_ctrl_c_is_not_taken_from_the_main_thread():
    """A run in another thread goes on; the main thread has the KeyboardInterrupt."""
    in_child(
        SETUP
        + textwrap.dedent("""
        import threading
        model, x, y = network(60)
        wanted, found = model.predict(x, batch_size=60), []
        thread = threading.Thread(target=lambda: found.append(model.predict(x, batch_size=60)))
        thread.start()
        assert waited(lambda: time.sleep(0.01), after=0.1) < SOON
        thread.join()
        assert np.array_equal(found[0], wanted)
        """)
    )


def test_while_another_thread_has_the_model():
    in_child(
        SETUP
        + textwrap.dedent("""
        import threading
        model, x, y = network(150)
        model.train_on_batch(x[:2], y[:2])
        model.predict(x[:2])
        seconds = None
        for _ in range(5):  # the prediction may be first, or the step soon over
            thread = threading.Thread(target=lambda: model.train_on_batch(x, y))
            thread.start()
            time.sleep(0.3)
            seconds = waited_once(lambda: model.predict(x[:2]), after=0.2)
            thread.join()
            if seconds is not None:
                break
        assert seconds is not None and seconds < SOON
        model.predict(x[:2])
        """)
    )


def test_inputs_that_convert_themselves_may_be_interrupted():
    """What an array-like raises becomes a TypeError about the input; Ctrl-C does not."""
    in_child(
        SETUP
        + textwrap.dedent("""
        class Slow:
            def __array__(self, dtype=None, copy=None): raise KeyboardInterrupt
        x = K.placeholder((None, 2))
        f = K.function([x], [x + 1])
        try:
            f([Slow()])
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError
        """)
    )


def test_a_script_ends_as_python_ends_it(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import numpy as np, sys\nfrom keras.models import Sequential\nfrom keras.layers import Dense\n"
        "model = Sequential([Dense(4, input_shape=(4,))])\nmodel.compile('sgd', 'mse')\nprint('ready', flush=True)\n"
        "model.fit(np.ones((100, 4)), np.ones((100, 4)), epochs=10**6, verbose=0)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-m", "hornbeam", "run", str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert child.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
    assert errors.rstrip().endswith("KeyboardInterrupt")
