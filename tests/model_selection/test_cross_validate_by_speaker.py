import signal
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, TransformerMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.exceptions import FitFailedWarning, UndefinedMetricWarning
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    balanced_accuracy_score,
    brier_score_loss,
    d2_log_loss_score,
    log_loss,
    make_scorer,
    roc_auc_score,
    top_k_accuracy_score,
)
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback

import sklearn_speech
from sklearn_speech import (
    ConvAutoencoder,
    MelSpectrogram,
    PhonemeRecognizer,
    SpectrogramCNNClassifier,
    SpectrogramLinearClassifier,
)
from sklearn_speech.model_selection import (
    SpeakerFoldError,
    StratifiedGroupShuffleSplit,
    check_speaker_leakage,
    cross_validate_by_speaker,
)
from sklearn_speech.model_selection._metric_names import name_of_own_score
from sklearn_speech.model_selection._scoring import check_scorers


@pytest.fixture
def clips():
    """Three words of five speakers, each with an offset of their own."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(["ann", "bob", "cem", "dov", "eva"], [12, 15, 9, 12, 18])
    y = np.array(["no", "stop", "yes"])[np.arange(len(speakers)) % 3]
    offset = {name: rng.normal(0, 1.0, 4) for name in np.unique(speakers)}
    centre = {name: rng.normal(0, 1.5, 4) for name in np.unique(y)}
    X = np.array([centre[a] + offset[b] + rng.normal(0, 1, 4) for a, b in zip(y, speakers)])
    order = rng.permutation(len(y))
    return X[order], y[order], speakers[order]


def test_one_fold_a_speaker_scores_as_scikit_learns_cross_validate(clips):
    X, y, speakers = clips
    model = make_pipeline(StandardScaler(), LogisticRegression())
    ours = cross_validate_by_speaker(model, X, y, speakers, return_train_score=True)
    theirs = cross_validate(
        model, X, y, groups=speakers, cv=LeaveOneGroupOut(), return_train_score=True
    )
    np.testing.assert_array_equal(ours["test_score"], theirs["test_score"])
    np.testing.assert_array_equal(ours["train_score"], theirs["train_score"])
    assert ours.speakers.tolist() == ["ann", "bob", "cem", "dov", "eva"]
    assert ours.n_clips.tolist() == [12, 15, 9, 12, 18]
    np.testing.assert_array_equal(ours.speaker_scores(), theirs["test_score"])


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_out_of_fold_answers_are_those_of_cross_val_predict(clips, method):
    X, y, speakers = clips
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = cross_validate_by_speaker(model, X, y, speakers, cv=GroupKFold(3))
    theirs = cross_val_predict(model, X, y, groups=speakers, cv=GroupKFold(3), method=method)
    ours = scores.predictions if method == "predict" else scores.probabilities
    np.testing.assert_array_equal(ours, theirs)
    assert ours.dtype == theirs.dtype


@pytest.mark.parametrize(
    "scoring",
    [
        "balanced_accuracy",
        ["accuracy", "neg_log_loss", "f1_macro"],
        {"right": "accuracy", "loss": make_scorer(log_loss, response_method="predict_proba")},
        lambda model, X, y: {"right": model.score(X, y), "n": len(y)},
    ],
)
def test_metrics_are_those_of_scikit_learn_fold_by_fold_and_speaker_by_speaker(clips, scoring):
    X, y, speakers = clips
    model = make_pipeline(StandardScaler(), LogisticRegression())
    by_fold = cross_validate_by_speaker(
        model, X, y, speakers, scoring=scoring, cv=GroupKFold(2), return_estimator=True
    )
    theirs = cross_validate(model, X, y, groups=speakers, scoring=scoring, cv=GroupKFold(2))
    keys = {key for key in theirs if key.startswith("test_")}
    assert keys == {f"test_{name}" for name in by_fold.metrics}
    for key in keys:
        np.testing.assert_allclose(by_fold[key], theirs[key], rtol=1e-12)
    for speaker, score in zip(by_fold.speakers, by_fold.speaker_scores()):
        fold = next(i for i, held in enumerate(by_fold.fold_speakers) if speaker in held)
        own = speakers == speaker
        alone = cross_validate(
            model, X, y, scoring=scoring, cv=[(by_fold["indices"]["train"][fold], own.nonzero()[0])]
        )
        assert score == pytest.approx(alone[f"test_{by_fold.metrics[0]}"][0])


@pytest.mark.parametrize(
    "cv",
    [
        3,
        GroupKFold(3, shuffle=True, random_state=0),
        StratifiedGroupKFold(3),
        GroupShuffleSplit(3, random_state=0),
        StratifiedGroupShuffleSplit(3, test_size=2, random_state=0),
    ],
)
def test_every_splitter_by_group_serves(clips, cv):
    X, y, speakers = clips
    scores = cross_validate_by_speaker(LogisticRegression(), X, y, speakers, cv=cv)
    assert len(scores["test_score"]) == 3
    for train, test in zip(scores["indices"]["train"], scores["indices"]["test"]):
        assert not set(speakers[train]) & set(speakers[test])


def test_splits_that_share_a_speaker_are_refused_by_name(clips):
    X, y, speakers = clips
    with pytest.raises(ValueError, match="'ann', 'bob', 'cem' and 2 more in both"):
        cross_validate_by_speaker(
            LogisticRegression(), X, y, speakers, cv=KFold(3, shuffle=True, random_state=0)
        )
    train = np.flatnonzero(speakers != "bob")
    test = np.append(np.flatnonzero(speakers == "bob"), np.flatnonzero(speakers == "eva")[0])
    with pytest.raises(ValueError, match=r"split 0 of cv has clips of 'eva' in both"):
        cross_validate_by_speaker(LogisticRegression(), X, y, speakers, cv=[(train, test)])


def test_a_blind_splitter_is_judged_by_what_it_yields():
    X, y = np.arange(8.0).reshape(-1, 1), np.tile([0, 1], 4)
    speakers = np.repeat(["a", "b"], 4)  # in order, so that KFold(2) happens to part them
    scores = cross_validate_by_speaker(DummyClassifier(), X, y, speakers, cv=KFold(2))
    assert scores.speakers.tolist() == ["a", "b"]


def test_bad_arguments_say_what_is_wrong(clips):
    X, y, speakers = clips

    def run(model=None, y=y, speakers=speakers, **options):
        cross_validate_by_speaker(model or DummyClassifier(), X, y, speakers, **options)

    missing = speakers.astype(object)
    missing[7] = None
    for kind in (list, pd.Series, np.asarray):
        with pytest.raises(ValueError, match=r"speakers has missing values .* position 7"):
            run(speakers=kind(missing))
    with pytest.raises(ValueError, match=r"only one speaker \('ann'\)"):
        run(speakers=np.full(len(y), "ann"))
    with pytest.raises(ValueError, match="65 entries for 66 clips"):
        run(speakers=speakers[1:])
    with pytest.raises(ValueError, match="y=None"):
        run(y=None)
    with pytest.raises(TypeError, match="instance with a fit method"):
        run(model=DummyClassifier)
    with pytest.raises(ValueError, match="error_score='stop'"):
        run(error_score="stop")
    with pytest.raises(ValueError, match="'groups'; the groups are the speakers"):
        run(params={"groups": speakers})
    with pytest.raises(ValueError, match=r"cv=2.5: expected a group splitter"):
        run(cv=2.5)
    with pytest.raises(ValueError, match="yields no split"):
        run(cv=[])
    with pytest.raises(ValueError, match="no test clip"):
        run(cv=[(np.arange(3), np.arange(0))])
    with pytest.raises(ValueError, match="outside 0 to 65"):
        run(cv=[(np.arange(3), [66])])
    with pytest.raises(ValueError, match="each only once"):
        run(scoring=["accuracy", "accuracy"])
    with pytest.raises(SpeakerFoldError, match="expected one number"):
        run(scoring=lambda model, X, y: "good")


def test_two_jobs_give_what_one_gives(clips):
    X, y, speakers = clips
    model = make_pipeline(StandardScaler(), LogisticRegression())
    one = cross_validate_by_speaker(model, X, y, speakers)
    two = cross_validate_by_speaker(model, X, y, speakers, n_jobs=2, verbose=0)
    np.testing.assert_array_equal(one["test_score"], two["test_score"])
    np.testing.assert_array_equal(one.predictions, two.predictions)


class Picky(ClassifierMixin, BaseEstimator):
    """Refuses to train without a speaker's clips; X holds their paths."""

    def __init__(self, needs="bob"):
        self.needs = needs

    def fit(self, X, y):
        if not any(self.needs in path for path in X):
            raise KeyError(f"where is {self.needs}?")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.fixture
