"""The TensorBoard callback."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .. import backend as K
from ..engine.standardize import standardize_input_data
from ..settings import settings
from ..utils.messages import blamed_on
from .callback import Callback
from .event_file import EventFile
from .graph_def import graph_def
from .histogram import Histogram
from .layer_outputs import layer_outputs

_MAX_IMAGES = 3  # of one weight; TensorFlow's summaries show as many


class TensorBoard(Callback):
    """Writes metrics, histograms, images, the graph and embeddings for TensorBoard to show. It needs no TensorFlow.

    Args:
        log_dir: folder for the event file.
        histogram_freq: every that many epochs, write histograms of the weights and, but for scripts of TensorFlow 2, of
            the layers' outputs on the validation data; 0 for never.
        batch_size: samples per batch when the layers' outputs are computed.
        write_graph: write the model's graph.
        write_grads: with the histograms also write those of the gradients on the validation data.
        write_images: with the histograms also write weights as images.
        embeddings_freq: every that many epochs, write the outputs of embedding layers; 0 for never.
        embeddings_layer_names: names of those layers; all layers of class ``Embedding`` by default.
        embeddings_metadata: file with the labels of the samples, or a dict from layer name to such a file.
        embeddings_data: the inputs for which the layers' outputs are written: an array or a list of arrays.
        update_freq: ``'epoch'``, ``'batch'``, or a number of samples between two writes of the metrics.

    Raises:
        ValueError: in ``on_epoch_end``, if histograms of outputs are asked for and there are no validation arrays, or
            embeddings and no ``embeddings_data``.
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
        profile_batch=0,
        write_steps_per_second=False,
    ):
        super().__init__()
        self.log_dir = log_dir
        self.histogram_freq = histogram_freq
        self.batch_size = batch_size
        self.write_graph = write_graph
        self.write_grads = write_grads
        self.write_images = write_images
        self.embeddings_freq = embeddings_freq
        self.embeddings_layer_names = embeddings_layer_names
        self.embeddings_metadata = embeddings_metadata or {}
        self.embeddings_data = embeddings_data
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.samples_seen = 0
        self.samples_seen_at_last_write = 0
        self.writer: Any = None
        self._watched: Any = None

    def on_train_begin(self, logs=None):
        self.writer = EventFile(self.log_dir)
        self._watched = None
        if self.write_graph and self.model.outputs:
            loss = getattr(self.model, "total_loss", None)
            self.writer.graph(graph_def([*self.model.outputs, *([] if loss is None else [loss])]))

    def on_batch_end(self, batch, logs=None):
        if self.update_freq == "epoch":
            return
        self.samples_seen += (logs or {}).get("size", 0)
        if self.samples_seen - self.samples_seen_at_last_write >= self.update_freq:
            self._write_metrics(logs, self.samples_seen)
            self.samples_seen_at_last_write = self.samples_seen

    def on_epoch_end(self, epoch, logs=None):
        if self.histogram_freq:
            of_outputs = not settings.dialect.histograms_of_weights
            if of_outputs and not self.validation_data:
                raise ValueError("If printing histograms, validation_data must be provided, and cannot be a generator.")
            if epoch % self.histogram_freq == 0:
                self._write_weights(epoch)
                if of_outputs:
                    self._write_activations(epoch)
        if self.embeddings_freq:
            if self.embeddings_data is None:
                raise ValueError("To visualize embeddings, embeddings_data must be provided.")
            if epoch % self.embeddings_freq == 0:
                self._write_embeddings()
        self._write_metrics(logs, epoch if self.update_freq == "epoch" else self.samples_seen)

    def on_train_end(self, logs=None):
        self.writer.flush()

    def _write_metrics(self, logs: dict | None, step: int) -> None:
        values = {name: value for name, value in (logs or {}).items() if name not in ("batch", "size", "num_steps")}
        self.writer.scalars(values, step)
        self.writer.flush()

    # -- histograms and images -----------------------------------------------------------------------------
    def _write_weights(self, epoch: int) -> None:
        weights = [weight for layer in self.model.layers for weight in layer.weights]
        for weight, value in zip(weights, K.batch_get_value(weights)):
            self.writer.histogram(_tag(weight), value, epoch)
            if self.write_images:
                images = _as_images(value)
                if images is not None:
                    self.writer.images(_tag(weight), images[:_MAX_IMAGES], epoch)

    def _write_activations(self, epoch: int) -> None:
        """Histograms of the layers' outputs, and of gradients, over all validation data."""
        model = self.model
        if self._watched is None:
            tensors = self._activations()
            if self.write_grads:
                for weight in model.trainable_weights:
                    (tensors[f"{_tag(weight)}_grad"],) = model.optimizer.get_gradients(model.total_loss, [weight])
            feeds = model._feed_inputs + model._feed_targets + model._feed_sample_weights
            self._watched = list(tensors), K.function(feeds, list(tensors.values()))
        tags, function = self._watched
        histograms = [Histogram() for _ in tags]
        data = self.validation_data
        for start in range(0, data[0].shape[0], self.batch_size):
            batch = [x[start : start + self.batch_size] for x in data]
            for histogram, values in zip(histograms, function(batch)):
                histogram.add(values)
        for tag, histogram in zip(tags, histograms):
            self.writer.histogram(tag, histogram, epoch)

    def _activations(self) -> dict:
        tensors = {}
        for layer, outputs in layer_outputs(self.model):
            for i, output in enumerate(outputs):
                tensors[f"{layer.name}_out_{i}" if len(outputs) > 1 else f"{layer.name}_out"] = output
        return tensors

    # -- embeddings ------------------------------------------------------------------------------------------
    def _write_embeddings(self) -> None:
        """A table per layer with a row per sample, and the file that tells TensorBoard's projector about them."""
        names = self.embeddings_layer_names or [
            layer.name for layer in self.model.layers if type(layer).__name__ == "Embedding"
        ]
        data = standardize_input_data(self.embeddings_data, self.model.input_names)
        function = K.function(self.model.inputs, [self.model.get_layer(n).output for n in names])
        samples = data[0].shape[0]
        parts = [
            function([x[start : start + self.batch_size] for x in data]) for start in range(0, samples, self.batch_size)
        ]
        metadata = self.embeddings_metadata
        config = ""
        for name, values in zip(names, zip(*parts)):
            table = f"keras_embedding_{name.replace('/', '_')}.tsv"
            rows = np.concatenate(values).reshape(samples, -1)
            with blamed_on(os.path.join(self.log_dir, table)):
                np.savetxt(os.path.join(self.log_dir, table), rows, fmt="%.9g", delimiter="\t")
            config += f'embeddings {{\n  tensor_name: "{name}_embedding"\n  tensor_path: "{table}"\n'
            file = metadata.get(name) if isinstance(metadata, dict) else metadata
            if file:
                config += f'  metadata_path: "{file}"\n'
            config += "}\n"
        path = os.path.join(self.log_dir, "projector_config.pbtxt")
        with blamed_on(path), open(path, "w") as out:
            out.write(config)


def _tag(weight: Any) -> str:
    return weight.name.replace(":", "_")


def _as_images(value: np.ndarray) -> np.ndarray | None:
    """A weight as (count, height, width): kernels of Dense lie down, each channel of a convolution is one image."""
    value = np.squeeze(value)
    if value.ndim == 1:
        return value.reshape(1, -1, 1)
    if value.ndim == 2:
        return (value.T if value.shape[0] > value.shape[1] else value)[np.newaxis]
    if value.ndim == 3:
        return value.transpose(2, 0, 1) if K.image_data_format() == "channels_last" else value
    return None
