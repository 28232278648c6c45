"""Numbers, one a clip or several: what all regressors share, and oracles."""

import inspect
import pickle

import numpy as np
import pytest
import torch
from numpydoc.docscrape import ClassDoc
from optuna.distributions import FloatDistribution
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingRegressor
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, QuantileRegressor, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.multioutput import MultiOutputRegressor, RegressorChain
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetRegressor
from skorch.callbacks import EpochScoring
from skorch.dataset import Dataset
from skorch.helper import predefined_split

import sklearn_speech.classification
import sklearn_speech.regression
from sklearn_speech.augmentation import Mixup, SpecAugment
from sklearn_speech.base import BaseSpeechRegressor
from sklearn_speech.feature_extraction import MelSpectrogram, TrainableFrontEnd
from sklearn_speech.model_selection import OptunaSearchCV, cross_validate_by_speaker
from sklearn_speech.persistence import load, save
from sklearn_speech.pretraining import ConvAutoencoder
from sklearn_speech.regression import SpectrogramCNNRegressor, SpectrogramLinearRegressor
from sklearn_speech.utils.validation import make_ragged
from tests.base.toy import Spy, numbered, toy_spectrograms, weights
from tests.estimators import ESTIMATORS

X, _, speakers = toy_spectrograms()
rng = np.random.default_rng(0)
Y = X.mean(axis=2) @ rng.normal(size=(6, 2)) + 0.01 * rng.normal(size=(48, 2))
y = Y[:, 0]


def quick(**parameters):
    """A network of one layer that learns in a moment."""
    defaults = {
        "n_layers": 1, "n_filters": 4, "max_epochs": 3, "batch_size": 16, "lr": 0.03,
        "input_norm": "batch", "device": "cpu", "random_state": 0,
    }  # fmt: skip
    return SpectrogramCNNRegressor(**{**defaults, **parameters})


def linear(**parameters):
    """A linear regressor that is trained until it no longer changes."""
    settings = {
        "input_norm": None, "optimizer": "adam", "lr": 0.05, "lr_schedule": "cosine",
        "weight_decay": 0.0, "batch_size": -1, "max_epochs": 400, "device": "cpu",
        "random_state": 0,
    }  # fmt: skip
    return SpectrogramLinearRegressor(**{**settings, **parameters})


REGRESSORS = [net for net in ESTIMATORS if isinstance(net, BaseSpeechRegressor)]
each = pytest.mark.parametrize("net", REGRESSORS, ids=lambda net: type(net).__name__)


def clips_for(net):
    return X if net.reads == "spectrogram" else X.reshape(48, -1)


# Facts about every regressor


def test_every_regressor_of_the_room_is_tested():
    assert {type(net).__name__ for net in REGRESSORS} == set(sklearn_speech.regression.__all__)


@each
def test_targets_in_other_units_give_the_same_predictions_in_those_units(net):
    clips = clips_for(net)
    net = clone(net).set_params(max_epochs=3)
    before = clone(net).fit(clips, y).predict(clips)
    for factor, offset in ((1000.0, 0.0), (0.01, -3.0), (1.0, 1e6)):
        after = clone(net).fit(clips, factor * y + offset).predict(clips)
        tolerance = 1e-4 * abs(factor) * y.std()
        np.testing.assert_allclose(after, factor * before + offset, atol=tolerance, rtol=1e-12)


@each
def test_predictions_have_the_shape_of_the_targets(net):
    clips = clips_for(net)
    for targets in (y, Y[:, :1], Y):
        fitted = clone(net).set_params(max_epochs=1).fit(clips, targets)
        predicted = fitted.predict(clips)
        assert predicted.shape == targets.shape
        assert predicted.dtype == np.float64
        assert fitted.n_outputs_ == (1 if targets.ndim == 1 else targets.shape[1])
        assert fitted.score(clips, targets) == pytest.approx(r2_score(targets, predicted))


@each
def test_a_regressor_is_saved_loaded_and_pickled(net, tmp_path):
    clips = clips_for(net)
    net = clone(net).set_params(max_epochs=1, loss="huber").fit(clips, Y)
    save(net, tmp_path / "net.safetensors")
    for copy in (load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net))):
        assert np.array_equal(copy.predict(clips), net.predict(clips))
        copy.partial_fit(clips, Y + 100)
        assert np.array_equal(copy.target_scaler_.mean_, net.target_scaler_.mean_)


@each
def test_a_clip_alone_is_predicted_as_among_others(net):
    clips = clips_for(net)
    net = clone(net).set_params(max_epochs=1).fit(clips, Y)
    alone = np.concatenate([net.predict(clips[i : i + 1]) for i in range(5)])
    np.testing.assert_allclose(alone, net.predict(clips)[:5], rtol=0, atol=1e-6)


