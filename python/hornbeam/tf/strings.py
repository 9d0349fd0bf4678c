"""``tf.strings``: functions of strings, on the host. Ragged tensors keep their rows."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import graph
from ..graph import NeedsValue, RaggedTensor, Tensor
from ..utils.fingerprint import fingerprint64, siphash
from .common import dtype_name
from .table import for_scripts

#: RE2's classes of characters, which Python's expressions do not have
_CLASSES = {
    "alnum": "0-9A-Za-z", "alpha": "A-Za-z", "ascii": "\x00-\x7f", "blank": "\t ", "cntrl": "\x00-\x1f\x7f", "digit": "0-9",
    "graph": "!-~", "lower": "a-z", "print": " -~", "punct": r"!-/:-@\[-`{-~", "space": r"\t\n\v\f\r ", "upper": "A-Z",
    "word": r"\w", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


def _each(function: Callable, inputs: Sequence[Any], dtype: str = "string") -> Any:
    """Apply a function of single strings (and numbers) to all items of tensors, which are broadcast."""
    ragged = next((x for x in inputs if isinstance(x, RaggedTensor)), None)
    if ragged is not None:
        return ragged.map_flat_values(lambda flat: _each(function, [flat if x is ragged else x for x in inputs], dtype))
    tensors = [graph.convert(x) for x in inputs]
    kind = object if dtype == "string" else dtype
    many = np.frompyfunc(function, len(tensors), 1)

    def apply(*arrays: np.ndarray) -> np.ndarray:
        result = many(*arrays)
        if isinstance(result, np.ndarray):
            return result.astype(kind)
        found = np.empty((), kind)
        found[()] = result
        return found

    shape = max((t.shape for t in tensors), key=len)
    return graph.on_host(apply, tensors, (dtype, shape))


def _text(function: Callable[[str], str]) -> Callable[[bytes], bytes]:
    """A function of text as one of its bytes in UTF-8."""
    return lambda data: function(data.decode("utf-8", "replace")).encode()


def known_strings(input: Any, what: str) -> np.ndarray:
    """The strings of a tensor.

    Raises:
        NeedsValue: it has none yet, and ``what`` gives rows whose lengths are known only then.
    """
    tensor = graph.convert(input)
    if not tensor._known:
        raise NeedsValue(f"{what} gives rows of different lengths, which are known of strings that are there.")
    return np.asarray(tensor.numpy(), dtype=object)


# -- letters --------------------------------------------------------------------------------------------------------
@for_scripts("strings.lower")
def lower(input: Any, encoding: str = "", name: Any = None) -> Any:
    """In small letters; without ``encoding='utf-8'`` those of ASCII alone."""
    return _each(_text(str.lower) if encoding else bytes.lower, [input])


@for_scripts("strings.upper")
def upper(input: Any, encoding: str = "", name: Any = None) -> Any:
    """In capital letters; without ``encoding='utf-8'`` those of ASCII alone."""
    return _each(_text(str.upper) if encoding else bytes.upper, [input])


@for_scripts("strings.strip", "string_strip")
def strip(input: Any, name: Any = None) -> Any:
    """Without white space at both ends."""
    return _each(bytes.strip, [input])


@for_scripts("strings.length")
def length(input: Any, name: Any = None, unit: str = "BYTE") -> Any:
    """The number of bytes, or of characters with ``unit='UTF8_CHAR'``, in int32."""
    return _each(len if unit == "BYTE" else lambda data: len(data.decode("utf-8", "replace")), [input], "int32")


@for_scripts("strings.substr", "substr")
def substr(input: Any, pos: Any, len: Any, unit: str = "BYTE", name: Any = None) -> Any:
    """``len`` bytes (or characters) from ``pos`` on, which counts from the end where it is negative.

    Raises:
        ValueError: ``pos`` lies outside of a string.
    """

    def part(data: bytes, begin: int, size: int) -> bytes:
        items: Any = data if unit == "BYTE" else data.decode("utf-8", "replace")
        total = items.__len__()
        if not -total <= begin <= total:
            raise ValueError(f"pos {begin} out of range for string {data[:40]!r} of length {total}")
        begin = begin + total if begin < 0 else begin
        found = items[begin : begin + size]
        return found if unit == "BYTE" else found.encode()

    return _each(part, [input, pos, len])


@functools.lru_cache(64)
def _expression(pattern: str) -> re.Pattern[str]:
    translated = re.sub(r"\[:(\w+):\]", lambda m: _CLASSES.get(m[1], m[0]), pattern)
    try:
        return re.compile(translated, re.ASCII)
    except re.error as error:
        raise ValueError(f"Invalid pattern: {pattern}, error: {error}") from None


@functools.lru_cache(64)
def _replacement(rewrite: str) -> str:
    """What replaces a match, in Python's words: RE2 says ``\\0`` for all of it, and knows no other escapes than digits."""
    return re.sub(r"\\(\d|\\)", lambda m: rf"\g<{m[1]}>" if m[1] != "\\" else r"\\", rewrite)


