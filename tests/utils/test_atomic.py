"""Files appear complete or not at all, at whatever point a writer is stopped."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sklearn_speech.utils import atomic
from sklearn_speech.utils.atomic import (
    move_into_place,
    remove_abandoned,
    unfinished_folder,
    write_atomically,
)

posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and signals of POSIX")

FILE_WRITER = """
from sklearn_speech.utils import atomic
write = atomic.os.fsync
def hang(handle):
    print("half-way", flush=True)
    import time
    time.sleep(60)
atomic.os.fsync = hang
atomic.write_atomically({path!r}, bytes(1 << 20))
"""

FOLDER_WRITER = """
import time
from sklearn_speech.utils.atomic import unfinished_folder
with unfinished_folder({path!r}) as folder:
    (folder / "archive").write_bytes(bytes(1 << 20))
    print("half-way", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model"


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def start(code):
    """Start a process that hangs in the middle of writing."""
    writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "half-way\n"
    return writer


def kill(writer):
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()


@posix
@pytest.mark.parametrize("code", [FILE_WRITER, FOLDER_WRITER], ids=["file", "folder"])
@pytest.mark.parametrize("next_writer", ["file", "folder"])
def test_files_of_a_killed_writer_are_removed_and_those_of_a_running_one_are_kept(
    code, next_writer, tmp_path
):
    target = tmp_path / "model" if code is FILE_WRITER else tmp_path
    code = code.format(path=str(target))
    killed, running = start(code), start(code)
    try:
        kill(killed)
        assert len(names(tmp_path)) == 2
        if next_writer == "file":
            write_atomically(tmp_path / "other", b"x")
        else:
            with unfinished_folder(tmp_path) as folder:
                assert folder.name in names(tmp_path)
        left = [name for name in names(tmp_path) if name != "other"]
        assert len(left) == 1
    finally:
        kill(running)
    remove_abandoned(tmp_path)
    assert names(tmp_path) in ([], ["other"])


def test_only_files_with_names_of_unfinished_work_are_removed(tmp_path):
    kept = [".unfinished-", ".unfinished-mine", ".unfinished-0123456789abcdef.bak", "notes"]
    for name in [*kept, ".unfinished-0123456789abcdef"]:
        (tmp_path / name).write_text("x")
    (tmp_path / ".unfinished-fedcba9876543210").symlink_to(tmp_path / "notes")
    remove_abandoned(tmp_path)
    assert names(tmp_path) == sorted([*kept, ".unfinished-fedcba9876543210"])


@pytest.mark.parametrize("locks", ["none", "refused"])
def test_without_locks_unfinished_files_are_removed_after_a_day(locks, tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError("no locks")

    if locks == "none":
        monkeypatch.setattr(atomic, "fcntl", None)
    elif atomic.fcntl is None:
        pytest.skip("this system has no flock")
    else:
        monkeypatch.setattr(atomic.fcntl, "flock", refuse)
    folder, file = tmp_path / f".unfinished-{'a' * 16}", tmp_path / f".unfinished-{'b' * 16}"
    folder.mkdir()
    (folder / "archive").write_bytes(b"x")
    file.write_bytes(b"x")
    write_atomically(tmp_path / "model", b"x")
    assert names(tmp_path) == [folder.name, file.name, "model"]
    old = time.time() - atomic.ABANDONED_AFTER - 60
    for place in (file, folder):
        os.utime(place, (old, old))
    write_atomically(tmp_path / "model", b"y")
    assert names(tmp_path) == [folder.name, "model"]  # a file in the folder is new
    os.utime(folder / "archive", (old, old))
    remove_abandoned(tmp_path)
    assert names(tmp_path) == ["model"]


@posix
@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_of_any_new_file(umask, path):
    before = os.umask(umask)
    try:
        write_atomically(path, b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_replacement_has_the_mode_of_the_old_file(mode, path):
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_private_files_are_never_readable_by_others(path, monkeypatch):
    path.write_bytes(b"old")
    path.chmod(0o600)
    seen, write = [], os.fsync

    def look(handle):
        seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
        write(handle)

    made = atomic._make_file
    monkeypatch.setattr(
        atomic, "_make_file", lambda place, mode: (made(place, mode), seen.append(
            stat.S_IMODE(place.stat().st_mode)))
    )  # fmt: skip
    monkeypatch.setattr(os, "fsync", look)
    write_atomically(path, b"new")
    assert seen[:2] == [0o600, 0o600]


@posix
def test_links_are_kept_and_their_target_is_replaced(tmp_path):
    (tmp_path / "store").mkdir()
    real, link, chain = tmp_path / "store" / "v1", tmp_path / "latest", tmp_path / "chain"
    link.symlink_to(Path("store") / "v1")
    chain.symlink_to(link)
    for content in (b"first", b"second"):  # the link dangles at first
        write_atomically(chain, content)
        assert link.is_symlink() and chain.is_symlink()
        assert real.read_bytes() == content and not real.is_symlink()
    assert names(tmp_path / "store") == ["v1"]


@posix
def test_the_error_names_a_link_to_itself(path):
    path.symlink_to(path)
    with pytest.raises(OSError, match=r"leads back to itself.*model"):
        write_atomically(path, b"x")
    assert path.is_symlink()


def test_the_longest_possible_name_is_allowed(tmp_path):
    path = tmp_path / ("ä" * 127)  # 254 of the 255 bytes that a name may have
    write_atomically(path, b"x")
    assert names(tmp_path) == [path.name]


def test_errors_name_the_path_of_the_user(tmp_path):
    for path, kind in [
        (tmp_path / "missing" / "model", FileNotFoundError),
        (tmp_path, IsADirectoryError),
        (tmp_path / ("x" * 300), OSError),
    ]:
        with pytest.raises(kind) as error:
            write_atomically(path, b"x")
        assert str(path) in str(error.value) and "unfinished" not in str(error.value)
    assert names(tmp_path) == []


@posix
def test_devices_and_pipes_are_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/null")):
        with pytest.raises(OSError, match=f"not a regular file.*{path.name}"):
            write_atomically(path, b"x")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@posix
def test_write_protected_files_and_folders_are_errors_without_any_change(path, monkeypatch):
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda target, mode: False)  # root can write everywhere
    with pytest.raises(PermissionError, match=r"write-protected.*model"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and names(path.parent) == [path.name]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failing_step_keeps_the_old_file_and_the_error_names_it(step, path, monkeypatch):
    path.write_bytes(b"old")

    def fail(*args):
        raise OSError(28, "No space left on device", "/somewhere/.unfinished-0")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match=r"No space left.*model'$"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and names(path.parent) == [path.name]


def test_content_is_synced_before_the_rename_and_the_folder_after_it(path, monkeypatch):
    steps, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append(
        stat.S_ISDIR(os.fstat(handle).st_mode)), fsync(handle)))  # fmt: skip
    monkeypatch.setattr(os, "replace", lambda *args: (steps.append("rename"), replace(*args)))
    write_atomically(path, b"x")
    assert steps == [False, "rename", True]


def test_an_unfinished_folder_is_kept_only_if_it_is_moved(tmp_path):
    with unfinished_folder(tmp_path) as folder:
        (folder / "set").mkdir()
        (folder / "set" / "a.wav").write_bytes(b"a")
        (folder / "rest").write_bytes(b"r")
        move_into_place(folder / "set", tmp_path / "set")
        move_into_place(folder / "rest", tmp_path / "rest")
    assert names(tmp_path) == ["rest", "set"] and names(tmp_path / "set") == ["a.wav"]
    with pytest.raises(KeyboardInterrupt), unfinished_folder(tmp_path):
        raise KeyboardInterrupt
    assert names(tmp_path) == ["rest", "set"]
