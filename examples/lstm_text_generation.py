"""An LSTM that writes in the manner of the Zen of Python, letter by letter.

    hornbeam run examples/lstm_text_generation.py

After each ten epochs a callback lets it go on from a line of the text, more or less boldly.
"""

import codecs
import contextlib
import io

import numpy as np
from keras.callbacks import LambdaCallback
from keras.layers import LSTM, Dense
from keras.models import Sequential
from keras.optimizers import RMSprop

np.random.seed(0)

with contextlib.redirect_stdout(io.StringIO()):  # importing it prints it
    import this
text = codecs.decode(this.s, "rot13").lower()
letters = sorted(set(text))
number = {letter: i for i, letter in enumerate(letters)}
WINDOW = 20

starts = range(len(text) - WINDOW)
x = np.zeros((len(starts), WINDOW, len(letters)), dtype=bool)
y = np.zeros((len(starts), len(letters)), dtype=bool)
for i in starts:
    for t, letter in enumerate(text[i : i + WINDOW]):
        x[i, t, number[letter]] = True
    y[i, number[text[i + WINDOW]]] = True

model = Sequential()
model.add(LSTM(96, input_shape=(WINDOW, len(letters))))
model.add(Dense(len(letters), activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(lr=0.01))


def sample(probabilities, temperature):
    """Draw a letter; a low temperature prefers the likely ones."""
    weights = np.exp(np.log(probabilities.astype("float64") + 1e-9) / temperature)
    return np.random.choice(len(weights), p=weights / weights.sum())


def write(epoch, logs):
    if epoch % 10 != 9:
        return
    start = "beautiful is better than ugly."[:WINDOW]
    for temperature in (0.2, 1.0):
        written = start
        for _ in range(60):
            seen = np.zeros((1, WINDOW, len(letters)))
            for t, letter in enumerate(written[-WINDOW:]):
                seen[0, t, number[letter]] = 1
            written += letters[sample(model.predict(seen)[0], temperature)]
        print(f"epoch {epoch + 1}, temperature {temperature}: {written!r}")


history = model.fit(x, y, batch_size=64, epochs=20, verbose=2, callbacks=[LambdaCallback(on_epoch_end=write)])
print(f"Loss fell by: {history.history['loss'][0] - history.history['loss'][-1]:.4f}")
