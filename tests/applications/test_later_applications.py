"""The image models that tf.keras has and keras_applications 1.0.8 does not: what tf_keras 2.21 builds and computes."""

import importlib
import urllib.error
import urllib.request

import numpy as np
import pytest
from hornbeam import applications, layers, models
from hornbeam import backend as K
from hornbeam.applications import imagenet_utils, weights

from .against_tf_keras import build, models_of, random_images, random_weights

# Parameters, layers and arrays of weights.
PUBLISHED = {
    "ConvNeXtBase": (88_591_464, 297, 344),
    "ConvNeXtLarge": (197_767_336, 297, 344),
    "ConvNeXtSmall": (50_223_688, 297, 344),
    "ConvNeXtTiny": (28_589_128, 153, 182),
    "ConvNeXtXLarge": (350_196_968, 297, 344),
    "EfficientNetB0": (5_330_571, 240, 314),
    "EfficientNetB1": (7_856_239, 342, 442),
    "EfficientNetB2": (9_177_569, 342, 442),
    "EfficientNetB3": (12_320_535, 387, 499),
    "EfficientNetB4": (19_466_823, 477, 613),
    "EfficientNetB5": (30_562_527, 579, 741),
    "EfficientNetB6": (43_265_143, 669, 855),
    "EfficientNetB7": (66_658_687, 816, 1040),
    "EfficientNetV2B0": (7_200_312, 273, 361),
    "EfficientNetV2B1": (8_212_124, 337, 443),
    "EfficientNetV2B2": (10_178_374, 352, 462),
    "EfficientNetV2B3": (14_467_622, 412, 538),
    "EfficientNetV2L": (119_027_848, 1031, 1331),
    "EfficientNetV2M": (54_431_388, 743, 963),
    "EfficientNetV2S": (21_612_360, 516, 672),
    "MobileNetV3Large": (5_507_432, 273, 266),
    "MobileNetV3Small": (2_554_968, 239, 210),
    "RegNetX002": (2_705_640, 145, 222),
    "RegNetX004": (5_194_184, 235, 357),
    "RegNetX006": (6_229_320, 175, 267),
    "RegNetX008": (7_296_968, 175, 267),
    "RegNetX016": (9_233_640, 195, 297),
    "RegNetX032": (15_359_112, 265, 402),
    "RegNetX040": (22_194_312, 245, 372),
    "RegNetX064": (26_283_464, 185, 282),
    "RegNetX080": (39_663_112, 245, 372),
    "RegNetX120": (46_202_440, 205, 312),
    "RegNetX160": (54_389_704, 235, 357),
    "RegNetX320": (107_973_576, 245, 372),
    "RegNetY002": (3_183_844, 197, 274),
    "RegNetY004": (4_371_296, 239, 331),
    "RegNetY006": (6_084_920, 225, 312),
    "RegNetY008": (6_293_056, 211, 293),
    "RegNetY016": (11_255_102, 393, 540),
    "RegNetY032": (19_502_498, 309, 426),
    "RegNetY040": (20_708_928, 323, 445),
    "RegNetY064": (30_665_684, 365, 502),
    "RegNetY080": (39_265_812, 253, 350),
    "RegNetY120": (51_918_928, 281, 388),
    "RegNetY160": (83_712_956, 267, 369),
    "RegNetY320": (145_205_058, 295, 407),
    "ResNetRS50": (35_745_288, 274, 346),
    "ResNetRS101": (63_724_296, 529, 669),
    "ResNetRS152": (86_773_256, 784, 992),
    "ResNetRS200": (93_386_248, 1090, 1296),
    "ResNetRS270": (130_104_520, 1474, 1752),
    "ResNetRS350": (164_268_360, 1890, 2246),
    "ResNetRS420": (192_262_216, 2258, 2683),
}

#: Height and width by default, where it is not 224.
SIZES = {"B1": 240, "B2": 260, "B3": 300, "B4": 380, "B5": 456, "B6": 528, "B7": 600, "2S": 384, "2M": 480, "2L": 480}

