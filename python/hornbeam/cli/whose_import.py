"""Who imports TensorFlow: the user's code and libraries for Keras get the stand-in, other libraries what is installed.

Tensorboard, transformers and others look whether TensorFlow is there and then use far more of it than Keras scripts do. They
shall find what they would find without Hornbeam: nothing, or the TensorFlow that is installed. What is asked for by ``import``,
``importlib.import_module`` and ``importlib.util.find_spec`` therefore depends on the module that asks.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from importlib.machinery import PathFinder
from pathlib import PurePath
from typing import Any

TENSORFLOW = "tensorflow"
#: What TensorFlow itself imports under a name that is Hornbeam's here.
KERAS = ("keras", "tf_keras")
#: Folders of installed packages.
INSTALLED = ("site-packages", "dist-packages")
#: A requirement of a library for Keras: ``Keras (>=2.2)``, ``tensorflow-gpu``, ``keras_applications``.
REQUIREMENT = re.compile(r"\s*(tf[-_.])?(keras|tensorflow)\b", re.IGNORECASE)
#: Names of libraries for Keras or TensorFlow.
NAMES = re.compile(r"keras|^(tf|tensorflow)_", re.IGNORECASE)


def is_outsider(asking: dict[str, Any]) -> bool:
    """Whether a module, of which these are the globals, is an installed library that is not one for Keras."""
    name, file = asking.get("__name__"), asking.get("__file__")
    if not isinstance(name, str) or not isinstance(file, str) or name == "__main__":
        return False
    return _is_outsider(name, file)


@cache
def _is_outsider(name: str, file: str) -> bool:
    package = name.partition(".")[0]
    if package == "hornbeam" or not any(folder in PurePath(file).parts for folder in INSTALLED):
        return False
    if package == TENSORFLOW:
        return True
    return not (NAMES.search(name) or _requires_keras(package) or _imports_keras(file))


def _requires_keras(package: str) -> bool:
    """Whether what a package was installed by needs Keras or TensorFlow in any case."""
    from importlib import metadata  # slow to import, and most scripts do not come here

    try:
        requirements = metadata.requires(package)
    except metadata.PackageNotFoundError:  # installed under another name
        names = metadata.packages_distributions().get(package, [])
        requirements = [need for name in names for need in metadata.requires(name) or []]
    return any(REQUIREMENT.match(need) and "extra ==" not in need for need in requirements or [])


def _imports_keras(file: str) -> bool:
    """Whether a module cannot do without Keras: it imports it, and not just in a function or where it is there."""
    try:
        with open(file, "rb") as source:
            body = ast.parse(source.read()).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    names = [a.name for node in body if isinstance(node, ast.Import) for a in node.names]
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [f"{node.module}.{a.name}" for a in node.names]
    return any(f"{name}.".startswith(("keras.", "tensorflow.keras.")) for name in names)


class Gate:
    """Answers imports of outsiders.

    Args:
        is_ours: whether a finder in ``sys.meta_path`` is one of the stand-in's.
    """

    def __init__(self, is_ours: Callable[[Any], bool]) -> None:
        self.is_ours = is_ours
        self.lock = threading.RLock()
        self.depth = 0
        #: The modules of the TensorFlow that is installed, as far as they are imported.
        self.installed: dict[str, Any] = {}

    def concerns(self, name: str, asking: dict[str, Any]) -> bool:
        """Whether a module asks for something that the stand-in has under that name, and shall not get."""
        root = name.partition(".")[0]
        if root == TENSORFLOW:
            return is_outsider(asking)
        return root in KERAS and str(asking.get("__name__")).partition(".")[0] == TENSORFLOW and is_outsider(asking)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """In the block, ``sys`` has the modules and finders that it would have without Hornbeam."""
        with self.lock:
            if self.depth == 0:
                self.modules, self.finders = _taken(), list(sys.meta_path)
                sys.meta_path[:] = [finder for finder in sys.meta_path if not self.is_ours(finder)]
                sys.modules.update(self.installed)
            self.depth += 1
            try:
                yield
            finally:
                self.depth -= 1
                if self.depth == 0:
                    self.installed = _taken()
                    sys.modules.update(self.modules)
                    sys.meta_path[:] = self.finders


def _taken() -> dict[str, Any]:
    """The modules of TensorFlow and Keras, which are taken out of ``sys.modules``."""
    names = [name for name in sys.modules if name.partition(".")[0] in (TENSORFLOW, *KERAS)]
    return {name: sys.modules.pop(name) for name in names}


def install(is_ours: Callable[[Any], bool]) -> None:
    """Put a gate before the three ways to ask for a module."""
    gate = Gate(is_ours)
    of_python: Any = _original(builtins.__import__)
    import_module, find_spec = _original(importlib.import_module), _original(importlib.util.find_spec)

    @wraps(of_python)
    def guarded_import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        if level or not globals or not name.startswith((TENSORFLOW, *KERAS)) or not gate.concerns(name, globals):
            return of_python(name, globals, locals, fromlist, level)
        if not _is_installed(name):
            raise _missing(name)
        with gate.opened():
            return of_python(name, globals, locals, fromlist, level)

    @wraps(import_module)
    def guarded_import_module(name: str, package: str | None = None) -> Any:
        if not gate.concerns(name, sys._getframe(1).f_globals):
            return import_module(name, package)
        if not _is_installed(name):
            raise _missing(name)
        with gate.opened():
            return import_module(name, package)

    @wraps(find_spec)
    def guarded_find_spec(name: str, package: str | None = None) -> Any:
        if not gate.concerns(name, sys._getframe(1).f_globals):
            return find_spec(name, package)
        if not _is_installed(name):
            if "." in name:
                raise _missing(name)
            return None
        with gate.opened():
            return find_spec(name, package)

    builtins.__import__ = guarded_import
    importlib.import_module = guarded_import_module
    importlib.util.find_spec = guarded_find_spec


def _original(function: Callable) -> Callable:
    """The function behind a gate of an earlier installation."""
    code = getattr(function, "__code__", None)
    return vars(function)["__wrapped__"] if code is not None and code.co_filename == __file__ else function


def _is_installed(name: str) -> bool:
    return PathFinder.find_spec(name.partition(".")[0]) is not None


def _missing(name: str) -> ModuleNotFoundError:
    root = name.partition(".")[0]
    return ModuleNotFoundError(f"No module named {root!r}", name=root)
