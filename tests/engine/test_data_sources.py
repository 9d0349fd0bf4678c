"""What training takes as data besides arrays: tensors, sparse matrices, nothing at all, generators that end."""

import json
import threading

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.callbacks import Callback, LambdaCallback
from hornbeam.layers import Dense, Dropout, Input
from hornbeam.metrics import Mean
from hornbeam.models import Model, Sequential
from hornbeam.optimizers import SGD
from hornbeam.utils import Sequence

from .models import data, mlp, two_in_two_out


def linear():
    model = Sequential([Dense(2, input_shape=(3,))])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


class TestTensors:
    x, y = np.random.RandomState(0).rand(10, 3), np.random.RandomState(1).rand(10, 2)

    def test_they_train_as_their_values_do(self):
        by_array, by_tensor = linear(), linear()
        by_tensor.set_weights(by_array.get_weights())
        x, y = K.constant(self.x), K.constant(self.y)
        by_array.fit(self.x, self.y, epochs=2, batch_size=10, shuffle=False, verbose=0)
        by_tensor.fit(x, y, epochs=2, steps_per_epoch=1, verbose=0, validation_data=(x, y), validation_steps=2)
        for got, want in zip(by_tensor.get_weights(), by_array.get_weights()):
            assert np.array_equal(got, want)
        assert by_tensor.predict(x, steps=3).shape == (30, 2)
        np.testing.assert_allclose(by_tensor.evaluate(x, y, steps=2), by_array.evaluate(self.x, self.y), rtol=1e-6)
        assert np.array_equal(by_tensor.predict_on_batch(x), by_array.predict_on_batch(self.x))
        by_tensor.reset_metrics()
        by_array.reset_metrics()
        assert by_tensor.train_on_batch(x, y) == by_array.train_on_batch(self.x, self.y)

    def test_random_ones_are_drawn_anew_at_each_step(self):
        x = K.random_uniform((10, 3))
        a, b = np.split(linear().predict(x, steps=2), 2)
        assert not np.array_equal(a, b)

    def test_steps_are_asked_for(self):
        x, y = K.constant(self.x), K.constant(self.y)
        for call in (
            lambda: linear().fit(x, y, batch_size=5, verbose=0),
            lambda: linear().evaluate(x, y),
            lambda: linear().predict(x),
        ):
            with pytest.raises(ValueError, match="should specify the `steps"):
                call()
        with pytest.raises(ValueError, match="cannot use `validation_split`"):
            linear().fit(x, y, steps_per_epoch=2, validation_split=0.2, verbose=0)
        with pytest.raises(ValueError, match="Must specify `validation_steps`"):
            linear().fit(x, y, steps_per_epoch=2, validation_data=(x, y), verbose=0)


def test_models_that_feed_themselves():
    x = Input(tensor=K.variable(np.random.rand(10, 3)))
    hidden = Dropout(0.5)(Dense(4)(x))
    model = Model(x, hidden)
    model.add_loss(K.mean(hidden))
    with pytest.warns(UserWarning, match="missing from loss dictionary"):
        model.compile("rmsprop", loss=None)

    def nothing():
        while True:
            yield None, None

    history = model.fit_generator(nothing(), steps_per_epoch=3, epochs=2, verbose=0).history
    assert len(history["loss"]) == 2 and np.isfinite(history["loss"]).all()
    assert np.isfinite(model.evaluate_generator(nothing(), steps=3))
    assert model.predict(None, steps=3).shape == (30, 4)


