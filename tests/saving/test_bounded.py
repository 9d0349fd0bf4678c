"""Zips, pickles and saved states that would take more than their size, or reach what is not theirs."""

import io
import json
import pickle
import zipfile

import h5py
import hornbeam as keras
import numpy as np
import pytest
from hornbeam.datasets import safe_pickle
from hornbeam.layers import Dense
from hornbeam.models import Sequential, load_model


def trained():
    model = Sequential([Dense(3, input_shape=(4,))])
    model.compile("sgd", "mse")
    return model


# -- the state to resume from -----------------------------------------------------------------------------
@pytest.fixture
def global_state():
    """NumPy's generator is as it was afterwards."""
    state = np.random.get_state()
    yield
    np.random.set_state(state)


@pytest.mark.parametrize("name", ["m.h5", "m.keras"])
def test_numpy_is_left_alone_unless_asked(name, tmp_path, global_state):
    model = trained()
    np.random.seed(3)
    model.save(tmp_path / name)
    expected = np.random.rand(4)
    load_model(tmp_path / name)
    assert not np.array_equal(np.random.rand(4), expected)
    load_model(tmp_path / name, resume=True)
    assert np.array_equal(np.random.rand(4), expected)


@pytest.mark.parametrize("mode", [1000000000, -1, True, ["temporal2"]])
def test_modes_of_sample_weights_in_a_file(tmp_path, mode):
    """They are 'temporal', or none: a number is not a rank."""
    trained().save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        training = json.loads(file.attrs["training_config"])
        file.attrs["training_config"] = json.dumps({**training, "sample_weight_mode": mode})
    assert load_model(tmp_path / "m.h5").sample_weight_modes == [None]


def damaged_state(path, *keys_and_value):
    *keys, value = keys_and_value
    with h5py.File(path, "a") as file:
        whole = state = json.loads(file.attrs["hornbeam_state"])
        for key in keys[:-1]:
            state = state[key]
        state[keys[-1]] = value
        file.attrs["hornbeam_state"] = json.dumps(whole)
    return path


@pytest.mark.parametrize(
    "damage",
    [
        ("numpy", "position", 2**30), ("numpy", "position", -1), ("numpy", "position", 625), ("numpy", "position", 1.5),
        ("numpy", "position", True), ("numpy", "keys", [0] * 623), ("numpy", "keys", 5), ("numpy", "keys", 7, 2**32),
        ("numpy", "keys", 7, -1), ("numpy", "keys", 7, "1"), ("numpy", "kind", "PCG64"), ("numpy", "kind", ["MT19937"]),
        ("numpy", "has_gauss", 2), ("numpy", "gauss", float("nan")), ("numpy", "gauss", 1e300), ("numpy", "gauss", None),
        ("numpy", None), ("run", -1), ("run", 2**63), ("run", "1"), ("seeds", [2**63]), ("seeds", [[1]]), ("seeds", {}),
    ],
    ids=str,
)  # fmt: skip
def test_a_damaged_state(damage, tmp_path, global_state):
    trained().save(tmp_path / "m.h5")
    with pytest.raises(ValueError, match="`hornbeam_state` is damaged"):
        load_model(damaged_state(tmp_path / "m.h5", *damage))


def test_nothing_to_resume_from(tmp_path):
    trained().save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        del file.attrs["hornbeam_state"]
    with pytest.warns(UserWarning, match="does not hold the state of NumPy's generator"):
        load_model(tmp_path / "m.h5", resume=True)


# -- zips ---------------------------------------------------------------------------------------------------
def zipped(**changed):
    """A .keras file; ``changed`` has members (dots as __) with contents and a method."""
    whole = io.BytesIO()
    trained().save(whole, save_format="keras")
    with zipfile.ZipFile(whole) as archive:
        members = {name: (archive.read(name), zipfile.ZIP_STORED) for name in archive.namelist()}
    members.update({name.replace("__", "."): change for name, change in changed.items()})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, (contents, method) in members.items():
            archive.writestr(name, contents, method)
    out.seek(0)
    return out


@pytest.mark.parametrize("member", ["config__json", "metadata__json", "model__weights__h5"])
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_that_python_inflates_at_once(member, method):
    with pytest.raises(ValueError, match=rf"{member.replace('__', '.')} is compressed in a way"):
        load_model(zipped(**{member: (bytes(1 << 20), method)}))


