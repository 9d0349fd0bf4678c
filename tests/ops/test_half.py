"""float16 is a storage type: computed in float32 and rounded where it is stored.

``test_every_op`` runs each op on it."""

import numpy as np
from hornbeam import graph as G


def test_a_chain_is_rounded_once_and_what_is_stored_is_rounded():
    x = G.placeholder((3,), "float16")
    a = np.array([60000, 60001, 3.0], "float16")
    chain = (x * 2.0) / 2.0  # 120000 is not a float16
    (got,) = G.Function([x], [chain])([a])
    np.testing.assert_array_equal(got, a)
    stored = G.apply("reverse", [x * 2.0], axes=[0]) / 2.0
    (got,) = G.Function([x], [stored])([a])
    np.testing.assert_array_equal(got, [3, np.inf, np.inf])
    cast = G.cast(G.cast(G.cast(x, "float32") * 2.0, "float16"), "float32") / 2.0
    (got,) = G.Function([x], [cast])([a])
    np.testing.assert_array_equal(got, [np.inf, np.inf, 3])


def test_fed_arrays_are_converted_as_numpy_does():
    x = G.placeholder((None,), "float32")
    halves = np.arange(2**16, dtype="uint16").view("float16")
    (got,) = G.Function([x], [x * 1.0])([halves])
    np.testing.assert_array_equal(got, halves.astype("float32"))

    finite = halves[np.isfinite(halves)].astype("float32")
    near = np.concatenate([finite, (finite[:-1] + finite[1:]) / 2])
    near = np.concatenate(
        [near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf)), [1e6]]
    )
    x = G.placeholder((None,), "float16")
    (got,) = G.Function([x], [G.apply("reverse", [x], axes=[0])])([near])
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(got[::-1], near.astype("float16"))


def test_elementwise_runs_include_the_conversions():
    x = G.placeholder((None, 8), "float16")
    f = G.Function([x], [G.apply("exp", [G.apply("tanh", [x]) * 0.5]) + x])
    program = str(f.program())
    assert program.count("fused") == 1 and "cast" not in program


def test_gradients_come_in_float16():
    rng = np.random.RandomState(0)
    x, w = G.placeholder((4, 3), "float16"), G.placeholder((3, 5), "float16")
    loss = G.apply("reduce_sum", [G.apply("tanh", [G.apply("matmul", [x, w])])], axes=[0, 1])
    feeds = [rng.normal(size=s).astype("float16") for s in ((4, 3), (3, 5))]
    got = G.Function([x, w], G.gradients(loss, [x, w]))(feeds)
    a, b = (f.astype("float64") for f in feeds)
    inner = 1 - np.tanh(a @ b) ** 2
    for g, want in zip(got, (inner @ b.T, a.T @ inner)):
        assert g.dtype == np.float16
        np.testing.assert_allclose(g, want, atol=5e-3)


def test_variables_are_updated_in_place():
    v = G.Variable(np.ones(4), dtype="float16")
    f = G.Function([], [], updates=[v.assign_add(v * 0.25)])
    f([])
    f([])
    np.testing.assert_array_equal(v.get_value(), np.full(4, 1.5625, "float16"))
