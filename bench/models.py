"""Training steps and predictions of whole models beside PyTorch, tf_keras and ONNX Runtime.

``python bench/models.py [--threads N] [--only NAME]``. Each library runs in a process of its own and they take turns.
Every case feeds NumPy arrays and reads NumPy results; weights stay where the library keeps them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
from contest import Contest, options, summary

#: name, what is timed, batch size
CASES = [
    ("MLP 4-8-3, predict one", "mlp_predict", 1),
    ("CNN 28x28, training step", "cnn_step", 128),
    ("CNN 28x28, predict", "cnn_predict", 128),
    ("Embedding+LSTM, training step", "lstm_step", 32),
    ("LSTM 128, forward", "lstm_forward", 32),
    ("LSTM 128, forward one", "lstm_forward", 1),
]


def _data(kind: str, batch: int):
    rng = np.random.RandomState(0)
    if kind == "mlp_predict":
        return rng.rand(batch, 4).astype("float32"), None
    if kind.startswith("cnn"):
        return rng.rand(batch, 28, 28, 1).astype("float32"), np.eye(10, dtype="float32")[rng.randint(0, 10, batch)]
    if kind == "lstm_step":
        return rng.randint(0, 20000, (batch, 80)), rng.randint(0, 2, (batch, 1)).astype("float32")
    return rng.rand(batch, 80, 128).astype("float32"), None


def _keras(keras, case):
    """The case in Keras 2's own words, for Hornbeam and tf_keras alike."""
    _, kind, batch = case
    x, y = _data(kind, batch)
    layers, Sequential = keras.layers, keras.models.Sequential
    if kind == "mlp_predict":
        model = Sequential(
            [layers.Dense(8, activation="relu", input_shape=(4,)), layers.Dense(3, activation="softmax")]
        )
    elif kind.startswith("cnn"):
        model = Sequential(
            [
                layers.Conv2D(32, 3, activation="relu", input_shape=(28, 28, 1)),
                layers.Conv2D(64, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
                layers.Dense(10, activation="softmax"),
            ]
        )
        model.compile("adam", "categorical_crossentropy")
    elif kind == "lstm_step":
        model = Sequential(
            [layers.Embedding(20000, 128, input_length=80), layers.LSTM(128), layers.Dense(1, activation="sigmoid")]
        )
        model.compile("adam", "binary_crossentropy")
    else:
        model = Sequential([layers.LSTM(128, return_sequences=True, input_shape=(80, 128))])
    if kind.endswith("step"):
        return lambda: model.train_on_batch(x, y)
    return lambda: model.predict_on_batch(x)


def hornbeam(case):
    import hornbeam

    return _keras(hornbeam, case)


def tf_keras(case):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    threads = int(os.environ["OMP_NUM_THREADS"])
    if not tf.config.threading.get_intra_op_parallelism_threads():
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    import tf_keras as keras

    return _keras(keras, case)


def _torch(case, channels_last):
    import torch
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    _, kind, batch = case
    x, y = _data(kind, batch)
    if kind == "mlp_predict":
        model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(-1))
    elif kind.startswith("cnn"):
        model = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10),
        )  # fmt: skip
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    elif kind == "lstm_step":

        class Reader(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding, self.lstm, self.dense = (
                    nn.Embedding(20000, 128),
                    nn.LSTM(128, 128, batch_first=True),
                    nn.Linear(128, 1),
                )

            def forward(self, ids):
                return self.dense(self.lstm(self.embedding(ids))[0][:, -1])

        model = Reader()
    else:
        lstm = nn.LSTM(128, 128, batch_first=True)

        def model(a):
            return lstm(a)[0]

    if channels_last and hasattr(model, "to"):
        model = model.to(memory_format=torch.channels_last)

    def tensor(a):
        t = torch.from_numpy(a)
        return t.contiguous(memory_format=torch.channels_last) if channels_last and t.ndim == 4 else t

    if not kind.endswith("step"):

        def predict():
            with torch.inference_mode():
                return model(tensor(x)).numpy()

        return predict
    optimizer = torch.optim.Adam(model.parameters())
    if kind == "cnn_step":
        labels = torch.from_numpy(y.argmax(1))
        loss_of = nn.CrossEntropyLoss()
    else:
        labels = torch.from_numpy(y)
        loss_of = nn.BCEWithLogitsLoss()

    def step():
        optimizer.zero_grad()
        loss = loss_of(model(tensor(x)), labels)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def torch(case):
    return _torch(case, channels_last=False)


def torch_channels_last(case):
    if not case[1].startswith("cnn"):
        raise ImportError("only images have channels")
    return _torch(case, channels_last=True)


def onnxruntime(case):
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    if case[1] != "mlp_predict":
        raise ImportError("only the MLP is exported")
    x, _ = _data("mlp_predict", case[2])
    rng = np.random.RandomState(1)
    weights = {"w1": (4, 8), "b1": (8,), "w2": (8, 3), "b2": (3,)}
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["x", "w1", "b1"], ["h"]),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("Gemm", ["r", "w2", "b2"], ["s"]),
            helper.make_node("Softmax", ["s"], ["y"]),
        ],
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (x.shape[0], 3))],
        [numpy_helper.from_array(rng.rand(*s).astype("float32"), n) for n, s in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    feeds = {"x": x}
    return lambda: session.run(None, feeds)


CONTESTANTS = {
    "hornbeam": hornbeam,
    "torch": torch,
    "torch_channels_last": torch_channels_last,
    "tf_keras": tf_keras,
    "onnxruntime": onnxruntime,
}


def import_seconds(statement: str, rounds: int = 7) -> float:
    """Fastest wall time of a fresh interpreter that runs ``statement``, less that of an empty one."""

    def fastest(code: str) -> float:
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)
            times.append(time.perf_counter() - start)
        return min(times)

    return fastest(statement) - fastest("pass")


