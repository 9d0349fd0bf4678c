"""Images changed at random in training: each kind of change against NumPy, and that inference leaves images alone."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph
from hornbeam import layers as L
from hornbeam.backend import image
from hornbeam.models import Sequential

IMAGES = (np.random.RandomState(0).rand(64, 6, 5, 2) * 200 + 20).astype("float32")


def trained(layer, x=IMAGES):
    """What the layer makes of images in training, and otherwise."""
    inputs = L.Input(x.shape[1:])
    run = K.function([inputs, K.learning_phase()], [layer(inputs)])
    return run([x, 1])[0], run([x, 0])[0]


ALL = [
    L.RandomFlip(), L.RandomTranslation(0.3, 0.2), L.RandomRotation(0.2), L.RandomZoom(0.3), L.RandomContrast(0.5),
    L.RandomBrightness(0.3), L.RandomHeight((0.4, 0.5)), L.RandomWidth((-0.5, -0.4)),
]  # fmt: skip


@pytest.mark.parametrize("layer", ALL, ids=lambda layer: layer.name)
def test_only_training_changes(layer):
    changed, plain = trained(layer)
    np.testing.assert_array_equal(plain, IMAGES)
    assert changed.shape != IMAGES.shape or np.abs(changed - IMAGES).max() > 1
    model = Sequential([layer, L.GlobalAveragePooling2D(), L.Dense(1)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(IMAGES / 255, np.zeros((64, 1))))


@pytest.mark.parametrize("mode, flips", [
    ("horizontal", [lambda x: x[:, ::-1]]), ("vertical", [lambda x: x[::-1]]),
    ("horizontal_and_vertical", [lambda x: x[:, ::-1], lambda x: x[::-1], lambda x: x[::-1, ::-1]]),
])  # fmt: skip
def test_flips(mode, flips):
    changed, _ = trained(L.RandomFlip(mode))
    results = [lambda x: x, *flips]
    kinds = [next(i for i, f in enumerate(results) if np.array_equal(f(x), y)) for x, y in zip(IMAGES, changed)]
    counts = np.bincount(kinds, minlength=len(results))
    assert counts.min() > 64 / len(results) / 3


def at(x, row, column, mode, value):
    """A pixel of one image, which may lie outside."""
    numbers = []
    for i, n in ((row, x.shape[0]), (column, x.shape[1])):
        if not 0 <= i < n:
            if mode == "constant":
                return np.full(x.shape[2], value)
            i = {"nearest": np.clip(i, 0, n - 1), "reflect": min(i % (2 * n), 2 * n - 1 - i % (2 * n)), "wrap": i % n}[
                mode
            ]
        numbers.append(int(i))
    return x[tuple(numbers)]


@pytest.mark.parametrize("mode", ["constant", "nearest", "reflect", "wrap"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_transform(mode, interpolation):
    """By whole pixels every mode is exact; between them, where the image itself is known."""
    x = IMAGES[:2]
    moved = K.eval(image.transform(K.constant(x), (1.0, 0.0, -2.0, 0.0, 1.0, 3.0), mode, 7.0, interpolation))
    for picture, got in zip(x, moved):
        expected = [[at(picture, r + 3, c - 2, mode, 7.0) for c in range(5)] for r in range(6)]
        np.testing.assert_allclose(got, expected, rtol=1e-5)
    between = K.eval(image.transform(K.constant(x), (1.0, 0.0, 0.25, 0.0, 1.0, 0.75), mode, 7.0, interpolation))
    if interpolation == "nearest":
        np.testing.assert_array_equal(between[:, :5, :4], x[:, 1:, :4])
    else:
        above, below = (0.75 * part[:, :, :4] + 0.25 * part[:, :, 1:] for part in (x[:, :5], x[:, 1:]))
        np.testing.assert_allclose(between[:, :5, :4], 0.25 * above + 0.75 * below, rtol=1e-5)


def test_a_quarter_turn_and_images_of_their_own():
    square = IMAGES[:4, :5]
    turned, _ = trained(L.RandomRotation((0.25, 0.25)), square)
    np.testing.assert_allclose(turned, np.rot90(square, axes=(1, 2)), rtol=1e-4)
    angle = graph.constant([0.0, 2.0], "float32")
    each = K.eval(image.transform(K.constant(square[:2]), (1.0, 0.0, angle, 0.0, 1.0, 0.0), "nearest"))
    np.testing.assert_array_equal(each[0], square[0])
    np.testing.assert_array_equal(each[1, :, :3], square[1, :, 2:])
    with pytest.raises(ValueError, match="Unknown fill_mode"):
        image.transform(K.constant(square), (1.0,) * 6, "mirror")


def test_translation_and_zoom():
    down, _ = trained(L.RandomTranslation((0.5, 0.5), (-0.2, -0.2), fill_mode="constant", fill_value=3.0))
    np.testing.assert_allclose(down[:, 3:, :4], IMAGES[:, :3, 1:], rtol=1e-5)
    np.testing.assert_array_equal(down[:, :3], np.full_like(down[:, :3], 3.0))
    inward, _ = trained(L.RandomZoom((-0.5, -0.5), fill_mode="nearest"), IMAGES[:, :5])
    np.testing.assert_allclose(inward[:, ::2, ::2][:, 1, 1], IMAGES[:, 2, 2], rtol=1e-5)  # the middle stays
    np.testing.assert_allclose(inward[:, 0, 0], IMAGES[:, 1, 1], rtol=1e-5)


def test_contrast_and_brightness():
    changed, _ = trained(L.RandomContrast((0.5, 0.0)))
    mean = IMAGES.mean((1, 2), keepdims=True)
    factor = (changed - mean)[0, 0, 0, 0] / (IMAGES - mean)[0, 0, 0, 0]
    assert 0.5 <= factor <= 1.0
    np.testing.assert_allclose(changed, (IMAGES - mean) * factor + mean, rtol=1e-3)
    brighter, _ = trained(L.RandomBrightness((0.05, 0.1), value_range=(0, 255)))
    added = (brighter - IMAGES)[:, :1, :1, :1]
    assert (added >= 0.05 * 255 - 1e-3).all() and (added <= 0.1 * 255 + 1e-3).all() and np.ptp(added) > 1
    np.testing.assert_allclose(brighter, IMAGES + added, rtol=1e-4)


def test_crop():
    changed, plain = trained(L.RandomCrop(4, 3))
    places = [(r, c) for r in range(3) for c in range(3) if np.array_equal(changed, IMAGES[:, r : r + 4, c : c + 3])]
    assert len(places) == 1 and plain.shape == (64, 4, 3, 2)


@pytest.mark.parametrize(
    "layer", [*ALL, L.RandomCrop(4, 3), L.Resizing(3, 4), L.CenterCrop(4, 4)], ids=lambda l: l.name
)
def test_a_single_image(layer):
    np.testing.assert_array_equal(np.asarray(layer(IMAGES[0])), np.asarray(layer(IMAGES[:1]))[0])
    shape = layer.compute_output_shape((6, 5, 2))
    assert shape == layer.compute_output_shape((1, 6, 5, 2))[1:]


def test_a_seed_repeats():
    one, two, other = (trained(L.RandomFlip(seed=seed))[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


@pytest.mark.parametrize("make, message", [
    (lambda: L.RandomFlip("diagonal"), "Unknown `mode`"), (lambda: L.RandomTranslation(1.5, 0.1), "`height_factor`"),
    (lambda: L.RandomZoom((0.3, 0.1)), "`height_factor`"), (lambda: L.RandomContrast(1.5), "`factor`"),
    (lambda: L.RandomRotation(0.1)(L.Input((3,))), "min_ndim=3"),
])  # fmt: skip
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
