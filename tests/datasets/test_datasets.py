"""The data sets, from a server on this machine that has small files in the published formats."""

import functools
import gzip
import hashlib
import http.server
import io
import json
import pickle
import struct
import tarfile
import threading

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import datasets
from hornbeam.datasets import files, imdb

IMAGES = np.random.RandomState(0).randint(0, 256, (14, 28, 28)).astype("uint8")
LABELS = np.random.RandomState(1).randint(0, 10, 14).astype("uint8")
COLOURED = np.random.RandomState(2).randint(0, 256, (6, 2, 3, 32, 32)).astype("uint8")
WORDS = [
    [int(word) for word in np.random.RandomState(i).randint(1, 60, length)]
    for i, length in enumerate(np.random.RandomState(3).randint(3, 12, 30))
]
TOPICS = np.random.RandomState(4).randint(0, 2, 30)


def lists(rows):
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.tobytes())


def archive(folder, batches):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, batch in batches.items():
            data = pickle.dumps(batch, protocol=2)
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


def coloured(i, **labels):
    return {b"data": COLOURED[i].reshape(2, -1), **{key.encode(): value for key, value in labels.items()}}


@functools.cache
def published():
    """The content of each file in FILES, in small."""
    ten = {f"data_batch_{i + 1}": coloured(i, labels=[i, i + 1]) for i in range(5)}
    hundred = {"train": coloured(0, fine_labels=[40, 99], coarse_labels=[4, 19]),
               "test": coloured(1, fine_labels=[7, 8], coarse_labels=[1, 2])}  # fmt: skip
    sequences = {
        "x_train": lists(WORDS[:20]),
        "y_train": TOPICS[:20],
        "x_test": lists(WORDS[20:]),
        "y_test": TOPICS[20:],
    }
    return {
        "mnist.npz": npz(x_train=IMAGES[:10], y_train=LABELS[:10], x_test=IMAGES[10:], y_test=LABELS[10:]),
        "train-images-idx3-ubyte.gz": idx(IMAGES[:10]),
        "train-labels-idx1-ubyte.gz": idx(LABELS[:10]),
        "t10k-images-idx3-ubyte.gz": idx(IMAGES[10:]),
        "t10k-labels-idx1-ubyte.gz": idx(LABELS[10:]),
        "cifar-10-batches-py": archive("cifar-10-batches-py", {**ten, "test_batch": coloured(5, labels=[9, 0])}),
        "cifar-100-python": archive("cifar-100-python", hundred),
        "imdb.npz": npz(**sequences),
        "imdb_word_index.json": json.dumps({"the": 1, "café": 2}).encode(),
        "reuters.npz": npz(x=lists(WORDS), y=TOPICS),
        "reuters_word_index.json": json.dumps({"oil": 3}).encode(),
        "boston_housing.npz": npz(x=np.arange(60.0).reshape(20, 3), y=np.arange(20.0)),
    }


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serves the small files instead of the published ones; the cache is empty and lies in ``tmp_path``."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path[1:])
            content = published()[self.path[1:]]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        for name, content in published().items():
            url = f"http://127.0.0.1:{server.server_port}/{name}"
            monkeypatch.setitem(files.FILES, name, (url, hashlib.sha256(content).hexdigest()))
        yield requests
        server.shutdown()
        thread.join()


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """Every URL refuses the connection."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    for name, (_, checksum) in files.FILES.items():
        monkeypatch.setitem(files.FILES, name, (f"http://127.0.0.1:1/{name}", checksum))


@pytest.fixture
def channels_first():
    before = K.image_data_format()
    K.set_image_data_format("channels_first")
    yield
    K.set_image_data_format(before)


def test_checksums_and_addresses_are_whole():
    for url, checksum in files.FILES.values():
        assert url.startswith("https://") and len(checksum) in (32, 64) and int(checksum, 16)


@pytest.mark.parametrize("module", [datasets.mnist, datasets.fashion_mnist])
def test_digits_and_clothes(server, module):
    (x_train, y_train), (x_test, y_test) = module.load_data()
    assert np.array_equal(x_train, IMAGES[:10]) and np.array_equal(x_test, IMAGES[10:])
    assert np.array_equal(y_train, LABELS[:10]) and np.array_equal(y_test, LABELS[10:])
    assert x_train.dtype == y_train.dtype == np.uint8
    count = len(server)
    module.load_data()
    assert len(server) == count  # from the cache


def test_where_the_cache_is(server, tmp_path):
    datasets.mnist.load_data()
    datasets.mnist.load_data("other.npz")
    datasets.mnist.load_data(str(tmp_path / "elsewhere.npz"))
    datasets.fashion_mnist.load_data()
    datasets.cifar100.load_data()
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert found >= {
        "datasets/mnist.npz", "datasets/other.npz", "elsewhere.npz", "datasets/cifar-100-python.tar.gz",
        "datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz", "datasets/cifar-100-python/train",
    }  # fmt: skip


def test_cifar10(server):
    (x_train, y_train), (x_test, y_test) = datasets.cifar10.load_data()
    assert np.array_equal(x_train, COLOURED[:5].reshape(10, 3, 32, 32).transpose(0, 2, 3, 1))
    assert np.array_equal(x_test, COLOURED[5].transpose(0, 2, 3, 1)) and type(x_test) is np.ndarray
    assert y_train.tolist() == [[0], [1], [1], [2], [2], [3], [3], [4], [4], [5]] and y_train.dtype == np.uint8
    assert y_test.tolist() == [[9], [0]]


def test_cifar_with_channels_first(server, channels_first):
    assert np.array_equal(datasets.cifar10.load_data()[1][0], COLOURED[5])
    assert np.array_equal(datasets.cifar100.load_data()[0][0], COLOURED[0])


def test_cifar100(server):
    (x_train, y_train), (x_test, y_test) = datasets.cifar100.load_data()
    assert np.array_equal(x_train, COLOURED[0].transpose(0, 2, 3, 1)) and x_test.shape == (2, 32, 32, 3)
    assert y_train.tolist() == [[40], [99]] and y_test.tolist() == [[7], [8]]
    assert datasets.cifar100.load_data("coarse")[0][1].tolist() == [[4], [19]]
    with pytest.raises(ValueError, match="`label_mode` must be one of"):
        datasets.cifar100.load_data("rough")


def order_of(*sizes, seed=113):
    """What the loaders' shuffling makes of the first numbers."""
    rng, orders, start = np.random.RandomState(seed), [], 0
    for size in sizes:
        order = np.arange(size)
        rng.shuffle(order)
        orders.append(order + start)
        start += size
    return np.concatenate(orders)


