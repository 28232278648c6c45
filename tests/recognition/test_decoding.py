"""Decoders, aligners and the phone n-gram, against enumeration of every path."""

from itertools import combinations, pairwise, product

import numpy as np
import pytest

from sklearn_speech.recognition._alignment import forced_alignment, phone_bounds
from sklearn_speech.recognition._decoding import beam_decode, greedy_decode
from sklearn_speech.recognition._language_model import END, PhoneNGram
from sklearn_speech.recognition._segment_model import (
    SegmentModel,
    cepstra,
    change_points,
    first_segments,
)
from tests.modules.test_ctc import collapse

N_LABELS = 3


def posteriors(seed, n_frames=5, sharpness=1.0):
    logits = sharpness * np.random.default_rng(seed).normal(size=(n_frames, N_LABELS))
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def paths(n_frames):
    return product(range(N_LABELS), repeat=n_frames)


def score(log_probs, path):
    return sum(row[label] for row, label in zip(log_probs, path))


def sequence_scores(log_probs):
    """Logarithm of the probability of each sequence: all its paths added up."""
    scores = {}
    for path in paths(len(log_probs)):
        said = collapse(path)
        scores[said] = np.logaddexp(scores.get(said, -np.inf), score(log_probs, path))
    return scores


@pytest.mark.parametrize("seed", range(10))
def test_greedy_is_what_the_most_probable_path_says(seed):
    log_probs = posteriors(seed)
    best = max(paths(len(log_probs)), key=lambda path: score(log_probs, path))
    assert tuple(greedy_decode(log_probs)) == collapse(best)


@pytest.mark.parametrize("seed", range(20))
def test_wide_beam_finds_the_most_probable_sequence(seed):
    log_probs = posteriors(seed)
    scores = sequence_scores(log_probs)
    assert tuple(beam_decode(log_probs, 1000, threshold=0.0)) == max(scores, key=scores.get)


@pytest.mark.parametrize("seed", range(20))
def test_wide_beam_adds_language_model_and_bonus(seed):
    log_probs = posteriors(seed)
    model = PhoneNGram(3, N_LABELS - 1).fit([[1, 2, 1], [1, 2], [2]])
    weight, bonus = 0.8, 0.4

    def total(said):
        prior = sum(model.log_proba(said[:i])[code] for i, code in enumerate(said))
        end = model.log_proba(said)[END]
        return scores[said] + weight * (prior + end) + bonus * len(said)

    scores = sequence_scores(log_probs)
    found = beam_decode(log_probs, 1000, model, weight, bonus, threshold=0.0)
    assert tuple(found) == max(scores, key=total)


def test_beam_adds_paths_up_where_the_best_path_alone_misleads():
    log_probs = np.log([[0.4, 0.35, 0.25], [0.4, 0.35, 0.25]])
    assert greedy_decode(log_probs) == []
    assert beam_decode(log_probs) == [1]


@pytest.mark.parametrize("seed", range(5))
def test_narrow_beam_and_threshold_change_little_where_the_network_is_sure(seed):
    log_probs = posteriors(seed, n_frames=30, sharpness=12.0)
    assert beam_decode(log_probs, 4) == beam_decode(log_probs, 200, threshold=0.0)


@pytest.mark.parametrize("codes", [[], [1], [1, 2], [1, 1], [2, 1, 2]])
@pytest.mark.parametrize("seed", range(4))
def test_alignment_is_the_best_of_all_paths_that_say_the_sequence(codes, seed):
    log_probs = posteriors(seed)
    fitting = [path for path in paths(len(log_probs)) if collapse(path) == tuple(codes)]
    best = max(fitting, key=lambda path: score(log_probs, path))
    path, total = forced_alignment(log_probs, codes)
    assert total == pytest.approx(score(log_probs, best))
    assert tuple(np.array([0, *codes])[path + 1]) == best


@pytest.mark.parametrize("seed", range(4))
def test_alignment_keeps_shortest_phones_and_pays_for_pauses(seed):
    log_probs, codes, penalty = posteriors(seed, n_frames=7), [1, 1], 0.7
    options = {}
    for bounds in product(range(8), repeat=4):
        a, b, c, d = bounds
        if a < b <= c < d and b - a >= 2 and d - c >= 2 and d <= 7:
            path = np.full(7, -1)
            path[a:b], path[c:d] = 0, 1
            emitted = score(log_probs, np.array([0, *codes])[path + 1])
            options[tuple(path)] = emitted - penalty * (c > b)
    path, total = forced_alignment(log_probs, codes, min_frames=2, pause_penalty=penalty)
    assert total == pytest.approx(max(options.values()))
    assert options[tuple(path)] == pytest.approx(total)


def test_alignment_refuses_too_few_frames():
    with pytest.raises(ValueError, match="2 frames are too few for 2 phones"):
        forced_alignment(posteriors(0, n_frames=2), [1, 1])


