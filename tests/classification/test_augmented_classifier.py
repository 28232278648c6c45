import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    GradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_speech import load, make_speech_pipeline, save
from sklearn_speech.augmentation import AddNoise, Gain, Mixup, SpecAugment, SpeedPerturb
from sklearn_speech.classification import AugmentedClassifier, WaveformMLPClassifier
from sklearn_speech.export._converting import Converter
from sklearn_speech.feature_extraction import MelSpectrogram, TemporalPooling
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.model_selection._metric_names import name_of_own_score
from sklearn_speech.utils.rates import rate_of, with_rate
from sklearn_speech.utils.validation import make_ragged
from tests.members import AUGMENTATIONS, label

RNG = np.random.default_rng(0)
N = 12
LENGTHS = 600 + 40 * np.arange(N)
EQUAL = RNG.normal(scale=0.1, size=(N, 700)).astype(np.float32)
RAGGED = make_ragged(RNG.normal(scale=0.1, size=n).astype(np.float32) for n in LENGTHS)
WORDS = np.array(["go", "stop"] * 6)
SPEAKERS = np.repeat(["ann", "bob", "cem"], 4)


class Keeps(ClassifierMixin, BaseEstimator):
    """Keeps what it was fitted on."""

    def fit(self, X, y, sample_weight=None, groups=None, X_val=None, y_val=None):
        self.seen_ = {"X": X, "y": y, "sample_weight": sample_weight, "groups": groups}
        self.seen_ |= {"X_val": X_val, "y_val": y_val}
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        self.asked_ = X
        return np.resize(self.classes_, len(X))


def same(X, Y):
    return len(X) == len(Y) and all(np.array_equal(x, y) for x, y in zip(X, Y))


def fitted(X, augment, n_copies=2, **params):
    y = np.resize(WORDS, len(X))
    return AugmentedClassifier(Keeps(), augment, n_copies=n_copies, random_state=0).fit(
        X, y, **params
    )


@pytest.mark.parametrize("X", [EQUAL, RAGGED], ids=["equal", "ragged"])
def test_the_classifier_learns_from_the_clips_and_their_copies_and_predicts_plain_clips(X):
    classifier = fitted(X, [Gain((-6.0, -6.0))])
    seen = classifier.estimator_.seen_
    assert same(seen["X"][:N], X)
    for copy in (seen["X"][N : 2 * N], seen["X"][2 * N :]):
        for clip, changed in zip(X, copy, strict=True):
            np.testing.assert_allclose(changed, clip * 10 ** (-6 / 20), rtol=1e-5)
    assert np.array_equal(seen["y"], np.tile(WORDS, 3))
    classifier.predict(X)
    assert same(classifier.estimator_.asked_, X)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("augmentation", AUGMENTATIONS, ids=label)
def test_every_augmentation_makes_copies_in_the_form_and_dtype_of_the_clips(augmentation, dtype):
    if hasattr(augmentation, "mix"):
        with pytest.raises(ValueError, match=r"augment\[0\]=Mixup.* mixes labels"):
            fitted(EQUAL, [augmentation])
        return
    shape = (8, 300) if augmentation.domain == "waveform" else (8, 12, 20)
    scale = 0.1 if augmentation.domain == "waveform" else 20  # amplitude, or decibels
    X = np.random.default_rng(1).normal(scale=scale, size=shape).astype(dtype)
    ragged = make_ragged(clip[..., : clip.shape[-1] - i] for i, clip in enumerate(X))
    for clips in (X, ragged):
        before = [clip.copy() for clip in clips]
        first, second = (fitted(clips, [augmentation]).estimator_.seen_["X"] for _ in range(2))
        assert same(first, second) and same(clips, before)
        assert len(first) == 24 and first.dtype == clips.dtype
        for i, clip in enumerate(first):
            assert clip.dtype == dtype and np.isfinite(clip).all()
            assert clip.shape[:-1] == X.shape[1:-1]
            assert 1 <= clip.shape[-1] <= 2 * clips[i % 8].shape[-1]


def test_copies_of_a_clip_differ_and_another_seed_makes_others():
    first = fitted(RAGGED, [AddNoise()]).estimator_.seen_["X"]
    assert not any(np.array_equal(a, b) for a, b in zip(first[N : 2 * N], first[2 * N :]))
    other = AugmentedClassifier(Keeps(), [AddNoise()], n_copies=2, random_state=1)
    seen = other.fit(RAGGED, WORDS).estimator_.seen_["X"]
    assert not any(np.array_equal(a, b) for a, b in zip(first[N:], seen[N:]))


