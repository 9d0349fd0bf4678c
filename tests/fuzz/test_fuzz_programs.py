"""A short run of the fuzzer of programs and models; what it found before is in the tests of the rooms."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from model_checks import check_model
from program_checks import check_program


@pytest.mark.parametrize("first", range(0, 100, 50))
def test_programs(first):
    for seed in range(first, first + 50):
        assert check_program(seed) == "", f"python tests/fuzz/fuzz_programs.py --case program:{seed}"


@pytest.mark.parametrize("first", range(0, 24, 12))
def test_models(first):
    for seed in range(first, first + 12):
        assert check_model(seed) == "", f"python tests/fuzz/fuzz_programs.py --case model:{seed}"
