import itertools
import re
import unicodedata

import numpy as np
import pytest
import sklearn
from sklearn.datasets import make_blobs
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech.classification import PrototypeClassifier
from sklearn_speech.model_selection import cross_validate_by_speaker

WORDS = np.array(["down", "go", "stop", "up", "yes"])


@pytest.fixture(scope="module")
def clips():
    """Five words of eight speakers."""
    X, y = make_blobs(400, 10, centers=5, cluster_std=2.0, random_state=0)
    order = np.argsort(y, kind="stable")
    return X[order], WORDS[y[order]], np.tile(np.arange(8), 50)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
def test_without_threshold_the_nearest_mean_wins(clips, metric):
    X, y, _ = clips
    classifier = PrototypeClassifier(metric=metric).fit(X[::2], y[::2])
    means = np.array([X[::2][y[::2] == word].mean(axis=0) for word in WORDS])
    nearest = pairwise_distances(X, means, metric=metric).argmin(axis=1)
    np.testing.assert_array_equal(classifier.predict(X), WORDS[nearest])
    assert classifier.threshold_ == -np.inf


def test_it_is_scikit_learns_nearest_centroid_where_nothing_is_rejected(clips):
    X, y, _ = clips
    theirs = NearestCentroid().fit(X[::2], y[::2]).predict(X)
    np.testing.assert_array_equal(PrototypeClassifier().fit(X[::2], y[::2]).predict(X), theirs)


def test_one_clip_of_each_word_is_enough(clips):
    X, y, _ = clips
    _, first = np.unique(y, return_index=True)
    classifier = PrototypeClassifier().fit(X[first], y[first])
    np.testing.assert_array_equal(classifier.prototypes_, X[first])
    assert classifier.score(X, y) > 0.9


def choose_by_enumeration(X, y, speakers, words, share):
    """The lowest threshold that accepts at most a share of the unknown, by brute force.

    Every speaker is held out, and every word of a clip is left out of the prototypes once.
    """
    known, unknown = [], []
    for speaker in np.unique(speakers):
        train = speakers != speaker
        for clip, label in zip(X[~train], y[~train]):
            near = {
                word: -np.linalg.norm(clip - X[train & (y == word)].mean(axis=0)) for word in words
            }
            if label in words:
                known.append(max(near.values()))
            unknown.append(max(near[word] for word in words if word != label))
    known, unknown = np.array(known), np.array(unknown)
    candidates = np.nextafter(np.sort(unknown), np.inf)
    good = [t for t in candidates if np.mean(unknown >= t) <= share]
    return min(good), np.mean(known < min(good))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("n_known", [3, 5])
def test_the_automatic_threshold_is_the_one_found_by_enumeration(clips, share, n_known):
    X, y, speakers = clips
    y = np.where(np.isin(y, WORDS[:n_known]), y, "unknown")
    classifier = PrototypeClassifier(threshold="auto", false_acceptance=share)
    classifier.fit(X, y, groups=speakers)
    threshold, missed = choose_by_enumeration(X, y, speakers, WORDS[:n_known], share)
    assert classifier.threshold_ == pytest.approx(threshold)
    assert classifier.false_rejection_ == pytest.approx(missed)
    assert classifier.words_.tolist() == WORDS[:n_known].tolist()


def test_words_and_speakers_never_heard_are_rejected(clips):
    X, y, speakers = clips
    heard = (speakers < 6) & (y != "yes") & (y != "up")
    classifier = PrototypeClassifier(threshold="auto")
    classifier.fit(X[heard], y[heard], groups=speakers[heard])
    new = speakers >= 6
    answers, said = classifier.predict(X[new]), y[new]
    other = np.isin(said, ["yes", "up"])
    assert np.mean(answers[other] != "unknown") < 0.1
    assert np.mean(answers[~other] == said[~other]) > 0.9


def test_words_of_one_speaker_each_have_a_threshold_and_no_known_false_rejection():
    classifier = PrototypeClassifier(threshold="auto", false_acceptance=0.0)
    classifier.fit([[0.0], [1.0]], ["a", "b"], groups=["x", "y"])
    assert classifier.threshold_ == pytest.approx(-1.0)
    assert np.isnan(classifier.false_rejection_)


