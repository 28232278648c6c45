"""A network that starts from the layers of one that was fitted on other recordings."""

import numpy as np
import pytest
import torch
from sklearn.base import clone, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from sklearn_speech import (
    BCResNetClassifier,
    ConvAutoencoder,
    MelSpectrogram,
    SpectrogramCNNClassifier,
    SpectrogramCNNRegressor,
    SpectrogramLinearClassifier,
    SpeechEmbedding,
    TrainableFrontEnd,
    WaveformCNNClassifier,
    WaveformMLPClassifier,
    cross_validate_by_speaker,
    load,
    load_onnx,
    save,
    to_onnx,
)
from sklearn_speech.augmentation import AddNoise
from tests.base.toy import toy_spectrograms
from tests.estimators import ESTIMATORS

SPECTROGRAMS, WORDS, SPEAKERS = toy_spectrograms(n_clips=24)
WAVES = np.random.default_rng(0).normal(size=(24, 400)).astype(np.float32)
OTHER_WORDS = np.array(["a", "b", "c", "d"])[np.arange(24) // 2 % 4]
FRONT_END = TrainableFrontEnd(MelSpectrogram(8000, n_fft=64, n_mels=6), train="mel", lr=1e-3)
NETWORKS = [e for e in ESTIMATORS if "pretrainer" in e.get_params(deep=False)]
by_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda e: type(e).__name__)
#: One of each kind of network: regressors have the same layers.
KINDS = [network for network in NETWORKS if not is_regressor(network)]
by_kind = pytest.mark.parametrize("network", KINDS, ids=lambda e: type(e).__name__)


def own_encoder(bias=True):
    convolution = torch.nn.Conv1d(1, 6, 40, stride=20, bias=bias)
    encoder = torch.nn.Sequential(torch.nn.Unflatten(1, (1, -1)), convolution)
    return SpeechEmbedding(encoder=encoder, window_length=40, hop_length=20)


def small(network, **parameters):
    """The network, with few epochs; the linear ones with a front end, their only other layer."""
    network = clone(network).set_params(max_epochs=1, batch_size=24)
    if "Linear" in type(network).__name__:
        network.set_params(frontend=FRONT_END)
    return network.set_params(**parameters)


def clips_of(network):
    on_waves = network.reads == "waveform" or network.frontend is not None
    return WAVES if on_waves else SPECTROGRAMS


def targets_of(network, labels):
    return np.unique(labels, return_inverse=True)[1].astype(float) if is_regressor(network) else (
        labels
    )  # fmt: skip


def fitted(network, **parameters):
    source = small(network, **parameters)
    return source.fit(clips_of(source), targets_of(source, OTHER_WORDS))


def heir(network, source, **parameters):
    """A network with the layers of another one, and no further ones."""
    net = small(network, pretrainer=FrozenEstimator(source), **parameters)
    return net.set_params(n_layers=0) if "n_layers" in net.get_params(deep=False) else net


def layers_of(net):
    """Weights and statistics of all layers but the output layers, by name."""
    module, state = net.module_, {}
    if hasattr(module, "front_end"):
        state = {f"front_end.{n}": v for n, v in module.front_end.state_dict().items()}
        module = module.network
    for name, layer in module.backbone().items():
        state |= {f"{name}.{n}": v for n, v in layer.state_dict().items()}
    return {name: value.clone() for name, value in state.items()}


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


class Watch(Callback):
    """Records the layers at the end of each epoch."""

    def __init__(self):
        self.epochs = []

    def on_epoch_end(self, net, **kwargs):
        self.epochs.append(layers_of(net))


@by_network
def test_every_network_starts_from_all_layers_but_the_last_and_never_changes_their_source(network):
    source = fitted(network)
    learned = layers_of(source)
    net = heir(network, source, max_epochs=0)
    X, y = clips_of(net), targets_of(net, WORDS)
    assert equal(layers_of(net.fit(X, y)), learned)
    assert any(v.is_floating_point() and v.numel() for v in learned.values())
    assert net.predict(X).shape == y.shape
    assert set(net.predict(X)) <= set(y.tolist()) or is_regressor(net)
    net.set_params(max_epochs=2).fit(X, y)
    assert not equal(layers_of(net), learned)
    assert equal(layers_of(source), learned)


