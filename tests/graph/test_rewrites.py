"""Each rewrite on a small graph, before and after."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam.graph.flat import flatten
from hornbeam.graph.rewrites import (
    absent,
    affine,
    common,
    constants,
    dead,
    epilogue,
    fusion,
    multi_tensor,
    neutral,
    rewrite,
    rows,
    shapes,
    slices,
    transposes,
    views,
)

CONV = {"strides": [1, 1], "dilation": [1, 1], "padding": "valid"}


def names(graph):
    return [op.name for op in graph.ops]


def value_of(graph, feeds):
    program, variables = graph.lower()
    for v in variables:
        v.materialize()
    return program.run(feeds)


def var(*shape, seed=0):
    return G.Variable(np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32"))


def test_dead_code():
    x = G.placeholder((2,))
    graph = flatten([x], [x * 2.0, x + 1.0])
    graph.outputs = graph.outputs[:1]
    dead.remove_dead(graph)
    assert names(graph) == ["mul"]


def test_common_subexpressions_but_never_random_ones():
    x = G.placeholder((2,))
    draw = [G.apply("random_uniform", [G.constant([2])], low=0.0, high=1.0, seed=1, dtype="float32") for _ in range(2)]
    graph = flatten([x], [(x * 2.0) + (x * 2.0) + draw[0] + draw[1]])
    common.eliminate_common(graph)
    dead.remove_dead(graph)
    assert names(graph).count("mul") == 1 and names(graph).count("random_uniform") == 2


def test_zeros_of_both_signs_stay_apart():
    x = G.placeholder((2,))
    fills = [G.apply("fill", [G.shape_of(x)], value=value, dtype="float32") for value in (0.0, -0.0)]
    graph = flatten([x], [1.0 / f for f in fills])
    common.eliminate_common(graph)
    np.testing.assert_array_equal(value_of(graph, [np.ones(2)]), [[np.inf] * 2, [-np.inf] * 2])
    on_demand = [G.apply("fill", [G.constant([2])], value=value, dtype="float32").numpy() for value in (0.0, -0.0)]
    assert [np.signbit(a).all() for a in on_demand] == [False, True], "programs are kept by the structure of a formula"


def test_constants_fold():
    x = G.placeholder((2,))
    graph = flatten([x], [x + G.apply("exp", [G.constant(np.zeros(2, "float32"))]) * 3.0])
    constants.fold_constants(graph)
    assert names(graph) == ["add"]
    np.testing.assert_array_equal(value_of(graph, [np.ones(2)])[0], [4, 4])


def test_loops_over_constants_of_float16_fold():
    rows = G.constant(np.ones((3, 2)), "float16")
    made = G.scan(lambda states, rows: ([G.apply("softmax", [rows[0]])], []), [], [rows])
    graph = flatten([], made.outputs)
    rewrite(graph)
    assert names(graph) == []
    np.testing.assert_array_equal(value_of(graph, [])[0], np.full((3, 2), 0.5, "float16"))


def test_bias_and_activation_of_a_1d_convolution_go_into_the_2d_one():
    x, kernel, bias = G.placeholder((None, 1, 5, 3)), var(1, 2, 3, 4), var(4)
    y = G.apply("conv2d", [x, kernel], **CONV)
    steps = G.apply("squeeze", [y], axes=[1])
    data = np.random.RandomState(0).randn(2, 1, 5, 3)

    def rewritten(outputs):
        graph = flatten([x], outputs)
        before = value_of(graph, [data])
        views.sink_squeezes(graph)
        epilogue.fuse_epilogues(graph)
        for p, q in zip(value_of(graph, [data]), before):
            np.testing.assert_allclose(p, q, rtol=1e-6)
        return graph

    graph = rewritten([G.apply("relu", [steps + bias])])
    assert names(graph) == ["conv2d", "squeeze"] and graph.ops[0].attrs["activation"] == "relu"
    assert "add" in names(rewritten([steps + bias, steps])), "the values in between are wanted"
    assert "add" in names(rewritten([steps + bias, y])), "so here"
    wide = G.Variable(np.ones((4, 4), "float32"))
    assert "add" in names(rewritten([steps + wide])), "no number per column"
    last = G.apply("squeeze", [G.apply("conv2d", [x, var(1, 2, 3, 1)], **CONV)], axes=[-1])
    assert "add" in names(rewritten([last + bias])), "the last axis is dropped"


def test_bias_and_activation_go_into_the_product():
    x, w, b = G.placeholder((None, 3)), var(3, 4), var(4)
    graph = flatten([x], [G.apply("relu", [G.apply("matmul", [x, w]) + b])])
    before = value_of(graph, [np.ones((2, 3))])[0]
    epilogue.fuse_epilogues(graph)
    assert names(graph) == ["matmul"] and graph.ops[0].attrs["activation"] == "relu"
    np.testing.assert_allclose(value_of(graph, [np.ones((2, 3))])[0], before, rtol=1e-6)


def test_bias_and_activation_go_into_the_transposed_convolution():
    x, w, b = G.placeholder((None, 4, 4, 3)), var(3, 3, 2, 3), var(2)
    y = G.apply("conv2d_input_grad", [x, w, G.constant([2, 8, 8, 2])], strides=[2, 2], dilation=[1, 1], padding="same")
    graph = flatten([x], [G.apply("relu", [y + b])])
    image = np.random.RandomState(4).uniform(-1, 1, (2, 4, 4, 3)).astype("float32")
    before = value_of(graph, [image])[0]
    epilogue.fuse_epilogues(graph)
    assert names(graph) == ["conv2d_input_grad"] and graph.ops[0].attrs["activation"] == "relu"
    np.testing.assert_allclose(value_of(graph, [image])[0], before, rtol=1e-5, atol=1e-6)


def test_an_activation_of_a_mean_is_no_activation_of_what_was_normalized():
    x = G.placeholder((6, 4))
    data = np.random.RandomState(0).randn(6, 4)
    y, mean, variance, _ = G.apply("batch_norm", [x, None, None], epsilon=1e-3)
    for outputs in ([G.apply("relu", [mean])], [y, G.apply("exp", [variance])]):
        graph = flatten([x], outputs)
        before = value_of(graph, [data])
        epilogue.fuse_epilogues(graph)
        assert names(graph) == ["batch_norm", outputs[-1].op.op]
        for p, q in zip(value_of(graph, [data]), before):
            np.testing.assert_array_equal(p, q)


def test_what_others_read_stays():
    x, w, b = G.placeholder((None, 3)), var(3, 4), var(4)
    h = G.apply("matmul", [x, w]) + b
    graph = flatten([x], [G.apply("tanh", [h]), h])
    epilogue.fuse_epilogues(graph)
    assert names(graph) == ["matmul", "tanh"]


def test_batch_normalization_folds_into_the_convolution():
    x, w, b = G.placeholder((None, 5, 5, 2)), var(3, 3, 2, 4), var(4, seed=1)
    scale, shift = G.apply("exp", [var(4, seed=2)]), var(4, seed=3)
    y = (G.apply("conv2d", [x, w, b], strides=[1, 1], dilation=[1, 1], padding="same") * scale) + shift
    graph = flatten([x], [y])
    a = np.random.RandomState(4).uniform(-1, 1, (2, 5, 5, 2)).astype("float32")
    before = value_of(graph, [a])[0]
    affine.fold_affine(graph)
    assert names(graph)[-1] == "conv2d"  # nothing after it
    program, _ = graph.lower()
    body = [line for line in str(program).splitlines() if "[prologue]" not in line and " = " in line]
    assert len([line for line in body if not line.startswith("output")]) == 1
    np.testing.assert_allclose(value_of(graph, [a])[0], before, rtol=1e-5, atol=1e-5)


def test_a_factor_that_adds_an_axis_is_not_folded():
    x, w, scale = G.placeholder((None, 3)), var(3, 4), var(1, 1, 4)
    graph = flatten([x], [G.apply("matmul", [x, w]) * scale])
    before = value_of(graph, [np.ones((2, 3))])[0]
    affine.fold_affine(graph)
    after = value_of(graph, [np.ones((2, 3))])[0]
    assert after.shape == before.shape == (1, 2, 4)


def test_written_weights_are_not_folded():
    x, w, scale = G.placeholder((None, 3)), var(3, 4), var(4)
    graph = flatten([x], [G.apply("matmul", [x, w]) * scale], [w.assign(w * 0.5)])
    affine.fold_affine(graph)
    assert names(graph).count("mul") == 2 and names(graph)[0] == "matmul"


def test_folded_weights_follow_the_variables():
    x, w, scale = G.placeholder((None, 3)), var(3, 4), G.Variable(np.ones(4, "float32"))
    f = G.Function([x], [G.apply("matmul", [x, w]) * scale])
    a = np.ones((2, 3), "float32")
    first = f([a])[0]
    scale.set_value(np.full(4, 2.0))
    np.testing.assert_allclose(f([a])[0], first * 2, rtol=1e-6)


def test_elementwise_runs_fuse():
    x, b = G.placeholder((None, 3)), var(3)
    h = G.apply("relu", [x * 2.0 + b])
    y = G.apply("exp", [-h]) * G.cast(h > 0.5, "float32")
    graph = flatten([x], [y, h])
    a = np.linspace(-2, 2, 12).reshape(4, 3)
    before = value_of(graph, [a])
    fusion.fuse_elementwise(graph)
    assert names(graph) == ["fused"]
    for p, q in zip(value_of(graph, [a]), before):
        np.testing.assert_array_equal(p, q)


def test_fusion_stops_where_others_read_in_between():
    x, w = G.placeholder((None, 3)), var(3, 3)
    h = x * 2.0 + 1.0
    y = G.apply("matmul", [h, w]) + G.apply("exp", [h])
    graph = flatten([x], [y])
    a = np.ones((2, 3))
    before = value_of(graph, [a])[0]
    fusion.fuse_elementwise(graph)
    made = set()
    leaves = {v for v, value in enumerate(graph.values) if value.kind != "computed"}
    for op in graph.ops:
        assert all(v < 0 or v in made | leaves for v in op.inputs)
        made.update(op.outputs)
    np.testing.assert_array_equal(value_of(graph, [a])[0], before)


def test_optimizer_steps_merge():
    params, grads = [var(3, 2), var(5)], [var(3, 2, seed=1), var(5, seed=2)]
    moments = [G.Variable(np.zeros(p.shape, "float32")) for p in params]
    rate = G.Variable(np.float32(0.1))
    updates = []
    for p, g, m in zip(params, grads, moments):
        new = 0.9 * m - rate * g
        updates += [m.assign(new), p.assign(p + new)]
    graph = flatten([], [], updates)
    want = [p.get_value() - np.float32(0.1) * g.get_value() for p, g in zip(params, grads)]
    fusion.fuse_elementwise(graph)
    multi_tensor.merge_updates(graph)
    assert names(graph) == ["fused_multi"]
    value_of(graph, [])
    for p, w in zip(params, want):
        np.testing.assert_allclose(p.get_value(), w, rtol=1e-6)


def embedding_step(table, ids, row_grads, other_reader=False):
    """Momentum on a table of which some rows are looked up; `other_reader`: somebody else wants the whole gradient."""
    moment = G.Variable(np.full(table.shape, 0.5, "float32"))
    (grad,) = G.gradients([G.apply("gather", [table, ids], axis=0) * row_grads], [table])
    new = moment * 0.9 + grad * grad
    outputs = [G.apply("reduce_max", [grad], axes=[0, 1], keepdims=False)] if other_reader else []
    return flatten([ids, row_grads], outputs, [moment.assign(new), table.assign(table - new)]), moment


def test_an_embeddings_gradient_stays_rows():
    results = []
    for keep in (False, True):
        table, ids, row_grads = var(6, 3), G.placeholder((None,), "int32"), G.placeholder((None, 3))
        graph, moment = embedding_step(table, ids, row_grads)
        fusion.fuse_elementwise(graph)
        before = names(graph)
        assert before.count("scatter_add") == 1 and before.count("fused") == 1
        if keep:
            rows.keep_rows(graph)
            expected = [{"scatter_add": "sum_rows", "fused": "fused_rows"}.get(name, name) for name in before]
            assert names(graph) == expected
        value_of(graph, [np.array([4, 1, 4, 4], "int32"), np.arange(12, dtype="float32").reshape(4, 3)])
        results.append((moment.get_value(), table.get_value()))
    for first, second in zip(*results):
        np.testing.assert_array_equal(first, second)
    assert results[0][0][0, 0] == np.float32(0.5) * np.float32(0.9)  # rows that were not looked up change, too


def test_a_gradient_that_others_read_is_spread():
    table, ids, row_grads = var(6, 3), G.placeholder((None,), "int32"), G.placeholder((None, 3))
    graph, _ = embedding_step(table, ids, row_grads, other_reader=True)
    fusion.fuse_elementwise(graph)
    rows.keep_rows(graph)
    assert "scatter_add" in names(graph) and "sum_rows" not in names(graph)


def test_rows_that_nothing_joins_are_spread():
    """``fused_rows`` takes an input beside them."""
    sums, ids = G.placeholder((3, 2)), G.placeholder((3,), "int32")
    spread = G.apply("scatter_add", [ids, sums, G.convert(np.array([5, 2], "int32"))])
    f = G.Function([ids, sums], [K.tanh(spread) * 2.0])
    expected = np.zeros((5, 2))
    expected[0], expected[1] = 2 * np.tanh(1), 2 * np.tanh(2)
    np.testing.assert_allclose(f([np.array([0, 1, 1], "int32"), np.ones((3, 2))])[0], expected, rtol=1e-6)


def test_updates_that_read_each_other_do_not_merge():
    a, b = var(4), var(4, seed=1)
    graph = flatten([], [], [a.assign(b * 2.0 + 1.0), b.assign(a * 2.0 + 1.0)])
    old_a, old_b = a.get_value(), b.get_value()
    fusion.fuse_elementwise(graph)
    multi_tensor.merge_updates(graph)
    assert names(graph) == ["fused", "fused"]
    value_of(graph, [])
    np.testing.assert_allclose(a.get_value(), old_b * 2 + 1, rtol=1e-6)
    np.testing.assert_allclose(b.get_value(), old_a * 2 + 1, rtol=1e-6)


SLICE = {"strides": [1, 1], "begin_mask": 0, "end_mask": 0}
FIRST, LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def transpose(x, perm):
    return G.apply("transpose", [x], perm=perm)


def sunk(inputs, outputs):
    graph = flatten(inputs, outputs)
    before = flatten(inputs, outputs)
    transposes.sink_transposes(graph)
    dead.remove_dead(graph)
    feeds = [np.random.RandomState(0).randn(*(2 if d is None else d for d in x.shape)) for x in inputs]
    for a, b in zip(value_of(graph, feeds), value_of(before, feeds)):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-6)
    return graph


def sliced_gradient(*bounds, axis=1):
    """The gradient of pieces of a (None, 6) tensor, and the reference: zeros with the pieces' cotangents put in."""
    x = G.placeholder((None, 6), name="x")
    key = [slice(None), slice(None)]
    total, want = 0.0, np.zeros((3, 6))
    for number, (begin, end) in enumerate(bounds, 2):
        key[axis] = slice(begin, end)
        piece = x[tuple(key)]
        total = total + G.apply("reduce_sum", [piece * float(number)], axes=[0, 1])
        want[tuple(key)] += number
    graph = flatten([x], G.gradients(total, [x]))
    for rewrite_pass in (shapes.resolve_shapes, common.eliminate_common, slices.join_slices, dead.remove_dead):
        rewrite_pass(graph)
    np.testing.assert_array_equal(value_of(graph, [np.ones((3, 6))])[0], want)
    return names(graph)