class TestSequences:
    def test_imdb(self, server):
        (x_train, y_train), (x_test, y_test) = imdb.load_data(num_words=40)
        order = order_of(20, 10)
        for row, i in zip([*x_train, *x_test], order):
            assert row == [1] + [word + 3 if word + 3 < 40 else 2 for word in WORDS[i]]
        assert np.array_equal(np.concatenate([y_train, y_test]), TOPICS[order])
        assert x_train.dtype == object and x_train.shape == (20,) and x_test.shape == (10,)

    def test_reuters(self, server):
        (x_train, y_train), (x_test, y_test) = datasets.reuters.load_data(num_words=1000, test_split=0.3, seed=5)
        order = order_of(30, seed=5)
        assert [*x_train, *x_test] == [[1] + [word + 3 for word in WORDS[i]] for i in order]
        assert np.array_equal(np.concatenate([y_train, y_test]), TOPICS[order])
        assert len(x_train) == 21 and len(x_test) == 9

    def test_without_marks(self, server):
        (x_train, _), _ = imdb.load_data(num_words=50, skip_top=10, start_char=None, oov_char=None, index_from=0)
        assert x_train[0] == [word for word in WORDS[order_of(20)[0]] if 10 <= word < 50]

    def test_all_words_but_the_last_are_kept_by_default(self, server):
        rows = imdb.load_data()[0][0]
        highest = max(max(row) for row in WORDS) + 3
        assert max(max(row) for row in rows) < highest

    def test_long_sequences_are_dropped(self, server):
        (x_train, y_train), (x_test, y_test) = datasets.reuters.load_data(maxlen=8)
        kept = [i for i in order_of(30) if len(WORDS[i]) + 1 < 8]
        assert len(x_train) + len(x_test) == len(kept) < 30
        assert np.array_equal(np.concatenate([y_train, y_test]), TOPICS[kept])
        with pytest.raises(ValueError, match=r"shorter than maxlen=2, no sequence was kept\. Increase maxlen"):
            imdb.load_data(maxlen=2)

    def test_equal_lengths_stay_a_row_of_lists(self, server):
        (x_train, _), _ = imdb.load_data(maxlen=5)
        assert {len(row) for row in x_train} == {4} and x_train.ndim == 1 and type(x_train[0]) is list

    def test_arguments_of_old_scripts(self, server):
        with pytest.warns(UserWarning, match="`nb_words` argument in `load_data` has been renamed `num_words`"):
            (x_train, _), _ = imdb.load_data(nb_words=40)
        assert [*x_train] == [*imdb.load_data(num_words=40)[0][0]]
        with pytest.raises(TypeError, match="Unrecognized keyword arguments"):
            datasets.reuters.load_data(words=40)

    def test_word_indices(self, server):
        assert imdb.get_word_index() == {"the": 1, "café": 2}
        assert datasets.reuters.get_word_index() == {"oil": 3}


