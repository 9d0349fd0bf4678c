"""The format that CIFAR-10 and CIFAR-100 share."""

from __future__ import annotations

import numpy as np

from . import safe_pickle


def load_batch(fpath, label_key="labels"):
    """Read one batch: a pickled dict of Python 2.

    Returns:
        ``(data, labels)``: uint8 images of shape (n, 3, 32, 32), and a list of labels.

    Raises:
        ValueError: the file holds something else.
    """
    with open(fpath, "rb") as file:
        batch = safe_pickle.load(file, encoding="bytes")
    try:
        batch = {key.decode("utf8") if isinstance(key, bytes) else key: value for key, value in batch.items()}
        images, labels = np.asarray(batch["data"]).reshape(-1, 3, 32, 32), batch[label_key]
        if len(labels) != len(images):
            raise ValueError(f"it holds {len(images)} images and {len(labels)} labels")
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError(f"{fpath} is not a batch of CIFAR: {error}") from error
    return images, labels
