"""Kills a process that saves, at random moments, and loads what is left: ``python tests/kill_while_saving.py 200``.

The child saves a model again and again, each time with all weights at another number. Whatever moment it is killed at, the file
has to load, pass its own sample's check, and hold one number throughout.
"""

from __future__ import annotations

import os
import pathlib
import random
import signal
import sys
import tempfile
import time

import numpy as np


def kill_many(times: int, path: str, seed: int = 0) -> int:
    """Kill a saving child so many times; return how many times it was killed in the middle of a save.

    Raises:
        AssertionError: what was left is not one of the models that were saved.
    """
    from hornbeam.layers import Dense
    from hornbeam.models import Sequential, load_model

    rng = random.Random(seed)
    model = Sequential([Dense(64, input_shape=(64,)), Dense(64), Dense(3)])
    model.compile("adam", "mse")
    x = np.ones((2, 64), "float32")
    model.fit(x, np.ones((2, 3)), verbose=0)
    _save(model, path, x, 0)
    started = time.perf_counter()
    _save(model, path, x, 0)
    once = time.perf_counter() - started
    in_the_middle = 0
    for _ in range(times):
        child = os.fork()
        if child == 0:
            number = 0
            while True:
                number += 1
                _save(model, path, x, number)
        time.sleep(rng.uniform(0, 4 * once))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        loaded = load_model(path, verify=True)
        assert len({float(value) for array in loaded.get_weights() for value in array.ravel()}) == 1, "a mixture"
        for left in pathlib.Path(path).parent.glob("*.part"):
            in_the_middle += 1
            left.unlink()
    return in_the_middle


def _save(model, path: str, x: np.ndarray, number: int) -> None:
    model.set_weights([np.full(w.shape, number / 1024, "float32") for w in model.get_weights()])
    model.save(path, sample=x)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        for name in ("model.h5", "model.keras"):
            middle = kill_many(count, os.path.join(folder, name))
            print(
                f"{name}: killed {count} times, {middle} of them in the middle of a save; a whole file was always there"
            )
