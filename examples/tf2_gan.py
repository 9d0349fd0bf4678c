"""A generative adversarial network of convolutions: two optimizers in ``compile``, one ``train_step``.

    hornbeam run examples/tf2_gan.py

The generator draws handwritten digits of 8x8 pixels out of noise, the discriminator tells them from real ones (Radford et al. 2015).
"""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

np.random.seed(3)
tf.random.set_seed(3)
NOISE = 24


class GAN(keras.Model):
    def __init__(self, discriminator, generator, noise):
        super().__init__()
        self.discriminator = discriminator
        self.generator = generator
        self.noise = noise

    def compile(self, d_optimizer, g_optimizer, loss_fn):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn
        self.d_loss = keras.metrics.Mean(name="d_loss")
        self.g_loss = keras.metrics.Mean(name="g_loss")

    @property
    def metrics(self):
        return [self.d_loss, self.g_loss]

    def train_step(self, real):
        batch = tf.shape(real)[0]
        drawn = self.generator(tf.random.normal((batch, self.noise)))
        images = tf.concat([drawn, real], axis=0)
        labels = tf.concat([tf.ones((batch, 1)), tf.zeros((batch, 1))], axis=0)  # 1: drawn
        labels += 0.1 * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(images, training=True))
        gradients = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(zip(gradients, self.discriminator.trainable_weights))

        noise = tf.random.normal((batch, self.noise))
        with tf.GradientTape() as tape:
            judged = self.discriminator(self.generator(noise, training=True))
            g_loss = self.loss_fn(tf.zeros((batch, 1)), judged)
        gradients = tape.gradient(g_loss, self.generator.trainable_weights)
        self.g_optimizer.apply_gradients(zip(gradients, self.generator.trainable_weights))

        self.d_loss.update_state(d_loss)
        self.g_loss.update_state(g_loss)
        return {"d_loss": self.d_loss.result(), "g_loss": self.g_loss.result()}


discriminator = keras.Sequential([
    keras.Input((8, 8, 1)),
    layers.Conv2D(16, 3, strides=2, padding="same"), layers.LeakyReLU(alpha=0.2),
    layers.Conv2D(32, 3, strides=2, padding="same"), layers.LeakyReLU(alpha=0.2),
    layers.Flatten(), layers.Dropout(0.2), layers.Dense(1),
], name="discriminator")  # fmt: skip
generator = keras.Sequential([
    keras.Input((NOISE,)),
    layers.Dense(2 * 2 * 32), layers.Reshape((2, 2, 32)),
    layers.Conv2DTranspose(32, 4, strides=2, padding="same"), layers.LeakyReLU(alpha=0.2),
    layers.Conv2DTranspose(16, 4, strides=2, padding="same"), layers.LeakyReLU(alpha=0.2),
    layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
], name="generator")  # fmt: skip


class Watch(keras.callbacks.Callback):
    """Says now and then how far the drawings' mean image is from that of the digits."""

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % 10 == 0:
            drawn = self.model.generator(tf.random.normal((200, NOISE)), training=False).numpy()
            print(f"Epoch {epoch + 1}: {logs}, off by {np.abs(drawn.mean(0) - images.mean(0)).mean():.4f}")


images = (load_digits().images / 16).astype("float32")[..., None]
gan = GAN(discriminator, generator, NOISE)
gan.compile(
    d_optimizer=keras.optimizers.Adam(4e-4, beta_1=0.5),
    g_optimizer=keras.optimizers.Adam(8e-4, beta_1=0.5),
    loss_fn=keras.losses.BinaryCrossentropy(from_logits=True),
)
gan.fit(images, batch_size=64, epochs=30, verbose=0, callbacks=[Watch()])


def unlike(some):
    """How far images are from the nearest real one, on average."""
    a, b = some.reshape(len(some), -1), images.reshape(len(images), -1)
    return np.sqrt(np.maximum((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, 0).min(1)).mean()


drawn = generator.predict(np.random.normal(size=(300, NOISE)).astype("float32"))
shuffled = np.stack([np.random.permutation(column) for column in images.reshape(len(images), -1).T], 1)[:300]
print(f"Closer to digits than their shuffled pixels are: {unlike(shuffled) / unlike(drawn):.4f}")
print(f"Drawings differ by: {drawn.std(0).mean() / images.std(0).mean():.4f}")