@by_kind
@pytest.mark.parametrize("frozen", [1, True])
def test_frozen_layers_keep_weights_and_statistics_while_the_head_learns(network, frozen):
    source, watch = fitted(network), Watch()
    net = heir(network, source, freeze_pretrained=frozen, max_epochs=2)
    before = {n for n, p in source.module_.named_parameters() if p.requires_grad}
    X, y = clips_of(net), targets_of(net, WORDS)
    start = clone(net).set_params(max_epochs=0).fit(X, y).module_.state_dict()
    net.set_params(callbacks=[watch]).fit(X, y)
    learned = layers_of(source)
    assert [equal(epoch, learned) for epoch in watch.epochs] == [True, frozen is True]
    assert any(not torch.equal(v, start[n]) for n, v in net.module_.state_dict().items())
    assert {n for n, p in net.module_.named_parameters() if p.requires_grad} == before


@by_kind
def test_it_is_saved_and_loaded_cloned_and_repeated(network, tmp_path):
    source = fitted(network)
    net = heir(network, source, pretrained_lr=1e-4)
    X, y = clips_of(net), targets_of(net, WORDS)
    expected = net.fit(X, y).predict(X)
    save(net, tmp_path / "net")
    loaded = load(tmp_path / "net")
    assert np.array_equal(loaded.predict(X), expected)
    assert equal(layers_of(loaded.pretrainer.estimator), layers_of(source))
    assert equal(layers_of(clone(net).fit(X, y)), layers_of(net))


@by_kind
def test_pretrained_layers_have_a_learning_rate_of_their_own(network):
    net = heir(network, fitted(network), pretrained_lr=1e-5, lr=0.01, max_epochs=0)
    net.fit(clips_of(net), targets_of(net, WORDS))
    rates = {id(p): g["lr"] for g in net.optimizer_.param_groups for p in g["params"]}
    module = net.module_
    own_rate = [1e-3] if hasattr(module, "front_end") else []
    front = list(module.front_end.parameters()) if own_rate else []
    assert {rates[id(p)] for p in front} == set(own_rate)
    module = getattr(module, "network", module)
    layers = [p for layer in module.backbone().values() for p in layer.parameters()]
    assert {rates[id(p)] for p in layers} <= {1e-5}
    inside = {id(p) for p in layers + front}
    assert {rate for p, rate in rates.items() if p not in inside} == {0.01}


def test_layers_follow_those_of_the_pretrainer_with_the_next_default_sizes():
    source = SpectrogramCNNClassifier(2, max_epochs=0).fit(SPECTROGRAMS, OTHER_WORDS)
    net = SpectrogramCNNClassifier(1, pretrainer=FrozenEstimator(source), max_epochs=0)
    net.fit(SPECTROGRAMS, WORDS)
    assert [s["out_channels"] for s in net.module_.stage_settings] == [24, 48, 96]
    again = SpectrogramCNNClassifier(1, pretrainer=FrozenEstimator(net), max_epochs=0)
    again.fit(SPECTROGRAMS, WORDS)
    assert [s["out_channels"] for s in again.module_.stage_settings] == [24, 48, 96, 128]
    source = WaveformCNNClassifier(1, first_filters=5, max_epochs=0).fit(WAVES, OTHER_WORDS)
    net = WaveformCNNClassifier(1, pretrainer=FrozenEstimator(source), max_epochs=0)
    net.fit(WAVES, WORDS)
    assert [s["out_channels"] for s in net.module_.stage_settings] == [32, 64]
    assert net.module_.first.out_channels == 5


def test_a_regressor_starts_from_a_classifier_and_the_other_way_round():
    numbers = np.arange(24.0)
    classifier = SpectrogramCNNClassifier(1, max_epochs=1).fit(SPECTROGRAMS, WORDS)
    regressor = SpectrogramCNNRegressor(0, pretrainer=FrozenEstimator(classifier), max_epochs=0)
    assert equal(layers_of(regressor.fit(SPECTROGRAMS, numbers)), layers_of(classifier))
    back = SpectrogramCNNClassifier(0, pretrainer=FrozenEstimator(regressor), max_epochs=0)
    assert equal(layers_of(back.fit(SPECTROGRAMS, WORDS)), layers_of(classifier))


