"""Sequences: padding, skip-grams, windows. Expected pairs are those of Keras 2 under the same seeds."""

import json
import random

import numpy as np
import pytest
from hornbeam.preprocessing.sequence import (
    TimeseriesGenerator,
    make_sampling_table,
    pad_sequences,
    skipgrams,
    timeseries_generator_from_json,
)
from hornbeam.utils import Sequence


# -- padding ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[0, 0, 1], [0, 2, 3], [4, 5, 6]]),
        ({"padding": "post"}, [[1, 0, 0], [2, 3, 0], [4, 5, 6]]),
        ({"maxlen": 2}, [[0, 1], [2, 3], [5, 6]]),
        ({"maxlen": 2, "truncating": "post"}, [[0, 1], [2, 3], [4, 5]]),
        ({"maxlen": 4, "value": 9}, [[9, 9, 9, 1], [9, 9, 2, 3], [9, 4, 5, 6]]),
        ({"maxlen": 0}, [[], [], []]),
    ],
)
def test_pads_and_truncates(options, expected):
    padded = pad_sequences([[1], [2, 3], [4, 5, 6]], **options)
    assert padded.dtype == np.int32
    np.testing.assert_array_equal(padded, expected)


def test_pads_sequences_of_vectors_and_empty_sequences():
    padded = pad_sequences([[], np.ones((1, 2)), np.full((3, 2), 2)], dtype="float32", value=-1.0)
    assert padded.dtype == np.float32
    np.testing.assert_array_equal(padded[0], np.full((3, 2), -1))
    np.testing.assert_array_equal(padded[1], [[-1, -1], [-1, -1], [1, 1]])


def test_pads_strings():
    padded = pad_sequences([["a"], ["long", "word"]], dtype=object, value="pad", padding="post")
    assert padded.tolist() == [["a", "pad"], ["long", "word"]]


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        (5, {}, "must be iterable"),
        ([[1], 2], {}, "Found non-iterable: 2"),
        ([[1]], {"truncating": "mid"}, 'Truncating type "mid"'),
        ([[1]], {"padding": "mid"}, 'Padding type "mid"'),
        ([["a"]], {"value": "pad"}, "dtype=object"),
        ([np.ones((1, 2)), np.ones((1, 3))], {}, "at position 1"),
    ],
)
def test_padding_errors(sequences, options, message):
    with pytest.raises(ValueError, match=message):
        pad_sequences(sequences, **options)


# -- skip-grams ---------------------------------------------------------------------------------------
def test_sampling_table_follows_zipf():
    table = make_sampling_table(100, 0.01)
    rank = 50
    frequency = 1 / (rank * (np.log(rank) + 0.577) + 0.5 - 1 / (12 * rank))
    np.testing.assert_allclose(table[rank], np.sqrt(0.01 / frequency) if frequency > 0.01 else 1.0)
    assert table[0] == table[1]
    assert np.all(np.diff(table) >= 0) and table[-1] == 1.0


def test_near_pairs_in_order():
    couples, labels = skipgrams([1, 0, 2, 3], 4, window_size=1, negative_samples=0, shuffle=False)
    assert couples == [[2, 3], [3, 2]]
    assert labels == [1, 1]


def test_random_pairs_take_their_words_from_the_near_ones():
    couples, labels = skipgrams(range(1, 6), 6, window_size=2, negative_samples=2.0, categorical=True)
    assert labels.count([1, 0]) == 2 * labels.count([0, 1]) > 0
    near = {tuple(c) for c, label in zip(couples, labels) if label == [0, 1]}
    assert near == {(i, j) for i in range(1, 6) for j in range(1, 6) if 0 < abs(i - j) <= 2}
    assert all(1 <= other < 6 for _, other in couples)


def test_same_pairs_as_keras_under_a_seed():
    random.seed(3)
    couples, labels = skipgrams([1, 2, 3, 0, 4], 5, window_size=1, sampling_table=np.full(5, 0.6), seed=7)
    assert couples == [[2, 2], [1, 2], [2, 3], [2, 4], [1, 2], [3, 2], [2, 1], [3, 3]]
    assert labels == [0, 0, 1, 0, 1, 1, 1, 0]
    assert random.random() == 0.36568891691258554  # as many draws as Keras makes


# -- time series --------------------------------------------------------------------------------------
def test_windows_and_targets():
    data = np.arange(20).reshape(10, 2)
    generator = TimeseriesGenerator(data, np.arange(10), length=4, sampling_rate=2, batch_size=4)
    assert isinstance(generator, Sequence)
    assert len(generator) == 2
    samples, targets = generator[0]
    assert samples.shape == (4, 2, 2)
    np.testing.assert_array_equal(samples[0], data[0:4:2])
    np.testing.assert_array_equal(targets, [4, 5, 6, 7])
    np.testing.assert_array_equal(generator[1][1], [8, 9])


@pytest.mark.parametrize("batch_size", [1, 3, 128])
@pytest.mark.parametrize("stride", [1, 2, 5])
def test_every_step_has_one_sample(stride, batch_size):
    series = list(range(23))
    generator = TimeseriesGenerator(
        series, series, 3, stride=stride, start_index=2, end_index=20, batch_size=batch_size, reverse=True
    )
    batches = list(generator)
    assert all(len(samples) for samples, _ in batches)
    assert np.concatenate([targets for _, targets in batches]).tolist() == list(range(5, 21, stride))
    for samples, targets in batches:
        np.testing.assert_array_equal(samples, targets[:, None] - [1, 2, 3])


def test_shuffled_steps_come_from_numpys_generator():
    series = np.arange(30)
    generator = TimeseriesGenerator(series, series, 5, shuffle=True, batch_size=6)
    np.random.seed(0)
    expected = np.random.randint(5, 30, size=6)
    np.random.seed(0)
    np.testing.assert_array_equal(generator[0][1], expected)


def test_json_round_trip_gives_the_same_batches():
    generator = TimeseriesGenerator(np.arange(12.0), np.arange(12), 3, start_index=1, stride=2, batch_size=2)
    text = generator.to_json(indent=1)
    assert json.loads(text)["class_name"] == "TimeseriesGenerator"
    again = timeseries_generator_from_json(text)
    assert len(again) == len(generator)
    for (x, y), (x_again, y_again) in zip(generator, again):
        np.testing.assert_array_equal(x, x_again)
        np.testing.assert_array_equal(y, y_again)


def test_time_series_errors():
    with pytest.raises(ValueError, match="Data length is 3 while target length is 2"):
        TimeseriesGenerator([1, 2, 3], [1, 2], 1)
    with pytest.raises(ValueError, match="start_index\\+length=7 > end_index=3"):
        TimeseriesGenerator([1, 2, 3, 4], [1, 2, 3, 4], 5, start_index=2)
    with pytest.raises(TypeError, match="Targets not JSON Serializable"):
        TimeseriesGenerator([1, 2, 3], [{1}, {2}, {3}], 1).to_json()
