"""What a user gets wrong: the message names it, and nothing that was computed is lost."""

import numpy as np
import pytest
import soundfile
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline

from sklearn_speech import AudioReader, MelSpectrogram, PadOrTrim, SlidingWindow, TemporalPooling
from sklearn_speech.persistence import load, save
from sklearn_speech.utils.validation import make_ragged
from tests.detection.toy import RATE, WINDOW, clips_and_labels, hiss, pipeline, recording, tone
from tests.detection.toy import detector as toy_detector

X, Y = clips_and_labels()


@pytest.fixture(scope="module")
def fitted():
    return SlidingWindow(pipeline().fit(X, Y), step=0.02, smoothing=0.0)


def with_nan(sound):
    sound = sound.copy()
    sound[4000:4010] = np.nan
    return sound


@pytest.mark.parametrize("method", ["detect", "predict_proba"])
@pytest.mark.parametrize(
    ("recordings", "error", "message"),
    [
        ([hiss(1), hiss(0.1)], ValueError, r"recordings\[1\] has 0.100 s, less than one window"),
        ([hiss(1), hiss(0)], ValueError, r"recordings\[1\] is empty"),
        ([], ValueError, "recordings is empty"),
        (hiss(1), TypeError, "holds single numbers.*put one waveform into a list"),
        ([np.zeros((8000, 2))], ValueError, r"recordings\[0\] has shape \(8000, 2\).*channels"),
        ([np.zeros(8000, np.int16)], ValueError, "dtype int16.*divide"),
        ([np.array(["a", "b"])], TypeError, r"recordings\[0\] has dtype"),
        ([hiss(1) * 1e20], ValueError, r"recordings\[0\] has amplitudes up to .*e\+1"),
        ([np.ma.masked_greater(hiss(1), 0.0)], ValueError, r"recordings\[0\] is masked at"),
        (
            [hiss(1), with_nan(hiss(1))],
            ValueError,
            r"recordings\[1\] holds NaN or infinity at 10 samples, from 0.500 s to 0.501 s: the "
            r"windows 21 to 30, whose middles are at 0.420 s to 0.600 s.*on_invalid='nan'",
        ),
    ],
    ids=["short", "empty", "none", "one", "stereo", "integers", "strings", "loud", "masked", "NaN"],
)
def test_a_bad_recording_is_named_before_anything_is_computed(
    fitted, monkeypatch, method, recordings, error, message
):
    def compute(*args):
        pytest.fail("a recording was computed before all were looked at")

    monkeypatch.setattr("sklearn_speech.detection._window_scorer.WindowScorer.push", compute)
    with pytest.raises(error, match=message):
        getattr(fitted, method)(recordings)


def test_windows_round_nan_have_no_scores_and_the_others_keep_theirs(fitted):
    sound, _ = recording([("low", 0.7)], 1.2)
    tolerant = SlidingWindow(fitted.estimator, step=0.02, on_invalid="nan")
    with pytest.warns(UserWarning, match=r"windows 21 to 30.*get NaN"):
        (scores,) = tolerant.predict_proba([with_nan(sound)])
    (expected,) = fitted.predict_proba([sound])
    assert np.isnan(scores).any(axis=1).nonzero()[0].tolist() == list(range(21, 31))
    kept = np.isfinite(scores)
    np.testing.assert_allclose(scores[kept], expected[kept], atol=1e-5)
    stream, parts = tolerant.stream(), []
    for chunk in np.array_split(with_nan(sound), 7):
        if np.isfinite(chunk).all():
            stream.push(chunk)
        else:
            with pytest.warns(UserWarning, match="chunk holds NaN"):
                stream.push(chunk)
        parts.append(stream.scores)
    stream.finish()
    parts.append(stream.scores)
    np.testing.assert_allclose(np.concatenate(parts), scores, atol=1e-5)


