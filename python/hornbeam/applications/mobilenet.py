"""MobileNet: depthwise convolutions, then 1x1 convolutions, of an adjustable width (Howard et al., 2017)."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import layers
from ..utils.messages import warn_user
from .image_model import Frame, batch_norm, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .weights import CHOLLET, Pair, WeightsFile

__all__ = ["MobileNet", "decode_predictions", "preprocess_input"]

_SIZES = (128, 160, 192, 224)  # of the images for which weights were published
_ALPHAS = {0.25: "2_5", 0.5: "5_0", 0.75: "7_5", 1.0: "1_0"}  # and the widths, as the files spell them

# Filters of the blocks; a block halves the size where marked by True.
_BLOCKS = ((64, False), (128, True), (128, False), (256, True), (256, False), (512, True), *[(512, False)] * 5,
           (1024, True), (1024, False))  # fmt: skip


def default_size(shape: tuple[int | None, ...] | None, sizes: tuple[int, ...]) -> int:
    """The size of the images whose weights fit: the given one if weights for it were published, otherwise 224.

    Args:
        shape: shape of the images, without the batch axis.
        sizes: for which weights were published.
    """
    if shape is not None and len(shape) == 3:
        rows, columns = shape[1:] if K.image_data_format() == "channels_first" else shape[:2]
        if rows == columns and rows in sizes:
            return rows
    return 224


def published_size(frame: Frame, sizes: tuple[int, ...]) -> int | None:
    """The height of the images, as a model's name and its weight file have it."""
    rows, columns = frame.size
    if frame.weights == "imagenet" and (rows != columns or rows not in sizes):
        warn_user(f"No weights were published for images of {rows} x {columns}: those for 224 x 224 are loaded.")
        return 224
    return rows


def _bn_relu(x: Any, label: str) -> Any:
    return layers.ReLU(6.0, name=f"{label}_relu")(batch_norm(x, f"{label}_bn"))


def _block(x: Any, filters: int, depth_multiplier: int, halve: bool, index: int) -> Any:
    options: dict[str, Any] = {"padding": "same"}
    if halve:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{index}")(x)
        options = {"strides": 2}
    name = f"conv_dw_{index}"
    x = layers.DepthwiseConv2D(3, depth_multiplier=depth_multiplier, use_bias=False, name=name, **options)(x)
    x = _bn_relu(x, name)
    name = f"conv_pw_{index}"
    return _bn_relu(layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x), name)


def _classify(frame: Frame, x: Any, filters: int, dropout: float) -> Any:
    """The classifier is a 1x1 convolution, so that its weights are those of a convolution in the file."""
    shape = (filters, 1, 1) if K.image_data_format() == "channels_first" else (1, 1, filters)
    x = layers.Reshape(shape, name="reshape_1")(layers.GlobalAveragePooling2D()(x))
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(frame.classes, 1, padding="same", name="conv_preds")(x)
    x = layers.Reshape((frame.classes,), name="reshape_2")(x)
    return layers.Activation(frame.classifier_activation, name="act_softmax")(x)


def _published(alpha: float, size: int) -> Pair:
    stem = f"{CHOLLET}/v0.6/mobilenet_{_ALPHAS[alpha]}_{size}_tf"
    return Pair(WeightsFile(f"{stem}.h5"), WeightsFile(f"{stem}_no_top.h5"))


@image_model()
def MobileNet(
    input_shape=None,
    alpha=1.0,
    depth_multiplier=1,
    dropout=1e-3,
    include_top=True,
    weights="imagenet",
    input_tensor=None,
    pooling=None,
    classes=1000,
    classifier_activation="softmax",
):
    """MobileNet. Weights were published for images of 128, 160, 192 and 224 pixels.

    Args:
        alpha: width: what the number of filters is multiplied by. Weights were published for 0.25, 0.5, 0.75 and 1.
        depth_multiplier: feature maps per channel in the depthwise convolutions; 1 with the published weights.
        dropout: rate of the dropout before the classifier.
    """
    size = default_size(input_shape, _SIZES)
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation, size=size)
    if weights == "imagenet" and (alpha not in _ALPHAS or depth_multiplier != 1):
        raise ValueError(
            f"The `imagenet` weights are for depth_multiplier=1 and alpha one of {', '.join(map(str, _ALPHAS))}. "
            f"Received: depth_multiplier={depth_multiplier}, alpha={alpha}"
        )
    rows = published_size(frame, _SIZES)
    x = layers.ZeroPadding2D(((0, 1), (0, 1)), name="conv1_pad")(frame.image)
    x = layers.Conv2D(int(32 * alpha), 3, strides=2, use_bias=False, name="conv1")(x)
    x = _bn_relu(x, "conv1")
    for i, (filters, halve) in enumerate(_BLOCKS, 1):
        x = _block(x, int(filters * alpha), depth_multiplier, halve, i)
    x = _classify(frame, x, int(1024 * alpha), dropout) if include_top else frame.pool(x)
    published = _published(alpha, rows) if weights == "imagenet" else None
    return frame.model(x, f"mobilenet_{alpha:.2f}_{rows}", published)


preprocess_input = preprocessing("tf")
