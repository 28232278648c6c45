import copy
import errno
import json
import multiprocessing
import os
import shutil
import time

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from optuna.distributions import CategoricalDistribution
from optuna.samplers import GridSampler
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_speech.audio import AudioReader, AudioSegment, PadOrTrim, _audio_reader
from sklearn_speech.feature_extraction import MelSpectrogram, SpeechEmbedding, TemporalPooling
from sklearn_speech.model_selection import FeatureCache, OptunaSearchCV
from sklearn_speech.store import _entry_files, _feature_cache
from sklearn_speech.store._cache_key import clip_names, digest, file_identities
from sklearn_speech.store._clipwise_features import ClipwiseFeatures
from sklearn_speech.store._feature_cache import as_feature_cache
from sklearn_speech.store._own_entries import remove_entry, temporary
from sklearn_speech.utils.validation import make_ragged

# clips that are cut on purpose
pytestmark = pytest.mark.filterwarnings("ignore:n_times=:UserWarning")


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path / "cache")


def ragged():
    return make_ragged([np.arange(6.0).reshape(2, 3), np.ones((2, 1)), np.zeros((2, 4))])


def test_what_was_put_comes_back_and_is_mapped(cache):
    dense = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    cache.put("dense", dense)
    cache.put("ragged", ragged())
    back = cache.get("dense")
    assert isinstance(back, np.memmap) and back.dtype == np.float32
    np.testing.assert_array_equal(back, dense)
    for clip, expected in zip(cache.get("ragged"), ragged(), strict=True):
        np.testing.assert_array_equal(clip, expected)
        assert not clip.flags.writeable
    assert cache.get("nothing") is None


def test_what_is_no_array_of_numbers_is_not_stored(cache):
    for features in (["a", "b"], np.array(["a", None], dtype=object)):
        assert cache.put("x", features) is features
    assert not cache.folder.exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: (entry / "data.npy").write_bytes(b""),
        lambda entry: os.truncate(entry / "data.npy", 140),
        lambda entry: (entry / "data.npy").unlink(),
        lambda entry: (entry / "meta.json").write_text("{"),
        lambda entry: (entry / "meta.json").write_text('{"shapes": null}'),
        lambda entry: (entry / "meta.json").write_text("[]"),
        lambda entry: (entry / "meta.json").write_bytes(b"\xff\xfe"),
        lambda entry: change_meta(entry, shapes=[]),
        lambda entry: change_meta(entry, shapes=[[3]]),
        lambda entry: change_meta(entry, shapes=[[-9], [18]]),
        lambda entry: change_meta(entry, shapes=3),
        lambda entry: change_meta(entry, shapes=[["x"]]),
        lambda entry: change_meta(entry, shapes=[[10**30]]),
        lambda entry: change_meta(entry, clips=3),
        lambda entry: change_meta(entry, clips=[["a"]]),
        lambda entry: flip_a_bit(entry / "data.npy"),
    ],
)
def test_a_damaged_entry_is_not_used(cache, damage):
    cache.put("x", np.arange(9.0))
    damage(cache._path("x"))
    with pytest.warns(UserWarning, match="holds the damaged entry 'x'"):
        assert cache.get("x") is None
    np.testing.assert_array_equal(cache.put("x", np.arange(9.0)), np.arange(9.0))
    np.testing.assert_array_equal(cache.get("x"), np.arange(9.0))


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)


def change_meta(entry, **changes):
    meta = json.loads((entry / "meta.json").read_text())
    (entry / "meta.json").write_text(json.dumps(meta | changes))


def test_the_size_is_bounded_and_the_unused_go_first(cache):
    cache.max_bytes = 3500
    for i, key in enumerate("abc"):
        cache.put(key, np.zeros(100))
        os.utime(cache._path(key), (i, i))
    assert cache.get("a") is not None  # used now
    cache.put("d", np.zeros(100))
    kept = {cache._path(key).name for key in "acd"}
    assert {entry.name for entry in cache.folder.iterdir()} == kept
    big = np.zeros(1000)
    assert cache.put("e", big) is big


def test_an_entry_is_measured_once_however_many_are_written(cache, monkeypatch):
    measured = []

    def size(entry, size=_feature_cache.size_of_entry):
        measured.append(entry.name)
        return size(entry)

    monkeypatch.setattr(_feature_cache, "size_of_entry", size)
    keys = [f"key{i}" for i in range(9)]
    before = joblib.hash(cache)
    for key in keys:
        cache.put(key, np.zeros(3))
    assert sorted(measured) == sorted(cache._path(key).name for key in keys)
    assert joblib.hash(cache) == before  # the key of what is stored with it