def test_windows_round_nan_in_a_file_are_named_or_have_no_scores(fitted, tmp_path):
    sound, _ = recording([("low", 0.7)], 1.2)
    path = tmp_path / "nan.wav"
    soundfile.write(path, with_nan(sound), RATE, subtype="FLOAT")
    with pytest.raises(
        ValueError, match=r"recordings\[0\], .*nan\.wav holds NaN.*windows 21 to 30"
    ):
        fitted.detect([path])
    tolerant = SlidingWindow(fitted.estimator, step=0.02, on_invalid="nan")
    with pytest.warns(UserWarning, match=r"nan\.wav holds NaN.*windows 21 to 30.*get NaN"):
        (scores,) = tolerant.predict_proba([path])
    with pytest.warns(UserWarning, match="get NaN"):
        (expected,) = tolerant.predict_proba([with_nan(sound)])
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("chunk", "error", "message"),
    [
        (np.zeros(0, np.float32), ValueError, "chunk is empty"),
        (np.zeros((160, 1)), ValueError, r"chunk has shape \(160, 1\)"),
        (np.zeros(160, np.int16), ValueError, "chunk holds samples of dtype int16"),
        (with_nan(hiss(1)), ValueError, "chunk holds NaN"),
        (["a"], TypeError, "chunk has dtype"),
    ],
    ids=["empty", "column", "integers", "NaN", "strings"],
)
def test_a_stream_goes_on_after_a_bad_chunk_as_if_it_had_not_come(fitted, chunk, error, message):
    sound, _ = recording([("low", 0.5), ("high", 1.0)], 1.6)
    stream, rows = fitted.stream(), []
    for part in np.array_split(sound, 5):
        rows += stream.push(part)
        with pytest.raises(error, match=message):
            stream.push(chunk)
    rows += stream.finish()
    whole = list(fitted.detect([sound]))
    assert [row[:2] for row in rows] == [row[:2] for row in whole] != []
    with pytest.raises(RuntimeError, match="has ended"):
        stream.push(sound)


def test_other_rates_are_refused(fitted, tmp_path):
    for call in (lambda **k: fitted.detect([hiss(1)], **k), fitted.stream):
        with pytest.raises(ValueError, match=r"sample_rate=16000, but the pipeline computes with"):
            call(sample_rate=16000)
    path = tmp_path / "fast.wav"
    soundfile.write(path, hiss(1), 16000)
    with pytest.raises(ValueError, match=r"fast\.wav has a rate of 16000 Hz.*AudioReader"):
        fitted.detect([path])


def test_files_are_read_resampled_and_named(tmp_path):
    sound, _ = recording([("low", 0.5)], 1.2)
    estimator = make_pipeline(AudioReader(RATE), *[step for _, step in pipeline().steps])
    paths = []
    for i, clip in enumerate(X):
        paths.append(str(tmp_path / f"{i}.wav"))
        soundfile.write(paths[-1], clip, RATE, subtype="FLOAT")
    detector = SlidingWindow(estimator, step=0.02, smoothing=0.0).fit(paths, Y)
    soundfile.write(tmp_path / "long.wav", sound, RATE, subtype="FLOAT")
    events = detector.detect([tmp_path / "long.wav"])
    assert set(events.recording) == {str(tmp_path / "long.wav")}
    in_memory = SlidingWindow(pipeline(), step=0.02, smoothing=0.0)
    in_memory = in_memory.fit(X, Y).detect([sound])
    assert events.word.tolist() == in_memory.word.tolist()
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    with pytest.raises(ValueError, match=r"recordings\[1\], .*bad\.wav"):
        detector.detect([tmp_path / "long.wav", tmp_path / "bad.wav"])


@pytest.mark.parametrize("reads", [True, False], ids=["reader", "no reader"])
def test_samples_with_their_rate_are_recordings_as_they_are_for_audio_reader(fitted, reads):
    sound, _ = recording([("low", 0.5)], 1.2)
    estimator = fitted.estimator
    if reads:
        estimator = make_pipeline(AudioReader(RATE), *[step for _, step in estimator.steps])
    detector = SlidingWindow(estimator, step=0.02, smoothing=0.0)
    whole = list(detector.detect([sound]))
    stereo = np.stack([sound, sound], axis=1)
    for given in ((sound, RATE), {"array": sound, "sampling_rate": RATE}, (stereo, RATE)):
        assert list(detector.detect([given])) == whole != []
    with pytest.raises(TypeError, match="is one recording"):
        detector.detect((sound, RATE))
    fast = (np.repeat(sound, 2), 2 * RATE)
    if reads:
        assert [row[:2] for row in detector.detect([fast])] == [row[:2] for row in whole]
    else:
        with pytest.raises(ValueError, match=r"recordings\[0\].* has a rate of 16000 Hz"):
            detector.detect([fast])


