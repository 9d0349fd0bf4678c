"""The fourth note: its guides and tables, row by row."""

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model, Sequential, model_from_json, model_from_yaml


def regression():
    model = Sequential([L.Dense(4, activation="tanh", input_shape=(3,)), L.Dense(1)])
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    return model


X, Y = np.random.RandomState(0).rand(20, 3), np.random.RandomState(1).rand(20, 1)


# -- guides -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "layer, expected",
    [
        (lambda: L.Dense(2, input_shape=(6, 8)), (None, 6, 8)),
        (lambda: L.Dense(2, input_shape=(None, 8)), (None, None, 8)),
        (lambda: L.Dense(2, input_dim=8), (None, 8)),
        (lambda: L.LSTM(2, input_dim=8, input_length=6), (None, 6, 8)),
        (lambda: L.Dense(2, batch_size=32, input_shape=(6, 8)), (32, 6, 8)),
    ],
)
@pytest.mark.filterwarnings("ignore:Update your `LSTM` call")  # input_dim and input_length are of Keras 1
def test_ways_to_state_the_input_shape(layer, expected):
    assert Sequential([layer()]).input_shape == expected


@pytest.mark.parametrize("optimizer", ["sgd", keras.optimizers.SGD()])
@pytest.mark.parametrize("loss", ["mse", keras.losses.mean_squared_error])
@pytest.mark.parametrize("metric", ["mae", lambda y_true, y_pred: K.mean(y_pred)])
def test_compile_by_name_or_object(optimizer, loss, metric):
    model = Sequential([L.Dense(1, input_shape=(3,))])
    model.compile(optimizer=optimizer, loss=loss, metrics=[metric])
    assert len(model.evaluate(X, Y, verbose=0)) == 2


def test_a_model_is_called_like_a_layer_and_shares_its_weights():
    model = regression()
    x = L.Input((5, 3))
    again = Model(x, L.TimeDistributed(model)(x))
    np.testing.assert_allclose(again.predict(X.reshape(4, 5, 3)).reshape(20, 1), model.predict(X), rtol=1e-5)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    assert not again.predict(X.reshape(4, 5, 3)).any()


def test_nodes_of_a_layer():
    a, b = L.Input((32, 32, 3)), L.Input((64, 64, 3))
    layer = L.Conv2D(16, (3, 3), padding="same")
    first = layer(a)
    assert layer.input is a and layer.output is first and layer.input_shape == (None, 32, 32, 3)
    second = layer(b)
    assert layer.get_input_at(1) is b and layer.get_output_at(1) is second and layer.get_output_at(0) is first
    assert layer.get_input_shape_at(0) == (None, 32, 32, 3) and layer.get_output_shape_at(1) == (None, 64, 64, 16)
    with pytest.raises(AttributeError, match="multiple inbound nodes"):
        layer.input_shape  # noqa: B018


def test_methods_of_a_model(tmp_path, capsys):
    model = regression()
    assert len(model.layers) == 2 and len(model.inputs) == len(model.outputs) == 1
    model.summary()
    assert "Total params: 21" in capsys.readouterr().out
    weights = model.get_weights()
    for copy in (
        Sequential.from_config(model.get_config()),
        model_from_json(model.to_json()),
        model_from_yaml(model.to_yaml()),
    ):
        assert all(a.shape == b.shape for a, b in zip(copy.get_weights(), weights))
        copy.set_weights(weights)
        assert np.array_equal(copy.predict(X), model.predict(X))
    path = str(tmp_path / "weights.h5")
    model.save_weights(path)
    other = regression()
    other.load_weights(path, by_name=False)
    assert np.array_equal(other.predict(X), model.predict(X))
    part = Sequential([L.Dense(4, name=model.layers[0].name, input_shape=(3,)), L.Dense(2, name="new")])
    part.load_weights(path, by_name=True)
    assert np.array_equal(part.get_weights()[0], weights[0])
    assert model.get_layer(index=1) is model.layers[1] and model.get_layer(model.layers[0].name) is model.layers[0]


def test_subclassed_model():
    class Subclassed(Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(1)

        def call(self, inputs):
            self.add_loss(K.mean(inputs**2))
            return self.dense(inputs)

    model = Subclassed()
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=1, verbose=0)
    without = np.mean((model.predict(X) - Y) ** 2)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), without + np.mean(X**2), rtol=1e-4)
    for refused in (model.to_json, model.to_yaml, model.get_config):
        with pytest.raises(NotImplementedError):
            refused()
    with pytest.raises(NotImplementedError):
        model.save("model.h5")


