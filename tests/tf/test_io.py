"""Files, records, examples, pictures and sounds."""

import gzip
import struct
import zlib

import numpy as np
import pytest
from hornbeam.graph import RaggedTensor
from hornbeam.tf import NAMES as tf

Dataset = tf["data.Dataset"]
pytestmark = pytest.mark.usefixtures("eager")


def example(**features):
    kinds = {bytes: ("bytes_list", "BytesList"), float: ("float_list", "FloatList"), int: ("int64_list", "Int64List")}
    made = {}
    for name, values in features.items():
        kind, message = kinds[type(values[0])]
        made[name] = tf["train.Feature"](**{kind: tf[f"train.{message}"](value=values)})
    return tf["train.Example"](features=tf["train.Features"](feature=made))


# -- records ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("compression", ["", "GZIP", "ZLIB"])
def test_records_come_back(tmp_path, compression):
    path = tmp_path / "data.tfrecord"
    records = [b"", b"one\0", bytes(range(256)) * 300]
    with tf["io.TFRecordWriter"](str(path), compression) as writer:
        for record in records:
            writer.write(record)
    data = tf["data.TFRecordDataset"]([path], compression_type=compression)
    assert list(data.as_numpy_iterator()) == records


def test_records_are_as_tensorflow_writes_them(tmp_path):
    """Of b"abc", by hand: the length, its masked CRC-32C, the bytes, and their masked CRC-32C."""
    path = tmp_path / "one"
    with tf["io.TFRecordWriter"](path) as writer:
        writer.write(b"123456789")
    data = path.read_bytes()
    crc = 0xE3069283  # of the bytes: the check value of CRC-32C
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert data[:8] == struct.pack("<Q", 9) and data[12:21] == b"123456789" and data[21:] == struct.pack("<I", masked)


@pytest.mark.parametrize(
    "place, message", [(0, "checksum of its length"), (14, "wrong checksum"), (22, "wrong checksum")]
)
def test_damaged_records(tmp_path, place, message):
    path = tmp_path / "data"
    with tf["io.TFRecordWriter"](path) as writer:
        writer.write(b"a record")
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    with pytest.raises(OSError, match=f"record 0 .*{message}"):
        list(tf["data.TFRecordDataset"](path))
    path.write_bytes(data[:-3])
    with pytest.raises(OSError, match=r"data: record 0"):
        list(tf["data.TFRecordDataset"](path))
    with pytest.raises(FileNotFoundError):
        list(tf["data.TFRecordDataset"](tmp_path / "none"))


def test_a_length_is_not_believed(tmp_path):
    from hornbeam.utils.checksum import masked_crc32c

    length = struct.pack("<Q", 1 << 50)
    (tmp_path / "long").write_bytes(length + struct.pack("<I", masked_crc32c(length)) + b"abc")
    with pytest.raises(OSError, match="cut short: 3 of 1125899906842624 bytes"):
        list(tf["data.TFRecordDataset"](tmp_path / "long"))


# -- examples ---------------------------------------------------------------------------------------------------------
def test_an_example_as_protocol_buffers_have_it():
    """Written out by hand from the format's description."""
    feature = b"\x1a\x04\x0a\x02\x05\x7f"  # int64_list { value: 5, value: 127 }, packed
    entry = b"\x0a\x01n\x12" + bytes([len(feature)]) + feature
    features = b"\x0a" + bytes([len(entry)]) + entry
    assert example(n=[5, 127]).SerializeToString() == b"\x0a" + bytes([len(features)]) + features
    unpacked = b"\x1a\x04\x08\x05\x08\x7f"
    entry = b"\x0a\x01n\x12" + bytes([len(unpacked)]) + unpacked
    features = b"\x0a" + bytes([len(entry)]) + entry
    read = tf["train.Example"].FromString(b"\x0a" + bytes([len(features)]) + features)
    assert read.features.feature["n"].int64_list.value == [5, 127]


