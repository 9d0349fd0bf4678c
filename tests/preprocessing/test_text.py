"""Text: words, hashes, vocabularies and what they make of texts."""

import json

import numpy as np
import pytest
from hornbeam.preprocessing.text import (
    Tokenizer,
    hashing_trick,
    one_hot,
    text_to_word_sequence,
    tokenizer_from_json,
)

TEXTS = ["The cat sat on the mat.", "The dog; sat!"]  # by frequency: the, sat, cat, on, mat, dog


def fitted(**options):
    tokenizer = Tokenizer(**options)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


# -- words and hashes ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("Hello, World!\nagain", {}, ["hello", "world", "again"]),
        ("Hello World", {"lower": False}, ["Hello", "World"]),
        ("a-b c", {"filters": ""}, ["a-b", "c"]),
        ("a::b!c", {"split": "::", "filters": "!"}, ["a", "b", "c"]),
        ("Él está aquí!", {}, ["él", "está", "aquí"]),
        ("", {}, []),
    ],
)
def test_words(text, options, words):
    assert text_to_word_sequence(text, **options) == words


def test_hashes():
    assert hashing_trick("the cat the", 1000, "md5") == [132, 759, 132]
    assert hashing_trick("a bb", 4, hash_function=len) == [2, 3]
    assert one_hot("the cat", 50) == [hash("the") % 49 + 1, hash("cat") % 49 + 1]
    assert set(one_hot(" ".join(map(str, range(200))), 5)) == {1, 2, 3, 4}


# -- vocabulary ---------------------------------------------------------------------------------------
def test_words_are_numbered_by_frequency_then_by_occurrence():
    tokenizer = fitted()
    assert tokenizer.word_index == {"the": 1, "sat": 2, "cat": 3, "on": 4, "mat": 5, "dog": 6}
    assert tokenizer.index_word[3] == "cat"
    assert list(tokenizer.word_counts.items())[:2] == [("the", 3), ("cat", 1)]
    assert tokenizer.word_docs["the"] == 2 and tokenizer.index_docs[1] == 2
    assert tokenizer.document_count == 2


def test_a_second_fit_adds_to_the_first():
    tokenizer = fitted()
    tokenizer.fit_on_texts(text for text in ["dog dog dog dog"])
    assert tokenizer.word_index["dog"] == 1
    assert tokenizer.index_docs[1] == 2
    assert tokenizer.document_count == 3


@pytest.mark.parametrize(
    ("options", "sequence", "text"),
    [
        ({}, [1, 2], "the sat"),
        ({"num_words": 2}, [1], "the"),
        ({"oov_token": "?"}, [2, 1, 3], "the ? sat"),
        ({"oov_token": "?", "num_words": 3}, [2, 1, 1], "the ? ?"),
    ],
)
def test_sequences_and_back(options, sequence, text):
    tokenizer = fitted(**options)
    assert tokenizer.texts_to_sequences(["The bird sat"]) == [sequence]
    assert tokenizer.sequences_to_texts([sequence]) == [text]


def test_unknown_numbers_in_sequences():
    assert fitted().sequences_to_texts([[1, 99, 2]]) == ["the sat"]
    assert fitted(oov_token="?").sequences_to_texts([[2, 99, 3]]) == ["the ? sat"]


def test_characters_and_lists_of_words():
    tokenizer = Tokenizer(char_level=True)
    tokenizer.fit_on_texts(["aAb"])
    assert tokenizer.word_index == {"a": 1, "b": 2}
    tokenizer = Tokenizer(lower=False)
    tokenizer.fit_on_texts([["New York", "new"], ["New York"]])
    assert tokenizer.texts_to_sequences([["new", "New York"]]) == [[2, 1]]


# -- matrices -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("mode", "the", "dog"),
    [
        ("binary", 1, 1),
        ("count", 3, 1),
        ("freq", 0.75, 0.25),
        ("tfidf", (1 + np.log(3)) * np.log(1 + 2 / 3), np.log(1 + 2 / 2)),
    ],
)
def test_matrix(mode, the, dog):
    matrix = fitted().texts_to_matrix(["the the dog the", ""], mode=mode)
    np.testing.assert_allclose(matrix, [[0, the, 0, 0, 0, 0, dog], [0] * 7])


