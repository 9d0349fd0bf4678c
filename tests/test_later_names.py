"""Names and arguments that tf.keras 2.15 has besides those of Keras 2.3.1."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import callbacks, constraints, initializers, layers, metrics, models, regularizers, saving, utils
from hornbeam.preprocessing import image, text


def test_initializers_and_regularizers_by_their_class_names():
    assert initializers.GlorotUniform(seed=1).get_config() == initializers.glorot_uniform(1).get_config()
    assert initializers.variance_scaling is initializers.VarianceScaling
    assert regularizers.L2(0.5).get_config() == {"l1": 0.0, "l2": 0.5} and float(regularizers.L1(l1=0.5).l1) == 0.5


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal_regularizer(mode, rng):
    matrix = rng.normal(size=(3, 4))
    rows = matrix if mode == "rows" else matrix.T
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = abs(rows @ rows.T)[np.triu_indices(len(rows), 1)]
    penalty = regularizers.OrthogonalRegularizer(0.1, mode)
    np.testing.assert_allclose(K.eval(penalty(K.constant(matrix))), 0.1 * cosines.mean(), rtol=1e-5)
    copy = regularizers.get({"class_name": "OrthogonalRegularizer", "config": penalty.get_config()})
    assert copy.mode == mode
    with pytest.raises(ValueError, match="for matrices"):
        penalty(K.constant(matrix[0]))


def test_radial_kernels():
    kernel = np.arange(25.0).reshape(5, 5, 1, 1)
    rings = K.eval(constraints.RadialConstraint()(K.constant(kernel)))[..., 0, 0]
    ring = np.maximum(*abs(np.mgrid[-2:3, -2:3]))
    np.testing.assert_array_equal(rings, np.choose(ring, [6, 12, 18]))


def test_an_input_of_one_batch_size():
    assert K.int_shape(layers.Input((3, 2), batch_size=4)) == (4, 3, 2)
    with pytest.raises(ValueError, match=r"[Rr]agged"):
        layers.Input((3,), ragged=True)


def test_early_stopping_counts_from_an_epoch_on():
    model = models.Sequential([layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    stop = callbacks.EarlyStopping(monitor="loss", min_delta=1e9, patience=2, start_from_epoch=3)
    history = model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=20, verbose=0, callbacks=[stop])
    assert len(history.epoch) == 6  # the first that counts is the best


def test_layers_are_cloned_by_a_function():
    model = models.Sequential([layers.Dense(2, input_shape=(3,)), layers.Dropout(0.5), layers.Dense(1)])

    def without_dropout(layer):
        return (
            layers.Activation("linear")
            if isinstance(layer, layers.Dropout)
            else type(layer).from_config(layer.get_config())
        )

    kinds = [type(layer).__name__ for layer in models.clone_model(model, clone_function=without_dropout).layers]
    assert kinds == ["Dense", "Activation", "Dense"]


def test_other_names():
    assert saving.register_keras_serializable is utils.register_keras_serializable
    assert metrics.KLD is metrics.kullback_leibler_divergence and metrics.log_cosh is metrics.logcosh
    assert layers.Convolution3DTranspose is layers.Conv3DTranspose
    assert utils.pad_sequences([[1]], 3).tolist() == [[0, 0, 1]]
    assert utils.to_ordinal([[0], [2], [1]]).tolist() == [[0, 0], [1, 1], [1, 0]]
    assert utils.to_ordinal([1], num_classes=4).tolist() == [[1, 0, 0]]


def test_what_layers_say_of_themselves():
    inner = layers.Dense(1, input_shape=(2,))
    model = models.Sequential([inner])
    assert inner in model.submodules and inner.compute_dtype == inner.variable_dtype == "float32" and not inner.dynamic
    with inner.name_scope as scope:
        assert scope.startswith(inner.name)


def test_weights_by_their_paths():
    class Both(models.Model):
        def __init__(self):
            super().__init__()
            self.layer1, self.others = layers.Dense(3), [layers.Dense(2), layers.BatchNormalization()]
            self.tail = models.Sequential([layers.Dropout(0.1), layers.Dense(1), layers.LSTM(1)])

        def call(self, x):
            for layer in (self.layer1, *self.others):
                x = layer(x)
            return self.tail(K.expand_dims(x, 1))

    model = Both()
    assert model.get_weight_paths() == {}
    model.predict(np.ones((2, 4)))
    paths = model.get_weight_paths()
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    assert list(paths) == [
        "layer1.kernel", "layer1.bias", "others.0.kernel", "others.0.bias", *(f"others.1.{name}" for name in names),
        "tail.layer_with_weights-0.kernel", "tail.layer_with_weights-0.bias",
        *(f"tail.layer_with_weights-1.cell.{name}" for name in ("kernel", "recurrent_kernel", "bias")),
    ]  # fmt: skip
    assert paths["others.1.beta"] is model.others[1].beta
    x = layers.Input((4,))
    functional = models.Model(x, models.Sequential([layers.Dense(1, name="b")])(layers.Dense(2, name="a")(x)))
    inner = functional.layers[-1].name
    assert list(functional.get_weight_paths()) == [
        *("a.kernel", "a.bias"),
        *(f"{inner}.layer_with_weights-0.{name}" for name in ("kernel", "bias")),
    ]


def test_how_a_model_runs():
    model = models.Sequential([layers.Dense(1, input_shape=(1,))])
    assert model.steps_per_execution is None and not model.autotune_steps_per_execution
    model.compile("sgd", "mse", steps_per_execution=4)
    assert K.eval(model.steps_per_execution) == 4
    model.steps_per_execution = 2
    assert K.eval(model.steps_per_execution) == 2
    with pytest.raises(ValueError, match="positive"):
        model.steps_per_execution = 0
    model.compile("sgd", "mse", steps_per_execution="auto")
    assert K.eval(model.steps_per_execution) == 1 and model.autotune_steps_per_execution
    assert model.distribute_reduction_method == "auto"
    with model.distribute_strategy.scope() as strategy:
        assert strategy.num_replicas_in_sync == 1
        means = strategy.reduce("MEAN", np.array([[1.0, 3.0], [5.0, 7.0]]), axis=0)
    np.testing.assert_array_equal(K.eval(means), [3, 5])


def test_what_is_made_under_a_layers_name():
    class Scaled(layers.Layer):
        @layers.Layer.with_name_scope
        def make(self):
            self.scale = K.variable(2.0, name="scale")
            self.shift = self.add_variable("shift", shape=(1,))
            return self.scale.name

    layer = Scaled(name="scaled")
    assert layer.make() == "scaled/scale:0" and [w.shape for w in layer.weights] == [(), (1,)]


def test_signatures_of_outputs(eager):
    from hornbeam.tf import NAMES

    spec = NAMES["TensorSpec"]
    layer = layers.Dense(3)
    assert layer.compute_output_signature(spec((None, 4), "float32")) == spec((None, 3), "float32")
    double = layers.Dense(3, dtype="float64").compute_output_signature(spec((2, 4), "float64"))
    assert double == spec((2, 3), "float64")
    joined = layers.Concatenate().compute_output_signature([spec((None, 4)), spec((None, 2))])
    assert joined == spec((None, 6))
    with pytest.raises(TypeError, match="Only TensorSpec"):
        layer.compute_output_signature((None, 4))


# -- arguments ---------------------------------------------------------------------------------------------------------
def test_a_list_of_callbacks_by_itself():
    model = models.Sequential([layers.Dense(1, input_shape=(1,))])
    own = callbacks.Callback()
    hooks = callbacks.CallbackList([own], add_history=True, model=model, epochs=2, verbose=0)
    assert own.model is model and own.params == {"epochs": 2, "verbose": 0}
    hooks.on_train_begin()
    for epoch in range(2):
        hooks.on_epoch_begin(epoch)
        hooks.on_epoch_end(epoch, {"loss": float(epoch)})
    assert model.history.history == {"loss": [0, 1]} and hooks.callbacks[-1] is model.history
    shown = callbacks.CallbackList(add_progbar=True, model=model, epochs=1, steps=2, verbose=1)
    assert isinstance(shown.callbacks[0], callbacks.ProgbarLogger)
    known = callbacks.History()
    assert callbacks.CallbackList([known], add_history=True, model=model).callbacks == [known]


def test_texts_by_the_later_arguments():
    assert text.text_to_word_sequence(input_text="A b") == ["a", "b"]
    assert text.hashing_trick("a-b", 9, "md5", analyzer=lambda t: t.split("-")) == text.hashing_trick("a b", 9, "md5")
    assert text.one_hot(input_text="a b", n=9, analyzer=lambda t: ["b"]) == text.one_hot("b", 9)


def test_pictures_by_the_later_arguments(tmp_path, rng):
    pytest.importorskip("PIL")
    picture = rng.randint(0, 255, (8, 12, 3)).astype("uint8")
    (tmp_path / "a").mkdir()
    image.save_img(tmp_path / "a" / "x.png", picture, scale=False)
    path = str(tmp_path / "a" / "x.png")
    whole = image.img_to_array(image.load_img(path, target_size=(4, 4), keep_aspect_ratio=True))
    part = image.array_to_img(picture[:, 2:10], scale=False).resize((4, 4), 0)
    np.testing.assert_array_equal(whole, image.img_to_array(part))
    generator = image.ImageDataGenerator(validation_split=0.5)
    flow = generator.flow_from_directory(str(tmp_path), target_size=(4, 4), keep_aspect_ratio=True, class_mode=None)
    np.testing.assert_array_equal(next(flow)[0], whole)
    x, y = np.zeros((4, 2, 2, 1)), np.array([0.1, 0.2, 0.3, 0.4])
    with pytest.raises(ValueError, match="different number of classes"):
        generator.flow(x, y, subset="training")
    assert len(generator.flow(x, y, subset="training", ignore_class_split=True).y) == 2
    dark = np.full((2, 2, 3), 100.0)
    np.testing.assert_array_equal(image.apply_brightness_shift(dark, 0.5, scale=False), np.full((2, 2, 3), 50.0))
    assert image.random_brightness(dark, (0.5, 0.5), scale=False).max() == 50
    wide = np.array([-255.0, 0.0, 255.0]).reshape(1, 3, 1).repeat(3, -1)
    got = image.apply_brightness_shift(wide, 1.0, scale=False)
    np.testing.assert_allclose(got, wide, atol=2.1)


def test_layers_by_the_later_arguments(eager):
    from hornbeam.tf import NAMES

    spec = layers.InputLayer(type_spec=NAMES["TensorSpec"]((None, 3), "int32"))
    assert spec.batch_input_shape == (None, 3) and spec.dtype == "int32"
    with pytest.raises(ValueError, match="Ragged"):
        layers.InputLayer((3,), ragged=True)

    class Own(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight("w", (2,), use_resource=True, synchronization=None, aggregation=None)

    Own().build(None)
    twice = layers.Bidirectional(layers.GRU(2, stateful=True), batch_input_shape=(1, 3, 4))
    twice(layers.Input(batch_shape=(1, 3, 4)))
    twice.reset_states([np.full((1, 2), 1.0), np.full((1, 2), 2.0)])
    assert [K.get_value(layer.states[0]).tolist() for layer in (twice.forward_layer, twice.backward_layer)] == [
        [[1, 1]],
        [[2, 2]],
    ]
    items = utils.GeneratorEnqueuer(generator=iter([1, 2]))
    assert list(items.sequence) == [1, 2]
    assert K.int_shape(K.placeholder((2, 3), ragged=False)) == (2, 3)
    assert K.int_shape(K.print_tensor(K.placeholder((2,)), summarize=1)) == (2,)
