"""Calling layers as TensorFlow 2 does: on values, with ``training`` decided for the whole call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..graph import Tensor, constant, nest
from ..graph.context import context, inside
from ..settings import settings
from ..utils.generic_utils import has_arg
from .calling import _with_inner_layers


def eager_inputs(inputs: Any) -> Any:
    """The inputs as tensors if they are values, in whatever structure; None for parts of a model."""
    tensors = [_as_tensor(x) for x in nest.flatten(inputs)]
    if context.trace is None and not all(x._known for x in tensors if isinstance(x, Tensor)):
        return None
    return nest.pack(inputs, tensors) if isinstance(inputs, (list, tuple, dict)) else tensors[0]


def _as_tensor(x: Any) -> Any:
    return constant(x) if isinstance(x, (np.ndarray, np.generic, int, float)) else x


@contextmanager
def adding_assignments(layer: Any, inputs: Any) -> Iterator[None]:
    """While a layer is called for a model: what it assigns without ``add_update`` is an update of it, as in tf.keras.

    In Keras 2.3.1 such an assignment had no effect.
    """
    if settings.recorder is None:
        yield
        return
    with inside(assigned=[]):
        yield
        filed = {id(update) for update in layer._updates}
        stray = [update for update in context.assigned or () if id(update) not in filed]
    if stray:
        layer.add_update(stray, inputs)
        layer._assigns_in_call = True


@contextmanager
def eager_call(layer: Any, kwargs: dict) -> Iterator[None]:
    """While a layer is called on values. The outermost call decides on the phase; losses of the call before are dropped."""
    training = kwargs.get("training")
    if isinstance(training, Tensor) and training._known:
        training = bool(training)
    if context.phase is None:
        for inner in _with_inner_layers(layer):
            inner._call_losses.clear()
    phase = context.phase
    if training is not None and not isinstance(training, Tensor):
        phase = int(training)
    if phase is None:
        phase = settings.learning_phase or 0
    if not has_arg(layer.call, "training"):
        kwargs.pop("training", None)
    elif training is None:
        kwargs["training"] = bool(phase)
    with inside(phase=phase):
        yield