def test_boston_housing(server):
    (x_train, y_train), (x_test, y_test) = datasets.boston_housing.load_data()
    assert x_train.shape == (16, 3) and x_test.shape == (4, 3)
    assert np.array_equal(np.concatenate([y_train, y_test]), order_of(20))
    assert np.array_equal(x_train[:, 0], 3 * y_train)  # rows and prices stay together


def test_digits_need_no_network(offline):
    pytest.importorskip("sklearn")
    (x_train, y_train), (x_test, y_test) = datasets.digits.load_data()
    assert x_train.shape == (1437, 8, 8) and x_test.shape == (360, 8, 8)
    assert x_train.dtype == np.uint8 and x_train.max() == 16
    assert np.bincount(np.concatenate([y_train, y_test])).min() > 170


@pytest.mark.parametrize(
    "load, wanted",
    [
        (datasets.mnist.load_data, "mnist.npz"),
        (datasets.fashion_mnist.load_data, "fashion-mnist/train-labels-idx1-ubyte.gz"),
        (datasets.cifar10.load_data, "cifar-10-batches-py.tar.gz"),
        (imdb.get_word_index, "imdb_word_index.json"),
    ],
)
def test_without_a_network_the_error_says_what_to_put_where(offline, tmp_path, load, wanted):
    with pytest.raises(OSError, match=r"URL fetch failure on http://127\.0\.0\.1:1/") as error:
        load()
    assert str(error.value).endswith(f"put it at {tmp_path / 'datasets' / wanted}")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_file_that_was_put_there_is_used(offline, tmp_path, monkeypatch):
    content = published()["mnist.npz"]
    monkeypatch.setitem(files.FILES, "mnist.npz", ("http://127.0.0.1:1/", hashlib.md5(content).hexdigest()))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.npz").write_bytes(content)
    assert np.array_equal(datasets.mnist.load_data()[0][0], IMAGES[:10])


def test_a_changed_download_is_refused(server, tmp_path, monkeypatch):
    monkeypatch.setitem(files.FILES, "mnist.npz", (files.FILES["mnist.npz"][0], "0" * 64))
    with pytest.raises(ValueError, match="checksum"):
        datasets.mnist.load_data()
    assert list((tmp_path / "datasets").iterdir()) == []
