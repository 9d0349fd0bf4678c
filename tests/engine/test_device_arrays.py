"""Arrays that stay in a device's memory, and those that other libraries have there."""

import gc

import hornbeam
import numpy as np
import pytest
from dlpack import Foreign, Taken
from hornbeam import DeviceArray, _core, layers, models
from hornbeam import backend as K
from hornbeam import graph as G

DEVICES = [name for name, _ in _core.devices()[1:]]
pytestmark = [
    pytest.mark.skipif(not DEVICES, reason="this system has no device for tests"),
    pytest.mark.host_only(reason="each test names its devices"),
]


@pytest.fixture(params=DEVICES)
def device(request):
    with hornbeam.device(request.param):
        yield request.param


@pytest.fixture
def x(rng):
    return rng.normal(size=(6, 4)).astype("float32")


def network(**compiled):
    model = models.Sequential([layers.Dense(5, "tanh", input_shape=(4,)), layers.Dense(1)])
    model.compile(**{"optimizer": "sgd", "loss": "mse", **compiled})
    return model


def twice(device_or_cpu, train):
    """What training gives from the same weights, in turn on the CPU and on a device."""
    model, results = network(), []
    start = model.get_weights()
    for name in ("cpu", device_or_cpu):
        model = network()
        model.set_weights(start)
        with hornbeam.device(name):
            train(model, DeviceArray if name != "cpu" else np.asarray)
        results.append(model.get_weights())
    return results


def close(a, b):
    for one, other in zip(a, b, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)


# ---- results ----
def test_results_stay_on_the_device(device, x):
    model = network()
    want = model.predict_on_batch(x)
    for _ in range(3):  # where runs are recorded, the last is played
        got = model.predict_on_batch(x, on_device=True)
    assert (type(got), got.device, got.shape, got.dtype) == (DeviceArray, device, (6, 1), np.float32)
    assert (got.ndim, got.nbytes, len(got)) == (2, 24, 6) and "float32, shape (6, 1)" in repr(got)
    np.testing.assert_array_equal(np.asarray(got), want)
    np.testing.assert_array_equal(np.asarray(got, "float64"), want.astype("float64"))
    other = model.predict_on_batch(x + 1, on_device=True)
    np.testing.assert_array_equal(np.asarray(got), want)
    assert not np.array_equal(np.asarray(other), want)


def test_on_the_cpu_results_are_numpys(x):
    model = network()
    with hornbeam.device("cpu"):
        got = model.predict_on_batch(x, on_device=True)
    assert type(got) is np.ndarray
    with hornbeam.device("cpu"), pytest.raises(ValueError, match="the CPU, whose arrays are NumPy's"):
        DeviceArray(x)


def test_results_are_the_next_models_inputs(device, x):
    first, second = network(), models.Sequential([layers.Dense(3, input_shape=(1,))])
    want = second.predict(first.predict(x))
    np.testing.assert_array_equal(second.predict_on_batch(first.predict_on_batch(DeviceArray(x), on_device=True)), want)


def test_several_inputs_and_results_some_of_which_are_there(device, rng):
    a, b, c = (K.placeholder((None, n)) for n in (3, 33, 2))
    f = G.Function([a, b, c], [K.sum(a) + K.sum(b) * 2, c + 1, K.random_normal((2,), seed=1)], counter=G.RunCounter())
    arrays = [rng.normal(size=(4, n)).astype("float32") for n in (3, 33, 2)]
    sums, seen = arrays[0].sum() + 2 * arrays[1].sum(), []
    for there in np.ndindex(2, 2, 2):
        feeds = [DeviceArray(x) if is_there else x for x, is_there in zip(arrays, there, strict=True)]
        total, more, random = (np.asarray(r) for r in f.run_there(feeds))
        np.testing.assert_allclose(total, sums, rtol=1e-4)
        np.testing.assert_array_equal(more, arrays[2] + 1)
        seen.append(random.tobytes())
    assert len(set(seen)) == 8  # the run's number goes along


# ---- inputs ----
def test_a_device_array_is_what_it_is_made_of(device, x):
    for value in (x, x[::-1, ::2], x.astype("float16"), np.arange(5), x > 0, np.zeros((0, 3)), np.float64(2), [1.5, 2]):
        array = DeviceArray(value)
        np.testing.assert_array_equal(np.asarray(array), value)
        assert array.dtype == np.asarray(value).dtype and array.shape == np.shape(value)
    array = DeviceArray(x)
    for rows in (slice(2, 5), slice(None, None, 2), slice(None, None, -1), slice(4, 2)):
        np.testing.assert_array_equal(np.asarray(array[rows]), x[rows])
        np.testing.assert_array_equal(
            np.asarray(DeviceArray(x[:, 0].copy())[rows].reshape((len(x[rows]), 1))), x[rows, :1]
        )
    np.testing.assert_array_equal(np.asarray(array.reshape((2, 12))), x.reshape(2, 12))
    with pytest.raises(ValueError, match="cannot have shape"):
        array.reshape((5, 5))
    with pytest.raises(ValueError, match="not NumPy's without a copy"):
        array.__array__(copy=False)
    np.testing.assert_array_equal(K.get_value(K.variable(array)), x)


def test_inputs_that_are_not_as_the_program_wants_them(device, x):
    """Other dtypes and gaps go by way of the host."""
    model = network()
    want = model.predict(x)
    for value, part in ((x.astype("float64"), slice(None)), (np.repeat(x, 2, axis=0), slice(None, None, 2))):
        np.testing.assert_allclose(model.predict_on_batch(DeviceArray(value)[part]), want, rtol=1e-5)


