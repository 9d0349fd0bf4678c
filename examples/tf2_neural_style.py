"""Style transfer: an image is optimised until it has one picture's shapes and another one's texture.

    hornbeam run examples/tf2_neural_style.py

What is trained is the image, a ``tf.Variable``; the network, which only looks, has random weights that stay (random filters
already know textures; Gatys et al. 2015 use trained ones). The texture is compared by Gram matrices.
"""

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

tf.random.set_seed(0)
np.random.seed(0)
SIZE = 32

rows, columns = np.mgrid[0:SIZE, 0:SIZE] / SIZE
disc = ((rows - 0.5) ** 2 + (columns - 0.5) ** 2 < 0.1).astype("float32")
content = tf.constant(np.stack([disc, 0.5 * disc + 0.25, 1 - disc], -1)[None], tf.float32)
stripes = 0.5 + 0.5 * np.sin(40 * (rows + columns))
style = tf.constant(np.stack([stripes, 1 - stripes, stripes * columns], -1)[None], tf.float32)

inputs = keras.Input((SIZE, SIZE, 3))
h1 = layers.Conv2D(24, 3, padding="same", activation="relu", name="fine")(inputs)
h2 = layers.Conv2D(24, 3, padding="same", activation="relu", name="middle")(layers.AveragePooling2D()(h1))
h3 = layers.Conv2D(24, 3, padding="same", activation="relu", name="coarse")(layers.AveragePooling2D()(h2))
network = keras.Model(inputs, [h1, h2, h3])
network.trainable = False


def gram(x):
    """What channels have in common, wherever they are in the image."""
    flat = tf.reshape(x[0], (-1, x.shape[-1]))
    return tf.matmul(flat, flat, transpose_a=True) / tf.cast(tf.shape(flat)[0], tf.float32)


style_grams = [gram(x) for x in network(style)[:2]]
content_features = network(content)[2]
image = tf.Variable(content + 0.1 * tf.random.normal(content.shape))
schedule = keras.optimizers.schedules.ExponentialDecay(initial_learning_rate=0.03, decay_steps=50, decay_rate=0.8)
optimizer = keras.optimizers.Adam(learning_rate=schedule)


def style_loss(features):
    return tf.add_n([tf.reduce_mean(tf.square(gram(x) - g)) for x, g in zip(features, style_grams)])


def content_loss(features):
    return tf.reduce_mean(tf.square(features[2] - content_features))


@tf.function
def step():
    with tf.GradientTape() as tape:
        features = network(image)
        texture, shapes = style_loss(features), content_loss(features)
        loss = 20 * texture + shapes + 1e-5 * tf.reduce_sum(tf.image.total_variation(image))
    gradient = tape.gradient(loss, image)
    optimizer.apply_gradients([(gradient, image)])
    image.assign(tf.clip_by_value(image, 0.0, 1.0))
    return texture, shapes


before = float(style_loss(network(image)))
for i in range(1, 201):
    texture, shapes = step()
    if i % 50 == 0:
        tf.print("Step", i, "texture", texture, "shapes", shapes)

after = float(style_loss(network(image)))
grey = tf.fill(content.shape, 0.5)
print(f"Texture nearer by a factor of: {before / after:.4f}")
print(f"Shapes kept better than by grey: {bool(shapes < 0.5 * content_loss(network(grey)))}")
print(f"Pixels in range: {bool(tf.reduce_all((image >= 0) & (image <= 1)))}")
