"""Utilities that only tf.keras has."""

import logging

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import datasets, experimental, layers, models, optimizers, utils
from hornbeam.callbacks import Callback, EarlyStopping
from hornbeam.preprocessing.image import smart_resize
from hornbeam.tf import NAMES as tf
from hornbeam.utils import Progbar, warmstart_embedding_matrix


# -- where progress goes ---------------------------------------------------------------------------------------------
@pytest.fixture
def in_the_log():
    utils.disable_interactive_logging()
    yield
    utils.enable_interactive_logging()


def test_progress_in_the_log(in_the_log, capsys, caplog):
    assert not utils.is_interactive_logging_enabled()
    model = models.Sequential([layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    seen = []

    class Verbosity(Callback):
        def on_train_begin(self, logs=None):
            seen.append(self.params["verbose"])

    with caplog.at_level(logging.INFO, "hornbeam"):
        model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose="auto", callbacks=[Verbosity()])
        model.evaluate(np.ones((4, 1)), np.ones((4, 1)), verbose=1)
        stop = EarlyStopping("loss", baseline=-1.0, patience=2, verbose=1)
        data = np.ones((4, 1))
        model.fit(data, data, epochs=3, verbose=2, callbacks=[stop], validation_data=(data, data))
    assert seen == [2] and capsys.readouterr().out == ""
    for message in ("Epoch 1/3", "Train on 4 samples, validate on 4 samples", "Epoch 00002: early stopping"):
        assert message in caplog.messages
    assert any("4/4 [==============================]" in message for message in caplog.messages)


def test_progress_on_the_output(capsys):
    assert utils.is_interactive_logging_enabled()
    bar = Progbar(None, unit_name="page")
    bar.update(3)
    bar.update(4, finalize=True)
    shown = capsys.readouterr().out
    assert "4/4 [" in shown and shown.rstrip().endswith("/page")


# -- embeddings ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("way", ["lists", "arrays", "files"])
def test_embeddings_for_another_vocabulary(way, tmp_path):
    old, new = ["a", "b", "c"], ["c", "x", "a", "ä"]
    if way == "arrays":
        old, new = np.array(old), tf["constant"](new)
    if way == "files":
        for name, words in (("old", old), ("new", new)):
            (tmp_path / name).write_text("\n".join(words), encoding="utf-8")
        old, new = str(tmp_path / "old"), str(tmp_path / "new")
    rows = np.arange(6.0, dtype="float32").reshape(3, 2)
    matrix = warmstart_embedding_matrix(old, new, rows, "ones")
    assert K.eval(matrix).tolist() == [[4, 5], [1, 1], [0, 1], [1, 1]] and matrix.dtype == "float32"
    drawn = K.eval(warmstart_embedding_matrix(["a"], ["b"], np.ones((1, 50))))
    assert np.all(abs(drawn) <= 0.05) and len(np.unique(drawn)) > 40


@pytest.mark.parametrize(
    "vocabulary, message", [("no file", "does not exist"), ([], "at least one"), (3, "expected to be an array")]
)
def test_what_is_not_a_vocabulary(vocabulary, message):
    with pytest.raises(ValueError, match=message):
        warmstart_embedding_matrix(vocabulary, ["a"], np.ones((1, 2)))


# -- images ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape, size, part", [
    ((8, 12, 3), (4, 4), (slice(None), slice(2, 10))), ((2, 9, 4, 1), (2, 4), (slice(3, 5), slice(None))),
    ((5, 5, 3), (5, 5), (slice(None), slice(None))),
])  # fmt: skip
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_the_middle_is_resized(shape, size, part, interpolation, rng):
    x = rng.uniform(0, 255, shape).astype("float32")
    got = smart_resize(x, size, interpolation)
    assert isinstance(got, np.ndarray)
    np.testing.assert_allclose(got, tf["image.resize"](x[(..., *part, slice(None))], size, interpolation).numpy())
    unknown = K.placeholder((None,) * x.ndim)
    resized = K.function([unknown], [smart_resize(unknown, size, interpolation)])([x])[0]
    np.testing.assert_allclose(resized, got, rtol=1e-5, atol=1e-3)


