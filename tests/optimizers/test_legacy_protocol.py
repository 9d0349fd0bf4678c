"""Optimizers that users wrote for tf.keras up to 2.10, by their papers' formulas: in fit, in loops, saved and loaded."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam import optimizers
from hornbeam.layers import Dense
from hornbeam.models import Sequential, load_model
from hornbeam.tf.eager import GradientTape
from hornbeam.tf.table import NAMES as TF
from optimizers.users import Momentum
from optimizers.ways import GRADIENTS, WAYS, fitted, linear_model, looped, traced

pytestmark = pytest.mark.usefixtures("eager")


def momentum_path(w, gradients, rate=0.1, momentum=0.9, decay=0.0):
    v = 0.0
    for t, g in enumerate(gradients):
        v = momentum * v - rate / (1 + decay * t) * g
        w = w + v
        yield w


@WAYS
@pytest.mark.parametrize("decay", [0.0, 0.5])
def test_momentum(way, decay):
    expected = list(momentum_path(1.0, GRADIENTS, decay=decay))
    np.testing.assert_allclose(way(Momentum(decay=decay)), expected, rtol=1e-6)


def test_hyperparameters_are_attributes():
    optimizer = Momentum(lr=0.5)
    assert float(optimizer.learning_rate) == float(optimizer.lr) == 0.5
    model = linear_model(optimizer)
    model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    optimizer.learning_rate = 0.25
    optimizer.momentum = 0.0
    model.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    np.testing.assert_allclose(model.get_weights()[0], [[0.25]])
    K.set_value(optimizer.lr, 1.0)
    assert optimizer.get_config()["learning_rate"] == 1.0
    with pytest.raises(AttributeError, match="no attribute 'rho'"):
        optimizer.rho  # noqa: B018


def test_weights_begin_with_the_counter():
    optimizer = Momentum()
    model = linear_model(optimizer)
    model.fit(np.ones((6, 1)), np.zeros((6, 1)), batch_size=2, verbose=0)
    count, velocity = optimizer.get_weights()
    assert count == 3 == optimizer.iterations.numpy()
    optimizer.set_weights([np.array(7), velocity * 0])
    assert optimizer.iterations.numpy() == 7 and not optimizer.get_slot(model.weights[0], "velocity").numpy().any()
    assert optimizer.variables() is not None and len(optimizer.variables()) == len(optimizer.weights) == 2
    with pytest.raises(ValueError, match="does not match the number of weights"):
        optimizer.set_weights([velocity])


@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_state_is_saved_and_training_goes_on(tmp_path, ending, rng):
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")
    model = Sequential([Dense(4, input_shape=(3,)), Dense(3)])
    model.compile(Momentum(0.05, decay=0.1), "mse")
    model.fit(x, y, epochs=2, verbose=0)
    model.save(str(tmp_path / f"model.{ending}"))
    loaded = load_model(str(tmp_path / f"model.{ending}"), custom_objects={"Momentum": Momentum})
    for a, b in zip(model.optimizer.get_weights(), loaded.optimizer.get_weights()):
        np.testing.assert_array_equal(a, b)
    for m in (model, loaded):
        m.fit(x, y, epochs=2, verbose=0, shuffle=False)
    for a, b in zip(model.get_weights(), loaded.get_weights()):
        np.testing.assert_array_equal(a, b)


# -- optimizers of papers, as users wrote them ------------------------------------------------------------------
class RAdam(optimizers.Optimizer):
    """https://arxiv.org/abs/1908.03265"""

    def __init__(self, learning_rate=0.1, beta_1=0.9, beta_2=0.5, epsilon=1e-7, name="RAdam", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", learning_rate)
        self._set_hyper("beta_1", beta_1)
        self._set_hyper("beta_2", beta_2)
        self.epsilon = epsilon

    def _create_slots(self, var_list):
        for var in var_list:
            self.add_slot(var, "m")
        for var in var_list:
            self.add_slot(var, "v")

    def _resource_apply_dense(self, grad, var, apply_state=None):
        dtype = var.dtype.base_dtype
        lr, b1, b2 = self._decayed_lr(dtype), self._get_hyper("beta_1", dtype), self._get_hyper("beta_2", dtype)
        t = TF["cast"](self.iterations + 1, dtype)
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        m_t = m.assign(b1 * m + (1.0 - b1) * grad)
        v_t = v.assign(b2 * v + (1.0 - b2) * TF["square"](grad))
        power = TF["pow"](b2, t)
        longest = 2.0 / (1.0 - b2) - 1.0
        length = longest - 2.0 * t * power / (1.0 - power)
        rectified = TF["sqrt"]((length - 4.0) / (longest - 4.0) * (length - 2.0) / (longest - 2.0) * longest / length)
        unbiased = m_t / (1.0 - TF["pow"](b1, t))
        adaptive = rectified * unbiased / (TF["sqrt"](v_t / (1.0 - power)) + self.epsilon)
        with TF["control_dependencies"]([m_t, v_t]):
            return var.assign_sub(lr * TF["where"](length > 4.0, adaptive, unbiased))


def radam_path(w, gradients, rate=0.1, b1=0.9, b2=0.5):
    m = v = 0.0
    longest = 2 / (1 - b2) - 1
    for t, g in enumerate(gradients, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        length = longest - 2 * t * b2**t / (1 - b2**t)
        step = m / (1 - b1**t)
        if length > 4:
            r = np.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
            step = r * step / (np.sqrt(v / (1 - b2**t)) + 1e-7)
        w = w - rate * step
        yield w


@WAYS
def test_radam(way):
    gradients = GRADIENTS * 2
    for b2 in (0.5, 0.8):
        expected = list(radam_path(1.0, gradients, b2=b2))
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(way(RAdam(beta_2=b2), gradients), expected, rtol=1e-5)


class AdamW(optimizers.Adam):
    """Decay beside a built-in optimizer: https://arxiv.org/abs/1711.05101"""

    def __init__(self, decay_rate=0.1, learning_rate=0.1, name="AdamW", **kwargs):
        super().__init__(learning_rate, name=name, **kwargs)
        self.decay_rate = decay_rate

    def _resource_apply_dense(self, grad, var, apply_state=None):
        var.assign_sub(self.decay_rate * self._get_hyper("learning_rate") * var)
        return super()._resource_apply_dense(grad, var, apply_state)

    def get_config(self):
        return {**super().get_config(), "decay_rate": self.decay_rate}


def adam_path(w, gradients, rate=0.1, decay=0.0, b1=0.9, b2=0.999, epsilon=1e-7):
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        w = w * (1 - rate * decay)
        w = w - rate * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + epsilon)
        yield w


@WAYS
def test_decay_beside_adam(way):
    np.testing.assert_allclose(way(AdamW()), list(adam_path(1.0, GRADIENTS, decay=0.1)), rtol=1e-5)


def test_slots_of_several_variables_of_a_derived_optimizer(rng):
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")
    results = []
    for optimizer in (AdamW(0.0, 0.01), optimizers.Adam(0.01)):
        model = Sequential([Dense(4, kernel_initializer="ones", input_shape=(3,)), Dense(3, kernel_initializer="ones")])
        model.compile(optimizer, "mse")
        model.fit(x, y, epochs=3, verbose=0, shuffle=False)
        results.append([*model.get_weights(), *optimizer.get_weights()])
    assert len(results[0]) == len(results[1]) == 4 + 1 + 8
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


class DecoupledDecay:
    """A mixin for any optimizer of that protocol, which is how AdamW and SGDW were written."""

    def __init__(self, weight_decay, **kwargs):
        self._left_out = kwargs.pop("left_out", ())
        super().__init__(**kwargs)
        self._set_hyper("weight_decay", weight_decay)

    def _resource_apply_dense(self, grad, var, apply_state=None):
        with TF["control_dependencies"]([self._decay(var)]):
            return super()._resource_apply_dense(grad, var, apply_state=apply_state)

    def _decay(self, var):
        if var.ref() in {v.ref() for v in self._left_out}:
            return TF["no_op"]()
        rate = self._get_hyper("weight_decay", var.dtype) * self._decayed_lr(var.dtype)
        return var.assign_sub(rate * var, self._use_locking)

    def get_config(self):
        return {**super().get_config(), "weight_decay": self._serialize_hyperparameter("weight_decay")}


class DecoupledAdam(DecoupledDecay, optimizers.legacy.Adam):
    def __init__(self, weight_decay=0.1, learning_rate=0.1, beta_1=0.9, beta_2=0.999, name="DecoupledAdam", **kwargs):
        super().__init__(weight_decay, learning_rate=learning_rate, beta_1=beta_1, beta_2=beta_2, name=name, **kwargs)


class DecoupledMomentum(DecoupledDecay, Momentum):
    pass


@WAYS
def test_a_mixin(way):
    np.testing.assert_allclose(way(DecoupledAdam()), list(adam_path(1.0, GRADIENTS, decay=0.1)), rtol=1e-5)
    w, v, expected = 1.0, 0.0, []
    for g in GRADIENTS:
        v = 0.9 * v - 0.1 * g
        w = w * 0.98 + v
        expected.append(w)
    np.testing.assert_allclose(way(DecoupledMomentum(0.2)), expected, rtol=1e-5)


def test_a_mixins_hyperparameter():
    optimizer = DecoupledAdam(0.25)
    assert float(optimizer.weight_decay) == 0.25
    optimizer.weight_decay = 0.5
    assert type(optimizer).from_config(optimizer.get_config()).get_config()["weight_decay"] == 0.5


class Lookahead(optimizers.Optimizer):
    """Around another optimizer: https://arxiv.org/abs/1907.08610"""

    def __init__(self, optimizer, sync_period=2, slow_step_size=0.5, name="Lookahead", **kwargs):
        super().__init__(name, **kwargs)
        self._optimizer = optimizers.get(optimizer)
        self._set_hyper("sync_period", sync_period)
        self._set_hyper("slow_step_size", slow_step_size)
        self._initialized = False

    def _create_slots(self, var_list):
        self._optimizer._create_slots(var_list=var_list)
        for var in var_list:
            self.add_slot(var, "slow", initializer=var)

    def _create_hypers(self):
        super()._create_hypers()
        self._optimizer._create_hypers()

    def _prepare(self, var_list):
        return self._optimizer._prepare(var_list=var_list)

    def apply_gradients(self, grads_and_vars, name=None, **kwargs):
        self._optimizer._iterations = self.iterations
        return super().apply_gradients(grads_and_vars, name, **kwargs)

    def _resource_apply_dense(self, grad, var, apply_state=None):
        train_op = self._optimizer._resource_apply_dense(grad, var)
        with TF["control_dependencies"]([train_op]):
            period = self._get_hyper("sync_period", "int64")
            sync = TF["equal"]((self.iterations + 1) % period, 0)
            slow = self.get_slot(var, "slow")
            ahead = slow + self._get_hyper("slow_step_size", var.dtype) * (var - slow)
            slow_update = slow.assign(TF["where"](sync, ahead, slow))
            var_update = var.assign(TF["where"](sync, ahead, var))
        return TF["group"](train_op, slow_update, var_update)

    @property
    def weights(self):
        return self._weights + self._optimizer.weights

    def get_config(self):
        return {
            **super().get_config(),
            "optimizer": optimizers.serialize(self._optimizer),
            "sync_period": self._serialize_hyperparameter("sync_period"),
            "slow_step_size": self._serialize_hyperparameter("slow_step_size"),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        inner = optimizers.deserialize(config.pop("optimizer"), custom_objects=custom_objects)
        return cls(inner, **config)


def lookahead_path(w, gradients, fast, period=2, size=0.5):
    slow, shift = w, 0.0
    for t, after in enumerate(fast, 1):
        w = after + shift
        if t % period == 0:
            slow = slow + size * (w - slow)
            shift += slow - w
            w = slow
        yield w


@WAYS
@pytest.mark.parametrize("inner", ["adam", "momentum"])
def test_lookahead(way, inner):
    if inner == "adam":
        optimizer, fast = optimizers.Adam(0.1), adam_path(1.0, GRADIENTS)
    else:
        optimizer, fast = Momentum(), momentum_path(1.0, GRADIENTS)
    expected = list(lookahead_path(1.0, GRADIENTS, fast))
    around = Lookahead(optimizer)
    np.testing.assert_allclose(way(around), expected, rtol=1e-5)
    counters = [w for w in around.weights if w is around.iterations]
    assert len(counters) == 1 and len(around.weights) == (4 if inner == "adam" else 3)


def test_lookahead_is_saved_with_what_it_wraps(tmp_path, rng):
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")
    model = Sequential([Dense(3, input_shape=(3,))])
    model.compile(Lookahead(Momentum(0.05)), "mse")
    model.fit(x, y, epochs=3, verbose=0)
    path = str(tmp_path / "model.h5")
    model.save(path)
    loaded = load_model(path, custom_objects={"Lookahead": Lookahead, "Momentum": Momentum})
    for m in (model, loaded):
        m.fit(x, y, epochs=3, verbose=0, shuffle=False)
    for a, b in zip([*model.get_weights(), *model.optimizer.get_weights()],
                    [*loaded.get_weights(), *loaded.optimizer.get_weights()]):  # fmt: skip
        np.testing.assert_array_equal(a, b)


class Accumulated(optimizers.Optimizer):
    """Plain steps along the mean of several gradients, chosen by tf.cond."""

    def __init__(self, learning_rate=0.1, every=2, name="Accumulated", **kwargs):
        super().__init__(name, **kwargs)
        self._set_hyper("learning_rate", learning_rate)
        self.every = every

    def _create_slots(self, var_list):
        for var in var_list:
            self.add_slot(var, "sum")

    def _resource_apply_dense(self, grad, var, apply_state=None):
        total = self.get_slot(var, "sum")
        total.assign_add(grad)

        def step():
            var.assign_sub(self._decayed_lr(var.dtype) * total / float(self.every))
            return TF["group"](total.assign(TF["zeros_like"](total)))

        return TF["cond"](TF["equal"]((self.iterations + 1) % self.every, 0), step, lambda: TF["no_op"]())


@WAYS
def test_accumulated_gradients(way):
    np.testing.assert_allclose(way(Accumulated()), [1.0, 0.95, 0.95, 0.775], rtol=1e-6)


class LooksAtValues(Momentum):
    """Chooses in Python, which eager tensors allow."""

    def _resource_apply_dense(self, grad, var, apply_state=None):
        if self.iterations % 2 == 0:
            return var.assign_sub(0.1 * grad)
        return var.assign_add(0.1 * grad)


@WAYS
def test_a_step_that_looks_at_values(way):
    np.testing.assert_allclose(way(LooksAtValues()), [0.8, 0.7, 0.65, 0.95], rtol=1e-6)


def test_schedules_and_constraints():
    rate = optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    for way in (fitted, looped, traced):
        np.testing.assert_allclose(way(Momentum(rate, 0.0)), [0.8, 0.85, 0.8375, 0.8], rtol=1e-6)
    w = G.Variable([3.0, 4.0], constraint=lambda w: w / K.sqrt(K.sum(K.square(w))))
    Momentum().apply_gradients([(G.constant([0.0, 0.0]), w)])
    np.testing.assert_allclose(w.numpy(), [0.6, 0.8])


@pytest.mark.parametrize("options, expected", [
    ({"clipnorm": 1.0}, [-0.06, -0.08, -0.1]), ({"clipvalue": 3.5}, [-0.3, -0.35, -0.35]),
    ({"global_clipnorm": 5 * 2**0.5}, [-0.3, -0.4, -0.5]),
])  # fmt: skip
def test_clipping(options, expected):
    a, b = G.Variable([0.0, 0.0]), G.Variable([0.0])
    Momentum(**options).apply_gradients([(G.constant([3.0, 4.0]), a), (G.constant([5.0]), b)])
    np.testing.assert_allclose([*a.numpy(), *b.numpy()], expected, rtol=1e-6)
    with pytest.raises(ValueError, match="At most one"):
        Momentum(clipnorm=1.0, global_clipnorm=1.0)


def test_a_step_stays_one_program(rng):
    from hornbeam.graph import programs

    runs = []
    x, y = rng.normal(size=(2, 8, 3)).astype("float32")
    model = Sequential([Dense(4, input_shape=(3,)), Dense(3)])
    optimizer = Momentum(0.01)
    original = programs.Programs.run

    def counted(self, *args):
        runs.append(args)
        return original(self, *args)

    def step():
        with GradientTape() as tape:
            loss = K.mean(K.square(model(G.constant(x)) - y))
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights))

    step()
    step()
    programs.Programs.run = counted
    try:
        for _ in range(5):
            step()
    finally:
        programs.Programs.run = original
    assert len(runs) == 5
