"""Makes ``keras`` another name for ``hornbeam``: ``keras.x.y`` is the same module object as ``hornbeam.x.y``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from ..dialect import Dialect
from . import star_names

Contents = tuple[str, dict[str, str]]

#: Packages whose whole tree is Hornbeam's, those inside of others first.
KERAS = {
    "keras.src": "hornbeam",
    "tf_keras.src": "hornbeam",
    "keras.api._v2.keras": "hornbeam",
    "keras": "hornbeam",
    "tf_keras": "hornbeam",
    "tensorflow.keras": "hornbeam",
    "tensorflow.python.keras": "hornbeam",
    "tensorflow.compat.v1.keras": "hornbeam",
    "tensorflow.compat.v2.keras": "hornbeam",
}
#: Modules that tf.keras has and Keras 2.3.1 does not, from which libraries import: where their contents are here, and which
#: of them have another name.
MOVED: dict[str, Contents] = {
    "api": ("", {}),
    "api._v2": ("", {}),
    "backend_config": ("backend", {}),
    "callbacks_v1": ("callbacks", {}),
    "engine.base_layer_v1": ("engine.base_layer", {}),
    "engine.base_preprocessing_layer": ("layers.preprocessing", {}),
    "engine.functional": ("engine.training", {"Functional": "Model"}),
    "engine.keras_tensor": ("graph", {"KerasTensor": "Tensor"}),
    "engine.training_v1": ("engine.training", {}),
    "layers.dense_attention": ("layers.attention", {}),
    "layers.recurrent_v2": ("layers.recurrent", {}),
    "layers.serialization": ("layers", {}),
    "mixed_precision.experimental": ("mixed_precision", {"set_policy": "set_global_policy"}),
    "optimizer_v1": ("optimizers", {}),
    "optimizer_v2.learning_rate_schedule": ("optimizers.schedules", {}),
    "saving.hdf5_format": ("engine.saving", {"save_model_to_hdf5": "save_model", "load_model_from_hdf5": "load_model"}),
    "saving.object_registration": ("utils.generic_utils", {}),
    "saving.save": ("engine.saving", {}),
    "saving.saving_lib": ("engine.saving", {}),
    "utils.all_utils": ("utils", {}),
    "utils.training_utils": ("utils", {}),
}
_LAYERS = (
    "activation", "attention", "convolutional", "core", "locally_connected", "merging", "normalization", "pooling",
    "preprocessing", "regularization", "reshaping", "rnn",
)  # fmt: skip
#: Packages of tf.keras, and what all modules inside have: ``optimizer_v2.adam``, ``layers.rnn.lstm``. Those that are not
#: modules of Hornbeam have it themselves.
PACKAGES: dict[str, Contents] = {
    **{f"layers.{name}": ("layers", {}) for name in _LAYERS},
    "optimizer_v2": ("optimizers.legacy", {"OptimizerV2": "Optimizer"}),
    "optimizers.experimental": ("optimizers.experimental", {}),
    "optimizers.legacy": ("optimizers.legacy", {"OptimizerV2": "Optimizer"}),
    "optimizers.optimizer_experimental": ("optimizers.experimental", {}),
    "optimizers.optimizer_v2": ("optimizers.legacy", {"OptimizerV2": "Optimizer"}),
    "optimizers.schedules": ("optimizers.schedules", {}),
    "saving.legacy": ("engine.saving", {}),
}
_PARENTS = {*PACKAGES, *(name.rpartition(".")[0] for name in MOVED)}
#: What was installed along with Keras 2.3.1, so that scripts could count on it.
COMPANIONS = {"keras_applications": "hornbeam.applications", "keras_preprocessing": "hornbeam.preprocessing"}


def target_of(name: str, aliases: dict[str, str] = KERAS) -> str | None:
    """The Hornbeam module that ``name`` means, or None if it is not an alias."""
    for alias, module in aliases.items():
        if name == alias or name.startswith(alias + "."):
            return module + name[len(alias) :]
    return None


def moved(name: str) -> Contents | None:
    """The module that has the contents of ``name``, one of Hornbeam's as tf.keras would call it, and what is renamed."""
    path = name.partition(".")[2]
    found = MOVED.get(path) or PACKAGES.get(path.rpartition(".")[0])
    return found or (None if _is_there(name) else PACKAGES.get(path))


def _is_there(name: str) -> bool:
    return name in sys.modules or importlib.util.find_spec(name) is not None


class Moved(ModuleType):
    """A module whose contents are in another one."""

    def __init__(self, name: str, contents: str, renamed: dict[str, str]) -> None:
        self._contents, self._renamed = f"hornbeam.{contents}".rstrip("."), renamed
        super().__init__(name, f"What tf.keras has here is in {self._contents}.")
        self.__path__: list[str] = []  # a package, so that what is inside comes to AliasFinder

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self._contents), self._renamed.get(name, name))


class AliasFinder(MetaPathFinder):
    """Finds ``keras.*`` where ``hornbeam.*`` is."""

    def __init__(self, aliases: dict[str, str]) -> None:
        self.aliases = aliases

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = target_of(fullname, self.aliases)
        if name is not None and (place := moved(name)) is not None:
            return ModuleSpec(fullname, MovedLoader(fullname, *place), is_package=True)
        if name is None or not _is_there(name):
            return None
        return ModuleSpec(fullname, AliasLoader(name))


class CompanionFinder(AliasFinder):
    """Finds what came along with Keras, where it is not installed itself."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root = fullname.partition(".")[0]
        if root not in self.aliases or PathFinder.find_spec(root) is not None:
            return None
        return super().find_spec(fullname, path, target)


class AliasLoader(Loader):
    """Loads an alias as the module object that is already there."""

    def __init__(self, target: str) -> None:
        self.target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.target)
        star_names.add(module)
        if self.target.partition(".")[2] in _PARENTS:
            vars(module).setdefault("__path__", [])  # a package, so that what is inside comes to AliasFinder
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the alias's spec over the module's own.
        module.__spec__ = self.own_spec


class MovedLoader(Loader):
    """Makes a :class:`Moved` module."""

    def __init__(self, name: str, contents: str, renamed: dict[str, str]) -> None:
        self.module = Moved(name, contents, renamed)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None: ...


def install(dialect: Dialect) -> None:
    """Let every import of Keras give Hornbeam, in this process, also where Keras is installed."""
    for name in [n for n in sys.modules if target_of(n)]:
        del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, AliasFinder)]
    sys.meta_path.insert(0, AliasFinder(KERAS))
    sys.meta_path.insert(1, CompanionFinder(COMPANIONS))
    vars(importlib.import_module("hornbeam")).update(__name__="keras", __version__=dialect.keras)  # code asks for both
