"""Layers for text and categories: what they learn, give, and save. Numbers in comments are tf.keras's own examples."""

import json
import zipfile

import numpy as np
import pytest
from hornbeam import graph
from hornbeam import layers as L
from hornbeam.models import Model, Sequential, load_model
from hornbeam.tf import NAMES as tf

Dataset = tf["data.Dataset"]


@pytest.fixture(params=["graph", "eager"], autouse=True)
def mode(request):
    if request.param == "eager":
        request.getfixturevalue("eager")


def values(x):
    return np.asarray(x).tolist()


# -- vocabularies -----------------------------------------------------------------------------------------------------
def test_vocabularies_are_sorted_by_frequency_and_then_backwards():
    layer = L.StringLookup()
    layer.adapt(np.array(["b", "a", "c", "a", "d", "b"]))
    assert layer.get_vocabulary() == ["[UNK]", "b", "a", "d", "c"]
    assert layer.get_vocabulary(include_special_tokens=False) == ["b", "a", "d", "c"] and layer.vocabulary_size() == 5
    numbers = L.IntegerLookup(max_tokens=4, mask_token=0)
    numbers.adapt(np.array([[12, 1138, 42], [42, 1000, 0]]))
    assert numbers.get_vocabulary() == [0, -1, 42, 1138]


def test_string_lookup():
    """The examples of its page: ["a", "c", "d"] and ["d", "z", "b"] in the vocabulary a to d are [[1, 3, 4], [4, 0, 2]]."""
    vocabulary, data = ["a", "b", "c", "d"], np.array([["a", "c", "d"], ["d", "z", "b"]])
    assert values(L.StringLookup(vocabulary=vocabulary)(data)) == [[1, 3, 4], [4, 0, 2]]
    several = L.StringLookup(vocabulary=vocabulary, num_oov_indices=2)
    assert values(several(np.array([["a", "c", "d"], ["m", "z", "b"]]))) == [[2, 4, 5], [0, 1, 3]]
    hot = L.StringLookup(vocabulary=vocabulary, output_mode="one_hot")
    assert values(hot(np.array(["a", "b", "c", "d", "z"]))) == np.eye(5)[[1, 2, 3, 4, 0]].tolist()
    many = L.StringLookup(vocabulary=vocabulary, output_mode="multi_hot", num_oov_indices=2)
    assert values(many(np.array([["a", "c", "d", "d"], ["d", "z", "b", "z"]]))) == [
        [0, 0, 1, 0, 1, 1],
        [0, 1, 0, 1, 0, 1],
    ]
    count = L.StringLookup(vocabulary=vocabulary, output_mode="count", num_oov_indices=2)
    assert values(count(np.array([["a", "c", "d", "d"], ["d", "z", "b", "z"]]))) == [
        [0, 0, 1, 0, 1, 2],
        [0, 2, 0, 1, 0, 1],
    ]
    weighted = L.StringLookup(output_mode="tf_idf", vocabulary=vocabulary, idf_weights=[0.25, 0.75, 0.6, 0.4])
    got = weighted(np.array([["a", "c", "d", "d"], ["d", "z", "b", "z"]]))
    np.testing.assert_allclose(got, [[0, 0.25, 0, 0.6, 0.8], [1.0, 0, 0.75, 0, 0.4]], rtol=1e-6)


def test_string_lookup_back():
    layer = L.StringLookup(vocabulary=["a", "b", "c", "d"], invert=True)
    assert values(layer(np.array([[1, 3, 4], [4, 0, 2]]))) == [[b"a", b"c", b"d"], [b"d", b"[UNK]", b"b"]]
    masked = L.StringLookup(vocabulary=["a"], mask_token="", invert=True)
    assert values(masked(np.array([0, 1, 2, 9, -1]))) == [b"", b"[UNK]", b"a", b"[UNK]", b"[UNK]"]


def test_integer_lookup_of_unknown_integers():
    several = L.IntegerLookup(vocabulary=[12, 36, 1138, 42], num_oov_indices=2)
    assert values(several(np.array([[12, 1138, 42], [37, 1000, 36]]))) == [[2, 4, 5], [1, 0, 3]]


