"""The first note: a model from compile to summary, layers, losses, optimizers, initializers, TimeDistributed."""

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import initializers, optimizers, regularizers
from hornbeam.layers import (
    LSTM,
    Activation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    Input,
    MaxPooling2D,
    TimeDistributed,
)
from hornbeam.models import Model, Sequential

X_train = np.random.RandomState(0).rand(48, 8).astype("float32")
y_train = keras.utils.to_categorical(np.random.RandomState(1).randint(0, 3, 48), 3)


def classifier(**options):
    return Sequential([Dense(8, activation="relu", input_shape=(8,), **options), Dense(3, activation="softmax")])


def test_model(capsys):
    model = classifier()
    opt = optimizers.adam(beta_1=0.9, beta_2=0.999, decay=0)
    model.compile(optimizer=opt, loss="categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(X_train, y_train, batch_size=16, epochs=3, verbose=0)
    assert len(history.history["loss"]) == len(history.history["accuracy"]) == 3
    model.summary()
    assert "Total params: 99" in capsys.readouterr().out


def test_layers(rng):
    x = Input((12, 12, 3))
    y = Conv2D(filters=4, kernel_size=3, activation="relu")(x)
    y = BatchNormalization()(y)
    y = MaxPooling2D(pool_size=(2, 2))(Activation("relu")(y))
    y = Dense(units=5, activation="relu")(Dropout(rate=0.5)(Flatten()(y)))
    assert Model(x, y).predict(rng.rand(2, 12, 12, 3)).shape == (2, 5)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "mean_squared_error", "binary_crossentropy"])
def test_losses(loss):
    model = classifier()
    model.compile("sgd", loss)
    assert np.isfinite(model.train_on_batch(X_train, y_train))


@pytest.mark.parametrize(
    "opt",
    [
        lambda: optimizers.adam(beta_1=0.9, beta_2=0.999, decay=0),
        lambda: optimizers.sgd(lr=1e-6, momentum=0, decay=0),
        lambda: optimizers.Adam(0.9, 0.999, 0.9),  # by position: lr, beta_1, beta_2
    ],
)
def test_optimizers(opt):
    model = classifier()
    model.compile(opt(), "categorical_crossentropy")
    before = model.get_weights()
    model.train_on_batch(X_train, y_train)
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights()))


def test_one_hot():
    assert keras.utils.to_categorical(y=[0, 1, 2], num_classes=3).tolist() == np.eye(3).tolist()
    with pytest.raises(IndexError):  # as in Keras: classes count from 0, and 3 is a fourth
        keras.utils.to_categorical(y=[1, 2, 3], num_classes=3)


@pytest.mark.parametrize(
    "initializer, mean, std",
    [
        (initializers.random_normal(1.0, 0.5), 1.0, 0.5),
        (initializers.truncated_normal(1.0, 0.5), 1.0, 0.44),
        (initializers.he_normal(seed=42), 0.0, (2 / 100) ** 0.5),
        (initializers.Zeros(), 0.0, 0.0),
        (initializers.Ones(), 1.0, 0.0),
    ],
)
def test_weights_initialization(initializer, mean, std):
    values = K.eval(initializer((100, 200)))
    assert values.shape == (100, 200)
    np.testing.assert_allclose([values.mean(), values.std()], [mean, std], atol=0.01)


def test_initializers_of_a_layer():
    layer = Dense(
        units=512,
        kernel_initializer=keras.initializers.random_normal(stddev=0.05),
        bias_initializer=keras.initializers.Ones(),
    )
    layer.build((None, 8))
    kernel, bias = layer.get_weights()
    assert abs(kernel.std() - 0.05) < 0.005 and np.array_equal(bias, np.ones(512))


@pytest.mark.parametrize("activation", ["relu", K.relu, K.tanh])
def test_activation_by_name_or_function(activation):
    x = np.array([[-1.0, 0.5]], "float32")
    expected = np.tanh(x) if activation is K.tanh else np.maximum(x, 0)
    np.testing.assert_allclose(Sequential([Activation(activation, input_shape=(2,))]).predict(x), expected, rtol=1e-6)
    for layer in (Dense(2, activation=activation), Conv2D(2, 1, activation=activation)):
        layer.build((None, 4, 4, 3))
        assert layer.activation is not None


def test_regularization():
    model = Sequential([Conv2D(2, 3, kernel_regularizer=regularizers.l2(0.01), input_shape=(5, 5, 1)), Flatten()])
    model.compile("sgd", "mse")
    x = np.zeros((1, 5, 5, 1))
    expected = 0.01 * np.sum(model.get_weights()[0] ** 2)
    np.testing.assert_allclose(model.evaluate(x, np.zeros((1, 18)), verbose=0), expected, rtol=1e-5)


def test_time_distributed(rng):
    model = Sequential([LSTM(6, return_sequences=True, input_shape=(4, 3)), TimeDistributed(Dense(2))])
    x = rng.rand(5, 4, 3)
    y = model.predict(x)
    assert y.shape == (5, 4, 2)  # (batch, time step, output)
    steps = Model(model.input, model.layers[0].output).predict(x)
    kernel, bias = model.layers[1].get_weights()
    np.testing.assert_allclose(y, steps @ kernel + bias, rtol=1e-5, atol=1e-6)  # each step in the same way
    with pytest.raises(ValueError):
        Sequential([TimeDistributed(Dense(2), input_shape=(3,))])  # at least three axes


@pytest.mark.parametrize("first", [Dropout(0.5), MaxPooling2D()])
def test_dropout_before_or_after_pooling(first, rng):
    second = MaxPooling2D() if isinstance(first, Dropout) else Dropout(0.5)
    x = Input((4, 4, 2))
    assert Model(x, second(first(x))).predict(rng.rand(1, 4, 4, 2)).shape == (1, 2, 2, 2)


def test_batch_normalization_before_or_after_the_activation(rng):
    x = Input((6,))
    before = Activation("relu")(BatchNormalization()(Dense(4)(x)))
    after = BatchNormalization()(Dense(4, activation="relu")(x))
    assert [y.shape for y in Model(x, [before, after]).predict(rng.rand(3, 6))] == [(3, 4)] * 2


def test_gradient_clipping_and_l2():
    model = classifier(kernel_regularizer="l2")
    model.compile(optimizers.adam(clipnorm=1.0, clipvalue=0.5), "categorical_crossentropy")
    assert np.isfinite(model.train_on_batch(X_train, y_train))
