"""The image models: layers and sizes as published, small ones end to end, weights and their errors."""

import importlib
import json
import subprocess
import sys
import urllib.error
import urllib.request

import h5py
import numpy as np
import pytest
from hornbeam import applications, layers, models
from hornbeam import backend as K
from hornbeam.applications import densenet, imagenet_utils, inception_resnet_v2, inception_v3, resnet50, resnet_common
from hornbeam.applications.image_model import halving_padding
from hornbeam.applications.nasnet import NASNet

# Module, model, parameters with and without the top, layers with the top: as keras_applications 1.0.8 builds them.
PUBLISHED = [
    ("vgg16", "VGG16", 138_357_544, 14_714_688, 23),
    ("vgg19", "VGG19", 143_667_240, 20_024_384, 26),
    ("resnet50", "ResNet50", 25_636_712, 23_587_712, 177),
    ("resnet", "ResNet50", 25_636_712, 23_587_712, 177),
    ("resnet", "ResNet101", 44_707_176, 42_658_176, 347),
    ("resnet", "ResNet152", 60_419_944, 58_370_944, 517),
    ("resnet_v2", "ResNet50V2", 25_613_800, 23_564_800, 192),
    ("resnet_v2", "ResNet101V2", 44_675_560, 42_626_560, 379),
    ("resnet_v2", "ResNet152V2", 60_380_648, 58_331_648, 566),
    ("resnext", "ResNeXt50", 25_097_128, 23_048_128, 241),
    ("resnext", "ResNeXt101", 44_315_560, 42_266_560, 479),
    ("inception_v3", "InceptionV3", 23_851_784, 21_802_784, 313),
    ("inception_resnet_v2", "InceptionResNetV2", 55_873_736, 54_336_736, 782),
    ("xception", "Xception", 22_910_480, 20_861_480, 134),
    ("mobilenet", "MobileNet", 4_253_864, 3_228_864, 93),
    ("mobilenet_v2", "MobileNetV2", 3_538_984, 2_257_984, 157),
    ("densenet", "DenseNet121", 8_062_504, 7_037_504, 429),
    ("densenet", "DenseNet169", 14_307_880, 12_642_880, 597),
    ("densenet", "DenseNet201", 20_242_984, 18_321_984, 709),
    ("nasnet", "NASNetMobile", 5_326_716, 4_269_716, 771),
    ("nasnet", "NASNetLarge", 88_949_818, 84_916_818, 1041),
]


def find(module, name):
    return getattr(importlib.import_module(f"hornbeam.applications.{module}"), name)


@pytest.mark.parametrize(("module", "name", "with_top", "without_top", "depth"), PUBLISHED)
def test_parameters(module, name, with_top, without_top, depth):
    model = find(module, name)(weights=None)
    assert model.count_params() == with_top
    assert len(model.layers) == depth
    assert model.output_shape == (None, 1000)
    top = {"vgg16": 3, "vgg19": 3}.get(module, 1)  # layers of the top that have weights
    below = [layer for layer in model.layers if layer.weights][:-top]
    assert sum(layer.count_params() for layer in below) == without_top


def test_names_at_the_package():
    assert applications.ResNet50 is find("resnet50", "ResNet50")
    assert applications.ResNet101 is find("resnet", "ResNet101")
    for name in applications.__all__:
        assert callable(getattr(applications, name))


def layer_names(model):
    return [layer.name for layer in model.layers if layer.weights]


@pytest.mark.parametrize(
    ("module", "name", "first", "last"),
    [
        ("resnet50", "ResNet50", "conv1 bn_conv1 res2a_branch2a bn2a_branch2a", "bn5c_branch2b res5c_branch2c bn5c_branch2c fc1000"),
        ("resnet", "ResNet50", "conv1_conv conv1_bn conv2_block1_1_conv", "conv5_block3_3_conv conv5_block3_3_bn probs"),
        ("mobilenet", "MobileNet", "conv1 conv1_bn conv_dw_1 conv_dw_1_bn conv_pw_1", "conv_pw_13 conv_pw_13_bn conv_preds"),
        ("mobilenet_v2", "MobileNetV2", "Conv1 bn_Conv1 expanded_conv_depthwise", "block_16_project_BN Conv_1 Conv_1_bn Logits"),
        ("densenet", "DenseNet121", "conv1/conv conv1/bn conv2_block1_0_bn", "conv5_block16_2_conv bn fc1000"),
        ("xception", "Xception", "block1_conv1 block1_conv1_bn block1_conv2", "block14_sepconv2 block14_sepconv2_bn predictions"),
    ],
)  # fmt: skip
def test_layer_names(module, name, first, last):
    names = layer_names(find(module, name)(weights=None))
    first, last = first.split(), last.split()
    assert names[: len(first)] == first
    assert names[-len(last) :] == last


