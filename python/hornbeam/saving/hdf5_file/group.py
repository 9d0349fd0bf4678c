"""Groups, and the file, which is the group that all others are below."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import limits
from .dataset import Dataset
from .links import HARD, Link, read_links
from .objects import Object
from .open_file import OpenFile
from .storage import Budget, Storage
from .superblock import read_superblock


class Group(Object, Mapping):
    """Groups and datasets by name, or by a path of names."""

    def __getitem__(self, path: str) -> Group | Dataset:
        found = self._find(path)
        if found is None:
            raise KeyError(f"{self.name!r:.80} in {self.storage.where} has no object {path!r:.80}")
        return found

    def get(self, path: str, default: Any = None) -> Any:
        found = self._find(path)
        return default if found is None else found

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._find(path) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._links)

    def __len__(self) -> int:
        return len(self._links)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Group) and other._header is self._header

    def __hash__(self) -> int:
        return hash(id(self._header))

    @property
    def _links(self) -> dict[str, Link]:
        return self._file.once("links", self._header, lambda: read_links(self._header))

    def _find(self, path: str) -> Group | Dataset | None:
        """The object at a path; None where there is none.

        Raises:
            ValueError: the path leads through a link that is not a plain one.
        """
        if len(path) > limits.MAX_NAME:
            return None
        here: Any = Group(self._file, self._file.root, "/") if path.startswith("/") else self
        for name in filter(None, path.split("/")) if path else [""]:
            if name == ".":
                continue
            link = here._links.get(name) if isinstance(here, Group) else None
            if link is None:
                return None
            here = here._follow(name, link)
        return here

    def _follow(self, name: str, link: Link) -> Group | Dataset:
        where = f"{self.name.rstrip('/')}/{name}"
        found = self._object(where, link)
        if isinstance(found, str):
            raise ValueError(f"{self.storage.where} has {found} ({where!r:.80}), and a model is whole in its file")
        return found

    def _object(self, where: str, link: Link) -> Group | Dataset | str:
        """The object that a link leads to, or what is there instead."""
        if link.kind != HARD:
            return link.kind
        if link.address is None:
            raise self.storage.damage(f"{where!r:.80} is nowhere")
        header = self._file.header(link.address)
        if header.is_group:
            return Group(self._file, link.address, where)
        if header.is_dataset:
            return Dataset(self._file, link.address, where)
        if header.is_type:
            return "a type with a name of its own"
        raise self.storage.damage(f"{where!r:.80} is neither a group nor a dataset")

    def walk(self) -> Iterator[tuple[str, Group | Dataset | str]]:
        """All that is below, each object once, with a path to it; for what is not read, what it is.

        Raises:
            ValueError: groups are nested too deeply, or paths are longer than the file.
        """
        total = limits.METADATA_FREE + limits.METADATA_PER_BYTE * self.storage.size
        budget = Budget(total, "its paths are longer than the file", self.storage.where)
        met = {self._header.address}
        stack = [(self, "", iter(self._links.items()))]
        while stack:
            group, prefix, links = stack[-1]
            name, link = next(links, (None, None))
            if name is None or link is None:
                stack.pop()
                continue
            if link.kind == HARD and link.address in met:
                continue
            if link.address is not None:
                met.add(link.address)
            path = prefix + name
            budget.spend(len(path))
            item = group._object(f"{group.name.rstrip('/')}/{name}", link)
            yield path, item
            if isinstance(item, Group):
                if len(stack) > limits.MAX_NESTING:
                    raise self.storage.damage(f"it has more than {limits.MAX_NESTING} groups within groups")
                stack.append((item, path + "/", iter(item._links.items())))

    def visititems(self, function: Callable[[str, Any], Any]) -> Any:
        """Call ``function(path, object)`` with all that is below, until it returns something other than None."""
        for path, item in self.walk():
            if not isinstance(item, str):
                answer = function(path, item)
                if answer is not None:
                    return answer
        return None


class File(Group):
    """An HDF5 file that is open for reading: a path, or a seekable binary file.

    Raises:
        OSError: it is not an HDF5 file, or it is truncated.
        ValueError: it is damaged.
    """

    def __init__(self, source: Any) -> None:
        storage = Storage(source)
        try:
            root = read_superblock(storage)
            super().__init__(OpenFile(storage, root), root, "/")
            if not self._header.is_group:
                raise storage.damage("its root is not a group")
        except BaseException:
            storage.close()
            raise

    def close(self) -> None:
        self.storage.close()

    def __enter__(self) -> File:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()
