"""``tf.GradientTape`` and ``tf.function``."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from .. import graph
from ..graph import NeedsValue, Tensor, nest
from . import k as K
from .table import for_scripts


@for_scripts("GradientTape")
class GradientTape(graph.Tape):
    """Records what is computed inside of its block, to differentiate it.

    Args:
        persistent: whether it may be asked more than once.
        watch_accessed_variables: whether trainable variables are watched without being named.

    Example:
        >>> x = tf.constant(3.0)
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = x * x
        >>> tape.gradient(y, x).numpy()
        6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        super().__init__(watch_accessed_variables)
        self._persistent = persistent
        self._asked = False

    def __enter__(self) -> GradientTape:
        self.begin()
        return self

    def __exit__(self, *error: Any) -> None:
        self.end()

    def watch(self, tensor: Any) -> None:
        """Make tensors, which may lie in lists and dicts, ones that gradients can be taken with respect to."""
        for leaf in nest.flatten(tensor):
            if not isinstance(leaf, Tensor):
                raise ValueError(f"Passed in object {leaf!r:.80} of type {type(leaf).__name__!r}, not tf.Tensor")
            super().watch(leaf)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Inside the block, nothing is recorded."""
        self.end()
        try:
            yield
        finally:
            self.begin()

    def reset(self) -> None:
        """Forget what was recorded, and begin again."""
        self.forget()
        self.begin()

    def watched_variables(self) -> tuple:
        """The trainable variables that what was recorded reads."""
        return self.variables()

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: Any = "none"
    ) -> Any:
        """Gradients of the sum of ``target`` with respect to each of ``sources``, in the structure of the sources.

        Args:
            output_gradients: cotangents, one for each target; ones by default.
            unconnected_gradients: ``'none'`` or ``'zero'``: what is given where the target does not depend on a source.

        Raises:
            RuntimeError: the tape was asked before, and is not persistent.
        """
        self._ask()
        targets = [graph.convert(t) for t in nest.flatten(target)]
        cotangents = None if output_gradients is None else nest.flatten(output_gradients)
        xs = nest.flatten(sources)
        found = connected(self.gradients(targets, xs, cotangents), xs, unconnected_gradients)
        if not self._persistent:
            self.forget()
        return nest.pack(sources, found) if isinstance(sources, (list, tuple, dict)) else found[0]

    def jacobian(
        self, target: Any, sources: Any, unconnected_gradients: Any = "none", parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:  # fmt: skip
        """The derivatives of each element of ``target``: of shape ``target.shape + source.shape`` for each source."""
        if None in target.shape:
            raise NeedsValue(f"the jacobian of {target!r}, whose size is not known")
        self._ask()
        flat = graph.reshape(target, [-1])
        xs = nest.flatten(sources)
        rows = []
        for i in range(flat.shape[0]):
            one_hot = graph.apply("one_hot", [graph.constant(i)], depth=flat.shape[0], dtype=flat.dtype)
            cotangent = graph.reshape(one_hot, list(target.shape))
            rows.append(self.gradients([target], xs, [cotangent]))
        found = [_stacked([row[i] for row in rows], target, x) for i, x in enumerate(xs)]
        if getattr(unconnected_gradients, "value", unconnected_gradients) == "zero":
            found = [
                graph.constant(0.0, x.dtype, (*target.shape, *x.shape)) if g is None else g for x, g in zip(xs, found)
            ]
        if not self._persistent:
            self.forget()
        return nest.pack(sources, found) if isinstance(sources, (list, tuple, dict)) else found[0]

    def batch_jacobian(
        self, target: Any, source: Any, unconnected_gradients: Any = "none", parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Tensor:  # fmt: skip
        """The derivatives of each row of ``target`` by the same row of ``source``, where no row depends on another.

        Returns:
            A tensor of shape ``(batch, *target.shape[1:], *source.shape[1:])``: of zeros where the two are not connected.

        Raises:
            ValueError: the two have no batch in common.
        """
        if not target.shape or not source.shape or target.shape[0] != source.shape[0]:
            raise ValueError(
                f"Need first dimension of target shape ({target.shape}) and source shape ({source.shape}) to match."
            )
        self._ask()
        of_row, by_row = list(target.shape[1:]), list(source.shape[1:])
        size = int(np.prod(of_row))
        columns = []
        for i in range(size):
            one_hot = graph.apply("one_hot", [graph.constant(i)], depth=size, dtype=target.dtype)
            cotangent = graph.reshape(one_hot, [1, *of_row]) + K.zeros_like(target)
            columns += self.gradients([target], [source], [cotangent])
        if not self._persistent:
            self.forget()
        there = [K.zeros_like(source) if column is None else column for column in columns]
        return graph.reshape(K.stack(there, axis=1), [-1, *of_row, *by_row])

    def _ask(self) -> None:
        if self._asked and not self._persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)"
            )
        self._asked = True


def connected(gradients: list, xs: list, unconnected_gradients: Any) -> list:
    """The gradients as they are, or with zeros where there is none (``'zero'``)."""
    if getattr(unconnected_gradients, "value", unconnected_gradients) != "zero":
        return gradients
    return [K.zeros_like(x) if g is None else g for x, g in zip(xs, gradients)]


def _stacked(rows: list, target: Tensor, source: Tensor) -> Any:
    if all(row is None for row in rows):
        return None
    rows = [K.zeros_like(source) if row is None else row for row in rows]
    return graph.reshape(K.stack(rows), [*target.shape, *source.shape])


@for_scripts("UnconnectedGradients")
class UnconnectedGradients:
    NONE = "none"
    ZERO = "zero"


@for_scripts("function")
def function(
    func: Callable | None = None, input_signature: Any = None, autograph: bool = True, jit_compile: Any = None,
    reduce_retracing: bool = False, experimental_relax_shapes: Any = None, experimental_compile: Any = None,
    experimental_follow_type_hints: Any = None, experimental_implements: Any = None, experimental_autograph_options: Any = None,
) -> Any:  # fmt: skip
    """Compile a function: it is traced at its first call with arguments of some shapes, and then runs as one program.

    Args:
        input_signature: ``tf.TensorSpec`` of each argument, where one trace is to serve all shapes that fit it.
    """
    signature = None
    if input_signature is not None:
        signature = [(tuple(spec.shape), str(spec.dtype)) for spec in nest.flatten(input_signature)]

    def compile(func: Callable) -> CompiledFunction:
        return CompiledFunction(func, signature)

    return compile if func is None else compile(func)


class CompiledFunction:
    """What ``tf.function`` gives: called as the function is. As a method, each object has traces of its own."""

    def __init__(self, python_function: Callable, signature: Any = None) -> None:
        functools.update_wrapper(self, python_function)
        self.python_function = python_function
        self._signature = signature
        self._traced = graph.Traced(python_function, signature)
        self._bound: weakref.WeakKeyDictionary[Any, CompiledFunction] = weakref.WeakKeyDictionary()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._traced(*args, **kwargs)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        if owner is None:
            return self
        if owner not in self._bound:
            method = self.python_function.__get__(owner, kind)
            self._bound[owner] = CompiledFunction(method, self._signature)
        return self._bound[owner]

    def experimental_get_tracing_count(self) -> int:
        return self._traced.traces
