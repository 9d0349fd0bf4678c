"""Every public name of Keras 2.3.1, under its module, with its arguments and defaults."""

import importlib
import inspect
import types

import pytest
from hornbeam import engine, layers
from keras2_api import Name, names, signature_differs

#: Classes of which Keras lists properties that are attributes of an instance, or found in its cell, here.
MADE = {
    "SimpleRNN": lambda: layers.SimpleRNN(2),
    "GRU": lambda: layers.GRU(2),
    "LSTM": lambda: layers.LSTM(2),
    "CuDNNGRU": lambda: layers.CuDNNGRU(2),
    "CuDNNLSTM": lambda: layers.CuDNNLSTM(2),
    "ConvLSTM2D": lambda: layers.ConvLSTM2D(2, 3),
    "Network": engine.Network,
}


def imported(module: str):
    return importlib.import_module(module.replace("keras", "hornbeam", 1))


def module_of(name: Name):
    return imported(name.module)


def find(name: Name):
    thing = module_of(name)
    for part in name.path.split("."):
        thing = getattr(MADE[thing.__name__]() if getattr(thing, "__name__", "") in MADE else thing, part)
    return thing


def is_method(name: Name) -> bool:
    owner, _, own = name.path.rpartition(".")
    cls = getattr(module_of(name), owner, None)
    return isinstance(cls, type) and isinstance(inspect.getattr_static(cls, own, None), types.FunctionType)


def difference(name: Name) -> str | None:
    """What is wrong with a name, or None."""
    try:
        thing = find(name)
    except (ImportError, AttributeError) as error:
        return str(error)
    if name.same_as is not None:
        return None if thing is getattr(module_of(name), name.same_as) else f"is not {name.same_as}"
    if name.signature is None:
        return None
    if not callable(thing) and not isinstance(thing, property):
        return "cannot be called"
    if is_method(name):
        thing = thing.__get__(object())  # bound, whatever its first parameter is called
    return signature_differs(thing, name.signature)


def test_every_name_of_keras_2():
    wrong = {str(name): found for name in names() if (found := difference(name)) is not None}
    assert wrong == {}


#: Modules whose public names their package has as well.
RE_EXPORTED = {
    "keras.layers": (
        "advanced_activations", "convolutional", "convolutional_recurrent", "core", "cudnn_recurrent", "embeddings",
        "local", "merge", "noise", "normalization", "pooling", "recurrent", "wrappers",
    ),
    "keras.callbacks": ("callbacks",),
}  # fmt: skip
#: Names that Keras imports into a package or module from where they are defined.
ALSO_IN = {
    "keras": {"layers": ["Input"], "models": ["Model", "Sequential"]},
    "keras.models": {
        "engine.input_layer": ["Input", "InputLayer"],
        "engine.training": ["Model"],
        "engine.sequential": ["Sequential"],
        "engine.saving": ["save_model", "load_model", "model_from_config", "model_from_yaml", "model_from_json"],
    },
    "keras.engine": {
        "engine.input_layer": ["Input", "InputLayer"],
        "engine.base_layer": ["InputSpec", "Layer"],
        "engine.training": ["Model"],
        "utils.layer_utils": ["get_source_inputs"],
    },
    "keras.layers": {"engine": ["Input", "InputLayer", "InputSpec", "Layer"]},
    "keras.utils": {
        "utils.io_utils": ["HDF5Matrix", "H5Dict"],
        "utils.data_utils": ["get_file", "Sequence", "GeneratorEnqueuer", "OrderedEnqueuer"],
        "utils.generic_utils": [
            "CustomObjectScope", "custom_object_scope", "get_custom_objects", "Progbar",  # those of configs take more here
        ],
        "utils.layer_utils": ["convert_all_kernels_in_model", "get_source_inputs", "print_summary"],
        "utils.vis_utils": ["model_to_dot", "plot_model"],
        "utils.np_utils": ["to_categorical", "normalize"],
        "utils.multi_gpu_utils": ["multi_gpu_model"],
    },
    "keras.applications": {
        "applications.vgg16": ["VGG16"],
        "applications.vgg19": ["VGG19"],
        "applications.resnet50": ["ResNet50"],
        "applications.inception_v3": ["InceptionV3"],
        "applications.inception_resnet_v2": ["InceptionResNetV2"],
        "applications.xception": ["Xception"],
        "applications.mobilenet": ["MobileNet"],
        "applications.mobilenet_v2": ["MobileNetV2"],
        "applications.densenet": ["DenseNet121", "DenseNet169", "DenseNet201"],
        "applications.nasnet": ["NASNetMobile", "NASNetLarge"],
        "applications.resnet": ["ResNet101", "ResNet152"],
        "applications.resnet_v2": ["ResNet50V2", "ResNet101V2", "ResNet152V2"],
    },
}  # fmt: skip


@pytest.mark.parametrize("package", RE_EXPORTED)
def test_packages_have_the_names_of_their_modules(package):
    modules = {f"{package}.{module}" for module in RE_EXPORTED[package]}
    listed = [name for name in names() if name.module in modules and "." not in name.path]
    assert {name.module for name in listed} == modules
    for name in listed:
        assert getattr(imported(package), name.path) is find(name), str(name)


@pytest.mark.parametrize("package", ALSO_IN)
def test_names_are_where_scripts_import_them_from(package):
    for module, those in ALSO_IN[package].items():
        for name in those:
            assert getattr(imported(package), name) is getattr(imported(f"keras.{module}"), name), name
