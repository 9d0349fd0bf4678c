"""The core's smallest programs under valgrind's memcheck: an error is one that has a frame of the core.

    python tests/memcheck.py --isa baseline avx2        # valgrind knows no AVX-512

Every op's sample and some sizes with tails, control flow, updates and gradients, in float32 and float64, are computed by two
threads, and each result is written to /dev/null, so that memcheck looks at its every byte. Leaks do not count: Python
keeps much until its end.

Exits with 1 if memcheck says anything about the core, and prints the first errors of each kind. Those without a frame of the
core are counted: CPython is compiled so that it copies and compares bytes which it never set.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

OPTIONS = ["--error-limit=no", "--track-origins=yes", "--num-callers=20", "--xml=yes"]
CORE = "/hornbeam/_core."
SHOWN = 3  # of each kind


# -- in valgrind ---------------------------------------------------------------------------------------------------------
def programs() -> Iterator[tuple[str, Callable[[], list]]]:
    """Names, and what runs a program and returns its results."""
    from hornbeam.graph.samples import SAMPLES

    for name in SAMPLES:
        for dtype in ("float32", "float64"):
            yield f"{name} {dtype}", partial(sampled, name, dtype)
    for made in (products, convolutions, reductions, recurrences, loops, branches, updates, random_numbers, indexing):
        yield made.__name__, made


def sampled(name: str, dtype: str) -> list:
    from hornbeam import graph as G
    from hornbeam.graph.samples import sample

    try:
        fed, outputs, feeds = sample(name, dtype)
    except TypeError:
        return []  # an op that knows no such floats
    return G.Function(fed, outputs)(feeds)


def numbers(*shape: int):
    import numpy as np

    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def computed(make: Callable, *feeds) -> list:
    """Results of ``make`` of placeholders for the arrays, and the gradients of their sum; twice, as a plan is bound once."""
    from hornbeam import backend as K
    from hornbeam import graph as G

    inputs = [G.placeholder(a.shape, a.dtype.name) for a in feeds]
    made = make(*inputs)
    loss = sum(K.sum(y) for y in made)
    slopes = G.gradients(loss, [x for x in inputs if x.dtype == "float32"])
    function = G.Function(inputs, [*made, *(g for g in slopes if g is not None)])
    return [*function(list(feeds)), *function(list(feeds))]


def products() -> list:
    from hornbeam import backend as K

    found = []
    for rows, inner, columns in ((1, 1, 1), (1, 17, 5), (7, 3, 1), (13, 33, 17), (70, 65, 31)):
        found += computed(lambda x, y: [K.relu(K.dot(x, y))], numbers(rows, inner), numbers(inner, columns))
    return found + computed(lambda x, y: [K.batch_dot(x, y)], numbers(3, 5, 7), numbers(3, 7, 9))


def convolutions() -> list:
    from hornbeam import backend as K

    found = []
    for side, channels, filters, size in ((7, 3, 5, 3), (12, 17, 16, 3), (9, 1, 9, 5), (5, 4, 1, 1)):
        x, w = numbers(2, side, side + 1, channels), numbers(size, size, channels, filters)
        found += computed(lambda x, w: [K.conv2d(x, w, padding="same"), K.conv2d(x, w, (2, 2))], x, w)
        found += computed(lambda x: [K.pool2d(x, (3, 2), (2, 1), "same"), K.pool2d(x, (2, 2), pool_mode="avg")], x)
    x, w = numbers(2, 9, 10, 5), numbers(3, 3, 5, 2)
    return found + computed(lambda x, w: [K.depthwise_conv2d(x, w)], x, w)


def reductions() -> list:
    from hornbeam import backend as K

    def make(x):
        return [K.sum(x, 0), K.mean(x, 1), K.max(x, 0), K.softmax(x), K.logsumexp(x, 1), K.var(x), K.cumsum(x, 1)]

    return [y for shape in ((1, 1), (3, 37), (130, 3), (2, 4099)) for y in computed(make, numbers(*shape))]


def recurrences() -> list:
    from hornbeam.layers import GRU, LSTM, Input, Masking, SimpleRNN
    from hornbeam.models import Model

    found = []
    for layer in (LSTM, GRU, SimpleRNN):
        x = Input((5, 3))
        model = Model(x, layer(9, recurrent_dropout=0.2)(Masking()(x)))
        model.compile("sgd", "mse")
        found += [model.predict(numbers(3, 5, 3)), model.train_on_batch(numbers(3, 5, 3), numbers(3, 9))]
        found += model.get_weights()
    return found


def loops() -> list:
    from hornbeam import backend as K

    def step(x, states):
        h = K.tanh(x + K.dot(states[0], states[0])) * 0.5
        return h, [h]

    def make(x, start):
        last, outputs, states = K.rnn(step, x, [start])
        return [last, outputs, *states]

    return computed(make, numbers(3, 4, 3), numbers(3, 3))


def branches() -> list:
    from hornbeam import backend as K
    from hornbeam import graph as G

    def make(x):
        return [G.cond(K.sum(x) > limit, lambda: K.exp(x), lambda: K.dot(x, x)) for limit in (-100.0, 100.0)]

    return computed(make, numbers(5, 5))


def updates() -> list:
    from hornbeam import backend as K

    v, w = K.variable(numbers(5, 3)), K.variable(numbers(7))
    function = K.function([], [v * 2, K.sum(w)], [K.update_add(v, v * v), K.update(w, w - 1)])
    return [*function([]), *function([]), K.get_value(v), *K.batch_get_value([v, w])]


def random_numbers() -> list:
    from hornbeam import backend as K

    made = [
        K.random_normal((5, 7)),
        K.random_uniform((33,)),
        K.truncated_normal((9, 2)),
        K.dropout(K.ones((8, 9)), 0.5),
    ]
    return K.function([], made)([])


def indexing() -> list:
    from hornbeam import backend as K

    def make(x):
        picked = K.gather(x, K.constant([3, 0, 3], dtype="int32"))
        return [picked, x[1:, ::2], K.reverse(x, 1), K.concatenate([x, picked], 0), K.permute_dimensions(x, (1, 0))]

    x = K.placeholder((4, 9))
    top = K.function([x], [K.argmax(x), K.in_top_k(x, K.constant([1, 2, 3, 4], dtype="int32"), 3)])
    return [*computed(make, numbers(4, 9)), *top([numbers(4, 9)])]


def worker(log: pathlib.Path) -> None:
    """Run all programs; before each, its name goes into memcheck's report."""
    import numpy as np

    with open(log, "ab", buffering=0) as report, open(os.devnull, "wb", buffering=0) as nowhere:
        for name, run in programs():
            report.write(f"<program>{name}</program>\n".encode())
            for result in run():
                nowhere.write(np.ascontiguousarray(result))


