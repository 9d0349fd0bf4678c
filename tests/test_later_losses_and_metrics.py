"""Losses, metrics and activations beyond Keras 2.3.1, against NumPy."""

import numpy as np
import pytest
from hornbeam import activations, layers, losses, metrics, models
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


# -- means of elements, and states together ------------------------------------------------------------------------
@pytest.fixture(params=["graph", "eager"])
def mode(request):
    if request.param == "eager":
        request.getfixturevalue("eager")


def seen(metric, *batches):
    for batch in batches:
        updates = metric.update_state(*batch)
        if updates is not None:
            K.function([], [], updates=updates if isinstance(updates, list) else [updates])([])
    return value(metric.result())


def test_means_of_each_element(mode):
    """The numbers of its page."""
    metric = metrics.MeanTensor()
    with pytest.raises(ValueError, match="does not have any value yet"):
        metric.result()
    np.testing.assert_array_equal(seen(metric, ([0.0, 1, 2, 3],), ([4.0, 5, 6, 7],)), [2, 3, 4, 5])
    got = seen(metric, (np.array([12.0, 10, 8, 6]), np.array([0, 0.2, 0.5, 1])))
    np.testing.assert_allclose(got, [2, 3.6363635, 4.8, 5.3333335], rtol=1e-6)
    with pytest.raises(ValueError, match="same shape"):
        metric.update_state(np.ones((2, 2)))
    shaped = again(metrics.MeanTensor(shape=(1, 4), dtype="float64"), metrics)
    np.testing.assert_array_equal(value(shaped.result()), np.zeros((1, 4)))
    with pytest.raises(ValueError, match="number of elements"):
        metrics.MeanTensor(shape=(10**6, 10**6))


def test_relative_errors(mode):
    metric = metrics.MeanRelativeError(normalizer=[1.0, 3.0, 2.0, 0.0])
    assert seen(metric, ([1.0, 3, 2, 3], [2.0, 4, 6, 8])) == np.float32((1 + 1 / 3 + 2 + 0) / 4)
    assert again(metric, metrics).normalizer.tolist() == [1, 3, 2, 0]
    weighted = metrics.MeanRelativeError(normalizer=[1.0, -2.0])
    np.testing.assert_allclose(seen(weighted, ([1.0, 2], [2.0, 4], [3.0, 1.0])), (3 - 1) / 4)


def test_states_of_several_metrics_together(mode):
    one, two = metrics.BinaryAccuracy(), metrics.BinaryAccuracy()
    seen(one, ([[1.0], [1.0]], [[0.9], [0.1]]))
    seen(two, ([[1.0], [0.0]], [[0.8], [0.1]]))
    one.merge_state([two])
    assert value(one.result()) == 0.75
    with pytest.raises(ValueError, match="not compatible"):
        one.merge_state([metrics.Sum()])
    assert value(one.result()) == 0.75


# -- arguments that only tf.keras has ------------------------------------------------------------------------------
NUMBERS = np.array([[0, 3, 9], [9, 1, 2]])
CUBE = np.random.RandomState(5).uniform(0.1, 1, (2, 3, 4))
SHARES = CUBE / CUBE.sum(-1, keepdims=True)
COUNTS = NUMBERS != 9
NLL = np.where(COUNTS, -np.log(np.take_along_axis(SHARES, np.where(COUNTS, NUMBERS, 0)[..., None], -1)[..., 0]), 0)


@pytest.mark.parametrize("reduction, weights, expected", [
    ("sum_over_batch_size", None, NLL.sum() / 4), ("sum", None, NLL.sum()), ("none", None, NLL),
    ("sum_over_batch_size", [2.0, 0.5], (NLL * [[2.0], [0.5]]).sum() / 4),
])  # fmt: skip
def test_ignored_classes_do_not_count(reduction, weights, expected):
    loss = again(losses.SparseCategoricalCrossentropy(ignore_class=9, reduction=reduction), losses)
    np.testing.assert_allclose(value(loss(NUMBERS, SHARES, weights)), expected, rtol=1e-6)


