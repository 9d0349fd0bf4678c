"""TensorFlow's checkpoints: a reader of files that strangers wrote, with bounds on everything, and a writer.

A checkpoint is a sorted table of names (``prefix.index``) and data files with the tensors, one after the other
(``prefix.data-00000-of-00001``). Neither TensorFlow nor a library for protocol buffers is needed.

    table.py         the sorted table                          entries.py    what it says of each tensor
    dtypes.py, strings.py, parts.py                            what the bytes of a tensor mean
    reader.py, writer.py                                       what the package is used through
    state_file.py    the text file ``checkpoint``              limits.py     the bounds
"""

from .reader import TensorBundle
from .writer import write_bundle
