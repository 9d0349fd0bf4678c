"""SavedModel folders that tf.keras wrote: their Keras description and their tensors.

The graphs and functions in such a folder are programs. None of them is run, or even parsed.

    folder.py    which model a folder describes            encoding.py    how values stand in the description
    loading.py   from a folder to a model
"""

from .loading import load
