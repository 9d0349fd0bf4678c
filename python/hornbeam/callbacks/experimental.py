"""Where tf.keras had it before 2.8."""

from .backup import BackupAndRestore

__all__ = ["BackupAndRestore"]
