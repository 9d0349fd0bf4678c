"""Layers: calling, nodes, weights, masks, tracking, errors."""

import numpy as np
import pytest
from hornbeam import backend as K
from hornbeam import constraints
from hornbeam.engine.base_layer import InputSpec, Layer, disable_tracking
from hornbeam.layers import LSTM, ActivityRegularization, BatchNormalization, Dense, Input
from hornbeam.models import Model, Sequential, load_model


class Scale(Layer):
    def build(self, input_shape):
        self.factor = self.add_weight(name="factor", shape=(input_shape[-1],), initializer="ones")
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.factor


class TestCalling:
    def test_names_count_per_class(self):
        K.reset_uids()
        assert [Dense(1).name, Dense(1).name, Scale().name] == ["dense_1", "dense_2", "scale_1"]

    def test_each_call_is_a_node(self):
        layer = Dense(3)
        a, b = Input((4,)), Input((4,))
        first, second = layer(a), layer(b)
        assert layer.get_input_at(0) is a and layer.get_output_at(1) is second
        assert layer.get_output_shape_at(0) == (None, 3) and layer.output_shape == (None, 3)
        assert first._keras_history == (layer, 0, 0) and second._keras_history == (layer, 1, 0)
        with pytest.raises(AttributeError, match="multiple inbound nodes"):
            layer.output  # noqa: B018
        with pytest.raises(ValueError, match="only 2 inbound nodes"):
            layer.get_input_at(2)

    def test_arrays_compute_and_leave_no_node(self):
        layer = Dense(3)
        x = np.arange(8, dtype="float64").reshape(2, 4)
        y = layer(x)
        kernel, bias = layer.get_weights()
        np.testing.assert_allclose(y.numpy(), x @ kernel + bias, rtol=1e-5)
        z = Dense(2)(y)
        assert np.asarray(z).shape == (2, 2)
        assert layer._inbound_nodes == [] and not hasattr(z, "_keras_history")

    def test_a_passed_through_tensor_gets_its_own_identity(self):
        x = Input((4,))
        y = Layer()(x)
        assert y is not x and y._keras_history[0] is not x._keras_history[0]

    def test_shape_is_inferred_without_compute_output_shape(self):
        class Halve(Layer):
            def call(self, inputs):
                return inputs[:, :2]

        assert K.int_shape(Halve()(Input((4,)))) == (None, 2)

    def test_initial_weights(self):
        kernel = np.full((4, 2), 3.0)
        layer = Dense(2, use_bias=False, weights=[kernel])
        layer(Input((4,)))
        assert np.array_equal(layer.get_weights()[0], kernel)


class TestErrors:
    def test_an_error_inside_call_names_layer_class_and_shapes(self):
        class Wrong(Layer):
            def call(self, inputs):
                return K.dot(inputs, K.constant(np.ones((7, 2))))

        with pytest.raises(ValueError, match=r'^layer "bad" \(class Wrong, input shape \(None, 4\)\): '):
            Wrong(name="bad")(Input((4,)))

    def test_the_innermost_layer_is_named_once(self):
        class Inner(Layer):
            def call(self, inputs):
                raise ValueError("no")

        class Outer(Layer):
            def __init__(self):
                super().__init__(name="outer")
                self.inner = Inner(name="inner")

            def call(self, inputs):
                return self.inner(inputs)

        with pytest.raises(ValueError) as raised:
            Outer()(Input((4,)))
        assert str(raised.value) == 'layer "inner" (class Inner, input shape (None, 4)): no'

    @pytest.mark.parametrize(
        "spec, message",
        [
            (InputSpec(ndim=3), "expected ndim=3, found ndim=2"),
            (InputSpec(min_ndim=3), "expected min_ndim=3, found ndim=2"),
            (InputSpec(max_ndim=1), "expected max_ndim=1, found ndim=2"),
            (InputSpec(axes={-1: 5}), "expected axis -1 of input shape to have value 5 but got shape"),
            (InputSpec(shape=(None, 5)), r"expected shape=\(None, 5\), found shape=\(None, 4\)"),
            (InputSpec(dtype="int32"), "expected dtype=int32, found dtype=float32"),
        ],
    )
    def test_input_spec(self, spec, message):
        layer = Layer(name="picky")
        layer.input_spec = spec
        with pytest.raises(ValueError, match=f"Input 0 is incompatible with layer picky: {message}"):
            layer(Input((4,)))

    def test_input_count(self):
        layer = Layer(name="picky")
        layer.input_spec = [InputSpec(), InputSpec()]
        with pytest.raises(ValueError, match="Layer picky expects 2 inputs, but it received 1 input tensors"):
            layer(Input((4,)))

    def test_not_a_tensor(self):
        with pytest.raises(ValueError, match="was called with an input that isn't a symbolic tensor"):
            Dense(2)("x")

    def test_unknown_argument(self):
        with pytest.raises(TypeError, match="Keyword argument not understood: colour"):
            Dense(2, colour="red")

    def test_set_weights(self):
        layer = Dense(2, name="d")
        layer.build((None, 4))
        before = layer.get_weights()
        with pytest.raises(ValueError, match='layer "d" with a weight list of length 1, but the layer was expecting 2'):
            layer.set_weights(before[:1])
        with pytest.raises(ValueError, match=r"shape \(2,\) not compatible with provided weight shape \(3,\)"):
            layer.set_weights([np.zeros((4, 2)), np.zeros(3)])
        assert np.array_equal(layer.get_weights()[0], before[0])

    def test_masks_are_not_swallowed(self):
        class Plain(Layer):
            def call(self, inputs):
                return inputs * 2

        x = Input((4,))
        x._keras_mask = K.placeholder((None, 4), dtype="bool")
        with pytest.raises(TypeError, match="does not support masking"):
            Plain()(x)


