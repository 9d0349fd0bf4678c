"""Saving and loading models. Loading executes nothing that a file holds unless the caller says so."""

from ..utils.generic_utils import (  # where later tf.keras has them, too
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from .configs import model_from_config, model_from_json, model_from_yaml
from .hdf5 import load_attributes_from_hdf5_group, save_attributes_to_hdf5_group
from .legacy_weights import preprocess_weights_for_loading
from .model_file import load_model, pickle_model, save_model, unpickle_model
from .objects import deserialize_keras_object, serialize_keras_object
from .weights import (
    load_weights_from_hdf5_group,
    load_weights_from_hdf5_group_by_name,
    save_weights_to_hdf5_group,
)

__all__ = [
    "CustomObjectScope", "custom_object_scope", "deserialize_keras_object", "get_custom_objects", "get_registered_name",
    "get_registered_object", "load_attributes_from_hdf5_group", "load_model", "load_weights_from_hdf5_group",
    "load_weights_from_hdf5_group_by_name", "model_from_config", "model_from_json", "model_from_yaml",
    "pickle_model", "preprocess_weights_for_loading", "register_keras_serializable", "save_attributes_to_hdf5_group",
    "save_model", "save_weights_to_hdf5_group", "serialize_keras_object", "unpickle_model",
]  # fmt: skip
