"""Images as arrays, where tf.keras has these functions; Keras has them in ``preprocessing.image``."""

from ..preprocessing.image.utils import array_to_img, img_to_array, load_img, save_img

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img"]