def paths():
    return [f"{name}_{i}.wav" for name in ("ann", "bob", "cem") for i in range(4)]


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_fold_that_fails_is_named_by_its_speaker(paths, n_jobs):
    y, speakers = [0, 1] * 6, [path[:3] for path in paths]
    with pytest.raises(SpeakerFoldError, match=r"held out 'bob'.*KeyError.*where is bob") as caught:
        cross_validate_by_speaker(Picky(), paths, y, speakers, n_jobs=n_jobs)
    assert isinstance(caught.value.__cause__, KeyError)
    if n_jobs == 2:  # the traceback of another process comes as text
        assert "raise KeyError" in caught.value.__cause__.__notes__[0]


def test_a_fold_that_fails_may_have_no_score_while_the_others_have_theirs(paths):
    y, speakers = [0, 1] * 6, [path[:3] for path in paths]
    with pytest.warns(FitFailedWarning, match="held out 'bob', failed; its score is nan"):
        scores = cross_validate_by_speaker(Picky(), paths, y, speakers, error_score=np.nan)
    np.testing.assert_array_equal(scores["test_score"], [0.5, np.nan, 0.5])
    assert np.isnan(scores.mean)
    assert scores.predictions.tolist() == [0] * 4 + [None] * 4 + [0] * 4
    assert "failed while held out, so there is no mean: bob" in repr(scores)
    assert "KeyError" in scores.failures[1]
    with pytest.raises(SpeakerFoldError, match=r"all 3 folds failed"):
        cross_validate_by_speaker(Picky("eva"), paths, y, speakers, error_score=0.0)


