"""The backend under the module path from which scripts import ``set_session`` and its like."""

from typing import Any

from .. import graph
from ..graph import Tensor
from . import *  # noqa: F403
from . import permute_dimensions

_LOCAL_DEVICES = None  #: scripts put a ``_get_available_gpus`` of their own here, which asks whether this is still None


def _get_available_gpus() -> list[str]:
    """No GPU: scripts count them to choose between one and several."""
    return []


def _is_tf_1() -> bool:
    """True: what Keras 2.3.1 did on TensorFlow 1 is done here (sessions, feeds, symbolic tensors), and scripts ask."""
    return True


# What layers written on TensorFlow's own functions took from here.
def _to_tensor(x: Any, dtype: Any) -> Tensor:
    """A tensor of numbers or arrays; a tensor as it is."""
    return graph.convert(x, graph.dtype_name(dtype))


def _preprocess_padding(padding: str) -> str:
    """TensorFlow's word for ``'same'`` or ``'valid'``.

    Raises:
        ValueError: any other padding.
    """
    if padding not in ("same", "valid"):
        raise ValueError(f"Invalid padding: {padding}")
    return padding.upper()


def _channels_last(x: Tensor, data_format: str, name: str) -> tuple[Tensor, str]:
    if data_format == "channels_first":
        x = permute_dimensions(x, [0, *range(2, x.ndim), 1])
    return x, name


def _preprocess_conv1d_input(x: Tensor, data_format: str) -> tuple[Tensor, str]:
    """x with its channels last, as it was on CPUs, and TensorFlow's name for that layout."""
    return _channels_last(x, data_format, "NWC")


def _preprocess_conv2d_input(x: Tensor, data_format: str, force_transpose: bool = False) -> tuple[Tensor, str]:
    """As :func:`_preprocess_conv1d_input`, for images."""
    return _channels_last(x, data_format, "NHWC")


def _preprocess_conv3d_input(x: Tensor, data_format: str) -> tuple[Tensor, str]:
    """As :func:`_preprocess_conv1d_input`, for volumes."""
    return _channels_last(x, data_format, "NDHWC")
