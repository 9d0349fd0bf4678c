"""The optimizers make the steps that tf.keras 2.15 makes: in a loop, in fit, and as parts of a user's class."""

import json
import pathlib

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam import optimizers
from hornbeam.models import Sequential
from optimizers.tf_keras_paths import START, gradients

pytestmark = pytest.mark.usefixtures("eager")
PATHS = json.loads((pathlib.Path(__file__).parent / "tf_keras_paths.json").read_text())


def case_id(case):
    return f"{case[0]}{case[1]}-{','.join(map(str, [*case[2], *case[3]]))}"


def cls_of(case):
    return getattr(getattr(optimizers, case[0]) if case[0] else optimizers, case[1])


def in_loop(optimizer):
    parameters = [G.Variable(np.array(p, "float32")) for p in START]
    path = []
    for step in gradients():
        optimizer.apply_gradients(zip(map(G.constant, step), parameters))
        path.append([p.numpy().ravel() for p in parameters])
    return path


def by_updates(optimizer):
    """As fit does."""
    parameters = [K.variable(np.array(p, "float32")) for p in START]
    fed = [K.placeholder(np.shape(p)) for p in START]
    with G.symbolic():
        loss = sum(K.sum(p * g) for p, g in zip(parameters, fed))
        run = K.function(fed, [], updates=optimizer.training_updates(loss, parameters))
    path = []
    for step in gradients():
        run(step)
        path.append([K.get_value(p).ravel() for p in parameters])
    return path


def compare(path, expected, rtol=2e-6):
    for ours, theirs in zip(path, expected):
        for a, b in zip(ours, theirs):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("way", [in_loop, by_updates])
@pytest.mark.parametrize("case", PATHS, ids=case_id)
def test_steps(case, way):
    compare(way(cls_of(case)(*case[2], **case[3])), case[4])


@pytest.mark.parametrize("case", [c for c in PATHS if not c[0] and c[1] != "Nadam"], ids=case_id)
def test_a_class_that_hands_its_steps_on(case):
    cls = cls_of(case)

    class Derived(cls):
        def update_step(self, gradient, variable):
            super().update_step(gradient, variable)

    for way in (in_loop, by_updates):
        compare(way(Derived(*case[2], **case[3])), case[4])


@pytest.mark.parametrize("case", PATHS, ids=case_id)
def test_a_config_makes_the_same_optimizer(case):
    optimizer = cls_of(case)(*case[2], **case[3])
    config = json.loads(json.dumps(optimizer.get_config()))
    again = type(optimizer).from_config(config)
    assert again.get_config() == optimizer.get_config()
    compare(in_loop(again), case[4])


def test_the_loop_equals_fit(rng):
    from hornbeam.layers import Dense
    from hornbeam.tf.eager import GradientTape

    x, y = rng.normal(size=(2, 16, 3)).astype("float32")
    for make in (lambda: optimizers.Adam(0.01), lambda: optimizers.RMSprop(0.01, momentum=0.9), optimizers.Nadam):
        weights = []
        for by_fit in (True, False):
            model = Sequential([Dense(4, activation="tanh", input_shape=(3,)), Dense(3)])
            model.set_weights([np.full(w.shape, 0.1 * i + 0.1) for i, w in enumerate(model.get_weights())])
            if by_fit:
                model.compile(make(), "mse")
                model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
            else:
                optimizer = make()
                for i in [0, 4, 8, 12] * 2:
                    with GradientTape() as tape:
                        loss = K.mean(K.square(model(x[i : i + 4], training=True) - y[i : i + 4]))
                    found = tape.gradient(loss, model.trainable_weights)
                    optimizer.apply_gradients(zip(found, model.trainable_weights))
            weights.append(model.get_weights())
        for a, b in zip(*weights):
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
