"""LSTM and GRU beside PyTorch, alternating in one process: forward, training step, and one row's latency.

    PYTHONPATH=python python bench/recurrent.py [--threads 2] [--rounds 20]

Both sides include the input projection. Each figure is the fastest of all rounds; on a busy machine only
the ratios mean something, and those not much.
"""

import argparse
import time

import numpy as np
import torch
from hornbeam import _core
from hornbeam import graph as G

GATES = {"lstm": 4, "gru": 3}


def layer(cell, x, kernel, bias, recurrent, recurrent_bias):
    """The last state of one layer."""
    projected = G.apply("matmul", [x, kernel, bias])
    if cell == "lstm":
        return G.apply("lstm", [projected, None, None, recurrent, None, None])[1]
    return G.apply("gru", [projected, None, recurrent, recurrent_bias, None, None], reset_after=True)[1]


def hornbeam_calls(cell, batch, steps, features, units):
    """Functions that run the forward pass, and forward and backward together."""
    rng, width = np.random.RandomState(0), GATES[cell] * units
    shapes = [(features, width), (width,), (units, width), (width,)]
    weights = [G.Variable(rng.uniform(-0.1, 0.1, s).astype("float32")) for s in shapes]
    x = G.placeholder((batch, steps, features))
    feed = rng.uniform(-1, 1, x.shape).astype("float32")
    h = layer(cell, x, *weights)
    used = weights[: 4 if cell == "gru" else 3]
    grads = G.gradients([h], [x, *used])
    forward, training = G.Function([x], [h]), G.Function([x], [h, *grads])
    return lambda: forward([feed]), lambda: training([feed])


def torch_calls(cell, batch, steps, features, units):
    module = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[cell](features, units, batch_first=True)
    x = torch.rand(batch, steps, features, requires_grad=True)

    def forward():
        with torch.no_grad():
            module(x)

    def training():
        module.zero_grad(set_to_none=True)
        x.grad = None
        module(x)[0][:, -1].sum().backward()

    return forward, training


def fastest(calls, rounds):
    """The shortest time of each call in milliseconds, taken in turns."""
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for i, call in enumerate(calls):
            call()
            for _ in range(5):
                start = time.perf_counter()
                call()
                best[i] = min(best[i], 1e3 * (time.perf_counter() - start))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    _core.set_num_threads(args.threads)
    print(f"{_core.isa()}, {args.threads} threads; ms, fastest of {5 * args.rounds}")
    for cell in GATES:
        for sizes in [(32, 80, 128, 128), (1, 80, 128, 128), (128, 30, 32, 32)]:
            ours, theirs = hornbeam_calls(cell, *sizes), torch_calls(cell, *sizes)
            times = fastest([ours[0], theirs[0], ours[1], theirs[1]], args.rounds)
            for what, a, b in (("forward", *times[:2]), ("training", *times[2:])):
                print(
                    f"{cell:5} B,T,I,H={sizes!s:20} {what:9} hornbeam {a:7.3f}  torch {b:7.3f}  torch/hornbeam {b / a:5.2f}"
                )


if __name__ == "__main__":
    main()
