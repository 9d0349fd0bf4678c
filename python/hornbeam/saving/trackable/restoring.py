"""Giving objects the values in a checkpoint."""

from __future__ import annotations

import numpy as np

from ...graph import Variable
from ...optimizers import TFOptimizer
from ...utils.messages import warn_user
from ..tensor_bundle import TensorBundle
from . import optimizers
from .matching import Match

Values = list[tuple[Variable, np.ndarray]]


def values(found: Match, bundle: TensorBundle) -> Values:
    """The values of the variables that were found. Shapes are compared before memory is taken.

    Raises:
        OSError, ValueError: a tensor is damaged, or of another shape or kind than the variable.
    """
    for variable, key in found.keys:
        if bundle.shape(key) != variable.shape or bundle.dtype(key) in ("string", "complex64", "complex128"):
            raise ValueError(
                f"Weight {variable.name} has shape {tuple(variable.shape)}, but the checkpoint {bundle.prefix!r} has "
                f"{key!r:.120} of shape {bundle.shape(key)} and dtype {bundle.dtype(key)}."
            )
    return [(variable, bundle.read(key)) for variable, key in found.keys]


def optimizer_values(found: Match, bundle: TensorBundle) -> Values:
    """Settings and state of the optimizers that were found. State that does not fit is left out with a warning, as Keras does."""
    pairs: Values = []
    for optimizer, number in found.optimizers:
        if found.graph is None or isinstance(optimizer, TFOptimizer):
            continue
        pairs += optimizers.settings(optimizer, number, found.graph, bundle)
        if optimizer.weights:
            try:
                pairs += optimizers.state(optimizer, number, found.graph, bundle, found.numbers)
            except ValueError as error:
                warn_user(
                    f"The state of the optimizer {type(optimizer).__name__} is not restored, which begins anew: {error}"
                )
    return pairs


def lacking(wanted: list[Variable], found: Match) -> list[str]:
    """The names of the variables that were not found."""
    has = {id(variable) for variable, _ in found.keys}
    return [variable.name for variable in wanted if id(variable) not in has]
