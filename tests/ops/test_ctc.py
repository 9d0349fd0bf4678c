"""ctc_loss, against all paths one by one."""

import itertools

import numpy as np
import pytest
from checks import check_gradients
from hornbeam import graph as G


def ctc(logits, labels, steps, used, outputs=slice(None)):
    feeds = [np.asarray(logits), *(np.asarray(a, "int32") for a in (labels, steps, used))]
    inputs = [G.placeholder(a.shape, a.dtype.name) for a in feeds]
    return G.Function(inputs, list(G.apply("ctc_loss", inputs))[outputs])(feeds)


def collapsed(path, blank):
    """What a path spells: repetitions merged, then blanks dropped."""
    return tuple(k for k, before in zip(path, (None, *path)) if k != before and k != blank)


def by_paths(logits, labels):
    """-log P(labels) of one sample, summed over every path that spells them."""
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    classes = p.shape[1]
    total = 0.0
    for path in itertools.product(range(classes), repeat=len(p)):
        if collapsed(path, classes - 1) == tuple(labels):
            total += np.prod(p[np.arange(len(p)), path])
    return -np.log(total) if total else np.inf


SPELLINGS = [((0, 1), 4), ((1, 1), 4), ((1, 1), 3), ((2, 0, 2), 5), ((), 3), ((0,), 1), ((1, 1, 0), 4), ((0, 1, 2), 3)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_loss_is_the_sum_over_all_paths(target, dtype):
    rng = np.random.RandomState(0)
    logits = rng.uniform(-3, 3, (len(SPELLINGS), 5, 4)).astype(dtype)
    labels = np.full((len(SPELLINGS), 3), 99)
    for row, (spelled, _) in zip(labels, SPELLINGS):
        row[: len(spelled)] = spelled  # what is behind them is not looked at
    steps = [t for _, t in SPELLINGS]
    got = ctc(logits, labels, steps, [len(s) for s, _ in SPELLINGS])
    want = [by_paths(x[:t].astype("float64"), s) for x, (s, t) in zip(logits, SPELLINGS)]
    np.testing.assert_allclose(got[0], want, rtol=1e-6 if dtype == "float32" else 1e-12)
    for dx, t in zip(got[1], steps):
        assert not dx[t:].any()


def test_gradient_is_that_of_the_loss(target):
    rng = np.random.RandomState(1)
    labels, steps, used = (
        G.constant(np.array(a, "int32")) for a in ([[0, 1, 1], [2, 0, 0], [1, 2, 1]], [6, 4, 5], [3, 1, 3])
    )
    check_gradients(lambda x: G.apply("ctc_loss", [x, labels, steps, used])[0], [rng.uniform(-2, 2, (3, 6, 4))])


def test_second_gradient_is_that_of_the_formula():
    rng = np.random.RandomState(2)
    labels, steps, used = (G.constant(np.array(a, "int32")) for a in ([[0, 1], [1, 1]], [4, 3], [1, 2]))
    check_gradients(
        lambda x: G.gradients(G.apply("sin", [G.apply("ctc_loss", [x, labels, steps, used])[0]]), x)[0],
        [rng.uniform(-1, 1, (2, 4, 3))],
    )


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-6), ("float64", 1e-10)])
def test_long_and_certain_sequences(target, dtype, tolerance):
    """The gradient at a step sums up to 0 (up to the rounding of a loss of 20,000), also where probabilities along the way are below the smallest number."""
    rng = np.random.RandomState(3)
    logits = (rng.normal(size=(2, 600, 9)) * 30).astype(dtype)
    labels = rng.randint(0, 8, (2, 70))
    loss, dx = ctc(logits, labels, [600, 571], [70, 33])
    assert np.isfinite(loss).all() and (loss > 1000).all()
    np.testing.assert_allclose(dx.sum(-1), 0, atol=tolerance)
    assert np.abs(dx[0]).sum() > 1 and not dx[1, 571:].any()
    shifted, _ = ctc(logits + np.array(64, dtype), labels, [600, 571], [70, 33])
    np.testing.assert_allclose(shifted, loss, rtol=1e-5 if dtype == "float32" else 1e-12)


def test_labels_that_do_not_fit_have_infinite_loss_and_no_gradient(target):
    loss, dx = ctc(np.zeros((3, 2, 3)), [[0, 0], [0, 1], [0, 1]], [2, 0, 1], [2, 0, 2])
    np.testing.assert_array_equal(loss, [np.inf, 0, np.inf])
    assert not dx.any()


def test_blanks_behind_the_labels_are_none(target):
    """So the image OCR example marks its empty pictures, and TensorFlow reads it."""
    logits = np.random.RandomState(0).randn(3, 4, 3)
    loss, dx = ctc(logits, [[2, 2], [0, 2], [2, 0]], [4, 4, 4], [1, 2, 2])
    expected, slopes = ctc(logits[:2], [[0, 0], [0, 0]], [4, 4], [0, 1])
    np.testing.assert_array_equal(loss[:2], expected)
    np.testing.assert_array_equal(dx[:2], slopes)
    assert np.isnan(loss[2])  # a blank before a label


@pytest.mark.parametrize("label", [-1, 3, 99])
def test_labels_outside_the_classes_give_nan(target, label):
    loss, dx = ctc(np.zeros((2, 3, 3)), [[0, label], [0, 1]], [3, 3], [2, 2])
    assert np.isnan(loss[0]) and np.isnan(dx[0]).all()
    assert np.isfinite(loss[1]) and np.isfinite(dx[1]).all()


def test_lengths_beyond_the_arrays_count_as_the_whole(target):
    x = np.random.RandomState(4).normal(size=(1, 3, 3))
    whole = ctc(x, [[0, 1]], [3], [2])
    for a, b in zip(ctc(x, [[0, 1]], [2**30], [2**30]), whole):
        assert a.tobytes() == b.tobytes()
    (nothing, _) = ctc(x, [[0, 1]], [-5], [-1])
    assert nothing == [0]


def test_the_loss_alone_is_the_same(target):
    x = np.random.RandomState(5).normal(size=(3, 40, 6)).astype("float32")
    labels = np.random.RandomState(6).randint(0, 5, (3, 9))
    both = ctc(x, labels, [40, 7, 20], [9, 2, 5])
    alone = ctc(x, labels, [40, 7, 20], [9, 2, 5], slice(0, 1))
    assert alone[0].tobytes() == both[0].tobytes()


@pytest.mark.parametrize("shape, labels", [((0, 3, 4), (0, 2)), ((2, 0, 4), (2, 0)), ((2, 3, 1), (2, 0))])
def test_empty(target, shape, labels):
    loss, dx = ctc(np.zeros(shape), np.zeros(labels), [3] * shape[0], [0] * shape[0])
    np.testing.assert_allclose(loss, np.zeros(shape[0]), atol=1e-15)  # nothing but blanks, and no other class
    assert dx.shape == shape


def test_refuses():
    def types(logits, labels, steps, dtype="int32"):
        inputs = [G.placeholder(logits), G.placeholder(labels, dtype), *[G.placeholder(steps, dtype)] * 2]
        G.apply("ctc_loss", inputs)

    with pytest.raises(ValueError, match=r"\[ctc_loss\]"):
        types((2, 3), (2, 2), (2,))
    with pytest.raises(ValueError, match=r"\[ctc_loss\]"):
        types((2, 3, 4), (3, 2), (2,))
    with pytest.raises(TypeError, match="labels must be int32"):
        types((2, 3, 4), (2, 2), (2,), "int64")
    with pytest.raises(ValueError, match="no class for the blank"):
        types((2, 3, 0), (2, 2), (2,))
