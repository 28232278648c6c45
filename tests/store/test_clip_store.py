import errno
import json
import multiprocessing
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from optuna.distributions import IntDistribution
from optuna.samplers import GridSampler
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_speech import load, make_speech_pipeline, save
from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.base import BaseSpeechNet, BaseSpeechRegressor
from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.detection import SlidingWindow
from sklearn_speech.export import load_onnx, to_onnx
from sklearn_speech.feature_extraction import (
    MelSpectrogram,
    SpectrogramScaler,
    TemporalPooling,
)
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.recognition import PhonemeRecognizer
from sklearn_speech.search import OptunaSearchCV
from sklearn_speech.store import (
    ClipStore,
    FeatureCache,
    _cache_key,
    _filling,
    _stored_clips,
)
from sklearn_speech.utils.lazy_clips import LazyClips, sample_of
from sklearn_speech.utils.validation import make_ragged
from tests.estimators import ESTIMATORS
from tests.members import FRONT_ENDS, label

QUICK = {"max_epochs": 2, "batch_size": 8, "device": "cpu", "random_state": 0}
CNN = SpectrogramCNNClassifier(n_layers=1, n_filters=4, **QUICK)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(_filling, "_BLOCK", 4)


@pytest.fixture
def store(tmp_path):
    """A store that holds nothing in memory."""
    return ClipStore(tmp_path / "store", max_ram=0, shard_size=5)


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{i}.wav") for i in range(13)]
    for path in paths:
        soundfile.write(path, 0.1 * rng.normal(size=800), 8000)
    return paths


class Level(TransformerMixin, BaseEstimator):
    """The level of two halves of each clip, and a count of the clips that it has seen."""

    _treats_clips_alone = True
    n_seen = 0

    def __init__(self, scale=1.0):
        self.scale = scale

    def fit(self, X, y=None):
        sample_of(X)
        return self

    def transform(self, X):
        if isinstance(X, LazyClips):
            return X.then(self)
        type(self).n_seen += len(X)
        return np.array([[self.scale * np.abs(h).mean() for h in np.array_split(c, 2)] for c in X])


Level = type("Level", (Level,), {"__module__": "sklearn_speech.feature_extraction._ours"})


def waveforms(n=13, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 1600)).astype(np.float32)


def ragged_waveforms(n=13):
    return make_ragged(clip[: 1200 + 13 * i] for i, clip in enumerate(waveforms(n)))


def entries(store):
    return sorted(os.listdir(store.memory)) if os.path.isdir(store.memory) else []


def close(a, b):
    return all(np.allclose(x, y, rtol=1e-5, atol=1e-5) for x, y in zip(a, b, strict=True))


def equal(a, b):
    same = all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    return same and a.dtype == b.dtype and a.shape == b.shape


def same_weights(a, b):
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=label)
@pytest.mark.parametrize("make", [waveforms, ragged_waveforms])
def test_stored_features_of_every_front_end_are_those_in_memory(front_end, make, store):
    X = make()
    expected = clone(front_end).fit_transform(X)
    # the product with a single column is rounded differently for other numbers of rows
    alike = close if getattr(front_end, "detrend", None) == "linear" else equal
    lazy = make_pipeline(store, clone(front_end)).fit_transform(X)
    assert isinstance(lazy, LazyClips)
    assert lazy.shape == expected.shape and lazy.dtype == expected.dtype
    assert alike(lazy.load(slice(None)), expected)  # computed
    assert alike(lazy.fill().load(slice(None)), expected)  # read from files
    order = np.random.default_rng(0).permutation(13)[:9]
    assert alike(lazy[order].load(slice(2, 9)), expected[order[2:]])
    np.testing.assert_array_equal(lazy.lengths(), [clip.shape[-1] for clip in expected])
    again = make_pipeline(store, clone(front_end)).fit_transform(X)
    assert alike(again.load(slice(None)), expected) and not len(again._located().missing)


NETWORKS = [e for e in ESTIMATORS if isinstance(e, BaseSpeechNet)]


def spectrograms(is_ragged):
    clips = np.random.default_rng(0).normal(size=(26, 12, 20)).astype(np.float32)
    return make_ragged(c[:, : 10 + i % 10] for i, c in enumerate(clips)) if is_ragged else clips


