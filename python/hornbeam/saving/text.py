"""Models as JSON and YAML text."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from .. import backend as K
from ..utils.generic_utils import get_registered_name
from ..utils.messages import shortened
from ..version import KERAS_VERSION
from . import plain_yaml
from .plain_yaml import LONGEST_NUMBER, TOO_DEEP, TooLarge


def model_description(model: Any) -> dict:
    """Class, config, Keras version and backend: what a file says of a model apart from its weights."""
    return {
        "class_name": get_registered_name(type(model)),
        "config": model.get_config(),
        "keras_version": KERAS_VERSION,
        "backend": K.backend(),
    }


def get_json_type(obj: Any) -> Any:
    """What to write for an object that JSON does not know.

    Raises:
        TypeError: nothing sensible.
    """
    if hasattr(obj, "get_config"):
        return {"class_name": get_registered_name(type(obj)), "config": obj.get_config()}
    if isinstance(obj, (np.ndarray, np.generic)):
        return obj.item() if obj.ndim == 0 else {"type": "ndarray", "value": obj.tolist()}
    if isinstance(obj, type) or callable(obj):
        return get_registered_name(obj)
    raise TypeError(f"Not JSON Serializable: {obj!r}")


def model_to_json(model: Any, **kwargs: Any) -> str:
    return json.dumps(model_description(model), default=get_json_type, **kwargs)


def model_to_yaml(model: Any, **kwargs: Any) -> str:
    yaml = _yaml()
    # Through JSON, so that the text holds plain data only: no tuples, no objects.
    return yaml.dump(json.loads(model_to_json(model)), **kwargs)


def parse_model(text: str) -> dict:
    """Parse a model's description in JSON.

    Raises:
        ValueError: it is not JSON, not a dict, or nested deeper than any model is.
    """
    return _dict(parse_json(text))


def _dict(description: Any) -> dict:
    if not isinstance(description, dict):
        raise ValueError(f"Not a model's config: {shortened(description)}")
    return description


def parse_json(text: str) -> Any:
    """Parse JSON from a stranger.

    Raises:
        ValueError: it is not JSON, or nested deeper than any model is, or has an integer of hundreds of digits.
    """
    try:
        description = json.loads(text, parse_int=_integer)
    except RecursionError:
        raise TooLarge(TOO_DEEP) from None
    count_parts(description)
    return description


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:  # reading them takes the square of their number
        raise ValueError(f"The JSON has an integer of {len(digits)} digits, and no model does.")
    return int(digits)


#: Far above any model (a level of nested models takes four), and far below what would exhaust the stack.
MAX_DEPTH = 150
#: Lists and dicts, each counted as often as it is referred to: in YAML a few lines can refer to each other 10^9 times.
MAX_PARTS = 2_000_000


def count_parts(description: Any) -> int:
    """The number of lists and dicts in a description.

    Raises:
        ValueError: there are too many of them, or they are nested too deeply.
    """
    level, count = [description] if isinstance(description, (dict, list, tuple)) else [], 0
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            parts = item.values() if isinstance(item, dict) else item
            below.extend(part for part in parts if isinstance(part, (dict, list, tuple)))
            count += 1
            if len(below) + count > MAX_PARTS:
                raise TooLarge(f"The model's description has more than {MAX_PARTS} parts.")
        if not below:
            return count
        level = below
    raise TooLarge(TOO_DEEP)


def parse_yaml(text: str) -> dict:
    """Parse a model's description in YAML: plain data, and the tuples that Keras wrote; nothing that makes objects.

    Raises:
        ValueError: it is not YAML, not a dict, nested deeper than any model is, or wants an object made.
    """
    try:
        description = plain_yaml.load(text, MAX_DEPTH, MAX_PARTS)
    except plain_yaml.NotPlain as error:
        raise ValueError(f"The model's description is not plain YAML: {error}") from error
    return _dict(description)


def _yaml() -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ImportError("YAML needs the package PyYAML: pip install PyYAML") from error
    return yaml
