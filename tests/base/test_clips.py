"""Clips of any length, the front end inside the network, and augmentation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_speech import TrainableFrontEnd
from sklearn_speech.augmentation import Augmentation, Gain, Mixup, SpecAugment
from sklearn_speech.feature_extraction import MFCC, MelSpectrogram
from sklearn_speech.utils.sklearn_private import InvalidParameterError
from sklearn_speech.utils.validation import make_ragged
from tests.base.toy import LABELS, quick, toy_spectrograms, weights

X, y, speakers = toy_spectrograms()
RATE = 4000


def ragged_spectrograms(n_clips=36, seed=0):
    """The toy clips cut to between 1 and 9 frames, in no order of length."""
    lengths = np.random.default_rng(seed).permutation(np.arange(n_clips) % 9 + 1)
    return make_ragged(clip[:, :n] for clip, n in zip(X, lengths)), y[:n_clips]


def tones(n_clips=24, n_times=800, seed=0):
    """Waveforms of a low, a middle or a high tone in noise, and which."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n_clips) % 3
    hertz = np.array([300.0, 700.0, 1400.0])[codes] * rng.uniform(0.9, 1.1, n_clips)
    waveforms = 0.3 * np.sin(2 * np.pi * hertz[:, None] * np.arange(n_times) / RATE)
    waveforms += 0.02 * rng.normal(size=waveforms.shape)
    return waveforms.astype(np.float32), LABELS[codes]


def mel(**parameters):
    return MelSpectrogram(sample_rate=RATE, n_mels=12, hop_length=80, **parameters)


# Clips that differ in length


@pytest.mark.parametrize("head", ["mean", "max", "mean_max", "bands"])
def test_a_clip_alone_has_the_probabilities_that_it_has_in_company(head):
    clips, labels = ragged_spectrograms()
    net = quick(n_layers=2, head=head, batch_size=7).fit(clips, labels)
    together = net.predict_proba(clips)
    alone = np.concatenate([net.predict_proba(clip[None]) for clip in clips])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert np.ptp(together, axis=0).max() > 0.1


def test_predictions_come_in_the_order_of_the_clips():
    clips, labels = ragged_spectrograms()
    net = quick(batch_size=5).fit(clips, labels)
    order = np.random.default_rng(3).permutation(len(clips))
    np.testing.assert_allclose(
        net.predict_proba(clips[order]), net.predict_proba(clips)[order], atol=1e-5
    )


def test_networks_learn_from_clips_that_differ_in_length():
    lengths = np.random.default_rng(0).integers(5, 10, len(X))
    clips = make_ragged(clip[:, :n] for clip, n in zip(X, lengths))
    net = quick(max_epochs=12).fit(clips, y)
    assert net.score(clips, y) > 0.9
    assert net.score(X, y) > 0.9  # and may be asked about clips of one length
    assert net.input_shape_ == (6, None)


def test_early_stopping_works_on_clips_that_differ_in_length():
    clips, labels = ragged_spectrograms()
    net = quick(early_stopping=True, validation_fraction=0.3)
    net.fit(clips, labels, groups=speakers[: len(clips)])
    assert 0 <= net.history_[-1, "valid_acc"] <= 1


def test_ragged_clips_of_one_length_are_predicted_as_an_array_is():
    net = quick().fit(X, y)
    np.testing.assert_allclose(net.predict_proba(make_ragged(X)), net.predict_proba(X), atol=1e-5)


def test_ragged_clips_of_one_length_train_as_an_array_does():
    # the default optimiser makes steps of one size even of gradients that are rounding alone
    net = quick(optimizer=torch.optim.SGD, dropout=0.0)
    of_array = weights(net.fit(X, y))
    np.testing.assert_allclose(weights(net.fit(make_ragged(X), y)), of_array, atol=1e-5)


