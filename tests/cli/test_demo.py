"""``hornbeam demo``."""

import h5py
import numpy as np
import pytest
from hornbeam.cli import demo, main

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")


def test_a_quarter_of_each_digit_is_for_the_test():
    digits = demo.load(0)
    assert digits.x_train.shape == (1347, 8, 8, 1) and digits.x_test.shape == (450, 8, 8, 1)
    assert digits.x_train.min() == 0 and digits.x_train.max() == 1
    shares = np.bincount(digits.y_test) / np.bincount(np.concatenate([digits.y_train, digits.y_test]))
    assert np.all(np.abs(shares - 0.25) < 0.01)


def test_demo(tmp_path, capfd):
    model, picture = tmp_path / "digits.h5", tmp_path / "digits.png"
    assert main(["demo", "--epochs", "2", "--model", str(model), "--picture", str(picture)]) == 0
    out = capfd.readouterr().out
    assert "the same numbers, bit for bit" in out
    assert "Test accuracy" in out and "One prediction for one image takes" in out
    with h5py.File(model) as file:
        assert "model_weights" in file
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_picture_shows_misread_digits(tmp_path):
    digits = demo.load(0)
    probabilities = np.full((450, 10), 0.01)
    probabilities[np.arange(450), digits.y_test] = 0.9
    probabilities[7] = np.roll(probabilities[7], 1)
    demo.draw(tmp_path / "a.png", digits, probabilities)
    assert (tmp_path / "a.png").stat().st_size > 10000
