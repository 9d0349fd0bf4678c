"""Show the layers, weights, training configuration and Keras version of a model file, and what in it is suspicious.

Nothing in the file is executed. It is read in a process of its own, because a crafted HDF5 file can crash the HDF5 library itself.
Exit status: 0 if nothing is suspicious, 1 if something is, 2 if the file cannot be read.
"""

from __future__ import annotations

import argparse
import subprocess
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", help="an HDF5 or .keras file, with a model or with weights alone; a SavedModel folder, a checkpoint"
    )
    parser.add_argument("--in-process", action="store_true", help="read it in this process")


def main(args: argparse.Namespace) -> int:
    if args.in_process:
        return show(args.file)
    command = [sys.executable, "-m", "hornbeam", "inspect", "--in-process", args.file]
    status = subprocess.run(command, check=False).returncode
    if status in (0, 1, 2):
        return status
    print(f"SUSPICIOUS        reading it ended the process that read it (status {status}): do not load this file")
    return 1


def show(path: str) -> int:
    """Print what is in a file; return the exit status."""
    from ..saving.inspecting import inspect_file
    from ..utils.messages import shortened

    try:
        lines, suspicions = inspect_file(path)
    except Exception as error:  # whatever a crafted file may provoke is something to report, not to fail on
        print(f"{path} cannot be read as a model: {type(error).__name__}: {shortened(str(error), 600)}")
        return 2
    # Control characters in names could move the cursor and hide lines.
    for line in [*lines, *(f"SUSPICIOUS        {suspicion}" for suspicion in suspicions)]:
        print("".join(c if c.isprintable() else repr(c)[1:-1] for c in line))
    print("nothing suspicious" if not suspicions else f"{len(suspicions)} suspicious")
    return 1 if suspicions else 0