@pytest.mark.parametrize("bounds", [[(0, 2), (2, 3), (3, 6)], [(3, None), (None, 3)], [(-3, None), (0, -3)]], ids=str)
def test_gradients_of_pieces_are_put_side_by_side(bounds):
    found = sliced_gradient(*bounds)
    assert "slice_grad" not in found and "add" not in found


def test_pieces_that_depend_on_an_unknown_length_are_added():
    assert sliced_gradient((0, 1), (1, None), axis=0).count("slice_grad") == 2


@pytest.mark.parametrize("bounds", [[(0, 2), (3, 6)], [(0, 4), (3, 6)], [(0, 2), (2, 5)]], ids=str)
def test_pieces_that_leave_gaps_or_overlap_are_added(bounds):
    assert sliced_gradient(*bounds).count("slice_grad") == 2


def test_pieces_that_begin_at_an_unknown_dim_are_added():
    x, n, row_grads = G.placeholder((2, 6)), G.placeholder((None,)), [G.placeholder((2, 2)), G.placeholder((2, 3))]
    begins = G.apply("concat", [G.constant([0]), G.shape_of(n)], axis=0)
    pieces = [G.apply("slice", [x, begins, G.constant([2, 3])], **SLICE), x[:, 3:]]
    graph = flatten([x, n, *row_grads], G.gradients(pieces, [x], row_grads))
    feeds = [np.ones((2, 6)), np.ones(1), np.full((2, 2), 2.0), np.full((2, 3), 3.0)]
    slices.join_slices(graph)
    np.testing.assert_array_equal(value_of(graph, feeds)[0], [[0, 2, 2, 3, 3, 3]] * 2)