def test_a_member_that_states_less_than_it_holds():
    file = zipped(metadata__json=(b" " * (1 << 22), zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(file) as archive:
        packed = archive.getinfo("metadata.json").compress_size.to_bytes(4, "little")
    true, stated = (packed + size.to_bytes(4, "little") for size in (1 << 22, 1 << 10))
    with pytest.raises(OSError, match=r"Bad CRC-32 for file 'metadata.json'"):
        load_model(io.BytesIO(file.getvalue().replace(true, stated)))
    file.seek(0)
    with pytest.raises(ValueError, match=r"metadata.json would take 4194304 bytes"):
        load_model(file)


def test_vocabularies_that_take_more_than_the_file():
    """Each of them is within what one member may take."""
    lines = b"\n" * (1 << 19)
    file = zipped(**{f"assets/{i}/vocabulary__txt": (lines, zipfile.ZIP_DEFLATED) for i in range(20)})
    with pytest.raises(ValueError, match=r"assets/\d+/vocabulary.txt would take 524288 bytes"):
        load_model(file)


def test_two_members_of_a_name():
    file = zipped()
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("config.json", "{}")
    file.seek(0)
    with pytest.raises(ValueError, match=r"two members 'config.json'"):
        load_model(file)


def test_too_many_members():
    file = zipped()
    with zipfile.ZipFile(file, "a") as archive:
        for i in range(10_000):
            archive.writestr(f"{i}", b"")
    file.seek(0)
    with pytest.raises(ValueError, match="10003 members"):
        load_model(file)


def test_a_damaged_member_is_named():
    file = zipped()
    data = file.getvalue()
    at = data.index(b'"module"')
    with pytest.raises(OSError, match=r"damaged: Bad CRC-32 for file 'config.json'"):
        load_model(io.BytesIO(data[:at] + b'"nodule"' + data[at + 8 :]))


# -- pickles ------------------------------------------------------------------------------------------------
HEAD = b"\x80\x02"
TEXT = b"X" + (10**6).to_bytes(4, "little") + b"a" * 10**6 + b"q\x00"
ENCODE = b"c_codecs\nencode\nq\x01X\x06\0\0\0latin1q\x02"


@pytest.mark.parametrize(
    "data",
    {
        "memo of 68 GB": HEAD + b"]r\xff\xff\xff\x7f.",
        "memo as text": b"]p99999999999\n.",
        "tuples that refer to each other": HEAD
        + b"}(K\x01K\x02\x86" + b"".join(b"q%ch%ch%c\x86" % (i, i, i) for i in range(60)) + b"K\x01u.",
        "a tuple that is put and fetched as text": b"}(I1\nI2\ntp7\ng7\nI1\nu.",
        "tuples inside of each other": HEAD + b"})" + b"\x85" * 500_000 + b"K\x01s.",
        "a frozen set": b"\x80\x04(K\x01\x91.",
        "copies on the stack": HEAD + b"]" + b"2" * 10 + b".",
        "an integer of 2 GB": HEAD + b"\x8b\xff\xff\xff\x7f" + b"1" * 100 + b".",
        "an integer of 100,000 digits": b"L" + b"9" * 100_000 + b"L\n.",
        "integers of one hash": HEAD
        + b"}(" + b"".join(b"\x8a\x0c" + (i * (2**61 - 1) + 2**90).to_bytes(12, "little") + b"N" for i in range(10_001))
        + b"u.",
        "a text that is copied 2000 times": HEAD + b"](" + TEXT + ENCODE
        + b"h\x01(h\x00h\x02tR" * 2000 + b"e.",
        "cut off": HEAD + b"X\xff\xff\xff\x7fabc",
        "no end": HEAD + b"]",
        "another kind of opcode": HEAD + b"Pid\n.",
    }.items(),
    ids=lambda item: item[0],
)  # fmt: skip
def test_pickles_of_unbounded_cost(data):
    with pytest.raises(ValueError, match="does not hold plain pickled data"):
        safe_pickle.load(io.BytesIO(data[1]))


@pytest.mark.parametrize("protocol", range(5))
def test_plain_pickles_still_come_through(protocol):
    lists = np.empty(2, object)
    lists[:] = [[1, 300, 70_000, 2**40, 2**70, -5], [0.5, None, True]]
    value = {"a": lists, "b": [("x", 1), ("y", 2)], "c": {1: b"bytes", "k": (1, 2)}, "d": np.arange(12.0).reshape(3, 4)}
    got = safe_pickle.load(io.BytesIO(pickle.dumps(value, protocol)))
    assert got["a"].tolist() == lists.tolist() and (got["b"], got["c"]) == (value["b"], value["c"])
    assert np.array_equal(got["d"], value["d"])


# -- values that nobody asked for ---------------------------------------------------------------------------
def test_identity_and_constant_arrays_are_made_when_they_are_read():
    for initializer in (keras.initializers.Identity(2.0), keras.initializers.Constant(np.ones(3))):
        initializer((1 << 20, 1 << 20))  # four terabytes
    assert np.array_equal(keras.initializers.Identity(2.0)((2, 3)).numpy(), 2 * np.eye(2, 3, dtype="float32"))
    assert keras.initializers.Constant(np.arange(2.0))((2, 2)).numpy().tolist() == [[0, 1], [1, 1]]
    with pytest.raises(ValueError, match="3 values do not fit the shape"):
        keras.initializers.Constant(np.ones(3))((2,))
