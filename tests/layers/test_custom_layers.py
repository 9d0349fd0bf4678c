"""Layers that users write: several inputs and outputs, layers inside, losses, updates, masks, configs, debugging."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import constraints, initializers, regularizers
from hornbeam.layers import (
    LSTM,
    BatchNormalization,
    Dense,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Layer,
    Masking,
    TimeDistributed,
    Wrapper,
)
from hornbeam.models import Model, Sequential, load_model, model_from_json
from hornbeam.utils import CustomObjectScope, get_custom_objects
from hornbeam.utils.test_utils import layer_test


def arrays(rng, *shape):
    return rng.uniform(-1, 1, shape).astype("float32")


class Bilinear(Layer):
    """Two inputs, two outputs: a W b, and the product of each pair of features."""

    def __init__(self, units, regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.regularizer = regularizers.get(regularizer)

    def build(self, input_shape):
        assert isinstance(input_shape, list)
        (_, m), (_, n) = input_shape
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.units, m, n),
            initializer=initializers.RandomUniform(0.5, 1.0, seed=1),
            regularizer=self.regularizer,
            constraint=constraints.non_neg(),
        )
        super().build(input_shape)

    def call(self, inputs):
        a, b = inputs
        product = K.sum(K.dot(a, self.kernel) * K.expand_dims(b, 1), axis=-1)
        return [product, K.expand_dims(a, 2) * K.expand_dims(b, 1)]

    def compute_output_shape(self, input_shape):
        (batch, m), (_, n) = input_shape
        return [(batch, self.units), (batch, m, n)]

    def compute_mask(self, inputs, mask=None):
        return [None, None]

    def get_config(self):
        config = {"units": self.units, "regularizer": regularizers.serialize(self.regularizer)}
        return {**super().get_config(), **config}


class Block(Layer):
    """Layers in a layer, alone and in a list, one of them a model."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = Dense(units, activation="tanh", kernel_regularizer="l2")
        self.rest = [Dense(units), Sequential([Dense(units, input_shape=(units,))])]

    def call(self, inputs, training=None):
        x = self.first(inputs)
        for layer in self.rest:
            x = x + layer(x)
        return K.in_train_phase(x * 2.0, x, training=training)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Counting(Layer):
    """State that training updates, and a loss that depends on the inputs."""

    def build(self, input_shape):
        self.calls = self.add_weight(name="calls", shape=(), initializer="zeros", trainable=False)
        super().build(input_shape)

    def call(self, inputs):
        self.add_update([K.update_add(self.calls, 1.0)], inputs)
        self.add_loss(0.1 * K.mean(K.square(inputs)), inputs)
        return inputs * 1.0


class TestSeveralInputsAndOutputs:
    def test_values_training_and_files(self, tmp_path, rng):
        a, b = Input((3,)), Input((4,))
        layer = Bilinear(2, regularizer="l1", name="pair")
        y, outer = layer([a, b])
        assert K.int_shape(y) == (None, 2) and K.int_shape(outer) == (None, 3, 4)
        model = Model([a, b], [y, outer])
        data = [arrays(rng, 5, 3), arrays(rng, 5, 4)]
        (kernel,) = layer.get_weights()
        assert kernel.min() >= 0.5 and kernel.max() < 1.0
        want = [np.einsum("bi,uij,bj->bu", data[0], kernel, data[1]), np.einsum("bi,bj->bij", *data)]
        for got, expected in zip(model.predict(data), want):
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
        assert K.eval(model.losses[0]) == pytest.approx(0.01 * kernel.sum(), rel=1e-5)

        model.compile("sgd", "mse")
        model.optimizer.lr = 10.0
        model.train_on_batch(data, [np.full((5, 2), -100.0), want[1]])
        assert layer.get_weights()[0].min() == 0, "the constraint holds"
        path = str(tmp_path / "model.h5")
        model.save(path)
        for load in (
            lambda: load_model(path, custom_objects={"Bilinear": Bilinear}),
            lambda: within_scope(lambda: load_model(path)),
        ):
            for got, expected in zip(load().predict(data), model.predict(data)):
                np.testing.assert_array_equal(got, expected)
        with pytest.raises(ValueError, match="Unknown layer: Bilinear"):
            load_model(path)

    def test_json_and_the_global_registry(self):
        x = Input((3,))
        text = Model(x, Bilinear(2)([x, Dense(2)(x)])).to_json()
        get_custom_objects()["Bilinear"] = Bilinear
        try:
            assert model_from_json(text).layers[-1].units == 2
        finally:
            del get_custom_objects()["Bilinear"]


