"""Strings of digits: recordings, segments, pauses and errors."""

import itertools
import unicodedata

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.utils import Bunch

from sklearn_speech.datasets import (
    fetch_fsdd,
    get_data_home,
    make_connected_digits,
    make_spoken_digits,
    phonemize_digits,
)


@pytest.fixture(scope="module")
def single():
    return make_spoken_digits(n_speakers=3, n_takes=4, random_state=0)


@pytest.fixture(scope="module")
def connected(single):
    return make_connected_digits(single, n_clips_per_speaker=8, random_state=1)


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


def test_targets_are_the_phones_of_the_digits(connected):
    assert len(connected.data) == 3 * 8
    assert list(connected.target) == list(phonemize_digits(connected.digits))
    assert {len(digits) for digits in connected.digits} == {1, 2, 3, 4, 5}


def test_each_clip_has_a_single_speaker(single, connected):
    for name, recordings in zip(connected.speaker, connected.recordings):
        assert set(single.speaker[recordings]) == {name}
    assert set(connected.speaker) == set(single.speaker)


def test_segments_contain_the_unchanged_recordings(single, connected):
    for clip, recordings, segments in zip(
        connected.data, connected.recordings, connected.digit_segments
    ):
        assert len(recordings) == len(segments)
        for i, (start, end, digit) in zip(recordings, segments):
            assert digit == single.target[i]
            np.testing.assert_array_equal(clip[start:end], single.data[i])


def test_pauses_have_the_given_lengths_and_level(connected):
    for clip, segments in zip(connected.data, connected.digit_segments):
        edges = [0, *(t for start, end, _ in segments for t in (start, end)), len(clip)]
        pauses = [clip[a:b] for a, b in zip(edges[::2], edges[1::2])]
        assert len(pauses) == len(segments) + 1
        for pause in pauses:
            assert 0.05 * 8000 - 1 <= len(pause) <= 0.3 * 8000 + 1
        said = np.concatenate([clip[start:end] for start, end, _ in segments])
        level = 10 * np.log10(np.mean(np.concatenate(pauses) ** 2) / np.mean(said**2))
        assert level == pytest.approx(-40, abs=1)


def test_phone_segments_cover_each_clip_without_gaps(connected):
    for clip, target, segments in zip(connected.data, connected.target, connected.segments):
        starts, ends, phones = zip(*segments)
        assert starts[0] == 0 and ends[-1] == len(clip) and starts[1:] == ends[:-1]
        assert all(start < end for start, end, _ in segments)
        assert phones[0] == phones[-1] == "h#" and "h#" not in phones[1:-1]
        assert [phone for phone in phones if phone not in ("h#", "pau")] == target


def test_phone_segments_are_the_shifted_ones_of_the_single_digits(single, connected):
    for recordings, digits, segments in zip(
        connected.recordings, connected.digit_segments, connected.segments
    ):
        expected = [
            (start + a, start + b, phone)
            for i, (start, _, _) in zip(recordings, digits)
            for a, b, phone in single.segments[i]
            if phone != "h#"
        ]
        assert [s for s in segments if s[2] not in ("h#", "pau")] == expected


def test_no_recording_is_used_twice_unless_requested(single):
    once = make_connected_digits(single, n_clips_per_speaker=8, random_state=1)
    used = list(itertools.chain(*once.recordings))
    assert len(used) == len(set(used))
    again = make_connected_digits(
        single, n_clips_per_speaker=40, reuse_recordings=True, random_state=1
    )
    used = list(itertools.chain(*again.recordings))
    assert len(again.data) == 120 and len(used) > len(set(used))


def test_the_error_names_a_speaker_with_too_few_recordings(single):
    with pytest.raises(ValueError, match=r"speaker 'synth-00' has 40 recordings, enough for 20"):
        make_connected_digits(single, n_clips_per_speaker=21, n_digits=2)
    assert len(make_connected_digits(single, n_clips_per_speaker=20, n_digits=2).data) == 60


def test_equal_seeds_give_equal_clips_and_other_seeds_others(single, connected):
    again = make_connected_digits(single, n_clips_per_speaker=8, random_state=1)
    other = make_connected_digits(single, n_clips_per_speaker=8, random_state=2)
    assert same(connected.data, again.data) and list(connected.digits) == list(again.digits)
    assert not same(connected.data, other.data)


def test_other_numbers_of_clips_and_speakers_do_not_change_the_rest(single, connected):
    more = make_connected_digits(single, n_clips_per_speaker=10, random_state=1)
    kept = more.speaker == "synth-01"
    assert same(more.data[kept][:8], connected.data[connected.speaker == "synth-01"])
    own = np.flatnonzero(single.speaker == "synth-01")
    alone = Bunch(**{k: v for k, v in single.items() if k != "segments"})
    alone.update(data=single.data[own], target=single.target[own], speaker=single.speaker[own])
    fewer = make_connected_digits(alone, n_clips_per_speaker=8, random_state=1)
    assert same(fewer.data, connected.data[connected.speaker == "synth-01"])
    assert fewer.segments is None


def test_without_speech_there_are_six_synthetic_speakers():
    speech = make_connected_digits(n_clips_per_speaker=2, n_digits=3, random_state=0)
    assert len(set(speech.speaker)) == 6 and len(speech.data) == 12
    assert speech.sample_rate == 8000 and speech.segments is not None
    assert all(clip.dtype == np.float32 and np.abs(clip).max() <= 1 for clip in speech.data)