class Length(TransformerMixin, BaseEstimator):
    """Features of clips of any kind: one number each."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        clips = X.iloc[:, 0] if isinstance(X, pd.DataFrame) else X
        return np.array([[float(len(clip))] for clip in clips])


@pytest.mark.parametrize(
    "form",
    [
        list,
        lambda clips: pd.DataFrame({"clip": clips}, index=range(100, 100 + len(clips))),
        pd.Series,
        lambda clips: np.array([*clips, None], dtype=object)[:-1],
    ],
)
@pytest.mark.parametrize("clip", ["paths", "ragged"])
def test_clips_come_as_lists_frames_and_ragged_arrays(form, clip):
    lengths = np.array([3, 9, 4, 8, 3, 7])
    clips = ["x" * n if clip == "paths" else np.zeros(n) for n in lengths]
    y = pd.Series(np.where(lengths > 5, "long", "short"), index=range(6, 12))
    model = make_pipeline(Length(), LogisticRegression())
    speakers = pd.Series(["a", "a", "b", "b", "c", "c"], dtype="string")
    scores = cross_validate_by_speaker(model, form(clips), y, speakers)
    assert scores["test_score"].tolist() == [1, 1, 1]
    assert scores.predictions.tolist() == y.tolist()


def test_targets_may_be_integers_and_lists_of_phones(clips):
    X, y, speakers = clips
    numbers = (y == "yes").astype(int)
    scores = cross_validate_by_speaker(LogisticRegression(), X, numbers.tolist(), speakers)
    assert scores.predictions.dtype == numbers.dtype and scores.classes.tolist() == [0, 1]

    class Recognizer(BaseEstimator):
        def fit(self, X, y):
            self.first_ = y[0]
            return self

        def predict(self, X):
            return [list(self.first_) for _ in X]

        def score(self, X, y):
            return float(np.mean([a == b for a, b in zip(self.predict(X), y)]))

    phones = [["s", "ih", "k", "s"] if label == "yes" else ["w", "ah", "n"] for label in y]
    scores = cross_validate_by_speaker(Recognizer(), X, phones, speakers)
    assert scores.classes is None and scores.probabilities is None
    assert set(map(tuple, scores.predictions)) <= {("s", "ih", "k", "s"), ("w", "ah", "n")}
    with pytest.raises(ValueError, match="no predicted classes"):
        scores.confusion_matrix()


class ThreadCounter(DummyClassifier):
    def fit(self, X, y):
        self.n_threads_ = torch.get_num_threads()
        return super().fit(X, y)


def test_jobs_share_the_threads_of_torch(clips, monkeypatch):
    X, y, speakers = clips
    monkeypatch.setattr(joblib, "cpu_count", lambda: 6)
    before = torch.get_num_threads()
    with joblib.parallel_config("threading"):
        scores = cross_validate_by_speaker(
            ThreadCounter(), X, y, speakers, n_jobs=2, return_estimator=True
        )
    assert [model.n_threads_ for model in scores["estimator"]] == [3] * 5
    assert torch.get_num_threads() == before


def test_the_progress_bar_shows_speakers_and_only_when_asked(clips, capsys):
    X, y, speakers = clips
    cross_validate_by_speaker(DummyClassifier(), X, y, speakers)
    assert capsys.readouterr().err == ""
    cross_validate_by_speaker(DummyClassifier(), X, y, speakers, verbose=1)
    assert "5/5" in (shown := capsys.readouterr().err) and "'eva'" in shown


def test_returned_estimators_are_whole_and_know_their_own_fold_only(clips):
    X, y, speakers = clips
    model = make_pipeline(StandardScaler(), LogisticRegression())
    scores = cross_validate_by_speaker(model, X, y, speakers, return_estimator=True)
    for fitted, test in zip(scores["estimator"], scores["indices"]["test"]):
        train = np.setdiff1d(np.arange(len(y)), test)
        np.testing.assert_allclose(fitted[0].mean_, X[train].mean(axis=0))
        np.testing.assert_array_equal(fitted.predict(X[test]), scores.predictions[test])
    assert not hasattr(model, "n_features_in_")  # cloned, not fitted


def test_features_of_the_test_clips_are_computed_once_for_all_metrics(clips):
    X, y, speakers = clips
    seen = []
    model = make_pipeline(
        FunctionTransformer(lambda X: seen.append(len(X)) or X), DummyClassifier()
    )
    scoring = ["accuracy", "neg_log_loss", "f1_macro"]
    cross_validate_by_speaker(model, X, y, speakers, cv=2, scoring=scoring)
    assert len(seen) == 2 * 2  # the training and the test clips of two folds


def test_sample_weights_follow_their_clips(clips):
    X, y, speakers = clips
    weight = np.where(y == "no", 100.0, 1.0)
    unweighted = cross_validate_by_speaker(DummyClassifier(), X, y, speakers)
    weighted = cross_validate_by_speaker(
        DummyClassifier(), X, y, speakers, params={"sample_weight": weight}
    )
    np.testing.assert_allclose(unweighted.probabilities[:, 0], 1 / 3, atol=0.02)
    assert (weighted.probabilities[:, 0] > 0.9).all()


class Pretrained(DummyClassifier):
    def __init__(self, pretrainer=None, strategy="prior"):
        super().__init__(strategy=strategy)
        self.pretrainer = pretrainer

    def fit(self, X, y):
        self.n_unlabelled_ = sum(label == -1 for label in np.asarray(y).tolist())
        super().fit(X, y)
        return self


@pytest.mark.parametrize("kind", ["strings", "integers"])
def test_unlabelled_clips_are_trained_on_but_never_scored_where_there_is_a_pretrainer(kind):
    y = np.array([0, 0, 1, -1, 0, 0, 1, -1, -1, -1])
    if kind == "strings":
        y = np.array([-1 if label == -1 else "ab"[label] for label in y], dtype=object)
    speakers = np.array(list("ssssttttuu"))
    X = np.zeros((10, 1))
    if kind == "integers":
        plain = cross_validate_by_speaker(Pretrained(), X, y, speakers)
        assert plain.n_clips.tolist() == [4, 4, 2]  # -1 is a class like any other
        model = make_pipeline(StandardScaler(), Pretrained(pretrainer=StandardScaler()))
        scores = cross_validate_by_speaker(model, X, y, speakers, return_estimator=True)
        assert [fitted[-1].n_unlabelled_ for fitted in scores["estimator"]] == [3, 3]
    else:

        class Encoding(Pretrained):
            def fit(self, X, y):
                keep = np.array([label != -1 for label in y])
                return super().fit(X[keep], y[keep].astype(str))

        scores = cross_validate_by_speaker(Encoding(pretrainer=1), X, y, speakers)
    assert scores.speakers.tolist() == ["s", "t"]  # u has nothing to score
    assert scores.n_clips.tolist() == [3, 3]
    unlabelled = np.array([label == -1 for label in y.tolist()])
    assert all(answer is None for answer in scores.predictions[unlabelled])


def test_what_answers_without_classes_is_judged_by_its_own_score():
    rng = np.random.default_rng(0)
    X, speakers = rng.normal(size=(8, 8, 8)), np.repeat(["ann", "bob"], 4)
    coder = ConvAutoencoder(1, n_filters=2, max_epochs=1, device="cpu", random_state=0)
    scores = cross_validate_by_speaker(coder, X, np.arange(8) % 2, speakers)
    train, test = speakers == "ann", speakers == "bob"
    assert scores["test_score"][1] == coder.fit(X[train]).score(X[test])


def test_classes_may_be_whole_numbers_held_as_floats(clips):
    X, y, speakers = clips
    y = np.searchsorted(np.unique(y), y).astype(float)
    scores = cross_validate_by_speaker(LogisticRegression(), X, y, speakers)
    assert scores.classes.tolist() == [0.0, 1.0, 2.0]
    assert scores.probabilities.shape == (len(y), 3)


class Vocabulary(ClassifierMixin, BaseEstimator):
    """Knows words that nobody says."""

    def fit(self, X, y):
        self.classes_ = np.array(["maybe", "no", "stop", "yes"])
        return self

    def predict_proba(self, X):
        return np.tile([0.1, 0.4, 0.3, 0.2], (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(1)]


def test_an_estimator_may_know_classes_that_no_clip_has(clips):
    scores = cross_validate_by_speaker(Vocabulary(), *clips)
    assert scores.classes.tolist() == ["maybe", "no", "stop", "yes"]
    np.testing.assert_array_equal(scores.probabilities[0], [0.1, 0.4, 0.3, 0.2])


def false_alarms(model, X, y):
    missed = model.predict(X)[y == "no"] != "no"
    return -int(missed.sum()) / len(missed)


def share_of_no(model, X, y):
    return {"yes": 0, "no": {"no": 1.0}["no" if "no" in y else "none"]}["no"]


@pytest.mark.parametrize("scoring", [false_alarms, share_of_no])
def test_a_speaker_without_a_score_leaves_that_of_the_fold(clips, scoring):
    X, y, speakers = clips
    said = (speakers != "ann") | (y != "no")
    X, y, speakers = X[said], y[said], speakers[said]
    scores = cross_validate_by_speaker(
        DummyClassifier(), X, y.astype(object), speakers, cv=GroupKFold(2), scoring=scoring
    )
    assert np.isfinite(scores["test_score"]).all()
    assert np.isnan(scores.speaker_scores()).tolist() == [True, False, False, False, False]


def test_a_scorer_may_be_made_of_part_of_a_function(clips):
    above_chance = partial(balanced_accuracy_score, adjusted=True)
    options = {"scoring": make_scorer(above_chance), "cv": GroupKFold(2)}
    scores = cross_validate_by_speaker(DummyClassifier(), *clips, **options)
    assert scores.labels == {"score": "balanced_accuracy"}


def test_a_scorer_of_ones_own_is_given_the_whole_pipeline_and_the_clips(clips):
    _, y, speakers = clips
    waves = np.random.default_rng(0).normal(size=(len(y), 800))
    flat = FunctionTransformer(lambda S: S.reshape(len(S), -1))
    mel = MelSpectrogram(sample_rate=8000, n_fft=256, n_mels=8)
    model = make_pipeline(mel, flat, DummyClassifier())

    def seen(model, X, y):
        return X.shape[1] + len(model.steps) / 10

    options = {"cv": GroupKFold(2), "scoring": seen}
    scores = cross_validate_by_speaker(model, waves, y, speakers, **options)
    assert scores["test_score"].tolist() == [800.3, 800.3]


@pytest.fixture
def lacking(clips):
    """The clips, where ann never says "no" and bob says nothing else."""
    X, y, speakers = clips
    keep = ((speakers != "ann") | (y != "no")) & ((speakers != "bob") | (y == "no"))
    return X[keep], y[keep], speakers[keep]


PROBABILISTIC = {
    "neg_log_loss": lambda y, p, labels: -log_loss(y, p, labels=labels),
    "neg_brier_score": lambda y, p, labels: -brier_score_loss(y, p, labels=labels),
    "top_k_accuracy": lambda y, p, labels: top_k_accuracy_score(y, p, labels=labels),
    # no share of a loss is explained where there is no loss to explain
    "d2_log_loss_score": lambda y, p, labels: (
        d2_log_loss_score(y, p, labels=labels) if len(set(y)) > 1 else np.nan
    ),
}


@pytest.mark.filterwarnings("ignore:d2_log_loss_score has no value")
@pytest.mark.parametrize("cv", [None, GroupKFold(2)])
@pytest.mark.parametrize("scoring", PROBABILISTIC)
def test_probabilities_are_scored_by_all_classes_where_a_speaker_lacks_some(lacking, scoring, cv):
    X, y, speakers = lacking
    scores = cross_validate_by_speaker(
        LogisticRegression(), X, y, speakers, cv=cv, scoring=scoring, return_train_score=True
    )
    metric = partial(PROBABILISTIC[scoring], labels=["no", "stop", "yes"])
    p = scores.probabilities
    for test, score in zip(scores["indices"]["test"], scores["test_score"]):
        assert score == pytest.approx(metric(y[test], p[test]), nan_ok=True)
    for name, score in zip(scores.speakers, scores.speaker_scores()):
        own = speakers == name
        assert score == pytest.approx(metric(y[own], p[own]), nan_ok=True)


OVR = make_scorer(roc_auc_score, multi_class="ovr", response_method="predict_proba")


@pytest.mark.parametrize("scoring", ["roc_auc_ovr", OVR])
def test_an_auc_has_no_value_where_a_class_is_missing_and_the_advice_helps(lacking, scoring):
    X, y, speakers = lacking
    message = r"has no value \(NaN\) in 2 of 5 folds, such as the one that held out 'ann'"
    with pytest.warns(UndefinedMetricWarning, match=message) as caught:
        scores = cross_validate_by_speaker(LogisticRegression(), X, y, speakers, scoring=scoring)
    assert len(caught) == 1 and "StratifiedGroupKFold()" in str(caught[0].message)
    assert np.isnan(scores["test_score"]).tolist() == [True, True, False, False, False]
    assert scores.mean == pytest.approx(scores["test_score"][2:].mean())
    advised = cross_validate_by_speaker(
        LogisticRegression(), X, y, speakers, scoring=scoring, cv=StratifiedGroupKFold(2)
    )
    for test, score in zip(advised["indices"]["test"], advised["test_score"]):
        expected = roc_auc_score(y[test], advised.probabilities[test], multi_class="ovr")
        assert score == pytest.approx(expected)


def test_two_classes_of_which_a_speaker_has_one(clips):
    X, y, speakers = clips
    y = np.where((y == "no") | (speakers == "ann"), "no", "other")
    scores = cross_validate_by_speaker(
        LogisticRegression(), X, y, speakers, scoring=["neg_log_loss", "accuracy"]
    )
    for name, score in zip(scores.speakers, scores.speaker_scores("neg_log_loss")):
        own = speakers == name
        expected = -log_loss(y[own], scores.probabilities[own], labels=["no", "other"])
        assert score == pytest.approx(expected)
    with pytest.warns(UndefinedMetricWarning, match="roc_auc has no value .* held out 'ann'"):
        scores = cross_validate_by_speaker(LogisticRegression(), X, y, speakers, scoring="roc_auc")
    assert np.isnan(scores["test_score"]).tolist() == [True] + [False] * 4


def test_a_class_of_the_held_out_speaker_alone_is_wrong_or_an_error_with_advice(
    clips,
):
    X, y, speakers = clips
    y = np.where(speakers == "ann", "oh", y)
    scores = cross_validate_by_speaker(LogisticRegression(), X, y, speakers)
    assert scores["test_score"][0] == 0
    message = r"held out 'ann'.*has class 'oh', so score is undefined: leave out the clips"
    with pytest.raises(SpeakerFoldError, match=message):
        cross_validate_by_speaker(LogisticRegression(), X, y, speakers, scoring="neg_log_loss")
    kept = y != "oh"
    scores = cross_validate_by_speaker(
        LogisticRegression(), X[kept], y[kept], speakers[kept], scoring="neg_log_loss"
    )
    assert np.isfinite(scores["test_score"]).all()


class CtrlC(Callback):
    """The user presses Ctrl-C in the second epoch of each fit."""

    def on_epoch_begin(self, net, **kwargs):
        if len(net.history) == 2:
            signal.raise_signal(signal.SIGINT)


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4 * 5, 3)

    def forward(self, X):
        return self.layer(X.flatten(1)).softmax(1)


@pytest.mark.parametrize("error_score", ["raise", np.nan])
@pytest.mark.parametrize(
    "net",
    [
        SpectrogramLinearClassifier(max_epochs=3, callbacks=[CtrlC()], device="cpu"),
        make_pipeline(
            FunctionTransformer(),
            NeuralNetClassifier(
                Linear, max_epochs=3, callbacks=[CtrlC()], train_split=None, verbose=0
            ),
        ),
    ],
    ids=["own", "plain_skorch"],
)
def test_an_interrupt_stops_the_run_and_no_half_trained_fold_is_scored(net, error_score):
    X = np.random.default_rng(0).normal(size=(12, 4, 5)).astype(np.float32)
    scored = []

    def scoring(model, X, y):
        scored.append(len(y))
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        cross_validate_by_speaker(
            net,
            X,
            np.arange(12) % 3,
            np.repeat(list("ab"), 6),
            scoring=scoring,
            error_score=error_score,
        )
    assert scored == []


def test_the_backend_multiprocessing_is_refused_by_name_before_anything_runs(clips):
    fitted = []

    class Recording(DummyClassifier):
        def fit(self, X, y):
            fitted.append(len(y))
            return super().fit(X, y)

    with joblib.parallel_config("multiprocessing"):
        with pytest.raises(ValueError, match=r"cross_validate_by_speaker .*MultiprocessingBackend"):
            cross_validate_by_speaker(Recording(), *clips, n_jobs=2)
        assert fitted == []
        with pytest.raises(ValueError, match=r"check_speaker_leakage .*MultiprocessingBackend"):
            check_speaker_leakage(*clips, None, sample_rate=8000, n_jobs=2)
    cross_validate_by_speaker(Recording(), *clips)
    assert len(fitted) == 5


@pytest.mark.parametrize(
    ("model", "options", "label"),
    [
        (DummyClassifier(), {}, "accuracy"),
        (make_pipeline(StandardScaler(), LogisticRegression()), {}, "accuracy"),
        (FrozenEstimator(DummyClassifier()), {}, "accuracy"),
        (DummyRegressor(), {}, "r2"),
        (GridSearchCV(DummyClassifier(), {}, cv=GroupKFold(2)), {}, "accuracy"),
        (GridSearchCV(DummyClassifier(), {}, scoring="f1_macro"), {}, "f1_macro"),
        (SpectrogramCNNClassifier(), {}, "accuracy"),
        (SpectrogramLinearClassifier(), {}, "accuracy"),
        (PhonemeRecognizer(), {}, "1 - phone error rate"),
        (make_pipeline(ConvAutoencoder()), {}, "neg_mean_squared_error"),
        (DummyClassifier(), {"scoring": "f1_macro"}, "f1_macro"),
        (DummyClassifier(), {"scoring": make_scorer(log_loss, greater_is_better=False)},
         "neg_log_loss"),
    ],
)  # fmt: skip
def test_a_score_is_called_by_its_metric(model, options, label):
    _, labels = check_scorers(model, options.get("scoring"))
    assert list(labels.values()) == [label]


def test_every_estimator_of_this_package_names_the_metric_of_its_score():
    for name in sklearn_speech.__all__:
        kind = getattr(sklearn_speech, name)
        if isinstance(kind, type) and issubclass(kind, BaseEstimator) and hasattr(kind, "score"):
            if not issubclass(kind, MetaEstimatorMixin):
                assert name_of_own_score(kind.__new__(kind)) != "score", name
