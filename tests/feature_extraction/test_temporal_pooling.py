"""Frames to numbers: against NumPy, whatever the number of frames."""

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from sklearn_speech import load, save
from sklearn_speech.feature_extraction import PitchContour, SpeechEmbedding, TemporalPooling
from sklearn_speech.utils.validation import make_ragged
from tests.members import FRONT_ENDS, label

WAVEFORMS = np.random.default_rng(0).normal(scale=0.1, size=(4, 1600)).astype(np.float32)
EMBEDDING = SpeechEmbedding(
    encoder=torch.nn.Sequential(torch.nn.Unflatten(1, (1, -1)), torch.nn.Conv1d(1, 3, 200, 80)),
    window_length=200,
    hop_length=80,
)

SETTINGS = [
    TemporalPooling(),
    TemporalPooling("max"),
    TemporalPooling(["min"], n_segments=4),
    TemporalPooling(("mean", "std", "min", "max"), n_segments=3, n_frames=2),
    TemporalPooling((), n_frames=5),
]
each = pytest.mark.parametrize("pooling", SETTINGS)


def clips(dtype=np.float32):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3, n)).astype(dtype) for n in (1, 2, 3, 4, 5, 7, 12, 50)]


def by_hand(pooling, clip):
    names = pooling.statistics
    row = []
    for name in [names] if isinstance(names, str) else names:
        for part in range(pooling.n_segments):
            n = clip.shape[1]
            inside = [
                t
                for t in range(n)
                # frame t lasts from t to t + 1, part i from i n / k to (i + 1) n / k
                if (t + 1) * pooling.n_segments > part * n
                and t * pooling.n_segments < (part + 1) * n
            ]
            row.extend(getattr(np, name)(clip[:, inside].astype(float), axis=1))
    for t in range(pooling.n_frames or 0):
        row.extend(clip[:, t] if t < clip.shape[1] else np.zeros(len(clip)))
    return row


@each
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_numpy_for_any_number_of_frames(pooling, dtype):
    X = make_ragged(clips(dtype))
    found = clone(pooling).fit_transform(X)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, [by_hand(pooling, clip) for clip in X], rtol=1e-6, atol=1e-7)
    assert np.isfinite(found).all()


@each
def test_clips_of_one_length_give_the_same_in_one_array_and_ragged(pooling):
    X = np.random.default_rng(0).normal(size=(4, 3, 9))
    ragged = clone(pooling).fit_transform(make_ragged(X))
    np.testing.assert_array_equal(clone(pooling).fit_transform(X), ragged)


@each
def test_every_feature_has_a_name_of_its_own(pooling):
    fitted = clone(pooling).fit(clips())
    names = fitted.get_feature_names_out()
    assert len(set(names)) == fitted.n_features_out_ == fitted.transform(clips()).shape[1]


def test_names_say_statistic_band_part_and_frame():
    pooling = TemporalPooling(("mean",), n_segments=2, n_frames=1).fit(np.zeros((2, 2, 4)))
    assert pooling.get_feature_names_out().tolist() == [
        "mean_band0_part0", "mean_band1_part0", "mean_band0_part1", "mean_band1_part1",
        "frame0_band0", "frame0_band1",
    ]  # fmt: skip
    assert pooling.get_feature_names_out(["low", "high"])[0] == "mean_low_part0"


def test_columns_of_a_pandas_frame_are_named():
    pooling = TemporalPooling("max").set_output(transform="pandas")
    frame = pooling.fit_transform(make_ragged(clips()))
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns.tolist() == ["max_band0", "max_band1", "max_band2"]


@pytest.mark.parametrize("front_end", [*FRONT_ENDS, PitchContour(8000), EMBEDDING], ids=label)
@pytest.mark.parametrize("way", ["set_config", "set_output"])
def test_a_pipeline_names_the_columns_of_the_table_that_it_gives(front_end, way, tmp_path):
    steps = [TemporalPooling(("mean", "max"), n_segments=2), StandardScaler(), StandardScaler()]
    if way == "set_output":
        for step in steps:
            step.set_output(transform="pandas")
    pipeline = make_pipeline(clone(front_end), *steps)
    table = "pandas" if way == "set_config" else "default"
    with sklearn.config_context(transform_output=table):
        frame = pipeline.fit_transform(WAVEFORMS)
        union = make_union(clone(pipeline), clone(pipeline)).fit(WAVEFORMS)
    names = [name.split("__")[1] for name in union.get_feature_names_out()]
    assert names == 2 * list(frame.columns)
    for n_steps in (2, 3, 4):  # in whatever configuration they are asked for
        assert list(frame.columns) == list(pipeline[:n_steps].get_feature_names_out())
    if front_end is not EMBEDDING:  # a module of the user is not saved
        save(pipeline, tmp_path / "pipeline.safetensors")
        loaded = load(tmp_path / "pipeline.safetensors")
        assert list(frame.columns) == list(loaded.get_feature_names_out())
    plain = make_pipeline(clone(front_end), TemporalPooling("mean")).fit(WAVEFORMS)
    bands = plain[0].get_feature_names_out()
    assert plain.get_feature_names_out().tolist() == [f"mean_{band}" for band in bands]


def test_a_loud_offset_leaves_the_spread_exact():
    clip = (1e4 + np.tile([0.0, 1.0], 500))[None, None].astype(np.float32)
    assert TemporalPooling("std").fit_transform(clip).item() == pytest.approx(0.5, rel=1e-5)


def test_a_classifier_of_scikit_learn_learns_from_it():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 30)
    X = make_ragged(rng.normal(size=(3, rng.integers(1, 20))) + 5 * label for label in y)
    assert make_pipeline(TemporalPooling(), LogisticRegression()).fit(X, y).score(X, y) == 1


@pytest.mark.parametrize(
    ("pooling", "message"),
    [
        (TemporalPooling("median"), r"statistics='median'.*'mean', 'std', 'min', 'max'"),
        (TemporalPooling(("mean", 3)), r"got 3"),
        (TemporalPooling(()), "statistics is empty and n_frames=None"),
        (TemporalPooling(n_segments=0), "'n_segments' parameter"),
        (TemporalPooling(n_frames=0), "'n_frames' parameter"),
    ],
)
def test_wrong_parameters_are_named(pooling, message):
    with pytest.raises(ValueError, match=message):
        pooling.fit(clips())