class Same(TransformerMixin, BaseEstimator):
    """A step that gives what it gets."""

    _treats_clips_alone = True

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X.then(self) if isinstance(X, LazyClips) else X


Same = type("Same", (Same,), {"__module__": "sklearn_speech.feature_extraction._ours"})


def targets(network, n):
    if isinstance(network, BaseSpeechRegressor):
        return np.linspace(-1, 1, n)
    if isinstance(network, PhonemeRecognizer):
        return make_ragged([["s"], ["ow", "s"]][i % 2] for i in range(n))
    return np.array(["no", "yes"])[np.arange(n) % 2]


@pytest.mark.filterwarnings("ignore:after 1 epochs the network finds no phones")
@pytest.mark.parametrize("is_ragged", [False, True])
@pytest.mark.parametrize("network", [*NETWORKS, PhonemeRecognizer(n_filters=4)], ids=label)
def test_every_network_learns_from_files_what_it_learns_from_memory(network, is_ragged, store):
    network = clone(network).set_params(**{**QUICK, "max_epochs": 1})
    X = spectrograms(is_ragged) if network.reads == "spectrogram" else waveforms(26)
    if is_ragged and network.reads == "waveform":
        X = ragged_waveforms(26)
    y = targets(network, len(X))
    try:
        expected = clone(network).fit(X, y)
    except ValueError:
        pytest.skip("takes clips of one length only")
    found = make_pipeline(store, Same(), network).fit(X, y)
    assert same_weights(expected.module_, found[-1].module_)
    coder = hasattr(network, "transform")  # its other methods are those of skorch
    for method in ["transform"] if coder else ["predict", "predict_proba"]:
        if hasattr(network, method):
            pairs = zip(getattr(found, method)(X), getattr(expected, method)(X), strict=True)
            assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    "options",
    [
        {"early_stopping": True, "validation_fraction": 0.3},
        {"frontend": MelSpectrogram(8000, n_mels=12)},
        {"lr_schedule": "swa"},
    ],
    ids=lambda options: next(iter(options)),
)
def test_options_of_a_network_work_on_stored_clips(options, store):
    steps = [] if "frontend" in options else [MelSpectrogram(8000, n_mels=12)]
    X, y, speakers = waveforms(30), np.arange(30) % 2, np.arange(30) // 2 % 5
    network = clone(CNN).set_params(**options)
    fits = [
        make_pipeline(*first, *steps, clone(network)).fit(X, y, **{f"{name}__groups": speakers})
        for name in [type(network).__name__.lower()]
        for first in ([Same()], [store, Same()])
    ]
    assert same_weights(*(fit[-1].module_ for fit in fits))


def test_a_scaler_and_a_learned_length_work_on_stored_clips(store):
    X, y = ragged_waveforms(), np.arange(13) % 2
    steps = PadOrTrim(quantile=1.0), MelSpectrogram(8000, n_mels=12), SpectrogramScaler(), CNN
    expected = make_pipeline(*map(clone, steps)).fit(X, y)
    found = make_pipeline(store, *map(clone, steps)).fit(X, y)
    np.testing.assert_array_equal(found[3].mean_, expected[2].mean_)
    np.testing.assert_array_equal(found[3].scale_, expected[2].scale_)
    assert same_weights(found[-1].module_, expected[-1].module_)
    assert equal(found.predict_proba(X), expected.predict_proba(X))


def test_few_clips_pass_through_unchanged(store):
    X = waveforms(4)
    assert store.fit_transform(X) is X
    assert entries(store) == []


def test_prediction_stores_nothing(store):
    model = make_pipeline(store, MelSpectrogram(8000, n_mels=12), CNN)
    model.fit(waveforms(), np.arange(13) % 2)
    before = entries(store)
    model.predict(waveforms(seed=1))
    assert entries(store) == before and len(before) == 3


def test_prediction_needs_no_folder_and_no_memory_for_all_clips():
    store = ClipStore(max_ram=0, shard_size=5)
    steps = MelSpectrogram(8000, n_mels=12), SpectrogramScaler(), CNN
    model = make_pipeline(store, *steps).fit(waveforms(4), [0, 1, 0, 1])  # few enough for memory
    expected = make_pipeline(*model[1:]).predict_proba(waveforms(seed=1))
    np.testing.assert_array_equal(model.predict_proba(waveforms(seed=1)), expected)


