"""The same cases in PyTorch, where it has the op: ``hornbeam bench --vs torch``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .case import Array, Case
from .measure import Timing, repeat

UNARY = {
    "neg": "neg", "abs": "abs", "sign": "sign", "square": "square", "sqrt": "sqrt", "rsqrt": "rsqrt", "exp": "exp",
    "expm1": "expm1", "log": "log", "log1p": "log1p", "sin": "sin", "cos": "cos", "tanh": "tanh", "sigmoid": "sigmoid",
    "relu": "relu", "erf": "erf", "floor": "floor", "ceil": "ceil", "round": "round", "reciprocal": "reciprocal",
    "logical_not": "logical_not",
}  # fmt: skip
BINARY = {
    "add": "add", "sub": "sub", "mul": "mul", "div": "div", "pow": "pow", "maximum": "maximum", "minimum": "minimum",
    "less": "lt", "greater": "gt", "equal": "eq", "logical_and": "logical_and", "logical_or": "logical_or",
}  # fmt: skip


class Torch:
    """PyTorch with as many threads as Hornbeam uses."""

    name = "torch"

    def __init__(self) -> None:
        import torch

        from hornbeam import _core

        torch.set_num_threads(_core.num_threads())
        self.torch = torch

    def time(self, case: Case, budget: float) -> Timing | None:
        """Time a case, or return None if there is no counterpart here."""
        rng = np.random.default_rng(0)
        tensors = [self.torch.from_numpy(np.asarray(x.make(rng))) if isinstance(x, Array) else x for x in case.inputs]
        run = self.counterpart(case, tensors)
        if run is None:
            return None

        def timed() -> float:
            start = time.perf_counter()
            run()
            return time.perf_counter() - start

        with self.torch.inference_mode():
            return repeat(timed, budget)

    def counterpart(self, case: Case, t: list[Any]) -> Callable[[], Any] | None:
        """The case as a function without arguments. Results go into a tensor that is there already, where torch can."""
        torch, F, a = self.torch, self.torch.nn.functional, case.attrs
        x = t[0]
        if case.op in UNARY:
            f, out = getattr(torch, UNARY[case.op]), torch.empty_like(x)
            return (lambda: f(x)) if case.op == "relu" else (lambda: f(x, out=out))
        if case.op in BINARY:
            g, y = getattr(torch, BINARY[case.op]), t[1]
            out = torch.empty_like(g(x, y))
            return lambda: g(x, y, out=out)
        match case.op:
            case "matmul":
                left = x.transpose(-1, -2) if a.get("transpose_a") else x
                out = torch.matmul(left, t[1])
                return lambda: torch.matmul(left, t[1], out=out)
            case "conv2d" | "conv2d_input_grad" | "conv2d_filter_grad":
                return self.convolution(case, t)
            case "max_pool2d":
                image = channels_first(x)
                return lambda: F.max_pool2d(image, a["size"], a["strides"])
            case "avg_pool2d":
                image = channels_first(x)
                return lambda: F.avg_pool2d(image, a["size"], a["strides"])
            case "batch_norm":
                image = channels_first(x)
                return lambda: F.batch_norm(image, None, None, t[1], t[2], training=True, eps=a["epsilon"])
            case "softmax":
                return lambda: torch.softmax(x, -1)
            case "log_softmax":
                return lambda: torch.log_softmax(x, -1)
            case "sparse_softmax_cross_entropy":
                return lambda: F.cross_entropy(x, t[1], reduction="none")
            case "reduce_sum" | "reduce_mean":
                f = torch.sum if case.op == "reduce_sum" else torch.mean
                return lambda: f(x, a["axes"])
            case "reduce_max":
                return lambda: torch.amax(x, a["axes"])
            case "argmax":
                return lambda: torch.argmax(x, a["axis"])
            case "sum_to":
                return lambda: x.sum((0, 1, 2))
            case "transpose":
                out = x.permute(a["perm"]).contiguous()
                return lambda: out.copy_(x.permute(a["perm"]))
            case "reverse":
                return lambda: x.flip(a["axes"])
            case "concat":
                out = torch.cat([x, x], a["axis"])
                return lambda: torch.cat([x, x], a["axis"], out=out)
            case "tile":
                return lambda: x.repeat(t[1].tolist())
            case "broadcast_to":
                out = x.expand(t[1].tolist()).contiguous()
                return lambda: out.copy_(x.expand(t[1].tolist()))
            case "pad":
                return lambda: F.pad(x, (0, 0, 1, 1, 1, 1))
            case "gather":
                rows = t[1].long().flatten()
                out = x.index_select(0, rows)
                return lambda: torch.index_select(x, 0, rows, out=out)
            case "scatter_add":
                rows, updates, out = x.long().flatten(), t[1].flatten(0, 1), torch.empty(t[2].tolist())
                return lambda: out.zero_().index_add_(0, rows, updates)
            case "random_uniform":
                out = torch.empty(t[0].tolist())
                return lambda: out.uniform_()
            case "random_normal":
                out = torch.empty(t[0].tolist())
                return lambda: out.normal_()
            case "random_bernoulli":
                out = torch.empty(t[0].tolist())
                return lambda: out.bernoulli_(0.5)
            case "lstm" | "gru" | "simple_rnn":
                return self.recurrent(case, t)
        return None

    def convolution(self, case: Case, t: list[Any]) -> Callable[[], Any]:
        """In torch's fastest layout, channels last. Padding is 'same' with an odd kernel, even where strided."""
        torch, stride = self.torch, case.attrs["strides"]
        if case.op == "conv2d_filter_grad":
            x, dy, (kernel, _) = channels_first(t[0]), channels_first(t[1]), case.attrs["kernel"]
            shape = (dy.shape[1], x.shape[1], kernel, kernel)
            return lambda: torch.nn.grad.conv2d_weight(x, shape, dy, stride, kernel // 2)
        w = t[1].permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        pad = w.shape[-1] // 2
        if case.op == "conv2d_input_grad":
            dy, (n, h, width, c) = channels_first(t[0]), t[2].tolist()
            return lambda: torch.nn.grad.conv2d_input((n, c, h, width), w, dy, stride, pad)
        image = channels_first(t[0])
        return lambda: torch.nn.functional.conv2d(image, w, stride=stride, padding=pad)

    def recurrent(self, case: Case, t: list[Any]) -> Callable[[], Any]:
        """torch.nn's layer includes the input projection; one input feature makes that as small as it can be."""
        torch = self.torch
        batch, steps, _ = t[0].shape
        units = next(x for x in t[1:] if x is not None).shape[0]
        kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple_rnn": torch.nn.RNN}[case.op]
        layer, x = kind(1, units, batch_first=True), torch.randn(batch, steps, 1)
        return lambda: layer(x)


def channels_first(x: Any) -> Any:
    """An NHWC array as torch's NCHW tensor with the same bytes."""
    return x.permute(0, 3, 1, 2)
