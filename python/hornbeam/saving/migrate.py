"""Configs that other generations of Keras wrote, turned into those of Keras 2.3.1.

What a newer Keras adds is dropped where it says nothing (``groups: 1``), and is an error where it means something
that 2.3.1 has no layer or argument for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from typing import Any

from .. import optimizers
from ..optimizers.generations import spelled_out
from ..utils.messages import warn_user
from .keras3 import as_tf_keras

#: keys that only say where something came from
_ORIGINS = ("module", "registered_name", "build_config", "shared_object_id")

#: packages that have Keras's own classes
_PACKAGES = ("keras", "tf_keras", "tensorflow")

#: keys of newer versions, and the values for which they change nothing
_NEUTRAL: dict[str, tuple] = {
    "ragged": (False, None),
    "optional": (False,),
    "reverse_state_order": (False,),
    "synchronized": (False, True),  # over devices, of which there is one
    "renorm": (False,),
    "virtual_batch_size": (None,),
    # of Keras 3
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99,),
    "quantization_config": (None,),
    "lora_rank": (None,),
    "lora_alpha": (None,),
    "autocast": (True,),
    "use_gate": (False,),
    "sliding_window": (None,),
    "rms_scaling": (False,),
    "flash_attention": (None, False),
}

_FAN_INITIALIZERS = {
    "GlorotUniform": (1.0, "fan_avg", "uniform"),
    "GlorotNormal": (1.0, "fan_avg", "normal"),
    "HeUniform": (2.0, "fan_in", "uniform"),
    "HeNormal": (2.0, "fan_in", "normal"),
    "LecunUniform": (1.0, "fan_in", "uniform"),
    "LecunNormal": (1.0, "fan_in", "normal"),
}
_INITIALIZERS = {
    *_FAN_INITIALIZERS, "Zeros", "Ones", "Constant", "RandomNormal", "RandomUniform", "TruncatedNormal",
    "VarianceScaling", "Orthogonal", "Identity",
}  # fmt: skip
_DEFAULT_SEEDED = (
    "GaussianNoise", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "SimpleRNN", "GRU",
    "LSTM", "SimpleRNNCell", "GRUCell", "LSTMCell", "ConvLSTM2D", "Attention", "AdditiveAttention", "MultiHeadAttention",
)  # fmt: skip


_CONTAINERS = (dict, list, tuple)  # a file's other parts are many: they are not worth a call each


def migrate(item: Any, keras_version: str | None = None) -> Any:
    """The config ``item``, with all configs inside it, as Keras 2.3.1 would have written it.

    Args:
        keras_version: who wrote it, as far as it is known.

    Raises:
        ValueError: it asks for something that Keras 2.3.1 does not have.
    """
    if isinstance(item, (list, tuple)):
        return [migrate(part, keras_version) if isinstance(part, _CONTAINERS) else part for part in item]
    if not isinstance(item, dict):
        return item
    if not isinstance(item.get("class_name"), str) or "config" not in item:
        return {key: migrate(value, keras_version) for key, value in item.items()}
    if item["class_name"] == "function" and isinstance(item["config"], str):  # a user's, from 2.13 on
        return item["config"]
    users = users_class(item)
    built = item.get("build_config")
    item = {key: migrate(value, keras_version) for key, value in item.items() if key not in _ORIGINS}
    if users is not None:
        return {**item, "class_name": users, **({} if built is None else {"build_config": built})}
    name = item["class_name"] = _CLASSES.get(item["class_name"], item["class_name"])
    if isinstance(item["config"], dict):
        item["config"] = dict(item["config"])
        if name in _INITIALIZERS:
            _initializer(item)
        elif name in ("L1", "L2"):
            item["class_name"] = "L1L2"
        elif name not in ("Model", "Sequential"):
            _layer(name, item["config"])
            if name == "UpSampling2D" and item["config"].get("interpolation") == "bilinear" and is_tf(keras_version):
                item["config"]["interpolation"] = "bilinear_half_pixel"
            if is_tf(keras_version):
                item["autocast"] = True
            if name == "Bidirectional" and is_tf(keras_version):
                _zero_masked_steps(item["config"].get("layer"))
    return item


def users_class(item: dict) -> str | None:
    """The name under which loading looks for a user's class, where a file says that an object is of one, else None."""
    registered, origin = item.get("registered_name"), str(item.get("module")).split(".")[0]
    if not isinstance(registered, str) or origin in _PACKAGES:
        return None
    return registered if ">" in registered else f"Custom>{registered}"


