"""Sequences: padding to one length, skip-gram pairs, sliding windows over a time series.

The same seeds give the same pairs and batches as Keras 2.
"""

from __future__ import annotations

import json
import random

import numpy as np

from ..utils.sequence import Sequence


def pad_sequences(sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0):
    """Make one array of sequences of different lengths.

    Args:
        sequences: list of sequences of length ``L_i``, whose elements all have the same shape.
        maxlen: length of the result; by default that of the longest sequence.
        dtype: of the result; ``object`` for strings of different lengths.
        padding: ``'pre'`` or ``'post'``: where a short sequence gets the missing elements.
        truncating: ``'pre'`` or ``'post'``: where a long sequence loses elements.
        value: what the missing elements are.

    Returns:
        Array of shape ``(len(sequences), maxlen, *element_shape)``.

    Raises:
        ValueError: something is no sequence, the elements' shapes differ, or an option is unknown.

    Example:
        >>> pad_sequences([[1, 2, 3], [4]], maxlen=2)
        array([[2, 3],
               [0, 4]], dtype=int32)
    """
    if not hasattr(sequences, "__len__"):
        raise ValueError("`sequences` must be iterable.")
    for sequence in sequences:
        if not hasattr(sequence, "__len__"):
            raise ValueError(f"`sequences` must be a list of iterables. Found non-iterable: {sequence}")
    if truncating not in ("pre", "post"):
        raise ValueError(f'Truncating type "{truncating}" not understood')
    if padding not in ("pre", "post"):
        raise ValueError(f'Padding type "{padding}" not understood')
    if isinstance(value, str) and np.dtype(dtype).kind not in "OU":
        raise ValueError(
            f"`dtype` {dtype} is not compatible with `value`'s type: {type(value)}\n"
            "You should set `dtype=object` for variable length strings."
        )

    if maxlen is None:
        maxlen = max(map(len, sequences), default=0)
    element_shape = next((np.asarray(sequence).shape[1:] for sequence in sequences if len(sequence)), ())
    padded = np.full((len(sequences), maxlen, *element_shape), value, dtype=dtype)
    for position, sequence in enumerate(sequences):
        if not len(sequence):
            continue
        surplus = max(len(sequence) - maxlen, 0)
        kept = sequence[surplus:] if truncating == "pre" else sequence[: len(sequence) - surplus]
        kept = np.asarray(kept, dtype=dtype)
        if not len(kept):
            continue
        if kept.shape[1:] != element_shape:
            raise ValueError(
                f"Shape of sample {kept.shape[1:]} of sequence at position {position} is different from expected "
                f"shape {element_shape}"
            )
        start = maxlen - len(kept) if padding == "pre" else 0
        padded[position, start : start + len(kept)] = kept
    return padded


def make_sampling_table(size, sampling_factor=1e-05):
    """The chance of each word to be kept by :func:`skipgrams`, by rank of frequency, after word2vec.

    Frequencies are taken from Zipf's law: the word of rank ``i`` has frequency
    ``1 / (i * (log(i) + 0.577) + 1/2 - 1/(12 i))``, and is kept with the chance
    ``min(1, sqrt(sampling_factor / frequency))``.

    Args:
        size: number of words.
        sampling_factor: of word2vec's formula: smaller, and common words are dropped more often.

    Returns:
        Array of shape ``(size,)``; the entry 0, which is no word, is that of rank 1.
    """
    rank = np.maximum(np.arange(size), 1)
    euler_gamma = 0.577
    inverse_frequency = rank * (np.log(rank) + euler_gamma) + 0.5 - 1.0 / (12.0 * rank)
    scaled = sampling_factor * inverse_frequency
    return np.minimum(1.0, scaled / np.sqrt(scaled))


def skipgrams(
    sequence,
    vocabulary_size,
    window_size=4,
    negative_samples=1.0,
    shuffle=True,
    categorical=False,
    sampling_table=None,
    seed=None,
):
    """Pairs of words that are near each other, and pairs that a coin has put together.

    Draws come from Python's ``random``.

    Args:
        sequence: list of word indices; 0 is no word and is skipped.
        vocabulary_size: random words are drawn from 1 to ``vocabulary_size - 1``.
        window_size: words at most so far apart are near.
        negative_samples: random pairs per pair of near words.
        shuffle: whether to shuffle the pairs.
        categorical: whether labels are ``[0, 1]`` and ``[1, 0]`` instead of 1 (near) and 0 (random).
        sampling_table: chance of each word to be considered, see :func:`make_sampling_table`.
        seed: of the shuffling; it seeds Python's ``random``.

    Returns:
        Two lists: pairs ``[word, other_word]`` and labels.
    """
    near, random_pair = ([0, 1], [1, 0]) if categorical else (1, 0)
    couples = []
    for position, word in enumerate(sequence):
        if not word:
            continue
        if sampling_table is not None and sampling_table[word] < random.random():
            continue
        for other in range(max(0, position - window_size), min(len(sequence), position + window_size + 1)):
            if other != position and sequence[other]:
                couples.append([word, sequence[other]])
    labels = [near for _ in couples]

    if negative_samples > 0:
        words = [couple[0] for couple in couples]
        count = int(len(labels) * negative_samples)
        random.shuffle(words)
        couples += [[words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)]
        labels += [random_pair] * count

    if shuffle:
        random.seed(random.randint(0, 10_000_000) if seed is None else seed)
        order = list(range(len(couples)))
        random.shuffle(order)
        couples = [couples[i] for i in order]
        labels = [labels[i] for i in order]
    return couples, labels


