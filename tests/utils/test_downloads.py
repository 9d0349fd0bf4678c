"""Downloads that break off: from a server on this machine that closes connections early."""

import errno
import hashlib
import http.server
import os
import re
import threading

import numpy as np
import pytest
from hornbeam.utils import get_file
from limits import files_up_to

CONTENT = np.random.RandomState(0).bytes(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT.

    ``cuts``: after how many bytes the next connections break; then they no longer do. ``next``: another content and
    its ETag from the second connection on.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.etag, self.next = CONTENT, '"1"', None
        self.cuts, self.ranges, self.starts = [], True, []
        self.url = f"http://127.0.0.1:{self.server_port}/file"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server, start = self.server, 0
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        unchanged = self.headers.get("If-Range") in (None, server.etag)
        if asked and server.ranges and unchanged:
            start = int(asked[1])
        server.starts.append(start)
        if start >= len(server.content):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        self.send_header("ETag", server.etag)
        self.end_headers()
        self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)
        if server.next:
            server.content, server.etag = server.next

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def get(server, tmp_path):
    def get(**arguments):
        path = get_file("file", server.url, cache_dir=str(tmp_path), **arguments)
        with open(path, "rb") as file:
            return file.read()

    return get


def left(tmp_path):
    return {path.name: path.stat().st_size for path in (tmp_path / "datasets").iterdir()}


@pytest.mark.parametrize("file_hash", [None, DIGEST])
def test_goes_on_where_the_connection_broke(server, get, tmp_path, file_hash):
    server.cuts = [100_000, 50_000]
    assert get(file_hash=file_hash) == CONTENT
    assert server.starts == [0, 100_000, 150_000]
    assert list(left(tmp_path)) == ["file"]


def test_starts_again_where_the_server_cannot_go_on(server, get):
    server.cuts, server.ranges = [100_000], False
    assert get() == CONTENT and server.starts == [0, 0]


def test_starts_again_where_the_file_changed_meanwhile(server, get):
    server.cuts, server.next = [100_000], (CONTENT[::-1], '"2"')
    assert get() == CONTENT[::-1] and server.starts == [0, 0]


def test_a_later_call_goes_on(server, get, tmp_path):
    server.cuts = [100_000] + [10] * 4
    with pytest.raises(OSError, match=r"URL fetch failure .*closed after 100040 of 300000 bytes\. Without a network"):
        get(file_hash=DIGEST)
    assert left(tmp_path) == {"file.part": 100_040}
    assert get(file_hash=DIGEST) == CONTENT and server.starts[-1] == 100_040
    assert list(left(tmp_path)) == ["file"]


def test_without_a_checksum_nothing_is_left(server, get, tmp_path):
    server.cuts = [100_000] + [10] * 4
    with pytest.raises(OSError, match="URL fetch failure"):
        get()
    assert left(tmp_path) == {}


@pytest.mark.parametrize("wrong", [b"x" * 1000, b"x" * 300_000, b"x" * 400_000])
def test_a_piece_of_another_file_is_thrown_away(server, get, tmp_path, wrong):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "file.part").write_bytes(wrong)
    assert get(file_hash=DIGEST) == CONTENT
    assert list(left(tmp_path)) == ["file"]


def test_a_wrong_file_is_refused_and_not_kept(server, get, tmp_path):
    with pytest.raises(ValueError, match="checksum"):
        get(file_hash="0" * 64)
    assert left(tmp_path) == {} and len(server.starts) == 1


def test_a_damaged_file_in_the_cache_is_fetched_again(server, get, tmp_path, capsys):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "file").write_bytes(b"old")
    assert get() == b"old"  # nothing is known about it
    assert get(md5_hash=hashlib.md5(CONTENT).hexdigest()) == CONTENT
    assert "incomplete or outdated" in capsys.readouterr().out


def test_shows_how_far_it_is(get, capsys):
    get()
    assert f"{len(CONTENT)}/{len(CONTENT)} [==============================]" in capsys.readouterr().out


def test_an_error_of_the_server_is_not_asked_for_again(server, get):
    server.content = b""
    with pytest.raises(OSError, match="416"):
        get()
    assert server.starts == [0]


def test_where_the_cache_is(server, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    assert get_file("a", server.url, cache_subdir="models") == str(tmp_path / "home" / "models" / "a")
    assert get_file(str(tmp_path / "b"), server.url) == str(tmp_path / "b")
    if os.getuid():  # root may write anywhere
        (tmp_path / "home").chmod(0o500)
        assert not get_file("c", server.url, cache_subdir="new").startswith(str(tmp_path / "home"))


@pytest.mark.parametrize("file_hash", [None, DIGEST])
def test_a_full_disk_is_not_a_matter_of_the_network(server, get, tmp_path, file_hash):
    with files_up_to(100_000), pytest.raises(OSError, match="File too large, while http") as caught:
        get(file_hash=file_hash)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "datasets" / "file"))
    assert left(tmp_path) == {} and server.starts == [0]
    assert get(file_hash=file_hash) == CONTENT


@pytest.mark.parametrize("file_hash", [None, DIGEST])
def test_ctrl_c_leaves_nothing(server, get, tmp_path, monkeypatch, file_hash):
    shown = []

    def update(bar, done):
        shown.append(done)
        if done > 100_000:
            raise KeyboardInterrupt

    monkeypatch.setattr("hornbeam.utils.progbar.Progbar.update", update)
    with pytest.raises(KeyboardInterrupt):
        get(file_hash=file_hash)
    assert len(shown) > 1 and left(tmp_path) == {}
    monkeypatch.undo()
    monkeypatch.setenv("no_proxy", "*")
    assert get(file_hash=file_hash) == CONTENT
