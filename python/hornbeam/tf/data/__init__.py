"""``tf.data``: pipelines of NumPy arrays, which read ahead of the training.

A :class:`Dataset` is a last :class:`~hornbeam.tf.data.stage.Stage` of a chain; each stage opens the one before it anew for each
pass. Elements are structures (dicts and tuples) of arrays inside of the chain, and of tensors where users meet them.
"""

from . import lines, records
from .dataset import AUTOTUNE, Dataset

__all__ = ["AUTOTUNE", "Dataset", "lines", "records"]