def test_clips_are_looked_up_only_where_something_is_stored_for_their_steps(store, monkeypatch):
    named, names_of = [], _stored_clips.names_of

    def counting(source):
        named.append(len(source))
        return names_of(source)

    monkeypatch.setattr(_stored_clips, "names_of", counting)
    model = mel(store).fit(waveforms(4))
    model.transform(waveforms()).load(slice(None))
    assert named == []
    model.transform(waveforms()).fill().load(slice(None))
    model.transform(waveforms()[:6]).load(slice(None))
    assert named == [13, 6]


def test_each_clip_is_computed_once_for_all_folds_and_runs(tmp_path):
    X, y, groups = waveforms(20), np.arange(20) % 2, np.arange(20) // 4
    model = make_pipeline(ClipStore(tmp_path, shard_size=4), Level(), LogisticRegression())
    Level.n_seen = 0
    cross_validate(model, X, y, groups=groups, cv=GroupKFold(5), error_score="raise")
    n_probes = Level.n_seen - 20  # one clip tells the form of all
    assert 0 < n_probes <= 15
    Level.n_seen = 0
    cross_validate_by_speaker(model, X, y, groups)
    assert Level.n_seen < 20


def test_a_clip_that_is_there_twice_is_computed_once(tmp_path):
    X = waveforms(10)
    twice = X[np.r_[0:10, 9:-1:-1, 3, 3]]
    Level.n_seen = 0
    found = make_pipeline(ClipStore(tmp_path, shard_size=4), Level()).fit_transform(twice).fill()
    assert Level.n_seen == 11  # one more tells the form
    assert equal(found.load(slice(None)), Level().transform(twice))


def test_memory_holds_a_block_of_clips_and_not_all(tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_speech.utils.lazy_clips._N_SAMPLE", 8)
    monkeypatch.setattr("sklearn_speech.base._inference.LAZY_BLOCK", 16)
    X = np.random.default_rng(0).normal(size=(300, 4000)).astype(np.float32)
    clips = [clip.copy() for clip in X]
    model = make_pipeline(
        ClipStore(tmp_path, max_ram=0, shard_size=20),
        PadOrTrim(n_times=4000),
        MelSpectrogram(8000, n_mels=32, hop_length=40),
        clone(CNN).set_params(max_epochs=1, pool_size=8),
    )
    features = 300 * 32 * 101 * 4
    model.fit(clips[:40], np.arange(40) % 2)  # what is allocated once
    tracemalloc.start()
    model.fit(clips, np.arange(300) % 2).predict(clips)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < features / 2 < X.nbytes / 2


def killed(folder):
    """Fit in a process that kills itself during the third shard."""
    code = f"""
import os, signal
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn_speech.audio import PadOrTrim
from sklearn_speech.store import ClipStore, _filling
make, n_made = _filling.make_shard, 0
def make_or_die(cache, *args):
    global n_made
    n_made += 1
    if n_made == 3:
        write = np.save
        def half(file, array):
            file.write(b"half of a file")
            os.kill(os.getpid(), signal.SIGKILL)
        np.save = half
    return make(cache, *args)
_filling.make_shard = make_or_die
X = np.random.default_rng(0).normal(size=(13, 1600)).astype(np.float32)
clips = make_pipeline(ClipStore({str(folder)!r}, shard_size=5), PadOrTrim(n_times=1700))
clips.fit_transform(X).fill()
"""
    return subprocess.run([sys.executable, "-c", code], check=False).returncode


def test_whole_shards_survive_a_kill(store, monkeypatch):
    assert killed(store.memory) == -signal.SIGKILL
    assert len([e for e in entries(store) if not e.startswith(".")]) == 2
    computed = count_computed(monkeypatch)
    clips = make_pipeline(store, PadOrTrim(n_times=1700)).fit_transform(waveforms()).fill()
    assert sorted(computed) == [1, 3]  # one tells the form, the others are the last shard
    expected = PadOrTrim(n_times=1700).fit_transform(waveforms())
    assert equal(clips.load(slice(None)), expected)


def count_computed(monkeypatch):
    """A list that gets the number of clips of each computation."""
    computed, original = [], _filling.compute

    def counting(source, steps, positions, bad=None):
        computed.append(len(source))
        return original(source, steps, positions, bad)

    monkeypatch.setattr(_filling, "compute", counting)
    monkeypatch.setattr("sklearn_speech.store._stored_clips.compute", counting)
    return computed


def mel(store):
    return make_pipeline(store, MelSpectrogram(8000, n_mels=12))


MEL = MelSpectrogram(8000, n_mels=12).fit_transform(waveforms())


@pytest.mark.parametrize("name", ["data.npy", "meta.json"])
def test_a_damaged_shard_is_computed_again(store, name):
    mel(store).fit_transform(waveforms()).fill()
    path = store.memory / entries(store)[0] / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    clips = mel(store).fit_transform(waveforms())
    with pytest.warns(UserWarning, match="damaged"):
        clips.fill()
    assert equal(clips.load(slice(None)), MEL)


@pytest.mark.parametrize("names", [["\u00e9"] * 5, [["a"], ["b", "c"]], [["a"]] * 5, [None], [{}]])
def test_a_shard_with_damaged_names_is_computed_again(store, names):
    mel(store).fit_transform(waveforms()).fill()
    meta = pathlib.Path(store.memory, entries(store)[0], "meta.json")
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"clips": names}))
    with pytest.warns(UserWarning, match="damaged entry"):
        clips = mel(store).fit_transform(waveforms()).fill()
    assert equal(clips.load(slice(None)), MEL)


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_shard_that_is_damaged_or_removed_during_training_is_refused_by_name(store, damage):
    clips = mel(store).fit_transform(waveforms()).fill()
    entry = store.memory / entries(store)[0]
    if damage == "change":
        os.truncate(entry / "data.npy", 200)
    else:
        (entry / "data.npy").unlink()
    with pytest.raises((ValueError, OSError), match=entry.name[:20]):
        clips.load(slice(None))


