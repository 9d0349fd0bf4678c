"""Reading lines of handwriting without knowing where each character is: a network written in backend functions alone.

    hornbeam run examples/ctc_reader.py

Three to five handwritten digits stand in a line, closely or apart. A convolution and a recurrent layer in both
directions look at its columns; connectionist temporal classification (Graves et al. 2006) teaches them to spell.
"""

import numpy as np
from keras import backend as K
from sklearn.datasets import load_digits

np.random.seed(0)
WIDTH, LONGEST, UNITS, CLASSES = 44, 5, 48, 11  # the last class is the blank


def lines(images, labels, count):
    """Pictures (count, columns, rows), their digits (count, LONGEST), and how many there are (count, 1)."""
    x, y = np.zeros((count, WIDTH, 8), "float32"), np.zeros((count, LONGEST), "int32")
    lengths = np.random.randint(3, LONGEST + 1, size=(count, 1))
    for line, spelled, n in zip(x, y, lengths[:, 0]):
        column = np.random.randint(0, 3)
        for i, glyph in enumerate(np.random.randint(len(images), size=n)):
            line[column : column + 8] = np.maximum(line[column : column + 8], images[glyph].T)
            spelled[i] = labels[glyph]
            column += np.random.randint(7, 9)
    return x, y, lengths


# -- the network -----------------------------------------------------------------------------------------
parameters = []


def weight(*shape):
    scale = np.sqrt(6 / (np.prod(shape[:-1]) + shape[-1]))
    parameters.append(K.random_uniform_variable(shape, -scale, scale))
    return parameters[-1]


def bias(n, value=0.0):
    parameters.append(K.variable(np.full(n, value)))
    return parameters[-1]


def recurrent(x, go_backwards):
    """A minimal gated unit over the steps of x."""
    gate_x, gate_h, gate_b = weight(96, UNITS), weight(UNITS, UNITS), bias(UNITS, 1.0)
    new_x, new_h, new_b = weight(96, UNITS), weight(UNITS, UNITS), bias(UNITS)

    def step(inputs, states):
        (h,) = states
        forget = K.sigmoid(K.dot(inputs, gate_x) + K.dot(h, gate_h) + gate_b)
        h = (1 - forget) * h + forget * K.tanh(K.dot(inputs, new_x) + K.dot(forget * h, new_h) + new_b)
        return h, [h]

    start = K.zeros_like(x[:, 0, :UNITS])
    _, outputs, _ = K.rnn(step, x, [start], go_backwards=go_backwards)
    return K.reverse(outputs, 1) if go_backwards else outputs


picture = K.placeholder((None, WIDTH, 8))
spelled = K.placeholder((None, LONGEST), dtype="int32")
length = K.placeholder((None, 1), dtype="int32")

seen = K.relu(K.bias_add(K.conv1d(picture, weight(5, 8, 48), padding="same"), bias(48)))
seen = K.relu(K.bias_add(K.conv1d(seen, weight(4, 48, 96), strides=2, padding="same"), bias(96)))
both = K.concatenate([recurrent(seen, False), recurrent(seen, True)])
symbols = K.softmax(K.bias_add(K.dot(both, weight(2 * UNITS, CLASSES)), bias(CLASSES)))

steps = K.ones_like(length) * K.int_shape(symbols)[1]
loss = K.mean(K.ctc_batch_cost(spelled, symbols, steps, length))

# -- Adam (Kingma and Ba 2014) ---------------------------------------------------------------------------
count = K.variable(0.0)
updates = [K.update_add(count, 1.0)]
rate = 0.003 * K.sqrt(1 - K.pow(0.999, count + 1)) / (1 - K.pow(0.9, count + 1))
for p, gradient in zip(parameters, K.gradients(loss, parameters)):
    m, v = K.zeros(K.int_shape(p)), K.zeros(K.int_shape(p))
    new_m, new_v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * K.square(gradient)
    updates += [K.update(m, new_m), K.update(v, new_v), K.update(p, p - rate * new_m / (K.sqrt(new_v) + 1e-7))]

train = K.function([picture, spelled, length], [loss], updates)
read = K.function([picture, length], K.ctc_decode(symbols, K.flatten(steps))[0])

# -- training and reading --------------------------------------------------------------------------------
digits = load_digits()
images = digits.images.astype("float32") / 16
x_train, y_train, n_train = lines(images[:1400], digits.target[:1400], 6000)
x_test, y_test, n_test = lines(images[1400:], digits.target[1400:], 500)

for epoch in range(6):
    losses = []
    for batch in np.array_split(np.random.permutation(len(x_train)), len(x_train) // 40):
        losses += train([x_train[batch], y_train[batch], n_train[batch]])
    print(f"Epoch {epoch + 1}: loss {np.mean(losses):.4f}")

found = read([x_test, n_test])[0]
right = [list(f[f >= 0]) == list(y[:n]) for f, y, n in zip(found, y_test, n_test[:, 0])]
print(f"Lines read without a mistake: {np.mean(right):.4f}")
