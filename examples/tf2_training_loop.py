"""A training loop from scratch: batches, a gradient tape, an optimizer, metrics, validation.

    hornbeam run examples/tf2_training_loop.py

A convolutional network reads handwritten digits. The step is a ``tf.function``: traced once, then one call per batch.
"""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras

tf.random.set_seed(0)
rng = np.random.default_rng(0)
EPOCHS, BATCH = 12, 32

digits = load_digits()
images = (digits.images / 16).astype("float32")[..., None]
labels = digits.target.astype("int32")
x_train, y_train = images[:1300], labels[:1300]
x_val, y_val = images[1300:], labels[1300:]

model = keras.Sequential([
    keras.Input((8, 8, 1)),
    keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
    keras.layers.BatchNormalization(),
    keras.layers.MaxPooling2D(),
    keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
    keras.layers.Flatten(),
    keras.layers.Dropout(0.3),
    keras.layers.Dense(10),
])  # fmt: skip
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam(learning_rate=2e-3)
train_accuracy = keras.metrics.SparseCategoricalAccuracy()
val_accuracy = keras.metrics.SparseCategoricalAccuracy()
mean_loss = keras.metrics.Mean()


@tf.function
def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x, training=True)
        loss = loss_fn(y, logits) + 1e-4 * tf.add_n([tf.nn.l2_loss(w) for w in model.trainable_weights])
    gradients = tape.gradient(loss, model.trainable_weights)
    gradients, _ = tf.clip_by_global_norm(gradients, 5.0)
    optimizer.apply_gradients(zip(gradients, model.trainable_weights))
    train_accuracy.update_state(y, logits)
    mean_loss.update_state(loss)
    return loss


@tf.function
def validate(x, y):
    val_accuracy.update_state(y, model(x, training=False))


for epoch in range(EPOCHS):
    order = rng.permutation(len(x_train))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        train_step(x_train[rows], y_train[rows])
    for start in range(0, len(x_val), BATCH):
        validate(x_val[start : start + BATCH], y_val[start : start + BATCH])
    tf.print("Epoch", epoch + 1, "loss", mean_loss.result(), "accuracy", train_accuracy.result())
    last = float(val_accuracy.result())
    for metric in (mean_loss, train_accuracy, val_accuracy):
        metric.reset_states()

print(f"Validation accuracy: {last:.4f}")
print(f"Steps taken: {optimizer.iterations.numpy()}")
