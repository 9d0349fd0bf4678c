"""Keras 1 spellings of arguments, accepted with a warning as 2.3.1 did.

Each ``legacy_*_support`` at the end is a decorator that one line of a table describes: which old names mean which new
ones, which old values mean which new ones, and what else has to be rearranged first.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..settings import settings
from ..utils.messages import warn_user

Arguments = tuple[Any, dict[str, Any], list[tuple[str, str | None]]]


def later_defaults(rule: str, **defaults: Any) -> Callable[[Callable], Callable]:
    """Decorate a method: in dialects that have the rule, arguments that are not passed have these values."""

    def decorate(method: Callable) -> Callable:
        names = list(inspect.signature(method).parameters)

        @functools.wraps(method)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if getattr(settings.dialect, rule):
                passed = names[: len(args)]
                kwargs = {**{name: value for name, value in defaults.items() if name not in passed}, **kwargs}
            return method(*args, **kwargs)

        return wrapper

    return decorate


def generate_legacy_interface(
    allowed_positional_args: Sequence[str] | None = None,
    conversions: Iterable[tuple[str, str]] | None = None,
    preprocessor: Callable[[Sequence[Any], dict[str, Any]], Arguments] | None = None,
    value_conversions: dict[str, dict] | None = None,
    object_type: str = "class",
) -> Callable[[Callable], Callable]:
    """Make a decorator of a method that accepts old arguments.

    Args:
        allowed_positional_args: names of arguments that may be positional; None leaves that to the method.
        conversions: pairs (old name, new name).
        preprocessor: from (args, kwargs) to (args, kwargs, what was converted); args begin with ``self``.
        value_conversions: from an argument's name to {old value: new value}.
        object_type: ``'class'`` names the class in messages, anything else the method.
    """
    conversions = list(conversions or [])

    def decorate(func: Callable) -> Callable:
        @functools.wraps(func)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            name = type(args[0]).__name__ if object_type == "class" else func.__name__
            converted: list = []
            if preprocessor is not None:
                args, kwargs, converted = preprocessor(args, kwargs)
            if allowed_positional_args is not None and len(args) > len(allowed_positional_args) + 1:
                raise TypeError(
                    f"`{name}` can accept only {len(allowed_positional_args)} positional arguments "
                    f"{tuple(allowed_positional_args)}, but you passed the following positional arguments: {list(args[1:])}"
                )
            for argument, values in (value_conversions or {}).items():
                if isinstance(kwargs.get(argument), str):
                    kwargs[argument] = values.get(kwargs[argument], kwargs[argument])
            for old, new in conversions:
                if old in kwargs:
                    if new in kwargs:
                        raise_duplicate_arg_error(old, new)
                    kwargs[new] = kwargs.pop(old)
                    converted.append((new, old))
            if converted:
                call = ", ".join([*map(_show, args[1:]), *(f"{k}={_show(v)}" for k, v in kwargs.items())])
                warn_user(f"Update your `{name}` call to the Keras 2 API: `{name}({call})`")
            return func(*args, **kwargs)

        return wrapper

    return decorate


def _show(value: Any) -> str:
    """A value in a message: short."""
    if isinstance(value, str):
        return f'"{value}"'
    text = "array" if isinstance(value, np.ndarray) else str(value)
    return text if len(text) <= 10 else text[:10] + "..."


def raise_duplicate_arg_error(old_arg: str, new_arg: str) -> None:
    """Raise TypeError: an argument was given under both names."""
    raise TypeError(
        f"For the `{new_arg}` argument, the layer received both the legacy keyword argument `{old_arg}` and the Keras 2 "
        f"keyword argument `{new_arg}`. Stick to the latter!"
    )


# -- preprocessors: (args, kwargs) to (args, kwargs, what was converted) ---------------------------------------
def embedding_kwargs_preprocessor(args, kwargs):
    """``dropout`` is gone."""
    if "dropout" in kwargs:
        del kwargs["dropout"]
        warn_user(
            "The `dropout` argument is no longer support in `Embedding`. You can apply a "
            "`keras.layers.SpatialDropout1D` layer right after the `Embedding` layer to get the same behavior."
        )
    return args, kwargs, []


def _forget_bias(kwargs: dict) -> list:
    """``forget_bias_init='one'`` became ``unit_forget_bias=True``."""
    if "forget_bias_init" not in kwargs:
        return []
    if kwargs.pop("forget_bias_init") == "one":
        kwargs["unit_forget_bias"] = True
        return [("forget_bias_init", "unit_forget_bias")]
    warn_user(
        "The `forget_bias_init` argument has been ignored. Use `unit_forget_bias=True` instead to initialize with ones."
    )
    return []


def _sequence_shape(kwargs: dict) -> list:
    """``input_dim`` and ``input_length`` became ``input_shape``."""
    if "input_dim" not in kwargs:
        return []
    kwargs["input_shape"] = (kwargs.pop("input_length", None), kwargs.pop("input_dim"))
    return [("input_shape", "input_dim")]


def recurrent_args_preprocessor(args, kwargs):
    """The forget bias, and the input's shape."""
    converted = _forget_bias(kwargs)
    return args, kwargs, converted + _sequence_shape(kwargs)


