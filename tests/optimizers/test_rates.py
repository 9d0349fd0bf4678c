"""Learning rates of optimizers where tensors are eager: read, assigned, scheduled, changed by callbacks."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import callbacks, optimizers
from hornbeam import graph as G
from hornbeam.tf.table import NAMES as TF
from optimizers.ways import GRADIENTS, WAYS, fitted, linear_model, looped, traced

pytestmark = pytest.mark.usefixtures("eager")
ONE = np.ones((4, 1)), np.zeros((4, 1))


class Warmup(optimizers.schedules.LearningRateSchedule):
    """As the Transformer's: https://arxiv.org/abs/1706.03762"""

    def __init__(self, size, steps=3):
        super().__init__()
        self.size, self.steps = size, steps

    def __call__(self, step):
        step = TF["cast"](step, "float32")
        return self.size**-0.5 * TF["math.minimum"](TF["math.rsqrt"](step), step * self.steps**-1.5)

    def get_config(self):
        return {"size": self.size, "steps": self.steps}


@WAYS
def test_a_users_schedule(way):
    path, w = [], 1.0
    for t, g in enumerate(GRADIENTS):
        rate = 4**-0.5 * min(t**-0.5 if t else np.inf, t * 3**-1.5)
        w -= rate * g
        path.append(w)
    np.testing.assert_allclose(way(optimizers.SGD(Warmup(4))), path, rtol=1e-6)


def test_a_users_schedule_is_saved():
    config = optimizers.Adam(Warmup(4)).get_config()
    again = optimizers.deserialize({"class_name": "Adam", "config": config}, custom_objects={"Warmup": Warmup})
    assert again._learning_rate.get_config() == {"size": 4, "steps": 3}


def test_the_rate_is_like_a_number():
    optimizer = optimizers.Adam(0.5)
    assert float(optimizer.lr) == optimizer.learning_rate.numpy() == K.get_value(optimizer.lr) == 0.5
    assert float(optimizer.learning_rate * 2) == 1.0 and optimizer.lr == 0.5
    optimizer.learning_rate.assign(0.25)
    assert float(optimizer.lr) == 0.25
    optimizer.lr = G.constant(0.125)
    assert float(optimizer.learning_rate) == 0.125 == float(optimizer._decayed_lr("float32"))


@pytest.mark.parametrize("rate", [lambda: 0.5, G.constant(0.5), np.float64(0.5), G.Variable(0.5)])
def test_what_a_rate_may_be(rate):
    optimizer = optimizers.SGD(rate)
    assert float(optimizer.lr) == 0.5 and optimizer.get_config()["learning_rate"] == 0.5
    optimizer._set_hyper("learning_rate", 0.25)
    assert float(optimizer._get_hyper("learning_rate", "float32")) == 0.25 == float(optimizer.lr)


def test_hyperparameters_are_assigned():
    optimizer = optimizers.SGD(0.1, momentum=0.9)
    w = G.Variable(1.0)
    optimizer.apply_gradients([(G.constant(1.0), w)])
    optimizer.momentum, optimizer.learning_rate = 0.0, 0.2
    optimizer.apply_gradients([(G.constant(1.0), w)])
    np.testing.assert_allclose(float(w), 0.7, rtol=1e-6)


def test_the_counter_is_assigned():
    optimizer = optimizers.SGD(optimizers.schedules.PiecewiseConstantDecay([1], [0.5, 0.25]))
    optimizer.iterations.assign(5)
    w = G.Variable(1.0)
    optimizer.minimize(lambda: w * 1.0, var_list=[w])
    assert float(w) == 0.75 and int(optimizer.iterations) == 6 and float(optimizer.lr) == 0.25


@pytest.mark.parametrize("lower", [lambda epoch, lr: lr * 0.5, lambda epoch, lr: lr * TF["math.exp"](-np.log(2.0))])
def test_the_scheduler_callback(lower):
    model = linear_model(optimizers.SGD(1.0))
    model.fit(*ONE, batch_size=4, epochs=3, verbose=0, callbacks=[callbacks.LearningRateScheduler(lower)])
    np.testing.assert_allclose(model.history.history["lr"], [0.5, 0.25, 0.125])
    np.testing.assert_allclose(model.get_weights()[0].item(), 1 - 0.875, rtol=1e-6)


def test_the_plateau_callback():
    model = linear_model(optimizers.Adam(0.0))
    model.fit(
        *ONE, epochs=4, verbose=0, callbacks=[callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_lr=0)]
    )
    assert model.history.history["lr"] == [0.0] * 4
    model = linear_model(optimizers.legacy.SGD(lr=1e-12))
    model.fit(*ONE, epochs=3, verbose=0, callbacks=[callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1)])
    np.testing.assert_allclose(model.history.history["lr"], [1e-12, 1e-12, 0.5e-12], rtol=1e-6)


