"""Hornbeam's own version; ``hornbeam.__version__`` is that of the Keras whose interface it has."""

__version__ = "0.1.0"