def test_parsing_single_examples():
    data = example(name=[b"x"], size=[-3], grid=[1.0, 2.0, 3.0, 4.0], words=[b"a", b"b"]).SerializeToString()
    parsed = tf["io.parse_single_example"](data, {
        "name": tf["io.FixedLenFeature"]([], "string"), "size": tf["io.FixedLenFeature"]((1,), "int64"),
        "grid": tf["io.FixedLenFeature"]([2, 2], "float32"), "words": tf["io.VarLenFeature"]("string"),
        "ragged": tf["io.RaggedFeature"]("int64"), "more": tf["io.FixedLenFeature"]([2], "int64", default_value=[7, 8]),
        "sequence": tf["io.FixedLenSequenceFeature"]([], "string", allow_missing=True),
    })  # fmt: skip
    assert parsed["name"].numpy() == b"x" and parsed["size"].numpy().tolist() == [-3]
    assert parsed["grid"].numpy().tolist() == [[1, 2], [3, 4]] and parsed["more"].numpy().tolist() == [7, 8]
    assert tf["sparse.to_dense"](parsed["words"]).numpy().tolist() == [b"a", b"b"]
    assert parsed["ragged"].shape == (0,) and parsed["sequence"].shape == (0,)


def test_parsing_several_examples():
    data = [example(n=[1, 2, 3]).SerializeToString(), example(n=[4]).SerializeToString()]
    features = {"n": tf["io.VarLenFeature"]("int64")}
    assert tf["sparse.to_dense"](tf["io.parse_example"](data, features)["n"]).numpy().tolist() == [[1, 2, 3], [4, 0, 0]]
    ragged = tf["io.parse_example"](data, {"n": tf["io.RaggedFeature"]("int64")})["n"]
    assert isinstance(ragged, RaggedTensor) and ragged.to_list() == [[1, 2, 3], [4]]
    padded = tf["io.parse_example"](data, {"n": tf["io.FixedLenSequenceFeature"]([], "int64", allow_missing=True)})["n"]
    assert padded.numpy().tolist() == [[1, 2, 3], [4, 0, 0]]


@pytest.mark.parametrize(
    "data, feature, message",
    [
        (example(n=[1]).SerializeToString(), ([], "float32"), "Data types don't match"),
        (example(n=[1, 2]).SerializeToString(), ([], "int64"), "Values size: 2"),
        (example(m=[1]).SerializeToString(), ([], "int64"), "n .* is required but could not be found"),
        (b"\x0a\xff\xff\xff\xff\x0f", ([], "int64"), "Could not parse example"),
        (b"\x0a" + b"\xff" * 12, ([], "int64"), "does not end"),
        (b"\x0b", ([], "int64"), "of the kind 3"),
    ],
)
def test_examples_that_do_not_fit(data, feature, message):
    with pytest.raises(ValueError, match=message):
        tf["io.parse_single_example"](data, {"n": tf["io.FixedLenFeature"](*feature)})


def test_records_of_examples_feed_a_pipeline(tmp_path):
    """As in the tutorial: parsed within a map, which is traced once."""
    with tf["io.TFRecordWriter"](tmp_path / "data") as writer:
        for i in range(5):
            image = tf["io.serialize_tensor"](np.full((2, 2), i, "float32")).numpy()
            writer.write(
                example(label=[i], raw=[bytes([i] * 4)], tensor=[image], many=[float(i)] * (i + 1)).SerializeToString()
            )
    calls = []

    def parse(record):
        calls.append(record)
        kinds = {"label": tf["io.FixedLenFeature"]([], "int64"), "raw": tf["io.FixedLenFeature"]([], "string")}
        found = tf["io.parse_single_example"](record, {**kinds, "many": tf["io.VarLenFeature"]("float32")})
        pixels = tf["reshape"](tf["io.decode_raw"](found["raw"], "uint8"), [2, 2])
        return (
            tf["cast"](pixels, "float32") / 2.0,
            found["label"],
            tf["reduce_sum"](tf["sparse.to_dense"](found["many"])),
        )

    data = tf["data.TFRecordDataset"](tmp_path / "data").map(parse).batch(5)
    ((pixels, labels, sums),) = data.as_numpy_iterator()
    assert (
        pixels[3].tolist() == [[1.5, 1.5]] * 2
        and labels.tolist() == [0, 1, 2, 3, 4]
        and sums.tolist() == [0, 2, 6, 12, 20]
    )
    assert len(calls) == 1


