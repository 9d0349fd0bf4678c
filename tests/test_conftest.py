"""What tests/conftest.py promises to every test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.fixture
def pytest_run(tmp_path):
    """A function that runs a file of tests with our conftest.py, from a checkout whose `python` folder is not installed."""
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "not_installed.py").write_text("value = 3")
    path = os.pathsep.join(["python", str(TESTS), *filter(None, sys.path)])

    def run(source, *arguments):
        (tmp_path / "test_here.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "conftest", "-p", "no:cacheprovider", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_processes_in_another_folder_import_the_checkout(pytest_run):
    pytest_run(
        "import subprocess, sys\n"
        "def test_import(tmp_path):\n"
        "    subprocess.run([sys.executable, '-c', 'import not_installed'], cwd=tmp_path, check=True)\n"
    )


DRAWS = """
import random
import numpy as np
import pytest

@pytest.mark.parametrize("name", "abcdefgh")
def test_draw(rng, name):
    print(f"<{name} {rng.randint(1 << 30)} {np.random.randint(1 << 30)} {random.random()}>")
"""


def draws(output):
    return [piece.split(">")[0] for piece in output.split("<")[1:]]


def test_data_depend_on_the_test_alone_in_any_order(pytest_run):
    together, alone = draws(pytest_run(DRAWS)), draws(pytest_run(DRAWS, "test_here.py::test_draw[e]"))
    assert len({line.split(" ", 1)[1] for line in together}) == 8
    assert alone == [together[4]]
    shuffled, again = (draws(pytest_run(DRAWS, "--order-seed", "1")) for _ in range(2))
    assert shuffled == again != together and sorted(shuffled) == together


def test_what_is_registered_ends_with_the_test(pytest_run):
    pytest_run(
        "import hornbeam\n"
        "import pytest\n"
        "@pytest.mark.parametrize('turn', [1, 2])\n"
        "def test_registered(turn):\n"
        "    assert not hornbeam.utils.get_custom_objects()\n"
        "    hornbeam.utils.register_keras_serializable()(lambda: None)\n"
        "    assert hornbeam.utils.get_custom_objects()\n"
    )