def test_long_clips_wait_for_others_of_their_length():
    lengths = np.r_[np.full(20, 4), np.full(20, 9)]
    clips = make_ragged(clip[:, :n] for clip, n in zip(X, lengths))
    seen = []

    class Widths(Augmentation):
        domain, p = "spectrogram", 1.0

        def _transform(self, x, lengths, generator):
            seen.append((x.shape[-1], lengths.tolist()))
            return x, lengths

    quick(batch_size=10, augment=[Widths()]).fit(clips, y[:40])
    assert {width for width, _ in seen} == {4, 9}
    assert all(set(lengths) == {width} for width, lengths in seen)


def test_a_head_that_needs_one_length_says_so():
    clips, labels = ragged_spectrograms()
    with pytest.raises(ValueError, match=r"needs clips of one length.*PadOrTrim"):
        quick(head="flatten").fit(clips, labels)
    net = quick(head="flatten").fit(X, y)
    with pytest.raises(ValueError, match=r"was built for clips of 9 frames.*PadOrTrim"):
        net.predict(X[:, :, :5])


# The front end inside


@pytest.mark.parametrize(
    "front_end", [mel(), MFCC(sample_rate=RATE, n_mels=12, n_mfcc=6, hop_length=80)]
)
def test_a_front_end_inside_gives_what_the_transformer_before_gives(front_end):
    waveforms, labels = tones()
    net = quick(optimizer="sgd")  # Adam makes steps of rounding errors
    inside = clone(net).set_params(frontend=front_end).fit(waveforms, labels)
    before = make_pipeline(clone(front_end), net).fit(waveforms, labels)
    assert inside.history_[-1]["train_loss"] < inside.history_[0]["train_loss"]
    np.testing.assert_allclose(
        inside.predict_proba(waveforms), before.predict_proba(waveforms), atol=1e-4
    )
    assert inside.n_features_in_ == waveforms.shape[1]
    assert inside.module_.front_end.n_bands == before[-1].n_features_in_


def test_a_front_end_inside_agrees_on_clips_that_differ_in_length():
    waveforms, labels = tones()
    lengths = np.random.default_rng(0).integers(100, 800, len(waveforms))
    clips = make_ragged(clip[:n] for clip, n in zip(waveforms, lengths))
    net = quick(optimizer="sgd")  # Adam makes steps of rounding errors
    inside = clone(net).set_params(frontend=mel()).fit(clips, labels)
    before = make_pipeline(mel(), net).fit(clips, labels)
    together = inside.predict_proba(clips)
    np.testing.assert_allclose(together, before.predict_proba(clips), atol=1e-4)
    alone = np.concatenate([inside.predict_proba(clip[None]) for clip in clips])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_features_computed_once_are_those_of_each_epoch():
    waveforms, labels = tones()
    plain = {"frontend": mel(), "optimizer": "sgd"}  # Adam makes steps of rounding errors
    once = quick(**plain).fit(waveforms, labels)
    # an augmentation of waveforms that changes nothing keeps the front end in each step
    always = quick(**plain, augment=[Gain((0, 0))]).fit(waveforms, labels)
    np.testing.assert_allclose(weights(once), weights(always), atol=1e-4)


def bank_before_and_after(train=None, filterbank="free", **parameters):
    waveforms, labels = tones()
    front_end = TrainableFrontEnd(mel(), train=train, filterbank=filterbank)
    net = quick(frontend=front_end, **parameters)
    before = clone(net).set_params(max_epochs=0).fit(waveforms, labels)
    after = net.fit(waveforms, labels)
    return [n.module_.front_end.bank.matrix().detach().numpy() for n in (before, after)], net


@pytest.mark.parametrize("filterbank", ["free", "triangular", "gaussian", "rectangular"])
def test_filters_are_learned_where_that_is_asked_for(filterbank):
    (before, after), net = bank_before_and_after("mel", filterbank)
    assert not np.allclose(before, after, rtol=1e-3, atol=0)
    assert np.isfinite(net.predict_proba(tones()[0])).all()


def test_filters_stay_what_they_were_where_nothing_is_asked_for():
    (before, after), net = bank_before_and_after()
    assert np.array_equal(before, after)
    assert not list(net.module_.front_end.parameters())


