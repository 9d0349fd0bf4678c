"""``tf.data``: what elements pipelines give, in which order, and what they leave behind."""

import threading
import tracemalloc

import numpy as np
import pytest
from hornbeam.graph import Tensor
from hornbeam.tf import NAMES as tf

Dataset = tf["data.Dataset"]
TensorSpec = tf["TensorSpec"]

pytestmark = pytest.mark.usefixtures("eager")


def values(dataset):
    """All elements, with arrays as lists."""

    def plain(x):
        if isinstance(x, tuple):
            return tuple(plain(v) for v in x)
        if isinstance(x, dict):
            return {k: plain(v) for k, v in x.items()}
        return x.tolist() if hasattr(x, "tolist") else x

    return [plain(x) for x in dataset.as_numpy_iterator()]


# -- sources --------------------------------------------------------------------------------------------------------
def test_from_tensors_is_one_element():
    data = Dataset.from_tensors(([1, 2], {"a": 3.0}))
    assert values(data) == [([1, 2], {"a": 3.0})] and len(data) == 1
    assert data.element_spec == (TensorSpec((2,), "int32"), {"a": TensorSpec((), "float32")})


def test_from_tensor_slices_keeps_structures_and_dtypes():
    data = Dataset.from_tensor_slices({"x": np.arange(6.0).reshape(3, 2), "y": (["a", "b", "c"], np.arange(3))})
    assert values(data)[1] == {"x": [2.0, 3.0], "y": (b"b", 1)}
    assert data.element_spec["x"] == TensorSpec((2,), "float64")
    assert data.element_spec["y"] == (TensorSpec((), "string"), TensorSpec((), "int64"))


def test_elements_are_tensors_when_iterated_over():
    (x, y), *rest = Dataset.from_tensor_slices((np.ones((2, 3), "f"), [5, 6]))
    assert isinstance(x, Tensor) and x.shape == (3,) and float(x[0]) == 1 and int(y) == 5 and len(rest) == 1


@pytest.mark.parametrize("arrays, message", [((np.ones(2), np.ones(3)), "not compatible"), (3, "a number has none")])
def test_slices_of_what_has_none_or_differs(arrays, message):
    with pytest.raises(ValueError, match=message):
        Dataset.from_tensor_slices(arrays)


def test_range_zip_and_concatenate():
    data = Dataset.zip((Dataset.range(3), {"b": Dataset.range(10, 0, -3)})).concatenate(
        Dataset.from_tensors((7, {"b": 8}))
    )
    assert values(data) == [(0, {"b": 10}), (1, {"b": 7}), (2, {"b": 4}), (7, {"b": 8})] and len(data) == 4
    assert values(Dataset.zip(Dataset.range(2), Dataset.range(5, 9))) == [(0, 5), (1, 6)]


def test_generators_are_made_anew_and_checked():
    made = []

    def count(stop):
        made.append(stop)
        yield from ((i, [float(i)] * 2) for i in range(stop))

    data = Dataset.from_generator(count, output_types=("int32", "float32"), output_shapes=((), (2,)), args=[3])
    assert values(data) == values(data) == [(i, [i, i]) for i in range(3)] and made == [3, 3]
    assert data.element_spec == (TensorSpec((), "int32"), TensorSpec((2,), "float32"))
    wrong = Dataset.from_generator(lambda: iter([[1, 2, 3]]), output_signature=TensorSpec((2,), "int32"))
    with pytest.raises(TypeError, match=r"shape \(3,\) where an element of shape \(2,\)"):
        values(wrong)
    with pytest.raises(TypeError, match="do not call it"):
        Dataset.from_generator(count(3), output_signature=TensorSpec((), "int32"))


def test_choosing_and_sampling():
    parts = [Dataset.from_tensors(c).repeat(2) for c in "ab"]
    chosen = Dataset.choose_from_datasets(parts, Dataset.from_tensor_slices([0, 1, 1, 0]))
    assert values(chosen) == [b"a", b"b", b"b", b"a"]
    stops = Dataset.choose_from_datasets(parts, Dataset.from_tensors(0).repeat(5))
    assert values(stops) == [b"a", b"a"]
    sampled = Dataset.sample_from_datasets([Dataset.from_tensors(i).repeat() for i in range(2)], [0.8, 0.2], seed=1)
    drawn = values(sampled.take(500))
    assert 0.7 < 1 - np.mean(drawn) < 0.9 and drawn == values(sampled.take(500))


