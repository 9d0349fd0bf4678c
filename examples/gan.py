"""A generative adversarial network, trained by hand with train_on_batch.

    hornbeam run examples/gan.py

The generator learns to draw handwritten digits from noise. A classifier that knows real digits then says how sure it is
of what was drawn, and how many of the ten it finds.
"""

import numpy as np
from keras.layers import BatchNormalization, Dense, Dropout, Input, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam
from sklearn.datasets import load_digits

np.random.seed(0)

digits = load_digits()
images = digits.data.astype("float32") / 8 - 1  # from -1 to 1, as tanh gives
latent, batch_size, steps = 16, 64, 3000

generator = Sequential(name="generator")
generator.add(Dense(128, input_dim=latent))
generator.add(LeakyReLU(0.2))
generator.add(BatchNormalization(momentum=0.8))
generator.add(Dense(128))
generator.add(LeakyReLU(0.2))
generator.add(Dense(64, activation="tanh"))

discriminator = Sequential(name="discriminator")
discriminator.add(Dense(128, input_dim=64))
discriminator.add(LeakyReLU(0.2))
discriminator.add(Dropout(0.3))
discriminator.add(Dense(64))
discriminator.add(LeakyReLU(0.2))
discriminator.add(Dense(1, activation="sigmoid"))
discriminator.compile(Adam(0.0005, beta_1=0.5), "binary_crossentropy", metrics=["accuracy"])

# In the combined model the discriminator is frozen; on its own it goes on learning, as it was compiled before.
discriminator.trainable = False
noise = Input((latent,))
combined = Model(noise, discriminator(generator(noise)))
combined.compile(Adam(0.0005, beta_1=0.5), "binary_crossentropy")

real, fake = np.full((batch_size, 1), 0.9), np.zeros((batch_size, 1))
for step in range(1, steps + 1):
    shown = images[np.random.randint(0, len(images), batch_size)]
    drawn = generator.predict(np.random.normal(size=(batch_size, latent)))
    loss_real = discriminator.train_on_batch(shown, real)[0]
    loss_fake = discriminator.train_on_batch(drawn, fake)[0]
    loss = combined.train_on_batch(np.random.normal(size=(batch_size, latent)), np.ones((batch_size, 1)))
    if step % 1000 == 0:
        print(f"step {step}: discriminator {(loss_real + loss_fake) / 2:.3f}, generator {loss:.3f}")

judge = Sequential([Dense(64, activation="relu", input_dim=64), Dense(10, activation="softmax")])
judge.compile("adam", "sparse_categorical_crossentropy")
judge.fit(images, digits.target, epochs=20, batch_size=32, verbose=0)

drawn = generator.predict(np.random.normal(size=(500, latent)))
opinion = judge.predict(drawn)
for row in drawn[:4].reshape(4, 8, 8).transpose(1, 0, 2):
    print("   ".join("".join(" .:*#"[min(4, int((v + 1) * 2.5))] for v in digit) for digit in row))
print(f"Judge's mean certainty: {opinion.max(axis=1).mean():.4f}")
print(f"Different digits drawn: {len(np.unique(opinion.argmax(axis=1)))}")
