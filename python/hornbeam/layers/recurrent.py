"""Recurrent layers: RNN over any cell, and SimpleRNN, GRU and LSTM on whole-sequence kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend as K
from .. import regularizers
from ..backend.rnn import swap_batch_and_time
from ..engine.base_layer import InputSpec, Layer, disable_tracking
from ..legacy import interfaces
from ..utils.generic_utils import get_registered_name, has_arg, to_list
from ..utils.registry import LAYERS
from .options import given_arguments
from .recurrent_cells import GRUCell, LSTMCell, RecurrentCell, SimpleRNNCell, StackedRNNCells, call_cell
from .state_inputs import TakesStates, split_inputs

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells"]


class RNN(TakesStates):
    """Runs a cell over the time steps of its input.

    Input: (batch, time, ...). Output: (batch, units), or (batch, time, units) with ``return_sequences``, followed by the
    final states with ``return_state``. A mask (batch, time) makes a step repeat the state before it.

    Args:
        cell: an object with ``call(input, states) -> (output, states)`` and ``state_size``, or a list of cells.
        return_sequences: give the outputs of all steps.
        return_state: give the final states too.
        go_backwards: run from the last step to the first; outputs come in the order of running.
        stateful: start each batch with the states in which the one before it ended; needs a fixed batch size.
        unroll: accepted for Keras's sake.
        zero_output_for_mask: (keyword only, as in tf.keras) with ``return_sequences``, masked steps give zeros, and do not
            repeat the step before.
        time_major: (keyword only, as in tf.keras) inputs, masks and outputs are (time, batch, ...).

    Calling: ``layer(x, initial_state=[...], constants=[...])`` with tensors; initial states may also follow the input in a
    list. The cells of SimpleRNN, GRU and LSTM run as one kernel over the sequence; others are laid out step by step, for
    which the number of steps must be known.
    """

    _input_hint = (
        "Inputs are (batch, time, features); a recurrent layer before this one gives them with return_sequences=True"
    )

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
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if not hasattr(cell, "call"):
            raise ValueError("`cell` should have a `call` method. The RNN was passed:", cell)
        if not hasattr(cell, "state_size"):
            raise ValueError(
                "The RNN cell should have an attribute `state_size` (tuple of integers, one integer per RNN state)."
            )
        if "input_shape" not in kwargs and ("input_dim" in kwargs or "input_length" in kwargs):
            kwargs["input_shape"] = (kwargs.pop("input_length", None), kwargs.pop("input_dim", None))
        self.zero_output_for_mask = bool(kwargs.pop("zero_output_for_mask", False))
        self.time_major = bool(kwargs.pop("time_major", False))
        super().__init__(**kwargs)
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.supports_masking = True
        self.input_spec = [InputSpec(ndim=3)]
        self._state_variables = None

    # -- states -------------------------------------------------------------------------------------
    @property
    def _state_sizes(self) -> list:
        size = self.cell.state_size
        return list(size) if isinstance(size, (list, tuple)) else [size]

    def _state_shapes(self) -> list:
        """The shapes of the states, as far as the input's shape is known."""
        return [(self._batch_first(self.input_spec[0].shape)[0], size) for size in self._state_sizes]

    def _batch_first(self, shape: tuple) -> tuple:
        """A shape (batch, time, ...) of one as inputs and outputs have it, or the reverse."""
        return (shape[1], shape[0], *shape[2:]) if self.time_major else tuple(shape)

    @property
    def states(self):
        """The state variables of a stateful layer; a list of None before they exist."""
        return self._state_variables or [None] * len(self._state_sizes)

    @states.setter
    @disable_tracking
    def states(self, states):
        self._state_variables = states

    def reset_states(self, states=None):
        """Set the states of a stateful layer to zero, or to the given arrays.

        Raises:
            AttributeError: the layer is not stateful.
            ValueError: the batch size is unknown, or a state has another shape.
        """
        if not self.stateful:
            raise AttributeError("Layer must be stateful.")
        shapes = self._state_shapes() if self.input_spec[0].shape else [(None,)]
        if any(not dim for shape in shapes for dim in shape):
            raise ValueError(
                "If a RNN is stateful, it needs to know its batch size. Specify the batch size of your input tensors: \n"
                "- If using a Sequential model, specify the batch size by passing a `batch_input_shape` argument to your "
                "first layer.\n- If using the functional API, specify the batch size by passing a `batch_shape` argument "
                "to your Input layer.\nThe same goes for the rows and columns of a convolutional RNN."
            )
        if self._state_variables is None:
            self.states = [K.zeros(shape) for shape in shapes]
        if states is None:
            states = [np.zeros(shape) for shape in shapes]
        states = to_list(states, allow_tuple=True)
        if len(states) != len(self.states):
            raise ValueError(
                f"Layer {self.name} expects {len(self.states)} states, but it received {len(states)} state values. "
                f"Input received: {states}"
            )
        for index, (value, shape) in enumerate(zip(states, shapes)):
            if np.shape(value) != shape:
                raise ValueError(
                    f"State {index} is incompatible with layer {self.name}: expected shape={shape}, "
                    f"found shape={np.shape(value)}"
                )
        K.batch_set_value(zip(self.states, states))

    def get_initial_state(self, inputs):
        """Zeros for each state, for a batch like ``inputs``'."""
        batch = inputs.shape[0] if inputs.shape[0] is not None else K.shape(inputs)[0]
        return [K.zeros([batch, size], dtype=inputs.dtype) for size in self._state_sizes]

    # -- building and calling ---------------------------------------------------------------------------
    def build(self, input_shape):
        constants_shape = []
        if isinstance(input_shape, list):
            if self._num_constants:
                constants_shape = input_shape[-self._num_constants :]
            input_shape = input_shape[0]
        input_shape = self._batch_first(input_shape)
        batch_size = input_shape[0] if self.stateful else None
        self.input_spec[0] = InputSpec(shape=self._batch_first((batch_size, None, *input_shape[2:])))
        if isinstance(self.cell, Layer) and not self.cell.built:
            step_shape = (input_shape[0], *input_shape[2:])
            self.cell.build([step_shape, *constants_shape] if constants_shape else step_shape)
            self.cell.built = True
        if self.stateful:
            self.reset_states()
        self.built = True

    def _check_initial_state(self, states):
        if len(states) != len(self._state_sizes):
            raise ValueError(
                f"Layer {self.name} has {len(self._state_sizes)} states but was passed {len(states)} initial states."
            )

    def call(self, inputs, mask=None, training=None, initial_state=None, constants=None):
        inputs, given, more = split_inputs(inputs, initial_state, constants, self._num_constants)
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        called_on = inputs
        if self.time_major:
            inputs, mask = swap_batch_and_time(inputs), None if mask is None else swap_batch_and_time(mask)
        initial = given or (list(self.states) if self.stateful else None)
        if hasattr(self.cell, "reset_masks"):
            self.cell.reset_masks()
        if mask is not None and mask.dtype != "bool":
            mask = K.not_equal(mask, 0)
        if isinstance(self.cell, RecurrentCell) and self.cell.has_kernel:
            outputs, states = self.cell.run_sequence(inputs, initial, mask, self.go_backwards, training)
            last = states[0]
            if mask is not None and initial:
                outputs, last = self._zeros_before_the_first_step(outputs, last, mask)
        else:
            initial = initial or self.get_initial_state(inputs)
            last, outputs, states = self._run_steps(inputs, initial, mask, training, more)
        if self.stateful:
            self.add_update([K.update(v, s) for v, s in zip(self.states, states)], called_on)
        if mask is not None and self.zero_output_for_mask:
            outputs = K.switch(self._in_running_order(mask), outputs, K.zeros_like(outputs))
        output = last
        if self.return_sequences:
            output = swap_batch_and_time(outputs) if self.time_major else outputs
        return [output, *states] if self.return_state else output

    def _in_running_order(self, mask):
        return K.reverse(mask, 1) if self.go_backwards else mask

    def _zeros_before_the_first_step(self, outputs, last, mask):
        """While all steps so far were masked there is no output to repeat: it is zero, whatever the initial state."""
        steps = K.cast(self._in_running_order(mask), outputs.dtype)
        begun = K.expand_dims(K.cumsum(steps, axis=1)) > 0
        any_step = K.any(mask, axis=1, keepdims=True)
        return K.switch(begun, outputs, K.zeros_like(outputs)), K.switch(any_step, last, K.zeros_like(last))

    def _run_steps(self, inputs, initial, mask, training, constants):
        count = len(initial)

        def step(x, states):
            return call_cell(
                self.cell, x, list(states[:count]), training=training, constants=list(states[count:]) or None
            )

        if hasattr(self.cell, "reset_masks"):  # the cells draw their masks here, once for all steps
            step(inputs[:, 0], initial + list(constants or ()))
        return K.rnn(
            step, inputs, initial, go_backwards=self.go_backwards, mask=mask, constants=constants, unroll=self.unroll
        )

    def compute_output_shape(self, input_shape):
        if isinstance(input_shape, list):
            input_shape = input_shape[0]
        units = getattr(self.cell, "output_size", None) or self._state_sizes[0]
        batch = self._batch_first(input_shape)[0]
        shape = (*input_shape[:2], units) if self.return_sequences else (batch, units)
        return [shape, *((batch, size) for size in self._state_sizes)] if self.return_state else shape

    def compute_mask(self, inputs, mask):
        mask = mask[0] if isinstance(mask, list) else mask
        output_mask = mask if self.return_sequences else None
        return [output_mask, *([None] * len(self._state_sizes))] if self.return_state else output_mask

    # -- configuration ----------------------------------------------------------------------------------
    def _sequence_config(self) -> dict:
        config = {
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
        }
        if self._num_constants:
            config["num_constants"] = self._num_constants
        if self.zero_output_for_mask:  # Keras 2.3.1 would not understand the argument
            config["zero_output_for_mask"] = True
        if self.time_major:
            config["time_major"] = True
        return {**super().get_config(), **config}

    def get_config(self):
        cell = {"class_name": get_registered_name(type(self.cell)), "config": self.cell.get_config()}
        return {**self._sequence_config(), "cell": cell}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        cell = LAYERS.deserialize(config.pop("cell"), custom_objects)
        num_constants = config.pop("num_constants", 0)
        layer = cls(cell, **config)
        layer._num_constants = num_constants
        return layer


