"""SimpleRNN, GRU, LSTM and RNN over other cells, against a loop in NumPy."""

import numpy as np
import pytest
import reference_recurrent as reference
from hornbeam import backend as K
from hornbeam.layers import (
    GRU,
    LSTM,
    RNN,
    Dense,
    Embedding,
    GRUCell,
    Input,
    Layer,
    LSTMCell,
    Masking,
    SimpleRNN,
    SimpleRNNCell,
    StackedRNNCells,
    deserialize,
    serialize,
)
from hornbeam.layers.recurrent import _generate_dropout_mask, _standardize_args
from hornbeam.models import Model, Sequential, model_from_json

UNITS = 3
ALL = pytest.mark.parametrize("kind", ["simple", "gru", "gru_after", "lstm"])


def arrays(rng, *shape):
    return rng.uniform(-1, 1, shape).astype("float32")


def make(kind, **options):
    options = {"units": UNITS, "bias_initializer": "uniform", **options}
    if kind == "simple":
        return SimpleRNN(**options)
    return LSTM(**options) if kind == "lstm" else GRU(reset_after=kind == "gru_after", **options)


def cell(kind, **options):
    options = {"units": UNITS, "bias_initializer": "uniform", **options}
    if kind == "simple":
        return SimpleRNNCell(**options)
    return LSTMCell(**options) if kind == "lstm" else GRUCell(reset_after=kind == "gru_after", **options)


def loop(kind, x, weights, states=None, **options):
    """Outputs of all steps, in the order of running, and the list of final states."""
    kernel, recurrent, bias = weights
    states = states or [None] * (2 if kind == "lstm" else 1)
    if kind == "lstm":
        y, h, c, _ = reference.lstm(x @ kernel + bias, *states, recurrent, **options)
        return y, [h, c]
    if kind == "simple":
        y, h = reference.simple_rnn(x @ kernel + bias, *states, recurrent, **options)
    elif kind == "gru":
        y, h = reference.gru(x @ kernel + bias, *states, recurrent, **options)
    else:
        y, h = reference.gru(x @ kernel + bias[0], *states, recurrent, bias[1], reset_after=True, **options)
    return y, [h]


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