def test_sines_and_cosines_are_learned_where_that_is_asked_for():
    (before, after), net = bank_before_and_after("stft")
    assert np.array_equal(before, after)
    names = [name for name, _ in net.module_.front_end.named_parameters()]
    assert names and all(name.startswith("stft") for name in names)
    _, both = bank_before_and_after("both")
    assert len(list(both.module_.front_end.parameters())) > len(names)


def test_learned_filters_stay_inside_their_limits():
    (_, after), _ = bank_before_and_after("mel", lr=1.0, optimizer="sgd")
    assert (after >= 0).all()


def test_the_front_end_may_learn_at_a_rate_of_its_own():
    waveforms, labels = tones()
    net = quick(frontend=TrainableFrontEnd(mel(), lr=1e-4), lr_schedule="constant")
    rates = {
        group["lr"]: group["params"] for group in net.fit(waveforms, labels).optimizer_.param_groups
    }
    inside = list(net.module_.front_end.parameters())
    assert set(rates) == {0.03, 1e-4}
    assert [id(p) for p in rates[1e-4]] == [id(p) for p in inside]


def test_masked_bins_are_not_heard():
    waveforms, labels = tones()
    front_end = TrainableFrontEnd(mel(), train=None, masked_bins=(0, 20))
    net = quick(frontend=front_end).fit(waveforms, labels)
    assert net.module_.front_end.gain[:20].abs().max() == 0


def test_a_search_reaches_into_the_front_end():
    waveforms, labels = tones()
    search = GridSearchCV(
        quick(frontend=mel()), {"frontend__n_mels": [8, 12]}, cv=2, error_score="raise"
    ).fit(waveforms, labels)
    best = search.best_estimator_
    assert best.module_.front_end.n_bands == best.frontend.n_mels
    assert search.estimator.frontend.n_mels == 12


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"frontend": TrainableFrontEnd(mel(), train="mal")}, "'train' parameter of Trainable"),
        ({"frontend": TrainableFrontEnd(mel(), train="all")}, "MelSpectrogram takes train='mel'"),
        (
            {"frontend": TrainableFrontEnd(mel(), train=None, lr=0.1)},
            "lr=0.1 .* no effect",
        ),
        (
            {"frontend": TrainableFrontEnd(mel(), train="stft", random_mel=True)},
            "random_mel=True .* no effect with train='stft'",
        ),
        ({"frontend": TrainableFrontEnd(MelSpectrogram)}, "transformer=<class .* expected an inst"),
        ({"frontend": TrainableFrontEnd(object())}, "'transformer' parameter of Trainable"),
        ({"frontend": MelSpectrogram}, "frontend=<class .* expected a transformer with to_module"),
        ({"frontend": object()}, "frontend=<object .* expected a transformer with to_module"),
        ({"frontend": mel(zero_frames="drop")}, "zero_frames='drop' cannot be used inside"),
    ],
)
def test_impossible_front_ends_are_refused(parameters, message):
    waveforms, labels = tones()
    with pytest.raises((InvalidParameterError, ValueError), match=message):
        quick(**parameters).fit(waveforms, labels)


# Augmentation


class Silence(Augmentation):
    """Leaves nothing of a clip, and counts how often."""

    domain, p = "spectrogram", 1.0

    def __init__(self):
        self.n_calls = 0

    def get_params(self, deep=True):
        return {}

    def _transform(self, x, lengths, generator):
        self.n_calls += 1
        return torch.zeros_like(x), lengths


def test_augmentation_is_for_training_batches_only():
    silence = Silence()
    net = quick(augment=[silence], early_stopping=True, validation_fraction=0.3)
    net.fit(X, y, groups=speakers)
    calls = silence.n_calls
    assert calls == 2 * len(net.history_)  # 24 clips are trained on, none of those put aside
    assert len(np.unique(net.predict_log_proba(X), axis=0)) > 1
    net.predict(X), net.score(X, y), net.predict_log_proba(X)
    assert silence.n_calls == calls


