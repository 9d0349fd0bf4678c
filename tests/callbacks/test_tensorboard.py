"""Event files, read back by the format's own rules."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hornbeam.callbacks import TensorBoard
from hornbeam.callbacks.event_file import EventFile
from hornbeam.callbacks.graph_def import graph_def
from hornbeam.callbacks.histogram import Histogram
from hornbeam.callbacks.png import png, stretched
from hornbeam.layers import Dense, Embedding, Flatten, Input, concatenate
from hornbeam.models import Model, Sequential
from hornbeam.utils.checksum import masked_crc32c

X, Y = np.random.RandomState(0).rand(2, 20, 3)


def fields(data):
    """The fields of a protocol buffer: {number: [values]}."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(kind) or varint()
            value, at = data[at : at + size], at + size
            if kind != 2:
                value = struct.unpack("<d" if kind == 1 else "<f", value)[0]
        found.setdefault(key >> 3, []).append(value)
    return found


def events(path):
    """(step, tag, value field) of every summary, after checking every checksum."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        assert struct.unpack_from("<I", data, at + 8)[0] == masked_crc32c(data[at : at + 8])
        record = data[at + 12 : at + 12 + length]
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == masked_crc32c(record)
        at += 16 + length
        event = fields(record)
        for summary in event.get(5, []):
            for value in fields(summary).get(1, []):
                value = fields(value)
                found.append((event[2][0], value[1][0].decode(), value))
    return found


def test_checksum_is_crc32c():
    # RFC 3720: the CRC-32C of 32 zero bytes is 8A9136AA.
    crc = 0x8A9136AA
    assert masked_crc32c(bytes(32)) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def make_model():
    model = Sequential([Dense(3, name="d", input_shape=(3,))])
    model.compile("sgd", "mse")
    return model


def fit(callback, model=None, **arguments):
    model = model or make_model()
    return model.fit(X, Y, **{"epochs": 2, "verbose": 0, "validation_split": 0.2, "callbacks": [callback], **arguments})


def test_metrics_by_epoch_and_histograms(tmp_path):
    history = fit(TensorBoard(tmp_path, histogram_freq=1)).history
    (path,) = tmp_path.iterdir()
    found = events(path)
    for name in ("loss", "val_loss"):
        got = [value[2][0] for _, tag, value in found if tag == name]
        np.testing.assert_allclose(got, history[name], rtol=1e-6)
    for tag, count in (("d/kernel_0", 9), ("d/bias_0", 3), ("d_out", 12)):
        histograms = [fields(value[5][0]) for _, t, value in found if t == tag]
        assert len(histograms) == 2 and histograms[0][3] == [count]
        limits, counts = (np.frombuffer(histograms[0][i][0]) for i in (6, 7))
        assert counts.sum() == count and (np.diff(limits) > 0).all()


def test_histograms_of_a_nested_model(tmp_path):
    """Its layers' own outputs depend on other inputs."""
    model = Sequential([make_model(), Dense(3, name="e")])
    model.layers[0].name = "inner"
    model.compile("sgd", "mse")
    fit(TensorBoard(tmp_path, histogram_freq=1), model)
    (path,) = tmp_path.iterdir()
    assert {"d/kernel_0", "inner_out", "e_out"} <= {tag for _, tag, _ in events(path)}


def test_histograms_need_validation_arrays(tmp_path):
    with pytest.raises(ValueError, match="validation_data must be provided"):
        fit(TensorBoard(tmp_path, histogram_freq=1), validation_split=0.0)


@pytest.mark.parametrize("validation_split", [0.0, 0.2])
def test_histograms_of_weights_need_none(tf2, tmp_path, validation_split):
    fit(TensorBoard(tmp_path, histogram_freq=1), validation_split=validation_split)
    (path,) = tmp_path.iterdir()
    tags = {tag for _, tag, _ in events(path)}
    assert {"d/kernel_0", "d/bias_0"} <= tags and "d_out" not in tags


def test_metrics_by_samples(tmp_path):
    make_model().fit(X, Y, batch_size=4, verbose=0, callbacks=[TensorBoard(tmp_path, update_freq=8)])
    (path,) = tmp_path.iterdir()
    assert [step for step, tag, _ in events(path) if tag == "loss"] == [8, 16, 20]


class TestHistogram:
    def test_counts_lie_between_their_limits(self):
        values = np.array([-3.0, -1e-5, 0.0, 0.0, 0.5, 0.5, 7e3, np.nan, np.inf])
        histogram = Histogram(values[:4])
        histogram.add(values[4:])
        found = fields(histogram.serialized())
        limits, counts = np.frombuffer(found[6][0]), np.frombuffer(found[7][0])
        finite = values[np.isfinite(values)]
        edges = np.concatenate([[-np.inf], limits])
        assert np.array_equal(counts, np.histogram(finite, edges)[0])
        assert (found[1], found[2], found[3]) == ([-3.0], [7e3], [7.0])
        np.testing.assert_allclose([found[4][0], found[5][0]], [finite.sum(), np.square(finite).sum()])

    def test_of_nothing_is_not_written(self, tmp_path):
        file = EventFile(tmp_path)
        file.histogram("empty", np.array([np.nan]), 0)
        file.flush()
        assert events(Path(file.path)) == []


