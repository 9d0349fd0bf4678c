"""Losses, metrics and activations beyond Keras 2.3.1, against NumPy."""

import numpy as np
import pytest
from hornbeam import activations, losses, metrics
from hornbeam import backend as K

P = np.random.RandomState(0).uniform(0.05, 0.95, (6, 4))
P /= P.sum(1, keepdims=True)
YES = np.random.RandomState(1).randint(0, 2, (6, 4)).astype("float64")
ONE = np.eye(4)[np.random.RandomState(2).randint(0, 4, 6)]
WEIGHTS = np.random.RandomState(3).rand(6)


def value(tensor):
    return np.asarray(K.eval(tensor))


def again(thing, module):
    """The same from its config."""
    return module.deserialize(module.serialize(thing))


# -- losses --------------------------------------------------------------------------------------------------------
def binary_focal(y, p, gamma, alpha=None):
    right = np.where(y == 1, p, 1 - p)
    loss = -((1 - right) ** gamma) * np.log(right)
    return loss if alpha is None else loss * np.where(y == 1, alpha, 1 - alpha)


@pytest.mark.parametrize("loss, y, p, expected", [
    (losses.CosineSimilarity(), YES, P, -(YES * P).sum(1) / np.linalg.norm(YES, axis=1).clip(1e-6) / np.linalg.norm(P, axis=1)),
    (losses.BinaryFocalCrossentropy(gamma=1.5), YES, P, binary_focal(YES, P, 1.5)),
    (losses.BinaryFocalCrossentropy(True, alpha=0.3), YES, P, binary_focal(YES, P, 2.0, 0.3)),
    (losses.BinaryFocalCrossentropy(from_logits=True), YES, np.log(P / (1 - P)), binary_focal(YES, P, 2.0)),
    (losses.CategoricalFocalCrossentropy(), ONE, P, -0.25 * (ONE * (1 - P) ** 2 * np.log(P)).sum(1)),
    (losses.CategoricalFocalCrossentropy([1.0, 2.0, 3.0, 4.0], gamma=0.5, from_logits=True), ONE, np.log(P),
     -(ONE * (1 - P) ** 0.5 * np.log(P) * [1, 2, 3, 4]).sum(1)),
    (losses.CategoricalFocalCrossentropy(label_smoothing=0.2), ONE, P,
     -0.25 * ((ONE * 0.8 + 0.05) * (1 - P) ** 2 * np.log(P)).sum(1)),
])  # fmt: skip
def test_losses(loss, y, p, expected):
    for made in (loss, again(loss, losses)):
        got = value(made(K.constant(y, "float64"), K.constant(p, "float64")))
        np.testing.assert_allclose(got, expected.mean(), rtol=1e-5)


def test_functions_under_the_later_names():
    y, p = K.constant(YES, "float64"), K.constant(3 * P, "float64")
    error = np.abs(YES - 3 * P)
    expected = np.where(error <= 0.5, error**2 / 2, 0.5 * error - 0.125).mean(1)
    np.testing.assert_allclose(value(losses.huber(y, p, 0.5)), expected)
    assert (
        losses.get("kl_divergence") is losses.kullback_leibler_divergence and losses.get("log_cosh") is losses.logcosh
    )
    assert losses.get("binary_focal_crossentropy") is metrics.get("binary_focal_crossentropy")


# -- metrics -------------------------------------------------------------------------------------------------------
def result(metric, y, p, weights=None):
    """After two batches, which must come to the same as one."""
    cut = len(y) // 2
    for part in (slice(None, cut), slice(cut, None)):
        weight = () if weights is None else (K.constant(weights[part]),)
        updates = metric.update_state(K.constant(y[part]), K.constant(p[part]), *weight)
        K.function([], [], updates=updates)([])
    return value(metric.result())


def check(make, expected, y, p, weights=None):
    metric = make()
    np.testing.assert_allclose(result(metric, y, p, weights), expected, rtol=1e-5)
    np.testing.assert_allclose(result(again(make(), metrics), y, p, weights), expected, rtol=1e-5)
    metric.reset_states()
    np.testing.assert_allclose(result(metric, y, p, weights), expected, rtol=1e-5)


def counts(chosen, weights=None):
    weights = np.ones(6) if weights is None else weights
    return [(weights[:, None] * part).sum(0) for part in (chosen * YES, chosen * (1 - YES), (1 - chosen) * YES, YES)]


def f_score(hits, wrong, missed, beta=1.0):
    precision, recall = (hits / np.maximum(hits + other, 1e-30) for other in (wrong, missed))
    return (1 + beta**2) * precision * recall / np.maximum(beta**2 * precision + recall, 1e-30)


