"""What calls functions, holds state, or makes no tensor: loops, variables, shapes, dtypes, summaries."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import initializers, optimizers
from hornbeam.layers import Input, Lambda, Layer
from hornbeam.models import Model
from hornbeam.tf import NAMES as tf
from hornbeam.tf import PURE, find

X = np.random.RandomState(0).normal(size=(3, 4)).astype("float32")


def value(x):
    return np.asarray(x)


# -- choices and loops ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("truth", [True, False])
def test_cond_takes_one_branch_of_any_structure(truth):
    pred = K.placeholder((), dtype="bool")
    first, second = tf["cond"](
        pred, lambda: (K.constant(1.0), K.constant(2.0)), lambda: (K.constant(3.0), K.constant(4.0))
    )
    one = tf["cond"](pred, fn1=lambda: K.constant(7.0), fn2=lambda: K.constant(8.0))
    assert K.function([pred], [first, second, one])([truth]) == ([1, 2, 7] if truth else [3, 4, 8])
    assert tf["cond"](truth, lambda: "yes", lambda: "no") == ("yes" if truth else "no")


def test_cond_needs_two_functions():
    with pytest.raises(ValueError, match="two functions"):
        tf["cond"](True, lambda: 1)


def test_cond_over_sizes_that_depend_on_data():
    """The negatives of a detector's loss, of which there may be none."""
    x = K.placeholder((None,))
    count = tf["count_nonzero"](x > 0.0, dtype="int32")
    best = tf["cond"](tf["equal"](count, 0), lambda: K.constant(-1.0), lambda: K.sum(tf["nn.top_k"](x, k=count)[0]))
    run = K.function([x], [best, K.gradients(best, x)[0]])
    for array, value_, gradient in (([1.0, -2.0, 3.0], 4, [1, 0, 1]), ([-1.0, -2.0], -1, [0, 0])):
        got = run([np.array(array)])
        assert got[0] == value_ and got[1].tolist() == gradient


def test_cond_of_results_of_several_lengths():
    """At most three boxes, and zeros where there are fewer."""
    x = K.placeholder((None, 2))
    kept = tf["boolean_mask"](x, x[:, 0] > 0.0)
    count = tf["shape"](kept)[0]
    three = tf["cond"](count > 3, lambda: kept[:3], lambda: tf["pad"](kept, [[0, 3 - count], [0, 0]]))
    run = K.function([x], [three])
    rows = np.arange(1.0, 11.0).reshape(5, 2)
    np.testing.assert_array_equal(run([rows])[0], rows[:3])
    np.testing.assert_array_equal(run([rows * [[1], [-1], [-1], [-1], [1]]])[0], [rows[0], rows[4], [0, 0]])


def test_split_of_a_batch():
    x = K.placeholder((None, 2))
    parts = K.function([x], tf["split"](x, 2))([np.arange(8.0).reshape(4, 2)])
    np.testing.assert_array_equal(parts, np.arange(8.0).reshape(2, 2, 2))


def test_case_takes_the_first_that_holds():
    n = K.placeholder((), dtype="int32")
    pairs = [(tf["less"](n, 2), lambda: K.constant(1.0)), (tf["less"](n, 5), lambda: K.constant(2.0))]
    chosen = K.function([n], [tf["case"](pairs, default=lambda: K.constant(3.0))])
    assert [chosen([k])[0] for k in (0, 3, 9)] == [1, 2, 3]


def test_a_loop_that_counts_to_the_size_of_a_batch():
    """As in YOLO's loss: what each step writes is stacked, and gradients come through it."""
    x = K.placeholder((None, 4))
    written = tf["TensorArray"]("float32", size=1, dynamic_size=True)

    def body(b, total, written):
        row = x[b]
        return b + 1, total + K.sum(row), written.write(b, row * K.cast(b, "float32"))

    b, total, written = tf["while_loop"](lambda b, *_: b < K.shape(x)[0], body, [0, K.constant(0.0), written])
    stacked = written.stack()
    (gradient,) = K.gradients(K.sum(stacked) + total, x)
    got = K.function([x], [b, total, stacked, gradient])([X])
    rows = np.arange(3.0)[:, None]
    for g, e in zip(got, [3, X.sum(), X * rows, 1 + rows + 0 * X]):
        np.testing.assert_allclose(g, e, rtol=1e-5)


