"""Functions of Python among tensors: with a gradient of their own, or on values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor, nest
from ..utils.generic_utils import has_arg
from . import k as K
from .common import tensor
from .table import for_scripts

for_scripts("RegisterGradient")(graph.RegisterGradient)
for_scripts("python._gradient_registry")(graph.GRADIENTS)


# -- gradients -----------------------------------------------------------------------------------------------------
@for_scripts("custom_gradient")
def custom_gradient(f: Callable) -> Callable:
    """Decorate a function that returns its result and the function that gives its gradient.

    The latter takes a cotangent for each result and returns one for each argument; where ``f`` reads variables, it takes them
    as ``variables`` and returns a pair, with those of the variables.
    """

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        given = nest.flatten(list(args))
        xs = [tensor(x) for x in given]
        tape = graph.Tape()
        with tape.recording():
            result, grad = f(*nest.pack(list(args), xs), **kwargs)
        variables = [v for v in tape.variables() if not any(v is x for x in xs)]
        if not has_arg(grad, "variables"):
            variables = []
        ys = [tensor(y) for y in nest.flatten(result)]

        def rule(*cotangents: Any) -> list:
            grads = [K.zeros_like(y) if g is None else g for y, g in zip(ys, cotangents)]
            if not variables:
                return _like(grad(*grads), xs)
            of_xs, of_variables = grad(*grads, variables=variables)
            return _like(of_xs, xs) + _like(of_variables, variables)

        outputs = graph.with_gradient([*xs, *variables], ys, rule)
        return nest.pack(result, outputs) if isinstance(result, (list, tuple, dict)) else outputs[0]

    return decorated


def _like(found: Any, xs: Sequence[Tensor]) -> list:
    grads = nest.flatten(list(found) if isinstance(found, (list, tuple)) else [found])
    if len(grads) != len(xs):
        raise ValueError(
            f"custom_gradient function expected to return {len(xs)} gradients, but returned {len(grads)} instead."
        )
    return [None if g is None else tensor(g, x.dtype) for g, x in zip(grads, xs)]


@for_scripts("recompute_grad")
def recompute_grad(f: Callable) -> Callable:
    """The function itself: memory is planned, and nothing is kept that could be computed again."""
    return f


# -- values --------------------------------------------------------------------------------------------------------
def on_values(call: Callable[..., Any], *xs: Any) -> Any:
    """What NumPy computes of the tensors' values, as tensors, in the structure in which it is returned.

    In a function that is traced there are no values: it runs step by step then (``graph/traced.py``).

    Raises:
        TypeError: a tensor depends on a placeholder.
    """
    results = call(*[tensor(x).numpy() for x in xs])
    return nest.map_structure(lambda y: graph.constant(np.asarray(y)), results)


def differentiable(call: Callable[..., Any], rule: Callable, *xs: Tensor) -> Tensor:
    """As :func:`on_values`, of one result y, whose gradient is ``rule(y, cotangent)``: one for each of ``xs``."""
    value = on_values(call, *xs)
    found: list[Tensor] = []
    outputs = graph.with_gradient(xs, [value], lambda g: rule(found[0], g))
    found.append(outputs[0])
    return outputs[0]
