"""Damages SavedModel folders and checkpoints where their readers look, and reads them: see README.md."""

from __future__ import annotations

import collections
import hashlib
import json
import pathlib
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import hornbeam as keras
import numpy as np
from fuzzing_readers import arguments, where_raised
from hornbeam import layers as L
from hornbeam.saving.inspecting import inspect_file
from hornbeam.saving.tensor_bundle import TensorBundle, dtypes, entries, write_bundle
from hornbeam.saving.tensor_bundle.entries import parse_entry, parse_header
from hornbeam.saving.tensor_bundle.state_file import read_state_file
from hornbeam.saving.tensor_bundle.strings import encode
from hornbeam.saving.tensor_bundle.table import read_table, table
from hornbeam.saving.trackable.graph import GRAPH_KEY
from hornbeam.utils.checksum import masked_crc32c
from hornbeam.utils.protobuf import Message, field
from limits import bounds
from mutations import Choices, damage_tree
from tensor_bundles import write_folder

CPU_SECONDS = 2.0  # of reading tensors; models are built beside
LOADING_SECONDS = 20.0
FREE_MEMORY, MEMORY_PER_BYTE = 256 << 20, 32
ALLOWED = (ValueError, OSError)


# -- what is damaged --------------------------------------------------------------------------------------------
def mlp() -> Any:
    model = keras.models.Sequential([L.Dense(4, activation="relu", input_shape=(3,)), L.Dense(2)])
    model.compile("adam", "mse")
    model.train_on_batch(np.ones((2, 3)), np.ones((2, 2)))
    return model


def network() -> Any:
    x = L.Input((4,))
    inner = keras.models.Sequential([L.Dense(4, input_shape=(4,)), L.BatchNormalization()])
    y = L.Bidirectional(L.GRU(2))(L.Reshape((2, 2))(L.add([inner(x), x])))
    return keras.models.Model(x, L.Dense(2)(y))


def corpus(folder: pathlib.Path) -> list[pathlib.Path]:
    """Folders, each with a SavedModel or a checkpoint ``w``."""
    training = {
        "loss": "mse", "metrics": ["mae"],
        "optimizer_config": {"class_name": "Custom>Adam", "config": {"learning_rate": 0.001}},
    }  # fmt: skip
    for name, model in (("mlp", mlp()), ("network", network())):
        for new in (True, False):
            write_folder(folder / f"{name}-{'new' if new else 'old'}", model, new, training_config=training)
    model = mlp()
    model.save_weights(folder / "weights" / "w", save_format="tf")
    (folder / "tensors").mkdir()
    rng = np.random.RandomState(0)
    write_bundle(folder / "tensors" / "w", {
        "a/b": rng.rand(3, 4), "c": b"text", "d": np.int8(3), "e": np.zeros((0, 4), "float16"), "f": rng.rand(200) < 0.5,
    })  # fmt: skip
    return sorted(folder.iterdir())


