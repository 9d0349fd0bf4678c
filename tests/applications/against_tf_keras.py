"""Compares the image models from 2019 on with tf_keras; docs/applications.md holds what it printed.

    python against_tf_keras.py write FOLDER     # where tensorflow and tf_keras are
    python against_tf_keras.py compare FOLDER   # where Hornbeam is

Of every model: names and classes of the layers, names and shapes of the weights, in their order. Of some models: `write` saves
random weights, the whole model, and outputs for random images, which `compare` loads and predicts.
"""

import json
import os
import sys

import numpy as np

FAMILIES = ("ConvNeXt", "EfficientNet", "MobileNetV3", "RegNet", "ResNetRS")

# Model, arguments, height and width: those that run. Their numbers are the seeds.
RUN = [
    ("EfficientNetB0", {}, 64, 64), ("EfficientNetV2B0", {}, 64, 64),
    ("EfficientNetV2S", {"include_preprocessing": False}, 64, 64), ("MobileNetV3Small", {}, 64, 64),
    ("MobileNetV3Large", {"minimalistic": True, "alpha": 0.75}, 64, 64), ("MobileNetV3Large", {}, 70, 64),
    ("ConvNeXtTiny", {}, 64, 64), ("RegNetX002", {}, 64, 64), ("RegNetY002", {}, 64, 71), ("ResNetRS50", {}, 64, 64),
]  # fmt: skip


def models_of(applications):
    return sorted(name for name in dir(applications) if name.startswith(FAMILIES))


def random_weights(model, rng):
    """Kernels that keep the size of activations, and statistics of normalization that are not just 0 and 1."""
    values = []
    for weight in model.weights:
        name, shape = weight.name, tuple(weight.shape)
        if "gamma" in name or "variance" in name:
            values.append(rng.uniform(0.7, 1.3, shape))
        elif "count" in name:
            values.append(np.zeros(shape))
        elif len(shape) == 1:
            values.append(rng.normal(0, 0.1, shape))
        else:
            fan_in = np.prod(shape[:2]) if "depthwise" in name else np.prod(shape[:-1])
            values.append(rng.normal(0, fan_in**-0.5, shape))
    return [value.astype("float32") for value in values]


def random_images(number, rng):
    _, arguments, height, width = RUN[number]
    low, high = (0, 255) if arguments.get("include_preprocessing", True) else (-1, 1)
    return rng.uniform(low, high, (2, height, width, 3)).astype("float32")


def build(applications, number, weights=None):
    name, arguments, height, width = RUN[number]
    return getattr(applications, name)(weights=weights, input_shape=(height, width, 3), classes=10, **arguments)


def structure(model):
    """A layer inside a Sequential has that one's name before its own here, and not there."""
    weights = [["/".join(w.name.split("/")[-2:]), [int(n) for n in w.shape]] for w in model.weights]
    return {"layers": [[type(layer).__name__, layer.name] for layer in model.layers], "weights": weights}


def write(folder):
    import tf_keras as keras

    for number, (name, *_) in enumerate(RUN):
        keras.backend.clear_session()
        rng = np.random.RandomState(number)
        model = build(keras.applications, number)
        model.set_weights(random_weights(model, rng))
        images = random_images(number, rng)
        stem = os.path.join(folder, f"{number:02}-{name}")
        model.save_weights(f"{stem}.weights.h5", save_format="h5")
        model.save(f"{stem}.h5")
        features = keras.models.Model(model.input, model.layers[-2].output)
        outputs = {"out": model.predict(images, verbose=0), "feat": features.predict(images, verbose=0)}
        np.savez(f"{stem}.npz", x=images, **outputs)
        print(name, flush=True)
    for name in models_of(keras.applications):
        keras.backend.clear_session()
        with open(os.path.join(folder, f"{name}.json"), "w") as file:
            json.dump(structure(getattr(keras.applications, name)(weights=None)), file)
        print(name, flush=True)


def compare(folder):
    from hornbeam import applications, backend, models
    from hornbeam.dialect import TF2
    from hornbeam.settings import settings

    settings.dialect = TF2  # layers without a name are numbered from 0
    for name in models_of(applications):
        backend.clear_session()
        with open(os.path.join(folder, f"{name}.json")) as file:
            assert structure(getattr(applications, name)(weights=None)) == json.load(file), name
    print("| model | image | weights file | last features | whole model |\n|---|---|---|---|---|")
    worst = 0.0
    for number, (name, arguments, height, width) in enumerate(RUN):
        backend.clear_session()
        stem = os.path.join(folder, f"{number:02}-{name}")
        expected = np.load(f"{stem}.npz")
        model = build(applications, number, f"{stem}.weights.h5")
        both = models.Model(model.input, [model.output, model.layers[-2].output])
        got = [*both.predict(expected["x"]), models.load_model(f"{stem}.h5", compile=False).predict(expected["x"])]
        wanted = [expected[key] for key in ("out", "feat", "out")]
        errors = [np.abs(a - b).max() / np.abs(b).max() for a, b in zip(got, wanted)]
        worst = max(worst, *errors)
        words = ", ".join([name, *(f"{key}={value}" for key, value in arguments.items())])
        print(f"| {words} | {height} x {width} | {' | '.join(f'{e:.1e}' for e in errors)} |", flush=True)
    print(f"\nlargest: {worst:.1e}")
    return 0 if worst < 1e-5 else 1


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    sys.exit({"write": write, "compare": compare}[command](folder))
