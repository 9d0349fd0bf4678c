"""Facts about the batches of Keras_Preprocessing 1.1.2, one per set of options.

    python tests/batch_facts.py      # where Keras_Preprocessing, SciPy and Pillow are: writes preprocessing/batch_facts.json

preprocessing/test_batch_facts.py compares Hornbeam's batches with them.
"""

import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

FILE = Path(__file__).parent / "preprocessing" / "batch_facts.json"

OPTIONS = {
    "plain": {},
    "rotation": {"rotation_range": 30},
    "rotation constant": {"rotation_range": 30, "fill_mode": "constant", "cval": 7.0},
    "rotation reflect": {"rotation_range": 30, "fill_mode": "reflect"},
    "rotation wrap": {"rotation_range": 30, "fill_mode": "wrap"},
    "rotation, nearest pixel": {"rotation_range": 30, "interpolation_order": 0},
    "rotation, cubic": {"rotation_range": 30, "interpolation_order": 3},
    "shift by share and pixels": {"width_shift_range": 0.2, "height_shift_range": 3},
    "shift by lists": {"width_shift_range": [-3, 1, 4], "height_shift_range": [0.1, 0.3]},
    "brightness": {"brightness_range": (0.5, 1.5)},
    "shear": {"shear_range": 20},
    "zoom": {"zoom_range": 0.3},
    "zoom pair": {"zoom_range": [0.5, 1.2]},
    "channel shift": {"channel_shift_range": 30.0},
    "flips": {"horizontal_flip": True, "vertical_flip": True},
    "samplewise": {"samplewise_center": True, "samplewise_std_normalization": True},
    "featurewise": {"featurewise_center": True, "featurewise_std_normalization": True},
    "rescale": {"rescale": 1 / 255, "dtype": "float64"},
    "all": {
        "rotation_range": 40, "shear_range": 10, "zoom_range": 0.2, "width_shift_range": 0.1, "height_shift_range": 0.1,
        "horizontal_flip": True, "brightness_range": (0.8, 1.2), "channel_shift_range": 10, "rescale": 1 / 255,
    },
}  # fmt: skip


def facts(image):
    """For each set of options a few numbers about batches from arrays and from files, by a module ``image``."""
    rng = np.random.RandomState(0)
    x = rng.randint(0, 256, (10, 12, 9, 3)).astype("float32")
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, picture in enumerate(rng.randint(0, 256, (8, 14, 11, 3)).astype("uint8")):
            place = Path(folder) / "ab"[number % 2]
            place.mkdir(exist_ok=True)
            Image.fromarray(picture).save(place / f"{number}.png")
        for name, options in OPTIONS.items():
            for data_format in ("channels_last", "channels_first"):
                if data_format == "channels_first" and "brightness_range" in options:
                    continue  # which Keras_Preprocessing cannot do
                generator = image.ImageDataGenerator(data_format=data_format, **options)
                images = x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)
                generator.fit(images, augment=True, seed=2)
                arrays = generator.flow(images.copy(), np.arange(10), batch_size=4, seed=5)
                files = generator.flow_from_directory(
                    folder, (10, 13), batch_size=5, seed=5, interpolation="bilinear", class_mode="sparse"
                )
                batches = [next(arrays), next(arrays), arrays[2], next(files), files[0]]
                found[f"{name}, {data_format}"] = [
                    [round(float(value), 4) for value in (a.mean(), a.std(), *a.ravel()[:: a.size // 4][:4])]
                    + b.tolist()
                    for a, b in batches
                ]
    return found


if __name__ == "__main__":
    from keras_preprocessing import image

    with open(FILE, "w") as out:
        out.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in facts(image).items()) + "\n}\n")
