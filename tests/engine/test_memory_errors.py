"""Where memory ends, wherever that is, a MemoryError comes and everything goes on once there is memory again."""

import sys
import textwrap

import pytest
from interrupting import in_child

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="limits the address space as Linux does"),
    pytest.mark.host_only(reason="what is limited is the host's memory"),
]

#: The C library gives freed memory back at once: what it kept would be found where the limit leaves none.
NOTHING_KEPT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}

SETUP = """
import gc, resource
import numpy as np
import hornbeam as keras
from hornbeam import backend as K
from hornbeam.layers import *
from hornbeam.models import Model, Sequential

def march(action, check, first=0, last=300, texts=None):
    '''Call action with ever more memory left, from `first` to `last` MB, until it succeeds; check after each failure.'''
    failures, left = 0, first << 20
    while left < last << 20:
        gc.collect()
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (now + left, hard))
        try:
            action()
            done = True
        except MemoryError as error:
            done = False
            text = str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
        if not done:
            failures += 1
            if texts is not None and text not in texts:
                texts.append(text)
        check()
        if done:
            return failures
        left += max(64 << 10, left // 6)
    raise AssertionError("it never succeeded")

def network():
    model = Sequential([Conv2D(16, 3, activation="relu", input_shape=(32, 32, 3)), BatchNormalization(), Conv2D(16, 3), Flatten(), Dense(40)])
    model.compile("adam", "mse", metrics=["mae"])
    model._make_train_function()
    return model

x = np.random.RandomState(0).rand(200, 32, 32, 3).astype("float32")
y = np.zeros((200, 40), "float32")
"""


def test_predicting():
    """A batch of another size: binding, the arena, results; and a feed that has to be converted."""
    in_child(
        SETUP
        + textwrap.dedent("""
        model = network()
        small = x[:3]
        wanted, wide, texts = model.predict_on_batch(small), x.astype("float64"), []
        def check():
            assert np.array_equal(model.predict_on_batch(small), wanted)
        assert march(lambda: model.predict_on_batch(x), check, texts=texts) > 3
        assert any("bytes" in t and ": [" in t and "of shape (200, " in t and "Smaller batches" in t for t in texts), texts
        assert march(lambda: model.predict_on_batch(wide[1:]), check) > 3
        assert march(lambda: model.predict(x[2:], batch_size=150), check) > 3
        """),
        **NOTHING_KEPT,
    )


def test_training_is_whole_or_not_at_all():
    in_child(
        SETUP
        + textwrap.dedent("""
        model, twin = network(), network()
        def everything(m):
            return [K.get_value(v) for v in m.weights + m.optimizer.weights]
        def same(a, b):
            return all(np.array_equal(x, y) for x, y in zip(a, b))
        twin.set_weights(model.get_weights())
        states = [everything(twin)]
        for _ in range(3):
            twin.train_on_batch(x[:50], y[:50])
            states.append(everything(twin))
        def check():  # Python, too, may run out of memory, with what a step that was made has given
            now = everything(model)
            if not same(now, states[0]):
                states.pop(0)
                twin.train_on_batch(x[:50], y[:50])
                states.append(everything(twin))
            assert same(now, states[0])
        assert march(lambda: model.train_on_batch(x[:50], y[:50]), check) > 3
        """),
        **NOTHING_KEPT,
    )


def test_building_and_first_runs():
    """Variables, their initial values, packed weights."""
    in_child(
        SETUP
        + textwrap.dedent("""
        model = network()
        small = x[:3]
        wanted = model.predict_on_batch(small)
        def check():
            assert np.array_equal(model.predict_on_batch(small), wanted)
        def build():
            other = Sequential([Dense(1500, input_shape=(1000,)), Dense(10)])
            other.predict_on_batch(np.ones((20, 1000), "float32"))
            other.set_weights(other.get_weights())
        assert march(build, check) > 3

        large = Sequential([Dense(1500, input_shape=(1000,)), Dense(10)])
        weights = large.get_weights()
        ones = np.ones((20, 1000), "float32")
        assert march(lambda: large.predict_on_batch(ones), check) > 3
        twin = Sequential.from_config(large.get_config())
        twin.set_weights(weights)
        assert np.array_equal(large.predict_on_batch(ones), twin.predict_on_batch(ones))
        """),
        **NOTHING_KEPT,
    )


def test_a_variable_that_got_no_memory_gets_it_later():
    in_child(
        SETUP
        + textwrap.dedent("""
        variables, texts = [K.variable(np.ones((10,)))], []
        value = np.full((3000, 1000), 2.0, "float32")
        def make():
            variables.append(K.variable(value))
        march(make, lambda: [K.get_value(v) for v in variables], texts=texts)
        assert np.array_equal(K.get_value(variables[-1]), value)

        v = keras.layers.Layer().add_weight(name="w", shape=(3000, 1000), initializer="ones")
        march(lambda: K.get_value(v), lambda: None)
        assert np.array_equal(K.get_value(v), np.ones((3000, 1000)))
        """),
        **NOTHING_KEPT,
    )


def test_programs_of_all_kinds():
    """Loops, conditions, programs in two parts, on-demand evaluation."""
    in_child(
        SETUP
        + textwrap.dedent("""
        s = K.placeholder((None, 500))
        f = K.function([s], [K.foldl(lambda a, r: K.tanh(a + r), s), K.switch(K.sum(s) > 0, lambda: K.dot(K.transpose(s), s), lambda: K.dot(K.transpose(s), s) * 2)])
        small = [r.copy() for r in f([np.ones((4, 500))])]
        def check():
            assert all(np.array_equal(a, b) for a, b in zip(f([np.ones((4, 500))]), small))
        assert march(lambda: f([np.ones((3000, 500))]), check) > 3
        from hornbeam import tf
        a = K.variable(np.ones((800, 800)))
        assert march(lambda: K.eval(K.dot(a + 1, a) + 3), check) > 1
        assert K.eval(K.dot(a + 1, a) + 3)[0, 0] == 1603
        """),
        **NOTHING_KEPT,
    )
