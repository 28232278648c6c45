"""Decode the samples of a file, or of a part of it, and find what is wrong with them."""

import hashlib
import io
import os
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import soundfile

from . import _content
from ._audio_segment import AudioSegment
from ._inspection import Inspection, PlainSamples

#: A segment may end this much (s) after its file: hand-made times are rounded.
END_TOLERANCE = 0.05

#: Plausible sampling rates (Hz): the slowest speech recorders use 4,000 Hz, and a quarter of that
#: holds no vowels; converters go up to 768,000 Hz.
PLAUSIBLE_RATES = (1_000, 768_000)

#: Most samples per byte, for codecs without another bound (1-bit ADPCM).
_SAMPLES_PER_BYTE = 8

#: Lossless ALAC packs at most 4,096 samples into a packet, which takes at least 8 bytes.
_ALAC_SAMPLES_PER_BYTE = 512

#: Subtypes that store each sample by itself, so that libsndfile seeks exactly, as it does in
#: FLAC. Seeking was measured to be inexact in MP3, Opus and ALAC, and at the end of PAF and SDS.
_EXACT_SUBTYPES = frozenset(
    {"PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"}
)
_INEXACT_FORMATS = frozenset({"PAF", "SDS", "OGG", "MP3"})

#: Integers that hold FLAC's samples in their most significant bits.
INTEGERS = {"PCM_S8": "int16", "PCM_16": "int16", "PCM_24": "int32"}

#: The reason for a FLAC file whose samples are not those that were encoded.
OTHER_DIGEST = "damaged: its samples have another MD5 digest than its header says"

#: Factor from samples of 16 bits to amplitudes.
_FROM_16_BITS = np.float32(1 / 32768)

#: Files of at most this many bytes are read whole before they are looked at.
_SMALL = 1 << 20

#: After an error the file is read again in blocks of this many samples, up to the error.
_BLOCK = 1024

#: Exceptions of soundfile for files that it cannot read. TypeError: the ending ".raw" means
#: headerless samples to it.
FAILURES = (soundfile.SoundFileError, TypeError, ValueError, OSError, ArithmeticError, LookupError)


@dataclass(frozen=True)
class Decoded:
    """Samples of shape (n_times, n_channels), None where there are none, and what is wrong."""

    samples: np.ndarray | None = None
    rate: int = 0
    problem: str | None = None


def decode(
    segment: AudioSegment, keep_damaged: bool = False, content: bytes | None = None
) -> Decoded:
    """Read the samples of a file, or of a part of it.

    Parameters
    ----------
    segment : AudioSegment
        What to read.
    keep_damaged : bool, default=False
        Whether to read the readable part of a damaged file; otherwise it is not decoded.
    content : bytes, default=None
        Content of the file, if it is in memory; the path then has no meaning.

    Returns
    -------
    decoded : Decoded
    """
    try:
        if content is not None:
            return _decode_opened(segment, keep_damaged, None, content)
        with open(segment.path, "rb", 0) as opened:
            return _decode_opened(segment, keep_damaged, opened, None)
    except PermissionError:
        return Decoded(problem="no permission to read it")
    except FAILURES as error:
        return Decoded(problem=cannot_decode(error))


def _decode_opened(
    segment: AudioSegment, keep_damaged: bool, opened: io.FileIO | None, content: bytes | None
) -> Decoded:
    found, n_bytes, in_memory = _inspected(opened, segment.path, content)
    if found.problem and not found.whole:
        return Decoded(problem=found.problem)
    if found.plain is not None and in_memory is not None:
        return _read_plain(in_memory, segment, found, found.plain)
    if found.source is None and content is not None:
        found = replace(found, source=content)
    with open_sound(segment.path, found.source, opened) as file:
        try:
            return _read(file, segment, found, n_bytes, keep_damaged)
        except PermissionError:
            raise
        except FAILURES as error:
            return Decoded(None, file.samplerate, cannot_decode(error))


def inspect(path: str) -> tuple[Inspection, int]:
    """What a file says about itself, and its size in bytes."""
    with open(path, "rb", 0) as opened:
        return _inspected(opened, path, None)[:2]


def _inspected(
    opened: io.FileIO | None, path: str, content: bytes | None
) -> tuple[Inspection, int, bytes | None]:
    """What a file says about itself, its size in bytes, and its content if that is in memory."""
    handle: BinaryIO
    in_memory, n_bytes = content, len(content or b"")
    if opened is not None:
        n_bytes = os.fstat(opened.fileno()).st_size
        if n_bytes <= _SMALL:
            # checks of headers jump to and fro, which takes longer in a file than in memory
            in_memory = opened.read(n_bytes)
            n_bytes = len(in_memory)
    if opened is None or in_memory is not None:
        handle = io.BytesIO(in_memory or b"")
    else:
        handle = open(opened.fileno(), "rb", closefd=False)
    found = _content.inspect(handle, n_bytes)
    if found is None:
        with open_sound(path, content) as file:
            is_mpeg = file.format == "MP3"
        found = _content.inspect_as_mpeg(handle) if is_mpeg else Inspection()
    return found, n_bytes, in_memory


