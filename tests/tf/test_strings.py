"""Tensors of strings, ``tf.strings``, and ragged tensors."""

import numpy as np
import pytest
from hornbeam.graph import NeedsValue, StringTensor, Tensor
from hornbeam.tf import NAMES as tf
from hornbeam.utils.fingerprint import fingerprint64, siphash

pytestmark = pytest.mark.usefixtures("eager")

WORDS = ["Hello World", "ÄB c"]


def values(x):
    if isinstance(x, Tensor):
        found = x.numpy()
        return found.tolist() if isinstance(found, np.ndarray) else found
    return x.to_list()


def test_tensors_of_strings():
    x = tf["constant"](["a", "b\0"])
    assert isinstance(x, Tensor) and x.dtype == "string" and x.shape == (2,) and values(x) == [b"a", b"b\0"]
    assert x[1].numpy() == b"b\0" and [t.numpy() for t in x] == [b"a", b"b\0"] and len(x) == 2
    assert (
        values(x == "a") == [True, False]
        and values(x != ["a", "x"]) == [False, True]
        and values(x + "!") == [b"a!", b"b\0!"]
    )
    assert values(tf["constant"](np.array([["u"], ["ü"]]))) == [[b"u"], ["ü".encode()]]
    assert "shape=(2,), dtype=string" in repr(x) and tf["constant"]("s").shape == ()
    with pytest.raises(TypeError, match="add does not take strings"):
        tf["add"](x, x)


def test_what_moves_items_moves_strings():
    x = tf["constant"](["a", "b", "c", "d"])
    assert values(tf["reshape"](x, [2, 2])) == [[b"a", b"b"], [b"c", b"d"]]
    assert tf["expand_dims"](x, -1).shape == (4, 1) and values(tf["squeeze"](x[:1, None])) == b"a"
    assert values(tf["concat"]([x[:1], ["z"]], 0)) == [b"a", b"z"] and tf["stack"]([x, x]).shape == (2, 4)
    assert values(tf["gather"](x, [3, 0])) == [b"d", b"a"] and values(tf["shape"](x)) == [4]
    assert values(tf["where"](x == "b", "yes", x)) == [b"a", b"yes", b"c", b"d"]


