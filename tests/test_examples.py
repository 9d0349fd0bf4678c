"""Each script in examples/ runs unchanged under ``hornbeam run``, learns, and says so in its last lines."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")  # whose digits are the data

EXAMPLES = Path(__file__).parent.parent / "examples"

#: The last lines of each script; a number is the least that must stand there.
LAST_LINES = {
    "addition_rnn": {"Letters right": 0.9},
    "attention": {"Test accuracy": 0.75, "Attention on the largest": 0.75},
    "ctc_reader": {"Lines read without a mistake": 0.65},
    "custom_layer": {"Test accuracy": 0.97, "A copy made from JSON predicts the same": True},
    "functional_two_inputs": {"Test accuracy of same": 0.85, "Test accuracy of digit": 0.85},
    "grid_search": {"Best number of units": 64, "Test accuracy": 0.93},
    "image_augmentation": {"Test accuracy": 0.85, "In the order of the files": True},
    "gan": {"Judge's mean certainty": 0.8, "Different digits drawn": 9},
    "lstm_sequence": {"Test accuracy": 0.95, "More padding predicts the same": True},
    "lstm_text_generation": {"Loss fell by": 2.0},
    "mnist_cnn": {"Test accuracy": 0.88},
    "mnist_mlp": {"Test accuracy": 0.88},
    "save_and_resume": {"Accuracy": 0.88, "As if never interrupted": True},
    "seq2seq": {"Dates written without a fault": 0.9},
    "subclassed_model": {
        "Test accuracy": 0.88,
        "Drawing improves on grey": True,
        "A twin with the weights predicts the same": True,
    },
    "transfer_learning": {
        "Frozen layers stayed": True,
        "Thawed layer learned": True,
        "Accuracy with a new end": 0.83,
        "Accuracy after tuning": 0.83,
    },
    "tf2_contrastive": {
        "Views matched": 0.55,
        "Accuracy of a linear probe": 0.75,
        "Gained over an untrained encoder": 0.08,
    },
    "tf2_distillation": {
        "Accuracy of the teacher": 0.92,
        "Accuracy of the student": 0.86,
        "The teacher stayed": True,
    },
    "tf2_dqn": {"Steps saved": 20},
    "tf2_gan": {"Closer to digits than their shuffled pixels are": 1.02, "Drawings differ by": 0.6},
    "tf2_neural_style": {
        "Texture nearer by a factor of": 2,
        "Shapes kept better than by grey": True,
        "Pixels in range": True,
    },
    "tf2_train_step": {"Test accuracy": 0.88, "Mean share of the other image": 0.12, "Prediction agrees": True},
    "tf2_training_loop": {"Validation accuracy": 0.93, "Steps taken": 492},
    "tf2_vae": {"Loss fell by": 8, "Divergence": 1, "Digits told apart by two numbers": 0.5},
    "tf2_wgan_gp": {"Slope of the critic": 0.8, "Closer to digits than their shuffled pixels are": 1.1},
    "two_towers": {"Explained variance": 0.9, "First user likes the upper half better": True},
    "siamese": {"Test accuracy": 0.88},
    "text_conv1d": {"Test accuracy": 0.9},
    "text_lstm": {"Test accuracy": 0.8},
    "variational_autoencoder": {"Loss fell by": 10, "Digits told apart by two numbers": 0.45},
    "wgan_gp": {"Slope of the critic": 0.8, "Closer to digits than their shuffled pixels are": 1.1},
}


def test_every_example_is_tested():
    assert sorted(path.stem for path in EXAMPLES.glob("*.py")) == sorted(LAST_LINES)


@pytest.mark.parametrize("name", LAST_LINES)
def test_example(name, tmp_path):
    script = EXAMPLES / f"{name}.py"
    generation = {"HORNBEAM_TF": "2"} if name.startswith("tf2_") else {}
    result = subprocess.run(
        [sys.executable, "-m", "hornbeam", "run", str(script)], capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | generation,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    said = dict(re.findall(r"^(\w[\w' ]*): (\S+)$", result.stdout, re.MULTILINE))
    for line, expected in LAST_LINES[name].items():
        if expected is True:
            assert said[line] == "True"
        else:
            assert float(said[line]) >= expected
    assert not list(tmp_path.iterdir())  # nothing is left behind
