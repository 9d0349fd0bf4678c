"""Learning to add from examples of text: "17+5  " -> "22 ".

    hornbeam run examples/addition_rnn.py

An LSTM reads the question, its last state is repeated for each letter of the answer, and a second one writes (Sutskever,
Vinyals and Le 2014). As there, reading the question backwards makes it easier.
"""

import numpy as np
from keras.layers import LSTM, Dense, RepeatVector, TimeDistributed
from keras.models import Sequential
from keras.optimizers import Adam

np.random.seed(0)

LETTERS = "0123456789+ "
QUESTION, ANSWER = 5, 3  # letters: two numbers of two digits, and their sum


def encode(texts, length):
    """One-hot letters, of shape (texts, length, letters)."""
    numbers = np.array([[LETTERS.index(letter) for letter in text.ljust(length)] for text in texts])
    return np.eye(len(LETTERS))[numbers]


pairs = np.random.permutation([(a, b) for a in range(60) for b in range(60)])
questions = [f"{a}+{b}".ljust(QUESTION)[::-1] for a, b in pairs]
answers = [str(a + b) for a, b in pairs]
x, y = encode(questions, QUESTION), encode(answers, ANSWER)
split = int(0.9 * len(x))

model = Sequential()
model.add(LSTM(64, input_shape=(QUESTION, len(LETTERS))))
model.add(RepeatVector(ANSWER))
model.add(LSTM(64, return_sequences=True))
model.add(TimeDistributed(Dense(len(LETTERS), activation="softmax")))
model.compile(loss="categorical_crossentropy", optimizer=Adam(lr=0.005), metrics=["accuracy"])
model.fit(x[:split], y[:split], batch_size=32, epochs=20, verbose=2, validation_data=(x[split:], y[split:]))

predicted = model.predict(x[split:]).argmax(-1)
for question, answer, guess in list(zip(questions[split:], answers[split:], predicted))[:8]:
    text = "".join(LETTERS[i] for i in guess)
    print(f"{question[::-1]} = {text} {'right' if text.strip() == answer else 'wrong: ' + answer}")
loss, accuracy = model.evaluate(x[split:], y[split:], verbose=0)
print(f"Letters right: {accuracy:.4f}")
