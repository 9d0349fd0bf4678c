"""``image_dataset_from_directory`` and its like, and windows of series."""

import subprocess
import sys

import numpy as np
import pytest
from hornbeam import preprocessing, utils
from hornbeam.tf import NAMES as tf

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def pictures(tmp_path):
    """Three pictures of cats and two of dogs, of several sizes: of one grey each, by which they are told apart."""
    image = pytest.importorskip("PIL.Image")
    for i, name in enumerate(["cats/a.png", "cats/b.png", "cats/deep/c.png", "dogs/a.png", "dogs/b.bmp"]):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.fromarray(np.full((6 + i, 8, 3), 40 * i, "uint8")).save(path)
    (tmp_path / "dogs" / "notes.txt").write_text("not a picture")
    return tmp_path


def elements(data):
    batches = list(data.as_numpy_iterator())
    if isinstance(batches[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*batches))
    return np.concatenate(batches)


def test_pictures_in_folders(pictures, capsys):
    data = utils.image_dataset_from_directory(pictures, image_size=(4, 5), batch_size=2, shuffle=False)
    assert capsys.readouterr().out == "Found 5 files belonging to 2 classes.\n"
    x, y = elements(data)
    assert x.shape == (5, 4, 5, 3) and x.dtype == np.float32 and y.tolist() == [0, 0, 0, 1, 1] and y.dtype == np.int32
    np.testing.assert_allclose(x[:, 0, 0, 0], [0, 40, 80, 120, 160], atol=1e-3)
    assert data.class_names == ["cats", "dogs"] and len(data.file_paths) == 5 and len(data) == 3
    assert data.element_spec[0] == tf["TensorSpec"]((None, 4, 5, 3))
    assert preprocessing.image_dataset_from_directory is utils.image_dataset_from_directory


@pytest.mark.parametrize(
    "mode, labels", [("binary", [[0.0]] * 3 + [[1.0]] * 2), ("categorical", [[1.0, 0.0]] * 3 + [[0.0, 1.0]] * 2)]
)
def test_modes_of_labels(pictures, mode, labels):
    data = utils.image_dataset_from_directory(
        pictures, label_mode=mode, shuffle=False, image_size=(2, 2), color_mode="grayscale"
    )
    x, y = elements(data)
    assert x.shape == (5, 2, 2, 1) and y.tolist() == labels and y.dtype == np.float32
    data = utils.image_dataset_from_directory(
        pictures, label_mode=None, shuffle=False, image_size=(2, 2), batch_size=None
    )
    assert [x.shape for x in data] == [(2, 2, 3)] * 5


def test_given_labels_and_classes(pictures):
    data = utils.image_dataset_from_directory(pictures, labels=[5, 4, 3, 2, 1], shuffle=False, image_size=(2, 2))
    assert elements(data)[1].tolist() == [5, 4, 3, 2, 1]
    data = utils.image_dataset_from_directory(pictures, class_names=["dogs", "cats"], shuffle=False, image_size=(2, 2))
    assert elements(data)[1].tolist() == [0, 0, 1, 1, 1]


def test_shuffling_and_splitting(pictures, capsys):
    def load(**options):
        x, y = elements(utils.image_dataset_from_directory(pictures, image_size=(2, 2), **options))
        return sorted(zip(x[:, 0, 0, 0].round().tolist(), y.tolist()))

    pairs = [(0, 0), (40, 0), (80, 0), (120, 1), (160, 1)]
    assert load(seed=1) == pairs
    split = {"validation_split": 0.4, "seed": 3}
    train, held = load(subset="training", **split), load(subset="validation", **split)
    assert len(train) == 3 and len(held) == 2 and sorted(train + held) == pairs
    assert capsys.readouterr().out.splitlines()[-1] == "Using 2 files for validation."
    both = utils.image_dataset_from_directory(pictures, image_size=(2, 2), subset="both", **split)
    assert [len(elements(d)[1]) for d in both] == [3, 2]
    assert both[1].file_paths == utils.image_dataset_from_directory(pictures, subset="validation", **split).file_paths


def test_proportions(tmp_path):
    image = pytest.importorskip("PIL.Image")
    pixels = np.zeros((4, 8, 3), "uint8")
    pixels[:, 2:6] = 200
    image.fromarray(pixels).save(tmp_path / "wide.png")
    options = {"labels": None, "image_size": (4, 4), "shuffle": False}
    assert elements(utils.image_dataset_from_directory(tmp_path, crop_to_aspect_ratio=True, **options)).min() == 200
    assert elements(utils.image_dataset_from_directory(tmp_path, **options)).min() == 0


