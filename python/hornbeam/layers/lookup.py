"""Vocabularies: the layers that number strings and integers."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import numpy as np

from .. import backend as K
from .. import graph
from ..backend.math import where
from ..graph import RaggedTensor, Tensor, as_strings, on_host
from ..utils.fingerprint import fingerprint64
from ..utils.overriding import default
from .preprocessing import PreprocessingLayer, _Categories, _encoded, _encoded_shape, plain

VOCABULARY_FILE = "vocabulary.txt"
MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class HoldsVocabulary(PreprocessingLayer, _Categories):
    """A layer with a vocabulary, which is given or learnt: the most frequent tokens first; of equally frequent ones, the last in order."""

    def get_vocabulary(self, include_special_tokens: bool = True) -> list:
        """The tokens in the order of their numbers."""
        raise NotImplementedError

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary."""
        raise NotImplementedError

    @default
    def save_assets(self, dir_path: str) -> None:
        """Write the vocabulary with its special tokens into ``vocabulary.txt`` in a folder, a token in each line."""
        with open(os.path.join(dir_path, VOCABULARY_FILE), "w", encoding="utf-8") as file:
            file.write("\n".join(map(str, self.get_vocabulary())))

    @default
    def load_assets(self, dir_path: str) -> None:
        """Take the vocabulary that :meth:`save_assets` wrote."""
        with open(os.path.join(dir_path, VOCABULARY_FILE), encoding="utf-8") as file:
            self.set_vocabulary(file.read().split("\n"))

    @classmethod
    def from_config(cls, config):
        if isinstance(config.get("vocabulary"), str):  # a file may not name others to be read
            raise ValueError(
                f"{cls.__name__} in a file names the vocabulary file {config['vocabulary']!r:.80}: a model file holds it itself."
            )
        return cls(**config)


