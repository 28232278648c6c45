import numpy as np
import pytest
import soundfile
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.feature_extraction import MelSpectrogram, SpectrogramScaler
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.store._split_clipwise import is_clipwise, split_clipwise

# clips that are cut on purpose
pytestmark = pytest.mark.filterwarnings("ignore:n_times=:UserWarning")


class Energy(TransformerMixin, BaseEstimator):
    """A clip's level in four parts, and a count of the clips that it was asked for."""

    _treats_clips_alone = True
    asked = 0

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        Energy.asked += len(X)
        return np.array([[np.abs(part).mean() for part in np.array_split(c, 4)] for c in X])


Ours = type("Ours", (Energy,), {"__module__": "sklearn_speech.feature_extraction._ours"})


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    y = np.tile(["loud", "soft"], 12)
    level = np.where(y == "loud", 1.2, 1.0)
    X = np.empty(24, dtype=object)
    for i in range(24):
        X[i] = level[i] * rng.normal(0, 1, 50 + i)
    return X, y, np.repeat(["a", "b", "c", "d"], 6)


def test_steps_of_this_library_that_promise_it_are_computed_once(clips):
    once, every = (
        make_pipeline(kind(), StandardScaler(), LogisticRegression()) for kind in (Ours, Energy)
    )
    Energy.asked = 0
    a = cross_validate_by_speaker(once, *clips, return_estimator=True, return_train_score=True)
    assert Energy.asked == 24
    b = cross_validate_by_speaker(every, *clips, return_train_score=True)
    assert Energy.asked > 5 * 24
    for key in ("test_score", "train_score"):
        np.testing.assert_array_equal(a[key], b[key])
    np.testing.assert_array_equal(a.probabilities, b.probabilities)


def test_returned_estimators_still_take_what_came_in(clips):
    X, y, speakers = clips
    model = make_pipeline(Ours(), StandardScaler(), LogisticRegression())
    scores = cross_validate_by_speaker(model, X, y, speakers, return_estimator=True)
    for fitted, test in zip(scores["estimator"], scores["indices"]["test"]):
        assert list(fitted.named_steps) == list(model.named_steps)
        np.testing.assert_array_equal(fitted.predict(X[test]), scores.predictions[test])


def test_only_the_beginning_counts_and_never_the_last_step():
    first, rest = split_clipwise(make_pipeline(Ours(), Ours(), StandardScaler(), Ours()))
    assert len(first) == 2 and len(rest) == 2
    first, rest = split_clipwise(make_pipeline(Ours(), Ours()))
    assert len(first) == 1 and len(rest) == 1
    for model in (make_pipeline(StandardScaler(), Ours(), Ours()), LogisticRegression()):
        assert split_clipwise(model) == (None, model)


def test_others_are_not_taken_at_their_word():
    assert not is_clipwise(Energy())  # the attribute, but not this library's
    assert not is_clipwise(FunctionTransformer())
    assert not is_clipwise(SpectrogramScaler())  # learns means of the training clips


def test_reading_padding_and_spectrograms_treat_clips_alone():
    assert is_clipwise(AudioReader(8000)) and is_clipwise(MelSpectrogram(sample_rate=8000))
    assert is_clipwise(PadOrTrim(n_times=100))
    assert not is_clipwise(PadOrTrim())  # learns the longest training clip
    assert not is_clipwise(PadOrTrim(quantile=0.9))


@pytest.mark.filterwarnings("ignore:n_times=60 cuts")
def test_spectrograms_of_all_clips_and_of_each_fold_are_the_same(clips, monkeypatch):
    X, y, speakers = clips
    model = make_pipeline(
        PadOrTrim(n_times=60),
        MelSpectrogram(sample_rate=8000, n_fft=32, hop_length=16, n_mels=4),
        FunctionTransformer(np.mean, kw_args={"axis": 2}),
        LogisticRegression(),
    )
    assert len(split_clipwise(model)[0]) == 2
    once = cross_validate_by_speaker(model, X, y, speakers)
    monkeypatch.setattr(MelSpectrogram, "_treats_clips_alone", False)
    assert len(split_clipwise(model)[0]) == 1
    in_folds = cross_validate_by_speaker(model, X, y, speakers)
    np.testing.assert_array_equal(once.probabilities, in_folds.probabilities)


def test_features_outlast_the_call_in_a_folder(clips, tmp_path):
    model = make_pipeline(Ours(), StandardScaler(), LogisticRegression())
    Energy.asked = 0
    runs = [cross_validate_by_speaker(model, *clips, memory=tmp_path) for _ in range(2)]
    assert Energy.asked == 24
    np.testing.assert_array_equal(*(run.probabilities for run in runs))


@pytest.mark.filterwarnings("ignore:1 of 24 files cannot be read")
def test_features_of_files_that_changed_are_computed_anew_where_one_is_missing(clips, tmp_path):
    _, y, speakers = clips
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f"{i}.wav") for i in range(len(y))]
    model = make_pipeline(
        AudioReader(sample_rate=8000, on_error="warn"), PadOrTrim(n_times=60), LogisticRegression()
    )

    def run(**memory):
        return cross_validate_by_speaker(model, paths, y, speakers, **memory).probabilities

    for duration in (59, 60):
        for path in paths[:-1]:
            soundfile.write(path, rng.normal(0, 0.1, duration), 8000)
        np.testing.assert_array_equal(run(memory=tmp_path / "memory"), run())
