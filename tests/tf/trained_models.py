"""Models of all kinds of layers, losses and optimizers, trained for two epochs from known weights and data.

    python tests/tf/trained_models.py > tests/tf/trained_models.json      # with TensorFlow 2.21 and tf_keras 2.21
    hornbeam run --tf 2 tests/tf/trained_models.py

prints, as JSON, what ``fit`` and ``evaluate`` say, and the sums of the weights and of the predictions. ``test_trained_models.py``
compares the two.
"""

import json
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers as L

random = np.random.RandomState(0)


def numbers(*shape):
    return random.rand(*shape).astype("float32")


ROWS, STEPS, IMAGES, FILMS = numbers(10, 5), numbers(10, 6, 5), numbers(10, 8, 8, 3), numbers(10, 3, 6, 6, 2)
WORDS = random.randint(0, 7, (10, 6))
VALUES, SERIES = numbers(10, 1), numbers(10, 6, 1)
CLASSES, BINARY = random.randint(0, 3, 10), random.randint(0, 2, (10, 1)).astype("float32")
ONE_HOT = np.eye(3)[CLASSES].astype("float32")
RISING = np.linspace(0.1, 1, 10)

out = {}


def with_known_weights(model):
    known = np.random.RandomState(1)
    values = [known.normal(size=w.shape) * 0.3 for w in model.get_weights()]
    positive = [any(word in w.name for word in ("variance", "gamma")) for w in model.weights]
    model.set_weights([np.abs(v) if is_positive else v for v, is_positive in zip(values, positive)])


def train(name, model, x, y, loss="mse", optimizer=None, metrics=(), **fit):
    if isinstance(model, list):
        model = keras.Sequential(model)
    with_known_weights(model)
    model.compile(optimizer or keras.optimizers.SGD(0.03), loss, metrics=list(metrics))
    history = model.fit(x, y, epochs=2, batch_size=4, shuffle=False, verbose=0, **fit).history
    evaluated = np.ravel(model.evaluate(x, y, verbose=0, batch_size=3)).tolist()
    predicted = tf.nest.flatten(model.predict(x, verbose=0))
    out[name] = [
        *(float(v) for key in sorted(history) for v in history[key]),
        *(float(v) for v in evaluated),
        sum(float(np.abs(w).sum()) for w in model.get_weights()),
        sum(float(np.abs(p).sum()) for p in predicted),
    ]


def dense(units=1, **options):
    return L.Dense(units, **options)