def test_entries_half_written_long_ago_are_cleared_away(cache):
    cache.put("a", np.zeros(3))
    old, new = (temporary(cache.folder) for _ in range(2))
    for place in (old, new):
        place.mkdir()
    os.utime(old, (0, 0))
    cache.put("b", np.zeros(3))
    assert not old.exists() and new.exists()


def test_a_full_disk_costs_the_cache_only(cache, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    features = np.zeros(5)
    monkeypatch.setattr(np, "save", full)
    with pytest.warns(UserWarning, match="No space left"):
        assert cache.put("x", features) is features
    assert list(cache.folder.iterdir()) == []


def _write_often(folder, n_times):
    cache = FeatureCache(folder)
    for i in range(n_times):
        cache.put(f"key{i % 3}", np.full(2000, float(i % 3)))
        remove_entry(cache._path(f"key{(i + 1) % 3}"))


def test_two_writers_and_a_reader_never_see_half_an_entry(cache):
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=_write_often, args=(cache.folder, 30)) for _ in range(2)]
    for process in writers:
        process.start()
    n_read = 0
    while any(process.is_alive() for process in writers):
        for i in range(3):
            found = cache.get(f"key{i}")
            if found is not None:
                np.testing.assert_array_equal(found, np.full(2000, float(i)))
                n_read += 1
    for process in writers:
        process.join()
        assert process.exitcode == 0
    assert n_read > 0


def _fill(folder, seed):
    cache = FeatureCache(folder, max_bytes=4 * 2**15)
    for i in np.random.default_rng(seed).permutation(60):
        cache.put(f"key{i % 20}-m", np.full(2**12, float(i % 20)), [f"clip{i % 20}"])


def test_eviction_by_two_other_processes_is_a_miss_and_no_damage(cache):
    # warnings are errors in tests, so a warning in a process ends it with another exit code
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=_fill, args=(cache.folder, seed)) for seed in range(2)]
    for process in writers:
        process.start()
    n_read = n_missed = 0
    while any(process.is_alive() for process in writers):
        for i in range(20):
            found = cache.get(f"key{i}-m")
            n_missed += found is None
            if found is not None:
                np.testing.assert_array_equal(found, np.full(2**12, float(i)))
                n_read += 1
        for name, clip in cache.find("-m", ["clip3", "clip7"]).items():
            assert clip == float(name.removeprefix("clip"))
    for process in writers:
        process.join()
        assert process.exitcode == 0
    assert n_read > 0 and n_missed > 0
    sizes = [f.stat().st_size for f in cache.folder.rglob("data.npy")]
    assert sum(sizes) <= 4 * 2**15 + 2**15 + 200  # each writer keeps what it has just written


@pytest.mark.parametrize("step", ["meta.json", "data.npy", "np.load"])
def test_an_entry_that_vanishes_while_it_is_read_is_a_miss(cache, monkeypatch, step):
    cache.put("x", np.arange(9.0))

    def remove(*args, **kwargs):
        remove_entry(cache._path("x"))
        raise FileNotFoundError(step)

    place, name = {
        "meta.json": (_entry_files, "read_meta"),
        "data.npy": (_entry_files, "checksum"),
        "np.load": (np, "load"),
    }[step]
    monkeypatch.setattr(place, name, remove)
    assert cache.get("x") is None


def test_an_entry_that_is_replaced_while_it_is_read_is_read_again(cache, monkeypatch):
    cache.put("x", np.arange(9.0))
    checksum = _entry_files.checksum
    answers = ["of the entry before", None]
    monkeypatch.setattr(_entry_files, "checksum", lambda *args: answers.pop(0) or checksum(*args))
    np.testing.assert_array_equal(cache.get("x"), np.arange(9.0))


def test_a_folder_that_may_not_be_read_is_named_and_left_alone(cache, monkeypatch):
    cache.put("x-m", np.arange(9.0), list("abcdefghi"))

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(np, "load", refuse)
        with pytest.warns(UserWarning, match=r"feature cache .*cannot be read: .*Permission"):
            assert cache.get("x-m") is None
        patch.setattr(os, "listdir", refuse)
        with pytest.warns(UserWarning, match=r"feature cache .*cannot be read: .*Permission"):
            assert cache.find("-m", ["a"]) == {}
    np.testing.assert_array_equal(cache.get("x-m"), np.arange(9.0))


