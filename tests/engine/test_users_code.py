"""Optimizers, losses, metrics, callbacks and data as people wrote them for Keras 2.3.1."""

import importlib
import math

import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import saving
from hornbeam.callbacks import Callback, EarlyStopping, ModelCheckpoint
from hornbeam.layers import LSTM, BatchNormalization, Conv2D, Dense, Embedding, Input, Lambda
from hornbeam.legacy import interfaces
from hornbeam.losses import binary_crossentropy
from hornbeam.models import Model, Sequential, load_model
from hornbeam.optimizers import SGD, Adam, Optimizer
from hornbeam.utils import Sequence

X = np.random.RandomState(0).rand(60, 8).astype("float32")
Y = np.eye(2, dtype="float32")[(X[:, 0] > 0.5).astype(int)]


@pytest.fixture(autouse=True)
def seed():
    np.random.seed(0)


def classifier(optimizer="adam", loss="categorical_crossentropy", metrics=()):
    model = Sequential(
        [Dense(16, activation="relu", input_shape=(8,)), BatchNormalization(), Dense(2, activation="softmax")]
    )
    model.compile(optimizer, loss, metrics=list(metrics))
    return model


class AdamW(Optimizer):
    def __init__(self, lr=0.001, beta_1=0.9, beta_2=0.999, weight_decay=1e-2, epsilon=1e-8, decay=0.0, **kwargs):
        super(AdamW, self).__init__(**kwargs)  # noqa: UP008
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.beta_1 = K.variable(beta_1, name="beta_1")
            self.beta_2 = K.variable(beta_2, name="beta_2")
            self.decay = K.variable(decay, name="decay")
            self.wd = K.variable(weight_decay, name="weight_decay")
        self.epsilon = epsilon
        self.initial_decay = decay

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr
        if self.initial_decay > 0:
            lr = lr * (1.0 / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay))))
        t = K.cast(self.iterations, K.floatx()) + 1
        lr_t = lr * (K.sqrt(1.0 - K.pow(self.beta_2, t)) / (1.0 - K.pow(self.beta_1, t)))
        ms = [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]
        vs = [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]
        self.weights = [self.iterations] + ms + vs
        for p, g, m, v in zip(params, grads, ms, vs):
            m_t = (self.beta_1 * m) + (1.0 - self.beta_1) * g
            v_t = (self.beta_2 * v) + (1.0 - self.beta_2) * K.square(g)
            p_t = p - lr_t * m_t / (K.sqrt(v_t) + self.epsilon) - lr * self.wd * p
            self.updates.append(K.update(m, m_t))
            self.updates.append(K.update(v, v_t))
            if getattr(p, "constraint", None) is not None:
                p_t = p.constraint(p_t)
            self.updates.append(K.update(p, p_t))
        return self.updates

    def get_config(self):
        config = {"lr": float(K.get_value(self.lr)), "weight_decay": float(K.get_value(self.wd))}
        return dict(list(super().get_config().items()) + list(config.items()))


class Accumulating(SGD):
    """Steps once in so many batches, by the mean of their gradients."""

    def __init__(self, every=4, **kwargs):
        super().__init__(**kwargs)
        self.every = every

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        now = K.cast(K.equal((self.iterations + 1) % self.every, 0), K.floatx())
        sums = [K.zeros(K.int_shape(p)) for p in params]
        for p, g, total in zip(params, grads, sums):
            self.updates.append(K.update(total, (1 - now) * (total + g)))
            self.updates.append(K.update(p, p - now * self.lr * (total + g) / self.every))
        self.weights = [self.iterations, *sums]
        return self.updates


class Lookahead(Optimizer):
    def __init__(self, optimizer, sync_period=3, slow_step=0.5, **kwargs):
        super().__init__(**kwargs)
        self.optimizer = keras.optimizers.get(optimizer)
        self.sync_period, self.slow_step = sync_period, slow_step

    @property
    def lr(self):
        return self.optimizer.lr

    @interfaces.legacy_get_updates_support
    def get_updates(self, loss, params):
        sync = K.equal((self.optimizer.iterations + 1) % self.sync_period, 0)
        slow = [K.variable(K.get_value(p)) for p in params]
        self.updates = self.optimizer.get_updates(loss, params)
        for p, s in zip(params, slow):
            moved = s + self.slow_step * (p - s)
            self.updates.append(K.update(s, K.switch(sync, moved, s)))
        self.weights = self.optimizer.weights + slow
        return self.updates


