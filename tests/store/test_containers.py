"""Clips in every container give the features that they give without a store."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_speech.audio import PadOrTrim
from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.feature_extraction import MelSpectrogram, SpectrogramScaler, TemporalPooling
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.store import ClipStore
from sklearn_speech.store._in_one_form import in_one_form

CLIPS = (0.1 * np.random.default_rng(0).normal(size=(16, 1600))).astype(np.float32)
CONTAINERS = {
    "array": lambda clips: clips,
    "DataFrame": pd.DataFrame,
    "DataFrame of float64": lambda clips: pd.DataFrame(clips.astype(float)),
    "DataFrame with names": lambda clips: pd.DataFrame(clips).add_prefix("sample "),
    "DataFrame with an index": lambda clips: pd.DataFrame(clips).iloc[::-1],
    "DataFrame of two dtypes": lambda clips: pd.DataFrame(clips).astype({3: float}),
    "Series": lambda clips: pd.Series(list(clips)),
    "list of arrays": list,
    "tuple of arrays": tuple,
    "list of float64 arrays": lambda clips: list(clips.astype(float)),
    "list of lists": lambda clips: clips.tolist(),
    "tensor": torch.tensor,
    "tensor of float64": lambda clips: torch.tensor(clips).double(),
    "tensor of float16": lambda clips: torch.tensor(clips).half(),
    "tensor of bfloat16": lambda clips: torch.tensor(clips).bfloat16(),
    "list of tensors": lambda clips: list(torch.tensor(clips)),
    "Series of tensors": lambda clips: pd.Series(list(torch.tensor(clips))),
}
MEL = MelSpectrogram(8000, n_mels=8)
TAILS = [[PadOrTrim(n_times=1700)], [MEL], [PadOrTrim(n_times=1700), MEL, SpectrogramScaler()]]


def same(found, expected):
    pairs = zip(found, expected, strict=True)
    return found.dtype == expected.dtype and all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("on_disk", [False, True])
@pytest.mark.parametrize("tail", TAILS, ids=len)
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_gives_what_it_gives_without_a_store(container, tail, on_disk, tmp_path):
    X = CONTAINERS[container](CLIPS)
    expected = make_pipeline(*tail).fit_transform(X)
    store = ClipStore(tmp_path if on_disk else None, shard_size=5)
    clips = make_pipeline(store, *tail).fit_transform(X)
    assert clips.shape == expected.shape and clips.dtype == expected.dtype
    lengths = [clip.shape[-1] for clip in expected]
    np.testing.assert_array_equal(clips.lengths(), lengths)
    assert same(clips[[3, 1]].fill().load(slice(None)), expected[[3, 1]])
    assert same(clips.fill().load(slice(None)), expected)


@pytest.mark.parametrize("container", CONTAINERS)
def test_networks_take_every_container_from_a_store(container):
    X, y = CONTAINERS[container](CLIPS), np.arange(16) % 2
    network = SpectrogramCNNClassifier(
        n_layers=1, n_filters=2, frontend=MEL, max_epochs=1, device="cpu", random_state=0
    )
    expected = make_pipeline(PadOrTrim(n_times=1700), network).fit(X, y).predict_proba(X)
    for steps in ([PadOrTrim(n_times=1700), network], [network]):
        model = make_pipeline(ClipStore(shard_size=5), *steps).fit(X, y)
        found = model.predict_proba(X)
        assert found.shape == expected.shape and np.isfinite(found).all()
    stored = ClipStore(shard_size=5).fit_transform(X)
    np.testing.assert_array_equal(stored.lengths(), [1600] * 16)


@pytest.mark.parametrize("container", CONTAINERS)
def test_scores_by_speaker_take_every_container_behind_a_store(container, tmp_path):
    X, y, speakers = CONTAINERS[container](CLIPS), np.arange(16) % 2, np.arange(16) // 4
    steps = MEL, TemporalPooling(), LogisticRegression(C=1e-3)
    expected = cross_validate_by_speaker(make_pipeline(*steps), X, y, speakers)["test_score"]
    model = make_pipeline(ClipStore(tmp_path, shard_size=5), *steps)
    found = cross_validate_by_speaker(model, X, y, speakers)["test_score"]
    np.testing.assert_array_equal(found, expected)


def refused():
    masked = [np.ma.array(clip, mask=clip > 0.3) for clip in CLIPS]
    return {
        "bool": CLIPS > 0,
        "list of bool": list(CLIPS > 0),
        "DataFrame of bool": pd.DataFrame(CLIPS > 0),
        "complex": (CLIPS + 1j).tolist(),
        "masked": masked,
        "masked array": np.ma.array(CLIPS, mask=CLIPS > 0.3),
        "strings": CLIPS.astype(str).tolist(),
    }


@pytest.mark.parametrize("case", refused())
def test_what_is_refused_without_a_store_is_refused_with_one(case):
    X = refused()[case]
    with pytest.raises(ValueError) as expected:
        make_pipeline(MEL).fit_transform(X)
    with pytest.raises(ValueError, match=str(expected.value)[:12].replace("(", r"\(")):
        make_pipeline(ClipStore(shard_size=5), MEL).fit_transform(X).fill()


@pytest.mark.parametrize("X", [["a.wav", "b.wav"], [(CLIPS[0], 8000)], [b"RIFF"], []], ids=str)
def test_what_is_no_array_of_numbers_is_left_as_it_is(X):
    assert in_one_form(X) is X