@pytest.mark.parametrize("function", ["mkdir", "rename"])
def test_a_folder_that_may_not_be_written_costs_a_warning_only(cache, monkeypatch, function):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    features = np.arange(9.0)
    monkeypatch.setattr(os, function, refuse)
    with pytest.warns(UserWarning, match=r"feature cache .*cannot be written: .*Permission"):
        assert cache.put("x", features) is features


def test_an_entry_of_a_faster_process_that_is_evicted_at_once_is_no_failure(cache, monkeypatch):
    rename = os.rename

    def too_late(source, target):
        if target == cache._path("x"):
            raise OSError(errno.ENOTEMPTY, "Directory not empty")  # and now it is gone
        rename(source, target)

    features = np.arange(9.0)
    monkeypatch.setattr(os, "rename", too_late)
    assert cache.put("x", features) is features
    assert list(cache.folder.iterdir()) == []


def test_a_folder_that_another_process_deletes_is_empty(cache):
    cache.put("x", np.arange(9.0))
    shutil.rmtree(cache.folder)
    assert cache.get("x") is None and cache.find("x", ["a"]) == {}
    cache._evict(keep="x")
    np.testing.assert_array_equal(cache.put("x", np.arange(9.0)), np.arange(9.0))


def test_ragged_features_without_clips_are_not_stored(cache):
    empty = make_ragged([])
    assert cache.put("x", empty) is empty and cache.get("x") is None


@pytest.fixture
def count(monkeypatch):
    """How many clips MelSpectrogram computed, and how many files were read."""
    counted = {"mel": 0, "files": 0}
    for kind, name in ((MelSpectrogram, "mel"), (AudioReader, "files")):

        def counting(self, X, transform=kind.transform, name=name):
            counted[name] += len(X)
            return transform(self, X)

        monkeypatch.setattr(kind, "transform", counting)
    return counted


@pytest.fixture
def paths(tmp_path):

    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.wav" for i in range(6)]
    for i, path in enumerate(paths):
        soundfile.write(path, 0.1 * rng.normal(size=700 + i), 8000)
    return paths


def steps(n_mels=8):
    return make_pipeline(
        AudioReader(8000),
        PadOrTrim(n_times=800),
        MelSpectrogram(sample_rate=8000, n_fft=128, n_mels=n_mels),
        FunctionTransformer(),
        LogisticRegression(),
    )[:3].steps


def test_settings_that_share_first_steps_share_their_features(paths, count):
    features = ClipwiseFeatures(paths)
    for n_mels in (8, 9, 8):
        expected = make_pipeline(*[step for _, step in steps(n_mels)]).fit_transform(paths)
        found = features.compute(steps(n_mels))
        np.testing.assert_array_equal(found, expected)
    assert count == {"mel": 6 * (3 + 2), "files": 6 * (3 + 1)}


def test_features_outlast_the_process_until_a_file_changes(paths, count, cache):
    first = ClipwiseFeatures(paths, cache).compute(steps())
    assert count == {"mel": 6, "files": 6}
    again = ClipwiseFeatures(paths, cache).compute(steps())
    assert count == {"mel": 6, "files": 6}
    np.testing.assert_array_equal(first, again)
    assert isinstance(again, np.memmap)
    os.utime(paths[2], (1, 1))
    ClipwiseFeatures(paths, cache).compute(steps())
    assert count == {"mel": 7, "files": 7}  # the others are as they were
    ClipwiseFeatures(paths[:3], cache).compute(steps())
    assert count == {"mel": 7, "files": 7}


def test_clips_are_known_one_by_one(paths, count, cache):
    """So the outer folds of a nested search, each of which lacks others, share what they have."""
    for held_out in range(3):
        some = [path for i, path in enumerate(paths) if i % 3 != held_out]
        expected = make_pipeline(*[step for _, step in steps()]).fit_transform(some)
        before = dict(count)
        found = ClipwiseFeatures(some, cache).compute(steps())
        np.testing.assert_array_equal(found, expected)
        new = (4, 2, 0)[held_out]  # the second fold lacks two clips, the third none
        assert count == {"mel": before["mel"] + new, "files": before["files"] + new}
    backwards = ClipwiseFeatures(paths[::-1], cache).compute(steps())
    np.testing.assert_array_equal(backwards[::-1], ClipwiseFeatures(paths).compute(steps()))