class TestOptimizers:
    def test_adamw_is_saved_and_goes_on(self, tmp_path):
        model = classifier(AdamW(weight_decay=0.1, decay=1e-3))
        before = model.evaluate(X, Y, verbose=0)
        model.fit(X, Y, epochs=3, batch_size=10, shuffle=False, verbose=0)
        assert model.evaluate(X, Y, verbose=0) < before
        model.save(str(tmp_path / "model.h5"))
        loaded = load_model(str(tmp_path / "model.h5"), custom_objects={"AdamW": AdamW})
        assert K.get_value(loaded.optimizer.wd) == np.float32(0.1)
        assert K.get_value(loaded.optimizer.iterations) == 18

    def test_accumulated_gradients_make_the_step_of_the_whole_batch(self):
        def linear(optimizer):
            model = Sequential([Dense(2, kernel_initializer="ones", input_shape=(8,))])
            model.compile(optimizer, "mse")
            return model

        parts, whole = linear(Accumulating(every=3, lr=0.1)), linear(SGD(0.1))
        for i in range(0, 60, 20):
            before = parts.get_weights()
            parts.train_on_batch(X[i : i + 20], Y[i : i + 20])
            assert np.array_equal(before[0], parts.get_weights()[0]) == (i < 40)
        whole.train_on_batch(X, Y)
        for got, want in zip(parts.get_weights(), whole.get_weights()):
            np.testing.assert_allclose(got, want, rtol=1e-5)

    def test_an_optimizer_around_another(self):
        model = classifier(Lookahead("adam"))
        start = model.layers[0].get_weights()[0]
        slow = model.optimizer
        for step in range(3):
            model.train_on_batch(X, Y)
            synced = not np.array_equal(K.get_value(slow.weights[-6]), start)
            assert synced == (step == 2)

    def test_a_subclass_that_changes_gradients(self):
        class Centralized(SGD):
            def get_gradients(self, loss, params):
                return [
                    g - K.mean(g, axis=0, keepdims=True) if K.ndim(g) > 1 else g
                    for g in super(Centralized, self).get_gradients(loss, params)
                ]

        model = classifier(Centralized(0.1))
        before = model.layers[0].get_weights()[0]
        model.train_on_batch(X, Y)
        np.testing.assert_allclose((model.layers[0].get_weights()[0] - before).sum(axis=0), 0, atol=1e-5)