def test_sparse_matrices():
    scipy_sparse = pytest.importorskip("scipy.sparse")
    dense = np.random.RandomState(0).rand(20, 3) * (np.random.RandomState(1).rand(20, 3) > 0.5)
    sparse, y = scipy_sparse.csr_matrix(dense), np.random.RandomState(2).rand(20, 2)
    a, b = linear(), linear()
    b.set_weights(a.get_weights())
    for model, x in ((a, dense), (b, sparse)):
        np.random.seed(0)
        model.fit(x, y, epochs=2, batch_size=8, verbose=0)
    np.testing.assert_array_equal(a.get_weights()[0], b.get_weights()[0])
    np.testing.assert_array_equal(a.predict(dense), b.predict(sparse))
    assert a.test_on_batch(dense, y) == b.test_on_batch(sparse, y)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_generator_that_ends(workers):
    x, y = data()
    batches = ((x[i : i + 5], y[i : i + 5]) for i in range(0, 20, 5))
    with pytest.raises(ValueError, match="ended after 1 of 3 batches"):
        mlp().fit_generator(batches, steps_per_epoch=3, epochs=2, verbose=0, workers=workers)


@pytest.mark.parametrize("watched", [False, True])
def test_metrics_of_a_model_that_a_generator_builds(watched):
    x, y = np.random.RandomState(0).rand(8, 4), np.ones((8, 1))
    batches = iter([(x, y)] * 3)
    model = Sequential([Dense(1, kernel_initializer="ones")])
    model.compile(SGD(0.0), "mse", metrics=["mae"])
    callbacks = [LambdaCallback(on_batch_end=lambda batch, logs: None)] if watched else []
    history = model.fit_generator(batches, 3, verbose=0, workers=0, callbacks=callbacks).history
    np.testing.assert_allclose(history["mae"], np.abs(x.sum(axis=1) - 1).mean(), rtol=1e-6)
    assert list(history) == ["loss", "mae"]


@pytest.mark.parametrize("built", [False, True])
def test_validation_data_beside_a_generator_are_standardized_once(built, monkeypatch):
    x, y = data()
    model = Sequential([Dense(3, activation="softmax", **({"input_shape": (4,)} if built else {}))])
    model.compile("sgd", "categorical_crossentropy", metrics=["acc"])
    seen = []
    standardize = Model._standardize_user_data

    def count(self, x, *args, **kwargs):
        seen.append(len(x))
        return standardize(self, x, *args, **kwargs)

    monkeypatch.setattr(Model, "_standardize_user_data", count)
    batches = iter([(x[:7], y[:7])] * 6)
    history = model.fit_generator(
        batches, 2, epochs=3, verbose=0, workers=0, validation_data=(x, y, np.ones(len(x)))
    ).history
    assert sorted(seen) == [7] * 6 + [len(x)]
    np.testing.assert_allclose(history["val_loss"][-1], model.evaluate(x, y, verbose=0)[0], rtol=1e-6)


def test_steps_may_be_a_quotient():
    x, y = data()
    taken = []

    def forever():
        while True:
            taken.append(1)
            yield x[:8], y[:8]

    model = mlp()
    model.fit_generator(forever(), steps_per_epoch=len(x) / 8, epochs=2, verbose=0, workers=0)
    assert len(taken) == 6  # three batches hold 20 samples
    assert model.predict_generator(forever(), steps=len(x) / 8, workers=0).shape == (24, 3)


def test_batches_are_made_while_the_model_trains():
    x, y = data()
    third = threading.Event()

    def batches():
        for number in range(1, 4):
            if number == 3:
                third.set()
            yield x, y

    class Wait(Callback):
        def on_batch_end(self, batch, logs=None):
            assert third.wait(60)  # at the end of the first batch already, which nothing but another thread can do

    mlp().fit_generator(batches(), steps_per_epoch=3, verbose=0, callbacks=[Wait()])


def test_evaluation_tells_callbacks_its_metrics_and_gives_plain_numbers():
    seen = []

    class Look(Callback):
        def on_test_begin(self, logs=None):
            seen.append(self.params["metrics"])

    x, y = data()
    model = mlp(metrics=["accuracy"])

    def forever():
        while True:
            yield x, y

    for values in (
        model.evaluate(x, y, verbose=0, callbacks=[Look()]),
        model.evaluate_generator(forever(), steps=2, callbacks=[Look()]),
    ):
        json.dumps(values)
    assert seen == [["loss", "accuracy"]] * 2


