"""The weight files that were published with keras_applications 1.0.8 and, of later networks, with tf.keras."""

from __future__ import annotations

import os
from typing import NamedTuple

from ..utils import data_utils

CHOLLET = "https://github.com/fchollet/deep-learning-models/releases/download"
KERAS_TEAM = "https://github.com/keras-team/keras-applications/releases/download"
TF_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"


class WeightsFile(NamedTuple):
    """Where a file is, its checksum (MD5 or SHA-256) if one was published, and its name in the cache if that is another."""

    url: str
    checksum: str | None = None
    name: str | None = None

    def fetch(self) -> str:
        """The path of the file in the cache, downloaded if need be.

        Raises:
            OSError: it is not there and cannot be downloaded.
        """
        name = self.name or self.url.rsplit("/", 1)[1]
        try:
            return data_utils.get_file(name, self.url, cache_subdir="models", file_hash=self.checksum)
        except OSError as error:
            raise OSError(f"The ImageNet weights cannot be downloaded; weights=None does without. {error}") from error


class Pair(NamedTuple):
    """The two files of a model: whole, and without the layers that classify."""

    top: WeightsFile
    no_top: WeightsFile


def pair(folder: str, model: str, md5_top: str, md5_no_top: str) -> Pair:
    """The files of a model under the names that most of them have."""
    stem = f"{folder}/{model}_weights_tf_dim_ordering_tf_kernels"
    return Pair(WeightsFile(f"{stem}.h5", md5_top), WeightsFile(f"{stem}_notop.h5", md5_no_top))


def tf_keras_pair(folder: str, model: str, top: str, no_top: str) -> Pair:
    """The files of a model under the names that they have with tf.keras, by their checksums."""
    return Pair(WeightsFile(f"{folder}/{model}.h5", top), WeightsFile(f"{folder}/{model}_notop.h5", no_top))


def check_weights(weights: str | os.PathLike | None, include_top: bool, classes: int) -> None:
    """Check the argument ``weights`` before a model is built.

    Raises:
        ValueError: it is a path that does not exist, or the published weights are for another number of classes.
    """
    if not (weights is None or weights == "imagenet" or os.path.exists(weights)):
        raise ValueError(
            "The `weights` argument must be None (random values), 'imagenet' (published weights) or the path of a "
            f"file. Received: {weights!r}"
        )
    if weights == "imagenet" and include_top and classes != 1000:
        raise ValueError(f"The `imagenet` weights with `include_top` are for 1000 classes. Received: classes={classes}")
