"""Where words mean one thing in scripts of TensorFlow 1 and another in those of TensorFlow 2."""

import json

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.dialect import RULES, TF1, TF2
from hornbeam.layers import (
    GRU,
    RNN,
    Add,
    BatchNormalization,
    Conv1D,
    Conv2D,
    Conv3D,
    Dense,
    Flatten,
    GRUCell,
    Input,
    Lambda,
    Layer,
    Masking,
    UpSampling2D,
)
from hornbeam.losses import MeanSquaredError
from hornbeam.models import Model, Sequential
from hornbeam.regularizers import l1
from hornbeam.settings import settings
from hornbeam.utils import plot_model

FLOAT64 = np.random.RandomState(0).rand(2, 4)


@pytest.fixture
def model():
    model = Sequential([Dense(1, kernel_initializer="ones", input_shape=(2,))])
    model.compile("sgd", "mse")
    return model


def batches(count, size=4):
    return ((np.ones((size, 2)), np.ones((size, 1))) for _ in range(count))


def test_weights_without_a_suffix_are_what_the_dialect_says(tmp_path, monkeypatch):
    model = Sequential([Dense(1, input_shape=(2,))])
    model.save_weights(tmp_path / "one")
    monkeypatch.setattr(settings, "dialect", TF2)
    model.save_weights(tmp_path / "two")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint", "one", "two.data-00000-of-00001", "two.index"]
    model.load_weights(tmp_path / "two").expect_partial()


def test_each_rule_differs_between_the_two():
    assert settings.dialect is TF1
    assert all(getattr(TF2, name) and not getattr(TF1, name) for name in RULES)


# -- names, weights, outputs --------------------------------------------------------------------------------------------
def test_names_are_counted_from_zero(tf2):
    layers = [Dense(1), Dense(1), BatchNormalization(), Input((1,))._keras_history[0], Sequential(), Dense(1)]
    names = ["dense", "dense_1", "batch_normalization", "input_1", "sequential", "dense_2"]
    assert [layer.name for layer in layers] == names


def test_an_input_is_called_as_its_layer(tf2):
    x = Input((2,))
    model = Model(x, Dense(1, kernel_initializer="ones")(x))
    assert x.name == model.input_names[0] == "input_1" and Input((2,), name="x").name == "x"
    assert model.predict({x.name: np.ones((1, 2))}) == 2


def test_an_input_is_called_as_its_tensor_otherwise():
    assert Input((2,), name="x").name == "x:0"


def test_names_are_counted_from_one_otherwise(monkeypatch):
    monkeypatch.setattr(settings, "uids", {})
    assert [Dense(1).name, Dense(1).name] == ["dense_1", "dense_2"]


def test_weights_of_a_model_are_in_the_order_of_its_layers(tf2):
    model = Sequential([BatchNormalization(input_shape=(2,)), Dense(1)])
    assert [w.shape for w in model.weights] == [w.shape for w in model.get_weights()]
    assert [w.name.split("/")[-1] for w in model.weights[:4]] == [
        "gamma:0", "beta:0", "moving_mean:0", "moving_variance:0",
    ]  # fmt: skip


def test_a_layer_called_twice_has_its_first_output(tf2):
    a, b, layer = Input((2,)), Input((2,)), Dense(1)
    first, _ = layer(a), layer(b)
    assert layer.output is first and layer.input is a


# -- arguments ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("layer, rank", [(Conv1D, 1), (Conv2D, 2), (Conv3D, 3)])
def test_numbers_after_the_kernel_size_are_strides(tf2, layer, rank):
    made = layer(8, 3, 2)
    assert (made.kernel_size, made.strides) == ((3,) * rank, (2,) * rank)


def test_numbers_after_the_filters_are_the_kernel_otherwise():
    with pytest.warns(UserWarning, match="Keras 2 API"):
        assert Conv2D(8, 3, 2).kernel_size == (3, 2)


# -- dtypes ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("make", [lambda: Dense(2), lambda: Lambda(lambda x: x + 0.0), Flatten])
def test_floating_inputs_are_cast(tf2, make):
    assert make()(K.constant(FLOAT64, "float64")).dtype == "float32"


def test_casting_can_be_declined_and_leaves_integers_alone(tf2):
    assert Flatten(autocast=False)(K.constant(FLOAT64, "float64")).dtype == "float64"
    assert Flatten()(K.constant([[1, 2]], "int32")).dtype == "int32"


