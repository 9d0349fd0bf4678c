"""``keras.utils.legacy``: the format of configs before that of ``.keras`` files, which is the one here."""

from .generic_utils import deserialize_keras_object, serialize_keras_object

__all__ = ["deserialize_keras_object", "serialize_keras_object"]