SMALL = [
    ("mobilenet", "MobileNet", {"alpha": 0.25, "input_shape": (32, 32, 3)}, (256,)),
    ("mobilenet_v2", "MobileNetV2", {"alpha": 0.35, "input_shape": (33, 32, 3)}, (1280,)),
    ("nasnet", "NASNetMobile", {"input_shape": (32, 32, 3)}, (1056,)),
    ("inception_v3", "InceptionV3", {"input_shape": (75, 75, 3)}, (2048,)),
]


@pytest.mark.parametrize(("module", "name", "arguments", "features"), SMALL)
def test_small_images_end_to_end(module, name, arguments, features):
    model = find(module, name)(weights=None, include_top=False, pooling="avg", **arguments)
    images = np.random.default_rng(0).normal(size=(2, *arguments["input_shape"])).astype("float32")
    out = model.predict(images)
    assert out.shape == (2, *features)
    assert np.isfinite(out).all()
    assert np.abs(out[0] - out[1]).max() > 0  # it looks at the images
    np.testing.assert_allclose(out[1], model.predict(images[1:])[0], rtol=1e-4, atol=1e-5)


def small_mobilenet(**arguments):
    return applications.MobileNet(alpha=0.25, input_shape=(32, 32, 3), classes=5, **arguments)


def test_weights_from_a_file(tmp_path):
    path = str(tmp_path / "weights.h5")
    model = small_mobilenet(weights=None)
    model.save_weights(path)
    with h5py.File(path) as file:
        weights = file["conv_dw_1"].attrs["weight_names"]
        assert [file["conv_dw_1"][name].shape for name in weights] == [(3, 3, 8, 1)]
    images = np.random.default_rng(1).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    again = small_mobilenet(weights=path)
    np.testing.assert_array_equal(again.predict(images), model.predict(images))
    np.testing.assert_allclose(model.predict(images).sum(axis=1), 1, rtol=1e-5)


def test_training_changes_weights():
    model = small_mobilenet(weights=None)
    model.compile("sgd", "categorical_crossentropy")
    before = model.get_layer("conv1").get_weights()[0]
    images = np.random.default_rng(3).normal(size=(5, 32, 32, 3)).astype("float32")
    model.train_on_batch(images, np.eye(5, dtype="float32"))
    assert np.abs(model.get_layer("conv1").get_weights()[0] - before).max() > 0


#: The smallest of each family, and the smallest images it takes.
FAMILIES = [
    ("VGG16", 32), ("ResNet50", 32), ("ResNet50V2", 32), ("InceptionV3", 75), ("InceptionResNetV2", 75), ("Xception", 71),
    ("MobileNet", 32), ("MobileNetV2", 32), ("DenseNet121", 32), ("NASNetMobile", 32),
]  # fmt: skip


@pytest.mark.parametrize(("name", "size"), FAMILIES)
def test_a_step_of_training(name, size):
    base = getattr(applications, name)(weights=None, include_top=False, pooling="avg", input_shape=(size, size, 3))
    model = models.Model(base.input, layers.Dense(3, activation="softmax")(base.output))
    model.compile("sgd", "categorical_crossentropy")
    watched = [layer for layer in model.layers if layer.trainable_weights]
    before = [layer.get_weights()[0] for layer in (watched[0], watched[-1])]
    images = np.random.default_rng(3).normal(size=(2, size, size, 3)).astype("float32")
    assert np.isfinite(model.train_on_batch(images, np.eye(3, dtype="float32")[:2]))
    for layer, kernel in zip((watched[0], watched[-1]), before):
        assert np.abs(layer.get_weights()[0] - kernel).max() > 0, layer.name


