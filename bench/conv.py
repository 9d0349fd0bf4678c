"""Convolutions beside PyTorch (channels last) and TensorFlow: ``python bench/conv.py [--threads N] [--isa NAME]``.

Each library runs in a process of its own and they take turns. Per case and pass (forward, backward-data,
backward-filter): microseconds of the fastest call (hot caches), in brackets the median's, GFLOP/s, and the share of
the fma peak measured in between. Weights are inputs: packing them counts, as in training.
"""

from __future__ import annotations

import os

import numpy as np
from contest import compare_arithmetic

#: name, batch, size, channels in, channels out (0: depthwise), kernel, stride, padding
SHAPES = [
    ("resnet 56x56 64", 32, 56, 64, 64, 3, 1, "same"),
    ("resnet 28x28 128", 32, 28, 128, 128, 3, 1, "same"),
    ("resnet 14x14 256", 32, 14, 256, 256, 3, 1, "same"),
    ("resnet 7x7 512", 32, 7, 512, 512, 3, 1, "same"),
    ("resnet 56x56 stride 2", 32, 56, 64, 128, 3, 2, "same"),
    ("resnet 1x1 56x56 256-64", 32, 56, 256, 64, 1, 1, "valid"),
    ("resnet 1x1 14x14 1024-256", 32, 14, 1024, 256, 1, 1, "valid"),
    ("resnet stem", 8, 224, 3, 64, 7, 2, "same"),
    ("digits, first", 128, 28, 1, 32, 3, 1, "valid"),
    ("digits, second", 128, 26, 32, 64, 3, 1, "valid"),
    ("cifar 32x32 32", 128, 32, 32, 32, 3, 1, "same"),
    ("one image 56x56 64", 1, 56, 64, 64, 3, 1, "same"),
    ("one image 14x14 256", 1, 14, 256, 256, 3, 1, "same"),
    ("depthwise 112x112 32", 8, 112, 32, 0, 3, 1, "same"),
    ("depthwise 56x56 128", 8, 56, 128, 0, 3, 1, "same"),
    ("depthwise 14x14 512", 8, 14, 512, 0, 3, 1, "same"),
]
CASES = [(f"{name}, {step}", *shape, step) for name, *shape in SHAPES for step in ("forward", "data", "filter")]


def _output_size(case):
    _, _, size, _, _, kernel, stride, padding = case[:8]
    return -(-size // stride) if padding == "same" else (size - kernel) // stride + 1


def _arrays(case):
    _, batch, size, channels, outputs, kernel = case[:6]
    rng = np.random.RandomState(0)

    def draw(*shape):
        return rng.uniform(-1, 1, shape).astype("float32")

    x, w = draw(batch, size, size, channels), draw(kernel, kernel, channels, outputs or 1)
    return x, w, draw(batch, _output_size(case), _output_size(case), outputs or channels)


def _operations(case):
    _, batch, _, channels, outputs, kernel = case[:6]
    return 2 * batch * _output_size(case) ** 2 * channels * (outputs or 1) * kernel * kernel


def hornbeam(case):
    from hornbeam import graph as G

    x, w, dy = _arrays(case)
    _, _, _, _, outputs, kernel, stride, padding, step = case
    prefix = "conv2d" if outputs else "depthwise_conv2d"
    attrs = {"strides": [stride, stride], "padding": padding}
    if step == "forward":
        feeds, extra, op = [x, w], [], prefix
    elif step == "data":
        feeds, extra, op = [dy, w], [G.constant(np.array(x.shape))], prefix + "_input_grad"
    else:
        feeds, extra, op = [x, dy], [], prefix + "_filter_grad"
        attrs["kernel"] = [kernel, kernel]
    inputs = [G.placeholder(f.shape, "float32") for f in feeds]
    run = G.Function(inputs, [G.apply(op, inputs + extra, **attrs)])
    return lambda: run(feeds)


def torch(case):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    _, _, size, channels, outputs, kernel, stride, padding, step = case
    x, w, dy = map(torch.from_numpy, _arrays(case))
    x, dy = x.permute(0, 3, 1, 2), dy.permute(0, 3, 1, 2)
    w = (w.permute(3, 2, 0, 1) if outputs else w.permute(2, 3, 0, 1)).contiguous(memory_format=torch.channels_last)
    total = max((_output_size(case) - 1) * stride + kernel - size, 0) if padding == "same" else 0
    if total % 2:  # PyTorch pads alike on both sides: give it the padded image
        x = torch.nn.functional.pad(x, (0, 1, 0, 1)).contiguous(memory_format=torch.channels_last)
    groups = 1 if outputs else channels
    window = ([stride, stride], [total // 2] * 2, [1, 1], False, [0, 0], groups)
    wanted = [step == "data", step == "filter", False]

    def run():
        with torch.inference_mode():
            if step == "forward":
                return torch.ops.aten.convolution(x, w, None, *window)
            return torch.ops.aten.convolution_backward(dy, x, w, None, *window, wanted)

    return run


def tensorflow(case):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    if not tf.config.threading.get_intra_op_parallelism_threads():
        tf.config.threading.set_intra_op_parallelism_threads(int(os.environ["OMP_NUM_THREADS"]))
    _, _, _, _, outputs, _, stride, padding, step = case
    x, w, dy = map(tf.constant, _arrays(case))
    window = {"strides": [1, stride, stride, 1], "padding": padding.upper()}
    ops = tf.raw_ops
    if outputs:
        forward, data, weights = ops.Conv2D, ops.Conv2DBackpropInput, ops.Conv2DBackpropFilter
    else:
        forward, data = ops.DepthwiseConv2dNative, ops.DepthwiseConv2dNativeBackpropInput
        weights = ops.DepthwiseConv2dNativeBackpropFilter
    if step == "forward":
        return lambda: forward(input=x, filter=w, **window).numpy()
    if step == "data":
        return lambda: data(input_sizes=x.shape, filter=w, out_backprop=dy, **window).numpy()
    return lambda: weights(input=x, filter_sizes=w.shape, out_backprop=dy, **window).numpy()


CONTESTANTS = {"hornbeam": hornbeam, "torch": torch, "tensorflow": tensorflow}


if __name__ == "__main__":
    compare_arithmetic(globals(), _operations)
