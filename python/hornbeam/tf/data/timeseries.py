"""Windows of a series, with a target each (``keras.utils.timeseries_dataset_from_array``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .dataset import Dataset
from .element import spec_of, to_array
from .selecting import Derived
from .stage import Stage


def timeseries_dataset_from_array(
    data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1, sampling_rate: int = 1, batch_size: int | None = 128,
    shuffle: bool = False, seed: int | None = None, start_index: int | None = None, end_index: int | None = None,
) -> Dataset:  # fmt: skip
    """Batches of windows (batch, sequence_length, ...) of a series, and of what belongs to each window.

    Args:
        data: the series, whose first axis is time.
        targets: targets[i] belongs to the window that begins at i; None for windows alone.
        sequence_length: steps in a window.
        sequence_stride: steps between the beginnings of two windows.
        sampling_rate: steps between two of a window.
        batch_size: None for windows one by one.
        shuffle: whether the windows come in another order, the same for one ``seed``.
        start_index, end_index: the part of the series to use.

    Raises:
        ValueError: an argument is out of range, or a window is longer than the series.
    """
    series = to_array(data)
    wanted = None if targets is None else to_array(targets)
    begin, end = start_index or 0, len(series) if end_index is None else end_index
    if not 0 <= begin < len(series) or not begin < end <= len(series):
        raise ValueError(
            f"start_index {start_index} and end_index {end_index} do not lie in a series of {len(series)} steps."
        )
    for name, value in (
        ("sampling_rate", sampling_rate),
        ("sequence_stride", sequence_stride),
        ("sequence_length", sequence_length),
    ):
        if not 0 < value < len(series) + (name == "sequence_length"):
            raise ValueError(
                f"`{name}` must be higher than 0 and lower than the length of the data. Received: {value} of {len(series)}"
            )
    count = end - begin - (sequence_length - 1) * sampling_rate
    if wanted is not None:
        count = min(count, len(wanted))
    starts = np.arange(0, max(count, 0), sequence_stride)
    seed = int(np.random.randint(1_000_000)) if seed is None else seed
    if shuffle:
        np.random.RandomState(seed).shuffle(starts)
    positions = Dataset.from_tensor_slices(starts)
    if shuffle:
        positions = positions.shuffle(1024 if batch_size is None else batch_size * 8, seed)
    if batch_size is not None:
        positions = positions.batch(batch_size)
    steps = np.arange(sequence_length) * sampling_rate
    windows = _Windows(positions.stage, series[begin:end], None if wanted is None else wanted[begin:end], steps)
    return Dataset(windows).prefetch(2)


class _Windows(Derived):
    """The windows that begin at positions, one or a batch of them, with their targets."""

    def __init__(self, source: Stage, series: np.ndarray, targets: np.ndarray | None, steps: np.ndarray) -> None:
        super().__init__(source)
        self._series, self._targets, self._steps = series, targets, steps

    @property
    def spec(self) -> Any:  # type: ignore[override]
        spec = spec_of(self._at(np.zeros([1] * len(self.source.spec.shape), "int64")))
        for leaf in spec if isinstance(spec, tuple) else (spec,):
            leaf.shape = type(leaf.shape)((*self.source.spec.shape, *leaf.shape[len(self.source.spec.shape) :]))
        return spec

    def _at(self, positions: np.ndarray) -> Any:
        windows = self._series[positions[..., None] + self._steps]
        return windows if self._targets is None else (windows, self._targets[positions, ...])

    def open(self) -> Iterator[Any]:
        return map(self._at, self.source.open())
