"""What a disk may refuse while a file is written: an OSError with its number and the name that the user gave."""

import errno
import gc
import io
import os
import stat

import h5py
import numpy as np
import pytest
from hornbeam.callbacks import ModelCheckpoint
from hornbeam.layers import Dense
from hornbeam.models import Sequential, load_model
from limits import files_up_to

LIMIT = 100_000


@pytest.fixture
def model():
    model = Sequential([Dense(200, input_shape=(200,)), Dense(200)])  # 320 KB of weights
    model.compile("sgd", "mse")
    return model


NAMES = pytest.mark.parametrize("name", ["model.h5", "model.keras", "weights.h5"])


def save(model, path):
    model.save_weights(path) if os.path.basename(path).startswith("weights") else model.save(path)


@NAMES
def test_a_file_that_becomes_too_large(tmp_path, model, name):
    path = tmp_path / name
    path.write_bytes(b"old")
    for _ in range(3):  # nothing of the first attempt is in the way of the next
        with files_up_to(LIMIT), pytest.raises(OSError, match="File too large") as caught:
            save(model, path)
        assert caught.value.errno == errno.EFBIG and caught.value.filename == str(path)
        assert str(caught.value) == f"[Errno {errno.EFBIG}] File too large: {str(path)!r}"
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == [name]


@NAMES
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's device that is always full")
def test_a_device_is_written_and_not_replaced(model, tmp_path, name):
    path = tmp_path / name
    path.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device: '/dev/full'") as caught:
        save(model, path)
    assert caught.value.errno == errno.ENOSPC
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


class Failing:
    """A file on a disk that fails with a number once so many bytes were written, or when it is closed."""

    def __init__(self, file, number, after):
        self.file, self.number, self.after = file, number, after

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        self.after -= len(data)
        if self.after < 0:
            raise OSError(self.number, os.strerror(self.number))
        return self.file.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.file.close()
        if exception == (None, None, None) and self.after > 1 << 20:
            raise OSError(self.number, os.strerror(self.number))


@NAMES
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("after", [0, 5000, 200_000, 1 << 30])
def test_whatever_the_disk_says(tmp_path, model, monkeypatch, name, number, after):
    path = tmp_path / name
    save(model, path)
    before = path.read_bytes()
    monkeypatch.setattr(
        "hornbeam.saving.targets.open", lambda *args: Failing(open(*args), number, after), raising=False
    )
    with pytest.raises(OSError) as caught:
        save(model, path)
    assert (caught.value.errno, caught.value.filename) == (number, str(path))
    monkeypatch.undo()
    assert path.read_bytes() == before and os.listdir(tmp_path) == [name]
    save(model, path)


@NAMES
def test_no_such_place(tmp_path, model, name):
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        save(model, tmp_path / name)
    assert caught.value.filename == str(tmp_path / name)
    path = tmp_path / "nowhere" / name
    with pytest.raises(FileNotFoundError, match="There is no folder") as caught:
        save(model, path)
    assert caught.value.filename == str(path)
    assert os.listdir(tmp_path) == [name]


@NAMES
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_no_permission(tmp_path, model, name):
    path = tmp_path / name
    path.touch(0o444)
    for _ in range(2):  # the file, then the folder
        with pytest.raises(PermissionError) as caught:
            save(model, path)
        assert caught.value.filename == str(path)
        path.unlink(missing_ok=True)
        tmp_path.chmod(0o500)
        path = tmp_path / f"other_{name}"
    tmp_path.chmod(0o700)


def test_a_stream_that_fails_says_so_itself(model):
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "the stream is full")

    with pytest.raises(OSError, match="the stream is full"):
        model.save(Full())


def test_training_goes_on_after_a_checkpoint_that_failed(tmp_path, model):
    x = np.ones((8, 200), "float32")
    path = str(tmp_path / "model.h5")
    with files_up_to(LIMIT), pytest.raises(OSError) as caught:
        model.fit(x, x, verbose=0, callbacks=[ModelCheckpoint(path)])
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, path)
    assert os.listdir(tmp_path) == []
    trained = model.get_weights()
    model.save(path)
    for a, b in zip(load_model(path).get_weights(), trained):
        np.testing.assert_array_equal(a, b)
    model.fit(x, x, verbose=0)


def test_no_file_of_the_library_stays_open(tmp_path, model):
    for _ in range(3):
        with files_up_to(LIMIT), pytest.raises(OSError):
            model.save(tmp_path / "model.h5")
    gc.collect()
    assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) == 0
