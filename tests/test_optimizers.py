"""Each optimizer, step by step, equals its formulas in NumPy."""

import json

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import constraints, optimizers

EPS = 1e-7


def steps(optimizer, start, gradients):
    """The parameter after each step, for given gradients (the loss is their product with the parameter)."""
    p = K.variable(start)
    g = K.placeholder(start.shape)
    train = K.function([g], [], updates=optimizer.get_updates(loss=K.sum(p * g), params=[p]))
    values = []
    for gradient in gradients:
        train([gradient])
        values.append(K.get_value(p))
    return np.array(values)


# Each formula is a generator: it gets gradients and yields what to add to the parameter. t counts from 1.
def sgd(lr=0.01, momentum=0.0, nesterov=False, decay=0.0):
    v, step, t = 0.0, 0.0, 0
    while True:
        g = yield step
        rate = lr / (1 + decay * t)
        v = momentum * v - rate * g
        step = momentum * v - rate * g if nesterov else v
        t += 1


def rmsprop(lr=0.001, rho=0.9, decay=0.0):
    a, step, t = 0.0, 0.0, 0
    while True:
        g = yield step
        a = rho * a + (1 - rho) * g**2
        step = -lr / (1 + decay * t) * g / (np.sqrt(a) + EPS)
        t += 1


def adagrad(lr=0.01):
    a, step = 0.0, 0.0
    while True:
        g = yield step
        a = a + g**2
        step = -lr * g / (np.sqrt(a) + EPS)


def adadelta(lr=1.0, rho=0.95):
    a, d, step = 0.0, 0.0, 0.0
    while True:
        g = yield step
        a = rho * a + (1 - rho) * g**2
        update = g * np.sqrt(d + EPS) / np.sqrt(a + EPS)
        d = rho * d + (1 - rho) * update**2
        step = -lr * update


def adam(lr=0.001, b1=0.9, b2=0.999, amsgrad=False, decay=0.0):
    m = v = peak = step = 0.0
    t = 0
    while True:
        g = yield step
        rate = lr / (1 + decay * t)
        t += 1
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        peak = np.maximum(peak, v)
        step = -rate * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(peak if amsgrad else v) + EPS)


def adamax(lr=0.002, b1=0.9, b2=0.999):
    m = u = step = 0.0
    t = 0
    while True:
        g = yield step
        t += 1
        m = b1 * m + (1 - b1) * g
        u = np.maximum(b2 * u, np.abs(g))
        step = -lr / (1 - b1**t) * m / (u + EPS)


def nadam(lr=0.002, b1=0.9, b2=0.999, schedule_decay=0.004):
    m = v = step = 0.0
    t, schedule = 0, 1.0
    while True:
        g = yield step
        t += 1
        now, ahead = (b1 * (1 - 0.5 * 0.96 ** (k * schedule_decay)) for k in (t, t + 1))
        schedule *= now
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        mean = (1 - now) * g / (1 - schedule) + ahead * m / (1 - schedule * ahead)
        step = -lr * mean / (np.sqrt(v / (1 - b2**t)) + EPS)


