"""Where skorch breaks scikit-learn's contract, the base classes keep it: one test each."""

import warnings

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from torch.utils.data import DataLoader, SequentialSampler

from sklearn_speech.feature_extraction import MelSpectrogram, SpectrogramScaler
from sklearn_speech.modules.spectrogram_cnn import SpectrogramCNNNet
from sklearn_speech.utils.sklearn_private import InvalidParameterError
from tests.base.toy import LABELS, Spy, numbered, quick, toy_spectrograms, weights

X, y, speakers = toy_spectrograms()


def test_parameters_are_those_of_the_signature_and_the_prefixed_ones_given():
    net = quick(optimizer__betas=(0.8, 0.9))
    names = set(net.get_params(deep=False))
    assert not any(name.startswith("_") for name in names)
    assert {"n_layers", "lr", "optimizer__betas", "random_state"} <= names
    assert {"module", "criterion", "train_split", "classes", "kwargs"}.isdisjoint(names)
    assert clone(net).get_params() == net.get_params()


def test_init_stores_parameters_and_sets_nothing_fitted():
    net = quick(optimizer__betas=(0.8, 0.9))
    assert set(vars(net)) == set(net.get_params(deep=False))
    for fitted in ("classes_", "module_", "n_features_in_", "optimizer_"):
        assert not hasattr(net, fitted)
    assert not net.initialized_
    with pytest.raises(NotFittedError):
        net.predict(X)
    assert is_classifier(net)


def test_classes_are_unknown_before_fit_even_to_hasattr():
    net = quick()
    assert not hasattr(net, "classes_")
    assert net.fit(X, y).classes_.tolist() == LABELS.tolist()
    assert not hasattr(clone(net), "classes_")


@pytest.mark.parametrize(
    "parameters",
    [
        {"lr": -1.0}, {"lr": "fast"}, {"max_epochs": 2.5}, {"batch_size": 0},
        {"optimizer": "adamm"}, {"weight_decay": -0.1}, {"lr_schedule": "cyclic"},
        {"gradient_clip": 0}, {"l1": -1}, {"l2": None}, {"early_stopping": "yes"},
        {"validation_fraction": 1.0}, {"n_iter_no_change": 0}, {"augment": 3},
        {"callbacks": "none"}, {"warm_start": 2},
        {"mixed_precision": "bf16"}, {"device": 3}, {"random_state": "seed"}, {"verbose": "yes"},
        {"class_weight": "even"}, {"label_smoothing": 1.0}, {"n_layers": -1}, {"n_filters": 0},
        {"dropout": 1.0}, {"head": "median"}, {"pool_type": "min"}, {"padding": "full"},
        {"input_norm": "layer"}, {"batch_norm": None}, {"frontend": "mel"},
    ],
    ids=lambda parameters: "{}={!r}".format(*next(iter(parameters.items()))),
)  # fmt: skip
def test_constraints_are_enforced_in_fit_and_name_the_parameter(parameters):
    (name,) = parameters
    net = quick(**parameters)  # not before fit, as everywhere in scikit-learn
    with pytest.raises(InvalidParameterError, match=name):
        net.fit(X, y)
    with pytest.raises(InvalidParameterError, match=name):
        net.partial_fit(X, y)


@pytest.mark.parametrize("name", ["learning_rate", "optimiser__momentum", "module__n_layers"])
def test_arguments_that_no_one_knows_are_named(name):
    with pytest.raises(TypeError, match=name):
        quick(**{name: 1}).fit(X, y)


@pytest.mark.parametrize(
    "labels",
    [
        np.array(["no", "up", "yes"]),
        np.array(["no", "up", "yes"], dtype=object),
        np.array([-2, 7, 100]),
        np.array([2, 3, 5], dtype=np.int32),
        np.array([1.0, 2.0, 30.0]),
    ],
    ids=lambda labels: f"{labels.dtype}",
)
def test_labels_of_any_kind_are_learned_and_predicted(labels):
    codes = np.searchsorted(LABELS, y)
    net = quick(max_epochs=12).fit(X, labels[codes])
    assert net.classes_.tolist() == labels.tolist()
    assert net.predict(X).dtype == labels.dtype
    assert net.score(X, labels[codes]) > 0.9
    assert np.array_equal(net.predict(X), labels[net.predict_proba(X).argmax(1)])


def test_two_classes_may_be_booleans():
    net = quick(max_epochs=12).fit(X, y == "no")
    assert net.classes_.tolist() == [False, True]
    assert net.score(X, y == "no") > 0.9


