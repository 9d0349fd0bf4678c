"""Einstein's summation against NumPy's, with known and unknown lengths, and its gradients."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph
from hornbeam.backend.einsum import einsum

LENGTHS = dict(zip("abcdefgh", [2, 3, 4, 5, 6, 7, 2, 3]))
EQUATIONS = [
    "ab,bc->ac", "abc,cde->abde", "abcd,cde->abe", "aecd,abcd->acbe", "acbe,aecd->abcd", "ab,ab->", "ab,ab->a", "a,b->ab",
    "ab,cb->ca", "abc,bd->adc", "abc->ca", "ab,bc,cd->ad", "ab,b", "...b,bc->...c", "ab...,bc->ac...", "abc,cd->bd",
    "abcd,de->abce", "ab,cd->abcd", "ba", "a b , b c",
]  # fmt: skip


def operands(equation):
    rng = np.random.RandomState(0)
    letters = equation.replace(" ", "").replace("...", "ef").split("->")[0].split(",")
    return [rng.rand(*(LENGTHS[c] for c in part)) for part in letters]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_values(equation):
    arrays = operands(equation)
    expected = np.einsum(equation, *arrays)
    known = einsum(equation, *(K.constant(a, "float64") for a in arrays))
    assert known.shape == expected.shape
    np.testing.assert_allclose(K.eval(known), expected, rtol=1e-12)
    places = [graph.placeholder([None] * a.ndim, "float64") for a in arrays]
    np.testing.assert_allclose(K.function(places, [einsum(equation, *places)])(arrays)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("equation", ["abc,cde->abde", "aecd,abcd->acbe", "ab,bc,cd->ad", "a,b->ab"])
def test_gradients(equation):
    arrays = operands(equation)
    places = [graph.placeholder(a.shape, "float64") for a in arrays]
    cotangent = np.random.RandomState(1).rand(*np.einsum(equation, *arrays).shape)
    value = K.sum(einsum(equation, *places) * K.constant(cotangent, "float64"))
    run = K.function(places, [value, *K.gradients(value, places)])
    _, *gradients = run(arrays)
    for i, gradient in enumerate(gradients):
        step = np.random.RandomState(2).rand(*arrays[i].shape)
        moved = [run([a + s * step if j == i else a for j, a in enumerate(arrays)])[0] for s in (1e-3, -1e-3)]
        np.testing.assert_allclose((gradient * step).sum(), (moved[0] - moved[1]) / 2e-3, rtol=1e-8)


@pytest.mark.parametrize(
    "equation, message",
    [
        ("ab->a", "names 1 operands, got 2"), ("abc,bc->a", "does not name the axes"), ("aa,ab->b", "letter twice"),
        ("ab,bc->ad", "must be letters of the operands"), ("ab,cb->ac", "has length 3 in one operand and 4 in another"),
        ("...a,...->a", "different numbers of axes"),
    ],
)  # fmt: skip
def test_mistakes(equation, message):
    with pytest.raises(ValueError, match=message):
        einsum(equation, K.ones((2, 3)), K.ones((3, 4)))
