"""A Wasserstein GAN with a gradient penalty: a tape inside of a tape, in a ``train_step``.

    hornbeam run examples/tf2_wgan_gp.py

The critic learns by how much drawn digits differ from real ones; its slope between the two is held at 1 (Gulrajani et al.
2017), which takes the gradient of a gradient.
"""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

np.random.seed(0)
tf.random.set_seed(0)
NOISE = 16


class WGAN(keras.Model):
    def __init__(self, critic, generator, critic_steps=3, weight=10.0):
        super().__init__()
        self.critic = critic
        self.generator = generator
        self.critic_steps = critic_steps
        self.weight = weight

    def compile(self, c_optimizer, g_optimizer, c_loss_fn, g_loss_fn, **kwargs):
        super().compile(**kwargs)
        self.c_optimizer, self.g_optimizer = c_optimizer, g_optimizer
        self.c_loss_fn, self.g_loss_fn = c_loss_fn, g_loss_fn

    def slopes(self, real, drawn):
        share = tf.random.uniform([tf.shape(real)[0], 1])
        between = real + share * (drawn - real)
        with tf.GradientTape() as tape:
            tape.watch(between)
            judged = self.critic(between, training=True)
        slope = tape.gradient(judged, [between])[0]
        return tf.sqrt(tf.reduce_sum(tf.square(slope), axis=1) + 1e-12)

    def train_step(self, real):
        if isinstance(real, tuple):
            real = real[0]
        batch = tf.shape(real)[0]
        for _ in range(self.critic_steps):
            noise = tf.random.normal([batch, NOISE])
            with tf.GradientTape() as tape:
                drawn = self.generator(noise, training=True)
                cost = self.c_loss_fn(self.critic(real, training=True), self.critic(drawn, training=True))
                slope = self.slopes(real, drawn)
                c_loss = cost + self.weight * tf.reduce_mean((slope - 1.0) ** 2)
            gradients = tape.gradient(c_loss, self.critic.trainable_variables)
            self.c_optimizer.apply_gradients(zip(gradients, self.critic.trainable_variables))
        with tf.GradientTape() as tape:
            g_loss = self.g_loss_fn(self.critic(self.generator(tf.random.normal([batch, NOISE]), training=True)))
        gradients = tape.gradient(g_loss, self.generator.trainable_variables)
        self.g_optimizer.apply_gradients(zip(gradients, self.generator.trainable_variables))
        return {"distance": -cost, "slope": tf.reduce_mean(slope), "g_loss": g_loss}


generator = keras.Sequential([
    keras.Input((NOISE,)), layers.Dense(128, activation="relu"), layers.Dense(128, activation="relu"),
    layers.Dense(64, activation="sigmoid"),
])  # fmt: skip
critic = keras.Sequential([
    keras.Input((64,)), layers.Dense(128), layers.LeakyReLU(0.2), layers.Dense(128), layers.LeakyReLU(0.2),
    layers.Dense(1),
])  # fmt: skip
images = (load_digits().data / 16).astype("float32")

wgan = WGAN(critic, generator)
wgan.compile(
    c_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9),
    g_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9),
    c_loss_fn=lambda real, drawn: tf.reduce_mean(drawn) - tf.reduce_mean(real),
    g_loss_fn=lambda drawn: -tf.reduce_mean(drawn),
)
history = wgan.fit(images, batch_size=64, epochs=30, verbose=2).history


def unlike(some):
    """How far images are from the nearest real one, on average."""
    squares = (some**2).sum(axis=1)[:, None] + (images**2).sum(axis=1) - 2 * some @ images.T
    return np.sqrt(np.maximum(squares, 0).min(axis=1)).mean()


samples = generator(tf.random.normal([500, NOISE])).numpy()
shuffled = np.stack([np.random.permutation(column) for column in images.T], axis=1)[:500]
print(f"Slope of the critic: {history['slope'][-1]:.4f}")
print(f"Closer to digits than their shuffled pixels are: {unlike(shuffled) / unlike(samples):.4f}")
