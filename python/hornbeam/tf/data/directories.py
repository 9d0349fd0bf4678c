"""Data sets of files in folders, a folder for each class: pictures, texts and sounds (``keras.utils``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ... import graph
from ..audio import decode_wav
from ..files import read_file
from ..image import resize
from ..pictures import decode_image
from ..strings import substr
from .dataset import Dataset

PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")
_CHANNELS = {"rgb": 3, "rgba": 4, "grayscale": 1}


def image_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: str | None = "int", class_names: Sequence[str] | None = None,
    color_mode: str = "rgb", batch_size: int | None = 32, image_size: Any = (256, 256), shuffle: bool = True,
    seed: int | None = None, validation_split: float | None = None, subset: str | None = None,
    interpolation: str = "bilinear", follow_links: bool = False, crop_to_aspect_ratio: bool = False, **other: Any,
) -> Any:  # fmt: skip
    """Batches of pictures in float32, (batch, height, width, channels), and of their labels.

    Args:
        directory: has a folder for each class; with labels that are given, or None, just files.
        labels: ``'inferred'`` from the folders, None for pictures alone, or one integer for each file in order.
        label_mode: ``'int'``, ``'binary'`` (of two classes, in float32), ``'categorical'`` (one-hot) or None.
        class_names: the folders to take, in the order of their numbers; all in alphabetical order by default.
        color_mode: ``'rgb'``, ``'rgba'`` or ``'grayscale'``.
        batch_size: None for pictures one by one.
        image_size: (height, width) to resize to.
        shuffle: whether files are shuffled, the same for one ``seed``; else they come in alphabetical order.
        validation_split: the fraction of files that is held back at the end.
        subset: ``'training'``, ``'validation'``, or ``'both'`` for two data sets.
        interpolation: as ``tf.image.resize`` has it.
        crop_to_aspect_ratio: cut off what would change the proportions.

    Returns:
        A ``tf.data.Dataset`` with the attributes ``class_names`` and ``file_paths``.

    Raises:
        ValueError: an argument does not fit, or there are no pictures.
        ImportError: Pillow is not installed.
    """
    if color_mode not in _CHANNELS:
        raise ValueError(
            f'`color_mode` must be one of {{"rgb", "rgba", "grayscale"}}. Received: color_mode={color_mode!r}'
        )
    if other.pop("smart_resize", False):
        crop_to_aspect_ratio = True
    if other:
        raise TypeError(f"Unknown keywords argument(s): {tuple(other)}")
    channels = _CHANNELS[color_mode]
    size = (int(image_size[0]), int(image_size[1]))

    def load(path: Any) -> Any:
        picture = decode_image(read_file(path), channels, expand_animations=False)
        return (_cropped if crop_to_aspect_ratio else _resized)(picture, size, interpolation)

    found = _Files(directory, labels, label_mode, class_names, PICTURES, follow_links, "images", shuffle, seed)
    return found.datasets(validation_split, subset, load, lambda d: d if batch_size is None else d.batch(batch_size))


def _resized(picture: Any, size: tuple[int, int], interpolation: str) -> Any:
    return graph.cast(resize(picture, size, interpolation), "float32")


def _cropped(picture: Any, size: tuple[int, int], interpolation: str) -> Any:
    """The middle of a picture in the proportions of ``size``, resized."""
    height, width = (graph.cast(graph.shape_of(picture)[i], "float32") for i in (0, 1))
    tall = graph.cast(graph.apply("minimum", [height, width * (size[0] / size[1])]), "int32")
    wide = graph.cast(graph.apply("minimum", [width, height * (size[1] / size[0])]), "int32")
    top = graph.cast((height - graph.cast(tall, "float32")) / 2.0, "int32")
    left = graph.cast((width - graph.cast(wide, "float32")) / 2.0, "int32")
    return _resized(picture[top : top + tall, left : left + wide], size, interpolation)


def text_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: str | None = "int", class_names: Sequence[str] | None = None,
    batch_size: int | None = 32, max_length: int | None = None, shuffle: bool = True, seed: int | None = None,
    validation_split: float | None = None, subset: str | None = None, follow_links: bool = False,
) -> Any:  # fmt: skip
    """Batches of what is in text files (``.txt``), as strings, and of their labels.

    Args:
        max_length: the number of bytes that are taken of a text; all by default.

    Other arguments are those of :func:`image_dataset_from_directory`.
    """

    def load(path: Any) -> Any:
        text = read_file(path)
        return text if max_length is None else substr(text, 0, max_length)

    found = _Files(directory, labels, label_mode, class_names, (".txt",), follow_links, "text files", shuffle, seed)
    return found.datasets(validation_split, subset, load, lambda d: d if batch_size is None else d.batch(batch_size))


def audio_dataset_from_directory(
    directory: Any, labels: Any = "inferred", label_mode: str | None = "int", class_names: Sequence[str] | None = None,
    batch_size: int | None = 32, sampling_rate: int | None = None, output_sequence_length: int | None = None,
    ragged: bool = False, shuffle: bool = True, seed: int | None = None, validation_split: float | None = None,
    subset: str | None = None, follow_links: bool = False,
) -> Any:  # fmt: skip
    """Batches of sounds (``.wav``) in float32 between -1 and 1, (batch, samples, channels), and of their labels.

    Args:
        output_sequence_length: the number of samples, to which sounds are cut or filled up; the longest of a batch by default.
        ragged: give ragged tensors instead of filling up.

    Other arguments are those of :func:`image_dataset_from_directory`.

    Raises:
        ValueError: a ``sampling_rate`` is asked for: sounds are not resampled here.
    """
    if sampling_rate is not None:
        raise ValueError("`sampling_rate`: sounds are not resampled here; leave it out, or resample the files before.")
    if ragged and output_sequence_length is not None:
        raise ValueError("Cannot set both `ragged` and `output_sequence_length`")

    def load(path: Any) -> Any:
        desired = -1 if output_sequence_length is None else output_sequence_length
        return decode_wav(read_file(path), desired_samples=desired)[0]

    def batch(data: Dataset) -> Dataset:
        if batch_size is None:
            return data
        if output_sequence_length is not None:
            return data.batch(batch_size)
        return data.ragged_batch(batch_size) if ragged else data.padded_batch(batch_size)

    found = _Files(directory, labels, label_mode, class_names, (".wav",), follow_links, "audio files", shuffle, seed)
    return found.datasets(validation_split, subset, load, batch)


class _Files:
    """The files of a directory, and a label for each if there are any.

    Raises:
        ValueError: an argument does not fit, or there are no files.
    """

    def __init__(
        self, directory: Any, labels: Any, label_mode: str | None, class_names: Sequence[str] | None, endings: tuple,
        follow_links: bool, what: str, shuffle: bool, seed: int | None,
    ) -> None:  # fmt: skip
        if isinstance(labels, str) and labels != "inferred":
            raise ValueError(
                f"`labels` is 'inferred', None, or a list of integers, one for each file. Received: {labels!r}"
            )
        if label_mode not in ("int", "binary", "categorical", None):
            raise ValueError(f"`label_mode` is 'int', 'binary', 'categorical' or None. Received: {label_mode!r}")
        if labels is None or label_mode is None:
            labels = label_mode = None
        self._root = os.path.abspath(os.fspath(directory))
        self._what = what
        inferred = isinstance(labels, str)
        if inferred:
            folders = sorted(e.name for e in os.scandir(self._root) if e.is_dir())
            self.class_names = list(class_names) if class_names is not None else folders
            if class_names is not None and set(class_names) != set(folders):
                raise ValueError(
                    f"The `class_names` passed did not match the names of the subdirectories. Expected: {folders}, "
                    f"received: {list(class_names)}"
                )
            of_class = [list(_below(os.path.join(self._root, c), endings, follow_links)) for c in self.class_names]
            self.paths = [path for paths in of_class for path in paths]
            numbers = [i for i, paths in enumerate(of_class) for _ in paths]
        else:
            if class_names is not None:
                raise ValueError("You can only pass `class_names` if `labels='inferred'`.")
            self.class_names = []
            self.paths = list(_below(self._root, endings, follow_links))
            numbers = [] if labels is None else [int(i) for i in labels]
            if labels is not None and len(numbers) != len(self.paths):
                raise ValueError(
                    f"Expected the lengths of `labels` to match the number of files in the target directory. There are "
                    f"{len(numbers)} labels and {len(self.paths)} files."
                )
        if not self.paths:
            raise ValueError(f"No {what} found in directory {self._root}. Allowed formats: {endings}")
        self._mode = label_mode
        if inferred:
            print(f"Found {len(self.paths)} files belonging to {len(self.class_names)} classes.")
        else:
            print(f"Found {len(self.paths)} files.")
        classes = len(self.class_names) or len(set(numbers))
        if label_mode == "binary" and classes != 2:
            raise ValueError(
                f'When passing `label_mode="binary"`, there must be exactly 2 class_names. Received: {self.class_names}'
            )
        self._labels = None if label_mode is None else _labels(numbers, label_mode, classes)
        self._shuffle = shuffle
        self._seed = int(np.random.randint(1_000_000)) if seed is None else seed
        if shuffle:
            order = np.random.RandomState(self._seed).permutation(len(self.paths))
            self.paths = [self.paths[i] for i in order]
            self._labels = None if self._labels is None else self._labels[order]

    def datasets(
        self, split: float | None, subset: str | None, load: Callable, batch: Callable[[Dataset], Dataset]
    ) -> Any:
        """The data set of a subset, or two of them."""
        if (split is None) != (subset is None):
            raise ValueError("`validation_split` and `subset` are given together, or neither.")
        if split is None:
            return self._dataset(slice(None), load, batch, self._shuffle)
        if not 0 < split < 1:
            raise ValueError(f"`validation_split` must be between 0 and 1, received: {split}")
        if subset not in ("training", "validation", "both"):
            raise ValueError(f'`subset` must be either "training", "validation" or "both", received: {subset}')
        held = int(split * len(self.paths))
        if held in (0, len(self.paths)):
            raise ValueError(
                f"validation_split={split} of {len(self.paths)} files leaves nothing for one of the subsets."
            )
        parts = {"training": slice(0, -held), "validation": slice(-held, None)}
        found = []
        for name, part in parts.items():
            if subset in (name, "both"):
                print(f"Using {len(self.paths[part])} files for {name}.")
                shuffled = self._shuffle and (name == "training" or subset != "both")
                found.append(self._dataset(part, load, batch, shuffled))
        return found[0] if len(found) == 1 else tuple(found)

    def _dataset(self, part: slice, load: Callable, batch: Callable[[Dataset], Dataset], shuffle: bool) -> Dataset:
        paths = self.paths[part]
        data = Dataset.from_tensor_slices(paths if self._labels is None else (paths, self._labels[part]))
        if shuffle:
            data = data.shuffle(len(paths), self._seed)  # of paths: a buffer of all costs little
        data = data.map(load if self._labels is None else lambda path, label: (load(path), label))
        data = batch(data).prefetch(2)
        data.class_names, data.file_paths = self.class_names or None, paths  # type: ignore[attr-defined]
        return data


def _below(folder: str, endings: tuple, follow_links: bool) -> Iterator[str]:
    """The files below a folder that have one of the endings, in alphabetical order."""
    for root, _, names in sorted(os.walk(folder, followlinks=follow_links)):
        yield from (os.path.join(root, name) for name in sorted(names) if name.lower().endswith(endings))


def _labels(numbers: list[int], mode: str, classes: int) -> np.ndarray:
    if mode == "int":
        return np.array(numbers, "int32")
    if mode == "binary":
        return np.array(numbers, "float32")[:, None]
    return np.eye(classes, dtype="float32")[numbers]
