"""Models train in scripts of TensorFlow 2 as under tf.keras: the same losses, metrics and weights."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "trained_models.json").read_text())


@pytest.fixture(scope="module")
def here():
    command = [sys.executable, "-m", "hornbeam", "run", "--tf", "2", str(HERE / "trained_models.py")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", RECORDED)
def test_what_training_gives(here, name):
    assert here[name] == pytest.approx(RECORDED[name], rel=1e-5, abs=1e-6)
