"""Users' Python functions between tensors: ``tf.py_function`` and ``tf.numpy_function``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import NeedsValue, nest
from .common import dtype_name
from .table import for_scripts


def _called(name: str, func: Callable, inputs: Any, Tout: Any, as_arrays: bool) -> Any:
    tensors = [x if isinstance(x, graph.RaggedTensor) else graph.convert(x) for x in nest.flatten(inputs)]
    if not all(getattr(t, "_known", True) for t in tensors):
        raise NeedsValue(f"{name} gives tensors whose shapes are known only when the function is called.")
    arguments = (
        [np.asarray(t.numpy(), object if t.dtype == "string" else None)[()] for t in tensors] if as_arrays else tensors
    )
    results = func(*arguments)
    if isinstance(Tout, (list, tuple)):
        several = list(results) if isinstance(results, (list, tuple)) else [results]
        if len(several) != len(Tout):
            raise ValueError(f"{name}: the function returned {len(several)} values, and Tout has {len(Tout)} dtypes.")
        return [_as(value, dtype) for value, dtype in zip(several, Tout)]
    return _as(results, Tout)


def _as(value: Any, dtype: Any) -> Any:
    wanted = dtype_name(dtype)
    tensor = graph.convert(value, None if wanted == "string" else wanted) if value is not None else graph.constant(0)
    return tensor if tensor.dtype == wanted else graph.cast(tensor, wanted)


@for_scripts("py_function", "compat.v1.py_function")
def py_function(
    func: Callable | None = None, inp: Sequence = (), Tout: Any = None, name: Any = None, **other: Any
) -> Any:
    """What a function of eager tensors returns, as tensors of the dtypes ``Tout``.

    A traced function that calls it runs step by step.
    """
    return _called("tf.py_function", func, inp, Tout, as_arrays=False)  # type: ignore[arg-type]


@for_scripts("numpy_function", "py_func", "compat.v1.py_func")
def numpy_function(
    func: Callable | None = None, inp: Sequence = (), Tout: Any = None, stateful: bool = True, name: Any = None
) -> Any:
    """As :func:`py_function`, of a function of arrays."""
    return _called("tf.numpy_function", func, inp, Tout, as_arrays=True)  # type: ignore[arg-type]
