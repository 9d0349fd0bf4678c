"""The ends of a model at which data are fed: its inputs, and its outputs with what they are compared with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .. import backend as K
from ..graph import Tensor


@dataclass(frozen=True, eq=False)
class FedInput:
    """An input that takes data.

    Attributes:
        name: under which a dict of arrays has it.
        tensor: the placeholder.
        shape: what arrays must have, the batch axis aside; None where that is not known.
    """

    name: str
    tensor: Tensor
    shape: tuple | None


@dataclass(eq=False)
class Endpoint:
    """An output of a compiled model, and all that training and evaluation have to do with it.

    Attributes:
        name, tensor: of the output.
        mask: of the output, or None.
        loss: function of targets, outputs and sample weights; None for an output that is not trained.
        loss_weight: factor of its loss in the total loss.
        target: what the output is compared with; None where there is no loss.
        fed: whether data are given for the target and the sample weights.
        sample_weight, sample_weight_mode: placeholder, and None, ``'temporal'`` or a rank; None where nothing is fed.
        target_shape: what arrays of targets must have; None where it is not known, as for a user's own loss.
        metrics, weighted_metrics: from name to Metric.
        mean_loss: the Metric of the loss over batches, where the model has several outputs.
        shape: the output's static shape.
    """

    name: str
    tensor: Tensor
    loss: Any
    loss_weight: Any
    target: Tensor | None
    fed: bool
    sample_weight: Tensor | None
    sample_weight_mode: str | int | None
    target_shape: tuple | None = None
    mask: Tensor | None = None
    metrics: dict[str, Any] = field(default_factory=dict)
    weighted_metrics: dict[str, Any] = field(default_factory=dict)
    mean_loss: Any = None
    shape: tuple = field(init=False)

    def __post_init__(self) -> None:
        self.shape = K.int_shape(self.tensor)
