"""``.keras`` files: what is in them, and that they are as good as HDF5 files. tf_keras reads them: docs/files.md."""

import io
import json
import os
import zipfile

import h5py
import hornbeam as keras
import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam.models import Model, Sequential, load_model
from hornbeam.saving.optimizer_state import by_kind, by_weight

X = np.random.RandomState(0).rand(8, 4).astype("float32")
Y = np.random.RandomState(1).rand(8, 2).astype("float32")


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


def members(path):
    with zipfile.ZipFile(path) as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r")
        return json.loads(archive.read("metadata.json")), json.loads(archive.read("config.json")), weights


def network(optimizer="adam"):
    inner = Sequential([L.Dense(4, input_shape=(4,)), L.BatchNormalization()], name="inner")
    x, shared = L.Input((4,)), L.Dense(4, activation="relu", name="shared")
    y = L.Dropout(0.3)(L.add([inner(shared(x)), shared(x)]))
    y = L.Bidirectional(L.LSTM(3))(L.Reshape((2, 2))(y))
    model = Model(x, L.Dense(2)(y))
    model.compile(optimizer, "mse", metrics=["mae", keras.metrics.MeanSquaredError(name="m")])
    return model


def test_layout(tmp_path):
    path = tmp_path / "m.keras"
    model = network()
    model.train_on_batch(X, Y)
    model.save(path)
    metadata, config, weights = members(path)
    assert metadata["keras_version"] == "2.3.1"
    assert (config["module"], config["class_name"]) == ("keras", "Model")
    origins = {layer["class_name"]: layer["module"] for layer in config["config"]["layers"]}
    assert origins["Sequential"] == "keras" and origins["Bidirectional"] == "keras.layers"
    assert config["compile_config"]["optimizer"]["class_name"] == "Adam" and config["compile_config"]["loss"] == "mse"
    assert weights["layers/dense/vars/0"].shape == (4, 4) and weights["layers/dense_1/vars/0"].shape == (6, 2)
    assert weights["layers/sequential/layers/batch_normalization/vars/3"].shape == (4,)
    assert weights["layers/bidirectional/backward_layer/cell/vars/1"].shape == (3, 12)
    assert weights["optimizer/vars/0"][()] == 1 and len(weights["optimizer/vars"]) == 1 + 2 * 14
    assert weights["optimizer/vars/1"].shape == weights["optimizer/vars/2"].shape == (4, 4)


def test_an_initializer_that_is_called_like_a_layer(tmp_path):
    Sequential([L.Identity(input_shape=(4,)), L.Dense(4, kernel_initializer="identity")]).save(tmp_path / "m.keras")
    identity, dense = members(tmp_path / "m.keras")[1]["config"]["layers"]
    assert identity["module"] == dense["module"] == "keras.layers"
    assert dense["config"]["kernel_initializer"] == {"class_name": "Identity", "config": {"gain": 1.0}}


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.SGD(0.1, momentum=0.9, decay=0.1), keras.optimizers.RMSprop(), keras.optimizers.Adagrad(),
        keras.optimizers.Adadelta(), keras.optimizers.Adam(amsgrad=True, clipnorm=0.5), keras.optimizers.Adam(),
        keras.optimizers.Adamax(), keras.optimizers.Nadam(),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)  # fmt: skip
def test_resuming_gives_the_same_bits(tmp_path, optimizer):
    path = tmp_path / "m.keras"
    keras.set_random_seed(1)
    model = network(optimizer)
    model.fit(X, Y, epochs=2, batch_size=3, verbose=0)
    model.save(path)
    expected = model.fit(X, Y, epochs=2, batch_size=3, verbose=0).history
    np.random.seed(99)
    loaded = load_model(path, resume=True)
    assert loaded.fit(X, Y, epochs=2, batch_size=3, verbose=0).history == expected
    assert same(loaded.get_weights(), model.get_weights())


def test_what_later_keras_says_of_it(tmp_path):
    """Without what Hornbeam adds for itself, the optimizer comes back from the words of later Keras."""
    path, buffer = tmp_path / "m.keras", io.BytesIO()
    network(keras.optimizers.SGD(0.1, momentum=0.9, decay=0.25, clipnorm=2.0)).save(path)
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(buffer, "w") as plain:
        weights = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(weights, "a") as file:
            for name in list(file.attrs):
                del file.attrs[name]
        plain.writestr("config.json", archive.read("config.json"))
        plain.writestr("model.weights.h5", weights.getvalue())
    buffer.seek(0)
    config = load_model(buffer).optimizer.get_config()
    assert {key: round(value, 6) for key, value in config.items()} == {
        "learning_rate": 0.1, "momentum": 0.9, "decay": 0.25, "nesterov": False, "clipnorm": 2.0
    }  # fmt: skip


