"""Events: peaks of scores over time, the same for every threshold below and every cutting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sklearn_speech.detection._event_finder import EventFinder
from sklearn_speech.detection._level_track import LevelTrack
from sklearn_speech.detection._levels import extent
from sklearn_speech.detection._word_edges import WordEdges, learn_edges
from sklearn_speech.metrics import match_events
from tests.detection.toy import RATE, detector, hiss, recording, tone

SCORES = arrays(
    float,
    st.tuples(st.integers(1, 60), st.just(2)),
    elements=st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.50001, 0.9, 1.0]),
)
RULES = st.fixed_dictionaries(
    {
        "smoothing": st.sampled_from([1, 3, 5]),
        "patience": st.integers(1, 4),
        "distance": st.sampled_from([0.0, 1.0, 2.5, 6.0]),
        "reach": st.integers(1, 5),
    }
)


def peaks(scores, threshold, rule, cuts=()):
    finder = EventFinder(np.full(scores.shape[1], threshold), **rule)
    found = []
    for part in np.split(scores, sorted(cuts)):
        found += finder.push(part)
    return found + finder.push(scores[:0], last=True)


@settings(max_examples=150, deadline=None)
@given(SCORES, RULES, st.lists(st.integers(0, 60), max_size=20))
def test_events_do_not_depend_on_how_scores_are_cut(scores, rule, cuts):
    assert peaks(scores, 0.2, rule, cuts) == peaks(scores, 0.2, rule)


@settings(max_examples=50, deadline=None)
@given(SCORES, RULES, st.integers(0, 99))
def test_events_do_not_depend_on_the_rounding_of_float32(scores, rule, seed):
    error = 1e-8 * np.random.default_rng(seed).normal(size=scores.shape)
    assert peaks(scores + error, 0.0, rule) == peaks(scores, 0.0, rule)


@settings(max_examples=100, deadline=None)
@given(SCORES, RULES)
def test_a_threshold_only_leaves_out_lower_events(scores, rule):
    low, high = peaks(scores, 0.05, rule), peaks(scores, 0.4, rule)
    assert high == [peak for peak in low if peak.score >= 0.4]


@settings(max_examples=100, deadline=None)
@given(SCORES, RULES)
def test_events_are_apart_and_the_highest_score_is_one_of_them(scores, rule):
    found = peaks(scores, 0.05, {**rule, "smoothing": 1, "patience": 1})
    centers = [peak.center for peak in found]
    assert centers == sorted(centers)
    assert np.all(np.diff(centers) >= rule["distance"] - 1e-9)
    highest = max([0.0, *(peak.score for peak in found)])
    assert highest == (scores.max() if scores.max() >= 0.05 else 0.0)


def test_patience_asks_for_so_many_windows_in_a_row():
    scores = np.array([0, 0.9, 0, 0, 0.8, 0.7, 0.6, 0, 0])[:, np.newaxis]
    rule = {"smoothing": 1, "distance": 2.0, "reach": 2}
    assert [p.score for p in peaks(scores, 0.5, {**rule, "patience": 1})] == [0.9, 0.8]
    assert [p.score for p in peaks(scores, 0.5, {**rule, "patience": 2})] == [0.7]
    assert peaks(scores, 0.65, {**rule, "patience": 3}) == []


def test_the_centre_of_a_symmetric_hump_is_its_middle():
    scores = np.array([0, 0, 0.6, 0.9, 0.9, 0.6, 0, 0])[:, np.newaxis]
    (peak,) = peaks(scores, 0.5, {"smoothing": 1, "patience": 1, "distance": 2.0, "reach": 4})
    assert peak.center == pytest.approx(3.5)


def test_scores_that_stay_high_are_one_event_and_little_memory():
    finder = EventFinder(np.array([0.5]), smoothing=3, patience=2, distance=3.0, reach=5)
    found = []
    for _ in range(500):
        found += finder.push(np.full((10, 1), 0.99))
    found += finder.push(np.zeros((0, 1)), last=True)
    assert len(found) == 1
    assert len(finder._scores) < 50 and not finder._pending


WORDS = [("low", 0.6), ("high", 1.0), ("high", 1.4), ("low", 1.7), ("low", 2.6)]


@pytest.fixture(scope="module")
def fitted():
    return detector()


def test_every_word_is_found_and_its_times_are_right_within_20_ms(fitted):
    sound, true = recording(WORDS, 3.2)
    match = match_events(true, fitted.detect([sound]), collar=0.02, at="both")
    assert match.is_found.all()
    assert match.is_hit.all()


@pytest.mark.parametrize("seconds", [1.0, 1.05, 1.15])
def test_words_at_the_very_ends_are_found_and_their_times_lie_within_the_recording(fitted, seconds):
    sound, true = recording([("low", 0.0), ("high", seconds - 0.12)], seconds)
    found = fitted.detect([sound])
    assert match_events(true, found, collar=0.03, at="both").is_found.all()
    assert found.start.min() >= 0 and found.end.max() <= seconds


def test_silence_and_noise_hold_no_words(fitted):
    assert len(fitted.detect([hiss(3, seed=9), np.zeros(RATE, np.float32)])) == 0


@settings(max_examples=8, deadline=None)
@given(sizes=st.lists(st.integers(70, 9000), min_size=1, max_size=12))
def test_a_stream_gives_the_events_of_the_recording_whatever_the_chunks(fitted, sizes):
    sound, _ = recording(WORDS, 3.2)
    whole = fitted.detect([sound])
    stream, rows, scores, at, k = fitted.stream(), [], [], 0, 0
    while at < len(sound):
        size = sizes[k % len(sizes)]
        rows += stream.push(sound[at : at + size])
        scores.append(stream.scores)
        at, k = at + size, k + 1
    rows += stream.finish()
    scores.append(stream.scores)
    assert [row[:2] for row in rows] == [row[:2] for row in whole] != []
    np.testing.assert_allclose([row[2:] for row in rows], [row[2:] for row in whole], atol=1e-5)
    (expected,) = fitted.predict_proba([sound])
    np.testing.assert_allclose(np.concatenate(scores), expected, atol=1e-5)


def test_an_event_is_known_after_the_latency(fitted):
    sound, _ = recording([("low", 1.0)], 3.0)
    stream = fitted.stream()
    for start in range(0, len(sound), 160):
        if len(stream.push(sound[start : start + 160])):
            break
    assert 0 < stream.seconds - 1.06 <= stream.latency + 0.05


def test_a_stream_keeps_little_however_long_it_listens(fitted):
    stream = fitted.stream()
    kept = []
    for seed in range(12):
        stream.push(recording([("low", 0.4)], 1.0, seed)[0])
        parts = (stream._scorer._samples, stream._levels._levels, stream._finder._scores)
        kept.append(sum(part.size for part in parts) + len(stream._finder._kept))
    assert max(kept[6:]) <= max(kept[:6])
    assert 0 < stream.real_time_factor < 10


def test_edges_of_sound_are_found_where_they_are():
    track = LevelTrack(RATE)
    sound = hiss(2)
    sound[8000:9600] += tone("low", 0.2)
    for start in range(0, len(sound), 333):
        track.push(sound[start : start + 333])
    usual = WordEdges.unknown(0.3)
    assert track.bounds(1.1, usual, 0.5) == pytest.approx((1.0, 1.2), abs=0.011)


def weak_stop(tempo=1.0, pause=0.08):
    """A weak consonant, a vowel, a closure and its burst, with more or less silence between."""
    quiet = lambda seconds: np.zeros(round(seconds * RATE), np.float32)  # noqa: E731
    return np.concatenate(
        [
            tone("high", 0.08 * tempo, level=0.005),
            tone("low", 0.2 * tempo),
            quiet(pause * tempo),
            tone("high", 0.05, level=0.03),
        ]
    )


USUAL = learn_edges(
    [weak_stop(t) for t in (0.9, 1.0, 1.1)], [(0, len(weak_stop(t))) for t in (0.9, 1.0, 1.1)], RATE
)


@pytest.mark.parametrize("error", [-0.06, -0.03, 0.0, 0.03, 0.06])
@pytest.mark.parametrize("tempo", [0.8, 1.0, 1.2])
# of a consonant as loud as the noise, half of the frames are heard: the benchmark counts those
@pytest.mark.parametrize("level", [0.0003, 0.001, 0.01])
def test_edges_are_right_within_50_ms_though_noise_hides_a_consonant_and_a_stop_has_a_pause(
    error, tempo, level
):
    word, track = weak_stop(tempo), LevelTrack(RATE)
    sound = hiss(2, level=level)
    sound[8000 : 8000 + len(word)] += word
    track.push(sound)
    end = 1.0 + len(word) / RATE
    found = track.bounds((1.0 + end) / 2 + error, USUAL, 0.5)
    assert found == pytest.approx((1.0, end), abs=0.05)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 2 * RATE), max_size=20))
def test_edges_do_not_depend_on_how_sound_is_cut(cuts):
    sound, word = hiss(2), weak_stop()
    sound[8000 : 8000 + len(word)] += word
    whole, pieces = LevelTrack(RATE), LevelTrack(RATE)
    whole.push(sound)
    for piece in np.split(sound, sorted(cuts)):
        pieces.push(piece)
    pieces.forget(0.7)
    center = 1.0 + len(word) / RATE / 2
    assert pieces.bounds(center, USUAL, 0.5) == whole.bounds(center, USUAL, 0.5)


def test_the_word_of_a_neighbour_is_no_part_of_a_word_without_a_pause():
    usual, track = learn_edges([tone("low", 0.2)], [(0, 1600)], RATE), LevelTrack(RATE)
    sound = hiss(2)
    for at in (8000, 10400):  # 0.1 s between both
        sound[at : at + 1600] += tone("low", 0.2)
    track.push(sound)
    for start in (1.0, 1.3):
        for error in (-0.05, 0.0, 0.05):
            found = track.bounds(start + 0.1 + error, usual, 0.5)
            assert found == pytest.approx((start, start + 0.2), abs=0.011)


def test_without_edges_the_usual_duration_holds():
    track = LevelTrack(RATE)
    track.push(hiss(2))
    assert track.bounds(1.0, WordEdges.unknown(0.3), 0.5) == pytest.approx((0.85, 1.15))


def test_soft_sound_around_a_word_belongs_to_it_and_noise_does_not():
    clip = hiss(1, level=0.0003)
    clip[1600:4800] += np.concatenate([tone("high", 0.08, level=0.003), tone("low", 0.32)])
    start, stop = extent(clip, RATE)
    assert (start, stop) == pytest.approx((1600, 4800), abs=80)


def test_the_extent_of_sound_does_not_depend_on_its_level():
    clip = np.concatenate([hiss(0.3), tone("low", 0.4), hiss(0.2)])
    assert extent(clip, RATE) == extent(clip / 8, RATE) == (2400, 5600)
    assert extent(clip[2400:5600], RATE) == (0, 3200)