def test_a_saved_detector_finds_the_same_events(tmp_path):
    sound, _ = recording([("low", 0.5), ("high", 1.0)], 1.6)
    detector = toy_detector(threshold={"low": 0.4, "high": 0.6})
    save(detector, tmp_path / "detector.safetensors")
    loaded = load(tmp_path / "detector.safetensors")
    assert list(loaded.detect([sound])) == list(detector.detect([sound])) != []
    assert loaded.durations_ == detector.durations_


def test_a_classifier_without_probabilities_is_refused_before_it_is_trained():
    steps = (PadOrTrim(n_times=WINDOW), MelSpectrogram(RATE), TemporalPooling(), RidgeClassifier())
    message = "RidgeClassifier has no predict_proba.*CalibratedClassifierCV"
    with pytest.raises(TypeError, match=message):
        SlidingWindow(make_pipeline(*steps)).fit(X, Y)
    with pytest.raises(TypeError, match=message):
        SlidingWindow(make_pipeline(*steps).fit(X, Y)).detect([hiss(1)])


def test_what_is_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="call fit, or give it a fitted"):
        SlidingWindow(pipeline()).detect([hiss(1)])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"step": 0.0}, "'step' parameter"),
        ({"step": 1.0}, r"step=1.0 s is longer than the window of 0.200 s"),
        ({"patience": 0}, "'patience' parameter"),
        ({"threshold": {"low": 0.5}}, "threshold has no word 'high'"),
        ({"threshold": {"low": 0.5, "high": 0.5, "hi": 1}}, "threshold names 'hi'"),
        ({"threshold": {"low": 0.5, "high": np.nan}}, r"threshold\['high'\]=nan"),
        ({"other": ("low", "high", "other")}, "no word is left"),
        ({"sample_rate": 16000}, r"differ in their rates: \[8000, 16000\] Hz"),
    ],
    ids=str,
)
def test_wrong_parameters_are_named(fitted, parameters, message):
    detector = SlidingWindow(fitted.estimator, **{"step": 0.02} | parameters)
    with pytest.raises(ValueError, match=message):
        detector.detect([hiss(1)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"background": [hiss(1), hiss(0.1)]}, r"background\[1\] has 0.100 s, less than one"),
        ({"background": [with_nan(hiss(1))]}, r"background\[0\] holds NaN"),
        ({"background_events": [(0, "low", 0.1, 0.2)]}, "without background"),
        (
            {"background": [hiss(1)], "background_events": [(3, "low", 0.1, 0.2)]},
            "an event in 3, which is no recording of background",
        ),
        (
            {"background": [hiss(1)], "background_events": [(0, "low", 0.1, 0.9)]},
            "leave no window of 0.200 s",
        ),
        ({"background": [hiss(1)], "y": [0, 1]}, "y holds numbers, but other begins with 'other'"),
        ({"background": [hiss(1)], "y": ["low"]}, "y has 1 entries for 2 clips"),
        ({"background": [hiss(1)], "X": [], "y": []}, "X is empty: expected at least one"),
        ({"background": [hiss(1)], "groups": ["ann"]}, "groups has 1 entries for 2 clips"),
    ],
    ids=["short", "NaN", "no background", "unknown", "full", "numbers", "y", "X", "groups"],
)
def test_wrong_training_data_are_named(arguments, message):
    arguments = {"X": [tone("low"), tone("high")], "y": ["low", "high"]} | arguments
    with pytest.raises(ValueError, match=message):
        SlidingWindow(pipeline(), step=0.02).fit(**arguments)


