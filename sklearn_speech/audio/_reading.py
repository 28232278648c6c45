"""From a path to a waveform, or to the reason why there is none.

A bad file is a result here, not an exception: a reader of thousands of files reports all
bad ones at once, each with its reason.
"""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile
import soxr
from joblib import Parallel, delayed, effective_n_jobs
from numpy.typing import NDArray
from tqdm import tqdm

from ._audio_segment import AudioSegment
from ._decoding import FAILURES, PLAUSIBLE_RATES, Decoded, decode, path_for_libsndfile
from ._given_paths import GivenPath, absolute_entries
from ._recording import EXPECTED, Recording, as_recording, is_recording

#: What AudioReader reads.
Entry = str | AudioSegment | Recording

#: What is wrong with samples alone.
_WITHOUT_RATE = (
    "samples need their sampling rate, so that they can be resampled. Leave out AudioReader where "
    "they have the rate of the next step, or pass (samples, sample_rate)"
)

#: What stands for clips: paths, segments or recordings, in a list, a tuple, an array or a Series.
Entries = Sequence[Any] | NDArray[Any]

#: Floating-point files may overshoot [-1, 1]; a peak above this (+20 dB) means another scale.
MAX_PEAK = 10.0

#: Averaging unrelated channels keeps 1 / n_channels of their mean power. As little as a hundredth
#: of that (-20 dB) is left only if one channel is the negative of another, as from a microphone
#: wired with the wrong polarity.
CANCELLED = 0.01


#: Most entries that one task of joblib reads.
_MOST_PER_TASK = 64


@dataclass(frozen=True)
class Clip:
    """What reading one entry gave: a waveform, a reason why it is bad, or both.

    A damaged file that could be read in part has both.
    """

    waveform: np.ndarray | None = None
    reason: str | None = None
    sample_rate: int = 0  # of the file (Hz), 0 when unknown
    duration: float = float("nan")  # of the entry (s)


def check_entries(X: Any, name: str = "X") -> list[Entry]:
    """The recordings in `X` as a list.

    Parameters
    ----------
    X : array-like of shape (n_clips,) or (n_clips, 1)
        Paths, segments, and recordings in memory, see :class:`AudioReader`: a list, tuple or
        other sequence, an array, a pandas Series or a data frame of one column.
    name : str, default="X"
        What error messages call it.

    Returns
    -------
    entries : list of str, AudioSegment or Recording

    Raises
    ------
    TypeError
        When X is one recording, no collection, or holds something other than recordings.
    ValueError
        When X is empty or has more than one column.
    """
    if isinstance(X, (str, os.PathLike, AudioSegment)):
        raise TypeError(f"{name}={X!r} is one path: expected a list or 1-D array of paths")
    if is_recording(X):
        raise TypeError(
            f"{name} is one recording, of type {type(X).__name__}: expected a list of recordings, "
            f"such as [{name}]"
        )
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()
    elif not isinstance(X, (Sequence, np.ndarray)):
        raise TypeError(
            f"{name} is a {type(X).__name__}: expected a list, 1-D array or Series of paths or "
            "recordings"
        )
    if isinstance(X, np.ndarray):
        if X.ndim == 1 and X.dtype.kind in "fiu" and len(X):
            raise TypeError(f"{name} is one array of {len(X)} samples: {_WITHOUT_RATE} in a list")
        if X.dtype == object and X.ndim == 2 and X.shape[1] == 2:
            X = [tuple(row) for row in X]  # NumPy makes columns of (samples, sample_rate)
        elif X.ndim == 2 and X.shape[1] == 1:
            X = X[:, 0]
        elif X.ndim != 1:
            hint = f"; {_WITHOUT_RATE}" if X.dtype.kind in "fiu" else ""
            raise ValueError(
                f"{name} has shape {X.shape}: expected paths of shape (n_clips,) or "
                f"(n_clips, 1){hint}"
            )
    else:
        X = [row[0] if isinstance(row, (list, tuple)) and len(row) == 1 else row for row in X]
    if len(X) == 0:
        raise ValueError(f"{name} holds 0 paths: at least 1 is needed")
    return [_check_entry(entry, i, name) for i, entry in enumerate(X)]