def test_copies_of_other_lengths_are_kept_whole_where_clips_may_differ_in_length():
    seen = fitted(RAGGED, [SpeedPerturb((0.8, 0.8))], n_copies=1).estimator_.seen_["X"]
    assert [len(clip) for clip in seen[N:]] == [int(np.ceil(n / 0.8)) for n in LENGTHS]
    longest = fitted(RAGGED, [SpeedPerturb((0.25, 0.25))], n_copies=1).estimator_.seen_["X"]
    assert [len(clip) for clip in longest[N:]] == (2 * LENGTHS).tolist()


def test_no_copies_leave_the_classifier_as_it_is():
    X = np.column_stack([EQUAL.mean(axis=1), EQUAL.std(axis=1)])
    plain = LogisticRegression(max_iter=1000).fit(X, WORDS)
    wrapped = AugmentedClassifier(LogisticRegression(max_iter=1000), [AddNoise()], n_copies=0).fit(
        X, WORDS
    )
    assert np.array_equal(wrapped.estimator_.coef_, plain.coef_)
    assert np.array_equal(wrapped.decision_function(X), plain.decision_function(X))


def test_weights_and_groups_follow_the_copies_and_validation_clips_stay_as_they_are():
    weights = np.arange(N, dtype=float)
    with sklearn.config_context(enable_metadata_routing=False):
        seen = fitted(
            EQUAL, [AddNoise()], sample_weight=weights, groups=SPEAKERS, X_val=EQUAL, y_val=WORDS
        ).estimator_.seen_
    assert np.array_equal(seen["sample_weight"], np.tile(weights, 3))
    assert np.array_equal(seen["groups"], np.tile(SPEAKERS, 3))
    assert seen["X_val"] is EQUAL and seen["y_val"] is WORDS


@pytest.mark.parametrize("n_copies", [0, 1, 2])
@pytest.mark.parametrize("n", [N - 1, N + 1, 2 * N, 0])
@pytest.mark.parametrize("name", ["sample_weight", "groups"])
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a pipeline"])
@pytest.mark.parametrize("kind", [np.asarray, list, pd.Series])
def test_weights_and_groups_of_more_or_fewer_clips_are_refused_by_name(
    n_copies, n, name, inside, kind
):
    inner = make_pipeline(StandardScaler(), Keeps()) if inside else Keeps()
    name = f"keeps__{name}" if inside else name
    classifier = AugmentedClassifier(inner, [Gain()], n_copies=n_copies, random_state=0)
    message = f"^{name} has {n} entries for 12 clips: expected 12"
    with sklearn.config_context(enable_metadata_routing=False):
        with pytest.raises(ValueError, match=message):
            classifier.fit(EQUAL, WORDS, **{name: kind(np.ones(n))})
        classifier.fit(EQUAL, WORDS, **{name: None})


@pytest.mark.parametrize("routing", [False, True])
def test_cross_validation_by_speaker_passes_the_speakers_on(routing):
    inner = make_pipeline(TemporalPooling(), StandardScaler(), Keeps())
    seen = []
    with sklearn.config_context(enable_metadata_routing=routing):
        if routing:
            inner[-1].set_fit_request(groups=True, sample_weight=False, X_val=False, y_val=False)
        scores = cross_validate_by_speaker(
            make_pipeline(
                MelSpectrogram(8000, n_mels=10),
                AugmentedClassifier(inner, [SpecAugment()], n_copies=2, random_state=0),
            ),
            RAGGED, WORDS, SPEAKERS, return_estimator=True,
        )  # fmt: skip
    for estimator in scores["estimator"]:
        seen.append(estimator[-1].estimator_[-1].seen_)
    assert [set(one["groups"]) for one in seen] == [
        {"bob", "cem"}, {"ann", "cem"}, {"ann", "bob"}
    ]  # fmt: skip
    assert all(len(one["X"]) == len(one["groups"]) == 3 * 8 for one in seen)


