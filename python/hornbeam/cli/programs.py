"""What ``hornbeam run`` can run: a file, a notebook, a module, standard input."""

from __future__ import annotations

import ast
import json
import linecache
import os
import runpy
import sys
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, PathFinder
from types import CodeType, ModuleType
from typing import Any, ClassVar

from .which_tensorflow import Source

MOST_BYTES_OF_A_NOTEBOOK = 200_000_000  # it has its pictures inside


class CannotRun(ValueError):
    """There is no such program, or it is not one of Python; the message says which."""


@dataclass
class Program:
    """Something that runs as ``__main__``.

    Attributes:
        name: what is ``sys.argv[0]``.
        folder: where its imports look first.
        source: what the choice of a TensorFlow is read from.
        is_file: whether Python finds the lines of its code in a file.
    """

    name: str
    folder: str
    source: Source
    is_file: ClassVar[bool] = True

    def run(self) -> None:
        raise NotImplementedError

    def owns(self, filename: str) -> bool:
        """Whether code of that file name is the program's own."""
        return filename == self.name


class Script(Program):
    """A Python file."""

    def __init__(self, path: str) -> None:
        folder = _folder_of(path)
        super().__init__(path, folder, Source(path, _read(path), folder))

    def run(self) -> None:
        runpy.run_path(self.name, run_name="__main__")


class Module(Program):
    """``-m package.module``."""

    def __init__(self, name: str) -> None:
        folder = os.getcwd()
        spec = _spec(name, [folder, *sys.path])
        self.file = spec.origin if spec is not None and spec.has_location and spec.origin else ""
        text = _read(self.file) if self.file.endswith(".py") else ""
        super().__init__(name, folder, Source(self.file or name, text, folder))

    def run(self) -> None:
        runpy.run_module(self.name, run_name="__main__", alter_sys=True)

    def owns(self, filename: str) -> bool:
        return filename == self.file


def _spec(name: str, path: list[str] | None) -> ModuleSpec | None:
    """Where a module is, without the import of the packages around it that ``importlib.util.find_spec`` does."""
    spec = None
    begun = ""
    for part in name.split("."):
        begun = f"{begun}.{part}".lstrip(".")
        spec = PathFinder.find_spec(begun, path)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations or [])
    if path:  # a package: what runs is its __main__
        return PathFinder.find_spec(f"{begun}.__main__", path)
    return spec


class Input(Program):
    """``-``: a program from standard input."""

    is_file = False

    def __init__(self) -> None:
        self.text = sys.stdin.read()
        super().__init__("-", "", Source("<stdin>", self.text, os.getcwd()))

    def run(self) -> None:
        _run_as_main([_compiled(self.text, "<stdin>")])

    def owns(self, filename: str) -> bool:
        return filename == "<stdin>"


class Notebook(Program):
    """The code cells of a Jupyter notebook, in order. Magics and shell commands are left out, and named on stderr."""

    is_file = False

    def __init__(self, path: str) -> None:
        folder = _folder_of(path)
        cells = [read_cell(text) for text in _code_cells(path)]
        notes = [line for cell in cells for line in cell.ignored]
        super().__init__(path, folder, Source(path, "\n".join(cell.text for cell in cells), folder, notes))
        self.cells = cells

    def run(self) -> None:
        for number, cell in enumerate(self.cells, 1):
            for line in cell.ignored:
                print(f"hornbeam run: {self.name}, cell {number}: left out: {line.strip()}", file=sys.stderr)
        _run_as_main(
            (_compiled(cell.text, f"{self.name}, cell {number}") for number, cell in enumerate(self.cells, 1)),
            display=print,
        )

    def owns(self, filename: str) -> bool:
        return filename.startswith(f"{self.name}, cell ")


def _folder_of(path: str) -> str:
    """The folder of a file.

    Raises:
        CannotRun: there is no such file.
    """
    if not os.path.isfile(path):
        raise CannotRun(f"no such file: {path}")
    return os.path.dirname(os.path.abspath(path))


def _read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read().decode("utf-8", "replace")


def _compiled(text: str, filename: str) -> CodeType:
    """The code, whose lines tracebacks show."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    return compile(text, filename, "exec", dont_inherit=True)


def _run_as_main(codes: Any, **names: Any) -> None:
    main = sys.modules["__main__"] = ModuleType("__main__")
    vars(main).update(__builtins__=__builtins__, **names)
    for code in codes:
        exec(code, vars(main))


# -- notebooks -----------------------------------------------------------------------------------------------------
def _code_cells(path: str) -> list[str]:
    """The texts of the code cells.

    Raises:
        CannotRun: the file is not a notebook, or one of another language.
    """
    if os.path.getsize(path) > MOST_BYTES_OF_A_NOTEBOOK:
        raise CannotRun(f"{path} is too large for a notebook")
    try:
        notebook = json.loads(_read(path))
        about = notebook.get("metadata", {})
        language = about.get("language_info", {}).get("name") or about.get("kernelspec", {}).get("language") or "python"
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]  # formats 4 and 3
        texts = [cell.get("source", cell.get("input")) for cell in cells if cell["cell_type"] == "code"]
        texts = [text if isinstance(text, str) else "".join(text) for text in texts]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise CannotRun(f"{path} is not a notebook: {type(error).__name__}: {error!s:.80}") from error
    if not str(language).lower().startswith(("python", "ipython")):
        raise CannotRun(f"{path} is a notebook of {language!r:.40}, not of Python")
    return texts


@dataclass
class Cell:
    """A code cell as plain Python, and the lines of IPython's that were left out."""

    text: str
    ignored: list[str] = field(default_factory=list)


#: Cell magics whose cell is Python, which runs; that of any other is left out.
_AROUND_PYTHON = ("time", "timeit", "capture", "prun", "memit", "python", "python3")
#: Line magics before a statement, which runs.
_BEFORE_PYTHON = ("%time ", "%timeit ", "%prun ", "%memit ")


def read_cell(text: str) -> Cell:
    """A cell without magics (``%matplotlib``, ``%%bash``), commands (``!pip``) and questions (``model?``).

    What is IPython's is found by Python's own parser: a line is taken for it only where Python cannot read it, so that the
    ``%`` of a formula over several lines stays. A cell that neither can read stays as it is, and raises when it runs.
    """
    lines, ignored = text.splitlines(), []
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].startswith("%%"):
        ignored.append(lines[first])
        if lines[first][2:].split(" ")[0] not in _AROUND_PYTHON:
            return Cell("", ignored)
        lines[first] = ""
    for _ in range(len(lines) + 1):
        try:
            ast.parse("\n".join(lines))
            break
        except SyntaxError as error:
            place = (error.lineno or 0) - 1
            if not 0 <= place < len(lines) or not _is_ipythons(lines[place]):
                break
            ignored.append(lines[place])
            lines[place] = _python_of(lines[place])
        except (ValueError, RecursionError, MemoryError):
            break
    return Cell("\n".join(lines) + "\n", ignored)


def _is_ipythons(line: str) -> bool:
    bare = line.strip()
    assigned = bare.partition("=")[2].lstrip()
    return bare.startswith(("%", "!", "?")) or bare.endswith("?") or assigned.startswith(("%", "!"))


def _python_of(line: str) -> str:
    """What is left of a line of IPython's: the statement behind ``%time``, else nothing."""
    indent = line[: len(line) - len(line.lstrip())]
    for magic in _BEFORE_PYTHON:
        if line.lstrip().startswith(magic):
            return indent + line.lstrip()[len(magic) :].lstrip()
    return indent + "pass"
