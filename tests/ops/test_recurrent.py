import numpy as np
import pytest
import reference_recurrent as reference
from checks import as_placeholder, check_gradients, run_op
from hornbeam import _core
from hornbeam import graph as G
from hornbeam.graph.gradients.recurrent_steps import SLOPES
from hornbeam.graph.samples import SAMPLES
from hornbeam.layers import Input, SimpleRNN
from hornbeam.layers.recurrent_cells import KERNEL_ACTIVATIONS
from hornbeam.models import Model

CELLS = ["lstm", "gru", "gru_reset_after", "simple_rnn"]
GATES = {"lstm": 4, "gru": 3, "simple_rnn": 1}
MASKS = ["none", "left", "right", "holes", "all"]


def make_mask(kind, batch, steps, rng):
    t, length = np.arange(steps)[None, :], rng.randint(0, steps + 1, (batch, 1))
    return {
        "none": None,
        "left": t >= length,
        "right": t < length,
        "holes": rng.rand(batch, steps) > 0.4,
        "all": np.zeros((batch, steps), bool),
    }[kind]


class Case:
    """The arguments of one recurrent op, differentiable ones first, and its oracle."""

    def __init__(
        self, cell, batch=3, steps=4, units=5, dtype="float64", mask="none",
        rec_mask=False, states=True, bias=True, scale=1.0, seed=0, **attrs,
    ):  # fmt: skip
        rng = np.random.RandomState(seed)
        self.op = cell.split("_reset")[0]
        self.attrs = dict(attrs)
        if cell == "gru_reset_after":
            self.attrs["reset_after"] = True
        gates = GATES[self.op]
        arrays = {"xp": rng.uniform(-1, 1, (batch, steps, gates * units))}
        arrays["h0"] = rng.uniform(-1, 1, (batch, units)) if states else None
        if self.op == "lstm":
            arrays["c0"] = rng.uniform(-1, 1, (batch, units)) if states else None
        arrays["kernel"] = rng.uniform(-1, 1, (units, gates * units)) / np.sqrt(units + 1)
        if self.op == "gru":
            arrays["bias"] = rng.uniform(-1, 1, 3 * units) if bias and cell == "gru_reset_after" else None
        self.arrays = {k: None if a is None else (scale * a).astype(dtype) for k, a in arrays.items()}
        self.mask = make_mask(mask, batch, steps, rng)
        self.rec_mask = ((rng.rand(gates, batch, units) > 0.3) / 0.7).astype(dtype) if rec_mask else None

    @property
    def inputs(self):
        return [*self.arrays.values(), self.mask, self.rec_mask]

    @property
    def given(self):
        """The names of the differentiable inputs that are there."""
        return [k for k, a in self.arrays.items() if a is not None]

    def run(self):
        return run_op(self.op, self.inputs, **self.attrs)

    def expected(self):
        return getattr(reference, self.op)(*self.inputs, **self.attrs)

    def apply(self, tensors):
        """The op on one tensor for each given input."""
        leaves = dict(zip(self.given, tensors))
        masks = [None if m is None else G.constant(m) for m in (self.mask, self.rec_mask)]
        return G.apply(self.op, [*(leaves.get(k) for k in self.arrays), *masks], **self.attrs)

    def results(self, outs):
        """The op's outputs in the oracle's order."""
        return [outs[0], outs[1], outs[2], outs[4]] if self.op == "lstm" else list(outs[:2])

    def check(self, tol):
        for got, want in zip(self.results(self.run()), self.expected()):
            assert got.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=tol, atol=tol)

    def grads(self, cotangents):
        """Gradients by the graph with respect to every differentiable input, for one cotangent per result."""
        leaves = [as_placeholder(self.arrays[k]) for k in self.given]
        outs = self.apply(leaves)[: len(cotangents)]
        grads = G.gradients(list(outs), leaves, [G.constant(w) for w in cotangents])
        return dict(zip(self.given, G.Function(leaves, grads)([self.arrays[k] for k in self.given])))

    def check_gradients(self, output=0):
        check_gradients(lambda *tensors: self.apply(tensors)[output], [self.arrays[k] for k in self.given])


# ---- values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("rec_mask", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("states", [True, False])
def test_values(cell, mask, rec_mask, go_backwards, states):
    Case(cell, mask=mask, rec_mask=rec_mask, states=states, bias=states, go_backwards=go_backwards).check(1e-12)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype, tol", [("float32", 1e-5), ("float64", 1e-12)])
