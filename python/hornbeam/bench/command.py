"""Measures ops through the real engine: time, GFLOP/s or GB/s, and the share of what this machine can do.

The peaks are measured first, with the same threads and instruction set: multiply-adds in registers, and a large copy
(bytes read plus written). Times are of the compiled plan, hot, the fastest of many runs; small tensors stay in cache and
may pass the copy peak. With --vs torch, the same case runs there right after.

With --device, ops run on tensors that lie there, of sizes that fill a GPU, and then small models; a time is from the call
to its end. Models run in PyTorch, too, where it is installed and has the GPU: eagerly, and as a CUDA graph.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from .case import Case


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("filter", nargs="*", help="only cases whose name holds one of these words")
    parser.add_argument("--vs", choices=["torch"], help="measure this library beside, where it has the op")
    parser.add_argument("--time", type=float, default=0.2, help="seconds per case and library (default 0.2)")
    parser.add_argument("--threads", type=int, help="number of threads")
    parser.add_argument("--isa", help="instruction set, one of those that `hornbeam info` names")
    parser.add_argument("--device", metavar="NAME", help="measure on a device, one of those that `hornbeam info` names")
    parser.add_argument("--tiny", action="store_true", help="with --device: sizes that a simulated GPU runs in seconds")
    parser.add_argument("--list", action="store_true", help="only list the cases")
    parser.add_argument("--json", metavar="FILE", help="also write the results to a file")


def main(args: argparse.Namespace) -> int:
    from hornbeam import _core

    from .cases import all_cases
    from .measure import peaks

    if args.device:
        from .on_device import bench

        return bench(args)
    cases = [c for c in all_cases() if not args.filter or any(word in c.name for word in args.filter)]
    if args.list:
        print("\n".join(c.name for c in cases))
        return 0
    if not cases:
        print("hornbeam bench: no case's name holds any of these words; see --list", file=sys.stderr)
        return 1
    if args.threads:
        _core.set_num_threads(args.threads)
    if args.isa:
        _core.set_isa(args.isa)
    peer = None
    if args.vs:
        try:
            from .vs_torch import Torch

            peer = Torch()
        except ImportError as error:
            print(f"hornbeam bench: {error}; measuring without it", file=sys.stderr)

    peak = peaks()
    print(
        f"{_core.isa()}, {_core.num_threads()} threads: {peak.flops / 1e9:.0f} GFLOP/s, copy {peak.bytes / 1e9:.1f} GB/s"
    )
    width = max(len(c.name) for c in cases)
    header = f"{'':<{width}} {'µs':>10} {'median':>8} {'rate':>14} {'of peak':>8}"
    print(header + (f" {peer.name + ' µs':>10} {'ratio':>6}" if peer else ""))
    rows = []
    for case in cases:
        row = measure(case, peak, peer, args.time)
        rows.append(row)
        print(line(row, width), flush=True)
    if args.json:
        with open(args.json, "w") as file:
            machine = {"isa": _core.isa(), "threads": _core.num_threads(), "flops": peak.flops, "bytes": peak.bytes}
            json.dump({"machine": machine, "cases": rows}, file, indent=1)
    return 0


def measure(case: Case, peak: Any, peer: Any, budget: float) -> dict[str, Any]:
    """One case's results; ``rate`` is in flop/s or byte/s."""
    from .measure import Subject, repeat

    subject = Subject(case)
    timing = repeat(subject.run, budget)
    work = case.flops if case.flops is not None else subject.nbytes(case)
    rate = work / timing.best
    row = {
        "name": case.name,
        "seconds": timing.best,
        "median": timing.median,
        "unit": "GFLOP/s" if case.flops is not None else "GB/s",
        "rate": rate,
        "of_peak": rate / (peak.flops if case.flops is not None else peak.bytes),
    }
    other = peer.time(case, budget) if peer else None
    if other:
        row["peer"], row["peer_seconds"] = peer.name, other.best
        row["ratio"] = other.best / timing.best
    return row


def line(row: dict[str, Any], width: int) -> str:
    """One line of the table. A ratio above 1 says that Hornbeam is that much faster."""
    text = (
        f"{row['name']:<{width}} {row['seconds'] * 1e6:>10.1f} {row['median'] * 1e6:>8.0f} "
        f"{row['rate'] / 1e9:>6.1f} {row['unit']:<7} {row['of_peak']:>8.0%}"
    )
    if "ratio" in row:
        text += f" {row['peer_seconds'] * 1e6:>10.1f} {row['ratio']:>6.2f}"
    return text
