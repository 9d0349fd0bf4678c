"""Saving and loading: the same bits again, resuming, files of real Keras, safety."""

import io
import json
import os
import pathlib
import pickle
import warnings
import zipfile

import h5py
import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import BatchNormalization, Dense, Dropout, Input, Lambda, Layer
from hornbeam.models import Model, Sequential, clone_model, load_model, model_from_json, model_from_yaml
from hornbeam.utils.test_utils import tf_file_io_proxy

X = np.random.RandomState(0).rand(20, 4).astype("float32")
Y = np.eye(3, dtype="float32")[np.random.RandomState(1).randint(0, 3, 20)]


def small_model(**compile_arguments):
    model = Sequential(
        [
            Dense(6, activation="relu", input_shape=(4,)),
            BatchNormalization(),
            Dropout(0.3),
            Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        **{"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": ["accuracy"], **compile_arguments}
    )
    return model


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "model.h5")


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


class TestRoundTrip:
    def test_everything_comes_back(self, path):
        model = small_model()
        model.fit(X, Y, epochs=2, verbose=0)
        model.save(path)
        loaded = load_model(path)
        assert same(model.get_weights(), loaded.get_weights())
        assert same(model.optimizer.get_weights(), loaded.optimizer.get_weights())
        assert np.array_equal(model.predict(X), loaded.predict(X))
        assert loaded.metrics_names == ["loss", "accuracy"] and loaded.get_config() == model.get_config()

    def test_resuming_gives_the_same_bits(self, path):
        keras.set_random_seed(1)
        model = small_model()
        model.fit(X, Y, epochs=2, batch_size=6, verbose=0)
        model.save(path)
        expected = model.fit(X, Y, epochs=2, batch_size=6, verbose=0).history
        np.random.seed(99)
        loaded = load_model(path, resume=True)
        assert loaded.fit(X, Y, epochs=2, batch_size=6, verbose=0).history == expected
        assert same(model.get_weights(), loaded.get_weights())

    def test_resuming_a_fit_from_its_checkpoint(self, tmp_path):
        keras.set_random_seed(1)
        model = small_model()
        checkpoint = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}.h5"))
        whole = model.fit(X, Y, epochs=4, batch_size=6, verbose=0, callbacks=[checkpoint]).history["loss"]
        loaded = load_model(tmp_path / "2.h5", resume=True)
        rest = loaded.fit(X, Y, epochs=4, initial_epoch=2, batch_size=6, verbose=0).history["loss"]
        assert rest == whole[2:] and same(model.get_weights(), loaded.get_weights())

    def test_text(self):
        model = small_model()
        for rebuilt in (model_from_json(model.to_json()), model_from_yaml(model.to_yaml()), clone_model(model)):
            assert json.loads(rebuilt.to_json())["config"] == json.loads(model.to_json())["config"]
            rebuilt.set_weights(model.get_weights())
            assert np.array_equal(rebuilt.predict(X), model.predict(X))

    def test_pickle(self):
        model = small_model()
        model.train_on_batch(X, Y)
        again = pickle.loads(pickle.dumps(model))
        assert np.array_equal(again.predict(X), model.predict(X))
        assert again.train_on_batch(X, Y) == model.train_on_batch(X, Y)

    def test_shared_layers_nested_models_and_several_ends(self, path):
        inner = Sequential([Dense(4, input_shape=(4,)), BatchNormalization()], name="inner")
        a, b = Input((4,)), Input((4,))
        shared = Dense(4, name="shared")
        first = inner(shared(a))
        second = keras.layers.add([shared(inner(b)), first])
        model = Model([a, b], [second, first])
        model.save(path)
        loaded = load_model_quietly(path)
        assert same(model.predict([X, X + 1]), loaded.predict([X, X + 1]))
        assert same(model.predict([X, X + 1]), clone_with_weights(model).predict([X, X + 1]))

    def test_custom_objects(self, path):
        class Double(Layer):
            def call(self, inputs):
                return 2 * inputs

        def my_loss(y_true, y_pred):
            return K.mean(K.abs(y_true - y_pred), axis=-1)

        model = Sequential([Dense(3, input_shape=(4,)), Double()])
        model.compile("sgd", my_loss, metrics=[my_loss])
        model.save(path)
        with pytest.raises(ValueError, match="Unknown layer: Double"):
            load_model(path)
        loaded = load_model(path, custom_objects={"Double": Double, "my_loss": my_loss})
        assert loaded.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
        with keras.utils.custom_object_scope({"Double": Double, "my_loss": my_loss}):
            assert np.array_equal(load_model(path).predict(X), model.predict(X))

    def test_into_open_files(self, path):
        model = small_model()
        with h5py.File(path, "w") as file:
            model.save(file.create_group("here"))
        with h5py.File(path, "r") as file:
            assert np.array_equal(load_model(file["here"]).predict(X), model.predict(X))

    def test_without_optimizer(self, path):
        model = small_model()
        model.save(path, include_optimizer=False)
        with pytest.warns(UserWarning, match="the model was \\*not\\* compiled"):
            loaded = load_model(path)
        with pytest.raises(RuntimeError, match="You must compile a model"):
            loaded.evaluate(X, Y)