@pytest.mark.parametrize("workers", [0, 1])
def test_a_sequence_that_changes_its_length(workers):
    class Shrinking(Sequence):
        size = 4

        def __len__(self):
            return -(-20 // self.size)

        def __getitem__(self, index):
            rows = slice(index * self.size, (index + 1) * self.size)
            return tuple(part[rows] for part in data())

        def on_epoch_end(self):
            self.size *= 2

    class Steps(Callback):
        def __init__(self):
            super().__init__()
            self.told = []

        def set_params(self, params):
            super().set_params(params)
            self.told.append(params["steps"])

    told = Steps()
    mlp().fit_generator(Shrinking(), epochs=3, workers=workers, max_queue_size=1, verbose=0, callbacks=[told])
    assert told.told[:3] == [5, 3, 2]


@pytest.mark.parametrize("batch, validated", [(1, True), (0, False)])
def test_validation_runs_after_a_complete_epoch_even_if_its_last_batch_says_stop(batch, validated):
    class StopAt(Callback):
        def __init__(self, batch):
            super().__init__()
            self.batch = batch

        def on_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == self.batch

    x, y = data()
    history = mlp().fit(x, y, batch_size=10, epochs=3, validation_data=(x, y), verbose=0, callbacks=[StopAt(batch)])
    assert len(history.history["loss"]) == 1
    assert ("val_loss" in history.history) == validated


class TestRefused:
    def test_weights_of_several_outputs_as_a_tuple(self):
        model = two_in_two_out()
        model.compile("sgd", "mse")
        x, weight = np.zeros((4, 4)), np.ones(4)
        with pytest.raises(TypeError, match="either a list or a dict"):
            model.train_on_batch([x, x], [x[:, :1], x[:, :2]], sample_weight=(weight, weight))
        with pytest.raises(TypeError, match="loss_weights"):
            model.compile("sgd", "mse", loss_weights=(0.5, 0.5))
        with pytest.raises(ValueError, match="passed a single tensor as `target_tensors`"):
            model.compile("sgd", "mse", target_tensors=K.placeholder((None, 1)))

    def test_two_added_metrics_of_one_name(self):
        class Twice(Model):
            def __init__(self):
                super().__init__()
                self.dense = Dense(3)
                self.first, self.second = Mean(name="same"), Mean(name="same")

            def call(self, x):
                self.add_metric(self.first(x), name="same")
                return self.dense(x)

        model = Twice()
        model.compile("sgd", "mse")
        with pytest.raises(ValueError, match='2 metrics with the name: "same"'):
            model.fit(*data(), verbose=0)


def test_a_network_knows_its_layers_losses():
    x = Input((2,))
    inner = Sequential([Dense(3, kernel_regularizer="l2", activity_regularizer="l1", input_shape=(2,))])
    model = Model(x, inner(x))
    assert len(model.losses) == 2
    assert len(model.get_losses_for(None)) == len(model.get_losses_for(x)) == 1


def test_arguments_of_a_subclass():
    class Stated(Model):
        def __init__(self):
            super().__init__(name="stated", dtype="float64", trainable=False)
            self.w = self.add_weight("w", (3, 2))
            self.told = []

        def call(self, x, training):
            self.told.append(training)
            return K.dot(x, self.w)

    model = Stated()
    assert model.w.dtype == "float64" and model.trainable_weights == [] and model.name == "stated"
    assert model.weights == [model.w]
    K.set_floatx("float64")
    try:
        assert model.predict(np.ones((5, 3))).shape == (5, 2) and model.told == [None]
    finally:
        K.set_floatx("float32")
    with pytest.raises(TypeError, match="takes `inputs` and `outputs`, or neither"):
        Model(units=3)


def test_outputs_of_a_model_with_dropout_use_the_learning_phase():
    a, b = Input((4,)), Input((4,))
    model = Model([a, b], [Dense(2)(a), Dropout(0.5)(b)])
    outputs = model([Input((4,)), Input((4,))])
    assert all(x._uses_learning_phase for x in outputs)