class _Lookup(HoldsVocabulary):
    """Tokens and their numbers: behind those for the mask and for unknown tokens, the vocabulary in its order."""

    _token = "token"

    def __init__(
        self, max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, invert, output_mode, pad_to_max_tokens,
        idf_weights, kwargs,
    ):  # fmt: skip
        self._size = kwargs.pop("vocabulary_size", None)  # of a vocabulary that files have elsewhere
        kwargs.setdefault("dtype", "int64")
        super().__init__(output_mode, MODES, kwargs)
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"If set, `max_tokens` must be greater than 1, got {max_tokens}.")
        if num_oov_indices < 0:
            raise ValueError(f"`num_oov_indices` must be greater than or equal to 0, got {num_oov_indices}.")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError("If pad_to_max_tokens is True, must set `max_tokens`.")
        if invert and output_mode != "int":
            raise ValueError("`output_mode` must be 'int' when `invert` is true.")
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = invert
        self.pad_to_max_tokens = pad_to_max_tokens
        self._tokens: list | None = None
        self._idf: np.ndarray | None = None
        self._table: dict = {}
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # -- the vocabulary -----------------------------------------------------------------------------
    def _read(self, token: Any) -> Any:
        """A token as the vocabulary has it."""
        raise NotImplementedError

    @property
    def _special(self) -> list:
        """What comes before the vocabulary."""
        mask = [] if self.mask_token is None or self.output_mode != "int" else [self.mask_token]
        return mask + [self.oov_token] * self.num_oov_indices

    @property
    def _first_unknown(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Take a vocabulary, with or without the special tokens at its beginning.

        Args:
            vocabulary: tokens in the order of their numbers, or the path of a text file with one in each line.
            idf_weights: of each token, for the mode ``'tf_idf'``.

        Raises:
            ValueError: a token is there twice, or is a special one; there are more than ``max_tokens``; weights are missing.
        """
        if isinstance(vocabulary, str):
            with open(vocabulary, encoding="utf-8") as file:
                vocabulary = [line.rstrip("\n") for line in file]
        if isinstance(vocabulary, Tensor):
            vocabulary = vocabulary.numpy()
        tokens = [self._read(token) for token in plain(vocabulary)]
        special = self._special
        if special and tokens[: len(special)] == special:
            tokens = tokens[len(special) :]
        counts = Counter(tokens)
        if len(counts) < len(tokens):
            repeated = [token for token, count in counts.items() if count > 1]
            raise ValueError(f"The passed vocabulary has at least one repeated term: {repeated[:5]}.")
        for name, token in (
            ("mask_token", self.mask_token),
            ("oov_token", self.oov_token if self.num_oov_indices else None),
        ):
            if token is not None and token in counts:
                raise ValueError(
                    f"Found the reserved {name} {token!r} in the passed vocabulary, where it does not stand at its place."
                )
        if self.max_tokens is not None and len(tokens) + len(special) > self.max_tokens:
            raise ValueError(
                f"Attempted to set a vocabulary larger than the maximum vocab size: {len(tokens) + len(special)} tokens, "
                f"with {len(special)} special ones, where max_tokens is {self.max_tokens}."
            )
        if (self.output_mode == "tf_idf") != (idf_weights is not None):
            raise ValueError("`idf_weights` are given for the output mode 'tf_idf', and for no other.")
        self._keep(tokens, None if idf_weights is None else np.asarray(plain(idf_weights), "float32").reshape(-1))

    def _keep(self, tokens: list, idf: np.ndarray | None) -> None:
        if idf is not None and len(idf) != len(tokens):
            if len(idf) == len(tokens) + len(self._special):
                idf = idf[len(self._special) :]
            else:
                raise ValueError(f"`idf_weights` must be the same length as vocabulary: {len(idf)} and {len(tokens)}.")
        self._tokens, self._idf, self._table = tokens, idf, {}

    @property
    def vocabulary(self) -> list | None:
        """The tokens without special ones; None as long as there are none."""
        return self._tokens

    def get_vocabulary(self, include_special_tokens=True):
        """The tokens in the order of their numbers."""
        return (self._special if include_special_tokens else []) + list(self._known_tokens())

    def vocabulary_size(self):
        """How many numbers there are."""
        return len(self._special) + len(self._tokens or ())

    def vocab_size(self):
        """As :meth:`vocabulary_size`, by the name that it had first."""
        return self.vocabulary_size()

    def _known_tokens(self) -> list:
        if self._tokens is None:
            raise ValueError(
                f"The layer {self.name!r} has no vocabulary yet: call `adapt(data)` or `set_vocabulary(tokens)` before. One "
                "that was adapted before it was saved by tf.keras is in the file's assets: `set_vocabulary` takes it."
            )
        return self._tokens

    # -- learning it ----------------------------------------------------------------------------------
    def reset_state(self) -> None:
        """Forget the counts of tokens."""
        super().reset_state()
        self._counts: Counter = Counter()
        self._documents: Counter = Counter()
        self._document_count = 0

    def update_state(self, data: Any) -> None:
        """Count the tokens of a batch, of which each row is a document."""
        array = self._array(data)
        self.count(array.reshape(-1, array.shape[-1]).tolist() if array.ndim > 1 else [array.reshape(-1).tolist()])

    def count(self, rows: list[list]) -> None:
        """Count the tokens of documents."""
        for row in rows:
            self._counts.update(row)
            if self.output_mode == "tf_idf":
                self._documents.update(set(row))
        self._document_count += len(rows)

    def finalize_state(self) -> None:
        """Make the counted tokens the vocabulary."""
        if not self._counts:
            return
        counted = dict(self._counts)
        for token in (self.mask_token, self.oov_token):
            counted.pop(self._counted(token), None)
        order = sorted(counted, key=lambda token: (counted[token], token), reverse=True)
        if self.max_tokens is not None:
            order = order[: self.max_tokens - len(self._special)]
        idf = None
        if self.output_mode == "tf_idf":
            documents = np.array([self._documents[token] for token in order], "float32")
            idf = np.log1p(self._document_count / (1 + documents)).astype("float32")
        self._keep([self._read(token) for token in order], idf)

    def _counted(self, token: Any) -> Any:
        return token

    def _array(self, data: Any) -> np.ndarray:
        raise NotImplementedError

    # -- numbers -------------------------------------------------------------------------------------
    def _depth(self) -> int:
        if self.pad_to_max_tokens:
            return self.max_tokens
        if self._tokens is None and self._size is not None:
            return self._size
        return len(self._known_tokens()) + self.num_oov_indices

    def _weights_of_tokens(self) -> np.ndarray:
        """The inverse document frequencies by number; unknown tokens have the mean."""
        idf = np.empty(0, "float32") if self._idf is None else self._idf
        front = np.full(self.num_oov_indices, idf.mean() if len(idf) else 0.0, "float32")
        found = np.concatenate([front, idf])
        return np.pad(found, (0, self._depth() - len(found)))

    def bags(self, numbers: np.ndarray) -> np.ndarray:
        """What the output mode makes of the numbers in each row, -1 for none."""
        depth, mode = self._depth(), self.output_mode
        if mode == "one_hot" and not (numbers.ndim > 1 and numbers.shape[-1] == 1):
            numbers = numbers[..., None]
        rows = numbers.reshape(-1, numbers.shape[-1])
        out = np.zeros((len(rows), depth), K.floatx())
        row, column = np.nonzero((rows >= 0) & (rows < depth))
        np.add.at(out, (row, rows[row, column]), 1)
        if mode in ("multi_hot", "one_hot"):
            out = np.minimum(out, 1)
        if mode == "tf_idf":
            out *= self._weights_of_tokens()
        return out.reshape(*numbers.shape[:-1], depth)

    def compute_output_shape(self, input_shape):
        if self.output_mode == "int":
            return input_shape
        return _encoded_shape(input_shape, self.output_mode, self._depth())

    def get_config(self):
        names = (
            "max_tokens",
            "num_oov_indices",
            "mask_token",
            "oov_token",
            "vocabulary",
            "invert",
            "pad_to_max_tokens",
        )
        idf = None if self._idf is None else self._idf.tolist()
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own, "idf_weights": idf}


class StringLookup(_Lookup):
    """The number of each string in a vocabulary, which is given or learnt by :meth:`adapt`.

    Strings are looked up on the host, before the model's program runs.

    Args:
        max_tokens: the largest size of the vocabulary, with special tokens.
        num_oov_indices: how many numbers there are for unknown strings, which are then told apart by their hash; with 0 they raise.
        mask_token: a string that becomes 0; the others then count from 1.
        oov_token: what :attr:`invert` gives for a number that is none of the vocabulary's.
        vocabulary: the strings in order, or the path of a text file with one in each line.
        idf_weights: of each string, for ``'tf_idf'``.
        encoding: of the strings; only UTF-8.
        invert: from numbers to strings.
        output_mode: ``'int'``, or of the strings along the last axis ``'multi_hot'``, ``'count'`` or ``'tf_idf'``; or ``'one_hot'``.
        pad_to_max_tokens: whether encoded outputs have ``max_tokens`` places.

    Raises:
        ValueError: arguments that do not fit; while running: no vocabulary, or an unknown string and no number for it.
    """

    def __init__(
        self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token="[UNK]", vocabulary=None, idf_weights=None,
        encoding="utf-8", invert=False, output_mode="int", pad_to_max_tokens=False, **kwargs,
    ):  # fmt: skip
        if str(encoding).lower().replace("_", "-") not in ("utf-8", "utf8"):
            raise ValueError(f"`encoding` of StringLookup is 'utf-8' here, got {encoding!r}.")
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, invert, output_mode, pad_to_max_tokens, idf_weights,
            kwargs,
        )  # fmt: skip

    def __call__(self, inputs, *args, **kwargs):
        return super().__call__(inputs if self.invert else as_text(inputs), *args, **kwargs)

    @property
    def takes_text(self):
        return not self.invert

    def _read(self, token):
        return token.decode() if isinstance(token, bytes) else str(token)

    def _counted(self, token):
        return None if token is None else token.encode()

    def _array(self, data):
        return strings_of(data, self.name)

    def call(self, inputs):
        if isinstance(inputs, RaggedTensor):
            return inputs.map_flat_values(self.call)
        if self.invert:
            return on_host(self._strings, [K.cast(inputs, "int64")], ("string", inputs.shape))
        if self.output_mode == "int":
            return on_host(self.numbers, [inputs], ("int64", inputs.shape))
        shape = self.compute_output_shape(tuple(inputs.shape))
        return on_host(lambda strings: self.bags(self.numbers(strings)), [inputs], (K.floatx(), shape))

    def numbers(self, strings: np.ndarray) -> np.ndarray:
        """The numbers of an array of bytes."""
        table, count = self._table or self._made_table(), self.num_oov_indices
        flat = strings.reshape(-1).tolist()
        if count == 1:
            unknown = self._first_unknown
            found = [table.get(s, unknown) for s in flat]
        elif count:
            begin = self._first_unknown
            found = [table[s] if s in table else begin + fingerprint64(s) % count for s in flat]
        else:
            missing = [s for s in flat if s not in table]
            if missing:
                raise ValueError(
                    f"When `num_oov_indices=0` all inputs should be in vocabulary, found {missing[:5]}: consider setting "
                    f"`num_oov_indices=1` in the layer {self.name!r}."
                )
            found = [table[s] for s in flat]
        return np.array(found, "int64").reshape(strings.shape)

    def _made_table(self) -> dict[bytes, int]:
        first = len(self._special)
        table = {token.encode(): first + i for i, token in enumerate(self._known_tokens())}
        if self.mask_token is not None:
            table[self.mask_token.encode()] = 0 if self.output_mode == "int" else -1
        self._table = table  # as a whole: other threads may look up
        return table

    def _strings(self, numbers: np.ndarray) -> np.ndarray:
        tokens = [token.encode() for token in [*self.get_vocabulary(), self.oov_token]]
        found = np.empty(len(tokens), dtype=object)
        found[:] = tokens
        last = len(tokens) - 1
        return found[np.where((numbers >= 0) & (numbers < last), numbers, last)]


class IntegerLookup(_Lookup):
    """The place of each integer in a vocabulary, which is given or learnt by :meth:`adapt`.

    Args:
        max_tokens: the largest size of the vocabulary, with special tokens.
        num_oov_indices: how many numbers there are for unknown integers; with 0 they become -1.
        mask_token: an integer that becomes 0; the others then count from 1.
        oov_token: what :attr:`invert` gives for a number that is none of the vocabulary's.
        vocabulary: the integers that are known, or the path of a text file with one in each line.
        invert: from places to integers.
        output_mode: ``'int'``, ``'one_hot'``, or of the integers along the last axis ``'multi_hot'``, ``'count'`` or ``'tf_idf'``.

    Raises:
        ValueError: arguments that do not fit, or at a call: no vocabulary.
    """

    def __init__(
        self, max_tokens=None, num_oov_indices=1, mask_token=None, oov_token=-1, vocabulary=None, vocabulary_dtype="int64",
        idf_weights=None, invert=False, output_mode="int", pad_to_max_tokens=False, **kwargs,
    ):  # fmt: skip
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, invert, output_mode, pad_to_max_tokens, idf_weights,
            kwargs,
        )  # fmt: skip

    def _read(self, token):
        return int(token)

    def _array(self, data):
        return np.asarray(data.numpy() if isinstance(data, Tensor) else data).astype("int64")

    def call(self, inputs):
        inputs = K.cast(inputs, "int64")
        if self.invert:
            return self._integers(inputs)
        tokens = self._known_tokens()
        known = graph.constant(np.array(tokens, "int64"))
        matches = K.cast(K.equal(K.expand_dims(inputs, -1), known), "int64")
        places = K.sum(matches * graph.constant(np.arange(1, len(tokens) + 1)), axis=-1)  # unknown ones are 0
        numbers = places + (self.num_oov_indices - 1)
        if self.num_oov_indices > 1:
            numbers = where(K.equal(places, 0), inputs % self.num_oov_indices, numbers)
        if self.mask_token is not None:
            # The mask's number comes before all others; encoded, it is none of the categories.
            first, masked = (1, 0) if self.output_mode == "int" else (0, -1)
            numbers = where(K.equal(inputs, self.mask_token), masked, numbers + first)
        if self.output_mode == "int":
            return numbers
        mode = "count" if self.output_mode == "tf_idf" else self.output_mode
        encoded = _encoded(numbers, self._depth(), mode, K.floatx())
        return encoded * K.constant(self._weights_of_tokens()) if self.output_mode == "tf_idf" else encoded

    def _integers(self, numbers: Any) -> Any:
        """The integers at these places."""
        tokens = self.get_vocabulary()
        inside = graph.apply("logical_and", [K.greater_equal(numbers, 0), K.less(numbers, len(tokens))])
        found = graph.apply("gather", [graph.constant(tokens, "int64"), where(inside, numbers, 0)], axis=0)
        return where(inside, found, self.oov_token)


def as_text(inputs: Any) -> Any:
    """Strings as a tensor, where they come in lists or arrays."""
    if isinstance(inputs, (Tensor, RaggedTensor)):
        return inputs
    strings = as_strings(np.asarray(inputs, dtype=object) if isinstance(inputs, tuple) else inputs)
    return inputs if strings is None else graph.constant(strings)


def strings_of(data: Any, layer: str) -> np.ndarray:
    """The strings of a batch.

    Raises:
        TypeError: it holds something else.
    """
    if isinstance(data, RaggedTensor):
        data = data.flat_values
    strings = as_strings(np.asarray(data.numpy(), dtype=object) if isinstance(data, Tensor) else data)
    if strings is None:
        raise TypeError(f"The layer {layer!r} takes strings, got {data!r:.80}")
    return strings
