"""Loss scaling, in loops and in fit."""

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam import optimizers
from hornbeam.mixed_precision import LossScaleOptimizer
from hornbeam.models import load_model
from hornbeam.tf.eager import GradientTape
from optimizers.ways import GRADIENTS, WAYS, fitted, linear_model, looped

pytestmark = pytest.mark.usefixtures("eager")


@WAYS
@pytest.mark.parametrize("options", [{}, {"dynamic": False, "initial_scale": 8.0}])
def test_steps_are_those_of_the_inner_optimizer(way, options):
    optimizer = LossScaleOptimizer(optimizers.Adam(0.1), **options)

    if way is looped:  # which scales and unscales for itself
        w, path = G.Variable(1.0), []
        for g in GRADIENTS:
            with GradientTape() as tape:
                loss = optimizer.get_scaled_loss(w * g)
            gradients = tape.gradient(loss, [w])
            np.testing.assert_allclose(float(gradients[0]), g * float(optimizer.loss_scale))
            optimizer.apply_gradients(zip(optimizer.get_unscaled_gradients(gradients), [w]))
            path.append(float(w))
    else:
        path = way(optimizer)
    np.testing.assert_allclose(path, fitted(optimizers.Adam(0.1)), rtol=1e-6)


def test_the_scale_doubles_and_halves():
    optimizer = LossScaleOptimizer(optimizers.SGD(0.5), initial_scale=4.0, dynamic_growth_steps=2)
    w = G.Variable(1.0)
    seen = []
    for g in (1.0, 1.0, 1.0, np.inf, np.nan, 1.0):
        optimizer.apply_gradients([(G.constant(g), w)])
        seen.append((float(w), float(optimizer.loss_scale), int(optimizer.dynamic_counter)))
    assert seen == [(0.5, 4, 1), (0.0, 8, 0), (-0.5, 8, 1), (-0.5, 4, 0), (-0.5, 2, 0), (-1.0, 2, 1)]
    assert int(optimizer.iterations) == 6


def test_all_else_is_the_inner_optimizers(tmp_path):
    inner = optimizers.RMSprop(0.1, momentum=0.5)
    optimizer = LossScaleOptimizer(inner)
    optimizer.learning_rate = 0.2
    assert float(inner.lr) == float(optimizer.lr) == np.float32(0.2) and optimizer.momentum == 0.5
    again = LossScaleOptimizer.from_config(optimizer.get_config())
    assert again.get_config() == optimizer.get_config()
    model = linear_model(optimizer)
    model.fit(np.ones((4, 1)), np.zeros((4, 1)), batch_size=1, verbose=0)
    model.save(str(tmp_path / "model.keras"), include_optimizer=True)
    for a, b in zip(inner.get_weights(), optimizer.get_weights()):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(TypeError, match="must be an optimizer that scales no loss"):
        LossScaleOptimizer(optimizer)
    with pytest.raises(ValueError, match="`initial_scale` must be given"):
        LossScaleOptimizer(inner, dynamic=False)


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_a_model_is_loaded_with_the_inner_state(tmp_path, ending):
    model = linear_model(LossScaleOptimizer(optimizers.Adam(0.1)))
    model.compile(model.optimizer, "mse")
    data = np.ones((4, 1)), np.zeros((4, 1))
    model.fit(*data, batch_size=1, verbose=0)
    model.save(str(tmp_path / f"model.{ending}"))
    loaded = load_model(str(tmp_path / f"model.{ending}"))
    for a, b in zip(model.optimizer.get_weights(), loaded.optimizer.get_weights()):
        np.testing.assert_array_equal(a, b)
    for m in (model, loaded):
        m.fit(*data, batch_size=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], loaded.get_weights()[0], rtol=1e-6)


def test_what_it_was_made_with_stays():
    inner = optimizers.SGD()
    optimizer = LossScaleOptimizer(inner, initial_scale=8.0)
    assert optimizer.inner_optimizer is inner and optimizer.dynamic and optimizer.initial_scale == 8
    assert optimizer.dynamic_growth_steps == 2000 and int(optimizer.dynamic_counter) == 0
    fixed = LossScaleOptimizer(inner, dynamic=False, initial_scale=2.0)
    assert not fixed.dynamic and fixed.dynamic_counter is fixed.dynamic_growth_steps is None
    for name in ("inner_optimizer", "dynamic", "initial_scale"):
        with pytest.raises(AttributeError):
            setattr(optimizer, name, None)
