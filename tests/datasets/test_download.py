"""A download is complete and verified, or leaves no files."""

import hashlib
import http.server
import io
import shutil
import subprocess
import tarfile
import threading

import pytest

from sklearn_speech.datasets import _download
from sklearn_speech.datasets._download import fetch_archive_folder, folder_digest

CONTENTS = {"a.wav": b"first", "b.wav": b"second"}
MEMBERS = {f"recordings/{name}": name for name in CONTENTS}
#: printf 'HASH  a.wav\nHASH  b.wav\n' | sha256sum, written out by hand
DIGEST = hashlib.sha256(
    b"".join(
        hashlib.sha256(CONTENTS[name]).hexdigest().encode() + f"  {name}\n".encode()
        for name in sorted(CONTENTS)
    )
).hexdigest()


def make_archive(path, contents, links=()):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, aim in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, aim
            tar.addfile(info)
    return path.as_uri()


@pytest.fixture
def archive(tmp_path):
    contents = {f"set-1/recordings/{name}": content for name, content in CONTENTS.items()}
    return make_archive(tmp_path / "set.tar.gz", {**contents, "set-1/README.md": b"more"})


@pytest.fixture
def target(tmp_path):
    return tmp_path / "home" / "set" / "recordings"


def fetch(url, target, **options):
    options = {"n_retries": 0, "delay": 0, "progress": False, **options}
    fetch_archive_folder(url, MEMBERS, DIGEST, target, **options)


def contents_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_nothing_left(target):
    assert not target.exists()
    assert not target.parent.exists() or not list(target.parent.iterdir())


def test_digest_is_what_sha256sum_computes(tmp_path):
    for name, content in CONTENTS.items():
        (tmp_path / name).write_bytes(content)
    assert folder_digest(tmp_path, CONTENTS) == DIGEST
    if shutil.which("sha256sum"):
        command = "LC_ALL=C sha256sum *.wav | sha256sum"
        output = subprocess.run(
            command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        assert output.split()[0] == DIGEST


def test_only_the_wanted_files_arrive(archive, target):
    fetch(archive, target)
    assert contents_of(target) == CONTENTS
    assert list(target.parent.iterdir()) == [target]


def test_an_empty_folder_is_filled(archive, target):
    target.mkdir(parents=True)
    fetch(archive, target)
    assert contents_of(target) == CONTENTS


def test_a_truncated_archive_leaves_nothing(archive, target, tmp_path):
    whole = (tmp_path / "set.tar.gz").read_bytes()
    for size in (0, 5, len(whole) // 2):
        (tmp_path / "set.tar.gz").write_bytes(whole[:size])
        with pytest.raises(OSError, match="not a complete archive"):
            fetch(archive, target)
        assert_nothing_left(target)


def test_a_file_that_is_not_an_archive_leaves_nothing(target, tmp_path):
    page = tmp_path / "error.html"
    page.write_text("<html>try again later</html>")
    with pytest.raises(OSError, match="not a complete archive"):
        fetch(page.as_uri(), target)
    assert_nothing_left(target)


def test_contents_with_another_digest_are_refused(target, tmp_path):
    url = make_archive(
        tmp_path / "other.tar.gz",
        {"set-1/recordings/a.wav": b"first", "set-1/recordings/b.wav": b"Second"},
    )
    with pytest.raises(OSError, match=f"expected {DIGEST}"):
        fetch(url, target)
    assert_nothing_left(target)


def test_the_error_names_a_missing_file(target, tmp_path):
    url = make_archive(tmp_path / "part.tar.gz", {"set-1/recordings/a.wav": b"first"})
    with pytest.raises(OSError, match=r"1 of 2 files are missing .*b\.wav"):
        fetch(url, target)
    assert_nothing_left(target)


def test_members_that_point_outside_of_the_folder_are_not_unpacked(target, tmp_path):
    contents = {f"set-1/recordings/{name}": content for name, content in CONTENTS.items()}
    hostile = {
        "../hostile.wav": b"x",
        "set-1/recordings/../../../../hostile.wav": b"x",
        str(tmp_path / "hostile.wav"): b"x",
    }
    url = make_archive(
        tmp_path / "hostile.tar.gz", {**hostile, **contents}, [("set-1/link", "/etc")]
    )
    fetch(url, target)
    assert contents_of(target) == CONTENTS
    assert not list(tmp_path.rglob("hostile.wav"))


def test_a_link_instead_of_a_file_counts_as_missing(target, tmp_path):
    url = make_archive(
        tmp_path / "link.tar.gz",
        {"set-1/recordings/a.wav": b"first"},
        [("set-1/recordings/b.wav", "/etc/hostname")],
    )
    with pytest.raises(OSError, match="1 of 2 files are missing"):
        fetch(url, target)


def test_an_interrupt_leaves_nothing(archive, target, monkeypatch):
    def interrupted(source, file, progress, title):
        file.write(source.read(10))
        raise KeyboardInterrupt

    monkeypatch.setattr(_download, "_copy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(archive, target)
    assert_nothing_left(target)


def test_the_copy_of_a_faster_process_is_kept(archive, target, monkeypatch):
    download = _download._download

    def overtaken(*arguments):
        download(*arguments)
        target.mkdir()
        (target / "a.wav").write_bytes(b"theirs")

    monkeypatch.setattr(_download, "_download", overtaken)
    fetch(archive, target)
    assert contents_of(target) == {"a.wav": b"theirs"}
    assert list(target.parent.iterdir()) == [target]


def test_the_error_names_a_url_without_an_archive(target, tmp_path):
    with pytest.raises(OSError, match=r"absent\.tar\.gz cannot be downloaded"):
        fetch((tmp_path / "absent.tar.gz").as_uri(), target)
    assert_nothing_left(target)


@pytest.fixture
def server(archive, tmp_path):
    """A server whose first `n_cut` responses are cut off half way."""
    content = (tmp_path / "set.tar.gz").read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        n_cut = 0

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            is_cut, type(self).n_cut = type(self).n_cut > 0, type(self).n_cut - 1
            self.wfile.write(content[: len(content) // 2] if is_cut else content)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        server.handler = Handler
        yield server
        server.shutdown()
        thread.join()


def test_a_lost_connection_is_retried(server, target):
    server.handler.n_cut = 1
    with pytest.warns(UserWarning, match="connection lost after .* 1 attempts left"):
        fetch(f"http://127.0.0.1:{server.server_port}/set.tar.gz", target, n_retries=1)
    assert contents_of(target) == CONTENTS


def test_a_connection_lost_too_often_leaves_nothing(server, target):
    server.handler.n_cut = 5
    with (
        pytest.warns(UserWarning, match="trying again"),
        pytest.raises(OSError, match="connection lost"),
    ):
        fetch(f"http://127.0.0.1:{server.server_port}/set.tar.gz", target, n_retries=1)
    assert_nothing_left(target)


def test_progress_bar_is_shown_only_when_verbose(archive, target, capsys):
    fetch(archive, target)
    assert capsys.readouterr().err == ""
    fetch(archive, target.with_name("again"), progress=True, title="My speech")
    assert "My speech" in capsys.readouterr().err
