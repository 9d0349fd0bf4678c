"""The TensorBoard callback under the module path that Keras 2.3.1 had it in for TensorFlow 1."""

from .tensorboard import TensorBoard

__all__ = ["TensorBoard"]
