"""Distillation: a small network learns from a large one's uncertainty as well as from the labels.

    hornbeam run examples/tf2_distillation.py

The student sees 150 labelled digits; what the teacher thinks of a digit, softened by a temperature, says more than its label
(Hinton et al. 2015).
"""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

np.random.seed(0)
tf.random.set_seed(0)


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.student = student
        self.teacher = teacher

    def compile(self, optimizer, metrics, student_loss_fn, distillation_loss_fn, alpha=0.1, temperature=3):
        super().compile(optimizer=optimizer, metrics=metrics)
        self.student_loss_fn = student_loss_fn
        self.distillation_loss_fn = distillation_loss_fn
        self.alpha = alpha
        self.temperature = temperature

    def train_step(self, data):
        x, y = data
        thoughts = self.teacher(x, training=False)
        with tf.GradientTape() as tape:
            logits = self.student(x, training=True)
            student_loss = self.student_loss_fn(y, logits)
            distillation_loss = (
                self.distillation_loss_fn(
                    tf.nn.softmax(thoughts / self.temperature, axis=1), tf.nn.softmax(logits / self.temperature, axis=1)
                )
                * self.temperature**2
            )
            loss = self.alpha * student_loss + (1 - self.alpha) * distillation_loss
        trainable = self.student.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, trainable), trainable))
        self.compiled_metrics.update_state(y, logits)
        results = {m.name: m.result() for m in self.metrics}
        results.update({"student_loss": student_loss, "distillation_loss": distillation_loss})
        return results

    def test_step(self, data):
        x, y = data
        logits = self.student(x, training=False)
        student_loss = self.student_loss_fn(y, logits)
        self.compiled_metrics.update_state(y, logits)
        return {**{m.name: m.result() for m in self.metrics}, "student_loss": student_loss}

    def call(self, x):
        return self.student(x)


def reader(filters, name):
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(filters, 3, padding="same"),
            layers.LeakyReLU(alpha=0.2),
            layers.MaxPooling2D(2, strides=1, padding="same"),
            layers.Conv2D(2 * filters, 3, strides=2, padding="same"),
            layers.Flatten(),
            layers.Dense(10),
        ],
        name=name,
    )


digits = load_digits()
images = (digits.images / 16).astype("float32")[..., None]
x_train, y_train, x_test, y_test = images[:1300], digits.target[:1300], images[1300:], digits.target[1300:]
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

teacher = reader(32, "teacher")
student = reader(4, "student")
alone = keras.models.clone_model(student)
alone.set_weights(student.get_weights())

teacher.compile(keras.optimizers.Adam(), loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
teacher.fit(x_train, y_train, epochs=12, verbose=2)
before = teacher.get_weights()[0].copy()

distiller = Distiller(student=student, teacher=teacher)
distiller.compile(
    optimizer=keras.optimizers.Adam(3e-3),
    metrics=[keras.metrics.SparseCategoricalAccuracy()],
    student_loss_fn=loss,
    distillation_loss_fn=keras.losses.KLDivergence(),
    alpha=0.1,
    temperature=4,
)
distiller.fit(x_train[:150], y_train[:150], epochs=60, verbose=0)
taught = distiller.evaluate(x_test, y_test, verbose=0, return_dict=True)["sparse_categorical_accuracy"]

alone.compile(keras.optimizers.Adam(3e-3), loss, metrics=[keras.metrics.SparseCategoricalAccuracy()])
alone.fit(x_train[:150], y_train[:150], epochs=60, verbose=0)
by_itself = alone.evaluate(x_test, y_test, verbose=0)[1]

print(f"Accuracy of the teacher: {teacher.evaluate(x_test, y_test, verbose=0)[1]:.4f}")
print(f"Accuracy of the student: {taught:.4f}")
print(f"Accuracy of a student by itself: {by_itself:.4f}")
print(f"The teacher stayed: {(before == teacher.get_weights()[0]).all()}")