def test_a_smaller_false_acceptance_accepts_no_further_clip():
    X, y = make_blobs(400, 2, centers=5, cluster_std=2.0, random_state=0)  # overlapping words
    y, speakers = WORDS[y], np.arange(400) % 8
    accepted = [
        PrototypeClassifier(threshold="auto", false_acceptance=share)
        .fit(X, y, groups=speakers)
        .predict(X)
        != "unknown"
        for share in (0.0, 0.1, 0.3, 0.6)
    ]
    for fewer, more in itertools.pairwise(accepted):
        assert (fewer <= more).all() and fewer.sum() < more.sum()


def test_the_decision_function_explains_the_prediction(clips):
    X, y, speakers = clips
    classifier = PrototypeClassifier(threshold="auto").fit(X, y, groups=speakers)
    scores = classifier.decision_function(X)
    assert classifier.classes_.tolist() == ["down", "go", "stop", "unknown", "up", "yes"]
    np.testing.assert_array_equal(scores[:, 3], classifier.threshold_)
    np.testing.assert_array_equal(classifier.classes_[scores.argmax(axis=1)], classifier.predict(X))


def test_one_word_against_everything_else_is_a_binary_decision(clips):
    X, y, speakers = clips
    y = np.where(y == "go", "go", "unknown")
    classifier = PrototypeClassifier(threshold="auto").fit(X, y, groups=speakers)
    margin = classifier.decision_function(X)
    assert margin.shape == (len(X),)
    np.testing.assert_array_equal(np.where(margin > 0, "unknown", "go"), classifier.predict(X))
    assert classifier.score(X, y) > 0.9


def test_integer_words_take_an_integer_for_unknown(clips):
    X, y, speakers = clips
    codes = np.searchsorted(WORDS, y)
    classifier = PrototypeClassifier(threshold="auto", unknown=-1)
    classifier.fit(X, codes, groups=speakers)
    assert classifier.predict(np.full((1, 10), 99.0)) == [-1]


@pytest.mark.parametrize("routing", [False, True])
def test_speakers_arrive_through_a_cross_validation_by_speaker(clips, routing):
    X, y, speakers = clips
    y = np.where(y == "yes", "unknown", y)
    model = make_pipeline(StandardScaler(), PrototypeClassifier(threshold="auto"))
    with sklearn.config_context(enable_metadata_routing=routing):
        scores = cross_validate_by_speaker(model, X, y, speakers, return_estimator=True)
    assert scores.mean > 0.9
    assert all(np.isfinite(fitted[-1].threshold_) for fitted in scores["estimator"])


