"""The fifth note: what a Keras program consists of, and the names of everything it may use."""

import h5py
import hornbeam as keras
import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import Activation, BatchNormalization, Conv2D, Dense, Flatten, Input
from hornbeam.models import Model, Sequential, load_model

DATA = np.random.RandomState(0).rand(40, 6)
LABELS = keras.utils.to_categorical(np.random.RandomState(1).randint(0, 2, 40))

#: Each name of the note, by the module that it is said to be in.
NAMES = {
    "models": "Sequential Model load_model",
    "layers": """
        Dense Activation Dropout Flatten Input Reshape Permute RepeatVector Lambda ActivityRegularization Masking
        SpatialDropout1D SpatialDropout2D SpatialDropout3D Conv1D Conv2D SeparableConv1D SeparableConv2D
        Conv2DTranspose Conv3D Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D
        ZeroPadding2D ZeroPadding3D MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D
        AveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GlobalAveragePooling1D
        GlobalAveragePooling2D GlobalAveragePooling3D LocallyConnected1D LocallyConnected2D RNN GRU LSTM Embedding Add
        Subtract Multiply Average Maximum Concatenate Dot Softmax ReLU LeakyReLU PReLU ELU ThresholdedReLU
        BatchNormalization GaussianNoise GaussianDropout AlphaDropout TimeDistributed Bidirectional Layer""",
    "losses": "mean_squared_error categorical_crossentropy",
    "metrics": "binary_accuracy categorical_accuracy",
    "optimizers": "SGD RMSprop Adagrad Adadelta Adam Adamax Nadam TFOptimizer",
    "activations": "softmax relu sigmoid tanh linear",
    "initializers": """
        Initializer Zeros Ones Constant RandomNormal RandomUniform TruncatedNormal VarianceScaling Orthogonal Identity
        lecun_uniform glorot_normal glorot_uniform he_normal lecun_normal he_uniform""",
    "regularizers": "l1 l2 l1_l2",
    "constraints": "max_norm non_neg unit_norm min_max_norm",
    "callbacks": """
        Callback BaseLogger History ModelCheckpoint EarlyStopping LearningRateScheduler TensorBoard CSVLogger
        ReduceLROnPlateau LambdaCallback TerminateOnNaN ProgbarLogger RemoteMonitor""",
    "datasets": "mnist fashion_mnist cifar10 cifar100 imdb reuters boston_housing",
    "applications": """
        Xception VGG16 VGG19 ResNet50 InceptionV3 InceptionResNetV2 MobileNet DenseNet121 NASNetMobile""",
    "utils": "to_categorical normalize get_file print_summary plot_model multi_gpu_model HDF5Matrix",
}


@pytest.mark.parametrize("module, name", [(module, name) for module, names in NAMES.items() for name in names.split()])
def test_name(module, name):
    assert hasattr(getattr(keras, module), name)


def test_a_program_from_model_to_prediction():
    model = Sequential()
    model.add(Dense(8, activation="relu", input_shape=(6,)))
    model.add(Dense(2, activation="softmax"))
    model.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy"])
    model.fit(DATA, LABELS, epochs=2, batch_size=8, verbose=0)
    model.train_on_batch(DATA[:8], LABELS[:8])
    loss, accuracy = model.evaluate(DATA, LABELS, batch_size=8, verbose=0)
    assert np.isfinite(loss) and 0 <= accuracy <= 1
    predicted = model.predict(DATA)
    assert np.array_equal(model.predict_on_batch(DATA), predicted) and len(model.test_on_batch(DATA, LABELS)) == 2


def test_pipes_are_laid_before_water_flows():
    x = K.placeholder((None, 2))
    y = K.sum(K.square(x), axis=-1)
    assert np.array_equal(K.function([x], [y])([np.array([[3.0, 4.0]])])[0], [25])


