"""Timing several libraries beside one another: each in a process of its own, taking turns on the same cases.

A contest is a Python file that defines ``CASES``, tuples that begin with a name, and ``CONTESTANTS``, a dict from a
library's name to a function that takes a case and returns a function to be timed. Importing the library is that
function's business: a library that cannot be imported does not take part.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FLAGS = {
    "baseline": "-march=x86-64-v2 -DHB_VECTOR_BYTES=16",
    "avx2": "-march=x86-64-v3 -DHB_VECTOR_BYTES=32",
    "avx512": "-march=x86-64-v4 -mprefer-vector-width=512 -DHB_VECTOR_BYTES=64",
}


class Peak:
    """What the machine's multipliers can do at this moment, from a compiled loop (NaN without a compiler)."""

    def __init__(self, isa: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.binary = os.path.join(self.folder.name, "peak")
        flags = f"-std=c++17 -O3 -ffp-contract=off {FLAGS.get(isa, '-DHB_VECTOR_BYTES=16')} -DHB_ISA={isa}"
        command = [
            "c++",
            *flags.split(),
            f"-I{HERE.parent / 'csrc'}",
            str(HERE / "peak.cpp"),
            "-o",
            self.binary,
            "-pthread",
        ]
        try:
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError):
            self.binary = ""

    def gflops(self, threads: int) -> float:
        if not self.binary:
            return float("nan")
        return float(subprocess.run([self.binary, str(threads)], check=True, capture_output=True, text=True).stdout)


def _serve(contest: str, name: str) -> None:
    """Answer lines ``[case, seconds]`` with the times of as many calls as fit."""
    build: Callable[[Any], Callable[[], Any]] = runpy.run_path(contest)["CONTESTANTS"][name]
    ready: dict[str, Callable[[], Any]] = {}
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not mix with the answers
    for line in sys.stdin:
        case, budget = json.loads(line)
        key = json.dumps(case)
        try:
            if key not in ready:
                ready.clear()
                ready[key] = build(tuple(case))
            run = ready[key]
            run()
            times = []
            stop = time.perf_counter() + budget
            while not times or time.perf_counter() < stop:
                start = time.perf_counter()
                run()
                times.append(time.perf_counter() - start)
            print(json.dumps(times), file=answers, flush=True)
        except ImportError as missing:
            print(json.dumps(str(missing)), file=answers, flush=True)


class Contest:
    """The processes of one contest file."""

    def __init__(self, file: str, names: list[str], threads: int) -> None:
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
        env["HORNBEAM_NUM_THREADS"] = str(threads)
        command = [sys.executable, str(HERE / "contest.py"), file]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.workers = {n: subprocess.Popen([*command, n], env=env, **pipes) for n in names}

    def measure(self, case: tuple, budget: float = 0.15, rounds: int = 5) -> dict[str, list[float]]:
        """Seconds of every call, by library. They take turns, so that a busy moment hits all of them."""
        times: dict[str, list[float]] = {}
        for _ in range(rounds):
            for name, worker in list(self.workers.items()):
                print(json.dumps([case, budget]), file=worker.stdin, flush=True)
                line = worker.stdout.readline()
                if not line:
                    raise RuntimeError(f"{name} ended while it measured {case}")
                answer = json.loads(line)
                if isinstance(answer, str):
                    print(f"# {name} does not take part: {answer}", file=sys.stderr)
                    self.workers.pop(name).kill()
                    continue
                times.setdefault(name, []).extend(answer)
                time.sleep(0.02)  # its threads stop spinning
        return times

    def close(self) -> None:
        for worker in self.workers.values():
            worker.stdin.close()
            worker.wait()


def summary(times: list[float]) -> tuple[float, float]:
    """Median and minimum."""
    return statistics.median(times), min(times)


def options(contest: dict[str, Any]) -> argparse.Namespace:
    """The command line of a contest; ``names`` are the libraries that take part, Hornbeam first."""
    parser = argparse.ArgumentParser(description=contest["__doc__"].splitlines()[0])
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--isa", default="", help="baseline, avx2 or avx512; the best by default")
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--peers", default=",".join(name for name in contest["CONTESTANTS"] if name != "hornbeam"))
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    if chosen.isa:
        os.environ["HORNBEAM_ISA"] = chosen.isa
    chosen.names = ["hornbeam", *(name for name in chosen.peers.split(",") if name)]
    return chosen


def _compare(contest: dict[str, Any], chosen: argparse.Namespace, figures: Callable[[tuple, float], str]) -> None:
    """Measure and print every case; ``figures`` says of a case and its fastest seconds what they come to."""
    workers = Contest(contest["__file__"], chosen.names, chosen.threads)
    for case in contest["CASES"]:
        if chosen.only not in case[0]:
            continue
        cells, best = [], {}
        for name, seconds in workers.measure(case, rounds=chosen.rounds).items():
            median, best[name] = summary(seconds)
            cells.append(f"{name} {best[name] * 1e6:9.1f} [{median * 1e6:9.1f}] {figures(case, best[name])}")
        peers = [seconds for name, seconds in best.items() if name != "hornbeam"]
        ratio = f" | {min(peers) / best['hornbeam']:5.2f}x the best peer" if peers else ""
        print(f"{case[0]:34} | " + " | ".join(cells) + ratio, flush=True)
    workers.close()


def compare_bandwidth(contest: dict[str, Any], moved: Callable[[tuple], float]) -> None:
    """Print a contest whose cases are bound by memory; ``moved`` counts a case's bytes.

    Args:
        contest: the ``globals()`` of a file with ``CONTESTANTS`` and ``CASES``, tuples that begin with a name.
    """
    chosen = options(contest)
    print(f"{chosen.threads} threads; us of the fastest call [median], GB/s of the fastest")
    _compare(contest, chosen, lambda case, seconds: f"{moved(case) / seconds / 1e9:6.1f}")


def compare_arithmetic(contest: dict[str, Any], operations: Callable[[tuple], float]) -> None:
    """Print a contest whose cases are bound by the multipliers; ``operations`` counts a case's.

    Args:
        contest: the ``globals()`` of a file with ``CONTESTANTS`` and ``CASES``, tuples that begin with a name.
    """
    chosen = options(contest)
    from hornbeam import _core

    peak = Peak(_core.isa())
    limits: dict[tuple, float] = {}  # measured amid the cases: a busy machine has a lower peak

    def figures(case: tuple, seconds: float) -> str:
        if case not in limits:
            limits[case] = peak.gflops(chosen.threads)
        rate = operations(case) / seconds / 1e9
        return f"{rate:6.1f} {rate / limits[case]:4.0%}"

    print(f"{_core.isa()}, {chosen.threads} threads; us of the fastest call [median], GFLOP/s, share of the peak")
    _compare(contest, chosen, figures)


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2])