def test_second_derivatives_through_joined_pieces():
    x = G.placeholder((None, 2))
    y = G.apply("concat", [x * 2.0, x * x], axis=1)
    (slope,) = G.gradients(G.apply("reduce_sum", [y * y], axes=[0, 1]), [x])  # 8 x + 4 x^3
    (second,) = G.gradients(G.apply("reduce_sum", [slope * slope], axes=[0, 1]), [x])
    data = np.array([[1.0, 2.0], [3.0, -1.0]])
    got, twice = G.Function([x], [slope, second])([data])
    np.testing.assert_allclose(got, 8 * data + 4 * data**3)
    np.testing.assert_allclose(twice, 2 * (8 * data + 4 * data**3) * (8 + 12 * data**2))


def test_transposes_cancel_across_elementwise_ops():
    x, y = G.placeholder((None, 4, 5, 3)), G.placeholder((None, 4, 5, 3))
    inner = G.apply("relu", [transpose(x, FIRST) * 2.0 + transpose(y, FIRST)])
    assert names(sunk([x, y], [transpose(inner, LAST)])) == ["mul", "add", "relu"]


def test_transposes_in_a_row_become_one():
    x = G.placeholder((None, 4, 5, 3))
    graph = sunk([x], [transpose(G.apply("exp", [transpose(x, FIRST)]), [3, 0, 2, 1])])
    assert names(graph) == ["exp", "transpose"] and graph.ops[1].attrs["perm"] == [2, 0, 1, 3]