class TestWeights:
    def test_files_of_weights_and_of_models(self, path):
        model, other = small_model(), small_model()
        for save in (model.save_weights, model.save):
            save(path)
            other.load_weights(path)
            assert same(model.get_weights(), other.get_weights())

    def test_by_name(self, path):
        source = Sequential([Dense(5, name="a", input_shape=(4,)), Dense(3, name="b")])
        source.save_weights(path)
        target = Sequential([Dense(5, name="a", input_shape=(4,)), Dense(2, name="b"), Dense(3, name="c")])
        before = target.get_weights()
        with pytest.raises(ValueError, match=r'Layer #1 \(named "b"\), weight b/kernel:0 has shape \(5, 2\)'):
            target.load_weights(path, by_name=True)
        assert same(before, target.get_weights())
        with pytest.warns(UserWarning, match="Skipping loading of weights for layer b"):
            target.load_weights(path, by_name=True, skip_mismatch=True)
        assert same(target.get_weights(), source.get_weights()[:2] + before[2:])

    def test_mismatches_change_nothing(self, path):
        small_model().save_weights(path)
        for layers, message in (
            ([Dense(6, input_shape=(4,))], "containing 3 layers into a model with 1 layers"),
            ([Dense(6, input_shape=(4,)), BatchNormalization(), Dense(2)], r"has shape \(6, 2\), but the saved"),
            (
                [Dense(6, use_bias=False, input_shape=(4,)), BatchNormalization(), Dense(3)],
                "expects 1 weights, but the",
            ),
        ):
            model = Sequential(layers)
            before = model.get_weights()
            with pytest.raises(ValueError, match=message):
                model.load_weights(path)
            assert same(before, model.get_weights())

    def test_layout_is_that_of_keras(self, path):
        small_model(optimizer="sgd").save(path)
        with h5py.File(path, "r") as file:
            group = file["model_weights"]
            names = [name.decode() for name in group.attrs["layer_names"]]
            assert [name.rsplit("_", 1)[0] for name in names] == ["dense", "batch_normalization", "dropout", "dense"]
            assert group.attrs["backend"] == "tensorflow" and group.attrs["keras_version"] == "2.3.1"
            assert [w.decode() for w in group[names[0]].attrs["weight_names"]] == [
                f"{names[0]}/kernel:0",
                f"{names[0]}/bias:0",
            ]
            assert group[names[0]][f"{names[0]}/kernel:0"].shape == (4, 6)
            assert group[names[2]].attrs["weight_names"].shape == (0,)
            training = json.loads(file.attrs["training_config"])
            assert training["loss"] == "categorical_crossentropy" and training["metrics"] == ["accuracy"]

    def test_attributes_above_the_header_limit(self, path):
        names = [f"{i:03d}_" + "n" * 900 for i in range(150)]
        model = Sequential([Dense(1, name=name, input_shape=(1,)) for name in names])
        model.save_weights(path)
        with h5py.File(path, "r") as file:
            assert "layer_names" not in file.attrs and "layer_names2" in file.attrs
        other = Sequential([Dense(1, name=name, input_shape=(1,)) for name in names])
        other.load_weights(path)
        assert same(model.get_weights(), other.get_weights())

    def test_a_name_that_fits_nowhere(self, path):
        with pytest.raises(RuntimeError, match="larger than 64512 bytes"):
            Sequential([Dense(1, name="n" * 70000, input_shape=(1,))]).save_weights(path)
        assert not os.path.exists(path)


