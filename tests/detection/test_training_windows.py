"""Windows to train on: words in the middle as they were recorded, and what is no word."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import make_pipeline

from sklearn_speech import PadOrTrim, SlidingWindow
from sklearn_speech.detection._training_windows import WindowMaker
from tests.detection.toy import RATE, WINDOW, hiss, tone

START, N_WORD = 2000, 640  # samples


def maker(tolerance=0.0, n_clips=1, n_window=WINDOW):
    """Words of noise, with quiet noise of their own around them, and silence as background."""
    clips = []
    for seed in range(n_clips):
        clip = hiss(0.6, seed, level=0.0001)
        clip[START : START + N_WORD] = hiss(N_WORD / RATE, seed + 100, level=0.2)
        clips.append(clip)
    background = [np.zeros(2 * n_window, np.float32)]
    rng = np.random.RandomState(0)
    made = WindowMaker(clips, None, background, [[]], n_window, RATE, tolerance, rng)
    assert made.lengths.tolist() == [N_WORD] * n_clips
    return made, [clip[START : START + N_WORD] for clip in clips]


def likeness(window, word):
    """Normalised correlation with a word that begins at each sample."""
    return np.correlate(window, word, "valid") / np.dot(word, word)


def test_a_word_is_in_the_middle_as_it_was_recorded():
    made, words = maker(n_clips=3)
    for k in range(60):
        window = made.word(k % 3)
        middle = window[(WINDOW - N_WORD) // 2 :][:N_WORD]
        np.testing.assert_allclose(middle, words[k % 3], atol=0.002)


def test_a_word_is_beside_the_middle_by_at_most_the_tolerance():
    made, words = maker(tolerance=0.02)
    offsets = []
    for _ in range(60):
        close = likeness(made.word(0), words[0]) > 0.9
        offsets.append(np.abs(np.flatnonzero(close) - (WINDOW - N_WORD) // 2).min())
    assert 0.01 * RATE < max(offsets) <= 0.02 * RATE


def test_no_word_is_near_the_middle_of_a_window_beside_it():
    made, words = maker(tolerance=0.02)
    for _ in range(60):
        places = np.flatnonzero(likeness(made.beside(0), words[0]) > 0.9)
        assert np.all(np.abs(places - (WINDOW - N_WORD) // 2) >= 2 * 0.02 * RATE)


def test_words_stand_alone_or_among_others_and_keep_more_or_less_of_their_surroundings():
    made, _ = maker(n_window=RATE)
    is_alone, n_heard = [], []
    for _ in range(200):
        window = made.word(0)
        outside = np.delete(window, np.arange(RATE // 2 - 400, RATE // 2 + 400))
        is_alone.append(np.abs(outside).max() < 0.05)
        n_heard.append(np.count_nonzero(outside))
    assert 0.2 < np.mean(is_alone) < 0.8
    alone = np.array(n_heard)[is_alone]
    assert alone.max() > 2 * alone.min()


@pytest.mark.parametrize(
    ("n_clips", "n_shifts", "n_words", "n_others"), [(10, 2, 20, 18), (1, 1, 1, 2), (5, 4, 20, 18)]
)
def test_most_windows_hold_a_word_and_there_is_always_one_without(
    n_clips, n_shifts, n_words, n_others
):
    detector = SlidingWindow(
        make_pipeline(PadOrTrim(n_times=WINDOW), DummyClassifier(strategy="prior")),
        sample_rate=RATE,
        n_shifts=n_shifts,
        random_state=0,
    ).fit([tone("low")] * n_clips, ["low"] * n_clips, background=[hiss(1)])
    expected = np.array([n_words, n_others]) / (n_words + n_others)
    np.testing.assert_allclose(detector.estimator_[-1].class_prior_, expected)
