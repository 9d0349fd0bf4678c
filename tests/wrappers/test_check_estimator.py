"""scikit-learn's own checks: what a network passes, and why not the others.

A list of exceptions that does not hold fails, too: a check that begins to pass has to leave it.
"""

import numpy as np
import pytest
from hornbeam.layers import Dense
from hornbeam.models import Sequential

pytest.importorskip("sklearn")
from hornbeam.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.utils.estimator_checks import check_estimator

EXCEPTIONS = {
    # What Keras 2 promises and scikit-learn does otherwise.
    "check_estimators_fit_returns_self": "fit returns the History",
    "check_readonly_memmap_input": "asks for self from fit, too",
    "check_no_attributes_set_in_init": "sk_params holds the parameters",
    "check_dont_overwrite_parameters": "fit sets `model`",
    "check_do_not_raise_errors_in_init_or_set_params": "an unknown parameter is refused at once",
    # What networks take.
    "check_fit2d_predict1d": "the error is the model's, and names its shapes",
    "check_supervised_y_2d": "a column of targets is as good as a row",
    "check_dtype_object": "the error about elements that are no numbers has other words",
}
CLASSIFIER = {
    "check_classifiers_one_label_sample_weights": "a few steps of training do not undo random weights",
}
REGRESSOR = {
    "check_regressors_train": "score is minus the loss, not R2",
    "check_supervised_y_no_nan": "a loss of one's own may make sense of any target",
}


def features(x):
    return (x if hasattr(x, "shape") else np.asarray(x)).shape[-1]


class Classifier(KerasClassifier):
    """Builds for the data it is fitted to, always with the same weights."""

    def fit(self, x, y, **kwargs):
        self.sizes_ = features(x), max(2, len(set(np.ravel(np.asarray(y)).tolist())))
        return super().fit(x, y, **kwargs)

    def __call__(self):
        np.random.seed(0)
        size, classes = self.sizes_
        model = Sequential([
            Dense(16, activation="relu", input_shape=(size,)), Dense(classes, activation="softmax")
        ])  # fmt: skip
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model


class Regressor(KerasRegressor):
    def fit(self, x, y, **kwargs):
        self.size_ = features(x)
        return super().fit(x, y, **kwargs)

    def __call__(self):
        np.random.seed(0)
        model = Sequential([Dense(16, activation="relu", input_shape=(self.size_,)), Dense(1)])
        model.compile("adam", "mse")
        return model


@pytest.mark.filterwarnings("ignore")  # the checks pass odd data on purpose
@pytest.mark.parametrize(
    "estimator, exceptions",
    [
        (Classifier(epochs=20, verbose=0), EXCEPTIONS | CLASSIFIER),
        (Regressor(epochs=20, verbose=0), EXCEPTIONS | REGRESSOR),
    ],
    ids=["classifier", "regressor"],
)
def test_checks(estimator, exceptions):
    results = check_estimator(estimator, on_skip=None, on_fail=None, expected_failed_checks=exceptions)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert failed == {}
    assert {result["check_name"] for result in results if result["status"] == "xfail"} == set(exceptions)