def test_sparse_features_of_a_pipeline_are_dense(tmp_path):
    with tf["io.TFRecordWriter"](tmp_path / "data") as writer:
        for i in range(3):
            writer.write(example(n=[i] * i if i else [0]).SerializeToString())
    features = {"n": tf["io.VarLenFeature"]("int64")}
    records = tf["data.TFRecordDataset"](tmp_path / "data")
    single = records.map(lambda r: tf["io.parse_single_example"](r, features))
    assert [x["n"].tolist() for x in single.as_numpy_iterator()] == [[0], [1], [2, 2]]
    whole = records.batch(3).map(lambda r: tf["io.parse_example"](r, features))
    assert [x["n"].tolist() for x in whole.as_numpy_iterator()] == [[[0, 0], [1, 0], [2, 2]]]
    assert tf["sparse.to_dense"](next(iter(whole))["n"]).shape == (3, 2)


def test_tensors_as_strings():
    for value in (np.arange(6, dtype="int64").reshape(2, 3), np.array(2.5, "float32"), np.array([True, False])):
        back = tf["io.parse_tensor"](tf["io.serialize_tensor"](value), value.dtype.name)
        assert back.dtype == value.dtype.name and np.array_equal(back, value) and back.shape == value.shape
    assert tf["io.parse_tensor"](tf["io.serialize_tensor"](["a", "b"]), "string").numpy().tolist() == [b"a", b"b"]
    with pytest.raises(ValueError, match="Type mismatch"):
        tf["io.parse_tensor"](tf["io.serialize_tensor"]([1.0]), "int32")
    with pytest.raises(ValueError, match="Could not parse"):
        tf["io.parse_tensor"](b"\x08\x01\x12\x04\x12\x02\x08\x09", "float32")


# -- lines and tables ---------------------------------------------------------------------------------------------------
def test_lines_of_files(tmp_path):
    (tmp_path / "a").write_bytes(b"one\r\ntwo\n\nlast")
    (tmp_path / "b").write_bytes(b"more\n")
    paths = [str(tmp_path / name) for name in "ab"]
    wanted = [b"one", b"two", b"", b"last", b"more"]
    assert list(tf["data.TextLineDataset"](paths).as_numpy_iterator()) == wanted
    files = Dataset.list_files(str(tmp_path / "*"), shuffle=False)
    assert list(files.flat_map(tf["data.TextLineDataset"]).as_numpy_iterator()) == wanted
    with pytest.raises(ValueError, match="No files matched pattern"):
        Dataset.list_files(str(tmp_path / "*.txt"))


