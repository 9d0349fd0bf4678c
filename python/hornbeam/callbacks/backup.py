"""The callback that lets a training go on where it was interrupted."""

from __future__ import annotations

import contextlib
import os

from .callback import Callback


class BackupAndRestore(Callback):
    """Backs up the training, so that a script which is started again goes on where it was interrupted; for ``fit`` of built models.

    A backup has weights, the optimizer's state, the seeds, and the order of the samples: a training whose epochs are backed
    up goes on as if it had not been interrupted. So does one whose batches are, if these come in the same order again, as
    those of arrays do; the logs of the epoch are then of its other batches alone. A backup is written beside the one before
    and renamed, so that there is always one that is whole.

    Args:
        backup_dir: a folder for this training alone.
        save_freq: ``'epoch'``, or the number of batches after which there is a backup. The batches of the epoch before it are
            not seen again.
        delete_checkpoint: whether the backup is deleted once the training has ended.
        save_before_preemption: must be False: no machine says here that it will be taken away.

    Raises:
        ValueError: another ``save_freq``, or True for ``save_before_preemption``; at the start of ``fit``: the backup is of
            another model.
    """

    def __init__(self, backup_dir, save_freq="epoch", delete_checkpoint=True, save_before_preemption=False):
        super().__init__()
        if save_before_preemption:
            raise ValueError("BackupAndRestore: `save_before_preemption` is for Google's machines; use `save_freq`.")
        if save_freq != "epoch" and not (type(save_freq) is int and save_freq > 0):
            raise ValueError(f"BackupAndRestore: `save_freq` is 'epoch' or a number of batches, got {save_freq!r}.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.delete_checkpoint = delete_checkpoint
        self.save_before_preemption = save_before_preemption
        #: the epoch and the batch that a restored training goes on with
        self.resumes_at: tuple[int, int] | None = None
        self._epoch = self._batches = 0
        if save_freq != "epoch":  # else no batch needs to be told of
            self.on_train_batch_end = self._count_batch

    @property
    def _path(self) -> str:
        return os.path.join(self.backup_dir, "backup.h5")

    def on_train_begin(self, logs=None):
        self._batches = 0
        self.resumes_at = self.model._load_backup(self._path) if os.path.exists(self._path) else None

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def _count_batch(self, batch, logs=None):
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._back_up(self._epoch, batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._back_up(epoch + 1, 0)

    def _back_up(self, epoch: int, batch: int) -> None:
        os.makedirs(self.backup_dir, exist_ok=True)
        self.model._save_backup(self._path, epoch, batch)

    def on_train_end(self, logs=None):
        if self.delete_checkpoint:
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._path)
            with contextlib.suppress(OSError):  # there is something else in the folder
                os.rmdir(self.backup_dir)