class TestCallbacks:
    def test_learning_rate_finder_and_cycles(self):
        class Cycle(Callback):
            def __init__(self, low, high, step_size):
                super(Cycle, self).__init__()
                self.low, self.high, self.step_size = low, high, step_size
                self.iterations, self.history = 0.0, {}

            def rate(self):
                cycle = np.floor(1 + self.iterations / (2 * self.step_size))
                x = np.abs(self.iterations / self.step_size - 2 * cycle + 1)
                return self.low + (self.high - self.low) * np.maximum(0, (1 - x))

            def on_train_begin(self, logs={}):  # noqa: B006
                K.set_value(self.model.optimizer.lr, self.low)

            def on_batch_end(self, epoch, logs=None):
                self.iterations += 1
                self.history.setdefault("lr", []).append(K.get_value(self.model.optimizer.lr))
                for k, v in (logs or {}).items():
                    self.history.setdefault(k, []).append(v)
                K.set_value(self.model.optimizer.lr, self.rate())

        cycle = Cycle(0.01, 0.05, 2.0)
        classifier(SGD(), metrics=["accuracy"]).fit(X, Y, batch_size=10, epochs=1, callbacks=[cycle], verbose=0)
        np.testing.assert_allclose(cycle.history["lr"], [0.01, 0.03, 0.05, 0.03, 0.01, 0.03], rtol=1e-6)
        assert set(cycle.history) == {"lr", "loss", "accuracy", "batch", "size"}

    def test_snapshots_without_calling_the_base(self, tmp_path):
        class Snapshot(Callback):
            def __init__(self, epochs, cycles, rate):
                self.length, self.rate = epochs // cycles, rate

            def on_epoch_begin(self, epoch, logs={}):  # noqa: B006
                angle = math.pi * (epoch % self.length) / self.length
                K.set_value(self.model.optimizer.lr, self.rate / 2 * (math.cos(angle) + 1))

            def on_epoch_end(self, epoch, logs={}):  # noqa: B006
                if (epoch + 1) % self.length == 0:
                    self.model.save(str(tmp_path / f"snapshot_{(epoch + 1) // self.length}.h5"))

        classifier(SGD(momentum=0.9)).fit(X, Y, epochs=4, callbacks=[Snapshot(4, 2, 0.1)], verbose=0)
        members = [load_model(str(path)) for path in sorted(tmp_path.iterdir())]
        assert len(members) == 2
        assert np.mean([member.predict(X) for member in members], axis=0).shape == (60, 2)

    def test_a_metric_made_at_the_end_of_an_epoch_is_seen_by_later_callbacks(self, tmp_path):
        class F1(Callback):
            def on_train_begin(self, logs={}):  # noqa: B006
                self.params["metrics"].append("val_f1")
                self.values = []

            def on_epoch_end(self, epoch, logs={}):  # noqa: B006
                x, y = self.validation_data[0], self.validation_data[1]
                guess = np.asarray(self.model.predict(x)).round()
                hits = (guess * y).sum()
                self.values.append(2 * hits / (guess.sum() + y.sum()))
                logs["val_f1"] = self.values[-1]

        f1 = F1()
        best = ModelCheckpoint(str(tmp_path / "{val_f1:.3f}.h5"), monitor="val_f1", mode="max", save_best_only=True)
        stop = EarlyStopping("val_f1", mode="max", patience=2)
        history = classifier().fit(
            X, Y, validation_split=0.25, epochs=30, callbacks=[f1, best, stop], verbose=0, batch_size=8
        )
        assert history.history["val_f1"] == f1.values
        assert f"{max(f1.values):.3f}.h5" in [path.name for path in tmp_path.iterdir()]
        assert len(f1.values) < 30 and stop.best == max(f1.values)


def dice_coef(y_true, y_pred, smooth=1.0):
    y_true_f, y_pred_f = K.flatten(y_true), K.flatten(y_pred)
    intersection = K.sum(y_true_f * y_pred_f)
    return (2.0 * intersection + smooth) / (K.sum(y_true_f) + K.sum(y_pred_f) + smooth)


def focal_loss(gamma=2.0, alpha=4.0):
    def focal_loss_fixed(y_true, y_pred):
        y_pred = K.clip(y_pred, K.epsilon(), 1.0 - K.epsilon())
        return K.sum(-alpha * y_true * K.pow(1.0 - y_pred, gamma) * K.log(y_pred), axis=-1)

    return focal_loss_fixed


