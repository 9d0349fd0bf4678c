"""WGAN-GP (Gulrajani et al. 2017): a loss made of the gradient of a critic, whose gradient is a second derivative."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam import models, optimizers

CRITICS = {
    "dense": ((6,), lambda: [L.Dense(8, activation="tanh"), L.LeakyReLU(0.2), L.Dense(5, activation="softplus")]),
    "conv": (
        (6, 6, 2),
        lambda: [
            L.Conv2D(4, 3, strides=2, padding="same", activation="elu"),
            L.DepthwiseConv2D(3, padding="same", activation="tanh"),
            L.AveragePooling2D(),
            L.Flatten(),
        ],
    ),
    "pooled": ((6, 6, 2), lambda: [L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D(), L.Flatten()]),
    "normalized": ((6, 6, 2), lambda: [L.Conv2D(4, 3), L.BatchNormalization(), L.Activation("tanh"), L.Flatten()]),
    "lstm": ((5, 3), lambda: [L.LSTM(4, return_sequences=True), L.LSTM(3)]),
    "gru": ((5, 3), lambda: [L.GRU(4, reset_after=True, return_sequences=True), L.GRU(3, go_backwards=True)]),
    "simple_rnn": ((5, 3), lambda: [L.Bidirectional(L.SimpleRNN(4))]),
    "attention": ((5, 3), lambda: [L.Dense(3, activation="softmax"), L.GlobalAveragePooling1D()]),
}


class Penalty:
    """A critic, and the mean squared distance of its gradient's length from 1."""

    def __init__(self, name):
        shape, layers = CRITICS[name]
        self.critic = models.Sequential([L.InputLayer(input_shape=shape), *layers(), L.Dense(1)])
        self.x = self.critic.input
        (slope,) = K.gradients(K.sum(self.critic.output), self.x)
        length = K.sqrt(K.sum(K.square(slope), axis=list(range(1, len(shape) + 1))) + 1e-12)
        self.value = K.mean(K.square(length - 1.0))
        self.batch = np.random.RandomState(1).normal(size=(4, *shape))

    def function(self, outputs, updates=None):
        return K.function([self.x, K.learning_phase()], outputs, updates=updates)


@pytest.fixture
def float64():
    K.set_floatx("float64")
    np.random.seed(0)
    yield
    K.set_floatx("float32")


@pytest.mark.parametrize("name", sorted(CRITICS))
def test_the_penalty_is_differentiable_in_every_weight(name, float64):
    """Directional derivatives over all weights at once, against central differences."""
    p = Penalty(name)
    weights = p.critic.trainable_weights
    grads = K.gradients(p.value, weights)
    given = [(w, g) for w, g in zip(weights, grads) if g is not None]
    assert all(w.name.split("/")[1].startswith(("bias", "beta")) for w, g in zip(weights, grads) if g is None)
    value, gradient = p.function([p.value]), p.function([g for _, g in given])
    values = [K.get_value(w) for w, _ in given]
    got = gradient([p.batch, 1])
    assert any(np.abs(g).max() > 1e-6 for g in got)
    rng = np.random.RandomState(2)
    for _ in range(3):
        directions = [rng.normal(size=v.shape) for v in values]
        sides = []
        for eps in (1e-6, -1e-6):
            K.batch_set_value([(w, v + eps * d) for (w, _), v, d in zip(given, values, directions)])
            sides.append(value([p.batch, 1])[0])
        K.batch_set_value([(w, v) for (w, _), v in zip(given, values)])
        slope = sum((g * d).sum() for g, d in zip(got, directions))
        np.testing.assert_allclose((sides[0] - sides[1]) / 2e-6, slope, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", sorted(CRITICS))
def test_steps_towards_slope_one(name):
    np.random.seed(0)
    p = Penalty(name)
    updates = optimizers.Adam(0.01).get_updates(loss=p.value, params=_reached(p))
    step = p.function([p.value], updates)
    history = [float(step([p.batch, 1])[0]) for _ in range(30)]
    assert np.isfinite(history).all() and history[-1] < 0.8 * history[0]


def _reached(p):
    """The weights that the penalty depends on: a last bias changes no slope."""
    weights = p.critic.trainable_weights
    return [w for w, g in zip(weights, K.gradients(p.value, weights)) if g is not None]


def test_a_whole_step_of_critic_and_generator():
    """Critic and generator in turns, with K.function and optimizers as the published implementations have it."""
    rng = np.random.RandomState(0)
    np.random.seed(0)
    generator = models.Sequential([L.Dense(16, activation="relu", input_dim=2), L.Dense(2)])
    critic = models.Sequential([L.Dense(32, activation="tanh", input_dim=2), L.Dense(1)])
    real, noise, mix = K.placeholder((None, 2)), K.placeholder((None, 2)), K.placeholder((None, 1))
    fake = generator(noise)
    between = mix * real + (1 - mix) * fake
    (slope,) = K.gradients(critic(between), between)
    penalty = K.mean(K.square(K.sqrt(K.sum(K.square(slope), axis=1)) - 1))
    critic_loss = K.mean(critic(fake)) - K.mean(critic(real)) + 10 * penalty
    options = {"lr": 0.005, "beta_1": 0.0, "beta_2": 0.9}
    critic_step = K.function(
        [real, noise, mix],
        [critic_loss],
        optimizers.Adam(**options).get_updates(loss=critic_loss, params=critic.trainable_weights),
    )
    generator_loss = -K.mean(critic(fake))
    generator_step = K.function(
        [noise],
        [generator_loss],
        optimizers.Adam(**options).get_updates(loss=generator_loss, params=generator.trainable_weights),
    )
    target = np.array([2.0, -1.0])
    distance = []
    for _ in range(150):
        for _ in range(3):
            data = target + 0.1 * rng.normal(size=(32, 2))
            critic_step([data, rng.normal(size=(32, 2)), rng.uniform(size=(32, 1))])
        generator_step([rng.normal(size=(32, 2))])
        distance.append(np.abs(generator.predict(rng.normal(size=(64, 2))).mean(0) - target).max())
    assert np.mean(distance[-10:]) < 0.5 * np.mean(distance[:10])