def test_a_changed_sound_file_is_read_again_and_a_missing_one_is_named(store, files, monkeypatch):
    model = make_pipeline(store, AudioReader(8000), MelSpectrogram(8000, n_mels=12))
    model.fit_transform(files).fill()
    soundfile.write(files[7], np.zeros(1600), 8000)
    computed = count_computed(monkeypatch)
    clips = model.fit_transform(files).fill()
    assert computed == [1, 1]  # one tells the form
    expected = make_pipeline(*model[1:]).fit_transform(files)
    assert equal(clips.load(slice(None)), np.asarray(expected))
    os.unlink(files[9])
    with pytest.raises(ValueError, match=r"9\.wav"):
        make_pipeline(store, *model[1:]).transform(files).fill()


def fill_store(folder):
    store = ClipStore(folder, max_ram=0, shard_size=5)
    return mel(store).fit_transform(waveforms()).fill().load(slice(None))


def test_two_processes_may_write_at_the_same_time(store):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for found in pool.map(fill_store, [store.memory] * 4):
            assert equal(found, MEL)
    assert len(entries(store)) == 3


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_what_cannot_be_stored_is_held_in_memory_or_refused(store, monkeypatch, code):
    mel(store).fit_transform(waveforms(8)).fill()
    before = entries(store)

    def refuse(path, *args):
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.warns(UserWarning, match=f"cannot be stored.*{os.strerror(code)}"):
        with pytest.raises(OSError, match="what was stored before is kept") as caught:
            mel(store).fit_transform(waveforms()).fill()
    assert caught.value.errno == code and entries(store) == before
    roomy = clone(store).set_params(max_ram=10**6)
    with pytest.warns(UserWarning, match="cannot be stored"):
        clips = mel(roomy).fit_transform(waveforms()).fill()
    assert equal(clips.load(slice(None)), MEL)
    assert equal(mel(store).fit_transform(waveforms(8)).fill().load(slice(None)), MEL[:8])


def test_features_of_another_version_are_computed_again(store, monkeypatch):
    mel(store).fit_transform(waveforms()).fill()
    monkeypatch.setattr(_cache_key, "__version__", "0.0.0")
    assert len(mel(store).fit_transform(waveforms())._located().missing) == 13


def test_a_store_that_is_too_small_is_refused_before_all_is_computed(tmp_path, monkeypatch):
    store = ClipStore(FeatureCache(tmp_path, max_bytes=10_000), max_ram=0, shard_size=2)
    computed = count_computed(monkeypatch)
    with pytest.raises(ValueError, match="max_bytes=10000"):
        mel(store).fit_transform(waveforms(40)).fill()
    assert sum(computed) < 6