# -- functions ------------------------------------------------------------------------------------------------------
def test_map_is_traced_once():
    calls = []

    def double(x, y):
        calls.append(x)
        return {"twice": x * 2, "both": tf["concat"]([x, tf["reshape"](y, [1])], axis=0)}

    data = Dataset.from_tensor_slices((np.ones((4, 2), "f"), np.arange(4, dtype="f"))).map(double)
    assert data.element_spec == {"twice": TensorSpec((2,), "float32"), "both": TensorSpec((3,), "float32")}
    assert values(data)[3] == {"twice": [2, 2], "both": [1, 1, 3]} and len(calls) == 1


def test_map_of_a_function_that_looks_at_values_runs_in_python():
    def classify(x):
        return x * 10 if x > 2 else -x

    assert values(Dataset.range(5).map(classify)) == [0, -1, -2, 30, 40]


def test_map_with_shapes_that_differ_has_one_program():
    rows = Dataset.from_generator(
        lambda: (np.ones(n) for n in (1, 5, 3)), output_signature=TensorSpec((None,), "float32")
    )
    calls = []

    def total(x):
        calls.append(x)
        return tf["reduce_sum"](x)

    assert values(rows.map(total)) == [1, 5, 3] and len(calls) == 1


def test_map_of_elements_of_unknown_rank():
    rows = Dataset.from_generator(lambda: iter([[1, 2], [[3]], 4]), output_types="int32")
    assert values(rows.map(lambda x: x + 1)) == [[2, 3], [[4]], 5]


def test_map_draws_new_random_numbers_for_each_element():
    drawn = values(Dataset.range(20).map(lambda i: tf["random.uniform"](())))
    assert len(set(drawn)) == 20


def test_map_on_a_thread_leaves_the_tapes_of_the_script_alone():
    x = tf["Variable"](3.0)
    data = iter(Dataset.range(50).map(lambda i: i + 1 if i >= 0 else i).prefetch(4))
    with tf["GradientTape"]() as tape:
        y = x * x
        for _ in range(10):
            next(data)
        y = y * 2.0
    assert float(tape.gradient(y, x)) == 12.0


def test_filter_and_take_while():
    assert values(Dataset.range(10).filter(lambda i: i % 3 == 0)) == [0, 3, 6, 9]
    assert values(Dataset.range(10).take_while(lambda i: i < 4)) == [0, 1, 2, 3]


def test_flat_map_and_interleave():
    assert values(Dataset.range(1, 4).flat_map(lambda i: Dataset.from_tensors(i).repeat(i))) == [1, 2, 2, 3, 3, 3]
    data = Dataset.range(1, 6).interleave(lambda x: Dataset.from_tensors(x).repeat(6), cycle_length=2, block_length=4)
    assert values(data) == [
        *[1] * 4, *[2] * 4, *[1] * 2, *[2] * 2, *[3] * 4, *[4] * 4, *[3] * 2, *[4] * 2, *[5] * 4, *[5] * 2,
    ]  # fmt: skip


def test_enumerate_reduce_scan_and_apply():
    data = Dataset.from_tensor_slices(["a", "b"]).enumerate(start=5)
    assert values(data) == [(5, b"a"), (6, b"b")]
    total = Dataset.range(5).reduce(np.int64(0), lambda state, i: state + i)
    assert int(total) == 10
    sums = Dataset.range(4).scan(np.int64(0), lambda state, i: (state + i, state + i))
    assert values(sums) == [0, 1, 3, 6]
    assert values(Dataset.range(4).apply(lambda d: d.take(2))) == [0, 1]


# -- order ----------------------------------------------------------------------------------------------------------
def test_shuffle_draws_within_its_buffer():
    for data in (Dataset.range(50).shuffle(5, seed=3), Dataset.from_tensor_slices(np.arange(50)).shuffle(5, seed=3)):
        order = values(data)
        assert sorted(order) == list(range(50)) and order != list(range(50))
        assert all(place >= number - 4 for place, number in enumerate(order))


def test_batches_of_shuffled_rows_are_those_of_shuffled_elements():
    """Rows of arrays are gathered by number, which must not change what comes."""
    x = np.arange(20)
    direct = Dataset.from_tensor_slices(x).shuffle(6, seed=4).batch(3)
    by_element = Dataset.from_tensor_slices(x).map(lambda v: v).shuffle(6, seed=4).batch(3)
    assert values(direct) == values(by_element)


