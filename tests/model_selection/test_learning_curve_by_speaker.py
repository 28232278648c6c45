import itertools
import re

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import FitFailedWarning, UndefinedMetricWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, KFold, learning_curve
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from sklearn_speech.feature_extraction import MelSpectrogram, TemporalPooling
from sklearn_speech.model_selection import (
    SpeakerFoldError,
    SpeakerLearningCurve,
    cross_validate_by_speaker,
    learning_curve_by_speaker,
)
from sklearn_speech.model_selection._training_parts import check_n_speakers

SPEAKERS = np.array(["ann", "bob", "cem", "dov", "eva", "fay"])


@pytest.fixture(scope="module")
def clips():
    """Three words of six speakers, twelve clips each, with an offset of the speaker's own."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(SPEAKERS, 12)
    y = np.array(["no", "stop", "yes"])[np.arange(len(speakers)) % 3]
    offset = {name: rng.normal(0, 1.0, 4) for name in SPEAKERS}
    centre = {name: rng.normal(0, 1.5, 4) for name in np.unique(y)}
    X = np.array([centre[a] + offset[b] + rng.normal(0, 1, 4) for a, b in zip(y, speakers)])
    order = rng.permutation(len(y))
    return X[order], y[order], speakers[order]


def parts(curve):
    """Number of training speakers, split, draw, training and test clips of each fit."""
    for n, scores in zip(curve.n_speakers.tolist(), curve.scores):
        indices = scores["indices"]
        for i, (train, test) in enumerate(zip(indices["train"], indices["test"])):
            yield n, *divmod(i, curve.n_draws), train, test


def test_scores_are_those_of_scikit_learns_learning_curve_on_clips_in_the_drawn_order(clips):
    X, y, speakers = clips
    cv = GroupKFold(3)
    ours = learning_curve_by_speaker(GaussianNB(), X, y, speakers, cv=cv, n_draws=2, random_state=0)
    splits = []
    for (_, test), draws in zip(cv.split(X, y, speakers), ours.draws):
        for names in draws:
            in_order = np.concatenate([np.flatnonzero(speakers == name) for name in names])
            splits.append((in_order, test))
    sizes, _, theirs = learning_curve(
        GaussianNB(), X, y, cv=splits, train_sizes=12 * ours.n_speakers
    )
    assert ours.n_speakers.tolist() == [1, 2, 4]
    np.testing.assert_array_equal(ours.n_clips, sizes)
    for of_size, expected in zip(ours.scores, theirs):
        np.testing.assert_array_equal(of_size["test_score"], expected)


def test_the_end_of_the_curve_is_scikit_learns_with_the_same_groups(clips):
    X, y, speakers = clips
    ours = learning_curve_by_speaker(GaussianNB(), X, y, speakers, cv=3, n_speakers=[4], n_draws=1)
    _, _, theirs = learning_curve(
        GaussianNB(), X, y, groups=speakers, cv=GroupKFold(3), train_sizes=[1.0]
    )
    np.testing.assert_array_equal(ours.scores[0]["test_score"], theirs[0])


def test_the_end_of_the_curve_is_the_cross_validation_by_speaker(clips):
    X, y, speakers = clips
    whole = cross_validate_by_speaker(GaussianNB(), X, y, speakers)
    curve = learning_curve_by_speaker(GaussianNB(), X, y, speakers, n_draws=3)
    end = curve.at(5)
    np.testing.assert_array_equal(end.speaker_scores(), whole.speaker_scores())
    np.testing.assert_array_equal(end.predictions, whole.predictions)
    assert end.confidence_interval() == pytest.approx(whole.confidence_interval())
    assert np.ptp(curve.draw_scores()[-1]) == 0


@pytest.mark.parametrize("cv", [None, 3, GroupShuffleSplit(4, test_size=2, random_state=0)])
def test_training_parts_grow_by_whole_speakers_who_are_never_tested(clips, cv):
    X, y, speakers = clips
    curve = learning_curve_by_speaker(DummyClassifier(), X, y, speakers, cv=cv, n_draws=3)
    smaller, tested = {}, {}
    for n, split, draw, train, test in parts(curve):
        heard = set(speakers[train])
        assert len(heard) == n and not heard & set(speakers[test])
        assert len(train) == 12 * n
        assert heard == set(curve.draws[split][draw][:n])
        assert smaller.get((split, draw), set()) < heard
        smaller[split, draw] = heard
        assert tested.setdefault(split, test.tolist()) == test.tolist()


def test_draws_follow_from_the_seed_alone(clips):
    X, y, speakers = clips

    def curve(seed=3, **kwargs):
        return learning_curve_by_speaker(
            GaussianNB(), X, y, speakers, clips_per_speaker=6, random_state=seed, **kwargs
        )

    whole, again = curve(), curve()
    np.testing.assert_array_equal(whole.speaker_scores(), again.speaker_scores())
    with joblib.parallel_config("threading"):
        parallel = curve(n_jobs=2, n_speakers=[4, 2])
    np.testing.assert_array_equal(parallel.speaker_scores(), whole.speaker_scores()[1:3])
    assert not np.array_equal(curve(seed=4).speaker_scores(), whole.speaker_scores())


@pytest.mark.parametrize(("n_draws", "times"), [(5, 1), (10, 2)])
def test_single_speakers_are_drawn_equally_often(clips, n_draws, times):
    X, y, speakers = clips
    curve = learning_curve_by_speaker(
        DummyClassifier(), X, y, speakers, n_speakers=[1], n_draws=n_draws, random_state=0
    )
    for held_out, draws in zip(SPEAKERS, curve.draws):
        names, counts = np.unique(np.concatenate(draws), return_counts=True)
        assert names.tolist() == [name for name in SPEAKERS if name != held_out]
        assert set(counts) == {times}


def test_few_clips_of_a_speaker_are_of_many_classes_and_belong_to_the_more(clips):
    X, y, speakers = clips

    def chosen(m):
        curve = learning_curve_by_speaker(
            DummyClassifier(), X, y, speakers, clips_per_speaker=m, n_draws=2, random_state=0
        )
        return [(set(train.tolist()), train) for *_, train, _ in parts(curve)]

    few, more = chosen(4), chosen(7)
    assert all(small < large for (small, _), (large, _) in zip(few, more))
    for _, train in few:
        for name in set(speakers[train]):
            _, counts = np.unique(y[train][speakers[train] == name], return_counts=True)
            assert sorted(counts) == [1, 1, 2]


def test_a_speaker_with_fewer_clips_gives_all(clips):
    X, y, speakers = clips
    kept = (speakers != "ann") | (np.cumsum(speakers == "ann") <= 2)
    curve = learning_curve_by_speaker(
        DummyClassifier(), X[kept], y[kept], speakers[kept], clips_per_speaker=5, n_speakers=[5]
    )
    for *_, train, test in parts(curve):
        with_ann = "ann" not in speakers[kept][test]
        assert len(train) == (4 * 5 + 2 if with_ann else 5 * 5)


def test_clips_of_numbers_are_drawn_without_regard_to_the_target(clips):
    X, _, speakers = clips
    curve = learning_curve_by_speaker(
        DummyRegressor(), X, X[:, 0], speakers, clips_per_speaker=3, n_draws=1
    )
    assert curve.n_clips.tolist() == [3, 6, 12, 15]
    assert curve.labels == {"score": "r2"}


class Counting(DummyClassifier):
    n_fits = 0

    def fit(self, X, y):
        Counting.n_fits += 1
        return super().fit(X, y)


def test_equal_training_parts_are_fitted_once(clips, monkeypatch):
    X, y, speakers = clips
    monkeypatch.setattr(Counting, "n_fits", 0)
    curve = learning_curve_by_speaker(
        Counting(), X, y, speakers, n_draws=7, n_speakers=[1, 5], random_state=0
    )
    assert Counting.n_fits == 6 * (5 + 1)  # five single speakers and all five, for each split
    assert [len(scores["test_score"]) for scores in curve.scores] == [6 * 7, 6 * 7]


def test_features_of_clip_wise_steps_are_computed_once(monkeypatch):
    rng = np.random.default_rng(0)
    X, y, speakers = rng.normal(size=(12, 400)), np.tile([0, 1], 6), np.repeat(SPEAKERS[:3], 4)
    calls = []
    transform = MelSpectrogram.transform
    monkeypatch.setattr(
        MelSpectrogram, "transform", lambda self, X: calls.append(len(X)) or transform(self, X)
    )
    model = make_pipeline(
        MelSpectrogram(sample_rate=8000, n_fft=128, n_mels=8),
        TemporalPooling(),
        StandardScaler(),
        LogisticRegression(),
    )
    learning_curve_by_speaker(model, X, y, speakers)
    assert calls == [12]


class Listener(ClassifierMixin, BaseEstimator):
    """Predicts how many speakers it was given, to be read from its predictions."""

    __metadata_request__fit = {"groups": True, "sample_weight": True}

    def fit(self, X, y, *, groups=None, sample_weight=None):
        self.classes_ = np.unique(y)
        assert len(groups) == len(sample_weight) == len(X)
        self.heard_ = len(np.unique(groups))
        return self

    def predict(self, X):
        return np.full(len(X), self.heard_)


@pytest.mark.parametrize("routing", [False, True])
def test_speakers_and_weights_reach_the_fit(clips, routing):
    X, _, speakers = clips
    model = make_pipeline(Normalizer(), Listener())
    name = "sample_weight" if routing else "listener__sample_weight"
    with sklearn.config_context(enable_metadata_routing=routing):
        scorer = get_scorer("accuracy")
        if routing:
            scorer.set_score_request(sample_weight=False)
        curve = learning_curve_by_speaker(
            model,
            X,
            np.ones(len(X), dtype=int),
            speakers,
            scoring=scorer,
            params={name: np.ones(len(X))},
        )
    assert curve.mean().tolist() == [1, 0, 0, 0]
    for n, scores in zip(curve.n_speakers, curve.scores):
        assert set(scores.predictions) == {n}


def test_unlabelled_clips_are_in_every_training_part_and_not_counted(clips):
    class Pretrained(DummyClassifier):
        def __init__(self, pretrainer=None):
            super().__init__()
            self.pretrainer = pretrainer

        def fit(self, X, y):
            keep = np.array([label != -1 for label in y])
            return super().fit(X[keep], y[keep].astype(str))

    X, y, speakers = clips
    y = y.astype(object)
    unlabelled = np.isin(speakers, ["ann", "bob"])
    y[unlabelled] = -1
    curve = learning_curve_by_speaker(
        Pretrained(pretrainer=1), X, y, speakers, clips_per_speaker=2, n_draws=1
    )
    assert curve.n_speakers.tolist() == [1, 2, 3]
    assert curve.speakers.tolist() == ["cem", "dov", "eva", "fay"]
    for n, _, _, train, test in parts(curve):
        assert np.isin(np.flatnonzero(unlabelled), train).all()
        assert (~unlabelled[train]).sum() == 2 * n
        assert not unlabelled[test].any()


def test_many_speakers_are_held_out_in_five_groups():
    speakers = np.repeat(np.arange(11), 2)
    curve = learning_curve_by_speaker(
        DummyClassifier(), np.zeros((22, 1)), np.tile([0, 1], 11), speakers, n_draws=1
    )
    assert len(curve.draws) == 5 and curve.n_speakers.tolist() == [1, 2, 4, 8]


@pytest.mark.parametrize("most", range(1, 40))
def test_default_numbers_double_and_end_at_the_most(most):
    sizes = check_n_speakers(None, most).tolist()
    assert sizes[0] == 1 and sizes[-1] == most
    assert all(b == 2 * a for a, b in itertools.pairwise(sizes[:-1]))
    assert all(a < b <= 2 * a for a, b in itertools.pairwise(sizes))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"n_speakers": [1, 6]}, "n_speakers holds 6, but a split of cv has only 5 speakers"),
        ({"n_speakers": [0]}, "n_speakers holds 0: expected a whole number of at least 1"),
        ({"n_speakers": [1.5]}, "n_speakers holds 1.5: expected a whole number"),
        ({"n_speakers": [True]}, "n_speakers holds True: expected a whole number"),
        ({"n_speakers": []}, "n_speakers=[]: expected a list such as [1, 2, 4]"),
        ({"n_speakers": 3}, "n_speakers=3: expected a list such as"),
        ({"n_speakers": "all"}, "n_speakers='all': expected a list such as"),
        ({"n_speakers": [2, 2]}, "n_speakers=[2, 2]: expected each number only once"),
        ({"n_draws": 0}, "n_draws=0: expected a whole number of at least 1"),
        ({"n_draws": "many"}, "n_draws='many': expected a whole number"),
        ({"clips_per_speaker": 0}, "clips_per_speaker=0: expected a whole number"),
        ({"clips_per_speaker": 2.0}, "clips_per_speaker=2.0: expected a whole number"),
        ({"cv": KFold(3)}, "in both its training and its test part"),
        ({"error_score": "nan"}, "error_score='nan': expected 'raise' or a number"),
        ({"params": {"groups": [1]}}, "params holds 'groups'"),
        ({"scoring": 3}, "scoring=3: expected"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_bad_arguments_are_named(clips, kwargs, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        learning_curve_by_speaker(DummyClassifier(), *clips, **kwargs)


def test_a_class_is_refused_as_an_estimator(clips):
    with pytest.raises(TypeError, match="expected an instance with a fit method"):
        learning_curve_by_speaker(DummyClassifier, *clips)


def one_word_each(clips):
    X, y, speakers = clips
    said = y == np.where(np.isin(speakers, ["ann", "bob"]), "no", "yes")
    return X[said], y[said], speakers[said]


def test_a_fit_that_fails_tells_how_many_speakers_it_had(clips):
    message = r"fold 0 with 1 training speaker \(draw 0\), which held out 'ann', failed: ValueError"
    with pytest.raises(SpeakerFoldError, match=message):
        learning_curve_by_speaker(LogisticRegression(), *one_word_each(clips), random_state=0)


def test_a_failed_size_has_no_mean_and_the_others_keep_theirs(clips):
    with pytest.warns(FitFailedWarning, match="with 1 training speaker .* its score is nan"):
        curve = learning_curve_by_speaker(
            LogisticRegression(), *one_word_each(clips), n_speakers=[1, 5], error_score=np.nan
        )
    assert np.isnan(curve.mean()[0]) and np.isfinite(curve.mean()[1])
    assert "fits failed with this many training speakers: 1" in repr(curve)
    with pytest.raises(SpeakerFoldError, match="all 30 folds failed"):
        learning_curve_by_speaker(
            LogisticRegression(), *one_word_each(clips), n_speakers=[1], error_score=np.nan
        )


def test_the_progress_bar_counts_fits_and_only_when_asked(clips, capsys):
    learning_curve_by_speaker(DummyClassifier(), *clips, n_speakers=[5], verbose=1)
    assert "6/6" in capsys.readouterr().err
    learning_curve_by_speaker(DummyClassifier(), *clips, n_speakers=[5])
    assert capsys.readouterr().err == ""


@pytest.fixture(scope="module")
def curve(clips):
    return learning_curve_by_speaker(
        GaussianNB(), *clips, cv=3, n_draws=3, scoring=["balanced_accuracy", "neg_log_loss"]
    )


def test_means_over_draws_and_over_speakers_agree(curve):
    for metric in (None, "neg_log_loss"):
        np.testing.assert_allclose(curve.draw_scores(metric).mean(axis=1), curve.mean(metric))
        assert curve.speaker_scores(metric).shape == (3, 6)
        low, high = curve.confidence_interval(metric=metric).T
        assert ((low < curve.mean(metric)) & (curve.mean(metric) < high)).all()


def test_the_table_has_a_row_a_number_of_speakers(curve):
    frame = curve.to_frame()
    assert frame.index.tolist() == curve.n_speakers.tolist() == [1, 2, 4]
    np.testing.assert_array_equal(frame["n_clips"], [12, 24, 48])
    np.testing.assert_array_equal(frame["neg_log_loss"], curve.mean("neg_log_loss"))
    worst = curve.speaker_scores().min(axis=1)
    np.testing.assert_array_equal(frame["balanced_accuracy_worst"], worst)
    text = repr(curve)
    assert "balanced_accuracy" in text and "over 3 draws" in text
    assert f"{curve.mean()[2]:.3f}" in curve._repr_html_()


def test_speakers_that_a_metric_has_no_value_for_are_left_out(clips):
    X, _, speakers = clips
    y = np.where(speakers == "ann", 1.0, X[:, 0])  # R2 is undefined for a constant
    with pytest.warns(UndefinedMetricWarning, match="held out 'ann'"):
        curve = learning_curve_by_speaker(LinearRegression(), X, y, speakers, n_draws=2)
    assert curve.speakers[curve.undefined()].tolist() == ["ann"]
    np.testing.assert_allclose(curve.mean(), curve.speaker_scores()[:, 1:].mean(axis=1))
    np.testing.assert_allclose(curve.draw_scores().mean(axis=1), curve.mean())
    assert np.isfinite(curve.confidence_interval()).all()
    assert "r2 is undefined for 1 of 6 held-out speakers" in repr(curve)


def test_a_number_that_is_not_on_the_curve_is_refused(curve):
    with pytest.raises(ValueError, match=r"n_speakers=3: expected one of \[1, 2, 4\]"):
        curve.at(3)


def test_a_saved_curve_is_the_same(curve, tmp_path):
    curve.to_json(tmp_path / "curve.json")
    again = SpeakerLearningCurve.from_json(tmp_path / "curve.json")
    assert repr(again) == repr(curve)
    for metric in curve.metrics:
        np.testing.assert_array_equal(again.draw_scores(metric), curve.draw_scores(metric))
    for ours, theirs in zip(itertools.chain(*curve.draws), itertools.chain(*again.draws)):
        np.testing.assert_array_equal(ours, theirs)


def test_another_file_is_refused_by_name(curve, tmp_path):
    curve.at(4).to_json(tmp_path / "scores.json")
    with pytest.raises(ValueError, match=r"scores.json holds 'sklearn_speech.SpeakerScores'"):
        SpeakerLearningCurve.from_json(tmp_path / "scores.json")


def test_one_held_out_speaker_has_no_interval(clips):
    X, y, speakers = clips
    split = [(np.flatnonzero(speakers != "ann"), np.flatnonzero(speakers == "ann"))]
    curve = learning_curve_by_speaker(GaussianNB(), X, y, speakers, cv=split)
    assert "over 1 held-out speaker," not in repr(curve).split("\n")[0]
    assert curve.to_frame()["accuracy_low"].isna().all()