def test_augmentation_changes_training_and_follows_the_seed():
    def trained(**parameters):
        return weights(quick(**parameters).fit(X, y))

    augment = [SpecAugment()]
    assert np.array_equal(trained(augment=augment), trained(augment=augment))
    assert not np.allclose(trained(augment=augment), trained(), atol=1e-3)
    assert not np.allclose(trained(augment=augment), trained(augment=augment, random_state=1))


def test_predictions_are_those_of_the_plain_network():
    net = quick(augment=[SpecAugment(), Mixup()], dropout=0.5).fit(X, y)
    with torch.no_grad():
        logits = net.module_.eval()(torch.from_numpy(X))
    np.testing.assert_allclose(net.predict_proba(X), logits.softmax(1).numpy(), atol=1e-6)
    assert np.array_equal(net.predict_proba(X), net.predict_proba(X))


def test_mixup_mixes_the_loss_as_it_mixes_the_clips(monkeypatch):
    permutation = torch.arange(47, -1, -1)
    share = torch.linspace(0.1, 1, 48)

    def mix(self, x, lengths=None, generator=None):
        mixed = share[:, None, None] * x + (1 - share)[:, None, None] * x[permutation]
        return mixed, lengths, permutation, share

    monkeypatch.setattr(Mixup, "apply", mix)
    net = quick(
        optimizer="sgd", lr=0.1, lr_schedule="constant", weight_decay=0.0, batch_size=-1,
        max_epochs=1, iterator_train__shuffle=False, augment=[Mixup()],
    )  # fmt: skip
    module = clone(net).set_params(max_epochs=0).fit(X, y).module_.train()
    codes = torch.from_numpy(np.searchsorted(LABELS, y))
    logits = module(mix(None, torch.from_numpy(X))[0])
    ours = F.cross_entropy(logits, codes, reduction="none")
    theirs = F.cross_entropy(logits, codes[permutation], reduction="none")
    (share * ours + (1 - share) * theirs).mean().backward()
    expected = torch.cat([(p - 0.1 * p.grad).detach().ravel() for p in module.parameters()])
    np.testing.assert_allclose(weights(net.fit(X, y)), expected.numpy(), atol=1e-6)


def test_networks_learn_from_mixed_clips():
    net = quick(augment=[Mixup(0.4)], max_epochs=15).fit(X, y)
    assert net.score(X, y) > 0.9
    clips, labels = ragged_spectrograms()
    assert np.isfinite(quick(augment=[Mixup()]).fit(clips, labels).predict_proba(clips)).all()


def test_waveforms_are_changed_before_the_front_end_and_spectrograms_after():
    waveforms, labels = tones()
    shapes = []

    class Look(Augmentation):
        p = 1.0

        def __init__(self, domain="waveform"):
            self.domain = domain

        def _transform(self, x, lengths, generator):
            shapes.append((self.domain, tuple(x.shape[1:])))
            return x, lengths

    augment = [Look("spectrogram"), Look("waveform")]
    quick(frontend=mel(), augment=augment, max_epochs=1).fit(waveforms, labels)
    assert shapes[:2] == [("waveform", (800,)), ("spectrogram", (12, 11))]


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (["noise"], r"augment\[0\]='noise': expected an augmentation"),
        ([SpecAugment(), Gain()], r"augment\[1\]=Gain.* takes spectrograms; set frontend="),
    ],
)
def test_augmentations_that_do_not_fit_are_named(augment, message):
    with pytest.raises(ValueError, match=message):
        quick(augment=augment).fit(X, y)


@pytest.mark.parametrize("n_clips", [1, 2, 5, 15, 16])
def test_predict_computes_no_clips_besides_those_that_it_is_given(n_clips):
    clips = np.tile(X, (1, 3, 3))
    net = quick(max_epochs=1).fit(clips, y)
    seen = []
    net.module_.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    few = net.predict_proba(clips[:n_clips])
    assert seen == [n_clips]
    np.testing.assert_allclose(few, net.predict_proba(clips)[:n_clips], rtol=1e-4, atol=1e-6)
