"""``K.rnn``: a step function over the time steps of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import graph
from ..graph import Tensor
from . import creation, math, shapes


def rnn(
    step_function: Callable,
    inputs: Tensor,
    initial_states: Sequence[Tensor],
    go_backwards: bool = False,
    mask: Tensor | None = None,
    constants: Sequence[Tensor] | None = None,
    unroll: bool = False,
    input_length: int | None = None,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run ``step_function(input, states + constants) -> output, new_states`` over axis 1 of ``inputs``.

    A masked step repeats the state, and the output before it (the first state where that has the output's shape).
    The steps are laid out one after another in the graph, so their number must be known.

    Args:
        inputs: (samples, time, ...).
        initial_states: tensors (samples, ...).
        go_backwards: run from the last step to the first; outputs come in the order of running.
        mask: (samples, time), or with one more axis of length 1; zero means masked.
        unroll, input_length: accepted for Keras's sake; the first changes nothing, the second gives the number of
            steps where the shape does not.

    Returns:
        last output (samples, ...), outputs (samples, time, ...), new states.

    Raises:
        ValueError: fewer than 3 dims, or an unknown number of steps.
    """
    if inputs.ndim < 3:
        raise ValueError("Input should be at least 3D.")
    steps = inputs.shape[1] if inputs.shape[1] is not None else input_length
    if not steps:
        raise ValueError(
            f"K.rnn needs a known, positive number of time steps, got inputs of shape {inputs.shape}: "
            "give the input a fixed length, as in Input(shape=(steps, features))."
        )
    if mask is not None and mask.dtype != "bool":
        mask = math.not_equal(mask, 0)
    if mask is not None and mask.ndim == 3:
        mask = graph.apply("squeeze", [mask], axes=[2])
    states = list(initial_states)
    constants = list(constants or ())
    outputs: list[Tensor] = []
    for time in reversed(range(steps)) if go_backwards else range(steps):
        output, new_states = step_function(inputs[:, time], states + constants)
        new_states = list(new_states)
        if mask is not None:
            keep = mask[:, time]
            output = _where(keep, output, _before(output, outputs, states))
            new_states = [_where(keep, new, old) for new, old in zip(new_states, states)]
        outputs.append(output)
        states = new_states
    if getattr(outputs[-1], "_uses_learning_phase", False):
        for state in states:
            state._uses_learning_phase = True
    return outputs[-1], shapes.stack(outputs, axis=1), states


def _before(output: Tensor, outputs: list[Tensor], states: list[Tensor]) -> Tensor:
    if states and states[0].shape[1:] == output.shape[1:]:
        return states[0]
    return outputs[-1] if outputs else creation.zeros_like(output)


def _where(mask: Tensor, yes: Any, no: Any) -> Tensor:
    for _ in range(yes.ndim - 1):
        mask = shapes.expand_dims(mask, -1)
    return graph.apply("select", [mask, yes, no])
