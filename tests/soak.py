"""Predicting threads, a trainer, a saver and a reloader on one model; every answer and file has to belong to one state.

    python tests/soak.py --seconds 60 --predicting 32

Exits with 1 if one does not, with the counts either way. Under ThreadSanitizer (see .ci/full) it looks for races.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter

import hornbeam as keras
import numpy as np
from hornbeam.layers import Dense, Dropout, Input
from hornbeam.models import Model, load_model

WIDTH = 64
X = np.ones((256, WIDTH), "float32")


def make_model():
    """Two ends with equal weights, which a step changes by the same; the steps are counted by the optimizer as well."""
    inputs = Input((WIDTH,))
    ends = [Dense(WIDTH, use_bias=False, kernel_initializer="zeros")(inputs) for _ in range(2)]
    model = Model(inputs, [*ends, Dropout(0.5)(inputs)])
    model.compile(keras.optimizers.SGD(1.0), "mae")
    return model


class Soak:
    def __init__(self, seconds, folder):
        self.until = time.monotonic() + seconds
        self.model, self.folder = make_model(), folder
        self.y = [np.full((256, WIDTH), -1e9, "float32")] * 3  # so far below that the mean error's slope is 1
        self.done, self.torn = Counter(), []
        self.model.train_on_batch(X, self.y)
        self.model.save_weights(os.path.join(folder, "reload.h5"))

    def check(self, what, is_whole, details):
        self.done[what] += 1
        if not is_whole:
            self.torn.append(f"{what}: {details}")

    def predict(self, rows):
        a, b, _ = self.model.predict_on_batch(X[:rows])
        self.check("predictions", np.array_equal(a, b) and a.min() == a.max(), (a.min(), a.max(), b.min(), b.max()))

    def read(self):
        weights = self.model.get_weights()
        self.check("reads", len({v for w in weights for v in (w.min(), w.max())}) == 1, [w.ravel()[0] for w in weights])

    def train(self):
        self.model.train_on_batch(X, self.y)
        self.done["steps"] += 1

    def save(self, suffix):
        path = os.path.join(self.folder, f"{threading.get_ident()}{suffix}")
        self.model.save(path)
        loaded = load_model(path)
        steps, weights = int(loaded.optimizer.get_weights()[0]), loaded.get_weights()
        equal = len({v for w in weights for v in (w.min(), w.max())}) == 1
        self.check("files", equal and loaded._run_counter.value == steps, (steps, loaded._run_counter.value))

    def reload(self):
        self.model.load_weights(os.path.join(self.folder, "reload.h5"))
        self.done["reloads"] += 1
        time.sleep(0.01)

    def run(self, predicting):
        tasks = [lambda rows=1 + i * 7 % 256: self.predict(rows) for i in range(predicting)]
        tasks += [self.train, self.read, lambda: self.save(".h5"), lambda: self.save(".keras"), self.reload]

        def work(task):
            try:
                while time.monotonic() < self.until:
                    task()
            except BaseException as error:
                self.torn.append(repr(error))

        threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--predicting", type=int, default=32, help="number of predicting threads")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        soak = Soak(options.seconds, folder)
        soak.run(options.predicting)
    print(", ".join(f"{count} {what}" for what, count in sorted(soak.done.items())))
    for line in soak.torn[:20]:
        print("TORN", line)
    idle = [what for what in ("predictions", "reads", "steps", "files", "reloads") if not soak.done[what]]
    if idle:
        print("never done:", ", ".join(idle))
    return int(bool(soak.torn or idle))


if __name__ == "__main__":
    sys.exit(main())
