"""GRU and LSTM with cuDNN's weight layout: the same kernels as the plain layers, on any device."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..graph import Tensor
from ..utils.generic_utils import is_all_none
from .options import RECURRENT_OPTIONS, add_weight, arguments, options_config, options_in, set_options
from .recurrent import RNN
from .recurrent_cells import GRUCell, LSTMCell, unit_forget_bias

__all__ = ["CuDNNGRU", "CuDNNLSTM"]


class _CuDNNRNN(RNN):
    """What both share: the layer owns the weights as cuDNN has them, its cell gets them as the plain layers have them.

    Weights: kernel (features, gates * units) and recurrent_kernel (units, gates * units), of which each gate's block
    holds the elements of the transposed matrix, and bias (2 * gates * units,), that of the input before that of the state.
    """

    _gates: int

    def __init__(self, cell, **kwargs):
        if kwargs.pop("unroll", False):
            raise TypeError("CuDNN RNNs cannot be unrolled.")
        options = options_in(kwargs)
        super().__init__(cell, **{name: value for name, value in kwargs.items() if name not in options})
        self.units = cell.units
        self.supports_masking = False
        set_options(self, **options)

    def build(self, input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        width = self._gates * self.units
        self.kernel = add_weight(self, "kernel", (shape[-1], width))
        self.recurrent_kernel = add_weight(self, "recurrent_kernel", (self.units, width))
        self.bias = add_weight(self, "bias", (2 * width,), self._bias_start())
        self.cell.kernel = self._plain(self.kernel)
        self.cell.recurrent_kernel = self._plain(self.recurrent_kernel)
        self.cell.bias = self._plain_bias(self.bias)
        self.cell.built = True
        super().build(input_shape)

    def _bias_start(self):
        """An initializer for the bias instead of ``bias_initializer``, or None."""
        return None

    def _plain(self, kernel: Any) -> Tensor:
        rows, u = kernel.shape[0], self.units
        blocks = (kernel[:, g * u : (g + 1) * u] for g in range(self._gates))
        return K.concatenate([K.transpose(K.reshape(block, [u, rows])) for block in blocks])

    def _plain_bias(self, bias: Any) -> Tensor:
        raise NotImplementedError

    def call(self, inputs, mask=None, training=None, initial_state=None):
        if not is_all_none(mask):
            raise ValueError("Masking is not supported for CuDNN RNNs.")
        return super().call(inputs, training=training, initial_state=initial_state)

    def get_config(self):
        config = self._sequence_config()
        del config["unroll"]
        own = {
            "units": self.units,
            **options_config(self, *RECURRENT_OPTIONS, "activity_regularizer"),
        }
        return {**config, **own}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


class CuDNNGRU(_CuDNNRNN):
    """``GRU(units, reset_after=True)`` with tanh and sigmoid, and with cuDNN's weight layout; takes no masks.

    Args: see :class:`GRUCell` and :class:`RNN`.
    """

    _gates = 3

    def __init__(
        self,
        units,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        return_sequences=False,
        return_state=False,
        stateful=False,
        **kwargs,
    ):
        super().__init__(GRUCell(units, reset_after=True), **arguments(locals(), "units"))

    def _plain_bias(self, bias):
        return K.reshape(bias, [2, self._gates * self.units])


class CuDNNLSTM(_CuDNNRNN):
    """``LSTM(units)`` with tanh and sigmoid, and with cuDNN's weight layout; takes no masks.

    Args: see :class:`LSTMCell` and :class:`RNN`.
    """

    _gates = 4

    def __init__(
        self,
        units,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        return_sequences=False,
        return_state=False,
        stateful=False,
        **kwargs,
    ):
        super().__init__(LSTMCell(units), **arguments(locals(), "units", "unit_forget_bias"))
        self.unit_forget_bias = unit_forget_bias

    def _bias_start(self):
        u = self.units  # the forget gate's second bias gets the ones
        return unit_forget_bias(self.bias_initializer, 5 * u, u, 2 * u) if self.unit_forget_bias else None

    def _plain_bias(self, bias):
        width = self._gates * self.units
        return bias[:width] + bias[width:]

    def get_config(self):
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}
