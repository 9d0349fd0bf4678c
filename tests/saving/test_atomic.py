"""Whatever happens while a file is written, the old one or the new one is there."""

import os
import pathlib

import pytest
from hornbeam.layers import Dense
from hornbeam.models import Sequential
from hornbeam.saving import targets
from kill_while_saving import kill_many


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_killed_at_random_moments(tmp_path, name):
    kill_many(8, str(tmp_path / name))
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
@pytest.mark.parametrize("failing", ["replace", "fsync"])
def test_a_disk_that_fails(tmp_path, monkeypatch, name, failing):
    path = tmp_path / name
    model = Sequential([Dense(3, input_shape=(4,))])
    model.save(path)
    before = path.read_bytes()

    def fail(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(targets.os, failing, fail)
    with pytest.raises(OSError, match="no space"):
        model.save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before and os.listdir(tmp_path) == [name]


def test_links_and_permissions_stay(tmp_path):
    real, link = tmp_path / "real.h5", tmp_path / "link.h5"
    model = Sequential([Dense(3, input_shape=(4,))])
    model.save(real)
    os.chmod(real, 0o640)
    link.symlink_to(real)
    model.save(pathlib.Path(link))
    assert link.is_symlink() and os.stat(real).st_mode & 0o777 == 0o640
