"""Batches equal those of Keras_Preprocessing 1.1.2 for the same seeds, over a grid of options."""

import json

import numpy as np
import pytest
from batch_facts import FILE, OPTIONS, facts
from hornbeam.preprocessing import image

RECORDED = json.loads(FILE.read_text())


@pytest.fixture(scope="module")
def found():
    return facts(image)


def test_the_grid_is_recorded():
    assert {name.rsplit(", ", 1)[0] for name in RECORDED} == set(OPTIONS)


@pytest.mark.parametrize("name", RECORDED)
def test_batches(found, name):
    assert len(found[name]) == len(RECORDED[name])
    for got, expected in zip(found[name], RECORDED[name]):
        # Four decimals are recorded; splines may round otherwise in another SciPy.
        np.testing.assert_allclose(got, expected, rtol=1e-5, atol=2e-4)
