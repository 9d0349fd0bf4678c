"""TimeDistributed and Bidirectional: values, masks, states, shared weights, losses and updates, configs."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam.layers import (
    GRU,
    LSTM,
    RNN,
    BatchNormalization,
    Bidirectional,
    Conv2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Lambda,
    Layer,
    Masking,
    SimpleRNN,
    TimeDistributed,
    Wrapper,
    deserialize,
    serialize,
)
from hornbeam.models import Model, Sequential, model_from_json
from hornbeam.utils.generic_utils import object_list_uid


def arrays(rng, *shape):
    return rng.uniform(-1, 1, shape).astype("float32")


class AddsConstant(Layer):
    """A cell: h = x·k + h_before + c·k2, with the constant c."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        step, constant = input_shape
        self.kernel = self.add_weight(name="kernel", shape=(step[-1], self.units))
        self.constant_kernel = self.add_weight(name="constant_kernel", shape=(constant[-1], self.units))
        super().build(input_shape)

    def call(self, inputs, states, constants):
        h = K.dot(inputs, self.kernel) + states[0] + K.dot(constants[0], self.constant_kernel)
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class TestTimeDistributed:
    @pytest.mark.parametrize("batch_shape", [(None, 3, 4), (None, None, 4), (2, None, 4), (2, 3, 4)])
    def test_dense(self, batch_shape, rng):
        x = Input(batch_shape=batch_shape)
        layer = TimeDistributed(Dense(5, activation="tanh"))
        model = Model(x, layer(x))
        data = arrays(rng, 2, 3, 4)
        kernel, bias = layer.get_weights()
        np.testing.assert_allclose(model.predict(data), np.tanh(data @ kernel + bias), rtol=1e-5, atol=1e-6)
        assert model.output_shape == (*batch_shape[:2], 5)
        assert layer.compute_output_shape(batch_shape) == (*batch_shape[:2], 5)

    @pytest.mark.parametrize("batch", [None, 2])
    def test_a_model_with_convolutions(self, batch, rng):
        inner = Sequential([Conv2D(3, 2, input_shape=(4, 5, 2)), Flatten(), Dense(2)])
        x = Input(batch_shape=(batch, 3, 4, 5, 2))
        y = TimeDistributed(inner)(x)
        data = arrays(rng, 2, 3, 4, 5, 2)
        want = np.stack([inner.predict(data[:, t]) for t in range(3)], axis=1)
        np.testing.assert_allclose(Model(x, y).predict(data), want, rtol=1e-5, atol=1e-6)

    def test_a_fixed_batch_keeps_the_batch_size_inside(self, rng):
        x = Input(batch_shape=(2, 3, 4))
        y = TimeDistributed(Lambda(lambda v: v - K.mean(v, axis=0, keepdims=True)))(x)
        data = arrays(rng, 2, 3, 4)
        np.testing.assert_allclose(Model(x, y).predict(data), data - data.mean(axis=0), rtol=1e-5, atol=1e-6)

    def test_a_fixed_batch_still_takes_one_product_for_dense(self):
        x = Input(batch_shape=(2, 30, 4))
        run = K.function([x], [TimeDistributed(Dense(5))(x)])
        assert str(run.program()).count("matmul") == 1

    def test_a_custom_layer_without_compute_output_shape(self):
        class Halve(Layer):
            def call(self, inputs):
                return inputs[:, :2]

        assert K.int_shape(TimeDistributed(Halve())(Input((3, 4)))) == (None, 3, 2)

    def test_nested(self, rng):
        x = Input((3, 2, 4))
        layer = TimeDistributed(TimeDistributed(Dense(5, use_bias=False)))
        data = arrays(rng, 2, 3, 2, 4)
        model = Model(x, layer(x))
        np.testing.assert_allclose(model.predict(data), data @ layer.get_weights()[0], rtol=1e-5, atol=1e-6)

    def test_arrays(self, rng):
        layer = TimeDistributed(Dense(2))
        data = arrays(rng, 2, 3, 4)
        got = np.asarray(layer(data))
        kernel, bias = layer.get_weights()
        np.testing.assert_allclose(got, data @ kernel + bias, rtol=1e-5, atol=1e-6)

    def test_learning_phase(self):
        x = Input((40, 30))
        y = TimeDistributed(Dropout(0.5))(x)
        ones = np.ones((2, 40, 30), "float32")
        assert y._uses_learning_phase
        run = K.function([x, K.learning_phase()], [y])
        np.testing.assert_array_equal(run([ones, 0])[0], ones)
        kept = run([ones, 1])[0]
        assert set(np.unique(kept)) == {0, 2} and not np.array_equal(kept[:, 0], kept[:, 1])

    def test_a_mask_of_steps_passes_through(self, rng):
        x = Input((3, 4))
        y = TimeDistributed(Dense(2))(Masking()(x))
        data = arrays(rng, 2, 3, 4)
        data[0, 1:] = 0
        mask = K.function([x], [y._keras_mask])([data])[0]
        np.testing.assert_array_equal(mask, [[1, 0, 0], [1, 1, 1]])

    def test_a_mask_reaches_the_layer_inside(self, rng):
        x = Input((3, 4, 2))
        inner = LSTM(2)
        y = TimeDistributed(inner)(Masking()(x))
        data = arrays(rng, 2, 3, 4, 2)
        data[:, :, 2:] = 0  # steps of the inner sequence
        data[1, 2] = 0  # a whole outer step
        got, mask = K.function([x], [y, y._keras_mask])([data])
        short = Input((2, 2))
        want = Model(short, inner(short)).predict(data[:, :, :2].reshape(6, 2, 2)).reshape(2, 3, 2)
        want[1, 2] = 0  # fully masked: the initial state
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(mask, [[1, 1, 1], [1, 1, 0]])

    def test_a_mask_made_inside(self):
        x = Input((2, 3), dtype="int32")
        y = TimeDistributed(Embedding(5, 4, mask_zero=True))(x)
        ids = np.array([[[1, 0, 2], [0, 0, 3]]])
        assert K.int_shape(y) == (None, 2, 3, 4)
        np.testing.assert_array_equal(K.function([x], [y._keras_mask])([ids])[0], ids != 0)

    def test_batch_normalization_updates_from_all_steps(self, rng):
        model = Sequential([TimeDistributed(BatchNormalization(momentum=0.5), input_shape=(5, 2))])
        assert len(model.updates) == 2
        model.compile("sgd", "mse")
        data = arrays(rng, 8, 5, 2) + 3
        model.train_on_batch(data, data)
        moving_mean = model.get_weights()[2]
        np.testing.assert_allclose(moving_mean, 0.5 * data.reshape(-1, 2).mean(axis=0), rtol=1e-5)
        model.layers[0].trainable = False
        assert model.layers[0].layer.trainable is False and model.updates == []

    def test_losses(self, rng):
        model = Sequential([TimeDistributed(Dense(2, kernel_regularizer="l1"), input_shape=(3, 4))])
        assert len(model.losses) == len(model.layers[0].get_losses_for(None)) == 1

    @pytest.mark.parametrize("batch", [None, 2])
    def test_losses_of_activities(self, rng, batch):
        model = Sequential([TimeDistributed(Dense(2, activity_regularizer="l2"), batch_input_shape=(batch, 3, 4))])
        model.compile("sgd", "mse")
        data = arrays(rng, 2, 3, 4)
        out = model.predict(data)
        np.testing.assert_allclose(model.evaluate(data, out, verbose=0), 0.01 * (out**2).sum(), rtol=1e-4)

    def test_losses_of_a_model_inside(self, rng):
        inner = Sequential([Dense(2, activity_regularizer="l2", input_shape=(4,))])
        model = Sequential([TimeDistributed(inner, input_shape=(3, 4))])
        model.compile("sgd", "mse")
        data = arrays(rng, 2, 3, 4)
        out = model.predict(data)
        np.testing.assert_allclose(model.evaluate(data, out, verbose=0), 0.01 * (out**2).sum(), rtol=1e-4)

    def test_training(self, rng):
        model = Sequential([TimeDistributed(Dense(1, use_bias=False, kernel_initializer="ones"), input_shape=(3, 2))])
        model.compile("sgd", "mse")
        x, y = arrays(rng, 4, 3, 2), arrays(rng, 4, 3, 1)
        model.train_on_batch(x, y)
        gradient = 2 * np.einsum("bti,bto->io", x, x.sum(-1, keepdims=True) - y) / y.size
        np.testing.assert_allclose(model.get_weights()[0], 1 - 0.01 * gradient, rtol=1e-5)

    def test_errors(self):
        with pytest.raises(ValueError, match=r"TimeDistributed needs inputs of shape \(batch, time, ...\)"):
            TimeDistributed(Dense(2))(Input((4,)))
        x = Input((4,))
        with pytest.raises(ValueError, match="takes a layer with one output, pair has 2"):
            TimeDistributed(Model(x, [Dense(1)(x), Dense(1)(x)], name="pair"))(Input((3, 4)))
        layer = TimeDistributed(Dense(2))
        layer(Input((3, 4)))
        layer(Input((7, 4)))  # another number of steps
        with pytest.raises(ValueError, match="is incompatible with layer"):
            layer(Input((3, 5)))

    def test_steps_that_the_layer_before_states(self):
        """As region proposals do, of which there are as many as a layer was told."""

        class Padded(Layer):
            def call(self, x):
                return K.concatenate([x[:, : K.shape(x)[1] - 2], x[:, :2]], axis=1)

            def compute_output_shape(self, input_shape):
                return (input_shape[0], 5, input_shape[2])

        x = Padded()(Input((None, 3)))
        assert K.int_shape(TimeDistributed(Dense(2))(x)) == (None, 5, 2)

    def test_what_the_layer_inside_was_called_on_is_noted(self):
        norm = BatchNormalization()
        layer, x = TimeDistributed(norm), Input((3, 4))
        layer(x)
        noted = layer._input_map[object_list_uid([x])]
        assert K.int_shape(noted) == (None, 4) and len(layer._input_map) == 1
        assert layer.get_updates_for(x) == norm.get_updates_for(noted) != []
        layer(np.ones((2, 3, 4)))
        assert len(layer._input_map) == 1  # calls on arrays leave nothing behind

    def test_a_subclass_notes_its_own(self):
        class Folded(TimeDistributed):
            def call(self, inputs, training=None, mask=None):
                samples = K.reshape(inputs, (-1, 4))
                self._input_map[object_list_uid(inputs)] = samples
                return K.reshape(self.layer.call(samples, training=training), (-1, 3, 4))

        layer, x = Folded(BatchNormalization()), Input((3, 4))
        model = Model(x, layer(x))
        assert len(model.updates) == len(layer.get_updates_for(x)) == 2


