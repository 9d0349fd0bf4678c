"""``tf.summary``: scalars and histograms that a callback writes for TensorBoard itself."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..callbacks.event_file import EventFile
from .table import for_scripts


class _Default(threading.local):
    writer: SummaryWriter | None = None  #: of the innermost open `with writer.as_default()` block of a thread


_default = _Default()


class SummaryWriter:
    """TensorFlow 2's writer of a folder's event file."""

    def __init__(self, logdir: Any) -> None:
        self._file = EventFile(logdir)

    @contextlib.contextmanager
    def as_default(self, step: int | None = None) -> Iterator[SummaryWriter]:
        outer, _default.writer = _default.writer, self
        try:
            yield self
        finally:
            _default.writer = outer
            self.flush()

    def set_as_default(self, step: int | None = None) -> None:
        _default.writer = self

    def flush(self) -> None:
        self._file.flush()

    close = flush

    @property
    def file(self) -> EventFile:
        return self._file


@for_scripts("summary.create_file_writer", "contrib.summary.create_file_writer")
def create_file_writer(logdir: Any, *args: Any, **options: Any) -> SummaryWriter:
    return SummaryWriter(logdir)


def _file() -> EventFile:
    if _default.writer is None:
        raise RuntimeError(
            "tf.summary.scalar and the like are called in `with tf.summary.create_file_writer(...).as_default():`"
        )
    return _default.writer.file


@for_scripts("summary.scalar")
def scalar(name: str, data: Any, step: int | None = None, description: Any = None) -> None:
    _file().scalars({name: float(np.asarray(data))}, int(step or 0))


@for_scripts("summary.histogram")
def histogram(name: str, data: Any, step: int | None = None, buckets: Any = None, description: Any = None) -> None:
    _file().histogram(name, np.asarray(data), int(step or 0))


@for_scripts("Summary")
class Summary:
    """TensorFlow 1's: ``tf.Summary(value=[tf.Summary.Value(tag=..., simple_value=...)])``."""

    class Value:
        def __init__(self, tag: str = "", simple_value: float | None = None, **other: Any) -> None:
            if other:
                raise ValueError(f"a summary of {', '.join(other)} is not supported: simple_value is")
            self.tag = tag
            self.simple_value = simple_value

    class _Values(list):
        def add(self, **fields: Any) -> Summary.Value:
            self.append(Summary.Value(**fields))
            return self[-1]

    def __init__(self, value: Sequence[Summary.Value] = ()) -> None:
        self.value = self._Values(value)


@for_scripts("summary.FileWriter", "compat.v1.summary.FileWriter")
class FileWriter:
    """TensorFlow 1's writer; graphs of TensorFlow there are none."""

    def __init__(self, logdir: Any, *args: Any, **options: Any) -> None:
        self._file = EventFile(logdir)

    def add_summary(self, summary: Summary, global_step: Any = None) -> None:
        values = {v.tag: float(v.simple_value) for v in summary.value if v.simple_value is not None}
        self._file.scalars(values, int(global_step or 0))

    def add_graph(self, *args: Any, **options: Any) -> None:
        """Nothing: ``keras.callbacks.TensorBoard`` writes the model's graph."""

    def flush(self) -> None:
        self._file.flush()

    close = flush
