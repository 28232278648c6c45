"""Decoders, aligners and the phone n-gram, compared with enumeration of all paths."""

from itertools import combinations, pairwise, product

import numpy as np
import pytest

from sklearn_speech.recognition._alignment import forced_alignment, phone_bounds
from sklearn_speech.recognition._decoding import beam_decode, greedy_decode
from sklearn_speech.recognition._language_model import END, PhoneNGram
from sklearn_speech.recognition._segment_model import SegmentModel, cepstra
from sklearn_speech.recognition._segmentation import change_points, initial_segments
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
    """Log probability of each sequence, summed over all its paths."""
    scores = {}
    for path in paths(len(log_probs)):
        sequence = collapse(path)
        previous = scores.get(sequence, -np.inf)
        scores[sequence] = np.logaddexp(previous, score(log_probs, path))
    return scores


@pytest.mark.parametrize("seed", range(10))
def test_greedy_decoding_collapses_the_most_probable_path(seed):
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

    def total(sequence):
        prior = sum(model.log_proba(sequence[:i])[code] for i, code in enumerate(sequence))
        end = model.log_proba(sequence)[END]
        return scores[sequence] + weight * (prior + end) + bonus * len(sequence)

    scores = sequence_scores(log_probs)
    found = beam_decode(log_probs, 1000, model, weight, bonus, threshold=0.0)
    assert tuple(found) == max(scores, key=total)


def test_beam_sums_over_paths_and_greedy_does_not():
    log_probs = np.log([[0.4, 0.35, 0.25], [0.4, 0.35, 0.25]])
    assert greedy_decode(log_probs) == []
    assert beam_decode(log_probs) == [1]


@pytest.mark.parametrize("seed", range(5))
def test_narrow_beam_and_threshold_do_not_matter_for_peaked_posteriors(seed):
    log_probs = posteriors(seed, n_frames=30, sharpness=12.0)
    assert beam_decode(log_probs, 4) == beam_decode(log_probs, 200, threshold=0.0)


@pytest.mark.parametrize("codes", [[], [1], [1, 2], [1, 1], [2, 1, 2]])
@pytest.mark.parametrize("seed", range(4))
def test_alignment_is_the_best_path_of_the_sequence(codes, seed):
    log_probs = posteriors(seed)
    fitting = [path for path in paths(len(log_probs)) if collapse(path) == tuple(codes)]
    best = max(fitting, key=lambda path: score(log_probs, path))
    path, total = forced_alignment(log_probs, codes)
    assert total == pytest.approx(score(log_probs, best))
    assert tuple(np.array([0, *codes])[path + 1]) == best


@pytest.mark.parametrize("seed", range(4))
def test_alignment_applies_minimum_durations_and_pause_penalties(seed):
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


def test_alignment_rejects_too_few_frames():
    with pytest.raises(ValueError, match="2 frames are too few for 2 phones"):
        forced_alignment(posteriors(0, n_frames=2), [1, 1])