def test_a_loop_of_a_computed_length_is_unrolled():
    double = tf["while_loop"](lambda x: tf["reduce_sum"](x) < 100.0, lambda x: x * 2.0, [K.constant([1.0, 2.0])])
    np.testing.assert_array_equal(value(double), [64, 128])


def test_a_loop_of_at_most_some_steps_stands_still_when_it_is_done():
    x = K.placeholder((2,))
    halved = tf["while_loop"](lambda x: tf["reduce_max"](x) > 1.0, lambda x: x / 2.0, [x], maximum_iterations=10)
    np.testing.assert_array_equal(K.function([x], [halved])([[8.0, 3.0]])[0], [1, 0.375])


def test_a_loop_whose_length_depends_on_data_is_refused():
    x = K.placeholder((2,))
    with pytest.raises(ValueError, match="maximum_iterations"):
        tf["while_loop"](lambda x: tf["reduce_max"](x) > 1.0, lambda x: x / 2.0, [x])


@pytest.mark.parametrize(
    "body, match",
    [
        (lambda i, a: (i + 2, a.write(i, 1.0)), "grow by 1"),
        (lambda i, a: (i + 1, a), "write into each"),
        (lambda i, a: (i + 1, a.write(0, 1.0)), "at the number of the step"),
        (lambda i, a: i + 1, "gives 1"),
    ],
)
def test_a_counting_loop_that_does_something_else_is_refused(body, match):
    n = K.placeholder((), dtype="int32")
    with pytest.raises(ValueError, match=match):
        tf["while_loop"](lambda i, a: i < n, body, [0, tf["TensorArray"]("float32", 3)])


