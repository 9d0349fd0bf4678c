"""TensorFlow 2's names that Keras scripts use: which are here, and why others are not."""

import subprocess
import sys
from pathlib import Path

from .missing import reasons

LIST = Path(__file__).parent / "tensorflow2.txt"
SCRIPT = """
import sys
import tensorflow as tf
for name in sys.argv[1:]:
    thing = tf
    try:
        for part in name.split("."):
            thing = getattr(thing, part)
    except (AttributeError, ImportError):
        print(name)
"""


def listed() -> list[str]:
    return LIST.read_text(encoding="utf-8").splitlines()[1:]


def test_what_is_missing_has_a_reason(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "hornbeam", "run", "--tf", "2", str(script), *listed()]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    missing = run.stdout.split()
    assert [name for name in missing if name not in reasons("tensorflow2")] == []
    assert len(missing) < len(listed()) / 3


def test_reasons_are_for_names_of_the_list():
    assert set(reasons("tensorflow2")) <= set(listed())
