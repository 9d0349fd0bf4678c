"""A folder of 10,000 pictures streamed into training: does the training wait, and does memory grow?

    python bench/images.py [--images 10000] [--size 96] [--epochs 2]

Writes JPEG files to a temporary folder, then measures reading and augmenting alone with several numbers of workers, training
alone, and both together through ``fit_generator``. The timeline shows, for each tenth of the run, how much of its time the
training waited for a batch, and how much memory the process and its workers held.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

import numpy as np
from hornbeam import _core
from hornbeam.callbacks import Callback
from hornbeam.layers import Conv2D, Dense, GlobalAveragePooling2D, MaxPooling2D
from hornbeam.models import Sequential
from hornbeam.preprocessing.image import ImageDataGenerator
from hornbeam.utils import OrderedEnqueuer
from PIL import Image

BATCH = 32


def write_pictures(folder: str, count: int, size: int) -> None:
    """Smooth random pictures in ten classes, of the class's colour."""
    rng = np.random.RandomState(0)
    for i in range(count):
        place = os.path.join(folder, str(i % 10))
        os.makedirs(place, exist_ok=True)
        coarse = rng.randint(0, 160, (8, 8, 3))
        coarse[..., i % 3] += 8 * (i % 10)
        picture = Image.fromarray(coarse.astype("uint8")).resize(
            (size * 3 // 2, size * 3 // 2), Image.Resampling.BICUBIC
        )
        picture.save(os.path.join(place, f"{i}.jpg"), quality=90)


def batches(folder: str, size: int):
    augment = ImageDataGenerator(rescale=1 / 255, rotation_range=15, width_shift_range=0.1, horizontal_flip=True)
    return augment.flow_from_directory(folder, (size, size), batch_size=BATCH, interpolation="bilinear", seed=1)


def network(size: int) -> Sequential:
    model = Sequential([
        Conv2D(32, 3, strides=2, activation="relu", input_shape=(size, size, 3)),
        Conv2D(64, 3, activation="relu"), MaxPooling2D(), Conv2D(128, 3, activation="relu"),
        GlobalAveragePooling2D(), Dense(10, activation="softmax"),
    ])  # fmt: skip
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model


def memory() -> float:
    """Resident memory of this process and its workers, in MB; what they share counts once for each."""
    total = 0
    for pid in [os.getpid(), *children()]:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except (OSError, StopIteration):  # it has just ended
            continue
    return total / 1024


def children() -> list[int]:
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split()]


class Timeline(Callback):
    """Splits the run into waiting for batches and training, and looks at the memory now and then."""

    def __init__(self, every: int) -> None:
        super().__init__()
        self.every = every
        self.rows: list[tuple[float, float, float]] = []

    def on_train_begin(self, logs=None):
        self.start = self.last = time.perf_counter()
        self.waited = self.seen = 0.0
        self.count, self.first = 0, self.start

    def on_train_batch_begin(self, batch, logs=None):
        self.waited += time.perf_counter() - self.last

    def on_train_batch_end(self, batch, logs=None):
        self.last = time.perf_counter()
        self.count += 1
        if self.count % self.every == 0:
            self.rows.append((self.last - self.start, self.waited / (self.last - self.first), memory()))
            self.waited, self.first = 0.0, self.last


def load_alone(folder: str, size: int, workers: int, processes: bool, count: int) -> float:
    """Pictures per second."""
    enqueuer = OrderedEnqueuer(batches(folder, size), use_multiprocessing=processes)
    enqueuer.start(workers=workers, max_queue_size=10)
    got = enqueuer.get()
    for _ in range(2 * workers):
        next(got)
    start = time.perf_counter()
    for _ in range(count):
        next(got)
    rate = count * BATCH / (time.perf_counter() - start)
    enqueuer.stop()
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="of the training")
    args = parser.parse_args()
    _core.set_num_threads(args.threads)

    with tempfile.TemporaryDirectory() as folder:
        write_pictures(folder, args.images, args.size)
        print(f"{args.images} pictures, {os.cpu_count()} cores, training on {args.threads} thread(s)\n")
        model = network(args.size)
        x, y = batches(folder, args.size)[0]
        model.train_on_batch(x, y)
        start = time.perf_counter()
        for _ in range(60):
            model.train_on_batch(x, y)
        train = 60 * BATCH / (time.perf_counter() - start)
        print(f"training alone: {train:.0f} pictures/s\n\n| workers | reading alone | both together | training waits |")
        print("|---|---|---|---|")
        timelines = []
        for workers, processes in ((0, False), (1, False), (2, False), (4, False), (2, True)):
            alone = load_alone(folder, args.size, max(workers, 1), processes, 100) if workers else None
            sequence = batches(folder, args.size)
            line = Timeline(max(1, len(sequence) * args.epochs // 10))
            start = time.perf_counter()
            model.fit_generator(
                sequence,
                epochs=args.epochs,
                verbose=0,
                callbacks=[line],
                workers=workers,
                use_multiprocessing=processes,
            )
            rate = args.images * args.epochs / (time.perf_counter() - start)
            kind = "processes" if processes else "threads"
            waits = np.mean([row[1] for row in line.rows])
            name = f"{workers} {kind}" if workers else "none: one after the other"
            print(f"| {name} | {f'{alone:.0f}/s' if alone else ''} | {rate:.0f}/s | {waits:.0%} |", flush=True)
            timelines.append((name, line.rows))
        for name, rows in timelines:
            print(f"\n{name}:")
            print("  seconds  " + " ".join(f"{row[0]:6.1f}" for row in rows))
            print("  waiting  " + " ".join(f"{row[1]:6.0%}" for row in rows))
            print("  MB       " + " ".join(f"{row[2]:6.0f}" for row in rows))


if __name__ == "__main__":
    main()
