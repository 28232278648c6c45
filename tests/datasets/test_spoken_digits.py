"""Synthetic speech obeys the physics of speech and depends on the seed alone."""

import dataclasses
import re

import numpy as np
import pytest
from scipy.linalg import solve_toeplitz
from scipy.signal import welch

from sklearn_speech.datasets._digit_phones import DIGIT_PHONES, PHONES
from sklearn_speech.datasets._formant_synthesizer import synthesize
from sklearn_speech.datasets._spoken_digits import KINDS, _draw_voice, make_spoken_digits


@pytest.fixture(scope="module")
def speech():
    return make_spoken_digits(n_speakers=6, n_takes=2, sample_rate=16000, random_state=0)


def segments_of(speech, phone):
    for i, segments in enumerate(speech.segments):
        for start, end, name in segments:
            if name == phone:
                yield i, speech.data[i][start:end]


def same_clips(first, second):
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second))


def pitch(clip, sample_rate, f0):
    """Median over frames of the autocorrelation's strongest lag within an octave of f0."""
    length = int(6 * sample_rate / f0)
    estimates = []
    for start in range(0, len(clip) - length, length // 4):
        frame = clip[start : start + length] * np.hanning(length)
        correlation = np.correlate(frame, frame, "full")[length - 1 :]
        correlation /= (
            np.correlate(np.hanning(length), np.hanning(length), "full")[length - 1 :] + 1
        )
        low, high = int(sample_rate / f0 / 1.6), int(sample_rate / f0 * 1.6)
        estimates.append(sample_rate / (low + np.argmax(correlation[low:high])))
    return np.median(estimates)


def lpc_formants(clip, sample_rate, order):
    """Frequencies of the narrow poles of linear prediction, ascending."""
    clip = np.append(clip[0], clip[1:] - 0.95 * clip[:-1])
    clip = clip * np.hanning(len(clip))
    correlation = np.correlate(clip, clip, "full")[len(clip) - 1 :][: order + 1]
    predictor = solve_toeplitz(correlation[:-1], correlation[1:])
    roots = np.roots(np.append(1, -predictor))
    roots = roots[roots.imag > 0]
    widths = -np.log(np.abs(roots)) * sample_rate / np.pi
    frequencies = np.angle(roots) * sample_rate / (2 * np.pi)
    return np.sort(frequencies[(widths < 500) & (frequencies > 150)])


def share_above(sound, sample_rate, edge):
    frequencies, power = welch(sound, sample_rate, nperseg=min(len(sound), 256))
    return power[frequencies >= edge].sum() / power.sum()


def steady_phone(phone, kind="man", sample_rate=8000, formant_scale=None, **changes):
    """Half a second of one phone by a voice without accent, with its silence cut off."""
    voice = _draw_voice(0, 0, kind)
    voice = dataclasses.replace(
        voice,
        formant_scale=KINDS[kind][1] if formant_scale is None else formant_scale,
        formant_offsets=(1.0, 1.0, 1.0),
        breathiness=-6.0,
        room_tilt=0.0,
        tilt=0.0,
        **changes,
    )
    boundaries = np.array([0, 0.02, 0.52, 0.54]) * sample_rate
    boundaries = boundaries.astype(int)
    rng = np.random.default_rng(0)
    sound = synthesize(("h#", phone, "h#"), boundaries, voice, sample_rate, rng)
    return sound[boundaries[1] : boundaries[2]], voice


def test_equal_seeds_give_equal_clips_and_other_seeds_others():
    first, second, third = (
        make_spoken_digits(n_speakers=2, n_takes=1, random_state=seed) for seed in (3, 3, 4)
    )
    assert same_clips(first.data, second.data)
    assert first.segments == second.segments
    assert first.speaker_info == second.speaker_info
    assert not any(np.array_equal(a, b) for a, b in zip(first.data, third.data))
    assert first.speaker_info != third.speaker_info


def test_random_state_instance_is_advanced_so_that_two_calls_differ():
    random_state = np.random.RandomState(0)
    first = make_spoken_digits(n_speakers=1, n_takes=1, random_state=random_state)
    second = make_spoken_digits(n_speakers=1, n_takes=1, random_state=random_state)
    assert not same_clips(first.data, second.data)


def test_more_speakers_takes_and_digits_do_not_change_the_other_clips():
    small = make_spoken_digits(2, 1, digits=[3, 8], random_state=0)
    large = make_spoken_digits(3, 2, digits=range(10), random_state=0)
    kept = np.isin(large.target, [3, 8]) & (large.take == 0) & (large.speaker != "synth-02")
    assert same_clips(small.data, large.data[kept])


def test_every_speaker_says_every_digit_in_every_take(speech):
    rows = set(zip(speech.speaker.tolist(), speech.target.tolist(), speech.take.tolist()))
    assert len(rows) == len(speech.data) == 6 * 10 * 2
    assert np.unique(speech.speaker).tolist() == [f"synth-0{i}" for i in range(6)]
    assert list(speech.speaker_info) == np.unique(speech.speaker).tolist()
    assert speech.target.dtype.kind == "i"
    assert speech.sample_rate == 16000


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050])
def test_clips_are_float32_of_finite_unclipped_sound(sample_rate):
    speech = make_spoken_digits(3, 1, sample_rate=sample_rate, random_state=1)
    assert speech.data.dtype == object and speech.data.shape == (30,)
    for clip in speech.data:
        assert clip.dtype == np.float32 and clip.ndim == 1
        assert np.isfinite(clip).all()
        assert 0.03 < np.abs(clip).max() <= 0.98
        assert np.sum(np.abs(clip) == np.abs(clip).max()) <= 2  # a clipped peak would be flat
        assert 0.15 < len(clip) / sample_rate < 1.2


