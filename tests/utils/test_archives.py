"""Archives that are damaged, odd or hostile: nothing is left of them, and the error names the file."""

import errno
import gzip
import io
import os
import pathlib
import random
import tarfile
import zipfile

import pytest
from hornbeam.utils.downloads import _extract_archive, get_file

CONTENT = random.Random(0).randbytes(30_000)


def tar(*members, mode="w"):
    """The bytes of an archive of (TarInfo or name, content)."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for info, content in members:
            info = tarfile.TarInfo(info) if isinstance(info, str) else info
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def made(name, **attributes):
    info = tarfile.TarInfo(name)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info


def with_size(size, kind=tarfile.REGTYPE):
    """An archive with a header that states a size, followed by a member with a header of its own."""
    header = bytearray(made("a", type=kind).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = tarfile.itn(size, 12, tarfile.GNU_FORMAT)
    header[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(header))[0]
    return bytes(header) + tar(("b", b"x"))


def zipped(*members, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


def flipped(data, position):
    return data[:position] + bytes([data[position] ^ 0x55]) + data[position + 1 :]


TAR = tar(("folder/a", CONTENT), ("folder/b", b"x" * 600))
ZIP = zipped(("folder/a", CONTENT), ("folder/b", b"x" * 600))
DEFLATED = zipped(("folder/a", CONTENT), ("folder/b", b"x" * 600), method=zipfile.ZIP_DEFLATED)

ARCHIVES = {
    "bad_crc.zip": flipped(ZIP, 5000),
    "bad_stream.zip": flipped(DEFLATED, 5000),
    "bad_crc.tar.gz": flipped(gzip.compress(TAR, 0), 3000),
    "bad_end.tar.gz": gzip.compress(TAR)[:-8] + bytes(8),
    "nonsense_behind.tar": TAR + b"nonsense",
    "cut.tar": TAR[:20_000],
    "cut.tar.gz": gzip.compress(TAR)[:20_000],
    "damaged_header.tar": flipped(TAR, 512 + 30_208 + 10),
    "negative_size.tar": with_size(-512),
    "very_negative_size.tar": with_size(-(1 << 40)),
    "large_size.tar": with_size(1 << 50),
    "large_name.tar": with_size(1 << 40, tarfile.GNUTYPE_LONGNAME),
    "negative_name.tar": with_size(-512, tarfile.GNUTYPE_LONGNAME),
    "negative_extension.tar": with_size(-512, tarfile.XHDTYPE),
    "holes.tar": with_size(512, tarfile.GNUTYPE_SPARSE),
    "outside.tar": tar(("folder/a", b"x"), ("../outside", b"x")),
    "absolute.tar": tar(("folder/a", b"x"), ("/tmp/hornbeam_absolute", b"x")),
    "outside.zip": zipped(("folder/a", b"x"), ("../outside", b"x")),
    "link.tar": tar(("folder/a", b"x"), (made("folder/l", type=tarfile.SYMTYPE, linkname="/etc"), b"")),
    "hard_link.tar": tar((made("folder/l", type=tarfile.LNKTYPE, linkname="../../x"), b"")),
    "device.tar": tar((made("folder/d", type=tarfile.CHRTYPE, devmajor=1, devminor=3), b"")),
    "pipe.tar": tar((made("folder/p", type=tarfile.FIFOTYPE), b"")),
    "lzma.zip": zipped(("folder/a", CONTENT), method=zipfile.ZIP_LZMA),
    "bzip2.zip": zipped(("folder/a", CONTENT), method=zipfile.ZIP_BZIP2),
    "bomb.zip": zipped(("folder/a", bytes(100 << 20)), method=zipfile.ZIP_DEFLATED),
    "bomb.tar.gz": gzip.compress(tar(("folder/a", bytes(100 << 20)))),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_what_is_no_good_is_refused_by_name_and_leaves_nothing(tmp_path, name):
    path = tmp_path / "cache" / name
    path.parent.mkdir()
    path.write_bytes(ARCHIVES[name])
    with pytest.raises(ValueError, match=name.replace(".", r"\.")) as caught:
        _extract_archive(str(path), str(path.parent))
    assert len(str(caught.value)) < 500
    assert [p.name for p in tmp_path.rglob("*")] == ["cache", name]


@pytest.mark.parametrize("data", [b"", b"nonsense" * 100, b"\x1f\x8b" + bytes(600)])
def test_what_is_no_archive_is_left_alone(tmp_path, data):
    (tmp_path / "file").write_bytes(data)
    assert not _extract_archive(str(tmp_path / "file"), str(tmp_path))
    assert os.listdir(tmp_path) == ["file"]


def test_the_last_of_several_members_of_a_name_counts(tmp_path):
    for name, data in ("a.tar", tar(("f/a", b"1"), ("f/a", b"2"))), ("a.zip", None):
        path = tmp_path / name
        if data is None:
            with pytest.warns(UserWarning, match="Duplicate"):
                data = zipped(("f/a", b"1"), ("f/a", b"2"))
        path.write_bytes(data)
        assert _extract_archive(str(path), str(tmp_path / "out"))
        assert (tmp_path / "out" / "f" / "a").read_bytes() == b"2"


def test_unpacked_over_what_is_there(tmp_path):
    (tmp_path / "a.tar").write_bytes(TAR)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_bytes(b"old")
    (tmp_path / "folder" / "c").write_bytes(b"mine")
    assert _extract_archive(str(tmp_path / "a.tar"), str(tmp_path))
    assert (tmp_path / "folder" / "a").read_bytes() == CONTENT and (tmp_path / "folder" / "c").read_bytes() == b"mine"
    assert sorted(os.listdir(tmp_path)) == ["a.tar", "folder"]


@pytest.mark.parametrize(
    "kind, whole",
    [("tar", gzip.compress(TAR, 1)), ("tar", TAR), ("zip", ZIP), ("zip", DEFLATED)],
    ids=["tar.gz", "tar", "stored zip", "deflated zip"],
)
def test_every_damaged_byte_gives_the_data_or_an_error(tmp_path, kind, whole):
    """A byte of the contents of a plain tar may change unnoticed; nothing else may come out, and no other error."""
    rng = random.Random(1)
    for number in range(150):
        data = whole
        for _ in range(rng.randint(1, 3)):
            data = flipped(data, rng.randrange(len(data)))
        path = tmp_path / f"{number}"
        path.write_bytes(data)
        try:
            _extract_archive(str(path), str(tmp_path / "out"), kind)
        except ValueError as error:
            assert str(path) in str(error)
        except OSError as error:  # names that no file can have
            assert error.filename


def interrupting(monkeypatch, error):
    """The third piece that is written fails."""
    import shutil

    done = []

    def copy(source, out):
        done.append(out.name)
        out.write(source.read(10))
        if len(done) == 2:
            raise error
        out.write(source.read())

    monkeypatch.setattr(shutil, "copyfileobj", copy)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_half_an_archive_is_not_taken_for_a_data_set(tmp_path, monkeypatch, error):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "folder.tar.gz").write_bytes(gzip.compress(TAR))
    interrupting(monkeypatch, error)
    with pytest.raises(type(error)) as caught:
        get_file("folder", "http://127.0.0.1:1/", untar=True, cache_dir=str(tmp_path))
    if isinstance(error, OSError):
        assert caught.value.errno == errno.ENOSPC
        assert caught.value.filename == str(tmp_path / "datasets" / "folder" / "b")
    assert os.listdir(tmp_path / "datasets") == ["folder.tar.gz"]
    monkeypatch.undo()
    folder = pathlib.Path(get_file("folder", "http://127.0.0.1:1/", untar=True, cache_dir=str(tmp_path)))
    assert (folder / "a").read_bytes() == CONTENT


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_a_data_set_that_cannot_be_read_is_not_returned(tmp_path, mode):
    path = tmp_path / "datasets" / "folder.tar.gz"
    path.parent.mkdir()
    path.write_bytes(tar(("folder/a", CONTENT), mode=mode)[:200])
    with pytest.raises(ValueError, match=r"folder\.tar\.gz is"):
        get_file("folder", "http://127.0.0.1:1/", untar=True, cache_dir=str(tmp_path))
    assert os.listdir(tmp_path / "datasets") == ["folder.tar.gz"]
