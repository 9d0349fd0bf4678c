"""Modules from which libraries for Keras import, also those that only tf.keras has."""

import subprocess
import sys

import pytest


def run(tmp_path, source):
    (tmp_path / "script.py").write_text(source)
    command = [sys.executable, "-m", "hornbeam", "run", "script.py"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_modules_that_tf_keras_has_besides(tmp_path):
    pairs = {
        "tensorflow.python.keras.engine.functional Functional": "models Model",
        "keras.src.engine.functional Functional": "models Model",
        "keras.engine.keras_tensor KerasTensor": "graph Tensor",
        "keras.src.engine.base_layer Layer": "layers Layer",
        "tf_keras.layers Dense": "layers Dense",
        "tf_keras.src.engine.data_adapter unpack_x_y_sample_weight": "utils unpack_x_y_sample_weight",
        "tensorflow.python.keras.optimizer_v2.adam Adam": "optimizers.legacy Adam",
        "keras.optimizer_v2.optimizer_v2 OptimizerV2": "optimizers Optimizer",
        "tensorflow.keras.optimizers.legacy SGD": "optimizers.legacy SGD",
        "keras.optimizers.legacy.sgd SGD": "optimizers.legacy SGD",
        "keras.src.optimizers.optimizer_experimental.optimizer Optimizer": "optimizers Optimizer",
        "keras.optimizer_v2.learning_rate_schedule ExponentialDecay": "optimizers.schedules ExponentialDecay",
        "tensorflow.python.keras.layers.recurrent_v2 LSTM": "layers LSTM",
        "tensorflow.python.keras.saving.hdf5_format load_weights_from_hdf5_group": "saving load_weights_from_hdf5_group",
        "keras.saving.object_registration get_registered_name": "utils get_registered_name",
        "keras.utils.tf_utils set_random_seed": "utils set_random_seed",
        "tensorflow.python.keras.utils.tf_utils shape_type_conversion": "utils.tf_utils shape_type_conversion",
        "tensorflow.python.keras.utils.losses_utils ReductionV2": "losses Reduction",
        "tensorflow.python.keras.backend_config floatx": "backend floatx",
        "tensorflow.python.keras.engine.base_preprocessing_layer PreprocessingLayer": "layers.preprocessing PreprocessingLayer",
        "tensorflow.keras.mixed_precision.experimental set_policy": "mixed_precision set_global_policy",
        "keras.layers.core.dense Dense": "layers Dense",
        "keras.layers.core Dense": "layers Dense",
        "keras.layers.rnn LSTM": "layers LSTM",
        "keras.src.layers.rnn.lstm LSTM": "layers LSTM",
        "keras.layers.normalization.batch_normalization BatchNormalization": "layers BatchNormalization",
        "keras.layers.preprocessing.image_preprocessing Rescaling": "layers Rescaling",
        "keras.layers.serialization deserialize": "layers deserialize",
        "keras.optimizers.schedules.learning_rate_schedule CosineDecay": "optimizers.schedules CosineDecay",
        "keras.saving.legacy.hdf5_format load_weights_from_hdf5_group": "saving load_weights_from_hdf5_group",
        "keras.saving.save load_model": "models load_model",
        "keras.utils.training_utils multi_gpu_model": "utils multi_gpu_model",
        "keras.api._v2.keras.layers Dense": "layers Dense",
    }
    lines = ["import hornbeam, importlib"]
    for theirs, ours in pairs.items():
        (module, name), (place, own) = theirs.split(), ours.split()
        lines.append(f"from {module} import {name} as x")
        lines.append(f"print(x is getattr(importlib.import_module('hornbeam.{place}'), {own!r}), {theirs!r})")
    lines.append(
        "from keras.api._v2 import keras\nprint(keras is hornbeam)\n"
        "from keras.optimizers.optimizer_experimental import optimizer\nprint(optimizer.Optimizer is keras.optimizers.Optimizer)\n"
        "import keras.optimizer_v2.adam, keras\nprint(keras.optimizer_v2.adam.Adam is hornbeam.optimizers.legacy.Adam)"
    )
    assert [line for line in run(tmp_path, "\n".join(lines)) if not line.startswith("True")] == []


def test_tensorflows_own_modules(tmp_path):
    source = """
from tensorflow.python.platform import tf_logging as logging, gfile
from tensorflow.python.training import moving_averages
from tensorflow.python.util import nest
from tensorflow.python.trackable import base
logging.info("not shown")
print(gfile.Exists("script.py"), nest.flatten([1, [2]]))
"""
    assert run(tmp_path, source) == ["True [1, 2]"]


@pytest.mark.parametrize(
    "module",
    ["keras.engine.nonsense", "keras.optimizer_v3", "keras.layers.nonsense", "keras.layers.wrappers.time"],
)
def test_other_modules_are_not_there(tmp_path, module):
    source = f"try:\n    import {module}\nexcept ModuleNotFoundError as error:\n    print(error.name)"
    assert run(tmp_path, source) == [module]


def test_every_name_that_modules_had_besides_is_there(tmp_path):
    """Each is an object, and ``import *`` gives it."""
    source = """
import importlib
from hornbeam.cli.star_names import NAMES
for module, names in NAMES.items():
    space = {}
    exec(f"from keras.{module} import *", space)
    missing = [name for name in names.split() if space.get(name) is None]
    print(*missing, end="")
import keras, numpy
from keras.callbacks import *
from keras.models import *
print(K is keras.backend, np is numpy, Sequential is keras.models.Sequential, EarlyStopping is keras.callbacks.EarlyStopping)
"""
    assert run(tmp_path, source) == ["True True True True"]


def test_all_names_of_tensorflow(tmp_path):
    source = """
import builtins  # tf.print comes along, as it does from TensorFlow
from tensorflow import *
import tensorflow as tf
from tensorflow.nn import *
from tensorflow.compat.v1 import *
builtins.print(reduce_mean is tf.reduce_mean, Session is tf.Session, relu is tf.nn.relu, ConfigProto is tf.ConfigProto)
"""
    assert run(tmp_path, source) == ["True True True True"]


def test_modules_have_them_only_under_the_name_of_keras():
    code = "import hornbeam.callbacks as c, hornbeam.optimizers as o\nprint(hasattr(c, 'np'), 'K' in o.__all__ if hasattr(o, '__all__') else False)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout == "False False\n", result.stderr
