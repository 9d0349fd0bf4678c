"""Batches of pictures from a folder with a folder per class."""

from __future__ import annotations

import os

import numpy as np

from .iterator import BatchFromFilesMixin, Iterator
from .utils import iter_valid_files


class DirectoryIterator(BatchFromFilesMixin, Iterator):
    """Batches of pictures from a folder with a folder per class.

    Args:
        directory: the folder.
        image_data_generator: :class:`ImageDataGenerator` that transforms and standardizes.
        target_size: ``(height, width)``.
        color_mode: ``'grayscale'``, ``'rgb'`` or ``'rgba'``.
        classes: names of the class folders; by default all, in alphabetical order.
        class_mode: ``'categorical'`` (one-hot labels), ``'binary'`` or ``'sparse'`` (the class number), ``'input'``
            (the pictures themselves) or None (no targets).
        batch_size, shuffle, seed: see :class:`Iterator`.
        data_format: ``'channels_last'`` or ``'channels_first'``; by default the backend's.
        save_to_dir: folder to write the transformed pictures to.
        save_prefix, save_format: of their names.
        follow_links: whether to enter linked folders.
        subset: ``'training'`` or ``'validation'``: part of the generator's ``validation_split``.
        interpolation: to resize with.
        dtype: of the batches, by default ``floatx()``.
        keep_aspect_ratio: resize the largest middle part that has the proportions of ``target_size``.

    Attributes:
        class_indices: number of each class.
        filenames, classes: path below ``directory`` and class number of each picture.
    """

    allowed_class_modes = ("categorical", "binary", "sparse", "input", None)

    def __init__(
        self,
        directory,
        image_data_generator,
        target_size=(256, 256),
        color_mode="rgb",
        classes=None,
        class_mode="categorical",
        batch_size=32,
        shuffle=True,
        seed=None,
        data_format=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        follow_links=False,
        subset=None,
        interpolation="nearest",
        dtype=None,
        keep_aspect_ratio=False,
    ):
        self.set_processing_attrs(
            image_data_generator, target_size, color_mode, data_format, save_to_dir, save_prefix, save_format, subset,
            interpolation, keep_aspect_ratio,
        )  # fmt: skip
        if class_mode not in self.allowed_class_modes:
            raise ValueError(f"Invalid class_mode: {class_mode}; expected one of {self.allowed_class_modes}")
        self.directory = directory
        self.class_mode = class_mode
        self.dtype = self._dtype(dtype)
        if not classes:
            classes = sorted(name for name in os.listdir(directory) if os.path.isdir(os.path.join(directory, name)))
        self.num_classes = len(classes)
        self.class_indices = {name: number for number, name in enumerate(classes)}

        self.filenames = []
        labels = []
        for name, number in self.class_indices.items():
            found = self._files_of(name, follow_links)
            self.filenames += found
            labels += [number] * len(found)
        self.classes = np.array(labels, dtype="int32")
        self.samples = len(self.filenames)
        self._filepaths = [os.path.join(directory, name) for name in self.filenames]
        print(f"Found {self.samples} images belonging to {self.num_classes} classes.")
        super().__init__(self.samples, batch_size, shuffle, seed)

    def _files_of(self, class_name, follow_links):
        folder = os.path.join(self.directory, class_name)
        found = list(iter_valid_files(folder, self.white_list_formats, follow_links))
        if self.split:
            start, stop = (int(share * len(found)) for share in self.split)
            found = found[start:stop]
        base = os.path.basename(folder)
        return [os.path.join(base, os.path.relpath(os.path.join(root, name), folder)) for root, name in found]

    @property
    def filepaths(self):
        return self._filepaths

    @property
    def labels(self):
        return self.classes

    @property
    def sample_weight(self):
        return None
