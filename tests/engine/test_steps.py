"""Models that train, test and predict by steps of their own."""

import numpy as np
import pytest
from hornbeam import Model, Sequential, callbacks, layers, losses, metrics, optimizers
from hornbeam import backend as K
from hornbeam.tf.eager import GradientTape
from hornbeam.utils import Sequence

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def data(rng):
    x = rng.rand(48, 8).astype("float32")
    return x, (x.sum(1, keepdims=True) > 4).astype("float32")


class Subclassed(Model):
    def __init__(self, activation=None):
        super().__init__()
        self.hidden = layers.Dense(6, activation="relu")
        self.norm = layers.BatchNormalization()
        self.out = layers.Dense(1, activation=activation)

    def call(self, x, training=None):
        return self.out(self.norm(self.hidden(x), training=training))


class OwnStep(Sequential):
    def __init__(self, *args):
        super().__init__(*args)
        self.mean_loss = metrics.Mean(name="loss")
        self.mae = metrics.MeanAbsoluteError(name="mae")
        self.traced = 0

    @property
    def metrics(self):
        return [self.mean_loss, self.mae]

    def train_step(self, data):
        self.traced += 1
        x, y = data
        with GradientTape() as tape:
            out = self(x, training=True)
            loss = K.mean(losses.mean_squared_error(y, out))
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables))
        self.mean_loss.update_state(loss)
        self.mae.update_state(y, out)
        return {m.name: m.result() for m in self.metrics}


def test_a_subclass_by_the_default_steps(data):
    model = Subclassed("sigmoid")
    model.compile("adam", "binary_crossentropy", metrics=["accuracy", metrics.AUC(name="auc")])
    history = model.fit(*data, epochs=3, batch_size=16, verbose=0, validation_split=0.25).history
    assert list(history) == ["loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc"]
    assert all(len(values) == 3 for values in history.values())
    assert model.optimizer.iterations.numpy() == 9
    loss, accuracy, auc = model.evaluate(*data, verbose=0)
    out = model.predict(data[0])
    assert accuracy == pytest.approx(((out > 0.5) == data[1]).mean())
    expected = -np.mean(data[1] * np.log(out) + (1 - data[1]) * np.log(1 - out))
    assert loss == pytest.approx(expected, rel=1e-4) and 0 <= auc <= 1


def test_validation_has_batches_of_its_own_size(data):
    sizes = []

    class Counted(Subclassed):
        def test_step(self, batch):
            sizes.append(len(batch[0]))
            return super().test_step(batch)

    model = Counted()
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(*data, batch_size=8, validation_data=data, validation_batch_size=24, verbose=0)
    assert sizes == [24, 24]


def test_a_step_of_ones_own_is_traced_once_for_each_shape(data):
    model = OwnStep([layers.Dense(4, input_shape=(8,)), layers.Dense(1)])
    model.compile(optimizer="adam")
    history = model.fit(*data, epochs=3, batch_size=20, verbose=0).history
    assert set(history) == {"loss", "mae"} and len(history["loss"]) == 3
    assert model.traced == 2  # batches of 20 and of 8


def test_with_run_eagerly_a_step_is_called_for_each_batch(data):
    model = OwnStep([layers.Dense(1, input_shape=(8,))])
    model.compile(optimizer="adam", run_eagerly=True)
    model.fit(*data, batch_size=16, verbose=0)
    assert model.traced == 3


def test_the_same_losses_as_the_symbolic_path(data):
    by_steps, plain = (
        Sequential([layers.Dense(4, activation="tanh", input_shape=(8,)), layers.Dense(1)]) for _ in "ab"
    )
    plain.set_weights(by_steps.get_weights())
    by_steps.compile(optimizers.RMSprop(0.01), "mse", metrics=["mae"], run_eagerly=True)
    plain.compile(optimizers.RMSprop(0.01), "mse", metrics=["mae"])
    histories = [m.fit(*data, epochs=2, batch_size=16, shuffle=False, verbose=0).history for m in (by_steps, plain)]
    for name in ("loss", "mae"):
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-5)


