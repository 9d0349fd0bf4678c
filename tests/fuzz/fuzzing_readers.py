"""What the fuzzers of readers share: their command line, and how they name the place of an exception."""

from __future__ import annotations

import argparse
import pathlib
import traceback


def arguments(doc: str | None, kind: str) -> argparse.Namespace:
    """The arguments of a fuzzer whose findings are a ``kind`` of thing: a file or a folder. The folder for them is made."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--cases", type=int, default=1 << 60, help="end after so many cases, if the time allows them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--keep", type=pathlib.Path, default=pathlib.Path("."), help=f"folder for each {kind} that is a finding"
    )
    parser.add_argument("--case", type=pathlib.Path, help=f"read one {kind} instead, and say what happens")
    args = parser.parse_args()
    args.keep.mkdir(exist_ok=True)
    return args


def where_raised(error: BaseException) -> str:
    """The last two lines of Hornbeam that an exception came through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "hornbeam" in frame.filename]
    return ", ".join(f"{pathlib.Path(frame.filename).name}:{frame.lineno}" for frame in frames[-2:])
