"""``keras.utils``'s two functions between objects and configs, of Keras 2.3.1 and of tf.keras."""

from __future__ import annotations

from typing import Any

from ..saving import objects
from ..settings import settings
from . import generic_utils


def serialize_keras_object(instance: Any = None, *, obj: Any = None) -> Any:
    """An object as plain data: ``{class_name, config}``; in scripts for TensorFlow 2 as :mod:`hornbeam.saving` has it.

    Args:
        obj: tf.keras's name of the argument.
    """
    instance = obj if instance is None else instance
    later = settings.dialect.number == 2
    return objects.serialize_keras_object(instance) if later else generic_utils.serialize_keras_object(instance)


def deserialize_keras_object(
    identifier: Any = None,
    module_objects: dict[str, Any] | None = None,
    custom_objects: dict[str, Any] | None = None,
    printable_module_name: str = "object",
    *,
    config: Any = None,
    safe_mode: bool = True,
) -> Any:
    """The object that a config or a name stands for.

    Args:
        identifier: the config, in either format; or a name.
        module_objects: names that are known without being custom; by default those of the library.
        custom_objects: the caller's own; they come first.
        printable_module_name: what it should be, for the error message.
        config: tf.keras's name of the first argument.
        safe_mode: whether Python code in a config is refused.

    Raises:
        ValueError: an unknown name, a malformed config, or code that is not to be run.
    """
    identifier = config if identifier is None else identifier
    if module_objects is None and not isinstance(identifier, str):
        return objects.deserialize_keras_object(identifier, custom_objects, safe_mode)
    return generic_utils.deserialize_keras_object(identifier, module_objects, custom_objects, printable_module_name)
