"""Trains a small convolutional network on the handwritten digits that come with scikit-learn.

Saves it, loads it in a fresh process, checks that both predict the same numbers bit for bit, draws what was misread,
and measures what one prediction costs. Nothing is downloaded: pip install "hornbeam[demo]".
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the split, the weights and the dropout (default 0)"
    )
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training images (default 30)")
    parser.add_argument(
        "--model", type=Path, default=Path("digits.h5"), help="where to save the model (default digits.h5)"
    )
    parser.add_argument("--picture", type=Path, default=Path("digits.png"), help="where to draw (default digits.png)")


def main(args: argparse.Namespace) -> int:
    try:
        import matplotlib  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        print(f'hornbeam demo: {error}. Its data and its picture need: pip install "hornbeam[demo]"', file=sys.stderr)
        return 1
    import hornbeam
    from hornbeam.callbacks import LearningRateScheduler

    hornbeam.set_random_seed(args.seed)
    digits = load(args.seed)
    model = build()
    model.summary()

    start = time.perf_counter()
    slower = LearningRateScheduler(lambda epoch: 1e-3 * 0.9**epoch)
    model.fit(digits.x_train, digits.y_train, batch_size=32, epochs=args.epochs, verbose=1, callbacks=[slower])
    seconds = time.perf_counter() - start
    probabilities = model.predict(digits.x_test)
    read = probabilities.argmax(-1)
    accuracy = float((read == digits.y_test).mean())
    print(
        f"\nTrained in {seconds:.1f} s. Test accuracy {accuracy:.2%}: {(read != digits.y_test).sum()} of {len(read)} misread."
    )

    model.save(str(args.model))
    same = predict_elsewhere(args.model, digits.x_test).tobytes() == probabilities.tobytes()
    print(f"Saved {args.model} ({args.model.stat().st_size / 1024:.0f} kB). A fresh process loads it and predicts "
          f"{'the same numbers, bit for bit' if same else 'OTHER NUMBERS'}.")  # fmt: skip
    draw(args.picture, digits, probabilities)
    print(f"Drew {args.picture}: the confusion matrix, and the digits that were misread or nearly so.")
    print(f"One prediction for one image takes {latency(model, digits.x_test[:1]) * 1e6:.0f} µs.")
    return 0 if same else 1


class Digits(NamedTuple):
    """Images of shape (n, 8, 8, 1) in [0, 1] and their labels."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def load(seed: int) -> Digits:
    """A quarter of each digit is for the test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch = load_digits()
    x = (bunch.images[..., None] / 16).astype("float32")
    x_train, x_test, y_train, y_test = train_test_split(
        x, bunch.target, test_size=0.25, stratify=bunch.target, random_state=seed
    )
    return Digits(x_train, y_train, x_test, y_test)


def build() -> Any:
    from hornbeam.layers import BatchNormalization, Conv2D, Dense, Dropout, Flatten, MaxPooling2D
    from hornbeam.models import Sequential

    model = Sequential(
        [
            Conv2D(32, 3, padding="same", activation="relu", input_shape=(8, 8, 1)),
            BatchNormalization(momentum=0.9),
            Conv2D(32, 3, padding="same", activation="relu"),
            BatchNormalization(momentum=0.9),
            MaxPooling2D(),
            Dropout(0.25),
            Conv2D(64, 3, padding="same", activation="relu"),
            BatchNormalization(momentum=0.9),
            MaxPooling2D(),
            Dropout(0.25),
            Flatten(),
            Dense(128, activation="relu"),
            Dropout(0.5),
            Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


_PREDICT = """
import sys, numpy
from hornbeam.models import load_model
model, x, y = sys.argv[1:]
numpy.save(y, load_model(model).predict(numpy.load(x)))
"""


def predict_elsewhere(model: Path, x: np.ndarray) -> np.ndarray:
    """What a fresh process predicts with the saved model."""
    with tempfile.TemporaryDirectory() as folder:
        feed, result = Path(folder, "x.npy"), Path(folder, "y.npy")
        np.save(feed, x)
        subprocess.run([sys.executable, "-c", _PREDICT, str(model), str(feed), str(result)], check=True)
        return np.load(result)


def latency(model: Any, x: np.ndarray, calls: int = 500) -> float:
    """Median seconds of a call of ``model.predict``."""
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        model.predict(x)
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def draw(path: Path, digits: Digits, probabilities: np.ndarray, shown: int = 12) -> None:
    """The confusion matrix, and the test images whose own label got the least probability."""
    from matplotlib.figure import Figure

    read, labels = probabilities.argmax(-1), digits.y_test
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, read), 1)
    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False)[0]
    axes = left.subplots()
    axes.imshow(np.log1p(matrix), cmap="Greens")
    for label, column in np.ndindex(10, 10):
        if matrix[label, column]:
            color = "white" if label == column else "black"
            axes.text(column, label, str(matrix[label, column]), ha="center", va="center", color=color)
    axes.set(xlabel="read as", ylabel="digit", xticks=range(10), yticks=range(10))
    axes.set_title(f"{(read == labels).mean():.2%} of {len(labels)} test digits")
    doubtful = np.argsort(probabilities[np.arange(len(labels)), labels])[:shown]
    for axes, i in zip(np.ravel(right.subplots(3, shown // 3)), doubtful):
        axes.imshow(digits.x_test[i, ..., 0], cmap="gray_r")
        axes.set_title(
            f"{labels[i]} read as {read[i]}", color="firebrick" if read[i] != labels[i] else "black", fontsize=9
        )
        axes.set_axis_off()
    right.suptitle("Least sure of the right answer")
    figure.savefig(path, dpi=110)
