"""Batches for steps that are written with eager tensors: of arrays in any structure, Sequences, generators, data sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..graph import Tensor, nest
from ..utils.sequence import Sequence
from .data_adapter import pack_x_y_sample_weight, unpack_x_y_sample_weight


class Batches:
    """The batches of an epoch, again for each epoch.

    Attributes:
        steps: the number of batches in an epoch; None where it is known only after the first.
    """

    steps: int | None = None

    def epoch(self) -> Iterator[Any]:
        """The batches of the next epoch."""
        raise NotImplementedError

    def end_epoch(self) -> None:
        """Called after an epoch."""


class ArrayBatches(Batches):
    """Batches cut from arrays in any structure.

    Args:
        data: as :func:`pack_x_y_sample_weight` gives it.
        shuffle: whether each epoch has an order of its own, from NumPy's generator.

    Raises:
        ValueError: the arrays differ in their number of samples, or there are none.
    """

    def __init__(self, data: Any, batch_size: int | None, shuffle: Any = False) -> None:
        self._leaves = [x if x is None else _array(x) for x in nest.flatten(data)]
        self._structure = data
        counts = {len(x) for x in self._leaves if x is not None}
        if len(counts) != 1:
            raise ValueError(f"All arrays need the same number of samples, got {sorted(counts)}.")
        self.samples = counts.pop()
        if not self.samples:
            raise ValueError("There are 0 samples.")
        self.batch_size = batch_size or 32
        self.steps = -(-self.samples // self.batch_size)
        self._shuffle = shuffle
        self._order = np.arange(self.samples)

    def epoch(self) -> Iterator[Any]:
        if self._shuffle:
            np.random.shuffle(self._order)
        for start in range(0, self.samples, self.batch_size):
            rows = slice(start, start + self.batch_size)
            part: Any = self._order[rows] if self._shuffle else rows
            yield nest.pack(self._structure, [x if x is None else x[part] for x in self._leaves])

    def split(self, fraction: float) -> tuple[ArrayBatches, ArrayBatches]:
        """The first part of the samples, shuffled as these are, and the last ``fraction`` of them, in order.

        Raises:
            ValueError: one of them would be empty.
        """
        at = int(self.samples * (1.0 - fraction))
        if not 0 < at < self.samples:
            raise ValueError(
                f"validation_split={fraction} leaves nothing to train or to validate on, given {self.samples} samples."
            )
        first, last = (
            nest.pack(self._structure, [x if x is None else x[part] for x in self._leaves])
            for part in (slice(0, at), slice(at, None))
        )
        return ArrayBatches(first, self.batch_size, self._shuffle), ArrayBatches(last, self.batch_size)


def _array(x: Any) -> Any:
    if isinstance(x, Tensor):
        return x.numpy()
    return x if hasattr(x, "shape") and hasattr(x, "__getitem__") else np.asarray(x)


class SequenceBatches(Batches):
    """Those of a ``keras.utils.Sequence``."""

    def __init__(self, sequence: Any, shuffle: Any) -> None:
        self._sequence = sequence
        self._shuffle = shuffle
        self.steps = len(sequence)

    def epoch(self) -> Iterator[Any]:
        order = np.arange(len(self._sequence))
        if self._shuffle:
            np.random.shuffle(order)
        return (self._sequence[int(i)] for i in order)

    def end_epoch(self) -> None:
        self._sequence.on_epoch_end()
        self.steps = len(self._sequence)


class StreamBatches(Batches):
    """Those of a generator, which goes on where it was, or of a data set, which begins anew.

    Args:
        steps: how many batches make an epoch; None: as many as there are.
    """

    def __init__(self, stream: Iterable, steps: int | None) -> None:
        self._stream = stream
        self._wanted = self.steps = steps
        self._running: Iterator | None = None

    def epoch(self) -> Iterator[Any]:
        if self._running is None or self._wanted is None:
            self._running = iter(self._stream)
        count = 0
        for batch in self._running:
            yield batch
            count += 1
            if count == self._wanted:
                return
        self._running = None  # a data set begins anew in the next epoch
        self.steps = self._wanted or count


def batches_of(
    x: Any, y: Any = None, sample_weight: Any = None, batch_size: int | None = None, steps: int | None = None,
    shuffle: Any = False,
) -> Batches:  # fmt: skip
    """The batches of what fit, evaluate and predict take."""
    if isinstance(x, Sequence) or (hasattr(x, "__getitem__") and hasattr(x, "on_epoch_end")):
        return SequenceBatches(x, shuffle)
    if hasattr(x, "__next__") or (
        hasattr(x, "__iter__") and not isinstance(x, (list, tuple, dict, np.ndarray, Tensor))
    ):
        if not hasattr(x, "shape"):
            return StreamBatches(x, steps)
    return ArrayBatches(pack_x_y_sample_weight(x, y, sample_weight), batch_size, shuffle)


def with_class_weight(batch: Any, class_weight: dict | None) -> Any:
    """A batch whose sample weights are those of the classes, which are numbers or one-hot rows."""
    if not class_weight:
        return batch
    x, y, weight = unpack_x_y_sample_weight(batch)
    labels = np.asarray(y)
    classes = labels.argmax(-1) if labels.ndim > 1 and labels.shape[-1] > 1 else labels.reshape(len(labels))
    factors = np.array([class_weight.get(int(c), 1.0) for c in classes], "float32")
    return x, y, factors if weight is None else np.asarray(weight) * factors
