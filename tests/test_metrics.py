"""Metrics: per-sample functions, and states that accumulate over batches, against NumPy and scikit-learn."""

import json

import numpy as np
import pytest
import sklearn.metrics
from hornbeam import backend as K
from hornbeam import metrics
from hornbeam.utils import metrics_utils

PROBABILITIES = np.random.RandomState(0).dirichlet(np.ones(6), 8).astype("float32")
CLASSES = np.random.RandomState(1).randint(6, size=8)
ONE_HOT = np.eye(6, dtype="float32")[CLASSES]


def accumulate(metric, *batches):
    """The result after each batch of (y_true, y_pred[, weights]), fed to one Function as training does."""
    shapes = [(None, *np.shape(a)[1:]) for a in batches[0]]
    inputs = [K.placeholder(s) for s in shapes]
    f = K.function(inputs, [metric(*inputs)])
    return [f(list(batch))[0] for batch in batches]


def test_functions(rng):
    hits = CLASSES == PROBABILITIES.argmax(-1)
    np.testing.assert_array_equal(K.eval(metrics.categorical_accuracy(ONE_HOT, PROBABILITIES)), hits)
    for target in (CLASSES, CLASSES[:, None]):
        np.testing.assert_array_equal(K.eval(metrics.sparse_categorical_accuracy(target, PROBABILITIES)), hits)
    ranks = (PROBABILITIES > PROBABILITIES[np.arange(8), CLASSES][:, None]).sum(-1)
    for k in (1, 3):
        np.testing.assert_array_equal(K.eval(metrics.top_k_categorical_accuracy(ONE_HOT, PROBABILITIES, k)), ranks < k)
        np.testing.assert_array_equal(
            K.eval(metrics.sparse_top_k_categorical_accuracy(CLASSES[:, None], PROBABILITIES, k)), ranks < k
        )
    b, p = (rng.rand(4, 5) > 0.5).astype("float32"), rng.rand(4, 5).astype("float32")
    np.testing.assert_allclose(K.eval(metrics.binary_accuracy(b, p)), ((p > 0.5) == b).mean(-1), rtol=1e-6)
    np.testing.assert_allclose(K.eval(metrics.binary_accuracy(b, p, 0.2)), ((p > 0.2) == b).mean(-1), rtol=1e-6)
    np.testing.assert_array_equal(K.eval(metrics.accuracy([1, 2, 3], [1.0, 2.0, 4.0])), [1, 1, 0])
    b = b + 0.1
    cosine = (b * p).sum(-1) / np.linalg.norm(b, axis=-1) / np.linalg.norm(p, axis=-1)
    np.testing.assert_allclose(K.eval(metrics.cosine_proximity(b, p)), cosine, rtol=1e-5)


def test_mean_and_sum():
    a, b = np.array([1.0, 3.0]), np.array([5.0, 7.0])
    assert accumulate(metrics.Mean(), [a], [b]) == [2, 4]
    assert accumulate(metrics.Sum(), [a], [b]) == [4, 16]
    w = np.array([1.0, 0.0])
    assert accumulate(metrics.Mean(), [a, w], [b, w]) == [1, 3]
    assert accumulate(metrics.Mean(), [np.array([[1.0, 2.0], [3.0, 4.0]]), w]) == [1.5]
    count = metrics.Reduce(metrics_utils.Reduction.SUM_OVER_BATCH_SIZE, "r")
    assert accumulate(count, [a, w], [b, w]) == [0.5, 1.5]
    with pytest.raises(NotImplementedError, match="median"):
        metrics.Reduce("median", "r")


def test_reset_states():
    mean = metrics.Mean()
    x = K.placeholder((None,))
    f = K.function([x], [mean(x)])
    assert f([[4.0]])[0] == 4
    mean.reset_states()
    assert f([[6.0]])[0] == 6


def test_update_and_result_apart():
    mean = metrics.Mean()
    K.eval(mean.update_state(K.constant([1.0, 5.0]))[0])
    assert K.get_value(mean.total) == 6 and K.get_value(mean.count) == 0
    assert len(mean.updates) == 2


WRAPPERS = [
    ("MeanSquaredError", "mean_squared_error"), ("MeanAbsoluteError", "mean_absolute_error"),
    ("MeanAbsolutePercentageError", "mean_absolute_percentage_error"),
    ("MeanSquaredLogarithmicError", "mean_squared_logarithmic_error"), ("Hinge", "hinge"),
    ("SquaredHinge", "squared_hinge"), ("CategoricalHinge", "categorical_hinge"), ("LogCoshError", "logcosh"),
    ("Poisson", "poisson"), ("KLDivergence", "kullback_leibler_divergence"), ("CosineSimilarity", "cosine_proximity"),
    ("BinaryCrossentropy", "binary_crossentropy"), ("CategoricalCrossentropy", "categorical_crossentropy"),
    ("Accuracy", "accuracy"), ("BinaryAccuracy", "binary_accuracy"), ("CategoricalAccuracy", "categorical_accuracy"),
    ("TopKCategoricalAccuracy", "top_k_categorical_accuracy"),
]  # fmt: skip