def test_without_a_store_features_must_fit_into_the_stated_memory():
    X, y = waveforms(), np.arange(13) % 2
    small = make_pipeline(ClipStore(max_ram=100, shard_size=5), *mel(None)[1:], CNN)
    with pytest.raises(ValueError, match=r"max_ram=100.*memory="):
        small.fit(X, y)
    expected = make_pipeline(*mel(None)[1:], CNN).fit(X, y)
    found = make_pipeline(ClipStore(shard_size=5), *mel(None)[1:], CNN).fit(X, y)
    assert same_weights(found[-1].module_, expected[-1].module_)


def test_scikit_learn_gets_an_array_up_to_the_stated_memory(store):
    X, y = waveforms(), np.arange(13) % 2
    table = [MelSpectrogram(8000, n_mels=12), TemporalPooling(), LogisticRegression(max_iter=500)]
    expected = make_pipeline(*map(clone, table)).fit(X, y)
    with pytest.raises(ValueError, match="max_ram=0"):
        make_pipeline(store, *map(clone, table)).fit(X, y)
    store.set_params(max_ram=10**6)
    found = make_pipeline(store, *map(clone, table)).fit(X, y)
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


def test_samples_of_16_bits_come_back_exactly(store, files):
    reader = make_pipeline(clone(store).set_params(dtype="int16"), AudioReader(8000))
    expected = AudioReader(8000).fit_transform(files)
    clips = reader.fit_transform(files).fill()
    assert all(map(np.array_equal, clips, expected))
    with pytest.raises(ValueError, match="int16"):
        mel(clone(store).set_params(dtype="int16")).fit_transform(waveforms()).fill()


def test_half_precision_keeps_three_digits_and_is_the_same_computed_and_read(store):
    clips = mel(clone(store).set_params(dtype="float16")).fit_transform(waveforms())
    computed = clips.load(slice(None))
    assert equal(clips.fill().load(slice(None)), computed) and computed.dtype == np.float32
    np.testing.assert_allclose(computed, MEL, rtol=1e-3, atol=1e-6)


def test_workers_get_positions_and_no_clips(store):
    clips = mel(store).fit_transform(waveforms(50)).fill()
    assert len(pickle.dumps(clips)) < 20_000 < waveforms(50).nbytes / 2
    part = pickle.loads(pickle.dumps(clips[10:20]))
    assert equal(part.load(slice(None)), clips.load(slice(10, 20)))


@pytest.mark.slow  # starts two processes
def test_processes_compute_shards_and_folds(store):
    model = make_pipeline(store, MelSpectrogram(8000, n_mels=12), CNN)
    X, y, speakers = waveforms(40), np.arange(40) % 2, np.arange(40) // 2 % 4
    one = cross_validate_by_speaker(model, X, y, speakers, cv=GroupKFold(2))
    two = cross_validate_by_speaker(model, X, y, speakers, cv=GroupKFold(2), n_jobs=2)
    np.testing.assert_array_equal(one.probabilities, two.probabilities)
    other = ClipStore(f"{store.memory}2", max_ram=0, shard_size=5, n_jobs=2)
    assert equal(mel(other).fit_transform(waveforms()).fill().load(slice(None)), MEL)


def test_shards_may_be_computed_in_parallel(store):
    store.set_params(n_jobs=2)
    with joblib.parallel_config("threading"):
        assert equal(mel(store).fit_transform(waveforms()).fill().load(slice(None)), MEL)
    with pytest.raises(ValueError, match="n_jobs=2"):
        ClipStore(n_jobs=2).fit(waveforms())


def test_a_pipeline_with_a_store_is_saved(store, tmp_path):
    X = waveforms()
    model = make_pipeline(store, MelSpectrogram(8000, n_mels=12), CNN).fit(X, np.arange(13) % 2)
    with pytest.warns(UserWarning, match="memory .* is saved as None"):
        save(model, tmp_path / "model.safetensors")
    assert equal(load(tmp_path / "model.safetensors").predict_proba(X), model.predict_proba(X))


