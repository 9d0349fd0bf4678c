"""Training loops that users write, beside TensorFlow and PyTorch: ``python bench/custom_loop.py [--threads N] [--only NAME]``.

A case is one step: a gradient tape around the model and the loss, ``apply_gradients`` with Adam, a running mean of the loss, and
the loss read as a number. Hornbeam does it eagerly, under ``tf.function``, and by ``train_on_batch``; TensorFlow eagerly and under
``tf.function``; PyTorch eagerly, as its users write it.
"""

from __future__ import annotations

import os

import numpy as np
from contest import Contest, options, summary

#: name -> shape of an input, batch
SHAPES = {"CNN of 28x28": ((28, 28, 1), 128), "MLP of 784": ((784,), 32)}
CASES = [(name,) for name in SHAPES]


def _data(name):
    shape, batch = SHAPES[name]
    rng = np.random.RandomState(0)
    return rng.uniform(0, 1, (batch, *shape)).astype("float32"), rng.randint(0, 10, batch)


def _network(keras, name):
    layers = keras.layers
    if name.startswith("MLP"):
        return keras.Sequential(
            [layers.Dense(128, activation="relu", input_shape=(784,)), layers.Dropout(0.2), layers.Dense(10)]
        )
    return keras.Sequential(
        [
            layers.Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10),
        ]
    )


def _step(tf, keras, name, traced):
    x, y = _data(name)
    model, optimizer = _network(keras, name), keras.optimizers.Adam(1e-3)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    mean = keras.metrics.Mean()

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables))
        mean.update_state(loss)
        return loss

    if traced:
        step = tf.function(step)
    return lambda: float(step(x, y))


def _hornbeam(name, traced):
    from hornbeam.cli import run

    run.prepare(2)
    import tensorflow as tf

    return _step(tf, tf.keras, name, traced)


def _on_batch(case):
    import hornbeam as keras

    x, y = _data(case[0])
    model = _network(keras, case[0])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return lambda: float(model.train_on_batch(x, y))


def _tensorflow(name, traced):
    os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import tensorflow as tf

    threads = int(os.environ["HORNBEAM_NUM_THREADS"])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    return _step(tf, tf.keras, name, traced)


def _torch(case):
    import torch
    from torch import nn

    torch.set_num_threads(int(os.environ["HORNBEAM_NUM_THREADS"]))
    x, y = _data(case[0])
    if case[0].startswith("MLP"):
        model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    else:
        x = x.transpose(0, 3, 1, 2).copy()
        convolutions = [
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
        ]
        model = nn.Sequential(
            *convolutions, nn.Flatten(), nn.Linear(64 * 144, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)
        )
    optimizer, loss_of = torch.optim.Adam(model.parameters(), 1e-3), nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        loss = loss_of(model(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


CONTESTANTS = {
    "hornbeam": lambda case: _hornbeam(case[0], True),
    "hornbeam eagerly": lambda case: _hornbeam(case[0], False),
    "hornbeam train_on_batch": _on_batch,
    "tensorflow": lambda case: _tensorflow(case[0], True),
    "tensorflow eagerly": lambda case: _tensorflow(case[0], False),
    "torch": _torch,
}


def main() -> None:
    chosen = options(globals())
    print(f"{chosen.threads} threads; ms of the fastest step [median]")
    contest = Contest(__file__, chosen.names, chosen.threads)
    for case in CASES:
        if chosen.only in case[0]:
            found = {n: summary(t) for n, t in contest.measure(case, budget=1.0, rounds=chosen.rounds).items()}
            print(f"{case[0]:14} | " + " | ".join(f"{n} {b * 1e3:.2f} [{m * 1e3:.2f}]" for n, (m, b) in found.items()))
    contest.close()


if __name__ == "__main__":
    main()
