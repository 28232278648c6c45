"""The lock of a journal: one holder at a time, and released when its holder dies."""

import json
import multiprocessing
import os
import signal
import time

import pytest
from optuna.storages.journal import JournalFileSymlinkLock

from sklearn_speech.search import _journal_lock as locks
from sklearn_speech.search._journal import RepairingJournalBackend
from sklearn_speech.search._processes import new_owner


def hold(path, held):
    locks.JournalLock(path).acquire()
    held.set()
    time.sleep(300)


def kill_the_holder(path):
    context = multiprocessing.get_context("fork")
    held = context.Event()
    process = context.Process(target=hold, args=(path, held))
    process.start()
    assert held.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.join()


def test_the_lock_of_a_killed_process_is_removed_at_once(tmp_path):
    path = str(tmp_path / "journal")
    RepairingJournalBackend(path)
    kill_the_holder(path)
    assert os.path.exists(path + ".lock")
    began = time.monotonic()
    RepairingJournalBackend(path).append_logs([{"op_code": 1}])
    assert time.monotonic() - began < 2
    assert sorted(os.listdir(tmp_path)) == ["journal"]


@pytest.mark.parametrize("written", [True, False])
def test_files_of_a_process_killed_while_locking_are_removed(tmp_path, written):
    alive = new_owner()
    dead = [alive[0], 2**22 + 1, 1, "dead"]
    for owner in (alive, dead):
        text = json.dumps(owner) if written else ""
        (tmp_path / ("journal.lock" + locks._suffix(owner))).write_text(text)
    RepairingJournalBackend(str(tmp_path / "journal"))
    assert sorted(os.listdir(tmp_path)) == ["journal", "journal.lock" + locks._suffix(alive)]


def test_a_file_name_tells_its_owner():
    owner = ["a-host.lock-1-2 pid:[4026531836]", 12, 345, "0a1b"]
    assert locks._owner_in(locks._suffix(owner)) == owner
    assert locks._owner_in("-kept-by-hand") is None


def test_a_lock_of_another_machine_is_kept_for_the_grace_period(tmp_path, monkeypatch):
    path = str(tmp_path / "journal")
    (tmp_path / "journal.lock").write_text(json.dumps(["elsewhere", 1, 1, "x"]))
    monkeypatch.setattr(locks, "GRACE_PERIOD", 0.5)
    began = time.monotonic()
    RepairingJournalBackend(path)
    assert 0.5 < time.monotonic() - began < 5


@pytest.mark.parametrize("file_system", ["hard links", "none"])
def test_locks_of_optuna_and_ours_exclude_each_other(tmp_path, monkeypatch, file_system):
    path = str(tmp_path / "journal")
    ours = locks.JournalLock(path)
    open(path, "w").close()
    if file_system == "none":
        monkeypatch.setattr(os, "link", lambda *args: (_ for _ in ()).throw(PermissionError()))
    JournalFileSymlinkLock(path).acquire()
    monkeypatch.setattr(locks, "GRACE_PERIOD", 0.2)
    began = time.monotonic()
    ours.acquire()
    assert time.monotonic() - began > 0.2
    with pytest.raises(FileExistsError):
        os.symlink(path, path + ".lock")
    ours.release()
    assert sorted(os.listdir(tmp_path)) == ["journal"]


def append_records(path, n_records):
    backend = RepairingJournalBackend(path)
    for i in range(n_records):
        backend.append_logs([{"op_code": i, "text": "x" * 5000}])


def test_processes_write_one_at_a_time_while_others_are_killed(tmp_path):
    path = str(tmp_path / "journal")
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=append_records, args=(path, 40)) for _ in range(3)]
    victims = [context.Process(target=append_records, args=(path, 10**6)) for _ in range(4)]
    for process in [*writers, *victims]:
        process.start()
    for process in victims:
        time.sleep(0.1)
        os.kill(process.pid, signal.SIGKILL)
    for process in writers:
        process.join(60)
        assert process.exitcode == 0
    for process in victims:
        process.join()
    backend = RepairingJournalBackend(path)
    backend.append_logs([{"op_code": -1}])
    logs = list(backend.read_logs(0))
    assert len(logs) >= 3 * 40 + 1 and logs[-1] == {"op_code": -1}
    assert [name for name in os.listdir(tmp_path) if "lock" in name] == []
