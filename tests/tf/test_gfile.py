"""TensorFlow's functions for files."""

import pytest
from hornbeam.tf import NAMES as tf


def test_files_and_folders(tmp_path):
    folder = str(tmp_path / "a" / "b")
    tf["io.gfile.makedirs"](folder)
    tf["gfile.MakeDirs"](folder)
    for name in ("2.txt", "1.txt"):
        with tf["io.gfile.GFile"](f"{folder}/{name}", "w") as file:
            file.write("ä")
    with tf["gfile.Open"](f"{folder}/1.txt", "rb") as file:
        assert file.read() == "ä".encode()
    assert tf["io.gfile.listdir"](folder) == ["1.txt", "2.txt"]
    assert tf["io.gfile.glob"](f"{folder}/*.txt") == [f"{folder}/1.txt", f"{folder}/2.txt"]
    assert tf["io.gfile.glob"]([f"{folder}/2*", f"{folder}/1*"]) == [f"{folder}/2.txt", f"{folder}/1.txt"]
    assert tf["io.gfile.stat"](f"{folder}/1.txt").length == 2 and tf["io.gfile.stat"](folder).is_directory
    assert [sorted(names) for _, _, names in tf["io.gfile.walk"](folder)] == [["1.txt", "2.txt"]]
    tf["io.gfile.copy"](f"{folder}/1.txt", f"{folder}/3.txt")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        tf["io.gfile.copy"](f"{folder}/1.txt", f"{folder}/3.txt")
    tf["io.gfile.rename"](f"{folder}/3.txt", f"{folder}/2.txt", overwrite=True)
    tf["io.gfile.remove"](f"{folder}/2.txt")
    assert tf["io.gfile.listdir"](folder) == ["1.txt"] and tf["io.gfile.isdir"](folder)
    tf["io.gfile.rmtree"](folder)
    assert not tf["io.gfile.exists"](folder)


def test_addresses_are_not_opened():
    with pytest.raises(OSError, match=r"not at gs://: fetch it with keras\.utils\.get_file"):
        tf["io.gfile.GFile"]("gs://bucket/file")
