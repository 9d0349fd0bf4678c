"""What ``import tensorflow`` gives under ``hornbeam run``: the functions of :mod:`hornbeam.tf`, and the usual preamble.

:func:`install` puts modules in place that look a name up when it is first asked for: among the preamble's lines (sessions,
seeds, memory, logging), in the table of :mod:`hornbeam.tf`, then among Keras's own (``tf.keras``, ``tf.losses``). Any other
name raises ``AttributeError``: Hornbeam runs Keras, not TensorFlow.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from .. import backend
from ..dialect import Dialect
from ..settings import settings
from . import preamble

#: What scripts ask for that is not here, and what does it: by a name or by the module that it is in.
INSTEAD = {
    "batch_to_space": "keras.layers.Reshape and Permute",
    "compat": "tf.compat.v1",
    "contrib": "keras.layers and keras.backend",
    "estimator": "keras.models.Model",
    "feature_column": "arrays and keras.layers.Embedding",
    "get_variable": "self.add_weight in a layer",
    "layers": "keras.layers",
    "lite": "model.save",
    "saved_model": "model.save and keras.models.load_model",
    "train": "model.compile, model.fit, and keras.callbacks",
    "trainable_variables": "model.trainable_weights",
}
#: Keras's modules that TensorFlow has under names of its own.
OF_KERAS = ("initializers", "losses", "metrics", "optimizers")
#: In ``tensorflow.python``, what the names of a module begin with in the public interface.
OPS = {
    "gfile": "gfile",
    "nn": "nn",
    "nn_ops": "nn",
    "math_ops": "math",
    "image_ops": "image",
    "random_ops": "random",
    "linalg_ops": "linalg",
}
#: TensorFlow's own modules, from which libraries of layers import functions.
INTERNAL = (
    "python", "python.distribute", "python.eager", "python.framework", "python.layers", "python.ops", "python.platform",
    "python.trackable", "python.training", "python.training.tracking", "python.util",
)  # fmt: skip
#: Where TensorFlow 1 and 2 differ, the dialect says whose ``tf.x`` is; these are always TensorFlow 2's.
OF_TENSORFLOW_2 = ("image.resize",)


def table() -> dict[str, Any]:
    return importlib.import_module("hornbeam.tf").NAMES


class Facade(ModuleType):
    """A module of TensorFlow. ``path`` is what follows ``tensorflow.`` or ``tensorflow.compat.v1.``."""

    def __init__(self, name: str, version: str, path: str, names: dict[str, Any]) -> None:
        super().__init__(name, "Hornbeam's stand-in for TensorFlow.")
        self.__path__: list[str] = []  # a package, so that `import tensorflow.x` comes to Finder
        self.__dict__.update(names)
        self._version = version
        self._tf_path = path

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":  # of `import *`
            return self._public()
        if name.startswith("__"):
            raise AttributeError(name)
        if name == "keras":
            return importlib.import_module("hornbeam")
        if name in ("v1", "v2") and self._tf_path == "compat":
            return importlib.import_module(f"{self.__name__}.{name}")
        key = f"{self._tf_path}.{name}".lstrip(".")
        for known in self._spellings(key, name):
            if known in table():
                value = self.__dict__[name] = table()[known]
                return value
        if self._tf_path in INTERNAL or self._tf_path.rpartition(".")[0] in INTERNAL:
            if name in preamble_modules()[""]:
                return preamble_modules()[""][name]
        keras = "initializers" if "init_ops" in self._tf_path else self._tf_path
        if keras in OF_KERAS:
            module = importlib.import_module(f"hornbeam.{keras}")
            if hasattr(module, name):
                return getattr(module, name)
        if is_module(key):
            return importlib.import_module(f"{self.__name__}.{name}")
        raise AttributeError(refusal(f"{self.__name__}.{name}", key, name))

    def _public(self) -> list[str]:
        """The names of the module itself, without those of modules in it."""
        inside = f"{self._tf_path}." if self._tf_path else ""
        served = [name.removeprefix(inside) for name in table() if name.startswith(inside)]
        names = [*(name for name in vars(self) if not name.startswith("_")), *served]
        return sorted({name for name in names if "." not in name})

    def _spellings(self, key: str, name: str) -> list[str]:
        """Where the table may have it, the likeliest first."""
        first, _, rest = self._tf_path.partition(".")
        if first == "python":
            prefix = OPS.get(rest.rpartition(".")[2])
            return [
                f"{prefix}.{name}",
                name,
                *(f"{p}.{name}" for p in ("math", "nn", "image", "nest", "lookup", "python")),
            ]
        newer = settings.dialect.newer_functions or key in OF_TENSORFLOW_2
        older = [] if self._version == "v2" or (not self._version and newer) else [f"compat.v1.{key}"]
        return [*older, key]


def refusal(full: str, key: str, name: str) -> str:
    """What is said where a name is not served, with what does the same."""
    instead = INSTEAD.get(name) or INSTEAD.get(key.partition(".")[0])
    if instead is None and hasattr(backend, name):
        instead = f"K.{name}"
    if instead is None:
        near = difflib.get_close_matches(key, [n for n in table() if not n.startswith("compat.")], 1, 0.75)
        instead = f"tf.{near[0]}" if near else None
    return (
        f"{full}: Hornbeam runs Keras, not TensorFlow. Of TensorFlow it has what Keras scripts usually call "
        f"(docs/tensorflow.md); write the rest with keras.backend." + (f" Here: {instead}." if instead else "")
    )


def is_module(path: str) -> bool:
    """Whether something is served in the module of that name."""
    if path in ("", "compat", *OF_KERAS) or path in INTERNAL or path.rpartition(".")[0] in INTERNAL:
        return True
    begins = f"{path}."
    return any(p == path or p.startswith(begins) for p in preamble_modules()) or any(
        n.startswith(begins) for n in table()
    )


class Finder(MetaPathFinder, Loader):
    """Gives the stand-ins for ``import tensorflow...`` and refuses every other module of TensorFlow by name."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "tensorflow":
            return None
        if not is_module(split(fullname)[1]):
            instead = INSTEAD.get(split(fullname)[1].partition(".")[0])
            hint = f" Here: {instead}." if instead else ""
            raise ModuleNotFoundError(f"{fullname}: Hornbeam runs Keras, not TensorFlow.{hint}", name=fullname)
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        version, path = split(spec.name)
        return Facade(spec.name, version, path, preamble_modules().get(path, {}))

    def exec_module(self, module: ModuleType) -> None: ...


def split(fullname: str) -> tuple[str, str]:
    """``tensorflow.compat.v1.nn`` is ``("v1", "nn")``."""
    path = fullname.partition(".")[2]
    for version in ("v1", "v2"):
        prefix = f"compat.{version}"
        if path == prefix or path.startswith(f"{prefix}."):
            return version, path[len(prefix) + 1 :]
    return "", path


@cache
def preamble_modules() -> dict[str, dict[str, Any]]:
    """Made once: what seeds or logs keeps its state."""
    return preamble.modules(settings.dialect)


def install(dialect: Dialect) -> None:
    """Let ``import tensorflow`` give the stand-in in this process. Aliases of Keras must be installed after it."""
    for name in [n for n in sys.modules if n.partition(".")[0] == "tensorflow"]:
        del sys.modules[name]
    preamble_modules.cache_clear()
    preamble_modules()
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
    sys.meta_path.insert(0, Finder())