@pytest.mark.slow  # an ONNX file is written and checked
def test_parts_that_read_waveforms_pass_over_the_store(store, tmp_path):
    pytest.importorskip("onnxscript", reason="needs the extra onnx")
    X, y = waveforms(), np.arange(13) % 2
    model = make_pipeline(store, PadOrTrim(n_times=1600), MelSpectrogram(8000, n_mels=12), CNN)
    model.fit(X, y)
    to_onnx(model, tmp_path / "model.onnx")
    found = load_onnx(tmp_path / "model.onnx").predict_proba(X)
    np.testing.assert_allclose(found, model.predict_proba(X), atol=1e-5)
    recording = [np.concatenate(X[:3])]
    events = [
        SlidingWindow(estimator, step=0.1).predict_proba(recording)[0]
        for estimator in (model, make_pipeline(*model[1:]))
    ]
    np.testing.assert_array_equal(*events)


def test_clips_come_in_any_container(store, files):
    steps = AudioReader(8000), MelSpectrogram(8000, n_mels=12)
    expected = make_pipeline(*steps).fit_transform(files)
    containers = [
        files,
        np.array(files),
        np.array(files)[:, np.newaxis],
        pd.Series(files, index=range(13, 0, -1)),
        [pathlib.Path(path) for path in files],
        [soundfile.read(path) for path in files],
        [{"array": soundfile.read(path)[0], "sampling_rate": 8000} for path in files],
    ]
    for X in containers:
        clips = make_pipeline(store, *steps).fit_transform(X)
        assert clips.sample_rate == 8000
        assert equal(clips.fill().load(slice(None)), np.asarray(expected))
        np.testing.assert_array_equal(clips[np.arange(13) > 9].lengths(), clips.lengths()[10:])


def double(clips):
    return [clip.astype(float) for clip in clips]


@pytest.mark.parametrize("container", [list, pd.Series])
@pytest.mark.parametrize(
    "clips",
    [
        [*waveforms(12)[:, :800], *waveforms(6)[:, :700]],
        [*ragged_waveforms(9), *double(ragged_waveforms(9))],
        [*double(ragged_waveforms(9)), *ragged_waveforms(9)],
        double(ragged_waveforms()),
        [clip.tolist() for clip in ragged_waveforms()],
    ],
    ids=["length", "double last", "double first", "double", "numbers"],
)
def test_what_the_clips_of_a_block_have_in_common_changes_nothing(clips, container, store):
    X = container(clips)
    for steps in ([MelSpectrogram(8000, n_mels=12)], [PadOrTrim(quantile=0.5)]):
        expected = make_pipeline(*steps).fit_transform(X)
        found = make_pipeline(store, *map(clone, steps)).fit_transform(X)
        assert equal(found.fill().load(slice(None)), expected)


@pytest.mark.parametrize(
    "later", [TemporalPooling(), PadOrTrim(20), PadOrTrim(), SpectrogramScaler()]
)
@pytest.mark.parametrize("passed_on", [lambda clips: clips, pickle.dumps], ids=["here", "pickled"])
def test_steps_may_follow_after_the_clips_were_stored(passed_on, later, store):
    clips = make_pipeline(store, MelSpectrogram(8000, n_mels=12)).fit_transform(waveforms()).fill()
    received = passed_on(clips)
    received = pickle.loads(received) if isinstance(received, bytes) else received
    expected = clone(later).fit(MEL).transform(MEL)
    fitted = clone(later).fit(received)
    assert equal(fitted.transform(received).load(slice(None)), expected)
    assert equal(fitted.transform(received[::2]).load(slice(None)), expected[::2])


def test_members_of_an_ensemble_have_steps_of_their_own(store):
    X, y = waveforms(), np.arange(13) % 2
    table = make_pipeline(TemporalPooling(), LogisticRegression())
    vote = VotingClassifier([("network", CNN), ("table", table)], voting="soft")
    steps = MelSpectrogram(8000, n_mels=12), vote
    found = make_pipeline(store.set_params(max_ram=10**6), *steps).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(found, make_pipeline(*steps).fit(X, y).predict_proba(X))


@pytest.mark.parametrize("is_filled", [False, True])
@pytest.mark.parametrize("none", [[], np.zeros(13, bool), slice(0)], ids=["list", "mask", "slice"])
@pytest.mark.parametrize("make", [waveforms, ragged_waveforms])
def test_no_clips_have_the_form_of_all(make, none, is_filled, store):
    clips = make_pipeline(store, MelSpectrogram(8000, n_mels=12)).fit_transform(make())
    clips = clips.fill() if is_filled else clips
    whole, some = clips.load(slice(None)), clips[none]
    assert equal(some.fill().load(slice(None)), whole[:0])
    assert equal(np.asarray(some), whole[:0]) and some.shape == whole[:0].shape
    assert len(some) == len(some.lengths()) == len(list(some)) == len(some[[]]) == 0
    assert len(pickle.loads(pickle.dumps(some))) == 0


