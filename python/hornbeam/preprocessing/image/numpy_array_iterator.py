"""Batches of images from arrays."""

from __future__ import annotations

import numpy as np

from ...backend.common import image_data_format
from ...graph import floatx
from ...utils.messages import warn_user
from .iterator import Iterator


class NumpyArrayIterator(Iterator):
    """Batches of images from arrays.

    Args:
        x: images of shape ``(samples, height, width, channels)`` (or channels first), or a pair of these and of
            further arrays, which go into the batches as they are.
        y: targets, or None.
        image_data_generator: :class:`ImageDataGenerator` that transforms and standardizes.
        batch_size, shuffle, seed: see :class:`Iterator`.
        sample_weight: weights, or None. ``subset`` takes its part of them, too (Keras 2 gave the wrong ones).
        data_format: ``'channels_last'`` or ``'channels_first'``; by default the backend's.
        save_to_dir: folder to write the transformed images to.
        save_prefix, save_format: of their names.
        subset: ``'training'`` or ``'validation'``: part of the generator's ``validation_split``.
        dtype: of the images, by default ``floatx()``.
        ignore_class_split: whether the parts may have different classes.

    Raises:
        ValueError: lengths differ, ``x`` is not of rank 4, or a split part lacks classes.
    """

    def __init__(
        self,
        x,
        y,
        image_data_generator,
        batch_size=32,
        shuffle=False,
        sample_weight=None,
        seed=None,
        data_format=None,
        save_to_dir=None,
        save_prefix="",
        save_format="png",
        subset=None,
        dtype=None,
        ignore_class_split=False,
    ):
        self.dtype = dtype or floatx()
        self.data_format = data_format or image_data_format()
        others = []
        if isinstance(x, (tuple, list)):
            x, second = x
            others = [np.asarray(other) for other in (second if isinstance(second, list) else [second])]
        for other in others:
            if len(x) != len(other):
                raise ValueError(
                    "All of the arrays in `x` should have the same length. Found a pair with: "
                    f"len(x[0]) = {len(x)}, len(x[?]) = {len(other)}"
                )
        if y is not None and len(x) != len(y):
            raise ValueError(
                "`x` (images tensor) and `y` (labels) should have the same length. Found: "
                f"x.shape = {np.shape(x)}, y.shape = {np.shape(y)}"
            )
        if sample_weight is not None and len(x) != len(sample_weight):
            raise ValueError(
                "`x` (images tensor) and `sample_weight` should have the same length. Found: "
                f"x.shape = {np.shape(x)}, sample_weight.shape = {np.shape(sample_weight)}"
            )
        if subset is not None:
            part = self._part(
                subset, int(len(x) * image_data_generator._validation_split), None if ignore_class_split else y
            )
            x = x[part]
            others = [other[part] for other in others]
            y = None if y is None else y[part]
            sample_weight = None if sample_weight is None else sample_weight[part]

        self.x = np.asarray(x, dtype=self.dtype)
        self.x_misc = others
        if self.x.ndim != 4:
            raise ValueError(
                f"Input data in `NumpyArrayIterator` should have rank 4. You passed an array with shape {self.x.shape}"
            )
        channels = self.x.shape[3 if self.data_format == "channels_last" else 1]
        if channels not in (1, 3, 4):
            warn_user(
                f'NumpyArrayIterator is set to use the data format convention "{self.data_format}", i.e. expected '
                f"1, 3, or 4 channels. However, it was passed an array with shape {self.x.shape} ({channels} channels)."
            )
        self.y = None if y is None else np.asarray(y)
        self.sample_weight = None if sample_weight is None else np.asarray(sample_weight)
        self.image_data_generator = image_data_generator
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        super().__init__(self.x.shape[0], batch_size, shuffle, seed)

    @staticmethod
    def _part(subset, split, y):
        if subset not in ("training", "validation"):
            raise ValueError(f'Invalid subset name: {subset}; expected "training" or "validation".')
        if y is not None and not np.array_equal(np.unique(y[:split]), np.unique(y[split:])):
            raise ValueError(
                "Training and validation subsets have different number of classes after the split. If your numpy "
                "arrays are sorted by the label, you might want to shuffle them."
            )
        return slice(None, split) if subset == "validation" else slice(split, None)

    def _get_batches_of_transformed_samples(self, index_array):
        images = np.zeros((len(index_array), *self.x.shape[1:]), dtype=self.dtype)
        for i, j in enumerate(index_array):
            images[i] = self._augmented(self.x[j].copy())  # standardize works in place
        if self.save_to_dir:
            self._save_batch(images, index_array, 10**4)

        batch = [[images, *(other[index_array] for other in self.x_misc)] if self.x_misc else images]
        if self.y is None:
            return batch[0]
        batch.append(self.y[index_array])
        if self.sample_weight is not None:
            batch.append(self.sample_weight[index_array])
        return tuple(batch)
