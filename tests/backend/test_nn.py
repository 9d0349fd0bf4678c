"""Activations, dropout, cross-entropies and normalization against NumPy."""

import numpy as np
import pytest
from checks import check_gradients
from hornbeam import backend as K

X = np.random.RandomState(0).uniform(-4, 4, (4, 5))


def run(f, *arrays):
    return K.eval(f(*(K.constant(a, dtype="float64") for a in arrays)))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(
    "f, expected",
    [
        (K.relu, np.maximum(X, 0)),
        (lambda x: K.relu(x, alpha=0.1), np.where(X >= 0, X, 0.1 * X)),
        (lambda x: K.relu(x, max_value=1.5), np.clip(X, 0, 1.5)),
        (lambda x: K.relu(x, threshold=1.0), np.where(X >= 1, X, 0)),
        (
            lambda x: K.relu(x, alpha=0.2, max_value=2.0, threshold=0.5),
            np.where(X >= 0.5, np.minimum(X, 2), 0.2 * (X - 0.5)),
        ),
        (lambda x: K.relu(x, threshold=-2.0), np.where(X > -2, X, 0)),
        (lambda x: K.relu(x, 0.1, 3.0, -2.0), np.where(X > -2, np.clip(X, 0, 3), 0.1 * (X + 2))),
        (lambda x: K.relu(x, 0.1, 0.0, 1.0), np.where(X > 1, 0, 0.1 * (X - 1))),
        (K.elu, np.where(X > 0, X, np.expm1(X))),
        (lambda x: K.elu(x, 0.5), np.where(X > 0, X, 0.5 * np.expm1(X))),
        (K.softplus, np.log1p(np.exp(X))),
        (K.softsign, X / (1 + np.abs(X))),
        (K.sigmoid, sigmoid(X)),
        (K.hard_sigmoid, np.clip(0.2 * X + 0.5, 0, 1)),
        (K.tanh, np.tanh(X)),
        (K.softmax, softmax(X)),
        (lambda x: K.softmax(x, axis=0), softmax(X, 0)),
    ],
)
def test_activations(f, expected):
    np.testing.assert_allclose(run(f, X), expected, rtol=1e-7, atol=1e-12)


def test_dropout_keeps_the_mean_and_repeats_with_its_seed():
    x = np.ones((200, 200), "float32")
    f = K.function([], [K.dropout(K.constant(x), 0.25, seed=3)])
    first, second = f([])[0], f([])[0]
    assert set(np.unique(first)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(first.mean() - 1) < 0.02
    assert (first != second).any(), "a mask differs from run to run"
    again = K.function([], [K.dropout(K.constant(x), 0.25, seed=3)])([])[0]
    np.testing.assert_array_equal(first, again)


def test_dropout_noise_shape_is_broadcast():
    x = K.placeholder((None, 3, 4))
    y = K.function([x], [K.dropout(x, 0.5, noise_shape=(None, 1, 4), seed=1)])([np.ones((6, 3, 4))])[0]
    assert (y == y[:, :1]).all() and 0 < (y == 0).mean() < 1
    with pytest.raises(ValueError, match="dropout rate"):
        K.dropout(x, 1.0)


LABELS = np.eye(5)[[1, 0, 4, 2]]
P = softmax(X)


def test_cross_entropy_of_probabilities_limits_them():
    p = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5]])
    t = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    expected = -(t * np.log(np.clip(p, 1e-7, 1 - 1e-7))).sum(-1)
    np.testing.assert_allclose(run(K.categorical_crossentropy, t, p), expected, rtol=1e-6)


def test_cross_entropy_scales_probabilities_to_sum_one():
    np.testing.assert_allclose(run(K.categorical_crossentropy, LABELS, 3 * P), -(LABELS * np.log(P)).sum(-1), rtol=1e-6)


