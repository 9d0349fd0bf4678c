"""Learning phase, choices, gradients, and functions: from formulas to arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import graph
from ..graph import Function, Tensor, learning_phase
from ..settings import settings
from .math import not_equal
from .session import RUN_OPTIONS
from .shapes import dims_of, reshape


def set_learning_phase(value: int) -> None:
    """Fix the learning phase.

    Raises:
        ValueError: neither 0 nor 1.
    """
    if value not in (0, 1):
        raise ValueError("Expected learning phase to be 0 or 1.")
    graph.set_learning_phase(value)


@contextmanager
def learning_phase_scope(value: int) -> Iterator[None]:
    """A ``with`` block in which the learning phase is fixed; afterwards it is what it was before.

    Raises:
        ValueError: neither 0 nor 1.
    """
    before = settings.learning_phase
    set_learning_phase(value)
    try:
        yield
    finally:
        graph.set_learning_phase(before)


def control_dependencies(control_inputs: Any) -> Any:
    """A ``with`` block in which variables stand for the results of updates.

    Args:
        control_inputs: tensors of ``K.update`` and functions like it. What is built in the block runs them.
    """
    return graph.control_dependencies(control_inputs)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """``x`` in training and ``alt`` otherwise; tensors, numbers, or functions that return one.

    Args:
        training: the learning phase by default; a bool or number decides at once, a tensor when it is computed.
    """
    if training is None:
        training = learning_phase()
    if isinstance(training, (bool, int)):
        chosen = x if training else alt
        return chosen() if callable(chosen) else chosen
    if not (isinstance(training, Tensor) and training.op.op == "learning_phase"):
        return switch(training, x, alt)
    x, alt = (e() if callable(e) else e for e in (x, alt))
    like = next((e.dtype for e in (x, alt) if isinstance(e, Tensor)), None)
    return graph.phase_switch(graph.convert(x, like), graph.convert(alt, like)) if x is not alt else x


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """``x`` in inference and ``alt`` in training; tensors, numbers, or functions that return one."""
    return in_train_phase(alt, x, training=training)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Tensor:
    """Choose between two tensors (or functions that return one).

    With a scalar condition only one branch runs: what the function of the other makes is not computed. The branches then
    have one shape; a number or tensor of another shape is broadcast, and both are computed.

    Args:
        condition: a scalar, or a tensor of no more axes than the others, to whose leading axes it then belongs.

    Raises:
        ValueError: the condition has more axes than the expressions.
    """
    if not isinstance(condition, Tensor):
        chosen = then_expression if condition else else_expression
        return chosen() if callable(chosen) else chosen
    if condition.dtype != "bool":
        condition = not_equal(condition, 0)
    if condition.ndim == 0 and (callable(then_expression) or callable(else_expression)):
        branches = [e if callable(e) else _always(e) for e in (then_expression, else_expression)]
        try:
            return graph.cond(condition, *branches)
        except ValueError:  # of different shapes: what broadcasting makes of them, below
            then_expression, else_expression = (branch() for branch in branches)
    then, other = (e() if callable(e) else e for e in (then_expression, else_expression))
    like = next((e for e in (then, other) if isinstance(e, Tensor)), None)
    then, other = (graph.convert(e, like.dtype if like is not None else None) for e in (then, other))
    if condition.ndim == 0 and then.dims == other.dims:
        return graph.cond(condition, _always(then), _always(other))
    rank = max(then.ndim, other.ndim)
    if condition.ndim > rank:
        raise ValueError(
            "Rank of `condition` should be less than or equal to rank of `then_expression` and `else_expression`. "
            f"ndim(condition)={condition.ndim}, ndim(then_expression)={then.ndim}"
        )
    if 0 < condition.ndim < rank:
        condition = reshape(condition, [*dims_of(condition), *[1] * (rank - condition.ndim)])
    return graph.apply("select", [condition, then, other])


def _always(expression: Any) -> Any:
    return lambda: expression


class _Single:
    """A Function of one output that was not given in a list: calls return the array itself."""

    def __init__(self, function: Function) -> None:
        self._function = function

    def __call__(self, inputs: Sequence[Any]) -> Any:
        return self._function(inputs)[0]


class _Session:
    """A Function with the other arguments that TensorFlow's sessions took."""

    def __init__(
        self,
        inputs: list[Tensor],
        outputs: list[Tensor],
        updates: list[Any],
        name: str | None,
        fetches: list[Tensor],
        feed_dict: dict[Tensor, Any],
    ) -> None:
        updates = updates + [t for t in fetches if t.op.op == "assign"]
        self._function = Function([*inputs, *feed_dict], outputs + fetches, updates=updates, name=name)
        self._outputs = len(outputs)
        self._feed_dict = feed_dict

    def __call__(self, inputs: Sequence[Any]) -> list:
        return self._function([*inputs, *self._feed_dict.values()])[: self._outputs]


