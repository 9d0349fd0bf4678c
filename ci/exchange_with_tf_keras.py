"""Shows that tf_keras reads what Hornbeam writes and Hornbeam what tf_keras writes, and that training goes on alike.

    python ci/exchange_with_tf_keras.py write hornbeam FOLDER     # in an environment with the one
    python ci/exchange_with_tf_keras.py read tf_keras FOLDER      # in one with the other: prints a table of docs/files.md

Each model is saved as HDF5, as JSON with HDF5 weights, as a ``.keras`` file, as a checkpoint and (by tf_keras) as a SavedModel
folder, after two steps of training; both sides then predict, and train on for three steps from all but the JSON.
"""

import argparse
import importlib
import json
import os
import pathlib

import numpy as np

STEPS = 3


def models(keras):
    """Name, model (compiled) and the shape of its inputs; what is random in training is left out."""
    L = keras.layers
    Sequential, Model, Input = keras.models.Sequential, keras.models.Model, keras.layers.Input

    def compiled(model, optimizer="adam", loss="mse", **more):
        model.compile(optimizer, loss, **more)
        model.compile_again = lambda other: other.compile(optimizer, loss, **more)
        return model

    opt = keras.optimizers
    decay = {} if hasattr(opt, "legacy") else {"decay": 0.1}  # of which tf_keras has made a schedule
    for name, optimizer in (
        ("SGD with momentum and decay", opt.SGD(0.05, momentum=0.9, nesterov=True, **decay)),
        ("RMSprop", opt.RMSprop()), ("Adagrad", opt.Adagrad()), ("Adadelta", opt.Adadelta()), ("Adam", opt.Adam()),
        ("Adam with amsgrad, clipvalue", opt.Adam(amsgrad=True, clipvalue=0.01)), ("Adamax", opt.Adamax()),
        ("Nadam", opt.Nadam()),
        ("AdamW, cosine schedule", opt.AdamW(opt.schedules.CosineDecay(0.01, 10, alpha=0.1), weight_decay=0.02)),
        ("Lion", opt.Lion(0.01)), ("Ftrl", opt.Ftrl(0.1, l1_regularization_strength=0.01)),
        ("RMSprop with momentum, centered, exponential schedule",
         opt.RMSprop(opt.schedules.ExponentialDecay(0.01, 2, 0.5), momentum=0.8, centered=True)),
    ):  # fmt: skip
        net = Sequential([L.Dense(6, activation="tanh", kernel_regularizer="l2", input_shape=(5,)), L.Dense(3)])
        yield f"MLP, {name}", compiled(net, optimizer, metrics=["mae"]), [(5,)]
    yield "CNN with batch normalization", compiled(Sequential([
        L.Conv2D(4, 3, padding="same", activation="relu", input_shape=(8, 8, 3)), L.BatchNormalization(),
        L.MaxPooling2D(), L.SeparableConv2D(5, 3), L.DepthwiseConv2D(2), L.Conv2DTranspose(3, 3), L.ZeroPadding2D(),
        L.Cropping2D(1), L.UpSampling2D(), L.GlobalAveragePooling2D(), L.Dense(2, activation="softmax")]),
        "sgd", "categorical_crossentropy", metrics=["accuracy"]), [(8, 8, 3)]  # fmt: skip
    yield "Conv1D, Conv3D, locally connected", compiled(Sequential([
        L.Reshape((6, 4), input_shape=(24,)), L.Conv1D(4, 3, padding="causal", dilation_rate=2), L.SeparableConv1D(4, 2),
        L.LocallyConnected1D(3, 2), L.Reshape((4, 3, 1)), L.LocallyConnected2D(2, 2), L.Reshape((3, 2, 2, 1)),
        L.Conv3D(2, 2), L.Flatten(), L.Dense(2)])), [(24,)]  # fmt: skip
    yield "masked LSTM, GRU, SimpleRNN", compiled(Sequential([
        L.Masking(input_shape=(6, 4)), L.LSTM(5, return_sequences=True), L.GRU(4, return_sequences=True),
        L.GRU(3, reset_after=True, recurrent_activation="sigmoid", return_sequences=True),
        L.Bidirectional(L.SimpleRNN(3))])), [(6, 4)]  # fmt: skip
    yield "RNN over stacked cells, ConvLSTM2D", compiled(Sequential([
        L.ConvLSTM2D(2, 2, return_sequences=True, input_shape=(3, 4, 4, 1)), L.TimeDistributed(L.Flatten()),
        L.TimeDistributed(L.Dense(4)), L.RNN([L.LSTMCell(3), L.GRUCell(2)])])), [(3, 4, 4, 1)]  # fmt: skip
    yield "activations", compiled(Sequential([
        L.Dense(4, input_shape=(3,)), L.LeakyReLU(0.2), L.Dense(4), L.PReLU(), L.ELU(), L.Dense(4), L.ThresholdedReLU(0.1),
        L.Dense(4), L.Softmax(), L.Dense(4), L.ReLU(6.0), L.Dense(4, activation="selu"),
        L.Dense(4, activation="hard_sigmoid")])), [(3,)]  # fmt: skip
    x, memory = Input((5, 4)), Input((6, 4))
    y = L.LayerNormalization()(L.add([x, L.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)]))
    y = L.add([y, L.MultiHeadAttention(2, 3, value_dim=2)(y, memory), L.AdditiveAttention()([y, memory])])
    y = L.EinsumDense("abc,cd->abd", (None, 6), bias_axes="d", activation="gelu")(y)
    y = L.GroupNormalization(2)(L.DepthwiseConv1D(2)(L.Conv1DTranspose(4, 3, strides=2)(y)))
    yield "attention, normalization within samples", compiled(Model([x, memory], L.Dense(2)(y))), [(5, 4), (6, 4)]
    normalization = L.Normalization()
    normalization.adapt(np.random.RandomState(1).rand(9, 8, 8, 3))
    yield "preprocessing", compiled(Sequential([
        L.InputLayer((8, 8, 3)), normalization, L.Rescaling(0.5, 0.1), L.Resizing(6, 7), L.CenterCrop(5, 6), L.Conv2D(2, 3),
        L.UnitNormalization()])), [(8, 8, 3)]  # fmt: skip
    inner = Sequential([L.Dense(4, input_shape=(4,)), L.BatchNormalization()], name="inner")
    a, b, shared = Input((4,)), Input((4,)), L.Dense(4, activation="relu", name="shared")
    first = inner(shared(a))
    merged = L.concatenate([L.add([shared(inner(b)), first]), L.multiply([a, b]), L.dot([a, b], axes=1)])
    yield "nested, shared, two inputs and outputs", compiled(
        Model([a, b], [L.Dense(2, name="out")(merged), first]), loss={"out": "mse", "inner": "mae"},
        loss_weights=[1.0, 0.5]), [(4,), (4,)]  # fmt: skip
    frozen = Sequential([L.Dense(4, input_shape=(4,)), L.BatchNormalization(), L.Dense(3)], name="base")
    frozen.layers[0].trainable = False
    yield "transfer: frozen layers inside", compiled(Sequential([frozen, L.Dense(2)])), [(4,)]


