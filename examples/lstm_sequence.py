"""An LSTM over sequences of different lengths, padded and masked.

    hornbeam run examples/lstm_sequence.py

A sequence of the tokens 1 to 9 is to be told by whether it holds more of 1 to 4 than of 6 to 9. Its end is padded with
zeros, which the mask hides from the LSTM.
"""

import numpy as np
from keras.layers import LSTM, Dense, Embedding
from keras.models import Sequential

np.random.seed(0)


def sequences(count, longest=20):
    tokens = np.random.randint(1, 10, size=(count, longest))
    lengths = np.random.randint(5, longest + 1, size=count)
    tokens[np.arange(longest) >= lengths[:, None]] = 0
    low = np.logical_and(tokens >= 1, tokens <= 4).sum(axis=1)
    return tokens, (low > (tokens >= 6).sum(axis=1)).astype("float32")


x_train, y_train = sequences(3000)
x_test, y_test = sequences(500)

model = Sequential()
model.add(Embedding(10, 8, mask_zero=True))
model.add(LSTM(32))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=8, verbose=2)

loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"Test loss: {loss:.4f}")
print(f"Test accuracy: {accuracy:.4f}")

# What is masked does not count: more padding changes nothing.
longer = np.pad(x_test, [(0, 0), (0, 10)], mode="constant")
print("More padding predicts the same:", np.allclose(model.predict(longer), model.predict(x_test), atol=1e-6))
