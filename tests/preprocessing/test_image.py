"""Images: files, transformations, iterators. Expected draws are written out in Keras 2's order."""

import pickle
import sys
import threading
import warnings

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.preprocessing import image
from hornbeam.utils import Sequence

pytest.importorskip("PIL")
pytest.importorskip("scipy")


@pytest.fixture
def images():
    return np.random.RandomState(0).uniform(0, 255, (10, 6, 5, 3)).astype("float32")


@pytest.fixture
def folder(tmp_path):
    """Two classes of four pictures of 6 by 5, the third of each in a folder of its own."""
    pixels = np.random.RandomState(1).randint(0, 256, (8, 6, 5, 3))
    for i, picture in enumerate(pixels):
        path = tmp_path / "ab"[i // 4] / ("deep" if i % 4 == 2 else "") / f"{i % 4}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save_img(path, picture, scale=False)
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    return tmp_path


# -- arrays and files ---------------------------------------------------------------------------------
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("channels", "mode"), [(1, "grayscale"), (3, "rgb"), (4, "rgba")])
def test_files_round_trip(tmp_path, channels, mode, data_format):
    shape = (5, 4, channels) if data_format == "channels_last" else (channels, 5, 4)
    pixels = np.random.RandomState(2).randint(0, 256, shape)
    image.save_img(tmp_path / "x.png", pixels, data_format=data_format, scale=False)
    again = image.img_to_array(image.load_img(tmp_path / "x.png", color_mode=mode), data_format=data_format)
    assert again.dtype == np.float32
    np.testing.assert_array_equal(again, pixels)
    small = image.load_img(tmp_path / "x.png", color_mode=mode, target_size=(2, 3), interpolation="bilinear")
    assert small.size == (3, 2)


def test_deep_grayscale_keeps_its_range():
    pixels = np.array([[[0], [1000]]])
    np.testing.assert_array_equal(image.img_to_array(image.array_to_img(pixels, scale=False)), pixels)


def test_scaling_spans_the_range():
    x = np.array([[[-1.0], [0.0], [1.0]]])
    assert image.img_to_array(image.array_to_img(x)).ravel().tolist() == [0, 127, 255]
    assert image.img_to_array(image.array_to_img(np.full((1, 2, 1), 7.0))).ravel().tolist() == [0, 0]


def test_lists_pictures(folder):
    assert len(image.list_pictures(folder)) == 8
    assert image.list_pictures(folder, ext="jpg") == []
    assert not image.validate_filename(str(folder / "a" / "notes.txt"), ("png",))


def test_array_errors(folder):
    with pytest.raises(ValueError, match="rank 3"):
        image.array_to_img(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="Unsupported channel number: 2"):
        image.array_to_img(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match="Invalid data_format"):
        image.img_to_array(np.zeros((2, 2, 3)), data_format="last")
    with pytest.raises(ValueError, match="color_mode must be"):
        image.load_img(folder / "a" / "0.png", color_mode="cmyk")
    image.load_img(folder / "a" / "0.png", interpolation="cubic")  # nothing is resized
    with pytest.raises(ValueError, match="Invalid interpolation method cubic"):
        image.load_img(folder / "a" / "0.png", target_size=(2, 2), interpolation="cubic")


@pytest.mark.parametrize(("module", "use"), [
    ("PIL.Image", lambda: image.array_to_img(np.zeros((2, 2, 3)))),
    ("scipy.ndimage", lambda: image.apply_affine_transform(np.zeros((2, 2, 3)), theta=1)),
])  # fmt: skip
def test_a_missing_package_is_named_with_the_extra(monkeypatch, module, use):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"hornbeam\[image\]"):
        use()