_SEQUENCE_ARGUMENTS = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")


class CellLayer(RNN):
    """A layer whose constructor takes its cell's arguments; they are attributes of the layer too."""

    _cell_class: Any

    def __init__(self, given: dict, kwargs: dict) -> None:
        given = dict(given)
        activity_regularizer = given.pop("activity_regularizer")
        sequence = {name: given.pop(name) for name in _SEQUENCE_ARGUMENTS if name in given}
        if given.get("implementation") == 0:
            given["implementation"] = 1  # 0 was 1's name for another way to compute the same
        if "dtype" in kwargs:
            given["dtype"] = kwargs["dtype"]
        super().__init__(self._cell_class(**given), **sequence, **kwargs)
        self.activity_regularizer = regularizers.get(activity_regularizer)

    def __getattr__(self, name: str) -> Any:
        # Only reached for names that the layer itself lacks: units, activation, kernel_initializer, ...
        cell = self.__dict__.get("cell")
        if cell is None or name.startswith("_") or name not in cell.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(cell, name)

    def get_config(self):
        config = self._sequence_config()
        own = {k: v for k, v in self.cell.get_config().items() if k not in ("name", "trainable", "dtype")}
        own["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return {**config, **own}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        num_constants = config.pop("num_constants", 0)
        layer = cls(**config)
        layer._num_constants = num_constants
        return layer


class SimpleRNN(CellLayer):
    """Fully connected recurrent layer: see :class:`SimpleRNNCell` and :class:`RNN` for the arguments."""

    _cell_class = SimpleRNNCell

    @interfaces.legacy_recurrent_support
    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
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
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        **kwargs,
    ):
        kwargs.pop("implementation", None)  # 2.3.1 ignores it here
        super().__init__(*given_arguments(locals()))