def test_transposes_sink_through_pad_concat_reductions_and_shape():
    x, y = G.placeholder((None, 4, 5, 3)), G.placeholder((None, 4, 5, 3))
    a, b = transpose(x, FIRST), transpose(y, FIRST)
    padded = G.apply("pad", [a], before=[0, 0, 1, 2], after=[0, 0, 3, 0], value=0.0)
    assert names(sunk([x], [transpose(padded, LAST)])) == ["pad"]
    assert names(sunk([x, y], [transpose(G.apply("concat", [a, b], axis=1), LAST)])) == ["concat"]
    mean = G.apply("reduce_mean", [a], axes=[2, 3], keepdims=False)
    assert names(sunk([x], [mean])) == ["reduce_mean"]
    kept = G.apply("reduce_max", [a], axes=[1], keepdims=True)
    assert names(sunk([x], [transpose(kept, LAST)])) == ["reduce_max"]
    assert "transpose" not in names(sunk([x], [G.apply("shape", [a])]))
    some = G.apply("reduce_sum", [transpose(x, [3, 2, 1, 0])], axes=[1], keepdims=False)
    assert names(sunk([x], [some])) == ["reduce_sum", "transpose"]


def test_transposes_stay_before_ops_that_mix_orders():
    x, y = G.placeholder((2, 3)), G.placeholder((3, 2))
    assert names(sunk([x, y], [transpose(x, [1, 0]) + y])) == ["transpose", "add"]
    row = G.placeholder((2,))
    assert names(sunk([x, row], [transpose(x, [1, 0]) + row])) == ["transpose", "add"]


