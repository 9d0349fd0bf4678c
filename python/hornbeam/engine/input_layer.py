"""The entry of a model: ``Input`` makes a tensor that is fed, through an ``InputLayer``."""

from __future__ import annotations

from .. import backend as K
from ..graph import Tensor
from ..legacy import interfaces
from ..settings import settings
from .base_layer import Layer
from .node import Node


class InputLayer(Layer):
    """The layer behind :func:`Input`; as first layer of a Sequential it states the input's shape.

    Args:
        input_shape: shape without the batch axis.
        batch_size: fixed batch size, or None.
        batch_input_shape: shape with the batch axis, instead of the two above.
        dtype: of the input; floatx by default.
        input_tensor: an existing tensor to start from, instead of a fed one.
        sparse: kept for files; sparse inputs are fed as dense arrays.
        name: of the layer, under which dicts of arrays feed it.
        ragged: not supported.
        type_spec: a ``tf.TensorSpec`` in place of ``batch_input_shape`` and ``dtype``.
    """

    @interfaces.legacy_input_support
    def __init__(
        self,
        input_shape=None,
        batch_size=None,
        batch_input_shape=None,
        dtype=None,
        input_tensor=None,
        sparse=False,
        name=None,
        ragged=False,
        type_spec=None,
    ):
        if ragged:
            raise ValueError(
                "Ragged inputs are not supported: pad the sequences (keras.utils.pad_sequences), and mask them."
            )
        if type_spec is not None:
            batch_input_shape, dtype = type_spec.shape, str(type_spec.dtype)
        if not name:
            name = f"input_{K.get_uid('input')}"
        super().__init__(dtype=dtype, name=name)
        self.trainable = False
        self.built = True
        self.sparse = sparse
        self.supports_masking = True

        if input_shape is not None and batch_input_shape is not None:
            raise ValueError(
                "Only provide the input_shape OR batch_input_shape argument to InputLayer, not both at the same time."
            )
        if input_tensor is not None and batch_input_shape is None:
            batch_input_shape = K.int_shape(input_tensor)
        if batch_input_shape is None:
            if input_shape is None:
                raise ValueError("An Input layer should be passed either a `batch_input_shape` or an `input_shape`.")
            batch_input_shape = (batch_size,) + tuple(input_shape)
        self.batch_input_shape = tuple(batch_input_shape)
        if dtype is None:
            self.dtype = K.dtype(input_tensor) if input_tensor is not None else K.floatx()

        if input_tensor is None:
            self.is_placeholder = True
            input_tensor = K.placeholder(shape=self.batch_input_shape, dtype=self.dtype, name=self.name)
            if settings.dialect.inputs_by_layer:
                input_tensor._name = self.name
        else:
            self.is_placeholder = K.is_placeholder(input_tensor)
        input_tensor._keras_shape = self.batch_input_shape
        input_tensor._keras_history = (self, 0, 0)
        Node(
            self,
            inbound_layers=[],
            node_indices=[],
            tensor_indices=[],
            input_tensors=[input_tensor],
            output_tensors=[input_tensor],
            input_masks=[None],
            output_masks=[None],
            input_shapes=[self.batch_input_shape],
            output_shapes=[self.batch_input_shape],
        )

    def get_config(self):
        return {
            "batch_input_shape": self.batch_input_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "name": self.name,
        }


def Input(
    shape=None, batch_shape=None, name=None, dtype=None, sparse=False, tensor=None, batch_size=None, ragged=False,
    type_spec=None,
) -> Tensor:  # fmt: skip
    """Return a symbolic tensor from which a model starts.

    Args:
        shape: shape without the batch axis; None in it for an axis of any size. A number stands for one axis.
        batch_shape: shape with the batch axis.
        name: name of the input.
        dtype: floatx by default.
        sparse: kept for compatibility.
        tensor: an existing tensor to wrap.
        batch_size: the size of the batch axis, if it is fixed, where ``shape`` is given.
        ragged: not supported.
        type_spec: a ``tf.TensorSpec`` in place of ``batch_shape`` and ``dtype``.

    Raises:
        ValueError: no shape, or ``ragged``.

    Example:
        >>> x = Input(shape=(32,))
        >>> y = Dense(16, activation="softmax")(x)
        >>> model = Model(x, y)
    """
    if batch_shape is None and tensor is None and type_spec is None:
        if shape is None:
            raise ValueError(
                "Please provide to Input either a `shape` or a `batch_shape` argument. Note that `shape` does not "
                "include the batch dimension."
            )
    if shape is not None and batch_shape is None:
        batch_shape = (batch_size, shape) if isinstance(shape, int) else (batch_size, *shape)
    layer = InputLayer(
        batch_input_shape=batch_shape, name=name, dtype=dtype, sparse=sparse, input_tensor=tensor, ragged=ragged,
        type_spec=type_spec,
    )  # fmt: skip
    return layer._inbound_nodes[0].output_tensors[0]
