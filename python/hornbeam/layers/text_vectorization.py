"""From texts to numbers, inside of a model."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import backend as K
from .. import graph
from ..graph import NeedsValue, RaggedTensor, StringTensor, on_host
from ..utils.generic_utils import deserialize_keras_object, serialize_keras_object
from .lookup import MODES, HoldsVocabulary, StringLookup, as_text, strings_of

_PUNCTUATION = string.punctuation.encode()

_STANDARDIZE: dict[Any, Callable[[bytes], bytes]] = {
    "lower_and_strip_punctuation": lambda text: text.lower().translate(None, _PUNCTUATION),
    "lower": bytes.lower,
    "strip_punctuation": lambda text: text.translate(None, _PUNCTUATION),
}
_SPLIT: dict[Any, Callable[[bytes], list[bytes]]] = {
    "whitespace": bytes.split,
    "character": lambda text: [c.encode() for c in text.decode("utf-8", "replace")],
    None: lambda text: [text],
}


class TextVectorization(HoldsVocabulary):
    """Texts as the numbers of their words, in a vocabulary that is given or learnt by :meth:`adapt`.

    Texts are standardized, split into tokens, which may be joined to n-grams, and looked up, all on the host, before the model's
    program runs. 0 is the padding, 1 an unknown token.

    Args:
        max_tokens: the largest size of the vocabulary, with these two.
        standardize: ``'lower_and_strip_punctuation'``, ``'lower'``, ``'strip_punctuation'``, None, or a function of a string tensor.
        split: ``'whitespace'``, ``'character'``, None, or a function from a string tensor to a ragged one.
        ngrams: join up to so many neighbouring tokens; or a tuple of the numbers to join.
        output_mode: ``'int'``, or how often each token is there: ``'multi_hot'``, ``'count'``, ``'tf_idf'``.
        output_sequence_length: cut, or filled up, to so many numbers; the longest text of a batch by default.
        pad_to_max_tokens: whether encoded outputs have ``max_tokens`` places.
        vocabulary: the tokens in order, or the path of a text file with one in each line.
        idf_weights: of each token, for ``'tf_idf'``.
        ragged: give the numbers as a ragged tensor: of texts that are there, not within models.

    Input: (batch,) or (batch, 1). Output: (batch, length) in int64, or (batch, tokens).

    Raises:
        ValueError: arguments that do not fit; while running: no vocabulary.
    """

    takes_text = True

    def __init__(
        self, max_tokens=None, standardize="lower_and_strip_punctuation", split="whitespace", ngrams=None, output_mode="int",
        output_sequence_length=None, pad_to_max_tokens=False, vocabulary=None, idf_weights=None, ragged=False, encoding="utf-8",
        **kwargs,
    ):  # fmt: skip
        vocabulary_size = kwargs.pop("vocabulary_size", None)
        kwargs["dtype"] = "string"
        output_mode = {"tf-idf": "tf_idf"}.get(output_mode, output_mode)
        super().__init__(output_mode, tuple(m for m in MODES if m != "one_hot"), kwargs)
        if not callable(standardize) and standardize not in (*_STANDARDIZE, None):
            raise ValueError(
                f"`standardize` is one of {list(_STANDARDIZE)}, None or a function, got {standardize!r:.80}"
            )
        if not callable(split) and split not in _SPLIT:
            raise ValueError(f"`split` is one of {list(_SPLIT)} or a function, got {split!r:.80}")
        if output_mode != "int" and output_sequence_length is not None:
            raise ValueError(
                f"`output_sequence_length` must not be set if `output_mode` is not 'int', but is {output_mode!r}."
            )
        if ragged and output_mode != "int":
            raise ValueError("`ragged` is for the output mode 'int'.")
        if ngrams is not None and not isinstance(ngrams, (int, tuple, list)):
            raise ValueError(f"`ngrams` is None, an integer or a tuple of integers, got {ngrams!r:.80}")
        self.standardize = standardize
        self.split = split
        self.ngrams = tuple(ngrams) if isinstance(ngrams, list) else ngrams
        self.output_sequence_length = output_sequence_length
        self.ragged = ragged
        self._lookup_layer = StringLookup(
            max_tokens, mask_token="" if output_mode == "int" else None, output_mode=output_mode, encoding=encoding,
            pad_to_max_tokens=pad_to_max_tokens, vocabulary=vocabulary, idf_weights=idf_weights, vocabulary_size=vocabulary_size,
        )  # fmt: skip

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name, known in (("standardize", _STANDARDIZE), ("split", _SPLIT)):
            value = config.get(name)
            if isinstance(value, (str, dict)) and not (isinstance(value, str) and value in known):
                config[name] = deserialize_keras_object(value, {}, None, f"{name} function")
        return super().from_config(config)

    # -- the vocabulary -----------------------------------------------------------------------------
    def reset_state(self) -> None:
        """Forget the counts of tokens."""
        super().reset_state()
        self._lookup_layer.reset_state()

    def update_state(self, data: Any) -> None:
        """Count the tokens of texts."""
        self._lookup_layer.count(self.tokens(strings_of(data, self.name)))

    def finalize_state(self) -> None:
        """Make the counted tokens the vocabulary."""
        self._lookup_layer.finalize_state()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary: see :meth:`StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def get_vocabulary(self, include_special_tokens=True):
        """The tokens in the order of their numbers."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self):
        """How many numbers there are."""
        return self._lookup_layer.vocabulary_size()

    # -- tokens and numbers ----------------------------------------------------------------------------
    def tokens(self, texts: np.ndarray) -> list[list[bytes]]:
        """The tokens of each text of an array (batch,) or (batch, 1).

        Raises:
            ValueError: a row has several texts.
        """
        if texts.ndim > 1 and self.split is not None:
            if texts.shape[-1] != 1:
                raise ValueError(
                    "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape dimension "
                    f"must be 1. Received: inputs.shape={texts.shape}"
                )
            texts = texts[..., 0]
        if callable(self.standardize):
            texts = np.asarray(self.standardize(graph.constant(texts)).numpy(), dtype=object)
        elif self.standardize is not None:
            many = np.frompyfunc(_STANDARDIZE[self.standardize], 1, 1)
            texts = np.asarray(many(texts), dtype=object)
        if callable(self.split):
            parts = self.split(graph.constant(texts))
            parts = parts if isinstance(parts, RaggedTensor) else np.asarray(parts.numpy(), dtype=object)
            rows = parts.to_list() if isinstance(parts, RaggedTensor) else np.atleast_2d(parts).tolist()
        elif self.split is None and texts.ndim > 1:
            rows = texts.reshape(-1, texts.shape[-1]).tolist()
        else:
            cut = _SPLIT[self.split]
            rows = [cut(text) for text in texts.reshape(-1).tolist()]
        if self.ngrams is None:
            return rows
        widths = self.ngrams if isinstance(self.ngrams, tuple) else range(1, self.ngrams + 1)
        return [[b" ".join(row[i : i + n]) for n in widths for i in range(len(row) - n + 1)] for row in rows]

    def _rows(self, texts: np.ndarray) -> list[np.ndarray]:
        look_up = self._lookup_layer.numbers
        rows = [np.array(row, dtype=object) for row in self.tokens(texts)]
        return [look_up(row)[: self.output_sequence_length] if len(row) else np.empty(0, "int64") for row in rows]

    def _padded(self, texts: np.ndarray, fill: int = 0) -> np.ndarray:
        """The numbers of each text, filled up."""
        rows = self._rows(texts)
        length = self.output_sequence_length
        dense = np.full((len(rows), max(map(len, rows), default=0) if length is None else length), fill, "int64")
        for row, numbers in zip(dense, rows):
            row[: len(numbers)] = numbers
        return dense[0] if texts.ndim == 0 else dense

    def _bags(self, texts: np.ndarray) -> np.ndarray:
        return self._lookup_layer.bags(self._padded(texts, fill=-1))

    def __call__(self, inputs, *args, **kwargs):
        return super().__call__(as_text(inputs), *args, **kwargs)

    def call(self, inputs):
        if isinstance(inputs, RaggedTensor):
            inputs = inputs.to_tensor()
        if not isinstance(inputs, StringTensor):
            raise TypeError(
                f"TextVectorization takes strings, got {inputs!r:.120}. The model's input needs their dtype: "
                "Input(shape=(1,), dtype='string')."
            )
        shape = self.compute_output_shape(tuple(inputs.shape))
        if self.output_mode != "int":
            return on_host(self._bags, [inputs], (K.floatx(), shape))
        if not self.ragged:
            return on_host(self._padded, [inputs], ("int64", shape))
        if not inputs._known:
            raise NeedsValue(
                f"The layer {self.name!r} has ragged=True: within models and traced functions it gives dense tensors only."
            )
        rows = self._rows(np.asarray(inputs.numpy(), dtype=object))
        return RaggedTensor.from_rows(rows, "int64")

    def compute_output_shape(self, input_shape):
        batch = tuple(input_shape)[:1]
        if self.output_mode != "int":
            return (*batch, self._lookup_layer._depth())
        if self.split is None and len(input_shape) > 1 and self.output_sequence_length is None and self.ngrams is None:
            return tuple(input_shape)
        return (*batch, self.output_sequence_length)

    def get_config(self):
        lookup = self._lookup_layer.get_config()
        own = {
            "max_tokens": lookup["max_tokens"],
            "standardize": _serialized(self.standardize),
            "split": _serialized(self.split),
            "ngrams": self.ngrams,
            "output_sequence_length": self.output_sequence_length,
            "pad_to_max_tokens": lookup["pad_to_max_tokens"],
            "vocabulary": lookup["vocabulary"],
            "idf_weights": lookup["idf_weights"],
            "ragged": self.ragged,
            "encoding": "utf-8",
        }
        return {**super().get_config(), **own}


def _serialized(function: Any) -> Any:
    return serialize_keras_object(function) if callable(function) else function
