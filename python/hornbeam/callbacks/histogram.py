"""Histograms over fixed buckets, to which values can be added batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..utils.protobuf import double_field, doubles_field


def _bucket_limits() -> np.ndarray:
    """Upper ends of buckets that grow by a tenth from 1e-12 to 1e20, on both sides of zero: TensorFlow's."""
    positive = 1e-12 * 1.1 ** np.arange(774)
    largest = np.finfo("float64").max
    return np.concatenate([-positive[::-1], [0.0], positive, [largest]])


_LIMITS = _bucket_limits()


class Histogram:
    """Counts of values in buckets, with their sum and sum of squares; values that are no numbers are left out."""

    def __init__(self, values: Any = ()) -> None:
        self.counts = np.zeros(len(_LIMITS), dtype="int64")
        self.min, self.max = np.inf, -np.inf
        self.sum = self.sum_squares = 0.0
        self.add(values)

    def add(self, values: Any) -> None:
        values = np.asarray(values, dtype="float64").ravel()
        values = values[np.isfinite(values)]
        if values.size:
            where = np.searchsorted(_LIMITS, values, side="right")  # a bucket holds its lower end
            self.counts += np.bincount(where, minlength=len(_LIMITS))
            self.min, self.max = min(self.min, values.min()), max(self.max, values.max())
            self.sum += values.sum()
            self.sum_squares += np.square(values).sum()

    def serialized(self) -> bytes:
        """The ``HistogramProto`` of TensorFlow, in which runs of empty buckets are one."""
        (filled,) = np.nonzero(self.counts)
        # A bucket's lower end is the limit before it, so that has to be there, too.
        kept = np.union1d(filled, np.maximum(filled - 1, 0))
        content = double_field(1, self.min) + double_field(2, self.max) + double_field(3, self.counts.sum())
        content += double_field(4, self.sum) + double_field(5, self.sum_squares)
        return content + doubles_field(6, _LIMITS[kept]) + doubles_field(7, self.counts[kept])
