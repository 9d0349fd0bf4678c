"""scikit-learn searches for the best network: sizes, dropout and training by cross validation, in a pipeline.

hornbeam run examples/grid_search.py
"""

import numpy as np
from keras.layers import Dense, Dropout
from keras.models import Sequential
from keras.wrappers.scikit_learn import KerasClassifier
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

np.random.seed(0)

x_train, x_test, y_train, y_test = train_test_split(*load_digits(return_X_y=True), test_size=0.2, random_state=0)


def build(units=16, rate=0.0):
    model = Sequential()
    model.add(Dense(units, activation="relu", input_shape=(64,)))
    model.add(Dropout(rate))
    model.add(Dense(10, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


pipeline = make_pipeline(StandardScaler(), KerasClassifier(build, batch_size=32, epochs=8, verbose=0))
search = GridSearchCV(
    pipeline, {"kerasclassifier__units": [4, 64], "kerasclassifier__rate": [0.0, 0.2]}, scoring="accuracy", cv=3
)
search.fit(x_train, y_train)
for parameters, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"]):
    print(f"{score:.4f} with {parameters}")
print(f"Best number of units: {search.best_params_['kerasclassifier__units']}")
print(f"Test accuracy: {search.score(x_test, y_test):.4f}")