#: What tf_keras 2.21 gives for the first of the random images of ``against_tf_keras``, by the number there.
OUTPUTS = {
    0: [0.093995, 0.109697, 0.111148, 0.103030, 0.104590, 0.091104, 0.089111, 0.093359, 0.104104, 0.099862],
    1: [0.118384, 0.137729, 0.147400, 0.096681, 0.072417, 0.088367, 0.096806, 0.080560, 0.095025, 0.066632],
    3: [0.099012, 0.094235, 0.112100, 0.086594, 0.092475, 0.098416, 0.101936, 0.097891, 0.098855, 0.118485],
    4: [0.121635, 0.077865, 0.102061, 0.101346, 0.126030, 0.131613, 0.100701, 0.071546, 0.077638, 0.089565],
    6: [0.252615, 0.033181, 0.030241, 0.059544, 0.096615, 0.138356, 0.036964, 0.253467, 0.047075, 0.051942],
    7: [-0.081500, 0.920827, 0.397825, 0.491618, -0.604803, 0.550398, -0.493360, 0.306456, 1.100680, -0.141659],
    8: [0.650514, -0.291410, -0.342502, -0.783369, -0.246228, -0.168353, 0.433573, 0.020730, -0.567525, 0.462238],
    9: [0.078172, 0.097819, 0.065483, 0.118410, 0.136221, 0.144516, 0.057429, 0.068060, 0.122177, 0.111712],
}

#: The smallest of each family.
SMALLEST = ["ConvNeXtTiny", "EfficientNetB0", "EfficientNetV2B0", "MobileNetV3Small", "RegNetX002", "ResNetRS50"]


def test_all_are_listed():
    assert applications.ConvNeXtTiny is not None  # also once one was used
    assert models_of(applications) == sorted(PUBLISHED)
    for name, module in applications._NAMES.items():
        if name in PUBLISHED:
            assert getattr(applications, name).__name__ == name
            assert getattr(importlib.import_module(f"hornbeam.applications.{module}"), name).__doc__.startswith(name)


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters(name):
    model = getattr(applications, name)(weights=None)
    assert (model.count_params(), len(model.layers), len(model.weights)) == PUBLISHED[name]
    size = None if name.startswith("MobileNet") else SIZES.get(name[-2:], 224)
    assert model.input_shape == (None, size, size, 3)
    assert model.output_shape == (None, 1000)


@pytest.mark.parametrize("number", OUTPUTS)
def test_outputs_and_files(number, tmp_path, tf2):
    """Outputs are tf_keras's; weights and whole models come back from files."""
    rng = np.random.RandomState(number)
    model = build(applications, number)
    model.set_weights(random_weights(model, rng))
    images = random_images(number, rng)
    outputs = model.predict(images)
    np.testing.assert_allclose(outputs[0], OUTPUTS[number], rtol=2e-5, atol=2e-6)
    model.save_weights(str(tmp_path / "weights.h5"))
    np.testing.assert_array_equal(build(applications, number, tmp_path / "weights.h5").predict(images), outputs)
    model.save(str(tmp_path / "model.h5"))
    np.testing.assert_array_equal(models.load_model(str(tmp_path / "model.h5"), compile=False).predict(images), outputs)


@pytest.mark.parametrize("name", SMALLEST)
def test_a_step_of_training_without_the_top(name):
    base = getattr(applications, name)(weights=None, include_top=False, pooling="max", input_shape=(32, 32, 3))
    model = models.Model(base.input, layers.Dense(3, activation="softmax")(base.output))
    model.compile("sgd", "categorical_crossentropy")
    watched = [layer for layer in model.layers if layer.trainable_weights]
    before = [layer.get_weights()[0] for layer in (watched[0], watched[-1])]
    images = np.random.RandomState(3).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    assert np.isfinite(model.train_on_batch(images, np.eye(3, dtype="float32")[:2]))
    for layer, kernel in zip((watched[0], watched[-1]), before):
        assert np.abs(layer.get_weights()[0] - kernel).max() > 0, layer.name


def test_layers_without_names_are_numbered_as_by_tf_keras(tf2):
    names = [layer.name for layer in applications.RegNetY002(weights=None).layers]
    added = [name for name in names if name.startswith("tf.")]
    assert added[:4] == ["tf.math.multiply", "tf.__operators__.add", "tf.math.multiply_1", "tf.__operators__.add_1"]
    assert names[-2:] == ["1_head_gap", "1head_dense"]
    names = [layer.name for layer in applications.ResNetRS50(weights=None).layers]
    assert names[:5] == ["input_2", "rescaling", "normalization", "zero_padding2d", "stem_1_stem_conv_1"]