def test_bounds_share_short_gaps_and_keep_pauses_and_the_clip():
    path = np.array([0, -1, 1, -1, -1, -1, -1, -1, 2, 2])
    bounds = phone_bounds(path, 3, 0.01, 0.0, 0.09)
    expected = [[0.0, 0.01], [0.01, 0.025], [0.075, 0.09]]
    np.testing.assert_allclose(bounds, expected, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_ngram_gives_probabilities_after_any_prefix(order):
    model = PhoneNGram(order, 4).fit([[1, 2, 3], [1, 2], [], [3, 3, 3]])
    for length in range(4):
        for prefix in product(range(1, 5), repeat=length):
            proba = np.exp(model.log_proba(prefix))
            assert proba.sum() == pytest.approx(1)
            assert (proba > 0).all()


def test_bigram_is_that_of_witten_and_bell():
    model = PhoneNGram(2, 2).fit([[1, 2], [1, 1]])
    # four phones and two ends: 1 three times, 2 once, END twice; three kinds
    single = (np.array([2, 3, 1]) + 3 * np.full(3, 1 / 3)) / 9
    # after 1: 2 once, 1 once, END once
    after = (np.array([1, 1, 1]) + 3 * single) / 6
    np.testing.assert_allclose(np.exp(model.log_proba((1,))), after)
    np.testing.assert_allclose(np.exp(model.log_proba((2, 1))), after)


def test_segments_are_found_in_noise_of_a_different_colour_each():
    rng = np.random.default_rng(0)
    colours = np.array(
        [[0, 0, 0, 0, 0, 0], [9, 9, 6, 6, 6, 6], [6, 6, 9, 9, 6, 6], [6, 6, 6, 6, 9, 9]]
    )
    spectrograms, sequences, peaks, truth = [], [], [], []
    for _ in range(30):
        codes = [int(c) for c in rng.permutation([1, 2, 3])]
        durations = rng.integers(5, 15, size=5)
        path = np.repeat([-1, 0, 1, 2, -1], durations)
        labels = np.array([0, *codes])[path + 1]
        spectrograms.append((colours[labels] + rng.normal(scale=0.5, size=(len(path), 6))).T)
        ends = durations.cumsum()
        # peaks early within each phone, as CTC's often are
        peaks.append(ends[:3] + 1)
        sequences.append(codes)
        truth.append(path)
    model = SegmentModel(3).fit(spectrograms, sequences, peaks)
    right = [
        np.mean(model.align(cepstra(S), codes) == path)
        for S, codes, path in zip(spectrograms, sequences, truth)
    ]
    assert np.mean(right) > 0.97


def test_sequences_of_hundreds_of_phones_are_aligned():
    codes = [1, 2] * 100
    path, _ = forced_alignment(np.log(np.eye(3) + 1e-6)[np.repeat(codes, 2)], codes)
    assert path.tolist() == np.repeat(np.arange(200), 2).tolist()


@pytest.mark.parametrize(("n_frames", "n_segments", "least"), [(7, 3, 1), (9, 4, 2), (8, 3, 5)])
def test_change_points_are_the_best_of_all(n_frames, n_segments, least):
    x = np.random.default_rng(n_frames).normal(size=(n_frames, 2))

    def cost(cuts):
        return sum(((x[a:b] - x[a:b].mean(0)) ** 2).sum() for a, b in pairwise(cuts))

    room = min(least, n_frames // n_segments)
    allowed = [
        (0, *inner, n_frames)
        for inner in combinations(range(1, n_frames), n_segments - 1)
        if all(b - a >= room for a, b in pairwise((0, *inner, n_frames)))
    ]
    assert change_points(x, n_segments, least) == list(min(allowed, key=cost))


def test_a_burst_behind_a_closure_belongs_to_the_phones_before_it():
    # vowel, closure, burst; then a pause and another vowel: peaks all lie in the vowels
    parts = [(0, 20), (1, 12), (0, 6), (2, 5), (0, 25), (3, 12), (0, 20)]
    colours = np.array([[0, 0, 0, 0], [9, 8, 2, 1], [1, 3, 8, 8], [2, 9, 9, 2]], dtype=float)
    labels = np.repeat([label for label, _ in parts], [n for _, n in parts])
    sound, peaks = colours[labels].T, np.array([24, 28, 30, 70])
    path = first_segments(sound, cepstra(sound), peaks, 0.01)
    # closure and burst are heard as two more phones, though their peaks came early
    np.testing.assert_array_equal(path, np.repeat([-1, 0, 1, 2, -1, 3, -1], [n for _, n in parts]))
    # seconds count, not frames: with frames five times as far apart the burst is too far away
    wide = first_segments(sound, cepstra(sound), peaks, 0.05)
    assert (wide[38:43] == -1).all()
