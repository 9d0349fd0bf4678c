"""The table of docs/layers.md: what runs each layer, read from its plans. ``python tests/layers/layer_table.py`` writes it."""

import re
import sys
from pathlib import Path

from hornbeam import backend as K
from hornbeam import graph as G
from hornbeam import layers as L
from hornbeam.graph.flat import flatten
from hornbeam.graph.rewrites import PASSES

PAGE = Path(__file__).parents[2] / "docs" / "layers.md"

IMAGE, FIRST, SEQUENCE, VOLUME = (32, 28, 28, 32), (32, 32, 28, 28), (32, 40, 64), (8, 12, 14, 16, 16)
FRAMES, VECTOR = (8, 5, 12, 12, 8), (32, 256)

#: label, what makes the layer (or a list of layers one after the other), input shape (or a list of shapes)
ROWS = [
    ("Dense(relu)", lambda: L.Dense(128, activation="relu"), VECTOR),
    ("Dense(softmax)", lambda: L.Dense(10, activation="softmax"), VECTOR),
    ("Dense on sequences", lambda: L.Dense(32), SEQUENCE),
    ("Activation", lambda: L.Activation("tanh"), SEQUENCE),
    ("Dropout", lambda: L.Dropout(0.3), SEQUENCE),
    ("SpatialDropout1D, 2D, 3D", lambda: L.SpatialDropout2D(0.3), IMAGE),
    ("Flatten", lambda: L.Flatten(), IMAGE),
    ("Reshape", lambda: L.Reshape((-1, 2)), SEQUENCE),
    ("Permute", lambda: L.Permute((2, 1)), SEQUENCE),
    ("RepeatVector", lambda: L.RepeatVector(5), VECTOR),
    ("Lambda", lambda: L.Lambda(lambda x: K.square(x) + 1.0), SEQUENCE),
    ("ActivityRegularization", lambda: L.ActivityRegularization(0.1), SEQUENCE),
    ("Masking", lambda: L.Masking(), SEQUENCE),
    ("Conv1D(relu)", lambda: L.Conv1D(64, 3, activation="relu"), SEQUENCE),
    ("Conv1D(padding='causal')", lambda: L.Conv1D(64, 3, padding="causal"), SEQUENCE),
    ("Conv2D(relu)", lambda: L.Conv2D(64, 3, activation="relu"), IMAGE),
    ("Conv2D of size 1", lambda: L.Conv2D(64, 1), IMAGE),
    ("Conv2D, channels_first", lambda: L.Conv2D(64, 3, data_format="channels_first"), FIRST),
    (
        "Conv2D, BatchNormalization, ReLU",
        lambda: [L.Conv2D(32, 3), L.BatchNormalization(), L.Activation("relu")],
        IMAGE,
    ),
    ("Conv3D", lambda: L.Conv3D(32, 3), VOLUME),
    ("Conv2DTranspose", lambda: L.Conv2DTranspose(32, 3, strides=2), IMAGE),
    ("Conv3DTranspose", lambda: L.Conv3DTranspose(32, 3, strides=2), VOLUME),
    ("DepthwiseConv2D(relu)", lambda: L.DepthwiseConv2D(3, activation="relu"), IMAGE),
    ("SeparableConv1D", lambda: L.SeparableConv1D(32, 3), SEQUENCE),
    ("SeparableConv2D", lambda: L.SeparableConv2D(32, 3), IMAGE),
    ("LocallyConnected1D", lambda: L.LocallyConnected1D(16, 3), (32, 20, 16)),
    ("LocallyConnected2D", lambda: L.LocallyConnected2D(16, 3), (32, 10, 10, 16)),
    ("LocallyConnected2D(implementation=2)", lambda: L.LocallyConnected2D(8, 3, implementation=2), (32, 6, 6, 4)),
    ("UpSampling1D, 2D, 3D", lambda: L.UpSampling2D(), IMAGE),
    ("UpSampling2D('bilinear')", lambda: L.UpSampling2D(interpolation="bilinear"), IMAGE),
    ("ZeroPadding1D, 2D, 3D", lambda: L.ZeroPadding2D(), IMAGE),
    ("Cropping1D, 2D, 3D", lambda: L.Cropping2D(1), IMAGE),
    ("MaxPooling1D, 2D", lambda: L.MaxPooling2D(), IMAGE),
    ("MaxPooling3D", lambda: L.MaxPooling3D(), VOLUME),
    ("AveragePooling1D, 2D", lambda: L.AveragePooling2D(), IMAGE),
    ("AveragePooling3D", lambda: L.AveragePooling3D(), VOLUME),
    ("GlobalMaxPooling1D, 2D, 3D", lambda: L.GlobalMaxPooling2D(), IMAGE),
    ("GlobalAveragePooling1D, 2D, 3D", lambda: L.GlobalAveragePooling2D(), IMAGE),
    ("BatchNormalization", lambda: L.BatchNormalization(), IMAGE),
    ("BatchNormalization(axis=1)", lambda: L.BatchNormalization(axis=1), IMAGE),
    ("GaussianNoise", lambda: L.GaussianNoise(0.1), SEQUENCE),
    ("GaussianDropout", lambda: L.GaussianDropout(0.1), SEQUENCE),
    ("AlphaDropout", lambda: L.AlphaDropout(0.1), SEQUENCE),
    ("LeakyReLU", lambda: L.LeakyReLU(), SEQUENCE),
    ("PReLU", lambda: L.PReLU(), SEQUENCE),
    ("ELU", lambda: L.ELU(), SEQUENCE),
    ("ThresholdedReLU", lambda: L.ThresholdedReLU(), SEQUENCE),
    ("Softmax", lambda: L.Softmax(), SEQUENCE),
    ("ReLU", lambda: L.ReLU(6.0), SEQUENCE),
    ("Embedding", lambda: L.Embedding(100, 32), (32, 40)),
    ("SimpleRNN", lambda: L.SimpleRNN(32), SEQUENCE),
    ("GRU", lambda: L.GRU(32), SEQUENCE),
    ("GRU with dropout", lambda: L.GRU(32, dropout=0.2, recurrent_dropout=0.2), SEQUENCE),
    ("LSTM", lambda: L.LSTM(32), SEQUENCE),
    ("Masking, LSTM", lambda: [L.Masking(), L.LSTM(32)], SEQUENCE),
    ("CuDNNGRU", lambda: L.CuDNNGRU(32), SEQUENCE),
    ("CuDNNLSTM", lambda: L.CuDNNLSTM(32), SEQUENCE),
    ("RNN over a cell", lambda: L.RNN(L.StackedRNNCells([L.SimpleRNNCell(8)])), SEQUENCE),
    ("ConvLSTM2D", lambda: L.ConvLSTM2D(8, 3), FRAMES),
    ("Bidirectional(LSTM)", lambda: L.Bidirectional(L.LSTM(32)), SEQUENCE),
    ("TimeDistributed(Dense)", lambda: L.TimeDistributed(L.Dense(8)), SEQUENCE),
    ("TimeDistributed(Conv2D)", lambda: L.TimeDistributed(L.Conv2D(8, 3, activation="relu")), FRAMES),
    ("Add, Average", lambda: L.Add(), [VECTOR, VECTOR]),
    ("Subtract", lambda: L.Subtract(), [VECTOR, VECTOR]),
    ("Multiply", lambda: L.Multiply(), [VECTOR, VECTOR]),
    ("Maximum, Minimum", lambda: L.Maximum(), [VECTOR, VECTOR]),
    ("Concatenate", lambda: L.Concatenate(), [VECTOR, VECTOR]),
    ("Dot", lambda: L.Dot(1), [SEQUENCE, SEQUENCE]),
]
#: layers that came after Keras 2.3.1
LATER_ROWS = [
    ("LayerNormalization", lambda: L.LayerNormalization(), SEQUENCE),
    ("GroupNormalization", lambda: L.GroupNormalization(8), IMAGE),
    ("UnitNormalization", lambda: L.UnitNormalization(), SEQUENCE),
    ("EinsumDense", lambda: L.EinsumDense("abc,cde->abde", (None, 4, 8), bias_axes="de"), SEQUENCE),
    ("Attention", lambda: L.Attention(), [SEQUENCE, SEQUENCE]),
    ("AdditiveAttention", lambda: L.AdditiveAttention(), [SEQUENCE, SEQUENCE]),
    ("MultiHeadAttention", lambda: L.MultiHeadAttention(4, 16), [SEQUENCE, SEQUENCE, SEQUENCE]),
    ("Conv1DTranspose", lambda: L.Conv1DTranspose(32, 3, strides=2), SEQUENCE),
    ("DepthwiseConv1D", lambda: L.DepthwiseConv1D(3), SEQUENCE),
    ("ConvLSTM1D", lambda: L.ConvLSTM1D(8, 3), (8, 5, 24, 8)),
    ("ConvLSTM3D", lambda: L.ConvLSTM3D(8, 3), (8, 5, 6, 6, 6, 8)),
    ("SyncBatchNormalization", lambda: L.SyncBatchNormalization(), IMAGE),
    ("Identity", lambda: L.Identity(), SEQUENCE),
    ("Rescaling", lambda: L.Rescaling(1 / 255, -1), IMAGE),
    ("Normalization", lambda: L.Normalization(), IMAGE),
    ("Resizing", lambda: L.Resizing(20, 20), IMAGE),
    ("CenterCrop", lambda: L.CenterCrop(20, 20), IMAGE),
    ("RandomFlip", lambda: L.RandomFlip(), IMAGE),
    ("RandomTranslation, RandomRotation, RandomZoom", lambda: L.RandomRotation(0.1), IMAGE),
    ("RandomContrast", lambda: L.RandomContrast(0.1), IMAGE),
    ("RandomBrightness", lambda: L.RandomBrightness(0.1), IMAGE),
    ("RandomCrop", lambda: L.RandomCrop(20, 20), IMAGE),
    ("Discretization", lambda: L.Discretization([0.0, 1.0]), VECTOR),
    ("CategoryEncoding", lambda: L.CategoryEncoding(10), VECTOR),
    ("IntegerLookup", lambda: L.IntegerLookup(vocabulary=[3, 5]), VECTOR),
]

