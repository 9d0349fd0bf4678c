"""An LSTM that tells which of two Python modules a sentence of documentation comes from.

    hornbeam run examples/text_lstm.py

What imdb_lstm did with film reviews, on a text that every Python brings along: the docstrings of its own library.
"""

import argparse
import inspect
import re
import threading

import numpy as np
from keras.layers import LSTM, Dense, Embedding
from keras.models import Sequential
from keras.preprocessing.sequence import pad_sequences
from keras.preprocessing.text import Tokenizer

np.random.seed(0)


def sentences(module):
    """What is said in a module's docstrings and comments, without doubles."""
    text = inspect.getsource(module)
    comments = re.findall(r"# (.+)", text)
    docstrings = re.findall(r'"""(.+?)"""', text, re.DOTALL)
    found = comments + re.split(r"[.:]\s", " ".join(docstrings))
    return sorted({" ".join(s.split()) for s in found if len(s.split()) > 3})


texts, labels = [], []
for label, module in enumerate([argparse, threading]):
    found = sentences(module)
    texts += found
    labels += [label] * len(found)

tokenizer = Tokenizer(num_words=1000, oov_token="?")
tokenizer.fit_on_texts(texts)
x = pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=20)
y = np.array(labels)
order = np.random.permutation(len(x))
x, y = x[order], y[order]
split = int(0.8 * len(x))
print(len(texts), "sentences of", len(tokenizer.word_index), "words")

model = Sequential()
model.add(Embedding(1000, 32, mask_zero=True))
model.add(LSTM(32, dropout=0.2, recurrent_dropout=0.2))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x[:split], y[:split], batch_size=32, epochs=10, verbose=2, validation_data=(x[split:], y[split:]))

loss, accuracy = model.evaluate(x[split:], y[split:], verbose=0)
print(f"Test accuracy: {accuracy:.4f}")
for sentence in ["the thread waits until the lock is released", "the option takes a list of arguments"]:
    rating = model.predict(pad_sequences(tokenizer.texts_to_sequences([sentence]), maxlen=20))[0, 0]
    print(f"{'threading' if rating > 0.5 else 'argparse'}? {sentence}")
