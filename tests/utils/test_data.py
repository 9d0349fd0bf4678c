"""Sequences and generators through their enqueuers, HDF5 data, downloads."""

import functools
import hashlib
import io
import multiprocessing
import os
import random
import signal
import tarfile
import threading
import zipfile

import h5py
import hornbeam as keras
import numpy as np
import pytest
from hornbeam import utils
from hornbeam.callbacks import Callback
from hornbeam.layers import Dense
from hornbeam.models import Sequential
from hornbeam.preprocessing.sequence import TimeseriesGenerator
from hornbeam.utils import H5Dict, HDF5Matrix, enqueuers, get_file
from hornbeam.utils.data_utils import GeneratorEnqueuer, OrderedEnqueuer, Sequence, validate_file
from hornbeam.utils.downloads import _extract_archive

X, Y = np.random.RandomState(0).rand(24, 3).astype("float32"), np.random.RandomState(1).rand(24, 1).astype("float32")


class Batches(Sequence):
    def __init__(self, size=4):
        self.size = size
        self.epochs = 0

    def __len__(self):
        return len(X) // self.size

    def __getitem__(self, index):
        rows = slice(index * self.size, (index + 1) * self.size)
        return X[rows], Y[rows]

    def on_epoch_end(self):
        self.epochs += 1


def batches():
    while True:
        for index in range(6):
            yield X[4 * index : 4 * index + 4], Y[4 * index : 4 * index + 4]


def make_model():
    model = Sequential([Dense(1, input_shape=(3,))])
    model.compile("sgd", "mse", metrics=["mae"])
    return model


@pytest.fixture
def pair():
    """Two models with the same weights."""
    first, second = make_model(), make_model()
    second.set_weights(first.get_weights())
    return first, second


class TestEnqueuers:
    @pytest.mark.parametrize("workers, processes", [(1, False), (3, False), (2, True)])
    def test_a_sequence_comes_in_order(self, workers, processes):
        sequence = Batches()
        enqueuer = OrderedEnqueuer(sequence, use_multiprocessing=processes)
        enqueuer.start(workers=workers, max_queue_size=3)
        items = enqueuer.get()
        got = [next(items)[0] for _ in range(12)]
        enqueuer.stop()
        assert not enqueuer.is_running() and sequence.epochs >= 1
        assert all(np.array_equal(a, sequence[i % 6][0]) for i, a in enumerate(got))

    def test_errors_reach_the_reader(self):
        class Broken(Batches):
            def __getitem__(self, index):
                raise KeyError("no such file")

        enqueuer = OrderedEnqueuer(Broken())
        enqueuer.start()
        with pytest.raises(KeyError, match="no such file"):
            next(enqueuer.get())
        assert not enqueuer.is_running()

    @pytest.mark.parametrize("workers", [1, 3])
    def test_a_generator_is_used_up_once(self, workers):
        enqueuer = GeneratorEnqueuer(iter(range(20)))
        enqueuer.start(workers=workers)
        got = list(enqueuer.get())
        assert sorted(got) == list(range(20))

    @pytest.mark.parametrize("method", ["__len__", "on_epoch_end"])
    def test_errors_beside_the_batches_reach_the_reader(self, method):
        class Broken(Batches):
            pass

        def fail(self):
            raise KeyError("no such file")

        setattr(Broken, method, fail)
        enqueuer = OrderedEnqueuer(Broken())
        enqueuer.start()
        with pytest.raises(KeyError, match="no such file"):
            for _ in enqueuer.get():
                pass
        assert not enqueuer.is_running()

    def test_a_batch_that_does_not_come_is_made_here(self, monkeypatch):
        monkeypatch.setattr(enqueuers, "_TIMEOUT", 0.05)
        stuck = threading.Event()

        class Slow(Batches):
            def __getitem__(self, index):
                if index == 0 and threading.current_thread() is not threading.main_thread():
                    stuck.wait()
                return super().__getitem__(index)

        enqueuer = OrderedEnqueuer(Slow())
        enqueuer.start(workers=2)
        with pytest.warns(UserWarning, match="The input 0 could not be retrieved"):
            first = next(enqueuer.get())
        assert np.array_equal(first[0], X[:4])
        enqueuer.stop()  # although a worker hangs
        assert not enqueuer.run_thread.is_alive()
        stuck.set()

    def test_a_worker_process_that_dies_is_an_error(self):
        def suicide():
            yield 1
            os.kill(os.getpid(), signal.SIGKILL)

        enqueuer = GeneratorEnqueuer(suicide(), use_multiprocessing=True)
        enqueuer.start(workers=1)
        with pytest.raises(RuntimeError, match=r"worker process died \(exit code -9\)"):
            for _ in enqueuer.get():
                pass
        assert not enqueuer.is_running()

    def test_workers_that_cannot_start_are_an_error(self):
        class Deadly(Batches):
            def __reduce__(self):
                return os._exit, (3,)  # instead of becoming a Sequence in the worker

        before = multiprocessing.get_start_method()
        multiprocessing.set_start_method("spawn", force=True)
        try:
            enqueuer = OrderedEnqueuer(Deadly(), use_multiprocessing=True)
            enqueuer.start(workers=1)
            with pytest.raises(RuntimeError, match=r"die as soon as they start \(exit code 3\)"):
                next(enqueuer.get())
        finally:
            multiprocessing.set_start_method(before, force=True)
        assert not enqueuer.is_running()

    def test_worker_processes_that_are_not_forked_get_their_own_sequence_only(self):
        before = multiprocessing.get_start_method()
        beside = GeneratorEnqueuer(batches())  # in threads: a generator, which no process could be sent
        beside.start()
        multiprocessing.set_start_method("spawn", force=True)
        try:
            windows = TimeseriesGenerator(X, X, length=1, batch_size=4)  # a class that other processes find
            enqueuer = OrderedEnqueuer(windows, use_multiprocessing=True)
            enqueuer.start(workers=1)
            assert np.array_equal(next(enqueuer.get())[0], windows[0][0])
            enqueuer.stop()
            with pytest.raises(ValueError, match=r"start method here is 'spawn'.*keras\.utils\.Sequence"):
                GeneratorEnqueuer(batches(), use_multiprocessing=True).start()
        finally:
            multiprocessing.set_start_method(before, force=True)
            beside.stop()

    def test_a_reader_that_waits_ends_when_another_thread_stops(self):
        def nothing():
            waiting.set()
            stuck.wait()
            yield 1

        waiting, stuck = threading.Event(), threading.Event()
        enqueuer = GeneratorEnqueuer(nothing())
        enqueuer.start()
        stopper = threading.Thread(target=lambda: waiting.wait() and enqueuer.stop())
        stopper.start()
        assert list(enqueuer.get()) == []
        stopper.join()
        stuck.set()

    def test_stopping_early(self):
        enqueuer = GeneratorEnqueuer(batches())
        enqueuer.start(workers=2, max_queue_size=2)
        next(enqueuer.get())
        enqueuer.stop()
        assert not enqueuer.run_thread.is_alive()


