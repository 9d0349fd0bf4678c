"""Training from a folder of picture files, shifted and turned a little each time they are read.

    hornbeam run examples/image_augmentation.py

The folder is made here, a subfolder per class as ``flow_from_directory`` wants it, and removed in the end.
"""

import os
import tempfile

import numpy as np
from keras.layers import BatchNormalization, Conv2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.preprocessing.image import ImageDataGenerator, array_to_img
from sklearn.datasets import load_digits

np.random.seed(0)


def write_pictures(folder):
    """The first 120 of each digit, the last 40 of them for the test: folder/train/3/17.png."""
    digits = load_digits()
    for digit in range(10):
        for number, picture in enumerate(digits.images[digits.target == digit][:120]):
            place = os.path.join(folder, "train" if number < 80 else "test", str(digit))
            os.makedirs(place, exist_ok=True)
            array_to_img(picture[..., None], scale=True).save(os.path.join(place, f"{number}.png"))


with tempfile.TemporaryDirectory() as folder:
    write_pictures(folder)
    augmented = ImageDataGenerator(
        rescale=1 / 255, rotation_range=10, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1,
        validation_split=0.2,
    )  # fmt: skip
    options = {"target_size": (16, 16), "color_mode": "grayscale", "batch_size": 32, "seed": 1}
    train = augmented.flow_from_directory(os.path.join(folder, "train"), subset="training", **options)
    validation = augmented.flow_from_directory(os.path.join(folder, "train"), subset="validation", **options)
    test = ImageDataGenerator(rescale=1 / 255).flow_from_directory(
        os.path.join(folder, "test"), shuffle=False, **options
    )

    model = Sequential()
    model.add(Conv2D(16, 3, activation="relu", input_shape=train.image_shape))
    model.add(BatchNormalization())
    model.add(Conv2D(32, 3, activation="relu"))
    model.add(MaxPooling2D(2))
    model.add(Flatten())
    model.add(Dense(64, activation="relu"))
    model.add(Dense(train.num_classes, activation="softmax"))
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.fit_generator(train, epochs=8, validation_data=validation, workers=2, verbose=2)

    loss, accuracy = model.evaluate_generator(test)
    print(f"Test accuracy: {accuracy:.4f}")
    test.reset()
    predicted = model.predict_generator(test).argmax(1)
    print(f"In the order of the files: {abs(np.mean(predicted == test.classes) - accuracy) < 1e-6}")