# -- damage -------------------------------------------------------------------------------------------------------
def damage(place: pathlib.Path, rng: random.Random) -> None:
    """One to three changes to the files of a folder; checksums are put right, mostly."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        files = sorted(path for path in place.rglob("*") if path.is_file())
        if not files:  # the last one is removed
            return
        path = rng.choice(files)
        what = rng.random()
        if what < 0.1:
            damage_file(path, rng)
        elif path.suffix == ".index":
            damage_index(path, rng)
        elif path.name == "keras_metadata.pb":
            damage_metadata(path, rng)
        elif path.suffix == ".pb":
            path.write_bytes(damaged_message(path.read_bytes(), rng, rng.randrange(5)))
        elif ".data-" in path.name:
            damage_graph(path, rng)
        else:
            damage_file(path, rng)


def damage_file(path: pathlib.Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    what = rng.randrange(5)
    if not data or what == 0:
        path.unlink()
        return
    if what == 1:
        del data[rng.randrange(len(data)) :]
    elif what == 2:
        at = rng.randrange(len(data))
        data[at:at] = bytes(rng.randrange(256) for _ in range(rng.randrange(9)))
    else:
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    path.write_bytes(data)


def number(old: int, rng: random.Random) -> int:
    """A number that is wrong in a way that readers have fallen for."""
    return rng.choice((
        0, 1, 2, 7, 8, 14, 127, 128, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1,
        old + 1, old - 1, old * 2, old // 2, old + 8, old ^ 1 << rng.randrange(63), rng.randrange(64),
    )) % (1 << 64)  # fmt: skip


def damaged_message(data: bytes, rng: random.Random, depth: int) -> bytes:
    """A message with one field changed, dropped, doubled, or moved; down to some depth where fields are messages."""
    try:
        message = Message(data)._values
    except ValueError:
        message = {}
    items = [(n, value) for n, values in message.items() for value in values]
    if not items:
        return data + bytes(rng.randrange(256) for _ in range(rng.randrange(5)))
    at = rng.randrange(len(items))
    n, value = items[at]
    what = rng.randrange(8)
    if isinstance(value, bytes) and depth and what < 6:
        items[at] = n, damaged_message(value, rng, depth - 1)
    elif isinstance(value, int) and what < 6:
        items[at] = n, number(value, rng)
    elif what == 6:
        del items[at]
    elif what == 7:
        items.insert(rng.randrange(len(items) + 1), rng.choice(items))
    else:
        items[at] = n, number(0, rng) if rng.random() < 0.3 else b"\xff" * rng.randrange(20)
    out = b"".join(field(n, value) for n, value in items)
    return out[: rng.randrange(len(out) + 1)] if out and rng.random() < 0.03 else out


def damage_index(path: pathlib.Path, rng: random.Random) -> None:
    """Change entries, keys or the header, or a block's fields, below right checksums."""
    try:
        pairs = read_table(path.read_bytes())
    except ALLOWED:
        return
    at = rng.randrange(len(pairs))
    key, value = pairs[at]
    what = rng.randrange(8)
    if what < 4:
        pairs[at] = key, damaged_message(value, rng, 2)
    elif what == 4:
        other = rng.randrange(len(pairs))
        pairs[at], pairs[other] = (key, pairs[other][1]), (pairs[other][0], value)
    elif what == 5:
        pairs.insert(rng.randrange(len(pairs) + 1), pairs[rng.randrange(len(pairs))])
    elif what == 6:
        pairs[at] = key[: rng.randrange(len(key) + 1)] + bytes([rng.randrange(256)]), value
    else:
        damage_block(path, rng)
        return
    if rng.random() < 0.9:
        pairs.sort()
    path.write_bytes(table(pairs))


def damage_block(path: pathlib.Path, rng: random.Random) -> None:
    """Change a byte of the first block and put its checksum right."""
    data = bytearray(path.read_bytes())
    end = len(data) - 48
    size = next(
        (n for n in range(8, end - 4) if int.from_bytes(data[n + 1 : n + 5], "little") == masked_crc32c(data[: n + 1])),
        0,
    )
    if size:
        data[rng.randrange(size)] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        data[size + 1 : size + 5] = masked_crc32c(data[: size + 1]).to_bytes(4, "little")
    path.write_bytes(data)


def damage_metadata(path: pathlib.Path, rng: random.Random) -> None:
    """Change the JSON that describes the model."""
    try:
        node = Message(Message(path.read_bytes()).parts(1)[0])
        choices = Choices(rng.randbytes(64))
        text = json.dumps(damage_tree(json.loads(node.text(5)), choices))
    except (*ALLOWED, LookupError, TypeError, RecursionError):
        return
    if rng.random() < 0.05:
        text = rng.choice(('{"a":', "[")) * rng.choice((100, 100_000)) + text
    path.write_bytes(field(1, field(3, "root") + field(4, node.text(4)) + field(5, text.encode("utf-8", "replace"))))


