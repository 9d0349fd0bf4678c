"""Optimizers that users write for tf.keras from 2.11 on, by their papers' formulas: in fit, in loops, saved and loaded."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam import optimizers
from hornbeam.layers import Dense
from hornbeam.models import Sequential, load_model
from hornbeam.tf.eager import GradientTape
from hornbeam.tf.table import NAMES as TF
from optimizers.users import Lamb
from optimizers.ways import GRADIENTS, WAYS, fitted, linear_model, looped, traced

pytestmark = pytest.mark.usefixtures("eager")


def lamb_path(w, gradients, rate=0.1, b1=0.9, b2=0.999):
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        step = m / (1 - b1**t) / (np.sqrt(v / (1 - b2**t)) + 1e-6) + 0.01 * w
        w = w - rate * abs(w) / abs(step) * step
        yield w


@WAYS
def test_lamb(way):
    np.testing.assert_allclose(way(Lamb()), list(lamb_path(1.0, GRADIENTS)), rtol=1e-5)


class Lars(optimizers.SGD):
    """https://arxiv.org/abs/1708.03888, around the steps of a built-in optimizer."""

    def __init__(self, learning_rate=0.1, momentum=0.5, trust=0.1, name="LARS", **kwargs):
        super().__init__(learning_rate, momentum=momentum, name=name, **kwargs)
        self.trust = trust

    def update_step(self, gradient, variable):
        ratio = self.trust * TF["norm"](variable) / (TF["norm"](gradient) + 1e-9)
        super().update_step(gradient * ratio, variable)

    def get_config(self):
        return {**super().get_config(), "trust": self.trust}


def lars_path(w, gradients, rate=0.1, momentum=0.5, trust=0.1):
    v = 0.0
    for g in gradients:
        v = momentum * v - rate * trust * abs(w) / abs(g) * g
        w = w + v
        yield w


@WAYS
def test_lars_around_sgd(way):
    np.testing.assert_allclose(way(Lars()), list(lars_path(1.0, GRADIENTS)), rtol=1e-5)


class AdaBound(optimizers.Optimizer):
    """https://arxiv.org/abs/1902.09843"""

    def __init__(self, learning_rate=0.1, final=0.1, gamma=0.1, name="AdaBound", **kwargs):
        super().__init__(name, **kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self.final, self.gamma = final, gamma
        self.power = self.add_variable(shape=(), initializer="ones", name="power")

    def build(self, var_list):
        super().build(var_list)
        if getattr(self, "_built", False):
            return
        self._moments = [[self.add_variable_from_reference(v, n) for n in ("m", "v")] for v in var_list]
        self._built = True

    def update_step(self, gradient, variable):
        m, v = self._moments[self._index_dict[self._var_key(variable)]]
        t = TF["cast"](self.iterations + 1, variable.dtype)
        m.assign(0.9 * m + 0.1 * gradient)
        v.assign(0.999 * v + 0.001 * gradient**2)
        low, high = self.final * (1 - 1 / (self.gamma * t + 1)), self.final * (1 + 1 / (self.gamma * t))
        rate = self.learning_rate * TF["sqrt"](1 - 0.999**t) / (1 - 0.9**t) / (TF["sqrt"](v) + 1e-7)
        variable.assign_sub(TF["clip_by_value"](rate, low, high) * m)


def adabound_path(w, gradients):
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        rate = 0.1 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) / (np.sqrt(v) + 1e-7)
        w = w - np.clip(rate, 0.1 * (1 - 1 / (0.1 * t + 1)), 0.1 * (1 + 1 / (0.1 * t))) * m
        yield w


@WAYS
def test_adabound(way):
    np.testing.assert_allclose(way(AdaBound()), list(adabound_path(1.0, GRADIENTS)), rtol=1e-5)


class Plain(optimizers.Optimizer):
    def __init__(self, learning_rate=0.1, name="Plain", **kwargs):
        super().__init__(name, **kwargs)
        self._learning_rate = self._build_learning_rate(learning_rate)

    def build(self, var_list):
        super().build(var_list)
        self._built = True

    def update_step(self, gradient, variable):
        variable.assign_sub(self.learning_rate * gradient)


