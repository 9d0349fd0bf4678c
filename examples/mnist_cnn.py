"""A convolutional network that reads handwritten digits, and stops when it no longer gets better.

    hornbeam run examples/mnist_cnn.py

The images are the 8x8 digits that come with scikit-learn: nothing is downloaded, and it ends in seconds.
"""

import keras
import numpy as np
from keras import backend as K
from keras.callbacks import EarlyStopping
from keras.layers import Conv2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from sklearn.datasets import load_digits

np.random.seed(0)

digits = load_digits()
x = digits.images.astype("float32") / 16
if K.image_data_format() == "channels_first":
    x = x.reshape(-1, 1, 8, 8)
else:
    x = x.reshape(-1, 8, 8, 1)
y = keras.utils.to_categorical(digits.target, 10)
x_train, y_train = x[:1500], y[:1500]
x_test, y_test = x[1500:], y[1500:]

model = Sequential()
model.add(Conv2D(32, kernel_size=(3, 3), activation="relu", input_shape=x.shape[1:]))
model.add(Conv2D(64, (3, 3), activation="relu"))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Dropout(0.25))
model.add(Flatten())
model.add(Dense(128, activation="relu"))
model.add(Dropout(0.5))
model.add(Dense(10, activation="softmax"))

model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(
    x_train, y_train,
    batch_size=32, epochs=15, verbose=2, validation_split=0.1,
    callbacks=[EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)],
)  # fmt: skip

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test loss: {loss:.4f}")
print(f"Test accuracy: {accuracy:.4f}")
