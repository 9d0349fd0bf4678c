"""Damages HDF5 files where the reader looks, and reads them: see README.md. Bounds on time and memory, h5py as the oracle."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import pathlib
import random
import sys
import time
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import numpy as np
from fuzzing_readers import arguments, where_raised
from hdf5_bounds import bounds, contents, read_all
from hdf5_layouts import BUILDERS, STYLES, built
from hornbeam.saving.hdf5_file.checksum import lookup3
from hornbeam.saving.hdf5_file.storage import Storage
from limits import TooLong

ORACLE_SECONDS = 3.0
ORACLE_SHARE = 0.3  # of the files that are read; h5py takes longer
FILES = pathlib.Path(__file__).parent.parent / "golden" / "files"


class Sample:
    """A whole file, and the structures in it that reading it looks at.

    Attributes:
        places: (address, size) of each structure.
        weight: how often it is chosen: as often as it is fast.
        sums: (start, end) of each structure whose checksum stands at ``end``.
    """

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data = name, data
        self.places: list[tuple[int, int]] = []
        self.sums: set[tuple[int, int]] = set()
        read, checked = Storage.read, Storage.checked_fields

        def watched_read(storage: Storage, address: int, size: int) -> bytes:
            self.places.append((storage.base + address, size))
            return read(storage, address, size)

        def watched_checked(storage: Storage, address: Any, size: int, *rest: Any) -> Any:
            self.sums.add((storage.base + address, storage.base + address + size - 4))
            return checked(storage, address, size, *rest)

        Storage.read, Storage.checked_fields = watched_read, watched_checked  # type: ignore[method-assign]
        started = time.process_time()
        try:
            list(read_all(data))
        finally:
            Storage.read, Storage.checked_fields = read, checked  # type: ignore[method-assign]
        self.weight = 1 / (0.001 + time.process_time() - started)
        self.places = sorted({place for place in self.places if place[1]})


def corpus() -> list[Sample]:
    """Golden files, and files of every layout."""
    found = [Sample(f"{name}, {style}", built(name, style)) for name in BUILDERS for style in STYLES]
    for path in sorted(FILES.glob("*.h5")):
        if path.stat().st_size < 100_000:
            found.append(Sample(path.name, path.read_bytes()))
    return [sample for sample in found if len(sample.data) < 400_000]


def damaged(sample: Sample, rng: random.Random) -> bytes:
    """One to four changes, most of them to fields of structures; then checksums are put right, mostly."""
    data = bytearray(sample.data)
    whole = len(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        what = rng.random()
        if what < 0.1:
            at = rng.randrange(len(data))
            data[at] ^= 1 << rng.randrange(8)
        elif what < 0.13:
            del data[rng.randrange(len(data)) :]
            data += bytes(whole - len(data)) if rng.random() < 0.7 else b""
        else:
            damage_structure(data, sample, rng)
        if len(data) < 100:
            break
    if rng.random() < 0.85:
        for start, end in sorted(sample.sums, reverse=True):
            if end + 4 <= len(data):
                data[end : end + 4] = lookup3(bytes(data[start:end])).to_bytes(4, "little")
    return bytes(data)


def damage_structure(data: bytearray, sample: Sample, rng: random.Random) -> None:
    """Change a field of a structure: its size is guessed, and so is what it means."""
    start, size = rng.choice(sample.places)
    width = rng.choice((1, 1, 2, 2, 4, 8, 8))
    if width > size or start + size > len(data):
        return
    at = start + rng.randrange(0, size - width + 1)
    if rng.random() < 0.5:
        at -= (at - start) % width
    old = int.from_bytes(data[at : at + width], "little")
    other, other_size = rng.choice(sample.places)
    kind = rng.randrange(9)
    if kind == 0:  # exchange with, or copy of, another structure
        count = min(size, other_size, len(data) - other)
        data[start : start + count] = data[other : other + count]
        return
    if kind == 1:  # an address or length becomes that of another field
        move = other + rng.randrange(0, max(other_size - width, 0) + 1)
        data[at : at + width] = data[move : move + width].ljust(width, b"\0")
        return
    new = {
        2: rng.choice((0, 1, 2, 3, 7, 8, 16, 255, 256, 65535, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 63, (1 << 64) - 1)),
        3: old + rng.choice((-8, -4, -1, 1, 2, 4, 8, 16, 100)),
        4: old * rng.choice((2, 3, 8, 256)),
        5: start,  # itself
        6: other,
        7: rng.choice((len(data), len(data) - 1, len(data) // 2, len(data) - start)),
        8: old ^ 1 << rng.randrange(8 * width),
    }[kind]
    data[at : at + width] = (new % (1 << 8 * width)).to_bytes(width, "little")


# -- reading ------------------------------------------------------------------------------------------------
def digest(value: Any) -> Any:
    """Something to compare: dtype, shape and a hash of the bits."""
    if isinstance(value, str) and value in ("group", "dataset"):
        return value
    if type(value).__name__ == "Empty":
        return ("empty", str(value.dtype))
    array = np.asarray(value)
    if array.dtype == bool:  # h5py leaves the bytes of bools as they are in the file; any but 0 is true
        array = array.view(np.uint8) != 0
    bits = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
    return (type(value).__name__, str(array.dtype), array.shape, hashlib.sha1(bits).hexdigest())


def oracle(pipe: Any, other_end: Any) -> None:
    """A process in which h5py reads, and may hang or crash. It ends with the fuzzer."""
    import h5py

    other_end.close()
    while True:
        try:
            data = pipe.recv_bytes()
        except EOFError:
            return
        answer: Any = {}
        try:
            with h5py.File(io.BytesIO(data), "r") as file:
                found = contents(file, lambda item: isinstance(item, h5py.Dataset), Exception)
                answer = {key: digest(value) for key, value in found}
        except Exception as error:
            answer = repr(error)[:100]
        pipe.send(answer)


class Oracle:
    """h5py in a child that is replaced when it does not answer."""

    def __init__(self) -> None:
        self.lost = 0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("fork")
        self._pipe, end = context.Pipe()
        self._process = context.Process(target=oracle, args=(end, self._pipe), daemon=True)
        self._process.start()
        end.close()

    def read(self, data: bytes) -> Any:
        try:
            self._pipe.send_bytes(data)
            if self._pipe.poll(ORACLE_SECONDS):
                return self._pipe.recv()
        except (EOFError, OSError):
            pass
        self.lost += 1
        self._process.kill()
        self._process.join()
        self._start()
        return "it hung or crashed"


# -- cases --------------------------------------------------------------------------------------------------
def run_case(data: bytes) -> tuple[str | None, Any]:
    """What is wrong with reading a damaged file, or None; and what was read."""
    try:
        with bounds(len(data)):
            return None, {key: digest(value) for key, value in read_all(data)}
    except (ValueError, OSError) as error:
        return (f"an error of {len(str(error))} characters", None) if len(str(error)) > 600 else (None, None)
    except TooLong as error:
        return "took too long at " + where_raised(error), None
    except BaseException as error:
        return f"{type(error).__name__} at {where_raised(error)}: {str(error)[:150]}", None


def difference(ours: dict[Any, Any], theirs: Any) -> str | None:
    """Where both read something else; what only one of them refuses does not count."""
    if not isinstance(theirs, dict):
        return None
    for key, value in ours.items():
        if key in theirs and theirs[key] != value:
            return f"{key}: {value} here, {theirs[key]} with h5py"
    return None


def fuzz(minutes: float, most: int, seed: int, folder: pathlib.Path) -> int:
    watcher = Oracle()
    samples = corpus()
    weights = [sample.weight for sample in samples]
    print(f"{len(samples)} files", flush=True)
    end, started = time.monotonic() + 60 * minutes, time.process_time()
    rng = random.Random(seed)
    count = read = compared = 0
    slowest = 0.0
    findings: dict[str, int] = {}
    while time.monotonic() < end and count < most:
        sample = rng.choices(samples, weights)[0]
        data = damaged(sample, rng)
        count += 1
        before = time.process_time()
        what, found = run_case(data)
        slowest = max(slowest, time.process_time() - before)
        if found:
            read += 1
            theirs = watcher.read(data) if rng.random() < ORACLE_SHARE else None
            compared += isinstance(theirs, dict)
            odd = difference(found, theirs)
            what = what or (odd and f"differs: {odd[:60]}")
        if what:
            kind = what.split(":", 2)[0] if what.startswith("differs") else what
            findings[kind] = findings.get(kind, 0) + 1
            if findings[kind] <= 5:
                name = hashlib.sha1(data).hexdigest()[:12]
                (folder / f"{name}.h5").write_bytes(data)
                print(f"{what}\n    {name}.h5, from {sample.name}", flush=True)
        if count % 5000 == 0:
            print(f"{count} cases, {read} read, {compared} compared, {time.process_time() - started:.0f} s of CPU, slowest "
                  f"{slowest:.2f} s, h5py lost {watcher.lost} times, findings {findings}", flush=True)  # fmt: skip
    print(f"{count} cases, {read} read, {compared} compared with h5py, which was lost {watcher.lost} times; slowest "
          f"{slowest:.2f} s; {time.process_time() - started:.0f} s of CPU; {sum(findings.values())} findings")  # fmt: skip
    return 1 if findings else 0


def main() -> int:
    args = arguments(__doc__, "file")
    if args.case:
        what, found = run_case(args.case.read_bytes())
        theirs = Oracle().read(args.case.read_bytes())
        print(what, "|", found and difference(found, theirs), "|", theirs if isinstance(theirs, str) else "")
        return 1 if what else 0
    return fuzz(args.minutes, args.cases, args.seed, args.keep)


if __name__ == "__main__":
    sys.exit(main())
