"""Functions give what TensorFlow 2.21 gives, where that is recorded."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "function_values.json").read_text())


@pytest.fixture(scope="module")
def here():
    command = [sys.executable, "-m", "hornbeam", "run", "--tf", "2", str(HERE / "function_values.py")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("kind", RECORDED)
def test_values_are_those_of_tensorflow(here, kind):
    for got, expected in zip(here[kind], RECORDED[kind], strict=True):
        assert got[0] == expected[0]
        assert got[1:] == pytest.approx(expected[1:], rel=1e-5, abs=2e-6)
