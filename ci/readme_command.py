#!/usr/bin/env python3
"""Print the shell command that the README gives under a heading: ``readme_command.py test``.

CI runs what a reader would type; this is how the two stay the same.
"""

import pathlib
import re
import sys

MARKERS = {"demo": "hornbeam demo", "test": "pytest"}


def main() -> None:
    marker = MARKERS[sys.argv[1]]
    readme = (pathlib.Path(__file__).parent.parent / "README.md").read_text()
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", readme, flags=re.S):
        for line in block.splitlines():
            if line.startswith("pip install") and line.rstrip().endswith(marker):
                print(line)
                return
    sys.exit(f"README.md has no command that ends in '{marker}'")


if __name__ == "__main__":
    main()
