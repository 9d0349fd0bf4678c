"""Weights, the optimizer's state and the counters are read and written as one state, whatever runs beside."""

import contextlib
import copy
import pickle
import threading
import tracemalloc

import h5py
import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import LSTM, Bidirectional, Dense, Dropout, Input
from hornbeam.models import Model, Sequential, load_model

X = np.ones((8, 4), "float32")
Y = [np.full((8, n), -1e9, "float32") for n in (1, 1, 4)]  # so far below that the mean error's slope is 1


@contextlib.contextmanager
def beside(*tasks):
    """Inside the block other threads go on with each task; gives the list of their errors, which are raised at its end."""
    stop, failed = threading.Event(), []

    def work(task):
        try:
            while not stop.is_set():
                task()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        yield failed
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failed:
        raise failed[0]


def counting_model(optimizer=None):
    """After k training steps both kernels are full of -k, and k numbers of random runs are used up."""
    inputs = Input((4,))
    ends = [Dense(1, use_bias=False, kernel_initializer="zeros", name=f"end_{i}")(inputs) for i in range(2)]
    model = Model(inputs, [*ends, Dropout(0.5)(inputs)])
    model.compile(optimizer or keras.optimizers.SGD(1.0, momentum=0.0), "mae")
    model.train_on_batch(X, Y)
    return model


def steps_of(model, weights=None):
    """The k of a model's weights, which have to agree."""
    weights = model.get_weights() if weights is None else weights
    values = np.concatenate([w.ravel() for w in weights])
    assert values.min() == values.max(), values
    return -values[0]


@pytest.fixture
def training():
    model = counting_model()
    step = lambda: model.train_on_batch(X, Y)  # noqa: E731
    with beside(step, step):
        yield model


