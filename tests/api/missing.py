"""Reads tf_keras2_missing.txt: what of tf.keras 2.15 is not here, by the reason."""

from pathlib import Path

LIST = Path(__file__).parent / "tf_keras2_missing.txt"


def reasons() -> dict[str, str]:
    """The reason for each name, and each argument as ``name(argument)``."""
    found, reason = {}, ""
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            found[line.strip()] = reason
        elif line and not line.startswith("#"):
            reason = line.removesuffix(":")
    return found
