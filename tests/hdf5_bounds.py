"""Reading an HDF5 file under bounds on time and memory, as the fuzzer and the tests of attacks do it."""

from __future__ import annotations

import io
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from hornbeam.saving.hdf5_file import Dataset, File, problems
from limits import address_space

CPU_SECONDS = 2.0
FREE_MEMORY, MEMORY_PER_BYTE = 64 << 20, 4


class TooLong(BaseException):
    """More than CPU_SECONDS; no ``except Exception`` may swallow it."""


@contextmanager
def bounds(size: int) -> Any:
    """Within the block, more than 2 s raise TooLong; more than 64 MiB and 4 times ``size`` bytes raise MemoryError."""

    def too_long(*_: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, too_long)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux":
        allowed = address_space() + FREE_MEMORY + MEMORY_PER_BYTE * size
        resource.setrlimit(resource.RLIMIT_AS, (allowed, limits[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, limits)


def contents(file: Any, is_dataset: Callable[[Any], bool], refused: Any) -> Iterator[tuple[Any, Any]]:
    """All names, attributes and arrays of a file with a key of each, whatever library opened it.

    What raises one of ``refused`` is left out.
    """
    names = [""]
    file.visititems(lambda name, _: names.append(name))
    for name in names:
        item = file[name] if name else file
        yield name, "dataset" if is_dataset(item) else "group"
        with suppress(refused):
            for key in sorted(item.attrs):
                with suppress(refused):
                    yield (name, key), item.attrs[key]
        if is_dataset(item) and item.dtype.kind != "V":
            with suppress(refused):
                yield (name, None), item[()]


def read_all(data: bytes) -> Iterator[tuple[Any, Any]]:
    """The contents of a file that our reader does not object to, as far as it reads them.

    Raises:
        ValueError: it objects to the file.
    """
    with File(io.BytesIO(data)) as file:
        found = problems(file)
        if found:
            raise ValueError(found[0])
        yield from contents(file, lambda item: isinstance(item, Dataset), (ValueError, OSError))
