"""Optimizers and learning rates beyond Keras 2.3.1, against their formulas in NumPy; saved, loaded and resumed."""

import math

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import optimizers
from hornbeam.layers import Dense
from hornbeam.models import Sequential, load_model
from hornbeam.optimizers import schedules

START = np.array([0.5, -1.0, 2.0])
SLOPES = np.random.RandomState(0).uniform(-1, 1, (5, 3))


def path(optimizer, steps=5):
    """A parameter after each step, with gradients that are given."""
    p, slope = K.variable(START, "float64"), K.variable(np.zeros(3), "float64")
    run = K.function([], [], updates=optimizer.get_updates(K.sum(p * slope), [p]))
    values = []
    for g in SLOPES[:steps]:
        K.set_value(slope, g)
        run([])
        values.append(K.get_value(p))
    return np.array(values)


@pytest.fixture(autouse=True)
def float64():
    K.set_floatx("float64")
    yield
    K.set_floatx("float32")


def adam(p, rate, decay):
    m = v = 0.0
    for t, g in enumerate(SLOPES, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        step = rate * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
        p = p * (1 - rate * decay) - step
        yield p


def lion(p, rate):
    m = 0.0
    for g in SLOPES:
        p = p - rate * np.sign(0.9 * m + 0.1 * g)
        m = 0.99 * m + 0.01 * g
        yield p


def ftrl(p, rate, l1, l2, shrinkage, beta, power):
    n, z = 0.1, 0.0
    for g in SLOPES:
        new_n = n + g * g
        z = z + g + 2 * shrinkage * p - (new_n**power - n**power) / rate * p
        p = np.where(np.abs(z) <= l1, 0.0, (np.clip(z, -l1, l1) - z) / (new_n**power / rate + 2 * l2 + beta / rate))
        n = new_n
        yield p


def root_mean_square(x):
    return np.sqrt(np.mean(x * x))


def adafactor(p, rate):
    v = 0.0
    for t, g in enumerate(SLOPES, 1):
        past = 1 - t**-0.8
        v = past * v + (1 - past) * (g * g + 1e-30)
        step = g / np.sqrt(v)
        step = step / max(root_mean_square(step), 1.0)
        p = p - max(root_mean_square(p), 1e-3) * min(rate, t**-0.5) * step
        yield p


def rmsprop(p, rate, momentum, centered):
    v, mean, m = 0.0, 0.0, 0.0
    for g in SLOPES:
        v, mean = 0.9 * v + 0.1 * g * g, 0.9 * mean + 0.1 * g
        size = v - mean * mean if centered else v
        step = rate * g / (np.sqrt(size + 1e-7) if momentum else np.sqrt(size) + 1e-7)
        m = momentum * m + step
        p = p - (m if momentum else step)
        yield p


def clipped_sgd(p, rate, limit):
    for g in SLOPES:
        p = p - rate * g * min(1.0, limit / np.linalg.norm(g))
        yield p


@pytest.mark.parametrize("optimizer, expected", [(optimizer, list(expected)) for optimizer, expected in [
    (lambda: optimizers.AdamW(0.01, weight_decay=0.1), adam(START, 0.01, 0.1)),
    (lambda: optimizers.Adam(0.01, weight_decay=0.2), adam(START, 0.01, 0.2)),
    (lambda: optimizers.Lion(0.01), lion(START, 0.01)),
    (lambda: optimizers.Ftrl(0.1), ftrl(START, 0.1, 0, 0, 0, 0, 0.5)),
    (lambda: optimizers.Ftrl(0.1, -0.4, 0.1, 0.3, 0.2, 0.1, 0.5), ftrl(START, 0.1, 0.3, 0.2, 0.1, 0.5, 0.4)),
    (lambda: optimizers.Adafactor(0.6), adafactor(START, 0.6)),
    (lambda: optimizers.Adafactor(0.6, relative_step=False), adafactor(START, 0.6)),
    (lambda: optimizers.RMSprop(0.01, momentum=0.5), rmsprop(START, 0.01, 0.5, False)),
    (lambda: optimizers.RMSprop(0.01, centered=True), rmsprop(START, 0.01, 0.0, True)),
    (lambda: optimizers.RMSprop(0.01, momentum=0.5, centered=True), rmsprop(START, 0.01, 0.5, True)),
    (lambda: optimizers.SGD(0.1, clipnorm=0.3, clip_each=True), clipped_sgd(START, 0.1, 0.3)),
    (lambda: optimizers.SGD(0.1, global_clipnorm=0.3), clipped_sgd(START, 0.1, 0.3)),
]])  # fmt: skip
def test_formulas(optimizer, expected):
    np.testing.assert_allclose(path(optimizer()), expected, rtol=1e-6)


def test_each_gradient_is_limited_for_itself():
    small, large = K.variable([0.0]), K.variable([0.0])
    optimizer = optimizers.SGD(1.0, clipnorm=1.0, clip_each=True)
    K.function([], [], updates=optimizer.get_updates(K.sum(0.5 * small + 10.0 * large), [small, large]))([])
    np.testing.assert_allclose([K.get_value(small), K.get_value(large)], [[-0.5], [-1.0]])


# -- schedules --------------------------------------------------------------------------------------------------
def wave(part, alpha=0.0):
    return (1 - alpha) * 0.5 * (1 + math.cos(math.pi * part)) + alpha


def restarts(step):
    length, start, height = 2, 0, 1.0
    while step >= start + length:
        start, length, height = start + length, length * 2, height * 0.5
    return 0.1 * height * wave((step - start) / length)


S = schedules
RATES = [
    (S.ExponentialDecay(0.1, 2, 0.5), lambda t: 0.1 * 0.5 ** (t / 2)),
    (S.ExponentialDecay(0.1, 2, 0.5, staircase=True), lambda t: 0.1 * 0.5 ** (t // 2)),
    (S.InverseTimeDecay(0.1, 2, 0.5), lambda t: 0.1 / (1 + 0.5 * t / 2)),
    (S.InverseTimeDecay(0.1, 2, 0.5, staircase=True), lambda t: 0.1 / (1 + 0.5 * (t // 2))),
    (S.PiecewiseConstantDecay([1, 4], [0.3, 0.2, 0.1]), lambda t: 0.3 if t <= 1 else 0.2 if t <= 4 else 0.1),
    (S.PolynomialDecay(0.1, 4, 0.01, 2.0), lambda t: 0.09 * (1 - min(t, 4) / 4) ** 2 + 0.01),
    (S.PolynomialDecay(0.1, 4, cycle=True), lambda t: 0.0999 * (1 - t / (4 * max(math.ceil(t / 4), 1))) + 0.0001),
    (S.CosineDecay(0.1, 4, alpha=0.1), lambda t: 0.1 * wave(min(t, 4) / 4, 0.1)),
    (S.CosineDecay(0.0, 4, warmup_target=0.2, warmup_steps=3),
     lambda t: 0.2 * t / 3 if t < 3 else 0.2 * wave(min(t - 3, 4) / 4)),
    (S.CosineDecayRestarts(0.1, 2, m_mul=0.5), restarts),
    (S.CosineDecayRestarts(0.1, 2, t_mul=1.0, alpha=0.2), lambda t: 0.1 * wave(t % 2 / 2, 0.2)),
]  # fmt: skip


@pytest.mark.parametrize("schedule, rate", RATES)
def test_schedules(schedule, rate):
    expected = [rate(t) for t in range(12)]
    got = [K.eval(schedule(K.constant(t, "int64"))) for t in range(12)]
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-12)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule) and again.get_config() == schedule.get_config()
    steps = np.array(expected[:5])[:, None] * SLOPES
    np.testing.assert_allclose(path(optimizers.SGD(schedule)), START - steps.cumsum(0), rtol=1e-6)


def test_mistakes():
    with pytest.raises(ValueError, match="2 boundaries need one value more"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(ValueError, match="Unknown learning rate schedule"):
        optimizers.SGD({"class_name": "Mine", "config": {}})
    with pytest.raises(NotImplementedError, match="__call__"):
        optimizers.SGD(schedules.LearningRateSchedule()).get_updates(K.sum(K.variable(START)), [])


class Warmup(schedules.LearningRateSchedule):
    """A user's own, as the Transformer's tutorial has it."""

    def __init__(self, steps):
        self.steps = steps

    def __call__(self, step):
        step = K.cast(step, "float32") + 1.0
        return K.minimum(1.0 / K.sqrt(step), step * self.steps**-1.5)

    def get_config(self):
        return {"steps": self.steps}


ALL = [
    lambda: optimizers.AdamW(0.01), lambda: optimizers.Lion(0.01), lambda: optimizers.Ftrl(0.1, l1_regularization_strength=0.1),
    lambda: optimizers.RMSprop(0.01, momentum=0.9, centered=True), lambda: optimizers.Adam(0.01, weight_decay=0.1),
    lambda: optimizers.SGD(0.1, clipnorm=0.1, clip_each=True), lambda: optimizers.Adam(Warmup(4)),
    lambda: optimizers.Adam(0.01, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2),
    *(lambda schedule=schedule: optimizers.Nadam(schedule) for schedule, _ in RATES[:2]),
]  # fmt: skip


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_resuming(make, name, tmp_path):
    K.set_floatx("float32")
    rng = np.random.RandomState(0)
    x, y = rng.rand(8, 3), rng.rand(8, 2)
    model = Sequential([Dense(4, activation="tanh", input_shape=(3,)), Dense(2)])
    model.compile(make(), "mse")
    model.train_on_batch(x, y)
    model.save(tmp_path / name)
    again = load_model(tmp_path / name, custom_objects={"Warmup": Warmup})
    assert type(again.optimizer) is type(model.optimizer)
    assert again.optimizer.get_config() == model.optimizer.get_config()
    losses = [[m.train_on_batch(x, y) for _ in range(3)] for m in (model, again)]
    assert losses[0] == losses[1]


def test_by_name():
    assert type(optimizers.get("adamw")) is optimizers.AdamW and type(optimizers.get("Ftrl")) is optimizers.Ftrl
    mine = {"AdamW": optimizers.SGD}
    config = {"class_name": "AdamW", "config": {"learning_rate": 0.5}}
    assert type(optimizers.deserialize(config, custom_objects=mine)) is optimizers.SGD
