"""MobileNet v2: blocks that widen, convolve depthwise and narrow again (Sandler et al., 2018)."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import layers
from .image_model import Frame, batch_norm, channels, halving_padding, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .mobilenet import default_size, published_size
from .weights import Pair, WeightsFile

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]

_URL = "https://github.com/JonathanCMitchell/mobilenet_v2_keras/releases/download/v1.1"
_SIZES = (96, 128, 160, 192, 224)  # of the images for which weights were published
_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)  # and the widths

_STAGES = ((16, 1, 1), (24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
# filters, blocks, strides of the first block


def divisible(filters: float, divisor: int = 8) -> int:
    """The nearest multiple of ``divisor``, but not less than that or nine tenths of what was asked for."""
    rounded = max(divisor, int(filters + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * filters else rounded


def _bn(x: Any, name: str) -> Any:
    return batch_norm(x, name, momentum=0.999)


def _conv(x: Any, filters: int, name: str) -> Any:
    return layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)


def _block(x: Any, filters: int, strides: int, index: int) -> Any:
    label = f"block_{index}" if index else "expanded_conv"
    y = x
    if index:  # the first block does not widen
        y = _bn(_conv(y, 6 * channels(x), f"{label}_expand"), f"{label}_expand_BN")
        y = layers.ReLU(6.0, name=f"{label}_expand_relu")(y)
    if strides == 2:
        y = layers.ZeroPadding2D(halving_padding(y, 3), name=f"{label}_pad")(y)
    padding = "same" if strides == 1 else "valid"
    y = layers.DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False, name=f"{label}_depthwise")(y)
    y = layers.ReLU(6.0, name=f"{label}_depthwise_relu")(_bn(y, f"{label}_depthwise_BN"))
    y = _bn(_conv(y, filters, f"{label}_project"), f"{label}_project_BN")
    if strides == 1 and channels(x) == filters:
        return layers.Add(name=f"{label}_add")([x, y])
    return y


def _published(alpha: float, size: int) -> Pair:
    stem = f"{_URL}/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{size}"
    return Pair(WeightsFile(f"{stem}.h5"), WeightsFile(f"{stem}_no_top.h5"))


def _tensor_shape(input_tensor: Any, input_shape: Any) -> Any:
    """The images' shape by the tensor, which has to agree with ``input_shape`` if there are both."""
    shape = K.int_shape(input_tensor)[1:]
    if input_shape is not None and any(
        None not in sizes and sizes[0] != sizes[1] for sizes in zip(shape, tuple(input_shape))
    ):
        raise ValueError(f"`input_tensor` holds images of shape {shape}, `input_shape` is {tuple(input_shape)}.")
    return shape


@image_model()
def MobileNetV2(
    input_shape=None, alpha=1.0, include_top=True, weights="imagenet", input_tensor=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """MobileNet v2. Weights were published for images of 96, 128, 160, 192 and 224 pixels.

    Args:
        alpha: width: what the number of filters is multiplied by. Weights were published for 0.35, 0.5, 0.75, 1, 1.3
            and 1.4.
    """
    known = input_shape if input_tensor is None else _tensor_shape(input_tensor, input_shape)
    size = default_size(known, _SIZES)
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, size=size)
    if weights == "imagenet" and alpha not in _ALPHAS:
        raise ValueError(f"The `imagenet` weights are for alpha one of {_ALPHAS}. Received: alpha={alpha}")
    rows = published_size(frame, _SIZES)
    x = layers.ZeroPadding2D(halving_padding(frame.image, 3), name="Conv1_pad")(frame.image)
    x = layers.Conv2D(divisible(32 * alpha), 3, strides=2, use_bias=False, name="Conv1")(x)
    x = layers.ReLU(6.0, name="Conv1_relu")(_bn(x, "bn_Conv1"))
    index = 0
    for filters, blocks, strides in _STAGES:
        for i in range(blocks):
            x = _block(x, divisible(int(filters * alpha)), 1 if i else strides, index)
            index += 1
    x = layers.Conv2D(divisible(1280 * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")(x)
    x = layers.ReLU(6.0, name="out_relu")(_bn(x, "Conv_1_bn"))
    x = frame.classify(x, "Logits", average=None)
    published = _published(alpha, rows) if weights == "imagenet" else None
    return frame.model(x, f"mobilenetv2_{alpha:.2f}_{rows}", published)


preprocess_input = preprocessing("tf")
