"""Text to numbers: splitting into words, hashing, vocabularies."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, OrderedDict, defaultdict

import numpy as np

from ..lazy import lazy_attributes
from ..other_names import also_called
from ..utils.messages import warn_user

__getattr__, __dir__ = lazy_attributes(globals(), {"text_dataset_from_directory": "..tf.data.directories"}, ())

_PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


@also_called(input_text="text")
def text_to_word_sequence(text, filters=_PUNCTUATION, lower=True, split=" "):
    """Split a text into words.

    Args:
        text: a string.
        filters: characters that separate words, too.
        lower: whether to lower the case first.
        split: the string between words.

    Returns:
        List of words.

    Example:
        >>> text_to_word_sequence("Hello, world!")
        ['hello', 'world']
    """
    if lower:
        text = text.lower()
    separated = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in separated.split(split) if word]


@also_called(input_text="text")
def one_hot(text, n, filters=_PUNCTUATION, lower=True, split=" ", analyzer=None):
    """Words as numbers by Python's ``hash``, which differs from process to process; see :func:`hashing_trick`."""
    return hashing_trick(text, n, hash_function=hash, filters=filters, lower=lower, split=split, analyzer=analyzer)


def hashing_trick(text, n, hash_function=None, filters=_PUNCTUATION, lower=True, split=" ", analyzer=None):
    """Words as numbers from 1 to ``n - 1`` by a hash; words may share a number.

    Args:
        text: a string.
        n: one more than the largest number.
        hash_function: None or ``hash`` for Python's ``hash``, ``'md5'`` for one that is the same in every process,
            or a function from a string to an integer.
        filters, lower, split: see :func:`text_to_word_sequence`.
        analyzer: a function from the text to its words, in place of these.

    Returns:
        List of integers, one per word.
    """
    if hash_function is None:
        hash_function = hash
    elif hash_function == "md5":
        hash_function = _md5
    words = text_to_word_sequence(text, filters, lower, split) if analyzer is None else analyzer(text)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def _md5(word):
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """A vocabulary, learned from texts, that turns texts into sequences of numbers or into vectors.

    Words are numbered from 1 by falling frequency; 0 is no word.

    Args:
        num_words: use only the ``num_words - 1`` most frequent words; by default all.
        filters: characters that separate words.
        lower: whether to lower the case.
        split: the string between words.
        char_level: whether characters are the words.
        oov_token: a word that stands for the ones not in the vocabulary; it gets number 1. By default those are
            left out.
        analyzer: (keyword only, as in tf.keras) a function from a text to its words, in place of filters, lower and split.

    Attributes:
        word_counts: how often each word occurred, in order of first occurrence.
        word_docs, index_docs: in how many texts each word (number) occurred.
        word_index, index_word: number of a word, word of a number.
        document_count: number of texts fitted on.

    Example:
        >>> tokenizer = Tokenizer()
        >>> tokenizer.fit_on_texts(["the cat and the dog"])
        >>> tokenizer.texts_to_sequences(["the dog barks"])
        [[1, 4]]
    """

    def __init__(
        self,
        num_words=None,
        filters=_PUNCTUATION,
        lower=True,
        split=" ",
        char_level=False,
        oov_token=None,
        document_count=0,
        **kwargs,
    ):
        if "nb_words" in kwargs:
            warn_user("The `nb_words` argument in `Tokenizer` has been renamed `num_words`.")
            num_words = kwargs.pop("nb_words")
        self.analyzer = kwargs.pop("analyzer", None)
        if kwargs:
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.document_count = document_count
        self.word_counts = OrderedDict()
        self.word_docs = defaultdict(int)
        self.index_docs = defaultdict(int)
        self.word_index = {}
        self.index_word = {}

    def _words(self, text):
        if self.char_level or isinstance(text, list):
            if not self.lower:
                return text
            return [word.lower() for word in text] if isinstance(text, list) else text.lower()
        if self.analyzer is not None:
            return self.analyzer(text)
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def fit_on_texts(self, texts):
        """Learn the vocabulary; a second call adds to the counts of the first.

        Args:
            texts: list or generator of texts, or of lists of words.
        """
        for text in texts:
            self.document_count += 1
            words = self._words(text)
            for word in words:
                self.word_counts[word] = self.word_counts.get(word, 0) + 1
            for word in set(words):
                self.word_docs[word] += 1

        vocabulary = sorted(self.word_counts, key=self.word_counts.__getitem__, reverse=True)
        if self.oov_token is not None:
            vocabulary.insert(0, self.oov_token)
        self.word_index = {word: index for index, word in enumerate(vocabulary, start=1)}
        self.index_word = {index: word for word, index in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences):
        """Learn how many sequences each number is in, which is all that ``sequences_to_matrix`` needs.

        Args:
            sequences: list of lists of integers.
        """
        self.document_count += len(sequences)
        for sequence in sequences:
            for index in set(sequence):
                self.index_docs[index] += 1

    def _known(self, index):
        return not self.num_words or index < self.num_words

    def texts_to_sequences(self, texts):
        """Each text as a list of integers; words beyond the vocabulary are ``oov_token`` or left out."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts):
        """:meth:`texts_to_sequences`, one by one."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        for text in texts:
            sequence = []
            for word in self._words(text):
                index = self.word_index.get(word)
                if index is None or not self._known(index):
                    index = unknown
                if index is not None:
                    sequence.append(index)
            yield sequence

    def sequences_to_texts(self, sequences):
        """Each list of integers as words with spaces between; unknown numbers are ``oov_token`` or left out."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences):
        """:meth:`sequences_to_texts`, one by one."""
        for sequence in sequences:
            words = []
            for index in sequence:
                word = self.index_word.get(index)
                if word is None or not self._known(index):
                    word = self.oov_token
                if word is not None:
                    words.append(word)
            yield " ".join(words)

    def texts_to_matrix(self, texts, mode="binary"):
        """Texts as rows of a matrix, see :meth:`sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode=mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """Sequences as rows of a matrix with a column per number.

        Args:
            sequences: list of lists of integers; those from ``num_words`` on are ignored.
            mode: ``'binary'`` (is the word there), ``'count'``, ``'freq'`` (its share in the sequence) or
                ``'tfidf'``: ``(1 + log(count)) * log(1 + document_count / (1 + documents with the word))``.

        Returns:
            Array of shape ``(len(sequences), num_words)``, or one column more than words if ``num_words`` is None.

        Raises:
            ValueError: unknown mode, or nothing was fitted that gives the number of columns or of documents.
        """
        columns = self.num_words or (len(self.word_index) + 1 if self.word_index else 0)
        if not columns:
            raise ValueError("Specify a dimension (`num_words` argument), or fit on some text data first.")
        if mode not in ("binary", "count", "freq", "tfidf"):
            raise ValueError(f"Unknown vectorization mode: {mode}")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Fit the Tokenizer on some data before using tfidf mode.")

        matrix = np.zeros((len(sequences), columns))
        for row, sequence in zip(matrix, sequences):
            for index, count in Counter(sequence).items():
                if index >= columns:
                    continue
                if mode == "binary":
                    row[index] = 1
                elif mode == "count":
                    row[index] = count
                elif mode == "freq":
                    row[index] = count / len(sequence)
                else:
                    documents = self.index_docs.get(index, 0)
                    row[index] = (1 + np.log(count)) * np.log(1 + self.document_count / (1 + documents))
        return matrix

    def get_config(self):
        """Arguments and vocabulary, the dictionaries as JSON text."""
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            "word_counts": json.dumps(self.word_counts),
            "word_docs": json.dumps(self.word_docs),
            "index_docs": json.dumps(self.index_docs),
            "index_word": json.dumps(self.index_word),
            "word_index": json.dumps(self.word_index),
        }

    def to_json(self, **kwargs):
        """The tokenizer as JSON text, as Keras 2 writes it; ``kwargs`` go to ``json.dumps``."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


_COUNTERS = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def tokenizer_from_json(json_string):
    """The tokenizer that :meth:`Tokenizer.to_json` wrote, here or in Keras 2.

    Raises:
        ValueError: the text is something else.
    """
    try:
        config = dict(json.loads(json_string)["config"])
        contents = {name: json.loads(config.pop(name)) for name in _COUNTERS}
        for name, items in contents.items():
            kinds = (str, int, float) if name == "index_word" else (int,)  # a word can be anything that was counted
            if not isinstance(items, dict) or not all(type(value) in kinds for value in items.values()):
                raise ValueError(f"{name} is not a dictionary to {kinds[0].__name__}")
        tokenizer = Tokenizer(**config)
        tokenizer.word_counts.update(contents["word_counts"])
        tokenizer.word_docs.update(contents["word_docs"])
        tokenizer.index_docs.update((int(index), count) for index, count in contents["index_docs"].items())
        tokenizer.index_word.update((int(index), word) for index, word in contents["index_word"].items())
        tokenizer.word_index.update(contents["word_index"])
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ValueError(
            f"The text does not describe a Tokenizer: {type(error).__name__}: {str(error)[:200]}"
        ) from error
    return tokenizer
