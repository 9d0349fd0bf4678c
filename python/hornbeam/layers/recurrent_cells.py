"""Cells: what a recurrent layer does at one time step, and the kernels that do whole sequences at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _core, activations, graph, initializers
from .. import backend as K
from ..engine.base_layer import Layer
from ..graph import Tensor
from ..legacy import interfaces
from ..utils import conv_utils
from ..utils.generic_utils import has_arg, serialize_keras_object
from ..utils.messages import warn_user
from ..utils.registry import LAYERS
from .options import RECURRENT_OPTIONS, add_weight, arguments, options_config, set_options

#: activation functions that the whole-sequence kernels know, and their names there
KERNEL_ACTIVATIONS = {
    activations.linear: "linear",
    **{getattr(activations, name): name for name, _, has_slope in _core.activations() if has_slope},
}


class RecurrentCell(Layer):
    """What SimpleRNNCell, GRUCell and LSTMCell share.

    A cell has ``gates`` column blocks of ``units`` in its weights ``kernel`` (features, gates * units),
    ``recurrent_kernel`` (units, gates * units) and ``bias``.

    Dropout masks are drawn once per sequence and hold for all its steps.
    """

    gates: int

    def __init__(self, units, activation, use_bias, dropout, recurrent_dropout, **kwargs):
        options = {name: kwargs.pop(name) for name in RECURRENT_OPTIONS}
        super().__init__(**kwargs)
        self.units = conv_utils.normalize_size(units, "units")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        set_options(self, **options)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.state_size = self.units
        self.output_size = self.units
        self._dropout_mask = None
        self._recurrent_dropout_mask = None

    def build(self, input_shape):
        features = input_shape[-1]
        if features is None:
            raise ValueError(f"The last dimension of the inputs to a recurrent layer must be known, got {input_shape}.")
        width = self.gates * self.units
        self.kernel = add_weight(self, "kernel", (features, width))
        self.recurrent_kernel = add_weight(self, "recurrent_kernel", (self.units, width), self._recurrent_start())
        self.bias = self._bias() if self.use_bias else None
        self.built = True

    def _recurrent_start(self):
        """An identity matrix for each gate, if that is the initializer."""
        initializer = self.recurrent_initializer
        if not isinstance(initializer, initializers.Identity):
            return None
        return lambda shape, dtype=None: K.tile(initializer((shape[0], shape[0]), dtype=dtype), (1, self.gates))

    def _bias(self):
        return add_weight(self, "bias", (self.gates * self.units,))

    # -- dropout ------------------------------------------------------------------------------------
    def reset_masks(self) -> None:
        """Forget the masks of the last sequence, so that the next one draws its own."""
        self._dropout_mask = None
        self._recurrent_dropout_mask = None

    def _masks(self, like: Tensor, rate: float) -> list[Tensor]:
        """One mask per gate, or one for all in implementation 2."""
        count = 1 if getattr(self, "implementation", 2) == 2 else self.gates
        return [K.dropout(K.ones_like(like), rate) for _ in range(count)] * (self.gates // count)

    # -- one step: used where a cell runs in a generic RNN ---------------------------------------------
    def _step_masks(self, inputs: Tensor, h: Tensor, training: Any) -> tuple[list, list]:
        if 0 < self.dropout < 1 and self._dropout_mask is None:
            self._dropout_mask = self._phased(inputs, self.dropout, training)
        if 0 < self.recurrent_dropout < 1 and self._recurrent_dropout_mask is None:
            self._recurrent_dropout_mask = self._phased(h, self.recurrent_dropout, training)
        return self._dropout_mask or [None] * self.gates, self._recurrent_dropout_mask or [None] * self.gates

    def _phased(self, like: Tensor, rate: float, training: Any) -> list[Tensor]:
        ones = K.ones_like(like)
        return [K.in_train_phase(mask, ones, training=training) for mask in self._masks(like, rate)]

    def _projections(self, inputs: Tensor, weights: Tensor, masks: list, bias: Tensor | None) -> list[Tensor]:
        """``(inputs * mask) · weights + bias`` of each gate."""
        u = self.units
        if all(m is masks[0] for m in masks):
            product = K.dot(inputs if masks[0] is None else inputs * masks[0], weights)
            product = product if bias is None else K.bias_add(product, bias)
            return [product[..., g * u : (g + 1) * u] for g in range(self.gates)]
        products = [K.dot(inputs * masks[g], weights[:, g * u : (g + 1) * u]) for g in range(self.gates)]
        if bias is not None:
            products = [K.bias_add(p, bias[g * u : (g + 1) * u]) for g, p in enumerate(products)]
        return products

    # -- whole sequences ------------------------------------------------------------------------------
    @property
    def has_kernel(self) -> bool:
        """Whether the whole-sequence kernels know this cell's activations."""
        return all(f in KERNEL_ACTIVATIONS for f in self._activation_functions())

    def _activation_functions(self) -> list:
        return [self.activation]

    def run_sequence(self, x, states, mask, go_backwards, training):
        """Run over all steps of x (batch, time, features) in one kernel.

        Args:
            states: initial states, or None for zeros.
            mask: bool (batch, time) or None.

        Returns:
            outputs (batch, time, units) and the list of final states.
        """
        if not (self.dropout or self.recurrent_dropout):
            return self._kernel_call(x, states, mask, go_backwards, dropped=False)
        # Two variants, one of which each program holds: without dropout there is no mask anywhere.
        with_masks, plain = (self._kernel_call(x, states, mask, go_backwards, dropped) for dropped in (True, False))
        outputs = K.in_train_phase(with_masks[0], plain[0], training=training)
        return outputs, [K.in_train_phase(a, b, training=training) for a, b in zip(with_masks[1], plain[1])]

    def _kernel_call(self, x, states, mask, go_backwards, dropped):
        masks: list = [None] * self.gates
        if dropped and 0 < self.dropout < 1:
            masks = [K.expand_dims(m, 1) if m is not None else None for m in self._masks(x[:, 0], self.dropout)]
            if self._one_mask:
                masks = masks[:1] * self.gates
        if masks[0] is None or self._one_mask:
            projected = K.dot(x if masks[0] is None else x * masks[0], self.kernel)
        else:
            u = self.units
            parts = [K.dot(x * m, self.kernel[:, g * u : (g + 1) * u]) for g, m in enumerate(masks)]
            projected = K.concatenate(parts)
        bias = self._input_bias()
        if bias is not None:
            projected = K.bias_add(projected, bias, data_format="channels_last")
        recurrent_mask = None
        if dropped and 0 < self.recurrent_dropout < 1:
            like = projected[:, 0, : self.units]
            recurrent_mask = K.stack(self._masks(like, self.recurrent_dropout))
        return self._sequence_op(projected, states or [None] * self._n_states, mask, recurrent_mask, go_backwards)

    @property
    def _one_mask(self) -> bool:
        return getattr(self, "implementation", 2) == 2

    @property
    def _n_states(self) -> int:
        return len(self.state_size) if isinstance(self.state_size, (list, tuple)) else 1

    def _input_bias(self):
        return self.bias

    def _sequence_op(self, projected, states, mask, recurrent_mask, go_backwards):
        raise NotImplementedError

    # -- configuration --------------------------------------------------------------------------------
    def get_config(self):
        config = {
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **options_config(self, *RECURRENT_OPTIONS),
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
        }
        return {**super().get_config(), **config}