def test_cross_entropy_takes_logits_from_a_softmax():
    """Exact where the clipped form is not: the probability underflows."""
    logits = np.array([[0.0, 200.0]])
    target = np.array([[1.0, 0.0]])
    through_softmax = run(lambda t, x: K.categorical_crossentropy(t, K.softmax(x)), target, logits)
    np.testing.assert_allclose(through_softmax, [200.0])
    copied = run(lambda t, x: K.categorical_crossentropy(t, K.softmax(x) * 1.0), target, logits)
    np.testing.assert_allclose(copied, -np.log(1e-7), rtol=1e-6)
    np.testing.assert_allclose(
        run(lambda t, x: K.categorical_crossentropy(t, x, from_logits=True), target, logits), [200]
    )


@pytest.mark.parametrize("form", ["logits", "softmax", "probabilities"])
def test_categorical_and_sparse_agree(form):
    output = {
        "logits": lambda x: x,
        "softmax": K.softmax,
        "probabilities": lambda x: K.softmax(x) * 1.0,
    }[form]
    logits = form == "logits"
    expected = -(LABELS * np.log(P)).sum(-1)
    dense = run(lambda t, x: K.categorical_crossentropy(t, output(x), from_logits=logits), LABELS, X)
    sparse = run(lambda t, x: K.sparse_categorical_crossentropy(t, output(x), from_logits=logits), LABELS.argmax(-1), X)
    np.testing.assert_allclose(dense, expected, rtol=1e-5)
    np.testing.assert_allclose(sparse, expected, rtol=1e-5)


def test_cross_entropy_over_another_axis():
    x = np.random.RandomState(1).uniform(-2, 2, (2, 3, 4))
    t = np.eye(3)[np.random.RandomState(2).randint(3, size=(2, 4))].transpose(0, 2, 1)
    expected = -(t * np.log(softmax(x, 1))).sum(1)
    from_logits = run(lambda t, x: K.categorical_crossentropy(t, x, True, axis=1), t, x)
    np.testing.assert_allclose(from_logits, expected, rtol=1e-9)
    from_softmax = run(lambda t, x: K.categorical_crossentropy(t, K.softmax(x, axis=1), axis=1), t, x)
    np.testing.assert_allclose(from_softmax, expected, rtol=1e-5)
    sparse = run(lambda t, x: K.sparse_categorical_crossentropy(t, x, True, axis=1), t.argmax(1), x)
    np.testing.assert_allclose(sparse, expected, rtol=1e-5)
    with pytest.raises(ValueError, match="channels axis"):
        K.categorical_crossentropy(K.constant(t), K.constant(x), axis=3)


def test_sparse_targets_may_have_a_last_axis_of_one():
    x = np.random.RandomState(1).uniform(-2, 2, (2, 6, 3))
    t = np.random.RandomState(2).randint(3, size=(2, 6))
    expected = -np.log(np.take_along_axis(softmax(x), t[..., None], -1))[..., 0]
    for target in (t, t[..., None]):
        got = run(lambda t, x: K.sparse_categorical_crossentropy(t, K.softmax(x)), target, x)
        np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_binary_cross_entropy():
    t = (X > 1).astype("float64")
    p = sigmoid(X)
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    for f in (
        lambda t, x: K.binary_crossentropy(t, x, from_logits=True),
        lambda t, x: K.binary_crossentropy(t, K.sigmoid(x)),
        lambda t, x: K.binary_crossentropy(t, K.sigmoid(x) * 1.0),
    ):
        np.testing.assert_allclose(run(f, t, X), expected, rtol=1e-4)
    np.testing.assert_allclose(
        run(lambda t, x: K.binary_crossentropy(t, K.sigmoid(x)), [1.0, 0.0], [-300.0, 300.0]), [300, 300]
    )
    # 2.3.1 adds epsilon to the limited probability once more.
    np.testing.assert_allclose(run(K.binary_crossentropy, [1.0], [0.0]), -np.log(2e-7), rtol=1e-6)


def test_limits_stay_in_the_gradient():
    p = K.placeholder((2,), dtype="float64")
    grad = K.gradients(K.binary_crossentropy(K.constant([1.0, 1.0], "float64"), p), [p])[0]
    got = K.function([p], [grad])([np.array([0.0, 0.5])])[0]
    assert got[0] == 0, "clipped"
    np.testing.assert_allclose(got[1], -2, rtol=1e-5)