def test_matrix_of_sequences_without_texts():
    tokenizer = Tokenizer(num_words=3)
    tokenizer.fit_on_sequences([[1, 2, 2], [2, 7]])
    np.testing.assert_array_equal(tokenizer.sequences_to_matrix([[2, 2, 7]], "count"), [[0, 0, 2]])
    np.testing.assert_allclose(tokenizer.sequences_to_matrix([[1]], "tfidf")[0, 1], np.log(1 + 2 / 2))


def test_matrix_errors():
    with pytest.raises(ValueError, match="Specify a dimension"):
        Tokenizer().sequences_to_matrix([[1]])
    with pytest.raises(ValueError, match="Fit the Tokenizer"):
        Tokenizer(num_words=3).sequences_to_matrix([[1]], mode="tfidf")
    with pytest.raises(ValueError, match="Unknown vectorization mode: tf"):
        fitted().texts_to_matrix(TEXTS, mode="tf")


# -- arguments and files ------------------------------------------------------------------------------
def test_old_and_unknown_arguments():
    with pytest.warns(UserWarning, match="renamed `num_words`"):
        assert Tokenizer(nb_words=5).num_words == 5
    with pytest.raises(TypeError, match="Unrecognized keyword arguments"):
        Tokenizer(words=5)


def test_json_round_trip():
    tokenizer = fitted(num_words=4, oov_token="?", lower=False)
    again = tokenizer_from_json(tokenizer.to_json())
    assert again.get_config() == tokenizer.get_config()
    assert again.texts_to_sequences(TEXTS) == tokenizer.texts_to_sequences(TEXTS)
    again.fit_on_texts(["a new text"])
    assert again.document_count == 3


def test_reads_what_keras_wrote():
    config = {
        "num_words": None, "filters": "!", "lower": True, "split": " ", "char_level": False, "oov_token": None,
        "document_count": 1, "word_counts": '{"hi": 2, "you": 1}', "word_docs": '{"you": 1, "hi": 1}',
        "index_docs": '{"2": 1, "1": 1}', "index_word": '{"1": "hi", "2": "you"}', "word_index": '{"hi": 1, "you": 2}',
    }  # fmt: skip
    tokenizer = tokenizer_from_json(json.dumps({"class_name": "Tokenizer", "config": config}))
    assert tokenizer.texts_to_sequences(["you hi!"]) == [[2, 1]]
    assert tokenizer.texts_to_matrix(["hi"], mode="tfidf")[0, 1] == pytest.approx(np.log(1 + 1 / 2))


class TestDamagedTokenizers:
    def good(self):
        tokenizer = Tokenizer(num_words=10)
        tokenizer.fit_on_texts(["the cat sat on the mat", "the dog"])
        return json.loads(tokenizer.to_json())

    @pytest.mark.parametrize(
        "text", ["", "nonsense", "[]", "{}", "null", '"x"', "7", '{"config": 1}', '{"config": {}}', "[" * 100_000]
    )
    def test_nonsense(self, text):
        with pytest.raises(ValueError, match="does not describe a Tokenizer"):
            tokenizer_from_json(text)

    @pytest.mark.parametrize("name", ["word_counts", "word_docs", "index_docs", "index_word", "word_index"])
    @pytest.mark.parametrize("value", ["", "[]", '{"a": {}}', '{"a": null}', '{"a": [1]}', "{" * 10, None, 7])
    def test_a_wrong_dictionary(self, name, value):
        tokenizer = self.good()
        tokenizer["config"][name] = value
        with pytest.raises(ValueError, match="does not describe a Tokenizer"):
            tokenizer_from_json(json.dumps(tokenizer))

    def test_other_arguments(self):
        tokenizer = self.good()
        tokenizer["config"]["speed"] = 3
        with pytest.raises(ValueError, match="does not describe a Tokenizer"):
            tokenizer_from_json(json.dumps(tokenizer))

    def test_what_is_no_text(self):
        with pytest.raises(ValueError, match="does not describe a Tokenizer"):
            tokenizer_from_json(None)
