"""The base of users' cells, as tf.keras has it."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import graph
from ..engine.base_layer import Layer
from ..graph import StaticShape


class AbstractRNNCell(Layer):
    """A cell for :class:`RNN`: subclasses define ``call(inputs, states) -> output, new_states`` and the two properties."""

    def call(self, inputs, states):
        """One step.

        Args:
            inputs: (batch, ...).
            states: a list of tensors (batch, size), as many as ``state_size`` has sizes.
        """
        raise NotImplementedError(f"The cell {type(self).__name__} defines no `call`.")

    @property
    def state_size(self):
        """A number, or a list of numbers or of shapes (``tf.TensorShape``), one for each state."""
        raise NotImplementedError(f"The cell {type(self).__name__} defines no `state_size`.")

    @property
    def output_size(self):
        """The size of the output: a number or a shape."""
        raise NotImplementedError(f"The cell {type(self).__name__} defines no `output_size`.")

    def get_initial_state(self, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
        """Zeros for each state.

        Args:
            inputs: a tensor that says the batch size and dtype; otherwise they are given.

        Raises:
            ValueError: neither inputs nor both of the others.
        """
        if inputs is not None:
            batch_size, dtype = graph.shape_of(inputs)[0], inputs.dtype
        if batch_size is None or dtype is None:
            raise ValueError(
                "`get_initial_state` needs `inputs`, or `batch_size` and `dtype`. "
                f"Received: batch_size={batch_size}, dtype={dtype}"
            )

        def zeros(size: Any) -> Any:
            if isinstance(size, (list, tuple)) and not isinstance(size, StaticShape):
                return type(size)(map(zeros, size))
            return K.zeros([batch_size, *(size if isinstance(size, StaticShape) else (size,))], dtype=dtype)

        return zeros(self.state_size)
