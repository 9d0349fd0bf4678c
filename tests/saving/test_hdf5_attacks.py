"""HDF5 files made to hang, crash or exhaust their reader. Each is refused, or read, within bounds on time and memory."""

import io
import struct
import zlib

import h5py
import numpy as np
import pytest
from hdf5_bounds import bounds, read_all
from hdf5_layouts import built
from hornbeam.layers import Dense
from hornbeam.models import Sequential, load_model
from hornbeam.saving.hdf5_file import Dataset, File, problems
from hornbeam.saving.hdf5_file.checksum import lookup3
from hornbeam.saving.hdf5_file.superblock import SIGNATURE

NOWHERE = b"\xff" * 8


def number(value, size=8):
    return (value % (1 << 8 * size)).to_bytes(size, "little")


def written(fill, **options):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        fill(file)
    return bytearray(buffer.getvalue())


def refused(data, message):
    """Looking at the file, or reading one of its values, is refused, shortly, within the bounds."""

    def read_everything(file):
        found = problems(file)
        if found:
            raise ValueError(found[0])
        items = [file]
        file.visititems(lambda _, item: items.append(item))
        for item in items:
            for value in (*item.attrs.values(), item[()] if isinstance(item, Dataset) else None):
                del value

    with pytest.raises(ValueError, match=message) as raised, bounds(len(data)), File(io.BytesIO(data)) as file:
        read_everything(file)
    assert len(str(raised.value)) < 600


# -- files from blocks ----------------------------------------------------------------------------------------
def summed(data):
    return data + number(lookup3(data), 4)


def header(*messages):
    """An object header of version 2 from (kind, contents) pairs."""
    body = b"".join(number(kind, 1) + number(len(data), 2) + b"\0" + data for kind, data in messages)
    return summed(b"OHDR\2\2" + number(len(body), 4) + body)


def hard_link(name, address):
    return 6, b"\1\1" + number(len(name), 2) + name + number(address)


def file_of(*blocks):
    """A file of a superblock and the blocks, of which the first is the root: it stands at 48."""
    size = 48 + sum(map(len, blocks))
    return summed(SIGNATURE + b"\2\x08\x08\0" + number(0) + NOWHERE + number(size) + number(48)) + b"".join(blocks)


GROUP = header((2, b"\0\0" + NOWHERE + NOWHERE))  # an empty one


def test_files_from_blocks_are_read():
    root = header(hard_link(b"a", 48))
    data = file_of(header(hard_link(b"a", 48 + len(root)), hard_link(b"b", 48)), GROUP)
    data = data[: 48 + len(header(hard_link(b"a", 0), hard_link(b"b", 0)))]
    root = header(hard_link(b"a", len(data)), hard_link(b"b", 48))
    with File(io.BytesIO(file_of(root, GROUP))) as file:
        assert list(file) == ["a", "b"] and len(file["a"]) == 0 and list(file["b/b/b"]) == ["a", "b"]


# -- structures that lead back to themselves ------------------------------------------------------------------
def test_a_tree_that_is_its_own_child():
    data = written(lambda file: file.update({"x": 1}))
    at = data.find(b"TREE")
    data[at + 5] = 1
    data[at + 32 : at + 40] = number(at)
    refused(data, "B-tree (leads back to itself|has a node of kind 0 at level 1)")


def test_a_tree_whose_children_are_one():
    data = written(lambda file: [file.create_group(f"g{i}") for i in range(4)])
    at = data.find(b"TREE")
    data[at + 6 : at + 8] = number(2, 2)
    data[at + 48 : at + 56] = data[at + 32 : at + 40]
    refused(data, "a group has names twice")


def test_a_header_that_continues_in_itself():
    def fill(file):
        for i in range(20):
            file.attrs[f"a{i}"] = np.zeros(20)

    data = written(fill)
    root = 96
    found = data.find(number(16, 2) + number(16, 2), root)  # the message of the continuation
    place, size = struct.unpack("<QQ", data[found + 8 : found + 24])
    data[place : place + 8] = number(16, 2) + number(16, 2) + bytes(4)
    data[place + 8 : place + 24] = number(place) + number(size)
    refused(data, "header of an object never ends")


def test_headers_that_continue_without_end():
    """A chain of 20,000 blocks, each of them a continuation."""
    count = 20_000
    start = 48 + len(header((16, bytes(16))))
    blocks = b"".join(
        summed(b"OCHK" + b"\x10" + number(16, 2) + b"\0" + number(start + 28 * (i + 1)) + number(28))
        for i in range(count)
    )
    refused(file_of(header((16, number(start) + number(28))), blocks), "header of an object never ends")


