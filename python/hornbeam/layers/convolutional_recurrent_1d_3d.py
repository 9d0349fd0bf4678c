"""ConvLSTM1D and ConvLSTM3D, as tf.keras has them: recurrent layers over sequences of signals and of volumes."""

from __future__ import annotations

from ..engine.base_layer import InputSpec
from .convolutional_recurrent import ConvLSTMCell, RunsProjected, _ConvRNN
from .options import given_arguments


class ConvLSTM1DCell(ConvLSTMCell):
    """An LSTM step on signals (batch, length, channels); arguments as for :class:`ConvLSTM2DCell`."""

    _rank = 1


class ConvLSTM3DCell(ConvLSTMCell):
    """An LSTM step on volumes (batch, depth, rows, cols, channels); arguments as for :class:`ConvLSTM2DCell`."""

    _rank = 3


class _ConvLSTM(RunsProjected, _ConvRNN):
    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        activation="tanh",
        recurrent_activation="hard_sigmoid",
        use_bias=True,
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
        go_backwards=False,
        stateful=False,
        dropout=0.0,
        recurrent_dropout=0.0,
        **kwargs,
    ):
        super().__init__(*given_arguments(locals()))
        self.input_spec = [InputSpec(ndim=self._rank + 3)]


class ConvLSTM1D(_ConvLSTM):
    """Convolutional LSTM over sequences of signals; arguments as for :class:`ConvLSTM2D`.

    Example:
        >>> y = ConvLSTM1D(8, 3, padding="same")(Input((10, 32, 1)))  # (None, 32, 8)
    """

    _rank = 1
    _cell_class = ConvLSTM1DCell


class ConvLSTM3D(_ConvLSTM):
    """Convolutional LSTM over sequences of volumes; arguments as for :class:`ConvLSTM2D`.

    Example:
        >>> y = ConvLSTM3D(8, 3, padding="same")(Input((10, 8, 32, 32, 1)))  # (None, 8, 32, 32, 8)
    """

    _rank = 3
    _cell_class = ConvLSTM3DCell
