"""What is saved of a model is one state of it, whatever trains beside."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..graph import RunCounter, Variable, read_state_and_runs


class Snapshot:
    """The values of variables at one moment: between two training steps, where a training goes on beside.

    Args:
        variables: each may occur several times.
        counter: of the model's random runs.

    Attributes:
        runs: what the counter was at that moment.
    """

    def __init__(self, variables: Iterable[Variable], counter: RunCounter | None = None) -> None:
        self.variables = list({id(v): v for v in variables}.values())
        arrays, self.runs = read_state_and_runs(self.variables, counter)
        self._values = {id(v): array for v, array in zip(self.variables, arrays)}

    def __getitem__(self, variable: Variable) -> np.ndarray:
        return self._values[id(variable)]

    def of(self, variables: Iterable[Variable]) -> list[Any]:
        return [self[v] for v in variables]
