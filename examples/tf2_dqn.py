"""Deep Q-learning: a network learns what moves are worth, from what it remembers of its games.

    hornbeam run examples/tf2_dqn.py

The world is a corridor on a slope: the ball has to be pushed, to and fro, out of a valley that is too steep for one push.
A second network with older weights says what the next states are worth (Mnih et al. 2015).
"""

import collections
import random

import numpy as np
import tensorflow as tf
from tensorflow import keras

random.seed(4)
np.random.seed(4)
tf.random.set_seed(4)
MOVES, DISCOUNT, BATCH, EPISODES = 2, 0.97, 64, 60


class Valley:
    """A ball at ``position`` in [-1, 1]; it is out when it reaches an end. Every step costs 1, and 60 steps end a game."""

    def reset(self):
        self.position, self.speed, self.steps = random.uniform(-0.2, 0.2), 0.0, 0
        return self.state()

    def state(self):
        return np.array([self.position, 5 * self.speed], "float32")

    def step(self, move):
        self.steps += 1
        self.speed = 0.98 * self.speed + 0.03 * (2 * move - 1) - 0.06 * self.position
        self.position += self.speed
        out = abs(self.position) >= 1
        return self.state(), -1.0, out, out or self.steps == 60


def network():
    return keras.Sequential([
        keras.Input((2,)),
        keras.layers.Dense(48, activation="relu"),
        keras.layers.Dense(48, activation="relu"),
        keras.layers.Dense(MOVES),
    ])  # fmt: skip


model, target = network(), network()
target.set_weights(model.get_weights())
optimizer = keras.optimizers.Adam(learning_rate=2e-3, clipnorm=1.0)
huber = keras.losses.Huber()
memory = collections.deque(maxlen=5000)


@tf.function
def values(state):
    return model(state[tf.newaxis])[0]


@tf.function
def learn(states, moves, rewards, nexts, out):
    worth = rewards + (1.0 - out) * DISCOUNT * tf.reduce_max(target(nexts), axis=1)
    with tf.GradientTape() as tape:
        chosen = tf.reduce_sum(model(states) * tf.one_hot(moves, MOVES), axis=1)
        loss = huber(worth, chosen)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss


def play(world, exploring):
    state, total, done = world.reset(), 0.0, False
    while not done:
        move = random.randrange(MOVES) if random.random() < exploring else int(tf.argmax(values(tf.constant(state))))
        following, reward, out, done = world.step(move)
        if exploring:
            memory.append((state, move, reward, following, float(out)))
            if len(memory) >= 4 * BATCH:
                states, moves, rewards, nexts, outs = zip(*random.sample(memory, BATCH))
                learn(
                    tf.constant(np.array(states)), tf.constant(moves, dtype=tf.int32), tf.constant(rewards),
                    tf.constant(np.array(nexts)), tf.constant(outs),
                )  # fmt: skip
        state, total = following, total + reward
    return total


world = Valley()
at_random = np.mean([play(world, 1.0) for _ in range(5)])
for episode in range(EPISODES):
    play(world, max(0.05, 0.8 - 0.02 * episode))
    if episode % 2 == 1:
        for mine, theirs in zip(target.variables, model.variables):
            mine.assign(theirs)
    if (episode + 1) % 20 == 0:
        print(f"After {episode + 1} games: {np.mean([play(world, 0) for _ in range(5)]):.1f}")

learned = np.mean([play(world, 0) for _ in range(20)])
print(f"At random: {at_random:.2f}")
print(f"Steps saved: {learned - at_random:.4f}")