@pytest.mark.parametrize(
    "name, arguments, wanted",
    [
        ("lower", [WORDS], [b"hello world", "Äb c".encode()]),
        ("lower", [WORDS, "utf-8"], [b"hello world", "äb c".encode()]),
        ("upper", [WORDS], [b"HELLO WORLD", "ÄB C".encode()]),
        ("strip", [[" a\n", "b"]], [b"a", b"b"]),
        ("length", [WORDS], [11, 5]),
        ("length", [WORDS, None, "UTF8_CHAR"], [11, 4]),
        ("substr", [WORDS, 1, 3], [b"ell", b"\x84B "]),
        ("substr", [WORDS, [-2, 0], [9, 1], "UTF8_CHAR"], [b"ld", "Ä".encode()]),
        ("regex_replace", [WORDS, "[[:upper:]]", r"<\0>"], [b"<H>ello <W>orld", "Ä<B> c".encode()]),
        ("regex_replace", [WORDS, "(l+)(o)", r"\2\1", False], [b"Heoll World", "ÄB c".encode()]),
        ("regex_full_match", [["ab", "abc"], "a."], [True, False]),
        ("join", [[WORDS, "!"], "-"], [b"Hello World-!", "ÄB c-!".encode()]),
        ("reduce_join", [[["a", "b"], ["c", "d"]], 0], [b"ac", b"bd"]),
        ("reduce_join", [[["a", "b"], ["c", "d"]]], b"abcd"),
        ("split", [WORDS], [[b"Hello", b"World"], ["ÄB".encode(), b"c"]]),
        ("split", ["a,b,,c", ","], [b"a", b"b", b"", b"c"]),
        ("split", [["a b c", ""], None, 1], [[b"a", b"b c"], []]),
        ("split", [[["a b"], ["c"]]], [[[b"a", b"b"]], [[b"c"]]]),
        ("unicode_split", [["hé", ""], "UTF-8"], [[b"h", "é".encode()], []]),
        ("unicode_decode", ["hé", "UTF-8"], [104, 233]),
        ("unicode_encode", [[104, 233], "UTF-8"], "hé".encode()),
        ("bytes_split", ["ab"], [b"a", b"b"]),
        ("ngrams", [["a", "b", "c"], 2], [b"a b", b"b c"]),
        ("ngrams", [["a", "b"], (1, 2)], [b"a", b"b", b"a b"]),
        ("to_number", [["1.5", "-2"]], [1.5, -2.0]),
        ("to_number", [["7"], "int64"], [7]),
        ("as_string", [[1.5, 2.0]], [b"1.500000", b"2.000000"]),
        ("as_string", [[1, -2]], [b"1", b"-2"]),
        ("as_string", [[True]], [b"true"]),
        ("as_string", [[3.14159], 2], [b"3.14"]),
        ("to_hash_bucket_fast", [["Hello", "TensorFlow", "2.x"], 3], [0, 2, 2]),
        ("format", ["{} of {}", (1, [2, 3])], b"1 of [2 3]"),
    ],
)  # fmt: skip
def test_functions(name, arguments, wanted):
    got = values(tf[f"strings.{name}"](*arguments))
    assert got == wanted


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: tf["strings.to_number"](["x"]), "could not correctly convert string: b'x'"),
        (lambda: tf["strings.regex_replace"](["x"], "(", ""), "Invalid pattern"),
        (lambda: tf["strings.substr"](["ab"], 3, 1), "pos 3 out of range"),
        (lambda: tf["strings.format"]("{}", [1, 2]), "does not match 2"),
    ],
)
def test_mistakes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_functions_inside_of_traced_ones():
    """Strings are computed before the program runs, and behind it; what they give is fed to it."""
    traces = []

    @tf["function"]
    def shout(words, factor):
        traces.append(words)
        longer = tf["strings.length"](words) * factor
        return tf["strings.upper"](words), longer, tf["strings.as_string"](longer * 2)

    for words, sizes in ((["ab", "c"], [6, 3]), (["x", "yz"], [3, 6])):
        upper, longer, text = shout(tf["constant"](words), tf["constant"](3))
        assert isinstance(upper, StringTensor) and values(upper) == [w.upper().encode() for w in words]
        assert values(longer) == sizes and values(text) == [str(2 * n).encode() for n in sizes]
    assert len(traces) == 1


def test_a_traced_function_whose_strings_lie_between_programs_runs_step_by_step():
    @tf["function"]
    def f(x):
        return tf["strings.to_number"](tf["strings.as_string"](x * 2.0)) + x

    assert float(f(tf["constant"](1.5))) == 4.5


# -- ragged tensors ---------------------------------------------------------------------------------------------------
def test_ragged_tensors():
    x = tf["ragged.constant"]([[1, 2, 3], [], [4]])
    assert x.shape == (3, None) and x.dtype == "int32" and x.to_list() == [[1, 2, 3], [], [4]] and len(x) == 3
    assert (
        values(x.row_lengths()) == [3, 0, 1]
        and values(x.row_splits) == [0, 3, 3, 4]
        and values(x.values) == [1, 2, 3, 4]
    )
    assert values(x.to_tensor()) == [[1, 2, 3], [0, 0, 0], [4, 0, 0]]
    assert values(x.to_tensor(-1, shape=[None, 2])) == [[1, 2], [-1, -1], [4, -1]]
    assert values(x[0]) == [1, 2, 3] and x[1:].to_list() == [[], [4]] and x[:, :1].to_list() == [[1], [], [4]]
    assert [values(row) for row in x] == [[1, 2, 3], [], [4]]
    assert x.map_flat_values(lambda v: v * 2).to_list() == [[2, 4, 6], [], [8]]


def test_ragged_tensors_of_ragged_rows():
    x = tf["ragged.constant"]([[["a"], ["b", "c"]], [], [[]]])
    assert x.ragged_rank == 2 and x.to_list() == [[[b"a"], [b"b", b"c"]], [], [[]]]
    assert x.merge_dims(0, 1).to_list() == [[b"a"], [b"b", b"c"], []]
    assert values(x.to_tensor()) == [[[b"a", b""], [b"b", b"c"]], [[b"", b""]] * 2, [[b"", b""]] * 2]