@pytest.mark.parametrize(("name", "size"), FAMILIES[:-1])
def test_weights_serve_images_of_any_size(name, size):
    function = getattr(applications, name)
    any_size = function(weights=None, include_top=False, input_shape=(None, None, 3))
    shape = (size, size + 32, 3)
    fixed = function(weights=None, include_top=False, input_shape=shape)
    fixed.set_weights(any_size.get_weights())
    images = np.random.default_rng(4).normal(size=(1, *shape)).astype("float32")
    expected = fixed.predict(images)
    np.testing.assert_allclose(any_size.predict(images), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_nasnet_is_made_for_one_size_and_its_weights_for_all():
    with pytest.raises(ValueError, match="known size"):
        applications.NASNetMobile(weights=None, include_top=False, input_shape=(None, None, 3))
    small = applications.NASNetMobile(weights=None, include_top=False, input_shape=(32, 32, 3))
    wide = applications.NASNetMobile(weights=None, include_top=False, input_shape=(64, 96, 3))
    wide.set_weights(small.get_weights())
    assert wide.predict(np.zeros((1, 64, 96, 3))).shape == (1, 2, 3, 1056)


def test_model_on_top_of_a_tensor():
    image = layers.Input((32, 32, 3), name="pixels")
    scaled = layers.Lambda(lambda x: x / 255)(image)
    base = applications.MobileNetV2(weights=None, include_top=False, alpha=0.35, input_tensor=scaled)
    assert base.input_names == ["pixels"]
    assert base.output_shape == (None, 1, 1, 1280)
    head = models.Model(base.inputs, layers.Dense(3)(layers.Flatten()(base.output)))
    assert head.output_shape == (None, 3)


def test_channels_first_has_the_same_weights():
    last = applications.DenseNet121(weights=None)
    K.set_image_data_format("channels_first")
    try:
        first = applications.DenseNet121(weights=None)
        assert first.input_shape == (None, 3, 224, 224)
        with pytest.warns(UserWarning, match="channels-last"):
            nasnet = applications.NASNetMobile(weights=None)
        assert nasnet.input_shape == (None, 224, 224, 3)
        assert K.image_data_format() == "channels_first"
    finally:
        K.set_image_data_format("channels_last")
    assert layer_names(first) == layer_names(last)
    assert [K.int_shape(w) for w in first.weights] == [K.int_shape(w) for w in last.weights]


@pytest.mark.parametrize(
    ("size", "kernel", "padding"), [(8, 3, (0, 1)), (9, 3, (1, 1)), (8, 5, (1, 2)), (9, 7, (3, 3)), (None, 3, (0, 1))]
)
def test_halving_padding(size, kernel, padding):
    """A padded convolution of stride 2 covers what 'same' padding covers; rows and columns on their own."""
    width = None if size is None else 8
    image = layers.Input((size, width, 3))
    rows, columns = halving_padding(image, kernel)
    assert rows == padding
    assert columns == (kernel // 2 - 1, kernel // 2)


def test_saved_inception_resnet_loads_in_a_new_process(tmp_path):
    """Its Lambda layers hold a function, which the new process knows because it imports the module."""
    path = tmp_path / "model.json"
    path.write_text(applications.InceptionResNetV2(weights=None, include_top=False).to_json())
    script = (
        "import sys; import hornbeam.applications.inception_resnet_v2; from hornbeam.models import model_from_json; "
        "print(model_from_json(open(sys.argv[1]).read()).count_params())"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 54_336_736


def test_submodules_are_ignored():
    model = small_mobilenet(weights=None, backend=K, layers=layers, models=models, utils=None)
    assert model.name == "mobilenet_0.25_32"
    with pytest.raises(TypeError):
        small_mobilenet(weights=None, engine=None)


# Weight files


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No network, an empty cache; gives the list of addresses asked for."""
    asked = []

    def refuse(url, **_):
        asked.append(url)
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", None)
    return asked


@pytest.mark.parametrize(
    ("module", "name", "arguments", "file"),
    [
        ("resnet50", "ResNet50", {"include_top": False}, "v0.2/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"),
        ("resnet", "ResNet50", {}, "resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5"),
        ("mobilenet", "MobileNet", {"alpha": 0.5, "input_shape": (160, 160, 3)}, "v0.6/mobilenet_5_0_160_tf.h5"),
        ("mobilenet_v2", "MobileNetV2", {"alpha": 1.4, "input_shape": (96, 96, 3), "include_top": False},
         "v1.1/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.4_96_no_top.h5"),
        ("nasnet", "NASNetMobile", {}, "v1.2/NASNet-mobile.h5"),
    ],
)  # fmt: skip
def test_published_weights_offline(offline, module, name, arguments, file):
    with pytest.raises(OSError, match=r"ImageNet weights cannot be downloaded.*no network"):
        find(module, name)(**arguments)
    assert len(offline) == 1 and offline[0].endswith(f"/releases/download/{file}")


def test_published_weights_in_the_cache_are_loaded(offline, tmp_path):
    (tmp_path / "models").mkdir()
    model = applications.MobileNet(weights=None, alpha=0.25, include_top=False, input_shape=(128, 128, 3))
    model.save_weights(str(tmp_path / "models" / "mobilenet_2_5_128_tf_no_top.h5"))
    again = applications.MobileNet(alpha=0.25, include_top=False, input_shape=(128, 128, 3))
    assert not offline
    for one, other in zip(model.get_weights(), again.get_weights()):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("VGG16", {"weights": "no/such/file.h5"}, "path of a file"),
        ("VGG16", {"classes": 10}, "1000 classes"),
        ("VGG16", {"input_shape": (100, 100, 3)}, r"must be \(224, 224, 3\)"),
        ("VGG16", {"weights": None, "input_shape": (31, 64, 3)}, "at least 32x32"),
        ("Xception", {"weights": None, "input_shape": (70, 71, 3)}, "at least 71x71"),
        ("ResNet50", {"weights": None, "input_shape": (None, None, 3)}, "known size"),
        ("ResNet50", {"include_top": False, "input_shape": (64, 64, 1)}, "3 channels"),
        ("ResNet50", {"weights": None, "input_shape": (64, 64)}, "three integers"),
        ("MobileNet", {"alpha": 0.3}, "alpha one of 0.25"),
        ("MobileNetV2", {"alpha": 0.3}, "alpha one of"),
    ],
)
def test_arguments_that_do_not_fit(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(applications, name)(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"penultimate_filters": 100}, "multiple of 24"), ({"weights": "imagenet", "default_size": 64}, "224 or 331")],
)
def test_nasnet_of_another_size(arguments, message):
    with pytest.raises(ValueError, match=message):
        NASNet(**arguments)
    model = NASNet((32, 32, 3), penultimate_filters=96, num_blocks=1, stem_block_filters=8, classes=4)
    assert model.output_shape == (None, 4)


def test_tensor_and_shape_that_disagree():
    with pytest.raises(ValueError, match="input_tensor"):
        applications.MobileNetV2(weights=None, input_tensor=layers.Input((64, 64, 3)), input_shape=(32, 32, 3))


def test_unusual_number_of_channels():
    with pytest.warns(UserWarning, match="1 or 3 channels"):
        model = applications.MobileNet(weights=None, input_shape=(32, 32, 4), alpha=0.25, include_top=False)
    assert model.input_shape == (None, 32, 32, 4)


# Preprocessing and decoding

PIXELS = np.random.default_rng(2).integers(0, 256, (2, 4, 5, 3))
EXPECTED = {
    "tf": PIXELS / 127.5 - 1,
    "torch": (PIXELS / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
    "caffe": PIXELS[..., ::-1] - [103.939, 116.779, 123.68],
}


@pytest.mark.parametrize("mode", EXPECTED)
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("symbolic", [True, False])
def test_preprocess_input(mode, data_format, batch, symbolic):
    images, expected = (PIXELS, EXPECTED[mode]) if batch else (PIXELS[0], EXPECTED[mode][0])
    if data_format == "channels_first":
        images, expected = np.moveaxis(images, -1, -3), np.moveaxis(expected, -1, -3)
    x = K.constant(images) if symbolic else images
    out = imagenet_utils.preprocess_input(x, data_format=data_format, mode=mode)
    np.testing.assert_allclose(K.eval(out) if symbolic else out, expected, rtol=1e-5, atol=2e-5)


def test_preprocess_input_overwrites_floats():
    images = PIXELS.astype("float32")
    out = applications.densenet.preprocess_input(images)
    assert out.dtype == np.float32 and np.shares_memory(out, images)
    np.testing.assert_allclose(images, EXPECTED["torch"], rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(applications.vgg16.preprocess_input(PIXELS), EXPECTED["caffe"], rtol=1e-5, atol=2e-5)
    np.testing.assert_allclose(applications.xception.preprocess_input(PIXELS), EXPECTED["tf"], rtol=1e-5, atol=2e-5)


def test_preprocess_input_refuses():
    with pytest.raises(ValueError, match="data_format"):
        imagenet_utils.preprocess_input(PIXELS, data_format="rows")
    with pytest.raises(ValueError, match="mode"):
        imagenet_utils.preprocess_input(PIXELS, mode="pytorch")


def test_decode_predictions(monkeypatch, tmp_path):
    path = tmp_path / "imagenet_class_index.json"
    path.write_text(json.dumps({str(i): [f"n{i:08}", f"class {i}"] for i in range(1000)}))
    asked = []
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", None)
    monkeypatch.setattr(imagenet_utils.data_utils, "get_file", lambda *a, **k: asked.append((a, k)) or str(path))
    scores = np.zeros((2, 1000))
    scores[0, [3, 999]] = 0.7, 0.2
    scores[1, 0] = 1
    decoded = imagenet_utils.decode_predictions(scores, top=2)
    assert decoded[0] == [("n00000003", "class 3", 0.7), ("n00000999", "class 999", 0.2)]
    assert decoded[1][0] == ("n00000000", "class 0", 1.0)
    assert len(applications.nasnet.decode_predictions(scores)[1]) == 5
    ((arguments, options),) = asked  # the file is read once
    assert arguments[0] == "imagenet_class_index.json"
    assert options == {"cache_subdir": "models", "file_hash": "c2c37ea517e94d9795004a39431a14cb"}
    with pytest.raises(ValueError, match=r"\(samples, 1000\)"):
        imagenet_utils.decode_predictions(scores[:, :10])


def test_decode_predictions_offline(offline):
    with pytest.raises(OSError, match=r"imagenet_class_index\.json.*no network"):
        imagenet_utils.decode_predictions(np.zeros((1, 1000)))


def test_blocks_that_models_are_made_of():
    x = layers.Input((8, 8, 16))
    y = resnet50.conv_block(x, 3, (4, 4, 8), stage=2, block="a")
    y = resnet50.identity_block(y, 3, (4, 4, 8), stage=2, block="b")
    model = models.Model(x, y)
    assert model.output_shape == (None, 4, 4, 8)
    assert {"res2a_branch1", "bn2b_branch2c"} <= {layer.name for layer in model.layers}
    y = densenet.transition_block(densenet.dense_block(x, 2, "d"), 0.5, "t")
    assert models.Model(x, y).output_shape == (None, 4, 4, (16 + 2 * 32) // 2)
    assert densenet.conv_block(x, 5, "c").shape == (None, 8, 8, 21)
    small = densenet.DenseNet((1, 1, 1, 1), weights=None, input_shape=(32, 32, 3), classes=4)
    assert small.name == "densenet" and small.output_shape == (None, 4)
    with pytest.raises(ValueError, match="no published weights"):
        densenet.DenseNet((1, 1, 1, 1))
    y = inception_v3.conv2d_bn(x, 4, 1, 3, name="mix")
    assert [layer.name for layer in models.Model(x, y).layers[1:]] == ["mix_conv", "mix_bn", "mix"]
    y = inception_resnet_v2.inception_resnet_block(x, 0.1, "block8", 7)
    assert models.Model(x, y).output_shape == (None, 8, 8, 16)
    with pytest.raises(ValueError, match="block type 'block9'"):
        inception_resnet_v2.inception_resnet_block(x, 0.1, "block9", 1)


def test_a_residual_network_with_stages_of_ones_own():
    def stages(x):
        x = resnet_common.stack1(x, 4, 2, stride1=1, name="a")
        x = resnet_common.stack2(x, 4, 2, name="b")
        return resnet_common.stack3(x, 64, 2, name="c")

    model = resnet_common.ResNet(stages, True, False, "mine", weights=None, input_shape=(32, 32, 3), classes=5)
    assert model.name == "mine" and model.output_shape == (None, 5)
    assert model.get_layer("c_block2_out").output_shape == (None, 2, 2, 128)
    with pytest.raises(ValueError, match="no published weights for 'mine'"):
        resnet_common.ResNet(stages, True, False, "mine")


def test_grouped_convolution_sees_its_own_group_alone():
    x = layers.Input((5, 5, 8))
    model = models.Model(x, resnet_common.block3(x, 8, groups=2, name="g"))
    seen = model.get_layer("g_1_relu").output
    inner = K.function([x], [seen, model.get_layer("g_2_reduce").output])
    before, after = inner([np.random.RandomState(0).uniform(size=(1, 5, 5, 8))])
    kernel = model.get_layer("g_2_conv").get_weights()[0]  # (3, 3, channels, outputs of each)
    window = before[0, :3, :3]
    expected = [np.einsum("hwi,hwim->m", window[..., g], kernel[:, :, g]) for g in (np.s_[:4], np.s_[4:])]
    np.testing.assert_allclose(after[0, 1, 1], expected, rtol=1e-4, atol=1e-6)
