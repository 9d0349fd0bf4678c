"""NASNet-A: cells found by search, each fed by the two cells before it (Zoph et al., 2017)."""

from __future__ import annotations

from typing import Any

from .. import backend as K
from .. import layers
from ..utils.messages import warn_user
from .image_model import Frame, batch_norm, channels, concatenate, halving_padding, image_model
from .imagenet_utils import decode_predictions, preprocessing
from .modules import ignores_modules
from .weights import Pair, WeightsFile

__all__ = ["NASNet", "NASNetLarge", "NASNetMobile", "decode_predictions", "preprocess_input"]

_URL = "https://github.com/titu1994/Keras-NASNet/releases/download/v1.2"


def _pair(kind: str, md5_top: str, md5_no_top: str) -> Pair:
    return Pair(
        WeightsFile(f"{_URL}/NASNet-{kind}.h5", md5_top, f"nasnet_{kind}.h5"),
        WeightsFile(f"{_URL}/NASNet-{kind}-no-top.h5", md5_no_top, f"nasnet_{kind}_no_top.h5"),
    )


_PUBLISHED = {  # by the size of the images
    224: _pair("mobile", "020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
    331: _pair("large", "11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
}


def _relu(x: Any, name: str | None = None) -> Any:
    return layers.Activation("relu", name=name)(x)


def _bn(x: Any, name: str) -> Any:
    return batch_norm(x, name, momentum=0.9997)


def _conv(x: Any, filters: int, name: str) -> Any:
    return layers.Conv2D(filters, 1, padding="same", use_bias=False, kernel_initializer="he_normal", name=name)(x)


def _average(x: Any, name: str) -> Any:
    return layers.AveragePooling2D(3, strides=1, padding="same", name=name)(x)


def _separable(x: Any, filters: int, size: int, label: str, halve: bool = False) -> Any:
    """Two separable convolutions, each after a ReLU; with ``halve`` the first one halves the size."""
    for i in (1, 2):
        x = _relu(x)
        options: dict[str, Any] = {"padding": "same"}
        if halve and i == 1:
            x = layers.ZeroPadding2D(halving_padding(x, size), name=f"separable_conv_1_pad_{label}")(x)
            options = {"strides": 2}
        x = layers.SeparableConv2D(
            filters, size, use_bias=False, kernel_initializer="he_normal", name=f"separable_conv_{i}_{label}", **options
        )(x)
        x = _bn(x, f"separable_conv_{i}_bn_{label}")
    return x


def _adjust(previous: Any, x: Any, filters: int, label: str) -> Any:
    """Bring the output of the cell before the last one to the size of ``x`` and to ``filters`` channels."""
    if previous is None:
        return x
    width = 3 if K.image_data_format() == "channels_first" else 2
    if K.int_shape(previous)[width] != K.int_shape(x)[width]:
        previous = _relu(previous, f"adjust_relu_1_{label}")
        # Every other pixel, once from the first one and once from the second one on.
        shifted = layers.Cropping2D(((1, 0), (1, 0)))(layers.ZeroPadding2D(((0, 1), (0, 1)))(previous))
        halves = []
        for i, half in enumerate((previous, shifted), 1):
            half = layers.AveragePooling2D(1, strides=2, name=f"adjust_avg_pool_{i}_{label}")(half)
            halves.append(_conv(half, filters // 2, f"adjust_conv_{i}_{label}"))
        return _bn(concatenate(halves), f"adjust_bn_{label}")
    if channels(previous) != filters:
        return _bn(_conv(_relu(previous), filters, f"adjust_conv_projection_{label}"), f"adjust_bn_{label}")
    return previous


def _normal_cell(x: Any, previous: Any, filters: int, label: str) -> tuple[Any, Any]:
    """A cell that keeps the size; returns its output and its input, the next cell's two inputs."""
    p = _adjust(previous, x, filters, label)
    h = _bn(_conv(_relu(x), filters, f"normal_conv_1_{label}"), f"normal_bn_1_{label}")

    def add(i: int, left: Any, right: Any) -> Any:
        return layers.add([left, right], name=f"normal_add_{i}_{label}")

    sums = [
        add(1, _separable(h, filters, 5, f"normal_left1_{label}"), _separable(p, filters, 3, f"normal_right1_{label}")),
        add(2, _separable(p, filters, 5, f"normal_left2_{label}"), _separable(p, filters, 3, f"normal_right2_{label}")),
        add(3, _average(h, f"normal_left3_{label}"), p),
        add(4, _average(p, f"normal_left4_{label}"), _average(p, f"normal_right4_{label}")),
        add(5, _separable(h, filters, 3, f"normal_left5_{label}"), h),
    ]
    return concatenate([p, *sums], f"normal_concat_{label}"), x


def _reduction_cell(x: Any, previous: Any, filters: int, label: str) -> tuple[Any, Any]:
    """A cell that halves the size; returns its output and its input, the next cell's two inputs."""
    p = _adjust(previous, x, filters, label)
    h = _bn(_conv(_relu(x), filters, f"reduction_conv_1_{label}"), f"reduction_bn_1_{label}")
    padded = layers.ZeroPadding2D(halving_padding(h, 3), name=f"reduction_pad_1_{label}")(h)

    def halved(y: Any, size: int, side: str) -> Any:
        return _separable(y, filters, size, f"reduction_{side}_{label}", halve=True)

    x1 = layers.add([halved(h, 5, "left1"), halved(p, 7, "right1")], name=f"reduction_add_1_{label}")
    pooled = layers.MaxPooling2D(3, strides=2, name=f"reduction_left2_{label}")(padded)
    x2 = layers.add([pooled, halved(p, 7, "right2")], name=f"reduction_add_2_{label}")
    pooled = layers.AveragePooling2D(3, strides=2, name=f"reduction_left3_{label}")(padded)
    x3 = layers.add([pooled, halved(p, 5, "right3")], name=f"reduction_add3_{label}")
    x4 = layers.add([x2, _average(x1, f"reduction_left4_{label}")])
    x5 = _separable(x1, filters, 3, f"reduction_left4_{label}")
    pooled = layers.MaxPooling2D(3, strides=2, name=f"reduction_right5_{label}")(padded)
    x5 = layers.add([x5, pooled], name=f"reduction_add4_{label}")
    return concatenate([x2, x3, x4, x5], f"reduction_concat_{label}"), x


def _features(
    image: Any, filters: int, num_blocks: int, stem_block_filters: int, skip_reduction: bool, multiplier: int
) -> Any:
    x = layers.Conv2D(
        stem_block_filters, 3, strides=2, use_bias=False, kernel_initializer="he_normal", name="stem_conv1"
    )(image)
    x = _bn(x, "stem_bn1")
    x, p = _reduction_cell(x, None, filters // multiplier**2, "stem_1")
    x, p = _reduction_cell(x, p, filters // multiplier, "stem_2")
    for stage in range(3):
        first = 0  # the number of the stage's first cell
        if stage:
            # With skip_reduction the next cell sees the cell before the reduction's input, not that input.
            x, reduced = _reduction_cell(x, p, filters * multiplier**stage, f"reduce_{stage * num_blocks}")
            p = p if skip_reduction else reduced
            first = stage * num_blocks + 1
        for i in range(num_blocks):
            x, p = _normal_cell(x, p, filters * multiplier**stage, str(first + i))
    return _relu(x)


@ignores_modules
def NASNet(
    input_shape=None,
    penultimate_filters=4032,
    num_blocks=6,
    stem_block_filters=96,
    skip_reduction=True,
    filter_multiplier=2,
    include_top=True,
    weights=None,
    input_tensor=None,
    pooling=None,
    classes=1000,
    default_size=None,
    classifier_activation="softmax",
):
    """A NASNet-A of any size; its images are channels-last, whatever the backend's data format.

    Args:
        input_shape: shape of an image, without the batch axis; at least 32 x 32.
        penultimate_filters: feature maps of the last cell.
        num_blocks: normal cells in each of the three stages.
        stem_block_filters: filters of the first convolution.
        skip_reduction: whether the cell after a reduction sees past it.
        filter_multiplier: by how much the filters grow from stage to stage.
        include_top: whether to end with the layers that classify.
        weights: None for random values, ``'imagenet'`` for the published weights, or the path of a file.
        input_tensor: tensor to use as the image.
        pooling: without ``include_top``, ``'avg'`` or ``'max'`` to pool the last feature maps, or None.
        classes: number of classes.
        default_size: height and width of images; 331 by default.
        classifier_activation: activation of the last layer; None gives logits.

    Raises:
        ValueError: arguments that do not fit together.
    """
    if penultimate_filters % (24 * filter_multiplier**2):
        raise ValueError(
            f"`penultimate_filters` must be a multiple of 24 * filter_multiplier ** 2 = {24 * filter_multiplier**2}. "
            f"Received: {penultimate_filters}"
        )
    size = default_size or 331
    if weights == "imagenet" and size not in _PUBLISHED:
        raise ValueError(f"`imagenet` weights are for a default_size of 224 or 331. Received: {size}")
    data_format = K.image_data_format()
    if data_format != "channels_last":
        warn_user("NASNet is made for channels-last images; the model will expect them so.")
    K.set_image_data_format("channels_last")
    try:
        arguments = (include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
        frame = Frame(*arguments, size=size, fixed_size=True)
        filters = penultimate_filters // 24
        x = _features(frame.image, filters, num_blocks, stem_block_filters, skip_reduction, filter_multiplier)
        return frame.model(frame.classify(x, average=None), "NASNet", _PUBLISHED.get(size))
    finally:
        K.set_image_data_format(data_format)


@image_model(size=331)
def NASNetLarge(
    input_shape=None, include_top=True, weights="imagenet", input_tensor=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """NASNet-A with 6 cells per stage and 4032 feature maps at the end."""
    return NASNet(
        input_shape, include_top=include_top, weights=weights, input_tensor=input_tensor, pooling=pooling,
        classes=classes, default_size=331, classifier_activation=classifier_activation,
    )  # fmt: skip


@image_model()
def NASNetMobile(
    input_shape=None, include_top=True, weights="imagenet", input_tensor=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """NASNet-A with 4 cells per stage and 1056 feature maps at the end."""
    return NASNet(
        input_shape, penultimate_filters=1056, num_blocks=4, stem_block_filters=32, skip_reduction=False,
        include_top=include_top, weights=weights, input_tensor=input_tensor, pooling=pooling, classes=classes,
        default_size=224, classifier_activation=classifier_activation,
    )  # fmt: skip


preprocess_input = preprocessing("tf")
