"""An autoencoder as the first layers of a classifier, fitted on the training clips only."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sklearn_speech import TrainableFrontEnd
from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.feature_extraction import MelSpectrogram, SpectrogramScaler
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.pretraining import ConvAutoencoder
from tests.base.toy import Spy, numbered, toy_spectrograms

X, y, speakers = toy_spectrograms(n_bands=10, n_frames=13)


def encoder(**parameters):
    defaults = {"n_layers": 2, "n_filters": 4, "max_epochs": 1, "device": "cpu"}
    return ConvAutoencoder(**{**defaults, **parameters})


def quick(**parameters):
    defaults = {
        "n_layers": 1, "n_filters": 5, "max_epochs": 2, "batch_size": 16, "lr": 0.03,
        "device": "cpu", "random_state": 0, "pretrainer": encoder(),
    }  # fmt: skip
    return SpectrogramCNNClassifier(**{**defaults, **parameters})


def with_gaps(labels, missing):
    """The labels, with -1 for missing ones."""
    labels = labels.astype(object)
    labels[missing] = -1
    return labels


missing = np.arange(48) % 4 > 0


class RecordingAutoencoder(ConvAutoencoder):
    """Records the clips it is fitted on, by the number in their first band and frame."""

    clips = []

    def fit(self, X, y=None, *, groups=None, X_val=None):
        self.clips.append([int(clip[0, 0]) for clip in X])
        return super().fit(X, y, groups=groups, X_val=X_val)


@pytest.fixture
def recorder(monkeypatch):
    monkeypatch.setattr(RecordingAutoencoder, "clips", [])
    return RecordingAutoencoder(
        n_layers=1, n_filters=3, max_epochs=1, device="cpu", input_norm=None
    )


def stages_of(classifier):
    network = classifier.module_
    return getattr(network, "network", network).stages


def test_training_starts_from_exactly_the_weights_of_the_encoder():
    net = quick(max_epochs=0).fit(X, y)
    trained = net.pretrainer_.module_
    for stage, source in zip(stages_of(net), trained.stages):
        for name, value in source.state_dict().items():
            assert torch.equal(stage.state_dict()[name], value), name
    state = trained.input_norm.state_dict()
    assert all(torch.equal(net.module_.input_norm.state_dict()[n], v) for n, v in state.items())
    x = torch.from_numpy(X)
    with torch.no_grad():
        maps = net.module_.input_norm.eval()(x)[:, None]
        for stage in stages_of(net)[:2].eval():
            maps = stage(maps)[0]
        assert torch.equal(maps, trained.encode(x)[0])


def test_first_layers_have_the_sizes_of_the_encoder_and_further_layers_follow():
    pretrainer = encoder(n_filters=[3, 7], kernel_size=[5, 2], padding="valid", input_norm="band")
    net = quick(pretrainer=pretrainer, n_layers=2, n_filters=[6, 9], kernel_size=1).fit(X, y)
    assert [s.conv.out_channels for s in stages_of(net)] == [3, 7, 6, 9]
    assert [s.kernel_size for s in stages_of(net)] == [(5, 5), (2, 2), (1, 1), (1, 1)]
    assert net.module_.input_norm.kind == "band"
    assert [s.conv.out_channels for s in stages_of(quick(n_layers=0).fit(X, y))] == [4, 4]


class Watch(Callback):
    """Records the state of all layers at the end of each epoch."""

    def __init__(self):
        self.epochs = []

    def on_epoch_end(self, net, **kwargs):
        state = net.module_.state_dict()
        self.epochs.append({name: value.clone() for name, value in state.items()})


@pytest.mark.parametrize("k", [0, 2, 9])
def test_pretrained_layers_are_frozen_for_freeze_pretrained_epochs(k):
    watch = Watch()
    net = quick(max_epochs=4, freeze_pretrained=k, callbacks=[watch], l2=0.1)
    net.fit(X, y)
    start = net.pretrainer_.module_.state_dict()
    pretrained = [n for n in start if n.startswith(("stages", "input_norm"))]
    for epoch, state in enumerate(watch.epochs, 1):
        kept = all(torch.equal(state[n], start[n]) for n in pretrained)
        assert kept == (epoch <= k), f"epoch {epoch}"
    others = "dense.0.weight"
    assert not torch.equal(watch.epochs[0][others], watch.epochs[1][others])
    assert all(p.requires_grad for p in net.module_.parameters())


def test_only_the_pretrainer_uses_unlabelled_clips(recorder):
    class Batches(Callback):
        seen = set()

        def on_batch_begin(self, net, batch=None, training=None, **kwargs):
            self.seen |= set(batch[0][:, 0, 0].int().tolist())

    net = quick(pretrainer=recorder, callbacks=[Batches()])
    net.fit(numbered(X), with_gaps(y, missing))
    assert recorder.clips == [list(range(48))]
    assert Batches.seen == set(np.flatnonzero(~missing))
    assert net.classes_.tolist() == ["no", "up", "yes"]
    assert net.classes_.dtype.kind == "U"


@pytest.mark.parametrize("kind", ["strings", "list", "integers"])
def test_minus_one_means_unlabelled_for_labels_of_any_type(kind):
    codes = np.searchsorted(["no", "up", "yes"], y)
    labels = {
        "strings": with_gaps(y, missing),
        "list": with_gaps(y, missing).tolist(),
        "integers": np.where(missing, -1, codes),
    }[kind]
    net = quick().fit(X, labels, sample_weight=np.arange(1.0, 49), groups=speakers)
    assert len(net.classes_) == 3
    assert set(net.predict(X)) <= set(net.classes_.tolist())


def test_without_a_pretrainer_minus_one_is_a_class():
    codes = np.searchsorted(["no", "up", "yes"], y) - 1
    with pytest.warns(UserWarning, match="without a pretrainer, -1 is a class like any other"):
        net = quick(pretrainer=None).fit(X, codes)
    assert net.classes_.tolist() == [-1, 0, 1]
    assert not hasattr(net, "pretrainer_")


def test_scores_ignore_unlabelled_clips():
    net = quick(max_epochs=8).fit(X, y)
    labels = with_gaps(y, missing)
    assert net.score(X, labels) == net.score(X[~missing], y[~missing])


def test_all_clips_unlabelled_is_an_error():
    with pytest.raises(ValueError, match="all 48 clips are unlabelled"):
        quick().fit(X, np.full(48, -1))


@pytest.mark.parametrize("by_pipeline", [False, True])
def test_pretrainer_is_never_fitted_on_a_held_out_speaker(recorder, by_pipeline):
    net = quick(pretrainer=recorder, max_epochs=1)
    estimator = make_pipeline(SpectrogramScaler(with_mean=False, with_std=False), net)
    labels = with_gaps(y, missing)
    scores = cross_validate_by_speaker(
        estimator if by_pipeline else net, numbered(X), labels, speakers, n_jobs=1
    )
    assert len(recorder.clips) == 4
    held_out = set()
    for clips in recorder.clips:
        absent = set(range(48)) - set(clips)
        names = set(speakers[sorted(absent)])
        assert (
            len(names) == 1
        )  # all clips of one speaker are missing, and no others, labelled or not
        assert absent == set(np.flatnonzero(speakers == names.pop()))
        held_out |= absent
    assert held_out == set(range(48))
    assert len(scores["test_score"]) == 4


def test_search_sets_parameters_of_the_pretrainer(recorder):
    search = GridSearchCV(
        quick(pretrainer=encoder(), max_epochs=1),
        {"pretrainer__n_layers": [1, 2], "n_layers": [0, 1]},
        cv=GroupKFold(2), error_score="raise",
    )  # fmt: skip
    search.fit(X, y, groups=speakers)
    best = search.best_estimator_
    depth = search.best_params_["pretrainer__n_layers"] + search.best_params_["n_layers"]
    assert len(stages_of(best)) == depth


def test_frozen_pretrainer_is_reused():
    fitted = encoder(random_state=0).fit(X)
    weights = fitted.module_.state_dict()
    before = {n: v.clone() for n, v in weights.items()}
    net = quick(pretrainer=FrozenEstimator(fitted), max_epochs=0)
    clone(net).fit(X[:20], y[:20])
    net.fit(X[:20], y[:20])
    assert net.pretrainer_.module_ is fitted.module_
    for name, value in stages_of(net)[1].state_dict().items():
        assert torch.equal(value, before[f"stages.1.{name}"])
    net.set_params(max_epochs=3).fit(X, y)  # training the classifier does not change it
    assert all(torch.equal(v, before[n]) for n, v in fitted.module_.state_dict().items())


def test_pretrainer_that_is_not_frozen_is_cloned_and_fitted():
    mine = encoder()
    net = quick(pretrainer=mine).fit(X, y)
    assert net.pretrainer_ is not mine
    assert not mine.initialized_


def test_other_numbers_of_bands_are_rejected():
    frozen = FrozenEstimator(encoder().fit(X[:, :8]))
    with pytest.raises(ValueError, match="was fitted on 8 bands, but X has 10"):
        quick(pretrainer=frozen).fit(X, y)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_layers": 3}, "fitted with n_layers=2, but now has n_layers=3"),
        ({"n_filters": 6}, "layer 0 .* fitted with n_filters=4, but now has n_filters=6"),
        ({"kernel_size": 5}, "kernel_size=3, but now has kernel_size=5"),
        ({"stride": [2, 1]}, "layer 1 .* stride=2, but now has stride=1"),
        ({"input_norm": "clip"}, "input_norm='batch', but now has input_norm='clip'"),
        ({"batch_norm": False}, "batch_norm=True, but now has batch_norm=False"),
    ],
)
def test_errors_name_parameters_changed_after_its_fit(changes, message):
    fitted = encoder().fit(X)
    fitted.set_params(**changes)
    with pytest.raises(ValueError, match=message):
        quick(pretrainer=FrozenEstimator(fitted)).fit(X, y)


def test_frozen_pretrainer_that_is_not_fitted_is_rejected():
    with pytest.raises(ValueError, match="not fitted"):
        quick(pretrainer=FrozenEstimator(encoder())).fit(X, y)


@pytest.mark.parametrize("random_mel", [False, True])
def test_pretrainer_is_fitted_on_the_output_of_the_untrained_front_end(random_mel):
    W = np.random.default_rng(0).normal(size=(12, 1500)).astype(np.float32)
    front_end = MelSpectrogram(8000, n_mels=12)
    net = quick(
        frontend=TrainableFrontEnd(front_end, random_mel=random_mel), max_epochs=0,
        pretrainer=encoder(input_norm="batch", random_state=0),
    ).fit(W, np.arange(12) % 2)  # fmt: skip
    with torch.no_grad():
        features = net.module_.features(torch.from_numpy(W))[0]
    seen = net.pretrainer_.module_
    assert (seen.n_bands, seen.n_frames) == tuple(features.shape[1:])
    torch.testing.assert_close(seen.input_norm.norm.running_mean, features.mean((0, 2)))
    alone = encoder(input_norm="batch", random_state=0).fit(features.numpy())
    assert torch.equal(alone.module_.stages[0].conv.weight, seen.stages[0].conv.weight)
    if not random_mel:
        np.testing.assert_allclose(front_end.fit_transform(W), features.numpy(), atol=1e-4)


def test_clips_of_different_lengths_are_allowed():
    ragged = np.empty(48, dtype=object)
    ragged[:] = [clip[:, : 4 + i % 9] for i, clip in enumerate(X)]
    net = quick().fit(ragged, with_gaps(y, missing))
    assert net.predict(ragged).shape == (48,)


def test_equal_seeds_give_equal_weights_of_both():
    one, same, other = (quick(random_state=seed).fit(X, y).predict_proba(X) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_partial_fit_pretrains_once():
    net = quick().partial_fit(X, y)
    encoder_before = net.pretrainer_
    net.partial_fit(X, with_gaps(y, missing))
    assert net.pretrainer_ is encoder_before
    assert len(net.history_) == 4


def test_pretrainer_is_removed_by_a_fit_without_one():
    net = quick().fit(X, y)
    assert len(stages_of(net)) == 3
    assert len(stages_of(net.set_params(pretrainer=None).fit(X, y))) == 1


def test_fit_does_not_change_parameters():
    net = quick()
    before = repr(net.get_params())
    net.fit(X, y)
    assert repr(net.get_params()) == before


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("kind", ["array", "list"])
def test_pretrainer_is_never_fitted_on_validation_speakers(recorder, gaps, kind):
    spy = Spy()
    net = quick(pretrainer=recorder, early_stopping=True, validation_fraction=0.3, callbacks=[spy])
    labels = with_gaps(y, missing) if gaps else y
    clips = numbered(X)
    net.fit(list(clips) if kind == "list" else clips, labels, groups=speakers)
    (pretrained,) = recorder.clips
    assert spy.valid
    # all clips of these speakers are left out, unlabelled or not, and no others
    new = set(speakers[spy.valid])
    assert set(pretrained) == set(np.flatnonzero(~np.isin(speakers, sorted(new))))
    known = ~missing if gaps else np.ones(48, dtype=bool)
    assert set(spy.valid) == set(np.flatnonzero(np.isin(speakers, sorted(new)) & known))
    assert set(spy.train) == set(pretrained) & set(np.flatnonzero(known))


def test_without_speakers_the_pretrainer_is_never_fitted_on_validation_clips(recorder):
    spy = Spy()
    net = quick(pretrainer=recorder, early_stopping=True, validation_fraction=0.25, callbacks=[spy])
    with pytest.warns(UserWarning, match="splits off its validation clips at random"):
        net.fit(numbered(X), y)
    assert len(spy.valid) == 12
    assert set(recorder.clips[0]) == set(range(48)) - set(spy.valid) == set(spy.train)


def test_pretrainer_is_never_fitted_on_X_val(recorder):
    net = quick(pretrainer=recorder, early_stopping=True)
    net.fit(numbered(X)[:24], y[:24], X_val=numbered(X)[24:], y_val=with_gaps(y, missing)[24:])
    assert recorder.clips == [list(range(24))]
    assert all("valid_acc" in row for row in net.history_)


def test_clips_of_weight_zero_are_not_used_for_validation(recorder):
    spy, weight = Spy(), np.ones(48)
    weight[::4] = 0
    net = quick(pretrainer=recorder, early_stopping=True, validation_fraction=0.3, callbacks=[spy])
    net.fit(numbered(X), y, groups=speakers, sample_weight=weight)
    assert set(spy.valid) | set(spy.train) <= set(np.flatnonzero(weight))


def test_X_val_needs_labels():
    with pytest.raises(ValueError, match="X_val is given without y_val"):
        quick(early_stopping=True).fit(X, y, X_val=X[:6])
