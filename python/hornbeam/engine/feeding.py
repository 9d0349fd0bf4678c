"""From users' data to feeds: lists of arrays that fit a model's inputs, targets and sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..graph import Tensor
from ..utils.generic_utils import to_list
from . import standardize
from .endpoints import Endpoint, FedInput


def fed_inputs(inputs: list[FedInput], x: Any) -> list:
    """The arrays for a model's inputs.

    Raises:
        ValueError: shapes or numbers of arrays are wrong, or one is missing.
    """
    names, shapes = [end.name for end in inputs], [end.shape for end in inputs]
    arrays = standardize.standardize_input_data(x, names, shapes, check_batch_axis=False, exception_prefix="input")
    if any(array is None for array in arrays):
        raise ValueError(f"No data provided for the inputs {names}.")
    return arrays


def fed_targets(ends: list[Endpoint], y: Any, sample_weight: Any, class_weight: Any) -> tuple[list, list]:
    """The arrays for targets and for sample weights, one of each per endpoint.

    Raises:
        ValueError: shapes or numbers of arrays are wrong.
    """
    names, shapes = [end.name for end in ends], [end.target_shape for end in ends]
    targets = standardize.standardize_input_data(y, names, shapes, check_batch_axis=False, exception_prefix="target")
    weights = [
        standardize.standardize_weights(target, weight, by_class, end.sample_weight_mode)
        for end, target, weight, by_class in zip(
            ends,
            targets,
            standardize.standardize_sample_weights(sample_weight, names),
            standardize.standardize_class_weights(class_weight, names),
        )
    ]
    return targets, weights


def arrays_to_build_on(x: Any) -> list:
    """The arrays or tensors in ``x``, as inputs of a model that is built on first sight of data.

    Raises:
        ValueError: they are something else.
    """
    if isinstance(x, dict):
        raise ValueError(
            "Please do not pass a dictionary as model inputs: a model that is built on first sight of data does not know "
            "their names yet."
        )
    arrays = to_list(x, allow_tuple=True)
    if all(isinstance(v, (np.ndarray, Tensor)) for v in arrays):
        return arrays
    if isinstance(x, (list, tuple)) and len(x) and np.ndim(x) and np.asarray(x).dtype != object:
        return [np.asarray(x)]
    raise ValueError(
        f"Please provide as model inputs either a single array or a list of arrays. You passed: x={str(x)[:200]}"
    )
