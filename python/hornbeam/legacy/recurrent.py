"""The base classes of recurrent layers before Keras 2.1 had cells; layers of users still derive from them."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, disable_tracking
from ..layers.recurrent import RNN
from ..utils import conv_utils


class _Steps:
    """What stands in for a cell: the layer itself has the step."""

    state_size = None  # the layer knows when it is built

    def __init__(self, layer: Recurrent) -> None:
        self.layer = layer

    def call(self, inputs: Any, states: list) -> tuple:
        return self.layer.step(inputs, states)


class Recurrent(RNN):
    """Base class of a layer that defines its own step.

    A subclass sets ``self.units``, and in ``build`` ``self.input_spec[0]`` and ``self.states``, a list of None, one per
    state. It defines ``step(inputs, states) -> (output, new states)``, whose states are followed by what
    ``get_constants`` gave, and, if need be, ``preprocess_input`` of the whole sequence.

    Args:
        implementation: kept for the subclass.
        The others: see :class:`RNN`.
    """

    units: int  #: set by the subclass

    def __init__(
        self,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        implementation=0,
        **kwargs,
    ):
        self._state_count = 1
        super().__init__(_Steps(self), return_sequences, return_state, go_backwards, stateful, unroll, **kwargs)
        self.implementation = implementation
        self.state_spec = None
        self.dropout = self.recurrent_dropout = 0

    @property
    def _state_sizes(self) -> list:
        return [self.units] * self._state_count

    @property
    def states(self):
        """The state variables of a stateful layer; a list of None before they exist."""
        return self._state_variables or [None] * self._state_count

    @states.setter
    @disable_tracking
    def states(self, states):
        self._state_count = len(states)
        self._state_variables = None if not states or states[0] is None else states

    def step(self, inputs, states):
        """The output of one step and the new states."""
        raise NotImplementedError(f"Layer {self.name} has to define `step`.")

    def get_constants(self, inputs, training=None):
        """Tensors that each step gets after the states."""
        return []

    def preprocess_input(self, inputs, training=None):
        """The sequence that the steps get, made of the whole input."""
        return inputs

    def _run_steps(self, inputs, initial, mask, training, constants):
        return K.rnn(
            self.step,
            self.preprocess_input(inputs, training=None),
            initial,
            go_backwards=self.go_backwards,
            mask=mask,
            constants=self.get_constants(inputs, training=None),
            unroll=self.unroll,
        )

    def get_config(self):
        return {**self._sequence_config(), "implementation": self.implementation}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


class ConvRecurrent2D(Recurrent):
    """Base class of a recurrent layer over images that defines its own step; see :class:`Recurrent`.

    Args:
        filters, kernel_size, strides, padding, data_format, dilation_rate: see :class:`ConvLSTM2D`.
        The others: see :class:`RNN`.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=(1, 1),
        padding="valid",
        data_format=None,
        dilation_rate=(1, 1),
        return_sequences=False,
        go_backwards=False,
        stateful=False,
        **kwargs,
    ):
        super().__init__(return_sequences, go_backwards=go_backwards, stateful=stateful, **kwargs)
        self.filters = self.units = filters
        self.kernel_size = conv_utils.normalize_tuple(kernel_size, 2, "kernel_size")
        self.strides = conv_utils.normalize_tuple(strides, 2, "strides")
        self.padding = conv_utils.normalize_padding(padding)
        self.data_format = K.normalize_data_format(data_format)
        self.dilation_rate = conv_utils.normalize_tuple(dilation_rate, 2, "dilation_rate")
        self.input_spec = [InputSpec(ndim=5)]

    def compute_output_shape(self, input_shape):
        shape = input_shape[0] if isinstance(input_shape, list) else input_shape
        first = 3 if self.data_format == "channels_first" else 2
        image = [
            conv_utils.conv_output_length(n, k, self.padding, s, d)
            for n, k, s, d in zip(shape[first : first + 2], self.kernel_size, self.strides, self.dilation_rate)
        ]
        places = (self.filters, *image) if first == 3 else (*image, self.filters)
        output = (*shape[:2], *places) if self.return_sequences else (shape[0], *places)
        return [output, *[(shape[0], *places)] * self._state_count] if self.return_state else output

    def get_config(self):
        own = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }
        config = super().get_config()
        return {**{k: v for k, v in config.items() if k not in ("unroll", "implementation", "return_state")}, **own}
