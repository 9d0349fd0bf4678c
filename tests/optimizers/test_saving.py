"""Models that were compiled for tf.keras, saved and loaded, in its meaning and in that of Keras 2.3.1."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import optimizers
from hornbeam.dialect import TF1
from hornbeam.layers import Dense
from hornbeam.mixed_precision import LossScaleOptimizer
from hornbeam.models import Sequential, load_model
from hornbeam.saving.trackable.checkpoint import Checkpoint
from hornbeam.settings import settings
from hornbeam.tf.eager import GradientTape
from optimizers.users import Lamb, Momentum

S = optimizers.schedules
MAKERS = [
    lambda: optimizers.SGD(0.01, 0.9, clipnorm=0.5),
    lambda: optimizers.RMSprop(0.01, 0.8, 0.5, 0.1, True),
    lambda: optimizers.RMSprop(0.01, epsilon=0.1),
    lambda: optimizers.Adagrad(0.01, epsilon=0.1),
    lambda: optimizers.Adadelta(0.01),
    lambda: optimizers.Adam(S.CosineDecay(0.01, 10), amsgrad=True),
    lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5, weight_decay=0.1),
    lambda: optimizers.AdamW(0.01, global_clipnorm=0.1),
    lambda: optimizers.Adafactor(0.01),
    lambda: optimizers.Adamax(0.01),
    lambda: optimizers.Nadam(0.01),
    lambda: optimizers.Ftrl(0.01),
    lambda: optimizers.Lion(0.01),
    lambda: optimizers.legacy.RMSprop(0.01, epsilon=0.1),
    lambda: optimizers.legacy.Nadam(0.01),
    lambda: optimizers.legacy.Adam(0.01, decay=0.1, clipvalue=0.1),
    lambda: LossScaleOptimizer(optimizers.RMSprop(0.01, momentum=0.5)),
    lambda: LossScaleOptimizer(optimizers.Nadam(0.01)),
    lambda: LossScaleOptimizer(optimizers.Ftrl(0.1)),
]


def trained(make, x, y):
    model = Sequential([Dense(4, input_shape=(3,)), Dense(3)])
    model.compile(make(), "mse")
    model.fit(x, y, epochs=3, verbose=0)
    return model


def check_that_they_go_on_alike(model, loaded, x, y):
    for m in (model, loaded):
        m.fit(x, y, epochs=3, verbose=0, shuffle=False)
    for a, b in zip(model.get_weights(), loaded.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("ending", ["h5", "keras"])
@pytest.mark.parametrize("make", MAKERS)
def test_training_goes_on(tmp_path, eager, make, ending, rng):
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")
    model = trained(make, x, y)
    path = str(tmp_path / f"model.{ending}")
    model.save(path)
    loaded = load_model(path)
    for a, b in zip(model.optimizer.get_weights(), loaded.optimizer.get_weights()):
        np.testing.assert_array_equal(a, b)
    check_that_they_go_on_alike(model, loaded, x, y)


@pytest.mark.parametrize("make", MAKERS)
def test_training_goes_on_from_a_checkpoint(tmp_path, eager, make, rng):
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")
    model = trained(make, x, y)
    model.save_weights(str(tmp_path / "model.ckpt"))
    loaded = Sequential([Dense(4, input_shape=(3,)), Dense(3)])
    loaded.compile(make(), "mse")
    loaded.load_weights(str(tmp_path / "model.ckpt"))
    check_that_they_go_on_alike(model, loaded, x, y)


@pytest.mark.parametrize("ending", ["h5", "keras"])
@pytest.mark.parametrize("make", MAKERS)
def test_a_file_means_the_same_to_keras_2_3_1(tmp_path, eager, make, ending, rng, monkeypatch):
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")
    model = trained(make, x, y)
    path = str(tmp_path / f"model.{ending}")
    model.save(path)
    monkeypatch.setattr(settings, "dialect", TF1)
    settings.recorder = None
    check_that_they_go_on_alike(load_model(path), model, x, y)


@pytest.mark.parametrize("ending", ["h5", "keras"])
@pytest.mark.parametrize("make", [
    lambda: optimizers.SGD(0.01, clipnorm=0.5), lambda: optimizers.RMSprop(0.01, epsilon=0.1), lambda: optimizers.Nadam(),
    lambda: optimizers.Adagrad(epsilon=0.1), lambda: optimizers.Adam(0.01), lambda: optimizers.Adam(0.01, amsgrad=True),
    lambda: optimizers.Adadelta(),
])  # fmt: skip
def test_a_file_of_keras_2_3_1_means_the_same_to_tf_keras(tmp_path, make, ending, rng, request):
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")
    model = trained(make, x, y)
    path = str(tmp_path / f"model.{ending}")
    model.save(path)
    request.getfixturevalue("eager")
    check_that_they_go_on_alike(load_model(path), model, x, y)


@pytest.mark.parametrize("restores_first", [False, True])
@pytest.mark.parametrize("make", [
    Momentum, lambda: Lamb(0.01), lambda: optimizers.Adam(0.01), lambda: optimizers.Adam(0.01, use_ema=True),
    lambda: LossScaleOptimizer(optimizers.RMSprop(0.01)), lambda: LossScaleOptimizer(optimizers.Adam(0.01)),
    lambda: LossScaleOptimizer(optimizers.RMSprop(0.01, momentum=0.5)), lambda: LossScaleOptimizer(optimizers.Nadam(0.01)),
    lambda: LossScaleOptimizer(optimizers.Ftrl(0.1)), lambda: LossScaleOptimizer(optimizers.legacy.Nadam(0.01)),
    lambda: LossScaleOptimizer(Momentum()), lambda: LossScaleOptimizer(Lamb(0.01)),
])  # fmt: skip
def test_checkpoints(tmp_path, eager, make, restores_first, rng):
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")

    def parts():
        model = Sequential([Dense(3, input_shape=(3,))])
        return model, make()

    def steps(model, optimizer, count):
        for _ in range(count):
            with GradientTape() as tape:
                loss = K.mean(K.square(model(x) - y))
            found = tape.gradient(loss, model.trainable_weights)
            optimizer.apply_gradients(zip(found, model.trainable_weights))

    model, optimizer = parts()
    steps(model, optimizer, 3)
    path = Checkpoint(model=model, optimizer=optimizer).write(str(tmp_path / "ckpt"))
    again, other = parts()
    if not restores_first:
        steps(again, other, 1)
    Checkpoint(model=again, optimizer=other).restore(path)
    steps(model, optimizer, 2)
    steps(again, other, 2)
    assert int(other.iterations) == int(optimizer.iterations) == 5
    for a, b in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