@pytest.mark.parametrize("splits", [[1, 2], [0, 2, 1], [0, 1]])
def test_row_splits_that_are_none(splits):
    with pytest.raises(ValueError, match="row_splits"):
        tf["RaggedTensor"].from_row_splits([1, 2], splits)


def test_ragged_functions():
    assert tf["ragged.range"]([0, 3], [2, 6]).to_list() == [[0, 1], [3, 4, 5]]
    assert tf["ragged.stack"]([[1], [2, 3]]).to_list() == [[1], [2, 3]]
    assert tf["RaggedTensor"].from_value_rowids([5, 6, 7], [0, 0, 2]).to_list() == [[5, 6], [], [7]]
    assert tf["RaggedTensor"].from_tensor([[1, 0], [2, 3]], padding=0).to_list() == [[1], [2, 3]]
    padded = [[1, 0, 2, 0], [0, 0, 0, 0], [3, 3, 3, 3]]
    assert tf["RaggedTensor"].from_tensor(padded, padding=0).to_list() == [[1, 0, 2], [], [3, 3, 3, 3]]
    assert tf["RaggedTensor"].from_tensor(padded, lengths=[2, 0, 1]).to_list() == [[1, 0], [], [3]]


@pytest.mark.parametrize("row", [3, -4])
def test_a_ragged_tensor_names_a_row_that_it_does_not_have(row):
    ragged = tf["RaggedTensor"].from_row_lengths([1, 2, 3], [2, 0, 1])
    assert [ragged[-3].numpy().tolist(), ragged[2].numpy().tolist()] == [[1, 2], [3]]
    with pytest.raises(IndexError, match=f"row {row} of a ragged tensor with 3 rows"):
        ragged[row]


# -- hashes -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "size, wanted",
    [
        (3, 2640714258260161385), (8, 18368443631171807497), (12, 13113141256989178508), (20, 16014814510007390469),
        (33, 13549487170563238788), (64, 8115176665984236569), (65, 12090645907386023856), (128, 11127909914777135623),
        (129, 17645447107499386126), (200, 10143958508126119551),
    ],
)  # fmt: skip
def test_fingerprints_are_farmhash_s(size, wanted):
    """Computed with Google's FarmHash (pyfarmhash 0.5.1), for a length in each of its branches."""
    assert fingerprint64((b"abcdefghij" * 20)[:size]) == wanted


def test_siphash_is_that_of_its_paper():
    """The test vector of appendix A."""
    key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    assert siphash(bytes(range(15)), key) == 0xA129CA6149BE45E5


def test_rows_of_unknown_strings_need_values():
    from hornbeam import graph

    with graph.symbolic(), pytest.raises(NeedsValue, match="different lengths"):
        tf["strings.split"](graph.placeholder((None,), "string"))


# -- tables -------------------------------------------------------------------------------------------------------------
def test_tables(tmp_path):
    (tmp_path / "words").write_text("cat\ndog\n")
    whole, number = tf["lookup.TextFileIndex"].WHOLE_LINE, tf["lookup.TextFileIndex"].LINE_NUMBER
    made = tf["lookup.TextFileInitializer"](str(tmp_path / "words"), "string", whole, "int64", number)
    table = tf["lookup.StaticHashTable"](made, -1)
    assert values(table.lookup(tf["constant"](["dog", "cow"]))) == [1, -1] and int(table.size()) == 2
    words = tf["strings.split"](["cat dog", "cow"])
    assert table.lookup(words).to_list() == [[0, 1], [-1]]
    numbered = tf["lookup.StaticVocabularyTable"](made, num_oov_buckets=3)
    assert values(numbered.lookup(["cat", "cow"])) == [0, 2 + fingerprint64(b"cow") % 3]
    back = tf["lookup.StaticHashTable"](tf["lookup.KeyValueTensorInitializer"]([1, 2], ["a", "b"]), "?")
    assert values(back[tf["constant"]([2, 5])]) == [b"b", b"?"]
    traced = tf["function"](lambda x: table.lookup(x) * 2)
    assert values(traced(tf["constant"](["dog"]))) == [2]