class TestTracking:
    def test_sublayers_alone_and_in_containers(self):
        class Block(Layer):
            def __init__(self):
                super().__init__()
                self.first = Dense(2)
                self.more = []
                self.named = {"a": Dense(2)}

            def call(self, inputs):
                return self.named["a"](self.more[0](self.first(inputs)))

        block = Block()
        block.more.append(Dense(2))
        block(Input((4,)))
        assert len(block.trainable_weights) == 6
        block.trainable = False
        assert block.trainable_weights == [] and len(block.non_trainable_weights) == 6

    @pytest.mark.parametrize("base", [Layer, Model])
    def test_sublayers_in_private_containers(self, base):
        class Stack(base):
            def __init__(self):
                super().__init__()
                self._blocks = []
                self._by_name = {"last": Dense(1)}
                for units in (3, 2):
                    self._blocks.append(Dense(units))

            def call(self, inputs):
                for block in self._blocks:
                    inputs = block(inputs)
                return self._by_name["last"](inputs)

        stack = Stack()
        x = Input((4,))
        model = Model(x, stack(x))
        assert len(stack.trainable_weights) == 6
        model.compile("sgd", "mse", metrics=["mae"])
        before = model.get_weights()
        values = np.random.RandomState(0).rand(8, 4)
        model.fit(values, values[:, :1], verbose=0)
        assert all(not np.array_equal(*pair) for pair in zip(before, model.get_weights()))
        assert stack._layers == [*stack._blocks, stack._by_name["last"]]

    def test_a_model_holds_its_layers_and_no_metrics_of_its_own(self):
        class Plain(Model):
            def __init__(self):
                super().__init__()
                self._out = Dense(2)

            def call(self, inputs):
                return self._out(inputs)

        model = Plain()
        model.compile("sgd", "mse", metrics=["mae", "accuracy"])
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
        assert model.layers == [model._out] and len(model.weights) == 2

    def test_a_variable_counts_once(self):
        layer = Scale()
        layer(Input((4,)))
        assert layer.trainable_weights == [layer.factor]
        layer.extra = K.variable(1.0)
        assert layer.trainable_weights == [layer.factor, layer.extra]

    def test_disable_tracking(self):
        class Holder(Layer):
            @disable_tracking
            def keep(self, layer):
                self.kept = layer

        holder, inner = Holder(), Dense(2)
        inner.build((None, 3))
        holder.keep(inner)
        assert holder.weights == []
        holder.kept = inner
        assert holder.weights == inner.weights

    def test_weight_names_follow_the_layer(self):
        layer = Dense(2, name="named")
        layer(Input((4,)))
        assert [w.name for w in layer.weights] == ["named/kernel:0", "named/bias:0"]


class TestLossesAndUpdates:
    def test_losses_belong_to_inputs(self):
        layer = Dense(2, kernel_regularizer="l2", activity_regularizer="l2")
        a, b = Input((4,)), Input((4,))
        layer(a)
        layer(b)
        assert len(layer.get_losses_for(None)) == 1
        assert len(layer.get_losses_for([a])) == len(layer.get_losses_for(b)) == 1
        assert len(layer.losses) == 3

    def test_a_model_takes_only_what_its_own_calls_added(self):
        layer = Dense(2, activity_regularizer="l2")
        a, b = Input((4,)), Input((4,))
        model = Model(a, layer(a))
        layer(b)
        assert len(model.losses) == 1

    def test_frozen_layers_update_nothing(self):
        layer = Scale()
        x = Input((4,))
        layer(x)
        layer.add_update([layer.factor.assign_add(K.ones((4,)))], [x])
        assert len(layer.updates) == len(layer.get_updates_for([x])) == 1
        layer.trainable = False
        assert layer.updates == [] and layer.get_updates_for([x]) == []

    def test_of_a_model_include_its_layers(self):
        x = Input((2,))
        inner = Dense(3, kernel_regularizer="l2", activity_regularizer="l2")
        model = Model(x, inner(x))
        assert len(model.losses) == 2
        assert model.get_losses_for(None) == inner.get_losses_for(None) and len(model.get_losses_for(None)) == 1
        assert model.get_losses_for(x) == inner.get_losses_for(x) and len(model.get_losses_for(x)) == 1

    def test_of_no_inputs_are_those_that_always_hold(self):
        x = Input((2,))
        model = Model(x, Dense(3)(x))
        model.add_loss(K.constant(1.0))
        assert len(model.get_losses_for([])) == len(model.get_losses_for(None)) == 1

    def test_of_a_variable_can_be_asked_for(self):
        layer, x = Dense(2, activity_regularizer="l1"), K.variable(np.ones((1, 2)))
        y = layer(x)
        (loss,) = layer.get_losses_for(x)
        assert K.eval(loss) == pytest.approx(0.01 * np.abs(K.eval(y)).sum())


