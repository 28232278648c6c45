import os
import stat
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.feature_extraction import MelSpectrogram, TemporalPooling
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.store import ClipStore, FeatureCache, _own_entries
from sklearn_speech.store._own_entries import name_of_key, remove_entry, temporary

ENTRY = "0123456789abcdef" * 2 + "-" + "fedcba9876543210" * 2
TEMPORARY = ".sklearn-speech-" + "0123456789abcdef" * 2


@pytest.fixture
def elsewhere(tmp_path):
    """A folder outside the store, to which links in the store lead."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "data.npy").write_bytes(b"\x93NUMPY and years of work")
    (folder / "meta.json").write_text('{"checksum": "of others"}')
    return folder


def foreign_file(folder, elsewhere):
    (folder / "notes.txt").write_text("years of work")


def foreign_folder(folder, elsewhere):
    (folder / "recordings").mkdir()
    (folder / "recordings" / "0.wav").write_bytes(bytes(10_000))


def file_named_like_an_entry(folder, elsewhere):
    (folder / ENTRY).write_bytes(bytes(10_000))


def file_named_like_a_temporary_folder(folder, elsewhere):
    (folder / TEMPORARY).write_bytes(bytes(10_000))


def folder_of_others(name, *files):
    def make(folder, elsewhere):
        (folder / name).mkdir()
        for file in files:
            (folder / name / file).write_bytes(b'\x93NUMPY {"checksum": "' + bytes(10_000))

    make.__name__ = f"{name[:16]} {' '.join(files)}"
    return make


def link(name):
    def make(folder, elsewhere):
        (folder / name).symlink_to(elsewhere)

    make.__name__ = f"link {name[:16]}"
    return make


def links_within(name):
    def make(folder, elsewhere):
        (folder / name).mkdir()
        for file in ("data.npy", "meta.json"):
            (folder / name / file).symlink_to(elsewhere / file)

    make.__name__ = f"links within {name[:16]}"
    return make


def link_to_itself(folder, elsewhere):
    (folder / ENTRY).symlink_to(ENTRY)


FOREIGN = [
    foreign_file,
    foreign_folder,
    file_named_like_an_entry,
    file_named_like_a_temporary_folder,
    folder_of_others(".writing-x"),
    folder_of_others(".writing-x", "data.npy", "meta.json"),
    folder_of_others(".sklearn-speech-x", "data.npy"),
    folder_of_others("features", "data.npy", "meta.json"),
    folder_of_others(ENTRY.upper(), "data.npy", "meta.json"),
    folder_of_others(f"{ENTRY}-1", "data.npy", "meta.json"),
    *(
        folder_of_others(name, *files)
        for name in (ENTRY, TEMPORARY)
        for files in (["0.wav"], ["data.npy", "meta.json", "notes.txt"])
    ),
    folder_of_others(ENTRY),
    folder_of_others(ENTRY, "data.npy"),
    folder_of_others(ENTRY, "data.npy", "meta.json"),
    *(make(name) for make in (link, links_within) for name in (ENTRY, TEMPORARY, "features")),
    link_to_itself,
]


def age(folder):
    """Set all times within a folder to 1970."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.utime(os.path.join(place, name), (0, 0), follow_symlinks=False)


def content(folder):
    """Names, kinds, times and bytes of everything in a folder."""
    found = {}
    for place, folders, files in os.walk(folder):
        for path in (Path(place, name) for name in (*folders, *files)):
            state = path.lstat()
            data = path.read_bytes() if stat.S_ISREG(state.st_mode) else None
            target = os.readlink(path) if path.is_symlink() else None
            found[path] = state.st_mode, state.st_mtime_ns, data, target
    return found


@pytest.mark.parametrize("make", FOREIGN, ids=lambda make: make.__name__)
def test_what_others_wrote_is_neither_measured_nor_removed(make, tmp_path, elsewhere):
    folder = tmp_path / "store"
    folder.mkdir()
    make(folder, elsewhere)
    age(folder)
    before = content(folder) | content(elsewhere)
    cache = FeatureCache(folder, max_bytes=2500)
    for key in "abcdef":
        cache.put(key, np.zeros(100))
    after = content(folder) | content(elsewhere)
    assert {path: after.get(path) for path in before} == before
    own = [key for key in "abcdef" if cache.get(key) is not None]
    assert own[-1] == "f" and len(own) == 2  # as many as without the files of others