#: rewrites that tell something, by the name of their pass
REWRITES = {
    "sink_transposes": "transposes",
    "sink_squeezes": "squeezes",
    "fuse_epilogues": "epilogue",
    "fold_affine": "affine",
    "fuse_elementwise": "fusion",
}
COLUMNS = """\
| layer | inference | added by training | rewrites of inference |
|---|---|---|---|
"""
HEAD = """\
# What runs each layer

Read from the plans of typical layers; a test compares this page with the plans, and
`python tests/layers/layer_table.py` writes it again. The first column of ops is `predict`'s program; the second lists
what a training step adds: ops of the forward pass that only training has, and the gradients of inputs and weights. An op
is followed by the kernel that was chosen for it, where that is not plain elementwise work, in the order of running;
×2 means twice. `scan(...)` runs its body once per step. Views cost nothing and are left out. Other sizes may
choose other kernels: small products and convolutions have their own.

Rewrites (`graph/rewrites/`): *epilogue* puts bias and activation into the op, *affine* folds batch normalization into the
weights before it, *fusion* makes one op of a run of elementwise ones, *transposes* cancels those that meet, *squeezes*
lets a 1-D convolution have the epilogue of the 2-D one that runs it.

"""
LATER = """
## Beyond 2.3.1

Layers of tf.keras up to 2.15, for the files and scripts that hold them; `custom_objects` of the same name win over them.
RandomHeight and RandomWidth have no row: training draws a size and plans what is behind it anew. Layers on strings
(Hashing, HashedCrossing, StringLookup, TextVectorization) are computed on the host: the program is fed their numbers.
SpectralNormalization runs as the layer inside; steps of training first make new weights of the old ones.

"""


