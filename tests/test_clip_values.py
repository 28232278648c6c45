"""What clips, labels, weights and speakers must not hold is refused by every estimator."""

import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GroupKFold

from sklearn_speech import (
    ConvAutoencoder,
    PhonemeRecognizer,
    SpectrogramCNNClassifier,
    SpectrogramCNNRegressor,
    SpectrogramLinearClassifier,
    SpectrogramLinearRegressor,
    StratifiedGroupShuffleSplit,
    check_speaker_leakage,
    cross_validate_by_speaker,
)
from sklearn_speech.base import BaseSpeechNet
from sklearn_speech.utils.speakers import check_speakers
from sklearn_speech.utils.validation import make_ragged
from tests.estimators import ESTIMATORS, phone_clips

N, WIDTH = 6, 8
CLIPS = np.random.default_rng(0).normal(scale=0.1, size=(N, WIDTH)).astype(np.float32)

#: A search and a store hand X on to others; prototypes are of tables, not of clips.
CHECKED = [
    estimator
    for estimator in ESTIMATORS
    if type(estimator).__name__ not in ("ClipStore", "OptunaSearchCV", "PrototypeClassifier")
]
NETS = [estimator for estimator in CHECKED if isinstance(estimator, BaseSpeechNet)]


def masked(x):
    return np.ma.masked_array(x, mask=np.arange(x.size).reshape(x.shape) == x.size - 1)


def record(x):
    return np.zeros(x.shape, dtype=[("amplitude", "f4")])


#: Arrays that hold no real numbers, made of one that does, and what the error says.
NO_NUMBERS = {
    "bool": (lambda x: x > 0, "dtype bool"),
    "masked": (masked, "is masked at 1 of"),
    "dates": (lambda x: np.zeros(x.shape, "datetime64[s]"), "dtype datetime64"),
    "durations": (lambda x: np.zeros(x.shape, "timedelta64[s]"), "dtype timedelta64"),
    "complex": (lambda x: x.astype(complex), "Complex data not supported"),
    "records": (record, "dtype .*amplitude"),
    "bytes": (lambda x: np.zeros(x.shape, "V4"), "dtype .V4"),
    "strings": (lambda x: x.astype(str), "holds strings|is not an array of numbers"),
}
#: Values among numbers in an array of objects.
STRANGERS = [True, np.True_, "0.1", b"0.1", 1j, np.datetime64(0, "s"), np.timedelta64(1, "s")]


def clips_for(estimator):
    """Clips of 8 samples, or of 4 bands and 2 frames."""
    takes_frames = estimator.__sklearn_tags__().input_tags.three_d_array
    return [clip.reshape(4, 2) if takes_frames else clip for clip in CLIPS]


