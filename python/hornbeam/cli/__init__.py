"""The ``hornbeam`` command: ``demo``, ``run``, ``inspect``, ``info``, ``bench``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from ..version import __version__

#: Subcommand to the module that has its ``add_arguments(parser)`` and ``main(args)``, and its line in the help.
COMMANDS = {
    "demo": (
        "hornbeam.cli.demo",
        "train a small network on handwritten digits, save it, load it, show what it misread",
    ),
    "run": ("hornbeam.cli.run", "run a Keras script as it is"),
    "inspect": ("hornbeam.cli.inspect", "show what a model file holds, executing nothing"),
    "info": ("hornbeam.cli.info", "say what this installation can do on this machine"),
    "bench": ("hornbeam.bench.command", "measure ops, and show their share of what the machine can do"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status."""
    parser = argparse.ArgumentParser(prog="hornbeam", description="Keras 2 on an engine of its own.")
    parser.add_argument("--version", action="version", version=f"hornbeam {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (module, text) in COMMANDS.items():
        command = importlib.import_module(module)
        subparser = commands.add_parser(name, help=text, description=command.__doc__)
        subparser.formatter_class = argparse.RawDescriptionHelpFormatter
        command.add_arguments(subparser)
        subparser.set_defaults(main=command.main)
    args = parser.parse_args(argv)
    try:
        status = args.main(args)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered has nowhere to go at exit
        return 1
    return status
