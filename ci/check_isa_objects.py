#!/usr/bin/env python3
"""Fail if a kernel object could lend code to other instruction sets, or runs code when it is loaded.

Kernel files are compiled with wide instruction flags. A weak (COMDAT) symbol in one of them may be the copy that the
linker keeps for everybody, and crash an older CPU. So they may define no weak symbol, no global symbol outside
their own namespace, and no constructor.
"""

import pathlib
import re
import subprocess
import sys


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    problems, seen = [], 0
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("hornbeam_*.dir/**/cpu/*.o")):
        isa = re.search(r"hornbeam_(\w+)\.dir", str(path)).group(1)
        seen += 1
        for line in run("nm", "--defined-only", str(path)).splitlines():
            kind, name = line.split()[-2:]
            if kind in "WVwvu" or (kind.isupper() and f"{len(isa)}{isa}" not in name):
                problems.append(f"{path.name} [{isa}]: symbol {name} of type {kind}")
        if ".init_array" in run("readelf", "-SW", str(path)):
            problems.append(f"{path.name} [{isa}] runs code when loaded")
    print("\n".join(problems) or f"{seen} kernel objects keep to themselves")
    sys.exit(bool(problems) or not seen)


if __name__ == "__main__":
    main()