def test_parts_of_the_background_with_words_are_left_out():
    sound = hiss(1)
    sound[2400:4800] = hiss(0.3, level=0.3)
    seen = []

    class Spy(TemporalPooling):
        def fit(self, X, y=None):
            seen.append(X.max())
            return super().fit(X, y)

    estimator = make_pipeline(
        PadOrTrim(n_times=WINDOW),
        MelSpectrogram(RATE),
        Spy(),
        *pipeline()[-2:].named_steps.values(),
    )
    fit = SlidingWindow(estimator, step=0.02, n_shifts=4, random_state=0).fit
    clips = [0.01 * tone("low"), 0.01 * tone("high")]
    fit(clips, ["low", "high"], background=[sound])
    fit(clips, ["low", "high"], background=[sound], background_events=[(0, "x", 0.3, 0.6)])
    loud, quiet = seen
    assert quiet < loud - 20  # dB


def test_the_same_seed_gives_the_same_detector_and_numbers_are_labels_too():
    clips, background = [tone("low"), tone("high")], [hiss(2)]
    scores = []
    for seed in (0, 0, 1):
        detector = SlidingWindow(pipeline(), step=0.02, other=-1, n_shifts=6, random_state=seed)
        detector.fit(clips, [0, 1], background=background)
        assert detector.words_ == [0, 1]
        scores.append(detector.predict_proba([hiss(0.5, 3)])[0])
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])


@pytest.mark.parametrize("recording", [None, 1.5, ["a"], np.nan, True])
def test_a_stream_is_named_by_a_path_or_a_position(fitted, recording):
    with pytest.raises(TypeError, match=r"recording=.*: expected a path or a position"):
        fitted.stream(recording=recording)


@pytest.mark.parametrize("n_windows", [None, -1, 2.5, "a", True, 10**12])
def test_windows_are_a_whole_number(fitted, n_windows):
    with pytest.raises(ValueError, match=r"n_windows=.*: expected (a whole number|at most)"):
        fitted.window_times(n_windows)


@pytest.mark.parametrize("other", [None, [["other"]], ("other", None), {"other": 1}])
def test_classes_that_are_no_words_are_labels(fitted, other):
    with pytest.raises(TypeError, match=r"other=.*expected a label"):
        SlidingWindow(fitted.estimator, step=0.02, other=other).detect([hiss(1)])


@pytest.mark.parametrize("kind", [tuple, list, set, frozenset, np.array])
def test_classes_that_are_no_words_come_in_any_collection(kind):
    detector = SlidingWindow(pipeline().fit(X, Y), other=kind(["other", "none"]))
    assert "other" not in detector.words_
    assert detector.words_ == SlidingWindow(detector.estimator).words_


def test_smoothing_beyond_the_recording_costs_no_more_than_over_all_of_it(fitted):
    sounds = [hiss(2)]
    expected = list(fitted.detect(sounds, smoothing=1000.0, threshold=0.0))
    assert list(fitted.detect(sounds, smoothing=1e9, threshold=0.0)) == expected


@pytest.mark.parametrize("is_ragged", [True, False])
def test_windows_that_a_pipeline_does_not_hear_whole_are_refused(is_ragged):
    given = make_ragged(X) if is_ragged else X
    for seconds, message in ((0.3, "longer than the 0.2 s that PadOrTrim keeps"), (0.1, None)):
        detector = SlidingWindow(pipeline().fit(given, Y), step=0.02, duration=seconds)
        if message is None and is_ragged:  # PadOrTrim fills shorter windows, as it does clips
            assert len(detector.predict_proba([hiss(1)])[0]) == 51
            continue
        message = message or "the pipeline was fitted with clips of 0.2 s"
        with pytest.raises(ValueError, match=rf"duration={seconds} s.*{message}"):
            detector.detect([hiss(1)])
    with pytest.raises(ValueError, match=r"duration=0\.3 s is longer than the 0\.2 s"):
        SlidingWindow(pipeline(), duration=0.3).fit(X, Y, background=[hiss(1)])
