"""A short run of the fuzzer, in a process of its own: damaged files may crash the HDF5 library."""

import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).parent / "fuzz_loading.py"


def test_two_hundred_damaged_files(tmp_path):
    command = [sys.executable, SCRIPT, "--worker", "7", "200", tmp_path / "case"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ran 200\n"), done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["case"]
