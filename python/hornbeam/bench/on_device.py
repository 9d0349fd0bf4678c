"""``hornbeam bench --device NAME``: ops with their share of the device's peaks, then models beside PyTorch.

Each result is a line of JSON, for scripts; with ``--json FILE`` all of them are in a file, too.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from .case import Array, Case, array, case, weight
from .measure import Peaks, Subject, Timing, peaks, repeat


def bench(args: argparse.Namespace) -> int:
    """Measure what ``args.filter`` names; the exit status."""
    import hornbeam
    from hornbeam import _core

    from .device_models import MODELS
    from .device_programs import PROGRAMS

    os.environ.setdefault("HORNBEAM_NVRTC", "wait")  # measures compiled formulas, not the time until there are some
    names = [c.name for c in device_cases(args.tiny)] + [*PROGRAMS, *MODELS]
    wanted = {n for n in names if not args.filter or any(word in n for word in args.filter)}
    if args.list:
        print("\n".join(n for n in names if n in wanted))
        return 0
    if not wanted:
        print("hornbeam bench: no name holds any of these words; see --list", file=sys.stderr)
        return 1
    if args.device not in dict(_core.devices()):
        print(f"hornbeam bench: there is no device {args.device!r}; see `hornbeam info`", file=sys.stderr)
        return 1
    rows = []
    with hornbeam.device(args.device):
        for row in measured(args, wanted):
            rows.append(row)
            print(json.dumps(row), flush=True)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(rows, file, indent=1)
    return 0 if all(row.get("ok", True) for row in rows) else 1


def measured(args: argparse.Namespace, wanted: set[str]) -> Iterator[dict[str, Any]]:
    """The rows, as they come: peaks, the time of a run that does nothing, ops, models."""
    from .device_models import MODELS, measure_model
    from .device_programs import PROGRAMS

    peak = peaks(args.time, args.tiny)
    yield {"bench": "peak", "device": args.device, "gflops": giga(peak.flops), "copy_gbs": giga(peak.bytes)}
    nothing = case("neg", array(1), note="a run of nothing")
    yield {"bench": "launch", "us": micro(repeat(Subject(nothing).run, args.time))}
    for one in device_cases(args.tiny):
        if one.name in wanted:
            yield attempt(one.name, partial(measure_op, one, peak, args.time))
    for name in PROGRAMS:
        if name in wanted:
            yield attempt(name, partial(measure_program, name, peak, args))
    for name in MODELS:
        if name in wanted:
            yield attempt(name, partial(measure_model, name, args))


def attempt(name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A row; where it fails, one that says so, since the others are to be measured."""
    try:
        return {"bench": name, **measure()}
    except Exception as error:
        return {"bench": name, "ok": False, "error": f"{type(error).__name__}: {error}"[:300]}


def measure_op(one: Case, peak: Peaks, budget: float) -> dict[str, Any]:
    subject = Subject(one)
    timing = repeat(subject.run, budget)
    if one.flops is not None:
        return {"us": micro(timing), "gflops": giga(one.flops / timing.median), **share(one.flops, timing, peak.flops)}
    nbytes = subject.nbytes(one)
    return {"us": micro(timing), "gbs": giga(nbytes / timing.median), **share(nbytes, timing, peak.bytes)}


def measure_program(name: str, peak: Peaks, args: argparse.Namespace) -> dict[str, Any]:
    from .device_programs import PROGRAMS

    build, large, small = PROGRAMS[name]
    function, nbytes = build(small if args.tiny else large)

    def run() -> float:
        function([])
        return function.program().bind([]).last_nanoseconds * 1e-9

    timing = repeat(run, args.time)
    return {"us": micro(timing), "gbs": giga(nbytes / timing.median), **share(nbytes, timing, peak.bytes)}


def share(work: float, timing: Timing, peak: float) -> dict[str, float]:
    return {"of_peak": round(work / timing.median / peak, 3)}


def micro(timing: Timing) -> float:
    return round(timing.median * 1e6, 2)


def giga(rate: float) -> float:
    return float(f"{rate / 1e9:.4g}")


def device_cases(tiny: bool = False) -> list[Case]:
    """What networks spend a GPU's time with, an op of each kind, large enough that its launch does not count."""

    def n(large: int, small: int) -> int:
        return small if tiny else large

    long, batch, size, channels = n(64 << 20, 1 << 10), n(32, 2), n(56, 6), n(64, 4)
    m, features, units, steps = n(4096, 16), n(1024, 16), n(128, 8), n(100, 3)
    image = array(batch, size, size, channels)
    kernel = weight(3, 3, channels, channels)
    conv: dict[str, Any] = {"strides": [1, 1], "padding": "same"}
    conv_flops = 2 * batch * size * size * 9 * channels * channels
    recurrent_flops = 2 * batch * steps * units * 4 * units
    shape = np.array([long], "int64")
    return [
        case("add", array(long), array(long)),
        case("tanh", array(long)),
        case("exp", array(long)),
        case("cast", array(long), dtype="float16"),
        case("transpose", array(m, m), perm=[1, 0]),
        case("concat", image, image, axis=-1),
        case("gather", weight(n(100_000, 50), units), Array((n(1 << 20, 40),), "int32", n(100_000, 50))),
        case("reduce_sum", array(long), axes=[0], note="all"),
        case("reduce_sum", array(m, m), axes=[1], note="rows"),
        case("reduce_sum", array(m, m), axes=[0], note="columns"),
        case("softmax", array(m * n(4, 1), features)),
        case("batch_norm", image, weight(channels), weight(channels), epsilon=1e-3),
        case("max_pool2d", image, size=[2, 2], strides=[2, 2], padding="valid"),
        case("random_normal", shape, mean=0.0, stddev=1.0, seed=1, note=str(long)),
        case("matmul", array(m, m), weight(m, m), flops=2 * m**3),
        case("matmul", array(1, features), weight(features, features), flops=2 * features**2),
        case("conv2d", image, kernel, flops=conv_flops, **conv),
        case("conv2d_input_grad", image, kernel, ints(*image.shape), flops=conv_flops, **conv),
        case("conv2d_filter_grad", image, image, kernel=[3, 3], flops=conv_flops, **conv),
        case(
            "lstm",
            *(array(batch, steps, 4 * units), None, None, weight(units, 4 * units), None, None),
            flops=recurrent_flops,
            keep=1,
        ),
    ]


def ints(*values: int) -> np.ndarray:
    return np.array(values, "int64")