class SimpleRNNCell(RecurrentCell):
    """``h = activation(x · kernel + bias + h_before · recurrent_kernel)``.

    Args:
        units: size of the state and of the output.
        activation: by name or as a function.
        use_bias: whether there is a bias.
        dropout, recurrent_dropout: fractions of the inputs and of the state to drop in training.
        *_initializer, *_regularizer, *_constraint: of kernel, recurrent_kernel and bias.
    """

    gates = 1

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
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        **kwargs,
    ):
        super().__init__(**arguments(locals()))

    def call(self, inputs, states, training=None):
        h = states[0]
        dropped, recurrent_dropped = self._step_masks(inputs, h, training)
        (x,) = self._projections(inputs, self.kernel, dropped, self.bias)
        (r,) = self._projections(h, self.recurrent_kernel, recurrent_dropped, None)
        output = self.activation(x + r)
        return output, [output]

    def _sequence_op(self, projected, states, mask, recurrent_mask, go_backwards):
        y, h = graph.apply(
            "simple_rnn",
            [projected, states[0], self.recurrent_kernel, mask, recurrent_mask],
            activation=KERNEL_ACTIVATIONS[self.activation],
            go_backwards=bool(go_backwards),
        )
        return y, [h]


class _GatedCell(RecurrentCell):
    """A cell with a recurrent activation and an ``implementation``."""

    def __init__(self, recurrent_activation, implementation, **kwargs):
        super().__init__(**kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.implementation = implementation

    def _activation_functions(self) -> list:
        return [self.activation, self.recurrent_activation]

    def _kernel_activations(self) -> dict:
        return {
            "activation": KERNEL_ACTIVATIONS[self.activation],
            "recurrent_activation": KERNEL_ACTIVATIONS[self.recurrent_activation],
        }

    def get_config(self):
        config = {
            "recurrent_activation": activations.serialize(self.recurrent_activation),
            "implementation": self.implementation,
        }
        return {**super().get_config(), **config}


class GRUCell(_GatedCell):
    """Gated recurrent unit (Cho et al., 2014, https://arxiv.org/abs/1406.1078).

    ``z`` and ``r`` are sigmoid gates; ``h = z * h_before + (1 - z) * candidate``. With ``reset_after`` the reset gate
    multiplies the recurrent product (as CuDNN has it, with a second bias), otherwise the state before the product.

    Args: as :class:`SimpleRNNCell`, and recurrent_activation, implementation (1: a dropout mask per gate, 2: one for
    all gates), reset_after.
    """

    gates = 3

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
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        implementation=2,
        reset_after=False,
        **kwargs,
    ):
        super().__init__(**arguments(locals(), "reset_after"))
        self.reset_after = reset_after

    def _bias(self):
        width = self.gates * self.units
        return add_weight(self, "bias", (2, width) if self.reset_after else (width,))

    def _input_bias(self):
        return self.bias[0] if self.use_bias and self.reset_after else self.bias

    def _recurrent_bias(self):
        return self.bias[1] if self.use_bias and self.reset_after else None

    @property
    def _drops_carry(self) -> bool:
        """Whether dropout falls on the state that is carried over too, as in 2.3.1's implementation 2."""
        return self._one_mask and 0 < self.recurrent_dropout < 1

    def call(self, inputs, states, training=None):
        h, u = states[0], self.units
        dropped, kept = self._step_masks(inputs, h, training)
        carried = h * kept[0] if self._drops_carry else h
        xz, xr, xh = self._projections(inputs, self.kernel, dropped, self._input_bias())
        if self.reset_after:
            rz, rr, rh = self._projections(h, self.recurrent_kernel, kept, self._recurrent_bias())
            reset = self.recurrent_activation(xr + rr)
            candidate = self.activation(xh + reset * rh)
        else:
            hs = [h if m is None else h * m for m in kept]
            rz = K.dot(hs[0], self.recurrent_kernel[:, :u])
            reset = self.recurrent_activation(xr + K.dot(hs[1], self.recurrent_kernel[:, u : 2 * u]))
            candidate = self.activation(xh + K.dot(reset * hs[2], self.recurrent_kernel[:, 2 * u :]))
        update = self.recurrent_activation(xz + rz)
        output = update * carried + (1 - update) * candidate
        return output, [output]

    def _sequence_op(self, projected, states, mask, recurrent_mask, go_backwards):
        y, h, *_ = graph.apply(
            "gru",
            [projected, states[0], self.recurrent_kernel, self._recurrent_bias(), mask, recurrent_mask],
            reset_after=bool(self.reset_after),
            go_backwards=bool(go_backwards),
            drop_carry=recurrent_mask is not None and self._drops_carry,
            **self._kernel_activations(),
        )
        return y, [h]

    def get_config(self):
        return {**super().get_config(), "reset_after": self.reset_after}


