"""Long sound files, checked and read in blocks: memory does not grow with their length.

The samples are those of :func:`~sklearn_speech.audio._reading.read_clip`.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from ._audio_segment import AudioSegment
from ._decoding import (
    FAILURES,
    INTEGERS,
    OTHER_DIGEST,
    Part,
    as_floats,
    cannot_decode_to_the_end,
    encoded_content,
    ends_early,
    find_part,
    inspect,
    open_sound,
    seeks_exactly,
)
from ._reading import bad_peak, cancelled, clipped, no_channel, nothing_to_read, squares

#: Samples of each channel that are read at a time: 2 MiB of one channel.
BLOCK = 2**19


@dataclass(frozen=True)
class BlockFile:
    """A sound file, or a part of it, that can be read in blocks.

    Parameters
    ----------
    segment : AudioSegment
    source : bytes or None
        What is decoded in place of the file.
    part : Part
    sample_rate : int
        In Hz.
    n_channels : int
    digest : bytes or None
        MD5 digest of the samples as integers.
    subtype : str
        How the samples are stored, as libsndfile calls it.
    """

    segment: AudioSegment
    source: bytes | None
    part: Part
    sample_rate: int
    n_channels: int
    digest: bytes | None
    subtype: str

    @property
    def duration(self) -> float:
        """In seconds."""
        return (self.part.last - self.part.first) / self.sample_rate


@dataclass(frozen=True)
class Check:
    """What is wrong with a file, and which of its samples are NaN or infinite."""

    reason: str | None = None
    invalid: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp))


def open_block_file(entry: Any) -> BlockFile | None:
    """Prepare to read a file in blocks.

    Parameters
    ----------
    entry : str, os.PathLike or AudioSegment
        What to read.

    Returns
    -------
    file : BlockFile or None
        None where the entry has to be read whole: it is in memory, is damaged, or has a format
        in which libsndfile does not seek exactly, such as MP3.
    """
    if not isinstance(entry, (str, os.PathLike, AudioSegment)):
        return None
    segment = entry if isinstance(entry, AudioSegment) else AudioSegment(os.fspath(entry))
    if nothing_to_read(segment.path):
        return None
    try:
        found, n_bytes = inspect(segment.path)
        if found.problem or not found.whole:
            return None
        with open_sound(segment.path, found.source) as file:
            part = find_part(file, segment, found, n_bytes)
            if part.problem or part.reason or not seeks_exactly(file):
                return None
            digest = found.md5 if part.is_whole else None
            return BlockFile(
                segment, found.source, part, file.samplerate, file.channels, digest, file.subtype
            )
    except FAILURES:
        return None


def check_in_blocks(file: BlockFile, channel: int | None) -> Check:
    """Decode a file once, and look at all of its samples.

    Parameters
    ----------
    file : BlockFile
    channel : int or None
        The channel to read; None is the average of all.

    Returns
    -------
    check : Check
        NaN and infinity alone are no reason: their positions are given.
    """
    if channel is not None and channel >= file.n_channels:
        return Check(no_channel(channel, file.n_channels))
    digest = None if file.digest is None else hashlib.md5(usedforsecurity=False)
    peak, power, left, n_read = 0.0, 0.0, 0.0, file.part.first
    invalid: list[NDArray[np.intp]] = []
    try:
        for block in _decoded_blocks(file, "float32" if digest is None else INTEGERS[file.subtype]):
            if digest is not None:
                digest.update(encoded_content(block, file.subtype).data)
                block = as_floats(block)
            waveform = _one_channel(block, channel)
            bad = np.flatnonzero(~np.isfinite(waveform))
            if len(bad):
                invalid.append(bad + (n_read - file.part.first))
                block[bad] = 0
                waveform = _one_channel(block, channel)
            peak = max(peak, float(np.abs(waveform).max()))
            if channel is None and file.n_channels > 1:
                power, left = power + squares(block), left + squares(waveform)
            n_read += len(block)
    except soundfile.SoundFileError as error:
        return Check(cannot_decode_to_the_end(error))
    if n_read < file.part.last:
        return Check(ends_early(file.part.last, n_read, file.sample_rate))
    if digest is not None and digest.digest() != file.digest:
        return Check(OTHER_DIGEST)
    reason = cancelled(power, left, file.n_channels) or bad_peak(peak)
    return Check(reason, np.concatenate([np.zeros(0, np.intp), *invalid]))


def read_in_blocks(
    file: BlockFile, sample_rate: int, channel: int | None
) -> Iterator[NDArray[np.float32]]:
    """Samples of a file that was checked.

    Parameters
    ----------
    file : BlockFile
    sample_rate : int
        To which they are resampled, in Hz.
    channel : int or None
        The channel to read; None is the average of all.

    Yields
    ------
    samples : ndarray of shape (n_samples,)
        The next ones; NaN and infinity become 0.

    Raises
    ------
    ValueError
        When the file has changed since it was checked.
    """
    stream = None
    if file.sample_rate != sample_rate:
        stream = soxr.ResampleStream(file.sample_rate, sample_rate, 1, "float32", "HQ")
    n_read = file.part.first
    try:
        for block in _decoded_blocks(file, "float32"):
            n_read += len(block)
            samples = np.nan_to_num(_one_channel(block, channel), nan=0.0, posinf=0.0, neginf=0.0)
            if stream is not None:
                samples = stream.resample_chunk(samples, last=n_read == file.part.last)
            if len(samples):
                yield clipped(samples)
    except soundfile.SoundFileError as error:
        raise ValueError(f"{file.segment.path}: {cannot_decode_to_the_end(error)}") from error
    if n_read < file.part.last:
        reason = ends_early(file.part.last, n_read, file.sample_rate)
        raise ValueError(f"{file.segment.path}: {reason}")


def _decoded_blocks(file: BlockFile, dtype: str) -> Iterator[NDArray[Any]]:
    """Blocks of shape (n_samples, n_channels), as far as the file goes."""
    first, last = file.part.first, file.part.last
    with open_sound(file.segment.path, file.source) as sound:
        if first:
            sound.seek(first)
        while first < last:
            block = sound.read(min(BLOCK, last - first), dtype=dtype, always_2d=True)
            if len(block) == 0:
                break
            first += len(block)
            yield block


def _one_channel(block: NDArray[np.float32], channel: int | None) -> NDArray[np.float32]:
    if channel is None and block.shape[1] > 1:
        return block.mean(axis=1)
    return block[:, channel or 0]