def data(shapes, outputs):
    rng = np.random.RandomState(0)
    x = [rng.rand(4, *shape).astype("float32") for shape in shapes]
    y = [rng.rand(4, *shape[1:]).astype("float32") for shape in outputs]
    return (x[0] if len(x) == 1 else x), (y[0] if len(y) == 1 else y)


def predicted(model, x):
    outputs = model.predict(x, verbose=0)
    return outputs if isinstance(outputs, list) else [outputs]


def losses(model, x, y):
    return [float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(STEPS)]


def write(keras, folder):
    np.random.seed(0)
    index = []
    for number, (name, model, shapes) in enumerate(models(keras)):
        x, y = data(shapes, [output.shape for output in model.outputs])
        for _ in range(2):
            model.train_on_batch(x, y)
        model.save(folder / f"{number}.h5")
        model.save(folder / f"{number}.keras")
        model.save_weights(folder / f"{number}-weights.h5")
        (folder / f"{number}.json").write_text(model.to_json())
        model.save_weights(folder / f"{number}.ckpt")
        if keras.__name__ == "tf_keras":
            model.save(folder / f"{number}-folder", save_format="tf", save_traces=False)
        outputs = predicted(model, x)
        np.savez(folder / f"{number}.npz", *outputs, losses=losses(model, x, y))
        index.append([name, shapes, [list(output.shape) for output in model.outputs]])
    (folder / "index.json").write_text(json.dumps(index))


def read(keras, folder):
    kinds = [
        "HDF5",
        "JSON + weights",
        ".keras",
        "checkpoint",
        *(["SavedModel"] if (folder / "0-folder").exists() else []),
    ]
    trained = [f"training from {kind}" for kind in kinds if kind != "JSON + weights"]
    print("| model | " + " | ".join(kinds + trained) + " |\n|---|" + "---|" * (len(kinds) + len(trained)))
    index = json.loads((folder / "index.json").read_text())
    for number, ((name, shapes, outputs), (_, fresh, _)) in enumerate(zip(index, models(keras))):
        row = compared(keras, folder, number, fresh, kinds, shapes, outputs)
        print("| " + " | ".join([name, *row]) + " |", flush=True)


def compared(keras, folder, number, fresh, kinds, shapes, outputs):
    """The largest differences of what all ways of loading predict, and of the losses after most of them."""
    x, y = data([tuple(s) for s in shapes], outputs)
    stored = np.load(folder / f"{number}.npz")
    expected = [stored[f"arr_{i}"] for i in range(len(outputs))]

    def from_text():
        model = keras.models.model_from_json((folder / f"{number}.json").read_text())
        model.load_weights(folder / f"{number}-weights.h5")
        return model

    def from_checkpoint():
        model = keras.models.model_from_json((folder / f"{number}.json").read_text())
        fresh.compile_again(model)
        model.load_weights(folder / f"{number}.ckpt")
        return model

    load = keras.models.load_model
    loaded = {
        "HDF5": attempt(load, folder / f"{number}.h5"),
        "JSON + weights": attempt(from_text),
        ".keras": attempt(load, folder / f"{number}.keras"),
        "checkpoint": attempt(from_checkpoint),
        "SavedModel": attempt(load, folder / f"{number}-folder") if "SavedModel" in kinds else "",
    }
    cells = []
    for kind in kinds:
        model = loaded[kind]
        cells.append(model if isinstance(model, str) else difference(attempt(predicted, model, x), expected))
    for kind in kinds:
        if kind != "JSON + weights":
            model = loaded[kind]
            got = "" if isinstance(model, str) else attempt(losses, model, x, y)
            cells.append(got if isinstance(got, str) else difference([got], [stored["losses"]]))
    return cells


def attempt(do, *args):
    try:
        return do(*args)
    except Exception as error:  # the table shows whatever stops tf_keras
        return f"{type(error).__name__}: {str(error)[:200]}".replace("\n", " ").replace("|", "/")


def difference(got, expected):
    if isinstance(got, str):
        return got
    return f"{max(float(np.max(np.abs(np.asarray(a) - b))) for a, b in zip(got, expected)):.0e}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["write", "read"])
    parser.add_argument("library", choices=["hornbeam", "tf_keras"])
    parser.add_argument("folder", type=pathlib.Path)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    {"write": write, "read": read}[args.what](importlib.import_module(args.library), args.folder)
