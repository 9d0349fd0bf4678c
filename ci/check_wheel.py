#!/usr/bin/env python3
"""Fail if the wheel is too large, needs more than NumPy and h5py, or carries what does not belong in it."""

import sys
import zipfile

MAX_BYTES = 10 * 1000 * 1000
ALLOWED = (".py", ".pyi", ".so", ".typed", ".json")


def main() -> None:
    path = sys.argv[1]
    problems = []
    with zipfile.ZipFile(path) as wheel:
        names = wheel.namelist()
        size = sum(info.compress_size for info in wheel.infolist())
        metadata = next(n for n in names if n.endswith(".dist-info/METADATA"))
        text = wheel.read(metadata).decode()
    if size > MAX_BYTES:
        problems.append(f"the wheel has {size} bytes, more than {MAX_BYTES}")
    needs = [line for line in text.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    names_needed = sorted(line.split()[1].split(">")[0].split("=")[0] for line in needs)
    if names_needed != ["h5py", "numpy"]:
        problems.append(f"the wheel requires {names_needed}")
    problems += [f"unexpected file {n}" for n in names if ".dist-info/" not in n and not n.endswith(ALLOWED)]
    if not any(n.startswith("hornbeam/_core.") for n in names):
        problems.append("the compiled core is missing")
    summary = f"{path.rsplit('/', 1)[-1]}: {size / 1e6:.2f} MB, {len(names)} files, requires {names_needed}"
    print("\n".join(problems) or summary)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
