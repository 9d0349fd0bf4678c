"""The TensorBoard callback as Keras 2.3.1 had it for TensorFlow 2: the same, with that one's arguments."""

from __future__ import annotations

from . import tensorboard

__all__ = ["TensorBoard"]


class TensorBoard(tensorboard.TensorBoard):
    """See :class:`hornbeam.callbacks.TensorBoard`.

    Args:
        batch_size: kept for compatibility.
        profile_batch: kept for compatibility: there is no profile to write.

    Raises:
        TypeError: another keyword.
    """

    def __init__(
        self,
        log_dir="./logs",
        histogram_freq=0,
        batch_size=None,
        write_graph=True,
        write_grads=False,
        write_images=False,
        embeddings_freq=0,
        embeddings_layer_names=None,
        embeddings_metadata=None,
        embeddings_data=None,
        update_freq="epoch",
        **kwargs,
    ):
        unknown = set(kwargs) - {"profile_batch"}
        if unknown:
            raise TypeError(f"TensorBoard got unexpected keyword arguments: {', '.join(sorted(unknown))}")
        super().__init__(
            log_dir,
            histogram_freq,
            batch_size or 32,
            write_graph,
            write_grads,
            write_images,
            embeddings_freq,
            embeddings_layer_names,
            embeddings_metadata,
            embeddings_data,
            update_freq,
        )
