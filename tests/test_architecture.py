"""Who imports whom, read from the source: imports inside functions count, those for type checkers alone do not.

A package that hands out its parts when they are asked for (``lazy.py``) and the lists of modules in ``utils/registry.py`` are data,
not imports.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hornbeam
import pytest

Imports = dict[str, set[str]]

#: Pairs of files that import each other, each with the reason why Keras's names leave no other way.
PAIRS = {
    ("backend", "backend.tensorflow_backend"): "keras.backend.tensorflow_backend has the names of keras.backend, whose "
    "attribute it is",
    (
        "layers.recurrent",
        "legacy.recurrent",
    ): "keras.layers.recurrent.Recurrent, a class of Keras 1, is made of RNN there",
}

#: What the lowest rooms import of the others.
LOWEST = {
    "dialect": set(),
    "other_names": set(),
    "settings": {"dialect"},
    "graph": {"_core", "settings"},
    "backend": {"graph", "other_names", "settings"},
}


def imports_of(package: Path) -> Imports:
    """The modules that each module of a package imports, by their names in it; the package itself is ``''``."""
    files = {module_name(package, path): path for path in sorted(package.rglob("*.py"))}
    return {name: set(imported(path, name, package.name, set(files))) for name, path in files.items()}


def module_name(package: Path, path: Path) -> str:
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path, name: str, root: str, modules: set[str]) -> Iterator[str]:
    inside = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = [root, *inside.split(".")] if inside else [root]
            start = above[: len(above) + 1 - node.level] if node.level else []
            source = ".".join([*start, *([node.module] if node.module else [])])
            wanted = [f"{source}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in wanted:
            if f"{target}.".startswith(f"{root}."):
                own = target[len(root) + 1 :]
                # `from .module import name` is an import of the module, `from . import module` of the module, too
                yield own if own in modules or own == "_core" else own.rpartition(".")[0]


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes, without the bodies of ``if TYPE_CHECKING:``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield other
                yield from statements(other)
        else:
            yield node
            yield from statements(node)


def reachable(imports: Imports, start: str) -> set[str]:
    """What a module imports, and what that imports, and so on."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = imports.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def circles(imports: Imports) -> set[tuple[str, ...]]:
    """The sets of modules that reach each other."""
    reached = {name: reachable(imports, name) for name in imports}
    found = {tuple(sorted({name, *(m for m in reached[name] if name in reached.get(m, ()))})) for name in imports}
    return {circle for circle in found if len(circle) > 1}


@pytest.fixture(scope="module")
def imports() -> Imports:
    return imports_of(Path(hornbeam.__file__).parent)


def test_no_circle_but_the_pairs_that_names_of_keras_force(imports):
    assert circles(imports) == set(PAIRS)
    assert all(len(pair) == 2 for pair in PAIRS)


def test_the_registry_is_a_leaf(imports):
    below = {"dialect", "settings", "utils.generic_utils", "utils.io_messages", "utils.messages", "utils.progbar"}
    assert reachable(imports, "utils.registry") <= below


@pytest.mark.parametrize("room", LOWEST)
def test_the_lowest_rooms_import_nothing_above(imports, room):
    def room_of(module: str) -> str:
        return module.split(".")[0]

    others = {room_of(m) for name, found in imports.items() if room_of(name) == room for m in found} - {room}
    assert others == LOWEST[room]


def test_circles_are_seen_wherever_the_import_stands(tmp_path):
    files = {
        "__init__.py": "from .a import x",
        "a.py": "def f():\n    from .sub.b import y\n",
        "sub/__init__.py": "",
        "sub/b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import d\nelse:\n    from . import c\n",
        "sub/c.py": "class C:\n    def f(self):\n        import house.a\n",
        "sub/d.py": "from ..a import x\nfrom .b import y\nimport os.path\nfrom house import z\n",
    }
    for name, text in files.items():
        path = tmp_path / "house" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = imports_of(tmp_path / "house")
    assert found == {
        "": {"a"},
        "a": {"sub.b"},
        "sub": set(),
        "sub.b": {"sub.c"},
        "sub.c": {"a"},
        "sub.d": {"a", "sub.b", ""},
    }
    assert circles(found) == {("a", "sub.b", "sub.c")}


EACH_FIRST = """
import os, sys
import h5py, numpy
for name in sys.argv[1:]:
    if os.fork() == 0:
        __import__(f"hornbeam.{name}")
        os._exit(0)
    if os.wait()[1]:
        print(name)
"""


def test_each_module_may_be_the_first_that_a_script_imports():
    """Circles that end well in one order may not in another."""
    names = [*hornbeam._MODULES, *hornbeam._MORE_MODULES]
    command = [sys.executable, "-W", "ignore", "-c", EACH_FIRST, *names]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("", 0), run.stderr