def fit(estimator, X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clone(estimator).fit(X, np.arange(len(X)) % 2)


@pytest.mark.parametrize("kind", NO_NUMBERS)
def test_clips_that_hold_no_real_numbers_are_refused_in_every_container(kind):
    change, message = NO_NUMBERS[kind]
    for estimator in CHECKED:
        with pytest.raises(ValueError, match=message):
            fit(estimator, change(CLIPS))
        clips = clips_for(estimator)
        clips[3] = change(clips[3])
        for X in (make_ragged(clips), pd.Series(make_ragged(clips)), clips):
            with pytest.raises(ValueError, match=message) as refused:
                fit(estimator, X)
            assert "clip 3 of X" in str(refused.value)


@pytest.mark.parametrize("value", STRANGERS, ids=repr)
def test_values_among_numbers_that_are_none_are_refused(value):
    X = CLIPS.astype(object)
    X[2, 5] = value
    for estimator in CHECKED:
        for clips in (X, list(X)):
            with pytest.raises(ValueError, match=r"strings|holds .*: expected real|Complex"):
                fit(estimator, clips)


def test_columns_that_hold_no_numbers_are_named():
    for dtype, message in (("bool", "bool"), ("boolean", "boolean"), ("datetime64[ns]", "date")):
        table = pd.DataFrame(CLIPS, columns=list("abcdefgh"))
        table["c"] = pd.Series([0, 1] * 3).astype(dtype)
        for estimator in CHECKED:
            with pytest.raises(ValueError, match=f"column 'c' of X has dtype {message}"):
                fit(estimator, table)


@pytest.mark.parametrize("first", [None, np.nan, 3])
def test_a_first_clip_that_is_none_is_named(first):
    X = make_ragged([first, *CLIPS])
    for estimator in CHECKED:
        with pytest.raises(ValueError, match="clip 0 of X"):
            fit(estimator, X)


def numbers(X):
    """Ways to hold the numbers of a float32 array."""
    locked = X.copy()
    locked.flags.writeable = False
    return [
        locked,
        np.asfortranarray(X),
        np.repeat(X, 2, axis=1)[:, ::2],
        X.astype(">f4"),
        np.ma.masked_array(X),
        X.astype(object),
        X.tolist(),
        torch.from_numpy(X.copy()).requires_grad_(),
        [torch.from_numpy(x.copy()) for x in X],
        pd.DataFrame(X).to_numpy(),
    ]


@pytest.mark.parametrize(
    "estimator", [e for e in CHECKED if hasattr(e, "transform")], ids=lambda e: type(e).__name__
)
def test_numbers_give_the_same_result_in_every_container(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = clone(estimator).fit(CLIPS)
        expected = fitted.transform(CLIPS)
        for X in numbers(CLIPS):
            np.testing.assert_allclose(fitted.transform(X), expected, rtol=1e-5, atol=1e-6)


def test_values_that_float32_cannot_hold_are_refused_by_clip():
    X = CLIPS.astype(np.float64)
    X[4] *= 1e300
    for net in NETS:
        with pytest.raises(ValueError, match=r"infinite for clip 4 of X.*float32"):
            fit(net, X)


# Results


@pytest.mark.parametrize(
    "estimator", [e for e in CHECKED if hasattr(e, "transform") and e not in NETS], ids=str
)
def test_results_of_transformers_are_finite_or_refused_by_clip(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = clone(estimator).fit(CLIPS)
        for factor in (1e38, 1e25, 1e-45):
            X = CLIPS.copy()
            X[4] *= factor
            try:
                assert np.isfinite(fitted.transform(X)).all()
            except ValueError as error:
                assert "for clip 4 of X" in str(error), factor


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("net", NETS, ids=lambda net: type(net).__name__)
def test_outputs_that_are_not_finite_are_refused(net, value):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = clone(net).set_params(max_epochs=1).fit(CLIPS, np.arange(N) % 2)
    with torch.no_grad():
        list(net.module_.parameters())[-1].fill_(value)
    methods = ("predict", "predict_proba", "predict_log_proba", "transform", "reconstruct")
    for method in filter(lambda name: hasattr(net, name), methods):
        if method == "transform":
            continue  # the last layer belongs to the decoder
        with pytest.raises(ValueError, match=r"output of the network is .* for clip 0 of X"):
            getattr(net, method)(CLIPS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_posteriors_that_are_not_finite_are_refused(value):
    X, y = phone_clips()
    net = PhonemeRecognizer(hidden_units=4, n_filters=4, max_epochs=0, random_state=0).fit(X, y)
    with torch.no_grad():
        list(net.module_.parameters())[-1].fill_(value)
    for method in (net.predict, net.predict_log_proba):
        with pytest.raises(ValueError, match=r"output of the network is .* for clip 0 of X"):
            method(X)


def test_a_clip_that_overflows_is_named():
    net = SpectrogramCNNClassifier(n_layers=1, input_norm=None, max_epochs=1, random_state=0)
    X = np.stack([clip.reshape(4, 2) for clip in CLIPS])
    net.fit(X, [0, 1] * 3)
    X[3] = 3e38
    for clips in (X, make_ragged(X)):
        with pytest.raises(ValueError, match=r"for clip 3 of X: look for extreme values"):
            net.predict(clips)


# Labels

MISSING = [None, np.nan, pd.NA, pd.NaT, np.ma.masked, np.datetime64("NaT")]
LABELS = ["no", "yes"] * 3


def quick(**parameters):
    return SpectrogramCNNClassifier(
        n_layers=1, n_filters=2, max_epochs=1, random_state=0, **parameters
    )


def pretrained():
    return quick(pretrainer=ConvAutoencoder(n_layers=1, n_filters=2, max_epochs=1))


def containers(labels):
    yield labels
    yield tuple(labels)
    yield make_ragged(labels)
    yield pd.Series(labels, dtype=object)


@pytest.mark.parametrize("missing", MISSING, ids=repr)
@pytest.mark.parametrize("make", [quick, pretrained])
def test_a_missing_label_is_named_by_its_clip(missing, make):
    labels = LABELS[:2] + [missing] + LABELS[3:]
    for y in containers(labels):
        with pytest.raises(ValueError, match=r"y\[2\] is"):
            make().fit(CLIPS, y)
    with pytest.raises(ValueError, match=r"y\[2\] is"):
        make().partial_fit(CLIPS, make_ragged(labels))
    with pytest.raises(ValueError, match=r"y\[2\] is"):
        make().fit(CLIPS, LABELS, X_val=CLIPS, y_val=make_ragged(labels))


def test_an_unlabelled_clip_does_not_shift_the_number_of_a_missing_label():
    with pytest.raises(ValueError, match=r"y\[4\] is None"):
        pretrained().fit(CLIPS, make_ragged(["no", -1, -1, "yes", None, "no"]))


@pytest.mark.parametrize("dtype", ["string", "category", "Int64", "Float64", "boolean"])
def test_labels_of_pandas_with_gaps_are_refused(dtype):
    values = {"string": "ab", "category": "ab"}.get(dtype, (0, 1))
    y = pd.Series([*values, None, *values, values[0]], dtype=dtype)
    with pytest.raises(ValueError, match=r"y\[2\] is"):
        quick().fit(CLIPS, y)


def test_masked_labels_are_refused():
    y = np.ma.array([0, 1] * 3, mask=np.arange(6) == 4)
    for net in (quick(), SpectrogramCNNRegressor(n_layers=1, max_epochs=1)):
        with pytest.raises(ValueError, match="y is masked at 1 of 6 values, the first in clip 4"):
            net.fit(CLIPS, y)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_number_is_refused(missing):
    numbers = [1.0, 2.0, missing, 4.0, 5.0, 6.0]
    for y in containers(numbers):
        with pytest.raises((TypeError, ValueError), match=r"y contains NaN|NA"):
            SpectrogramCNNRegressor(n_layers=1, max_epochs=1).fit(CLIPS, y)


def test_the_string_nan_that_numpy_makes_draws_a_warning():
    y = np.array(["no", "yes", np.nan, "no", "yes", "no"])
    with pytest.warns(UserWarning, match=r"y holds the string 'nan' at 1 of 6 .*position 2"):
        quick().fit(CLIPS, y)
    named = np.array(["nan", "yes"] * 3)  # a word like any other
    assert quick().fit(CLIPS, named).classes_.tolist() == ["nan", "yes"]
    speakers = np.array(["ann", "bob", np.nan, "ann", "bob", "cem"])
    with pytest.warns(UserWarning, match="speakers holds the string 'nan' at 1 of 6"):
        check_speakers(speakers, 6)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_phone_is_named(missing):
    X, y = phone_clips()
    y[1] = ["s", missing]
    with pytest.raises(TypeError, match=r"y\[1\]\[1\] is"):
        PhonemeRecognizer(max_epochs=0).fit(X, y)
    y[1] = missing
    with pytest.raises(TypeError, match=r"y\[1\] is"):
        PhonemeRecognizer(max_epochs=0).fit(X, y)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_a_missing_class_has_no_weight(missing):
    with pytest.raises(ValueError, match=r"class_weight names .*not among"):
        quick(class_weight={"no": 1.0, missing: 2.0}).fit(CLIPS, LABELS)


def test_labels_in_two_unicode_forms_are_refused_and_one_form_matches_the_other():
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    with pytest.raises(ValueError, match="in two Unicode forms"):
        quick().fit(CLIPS, [composed, decomposed, "ann"] * 2)
    y = [composed, "ann"] * 3
    other = [decomposed, "ann"] * 3
    net = quick(class_weight={decomposed: 2.0, "ann": 1.0}).fit(CLIPS, y, X_val=CLIPS, y_val=other)
    assert net.score(CLIPS, other) == net.score(CLIPS, y)
    net.partial_fit(CLIPS, other)
    assert net.classes_.tolist() == ["Zo\u00eb", "ann"][::-1] or net.classes_.tolist() == sorted(
        [composed, "ann"]
    )


@pytest.mark.parametrize(
    ("one", "two"),
    [("कि", "की"), ("كَتَبَ", "كُتِبَ"), ("กา", "กี")],
    ids=["devanagari", "harakat", "thai"],
)
def test_vowel_signs_tell_labels_and_speakers_apart(one, two):
    assert sorted(quick().fit(CLIPS, [one, two] * 3).classes_) == sorted([one, two])
    X, y = phone_clips()
    net = PhonemeRecognizer(max_epochs=0).fit(X, [[one, two]] * len(y))
    assert sorted(net.phones_) == sorted([one, two])


# Speakers and weights

SPEAKERS = {
    "None": ["ann", "bob", None] * 2,
    "NaN": ["ann", "bob", np.nan] * 2,
    "NA": ["ann", "bob", pd.NA] * 2,
    "masked": np.ma.array([0, 1, 2] * 2, mask=[0, 0, 1] * 2),
    "empty": ["ann", "bob", ""] * 2,
    "blank": ["ann", "bob", " "] * 2,
    "numbers, one NaN": [1.0, 2.0, np.nan] * 2,
    "numbers, one infinite": [1.0, 2.0, np.inf] * 2,
    "mixed": ["ann", "bob", 3] * 2,
    "dates": np.arange(6).astype("datetime64[D]"),
    "complex": np.arange(6) * 1j,
    "bytes": np.array([b"ann", b"bob", b"cem"] * 2),
    "records": np.zeros(6, dtype=[("name", "U3")]),
}


@pytest.mark.parametrize("kind", SPEAKERS)
def test_speakers_without_a_name_are_refused_wherever_they_are_given(kind):
    speakers = SPEAKERS[kind]
    with pytest.raises(ValueError, match="speakers"):
        cross_validate_by_speaker(quick(), CLIPS, LABELS, speakers)
    with pytest.raises(ValueError, match="speakers"):
        check_speaker_leakage(CLIPS, LABELS, speakers, GroupKFold(2), sample_rate=8000)
    with pytest.raises(ValueError, match="groups"):
        next(StratifiedGroupShuffleSplit().split(CLIPS, LABELS, speakers))
    for net in (quick(), quick(early_stopping=True), pretrained()):
        with pytest.raises(ValueError, match="groups"):
            net.fit(CLIPS, LABELS, groups=speakers)


WEIGHTS = {
    "negative": ([1, 1, -1, 1, 1, 1], "negative values, NaN or infinity, the first at position 2"),
    "NaN": ([1, 1, np.nan, 1, 1, 1], "NaN or infinity, the first at position 2"),
    "None": ([1, 1, None, 1, 1, 1], "NaN or infinity, the first at position 2"),
    "infinite": ([1, 1, np.inf, 1, 1, 1], "NaN or infinity, the first at position 2"),
    "all zero": (np.zeros(N), "all values of sample_weight are zero"),
    "masked": (np.ma.array(np.ones(N), mask=np.arange(N) == 2), "sample_weight is masked"),
    "dates": (np.zeros(N, "datetime64[s]"), "sample_weight has dtype datetime64"),
    "complex": (np.ones(N) * 1j, "sample_weight has dtype complex"),
    "strings": (["1"] * N, "sample_weight has dtype <U1"),
    "too far apart": ([1e308, 1, 1, 1, 1, 1], "from 1 to 1e.308: float32 cannot represent both"),
    "one too few": (
        np.ones(N - 1),
        r"shape \(5,\); expected \(6,\)|numbers of samples: \[6, 6, 5\]",
    ),
}


@pytest.mark.parametrize("kind", WEIGHTS)
def test_weights_that_are_none_are_refused(kind):
    weight, message = WEIGHTS[kind]
    for net in (quick(), quick(class_weight="balanced"), pretrained(), SpectrogramCNNRegressor()):
        with pytest.raises(ValueError, match=message):
            net.fit(CLIPS, [0, 1] * 3, sample_weight=weight)


def test_only_the_proportions_of_weights_count():
    for net in (quick(), quick(class_weight="balanced"), pretrained()):
        one = clone(net).fit(CLIPS, LABELS, sample_weight=np.arange(1.0, N + 1))
        large = clone(net).fit(CLIPS, LABELS, sample_weight=np.arange(1.0, N + 1) * 2e307)
        np.testing.assert_allclose(one.predict_proba(CLIPS), large.predict_proba(CLIPS), atol=1e-5)
        assert 0 <= one.score(CLIPS, LABELS, sample_weight=np.full(N, 1e308)) <= 1


#: What is no list and no array: it has no order, or can be read only once.
NO_SEQUENCES = {
    "generator": lambda values: (value for value in values),
    "iterator": lambda values: iter(list(values)),
    "map": lambda values: map(str, values),
    "set": lambda values: set(map(str, values)),
    "dict values": lambda values: dict(enumerate(values)).values(),
}


@pytest.mark.parametrize("kind", NO_SEQUENCES)
def test_clips_targets_and_weights_that_are_no_sequence_are_refused_by_name(kind):
    make = NO_SEQUENCES[kind]
    X = np.random.default_rng(0).normal(size=(4, 3, 5)).astype(np.float32)
    y = np.array([0, 1, 0, 1])
    for net in (SpectrogramLinearClassifier(), SpectrogramLinearRegressor()):
        for name, arguments in {
            "X": (make(X), y, None),
            "y": (X, make(y), None),
            "sample_weight": (X, y, make(y)),
        }.items():
            clips, targets, weight = arguments
            with pytest.raises(TypeError, match=f"^{name} is of type .*: expected a list or"):
                net.fit(clips, targets, sample_weight=weight)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda X: X[:, :0], "at least 1 band is needed"),
        (lambda X: [[[10**400] * 5] * 3] * 4, "X holds an int of 1329 bits: too large"),
        (lambda X: torch.tensor(X).to_sparse(), "expected a dense tensor"),
        (lambda X: torch.empty(4, 3, 5, device="meta"), "expected a dense tensor"),
    ],
    ids=["no bands", "huge ints", "sparse tensor", "tensor without data"],
)
def test_clips_that_no_array_can_hold_are_refused_in_words(make, message):
    X = np.random.default_rng(0).normal(size=(4, 3, 5)).astype(np.float32)
    with pytest.raises((TypeError, ValueError), match=message):
        SpectrogramLinearClassifier().fit(make(X), [0, 1, 0, 1])