# -- transformations ----------------------------------------------------------------------------------
def test_affine_maps_move_pixels():
    x = np.arange(25.0).reshape(5, 5, 1)
    np.testing.assert_allclose(image.apply_affine_transform(x, tx=1, fill_mode="constant")[:-1], x[1:])
    np.testing.assert_allclose(image.apply_affine_transform(x, ty=-2, fill_mode="constant")[:, 2:], x[:, :-2])
    np.testing.assert_array_equal(image.apply_affine_transform(x), x)
    np.testing.assert_array_equal(image.transform_matrix_offset_center(np.diag([2.0, 2, 1]), 5, 4)[:2, 2], [-3, -2.5])
    channels_first = image.apply_affine_transform(
        x.transpose(2, 0, 1), theta=30, shear=10, zx=1.2, row_axis=1, col_axis=2, channel_axis=0
    )
    np.testing.assert_array_equal(
        channels_first[0], image.apply_affine_transform(x, theta=30, shear=10, zx=1.2)[..., 0]
    )


AXES = {"row_axis": 0, "col_axis": 1, "channel_axis": 2}


@pytest.mark.parametrize(
    ("draw", "expected"),
    [
        (lambda x: image.random_rotation(x, 40, **AXES), lambda u: {"theta": u(-40, 40)}),
        (lambda x: image.random_shift(x, 0.2, 0.4, **AXES), lambda u: {"tx": u(-0.4, 0.4) * 6, "ty": u(-0.2, 0.2) * 5}),
        (lambda x: image.random_shear(x, 20, **AXES), lambda u: {"shear": u(-20, 20)}),
        (lambda x: image.random_zoom(x, (0.5, 2), **AXES), lambda u: {"zx": u(0.5, 2), "zy": u(0.5, 2)}),
    ],
)
def test_random_maps_draw_in_order(images, draw, expected):
    np.random.seed(4)
    got = draw(images[0])
    np.random.seed(4)
    np.testing.assert_array_equal(got, image.apply_affine_transform(images[0], **expected(np.random.uniform)))


def test_channels_flips_and_brightness(images):
    x = images[0]
    shifted = image.apply_channel_shift(x, 10)
    assert shifted.max() == x.max() and np.all((shifted == x + 10) | (shifted == x.max()))
    np.testing.assert_array_equal(image.flip_axis(x, 1), x[:, ::-1])
    assert image.apply_brightness_shift(x, 0).max() == 0
    assert image.apply_brightness_shift(x, 0.5).mean() < image.apply_brightness_shift(x, 1.0).mean()
    with pytest.raises(ValueError, match="zoom_range"):
        image.random_zoom(x, (1,))


def test_generator_draws_in_the_order_of_keras():
    generator = image.ImageDataGenerator(
        rotation_range=10, width_shift_range=[1, 2], height_shift_range=0.5, shear_range=3, zoom_range=0.2,
        horizontal_flip=True, vertical_flip=True, channel_shift_range=7, brightness_range=(0.5, 2),
    )  # fmt: skip
    got = generator.get_random_transform((20, 30, 3), seed=6)
    random = np.random.RandomState(6)
    expected = {"theta": random.uniform(-10, 10), "tx": random.uniform(-0.5, 0.5) * 20}
    expected["ty"] = random.choice([1, 2]) * random.choice([-1, 1])
    expected["shear"] = random.uniform(-3, 3)
    expected["zx"], expected["zy"] = random.uniform(0.8, 1.2, 2)
    expected["flip_horizontal"] = random.random_sample() < 0.5
    expected["flip_vertical"] = random.random_sample() < 0.5
    expected["channel_shift_intensity"] = random.uniform(-7, 7)
    expected["brightness"] = random.uniform(0.5, 2)
    assert got == expected


