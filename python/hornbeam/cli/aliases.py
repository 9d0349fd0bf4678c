"""Makes ``keras`` another name for ``hornbeam``: ``keras.x.y`` is the same module object as ``hornbeam.x.y``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from ..dialect import Dialect

#: Packages whose whole tree is Hornbeam's.
KERAS = {
    "keras": "hornbeam",
    "tensorflow.keras": "hornbeam",
    "tensorflow.python.keras": "hornbeam",
    "tensorflow.compat.v1.keras": "hornbeam",
    "tensorflow.compat.v2.keras": "hornbeam",
}
#: What was installed along with Keras 2.3.1, so that scripts could count on it.
COMPANIONS = {"keras_applications": "hornbeam.applications", "keras_preprocessing": "hornbeam.preprocessing"}


def target_of(name: str, aliases: dict[str, str] = KERAS) -> str | None:
    """The Hornbeam module that ``name`` means, or None if it is no alias."""
    for alias, module in aliases.items():
        if name == alias or name.startswith(alias + "."):
            return module + name[len(alias) :]
    return None


class AliasFinder(MetaPathFinder):
    """Finds ``keras.*`` where ``hornbeam.*`` is."""

    def __init__(self, aliases: dict[str, str]) -> None:
        self.aliases = aliases

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = target_of(fullname, self.aliases)
        if name is None or (name not in sys.modules and importlib.util.find_spec(name) is None):
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
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the alias's spec over the module's own.
        module.__spec__ = self.own_spec


def install(dialect: Dialect) -> None:
    """Let every import of Keras give Hornbeam, in this process, also where Keras is installed."""
    for name in [n for n in sys.modules if target_of(n)]:
        del sys.modules[name]
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, AliasFinder)]
    sys.meta_path.insert(0, AliasFinder(KERAS))
    sys.meta_path.insert(1, CompanionFinder(COMPANIONS))
    vars(importlib.import_module("hornbeam")).update(__name__="keras", __version__=dialect.keras)  # code asks for both
