"""Functions: the one door from a graph to a compiled program."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from .tensor import Tensor


class RunCounter:
    """Counts a model's runs; random ops take their numbers from (seed, run, element)."""

    def __init__(self, value: int = 0) -> None:
        self.value = value


class Function:
    """A graph from inputs to outputs, with updates of variables, ready to be called with arrays.

    Args:
        inputs: tensors to feed; any tensor may be one: the graph is cut there. The learning phase may be
            among them; the value fed for it (0 or 1) picks the program.
        outputs: tensors to compute.
        updates: tensors of ``Variable.assign*`` / ``K.update*``, or (variable, new value) pairs.
        counter: shared by the functions of one model, so that dropout masks never repeat.
        name: for error messages.

    Calling it with a list of arrays, one per input, returns a list of arrays, one per output. A feed may also be
    ``(array, row_indices)``, which feeds ``array[row_indices]`` gathered in C++. Nothing is computed before the first call.

    Raises:
        ValueError: a feed's shape does not fit its input.
        TypeError: a feed cannot become an array of the input's dtype.
    """

    def __init__(
        self,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        updates: Sequence[Any] = (),
        name: str | None = None,
        counter: RunCounter | None = None,
    ) -> None: ...

    def __call__(self, inputs: Sequence[Any]) -> list[np.ndarray]: ...
