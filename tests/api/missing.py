"""Reads lists of what is not here of an interface, by the reason."""

from pathlib import Path

HERE = Path(__file__).parent


def reasons(interface: str) -> dict[str, str]:
    """The reason for each name of ``<interface>_missing.txt``, and for each argument as ``name(argument)``."""
    found, reason = {}, ""
    for line in (HERE / f"{interface}_missing.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            found[line.strip()] = reason
        elif line and not line.startswith("#"):
            reason = line.removesuffix(":")
    return found