def _pattern(pattern: Any) -> str:
    data = pattern.numpy() if isinstance(pattern, Tensor) else pattern
    return data.decode() if isinstance(data, bytes) else data


@for_scripts("strings.regex_replace", "regex_replace")
def regex_replace(input: Any, pattern: Any, rewrite: Any, replace_global: bool = True, name: Any = None) -> Any:
    """With ``rewrite`` in place of each match (or of the first); ``\\1`` there stands for the first group.

    Raises:
        ValueError: the pattern is not a regular expression.
    """
    expression, replacement = _expression(_pattern(pattern)), _replacement(_pattern(rewrite))
    return _each(_text(lambda text: expression.sub(replacement, text, count=0 if replace_global else 1)), [input])


@for_scripts("strings.regex_full_match")
def regex_full_match(input: Any, pattern: Any, name: Any = None) -> Any:
    """Whether a pattern describes the whole string."""
    expression = _expression(_pattern(pattern))
    return _each(lambda data: expression.fullmatch(data.decode("utf-8", "replace")) is not None, [input], "bool")


# -- together and apart -----------------------------------------------------------------------------------------------
@for_scripts("strings.join", "string_join")
def join(inputs: Sequence[Any], separator: str = "", name: Any = None) -> Any:
    """The strings of several tensors, item by item, with a separator between them."""
    between = separator.encode()
    return _each(lambda *items: between.join(items), list(inputs))


@for_scripts("strings.reduce_join")
def reduce_join(inputs: Any, axis: Any = None, keepdims: bool = False, separator: str = "", name: Any = None) -> Any:
    """The strings along an axis as one; of all axes by default."""
    between = separator.encode()
    if isinstance(inputs, RaggedTensor):
        rows = [between.join(row.reshape(-1).tolist()) for row in inputs._rows()]
        return graph.constant(rows) if axis in (-1, 1) else graph.constant(between.join(rows))
    tensor = graph.convert(inputs)
    axes = list(range(tensor.ndim)) if axis is None else [a % tensor.ndim for a in np.ravel(axis)]

    def joined(array: np.ndarray) -> np.ndarray:
        for a in sorted(axes, reverse=True):
            moved = np.moveaxis(array, a, -1)
            found = np.empty(moved.shape[:-1], dtype=object)
            for place in np.ndindex(*found.shape):
                found[place] = between.join(moved[place].tolist())
            array = np.expand_dims(found, a) if keepdims else found
        return array

    dims = [1 if i in axes else d for i, d in enumerate(tensor.shape) if keepdims or i not in axes]
    return graph.on_host(joined, [tensor], ("string", dims))


