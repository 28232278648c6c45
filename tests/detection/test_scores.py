"""Scores over time are those of the pipeline, window by window, however sound is cut."""

import functools
import tracemalloc

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech import (
    MFCC,
    MelSpectrogram,
    PadOrTrim,
    SlidingWindow,
    SpectrogramCNNClassifier,
    TemporalPooling,
    WaveformMLPClassifier,
)
from sklearn_speech.detection._settings import plan_of
from sklearn_speech.detection._window_scorer import WindowScorer, shared_front_end, split_steps
from tests.detection.toy import RATE, WINDOW, clips_and_labels, hiss, pipeline, recording
from tests.members import FRONT_ENDS

X, Y = clips_and_labels()
SOUND, _ = recording([("low", 0.3), ("high", 0.7)], 1.2)
QUICK = {"max_epochs": 1, "random_state": 0, "device": "cpu"}


def window_by_window(estimator, sound, n_step):
    """The pipeline's own answer to each window, given as a clip; silence beyond the ends."""
    sound = np.pad(sound, WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::n_step]
    return estimator.predict_proba(np.ascontiguousarray(windows))


def agree(estimator, *, is_shared, step=0.02, sound=SOUND):
    detector = SlidingWindow(estimator, step=step, sample_rate=RATE, duration=WINDOW / RATE)
    (scores,) = detector.predict_proba([sound])
    plan = plan_of(detector, None)
    front_end, _ = shared_front_end(plan.steps, WINDOW)
    assert (front_end is not None) == is_shared
    expected = window_by_window(estimator, sound, plan.n_step)
    assert scores.shape == expected.shape
    assert np.ptp(expected, axis=0).max() > 1e-3  # scores that never change would agree too
    np.testing.assert_allclose(scores, expected, atol=2e-5)


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=repr)
def test_every_front_end_gives_the_scores_of_the_pipeline(front_end):
    front_end = clone(front_end).set_params(sample_rate=RATE)
    agree(pipeline(front_end).fit(X, Y), is_shared=True)


@pytest.mark.parametrize(
    "front_end",
    [
        MelSpectrogram(RATE, center=False),
        MelSpectrogram(RATE, pad_mode="reflect", preemphasis=0.97),
        MelSpectrogram(RATE, n_fft=512, win_length=100, hop_length=64),
        MelSpectrogram(RATE, hop_length=7),
        MFCC(RATE, deltas=2, normalize="band"),
    ],
    ids=repr,
)
def test_edges_of_windows_are_those_of_clips(front_end):
    agree(pipeline(front_end).fit(X, Y), is_shared=True)


def test_frames_that_are_dropped_are_computed_window_by_window():
    agree(pipeline(MelSpectrogram(RATE, zero_frames="drop")).fit(X, Y), is_shared=False)


def test_steps_of_other_lengths_are_rounded_to_frames():
    detector = SlidingWindow(pipeline().fit(X, Y), step=0.013)
    times = detector.window_times(3)
    np.testing.assert_allclose(np.diff(times), 0.01)
    assert times[0] == 0


@pytest.mark.parametrize(
    "estimator",
    [
        WaveformMLPClassifier(hidden_units=4, **QUICK),
        SpectrogramCNNClassifier(1, n_filters=4, frontend=MelSpectrogram(RATE), **QUICK),
        make_pipeline(
            MelSpectrogram(RATE),
            PadOrTrim(n_times=20),
            TemporalPooling(),
            StandardScaler(),
            LogisticRegression(),
        ),
    ],
    ids=["waveforms", "front end inside", "frames cut"],
)
def test_other_pipelines_give_their_own_scores_too(estimator):
    agree(estimator.fit(X, Y), is_shared=isinstance(estimator, type(make_pipeline())))


def test_networks_behind_a_front_end_give_their_own_scores():
    network = SpectrogramCNNClassifier(2, n_filters=4, **QUICK)
    estimator = make_pipeline(MelSpectrogram(RATE, n_mels=20), network).fit(X, Y)
    agree(estimator, is_shared=True)
    agree(FrozenEstimator(estimator), is_shared=True)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 2500), min_size=1, max_size=30), st.sampled_from([80, 160, 400]))
def test_scores_do_not_depend_on_how_sound_is_cut(sizes, n_step):
    _, steps = split_steps(fitted())
    whole = WindowScorer(steps, WINDOW, n_step).push(SOUND)
    scorer, parts, at = WindowScorer(steps, WINDOW, n_step), [], 0
    for size in [*sizes, len(SOUND)]:
        parts.append(scorer.push(SOUND[at : at + size]))
        at += size
        if at >= len(SOUND):
            break
    assert scorer.n_windows == len(whole)
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-5)


@functools.cache
def fitted():
    return pipeline().fit(X, Y)


def test_memory_does_not_grow_with_the_length_of_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_speech.audio._blocks.BLOCK", 2**14)
    detector = SlidingWindow(fitted(), step=0.1)
    peaks = []
    for seconds in (20, 20, 200):  # the first time, modules are loaded
        path = tmp_path / f"{seconds}.wav"
        soundfile.write(path, hiss(seconds), RATE)
        tracemalloc.start()
        detector.detect([path], threshold=0.9)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 4 * 180 * RATE / 10  # a tenth of the samples


def test_samples_and_frames_are_kept_for_one_window_only():
    _, steps = split_steps(fitted())
    scorer = WindowScorer(steps, WINDOW, 160)
    for seed in range(20):
        scorer.push(hiss(0.33, seed))
    assert len(scorer._samples) < WINDOW + 160
    assert scorer._samples.base is None
    assert len(scorer._energies) <= WINDOW // 80


def test_each_frame_within_a_window_is_computed_once(monkeypatch):
    _, steps = split_steps(fitted())
    scorer = WindowScorer(steps, WINDOW, 160)
    counts = []
    energies = scorer.front_end.energies
    monkeypatch.setattr(
        scorer.front_end,
        "energies",
        lambda frames, blocks: (
            counts.append(np.prod(frames.shape[:-1])) or energies(frames, blocks)
        ),
    )
    for start in range(0, len(SOUND), 1000):
        scorer.push(SOUND[start : start + 1000])
    n_frames = 1 + (len(SOUND) + WINDOW // 2) // 80
    at_edges = scorer.n_windows * (21 - (scorer._stop - scorer._first))
    assert sum(counts) <= n_frames + at_edges
