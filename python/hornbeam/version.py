"""Hornbeam's own version, and that of the Keras whose names and files it has: files say so, and ``hornbeam.__version__``."""

KERAS_VERSION = "2.3.1"
__version__ = "0.1.0"
