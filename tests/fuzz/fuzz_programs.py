"""Random programs of ops and random models, each computed in every way there is: see README.md.

A case is ``program:SEED`` or ``model:SEED``; what is done in it follows from its name alone.
"""

from __future__ import annotations

import argparse
import ast
import collections
import faulthandler
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

CASES = 300  # for one process
CASE_SECONDS = 60  # of CPU; where nothing goes on, ten times as long
KINDS = ("program", "program", "program", "model")


def check(case: str) -> str:
    """What is wrong with a case: a line, and the smallest program that still shows it; empty if nothing is."""
    kind, seed = case.split(":")
    if kind == "program":
        from program_checks import check_program

        return check_program(int(seed))
    from model_checks import check_model

    return check_model(int(seed))


def worker(seed: int, count: int, report: pathlib.Path, kinds: tuple[str, ...]) -> None:
    """Check ``count`` cases. The one at work stands in ``report``, so that a crash can be told which it was."""
    faulthandler.register(signal.SIGPROF, chain=True)  # says where, then ends the process
    for number in range(count):
        case = f"{kinds[number % len(kinds)]}:{seed * 1_000_000 + number}"
        report.write_text(case)
        signal.setitimer(signal.ITIMER_PROF, CASE_SECONDS)
        faulthandler.dump_traceback_later(10 * CASE_SECONDS, exit=True)
        try:
            wrong = check(case)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{pathlib.Path(last.filename).name}:{last.lineno}"
            wrong = f"{type(error).__name__} at {where}: {str(error)[:300]}"
        if wrong:
            print(f"found {case} {wrong!r}", flush=True)
        print("ran", flush=True)
    signal.setitimer(signal.ITIMER_PROF, 0)
    faulthandler.cancel_dump_traceback_later()


def supervise(minutes: float, seed: int, kinds: tuple[str, ...], stop: bool) -> int:
    """Run workers until the time is over; print the first findings of each kind."""
    begin = time.monotonic()
    total, crashes, findings = 0, 0, collections.Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "case"
        while (left := begin + 60 * minutes - time.monotonic()) > 0 and not (stop and (findings or crashes)):
            seed += 1
            command = [sys.executable, __file__, "--worker", str(seed), str(CASES), str(report), "--kinds", *kinds]
            with open(pathlib.Path(folder) / "errors", "w+") as errors:
                process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True)
                over = threading.Timer(left, process.kill)
                over.start()
                assert process.stdout is not None
                for line in process.stdout:
                    if line == "ran\n":
                        total += 1
                        continue
                    case, wrong = line.removeprefix("found ").rstrip().split(" ", 1)
                    text = ast.literal_eval(wrong)
                    kind = text.split("\n")[0].split(" differs")[0]
                    findings[kind] += 1
                    if findings[kind] <= 3:
                        print(f"after {time.monotonic() - begin:.0f} s: --case {case}\n{text}", flush=True)
                    if stop:
                        process.kill()
                over.cancel()
                killed = time.monotonic() >= begin + 60 * minutes or (stop and findings)
                if process.wait() and not killed:
                    crashes += 1
                    errors.seek(0)
                    said = errors.read(1500)  # a sanitizer's report begins with what counts, as does faulthandler's
                    print(f"process ended with {process.returncode}: --case {report.read_text()}\n{said}", flush=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    minutes = (used.ru_utime + used.ru_stime) / 60
    print(f"{total} cases in {minutes:.1f} min of CPU, {sum(findings.values())} findings, {crashes} processes died")
    return 1 if findings or crashes else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", choices=["program", "model"], default=list(KINDS))
    parser.add_argument("--case", help="one case, as it was printed")
    parser.add_argument("--stop", action="store_true", help="end with the first finding")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        seed, count, report = args.worker
        worker(int(seed), int(count), pathlib.Path(report), tuple(args.kinds))
    elif args.case:
        found = check(args.case)
        print(found or "nothing is wrong")
        return 1 if found else 0
    else:
        return supervise(args.minutes, args.seed, tuple(args.kinds), args.stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