def unit_forget_bias(bias_initializer: Any, before: int, units: int, after: int) -> Callable:
    """An initializer of an LSTM's bias: ones for the forget gate's ``units``, ``bias_initializer`` around them."""

    def initialize(shape, dtype=None):
        ones = initializers.Ones()((units,), dtype=dtype)
        return K.concatenate([bias_initializer((before,), dtype=dtype), ones, bias_initializer((after,), dtype=dtype)])

    return initialize


class LSTMCell(_GatedCell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997, https://doi.org/10.1162/neco.1997.9.8.1735).

    Gates in the order input, forget, candidate, output; ``c = f * c_before + i * candidate``, ``h = o * activation(c)``.

    Args: as :class:`GRUCell` without reset_after, and unit_forget_bias: start the forget gate's bias at 1.
    """

    gates = 4

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
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        implementation=2,
        **kwargs,
    ):
        super().__init__(**arguments(locals(), "unit_forget_bias"))
        self.unit_forget_bias = unit_forget_bias
        self.state_size = (self.units, self.units)

    def _bias(self):
        u = self.units
        initializer = unit_forget_bias(self.bias_initializer, u, u, 2 * u) if self.unit_forget_bias else None
        return add_weight(self, "bias", (4 * u,), initializer)

    def call(self, inputs, states, training=None):
        h, c = states
        dropped, kept = self._step_masks(inputs, h, training)
        x = self._projections(inputs, self.kernel, dropped, self.bias)
        r = self._projections(h, self.recurrent_kernel, kept, None)
        i, f, o = (self.recurrent_activation(x[g] + r[g]) for g in (0, 1, 3))
        c = f * c + i * self.activation(x[2] + r[2])
        h = o * self.activation(c)
        return h, [h, c]

    def _sequence_op(self, projected, states, mask, recurrent_mask, go_backwards):
        y, h, c, *_ = graph.apply(
            "lstm",
            [projected, *states, self.recurrent_kernel, mask, recurrent_mask],
            go_backwards=bool(go_backwards),
            **self._kernel_activations(),
        )
        return y, [h, c]

    def get_config(self):
        return {**super().get_config(), "unit_forget_bias": self.unit_forget_bias}


class StackedRNNCells(Layer):
    """Several cells that run one after another at each step, as one cell.

    Args:
        cells: list of cells.
        reverse_state_order: list the states of the last cell first, as Keras before 2.2 did, and not those of the first.

    Constants go to the cells whose ``call`` takes them.
    """

    def __init__(self, cells, **kwargs):
        if not cells:
            raise ValueError("StackedRNNCells needs at least one cell.")
        for cell in cells:
            if not hasattr(cell, "call"):
                raise ValueError(f"All cells must have a `call` method. received cells: {cells}")
            if not hasattr(cell, "state_size"):
                raise ValueError(f"All cells must have a `state_size` attribute. received cells: {cells}")
        self.reverse_state_order = kwargs.pop("reverse_state_order", False)
        if self.reverse_state_order:
            warn_user(
                "`reverse_state_order=True` in `StackedRNNCells` will soon be deprecated. Please update the code to work "
                "with the natural order of states if you rely on the RNN states, eg `RNN(return_state=True)`."
            )
        super().__init__(**kwargs)
        self.cells = cells

    def _in_state_order(self, cells: list) -> list:
        return cells[::-1] if self.reverse_state_order else cells

    @property
    def state_size(self):
        return tuple(size for cell in self._in_state_order(self.cells) for size in _sizes(cell))

    @property
    def output_size(self):
        last = self.cells[-1]
        return getattr(last, "output_size", None) or _sizes(last)[0]

    def build(self, input_shape):
        constants = []
        if isinstance(input_shape, list):
            input_shape, *constants = input_shape
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                takes = constants and has_arg(cell.call, "constants")
                cell.build([input_shape, *constants] if takes else input_shape)
                cell.built = True
            input_shape = (input_shape[0], getattr(cell, "output_size", None) or _sizes(cell)[0])
        self.built = True

    def reset_masks(self) -> None:
        for cell in self.cells:
            if hasattr(cell, "reset_masks"):
                cell.reset_masks()

    def call(self, inputs, states, constants=None, training=None):
        states, own = list(states), []
        for cell in self._in_state_order(self.cells):
            count = len(_sizes(cell))
            own.append(states[:count])
            states = states[count:]
        after = []
        for cell, before in zip(self.cells, self._in_state_order(own)):
            inputs, new = call_cell(cell, inputs, before, constants=constants, training=training)
            after.append(list(new))
        return inputs, [state for new in self._in_state_order(after) for state in new]

    def get_config(self):
        return {**super().get_config(), "cells": [serialize_keras_object(cell) for cell in self.cells]}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        cells = [LAYERS.deserialize(c, custom_objects) for c in config.pop("cells")]
        return cls(cells, **config)


def _sizes(cell: Any) -> list:
    size = cell.state_size
    return list(size) if isinstance(size, (list, tuple)) else [size]


def call_cell(cell: Any, inputs: Tensor, states: list, **kwargs: Any) -> tuple[Tensor, list]:
    """Call a cell for one step with those keywords (training, constants) that it takes."""
    accepted = {k: v for k, v in kwargs.items() if v is not None and has_arg(cell.call, k)}
    return graph.deciding(cell.call)(inputs, states, **accepted)