def test_shapes_are_never_written_back():
    net = quick(head="flatten")
    before = net.get_params()
    net.fit(X, y)
    assert net.get_params() == before
    other = toy_spectrograms(n_bands=8, n_frames=5)[0]
    copy = clone(net).fit(other, y)
    assert copy.predict(other).shape == y.shape
    assert copy.n_features_in_ == 8
    assert net.fit(other, y[:48]).n_features_in_ == 8  # nor does an old fit bind a new one


class RecordingNet(SpectrogramCNNNet):
    """Remembers all that its forward was given."""

    given = []

    def forward(self, *args, **kwargs):
        self.given.append((args, kwargs))
        return super().forward(*args, **kwargs)


def test_groups_and_weights_never_reach_forward(monkeypatch):
    monkeypatch.setattr(RecordingNet, "given", [])
    net = quick(early_stopping=True, validation_fraction=0.3)
    monkeypatch.setattr(type(net), "module_class", RecordingNet)
    net.fit(X, y, groups=speakers, sample_weight=np.arange(1, 49))
    net.predict(X)
    assert len(RecordingNet.given) > 3
    for args, kwargs in RecordingNet.given:
        assert len(args) == 1 and not kwargs
        assert args[0].shape[1:] == X.shape[1:]


@pytest.mark.parametrize("seed", range(3))
def test_early_stopping_keeps_speakers_apart(seed):
    spy = Spy()
    net = quick(early_stopping=True, validation_fraction=0.3, callbacks=[spy], random_state=seed)
    net.fit(numbered(X), y, groups=speakers)
    assert sorted(spy.train + spy.valid) == list(range(48))
    assert not set(speakers[spy.train]) & set(speakers[spy.valid])
    assert set(y[spy.valid]) == set(y[spy.train]) == set(LABELS)


def test_early_stopping_without_groups_warns_and_keeps_classes_in_proportion():
    spy = Spy()
    net = quick(early_stopping=True, validation_fraction=0.25, callbacks=[spy])
    with pytest.warns(UserWarning, match=r"pass groups=speakers"):
        net.fit(numbered(X), y)
    assert len(spy.valid) == 12
    assert np.unique(y[spy.valid], return_counts=True)[1].tolist() == [4, 4, 4]


def test_groups_of_another_length_are_refused():
    with pytest.raises(ValueError, match=f"groups has {len(X) - 1} entries for {len(X)} clips"):
        quick(early_stopping=True).fit(X, y, groups=speakers[:-1])


@pytest.mark.parametrize("routing", [True, False])
def test_a_pipeline_brings_groups_to_the_net(routing):
    net = quick(early_stopping=True, validation_fraction=0.3, max_epochs=2)
    pipeline = make_pipeline(SpectrogramScaler(), net)
    name = "groups" if routing else "spectrogramcnnclassifier__groups"
    with config_context(enable_metadata_routing=routing), warnings.catch_warnings():
        warnings.simplefilter("error")  # a split without groups would warn
        pipeline.fit(X, y, **{name: speakers})
        assert "valid_loss" in pipeline[-1].history_[-1]


def test_a_search_routes_groups_to_splitter_and_net():
    net = quick(early_stopping=True, validation_fraction=0.3, max_epochs=2)
    search = GridSearchCV(net, {"n_filters": [2, 3]}, cv=GroupKFold(2), error_score="raise")
    with config_context(enable_metadata_routing=True):
        search.fit(X, y, groups=speakers)
    assert search.predict(X).shape == y.shape


def test_a_search_without_routing_gives_groups_to_the_splitter():
    search = GridSearchCV(
        quick(max_epochs=1), {"n_filters": [2, 3]}, cv=GroupKFold(2), error_score="raise"
    )
    assert search.fit(X, y, groups=speakers).best_params_["n_filters"] in (2, 3)


def test_parameters_of_the_front_end_are_read_and_set():
    net = quick(frontend=MelSpectrogram(sample_rate=8000, n_mels=20))
    assert net.get_params()["frontend__n_mels"] == 20
    assert net.set_params(frontend__n_mels=30) is net
    assert net.frontend.n_mels == 30
    copy = clone(net)
    assert copy.frontend is not net.frontend
    assert copy.frontend.n_mels == 30
    # the estimator is set before its parameters, whatever the order
    net.set_params(frontend__n_mels=12, frontend=MelSpectrogram(sample_rate=4000))
    assert (net.frontend.sample_rate, net.frontend.n_mels) == (4000, 12)


@pytest.mark.parametrize(
    "name",
    ["frontend__n_melz", "n_layerz", "n_layers__deep", "module__n_layers", "criterion__weight"],
)
def test_unknown_parameters_are_refused(name):
    net = quick(frontend=MelSpectrogram(sample_rate=8000))
    with pytest.raises(ValueError, match=name.removeprefix("frontend__")):
        net.set_params(**{name: 3})


