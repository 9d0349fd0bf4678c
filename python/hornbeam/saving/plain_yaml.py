"""YAML from a stranger as plain data, at a cost that grows with the text alone.

PyYAML composes the text into nodes, which costs what the text is long. What it would make of the nodes is not bounded by
that: keys of nested tuples are hashed part by part, merged mappings are copied into each other, and numbers of
millions of digits take the square of them. So the nodes are counted and turned into data here.
"""

from __future__ import annotations

from typing import Any

from ..utils.messages import shortened

_TAG = "tag:yaml.org,2002:"
#: Scalars whose values PyYAML makes; ``python/unicode`` and ``python/str`` are what Keras under Python 2 wrote.
_SCALARS = {f"{_TAG}{kind}" for kind in ("null", "bool", "int", "float", "str", "binary", "timestamp", "value")}
_TEXTS = {f"{_TAG}python/{kind}" for kind in ("unicode", "str")}
_SEQUENCES = {f"{_TAG}seq": list, f"{_TAG}python/tuple": tuple}
#: Characters of a number. A float has at most 310 before its point.
LONGEST_NUMBER = 400
#: Keys and values of a text: some hundred for each layer of a model. PyYAML takes 20 µs and a kilobyte for each.
MOST_NODES = 400_000
#: How often the parts of a text may be referred to, beyond twice each.
FREE_REFERENCES = 100_000


class NotPlain(ValueError):
    """The text is not YAML, or not plain data."""


def load(text: str, max_depth: int, max_parts: int) -> Any:
    """The data that a YAML document describes: dicts, lists, tuples, texts, numbers, dates, bytes, None.

    Args:
        max_depth: levels of nesting, with references followed.
        max_parts: lists, dicts and scalars, each counted as often as it is referred to.

    Raises:
        ImportError: PyYAML is missing.
        NotPlain: the text is not YAML, or wants an object made, or has keys that are not scalars or merged mappings.
        ValueError: it is deeper or larger than allowed.
    """
    loader = _loader(text, max_depth)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        reader = _Reader(loader, max_depth)
        parts, _ = reader.measure(node)
        if parts > min(max_parts, FREE_REFERENCES + 2 * len(reader.measured)):
            raise TooLarge(
                f"The model's description has more than {max_parts} parts, or many times more than it writes out."
            )
        return reader.value(node)
    except TooLarge:
        raise
    except (loader.error, RecursionError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
        raise NotPlain(str(error)) from error
    finally:
        loader.dispose()


class TooLarge(ValueError):
    """The data are deeper, or have more parts, than allowed."""


TOO_DEEP = "The model's description is nested too deeply."


def _loader(text: str, max_depth: int) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise ImportError("YAML needs the package PyYAML: pip install PyYAML") from error

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        error = yaml.YAMLError
        level = nodes = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.level += 1
            self.nodes += 1
            if self.level > max_depth:
                raise TooLarge(TOO_DEEP)
            if self.nodes > MOST_NODES:
                raise TooLarge(f"The YAML has more than {MOST_NODES:,} keys and values. JSON of that size is read.")
            node = super().compose_node(parent, index)
            self.level -= 1
            return node

    try:
        return Loader(text)
    except (yaml.YAMLError, ValueError) as error:  # of characters that YAML does not have
        raise NotPlain(str(error)) from error


class _Reader:
    """Counts nodes, and makes data of them. References are to nodes that came before, so recursion is as deep as the text."""

    def __init__(self, loader: Any, max_depth: int) -> None:
        self._loader = loader
        self._max_depth = max_depth
        self.measured: dict[int, tuple[int, int] | None] = {}
        self._values: dict[int, Any] = {}

    def measure(self, node: Any) -> tuple[int, int]:
        """Parts and levels of a node, with references followed."""
        if id(node) in self.measured:
            known = self.measured[id(node)]
            if known is None:  # it is being measured: the node is a part of itself
                raise TooLarge(TOO_DEEP)
            return known
        self.measured[id(node)] = None
        parts, levels = 1, 0
        for part in self._parts(node):
            count, below = self.measure(part)
            parts, levels = parts + count, max(levels, below)
        if levels >= self._max_depth:
            raise TooLarge(TOO_DEEP)
        self.measured[id(node)] = parts, levels + 1
        return parts, levels + 1

    def _parts(self, node: Any) -> list:
        if node.id == "mapping":
            for key, _ in node.value:
                if key.id != "scalar":
                    raise ValueError("a key is not a text or a number")
                if key.tag == f"{_TAG}merge":
                    raise ValueError("mappings are not merged")
            return [value for _, value in node.value]
        return node.value if node.id == "sequence" else []

    def value(self, node: Any) -> Any:
        """The data of a node; nodes that are referred to several times become one object."""
        if id(node) not in self._values:
            self._values[id(node)] = self._make(node)
        return self._values[id(node)]

    def _make(self, node: Any) -> Any:
        if node.id == "mapping" and node.tag == f"{_TAG}map":
            return {self._scalar(key): self.value(value) for key, value in node.value}
        if node.id == "sequence" and node.tag in _SEQUENCES:
            return _SEQUENCES[node.tag](self.value(part) for part in node.value)
        if node.id == "scalar":
            return self._scalar(node)
        raise ValueError(f"could not determine a constructor for the tag {shortened(node.tag)}")

    def _scalar(self, node: Any) -> Any:
        if node.tag in _TEXTS:
            return node.value
        if node.tag not in _SCALARS:
            raise ValueError(f"could not determine a constructor for the tag {shortened(node.tag)}")
        if node.tag in (f"{_TAG}int", f"{_TAG}float") and len(node.value) > LONGEST_NUMBER:
            raise ValueError(f"a number of {len(node.value)} characters")
        return self._loader.construct_object(node)
