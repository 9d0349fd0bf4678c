"""The commonest mistakes with models, data and files: the error says what was there and what to write."""

import warnings

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import callbacks, layers, lazy, optimizers
from hornbeam.layers import LSTM, Conv2D, Dense, Layer
from hornbeam.models import Model, Sequential, load_model
from hornbeam.utils.messages import describe, did_you_mean, warn_user

X = np.ones((6, 4), "float32")
ONE_HOT = np.eye(3)[[0, 1, 2, 0, 1, 2]]


def classifier(loss="categorical_crossentropy", compiled=True):
    model = Sequential([Dense(5, input_shape=(4,), name="hidden"), Dense(3, activation="softmax", name="out")])
    if compiled:
        model.compile("sgd", loss)
    return model


def images(shape):
    return Sequential([Conv2D(2, 3, input_shape=shape)])


def yields(*items):
    def batches():
        while True:
            yield items if len(items) > 1 else items[0]

    return batches()


MISTAKES = {
    "a misspelt argument of a layer": (lambda: Dense(3, activaton="relu"), TypeError, "Did you mean 'activation'?"),
    "of an optimizer": (lambda: optimizers.SGD(learning_rat=1), TypeError, "Did you mean 'learning_rate'?"),
    "of fit": (lambda: classifier().fit(X, ONE_HOT, epoch=2), TypeError, "Did you mean 'epochs'?"),
    "of compile": (lambda: classifier().compile("sgd", "mse", metric=[]), ValueError, "Did you mean 'metrics'?"),
    "a misspelt activation": (lambda: Dense(3, activation="rellu"), ValueError, "Did you mean 'relu'?"),
    "a misspelt loss": (lambda: classifier("mean_square_error"), ValueError, "Did you mean 'mean_squared_error'?"),
    "a misspelt layer": (lambda: classifier().get_layer("hiden"), ValueError, "Did you mean 'hidden'?"),
    "a sample without batch": (lambda: classifier().predict(X[0]), ValueError, r"x\[None\] has shape \(1, 4\)"),
    "an image without batch": (
        lambda: images((8, 8, 1)).predict(np.ones((8, 8, 1))), ValueError, r"x\[None\] has shape \(1, 8, 8, 1\)",
    ),
    "images without channels": (
        lambda: images((8, 8, 1)).predict(np.ones((6, 8, 8))), ValueError, r"x\[..., None\] has shape \(6, 8, 8, 1\)",
    ),
    "channels first": (
        lambda: images((8, 9, 3)).predict(np.ones((6, 3, 8, 9))), ValueError, r"np.moveaxis\(x, 1, -1\)",
    ),
    "class numbers for one-hot targets": (
        lambda: classifier().fit(X, np.arange(6) % 3), ValueError, r"`keras.utils.to_categorical\(y, 3\)`",
    ),
    "no Flatten": (
        lambda: compiled(images((8, 8, 1))).fit(np.ones((6, 8, 8, 1)), np.ones((6, 2))), ValueError, "Is a `Flatten`",
    ),
    "sequences where one vector is meant": (
        lambda: compiled(Sequential([LSTM(2, return_sequences=True, input_shape=(5, 4), name="rnn")])).fit(
            np.ones((6, 5, 4)), np.ones((6, 2))
        ),
        ValueError, "`return_sequences=False` missing before rnn",
    ),
    "a class number too large": (
        lambda: classifier("sparse_categorical_crossentropy").fit(X, [0, 1, 2, 3, 0, 0]), ValueError,
        r"class number 3, but an output of shape \(None, 3\) has the classes 0 to 2",
    ),
    "a class number below 0": (
        lambda: classifier("sparse_categorical_crossentropy").evaluate(X, np.full(6, -1)), ValueError, "class number -1",
    ),
    "text": (lambda: classifier().predict(np.array([["a"] * 4])), TypeError, "'hidden_input' has dtype <U1"),
    "text as targets": (lambda: classifier().fit(X, np.array(["cat"] * 6)), TypeError, "'out' has dtype <U3"),
    "lists of unequal length": (lambda: classifier().predict([[1.0] * 4, [1.0]]), ValueError, "pad_sequences"),
    "nothing to predict for": (lambda: classifier().predict(None), ValueError, "x is None"),
    "nothing to evaluate": (lambda: classifier().evaluate(X[:0], ONE_HOT[:0]), ValueError, "Cannot evaluate on no data"),
    "a generator of inputs alone": (
        lambda: classifier().fit_generator(yields(X), 1), ValueError, r"Found: array of shape \(6, 4\)",
    ),
    "a generator of too much": (
        lambda: classifier().fit_generator(yields(X, ONE_HOT, None, 1), 1), ValueError,
        r"Found: tuple of 4 \(array of shape \(6, 4\), array of shape \(6, 3\), None, 1\)",
    ),
    "one array for two inputs": (
        lambda: two_inputs().predict(X), ValueError, r"list of 1 \(array of shape \(6, 4\)\). The model's are \['a', 'b'\]",
    ),
}  # fmt: skip


def compiled(model):
    model.compile("sgd", "mse")
    return model


def two_inputs():
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    return Model([a, b], layers.add([a, b]))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_error_says_what_to_do(mistake):
    make, kind, message = MISTAKES[mistake]
    with pytest.raises(kind, match=message):
        make()


