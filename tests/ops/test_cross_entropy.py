import numpy as np
import pytest
import reference_softmax as reference
from checks import check_gradients, run_op
from hornbeam import graph as G

CLASSES = [1, 2, 10, 16, 17, 33, 1000, 5001]
EPS = {"float32": 2.0**-24, "float64": 2.0**-53}


def cases(n, dtype):
    rng = np.random.default_rng(n)
    for rows in (0, 1, 13):
        yield (rng.normal(size=(rows, n)) * 4).astype(dtype), rng.normal(size=rows).astype(dtype), rng


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", CLASSES)
def test_dense_labels(target, n, dtype):
    eps = EPS[dtype]
    for logits, dloss, rng in cases(n, dtype):
        labels = rng.random(logits.shape).astype(dtype)
        labels[:, ::3] = 0
        loss, p = run_op("softmax_cross_entropy", [logits, labels])
        np.testing.assert_allclose(loss, reference.cross_entropy(logits, labels), rtol=64 * eps, atol=16 * eps)
        np.testing.assert_allclose(p, reference.softmax(logits), rtol=64 * eps)
        want = (p * labels.sum(-1, keepdims=True, dtype="float64") - labels) * dloss[:, None]
        got = run_op("softmax_cross_entropy_grad", [p, labels, dloss])[0]
        np.testing.assert_allclose(got, want, rtol=64 * eps, atol=16 * eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("label_type", ["int32", "int64", "uint8", "int16"])
@pytest.mark.parametrize("n", CLASSES)
def test_sparse_labels(target, label_type, dtype, n):
    eps = EPS[dtype]
    for logits, dloss, rng in cases(n, dtype):
        labels = rng.integers(0, min(n, 200), len(logits)).astype(label_type)
        loss, p = run_op("sparse_softmax_cross_entropy", [logits, labels])
        np.testing.assert_allclose(loss, reference.sparse_cross_entropy(logits, labels), rtol=64 * eps, atol=16 * eps)
        np.testing.assert_allclose(p, reference.softmax(logits), rtol=64 * eps)
        want = (p - np.eye(n)[labels.astype(int)]) * dloss[:, None]
        got = run_op("sparse_softmax_cross_entropy_grad", [p, labels, dloss])[0]
        np.testing.assert_allclose(got, want, rtol=64 * eps, atol=4 * eps)


@pytest.mark.parametrize("outside", [-1, 5, 10**6, -(2**31)])
def test_a_label_outside_the_classes_gives_nan_in_its_row_only(target, outside):
    logits = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    labels = np.array([1, outside, 4], "int32")
    loss, p = run_op("sparse_softmax_cross_entropy", [logits, labels])
    np.testing.assert_array_equal(np.isnan(loss), [False, True, False])
    assert not np.isnan(p).any()
    grad = run_op("sparse_softmax_cross_entropy_grad", [p, labels, np.ones(3, "float32")])[0]
    np.testing.assert_array_equal(np.isnan(grad).all(-1), [False, True, False])
    assert not np.isnan(grad[[0, 2]]).any()


def test_stable_for_large_logits(target):
    logits = np.array([[1000, 0, -1000], [-np.inf, 3, 3]], "float32")
    labels = np.array([[0, 1, 0], [0, 0.5, 0.5]], "float32")
    loss = run_op("softmax_cross_entropy", [logits, labels])[0]
    np.testing.assert_allclose(loss, [1000, np.log(2)], rtol=1e-6)


def test_only_one_output_is_asked_for():
    x = np.random.default_rng(0).normal(size=(4, 7)).astype("float32")
    logits, labels = G.placeholder((4, 7)), np.arange(4)
    loss, p = G.apply("sparse_softmax_cross_entropy", [logits, G.constant(labels)])
    np.testing.assert_allclose(
        G.Function([logits], [loss])([x])[0], reference.sparse_cross_entropy(x, labels), rtol=1e-5
    )
    np.testing.assert_allclose(G.Function([logits], [p])([x])[0], reference.softmax(x), rtol=1e-5)


def test_derivatives():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(3, 5)), rng.random((3, 5))
    classes = G.constant(np.array([4, 0, 2]))
    dloss, dp = rng.normal(size=3), rng.normal(size=(3, 5))

    def dense(x, t):
        return G.apply("softmax_cross_entropy", [x, t])

    def sparse(x):
        return G.apply("sparse_softmax_cross_entropy", [x, classes])

    check_gradients(lambda x, t: dense(x, t)[0], [logits, labels])
    check_gradients(lambda x: dense(x, G.constant(labels))[1], [logits])
    check_gradients(lambda x: sparse(x)[0], [logits])
    check_gradients(lambda x: sparse(x)[1], [logits])
    # Both outputs used, then second derivatives.
    check_gradients(lambda x: sparse(x)[0] + G.apply("reduce_sum", [sparse(x)[1] * G.constant(dp)], axes=[1]), [logits])
    check_gradients(lambda x, t, d: G.gradients([dense(x, t)[0]], [x], [d])[0], [logits, labels, dloss])
    check_gradients(lambda x, d: G.gradients([sparse(x)[0]], [x], [d])[0], [logits, dloss])


def test_bad_input():
    logits = G.placeholder((4, 3))
    with pytest.raises(ValueError, match=r"\[softmax_cross_entropy\]"):
        G.apply("softmax_cross_entropy", [logits, G.placeholder((4, 2))])
    with pytest.raises(TypeError, match=r"\[softmax_cross_entropy\]"):
        G.apply("softmax_cross_entropy", [logits, G.placeholder((4, 3), "int32")])
    with pytest.raises(ValueError, match=r"\[sparse_softmax_cross_entropy\] labels has shape \(4, 1\), want \(4,\)"):
        G.apply("sparse_softmax_cross_entropy", [logits, G.placeholder((4, 1), "int32")])
    with pytest.raises(TypeError, match=r"\[sparse_softmax_cross_entropy\] labels must be integers, got float32"):
        G.apply("sparse_softmax_cross_entropy", [logits, G.placeholder((4,))])