def dropout_rates(model):
    return [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)]


def test_samples_are_dropped_more_in_later_blocks():
    """Of 16 blocks 9 have a residual connection and are not the first."""
    rates = dropout_rates(applications.EfficientNetB0(weights=None, drop_connect_rate=0.4))
    blocks = [2, 4, 6, 7, 9, 10, 12, 13, 14]
    np.testing.assert_allclose(rates, [*(0.4 * i / 16 for i in blocks), 0.2])
    assert dropout_rates(applications.EfficientNetB0(weights=None, include_top=False, drop_connect_rate=0)) == []
    assert dropout_rates(applications.ResNetRS50(weights=None)) == [0.25]
    np.testing.assert_allclose(
        sorted(set(dropout_rates(applications.ResNetRS200(weights=None)))), [0.04, 0.06, 0.08, 0.1, 0.25]
    )


def test_arguments_of_efficientnet():
    model = applications.EfficientNetB0(weights=None, activation="relu", depth_divisor=16, include_top=False)
    assert model.get_layer("stem_activation").get_config()["activation"] == "relu"
    assert model.get_layer("block2b_project_conv").filters == 32  # 24 with the usual divisor
    with pytest.raises(TypeError, match="drop_rate"):
        applications.EfficientNetB0(weights=None, drop_rate=0.1)


def test_arguments_of_mobilenet():
    model = applications.MobileNetV3Small(weights=None, alpha=1.5, minimalistic=True, dropout_rate=0)
    assert model.get_layer("Conv_2").filters == 1536
    assert {layer.kernel_size for layer in model.layers if isinstance(layer, layers.DepthwiseConv2D)} == {(3, 3)}
    assert not any("squeeze_excite" in layer.name for layer in model.layers)
    assert dropout_rates(model) == []


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "EfficientNetV2B0", "MobileNetV3Small", "RegNetX002", "ResNetRS50"])
def test_models_without_preprocessing(name):
    kinds = [
        type(layer).__name__ for layer in getattr(applications, name)(weights=None, include_preprocessing=False).layers
    ]
    assert not {"Rescaling", "Normalization"} & set(kinds)