def test_sizes_on_every_instruction_set(target, cell, dtype, tol):
    # Around the vectors and panels of each instruction set, and with rows for several tasks.
    sizes = [(1, 1, 1), (0, 3, 2), (2, 0, 3), (2, 3, 15), (3, 2, 16), (1, 3, 33), (5, 2, 70), (37, 3, 47)]
    for batch, steps, units in sizes:
        Case(cell, batch, steps, units, dtype).check(tol)
        Case(cell, batch, steps, units, dtype, mask="holes", rec_mask=True, go_backwards=True).check(tol)


@pytest.mark.parametrize("cell", ["gru", "gru_reset_after"])
def test_dropout_of_the_carried_state(target, cell):
    for mask in MASKS:
        Case(cell, batch=4, units=17, mask=mask, rec_mask=True, drop_carry=True, go_backwards=mask == "holes").check(
            1e-12
        )
    Case(cell, 3, 4, 5, drop_carry=True).check(1e-12)  # without a mask there is nothing to drop
    for output in (0, 1):
        Case(cell, mask="holes", rec_mask=True, drop_carry=True).check_gradients(output)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("activation", reference.ACTIVATIONS)
def test_activations(target, cell, activation):
    if cell == "simple_rnn":
        return Case(cell, activation=activation, scale=0.3).check(1e-11)
    for recurrent in reference.ACTIVATIONS:
        # Small values: exponentials of exponentials would soon be infinite.
        Case(cell, steps=2, activation=activation, recurrent_activation=recurrent, scale=0.3).check(1e-11)


def test_a_masked_step_repeats_the_output_and_keeps_the_state():
    case = Case("lstm", batch=2, steps=3)
    case.mask = np.array([[True, False, True], [False, True, False]])
    y, h, c, _, cells = case.run()
    np.testing.assert_array_equal(y[0, 1], y[0, 0])
    np.testing.assert_array_equal(y[1, 0], case.arrays["h0"][1])
    np.testing.assert_array_equal(cells[1, 0], case.arrays["c0"][1])
    np.testing.assert_array_equal(h[1], y[1, 1])
    np.testing.assert_array_equal(c[1], cells[1, 1])


@pytest.mark.parametrize("cell", CELLS)
def test_nan_under_the_mask_stays_there(cell):
    case = Case(cell, mask="right", seed=3)
    case.arrays["xp"][~case.mask] = np.nan
    outs = case.results(case.run())
    assert all(np.isfinite(o).all() for o in outs)
    grads = case.grads([np.ones_like(o) for o in outs[: 3 if cell == "lstm" else 2]])
    assert all(np.isfinite(g).all() for g in grads.values())
    assert not grads["xp"][~case.mask].any()


@pytest.mark.parametrize("cell", CELLS)
def test_each_output_alone(cell):
    case = Case(cell, batch=2, steps=3, units=4)
    every = case.run()
    for i in range(len(every)):
        feeds = [case.arrays[k] for k in case.given]
        leaves = [as_placeholder(a) for a in feeds]
        (alone,) = G.Function(leaves, [case.apply(leaves)[i]])(feeds)
        np.testing.assert_array_equal(alone, every[i])


# ---- gradients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("rec_mask", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_gradients(cell, mask, rec_mask, go_backwards):
    Case(cell, batch=2, steps=3, units=3, mask=mask, rec_mask=rec_mask, go_backwards=go_backwards).check_gradients()


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_the_last_states(cell):
    for output in (1, 2) if cell == "lstm" else (1,):
        for mask in ("none", "holes"):
            Case(cell, batch=2, steps=3, units=2, mask=mask).check_gradients(output)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_without_initial_states(cell):
    Case(cell, batch=2, steps=3, units=2, states=False, bias=False).check_gradients()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("activation", reference.ACTIVATIONS)
def test_gradients_of_activations(cell, activation):
    # Sums near zero are the kinks of relu, elu and selu; these seeds have none within the step of the differences.
    recurrent = {} if cell == "simple_rnn" else {"recurrent_activation": "hard_sigmoid"}
    Case(cell, batch=1, steps=2, units=3, activation=activation, **recurrent).check_gradients()
    if recurrent:
        Case(cell, batch=1, steps=2, units=2, recurrent_activation=activation).check_gradients()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("rec_mask", [False, True])
