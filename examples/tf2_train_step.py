"""A training step that the user wrote, under ``fit``: mixup inside of ``train_step``, with ``compile``'s loss, metrics and callbacks.

    hornbeam run examples/tf2_train_step.py

Every batch is mixed with itself in another order, images and labels alike, so that the network learns what lies between two
digits (Zhang et al. 2018). ``evaluate`` and ``predict`` stay as they are.
"""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

np.random.seed(1)
tf.random.set_seed(1)


class Mixup(keras.Model):
    """A model that trains on mixtures of samples."""

    def __init__(self, *args, strength=0.3, **kwargs):
        super().__init__(*args, **kwargs)
        self.strength = strength
        self.mixed_by = keras.metrics.Mean(name="mixed_by")

    @property
    def metrics(self):
        return [*super().metrics, self.mixed_by]

    def train_step(self, data):
        x, y = data
        share = tf.random.uniform([tf.shape(x)[0], 1], 0.0, self.strength)
        order = tf.random.shuffle(tf.range(tf.shape(x)[0]))
        x = (1 - share) * x + share * tf.gather(x, order)
        y = (1 - share) * y + share * tf.gather(y, order)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self.compiled_metrics.update_state(y, y_pred)
        self.mixed_by.update_state(share)
        return {m.name: m.result() for m in self.metrics}


digits = load_digits()
x = (digits.data / 16).astype("float32")
y = keras.utils.to_categorical(digits.target, 10)

inputs = keras.Input((64,))
hidden = layers.Dense(96, activation="relu", kernel_regularizer="l2")(inputs)
outputs = layers.Dense(10, activation="softmax")(layers.Dropout(0.2)(hidden))
model = Mixup(inputs, outputs)
model.compile(keras.optimizers.Adam(2e-3), keras.losses.CategoricalCrossentropy(), metrics=["accuracy"])
history = model.fit(
    x[:1400], y[:1400], batch_size=32, epochs=25, validation_data=(x[1400:], y[1400:]), verbose=2,
    callbacks=[keras.callbacks.ReduceLROnPlateau(monitor="val_loss", patience=3)],
)  # fmt: skip
results = model.evaluate(x[1400:], y[1400:], verbose=0, return_dict=True)

print(f"Test accuracy: {results['accuracy']:.4f}")
print(f"Mean share of the other image: {history.history['mixed_by'][-1]:.4f}")
print(
    f"Prediction agrees: {np.isclose((model.predict(x[1400:]).argmax(1) == digits.target[1400:]).mean(), results['accuracy'])}"
)