@pytest.mark.parametrize("name", ["ConvNeXtTiny", "EfficientNetV2B0", "ResNetRS50"])
def test_images_with_another_number_of_channels_are_not_normalized(name):
    model = getattr(applications, name)(weights=None, input_shape=(32, 32, 1), include_top=False)
    assert "Normalization" not in [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize("name", [name for name in SMALLEST if name != "ConvNeXtTiny"])
def test_channels_first_has_the_same_weights(name):
    last = getattr(applications, name)(weights=None)
    K.set_image_data_format("channels_first")
    try:
        first = getattr(applications, name)(weights=None)
        assert first.input_shape[1] == 3
        with pytest.raises(ValueError, match="channels-last"):
            applications.ConvNeXtTiny(weights=None)
    finally:
        K.set_image_data_format("channels_last")
    assert [K.int_shape(w) for w in first.weights] == [K.int_shape(w) for w in last.weights]


@pytest.mark.parametrize(
    "module", ["convnext", "efficientnet", "efficientnet_v2", "mobilenet_v3", "regnet", "resnet_rs"]
)
def test_preprocessing_is_the_models(module):
    found = importlib.import_module(f"hornbeam.applications.{module}")
    images = np.arange(12).reshape(1, 2, 2, 3)
    assert found.preprocess_input(images, data_format="channels_last") is images
    assert found.decode_predictions is imagenet_utils.decode_predictions


# Published weights


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No network, an empty cache; gives the list of addresses asked for."""
    asked = []

    def refuse(url, **_):
        asked.append(url)
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return asked


OWN = "https://storage.googleapis.com/tensorflow/keras-applications"


@pytest.mark.parametrize(
    ("name", "arguments", "address"),
    [
        ("ConvNeXtTiny", {"model_name": "mine"}, f"{OWN}/convnext/convnext_tiny.h5"),
        ("EfficientNetB0", {"include_top": False}, "https://storage.googleapis.com/keras-applications/efficientnetb0_notop.h5"),
        ("EfficientNetV2S", {}, f"{OWN}/efficientnet_v2/efficientnetv2-s.h5"),
        ("MobileNetV3Small", {"alpha": 0.75}, f"{OWN}/mobilenet_v3/weights_mobilenet_v3_small_224_0.75_float.h5"),
        ("MobileNetV3Large", {"minimalistic": True, "alpha": 1, "include_top": False},
         f"{OWN}/mobilenet_v3/weights_mobilenet_v3_large_minimalistic_224_1.0_float_no_top_v2.h5"),
        ("RegNetY002", {"include_top": False}, f"{OWN}/regnet/regnety002_notop.h5"),
        ("ResNetRS101", {}, f"{OWN}/resnet_rs/resnet-rs-101-i192.h5"),
        ("ResNetRS101", {"weights": "imagenet-i160", "include_top": False}, f"{OWN}/resnet_rs/resnet-rs-101-i160_notop.h5"),
    ],
)  # fmt: skip
def test_published_weights_offline(offline, name, arguments, address):
    with pytest.raises(OSError, match=r"ImageNet weights cannot be downloaded.*no network"):
        getattr(applications, name)(**arguments)
    assert offline == [address]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("EfficientNetB0", {"classes": 10}, "1000 classes"),
        ("EfficientNetB1", {"input_shape": (224, 224, 3)}, r"must be \(240, 240, 3\)"),
        ("EfficientNetV2B0", {"classifier_activation": "sigmoid"}, "classifier_activation='softmax' or None"),
        ("MobileNetV3Small", {"alpha": 0.5}, "alpha 0.75 and 1.0"),
        ("MobileNetV3Small", {"alpha": 0.75, "minimalistic": True}, "alpha 1.0 alone"),
        ("RegNetX002", {"weights": None, "input_shape": (31, 64, 3)}, "at least 32x32"),
        ("ResNetRS50", {"weights": "imagenet-i224"}, "path of a file"),
    ],
)
def test_arguments_that_do_not_fit(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(applications, name)(**arguments)


def test_published_efficientnets_divide_by_the_deviation(monkeypatch, tmp_path, tf2):
    """Their files hold deviations where the Normalization layer has variances."""
    path = str(tmp_path / "weights.h5")
    plain = applications.EfficientNetB0(weights=None, include_top=False, input_shape=(32, 32, 3), pooling="avg")
    plain.set_weights(random_weights(plain, np.random.RandomState(0)))
    mean, deviation = np.array(imagenet_utils.MEAN), np.array(imagenet_utils.DEVIATION)
    normalization = next(layer for layer in plain.layers if isinstance(layer, layers.Normalization))
    normalization.set_weights([mean, deviation, 0])
    plain.save_weights(path)
    monkeypatch.setattr(weights.data_utils, "get_file", lambda *_, **__: path)
    published = applications.EfficientNetB0(include_top=False, input_shape=(32, 32, 3), pooling="avg")
    assert published.layers[3].name.startswith("tf.math.multiply")
    normalization.set_weights([mean, deviation**2, 0])
    images = np.random.RandomState(1).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(published.predict(images), plain.predict(images), rtol=1e-4, atol=1e-6)


def test_logits_and_other_activations():
    model = applications.EfficientNetB0(weights=None, classifier_activation=None, classes=3, input_shape=(32, 32, 3))
    assert model.layers[-1].get_config()["activation"] == "linear"
    model = applications.MobileNetV3Small(weights=None, classifier_activation="sigmoid", classes=3)
    assert model.layers[-1].get_config()["activation"] == "sigmoid"


@pytest.mark.parametrize("name", ["VGG16", "MobileNet", "ResNet50", "ResNet50V2", "NASNetMobile", "Xception"])
def test_earlier_models_take_an_activation(name):
    logits = getattr(applications, name)(weights=None, classifier_activation=None)
    assert logits.layers[-1].get_config()["activation"] == "linear"
    assert getattr(applications, name)(weights=None).layers[-1].get_config()["activation"] == "softmax"
    assert "classifier_activation: activation of the last layer" in getattr(applications, name).__doc__
