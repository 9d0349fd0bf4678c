"""fit, evaluate and predict over ``tf.data``."""

import threading

import numpy as np
import pytest
from hornbeam.layers import Concatenate, Dense, Input
from hornbeam.models import Model, Sequential
from hornbeam.tf import NAMES as tf

Dataset = tf["data.Dataset"]
X = np.random.RandomState(0).normal(size=(10, 2)).astype("float32")
Y = X.sum(1, keepdims=True)


def model():
    net = Sequential([Dense(1, kernel_initializer="ones", input_shape=(2,))])
    net.compile("sgd", "mse", metrics=["mae"])
    return net


@pytest.fixture(params=["graph", "eager"])
def mode(request):
    if request.param == "eager":
        request.getfixturevalue("eager")


@pytest.mark.usefixtures("mode")
def test_training_is_that_on_the_same_arrays():
    first, second = model(), model()
    history = first.fit(Dataset.from_tensor_slices((X, Y)).batch(4), epochs=3, verbose=0)
    wanted = second.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0)
    for name in wanted.history:
        np.testing.assert_allclose(history.history[name], wanted.history[name], rtol=1e-5)
    data = Dataset.from_tensor_slices((X, Y)).batch(4)
    np.testing.assert_allclose(first.evaluate(data, verbose=0), second.evaluate(X, Y, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(first.predict(data), second.predict(X), rtol=1e-6)
    np.testing.assert_allclose(first.predict(Dataset.from_tensor_slices(X).batch(3)), second.predict(X), rtol=1e-6)


@pytest.mark.usefixtures("mode")
def test_validation_sets_and_steps():
    data = Dataset.from_tensor_slices((X, Y)).batch(2)
    history = model().fit(data, epochs=2, validation_data=data.take(2), verbose=0)
    assert len(history.history["val_loss"]) == 2
    assert "val_mae" in model().fit(X, Y, validation_data=data, verbose=0).history
    assert "val_mae" in model().fit(data, validation_data=(X, Y), verbose=0).history
    history = model().fit(
        data.repeat(), steps_per_epoch=3, epochs=2, validation_data=data.repeat(), validation_steps=2, verbose=0
    )
    assert len(history.history["loss"]) == 2


def test_an_epoch_of_steps_goes_on_where_the_last_one_ended():
    seen = []

    def make():
        for i in range(12):
            seen.append(i)
            yield X[i % 10][None], Y[i % 10][None]

    spec = (tf["TensorSpec"]((1, 2)), tf["TensorSpec"]((1, 1)))
    data = Dataset.from_generator(make, output_signature=spec)
    with pytest.warns(UserWarning, match="ran out of data after 2 of 5"):
        history = model().fit(data, steps_per_epoch=5, epochs=4, verbose=0)
    assert len(history.history["loss"]) == 3 and seen == list(range(12))


def test_infinite_data_needs_steps():
    with pytest.raises(ValueError, match="needs the number of steps"):
        model().fit(Dataset.from_tensor_slices((X, Y)).batch(2).repeat(), verbose=0)


def test_arguments_that_a_data_set_says_itself():
    data = Dataset.from_tensor_slices((X, Y)).batch(2)
    for arguments in ({"y": Y}, {"batch_size": 2}, {"sample_weight": np.ones(10)}):
        with pytest.raises(ValueError, match=f"`{next(iter(arguments))}` must not be given"):
            model().fit(data, **arguments)


def test_elements_that_are_not_batches():
    with pytest.raises(ValueError, match=r"call `\.batch"):
        model().fit(Dataset.from_tensor_slices((np.ones(3, "f"), np.ones(3, "f"))), verbose=0)


def test_inputs_by_name_and_several_outputs():
    a, b = Input((2,), name="a"), Input((1,), name="b")
    net = Model([a, b], [Dense(1, name="p")(Concatenate()([a, b])), Dense(1, name="q")(a)])
    net.compile("sgd", "mse")
    data = Dataset.from_tensor_slices(({"b": Y, "a": X}, {"p": Y, "q": Y})).batch(5)
    assert set(net.fit(data, verbose=0).history) == {"loss", "p_loss", "q_loss"}
    assert [p.shape for p in net.predict(data)] == [(10, 1)] * 2
    by_order = Dataset.from_tensor_slices(((X, Y), (Y, Y))).batch(5)
    np.testing.assert_allclose(net.evaluate(data, verbose=0), net.evaluate(by_order, verbose=0))


def test_sample_and_class_weights():
    weights = np.linspace(0, 1, 10).astype("float32")
    first, second = model(), model()
    first.fit(Dataset.from_tensor_slices((X, Y, weights)).batch(5), verbose=0)
    second.fit(X, Y, sample_weight=weights, batch_size=5, shuffle=False, verbose=0)
    np.testing.assert_allclose(first.get_weights()[0], second.get_weights()[0], rtol=1e-6)
    labels = (Y > 0).astype("int32")
    first.fit(Dataset.from_tensor_slices((X, labels)).batch(5), class_weight={0: 1.0, 1: 3.0}, verbose=0)
    second.fit(X, labels, class_weight={0: 1.0, 1: 3.0}, batch_size=5, shuffle=False, verbose=0)
    np.testing.assert_allclose(first.get_weights()[0], second.get_weights()[0], rtol=1e-6)


def test_threads_end_with_the_fit():
    before = threading.active_count()
    model().fit(Dataset.from_tensor_slices((X, Y)).batch(2).repeat(), steps_per_epoch=2, verbose=0)
    assert threading.active_count() == before


@pytest.mark.usefixtures("eager")
def test_eager_tensors_are_arrays():
    net = model()
    x, y = tf["constant"](X), tf["constant"](Y)
    net.fit(x, y, batch_size=5, verbose=0)
    np.testing.assert_array_equal(net.predict(x), net.predict(X))
    assert net.evaluate(x, y, verbose=0) == net.evaluate(X, Y, verbose=0)


def test_class_numbers_of_each_step_need_no_last_axis(tf2):
    net = Sequential([Dense(3, activation="softmax", input_shape=(4, 2))])
    net.compile("sgd", "sparse_categorical_crossentropy")
    x, y = np.ones((2, 4, 2), "f"), np.arange(8).reshape(2, 4) % 3
    assert net.test_on_batch(x, y) == net.test_on_batch(x, y[..., None])