def test_boundaries_scale_with_the_sample_rate(single):
    settings = {"n_clips_per_speaker": 2, "pause": 0.125, "random_state": 3}
    slow = make_connected_digits(single, **settings)
    fast = make_connected_digits(single, sample_rate=16000, **settings)
    assert fast.sample_rate == 16000 and list(fast.digits) == list(slow.digits)
    for a, b, long in zip(slow.segments, fast.segments, fast.data):
        assert [phone for _, _, phone in a] == [phone for _, _, phone in b]
        # each recording may end a sample earlier or later
        np.testing.assert_allclose([s[:2] for s in b], 2 * np.array([s[:2] for s in a]), atol=6)
        assert b[-1][1] == len(long)


def test_pauses_may_be_silent_or_absent(single):
    silent = make_connected_digits(
        single, n_clips_per_speaker=2, n_digits=2, pause=0.1, pause_level=None, random_state=0
    )
    for clip, ((a, b, _), (c, d, _)) in zip(silent.data, silent.digit_segments):
        assert a == c - b == len(clip) - d == 800
        assert not clip[:a].any() and not clip[b:c].any() and not clip[d:].any()
    joined = make_connected_digits(
        single, n_clips_per_speaker=2, n_digits=2, pause=0, random_state=0
    )
    for clip, recordings in zip(joined.data, joined.recordings):
        np.testing.assert_array_equal(clip, np.concatenate(single.data[recordings]))


def test_speech_may_be_files_with_words_as_labels(tmp_path):
    paths, rng = [], np.random.default_rng(0)
    for i in range(4):
        path = tmp_path / f"{i}.wav"
        soundfile.write(path, rng.uniform(-0.5, 0.5, 800 + i), 16000, subtype="FLOAT")
        paths.append(str(path))
    speech = Bunch(
        data=np.array(paths), target=np.array(["one", "two", "one", "two"]),
        speaker=["ann", "ann", "bob", "bob"], sample_rate=16000, license="free",
    )  # fmt: skip
    made = make_connected_digits(speech, n_clips_per_speaker=1, n_digits=2, random_state=0)
    assert sorted(made.digits[0]) == [1, 2] and made.segments is None and made.license == "free"
    for clip, recordings, segments in zip(made.data, made.recordings, made.digit_segments):
        for i, (start, end, _) in zip(recordings, segments):
            np.testing.assert_array_equal(
                clip[start:end], soundfile.read(paths[i], dtype="float32")[0]
            )
    (tmp_path / "3.wav").unlink()
    with pytest.raises(ValueError, match=r"3\.wav: no such file"):
        make_connected_digits(speech, n_clips_per_speaker=1, n_digits=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_digits": (3, 2)}, r"n_digits=\(3, 2\)"),
        ({"n_digits": 0}, "n_digits=0"),
        ({"n_digits": 1.5}, "n_digits=1.5"),
        ({"pause": (-0.1, 0.1)}, "pause="),
        ({"pause": float("nan")}, "pause=nan"),
        ({"pause_level": "loud"}, "pause_level='loud'"),
        ({"n_clips_per_speaker": 0}, "n_clips_per_speaker=0"),
        ({"sample_rate": 0}, "sample_rate=0"),
    ],
)
def test_errors_name_wrong_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_connected_digits(**arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"speaker": None}, "speech has no speaker"),
        ({"target": [12] * 120}, r"speech.target\[0\] is or contains 12"),
        ({"target": [1]}, "120 data, but 1 entries of target"),
        ({"sample_rate": None}, "speech has no sample_rate"),
    ],
)
def test_errors_name_what_speech_lacks(single, changes, message):
    with pytest.raises(ValueError, match=message):
        make_connected_digits(Bunch(**{**single, **changes}))
    with pytest.raises(TypeError, match="speech is a list"):
        make_connected_digits([1, 2])


def test_real_digits_are_joined_by_speaker():
    if not (get_data_home() / "fsdd" / "recordings").is_dir():
        pytest.skip(f"FSDD is not in {get_data_home()}")
    single = fetch_fsdd(subset="test", download_if_missing=False)
    speech = make_connected_digits(single, n_clips_per_speaker=5, random_state=0)
    assert len(speech.data) == 30 and speech.segments is None
    for name, recordings, digits in zip(speech.speaker, speech.recordings, speech.digits):
        assert set(single.speaker[recordings]) == {name}
        assert single.target[recordings].tolist() == digits
    assert "CC BY-SA" in speech.license and "Free Spoken Digit Dataset" in speech.DESCR


def test_series_are_read_by_position_and_waveforms_are_checked(single):
    series = pd.Series(list(single.data), index=range(len(single.data))[::-1])
    options = {"n_clips_per_speaker": 2, "random_state": 0}
    ours = make_connected_digits(Bunch(**{**single, "data": series}), **options)
    assert same(ours.data, make_connected_digits(single, **options).data)
    for change, words in ((np.int16, "speech.data: clip 0 of X .* 32768"), (None, "contains NaN")):
        data = single.data.copy()
        for i in range(len(data)):
            data[i] = (100 * data[i]).astype(change) if change else data[i] * np.nan
        with pytest.raises(ValueError, match=words):
            make_connected_digits(Bunch(**{**single, "data": data}), **options)


def test_two_unicode_forms_of_a_name_are_one_speaker(single):
    names = np.array(["josé" if name == "synth-00" else name for name in single.speaker])
    half = names.copy()
    half[::2] = [unicodedata.normalize("NFD", name) for name in names[::2]]
    assert len(set(half)) == len(set(names)) + 1
    joined = [
        make_connected_digits(
            Bunch(**{**single, "speaker": speaker}), n_clips_per_speaker=2, random_state=0
        )
        for speaker in (names, half)
    ]
    assert joined[1].speaker.tolist() == joined[0].speaker.tolist()
    assert same(joined[1].data, joined[0].data)