def pieces(input: Any, cut: Callable[[bytes], list], what: str) -> Any:
    """The pieces of each string: a vector of one, or a ragged tensor with an axis more."""
    if isinstance(input, RaggedTensor):
        inner = pieces(input.values, cut, what)
        return input.with_values(inner)
    array = known_strings(input, what)
    if array.ndim == 0:
        return graph.constant(_strings(cut(array.item())))
    if array.ndim > 1:
        flat = pieces(array.reshape(-1), cut, what)
        for size in reversed(array.shape[1:]):
            rows = len(flat) // size if size else len(array)
            flat = RaggedTensor.from_row_lengths(flat, [size] * rows)
        return flat
    rows = [cut(item) for item in array.tolist()]
    return RaggedTensor.from_row_lengths(_strings([piece for row in rows for piece in row]), [len(row) for row in rows])


def _strings(items: list) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


@for_scripts("strings.split")
def split(input: Any, sep: Any = None, maxsplit: int = -1, name: Any = None) -> Any:
    """The parts between separators, by default white space: a ragged tensor, or of one string a vector."""
    between = None if sep is None else _pattern(sep).encode() or None
    return pieces(input, lambda data: data.split(between, maxsplit), "tf.strings.split")


@for_scripts("compat.v1.strings.split", "compat.v1.string_split", "string_split")
def split_v1(
    input: Any = None, sep: Any = None, maxsplit: int = -1, result_type: str = "RaggedTensor", source: Any = None,
    name: Any = None, delimiter: Any = None, skip_empty: bool = True,
) -> Any:  # fmt: skip
    return split(source if input is None else input, delimiter if sep is None else sep, maxsplit)


@for_scripts("strings.bytes_split")
def bytes_split(input: Any, name: Any = None) -> Any:
    """The bytes of each string, as strings."""
    return pieces(input, lambda data: [data[i : i + 1] for i in range(len(data))], "tf.strings.bytes_split")


@for_scripts("strings.unicode_split")
def unicode_split(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: Any = None
) -> Any:
    """The characters of each string, as strings."""
    return pieces(
        input,
        lambda data: [c.encode() for c in data.decode(_codec(input_encoding), errors)],
        "tf.strings.unicode_split",
    )


@for_scripts("strings.unicode_decode")
def unicode_decode(
    input: Any, input_encoding: str, errors: str = "replace", replacement_char: int = 65533,
    replace_control_characters: bool = False, name: Any = None,
) -> Any:  # fmt: skip
    """The numbers of each string's characters."""
    found = unicode_split(input, input_encoding, errors)
    number = functools.partial(_each, lambda data: ord(data.decode()), dtype="int32")
    return number([found])


@for_scripts("strings.unicode_encode")
def unicode_encode(
    input: Any, output_encoding: str, errors: str = "replace", replacement_char: int = 65533, name: Any = None
) -> Any:
    """The strings of rows of characters' numbers."""

    def text(row: Any) -> bytes:
        return "".join(map(chr, np.asarray(row).reshape(-1).tolist())).encode(_codec(output_encoding), errors)

    if isinstance(input, RaggedTensor):
        return graph.constant(_strings([text(row) for row in input._rows()]))
    tensor = graph.convert(input)

    def encode(array: np.ndarray) -> np.ndarray:
        flat = _strings([text(row) for row in array.reshape(-1, array.shape[-1])])
        return flat.reshape(array.shape[:-1])

    return graph.on_host(encode, [tensor], ("string", tensor.shape[:-1]))


def _codec(encoding: str) -> str:
    return {"UTF-16-BE": "utf-16-be", "UTF-32-BE": "utf-32-be"}.get(encoding, encoding)


