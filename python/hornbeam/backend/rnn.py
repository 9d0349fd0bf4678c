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
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Run ``step_function(input, states + constants) -> output, new_states`` over axis 1 of ``inputs``.

    A masked step repeats the states and the output before it (zeros, if there was none).

    Args:
        inputs: (samples, time, ...).
        initial_states: tensors (samples, ...).
        go_backwards: run from the last step to the first; outputs come in the order of running.
        mask: (samples, time), or with one more axis of length 1; zero means masked.
        unroll: lay the steps out one after another in the graph, instead of running one body for all of them.
        input_length: the number of steps, where the shape does not tell it.
        time_major: inputs, mask and outputs are (time, samples, ...).
        zero_output_for_mask: the output of a masked step is zeros.
        return_all_outputs: False for the last output alone, with an axis for the time of length 1.

    Returns:
        last output (samples, ...), outputs (samples, time, ...), new states.

    Raises:
        ValueError: fewer than 3 dims, or ``unroll`` with an unknown number of steps.
    """
    if inputs.ndim < 3:
        raise ValueError("Input should be at least 3D.")
    if mask is not None and mask.dtype != "bool":
        mask = math.not_equal(mask, 0)
    if mask is not None and mask.ndim == 3:
        mask = graph.apply("squeeze", [mask], axes=[2])
    if time_major:
        inputs, mask = swap_batch_and_time(inputs), None if mask is None else swap_batch_and_time(mask)
    run = _unrolled if unroll else _scanned
    steps = inputs.shape[1] if inputs.shape[1] is not None else input_length
    last, outputs, states = run(
        step_function, inputs, list(initial_states), list(constants or ()), mask, go_backwards, steps
    )
    if last._uses_learning_phase:
        for state in states:
            state._uses_learning_phase = True
    if mask is not None and zero_output_for_mask:
        along = shapes.reverse(mask, 1) if go_backwards else mask
        outputs = _where(along, outputs, creation.zeros_like(outputs))
        last = outputs[:, -1]
    if not return_all_outputs:
        outputs = shapes.expand_dims(last, 1)
    return last, swap_batch_and_time(outputs) if time_major else outputs, states


def _scanned(
    step_function: Callable,
    inputs: Tensor,
    initial: list,
    constants: list,
    mask: Tensor | None,
    go_backwards: bool,
    steps: int | None,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    sequences = [inputs] if mask is None else [inputs, mask]
    loop = graph.Loop([swap_batch_and_time(x) for x in sequences], reverse=go_backwards)
    states = [loop.state(t) for t in initial]
    with loop.body():
        output, after = step_function(loop.rows[0], states + constants)
        after = list(after)
        if mask is not None:
            like = _zeros(output, [inputs, *initial, *constants])
            if like is None:  # then a step outside tells the shape; nothing else of it is ever computed
                like = creation.zeros_like(step_function(inputs[:, 0], initial + constants)[0])
            before = loop.state(like)
            keep = loop.rows[1]
            output = _where(keep, output, before)
            after = [*(_where(keep, new, old) for new, old in zip(after, states)), output]
    finals, _, (outputs,) = loop.finish([output], after)
    # Mostly the output is a state; else it is cut out, and its gradient is put among zeros for all other steps.
    same = next((final for final, new in zip(finals, after) if new is output), None)
    last = outputs[0 if go_backwards else -1] if same is None else same
    if go_backwards:
        outputs = shapes.reverse(outputs, 0)
    return last, swap_batch_and_time(outputs), finals[: len(initial)]


def _zeros(like: Tensor, outside: list[Tensor]) -> Tensor | None:
    """Zeros of the shape that ``like`` has inside a body, made of dims of tensors outside; None if they lack one."""
    dims: list[Any] = []
    for dim in like.dims:
        if dim < 0:
            known = next((t for t in outside if dim in t.dims), None)
            if known is None:
                return None
            dims.append(graph.shape_of(known)[known.dims.index(dim)])
        else:
            dims.append(dim)
    return creation.zeros(dims, dtype=like.dtype)


def _unrolled(
    step_function: Callable,
    inputs: Tensor,
    states: list,
    constants: list,
    mask: Tensor | None,
    go_backwards: bool,
    steps: int | None,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    if not steps:
        raise ValueError("Unrolling requires a fixed number of timesteps.")
    outputs: list[Tensor] = []
    for time in reversed(range(steps)) if go_backwards else range(steps):
        output, after = step_function(inputs[:, time], states + constants)
        if mask is not None:
            keep = mask[:, time]
            output = _where(keep, output, outputs[-1] if outputs else creation.zeros_like(output))
            after = [_where(keep, new, old) for new, old in zip(after, states)]
        outputs.append(output)
        states = list(after)
    return outputs[-1], shapes.stack(outputs, axis=1), states


def swap_batch_and_time(x: Tensor) -> Tensor:
    """(samples, time, ...) as (time, samples, ...), or the reverse."""
    return graph.apply("transpose", [x], perm=[1, 0, *range(2, x.ndim)])


def _where(mask: Tensor, yes: Any, no: Any) -> Tensor:
    for _ in range(yes.ndim - mask.ndim):
        mask = shapes.expand_dims(mask, -1)
    return graph.apply("select", [mask, yes, no])
