"""Recordings as they are given: files or waveforms, checked before anything is computed."""

import os
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm.auto import tqdm

from ..audio import AudioReader, AudioSegment
from ..audio._reading import read_clip
from ..audio._recording import Recording as InMemory
from ..audio._recording import as_recording, is_recording
from ..utils.validation import is_ragged
from ._settings import Plan


class Recording(NamedTuple):
    """One recording, not read yet where it is a file."""

    name: Any  # path, or position
    content: Any
    duration: float  # seconds


def is_file(entry: Any) -> bool:
    """Whether an entry is a sound file, a part of one, or the like in memory."""
    return isinstance(entry, (str, os.PathLike, AudioSegment, InMemory))


def check_recordings(
    recordings: Any, reader: AudioReader | None, sample_rate: float, name: str = "recordings"
) -> list[Recording]:
    """Look at every recording before the first one is computed with.

    Parameters
    ----------
    recordings : list or array of paths or AudioSegment, or of 1-D arrays
        Sound files, waveforms, or anything else that AudioReader takes.
    reader : AudioReader or None
        Reads and resamples files; without it their rate must be `sample_rate`.
    sample_rate : float
        In Hz.
    name : str, default="recordings"
        What errors call them.

    Returns
    -------
    checked : list of Recording

    Raises
    ------
    TypeError, ValueError
        When one is no recording, is empty, or has another rate; it is named.
    """
    if (
        is_file(recordings)
        or is_recording(recordings)
        or (isinstance(recordings, np.ndarray) and recordings.ndim == 0)
    ):
        raise TypeError(f"{name}={recordings!r:.100} is one recording: expected a list of them")
    if hasattr(recordings, "to_numpy"):
        recordings = recordings.to_numpy()
    if not isinstance(recordings, (list, tuple, np.ndarray)):
        raise TypeError(
            f"{name} is a {type(recordings).__name__}: expected a list of sound files or waveforms"
        )
    if len(recordings) == 0:
        raise ValueError(f"{name} is empty: expected at least one recording")
    first = recordings[0]
    if not is_file(first) and not is_recording(first) and np.ndim(first) == 0:
        raise TypeError(
            f"{name} holds single numbers ({first!r} first): expected a list of "
            "recordings; put one waveform into a list"
        )
    return [
        _check_recording(entry, i, name, reader, sample_rate) for i, entry in enumerate(recordings)
    ]


def _check_recording(
    entry: Any, index: int, name: str, reader: AudioReader | None, sample_rate: float
) -> Recording:
    place = f"{name}[{index}]"
    if is_recording(entry):
        entry = as_recording(entry, place)
    if isinstance(entry, InMemory):
        if entry.samples is not None and entry.sample_rate == sample_rate:
            channel = None if reader is None else reader.channel
            entry = _one_channel(entry.samples, channel, place)
        else:
            return _check_file(entry, place, reader, sample_rate)._replace(name=index)
    if is_file(entry):
        return _check_file(entry, place, reader, sample_rate)
    samples = check_samples(entry, place)
    return Recording(index, entry, len(samples) / sample_rate)


def _one_channel(
    samples: npt.NDArray[np.float32], channel: int | None, name: str
) -> npt.NDArray[np.float32]:
    """One channel of samples of shape (n_samples, n_channels), or their mean."""
    if channel is None:
        return samples.mean(axis=1) if samples.shape[1] > 1 else samples[:, 0]
    if channel >= samples.shape[1]:
        raise ValueError(
            f"{name} has {samples.shape[1]} channels: channel={channel} is not among them"
        )
    return samples[:, channel]


def _check_file(entry: Any, name: str, reader: AudioReader | None, sample_rate: float) -> Recording:
    clip = read_clip(entry)
    keeps_damaged = reader is not None and reader.on_error == "warn"
    if clip.reason and not keeps_damaged:
        raise ValueError(f"{name}, {entry}: {clip.reason}")
    if reader is None and clip.sample_rate != sample_rate:
        raise ValueError(
            f"{name}, {entry} has a rate of {clip.sample_rate} Hz, but the pipeline computes with "
            f"{sample_rate} Hz; put AudioReader(sample_rate={sample_rate}) first in the pipeline, "
            "which resamples"
        )
    label = os.fspath(entry) if isinstance(entry, os.PathLike) else str(entry)
    return Recording(label, entry, clip.duration)