def conv1d_args_preprocessor(args, kwargs):
    """The input's shape."""
    return args, kwargs, _sequence_shape(kwargs)


def _kernel_size(args: Sequence[Any], kwargs: dict, names: tuple[str, ...], label: str) -> Arguments:
    """One number per axis, positional (after self and filters) or by ``names``, became ``kernel_size``."""
    given, rest = list(args[2:]), names
    if len(given) == 1 and not isinstance(given[0], int):
        return args, kwargs, []
    if len(given) > 1 and settings.dialect.positional_strides:
        return args, kwargs, []
    if len(given) <= len(names) and all(isinstance(n, int) for n in given):
        rest = names[len(given) :]
        if len(given) + len(rest) == len(names) and all(name in kwargs for name in rest):
            if not rest:
                _refuse_new_keywords(kwargs)
            size = (*given, *(kwargs.pop(name) for name in rest))
            if len(args) < 2:
                kwargs["kernel_size"] = size
                return args, kwargs, [("kernel_size", label)]
            return [*args[:2], size], kwargs, [("kernel_size", label)]
    return args, kwargs, []


def _refuse_new_keywords(kwargs: dict) -> None:
    if any(name in kwargs for name in ("padding", "strides", "data_format")):
        raise ValueError(
            "It seems that you are using the Keras 2 and you are passing both `kernel_size` and `strides` as integer "
            "positional arguments. For safety reasons, this is disallowed. Pass `strides` as a keyword argument instead."
        )


def conv2d_args_preprocessor(args, kwargs):
    """``nb_row`` and ``nb_col``."""
    return _kernel_size(args, kwargs, ("nb_row", "nb_col"), "nb_row/nb_col")


def conv3d_args_preprocessor(args, kwargs):
    """``kernel_dim1`` to ``kernel_dim3``."""
    return _kernel_size(args, kwargs, ("kernel_dim1", "kernel_dim2", "kernel_dim3"), "kernel_dim*")


def separable_conv2d_args_preprocessor(args, kwargs):
    """``init`` stood for both kernels."""
    converted = []
    if "init" in kwargs:
        kwargs["depthwise_initializer"] = kwargs["pointwise_initializer"] = kwargs.pop("init")
        converted = [("init", "depthwise_initializer/pointwise_initializer")]
    args, kwargs, more = conv2d_args_preprocessor(args, kwargs)
    return args, kwargs, converted + more


def deconv2d_args_preprocessor(args, kwargs):
    """``output_shape`` is computed now; it stood after the kernel's size."""
    converted: list = []
    if len(args) == 5 and isinstance(args[4], tuple):
        args = args[:-1]
        converted.append(("output_shape", None))
    if "output_shape" in kwargs:
        del kwargs["output_shape"]
        converted.append(("output_shape", None))
    args, kwargs, more = conv2d_args_preprocessor(args, kwargs)
    return args, kwargs, converted + more


def convlstm2d_args_preprocessor(args, kwargs):
    """The forget bias, and the kernel's size."""
    converted = _forget_bias(kwargs)
    args, kwargs, more = conv2d_args_preprocessor(args, kwargs)
    return args, kwargs, converted + more