def test_waveforms_are_known_one_by_one_too(count, cache):
    X = np.random.default_rng(0).normal(size=(6, 800)).astype(np.float32)
    first = ClipwiseFeatures(X[:4], cache).compute(steps()[2:])
    second = ClipwiseFeatures(X[2:], cache).compute(steps()[2:])
    assert count["mel"] == 6
    np.testing.assert_array_equal(first[2:], second[:2])


@pytest.mark.parametrize("shape", [(3, 5), (3, 2, 5)])
def test_a_clip_has_the_same_name_in_an_array_and_in_a_list(shape):
    X = np.random.default_rng(0).normal(size=shape)
    names = clip_names(X)
    assert names == clip_names(list(X)) and len(set(names)) == 3
    assert clip_names(np.asfortranarray(X)[::-1]) == names[::-1]


def test_damage_to_one_entry_costs_its_clips_only(paths, count, cache):
    ClipwiseFeatures(paths[:4], cache).compute(steps())
    for entry in cache.folder.iterdir():
        (entry / "data.npy").write_bytes(b"")
    with pytest.warns(UserWarning, match="damaged"):
        found = ClipwiseFeatures(paths, cache).compute(steps())
    np.testing.assert_array_equal(found, ClipwiseFeatures(paths).compute(steps()))


def test_outer_folds_of_a_nested_search_share_their_features(paths, count, cache):
    y, speakers = np.tile([0, 1], 3), np.repeat(["a", "b", "c"], 2)
    model = make_pipeline(
        *[step for _, step in steps()],
        FunctionTransformer(np.mean, kw_args={"axis": 2}),
        LogisticRegression(),
    )
    space = {"melspectrogram__n_mels": CategoricalDistribution([6, 8])}
    search = OptunaSearchCV(
        model,
        space,
        sampler=GridSampler({"melspectrogram__n_mels": [6, 8]}),
        n_trials=2,
        cv=GroupKFold(2),
        memory=cache,
    )
    for train, _ in LeaveOneGroupOut().split(paths, y, speakers):
        part = [paths[i] for i in train]
        shared = clone(search).fit(part, y[train], groups=speakers[train])
        alone = clone(search).set_params(memory=None)
        before = dict(count)
        alone.fit(part, y[train], groups=speakers[train])
        count.update(before)
        np.testing.assert_array_equal(
            shared.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"]
        )
    assert count["mel"] == 2 * 6  # each setting once a clip, whatever the fold


def test_what_says_how_and_not_what_to_compute_does_not_matter(paths, count, cache):
    ClipwiseFeatures(paths, cache).compute(steps())
    loud = steps()
    loud[0][1].set_params(verbose=True)
    ClipwiseFeatures(paths, cache).compute(loud)
    assert count["files"] == 6


def test_memory_is_bounded(count):
    X = np.random.default_rng(0).normal(size=(4, 800)).astype(np.float32)
    features = ClipwiseFeatures(X, max_bytes=1)
    for n_mels in (8, 9, 8):
        features.compute(steps(n_mels)[2:])
    assert count["mel"] == 12
    features.compute(steps(8)[2:])
    assert count["mel"] == 12  # the last one is kept


@pytest.mark.parametrize("on_disk", [False, True])
def test_waveforms_that_are_too_large_are_never_in_memory_together(
    on_disk, cache, tmp_path, monkeypatch
):
    sound = tmp_path / "sound.wav"
    soundfile.write(sound, 0.1 * np.random.default_rng(0).normal(size=700), 8000)
    paths = [tmp_path / f"{i}.wav" for i in range(600)]
    for path in paths:
        path.symlink_to(sound)
    expected = ClipwiseFeatures(paths).compute(steps())
    n_read, read = [], _audio_reader.read_clips

    def counting(entries, *args, **kwargs):
        n_read.append(len(entries))
        return read(entries, *args, **kwargs)

    monkeypatch.setattr(_audio_reader, "read_clips", counting)
    fitted = steps()
    features = ClipwiseFeatures(paths, cache if on_disk else None, max_bytes=600 * 700 * 4)
    np.testing.assert_array_equal(features.fit(fitted), expected)
    assert max(n_read) <= 256 and sum(n_read) < 2 * len(paths)
    np.testing.assert_array_equal(Pipeline(fitted).transform(paths[:2]), expected[:2])
    assert cache.folder.exists() == on_disk