def test_bounds_divide_short_gaps_keep_pauses_and_end_with_the_clip():
    path = np.array([0, -1, 1, -1, -1, -1, -1, -1, 2, 2])
    bounds = phone_bounds(path, 3, 0.01, 0.0, 0.09)
    expected = [[0.0, 0.01], [0.01, 0.025], [0.075, 0.09]]
    np.testing.assert_allclose(bounds, expected, atol=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_ngram_probabilities_are_positive_and_sum_to_one(order):
    model = PhoneNGram(order, 4).fit([[1, 2, 3], [1, 2], [], [3, 3, 3]])
    for length in range(4):
        for prefix in product(range(1, 5), repeat=length):
            proba = np.exp(model.log_proba(prefix))
            assert proba.sum() == pytest.approx(1)
            assert (proba > 0).all()


def test_bigram_has_witten_bell_probabilities():
    model = PhoneNGram(2, 2).fit([[1, 2], [1, 1]])
    # counts: END 2, phone 1 3, phone 2 1; three different codes
    single = (np.array([2, 3, 1]) + 3 * np.full(3, 1 / 3)) / 9
    # counts after phone 1: END 1, phone 1 1, phone 2 1
    after = (np.array([1, 1, 1]) + 3 * single) / 6
    np.testing.assert_allclose(np.exp(model.log_proba((1,))), after)
    np.testing.assert_allclose(np.exp(model.log_proba((2, 1))), after)


def test_segment_model_finds_phones_that_differ_in_spectrum():
    rng = np.random.default_rng(0)
    spectra = np.array(
        [[0, 0, 0, 0, 0, 0], [9, 9, 6, 6, 6, 6], [6, 6, 9, 9, 6, 6], [6, 6, 6, 6, 9, 9]]
    )
    spectrograms, sequences, peaks, truth = [], [], [], []
    for _ in range(30):
        codes = [int(c) for c in rng.permutation([1, 2, 3])]
        durations = rng.integers(5, 15, size=5)
        path = np.repeat([-1, 0, 1, 2, -1], durations)
        labels = np.array([0, *codes])[path + 1]
        spectrograms.append((spectra[labels] + rng.normal(scale=0.5, size=(len(path), 6))).T)
        ends = durations.cumsum()
        # peaks early in each phone, as is usual with CTC
        peaks.append(ends[:3] + 1)
        sequences.append(codes)
        truth.append(path)
    model = SegmentModel(3).fit(spectrograms, sequences, peaks)
    right = [
        np.mean(model.align(cepstra(S), codes) == path)
        for S, codes, path in zip(spectrograms, sequences, truth)
    ]
    assert np.mean(right) > 0.97


def test_alignment_of_hundreds_of_phones_is_exact():
    codes = [1, 2] * 100
    path, _ = forced_alignment(np.log(np.eye(3) + 1e-6)[np.repeat(codes, 2)], codes)
    assert path.tolist() == np.repeat(np.arange(200), 2).tolist()


@pytest.mark.parametrize(
    ("n_frames", "n_segments", "min_frames"), [(7, 3, 1), (9, 4, 2), (8, 3, 5)]
)
def test_change_points_have_the_least_cost_of_all(n_frames, n_segments, min_frames):
    x = np.random.default_rng(n_frames).normal(size=(n_frames, 2))

    def cost(cuts):
        return sum(((x[a:b] - x[a:b].mean(0)) ** 2).sum() for a, b in pairwise(cuts))

    shortest = min(min_frames, n_frames // n_segments)
    allowed = [
        (0, *inner, n_frames)
        for inner in combinations(range(1, n_frames), n_segments - 1)
        if all(b - a >= shortest for a, b in pairwise((0, *inner, n_frames)))
    ]
    assert change_points(x, n_segments, min_frames) == list(min(allowed, key=cost))


def test_burst_after_closure_belongs_to_the_region_before_it():
    # vowel, closure, burst, pause, vowel; all peaks are in the vowels
    parts = [(0, 20), (1, 12), (0, 6), (2, 5), (0, 25), (3, 12), (0, 20)]
    spectra = np.array([[0, 0, 0, 0], [9, 8, 2, 1], [1, 3, 8, 8], [2, 9, 9, 2]], dtype=float)
    labels = np.repeat([label for label, _ in parts], [n for _, n in parts])
    sound, peaks = spectra[labels].T, np.array([24, 28, 30, 70])
    path = initial_segments(sound, cepstra(sound), peaks, 0.01)
    # the vowel is cut before the burst, although the peaks of the later phones come early
    np.testing.assert_array_equal(path, np.repeat([-1, 0, 1, 2, -1, 3, -1], [n for _, n in parts]))
    # the gap is measured in seconds: with a frame period five times as long it is too long
    wide = initial_segments(sound, cepstra(sound), peaks, 0.05)
    assert (wide[38:43] == -1).all()
