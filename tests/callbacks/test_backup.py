"""A training that is interrupted and started again ends as one that is not."""

import subprocess
import sys

import numpy as np
import pytest
from hornbeam import layers as L
from hornbeam.callbacks import BackupAndRestore, Callback, experimental
from hornbeam.models import Model, Sequential
from hornbeam.optimizers import Adam
from hornbeam.tf import NAMES as tf

X = np.random.RandomState(0).rand(20, 4).astype("float32")
Y = X[:, :1] - X[:, 1:2]


class OwnCall(Model):
    def __init__(self):
        super().__init__()
        self.first, self.drop, self.last = L.Dense(5, activation="relu"), L.Dropout(0.3), L.Dense(1)

    def call(self, x):
        return self.last(self.drop(self.first(x)))


def sequential():
    return Sequential(
        [L.Dense(5, activation="relu", input_shape=(4,)), L.Dropout(0.3), L.BatchNormalization(), L.Dense(1)]
    )


def compiled(make, start=None):
    model = make()
    model.compile(Adam(0.05), "mse")
    if start is not None:
        model.build((None, 4)) if isinstance(model, Sequential) else model.predict(X)
        model.set_weights(start)
    return model


class Power(Callback):
    """Fails at a batch of an epoch, and counts the batches."""

    def __init__(self, fails=None):
        super().__init__()
        self.fails, self.seen, self.epoch = fails, [], None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.fails:
            raise OSError("no power")
        self.seen.append((self.epoch, batch))


def fit(model, source, *callbacks, epochs=4):
    data = {"x": X, "y": Y, "batch_size": 5}
    if source == "dataset":
        data = {"x": tf["data.Dataset"].from_tensor_slices((X, Y)).batch(5)}
    if source == "generator":
        data = {"x": ((X[i : i + 5], Y[i : i + 5]) for _ in range(99) for i in (0, 5, 10, 15)), "steps_per_epoch": 4}
    return model.fit(**data, epochs=epochs, verbose=0, callbacks=list(callbacks))


def same(a, b, tolerance=0.0):
    for x, y in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(x, y, rtol=tolerance)


@pytest.mark.parametrize("source", ["arrays", "dataset"])
def test_it_goes_on_with_the_same_bits(source, tmp_path):
    start = sequential().get_weights()
    np.random.seed(1)
    whole = compiled(sequential, start)
    history = fit(whole, source)
    np.random.seed(1)
    broken = compiled(sequential, start)
    with pytest.raises(OSError, match="no power"):
        fit(broken, source, BackupAndRestore(tmp_path / "backup"), Power((2, 1)))
    assert (tmp_path / "backup" / "backup.h5").exists()
    np.random.seed(2)  # another process
    again, power = compiled(sequential), Power()
    resumed = fit(again, source, BackupAndRestore(str(tmp_path / "backup")), power)
    assert power.seen == [(epoch, batch) for epoch in (2, 3) for batch in range(4)] and resumed.epoch == [2, 3]
    # NumPy's generator is set back, but for what batches of the broken epoch had taken the dropout's numbers of
    same(again, whole)
    assert resumed.history["loss"] == history.history["loss"][2:]
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("fails, resumes_at", [((0, 3), (0, 3)), ((1, 3), (1, 2))])
def test_an_epoch_that_was_begun_keeps_its_order(fails, resumes_at, tmp_path):
    start = sequential().get_weights()
    np.random.seed(1)
    whole = compiled(sequential, start)
    fit(whole, "arrays")
    np.random.seed(1)
    with pytest.raises(OSError, match="no power"):
        fit(compiled(sequential, start), "arrays", BackupAndRestore(tmp_path, save_freq=3), Power(fails))
    again, backup = compiled(sequential), BackupAndRestore(tmp_path, save_freq=3)
    fit(again, "arrays", backup)
    assert backup.resumes_at == resumes_at
    same(again, whole)


@pytest.mark.parametrize("source", ["arrays", "dataset", "generator"])
def test_batches_before_the_backup_are_left_out(source, tmp_path):
    backup = BackupAndRestore(tmp_path, save_freq=2, delete_checkpoint=False)
    broken = compiled(sequential)
    with pytest.raises(OSError, match="no power"):
        fit(broken, source, backup, Power((1, 3)))
    again, power = compiled(sequential), Power()
    again_backup = BackupAndRestore(tmp_path, save_freq=2, delete_checkpoint=False)
    fit(again, source, again_backup, power, epochs=3)
    assert again_backup.resumes_at == (1, 2)
    assert power.seen == [(1, 2), (1, 3), *((2, batch) for batch in range(4))]
    assert (tmp_path / "backup.h5").exists()
    last = Power()
    fit(compiled(sequential), source, BackupAndRestore(tmp_path, save_freq=2), last, epochs=3)
    assert last.seen == []  # its last backup is behind the last batch


@pytest.mark.parametrize("mode", ["graph", "eager"])
def test_a_model_with_its_own_call(mode, request, tmp_path):
    if mode == "eager":
        request.getfixturevalue("eager")
    broken = compiled(OwnCall)
    broken.predict(X)
    start = broken.get_weights()
    with pytest.raises(OSError, match="no power"):
        fit(broken, "dataset", BackupAndRestore(tmp_path), Power((2, 0)))
    again, power = compiled(OwnCall), Power()
    if mode == "graph":
        again.predict(X)
    fit(again, "dataset", BackupAndRestore(tmp_path), power, epochs=2)
    assert power.seen == []
    same(again, broken)
    assert any(np.any(a != b) for a, b in zip(start, again.get_weights()))


SCRIPT = """
import os, sys
import numpy as np
from hornbeam import callbacks, layers, models
x = np.arange(40.0).reshape(10, 4) / 40
model = models.Sequential([layers.Dense(1, input_shape=(4,), kernel_initializer="ones")])
model.compile("adam", "mse")
class Dies(callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if sys.argv[2] == str(epoch):
            os._exit(9)
history = model.fit(x, x[:, :1], epochs=5, verbose=0, callbacks=[callbacks.BackupAndRestore(sys.argv[1]), Dies()])
print(history.epoch, model.get_weights()[0].tolist())
"""


def test_a_process_that_dies(tmp_path):
    def run(folder, at):
        return subprocess.run([sys.executable, "-c", SCRIPT, str(folder), at], capture_output=True, text=True)

    assert run(tmp_path / "b", "3").returncode == 9
    again, whole = run(tmp_path / "b", "no"), run(tmp_path / "c", "no")
    assert again.stdout.startswith("[3, 4] ") and whole.stdout.startswith("[0, 1, 2, 3, 4] ")
    assert again.stdout.partition("] ")[2] == whole.stdout.partition("] ")[2]


def test_mistakes(tmp_path):
    assert experimental.BackupAndRestore is BackupAndRestore
    for arguments in ({"save_freq": 0}, {"save_freq": False}, {"save_freq": "batch"}, {"save_before_preemption": True}):
        with pytest.raises(ValueError, match="BackupAndRestore"):
            BackupAndRestore(tmp_path, **arguments)
    with pytest.raises(OSError, match="no power"):
        fit(compiled(sequential), "arrays", BackupAndRestore(tmp_path), Power((1, 0)))
    other = Sequential([L.Dense(2, input_shape=(4,)), L.Dense(1)])
    other.compile("adam", "mse")
    with pytest.raises(ValueError, match=r"weights|shape"):
        fit(other, "arrays", BackupAndRestore(tmp_path))
    (tmp_path / "backup.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    with pytest.raises(OSError):
        fit(compiled(sequential), "arrays", BackupAndRestore(tmp_path))
