"""Normalization within each sample, in training as in inference: layers of tf.keras, beyond Keras 2.3.1."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import graph
from ..backend.axes import normalize_axes
from ..backend.shapes import dims_of
from ..engine.base_layer import InputSpec, Layer
from .options import add_weight, option_names, options_config, options_in, set_options

_OPTIONS = option_names("beta", "gamma")


class _ScaledAndCentered(Layer):
    """What is normalized gets a scale ``gamma`` and a centre ``beta``, where wanted."""

    def __init__(self, axis, epsilon, center, scale, options, kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        set_options(self, **options)

    def _add_parameters(self, shape: tuple) -> None:
        if None in shape:
            raise ValueError(
                f"The axes {self.axis} that `{type(self).__name__}` has weights for must have a defined length."
            )
        self.gamma = add_weight(self, "gamma", shape) if self.scale else None
        self.beta = add_weight(self, "beta", shape) if self.center else None

    def _parameters(self, shape: list) -> list:
        """gamma and beta, reshaped to be broadcast."""
        given = (self.gamma, self.beta)
        return [p if p is None or list(p.shape) == shape else K.reshape(p, shape) for p in given]

    def get_config(self):
        own = {name: getattr(self, name) for name in ("axis", "epsilon", "center", "scale")}
        return {**super().get_config(), **own, **options_config(self, *_OPTIONS)}

    def compute_output_shape(self, input_shape):
        return input_shape


def _normalized(x: Any, axes: list[int], epsilon: float, gamma: Any, beta: Any) -> Any:
    """x minus its mean over ``axes``, divided by its standard deviation, times gamma plus beta."""
    centered = x - K.mean(x, axis=axes, keepdims=True)
    scale = graph.apply("rsqrt", [K.mean(K.square(centered), axis=axes, keepdims=True) + epsilon])
    if gamma is not None:
        scale = scale * gamma
    return centered * scale if beta is None else centered * scale + beta


class LayerNormalization(_ScaledAndCentered):
    """Normalize each sample over its features: https://arxiv.org/abs/1607.06450.

    Args:
        axis: the axes to normalize over, which are also those of the weights: a number or a list.
        epsilon: added to the variance.
        center: whether to add ``beta``.
        scale: whether to multiply by ``gamma``.

    Input and output: any shape. Weights: gamma, beta (where used), with the lengths of the axes.
    """

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(axis, epsilon, center, scale, options_in(locals()), kwargs)

    def _axes(self, rank: int) -> list[int]:
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        if not all(-rank <= a < rank for a in axes):
            raise ValueError(f"`axis` {self.axis} is none of an input of rank {rank}.")
        return [a % rank for a in axes]

    def build(self, input_shape):
        self._add_parameters(tuple(input_shape[a] for a in self._axes(len(input_shape))))
        self.built = True

    def call(self, inputs):
        axes = self._axes(inputs.ndim)
        last = axes == list(range(inputs.ndim - len(axes), inputs.ndim))
        shape = [inputs.shape[a] for a in axes] if last else [n if a in axes else 1 for a, n in enumerate(inputs.shape)]
        return _normalized(inputs, axes, self.epsilon, *self._parameters(shape))


class GroupNormalization(_ScaledAndCentered):
    """Normalize each sample over groups of its channels: https://arxiv.org/abs/1803.08494.

    Args:
        groups: number of groups, which divides that of the channels; -1 makes each channel a group.
        axis: the channels.
        epsilon: added to the variance.
        center: whether to add ``beta``.
        scale: whether to multiply by ``gamma``.

    Input and output: (batch, ..., channels). Weights: gamma, beta (where used), each (channels,).

    Raises:
        ValueError: (when built) the groups do not divide the channels.
    """

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(axis, epsilon, center, scale, options_in(locals()), kwargs)
        self.groups = groups

    def build(self, input_shape):
        channels = input_shape[self.axis]
        self._add_parameters((channels,))
        if self.groups == -1:
            self.groups = channels
        if self.groups < 1 or channels % self.groups:
            raise ValueError(f"The {channels} channels of the input cannot be cut into {self.groups} groups.")
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self.built = True

    def call(self, inputs):
        axis, dims = self.axis % inputs.ndim, dims_of(inputs)
        parts = [self.groups, dims[axis] // self.groups]
        grouped = K.reshape(inputs, [*dims[:axis], *parts, *dims[axis + 1 :]])
        axes = [a for a in range(1, inputs.ndim + 1) if a != axis]
        shape = [*[1] * axis, *parts, *[1] * (inputs.ndim - axis - 1)]
        return K.reshape(_normalized(grouped, axes, self.epsilon, *self._parameters(shape)), dims)

    def get_config(self):
        return {**super().get_config(), "groups": self.groups}


class UnitNormalization(Layer):
    """Divide each sample by its L2 norm over ``axis`` (a number or a list)."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis

    def call(self, inputs):
        square = K.sum(K.square(inputs), axis=normalize_axes(inputs, self.axis), keepdims=True)
        return inputs * graph.apply("rsqrt", [K.maximum(square, 1e-12)])

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}

    def compute_output_shape(self, input_shape):
        return input_shape
