"""TensorBoard's event files: records with checksums, each a small protocol buffer, written without TensorFlow."""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import Any

import numpy as np

from ..utils.checksum import masked_crc32c
from ..utils.io_utils import append
from ..utils.protobuf import bytes_field, double_field, float_field, int_field, text_field
from .histogram import Histogram
from .png import png, stretched


class EventFile:
    """Writes scalars, histograms, images and a graph that TensorBoard shows.

    Args:
        folder: where the file is made; TensorBoard's ``--logdir``.
    """

    def __init__(self, folder: Any) -> None:
        os.makedirs(folder, exist_ok=True)
        # Times of events are counted from here by a clock that nobody sets back.
        self._offset = time.time() - time.monotonic()
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        path = os.path.join(folder, name)
        count = 0
        while os.path.exists(path):
            count += 1
            path = os.path.join(folder, f"{name}.{count}")
        self.path = path
        self._pending = bytearray()  # the file is open only while it is written: a training may end anywhere
        self._event(0, bytes_field(3, b"brain.Event:2"))
        self.flush()

    def _event(self, step: int, content: bytes) -> None:
        data = double_field(1, self._offset + time.monotonic()) + int_field(2, step) + content
        length = struct.pack("<Q", len(data))
        self._pending += (
            length + struct.pack("<I", masked_crc32c(length)) + data + struct.pack("<I", masked_crc32c(data))
        )

    def _summary(self, values: list[tuple[str, bytes]], step: int) -> None:
        if values:
            self._event(step, bytes_field(5, b"".join(bytes_field(1, text_field(1, tag) + v) for tag, v in values)))

    def scalars(self, values: dict[str, float], step: int) -> None:
        self._summary([(tag, float_field(2, float(value))) for tag, value in values.items()], step)

    def histogram(self, tag: str, values: Any, step: int) -> None:
        """Write a :class:`Histogram`, or one of an array; nothing if it is empty."""
        histogram = values if isinstance(values, Histogram) else Histogram(values)
        if histogram.counts.any():
            self._summary([(tag, bytes_field(5, histogram.serialized()))], step)

    def images(self, tag: str, images: np.ndarray, step: int) -> None:
        """Write an array (count, height, width) as grey images, each with its own contrast."""
        self.pictures(tag, np.stack([stretched(image) for image in images])[..., None], step)

    def pictures(self, tag: str, pixels: np.ndarray, step: int) -> None:
        """Write an array (count, height, width, channels) of uint8 as images."""
        values = []
        for i, image in enumerate(pixels):
            height, width, channels = image.shape
            content = int_field(1, height) + int_field(2, width) + int_field(3, channels)
            content += bytes_field(4, png(image))
            values.append((f"{tag}/image/{i}" if len(pixels) > 1 else f"{tag}/image", bytes_field(4, content)))
        self._summary(values, step)

    def graph(self, graph_def: bytes) -> None:
        self._event(0, bytes_field(4, graph_def))

    def flush(self) -> None:
        """Write what is pending to the file.

        Raises:
            OSError: that failed; the file is as it was.
        """
        append(self.path, self._pending)
        self._pending.clear()
