"""Writes tf_keras_paths.json: what optimizers of TensorFlow 2.15 make of two parameters along given gradients.

Run where TensorFlow 2.15 is installed; the cases are those of test_against_tf_keras.py.
"""

import json
import pathlib

import numpy as np

START = [[0.5, -1.0, 2.0], [[1.5], [-0.5]]]
STEPS = 4


def gradients():
    """For each step, those of the two parameters."""
    draw = np.random.RandomState(0)
    return [[draw.uniform(-1, 1, np.shape(p)).astype("float32") for p in START] for _ in range(STEPS)]


#: module under keras.optimizers, class, positional arguments, keywords
CASES = [
    ["", "SGD", [], {}],
    ["", "SGD", [0.1, 0.9, True], {}],
    ["", "SGD", [0.1], {"clipnorm": 0.5}],
    ["", "SGD", [0.1], {"global_clipnorm": 0.5}],
    ["", "SGD", [0.1], {"clipvalue": 0.25, "weight_decay": 0.1}],
    ["", "SGD", [0.1], {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}],
    ["", "RMSprop", [], {}],
    ["", "RMSprop", [0.1, 0.8, 0.5, 0.1, True], {}],
    ["", "Adagrad", [], {}],
    ["", "Adagrad", [0.1, 0.5, 0.01], {}],
    ["", "Adadelta", [], {}],
    ["", "Adadelta", [1.0, 0.9, 0.01], {}],
    ["", "Adam", [], {}],
    ["", "Adam", [0.1, 0.8, 0.9, 0.01, True], {}],
    ["", "Adam", [0.1], {"weight_decay": 0.1, "use_ema": True, "ema_overwrite_frequency": 3}],
    ["", "AdamW", [0.1, 0.1], {}],
    ["", "Adamax", [], {}],
    ["", "Adamax", [0.1, 0.8, 0.9, 0.1], {}],
    ["", "Nadam", [], {}],
    ["", "Nadam", [0.1, 0.8, 0.9, 0.1], {}],
    ["", "Ftrl", [0.1], {"l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2, "beta": 0.1}],
    ["", "Lion", [0.1], {}],
    ["", "Adafactor", [], {}],
    ["legacy", "SGD", [0.1, 0.9], {"decay": 0.1, "clipnorm": 0.5}],
    ["legacy", "RMSprop", [], {"epsilon": 0.1}],
    ["legacy", "RMSprop", [0.1, 0.8, 0.5, 0.1], {}],
    ["legacy", "RMSprop", [0.1, 0.8, 0.0, 0.1, True], {}],
    ["legacy", "Adagrad", [], {"epsilon": 0.1}],
    ["legacy", "Adadelta", [], {}],
    ["legacy", "Adam", [0.1], {"decay": 0.1, "amsgrad": True}],
    ["legacy", "Adamax", [], {}],
    ["legacy", "Nadam", [], {}],
    ["legacy", "Ftrl", [0.1], {"l1_regularization_strength": 0.1}],
]


def main():
    import tensorflow as tf

    paths = []
    for module, name, args, kwargs in CASES:
        optimizers = tf.keras.optimizers
        optimizer = getattr(getattr(optimizers, module) if module else optimizers, name)(*args, **kwargs)
        parameters = [tf.Variable(p, dtype="float32") for p in START]
        path = []
        for step in gradients():
            optimizer.apply_gradients(zip(map(tf.constant, step), parameters))
            path.append([p.numpy().ravel().astype(float).tolist() for p in parameters])
        paths.append(path)
    lines = ",\n".join(json.dumps([*case, path]) for case, path in zip(CASES, paths))
    pathlib.Path(__file__).with_suffix(".json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