class TestTraining:
    @pytest.mark.parametrize("workers", [0, 1, 3])
    def test_a_sequence_trains_as_its_arrays_do(self, pair, workers):
        model, expected = pair
        sequence = Batches()
        got = model.fit(sequence, epochs=2, shuffle=False, workers=workers, verbose=0).history
        want = expected.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
        assert got == want and sequence.epochs >= 1
        want = expected.evaluate(X, Y, batch_size=4, verbose=0)
        np.testing.assert_allclose(model.evaluate(sequence, workers=workers), want, rtol=1e-6)
        assert np.array_equal(model.predict(sequence, workers=workers), expected.predict(X, batch_size=4))

    def test_a_generator(self, pair):
        model, expected = pair
        got = model.fit_generator(
            batches(), steps_per_epoch=6, epochs=2, verbose=0, validation_data=batches(), validation_steps=6
        ).history
        want = expected.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0, validation_data=(X, Y)).history
        np.testing.assert_allclose(got["loss"], want["loss"], rtol=1e-5)
        np.testing.assert_allclose(got["val_loss"], want["val_loss"], rtol=1e-5)
        assert model.predict_generator(batches(), steps=2).shape == (8, 1)

    def test_a_callback_may_prepare_what_the_generators_give(self, pair):
        class Source(Callback):
            def on_train_begin(self, logs=None):
                self.rows = X, Y

            def batches(self):
                while True:
                    yield self.rows

        source = Source()
        pair[0].fit_generator(
            source.batches(), 2, verbose=0, callbacks=[source], validation_data=source.batches(), validation_steps=1
        )
        assert len(pair[0].history.epoch) == 1

    def test_validation_data_as_arrays_and_sequences(self, pair):
        model, other = pair
        first = model.fit(Batches(), shuffle=False, verbose=0, validation_data=(X, Y)).history
        second = other.fit(Batches(), shuffle=False, verbose=0, validation_data=Batches()).history
        np.testing.assert_allclose(first["val_mae"], second["val_mae"], rtol=1e-5)

    def test_errors(self):
        model = make_model()
        with pytest.raises(ValueError, match="`steps_per_epoch=None` is only valid for a generator based on"):
            model.fit(batches(), verbose=0)
        with pytest.raises(ValueError, match=r"should be a tuple `\(x, y, sample_weight\)`"):
            model.fit((x for x in [X] * 9), steps_per_epoch=2, verbose=0)
        with pytest.raises(ValueError, match="`y` argument is not supported"):
            model.fit(Batches(), Y, verbose=0)
        with pytest.raises(ValueError, match="`batch_size` argument must not be specified"):
            model.fit(Batches(), batch_size=3, verbose=0)
        with pytest.raises(ValueError, match="you cannot use `validation_split`"):
            model.fit(Batches(), validation_split=0.5, verbose=0)
        with pytest.raises(RuntimeError, match="You must compile a model"):
            Sequential([Dense(1, input_shape=(3,))]).fit(Batches(), verbose=0)

    def test_hdf5_data(self, pair, tmp_path):
        path = str(tmp_path / "data.h5")
        with h5py.File(path, "w") as file:
            file["x"], file["y"] = X, Y
        x, y = HDF5Matrix(path, "x", 0, 16), HDF5Matrix(path, "y", 0, 16, normalizer=lambda v: v)
        assert (
            x.shape == (16, 3)
            and len(y) == 16
            and np.array_equal(x[2:4], X[2:4])
            and np.array_equal(x[[1, 3]], X[[1, 3]])
        )
        for rows in (16, [15, 16], np.array([16]), slice(12, 17)):
            with pytest.raises(IndexError):
                x[rows]
        halves = HDF5Matrix(path, "x", normalizer=lambda v: v[:, ::2].astype("uint8"))
        assert halves.shape == (24, 2) and halves.dtype == np.uint8 and halves.ndim == 2
        model, expected = pair
        got = model.fit(x, y, batch_size=4, shuffle=False, verbose=0).history
        assert got == expected.fit(X[:16], Y[:16], batch_size=4, shuffle=False, verbose=0).history
        model.fit(x, y, batch_size=4, shuffle="batch", verbose=0)
        with pytest.raises(TypeError, match='pass shuffle="batch"'):
            model.fit(x, y, batch_size=8, shuffle=True, verbose=0)
        HDF5Matrix.refs.pop(path).close()

    def test_rows_of_hdf5_data(self, tmp_path):
        path = str(tmp_path / "data.h5")
        with h5py.File(path, "w") as file:
            file["x"] = np.arange(60.0).reshape(20, 3)
        x = HDF5Matrix(path, "x", 5, 15, normalizer=lambda rows: rows[..., ::2].astype("int8"))
        assert (x.shape, x.dtype, x.ndim, x.size) == ((10, 2), np.int8, 2, 20)
        assert x[-1].tolist() == [42, 44] and x[8:].tolist() == x[[8, 9]].tolist() == [[39, 41], [42, 44]]
        assert x[::5].tolist() == [[15, 17], [30, 32]]
        for beyond in (10, -11, slice(8, 11), [9, 10], range(10, 12), np.array([10])):
            with pytest.raises(IndexError):
                x[beyond]
        for wrong in (None, [3, 2]):
            with pytest.raises(TypeError):
                x[wrong]
        HDF5Matrix.refs[path].close()
        assert HDF5Matrix(path, "x").shape == (20, 3)  # the file is opened again
        HDF5Matrix.refs.pop(path).close()