def test_formats_and_targets(tmp_path):
    model = network()
    with pytest.raises(ValueError, match="Unknown save_format 'tf'"):
        model.save(tmp_path / "c", save_format="tf")
    buffer = io.BytesIO()
    model.save(buffer, save_format="keras")
    buffer.seek(0)
    assert same(load_model(buffer).get_weights(), model.get_weights())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name, arguments, is_zip",
    [
        ("a.keras", {}, True),
        ("a.h5", {}, False),
        ("b.keras", {"save_format": "h5"}, False),
        ("b", {"save_format": "keras"}, True),
    ],
    ids=str,
)
def test_formats(tmp_path, name, arguments, is_zip):
    model = network()
    model.save(tmp_path / name, **arguments)
    assert zipfile.is_zipfile(tmp_path / name) == is_zip and os.listdir(tmp_path) == [name]
    assert same(load_model(tmp_path / name).get_weights(), model.get_weights())


def test_weights_of_a_zip_into_a_model(tmp_path):
    model, other = network(), network()
    model.save(tmp_path / "m.keras")
    other.load_weights(tmp_path / "m.keras")
    assert same(other.get_weights(), model.get_weights())
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:  # which is what later Keras has as x.weights.h5
        (tmp_path / "m.weights.h5").write_bytes(archive.read("model.weights.h5"))
    third = network()
    third.load_weights(tmp_path / "m.weights.h5")
    assert same(third.get_weights(), model.get_weights())
    small = Sequential([L.Dense(3, input_shape=(4,)), L.Dense(2)])
    before = small.get_weights()
    with pytest.raises(ValueError, match=r"has shape \(4, 3\), but \(4, 4\) in the file"):
        small.load_weights(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="has no values for the weights"):
        Sequential([L.GRU(3, input_shape=(4, 2))]).load_weights(tmp_path / "m.keras")
    assert same(before, small.get_weights())


def test_layers_made_of_layers(tmp_path):
    class Block(L.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units, self.first, self.more = units, L.Dense(units), [L.Dense(units), L.Dense(units)]

        def call(self, inputs):
            return self.more[1](self.more[0](self.first(inputs)))

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    model = Sequential([Block(3, input_shape=(4,)), L.Dense(2)])
    model.save(tmp_path / "m.keras")
    _, _, weights = members(tmp_path / "m.keras")
    assert {"first", "more", "vars"} == set(weights["layers/block"])
    loaded = load_model(tmp_path / "m.keras", custom_objects={"Block": Block}, compile=False)
    assert np.array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("kinds", [1, 2, 3])
def test_slots_by_weight_are_the_reverse_of_slots_by_kind(kinds):
    state = [np.full(1, i) for i in range(1 + 4 * kinds)]
    assert by_kind(by_weight(state, 4), 4) == state


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
class TestSample:
    def test_a_loaded_model_is_checked(self, tmp_path, name):
        model = network()
        model.save(tmp_path / name, sample=X)
        load_model(tmp_path / name, verify=True)
        model.save(tmp_path / name)
        with pytest.raises(ValueError, match="saved with a sample"):
            load_model(tmp_path / name, verify=True)

    @pytest.mark.parametrize("sample", [[X, X + 1], {"b": X, "a": X}], ids=["list", "dict"])
    def test_several_inputs_and_outputs(self, tmp_path, name, sample):
        a, b = L.Input((4,), name="a"), L.Input((4,), name="b")
        model = Model([a, b], [L.add([a, b]), L.Dense(2)(b)])
        model.save(tmp_path / name, sample=sample)
        load_model(tmp_path / name, verify=True, compile=False)


def test_a_sample_shows_changed_weights(tmp_path):
    network().save(tmp_path / "m.h5", sample=X)
    with h5py.File(tmp_path / "m.h5", "a") as file:
        file["model_weights/shared/shared/kernel:0"][...] = 1.0
    load_model(tmp_path / "m.h5")
    with pytest.raises(ValueError, match=r"not the one that was saved: \d+ of 16 values of output 0 differ"):
        load_model(tmp_path / "m.h5", verify=True)