def test_segments_tile_each_clip_and_spell_the_digit(speech):
    for clip, digit, phones, segments in zip(
        speech.data, speech.target, speech.phones, speech.segments
    ):
        starts, ends, names = zip(*segments)
        assert starts[0] == 0 and ends[-1] == len(clip)
        assert starts[1:] == ends[:-1]
        assert all(end > start for start, end, _ in segments)
        assert names == ("h#", *DIGIT_PHONES[digit], "h#")
        assert phones == list(DIGIT_PHONES[digit])


def test_lexicon_uses_known_phones_and_no_two_digits_sound_alike():
    assert set(DIGIT_PHONES) == set(range(10))
    assert set().union(*DIGIT_PHONES.values()) == set(PHONES) - {"h#"}
    assert len(set(DIGIT_PHONES.values())) == 10


def test_times_do_not_depend_on_the_sample_rate():
    slow, fast = (
        make_spoken_digits(2, 1, sample_rate=rate, random_state=0) for rate in (8000, 16000)
    )
    for first, second in zip(slow.segments, fast.segments):
        at_slow = np.array([end for _, end, _ in first]) / 8000
        at_fast = np.array([end for _, end, _ in second]) / 16000
        np.testing.assert_allclose(at_slow, at_fast, atol=1e-4)


def test_measured_pitch_equals_the_given_pitch(speech):
    for name, voice in speech.speaker_info.items():
        measured = [
            pitch(clip, 16000, voice["f0"])
            for phone in ("ay", "ao", "ey", "iy", "uw")
            for i, clip in segments_of(speech, phone)
            if speech.speaker[i] == name
        ]
        assert np.median(measured) == pytest.approx(voice["f0"], rel=0.12), name


def test_without_jitter_the_number_of_pulses_per_second_is_the_pitch():
    sound, voice = steady_phone("ah", pitch_range=0.0, jitter=0.0, shimmer=0.0, f0=125.0)
    # no pitch range, but the take's own shift of up to a tenth of an octave
    assert pitch(sound[1000:3000], 8000, 125.0) == pytest.approx(voice.f0, rel=0.08)


def test_women_and_children_have_higher_pitch_and_shorter_tracts_than_men():
    kinds = {}
    for voice in make_spoken_digits(12, 1, digits=[0], random_state=0).speaker_info.values():
        kinds.setdefault(voice["kind"], []).append((voice["f0"], voice["formant_scale"]))
    man, woman, child = (np.mean(kinds[kind], axis=0) for kind in ("man", "woman", "child"))
    assert (man < woman).all() and (woman < child).all()


