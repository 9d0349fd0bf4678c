"""TensorFlow's tensor bundles: what is written is read to the same bits, and what is damaged is refused within bounds."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hdf5_bounds import bounds
from hornbeam import _core
from hornbeam.saving.tensor_bundle import TensorBundle, dtypes, entries, write_bundle
from hornbeam.saving.tensor_bundle.entries import Entry
from hornbeam.saving.tensor_bundle.parts import part_key
from hornbeam.saving.tensor_bundle.strings import encode
from hornbeam.saving.tensor_bundle.table import read_table
from hornbeam.utils.checksum import masked_crc32c
from hornbeam.utils.protobuf import field, varint
from tensor_bundles import one_tensor, stored, write_data, write_index

DTYPES = "float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64 complex128".split()


def refused(prefix, message, error=ValueError):
    """Opening the checkpoint, or reading all of it, is refused, shortly, within bounds on time and memory."""
    files = sum(path.stat().st_size for path in Path(prefix).parent.iterdir())
    with pytest.raises(error, match=message) as raised, bounds(files):
        bundle = TensorBundle(prefix)
        for name in bundle.names:
            bundle.read(name)
    assert len(str(raised.value)) < 600 and str(prefix) in str(raised.value)


# -- checksums ------------------------------------------------------------------------------------------------
def bitwise(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 15, 16, 1000])
def test_crc32c(rng, size):
    data = rng.bytes(size)
    assert _core.crc32c(data) == bitwise(data)
    assert _core.crc32c(memoryview(data)[size // 3 :], _core.crc32c(data[: size // 3])) == bitwise(data)
    assert _core.crc32c(b"123456789") == 0xE3069283


def test_crc32c_is_of_bytes_in_one_piece():
    with pytest.raises(ValueError, match="contiguous"):
        _core.crc32c(np.arange(10)[::2])
    with pytest.raises(TypeError):
        _core.crc32c("text")


# -- what is written is read ------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3, 4)])
def test_each_dtype(tmp_path, rng, dtype, shape):
    value = np.asarray(rng.randint(0, 2, shape)).astype(dtype)
    write_bundle(tmp_path / "c", {"a/b": value})
    bundle = TensorBundle(tmp_path / "c")
    read = bundle.read("a/b")
    assert (bundle.dtype("a/b"), bundle.shape("a/b"), read.dtype) == (dtype, shape, dtype)
    assert np.array_equal(read, value) and read.shape == shape


def test_many_tensors_in_several_blocks(tmp_path):
    tensors = {f"layer_with_weights-{i}/{'kernel' * 20}": np.float32(i) for i in range(5000)}
    write_bundle(tmp_path / "c", tensors)
    index = read_table((tmp_path / "c.index").read_bytes())
    assert [key for key, _ in index[1:]] == sorted(name.encode() for name in tensors)
    bundle = TensorBundle(tmp_path / "c")
    assert len(bundle.names) == 5000 and all(bundle.read(name) == value for name, value in tensors.items())


def test_the_bytes_of_an_index(tmp_path):
    """Against an index put together by hand."""
    write_bundle(tmp_path / "c", {"ab": np.zeros((3, 0), "float32"), "ac": np.array([1.5, 2.0], "float32")})
    header = bytes.fromhex("0801 1a02 0801")
    first = bytes.fromhex("0801 1206 1202 0803 1200 35") + struct.pack("<I", masked_crc32c(b""))
    second = bytes.fromhex("0801 1204 1202 0802 2808 35") + struct.pack("<I", masked_crc32c(struct.pack("<2f", 1.5, 2)))
    body = b"\0\0" + bytes([len(header)]) + header + b"\0\2" + bytes([len(first)]) + b"ab" + first
    body += b"\1\1" + bytes([len(second)]) + b"c" + second + struct.pack("<2I", 0, 1)
    data = (tmp_path / "c.index").read_bytes()
    assert data[: len(body)] == body
    assert data[len(body)] == 0 and data[len(body) + 1 : len(body) + 5] == struct.pack("<I", masked_crc32c(body, b"\0"))
    assert data[-8:] == bytes.fromhex("57fb808b247547db")


def test_a_checkpoint_is_replaced(tmp_path, monkeypatch):
    write_bundle(tmp_path / "c", {"a": np.zeros(3)})
    write_bundle(tmp_path / "c", {"a": np.ones(2)})
    assert np.array_equal(TensorBundle(tmp_path / "c").read("a"), [1, 1])
    monkeypatch.setattr("hornbeam.saving.targets.ask_to_proceed_with_overwrite", lambda path: False)
    write_bundle(tmp_path / "c", {"a": np.zeros(3)}, overwrite=False)
    assert np.array_equal(TensorBundle(tmp_path / "c").read("a"), [1, 1])
    with pytest.raises(ValueError, match="dtype datetime64"):
        write_bundle(tmp_path / "c", {"a": np.zeros(3, "datetime64[s]")})
    assert np.array_equal(TensorBundle(tmp_path / "c").read("a"), [1, 1])


def test_strings(tmp_path):
    strings = [b"", b"a\0b", bytes(range(256)) * 2, "\u00e9".encode()]
    one_tensor(tmp_path / "c", strings)
    read = TensorBundle(tmp_path / "c").read("a")
    assert read.dtype == object and read.tolist() == strings


def test_bfloat16_becomes_float32(tmp_path):
    halves = np.array([0x3FC0, 0xC000, 0x7F80], "<u2")  # 1.5, -2, infinity
    one_tensor(tmp_path / "c", halves, dtype=dtypes.BFLOAT16)
    bundle = TensorBundle(tmp_path / "c")
    read = bundle.read("a")
    assert bundle.dtype("a") == "bfloat16" and read.dtype == "float32" and read.tolist() == [1.5, -2.0, np.inf]


def test_several_data_files(tmp_path):
    tensors = [np.arange(3.0), np.arange(4)]
    pairs = {}
    for shard, value in enumerate(tensors):
        data, entry = stored(value, shard=shard)
        write_data(tmp_path / "c", data, shard, 2)
        pairs[b"ab"[shard : shard + 1]] = entries.entry(entry)
    write_index(tmp_path / "c", pairs, shards=2)
    bundle = TensorBundle(tmp_path / "c")
    assert np.array_equal(bundle.read("a"), tensors[0]) and np.array_equal(bundle.read("b"), tensors[1])
    (tmp_path / "c.data-00001-of-00002").unlink()
    assert np.array_equal(bundle.read("a"), tensors[0])
    refused(tmp_path / "c", r"tensor 'b' .* no file '.*00001-of-00002'", FileNotFoundError)


# -- partitioned variables -----------------------------------------------------------------------------------------
def partitioned(prefix, value, parts, shape=None, extents=None):
    """A variable in parts, each (rows, columns) of it; ``extents`` are what the index says."""
    pairs, data, messages = {}, b"", []
    for part in parts:
        place = tuple(slice(None) if p is None else slice(p[0], p[0] + p[1]) for p in part)
        piece, entry = stored(np.ascontiguousarray(value[place]), len(data))
        pairs[part_key("v", part)] = entries.entry(entry)
        data += piece
    for part in extents or parts:
        fields = [b"" if p is None else field(1, p[0]) + field(2, p[1]) for p in part]
        messages.append(b"".join(field(1, extent) for extent in fields))
    whole = Entry(dtypes.number_of(value.dtype), shape or value.shape)
    pairs[b"v"] = entries.entry(whole) + b"".join(field(7, message) for message in messages)
    write_data(prefix, data)
    write_index(prefix, pairs)


VALUE = np.arange(300 * 4, dtype="float32").reshape(300, 4)


def test_a_partitioned_variable(tmp_path):
    partitioned(tmp_path / "c", VALUE, [[(0, 200), None], [(200, 100), (0, 3)], [(200, 100), (3, 1)]])
    bundle = TensorBundle(tmp_path / "c")
    assert bundle.names == ["v"] and bundle.shape("v") == (300, 4) and np.array_equal(bundle.read("v"), VALUE)


def test_keys_of_parts():
    assert part_key("parts/table", [(0, 3), (0, 3)]) == b"\0parts/table\0\1\1\2\x80\x83\x80\x83"
    key = part_key("a\0b", [(64, 8192), (1 << 20, 1)])
    assert key == b"\0a\0\xffb\0\1\1\2\xc0\x40\xe0\x20\0\xf0\x10\0\0\x81"


@pytest.mark.parametrize(
    ("parts", "extents", "message"),
    [
        ([[(0, 200), None]], None, "do not make up its shape"),
        ([[(0, 200), None], [(100, 100), None]], None, "overlap"),
        ([[(0, 300), None]], [[(0, 300), None], [(0, 300), None]], "belongs to it twice"),
        ([[(0, 300), None]], [[(0, 299), None], [(299, 1), None]], "missing"),
        ([[(0, 300), None]], [[(0, 301), None]], "do not fit its shape"),
        ([[(0, 300), None]], [[(0, 300)]], "do not fit its shape"),
        ([[(0, 300), None]], [[((1 << 64) - 5, 300), None]], "do not fit its shape"),
    ],
)
def test_damaged_parts(tmp_path, parts, extents, message):
    partitioned(tmp_path / "c", VALUE, parts, extents=extents)
    refused(tmp_path / "c", message)


# -- damaged entries -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 1 << 62, "shape": (1 << 30, 1 << 30)}, "ends? at byte|should end at byte"),
        ({"shape": (1 << 32, 1 << 32)}, "has shape"),
        ({"shape": (-1, -2)}, r"has the shape \(-1, -2\)"),
        ({"shape": (3,)}, r"has shape \(3,\) and dtype float32, but 8 bytes"),
        ({"shape": (1,) * 40}, "has the shape"),
        ({"offset": 1}, "should end at byte 9"),
        ({"offset": -8}, "outside of the data files"),
        ({"size": -8}, "outside of the data files"),
        ({"shard": 1}, "outside of the data files"),
        ({"dtype": 20}, "dtype number 20"),
        ({"dtype": 0}, "dtype number 0"),
        ({"dtype": dtypes.STRING}, "lengths of its strings"),
        ({"dtype": dtypes.STRING, "shape": (1 << 40,)}, "has shape"),
        ({"crc": 1}, "checksum"),
    ],
)
def test_damaged_entries(tmp_path, changes, message):
    one_tensor(tmp_path / "c", **changes)
    refused(tmp_path / "c", message, (ValueError, OSError))


def test_a_flipped_bit(tmp_path):
    write_bundle(tmp_path / "c", {"a": np.zeros(100)})
    path = tmp_path / "c.data-00000-of-00001"
    data = bytearray(path.read_bytes())
    data[77] ^= 8
    path.write_bytes(data)
    refused(tmp_path / "c", "tensor 'a' .* checksum does not fit")


def test_damaged_strings(tmp_path):
    data, crc = encode([b"abc", b"de"])
    for damaged, message in (
        (b"\4" + data[1:], "lengths"),
        (data[:-1] + b"x", "checksum"),
        (b"\xff" * len(data), "end"),
    ):
        entry = Entry(dtypes.STRING, (2,), size=len(damaged), crc=crc)
        write_data(tmp_path / "c", damaged)
        write_index(tmp_path / "c", {b"a": entries.entry(entry)})
        refused(tmp_path / "c", message)


def test_tensors_that_share_bytes(tmp_path):
    """A megabyte that ten thousand names claim would be ten gigabytes."""
    data, entry = stored(np.zeros(1 << 17))
    write_data(tmp_path / "c", data)
    write_index(tmp_path / "c", {b"%06d" % i: entries.entry(entry) for i in range(10_000)})
    refused(tmp_path / "c", "overlap")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (field(1, 1) + field(2, 1), "big endian"),
        (b"", "0 data files"),
        (field(1, 1 << 40), "data files"),
        (field(1, 1) + field(3, field(2, 2)), "later version"),
        (b"\x0a\x05a", "goes beyond its end"),
        (b"\x08" + b"\xff" * 20, "does not end"),
        (b"\x0b", "of the kind 3"),
    ],
)
def test_damaged_headers(tmp_path, header, message):
    write_index(tmp_path / "c", {}, header=header)
    refused(tmp_path / "c", message)


# -- damaged tables ----------------------------------------------------------------------------------------------
def summed(body, kind=0):
    body += bytes([kind])
    return body + struct.pack("<I", masked_crc32c(body))


def index_of(block, index_block=None, handles=None, kind=0):
    """A table of one block of pairs, with an index block and a footer that may say anything."""
    data = summed(block, kind)
    if index_block is None:
        handle = varint(0) + varint(len(block))
        index_block = b"\0\1" + varint(len(handle)) + b"x" + handle + struct.pack("<2I", 0, 1)
    rest = summed(index_block) + summed(END)
    metaindex = varint(len(data) + len(rest) - len(END) - 5) + varint(len(END))
    handles = handles or metaindex + varint(len(data)) + varint(len(index_block))
    return data + rest + handles.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


HEADER = entries.header()
GOOD = b"\0\0" + varint(len(HEADER)) + HEADER
END = struct.pack("<2I", 0, 1)


def handle_pairs(*handles):
    body = b""
    for i, (offset, size) in enumerate(handles):
        handle = varint(offset) + varint(size)
        body += b"\0\1" + varint(len(handle)) + bytes([97 + i]) + handle
    return body + END


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (index_of(GOOD + b"\1\1\0" + b"a" + END), "lengths in a block"),
        (index_of(GOOD + b"\0\5\0" + b"ab" + END), "lengths in a block"),
        (index_of(GOOD + b"\0\1" + b"\xff" * 9 + END), "does not end"),
        (index_of(GOOD + b"\0\1\0b\0\1\0a" + END), "out of order"),
        (index_of(GOOD + b"\0\1\0b\0\1\0b" + END), "out of order"),
        (index_of(GOOD + struct.pack("<2I", 0, 1 << 30)), "restarts"),
        (index_of(GOOD + struct.pack("<2I", 1, 1)), "not the beginning of a key"),
        (index_of(GOOD + END, handles=varint(1 << 40) * 2 + varint(0) * 2), "beyond its end"),
        (index_of(GOOD + END, kind=1), "compressed"),
        (index_of(GOOD + END, handles=varint(0) + varint(len(GOOD + END)) + varint(1 << 63) * 2), "beyond its end"),
        (index_of(GOOD + END, handle_pairs((0, 1 << 63))), "beyond its end"),
        (index_of(GOOD + END, handle_pairs((0, len(GOOD + END)), (0, len(GOOD + END)))), "overlap"),
        (index_of(GOOD + END)[:30] + b"x" + index_of(GOOD + END)[31:], "beyond|checksum|end"),
    ],
)
def test_damaged_tables(tmp_path, data, message):
    (tmp_path / "c.index").write_bytes(data)
    refused(tmp_path / "c", message)


def test_the_table_that_the_damage_is_done_to_is_read(tmp_path):
    (tmp_path / "c.index").write_bytes(index_of(GOOD + END))
    assert TensorBundle(tmp_path / "c").names == []


@pytest.mark.parametrize("size", [0, 47, 48, 100])
def test_an_index_that_is_cut_short(tmp_path, size):
    write_bundle(tmp_path / "c", {"a": np.zeros(3)})
    path = tmp_path / "c.index"
    path.write_bytes(path.read_bytes()[:size])
    refused(tmp_path / "c", "cut short, or is not an index", OSError)


def test_long_keys_that_share_their_beginning(tmp_path):
    """A name of 16 KB that each next key takes over with three bytes."""
    body = GOOD + b"\0" + varint(16000) + b"\0" + b"k" * 16000
    body += b"".join(varint(16000) + b"\2\0" + struct.pack(">H", i) for i in range(20_000))
    (tmp_path / "c.index").write_bytes(index_of(body + END))
    refused(tmp_path / "c", "names take more")


def test_a_data_file_that_is_cut_short(tmp_path):
    write_bundle(tmp_path / "c", {"a": np.zeros(100)})
    path = tmp_path / "c.data-00000-of-00001"
    path.write_bytes(path.read_bytes()[:300])
    refused(tmp_path / "c", "should end at byte 800 .* has 300 bytes", OSError)


def test_no_such_tensor(tmp_path):
    one_tensor(tmp_path / "c")
    with pytest.raises(ValueError, match="no tensor 'b' in the checkpoint"):
        TensorBundle(tmp_path / "c").read("b")
    with pytest.raises(FileNotFoundError, match=r"nowhere.index"):
        TensorBundle(tmp_path / "nowhere")
