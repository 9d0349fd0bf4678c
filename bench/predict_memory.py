"""Resident memory over a million calls of ``predict`` on a small model, from one thread and from several.

    python bench/predict_memory.py [calls]

Batches of eight sizes keep eight plans in use. The last column is what a leak of one byte per call would show.
"""

import os
import sys
import threading

import numpy as np
from hornbeam.layers import Dense
from hornbeam.models import Sequential

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
THREADS = 4


def resident_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def main():
    model = Sequential([Dense(8, activation="relu", input_shape=(4,)), Dense(3, activation="softmax")])
    batches = [np.random.rand(size, 4).astype("float32") for size in range(1, 9)]

    def calls(count):
        for i in range(count):
            model.predict(batches[i % 8])

    calls(10_000)
    first = resident_kib()
    print(f"{'calls':>10} {'resident KiB':>13} {'growth KiB':>11} {'at 1 byte a call':>17}")
    print(f"{0:>10} {first:>13} {0:>11} {0:>17}")
    part = CALLS // 20
    done = 0
    for step in range(20):
        if step < 10:
            calls(part)
        else:
            workers = [threading.Thread(target=calls, args=(part // THREADS,)) for _ in range(THREADS)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        done += part
        now = resident_kib()
        if step % 2:
            print(f"{done:>10} {now:>13} {now - first:>11} {done // 1024:>17}", flush=True)


if __name__ == "__main__":
    main()