def test_voices_are_taken_in_turn():
    speech = make_spoken_digits(3, 1, digits=[1], voices=("child", "man"), random_state=0)
    assert [voice["kind"] for voice in speech.speaker_info.values()] == ["child", "man", "child"]
    only = make_spoken_digits(2, 1, digits=[1], voices="woman", random_state=0)
    assert {voice["kind"] for voice in only.speaker_info.values()} == {"woman"}


@pytest.mark.parametrize("vowel", ["iy", "ih", "eh", "ah", "ao"])
def test_vowels_resonate_at_their_targets(vowel):
    sound, _ = steady_phone(vowel, f0=100.0, pitch_range=0.0)
    fraction, *targets = PHONES[vowel].formants[-1]
    middle = int(fraction * len(sound))
    measured = lpc_formants(sound[middle - 160 : middle + 160], 8000, order=10)
    for target in targets[:2]:
        error = np.min(np.abs(measured - target)) / target
        assert error < 0.15, f"{vowel}: target {target} Hz, poles at {np.round(measured)} Hz"


def test_formants_scale_with_the_length_of_the_tract():
    peaks = []
    for scale in (1.0, 1.2):
        sound, _ = steady_phone("eh", formant_scale=scale, f0=90.0, pitch_range=0.0)
        formants = lpc_formants(sound[2000:2400], 8000, order=10)
        peaks.append(formants[(formants > 1400) & (formants < 2400)][0])
    assert peaks[1] / peaks[0] == pytest.approx(1.2, rel=0.06)


def test_diphthong_moves_from_its_first_vowel_to_its_second():
    sound, _ = steady_phone("ay", f0=100.0, pitch_range=0.0)
    early, late = (
        lpc_formants(sound[i - 160 : i + 160], 8000, order=10)
        for i in (int(0.2 * 4000), int(0.9 * 4000))
    )
    assert early[0] > late[0] + 100
    assert np.min(np.abs(late - 1800)) < 250


def test_s_has_its_energy_above_2500_hz_and_vowels_below(speech):
    for _, sound in segments_of(speech, "s"):
        inner = sound[len(sound) // 4 : -len(sound) // 4]
        assert share_above(inner, 16000, 2500) > 0.9
    for _, sound in segments_of(speech, "ah"):
        assert share_above(sound, 16000, 2500) < 0.1


def test_closures_are_nearly_silent_and_bursts_are_not(speech):
    for i, segments in enumerate(speech.segments):
        power = {n: np.mean(speech.data[i][a:b] ** 2) for a, b, n in segments if n != "h#"}
        if speech.target[i] == 8:
            inner = {n: speech.data[i][(a + b) // 2 : b] for a, b, n in segments}["tcl"]
            closure = np.mean(inner**2)
            assert closure < 0.003 * power["ey"]
            assert power["t"] > closure


def test_nasals_are_weaker_than_the_vowel_beside_them(speech):
    for i in np.flatnonzero(speech.target == 9):
        levels = [np.mean(speech.data[i][a:b] ** 2) for a, b, _ in speech.segments[i]][1:-1]
        assert levels[0] < levels[1] > levels[2]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_speakers": 0}, "n_speakers=0"),
        ({"n_speakers": 2.5}, "n_speakers=2.5"),
        ({"n_takes": -1}, "n_takes=-1"),
        ({"digits": []}, r"digits=\[\]"),
        ({"digits": [3, 10]}, r"digits=\[3, 10\]: expected whole numbers from 0 to 9"),
        ({"digits": [3, 3]}, r"digits=\[3, 3\].*none twice"),
        ({"digits": 3}, "digits=3: expected a list"),
        ({"digits": ["one"]}, r"digits=\['one'\]"),
        ({"sample_rate": 100}, "sample_rate=100: expected .* 4000 to 48000"),
        ({"sample_rate": "8k"}, "sample_rate='8k'"),
        ({"voices": ()}, r"voices=\(\)"),
        ({"voices": ["robot"]}, re.escape("voices=('robot',): expected a sequence of 'man'")),
    ],
)
def test_errors_name_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        make_spoken_digits(**parameters)
