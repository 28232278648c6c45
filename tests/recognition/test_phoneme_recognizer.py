"""The recogniser as an estimator: training, input, output and errors."""

import pickle
import warnings
from itertools import pairwise

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_speech import TrainableFrontEnd, cross_validate_by_speaker, load, save
from sklearn_speech.augmentation import SpecAugment, SpeedPerturb
from sklearn_speech.base import BaseSpeechClassifier
from sklearn_speech.datasets import make_spoken_digits
from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.inspection import PosteriorgramDisplay
from sklearn_speech.metrics import phone_error_rate, phone_error_rate_scorer
from sklearn_speech.modules.phoneme_net import ENCODERS
from sklearn_speech.recognition import PhonemeRecognizer
from sklearn_speech.utils.validation import make_ragged

SPECTRA = np.array([[0, 0, 0, 0, 0, 0], [3, 3, 0, 0, 0, 0], [0, 0, 3, 3, 0, 0], [0, 0, 0, 0, 3, 3]])
PHONES = ["ah", "n", "s"]


def clips(n_clips=40, seed=0):
    """Spectrograms in which each phone has its own bands, phones, and speakers."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n_clips):
        codes = rng.permutation([1, 2, 3])[: rng.integers(1, 4)]
        labels = np.concatenate([[0, 0], *[[c] * rng.integers(4, 9) for c in codes], [0, 0]])
        X.append((SPECTRA[labels] + rng.normal(scale=0.3, size=(len(labels), 6))).T)
        y.append([PHONES[c - 1] for c in codes])
    return make_ragged(X), y, np.repeat(["a", "b", "c", "d"], n_clips // 4)


def quick(**parameters):
    defaults = {
        "hidden_units": 8, "n_filters": 4, "max_epochs": 2, "batch_size": 8, "input_norm": None,
        "device": "cpu", "random_state": 0,
    }  # fmt: skip
    if parameters.get("encoder", "conv-lstm") != "conv-lstm":
        del defaults["n_filters"]
    return PhonemeRecognizer(**{**defaults, **parameters})


@pytest.fixture(scope="module")
def learned():
    X, y, _ = clips()
    recognizer = quick(
        max_epochs=40, lr=0.03, hidden_units=16, time_stride=1, dropout=0.0, segment_model=True
    )
    return recognizer.fit(X, y)


def close(one, other):
    return all(np.allclose(a, b, atol=1e-4) for a, b in zip(one, other))


def test_it_learns_phone_sequences_and_their_times(learned):
    X, y, _ = clips(20, seed=1)
    assert learned.score(X, y) > 0.95
    assert learned.score(X, y) == 1 - phone_error_rate(y, learned.predict(X))
    errors = []
    for spectrogram, segments, phones in zip(X, learned.align(X, y), y):
        assert [phone for _, _, phone in segments] == phones
        # each clip has two frames of silence at both ends and no pauses
        errors += [segments[0][0] - 0.02, segments[-1][1] - 0.01 * (spectrogram.shape[1] - 2)]
        errors += [start - stop for (_, stop, _), (start, _, _) in pairwise(segments)]
    assert np.mean(np.abs(errors) < 0.025) > 0.9


@pytest.mark.parametrize("encoder", ENCODERS)
def test_posteriors_of_a_clip_do_not_depend_on_its_batch(encoder):
    X, y, _ = clips(12)
    recognizer = quick(encoder=encoder, max_epochs=1).fit(X, y)
    together = recognizer.predict_log_proba(X)
    assert close(together, [recognizer.predict_log_proba(X[i : i + 1])[0] for i in range(12)])
    recognizer.set_params(batch_size=3)
    assert close(together, recognizer.predict_log_proba(X))
    order = np.random.default_rng(0).permutation(12)
    assert close(together[order], recognizer.predict_log_proba(X[order]))


def test_posteriors_of_blank_and_phones_sum_to_one_in_each_frame(learned):
    X, _, _ = clips(6)
    for spectrogram, posteriors in zip(X, learned.predict_log_proba(X)):
        assert posteriors.shape == (spectrogram.shape[1], 4)
        np.testing.assert_allclose(np.exp(posteriors).sum(1), 1, rtol=1e-4)
    assert learned.phones_.tolist() == PHONES


def test_one_array_and_ragged_clips_give_equal_posteriors():
    X, y = np.random.default_rng(0).normal(size=(6, 5, 12)), [["s"], ["n"], [], ["s", "n"]] * 2
    recognizer = quick(max_epochs=1).fit(X, y[:6])
    assert close(recognizer.predict_log_proba(X), recognizer.predict_log_proba(make_ragged(X)))


def test_front_end_inside_equals_front_end_outside():
    speech = make_spoken_digits(2, 1, digits=[2, 6], random_state=0)
    front_end = MelSpectrogram(8000, n_mels=20, scaling="log")
    inside = quick(frontend=front_end, max_epochs=1).fit(speech.data, speech.phones)
    outside = make_pipeline(front_end, quick(max_epochs=1)).fit(speech.data, speech.phones)
    assert close(inside.predict_log_proba(speech.data), outside.predict_log_proba(speech.data))
    for segments, clip in zip(inside.align(speech.data, speech.phones), speech.data):
        assert 0 <= segments[0][0] and segments[-1][1] <= len(clip) / 8000


@pytest.mark.parametrize(
    "settings",
    [
        {"train": "mel"}, {"train": "stft"}, {"train": "both"},
        {"train": "mel", "random_mel": True}, {"masked_bins": (10, 20)},
        {"transformer__n_mels": 10},
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoder", ["linear-lstm", "bcresnet"])
def test_every_parameter_of_a_trainable_front_end_is_trained(encoder, settings):
    speech = make_spoken_digits(1, 1, digits=[2, 6], random_state=0)
    front_end = MelSpectrogram(8000, n_fft=128, hop_length=80, n_mels=20, scaling="log")
    front_end = TrainableFrontEnd(front_end, train=None).set_params(**settings)
    variant = {"variant": "reference"} if encoder == "bcresnet" else {}
    recognizer = quick(frontend=front_end, encoder=encoder, max_epochs=2, **variant)
    recognizer.fit(speech.data, speech.phones)
    moved = [
        not np.array_equal(p.detach(), q.detach())
        for p, q in zip(
            recognizer.module_.front_end.parameters(),
            clone(recognizer).set_params(max_epochs=0).fit(speech.data, speech.phones)
            .module_.front_end.parameters(),
        )
    ]  # fmt: skip
    assert all(moved)
    assert len(moved) == {None: 0, "mel": 1, "both": 3}.get(front_end.train, 2)


def test_equal_seeds_pickles_and_saved_files_give_equal_output(learned, tmp_path):
    X, y, _ = clips(8)
    path = tmp_path / "recognizer.safetensors"
    save(learned, path)
    for copy in (pickle.loads(pickle.dumps(learned)), load(path)):
        assert close(copy.predict_log_proba(X), learned.predict_log_proba(X))
        assert copy.align(X, y).tolist() == learned.align(X, y).tolist()
    once, twice = (quick().fit(X, y).predict_log_proba(X) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, twice))


def test_beam_with_a_language_model_prefers_sequences_of_the_training_set():
    X, _, _ = clips(30)
    rng = np.random.default_rng(0)
    noise = make_ragged(rng.normal(size=(6, 12)) for _ in range(5))
    y = [["n", "s"]] * 30
    recognizer = quick(
        decoder="beam", language_model=2, language_model_weight=3.0, insertion_bonus=6.0, lr=1e-6
    ).fit(X, y)
    assert {tuple(phones[:2]) for phones in recognizer.predict(noise)} == {("n", "s")}
    assert load_saved(recognizer).predict(noise).tolist() == recognizer.predict(noise).tolist()


def load_saved(recognizer):
    return pickle.loads(pickle.dumps(recognizer))


def test_beam_is_at_least_as_good_on_clear_speech(learned):
    X, y, _ = clips(10, seed=2)
    greedy = learned.score(X, y)
    try:
        assert learned.set_params(decoder="beam").score(X, y) >= greedy
    finally:
        learned.set_params(decoder="greedy")


def test_it_is_not_a_classifier_and_is_scored_by_speaker():
    X, y, speakers = clips()
    recognizer = quick()
    assert not isinstance(recognizer, BaseSpeechClassifier)
    assert not hasattr(recognizer, "predict_proba")
    found = cross_validate(
        recognizer, X, y, groups=speakers, cv=GroupKFold(2), scoring=phone_error_rate_scorer
    )
    assert (found["test_score"] <= 0).all()
    by_speaker = cross_validate_by_speaker(recognizer, X, y, speakers, cv=2)
    assert len(by_speaker["test_score"]) == 2


# after three epochs the network outputs blank only, which does not matter here
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_validation_error_rate_is_recorded_each_epoch():
    X, y, speakers = clips()
    recognizer = quick(early_stopping=True, validation_fraction=0.25, max_epochs=3)
    recognizer.fit(X, y, groups=speakers)
    assert all(row["valid_per"] >= 0 for row in recognizer.history_)
    held = quick(max_epochs=1).fit(X[:30], y[:30], X_val=X[30:], y_val=y[30:])
    rate = phone_error_rate(y[30:], held.predict(X[30:]))
    assert held.history_[-1]["valid_per"] == pytest.approx(rate)


def test_clips_of_weight_zero_have_no_effect_and_may_be_too_short():
    X, y, _ = clips(12)
    weight = np.ones(13)
    weight[12] = 0
    more = make_ragged([*X, X[0][:, :1]])
    with_zero = quick().fit(more, [*y, ["n", "s"]], sample_weight=weight)
    without = quick().fit(X, y)
    assert close(with_zero.predict_log_proba(X), without.predict_log_proba(X))


def test_partial_fit_with_augmentation_learns_all_given_phones():
    speech = make_spoken_digits(2, 1, digits=[2, 6], random_state=0)
    recognizer = quick(
        frontend=MelSpectrogram(8000, n_mels=20), augment=[SpeedPerturb(), SpecAugment()]
    )
    recognizer.partial_fit(
        speech.data, speech.phones, phones=["t", "uw", "s", "ih", "kcl", "k", "z"]
    )
    assert recognizer.phones_.tolist() == ["ih", "k", "kcl", "s", "t", "uw", "z"]
    recognizer.partial_fit(speech.data, speech.phones)
    assert len(recognizer.history_) == 4


def test_clips_without_phones_train_blank_output():
    rng = np.random.default_rng(0)
    X = make_ragged(rng.normal(size=(6, 10)) for _ in range(8))
    recognizer = quick(max_epochs=20, lr=0.03).fit(X, [["s"]] + [[]] * 7)
    assert sum(len(phones) == 0 for phones in recognizer.predict(X)) >= 7
    assert recognizer.align(X[1:2], [[]])[0] == []


def test_unknown_phones_count_as_errors(learned):
    X, y, _ = clips(4)
    assert learned.score(X, [["zh"] * len(phones) for phones in y]) <= 0


@pytest.mark.parametrize(
    "change, match",
    [
        ({"y": None}, "requires y"),
        ({"y": ["n"] * 8}, r"y\[0\] is 'n'"),
        ({"y": [[]] * 8}, "y contains no phones in any clip"),
        ({"y": [["n"] * 50] + [["n"]] * 7}, r"clip 0 of X gives \d+ frames.* 50 phones need 99"),
        ({"y_val": [["zh"]] * 8}, r"\['zh'\], which are not among the phones_"),
        ({"decoder": "viterbi"}, "decoder"),
        ({"language_model": 2}, "decoder='beam'"),
        ({"time_stride": 0}, "time_stride"),
        ({"y": [["n"]] * 7}, "inconsistent numbers of samples"),
    ],
)  # fmt: skip
def test_errors_name_the_bad_input(change, match):
    X, y, _ = clips(8)
    y_val = change.pop("y_val", y)
    y = change.pop("y", y)
    with pytest.raises((ValueError, TypeError), match=match):
        quick(**change).fit(X, y, X_val=X, y_val=y_val)


def test_alignment_error_names_the_clip_with_too_many_phones(learned):
    X, _, _ = clips(4)
    with pytest.raises(ValueError, match=r"clip 2 of X gives \d+ frames, but its 90 phones need"):
        learned.align(X, [["n"], ["s"], ["n", "s"] * 45, []])


def test_posteriorgram_shows_blank_and_the_phones_of_the_clip():
    speech = make_spoken_digits(1, 2, digits=[2], random_state=0)
    recognizer = quick(frontend=MelSpectrogram(8000, n_mels=20)).fit(speech.data, speech.phones)
    segments = recognizer.align(speech.data[:1], speech.phones[:1])[0]
    display = PosteriorgramDisplay.from_estimator(
        recognizer, speech.data[0], segments=segments, min_posterior=0.0
    )
    assert {"t", "uw", "blank"} == set(display.shown_phones_)
    assert display.frame_period == pytest.approx(0.02)


def test_a_network_that_finds_no_phones_warns(learned):
    X, y, _ = clips(12)
    with pytest.warns(ConvergenceWarning, match="finds no phones in any of 8 training clips"):
        quick(max_epochs=6).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        learned_again = clone(learned).fit(*clips()[:2])
    assert any(learned_again.predict(X))