class GRU(CellLayer):
    """Gated recurrent unit: see :class:`GRUCell` and :class:`RNN` for the arguments."""

    _cell_class = GRUCell

    @interfaces.legacy_recurrent_support
    @interfaces.later_defaults("gru_resets_after", reset_after=True)
    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
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
        dropout=0.0,
        recurrent_dropout=0.0,
        implementation=2,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        reset_after=False,
        **kwargs,
    ):
        super().__init__(*given_arguments(locals()))

    @classmethod
    def from_config(cls, config, custom_objects=None):
        if has_arg(cls.__init__, "reset_after", accept_all=True):  # else a user's class, which says it itself
            config = {"reset_after": False, **config}  # files of old versions do not say it; they mean False
        return super().from_config(config, custom_objects)


class LSTM(CellLayer):
    """Long short-term memory: see :class:`LSTMCell` and :class:`RNN` for the arguments."""

    _cell_class = LSTMCell

    @interfaces.legacy_recurrent_support
    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
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
        dropout=0.0,
        recurrent_dropout=0.0,
        implementation=2,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        **kwargs,
    ):
        super().__init__(*given_arguments(locals()))


# The next two have the names by which cells and recurrent layers of the user's own import them from Keras.
def _generate_dropout_mask(ones: Any, rate: float, training: Any = None, count: int = 1) -> Any:
    """A dropout mask of the shape of ``ones``, or a list of ``count`` masks; ones outside of training."""
    masks = [K.in_train_phase(lambda: K.dropout(ones, rate), ones, training=training) for _ in range(count)]
    return masks if count > 1 else masks[0]


def _standardize_args(inputs: Any, initial_state: Any, constants: Any, num_constants: int | None) -> tuple:
    """The sequence, and the initial states and constants as lists (or None), also where all came in one list."""
    inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, num_constants)
    return inputs, initial_state or None, constants or None


def __getattr__(name: str) -> Any:
    if name == "Recurrent":  # it is made of RNN, and users import it from here
        from ..legacy.recurrent import Recurrent

        return Recurrent
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