def cannot_decode(error: Exception) -> str:
    """The reason for a file that libsndfile refuses."""
    return f"not a sound file that can be decoded ({_brief(error)})"


def cannot_decode_to_the_end(error: Exception) -> str:
    """The reason for a file in which libsndfile finds an error on the way."""
    return f"not a sound file that can be decoded to its end ({_brief(error)})"


def _brief(error: Exception) -> str:
    return str(getattr(error, "error_string", str(error)).strip().rstrip("."))


def path_for_libsndfile(path: str) -> str | bytes:
    """A path that libsndfile finds: names that are not UTF-8 as their bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


class _Content(io.BytesIO):
    """The content of a file, which stays where it is when it is told to go before its start.

    An error in the callback of libsndfile would be printed, not raised.
    """

    def seek(self, offset: int, whence: int = 0, /) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


def open_sound(
    path: str, source: bytes | None, opened: BinaryIO | None = None
) -> soundfile.SoundFile:
    """Open a file with libsndfile, from its bytes or from a handle if there are any."""
    if source is not None:
        return soundfile.SoundFile(_Content(source))
    # opening a small file twice takes longer than reading it; on Windows, Python's
    # descriptors are not those of libsndfile
    if opened is not None and os.name == "posix" and not path.lower().endswith(".raw"):
        os.lseek(opened.fileno(), 0, os.SEEK_SET)
        return soundfile.SoundFile(opened.fileno(), closefd=False)
    return soundfile.SoundFile(path_for_libsndfile(path))


@dataclass(frozen=True)
class Part:
    """Which samples of a file are to be read, and what is wrong with them."""

    first: int = 0
    last: int = 0  # sample after the last
    is_whole: bool = False  # whether that is the whole file
    problem: str | None = None  # the file is damaged
    reason: str | None = None  # nothing can be read


def find_part(
    file: soundfile.SoundFile, segment: AudioSegment, found: Inspection, n_bytes: int
) -> Part:
    """The samples that belong to a segment.

    Parameters
    ----------
    file : soundfile.SoundFile
    segment : AudioSegment
    found : Inspection
        What the file says about itself.
    n_bytes : int
        Size of the file.

    Returns
    -------
    part : Part
    """
    rate, problem = file.samplerate, found.problem
    if reason := _implausible(rate):
        return Part(reason=reason)
    n_frames = file.frames if found.n_frames is None else found.n_frames
    most = found.max_frames
    if most is None:
        ratio = _ALAC_SAMPLES_PER_BYTE if file.subtype.startswith("ALAC") else _SAMPLES_PER_BYTE
        most = n_bytes * ratio // file.channels
    if n_frames > most:
        problem = problem or (
            f"its header says {n_frames:,} samples, more than its {n_bytes:,} bytes can hold"
        )
        n_frames = most
    first, last, reason = _bounds(segment, rate, n_frames, problem)
    return Part(first, last, first == 0 and last == n_frames, problem, reason)


def _implausible(rate: int) -> str | None:
    lowest, highest = PLAUSIBLE_RATES
    if lowest <= rate <= highest:
        return None
    return f"states a sampling rate of {rate:,} Hz: sound has {lowest:,} to {highest:,} Hz"


def seeks_exactly(file: soundfile.SoundFile) -> bool:
    """Whether libsndfile finds each sample of a file where it is."""
    exact = file.format not in _INEXACT_FORMATS and (
        file.format == "FLAC" or file.subtype in _EXACT_SUBTYPES
    )
    return bool(exact and file.seekable())


def ends_early(last: int, n_read: int, rate: int) -> str:
    """The reason for a file that ends before the samples that its header states."""
    return f"cut off: its header says {last / rate:.3f} s, {n_read / rate:.3f} s are there"


def _read(
    file: soundfile.SoundFile,
    segment: AudioSegment,
    found: Inspection,
    n_bytes: int,
    keep_damaged: bool,
) -> Decoded:
    rate = file.samplerate
    part = find_part(file, segment, found, n_bytes)
    problem = part.problem
    if part.reason or (problem and not keep_damaged):
        return Decoded(None, rate, problem or part.reason)
    first, last = part.first, part.last
    skipped = first if seeks_exactly(file) else 0
    # the digest is that of all samples, as integers
    digest = found.md5 if part.is_whole and not problem else None
    samples, error = _decode(file, skipped, last, digest)
    if samples is None:
        problem = problem or error
        if not keep_damaged:
            return Decoded(None, rate, problem)
        samples = _read_up_to_error(segment.path, found.source, skipped, last)
    elif len(samples) < last - skipped:
        problem = problem or ends_early(last, skipped + len(samples), rate)
    if digest is not None and not error:
        samples, agrees = _compare_digest(samples, file.subtype, digest)
        if not agrees:
            problem = problem or OTHER_DIGEST
    samples = samples[first - skipped :]
    if len(samples) == 0 or (problem and not keep_damaged):
        return Decoded(None, rate, problem or "zero samples")
    return Decoded(samples, rate, problem)


def _read_plain(
    content: bytes, segment: AudioSegment, found: Inspection, plain: PlainSamples
) -> Decoded:
    """Samples without a decoder, which takes longer to open a small file."""
    if reason := _implausible(plain.rate):
        return Decoded(None, plain.rate, reason)
    first, last, reason = _bounds(segment, plain.rate, found.n_frames or 0, None)
    if reason:
        return Decoded(None, plain.rate, reason)
    n_channels = plain.n_channels
    dtype = np.dtype("<f4" if plain.is_float else "<i2")
    count, offset = (last - first) * n_channels, plain.start + dtype.itemsize * first * n_channels
    samples = np.frombuffer(content, dtype, count, offset)
    amplitudes = samples.astype(np.float32)
    if not plain.is_float:
        amplitudes *= _FROM_16_BITS
    return Decoded(amplitudes.reshape(-1, n_channels), plain.rate)


def _decode(
    file: soundfile.SoundFile, first: int, last: int, digest: bytes | None
) -> tuple[np.ndarray | None, str | None]:
    """Samples from `first` to before `last` in one call: soundfile seeks after each."""
    try:
        if first:
            file.seek(first)
        dtype = "float32" if digest is None else INTEGERS[file.subtype]
        return file.read(last - first, dtype=dtype, always_2d=True), None
    except soundfile.SoundFileError as error:
        return None, cannot_decode_to_the_end(error)


def _read_up_to_error(path: str, source: bytes | None, first: int, last: int) -> np.ndarray:
    blocks = []
    with open_sound(path, source) as file:
        n_channels = file.channels
        try:
            if first:
                file.seek(first)
            while first < last:
                block = file.read(min(_BLOCK, last - first), dtype="float32", always_2d=True)
                if len(block) == 0:
                    break
                blocks.append(block)
                first += len(block)
        except soundfile.SoundFileError:
            pass  # the reason is known: this finds how far the file can be read
    return np.concatenate(blocks) if blocks else np.zeros((0, n_channels), np.float32)


def _compare_digest(samples: np.ndarray, subtype: str, digest: bytes) -> tuple[np.ndarray, bool]:
    """FLAC's samples as float32, and whether they are those that were encoded."""
    content = encoded_content(samples, subtype)
    agrees = hashlib.md5(content.data, usedforsecurity=False).digest() == digest
    return as_floats(samples), agrees