def test_a_tree_of_version_2_that_is_its_own_child():
    data = bytearray(built("many_attributes", "latest"))
    at = data.find(b"BTIN")
    assert at > 0
    record = 17
    root = data.find(b"BTHD")
    while data[root + 16 : root + 24] != number(at):
        root = data.find(b"BTHD", root + 1)
    count = int.from_bytes(data[root + 24 : root + 26], "little")
    child = at + 6 + count * record
    data[child : child + 8] = number(at)
    size = 6 + count * record + (count + 1) * 9
    data[at + size : at + size + 4] = number(lookup3(bytes(data[at : at + size])), 4)
    refused(data, "checksum of a node|leads back to itself|ends too early")


@pytest.mark.parametrize("name", [b"", b"a/b", b"/", b"."])
def test_names_that_are_paths(name):
    refused(file_of(header(hard_link(name, 48))), "a group has a name that is a path or empty")


def test_groups_that_hold_themselves():
    with bounds(0):
        assert len(list(read_all(built("hard_links", "default")))) == 5


def test_groups_nested_deeply():
    def fill(file):
        for _ in range(500):
            file = file.create_group("g")

    refused(written(fill, libver="latest"), "more than 128 groups within groups")


# -- one place that is met many times -----------------------------------------------------------------------------
def heap(size, *texts):
    """A global heap of ``size`` bytes whose strings have the numbers 1, 2 ..."""
    body = b"".join(
        number(i + 1, 2) + bytes(6) + number(len(text)) + text + bytes(-len(text) % 8) for i, text in enumerate(texts)
    )
    return (b"GCOL\1\0\0\0" + number(size) + body).ljust(size, b"\0")


def texts_attribute(name, *places):
    """An attribute that is an array of strings, by (size, heap, number) of each."""
    string = b"\x19\1\0\0" + number(16, 4) + b"\x10\0\0\0\1\0\0\0\0\0\x08\0"
    space = b"\2\1\0\1" + number(len(places))
    sizes = number(len(name) + 1, 2) + number(len(string), 2) + number(len(space), 2)
    data = b"".join(number(size, 4) + number(at) + number(i, 4) for size, at, i in places)
    return 12, b"\3\0" + sizes + b"\0" + name + b"\0" + string + space + data


def group_of(*messages):
    return header((2, b"\0\0" + NOWHERE + NOWHERE), *messages)


def test_strings_that_share_one_place():
    """2,500 names of 1 MB each, in a file of 1 MB."""
    at = 48 + len(group_of(texts_attribute(b"layer_names", *[(0, 0, 0)] * 2500)))
    root = group_of(texts_attribute(b"layer_names", *[(1 << 20, at, 1)] * 2500))
    refused(file_of(root, heap((1 << 20) + 64, b"x" * (1 << 20))), "its attributes hold more than the file")


def test_attributes_that_share_one_place():
    """Each attribute is small enough; together they are not."""
    names = [b"layer_names%d" % i for i in range(40)]
    at = 48 + len(group_of(*[texts_attribute(name, (0, 0, 0)) for name in names]))
    root = group_of(*[texts_attribute(name, (1 << 20, at, 1)) for name in names])
    refused(file_of(root, heap((1 << 20) + 64, b"x" * (1 << 20))), "its attributes hold more than the file")


def shared_arrays(count, shape, **options):
    """A file of ``count`` arrays, all of them stored where the first one is."""

    def fill(file):
        file.create_dataset("a", data=np.random.default_rng(0).standard_normal(shape).astype("f4"), **options)
        for i in range(count):
            file.create_dataset(f"b{i}", shape=shape, dtype="f4", **options)

    data = written(fill)
    kind = 2 if options else 1
    mark = b"\3" + number(kind, 1) + (number(len(shape) + 1, 1) if options else b"")
    tail = number(4 * int(np.prod(shape))) if not options else b"".join(number(n, 4) for n in options["chunks"])
    at = next(i for i in range(len(data)) if data.startswith(mark, i) and data.startswith(tail, i + len(mark) + 8)
              and data[i + len(mark) : i + len(mark) + 8] != NOWHERE)  # fmt: skip
    address = data[at + len(mark) : at + len(mark) + 8]
    return data.replace(mark + NOWHERE + tail, mark + address + tail)


