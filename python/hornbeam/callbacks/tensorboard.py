"""The TensorBoard callback."""

from __future__ import annotations

import warnings
from typing import Any

from .callback import Callback
from .event_file import EventFile


class TensorBoard(Callback):
    """Writes metrics, and histograms of the weights, for TensorBoard to show.

    Args:
        log_dir: folder for the event file.
        histogram_freq: write histograms of the weights every that many epochs; 0 for never.
        update_freq: ``'epoch'``, ``'batch'``, or a number of samples between two writes.
        batch_size: kept for compatibility.
        write_graph: kept for compatibility: TensorBoard shows TensorFlow's graphs, and there is none.
        write_grads, write_images: not supported, with a warning.
        embeddings_freq, embeddings_layer_names, embeddings_metadata, embeddings_data: not supported.

    Raises:
        ValueError: embeddings are asked for.
    """

    def __init__(
        self,
        log_dir="./logs",
        histogram_freq=0,
        batch_size=32,
        write_graph=True,
        write_grads=False,
        write_images=False,
        embeddings_freq=0,
        embeddings_layer_names=None,
        embeddings_metadata=None,
        embeddings_data=None,
        update_freq="epoch",
    ):
        super().__init__()
        if embeddings_freq:
            raise ValueError("TensorBoard: embeddings are not supported; leave out `embeddings_freq`.")
        for name, wanted in (("write_grads", write_grads), ("write_images", write_images)):
            if wanted:
                warnings.warn(f"TensorBoard: `{name}` is not supported and has no effect.", stacklevel=2)
        self.log_dir = log_dir
        self.histogram_freq = histogram_freq
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.samples_seen = 0
        self.samples_seen_at_last_write = 0
        self.writer: Any = None

    def on_train_begin(self, logs=None):
        self.writer = EventFile(self.log_dir)

    def on_batch_end(self, batch, logs=None):
        if self.update_freq == "epoch":
            return
        self.samples_seen += (logs or {}).get("size", 0)
        if self.samples_seen - self.samples_seen_at_last_write >= self.update_freq:
            self._write(logs, self.samples_seen)
            self.samples_seen_at_last_write = self.samples_seen

    def on_epoch_end(self, epoch, logs=None):
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for layer in self.model.layers:
                for weight in layer.weights:
                    self.writer.histogram(weight.name.replace(":", "_"), weight.numpy(), epoch)
        self._write(logs, epoch if self.update_freq == "epoch" else self.samples_seen)

    def _write(self, logs: dict | None, step: int) -> None:
        values = {name: value for name, value in (logs or {}).items() if name not in ("batch", "size", "num_steps")}
        self.writer.scalars(values, step)
        self.writer.flush()

    def on_train_end(self, logs=None):
        self.writer.close()