def test_a_model_with_an_ignored_class(mode):
    model = models.Sequential([layers.Activation("linear", input_shape=(3, 4))])
    metric = metrics.SparseCategoricalCrossentropy(name="nll", ignore_class=9)
    model.compile("sgd", losses.SparseCategoricalCrossentropy(ignore_class=9), metrics=[metric])
    np.testing.assert_allclose(model.evaluate(SHARES, NUMBERS[..., None], verbose=0), [NLL.sum() / 4] * 2, rtol=1e-6)
    with pytest.raises(ValueError, match="class number 9"):
        model.compile("sgd", losses.SparseCategoricalCrossentropy())
        model.evaluate(SHARES, NUMBERS[..., None])


HOT = np.eye(3)[[[0, 1, 2, 0], [2, 2, 1, 0]]].transpose(0, 2, 1)
ALONG = CUBE / CUBE.sum(1, keepdims=True)


@pytest.mark.parametrize("loss, expected", [
    (losses.BinaryCrossentropy, -(HOT * np.log(ALONG) + (1 - HOT) * np.log(1 - ALONG)).mean(1)),
    (losses.CategoricalCrossentropy, -(HOT * np.log(ALONG)).sum(1)),
    (losses.BinaryFocalCrossentropy, binary_focal(HOT, ALONG, 2.0).mean(1)),
    (losses.CategoricalFocalCrossentropy, -0.25 * (HOT * (1 - ALONG) ** 2 * np.log(ALONG)).sum(1)),
])  # fmt: skip
def test_losses_along_an_axis(loss, expected):
    along = again(loss(axis=1, reduction="none"), losses)
    np.testing.assert_allclose(value(along(HOT, ALONG)), expected, rtol=1e-5)


def test_a_metric_along_an_axis():
    metric = again(metrics.CategoricalCrossentropy(axis=1), metrics)
    np.testing.assert_allclose(seen(metric, (HOT, ALONG)), -(HOT * np.log(ALONG)).sum(1).mean(), rtol=1e-5)


@pytest.mark.parametrize("kind", [metrics.SensitivityAtSpecificity, metrics.SpecificityAtSensitivity])
def test_rates_of_one_class(kind):
    one = again(kind(0.4, num_thresholds=20, class_id=2), metrics)
    plain = kind(0.4, num_thresholds=20)
    assert seen(one, (YES, P)) == seen(plain, (YES[:, 2], P[:, 2])) != seen(kind(0.4, num_thresholds=20), (YES, P))


# -- backend -------------------------------------------------------------------------------------------------------
def test_the_phase_of_a_block():
    assert K.is_tensor(K.learning_phase())
    with K.learning_phase_scope(1):
        assert K.learning_phase() == 1
        with pytest.raises(RuntimeError), K.learning_phase_scope(0):
            assert K.learning_phase() == 0
            raise RuntimeError
        assert K.learning_phase() == 1
    assert K.is_tensor(K.learning_phase())


def test_arguments_by_the_later_names():
    before = K.epsilon()
    K.set_epsilon(value=1e-3)
    assert K.epsilon() == 1e-3
    K.set_epsilon(before)
    K.set_floatx(value="float32")
    assert K.batch_get_value(tensors=[K.variable(2.0)]) == [2]
    with pytest.raises(TypeError, match="are one argument"):
        K.set_epsilon(e=1e-3, value=1e-2)


@pytest.mark.parametrize("unroll", [False, True])
def test_outputs_of_masked_steps_are_zeros(unroll):
    x, mask = np.arange(12.0).reshape(2, 3, 2), np.array([[1, 1, 0], [0, 1, 1]])

    def step(x, states):
        return x + states[0], [x + states[0]]

    last, outputs, (state,) = K.rnn(
        step, K.constant(x), [K.zeros((2, 2))], mask=K.constant(mask), zero_output_for_mask=True, unroll=unroll
    )
    sums = (x * mask[..., None]).cumsum(1)
    np.testing.assert_array_equal(value(outputs), sums * mask[..., None])
    np.testing.assert_array_equal(value(last), sums[:, -1] * mask[:, -1:])
    np.testing.assert_array_equal(value(state), sums[:, -1])