@each
def test_a_regressor_is_one_to_scikit_learn_and_to_skorch(net):
    assert is_regressor(net)
    assert isinstance(net, NeuralNetRegressor)
    assert net.__sklearn_tags__().target_tags.multi_output
    assert not hasattr(net, "predict_proba")
    pipeline = make_pipeline(clone(net).set_params(max_epochs=1))
    assert len(cross_val_score(pipeline, clips_for(net), y, cv=2, error_score="raise")) == 2


def parameters_and_docs(kind):
    signature = inspect.signature(kind).parameters
    docs = {p.name: (p.type, p.desc) for p in ClassDoc(kind)["Parameters"]}
    return {n: (p.default, kind._parameter_constraints[n], docs[n])
            for n, p in signature.items() if n in kind._parameter_constraints}  # fmt: skip


@pytest.mark.parametrize("name", sklearn_speech.regression.__all__)
def test_classifier_and_regressor_of_a_network_share_its_parameters(name):
    regressor = getattr(sklearn_speech.regression, name)
    classifier = getattr(sklearn_speech.classification, name.replace("Regressor", "Classifier"))
    ours, theirs = parameters_and_docs(regressor), parameters_and_docs(classifier)
    assert ours.keys() - theirs.keys() == {"loss"}
    assert theirs.keys() - ours.keys() == {"class_weight", "label_smoothing"}
    for key in ours.keys() & theirs.keys():
        assert ours[key] == theirs[key], key
    assert regressor.module_class is classifier.module_class


# Oracles


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.05])
def test_a_linear_net_is_ridge_regression(l2, weighted):
    clips = X[:, :3, :3]
    weight = rng.uniform(0.2, 3, 48) if weighted else None
    targets = 100 + 5 * Y
    net = linear(l2=l2).fit(clips, targets, sample_weight=weight)
    own = np.ones(48) if weight is None else weight / weight.mean()
    mean = np.average(targets, axis=0, weights=own)
    scale = np.sqrt(np.average((targets - mean) ** 2, axis=0, weights=own))
    # the loss of a clip is the mean over its two numbers
    oracle = Ridge(alpha=48 * 2 * l2) if l2 else LinearRegression()
    oracle.fit(clips.reshape(48, -1), (targets - mean) / scale, sample_weight=own)
    expected = mean + scale * oracle.predict(clips.reshape(48, -1))
    np.testing.assert_allclose(net.predict(clips), expected, atol=0.01)


def test_the_absolute_error_leads_to_the_median():
    clips = X[:, :2, :2]
    wild = y + np.where(np.arange(48) % 6 == 0, 20.0, 0.0)
    net = linear(loss="absolute_error", lr=0.02, max_epochs=1000).fit(clips, wild)
    oracle = QuantileRegressor(quantile=0.5, alpha=0.0).fit(clips.reshape(48, -1), wild)
    errors = [
        np.abs(wild - predicted).mean()
        for predicted in (net.predict(clips), oracle.predict(clips.reshape(48, -1)))
    ]
    assert errors[1] <= errors[0] * (1 + 1e-9)
    assert errors[0] == pytest.approx(errors[1], rel=0.01)


def test_wrong_targets_count_less_with_the_losses_that_grow_linearly():
    wrong = y.copy()
    wrong[::8] += 50 * y.std()
    rest = np.arange(48) % 8 != 0
    error = {}
    for loss in ("squared_error", "huber", "absolute_error"):
        net = linear(loss=loss, max_epochs=300).fit(X[:, :, :2], wrong)
        error[loss] = np.abs(net.predict(X[:, :, :2]) - y)[rest].mean()
    assert max(error["huber"], error["absolute_error"]) < 0.5 * error["squared_error"]


def test_a_fit_is_that_of_skorchs_regressor_on_standardised_targets():
    settings = {"lr": 0.05, "batch_size": 16, "max_epochs": 4}
    net = quick(
        **settings, optimizer="sgd", weight_decay=0.0, lr_schedule="constant",
        iterator_train__shuffle=False,
    )  # fmt: skip
    start = clone(net).set_params(max_epochs=0).fit(X, Y)
    scaled = ((Y - Y.mean(axis=0)) / Y.std(axis=0)).astype(np.float32)
    stock = NeuralNetRegressor(
        net.module_class,
        **{f"module__{k}": v for k, v in start.get_params_for("module").items()},
        **settings,
        train_split=predefined_split(Dataset(X[:20], scaled[:20])),
        callbacks=[EpochScoring("r2", name="valid_r2", lower_is_better=False)],
        verbose=0,
    ).initialize()
    stock.module_.load_state_dict(start.module_.state_dict())
    stock.partial_fit(X, scaled)
    net.fit(X, Y, X_val=X[:20], y_val=Y[:20])
    for name in ("train_loss", "valid_loss", "valid_r2"):
        np.testing.assert_allclose(net.history[:, name], stock.history[:, name], atol=1e-4)
    expected = stock.predict(X) * Y.std(axis=0) + Y.mean(axis=0)
    np.testing.assert_allclose(net.predict(X), expected, atol=1e-4)