def test_dtype_and_trainable_of_a_subclass_of_model():
    class Counter(Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.count = self.add_weight("count", [], initializer="zeros")

    assert K.dtype(Counter(dtype="int64").count) == "int64"
    assert Counter(trainable=False).trainable_weights == []
    with pytest.raises(TypeError, match="dtyp"):
        Model(dtyp="int64")


def test_config_round_trip():
    config = Dense(2, name="d", input_shape=(4,), trainable=False).get_config()
    assert config["batch_input_shape"] == (None, 4) and config["trainable"] is False
    assert Dense.from_config(config).get_config() == config


def test_old_module_paths():
    import hornbeam.engine.topology as topology
    from hornbeam.engine.network import get_source_inputs

    assert topology.Layer is Layer and topology.InputSpec is InputSpec
    assert topology.get_source_inputs is get_source_inputs


def test_private_names_by_which_scripts_look_into_models():
    x = Input((4,))
    hidden = Dense(3)
    model = Model(x, Dense(2)(hidden(x)))
    assert hidden.inbound_nodes is hidden._inbound_nodes and hidden.outbound_nodes is hidden._outbound_nodes
    assert hidden._get_node_attribute_at_index(0, "output_tensors", "output") is hidden.output
    with pytest.raises(ValueError, match="Asked to get output at node 1"):
        hidden._get_node_attribute_at_index(1, "output_tensors", "output")
    model.layers[-1].outbound_nodes = []
    hidden.outbound_nodes = hidden.inbound_nodes = []
    assert hidden._outbound_nodes == hidden._inbound_nodes == []


def test_layers_inside_a_layer_have_keras_name_too():
    class Two(Layer):
        def __init__(self):
            super().__init__()
            self.first, self.second = Dense(3), Sequential([Dense(1)])

    layer = Two()
    assert layer._layers == [layer.first, layer.second] and Dense(1)._layers == []
    assert layer.second._layers == layer.second.layers  # a network's own list, which scripts change
    model = Sequential([Dense(2, input_shape=(3,)), Dense(1)])
    model._layers.pop()
    assert len(model.layers) == 1


@pytest.mark.parametrize("attribute", ["name", "_name"])
def test_a_layer_renamed_after_its_model_was_made_loses_nothing(attribute, tmp_path):
    x = Input((3,))
    norm, last = BatchNormalization(), Dense(1, activity_regularizer="l2")
    model = Model(x, last(norm(x)))
    for i, layer in enumerate(model.layers):
        setattr(layer, attribute, f"member_{i}")
    assert [layer.name for layer in model.layers] == ["member_0", "member_1", "member_2"]
    assert len(model.updates) == 2 and len(model.losses) == 1
    model.compile("sgd", "mse")
    values = np.random.RandomState(0).rand(8, 3) + 5
    model.fit(values, values[:, :1], verbose=0)
    assert np.all(norm.get_weights()[2] != 0)  # the moving mean moves
    model.save(tmp_path / "renamed.h5")
    np.testing.assert_array_equal(load_model(tmp_path / "renamed.h5").predict(values), model.predict(values))


def test_calls_on_arrays_leave_nothing_behind():
    inner = Sequential([Dense(3, kernel_regularizer="l2", input_shape=(3,)), BatchNormalization()])
    x = Input((3,))
    model = Model(x, ActivityRegularization(0.1)(inner(x)))
    lstm = LSTM(2, stateful=True, batch_input_shape=(1, 2, 3))
    recurrent = Sequential([lstm])
    values = np.ones((1, 3), dtype="float32")

    def kept():
        layers = [model, inner, *inner.layers, *model.layers, lstm, recurrent]
        return [
            len(x) for la in layers for x in (la._losses, la._updates, la._per_input_losses, la._per_input_updates)
        ] + [len(m._calls) for m in (model, inner, recurrent)]

    model(values).numpy()
    before = kept()
    for _ in range(3):
        np.testing.assert_allclose(model(values).numpy(), model.predict(values), rtol=1e-5)
        recurrent(np.ones((1, 2, 3), dtype="float32")).numpy()
    assert kept() == before and len(model.losses) == 2


def test_options_of_weights_go_by_name():
    layer = Layer()
    weight = layer.add_weight("w", (2,), initializer="ones", regularizer="l2", constraint="non_neg")
    assert isinstance(weight.constraint, constraints.NonNeg) and len(layer.losses) == 1
