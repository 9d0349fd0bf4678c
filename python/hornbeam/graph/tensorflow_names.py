"""What TensorFlow calls ops: scripts ask for an op's type, and override the gradients of types."""

from __future__ import annotations

import re

#: Ops whose names do not follow by spelling ``max_pool`` as ``MaxPool``; of several names, the first is an op's type.
_OPS = {
    "AddV2": "add", "Add": "add", "AvgPool": "avg_pool2d", "ConcatV2": "concat", "Const": "constant", "Conv2D": "conv2d", "Conv3D": "conv3d",
    "DepthwiseConv2dNative": "depthwise_conv2d", "FusedBatchNormV3": "batch_norm", "GatherV2": "gather",
    "MatMul": "matmul", "BatchMatMul": "matmul", "MaxPool": "max_pool2d", "PadV2": "pad", "RealDiv": "div", "Div": "div",
    "ReverseV2": "reverse", "Round": "round", "Rint": "round", "SelectV2": "select", "VarHandleOp": "variable",
}  # fmt: skip


def op_of(name: str) -> str:
    """The op that TensorFlow calls ``name``: ``relu`` for ``Relu``."""
    return _OPS.get(name) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def name_of(op: str) -> str:
    """What TensorFlow calls an op: ``LogSoftmax`` for ``log_softmax``."""
    for name, known in _OPS.items():
        if known == op:
            return name
    return "".join([part.capitalize() for part in op.split("_")])