def as_floats(samples: np.ndarray) -> np.ndarray:
    """FLAC's integer samples as amplitudes in float32."""
    scale = _FROM_16_BITS if samples.dtype == np.int16 else np.float32(1 / 2**31)
    amplitudes = samples.astype(np.float32)
    amplitudes *= scale
    return amplitudes


def encoded_content(samples: np.ndarray, subtype: str) -> np.ndarray:
    """FLAC's integer samples as the bytes that its digest is computed from."""
    content = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<"))
    if subtype == "PCM_S8":
        content = content.view(np.int8).reshape(-1)[1::2]
    elif subtype == "PCM_24":
        content = content.view(np.uint8).reshape(-1, 4)[:, 1:]
    return np.ascontiguousarray(content)


def _bounds(
    segment: AudioSegment, rate: int, n_frames: int, damaged: str | None
) -> tuple[int, int, str | None]:
    """First sample, sample after the last, and what is wrong with them."""
    if n_frames <= 0:
        return 0, 0, "zero samples"
    first = round(segment.start * rate)
    last = n_frames if segment.end is None else round(segment.end * rate)
    if first >= n_frames or (last > n_frames + END_TOLERANCE * rate and not damaged):
        end = "its end" if segment.end is None else f"{segment.end:g} s"
        lasts = n_frames / rate
        return 0, 0, f"has no part from {segment.start:g} s to {end}: it lasts {lasts:.3f} s"
    last = min(last, n_frames)
    if last <= first:
        return 0, 0, f"zero samples from {segment.start:g} s to {segment.end:g} s at {rate} Hz"
    return first, last, None
