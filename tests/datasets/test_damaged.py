"""Files of data sets that hold nonsense: a ValueError that names the file, whatever byte is wrong."""

import gzip
import io
import json
import pickle
import random
import zipfile

import numpy as np
import pytest
from hornbeam.datasets import npz
from hornbeam.datasets.cifar import load_batch
from hornbeam.datasets.fashion_mnist import _read_idx
from hornbeam.utils.io_utils import read_json_object


def saved(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def member(content, method=zipfile.ZIP_STORED, name="x.npy"):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def header(text, version=(1, 0)):
    text = text.encode("latin1") + b"\n"
    return b"\x93NUMPY" + bytes(version) + len(text).to_bytes(2 if version == (1, 0) else 4, "little") + text


LISTS = np.array([[1, 2], [3]], dtype=object)
GOOD = saved(x=np.arange(1000), y=LISTS)
IDX = b"\0\0\x08\x02" + (3).to_bytes(4, "big") + (4).to_bytes(4, "big") + bytes(12)

READERS = {
    "npz": lambda path: npz.read(path, "x", "y"),
    "cifar": load_batch,
    "idx": _read_idx,
    "json": read_json_object,
}
WHOLE = {
    "npz": GOOD,
    "cifar": pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 1]}, protocol=2),
    "idx": gzip.compress(IDX),
    "json": json.dumps({"the": 1, "a": 2}).encode(),
}
NONSENSE = {
    "npz": [
        member(b""),
        member(b"\x93NUMPY"),
        member(header("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }") + bytes(11)),
        member(header("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }") + bytes(12)),
        member(header("{'descr': '<f4', 'fortran_order': False, 'shape': (1 << 70,), }")),
        member(header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({2**62}, {2**62}), }}")),
        member(header("{'descr': '|V3', 'fortran_order': False, 'shape': 7, }")),
        member(header("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }") + bytes(8)),
        member(header("(" * 9000)),
        member(header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }") + pickle.dumps(1)),
        member(header("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }") + b"\x80\x05\x95" + b"\xff" * 8),
        member(GOOD, zipfile.ZIP_BZIP2),
        member(GOOD, zipfile.ZIP_LZMA),
        member(bytes(100 << 20), zipfile.ZIP_DEFLATED),
        member(b"", name="z.npy"),
    ],
    "cifar": [
        pickle.dumps([1, 2]),
        pickle.dumps({}),
        pickle.dumps({b"data": 1, b"labels": []}),
        pickle.dumps({b"data": np.zeros((2, 100), np.uint8), b"labels": [0, 1]}),
        pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0]}),
        pickle.dumps({b"\xff": 1}, protocol=2),
        pickle.dumps(print),
    ],
    "idx": [
        gzip.compress(b""),
        gzip.compress(b"\0\0\x08"),
        gzip.compress(b"\0\0\x08\xff" + b"\xff" * 4 * 255),
        gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12),
        gzip.compress(IDX[:-1]),
        gzip.compress(IDX)[:-4],
        gzip.compress(IDX)[:-8] + bytes(8),
    ],
    "json": [b"{", b"[1]", b"\xff\xfe\xff", b"[" * 100_000, b'"x"'],
}


@pytest.mark.parametrize("kind", READERS)
def test_nonsense(tmp_path, kind):
    for number, data in enumerate(
        [b"", b"nonsense", bytes(1000), *NONSENSE[kind], WHOLE[kind][: len(WHOLE[kind]) // 2]]
    ):
        path = tmp_path / f"{kind}_{number}"
        path.write_bytes(data)
        with pytest.raises(ValueError, match=f"{kind}_{number}"):
            READERS[kind](str(path))


@pytest.mark.parametrize("kind", READERS)
def test_every_damaged_byte(tmp_path, kind):
    rng, path = random.Random(0), tmp_path / kind
    whole = WHOLE[kind]
    path.write_bytes(whole)
    READERS[kind](str(path))
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            READERS[kind](str(path))
        except ValueError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize("kind", READERS)
def test_no_such_file_is_said_by_the_system(tmp_path, kind):
    with pytest.raises(FileNotFoundError):
        READERS[kind](str(tmp_path / "nothing"))
