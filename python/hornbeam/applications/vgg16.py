"""VGG16 with its preprocessing."""

from __future__ import annotations

from .image_model import Frame, image_model
from .imagenet_utils import decode_predictions, preprocess_input
from .vgg import vgg
from .weights import CHOLLET, pair

__all__ = ["VGG16", "decode_predictions", "preprocess_input"]

_PUBLISHED = pair(f"{CHOLLET}/v0.1", "vgg16", "64373286793e3c8b2b4e3219cbf3544b", "6d6bbae143d832006294945121d1f1fc")


@image_model()
def VGG16(
    include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """VGG with 16 layers that have weights."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return vgg(frame, "vgg16", (2, 2, 3, 3, 3), _PUBLISHED)