class TestDamage:
    def test_no_file_and_foreign_files(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="no such file"):
            load_model(tmp_path / "none.h5")
        (tmp_path / "text.h5").write_text("not HDF5 at all")
        with pytest.raises(OSError, match="as an HDF5 file"):
            load_model(tmp_path / "text.h5")

    def test_truncated_files_leave_the_model_as_it_was(self, path):
        model = small_model()
        model.save(path)
        whole = pathlib.Path(path).read_bytes()
        target = small_model()
        before = target.get_weights()
        for length in range(0, len(whole), len(whole) // 40 + 1):
            with open(path, "wb") as file:
                file.write(whole[:length])
            with pytest.raises((OSError, ValueError)):
                load_model(path)
            with pytest.raises((OSError, ValueError)):
                target.load_weights(path)
        assert same(before, target.get_weights())

    def test_weights_file_is_no_model(self, path):
        small_model().save_weights(path)
        with pytest.raises(ValueError, match="No model found in config file"):
            load_model(path)

    @pytest.mark.parametrize(
        "change, message",
        [
            (lambda f: f.__delitem__("model_weights"), "names a layer 'model_weights' that it does not hold"),
            (lambda f: f.__delitem__("model_weights/d"), "names a layer 'd' that it does not hold"),
            (lambda f: f.__delitem__("model_weights/d/d/bias:0"), "names a weight 'd/bias:0'"),
            (lambda f: f.attrs.__setitem__("model_config", "{"), "Expecting"),
            (lambda f: f.attrs.__setitem__("model_config", "[" * 100000), "nested too deeply"),
            (
                lambda f: f.attrs.__setitem__("model_config", '{"class_name": "Model", "config": {}}'),
                "Invalid model config",
            ),
            (lambda f: f.attrs.__setitem__("hornbeam_state", "{}"), "`hornbeam_state` is damaged"),
        ],
    )
    def test_damaged_parts(self, path, change, message):
        model = Sequential([Dense(3, name="d", input_shape=(4,))])
        model.compile("sgd", "mse")
        model.save(path)
        with h5py.File(path, "a") as file:
            change(file)
        with pytest.raises(ValueError, match=message):
            load_model(path)

    def test_damaged_descriptions(self, path):
        """One wrong character anywhere in the architecture or the training config."""
        model = Sequential([Dense(3, name="d", activation="relu", input_shape=(4,))])
        model.compile("adam", "mse", metrics=["mae"])
        model.save(path)
        rng = np.random.RandomState(0)
        with h5py.File(path, "a") as file:
            for attribute in ("model_config", "training_config"):
                whole = file.attrs[attribute]
                for _ in range(60):
                    at = rng.randint(len(whole))
                    file.attrs[attribute] = whole[:at] + chr(rng.randint(32, 127)) + whole[at + 1 :]
                    try:
                        load_model_quietly(file)
                    except (OSError, ValueError):
                        pass
                file.attrs[attribute] = whole
            assert same(load_model(file).get_weights(), model.get_weights())

    def test_a_failing_save_leaves_the_old_file(self, path, monkeypatch):
        model = small_model()
        model.save(path)
        before = pathlib.Path(path).read_bytes()

        def fail():
            raise RuntimeError("config is not to be had")

        monkeypatch.setattr(model, "get_config", fail)
        with pytest.raises(RuntimeError, match="not to be had"):
            model.save(path)
        assert pathlib.Path(path).read_bytes() == before and os.listdir(os.path.dirname(path)) == ["model.h5"]

    def test_a_config_that_never_ends(self):
        config = Model(*(lambda x: (x, Dense(1)(x)))(Input((2,)))).get_config()
        config["layers"][1]["inbound_nodes"][0][0][0] = config["layers"][1]["name"]
        with pytest.raises(ValueError, match="cannot be found in the model"):
            Model.from_config(config)


class TestLoadingIsNotExecuting:
    def stranger(self, path):
        """A file with a Lambda that this process has never defined."""
        model = Sequential([Lambda(lambda x: x * 2, name="twice", input_shape=(4,))])
        model.save(path)
        with h5py.File(path, "a") as file:
            config = json.loads(file.attrs["model_config"])
            code = config["config"]["layers"][0]["config"]["function"]
            code[0] = code[0][:40] + ("A" if code[0][40] != "A" else "B") + code[0][41:]
            file.attrs["model_config"] = json.dumps(config)

    def test_own_lambdas_load(self, path):
        model = Sequential([Lambda(lambda x: x * 3, input_shape=(4,))])
        model.save(path)
        assert np.array_equal(load_model_quietly(path).predict(X), 3 * X)

    def test_a_strangers_lambda_does_not(self, path):
        self.stranger(path)
        with pytest.raises(ValueError, match=r'^layer "twice" \(class Lambda\): .*lambdas=.*safe_mode=False'):
            load_model(path)

    def test_lambdas_can_be_given(self, path):
        self.stranger(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = load_model(path, lambdas={"twice": lambda x: x * 5})
        np.testing.assert_allclose(model.predict(X), 5 * X)

    def test_yaml_makes_no_objects(self):
        text = "!!python/object/apply:os.system ['touch /tmp/hornbeam_was_here']"
        with pytest.raises(ValueError, match="not plain YAML"):
            model_from_yaml(text)
        assert not os.path.exists("/tmp/hornbeam_was_here")

    @pytest.mark.parametrize("text", ["[]", "- 1", "3", ""])
    @pytest.mark.parametrize("read", [model_from_json, model_from_yaml])
    def test_text_that_describes_no_model(self, read, text):
        with pytest.raises(ValueError):
            read(text)

    def test_zip_bombs(self, tmp_path):
        path = tmp_path / "bomb.keras"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", "{}")
            archive.writestr("model.weights.h5", b"\0" * (1 << 24))
        with pytest.raises(ValueError, match="no model does that"):
            load_model(path)


def load_model_quietly(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_model(path)


def clone_with_weights(model):
    clone = clone_model(model)
    clone.set_weights(model.get_weights())
    return clone


def test_streams():
    buffer = io.BytesIO()
    model = small_model()
    keras.models.save_model(model, buffer)
    buffer.seek(0)
    assert np.array_equal(load_model(buffer).predict(X), model.predict(X))


def test_arrays_in_initializers(path):
    model = Sequential([Dense(2, kernel_initializer=keras.initializers.Constant(np.eye(3, 2)), input_shape=(3,))])
    model.save(path)
    assert np.array_equal(clone_model(load_model_quietly(path)).get_weights()[0], np.eye(3, 2))


def test_addresses():
    model = small_model()
    with tf_file_io_proxy() as storage:
        address = storage.get_filepath("m.h5")
        model.save(address)
        storage.assert_exists(address)
        assert same(load_model(address).get_weights(), model.get_weights())
        other = small_model()
        other.load_weights(address)
        assert same(other.get_weights(), model.get_weights())


def test_asking_before_overwriting(path, monkeypatch):
    small_model().save(path)
    before = pathlib.Path(path).read_bytes()
    asked = []
    monkeypatch.setattr("hornbeam.engine.saving.ask_to_proceed_with_overwrite", asked.append)
    small_model().save(path, overwrite=False)
    small_model().save_weights(path, overwrite=False)
    assert asked == [path, path] and pathlib.Path(path).read_bytes() == before


@pytest.mark.parametrize("first", [keras.layers.InputLayer, keras.layers.Input])
@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_a_stack_on_an_input_layer(first, name, tmp_path):
    model = Sequential([first((4,), dtype="int32"), keras.layers.Embedding(5, 3), keras.layers.Flatten(), Dense(2)])
    model.save(tmp_path / name)
    again = load_model(tmp_path / name, compile=False)
    assert K.dtype(again.inputs[0]) == "int32"
    x = np.array([[0, 1, 2, 4]])
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_weights_for_a_model_without_any(tmp_path):
    Sequential([Dense(2, input_shape=(3,))]).save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["config.json"] = members["config.json"].replace(b'"batch_input_shape": [null, 3], ', b"")
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ValueError, match="does not know the shape of its inputs"):
        load_model(tmp_path / "model.keras")


def test_a_name_that_continues_that_of_a_later_layer(path):
    model = Sequential([Dense(3, name="a/b/c", input_shape=(2,)), Dense(3, name="a/b"), Dense(3, name="a")])
    model.save_weights(path)
    with h5py.File(path) as file:
        assert list(file.attrs["layer_names"]) == [b"a/b/c", b"a/b", b"a"]
    again = Sequential.from_config(model.get_config())
    again.load_weights(path)
    assert same(again.get_weights(), model.get_weights())
