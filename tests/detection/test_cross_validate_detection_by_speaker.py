"""Detectors judged on speakers they never heard, with thresholds that others chose."""

import numpy as np
import pytest

from sklearn_speech import SlidingWindow, detection_curve, miss_rate_at
from sklearn_speech.detection import cross_validate_detection_by_speaker
from tests.detection.toy import WORDS, hiss, pipeline, recording, tone

SPEAKERS = ["ann", "bob", "cem", "dan"]
LEVELS = dict(zip(SPEAKERS, (0.3, 0.25, 0.2, 0.15)))


class Spy(SlidingWindow):
    """Notes whom it was trained on, by the levels of the clips, and by what background."""

    trained = []

    def fit(self, X, y, *, groups=None, background=None, background_events=None):
        self.trained.append((sorted(set(groups)), len(background)))
        return super().fit(X, y, groups=groups, background=background)


def data():
    X = [tone(word, level=LEVELS[name]) for name in SPEAKERS for word in WORDS]
    speakers = np.repeat(SPEAKERS, len(WORDS))
    recordings, events = [], []
    for k in range(len(SPEAKERS)):
        sound, rows = recording([("low", 0.4), ("high", 0.9), ("high", 1.5)], 2.0, seed=k)
        recordings.append(sound)
        events += [(k, *row[1:]) for row in rows]
    return X, list(WORDS) * len(SPEAKERS), speakers, recordings, events


@pytest.fixture(scope="module")
def scores():
    Spy.trained.clear()
    X, y, speakers, recordings, events = data()
    return cross_validate_detection_by_speaker(
        Spy(pipeline(), step=0.02, smoothing=0.06, min_distance=0.1, n_shifts=20, random_state=0),
        X,
        y,
        speakers,
        recordings,
        events,
        SPEAKERS,
        background=[hiss(2, 11), hiss(2, 12)],
        background_speakers=["ann", "nobody"],
    )


def test_no_detector_hears_who_judges_it(scores):
    assert Spy.trained == [
        (sorted(set(SPEAKERS) - {name}), 1 if name == "ann" else 2) for name in SPEAKERS
    ]
    assert scores.fold_of_speaker.tolist() == [0, 1, 2, 3]


def test_a_threshold_is_that_of_the_other_speakers(scores):
    _, _, _, recordings, events = data()
    seconds = {k: len(sound) / 8000 for k, sound in enumerate(recordings)}
    for k in range(len(SPEAKERS)):
        others = {i: s for i, s in seconds.items() if i != k}
        curve = detection_curve(
            [e for e in events if e[0] != k], [e for e in scores.candidates if e[0] != k], others
        )
        assert scores.thresholds[k] == miss_rate_at(curve, 1.0, floor=0.02)[1]
        own = scores.candidates.of(k).above(scores.thresholds[k])
        assert list(scores.detected.of(k)) == list(own)


def test_tones_are_found_for_each_speaker(scores):
    assert scores.n_true.tolist() == [3] * 4
    np.testing.assert_array_equal(scores.miss_rate, 0)
    assert scores.curve.miss_rate_by_speaker.shape[0] == 4
    assert "ann" in repr(scores) and repr(scores).splitlines()[-1].startswith("all")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recording_speakers": ["ann"] * 4}, "one speaker only"),
        ({"events": [(7, "low", 0, 1)]}, "event in 7, which is no recording"),
        ({"cv": 9}, "cv=9: expected None, or a number of folds from 2 to 4"),
        ({"speakers": ["ann"] * 8}, r"without \['ann'\] there is no clip"),
        ({"recording_speakers": SPEAKERS[:2]}, "recording_speakers has 2 entries for 4"),
        ({"X": [tone("low")] * 9}, "inconsistent numbers of samples: \\[9, 8\\]"),
        ({"events": []}, "events is empty"),
        ({"events": [(0, "low", 0, 1)]}, r"without \['ann'\] there is no event to choose"),
        ({"events": [(0, "lo", 0, 1)]}, "the word 'lo', of which y has no clip"),
        ({"events": [(0, "other", 0, 1)]}, "the word 'other', of which y has no clip"),
        ({"at": "middle"}, "at='middle': expected"),
        ({"collar": -1}, "collar=-1: expected"),
        ({"min_score": np.nan}, "min_score=nan: expected"),
        ({"false_alarms_per_hour": -1}, "false_alarms_per_hour=-1: expected"),
        ({"background_speakers": ["ann"]}, r"without \['ann'\] no background is left"),
        ({"background": None, "background_events": []}, "were given without background"),
        ({"background_events": [(4, "low", 0, 1)]}, "an event in 4, which is no recording of"),
        ({"recordings": [*data()[3][:3], hiss(0.1)]}, r"recordings\[3\] has 0.100 s, less than"),
        ({"recordings": [*data()[3][:3], np.full(16000, np.nan)]}, r"recordings\[3\] holds NaN"),
    ],
    ids=[
        *("one speaker", "unknown recording", "folds", "no clips", "lengths", "clips", "no events"),
        *("events of one fold", "unknown word", "no word", "at", "collar", "score", "rate"),
        *("no background", "no background but events", "unknown background", "short", "NaN"),
    ],
)
def test_sets_that_do_not_fit_together_are_named_before_anything_is_computed(
    change, message, monkeypatch
):
    monkeypatch.setattr(SlidingWindow, "fit", lambda *args, **kwargs: pytest.fail("fitted"))
    names = ("X", "y", "speakers", "recordings", "events", "recording_speakers")
    arguments = dict(zip(names, [*data(), SPEAKERS])) | {"background": [hiss(2)]} | change
    with pytest.raises(ValueError, match=message):
        cross_validate_detection_by_speaker(SlidingWindow(pipeline(), step=0.02), **arguments)
    with pytest.raises(TypeError, match="detector is a str"):
        cross_validate_detection_by_speaker("detector", **arguments)


def test_words_of_held_out_speakers_alone_draw_a_warning():
    X, y, speakers, recordings, events = data()
    y = ["top" if name == "bob" and word == "high" else word for name, word in zip(speakers, y)]
    events = [(k, "top" if k == 1 and word == "high" else word, *at) for k, word, *at in events]
    detector = SlidingWindow(pipeline(), step=0.02, n_shifts=2, random_state=0)
    arguments = (detector, X, y, speakers, recordings, events, SPEAKERS)
    with pytest.warns(UserWarning, match=r"without \['bob'\] there is no clip of top"):
        scores = cross_validate_detection_by_speaker(*arguments, background=[hiss(2)])
    assert scores.miss_rate[1] >= 2 / 3


def test_events_of_the_background_follow_its_recordings_into_each_fold(monkeypatch):
    seen = []

    def fit(self, X, y, *, groups=None, background=None, background_events=None):
        seen.append((len(background), background_events))
        raise InterruptedError

    monkeypatch.setattr(SlidingWindow, "fit", fit)
    for held_out in ("ann", "nobody"):
        with pytest.raises(InterruptedError):
            cross_validate_detection_by_speaker(
                SlidingWindow(pipeline(), step=0.02),
                *data(),
                SPEAKERS,
                background=[hiss(2, 11), hiss(2, 12)],
                background_speakers=[held_out, "someone"],
                background_events=[(0, "x", 0.1, 0.2), (1, "y", 0.5, 0.6)],
            )
    both = [(0, "x", 0.1, 0.2), (1, "y", 0.5, 0.6)]
    assert seen == [(1, [(0, "y", 0.5, 0.6)]), (2, both)]