def test_a_model_of_several_dtypes(tf2):
    """Each layer casts to its own, in the graph as when the model is called again; the tensors keep their history."""
    x, y = Input((4,), dtype="float64"), Input((4,))
    hidden = Dense(4, dtype="float64", kernel_initializer="identity")(y)
    model = Model([x, y], Dense(1, kernel_initializer="ones")(Add()([x, hidden])))
    assert hidden.dtype == "float64" and model.output.dtype == "float32"
    np.testing.assert_allclose(
        model.predict([FLOAT64, FLOAT64]), 2 * FLOAT64.sum(1, keepdims=True).astype("float32"), rtol=1e-6
    )
    again = model([K.constant(FLOAT64, "float32"), K.constant(FLOAT64, "float64")])
    np.testing.assert_array_equal(again.numpy(), model.predict([FLOAT64, FLOAT64]))


def test_floating_inputs_stay_as_they_are_otherwise():
    with pytest.raises(TypeError, match="float64 and float32"):
        Dense(2)(K.constant(FLOAT64, "float64"))


# -- masks ----------------------------------------------------------------------------------------------------------------
def test_a_mask_ends_where_it_is_not_supported(tf2):
    class Plain(Layer):
        def call(self, x):
            return x * 2.0

    assert Plain()(Masking()(Input((3, 2))))._keras_mask is None


# -- batch normalization --------------------------------------------------------------------------------------------------
def frozen_batch_normalization():
    x = Input((2,))
    model = Model(x, BatchNormalization(trainable=False)(x))
    model.compile("sgd", "mse")
    return model.train_on_batch(FLOAT64[:, :2], FLOAT64[:, :2])


def test_a_frozen_batch_normalization_normalizes_by_its_moving_averages(tf2):
    assert frozen_batch_normalization() < 1e-6


def test_a_frozen_batch_normalization_normalizes_by_the_batch_otherwise():
    assert frozen_batch_normalization() > 1e-3


# -- generators -----------------------------------------------------------------------------------------------------------
def test_a_generator_without_steps_is_run_to_its_end(tf2, model):
    assert model.predict(iter([np.ones((4, 2)), np.ones((3, 2))])).shape == (7, 1)
    assert model.evaluate(batches(3), verbose=0) == pytest.approx(1.0)
    history = model.fit(batches(3), validation_data=batches(2), verbose=0)
    assert set(history.history) == {"loss", "val_loss"} and model.optimizer.iterations.get_value() == 3


def test_a_generator_that_ends_early_ends_the_training(tf2, model):
    with pytest.warns(UserWarning, match="ended after 1 of 2 batches"):
        history = model.fit(batches(5), steps_per_epoch=2, epochs=9, verbose=0)
    assert history.epoch == [0, 1, 2] and model.optimizer.iterations.get_value() == 5
    with pytest.warns(UserWarning, match="ended after 0 of 2 batches"):
        history = model.fit(batches(2), epochs=9, verbose=0)
    assert history.epoch == [0]


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_a_generator_needs_steps_otherwise(model, method):
    with pytest.raises(ValueError, match="is only valid for a generator based on"):
        getattr(model, method)(batches(1))


def test_a_generator_has_to_have_its_steps_otherwise(model):
    with pytest.raises(ValueError, match="ended after 1 of 2 batches"):
        model.fit(batches(1), steps_per_epoch=2, verbose=0)


# -- layers -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("make", [lambda *a, **k: GRU(2, *a, **k), lambda *a, **k: RNN(GRUCell(2, *a, **k))])
def test_a_gru_has_two_biases(tf2, make):
    old = make(reset_after=False)
    assert make().cell.reset_after and not old.cell.reset_after
    assert not type(old).from_config(old.get_config()).cell.reset_after
    make()(Input((3, 1)))


def test_a_gru_in_a_file_that_does_not_say_it_has_one(tf2):
    config = GRU(2).get_config()
    del config["reset_after"]
    assert not GRU.from_config(config).reset_after


def test_a_users_gru_need_not_take_the_argument():
    class Small(GRU):
        def __init__(self, name=None):
            super().__init__(2, name=name)

        def get_config(self):
            return {"name": self.name}

    assert Small.from_config(Small(name="small").get_config()).name == "small"


def test_a_gru_has_one_bias_otherwise():
    assert not GRU(2).reset_after and GRU(2, reset_after=True).reset_after


def test_enlarged_pixels_have_a_middle(tf2, monkeypatch):
    row = K.constant(np.array([0.0, 4.0]).reshape(1, 1, 2, 1))
    layer = UpSampling2D((1, 2), interpolation="bilinear")
    np.testing.assert_allclose(layer(row).numpy().ravel(), [0, 1, 3, 4])
    monkeypatch.setattr(settings, "dialect", TF1)
    np.testing.assert_allclose(UpSampling2D((1, 2), interpolation="bilinear")(row).numpy().ravel(), [0, 2, 4, 4])
    again = UpSampling2D.from_config(layer.get_config())  # a file says which it was
    np.testing.assert_allclose(again(row).numpy().ravel(), [0, 1, 3, 4])


