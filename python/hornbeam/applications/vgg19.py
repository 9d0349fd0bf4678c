"""VGG19 with its preprocessing."""

from __future__ import annotations

from .image_model import Frame, image_model
from .imagenet_utils import decode_predictions, preprocess_input
from .vgg import vgg
from .weights import CHOLLET, pair

__all__ = ["VGG19", "decode_predictions", "preprocess_input"]

_PUBLISHED = pair(f"{CHOLLET}/v0.1", "vgg19", "cbe5617147190e668d6c5d5026f83318", "253f8cb515780f3b799900260a226db6")


@image_model()
def VGG19(
    include_top=True, weights="imagenet", input_tensor=None, input_shape=None, pooling=None, classes=1000,
    classifier_activation="softmax",
):  # fmt: skip
    """VGG with 19 layers that have weights."""
    frame = Frame(include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation)
    return vgg(frame, "vgg19", (2, 2, 4, 4, 4), _PUBLISHED)