def test_every_fold_starts_from_the_same_fitted_network():
    source = SpectrogramCNNClassifier(1, n_filters=4, max_epochs=1, random_state=0)
    learned = layers_of(source.fit(SPECTROGRAMS, OTHER_WORDS))
    net = SpectrogramCNNClassifier(
        0, pretrainer=FrozenEstimator(source), freeze_pretrained=True, max_epochs=1, random_state=0
    )
    found = cross_validate_by_speaker(
        net, SPECTROGRAMS, WORDS, SPEAKERS, return_estimator=True, n_jobs=1
    )
    assert len(found["estimator"]) == 4
    assert all(equal(layers_of(fold), learned) for fold in found["estimator"])
    assert equal(layers_of(source), learned)


def test_unlabelled_clips_are_left_out():
    source = SpectrogramCNNClassifier(1, n_filters=4, max_epochs=1).fit(SPECTROGRAMS, OTHER_WORDS)
    net = SpectrogramCNNClassifier(
        0, pretrainer=FrozenEstimator(source), max_epochs=2, device="cpu", random_state=0
    )
    some = np.arange(24) % 4 > 0
    labels = np.where(some, WORDS.astype(object), -1)
    expected = clone(net).fit(SPECTROGRAMS[some], WORDS[some]).predict_proba(SPECTROGRAMS)
    assert np.array_equal(net.fit(SPECTROGRAMS, labels).predict_proba(SPECTROGRAMS), expected)


def test_a_constant_front_end_of_a_frozen_pretrainer_runs_once(monkeypatch):
    source = fitted(SpectrogramCNNClassifier(1, n_filters=4), frontend=FRONT_END)
    net = heir(source, source, freeze_pretrained=True, max_epochs=4).fit(WAVES, WORDS)
    calls = []
    front_end = type(net.module_.front_end)
    forward = front_end.forward
    monkeypatch.setattr(
        front_end, "forward", lambda self, x, *more: calls.append(len(x)) or forward(self, x, *more)
    )
    net.fit(WAVES, WORDS)
    assert sum(calls) == len(WAVES)


def test_a_callback_that_freezes_layers_is_not_undone():
    class Freezer(Callback):
        def on_train_begin(self, net, **kwargs):
            net.module_.stages[0].requires_grad_(False)

    source = SpectrogramCNNClassifier(1, n_filters=4, max_epochs=1).fit(SPECTROGRAMS, OTHER_WORDS)
    net = heir(source, source, max_epochs=3, callbacks=[Freezer()]).fit(SPECTROGRAMS, WORDS)
    assert torch.equal(net.module_.stages[0].conv.weight, source.module_.stages[0].conv.weight)


@pytest.mark.slow  # the exporter of torch takes seconds to import
def test_it_is_exported(tmp_path):
    network = SpectrogramCNNClassifier(1, n_filters=4, frontend=FRONT_END)
    net = heir(network, fitted(network))
    net.fit(WAVES, WORDS)
    to_onnx(net, tmp_path / "net.onnx", sample_rate=8000)  # compares the file with the network
    answers = load_onnx(tmp_path / "net.onnx").predict(WAVES)
    assert answers.tolist() == net.predict(WAVES).tolist()


SOURCE = SpectrogramCNNClassifier(1, n_filters=4, max_epochs=0)
WITH_FRONT_END = clone(SOURCE).set_params(frontend=FRONT_END)
OTHER_FRONT_END = clone(FRONT_END).set_params(transformer__n_fft=128)


