"""Layers that say themselves how they are built, stored and loaded, as tf.keras lets them in ``.keras`` files."""

import json
import pathlib
import zipfile

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam import optimizers
from hornbeam.models import Model, Sequential, load_model

X = np.random.RandomState(0).rand(3, 4).astype("float32")


class WithCounter(L.Dense):
    """Keeps a variable that is none of its weights."""

    def build(self, input_shape):
        super().build(input_shape)
        self.__dict__["counter"] = K.variable(np.zeros(2), name="counter")

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["counter"] = K.get_value(self.counter)

    def load_own_variables(self, store):
        K.set_value(self.counter, store["counter"])
        super().load_own_variables({name: store[name] for name in store if name != "counter"})


class BuiltByTwo(L.Layer):
    """Cannot be built from the shape of its inputs alone."""

    def build(self, input_shape, start=None):
        if start is None:
            raise ValueError("start is missing")
        super().build(input_shape)
        self.start = start
        self.w = self.add_weight(name="w", shape=(input_shape[-1], 2), initializer=start)

    def call(self, x):
        return K.dot(x, self.w)

    def get_build_config(self):
        return {**super().get_build_config(), "start": self.start}

    def build_from_config(self, config):
        self.build(tuple(config["input_shape"]), config["start"])


def test_a_layers_own_variables(tmp_path):
    layer = WithCounter(3, name="own")
    x = L.Input((4,))
    model = Model(x, Sequential([L.Dense(4), layer])(x))
    K.set_value(layer.counter, [1.0, 2.0])
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", custom_objects={"WithCounter": WithCounter}, compile=False)
    own = again.layers[-1].layers[-1]
    np.testing.assert_array_equal(K.get_value(own.counter), [1, 2])
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_other_numbers_of_own_variables():
    layer = L.Dense(2)
    layer.build((None, 4))
    store = {}
    layer.save_own_variables(store)
    assert {name: value.shape for name, value in store.items()} == {"0": (4, 2), "1": (2,)}
    kernel = store["0"].copy()
    layer.set_weights([np.zeros((4, 2)), np.ones(2)])
    with pytest.raises(ValueError, match="expected 2 variables, but received 1"):
        layer.load_own_variables({"0": kernel})
    layer.load_own_variables(store)
    np.testing.assert_array_equal(layer.get_weights()[0], kernel)


@pytest.mark.parametrize("functional", [False, True])
def test_a_layers_own_way_of_being_built(functional, tmp_path):
    layer = BuiltByTwo()
    layer.build((None, 4), "ones")
    if functional:
        x = L.Input((4,))
        model = Model(x, layer(x))
    else:
        model = Sequential([L.InputLayer((4,)), layer])
    K.set_value(layer.w, np.arange(8.0).reshape(4, 2))
    model.save(tmp_path / "m.keras")
    config = json.loads(zipfile.ZipFile(tmp_path / "m.keras").read("config.json"))["config"]["layers"][-1]
    assert config["build_config"] == {"input_shape": [None, 4], "start": "ones"}
    again = load_model(tmp_path / "m.keras", custom_objects={"BuiltByTwo": BuiltByTwo}, compile=False)
    assert again.layers[-1].start == "ones"
    np.testing.assert_allclose(again.predict(X), X @ np.arange(8.0).reshape(4, 2), rtol=1e-6)


@pytest.mark.parametrize("shape", [(None, 4), [(None, 4), (2, 3)]])
def test_build_configs(shape):
    layer = (L.Concatenate if isinstance(shape, list) else L.Dense)(**({} if isinstance(shape, list) else {"units": 2}))
    assert layer.get_build_config() is None
    if isinstance(shape, list):
        layer([L.Input(batch_shape=(None, 4)), L.Input(batch_shape=(None, 3))])
        assert layer.get_build_config() == {"input_shape": [(None, 4), (None, 3)]}
        return
    layer(L.Input((4,)))
    other = L.Dense(2)
    other.build_from_config(json.loads(json.dumps(layer.get_build_config())))
    assert [w.shape for w in other.weights] == [(4, 2), (2,)]


def test_what_is_computed_of_weights_follows_them(tmp_path):
    class Tripled(L.Dense):
        triple = None

        def finalize_state(self):
            self.__dict__["triple"] = 3 * K.get_value(self.kernel)

    model = Sequential([Tripled(1, use_bias=False, input_shape=(4,))])
    assert model.layers[0].triple is None
    model.set_weights([np.ones((4, 1))])
    np.testing.assert_array_equal(model.layers[0].triple, np.full((4, 1), 3.0))
    model.layers[0].set_weights([np.full((4, 1), 2.0)])
    for name in ("m.h5", "m.keras"):
        model.save(tmp_path / name)
        again = load_model(tmp_path / name, custom_objects={"Tripled": Tripled}, compile=False)
        np.testing.assert_array_equal(again.layers[0].triple, np.full((4, 1), 6.0))