def test_models_train_and_predict_on_them(device, rng, x):
    y = rng.normal(size=6).astype("float32")

    def by_batch(model, array):
        for _ in range(3):
            model.train_on_batch(array(x), array(y))
        model.test_on_batch(array(x), array(y))

    def shuffled(model, array):
        np.random.seed(1)
        model.fit(array(x), array(y), batch_size=2, epochs=2, verbose=0)

    def in_order(model, array):
        model.fit(array(x), array(y), batch_size=4, epochs=2, verbose=0, shuffle=False, validation_split=0.4)
        want = model.predict(x), model.evaluate(x, y, verbose=0)
        close(want, (model.predict(array(x), batch_size=4), model.evaluate(array(x), array(y), verbose=0)))

    for train in (by_batch, shuffled, in_order):
        close(*twice(device, train))


def test_they_go_to_whatever_device_runs(device, x):
    model, array = network(), DeviceArray(x)
    for name in ("cpu", *DEVICES):
        with hornbeam.device(name):
            close([model.predict_on_batch(array)], [model.predict(x)])


# ---- other libraries ----
def test_dlpack_says_what_there_is_and_keeps_it(device, x):
    array = DeviceArray(x)[1:]
    taken = Taken(array.__dlpack__())
    assert taken.device == array.__dlpack_device__() and taken.device[0] not in (1, 3)
    assert (taken.shape, taken.strides, taken.dtype) == ((5, 4), (4, 1), (2, 32, 1))
    other = Taken(DeviceArray(np.array([True, False]))[::-1].__dlpack__(stream=-1, max_version=(1, 0)))
    assert (other.shape, other.strides, other.dtype) == ((2,), (-1,), (6, 8, 1))
    other.release()
    array.__dlpack__()  # nobody takes it
    again = Taken(array.__dlpack__(dl_device=taken.device, copy=False))
    assert again.address == taken.address
    again.release()
    del array
    gc.collect()
    fresh = [DeviceArray(x) for _ in range(20)]
    assert taken.address not in [Taken(a.__dlpack__()).address for a in fresh]
    taken.release()


def test_dlpack_refuses_what_would_be_a_copy(device, x):
    array = DeviceArray(x)
    with pytest.raises(BufferError):
        array.__dlpack__(copy=True)
    with pytest.raises(BufferError, match="stays on the device"):
        array.__dlpack__(dl_device=(1, 0))


def test_arrays_of_other_libraries_are_read_where_they_lie(device, x):
    model, ours = network(), DeviceArray(x)
    theirs = Foreign(ours)
    address = Taken(ours.__dlpack__()).address
    assert Taken(DeviceArray(theirs).__dlpack__()).address == address
    want = model.predict(x)
    for value in (theirs, [theirs], {model.input_names[0]: theirs}):
        np.testing.assert_array_equal(model.predict_on_batch(value), want)
    np.testing.assert_array_equal(model.predict(theirs, batch_size=4), model.predict(x, batch_size=4))
    f = K.function(model.inputs, model.outputs)
    np.testing.assert_array_equal(f([theirs])[0], want)
    assert theirs.asked and all(options in ({}, {"stream": -1}) for options in theirs.asked)
    y = Foreign(DeviceArray(x[:, 0].copy()))
    assert np.isfinite(model.train_on_batch(theirs, y)) and np.isfinite(model.fit(theirs, y, verbose=0).history["loss"])


def test_a_model_is_built_on_them(device, x):
    for value in (DeviceArray(x), Foreign(DeviceArray(x)), Foreign(x)):
        model = models.Sequential([layers.Dense(2)])
        model.compile("sgd", "mse")
        assert np.isfinite(model.train_on_batch(value, np.zeros((6, 2)))) and model.input_shape == (None, 4)


def test_an_array_on_a_device_that_is_not_there(x):
    model = network()
    lost = Foreign(x, device=(2, 77))
    with pytest.raises(TypeError, match=r"Foreign'> lies on a device.*number 77.*Copy it to the CPU"):
        model.predict_on_batch(lost)


def test_cudas_interface(x):
    """Of GPUs and the simulated one alone."""

    class Interface:
        def __init__(self, array):
            self.__cuda_array_interface__ = array.__cuda_array_interface__
            self.shape, self.dtype, self._array = array.shape, array.dtype, array

    for name in DEVICES:
        with hornbeam.device(name):
            array = DeviceArray(x)[::2]
            if name.partition(":")[0] not in ("cuda", "sim"):
                assert not hasattr(array, "__cuda_array_interface__")
                continue
            said = array.__cuda_array_interface__
            assert said["data"] == (Taken(array.__dlpack__()).address, False) and said["version"] == 3
            assert (said["shape"], said["strides"], said["typestr"]) == ((3, 4), (32, 4), "<f4")
            np.testing.assert_array_equal(np.asarray(DeviceArray(Interface(array))), x[::2])
            model = network()
            np.testing.assert_array_equal(model.predict_on_batch(Interface(array)), model.predict(x[::2].copy()))


# ---- on the CPU ----
def test_arrays_of_other_libraries_in_the_hosts_memory_are_read_there(x):
    assert np.shares_memory(G.where_it_lies(Foreign(x)), x)
    model = network()
    with hornbeam.device("cpu"):
        (fed,), _, _ = model._standardize_user_data(Foreign(x))
        assert type(fed) is np.ndarray and np.shares_memory(fed, x)
        np.testing.assert_array_equal(model.predict(Foreign(x)), model.predict(x))
