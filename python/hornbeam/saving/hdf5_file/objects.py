"""What groups and datasets have in common."""

from __future__ import annotations

from .attributes import Attributes
from .open_file import OpenFile
from .storage import Storage


class Object:
    """Something in a file that has a name and attributes."""

    def __init__(self, file: OpenFile, address: int, name: str) -> None:
        self._file, self._header, self.name = file, file.header(address), name

    @property
    def storage(self) -> Storage:
        """The file's bytes."""
        return self._file.storage

    @property
    def attrs(self) -> Attributes:
        return self._file.once("attributes", self._header, lambda: Attributes(self._file, self._header))