@pytest.mark.parametrize("options, message", [
    ({"color_mode": "cmyk"}, "color_mode"), ({"label_mode": "one"}, "label_mode"), ({"labels": [1]}, "There are 1 labels and 5 files"),
    ({"subset": "training"}, "given together"), ({"subset": "test", "validation_split": 0.2}, "subset"),
    ({"validation_split": 0.1, "subset": "training"}, "leaves nothing"), ({"class_names": ["cats", "cows"]}, "did not match"),
    ({"labels": "folders"}, "'inferred'"),
])  # fmt: skip
def test_mistakes(pictures, options, message):
    with pytest.raises(ValueError, match=message):
        utils.image_dataset_from_directory(pictures, **options)


def test_an_empty_folder(tmp_path):
    with pytest.raises(ValueError, match="No images found"):
        utils.image_dataset_from_directory(tmp_path)


def test_texts_in_folders(tmp_path):
    for name, text in (("pos/1.txt", "so good"), ("neg/1.txt", "bad"), ("neg/2.txt", "worse")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    x, y = elements(utils.text_dataset_from_directory(tmp_path, shuffle=False))
    assert x.tolist() == [b"bad", b"worse", b"so good"] and y.tolist() == [0, 0, 1]
    x, _ = elements(preprocessing.text.text_dataset_from_directory(tmp_path, shuffle=False, max_length=2))
    assert x.tolist() == [b"ba", b"wo", b"so"]


def test_sounds_in_folders(tmp_path):
    for name, size in (("a/1.wav", 3), ("b/1.wav", 5)):
        (tmp_path / name).parent.mkdir()
        tf["io.write_file"](str(tmp_path / name), tf["audio.encode_wav"](np.full((size, 1), 0.5, "float32"), 100))
    x, y = elements(utils.audio_dataset_from_directory(tmp_path, shuffle=False))
    assert x.shape == (2, 5, 1) and y.tolist() == [0, 1]
    np.testing.assert_allclose(x[0, :, 0], [0.5] * 3 + [0] * 2, atol=1e-4)
    x, _ = elements(utils.audio_dataset_from_directory(tmp_path, shuffle=False, output_sequence_length=4))
    assert x.shape == (2, 4, 1)
    with pytest.raises(ValueError, match="not resampled"):
        utils.audio_dataset_from_directory(tmp_path, sampling_rate=50)


# -- series -------------------------------------------------------------------------------------------------------------
def test_windows_of_a_series():
    series = np.arange(20)
    data = utils.timeseries_dataset_from_array(
        series, series + 100, sequence_length=4, sampling_rate=2, sequence_stride=3, batch_size=2
    )
    x, y = elements(data)
    assert x.tolist() == [[s, s + 2, s + 4, s + 6] for s in (0, 3, 6, 9, 12)] and y.tolist() == [
        100,
        103,
        106,
        109,
        112,
    ]
    assert data.element_spec[0] == tf["TensorSpec"]((None, 4), "int64") and len(data) == 3
    x = elements(utils.timeseries_dataset_from_array(series, None, 3, start_index=5, end_index=9))
    assert x.tolist() == [[5, 6, 7], [6, 7, 8]]
    alone = preprocessing.timeseries.timeseries_dataset_from_array(series, None, 18, batch_size=None)
    assert [w.shape for w in alone.as_numpy_iterator()] == [(18,)] * 3


def test_windows_shuffled():
    series = np.arange(50.0)[:, None]
    x, y = elements(utils.timeseries_dataset_from_array(series, series[:, 0], 5, shuffle=True, seed=1))
    assert x.shape == (46, 5, 1) and (x[:, 0, 0] == y).all() and sorted(y) == list(range(46)) and list(y) != sorted(y)
    with pytest.raises(ValueError, match="sequence_length"):
        utils.timeseries_dataset_from_array(series, None, 60)


def test_splitting_a_data_set():
    x = np.arange(10)
    left, right = utils.split_dataset(tf["data.Dataset"].from_tensor_slices((x, -x)), left_size=0.7)
    assert [len(left), len(right)] == [7, 3] and [int(a) for a, _ in right.as_numpy_iterator()] == [7, 8, 9]
    left, right = utils.split_dataset([x, -x], right_size=4, shuffle=True, seed=1)
    pairs = [(int(a), int(b)) for part in (left, right) for a, b in part.as_numpy_iterator()]
    assert len(right) == 4 and sorted(pairs) == [(i, -i) for i in x] and pairs != sorted(pairs)
    for sizes, message in (
        ({}, "At least one"),
        ({"left_size": 20}, "`left_size` is"),
        ({"left_size": 6, "right_size": 6}, "asked for"),
    ):
        with pytest.raises(ValueError, match=message):
            utils.split_dataset(x, **sizes)


def test_importing_hornbeam_imports_none_of_it():
    code = "import hornbeam, hornbeam.layers, hornbeam.models, hornbeam.utils, hornbeam.preprocessing.image, sys; print([m for m in sys.modules if m.startswith('hornbeam.tf')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
