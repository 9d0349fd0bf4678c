"""Residual networks whose convolutions work on groups of channels (Xie et al., 2016)."""

from .imagenet_utils import decode_predictions, preprocessing
from .resnet_common import ResNeXt50, ResNeXt101

__all__ = ["ResNeXt50", "ResNeXt101", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("torch")
