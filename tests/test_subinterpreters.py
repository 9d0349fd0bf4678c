"""Subinterpreters, which servers use: importing Hornbeam there is an error at once, and harms nobody else."""

import importlib.util
import subprocess
import sys

import pytest

# What Python calls its module of interpreters, by version: 3.14's public one first.
CREATE = {
    "concurrent.interpreters": """
from concurrent import interpreters
one = interpreters.create()
run = one.exec
""",
    "_interpreters": """
import _interpreters as interpreters
one = interpreters.create()
def run(code):
    failed = interpreters.exec(one, code)
    if failed is not None:
        raise RuntimeError(f"{failed.type.__name__}: {failed.msg}")
""",
    "_xxsubinterpreters": """
import _xxsubinterpreters as interpreters
one = interpreters.create()
def run(code):
    failed = interpreters.run_string(one, code)
    assert failed is None, failed
""",
}


def available(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


MODULE = next((name for name in CREATE if available(name)), None)

SCRIPT = """
def refused(code):
    try:
        run(code)
    except Exception as error:
        assert "ImportError" in repr(error) + str(error), repr(error)
        assert "main interpreter" in str(error) and "mod_wsgi" in str(error), str(error)
    else:
        raise AssertionError(code + " was not refused")

def in_main():
    import numpy as np
    import hornbeam as keras
    model = keras.models.Sequential([keras.layers.Dense(2, input_shape=(3,))])
    assert model.predict(np.ones((4, 3))).shape == (4, 2)
"""


@pytest.mark.skipif(MODULE is None, reason="this Python has no module to make subinterpreters with")
@pytest.mark.parametrize("main_first", [False, True])
@pytest.mark.parametrize(
    "code", ["import hornbeam._core", "import hornbeam; hornbeam.Input", "from hornbeam import backend"]
)
def test_import_is_refused_at_once(code, main_first):
    steps = f"refused({code!r}); refused({code!r}); in_main(); refused({code!r})"
    script = CREATE[MODULE] + SCRIPT + ("in_main()\n" if main_first else "") + steps
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