class TestValues:
    @ALL
    @pytest.mark.parametrize("sequences", [False, True])
    @pytest.mark.parametrize("go_backwards", [False, True])
    @pytest.mark.parametrize("masked", [False, True])
    @pytest.mark.parametrize("steps", [5, None])
    def test_against_a_loop(self, kind, sequences, go_backwards, masked, steps, rng):
        x = Input((steps, 4))
        layer = make(kind, return_sequences=sequences, go_backwards=go_backwards, return_state=True)
        outputs = layer(Masking()(x) if masked else x)
        data, mask = arrays(rng, 3, 5, 4), None
        if masked:
            mask = np.array([[1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
            data *= mask[:, :, None]
        y, states = loop(kind, data, layer.get_weights(), mask=mask, go_backwards=go_backwards)
        got = Model(x, outputs).predict(data)
        close(got[0], y if sequences else y[:, -1])
        assert len(got) == 1 + len(states)
        for g, w in zip(got[1:], states):
            close(g, w)
        assert [K.int_shape(t) for t in outputs] == layer.compute_output_shape((None, steps, 4))

    @ALL
    @pytest.mark.parametrize("activation", ["relu", "linear", "softsign"])
    @pytest.mark.parametrize("recurrent_activation", ["sigmoid", "hard_sigmoid"])
    def test_activations(self, kind, activation, recurrent_activation, rng):
        gates = {} if kind == "simple" else {"recurrent_activation": recurrent_activation}
        layer, x, data = make(kind, activation=activation, **gates), Input((4, 2)), arrays(rng, 2, 4, 2)
        model = Model(x, layer(x))
        close(model.predict(data), loop(kind, data, layer.get_weights(), activation=activation, **gates)[0][:, -1])

    @ALL
    def test_no_bias(self, kind, rng):
        layer, x, data = make(kind, use_bias=False), Input((4, 2)), arrays(rng, 2, 4, 2)
        model = Model(x, layer(x))
        width = layer.get_weights()[0].shape[1]
        bias = np.zeros((2, width) if kind == "gru_after" else width)
        close(model.predict(data), loop(kind, data, [*layer.get_weights(), bias])[0][:, -1])

    def test_one_step_and_other_lengths_through_one_model(self, rng):
        layer, x = make("lstm"), Input((None, 2))
        model = Model(x, layer(x))
        for steps in (1, 7, 2):
            data = arrays(rng, 2, steps, 2)
            close(model.predict(data), loop("lstm", data, layer.get_weights())[0][:, -1])

    @ALL
    @pytest.mark.parametrize("masked", [False, True])
    def test_step_by_step_gives_the_kernels_values_and_gradients(self, kind, masked, rng):
        """A stack of one cell takes the generic route."""
        x = Input((4, 2))
        start = Masking()(x) if masked else x
        layers = [make(kind, return_sequences=True), RNN([cell(kind)], return_sequences=True)]
        outputs = [layer(start) for layer in layers]
        layers[1].set_weights(layers[0].get_weights())
        data = arrays(rng, 3, 4, 2)
        data[0, 2:] = data[1, 1] = 0
        results = []
        for layer, y in zip(layers, outputs):
            grads = K.gradients(K.sum(y * K.constant(np.linspace(-1, 1, UNITS))), [x, *layer.trainable_weights])
            results.append(K.function([x], [y, *grads])([data]))
        for kernel, steps in zip(*results):
            close(kernel, steps)

    @ALL
    @pytest.mark.parametrize("implementation", [1, 2])
    def test_implementation_changes_nothing_without_dropout(self, kind, implementation, rng):
        layer, x, data = make(kind, implementation=implementation), Input((4, 2)), arrays(rng, 2, 4, 2)
        model = Model(x, layer(x))
        close(model.predict(data), loop(kind, data, layer.get_weights())[0][:, -1])

    def test_an_activation_of_ones_own(self, rng):
        layer, x, data = SimpleRNN(UNITS, activation=lambda v: K.sin(v) + 0.1), Input((4, 2)), arrays(rng, 2, 4, 2)
        got = Model(x, layer(x)).predict(data)
        kernel, recurrent, bias = layer.get_weights()
        h = np.zeros((2, UNITS))
        for t in range(4):
            h = np.sin(data[:, t] @ kernel + bias + h @ recurrent) + 0.1
        close(got, h)

    def test_arrays(self, rng):
        layer, data = make("gru"), arrays(rng, 2, 4, 2)
        got = np.asarray(layer(data))
        close(got, loop("gru", data, layer.get_weights())[0][:, -1])

    def test_float64(self, rng):
        x = Input((4, 2), dtype="float64")
        layer = LSTM(UNITS, dtype="float64")
        model, data = Model(x, layer(x)), rng.rand(2, 4, 2)
        got = model.predict(data)
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, loop("lstm", data, layer.get_weights())[0][:, -1], rtol=1e-12)


class TestStates:
    @ALL
    @pytest.mark.parametrize("how", ["keyword", "list", "constant", "variable"])
    def test_initial_states(self, kind, how, rng):
        count = 2 if kind == "lstm" else 1
        x, data, given = Input((4, 2)), arrays(rng, 2, 4, 2), [arrays(rng, 2, UNITS) for _ in range(count)]
        layer, states = make(kind), [Input((UNITS,)) for _ in range(count)]
        if how == "keyword":
            y = layer(x, initial_state=states)
        elif how == "list":
            y = layer([x, *states])
        else:
            states = []
            y = layer(x, initial_state=[getattr(K, how)(value) for value in given])
        got = K.function([x, *states], [y])([data, *(given if states else [])])[0]
        close(got, loop(kind, data, layer.get_weights(), given)[0][:, -1])

    def test_encoder_and_decoder(self, rng):
        x, z = Input((4, 2)), Input((3, 2))
        _, *states = LSTM(UNITS, return_state=True)(x)
        model = Model([x, z], LSTM(UNITS, return_sequences=True)(z, initial_state=states))
        again = model_from_json(model.to_json())
        again.set_weights(model.get_weights())
        data = [arrays(rng, 2, 4, 2), arrays(rng, 2, 3, 2)]
        want, _ = loop(
            "lstm", data[1], model.layers[3].get_weights(), loop("lstm", data[0], model.layers[2].get_weights())[1]
        )
        close(model.predict(data), want)
        np.testing.assert_array_equal(again.predict(data), model.predict(data))

    def test_the_layer_is_free_again_after_a_call_with_states(self):
        layer, x = make("gru"), Input((4, 2))
        layer(x, initial_state=Input((UNITS,)))
        assert K.int_shape(layer(x)) == (None, UNITS)

    def test_errors(self, rng):
        x, layer = Input((4, 2)), make("lstm", name="r")
        with pytest.raises(ValueError, match="Layer r has 2 states but was passed 1 initial states"):
            layer(x, initial_state=[Input((UNITS,))])
        with pytest.raises(ValueError, match="a mix of Keras tensors and non-Keras tensors"):
            layer(x, initial_state=[Input((UNITS,)), K.constant(arrays(rng, 2, UNITS))])
        with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
            layer(Input((4,)))
        with pytest.raises(ValueError, match="last dimension of the inputs to a recurrent layer must be known"):
            layer(Input((4, None)))

    @ALL
    def test_stateful(self, kind, rng):
        model = Sequential([make(kind, stateful=True, batch_input_shape=(2, 3, 4))])
        layer, data = model.layers[0], arrays(rng, 2, 9, 4)
        parts = [model.predict(data[:, i : i + 3]) for i in (0, 3, 6)]
        want, states = loop(kind, data, model.get_weights())
        for got, w in zip(parts, (want[:, 2], want[:, 5], want[:, 8])):
            close(got, w)
        for got, w in zip(layer.states, states):
            close(K.get_value(got), w)
        model.reset_states()
        close(model.predict(data[:, :3]), want[:, 2])
        given = [arrays(rng, 2, UNITS) for _ in states]
        layer.reset_states(given)
        close(model.predict(data[:, :3]), loop(kind, data[:, :3], model.get_weights(), given)[0][:, -1])

    def test_stateful_training_carries_the_state_too(self, rng):
        model = Sequential([make("gru", stateful=True, batch_input_shape=(2, 3, 4))])
        model.compile("sgd", "mse")
        data, weights = arrays(rng, 2, 3, 4), model.get_weights()
        model.train_on_batch(data, arrays(rng, 2, UNITS))
        close(K.get_value(model.layers[0].states[0]), loop("gru", data, weights)[1][0])

    def test_stateful_errors(self):
        with pytest.raises(AttributeError, match="Layer must be stateful"):
            make("lstm").reset_states()
        with pytest.raises(ValueError, match="it needs to know its batch size"):
            make("lstm", stateful=True)(Input((4, 2)))
        layer = make("lstm", stateful=True, name="r")
        layer(Input(batch_shape=(2, 4, 2)))
        with pytest.raises(ValueError, match="Layer r expects 2 states, but it received 1 state values"):
            layer.reset_states(np.zeros((2, UNITS)))
        with pytest.raises(ValueError, match=r"State 1 .* expected shape=\(2, 3\), found shape=\(2, 4\)"):
            layer.reset_states([np.zeros((2, UNITS)), np.zeros((2, 4))])


def test_arguments_of_recurrent_layers_of_ones_own():
    x, h, c, k = (K.placeholder((None, 2)) for _ in range(4))
    assert _standardize_args(x, None, None, 0) == (x, None, None)
    assert _standardize_args(x, h, (c, k), 2) == (x, [h], [c, k])
    assert _standardize_args([x, h, c, k], None, None, 1) == (x, [h, c], [k])
    assert _standardize_args([x, k], None, None, 1) == (x, None, [k])


class TestDropout:
    @ALL
    @pytest.mark.parametrize("rate", ["dropout", "recurrent_dropout"])
    @pytest.mark.parametrize("implementation", [1, 2])
    def test_only_in_training(self, kind, rate, implementation, rng):
        np.random.seed(1)  # two masks of a few units may be equal
        x = Input((4, 5))
        layer = make(kind, implementation=implementation, **{rate: 0.5})
        y, data = layer(x), arrays(rng, 2, 4, 5)
        assert y._uses_learning_phase
        run = K.function([x, K.learning_phase()], [y])
        want = loop(kind, data, layer.get_weights())[0][:, -1]
        close(run([data, 0])[0], want)
        trained = run([data, 1])[0]
        assert np.abs(trained - want).max() > 1e-3 and np.abs(trained - run([data, 1])[0]).max() > 1e-3

    @pytest.mark.parametrize("generic", [False, True], ids=["kernel", "steps"])
    def test_one_mask_holds_for_all_steps(self, generic):
        options = {"activation": "linear", "kernel_initializer": "identity", "recurrent_initializer": "zeros"}
        layer = RNN([SimpleRNNCell(40, dropout=0.5, **options)], return_sequences=True)
        if not generic:
            layer = SimpleRNN(40, dropout=0.5, return_sequences=True, **options)
        x = Input((3, 40))
        run = K.function([x, K.learning_phase()], [layer(x)])
        got = run([np.ones((2, 3, 40)), 1])[0]
        assert set(np.unique(got)) == {0, 2}
        assert (got == got[:, :1]).all() and (got[0] != got[1]).any()

    def test_masks_for_cells_of_ones_own(self):
        ones = K.ones((3, 50))
        one, several = _generate_dropout_mask(ones, 0.5), _generate_dropout_mask(ones, 0.5, count=2)
        run = K.function([K.learning_phase()], [one, *several])
        assert all((mask == 1).all() for mask in run([0]))
        masks = run([1])
        assert all(set(np.unique(mask)) == {0, 2} for mask in masks) and not np.array_equal(masks[1], masks[2])
        assert set(np.unique(K.eval(_generate_dropout_mask(ones, 0.5, training=True)))) == {0, 2}

    @pytest.mark.parametrize("implementation, equal", [(1, False), (2, True)])
    def test_masks_of_gates(self, implementation, equal):
        """The candidate and the update gate see the same dropped features in implementation 2 only."""
        units = 60
        layer = GRU(
            units, dropout=0.5, implementation=implementation, use_bias=False, activation="linear",
            recurrent_activation="linear", recurrent_initializer="zeros",
        )  # fmt: skip
        x = Input((1, units))
        run = K.function([x, K.learning_phase()], [layer(x)])
        eye, nothing = np.eye(units), np.zeros((units, units))
        layer.set_weights([np.concatenate([eye, nothing, eye], axis=1), np.zeros((units, 3 * units))])
        # h = (1 - z) * candidate, where each of z and candidate is 0 or 4
        values = set(np.unique(run([np.full((1, 1, units), 2.0), 1])[0]))
        assert values == ({0, -12} if equal else {0, -12, 4})

    @ALL
    def test_everything_dropped(self, kind, rng):
        x = Input((4, 5))
        rates = {"dropout": 1 - 1e-7, "recurrent_dropout": 1 - 1e-7}
        layer = make(kind, **rates)
        run = K.function([x, K.learning_phase()], [layer(x)])
        weights = layer.get_weights()
        weights[1] = np.zeros_like(weights[1])
        steps = 1 if kind.startswith("gru") else 4  # its second implementation drops what it carries over, too
        want = loop(kind, np.zeros((2, steps, 5)), weights)[0][:, -1]
        close(run([arrays(rng, 2, 4, 5), 1])[0], want)

    @pytest.mark.parametrize("generic", [False, True], ids=["kernel", "steps"])
    @pytest.mark.parametrize("implementation", [1, 2])
    def test_what_a_gru_carries_over(self, implementation, generic):
        """With z = 1 and h = 1 at first, a step gives h, or in implementation 2 h times the mask."""
        options = {"implementation": implementation, "recurrent_dropout": 0.5, "recurrent_activation": "linear"}
        layer = RNN([GRUCell(50, **options)]) if generic else GRU(50, **options)
        x, h = Input((1, 1)), Input((50,))
        run = K.function([x, h, K.learning_phase()], [layer(x, initial_state=h)])
        kernel, recurrent, bias = np.zeros((1, 150)), np.zeros((50, 150)), np.zeros(150)
        bias[:50] = 1
        layer.set_weights([kernel, recurrent, bias])
        got = run([np.zeros((2, 1, 1)), np.ones((2, 50)), 1])[0]
        assert set(np.unique(got)) == ({0, 2} if implementation == 2 else {1})

    def test_a_fixed_phase(self, rng):
        x, data = Input((4, 5)), arrays(rng, 2, 4, 5)
        layer = make("lstm", dropout=0.5)
        inference, training = layer(x, training=False), layer(x, training=True)
        run = K.function([x], [inference, training])
        want = loop("lstm", data, layer.get_weights())[0][:, -1]
        got = run([data])
        close(got[0], want)
        assert np.abs(got[1] - want).max() > 1e-3


class Minimal(Layer):
    """The smallest cell: h = x·k + h_before·r."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(input_shape[-1], self.units))
        self.recurrent = self.add_weight(name="recurrent", shape=(self.units, self.units))
        super().build(input_shape)

    def call(self, inputs, states):
        h = K.dot(inputs, self.kernel) + K.dot(states[0], self.recurrent)
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class TestGenericRNN:
    def test_a_cell_of_ones_own(self, rng):
        x, data = Input((4, 2)), arrays(rng, 2, 4, 2)
        layer = RNN(Minimal(UNITS), return_sequences=True)
        model = Model(x, layer(x))
        kernel, recurrent = layer.get_weights()
        h, want = np.zeros((2, UNITS)), []
        for t in range(4):
            h = data[:, t] @ kernel + h @ recurrent
            want.append(h)
        close(model.predict(data), np.stack(want, axis=1))
        model.compile("sgd", "mse")
        model.train_on_batch(data, arrays(rng, 2, 4, UNITS))
        assert all(np.abs(a - b).max() > 0 for a, b in zip(layer.get_weights(), (kernel, recurrent)))

    def test_a_cell_that_is_no_layer(self, rng):
        class Sum:
            state_size = 2

            def call(self, inputs, states):
                return inputs + states[0], [inputs + states[0]]

        x, data = Input((4, 2)), arrays(rng, 2, 4, 2)
        close(Model(x, RNN(Sum())(x)).predict(data), data.sum(axis=1))

    @ALL
    def test_the_cells_of_the_built_in_layers(self, kind, rng):
        layer, x, data = RNN(cell(kind), return_sequences=True, return_state=True), Input((4, 2)), arrays(rng, 2, 4, 2)
        got = Model(x, layer(x)).predict(data)
        y, states = loop(kind, data, layer.get_weights())
        for g, w in zip(got, [y, *states]):
            close(g, w)

    def test_stacked_cells(self, rng):
        cells = [cell("lstm", units=2), cell("gru", units=4), Minimal(3)]
        layer, x, data = RNN(cells, return_state=True), Input((4, 2)), arrays(rng, 2, 4, 2)
        assert isinstance(layer.cell, StackedRNNCells) and layer.cell.state_size == (2, 2, 4, 3)
        outputs = layer(x)
        assert [K.int_shape(t)[1] for t in outputs] == [3, 2, 2, 4, 3]
        assert [w.shape for w in layer.trainable_weights] == [
            (2, 8),
            (2, 8),
            (8,),
            (2, 12),
            (4, 12),
            (12,),
            (4, 3),
            (3, 3),
        ]
        got, weights = Model(x, outputs).predict(data), layer.get_weights()
        first, (h1, c1) = loop("lstm", data, weights[:3])
        second, (h2,) = loop("gru", first, weights[3:6])
        h3 = np.zeros((2, 3))
        for t in range(4):
            h3 = second[:, t] @ weights[6] + h3 @ weights[7]
        for g, w in zip(got, [h3, h1, c1, h2, h3]):
            close(g, w)

    def test_stacked_stateful(self, rng):
        model = Sequential([RNN([Minimal(2), Minimal(3)], stateful=True, batch_input_shape=(2, 3, 4))])
        data = arrays(rng, 2, 3, 4)
        first, second = model.predict(data), model.predict(data)
        assert np.abs(first - second).max() > 1e-4
        model.reset_states()
        np.testing.assert_array_equal(model.predict(data), first)

    @pytest.mark.parametrize("as_list", [False, True])
    def test_constants(self, as_list, rng):
        class PlusConstant(Minimal):
            def build(self, input_shape):
                super().build(input_shape[0])

            def call(self, inputs, states, constants):
                output, new = super().call(inputs, states)
                return output + constants[0], [new[0] + constants[0]]

        x, s, c = Input((4, 2)), Input((UNITS,)), Input((UNITS,))
        layer = RNN(PlusConstant(UNITS))
        if as_list:
            layer._num_constants = 1  # as a config tells it
            y = layer([x, s, c])
        else:
            y = layer(x, initial_state=s, constants=c)
        data, start, constant = arrays(rng, 2, 4, 2), arrays(rng, 2, UNITS), arrays(rng, 2, UNITS)
        kernel, recurrent = layer.get_weights()
        want = start
        for t in range(4):
            want = data[:, t] @ kernel + want @ recurrent + constant
        model = Model([x, s, c], y)
        close(model.predict([data, start, constant]), want)
        assert layer.get_config()["num_constants"] == 1
        again = model_from_json(model.to_json(), custom_objects={"PlusConstant": PlusConstant})
        again.set_weights(model.get_weights())
        np.testing.assert_array_equal(again.predict([data, start, constant]), model.predict([data, start, constant]))

    def test_constants_reach_the_stacked_cells_that_take_them(self, rng):
        class Shifted(Minimal):
            def build(self, input_shapes):
                super().build(input_shapes[0])
                self.shift = self.add_weight(shape=(input_shapes[1][-1], self.state_size), initializer="ones", name="s")

            def call(self, inputs, states, constants):
                output, _ = super().call(inputs, states)
                output = output + K.dot(constants[0], self.shift)
                return output, [output]

        x, c = Input((4, 2)), Input((5,))
        layer = RNN([Minimal(3), Shifted(2)])
        model = Model([x, c], layer(x, constants=c))
        data, constant = arrays(rng, 2, 4, 2), arrays(rng, 2, 5)
        k1, r1, k2, r2, shift = layer.get_weights()
        h1, h2 = np.zeros((2, 3)), np.zeros((2, 2))
        for t in range(4):
            h1 = data[:, t] @ k1 + h1 @ r1
            h2 = h1 @ k2 + h2 @ r2 + constant @ shift
        close(model.predict([data, constant]), h2)

    def test_states_of_stacked_cells_in_reverse(self, rng):
        cells, data = [cell("lstm", units=2), Minimal(3)], arrays(rng, 2, 4, 2)
        x = Input((4, 2))
        natural = RNN(cells, return_state=True)
        with pytest.warns(UserWarning, match="reverse_state_order"):
            turned = RNN(StackedRNNCells(cells, reverse_state_order=True), return_state=True)
        assert turned.compute_output_shape((None, 4, 2)) == [(None, 3), (None, 3), (None, 2), (None, 2)]
        output, h, c, last = Model(x, natural(x)).predict(data)
        for got, want in zip(Model(x, turned(x)).predict(data), [output, last, h, c]):
            np.testing.assert_array_equal(got, want)

    @pytest.mark.parametrize("masked", [False, True])
    def test_any_number_of_steps(self, masked, rng):
        layer = RNN(Minimal(3), return_sequences=True)
        x = Input((None, 2))
        model = Model(x, layer(Masking(0.0)(x) if masked else x))
        model.compile("sgd", "mse")
        kernel, recurrent = layer.get_weights()
        for steps in (1, 6, 3):
            data = arrays(rng, 2, steps, 2)
            data[1, 0] = 0
            want, h, output = np.zeros((2, steps, 3)), np.zeros((2, 3)), np.zeros((2, 3))
            for t in range(steps):
                keep = ~masked | data[:, t].any(1)[:, None]
                h = np.where(keep, data[:, t] @ kernel + h @ recurrent, h)
                want[:, t] = output = np.where(keep, h, output)
            close(model.predict(data), want)
        assert np.isfinite(model.train_on_batch(data, want))

    @pytest.mark.parametrize("kind, gates", [("simple", 1), ("gru", 3), ("lstm", 4)])
    def test_identity_matrices_for_each_gate(self, kind, gates):
        own = cell(kind, recurrent_initializer="identity")
        RNN(own)(Input((4, 2)))
        np.testing.assert_array_equal(K.get_value(own.recurrent_kernel), np.tile(np.eye(UNITS), gates))

    def test_errors(self):
        with pytest.raises(ValueError, match="`cell` should have a `call` method"):
            RNN(object())
        with pytest.raises(ValueError, match="should have an attribute `state_size`"):
            RNN(Layer())
        with pytest.raises(ValueError, match="All cells must have a `state_size`"):
            StackedRNNCells([Layer()])


class TestMasks:
    def test_an_embeddings_mask_ends_where_sequences_end(self):
        ids = np.array([[3, 1, 0, 0], [2, 0, 1, 0]])
        model = Sequential(
            [Embedding(5, 2, mask_zero=True, input_length=4), make("gru", return_sequences=True), make("gru")]
        )
        table, data = model.layers[0].get_weights()[0], ids != 0
        first, _ = loop("gru", table[ids], model.layers[1].get_weights(), mask=data)
        _, (want,) = loop("gru", first, model.layers[2].get_weights(), mask=data)
        close(model.predict(ids), want)

    @ALL
    @pytest.mark.parametrize("go_backwards", [False, True])
    def test_outputs_before_the_first_step_are_zero_whatever_the_initial_state(self, kind, go_backwards, rng):
        x, mask = Input((4, 2)), Input((4,), dtype="bool")
        starts = [Input((UNITS,)) for _ in range(2 if kind == "lstm" else 1)]
        kernel = make(kind, return_sequences=True, return_state=True, go_backwards=go_backwards)
        steps = RNN(cell(kind), return_sequences=True, return_state=True, go_backwards=go_backwards)
        last = make(kind, go_backwards=go_backwards)
        outputs = [layer(x, initial_state=starts, mask=mask) for layer in (kernel, steps, last)]
        for layer in (steps, last):
            layer.set_weights(kernel.get_weights())
        run = K.function([x, mask, *starts], [*outputs[0], *outputs[1], outputs[2]])
        given = np.array([[0, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0]], bool)
        got = run([arrays(rng, 3, 4, 2), given, *(arrays(rng, 3, UNITS) for _ in starts)])
        count = 1 + len(starts)
        for a, b in zip(got[:count], got[count:]):
            close(a, b)
        first = given[:, ::-1] if go_backwards else given
        np.testing.assert_array_equal(got[0].any(2), np.cumsum(first, axis=1) > 0)
        close(got[-1], got[0][:, -1])
        assert np.abs(got[1][1]).min() > 0  # the state of what is masked throughout is still the initial one

    def test_masks_of_outputs(self):
        mask = K.placeholder((None, 4), dtype="bool")
        layer = make("lstm", return_sequences=True, return_state=True)
        assert layer.compute_mask(None, mask) == [mask, None, None]
        assert make("lstm").compute_mask(None, mask) is None

    def test_a_mask_of_numbers(self, rng):
        x, m, data = Input((3, 2)), Input((3,)), arrays(rng, 2, 3, 2)
        mask = np.array([[1, 0, 0], [1, 1, 1]], "float32")
        layer = make("simple")
        got = K.function([x, m], [layer(x, mask=m)])([data, mask])[0]
        close(got, loop("simple", data, layer.get_weights(), mask=mask > 0)[0][:, -1])


class TestConfig:
    @ALL
    def test_round_trip(self, kind):
        layer = make(
            kind, activation="relu", dropout=0.1, recurrent_dropout=0.2, return_sequences=True, go_backwards=True,
            stateful=True, unroll=True, kernel_regularizer="l2", activity_regularizer="l1", bias_constraint="nonneg",
            batch_input_shape=(2, 3, 4), name="r",
        )  # fmt: skip
        config = serialize(layer)
        assert config["config"]["units"] == UNITS and "cell" not in config["config"]
        assert serialize(deserialize(config)) == config

    def test_round_trip_of_cells(self):
        layer = RNN([LSTMCell(2, name="a"), GRUCell(3, reset_after=True, name="b"), SimpleRNNCell(4, name="c")])
        config = serialize(layer)
        assert serialize(deserialize(config)) == config
        custom = serialize(RNN(Minimal(3)))
        assert serialize(deserialize(custom, custom_objects={"Minimal": Minimal})) == custom

    def test_attributes_of_the_cell_are_the_layers(self):
        layer = LSTM(4, dropout=0.3)
        assert (layer.units, layer.dropout, layer.implementation) == (4, 0.3, 2)
        assert layer.kernel_initializer is layer.cell.kernel_initializer
        with pytest.raises(AttributeError, match="'LSTM' object has no attribute 'colour'"):
            layer.colour  # noqa: B018

    def test_defaults_of_keras_2_3(self):
        config = GRU(2).get_config()
        assert (config["recurrent_activation"], config["implementation"], config["reset_after"]) == (
            "sigmoid",
            2,
            False,
        )
        assert LSTM(2).get_config()["unit_forget_bias"] is True

    def test_weights(self):
        layer = LSTM(2, name="r", kernel_regularizer="l2", recurrent_regularizer="l2", bias_regularizer="l2")
        layer(Input((3, 4)))
        assert [w.name for w in layer.weights] == ["r/kernel:0", "r/recurrent_kernel:0", "r/bias:0"]
        assert len(layer.losses) == 3
        np.testing.assert_array_equal(layer.get_weights()[2], [0, 0, 1, 1, 0, 0, 0, 0])
        recurrent = layer.get_weights()[1]
        close(recurrent @ recurrent.T, np.eye(2))
        layer.trainable = False
        assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 3
        after = GRU(2, reset_after=True)
        after.build((None, 3, 4))
        assert after.get_weights()[2].shape == (2, 6)

    def test_constraints_hold_after_training(self, rng):
        model = Sequential([LSTM(2, recurrent_constraint="nonneg", input_shape=(3, 4)), Dense(1)])
        model.compile("sgd", "mse")
        model.train_on_batch(arrays(rng, 4, 3, 4), arrays(rng, 4, 1))
        assert (model.get_weights()[1] >= 0).all() and (model.get_weights()[1] > 0).any()

    def test_old_spellings(self):
        with pytest.warns(UserWarning, match="Update your `LSTM` call to the Keras 2 API"):
            old = LSTM(
                output_dim=3, input_dim=4, input_length=5, init="zeros", inner_init="ones", inner_activation="sigmoid",
                W_regularizer="l2", U_regularizer="l1", b_regularizer="l2", dropout_W=0.1, dropout_U=0.2,
                forget_bias_init="one", consume_less="gpu", name="r",
            )  # fmt: skip
        new = LSTM(
            3, input_shape=(5, 4), kernel_initializer="zeros", recurrent_initializer="ones",
            recurrent_activation="sigmoid", kernel_regularizer="l2", recurrent_regularizer="l1", bias_regularizer="l2",
            dropout=0.1, recurrent_dropout=0.2, unit_forget_bias=True, implementation=2, name="r",
        )  # fmt: skip
        assert old.get_config() == new.get_config()

    def test_implementation_0_is_1(self):
        assert LSTM(2, implementation=0).get_config()["implementation"] == 1