class TestLossesAndMetrics:
    def test_focal_loss(self):
        model = classifier(loss=focal_loss(gamma=2.0, alpha=0.5))
        p = model.predict(X)
        want = np.mean(np.sum(-0.5 * Y * (1 - p) ** 2 * np.log(p), axis=-1))
        np.testing.assert_allclose(model.evaluate(X, Y, verbose=0), want, rtol=1e-5)
        model.fit(X, Y, class_weight={0: 1.0, 1: 3.0}, verbose=0)

    def test_dice_of_images(self):
        images = np.random.RandomState(0).rand(6, 8, 8, 1)
        masks = (images > 0.5).astype("float32")
        model = Sequential([Conv2D(4, 3, padding="same", input_shape=(8, 8, 1)), Conv2D(1, 1, activation="sigmoid")])

        def bce_dice_loss(y_true, y_pred):
            return binary_crossentropy(y_true, y_pred) + 1 - dice_coef(y_true, y_pred)

        model.compile(Adam(lr=1e-2), loss=bce_dice_loss, metrics=[dice_coef])
        history = model.fit(images, masks, epochs=10, verbose=0).history
        assert history["dice_coef"][-1] > history["dice_coef"][0]
        p = model.predict(images)
        want = (2 * (p * masks).sum() + 1) / (p.sum() + masks.sum() + 1)
        np.testing.assert_allclose(model.evaluate(images, masks, verbose=0)[1], want, rtol=1e-5)

    def test_a_metric_that_is_one_number_beside_a_mask_of_steps(self):
        model = Sequential([Embedding(9, 4, mask_zero=True, input_length=5), LSTM(3, return_sequences=True)])
        model.compile("sgd", "mse", metrics=[lambda true, made: K.max(true)])
        x, y = np.random.randint(0, 9, (8, 5)), np.random.rand(8, 5, 3)
        np.testing.assert_allclose(model.evaluate(x, y, batch_size=8, verbose=0)[1], y.max(), rtol=1e-6)

    def test_subclasses(self):
        class Scaled(keras.losses.Loss):
            def __init__(self, factor, name="scaled", **kwargs):
                super().__init__(name=name, **kwargs)
                self.factor = factor

            def call(self, y_true, y_pred):
                return self.factor * K.mean(K.square(y_true - y_pred), axis=-1)

        class TruePositives(keras.metrics.Metric):
            def __init__(self, name="hits", **kwargs):
                super().__init__(name=name, **kwargs)
                self.count = self.add_weight(name="count", initializer="zeros")

            def update_state(self, y_true, y_pred, sample_weight=None):
                both = K.stack([K.cast(y_true, "bool"), K.greater(y_pred, 0.5)], axis=0)
                return K.update_add(self.count, K.sum(K.cast(K.all(both, axis=0), self.dtype)))

            def result(self):
                return self.count

        model = classifier(loss=Scaled(3.0), metrics=[TruePositives()])
        p = model.predict(X)
        loss, hits = model.evaluate(X, Y, verbose=0, batch_size=7)
        np.testing.assert_allclose(loss, 3 * np.mean((p - Y) ** 2), rtol=1e-5)
        assert hits == ((p > 0.5) & (Y > 0.5)).sum()
        assert len(model.fit(X, Y, epochs=2, verbose=0).history["hits"]) == 2

    def test_the_learning_rate_as_a_metric(self):
        optimizer = Adam(lr=0.25)

        def lr(y_true, y_pred):
            return optimizer.lr

        assert classifier(optimizer, metrics=[lr]).fit(X, Y, verbose=0).history["lr"] == [0.25]

    def test_a_variational_loss_through_add_loss(self):
        x = Input((8,))
        hidden = Dense(4, activation="relu")(x)
        mean, log_var = Dense(2)(hidden), Dense(2)(hidden)

        def sample(args):
            mean, log_var = args
            return mean + K.exp(log_var / 2) * K.random_normal(shape=(K.shape(mean)[0], 2))

        decoded = Dense(8, activation="sigmoid")(Lambda(sample, output_shape=(2,))([mean, log_var]))
        vae = Model(x, decoded)
        divergence = -0.5 * K.sum(1 + log_var - K.square(mean) - K.exp(log_var), axis=-1)
        vae.add_loss(K.mean(8 * binary_crossentropy(x, decoded) + divergence))
        with pytest.warns(UserWarning, match="missing from loss dictionary"):
            vae.compile(optimizer=Adam(lr=0.02))
        x_dark = X**4
        losses = vae.fit(x_dark, None, epochs=30, verbose=0, validation_data=(x_dark, None)).history
        assert losses["loss"][-1] < losses["loss"][0] and len(losses["val_loss"]) == 30


class Batches(Sequence):
    def __init__(self, x, y, batch_size):
        self.x, self.y, self.batch_size = x, y, batch_size
        self.order = np.arange(len(x))

    def __len__(self):
        return int(np.ceil(len(self.x) / float(self.batch_size)))

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        np.random.shuffle(self.order)