def test_what_is_not_resized():
    with pytest.raises(ValueError, match="tuple of 2"):
        smart_resize(np.ones((3, 3, 1)), (1, 2, 3))
    with pytest.raises(ValueError, match=r"\(height, width, channels\)"):
        smart_resize(np.ones((3, 3)), (2, 2))


# -- models that are ready to be trained -----------------------------------------------------------------------------
X, Z = np.random.RandomState(0).rand(2, 20, 3).astype("float32")
Y = (X @ [1, 2, 3] + Z[:, 0])[:, None]


@pytest.fixture(params=["graph", "eager"])
def mode(request):
    if request.param == "eager":
        request.getfixturevalue("eager")


def test_a_linear_model(mode, tmp_path):
    model = experimental.LinearModel(activation="tanh", kernel_initializer="ones", bias_initializer="ones")
    np.testing.assert_allclose(model.predict([X, Z]), np.tanh(X.sum(1) + Z.sum(1) + 1)[:, None], rtol=1e-5)
    assert [w.shape for w in model.get_weights()] == [(3, 1), (1,), (3, 1)]
    model.save(tmp_path / "m.keras")
    again = models.load_model(tmp_path / "m.keras", compile=False)
    np.testing.assert_array_equal(again.predict([X, Z]), model.predict([X, Z]))
    plain = experimental.LinearModel()
    plain.compile(optimizers.SGD(0.1), "mse")
    first, last = (plain.fit(X, Y, epochs=epochs, verbose=0).history["loss"][-1] for epochs in (1, 30))
    assert last < first / 20


def test_a_wide_and_deep_model(mode, tmp_path):
    deep = models.Sequential([layers.Dense(4, activation="tanh"), layers.Dense(1)])
    model = experimental.WideDeepModel(experimental.LinearModel(), deep, activation="tanh")
    wanted = np.tanh(model.linear_model.predict(X) + model.dnn_model.predict(Z))
    np.testing.assert_allclose(model.predict([X, Z]), wanted, rtol=1e-5)
    both = experimental.WideDeepModel(model.linear_model, deep)  # of one input
    np.testing.assert_allclose(both.predict(X), model.linear_model.predict(X) + deep.predict(X), rtol=1e-5)
    model.compile(optimizers.SGD(0.1), "mse")
    before = model.get_weights()
    model.fit([X, Z], np.tanh(Y), epochs=2, verbose=0)
    assert all(np.any(a != b) for a, b in zip(before, model.get_weights(), strict=True))
    again = experimental.WideDeepModel.from_config(model.get_config())
    assert again.linear_model.units == 1 and [layer.units for layer in again.dnn_model.layers[-2:]] == [4, 1]


def test_a_wide_and_deep_model_of_a_users_class():
    @utils.register_keras_serializable("wide")
    class Users(experimental.LinearModel):
        pass

    model = experimental.WideDeepModel(Users(3), models.Sequential([layers.Dense(3)]))
    assert type(experimental.WideDeepModel.from_config(model.get_config()).linear_model) is Users


# -- names -----------------------------------------------------------------------------------------------------------
def test_where_names_are():
    assert experimental.CosineDecay is optimizers.schedules.CosineDecay
    assert utils.legacy.serialize_keras_object(layers.ReLU(name="r"))["class_name"] == "ReLU"
    topics = datasets.reuters.get_label_names()
    assert len(topics) == 46 and topics[3:5] == ("earn", "acq") and topics[-1] == "lead"
    assert issubclass(utils.OrderedEnqueuer, utils.SequenceEnqueuer)


def test_specs_as_data():
    spec = layers.InputSpec(shape=(None, 3, 1), axes={1: 3}, dtype="float32", allow_last_axis_squeeze=True, name="x")
    assert layers.InputSpec.from_config(spec.get_config()).get_config() == spec.get_config() == {
        "dtype": "float32", "shape": (None, 3, 1), "ndim": 3, "max_ndim": None, "min_ndim": None, "axes": {1: 3},
    }  # fmt: skip
    layer = layers.Activation("linear")
    layer.input_spec = spec
    layer(K.placeholder((2, 3)))
    with pytest.raises(ValueError, match="incompatible"):
        layer(K.placeholder((2, 4)))
