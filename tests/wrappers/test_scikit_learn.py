"""KerasClassifier and KerasRegressor, by themselves and inside scikit-learn."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from hornbeam.callbacks import Callback
from hornbeam.layers import Dense, Input
from hornbeam.models import Model, Sequential
from hornbeam.optimizers import Adam

pytest.importorskip("sklearn")
from hornbeam.wrappers.scikit_learn import KerasClassifier, KerasRegressor
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

X, LABELS = load_iris(return_X_y=True)
ORDER = np.random.RandomState(0).permutation(len(X))
X, LABELS = X[ORDER], LABELS[ORDER]
NAMES = np.array(["setosa", "versicolor", "virginica"])[LABELS]
WIDTH = X[:, 3]
TRAINING = {"epochs": 60, "batch_size": 10, "verbose": 0}


def classifier(units=16, loss="sparse_categorical_crossentropy", metrics=("accuracy",)):
    model = Sequential([Dense(units, activation="relu", input_shape=(4,)), Dense(3, activation="softmax")])
    model.compile("adam", loss, metrics=list(metrics))
    return model


def binary():
    model = Sequential([Dense(8, activation="relu", input_shape=(4,)), Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def functional():
    x = Input((4,))
    model = Model(x, Dense(3, activation="softmax")(x))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def regressor(units=8, metrics=()):
    model = Sequential([Dense(units, activation="tanh", input_shape=(4,)), Dense(1)])
    model.compile(Adam(lr=0.01), "mse", metrics=list(metrics))
    return model


class Builder:
    """An object that builds, and can be pickled."""

    def __call__(self, units=4):
        return classifier(units)

    def build(self, units=4):
        return classifier(units)


class SelfBuilding(KerasClassifier):
    def __call__(self, units=4):
        return classifier(units)


@pytest.fixture(autouse=True)
def seeded():
    np.random.seed(0)


class TestParameters:
    @pytest.mark.parametrize(
        "make", [lambda **p: KerasClassifier(Builder(), **p), lambda **p: KerasClassifier(Builder().build, **p),
                 lambda **p: KerasClassifier(classifier, **p), SelfBuilding]
    )  # fmt: skip
    def test_every_kind_of_build_fn_gets_its_arguments(self, make):
        estimator = make(units=5, epochs=1, verbose=0)
        estimator.fit(X, LABELS)
        assert estimator.model.layers[0].units == 5

    def test_an_unknown_parameter_is_refused(self):
        with pytest.raises(ValueError, match="wings is not a legal parameter"):
            KerasClassifier(classifier, wings=2)
        estimator = KerasClassifier(classifier)
        with pytest.raises(ValueError, match="wings is not a legal parameter"):
            estimator.set_params(wings=2)
        assert estimator.get_params() == {"build_fn": classifier}

    def test_get_and_set(self):
        estimator = KerasClassifier(classifier, units=3)
        assert estimator.set_params(epochs=7, build_fn=binary) is estimator
        assert estimator.get_params() == {"build_fn": binary, "units": 3, "epochs": 7}
        assert "units=3" in repr(KerasClassifier(classifier, units=3))

    def test_filter(self):
        estimator = KerasClassifier(classifier, units=3, epochs=2, batch_size=8)
        assert estimator.filter_sk_params(classifier) == {"units": 3}
        assert estimator.filter_sk_params(Sequential.fit, {"epochs": 5}) == {"epochs": 5, "batch_size": 8}

    def test_clone_keeps_mutable_parameters_and_no_model(self):
        estimator = KerasClassifier(classifier, metrics=["accuracy", "mse"], **TRAINING)
        estimator.fit(X, LABELS, epochs=1)
        copy = clone(estimator)
        assert copy.get_params() == estimator.get_params()
        assert not hasattr(copy, "model")


class TestClassifier:
    def test_labels_of_any_type_come_back(self):
        estimator = KerasClassifier(classifier, **TRAINING)
        history = estimator.fit(X, NAMES, epochs=80)
        assert len(history.history["loss"]) == 80  # fit's own arguments win
        assert list(estimator.classes_) == ["setosa", "versicolor", "virginica"] and estimator.n_classes_ == 3
        predicted = estimator.predict(X)
        assert predicted.shape == (150,) and (predicted == NAMES).mean() > 0.9
        assert estimator.score(X, NAMES) == pytest.approx((predicted == NAMES).mean())
        probabilities = estimator.predict_proba(X)
        assert probabilities.shape == (150, 3)
        assert np.array_equal(estimator.classes_[probabilities.argmax(1)], predicted)

    def test_labels_become_one_hot_rows_where_the_loss_wants_them(self):
        estimator = KerasClassifier(classifier, loss="categorical_crossentropy", **TRAINING)
        estimator.fit(X, NAMES)
        assert estimator.score(X, NAMES) == pytest.approx((estimator.predict(X) == NAMES).mean())

    def test_one_hot_rows(self):
        estimator = KerasClassifier(classifier, loss="categorical_crossentropy", **TRAINING)
        rows = np.eye(3)[LABELS]
        estimator.fit(X, rows)
        assert list(estimator.classes_) == [0, 1, 2]
        assert estimator.score(X, rows) == pytest.approx((estimator.predict(X) == LABELS).mean())

    def test_a_single_output_unit(self):
        estimator = KerasClassifier(binary, **TRAINING)
        names = np.where(LABELS == 0, "setosa", "another")
        estimator.fit(X, names)
        predicted, probabilities = estimator.predict(X), estimator.predict_proba(X)
        assert predicted.shape == (150, 1) and probabilities.shape == (150, 2)
        np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)
        assert np.array_equal(predicted[:, 0], estimator.classes_[(probabilities[:, 1] > 0.5).astype(int)])
        assert estimator.score(X, names) == pytest.approx((predicted[:, 0] == names).mean())

    def test_a_functional_model(self):
        estimator = KerasClassifier(functional, epochs=1, verbose=0)
        estimator.fit(X, NAMES)
        assert np.array_equal(estimator.predict(X), estimator.classes_[estimator.predict_proba(X).argmax(1)])

    def test_sample_weights_reach_the_model(self):
        estimator = KerasClassifier(classifier, **TRAINING)
        weights = (LABELS == 2).astype("float32")  # only one class counts, so it is all that is learnt
        estimator.fit(X, LABELS, sample_weight=weights)
        assert (estimator.predict(X) == 2).mean() > 0.9

    def test_without_accuracy_there_is_no_score(self):
        estimator = KerasClassifier(classifier, metrics=(), epochs=1, verbose=0)
        estimator.fit(X, LABELS)
        with pytest.raises(ValueError, match="not configured to compute accuracy"):
            estimator.score(X, LABELS)

    def test_targets_of_three_axes_are_refused(self):
        with pytest.raises(ValueError, match=r"Invalid shape for y: \(2, 3, 4\)"):
            KerasClassifier(classifier).fit(X[:2], np.zeros((2, 3, 4)))

    def test_callbacks_of_the_estimator_are_not_shared_between_fits(self):
        callback = Callback()
        KerasClassifier(classifier, callbacks=[callback], epochs=1, verbose=0).fit(X, LABELS)
        assert callback.model is None


class TestRegressor:
    @pytest.mark.parametrize("metrics", [(), ("mae",)])
    def test_predictions_and_score(self, metrics):
        estimator = KerasRegressor(regressor, metrics=metrics, **TRAINING)
        estimator.fit(X, WIDTH)
        predicted = estimator.predict(X)
        assert predicted.shape == (150,)
        assert estimator.score(X, WIDTH) == pytest.approx(-np.mean((predicted - WIDTH) ** 2), rel=1e-4)


class TestInScikitLearn:
    def test_kinds(self):
        assert is_classifier(KerasClassifier(classifier)) and is_regressor(KerasRegressor(regressor))

    def test_cross_validation(self):
        scores = cross_val_score(KerasClassifier(classifier, **TRAINING), X, NAMES, cv=3)
        assert scores.shape == (3,) and scores.min() > 0.6
        scores = cross_val_score(KerasRegressor(regressor, **TRAINING), X, WIDTH, cv=3, scoring="r2")
        assert scores.min() > 0.5
        estimator = KerasClassifier(binary, **TRAINING)
        assert cross_val_score(estimator, X, LABELS == 0, cv=3, scoring="roc_auc").min() > 0.9
        assert cross_val_predict(estimator, X, LABELS == 0, cv=3, method="predict_proba").shape == (150, 2)

    def test_grid_search_in_a_pipeline(self):
        pipeline = make_pipeline(StandardScaler(), KerasClassifier(classifier, **TRAINING))
        grid = {"kerasclassifier__units": [1, 16], "kerasclassifier__epochs": [60]}
        search = GridSearchCV(pipeline, grid, cv=3).fit(X, NAMES)
        assert search.best_params_["kerasclassifier__units"] == 16
        assert search.best_estimator_[-1].model.layers[0].units == 16
        assert (search.predict(X) == NAMES).mean() == pytest.approx(search.score(X, NAMES))

    @pytest.mark.parametrize("estimator", [KerasClassifier(classifier), KerasRegressor(regressor)])
    def test_a_pipeline_knows_whether_it_is_fitted(self, estimator):
        pipeline = make_pipeline(StandardScaler(), clone(estimator))
        with pytest.raises(NotFittedError):
            pipeline.predict(X)
        estimator = pipeline.set_params(**{f"{pipeline.steps[-1][0]}__verbose": 0})
        assert estimator.fit(X, LABELS).predict(X).shape == (150,)

    def test_a_fitted_estimator_can_be_pickled(self):
        estimator = KerasClassifier(classifier, **TRAINING)
        estimator.fit(X, NAMES)
        again = pickle.loads(pickle.dumps(estimator))
        assert np.array_equal(again.predict_proba(X), estimator.predict_proba(X))
        assert again.get_params() == estimator.get_params()
        assert again.score(X, NAMES) == estimator.score(X, NAMES)


def test_scikit_learn_is_imported_on_use_only():
    code = "import sys, hornbeam, hornbeam.wrappers as w; assert 'sklearn' not in sys.modules; w.scikit_learn.KerasClassifier"
    subprocess.run([sys.executable, "-c", code], check=True)
    missing = "import sys; sys.modules['sklearn'] = None\nimport hornbeam; hornbeam.wrappers.scikit_learn"
    result = subprocess.run([sys.executable, "-c", missing], capture_output=True, text=True)
    assert "ImportError: keras.wrappers.scikit_learn needs scikit-learn" in result.stderr