def test_callbacks_log_the_present_rate_of_a_schedule():
    model = linear_model(optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)))
    model.fit(*ONE, batch_size=4, epochs=3, verbose=0, callbacks=[callbacks.ReduceLROnPlateau("loss", patience=10)])
    np.testing.assert_allclose(model.history.history["lr"], [0.1, 0.05, 0.025], rtol=1e-6)


def test_arguments_of_tf_keras():
    for cls in (
        optimizers.SGD,
        optimizers.Adam,
        optimizers.RMSprop,
        optimizers.Nadam,
        optimizers.AdamW,
        optimizers.Lion,
    ):
        optimizer = cls(learning_rate=0.1, name="mine", jit_compile=False, ema_momentum=0.9, clipnorm=None)
        assert optimizer.name == "mine" == optimizer.get_config()["name"]
        assert optimizer.get_config()["is_legacy_optimizer"] is False
    assert optimizers.Adam(1e-3, 0.9, 0.98, 1e-9).epsilon == 1e-9 and not optimizers.Adam(1e-3, 0.9, 0.98, 1e-9).amsgrad
    assert optimizers.Adam().get_config()["beta_1"] == 0.9
    with pytest.raises(TypeError, match="Unexpected keyword argument passed to optimizer: momentun"):
        optimizers.SGD(momentun=0.9)
    with pytest.raises(ValueError, match="must be in the range"):
        optimizers.SGD(use_ema=True, ema_momentum=1.5)


def test_names_of_legacy_optimizers():
    for found in (optimizers.get("adagrad", use_legacy_optimizer=True),
                  optimizers.get({"class_name": "Adagrad", "config": {}}, use_legacy_optimizer=True)):  # fmt: skip
        assert type(found) is optimizers.legacy.Adagrad and not found.epsilon_under_root
    assert type(optimizers.get("adagrad")) is optimizers.Adagrad and optimizers.Adagrad().epsilon_under_root


def test_a_hyperparameter_has_the_dtype_of_its_value():
    class Typed(optimizers.Optimizer):
        def __init__(self):
            super().__init__("Typed")
            for name, value in {"learning_rate": 1, "flag": True, "count": 3, "part": 0.5}.items():
                self._set_hyper(name, value)

    optimizer = Typed()
    dtypes = {name: str(optimizer._get_hyper(name).dtype) for name in ("learning_rate", "flag", "count", "part")}
    assert dtypes == {"learning_rate": "float32", "flag": "bool", "count": "int32", "part": "float32"}


def test_variables_after_build():
    optimizer = optimizers.Adam()
    a, b = G.Variable([1.0, 2.0]), G.Variable([[3.0]])
    optimizer.build([a, b])
    assert (
        [tuple(v.shape) for v in optimizer.variables]
        == [(), (2,), (1, 1), (2,), (1, 1)]
        == [w.shape for w in map(np.asarray, optimizer.get_weights())]
    )
    optimizer.set_weights([np.array(3), *[w + 1 for w in optimizer.get_weights()[1:]]])
    assert int(optimizer.iterations) == 3 and optimizer.variables()[1].numpy().tolist() == [1.0, 1.0]


def test_gradients_that_are_not_there():
    from hornbeam.layers import Dense, Input
    from hornbeam.models import Model

    x = Input((2,))
    used, unused = Dense(1, name="used"), Dense(1, name="unused")
    model = Model(x, [used(x), unused(x)])
    model.compile(optimizers.Adam(0.1), {"used": "mse", "unused": None})
    before = unused.get_weights()[0]
    with pytest.warns(UserWarning, match="Gradients do not exist for variables unused"):
        model.fit(np.ones((4, 2)), {"used": np.zeros((4, 1))}, verbose=0)
    np.testing.assert_array_equal(before, unused.get_weights()[0])


def test_an_optimizer_of_keras_2_3_1_written_by_a_user():
    class Old(optimizers.Optimizer):
        def __init__(self, lr=0.1, **kwargs):
            super().__init__(**kwargs)
            with K.name_scope(type(self).__name__):
                self.iterations = K.variable(0, dtype="int64", name="iterations")
                self.lr = K.variable(lr, name="lr")

        def get_updates(self, loss, params):
            grads = self.get_gradients(loss, params)
            self.updates = [K.update_add(self.iterations, 1)]
            moments = [K.zeros(K.int_shape(p)) for p in params]
            self.weights = [self.iterations, *moments]
            for p, g, m in zip(params, grads, moments):
                v = 0.9 * m - self.lr * g
                self.updates += [K.update(m, v), K.update(p, p + v)]
            return self.updates

    expected = fitted(optimizers.SGD(0.1, 0.9))
    for way in (fitted, looped, traced):
        np.testing.assert_allclose(way(Old()), expected, rtol=1e-6)
