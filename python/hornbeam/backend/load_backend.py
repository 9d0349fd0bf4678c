"""The backend's settings as the user has them: floatx, epsilon and the image data format from ``keras.json``.

The file lies in ``~/.keras`` or in the folder that ``KERAS_HOME`` names, as in Keras 2; it is read and never written.
A missing or damaged file changes nothing.
"""

from __future__ import annotations

import json
import os

from ..graph import floatx
from .common import _BACKEND as _BACKEND
from .common import epsilon, image_data_format, set_epsilon, set_floatx, set_image_data_format

_keras_dir = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
_config_path = os.path.join(_keras_dir, "keras.json")


def _load_config() -> None:
    try:
        with open(_config_path) as f:
            config = json.load(f)
    except (OSError, ValueError):
        return
    if isinstance(config, dict):
        set_floatx(config.get("floatx", floatx()))
        set_epsilon(config.get("epsilon", epsilon()))
        set_image_data_format(config.get("image_data_format", image_data_format()))


_load_config()