# Training


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
def test_mixing_clips_mixes_their_numbers(loss):
    net = quick(loss=loss, max_epochs=0).fit(X, Y)
    outputs, targets = torch.randn(48, 2), torch.randn(48, 2)
    permutation, share = torch.randperm(48), torch.rand(48)
    mixed = share[:, None] * targets + (1 - share[:, None]) * targets[permutation]
    loss_of_mixed = net.get_loss(outputs, mixed)
    assert net.get_loss(outputs, targets, X={"mixed_with": (permutation, share)}) == loss_of_mixed


def test_augmented_clips_are_learned():
    plain = quick().fit(X, y)
    for augmentation in (Mixup(alpha=1.0), SpecAugment()):
        net = quick(augment=[augmentation]).fit(X, y)
        assert not np.array_equal(weights(net), weights(plain))


def test_clips_of_weight_zero_change_nothing():
    weight = np.where(np.arange(48) < 40, 1.0, 0.0)
    wild = np.where(weight > 0, y, 1e6)
    net = quick(iterator_train__shuffle=False).fit(X, wild, sample_weight=weight)
    less = quick(iterator_train__shuffle=False).fit(X[:40], y[:40])
    np.testing.assert_allclose(net.predict(X), less.predict(X), atol=1e-5)


def test_mean_and_deviation_of_targets_are_weighted():
    weight = rng.uniform(size=48)
    scaler = quick(max_epochs=0).fit(X, Y, sample_weight=weight).target_scaler_
    mean = np.average(Y, axis=0, weights=weight)
    np.testing.assert_allclose(scaler.mean_, mean, rtol=1e-5)
    variance = np.average((Y - mean) ** 2, axis=0, weights=weight)
    np.testing.assert_allclose(scaler.var_, variance, rtol=1e-5)


def test_early_stopping_keeps_speakers_apart_and_scores_are_in_units_of_the_targets():
    spy = Spy()
    net = quick(early_stopping=True, validation_fraction=0.3, callbacks=[spy], input_norm=None)
    net.fit(numbered(X), 1000 * y, groups=speakers)
    train, valid = set(speakers[spy.train]), set(speakers[spy.valid])
    assert train and valid and not train & valid
    r2 = net.history_[net.best_epoch_ - 1, "valid_r2"]
    heard = numbered(X)[spy.valid], 1000 * y[spy.valid]
    assert r2 == pytest.approx(net.score(*heard), abs=1e-5)


def test_training_goes_on_with_the_scale_of_the_first_targets():
    net = quick(max_epochs=1)
    net.partial_fit(X[:40], Y[:40])
    mean = net.target_scaler_.mean_.copy()
    net.partial_fit(X[40:], Y[40:] + 100)
    assert np.array_equal(net.target_scaler_.mean_, mean)
    assert len(net.history_) == 2
    net.set_params(warm_start=True).fit(X, Y)
    assert np.array_equal(net.target_scaler_.mean_, mean)
    with pytest.raises(ValueError, match="y has 1 numbers per clip, but SpectrogramCNN"):
        net.partial_fit(X, y)


def test_a_front_end_is_trained_inside():
    seconds = np.arange(800) / 8000
    hertz = np.linspace(300, 3000, 32)
    waves = np.sin(2 * np.pi * hertz[:, None] * seconds)
    mel = MelSpectrogram(sample_rate=8000, n_mels=16, n_fft=128, hop_length=64)
    for frontend in (mel, TrainableFrontEnd(mel)):
        net = quick(frontend=frontend, max_epochs=40, head="bands").fit(waves, hertz)
        assert net.score(waves, hertz) > 0.8
    ragged = make_ragged(wave[: 500 + 8 * i] for i, wave in enumerate(waves))
    assert quick(frontend=mel, max_epochs=40, head="bands").fit(ragged, hertz).score(
        ragged, hertz
    ) > 0.8  # fmt: skip


