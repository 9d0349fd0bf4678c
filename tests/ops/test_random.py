"""Random tensors: Philox by seed, run and element."""

import math

import numpy as np
import pytest
from checks import run_op
from hornbeam import _core
from hornbeam import graph as G

OPS = ["random_uniform", "random_normal", "truncated_normal", "random_bernoulli"]


def draw(op, shape, **attrs):
    return run_op(op, [np.array(shape, "int64")], **attrs)[0]


def philox(seed, run, block, draw=0):
    """Philox4x32-10 as the paper has it."""
    c = [block & 0xFFFFFFFF, block >> 32 | draw << 24, run & 0xFFFFFFFF, run >> 32]
    k = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [b >> 32 ^ c[1] ^ k[0], b & 0xFFFFFFFF, a >> 32 ^ c[3] ^ k[1], a & 0xFFFFFFFF]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def words(seed, run, count):
    """The words in the order in which elements of 4 bytes take them: chunks of 16 blocks, word by word."""
    chunks = -(-count // 64)
    blocks = np.array([philox(seed, run, b) for b in range(16 * chunks)], np.uint32)
    return blocks.reshape(chunks, 16, 4).transpose(0, 2, 1).reshape(-1)[:count]


def test_oracle_knows_the_published_vectors():
    """Known answers of Random123: counter and key of zeros, and of all ones."""
    assert philox(0, 0, 0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    ones = 2**64 - 1
    assert philox(ones, ones, ones) == [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]


@pytest.mark.parametrize("seed", [0, 7, 2**40 + 3])
def test_uniform_takes_the_words_in_order(target, seed):
    want = (words(seed, 0, 1000) >> 8) * 2.0**-24
    np.testing.assert_array_equal(draw("random_uniform", (1000,), seed=seed), want.astype("float32"))


def test_uniform_double_takes_two_words(target):
    w = words(3, 0, 320).reshape(-1, 2, 2, 16)
    want = ((w[:, :, 0] >> 5) * 2.0**26 + (w[:, :, 1] >> 6)) * 2.0**-53
    np.testing.assert_array_equal(draw("random_uniform", (150,), seed=3, dtype="float64"), want.reshape(-1)[:150])


def test_bernoulli_is_a_threshold_on_the_words(target):
    want = np.where((words(5, 0, 900) >> 8) * 2.0**-24 < 0.7, np.float32(1 / 0.7), 0)
    np.testing.assert_array_equal(draw("random_bernoulli", (30, 30), seed=5, p=0.7, scale=1 / 0.7).reshape(-1), want)


def test_normal_is_box_muller(target):
    w = words(9, 0, 640).reshape(-1, 2, 2, 16)
    u = ((w[:, :, 0] >> 1) + 0.5) * 2.0**-31
    angle = w[:, :, 1] * (2 * math.pi / 2**32)
    radius = np.sqrt(-2 * np.log(u))
    # A word's top bits are the quadrant: the angle of the word itself, minus a turn where its rest is negative.
    turn = np.where(w[:, :, 1] & 0x20000000, -math.pi / 2, 0)
    want = np.stack([radius * np.cos(angle + turn), radius * np.sin(angle + turn)], 2).reshape(-1)
    np.testing.assert_allclose(draw("random_normal", (640,), seed=9), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distributions(target, dtype):
    n = 200000
    u = draw("random_uniform", (n,), seed=1, low=-2.0, high=3.0, dtype=dtype)
    assert u.dtype == dtype and u.min() >= -2 and u.max() < 3
    assert abs(u.mean() - 0.5) < 5 * 5 / math.sqrt(12 * n) and abs(u.var() - 25 / 12) < 0.05
    z = draw("random_normal", (n,), seed=1, mean=1.0, stddev=2.0, dtype=dtype)
    assert abs(z.mean() - 1) < 5 * 2 / math.sqrt(n) and abs(z.std() - 2) < 0.03
    cdf = np.searchsorted(np.sort(z), [1 - 2, 1, 1 + 2, 1 + 4]) / n
    np.testing.assert_allclose(cdf, [0.15866, 0.5, 0.84134, 0.97725], atol=0.005)
    assert abs(np.mean((z - 1) ** 4) / 16 - 3) < 0.15
    assert abs(np.corrcoef(z[:-1], z[1:])[0, 1]) < 0.012 and abs(np.corrcoef(z[:-16], z[16:])[0, 1]) < 0.012
    t = draw("truncated_normal", (n,), seed=1, mean=1.0, stddev=0.5, dtype=dtype)
    assert t.min() > 0 and t.max() < 2 and abs(t.mean() - 1) < 0.006
    assert abs(t.std() / 0.5 - 0.8796) < 0.01
    b = draw("random_bernoulli", (n,), seed=1, p=0.25, scale=4.0, dtype=dtype)
    assert set(np.unique(b)) == {0, 4} and abs((b > 0).mean() - 0.25) < 0.006


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_integers_are_uniform(target, dtype):
    x = draw("random_uniform", (60000,), seed=4, low=3, high=9, dtype=dtype)
    assert x.dtype == dtype
    found, counts = np.unique(x, return_counts=True)
    assert found.tolist() == [3, 4, 5, 6, 7, 8] and abs(counts - 10000).max() < 500
    wide = draw("random_uniform", (1000,), seed=4, low=-(2**53), high=2**53, dtype="int64")
    assert wide.min() < -(2**51) and wide.max() > 2**51


@pytest.mark.parametrize("op", OPS)
def test_same_numbers_for_any_number_of_threads_and_any_length(threads, op):
    threads(1)
    whole = draw(op, (100000,), seed=11)
    threads(3)
    np.testing.assert_array_equal(draw(op, (100000,), seed=11), whole)
    for n in (0, 1, 5, 63, 65, 16385):
        np.testing.assert_array_equal(draw(op, (n,), seed=11), whole[:n])
    np.testing.assert_array_equal(draw(op, (10, 7), seed=11).reshape(-1), whole[:70])


@pytest.mark.parametrize("op", OPS)
def test_same_numbers_on_every_instruction_set(op):
    before, results = _core.isa(), []
    for isa in _core.available_isas():
        _core.set_isa(isa)
        results.append(draw(op, (5000,), seed=2))
    _core.set_isa(before)
    for r in results[1:]:
        if "normal" in op:
            np.testing.assert_allclose(r, results[0], rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(r, results[0])


def test_each_run_and_each_seed_is_new():
    ops = [G.apply(op, [G.constant(np.array([500], "int64"))], seed=s) for op in OPS for s in (1, 2)]
    f = G.Function([], ops)
    first, second = f([]), f([])
    for a, b in zip(first, second):
        assert (a != b).any()
    for i in range(0, len(ops), 2):
        assert (first[i] != first[i + 1]).any()
    again = G.Function([], ops)
    np.testing.assert_array_equal(np.stack(again([])), np.stack(first))


def test_shape_may_be_known_only_when_run():
    x = G.placeholder((None, 4))
    mask = G.apply("random_bernoulli", [G.shape_of(x)], p=1.0, scale=2.0, seed=1)
    assert mask.shape[1] == 4
    np.testing.assert_array_equal(G.Function([x], [mask * x])([np.ones((6, 4), "float32")])[0], np.full((6, 4), 2))


def test_ends():
    assert (draw("random_bernoulli", (1000,), p=0.0) == 0).all()
    assert (draw("random_bernoulli", (1000,), p=1.0) == 1).all()
    assert draw("random_bernoulli", (9,), p=1.0, dtype="bool").tolist() == [True] * 9
    # 1 + 2^-23 is the only float in the interval but 1 itself: rounding must not give its end
    narrow = draw("random_uniform", (1000,), low=1.0, high=1.0 + 2.0**-22)
    assert narrow.max() < 1.0 + 2.0**-22
    assert draw("random_uniform", (70,), low=2.0, high=2.0).tolist() == [2.0] * 70
    half = draw("random_normal", (100,), dtype="float16")
    np.testing.assert_array_equal(half, draw("random_normal", (100,)).astype("float16"))


def test_errors():
    with pytest.raises(ValueError, match=r"random_bernoulli.*p must lie"):
        draw("random_bernoulli", (3,), p=1.5)
    with pytest.raises(ValueError, match=r"random_uniform.*no integer"):
        draw("random_uniform", (3,), low=4, high=4, dtype="int32")
    with pytest.raises(TypeError, match=r"random_normal.*int32"):
        draw("random_normal", (3,), dtype="int32")
