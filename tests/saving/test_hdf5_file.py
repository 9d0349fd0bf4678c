"""The reader of HDF5 files against h5py: the same names, attributes and bits, in every layout and for every golden file."""

import io
import os
import pathlib
import zipfile

import h5py
import numpy as np
import pytest
from hdf5_layouts import BUILDERS, STYLES, built
from hornbeam.saving.hdf5_file import Dataset, Empty, File, Group, problems

GOLDEN = pathlib.Path(__file__).parent.parent / "golden" / "files"


def assert_same_value(got, wanted, where):
    assert type(got).__name__ == type(wanted).__name__, where
    if not isinstance(got, Empty):
        got, wanted = np.asarray(got), np.asarray(wanted)
        assert got.shape == wanted.shape, where
        assert got.tolist() == wanted.tolist() if wanted.dtype == object else got.tobytes() == wanted.tobytes(), where
    assert got.dtype == wanted.dtype, where


def assert_same_attributes(got, wanted, where):
    assert sorted(got) == sorted(wanted), where
    for name in wanted:
        assert_same_value(got[name], wanted[name], (where, name))


def assert_same_file(source):
    with File(source) as got, h5py.File(source, "r") as wanted:
        assert problems(got) == []
        names, wanted_names = [], []
        got.visititems(lambda name, _: names.append(name))
        wanted.visititems(lambda name, _: wanted_names.append(name))
        assert names == wanted_names
        assert_same_attributes(got.attrs, wanted.attrs, "/")
        for name in names:
            mine, theirs = got[name], wanted[name]
            assert mine.name == theirs.name
            assert_same_attributes(mine.attrs, theirs.attrs, name)
            if isinstance(theirs, h5py.Group):
                assert isinstance(mine, Group) and sorted(mine) == sorted(theirs)
                continue
            assert isinstance(mine, Dataset) and (mine.shape, mine.dtype) == (theirs.shape, theirs.dtype), name
            assert_same_value(mine[()], theirs[()], name)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", BUILDERS)
def test_every_layout(name, style):
    assert_same_file(io.BytesIO(built(name, style)))


def test_any_byte_but_zero_is_a_true_bool():
    """h5py leaves the bytes as they are: NumPy's operations take 6 for a number that no bool has."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        odd = np.array([0, 1, 6, 255], "uint8").view(bool)
        file.attrs["odd"] = odd
        file["odd"] = odd
        assert file["odd"][()].view("uint8").tolist() == [0, 1, 6, 255]
    with File(buffer) as file:
        for got in (file.attrs["odd"], file["odd"][()]):
            assert got.dtype == bool and got.view("uint8").tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("kind", ["c8", "g", [("a", "f4")], h5py.vlen_dtype("i4")], ids=str)
@pytest.mark.parametrize("value", ["one", "empty"])
def test_what_is_neither_numbers_nor_text_is_not_read_even_if_it_is_empty(kind, value):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        space = h5py.h5s.create(h5py.h5s.NULL if value == "empty" else h5py.h5s.SCALAR)
        made = h5py.h5t.py_create(np.dtype(kind), logical=True)
        h5py.h5d.create(file.id, b"x", made, space)
        h5py.h5a.create(file.id, b"x", made, space)
    with File(buffer) as file:
        assert problems(file) == [] and file["x"].dtype.kind == "V"
        for read in (lambda: file["x"][()], lambda: file.attrs["x"]):
            with pytest.raises(ValueError, match="neither"):
                read()


def test_an_index_so_large_that_it_has_pages():
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver="latest") as file:
        dataset = file.create_dataset("x", shape=(1 << 18,), dtype="u1", chunks=(1,), maxshape=(None,))
        dataset[200_000:200_100] = 7
    assert_same_file(buffer)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.h5")), ids=lambda path: path.name)
def test_golden_files(path):
    assert_same_file(path)


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.keras")), ids=lambda path: path.name)
def test_golden_files_in_zips(path):
    if zipfile.is_zipfile(path):  # some are HDF5 in spite of their name
        with zipfile.ZipFile(path) as archive:
            assert_same_file(io.BytesIO(archive.read("model.weights.h5")))
    else:
        assert_same_file(path)


def test_what_is_asked_of_groups_and_datasets(tmp_path):
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["a/b/x"] = np.arange(6).reshape(2, 3)
        file["a"].attrs["n"] = 3
    with File(tmp_path / "f.h5") as file:
        assert file.name == "/" and file["a/b"].name == "/a/b" and file["a"]["b"]["x"].name == "/a/b/x"
        assert (
            "a/b/x" in file and "/a" in file["a/b"] and "a/c" not in file and "a/b/x/y" not in file and "" not in file
        )
        assert file.get("q") is None and file.get("q", 1) == 1 and list(file["a"]) == ["b"] and len(file["a"]) == 1
        assert "n" in file["a"].attrs and file["a"].attrs.get("m") is None and dict(file["a"].attrs) == {"n": 3}
        x = file["a/b/x"]
        assert (x.shape, x.ndim, x.size, x.nbytes, len(x)) == ((2, 3), 2, 6, 48, 2)
        assert np.array_equal(x[1], [3, 4, 5]) and np.array_equal(x[...], x[()]) and x[:, 1].tolist() == [1, 4]
        with pytest.raises(KeyError, match=r"'/' in .* has no object 'q'"):
            file["q"]
        assert file.visititems(lambda name, item: name if isinstance(item, Dataset) else None) == "a/b/x"


def test_a_file_that_is_replaced_or_cut_while_it_is_open(tmp_path):
    path = tmp_path / "f.h5"
    for value in (1.0, 2.0):
        with h5py.File(tmp_path / f"{value}.h5", "w") as file:
            file["x"] = np.full(1 << 18, value)
    os.replace(tmp_path / "1.0.h5", path)
    with File(path) as file:
        os.replace(tmp_path / "2.0.h5", path)
        assert file["x"][0] == 1
    with File(path) as file:
        array = file["x"]
        os.truncate(path, 1 << 16)
        with pytest.raises(
            OSError, match="was cut short while it was read"
        ):  # a map of the file would kill the process
            array[()]


@pytest.mark.parametrize(
    "contents, message", [(b"", "not an HDF5 file"), (b"GIF89a" * 999, "not an HDF5 file"), (built("dtypes", "default")[:-1], "truncated"),
                          (built("dtypes", "latest")[:3000], "truncated")]
)  # fmt: skip
def test_what_is_not_an_hdf5_file(contents, message):
    with pytest.raises(OSError, match=message):
        File(io.BytesIO(contents))


def test_a_stream_without_readinto():
    class Stream:
        def __init__(self, data):
            self._file = io.BytesIO(data)
            self.seek, self.read = self._file.seek, self._file.read

    with File(Stream(built("one_piece", "default"))) as file:
        assert file["written"].shape == (100, 33) and file["written"][()].any()


def test_loading_does_not_import_h5py():
    import subprocess
    import sys

    code = f"import sys, hornbeam; hornbeam.models.load_model({str(GOLDEN / 'train_mlp_adam.h5')!r}); assert 'h5py' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
