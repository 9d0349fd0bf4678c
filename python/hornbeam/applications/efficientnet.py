"""EfficientNet: one small network, made wider, deeper and larger by one rule (Tan and Le, 2019)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .. import layers
from ..legacy.tf_op_layers import TFOpLambda
from .efficient_blocks import CLASSIFIER, Blocks
from .image_model import Frame, channel_axis, image_model
from .imagenet_utils import DEVIATION, decode_predictions, preprocessing
from .mobilenet_v2 import divisible
from .weights import tf_keras_pair

__all__ = [
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4", "EfficientNetB5",
    "EfficientNetB6", "EfficientNetB7", "decode_predictions", "preprocess_input",
]  # fmt: skip

_URL = "https://storage.googleapis.com/keras-applications"
_STAGES = ((3, 1, 16, 1, 1), (3, 2, 24, 6, 2), (5, 2, 40, 6, 2), (3, 3, 80, 6, 2), (5, 3, 112, 6, 1), (5, 4, 192, 6, 2),
           (3, 1, 320, 6, 1))  # kernel size, blocks, filters, expansion, strides of the first block  # fmt: skip


class _Variant(NamedTuple):
    width: float
    depth: float
    size: int
    dropout: float
    checksums: tuple[str, str]


_VARIANTS = {
    "B0": _Variant(1.0, 1.0, 224, 0.2, ("902e53a9f72be733fc0bcb005b3ebbac", "50bc09e76180e00e4465e1a485ddc09d")),
    "B1": _Variant(1.0, 1.1, 240, 0.2, ("1d254153d4ab51201f1646940f018540", "74c4e6b3e1f6a1eea24c589628592432")),
    "B2": _Variant(1.1, 1.2, 260, 0.3, ("b15cce36ff4dcbd00b6dd88e7857a6ad", "111f8e2ac8aa800a7a99e3239f7bfb39")),
    "B3": _Variant(1.2, 1.4, 300, 0.3, ("ffd1fdc53d0ce67064dc6a9c7960ede0", "af6d107764bb5b1abb91932881670226")),
    "B4": _Variant(1.4, 1.8, 380, 0.4, ("18c95ad55216b8f92d7e70b3a046e2fc", "ebc24e6d6c33eaebbd558eafbeedf1ba")),
    "B5": _Variant(1.6, 2.2, 456, 0.4, ("ace28f2a6363774853a83a0b21b9421a", "38879255a25d3c92d5e44e04ae6cec6f")),
    "B6": _Variant(1.8, 2.6, 528, 0.5, ("165f6e37dce68623721b423839de8be5", "9ecce42647a20130c1f39a5d4cb75743")),
    "B7": _Variant(2.0, 3.1, 600, 0.5, ("8c03f828fec3ef71311cd463b6759d99", "cbcfe4450ddf6f3ad90b1b398090fe4a")),
}


def _scale_pixels(frame: Frame):
    x = layers.Rescaling(1 / 255)(frame.image)
    x = layers.Normalization(axis=channel_axis())(x)
    if frame.weights != "imagenet":
        return x
    # The published files hold deviations where the layer has variances: it divides by their roots, and so does this.
    shape = [1, 1, 1, 1]
    shape[channel_axis()] = 3
    return TFOpLambda("math.multiply")(x, y=(1 / np.sqrt(DEVIATION)).reshape(shape).tolist())


def _variant(number: str) -> Callable:
    width, depth, size, dropout, checksums = _VARIANTS[number]

    @image_model(size, name=f"EfficientNet{number}")
    def efficient_net(
        include_top=True,
        weights="imagenet",
        input_tensor=None,
        input_shape=None,
        pooling=None,
        classes=1000,
        classifier_activation="softmax",
        *,
        drop_connect_rate=0.2,
        depth_divisor=8,
        activation="swish",
    ):
        """{name}. It takes pixels in [0, 255], and scales them itself by what its Normalization layer holds.

        Args:
            drop_connect_rate: how many samples skip the last block in training; earlier blocks are skipped by fewer.
            depth_divisor: what the numbers of filters are multiples of.
            activation: after the convolutions.
        """
        frame = Frame(
            include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, size=size
        )
        block = Blocks(1, activation)
        repeats = [math.ceil(depth * blocks) for _, blocks, *_ in _STAGES]
        x = block.convolve(_scale_pixels(frame), divisible(32 * width, depth_divisor), 3, "stem_", strides=2)
        count = 0
        for stage, (kernel_size, _, filters, expansion, strides) in enumerate(_STAGES):
            filters = divisible(filters * width, depth_divisor)
            for i in range(repeats[stage]):
                rate = drop_connect_rate * count / sum(repeats)
                label = f"block{stage + 1}{chr(ord('a') + i)}_"
                x = block.inverted_bottleneck(x, filters, kernel_size, expansion, 1 if i else strides, rate, label)
                count += 1
        x = block.convolve(x, divisible(1280 * width, depth_divisor), 1, "top_")
        x = frame.classify(x, pool_names=True, dropout=dropout, kernel_initializer=CLASSIFIER)
        name = f"efficientnet{number.lower()}"
        return frame.model(x, name, tf_keras_pair(_URL, name, *checksums))

    return efficient_net


EfficientNetB0 = _variant("B0")
EfficientNetB1 = _variant("B1")
EfficientNetB2 = _variant("B2")
EfficientNetB3 = _variant("B3")
EfficientNetB4 = _variant("B4")
EfficientNetB5 = _variant("B5")
EfficientNetB6 = _variant("B6")
EfficientNetB7 = _variant("B7")

preprocess_input = preprocessing(None)
