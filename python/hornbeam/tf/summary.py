"""``tf.summary``: scalars and histograms that a callback writes for TensorBoard itself."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..callbacks.event_file import EventFile
from ..graph import is_eager
from .common import first_given, tensor
from .effects import with_values
from .table import for_scripts


class _Default(threading.local):
    """What a thread has open."""

    writer: SummaryWriter | None = None  #: of the innermost open `with writer.as_default()` block
    step: Any = None  #: where a summary names none
    recorded: Any = True


_default = _Default()


@for_scripts("summary.SummaryWriter")
class SummaryWriter:
    """TensorFlow 2's writer of a folder's event file; without a folder nothing is written."""

    def __init__(self, logdir: Any) -> None:
        self._file = None if logdir is None else EventFile(logdir)

    @contextlib.contextmanager
    def as_default(self, step: Any = None) -> Iterator[SummaryWriter]:
        outer, _default.writer = _default.writer, self
        outer_step, _default.step = _default.step, _default.step if step is None else step
        try:
            yield self
        finally:
            _default.writer, _default.step = outer, outer_step
            self.flush()

    def set_as_default(self, step: Any = None) -> None:
        _default.writer = self
        _default.step = _default.step if step is None else step

    def init(self) -> None:
        """It is open already."""

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()

    close = flush

    @property
    def file(self) -> EventFile | None:
        return self._file


@for_scripts("summary.create_file_writer", "contrib.summary.create_file_writer")
def create_file_writer(logdir: Any, *args: Any, **options: Any) -> SummaryWriter:
    return SummaryWriter(logdir)


@for_scripts("summary.create_noop_writer")
def create_noop_writer() -> SummaryWriter:
    return SummaryWriter(None)


@for_scripts("summary.flush")
def flush(writer: SummaryWriter | None = None, name: Any = None) -> None:
    writer = writer or _default.writer
    if writer is not None:
        writer.flush()


@for_scripts("summary.experimental.set_step")
def set_step(step: Any) -> None:
    """The step of summaries that name none; a variable counts on."""
    _default.step = step


@for_scripts("summary.experimental.get_step")
def get_step() -> Any:
    return _default.step


@for_scripts("summary.record_if")
@contextlib.contextmanager
def record_if(condition: Any) -> Iterator[None]:
    """Inside the block, summaries are written if the condition holds, or what a function gives."""
    outer, _default.recorded = _default.recorded, condition
    try:
        yield
    finally:
        _default.recorded = outer


@for_scripts("summary.should_record_summaries")
def should_record_summaries() -> bool:
    if _default.writer is None or _default.writer.file is None:
        return False
    return bool(_default.recorded() if callable(_default.recorded) else _default.recorded)


def _write(write: Callable[[EventFile, Any, int], None], data: Any, step: Any) -> bool:
    """Write a value; a traced function writes whenever it runs."""
    if _default.writer is None:
        raise RuntimeError(
            "tf.summary.scalar and the like are called in `with tf.summary.create_file_writer(...).as_default():`"
        )
    file = _default.writer.file
    if file is None or not should_record_summaries():
        return False
    step = first_given(step, _default.step, 0)
    if is_eager():
        with_values(lambda value, number: write(file, value, int(number)), [tensor(data), tensor(step)])
    else:
        write(file, np.asarray(data), int(step))
    return True


@for_scripts("summary.scalar")
def scalar(name: str, data: Any, step: Any = None, description: Any = None) -> bool:
    return _write(lambda file, value, number: file.scalars({name: float(value)}, number), data, step)


@for_scripts("summary.histogram")
def histogram(name: str, data: Any, step: Any = None, buckets: Any = None, description: Any = None) -> bool:
    return _write(lambda file, value, number: file.histogram(name, np.asarray(value), number), data, step)


@for_scripts("summary.image")
def image(name: str, data: Any, step: Any = None, max_outputs: int = 3, description: Any = None) -> bool:
    """Images (count, height, width, channels), of integers up to 255 or of floats up to 1."""

    def write(file: EventFile, value: np.ndarray, number: int) -> None:
        pixels = value[:max_outputs]
        if pixels.dtype.kind == "f":
            pixels = np.clip(np.nan_to_num(pixels) * 255.999, 0, 255)
        file.pictures(name, pixels.astype("uint8"), number)

    return _write(write, data, step)


@for_scripts("summary.trace_on", "summary.trace_export", "summary.trace_off", "summary.graph")
def no_trace(*args: Any, **options: Any) -> None:
    """Graphs of TensorFlow there are none; ``keras.callbacks.TensorBoard`` writes the model's."""


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
