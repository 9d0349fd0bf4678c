"""All callbacks under the module path that Keras 2.3.1 had."""

from .backup import BackupAndRestore
from .callback import Callback
from .callback_list import CallbackList
from .lambda_callback import LambdaCallback
from .loggers import BaseLogger, CSVLogger, History, ProgbarLogger, RemoteMonitor
from .monitoring import EarlyStopping, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau, TerminateOnNaN

__all__ = [
    "BackupAndRestore", "BaseLogger", "CSVLogger", "Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback",
    "LearningRateScheduler", "ModelCheckpoint", "ProgbarLogger", "ReduceLROnPlateau", "RemoteMonitor",
    "TerminateOnNaN",
]  # fmt: skip