class TestWrapper:
    def test_config(self):
        config = TimeDistributed(Dense(2, name="inner"), name="outer", input_shape=(3, 4)).get_config()
        assert list(config) == ["name", "trainable", "batch_input_shape", "dtype", "layer"]
        assert config["layer"]["class_name"] == "Dense" and config["layer"]["config"]["name"] == "inner"
        again = deserialize({"class_name": "TimeDistributed", "config": config})
        assert again.get_config() == config and "layer" in config

    def test_weights_and_names(self):
        layer = TimeDistributed(Dense(2), name="td")
        layer(Input((3, 4)))
        assert [w.name for w in layer.weights] == ["td/kernel:0", "td/bias:0"]
        layer.set_weights([np.ones((4, 2)), np.zeros(2)])
        np.testing.assert_array_equal(layer.layer.get_weights()[0], 1)
        layer.trainable = False
        assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 2

    def test_a_wrapper_of_ones_own(self, rng):
        class Doubled(Wrapper):
            def build(self, input_shape):
                self.layer.build(input_shape)
                super().build()

            def call(self, inputs):
                return 2 * self.layer.call(inputs)

            def compute_output_shape(self, input_shape):
                return self.layer.compute_output_shape(input_shape)

        layer = Doubled(Dense(3, use_bias=False))
        x = Input((4,))
        model, data = Model(x, layer(x)), arrays(rng, 2, 4)
        np.testing.assert_allclose(model.predict(data), 2 * data @ layer.get_weights()[0], rtol=1e-5, atol=1e-6)
        assert len(model.trainable_weights) == 1


