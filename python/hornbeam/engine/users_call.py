"""Calling layers whose ``call`` a script for TensorFlow 2 wrote, or whose cell's: it may decide by ``training`` and by tensors.

Layers of ours take ``training`` as a formula, and a Function picks the branch. A user's ``if training:`` needs a value, which is
decided for a whole call of the model in tf.keras. So such a layer is called once for each phase.
"""

from __future__ import annotations

from typing import Any

from ..graph import Tensor, deciding, is_eager, nest, phase_switch
from ..graph.context import context, inside
from ..settings import settings
from ..utils.generic_utils import has_arg
from .calling import Filed


def call_layer(layer: Any, inputs: Any, kwargs: dict, sources: Any = None) -> Any:
    """What ``layer.call`` gives.

    Args:
        sources: what ``inputs`` were before they were cast, under which losses and updates are filed.
    """
    if settings.recorder is None or not (_is_users(layer) or any(map(_is_users, _cells(layer)))):
        return layer.call(inputs, **kwargs)
    if is_eager():
        return deciding(layer.call)(inputs, **kwargs)
    filed = Filed(layer, inputs)
    output = _call_in_graph(layer, filed, inputs, kwargs)
    losses, updates = filed.new_inside()  # a model asks its own layers alone what belongs to their inputs
    tensors = nest.flatten(inputs if sources is None else sources)
    layer.add_loss(losses, tensors)
    layer.add_update(updates, tensors)
    return output


def _is_users(layer: Any) -> bool:
    return not getattr(type(layer).call, "__module__", "").startswith("hornbeam.")


def _cells(layer: Any) -> list:
    """The cells of a recurrent layer: it calls them in its own call."""
    cell = getattr(layer, "cell", None)
    return [] if cell is None else getattr(cell, "cells", [cell])


def _call_in_graph(layer: Any, filed: Filed, inputs: Any, kwargs: dict) -> Any:
    call = deciding(layer.call, filed.forget_all_new)
    depends = kwargs.get("training") is None and has_arg(layer.call, "training")
    if not depends or context.phase is not None or settings.learning_phase is not None:
        return call(inputs, **kwargs)
    with inside(phase=0, assigned=[]):
        in_test = call(inputs, **{**kwargs, "training": False})
    filed.forget_all_new()  # what the layer adds to losses and updates is what it adds in training
    with inside(phase=1):
        in_training = call(inputs, **{**kwargs, "training": True})
    if nest.outline(in_training) != nest.outline(in_test):
        return in_training
    return nest.map_structure(_switched, in_training, in_test)


def _switched(in_training: Any, in_test: Any) -> Any:
    both = isinstance(in_training, Tensor) and isinstance(in_test, Tensor)
    return phase_switch(in_training, in_test) if both else in_training