def test_shuffle_repeats_by_its_seed():
    again, same = Dataset.range(20).shuffle(20, seed=1), Dataset.range(20).shuffle(20, seed=1)
    first, second = values(again), values(again)
    assert first != second and [first, second] == [values(same), values(same)]
    fixed = Dataset.range(20).shuffle(20, seed=1, reshuffle_each_iteration=False)
    assert values(fixed) == values(fixed)
    twice = values(Dataset.range(20).shuffle(20).repeat(2))
    assert sorted(twice[:20]) == sorted(twice[20:]) and twice[:20] != twice[20:]


def test_repeat_take_skip_shard_and_unique():
    data = Dataset.range(4)
    assert values(data.repeat(2).skip(1).take(5)) == [1, 2, 3, 0, 1]
    assert values(data.repeat().take(6)) == [0, 1, 2, 3, 0, 1]
    assert values(Dataset.range(7).shard(3, 1)) == [1, 4]
    assert values(Dataset.from_tensor_slices(["a", "b", "a"]).unique()) == [b"a", b"b"]
    assert values(Dataset.range(0).repeat()) == []


@pytest.mark.parametrize(
    "data, count",
    [
        (Dataset.range(10).batch(3), 4),
        (Dataset.range(10).batch(3, drop_remainder=True), 3),
        (Dataset.range(10).repeat(), -1),
        (Dataset.range(10).repeat().take(7), 7),
        (Dataset.range(10).filter(lambda i: i > 3), -2),
        (Dataset.range(10).skip(12), 0),
        (Dataset.range(10).window(4, shift=2, drop_remainder=True), 4),
        (Dataset.range(10).window(4, shift=2), 5),
        (Dataset.zip((Dataset.range(3), Dataset.range(5).repeat())), 3),
        (Dataset.range(3).concatenate(Dataset.range(2)), 5),
    ],
)
def test_cardinality_is_what_comes(data, count):
    assert int(data.cardinality()) == count
    if count >= 0:
        assert len(values(data.map(lambda *x: 0) if not hasattr(data.element_spec, "element_spec") else data)) == count
    else:
        with pytest.raises(TypeError, match="infinite" if count == -1 else "unknown"):
            len(data)


# -- batches --------------------------------------------------------------------------------------------------------
def test_batch_and_unbatch():
    data = Dataset.from_tensor_slices((np.arange(10).reshape(5, 2), list("abcde")))
    batched = data.batch(2)
    assert values(batched)[2] == ([[8, 9]], [b"e"])
    assert batched.element_spec[0] == TensorSpec((None, 2), "int64")
    assert data.batch(2, drop_remainder=True).element_spec[0] == TensorSpec((2, 2), "int64")
    assert values(batched.unbatch()) == values(data)
    assert [len(x) for x, _ in values(batched.rebatch(3))] == [3, 2]


def test_batch_says_which_shapes_differ():
    rows = Dataset.from_generator(lambda: iter([[1], [1, 2]]), output_signature=TensorSpec((None,), "int32"))
    with pytest.raises(ValueError, match=r"\(1,\) and another one \(2,\).*padded_batch"):
        values(rows.batch(2))


def test_padded_batch_fills_up():
    rows = Dataset.from_generator(
        lambda: ((list(range(1, n + 1)), "x" * n) for n in (1, 3, 2)),
        output_signature=(TensorSpec((None,), "int32"), TensorSpec((), "string")),
    )
    assert values(rows.padded_batch(2)) == [([[1, 0, 0], [1, 2, 3]], [b"x", b"xxx"]), ([[1, 2]], [b"xx"])]
    wide = rows.padded_batch(3, padded_shapes=([4], []), padding_values=(-1, None))
    assert values(wide)[0][0] == [[1, -1, -1, -1], [1, 2, 3, -1], [1, 2, -1, -1]]
    assert wide.element_spec[0] == TensorSpec((None, 4), "int32")
    with pytest.raises(ValueError, match="smaller size"):
        values(rows.padded_batch(3, padded_shapes=([2], [])))


def test_ragged_batch():
    rows = Dataset.from_generator(lambda: iter([[1], [2, 3]]), output_signature=TensorSpec((None,), "int32"))
    (ragged,) = rows.ragged_batch(2)
    assert ragged.to_list() == [[1], [2, 3]]