CASES = [
    (optimizers.SGD, {}, sgd, {}),
    (optimizers.SGD, {"learning_rate": 0.1, "momentum": 0.9}, sgd, {"lr": 0.1, "momentum": 0.9}),
    (
        optimizers.SGD,
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        sgd,
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    (optimizers.SGD, {"lr": 0.1, "decay": 0.5}, sgd, {"lr": 0.1, "decay": 0.5}),
    (optimizers.RMSprop, {}, rmsprop, {}),
    (optimizers.RMSprop, {"lr": 0.01, "rho": 0.8, "decay": 0.1}, rmsprop, {"lr": 0.01, "rho": 0.8, "decay": 0.1}),
    (optimizers.Adagrad, {}, adagrad, {}),
    (optimizers.Adadelta, {}, adadelta, {}),
    (optimizers.Adam, {}, adam, {}),
    (optimizers.Adam, {"amsgrad": True, "beta_2": 0.7}, adam, {"amsgrad": True, "b2": 0.7}),
    (optimizers.Adam, {"lr": 0.1, "decay": 0.5}, adam, {"lr": 0.1, "decay": 0.5}),
    (optimizers.Adamax, {}, adamax, {}),
    (optimizers.Nadam, {}, nadam, {}),
]


@pytest.fixture
def float64():
    K.set_floatx("float64")
    yield
    K.set_floatx("float32")


@pytest.mark.parametrize("cls, arguments, formula, formula_arguments", CASES)
def test_formula(cls, arguments, formula, formula_arguments, float64):
    rng = np.random.RandomState(0)
    start, gradients = rng.randn(3, 4), rng.randn(5, 3, 4)
    expected, p, steps_of = [], start, formula(**formula_arguments)
    next(steps_of)
    for g in gradients:
        p = p + steps_of.send(g)
        expected.append(p)
    np.testing.assert_allclose(steps(cls(**arguments), start, gradients), expected, rtol=1e-9)


@pytest.mark.parametrize(
    "cls",
    [c for c in (getattr(optimizers, n) for n in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "Adamax", "Nadam"))],
)
def test_config_and_weights_round_trip(cls):
    optimizer = cls(clipnorm=2.0, clipvalue=0.5)
    config = json.loads(json.dumps(optimizers.serialize(optimizer)))
    again = optimizers.deserialize(config)
    assert type(again) is cls and again.get_config() == optimizer.get_config()
    assert again.clipnorm == 2.0 and again.clipvalue == 0.5

    start, gradients = np.ones((2, 3)), np.random.RandomState(0).randn(3, 2, 3)
    steps(optimizer, start, gradients)
    weights = optimizer.get_weights()
    assert weights[0] == 3 and weights[0].dtype == np.int64, "iterations come first"
    p = K.variable(start)
    again.get_updates(K.sum(p * 1.0), [p])
    again.set_weights(weights)
    for a, b in zip(again.get_weights(), weights):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="Length of the specified weight list"):
        again.set_weights([*weights, weights[0], weights[0]])
    with pytest.raises(ValueError, match="not compatible with provided weight shape"):
        again.set_weights([*weights[:-1], np.zeros((7, 7))])


def test_weights_order():
    p, q = K.variable(np.zeros((2, 3))), K.variable(np.zeros(4))
    optimizer = optimizers.Adam()
    optimizer.get_updates(K.sum(p) + K.sum(q), [p, q])
    shapes = [w.shape for w in optimizer.get_weights()]
    assert shapes == [(), (2, 3), (4,), (2, 3), (4,), (1,), (1,)], "iterations, m, v, vhat"


@pytest.mark.parametrize("cls", [optimizers.RMSprop, optimizers.Adagrad, optimizers.Adadelta])
def test_weights_of_files_without_iterations(cls):
    p = K.variable(np.zeros(2))
    optimizer = cls()
    optimizer.get_updates(K.sum(p), [p])
    old = [np.full(w.shape, 3.0) for w in optimizer.get_weights()[1:]]
    optimizer.set_weights(old)
    assert optimizer.get_weights()[0] == 0 and (optimizer.get_weights()[1] == 3).all()


def test_clipping():
    g = np.array([3.0, 4.0])
    by_norm = steps(optimizers.SGD(lr=1.0, clipnorm=1.0), np.zeros(2), [g, g / 10])
    np.testing.assert_allclose(by_norm, [[-0.6, -0.8], [-0.9, -1.2]], rtol=1e-6)
    by_value = steps(optimizers.SGD(lr=1.0, clipvalue=3.5), np.zeros(2), [g])
    np.testing.assert_allclose(by_value, [[-3.0, -3.5]], rtol=1e-6)


def test_clipnorm_of_nothing():
    assert len(optimizers.SGD(clipnorm=1.0).get_updates(loss=K.constant(1.0), params=[])) == 1


def test_clipnorm_is_over_all_parameters():
    p, q = K.variable(0.0), K.variable(0.0)
    optimizer = optimizers.SGD(lr=1.0, clipnorm=1.0)
    K.function([], [], updates=optimizer.get_updates(3.0 * p + 4.0 * q, [p, q]))([])
    np.testing.assert_allclose([K.get_value(p), K.get_value(q)], [-0.6, -0.8], rtol=1e-6)


def test_constraints_are_applied_to_the_new_value():
    p = K.variable([1.0, -1.0], constraint=constraints.NonNeg())
    K.function([], [], updates=optimizers.SGD(lr=1.0).get_updates(K.sum(p * K.constant([3.0, -3.0])), [p]))([])
    np.testing.assert_array_equal(K.get_value(p), [0, 2])