# -- standardizing ------------------------------------------------------------------------------------
def test_statistics(images):
    generator = image.ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match="hasn't been fit"):
        generator.standardize(images[0].copy())
    generator.fit(images)
    whole = generator.standardize(images.copy())
    np.testing.assert_allclose(whole.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(whole.std(axis=(0, 1, 2)), 1, atol=1e-5)


def test_statistics_are_those_of_rescaled_images(images):
    generator = image.ImageDataGenerator(featurewise_center=True, featurewise_std_normalization=True, rescale=0.5)
    before = images.copy()
    generator.fit(images)
    np.testing.assert_array_equal(images, before)
    np.testing.assert_allclose(
        generator.mean, 0.5 * images.mean(axis=(0, 1, 2)).reshape(generator.mean.shape), rtol=1e-5
    )
    assert abs(generator.standardize(images.copy()).mean()) < 1e-5


def test_samplewise(images):
    generator = image.ImageDataGenerator(samplewise_center=True, samplewise_std_normalization=True, rescale=2.0)
    x = generator.standardize(images[0].copy())
    np.testing.assert_allclose([x.mean(), x.std()], [0, 1], atol=1e-5)


def test_whitening_removes_correlation():
    x = np.random.RandomState(3).normal(size=(200, 2, 2, 1)) * np.arange(1, 5).reshape(2, 2, 1)
    x[:, 0] += x[:, 1]
    generator = image.ImageDataGenerator(featurewise_center=True, zca_whitening=True, dtype="float64")
    generator.fit(x)
    white = generator.standardize(x.copy()).reshape(200, 4)
    np.testing.assert_allclose(white.T @ white / 200, np.eye(4), atol=1e-4)


def test_an_option_that_overrides_another_warns():
    with pytest.warns(UserWarning, match="overrides setting of `samplewise_center`"):
        assert image.ImageDataGenerator(samplewise_std_normalization=True).samplewise_center


@pytest.mark.parametrize(
    "options, message",
    [
        ({"data_format": "last"}, "data_format"),
        ({"validation_split": 1.5}, "strictly between 0 and 1"),
        ({"zoom_range": (1, 2, 3)}, "zoom_range"),
        ({"brightness_range": 2}, "brightness_range"),
    ],
    ids=str,
)
def test_generator_errors(options, message):
    with pytest.raises(ValueError, match=message):
        image.ImageDataGenerator(**options)


# -- iterators ----------------------------------------------------------------------------------------
def test_batches_in_order_and_shuffled(images):
    iterator = image.ImageDataGenerator().flow(images, np.arange(10), batch_size=4, shuffle=False)
    assert isinstance(iterator, Sequence) and len(iterator) == 3
    assert [next(iterator)[1].tolist() for _ in range(4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1, 2, 3]]
    iterator.reset()
    x, y = iterator.next()
    assert y.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(x, images[:4])
    with pytest.raises(ValueError, match="Sequence has length 3"):
        iterator[3]

    iterator = image.ImageDataGenerator().flow(images, np.arange(10), batch_size=4, seed=9)
    order = np.random.RandomState(9).permutation(10)
    assert np.concatenate([iterator[i][1] for i in range(3)]).tolist() == order.tolist()
    before = iterator.index_array
    iterator.on_epoch_end()
    assert not np.array_equal(before, iterator.index_array)


def test_a_seed_repeats_the_batches_and_the_data_stay(images):
    data = images.copy()
    generator = image.ImageDataGenerator(rotation_range=20, horizontal_flip=True, rescale=0.5)
    runs = [[next(it) for _ in range(4)] for it in (generator.flow(data, batch_size=3, seed=1) for _ in range(2))]
    for first, second in zip(*runs):
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(data, images)


def test_threads_share_an_epoch_and_processes_can_have_a_copy(images):
    iterator = image.ImageDataGenerator().flow(images, np.arange(10), batch_size=1)
    seen = []
    threads = [threading.Thread(target=lambda: seen.extend(next(iterator)[1] for _ in range(5))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(10))
    copy = pickle.loads(pickle.dumps(iterator))
    np.testing.assert_array_equal(copy[2][0], iterator[2][0])


def test_more_inputs_weights_and_subsets(images):
    generator = image.ImageDataGenerator(validation_split=0.4)
    y = np.arange(10) % 2
    options = {"y": y, "sample_weight": np.arange(10), "shuffle": False}
    (x, other), labels, weights = next(generator.flow((images, np.arange(10)), subset="validation", **options))
    assert other.tolist() == weights.tolist() == [0, 1, 2, 3]
    assert labels.tolist() == [0, 1, 0, 1]
    np.testing.assert_array_equal(x, images[:4])
    assert next(generator.flow(images, subset="training", **options))[2].tolist() == [4, 5, 6, 7, 8, 9]
    with pytest.raises(ValueError, match="different number of classes"):
        generator.flow(images, np.arange(10), subset="training")
    with pytest.raises(ValueError, match="should have the same length"):
        generator.flow(images, y[:3])
    with pytest.raises(ValueError, match="rank 4"):
        generator.flow(images[0])


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("categorical", [[1, 0]] * 4 + [[0, 1]] * 4),
        ("binary", [0] * 4 + [1] * 4),
        ("sparse", [0] * 4 + [1] * 4),
    ],
)
def test_classes_from_folders(folder, capsys, mode, expected):
    iterator = image.ImageDataGenerator().flow_from_directory(
        folder, target_size=(6, 5), class_mode=mode, shuffle=False
    )
    assert capsys.readouterr().out == "Found 8 images belonging to 2 classes.\n"
    assert iterator.class_indices == {"a": 0, "b": 1}
    x, y = next(iterator)
    np.testing.assert_array_equal(y, expected)
    for path, picture in zip(iterator.filepaths, x):
        np.testing.assert_array_equal(picture, image.img_to_array(image.load_img(path)))