class TestDownloads:
    def serve(self, folder, name, content):
        (folder / name).write_bytes(content)
        return (folder / name).as_uri()

    def test_into_the_cache_once(self, tmp_path):
        url = self.serve(tmp_path, "a.bin", b"abc")
        digest = hashlib.sha256(b"abc").hexdigest()
        fetch = functools.partial(get_file, "b.bin", url, file_hash=digest, cache_dir=str(tmp_path / "cache"))
        path = fetch()
        assert validate_file(path, digest) and validate_file(path, hashlib.md5(b"abc").hexdigest())
        (tmp_path / "a.bin").unlink()
        assert fetch() == path

    def test_wrong_checksum_leaves_nothing(self, tmp_path):
        url = self.serve(tmp_path, "a.bin", b"abc")
        with pytest.raises(ValueError, match="checksum"):
            get_file("b.bin", url, file_hash="0" * 64, cache_dir=str(tmp_path / "cache"))
        assert list((tmp_path / "cache" / "datasets").iterdir()) == []

    def test_no_such_url(self, tmp_path):
        with pytest.raises(OSError, match="URL fetch failure"):
            get_file("b.bin", (tmp_path / "none").as_uri(), cache_dir=str(tmp_path / "cache"))

    @pytest.mark.parametrize("name", ["../evil", "/tmp/evil_hornbeam", "a/../../evil"])
    def test_archives_stay_in_their_folder(self, tmp_path, name):
        inside = tmp_path / "inside"
        inside.mkdir()
        with tarfile.open(tmp_path / "a.tar", "w") as archive:
            info = tarfile.TarInfo(name)
            info.size = 3
            archive.addfile(info, io.BytesIO(b"abc"))
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(name, "abc")
        for kind in ("a.tar", "a.zip"):
            with pytest.raises(ValueError, match="would be written outside"):
                _extract_archive(tmp_path / kind, inside)
        assert list(inside.iterdir()) == []

    def test_links_are_refused_and_good_archives_unpacked(self, tmp_path):
        with tarfile.open(tmp_path / "link.tar", "w") as archive:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
        with pytest.raises(ValueError, match="neither a file nor a folder"):
            _extract_archive(tmp_path / "link.tar", tmp_path)
        with zipfile.ZipFile(tmp_path / "good.zip", "w") as archive:
            archive.writestr("folder/file.txt", "hello")
        assert _extract_archive(tmp_path / "good.zip", tmp_path / "out")
        assert (tmp_path / "out" / "folder" / "file.txt").read_text() == "hello"
        assert not _extract_archive(tmp_path / "link.tar", tmp_path, "zip")