def test_channels_first_models_transpose_at_their_ends_only():
    from hornbeam import layers as L

    x = L.Input((3, 9, 9))
    form = {"data_format": "channels_first"}
    y = L.Conv2D(4, 3, activation="relu", padding="same", **form)(x)
    z = L.BatchNormalization(axis=1)(L.Conv2D(4, 3, padding="same", **form)(y))
    z = L.MaxPooling2D(**form)(L.Activation("relu")(L.add([y, z])))
    z = L.ZeroPadding2D(**form)(z)
    z = L.GlobalAveragePooling2D(**form)(L.Conv2D(2, 3, **form)(z))
    graph = flatten([x], [z])
    for rewrite_pass in (common.eliminate_common, transposes.sink_transposes, dead.remove_dead):
        rewrite_pass(graph)
    assert names(graph).count("transpose") == 1, "the input's; the mean has no channels-last twin"


def test_shapes_are_put_together_from_the_feeds():
    x, w, b = G.placeholder((None, 3)), var(3, 4), var(4)
    h = G.apply("relu", [G.apply("matmul", [x, w]) + b])
    y = h + G.apply("fill", [G.shape_of(h)], value=1.0, dtype="float32")
    (g,) = G.gradients([y], [b])
    graph = flatten([x], [y, g])
    before = value_of(graph, [np.ones((2, 3))])
    shapes.resolve_shapes(graph)
    assert "broadcast_to" not in names(graph)
    assert {graph.values[op.inputs[0]].kind for op in graph.ops if op.name == "shape"} == {"feed"}
    for p, q in zip(value_of(graph, [np.ones((2, 3))]), before):
        np.testing.assert_array_equal(p, q)


