"""Make digit strings from single digits: a small task for phoneme recognisers."""

import math
import numbers
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import soxr
from sklearn.base import BaseEstimator
from sklearn.utils import Bunch, check_random_state

from ..audio._reading import check_entries, read_clips
from ..utils.text import normalize_names
from ..utils.validation import check_positive_int, check_waveforms, is_ragged, make_ragged
from ._digit_lexicon import as_digit, phonemize_digits
from ._digit_phones import SILENCE
from ._spoken_digits import make_spoken_digits

#: Silence within a clip, in TIMIT's notation.
PAUSE = "pau"

DESCR = """Connected digits
================

Strings of {shortest} to {longest} single digits of one speaker, with pauses of {min_pause:g} s to
{max_pause:g} s before, between and after them. Unlike real digit strings, they have no
coarticulation across digits, and each digit is spoken as a separate word.

Number of clips: {n_clips} ({n_speakers} speakers), {seconds:.0f} s in all
Sample rate: {sample_rate} Hz
Source:
{source}
"""


def make_connected_digits(
    speech: Mapping[str, Any] | None = None,
    *,
    n_clips_per_speaker: int = 50,
    n_digits: int | tuple[int, int] = (1, 5),
    pause: float | tuple[float, float] = (0.05, 0.3),
    pause_level: float | None = -40.0,
    sample_rate: int | None = None,
    reuse_recordings: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> Bunch:
    """Join single digits into strings, each of one speaker, with known pauses.

    Parameters
    ----------
    speech : :class:`~sklearn.utils.Bunch` or None, default=None
        Single digits, such as the result of :func:`fetch_fsdd`, :func:`make_spoken_digits` or
        :func:`load_speech_folder`: `data` (paths, or ragged waveforms), `target` (digits as 7,
        "7" or "seven"), `speaker` and `sample_rate`. None makes synthetic digits by six
        speakers.
    n_clips_per_speaker : int, default=50
        Number of strings for each speaker.
    n_digits : int or (int, int), default=(1, 5)
        Number of digits in a string, or the smallest and the largest number; all numbers in
        this range are equally likely.
    pause : float or (float, float), default=(0.05, 0.3)
        Length of each pause in seconds, or the shortest and the longest. There are pauses before,
        between and after the digits.
    pause_level : float or None, default=-40.0
        Level of the white noise in pauses, in dB relative to the mean power of the digits of the
        clip. None gives digital silence, which real recordings do not have.
    sample_rate : int or None, default=None
        Sample rate of the result in Hz; None means that of `speech`.
    reuse_recordings : bool, default=False
        False uses each recording in at most one string, so that no two parts of the result share
        a recording. True draws the recordings of each string independently.
    random_state : int, RandomState instance or None, default=None
        The same number gives the same clips. A larger `n_clips_per_speaker` adds clips and does
        not change the others.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Ordered by speaker, with

        data : ndarray of shape (n_clips,), dtype object
            Waveforms, each a float32 array (n_times,) in [-1, 1].
        target : ndarray of shape (n_clips,), dtype object
            Phones, each a list of str, without silences; see :func:`phonemize_digits`.
        digits : ndarray of shape (n_clips,), dtype object
            Each a list of int.
        speaker : ndarray of shape (n_clips,)
            Names.
        digit_segments : ndarray of shape (n_clips,), dtype object
            Each a list of (first sample, last sample + 1, digit). The rest of the clip is
            pauses.
        segments : ndarray of shape (n_clips,), dtype object, or None
            Each a list of (first sample, last sample + 1, phone) without gaps, if `speech` has
            phone segments, as synthetic speech does. Pauses are "pau", or "h#" at the ends.
            None without phone segments.
        recordings : ndarray of shape (n_clips,), dtype object
            Each a list of int, the positions in `speech`.
        sample_rate : int
            In Hz.
        DESCR : str
            Description.
        license : str
            That of `speech`, if it has one.

    Raises
    ------
    TypeError, ValueError
        When a parameter is wrong, a recording cannot be read, a label in `speech` is not a
        digit, or a speaker has too few recordings.

    Examples
    --------
    >>> from sklearn_speech.datasets import make_connected_digits
    >>> speech = make_connected_digits(n_clips_per_speaker=1, random_state=0)
    >>> speech.digits[0]
    [2, 8, 9]
    >>> speech.target[0]
    ['t', 'uw', 'ey', 'tcl', 't', 'n', 'ay', 'n']
    """
    n_clips_per_speaker = check_positive_int("n_clips_per_speaker", n_clips_per_speaker)
    shortest, longest = map(int, _check_range("n_digits", n_digits, numbers.Integral, 1))
    min_pause, max_pause = _check_range("pause", pause, numbers.Real, 0)
    if pause_level is not None and not (
        isinstance(pause_level, numbers.Real) and math.isfinite(pause_level)
    ):
        raise ValueError(f"pause_level={pause_level!r}: expected a number of dB or None")
    if sample_rate is not None:
        sample_rate = check_positive_int("sample_rate", sample_rate)
    seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    if speech is None:
        speech = make_spoken_digits(
            n_takes=math.ceil(n_clips_per_speaker * longest / 10), random_state=seed
        )
    labels, speakers, source_rate = _check_speech(speech)
    rate = source_rate if sample_rate is None else sample_rate

    chosen, pauses, names, generators = [], [], [], []
    for name in np.unique(speakers):
        own = np.flatnonzero(speakers == name)
        # seeds depend on the name, so the clips of one speaker do not depend on other speakers
        key = [seed, zlib.crc32(str(name).encode())]
        pool = np.random.default_rng([*key, 0]).permutation(own)
        used = 0
        for k in range(n_clips_per_speaker):
            rng = np.random.default_rng([*key, 1, k])
            length = int(rng.integers(shortest, longest + 1))
            if reuse_recordings:
                picked = rng.choice(own, length)
            else:
                picked = pool[used : used + length]
                used += length
                if used > len(pool):
                    raise ValueError(
                        f"n_clips_per_speaker={n_clips_per_speaker}: speaker {str(name)!r} has "
                        f"{len(pool)} recordings, enough for {k} clips of these lengths; use "
                        "fewer clips, or reuse_recordings=True"
                    )
            chosen.append(picked.tolist())
            seconds = rng.uniform(min_pause, max_pause, length + 1)
            pauses.append(np.round(seconds * rate).astype(int).tolist())
            names.append(name)
            generators.append(rng)

    waveforms = _read(speech, sorted({i for positions in chosen for i in positions}), rate)
    phones = speech.get("segments")
    rows = []
    for positions, lengths, rng in zip(chosen, pauses, generators):
        words = [waveforms[i] for i in positions]
        clip, bounds = _join(words, lengths, pause_level, rng)
        inner = None
        if phones is not None:
            scaled = [_rescale(phones[i], rate / source_rate, len(waveforms[i])) for i in positions]
            inner = _phone_segments(scaled, bounds, len(clip))
        rows.append((clip, [(*b, labels[i]) for b, i in zip(bounds, positions)], inner))
    digits = [[labels[i] for i in positions] for positions in chosen]
    result = Bunch(
        data=make_ragged(clip for clip, _, _ in rows),
        target=phonemize_digits(digits),
        digits=make_ragged(digits),
        speaker=np.array(names),
        digit_segments=make_ragged(segments for _, segments, _ in rows),
        segments=None if phones is None else make_ragged(inner for _, _, inner in rows),
        recordings=make_ragged(chosen),
        sample_rate=rate,
        DESCR=DESCR.format(
            shortest=shortest,
            longest=longest,
            min_pause=min_pause,
            max_pause=max_pause,
            n_clips=len(rows),
            n_speakers=len(set(names)),
            seconds=sum(len(clip) for clip, _, _ in rows) / rate,
            sample_rate=rate,
            source=speech.get("DESCR", "recordings of the user"),
        ),
    )
    if "license" in speech:
        result.license = speech["license"]
    return result


def _check_range(name: str, value: Any, kind: Any, least: int) -> tuple[float, float]:
    ends: tuple[Any, ...] = (value, value)
    if isinstance(value, (tuple, list, np.ndarray)):
        ends = tuple(value)
    good = len(ends) == 2 and all(
        isinstance(end, kind) and not isinstance(end, bool) and math.isfinite(end) for end in ends
    )
    if not good or not least <= ends[0] <= ends[1]:
        what = "whole number" if kind is numbers.Integral else "number"
        raise ValueError(
            f"{name}={value!r}: expected a {what} of at least {least}, or the smallest and the "
            "largest"
        )
    return ends[0], ends[1]


def _check_speech(speech: Any) -> tuple[list[int], np.ndarray, int]:
    """Return the digits, speakers and sample rate (Hz) of single digits, after checking them."""
    if not isinstance(speech, Mapping):
        raise TypeError(
            f"speech is a {type(speech).__name__}: expected a Bunch, as from fetch_fsdd"
        )
    for name in ("data", "target", "speaker", "sample_rate"):
        if speech.get(name) is None:
            raise ValueError(f"speech has no {name}: expected a Bunch, as from fetch_fsdd")
    n = len(speech["data"])
    for name in ("target", "speaker", "segments"):
        if speech.get(name) is not None and len(speech[name]) != n:
            raise ValueError(f"speech has {n} data, but {len(speech[name])} entries of {name}")
    labels = [as_digit(label, f"speech.target[{i}]") for i, label in enumerate(speech["target"])]
    rate = check_positive_int("speech.sample_rate", speech["sample_rate"])
    return labels, normalize_names(np.asarray(speech["speaker"])), rate


def _read(speech: Mapping[str, Any], positions: list[int], rate: int) -> dict[int, np.ndarray]:
    """Read waveforms, and return them by position."""
    data = speech["data"]
    if is_ragged(data) or (isinstance(data, np.ndarray) and data.ndim == 2):
        try:
            data = check_waveforms(BaseEstimator(), data, reset=True)
        except ValueError as error:
            raise ValueError(f"speech.data: {error}") from error
        waveforms = {i: data[i].astype(np.float32) for i in positions}
        if rate != speech["sample_rate"]:
            for i, clip in waveforms.items():
                resampled = soxr.resample(clip, speech["sample_rate"], rate, quality="HQ")
                waveforms[i] = np.clip(resampled, -1.0, 1.0)
        return waveforms
    entries = check_entries(data, "speech.data")
    clips = read_clips([entries[i] for i in positions], rate)
    waveforms = {}
    for i, clip in zip(positions, clips):
        if clip.waveform is None:
            raise ValueError(f"{entries[i]}: {clip.reason}")
        waveforms[i] = clip.waveform
    return waveforms


def _join(
    words: list[np.ndarray], pauses: list[int], level: float | None, rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Return one clip, and the first sample and last sample + 1 of each of its words."""
    starts = np.cumsum([pauses[0], *(len(w) + p for w, p in zip(words, pauses[1:]))]).tolist()
    bounds = [(start, start + len(word)) for start, word in zip(starts, words)]
    clip = np.zeros(bounds[-1][1] + pauses[-1], dtype=np.float32)
    if level is not None:
        power = np.mean(np.concatenate(words).astype(np.float64) ** 2)
        noise = rng.standard_normal(len(clip)) * np.sqrt(power) * 10 ** (level / 20)
        clip[:] = np.clip(noise, -1.0, 1.0)
    for (start, end), word in zip(bounds, words):
        clip[start:end] = word
    return clip, bounds


def _rescale(
    segments: Sequence[tuple[int, int, str]], factor: float, n_times: int
) -> list[tuple[int, int, str]]:
    """Convert phone segments to another rate; the last one ends with its recording."""
    last = max(end for _, end, _ in segments)
    return [
        (round(start * factor), n_times if end == last else round(end * factor), phone)
        for start, end, phone in segments
    ]


def _phone_segments(
    words: list[list[tuple[int, int, str]]], bounds: list[tuple[int, int]], n_times: int
) -> list[tuple[int, int, str]]:
    """Return the segments of a clip; silence at the edges of words is merged with the pauses."""
    spoken = [
        (start + a, start + b, phone)
        for (start, _), segments in zip(bounds, words)
        for a, b, phone in segments
        if phone != SILENCE
    ]
    result: list[tuple[int, int, str]] = []
    now = 0
    for start, end, phone in spoken:
        if start > now:
            result.append((now, start, PAUSE if result else SILENCE))
        result.append((start, end, phone))
        now = end
    if now < n_times:
        result.append((now, n_times, SILENCE))
    return result
