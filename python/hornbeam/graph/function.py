"""Functions: the one door from a graph to a compiled program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import _core
from ..settings import settings
from .context import inside
from .flat import FlatGraph, flatten
from .host import host_part
from .locks import Lock
from .ops import shape_of
from .rewrites import rewrite
from .tensor import Tensor
from .unrolling import unroll


class RunCounter(_core.RunCounter):
    """Counts a model's runs: random ops take their numbers from (seed, run, element).

    It also holds the lock under which the model and its programs are built.
    """

    def __init__(self, lock: Lock | None = None) -> None:
        super().__init__()
        self.lock = lock or Lock()


def expose_prints(graph: FlatGraph) -> list[str]:
    """Make the values that are to be printed the last outputs; returns their messages."""
    graph.outputs += [v for _, v in graph.prints]
    return [message for message, _ in graph.prints]


def print_last(messages: list[str], results: list[Any]) -> list[Any]:
    """Print the last results, each with its message, and return the others."""
    outputs = len(results) - len(messages)
    for message, value in zip(messages, results[outputs:]):
        print(message, np.asarray(value))
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
        trainable: what to take layers for that ask whether they are trainable (``graph/context.py``); as they are then, if absent.

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
        trainable: Mapping[Any, bool] | None = None,
    ) -> None:
        for what, tensors in (("inputs", inputs), ("outputs", outputs)):
            for t in tensors:
                if not isinstance(t, Tensor):
                    raise TypeError(f"`{what}` of a Function must be tensors, got {t!r:.80}")
        self.name = name
        self.counter = counter or RunCounter()
        self._phase = phase
        self._trainable = trainable or {}
        self._phase_index = next((i for i, t in enumerate(inputs) if t.op.op == "learning_phase"), None)
        self._inputs = [t for i, t in enumerate(inputs) if i != self._phase_index]
        self._outputs = list(outputs)
        self._updates = list(updates)
        self._host = host_part(self._inputs, self._outputs, self._updates)
        if self._host is not None:
            self._inputs, self._outputs = self._host.inputs, self._host.outputs
        #: by phase (and the lengths of loops that are written out), with the messages of values to print, its last outputs
        self._programs: dict[Any, tuple[_core.Program, list[str]]] = {}
        self._lengths: dict[int, Function] = {}  # of those loops, by phase
        #: the only program, once it is built, where nothing is to be done around it
        self._plain: _core.Program | None = None

    def __call__(self, inputs: Sequence[Any], settled: bool = False) -> list[np.ndarray]:
        """Run the program; ``settled`` says that no eager tensor waits for it, nor it for one."""
        if settings.shared_recorder is not None and not settled:  # a plain attribute: predictions take a microsecond
            settings.recorder.settle()
        plain = self._plain
        if plain is not None:
            return plain.run(inputs, self.counter)
        phase = self._phase
        if self._phase_index is not None:
            inputs = list(inputs)
            if self._phase_index < len(inputs):
                phase = int(inputs.pop(self._phase_index))
        host = self._host
        if host is not None:
            values = host.before(inputs)
            inputs = [values[id(t)] for t in host.inputs]
        program, messages = self._programs.get(phase) or self._program_for(phase, inputs)
        results = program.run(inputs, self.counter)
        if messages:
            results = print_last(messages, results)
        return results if host is None else host.after(values, results)

    @property
    def computes_on_host(self) -> bool:
        """Whether something of strings, or by functions of Python, is computed before or behind the program."""
        return self._host is not None

    def run_there(self, inputs: Sequence[Any]) -> list[np.ndarray] | list[_core.DeviceArray]:
        """As a call, with results that stay in the device's memory, where it has its own; without the learning phase."""
        if self._host is not None:
            return self(inputs)
        program, messages = self._programs.get(self._phase) or self._program_for(self._phase, inputs)
        results = program.run_there(inputs, self.counter)
        return print_last(messages, results) if messages else results

    def run_ahead(self, now: _core.EarlyFeeds, following: _core.EarlyFeeds | None) -> list[np.ndarray]:
        """As a call with ``now``; meanwhile what ``following`` holds goes to the device, where it has its own memory.

        The learning phase is not among the feeds, and nothing is computed on the host. Arrays of ``following`` must not
        change any more; what is wrong with them is raised by the call that takes them.
        """
        program, messages = self._programs.get(self._phase) or self._program_for(self._phase, now.arrays)
        results = program.run_ahead(now, following, self.counter)
        return print_last(messages, results) if messages else results

    def program(self, phase: int | None = None) -> _core.Program:
        """The compiled program for a learning phase, built if need be."""
        return self._built(self._phase if phase is None else phase)[0]

    def _program_for(self, phase: int, inputs: Sequence[Any]) -> tuple[_core.Program, list[str]]:
        """The program for these inputs: where sizes in a loop depend on data, one for each number of its steps."""
        with self.counter.lock:
            if phase not in self._lengths:
                loops = self._flattened(phase).loops
                if not loops:
                    return self._built(phase)
                self._lengths[phase] = Function(
                    self._inputs, [shape_of(t)[0] for _, t in loops], name=self.name, trainable=self._trainable
                )
        return self._built(phase, tuple(int(n) for n in self._lengths[phase](inputs)))

    def _flattened(self, phase: int) -> FlatGraph:
        if phase not in (0, 1):
            raise ValueError(f"the learning phase must be 0 or 1, got {phase}")
        with inside(trainable=self._trainable):
            return flatten(self._inputs, self._outputs, self._updates, phase)

    def _built(self, phase: int, lengths: tuple[int, ...] = ()) -> tuple[_core.Program, list[str]]:
        key = (phase, lengths) if lengths else phase
        with self.counter.lock:
            if key not in self._programs:
                graph = self._flattened(phase)
                if lengths:
                    unroll(graph, lengths)
                messages = expose_prints(graph)
                rewrite(graph)
                program, variables = graph.lower()
                for variable in variables:
                    variable.materialize()
                self._programs[key] = program, messages
                if self._phase_index is None and key == self._phase and self._host is None and not messages:
                    self._plain = program
            return self._programs[key]