def batchnorm_args_preprocessor(args, kwargs):
    """``mode`` is gone; only 0 is left of it."""
    if "mode" not in kwargs:
        return args, kwargs, []
    if kwargs.pop("mode") != 0:
        raise TypeError(
            "The `mode` argument of `BatchNormalization` no longer exists. `mode=1` and `mode=2` are no longer supported."
        )
    return args, kwargs, [("mode", None)]


_SIDES = ("top_pad", "bottom_pad", "left_pad", "right_pad")


def zeropadding2d_args_preprocessor(args, kwargs):
    """Paddings were dicts with a key per side."""
    positional = len(args) == 2
    padding = args[1] if positional else kwargs.get("padding")
    if isinstance(padding, dict) and set(padding) <= set(_SIDES):
        top, bottom, left, right = (padding.get(side, 0) for side in _SIDES)
        pairs = ((top, bottom), (left, right))
        warn_user(
            "The `padding` argument in the Keras 2 API no longer accepts dict types. You can now input argument as: "
            "`padding=((top_pad, bottom_pad), (left_pad, right_pad))`."
        )
        if positional:
            args = (args[0], pairs)
        else:
            kwargs["padding"] = pairs
    return args, kwargs, []


def generator_methods_args_preprocessor(args, kwargs):
    """Epochs were counted in samples, not in batches."""
    converted = []
    old = {"samples_per_epoch", "val_samples", "nb_epoch", "nb_val_samples", "nb_worker"}.intersection(kwargs)
    if "samples_per_epoch" in kwargs and len(args) < 3:
        samples = kwargs.pop("samples_per_epoch")
        generator = args[1] if len(args) > 1 else kwargs["generator"]
        kwargs["steps_per_epoch"] = samples // getattr(generator, "batch_size", 1)
        converted.append(("samples_per_epoch", "steps_per_epoch"))
    if old:
        warn_user(
            "The semantics of the Keras 2 argument `steps_per_epoch` is not the same as the Keras 1 argument "
            "`samples_per_epoch`. `steps_per_epoch` is the number of batches to draw from the generator at each epoch. "
            "Basically steps_per_epoch = samples_per_epoch/batch_size. Similarly `nb_val_samples`->`validation_steps` and "
            "`val_samples`->`steps` arguments have changed. Update your method calls accordingly."
        )
    return args, kwargs, converted


def add_weight_args_preprocessing(args, kwargs):
    """``add_weight(shape, name)`` became ``add_weight(name, shape)``."""
    if len(args) > 1 and isinstance(args[1], (tuple, list)):
        kwargs["shape"] = args[1]
        args = (args[0], *args[2:])
        if len(args) > 1 and isinstance(args[1], str):
            kwargs["name"] = args[1]
            args = (args[0], *args[2:])
    return args, kwargs, []


def get_updates_arg_preprocessing(args, kwargs):
    """``get_updates(params, constraints, loss)`` became ``get_updates(loss, params)``."""
    if len(args) > 4:
        raise TypeError("`get_update` call received more arguments than expected.")
    if len(args) == 4:
        optimizer, kwargs["params"], _, kwargs["loss"] = args
        return [optimizer], kwargs, []
    if len(args) == 3 and isinstance(args[1], (list, tuple)) and isinstance(args[2], dict):
        return [args[0]], {**kwargs, "params": args[1]}, []
    return args, kwargs, []


# -- the table ------------------------------------------------------------------------------------------------
_DIM_ORDERING = {"dim_ordering": {"tf": "channels_last", "th": "channels_first", "default": None}}
_CONSUME_LESS = {"consume_less": {"cpu": 0, "mem": 1, "gpu": 2}}

