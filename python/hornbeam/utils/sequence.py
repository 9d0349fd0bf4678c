"""Data as a list of batches."""

from __future__ import annotations

from abc import abstractmethod


class Sequence:
    """Data as a list of batches that can be made in any order: safe to be read by several workers.

    Subclasses define ``__getitem__(self, index)``, which returns a whole batch, ``__len__``, the number of batches,
    and perhaps ``on_epoch_end``, to change the data between epochs.
    """

    use_sequence_api = True

    @abstractmethod
    def __getitem__(self, index):
        raise NotImplementedError

    @abstractmethod
    def __len__(self):
        raise NotImplementedError

    def on_epoch_end(self):
        """Called at the end of every epoch."""

    def __iter__(self):
        for index in range(len(self)):
            yield self[index]
