"""map_fn and folds."""

import numpy as np
import pytest
from hornbeam import backend as K

X = np.random.RandomState(0).randn(4, 3)


def test_map_fn():
    x = K.constant(X, "float64")
    np.testing.assert_allclose(K.eval(K.map_fn(lambda r: K.sum(r) * 2, x)), X.sum(1) * 2)
    np.testing.assert_allclose(K.eval(K.map_fn(lambda p: p[0] * p[1], [x, x])), X * X)
    a, b = K.map_fn(lambda r: [r, -r], x)
    np.testing.assert_allclose(K.eval(b), -X)
    assert K.dtype(K.map_fn(lambda r: r, x, dtype="float32")) == "float32" and K.int_shape(a) == (4, 3)


def test_unknown_lengths():
    x = K.placeholder((None, 3))
    outputs = [
        K.map_fn(K.sum, x),
        K.foldl(lambda a, r: a * 0.5 + r, x),
        K.foldr(lambda a, r: a * 0.5 + r, x, initializer=K.zeros((3,))),
        K.gradients(K.sum(K.square(K.map_fn(lambda r: K.prod(r), x))), x)[0],
    ]
    run = K.function([x], outputs)
    for n in (1, 2, 5):
        rows = X[:n].astype("float32") if n <= 4 else np.vstack([X, X[:1]]).astype("float32")
        left = right = 0.0
        for a, b in zip(rows, rows[::-1]):
            left, right = left * 0.5 + a, right * 0.5 + b
        product = rows.prod(1, keepdims=True)
        for got, want in zip(run([rows]), [rows.sum(1), left, right, 2 * product**2 / rows]):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_folds():
    x = K.constant(X, "float64")
    np.testing.assert_allclose(K.eval(K.foldl(lambda a, r: a * 0.5 + r, x)), ((X[0] / 2 + X[1]) / 2 + X[2]) / 2 + X[3])
    np.testing.assert_allclose(K.eval(K.foldr(lambda a, r: a * 0.5 + r, x)), ((X[3] / 2 + X[2]) / 2 + X[1]) / 2 + X[0])
    np.testing.assert_allclose(
        K.eval(K.foldl(lambda a, r: a + r, x, initializer=K.ones((3,), "float64"))), X.sum(0) + 1
    )
    with pytest.raises(ValueError, match="initializer"):
        K.foldl(K.maximum, K.constant(np.zeros((0, 2))))


def test_what_a_step_indexes_with_its_element():
    x = K.variable(np.arange(12.0).reshape(4, 3))
    np.testing.assert_array_equal(
        K.eval(K.map_fn(lambda i: K.sum(x[i]), K.arange(4), dtype="float32")), [3, 12, 21, 30]
    )


def test_slices_that_begin_where_only_the_run_knows():
    x, m = K.placeholder((None, 5, 3)), K.placeholder((None, 6))

    def step(x_t, states):
        total, i, weights = states
        w = K.slice(weights, [0, K.cast(i[0, 0], "int32")], [-1, 2])
        assert K.int_shape(w) == (None, 2)
        total = total + x_t * w[:, :1] * w[:, 1:]
        return total, [total, i + 1]

    zero = K.zeros_like(x[:, 0])
    last, _, _ = K.rnn(step, x, [zero, zero[:, :1]], constants=[m], input_length=5)
    grad = K.gradients(K.sum(last), m)[0]
    data, weights = X[:2, None] + np.arange(5)[:, None], np.arange(12.0).reshape(2, 6) / 7
    got = K.function([x, m], [last, grad])([data, weights])
    np.testing.assert_allclose(got[0], np.einsum("btf,bt->bf", data, weights[:, :-1] * weights[:, 1:]), rtol=1e-5)
    expected = np.zeros((2, 6))
    expected[:, :-1] += data.sum(-1) * weights[:, 1:]
    expected[:, 1:] += data.sum(-1) * weights[:, :-1]
    np.testing.assert_allclose(got[1], expected, rtol=1e-5)