def test_windows_are_data_sets():
    data = Dataset.range(7).window(3, shift=2, stride=2)
    assert [values(w) for w in data] == [[0, 2, 4], [2, 4, 6], [4, 6], [6]]
    assert values(Dataset.range(6).window(3, drop_remainder=True).flat_map(lambda w: w.batch(3))) == [
        [0, 1, 2],
        [3, 4, 5],
    ]
    pairs = Dataset.from_tensor_slices((np.arange(4), np.arange(4) * 10)).window(2)
    joined = pairs.flat_map(lambda x, y: Dataset.zip((x, y)))
    assert values(joined) == [(i, 10 * i) for i in range(4)]
    assert values(Dataset.range(10).window(2, shift=5).flat_map(lambda w: w)) == [0, 1, 5, 6]


def test_buckets_by_length():
    rows = Dataset.from_generator(
        lambda: ([n] * n for n in (1, 5, 2, 6, 1)), output_signature=TensorSpec((None,), "int32")
    )
    batches = values(rows.bucket_by_sequence_length(lambda x: tf["shape"](x)[0], [3], [2, 2]))
    assert batches == [[[1, 0], [2, 2]], [[5] * 5 + [0], [6] * 6], [[1]]]


# -- keeping and reading ahead -----------------------------------------------------------------------------------------
def counting(limit, seen):
    def count():
        for i in range(limit):
            seen.append(i)
            yield i

    return Dataset.from_generator(count, output_signature=TensorSpec((), "int64"))


def test_cache_reads_its_source_once():
    seen = []
    data = counting(5, seen).cache()
    assert values(data.take(2)) == [0, 1]
    assert values(data) == values(data) == list(range(5))
    assert seen == [0, 1, *range(5)]  # the pass that was not whole is not kept


def test_cache_in_a_file(tmp_path):
    seen = []
    path = str(tmp_path / "kept")
    words = Dataset.from_tensor_slices((np.arange(3, dtype="f"), ["a", "", "b\0"]))
    data = Dataset.zip((words, counting(3, seen))).cache(path)
    first = values(data)
    assert first == [((0.0, b"a"), 0), ((1.0, b""), 1), ((2.0, b"b\0"), 2)]
    assert values(Dataset.zip((words, counting(3, seen))).cache(path)) == first and seen == [0, 1, 2]
    file = tmp_path / "kept.elements"
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(OSError, match="damaged"):
        values(data)


def test_prefetch_reads_ahead_and_ends_its_thread():
    before = threading.active_count()
    seen = []
    iterator = iter(counting(100, seen).prefetch(3))
    assert int(next(iterator)) == 0
    while len(seen) < 4:
        threading.Event().wait(0.01)
    assert len(seen) <= 5 and threading.active_count() == before + 1
    del iterator
    assert threading.active_count() == before
    assert values(counting(10, []).prefetch(2)) == list(range(10))
    assert threading.active_count() == before


def test_prefetch_hands_errors_on():
    def fail():
        yield 1
        raise OSError("no more disk")

    data = Dataset.from_generator(fail, output_signature=TensorSpec((), "int32")).prefetch(1)
    with pytest.raises(OSError, match="no more disk"):
        values(data)


def test_memory_is_flat_over_many_elements():
    def make():
        for i in range(100_000):
            yield np.full(50, i, "float32")

    data = Dataset.from_generator(make, output_signature=TensorSpec((50,), "float32"))
    data = data.map(lambda x: x + 1).shuffle(100).batch(32).prefetch(2)
    tracemalloc.start()
    seen, peaks = 0, []
    for batch in data.as_numpy_iterator():
        seen += len(batch)
        if seen in (3200, 99_200):
            peaks.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert seen == 100_000 and peaks[1] < peaks[0] + 200_000  # all elements take 20 MB


def test_ignore_errors_passes_over_elements():
    def fails(x):
        if x == 2:
            raise ValueError("two")
        return x

    numbers = Dataset.range(5).map(lambda x: tf["numpy_function"](fails, [x], "int64"))
    assert values(numbers.ignore_errors()) == [0, 1, 3, 4]


def test_a_traced_function_takes_the_next_element_at_each_call():
    iterator = iter(Dataset.range(4))
    double = tf["function"](lambda elements: next(elements) * 2)
    assert [int(double(iterator)) for _ in range(4)] == [0, 2, 4, 6]
    total = tf["function"](lambda data: sum(int(x) for x in data))
    assert total(Dataset.range(4)) == total(Dataset.range(4)) == 6