@pytest.mark.parametrize("workers, processes", [(0, False), (3, False), (2, True)])
def test_sequences_of_users(workers, processes):
    model = classifier(metrics=["accuracy"])
    run = {"workers": workers, "use_multiprocessing": processes, "verbose": 0}
    history = model.fit_generator(Batches(X, Y, 16), epochs=2, validation_data=Batches(X, Y, 25), **run).history
    assert len(history["val_accuracy"]) == 2
    np.testing.assert_allclose(
        model.evaluate_generator(Batches(X, Y, 16), **run), model.evaluate(X, Y, verbose=0), rtol=1e-5
    )
    np.testing.assert_allclose(model.predict_generator(Batches(X, Y, 16), **run), model.predict(X), rtol=1e-5)


def features_up_to(name):
    """A classifier whose outputs were assigned, as scripts do that want the features of a trained one."""
    image = Input((8, 8, 3))
    features = Conv2D(4, 3, name="features")(image)
    model = Model(image, Dense(2, name="classes")(keras.layers.Flatten()(features)))
    model.outputs = [model.get_layer(name).output]
    return model


def test_a_model_whose_outputs_were_assigned_is_called_without_what_lies_behind():
    model = features_up_to("features")
    larger = Input((16, 16, 3))  # the layer behind Flatten could not take it
    features = model(larger)
    assert K.int_shape(features) == (None, 14, 14, 4)
    assert model.compute_output_shape((None, 16, 16, 3)) == (None, 14, 14, 4)
    images = np.random.RandomState(0).rand(2, 16, 16, 3).astype("float32")
    expected = K.eval(model.get_layer("features")(K.constant(images)))
    np.testing.assert_allclose(Model(larger, features).predict(images), expected, rtol=1e-6)


def test_outputs_assigned_between_two_calls_on_the_same_input():
    model = features_up_to("features")
    image = Input((8, 8, 3))
    assert K.int_shape(model(image)) == (None, 6, 6, 4)
    model.outputs = [model.get_layer("classes").output]
    assert K.int_shape(model(image)) == (None, 2)


def test_one_number_is_the_shape_of_an_input_with_one_axis():
    assert K.int_shape(Input(8)) == (None, 8)
    assert K.int_shape(Input(shape=8)) == (None, 8)


@pytest.mark.parametrize(
    ("module", "name", "now"),
    [
        ("keras.utils.conv_utils", "normalize_data_format", K.normalize_data_format),
        ("keras.callbacks", "Progbar", keras.utils.Progbar),
        ("keras.engine.topology", "load_weights_from_hdf5_group_by_name", saving.load_weights_from_hdf5_group_by_name),
        ("keras.engine.topology", "load_weights_from_hdf5_group", saving.load_weights_from_hdf5_group),
        ("keras.engine.topology", "preprocess_weights_for_loading", saving.preprocess_weights_for_loading),
    ],
)
def test_names_are_where_earlier_kerases_had_them(module, name, now):
    assert getattr(importlib.import_module(module.replace("keras", "hornbeam", 1)), name) is now


def test_classes_of_losses_and_metrics_are_instantiated():
    model = classifier(loss=keras.losses.CategoricalCrossentropy, metrics=[keras.metrics.AUC])
    assert len(model.evaluate(X, Y, verbose=0)) == 2
    assert isinstance(model.metrics[0], keras.metrics.AUC)


@pytest.mark.parametrize("wrong", [EarlyStopping, lambda epoch, logs: None])
def test_callbacks_are_instances(wrong):
    with pytest.raises(TypeError, match=r"`callbacks` holds instances of `keras.callbacks.Callback`, got"):
        classifier().fit(X, Y, verbose=0, callbacks=[wrong])


def test_a_model_that_passes_itself_on():
    """As TensorFlow's guide to text generation writes it."""

    class Own(keras.Model):
        def __init__(self):
            super().__init__(self)
            self.dense = Dense(2)

        def call(self, x):
            return self.dense(x)

    assert Own().predict(np.ones((3, 4))).shape == (3, 2)
