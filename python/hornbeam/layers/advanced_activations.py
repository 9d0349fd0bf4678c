"""Activations that have parameters."""

from __future__ import annotations

from .. import activations
from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..legacy import interfaces
from ..utils.generic_utils import to_list
from .options import add_weight, option_names, options_config, options_in, set_options


class _Activation(Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape):
        return input_shape


class LeakyReLU(_Activation):
    """x above zero, ``alpha * x`` below."""

    def __init__(self, alpha=0.3, **kwargs):
        super().__init__(**kwargs)
        self.alpha = float(K.cast_to_floatx(alpha))

    def call(self, inputs):
        return K.relu(inputs, alpha=self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(_Activation):
    """:class:`LeakyReLU` with a learned alpha for each feature.

    Args:
        shared_axes: axes along which one alpha is shared, for example (1, 2) for feature maps.

    Weights: alpha, of the input's shape without the batch, 1 along shared axes.
    """

    @interfaces.legacy_prelu_support
    def __init__(
        self, alpha_initializer="zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None, **kwargs
    ):
        super().__init__(**kwargs)
        set_options(self, **options_in(locals()))
        self.shared_axes = None if shared_axes is None else to_list(shared_axes, allow_tuple=True)

    def build(self, input_shape):
        shared = self.shared_axes or []
        shape = tuple(1 if axis in shared else dim for axis, dim in enumerate(input_shape[1:], start=1))
        self.alpha = add_weight(self, "alpha", shape)
        axes = {axis: input_shape[axis] for axis in range(1, len(input_shape)) if axis not in shared} if shared else {}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=axes)
        self.built = True

    def call(self, inputs):
        return K.relu(inputs) - self.alpha * K.relu(-inputs)

    def get_config(self):
        return {**super().get_config(), **options_config(self, *option_names("alpha")), "shared_axes": self.shared_axes}


class ELU(_Activation):
    """x above zero, ``alpha * (exp(x) - 1)`` below."""

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = float(K.cast_to_floatx(alpha))

    def call(self, inputs):
        return K.elu(inputs, self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


class ThresholdedReLU(_Activation):
    """x above ``theta``, zero below."""

    def __init__(self, theta=1.0, **kwargs):
        super().__init__(**kwargs)
        self.theta = float(K.cast_to_floatx(theta))

    def call(self, inputs):
        return inputs * K.cast(K.greater(inputs, self.theta), K.dtype(inputs))

    def get_config(self):
        return {**super().get_config(), "theta": self.theta}


class Softmax(_Activation):
    """exp(x), scaled to sum 1 along ``axis``."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs):
        return activations.softmax(inputs, axis=self.axis)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class ReLU(_Activation):
    """x between ``threshold`` and ``max_value``, ``negative_slope * (x - threshold)`` below.

    Raises:
        ValueError: a negative ``max_value`` or ``negative_slope``.
    """

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0.0:
            raise ValueError(f"max_value of ReLU layer cannot be negative value: {max_value}")
        if negative_slope < 0.0:
            raise ValueError(f"negative_slope of ReLU layer cannot be negative value: {negative_slope}")
        self.max_value = None if max_value is None else float(K.cast_to_floatx(max_value))
        self.negative_slope = float(K.cast_to_floatx(negative_slope))
        self.threshold = float(K.cast_to_floatx(threshold))

    def call(self, inputs):
        return K.relu(inputs, alpha=self.negative_slope, max_value=self.max_value, threshold=self.threshold)

    def get_config(self):
        own = {"max_value": self.max_value, "negative_slope": self.negative_slope, "threshold": self.threshold}
        return {**super().get_config(), **own}
