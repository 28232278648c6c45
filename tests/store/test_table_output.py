"""Tables of pandas and polars after a store have the numbers and the names of those without it."""

from contextlib import nullcontext

import numpy as np
import pytest
import sklearn
from optuna.distributions import IntDistribution
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech.feature_extraction import MelSpectrogram, TemporalPooling
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.search import OptunaSearchCV
from sklearn_speech.store import ClipStore, FeatureCache, _clipwise_features, _filling
from sklearn_speech.store._clipwise_features import ClipwiseFeatures
from sklearn_speech.utils.validation import make_ragged

WORDS = np.array(["no", "yes"] * 8)
SPEAKERS = np.repeat(["ann", "bob", "cem", "dan"], 4)
EQUAL = np.random.default_rng(0).normal(scale=0.1, size=(16, 800)).astype(np.float32)
RAGGED = make_ragged(clip[: 600 + 10 * i] for i, clip in enumerate(EQUAL))

each_kind = pytest.mark.parametrize("kind", ["pandas", "polars"])
each_way = pytest.mark.parametrize("way", ["set_config", "set_output"])


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(_filling, "_BLOCK", 4)


def made(kind, way, *stores):
    """A pipeline that gives tables, and the configuration that it needs for that."""
    pytest.importorskip(kind)
    pooling, scaler = TemporalPooling(), StandardScaler()
    if way == "set_output":
        pooling.set_output(transform=kind)
        scaler.set_output(transform=kind)
    pipeline = make_pipeline(
        *stores, MelSpectrogram(8000, n_mels=5), pooling, scaler, LogisticRegression()
    )
    return pipeline, sklearn.config_context(transform_output=kind) if way == "set_config" else (
        nullcontext()
    )


@each_kind
@each_way
@pytest.mark.parametrize("X", [EQUAL, RAGGED], ids=["equal", "ragged"])
@pytest.mark.parametrize("in_files", [False, True])
def test_a_pipeline_learns_the_same_with_a_store(kind, way, X, in_files, tmp_path):
    store = ClipStore(tmp_path if in_files else None, shard_size=5)
    pipeline, configured = made(kind, way)
    stored, _ = made(kind, way, store)
    with configured:
        pipeline.fit(X, WORDS)
        for _ in range(2):  # computed, then read
            stored.fit(X, WORDS)
            for i in (-2, -1):
                assert stored[i].feature_names_in_[0] == "mean_band0"
                assert np.array_equal(stored[i].feature_names_in_, pipeline[i].feature_names_in_)
            assert np.array_equal(stored[-1].coef_, pipeline[-1].coef_)
            assert np.array_equal(stored.predict_proba(X), pipeline.predict_proba(X))
            table = stored[:-2].transform(X)
            assert type(table) is type(pipeline[:-2].transform(X))
            assert np.array_equal(table, pipeline[:-2].transform(X))


@each_kind
@each_way
@pytest.mark.parametrize("n_stores", [0, 1])
def test_folds_by_speaker_score_the_same_with_a_store(kind, way, n_stores, tmp_path):
    stored, configured = made(kind, way, *[ClipStore(tmp_path / "store", shard_size=5)] * n_stores)
    folds = EQUAL, WORDS, SPEAKERS
    plain = cross_validate_by_speaker(made(kind, "none")[0], *folds, memory=tmp_path / "memory")
    with configured:
        for _ in range(2):
            found = cross_validate_by_speaker(
                stored, *folds, memory=tmp_path / "memory", return_estimator=True
            )
            assert np.array_equal(found["test_score"], plain["test_score"])
            for fitted in found["estimator"]:
                assert fitted[-2].feature_names_in_[0] == "mean_band0"
                assert len(fitted.predict(EQUAL)) == 16


@each_kind
@each_way
@pytest.mark.parametrize("memory", [False, True])
def test_a_search_chooses_the_same_with_a_store(kind, way, memory, tmp_path):
    def search(*stores):
        pipeline, configured = made(kind, way, *stores)
        with configured:
            found = OptunaSearchCV(
                pipeline,
                {"melspectrogram__n_mels": IntDistribution(4, 6)},
                n_trials=3,
                cv=GroupKFold(2),
                memory=tmp_path / "memory" if memory else None,
                random_state=0,
            ).fit(EQUAL, WORDS, groups=SPEAKERS)
            return found, found.predict_proba(EQUAL)

    plain, expected = search()
    stored, probabilities = search(ClipStore(tmp_path / "store", shard_size=5))
    for result in ("mean_test_score", "params"):
        np.testing.assert_array_equal(plain.cv_results_[result], stored.cv_results_[result])
    assert np.array_equal(probabilities, expected)
    names = stored.best_estimator_[-2].feature_names_in_
    assert np.array_equal(names, plain.best_estimator_[-2].feature_names_in_)


@each_kind
@each_way
def test_tables_of_shared_features_are_the_same_when_computed_block_by_block(
    kind, way, tmp_path, monkeypatch
):
    monkeypatch.setattr(_clipwise_features, "_N_SAMPLE", 2)
    pipeline, configured = made(kind, way)
    with configured:
        whole, parts = (
            ClipwiseFeatures(EQUAL, FeatureCache(tmp_path), max_bytes=size).fit(pipeline[:2].steps)
            for size in (2**30, 1)
        )
    assert type(whole) is type(parts) and list(whole.columns) == list(parts.columns)
    np.testing.assert_array_equal(whole, parts)


def test_a_table_larger_than_the_memory_allowed_is_refused(tmp_path):
    pipeline, _ = made("pandas", "set_output", ClipStore(tmp_path, max_ram=100, shard_size=5))
    with pytest.raises(ValueError, match=r"a table needs all clips in memory.*max_ram=100"):
        pipeline.fit(EQUAL, WORDS)