_dense = [
    ("output_dim", "units"),
    ("init", "kernel_initializer"),
    ("W_regularizer", "kernel_regularizer"),
    ("b_regularizer", "bias_regularizer"),
    ("W_constraint", "kernel_constraint"),
    ("b_constraint", "bias_constraint"),
    ("bias", "use_bias"),
]
_recurrent = [
    ("inner_init", "recurrent_initializer"),
    ("inner_activation", "recurrent_activation"),
    ("U_regularizer", "recurrent_regularizer"),
    ("dropout_W", "dropout"),
    ("dropout_U", "recurrent_dropout"),
]
_format = [("dim_ordering", "data_format")]
_rate = [("p", "rate")]
_pooling = [("border_mode", "padding")]
_conv = [("nb_filter", "filters"), ("subsample", "strides"), *_pooling, *_format, *_dense[1:]]
_conv1d = [
    ("nb_filter", "filters"), ("filter_length", "kernel_size"), ("subsample_length", "strides"), *_pooling, *_dense[1:],
]  # fmt: skip


def _layer(conversions: list, preprocessor: Callable | None = None, values: dict | None = None) -> Callable:
    return generate_legacy_interface(conversions=conversions, preprocessor=preprocessor, value_conversions=values)


def _image_layer(conversions: list, preprocessor: Callable | None = None) -> Callable:
    return _layer(conversions, preprocessor, _DIM_ORDERING)


legacy_dense_support = _layer(_dense)
legacy_dropout_support = legacy_gaussiandropout_support = legacy_spatialdropout1d_support = _layer(_rate)
legacy_spatialdropoutNd_support = _image_layer(_rate + _format)
legacy_gaussiannoise_support = _layer([("sigma", "stddev")])
legacy_prelu_support = _layer([("init", "alpha_initializer")])
legacy_embedding_support = _layer(
    [
        ("init", "embeddings_initializer"),
        ("W_regularizer", "embeddings_regularizer"),
        ("W_constraint", "embeddings_constraint"),
    ],
    embedding_kwargs_preprocessor,
)
legacy_batchnorm_support = _layer(
    [("beta_init", "beta_initializer"), ("gamma_init", "gamma_initializer")], batchnorm_args_preprocessor
)
legacy_recurrent_support = _layer(
    [*_dense[:4], *_recurrent, ("consume_less", "implementation")], recurrent_args_preprocessor, _CONSUME_LESS
)
legacy_convlstm2d_support = _image_layer(_conv + _recurrent, convlstm2d_args_preprocessor)

legacy_conv1d_support = _layer(_conv1d, conv1d_args_preprocessor)
legacy_conv2d_support = _image_layer(_conv, conv2d_args_preprocessor)
legacy_conv3d_support = _image_layer(_conv, conv3d_args_preprocessor)
legacy_deconv2d_support = _image_layer(_conv, deconv2d_args_preprocessor)
legacy_separable_conv2d_support = _image_layer(_conv, separable_conv2d_args_preprocessor)

legacy_pooling1d_support = _layer([("pool_length", "pool_size"), ("stride", "strides"), *_pooling])
legacy_pooling2d_support = legacy_pooling3d_support = _image_layer(_pooling + _format)
legacy_global_pooling_support = _image_layer(_format)
legacy_upsampling1d_support = _layer([("length", "size")])
legacy_upsampling2d_support = legacy_upsampling3d_support = _image_layer(_format)
legacy_zeropadding2d_support = _image_layer(_format, zeropadding2d_args_preprocessor)
legacy_zeropadding3d_support = legacy_cropping2d_support = legacy_cropping3d_support = _image_layer(_format)

legacy_input_support = _layer([("input_dtype", "dtype")])
legacy_model_constructor_support = _layer([("input", "inputs"), ("output", "outputs")])
legacy_generator_methods_support = generate_legacy_interface(
    conversions=[
        ("samples_per_epoch", "steps_per_epoch"),
        ("val_samples", "steps"),
        ("nb_epoch", "epochs"),
        ("nb_val_samples", "validation_steps"),
        ("nb_worker", "workers"),
        ("pickle_safe", "use_multiprocessing"),
        ("max_q_size", "max_queue_size"),
    ],
    preprocessor=generator_methods_args_preprocessor,
    object_type="method",
)
legacy_add_weight_support = generate_legacy_interface(preprocessor=add_weight_args_preprocessing, object_type="method")
legacy_get_updates_support = generate_legacy_interface(preprocessor=get_updates_arg_preprocessing, object_type="method")
