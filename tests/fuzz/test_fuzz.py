"""Short runs of the fuzzers, in processes of their own: damaged files may crash the HDF5 library."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import numpy as np
from fuzz_hdf5 import digest

HERE = pathlib.Path(__file__).parent


def test_two_hundred_damaged_files(tmp_path):
    command = [sys.executable, HERE / "fuzz_loading.py", "--worker", "7", "200", tmp_path / "case"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "ran 200\n"), done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_three_hundred_damaged_structures_of_hdf5(tmp_path):
    command = [sys.executable, HERE / "fuzz_hdf5.py", "--cases", "300", "--seed", "7", "--keep", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "300 cases" in done.stdout, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_three_hundred_damaged_folders(tmp_path):
    command = [sys.executable, HERE / "fuzz_savedmodel.py", "--cases", "300", "--seed", "7", "--keep", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "300 cases" in done.stdout, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_bools_are_compared_by_what_they_mean():
    """h5py leaves a damaged byte of a bool as it is; here any but 0 is true."""
    odd = np.array([0, 6], "uint8").view(bool)
    assert digest(odd) == digest(np.array([False, True])) != digest(np.array([True, True]))