@pytest.mark.parametrize("make", [list, np.array, graph.constant])
def test_a_vocabulary_in_any_container(make):
    assert L.StringLookup(vocabulary=make(["x", "y"])).vocabulary == ["x", "y"]
    assert L.IntegerLookup(vocabulary=make([4, 5])).vocabulary == [4, 5]


def test_special_tokens_at_the_beginning_of_a_vocabulary():
    layer = L.StringLookup(vocabulary=["", "[UNK]", "x"], mask_token="")
    assert layer.vocabulary == ["x"] and values(layer(["x", "y", ""])) == [2, 1, 0]


def test_a_vocabulary_from_a_file(tmp_path):
    (tmp_path / "words").write_text("x\ny\n")
    assert L.StringLookup(vocabulary=str(tmp_path / "words")).vocabulary == ["x", "y"]
    with pytest.raises(ValueError, match="names the vocabulary file"):
        L.deserialize({"class_name": "StringLookup", "config": {"vocabulary": str(tmp_path / "words")}})


@pytest.mark.parametrize("make, message", [
    (lambda: L.StringLookup(vocabulary=["a", "a"]), "repeated term: \\['a'\\]"),
    (lambda: L.StringLookup(vocabulary=["a", "[UNK]"]), "reserved oov_token"),
    (lambda: L.StringLookup(vocabulary=["a", "b"], max_tokens=2), "larger than the maximum"),
    (lambda: L.StringLookup(vocabulary=["a"], output_mode="tf_idf"), "idf_weights"),
    (lambda: L.StringLookup(max_tokens=1), "greater than 1"),
    (lambda: L.StringLookup(invert=True, output_mode="count"), "must be 'int'"),
    (lambda: L.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), "should be in vocabulary, found \\[b'b'\\]"),
    (lambda: L.StringLookup()(["b"]), "has no vocabulary yet"),
    (lambda: L.TextVectorization(standardize="upper"), "`standardize`"),
    (lambda: L.TextVectorization(output_mode="count", output_sequence_length=3), "output_sequence_length"),
    (lambda: L.TextVectorization(vocabulary=["a"])(np.array([["a", "b"]])), "last shape dimension must be 1"),
    (lambda: L.Hashing(0), "non-positive"), (lambda: L.Hashing(3, salt=[1, 2, 3]), "tuple of size 2"),
    (lambda: L.TextVectorization(vocabulary=["a"])(np.array([1.0])), "takes strings"),
])  # fmt: skip
def test_mistakes(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


# -- texts ----------------------------------------------------------------------------------------------------------------
def test_text_vectorization():
    layer = L.TextVectorization(max_tokens=5000, output_sequence_length=4)
    layer.adapt(Dataset.from_tensor_slices(["foo", "bar", "baz"]).batch(64))
    assert layer.get_vocabulary() == ["", "[UNK]", "foo", "baz", "bar"]
    assert values(layer([["foo qux bar"], ["qux baz"]])) == [[2, 1, 4, 0], [1, 3, 0, 0]]
    given = L.TextVectorization(vocabulary=["earth", "wind", "and", "fire"])
    assert given.get_vocabulary() == ["", "[UNK]", "earth", "wind", "and", "fire"]
    assert values(given(np.array(["Fire, and WIND!", ""]))) == [[5, 4, 3], [0, 0, 0]]


@pytest.mark.parametrize("options, wanted", [
    ({"standardize": None}, [b"A-b,", b"c"]), ({"standardize": "lower"}, [b"a-b,", b"c"]),
    ({"standardize": "strip_punctuation"}, [b"Ab", b"c"]), ({"split": None}, [b"ab c"]),
    ({"split": "character"}, [b"a", b"b", b" ", b"c"]), ({"ngrams": 2}, [b"ab", b"c", b"ab c"]), ({"ngrams": (2,)}, [b"ab c"]),
    ({"standardize": lambda x: tf["strings.regex_replace"](x, "[A-Z]", "<>")}, [b"<>-b,", b"c"]),
    ({"split": lambda x: tf["strings.split"](x, "b")}, [b"a", b" c"]),
])  # fmt: skip
def test_tokens(options, wanted):
    assert L.TextVectorization(**options).tokens(graph.as_strings(["A-b, c"])) == [wanted]


def test_bags_of_words():
    texts = np.array(["a b a", "a c", "z"])
    layers = {
        mode: L.TextVectorization(output_mode=mode, max_tokens=6, pad_to_max_tokens=True)
        for mode in ("multi_hot", "count", "tf_idf")
    }
    for layer in layers.values():
        layer.adapt(texts[:2])
    assert layers["count"].get_vocabulary() == ["[UNK]", "a", "c", "b"]
    assert values(layers["multi_hot"](texts)) == [[0, 1, 0, 1, 0, 0], [0, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
    assert values(layers["count"](texts))[0] == [0, 2, 0, 1, 0, 0]
    idf = np.log(1 + 2 / (1 + np.array([2.0, 1.0, 1.0])))
    expected = [[0, 2 * idf[0], 0, idf[2], 0, 0], [0, idf[0], idf[1], 0, 0, 0], [idf.mean(), 0, 0, 0, 0, 0]]
    np.testing.assert_allclose(layers["tf_idf"](texts), expected, rtol=1e-6)


def test_ragged_output():
    layer = L.TextVectorization(vocabulary=["a", "b"], ragged=True)
    assert layer(np.array(["a b", "", "b"])).to_list() == [[2, 3], [], [3]]


# -- in models ----------------------------------------------------------------------------------------------------------
TEXTS = np.array(["good film", "bad film", "so good", "so bad"])
LABELS = np.array([1.0, 0.0, 1.0, 0.0])


def classifier(vectorize):
    np.random.seed(1)
    text = L.Input((1,), dtype="string")
    x = L.GlobalAveragePooling1D()(L.Embedding(10, 4)(vectorize(text)))
    model = Model(text, L.Dense(1, activation="sigmoid")(x))
    model.compile("adam", "binary_crossentropy")
    return model


@pytest.mark.parametrize("suffix", [".h5", ".keras"])
def test_models_on_strings_train_and_are_saved(tmp_path, suffix):
    vectorize = L.TextVectorization(output_sequence_length=3)
    vectorize.adapt(TEXTS)
    model = classifier(vectorize)
    losses = model.fit(TEXTS, LABELS, epochs=4, batch_size=2, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    predictions = model.predict(TEXTS)
    np.testing.assert_array_equal(model.predict(TEXTS.tolist()), predictions)
    np.testing.assert_array_equal(model.predict(TEXTS[:, None].astype(object)), predictions)
    np.testing.assert_array_equal(model.predict(Dataset.from_tensor_slices(TEXTS).batch(3)), predictions)
    model.save(tmp_path / f"model{suffix}")
    loaded = load_model(tmp_path / f"model{suffix}")
    np.testing.assert_array_equal(loaded.predict(TEXTS), predictions)
    assert loaded.layers[1].get_vocabulary() == vectorize.get_vocabulary()


def test_training_on_strings_is_training_on_their_numbers():
    vectorize = L.TextVectorization(output_sequence_length=3)
    vectorize.adapt(TEXTS)
    whole = classifier(vectorize)
    numbers = L.Input((3,), dtype="int64")
    x = numbers
    for layer in whole.layers[2:]:
        x = layer(x)
    inner = Model(numbers, x)
    np.testing.assert_allclose(inner.predict(np.asarray(vectorize(TEXTS))), whole.predict(TEXTS), rtol=1e-6)
    data = Dataset.from_tensor_slices((TEXTS, LABELS)).batch(4)
    whole.fit(data, epochs=2, verbose=0)
    trained = whole.get_weights()
    again = classifier(vectorize)
    again.set_weights(trained)
    mapped = data.map(lambda text, label: (vectorize(text), label))
    assert [x.tolist() for x, _ in mapped.as_numpy_iterator()] == [values(vectorize(TEXTS))]


def test_a_stack_that_is_built_on_strings(tmp_path):
    vectorize = L.TextVectorization(vocabulary=["good", "bad"], output_mode="multi_hot")
    model = Sequential([vectorize, L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(TEXTS, LABELS, verbose=0)
    model.save(tmp_path / "model.h5")
    loaded = load_model(tmp_path / "model.h5")
    np.testing.assert_allclose(loaded.predict(TEXTS), model.predict(TEXTS))


def test_categories_beside_numbers_by_name():
    """Structured data: strings and numbers in a dict."""
    kind, size = L.Input((1,), name="kind", dtype="string"), L.Input((1,), name="size")
    lookup = L.StringLookup(output_mode="one_hot")
    data = {"kind": np.array([["a"], ["b"], ["a"]]), "size": np.ones((3, 1), "f")}
    lookup.adapt(data["kind"])
    model = Model([kind, size], L.Dense(1)(L.Concatenate()([lookup(kind), size])))
    model.compile("sgd", "mse")
    model.fit(Dataset.from_tensor_slices((data, np.ones(3))).batch(2), verbose=0)
    model.fit(data, np.ones(3), verbose=0)
    assert model.predict(data).shape == (3, 1)


def test_strings_out_of_a_model():
    scores = L.Input((3,))
    label = L.StringLookup(vocabulary=["cat", "dog"], invert=True)(L.Lambda(lambda x: tf["argmax"](x, -1))(scores))
    assert Model(scores, label).predict(np.eye(3)).tolist() == [b"[UNK]", b"cat", b"dog"]


def test_numbers_where_strings_are_wanted():
    vectorize = L.TextVectorization(vocabulary=["a"])
    with pytest.raises(TypeError, match="takes strings, got an array of dtype float"):
        classifier(vectorize).predict(np.ones((2, 1)))


# -- hashes, bins and numbers ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("options, wanted", [
    ({}, [1, 0, 1, 1, 2]), ({"salt": [133, 137]}, [1, 2, 1, 0, 2]), ({"salt": 133}, [0, 0, 2, 1, 0]),
])  # fmt: skip
def test_hashing(options, wanted):
    """The examples of its page."""
    letters = np.array([["A"], ["B"], ["C"], ["D"], ["E"]])
    assert values(L.Hashing(num_bins=3, **options)(letters)) == [[n] for n in wanted]


def test_hashing_with_a_mask_and_of_integers():
    layer = L.Hashing(num_bins=3, mask_value="")
    assert values(layer(np.array([["A"], ["B"], [""], ["C"], ["D"]]))) == [[1], [1], [0], [2], [2]]
    numbers, text = np.array([[1], [23]]), np.array([["1"], ["23"]])
    assert values(L.Hashing(10)(numbers)) == values(L.Hashing(10)(text))
    assert (
        values(L.Hashing(4, output_mode="one_hot")(text))
        == np.eye(4)[np.array(values(L.Hashing(4)(text))).ravel()].tolist()
    )


def test_discretization_learns(rng):
    """The example of its page, and the quartiles of many numbers."""
    layer = L.Discretization(num_bins=4, epsilon=0.01)
    page = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]])
    layer.adapt(page)
    assert values(layer(page)) == [[0, 2, 3, 2], [1, 3, 3, 1]]
    numbers = rng.normal(size=(5000,)).astype("float32")
    layer.adapt(Dataset.from_tensor_slices(numbers).batch(500))
    np.testing.assert_allclose(layer.bin_boundaries, np.quantile(numbers, [0.25, 0.5, 0.75]), atol=0.06)
    again = L.deserialize({"class_name": "Discretization", "config": layer.get_config()})
    assert values(again(numbers[:50])) == values(layer(numbers[:50]))


def test_normalization_learns_from_a_data_set():
    layer = L.Normalization()
    data = np.arange(20.0).reshape(10, 2).astype("float32")
    layer.adapt(Dataset.from_tensor_slices(data).batch(3))
    np.testing.assert_allclose(layer(data), (data - data.mean(0)) / data.std(0), rtol=1e-5)


@pytest.mark.parametrize("make", [L.Normalization, lambda: L.Discretization(num_bins=3), L.IntegerLookup])
def test_learning_batch_by_batch_is_what_adapt_does(make):
    data = np.arange(24.0).reshape(12, 2).astype("float32") % 5
    layer, adapted = make(), make()
    layer.update_state(data[3:])
    layer.reset_state()
    for batch in (data[:6], data[6:]):
        layer.update_state(batch)
    layer.finalize_state()
    adapted.adapt(iter([data[:6], data[6:]]))
    assert values(layer(data)) == values(adapted(data)) != values(data)


@pytest.mark.parametrize("layer", [
    L.StringLookup(vocabulary=["a", "b"], num_oov_indices=2, mask_token=""), L.IntegerLookup(vocabulary=[3, 4], max_tokens=9),
    L.TextVectorization(vocabulary=["a"], ngrams=(1, 2), output_sequence_length=7), L.Hashing(5, mask_value="", salt=3),
    L.TextVectorization(vocabulary=["a"], idf_weights=[0.5], output_mode="tf_idf"),
    L.Discretization(num_bins=4),
], ids=lambda layer: layer.name)  # fmt: skip
def test_configs_make_equal_layers(layer):
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config


def test_functions_of_a_text_layer_come_from_custom_objects():
    def shout(x):
        return tf["strings.upper"](x)

    config = L.TextVectorization(standardize=shout, vocabulary=["A"]).get_config()
    assert config["standardize"] == "shout"
    with pytest.raises(ValueError, match="shout"):
        L.deserialize({"class_name": "TextVectorization", "config": config})
    layer = L.deserialize({"class_name": "TextVectorization", "config": config}, custom_objects={"shout": shout})
    assert values(layer(["a"])) == [[2]]


@pytest.mark.parametrize("asset", ["layers/text_vectorization", "layers/text_vectorization/_lookup_layer"])
def test_a_vocabulary_that_tf_keras_learnt_is_in_the_assets(tmp_path, asset):
    """tf.keras writes what ``adapt`` learnt beside the config, with the special tokens."""
    vectorize = L.TextVectorization(vocabulary=["good", "bad"], output_mode="multi_hot")
    text = L.Input((1,), dtype="string")
    model = Model(text, L.Dense(1)(vectorize(text)))
    model.save(tmp_path / "ours.keras")
    with zipfile.ZipFile(tmp_path / "ours.keras") as ours, zipfile.ZipFile(tmp_path / "theirs.keras", "w") as theirs:
        for name in ours.namelist():
            data = ours.read(name)
            if name == "config.json":
                config = json.loads(data)
                inner = next(
                    layer["config"]
                    for layer in config["config"]["layers"]
                    if layer["class_name"] == "TextVectorization"
                )
                inner.update(vocabulary=None, vocabulary_size=3)
                data = json.dumps(config)
            theirs.writestr(name, data)
        theirs.writestr(f"assets/{asset}/vocabulary.txt", "[UNK]\ngood\nbad")
    loaded = load_model(tmp_path / "theirs.keras", compile=False)
    assert loaded.layers[1].get_vocabulary() == ["[UNK]", "good", "bad"]
    np.testing.assert_array_equal(loaded.predict(TEXTS), model.predict(TEXTS))


# -- adapt, and what it is made of ------------------------------------------------------------------------------------
def test_a_layer_knows_whether_it_is_adapted():
    layer = L.StringLookup()
    assert not layer.is_adapted
    layer.adapt(np.array(["a", "b", "a"]))
    assert layer.is_adapted and layer.vocab_size() == layer.vocabulary_size() == 3
    layer.reset_state()
    assert not layer.is_adapted
    assert not L.StringLookup(vocabulary=["a"]).is_adapted  # as in tf.keras: that was given, not learnt


@pytest.mark.parametrize("count", [None, 1, 2, 7])
def test_several_batches_of_adapt_in_one_call(count):
    layer = L.Normalization(axis=None)
    layer.compile(steps_per_execution=count)
    calls, made = [], layer.make_adapt_function()
    assert layer.make_adapt_function() is made

    def counted(batches):
        calls.append(None)
        made(batches)

    layer.make_adapt_function = lambda: counted
    layer.adapt(iter([np.array([[0.0]]), np.array([[2.0]]), np.array([[7.0]])]))
    assert float(np.asarray(layer.mean)) == 3 and len(calls) == {None: 4, 1: 4, 2: 2, 7: 1}[count]
    layer.compile()
    del layer.make_adapt_function
    assert layer.make_adapt_function() is not made
    with pytest.raises(ValueError, match="at least 1"):
        layer.compile(steps_per_execution=0)


def test_a_users_adapt_function():
    class Doubled(L.IntegerLookup):
        def make_adapt_function(self):
            return lambda batches: self.update_state(2 * next(batches))

    layer = Doubled()
    layer.adapt(np.array([1, 3, 3]))
    assert layer.get_vocabulary() == [-1, 6, 2] and layer.is_adapted


@pytest.mark.parametrize("make, data", [
    (L.StringLookup, ["ä", "b c", "b c"]), (L.IntegerLookup, [5, -2, 5]), (L.TextVectorization, ["ä b", "b c"]),
])  # fmt: skip
def test_vocabularies_as_assets(make, data, tmp_path):
    layer, other = make(), make()
    layer.adapt(np.array(data))
    layer.save_assets(str(tmp_path))
    lines = (tmp_path / "vocabulary.txt").read_text(encoding="utf-8").split("\n")
    assert lines == [str(token) for token in layer.get_vocabulary()]
    other.load_assets(str(tmp_path))
    assert other.get_vocabulary() == layer.get_vocabulary()
    assert values(other(np.array(data))) == values(layer(np.array(data)))


# -- crossed features -------------------------------------------------------------------------------------------------
LETTERS, NUMBERS = np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])


