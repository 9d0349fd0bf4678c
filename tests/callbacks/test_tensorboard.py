"""Event files, read back by the format's own rules."""

import struct

import numpy as np
import pytest
from hornbeam.callbacks import TensorBoard
from hornbeam.callbacks.event_file import EventFile, _masked_crc
from hornbeam.layers import Dense
from hornbeam.models import Sequential

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
        assert struct.unpack_from("<I", data, at + 8)[0] == _masked_crc(data[at : at + 8])
        record = data[at + 12 : at + 12 + length]
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == _masked_crc(record)
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
    assert _masked_crc(bytes(32)) == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def make_model():
    model = Sequential([Dense(3, name="d", input_shape=(3,))])
    model.compile("sgd", "mse")
    return model


def test_metrics_by_epoch_and_histograms(tmp_path):
    history = (
        make_model()
        .fit(X, Y, epochs=2, verbose=0, validation_split=0.2, callbacks=[TensorBoard(tmp_path, histogram_freq=1)])
        .history
    )
    (path,) = tmp_path.iterdir()
    found = events(path)
    for name in ("loss", "val_loss"):
        got = [value[2][0] for _, tag, value in found if tag == name]
        np.testing.assert_allclose(got, history[name], rtol=1e-6)
    histograms = [fields(value[5][0]) for _, tag, value in found if tag == "d/kernel_0"]
    assert len(histograms) == 2 and histograms[0][3] == [9.0]
    assert np.frombuffer(histograms[0][7][0]).sum() == 9 and len(np.frombuffer(histograms[0][6][0])) == 30


def test_metrics_by_samples(tmp_path):
    make_model().fit(X, Y, batch_size=4, verbose=0, callbacks=[TensorBoard(tmp_path, update_freq=8)])
    (path,) = tmp_path.iterdir()
    assert [step for step, tag, _ in events(path) if tag == "loss"] == [8, 16, 20]


def test_what_is_not_supported(tmp_path):
    with pytest.raises(ValueError, match="embeddings are not supported"):
        TensorBoard(tmp_path, embeddings_freq=1)
    with pytest.warns(UserWarning, match="`write_grads` is not supported"):
        TensorBoard(tmp_path, write_grads=True)


def test_two_files_in_one_second(tmp_path):
    first, second = EventFile(tmp_path), EventFile(tmp_path)
    first.close()
    second.close()
    assert first.path != second.path
