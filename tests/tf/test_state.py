"""Variables and modules, as scripts for TensorFlow 2 use them."""

import numpy as np
import pytest
from hornbeam import graph as G
from hornbeam.layers import Dense
from hornbeam.tf import NAMES
from hornbeam.tf.eager import GradientTape, function

pytestmark = pytest.mark.usefixtures("eager")
Variable, Module = NAMES["Variable"], NAMES["Module"]


def test_how_variables_and_tensors_are_shown():
    assert repr(Variable([1.0, 2.0])) == (
        "<tf.Variable 'Variable:0' shape=(2,) dtype=float32, numpy=array([1., 2.], dtype=float32)>"
    )
    assert str(Variable(3, name="count")) == "<tf.Variable 'count:0' shape=() dtype=int32, numpy=3>"
    assert repr(G.constant(1.5)) == "<tf.Tensor: shape=(), dtype=float32, numpy=1.5>"


@pytest.mark.parametrize(
    "key", [1, -1, slice(0, 2), (1, 2), (slice(None), 0), (slice(None, None, 2), slice(1, None)), ...]
)
@pytest.mark.parametrize("how", ["assign", "assign_add", "assign_sub"])
@pytest.mark.parametrize("traced", [False, True])
def test_items_are_assigned(key, how, traced, rng):
    array = rng.normal(size=(3, 4)).astype("float32")
    value = rng.normal(size=array[key].shape).astype("float32")
    v = Variable(array)

    def change(x):
        return getattr(v[key], how)(x) + 0.0

    new = (function(change) if traced else change)(G.constant(value))
    if how == "assign":
        array[key] = value
    else:
        array[key] += value if how == "assign_add" else -value
    np.testing.assert_allclose(v.numpy(), array, rtol=1e-6)
    np.testing.assert_allclose(new, array, rtol=1e-6)


def test_an_item_may_have_a_number_assigned_and_a_computed_index():
    v = Variable([1.0, 2.0, 3.0])
    v[:2].assign(7.0)
    v[G.constant(2)].assign(0.0)
    assert v.numpy().tolist() == [7, 7, 0]


def test_rows_are_scattered():
    v = Variable(np.zeros((4, 2), "float32"))
    rows = NAMES["IndexedSlices"](np.ones((2, 2), "float32"), [1, 3])
    v.scatter_update(rows)
    v.scatter_add(rows)
    v.scatter_sub(NAMES["IndexedSlices"](np.ones((1, 2), "float32"), [3]))
    v.scatter_nd_update([[0, 1]], [5.0])
    v.scatter_nd_add([[0, 1]], [1.0])
    assert v.numpy().tolist() == [[0, 6], [2, 2], [0, 0], [1, 1]]
    v.scatter_mul(rows)
    v.scatter_max(NAMES["IndexedSlices"](np.full((1, 2), 4.0, "float32"), [1]))
    assert v.sparse_read([1]).numpy().tolist() == [[4, 4]] and v.gather_nd([[0, 1]]).numpy().tolist() == [6]


def test_slices_become_a_tensor_where_their_shape_is_known():
    rows = NAMES["IndexedSlices"](np.ones((2, 2), "float32"), [1, 1], dense_shape=[3, 2])
    assert rows.dense().numpy().tolist() == [[0, 0], [2, 2], [0, 0]] and tuple(rows.shape) == (3, 2)


def test_references_stand_for_tensors_in_sets():
    x, y = G.constant(1.0), G.constant(1.0)
    assert {x.ref(), x.ref(), y.ref()} == {y.ref(), x.ref()} and x.ref().deref() is x
    assert x.ref() != y.ref() and x.device.endswith("CPU:0")


class Affine(Module):
    def __init__(self, name=None):
        super().__init__(name)
        self.w = Variable([[2.0]], name="w")
        self.b = Variable([1.0], name="b")
        self.count = Variable(0, trainable=False)

    @Module.with_name_scope
    def __call__(self, x):
        if not hasattr(self, "late"):
            self.late = Variable(1.0, name="late")
        return x @ self.w + self.b


class Net(Module):
    def __init__(self):
        super().__init__()
        self.parts = [Affine(), {"deep": Affine("second")}]
        self.same = self.parts[0]
        self.dense = Dense(1)
        self.dense.build((None, 1))


def test_modules_find_their_variables():
    net = Net()
    first, second = net.parts[0], net.parts[1]["deep"]
    expected = [*net.dense.weights, first.b, first.count, first.w, second.b, second.count, second.w]
    assert [id(v) for v in net.variables] == [id(v) for v in expected]
    assert len(net.trainable_variables) == 6 and len(net.non_trainable_variables) == 2
    assert [id(m) for m in net.submodules] == [id(m) for m in (net.dense, first, second)]
    assert (net.name, second.name) == ("net", "second")
    assert isinstance(net.dense, Module) and not isinstance(net.dense, Affine)


def test_modules_give_their_name_to_what_they_make_and_are_trained():
    net = Affine()
    with GradientTape() as tape:
        y = net(G.constant([[3.0]]))
    assert float(y[0][0]) == 7.0 and net.late.name == "affine/late:0"
    assert [float(np.ravel(g)[0]) for g in tape.gradient(y, [net.w, net.b])] == [3.0, 1.0]
    with pytest.raises(ValueError, match="not a valid module name"):
        Module("a b")
