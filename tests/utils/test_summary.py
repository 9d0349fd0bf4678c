"""The summary table, the progress bar, and helpers on layers."""

import io
import sys

import numpy as np
import pytest
from hornbeam.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Flatten,
    Input,
    SeparableConv2D,
    SimpleRNN,
    TimeDistributed,
    add,
)
from hornbeam.models import Model, Sequential
from hornbeam.utils.flops import count_flops
from hornbeam.utils.layer_utils import (
    convert_all_kernels_in_model,
    convert_dense_weights_data_format,
    count_params,
    get_source_inputs,
    print_summary,
)
from hornbeam.utils.progbar import Progbar


def lines(model, **arguments):
    out = []
    print_summary(model, print_fn=out.append, **arguments)
    return out


def test_sequential_summary():
    model = Sequential([Dense(6, name="first", input_shape=(4,)), Dense(3, name="second")], name="net")
    model.layers[0].trainable = False
    assert lines(model) == [
        'Model: "net"',
        "_" * 65,
        "Layer (type)                 Output Shape              Param #   ",
        "=" * 65,
        "first (Dense)                (None, 6)                 30        ",
        "_" * 65,
        "second (Dense)               (None, 3)                 21        ",
        "=" * 65,
        "Total params: 51",
        "Trainable params: 21",
        "Non-trainable params: 30",
        "_" * 65,
    ]


def test_graph_summary_says_what_is_connected_to_what():
    a = Input((4,), name="a")
    shared = Dense(4, name="shared")
    model = Model(a, add([shared(a), shared(shared(a))]))
    text = "\n".join(lines(model, line_length=100))
    assert "Connected to" in text and "a[0][0]" in text and "shared[1][0]" in text
    assert count_params(model.weights + model.weights) == 20


def test_wide_summary():
    model = Sequential([Dense(6, name="first", input_shape=(4,)), Dense(3, name="second")], name="net")
    model.layers[0].trainable = False
    assert lines(model, wide=True)[2:] == [
        "Layer (type)                 Output Shape              Param #   Trainable  Bytes         FLOPs            ",
        "=" * 107,
        "first (Dense)                (None, 6)                 30        no         120           48               ",
        "_" * 107,
        "second (Dense)               (None, 3)                 21        yes        84            36               ",
        "=" * 107,
        "Total params: 51",
        "Trainable params: 21",
        "Non-trainable params: 30",
        "Bytes of weights: 204",
        "FLOPs per sample: 84",
        "_" * 107,
    ]
    a = Input((4,), name="a")
    shared = Dense(4, name="shared")
    text = "\n".join(lines(Model(a, add([shared(a), BatchNormalization(name="bn")(shared(a))])), wide=True))
    assert "FLOPs            Connected to" in text and "in part" in text
    assert "64               a[0][0]" in text  # both calls


def test_a_summary_of_nested_layers_of_what_is_trained_and_of_a_part():
    inner = Sequential([Dense(3, name="deep", input_shape=(6,))], name="inner")
    model = Sequential([Dense(6, name="first", input_shape=(4,)), inner, Dense(3, name="last")], name="net")
    model.layers[0].trainable = False
    names = [line.split(" (")[0] for line in lines(model, expand_nested=True) if "None" in line]
    assert names == ["first", "inner", "  deep", "last"]
    assert [line.split()[-1] for line in lines(model, show_trainable=True) if "None" in line] == ["no", "yes", "yes"]
    names = [line.split()[0] for line in lines(model, layer_range=["in.*", "last"]) if "None" in line]
    assert names == ["inner", "last"]
    with pytest.raises(ValueError, match="no layer is called 'middle'"):
        model.summary(layer_range=["first", "middle"])


@pytest.mark.parametrize(
    "layer, shape, products",
    [
        (Dense(5), (7, 3), 7 * 3 * 5),
        (Conv2D(8, 3, strides=2, padding="same"), (10, 10, 4), 5 * 5 * 8 * 3 * 3 * 4),
        (Conv2D(8, 3, data_format="channels_first"), (4, 10, 10), 8 * 8 * 8 * 3 * 3 * 4),
        (Conv1D(8, 3), (10, 4), 8 * 8 * 3 * 4),
        (DepthwiseConv2D(3), (10, 10, 4), 8 * 8 * 4 * 3 * 3),
        (SeparableConv2D(6, 3), (10, 10, 4), 8 * 8 * 4 * 3 * 3 + 8 * 8 * 4 * 6),
        (Conv2DTranspose(6, 2, strides=2), (5, 5, 4), 5 * 5 * 4 * 2 * 2 * 6),
        (LSTM(6), (9, 4), 9 * (4 + 6) * 4 * 6),
        (GRU(6), (9, 4), 9 * (4 + 6) * 3 * 6),
        (SimpleRNN(6), (9, 4), 9 * (4 + 6) * 6),
        (TimeDistributed(Dense(5)), (7, 3), 7 * 3 * 5),
        (Sequential([Dense(5), Dense(2)]), (3,), 3 * 5 + 5 * 2),
        (Flatten(), (7, 3), 0),
        (LSTM(6), (None, 4), None),
    ],
)
def test_flops_are_twice_the_products(layer, shape, products):
    x = Input(shape)
    model = Model(x, type(layer).from_config(layer.get_config())(x))
    assert count_flops(model)[layer.name] == (None if products is None else 2 * products)