def test_arguments_of_fit():
    model = Sequential([L.Dense(1, input_shape=(3,), name="out")])
    model.compile("sgd", "mse", loss_weights={"out": 2.0}, weighted_metrics=["mae"], target_tensors=None)
    plain = Sequential.from_config(model.get_config())
    plain.compile("sgd", "mse")
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0)[0], 2 * plain.evaluate(X, Y, verbose=0), rtol=1e-5)
    seen = []
    history = model.fit(
        x=X, y=Y, batch_size=5, epochs=4, verbose=0, initial_epoch=2, shuffle=True, validation_split=0.5,
        validation_data=(X, Y, np.ones(20)), sample_weight=np.ones(20), validation_freq=2,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))],
    )  # fmt: skip
    assert seen == [2, 3] and history.epoch == [2, 3] and len(history.history["val_loss"]) == 1
    model.fit({"out_input": X}, {"out": Y}, epochs=1, verbose=0)
    model.fit(X, Y > 0.5, class_weight={0: 1.0, 1: 2.0}, verbose=0, validation_split=0.25)
    assert model.evaluate(X, Y, steps=1, verbose=0)[0] > 0
    assert model.predict(X, batch_size=7, verbose=0).shape == (20, 1)


# -- layers -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "layer, given, expected",
    [
        (L.Dense(4), (3,), (4,)),
        (L.Activation("relu"), (2, 3), (2, 3)),
        (L.Dropout(0.5, noise_shape=None, seed=None), (3,), (3,)),
        (L.Flatten(data_format=None), (2, 3), (6,)),
        (L.Reshape(target_shape=(3, 2)), (6,), (3, 2)),
        (L.Permute(dims=(2, 1)), (2, 3), (3, 2)),
        (L.RepeatVector(n=4), (3,), (4, 3)),
        (L.ActivityRegularization(l1=0.0, l2=0.0), (3,), (3,)),
        (L.Masking(mask_value=0.0), (2, 3), (2, 3)),
        (L.SpatialDropout1D(rate=0.5), (4, 2), (4, 2)),
        (L.SpatialDropout2D(rate=0.5), (4, 4, 2), (4, 4, 2)),
        (L.SpatialDropout3D(rate=0.5), (4, 4, 4, 2), (4, 4, 4, 2)),
        (L.Conv1D(4, 3, strides=1, padding="valid", data_format="channels_last", dilation_rate=1), (8, 2), (6, 4)),
        (L.Conv2D(4, 3, strides=(1, 1), padding="valid", dilation_rate=(1, 1)), (8, 8, 2), (6, 6, 4)),
        (L.SeparableConv1D(4, 3, strides=1, dilation_rate=1, depth_multiplier=1), (8, 2), (6, 4)),
        (L.SeparableConv2D(4, 3, strides=(1, 1), dilation_rate=(1, 1), depth_multiplier=1), (8, 8, 2), (6, 6, 4)),
        (L.DepthwiseConv2D(3, strides=(1, 1), padding="valid", depth_multiplier=2), (8, 8, 2), (6, 6, 4)),
        (L.Conv2DTranspose(4, 3, strides=(2, 2), output_padding=None, dilation_rate=(1, 1)), (4, 4, 2), (9, 9, 4)),
        (L.Conv3D(4, 3, strides=(1, 1, 1), dilation_rate=(1, 1, 1)), (5, 5, 5, 2), (3, 3, 3, 4)),
        (L.Conv3DTranspose(4, 3, strides=(1, 1, 1), output_padding=None), (3, 3, 3, 2), (5, 5, 5, 4)),
        (L.MaxPooling1D(pool_size=2, strides=None, data_format="channels_last"), (8, 2), (4, 2)),
        (L.MaxPooling2D(pool_size=(2, 2)), (8, 8, 2), (4, 4, 2)),
        (L.MaxPooling3D(pool_size=(2, 2, 2)), (4, 4, 4, 2), (2, 2, 2, 2)),
        (L.AveragePooling1D(pool_size=2), (8, 2), (4, 2)),
        (L.AveragePooling2D(pool_size=2), (8, 8, 2), (4, 4, 2)),
        (L.AveragePooling3D(pool_size=2), (4, 4, 4, 2), (2, 2, 2, 2)),
        (L.GlobalMaxPooling1D(data_format="channels_last"), (8, 2), (2,)),
        (L.GlobalAveragePooling2D(data_format=None), (8, 8, 2), (2,)),
        (L.LocallyConnected1D(4, 3, strides=1, padding="valid"), (8, 2), (6, 4)),
        (L.LocallyConnected2D(4, 3, strides=(1, 1), padding="valid"), (6, 6, 2), (4, 4, 4)),
        (L.SimpleRNN(4, dropout=0.0, recurrent_dropout=0.0, return_sequences=True), (5, 3), (5, 4)),
        (L.GRU(4, implementation=1, go_backwards=True, reset_after=False), (5, 3), (4,)),
        (L.LSTM(4, implementation=1, unroll=True), (5, 3), (4,)),
        (L.ConvLSTM2D(4, (3, 3), strides=(1, 1), padding="same", return_sequences=True), (3, 6, 6, 2), (3, 6, 6, 4)),
        (L.RNN(L.SimpleRNNCell(4, dropout=0.0, recurrent_dropout=0.0)), (5, 3), (4,)),
        (L.RNN(L.GRUCell(4, implementation=1, reset_after=False)), (5, 3), (4,)),
        (L.RNN(L.LSTMCell(4, implementation=1)), (5, 3), (4,)),
        (L.ConvRNN2D(L.ConvLSTM2DCell(4, (3, 3), padding="same")), (3, 6, 6, 2), (6, 6, 4)),
        (L.Embedding(10, 4, mask_zero=False, input_length=5), (5,), (5, 4)),
        (L.LeakyReLU(alpha=0.3), (3,), (3,)),
        (L.PReLU(alpha_initializer="zeros", shared_axes=None), (3,), (3,)),
        (L.ELU(alpha=1.0), (3,), (3,)),
        (L.ThresholdedReLU(theta=1.0), (3,), (3,)),
        (L.Softmax(axis=-1), (3,), (3,)),
        (L.ReLU(max_value=None, negative_slope=0.0, threshold=0.0), (3,), (3,)),
        (L.BatchNormalization(axis=-1, momentum=0.99, epsilon=0.001, center=True, scale=True), (3,), (3,)),
        (L.GaussianNoise(0.1), (3,), (3,)),
        (L.TimeDistributed(L.Dense(4)), (5, 3), (5, 4)),
        (L.Bidirectional(L.LSTM(4), merge_mode="concat", weights=None), (5, 3), (8,)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, L.Layer) else "",
)
def test_layer(layer, given, expected, rng):
    x = L.Input(given)
    model = Model(x, layer(x))
    batch = rng.randint(0, 9, (2, *given)) if isinstance(layer, L.Embedding) else rng.rand(2, *given)
    assert model.output_shape == (None, *expected) and model.predict(batch).shape == (2, *expected)


