"""Runs a Keras script that is not touched at all: ``hornbeam run train.py --epochs 3``.

In the script, ``keras`` and ``tensorflow.keras`` are Hornbeam, ``tensorflow`` has the functions that Keras scripts call and
takes their usual first lines (``docs/tensorflow.md``), and the NumPy names of the time (np.bool, np.int, ...) are back.
"""

from __future__ import annotations

import argparse
import builtins
import importlib
import os
import runpy
import sys
from types import TracebackType

import numpy as np

from .. import backend
from ..graph import Recorder
from ..settings import settings
from . import aliases, tensorflow

#: NumPy had these names for Python's own types until 1.24.
NUMPY_NAMES = ("bool", "int", "float", "complex", "object", "str")

#: What Keras's own backend module had imported, and scripts took from there: K.tf.reduce_mean.
IN_BACKEND = {
    "tf": "tensorflow",
    "control_flow_ops": "tensorflow.python.ops.control_flow_ops",
    "tensor_array_ops": "tensorflow.python.ops.tensor_array_ops",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("script", help="the Python file")
    parser.add_argument("args", nargs=argparse.REMAINDER, help="what the script finds in sys.argv[1:]")


def main(args: argparse.Namespace) -> int:
    """Run the script as ``__main__``. Returns 1 after an exception, whose traceback begins in the script."""
    if not os.path.isfile(args.script):
        print(f"hornbeam run: no such file: {args.script}", file=sys.stderr)
        return 2
    prepare()
    sys.argv = [args.script, *args.args]
    sys.path[0] = os.path.dirname(os.path.abspath(args.script))
    try:
        runpy.run_path(args.script, run_name="__main__")
    except Exception as error:
        error.__traceback__ = from_script(error, args.script)
        sys.excepthook(type(error), error, error.__traceback__)  # as Python would: with its guess at a misspelt name
        return 1
    return 0


def prepare() -> None:
    """Make this process one in which old Keras code runs."""
    tensorflow.install()
    if os.environ.get("HORNBEAM_TF") == "2":
        settings.recorder = Recorder()
    aliases.install()
    for name, module in IN_BACKEND.items():
        vars(backend)[name] = vars(backend.tensorflow_backend)[name] = importlib.import_module(module)
    for name in NUMPY_NAMES:
        if name not in np.__dict__:
            setattr(np, name, getattr(builtins, name))


def from_script(error: Exception, script: str) -> TracebackType | None:
    """The error's traceback without the frames above the script's own, of which a SyntaxError in it has none."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != script:
        frame = frame.tb_next
    return frame
