"""Residual networks with 50, 101 and 152 layers (He et al., 2015)."""

from .imagenet_utils import decode_predictions, preprocessing
from .resnet_common import ResNet50, ResNet101, ResNet152

__all__ = ["ResNet50", "ResNet101", "ResNet152", "decode_predictions", "preprocess_input"]

preprocess_input = preprocessing("caffe")