def test_crossed_hashes():
    """tf.keras's own example, and numbers that tf_keras 2.21 gave."""
    assert values(L.HashedCrossing(5)((LETTERS, NUMBERS))) == [1, 4, 1, 1, 3]
    hot = L.HashedCrossing(5, output_mode="one_hot")([LETTERS, NUMBERS])
    assert values(hot) == np.eye(5)[[1, 4, 1, 1, 3]].tolist()
    columns = [LETTERS[:, None], NUMBERS[:, None], 7 * NUMBERS[:, None]]
    assert values(L.HashedCrossing(1000)(columns)) == [[728], [522], [728], [930], [945]]
    assert values(L.HashedCrossing(7)((NUMBERS, -NUMBERS))) == [2, 2, 2, 0, 0]
    assert values(L.HashedCrossing(7)((graph.constant("x"), graph.constant(3)))) == 5


def test_crossed_hashes_in_a_model(tmp_path):
    letters, numbers = L.Input((1,), dtype="string"), L.Input((1,), dtype="int64")
    model = Model([letters, numbers], L.HashedCrossing(5, output_mode="one_hot")([letters, numbers]))
    wanted = np.eye(5)[[1, 4, 1, 1, 3]].tolist()
    assert model.output_shape == (None, 5)
    assert model.predict([LETTERS[:, None], NUMBERS[:, None]]).tolist() == wanted
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras", compile=False)
    assert again.predict([LETTERS[:, None], NUMBERS[:, None]]).tolist() == wanted


@pytest.mark.parametrize("inputs, message", [
    (LETTERS, "at least two inputs"), ([LETTERS], "at least two inputs"), ([np.ones((2, 2), "int64")] * 2, "one shape"),
    ([np.ones(2, "int64"), np.ones((2, 1), "int64")], "one shape"), ([np.ones(2), np.ones(2)], "integer or string"),
])  # fmt: skip
def test_what_cannot_be_crossed(inputs, message):
    with pytest.raises(ValueError, match=message):
        values(L.HashedCrossing(5)(inputs))
