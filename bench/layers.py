"""Layers beyond the plain convolution beside PyTorch and tf_keras: ``python bench/layers.py [--threads N] [--only NAME]``.

Each case is a stack of two layers of one kind, so that the second one's input gradient counts too; ``step`` is a whole
training step on the mean squared error with plain gradient descent. Every call feeds NumPy arrays and reads NumPy
results. PyTorch has no locally connected layer, no convolutional LSTM and no loop over a cell: they are written as its
users write them.
"""

from __future__ import annotations

import os

import numpy as np
from contest import Contest, options, summary

#: kind -> input shape without the batch, batch
SHAPES = {
    "ConvLSTM2D": ((10, 32, 32, 8), 8),
    "SeparableConv2D": ((56, 56, 64), 16),
    "Conv2DTranspose": ((16, 16, 64), 32),
    "Conv3D": ((16, 32, 32, 8), 4),
    "LocallyConnected2D": ((28, 28, 8), 32),
    "Bidirectional LSTM, masked": ((80, 64), 32),
    "RNN over a cell of one's own": ((500, 32), 32),
}
CASES = [(f"{kind}, {what}", kind, what) for kind in SHAPES for what in ("predict", "step")]


def _inputs(kind: str) -> np.ndarray:
    shape, batch = SHAPES[kind]
    rng = np.random.RandomState(0)
    x = rng.uniform(-1, 1, (batch, *shape)).astype("float32")
    if kind.endswith("masked"):
        for row, length in zip(x, _lengths(batch, shape[0])):
            row[length:] = 0
    return x