def test_nothing_of_others_is_removed_by_name(tmp_path, elsewhere):
    for i, make in enumerate(FOREIGN):
        folder = tmp_path / str(i)
        folder.mkdir()
        make(folder, elsewhere)
        age(folder)
    before = content(tmp_path)
    for path in before:
        _own_entries.remove_if_abandoned(path)
        if _own_entries.size_of_entry(path):
            remove_entry(path)
    assert content(tmp_path) == before


def test_own_entries_and_abandoned_folders_are_removed_whole(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.put("a", np.zeros(3))
    assert remove_entry(cache._path("a")) and not remove_entry(cache._path("a"))
    for files in ([], ["data.npy"], ["meta.json"], ["data.npy", "meta.json"]):
        place = temporary(tmp_path)
        place.mkdir()
        for file in files:
            (place / file).write_bytes(b"half of")
        os.utime(place, (0, 0))
    cache._evict(keep="a")
    assert os.listdir(tmp_path) == []


def test_an_entry_that_cannot_be_emptied_keeps_its_name(tmp_path, monkeypatch):
    cache = FeatureCache(tmp_path)
    cache.put("a", np.zeros(3))
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *args: False)
        assert not remove_entry(cache._path("a"))
    assert cache.get("a") is not None


@pytest.mark.parametrize("key", ["x", "", "-", "a-b", "a-b-c", "../x", "\u00e9-\ud800", ENTRY])
def test_every_key_has_one_name_of_the_form_of_an_entry(key):
    name = name_of_key(key)
    assert _own_entries.is_entry_name(name) and name_of_key(name) == name
    assert (name == key) == (key == ENTRY)


@pytest.mark.parametrize("use", ["store", "cross_validate_by_speaker"])
def test_a_folder_of_recordings_may_hold_the_store_too(use, tmp_path):
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{i}.wav") for i in range(8)]
    for path in paths:
        soundfile.write(path, 0.1 * rng.normal(size=8000), 8000)
    before = content(tmp_path)
    cache = FeatureCache(tmp_path, max_bytes=100_000)
    steps = AudioReader(8000), PadOrTrim(n_times=8000), MelSpectrogram(8000), TemporalPooling()
    model = make_pipeline(*steps, LogisticRegression())
    y, speakers = np.arange(8) % 2, np.arange(8) // 2
    if use == "store":
        make_pipeline(ClipStore(cache, shard_size=4), *model).fit(paths, y)
    else:
        cross_validate_by_speaker(model, paths, y, speakers, memory=cache)
    after = content(tmp_path)
    assert len(after) > len(before) and {path: after.get(path) for path in before} == before


@pytest.mark.parametrize("memory", ["", 0, b"store"])
def test_a_folder_without_a_name_is_refused(memory, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((TypeError, ValueError), match=r"folder=.*expected (a path|the path)"):
        FeatureCache(memory)
    with pytest.raises((TypeError, ValueError), match="memory"):
        ClipStore(memory).fit(np.zeros((3, 80)))
    assert os.listdir(tmp_path) == []


def test_an_empty_path_is_refused_by_all_that_have_a_memory():
    X, y, speakers = np.zeros((6, 80)), np.arange(6) % 2, np.arange(6) // 2
    with pytest.raises(ValueError, match="memory='': expected the path of a folder"):
        ClipStore("").transform(X)
    with pytest.raises(ValueError, match="memory='': expected the path of a folder"):
        cross_validate_by_speaker(LogisticRegression(), X, y, speakers, memory="")


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_entries_have_the_mode_of_the_umask(umask, tmp_path):
    before = os.umask(umask)
    try:
        FeatureCache(tmp_path / "store").put("a", np.zeros(3))
    finally:
        os.umask(before)
    for path in (tmp_path / "store").rglob("*"):
        expected = (0o777 if path.is_dir() else 0o666) & ~umask
        assert stat.S_IMODE(path.stat().st_mode) == expected
