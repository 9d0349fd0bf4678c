"""Configuration of the backend, unique names, and the calls that managed TensorFlow's session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor, cast, floatx, set_learning_phase
from ..other_names import also_called
from ..settings import settings
from .session import get_session

_BACKEND = "tensorflow"  # scripts branch on the name and files store it, and its semantics are what we follow


def __getattr__(name: str) -> Any:
    """Settings under the names by which Keras's module kept them; scripts read ``K.common._EPSILON``."""
    if name in ("_FLOATX", "_EPSILON", "_IMAGE_DATA_FORMAT"):
        return getattr(settings, name[1:].lower())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def backend() -> str:
    """``'tensorflow'``."""
    return _BACKEND


# -- numbers ------------------------------------------------------------------------------------------
def epsilon() -> float:
    """The small number that keeps logarithms and divisions finite, 1e-7 unless changed."""
    return settings.epsilon


@also_called(value="e")
def set_epsilon(e: float) -> None:
    """Change :func:`epsilon`."""
    settings.epsilon = float(e)


@also_called(value="floatx")
def set_floatx(floatx: str) -> None:
    """Change the default float type.

    Raises:
        ValueError: none of ``'float16'``, ``'float32'``, ``'float64'``.
    """
    graph.set_floatx(floatx)


def cast_to_floatx(x: Any) -> Any:
    """Convert an array (or a tensor) to the default float type.

    Returns:
        A NumPy array for arrays and numbers, a tensor for a tensor.
    """
    if isinstance(x, Tensor):
        return cast(x, floatx())
    return np.asarray(x, dtype=floatx())


# -- image layout -------------------------------------------------------------------------------------
def image_data_format() -> str:
    """``'channels_last'`` or ``'channels_first'``: what layers use when their ``data_format`` is None."""
    return settings.image_data_format


def set_image_data_format(data_format: str) -> None:
    """Change :func:`image_data_format`.

    Raises:
        ValueError: neither ``'channels_last'`` nor ``'channels_first'``.
    """
    settings.image_data_format = _checked_data_format(data_format)


def normalize_data_format(value: str | None) -> str:
    """A layer's ``data_format`` argument, or the default where it is None.

    Raises:
        ValueError: any other value.
    """
    return image_data_format() if value is None else _checked_data_format(value)


def _checked_data_format(value: str) -> str:
    known = value.lower() if isinstance(value, str) else value
    if known not in ("channels_first", "channels_last"):
        raise ValueError(
            f'The `data_format` argument must be one of "channels_first", "channels_last". Received: {value}'
        )
    return known


def image_dim_ordering() -> str:
    """Keras 1's name for the data format: ``'th'`` is channels first, ``'tf'`` channels last."""
    return "th" if image_data_format() == "channels_first" else "tf"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Keras 1's :func:`set_image_data_format`, with ``'th'`` or ``'tf'``."""
    if dim_ordering not in ("tf", "th"):
        raise ValueError(f"Unknown dim_ordering: {dim_ordering}")
    set_image_data_format("channels_first" if dim_ordering == "th" else "channels_last")


# -- names ----------------------------------------------------------------------------------------------
def get_uid(prefix: str = "") -> int:
    """Count uses of ``prefix``: 1, 2, ... Layers number their default names with it."""
    return settings.next_uid(prefix)


def reset_uids() -> None:
    """Let :func:`get_uid` count from 1 again."""
    settings.uids.clear()


# -- what was TensorFlow's ------------------------------------------------------------------------------
def clear_session() -> None:
    """Number layers from 1 again and make the learning phase dynamic.

    There is no global graph to destroy: a model that nobody refers to is freed, the session's functions aside, which go here.
    """
    get_session().close()
    reset_uids()
    set_learning_phase(None)


def manual_variable_initialization(value: bool) -> None:
    """Does nothing: a variable's initial value is computed at its first read, unless it was set before."""


def v1_variable_initialization() -> None:
    """Does nothing; see :func:`manual_variable_initialization`."""


def symbolic(func: Callable) -> Callable:
    """Decorator of Keras 2.3 for functions that build a graph; here everything does."""
    return func


def eager(func: Callable) -> Callable:
    """Decorator of Keras 2.3 for functions that run eagerly; here nothing needs it."""
    return func
