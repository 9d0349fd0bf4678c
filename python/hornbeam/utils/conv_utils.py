"""Sizes and arguments of convolutions and pooling."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import normalize_data_format  # noqa: F401 - here until Keras 2.2.2


def normalize_tuple(value: Any, n: int, name: str) -> tuple[int, ...]:
    """A tuple of n integers from a number or a sequence; ``name`` is the argument's, for the error.

    Raises:
        ValueError: another length, or entries that are no integers.
    """
    message = f"The `{name}` argument must be a tuple of {n} integers. Received: {value}"
    if isinstance(value, (bool, np.bool_)):
        raise ValueError(message)
    if isinstance(value, (int, np.integer)):
        return (int(value),) * n
    try:
        values = tuple(value)
    except TypeError:
        raise ValueError(message) from None
    if len(values) != n or any(isinstance(v, (bool, np.bool_)) for v in values):
        raise ValueError(message)
    try:
        integers = tuple(int(v) for v in values)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(message) from None
    if any(i != v for i, v in zip(integers, values) if not isinstance(v, str)):
        raise ValueError(message)
    return integers


def normalize_size(value: Any, name: str) -> int:
    """A positive integer; 16.0 is one, since ``n / 2`` was an integer in scripts written for Python 2.

    Raises:
        ValueError: zero, a negative number or a fraction.
        TypeError: no number.
    """
    if isinstance(value, (str, bytes, bool)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"The `{name}` argument must be a positive integer. Received: {value!r}")
    if not (0 < value < math.inf and value == int(value)):  # NaN is neither
        raise ValueError(f"The `{name}` argument must be a positive integer. Received: {value}")
    return int(value)


def normalize_padding(value: str) -> str:
    """``'valid'``, ``'same'`` or ``'causal'``, in lower case.

    Raises:
        ValueError: anything else.
    """
    padding = value.lower() if isinstance(value, str) else value
    if padding not in ("valid", "same", "causal"):
        raise ValueError(
            f'The `padding` argument must be one of "valid", "same" (or "causal" for Conv1D). Received: {padding}'
        )
    return padding


def convert_kernel(kernel: np.ndarray) -> np.ndarray:
    """Flip the spatial axes of a kernel (3 to 5 axes), which turns a Theano kernel into a TensorFlow one and back.

    Raises:
        ValueError: a kernel of another rank.
    """
    kernel = np.asarray(kernel)
    if not 3 <= kernel.ndim <= 5:
        raise ValueError(f"Invalid kernel shape: {kernel.shape}")
    spatial = (slice(None, None, -1),) * (kernel.ndim - 2)
    return np.copy(kernel[spatial])


def _reach(size: int, dilation: int) -> int:
    """How many cells a dilated window spans."""
    return (size - 1) * dilation + 1


def conv_output_length(
    input_length: int | None, filter_size: int, padding: str, stride: int, dilation: int = 1
) -> int | None:
    """Length of a convolution's output; None for an unknown input length."""
    if input_length is None:
        return None
    assert padding in ("same", "valid", "full", "causal"), f"unknown padding {padding!r}"
    reach = _reach(filter_size, dilation)
    extra = {"same": 0, "causal": 0, "valid": 1 - reach, "full": reach - 1}[padding]
    return -(-(input_length + extra) // stride)


def conv_input_length(output_length: int | None, filter_size: int, padding: str, stride: int) -> int | None:
    """Length of a convolution's input for a given output; None for an unknown one."""
    if output_length is None:
        return None
    assert padding in ("same", "valid", "full"), f"unknown padding {padding!r}"
    pad = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[padding]
    return (output_length - 1) * stride - 2 * pad + filter_size


def deconv_length(
    dim_size: Any, stride_size: int, kernel_size: int, padding: str, output_padding: int | None, dilation: int = 1
) -> Any:
    """Length of a transposed convolution's output; None for an unknown input length.

    Args:
        output_padding: cells added at the end; None takes the length whose convolution has exactly ``dim_size``.
    """
    if dim_size is None:
        return None
    reach = _reach(kernel_size, dilation)
    if output_padding is None:
        extra = {"same": 0, "valid": max(reach - stride_size, 0), "full": 2 - stride_size - reach}[padding]
        return dim_size * stride_size + extra
    pad = {"same": reach // 2, "valid": 0, "full": reach - 1}[padding]
    return (dim_size - 1) * stride_size + reach - 2 * pad + output_padding
