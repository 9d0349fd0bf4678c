"""``tf.audio``: sounds out of strings and back (WAV, 16 bits)."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np

from .. import graph
from ..graph import Tensor
from .table import for_scripts


@for_scripts("audio.decode_wav")
def decode_wav(contents: Any, desired_channels: int = -1, desired_samples: int = -1, name: Any = None) -> Any:
    """Samples in float32 between -1 and 1, (samples, channels), and the samples per second.

    Args:
        desired_channels: the number of channels that the sound has to have.
        desired_samples: cut, or filled up with 0, to so many.

    Returns:
        A tuple of two tensors.

    Raises:
        ValueError: it is not a WAV file of 16 bits, or has another number of channels.
    """

    def decode(data: np.ndarray) -> tuple[np.ndarray, int]:
        try:
            with wave.open(io.BytesIO(data.item())) as file:
                width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
                frames = file.readframes(file.getnframes())
        except (wave.Error, EOFError) as error:
            raise ValueError(f"Header mismatch: the data are not a WAV file: {error}") from None
        if width != 2:
            raise ValueError(f"Can only read 16-bit WAV files, but received {8 * width} bits")
        if desired_channels not in (-1, channels):
            raise ValueError(f"The WAV file has {channels} channels, {desired_channels} are desired.")
        samples = np.frombuffer(frames[: len(frames) // (2 * channels) * 2 * channels], "<i2").reshape(-1, channels)
        if desired_samples >= 0:
            missing = max(desired_samples - len(samples), 0)
            samples = np.pad(samples[:desired_samples], ((0, missing), (0, 0)))
        return (samples / 32768.0).astype("float32"), rate

    shape = (None if desired_samples < 0 else desired_samples, None if desired_channels < 0 else desired_channels)
    return graph.on_host(decode, [graph.convert(contents)], ("float32", shape), ("int32", ()))


@for_scripts("audio.encode_wav")
def encode_wav(audio: Any, sample_rate: Any, name: Any = None) -> Tensor:
    """Samples between -1 and 1, (samples, channels), as the string of a WAV file of 16 bits."""

    def encode(samples: np.ndarray, rate: np.ndarray) -> np.ndarray:
        out = io.BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(samples.shape[1])
            file.setsampwidth(2)
            file.setframerate(int(rate))
            file.writeframes((np.clip(samples, -1, 1) * 32767).round().astype("<i2").tobytes())
        return np.array(out.getvalue(), dtype=object)

    return graph.on_host(encode, [graph.convert(audio), graph.convert(sample_rate)], ("string", ()))
