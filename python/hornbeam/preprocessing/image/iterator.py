"""What iterators over images share: order of samples, batches from files."""

from __future__ import annotations

import os
import threading

import numpy as np

from ...backend.common import image_data_format
from ...graph import floatx
from ...utils.sequence import Sequence
from .utils import array_to_img, img_to_array, load_img


class Iterator(Sequence):
    """Batches of samples, in order or shuffled, endlessly by ``next`` and by number as a Sequence.

    Subclasses define ``_get_batches_of_transformed_samples(index_array)``, which makes a batch of the samples with
    these indices.

    Args:
        n: number of samples.
        batch_size: samples per batch; an epoch's last batch may have fewer.
        shuffle: whether to shuffle in each epoch.
        seed: with one, batch number ``i`` of the iterator's life seeds ``np.random`` with ``seed + i``.
    """

    white_list_formats = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

    def __init__(self, n, batch_size, shuffle, seed):
        self.n = n
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.batch_index = 0
        self.total_batches_seen = 0
        self.index_array = None
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def __getstate__(self):
        # Neither locks nor generators can be sent to another process.
        return {name: value for name, value in vars(self).items() if name not in ("lock", "index_generator")}

    def __setstate__(self, state):
        vars(self).update(state)
        self.lock = threading.Lock()
        self.index_generator = self._flow_index()

    def _set_index_array(self):
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _seed_batch(self):
        if self.seed is not None:
            np.random.seed(self.seed + self.total_batches_seen)
        self.total_batches_seen += 1

    def __getitem__(self, idx):
        if idx >= len(self):
            raise ValueError(f"Asked to retrieve element {idx}, but the Sequence has length {len(self)}")
        with self.lock:
            self._seed_batch()
            if self.index_array is None:
                self._set_index_array()
            index_array = self.index_array[self.batch_size * idx : self.batch_size * (idx + 1)]
        return self._get_batches_of_transformed_samples(index_array)

    def __len__(self):
        return -(-self.n // self.batch_size)

    def on_epoch_end(self):
        self._set_index_array()

    def reset(self):
        """Let ``next`` start a new epoch."""
        self.batch_index = 0

    def _flow_index(self):
        self.reset()
        while True:
            self._seed_batch()
            if self.batch_index == 0:
                self._set_index_array()
            start = self.batch_index * self.batch_size % self.n if self.n else 0
            self.batch_index = self.batch_index + 1 if start + self.batch_size < self.n else 0
            yield self.index_array[start : start + self.batch_size]

    def __iter__(self):
        return self

    def __next__(self):
        return self.next()

    def next(self):
        """The next batch; several threads may ask."""
        with self.lock:
            index_array = next(self.index_generator)
        return self._get_batches_of_transformed_samples(index_array)

    def _get_batches_of_transformed_samples(self, index_array):
        raise NotImplementedError

    def _augmented(self, x):
        """One sample, transformed at random and standardized."""
        generator = self.image_data_generator
        if generator is None:
            return x
        x = generator.apply_transform(x, generator.get_random_transform(x.shape))
        return generator.standardize(x)

    def _save_batch(self, images, index_array, names):
        """Write a batch to ``save_to_dir``; the files' names end in a number below ``names``."""
        for image, index in zip(images, index_array):
            name = f"{self.save_prefix}_{index}_{np.random.randint(names)}.{self.save_format}"
            array_to_img(image, self.data_format, scale=True).save(os.path.join(self.save_to_dir, name))


class BatchFromFilesMixin:
    """Batches of pictures read from files.

    Users define ``filepaths``, ``labels`` and ``sample_weight``, and have attributes ``class_mode`` and ``dtype``.
    """

    def set_processing_attrs(
        self,
        image_data_generator,
        target_size,
        color_mode,
        data_format,
        save_to_dir,
        save_prefix,
        save_format,
        subset,
        interpolation,
        keep_aspect_ratio=False,
    ):
        """Keep the arguments that say how pictures are read; see :class:`DirectoryIterator`."""
        if color_mode not in ("rgb", "rgba", "grayscale"):
            raise ValueError(f'Invalid color mode: {color_mode}; expected "rgb", "rgba", or "grayscale".')
        self.image_data_generator = image_data_generator
        self.target_size = tuple(target_size)
        self.color_mode = color_mode
        self.data_format = data_format or image_data_format()
        channels = {"grayscale": 1, "rgb": 3, "rgba": 4}[color_mode]
        last = self.data_format == "channels_last"
        self.image_shape = (*self.target_size, channels) if last else (channels, *self.target_size)
        self.save_to_dir = save_to_dir
        self.save_prefix = save_prefix
        self.save_format = save_format
        self.interpolation = interpolation
        self.keep_aspect_ratio = keep_aspect_ratio
        self.subset = subset
        self.split = None
        if subset is not None:
            share = image_data_generator._validation_split
            splits = {"validation": (0, share), "training": (share, 1)}
            if subset not in splits:
                raise ValueError(f'Invalid subset name: {subset};expected "training" or "validation"')
            self.split = splits[subset]

    @staticmethod
    def _dtype(dtype):
        return dtype or floatx()

    def _get_batches_of_transformed_samples(self, index_array):
        batch_x = np.zeros((len(index_array), *self.image_shape), dtype=self.dtype)
        paths = self.filepaths
        for i, j in enumerate(index_array):
            image = load_img(
                paths[j],
                color_mode=self.color_mode,
                target_size=self.target_size,
                interpolation=self.interpolation,
                keep_aspect_ratio=self.keep_aspect_ratio,
            )
            batch_x[i] = self._augmented(img_to_array(image, data_format=self.data_format, dtype="float32"))
        if self.save_to_dir:
            self._save_batch(batch_x, index_array, 10**7)

        if self.class_mode is None:
            return batch_x
        batch_y = batch_x.copy() if self.class_mode == "input" else self._targets_of(index_array)
        if self.sample_weight is None:
            return batch_x, batch_y
        return batch_x, batch_y, self.sample_weight[index_array]

    def _targets_of(self, index_array):
        if self.class_mode == "multi_output":
            return [output[index_array] for output in self.labels]
        if self.class_mode == "raw":
            return self.labels[index_array]
        labels = [self.labels[j] for j in index_array]
        if self.class_mode in ("binary", "sparse"):
            return np.array(labels, dtype=self.dtype)
        one_hot = np.zeros((len(labels), len(self.class_indices)), dtype=self.dtype)
        for row, classes in zip(one_hot, labels):
            row[classes] = 1.0  # a number, or several
        return one_hot

    @property
    def filepaths(self):
        """Paths of the pictures."""
        raise NotImplementedError

    @property
    def labels(self):
        """What is known of each picture."""
        raise NotImplementedError

    @property
    def sample_weight(self):
        """Weight of each picture, or None."""
        raise NotImplementedError