def test_large_gradients_on_every_instruction_set(target, cell, rec_mask):
    """Sizes with several tasks and panels, in float32, against float64's own results."""
    grads = {}
    for dtype in ("float32", "float64"):
        case = Case(cell, 35, 12, 41, dtype, mask="holes", rec_mask=rec_mask, go_backwards=True)
        rng = np.random.RandomState(1)
        outs = case.results(case.run())[: 3 if cell == "lstm" else 2]
        grads[dtype] = case.grads([rng.uniform(-1, 1, o.shape).astype(dtype) for o in outs])
    for name, want in grads["float64"].items():
        atol = 2e-5 * np.abs(want).max()
        np.testing.assert_allclose(grads["float32"][name], want, rtol=1e-4, atol=atol, err_msg=name)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("batch, steps", [(2, 0), (0, 3)])
def test_no_steps_and_no_rows(cell, batch, steps):
    case = Case(cell, batch, steps, 3)
    outs = case.results(case.run())[: 3 if cell == "lstm" else 2]
    grads = case.grads([np.ones_like(o) for o in outs])
    assert not grads["kernel"].any()
    np.testing.assert_array_equal(grads["h0"], np.ones_like(case.arrays["h0"]))


# ---- threads, errors -------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_same_bits_for_any_number_of_threads(threads, cell):
    case = Case(cell, 50, 6, 40, "float32", mask="holes", rec_mask=True)
    found = []
    for n in (1, 2, 3):
        threads(n)
        outs = case.run()
        cotangents = [np.ones_like(o) for o in case.results(outs)[: 3 if cell == "lstm" else 2]]
        found.append([*outs, *case.grads(cotangents).values()])
    for other in found[1:]:
        for a, b in zip(found[0], other):
            np.testing.assert_array_equal(a, b)


def test_second_derivatives_without_units():
    xp, kernel = G.placeholder((None, None, 0)), G.Variable(np.zeros((0, 0), "float32"))
    dxp, dkernel = G.gradients([G.apply("lstm", [xp, None, None, kernel, None, None])[0]], [xp, kernel])
    found = G.Function([xp], G.gradients([dxp, dkernel], [xp, kernel]))([np.zeros((2, 3, 0))])
    assert [a.shape for a in found] == [(2, 3, 0), (0, 0)]


def test_unknown_sizes():
    xp, kernel = G.placeholder((None, None, 12)), G.placeholder((3, 12))
    y, h, c, gates, cells = G.apply("lstm", [xp, None, None, kernel, None, None])
    assert y.shape == cells.shape == (None, None, 3)
    assert h.shape == c.shape == (None, 3)
    assert gates.shape == (None, None, 12)
    mask = G.placeholder((4, 7), "bool")
    assert G.apply("lstm", [xp, None, None, kernel, mask, None])[0].shape == (4, 7, 3)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"xp": (2, 3, 7)}, ValueError, r"\[lstm\] input projection has shape \(2, 3, 7\).*4 \* units with units = 2"),
        ({"h0": (5, 2)}, ValueError, r"\[lstm\] .*batch size"),
        ({"c0": (2, 3)}, ValueError, r"\[lstm\] initial state c has shape \(2, 3\)"),
        ({"kernel": (2, 6)}, ValueError, r"\[lstm\] recurrent kernel has shape \(2, 6\)"),
        ({"xp": (2, 8)}, ValueError, r"\[lstm\] .*input projection"),
        ({"mask": (2, 4)}, ValueError, r"\[lstm\] .*number of steps"),
        ({"rec_mask": (3, 2, 2)}, ValueError, r"\[lstm\] .*number of gates"),
        ({"kernel": None}, ValueError, r"\[lstm\] got None where it needs .* its input 'R'"),
    ],
)
def test_wrong_shapes(change, error, message):
    shapes = {"xp": (2, 3, 8), "h0": (2, 2), "c0": (2, 2), "kernel": (2, 8), "mask": (2, 3), "rec_mask": (4, 2, 2)}
    shapes.update(change)
    inputs = [None if s is None else G.placeholder(s, "bool" if k == "mask" else None) for k, s in shapes.items()]
    with pytest.raises(error, match=message):
        G.apply("lstm", inputs)


