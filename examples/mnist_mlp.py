"""A multilayer perceptron that reads handwritten digits.

    hornbeam run examples/mnist_mlp.py

The images are the 8x8 digits that come with scikit-learn: nothing is downloaded, and it ends in seconds.
"""

import keras
import numpy as np
from keras.layers import Dense, Dropout
from keras.models import Sequential
from sklearn.datasets import load_digits

np.random.seed(0)

digits = load_digits()
x = digits.data.astype("float32") / 16
y = keras.utils.to_categorical(digits.target, 10)
x_train, y_train = x[:1500], y[:1500]
x_test, y_test = x[1500:], y[1500:]

model = Sequential()
model.add(Dense(128, activation="relu", input_shape=(64,)))
model.add(Dropout(0.2))
model.add(Dense(128, activation="relu"))
model.add(Dropout(0.2))
model.add(Dense(10, activation="softmax"))
model.summary()

model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=64, epochs=20, verbose=2, validation_data=(x_test, y_test))

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test loss: {loss:.4f}")
print(f"Test accuracy: {accuracy:.4f}")