def fit_overhead() -> float:
    """Seconds of Python per batch of ``fit``, beside its kernels: a model so small that the kernels take almost none."""
    import hornbeam as keras

    model = keras.models.Sequential([keras.layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    x = np.zeros((20000, 1), "float32")
    model.fit(x[:100], x[:100], batch_size=10, verbose=0)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        model.fit(x, x, batch_size=10, verbose=0)
        times.append((time.perf_counter() - start) / 2000)
    return min(times)


def main() -> None:
    chosen = options(globals())
    print(f"{chosen.threads} threads; fastest call, [median]")
    for case in CASES:
        if chosen.only not in case[0]:
            continue
        # A process per case: a library that cannot do one case still takes part in the others.
        contest = Contest(__file__, chosen.names, chosen.threads)
        times = contest.measure(case, budget=0.4, rounds=chosen.rounds)
        contest.close()
        ours = min(times["hornbeam"])
        cells = [f"{n} {summary(t)[1] * 1e6:9.1f} us [{summary(t)[0] * 1e6:9.1f}]" for n, t in times.items()]
        peers = [min(t) for n, t in times.items() if n != "hornbeam"]
        ratio = f" | {min(peers) / ours:.2f}x the best peer" if peers else ""
        print(f"{case[0]:30} | " + " | ".join(cells) + ratio, flush=True)
    if not chosen.only:
        numpy_seconds = import_seconds("import numpy")
        for module in ("hornbeam", *(m for m in ("torch", "tensorflow") if m in chosen.peers or m == "tensorflow")):
            try:
                seconds = import_seconds(f"import {module}", rounds=3 if module != "hornbeam" else 7)
            except subprocess.CalledProcessError:
                continue
            print(f"import {module:12} {seconds * 1e3:8.1f} ms, {seconds / numpy_seconds:.1f} times import numpy")
        print(f"fit, Python per batch beside the kernels: {fit_overhead() * 1e6:.1f} us")


if __name__ == "__main__":
    main()