def test_wrong_types():
    xp, kernel = G.placeholder((2, 3, 4)), G.placeholder((4, 4))
    with pytest.raises(TypeError, match="mask must be bool"):
        G.apply("simple_rnn", [xp, None, kernel, G.placeholder((2, 3)), None])
    with pytest.raises(TypeError):
        G.apply("simple_rnn", [xp, None, G.placeholder((4, 4), "float64"), None, None])
    with pytest.raises(TypeError):
        G.apply("simple_rnn", [G.placeholder((2, 3, 4), "int32"), None, kernel, None, None])
    with pytest.raises(ValueError, match="reset_after=True"):
        G.apply("gru", [G.placeholder((2, 3, 6)), None, G.placeholder((2, 6)), G.placeholder((6,)), None, None])


# ---- second derivatives ------------------------------------------------------------------------------


def gradient_of(case, results):
    """A scalar field made of the first gradients: a random combination of all of them, through a bent cotangent."""

    def build(*leaves):
        outs = case.results(case.apply(leaves))[:results]
        bent = [G.apply("sin", [out * 1.3 + 0.2]) for out in outs]
        grads = G.gradients(bent, list(leaves))
        total = None
        for k, g in enumerate(grads):
            weights = np.random.RandomState(k).uniform(-1, 1, case.arrays[case.given[k]].shape)
            part = G.apply("reduce_sum", [g * weights], axes=list(range(g.ndim)), keepdims=False)
            total = part if total is None else total + part
        return total

    return build


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"mask": "holes", "rec_mask": True, "go_backwards": True},
        {"mask": "left", "activation": "softsign", "recurrent_activation": "tanh"},
        {"states": False, "bias": False, "activation": "elu", "rec_mask": True},
    ],
    ids=["plain", "masked backwards", "left", "no states"],
)
def test_second_gradients(cell, options):
    options = {k: v for k, v in options.items() if k != "recurrent_activation" or cell != "simple_rnn"}
    case = Case(cell, batch=2, steps=3, units=2, **options)
    check_gradients(gradient_of(case, 3 if cell == "lstm" else 2), [case.arrays[k] for k in case.given])


@pytest.mark.parametrize("cell", ["gru", "gru_reset_after"])
def test_second_gradients_where_the_carried_state_is_dropped(cell):
    case = Case(cell, batch=2, steps=3, units=2, mask="holes", rec_mask=True, drop_carry=True)
    check_gradients(gradient_of(case, 2), [case.arrays[k] for k in case.given])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("activation", sorted(reference.ACTIVATIONS))
def test_the_formula_of_a_gradient_op_gives_what_the_op_gives(cell, activation):
    """Its inputs' gradients are checked above for some activations; here its value for all of them."""
    from hornbeam.graph.gradients import recurrent_steps

    case = Case(cell, mask="holes", rec_mask=True, activation=activation, go_backwards=True)
    leaves = [as_placeholder(case.arrays[k]) for k in case.given]
    outs = case.apply(leaves)
    first = outs[0] if isinstance(outs, tuple) else outs
    gradient = next(t.op for t in G.gradients([first], leaves) if t is not None and t.op.op == case.op + "_grad")
    formula = getattr(recurrent_steps, case.op + "_grad")(*gradient.inputs, **gradient.attrs)
    f = G.Function(leaves, [*gradient.outputs, *formula])
    results = f([case.arrays[k] for k in case.given])
    half, count = len(results) // 2, len(case.given)  # what an input that is not there would get is not defined
    for got, want in zip(results[half : half + count], results[:count]):
        np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


def test_what_can_be_a_cells_activation():
    """Those whose result tells their slope; the others are refused by name, and a layer with one runs step by step."""
    fit = {"linear", *(name for name, _, has_slope in _core.activations() if has_slope)}
    assert fit == set(SLOPES) == set(KERNEL_ACTIVATIONS.values())
    arrays, attrs = SAMPLES["simple_rnn"]
    for name in {name for name, _, _ in _core.activations()} - fit:
        with pytest.raises(ValueError, match=rf"^\[simple_rnn\] activation '{name}' cannot be a cell's"):
            run_op("simple_rnn", arrays, **{**attrs, "activation": name})
        x = Input((5, 3))
        y = Model(x, SimpleRNN(4, activation=name)(x)).predict(np.ones((2, 5, 3)))
        assert y.shape == (2, 4) and np.isfinite(y).all()
