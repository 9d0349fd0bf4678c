"""The reverse pass itself; each op's rule is tested with its family."""

import numpy as np
import pytest
from checks import check_gradients
from hornbeam import _core
from hornbeam import graph as G
from hornbeam.graph.gradients import has_rule


def test_unconnected_is_none_and_any_tensor_may_be_asked():
    x, y = G.placeholder((3,)), G.placeholder((3,))
    h = x * 2.0
    gh, gx, gy = G.gradients([h * h], [h, x, y])
    assert gy is None
    a, b = G.Function([x], [gh, gx])([np.ones(3)])
    np.testing.assert_array_equal(a, [4, 4, 4])
    np.testing.assert_array_equal(b, [8, 8, 8])


def test_stop_gradient():
    x = G.placeholder((2,))
    (g,) = G.gradients([x * G.apply("stop_gradient", [x])], [x])
    np.testing.assert_array_equal(G.Function([x], [g])([np.array([3.0, 4.0])])[0], [3, 4])


def test_shared_subexpressions_add_up():
    x = G.placeholder(())
    y = x * x
    (g,) = G.gradients([y * y + y], [x])
    assert G.Function([x], [g])([np.float32(2)])[0] == 4 * 8 + 4


def test_second_derivative():
    x = G.placeholder((4,), "float64")
    (g,) = G.gradients([G.apply("tanh", [x])], [x])
    (gg,) = G.gradients([g], [x])
    a = np.linspace(-1, 1, 4)
    t = np.tanh(a)
    np.testing.assert_allclose(G.Function([x], [gg])([a])[0], -2 * t * (1 - t * t), rtol=1e-12, atol=1e-12)


def test_gradient_through_broadcasting_sums():
    x, b = G.placeholder((None, 3), "float64"), G.placeholder((3,), "float64")
    gx, gb = G.gradients([x * b], [x, b])
    a = np.arange(6.0).reshape(2, 3)
    p, q = G.Function([x, b], [gx, gb])([a, np.ones(3)])
    np.testing.assert_array_equal(p, np.ones((2, 3)))
    np.testing.assert_array_equal(q, a.sum(0))


def test_phase_switch():
    x = G.placeholder((2,))
    y = G.phase_switch(x * 2.0, x * x)
    (g,) = G.gradients([y], [x])
    f = G.Function([x, G.learning_phase()], [g])
    np.testing.assert_array_equal(f([np.full(2, 5.0), 1])[0], [2, 2])
    np.testing.assert_array_equal(f([np.full(2, 5.0), 0])[0], [10, 10])


def test_every_op_has_a_rule_or_says_it_has_none():
    missing = [name for name in _core.op_names() if not has_rule(name) and not _core.op_info(name).internal]
    assert missing == []


FUSED = {
    "matmul": ([(2, 3), (3, 4), (4,)], {}),
    "conv2d": ([(1, 4, 4, 2), (3, 3, 2, 3), (3,)], {"strides": [1, 1], "dilation": [1, 1], "padding": "same"}),
    "depthwise_conv2d": ([(1, 4, 4, 2), (3, 3, 2, 1)], {"strides": [1, 1], "dilation": [1, 1], "padding": "valid"}),
    "batch_norm": ([(5, 3), (3,), (3,)], {"epsilon": 0.1}),
}


@pytest.mark.parametrize("activation", ["tanh", "exponential", "elu"])
@pytest.mark.parametrize("op", sorted(FUSED))
def test_an_activation_in_the_epilogue_is_differentiated_twice(op, activation):
    shapes, attrs = FUSED[op]
    arrays = [np.random.RandomState(i).uniform(-0.5, 0.5, s) for i, s in enumerate(shapes)]

    def value(*inputs):
        made = G.apply(op, list(inputs), activation=activation, **attrs)
        return made[0] if isinstance(made, tuple) else made

    check_gradients(value, arrays)
    check_gradients(lambda *inputs: G.gradients(value(*inputs) * value(*inputs), inputs[1])[0], arrays)


def test_no_rule_is_a_clear_error():
    x = G.placeholder((2, 3))
    out = G.apply("fused", [x], code=[], constants=[], outputs=[0], out_dtypes=[8], dtype="float32")
    with pytest.raises(NotImplementedError, match="op 'fused' has no gradient rule"):
        G.gradients([out], [x])
