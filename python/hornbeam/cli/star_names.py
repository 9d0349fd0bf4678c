"""What ``from keras.x import *`` gave besides: the names that Keras 2.3.1's own modules had imported, which scripts came to use.

:func:`add` puts them into a module that a script imports under Keras's name.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

#: By module the names that it has here only for this reason.
NAMES = {
    "activations": "Layer deserialize_keras_object warnings",
    "callbacks": "K np os json csv time warnings Progbar OrderedDict Iterable deque defaultdict",
    "callbacks.callbacks": "K np os json csv time warnings Progbar OrderedDict Iterable deque defaultdict io",
    "constraints": "deserialize_keras_object",
    "engine": "K np",
    "engine.base_layer": "K has_arg initializers interfaces is_all_none object_list_uid re threading to_list",
    "engine.network": "InputLayer K Layer Node copy has_arg interfaces json np os saving to_list unpack_singleton warnings",
    "engine.saving": "H5Dict K conv_utils inspect json losses np optimizers os tempfile warnings wraps",
    "engine.training": "Layer collections copy losses losses_utils metrics_module warnings",
    "engine.training_arrays": "Progbar cbks unpack_singleton",
    "engine.training_generator": "GeneratorEnqueuer K OrderedEnqueuer Progbar Sequence cbks np unpack_singleton warnings",
    "engine.training_utils": "K OrderedDict Sequence collections copy generic_utils inspect losses losses_utils np warnings",
    "initializers": "deserialize_keras_object",
    "layers.advanced_activations": "constraints initializers regularizers",
    "layers.convolutional": "InputSpec Layer activations constraints initializers regularizers transpose_shape",
    "layers.convolutional_recurrent": "InputSpec K Layer RNN activations constraints conv_utils has_arg initializers "
    "interfaces np regularizers to_list transpose_shape warnings",
    "layers.core": "constraints initializers warnings",
    "layers.cudnn_recurrent": "InputSpec K RNN constraints initializers namedtuple regularizers",
    "layers.embeddings": "constraints initializers regularizers",
    "layers.local": "Layer activations constraints conv_utils initializers regularizers",
    "layers.noise": "np",
    "layers.normalization": "constraints initializers regularizers",
    "layers.recurrent": "InputSpec K Layer activations constraints disable_tracking has_arg initializers interfaces np "
    "regularizers to_list warnings",
    "layers.wrappers": "InputSpec K Layer copy disable_tracking has_arg object_list_uid",
    "losses": "abc deserialize_keras_object",
    "metrics": "K Layer deserialize_keras_object losses_utils metrics_utils np types",
    "models": "K has_arg to_list",
    "optimizers": "K copy deserialize_keras_object interfaces np",
    "preprocessing": "backend utils",
    "preprocessing.image": "backend generic_utils",
    "regularizers": "deserialize_keras_object",
    "utils.conv_utils": "K",
    "utils.data_utils": "Progbar hashlib np os random shutil sys tarfile threading time urlopen warnings zipfile",
    "utils.generic_utils": "binascii collections sys time",
    "utils.layer_utils": "K convert_kernel np",
    "utils.losses_utils": "np",
    "utils.metrics_utils": "K losses_utils",
    "utils.multi_gpu_utils": "K Lambda Model clone_model concatenate to_list",
    "utils.test_utils": "Input Model assert_allclose has_arg",
    "utils.vis_utils": "Model Wrapper",
    "wrappers.scikit_learn": "losses",
}
#: Where they are: a module and a name in it, or a module alone. Any other is a module of Hornbeam, or of Python.
PLACES = {
    "H5Dict": "hornbeam.utils H5Dict",
    "Input": "hornbeam.layers Input",
    "InputLayer": "hornbeam.layers InputLayer",
    "InputSpec": "hornbeam.layers InputSpec",
    "Iterable": "collections.abc Iterable",
    "K": "hornbeam.backend",
    "Lambda": "hornbeam.layers Lambda",
    "Layer": "hornbeam.layers Layer",
    "Model": "hornbeam.models Model",
    "Node": "hornbeam.engine.base_layer Node",
    "OrderedDict": "collections OrderedDict",
    "RNN": "hornbeam.layers RNN",
    "Wrapper": "hornbeam.layers Wrapper",
    "assert_allclose": "numpy.testing assert_allclose",
    "cbks": "hornbeam.callbacks",
    "clone_model": "hornbeam.models clone_model",
    "concatenate": "hornbeam.layers concatenate",
    "convert_kernel": "hornbeam.utils.conv_utils convert_kernel",
    "defaultdict": "collections defaultdict",
    "deque": "collections deque",
    "disable_tracking": "hornbeam.engine.base_layer disable_tracking",
    "interfaces": "hornbeam.legacy.interfaces",
    "metrics_module": "hornbeam.metrics",
    "namedtuple": "collections namedtuple",
    "np": "numpy",
    "saving": "hornbeam.engine.saving",
    "urlopen": "urllib.request urlopen",
    "wraps": "functools wraps",
}
PLACES |= {
    name: f"hornbeam.utils {name}"
    for name in "conv_utils generic_utils losses_utils metrics_utils GeneratorEnqueuer OrderedEnqueuer Sequence".split()
}
PLACES |= {
    name: f"hornbeam.utils.generic_utils {name}"
    for name in "Progbar deserialize_keras_object has_arg is_all_none object_list_uid to_list transpose_shape "
    "unpack_singleton".split()
}


def add(module: ModuleType) -> None:
    """Give a module of Hornbeam the names of that kind that it does not have itself, for ``import *`` as well."""
    names = NAMES.get(module.__name__.partition(".")[2], "").split()
    for name in names:
        if name not in vars(module):
            vars(module)[name] = find(name)
    if "__all__" in vars(module):
        listed = vars(module)["__all__"]
        vars(module)["__all__"] = [*listed, *(name for name in names if name not in listed)]


def find(name: str) -> Any:
    """The object of a name."""
    place, _, attribute = PLACES.get(name, "").partition(" ")
    if not place:
        return importlib.import_module(name if name in sys.stdlib_module_names else f"hornbeam.{name}")
    module = importlib.import_module(place)
    return getattr(module, attribute) if attribute else module