def test_tables(tmp_path):
    path = str(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text('name,size,share\n"a, b",1,0.5\nc,,1.5\n')
    rows = tf["data.experimental.CsvDataset"](path, ["string", [7], "float32"], header=True)
    assert list(rows.as_numpy_iterator()) == [(b"a, b", 1, 0.5), (b"c", 7, 1.5)]
    chosen = tf["data.experimental.CsvDataset"](path, ["float32"], header=True, select_cols=[2])
    assert list(chosen.as_numpy_iterator()) == [(0.5,), (1.5,)]
    with pytest.raises(ValueError, match="line 3 is required"):
        list(tf["data.experimental.CsvDataset"](path, ["string", "int32", "float32"], header=True))
    batches = tf["data.experimental.make_csv_dataset"](path, 2, label_name="share", num_epochs=1, shuffle=False)
    ((features, label),) = batches.as_numpy_iterator()
    assert (
        features["name"].tolist() == [b"a, b", b"c"]
        and features["size"].tolist() == [1, 0]
        and label.tolist() == [0.5, 1.5]
    )


def test_lines_as_columns(tmp_path):
    (tmp_path / "t.csv").write_text("1,a,0.5\n2,,1.5\n")

    def parse(line):
        number, name, share = tf["io.decode_csv"](line, [0, "none", 0.0])
        return {"number": number, "name": name}, share * 2

    data = tf["data.TextLineDataset"](str(tmp_path / "t.csv")).map(parse)
    assert list(data.as_numpy_iterator()) == [({"number": 1, "name": b"a"}, 1.0), ({"number": 2, "name": b"none"}, 3.0)]
    with pytest.raises(ValueError, match="Expect 2 fields but have 3"):
        tf["io.decode_csv"]("1,2,3", [0, 0])


@pytest.mark.parametrize("compression, packed", [("GZIP", gzip.compress), ("ZLIB", zlib.compress)])
def test_compressed_lines_and_tables(tmp_path, compression, packed):
    text = b"1,a\n" * 70_000 + b"2,b\n"  # larger than what is read at once
    (tmp_path / "t").write_bytes(packed(text))
    lines = tf["data.TextLineDataset"](tmp_path / "t", compression)
    assert [sum(1 for _ in lines.batch(1000)), list(lines.skip(70_000).as_numpy_iterator())] == [71, [b"2,b"]]
    table = tf["data.experimental.CsvDataset"](tmp_path / "t", [0, "string"], compression)
    assert list(table.skip(69_999).as_numpy_iterator()) == [(1, b"a"), (2, b"b")]


@pytest.mark.parametrize("compression, packed", [("GZIP", gzip.compress), ("ZLIB", zlib.compress)])
def test_damaged_compressed_files(tmp_path, compression, packed):
    whole = packed(bytes(range(256)) * 8)
    for data in (whole[: len(whole) // 2], b"not compressed"):
        (tmp_path / "t").write_bytes(data)
        for kind in ("TextLineDataset", "TFRecordDataset"):
            with pytest.raises(OSError):
                list(tf[f"data.{kind}"](tmp_path / "t", compression))


def test_a_writer_may_be_closed_twice(tmp_path):
    with tf["io.TFRecordWriter"](tmp_path / "t", "ZLIB") as writer:
        writer.write(b"record")
        writer.close()
    assert list(tf["data.TFRecordDataset"](tmp_path / "t", "ZLIB").as_numpy_iterator()) == [b"record"]


@pytest.mark.parametrize(
    "line, how, message",
    [
        ("1,2", {"select_cols": [5]}, "Expect 1 fields but have 0"),
        ("1\r2", {}, "decode_csv: new-line character"),
        ("1" * 200_000, {}, "decode_csv: field larger than field limit"),
    ],
)
def test_lines_that_are_not_of_the_table(line, how, message):
    with pytest.raises(ValueError, match=message):
        tf["io.decode_csv"](line, [0], **how)


def test_a_table_without_lines(tmp_path):
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(ValueError, match="has no lines"):
        tf["data.experimental.make_csv_dataset"](str(tmp_path / "t.csv"), 2)


# -- files --------------------------------------------------------------------------------------------------------------
def test_files_and_folders(tmp_path):
    path = str(tmp_path / "new" / "file.txt")
    tf["io.write_file"](path, tf["constant"]("text"))
    assert tf["io.read_file"](path).numpy() == b"text" and tf["io.gfile.exists"](path)
    with tf["io.gfile.GFile"](path) as file:
        assert file.read() == "text"
    tf["io.gfile.makedirs"](tmp_path / "deep" / "er")
    assert tf["io.gfile.isdir"](str(tmp_path / "deep")) and tf["io.gfile.listdir"](tmp_path) == ["deep", "new"]
    with pytest.raises(FileExistsError, match="overwrite"):
        tf["io.gfile.copy"](path, path)
    tf["io.gfile.rename"](path, str(tmp_path / "moved"))
    assert tf["io.gfile.glob"](str(tmp_path / "m*")) == [str(tmp_path / "moved")]
    assert tf["io.matching_files"](str(tmp_path / "m*")).numpy().tolist() == [str(tmp_path / "moved").encode()]
    with pytest.raises(OSError):
        tf["io.read_file"](path)


@pytest.mark.parametrize("format", ["png", "bmp", "jpeg"])
def test_pictures(format, rng):
    """Lossless formats exactly, JPEG nearly; with the channels that are asked for."""
    pytest.importorskip("PIL")
    pixels = np.repeat(np.repeat(rng.randint(0, 256, (4, 5, 3)), 8, 0), 8, 1).astype("uint8")
    if format == "bmp":
        import io

        from PIL import Image

        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "BMP")
        data = out.getvalue()
    else:
        data = tf[f"io.encode_{format}"](pixels)
    for name in (f"io.decode_{format}", "io.decode_image"):
        got = tf[name](data, channels=3).numpy()
        assert got.dtype == np.uint8 and got.shape == pixels.shape
        assert np.abs(got.astype(int) - pixels).mean() <= (8 if format == "jpeg" else 0)
    assert tf["io.decode_image"](data, channels=1, dtype="float32").shape == (32, 40, 1)
    assert 0 <= float(tf["reduce_max"](tf["io.decode_image"](data, dtype="float32"))) <= 1
    with pytest.raises(ValueError, match="Unknown image file format"):
        tf["io.decode_image"](b"not a picture")


def test_parts_of_pictures():
    pytest.importorskip("PIL")
    data = tf["io.encode_jpeg"](np.repeat(np.arange(0, 240, 10, "uint8"), 16 * 3).reshape(24, 16, 3))
    whole = tf["io.decode_jpeg"](data).numpy()
    part = tf["io.decode_and_crop_jpeg"](data, [4, 2, 9, 7], channels=3).numpy()
    np.testing.assert_array_equal(part, whole[4:13, 2:9])


def test_pictures_that_are_refused(rng):
    pytest.importorskip("PIL")
    data = tf["io.encode_png"](rng.randint(0, 256, (32, 32, 3)).astype("uint8")).numpy()
    with pytest.raises(ValueError, match="image data are damaged"):
        tf["io.decode_png"](data[: len(data) // 2])
    head = struct.pack(">II", 1 << 20, 1 << 20)  # a size in a file of some bytes
    header = b"IHDR" + head + data[24:29]
    huge = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    with pytest.raises(ValueError, match="is not decoded"):
        tf["io.decode_png"](huge)


def test_bytes_as_numbers_and_compressed_strings():
    decoded = tf["io.decode_raw"]([b"abcd", b"e"], "uint8", fixed_length=2)
    assert decoded.numpy().tolist() == [[97, 98], [101, 0]]
    for packed in (zlib.compress(b"text"), gzip.compress(b"text")):
        assert tf["io.decode_compressed"](packed, "ZLIB").numpy() == b"text"
    with pytest.raises(ValueError, match="of 4 bytes is not compressed"):
        tf["io.decode_compressed"](b"text", "ZLIB")


def test_sounds():
    wave = np.sin(np.arange(100) / 5.0)[:, None].astype("float32") * 0.5
    data = tf["audio.encode_wav"](wave, 8000)
    samples, rate = tf["audio.decode_wav"](data)
    np.testing.assert_allclose(samples, wave, atol=1e-4)
    assert int(rate) == 8000 and tf["audio.decode_wav"](data, desired_samples=120)[0].shape == (120, 1)
    with pytest.raises(ValueError, match="not a WAV file"):
        tf["audio.decode_wav"](b"RIFFxxxx")


# -- Python functions ----------------------------------------------------------------------------------------------------
def test_python_functions_run_for_each_element():
    seen = []

    def count(x):
        seen.append(x)
        return np.float32(x) + 0.5, b"n"

    data = Dataset.range(3).map(lambda i: tuple(tf["numpy_function"](count, [i], ["float32", "string"])))
    assert list(data.as_numpy_iterator()) == [(0.5, b"n"), (1.5, b"n"), (2.5, b"n")] and len(seen) == 3
    eager = tf["py_function"](lambda x: x.numpy() * 2, inp=[tf["constant"](4)], Tout="int64")
    assert eager.dtype == "int64" and int(eager) == 8