def damage_graph(path: pathlib.Path, rng: random.Random) -> None:
    """Change the object graph, or numbers, with the checksums in the index put right."""
    prefix = str(path).split(".data-")[0]
    index = pathlib.Path(f"{prefix}.index")
    try:
        pairs = dict(read_table(index.read_bytes()))
        header = parse_header(pairs[b""])
        data, out = path.read_bytes(), b""
        for key, value in pairs.items():
            if not key:
                continue
            entry = parse_entry(value, header)
            part = data[entry.offset : entry.offset + entry.size]
            if key.decode() == GRAPH_KEY and entry.dtype == dtypes.STRING:
                stored = TensorBundle(prefix).read(GRAPH_KEY).item()
                part, entry.crc = encode([damaged_message(stored, rng, rng.randrange(3))])
            elif rng.random() < 0.2 and part and entry.dtype != dtypes.STRING:
                part = bytes([rng.randrange(256)]) + part[1:]
                entry.crc = masked_crc32c(part)
            entry.offset, entry.size, entry.crc = len(out), len(part), entry.crc % (1 << 32)
            out += part
            pairs[key] = entries.entry(entry)
    except (*ALLOWED, LookupError, UnicodeDecodeError, AttributeError):
        return
    path.write_bytes(out)
    index.write_bytes(table(sorted(pairs.items())))


# -- reading ------------------------------------------------------------------------------------------------------
def read_tensors(place: pathlib.Path, model: Any) -> None:
    for index in sorted(place.rglob("*.index")):
        bundle = TensorBundle(str(index)[: -len(".index")])
        for name in bundle.names:
            bundle.read(name)
    for state in sorted(place.rglob("checkpoint")):
        read_state_file(state.parent)


def load_weights(place: pathlib.Path, model: Any) -> None:
    model.load_weights(place if (place / "saved_model.pb").exists() else place / "w")


def load_model(place: pathlib.Path, model: Any) -> None:
    keras.models.load_model(place)


def inspect(place: pathlib.Path, model: Any) -> None:
    inspect_file(str(place))


READERS: tuple[tuple[Callable, float], ...] = (
    (read_tensors, CPU_SECONDS), (load_weights, CPU_SECONDS), (load_model, LOADING_SECONDS), (inspect, CPU_SECONDS),
)  # fmt: skip


def run_case(place: pathlib.Path, model: Any) -> list[str]:
    """What is wrong with reading a damaged folder in each way."""
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    findings = []
    for read, seconds in READERS:
        before = model.get_weights()
        try:
            with bounds(seconds, FREE_MEMORY + MEMORY_PER_BYTE * size), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                read(place, model)
        except ALLOWED as error:
            if len(str(error)) > 900:  # paths are part of it
                findings.append(f"{read.__name__}: an error of {len(str(error))} characters")
            if any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights())):
                findings.append(f"{read.__name__}: weights are changed though it was refused")
        except BaseException as error:
            what = f"{type(error).__name__} at {where_raised(error)}"
            findings.append(f"{read.__name__}: {what}: {str(error)[:150]}")
        finally:
            keras.backend.clear_session()
    return findings


def fuzz(minutes: float, most: int, seed: int, keep: pathlib.Path) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        samples = corpus(pathlib.Path(scratch) / "whole")
        model = mlp()
        rng = random.Random(seed)
        end, started = time.monotonic() + 60 * minutes, time.process_time()
        count, slowest, found = 0, 0.0, collections.Counter[str]()
        case = pathlib.Path(scratch) / "case"
        while time.monotonic() < end and count < most:
            shutil.rmtree(case, ignore_errors=True)
            shutil.copytree(rng.choice(samples), case)
            damage(case, rng)
            before = time.process_time()
            findings = run_case(case, model)
            slowest = max(slowest, time.process_time() - before)
            count += 1
            for finding in findings:
                kind = finding.split(":")[0] + finding.split(":", 2)[1][:60]
                found[kind] += 1
                if found[kind] <= 3:
                    name = hashlib.sha1(finding.encode() + str(count).encode()).hexdigest()[:12]
                    shutil.copytree(case, keep / name)
                    print(f"{finding}\n    {name}", flush=True)
            if count % 2000 == 0:
                print(
                    f"{count} cases, {time.process_time() - started:.0f} s of CPU, findings {dict(found)}", flush=True
                )
        print(
            f"{count} cases; slowest {slowest:.2f} s; {time.process_time() - started:.0f} s of CPU; {sum(found.values())} findings"
        )
    return 1 if found else 0


def main() -> int:
    args = arguments(__doc__, "folder")
    if args.case:
        findings = run_case(args.case, mlp())
        print(findings)
        return 1 if findings else 0
    return fuzz(args.minutes, args.cases, args.seed, args.keep)


if __name__ == "__main__":
    sys.exit(main())