def check_samples(samples: Any, name: str) -> npt.NDArray[Any]:
    """Samples as a 1-D array of numbers that is not empty, or an error that names them."""
    try:
        samples = np.asarray(samples)
    except ValueError as error:
        raise ValueError(f"{name} is no array of numbers: {error}") from error
    if samples.dtype.kind in "iu":
        raise ValueError(
            f"{name} holds samples of dtype {samples.dtype}, as sound files do; waveforms are "
            "amplitudes in [-1, 1]: divide samples of 16 bits by 32768"
        )
    if samples.dtype.kind != "f":
        raise TypeError(f"{name} has dtype {samples.dtype}: expected amplitudes in [-1, 1]")
    if samples.ndim != 1:
        raise ValueError(
            f"{name} has shape {samples.shape}: expected (n_samples,); of several channels pass "
            "one, or their mean"
        )
    if len(samples) == 0:
        raise ValueError(f"{name} is empty: expected at least one sample")
    return samples


def read_recording(
    recording: Recording, reader: AudioReader | None, sample_rate: float
) -> npt.NDArray[Any]:
    """Samples of a checked recording, of shape (n_samples,)."""
    if not is_file(recording.content):
        return np.asarray(recording.content)
    if reader is not None:
        return reader.transform([recording.content])[0]
    clip = read_clip(recording.content, int(sample_rate))
    if clip.waveform is None:
        raise ValueError(f"{recording.name}: {clip.reason}")
    return clip.waveform


def invalid_samples(
    samples: npt.NDArray[Any],
    name: str,
    window: int,
    step: int,
    sample_rate: float,
    offset: int = 0,
) -> tuple[npt.NDArray[np.intp], str]:
    """Samples that are NaN or infinite, and a sentence that names them and their windows.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,)
    name : str
        What the sentence calls them.
    window, step : int
        In samples.
    sample_rate : float
        In Hz.
    offset : int, default=0
        Number of the first sample in its recording.

    Returns
    -------
    positions : ndarray of shape (n_invalid,)
        In the recording.
    message : str
        Empty where all are finite.
    """
    bad = np.flatnonzero(~np.isfinite(samples)) + offset
    if len(bad) == 0:
        return bad, ""
    before = window // 2  # the mirror image before the recording
    first = max(0, (int(bad[0]) + before - window) // step + 1)
    last = (int(bad[-1]) + before) // step
    return bad, (
        f"{name} holds NaN or infinity at {len(bad)} samples, from {bad[0] / sample_rate:.3f} s "
        f"to {bad[-1] / sample_rate:.3f} s: the windows {first} to {last}, whose middles are "
        f"at {first * step / sample_rate:.3f} s to {last * step / sample_rate:.3f} s, would see "
        "them"
    )


def waveforms_of(
    X: Any, reader: AudioReader | None, sample_rate: float, name: str
) -> list[npt.NDArray[np.float32]]:
    """Clips or background recordings as a list of finite waveforms in float32."""
    if not is_ragged(X) and isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind == "f":
        X = list(X)
    waveforms = []
    for i, recording in enumerate(check_recordings(X, reader, sample_rate, name)):
        samples = read_recording(recording, reader, sample_rate).astype(np.float32)
        if not np.isfinite(samples).all():
            raise ValueError(f"{name}[{i}] holds NaN or infinity")
        waveforms.append(samples)
    return waveforms


def read_each(
    recordings: Any, plan: Plan, verbose: int
) -> Iterator[tuple[Recording, npt.NDArray[Any], Any]]:
    """Every recording with its samples, after all were looked at.

    Parameters
    ----------
    recordings : list or array of paths or AudioSegment, or of 1-D arrays
        As the user gave them.
    plan : Plan
        How they are to be scored.
    verbose : int
        Whether a progress bar is shown.

    Yields
    ------
    recording : Recording
    samples : ndarray of shape (n_samples,)
    bar : tqdm
        Counts the seconds that are done.

    Raises
    ------
    ValueError
        When a recording is shorter than a window, or holds NaN while ``on_invalid="raise"``.
    """
    checked = check_recordings(recordings, plan.reader, plan.sample_rate)
    for i, recording in enumerate(checked):
        # durations of compressed files are known to about a sample
        if recording.duration * plan.sample_rate < plan.n_window - 0.5:
            raise ValueError(
                f"recordings[{i}] has {recording.duration:.3f} s, less than one window of "
                f"{plan.n_window / plan.sample_rate:.3f} s"
            )
        if not is_file(recording.content):
            samples = np.asarray(recording.content)
            _, message = invalid_samples(
                samples, f"recordings[{i}]", plan.n_window, plan.n_step, plan.sample_rate
            )
            if message and plan.on_invalid == "raise":
                raise ValueError(f"{message}; on_invalid='nan' scores these windows as NaN")
            if message:
                warnings.warn(f"{message} and get NaN as scores", UserWarning, stacklevel=3)
    total = round(sum(recording.duration for recording in checked), 3)
    with tqdm(total=total, unit="s", desc="recordings", disable=not verbose) as bar:
        for recording in checked:
            yield recording, read_recording(recording, plan.reader, plan.sample_rate), bar