SPLITS = {
    "search": GridSearchCV(LogisticRegression(max_iter=1000), {"C": [1.0]}),
    "search by group": GridSearchCV(
        LogisticRegression(max_iter=1000), {"C": [1.0]}, cv=GroupKFold(2)
    ),
    "splits given": GridSearchCV(
        LogisticRegression(max_iter=1000), {"C": [1.0]}, cv=[([0, 1], [2, 3])]
    ),
    "calibration": CalibratedClassifierCV(LogisticRegression(max_iter=1000)),
    "path": LogisticRegressionCV(),
    "boosting": GradientBoostingClassifier(n_iter_no_change=2),
    "forest": RandomForestClassifier(oob_score=True),
    "descent": SGDClassifier(early_stopping=True),
    "stack": StackingClassifier([("one", LogisticRegression(max_iter=1000))]),
    "stack with a last one": StackingClassifier(
        [("one", LogisticRegression(max_iter=1000))], LogisticRegression()
    ),
    "network": WaveformMLPClassifier(hidden_units=8, early_stopping=True, max_epochs=1),
}


@pytest.mark.parametrize("kind", SPLITS)
@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a pipeline"])
def test_a_part_that_holds_out_clips_is_refused_unless_it_does_so_by_group(kind, inside):
    part = make_pipeline(StandardScaler(), SPLITS[kind]) if inside else SPLITS[kind]
    classifier = AugmentedClassifier(part, [Gain()], random_state=0)
    with pytest.raises(ValueError, match=f"{type(SPLITS[kind]).__name__} with .*copies of them"):
        classifier.fit(EQUAL, WORDS)
    prefix = f"{part.steps[-1][0]}__" if inside else ""
    with sklearn.config_context(enable_metadata_routing=False):
        if kind in ("search by group", "network"):
            classifier.fit(EQUAL, WORDS, **{f"{prefix}groups": SPEAKERS})
        else:
            with pytest.raises(ValueError, match="or switch it off"):
                classifier.fit(EQUAL, WORDS, **{f"{prefix}groups": SPEAKERS})


def test_without_copies_a_part_may_hold_out_clips():
    stack = make_pipeline(StandardScaler(), SPLITS["stack"])
    classifier = AugmentedClassifier(stack, [Gain()], n_copies=0).fit(EQUAL, WORDS)
    assert np.array_equal(classifier.predict(EQUAL), stack.fit(EQUAL, WORDS).predict(EQUAL))


@pytest.mark.parametrize(
    "estimator", [StandardScaler(), make_pipeline(StandardScaler()), "svc", None, 3]
)
def test_what_does_not_predict_is_refused(estimator):
    with pytest.raises(ValueError, match=r"'estimator' parameter .*'fit' and 'predict'"):
        AugmentedClassifier(estimator, [Gain()]).fit(EQUAL, WORDS)


def test_what_is_around_it_may_hold_out_clips():
    classifier = AugmentedClassifier(
        LogisticRegression(max_iter=1000), [Gain((-20.0, -10.0))], random_state=0
    )
    search = GridSearchCV(classifier, {"n_copies": [0, 1], "estimator__C": [0.1, 1.0]}, cv=2)
    assert search.fit(EQUAL, WORDS).best_params_.keys() == {"n_copies", "estimator__C"}
    assert CalibratedClassifierCV(classifier, cv=2).fit(EQUAL, WORDS).predict_proba(
        EQUAL
    ).shape == (N, 2)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ([], "augment is empty"),
        ([AddNoise], r"augment\[0\] is the class AddNoise: expected an object"),
        (["noise"], r"augment\[0\]='noise': expected an augmentation"),
        ([AddNoise(), SpecAugment()], r"changes spectrograms, but augment\[0\] changes waveforms"),
        ([AddNoise(), Mixup(domain="waveform")], "mixes labels"),
        ([AddNoise(color="green")], "color"),
        ("noise", "The 'augment' parameter"),
    ],
)
def test_augmentations_that_do_not_fit_are_refused(augment, message):
    with pytest.raises(ValueError, match=message):
        fitted(EQUAL, augment)


def test_only_methods_of_the_classifier_are_there():
    by_score = AugmentedClassifier(SGDClassifier(), [Gain()])
    assert hasattr(by_score, "decision_function") and not hasattr(by_score, "predict_proba")
    assert not hasattr(fitted(EQUAL, [Gain()]), "decision_function")


def test_the_sampling_rate_is_passed_on_and_compared():
    X = with_rate(EQUAL, 8000)
    classifier = fitted(X, [AddNoise()])
    assert rate_of(classifier.estimator_.seen_["X"]) == 8000
    classifier.predict(X)
    assert rate_of(classifier.estimator_.asked_) == 8000
    pooled = make_pipeline(
        MelSpectrogram(16000), TemporalPooling(), LogisticRegression(max_iter=1000)
    )
    with pytest.raises(ValueError, match=r"sample_rate=16000, but the clips .* sample_rate=8000"):
        AugmentedClassifier(pooled, [AddNoise()]).fit(X, WORDS)