def test_steps_of_another_rate_are_refused(store, files):
    with pytest.raises(ValueError, match="sample_rate=16000"):
        make_pipeline(store, AudioReader(8000), MelSpectrogram(16000)).fit(files)


@pytest.mark.slow  # starts two processes
def test_workers_of_a_cluster_write_one_store(store, dask_processes):
    import distributed

    store.set_params(n_jobs=-1)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config("dask", wait_for_workers_timeout=60),
    ):
        clips = mel(store).fit_transform(waveforms()).fill()
    assert equal(clips.load(slice(None)), MEL)
    assert len(entries(store)) == 3


def test_make_speech_pipeline_puts_a_store_first(store):
    model = make_speech_pipeline(CNN, sample_rate=8000, duration=0.1, memory=store)
    assert [name for name, _ in model.steps][:2] == ["clipstore", "audioreader"]
    assert model.memory is None and model[0] is not store
    assert repr(model[0]) == repr(store)


def test_trials_of_a_search_share_the_store(store):
    X, y, speakers = waveforms(24), np.arange(24) % 2, np.arange(24) // 2 % 3
    steps = PadOrTrim(n_times=1600), MelSpectrogram(8000), SpectrogramScaler(), CNN
    found = [
        OptunaSearchCV(
            make_pipeline(*first, *map(clone, steps)),
            {"melspectrogram__n_mels": IntDistribution(8, 12)},
            sampler=GridSampler({"melspectrogram__n_mels": [8, 12]}),
            cv=GroupKFold(3),
            n_trials=2,
            random_state=0,
        )
        .fit(X, y, groups=speakers)
        .cv_results_["mean_test_score"]
        for first in ([], [store])
    ]
    np.testing.assert_array_equal(*found)
    assert len(entries(store)) == 2 * 5  # two settings, five files


def test_a_bad_clip_is_located_by_its_block(store):
    X = waveforms()
    X[6, 3] = np.nan
    with pytest.raises(ValueError, match=r"from clip 5 to clip 6 of X.*NaN"):
        mel(store).fit(X[:5]).transform(X).fill()


def test_a_step_that_learns_from_all_clips_may_come_first(store):
    X, y = spectrograms(False), np.arange(26) % 2
    expected = make_pipeline(SpectrogramScaler(), CNN).fit(X, y)
    for clips in (X, list(X)):
        found = make_pipeline(store, SpectrogramScaler(), CNN).fit(clips, y)
        assert same_weights(found[-1].module_, expected[-1].module_)
    assert entries(store) == []


@pytest.mark.parametrize("excess", [0, 1])
def test_a_folder_is_large_enough_for_all_files_or_refused_and_nothing_in_between(excess, store):
    X, y = waveforms(30), np.arange(30) % 2
    steps = MelSpectrogram(8000, n_mels=12), CNN
    make_pipeline(store, *steps).fit(X, y)
    size = sum(f.stat().st_size for f in pathlib.Path(store.memory).rglob("*") if f.is_file())
    exact = FeatureCache(f"{store.memory} exact", max_bytes=size - excess)
    model = make_pipeline(store.set_params(memory=exact), *steps)
    if excess:
        with pytest.raises(ValueError, match="max_bytes="):
            model.fit(X, y)
    else:
        model.fit(X, y)


def test_clips_that_become_longer_than_the_folder_is_large_are_refused_by_size(store):
    clips = [np.full(800 if i < 10 else 16_000, 0.01 * i, np.float32) for i in range(30)]
    store.set_params(memory=FeatureCache(store.memory, max_bytes=60_000))
    with pytest.raises(ValueError, match=r"need about .* max_bytes=60000"):
        make_pipeline(store, MelSpectrogram(8000, n_mels=12)).fit_transform(clips).fill()


def test_half_precision_says_where_it_keeps_no_digits(store):
    X, front_end = 1e-3 * waveforms(), MelSpectrogram(8000, n_mels=12, scaling=None)
    with pytest.warns(UserWarning, match="logarithmic scale"):
        make_pipeline(store.set_params(dtype="float16"), front_end).fit_transform(X).fill()
