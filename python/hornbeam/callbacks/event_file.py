"""TensorBoard's event files: records with checksums, each a small protocol buffer, written without TensorFlow."""

from __future__ import annotations

import os
import socket
import struct
import time
from typing import Any

import numpy as np


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)  # CRC-32C, reflected
        table.append(byte)
    return table


_CRC = _crc_table()


def _masked_crc(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


# -- protocol buffers: a field is its number and kind, then the value ---------------------------------------
def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _doubles(field: int, values: Any) -> bytes:
    return _bytes(field, np.asarray(values, dtype="<f8").tobytes())


class EventFile:
    """Writes scalars and histograms that TensorBoard shows.

    Args:
        folder: where the file is made; TensorBoard's ``--logdir``.
    """

    def __init__(self, folder: Any) -> None:
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        path = os.path.join(folder, name)
        count = 0
        while os.path.exists(path):
            count += 1
            path = os.path.join(folder, f"{name}.{count}")
        self.path = path
        self._file = open(path, "wb")
        self._event(0, _bytes(3, b"brain.Event:2"))

    def _event(self, step: int, content: bytes) -> None:
        data = _double(1, time.time()) + _int(2, step) + content
        length = struct.pack("<Q", len(data))
        self._file.write(length + struct.pack("<I", _masked_crc(length)))
        self._file.write(data + struct.pack("<I", _masked_crc(data)))

    def scalars(self, values: dict[str, float], step: int) -> None:
        summary = b"".join(
            _bytes(1, _bytes(1, tag.encode()) + _float(2, float(value))) for tag, value in values.items()
        )
        self._event(step, _bytes(5, summary))

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        values = np.asarray(values, dtype="float64").ravel()
        values = values[np.isfinite(values)]
        if not values.size:
            return
        counts, edges = np.histogram(values, bins=30)
        content = _double(1, values.min()) + _double(2, values.max()) + _double(3, values.size)
        content += _double(4, values.sum()) + _double(5, np.square(values).sum())
        content += _doubles(6, edges[1:]) + _doubles(7, counts)
        self._event(step, _bytes(5, _bytes(1, _bytes(1, tag.encode()) + _bytes(5, content))))

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()