def test_gradients_of_the_branch_not_chosen_are_not_computed():
    x, a, b = G.placeholder((None, 3)), var(3), var(3, seed=1)
    y = G.phase_switch(x * a, (x * a - b) / G.apply("sqrt", [a * a]))
    grads = G.gradients([y], [x, a, b])
    for phase, wanted in ((1, grads[:2]), (0, grads)):
        graph = flatten([x], wanted, [], phase)
        before = value_of(graph, [np.ones((2, 3))])
        absent.drop_absent(graph)
        dead.remove_dead(graph)
        assert ("sqrt" in names(graph)) == ("div" in names(graph)) == (phase == 0), "of the inference's formula"
        for p, q in zip(value_of(graph, [np.ones((2, 3))]), before):
            np.testing.assert_array_equal(p, q)
    graph = flatten([x], grads[2:], [], 1)
    absent.drop_absent(graph)
    np.testing.assert_array_equal(value_of(graph, [np.ones((2, 3))])[0], np.zeros(3))


def test_an_absent_gradient_selects():
    """Infinities of the branch that was not chosen leave no nan, as multiplying by zero would."""
    x, a = G.placeholder((2,)), G.Variable(np.zeros(1, "float32"))
    (g,) = G.gradients([G.phase_switch(x * 2.0, x / a)], [x])
    np.testing.assert_array_equal(G.Function([x], [g], phase=1)([np.ones(2)])[0], [2, 2])


