"""Three training steps of each kind of custom loop, from weights and data that follow from numbers alone.

    python tests/tf/three_steps.py > tests/tf/three_steps.json      # with TensorFlow 2.21 and tf_keras 2.21
    hornbeam run tests/tf/three_steps.py

prints the losses, and the sums of the trained weights' sizes, as JSON. ``test_three_steps.py`` compares the two. Nothing is
drawn at random: what the examples draw (noise, shares, views) is data here.
"""

import json
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def data(*shape, seed=0, low=-1.0, high=1.0):
    """Numbers that look random and are the same everywhere."""
    n = int(np.prod(shape))
    return (low + (high - low) * np.modf(np.abs(np.sin(np.arange(1, n + 1) * 12.9898 + seed)) * 43758.5453)[0]).reshape(shape).astype("float32")  # fmt: skip


def started(model, seed=0):
    """The model with known weights."""
    model.set_weights([data(*w.shape, seed=seed + i) / np.sqrt(max(w.size // w.shape[-1], 4)) for i, w in enumerate(model.get_weights())])  # fmt: skip
    return model


def sizes(*models):
    return [float(np.abs(w).sum()) for model in models for w in model.get_weights()]


def perceptron(inputs, *units, activation="relu"):
    stack = [layers.Dense(n, activation=activation) for n in units[:-1]]
    return started(keras.Sequential([keras.Input((inputs,)), *stack, layers.Dense(units[-1])]), seed=inputs)


def training_loop():
    model = keras.Sequential([
        keras.Input((8, 8, 1)), layers.Conv2D(4, 3, padding="same", activation="relu"), layers.BatchNormalization(),
        layers.MaxPooling2D(), layers.Conv2D(6, 3, padding="same", activation="relu"), layers.Flatten(), layers.Dense(5),
    ])  # fmt: skip
    started(model)
    model.layers[1].set_weights([np.ones(4), np.zeros(4), np.zeros(4), np.ones(4)])
    loss_fn, optimizer = keras.losses.SparseCategoricalCrossentropy(from_logits=True), keras.optimizers.Adam(2e-3)
    accuracy, mean = keras.metrics.SparseCategoricalAccuracy(), keras.metrics.Mean()
    x, y = data(3, 16, 8, 8, 1), (np.arange(48) * 7 % 5).reshape(3, 16)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            logits = model(x, training=True)
            loss = loss_fn(y, logits) + 1e-3 * tf.add_n([tf.nn.l2_loss(w) for w in model.trainable_weights])
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, model.trainable_weights), 0.5)
        optimizer.apply_gradients(zip(gradients, model.trainable_weights))
        accuracy.update_state(y, logits)
        mean.update_state(loss)
        return loss

    losses = [float(step(tf.constant(a), tf.constant(b))) for a, b in zip(x, y)]
    after = float(loss_fn(y[0], model(x[0], training=False)))
    return losses + [float(mean.result()), float(accuracy.result()), after, *sizes(model)]


def train_step():
    class Mixed(keras.Model):
        def train_step(self, batch):
            x, y = batch
            x, y = 0.75 * x + 0.25 * tf.reverse(x, [0]), 0.75 * y + 0.25 * tf.reverse(y, [0])
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
            self.compiled_metrics.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    inputs = keras.Input((6,))
    hidden = layers.Dense(8, activation="relu", kernel_regularizer="l2")(inputs)
    model = started(Mixed(inputs, layers.Dense(3, activation="softmax")(hidden)))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "categorical_crossentropy", metrics=["accuracy", "mse"])
    x, y = data(24, 6), np.eye(3, dtype="float32")[np.arange(24) % 3]
    history = model.fit(x, y, batch_size=8, epochs=1, shuffle=False, verbose=0, validation_data=(x, y)).history
    return [history[name][0] for name in ("loss", "accuracy", "mse", "val_loss", "val_accuracy", "val_mse")] + sizes(
        model
    )


def gan():
    discriminator = started(keras.Sequential([
        keras.Input((8, 8, 1)), layers.Conv2D(4, 3, strides=2, padding="same"), layers.LeakyReLU(alpha=0.2), layers.Flatten(),
        layers.Dense(1),
    ]))  # fmt: skip
    generator = started(keras.Sequential([
        keras.Input((5,)), layers.Dense(2 * 2 * 6), layers.Reshape((2, 2, 6)),
        layers.Conv2DTranspose(6, 4, strides=2, padding="same"), layers.LeakyReLU(alpha=0.2),
        layers.Conv2DTranspose(4, 4, strides=2, padding="same"), layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
    ]))  # fmt: skip

    class GAN(keras.Model):
        def compile(self, d_optimizer, g_optimizer, loss_fn):
            super().compile()
            self.d_optimizer, self.g_optimizer, self.loss_fn = d_optimizer, g_optimizer, loss_fn
            self.d_mean, self.g_mean = keras.metrics.Mean(name="d_loss"), keras.metrics.Mean(name="g_loss")

        @property
        def metrics(self):
            return [self.d_mean, self.g_mean]

        def train_step(self, batch):
            real, noise = batch
            count = tf.shape(real)[0]
            images = tf.concat([generator(noise), real], axis=0)
            labels = tf.concat([tf.ones((count, 1)), tf.zeros((count, 1))], axis=0)
            with tf.GradientTape() as tape:
                d_loss = self.loss_fn(labels, discriminator(images))
            gradients = tape.gradient(d_loss, discriminator.trainable_weights)
            self.d_optimizer.apply_gradients(zip(gradients, discriminator.trainable_weights))
            with tf.GradientTape() as tape:
                g_loss = self.loss_fn(tf.zeros((count, 1)), discriminator(generator(noise)))
            gradients = tape.gradient(g_loss, generator.trainable_weights)
            self.g_optimizer.apply_gradients(zip(gradients, generator.trainable_weights))
            self.d_mean.update_state(d_loss)
            self.g_mean.update_state(g_loss)
            return {m.name: m.result() for m in self.metrics}

    model = GAN()
    model.compile(
        keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.RMSprop(1e-3),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )  # fmt: skip
    real, noise = data(24, 8, 8, 1, low=0.0), data(24, 5)
    history = model.fit(real, noise, batch_size=8, shuffle=False, verbose=0).history
    return [history["d_loss"][0], history["g_loss"][0], *sizes(discriminator, generator)]


def vae():
    class Sampling(layers.Layer):
        def call(self, inputs):
            mean, log_var, noise = inputs
            divergence = -0.5 * (1 + log_var - tf.square(mean) - tf.exp(log_var))
            self.add_loss(tf.reduce_mean(tf.reduce_sum(divergence, axis=1)))
            return mean + tf.exp(0.5 * log_var) * noise

    inputs = keras.Input((12,))
    h = layers.Dense(8, activation="relu")(inputs)
    encoder = started(keras.Model(inputs, [layers.Dense(2, name="mean")(h), layers.Dense(2, name="log_var")(h)]))
    decoder = perceptron(2, 8, 12)

    class VAE(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder, self.sampling = encoder, decoder, Sampling()
            self.total, self.part = keras.metrics.Mean(name="loss"), keras.metrics.Mean(name="divergence")

        @property
        def metrics(self):
            return [self.total, self.part]

        def call(self, inputs):
            x, noise = inputs
            return tf.sigmoid(self.decoder(self.sampling([*self.encoder(x), noise])))

        def train_step(self, batch):
            (x, noise), _ = batch
            with tf.GradientTape() as tape:
                drawn = self([x, noise], training=True)
                error = tf.reduce_mean(keras.losses.binary_crossentropy(x, drawn)) * 12
                loss = error + tf.add_n(self.losses)
            self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
            self.total.update_state(loss)
            self.part.update_state(self.losses[0])
            return {m.name: m.result() for m in self.metrics}

    model = VAE()
    model.compile(optimizer=keras.optimizers.Adam(5e-3))
    x, noise = data(24, 12, low=0.0), data(24, 2, seed=5)
    history = model.fit((x, noise), x, batch_size=8, shuffle=False, verbose=0).history
    return [history["loss"][0], history["divergence"][0], *sizes(encoder, decoder)]


def dqn():
    model, target = perceptron(4, 16, 3), perceptron(4, 16, 3)
    optimizer, huber = keras.optimizers.Adam(learning_rate=1e-2, clipnorm=0.1), keras.losses.Huber()

    @tf.function
    def learn(states, moves, rewards, nexts, out):
        worth = rewards + (1.0 - out) * 0.9 * tf.reduce_max(target(nexts), axis=1)
        with tf.GradientTape() as tape:
            chosen = tf.reduce_sum(model(states) * tf.one_hot(moves, 3), axis=1)
            loss = huber(worth, chosen)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    losses = []
    for i in range(3):
        moves, out = (
            tf.constant((np.arange(16) * 5 + i) % 3, tf.int32),
            tf.constant((np.arange(16) % 4 == i).astype("float32")),
        )
        states, nexts, rewards = (
            tf.constant(data(*s, seed=10 * i + j)) for j, s in enumerate(((16, 4), (16, 4), (16,)))
        )
        losses.append(float(learn(states, moves, 3 * rewards, nexts, out)))
        for mine, theirs in zip(target.variables, model.variables):
            mine.assign(0.5 * mine + 0.5 * theirs)
    return losses + sizes(model, target)


def wgan_gp():
    critic, generator = perceptron(10, 16, 12, 1, activation="tanh"), perceptron(3, 16, 10)
    optimizers = [keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.9) for _ in range(2)]

    @tf.function
    def step(real, noise, share):
        for _ in range(2):
            with tf.GradientTape() as outer:
                drawn = generator(noise, training=True)
                between = real + share * (drawn - real)
                with tf.GradientTape() as inner:
                    inner.watch(between)
                    judged = critic(between, training=True)
                slope = inner.gradient(judged, [between])[0]
                size = tf.sqrt(tf.reduce_sum(tf.square(slope), axis=1))
                cost = tf.reduce_mean(critic(drawn)) - tf.reduce_mean(critic(real))
                loss = cost + 10.0 * tf.reduce_mean((size - 1.0) ** 2)
            gradients = outer.gradient(loss, critic.trainable_variables)
            optimizers[0].apply_gradients(zip(gradients, critic.trainable_variables))
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(critic(generator(noise)))
        gradients = tape.gradient(g_loss, generator.trainable_variables)
        optimizers[1].apply_gradients(zip(gradients, generator.trainable_variables))
        return loss, g_loss

    losses = []
    for i in range(3):
        parts = step(*(tf.constant(data(*s, seed=i)) for s in ((8, 10), (8, 3))), tf.constant(data(8, 1, low=0.0)))
        losses += [float(part) for part in parts]
    return losses + sizes(critic, generator)


def distillation():
    teacher, student = perceptron(6, 16, 4), perceptron(6, 5, 4)
    optimizer, hard = keras.optimizers.Adagrad(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    soft = keras.losses.KLDivergence()
    x, y = data(3, 12, 6), (np.arange(36) * 5 % 4).reshape(3, 12)
    losses = []
    for a, b in zip(x, y):
        thoughts = teacher(a, training=False)
        with tf.GradientTape() as tape:
            logits = student(a, training=True)
            distance = soft(tf.nn.softmax(thoughts / 3.0, axis=1), tf.nn.softmax(logits / 3.0, axis=1))
            loss = 0.1 * hard(b, logits) + 0.9 * distance * 9.0
        weights = student.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        losses.append(float(loss))
    return losses + sizes(teacher, student)


def contrastive():
    encoder = perceptron(6, 16, 8)
    optimizer, matches = keras.optimizers.Adam(1e-2), keras.metrics.SparseCategoricalAccuracy()
    losses = []
    for i in range(3):
        x = data(10, 6, seed=i)
        views = [x + 0.2 * data(10, 6, seed=i + 7), x * (1 + 0.2 * data(10, 1, seed=i + 9))]
        with tf.GradientTape() as tape:
            first, second = (tf.math.l2_normalize(encoder(v), axis=1) for v in views)
            alike = tf.matmul(first, second, transpose_b=True) / 0.2
            own = tf.range(tf.shape(alike)[0])
            one = keras.losses.sparse_categorical_crossentropy(own, alike, from_logits=True)
            other = keras.losses.sparse_categorical_crossentropy(own, tf.transpose(alike), from_logits=True)
            loss = tf.reduce_mean(one + other) / 2
        gradients = tape.gradient(loss, encoder.trainable_weights)
        optimizer.apply_gradients(zip(gradients, encoder.trainable_weights))
        matches.update_state(own, alike)
        losses.append(float(loss))
    return [*losses, float(matches.result()), *sizes(encoder)]


def neural_style():
    inputs = keras.Input((12, 12, 3))
    fine = layers.Conv2D(4, 3, padding="same", activation="relu", name="fine")(inputs)
    coarse = layers.Conv2D(6, 3, padding="same", activation="relu", name="coarse")(layers.AveragePooling2D()(fine))
    network = started(keras.Model(inputs, {"fine": fine, "coarse": coarse}))
    network.trainable = False

    def gram(x):
        flat = tf.reshape(x[0], (-1, x.shape[-1]))
        return tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.shape(flat)[0], tf.float32)

    texture, shapes = gram(network(data(1, 12, 12, 3, seed=1))["fine"]), network(data(1, 12, 12, 3, seed=2))["coarse"]
    image = tf.Variable(data(1, 12, 12, 3, seed=3, low=0.0))
    schedule = keras.optimizers.schedules.ExponentialDecay(initial_learning_rate=0.1, decay_steps=2, decay_rate=0.5)
    optimizer = keras.optimizers.SGD(schedule)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            features = network(image)
            loss = tf.reduce_sum(tf.square(gram(features["fine"]) - texture))
            loss += tf.reduce_mean(tf.square(features["coarse"] - shapes))
            loss += 1e-3 * tf.reduce_sum(tf.image.total_variation(image))
        optimizer.apply_gradients([(tape.gradient(loss, image), image)])
        image.assign(tf.clip_by_value(image, 0.0, 1.0))
        return loss

    return [float(step()) for _ in range(3)] + [float(tf.reduce_sum(image)), *sizes(network)]


if __name__ == "__main__":
    kinds = (training_loop, train_step, gan, vae, dqn, wgan_gp, distillation, contrastive, neural_style)
    print(json.dumps({kind.__name__: [float(v) for v in kind()] for kind in kinds}, indent=1))
