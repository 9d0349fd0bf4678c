"""A variational autoencoder as a subclassed model: a Sampling layer, ``add_loss``, trackers of three losses.

    hornbeam run examples/tf2_vae.py

Handwritten digits are encoded by a normal distribution over two numbers and drawn again from a sample of it (Kingma and
Welling 2013).
"""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

np.random.seed(0)
tf.random.set_seed(0)
LATENT = 2


class Sampling(layers.Layer):
    """Draws from the normal distribution of a mean and the logarithm of a variance, and adds its divergence as a loss."""

    def call(self, inputs):
        mean, log_var = inputs
        divergence = -0.5 * (1 + log_var - tf.square(mean) - tf.exp(log_var))
        self.add_loss(tf.reduce_mean(tf.reduce_sum(divergence, axis=1)))
        return mean + tf.exp(0.5 * log_var) * tf.random.normal(tf.shape(mean))


inputs = keras.Input((8, 8, 1))
h = layers.Conv2D(16, 3, strides=2, padding="same", activation="relu")(inputs)
h = layers.Dense(48, activation="relu")(layers.Flatten()(h))
encoder = keras.Model(inputs, [layers.Dense(LATENT, name="mean")(h), layers.Dense(LATENT, name="log_var")(h)])

codes = keras.Input((LATENT,))
h = layers.Dense(48, activation="relu")(codes)
h = layers.Reshape((4, 4, 16))(layers.Dense(4 * 4 * 16, activation="relu")(h))
h = layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu")(h)
decoder = keras.Model(codes, layers.Conv2D(1, 3, padding="same", activation="sigmoid")(h))


class VAE(keras.Model):
    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(**kwargs)
        self.encoder = encoder
        self.decoder = decoder
        self.sampling = Sampling()
        self.total = keras.metrics.Mean(name="loss")
        self.reconstruction = keras.metrics.Mean(name="reconstruction")
        self.divergence = keras.metrics.Mean(name="divergence")

    @property
    def metrics(self):
        return [self.total, self.reconstruction, self.divergence]

    def call(self, x):
        return self.decoder(self.sampling(self.encoder(x)))

    def losses_of(self, x, drawn):
        error = keras.losses.binary_crossentropy(x, drawn)
        return tf.reduce_mean(tf.reduce_sum(error, axis=(1, 2))), tf.add_n(self.losses)

    def report(self, reconstruction, divergence):
        self.total.update_state(reconstruction + divergence)
        self.reconstruction.update_state(reconstruction)
        self.divergence.update_state(divergence)
        return {m.name: m.result() for m in self.metrics}

    def train_step(self, x):
        with tf.GradientTape() as tape:
            reconstruction, divergence = self.losses_of(x, self(x, training=True))
            loss = reconstruction + divergence
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self.report(reconstruction, divergence)

    def test_step(self, x):
        return self.report(*self.losses_of(x, self(x, training=False)))


digits = load_digits()
images = (digits.images / 16).astype("float32")[..., None]
vae = VAE(encoder, decoder)
vae.compile(optimizer=keras.optimizers.Adam(3e-3))
vae.fit(images, epochs=40, batch_size=64, verbose=2)
history = vae.history.history
scores = vae.evaluate(images, verbose=0, return_dict=True)

mean, _ = encoder.predict(images)
centres = np.stack([mean[digits.target == d].mean(0) for d in range(10)])
nearest = ((mean[:, None] - centres) ** 2).sum(-1).argmin(1)
print(f"Loss fell by: {history['loss'][0] - history['loss'][-1]:.4f}")
print(f"Divergence: {scores['divergence']:.4f}")
print(f"Digits told apart by two numbers: {(nearest == digits.target).mean():.4f}")
