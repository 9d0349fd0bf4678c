"""Loads damaged model files: see README.md. Nothing but ValueError and OSError may come of it, within time and memory."""

from __future__ import annotations

import argparse
import collections
import io
import json
import os
import pathlib
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from limits import TooLong, address_space
from mutations import Choices, damage_bytes, damage_hdf5, damage_tree, damage_yaml, damage_zip

CASES = 2000  # for one process
CASE_SECONDS = 20
MEMORY_GROWTH = 1 << 30  # of the resident set, above what the process has after its first hundred cases
ADDRESS_SPACE = 24 << 30  # the last line: what the process takes beyond this is refused by the system
FILES = pathlib.Path(__file__).parent.parent / "golden" / "files"
ALLOWED = (ValueError, OSError)


def load_corpus() -> dict[str, list[bytes]]:
    """The golden files, by what they are."""
    corpus: dict[str, list[bytes]] = collections.defaultdict(list)
    for path in sorted(FILES.iterdir()):
        if path.suffix in (".h5", ".keras", ".json", ".yaml") and path.stat().st_size < 200_000:
            corpus[path.suffix].append(path.read_bytes())
    return corpus


def run_case(data: bytes, corpus: dict[str, list[bytes]]) -> None:
    """One damaged file, made and loaded. Raises what the loader raises, unless that is allowed."""
    from hornbeam import backend as K

    choices = Choices(data)
    try:
        load, damaged = damage(choices, corpus)
    except (ValueError, RuntimeError, LookupError, OSError):
        return  # the damage done before leaves nothing to damage in this way
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load(damaged)
    except ALLOWED:
        pass
    finally:
        K.clear_session()


def damage(choices: Any, corpus: dict[str, Any]) -> tuple[Any, Any]:
    """A loader, and something damaged to load."""
    import yaml
    from hornbeam.models import load_model, model_from_json, model_from_yaml

    kind = choices.pick(("hdf5", "hdf5", "weights", "bytes", "json", "json", "yaml", "zip", "zip bytes"))
    look_only = choices.number(8) == 0
    original = choices.pick(
        corpus[{"json": ".json", "yaml": ".yaml", "zip": ".keras", "zip bytes": ".keras"}.get(kind, ".h5")]
    )
    if kind == "json":
        tree = choices.pick([json.loads(original), *corpus["trees"]])
        damaged: Any = json.dumps(damage_tree(tree, choices))
        if choices.number(4) == 0:
            damaged = damage_bytes(damaged.encode(), choices).decode("utf-8", "replace")
        load = model_from_json
    elif kind == "yaml":
        damaged = damage_bytes(original, choices).decode("utf-8", "replace")
        if choices.number(2):
            damaged = yaml.dump(damage_tree(choices.pick(corpus["trees"]), choices))
        if choices.number(2):
            damaged = damage_yaml(damaged, choices)
        load = model_from_yaml
    elif kind == "weights":
        damaged, load = io.BytesIO(damage_hdf5(original, choices)), corpus["models"][0].load_weights
    else:
        do = {"hdf5": damage_hdf5, "zip": damage_zip}.get(kind, damage_bytes)
        damaged, load = io.BytesIO(do(original, choices)), load_model
    if look_only and not isinstance(damaged, str):
        load = look
    return load, damaged


def look(damaged: io.BytesIO) -> None:
    """What ``hornbeam inspect`` does, which takes a path."""
    from hornbeam.saving.inspecting import inspect_file

    with tempfile.NamedTemporaryFile() as file:
        file.write(damaged.getvalue())
        file.flush()
        inspect_file(file.name)