# -- models with a call of their own ----------------------------------------------------------------------------------
class Encoder(Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.inner, self.outer = L.Dense(units, activation="relu"), L.Dense(1)

    def call(self, inputs):
        return self.outer(self.inner(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class OwnCompile(Model):
    def __init__(self):
        super().__init__()
        self.dense = L.Dense(1)
        self.factor = None

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {}

    def compile(self, factor, **kwargs):
        super().compile(**kwargs)
        self.factor = factor

    def get_compile_config(self):
        return {"factor": self.factor, "rate": float(K.get_value(self.optimizer.lr))}

    def compile_from_config(self, config):
        self.compile(config["factor"], optimizer=optimizers.SGD(config["rate"]), loss="mse")


@pytest.fixture(params=["graph", "eager"])
def mode(request):
    if request.param == "eager":
        request.getfixturevalue("eager")
    return request.param


def test_a_model_with_its_own_call(mode, tmp_path):
    model = Encoder(5)
    model.compile(optimizers.Adam(0.01), "mse", metrics=["mae"])
    model.fit(X, X[:, :1], batch_size=1, epochs=2, verbose=0, shuffle=False)
    model.save(tmp_path / "m.keras")
    assert json.loads(zipfile.ZipFile(tmp_path / "m.keras").read("config.json"))["build_config"] == {
        "input_shape": [None, 4]
    }
    again = load_model(tmp_path / "m.keras", custom_objects={"Encoder": Encoder})
    assert type(again) is Encoder and again.units == 5
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for each in (model, again):  # the optimizer goes on as well
        each.fit(X, X[:, :1], batch_size=1, verbose=0, shuffle=False)
    np.testing.assert_allclose(again.predict(X), model.predict(X), rtol=1e-6)
    with pytest.raises(NotImplementedError, match="save it as"):
        model.save(tmp_path / "m.h5")


def test_a_models_own_compile(mode, tmp_path):
    model = OwnCompile()
    model.compile(2.5, optimizer=optimizers.SGD(0.25), loss="mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(tmp_path / "m.keras")
    assert json.loads(zipfile.ZipFile(tmp_path / "m.keras").read("config.json"))["compile_config"] == {
        "factor": 2.5,
        "rate": 0.25,
    }
    again = load_model(tmp_path / "m.keras", custom_objects={"OwnCompile": OwnCompile})
    assert again.factor == 2.5 and float(K.get_value(again.optimizer.lr)) == 0.25
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_compile_that_no_config_describes(tmp_path):
    class Half(OwnCompile):
        compile_from_config = Model.compile_from_config

    model = Half()
    model.compile(1.0, optimizer="sgd", loss="mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(tmp_path / "m.keras")
    with pytest.warns(UserWarning, match="has its own `compile`"):
        again = load_model(tmp_path / "m.keras", custom_objects={"Half": Half})
    assert again.factor is None


def test_compile_configs():
    model = Sequential([L.Dense(1, input_shape=(4,))])
    assert model.get_compile_config() is None
    model.compile(optimizers.RMSprop(0.5), "mae", metrics=["mse"])
    config = json.loads(json.dumps(model.get_compile_config()))
    other = Sequential([L.Dense(1, input_shape=(4,))])
    other.compile_from_config(config)
    assert other.get_compile_config() == model.get_compile_config()
    assert other.loss == "mae" and other.optimizer.get_config()["learning_rate"] == 0.5


def test_a_constructor_with_arguments_needs_a_config(request):
    class Sized(Model):
        def __init__(self, size):
            super().__init__()

        def call(self, x):
            return x

    class Unsized(Sized):
        def __init__(self):
            super().__init__(2)

    with pytest.raises(NotImplementedError, match="subclass of Model"):
        Unsized().get_config()
    request.getfixturevalue("tf2")
    assert Unsized().get_config() == {}
    with pytest.raises(NotImplementedError, match="define `get_config`"):
        Sized(3).get_config()


# -- optimizers -------------------------------------------------------------------------------------------------------
def test_an_optimizers_own_variables(tmp_path):
    class Noted(optimizers.Adam):
        noted = None

        def save_own_variables(self, store):
            super().save_own_variables(store)
            store["note"] = np.array([1.0, 2.0])

        def load_own_variables(self, store):
            self.__dict__["noted"] = np.asarray(store["note"]).tolist()
            super().load_own_variables({name: store[name] for name in store if name != "note"})

    model = Sequential([L.Dense(1, input_shape=(4,))])
    model.compile(Noted(0.1), "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", custom_objects={"Noted": Noted})
    assert again.optimizer.noted == [1, 2]
    for a, b in zip(again.optimizer.get_weights(), model.optimizer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_optimizers_state_in_a_dict():
    model = Sequential([L.Dense(1, input_shape=(4,))])
    model.compile(optimizers.SGD(0.1, momentum=0.5), "mse")
    model.fit(X, X[:, :1], verbose=0)
    store, before = {}, model.optimizer.get_weights()
    model.optimizer.save_own_variables(store)
    model.fit(X, X[:, :1], verbose=0)
    model.optimizer.load_own_variables(store)
    for a, b in zip(model.optimizer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="weight list"):
        model.optimizer.load_own_variables({"0": store["0"]})


# -- files of layers --------------------------------------------------------------------------------------------------
class WithFiles(L.Dense):
    words = ""

    def save_assets(self, folder):
        (pathlib.Path(folder) / "more").mkdir()
        (pathlib.Path(folder) / "more" / "words.txt").write_text(self.words)

    def load_assets(self, folder):
        self.words = (pathlib.Path(folder) / "more" / "words.txt").read_text()


def test_a_layers_own_files(tmp_path):
    model = Sequential([L.Dense(2, input_shape=(4,)), Sequential([WithFiles(3)]), WithFiles(1)])
    model.layers[1].layers[0].words, model.layers[2].words = "inner", "outer"
    model.save(tmp_path / "m.keras")
    assert "assets/layers/with_files/more/words.txt" in zipfile.ZipFile(tmp_path / "m.keras").namelist()
    again = load_model(tmp_path / "m.keras", custom_objects={"WithFiles": WithFiles}, compile=False)
    assert again.layers[1].layers[0].words == "inner" and again.layers[2].words == "outer"


@pytest.mark.parametrize("name", ["../../evil.txt", "/tmp/evil.txt", "a/../../evil.txt", "c:evil.txt", "..\\evil.txt"])
def test_files_stay_in_their_folder(name, tmp_path):
    model = Sequential([WithFiles(1, input_shape=(4,))])
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras", "a") as archive:
        archive.writestr(f"assets/layers/with_files/{name}", "x")
    with pytest.raises(ValueError, match="leads out of its folder"):
        load_model(tmp_path / "m.keras", custom_objects={"WithFiles": WithFiles}, compile=False)


def test_files_make_few_folders(tmp_path):
    Sequential([WithFiles(1, input_shape=(4,))]).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras", "a") as archive:
        archive.writestr(f"assets/layers/with_files/{'a/' * 1000}x", "x")
    with pytest.raises(ValueError, match="more than 16 folders"):
        load_model(tmp_path / "m.keras", custom_objects={"WithFiles": WithFiles}, compile=False)


def test_files_take_no_more_than_the_zip(tmp_path):
    model = Sequential([WithFiles(1, input_shape=(4,))])
    model.save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/layers/with_files/zeros", bytes(1 << 25))
    with pytest.raises(ValueError, match="no model does that"):
        load_model(tmp_path / "m.keras", custom_objects={"WithFiles": WithFiles}, compile=False)


# -- files from strangers ---------------------------------------------------------------------------------------------
def changed(path, change):
    """The zip with another config."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)


@pytest.mark.parametrize(
    "built",
    [{}, {"input_shape": 3}, {"input_shape": "abc"}, {"input_shape": [None, {"a": 1}]}, {"input_shape": [None]}],
)
def test_build_configs_that_make_no_sense(built, tmp_path):
    model = Encoder()
    model.compile("sgd", "mse")
    model.fit(X, X[:, :1], verbose=0)
    model.save(tmp_path / "m.keras")
    changed(tmp_path / "m.keras", lambda config: config.update(build_config=built))
    with pytest.raises(ValueError):
        load_model(tmp_path / "m.keras", custom_objects={"Encoder": Encoder})


def test_what_a_layer_does_not_find(tmp_path):
    model = Sequential([L.Dense(2, input_shape=(4,)), L.Dense(3, name="own")])
    model.save(tmp_path / "m.keras")
    changed(tmp_path / "m.keras", lambda config: config["config"]["layers"][-1].update(
        module=None, registered_name="WithCounter", class_name="WithCounter"))  # fmt: skip
    with pytest.raises(ValueError, match="counter"):
        load_model(tmp_path / "m.keras", custom_objects={"WithCounter": WithCounter}, compile=False)