def ops_of(plan):
    """The ops of a plan in order, those of bodies in brackets behind their op."""
    ops, bodies = [], []
    for line in str(plan).splitlines():
        found = re.match(r"(  )?(?:prologue )?(\w+) \[([^\]]+)\]", line)
        if found is None:
            continue
        inner, op, kernel = found.groups()
        plain = kernel in ("tiles", "strided", "slabs", "runs", "blocks", "body per step", "direct", "philox", "passes")
        text = op if plain and op not in ("conv2d", "conv2d_filter_grad", "conv2d_input_grad") else f"{op}[{kernel}]"
        if inner:
            bodies[-1].append(text)
        else:
            ops.append(text)
            bodies.append([])
    return [op if not body else f"{op}({counted(body)})" for op, body in zip(ops, bodies)]


def counted(ops):
    """The ops in the order of their first appearance, with how often each appears."""
    return ", ".join(f"{op} ×{n}" if (n := ops.count(op)) > 1 else op for op in dict.fromkeys(ops)) or "nothing"


def row_of(label, make, shape):
    shapes = shape if isinstance(shape, list) else [shape]
    layers = make() if isinstance(make(), list) else [make()]
    integers = isinstance(layers[0], (L.Embedding, L.Discretization, L.CategoryEncoding, L.IntegerLookup))
    inputs = [L.Input(batch_shape=s, dtype="int32" if integers else None) for s in shapes]
    y = inputs if len(inputs) > 1 else inputs[0]
    for layer in layers:
        y = layer(y)
    weights = [w for layer in layers for w in layer.trainable_weights]
    cotangent = G.placeholder(y.dims, y.dtype)
    wanted = [*([] if integers else inputs), *weights]
    gradients = [g for g in G.gradients([y], wanted, [cotangent]) if g is not None] if wanted else []

    inference = G.Function(inputs, [y], phase=0)
    training = G.Function([*inputs, cotangent], [y, *gradients], phase=1)
    forward = ops_of(inference.program().bind(shapes))
    both = ops_of(training.program().bind([*shapes, K.int_shape(y)]))
    added = [op for op in dict.fromkeys(both) for _ in range(both.count(op) - forward.count(op))]
    graph, rewrites = flatten(inputs, [y]), []
    for rewrite in PASSES:
        before = str(graph)
        rewrite(graph)
        if str(graph) != before and rewrite.__name__ in REWRITES:
            rewrites.append(REWRITES[rewrite.__name__])
    return f"| {label} | {counted(forward)} | {counted(added)} | {', '.join(dict.fromkeys(rewrites))} |\n"


def page():
    standard, later = ("".join(row_of(*row) for row in rows) for rows in (ROWS, LATER_ROWS))
    return HEAD + COLUMNS + standard + LATER + COLUMNS + later


if __name__ == "__main__":
    sys.stdout.write(f"writing {PAGE}\n")
    PAGE.write_text(page())
