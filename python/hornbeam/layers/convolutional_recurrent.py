"""Recurrent layers over sequences of images, whose cells convolve where others multiply."""

from __future__ import annotations

from typing import Any

from .. import activations
from .. import backend as K
from ..backend.rnn import swap_batch_and_time
from ..backend.shapes import dims_of
from ..engine.base_layer import InputSpec, Layer
from ..graph import Tensor
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.generic_utils import transpose_shape
from .options import RECURRENT_OPTIONS, add_weight, arguments, given_arguments, options_config, options_in, set_options
from .recurrent import RNN, CellLayer
from .recurrent_cells import unit_forget_bias
from .time_folding import fold_time, unfold_time

__all__ = ["ConvLSTM2D", "ConvLSTM2DCell", "ConvRNN2D"]


class _ConvRNN(RNN):
    """Runs a convolutional cell over sequences of grids with ``_rank`` axes."""

    _rank: int

    def build(self, input_shape):
        if self.time_major:
            raise ValueError(
                f"{type(self).__name__} takes inputs (batch, time, ...): `time_major` is of other recurrent layers."
            )
        super().build(input_shape)

    def _state_shape(self, input_shape) -> tuple:
        """The shape of one state; dims may be numbers, None or scalar tensors."""
        cell = self.cell
        first = 3 if cell.data_format == "channels_first" else 2
        lengths = (
            conv_utils.conv_output_length(length, size, cell.padding, stride, dilation)
            for length, size, stride, dilation in zip(
                input_shape[first : first + self._rank], cell.kernel_size, cell.strides, cell.dilation_rate
            )
        )
        axes = tuple(range(1, self._rank + 1))
        return transpose_shape((input_shape[0], *lengths, cell.filters), cell.data_format, axes)

    def _state_shapes(self):
        return [self._state_shape(self.input_spec[0].shape)] * len(self._state_sizes)

    def get_initial_state(self, inputs):
        shape = list(self._state_shape(dims_of(inputs)))
        return [K.zeros(shape, dtype=inputs.dtype) for _ in self._state_sizes]

    def compute_output_shape(self, input_shape):
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        state = self._state_shape(input_shape)
        output = (state[0], input_shape[1], *state[1:]) if self.return_sequences else state
        return [output] + [state] * len(self._state_sizes) if self.return_state else output


class ConvRNN2D(_ConvRNN):
    """Runs a convolutional cell over the steps of (batch, time, rows, cols, channels), or channels before rows.

    Output: (batch, new rows, new cols, filters), with a time axis if ``return_sequences``, followed by the final states
    with ``return_state``.

    Args:
        cell: as :class:`RNN` has it; it also tells ``filters``, ``kernel_size``, ``strides``, ``padding``,
            ``dilation_rate`` and ``data_format``.
        return_sequences, return_state, go_backwards, stateful: as in :class:`RNN`.
    """

    _rank = 2

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        **kwargs,
    ):
        if unroll:
            raise TypeError("Unrolling isn't possible with convolutional RNNs.")
        if isinstance(cell, (list, tuple)):
            raise TypeError("It is not possible at the moment to stack convolutional cells.")
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll, **kwargs)
        self.input_spec = [InputSpec(ndim=5)]


_CONVOLUTIONS: dict[int, Any] = {1: K.conv1d, 2: K.conv2d, 3: K.conv3d}


