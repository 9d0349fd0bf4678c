"""A variational autoencoder that learns to draw digits from two numbers.

    hornbeam run examples/variational_autoencoder.py

Kingma and Welling 2014, https://arxiv.org/abs/1312.6114. The encoder gives mean and log variance of a normal distribution, a
Lambda layer draws from it, the decoder draws the picture; the loss is added to the model with ``add_loss``.
"""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, Lambda
from keras.losses import binary_crossentropy
from keras.models import Model
from sklearn.datasets import load_digits

np.random.seed(0)

digits = load_digits()
x = digits.data.astype("float32") / 16
x_train, x_test = x[:1500], x[1500:]
PIXELS, LATENT = 64, 2


def draw(arguments):
    """Move normal noise to where the encoder wants it: gradients pass through mean and variance."""
    mean, log_variance = arguments
    noise = K.random_normal(shape=(K.shape(mean)[0], K.int_shape(mean)[1]))
    return mean + K.exp(0.5 * log_variance) * noise


image = Input(shape=(PIXELS,), name="image")
hidden = Dense(64, activation="relu")(image)
mean = Dense(LATENT, name="mean")(hidden)
log_variance = Dense(LATENT, name="log_variance")(hidden)
place = Lambda(draw, output_shape=(LATENT,), name="place")([mean, log_variance])
encoder = Model(image, [mean, log_variance, place], name="encoder")

given = Input(shape=(LATENT,), name="given")
drawn = Dense(PIXELS, activation="sigmoid")(Dense(64, activation="relu")(given))
decoder = Model(given, drawn, name="decoder")

outputs = decoder(encoder(image)[2])
model = Model(image, outputs, name="vae")
reconstruction = PIXELS * binary_crossentropy(image, outputs)
divergence = -0.5 * K.sum(1 + log_variance - K.square(mean) - K.exp(log_variance), axis=-1)
model.add_loss(K.mean(reconstruction + divergence))
model.compile(optimizer="adam")
model.summary()

before = model.evaluate(x_test, None, verbose=0)
model.fit(x_train, epochs=40, batch_size=32, verbose=2, validation_data=(x_test, None))
after = model.evaluate(x_test, None, verbose=0)
print(f"Loss fell by: {before - after:.4f}")

# Ten places along a line through the plane, and what is drawn there.
for row in decoder.predict(np.linspace([-2, -2], [2, 2], 4)).reshape(-1, 8, 8):
    print("\n".join("".join(" .:*#"[int(4.99 * value)] for value in line) for line in row), end="\n\n")

places = encoder.predict(x_test)[0]
center = np.array([places[digits.target[1500:] == d].mean(0) for d in range(10)])
nearest = np.linalg.norm(places[:, None] - center, axis=-1).argmin(1)
print(f"Digits told apart by two numbers: {np.mean(nearest == digits.target[1500:]):.4f}")