# -- layers -------------------------------------------------------------------------------------------------------------
train("batch normalization", [dense(4, input_shape=(5,)), L.BatchNormalization(), dense()], ROWS, VALUES)
train("of images", [L.Conv2D(4, 3, input_shape=(8, 8, 3)), L.BatchNormalization(), L.GlobalMaxPooling2D(), dense()], IMAGES, VALUES)  # fmt: skip
train("of steps", [L.Conv1D(4, 3, input_shape=(6, 5)), L.BatchNormalization(), L.GlobalAveragePooling1D(), dense()], STEPS, VALUES)  # fmt: skip
train("frozen", [L.Conv2D(4, 3, input_shape=(8, 8, 3)), L.BatchNormalization(trainable=False), L.GlobalMaxPooling2D(), dense()], IMAGES, VALUES)  # fmt: skip
train("layer normalization", [L.LayerNormalization(input_shape=(5,)), dense(4, activation="gelu"), dense()], ROWS, VALUES)  # fmt: skip
train("group normalization", [L.Conv2D(4, 3, input_shape=(8, 8, 3)), L.GroupNormalization(2), L.UnitNormalization(), L.GlobalMaxPooling2D(), dense()], IMAGES, VALUES)  # fmt: skip
train("separable", [L.SeparableConv2D(4, 3, strides=2, padding="same", input_shape=(8, 8, 3)), L.DepthwiseConv2D(3), L.Flatten(), dense()], IMAGES, VALUES)  # fmt: skip
train("transposed, enlarged", [L.Conv2DTranspose(2, 3, strides=2, padding="same", input_shape=(8, 8, 3)), L.UpSampling2D(2, interpolation="bilinear"), L.AveragePooling2D(2, padding="same"), L.GlobalMaxPooling2D(), dense()], IMAGES, VALUES)  # fmt: skip
train("padded, cropped", [L.UpSampling2D(3, input_shape=(8, 8, 3)), L.ZeroPadding2D(((1, 2), (0, 1))), L.Cropping2D(1), L.GlobalAveragePooling2D(), dense()], IMAGES, VALUES)  # fmt: skip
train("causal", [L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu", input_shape=(6, 5)), L.MaxPooling1D(2, padding="same"), L.Flatten(), dense()], STEPS, VALUES)  # fmt: skip
train("strided", [L.Conv2D(4, (3, 2), strides=(2, 1), padding="same", activation="elu", input_shape=(8, 8, 3)), L.PReLU(shared_axes=[1, 2]), L.GlobalMaxPooling2D(), dense()], IMAGES, VALUES)  # fmt: skip
train("groups", [L.Conv2D(6, 3, groups=3, input_shape=(8, 8, 3)), L.GlobalMaxPooling2D(), dense()], IMAGES, VALUES)
train("films", [L.Conv3D(3, 2, input_shape=(3, 6, 6, 2)), L.MaxPooling3D((1, 2, 2)), L.GlobalMaxPooling3D(), dense()], FILMS, VALUES)  # fmt: skip
train("recurrent images", [L.ConvLSTM2D(3, 3, input_shape=(3, 6, 6, 2), return_sequences=True), L.ConvLSTM2D(2, 2), L.GlobalMaxPooling2D(), dense()], FILMS, VALUES)  # fmt: skip
train("each step", [L.TimeDistributed(L.Conv2D(3, 2), input_shape=(3, 6, 6, 2)), L.TimeDistributed(L.GlobalMaxPooling2D()), L.GRU(3), dense()], FILMS, VALUES)  # fmt: skip
train("GRU", [L.GRU(4, input_shape=(6, 5)), dense()], STEPS, VALUES)
train("LSTM", [L.LSTM(4, input_shape=(6, 5), return_sequences=True), L.GRU(3), dense()], STEPS, VALUES)
train("bidirectional", [L.Bidirectional(L.GRU(4), input_shape=(6, 5)), dense()], STEPS, VALUES)
train("cells", [L.RNN([L.LSTMCell(3), L.GRUCell(2)], input_shape=(6, 5)), dense()], STEPS, VALUES)
train("lambda", [L.Lambda(lambda x: tf.concat([x, x**2], -1), input_shape=(5,)), dense(3), L.Softmax(), L.ELU(0.3), L.ThresholdedReLU(0.1), dense()], ROWS, VALUES)  # fmt: skip
train("einsum", [L.EinsumDense("abc,cd->abd", (None, 4), bias_axes="d", input_shape=(6, 5)), L.Flatten(), dense()], STEPS, VALUES)  # fmt: skip
train("activations", [dense(3, activation="softplus", input_shape=(5,)), *(dense(3, activation=a) for a in ("selu", "hard_sigmoid", "exponential", "mish", "swish")), dense(activation="relu6")], ROWS, VALUES)  # fmt: skip
twice = dense(5, activation="tanh", input_shape=(5,))
train("one layer twice", [twice, twice, dense()], ROWS, VALUES)
train("nested", [keras.Sequential([dense(4, input_shape=(5,)), L.BatchNormalization()]), dense()], ROWS, VALUES)
penalties = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l1"}
train("penalties", [dense(3, **penalties, input_shape=(5,)), dense(kernel_constraint="max_norm")], ROWS, VALUES)

a, b = keras.Input((5,)), keras.Input((5,))
merged = [L.dot([a, b], 1), L.multiply([a, b]), L.subtract([a, b]), L.maximum([a, b]), L.average([a, b])]
train("merged", keras.Model([a, b], dense()(L.concatenate(merged))), [ROWS, ROWS[::-1].copy()], VALUES)
x = keras.Input((6, 5))
q = dense(4)(x)
attended = [L.Attention(use_scale=True)([q, q]), L.AdditiveAttention()([q, q]), L.MultiHeadAttention(2, 3)(q, q)]
train("attention", keras.Model(x, dense()(L.GlobalAveragePooling1D()(L.concatenate(attended)))), STEPS, VALUES)

# -- masks --------------------------------------------------------------------------------------------------------------
words = {"mask_zero": True, "input_length": 6}
train("masked", [L.Embedding(7, 4, **words), L.LSTM(4), dense()], WORDS, VALUES)
train("masked losses", [L.Embedding(7, 4, **words), L.LSTM(4, return_sequences=True), dense()], WORDS, SERIES, metrics=["mae"])  # fmt: skip
train("masked and weighted", [L.Embedding(7, 4, **words), L.GRU(4, return_sequences=True), L.TimeDistributed(dense())], WORDS, SERIES, sample_weight=RISING)  # fmt: skip
train("masking", [L.Masking(0.0, input_shape=(6, 5)), L.SimpleRNN(4, return_sequences=True), dense()], STEPS * (WORDS > 2)[..., None], SERIES)  # fmt: skip
train("masked mean", [L.Embedding(7, 4, **words), L.GlobalAveragePooling1D(), dense()], WORDS, VALUES)
x = keras.Input((6,))
e = L.Embedding(7, 4, mask_zero=True)(x)
backwards = L.GRU(3, return_sequences=True, go_backwards=True)(e)
added = L.add([L.LSTM(3, return_sequences=True)(e), backwards])
train("masked sum", keras.Model(x, dense()(L.LSTM(2)(added))), WORDS, VALUES)
x = keras.Input((6,))
e = L.Embedding(7, 4, mask_zero=True)(x)
both = L.Bidirectional(L.LSTM(2, return_sequences=True))(e)
joined = L.concatenate([L.LSTM(3, return_sequences=True)(e), both])
train("masked, joined", keras.Model(x, dense()(L.Bidirectional(L.GRU(2), merge_mode="sum")(joined))), WORDS, VALUES)
x = keras.Input((6,))
e = L.Embedding(7, 4, mask_zero=True)(x)
attended = L.concatenate([L.MultiHeadAttention(2, 3)(e, e), L.Attention()([e, e])])
train("masked attention", keras.Model(x, dense()(L.GlobalAveragePooling1D()(attended))), WORDS, VALUES)

# -- losses, metrics, weights -------------------------------------------------------------------------------------------
M = keras.metrics
softmax, sigmoid = {"activation": "softmax", "input_shape": (5,)}, {"activation": "sigmoid", "input_shape": (5,)}
train("classes", [dense(3, **softmax)], ROWS, ONE_HOT, "categorical_crossentropy", metrics=["accuracy", M.Precision(), M.AUC()])  # fmt: skip
train("numbers of classes", [dense(3, **softmax)], ROWS, CLASSES, "sparse_categorical_crossentropy", metrics=["accuracy", M.SparseTopKCategoricalAccuracy(2)], class_weight={0: 1.0, 1: 2.0, 2: 0.5})  # fmt: skip
train("yes or no", [dense(**sigmoid)], ROWS, BINARY, "binary_crossentropy", metrics=["accuracy", M.Recall(), M.BinaryIoU([0, 1]), M.AUC(curve="PR"), M.PrecisionAtRecall(0.5)], sample_weight=RISING)  # fmt: skip
train("smoothed", [dense(3, **softmax)], ROWS, ONE_HOT, keras.losses.CategoricalCrossentropy(label_smoothing=0.1))
train("focal", [dense(**sigmoid)], ROWS, BINARY, keras.losses.BinaryFocalCrossentropy())
for loss in ("hinge", "logcosh", "msle", "mae", keras.losses.Huber(0.1)):
    train(f"loss {getattr(loss, 'name', loss)}", [dense(input_shape=(5,))], ROWS, VALUES, loss)
for loss in ("kld", "cosine_similarity", "poisson", "squared_hinge"):
    train(f"loss {loss}", [dense(3, **softmax)], ROWS, ONE_HOT, loss)
train("own loss", [dense(input_shape=(5,))], ROWS, VALUES, lambda t, p: tf.reduce_mean(tf.square(t - p) * 2.0, axis=-1), metrics=[lambda t, p: tf.reduce_max(tf.abs(t - p)), M.RootMeanSquaredError()])  # fmt: skip
train("validation", [dense(input_shape=(5,))], ROWS, VALUES, validation_split=0.3, metrics=["mse", "mae"])
train("weights of classes", [dense(**sigmoid)], ROWS, BINARY, "binary_crossentropy", class_weight={0: 0.5, 1: 3.0}, validation_data=(ROWS, BINARY), metrics=["accuracy"])  # fmt: skip
train("weights of steps", [L.LSTM(3, return_sequences=True, input_shape=(6, 5)), dense()], STEPS, SERIES, sample_weight=numbers(10, 6))  # fmt: skip
x = keras.Input((5,))
h = dense(4, activation="relu")(x)
ends = {"o1": dense(name="o1")(h), "o2": dense(3, activation="softmax", name="o2")(h)}
train("two outputs", keras.Model(x, list(ends.values())), ROWS, [VALUES, ONE_HOT], {"o1": "mae", "o2": "kld"})
train("two weighted outputs", keras.Model(x, ends), ROWS, {"o1": VALUES, "o2": ONE_HOT}, {"o1": "mse", "o2": "kld"}, sample_weight={"o1": RISING, "o2": np.ones(10)})  # fmt: skip

# -- optimizers ---------------------------------------------------------------------------------------------------------
O = keras.optimizers
rate = O.schedules.CosineDecay(0.1, 5)
optimizers = {name: getattr(O, name)(0.05) for name in "SGD RMSprop Adam Adagrad Adadelta Adamax Ftrl Lion Adafactor".split()}  # fmt: skip
for name in "SGD RMSprop Adam Adagrad Adadelta Adamax Nadam Ftrl".split():
    optimizers[f"legacy {name}"] = getattr(O.legacy, name)(0.05, decay=0.1)
optimizers |= {
    "AdamW": O.AdamW(0.05, weight_decay=0.1), "averages": O.SGD(0.05, use_ema=True, ema_momentum=0.5),
    "clipped": O.Adam(0.1, clipnorm=0.01), "clipped together": O.SGD(0.1, global_clipnorm=0.01, momentum=0.9, nesterov=True),
    "AMSGrad": O.Adam(0.1, amsgrad=True), "centered": O.RMSprop(0.1, momentum=0.5, centered=True), "schedule": O.SGD(rate),
}  # fmt: skip
for name, optimizer in optimizers.items():
    train(name, [dense(3, activation="tanh", input_shape=(5,)), dense()], ROWS, VALUES, optimizer=optimizer)

print(json.dumps(out, indent=1))