@for_scripts("strings.ngrams")
def ngrams(
    data: Any, ngram_width: Any, separator: str = " ", pad_values: Any = None, padding_width: Any = None,
    preserve_short_sequences: bool = False, name: Any = None,
) -> Any:  # fmt: skip
    """Runs of neighbouring strings of each row, joined; of several widths one after the other."""
    widths = [int(w) for w in np.ravel(ngram_width)]
    between = separator.encode()
    left, right = (pad_values, pad_values) if isinstance(pad_values, (str, bytes)) or pad_values is None else pad_values

    def runs(row: list) -> list:
        found = []
        for width in widths:
            items = row
            if left is not None:
                pad = width - 1 if padding_width is None else min(int(padding_width), width - 1)
                items = [_encoded(left)] * pad + row + [_encoded(right)] * pad
            found += [between.join(items[i : i + width]) for i in range(len(items) - width + 1)]
        return [between.join(row)] if not found and preserve_short_sequences and row else found

    if isinstance(data, RaggedTensor):
        rows = [runs(row.tolist()) for row in data._rows()]
        return RaggedTensor.from_row_lengths(_strings([x for row in rows for x in row]), [len(row) for row in rows])
    array = known_strings(data, "tf.strings.ngrams")
    if array.ndim == 1:
        return graph.constant(_strings(runs(array.tolist())))
    rows = [runs(row.tolist()) for row in array]
    return RaggedTensor.from_row_lengths(_strings([x for row in rows for x in row]), [len(row) for row in rows])


def _encoded(text: Any) -> bytes:
    return text.encode() if isinstance(text, str) else text


# -- numbers ------------------------------------------------------------------------------------------------------------
@for_scripts("strings.to_number", "string_to_number")
def to_number(input: Any, out_type: Any = "float32", name: Any = None) -> Any:
    """The numbers that strings say.

    Raises:
        ValueError: one says none.
    """
    dtype = dtype_name(out_type)
    read: Callable[[bytes], Any] = float if dtype.startswith("float") else int

    def number(data: bytes) -> Any:
        try:
            return read(data)
        except ValueError:
            raise ValueError(f"StringToNumberOp could not correctly convert string: {data[:40]!r}") from None

    return _each(number, [input], dtype)


@for_scripts("strings.as_string", "as_string", "dtypes.as_string")
def as_string(
    input: Any, precision: int = -1, scientific: bool = False, shortest: bool = False, width: int = -1, fill: str = "",
    name: Any = None,
) -> Any:  # fmt: skip
    """Numbers as strings; floats with six digits behind the point, unless ``precision`` or ``shortest`` says otherwise."""
    dtype = input.dtype if isinstance(input, RaggedTensor) else graph.convert(input).dtype
    zero = "0" if fill == "0" else "-" if fill == "-" else ""
    layout = f"%{zero}{width if width > 0 else ''}"

    def text(value: Any) -> bytes:
        if isinstance(value, (bytes, str)):
            return _encoded(value)
        if isinstance(value, (bool, np.bool_)):
            return b"true" if value else b"false"
        if not str(dtype).startswith("float"):
            return (f"{layout}d" % int(value)).encode()
        kind = "g" if shortest else "e" if scientific else "f"
        digits = f".{precision}" if precision >= 0 else ""
        return (f"{layout}{digits}{kind}" % float(value)).encode()

    return _each(text, [input])


@for_scripts("strings.to_hash_bucket_fast", "string_to_hash_bucket_fast")
def to_hash_bucket_fast(input: Any, num_buckets: int, name: Any = None) -> Any:
    """The bucket of each string by FarmHash's Fingerprint64."""
    return _each(lambda data: fingerprint64(data) % num_buckets, [input], "int64")


@for_scripts("strings.to_hash_bucket_strong", "string_to_hash_bucket_strong")
def to_hash_bucket_strong(input: Any, num_buckets: int, key: Sequence[int], name: Any = None) -> Any:
    """The bucket of each string by SipHash with a key of two numbers."""
    pair = (int(key[0]), int(key[1]))
    return _each(lambda data: siphash(data, pair) % num_buckets, [input], "int64")


@for_scripts("strings.format")
def format(template: str, inputs: Any, placeholder: str = "{}", summarize: int = 3, name: Any = None) -> Tensor:
    """A template with the values of tensors in it."""
    values = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    parts = template.split(placeholder)
    if len(parts) != len(values) + 1:
        raise ValueError(
            f"{len(parts) - 1} placeholder(s) in template does not match {len(values)} tensor(s) provided as input"
        )
    shown = [str(graph.convert(v).numpy()) for v in values]
    return graph.constant("".join(x for pair in zip(parts, [*shown, ""]) for x in pair))
