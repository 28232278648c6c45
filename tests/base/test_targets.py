"""Several labels a clip, and the losses of all targets."""

import io
import warnings

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, get_scorer, roc_auc_score
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.preprocessing import MultiLabelBinarizer
from torch.autograd import gradcheck

from sklearn_speech.augmentation import Mixup
from sklearn_speech.base import BaseSpeechClassifier
from sklearn_speech.base._losses import LOSSES, LabelsLoss, NumbersLoss
from sklearn_speech.classification import SpectrogramLinearClassifier
from sklearn_speech.persistence import load, save
from sklearn_speech.pretraining import ConvAutoencoder
from sklearn_speech.regression import SpectrogramLinearRegressor
from tests.base.toy import quick, toy_spectrograms, weights
from tests.estimators import ESTIMATORS

X, y, speakers = toy_spectrograms()


def labels_of_toys(n_labels=3, seed=0):
    """Two kinds of stripes as labels, and labels that follow from the mean of some bands."""
    rng = np.random.default_rng(seed)
    parts = X.mean(axis=2) @ rng.normal(size=(X.shape[1], n_labels))
    return (parts > np.median(parts, axis=0)).astype(int)


Y = labels_of_toys()


def linear(**parameters):
    """A linear classifier that is trained until it no longer changes."""
    settings = {
        "input_norm": None, "optimizer": "adam", "lr": 0.05, "lr_schedule": "cosine",
        "weight_decay": 0.0, "batch_size": -1, "max_epochs": 400, "device": "cpu",
        "random_state": 0,
    }  # fmt: skip
    return SpectrogramLinearClassifier(**{**settings, **parameters})


# Oracles


@pytest.mark.parametrize("case", ["plain", "balanced", "list", "weighted"])
def test_a_linear_net_of_several_labels_is_one_logistic_regression_a_label(case):
    clips, l2 = X[:, :3, :3], 0.01
    rng = np.random.default_rng(0)
    labels = np.column_stack([Y, rng.random(48) < 0.2]).astype(int)
    weight = rng.uniform(0.2, 3, 48) if case == "weighted" else None
    class_weight = {
        "balanced": "balanced", "list": [{0: 1, 1: 3}, {}, {0: 2.0}, {1: 0.5}],
    }.get(case)  # fmt: skip
    net = linear(class_weight=class_weight, l2=l2).fit(clips, labels, sample_weight=weight)
    # the loss of a clip is the mean over labels, and weights have mean 1
    factors = np.ones(labels.shape)
    if case == "list":
        for j, entry in enumerate(class_weight):
            factors[:, j] = [entry.get(value, 1.0) for value in labels[:, j]]
    scale = 1 / (2 * l2 * labels.size * factors.mean())
    own = np.ones(48) if weight is None else weight / weight.mean()
    for j in range(labels.shape[1]):
        options = {"class_weight": "balanced"} if case == "balanced" else {}
        oracle = LogisticRegression(C=scale, tol=1e-8, max_iter=1000, **options)
        oracle.fit(clips.reshape(48, -1), labels[:, j], sample_weight=own * factors[:, j])
        np.testing.assert_allclose(
            net.predict_proba(clips)[:, j], oracle.predict_proba(clips.reshape(48, -1))[:, 1],
            atol=2e-3,
        )  # fmt: skip


LOSS_FUNCTIONS = {
    **{name: NumbersLoss(name) for name in LOSSES},
    "labels": LabelsLoss(None),
    "weighted labels": LabelsLoss(np.array([[1.0, 0.5, 2.0], [3.0, 1.0, 0.1]]), 0.1),
}


@pytest.mark.parametrize("name", LOSS_FUNCTIONS)
def test_gradients_of_losses_are_those_of_finite_differences(name):
    torch.manual_seed(0)
    predicted = 2 * torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    if "labels" in name:
        targets = torch.randint(0, 2, (5, 3))
    else:
        targets = torch.randn(5, 3, dtype=torch.float64)
    loss = LOSS_FUNCTIONS[name].double()
    assert gradcheck(lambda p: loss(p, targets), (predicted,))