@WAYS
def test_the_present_rate_of_a_schedule(way):
    optimizer = Plain(optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
    assert float(optimizer.learning_rate) == np.float32(0.1)
    np.testing.assert_allclose(way(optimizer), [0.8, 0.85, 0.8375, 0.8], rtol=1e-6)
    np.testing.assert_allclose(float(optimizer.lr), 0.0125)
    with pytest.raises(TypeError, match="follows a LearningRateSchedule"):
        optimizer.learning_rate = 0.1


@pytest.mark.parametrize("way", [looped, traced])
def test_moving_averages_overwrite_the_weights(way):
    path = way(Plain(use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2), [1.0] * 4)
    mean, w, expected = 1.0, 1.0, []
    for t in range(1, 5):
        w -= 0.1
        mean = 0.5 * mean + 0.5 * w
        w = mean if t % 2 == 0 else w
        expected.append(w)
    np.testing.assert_allclose(path, expected, rtol=1e-6)


@pytest.mark.parametrize("make", [Plain, optimizers.SGD])
def test_fit_ends_in_the_average(make):
    model = linear_model(make(0.1, use_ema=True, ema_momentum=0.5))
    model.fit(np.ones((3, 1)), np.zeros((3, 1)), batch_size=1, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0].item(), 1 / 8 + 0.9 / 8 + 0.8 / 4 + 0.7 / 2, rtol=1e-6)


@pytest.mark.parametrize("make", [Plain, optimizers.SGD])
def test_weight_decay_and_what_is_excluded(make):
    kept, decayed, named = (G.Variable(2.0, name=n) for n in ("a", "b", "bias"))
    for optimizer, excluded in ((make(1.0, weight_decay=0.1), kept), (make(1.0, weight_decay=0.1), named)):
        if excluded is kept:
            optimizer.exclude_from_weight_decay(var_list=[kept])
        else:
            optimizer.exclude_from_weight_decay(var_names=["bias"])
        before = float(excluded), float(decayed)
        zero = G.constant(0.0)
        optimizer.apply_gradients([(zero, excluded), (zero, decayed)])
        np.testing.assert_allclose([float(excluded), float(decayed)], [before[0], before[1] * 0.9], rtol=1e-6)
        if make is Plain:
            with pytest.raises(ValueError, match="before the optimizer is built"):
                optimizer.exclude_from_weight_decay()


def test_variables_it_was_not_built_for_are_named():
    optimizer = Lamb()
    optimizer.build([G.Variable(1.0)])
    with pytest.raises(KeyError, match="cannot recognize variable other"):
        optimizer.apply_gradients([(G.constant(1.0), G.Variable(1.0, name="other"))])


def test_variables_without_gradient_are_left_out():
    optimizer, a, b = Lamb(), G.Variable(1.0, name="a"), G.Variable(2.0, name="b")
    with pytest.warns(UserWarning, match="Gradients do not exist for variables b"):
        optimizer.apply_gradients([(G.constant(1.0), a), (None, b)])
    assert float(a) != 1 and float(b) == 2 and len(optimizer.variables) == len(optimizer.variables()) == 5
    with pytest.raises(ValueError, match="No gradients provided for any variable: b"):
        optimizer.apply_gradients([(None, b)])


class Counted(optimizers.Adam):
    """Has variables of its own beside those of a built-in optimizer."""

    def __init__(self, learning_rate=0.01, name="Counted", **kwargs):
        super().__init__(learning_rate, name=name, **kwargs)
        self.total = self.add_variable((), name="total")

    def build(self, var_list):
        super().build(var_list)
        if not hasattr(self, "sums"):
            self.sums = [self.add_variable_from_reference(v, "sum") for v in var_list]

    def update_step(self, gradient, variable):
        super().update_step(gradient, variable)
        self.total.assign_add(K.sum(gradient))
        self.sums[self._index_dict[self._var_key(variable)]].assign_add(gradient)


def test_variables_beside_those_of_a_built_in_optimizer():
    optimizer, w = Counted(), G.Variable([1.0, 2.0])
    for _ in range(2):
        optimizer.apply_gradients([(G.constant([1.0, 2.0]), w)])
    assert len(optimizer.variables) == 5 == len(optimizer.get_weights())
    assert optimizer.variables[0] is optimizer.iterations and optimizer.get_weights()[0] == 2
    assert float(optimizer.total) == 6 and optimizer.sums[0].numpy().tolist() == [2, 4]


