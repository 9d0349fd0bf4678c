"""Sequence to sequence: an encoder's state is where the decoder begins.

    hornbeam run examples/seq2seq.py

The model reads a date as people write it and writes it as computers do. It is trained with the right answer shown up to
each letter, and then writes on its own, letter by letter, with the decoder's state handed on from call to call.
"""

import numpy as np
from keras.layers import LSTM, Dense, Embedding, Input
from keras.models import Model
from keras.optimizers import Adam
from keras.preprocessing.sequence import pad_sequences

rng = np.random.RandomState(0)
np.random.seed(0)

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
LETTERS = [""] + sorted(set("".join(MONTHS) + "0123456789- <>"))  # number 0 is padding
NUMBER = {letter: i for i, letter in enumerate(LETTERS)}
LENGTH = 10  # of 2026-11-21


def date():
    year, month, day = rng.randint(1950, 2050), rng.randint(0, 12), rng.randint(1, 29)
    read = [f"{day} {MONTHS[month]} {year}", f"{MONTHS[month]} {day} {year}"][rng.randint(2)]
    return read, f"{year}-{month + 1:02d}-{day:02d}"


def numbers(texts, length):
    ids = [[NUMBER[letter] for letter in text] for text in texts]
    return pad_sequences(ids, maxlen=length, padding="post", truncating="post")


pairs = [date() for _ in range(4000)]
read = numbers([text for text, _ in pairs], 12)
shown = numbers(["<" + text for _, text in pairs], LENGTH)
wanted = numbers([text for _, text in pairs], LENGTH)

units = 96
encoder_inputs = Input(shape=(None,))
encoded = Embedding(len(LETTERS), 24, mask_zero=True)(encoder_inputs)
_, state_h, state_c = LSTM(units, return_state=True)(encoded)

decoder_inputs = Input(shape=(None,))
decoder_embedding = Embedding(len(LETTERS), 24)
decoder_lstm = LSTM(units, return_sequences=True, return_state=True)
decoder_dense = Dense(len(LETTERS), activation="softmax")
sequence, _, _ = decoder_lstm(decoder_embedding(decoder_inputs), initial_state=[state_h, state_c])
model = Model([encoder_inputs, decoder_inputs], decoder_dense(sequence))
model.compile(optimizer=Adam(lr=0.008), loss="sparse_categorical_crossentropy")
model.summary()
model.fit([read, shown], wanted[..., np.newaxis], batch_size=64, epochs=24, validation_split=0.1, verbose=2)

# The same layers as two models: one reads, the other writes one letter from a state and gives the next state.
encoder = Model(encoder_inputs, [state_h, state_c])
given_h, given_c = Input((units,)), Input((units,))
letter, h, c = decoder_lstm(decoder_embedding(decoder_inputs), initial_state=[given_h, given_c])
decoder = Model([decoder_inputs, given_h, given_c], [decoder_dense(letter), h, c])


def write(texts):
    """Translate all texts at once."""
    h, c = encoder.predict(numbers(texts, 12))
    last, written = numbers(["<"] * len(texts), 1), []
    for _ in range(LENGTH):
        probabilities, h, c = decoder.predict([last, h, c])
        last = probabilities.argmax(axis=-1)
        written.append(last[:, 0])
    return ["".join(LETTERS[i] for i in row) for row in np.transpose(written)]


fresh = [date() for _ in range(300)]
answers = write([text for text, _ in fresh])
for (text, _), answer in list(zip(fresh, answers))[:5]:
    print(f"{text:12} -> {answer}")
right = np.mean([answer == truth for answer, (_, truth) in zip(answers, fresh)])
print(f"Dates written without a fault: {right:.4f}")
