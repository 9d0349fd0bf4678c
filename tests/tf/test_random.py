"""Random numbers whose state a script holds, and images changed by chance."""

import numpy as np
import pytest
from hornbeam.tf import NAMES
from hornbeam.tf.eager import function

pytestmark = pytest.mark.usefixtures("eager")
Generator = NAMES["random.Generator"]

STATELESS = {
    "normal": {"mean": 3.0, "stddev": 2.0}, "truncated_normal": {"mean": 3.0, "stddev": 2.0}, "uniform": {"minval": -1.0, "maxval": 3.0},
    "gamma": {"alpha": 4.0, "beta": 2.0}, "poisson": {"lam": 5.0}, "binomial": {"counts": 10.0, "probs": 0.3},
}  # fmt: skip
MEANS = {"normal": (3, 2), "truncated_normal": (3, 1.759), "uniform": (1, 4 / 12**0.5), "gamma": (2, 1), "poisson": (5, 5**0.5), "binomial": (3, 2.1**0.5)}  # fmt: skip


@pytest.mark.parametrize("name", STATELESS)
def test_without_state_the_seed_alone_counts(name):
    draw = NAMES[f"random.stateless_{name}"]
    first, again, other = (draw([20_000], seed=seed, **STATELESS[name]).numpy() for seed in ([1, 2], [1, 2], [2, 1]))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    mean, deviation = MEANS[name]
    assert abs(first.mean() - mean) < 0.1 and abs(first.std() - deviation) < 0.1


def test_integers_without_state():
    drawn = NAMES["random.stateless_uniform"]([1000], [3, 4], 2, 5, "int32").numpy()
    assert set(drawn) == {2, 3, 4} and drawn.dtype == "int32"
    classes = NAMES["random.stateless_categorical"](np.log([[0.1, 0.9], [1.0, 1e-9]]), 2000, [1, 2]).numpy()
    assert classes.shape == (2, 2000) and abs(classes[0].mean() - 0.9) < 0.03 and classes[1].max() == 0
    assert sorted(NAMES["random.experimental.stateless_shuffle"](np.arange(9), [1, 2]).numpy()) == list(range(9))
    assert NAMES["random.split"]([1, 2], 3).shape == (3, 2)
    assert NAMES["random.fold_in"]([1, 2], 3).numpy().tolist() != NAMES["random.fold_in"]([1, 2], 4).numpy().tolist()
    with pytest.raises(ValueError, match="two integers"):
        NAMES["random.stateless_normal"]([2], seed=3)


def test_a_generator_goes_on_and_begins_again():
    g = Generator.from_seed(5)
    first, second = g.normal([4]).numpy(), g.normal([4]).numpy()
    assert not np.array_equal(first, second)
    g.reset_from_seed(5)
    copy = Generator(copy_from=g)
    np.testing.assert_array_equal(g.normal([4]), first)
    np.testing.assert_array_equal(copy.normal([4]), first)
    assert set(g.uniform([200], 0, 3, "int32").numpy()) == {0, 1, 2} and g.make_seeds(3).shape == (2, 3)
    assert abs(g.truncated_normal([500]).numpy()).max() <= 2 and len(g.split(2)) == 2
    assert Generator.from_non_deterministic_state().uniform([2]).shape == (2,)


def test_a_generator_in_a_traced_function_gives_new_numbers_in_each_run():
    g = Generator.from_seed(1)

    @function
    def draw():
        return g.normal([3])

    assert not np.array_equal(draw(), draw()) and draw.experimental_get_tracing_count() == 1


def test_the_global_generator():
    NAMES["random.set_global_generator"](Generator.from_seed(1))
    assert NAMES["random.get_global_generator"]() is NAMES["random.get_global_generator"]()


def test_gamma_and_poisson_have_shape_before_parameters():
    assert NAMES["random.gamma"]([5], [1.0, 2.0]).shape == (5, 2) and NAMES["random.poisson"](
        [5], [[1.0], [2.0]]
    ).shape == (5, 2, 1)
    drawn = NAMES["random.gamma"]([20_000], [1.0, 4.0], beta=[1.0, 2.0], seed=3).numpy()
    np.testing.assert_allclose(drawn.mean(0), [1, 2], atol=0.1)


IMAGES = np.random.RandomState(0).uniform(size=(4, 5, 6, 3)).astype("float32")


@pytest.mark.parametrize(
    "name, limits", [("brightness", (0.2,)), ("contrast", (0.5, 2.0)), ("saturation", (0.5, 2.0)), ("hue", (0.3,))]
)
def test_images_are_changed_by_an_amount_in_the_limits(name, limits):
    adjust = NAMES[f"image.adjust_{name}"]
    low, high = (-limits[0], limits[0]) if len(limits) == 1 else limits
    between = [adjust(IMAGES, a).numpy() for a in np.linspace(low, high, 400)]
    for changed in (
        NAMES[f"image.random_{name}"](IMAGES, *limits),
        NAMES[f"image.stateless_random_{name}"](IMAGES, *limits, seed=[1, 2]),
    ):
        assert min(abs(changed.numpy() - b).max() for b in between) < 0.02
    a, b = (NAMES[f"image.stateless_random_{name}"](IMAGES, *limits, seed=[1, 2]).numpy() for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_crops_and_flips():
    for crop in (
        NAMES["image.random_crop"](IMAGES, [4, 3, 4, 3]),
        NAMES["image.stateless_random_crop"](IMAGES, [4, 3, 4, -1], seed=[1, 2]),
    ):
        found = [(IMAGES[:, i : i + 3, j : j + 4] == crop.numpy()).all() for i in range(3) for j in range(3)]
        assert crop.shape == (4, 3, 4, 3) and sum(found) == 1
    with pytest.raises(ValueError, match="does not fit"):
        NAMES["image.random_crop"](IMAGES[0], [9, 3, 3])
    for way, axis in (("left_right", 2), ("up_down", 1)):
        flipped = NAMES[f"image.stateless_random_flip_{way}"](IMAGES, [5, 3]).numpy()
        turned = np.flip(IMAGES, axis)
        as_is = [bool((f == x).all()) for f, x in zip(flipped, IMAGES)]
        assert all((f == t).all() or same for f, t, same in zip(flipped, turned, as_is)) and 0 < sum(as_is) < 4