def test_tensor_array():
    array = tf["TensorArray"]("float32", size=2).write(0, [1.0, 2.0]).write(tf["constant"](1), [3.0, 4.0])
    np.testing.assert_array_equal(value(array.stack()), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(value(array.read(1)), [3, 4])
    np.testing.assert_array_equal(value(array.gather([1])), [[3, 4]])
    np.testing.assert_array_equal(value(tf["TensorArray"]("float32").unstack(X[:, :, None]).concat()), X.reshape(-1, 1))
    assert value(array.size()) == 2


def test_map_fn_scan_and_folds():
    x = K.constant(X)
    np.testing.assert_allclose(value(tf["map_fn"](lambda row: row * 2.0, x)), 2 * X)
    np.testing.assert_allclose(value(tf["map_fn"](tf["argmax"], x, dtype="int64")), X.argmax(1))
    a, b = tf["map_fn"](lambda pair: (pair[0] + pair[1], pair[0]), (x, x), dtype=("float32", "float32"))
    np.testing.assert_allclose(value(a) - value(b), X)
    nested = tf["map_fn"](lambda e: {"sum": e[0] + e[1][0], "first": e[0]}, [x, [x], []])
    np.testing.assert_allclose(value(nested["sum"]) - value(nested["first"]), X, rtol=1e-5)
    for options, expected in (
        ({}, X.cumsum(0)), ({"initializer": K.zeros((4,))}, X.cumsum(0)), ({"reverse": True}, X[::-1].cumsum(0)[::-1])
    ):  # fmt: skip
        np.testing.assert_allclose(
            value(tf["scan"](lambda s, row: s + row, x, **options)), expected, rtol=1e-5, atol=1e-6
        )
    np.testing.assert_allclose(value(tf["foldl"](lambda s, row: s - row, x)), X[0] - X[1] - X[2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(value(tf["foldr"](lambda s, row: s - row, x)), X[2] - X[1] - X[0], rtol=1e-5, atol=1e-6)


def test_gradients_of_several_and_weighted():
    x = K.variable(X)
    (plain,) = tf["gradients"](x * x, x)
    (weighted,) = tf["gradients"]([x * x, x], [x], grad_ys=[K.constant(2.0), None])
    np.testing.assert_allclose(value(plain), 2 * X)
    np.testing.assert_allclose(value(weighted), 4 * X + 1, rtol=1e-6)


def test_gradients_that_stop_are_partial():
    a = K.placeholder((2,))
    b = 2.0 * a
    total, partial = (tf["gradients"](a * b, [a, b], stop_gradients=stops) for stops in (None, [a, b]))
    beyond = tf["gradients"](a * b + a, a, stop_gradients=b)
    run = K.function([a], [*total, *partial, *beyond, *tf["gradients"](b, b, stop_gradients=[b])])
    found = run([np.array([1.0, 3.0])])
    for gradient, expected in zip(found, [[4, 12], [1, 3], [2, 6], [1, 3], [3, 7], [1, 1]], strict=True):
        np.testing.assert_allclose(gradient, expected)
    assert tf["gradients"](b, a, stop_gradients=[b]) == [None]


# -- state ------------------------------------------------------------------------------------------------------
def test_gradients_of_what_is_not_connected():
    x, other = K.placeholder((2,)), K.placeholder((3,))
    (none,) = tf["gradients"](x * x, other)
    (zeros,) = tf["gradients"](x * x, other, unconnected_gradients="zero")
    assert none is None and K.function([other], [zeros])([np.ones(3)])[0].tolist() == [0, 0, 0]


def test_variables():
    v = tf["Variable"]([1.0, 2.0], trainable=False, name="v", dtype="float64")
    assert v.dtype == "float64" and v.name == "v:0" and not v.trainable
    assert isinstance(K.variable(1.0), tf["Variable"]) and not isinstance(K.constant(1.0), tf["Variable"])
    assert value(tf["Variable"](lambda: K.constant(2.0))) == 2
    assert value(tf["Variable"](K.constant(2), dtype="float32")).dtype == "float32"
    run = K.function([], [tf["assign_add"](v, [1.0, 1.0])])
    run([])
    np.testing.assert_array_equal(v.numpy(), [2, 3])
    K.function([], [tf["assign_sub"](v, [2.0, 2.0]), tf["assign"](K.variable(0.0), 1.0)])([])


def test_placeholders_and_eval():
    x = tf["placeholder"]("float32", [None, 4], name="x")
    assert x.name == "x:0"
    np.testing.assert_allclose((x * 2.0).eval(session=K.get_session(), feed_dict={x: X}), 2 * X)
    assert tf["reduce_sum"](x).eval({x: X}).ndim == 0
    with pytest.raises(ValueError, match="unknown rank"):
        tf["placeholder"]("float32")


def test_order_names_and_checks():
    v = tf["Variable"](1.0)
    with tf["control_dependencies"]([tf["group"](v.assign(5.0), None), tf["assert_equal"](v, 1.0), tf["no_op"]()]):
        after = tf["identity"](v)
    assert K.function([], [after])([])[0] == 5
    with tf["name_scope"]("a"), tf["variable_scope"](None, "b") as scope:
        assert scope == "a/b/" and tf["Variable"](0.0, name="w").name == "a/b/w:0"
    double = tf["function"](lambda x: 2 * x)
    assert double(2) == 4 and tf["function"](input_signature=[])(double)(3) == 6
    assert tf["check_numerics"](v, "message") is v
    assert tf["tuple"]([v]) == [v]


def test_print_shows_others_than_what_it_passes_on(capsys):
    x = K.placeholder((2,))
    printed = tf["Print"](x, [tf["reduce_sum"](x), "text"], message="sum: ")
    (gradient,) = K.gradients(printed * printed, x)
    got = K.function([x], [printed, gradient])([[1.0, 2.0]])
    np.testing.assert_array_equal(got, [[1, 2], [2, 4]])
    assert capsys.readouterr().out == "sum:  3.0\n"


# -- random -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name, arguments, mean, low, high",
    [
        ("random.normal", ((4000,), 1.0, 2.0), 1.0, -10, 12),
        ("truncated_normal", ([4000], 1.0, 2.0), 1.0, -3, 5),
        ("random_uniform", (4000, 2.0, 4.0), 3.0, 2, 4),
        ("random.uniform", ([4000], 0, 5, "int32"), 2.0, 0, 4),
        ("random.uniform", ([4000],), 0.5, 0, 1),
    ],
)
def test_random(name, arguments, mean, low, high):
    drawn = value(tf[name](*arguments, seed=3))
    assert abs(drawn.mean() - mean) < 0.15 and low <= drawn.min() <= drawn.max() <= high
    assert drawn.dtype == ("int32" if "int32" in arguments else "float32")


def test_random_integers_need_a_limit():
    with pytest.raises(ValueError, match="maxval"):
        tf["random.uniform"]([2], dtype="int32")


def test_classes_by_their_logits():
    drawn = value(tf["random.categorical"](np.log([[0.2, 0.8], [1.0, 1e-9]]).astype("float32"), 4000, seed=1))
    assert abs(drawn[0].mean() - 0.8) < 0.03 and not drawn[1].any()


def test_dropout_needs_a_rate():
    with pytest.raises(ValueError, match="one of"):
        tf["nn.dropout"](K.ones((50, 40)))


def test_flips(rng):
    images = rng.uniform(size=(40, 2, 3, 1)).astype("float32")
    flipped = value(tf["image.random_flip_left_right"](images, seed=4))
    same = [np.array_equal(a, b) for a, b in zip(flipped, images)]
    assert 5 < sum(same) < 35
    assert all(np.array_equal(f, i if s else i[:, ::-1]) for f, i, s in zip(flipped, images, same))
    assert value(tf["image.random_flip_up_down"](images[0])).shape == (2, 3, 1)


@pytest.mark.parametrize("arguments", [{"keep_prob": 0.75}, {"rate": 0.25}], ids=str)
def test_dropout(arguments):
    ones = K.ones((50, 40))
    kept = value(tf["nn.dropout"](ones, **arguments, seed=2))
    assert set(np.unique(kept)) == {np.float32(0), np.float32(1 / 0.75)} and abs(kept.mean() - 1) < 0.05


# -- shapes and dtypes ------------------------------------------------------------------------------------------
def test_static_shapes():
    x = K.placeholder((None, 3, 4))
    shape = x.get_shape()
    assert shape == (None, 3, 4) and isinstance(shape, tf["TensorShape"]) and isinstance(shape, tuple)
    assert (
        shape.as_list() == [None, 3, 4] and shape[1:].as_list() == [3, 4] and shape[1].value == 3 and shape[0] is None
    )
    assert shape.ndims == shape.rank == 3 and shape.dims == [None, 3, 4] and not shape.is_fully_defined()
    assert shape.num_elements() is None and shape[1:].num_elements() == 12
    assert shape.is_compatible_with((2, 3, 4)) and not shape.is_compatible_with((2, 4, 4))
    assert isinstance(shape[1], tf["Dimension"]) and tf["Dimension"](3).value == 3
    assert tf["TensorShape"]([None, 2]).concatenate([5]).as_list() == [None, 2, 5]
    with pytest.raises(ValueError, match="rank 2"):
        shape.with_rank(2)


def test_a_list_of_slices_is_an_index():
    x = K.constant(X)
    np.testing.assert_array_equal(value(x[[slice(1, 3), None, slice(None)]]), X[1:3, None])
    with pytest.raises(TypeError, match=r"K\.gather"):
        x[[0, 2]]


def test_set_shape_says_what_could_not_be_inferred():
    x = K.placeholder((None, None))
    x.set_shape((None, 4))
    assert x.shape == (None, 4)
    with pytest.raises(ValueError, match="has another shape"):
        x.set_shape((None, 5))


def test_dtypes():
    x = K.placeholder((2,), dtype=tf["float64"])
    assert x.dtype == tf["float64"] == "float64" and x.dtype is tf["float64"] and x.dtype.name == "float64"
    assert x.dtype.base_dtype.as_numpy_dtype is np.float64 and x.dtype.is_floating and not x.dtype.is_integer
    assert tf["int32"].max == 2**31 - 1 and tf["uint8"].min == 0 and tf["float32"].size == 4 and tf["bool"].is_bool
    assert repr(tf["int8"]) == "<dtype: 'int8'>" and tf["as_dtype"](np.float32) is tf["float32"]
    assert np.zeros(1, tf["int64"]).dtype == "int64" and K.dtype(x) == "float64" and type(K.dtype(x)) is str
    assert tf["cast"](x, tf["float32"]).dtype is tf["float32"]
    assert tf["cast"](x, "float").dtype == "float32" and tf["cast"](x, float).dtype == "float32"
    assert tf["constant"](np.ones(2)).dtype == "float64" and tf["constant"]([1.0]).dtype == "float32"
    with pytest.raises(TypeError, match=r"tf\.cast"):
        tf["convert_to_tensor"](x, dtype="float32")


def test_layers_build_from_shapes_that_are_lists():
    class Twice(Layer):
        def build(self, input_shape):
            self.w = self.add_weight(
                name="w", shape=(input_shape.as_list()[-1], input_shape[-1].value), initializer="ones"
            )
            super().build(input_shape)

        def call(self, x):
            return tf["matmul"](x, self.w)

    x = Input((4,))
    model = Model(x, Lambda(lambda t: tf["nn.softmax"](tf["expand_dims"](t, 1), axis=-1))(Twice()(x)))
    np.testing.assert_allclose(model.predict(X), np.full((3, 1, 4), 0.25), rtol=1e-6)


# -- Keras's things by TensorFlow's names -----------------------------------------------------------------------
def test_optimizers_and_initializers():
    adam = tf["train.AdamOptimizer"](0.01, beta1=0.5)
    assert isinstance(adam, optimizers.Adam) and K.eval(adam.beta_1) == 0.5
    assert isinstance(tf["train.GradientDescentOptimizer"](0.1), optimizers.SGD)
    assert tf["train.MomentumOptimizer"](0.1, 0.9, use_nesterov=True).nesterov
    assert isinstance(tf["train.AdadeltaOptimizer"](), optimizers.Adadelta)
    drawn = value(tf["random_normal_initializer"](stddev=3.0, seed=1, dtype="float32")((2000,)))
    assert abs(drawn.std() - 3) < 0.2
    assert value(tf["random_uniform_initializer"](seed=1)((2000,))).max() > 0.9
    assert abs(value(tf["truncated_normal_initializer"]()((2000,)))).max() <= 2
    assert (value(tf["constant_initializer"](4.0)((2,))) == 4).all() and not value(
        tf["zeros_initializer"]()((2,))
    ).any()
    assert isinstance(tf["contrib.layers.xavier_initializer"](), initializers.VarianceScaling)
    assert tf["variance_scaling_initializer"](distribution="truncated_normal").distribution == "normal"


def test_steps_along_given_gradients():
    """As actors of reinforcement learning train: gradients are fed."""
    w, step = K.variable(X[0]), K.variable(0, dtype="int64")
    fed = tf["placeholder"]("float32", [4])
    updates = tf["train.GradientDescentOptimizer"](0.5).apply_gradients([(fed, w), (None, step)], global_step=step)
    K.get_session().run(updates, {fed: np.ones(4)})
    np.testing.assert_allclose(w.numpy(), X[0] - 0.5)
    assert step.numpy() == 1
    adam = tf["train.AdamOptimizer"](0.1)
    run = K.function([], [adam.minimize(K.sum(K.square(w)), [w])])
    before = w.numpy()
    assert run([]) == []
    np.testing.assert_allclose(w.numpy(), before - 0.1 * np.sign(before), rtol=1e-3)
    with pytest.raises(ValueError, match="No gradients"):
        adam.apply_gradients([(None, w)])
    assert (
        not K.gradients(K.constant(1.0), [w])[0]
        and adam.get_gradients(K.sum(w * 2.0), [w])[0].numpy().tolist() == [2.0] * 4
    )


def test_nests():
    structure = {"b": [1, (2, 3)], "a": 0}
    assert tf["nest.flatten"](structure) == [0, 1, 2, 3]
    assert tf["nest.map_structure"](lambda x, y: x + y, structure, structure) == {"b": [2, (4, 6)], "a": 0}


def test_summaries_are_event_files(tmp_path):
    with tf["summary.create_file_writer"](str(tmp_path / "two")).as_default():
        tf["summary.scalar"]("loss", K.constant(0.5), step=3)
        tf["summary.histogram"]("weights", X, step=3)
    with pytest.raises(RuntimeError, match="as_default"):
        tf["summary.scalar"]("loss", 0.5, step=3)
    summary = tf["Summary"](value=[tf["Summary"].Value(tag="loss", simple_value=0.25)])
    summary.value.add(tag="accuracy", simple_value=1.0)
    writer = tf["summary.FileWriter"](str(tmp_path / "one"))
    writer.add_summary(summary, 7)
    writer.close()
    data = {p.parent.name: p.read_bytes() for p in tmp_path.glob("*/events*")}
    assert b"loss" in data["two"] and b"weights" in data["two"]
    assert b"loss" in data["one"] and np.float32(0.25).tobytes() in data["one"] and b"accuracy" in data["one"]


def test_functions_of_keras_may_be_replaced_by_ones_that_call_tensorflows(monkeypatch):
    """As bert4keras does with K.reshape."""
    monkeypatch.setattr(K, "reshape", lambda x, shape: tf["reshape"](x, shape))
    assert K.reshape(K.constant(X), [-1]).shape == (12,)
    assert tf["TensorSpec"]([None, 2], "int32").shape.as_list() == [None, 2]


# -- files ------------------------------------------------------------------------------------------------------
def test_files_may_name_functions_of_tensors_only():
    assert find("compat.v1.transpose") is PURE["transpose"] and find("reduce_sum") is PURE["math.reduce_sum"]


@pytest.mark.parametrize(
    "name",
    ["map_fn", "while_loop", "Variable", "summary.FileWriter", "TensorArray", "function", "assign", ["cast"], None],
    ids=str,
)
def test_files_may_not_name_other_functions(name):
    assert find(name) is None


@pytest.mark.parametrize(
    "call, match",
    [
        (lambda x: tf["split"](x, 3, 1), "cannot cut 4"), (lambda x: tf["split"](x, [1, 1], 1), "cannot cut"),
        (lambda x: tf["unstack"](x), "known size"), (lambda x: tf["where"](x > 0, x), "both"), (lambda x: tf["pad"](x, [[1, 1]]), "2 axes"),
        (lambda x: tf["pad"](x, [[1, 1]] * 2, "WRAP"), "no mode"), (lambda x: tf["norm"](x, ord="nuc", axis=[0, 1]), "matrices"),
        (lambda x: tf["norm"](x, ord=-1), "no ord"), (lambda x: tf["einsum"]("ij,jk", x), "2 operands"), (lambda x: tf["einsum"]("ii->i", x), "twice"),
        (lambda x: tf["einsum"]("ij->k", x), "letters"), (lambda x: tf["roll"](x, 1, 0), "known length"),
        (lambda x: tf["sort"](x, direction="UP"), "direction"),  (lambda x: tf["gather_nd"](x, K.placeholder((2, None), dtype="int32")), "last axis"),
        (lambda x: tf["image.resize"](x, [2, 2], "lanczos"), "no method"), (lambda x: tf["nn.sparse_softmax_cross_entropy_with_logits"](logits=x), "labels="),
        (lambda x: tf["image.resize"](x, [2, 2], antialias=True), "antialias"), (lambda x: tf["nn.lrn"](K.placeholder((1, 2, 2, None))), "channels"),
    ],
)  # fmt: skip
def test_refusals_say_what_is_wrong(call, match):
    with pytest.raises(ValueError, match=match):
        call(K.placeholder((None, 4)))


def test_as_many_of_the_largest_as_the_data_says():
    """As losses of detectors mine negatives."""
    x = K.placeholder((None, 4))
    flat = tf["reshape"](x, [-1])
    values, indices = tf["nn.top_k"](flat, k=tf["reduce_sum"](tf["cast"](flat > 0.0, "int32")))
    rising = tf["sort"](flat)
    got = K.function([x], [values, indices, rising, K.gradients(values, x)[0]])([X])
    order = np.argsort(-X.ravel(), kind="stable")[: (X > 0).sum()]
    for g, e in zip(got, [X.ravel()[order], order, np.sort(X.ravel()), X > 0]):
        np.testing.assert_array_equal(g, e)
    assert tf["nn.top_k"](x, tf["constant"](2)).values.shape == (None, 2)


def test_padding_by_sizes_known_when_run():
    x = K.placeholder((None, 4))
    filled = tf["pad"](x, [(0, 5 - K.shape(x)[0]), (0, 0)])
    np.testing.assert_array_equal(K.function([x], [filled])([X])[0], np.pad(X, [(0, 2), (0, 0)]))


def test_what_depends_on_data_in_a_model_that_trains(rng):
    """A mask's true elements, in a loss: how many there are is known only when it runs."""
    x = Input((4,))
    model = Model(x, Lambda(lambda t: t * 1.0)(x))

    def loss(y_true, y_pred):
        return tf["reduce_sum"](tf["boolean_mask"](tf["square"](y_true - y_pred), y_true > 0.0))

    model.compile("sgd", loss)
    y = rng.normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(model.evaluate(X, y, verbose=0), ((y - X) ** 2)[y > 0].sum(), rtol=1e-5)
