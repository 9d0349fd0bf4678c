"""Whatever happens while a file is written, the old one or the new one is there."""

import os
import pathlib

import pytest
from hornbeam.layers import Dense
from hornbeam.models import Sequential
from hornbeam.saving import targets
from interrupting import in_child
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


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "weights.h5"])
def test_ctrl_c_at_random_moments(tmp_path, name):
    """The old file or the new one, nothing beside it, and the library is usable."""
    path = str(tmp_path / name)
    out = in_child(f"""
import random
import numpy as np
from hornbeam.layers import Dense
from hornbeam.models import Sequential, load_model
model = Sequential([Dense(700, input_shape=(700,)), Dense(700)])
model.compile("adam", "mse")
model.train_on_batch(np.ones((2, 700)), np.ones((2, 700)))
def save(number):
    model.set_weights([np.full(w.shape, number, "float32") for w in model.get_weights()])
    model.save_weights({path!r}) if "weights" in {path!r} else model.save({path!r})
def load():
    if "weights" not in {path!r}:
        return load_model({path!r})
    model.load_weights({path!r})
    return model
save(0)
start = time.perf_counter()
save(1)
once, rng, outcomes = time.perf_counter() - start, random.Random(0), []
for number in range(2, 32):
    try:
        waited_once(lambda: (save(number), time.sleep(0.2)), after=rng.uniform(0, 1.3 * once))
    except KeyboardInterrupt:
        pass
    assert os.listdir({str(tmp_path)!r}) == [{name!r}], os.listdir({str(tmp_path)!r})
    values = {{float(v) for w in load().get_weights() for v in (w.min(), w.max())}}
    assert len(values) == 1
    outcomes.append(values == {{number}})
assert any(outcomes)
print(outcomes.count(False))
""")
    assert int(out) > 0