def test_arrays_that_share_one_place():
    refused(shared_arrays(50, (1 << 18,)), "made to exhaust memory: its arrays would take")


def test_chunked_arrays_that_share_one_index():
    refused(shared_arrays(400, (4000,), chunks=(2,)), "its structures are met again and again")


def test_headers_that_overlap():
    """2,000 links to objects whose headers begin every 16 bytes in one block of messages."""
    count, size = 2000, 1 << 16
    block = (b"\1\0" + bytes(6) + number(size, 4) + bytes(4)) * (size // 16 * 2)
    links = [hard_link(b"%d" % i, 0) for i in range(count)]
    start = 48 + len(header(*links))
    root = header(*[hard_link(b"%d" % i, start + 16 * i) for i in range(count)])
    refused(file_of(root, block), "its structures are met again and again|neither a group nor a dataset|has 0 descr")


def test_heaps_that_overlap():
    """Strings of which each is in a heap of its own, and the heaps begin every 64 bytes of one block."""
    count, size = 3000, 1 << 18
    at = 48 + len(group_of(texts_attribute(b"layer_names", *[(0, 0, 0)] * count)))
    root = group_of(texts_attribute(b"layer_names", *[(8, at + 64 * i, 1) for i in range(count)]))
    block = heap(64, b"8 bytes!")[:8] + number(size) + heap(64, b"8 bytes!")[16:]
    refused(file_of(root, block * (2 * size // 64)), "its structures are met again and again")


def test_names_that_overlap():
    """Each name is the end of the one before, in a heap of 4,000 letters."""

    def fill(file):
        group = file.create_group("g")
        group.create_group("n" * 4000)
        for i in range(3000):
            group.create_group(f"x{i:04}")

    data = written(fill)
    heaps = [i for i in range(len(data)) if data.startswith(b"n" * 4000, i)]
    start = struct.unpack("<Q", data[data.find(b"HEAP", data.find(b"HEAP") + 1) + 24 :][:8])[0]
    shift, count, at = heaps[0] - start, 0, data.find(b"SNOD")
    while at >= 0:
        for entry in range(at + 8, at + 8 + 40 * int.from_bytes(data[at + 6 : at + 8], "little"), 40):
            data[entry : entry + 8] = number(shift + count % 3500)
            count += 1
        at = data.find(b"SNOD", at + 8)
    refused(data, "its structures are met again and again|a name twice")


def test_paths_longer_than_the_file():
    """3,000 groups in a group that 100 groups with long names lead to."""

    def fill(file):
        for _ in range(100):
            file = file.create_group("n" * 4000)
        for i in range(3000):
            file.create_group(f"{i}")

    refused(written(fill, libver="latest"), "its paths are longer than the file")


# -- chunks ---------------------------------------------------------------------------------------------------------
def packed(chunk, contents, shape=(4, 3), filters=(h5py.h5z.FILTER_DEFLATE,)):
    def fill(file):
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk(chunk)
        for kind in filters:
            plan.set_filter(
                kind,
                h5py.h5z.FLAG_OPTIONAL,
                {h5py.h5z.FILTER_DEFLATE: (9,), h5py.h5z.FILTER_SHUFFLE: (4,)}.get(kind, ()),
            )
        space = h5py.h5s.create_simple(shape, (h5py.h5s.UNLIMITED,) * len(shape))
        dataset = h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, space, plan)
        dataset.write_direct_chunk((0,) * len(shape), contents)

    return written(fill)


def zeros(megabytes):
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


DEFLATE, SHUFFLE, LZF = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, 32000


@pytest.mark.parametrize(
    "data, message",
    [
        (packed((4, 3), zeros(1)), "does not inflate to its 48 bytes"),
        (packed((4, 3), zeros(1)[:-9]), "does not inflate to its 48 bytes"),
        (packed((4, 3), zlib.compress(bytes(48))[:-4]), "does not inflate to its 48 bytes"),
        (packed((4, 3), zlib.compress(bytes(47))), "does not inflate to its 48 bytes"),
        (packed((4, 3), zeros(32)), r"a chunk of 48 bytes takes \d+ in the file"),
        (packed((4, 3), b"nothing of the kind"), "cannot be inflated"),
        (packed((4, 3), zlib.compress(zeros(16), 9), filters=(DEFLATE, DEFLATE)), "packed twice with the same filter"),
        (packed((4, 3), bytes(48), filters=(SHUFFLE, SHUFFLE)), "packed twice with the same filter"),
        (packed((4, 3), bytes(48), filters=(LZF,)), "packed with lzf, which is not read: repack it"),
        (
            packed((1 << 14, 1 << 14), zeros(8)),
            r"of shape \(4, 3\) has chunks as large as \(16384, 16384, 4\)",
        ),
        (packed((1, 1 << 20), zeros(4), shape=(4000, 1)), "made to exhaust memory: its arrays would take"),
        (packed((4, 3), bytes(5000), filters=()), "takes 5000 in the file|has 5000 bytes instead of 48"),
    ],
)
def test_chunks_that_are_not_what_they_should_be(data, message):
    refused(data, message)


@pytest.mark.parametrize("size", [0, 49, (1 << 32) - 1])
def test_shuffled_by_items_of_no_size(size):
    data = packed((4, 3), zlib.compress(bytes(48)), filters=(SHUFFLE, DEFLATE))
    at = data.find(b"shuffle\0")
    data[at + 8 : at + 12] = number(size, 4)
    refused(data, "shuffled by items of")


def index_of(chunks):
    """A dataset of shape (8,) whose index says that its chunks of 4 are (start, address)."""
    data = written(lambda file: file.create_dataset("x", data=np.arange(8, dtype="f4"), chunks=(4,)))
    at = data.rfind(b"TREE")
    for i, (start, address) in enumerate(chunks):
        entry = at + 24 + 32 * i
        data[entry + 8 : entry + 16] = number(start)
        if address is not None:
            data[entry + 24 : entry + 32] = number(address)
    return data


@pytest.mark.parametrize(
    "chunks, message",
    [([(0, None), (0, None)], "out of order"), ([(4, None), (0, None)], "out of order"), ([(0, None), (3, None)], "out of order"),
     ([(0, 1 << 40), (4, None)], "beyond its end"), ([(0, (1 << 64) - 17), (4, None)], "beyond its end")],
)  # fmt: skip
def test_an_index_that_lies(chunks, message):
    refused(index_of(chunks), message)


def changed(data, signature, change):
    """Change the structure that begins with ``signature`` and ends with the checksum, which is put right."""
    at = data.find(signature)
    end = next(i for i in range(at + 8, len(data)) if data[i : i + 4] == number(lookup3(bytes(data[at:i])), 4))
    part = bytearray(data[at:end])
    change(part)
    data[at : end + 4] = summed(bytes(part))
    return data


def test_a_tree_of_version_2_out_of_order():
    """libhdf5 looks for chunks by halves: it would not find this one, and give zeros."""
    options = {"chunks": (1, 1), "maxshape": (None, None)}
    data = written(lambda file: file.create_dataset("x", data=np.ones((2, 2)), **options), libver="latest")

    def change(leaf):
        leaf[6 + 8 : 6 + 16] = number(1)  # the first chunk's row; it comes before (0, 1) still

    refused(changed(data, b"BTLF", change), "chunks of an array are out of order")


@pytest.mark.parametrize("used", [0, 3, 6, 9, 10])
def test_elements_beyond_the_largest_index_were_never_written(used):
    data = written(
        lambda file: file.create_dataset("x", data=np.ones(10), chunks=(1,), maxshape=(None,)), libver="latest"
    )

    def change(head):
        head[12 + 32 : 12 + 40] = number(used)

    part = changed(bytearray(data), b"EAHD", change)
    with File(io.BytesIO(part)) as file, h5py.File(io.BytesIO(part)) as other:
        assert file["x"][()].tolist() == other["x"][()].tolist() == [1.0] * used + [0.0] * (10 - used)


def test_a_fill_value_that_is_used_at_an_unknown_time():
    data = written(lambda file: file.create_dataset("x", shape=(4,), dtype="f4", fillvalue=2))
    at = data.find(b"\2\2\2\1\4\0\0\0" + np.float32(2).tobytes())
    assert at > 0
    data[at + 2] = 130
    refused(data, "a fill value is used at an unknown time")


def test_strings_end_at_a_zero():
    at = 48 + len(group_of(texts_attribute(b"a", (0, 0, 0), (0, 0, 0))))
    data = file_of(group_of(texts_attribute(b"a", (5, at, 1), (2, at, 1))), heap(64, b"ab\0cd"))
    with File(io.BytesIO(data)) as file:
        assert file.attrs["a"].tolist() == ["ab", "ab"]  # as h5py has them


def test_datatypes_within_datatypes():
    string = b"\x13\0\0\0\1\0\0\0"
    for _ in range(5000):
        string = b"\x19\0\0\0\x10\0\0\0" + string  # a list of lists of lists
    space = b"\2\0\0\0"
    message = (
        b"\3\0" + number(2, 2) + number(len(string) % 65536, 2) + number(len(space), 2) + b"\0a\0" + string + space
    )
    refused(file_of(header((2, b"\0\0" + NOWHERE + NOWHERE), (12, message))), "nested too deeply")


@pytest.mark.parametrize("shape", [(1 << 62,), (1 << 40, 1 << 40), (0, 1 << 63), (1 << 20, 0, 1 << 62)])
@pytest.mark.parametrize("options", [{}, {"chunks": True}])
def test_shapes_beyond_any_memory(shape, options):
    data = written(lambda file: file.create_dataset("x", shape=(79,) * len(shape), dtype="f4", **options))
    data = data.replace(b"".join(number(79) for _ in shape), b"".join(number(n) for n in shape))
    refused(data, "its arrays would take|is beyond any memory|has chunks (of|as large as)")


def test_no_error_is_long():
    refused(written(lambda file: file.create_dataset("x", shape=(1 << 50,) * 32, dtype="f4")), "beyond any memory")
    data = written(lambda file: file.create_group("g" * 4000).update({"l" * 4000: h5py.SoftLink("x" * 4000)}))
    refused(data, "a soft link")


# -- weights that are named many times -----------------------------------------------------------------------------
def weights_file(change):
    buffer = io.BytesIO()
    Sequential([Dense(3, name="d", input_shape=(4,))]).save_weights(buffer)
    with h5py.File(buffer, "r+", libver="latest") as file:
        change(file)
    return buffer.getvalue()


def a_layer_many_times(file):
    file.attrs["layer_names"] = np.array([b"d"] * 60_000)
    file["d"].attrs["weight_names"] = np.array([b"k"] * 60_000)


def a_layer_by_many_paths(file):
    file.attrs["layer_names"] = np.array([b"d" + b"/" * i for i in range(200)])
    file["d"].attrs["weight_names"] = np.array([b"k"] * 60_000)


def a_layer_by_many_links(file):
    for i in range(5000):
        file[f"x{i}"] = file["d"]
    file.attrs["layer_names"] = np.array([b"x%d" % i for i in range(5000)])
    file["d"].attrs["weight_names"] = np.array([b"k"] * 60_000)


def a_weight_many_times(file):
    file["d/none"] = np.zeros(0, "f4")
    file["d"].attrs["weight_names"] = np.array([b"none"] * 10_000)


@pytest.mark.parametrize(
    "change, message",
    [(a_layer_many_times, "it names a layer twice"), (a_layer_by_many_paths, "names a layer 'd/|containing 200 layers"),
     (a_layer_by_many_links, "containing 5000 layers"), (a_weight_many_times, "have 10000 element")],
)  # fmt: skip
def test_names_that_are_there_many_times(change, message):
    model, data = Sequential([Dense(3, name="d", input_shape=(4,))]), weights_file(change)
    with bounds(len(data)), pytest.raises(ValueError, match=message):
        model.load_weights(io.BytesIO(data))


def test_a_large_array_that_is_the_weight_of_many_layers():
    """The description in the file has as many layers as there are links to one array."""
    layers = [Dense(1024, use_bias=False, name=f"d{i}", input_shape=(1024,)) for i in range(12)]
    model, buffer = Sequential(layers), io.BytesIO()
    model.save(buffer)
    with h5py.File(buffer, "r") as old, h5py.File(io.BytesIO(), "w") as new:
        new.attrs.update(old.attrs)
        for name in old["model_weights"].attrs:
            new.require_group("model_weights").attrs[name] = old["model_weights"].attrs[name]
        for i in range(12):
            group = new.create_group(f"model_weights/d{i}")
            group.attrs["weight_names"] = [b"kernel"]
            group["kernel"] = new["model_weights/d0/kernel"] if i else np.ones((1024, 1024), "f4")
        new.flush()
        data = new.id.get_file_image()
    with pytest.raises(ValueError, match="its arrays are read again and again"):
        load_model(io.BytesIO(data), compile=False)
