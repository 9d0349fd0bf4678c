"""``from keras.x import *`` gives what it gave: also what is imported only when asked for."""

import importlib

import pytest


@pytest.mark.parametrize(
    "package, names",
    [
        ("hornbeam", "Input Model Sequential layers models backend callbacks utils preprocessing"),
        (
            "hornbeam.layers",
            "Dense Input InputSpec Layer concatenate core merge Highway Recurrent AtrousConvolution2D K regularizers",
        ),
        ("hornbeam.utils", "to_categorical plot_model np_utils generic_utils conv_utils"),
        ("hornbeam.datasets", "mnist imdb"),
        ("hornbeam.preprocessing", "image sequence text"),
        ("hornbeam.wrappers", "scikit_learn"),
    ],
)
def test_star_imports(package, names):
    space: dict = {}
    exec(f"from {package} import *", space)
    module = importlib.import_module(package)
    for name in names.split():
        assert space[name] is getattr(module, name)
    assert not {"annotations", "Any", "importlib", "saving", "version"} & set(space)