# -- sample weights -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (4, 3, 5, 1), (4,)])
def test_weights_of_steps_and_pixels(tf2, rng, shape):
    x, y, weights = rng.normal(size=(4, 3, 5, 2)), rng.normal(size=(4, 3, 5, 1)), rng.uniform(size=shape)
    model = Sequential([Dense(1, input_shape=(3, 5, 2))])
    model.compile("sgd", "mse")
    squares = ((model.predict(x) - y)[..., 0] ** 2).reshape(4, 3, 5)
    over = weights.reshape(*shape[:3], *[1] * (3 - len(shape[:3])))
    assert model.evaluate(x, y, sample_weight=weights, verbose=0) == pytest.approx((squares * over).mean(), rel=1e-5)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(squares.mean(), rel=1e-5)
    model.fit(x, y, sample_weight=weights, validation_data=(x, y, weights), verbose=0)


def test_weights_of_several_outputs_and_ranks(tf2):
    x = Input((3, 2))
    model = Model(x, [Dense(1, name="a")(x), Flatten(name="b")(x)])
    model.compile("sgd", "mse")
    weights = {"a": np.ones((4, 3)), "b": np.zeros(4)}
    x, y = np.ones((4, 3, 2)), [np.ones((4, 3, 1)), np.zeros((4, 6))]
    loss, a, b = model.evaluate(x, y, sample_weight=weights, verbose=0)
    assert loss == a and b == 0
    assert model.sample_weight_mode is None


def test_weights_of_steps_are_asked_for_otherwise(model):
    with pytest.raises(ValueError, match='sample_weight_mode="temporal"'):
        model.fit(np.ones((4, 2)), np.ones((4, 1)), sample_weight=np.ones((4, 1)), verbose=0)


# -- losses -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dialect, loss", [(TF1, 4.0), (TF2, 1.0)])
def test_what_an_activity_regularizer_adds(monkeypatch, dialect, loss):
    monkeypatch.setattr(settings, "dialect", dialect)
    model = Sequential([Dense(1, kernel_initializer="ones", activity_regularizer=l1(0.5), input_shape=(2,))])
    model.compile("sgd", "mse")
    assert model.evaluate(np.ones((4, 2)), np.full((4, 1), 2.0), verbose=0) == loss


@pytest.mark.parametrize("dialect, loss", [(TF1, 0.5), (TF2, 1.0)])
def test_steps_that_are_masked(monkeypatch, dialect, loss):
    monkeypatch.setattr(settings, "dialect", dialect)
    model = Sequential([Masking(input_shape=(4, 1)), Dense(1, kernel_initializer="ones")])
    model.compile("sgd", "mse")
    x = np.array([1.0, 1.0, 0.0, 0.0]).reshape(1, 4, 1)
    assert model.evaluate(x, np.full((1, 4, 1), 2.0), verbose=0) == loss
    assert model.evaluate(x * 0, np.full((1, 4, 1), 2.0), verbose=0) == 0


def test_a_loss_asks_what_it_is_called_with(eager):
    y = Masking()(K.constant([[[1.0], [0.0]]]))
    assert MeanSquaredError()(K.constant([[[3.0], [3.0]]]), y).numpy() == 4
    assert MeanSquaredError(reduction="sum")(K.constant([[[3.0], [3.0]]]), y).numpy() == 4


# -- history ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("fed", ["arrays", "generators"])
def test_the_order_of_history(tf2, model, monkeypatch, fed):
    def order():
        if fed == "arrays":
            return list(model.fit(np.ones((4, 2)), np.ones((4, 1)), validation_split=0.5, verbose=0).history)
        return list(model.fit(batches(2), validation_data=batches(1), steps_per_epoch=2, verbose=0).history)

    assert order() == ["loss", "val_loss"]
    monkeypatch.setattr(settings, "dialect", TF1)
    if fed == "arrays":
        assert order() == ["val_loss", "loss"]


@pytest.mark.parametrize("dialect, kind", [(TF1, np.floating), (TF2, float)])
def test_the_numbers_of_history(monkeypatch, dialect, kind):
    monkeypatch.setattr(settings, "dialect", dialect)
    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(np.ones((4, 2)), np.ones((4, 1)), validation_split=0.5, verbose=0).history
    assert type(history["mae"][0]) is float if kind is float else isinstance(history["mae"][0], kind)
    assert all(isinstance(x, kind) for x in model.train_on_batch(np.ones((4, 2)), np.ones((4, 1))))
    assert dialect is TF1 or json.loads(json.dumps(history)) == history


# -- pictures -------------------------------------------------------------------------------------------------------------
def test_a_picture_without_graphviz_is_an_error(model, monkeypatch, tmp_path):
    pytest.importorskip("pydot")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="install Graphviz"):
        plot_model(model, str(tmp_path / "model.png"))


def test_a_picture_without_graphviz_is_left_out(tf2, model, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert plot_model(model, str(tmp_path / "model.png")) is None
    assert "plot_model draws nothing" in capsys.readouterr().out