def test_hints_only_where_they_help():
    with pytest.raises(ValueError) as wrong_width:
        classifier().predict(np.ones((6, 7)))
    assert str(wrong_width.value).endswith("expected hidden_input to have shape (4,) but got array with shape (7,)")
    with pytest.raises(ValueError) as wrong_classes:
        classifier().fit(X, np.ones((6, 4)))
    assert str(wrong_classes.value).endswith("expected out to have shape (3,) but got array with shape (4,)")
    assert did_you_mean("exponential_decay", ["relu", "tanh"]) == ""


def test_a_single_callback_needs_no_list():
    seen = []
    callback = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch))
    model = classifier()
    model.fit(X, ONE_HOT, verbose=0, callbacks=callback)
    model.predict(X, callbacks=callback)
    assert seen == [0]


@pytest.mark.parametrize("fit", [Model.fit, lambda model, x, y, **how: model.fit_generator(yields(x, y), 1, **how)])
def test_a_loss_that_becomes_nan(fit, capsys):
    x = np.full((6, 4), np.nan)
    with pytest.warns(UserWarning, match="The loss is nan from epoch 3 on"):
        fit(classifier("mse"), x, ONE_HOT, epochs=3, initial_epoch=2, verbose=0)
    stopping = callbacks.TerminateOnNaN()  # says it itself
    assert len(fit(classifier("mse"), x, ONE_HOT, epochs=3, verbose=0, callbacks=[stopping]).epoch) == 1
    assert "The data fed for 'hidden_input' hold nan" in capsys.readouterr().out


class Scaled(Layer):
    """Forgets to tell its factor in get_config."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return self.factor * x


class TestFiles:
    @pytest.mark.parametrize(
        "contents, message",
        [
            (b"", "it is empty"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git lfs pull"),
            (b"<!DOCTYPE html><html>", "web page"),
            (b'{"class_name": "Sequential"}', "model_from_json"),
            (b"\x1f\x8b\x08\x00", "gunzip"),
            (b"\x80\x04\x95", "pickle"),
        ],
    )
    def test_other_kinds_of_files_are_named(self, tmp_path, contents, message):
        path = tmp_path / "model.h5"
        path.write_bytes(contents)
        with pytest.raises(OSError, match=f"Unable to open .*{message}"):
            load_model(str(path))

    def test_folders_are_no_models(self, tmp_path):
        with pytest.raises(OSError, match=r"no saved_model.pb: it is not a SavedModel"):
            load_model(str(tmp_path))

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"There is no folder '.*nowhere'"):
            classifier().save(str(tmp_path / "nowhere" / "model.h5"))

    def test_custom_objects(self, tmp_path):
        path = str(tmp_path / "model.h5")
        Sequential([Scaled(2.0, input_shape=(4,))]).save(path)
        with pytest.raises(ValueError, match=r"Unknown layer: Scaled\..*custom_objects={'Scaled': \.\.\.}"):
            load_model(path)
        with pytest.raises(ValueError, match="`get_config` has to give its constructor's arguments"):
            load_model(path, custom_objects={"Scaled": Scaled})

    def test_a_custom_loss_is_not_needed_to_predict(self, tmp_path):
        def own_loss(y_true, y_pred):
            return K.mean(K.square(y_pred - y_true), axis=-1)

        path = str(tmp_path / "model.h5")
        model = classifier(own_loss)
        model.fit(X, ONE_HOT, verbose=0)
        model.save(path)
        with pytest.raises(ValueError, match=r"Unknown loss function: own_loss.*compile=False"):
            load_model(path)
        np.testing.assert_array_equal(load_model(path, compile=False).predict(X), model.predict(X))

    def test_no_layer_of_that_name(self, tmp_path):
        path = str(tmp_path / "weights.h5")
        classifier().save_weights(path)
        other = Sequential([Dense(5, input_shape=(4,), name="first")])
        with pytest.warns(UserWarning, match="No weights were loaded.* are first, the file's hidden, out"):
            other.load_weights(path, by_name=True)


def test_warnings_name_the_users_line(tmp_path):
    path = str(tmp_path / "model.h5")
    classifier(compiled=False).save(path)
    stopping = callbacks.EarlyStopping(monitor="val_los")
    for call in (lambda: load_model(path), lambda: classifier().fit(X, ONE_HOT, verbose=0, callbacks=[stopping])):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        assert [w.filename for w in caught] == [__file__]
    with pytest.warns(FutureWarning, match="soon"):
        warn_user("soon", FutureWarning)


def test_weights_need_sizes_that_are_known():
    with pytest.raises(ValueError, match=r"'alpha' of .* would have the shape \(None, 4\): state the size"):
        layers.PReLU()(layers.Input((None, 4)))


def test_misspelt_names_of_modules_are_guessed_by_python():
    for module, name in ((layers, "Dens"), (lazy_package(), "thng")):
        with pytest.raises(AttributeError) as error:
            getattr(module, name)
        assert error.value.name == name and error.value.obj is module  # what "Did you mean" in tracebacks is made from


def lazy_package():
    import hornbeam

    assert hornbeam.__getattr__.__module__ == lazy.__name__
    return hornbeam


def test_data_are_described_by_shape():
    assert describe({"a": X, "b": None}) == "dict of 'a': array of shape (6, 4), 'b': None"
    assert describe([1] * 9) == "list of 9 (1, 1, 1, 1, ...)"
    assert describe("x" * 200) == f"str '{'x' * 79}..."
