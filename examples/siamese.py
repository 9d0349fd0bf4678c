"""A siamese network that learns whether two handwritten digits are the same, from pairs.

    hornbeam run examples/siamese.py

One network sees both pictures; the loss pulls pictures of the same digit together and pushes others apart (Hadsell, Chopra and
LeCun 2006).
"""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Dropout, Input, Lambda
from keras.models import Model
from sklearn.datasets import load_digits

np.random.seed(0)

digits = load_digits()
x = digits.data.astype("float32") / 16


def pairs(images, labels, count):
    """Pairs of which every other shows the same digit, and 1 for those that do."""
    rows = [np.flatnonzero(labels == digit) for digit in range(10)]
    chosen, same = [], []
    for i in range(count):
        digit = np.random.randint(10)
        other = digit if i % 2 else (digit + np.random.randint(1, 10)) % 10
        chosen.append([np.random.choice(rows[digit]), np.random.choice(rows[other])])
        same.append(i % 2)
    first, second = np.array(chosen).T
    return [images[first], images[second]], np.array(same, dtype="float32")


x_train, y_train = pairs(x[:1400], digits.target[:1400], 6000)
x_test, y_test = pairs(x[1400:], digits.target[1400:], 1000)


def distance(vectors):
    difference = vectors[0] - vectors[1]
    return K.sqrt(K.maximum(K.sum(K.square(difference), axis=1, keepdims=True), K.epsilon()))


def contrastive_loss(same, distances):
    margin = 1.0
    return K.mean(same * K.square(distances) + (1 - same) * K.square(K.maximum(margin - distances, 0)))


def accuracy(same, distances):
    return K.mean(K.equal(same, K.cast(distances < 0.5, same.dtype)))


image = Input(shape=(64,))
vector = Dense(64, activation="relu")(image)
vector = Dropout(0.1)(vector)
vector = Dense(32, activation="relu")(vector)
network = Model(image, vector)

first, second = Input(shape=(64,)), Input(shape=(64,))
distances = Lambda(distance, output_shape=(1,))([network(first), network(second)])
model = Model([first, second], distances)
model.compile(loss=contrastive_loss, optimizer="rmsprop", metrics=[accuracy])
model.fit(x_train, y_train, batch_size=64, epochs=15, verbose=2, validation_data=(x_test, y_test))

loss, same_accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test accuracy: {same_accuracy:.4f}")
