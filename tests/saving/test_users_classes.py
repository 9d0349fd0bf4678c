"""Classes of users that have the name of a layer of the library, as many old scripts bring LayerNormalization along."""

import json
import zipfile

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Sequential, clone_model, load_model
from hornbeam.utils import (
    CustomObjectScope,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

X = np.random.RandomState(0).rand(3, 4).astype("float32")


class LayerNormalization(L.Layer):
    def build(self, input_shape):
        self.gain = self.add_weight(name="gain", shape=input_shape[-1:], initializer="ones")
        super().build(input_shape)

    def call(self, x):
        return 7.0 * x * self.gain


MINE = {"LayerNormalization": LayerNormalization}


@pytest.fixture(params=["model.h5", "model.keras"])
def saved(request, tmp_path):
    Sequential([LayerNormalization(input_shape=(4,))]).save(tmp_path / request.param)
    return tmp_path / request.param


def test_custom_objects_win(saved):
    for again in (load_model(saved, custom_objects=MINE, compile=False), _in_scope(saved)):
        assert type(again.layers[-1]) is LayerNormalization
        np.testing.assert_array_equal(again.predict(X), 7.0 * X)
        assert type(clone_model(again).layers[-1]) is LayerNormalization


def _in_scope(saved):
    with CustomObjectScope(MINE):
        return load_model(saved, compile=False)


def test_a_zip_tells_them_apart(tmp_path):
    Sequential([LayerNormalization(input_shape=(4,)), L.UnitNormalization()]).save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="Unknown layer: LayerNormalization"):
        load_model(tmp_path / "model.keras", compile=False)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        config = json.loads(archive.read("config.json"))
    origins = {layer["class_name"]: layer["registered_name"] for layer in config["config"]["layers"]}
    assert origins["LayerNormalization"] == "LayerNormalization" and origins["UnitNormalization"] is None


def test_names_with_a_package(tmp_path):
    """As tf.keras writes classes that were registered."""
    path = tmp_path / "model.json"
    model = Sequential([LayerNormalization(input_shape=(4,))])
    path.write_text(model.to_json().replace('"LayerNormalization"', '"Custom>LayerNormalization"'))
    from hornbeam.models import model_from_json

    assert type(model_from_json(path.read_text(), custom_objects=MINE).layers[-1]) is LayerNormalization
    with pytest.raises(ValueError, match="Unknown layer: LayerNormalization"):
        model_from_json(path.read_text())


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_layers_in_private_lists_are_saved_with_the_layer_that_keeps_them(name, tmp_path):
    class Stack(L.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self._blocks = [L.Dense(3, activation="tanh"), L.Dense(2)]

        def call(self, inputs):
            return self._blocks[1](self._blocks[0](inputs))

    model = Sequential([Stack(input_shape=(4,))])
    model.compile("sgd", "mse")
    model.save(tmp_path / name)
    x = np.random.RandomState(0).rand(3, 4)
    again = load_model(tmp_path / name, custom_objects={"Stack": Stack})
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def _leak(x):
    return K.relu(x, alpha=0.5)


# -- registered classes and functions -----------------------------------------------------------------------------
@pytest.fixture
def registered():
    """A layer, a loss, an initializer and a model that are registered for the test."""

    @register_keras_serializable(package="mine")
    class Dense(L.Layer):
        def call(self, x):
            return x * 2.0

    @register_keras_serializable("mine", name="loss")
    def half(y_true, y_pred):
        return 0.5 * K.mean(K.abs(y_true - y_pred), axis=-1)

    @register_keras_serializable()
    class Threes:
        def __call__(self, shape, dtype=None):
            return 3.0 * K.ones(shape, dtype=dtype)

        def get_config(self):
            return {}

    return Dense, half, Threes


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_files_find_what_is_registered(registered, tmp_path, name):
    layer, loss, initializer = registered
    activation = register_keras_serializable("mine")(_leak)
    dense = L.Dense(2, activation=activation, kernel_initializer=initializer())
    inner = Sequential([layer(input_shape=(5, 4)), dense])
    model = Sequential([L.TimeDistributed(layer(), input_shape=(5, 4)), inner])
    model.compile("sgd", loss)
    model.save(tmp_path / name)
    again = load_model(tmp_path / name)
    assert type(again.layers[-1].layers[0]) is layer and type(again.layers[0].layer) is layer
    assert getattr(again.loss, "fn", again.loss) is loss
    x = np.ones((2, 5, 4))
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_a_keras_file_names_package_and_class(registered, tmp_path):
    Sequential([registered[0](input_shape=(4,))]).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as file:
        layer = json.loads(file.read("config.json"))["config"]["layers"][-1]
    assert (layer["class_name"], layer["registered_name"]) == ("Dense", "mine>Dense")


def test_names_of_what_is_registered(registered):
    layer, loss, _ = registered
    assert [get_registered_name(thing) for thing in registered] == ["mine>Dense", "mine>loss", "Custom>Threes"]
    assert get_registered_name(L.Dense) == "Dense"
    assert get_registered_object("mine>Dense") is layer and get_registered_object("Dense") is None
    assert get_registered_object("a", {"a": 1}) == get_registered_object("b", {"a": 1}, {"b": 1}) == 1
    with CustomObjectScope({}):
        assert get_registered_object("mine>loss") is loss


def test_what_cannot_be_registered(registered):
    with pytest.raises(ValueError, match="no get_config"):
        register_keras_serializable()(type("Plain", (), {}))
    with pytest.raises(ValueError, match="mine>Dense has been registered already"):
        register_keras_serializable("mine")(L.Dense)
    register_keras_serializable("mine")(registered[0])  # the cell of a notebook, run again
