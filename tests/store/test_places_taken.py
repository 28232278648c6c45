"""What lies at the place of an entry, and cannot be used, costs the store and not the features."""

import errno
import os
import shutil

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.store import ClipStore, FeatureCache, _entry_files, _feature_cache
from sklearn_speech.store._filling import in_words
from sklearn_speech.store._shard import read_meta

X = (0.1 * np.random.default_rng(0).normal(size=(12, 1600))).astype(np.float32)
EXPECTED = MelSpectrogram(8000, n_mels=8).fit_transform(X)


def features(folder, n_jobs=None):
    store = ClipStore(folder, shard_size=5, n_jobs=n_jobs)
    return make_pipeline(store, MelSpectrogram(8000, n_mels=8)).fit_transform(X).fill()


def file(entry):
    entry.write_bytes(b"years of work")


def link_to_itself(entry):
    entry.symlink_to(entry.name)


def link_to_nothing(entry):
    entry.symlink_to("nowhere")


def folder_of_others(entry):
    entry.mkdir()
    (entry / "notes.txt").write_text("years of work")


def state(path):
    if path.is_symlink():
        return os.readlink(path)
    return path.read_bytes() if path.is_file() else os.listdir(path)


TAKEN = [file, link_to_itself, link_to_nothing, folder_of_others]


@pytest.mark.filterwarnings("ignore:the feature cache .*left alone")
@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("take", TAKEN, ids=lambda take: take.__name__)
def test_features_whose_place_is_taken_are_held_in_memory(take, n_jobs, tmp_path):
    features(tmp_path)
    entry = tmp_path / sorted(os.listdir(tmp_path))[0]
    shutil.rmtree(entry)
    take(entry)
    before = state(entry)
    for _ in range(2):
        with pytest.warns(UserWarning, match=r"cannot be stored: .*not overwritten.*held in mem"):
            clips = features(tmp_path, n_jobs)
        np.testing.assert_array_equal(clips.load(slice(None)), EXPECTED)
        assert state(entry) == before and len(os.listdir(tmp_path)) == 3


@pytest.mark.parametrize("take", TAKEN, ids=lambda take: take.__name__)
def test_a_cache_returns_what_it_cannot_store(take, tmp_path):
    cache = FeatureCache(tmp_path)
    entry = cache._path("a")
    take(entry)
    before = state(entry)
    with pytest.warns(UserWarning, match=r"did not write .*left alone"):
        assert cache.get("a") is None
    with pytest.warns(UserWarning, match=r"did not write .*left alone"):
        np.testing.assert_array_equal(cache.put("a", np.arange(3.0)), np.arange(3.0))
    assert state(entry) == before and os.listdir(tmp_path) == [entry.name]


@pytest.mark.filterwarnings("ignore:the feature cache .*cannot be read.*Permission denied")
def test_entries_of_another_user_that_cannot_be_read_are_computed_and_held(tmp_path, monkeypatch):
    features(tmp_path)

    def refuse(path, *args):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))

    for module in (_feature_cache, _entry_files):
        monkeypatch.setattr(module, "read_meta", refuse)
        monkeypatch.setattr(module, "FileShard", refuse)
    with pytest.warns(UserWarning, match=r"cannot be stored: .*cannot be read.*held in memory"):
        clips = features(tmp_path)
    np.testing.assert_array_equal(clips.load(slice(None)), EXPECTED)
    assert len(os.listdir(tmp_path)) == 3


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "nul", "", "\u00e9[", "1"])
def test_a_description_of_any_content_is_damage(content, tmp_path):
    features(tmp_path)
    name = sorted(os.listdir(tmp_path))[0]
    clips = [clip for clip in read_meta(tmp_path / name)["clips"]]
    (tmp_path / name / "meta.json").write_text(content)
    cache = FeatureCache(tmp_path)
    assert len(list(cache.catalogue(name[-33:]))) == 2
    assert cache.find(name[-33:], clips) == {}
    with pytest.warns(UserWarning, match="holds the damaged entry"):
        again = features(tmp_path)
    np.testing.assert_array_equal(again.load(slice(None)), EXPECTED)
    assert sorted(os.listdir(tmp_path))[0] == name  # it is stored again


@pytest.mark.parametrize("value", ["16GB", None, -1, 0, True, float("nan"), 2.5])
def test_sizes_of_a_store_are_checked_at_once(value, tmp_path):
    with pytest.raises(ValueError, match="'max_bytes' parameter of FeatureCache must be an int"):
        FeatureCache(tmp_path, max_bytes=value)
    for name in ("max_ram", "shard_size"):
        if (name, value) == ("max_ram", 0):
            continue  # nothing is held in memory
        store = ClipStore(tmp_path, **{name: value})
        for method in (store.fit, store.transform):
            with pytest.raises(ValueError, match=f"'{name}' parameter of ClipStore must be an int"):
                method(X)
    with pytest.raises(ValueError, match="n_jobs"):
        ClipStore(tmp_path, n_jobs=0).fit(X)


def test_sizes_are_told_in_a_unit_that_shows_them():
    for n_bytes, text in {
        0: "0 bytes",
        1: "1 byte",
        1023: "1023 bytes",
        1024: "1.0 KiB",
        50_000: "48.8 KiB",
        2**20: "1.0 MiB",
        3 * 2**29: "1.5 GiB",
        5 * 2**40: "5120.0 GiB",
    }.items():
        assert in_words(n_bytes) == text
