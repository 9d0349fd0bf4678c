"""Makes ``keras`` another name for ``hornbeam``: ``keras.x.y`` is the same module object as ``hornbeam.x.y``."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

#: Packages whose whole tree is Hornbeam's.
NAMES = (
    "keras",
    "tensorflow.keras",
    "tensorflow.python.keras",
    "tensorflow.compat.v1.keras",
    "tensorflow.compat.v2.keras",
)


def target_of(name: str) -> str | None:
    """The Hornbeam module that ``name`` means, or None if it is no alias."""
    for alias in NAMES:
        if name == alias or name.startswith(alias + "."):
            return "hornbeam" + name[len(alias) :]
    return None


class AliasFinder(MetaPathFinder):
    """Finds ``keras.*`` where ``hornbeam.*`` is."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        name = target_of(fullname)
        if name is None or (name not in sys.modules and importlib.util.find_spec(name) is None):
            return None
        return ModuleSpec(fullname, AliasLoader(name))


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


def install() -> None:
    """Let every import of Keras give Hornbeam, in this process, also where Keras is installed."""
    for name in [n for n in sys.modules if target_of(n)]:
        del sys.modules[name]
    sys.meta_path.insert(0, AliasFinder())
    importlib.import_module("hornbeam").__name__ = "keras"  # code for both Kerases asks for it
