"""Callbacks that write where the disk refuses, and progress while the clock of the machine is set back."""

import errno
import os
import struct
import sys
import time

import numpy as np
import pytest
from hornbeam.callbacks import CSVLogger, TensorBoard
from hornbeam.callbacks.event_file import EventFile
from hornbeam.layers import Dense
from hornbeam.models import Sequential
from hornbeam.utils import Progbar
from limits import files_up_to

X = np.ones((20, 3), "float32")


@pytest.fixture
def model():
    model = Sequential([Dense(3, input_shape=(3,))])
    model.compile("sgd", "mse")
    return model


def test_csv_logger(tmp_path, model):
    path = str(tmp_path / "log.csv")
    with files_up_to(50), pytest.raises(OSError) as caught:
        model.fit(X, X, epochs=20, verbose=0, callbacks=[CSVLogger(path)])
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, path)
    with open(path) as file:
        lines = file.read().splitlines(keepends=True)
    assert lines[0] == "epoch,loss\n" and all(line.count(",") == 1 and line.endswith("\n") for line in lines)
    model.fit(X, X, verbose=0)


def test_tensorboard(tmp_path, model):
    with files_up_to(400), pytest.raises(OSError) as caught:
        model.fit(X, X, epochs=40, verbose=0, callbacks=[TensorBoard(tmp_path, write_graph=False)])
    (path,) = tmp_path.iterdir()
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert len(events(path)) > 2  # and nothing behind the last whole one
    model.fit(X, X, verbose=0)


def events(path):
    """The times of a file's events."""
    data, times = path.read_bytes(), []
    while data:
        (length,) = struct.unpack_from("<Q", data)
        assert data[12] == 9  # the first field of an event is its time
        times.append(struct.unpack_from("<d", data, 13)[0])
        assert len(data) >= 16 + length
        data = data[16 + length :]
    return times


@pytest.fixture
def clock_goes_back(monkeypatch):
    """Each look at the machine's clock finds it an hour earlier."""
    now = [time.time()]

    def earlier():
        now[0] -= 3600
        return now[0]

    monkeypatch.setattr(time, "time", earlier)


@pytest.mark.parametrize("is_terminal", [True, False])
@pytest.mark.parametrize("target", [3, None])
@pytest.mark.parametrize("verbose", [1, 2])
def test_no_negative_times_in_bars(clock_goes_back, monkeypatch, capsys, is_terminal, target, verbose):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal, raising=False)
    bar = Progbar(target, verbose=verbose, interval=0)
    for step in range(1, 4):
        bar.update(step)
        time.sleep(0.002)
    shown = capsys.readouterr().out
    assert "3/3" in shown or "0s" in shown or "3/Unknown" in shown or not is_terminal
    assert "-1" not in shown and "-3" not in shown and "ETA: -" not in shown


def test_no_negative_times_in_fit(clock_goes_back, model, capsys):
    model.fit(X, X, batch_size=1, verbose=1, validation_data=(X, X))
    model.fit(X, X, verbose=2)
    shown = capsys.readouterr().out
    assert "20/20" in shown and " - 0s " in shown and " - -" not in shown


def test_times_of_events_rise(clock_goes_back, tmp_path):
    file = EventFile(str(tmp_path))
    for step in range(5):
        file.scalars({"loss": 1.0}, step)
    file.flush()
    times = events(tmp_path / os.path.basename(file.path))
    assert len(times) == 6 and times == sorted(times)
