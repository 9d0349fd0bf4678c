"""Utilities, as Keras names them; each is imported when first used."""

from __future__ import annotations

from ..lazy import lazy_attributes

_WHERE = {
    "np_utils": ("to_categorical", "to_ordinal", "normalize"),
    "generic_utils": (
        "CustomObjectScope", "custom_object_scope", "get_custom_objects", "get_registered_name", "get_registered_object",
        "register_keras_serializable",
    ),
    "progbar": ("Progbar",),
    "sequence": ("Sequence",),
    "data_utils": ("GeneratorEnqueuer", "OrderedEnqueuer", "SequenceEnqueuer", "get_file"),
    "io_utils": ("H5Dict", "HDF5Matrix"),
    "layer_utils": ("convert_all_kernels_in_model", "get_source_inputs", "print_summary"),
    "vis_utils": ("model_to_dot", "plot_model"),
    "image_utils": ("array_to_img", "img_to_array", "load_img", "save_img"),
    "seeds": ("set_random_seed",),
    "serialization": ("deserialize_keras_object", "serialize_keras_object"),
    "io_messages": ("disable_interactive_logging", "enable_interactive_logging", "is_interactive_logging_enabled"),
    "warmstart": ("warmstart_embedding_matrix",),
    "multi_gpu_utils": ("multi_gpu_model",),
}  # fmt: skip
_MODULES = (*_WHERE, "conv_utils", "legacy", "losses_utils", "metrics_utils", "test_utils")
_NAMES = {name: module for module, names in _WHERE.items() for name in names}
_NAMES["FeatureSpace"] = ".layers.feature_space"
_NAMES["pad_sequences"] = ".preprocessing.sequence"
_NAMES |= dict.fromkeys(("pack_x_y_sample_weight", "unpack_x_y_sample_weight"), ".engine.data_adapter")
_NAMES |= {f"{kind}_dataset_from_directory": ".tf.data.directories" for kind in ("audio", "image", "text")}
_NAMES |= {"timeseries_dataset_from_array": ".tf.data.timeseries", "split_dataset": ".tf.data.splitting"}

__all__ = sorted([*_NAMES, *_MODULES])

__getattr__, __dir__ = lazy_attributes(globals(), _NAMES, _MODULES)