def function(inputs: Sequence[Tensor], outputs: Any, updates: Sequence[Any] | None = None, **kwargs: Any) -> Any:
    """Make a function from arrays to arrays out of tensors.

    Args:
        inputs: list of tensors to feed. Any tensor may be one: what it is computed from is then ignored.
        outputs: list of tensors to compute (or one tensor).
        updates: tensors of ``K.update`` and functions like it, or (variable, new value) pairs.
        name: for error messages.
        fetches: more tensors to compute in each call, for what that does: updates, printing.
        feed_dict: more tensors to feed, with their values, which may be changed between calls.

    Returns:
        A callable that takes a list of arrays and returns the list of outputs (the one output, if no list was given).

    Raises:
        TypeError: inputs or updates are no lists.
        ValueError: an argument meant for a TensorFlow session, but for those that change no value (``options``).
    """
    kwargs = {key: value for key, value in kwargs.items() if key not in RUN_OPTIONS}
    name = kwargs.pop("name", None)
    fetches = kwargs.pop("fetches", None)
    feed_dict = kwargs.pop("feed_dict", None)
    if kwargs:
        raise ValueError(
            f'Invalid argument "{next(iter(kwargs))}" passed to K.function: there is no TensorFlow session to pass it to.'
        )
    if not isinstance(inputs, (list, tuple)):
        raise TypeError("`inputs` to a backend function should be a list or tuple.")
    if updates is not None and not isinstance(updates, (list, tuple)):
        raise TypeError("`updates` in a backend function should be a list or tuple.")
    single = isinstance(outputs, Tensor)
    outputs = [outputs] if single else list(outputs)
    # Several updates in one place among the outputs, as optimizers' apply_gradients gives them, are there to be run.
    updates = [*(updates or ()), *(u for group in outputs if isinstance(group, list) for u in group)]
    outputs = [x for x in outputs if not isinstance(x, list)]
    made: Any
    if fetches or feed_dict:
        made = _Session(list(inputs), outputs, list(updates or []), name, list(fetches or []), feed_dict or {})
    else:
        made = Function(list(inputs), outputs, updates=list(updates or []), name=name)
    return _Single(made) if single else made


def gradients(loss: Tensor, variables: Any) -> list[Tensor | None]:
    """Gradients of ``loss`` (summed) with respect to any tensors; None where it does not depend on one."""
    return graph.gradients(loss, list(variables) if isinstance(variables, (list, tuple)) else [variables])


def print_tensor(x: Any, message: str = "", summarize: int = 3) -> Tensor:
    """``x``, whose message and value are printed after each run in which something reads what is returned.

    Arrays are printed as NumPy prints them, which shortens long ones; ``summarize`` is accepted.

    In a step function, as of ``K.rnn``, it prints nothing.
    """
    return graph.print_value(graph.convert(x), message)


def stop_gradient(variables: Any) -> Any:
    """The same values (of a tensor, or of each in a list), constant for gradients."""
    if isinstance(variables, (list, tuple)):
        return [stop_gradient(v) for v in variables]
    return graph.apply("stop_gradient", [variables])
