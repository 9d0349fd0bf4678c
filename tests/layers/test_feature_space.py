"""Tables as vectors. That tf_keras 2.21 gives the same numbers was seen; here each kind of feature is made by hand."""

import zipfile

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import layers as L
from hornbeam.models import Model, load_model
from hornbeam.tf import NAMES as tf
from hornbeam.utils import FeatureSpace

pytestmark = pytest.mark.usefixtures("eager")

R = np.random.RandomState(0)
DATA = {
    "age": R.randint(20, 70, 40), "hours": (3 * R.rand(40)).astype("float32"), "job": R.choice(["a", "bb", "ccc"], 40),
    "pay": (100 * R.rand(40)).astype("float32"), "zip": R.randint(0, 1000, 40),
}  # fmt: skip
DATASET = tf["data.Dataset"].from_tensor_slices(DATA)


def space(output_mode="concat", **more):
    features = {
        "zip": FeatureSpace.integer_hashed(num_bins=8), "pay": "float_normalized", "job": "string_categorical",
        "hours": FeatureSpace.float_rescaled(scale=2.0, offset=1.0), "age": "float_discretized",
    }  # fmt: skip
    return FeatureSpace(features, output_mode, num_discretization_bins=4, **more)


def by_hand():
    """The features one after the other, by their names."""
    bins = L.Discretization(num_bins=4)
    bins.adapt(tf["data.Dataset"].from_tensor_slices(DATA["age"].astype("float32")[:, None]).batch(32))
    words = L.StringLookup()
    words.adapt(DATA["job"])
    parts = {
        "age": np.eye(4)[np.asarray(bins(DATA["age"]))],
        "hours": 2 * DATA["hours"][:, None] + 1,
        "job": np.eye(4)[np.asarray(words(DATA["job"]))],
        "pay": ((DATA["pay"] - DATA["pay"].mean()) / DATA["pay"].std())[:, None],
        "zip": np.eye(8)[np.asarray(L.Hashing(8)(DATA["zip"]))],
    }
    return parts, bins, words


@pytest.mark.parametrize("batched", [False, True])
def test_each_kind_of_feature(batched):
    one = space()
    one.adapt(DATASET.batch(32) if batched else DATASET)
    parts, *_ = by_hand()
    got = one(DATA)
    assert got.shape == (40, 18)
    np.testing.assert_allclose(
        got.numpy(), np.concatenate([parts[name] for name in sorted(parts)], 1), rtol=1e-5, atol=1e-5
    )
    first = one({name: column[0] for name, column in DATA.items()})
    np.testing.assert_array_equal(first.numpy(), got.numpy()[0])
    several = space("dict")
    several.adapt(DATASET)
    for name, x in several(DATA).items():
        np.testing.assert_allclose(x.numpy(), parts[name], rtol=1e-5, atol=1e-5)


@pytest.fixture
def crossed():
    crosses = [("job", "zip"), FeatureSpace.cross(("age", "job"), crossing_dim=6)]
    found = space(crosses=crosses, crossing_dim=16)
    found.adapt(DATASET)
    return found


def crosses_by_hand():
    _, bins, words = by_hand()
    job = np.asarray(words(DATA["job"]))
    ages = L.HashedCrossing(6)([np.asarray(bins(DATA["age"])), job])
    zips = L.HashedCrossing(16)([job, np.asarray(L.Hashing(8)(DATA["zip"]))])
    return np.concatenate([np.eye(6)[np.asarray(ages)], np.eye(16)[np.asarray(zips)]], 1)


def test_crosses_stand_behind(crossed):
    np.testing.assert_array_equal(crossed(DATA).numpy()[:, 18:], crosses_by_hand())


