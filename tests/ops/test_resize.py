import numpy as np
import pytest
import reference_resize as ref
from checks import check_gradients, run_op
from hornbeam import graph as G

# Image and new size: enlarged by whole and by broken factors, made smaller, one pixel, channels around a vector.
CASES = [
    ((2, 3, 4, 3), (6, 8)), ((1, 5, 7, 16), (15, 7)), ((2, 7, 5, 17), (10, 9)), ((1, 9, 8, 5), (4, 3)),
    ((2, 1, 1, 2), (5, 3)), ((1, 6, 6, 33), (1, 1)), ((1, 25, 3, 1), (75, 2)), ((3, 4, 4, 70), (4, 4)),
]  # fmt: skip
INTERPOLATIONS = ["nearest", "bilinear"]


def draw(shape, dtype="float32", seed=0):
    return np.random.RandomState(seed).uniform(-1, 1, shape).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("shape, size", CASES, ids=str)
def test_values(target, interpolation, dtype, shape, size):
    x, dy = draw(shape, dtype), draw((shape[0], *size, shape[3]), dtype, 1)
    y = run_op("resize", [x, np.array(size)], interpolation=interpolation)[0]
    dx = run_op("resize_grad", [dy, np.array(shape)], interpolation=interpolation)[0]
    assert y.dtype == dx.dtype == dtype
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(y, ref.resize(x, size, interpolation), rtol=0, atol=8 * eps)
    readers = (2 + 2 * size[0] / shape[1]) * (2 + 2 * size[1] / shape[2])  # what is added up in a pixel, at most
    np.testing.assert_allclose(dx, ref.resize_grad(dy, shape, interpolation), rtol=0, atol=4 * readers**2 * eps)


def test_numbers_of_tensorflow_1():
    """Recorded from tf.compat.v1.image.resize_bilinear and resize_nearest_neighbor, TensorFlow 2.21."""
    x = np.array([[1, 2, 4], [8, 16, 32]], "float32").reshape(1, 2, 3, 1)
    y = run_op("resize", [x, np.array([3, 5])], interpolation="bilinear")[0]
    expected = [
        [1.0, 1.600000023841858, 2.4000000953674316, 3.6000001430511475, 4.0],
        [5.6666669845581055, 9.066666603088379, 13.600000381469727, 20.400001525878906, 22.666667938232422],
        [8.0, 12.800000190734863, 19.200000762939453, 28.80000114440918, 32.0],
    ]
    np.testing.assert_array_equal(y[0, :, :, 0], np.array(expected, "float32"))
    y = run_op("resize", [x, np.array([3, 5])], interpolation="nearest")[0]
    np.testing.assert_array_equal(y[0, :, :, 0], [[1, 1, 2, 2, 4], [1, 1, 2, 2, 4], [8, 8, 16, 16, 32]])


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("size", [(6, 5), (2, 4)])
def test_gradients(interpolation, size):
    x, dy = draw((2, 3, 4, 2), "float64"), draw((2, *size, 2), "float64", 1)
    check_gradients(lambda x: G.apply("resize", [x, G.constant(size)], interpolation=interpolation), [x])
    check_gradients(lambda dy: G.apply("resize_grad", [dy, G.constant(x.shape)], interpolation=interpolation), [dy])


def test_same_bits_on_any_number_of_threads(threads):
    x, dy = draw((2, 40, 41, 19)), draw((2, 80, 60, 19))
    results = []
    for n in (1, 2, 3):
        threads(n)
        y = run_op("resize", [x, np.array([80, 60])], interpolation="bilinear")[0]
        dx = run_op("resize_grad", [dy, np.array(x.shape)], interpolation="bilinear")[0]
        results.append((y.tobytes(), dx.tobytes()))
    assert results[0] == results[1] == results[2]


def test_empty_and_unknown_sizes():
    assert run_op("resize", [np.zeros((0, 3, 3, 2), "float32"), np.array([4, 4])])[0].shape == (0, 4, 4, 2)
    assert run_op("resize", [draw((1, 3, 3, 2)), np.array([0, 4])])[0].shape == (1, 0, 4, 2)
    x = G.placeholder((None, None, 4, 3))
    y = G.apply("resize", [x, G.shape_tensor([G.shape_of(x)[1] * 2, 8])])
    assert y.shape == (None, None, 8, 3)
    assert G.Function([x], [y])([draw((2, 5, 4, 3))])[0].shape == (2, 10, 8, 3)


def test_errors():
    x = G.placeholder((2, 3, 4, 1))
    with pytest.raises(ValueError, match=r"\[resize\] size must hold a height and a width"):
        G.apply("resize", [x, G.constant([1, 2, 3])])
    with pytest.raises(ValueError, match=r"\[resize\]"):
        G.apply("resize", [G.placeholder((2, 3, 4)), G.constant([1, 2])])
    with pytest.raises(ValueError, match="no pixels"):
        G.apply("resize", [G.placeholder((2, 0, 4, 1)), G.constant([1, 2])])
    with pytest.raises(ValueError, match="cannot be 'cubic'"):
        G.apply("resize", [x, G.constant([6, 8])], interpolation="cubic")
    with pytest.raises(TypeError, match=r"\[resize\]"):
        G.apply("resize", [G.placeholder((2, 3, 4, 1), "int32"), G.constant([6, 8])])
    with pytest.raises(ValueError, match=r"\[resize_grad\]"):
        G.apply("resize_grad", [x, G.constant([2, 3, 4, 2])])