class TestReading:
    def test_weights(self, training):
        for _ in range(300):
            steps_of(training)
            steps_of(training, K.batch_get_value(training.weights))

    def test_weights_with_the_optimizer(self, training):
        for _ in range(300):
            steps, kernel = K.batch_get_value([training.optimizer.iterations, training.weights[0]])
            assert steps == steps_of(training, [kernel])

    @pytest.mark.parametrize("name", ["model.h5", "model.keras"])
    def test_saved_models(self, training, tmp_path, name):
        for i in range(12):
            path = str(tmp_path / f"{i}{name}")
            training.save(path)
            loaded = load_model(path)
            steps = steps_of(loaded)
            assert loaded.optimizer.get_weights()[0] == loaded._run_counter.value == steps > 0

    def test_the_learning_rate_of_saved_models(self, tmp_path):
        model, steps = counting_model(), [1]

        def step():
            steps[0] += 1
            K.set_value(model.optimizer.lr, steps[0] % 1000)
            model.train_on_batch(X, Y)

        step()
        with beside(step):
            for i in range(20):
                path = str(tmp_path / ("model.keras" if i % 2 else "model.h5"))
                model.save(path)
                loaded = load_model(path)
                rate, done = K.get_value(loaded.optimizer.lr), loaded.optimizer.get_weights()[0]
                assert rate in (done % 1000, (done + 1) % 1000)

    def test_saved_weights(self, training, tmp_path):
        for _ in range(20):
            training.save_weights(str(tmp_path / "weights.h5"))
            with h5py.File(tmp_path / "weights.h5") as file:
                steps_of(None, [file[f"end_{i}/end_{i}/kernel:0"][()] for i in range(2)])

    def test_samples_saved_along(self, training, tmp_path):
        for _ in range(10):
            training.save(str(tmp_path / "model.h5"), sample=X)
            load_model(str(tmp_path / "model.h5"), verify=True)

    def test_copies(self, training):
        for _ in range(4):
            for duplicate in (copy.deepcopy(training), pickle.loads(pickle.dumps(training))):
                assert duplicate.optimizer.get_weights()[0] == steps_of(duplicate)

    def test_bidirectional_layers(self):
        layer = Bidirectional(LSTM(3))
        Sequential([layer]).build((None, 5, 2))
        shapes = [w.shape for w in layer.get_weights()]
        counter = [0]

        def write():
            layer.set_weights([np.full(shape, counter[0]) for shape in shapes])
            counter[0] += 1

        write()
        with beside(write):
            for _ in range(200):
                steps_of(None, layer.get_weights())
        assert counter[0] > 1

    def test_no_value_is_copied_twice(self):
        model = Sequential([Dense(1000, input_shape=(2000,), use_bias=False) for _ in range(2)])
        weights = model.get_weights()  # 12 MB
        tracemalloc.start()
        read = model.get_weights()
        assert tracemalloc.get_traced_memory()[1] < 13e6
        tracemalloc.reset_peak()
        model.set_weights(weights)
        assert tracemalloc.get_traced_memory()[1] < 13e6
        tracemalloc.stop()
        assert sum(w.nbytes for w in read) == 12e6

    def test_initial_values_are_made_once(self):
        for seed in range(20):
            weight = keras.layers.Layer().add_weight("w", (100,), initializer="glorot_uniform")
            start, seen = threading.Barrier(6), []

            def read(weight=weight, start=start, seen=seen):
                start.wait()
                seen.append(K.get_value(weight))

            threads = [threading.Thread(target=read) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert np.ptp(seen, axis=0).max() == 0 and np.ptp(seen[0]) > 0, seed

    def test_a_first_value_does_not_replace_one_that_was_set(self):
        begun, go_on = threading.Event(), threading.Event()

        def initial():
            begun.set()
            assert go_on.wait(60)
            return np.zeros(3)

        variable = keras.graph.Variable(initial, shape=(3,))
        with beside(lambda: variable.get_value()):
            assert begun.wait(60)
            variable.set_value(np.ones(3))
            go_on.set()
        np.testing.assert_array_equal(variable.get_value(), 1)


class TestWriting:
    def check(self, model, write):
        """Predictions while ``write(k)`` sets all weights to k."""
        counter = [0]

        def task():
            write(counter[0] % 100)
            counter[0] += 1

        task()
        with beside(task) as failed:
            predictions = 0
            while not failed and (predictions < 300 or counter[0] < 10):
                a, b = model.predict_on_batch(X)[:2]
                assert np.array_equal(a, b)
                steps_of(model)
                predictions += 1

    def test_weights(self):
        model = counting_model()
        self.check(model, lambda k: model.set_weights([np.full((4, 1), k)] * 2))
        self.check(model, lambda k: K.batch_set_value([(w, np.full((4, 1), float(k))) for w in model.weights]))

    @pytest.mark.parametrize("by_name", [False, True])
    @pytest.mark.parametrize("whole", [False, True])
    def test_loaded_weights(self, tmp_path, by_name, whole):
        model = counting_model()
        for k in range(2):
            model.set_weights([np.full((4, 1), k)] * 2)
            (model.save if whole else model.save_weights)(str(tmp_path / f"{k}.h5"))
        self.check(model, lambda k: model.load_weights(str(tmp_path / f"{k % 2}.h5"), by_name=by_name))

    def test_loaded_weights_of_zip_files(self, tmp_path):
        model = counting_model()
        for k in range(2):
            model.set_weights([np.full((4, 1), k)] * 2)
            model.save(str(tmp_path / f"{k}.keras"))
        self.check(model, lambda k: model.load_weights(str(tmp_path / f"{k % 2}.keras")))

    def test_the_optimizer(self):
        model = counting_model(keras.optimizers.Adam())
        shapes = [w.shape for w in model.optimizer.get_weights()]
        counter = [0]

        def write():
            counter[0] += 1
            model.optimizer.set_weights([np.full(shape, counter[0] % 100) for shape in shapes])

        write()
        with beside(write):
            for _ in range(300):
                steps_of(None, model.optimizer.get_weights())

    def test_states_of_recurrent_layers(self):
        layer = LSTM(3, stateful=True)
        Sequential([layer]).build((2, 4, 1))
        layer.reset_states()
        flip = [0]

        def write():
            flip[0] = 1 - flip[0]
            layer.reset_states([np.full((2, 3), float(flip[0]))] * 2)

        with beside(write):
            for _ in range(300):
                steps_of(None, K.batch_get_value(layer.states))

    def test_a_variable_may_be_named_twice(self):
        v = K.variable(np.zeros(3))
        K.batch_set_value([(v, np.ones(3)), (v, np.full(3, 2.0))])
        first, second = K.batch_get_value([v, v])
        assert first is not second
        np.testing.assert_array_equal([first, second], 2)

    @pytest.mark.parametrize("wrong", [np.ones(3), "words", np.array(["a", "b"])])
    def test_values_that_do_not_fit_change_nothing(self, wrong):
        a, b = K.variable(np.zeros(3)), K.variable(np.zeros(2))
        with pytest.raises((ValueError, TypeError)):
            K.batch_set_value([(a, np.ones(3)), (b, wrong)])
        np.testing.assert_array_equal(K.get_value(a), 0)


class TestFilesThatDoNotFit:
    def model(self):
        return Sequential([Dense(3, input_shape=(3,)), Dense(3), Dense(3), Dense(3)])

    def check(self, model, path, **kwargs):
        before = model.get_weights()
        with pytest.raises((ValueError, OSError)):
            model.load_weights(path, **kwargs)
        for old, new in zip(before, model.get_weights()):
            np.testing.assert_array_equal(old, new)

    @pytest.mark.parametrize("by_name", [False, True])
    def test_the_fifth_weight_has_another_shape(self, tmp_path, by_name):
        path, model = str(tmp_path / "weights.h5"), self.model()
        model.save_weights(path)
        model.set_weights([w + 1 for w in model.get_weights()])
        with h5py.File(path, "r+") as file:
            layer = model.layers[2].name
            name = f"{layer}/{file[layer].attrs['weight_names'].astype(str)[0]}"
            value = file[name][:2]
            del file[name]
            file[name] = value
        self.check(model, path, by_name=by_name)

    def test_so_it_is_in_a_zip_file(self, tmp_path):
        other = Sequential([Dense(3, input_shape=(3,)), Dense(3), Dense(4), Dense(3)])
        other.save(str(tmp_path / "model.keras"))
        self.check(self.model(), str(tmp_path / "model.keras"))
