"""Many threads on one model, many calls, and models that outlive an error in a callback or generator."""

import functools
import gc
import os
import threading

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.callbacks import Callback
from hornbeam.layers import Dense, Dropout, Input
from hornbeam.models import Model, Sequential
from hornbeam.optimizers import SGD
from hornbeam.utils import Sequence
from together import at_once

from .models import data, mlp

THREADS = 64


def run_threads(work):
    """Run ``work(i)`` in 64 threads at once; raise what one of them raised."""
    at_once(*(functools.partial(work, i) for i in range(THREADS)))


class TestThreads:
    def test_predictions_are_right_and_do_not_wait(self):
        model = mlp()
        inputs = [np.random.RandomState(i).rand(1 + i % 5, 4) for i in range(THREADS)]
        single = mlp()
        single.set_weights(model.get_weights())
        wanted = [single.predict(x) for x in inputs]
        everybody = threading.Barrier(THREADS, timeout=60)

        class Meet(Callback):
            def on_predict_begin(self, logs=None):
                everybody.wait()  # passes only if all threads are inside predict at once

        def work(i):
            assert np.array_equal(model.predict(inputs[i], callbacks=[Meet()]), wanted[i])
            for _ in range(20):
                assert np.array_equal(model.predict(inputs[i]), wanted[i])

        run_threads(work)

    def test_a_thread_that_builds_a_training_step_does_not_hold_up_predictions(self):
        model, (x, _) = mlp(), data()
        want = model.predict(x)
        got = []
        with model._run_counter.lock:  # held while a Function is built
            thread = threading.Thread(target=lambda: got.append(model.predict(x)))
            thread.start()
            thread.join(60)
        assert np.array_equal(got[0], want)

    def test_predictions_beside_training_see_whole_states(self):
        # The loss is the mean of the outputs, which are all equal: each step lowers them by exactly 1/1024.
        x = Input((1,))
        y = Dense(1, use_bias=False, kernel_initializer="ones")(x)
        y = Dense(64, use_bias=False, kernel_initializer="ones", trainable=False)(y)
        model = Model(x, y)
        model.add_loss(K.mean(y))
        with pytest.warns(UserWarning, match="missing from loss"):
            model.compile(SGD(1 / 1024), loss=None)
        one, trained = np.ones((1, 1)), threading.Event()

        def work(i):
            if i == 0:
                for _ in range(200):
                    model.train_on_batch(one, None)
                trained.set()
                return
            last = 1.0
            while True:
                done = trained.is_set()
                values = model.predict(one)
                steps = (1.0 - values[0, 0]) * 1024
                assert values.min() == values.max() and steps == int(steps) and values[0, 0] <= last
                last = values[0, 0]
                if done:
                    break
            assert last == 1.0 - 200 / 1024

        run_threads(work)


def resident_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux's /proc")
def test_many_calls_leave_resident_memory_flat():
    model = Sequential([Dense(8, activation="relu", input_shape=(4,)), Dropout(0.5), Dense(3)])
    model.compile("adam", "mse", metrics=["mae"])
    batches = [np.random.rand(size, 4) for size in range(1, 9)]

    def calls(count):
        for i in range(count):
            x = batches[i % 8]
            model.predict(x)
            model.predict_on_batch(x)
            if i % 10 == 0:
                model.train_on_batch(x, x[:, :3])
        gc.collect()

    calls(2000)
    before = resident_kib()
    calls(20_000)
    assert resident_kib() - before < 256  # a leak of 16 bytes a call would be 650


class Interrupting(Callback):
    def __init__(self, hook, error):
        super().__init__()
        setattr(self, hook, self.fail)
        self.error = error

    def fail(self, *args, **kwargs):
        raise self.error("stop here")


class Broken(Sequence):
    def __init__(self, error):
        self.error = error

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 2:
            raise self.error("stop here")
        x, y = data()
        return x[:5], y[:5]


def assert_no_threads_left():
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(60)  # a pool that was told to end may need a moment
            assert not thread.is_alive()


def assert_usable(model):
    """The model trains, evaluates and predicts as if nothing had happened."""
    x, y = data()
    loss = model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(loss, -np.log(model.predict(x)[y == 1]).mean(), rtol=1e-5)
    assert len(model.fit(x, y, epochs=2, verbose=0).history["loss"]) == 2
    model.fit_generator(iter([(x, y)] * 2), steps_per_epoch=2, verbose=0, workers=0)
    assert model.evaluate(x, y, verbose=0) < loss


class TestErrorsLeaveTheModelUsable:
    @pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
    @pytest.mark.parametrize(
        "hook",
        ["on_train_begin", "on_epoch_begin", "on_batch_begin", "on_batch_end", "on_test_batch_end", "on_epoch_end"],
    )
    def test_in_callbacks(self, hook, error):
        model, (x, y) = mlp(), data()
        callbacks = [Interrupting(hook, error)]
        with pytest.raises(error, match="stop here"):
            model.fit(x, y, validation_data=(x, y), epochs=2, verbose=0, callbacks=callbacks)
        with pytest.raises(error, match="stop here"):
            model.fit_generator(
                iter([(x, y)] * 9),
                2,
                epochs=2,
                validation_data=(x, y),
                verbose=0,
                callbacks=callbacks,
                max_queue_size=2,
            )
        assert_no_threads_left()
        assert_usable(model)

    @pytest.mark.parametrize(
        "workers, error", [(0, KeyboardInterrupt), (0, ValueError), (1, ValueError), (3, ValueError)]
    )
    def test_in_data(self, workers, error):
        arguments = {"workers": workers}  # signals, and so KeyboardInterrupt, reach the main thread only
        model = mlp()
        for call in (model.fit_generator, model.evaluate_generator, model.predict_generator):
            with pytest.raises(error, match="stop here"):
                call(Broken(error), verbose=0, **arguments)

        def generator():
            yield from Broken(error)

        with pytest.raises(error, match="stop here"):
            model.fit_generator(generator(), steps_per_epoch=4, verbose=0, **arguments)
        assert_no_threads_left()
        assert_usable(model)

    def test_in_the_data_of_a_step(self):
        model, (x, y) = mlp(), data()
        before = model.get_weights()
        for bad in (x[:, :3], np.array([["a"] * 4] * 20, dtype=object)):
            with pytest.raises(ValueError):
                model.train_on_batch(bad, y)
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights()))
        assert_usable(model)