def test_a_parameter_without_gradient_is_named():
    p, q = K.variable(1.0, name="used"), K.variable(1.0, name="forgotten")
    with pytest.raises(ValueError, match=r"None[\s\S]*forgotten"):
        optimizers.SGD().get_updates(p * 2.0, [p, q])


def test_get():
    optimizer = optimizers.adam(lr=0.5)
    assert optimizers.get(optimizer) is optimizer
    assert K.get_value(optimizer.lr) == K.get_value(optimizer.learning_rate) == 0.5
    with pytest.raises(ValueError, match="Unknown optimizer"):
        optimizers.get("adamant")
    with pytest.raises(ValueError, match="Could not interpret"):
        optimizers.get(3)
    with pytest.raises(TypeError, match="Unexpected keyword argument"):
        optimizers.SGD(rate=3)


def test_optimizers_take_a_name_as_in_tf_keras():
    assert optimizers.Adam(learning_rate=1e-3, name="mine").name == "mine"
    assert "name" not in optimizers.Adam(name="mine").get_config()


def test_a_hint_does_not_repeat_the_refused_word():
    class Own(optimizers.Optimizer):
        def __init__(self, rate=1, clipnrm=None):
            super().__init__(rate=rate, clipnrm=clipnrm)

    with pytest.raises(TypeError, match=r"rate\.$"):
        Own()


@pytest.mark.parametrize(
    "name", ["sgd", "SGD", "rmsprop", "RMSprop", "adam", "Adam", "nadam", "Nadam", "adamax", "adadelta", "adagrad"]
)
def test_get_by_name(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


def test_old_order_of_arguments_of_get_updates():
    p = K.variable(1.0)
    updates = optimizers.SGD(lr=0.5).get_updates([p], {}, p * 2.0)
    K.function([], [], updates=updates)([])
    assert K.get_value(p) == 0


def test_an_optimizer_written_by_a_user():
    class Sign(optimizers.Optimizer):
        def __init__(self, lr=0.1, **kwargs):
            super().__init__(**kwargs)
            self.learning_rate = K.variable(lr)

        def get_updates(self, loss, params):
            grads = self.get_gradients(loss, params)
            self.updates = [K.update_sub(p, self.lr * K.sign(g)) for p, g in zip(params, grads)]
            return self.updates

    np.testing.assert_allclose(steps(Sign(), np.zeros(2), [np.array([5.0, -3.0])]), [[-0.1, 0.1]], rtol=1e-6)


def test_an_object_with_the_methods_of_tensorflow_1_is_adapted():
    class Descent:
        def compute_gradients(self, loss, var_list):
            return list(zip(K.gradients(loss, var_list), var_list))

        def apply_gradients(self, pairs, global_step):
            return [K.update_sub(p, 0.5 * g * K.cast(global_step + 1, "float32")) for g, p in pairs]

    p = K.variable([1.0, -2.0])
    optimizer = optimizers.TFOptimizer(Descent())
    step = K.function([], [], optimizer.get_updates(K.sum(K.square(p)) / 2, [p]))
    step([])
    np.testing.assert_allclose(K.get_value(p), [0.5, -1.0])
    step([])
    np.testing.assert_allclose(K.get_value(p), [0.0, 0.0])
    assert K.get_value(optimizer.iterations) == 2
    for call in (optimizer.get_config, lambda: optimizer.weights, lambda: type(optimizer).from_config({})):
        with pytest.raises(NotImplementedError, match="TFOptimizer"):
            call()


def test_such_an_object_is_adapted_where_an_optimizer_is_expected():
    class Descent:
        def compute_gradients(self, loss, var_list):
            return list(zip(K.gradients(loss, var_list), var_list))

        def apply_gradients(self, pairs, global_step):
            return [K.update_sub(p, g) for g, p in pairs]

    adapted = optimizers.get(Descent())
    assert type(adapted) is optimizers.TFOptimizer and optimizers.get(adapted) is adapted
    p = K.variable([1.0, -2.0])
    K.function([], [], adapted.get_updates(K.sum(K.square(p)) / 4, [p]))([])
    np.testing.assert_allclose(K.get_value(p), [0.5, -1.0])


def test_the_optimizers_of_before_are_where_tf_keras_has_them():
    assert issubclass(optimizers.legacy.Adam, optimizers.Adam) and optimizers.legacy.Optimizer is optimizers.Optimizer