def test_data_formats(rng):
    x = rng.rand(2, 5, 6, 3)  # samples, height, width, channels
    last = Conv2D(4, 3, data_format="channels_last")
    expected = np.asarray(last(x))
    first = Conv2D(4, 3, data_format="channels_first")
    first.build((None, 3, 5, 6))
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(np.asarray(first(x.transpose(0, 3, 1, 2))).transpose(0, 2, 3, 1), expected, atol=1e-5)


def test_a_sequential_model_as_a_functional_one():
    model = Sequential([Dense(3, activation="relu", input_shape=(6,)), Dense(2)])
    x = Input((6,))
    y = x
    for layer in model.layers:
        y = layer(y)
    assert np.array_equal(Model(x, y).predict(DATA), model.predict(DATA))


def test_a_model_file_holds_architecture_weights_and_state_of_training(tmp_path):
    model = Sequential([Dense(3, activation="relu", input_shape=(6,)), BatchNormalization(), Dense(2)])
    model.compile("adam", "mse")
    model.fit(DATA, LABELS, epochs=1, verbose=0)
    path = str(tmp_path / "model.h5")
    model.save(path)
    with h5py.File(path) as file:
        assert {"model_weights", "optimizer_weights"} <= set(file) and {"model_config", "training_config"} <= set(
            file.attrs
        )
    copy = load_model(path)
    assert np.array_equal(copy.predict(DATA), model.predict(DATA))
    assert copy.train_on_batch(DATA, LABELS) == model.train_on_batch(DATA, LABELS)  # the optimizer goes on, too
    assert np.array_equal(copy.get_weights()[0], model.get_weights()[0])


def test_validation_split_comes_before_shuffling():
    model = Sequential([Dense(1, input_shape=(1,), kernel_initializer="zeros", trainable=False)])
    model.compile("sgd", "mse")
    y = np.r_[np.zeros(8), np.ones(2)]
    history = model.fit(np.zeros((10, 1)), y, validation_split=0.2, shuffle=True, verbose=0).history
    assert history["val_loss"] == [1.0] and history["loss"] == [0.0]


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_generators(kind):
    x = Input((6,))
    model = Model(x, Dense(2)(x)) if kind == "functional" else Sequential([Dense(2, input_shape=(6,))])
    model.compile("sgd", "mse")

    def batches():
        while True:
            yield DATA[:8], LABELS[:8]

    model.fit_generator(batches(), steps_per_epoch=2, epochs=2, verbose=0)
    assert np.isfinite(model.evaluate_generator(batches(), steps=2))
    assert model.predict_generator(batches(), steps=2).shape == (16, 2)
    assert model.get_layer(index=len(model.layers) - 1).units == 2


def test_image_data_generator(rng):
    images = rng.rand(8, 6, 6, 3) * 255
    generator = keras.preprocessing.image.ImageDataGenerator(
        featurewise_center=True, rotation_range=20, horizontal_flip=True
    )
    generator.fit(images)
    drawn = generator.get_random_transform((6, 6, 3), seed=1)
    transformed = generator.apply_transform(images[0], drawn)
    np.testing.assert_allclose(generator.random_transform(images[0], seed=1), transformed)
    np.testing.assert_allclose(generator.standardize(images[0].copy()), images[0] - generator.mean)
    x, y = next(generator.flow(images, np.arange(8), batch_size=4))
    assert x.shape == (4, 6, 6, 3) and y.shape == (4,)


def test_own_layer():
    class Doubled(keras.layers.Layer):
        def build(self, input_shape):
            self.factor = self.add_weight("factor", (input_shape[-1],), initializer="ones")
            super().build(input_shape)

        def call(self, x):
            return 2 * self.factor * x

        def compute_output_shape(self, input_shape):
            return input_shape

    model = Sequential([Doubled(input_shape=(6,)), Flatten(), Activation("linear")])
    np.testing.assert_allclose(model.predict(DATA), 2 * DATA, rtol=1e-6)