def within_scope(function):
    with CustomObjectScope({"Bilinear": Bilinear}):
        return function()


class TestLayersInside:
    def test_weights_are_tracked(self):
        block = Block(3, name="block")
        model = Sequential([Dense(3, input_shape=(4,)), block])
        assert len(block.trainable_weights) == 6 and len(model.trainable_weights) == 8
        assert len(block.losses) == 1 and len(model.losses) == 1
        block.trainable = False
        assert len(model.trainable_weights) == 2 and len(block.non_trainable_weights) == 6

    def test_layer_test(self):
        with CustomObjectScope({"Block": Block}):
            layer_test(Block, {"units": 3}, input_shape=(None, 4))

    def test_all_of_them_are_trained(self, rng):
        block = Block(3)
        model = Sequential([block])
        model.compile("sgd", "mse")
        x, y = arrays(rng, 8, 4), arrays(rng, 8, 3)
        model.train_on_batch(x, y)
        before = block.get_weights()
        model.train_on_batch(x, y)
        assert all((a != b).any() for a, b in zip(before, block.get_weights()))

    def test_the_phase_reaches_the_layer(self, rng):
        x = Input((4,))
        run = K.function([x, K.learning_phase()], [Block(3)(x)])
        data = arrays(rng, 2, 4)
        np.testing.assert_allclose(run([data, 1])[0], 2 * run([data, 0])[0], rtol=1e-6)

    def test_over_time(self, rng):
        x = arrays(rng, 2, 5, 4)
        block = Block(3)
        y = np.asarray(TimeDistributed(block)(x))
        np.testing.assert_allclose(y[:, 2], np.asarray(block(x[:, 2])), rtol=1e-5)


class TestLossesAndUpdates:
    def test_training_runs_them(self, rng):
        model = Sequential([Counting(input_shape=(3,)), Dense(1)])
        model.compile("sgd", "mse")
        x = arrays(rng, 6, 3)
        target = model.predict(x)
        loss = model.train_on_batch(x, target)
        assert loss == pytest.approx(0.1 * np.mean(x**2), rel=1e-4)
        model.fit(x, target, batch_size=2, epochs=2, verbose=0)
        assert model.layers[0].get_weights()[0] == 1 + 6
        model.predict(x)
        model.evaluate(x, target, verbose=0)
        assert model.layers[0].get_weights()[0] == 7, "only training counts"
        model.layers[0].trainable = False
        model.compile("sgd", "mse")
        model.train_on_batch(x, target)
        assert model.layers[0].get_weights()[0] == 7, "a frozen layer keeps its state"