def _remove_long_seq(maxlen, seq, label):
    """The sequences shorter than ``maxlen`` and their labels, as two lists."""
    kept = [(row, target) for row, target in zip(seq, label) if len(row) < maxlen]
    return [row for row, _ in kept], [target for _, target in kept]


class TimeseriesGenerator(Sequence):
    """Batches of windows of a time series, with the target that follows each window.

    The sample for step ``t`` is ``data[t - length : t : sampling_rate]`` and its target ``targets[t]``.

    Args:
        data: array or list of steps, of shape ``(steps, ...)``.
        targets: one target per step.
        length: steps from a window's start to its target.
        sampling_rate: steps between the elements of a window.
        stride: steps between one sample and the next.
        start_index: data before it are not used.
        end_index: data after it are not used; by default the last one.
        shuffle: whether to draw samples at random, with repetition, instead of in order. Draws come from
            ``np.random``.
        reverse: whether windows run backwards.
        batch_size: samples per batch; the last batch may have fewer.

    Raises:
        ValueError: numbers of data and targets differ, or there is no whole window.

    Example:
        >>> series = np.arange(10)
        >>> samples, targets = TimeseriesGenerator(series, series, length=3, batch_size=2)[0]
        >>> samples
        array([[0, 1, 2],
               [1, 2, 3]])
        >>> targets
        array([3, 4])
    """

    def __init__(
        self,
        data,
        targets,
        length,
        sampling_rate=1,
        stride=1,
        start_index=0,
        end_index=None,
        shuffle=False,
        reverse=False,
        batch_size=128,
    ):
        if len(data) != len(targets):
            raise ValueError(
                f"Data and targets have to be of same length. Data length is {len(data)} while target length is "
                f"{len(targets)}"
            )
        self.data = data
        self.targets = targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length  # the first step that has a whole window before it
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"`start_index+length={self.start_index} > end_index={self.end_index}` is disallowed, as no part of "
                "the sequence would be left to be used as current step."
            )

    def __len__(self):
        return (self.end_index - self.start_index) // (self.batch_size * self.stride) + 1

    def __getitem__(self, index):
        if self.shuffle:
            steps = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            span = self.batch_size * self.stride
            first = self.start_index + span * index
            steps = np.arange(first, min(first + span, self.end_index + 1), self.stride)
        samples = np.array([self.data[step - self.length : step : self.sampling_rate] for step in steps])
        targets = np.array([self.targets[step] for step in steps])
        if self.reverse:
            samples = samples[:, ::-1, ...]
        return samples, targets

    def get_config(self):
        """The arguments; data and targets as JSON text.

        Raises:
            TypeError: data or targets cannot be written as JSON.
        """
        return {
            "data": _series_to_json(self.data, "Data"),
            "targets": _series_to_json(self.targets, "Targets"),
            "length": self.length,
            "sampling_rate": self.sampling_rate,
            "stride": self.stride,
            "start_index": self.start_index - self.length,
            "end_index": self.end_index,
            "shuffle": self.shuffle,
            "reverse": self.reverse,
            "batch_size": self.batch_size,
        }

    def to_json(self, **kwargs):
        """The generator and its data as JSON text; ``kwargs`` go to ``json.dumps``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def timeseries_generator_from_json(json_string):
    """The generator that :meth:`TimeseriesGenerator.to_json` wrote.

    Its start index is the argument that the generator was made with, so that it gives the same batches; Keras 2
    wrote the first target's index instead and skipped ``length`` more steps after reading it.
    """
    config = json.loads(json_string)["config"]
    data = json.loads(config.pop("data"))
    targets = json.loads(config.pop("targets"))
    return TimeseriesGenerator(data, targets, **config)


def _series_to_json(series, name):
    values = series.tolist() if isinstance(series, np.ndarray) else series
    try:
        return json.dumps(values)
    except TypeError as error:
        raise TypeError(f"{name} not JSON Serializable: {series}") from error