def _zero_masked_steps(layer: Any) -> None:
    """What tf.keras does to a layer inside of Bidirectional, which its config does not say."""
    if isinstance(layer, dict) and isinstance(layer.get("config"), dict) and layer["config"].get("return_sequences"):
        layer["config"]["zero_output_for_mask"] = True


def is_tf(keras_version: Any) -> bool:
    """Whether a version is one of tf.keras (from TensorFlow 1.14, ``2.2.4-tf``, on)."""
    match = re.match(r"(\d+)\.(\d+)", str(keras_version))
    return str(keras_version).endswith("-tf") or (match is not None and (int(match[1]), int(match[2])) >= (2, 4))


_CLASSES = {"Functional": "Model"}


def _initializer(item: dict) -> None:
    config = item["config"]
    for key in ("dtype", "input_axes", "output_axes"):
        config.pop(key, None)
    if item["class_name"] in _FAN_INITIALIZERS:
        scale, mode, distribution = _FAN_INITIALIZERS[item["class_name"]]
        item["class_name"] = "VarianceScaling"
        item["config"] = {"scale": scale, "mode": mode, "distribution": distribution, "seed": config.get("seed")}
    elif config.get("distribution") == "truncated_normal":
        config["distribution"] = "normal"


def _layer(kind: str, config: dict) -> None:
    for key, harmless in _NEUTRAL.items():
        if key in config:
            value = config.pop(key)
            if value not in harmless:
                raise ValueError(
                    f'Layer "{config.get("name")}" ({kind}) has {key}={value!r}, which Keras 2 has no support for.'
                )
    if config.get("groups") == 1 and kind != "GroupNormalization":
        del config["groups"]  # a number in convolutions, which most of them did not have in Keras 2.3.1
    for key, default in (("keepdims", False), ("backward_layer", None)):
        if key in config and config[key] is default:
            del config[key]
    if "dtype" in config:
        _dtype(kind, config)
    if kind == "BatchNormalization" and isinstance(config.get("axis"), (list, tuple)) and len(config["axis"]) != 1:
        raise ValueError(f'Layer "{config.get("name")}" normalizes over several axes: {config["axis"]}')
    if kind in ("SeparableConv1D", "SeparableConv2D", "DepthwiseConv2D"):
        for key in ("kernel_initializer", "kernel_regularizer", "kernel_constraint"):  # written, but without meaning
            config.pop(key, None)
    for key in ("zero_output_for_mask", "time_major"):
        if config.get(key) is False:
            del config[key]
    if kind in _DEFAULT_SEEDED:
        config.pop("seed", None)
    if kind in ("ZeroPadding1D", "Cropping1D", "UpSampling1D") and config.get("data_format") == "channels_last":
        del config["data_format"]
    if kind == "Embedding" and config.get("sparse") is False:
        del config["sparse"]


def _dtype(kind: str, config: dict) -> None:
    dtype = config["dtype"]
    if isinstance(dtype, dict) and dtype.get("class_name") in ("Policy", "DTypePolicy"):
        dtype = dtype["config"].get("name")
    if dtype is None:
        del config["dtype"]
    elif dtype in ("mixed_float16", "mixed_bfloat16"):
        warn_user(f"The model was saved with the policy {dtype!r}; it computes in float32 here.")
        config["dtype"] = "float32"  # the dtype of its weights
    elif kind == "Embedding" and isinstance(dtype, str) and dtype.startswith("int"):
        del config["dtype"]  # up to 2.2 it was the dtype of the indices, not of the vectors
    elif isinstance(dtype, str) and not dtype.startswith("mixed_"):
        config["dtype"] = dtype
    else:
        raise ValueError(
            f'Layer "{config.get("name")}" ({kind}) has the dtype policy {dtype!r}, which is not supported.'
        )


# -- training -----------------------------------------------------------------------------------------------
_OPTIMIZER_NEUTRAL: dict[str, tuple] = {
    "loss_scale_factor": (None,),
    "gradient_accumulation_steps": (None,),
}
#: how the newer optimizers are run, or start; nothing that matters once their state is loaded
_OPTIMIZER_DROPPED = ("name", "jit_compile", "is_legacy_optimizer", "initial_accumulator_value")
#: what matters only where moving averages of the weights are kept
_OF_AVERAGES = ("use_ema", "ema_momentum", "ema_overwrite_frequency")