class TestMasks:
    def test_a_layer_that_makes_reads_and_passes_one(self, rng):
        class Sum(Layer):
            """The sum over unmasked steps."""

            supports_masking = True

            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.supports_masking = True

            def call(self, inputs, mask=None):
                return K.sum(inputs * K.expand_dims(K.cast(mask, K.floatx())), axis=1)

            def compute_mask(self, inputs, mask=None):
                return None

            def compute_output_shape(self, input_shape):
                return (input_shape[0], input_shape[2])

        x = Input((4, 3))
        double = Lambda(lambda t: t * 2.0, mask=lambda t, mask: mask)(Masking()(x))
        data = arrays(rng, 2, 4, 3)
        data[0, 1] = data[1, 3] = 0
        model = Model(x, Dense(2, use_bias=False, kernel_initializer="ones")(Sum()(double)))
        np.testing.assert_allclose(
            model.predict(data), np.repeat(2 * data.sum((1, 2))[:, None], 2, 1), rtol=1e-5, atol=1e-5
        )

    def test_the_remedy_that_the_error_names(self):
        masked = Embedding(5, 2, mask_zero=True, input_length=4)
        with pytest.raises(TypeError, match=r"Layer flat does not support masking.*Lambda") as error:
            Sequential([masked, Flatten(name="flat")])
        remedy = str(error.value).split("`")[-2]
        drop = eval(remedy, {"Lambda": Lambda})
        assert Sequential([Embedding(5, 2, mask_zero=True, input_length=4), drop, Flatten()]).output_shape == (None, 8)


class TestDebugging:
    def test_arrays_are_computed_at_once(self, rng):
        layer = Bilinear(2)
        a, b = arrays(rng, 2, 3), arrays(rng, 2, 4)
        y, outer = layer([a, b])
        np.testing.assert_allclose(np.asarray(outer), a[:, :, None] * b[:, None], rtol=1e-6)
        assert y.numpy().shape == (2, 2) and layer._inbound_nodes == []
        assert K.eval(y).dtype == np.float32

    def test_an_error_inside_is_told_with_layer_and_shapes(self):
        class Wrong(Layer):
            def call(self, inputs):
                return K.dot(inputs, K.ones((5, 2)))

        with pytest.raises(ValueError, match=r'layer "oops" \(class Wrong, input shape \(None, 4\)\)'):
            Wrong(name="oops")(Input((4,)))

    @pytest.mark.parametrize(
        ("shape", "told", "counts"),
        [
            (lambda s: (s[0], 7), r"\(None, 7\), but `call` made \(None, 4\)", (None, 4)),
            (lambda s: (s[0], 4, 1), r"\(None, 4, 1\), but", (None, 4, 1)),
            (lambda s: [s, s], "but `call` made", (None, 4)),
        ],
        ids=["size", "rank", "number"],
    )
    def test_of_a_wrong_shape_the_rank_counts(self, shape, told, counts):
        class Wrong(Layer):
            def call(self, inputs):
                return inputs * 2.0

            def compute_output_shape(self, input_shape):
                return shape(input_shape)

        with pytest.warns(UserWarning, match=rf"`compute_output_shape` of layer oops \(class Wrong\).*{told}"):
            y = Wrong(name="oops")(Input((4,)))
        assert K.int_shape(y) == counts
        assert y.shape == (None, 4)

    def test_a_layer_may_compute_the_loss_and_call_it_a_column(self):
        class Loss(Layer):
            def call(self, inputs):
                wanted, got = inputs
                return K.mean(K.square(wanted - got))

            def compute_output_shape(self, input_shape):
                return (None, 1)

        x, wanted = Input((3,)), Input((2,))
        with pytest.warns(UserWarning, match="but `call` made"):
            model = Model([x, wanted], Loss()([wanted, Dense(2, name="got")(x)]))
        model.compile("sgd", loss=lambda target, loss: loss)
        rows, answers = np.random.RandomState(0).rand(2, 8, 3)
        losses = [model.train_on_batch([rows, answers[:, :2]], np.zeros((8, 1))) for _ in range(20)]
        dense = Model(x, model.get_layer("got").output)
        expected = np.mean((dense.predict(rows) - answers[:, :2]) ** 2)
        assert losses[-1] < losses[0]
        np.testing.assert_allclose(model.test_on_batch([rows, answers[:, :2]], np.zeros((8, 1))), expected, rtol=1e-5)

    def test_targets_have_the_shape_that_a_layer_states(self):
        x, y = Input((4,)), Input((4,))
        with pytest.warns(UserWarning, match=r"`output_shape` of layer loss"):
            loss = Lambda(lambda pair: K.sum(K.abs(pair[0] - pair[1]), axis=-1), output_shape=(1,), name="loss")([x, y])
        model = Model([x, y], [loss, y])
        model.compile("sgd", [lambda true, made: made, "mse"], loss_weights=[1.0, 0.0])
        ones = np.ones((6, 4))
        assert model.train_on_batch([ones, 0 * ones], [np.zeros((6, 1)), ones])[0] == 4.0

    def test_a_wrong_one_does_not_broadcast(self):
        class Kept(Layer):
            def call(self, x):
                return x[:, : K.cast(K.max(x), "int32")]

            def compute_output_shape(self, input_shape):
                return (input_shape[0], 1)

        x = Input((4,))
        kept = Kept()(x)
        assert K.int_shape(kept) == (None, 1)
        doubled = K.function([x], [K.sum(kept * K.constant([[1.0, 2.0, 3.0]]), axis=1)])
        np.testing.assert_allclose(doubled([np.full((2, 4), 3.0)])[0], [18.0, 18.0])

    def test_unknown_dims_contradict_nothing(self):
        class Vague(Layer):
            def call(self, inputs):
                return inputs * 2.0

            def compute_output_shape(self, input_shape):
                return (None,) * len(input_shape)

        assert K.int_shape(Vague()(Input((4,)))) == (None, None)

    def test_a_wrong_shape_of_a_lambda(self):
        with pytest.warns(
            UserWarning, match=r"`output_shape` of layer total .* \(None, 1\), but `call` made \(None,\)"
        ):
            y = Lambda(lambda x: K.sum(x, axis=1), output_shape=(1,), name="total")(Input((4,)))
        assert K.int_shape(y) == (None, 1)