def test_images_are_png_files(tmp_path):
    image = pytest.importorskip("PIL.Image")
    fit(TensorBoard(tmp_path, histogram_freq=1, write_images=True), epochs=1)
    (path,) = tmp_path.iterdir()
    pictures = {tag: fields(value[4][0]) for _, tag, value in events(path) if 4 in value}
    assert sorted(pictures) == ["d/bias_0/image", "d/kernel_0/image"]
    shown = pictures["d/kernel_0/image"]
    assert (shown[1], shown[2], shown[3]) == ([3], [3], [1])
    assert image.open(io.BytesIO(shown[4][0])).size == (3, 3)


@pytest.mark.parametrize(
    "values, shades", [([[0.0, 1.0, 2.0]], [[0, 127, 255]]), ([[-2.0, 0.0, 1.0]], [[1, 128, 191]])], ids=str
)
def test_shades_of_images(values, shades):
    image = pytest.importorskip("PIL.Image")
    pixels = np.array(image.open(io.BytesIO(png(stretched(np.array(values))[..., None]))))
    assert np.array_equal(pixels, shades)


def test_graph_names_ops_by_their_layers(tmp_path):
    x = Input((3,), name="x")
    model = Model(x, concatenate([Dense(2, name="a")(x), Dense(2, name="b")(x)], name="both"))
    model.compile("sgd", "mse")
    found = fields(graph_def([*model.outputs, model.total_loss]))
    nodes = {node[1][0].decode(): node for node in map(fields, found[1])}
    assert [name.decode() for name in nodes["a/matmul"][3]] == ["x", "a/kernel"]
    assert nodes["a/kernel"][2] == [b"variable"]
    assert len(nodes) == len(found[1])  # every name once
    for node in nodes.values():
        assert all(name.decode().split(":")[0] in nodes for name in node.get(3, []))
    make = make_model()
    fit(TensorBoard(tmp_path), make)
    (path,) = tmp_path.iterdir()
    assert b"d/matmul" in path.read_bytes()
    fit(TensorBoard(tmp_path / "without", write_graph=False), make)
    (path,) = (tmp_path / "without").iterdir()
    assert b"d/matmul" not in path.read_bytes()


def test_embeddings(tmp_path):
    model = Sequential([Embedding(9, 4, input_length=3, name="e"), Flatten(), Dense(3)])
    model.compile("sgd", "mse")
    ids = np.random.RandomState(0).randint(0, 9, (20, 3))
    callback = TensorBoard(
        str(tmp_path), embeddings_freq=1, embeddings_data=ids[:7], embeddings_metadata="names.tsv", batch_size=4
    )
    model.fit(ids, Y, epochs=2, verbose=0, callbacks=[callback])
    want = model.get_weights()[0][ids[:7]].reshape(7, 12)
    np.testing.assert_allclose(np.loadtxt(tmp_path / "keras_embedding_e.tsv"), want, rtol=1e-6)
    config = (tmp_path / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "keras_embedding_e.tsv"' in config and 'metadata_path: "names.tsv"' in config
    with pytest.raises(ValueError, match="embeddings_data must be provided"):
        fit(TensorBoard(tmp_path, embeddings_freq=1))


def test_tensorboard_itself_reads_the_file(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    callback = TensorBoard(str(tmp_path), histogram_freq=1, write_grads=True, write_images=True)
    history = fit(callback).history
    events = accumulator.EventAccumulator(str(tmp_path), size_guidance={"histograms": 0})
    events.Reload()
    np.testing.assert_allclose([event.value for event in events.Scalars("loss")], history["loss"], rtol=1e-6)
    assert {"d/kernel_0", "d/kernel_0_grad", "d/bias_0", "d/bias_0_grad", "d_out"} == set(events.Tags()["histograms"])
    assert events.Histograms("d/kernel_0_grad")[1].histogram_value.num == 9
    assert events.Images("d/kernel_0/image")[0].height == 3
    assert "d/matmul" in [node.name for node in events.Graph().node]


def test_two_files_in_one_second(tmp_path):
    first, second = EventFile(tmp_path), EventFile(tmp_path)
    assert first.path != second.path


def test_the_modules_for_both_versions_of_tensorflow(tmp_path):
    from hornbeam.callbacks import TensorBoard, tensorboard_v1, tensorboard_v2

    assert tensorboard_v1.TensorBoard is TensorBoard
    later = tensorboard_v2.TensorBoard(str(tmp_path), profile_batch=0)
    assert isinstance(later, TensorBoard) and later.log_dir == str(tmp_path)
    with pytest.raises(TypeError, match="other_option"):
        tensorboard_v2.TensorBoard(str(tmp_path), other_option=1)
