"""A generative adversarial network with a gradient penalty: the gradient of a gradient trains the critic.

    hornbeam run examples/wgan_gp.py

The generator learns to draw handwritten digits, the critic to tell by how much they are unlike real ones (Gulrajani et
al. 2017). The penalty holds the critic's slope at 1, between real images and drawn ones.
"""

import numpy as np
from keras import backend as K
from keras.layers import Dense, Input, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam
from sklearn.datasets import load_digits

np.random.seed(0)
NOISE, BATCH, CRITIC_STEPS = 16, 64, 5

generator = Sequential([
    Dense(128, activation="relu", input_dim=NOISE), Dense(128, activation="relu"), Dense(64, activation="sigmoid")
])  # fmt: skip
critic = Sequential([Dense(128, input_dim=64), LeakyReLU(0.2), Dense(128), LeakyReLU(0.2), Dense(1)])

real, noise = Input((64,)), Input((NOISE,))
drawn = generator(noise)
distance = K.mean(critic(real)) - K.mean(critic(drawn))

share = K.random_uniform((K.shape(real)[0], 1))
between = share * real + (1 - share) * drawn
slope = K.sqrt(K.sum(K.square(K.gradients(critic(between), [between])[0]), axis=1) + 1e-12)
penalty = 10 * K.mean(K.square(slope - 1))

critic_updates = Adam(5e-4, beta_1=0.5, beta_2=0.9).get_updates(penalty - distance, critic.trainable_weights)
generator_updates = Adam(5e-4, beta_1=0.5, beta_2=0.9).get_updates(distance, generator.trainable_weights)
train_critic = K.function([real, noise], [distance, K.mean(slope)], critic_updates)
train_generator = K.function([real, noise], [distance], generator_updates)

images = load_digits().data / 16


def batch():
    return [images[np.random.randint(len(images), size=BATCH)], np.random.normal(size=(BATCH, NOISE))]


for step in range(1, 601):
    for _ in range(CRITIC_STEPS):
        distance_now, slope_now = train_critic(batch())
    train_generator(batch())
    if step % 100 == 0:
        print(f"Step {step}: distance {distance_now:.3f}, slope {slope_now:.3f}")


def unlike(some):
    """How far images are from the nearest real one, on average."""
    squares = (some**2).sum(axis=1)[:, None] + (images**2).sum(axis=1) - 2 * some @ images.T
    return np.sqrt(np.maximum(squares, 0).min(axis=1)).mean()


samples = Model(noise, drawn).predict(np.random.normal(size=(500, NOISE)))
shuffled = np.stack([np.random.permutation(column) for column in images.T], axis=1)[:500]
print(f"Slope of the critic: {slope_now:.4f}")
print(f"Closer to digits than their shuffled pixels are: {unlike(shuffled) / unlike(samples):.4f}")
