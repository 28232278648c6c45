"""Recordings as they are given: files or waveforms, checked before anything is computed."""

import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..audio import AudioReader, AudioSegment
from ..audio._blocks import BlockFile, check_in_blocks, open_block_file
from ..audio._reading import read_clip
from ..audio._recording import Recording as InMemory
from ..audio._recording import as_recording, is_recording
from ..utils.validation import is_ragged
from ..utils.values import as_arrays, check_mask


class Recording(NamedTuple):
    """One recording, not read yet where it is a file."""

    name: Any  # path, or position
    content: Any
    duration: float  # seconds
    file: BlockFile | None = None  # None where it is read whole
    invalid: npt.NDArray[np.intp] = np.zeros(0, np.intp)  # NaN or infinite samples of the file


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
    keeps_damaged = reader is not None and reader.on_error == "warn"
    channel = None if reader is None else reader.channel
    # a subclass of AudioReader may read in another way
    is_ours = reader is None or type(reader) is AudioReader
    file = open_block_file(entry) if is_ours and not keeps_damaged else None
    invalid = np.zeros(0, np.intp)
    if file is None:
        clip = read_clip(entry, channel=channel)
        reason, rate, duration = clip.reason, clip.sample_rate, clip.duration
    else:
        check = check_in_blocks(file, channel)
        reason, rate, duration = check.reason, file.sample_rate, file.duration
        invalid = check.invalid
    if reason and not keeps_damaged:
        raise ValueError(f"{name}, {entry}: {reason}")
    if reader is None and rate != sample_rate:
        raise ValueError(
            f"{name}, {entry} has a rate of {rate} Hz, but the pipeline computes with "
            f"{sample_rate} Hz; put AudioReader(sample_rate={sample_rate}) first in the pipeline, "
            "which resamples"
        )
    label = os.fspath(entry) if isinstance(entry, os.PathLike) else str(entry)
    return Recording(label, entry, duration, file, invalid)


#: The power of louder samples is beyond float32.
_LOUDEST = 1e15

#: Samples that are looked at together, so that an hour of sound is not copied.
_N_CHECKED = 2**20


def check_samples(samples: Any, name: str) -> npt.NDArray[Any]:
    """Samples as a 1-D array of numbers that is not empty, or an error that names them."""
    check_mask(samples, name, within=True)
    try:
        samples = np.asarray(as_arrays(samples))
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
    for start in range(0, len(samples), _N_CHECKED):
        block = samples[start : start + _N_CHECKED]
        peak = float(np.abs(block[np.isfinite(block)]).max(initial=0))
        if peak > _LOUDEST:
            raise ValueError(f"{name} has amplitudes up to {peak:g}: expected them in [-1, 1]")
    return samples


def read_recording(
    recording: Recording, reader: AudioReader | None, sample_rate: float
) -> npt.NDArray[Any]:
    """All samples of a checked recording, of shape (n_samples,)."""
    if not is_file(recording.content):
        return np.asarray(recording.content)
    if reader is not None:
        return reader.transform([recording.content])[0]
    clip = read_clip(recording.content, int(sample_rate))
    if clip.waveform is None:
        raise ValueError(f"{recording.name}: {clip.reason}")
    return clip.waveform


def waveforms_of(
    X: Any, reader: AudioReader | None, sample_rate: float, name: str
) -> list[npt.NDArray[np.float32]]:
    """Clips or background recordings as a list of finite waveforms in float32."""
    if not is_ragged(X) and isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype.kind == "f":
        X = list(X)
    waveforms: list[npt.NDArray[np.float32]] = []
    for i, recording in enumerate(check_recordings(X, reader, sample_rate, name)):
        samples = np.full(1, np.nan, np.float32)
        if len(recording.invalid) == 0:
            samples = read_recording(recording, reader, sample_rate).astype(np.float32)
        if not np.isfinite(samples).all():
            raise ValueError(f"{name}[{i}] holds NaN or infinity")
        waveforms.append(samples)
    return waveforms
