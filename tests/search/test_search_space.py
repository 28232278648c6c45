import itertools

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

import sklearn_speech.classification
import sklearn_speech.feature_extraction
import sklearn_speech.recognition
import sklearn_speech.regression
from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.classification import (
    AugmentedClassifier,
    PrototypeClassifier,
    SpectrogramCNNClassifier,
    WaveformMLPClassifier,
)
from sklearn_speech.feature_extraction import MFCC, MelSpectrogram, TrainableFrontEnd
from sklearn_speech.model_selection import (
    OptunaSearchCV,
    StratifiedGroupShuffleSplit,
    suggest_search_space,
)
from sklearn_speech.regression import SpectrogramCNNRegressor
from sklearn_speech.search._space import as_space


def corners(space, n_random=6):
    """Parameters at both ends of a space, and random ones inside it."""
    for end in (0, -1):
        yield {
            name: list(entry.values())[end]
            if isinstance(entry, dict)
            else entry.choices[end]
            if isinstance(entry, CategoricalDistribution)
            else (entry.low, entry.high)[end]
            for name, entry in space.items()
        }
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(n_random):
        yield as_space(space)(study.ask())


def members(package):
    return [
        kind
        for kind in map(package.__dict__.get, package.__all__)
        if (isinstance(kind, type) and issubclass(kind, BaseEstimator))
        # neither network nor front end
        and kind not in (AugmentedClassifier, PrototypeClassifier)
    ]


@pytest.mark.parametrize(
    "kind",
    members(sklearn_speech.classification)
    + members(sklearn_speech.feature_extraction)
    + members(sklearn_speech.recognition)
    + members(sklearn_speech.regression),
    ids=lambda kind: kind.__name__,
)
def test_every_network_and_front_end_has_a_space_of_its_own_parameters(kind):
    estimator = kind(MelSpectrogram()) if kind is TrainableFrontEnd else kind()
    space = suggest_search_space(estimator)
    for params in corners(space):
        clone(estimator).set_params(**params)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 44100])
@pytest.mark.parametrize("kind", [MelSpectrogram, MFCC])
def test_no_front_end_of_a_space_has_an_empty_filter(kind, sample_rate):
    estimator = kind(sample_rate)
    space = suggest_search_space(estimator)
    X = np.random.default_rng(0).normal(size=(1, sample_rate)).astype(np.float32)
    for n_fft, fmin, fmax in itertools.product(
        space["n_fft"].choices,
        (0.0, space["fmin"].high),
        (space["fmax"].low, space["fmax"].high),
    ):
        params = {"n_fft": n_fft, "fmin": fmin, "fmax": fmax, "n_mels": space["n_mels"].high}
        assert np.isfinite(clone(estimator).set_params(**params).fit_transform(X)).all()


def test_parts_of_a_pipeline_and_of_a_classifier_are_searched():
    front_end = MelSpectrogram(8000)
    inside = SpectrogramCNNClassifier(frontend=front_end)
    space = suggest_search_space(make_pipeline(AudioReader(8000), PadOrTrim(800), inside))
    assert "spectrogramcnnclassifier__frontend__n_mels" in space
    assert "spectrogramcnnclassifier__n_layers" in space
    outside = suggest_search_space(make_pipeline(front_end, SpectrogramCNNClassifier()))
    assert {"melspectrogram__n_mels", "spectrogramcnnclassifier__dropout"} <= outside.keys()


def test_suggested_augmentations_have_the_sample_rate_of_the_pipeline():
    model = make_pipeline(AudioReader(11025), PadOrTrim(800), WaveformMLPClassifier())
    strong = suggest_search_space(model)["waveformmlpclassifier__augment"]["strong"]
    assert strong[0].sample_rate == 11025
    assert len(suggest_search_space(WaveformMLPClassifier())["augment"]["weak"]) == 1


def test_nothing_to_search_is_an_error():
    with pytest.raises(ValueError, match="LogisticRegression contains no estimator"):
        suggest_search_space(LogisticRegression())


def test_a_suggested_space_can_be_searched_with_a_storage(tmp_path):
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 8)
    X = rng.normal(size=(16, 1200)).astype(np.float32) * np.where(y, 1.0, 0.1)[:, None]
    model = make_pipeline(
        MelSpectrogram(8000),
        SpectrogramCNNClassifier(max_epochs=1, device="cpu", random_state=0),
    )
    space = suggest_search_space(model)
    space.pop("spectrogramcnnclassifier__pretrainer", None)
    space["spectrogramcnnclassifier__n_layers"].high = 2
    search = OptunaSearchCV(
        model, space, n_trials=2, cv=2, random_state=0, storage=tmp_path / "journal"
    ).fit(X, y)
    assert set(search.best_params_) == set(space)


PAIRS = [name.removesuffix("Regressor") for name in sklearn_speech.regression.__all__]


@pytest.mark.parametrize("name", PAIRS)
def test_regressors_classifiers_and_subclasses_of_a_network_share_one_space(name):
    regressor = getattr(sklearn_speech.regression, f"{name}Regressor")
    classifier = getattr(sklearn_speech.classification, f"{name}Classifier")
    own = type("Own", (regressor,), {})
    spaces = [suggest_search_space(kind()) for kind in (regressor, classifier, own)]
    assert all(repr(space) == repr(spaces[0]) for space in spaces)


@pytest.mark.parametrize("kind", ["numbers", "several numbers", "several labels"])
def test_regressors_and_multilabel_classifiers_can_be_searched(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(24, 6, 8)).astype(np.float32)
    speakers = np.repeat(["ann", "bob", "cem"], 8)
    y = {
        "numbers": rng.normal(size=24),
        "several numbers": rng.normal(size=(24, 2)),
        "several labels": np.tile([[0, 1], [1, 0], [1, 1], [0, 0]], (6, 1)),
    }[kind]
    scoring = "average_precision" if kind == "several labels" else "neg_mean_absolute_error"
    net = SpectrogramCNNClassifier if kind == "several labels" else SpectrogramCNNRegressor
    model = net(max_epochs=1, device="cpu", random_state=0)
    space = suggest_search_space(model)
    space["n_layers"].high = 2
    space.pop("pretrainer")
    for cv in (GroupKFold(3), StratifiedGroupShuffleSplit(2, test_size=1, random_state=0)):
        search = OptunaSearchCV(
            model, space, n_trials=2, cv=cv, scoring=scoring, random_state=0, error_score="raise"
        ).fit(X, y, groups=speakers)
        results = search.cv_results_
        assert np.isfinite(results["mean_test_score"][~results["pruned"]]).all()
        assert search.predict(X).shape == y.shape
        assert np.isfinite(search.score(X, y))


def test_searched_n_fft_values_are_at_least_the_given_window_length():
    front_end = MelSpectrogram(16000, win_length=800)
    space = suggest_search_space(make_pipeline(front_end, SpectrogramCNNClassifier()))
    assert space["melspectrogram__n_fft"].choices == (1024, 2048)
