"""``tf.raw_ops.ResourceApply...``, by which copies of tf.keras's own optimizers make their steps."""

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam import optimizers
from hornbeam.tf.eager import function
from hornbeam.tf.table import NAMES as TF
from optimizers.ways import GRADIENTS, looped

pytestmark = pytest.mark.usefixtures("eager")
legacy = optimizers.legacy


def powers(t):
    return {"beta1_power": 0.9**t, "beta2_power": 0.999**t}


def adam(t):
    return {"lr": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-7, **powers(t)}


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("name, slots, arguments, same", [
    ("Momentum", ["accum"], lambda t: {"lr": 0.1, "momentum": 0.0}, lambda: legacy.SGD(0.1)),
    ("KerasMomentum", ["accum"], lambda t: {"lr": 0.1, "momentum": 0.9}, lambda: legacy.SGD(0.1, 0.9)),
    ("KerasMomentum", ["accum"], lambda t: {"lr": 0.1, "momentum": 0.9, "use_nesterov": True},
     lambda: legacy.SGD(0.1, 0.9, True)),
    ("Adam", ["m", "v"], adam, lambda: legacy.Adam(0.1)),
    ("AdamWithAmsgrad", ["m", "v", "vhat"], adam, lambda: legacy.Adam(0.1, amsgrad=True)),
    ("AdaMax", ["m", "v"], lambda t: {k: v for k, v in adam(t).items() if k != "beta2_power"}, lambda: legacy.Adamax(0.1)),
    ("AdagradV2", ["accum"], lambda t: {"lr": 0.1, "epsilon": 1e-7},
     lambda: legacy.Adagrad(0.1, initial_accumulator_value=0.0)),
    ("Adadelta", ["accum", "accum_update"], lambda t: {"lr": 1.0, "rho": 0.9, "epsilon": 0.1},
     lambda: legacy.Adadelta(1.0, 0.9, 0.1)),
    ("RMSProp", ["ms", "mom"], lambda t: {"lr": 0.1, "rho": 0.9, "momentum": 0.5, "epsilon": 0.1},
     lambda: legacy.RMSprop(0.1, 0.9, 0.5, 0.1)),
])  # fmt: skip
def test_steps(name, slots, arguments, same, traced):
    w, state, path = G.Variable(1.0), {slot: G.Variable(0.0) for slot in slots}, []

    def step(grad, t):
        given = {"use_locking": True, **arguments(t)}
        return TF[f"raw_ops.ResourceApply{name}"](
            var=w.handle, grad=grad, **{k: v.handle for k, v in state.items()}, **given
        )

    step = function(step) if traced else step
    for t, g in enumerate(GRADIENTS, 1):
        step(G.constant(g), t)
        path.append(float(w))
    np.testing.assert_allclose(path, looped(same()), rtol=1e-5)


def test_proximal_steps():
    w, accum = G.Variable(1.0), G.Variable(0.5)
    expected, sum_of_squares = 1.0, 0.5
    for g in GRADIENTS:
        TF["raw_ops.ResourceApplyProximalAdagrad"](var=w, accum=accum, lr=0.1, l1=0.2, l2=0.3, grad=G.constant(g))
        sum_of_squares += g * g
        rate = 0.1 / np.sqrt(sum_of_squares)
        moved = expected - rate * g
        expected = np.sign(moved) * max(abs(moved) - rate * 0.2, 0) / (1 + rate * 0.3)
    np.testing.assert_allclose([float(w), float(accum)], [expected, sum_of_squares], rtol=1e-5)


def test_a_plain_step():
    w = G.Variable(1.0)
    TF["raw_ops.ResourceApplyGradientDescent"](var=w, alpha=0.5, delta=G.constant(1.0))
    assert float(w) == 0.5
