"""Training that is interrupted and goes on from a file as if nothing had happened.

    hornbeam run examples/save_and_resume.py

The file holds the architecture, the weights, the loss and the optimizer with its state.
"""

import os
import tempfile

import numpy as np
from keras.callbacks import ModelCheckpoint
from keras.layers import Dense
from keras.models import Sequential, load_model
from sklearn.datasets import load_digits

digits = load_digits()
x, y = digits.data.astype("float32") / 16, digits.target


def train(model, first, last):
    """Epochs ``first`` to ``last``, with a checkpoint after each. Not shuffled, so that runs can be compared."""
    path = os.path.join(folder, "model.{epoch:02d}.h5")
    model.fit(
        x, y,
        batch_size=64, initial_epoch=first, epochs=last, shuffle=False, verbose=2, callbacks=[ModelCheckpoint(path)],
    )  # fmt: skip


np.random.seed(0)
model = Sequential()
model.add(Dense(64, activation="relu", input_shape=(64,)))
model.add(Dense(10, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

with tempfile.TemporaryDirectory() as folder:
    train(model, 0, 6)
    resumed = load_model(os.path.join(folder, "model.03.h5"))
    train(resumed, 3, 6)

loss, accuracy = resumed.evaluate(x, y, verbose=0)
print(f"Loss: {loss:.4f}")
print(f"Accuracy: {accuracy:.4f}")
print("As if never interrupted:", np.array_equal(model.predict(x), resumed.predict(x)))