def _check_entry(entry: Any, index: int, name: str) -> Entry:
    place = f"{name}[{index}]"
    if is_recording(entry):
        entry = as_recording(entry, place)
    if isinstance(entry, (AudioSegment, Recording)):
        return entry
    if isinstance(entry, (str, os.PathLike)):
        path = os.fspath(entry)
        if isinstance(path, str):
            # numpy's str_ becomes a plain str
            return path if isinstance(path, GivenPath) else str(path)
    if isinstance(entry, (np.ndarray, list)) or hasattr(entry, "__array__"):
        raise TypeError(f"{place} is an array of shape {np.shape(entry)}: {_WITHOUT_RATE}")
    raise TypeError(
        f"{place} is {entry!r:.100} of type {type(entry).__name__}: expected {EXPECTED}"
    )


def read_clips(
    entries: list[Entry],
    sample_rate: int | None = None,
    *,
    channel: int | None = None,
    keep_damaged: bool = False,
    n_jobs: int | None = None,
    progress: str | None = None,
) -> list[Clip]:
    """Read many entries, in order.

    Parameters
    ----------
    entries : list of str, AudioSegment or Recording
        As :func:`check_entries` returns them.
    sample_rate : int or None, default=None
        Rate of the waveforms in Hz; None keeps the waveforms out of the result.
    channel : int or None, default=None
        The channel to read; None is the average of all.
    keep_damaged : bool, default=False
        Whether a damaged file gives, beside the reason, what of it can be read.
    n_jobs : int or None, default=None
        Processes, as in joblib. They pay where the waveforms are kept out of the result: sending
        them takes as long as reading them.
    progress : str or None, default=None
        Title of a progress bar; None shows none.

    Returns
    -------
    clips : list of Clip
    """
    # a task of one small file would take joblib longer to dispatch than to run
    n_workers = effective_n_jobs(n_jobs)
    per_task = max(1, min(_MOST_PER_TASK, len(entries) // (4 * n_workers)))
    if n_workers > 1:
        entries = absolute_entries(entries)
    parts = [entries[i : i + per_task] for i in range(0, len(entries), per_task)]
    read: Iterable[list[Clip]]
    if n_workers == 1:
        read = (_read_some(part, sample_rate, channel, keep_damaged) for part in parts)
    else:
        tasks = (delayed(_read_some)(part, sample_rate, channel, keep_damaged) for part in parts)
        read = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    clips: list[Clip] = []
    with tqdm(desc=progress, total=len(entries), disable=progress is None) as bar:
        for some in read:
            clips += some
            bar.update(len(some))
    return clips


def _read_some(
    entries: list[Entry], sample_rate: int | None, channel: int | None, keep_damaged: bool
) -> list[Clip]:
    return [
        read_clip(entry, sample_rate, channel=channel, keep_damaged=keep_damaged)
        for entry in entries
    ]


def read_clip(
    entry: Entry,
    sample_rate: int | None = None,
    *,
    channel: int | None = None,
    keep_damaged: bool = False,
) -> Clip:
    """Read one entry; see :func:`read_clips`.

    Parameters
    ----------
    entry : str, AudioSegment or Recording
        What to read.
    sample_rate : int or None, default=None
        Rate of the waveform in Hz; None only checks, and returns no waveform.
    channel : int or None, default=None
        The channel to read; None is the average of all.
    keep_damaged : bool, default=False
        Whether a damaged file gives, beside the reason, what of it can be read.

    Returns
    -------
    clip : Clip
    """
    reason = nothing_to_read(entry)
    if reason:
        return Clip(reason=reason)
    try:
        decoded = _decode(entry, keep_damaged)
        samples, rate, damage = decoded.samples, decoded.rate, decoded.problem
        if samples is None:
            return Clip(reason=damage, sample_rate=rate)
        if channel is not None and channel >= samples.shape[1]:
            return Clip(reason=no_channel(channel, samples.shape[1]), sample_rate=rate)
        waveform = samples[:, channel or 0]
        if channel is None and samples.shape[1] > 1:
            waveform = samples.mean(axis=1)
            n_channels = samples.shape[1]
            damage = damage or cancelled(squares(samples), squares(waveform), n_channels)
        duration = len(waveform) / rate
        peak = max(waveform.max(), -waveform.min())
        if reason := bad_peak(peak):
            return Clip(reason=damage or reason, sample_rate=rate, duration=duration)
        if sample_rate is None or (damage and not keep_damaged):
            return Clip(reason=damage, sample_rate=rate, duration=duration)
        if rate == sample_rate and peak <= 1:
            return Clip(np.ascontiguousarray(waveform), damage, rate, duration)
        return Clip(_resample(waveform, rate, sample_rate), damage, rate, duration)
    except MemoryError:
        return Clip(reason="needs more memory than there is")


def _decode(entry: Entry, keep_damaged: bool) -> Decoded:
    if not isinstance(entry, Recording):
        segment = entry if isinstance(entry, AudioSegment) else AudioSegment(entry)
        return decode(segment, keep_damaged)
    if entry.content is not None:
        return decode(AudioSegment(entry.name), keep_damaged, entry.content)
    lowest, highest = PLAUSIBLE_RATES
    if not lowest <= entry.sample_rate <= highest:
        reason = f"its sampling rate is {entry.sample_rate:,} Hz: sound has {lowest:,} to "
        return Decoded(None, entry.sample_rate, f"{reason}{highest:,} Hz")
    return Decoded(entry.samples, entry.sample_rate)


def nothing_to_read(entry: Entry) -> str | None:
    """Why an entry cannot be opened, None where it can."""
    if isinstance(entry, AudioSegment):
        return _not_a_readable_file(entry.path)
    if not isinstance(entry, Recording):
        return _not_a_readable_file(entry)
    if entry.content is not None:
        return None if entry.content else "empty (0 bytes)"
    return None if entry.samples is not None and len(entry.samples) else "zero samples"


def _not_a_readable_file(path: str) -> str | None:
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return "no such file"
    if stat.S_ISDIR(status.st_mode):
        return "is a directory, not a file"
    if not stat.S_ISREG(status.st_mode):
        return "is a device or a pipe, not a file"
    return None if status.st_size else "empty file (0 bytes)"


def bad_peak(peak: float) -> str | None:
    """What is wrong with samples whose largest absolute value this is, NaN if one is NaN."""
    if peak <= MAX_PEAK:
        return None
    if np.isnan(peak):
        return "contains NaN samples"
    if np.isinf(peak):
        return "contains infinite samples"
    return f"has a peak of {peak:g}: amplitudes must be in [-1, 1]"


def cancelled(power: float, left: float, n_channels: int) -> str | None:
    """What is wrong with channels whose average is nearly silent.

    Parameters
    ----------
    power : float
        Sum of the squares of all samples.
    left : float
        Sum of the squares of the average channel.
    n_channels : int
    """
    if power > 0 and left < CANCELLED * power / n_channels**2:
        return (
            f"its {n_channels} channels cancel each other when they are averaged: choose "
            "one of them with channel="
        )
    return None


def squares(samples: np.ndarray) -> float:
    """Sum of the squares of samples of any shape."""
    flat = np.ravel(samples)
    return float(np.einsum("i,i->", flat, flat, dtype=np.float64))


def no_channel(channel: int, n_channels: int) -> str:
    """The reason for a file that lacks the channel to read."""
    return f"has {n_channels} channels: channel={channel} is not among them"


def _resample(waveform: np.ndarray, rate: int, sample_rate: int) -> np.ndarray:
    if rate != sample_rate:
        resampled = soxr.resample(waveform, rate, sample_rate, quality="HQ")
        # a clip shorter than one sample of the new rate keeps its mean as that sample
        waveform = resampled if len(resampled) else waveform.mean(keepdims=True)
    return clipped(waveform)


def clipped(waveform: np.ndarray) -> np.ndarray:
    """Samples in [-1, 1], in float32."""
    # lossy codecs and resampling overshoot full scale, as a sound card would then clip
    return np.clip(waveform, -1.0, 1.0).astype(np.float32, copy=False)


def header_rates(paths: list[str]) -> set[int]:
    """Sampling rates that the headers of `paths` state, unreadable files left out.

    Parameters
    ----------
    paths : list of str
        Sound files.

    Returns
    -------
    rates : set of int
        In Hz.
    """
    rates = set()
    for path in paths:
        try:
            rates.add(soundfile.info(path_for_libsndfile(path)).samplerate)
        except FAILURES:
            continue  # reported, with the reason, when the samples are read
    return rates
