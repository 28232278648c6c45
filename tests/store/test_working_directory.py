"""Relative paths lead to the same files in every process, wherever that process was started."""

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky import get_reusable_executor
from optuna.distributions import CategoricalDistribution
from optuna.pruners import NopPruner
from optuna.samplers import GridSampler
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from sklearn_speech.audio import AudioReader, AudioSegment, PadOrTrim, check_audio_files
from sklearn_speech.audio._given_paths import GivenPath, absolute_entries, printable
from sklearn_speech.feature_extraction import MelSpectrogram, TemporalPooling
from sklearn_speech.leakage import check_speaker_leakage
from sklearn_speech.model_selection import cross_validate_by_speaker, learning_curve_by_speaker
from sklearn_speech.search import OptunaSearchCV
from sklearn_speech.store import ClipStore, FeatureCache
from sklearn_speech.utils.parallel import in_this_folder

SIDES = {"one": 300, "two": 900}
PATHS = [f"clips/{i}.wav" for i in range(12)]
FORMS = {
    "list": list,
    "array": np.array,
    "column": lambda paths: np.array(paths)[:, None],
    "Path": lambda paths: [Path(path) for path in paths],
    "Series": pd.Series,
    "segments": lambda paths: [AudioSegment(path, 0.0, 0.05) for path in paths],
    "dicts": lambda paths: [{"path": path} for path in paths],
}


#: Workers of joblib start again for these tests.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def workers():
    """Start workers that load what they need in their first task: later, it looks like a leak.

    joblib stops a worker whose memory grows by 300 MB after its first task, and may then wait
    forever.
    """
    get_reusable_executor().shutdown(kill_workers=True)
    Parallel(n_jobs=2)(delayed(mel_of_silence)() for _ in range(8))
    yield
    get_reusable_executor().shutdown(kill_workers=True)


def mel_of_silence():
    return MelSpectrogram(8000, n_mels=8).fit_transform(np.zeros((2, 1600)))


@pytest.fixture
def sides(tmp_path, monkeypatch):
    """Go to a folder; the folders have files of the same names, but not of the same sound."""
    for side, frequency in SIDES.items():
        (tmp_path / side / "clips").mkdir(parents=True)
        for i, path in enumerate(PATHS):
            times = np.arange(1600 + 10 * i) / 8000
            wave = (0.1 + 0.02 * i) * np.sin(2 * np.pi * (frequency + 40 * (i % 2)) * times)
            soundfile.write(tmp_path / side / path, wave, 8000)
    monkeypatch.chdir(tmp_path)
    return lambda side: monkeypatch.chdir(tmp_path / side)


def steps():
    return [AudioReader(8000), PadOrTrim(n_times=1600), MelSpectrogram(8000, n_mels=8)]


def loaded(clips):
    return clips.fill().load(slice(None))


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("memory", ["absolute", "relative"])
def test_a_store_has_the_features_of_the_files_it_names(memory, form, backend, sides, tmp_path):
    X = FORMS[form](PATHS)
    folder = tmp_path / "store" if memory == "absolute" else "store"
    with parallel_config(backend):
        for n_jobs in (2, None):  # what is stored first is read again
            for side in SIDES:
                sides(side)
                store = ClipStore(folder, shard_size=3, max_ram=0, n_jobs=n_jobs)
                found = loaded(make_pipeline(store, *steps()).fit_transform(X))
                np.testing.assert_array_equal(found, make_pipeline(*steps()).fit_transform(X))
    assert (tmp_path / "one" / "store").exists() == (memory == "relative")


def test_clips_are_the_same_after_the_working_directory_has_changed(sides):
    sides("one")
    expected = make_pipeline(*steps()).fit_transform(PATHS)
    model = make_pipeline(ClipStore("store", shard_size=3, max_ram=0), *steps())
    model.fit_transform(PATHS[:6]).fill()
    clips = model.transform(PATHS)
    clips.lengths()
    sides("two")
    np.testing.assert_array_equal(loaded(clips), expected)
    np.testing.assert_array_equal(clips.load([3, 9]), expected[[3, 9]])
    assert not os.path.exists("store")


def test_a_cache_stays_in_its_folder(sides, tmp_path):
    sides("one")
    cache = FeatureCache("features")
    sides("two")
    cache.put("a", np.zeros(3))
    assert cache.folder == tmp_path / "one" / "features" and cache.folder.exists()


