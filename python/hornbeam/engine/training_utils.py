"""Helpers of training: data, batches, weights, losses and metrics (Keras's ``engine.training_utils``)."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import numpy as np

from ..utils.sequence import Sequence
from .compile_arguments import (
    call_metric_function,
    collect_per_output_metric_info,
    get_loss_function,
    get_metric_function,
    get_metric_name,
    get_output_sample_weight_and_mode,
    prepare_loss_functions,
    prepare_loss_weights,
    prepare_sample_weights,
    weighted_masked_objective,
)
from .standardize import (
    check_array_length_consistency,
    check_loss_and_target_compatibility,
    check_num_samples,
    standardize_class_weights,
    standardize_input_data,
    standardize_sample_or_class_weights,
    standardize_sample_weights,
    standardize_single_array,
    standardize_weights,
)

__all__ = [
    "batch_shuffle", "call_metric_function", "check_array_length_consistency", "check_generator_arguments",
    "check_loss_and_target_compatibility", "check_num_samples", "collect_per_output_metric_info",
    "get_input_shape_and_dtype", "get_loss_function", "get_metric_function", "get_metric_name",
    "get_output_sample_weight_and_mode", "get_static_batch_size", "is_generator_or_sequence", "is_sequence",
    "iter_sequence_infinite", "make_batches", "prepare_loss_functions", "prepare_loss_weights",
    "prepare_sample_weights", "should_run_validation", "standardize_class_weights", "standardize_input_data",
    "standardize_sample_or_class_weights", "standardize_sample_weights", "standardize_single_array",
    "standardize_weights", "weighted_masked_objective",
]  # fmt: skip


def make_batches(size, batch_size):
    """``[(0, b), (b, 2b), ...]``: bounds of batches that cover ``size`` samples."""
    return [(start, min(size, start + batch_size)) for start in range(0, size, batch_size)]


def batch_shuffle(index_array, batch_size):
    """Shuffle whole batches, keeping neighbours together: for data in HDF5 files."""
    count = len(index_array) // batch_size
    rest = index_array[count * batch_size :]
    batches = index_array[: count * batch_size].reshape((count, batch_size))
    np.random.shuffle(batches)
    return np.append(batches.flatten(), rest)


def check_generator_arguments(y=None, sample_weight=None, validation_split=None):
    """Raise where arguments are given that a generator yields itself."""
    if y is not None:
        raise ValueError(
            "`y` argument is not supported when data is a generator or Sequence instance. Instead pass targets as "
            "the second element of the generator."
        )
    if sample_weight is not None:
        raise ValueError(
            "`sample_weight` argument is not supported when data is a generator or Sequence instance. Instead pass "
            "sample weights as the third element of the generator."
        )
    if validation_split:
        raise ValueError("If your data is in the form of a Python generator, you cannot use `validation_split`.")


def iter_sequence_infinite(seq):
    """Yield the items of a Sequence again and again."""
    while True:
        yield from seq


def is_sequence(seq):
    """Whether ``seq`` is a ``keras.utils.Sequence``, or has all that makes one."""
    return isinstance(seq, Sequence) or all(hasattr(seq, name) for name in ("__getitem__", "__len__", "on_epoch_end"))


def is_generator_or_sequence(x):
    """Whether ``x`` yields batches rather than being data."""
    builtin = (str, list, tuple, dict, set, frozenset, np.ndarray)
    if isinstance(x, builtin):
        return False
    return hasattr(x, "__next__") or hasattr(x, "next") or is_sequence(x)


def should_run_validation(validation_freq, epoch):
    """Whether to validate after ``epoch`` (which counts from 0).

    Args:
        validation_freq: every that many epochs, or a container of epochs counted from 1.
    """
    if isinstance(validation_freq, int):
        if validation_freq < 1:
            raise ValueError("`validation_freq` can not be less than 1.")
        return (epoch + 1) % validation_freq == 0
    if not isinstance(validation_freq, Container):
        raise ValueError("`validation_freq` must be an Integer or `collections.Container` (e.g. list, tuple, etc.)")
    return epoch + 1 in validation_freq


def get_static_batch_size(layer):
    """The batch size that the model's inputs fix, or None."""
    shape, _ = get_input_shape_and_dtype(layer)
    return None if shape is None else shape[0]


def get_input_shape_and_dtype(layer: Any):
    """Batch input shape and dtype of the first layer, looking into nested models; (None, None) if unknown."""
    while getattr(layer, "_is_graph_network", False):
        if not layer.layers:
            raise ValueError("An empty Model cannot be used as a Layer.")
        layer = layer.layers[0]
    shape = getattr(layer, "batch_input_shape", None)
    return (None, None) if shape is None else (shape, layer.dtype)
