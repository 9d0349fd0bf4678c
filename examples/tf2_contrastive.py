"""Contrastive learning: two views of each image are to be alike, and unlike those of all others; no labels are needed.

    hornbeam run examples/tf2_contrastive.py

An encoder is trained that way on all digits (SimCLR; Chen et al. 2020). A linear probe on what it makes of them then needs 100
labels only, and a probe on an encoder that was never trained shows what the learning was worth.
"""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

np.random.seed(0)
tf.random.set_seed(0)


class RandomGrey(layers.Layer):
    """Each image's contrast and brightness, changed by chance while training."""

    def __init__(self, contrast, brightness, **kwargs):
        super().__init__(**kwargs)
        self.contrast = contrast
        self.brightness = brightness

    def call(self, images, training=True):
        if not training:
            return images
        shape = (tf.shape(images)[0], 1, 1, 1)
        factor = 1 + tf.random.uniform(shape, -self.contrast, self.contrast)
        shift = tf.random.uniform(shape, -self.brightness, self.brightness)
        return tf.clip_by_value(images * factor + shift, 0.0, 1.0)


def augmenter():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.RandomTranslation(0.15, 0.15, fill_mode="constant"),
        layers.RandomRotation(0.04, fill_mode="constant"),
        RandomGrey(0.3, 0.1),
    ])  # fmt: skip


def encoder():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(48, 3, padding="same", activation="relu"), layers.Flatten(),
        layers.Dense(64, activation="relu"),
    ])  # fmt: skip


class Contrastive(keras.Model):
    def __init__(self, encoder, temperature=0.2):
        super().__init__()
        self.temperature = temperature
        self.augmenter = augmenter()
        self.encoder = encoder
        self.head = keras.Sequential([keras.Input((64,)), layers.Dense(64, activation="relu"), layers.Dense(32)])
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.matches = keras.metrics.SparseCategoricalAccuracy(name="matches")

    @property
    def metrics(self):
        return [self.loss_tracker, self.matches]

    def contrast(self, first, second):
        """The cross entropy of finding, among all views of one kind, the one of the same image."""
        first, second = tf.math.l2_normalize(first, axis=1), tf.math.l2_normalize(second, axis=1)
        alike = tf.matmul(first, second, transpose_b=True) / self.temperature
        own = tf.range(tf.shape(first)[0])
        self.matches.update_state(own, alike)
        self.matches.update_state(own, tf.transpose(alike))
        one = keras.losses.sparse_categorical_crossentropy(own, alike, from_logits=True)
        other = keras.losses.sparse_categorical_crossentropy(own, tf.transpose(alike), from_logits=True)
        return tf.reduce_mean(one + other) / 2

    def train_step(self, images):
        first, second = self.augmenter(images, training=True), self.augmenter(images, training=True)
        with tf.GradientTape() as tape:
            loss = self.contrast(
                self.head(self.encoder(first, training=True)), self.head(self.encoder(second, training=True))
            )
        weights = self.encoder.trainable_weights + self.head.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        self.loss_tracker.update_state(loss)
        return {m.name: m.result() for m in self.metrics}


def probe(encoder):
    """The accuracy of a linear layer on the encoder's outputs, trained with 100 labels."""
    features = encoder.predict(images)
    features /= np.linalg.norm(features, axis=1, keepdims=True) + 1e-9
    linear = keras.Sequential([keras.Input((64,)), layers.Dense(10, activation="softmax")])
    linear.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    linear.fit(features[:100], digits.target[:100], epochs=60, verbose=0)
    return linear.evaluate(features[500:], digits.target[500:], verbose=0)[1]


digits = load_digits()
images = (digits.images / 16).astype("float32")[..., None]
untrained = probe(encoder())
model = Contrastive(encoder())
model.compile(optimizer=keras.optimizers.Adam(2e-3))
history = model.fit(images, batch_size=128, epochs=30, verbose=2).history
trained = probe(model.encoder)

print(f"Views matched: {history['matches'][-1]:.4f}")
print(f"Accuracy of a linear probe: {trained:.4f}")
print(f"Gained over an untrained encoder: {trained - untrained:.4f}")
