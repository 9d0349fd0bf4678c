"""Reading an HDF5 file under bounds on time and memory, as the fuzzer and the tests of attacks do it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any

import limits
from hornbeam.saving.hdf5_file import Dataset, File, problems

CPU_SECONDS = 2.0
FREE_MEMORY, MEMORY_PER_BYTE = 64 << 20, 4


def bounds(size: int) -> AbstractContextManager[None]:
    """Within the block, more than 2 s raise TooLong; more than 64 MiB and 4 times ``size`` bytes raise MemoryError."""
    return limits.bounds(CPU_SECONDS, FREE_MEMORY + MEMORY_PER_BYTE * size)


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