def test_an_unbuilt_model_has_no_summary():
    with pytest.raises(ValueError, match="This model has not yet been built"):
        Sequential([Dense(2)]).summary()


def test_source_inputs():
    a, b = Input((4,)), Input((4,))
    x = add([Dense(4)(a), b])
    assert get_source_inputs(Dense(1)(add([x, Dense(4)(a)]))) == [a, b]


def test_dense_after_flatten_changes_its_data_format():
    dense = Dense(2)
    dense.build((None, 12))
    kernel = np.arange(24.0).reshape(12, 2)
    dense.set_weights([kernel, np.zeros(2)])
    convert_dense_weights_data_format(dense, (3, 1, 4), "channels_first")  # the shape in the new format
    maps = kernel.reshape(1, 4, 3, 2)
    assert np.array_equal(dense.get_weights()[0], maps.transpose(2, 0, 1, 3).reshape(12, 2))
    convert_dense_weights_data_format(dense, (1, 4, 3), "channels_last")
    assert np.array_equal(dense.get_weights()[0], kernel)
    with pytest.raises(ValueError, match="do not make 12 inputs"):
        convert_dense_weights_data_format(dense, (3, 3, 3))


@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_a_model_in_the_other_data_format_predicts_the_same(data_format):
    other = "channels_last" if data_format == "channels_first" else "channels_first"
    axes = (0, 2, 3, 1) if data_format == "channels_first" else (0, 3, 1, 2)
    x = np.random.RandomState(0).rand(2, *((3, 5, 6) if data_format == "channels_first" else (5, 6, 3)))
    turned = x.transpose(axes)

    def build(shape, layout):
        return Sequential([Conv2D(2, (4, 3), input_shape=shape, data_format=layout), Flatten(), Dense(5)])

    model, copy = build(x.shape[1:], data_format), build(turned.shape[1:], other)
    expected = model.predict(x)
    copy.set_weights(model.get_weights())
    convert_dense_weights_data_format(copy.layers[2], copy.layers[0].output_shape[1:], other)
    np.testing.assert_allclose(copy.predict(turned), expected, atol=1e-5)


def test_theano_kernels_are_flipped_and_depthwise_ones_stay():
    model = Sequential([
        Conv2D(2, (3, 2), input_shape=(6, 6, 3)), Conv2DTranspose(3, 2), DepthwiseConv2D(2), SeparableConv2D(2, 2)
    ])  # fmt: skip
    before = model.get_weights()
    convert_all_kernels_in_model(model)
    flipped = [True, False, True] + [False] * 6
    for old, new, flip in zip(before, model.get_weights(), flipped, strict=True):
        assert np.array_equal(new, old[::-1, ::-1] if flip else old)
    convert_all_kernels_in_model(model)
    assert all(np.array_equal(*pair) for pair in zip(before, model.get_weights()))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_bar_on_a_terminal(monkeypatch):
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    bar = Progbar(10, interval=0, stateful_metrics=["acc"])
    bar.update(4, [("loss", 2.0), ("acc", 0.25)])
    bar.add(6, [("loss", 1.0), ("acc", 0.5)])
    first, second = out.getvalue().split("\r")[1:]
    assert first.startswith(" 4/10 [===========>..................] - ETA: ")
    assert second.startswith("10/10 [==============================] - 0s ")
    assert "loss: 1.4000 - acc: 0.5000" in second and second.endswith("\n")


def test_progress_bar_never_wraps(monkeypatch):
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", "60")
    bar = Progbar(10, interval=0)
    bar.update(4, [("a_metric_with_a_long_name", 2.0)])
    bar.update(10, [("a_metric_with_a_long_name", 2.0)])
    moving, last = out.getvalue().split("\r")[1:]
    assert len(moving) == 59 and last.rstrip().endswith("a_metric_with_a_long_name: 2.0000")


def test_progress_bar_in_a_file_writes_few_lines(capsys):
    bar = Progbar(1000)
    for i in range(1000):
        bar.update(i + 1, [("loss", 1e-5)])
    out = capsys.readouterr().out
    assert out.count("\n") == 1 and "loss: 1.0000e-05" in out


def test_progress_bar_without_a_target(capsys):
    bar = Progbar(None, verbose=2)
    bar.update(3, [("loss", 1.0)])
    assert capsys.readouterr().out == " - 0s - loss: 1.0000\n"