def test_cross_entropy_gradients():
    t = K.constant(LABELS, "float64")
    check_gradients(lambda x: K.categorical_crossentropy(t, K.softmax(x)), [X])
    check_gradients(lambda x: K.binary_crossentropy(t, K.sigmoid(x)), [X])
    check_gradients(lambda x: K.categorical_crossentropy(t, K.softmax(x) * 1.0), [X])


def test_in_top_k():
    p = np.array([[0.1, 0.7, 0.2], [0.4, 0.4, 0.2], [np.nan, 0.1, 0.2], [0.3, 0.2, 0.5]])
    got = K.eval(K.in_top_k(K.constant(p), K.constant([2, 1, 0, 1], dtype="int32"), 2))
    np.testing.assert_array_equal(got, [True, True, False, False])
    got = K.eval(K.in_top_k(K.constant(p), K.constant([2, 1, 0, 1], dtype="int32"), 1))
    np.testing.assert_array_equal(got, [False, True, False, False])


def test_in_top_k_counts_ties_for_the_target_and_cannot_say_beside_what_is_not_finite():
    rows = np.array(
        [[2, 2, 2, 1], [2, 2, 2, 1], [3, 2, 2, 2], [-np.inf, 1, 3, 2], [np.inf, 1, 3, 2], [np.nan, 1, 3, 2]]
    )
    targets = [0, 2, 1, 2, 2, 2]
    for k in (1, 2, 3, 4):
        got = K.eval(K.in_top_k(K.constant(rows), K.constant(targets, dtype="int32"), k))
        assert got.tolist() == [True, True, k > 1, False, False, False]
    assert not K.eval(K.in_top_k(K.constant(rows[:2]), K.constant([4, -1], dtype="int32"), 4)).any()


def test_l2_normalize():
    np.testing.assert_allclose(
        run(lambda x: K.l2_normalize(x, 1), X), X / np.linalg.norm(X, axis=1, keepdims=True), rtol=1e-12
    )
    assert not run(lambda x: K.l2_normalize(x, 0), np.zeros((2, 2))).any()


@pytest.mark.parametrize("reduced", [[0, 1, 2], [0, 2, 3], [0, 1], [1], [0, 1, 2, 3]])
@pytest.mark.parametrize("affine", [False, True])
def test_normalize_batch_in_training(reduced, affine):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4, 5, 2))
    kept = tuple(n for a, n in enumerate(x.shape) if a not in reduced)
    along = [1 if a in reduced else n for a, n in enumerate(x.shape)]
    gamma, beta = (rng.standard_normal(kept), rng.standard_normal(kept)) if affine else (None, None)
    mean, var = x.mean(tuple(reduced)), x.var(tuple(reduced))
    expected = (x - mean.reshape(along)) / np.sqrt(var.reshape(along) + 1e-3)
    if affine:
        expected = expected * gamma.reshape(along) + beta.reshape(along)
    params = [None if p is None else K.constant(p, "float64") for p in (gamma, beta)]
    out = K.normalize_batch_in_training(K.constant(x, "float64"), *params, reduced)
    for got, want in zip(map(K.eval, out), (expected, mean, var)):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("axis", [-1, 1])
def test_batch_normalization(axis):
    rng = np.random.RandomState(0)
    x = rng.randn(2, 3, 4)
    n = x.shape[axis]
    mean, var, beta, gamma = rng.randn(n), rng.rand(n), rng.randn(n), rng.randn(n)
    along = (1, -1, 1) if axis == 1 else (-1,)
    expected = (x - mean.reshape(along)) / np.sqrt(var.reshape(along) + 1e-3) * gamma.reshape(along) + beta.reshape(
        along
    )
    got = run(lambda *t: K.batch_normalization(*t, axis=axis), x, mean, var, beta, gamma)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
    got = run(lambda x, m, v: K.batch_normalization(x, m, v, None, None, axis=axis), x, mean, var)
    expected = (x - mean.reshape(along)) / np.sqrt(var.reshape(along) + 1e-3)
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