def test_blocks_of_a_list_give_what_the_list_gives():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=80 + i % 2).astype(float if i > 100 else np.float32) for i in range(200)]
    chosen = [("mel", MelSpectrogram(8000, n_mels=8)), ("pooled", TemporalPooling())]
    found = ClipwiseFeatures(X, max_bytes=1000).compute(chosen)
    np.testing.assert_array_equal(found, Pipeline(chosen).fit_transform(X))


def test_memory_may_be_given_in_several_forms(tmp_path, cache):

    assert as_feature_cache(None) is None and as_feature_cache(cache) is cache
    assert as_feature_cache(str(tmp_path)).folder == tmp_path
    assert as_feature_cache(joblib.Memory(None)) is None
    assert as_feature_cache(joblib.Memory(tmp_path, verbose=0)).folder.is_relative_to(tmp_path)


def test_digests_are_by_value():
    a = np.arange(12.0).reshape(3, 4)
    assert digest(a) == digest(a.copy(order="F")) != digest(a.T)
    assert digest(a) != digest(a.astype(int)) and digest([1, 2], 3) != digest([1], [2, 3])
    names = np.array(["x", "yy"], dtype=object)
    assert digest(names) == digest(np.array(["x", "y" + "y"], dtype=object))
    assert digest({"a": 1, "b": a}) == digest({"b": a, "a": 1}) != digest({"a": 2, "b": a})
    assert digest(ragged()) == digest(ragged()) != digest(ragged()[::-1])
    assert digest(np.zeros(0)) != digest(np.zeros((0, 2)))


def encoder(seed=0, stride=2, hook=None):
    torch.manual_seed(seed)
    module = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, -1)),
        torch.nn.Conv1d(1, 2, 4, stride),
        torch.nn.BatchNorm1d(2),
        torch.nn.AdaptiveAvgPool1d(1),
        torch.nn.Flatten(),
    )
    if hook is not None:
        module.register_forward_hook(hook)
    return module


def doubled(module, inputs, output):
    return 2 * output


def traced(seed=0):
    return torch.jit.script(encoder(seed))


def test_modules_are_known_by_what_they_compute_with():
    one = digest(encoder())
    assert one == digest(copy.deepcopy(encoder())) == digest(encoder().eval())
    changed = encoder()
    changed[2].running_mean += 1
    others = [encoder(1), encoder(stride=1), encoder(hook=doubled), changed, encoder()[:-1]]
    assert len({one, *map(digest, others)}) == 6
    with pytest.raises(TypeError, match="cannot be pickled"):
        digest(encoder(hook=lambda module, inputs, output: output))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_scripts_are_known_by_code_and_weights():
    assert digest(traced()) == digest(traced()) != digest(traced(1))
    assert digest(traced()) != digest(torch.jit.script(encoder()[:-1]))


def test_features_of_an_own_encoder_are_found_again_by_another_process(cache):
    X = np.random.default_rng(0).normal(size=(4, 80)).astype(np.float32)
    for _ in range(2):
        embedding = SpeechEmbedding(encoder=encoder(), center=False)
        ClipwiseFeatures(X, cache).compute([("embedding", embedding)])
    assert len(os.listdir(cache.folder)) == 1


def test_files_are_known_by_path_size_and_time(paths):
    before = file_identities([*paths, AudioSegment(paths[0], 0.01, 0.05)])
    assert file_identities(np.array(list(map(str, paths)))) == before[:6]
    assert before[6] != before[0]
    time.sleep(0.01)
    paths[0].write_bytes(paths[0].read_bytes())
    assert file_identities(paths)[0] != before[0] and file_identities(paths)[1] == before[1]
    assert file_identities([*paths, "nowhere.wav"])[:6] == file_identities(paths)
    assert file_identities(["nowhere.wav"]) == [(os.path.abspath("nowhere.wav"), None, None)]
    assert file_identities(np.zeros((2, 3))) is None and file_identities([[0.0]]) is None


def test_files_are_the_same_in_all_forms_of_paths(paths):
    expected = file_identities(list(paths))
    column = np.array(paths)[:, None]
    for X in (column, column.tolist(), pd.DataFrame({"path": list(paths)}), pd.Series(paths)):
        assert file_identities(X) == expected
    assert file_identities([[0.1, 0.2]]) is None