def test_an_absent_gradient_that_is_wanted_is_zero_beside_an_infinity():
    x, a = G.placeholder((None, 3)), G.Variable(np.zeros(3, "float32"))
    (g,) = G.gradients([G.phase_switch(x * 2.0, x / a)], [a])
    kept, outputs = G.Variable(np.ones(3, "float32")), [g, g + x]
    graph = flatten([x], outputs, [kept.assign(g)], 1)
    absent.drop_absent(graph)
    first, second = value_of(graph, [np.ones((2, 3))])
    np.testing.assert_array_equal(first, np.zeros(3))
    np.testing.assert_array_equal(second, np.ones((2, 3)))
    np.testing.assert_array_equal(kept.get_value(), np.zeros(3))


def test_a_transposed_convolution_of_an_absent_gradient_has_its_bias():
    x = G.placeholder((1, 4, 4, 2))
    (zeros,) = G.gradients([G.phase_switch(G.constant(np.ones((1, 4, 4, 2), "float32")), x)], [x])
    y = G.apply("conv2d_input_grad", [zeros, var(3, 3, 3, 2), G.constant([1, 4, 4, 3]), var(3, seed=1)],
                strides=[1, 1], dilation=[1, 1], padding="same")  # fmt: skip
    graph = flatten([x], [y + G.constant(np.ones((1, 4, 4, 3), "float32"))], [], 1)
    before = value_of(graph, [np.ones((1, 4, 4, 2))])
    absent.drop_absent(graph)
    for p, q in zip(value_of(graph, [np.ones((1, 4, 4, 2))]), before):
        np.testing.assert_array_equal(p, q)
    assert names(graph).count("conv2d_input_grad") == 1


def test_a_quotient_of_integers_by_one_is_a_float():
    x = G.placeholder((3,), "int32")
    graph = flatten([x], [x / 1, x * 1])
    neutral.drop_neutral(graph)
    assert names(graph) == ["div"]
    assert [a.dtype.name for a in value_of(graph, [np.arange(3)])] == ["float64", "int32"]


def test_a_state_that_nobody_needs_after_the_body_was_rewritten_goes_away():
    x, initial = G.placeholder((4, 3)), G.placeholder((3,))

    def step(states, rows):
        zeros = G.gradients([G.phase_switch(rows[0] * 2.0, states[0])], [states[0]])[0]
        return [rows[0] * 2.0 + zeros * states[0]], [states[0] * 2.0 + rows[0]]

    graph = flatten([x, initial], G.scan(step, [initial], [x]).outputs, [], 1)
    rewrite(graph)
    (op,) = graph.ops
    assert op.attrs["states"] == 0 and names(op.bodies[0]) == ["mul"]
    np.testing.assert_array_equal(value_of(graph, [np.ones((4, 3)), np.ones(3)])[0], np.full((4, 3), 2.0))


def test_neutral_operands_are_dropped_unless_they_broadcast():
    x = G.placeholder((None, 3))
    zeros = G.apply("fill", [G.shape_of(x)], value=0.0, dtype="float32")
    wide = G.apply("fill", [G.constant([5, 3])], value=0.0, dtype="float32")
    graph = flatten([x], [(x + zeros) * 1.0 - 0.0, x[:1] + wide])
    neutral.drop_neutral(graph)
    dead.remove_dead(graph)
    assert names(graph).count("add") == 1 and "mul" not in names(graph) and "sub" not in names(graph)
    a, b = value_of(graph, [np.ones((2, 3))])
    np.testing.assert_array_equal(a, np.ones((2, 3)))
    assert b.shape == (5, 3)


def test_a_recurrent_layer_with_dropout_runs_once():
    """The variant without masks leaves neither its kernel nor that kernel's gradient in the training program."""
    from hornbeam.layers import LSTM, Input

    x, layer = Input((5, 4)), LSTM(3, dropout=0.2, recurrent_dropout=0.2)
    y = layer(x)
    program = str(G.Function([x], [y, *G.gradients([y], [x, *layer.weights])], phase=1).program())
    assert program.count("= lstm(") == program.count("= lstm_grad(") == 1
