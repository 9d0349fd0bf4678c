"""A layer, a loss and a metric of one's own.

    hornbeam run examples/custom_layer.py

A radial basis function layer computes exp(-gamma * |x - center|^2) for each of its centers, which are weights. It
learns two interleaved spirals, which no straight line separates.
"""

import numpy as np
from keras import backend as K
from keras.engine.topology import Layer
from keras.layers import Dense
from keras.models import Sequential, model_from_json


class RBF(Layer):
    def __init__(self, units, gamma=1.0, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.gamma = gamma

    def build(self, input_shape):
        self.centers = self.add_weight(
            name="centers", shape=(self.units, input_shape[-1]), initializer="random_uniform", trainable=True
        )
        super().build(input_shape)

    def call(self, inputs):
        difference = K.expand_dims(inputs, 1) - self.centers  # (batch, units, features)
        return K.exp(-self.gamma * K.sum(K.square(difference), axis=-1))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.units)

    def get_config(self):
        config = super().get_config()
        config.update({"units": self.units, "gamma": self.gamma})
        return config


def smooth_hinge(y_true, y_pred):
    """A hinge loss with a rounded corner; labels are -1 and 1."""
    return K.mean(K.softplus(4 * (1 - y_true * y_pred)) / 4, axis=-1)


def same_sign(y_true, y_pred):
    return K.mean(K.cast(K.greater(y_true * y_pred, 0), K.floatx()))


np.random.seed(0)
label = np.where(np.arange(600) % 2, 1.0, -1.0)
angle = np.random.uniform(0.5, 2.5, size=600) * np.pi
spiral = label[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1) * angle[:, None] / 8
x = spiral + np.random.normal(scale=0.02, size=(600, 2))

model = Sequential([RBF(60, gamma=12.0, input_shape=(2,)), Dense(1)])
model.layers[0].set_weights([x[:60]])  # start from some of the points
model.compile(optimizer="adam", loss=smooth_hinge, metrics=[same_sign])
model.fit(x[:500], label[:500], batch_size=25, epochs=60, verbose=0)

loss, accuracy = model.evaluate(x[500:], label[500:], verbose=0)
print(f"Test loss: {loss:.4f}")
print(f"Test accuracy: {accuracy:.4f}")

copy = model_from_json(model.to_json(), custom_objects={"RBF": RBF})
copy.set_weights(model.get_weights())
print("A copy made from JSON predicts the same:", np.array_equal(copy.predict(x), model.predict(x)))
