"""Synthetic spoken digits: speech data without recordings."""

import dataclasses
import numbers
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from sklearn.utils import Bunch, check_random_state

from ..utils.validation import check_positive_int, make_ragged
from ._digit_phones import DIGIT_PHONES, SILENCE
from ._formant_synthesizer import Voice, lay_out, synthesize

#: Mean pitch (Hz) and formant scale of the three kinds of voices.
KINDS = {"man": (115.0, 1.0), "woman": (200.0, 1.15), "child": (260.0, 1.25)}

#: Kinds of the speakers, in order.
MIXED_VOICES: tuple[Literal["man", "woman", "child"], ...] = (
    "man",
    "woman",
    "man",
    "man",
    "woman",
    "child",
)

DESCR = """Synthetic spoken digits
=======================

The ten English digit words, spoken by a seeded formant synthesiser, for examples and tests
without recordings. Speakers differ in pitch, vocal-tract length, tempo, breathiness, accent,
microphone and loudness; takes differ a little in pitch contour, durations, formants and level.

Number of clips: {n_clips} ({n_speakers} speakers, {n_digits} digits, {n_takes} takes)
Sample rate: {sample_rate} Hz
"""


def make_spoken_digits(
    n_speakers: int = 6,
    n_takes: int = 10,
    *,
    digits: Iterable[int] = range(10),
    sample_rate: int = 8000,
    voices: Sequence[Literal["man", "woman", "child"]] = MIXED_VOICES,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Synthesise spoken English digits with several voices.

    A source-filter synthesiser after Klatt [1]_: glottal pulses and noise pass through formants
    that glide between the targets of each word's phones. Use the clips in tests and examples
    that must run without recordings. They are intelligible, but easier than real speech, so
    scores on them say nothing about real speakers.

    Parameters
    ----------
    n_speakers : int, default=6
        Number of voices.
    n_takes : int, default=10
        Number of clips of each digit by each speaker.
    digits : iterable of int, default=range(10)
        The digits to speak, each from 0 to 9 and none twice.
    sample_rate : int, default=8000
        In Hz, from 4000 to 48000.
    voices : sequence of {"man", "woman", "child"}, default=("man", "woman", "man", "man", \
            "woman", "child")
        Kinds of the speakers, in order, repeated if there are more speakers.
    random_state : int, RandomState instance or None, default=None
        The same number gives the same clips. More speakers, takes or digits add clips and do not
        change the others.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Ordered by speaker, digit and take, with

        data : ndarray of shape (n_clips,), dtype object
            Waveforms, each a float32 array (n_times,) in [-1, 1].
        target : ndarray of shape (n_clips,)
            Digits.
        speaker : ndarray of shape (n_clips,)
            Names, "synth-00" and so on.
        take : ndarray of shape (n_clips,)
            Number of the take, from 0.
        sample_rate : int
            In Hz.
        phones : list of list of str
            Phones of each clip in TIMIT's notation, without the silence around them.
        segments : list of list of (int, int, str)
            Phones of each clip, including the silence "h#", with their first sample and last
            sample + 1, as in a TIMIT ``.phn`` file. They cover the clip without gaps.
        speaker_info : dict of str to dict
            Properties of each speaker's voice: `kind`, `f0` (Hz), `formant_scale` (relative to
            an average man), `tempo` and others.
        DESCR : str
            Description.

    Raises
    ------
    ValueError
        If a parameter is out of range; the message names it.

    References
    ----------
    .. [1] D. H. Klatt, "Software for a cascade/parallel formant synthesizer",
       J. Acoust. Soc. Am. 67, 971-995 (1980).

    Examples
    --------
    >>> from sklearn_speech.datasets import make_spoken_digits
    >>> speech = make_spoken_digits(n_speakers=2, n_takes=1, random_state=0)
    >>> speech.data.shape
    (20,)
    >>> str(speech.speaker[-1]), int(speech.target[-1]), speech.phones[-1]
    ('synth-01', 9, ['n', 'ay', 'n'])
    """
    n_speakers = check_positive_int("n_speakers", n_speakers)
    n_takes = check_positive_int("n_takes", n_takes)
    chosen = _check_digits(digits)
    kinds = _check_voices(voices)
    if not isinstance(sample_rate, numbers.Integral) or not 4000 <= int(sample_rate) <= 48000:
        raise ValueError(
            f"sample_rate={sample_rate!r}: expected a whole number from 4000 to 48000 (Hz)"
        )
    sample_rate = int(sample_rate)
    seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))

    names = [f"synth-{i:02d}" for i in range(n_speakers)]
    drawn = [_draw_voice(seed, i, kinds[i % len(kinds)]) for i in range(n_speakers)]
    rows = [(s, d, t) for s in range(n_speakers) for d in chosen for t in range(n_takes)]
    clips, segments = [], []
    for speaker, digit, take in rows:
        # each clip has its own generator, so it does not depend on other clips
        rng = np.random.default_rng([seed, 1, speaker, digit, take])
        clip, clip_segments = _speak(digit, drawn[speaker], sample_rate, rng)
        clips.append(clip)
        segments.append(clip_segments)
    columns = np.array(rows)
    return Bunch(
        data=make_ragged(clips),
        target=columns[:, 1].copy(),
        speaker=np.array(names)[columns[:, 0]],
        take=columns[:, 2].copy(),
        sample_rate=sample_rate,
        phones=[list(DIGIT_PHONES[digit]) for _, digit, _ in rows],
        segments=segments,
        speaker_info={name: dataclasses.asdict(voice) for name, voice in zip(names, drawn)},
        DESCR=DESCR.format(
            n_clips=len(rows),
            n_speakers=n_speakers,
            n_digits=len(chosen),
            n_takes=n_takes,
            sample_rate=sample_rate,
        ),
    )


def _check_digits(digits: Any) -> list[int]:
    try:
        digits = list(digits)
    except TypeError as error:
        raise ValueError(f"digits={digits!r}: expected a list of digits") from error
    good = all(isinstance(d, numbers.Integral) and d in DIGIT_PHONES for d in digits)
    if not digits or not good or len(set(digits)) < len(digits):
        raise ValueError(f"digits={digits!r}: expected whole numbers from 0 to 9, none twice")
    return [int(d) for d in digits]


def _check_voices(voices: Any) -> tuple[str, ...]:
    voices = (voices,) if isinstance(voices, str) else tuple(voices)
    if not voices or any(kind not in KINDS for kind in voices):
        raise ValueError(f"voices={voices!r}: expected a sequence of {', '.join(map(repr, KINDS))}")
    return voices


def _draw_voice(seed: int, speaker: int, kind: str) -> Voice:
    rng = np.random.default_rng([seed, 0, speaker])
    f0, formant_scale = KINDS[kind]
    return Voice(
        kind=kind,
        f0=f0 * np.exp(0.12 * rng.standard_normal()),
        formant_scale=formant_scale * np.exp(0.03 * rng.standard_normal()),
        formant_offsets=tuple(np.exp(0.02 * rng.standard_normal(3))),
        tempo=float(np.exp(rng.uniform(-0.25, 0.25))),
        pitch_range=rng.uniform(0.1, 0.5),
        breathiness=rng.uniform(-6.0, 8.0),
        open_quotient=rng.uniform(0.5, 0.7),
        tilt=rng.uniform(-2.0, 3.0),
        frication=rng.uniform(-4.0, 4.0),
        jitter=rng.uniform(0.004, 0.012),
        shimmer=rng.uniform(0.02, 0.06),
        room_tilt=rng.uniform(-1.5, 1.5),
        room_lower_edge=rng.uniform(40.0, 120.0),
        snr=rng.uniform(28.0, 45.0),
        level=float(np.exp(rng.uniform(np.log(0.1), np.log(0.7)))),
    )


def _speak(
    digit: int, voice: Voice, sample_rate: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[int, int, str]]]:
    """Return one clip as float32, and its segments in samples."""
    phones = (SILENCE, *DIGIT_PHONES[digit], SILENCE)
    boundaries = np.round(lay_out(phones[1:-1], voice, rng) * sample_rate).astype(int)
    clip = synthesize(phones, boundaries, voice, sample_rate, rng)
    noise = rng.standard_normal(len(clip))
    clip += noise * np.sqrt(np.mean(clip**2)) * 10 ** (-voice.snr / 20)
    peak = min(voice.level * np.exp(0.15 * rng.standard_normal()), 0.98)
    clip *= peak / np.abs(clip).max()
    bounds = boundaries.tolist()
    return clip.astype(np.float32), list(zip(bounds[:-1], bounds[1:], phones))
