"""Functions: the one door from a graph to a compiled program."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import _core
from .flat import FlatGraph, flatten
from .rewrites import rewrite
from .tensor import Tensor


class RunCounter:
    """Counts a model's runs: random ops take their numbers from (seed, run, element).

    It also holds the lock under which the model's programs are built.
    """

    def __init__(self, value: int = 0) -> None:
        self.value = value
        self.lock = threading.RLock()


def expose_prints(graph: FlatGraph) -> list[str]:
    """Make the values that are to be printed the last outputs; returns their messages."""
    graph.outputs += [v for _, v in graph.prints]
    return [message for message, _ in graph.prints]


def print_last(messages: list[str], results: list[np.ndarray]) -> list[np.ndarray]:
    """Print the last results, each with its message, and return the others."""
    outputs = len(results) - len(messages)
    for message, value in zip(messages, results[outputs:]):
        print(message, value)
    return results[:outputs]


class Function:
    """A graph from inputs to outputs, with updates of variables, ready to be called with arrays.

    Args:
        inputs: tensors to feed; any tensor may be one: the graph is cut there. The learning phase may be
            among them; the value fed for it (0 or 1) picks the program.
        outputs: tensors to compute.
        updates: tensors of ``Variable.assign*`` / ``K.update*``, or (variable, new value) pairs.
        counter: shared by the functions of one model, so that dropout masks never repeat.
        phase: the learning phase when it is not among the inputs.
        name: for error messages.

    Calling it with a list of arrays, one per input, returns a list of arrays, one per output. A feed may also be
    ``(array, row_indices)``, which feeds ``array[row_indices]`` gathered in C++. The program is built at the first call.

    Raises:
        ValueError: a feed's shape does not fit its input.
        TypeError: a feed cannot become an array of numbers.
    """

    def __init__(
        self,
        inputs: Sequence[Tensor],
        outputs: Sequence[Tensor],
        updates: Sequence[Any] = (),
        name: str | None = None,
        counter: RunCounter | None = None,
        phase: int = 0,
    ) -> None:
        for what, tensors in (("inputs", inputs), ("outputs", outputs)):
            for t in tensors:
                if not isinstance(t, Tensor):
                    raise TypeError(f"`{what}` of a Function must be tensors, got {t!r:.80}")
        self.name = name
        self.counter = counter or RunCounter()
        self._phase = phase
        self._phase_index = next((i for i, t in enumerate(inputs) if t.op.op == "learning_phase"), None)
        self._inputs = [t for i, t in enumerate(inputs) if i != self._phase_index]
        self._outputs = list(outputs)
        self._updates = list(updates)
        self._programs: dict[int, _core.Program] = {}
        self._messages: dict[int, list[str]] = {}  # of the values to print, which are the programs' last outputs

    def __call__(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        phase = self._phase
        if self._phase_index is not None:
            inputs = list(inputs)
            if self._phase_index < len(inputs):
                phase = int(inputs.pop(self._phase_index))
        program = self._programs.get(phase)
        if program is None:
            program = self.program(phase)
        counter = self.counter
        run = counter.value
        if program.has_random:
            counter.value = run + 1
        results = program.run(inputs, run)
        return print_last(self._messages[phase], results) if self._messages[phase] else results

    def program(self, phase: int | None = None) -> _core.Program:
        """The compiled program for a learning phase, built if need be."""
        phase = self._phase if phase is None else phase
        if phase not in (0, 1):
            raise ValueError(f"the learning phase must be 0 or 1, got {phase}")
        with self.counter.lock:
            if phase not in self._programs:
                graph = flatten(self._inputs, self._outputs, self._updates, phase)
                self._messages[phase] = expose_prints(graph)
                rewrite(graph)
                program, variables = graph.lower()
                for variable in variables:
                    variable.materialize()
                self._programs[phase] = program
            return self._programs[phase]