class TestOwnCall:
    """Layers with a ``__call__`` of their own, as packages of recurrent layers have it."""

    def test_a_call_is_recorded_by_the_name_that_keras_had(self, rng):
        from hornbeam.engine.base_layer import _collect_input_shape, _collect_previous_mask

        class Twice(Layer):
            def __call__(self, inputs):
                mask, shape = _collect_previous_mask(inputs), _collect_input_shape(inputs)
                outputs = [inputs * 1.0, inputs * 2.0]
                self._add_inbound_node(inputs, outputs, mask, [mask, None], shape, [shape, shape])
                return outputs

        x = Input((3, 2))
        masked = Masking()(x)
        layer = Twice()
        same, double = layer(masked)
        assert _collect_previous_mask([masked, same, double]) == [masked._keras_mask, masked._keras_mask, None]
        assert _collect_input_shape([same, double]) == [(None, 3, 2)] * 2 == layer.output_shape
        assert double._keras_history == (layer, 0, 1)
        assert layer._inbound_nodes[0].inbound_layers[0]._outbound_nodes == layer._inbound_nodes
        model = Model(x, LSTM(4)(same))  # finds its way back, and the mask
        data = arrays(rng, 2, 3, 2)
        data[:, 1] = 0.0
        expected = model.layers[-1](Masking()(data))
        np.testing.assert_allclose(model.predict(data), expected, rtol=1e-5)

    def test_what_the_layer_inside_filed_is_found_through_the_map_of_inputs(self):
        from hornbeam.utils.generic_utils import object_list_uid

        class Shifted(Wrapper):
            def build(self, input_shape):
                self.layer.build(input_shape)
                super().build(input_shape)

            def call(self, inputs):
                shifted = inputs + 1.0
                self._input_map[object_list_uid(inputs)] = shifted
                return self.layer.call(shifted)

        x = Input((4,))
        wrapper = Shifted(BatchNormalization(momentum=0.5))
        model = Model(x, wrapper(x))
        assert len(wrapper.get_updates_for(x)) == 2 and wrapper.get_updates_for(None) == []
        model.compile("sgd", "mse")
        model.train_on_batch(np.ones((8, 4)), np.zeros((8, 4)))
        np.testing.assert_allclose(wrapper.layer.get_weights()[2], 1.0)  # half of the way from 0 to the mean, 2