def test_a_saved_or_exported_one_gives_the_same_answers(tmp_path):
    pooled = make_pipeline(
        MelSpectrogram(8000, n_mels=10), TemporalPooling(), LogisticRegression(max_iter=1000)
    )
    classifier = AugmentedClassifier(pooled, [SpeedPerturb(), AddNoise()], random_state=0)
    classifier.fit(RAGGED, WORDS)
    module = Converter().whole(make_pipeline(classifier), "classifier")
    answers = module(torch.from_numpy(EQUAL)).numpy()
    np.testing.assert_allclose(answers, classifier.predict_proba(EQUAL), atol=1e-5)
    save(classifier, tmp_path / "model.safetensors")
    loaded = load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict_proba(RAGGED), classifier.predict_proba(RAGGED))
    assert repr(clone(loaded)) == repr(clone(classifier))


def test_a_standard_pipeline_gives_it_what_it_reads():
    pooled = make_pipeline(
        MelSpectrogram(8000), TemporalPooling(), LogisticRegression(max_iter=1000)
    )
    on_waveforms = AugmentedClassifier(pooled, [AddNoise()])
    on_spectrograms = AugmentedClassifier(pooled[1:], [SpecAugment()])
    steps = [
        [name for name, _ in make_speech_pipeline(classifier, sample_rate=8000).steps]
        for classifier in (on_waveforms, on_spectrograms)
    ]
    assert steps[0] == ["audioreader", "padortrim", "augmentedclassifier"]
    assert steps[1] == ["audioreader", "padortrim", "melspectrogram", "augmentedclassifier"]


@pytest.mark.parametrize("names", [False, True], ids=["numbers", "strings"])
def test_its_score_is_that_of_the_estimator_which_may_not_count_all_clips(names):
    net = WaveformMLPClassifier(
        hidden_units=4, max_epochs=1, random_state=0,
        pretrainer=WaveformMLPClassifier(hidden_units=4, max_epochs=1, random_state=0),
    )  # fmt: skip
    y = np.where(np.arange(N) % 3 > 0, -1, np.arange(N) % 2).astype(object)
    y = [f"w{label}" if names and label != -1 else label for label in y]
    y = np.array(y, dtype=object if names else int)
    classifier = AugmentedClassifier(net, [Gain()], random_state=0)
    labelled = y != -1
    classifier.fit(EQUAL, y)
    expected = np.mean(classifier.predict(EQUAL[labelled]) == y[labelled])
    assert classifier.score(EQUAL, y) == pytest.approx(expected)


def test_its_score_passes_weights_on():
    classifier = AugmentedClassifier(LogisticRegression(), [Gain()], random_state=0)
    classifier.fit(EQUAL, WORDS)
    right = classifier.predict(EQUAL) == WORDS
    weights = np.arange(1, N + 1)
    assert classifier.score(EQUAL, WORDS, weights) == np.average(right, weights=weights)


def test_validation_clips_that_are_given_hold_out_nothing():
    net = WaveformMLPClassifier(hidden_units=4, max_epochs=2, early_stopping=True, random_state=0)
    classifier = AugmentedClassifier(net, [Gain()], random_state=0)
    with pytest.raises(ValueError, match="early_stopping=True, which holds out"):
        classifier.fit(EQUAL, WORDS)
    classifier.fit(EQUAL, WORDS, X_val=EQUAL[:4], y_val=WORDS[:4])
    assert len(classifier.estimator_.history_) > 0


@pytest.mark.filterwarnings("ignore:.*probability.*:FutureWarning")
def test_calibration_on_copies_of_training_clips_is_refused():
    part = make_pipeline(StandardScaler(), SVC(probability=True))
    with pytest.raises(ValueError, match="SVC with probability=True, which holds out"):
        AugmentedClassifier(part, [Gain()]).fit(EQUAL, WORDS)


@pytest.mark.parametrize(
    "estimator",
    [LogisticRegression(), WaveformMLPClassifier(), make_pipeline(LogisticRegression())],
)
def test_tables_name_the_metric_of_the_estimator(estimator):
    assert name_of_own_score(AugmentedClassifier(estimator, [Gain()])) == "accuracy"