def test_weights_of_samples_and_classes(data):
    x, y = data
    factors = np.where(y[:, 0] > 0, 3.0, 1.0)
    losses_seen = []
    for options in ({"class_weight": {0: 1.0, 1: 3.0}}, {"sample_weight": factors}):
        np.random.seed(1)
        model = Subclassed("sigmoid")
        model.compile("sgd", "binary_crossentropy")
        losses_seen.append(model.fit(x, y, shuffle=False, verbose=0, **options).history["loss"])
    np.testing.assert_allclose(*losses_seen, rtol=1e-5)


def test_dicts_go_in_and_out(data):
    class Named(Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, inputs, training=False):
            return {"out": self.dense(inputs["a"] + inputs["b"])}

    x, y = data
    model = Named()
    model.compile("adam", {"out": "mse"}, metrics={"out": "mae"})
    history = model.fit({"a": x, "b": x}, {"out": y}, verbose=0).history
    assert set(history) == {"loss", "mae"}
    assert model.predict({"a": x, "b": x})["out"].shape == (48, 1)


def test_generators_and_sequences(data):
    x, y = data

    class Batches(Sequence):
        ended = 0

        def __len__(self):
            return 3

        def __getitem__(self, i):
            return x[16 * i : 16 * i + 16], y[16 * i : 16 * i + 16]

        def on_epoch_end(self):
            self.ended += 1

    def endless():
        while True:
            yield x[:8], y[:8]

    model = Subclassed()
    model.compile("sgd", "mse")
    batches = Batches()
    model.fit(batches, epochs=2, verbose=0)
    assert model.optimizer.iterations.numpy() == 6 and batches.ended == 2
    model.fit(endless(), steps_per_epoch=5, epochs=2, verbose=0)
    assert model.optimizer.iterations.numpy() == 16
    assert np.isfinite(model.evaluate(endless(), steps=2, verbose=0))


def test_callbacks_see_batches_and_stop_the_training(data):
    class Watch(callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.batches = []

        def on_train_batch_end(self, batch, logs=None):
            self.batches.append((batch, sorted(logs)))

        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    watch = Watch()
    model = OwnStep([layers.Dense(1, input_shape=(8,))])
    model.compile(optimizer="sgd")
    history = model.fit(*data, epochs=9, batch_size=24, verbose=0, callbacks=[watch])
    assert len(history.epoch) == 2
    assert watch.batches[0] == (0, ["batch", "loss", "mae", "size"]) and len(watch.batches) == 4


def test_on_single_batches(data):
    model = Subclassed()
    model.compile("sgd", "mse", metrics=["mae"])
    first = model.train_on_batch(*data)
    assert len(first) == 2 and model.test_on_batch(*data)[0] < first[0] * 10
    assert model.predict_on_batch(data[0]).shape == (48, 1)


def test_a_gan(rng):
    class Gan(Model):
        def __init__(self):
            super().__init__()
            self.generator = Sequential([layers.Dense(4, input_shape=(2,))])
            self.discriminator = Sequential([layers.Dense(1, input_shape=(4,))])

        def compile(self, d_optimizer, g_optimizer):
            super().compile()
            self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

        def train_step(self, real):
            noise = K.random_normal((K.shape(real)[0], 2))
            with GradientTape() as tape:
                d_loss = K.mean(self.discriminator(self.generator(noise))) - K.mean(self.discriminator(real))
            weights = self.discriminator.trainable_weights
            self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights))
            with GradientTape() as tape:
                g_loss = -K.mean(self.discriminator(self.generator(noise)))
            weights = self.generator.trainable_weights
            self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights))
            return {"d_loss": d_loss, "g_loss": g_loss}

    gan = Gan()
    gan.compile(optimizers.Adam(0.01), optimizers.Adam(0.01))
    history = gan.fit(rng.rand(32, 4).astype("float32"), epochs=2, batch_size=8, verbose=0).history
    assert set(history) == {"d_loss", "g_loss"}
    assert gan.d_optimizer.iterations.numpy() == gan.g_optimizer.iterations.numpy() == 8


@pytest.mark.parametrize("logs", [None, 1.0])
def test_a_step_that_reports_nothing_is_named(data, logs):
    class Silent(Subclassed):
        def train_step(self, data):
            return logs

    model = Silent()
    model.compile("sgd", "mse")
    with pytest.raises((TypeError, ValueError)):
        model.fit(*data, verbose=0)


def test_a_model_that_is_not_compiled(data):
    with pytest.raises(RuntimeError, match="compile"):
        Subclassed().fit(*data, verbose=0)