# -- outside -------------------------------------------------------------------------------------------------------------
def check(isa: str) -> int:
    """Run the worker in valgrind on an instruction set, print what there is; the number of errors of the core."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "report.xml"
        settings = {
            "HORNBEAM_ISA": isa,
            "HORNBEAM_NUM_THREADS": "2",
            "PYTHONMALLOC": "malloc",
            "OPENBLAS_NUM_THREADS": "1",
        }
        with open(log, "ab") as report:  # appends, and so does the worker
            command = [
                "valgrind",
                *OPTIONS,
                f"--xml-fd={report.fileno()}",
                sys.executable,
                __file__,
                "--worker",
                str(log),
            ]
            done = subprocess.run(command, env={**os.environ, **settings}, pass_fds=[report.fileno()], check=False)
        if done.returncode:
            raise SystemExit(f"{isa}: the programs ended with {done.returncode}")
        return print_errors(isa, xml.parse(log).getroot())


def print_errors(isa: str, report: xml.Element) -> int:
    program, ran = "before the first program", 0
    ours: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for item in report:
        if item.tag == "program":
            program, ran = item.text or "", ran + 1
        elif item.tag == "error":
            kind = item.findtext("kind") or ""
            if kind.startswith("Leak_"):
                continue  # in XML there are always some
            if not any(CORE in (frame.findtext("obj") or "") for frame in item.iter("frame")):
                others[kind] += 1
                continue
            ours[kind] += 1
            if ours[kind] <= SHOWN:
                print(f"{isa}, {program}: {kind}, {item.findtext('what') or item.findtext('xwhat/text')}")
                for frame in list(item.iter("frame"))[:12]:
                    print(f"    {frame.findtext('ip')} {frame.findtext('fn') or '?'} in {frame.findtext('obj')}")
    print(
        f"{isa}: {ran} programs, errors of the core {dict(ours)}, of Python and NumPy alone {dict(others)}", flush=True
    )
    return ours.total()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isa", nargs="+", default=["baseline", "avx2"])
    parser.add_argument("--worker", type=pathlib.Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker)
        return 0
    return 1 if sum([check(isa) for isa in args.isa]) else 0


if __name__ == "__main__":
    sys.exit(main())
