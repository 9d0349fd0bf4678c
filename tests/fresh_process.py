"""Code in a process of its own."""

import os
import subprocess
import sys
import textwrap


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess:
    """Run code, indented or not, with those of Hornbeam's environment variables that are named here and no others."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("HORNBEAM_")}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env={**env, **environment}, capture_output=True, text=True
    )
