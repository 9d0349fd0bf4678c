"""What the ImageNet models share at their two ends: pixels in, class names out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .. import backend as K
from ..utils import data_utils
from ..utils.io_utils import read_json_object
from ..utils.messages import warn_user
from .modules import ignores_modules

CLASS_INDEX: dict[str, list[str]] | None = None
CLASS_INDEX_PATH = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"

#: The mean and the deviation of ImageNet's channels, of pixels in [0, 1].
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

# Per mode: what pixels are divided by, then the mean and the deviation of each channel in the order they have by then.
_MODES = {
    "tf": (127.5, (1.0, 1.0, 1.0), None),
    "torch": (255.0, MEAN, DEVIATION),
    "caffe": (None, (103.939, 116.779, 123.68), None),
}


@ignores_modules
def preprocess_input(x, data_format=None, mode="caffe"):
    """Turn RGB pixels in [0, 255] into what a model was trained on.

    Args:
        x: array or tensor, one image (3 axes) or a batch (4 axes). An array of floats is overwritten.
        data_format: ``'channels_last'`` or ``'channels_first'``; the backend's by default.
        mode: ``'tf'`` scales to [-1, 1]; ``'torch'`` scales to [0, 1] and normalizes each channel by ImageNet's mean
            and deviation; ``'caffe'`` reverses RGB to BGR and subtracts ImageNet's mean.

    Returns:
        Array or tensor of the same shape.

    Raises:
        ValueError: unknown data format or mode.

    Example:
        >>> preprocess_input(np.full((1, 1, 3), 255), mode="tf").tolist()
        [[[1.0, 1.0, 1.0]]]
    """
    data_format = K.image_data_format() if data_format is None else data_format
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(f"Unknown data_format {data_format!r}")
    if mode not in _MODES:
        raise ValueError(f"Unknown mode {mode!r}: it is one of {', '.join(map(repr, _MODES))}.")
    is_array = isinstance(x, np.ndarray)
    if not (np.issubdtype(x.dtype, np.floating) if is_array else K.dtype(x).startswith("float")):
        x = x.astype(K.floatx()) if is_array else K.cast(x, K.floatx())
    channels = -3 if data_format == "channels_first" else -1
    scale, mean, deviation = _MODES[mode]
    if mode == "caffe":
        x = np.flip(x, channels) if is_array else K.reverse(x, K.ndim(x) + channels)

    shape = (3,) + (1,) * (-1 - channels)
    # In place, as scripts with large batches rely on.
    if scale is not None:
        x /= scale
    x -= _per_channel(mean, shape, x)
    if deviation is not None:
        x /= _per_channel(deviation, shape, x)
    return x


def _per_channel(values, shape, x):
    values = np.reshape(values, shape)
    return values.astype(x.dtype) if isinstance(x, np.ndarray) else K.constant(values, dtype=K.dtype(x))


def preprocessing(mode: str | None) -> Callable:
    """The ``preprocess_input`` of models that were trained in the given mode; None is for those that scale pixels themselves."""

    @ignores_modules
    def preprocess(x, data_format=None):
        return x if mode is None else preprocess_input(x, data_format, mode)

    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = f"Turn RGB pixels into what the model was trained on: mode {mode!r} of ``imagenet_utils``."
    if mode is None:
        preprocess.__doc__ = "Return ``x`` as it is: the model begins with layers that scale pixels in [0, 255]."
    return preprocess


@ignores_modules
def decode_predictions(preds, top=5):
    """Name the most likely classes.

    Args:
        preds: array (samples, 1000), predictions of an ImageNet model.
        top: how many classes to name.

    Returns:
        For each sample a list of tuples (WordNet id, name, score), the most likely first.

    Raises:
        ValueError: the array has another shape.
        OSError: the file of names is not in the cache and cannot be downloaded.
    """
    global CLASS_INDEX
    if len(preds.shape) != 2 or preds.shape[1] != 1000:
        raise ValueError(f"`decode_predictions` expects predictions of shape (samples, 1000). Received: {preds.shape}")
    if CLASS_INDEX is None:
        path = data_utils.get_file(
            "imagenet_class_index.json",
            CLASS_INDEX_PATH,
            cache_subdir="models",
            file_hash="c2c37ea517e94d9795004a39431a14cb",
        )
        CLASS_INDEX = read_json_object(path)
    best = [np.argsort(pred)[::-1][:top] for pred in preds]
    return [[(*CLASS_INDEX[str(i)], pred[i]) for i in indices] for pred, indices in zip(preds, best)]


def _obtain_input_shape(input_shape, default_size, min_size, data_format, require_flatten, weights=None):
    """The shape of a model's images, without the batch axis.

    Args:
        input_shape: what the user asked for, or None.
        default_size: height and width where the user did not ask.
        min_size: smallest height and width that the model can take.
        data_format: ``'channels_last'`` or ``'channels_first'``.
        require_flatten: whether height and width have to be known.
        weights: with ``'imagenet'``, images have 3 channels, and where they are flattened the default size.

    Raises:
        ValueError: the model cannot take images of that shape.
    """
    first = data_format == "channels_first"

    def image(size, channels):
        return (channels, size, size) if first else (size, size, channels)

    if input_shape:
        input_shape = tuple(input_shape)
        if len(input_shape) != 3:
            raise ValueError(f"`input_shape` must be a tuple of three integers. Received: {input_shape}")
        channels, sizes = (input_shape[0], input_shape[1:]) if first else (input_shape[2], input_shape[:2])
        if weights == "imagenet":
            if require_flatten and input_shape != image(default_size, 3):
                raise ValueError(
                    f"With these `imagenet` weights `input_shape` must be {image(default_size, 3)}. Received: {input_shape}"
                )
            if channels != 3:
                raise ValueError(f"`imagenet` weights are for 3 channels. Received: input_shape={input_shape}")
        elif channels not in (1, 3):
            warn_user(f"Images usually have 1 or 3 channels; `input_shape` {input_shape} has {channels}.")
        if any(size is not None and size < min_size for size in sizes):
            raise ValueError(f"Images must be at least {min_size}x{min_size}. Received: input_shape={input_shape}")
    else:
        input_shape = image(default_size if require_flatten else None, 3)
    if require_flatten and None in input_shape:
        raise ValueError(f"This model needs images of a known size. Received: input_shape={input_shape}")
    return input_shape
