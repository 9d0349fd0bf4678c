"""The text file ``checkpoint`` in a folder, which says what checkpoints are there and which is the latest."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

from ..targets import exists, opened, write_file
from . import limits

NAME = "checkpoint"
_LINE = re.compile(rb"""\s*(\w+)\s*:\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[-+.\w]+)[ \t]*(?:#[^\n]*)?""")
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)


@dataclass
class CheckpointState:
    """What the file says. Paths are as a program can open them.

    Attributes:
        model_checkpoint_path: prefix of the latest checkpoint.
        all_model_checkpoint_paths: prefixes, the oldest first.
        all_model_checkpoint_timestamps: seconds since 1970 for each of them, where the file says so.
        last_preserved_timestamp: when one was last kept for good.
    """

    model_checkpoint_path: str
    all_model_checkpoint_paths: list[str] = field(default_factory=list)
    all_model_checkpoint_timestamps: list[float] = field(default_factory=list)
    last_preserved_timestamp: float = 0.0


def read_state_file(folder: Any, name: str | None = None) -> CheckpointState | None:
    """What the file of a folder says; None if there is none, or nothing in it.

    A relative path is one below the folder. An absolute one, as TensorFlow 1 wrote, is that of the machine that wrote it: what
    counts is the base name, which is looked for in the folder. So no path leads out of the folder.

    Raises:
        ValueError: the file is damaged.
    """
    folder = os.fspath(folder)
    path = os.path.join(folder, name or NAME)
    if not exists(path):
        return None
    with opened(path) as file:
        text = file.read(limits.MAX_STATE_FILE)
    found: dict[str, list] = {}
    try:
        for key, value in _entries(text):
            found.setdefault(key, []).append(value)
        paths = [_inside(folder, p) for p in found.get("all_model_checkpoint_paths", [])]
        latest = [_inside(folder, p) for p in found.get("model_checkpoint_path", [])]
        times = [float(t) for t in found.get("all_model_checkpoint_timestamps", [])]
        kept = float(found.get("last_preserved_timestamp", [0.0])[-1])
    except (ValueError, TypeError) as error:
        raise ValueError(f"The file {path!r} is damaged: {error}") from error
    return CheckpointState(latest[-1], paths, times, kept) if latest else None


def _entries(text: bytes) -> Any:
    for line in text.split(b"\n"):
        if not line.strip() or line.lstrip().startswith(b"#"):
            continue
        found = _LINE.fullmatch(line.rstrip(b"\r"))
        if found is None:
            raise ValueError("a line of it is not a field with a value")
        value = found[2]
        yield found[1].decode(), _text(value) if value[:1] in b"'\"" else value.decode()


def _text(quoted: bytes) -> str:
    """A string with C's escapes."""
    return _ESCAPE.sub(lambda found: _unescaped(found[1]), quoted[1:-1]).decode("utf-8")


def _unescaped(what: bytes) -> bytes:
    if what[:1].isdigit():
        return bytes([int(what, 8) & 255])
    if what[:1] == b"x" and len(what) > 1:
        return bytes([int(what[1:], 16)])
    return {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}.get(what, what)


def _inside(folder: str, path: Any) -> str:
    if not isinstance(path, str):
        raise ValueError("a path of it is not a string")
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if not parts or "\0" in path:
        raise ValueError("a path of it is empty")
    if path.startswith("/") or ":" in parts[0] or ".." in parts:
        parts = parts[-1:]
        if parts == [".."]:
            raise ValueError("a path of it leads out of the folder")
    return os.path.join(folder, *parts)


def latest_checkpoint(folder: Any, latest_filename: str | None = None) -> str | None:
    """The prefix of the latest checkpoint in a folder; None if there is none."""
    state = read_state_file(folder, latest_filename)
    if state is None or not exists(f"{state.model_checkpoint_path}.index"):
        return None
    return state.model_checkpoint_path


def write_state_file(folder: Any, state: CheckpointState, name: str | None = None) -> None:
    """Write the file of a folder; paths inside of it are written relative to it."""
    folder = os.fspath(folder)
    lines = [f'model_checkpoint_path: "{_escaped(folder, state.model_checkpoint_path)}"']
    paths = state.all_model_checkpoint_paths or [state.model_checkpoint_path]
    lines += [f'all_model_checkpoint_paths: "{_escaped(folder, path)}"' for path in paths]
    lines += [f"all_model_checkpoint_timestamps: {time!r}" for time in state.all_model_checkpoint_timestamps]
    if state.last_preserved_timestamp:
        lines.append(f"last_preserved_timestamp: {state.last_preserved_timestamp!r}")
    data = "".join(f"{line}\n" for line in lines).encode("ascii")
    write_file(os.path.join(folder, name or NAME), True, lambda file: file.write(data))


def _escaped(folder: str, path: str) -> str:
    """A path with C's escapes."""
    if folder and path.startswith(os.path.join(folder, "")):
        path = os.path.relpath(path, folder)
    plain = {ord('"'): '\\"', ord("\\"): "\\\\"}
    return "".join(plain.get(b, chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in path.encode("utf-8"))