def both_ways(layer, data, mask=None, states=(None, None)):
    """What the forward and the backward layer of a Bidirectional give alone, in the order of running."""
    results = []
    for inner, initial in zip((layer.forward_layer, layer.backward_layer), states):
        output = inner.call(K.constant(data), mask=None if mask is None else K.constant(mask), initial_state=initial)
        results.append([K.eval(t) for t in (output if isinstance(output, list) else [output])])
    return results


class TestBidirectional:
    @pytest.mark.parametrize("rnn", [SimpleRNN, GRU, LSTM])
    @pytest.mark.parametrize("mode", ["sum", "mul", "ave", "concat", None])
    @pytest.mark.parametrize("sequences", [False, True])
    def test_merge_modes(self, rnn, mode, sequences, rng):
        x = Input((3, 4))
        layer = Bidirectional(rnn(2, return_sequences=sequences), merge_mode=mode)
        model = Model(x, layer(x))
        data = arrays(rng, 2, 3, 4)
        (forward,), (backward,) = both_ways(layer, data)
        if sequences:
            backward = backward[:, ::-1]
        want = {
            "sum": forward + backward,
            "mul": forward * backward,
            "ave": (forward + backward) / 2,
            "concat": np.concatenate([forward, backward], axis=-1),
            None: [forward, backward],
        }[mode]
        got = model.predict(data)
        for g, w in zip(got if mode is None else [got], want if mode is None else [want]):
            np.testing.assert_allclose(g, w, rtol=1e-5, atol=1e-6)
        assert model.output_shape == layer.compute_output_shape((None, 3, 4))
        assert np.abs(forward - backward).max() > 1e-3

    def test_the_backward_layer_sees_the_last_step_first(self, rng):
        x = Input((3, 4))
        layer = Bidirectional(GRU(2), merge_mode=None)
        model = Model(x, layer(x))
        layer.set_weights(layer.get_weights()[:3] * 2)
        data = arrays(rng, 2, 3, 4)
        forward, _ = model.predict(data)
        _, backward = model.predict(data[:, ::-1])
        np.testing.assert_allclose(forward, backward, rtol=1e-5, atol=1e-6)

    def test_masks(self, rng):
        data = arrays(rng, 2, 5, 4)
        data[0, 3:] = 0
        x = Input((5, 4))
        y = Bidirectional(LSTM(3, return_sequences=True), name="bi")(Masking()(x))
        short = Bidirectional(LSTM(3, return_sequences=True), weights=y._keras_history[0].get_weights())
        want = np.asarray(short(data[:1, :3]))
        got, mask = K.function([x], [y, y._keras_mask])([data])
        np.testing.assert_allclose(got[:1, :3], want, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(mask, [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])

    @pytest.mark.parametrize("mode, sequences, count", [("concat", True, 1), (None, True, 2), (None, False, 2)])
    def test_masks_of_outputs(self, mode, sequences, count):
        layer = Bidirectional(LSTM(3, return_sequences=sequences, return_state=True), merge_mode=mode)
        mask = K.placeholder((None, 3), dtype="bool")
        masks = layer.compute_mask(Input((3, 4)), mask)
        assert masks == [mask if sequences else None] * count + [None] * 4

    @pytest.mark.parametrize("mode", ["concat", None])
    @pytest.mark.parametrize("rnn, n", [(GRU, 1), (LSTM, 2)])
    def test_return_state(self, rnn, n, mode, rng):
        x = Input((3, 4))
        layer = Bidirectional(rnn(2, return_state=True), merge_mode=mode)
        outputs = layer(x)
        data = arrays(rng, 2, 3, 4)
        (f, *f_states), (b, *b_states) = both_ways(layer, data)
        want = [*([f, b] if mode is None else [np.concatenate([f, b], -1)]), *f_states, *b_states]
        got = Model(x, outputs).predict(data)
        assert len(got) == len(want) == 2 * n + (2 if mode is None else 1)
        for g, w in zip(got, want):
            np.testing.assert_allclose(g, w, rtol=1e-5, atol=1e-6)
        assert [K.int_shape(t) for t in outputs] == layer.compute_output_shape((None, 3, 4))

    def test_initial_states_as_keras_tensors(self, rng):
        x, states = Input((3, 4)), [Input((2,)) for _ in range(4)]
        layer = Bidirectional(LSTM(2))
        model = Model([x, *states], layer(x, initial_state=states))
        data, given = arrays(rng, 2, 3, 4), [arrays(rng, 2, 2) for _ in range(4)]
        (f,), (b,) = both_ways(layer, data, states=([*map(K.constant, given[:2])], [*map(K.constant, given[2:])]))
        want = np.concatenate([f, b], -1)
        np.testing.assert_allclose(model.predict([data, *given]), want, rtol=1e-5, atol=1e-6)
        again = model_from_json(model.to_json())
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again.predict([data, *given]), model.predict([data, *given]))

    def test_initial_states_as_values(self, rng):
        x, data = Input((3, 4)), arrays(rng, 2, 3, 4)
        states = [K.constant(arrays(rng, 2, 2)), K.constant(arrays(rng, 2, 2))]
        layer = Bidirectional(GRU(2), merge_mode=None)
        outputs = K.function([x], layer(x, initial_state=states))([data])
        want = both_ways(layer, data, states=([states[0]], [states[1]]))
        for g, (w,) in zip(outputs, want):
            np.testing.assert_allclose(g, w, rtol=1e-5, atol=1e-6)

    def test_initial_state_errors(self, rng):
        with pytest.raises(ValueError, match="the state should be a list containing the states of the underlying RNNs"):
            Bidirectional(GRU(2))(Input((3, 4)), initial_state=[Input((2,))])
        with pytest.raises(ValueError, match="a mix of Keras tensors and non-Keras tensors"):
            Bidirectional(GRU(2))(Input((3, 4)), initial_state=[Input((2,)), K.constant(arrays(rng, 2, 2))])

    def test_states_flow_from_encoder_to_decoder(self, rng):
        x = Input((3, 4))
        encoded, *states = Bidirectional(LSTM(2, return_state=True))(x)
        decoded = Bidirectional(LSTM(2))(x, initial_state=states)
        model = Model(x, [encoded, decoded])
        assert [layer.name for layer in model.layers[1:]] == [t._keras_history[0].name for t in (encoded, decoded)]
        assert model.predict(arrays(rng, 2, 3, 4))[1].shape == (2, 4)

    def test_constants(self, rng):
        x, c = Input((3, 4)), Input((2,))
        layer = Bidirectional(RNN(AddsConstant(3)), merge_mode=None)
        model = Model([x, c], layer(x, constants=c))
        data, constant = arrays(rng, 2, 3, 4), arrays(rng, 2, 2)
        k, ck, k_back, ck_back = layer.get_weights()
        for got, kernels in zip(model.predict([data, constant]), [(k, ck), (k_back, ck_back)]):
            want = data.sum(axis=1) @ kernels[0] + 3 * constant @ kernels[1]
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)
        again = model_from_json(model.to_json(), custom_objects={"AddsConstant": AddsConstant})
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again.predict([data, constant])[1], model.predict([data, constant])[1])

    def test_stateful(self, rng):
        model = Sequential([Bidirectional(LSTM(2, stateful=True), batch_input_shape=(2, 3, 4), merge_mode="concat")])
        data = arrays(rng, 2, 3, 4)
        assert model.stateful
        first, second = model.predict(data), model.predict(data)
        assert np.abs(first - second).max() > 1e-4
        model.reset_states()
        np.testing.assert_array_equal(model.predict(data), first)

    def test_weights(self, rng):
        x = Input((3, 4))
        layer = Bidirectional(LSTM(2, name="lstm"), name="bi")
        layer(x)
        names = ["kernel", "recurrent_kernel", "bias"]
        assert [w.name for w in layer.weights] == [
            f"bi/{side}_lstm/{name}:0" for side in ("forward", "backward") for name in names
        ]
        assert (layer.forward_layer.name, layer.backward_layer.name, layer.layer.name) == (
            "forward_lstm", "backward_lstm", "lstm",
        )  # fmt: skip
        values = [arrays(rng, *w.shape) for w in layer.weights]
        given = Bidirectional(LSTM(2), weights=values)
        given(x)
        for got, want in zip(given.get_weights(), values):
            np.testing.assert_array_equal(got, want)
        layer.trainable = False
        assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 6
        assert layer.forward_layer.trainable is False

    def test_losses_are_those_of_both_directions(self):
        rnn = LSTM(2, kernel_regularizer="l2", recurrent_regularizer="l1", activity_regularizer="l1")
        model = Sequential([Bidirectional(rnn, input_shape=(3, 4))])
        assert len(model.losses) == 2 * 2 + 1
        layer = model.layers[0]
        assert len(layer.get_losses_for(None)) == 4 and len(layer.get_losses_for(model.inputs)) == 1

    @pytest.mark.parametrize("rate", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
    def test_dropout_only_in_training(self, rate, rng):
        x = Input((6, 4))
        y = Bidirectional(SimpleRNN(8, **rate))(x)
        run = K.function([x, K.learning_phase()], [y])
        data = arrays(rng, 2, 6, 4)
        np.testing.assert_array_equal(run([data, 0])[0], run([data, 0])[0])
        assert np.abs(run([data, 1])[0] - run([data, 1])[0]).max() > 1e-3

    def test_training_changes_both_directions(self, rng):
        model = Sequential([Bidirectional(GRU(2), input_shape=(3, 4)), Dense(1)])
        model.compile("sgd", "mse")
        before = model.layers[0].get_weights()
        model.train_on_batch(arrays(rng, 4, 3, 4), arrays(rng, 4, 1))
        assert all(np.abs(a - b).max() > 0 for a, b in zip(before, model.layers[0].get_weights()))

    def test_config(self):
        layer = Bidirectional(GRU(2, reset_after=True), merge_mode="ave", name="bi", input_shape=(3, 4))
        config = serialize(layer)
        assert list(config["config"])[-2:] == ["layer", "merge_mode"] and config["config"]["merge_mode"] == "ave"
        again = deserialize(config)
        assert serialize(again) == config
        assert again.backward_layer.go_backwards is True and again.forward_layer.go_backwards is False

    def test_unknown_merge_mode(self):
        with pytest.raises(ValueError, match="Invalid merge mode: 'max'"):
            Bidirectional(LSTM(2), merge_mode="max")
