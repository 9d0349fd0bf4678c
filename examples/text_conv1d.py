"""A one-dimensional convolution over words: which of three Python modules does a line of code come from?

    hornbeam run examples/text_conv1d.py

What imdb_cnn did with film reviews, on the source of Python's own library.
"""

import argparse
import inspect
import statistics
import threading

import keras
import numpy as np
from keras.layers import Activation, Conv1D, Dense, Dropout, Embedding, GlobalMaxPooling1D
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer

np.random.seed(0)
MODULES = [argparse, statistics, threading]

# Pieces of six lines each.
texts, labels = [], []
for label, module in enumerate(MODULES):
    lines = [line for line in inspect.getsource(module).splitlines() if line.strip()]
    pieces = ["\n".join(lines[i : i + 6]) for i in range(0, len(lines) - 5, 6)]
    texts += pieces
    labels += [label] * len(pieces)

tokenizer = Tokenizer(num_words=2000)
tokenizer.fit_on_texts(texts)
x = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=50)
y = keras.utils.to_categorical(labels, len(MODULES))
order = np.random.permutation(len(x))
x, y = x[order], y[order]
split = int(0.8 * len(x))

model = Sequential()
model.add(Embedding(2000, 32, input_length=50))
model.add(Dropout(0.2))
model.add(Conv1D(64, 3, padding="valid", activation="relu", strides=1))
model.add(GlobalMaxPooling1D())
model.add(Dense(32))
model.add(Dropout(0.2))
model.add(Activation("relu"))
model.add(Dense(len(MODULES), activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.summary()
model.fit(x[:split], y[:split], batch_size=32, epochs=12, verbose=2)

loss, accuracy = model.evaluate(x[split:], y[split:], verbose=0)
print(f"Test accuracy: {accuracy:.4f}")