def test_methods_of_a_layer():
    layer = L.Dense(
        2, use_bias=True, kernel_initializer="ones", bias_initializer="zeros", activation="linear",
        kernel_regularizer="l2", bias_regularizer="l1", activity_regularizer="l2", kernel_constraint="non_neg",
        bias_constraint="max_norm",
    )  # fmt: skip
    y = layer(L.Input((3,)))
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel * 2, bias])
    assert np.array_equal(layer.get_weights()[0], np.full((3, 2), 2.0)) and layer.output is y
    assert L.Dense.from_config(layer.get_config()).units == 2
    with pytest.raises(ValueError):
        layer.set_weights([kernel.T, bias])


@pytest.mark.parametrize(
    "layer, expected",
    [
        (L.Add(), lambda a, b: a + b),
        (L.Subtract(), lambda a, b: a - b),
        (L.Average(), lambda a, b: (a + b) / 2),
        (L.Maximum(), np.maximum),
        (L.Minimum(), np.minimum),
        (L.Concatenate(axis=-1), lambda a, b: np.concatenate([a, b], -1)),
        (L.Dot(axes=1, normalize=False), lambda a, b: (a * b).sum(1, keepdims=True)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, L.Layer) else "",
)
def test_merge(layer, expected, rng):
    a, b = rng.randn(2, 4, 3).astype("float32")
    inputs = [L.Input((3,)), L.Input((3,))]
    np.testing.assert_allclose(Model(inputs, layer(inputs)).predict([a, b]), expected(a, b), rtol=1e-5, atol=1e-6)


VALUES = np.array([-3.0, -2.5, -1.0, -0.2, 0.0, 0.3, 1.2, 1.5, 2.5, 4.0])


@pytest.mark.parametrize(
    "layer, formula",
    [
        (L.LeakyReLU(alpha=0.3), lambda x: np.where(x < 0, 0.3 * x, x)),
        (L.PReLU(alpha_initializer=keras.initializers.Constant(0.2)), lambda x: np.where(x < 0, 0.2 * x, x)),
        (L.ELU(alpha=2.0), lambda x: np.where(x < 0, 2 * np.expm1(x), x)),
        (L.ThresholdedReLU(theta=1.0), lambda x: np.where(x > 1, x, 0)),
        (L.Softmax(axis=-1), lambda x: np.exp(x) / np.exp(x).sum()),
        (
            L.ReLU(max_value=2.0, negative_slope=0.5, threshold=1.0),
            lambda x: np.where(x >= 2, 2, np.where(x >= 1, x, 0.5 * (x - 1))),
        ),
        (keras.activations.softmax, lambda x: np.exp(x) / np.exp(x).sum()),
        (keras.activations.elu, lambda x: np.where(x > 0, x, np.expm1(x))),
        (keras.activations.selu, lambda x: 1.05070098 * np.where(x > 0, x, 1.67326324 * np.expm1(x))),
        (keras.activations.softplus, lambda x: np.log(np.exp(x) + 1)),
        (keras.activations.softsign, lambda x: x / (np.abs(x) + 1)),
        (keras.activations.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
        (keras.activations.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
        (keras.activations.tanh, np.tanh),
    ],
)
def test_activation(layer, formula):
    x = L.Input((len(VALUES),))
    y = layer(x) if isinstance(layer, L.Layer) else L.Activation(layer)(x)
    np.testing.assert_allclose(Model(x, y).predict(VALUES[None])[0], formula(VALUES), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", ["sum", "mul", "concat", "ave", None])
def test_bidirectional_modes(mode, rng):
    x = L.Input((5, 3))
    outputs = L.Bidirectional(L.GRU(4), merge_mode=mode)(x)
    values = Model(x, outputs).predict(rng.rand(2, 5, 3))
    assert (
        [v.shape for v in values] == [(2, 4)] * 2 if mode is None else values.shape == (2, 8 if mode == "concat" else 4)
    )


def test_rnn_of_a_cell_of_ones_own(rng):
    class Decay(L.Layer):
        state_size = output_size = 3

        def call(self, inputs, states):
            state = 0.5 * states[0] + inputs
            return state, [state]

    x = L.Input((4, 3))
    y = L.RNN(Decay(), return_sequences=True, return_state=True, go_backwards=False, stateful=False, unroll=False)(x)
    values = rng.rand(2, 4, 3)
    sequence, last = Model(x, y).predict(values)
    expected = np.zeros((2, 3))
    for step in range(4):
        expected = 0.5 * expected + values[:, step]
        np.testing.assert_allclose(sequence[:, step], expected, rtol=1e-5)
    np.testing.assert_allclose(last, expected, rtol=1e-5)


def test_stateful_rnn_keeps_its_state(rng):
    model = Sequential([L.SimpleRNN(3, stateful=True, batch_input_shape=(2, 4, 2))])
    x = rng.rand(2, 4, 2)
    first = model.predict(x)
    assert not np.array_equal(model.predict(x), first)
    model.reset_states()
    assert np.array_equal(model.predict(x), first)


def test_masking_of_varying_lengths():
    model = Sequential([L.Embedding(10, 4, mask_zero=True), L.LSTM(3)])
    short, padded = model.predict(np.array([[3, 5]])), model.predict(np.array([[0, 0, 3, 5]]))
    np.testing.assert_allclose(short, padded, rtol=1e-5, atol=1e-7)


def test_layer_of_ones_own():
    class Scaled(L.Layer):
        def __init__(self, output_dim, **kwargs):
            self.output_dim = output_dim
            super().__init__(**kwargs)

        def build(self, input_shape):
            assert isinstance(input_shape, list)
            shape = (input_shape[0][1], self.output_dim)
            self.kernel = self.add_weight(name="kernel", shape=shape, initializer="ones", trainable=True)
            super().build(input_shape)

        def call(self, x):
            a, b = x
            return [K.dot(a, self.kernel) + b, K.mean(b, axis=-1)]

        def compute_output_shape(self, input_shape):
            return [(input_shape[0][0], self.output_dim), input_shape[1][:-1]]

    inputs = [L.Input((3,)), L.Input((2,))]
    layer = Scaled(2)
    outputs = layer(inputs)
    assert layer.built and [K.int_shape(y) for y in outputs] == [(None, 2), (None,)]
    first, second = Model(inputs, outputs).predict([np.ones((4, 3)), np.ones((4, 2))])
    assert np.array_equal(first, np.full((4, 2), 4.0)) and np.array_equal(second, np.ones(4))


# -- losses, metrics, optimizers ------------------------------------------------------------------------
TRUE, PRED = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), np.array([[0.2, 0.7, 0.1], [0.3, 0.3, 0.4]])


@pytest.mark.parametrize(
    "name, formula",
    [
        ("mean_squared_error", lambda t, p: ((t - p) ** 2).mean(-1)),
        ("mean_absolute_error", lambda t, p: abs(t - p).mean(-1)),
        ("mean_absolute_percentage_error", lambda t, p: 100 * (abs(t - p) / np.maximum(abs(t), 1e-7)).mean(-1)),
        ("mean_squared_logarithmic_error", lambda t, p: ((np.log1p(t) - np.log1p(p)) ** 2).mean(-1)),
        ("squared_hinge", lambda t, p: (np.maximum(1 - (2 * t - 1) * p, 0) ** 2).mean(-1)),
        ("hinge", lambda t, p: np.maximum(1 - (2 * t - 1) * p, 0).mean(-1)),  # 0 and 1 count as -1 and 1,
        ("categorical_hinge", lambda t, p: np.maximum(0, ((1 - t) * p).max(-1) - (t * p).sum(-1) + 1)),
        ("logcosh", lambda t, p: np.log(np.cosh(p - t)).mean(-1)),
        ("categorical_crossentropy", lambda t, p: -(t * np.log(p)).sum(-1)),
        ("sparse_categorical_crossentropy", lambda t, p: -np.log(p[[0, 1], [1, 0]])),
        ("binary_crossentropy", lambda t, p: -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(-1)),
        ("kullback_leibler_divergence", lambda t, p: (np.where(t == 0, 1e-7, t) * np.log(np.maximum(t, 1e-7) / p)).sum(-1)),
        ("poisson", lambda t, p: (p - t * np.log(p + 1e-7)).mean(-1)),
        (
            "cosine_proximity",
            lambda t, p: (t * p).sum(-1) / (np.linalg.norm(t, axis=-1) * np.linalg.norm(p, axis=-1)),
        ),
    ],
)  # fmt: skip
def test_loss(name, formula):
    target = np.array([[1], [0]]) if name.startswith("sparse") else TRUE
    got = K.eval(getattr(keras.losses, name)(K.constant(target), K.constant(PRED)))
    expected = formula(TRUE, PRED)
    np.testing.assert_allclose(
        np.ravel(got), -expected if name == "cosine_proximity" else expected, rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    "name, expected",
    [
        ("binary_accuracy", [1, 2 / 3]),
        ("categorical_accuracy", [1, 0]),
        ("sparse_categorical_accuracy", [1, 0]),
        ("top_k_categorical_accuracy", 0.5),
        ("sparse_top_k_categorical_accuracy", 0.5),
    ],
)
def test_metric(name, expected):
    target = np.array([[1], [0]]) if name.startswith("sparse") else TRUE
    options = {"k": 1} if "top_k" in name else {}
    got = K.eval(getattr(keras.metrics, name)(K.constant(target), K.constant(PRED), **options))
    np.testing.assert_allclose(np.mean(got) if "top_k" in name else np.ravel(got), expected, rtol=1e-6)


@pytest.mark.parametrize(
    "name, options",
    [
        ("SGD", {"lr": 0.01, "momentum": 0.0, "decay": 0.0, "nesterov": False}),
        ("RMSprop", {"lr": 0.001, "rho": 0.9, "epsilon": None, "decay": 0.0}),
        ("Adagrad", {"lr": 0.01, "epsilon": None, "decay": 0.0}),
        ("Adadelta", {"lr": 1.0, "rho": 0.95, "epsilon": None, "decay": 0.0}),
        ("Adam", {"lr": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": None, "decay": 0.0, "amsgrad": False}),
        ("Adamax", {"lr": 0.002, "beta_1": 0.9, "beta_2": 0.999, "epsilon": None, "decay": 0.0}),
        ("Nadam", {"lr": 0.002, "beta_1": 0.9, "beta_2": 0.999, "epsilon": None, "schedule_decay": 0.004}),
    ],
)
@pytest.mark.parametrize("clipping", [{}, {"clipnorm": 1.0}, {"clipvalue": 0.5}])
def test_optimizer(name, options, clipping):
    model = Sequential([L.Dense(1, input_shape=(3,))])
    model.compile(getattr(keras.optimizers, name)(**options, **clipping), "mse")
    first = model.train_on_batch(X, Y)
    for _ in range(30):
        last = model.train_on_batch(X, Y)
    assert last < first


# -- the rest -------------------------------------------------------------------------------------------
def test_xception_arguments():
    model = keras.applications.xception.Xception(
        include_top=False, weights=None, input_tensor=None, input_shape=(71, 71, 3), pooling="avg", classes=1000
    )
    assert model.output_shape == (None, 2048)
    with pytest.raises(ValueError, match="at least 71"):
        keras.applications.xception.Xception(include_top=False, weights=None, input_shape=(70, 70, 3))


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("Zeros", {}), ("Ones", {}), ("Constant", {"value": 0}),
        ("RandomNormal", {"mean": 0.0, "stddev": 0.05, "seed": None}),
        ("RandomUniform", {"minval": -0.05, "maxval": 0.05, "seed": None}),
        ("TruncatedNormal", {"mean": 0.0, "stddev": 0.05, "seed": None}),
        ("VarianceScaling", {"scale": 1.0, "mode": "fan_in", "distribution": "normal", "seed": None}),
        ("he_uniform", {"seed": None}), ("lecun_uniform", {"seed": None}), ("glorot_normal", {"seed": None}),
        ("glorot_uniform", {"seed": None}), ("he_normal", {"seed": None}), ("lecun_normal", {"seed": None}),
    ],
)  # fmt: skip
def test_initializer(name, arguments):
    values = K.eval(getattr(keras.initializers, name)(**arguments)((200, 300)))
    expected = {
        "Zeros": 0, "Ones": 0, "Constant": 0, "RandomNormal": 0.05, "RandomUniform": 0.1 / 12**0.5,
        "TruncatedNormal": 0.044, "VarianceScaling": (1 / 200) ** 0.5, "he_uniform": (2 / 200) ** 0.5,
        "lecun_uniform": (1 / 200) ** 0.5, "glorot_normal": (2 / 500) ** 0.5, "glorot_uniform": (2 / 500) ** 0.5,
        "he_normal": (2 / 200) ** 0.5, "lecun_normal": (1 / 200) ** 0.5,
    }[name]  # fmt: skip
    np.testing.assert_allclose(values.std(), expected, rtol=0.03)


@pytest.mark.parametrize(
    "regularizer, penalty",
    [
        (keras.regularizers.l1(0.1), lambda w: 0.1 * abs(w).sum()),
        (keras.regularizers.l2(0.1), lambda w: 0.1 * (w**2).sum()),
        (keras.regularizers.l1_l2(l1=0.01, l2=0.01), lambda w: 0.01 * abs(w).sum() + 0.01 * (w**2).sum()),
    ],
)
@pytest.mark.parametrize("argument", ["kernel_regularizer", "bias_regularizer", "activity_regularizer"])
def test_regularizer(regularizer, penalty, argument):
    model = Sequential([L.Dense(1, input_shape=(3,), bias_initializer="ones", **{argument: regularizer})])
    model.compile("sgd", "mse")
    kernel, bias = model.get_weights()
    outputs = model.predict(X)
    on = {"kernel_regularizer": kernel, "bias_regularizer": bias}.get(argument)
    extra = penalty(outputs if on is None else on)
    plain = np.mean((outputs - Y) ** 2)
    np.testing.assert_allclose(model.evaluate(X, Y, verbose=0, batch_size=20), plain + extra, rtol=1e-4)


@pytest.mark.parametrize(
    "constraint, holds",
    [
        (keras.constraints.MaxNorm(max_value=2, axis=0), lambda n, w: (n <= 2.001).all()),
        (keras.constraints.NonNeg(), lambda n, w: (w >= 0).all()),
        (keras.constraints.MinMaxNorm(min_value=1.0, max_value=1.5, rate=1.0, axis=0),
         lambda n, w: ((n >= 0.999) & (n <= 1.501)).all()),
        (keras.constraints.UnitNorm(axis=0), lambda n, w: np.allclose(n, 1, atol=1e-3)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("argument", ["kernel_constraint", "bias_constraint"])
def test_constraint(constraint, holds, argument, rng):
    model = Sequential([L.Dense(2, input_shape=(3,), bias_initializer="ones", **{argument: constraint})])
    model.compile(keras.optimizers.SGD(lr=5.0), "mse")
    model.train_on_batch(X, rng.randn(20, 2))
    weights = model.get_weights()[argument == "bias_constraint"]
    assert holds(np.linalg.norm(weights, axis=0), weights)
