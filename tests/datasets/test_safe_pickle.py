"""Pickles and .npz files: data comes through, and nothing that they name is called."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from hornbeam.datasets import npz, safe_pickle


def load(data, **options):
    return safe_pickle.load(io.BytesIO(data), **options)


class Call:
    """Pickles as a call of any function."""

    def __init__(self, function, *args, state=None):
        self.call = (function, args) if state is None else (function, args, state)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("array", [
    np.arange(6, dtype="uint8").reshape(2, 3), np.arange(6.0).reshape(3, 2).T, np.array(3, dtype=">i4"),
    np.array([True, False]), np.array(["a", "bc"]), np.array([b"a", b"bc"]), np.zeros((0, 4)), np.array([1j]),
    np.array([[1, 2], [3, 4, 5], "text", None], dtype=object),
], ids=str)  # fmt: skip
def test_arrays(array, protocol):
    data = pickle.dumps(array, protocol)
    got, expected = load(data, encoding="latin1"), pickle.loads(data)
    assert (
        type(got) is np.ndarray
        and got.dtype == expected.dtype
        and got.flags.f_contiguous == expected.flags.f_contiguous
    )
    assert got.shape == array.shape and got.tolist() == array.tolist()


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_plain_data(protocol):
    data = {"list": [1, 2.5, -(2**80)], b"bytes": b"\x00\xff", "tuple": (True, None), "number": np.float32(2.5)}
    assert load(pickle.dumps(data, protocol), encoding="latin1") == data


def test_a_batch_of_python_2():
    # What Python 2 wrote for {'data': numpy.array([1, 2], 'uint8'), 'labels': [6]}.
    data = (
        b"\x80\x02}q\x01(U\x04datacnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b"
        b"\x87Rq\x04(K\x01K\x02\x85cnumpy\ndtype\nq\x05U\x02u1K\x00K\x01\x87Rq\x06(K\x03U\x01|NNNJ\xff\xff\xff\xff"
        b"J\xff\xff\xff\xffK\x00tb\x89U\x02\x01\x02tbU\x06labels]K\x06au."
    )
    batch = load(data)
    assert batch[b"data"].tolist() == [1, 2] and batch[b"data"].dtype == np.uint8 and batch[b"labels"] == [6]


def test_nothing_is_called(tmp_path):
    target = tmp_path / "made"
    for value in (Call(os.mkdir, str(target)), [Call(eval, f"__import__('os').mkdir({str(target)!r})")],
                  np.array([Call(os.mkdir, str(target))], dtype=object)):  # fmt: skip
        with pytest.raises(ValueError, match="is not data, and is not called"):
            load(pickle.dumps(value))
    assert not target.exists()


@pytest.mark.parametrize("name", ["numpy dtype", "numpy.core.multiarray _reconstruct", "_codecs encode"])
@pytest.mark.parametrize("attribute", [b"__call__", b"__setstate__", b"__defaults__"], ids=str)
def test_what_stands_in_for_numpy_cannot_be_changed(name, attribute):
    name = name.replace(" ", "\n").encode()
    with pytest.raises(ValueError, match="does not hold plain pickled data"):
        load(
            b"\x80\x02c" + name + b"\nN}U" + bytes([len(attribute)]) + attribute + b"K\x01s\x86b.",
            encoding="latin1",
        )


@pytest.mark.parametrize("value", [
    Call(np.dtype, "V8"), Call(np.dtype, [("a", "O")]), Call(np.dtype, "i8", state=(3, "<", None, ("a",), {}, 8, 1, 63)),
    np.zeros(2, dtype="M8[s]"), np.zeros(2, dtype=[("a", "i4")]), np.load, open,
])  # fmt: skip
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(ValueError, match="does not hold plain pickled data"):
        load(pickle.dumps(value, 2))


RECONSTRUCT = np.zeros(0).__reduce__()[0]


def array_with(shape, dtype, data):
    state = (1, shape, np.dtype(dtype), False, data)
    return pickle.dumps(Call(RECONSTRUCT, np.ndarray, (0,), b"b", state=state), 3)


@pytest.mark.parametrize(
    "shape, dtype, data",
    [((5,), "i4", b"1234"), ((2,), "O", [1]), ((2,), "O", b"\0" * 16), ((1,), "i8", [1]), ((-1,), "i4", b""),
     ((1 << 62, 4), "i1", b""), (("a",), "i4", b"")],
)  # fmt: skip
def test_arrays_whose_data_does_not_fit_are_refused(shape, dtype, data):
    with pytest.raises(ValueError, match="does not hold plain pickled data"):
        load(array_with(shape, dtype, data))


def test_truncated_files_are_refused():
    data = pickle.dumps({"a": np.arange(5), "b": [1, 2, "three"]}, 2)
    for end in range(len(data)):
        with pytest.raises(ValueError, match="does not hold plain pickled data"):
            load(data[:end])


class TestNpz:
    def test_arrays(self, tmp_path):
        path = str(tmp_path / "a.npz")
        rows = np.array([[1, 2], [3]], dtype=object)
        arrays = {"a": np.arange(6.0).reshape(2, 3).T, "b": rows, "c": np.array(4, ">i2"), "d": np.zeros((0, 2))}
        for save in (np.savez, np.savez_compressed):
            save(path, **arrays)
            for got, expected in zip(npz.read(path, *arrays), arrays.values()):
                assert got.dtype == expected.dtype and got.shape == expected.shape
                assert got.tolist() == expected.tolist()

    def test_nothing_is_called(self, tmp_path):
        path, target = str(tmp_path / "a.npz"), tmp_path / "made"
        np.savez(path, a=np.array([Call(os.mkdir, str(target))], dtype=object))
        with pytest.raises(ValueError, match="is not data, and is not called"):
            npz.read(path, "a")
        assert not target.exists()

    def test_other_files_are_refused(self, tmp_path):
        path = tmp_path / "a.npz"
        path.write_bytes(b"no archive")
        with pytest.raises(ValueError, match=r"is not the \.npz file that was expected"):
            npz.read(str(path), "a")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", b"\x93NUMPY\x01\x00")
        for name in ("a", "b"):
            with pytest.raises(ValueError):
                npz.read(str(path), name)
