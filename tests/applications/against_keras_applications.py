"""Compares every image model with keras_applications 1.0.8 on tf_keras; docs/applications.md holds what it printed.

    python against_keras_applications.py write FOLDER     # where tensorflow, tf_keras and keras_applications==1.0.8 are
    python against_keras_applications.py compare FOLDER   # where Hornbeam is

`write` makes each model with random weights, which it saves in Keras's HDF5 layout, and its outputs for random images; `compare`
builds the same model, loads that file and predicts. Neither environment needs the other's packages.
"""

import importlib
import os
import re
import sys
import time

import numpy as np

# Module, model, height and width: the published size where it is small enough to be quick, else another that it takes.
MODELS = [
    ("vgg16", "VGG16", 224, 224), ("vgg19", "VGG19", 224, 224), ("resnet50", "ResNet50", 224, 224),
    ("resnet", "ResNet50", 97, 130), ("resnet", "ResNet101", 97, 130), ("resnet", "ResNet152", 97, 130),
    ("resnet_v2", "ResNet50V2", 97, 130), ("resnet_v2", "ResNet101V2", 97, 130), ("resnet_v2", "ResNet152V2", 97, 130),
    ("inception_v3", "InceptionV3", 139, 150), ("inception_resnet_v2", "InceptionResNetV2", 139, 150),
    ("xception", "Xception", 110, 121), ("mobilenet", "MobileNet", 224, 224), ("mobilenet_v2", "MobileNetV2", 224, 224),
    ("densenet", "DenseNet121", 111, 130), ("densenet", "DenseNet169", 111, 130), ("densenet", "DenseNet201", 111, 130),
    ("nasnet", "NASNetMobile", 224, 224), ("nasnet", "NASNetLarge", 331, 331),
]  # fmt: skip


def random_weights(model, rng):
    """Kernels that keep the size of activations, and statistics of normalization that are not just 0 and 1."""
    values = []
    for weight in model.weights:
        name, shape = weight.name, tuple(weight.shape)
        if "gamma" in name or "variance" in name:
            values.append(rng.uniform(0.7, 1.3, shape))
        elif len(shape) == 1:
            values.append(rng.normal(0, 0.1, shape))
        else:
            fan_in = np.prod(shape[:2]) if "depthwise" in name else np.prod(shape[:-1])
            values.append(rng.normal(0, fan_in**-0.5, shape))
    return [value.astype("float32") for value in values]


def build(package, module, name, height, width, **arguments):
    function = getattr(importlib.import_module(f"{package}.{module}"), name)
    published = name in ("MobileNet", "NASNetMobile", "NASNetLarge", "VGG16", "VGG19", "MobileNetV2")
    shape = None if published else (height, width, 3)
    return function(weights=None, include_top=True, input_shape=shape, **arguments)


def write(folder):
    import tf_keras as keras

    modules = {part: getattr(keras, part) for part in ("backend", "layers", "models", "utils")}
    for number, (module, name, height, width) in enumerate(MODELS):
        keras.backend.clear_session()
        rng = np.random.RandomState(number)
        model = build("keras_applications", module, name, height, width, **modules)
        model.set_weights(random_weights(model, rng))
        images = rng.uniform(-1, 1, (2, height, width, 3)).astype("float32")
        features = keras.models.Model(model.input, model.layers[-2].output)
        stem = os.path.join(folder, f"{module}-{name}")
        model.save_weights(f"{stem}.h5", save_format="h5")
        np.savez(
            f"{stem}.npz", images=images, outputs=model.predict(images, verbose=0),
            features=features.predict(images, verbose=0), parameters=model.count_params(),
            names=[layer.name for layer in model.layers if layer.weights],
        )  # fmt: skip
        print(module, name, flush=True)


def named(names):
    """The names, without the numbers of those that are given automatically: tf_keras counts from another one."""
    return [re.sub(r"^((separable_)?conv2d|batch_normalization)(_\d+)?$", r"\1", str(name)) for name in names]


def compare(folder):
    from hornbeam import backend, models

    print("| model | image | parameters | outputs | last features | seconds |\n|---|---|---|---|---|---|")
    worst = 0.0
    for module, name, height, width in MODELS:
        backend.clear_session()
        stem = os.path.join(folder, f"{module}-{name}")
        expected = np.load(f"{stem}.npz")
        model = build("hornbeam.applications", module, name, height, width)
        assert named(layer.name for layer in model.layers if layer.weights) == named(expected["names"]), name
        assert model.count_params() == expected["parameters"], name
        model.load_weights(f"{stem}.h5")
        both = models.Model(model.input, [model.output, model.layers[-2].output])
        start = time.perf_counter()
        outputs, features = both.predict(expected["images"])
        seconds = time.perf_counter() - start
        output_error = np.abs(outputs - expected["outputs"]).max() / np.abs(expected["outputs"]).max()
        feature_error = np.abs(features - expected["features"]).max() / np.abs(expected["features"]).max()
        worst = max(worst, output_error, feature_error)
        print(
            f"| {module}.{name} | {height} x {width} | {model.count_params():,} | {output_error:.1e} | {feature_error:.1e} "
            f"| {seconds:.1f} |",
            flush=True,
        )
    print(f"\nlargest: {worst:.1e}")
    return 0 if worst < 1e-4 else 1


if __name__ == "__main__":
    command, folder = sys.argv[1:]
    sys.exit({"write": write, "compare": compare}[command](folder))