def test_early_stopping_puts_high_and_low_numbers_aside_by_speaker():
    voices = np.repeat(np.arange(8), 6)
    hertz = np.where(voices % 4 == 0, 250.0, 100.0) + 0.01 * np.arange(48)
    for targets in (hertz, np.column_stack([hertz, hertz[::-1]])):
        for seed in range(3):
            net = quick(early_stopping=True, validation_fraction=0.5, random_state=seed)
            train, valid = net.get_split_datasets(X, targets, groups=voices, reset=True)
            for part in (train, valid):
                high = (part.targets[:, 0] > 0).float().mean()
                assert high == pytest.approx(0.25)


def test_mean_and_deviation_of_the_targets_are_those_of_the_training_clips_alone():
    spy, hertz = Spy(), np.repeat([100.0, 101.0, 102.0, 5000.0], 12) + 0.5 * np.arange(48)
    pretrainer = ConvAutoencoder(n_layers=1, n_filters=4, max_epochs=1, random_state=0)
    weight = 1.0 + np.arange(48) % 3
    for case in ("speakers", "weights", "pretrainer"):
        net = quick(
            early_stopping=True, validation_fraction=0.25, callbacks=[spy], max_epochs=1,
            pretrainer=pretrainer if case == "pretrainer" else None,
        )  # fmt: skip
        own = weight if case == "weights" else np.ones(48)
        net.fit(numbered(X), hertz, groups=speakers, sample_weight=own)
        train = np.array(sorted(spy.train))
        assert len(train) == 36
        mean = np.average(hertz[train], weights=own[train])
        assert net.target_scaler_.mean_[0] == pytest.approx(mean, rel=1e-5)
        deviation = np.sqrt(np.average((hertz[train] - mean) ** 2, weights=own[train]))
        assert net.target_scaler_.scale_[0] == pytest.approx(deviation, rel=1e-5)
    given = quick(max_epochs=1).fit(X, y, X_val=X[:5], y_val=y[:5] + 1e4)
    assert given.target_scaler_.mean_[0] == pytest.approx(y.mean())


