"""Custom loops train as under TensorFlow: three steps of each, from the same weights and data."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RECORDED = json.loads((HERE / "three_steps.json").read_text())


@pytest.fixture(scope="module")
def here():
    command = [sys.executable, "-m", "hornbeam", "run", str(HERE / "three_steps.py")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("kind", RECORDED)
def test_losses_metrics_and_weights_are_those_of_tf_keras(here, kind):
    assert here[kind] == pytest.approx(RECORDED[kind], rel=1e-5, abs=1e-6)
