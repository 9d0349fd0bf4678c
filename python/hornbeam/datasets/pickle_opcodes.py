"""Looks a pickle's opcodes over before they are run: what they cost has to follow from the pickle's size.

Python's unpickler takes a place in its memo for every number up to the one that is named (24 bytes take 68 GB), and hashes
the keys of dicts and the items of sets: tuples that refer to one another twice each take 2^n steps, deep ones the
stack, large integers of one hash the square of their number.
"""

from __future__ import annotations

import pickle
import re

#: Runs of what data mostly consist of: small integers, numbers, None, booleans, marks, empty containers, and what
#: fills them. They are passed over at the speed of ``re``: the reviews of IMDB are six million integers.
_PLAIN = re.compile(rb"(?:K.|M..|J....|G.{8}|[N\x88\x89(\]}aesu\x8f\x90])+", re.DOTALL)

#: Opcodes followed by a length in so many bytes, little-endian, and as many bytes of data.
_SIZED = {
    b"U": 1, b"C": 1, b"\x8c": 1, b"\x8a": 1, b"T": 4, b"X": 4, b"B": 4, b"\x8b": 4, b"\x8d": 8, b"\x8e": 8, b"\x96": 8,
}  # fmt: skip
#: Integers, and the length up to which their argument is one of 64 bits, of which no more than eight have one hash.
_INTEGERS = {b"\x8a": 9, b"\x8b": 12, b"I": 20, b"L": 20}
#: Opcodes followed by so many bytes.
_FIXED = {
    b"K": 1, b"M": 2, b"J": 4, b"G": 8, b"h": 1, b"j": 4, b"q": 1, b"r": 4, b"\x80": 1, b"\x95": 8, **dict.fromkeys(
        (b"N", b"\x88", b"\x89", b"(", b"]", b"}", b"a", b"e", b"s", b"u", b"\x8f", b"\x90", b"R", b"b", b"d", b"l", b"\x93",
         b"\x94", b"t", b")", b"\x85", b"\x86", b"\x87", b"."), 0)
}  # fmt: skip
#: Opcodes followed by so many lines.
_LINES = {b"I": 1, b"L": 1, b"F": 1, b"S": 1, b"V": 1, b"g": 1, b"p": 1, b"c": 2}
_TUPLES = (b"t", b")", b"\x85", b"\x86", b"\x87")
_KEEP_TOP = (b"q", b"r", b"p", b"\x94", b"\x80", b"\x95")

_MAX_TUPLES = 10_000  # their depth is bounded by that: hashing recurses on the C stack
_MAX_INTEGER = 64  # bytes
_MAX_INTEGERS = 10_000  # of those of more than 64 bits
_MAX_LINE = 400  # of a number as text, which is read in the square of its length


def check(data: bytes) -> None:
    """Go through the opcodes of a pickle.

    Raises:
        pickle.UnpicklingError: one is cut off, or not among those that plain data need, or refers to a tuple again, or
            names a place in the memo beyond the number of bytes.
    """
    at, memo, tuples, integers, top_is_tuple = 0, 0, 0, 0, False
    tuples_in_memo: set[int] = set()
    while True:
        run = _PLAIN.match(data, at)
        if run:
            at, top_is_tuple = run.end(), False
        code = data[at : at + 1]
        start = at + 1
        argument, at = _argument(data, code, start)
        if code == b".":
            return
        if code in _INTEGERS and at - start > _INTEGERS[code]:
            integers += 1
            if integers > _MAX_INTEGERS:
                raise pickle.UnpicklingError(f"more than {_MAX_INTEGERS} large integers")
        elif code in _TUPLES:
            tuples, top_is_tuple = tuples + 1, True
            if tuples > _MAX_TUPLES:
                raise pickle.UnpicklingError(f"more than {_MAX_TUPLES} tuples")
        elif code in (b"q", b"r", b"p", b"\x94"):
            place = memo if code == b"\x94" else argument
            if not 0 <= place <= len(data):
                raise pickle.UnpicklingError(f"place {place} of the memo")
            memo += 1
            (tuples_in_memo.add if top_is_tuple else tuples_in_memo.discard)(place)
        elif code in (b"h", b"j", b"g") and argument in tuples_in_memo:
            raise pickle.UnpicklingError("a tuple is referred to again")
        top_is_tuple = top_is_tuple and (code in _TUPLES or code in _KEEP_TOP)


def _argument(data: bytes, code: bytes, at: int) -> tuple[int, int]:
    """An opcode's argument where it is a place in the memo, and where the opcode ends."""
    if code in _SIZED:
        width = _SIZED[code]
        size = int.from_bytes(data[at : at + width], "little")
        if code in _INTEGERS and size > _MAX_INTEGER:
            raise pickle.UnpicklingError(f"an integer of {size} bytes")
        end = at + width + size
    elif code in _FIXED:
        end = at + _FIXED[code]
    elif code in _LINES:
        end = at
        for _ in range(_LINES[code]):
            end = data.find(b"\n", end) + 1
            if end == 0:
                raise pickle.UnpicklingError("it is cut off")
        if code not in (b"S", b"V") and end - at > _MAX_LINE:
            raise pickle.UnpicklingError(f"a line of {end - at} bytes")
        if code in (b"g", b"p"):
            return int(data[at : end - 1]), end
    else:
        raise pickle.UnpicklingError(f"opcode {code!r} is not among those of plain data" if code else "it is cut off")
    if end > len(data):
        raise pickle.UnpicklingError("it is cut off")
    return int.from_bytes(data[at:end], "little") if code in (b"h", b"j", b"q", b"r") else 0, end