@pytest.mark.parametrize("class_name, function_name", WRAPPERS)
def test_wrappers_are_means_of_their_function(class_name, function_name, rng):
    values = K.eval(getattr(metrics, function_name)(ONE_HOT, PROBABILITIES))
    weights = rng.rand(8).astype("float32")
    per_sample = values if values.ndim == 1 else values.mean(-1)
    first, second = accumulate(
        getattr(metrics, class_name)(), [ONE_HOT[:4], PROBABILITIES[:4]], [ONE_HOT[4:], PROBABILITIES[4:]]
    )
    np.testing.assert_allclose([first, second], [per_sample[:4].mean(), per_sample.mean()], rtol=1e-4)
    (weighted,) = accumulate(getattr(metrics, class_name)(), [ONE_HOT, PROBABILITIES, weights])
    np.testing.assert_allclose(weighted, np.average(per_sample, weights=weights), rtol=1e-4)


@pytest.mark.parametrize(
    "name", ["SparseCategoricalAccuracy", "SparseTopKCategoricalAccuracy", "SparseCategoricalCrossentropy"]
)
def test_sparse_wrappers(name):
    dense = {"SparseCategoricalCrossentropy": "CategoricalCrossentropy"}.get(name, name.replace("Sparse", ""))
    expected = accumulate(getattr(metrics, dense)(), [ONE_HOT, PROBABILITIES])
    np.testing.assert_allclose(
        accumulate(getattr(metrics, name)(), [CLASSES[:, None], PROBABILITIES]), expected, rtol=1e-5
    )


def test_root_mean_squared_error(rng):
    t, p = rng.rand(6, 2), rng.rand(6, 2)
    got = accumulate(metrics.RootMeanSquaredError(), [t[:3], p[:3]], [t[3:], p[3:]])
    np.testing.assert_allclose(got[1], np.sqrt(((t - p) ** 2).mean()), rtol=1e-5)


T = (np.random.RandomState(2).rand(200) > 0.6).astype("float32")
P = np.clip(0.35 * T + 0.65 * np.random.RandomState(3).rand(200), 0, 1).astype("float32")
W = np.random.RandomState(4).rand(200).astype("float32")


def halves(*arrays):
    return [[a[:100] for a in arrays], [a[100:] for a in arrays]]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("thresholds", [None, 0.3, [0.2, 0.5, 0.8]])
def test_counts(weighted, thresholds):
    arrays = (T, P, W) if weighted else (T, P)
    w = W if weighted else np.ones(200)
    limits = np.atleast_1d(0.5 if thresholds is None else thresholds)[:, None]
    positive, true = limits < P, T > 0
    counts = {
        "TruePositives": positive & true, "FalsePositives": positive & ~true,
        "TrueNegatives": ~positive & ~true, "FalseNegatives": ~positive & true,
    }  # fmt: skip
    totals = {k: (v * w).sum(-1) for k, v in counts.items()}
    totals["Precision"] = totals["TruePositives"] / (totals["TruePositives"] + totals["FalsePositives"])
    totals["Recall"] = totals["TruePositives"] / (totals["TruePositives"] + totals["FalseNegatives"])
    for name, expected in totals.items():
        got = accumulate(getattr(metrics, name)(thresholds), *halves(*arrays))[1]
        assert np.shape(got) == (() if np.ndim(thresholds) == 0 else (3,))
        np.testing.assert_allclose(np.atleast_1d(got), expected, rtol=1e-5, err_msg=name)


def test_precision_and_recall_at_k_and_of_a_class():
    top = PROBABILITIES.argsort(-1)[:, -2:]
    hits = (top == CLASSES[:, None]).sum()
    np.testing.assert_allclose(accumulate(metrics.Precision(top_k=2), [ONE_HOT, PROBABILITIES])[0], hits / 16)
    np.testing.assert_allclose(accumulate(metrics.Recall(top_k=2), [ONE_HOT, PROBABILITIES])[0], hits / 8)
    c = CLASSES[0]
    predicted = PROBABILITIES[:, c] > 0.1
    expected = (predicted & (c == CLASSES)).sum() / (c == CLASSES).sum()
    np.testing.assert_allclose(
        accumulate(metrics.Recall(thresholds=0.1, class_id=int(c)), [ONE_HOT, PROBABILITIES])[0], expected, rtol=1e-6
    )
    assert accumulate(metrics.Precision(), [np.zeros(3), np.zeros(3)]) == [0], "nothing predicted"


