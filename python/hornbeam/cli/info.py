"""Version, instruction sets, threads, devices, and the versions of what Hornbeam stands on."""

from __future__ import annotations

import argparse
import importlib
import platform
from collections.abc import Iterator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ops", action="store_true", help="also list every op: its dtypes, kernels and derivatives")


def main(args: argparse.Namespace) -> int:
    rows = list(facts())
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {value}")
    if args.ops:
        from .op_table import op_table

        print()
        for line in op_table():
            print(line)
    return 0


def facts() -> Iterator[tuple[str, str]]:
    """(name, value) pairs, in the order they are shown."""
    import hornbeam
    from hornbeam import _core
    from hornbeam.version import __version__

    yield "hornbeam", f"{__version__}, with the interface of Keras {hornbeam.__version__}"
    yield "python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield "instruction set", f"{_core.isa()} (available: {', '.join(_core.available_isas())}; HORNBEAM_ISA chooses)"
    yield "threads", f"{_core.num_threads()} (HORNBEAM_NUM_THREADS or hornbeam.set_num_threads chooses)"
    for name, description in _core.devices():
        in_use = "; in use, HORNBEAM_DEVICE or hornbeam.device chooses" if name == _core.device() else ""
        yield f"device {name}", description + in_use
    for name, libraries in _core.libraries():
        yield f"libraries of {name}", libraries
    for name, reason in _core.missing_devices():
        if name == "cuda":  # others are for tests
            yield f"device {name}", f"none: {reason}"
    for package in ("numpy", "h5py"):
        yield package, version_of(package)


def version_of(package: str) -> str:
    try:
        return importlib.import_module(package).__version__
    except ImportError as error:
        return f"missing ({error})"