def test_mixed_labels_are_learned_in_their_proportion():
    net = quick(max_epochs=0, label_smoothing=0.2).fit(X, Y)
    outputs, labels = torch.randn(48, 3), torch.from_numpy(Y)
    permutation, share = torch.randperm(48), torch.rand(48)
    loss = net.get_loss(outputs, labels, X={"mixed_with": (permutation, share)})
    mixed = share[:, None] * labels + (1 - share)[:, None] * labels[permutation]
    smooth = 0.8 * mixed + 0.1
    p = outputs.sigmoid()
    expected = -(smooth * p.log() + (1 - smooth) * (1 - p).log()).mean()
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    fitted = quick(augment=[Mixup(alpha=1.0)]).fit(X, Y)
    assert not np.array_equal(weights(fitted), weights(quick().fit(X, Y)))


# What comes out


@pytest.mark.parametrize("n_labels", [2, 3])
def test_outputs_have_the_shape_of_the_labels(n_labels):
    labels = labels_of_toys(n_labels)
    net = quick(max_epochs=8).fit(X, labels)
    p, predicted = net.predict_proba(X), net.predict(X)
    assert p.shape == predicted.shape == labels.shape
    assert predicted.dtype == labels.dtype
    assert np.array_equal(predicted, p > 0.5)
    np.testing.assert_allclose(np.exp(net.predict_log_proba(X)), p, rtol=1e-5)
    assert net.multilabel_ and net.classes_.tolist() == [[0, 1]] * n_labels
    assert net.score(X, labels) == (predicted == labels).all(axis=1).mean()


@pytest.mark.parametrize("n_labels", [2, 3])
def test_scorers_and_searches_of_scikit_learn_take_several_labels(n_labels):
    labels = labels_of_toys(n_labels)
    net = quick().fit(X, labels)
    p = net.predict_proba(X)
    expected = {
        "average_precision": average_precision_score(labels, p),
        "roc_auc": roc_auc_score(labels, p),
        "accuracy": net.score(X, labels),
    }
    for name, value in expected.items():
        assert get_scorer(name)(net, X, labels) == pytest.approx(value)
    assert 0 <= get_scorer("f1_macro")(net, X, labels) <= 1
    out = cross_val_predict(quick(max_epochs=1), X, labels, method="predict_proba", cv=2)
    assert out.shape == labels.shape
    search = GridSearchCV(
        quick(max_epochs=1), {"n_filters": [2, 3]}, scoring="average_precision",
        error_score="raise", cv=2,
    )  # fmt: skip
    assert 0 < search.fit(X, labels).best_score_ <= 1


WRAPPERS = {
    "chain": ClassifierChain,
    "one by one": MultiOutputClassifier,
    "calibrated": lambda net: MultiOutputClassifier(CalibratedClassifierCV(net, cv=2)),
    "stacking": lambda net: StackingClassifier([("net", net)], net, cv=2),
}


@pytest.mark.parametrize("name", WRAPPERS)
def test_wrappers_of_scikit_learn_take_several_labels(name):
    clips = X.mean(axis=2)  # these take 2-D numbers
    model = WRAPPERS[name](quick(max_epochs=2)).fit(clips, Y)
    assert model.predict(clips).shape == Y.shape
    scores = permutation_importance(
        quick(max_epochs=1).fit(clips, Y), clips, Y, scoring="average_precision", n_repeats=1
    )
    assert np.isfinite(scores.importances_mean).all()


def test_callbacks_see_labels_as_they_were_given():
    net = quick().fit(X, Y, X_val=X[:20], y_val=Y[:20])
    assert net.history_[-1, "valid_acc"] == pytest.approx(net.score(X[:20], Y[:20]))


def test_labels_are_the_same_as_lists_matrices_and_sparse_matrices():
    expected = weights(quick().fit(X, Y))
    forms = [Y.tolist(), list(Y), Y.astype(float), Y.astype(bool), csr_matrix(Y)]
    for form in forms:
        assert np.array_equal(weights(quick().fit(X, form)), expected)


CLASSIFIERS = [net for net in ESTIMATORS if isinstance(net, BaseSpeechClassifier)]