def test_in_a_model_and_a_data_set(crossed, tmp_path):
    encoded = crossed.get_encoded_features()
    assert encoded.shape == (None, 40)
    model = Model(crossed.get_inputs(), L.Dense(1, kernel_initializer="ones")(encoded))
    wanted = crossed(DATA).numpy()
    np.testing.assert_allclose(model.predict(DATA), wanted.sum(1, keepdims=True), rtol=1e-5)
    rows = np.concatenate([batch.numpy() for batch in DATASET.batch(16).map(crossed)])
    np.testing.assert_allclose(rows, wanted, rtol=1e-6)
    model.compile("sgd", "mse")
    model.fit(DATA, np.zeros(40), epochs=1, verbose=0)
    model.save(tmp_path / "m.keras")
    again = load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict(DATA), model.predict(DATA))


def test_files(crossed, tmp_path):
    crossed.save(tmp_path / "space.keras")
    assert "model.weights.h5" in zipfile.ZipFile(tmp_path / "space.keras").namelist()
    again = load_model(tmp_path / "space.keras")
    assert type(again) is FeatureSpace and again.output_mode == "concat"
    np.testing.assert_array_equal(again(DATA).numpy(), crossed(DATA).numpy())


def test_a_config_that_crosses_what_is_not_there(crossed):
    config = crossed.get_config()
    config["crosses"][0]["config"]["feature_names"] = ("job", "name")
    with pytest.raises(ValueError, match="Unknown: \\['name'\\]"):
        FeatureSpace.from_config(config)


def test_layers_are_made_once(crossed):
    crossed(DATA)
    before = K.get_uid("category_encoding"), K.get_uid("concatenate")
    crossed(DATA)
    assert (K.get_uid("category_encoding"), K.get_uid("concatenate")) == tuple(number + 1 for number in before)


def test_adapted_anew():
    found = FeatureSpace({"word": "string_categorical"})
    for words, wanted in (["a", "b"], [0, 0, 1]), (["c", "a", "b"], [0, 0, 0, 1]):
        found.adapt(tf["data.Dataset"].from_tensor_slices({"word": np.array(words)}))
        model = Model(found.get_inputs(), found.get_encoded_features())
        data = {"word": np.array(["a"])}
        assert model.predict(data).tolist() == found(data).numpy().tolist() == [wanted]


def test_features_that_the_caller_describes():
    words = L.TextVectorization(output_mode="multi_hot")
    features = {
        "text": FeatureSpace.feature("string", words, "float"), "flag": "float",
        "kind": FeatureSpace.integer_categorical(num_oov_indices=1, output_mode="int"),
    }  # fmt: skip
    found = FeatureSpace(features, "dict")
    data = {"text": np.array(["a b", "b"]), "flag": np.array([0.5, 1.0]), "kind": np.array([7, 9])}
    found.adapt(tf["data.Dataset"].from_tensor_slices(data))
    got = found(data)
    assert words.get_vocabulary() == ["[UNK]", "b", "a"] and got["text"].numpy().tolist() == [[0, 1, 1], [0, 1, 0]]
    assert got["flag"].numpy().tolist() == [[0.5], [1.0]] and got["kind"].numpy().tolist() == [[2], [1]]


def test_nothing_to_adapt():
    found = FeatureSpace({"a": "float", "b": FeatureSpace.float_discretized(None, bin_boundaries=[1.0, 2.0])})
    assert found({"a": 3.0, "b": 1.5}).numpy().tolist() == [3, 0, 1, 0]


@pytest.mark.parametrize("make, message", [
    (lambda: FeatureSpace({}), "cannot be None or empty"), (lambda: FeatureSpace({"a": "text"}), "Invalid feature type"),
    (lambda: FeatureSpace({"a": "float"}, "list"), "output_mode"), (lambda: space()(DATA), "need to call `.adapt"),
    (lambda: space(crosses=[("age", "name")]), "Unknown: \\['name'\\]"), (lambda: space().adapt(DATA), "tf.data.Dataset"),
    (lambda: FeatureSpace({"a": "float"})([1.0]), "called with a dict"), (lambda: FeatureSpace.cross("ab", 3, "float"), "output_mode"),
    (lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, "int")})({"a": 1}), "Cannot concatenate"),
    (lambda: FeatureSpace({"a": FeatureSpace.feature("float32", L.Identity(), "one_hot")})({"a": 1.0}), "return integers"),
])  # fmt: skip
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()