@pytest.mark.parametrize(
    ("params", "labels", "groups", "message"),
    [
        ({"threshold": "auto"}, ["a", "b"], None, "give their names to fit as `groups`"),
        ({"threshold": "auto"}, ["a", "b"], ["x", "x"], "groups holds only one speaker ('x')"),
        ({"threshold": "auto"}, ["a", "b"], ["x"], "groups"),
        ({"threshold": "auto"}, ["a", "a"], ["x", "y"], "no clip of another word"),
        ({"threshold": -1.0}, ["unknown", "unknown"], None, "every label in y is 'unknown'"),
        ({"threshold": -1.0}, [0, 1], None, "unknown='unknown' is of another type than the words"),
        ({"unknown": 7, "threshold": -1.0}, ["a", "b"], None, "such as 'unknown'"),
        ({}, ["a", "unknown"], None, "threshold=None accepts every clip"),
        ({"threshold": "high"}, ["a", "b"], None, "'threshold' parameter"),
        ({"false_acceptance": 2}, ["a", "b"], None, "'false_acceptance' parameter"),
        ({"metric": "hamming"}, ["a", "b"], None, "'metric' parameter"),
    ],
)
def test_what_cannot_work_is_named(params, labels, groups, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        PrototypeClassifier(**params).fit([[0.0], [1.0]], labels, groups=groups)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_centred_features_give_the_same_answers(clips, metric):
    X, y, speakers = clips
    classifier = PrototypeClassifier(metric=metric, threshold="auto")
    answers = classifier.fit(X, y, groups=speakers).predict(X + 1)
    moved = X - X.mean(axis=0)
    classifier.fit(moved, y, groups=speakers)
    np.testing.assert_array_equal(classifier.predict(moved + 1), answers)


@pytest.mark.parametrize("metric", ["euclidean", "manhattan", "cosine"])
@pytest.mark.parametrize("factor", [1e200, 1e300])
def test_features_beyond_what_distances_can_be_are_refused(clips, metric, factor):
    X, y, _ = clips
    fitted = PrototypeClassifier(metric=metric).fit(X, y)
    huge = X * factor
    if metric == "euclidean":
        with pytest.raises(ValueError, match="look for extreme values in X"):
            PrototypeClassifier(metric=metric).fit(huge, y)
    try:
        answers = fitted.decision_function(huge)
    except ValueError as error:
        assert "look for extreme values in X" in str(error)
    else:
        assert np.isfinite(answers).all()


@pytest.mark.parametrize("form", [np.ma.masked_greater, np.greater, np.asarray])
def test_what_is_no_real_number_is_refused(clips, form):
    X, y, _ = clips
    X_bad = X + 1j if form is np.asarray else form(X, 0.0)
    for call in (
        lambda: PrototypeClassifier().fit(X_bad, y),
        lambda: PrototypeClassifier().fit(X, y).predict(X_bad),
    ):
        with pytest.raises(ValueError, match=r"X (is masked|has dtype (bool|complex128))"):
            call()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("exponent", [-0.95, -0.6, 0.6, 0.85])
def test_angles_do_not_depend_on_the_size_of_the_features(clips, dtype, exponent):
    X, y, _ = clips
    X = X.astype(dtype)
    fitted = PrototypeClassifier(metric="cosine").fit(X, y)
    factor = X.dtype.type(float(np.finfo(dtype).max) ** exponent)
    expected = fitted.decision_function(X)
    np.testing.assert_allclose(fitted.decision_function(X * factor), expected, atol=1e-5)


@pytest.mark.parametrize("unknown", ["a", "n", "z"])
def test_a_clip_exactly_at_the_threshold_is_of_a_known_word(unknown):
    X, words = np.array([[0.0], [10.0]]), ["go", "no"]
    classifier = PrototypeClassifier(threshold=-1.0, unknown=unknown).fit(X, words)
    beyond = np.nextafter(1.0, 2.0)
    found = classifier.predict([[1.0], [9.0], [beyond], [10.0 + 2 * beyond]])
    assert found.tolist() == ["go", "no", unknown, unknown]
    assert classifier.predict([[0.5]]).dtype == found.dtype == classifier.classes_.dtype


def test_booleans_have_no_label_beside_them():
    X, y = np.array([[0.0], [10.0]]), [False, True]
    assert PrototypeClassifier().fit(X, y).predict(X).tolist() == y
    with pytest.raises(ValueError, match="y holds booleans"):
        PrototypeClassifier(threshold=-1.0, unknown=-1).fit(X, y)


def test_words_are_the_same_in_every_unicode_form():
    composed, apart = (unicodedata.normalize(form, "\u00e4ndere") for form in ("NFC", "NFD"))
    X = [[0.0, 1.0], [0.1, 1.1], [3.0, 0.0], [3.1, 0.1], [9.0, 9.0], [9.1, 9.2]]
    y = ["go", "go", "stop", "stop", apart, apart]
    classifier = PrototypeClassifier(threshold="auto", unknown=composed)
    classifier.fit(X, y, groups=["ann", "bob"] * 3)
    assert classifier.words_.tolist() == ["go", "stop"]
    assert classifier.classes_.tolist() == [apart, "go", "stop"]
    assert classifier.predict([[30.0, 30.0]]).tolist() == [apart]
    assert classifier.score(X, y) == classifier.score(X, [*y[:4], composed, composed]) == 1.0


def test_unknown_may_be_a_number_of_numpy():
    classifier = PrototypeClassifier(threshold=-0.5, unknown=np.int64(-1))
    assert classifier.fit([[0.0], [1.0]], [3, 4]).predict([[0.1], [9.0]]).tolist() == [3, -1]


@pytest.mark.parametrize("share", [0.07, 0.28, 0.29, 0.57, 0.58])
def test_the_threshold_is_the_lowest_that_accepts_at_most_the_share(share):
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(4, 2)), rng.normal(size=(100, 2)) * 5])
    y, groups = ["go"] * 4 + ["unknown"] * 100, [0, 1] * 52
    classifier = PrototypeClassifier(threshold="auto", false_acceptance=share)
    classifier.fit(X, y, groups=groups)
    near = []
    for group in (0, 1):
        held_out = np.array(groups) == group
        mean = X[:4][~held_out[:4]].mean(0)
        near.append(-np.linalg.norm(X[4:][held_out[4:]] - mean, axis=1))
    # the last rejected clip differs from the threshold by rounding alone
    accepted = np.concatenate(near) > classifier.threshold_ + 1e-9
    assert accepted.sum() == round(100 * share)