@pytest.mark.parametrize("net", CLASSIFIERS, ids=lambda net: type(net).__name__)
def test_every_classifier_learns_several_labels_and_is_saved_with_them(net, tmp_path):
    clips = X[:, :, 0] if net.reads == "spectrogram" else X.reshape(48, -1)
    net = clone(net).set_params(class_weight="balanced", max_epochs=2).fit(clips, Y)
    assert net.predict_proba(clips).shape == Y.shape
    save(net, tmp_path / "net.safetensors")
    copy = load(tmp_path / "net.safetensors")
    assert np.array_equal(copy.predict_proba(clips), net.predict_proba(clips))
    assert (
        copy.validation_step((torch.from_numpy(clips), torch.from_numpy(Y)))["loss"]
        == (net.validation_step((torch.from_numpy(clips), torch.from_numpy(Y)))["loss"])
    )


def test_training_goes_on_with_the_same_labels():
    net = quick(max_epochs=1)
    for part in (slice(0, 24), slice(24, 25)):  # one clip is enough to go on
        net.partial_fit(X[part], Y[part])
    assert net.predict(X).shape == Y.shape
    assert len(net.history_) == 2
    with pytest.raises(ValueError, match="y has 2 labels, but SpectrogramCNNClassifier was fitted"):
        net.partial_fit(X, Y[:, :2])
    with pytest.raises(ValueError, match="was fitted with 3 labels per clip"):
        net.partial_fit(X, y)
    with pytest.raises(ValueError, match="was fitted with 1 label per clip"):
        quick(max_epochs=1).fit(X, y).partial_fit(X, Y)
    with pytest.raises(ValueError, match="classes has 2 entries"):
        quick().partial_fit(X, Y, classes=[0, 1])


def test_early_stopping_keeps_speakers_apart_and_labels_in_proportion():
    net = quick(early_stopping=True).fit(X, Y, groups=speakers)
    assert net.best_epoch_ >= 1
    voices = np.repeat(np.arange(8), 6)
    labels = np.column_stack([voices % 4 == 0, voices % 2 == 0]).astype(int)
    for seed in range(3):
        net = quick(early_stopping=True, validation_fraction=0.5, random_state=seed)
        for part in net.get_split_datasets(X, labels, groups=voices, reset=True):
            assert part.targets.double().mean(dim=0).tolist() == [0.25, 0.5]


def test_early_stopping_goes_on_where_one_speaker_alone_has_a_label():
    labels = np.column_stack([Y[:, 0], speakers == speakers[0]]).astype(int)
    with pytest.warns(UserWarning, match="label 1 occurs in one group only"):
        net = quick(early_stopping=True).fit(X, labels, groups=speakers)
    assert net.best_epoch_ >= 1


def test_rows_of_minus_one_are_for_the_pretrainer_only():
    pretrainer = ConvAutoencoder(n_layers=1, n_filters=4, max_epochs=1, random_state=0)
    gaps = np.where(np.arange(48)[:, None] < 12, -1, Y)
    net = quick(pretrainer=pretrainer).fit(X, gaps)
    assert net.multilabel_ and len(net.classes_) == 3
    assert net.score(X, gaps) == net.score(X[12:], Y[12:])
    as_lists = clone(net).fit(X, gaps.tolist())
    assert np.array_equal(weights(as_lists), weights(net))


# Bad input


def quick_of_constant(labels):
    with pytest.warns(UserWarning, match="present in all"):
        return quick(class_weight="balanced").fit(X, labels)