def test_h5dict_gives_back_what_was_set(tmp_path):
    for target in (tmp_path / "x.h5", {}):
        with H5Dict(target, "w") as written:
            written["group"]["names"] = ["a", "bc"]
            written["group"]["array"] = np.arange(4.0)
            written["text"] = "é"
        with H5Dict(target, "r") as read:
            names = read["group"]["names"]
            assert [n.decode() if isinstance(n, bytes) else n for n in names] == ["a", "bc"] and type(names) is list
            assert read["group"]["array"].tolist() == [0, 1, 2, 3] and read["text"] == "é"
            with pytest.raises(ValueError, match="read-only"):
                read["more"] = 1


def test_to_categorical_and_normalize(rng):
    assert np.array_equal(keras.utils.to_categorical([0, 2, 1]), np.eye(3)[[0, 2, 1]])
    assert keras.utils.to_categorical(np.zeros((2, 5, 1)), 4).shape == (2, 5, 4)
    assert keras.utils.to_categorical([1], 3, dtype="int32").dtype == np.int32
    x = rng.rand(3, 4)
    np.testing.assert_allclose(np.linalg.norm(keras.utils.normalize(x), axis=1), 1)
    assert np.array_equal(keras.utils.normalize(np.zeros((2, 2))), np.zeros((2, 2)))


def test_the_parts_of_a_batch():
    x, y, w = np.ones(2), np.zeros(2), np.full(2, 3.0)
    for data, parts in [(x, (x, None, None)), ([x], (x, None, None)), ([x, y], (x, y, None)), ((x, y, w), (x, y, w))]:
        assert utils.unpack_x_y_sample_weight(data) == parts
    assert utils.pack_x_y_sample_weight(x) is x and utils.pack_x_y_sample_weight([x, x]) == ([x, x],)
    assert utils.pack_x_y_sample_weight(x, y) == (x, y) and utils.pack_x_y_sample_weight(x, y, w) == (x, y, w)
    with pytest.raises(ValueError, match=r"\(x, y, sample_weight\)"):
        utils.unpack_x_y_sample_weight((x,) * 4)


def test_images_and_seeds_are_where_tf_keras_has_them(tmp_path):
    pytest.importorskip("PIL")
    utils.set_random_seed(3)
    numbers = random.random(), np.random.rand()
    utils.set_random_seed(3)
    assert numbers == (random.random(), np.random.rand())
    pixels = np.random.randint(0, 255, (4, 5, 3)).astype("float32")
    utils.save_img(tmp_path / "i.png", pixels, scale=False)
    np.testing.assert_array_equal(utils.img_to_array(utils.load_img(tmp_path / "i.png")), pixels)
    assert utils.array_to_img(pixels).size == (5, 4)