def test_files_are_checked_where_they_are(sides):
    for side, bad in (("one", 3), ("two", 7)):
        sides(side)
        Path(PATHS[bad]).write_bytes(b"not audio")
        report = check_audio_files(PATHS, n_jobs=2)
        assert list(report.bad) == [PATHS[bad]]


def test_leaks_are_found_where_they_are(sides):
    for side, copy in (("one", 3), ("two", 6)):
        sides(side)
        rng = np.random.default_rng(len(side) + copy)
        for path in PATHS:
            soundfile.write(path, 0.1 * rng.normal(size=8000), 8000)
        Path(PATHS[copy]).write_bytes(Path(PATHS[0]).read_bytes())
        speakers = [str(i) for i in range(12)]
        report = check_speaker_leakage(PATHS, None, speakers, GroupKFold(3), n_jobs=2)
        assert {(leak.i, leak.j) for leak in report.leaks} == {(0, copy)}


class OwnReader(TransformerMixin, BaseEstimator):
    """A step of the user that reads files by itself."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return np.array([np.abs(soundfile.read(path)[0][:1600]).mean(keepdims=True) for path in X])


def models():
    own = make_pipeline(OwnReader(), LogisticRegression(C=1e3))
    return [make_pipeline(*steps(), TemporalPooling(), LogisticRegression(C=1e3)), own]


@pytest.mark.parametrize("model", models(), ids=["AudioReader", "step of the user"])
def test_folds_and_trials_read_the_files_of_the_working_directory(model, sides):
    y, speakers, results = np.arange(12) % 2, np.arange(12) // 3, {}
    for side in SIDES:
        sides(side)
        if side == "two":
            for i, path in enumerate(PATHS):  # the class is the level here
                soundfile.write(path, np.full(1600, 0.1 + 0.5 * (i % 2)), 8000)
        for n_jobs in (2, None):
            curve = learning_curve_by_speaker(
                model, PATHS, y, speakers, cv=2, random_state=0, n_jobs=n_jobs
            )
            scores = cross_validate_by_speaker(model, PATHS, y, speakers, n_jobs=n_jobs)
            results[side, n_jobs] = str(curve), str(scores)
        assert results[side, 2] == results[side, None]
        grid = {"logisticregression__C": [1e3, 1e-9]}
        space = {name: CategoricalDistribution(values) for name, values in grid.items()}
        options = {"n_trials": 2, "cv": GroupKFold(2), "pruner": NopPruner()}
        searches = [
            OptunaSearchCV(model, space, sampler=GridSampler(grid), n_jobs=n_jobs, **options)
            for n_jobs in (2, None)
        ]
        for search in searches:
            search.fit(PATHS, y, groups=speakers)
        scores = [sorted(search.cv_results_["mean_test_score"]) for search in searches]
        assert scores[0] == scores[1]


def test_messages_have_the_names_that_the_user_gave(sides):
    sides("one")
    os.unlink(PATHS[5])
    store = ClipStore("store", shard_size=3, max_ram=0, n_jobs=2)
    for first in ([store], []):
        with pytest.raises(ValueError, match=r"\n  clips/5\.wav: no such file"):
            loaded(make_pipeline(*first, *steps()).fit_transform(PATHS))
    segments = FORMS["segments"](PATHS)
    with pytest.raises(ValueError, match=r"\n  clips/5\.wav \(0 s to 0\.05 s\): no such file"):
        loaded(make_pipeline(store, *steps()).fit_transform(segments))


@pytest.mark.parametrize("path", ["a.wav", "../a.wav", "b/./a.wav", "\udcff.wav"])
def test_an_absolute_path_remembers_its_name_in_other_processes(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for entry in (path, AudioSegment(path, 1.0)):
        (absolute,) = absolute_entries([entry])
        monkeypatch.chdir("/")
        copied = pickle.loads(pickle.dumps(absolute))
        assert printable(copied) == printable(entry)
        where = copied if isinstance(copied, str) else copied.path
        assert isinstance(where, GivenPath) and where == os.path.join(tmp_path, path)
        assert absolute_entries([copied])[0] is copied
        monkeypatch.chdir(tmp_path)


def test_a_worker_runs_where_it_was_called_from(sides, tmp_path):
    sides("two")
    run = Parallel(n_jobs=2)
    expected = str(tmp_path / "two")
    assert run(delayed(in_this_folder(os.getcwd))() for _ in range(4)) == [expected] * 4
    function = in_this_folder(os.getcwd)
    sides("one")
    assert function() == str(tmp_path / "one")  # this process stays where it is
