"""Hornbeam: Keras 2 on an engine of its own.

``import hornbeam as keras`` and everything is where Keras 2.3.1 had it. Submodules are imported when they are
first used.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator

from .lazy import lazy_attributes
from .version import KERAS_VERSION


def _refuse_subinterpreters() -> None:
    """Raise ImportError in one, before NumPy is imported: no other interpreter could import it any more."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # since Python 3.13, and before
        try:
            interpreters = importlib.import_module(name)
        except ImportError:
            continue
        if interpreters.get_current() != interpreters.get_main():
            from . import _core  # says what to do instead
        return


_refuse_subinterpreters()

__version__ = KERAS_VERSION  # scripts branch on it; in those of TensorFlow 2 it is another. Our own: hornbeam.version

_MODULES = (
    "activations", "applications", "backend", "callbacks", "constraints", "datasets", "engine", "initializers",
    "layers", "losses", "metrics", "models", "optimizers", "preprocessing", "regularizers", "utils", "wrappers",
)  # fmt: skip
_MORE_MODULES = ("config", "experimental", "graph", "legacy", "mixed_precision", "objectives", "saving", "version")
_NAMES = {
    "DeviceArray": "_core",
    "Input": "layers",
    "Model": "models",
    "Sequential": "models",
    "set_random_seed": "utils",
}

# `from keras import *` gave the modules, too.
__all__ = [
    *(name for name in _NAMES if name != "DeviceArray"), *_MODULES, "device", "install_as_keras", "set_num_threads",
]  # fmt: skip

__getattr__, __dir__ = lazy_attributes(globals(), _NAMES, (*_MODULES, *_MORE_MODULES))


def install_as_keras(tf: int | None = None) -> None:
    """Let ``import keras`` and the usual ``import tensorflow`` lines mean Hornbeam in this process.

    For notebooks, in their first cell; a script needs no change under ``hornbeam run``, which does the same.

    Args:
        tf: 1 or 2, the TensorFlow that the code means (docs/tensorflow.md). By default what the environment variable
            HORNBEAM_TF says; else what the names say that the calling file uses; and 2 in a notebook.

    Raises:
        ValueError: ``tf``, or HORNBEAM_TF, is something else.
    """
    from .cli import run

    run.prepare(run.dialect_for(tf, sys._getframe(1).f_globals.get("__file__")).number)


def set_num_threads(count: int) -> None:
    """Set how many threads kernels use. Results do not depend on it."""
    from . import _core

    _core.set_num_threads(count)


@contextlib.contextmanager
def device(name: str) -> Iterator[None]:
    """Run what this thread runs in the block on a device: ``with hornbeam.device("cpu"): model.fit(x, y)``.

    It is where a model runs that counts, not where it was built: weights go along with the run. Other threads, those
    started in the block among them, run where they would anyway: on the device of ``hornbeam.config.set_device``, else
    on the one that the environment variable ``HORNBEAM_DEVICE`` names, else on the CPU.

    Args:
        name: one of the devices that ``hornbeam info`` lists.

    Raises:
        ValueError: if this machine has no such device.
    """
    from . import _core

    before = _core.set_device(name)
    try:
        yield
    finally:
        _core.set_device(before)
