"""From configs to models, without trusting them."""

from __future__ import annotations

from typing import Any

from ..utils.generic_utils import allow_code_loading
from .migrate import migrate
from .text import parse_json, parse_yaml


def model_from_config(config, custom_objects=None, lambdas=None):
    """Make a model (with new weights) from ``{class_name, config}``.

    Args:
        config: dict with class name and config, as in a file.
        custom_objects: dict from name to class or function.
        lambdas: dict from the name of a Lambda layer to the function to use for it.

    Raises:
        TypeError: a list instead of a dict.
        ValueError: no valid config.
    """
    from ..layers import deserialize

    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. Maybe you meant to use "
            "`Sequential.from_config(config)`?"
        )
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(f"Not a model's config: {str(config)[:200]}")
    custom_objects = dict(custom_objects or {})
    if lambdas:
        config, given = _with_functions(config, lambdas)
        custom_objects.update(given)
    try:
        config = migrate(config)
        return deserialize(config, custom_objects=custom_objects)
    except (KeyError, AttributeError, IndexError, TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"Invalid model config: {type(error).__name__}: {error}") from error


def _with_functions(config: Any, lambdas: dict) -> tuple[Any, dict]:
    """Replace the code in the configs of Lambda layers by names, and say which functions the names mean."""
    given = {f"lambda of layer {name}": function for name, function in lambdas.items()}

    def replace(item: Any) -> Any:
        if isinstance(item, list):
            return [replace(part) for part in item]
        if not isinstance(item, dict):
            return item
        item = {key: replace(part) for key, part in item.items()}
        inner = item.get("config")
        if item.get("class_name") == "Lambda" and isinstance(inner, dict) and inner.get("name") in lambdas:
            inner["function"] = f"lambda of layer {inner['name']}"
            inner["function_type"] = "function"
        return item

    return replace(config), given


def model_from_json(json_string, custom_objects=None, safe_mode=True, lambdas=None):
    """Make a model from the text of ``model.to_json()``; see :func:`load_model` for ``safe_mode`` and ``lambdas``."""
    with allow_code_loading(not safe_mode):
        return model_from_config(parse_json(json_string), custom_objects, lambdas)


def model_from_yaml(yaml_string, custom_objects=None, safe_mode=True, lambdas=None):
    """Make a model from the text of ``model.to_yaml()``; see :func:`load_model` for ``safe_mode`` and ``lambdas``."""
    with allow_code_loading(not safe_mode):
        return model_from_config(parse_yaml(yaml_string), custom_objects, lambdas)