def test_f_scores():
    above, best = (P > 0.3).astype(float), (P == P.max(1, keepdims=True)).astype(float)
    *three, target = counts(above)
    check(lambda: metrics.F1Score(threshold=0.3), f_score(*three), YES, P)
    check(lambda: metrics.F1Score("macro", threshold=0.3), f_score(*three).mean(), YES, P)
    check(lambda: metrics.F1Score("weighted", threshold=0.3), (f_score(*three) * target).sum() / target.sum(), YES, P)
    check(lambda: metrics.F1Score("micro", threshold=0.3), f_score(*(v.sum() for v in three)), YES, P)
    check(lambda: metrics.FBetaScore(beta=2.0), f_score(*counts(best)[:3], beta=2.0), YES, P)
    check(lambda: metrics.F1Score(), f_score(*counts(best, WEIGHTS)[:3]), YES, P, WEIGHTS)


def test_r2(rng):
    y = rng.uniform(-1, 1, (6, 4))
    p = y + rng.uniform(-0.2, 0.2, (6, 4))  # rest / total far from 1, where the difference cancels
    total, rest = ((y - y.mean(0)) ** 2).sum(0), ((y - p) ** 2).sum(0)
    check(lambda: metrics.R2Score(), (1 - rest / total).mean(), y, p)
    check(lambda: metrics.R2Score(class_aggregation=None), 1 - rest / total, y, p)
    check(lambda: metrics.R2Score("variance_weighted_average"), 1 - rest.sum() / total.sum(), y, p)


def iou(y, p, classes, weights=None):
    weights = np.ones(y.size) if weights is None else weights
    values = []
    for c in classes:
        both, either = (y == c) & (p == c), (y == c) | (p == c)
        if either.any():
            values.append((weights * both).sum() / (weights * either).sum())
    return np.mean(values)


def test_intersection_over_union(rng):
    y, p = rng.randint(0, 3, (2, 30))
    check(lambda: metrics.IoU(4, [0, 2]), iou(y, p, [0, 2]), y, p)
    check(lambda: metrics.MeanIoU(4, ignore_class=1), iou(y[y != 1], p[y != 1], [0, 1, 2]), y, p)
    hot, scores = np.eye(3)[y], rng.rand(30, 3)
    check(lambda: metrics.OneHotMeanIoU(3), iou(y, scores.argmax(1), [0, 1, 2]), hot, scores)
    check(lambda: metrics.OneHotIoU(3, [1], sparse_y_pred=True), iou(y, p, [1]), hot, p)
    yes, score, weights = rng.randint(0, 2, 30), rng.rand(30), rng.rand(30)
    check(lambda: metrics.BinaryIoU(threshold=0.4), iou(yes, score >= 0.4, [0, 1]), yes, score)
    check(lambda: metrics.BinaryIoU([1]), iou(yes, score >= 0.5, [1], weights), yes, score, weights)


def test_precision_at_recall(rng):
    y = rng.randint(0, 2, 40)
    p = 0.3 * y + 0.7 * rng.rand(40)  # better than chance, so that each bound is reached
    pairs = []
    for t in np.linspace(0, 1, 50):
        hits, chosen = (y * (p > t)).sum(), (p > t).sum()
        pairs.append((hits / chosen if chosen else 0.0, hits / y.sum()))
    check(lambda: metrics.PrecisionAtRecall(0.6, 50), max(pr for pr, re in pairs if re >= 0.6), y, p)
    check(lambda: metrics.RecallAtPrecision(0.4, 50), max(re for pr, re in pairs if pr >= 0.4), y, p)


def test_area_from_logits(rng):
    y, p = rng.randint(0, 2, 40), rng.uniform(0.05, 0.95, 40)
    expected = result(metrics.AUC(), y, p)
    check(lambda: metrics.AUC(from_logits=True), expected, y, np.log(p / (1 - p)))


@pytest.mark.parametrize("make, message", [
    (lambda: metrics.AUC(multi_label=True), "`multi_label` is not supported"),
    (lambda: metrics.F1Score("mean"), "`average` must be"), (lambda: metrics.IoU(3, [3]), "among the 3 classes"),
    (lambda: metrics.PrecisionAtRecall(1.5), "`recall` must be in the range"),
    (lambda: metrics.R2Score("sum"), "knows the aggregations"),
    (lambda: metrics.F1Score()(K.constant([1.0]), K.constant([1.0])), "for predictions"),
])  # fmt: skip
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# -- activations --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name, expected", [
    ("mish", lambda x: x * np.tanh(np.log1p(np.exp(x)))), ("relu6", lambda x: x.clip(0, 6)),
    ("leaky_relu", lambda x: np.where(x > 0, x, 0.2 * x)),
    ("log_softmax", lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True))),
])  # fmt: skip
def test_activations(name, expected):
    x = np.linspace(-8, 8, 12).reshape(3, 4)
    np.testing.assert_allclose(value(activations.get(name)(K.constant(x, "float64"))), expected(x), rtol=1e-10)
