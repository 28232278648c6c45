"""Silence in place of a bad file is never silent: every fit and predict warns, in one list."""

import json
import warnings

import numpy as np
import pytest
import soundfile
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.feature_extraction import MelSpectrogram, SpectrogramScaler, TemporalPooling
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.store import ClipStore, FeatureCache, _clipwise_features, _filling

BAD = [0, 3, 4, 11, 17]
CNN = SpectrogramCNNClassifier(
    n_layers=1, n_filters=2, max_epochs=1, batch_size=8, device="cpu", random_state=0
)
FRONT = [AudioReader(8000, on_error="warn"), PadOrTrim(n_times=8000), MelSpectrogram(8000)]
TAILS = {
    "network": [CNN],
    "scaler": [SpectrogramScaler(), CNN],
    "table": [TemporalPooling(), LogisticRegression(C=1e-3)],
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(_filling, "_BLOCK", 4)


@pytest.fixture
def paths(tmp_path):
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{i}.wav") for i in range(20)]
    for i, path in enumerate(paths):
        soundfile.write(path, 0.1 * rng.normal(size=8000), 8000)
        if i in BAD:
            with open(path, "wb") as file:
                file.write(b"not audio")
    return paths


def told(call):
    """Positions of the bad files in each warning of a call, which must be of nothing else."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    lists = []
    for warning in caught:
        first, *lines = str(warning.message).splitlines()
        assert first.startswith(f"{len(lines)} of ") and "files cannot be read" in first
        assert all("(one second of silence)" in line for line in lines)
        lists.append(sorted(int(line.split(".wav")[0].rpartition("/")[2]) for line in lines))
    return lists


@pytest.mark.parametrize("n_jobs", [None, 2])
@pytest.mark.parametrize("max_ram", [0, 2**30])
@pytest.mark.parametrize("tail", TAILS)
def test_every_fit_and_predict_behind_a_store_warns_once(tail, max_ram, n_jobs, paths, tmp_path):
    if tail == "table" and not max_ram:
        max_ram = 10_000  # scikit-learn needs an array
    store = ClipStore(tmp_path / "store", shard_size=5, max_ram=max_ram, n_jobs=n_jobs)
    model = make_pipeline(store, *FRONT, *TAILS[tail])
    y = np.arange(20) % 2
    for _ in range(2):
        assert told(lambda: model.fit(paths, y)) == [BAD]
        assert told(lambda: model.predict(paths)) == [BAD]
        assert told(lambda: model.predict(paths[5:])) == [[11, 17]]
    assert told(lambda: model.predict(paths[5:11])) == []


def test_without_a_folder_too(paths):
    model = make_pipeline(ClipStore(shard_size=5), *FRONT, CNN)
    assert told(lambda: model.fit(paths, np.arange(20) % 2)) == [BAD]
    assert told(lambda: model.predict(paths)) == [BAD]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("memory", [False, True])
def test_every_cross_validation_warns_once(memory, large, paths, tmp_path, monkeypatch):
    if large:
        monkeypatch.setattr(_clipwise_features.ClipwiseFeatures, "_is_large", lambda *args: True)
    model = make_pipeline(*FRONT, *TAILS["table"])
    y, speakers = np.arange(20) % 2, np.arange(20) // 4
    folder = tmp_path / "store" if memory else None
    for _ in range(2):
        assert told(
            lambda: cross_validate_by_speaker(model, paths, y, speakers, memory=folder)
        ) == [BAD]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_every_cross_validation_behind_a_store_warns_once(n_jobs, paths, tmp_path):
    store = ClipStore(tmp_path / "store", shard_size=5)
    model = make_pipeline(store, *FRONT, *TAILS["table"])
    y, speakers = np.arange(20) % 2, np.arange(20) // 4
    for _ in range(2):
        assert told(
            lambda: cross_validate_by_speaker(model, paths, y, speakers, n_jobs=n_jobs)
        ) == [BAD]


def test_what_is_said_of_a_file_has_a_checksum(paths, tmp_path):
    store = ClipStore(tmp_path / "store", shard_size=20)
    told(lambda: make_pipeline(store, *FRONT).fit_transform(paths).fill())
    (meta,) = (tmp_path / "store").glob("*/meta.json")
    meta.write_text(json.dumps(json.loads(meta.read_text()) | {"bad": {}}))
    with pytest.warns(UserWarning, match="damaged"):
        assert FeatureCache(store.memory).open_shard(meta.parent.name) is None
