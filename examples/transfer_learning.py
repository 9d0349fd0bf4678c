"""Transfer learning: features learned on many digits help to learn new ones from a handful of examples.

    hornbeam run examples/transfer_learning.py

A network learns the digits 0 to 4. Its convolutions are then frozen, and a new end learns 5 to 9 from ten images each;
at last the upper convolution is thawed and tuned with a small learning rate.
"""

import numpy as np
from keras.layers import Conv2D, Dense, Dropout, Flatten, Input, MaxPooling2D
from keras.models import Model, Sequential
from keras.optimizers import Adam
from sklearn.datasets import load_digits

np.random.seed(0)

digits = load_digits()
images, labels = digits.images[..., np.newaxis].astype("float32") / 16, digits.target
first, second = labels < 5, labels >= 5

base = Sequential(
    [
        Conv2D(32, 3, activation="relu", padding="same", input_shape=(8, 8, 1), name="lower"),
        Conv2D(32, 3, activation="relu", name="upper"),
        MaxPooling2D(),
        Flatten(),
    ],
    name="features",
)
old = Sequential([base, Dense(64, activation="relu"), Dropout(0.4), Dense(5, activation="softmax")])
old.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
old.fit(images[first], labels[first], batch_size=32, epochs=10, verbose=2)

few = np.concatenate([np.flatnonzero(labels == digit)[:10] for digit in range(5, 10)])
rest = np.setdiff1d(np.flatnonzero(second), few)

base.trainable = False
image = Input((8, 8, 1))
hidden = Dense(64, activation="relu", name="hidden")(base(image))
model = Model(image, Dense(5, activation="softmax", name="new_end")(hidden))
model.compile(Adam(lr=0.002), "sparse_categorical_crossentropy", metrics=["accuracy"])
frozen = [w.copy() for w in base.get_weights()]
model.fit(images[few], labels[few] - 5, batch_size=10, epochs=60, verbose=0)
untouched = all(np.array_equal(a, b) for a, b in zip(frozen, base.get_weights()))
with_head = model.evaluate(images[rest], labels[rest] - 5, verbose=0)[1]

base.trainable = True
base.get_layer("lower").trainable = False
model.compile(Adam(lr=1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])  # so that it takes effect
model.summary()
model.fit(images[few], labels[few] - 5, batch_size=10, epochs=40, verbose=0)
tuned = model.evaluate(images[rest], labels[rest] - 5, verbose=0)[1]
lower, upper = frozen[0], frozen[2]
now_lower, now_upper = base.get_weights()[0], base.get_weights()[2]

print(f"Frozen layers stayed: {untouched and np.array_equal(lower, now_lower)}")
print(f"Thawed layer learned: {not np.array_equal(upper, now_upper)}")
print(f"Accuracy with a new end: {with_head:.4f}")
print(f"Accuracy after tuning: {tuned:.4f}")