WRAPPERS = {
    "voting": lambda net: VotingRegressor([("net", net), ("ridge", Ridge())]),
    "stacking": lambda net: StackingRegressor([("net", net)], Ridge(), cv=2),
    "bagging": lambda net: BaggingRegressor(net, 2, random_state=0),
    "transformed": lambda net: TransformedTargetRegressor(net, func=np.exp, inverse_func=np.log),
    "chain": RegressorChain,
    "one by one": MultiOutputRegressor,
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_of_scikit_learn_take_regressors(name):
    clips = X.mean(axis=2)  # these take 2-D numbers
    targets = Y if name in ("chain", "one by one", "bagging") else y
    model = WRAPPERS[name](quick(max_epochs=2)).fit(clips, targets)
    assert model.predict(clips).shape == targets.shape
    importance = permutation_importance(model, clips, targets, n_repeats=1, random_state=0)
    assert np.isfinite(importance.importances_mean).all()


def test_a_search_finds_the_better_network():
    search = GridSearchCV(quick(max_epochs=8), {"lr": [1e-6, 0.03]}, cv=3, error_score="raise")
    assert search.fit(X, y).best_params_ == {"lr": 0.03}


def test_clips_without_a_number_are_for_the_pretrainer_only():
    pretrainer = ConvAutoencoder(n_layers=1, n_filters=4, max_epochs=1, random_state=0)
    gaps = np.where(np.arange(48) < 12, np.nan, y)
    net = quick(pretrainer=pretrainer).fit(X, gaps)
    assert net.target_scaler_.mean_ == pytest.approx(y[12:].mean())
    assert net.score(X, gaps) == net.score(X[12:], y[12:])
    stopped = clone(net).set_params(early_stopping=True).fit(X, gaps, groups=speakers)
    assert stopped.best_epoch_ >= 1
    # -1 is a number like any other
    assert clone(net).fit(X, np.where(np.arange(48) < 12, -1.0, y)).n_outputs_ == 1
    with pytest.raises(ValueError, match=r"all 48 clips are unlabelled \(y = nan"):
        clone(net).fit(X, np.full(48, np.nan))
    half = np.where(np.arange(96).reshape(48, 2) == 5, np.nan, Y)
    with pytest.raises(ValueError, match="y contains NaN"):
        clone(net).fit(X, half)


def test_clips_without_a_number_are_trained_on_and_never_scored_by_speaker():
    pretrainer = ConvAutoencoder(n_layers=1, n_filters=4, max_epochs=1, random_state=0)
    net = quick(pretrainer=pretrainer, max_epochs=1)
    gaps = np.where(np.arange(48) % 4 == 0, np.nan, y)
    known = ~np.isnan(gaps)
    for targets in (gaps, gaps.tolist(), np.column_stack([gaps, gaps])):
        scores = cross_validate_by_speaker(net, X, targets, speakers, cv=2)
        assert known[np.concatenate(scores["indices"]["test"])].all()
        assert np.isfinite(scores["test_score"]).all()
        assert scores.n_clips.sum() == known.sum()
    # -1 is a number like any other
    scores = cross_validate_by_speaker(net, X, np.where(known, y, -1.0), speakers, cv=2)
    assert scores.n_clips.sum() == 48
    with pytest.raises(ValueError, match=r"y\[0\] is nan"):
        cross_validate_by_speaker(quick(pretrainer=None), X, gaps, speakers)
    space = {"lr": FloatDistribution(0.01, 0.1)}
    search = OptunaSearchCV(net, space, n_trials=1, cv=GroupKFold(2), random_state=0)
    search.fit(X, gaps, groups=speakers)
    assert np.isfinite(search.best_score_)


# Bad input

BAD = {
    "strings": (np.array(["no", "yes"] * 24), "arrays of bytes/strings.*classifiers"),
    "objects": (np.array(["no", "yes"] * 24, dtype=object), "could not convert.*classifiers"),
    "NaN": (np.where(np.arange(48) == 3, np.nan, y), "Input y contains NaN"),
    "infinity": (np.where(np.arange(48) == 3, np.inf, y), "Input y contains infinity"),
    "complex": (y + 1j, "Complex data not supported"),
    "None": (None, "requires y to be passed, but the target y is None"),
    "wrong length": (y[:-1], r"inconsistent numbers of samples: \[48, 47\]"),
    "three dimensions": (np.zeros((48, 2, 2)), "Found array with dim 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_targets_that_are_no_numbers_are_refused_with_scikit_learns_words(name):
    targets, message = BAD[name]
    for net in REGRESSORS:
        for method in ("fit", "partial_fit"):
            with pytest.raises(ValueError, match=message) as caught:
                getattr(clone(net), method)(clips_for(net), targets)
            if name in ("strings", "objects", "None"):
                assert type(net).__name__ in str(caught.value)


@each
def test_targets_that_are_all_the_same_are_no_division_by_zero(net):
    clips = clips_for(net)
    for targets in (np.full(48, 7.0), np.column_stack([np.full(48, 7.0), y])):
        fitted = clone(net).set_params(max_epochs=1).fit(clips, targets)
        predicted = fitted.predict(clips)
        assert predicted.shape == targets.shape and np.isfinite(predicted).all()
        assert fitted.target_scaler_.scale_[0] == 1


def test_the_only_number_is_learned():
    predicted = quick(max_epochs=20).fit(X, np.full(48, 7.0)).predict(X)
    np.testing.assert_allclose(predicted, 7.0, atol=0.5)


@each
def test_other_numbers_of_outputs_are_refused_with_the_name_of_the_regressor(net):
    clips = clips_for(net)
    fitted = clone(net).set_params(max_epochs=1).fit(clips, Y)
    with pytest.raises(ValueError, match=f"y has 1 numbers per clip, but {type(net).__name__}"):
        fitted.partial_fit(clips, y)


@pytest.mark.parametrize("loss", ["mse", "quantile", None])
def test_losses_that_are_not_there_are_refused_by_name(loss):
    with pytest.raises(ValueError, match="The 'loss' parameter of SpectrogramCNNRegressor"):
        quick(loss=loss).fit(X, y)


def test_targets_of_any_size_are_predicted_in_their_unit():
    net = SpectrogramLinearRegressor(max_epochs=2, device="cpu", random_state=0)
    in_ones = clone(net).fit(X, Y).predict(X)
    for exponent in (-990, 990):  # powers of 2 change no digit
        unit = 2.0**exponent
        np.testing.assert_array_equal(clone(net).fit(X, Y * unit).predict(X) / unit, in_ones)


def test_a_tiny_constant_target_is_predicted_with_its_magnitude():
    constant = np.full(48, 1e-30)
    net = SpectrogramLinearRegressor(max_epochs=2, device="cpu", random_state=0)
    np.testing.assert_allclose(net.fit(X, constant).predict(X), constant, atol=3e-30)


@pytest.mark.parametrize("number", [10**400, slice(3)], ids=["huge", "slice"])
def test_targets_that_float64_cannot_hold_are_refused(number):
    with pytest.raises(ValueError, match=r"float.*; SpectrogramCNNRegressor predicts numbers"):
        quick().fit(X, np.array([number, *range(47)], dtype=object))
