"""From users' data to feeds: lists of arrays that fit a model's inputs, targets and sample weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._core import DeviceArray
from ..graph import Tensor, where_it_lies
from ..settings import settings
from ..utils.generic_utils import to_list, unpack_singleton
from . import standardize
from .compile_arguments import rank_of_weights
from .endpoints import Endpoint, FedInput


def standardize_user_data(
    model, x, y=None, sample_weight=None, class_weight=None, check_array_lengths=True, batch_size=None
):
    """Return inputs, targets and sample weights as lists of arrays that fit the model, which is built on them if need be.

    Raises:
        ValueError: shapes or numbers of arrays are wrong.
        RuntimeError: targets are given but the model is not compiled.
    """
    if not (model.built and model.outputs):
        with model._lock:  # built here, or by another thread meanwhile
            if not model.outputs:
                model._set_inputs(unpack_singleton(_arrays_to_build_on(x)))
    if y is not None:
        model._compile_built()
    x = _inputs(model._fed_inputs, x)
    if y is None:
        y, sample_weights = [], []
    else:
        if sample_weight is not None and settings.dialect.weights_of_any_rank:
            _take_ranks(model, sample_weight)
        fed = model._compiled.fed
        y, sample_weights = _targets(fed, y, sample_weight, class_weight)
        if model._is_graph_network:
            standardize.check_loss_and_target_compatibility(y, [end.loss for end in fed], [end.shape for end in fed])
        if check_array_lengths:
            standardize.check_array_length_consistency(x, y, sample_weights)
    check_stateful_batches(model, x, batch_size)
    return x, y, sample_weights


def training_data(model, x, y, sample_weight=None, class_weight=None, batch_size=None):
    """As :func:`standardize_user_data`, for what needs targets and a compiled model."""
    data = model._standardize_user_data(
        x, y, sample_weight=sample_weight, class_weight=class_weight, batch_size=batch_size
    )
    if y is None:
        model._compile_built()
    model._check_compiled()
    fed = model._compiled.fed
    if y is None and fed:
        names = [end.name for end in fed]
        raise ValueError(f'No data provided for "{names[0]}". Need data for each key in: {names}')
    if batch_size is not None:  # for all samples at once, and not in each step
        check_class_numbers(model, data[1])
    return data


def check_stateful_batches(model: Any, x: list, batch_size: int | None) -> None:
    """Raise ValueError where the last batch of a stateful network would be smaller than the others."""
    if batch_size and x and x[0].shape[0] % batch_size != 0 and model.stateful:
        raise ValueError(
            "In a stateful network, you should only pass inputs with a number of samples that can be divided by "
            f"the batch size. Found: {x[0].shape[0]} samples"
        )


def check_class_numbers(model: Any, y: list) -> None:
    """Raise ValueError where targets hold a class number that their output does not have."""
    fed = model._compiled.fed
    standardize.check_class_numbers(y, [end.loss for end in fed], [end.shape for end in fed])


def _inputs(inputs: list[FedInput], x: Any) -> list:
    """The arrays for a model's inputs.

    Raises:
        ValueError: shapes or numbers of arrays are wrong, or one is missing.
    """
    names, shapes = [end.name for end in inputs], [end.shape for end in inputs]
    text = {end.name for end in inputs if end.tensor.dtype == "string"}
    arrays = standardize.standardize_input_data(
        x, names, shapes, check_batch_axis=False, exception_prefix="input", text=text
    )
    if any(array is None for array in arrays):
        raise ValueError(f"No data provided for the inputs {names}.")
    return arrays


def _targets(ends: list[Endpoint], y: Any, sample_weight: Any, class_weight: Any) -> tuple[list, list]:
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


def _take_ranks(model: Any, sample_weight: Any) -> None:
    """Compile a model anew where sample weights are of steps or pixels and it does not know."""
    with model._lock:
        ends = model._compiled.fed
        arrays = standardize.standardize_sample_weights(sample_weight, [end.name for end in ends])
        ranks = {end.name: np.ndim(array) for end, array in zip(ends, arrays) if array is not None}
        modes = {end.name: end.sample_weight_mode for end in model._compiled.endpoints}
        if any(rank != rank_of_weights(modes[name]) for name, rank in ranks.items()):
            model._compile(model._compiled.arguments, weight_modes={**modes, **ranks})


def _arrays_to_build_on(x: Any) -> list:
    """The arrays or tensors in ``x``, as inputs of a model that is built on first sight of data.

    Raises:
        ValueError: they are something else.
    """
    if isinstance(x, dict):
        raise ValueError(
            "Please do not pass a dictionary as model inputs: a model that is built on first sight of data does not know "
            "their names yet."
        )
    arrays = [where_it_lies(v) for v in to_list(x, allow_tuple=True)]
    if all(isinstance(v, (np.ndarray, DeviceArray, Tensor)) for v in arrays):
        return arrays
    if isinstance(x, (list, tuple)) and len(x) and np.ndim(x) and np.asarray(x).dtype != object:
        return [np.asarray(x)]
    raise ValueError(
        f"Please provide as model inputs either a single array or a list of arrays. You passed: x={str(x)[:200]}"
    )
