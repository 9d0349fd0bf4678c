"""Noise that is added in training only."""

from __future__ import annotations

import math

from .. import backend as K
from ..engine.base_layer import Layer
from ..legacy import interfaces


class _Noise(Layer):
    """Noise whose seed may be given, as in tf.keras."""

    def __init__(self, **kwargs):
        self.seed = kwargs.pop("seed", None)
        super().__init__(**kwargs)
        self.supports_masking = True

    def _normal(self, inputs, mean, stddev):
        return K.random_normal(K.shape(inputs), mean, stddev, dtype=K.dtype(inputs), seed=self.seed)

    def get_config(self):
        seeded = {} if self.seed is None else {"seed": self.seed}  # Keras 2.3.1 would not understand the argument
        return {**super().get_config(), **seeded}

    def compute_output_shape(self, input_shape):
        return input_shape


class GaussianNoise(_Noise):
    """Add normally distributed numbers of standard deviation ``stddev``; ``seed`` says which."""

    @interfaces.legacy_gaussiannoise_support
    def __init__(self, stddev, **kwargs):
        super().__init__(**kwargs)
        self.stddev = stddev

    def call(self, inputs, training=None):
        def noised():
            return inputs + self._normal(inputs, 0.0, self.stddev)

        return K.in_train_phase(noised, inputs, training=training)

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev}


class GaussianDropout(_Noise):
    """Multiply by normally distributed numbers of mean 1 and standard deviation ``sqrt(rate / (1 - rate))``."""

    @interfaces.legacy_gaussiandropout_support
    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, inputs, training=None):
        if not 0 < self.rate < 1:
            return inputs

        def noised():
            stddev = math.sqrt(self.rate / (1.0 - self.rate))
            return inputs * self._normal(inputs, 1.0, stddev)

        return K.in_train_phase(noised, inputs, training=training)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


class AlphaDropout(_Noise):
    """Dropout that keeps the mean and variance of SELU networks: dropped values become SELU's lowest.

    Args:
        rate: the part that is dropped.
        noise_shape: shape of the mask, to be broadcast.
        seed: for the random numbers.
    """

    # SELU tends to -scale * alpha for very negative inputs.
    _LOWEST = -1.6732632423543772 * 1.0507009873554805

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.rate = rate
        self.noise_shape = noise_shape

    def call(self, inputs, training=None):
        if not 0.0 < self.rate < 1.0:
            return inputs

        def dropped():
            shape = self.noise_shape or K.shape(inputs)
            kept = K.random_binomial(shape, 1.0 - self.rate, dtype=K.dtype(inputs), seed=self.seed)
            scale = ((1.0 - self.rate) * (1.0 + self.rate * self._LOWEST**2)) ** -0.5
            shift = -scale * self._LOWEST * self.rate
            return scale * (inputs * kept + self._LOWEST * (1.0 - kept)) + shift

        return K.in_train_phase(dropped, inputs, training=training)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "noise_shape": self.noise_shape, "seed": self.seed}