def test_nested_parameters_of_no_front_end_are_refused():
    with pytest.raises(ValueError, match=r"frontend=None of .* is not an estimator"):
        quick().set_params(frontend__n_mels=3)


def test_setting_parameters_changes_nothing_that_was_fitted():
    net = quick().fit(X, y)
    before, predicted = weights(net), net.predict_proba(X)
    net.set_params(n_layers=3, n_filters=9, dropout=0.5, lr=1.0)
    assert np.array_equal(weights(net), before)
    assert np.array_equal(net.predict_proba(X), predicted)


def test_numbers_of_any_kind_are_converted():
    whole = np.round(X * 8).astype(np.float32)
    expected = quick().fit(whole, y).predict_proba(whole)
    for same in (
        whole.astype(np.float64), whole.astype(np.int32), whole.astype(np.int8),
        whole.tolist(), np.asfortranarray(whole), whole[::-1].copy()[::-1],
    ):  # fmt: skip
        assert np.array_equal(quick().fit(same, list(y)).predict_proba(same), expected)


def test_input_is_left_unchanged():
    given = X.copy()
    quick(max_epochs=1).fit(given, y).predict(given)
    assert np.array_equal(given, X)


@pytest.mark.parametrize(("value", "said"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_nan_and_infinity_are_refused(value, said):
    broken = X.copy()
    broken[5, 2, 3] = value
    with pytest.raises(ValueError, match=said):
        quick().fit(broken, y)
    net = quick(max_epochs=1).fit(X, y)
    for method in (net.predict, net.predict_proba, net.predict_log_proba):
        with pytest.raises(ValueError, match=said):
            method(broken)


def test_other_numbers_of_bands_are_refused():
    net = quick(max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match=r"X has 5 features, but .* is expecting 6 features"):
        net.predict(X[:, :5])
    with pytest.raises(ValueError, match=r"4: spectrograms are \(n_clips, n_bands, n_frames\)"):
        net.predict(X[..., None])


def batches_of(**parameters):
    spy = Spy()
    quick(max_epochs=2, callbacks=[spy], **parameters).fit(numbered(X), y)
    return spy.batches


def joined(batches):
    return [clip for batch in batches for clip in batch]


def test_batches_are_shuffled_anew_each_epoch_unless_told_otherwise():
    batches = batches_of()
    first, second = joined(batches[:3]), joined(batches[3:])
    assert sorted(first) == sorted(second) == list(range(48))
    assert first != second != list(range(48)) != first
    assert joined(batches_of(iterator_train__shuffle=False)) == 2 * list(range(48))


def test_batch_sizes_are_honoured():
    assert [len(b) for b in batches_of(batch_size=20)] == [20, 20, 8] * 2
    assert [len(b) for b in batches_of(iterator_train__batch_size=30)] == [30, 18] * 2
    assert [len(b) for b in batches_of(batch_size=-1)] == [48] * 2
    assert [len(b) for b in batches_of(batch_size=20, iterator_train__drop_last=True)] == [20] * 4


def test_a_last_batch_of_one_clip_joins_the_one_before():
    # batch norm cannot be trained on one value
    assert [len(b) for b in batches_of(batch_size=47)] == [48] * 2


def test_a_sampler_decides_which_clips_come():
    sampler = SequentialSampler(range(10))
    batches = batches_of(batch_size=4, iterator_train__sampler=sampler)
    assert batches[:3] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    with pytest.raises(ValueError, match="sampler and shuffle=True exclude each other"):
        batches_of(iterator_train__sampler=sampler, iterator_train__shuffle=True)


def test_a_random_sampler_follows_random_state():
    def one(seed):
        weight = torch.arange(48, dtype=torch.double)
        sampler = torch.utils.data.WeightedRandomSampler(weight, 48)
        return batches_of(random_state=seed, iterator_train__sampler=sampler)

    assert one(0) == one(0) != one(1)
    assert all(0 not in batch for batch in one(0))


def test_what_the_iterator_cannot_honour_is_refused():
    with pytest.raises(ValueError, match=r"'num_workers'.*cannot be honoured"):
        batches_of(iterator_train__num_workers=2)
    net = quick(max_epochs=1, iterator_valid__pin_memory=True)
    with pytest.raises(ValueError, match=r"'pin_memory'.*cannot be honoured"):
        net.fit(X, y).predict(X)


def test_a_stock_data_loader_may_be_asked_for():
    net = quick(max_epochs=12, iterator_train=DataLoader, iterator_train__shuffle=True)
    assert net.fit(X, y).score(X, y) > 0.9
