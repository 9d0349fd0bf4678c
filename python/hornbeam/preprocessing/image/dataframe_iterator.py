"""Batches of pictures that a pandas table lists."""

from __future__ import annotations

import os

import numpy as np

from ...utils.messages import warn_user
from .iterator import BatchFromFilesMixin, Iterator
from .utils import validate_filename

_WITHOUT_CLASSES = ("input", "multi_output", "raw", None)


class DataFrameIterator(BatchFromFilesMixin, Iterator):
    """Batches of pictures that a pandas table lists.

    Args:
        dataframe: the table, a row per picture.
        directory: folder that file names are relative to.
        x_col: column of file names.
        y_col: column of targets; a list of columns for ``'multi_output'``.
        weight_col: column of weights.
        classes: names of the classes to use; by default all, in alphabetical order.
        class_mode: ``'categorical'`` (one-hot labels; a cell may hold several), ``'binary'`` or ``'sparse'`` (class
            numbers), ``'raw'`` (the column as it is), ``'multi_output'`` (an array per column), ``'input'`` (the
            pictures themselves) or None.
        validate_filenames: whether to leave out rows whose file is not there.

    The other arguments are those of :class:`DirectoryIterator`.

    Raises:
        TypeError: a column does not hold what it should.
        ValueError: unknown option, or not two classes for ``'binary'``.
    """

    allowed_class_modes = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)

    def __init__(
        self,
        dataframe,
        directory=None,
        image_data_generator=None,
        x_col="filename",
        y_col="class",
        weight_col=None,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        data_format="channels_last",
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        interpolation="nearest",
        dtype="float32",
        validate_filenames=True,
    ):
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation,
        )  # fmt: skip
        self.directory = directory or ""
        self.class_mode = class_mode
        self.dtype = self._dtype(dtype)
        self._check_params(dataframe, x_col, y_col, weight_col, classes)

        rows = dataframe
        if validate_filenames:
            rows = self._with_files(rows, x_col)
        if class_mode not in _WITHOUT_CLASSES:
            rows, classes = self._with_classes(rows, y_col, classes)
            self.class_indices = {name: number for number, name in enumerate(classes)}
        if self.split:
            start, stop = (int(share * len(rows)) for share in self.split)
            rows = rows.iloc[start:stop]
        if class_mode not in _WITHOUT_CLASSES:
            self.classes = self.get_classes(rows, y_col)
        elif class_mode == "multi_output":
            self._targets = [np.array(rows[column].tolist()) for column in y_col]
        elif class_mode == "raw":
            self._targets = rows[y_col].values
        self.filenames = rows[x_col].tolist()
        self._filepaths = [os.path.join(self.directory, name) for name in self.filenames]
        self._sample_weight = rows[weight_col].values if weight_col else None
        self.samples = len(self.filenames)
        belonging = "" if class_mode in _WITHOUT_CLASSES else f" belonging to {len(classes)} classes"
        print(f"Found {self.samples} {'' if validate_filenames else 'non-'}validated image filenames{belonging}.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _check_params(self, df, x_col, y_col, weight_col, classes):
        mode = self.class_mode
        if mode not in self.allowed_class_modes:
            raise ValueError(f"Invalid class_mode: {mode}; expected one of {self.allowed_class_modes}")
        if mode == "multi_output" and not isinstance(y_col, list):
            raise TypeError(f'If class_mode="{mode}", y_col must be a list. Received {type(y_col).__name__}.')
        if not all(isinstance(name, str) for name in df[x_col]):
            raise TypeError(f"All values in column x_col={x_col} must be strings.")
        labels = {"binary": str, "sparse": str, "categorical": (str, list, tuple)}
        if mode in labels and not all(isinstance(label, labels[mode]) for label in df[y_col]):
            wanted = "strings, lists or tuples" if mode == "categorical" else "strings"
            raise TypeError(f'If class_mode="{mode}", y_col="{y_col}" column values must be {wanted}.')
        if mode == "binary":
            count = len(classes) if classes else len(set(df[y_col]))
            if count != 2:
                raise ValueError(f'If class_mode="binary" there must be 2 classes. {count} class/es were given.')
        if classes and mode in _WITHOUT_CLASSES:
            warn_user(f'`classes` will be ignored given the class_mode="{mode}"')
        if weight_col and not np.issubdtype(df[weight_col].dtype, np.number):
            raise TypeError(f"Column weight_col={weight_col} must be numeric.")

    def _with_files(self, df, x_col):
        valid = np.array(
            [validate_filename(os.path.join(self.directory, name), self.white_list_formats) for name in df[x_col]],
            dtype=bool,
        )
        missing = len(valid) - int(valid.sum())
        if missing:
            warn_user(
                f'Found {missing} invalid image filename(s) in x_col="{x_col}". These filename(s) will be ignored.'
            )
        return df[valid]

    @staticmethod
    def _with_classes(df, y_col, classes):
        """The rows with a label among ``classes``, other labels taken out, and the sorted classes."""
        cells = [[cell] if isinstance(cell, str) else list(cell) for cell in df[y_col]]
        if not classes:
            return df, sorted({label for cell in cells for label in cell})
        wanted = list(dict.fromkeys(classes))
        kept = [[label for label in cell if label in wanted] for cell in cells]
        several = [not isinstance(cell, str) for cell in df[y_col]]
        chosen = [i for i, labels in enumerate(kept) if labels]
        rows = df.iloc[chosen].copy()
        rows[y_col] = [kept[i] if several[i] else kept[i][0] for i in chosen]
        return rows, wanted

    def get_classes(self, df, y_col):
        """Class number (or list of class numbers) of each row."""
        return [
            self.class_indices[cell] if isinstance(cell, str) else [self.class_indices[label] for label in cell]
            for cell in df[y_col]
        ]

    @property
    def filepaths(self):
        return self._filepaths

    @property
    def labels(self):
        return self._targets if self.class_mode in ("multi_output", "raw") else self.classes

    @property
    def sample_weight(self):
        return self._sample_weight