def test_folders_split_each_class_and_save(folder, tmp_path):
    (tmp_path / "saved").mkdir()
    generator = image.ImageDataGenerator(validation_split=0.25)
    options = {"target_size": (3, 3), "classes": ["a", "b"], "class_mode": "input"}
    validation = generator.flow_from_directory(
        folder, subset="validation", save_to_dir=tmp_path / "saved", save_prefix="v", **options
    )
    assert [len(validation.filenames), validation.classes.tolist()] == [2, [0, 1]]
    x, y = next(validation)
    np.testing.assert_array_equal(x, y)
    assert sorted(p.name[:4] for p in (tmp_path / "saved").iterdir()) == ["v_0_", "v_1_"]
    assert generator.flow_from_directory(folder, subset="training", **options).samples == 6
    with pytest.raises(ValueError, match="Invalid class_mode"):
        generator.flow_from_directory(folder, class_mode="raw")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[1, 0], [0, 1]]),
        ({"class_mode": "sparse", "classes": ["b"]}, [0]),
        ({"class_mode": "raw", "y_col": "angle"}, [0.5, 1.5]),
        ({"y_col": "tags"}, [[1, 0, 1], [0, 1, 0]]),
    ],
)
def test_pictures_from_a_table(folder, options, expected):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {
            "filename": ["a/0.png", "b/1.png", "gone.png"],
            "class": ["a", "b", "b"],
            "angle": [0.5, 1.5, 2.5],
            "tags": [["x", "z"], ["y"], ["y"]],
        }
    )
    with pytest.warns(UserWarning, match="Found 1 invalid image filename"):
        iterator = image.ImageDataGenerator().flow_from_dataframe(
            table, folder, target_size=(6, 5), shuffle=False, **options
        )
    x, y = next(iterator)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(x[-1], image.img_to_array(image.load_img(folder / "b" / "1.png")))


def test_none_is_the_backends_format_and_type():
    generator = image.ImageDataGenerator(data_format=None, dtype=None)
    assert generator.data_format == "channels_last" and generator.dtype == "float32"
    K.set_image_data_format("channels_first")
    K.set_floatx("float64")
    try:
        generator = image.ImageDataGenerator(data_format=None, dtype=None)
    finally:
        K.set_image_data_format("channels_last")
        K.set_floatx("float32")
    assert (generator.data_format, generator.channel_axis, generator.dtype) == ("channels_first", 1, "float64")


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "tif", "ppm"])
def test_damaged_pictures_are_named(tmp_path, ending):
    rng, path = np.random.RandomState(4), tmp_path / f"x.{ending}"
    image.save_img(path, rng.randint(0, 256, (30, 20, 3)), scale=False)
    whole = path.read_bytes()
    damaged = [whole[:cut] for cut in (0, 1, 10, len(whole) // 2, len(whole) - 20)]
    for _ in range(100):
        data = bytearray(whole)
        data[rng.randint(len(data) // 4)] = rng.randint(256)
        damaged.append(bytes(data))
    failures = 0
    for data in damaged:
        path.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image.load_img(path)
        except OSError as error:
            failures += 1
            assert str(path) in str(error)
    assert failures > 1