class ConvLSTMCell(Layer):
    """A step of ConvLSTM1D, 2D or 3D on grids with ``_rank`` axes; see :class:`ConvLSTM2DCell`."""

    _rank: int

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
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = conv_utils.normalize_tuple(kernel_size, self._rank, "kernel_size")
        self.strides = conv_utils.normalize_tuple(strides, self._rank, "strides")
        self.padding = conv_utils.normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.dilation_rate = conv_utils.normalize_tuple(dilation_rate, self._rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = use_bias
        self.unit_forget_bias = unit_forget_bias
        set_options(self, **options_in(locals()))
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.state_size = (self.filters, self.filters)
        self._input_masks = None
        self._recurrent_masks = None

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else self._rank + 1

    def build(self, input_shape):
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        channels = input_shape[self._channel_axis]
        if channels is None:
            raise ValueError("The channel dimension of the inputs should be defined. Found `None`.")
        width = 4 * self.filters
        self.kernel_shape = (*self.kernel_size, channels, width)
        self.kernel = add_weight(self, "kernel", self.kernel_shape)
        recurrent_shape = (*self.kernel_size, self.filters, width)
        self.recurrent_kernel = add_weight(self, "recurrent_kernel", recurrent_shape)
        self.bias = add_weight(self, "bias", (width,), self._bias_start()) if self.use_bias else None
        self.built = True

    def _bias_start(self):
        u = self.filters
        return unit_forget_bias(self.bias_initializer, u, u, 2 * u) if self.unit_forget_bias else None

    # -- dropout: a mask per gate, drawn once per sequence ------------------------------------------------
    def reset_masks(self) -> None:
        """Forget the masks of the last sequence, so that the next one draws its own."""
        self._input_masks = None
        self._recurrent_masks = None

    def _masked(self, convolve: Any, kernel: Any, masks: list, plain: Tensor, training: Any) -> Tensor:
        """In training ``convolve(mask, kernel)`` of each gate, else the convolution of all gates that is there."""
        kernels = (kernel[..., g * self.filters : (g + 1) * self.filters] for g in range(4))
        dropped = K.concatenate([convolve(m, k) for m, k in zip(masks, kernels)], axis=self._channel_axis)
        return K.in_train_phase(dropped, plain, training=training)

    # -- the formula --------------------------------------------------------------------------------------
    def call(self, inputs, states, training=None):
        return self.step(self.project(inputs, training), states, training)

    def project(self, inputs, training=None):
        """What the inputs give to the gates, for one step or, where there is a time axis first, for all steps at once."""
        steps = inputs.ndim == self._rank + 3

        def convolve(x, kernel):
            return self.input_conv(fold_time(x) if steps else x, kernel, padding=self.padding)

        gates = convolve(inputs, self.kernel)
        if 0 < self.dropout < 1:
            if self._input_masks is None:
                self._input_masks = _masks(inputs[0] if steps else inputs, self.dropout)
            gates = self._masked(lambda m, k: convolve(inputs * m, k), self.kernel, self._input_masks, gates, training)
        if self.use_bias:
            gates = K.bias_add(gates, self.bias, data_format=self.data_format)
        return unfold_time(gates, inputs) if steps else gates

    def step(self, projected, states, training=None):
        """The output and the new states, from what :meth:`project` gave for the step."""
        h, c = states
        gates = self.recurrent_conv(h, self.recurrent_kernel)
        if 0 < self.recurrent_dropout < 1:
            if self._recurrent_masks is None:
                self._recurrent_masks = _masks(h, self.recurrent_dropout)
            gates = self._masked(
                lambda m, k: self.recurrent_conv(h * m, k),
                self.recurrent_kernel,
                self._recurrent_masks,
                gates,
                training,
            )
        i, f, candidate, o = self._split_gates(projected + gates)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(candidate)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]

    def _split_gates(self, gates: Any) -> list:
        u = self.filters
        if self.data_format == "channels_first":
            return [gates[:, g * u : (g + 1) * u] for g in range(4)]
        return [gates[..., g * u : (g + 1) * u] for g in range(4)]

    def input_conv(self, x, w, b=None, padding="valid"):
        """The convolution of the inputs."""
        output = _CONVOLUTIONS[self._rank](
            x,
            w,
            strides=self.strides,
            padding=padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
        return output if b is None else K.bias_add(output, b, data_format=self.data_format)

    def recurrent_conv(self, x, w):
        """The convolution of the state, which keeps its size."""
        return _CONVOLUTIONS[self._rank](x, w, padding="same", data_format=self.data_format)

    def get_config(self):
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "activation": activations.serialize(self.activation),
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "use_bias": self.use_bias,
            **options_config(self, *RECURRENT_OPTIONS),
            "unit_forget_bias": self.unit_forget_bias,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
        }
        return {**super().get_config(), **own}


class ConvLSTM2DCell(ConvLSTMCell):
    """An LSTM step on images (Shi et al., 2015, https://arxiv.org/abs/1506.04214), without peepholes.

    Gates in the order input, forget, candidate, output. The input's convolution takes padding, strides and dilation as
    given, the state's keeps the state's size.

    Args:
        filters: number of channels of the state and of the output.
        kernel_size, strides, dilation_rate: a number, or one per axis.
        padding: ``'valid'`` or ``'same'``.
        data_format: ``'channels_last'`` or ``'channels_first'``; the backend's by default.
        activation, recurrent_activation: by name or as functions.
        use_bias, unit_forget_bias: whether there is a bias; start that of the forget gate at 1.
        dropout, recurrent_dropout: fractions of the inputs and of the state to drop in training.
        *_initializer, *_regularizer, *_constraint: of kernel, recurrent_kernel and bias.

    Weights: kernel (rows, cols, channels in, 4 * filters), recurrent_kernel (rows, cols, filters, 4 * filters),
    bias (4 * filters,).
    """

    _rank = 2

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
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
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        **kwargs,
    ):
        super().__init__(**arguments(locals()))


def _masks(like: Tensor, rate: float) -> list[Tensor]:
    return [K.dropout(K.ones_like(like), rate) for _ in range(4)]


class RunsProjected(CellLayer):
    """A layer whose cell convolves the inputs of all steps at once."""

    def _run_steps(self, inputs, initial, mask, training, constants):
        def step(gates, states):
            return self.cell.step(gates, states, training)

        # K.rnn runs over the first axis. With time there already here, it is the small inputs that are transposed.
        projected = self.cell.project(swap_batch_and_time(inputs), training)
        step(projected[0], initial)  # the cell draws its masks here, once for all steps
        return K.rnn(step, swap_batch_and_time(projected), initial, go_backwards=self.go_backwards, mask=mask)


class ConvLSTM2D(RunsProjected, ConvRNN2D):
    """Convolutional LSTM: see :class:`ConvLSTM2DCell` and :class:`ConvRNN2D` for the arguments.

    Example:
        >>> y = ConvLSTM2D(8, 3, padding="same", return_sequences=True)(Input((10, 32, 32, 1)))  # (None, 10, 32, 32, 8)
    """

    _cell_class = ConvLSTM2DCell

    @interfaces.legacy_convlstm2d_support
    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
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
        go_backwards=False,
        stateful=False,
        dropout=0.0,
        recurrent_dropout=0.0,
        **kwargs,
    ):
        super().__init__(*given_arguments(locals()))
