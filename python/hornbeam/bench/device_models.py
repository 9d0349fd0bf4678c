"""Models on a device, and the same ones in PyTorch where it has the GPU: eagerly, and as a CUDA graph.

Batches lie on the device already; a call's results are read on the host, as a script reads a loss or a prediction. One
sample comes from the host's memory, as a request does. Both compute in exact float32.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from . import device_resnet
from .measure import on_host, repeat

#: name: kind, batch size, and that of --tiny
MODELS = {
    "mlp predict 1": ("mlp", 1, 1),
    "mlp step 256": ("mlp", 256, 4),
    "cnn predict 1": ("cnn", 1, 1),
    "cnn step 128": ("cnn", 128, 2),
    "lstm predict 32": ("lstm", 32, 2),
    "lstm step 32": ("lstm", 32, 2),
    "resnet50 predict 1": ("resnet50", 1, 1),
    "resnet50 predict 32": ("resnet50", 32, 2),
    "resnet50 step 32": ("resnet50", 32, 2),
}


def measure_model(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Times in microseconds, medians; ``torch``, ``torch_graph`` where there is PyTorch with the GPU."""
    kind, batch, small = MODELS[name]
    batch = small if args.tiny else batch
    x, y = data(kind, batch, args.tiny)
    model = build(kind, x, y.shape[1], args.tiny)
    if is_step(name):
        model.compile("adam", "mse")
        there, target = resident(x), resident(y)
        row = {"us": median_us(lambda: model.train_on_batch(there, target), args.time)}
    else:
        fed = x if batch == 1 else resident(x)
        row = {"us": median_us(lambda: model.predict_on_batch(fed), args.time)}
    peer = torch_with(args.device)
    if peer is not None:
        row |= measure_torch(peer, name, kind, x, y, args.time)
    return row


def resident(x: np.ndarray) -> Any:
    """The array in the memory of this thread's device."""
    from hornbeam import DeviceArray

    return x if on_host() else DeviceArray(x)


def is_step(name: str) -> bool:
    return "predict" not in name


def median_us(call: Callable[[], Any], budget: float) -> float:
    def timed() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return round(repeat(timed, budget).median * 1e6, 2)


def data(kind: str, batch: int, tiny: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    shape = {
        "mlp": (20,) if tiny else (784,),
        "cnn": (12, 12, 1) if tiny else (28, 28, 1),
        "lstm": (4, 16) if tiny else (80, 128),
        "resnet50": (16, 16, 3) if tiny else (224, 224, 3),
    }[kind]
    outputs = 1000 if kind == "resnet50" and not tiny else 10
    return rng.random((batch, *shape), "float32"), rng.random((batch, outputs), "float32")


def build(kind: str, x: np.ndarray, outputs: int, tiny: bool) -> Any:
    from hornbeam import layers, models

    shape, part = x.shape[1:], 16 if tiny else 1  # of the units that a layer has
    if kind == "resnet50":
        return device_resnet.build(shape, outputs, tiny)
    if kind == "mlp":
        return models.Sequential(
            [
                layers.Dense(512 // part, "relu", input_shape=shape),
                layers.Dense(512 // part, "relu"),
                layers.Dense(outputs),
            ]
        )
    if kind == "cnn":
        return models.Sequential(
            [
                layers.Conv2D(32 // part, 3, activation="relu", input_shape=shape),
                layers.Conv2D(64 // part, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(128 // part, "relu"),
                layers.Dense(outputs),
            ]
        )
    return models.Sequential([layers.LSTM(128 // part, input_shape=shape), layers.Dense(outputs)])


# ---- PyTorch ----
def torch_with(device: str) -> Any:
    """PyTorch if it has this GPU, else None."""
    name, _, number = device.partition(":")
    if name != "cuda":
        return None
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    torch.cuda.set_device(int(number or 0))
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return torch


def measure_torch(torch: Any, name: str, kind: str, x: np.ndarray, y: np.ndarray, budget: float) -> dict[str, Any]:
    model = torch_model(torch, kind, x, y.shape[1]).cuda()
    if kind in ("cnn", "resnet50"):
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    pinned, target = torch.from_numpy(x).pin_memory(), torch.from_numpy(y).cuda()
    fed = pinned.cuda()
    comes_from_host = len(x) == 1 and not is_step(name)
    if is_step(name):
        optimizer = torch.optim.Adam(model.parameters(), fused=True, capturable=True)

        def step() -> Any:
            optimizer.zero_grad(set_to_none=True)
            loss = torch.nn.functional.mse_loss(model(fed), target)
            loss.backward()
            optimizer.step()
            return loss
    else:
        model.eval()

        def step() -> Any:
            with torch.no_grad():
                return model(fed)

    def call(run: Callable[[], Any]) -> Any:
        if comes_from_host:
            fed.copy_(pinned, non_blocking=True)
        return run().cpu()

    row = {"torch": median_us(lambda: call(step), budget)}
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = step()

    def replay() -> Any:
        graph.replay()
        return result

    row["torch_graph"] = median_us(lambda: call(replay), budget)
    return row


def torch_model(torch: Any, kind: str, x: np.ndarray, outputs: int) -> Any:
    nn: Any = torch.nn
    if kind == "resnet50":
        return device_resnet.torch_model(torch, x.shape[-1], outputs)
    if kind == "mlp":
        return nn.Sequential(
            nn.Linear(x.shape[1], 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, outputs)
        )
    if kind == "cnn":
        return nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(64 * ((x.shape[1] - 4) // 2) ** 2, 128), nn.ReLU(), nn.Linear(128, outputs)),
        ).to(memory_format=torch.channels_last)
    lstm = nn.LSTM(x.shape[2], 128, batch_first=True)
    lstm.register_forward_hook(lambda module, inputs, outputs: outputs[0][:, -1])  # of its outputs the last step
    return nn.Sequential(lstm, nn.Linear(128, outputs))