@pytest.mark.parametrize("ending", ["h5", "keras"])
@pytest.mark.parametrize("make", [
    lambda: Lamb(0.01, use_ema=True), lambda: Lamb(optimizers.schedules.ExponentialDecay(0.01, 2, 0.9), clipnorm=0.5),
    lambda: Lars(0.01), lambda: Counted(use_ema=True),
])  # fmt: skip
def test_state_is_saved_and_training_goes_on(tmp_path, ending, make, rng):
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")
    model = Sequential([Dense(4, input_shape=(3,)), Dense(3)])
    model.compile(make(), "mse")
    model.fit(x, y, epochs=2, verbose=0)
    model.save(str(tmp_path / f"model.{ending}"))
    loaded = load_model(
        str(tmp_path / f"model.{ending}"), custom_objects={c.__name__: c for c in (Lamb, Lars, Counted)}
    )
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert len(loaded.optimizer.variables) == len(model.optimizer.variables) > 4
    for a, b in zip(model.optimizer.get_weights(), loaded.optimizer.get_weights()):
        np.testing.assert_array_equal(a, b)
    for m in (model, loaded):
        m.fit(x, y, epochs=2, verbose=0, shuffle=False)
    for a, b in zip(model.get_weights(), loaded.get_weights()):
        np.testing.assert_array_equal(a, b)


class Wrapped(optimizers.Optimizer):
    """Lookahead written by `apply_gradients` around a built-in optimizer."""

    def __init__(self, inner, period=2, size=0.5, name="Wrapped", **kwargs):
        super().__init__(name, **kwargs)
        self.inner, self.period, self.size = inner, period, size
        self._learning_rate = self._build_learning_rate(1.0)

    def build(self, var_list):
        super().build(var_list)
        if self._built:
            return
        self.inner.build(var_list)
        self.slow = [self.add_variable_from_reference(v, "slow", initial_value=v) for v in var_list]
        self._built = True

    def apply_gradients(self, grads_and_vars, name=None, skip_gradients_aggregation=False, **kwargs):
        grads_and_vars = list(grads_and_vars)
        variables = [v for _, v in grads_and_vars]
        self.build(variables)
        self.inner.apply_gradients(grads_and_vars)
        self.iterations.assign_add(1)
        for slow, v in zip(self.slow, variables):
            sync = TF["equal"](self.iterations % self.period, 0)
            slow.assign(TF["where"](sync, slow + self.size * (v - slow), slow))
            v.assign(TF["where"](sync, slow, v))
        return self.iterations


@WAYS
def test_an_optimizer_that_wraps_another(way):
    path = way(Wrapped(optimizers.SGD(0.1)))
    np.testing.assert_allclose(path, [0.8, 0.95, 0.9, 0.775], rtol=1e-6)


def test_an_optimizer_that_only_transforms_gradients(rng):
    class Centralized(optimizers.Adam):
        def apply_gradients(self, grads_and_vars, name=None, **kwargs):
            pairs = [(g - K.mean(g, axis=0, keepdims=True) if g.ndim > 1 else g, v) for g, v in grads_and_vars]
            return super().apply_gradients(pairs, name, **kwargs)

    x, y = rng.uniform(size=(2, 8, 3)).astype("float32")
    y += 9  # so that all slopes are negative, and the centralized ones are not
    start = rng.normal(size=(3, 3)).astype("float32")
    weights = []
    for by_fit in (True, False):
        model = Sequential([Dense(3, input_shape=(3,))])
        model.set_weights([start, np.zeros(3)])
        optimizer = Centralized(0.1)
        if by_fit:
            model.compile(optimizer, "mse")
            model.train_on_batch(x, y)
        else:
            with GradientTape() as tape:
                loss = K.mean(K.square(model(G.constant(x)) - y))
            optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights))
        weights.append(model.get_weights())
    np.testing.assert_allclose(weights[0][0], weights[1][0], rtol=1e-6)
    slopes = x.T @ (x @ start - y)
    signs = np.sign(slopes - slopes.mean(0))
    assert np.all(slopes < 0) and np.any(signs > 0)
    np.testing.assert_allclose(weights[0][0], start - 0.1 * signs, atol=2e-5)  # Adam's first step, but for epsilon
    assert looped(Centralized(0.1)) == fitted(optimizers.Adam(0.1))
