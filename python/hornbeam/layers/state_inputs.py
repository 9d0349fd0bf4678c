"""How recurrent layers take initial states and constants: by keyword, or after the sequence in a list."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from ..engine.base_layer import InputSpec, Layer
from ..utils.generic_utils import to_list


def split_inputs(inputs: Any, initial_state: Any, constants: Any, num_constants: int | None) -> tuple[Any, list, list]:
    """The sequence, the list of initial states and the list of constants, however they were given."""
    if isinstance(inputs, (list, tuple)):
        inputs = list(inputs)
        if num_constants and not constants:
            inputs, constants = inputs[:-num_constants], inputs[-num_constants:]
        inputs, *states = inputs
        initial_state = states or initial_state
    states, constants = ([] if t is None else to_list(t, allow_tuple=True) for t in (initial_state, constants))
    return inputs, list(states), list(constants)


class TakesStates(Layer):
    """A layer that is called as ``layer(x, initial_state=..., constants=...)`` or ``layer([x, *states, *constants])``."""

    _num_constants = 0
    constants_spec = None

    def _check_initial_state(self, states: list) -> None:
        """Raise ValueError for a wrong number of initial states."""
        raise NotImplementedError

    def _take_constants(self, constants: list) -> None:
        """Note the constants' number, which tells them from states in a list, and their shapes."""
        self._num_constants = len(constants)
        self.constants_spec = [InputSpec(shape=K.int_shape(c)) for c in constants]

    def __call__(self, inputs, initial_state=None, constants=None, **kwargs):
        inputs, initial_state, constants = split_inputs(inputs, initial_state, constants, self._num_constants)
        if constants:
            self._take_constants(constants)
        if initial_state:
            self._check_initial_state(initial_state)
        extra = [*initial_state, *constants]
        if not extra:
            return super().__call__(inputs, **kwargs)
        symbolic = [K.is_keras_tensor(t) for t in extra]
        if any(symbolic) and not all(symbolic):
            raise ValueError(
                f"The initial state or constants of layer {self.name} cannot be specified with a mix of Keras tensors "
                "and non-Keras tensors"
            )
        if not all(symbolic):
            if initial_state:
                kwargs["initial_state"] = initial_state
            if constants:
                kwargs["constants"] = constants
            return super().__call__(inputs, **kwargs)
        # They are inputs of the layer like any other, so that the model's graph leads to them.
        before = self.input_spec
        self.input_spec = [*before, *(InputSpec(shape=K.int_shape(t)) for t in extra)]
        try:
            output = super().__call__([inputs, *extra], **kwargs)
            before[0] = self.input_spec[0]
        finally:
            self.input_spec = before
        return output