def migrate_training(training: dict, keras_version: str | None = None, custom: Container[str] = ()) -> dict:
    """A training config (of an HDF5 file) or compile config (of a ``.keras`` file) as Keras 2.3.1 had it.

    Args:
        keras_version: who wrote it, as far as it is known.
        custom: names of the caller's own classes, whose arguments only their author knows.
    """
    training = as_tf_keras(training)
    optimizer = training.get("optimizer_config", training.get("optimizer"))
    optimizer = _described(optimizer) if isinstance(optimizer, str) else optimizer
    return {
        "optimizer_config": _optimizer(optimizer, is_tf(keras_version), custom),
        "loss": _walk(training.get("loss"), migrate_loss),
        "metrics": _walk(training.get("metrics"), _metric),
        "weighted_metrics": _walk(training.get("weighted_metrics"), _metric),
        "sample_weight_mode": training.get("sample_weight_mode"),
        "loss_weights": training.get("loss_weights"),
    }


def _walk(item: Any, convert: Callable) -> Any:
    if isinstance(item, (list, tuple)):
        return [_walk(part, convert) for part in item]
    if not isinstance(item, dict):
        return item
    if "class_name" in item and "config" in item:
        return convert({"class_name": item["class_name"], "config": dict(item["config"])})
    return {key: _walk(value, convert) for key, value in item.items()}


def _described(name: str) -> dict:
    """An optimizer that was compiled by its name alone, with the arguments that later Keras gave it."""
    config: dict = {"learning_rate": 0.01 if name.lower() == "sgd" else 0.001, "is_legacy_optimizer": False}
    return {"class_name": {"rmsprop": "RMSprop", "adagrad": "Adagrad"}.get(name.lower(), name), "config": config}


def _optimizer(item: Any, by_tf: bool, custom: Container[str]) -> dict:
    if not isinstance(item, dict):
        raise ValueError(f"The file has no optimizer's config but {str(item)[:100]}. Load it with compile=False.")
    package, _, kind = item["class_name"].rpartition(">")
    config = dict(item["config"])
    if package not in ("", "Custom"):  # "Custom" is also where TensorFlow 2.11 had its new optimizers
        return {"class_name": item["class_name"], "config": config}
    if kind in ("LossScaleOptimizer", "LossScaleOptimizerV3"):  # of mixed precision: scales what float16 cannot hold
        return _optimizer(config.get("inner_optimizer", config.get("optimizer")), by_tf, custom)
    if kind in custom or not hasattr(optimizers, kind):
        return {"class_name": kind, "config": config}
    if "gradient_accumulation_steps" in config:  # Keras 3 went on with the optimizers of 2.11
        config["is_legacy_optimizer"] = False
    for key, harmless in _OPTIMIZER_NEUTRAL.items():
        if key in config and config.pop(key) not in harmless:
            raise ValueError(
                f"The optimizer {kind} was saved with {key}, which Keras 2 does not have. Load the model with "
                "compile=False and compile it anew."
            )
    if kind in ("RMSprop", "Adagrad") and config.get("is_legacy_optimizer") is False:
        config["epsilon_under_root"] = True
    if kind == "Nadam" and config.get("is_legacy_optimizer") is False:
        config["schedule_decay"] = 1.0  # the later one has 0.96 ** step where Keras 2.3.1 has 0.96 ** (0.004 * step)
    for key in _OPTIMIZER_DROPPED + (() if config.get("use_ema") else _OF_AVERAGES):
        if key != "initial_accumulator_value" or kind != "Ftrl":
            config.pop(key, None)
    if by_tf and config.get("clipnorm") is not None:
        config["clip_each"] = True
    for key in ("clipnorm", "global_clipnorm", "clipvalue", "weight_decay"):
        if key in config and config[key] is None:
            del config[key]
    rate = config.get("learning_rate")
    if isinstance(rate, dict) and rate.get("class_name") == "InverseTimeDecay" and not rate["config"].get("staircase"):
        # The only schedule that Keras 2.3.1 has, whose rate a callback may change: rate / (1 + decay * steps).
        of = rate["config"]
        config.update(learning_rate=of["initial_learning_rate"], decay=of["decay_rate"] / of["decay_steps"])
    elif isinstance(rate, dict):
        config["learning_rate"] = {key: rate[key] for key in ("class_name", "config")}
    return {"class_name": kind, "config": spelled_out(kind, config)}


def migrate_loss(item: dict) -> dict:
    """The config of a loss as its class here takes it."""
    config = {key: value for key, value in item["config"].items() if key not in ("fn", "dtype")}
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    return {**item, "config": config}


def _metric(item: dict) -> Any:
    if item["class_name"] == "MeanMetricWrapper":
        return {"class_name": "MeanMetricWrapper", "config": {k: item["config"].get(k) for k in ("name", "fn")}}
    return item