def test_labels_that_never_or_always_occur_draw_scikit_learns_warning():
    constant = np.column_stack([Y, np.zeros(48), np.ones(48)]).astype(int)
    for kind in CLASSIFIERS:
        clips = X if kind.reads == "spectrogram" else X.reshape(48, -1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            net = clone(kind).set_params(class_weight="balanced", max_epochs=3).fit(clips, constant)
        assert [str(w.message) for w in caught] == [
            "Label not 3 is present in all training examples.",
            "Label 4 is present in all training examples.",
        ]
        assert np.isfinite(net.predict_proba(clips)).all()
    p = quick_of_constant(constant).predict_proba(X)
    assert p[:, 3].mean() < 0.5 < p[:, 4].mean()


BAD = {
    "numbers": (np.linspace(0, 1, 48), "Unknown label type: continuous"),
    "several numbers": (np.random.default_rng(0).normal(size=(48, 2)), "continuous-multioutput"),
    "classes in columns": (np.arange(96).reshape(48, 2) % 3, "multiclass-multioutput.*Multi"),
    "other values": (2 * Y - 1, r"first \[\[-?1, -?1, -?1\]\].*indicator matrix of 0 and 1"),
    "lists of labels": ([["no"], ["no", "yes"]] * 24, "MultiLabelBinarizer"),
    "rows and numbers": ([[0, 1]] * 47 + [3], "mixes labels of several types"),
    "no columns": (np.zeros((48, 0)), r"shape \(48, 0\)"),
    "NaN": (np.where(Y == 1, np.nan, 0.0), "y contains NaN"),
    "one class": (["no"] * 48, "only 1 class"),
    "wrong length": (Y[:-1], r"inconsistent numbers of samples: \[48, 47\]"),
    "three dimensions": (np.zeros((48, 2, 2)), "Found array with dim 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_targets_that_are_no_labels_are_refused_with_scikit_learns_words(name):
    targets, message = BAD[name]
    for net in CLASSIFIERS:
        clips = X if net.reads == "spectrogram" else X.reshape(48, -1)
        for method in ("fit", "partial_fit"):
            with pytest.raises(ValueError, match=message):
                getattr(clone(net), method)(clips, targets)


@pytest.mark.parametrize(
    ("class_weight", "targets", "message"),
    [
        ({0: 1.0}, Y, "is a dict, but y is an indicator matrix of 3 labels"),
        ([{0: 1.0}], Y, "class_weight has 1 entries, but y has 3 labels"),
        ([{0: 1.0}, {2: 1}, {}], Y, r"class_weight\[1\]=\{2: 1\}"),
        ([{0: 1.0}, {1: -1}, {}], Y, r"class_weight\[1\]\[1\]=-1"),
        ([{0: 0, 1: 0}] * 3, Y, "the weight 0"),
        ([{}], y, "is a list, which is only for an indicator matrix"),
    ],
)
def test_weights_that_do_not_fit_the_labels_are_refused(class_weight, targets, message):
    with pytest.raises(ValueError, match=message):
        quick(class_weight=class_weight).fit(X, targets)


def test_sets_of_labels_become_a_matrix_by_scikit_learns_binarizer():
    sets = [["loud", "no"] if i % 2 else ["no", "yes"][: 1 + i % 4] for i in range(48)]
    labels = MultiLabelBinarizer().fit_transform(sets)
    with pytest.warns(UserWarning, match="Label 1 is present in all"):
        net = quick().fit(X, labels)
    assert net.predict(X).shape == labels.shape


def test_weights_of_a_multilabel_net_are_saved_and_loaded_as_in_skorch():
    net, file = quick(class_weight="balanced").fit(X, Y), io.BytesIO()
    net.save_params(f_params=file)
    file.seek(0)
    other = quick(class_weight="balanced", random_state=1).fit(X, Y)
    other.load_params(f_params=file)
    assert np.array_equal(other.predict_proba(X), net.predict_proba(X))


@pytest.mark.parametrize("wrap", [np.array, torch.tensor])
@pytest.mark.parametrize("cls", [SpectrogramLinearClassifier, SpectrogramLinearRegressor])
def test_a_list_of_scalars_in_arrays_or_tensors_is_read_as_the_numbers(cls, wrap):
    spectrograms = np.random.default_rng(0).normal(size=(6, 4, 3)).astype(np.float32)
    plain = [0, 1, 0, 1, 1, 0]
    options = {"max_epochs": 2, "device": "cpu", "random_state": 0}
    expected = cls(**options).fit(spectrograms, plain).predict(spectrograms)
    wrapped = cls(**options).fit(spectrograms, [wrap(target) for target in plain])
    assert np.array_equal(wrapped.predict(spectrograms), expected)


@pytest.mark.parametrize("kind", [bool, float, np.int8])
def test_weights_of_labels_are_the_same_whatever_type_their_keys_have(kind):
    weights_by = [
        quick(max_epochs=1, class_weight=[{absent: 1, present: 3}] * Y.shape[1]).fit(X, Y)
        for absent, present in ((0, 1), (kind(0), kind(1)))
    ]
    np.testing.assert_array_equal(*[weights(net) for net in weights_by])