@pytest.mark.parametrize(
    ("net", "source", "clips", "message"),
    [
        (SpectrogramCNNClassifier(0), SOURCE, SPECTROGRAMS, None),
        (
            BCResNetClassifier(),
            SOURCE,
            SPECTROGRAMS,
            "SpectrogramCNNNet: expected layers of BCResNetNet",
        ),
        (BCResNetClassifier(), ConvAutoencoder(1), SPECTROGRAMS, "class ConvAutoencoderNet"),
        (
            BCResNetClassifier(),
            BCResNetClassifier(2, max_epochs=0),
            SPECTROGRAMS,
            "pretrainer of BCResNetClassifier has tau=2, but BCResNetClassifier has tau=1: set",
        ),
        (
            WaveformCNNClassifier(first_filters=3),
            WaveformCNNClassifier(1, max_epochs=0),
            WAVES,
            "has 32 first filters, but first_filters=3",
        ),
        (
            WaveformMLPClassifier(8),
            WaveformMLPClassifier(8, max_epochs=0),
            WAVES[:, :300],
            "was fitted on 300 samples, but X has 400",
        ),
        (
            SpectrogramCNNClassifier(0),
            SpectrogramCNNClassifier(1, max_epochs=0),
            SPECTROGRAMS[:, :4],
            "was fitted on 4 bands, but X has 6",
        ),
        (
            SpectrogramLinearClassifier(),
            SpectrogramLinearClassifier(max_epochs=0),
            SPECTROGRAMS,
            "no layers with weights before its output layer, and no trained front end",
        ),
        (SpectrogramCNNClassifier(0), WITH_FRONT_END, WAVES, "takes waveforms, with frontend="),
        (
            SpectrogramCNNClassifier(0, frontend=OTHER_FRONT_END),
            WITH_FRONT_END,
            WAVES,
            "a frontend with transformer__n_fft=64, but that of .* has transformer__n_fft=128",
        ),
        (
            SpectrogramCNNClassifier(0, frontend=FRONT_END.transformer),
            WITH_FRONT_END,
            WAVES,
            "(?s)has frontend=TrainableFrontEnd.* but SpectrogramCNNClassifier has frontend=MelSp",
        ),
        (
            SpectrogramCNNClassifier(0, frontend=own_encoder(bias=False)),
            SpectrogramCNNClassifier(1, frontend=own_encoder(), max_epochs=0),
            WAVES,
            r"another encoder than .*: 1\.bias has the shape \(6,\), not None",
        ),
        (SpectrogramCNNClassifier(0), StandardScaler(), None, "expected a network of this library"),
        (
            SpectrogramCNNClassifier(0),
            make_pipeline(MelSpectrogram(), SOURCE),
            None,
            "of a pipeline, pass the network, its last step",
        ),
        (
            SpectrogramCNNClassifier(0),
            GridSearchCV(SpectrogramCNNClassifier(1, max_epochs=0), {"lr": [0.1]}, cv=2),
            SPECTROGRAMS,
            "of a search, pass FrozenEstimator",
        ),
        (SpectrogramCNNClassifier(0), SpectrogramCNNClassifier(1), None, "not fitted"),
    ],
)
def test_layers_that_cannot_be_used_are_named(net, source, clips, message):
    if clips is not None:
        source = clone(source).fit(clips, OTHER_WORDS)
    net = clone(net).set_params(pretrainer=FrozenEstimator(source), max_epochs=0)
    if message is None:
        assert net.fit(clips_of(net), WORDS).pretrainer_.estimator is source
        return
    with pytest.raises(ValueError, match=message):
        net.fit(clips_of(net), WORDS)


@by_kind
def test_a_network_that_is_not_frozen_is_cloned_and_fitted_inside_on_the_labelled_clips(network):
    source = small(network, random_state=0)
    net = heir(network, source, max_epochs=0).set_params(pretrainer=source)
    X, y = clips_of(net), targets_of(net, WORDS)
    some = np.arange(24) % 4 > 0
    net.fit(X, np.where(some, y.astype(object), -1))
    assert not hasattr(source, "module_")
    assert equal(layers_of(net), layers_of(clone(source).fit(X[some], y[some])))