def prepare() -> dict[str, Any]:
    """Corpus, the descriptions in it as trees, and a model to load weights into. Imports are paid here."""
    import h5py
    import hornbeam as keras

    sys.setrecursionlimit(1000)
    corpus: dict[str, Any] = dict(load_corpus())
    corpus["trees"] = []
    for data in corpus[".h5"]:
        with h5py.File(io.BytesIO(data), "r") as file:
            if "model_config" in file.attrs:
                corpus["trees"].append(json.loads(file.attrs["model_config"]))
    corpus["models"] = [keras.models.load_model(FILES / "train_mlp_adam.h5", compile=False)]
    return corpus


def worker(seed: int, count: int, report: pathlib.Path) -> None:
    """Run ``count`` cases. The one at work stands in ``report``, so that a crash can be told which it was."""

    def too_long(*_: Any) -> None:
        raise TooLong

    resource.setrlimit(resource.RLIMIT_AS, (address_space() + ADDRESS_SPACE,) * 2)
    signal.signal(signal.SIGALRM, too_long)
    signal.signal(signal.SIGPROF, too_long)
    corpus = prepare()
    rng = random.Random(seed)
    before = None
    for number in range(count):
        data = rng.randbytes(96)
        report.write_text(data.hex())
        signal.setitimer(signal.ITIMER_PROF, CASE_SECONDS)  # of this process: in the background it waits for others
        signal.alarm(10 * CASE_SECONDS)
        try:
            run_case(data, corpus)
        except TooLong:
            found("took too long", data)
        except BaseException as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            found(
                f"{type(error).__name__} at {pathlib.Path(last.filename).name}:{last.lineno}: {str(error)[:150]}", data
            )
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        if number == 100:
            before = used
        elif before is not None and used > before + MEMORY_GROWTH:
            found(f"memory grew by {(used - before) >> 20} MiB", data)
            before = used
    print(f"ran {count}", flush=True)


def found(what: str, data: bytes) -> None:
    print(f"found {what}\t{data.hex()}", flush=True)


def supervise(minutes: float, seed: int) -> int:
    """Run workers until the time is over; print each kind of finding once, with a case that shows it."""
    end, total, crashes = time.monotonic() + 60 * minutes, 0, 0
    findings: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "case"
        while time.monotonic() < end:
            seed += 1
            command = [sys.executable, __file__, "--worker", str(seed), str(CASES), str(report)]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            for line in done.stdout.splitlines():
                if line.startswith("found "):
                    what, case = line[6:].rsplit("\t", 1)
                    if findings.setdefault(what, case) == case:
                        print(f"{what}\n    --case {case}", flush=True)
                elif line.startswith("ran "):
                    total += int(line[4:])
            if done.returncode:
                crashes += 1
                case = report.read_text() if report.exists() else ""
                print(f"process ended with {done.returncode}: {done.stderr[-300:]}\n    --case {case}", flush=True)
            if os.listdir(folder) not in ([], ["case"]):
                print(f"files were made: {os.listdir(folder)}")
                return 1
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = (used.ru_utime + used.ru_stime) / 60
    print(f"{total} cases in {spent:.1f} min of CPU, {len(findings)} findings, {crashes} processes died")
    return 1 if findings or crashes else 0


def with_atheris(minutes: float) -> None:
    """Let libFuzzer choose the bytes, steered by the coverage of Hornbeam's Python code."""
    import atheris

    with atheris.instrument_imports(include=["hornbeam"]):
        corpus = prepare()
    arguments = [sys.argv[0], f"-max_total_time={int(60 * minutes)}", f"-timeout={CASE_SECONDS}", "-rss_limit_mb=3000",
                 "-max_len=128", "-print_final_stats=1"]  # fmt: skip
    atheris.Setup(arguments, lambda data: run_case(data, corpus))
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--driver", choices=["random", "atheris"], default="random")
    parser.add_argument("--case", help="bytes of one case, in hexadecimal")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        seed, count, report = args.worker
        worker(int(seed), int(count), pathlib.Path(report))
    elif args.case:
        run_case(bytes.fromhex(args.case), prepare())
    elif args.driver == "atheris":
        with_atheris(args.minutes)
    else:
        return supervise(args.minutes, args.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