def test_area_under_roc():
    exact = sklearn.metrics.roc_auc_score(T, P)
    got = accumulate(metrics.AUC(num_thresholds=2000), *halves(T, P))[1]
    np.testing.assert_allclose(got, exact, atol=2e-3)
    low = accumulate(metrics.AUC(summation_method="minoring"), [T, P])[0]
    high = accumulate(metrics.AUC(summation_method="majoring"), [T, P])[0]
    middle = accumulate(metrics.AUC(), [T, P])[0]
    np.testing.assert_allclose((low + high) / 2, middle, rtol=1e-5)
    assert low < middle < high


@pytest.mark.parametrize("method", ["interpolation", "majoring"])
def test_area_under_precision_and_recall(method):
    precision, recall, _ = sklearn.metrics.precision_recall_curve(T, P)
    exact = sklearn.metrics.auc(recall, precision)
    got = accumulate(metrics.AUC(num_thresholds=2000, curve="PR", summation_method=method), [T, P])[0]
    np.testing.assert_allclose(got, exact, atol=1e-2)


def test_sensitivity_and_specificity():
    above = np.linspace(0, 1, 3000, dtype="float32")[:, None] < P
    sensitivity, specificity = above[:, T > 0].mean(1), 1 - above[:, T == 0].mean(1)
    got = accumulate(metrics.SensitivityAtSpecificity(0.7, num_thresholds=3000), [T, P])[0]
    np.testing.assert_allclose(got, sensitivity[np.abs(specificity - 0.7).argmin()], rtol=1e-6)
    got = accumulate(metrics.SpecificityAtSensitivity(0.7, num_thresholds=3000), [T, P])[0]
    np.testing.assert_allclose(got, specificity[np.abs(sensitivity - 0.7).argmin()], rtol=1e-6)


def test_mean_iou(rng):
    a, b, w = rng.randint(3, size=50), rng.randint(3, size=50), rng.rand(50)
    for weights in (None, w):
        expected = sklearn.metrics.jaccard_score(a, b, average="macro", sample_weight=weights)
        arrays = (a, b) if weights is None else (a, b, w)
        got = accumulate(metrics.MeanIoU(num_classes=4), [x[:20] for x in arrays], [x[20:] for x in arrays])[1]
        np.testing.assert_allclose(got, expected, rtol=1e-5)  # class 3 occurs nowhere


@pytest.mark.parametrize(
    "metric",
    [
        metrics.Mean(name="m"), metrics.BinaryAccuracy(threshold=0.3), metrics.TopKCategoricalAccuracy(k=2),
        metrics.AUC(num_thresholds=7, curve="PR"), metrics.AUC(thresholds=[0.2, 0.7]), metrics.Precision([0.2, 0.4]),
        metrics.Recall(top_k=3, class_id=1), metrics.TruePositives(0.4), metrics.MeanIoU(4),
        metrics.SensitivityAtSpecificity(0.3, 11), metrics.SpecificityAtSensitivity(0.3, 11),
        metrics.CategoricalCrossentropy(label_smoothing=0.1), metrics.CosineSimilarity(axis=-1),
    ],
    ids=lambda m: type(m).__name__,
)  # fmt: skip
def test_configs(metric):
    config = json.loads(json.dumps(metrics.serialize(metric)))
    again = metrics.deserialize(config)
    assert type(again) is type(metric) and again.get_config() == metric.get_config()
    clone = metrics.clone_metric(metric)
    assert clone is not metric and clone.get_config() == metric.get_config()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: metrics.Precision(thresholds=[0.5, 1.5]), "Threshold values"),
        (lambda: metrics.AUC(num_thresholds=1), "num_thresholds"),
        (lambda: metrics.AUC(curve="XY"), "curve"),
        (lambda: metrics.AUC(summation_method="guess"), "summation"),
        (lambda: metrics.SensitivityAtSpecificity(1.5), "range"),
        (lambda: metrics.SpecificityAtSensitivity(0.5, 0), "num_thresholds"),
        (lambda: metrics.get("K"), "Unknown metric function"),
        (lambda: metrics.get(3), "Could not interpret"),
        (lambda: metrics_utils.update_confusion_matrix_variables({"tp": 1}, [1], [1]), "Invalid keys"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_get_and_clone():
    assert metrics.get("mse") is metrics.mean_squared_error
    assert metrics.get("categorical_crossentropy") is not None
    assert metrics.clone_metrics(None) is None
    mean = metrics.Mean()
    clones = metrics.clone_metrics({"a": mean, "b": len})
    assert clones["b"] is len and isinstance(clones["a"], metrics.Mean) and clones["a"] is not mean