def test_it_is_fitted_on_no_validation_clip_and_with_the_weights_of_the_clips():
    class Watch(SpectrogramCNNClassifier):
        def fit(self, X, y, **options):
            seen.append((len(X), np.sum(options["sample_weight"]), set(options["groups"])))
            return super().fit(X, y, **options)

    seen = []
    net = SpectrogramCNNClassifier(
        1, pretrainer=Watch(1, n_filters=4, max_epochs=0), max_epochs=1, early_stopping=True,
        validation_fraction=0.3, random_state=0,
    )  # fmt: skip
    weights = np.full(24, 0.5)
    net.fit(SPECTROGRAMS, WORDS, groups=SPEAKERS, sample_weight=weights)
    ((n_clips, total, speakers),) = seen
    assert 0 < n_clips < 24 and total == n_clips / 2
    assert n_clips == np.isin(SPEAKERS, list(speakers)).sum()
    assert len(net.module_.stage_settings) == 2


def test_a_fitted_network_that_is_not_frozen_draws_a_warning_where_it_is_used():
    source = SpectrogramCNNClassifier(1, n_filters=4, max_epochs=0).fit(SPECTROGRAMS, OTHER_WORDS)
    net = SpectrogramCNNClassifier(0, pretrainer=source, max_epochs=0)
    with pytest.warns(UserWarning, match="is fitted, but not frozen") as caught:
        net.fit(SPECTROGRAMS, WORDS)
    assert caught[0].filename == __file__
    regressor = SpectrogramCNNRegressor(0, pretrainer=source)
    with pytest.raises(ValueError, match=r"cannot be fitted on the targets of a .*Regressor: fit"):
        regressor.fit(SPECTROGRAMS, np.arange(24.0))


def test_a_rate_for_layers_that_are_never_trained_is_refused():
    net = heir(SOURCE, SOURCE, pretrained_lr=1e-3, freeze_pretrained=True)
    with pytest.raises(ValueError, match=r"pretrained_lr=0.001 .* has no effect with freeze_pretr"):
        net.fit(SPECTROGRAMS, WORDS)
    with pytest.raises(ValueError, match=r"pretrained_lr=0.001 .* needs a pretrainer"):
        net.set_params(pretrainer=None, freeze_pretrained=0).fit(SPECTROGRAMS, WORDS)


def test_parameters_changed_after_the_fit_are_named():
    source = BCResNetClassifier(max_epochs=0).fit(SPECTROGRAMS, OTHER_WORDS)
    source.set_params(tau=2)
    with pytest.raises(ValueError, match=r"fitted with other parameters than it has now: blocks"):
        BCResNetClassifier(2, pretrainer=FrozenEstimator(source)).fit(SPECTROGRAMS, WORDS)


@pytest.mark.parametrize("lr_schedule", ["one_cycle", "swa"])
@pytest.mark.parametrize(("freeze", "augment"), [(True, None), (True, [AddNoise()]), (2, None)])
def test_a_frozen_front_end_changes_in_no_way(freeze, augment, lr_schedule):
    encoder = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, -1)),
        torch.nn.Conv1d(1, 4, 40, stride=20),
        torch.nn.BatchNorm1d(4),
    )
    embedding = SpeechEmbedding(
        8000, encoder=encoder, encoder_sample_rate=8000, window_length=40, hop_length=20
    )
    settings = {
        "frontend": TrainableFrontEnd(embedding, train="all"), "max_epochs": 2, "random_state": 0,
    }  # fmt: skip
    large = SpectrogramCNNClassifier(1, n_filters=2, **settings).fit(WAVES, OTHER_WORDS)
    before = {name: value.clone() for name, value in large.module_.front_end.state_dict().items()}
    small = SpectrogramCNNClassifier(
        0, pretrainer=FrozenEstimator(large), freeze_pretrained=freeze, augment=augment,
        lr_schedule=lr_schedule, **settings,
    ).fit(WAVES, WORDS)  # fmt: skip
    assert any(name.endswith("running_mean") for name in before)
    for name, value in small.module_.front_end.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0, msg=name)
    assert small.module_.train().front_end.training


def test_validation_clips_without_any_label_are_refused():
    large = SpectrogramCNNClassifier(1, n_filters=2, max_epochs=1, random_state=0)
    small = SpectrogramCNNClassifier(0, pretrainer=large, max_epochs=1, random_state=0)
    with pytest.raises(ValueError, match=r"all validation clips are unlabelled \(y_val = -1\)"):
        small.fit(SPECTROGRAMS, WORDS, X_val=SPECTROGRAMS[:2], y_val=[-1, -1])