def _lengths(batch: int, steps: int) -> np.ndarray:
    """Of the sequences that are not masked, longest first as PyTorch packs them."""
    return np.sort(np.random.RandomState(1).randint(steps // 4, steps + 1, batch))[::-1].copy()


def _own_cell(keras, units: int):
    """tanh(W x + U h), as people write cells in Keras 2."""
    backend = keras.backend

    class Cell(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.state_size = units

        def build(self, shape):
            self.w = self.add_weight(shape=(shape[-1], units), initializer="uniform", name="w")
            self.u = self.add_weight(shape=(units, units), initializer="orthogonal", name="u")
            self.built = True

        def call(self, inputs, states):
            h = backend.tanh(backend.dot(inputs, self.w) + backend.dot(states[0], self.u))
            return h, [h]

    return Cell()


def _keras(keras, case):
    """The case in Keras 2's own words, for Hornbeam and tf_keras alike."""
    _, kind, what = case
    x, layers = _inputs(kind), keras.layers
    first = {"input_shape": x.shape[1:]}
    if kind == "ConvLSTM2D":
        same = {"padding": "same", "recurrent_activation": "sigmoid", "return_sequences": True}
        stack = [layers.ConvLSTM2D(16, 3, **same, **first), layers.ConvLSTM2D(16, 3, **same)]
    elif kind == "SeparableConv2D":
        same = {"padding": "same", "activation": "relu"}
        stack = [layers.SeparableConv2D(128, 3, **same, **first), layers.SeparableConv2D(128, 3, **same)]
    elif kind == "Conv2DTranspose":
        twice = {"strides": 2, "padding": "same", "activation": "relu"}
        stack = [layers.Conv2DTranspose(32, 4, **twice, **first), layers.Conv2DTranspose(16, 4, **twice)]
    elif kind == "Conv3D":
        same = {"padding": "same", "activation": "relu"}
        stack = [layers.Conv3D(32, 3, **same, **first), layers.Conv3D(32, 3, **same)]
    elif kind == "LocallyConnected2D":
        relu = {"activation": "relu"}
        stack = [layers.LocallyConnected2D(16, 3, **relu, **first), layers.LocallyConnected2D(16, 3, **relu)]
    elif kind.startswith("RNN"):
        stack = [layers.RNN(_own_cell(keras, 64), return_sequences=True, **first)]
        stack += [layers.RNN(_own_cell(keras, 64), return_sequences=True)]
    else:
        stack = [layers.Masking(**first)]
        stack += [layers.Bidirectional(layers.LSTM(64, return_sequences=True)) for _ in range(2)]
    model = keras.models.Sequential(stack)
    if what == "predict":
        return lambda: model.predict_on_batch(x)
    model.compile("sgd", "mse")
    y = np.zeros((len(x), *model.output_shape[1:]), "float32")
    return lambda: model.train_on_batch(x, y)


def hornbeam(case):
    import hornbeam

    return _keras(hornbeam, case)


def tf_keras(case):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    if not tf.config.threading.get_intra_op_parallelism_threads():
        tf.config.threading.set_intra_op_parallelism_threads(int(os.environ["OMP_NUM_THREADS"]))
    import tf_keras as keras

    return _keras(keras, case)


def _torch_stack(kind: str):
    import torch
    from torch import nn

    class ConvLSTM(nn.Module):
        """Over (batch, time, channels, height, width); the inputs of all steps are convolved at once."""

        def __init__(self, channels, filters):
            super().__init__()
            self.inputs = nn.Conv2d(channels, 4 * filters, 3, padding=1)
            self.states = nn.Conv2d(filters, 4 * filters, 3, padding=1, bias=False)

        def forward(self, x):
            batch, steps = x.shape[:2]
            projected = self.inputs(x.flatten(0, 1)).unflatten(0, (batch, steps))
            h = c = None
            outputs = []
            for t in range(steps):
                gates = projected[:, t] if h is None else projected[:, t] + self.states(h)
                i, f, g, o = gates.chunk(4, dim=1)
                new = torch.sigmoid(i) * torch.tanh(g)
                c = new if c is None else torch.sigmoid(f) * c + new
                h = torch.sigmoid(o) * torch.tanh(c)
                outputs.append(h)
            return torch.stack(outputs, 1)

    class Loop(nn.Module):
        def __init__(self, features, units):
            super().__init__()
            self.w, self.u = nn.Linear(features, units, bias=False), nn.Linear(units, units, bias=False)

        def forward(self, x):
            h, outputs = x.new_zeros(len(x), self.u.in_features), []
            for row in x.unbind(1):
                h = torch.tanh(self.w(row) + self.u(h))
                outputs.append(h)
            return torch.stack(outputs, 1)

    class LocallyConnected(nn.Module):
        def __init__(self, channels, filters, size):
            super().__init__()
            self.size = size
            self.weight = nn.Parameter(torch.randn(size * size, channels * 9, filters) / 10)
            self.bias = nn.Parameter(torch.zeros(filters, size, size))

        def forward(self, x):
            patches = nn.functional.unfold(x, 3)
            y = torch.einsum("bkp,pkf->bfp", patches, self.weight)
            return torch.relu(y.unflatten(2, (self.size, self.size)) + self.bias)

    class PackedLSTM(nn.Module):
        def __init__(self, lengths):
            super().__init__()
            self.lengths = torch.from_numpy(lengths)
            self.lstm = nn.LSTM(64, 64, num_layers=2, batch_first=True, bidirectional=True)

        def forward(self, x):
            packed = nn.utils.rnn.pack_padded_sequence(x, self.lengths, batch_first=True)
            return nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=x.shape[1])[0]

    if kind == "ConvLSTM2D":
        return nn.Sequential(ConvLSTM(8, 16), ConvLSTM(16, 16))
    if kind == "SeparableConv2D":
        pairs = [(64, 128), (128, 128)]
        stack = [
            layer
            for a, b in pairs
            for layer in (nn.Conv2d(a, a, 3, padding=1, groups=a, bias=False), nn.Conv2d(a, b, 1), nn.ReLU())
        ]
        return nn.Sequential(*stack)
    if kind == "Conv2DTranspose":
        first, second = (nn.ConvTranspose2d(a, b, 4, stride=2, padding=1) for a, b in ((64, 32), (32, 16)))
        return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
    if kind == "Conv3D":
        return nn.Sequential(nn.Conv3d(8, 32, 3, padding=1), nn.ReLU(), nn.Conv3d(32, 32, 3, padding=1), nn.ReLU())
    if kind == "LocallyConnected2D":
        return nn.Sequential(LocallyConnected(8, 16, 26), LocallyConnected(16, 16, 24))
    if kind.startswith("RNN"):
        return nn.Sequential(Loop(32, 64), Loop(64, 64))
    return PackedLSTM(_lengths(SHAPES[kind][1], SHAPES[kind][0][0]))


def _torch(case, channels_last: bool):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    _, kind, what = case
    x, model = _inputs(kind), _torch_stack(kind)
    if kind == "ConvLSTM2D":
        x = np.ascontiguousarray(x.transpose(0, 1, 4, 2, 3))
    elif not kind.endswith("masked") and not kind.startswith("RNN"):
        x = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    if channels_last:
        layout = torch.channels_last_3d if kind == "Conv3D" else torch.channels_last
        model = model.to(memory_format=layout)
        x = torch.from_numpy(x).contiguous(memory_format=layout).numpy()

    def predict():
        with torch.inference_mode():
            return model(torch.from_numpy(x)).numpy()

    if what == "predict":
        return predict
    y = torch.from_numpy(np.zeros_like(predict()))
    optimizer = torch.optim.SGD(model.parameters(), 0.01)

    def step():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(torch.from_numpy(x)), y)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def torch(case):
    return _torch(case, channels_last=False)


def torch_channels_last(case):
    if case[1] not in ("SeparableConv2D", "Conv2DTranspose", "Conv3D"):
        raise ImportError("only for layers that PyTorch has for this layout")
    return _torch(case, channels_last=True)


CONTESTANTS = {"hornbeam": hornbeam, "torch": torch, "torch_channels_last": torch_channels_last, "tf_keras": tf_keras}


def main() -> None:
    chosen = options(globals())
    print(f"{chosen.threads} threads; ms of the fastest call [median]")
    for case in CASES:
        if chosen.only not in case[0]:
            continue
        # Processes per case: a library that does not do one case still takes part in the others.
        contest = Contest(__file__, chosen.names, chosen.threads)
        times = contest.measure(case, budget=0.4, rounds=chosen.rounds)
        contest.close()
        cells = [f"{n} {summary(t)[1] * 1e3:8.2f} [{summary(t)[0] * 1e3:8.2f}]" for n, t in times.items()]
        peers = [min(t) for n, t in times.items() if n != "hornbeam"]
        ratio = f" | {min(peers) / min(times['hornbeam']):.2f}x the best peer" if peers else ""
        print(f"{case[0]:35} | " + " | ".join(cells) + ratio, flush=True)


if __name__ == "__main__":
    main()
