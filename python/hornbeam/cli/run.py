"""Runs a Keras program that is not touched at all: ``hornbeam run train.py --epochs 3``.

In it, ``keras`` and ``tensorflow.keras`` are Hornbeam, ``tensorflow`` has the functions that Keras scripts call and
takes their usual first lines (``docs/tensorflow.md``), and the NumPy names of the time (np.bool, np.int, ...) are back.
The names that it uses say whether it means TensorFlow 1 or 2; --tf or the environment variable HORNBEAM_TF override that.
"""

from __future__ import annotations

import argparse
import builtins
import importlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import numpy as np

from .. import backend
from ..dialect import DIALECTS, Dialect
from ..graph import Recorder
from ..settings import settings
from . import aliases, children, programs, tensorflow, whose_import
from .which_tensorflow import Choice, choose

#: Where the code of Python and of installed packages is.
LIBRARIES = (os.path.dirname(os.__file__) + os.sep, os.path.dirname(os.path.dirname(np.__file__)) + os.sep, "<frozen ")

#: NumPy had these names for Python's own types until 1.24.
NUMPY_NAMES = ("bool", "int", "float", "complex", "object", "str")

#: What Keras's own backend module had imported, and scripts took from there: K.tf.reduce_mean.
IN_BACKEND = {
    "tf": "tensorflow",
    "control_flow_ops": "tensorflow.python.ops.control_flow_ops",
    "tensor_array_ops": "tensorflow.python.ops.tensor_array_ops",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tf", choices=sorted(DIALECTS), help="the TensorFlow that the program means")
    parser.add_argument("-v", "--verbose", action="store_true", help="say which TensorFlow that is, and why")
    parser.add_argument("-m", dest="is_module", action="store_true", help="the program is a module's name")
    parser.add_argument("program", help="a Python file, a notebook (.ipynb), or - for standard input")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="what the program finds in sys.argv[1:]")


def main(args: argparse.Namespace) -> int:
    """Run the program as ``__main__``. Returns 1 after an exception, whose traceback begins in the program."""
    try:
        program = _program(args)
        chosen = _chosen(args.tf) or choose(program.source)
    except (programs.CannotRun, OSError) as error:
        print(f"hornbeam run: {error}", file=sys.stderr)
        return 2
    if args.verbose:
        print(f"hornbeam run: TensorFlow {chosen.dialect.tensorflow}: {chosen.why}", file=sys.stderr)
    prepare(chosen.dialect.number)
    sys.argv = [program.name, *args.args]
    sys.path[0] = program.folder
    try:
        program.run()
    except Exception as error:
        show(error, from_program(error, program), program.is_file)
        return 1
    except KeyboardInterrupt as interrupt:
        show(interrupt, without_own_frames(from_program(interrupt, program)), program.is_file)
        sys.excepthook = _nothing_more
        raise  # so that the process ends by the signal, which the shell around it wants to know
    return 0


def _program(args: argparse.Namespace) -> programs.Program:
    if args.is_module:
        return programs.Module(args.program)
    if args.program == "-":
        return programs.Input()
    return (programs.Notebook if args.program.endswith(".ipynb") else programs.Script)(args.program)


def _chosen(option: str | None) -> Choice | None:
    """The dialect that the command or the environment names.

    Raises:
        CannotRun: HORNBEAM_TF is something else than 1 or 2.
    """
    if option is not None:
        return Choice(DIALECTS[option], f"--tf {option}")
    number = os.environ.get("HORNBEAM_TF")
    if not number:
        return None
    if number not in DIALECTS:
        raise programs.CannotRun(f"HORNBEAM_TF is {number!r:.40}, and has to be {' or '.join(DIALECTS)}")
    return Choice(DIALECTS[number], f"HORNBEAM_TF={number}")


def prepare(number: int) -> None:
    """Make this process, and those it starts, one in which old Keras code runs.

    Args:
        number: 1 or 2, the TensorFlow that it means.
    """
    dialect = settings.dialect = DIALECTS[str(number)]
    settings.recorder = Recorder(_convert) if dialect.eager else None
    tensorflow.install(dialect)
    aliases.install(dialect)
    whose_import.install(lambda finder: isinstance(finder, (tensorflow.Finder, aliases.AliasFinder)))
    children.install(prepare, number)
    for name, module in IN_BACKEND.items():
        vars(backend)[name] = vars(backend.tensorflow_backend)[name] = importlib.import_module(module)
    for name in NUMPY_NAMES:
        if name not in np.__dict__:
            setattr(np, name, getattr(builtins, name))


def dialect_for(number: int | None, file: str | None) -> Dialect:
    """The dialect for a process that runs already: what is asked for, what the environment says, or what a file means.

    Args:
        number: 1 or 2, if it is asked for.
        file: the code's file. An interactive session has none; it is taken for one of today, of TensorFlow 2.

    Raises:
        ValueError: the number, or HORNBEAM_TF, is not 1 or 2.
    """
    if number is not None and str(number) not in DIALECTS:
        raise ValueError(f"tf={number!r:.40}: the TensorFlow that a program means is 1 or 2.")
    chosen = _chosen(None if number is None else str(number))
    if chosen is not None:
        return chosen.dialect
    if file is not None and os.path.isfile(file):
        return choose(programs.Script(file).source).dialect
    return DIALECTS["2"]


# -- tracebacks -----------------------------------------------------------------------------------------------------
def show(error: BaseException, frames: TracebackType | None, is_file: bool) -> None:
    """Print it as Python would: with its guess at a misspelt name, or by the script's own hook."""
    error.__traceback__ = frames
    if is_file or sys.excepthook is not sys.__excepthook__:
        sys.excepthook(type(error), error, frames)
    else:
        traceback.print_exception(error)  # which finds the lines of what is not a file, as Python's own hook does not


def from_program(error: BaseException, program: programs.Program) -> TracebackType | None:
    """The error's traceback without the frames above the program's own, of which a SyntaxError in it has none.

    The frames of ``import`` statements that pass through :mod:`.whose_import` are left out as well.
    """
    frame = error.__traceback__
    while frame is not None and not program.owns(frame.tb_frame.f_code.co_filename):
        frame = frame.tb_next
    return chained([f for f in frames_of(frame) if f.tb_frame.f_code.co_filename != whose_import.__file__])


def without_own_frames(frame: TracebackType | None) -> TracebackType | None:
    """Without the frames inside of Hornbeam, and of what it calls there: an interrupt is not about where in there it came."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
    kept, inside = [], False
    for one in frames_of(frame):
        file = one.tb_frame.f_code.co_filename
        inside = file.startswith(own) or (inside and file.startswith(LIBRARIES))
        if not inside:
            kept.append(one)
    return chained(kept)


def frames_of(frame: TracebackType | None) -> Iterator[TracebackType]:
    while frame is not None:
        yield frame
        frame = frame.tb_next


def chained(frames: list[TracebackType]) -> TracebackType | None:
    """A traceback of these frames alone."""
    rest = None
    for kept in reversed(frames):
        rest = TracebackType(rest, kept.tb_frame, kept.tb_lasti, kept.tb_lineno)
    return rest


def _nothing_more(*error: Any) -> None:
    """An excepthook for what is shown already."""


def _convert(function: Callable) -> Callable | None:
    return importlib.import_module("hornbeam.tf.autograph").convert(function)
