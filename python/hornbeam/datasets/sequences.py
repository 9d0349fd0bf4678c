"""What imdb and reuters share: lists of word indices, filtered and marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..preprocessing.sequence import _remove_long_seq
from ..utils.messages import warn_user


def shuffled(rng: np.random.RandomState, *arrays: np.ndarray) -> list[np.ndarray]:
    """The arrays in one random order."""
    order = np.arange(len(arrays[0]))
    rng.shuffle(order)
    return [array[order] for array in arrays]


def renamed_num_words(num_words: int | None, kwargs: dict[str, Any]) -> int | None:
    """``num_words``, or what an old script passed as ``nb_words``; TypeError for any other argument."""
    if "nb_words" in kwargs:
        warn_user("The `nb_words` argument in `load_data` has been renamed `num_words`.")
        num_words = kwargs.pop("nb_words")
    if kwargs:
        raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
    return num_words


def prepare(
    sequences: Sequence[list[int]],
    labels: np.ndarray,
    num_words: int | None,
    skip_top: int,
    maxlen: int | None,
    start_char: int | None,
    oov_char: int | None,
    index_from: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Mark the starts, shift the indices, and drop long sequences and rare or frequent words.

    Returns:
        An object array of lists, and the labels of those that were kept.

    Raises:
        ValueError: no sequence is shorter than ``maxlen``.
    """
    start = [] if start_char is None else [start_char]
    shift = index_from or 0
    rows = [start + [word + shift for word in row] for row in sequences]
    if maxlen:
        rows, kept = _remove_long_seq(maxlen, rows, labels)
        labels = np.asarray(kept, labels.dtype)
        if not rows:
            raise ValueError(
                f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen."
            )
    if not num_words:
        num_words = max(max(row) for row in rows)  # the highest index itself falls out, as it does in Keras
    if oov_char is None:
        rows = [[word for word in row if skip_top <= word < num_words] for row in rows]
    else:
        rows = [[word if skip_top <= word < num_words else oov_char for word in row] for row in rows]
    result = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        result[i] = row
    return result, labels
