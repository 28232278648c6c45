"""From a path to a waveform, or to the reason why there is none.

Bad files are no exceptions here but results: a reader of thousands of files
reports all bad ones at once, so each one travels as its reason.
"""

import os
import re
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr
from joblib import Parallel, delayed
from tqdm import tqdm

from ._audio_segment import AudioSegment

#: A segment may end this much (s) after its file: hand-made times are rounded. A file may end
#: this much before its header says.
END_TOLERANCE = 0.05

#: What libsndfile notes where a file holds fewer bytes of samples than its header says: of
#: WAV, AIFF, AU, W64 and RF64.
_CUT_OFF = re.compile(
    r"^ *(?:data|SSND|Data Size|riff|Riff size) *: *(\d+) *\(should be (\d+)\)", re.MULTILINE
)

#: Where the header of a SPHERE file says how many samples each channel has.
_SPHERE_LENGTH = re.compile(rb"^sample_count -i (\d+)", re.MULTILINE)

#: Headers written before the length was known, as into a pipe, say so many bytes, or more.
_UNKNOWN_LENGTH = 0x7FFF0000

#: So many samples are none that a header states.
_NO_LENGTH = 2**62

#: Floating-point files may overshoot [-1, 1]; a peak above this (+20 dB) is another scale.
MAX_PEAK = 10.0


#: Formats that libsndfile 1.2 does not enter at the sample asked for: read from the beginning.
INEXACT_SEEK = frozenset({"MP3"})


@dataclass(frozen=True)
class Clip:
    """What reading one entry gave: a waveform, or a reason why there is none."""

    waveform: np.ndarray | None = None
    reason: str | None = None
    sample_rate: int = 0  # of the file (Hz), 0 when unknown
    duration: float = float("nan")  # of the entry (s)


def check_entries(X, name="X"):
    """The paths and segments in `X` as a list.

    Parameters
    ----------
    X : array-like of shape (n_clips,) or (n_clips, 1) of str, os.PathLike or AudioSegment
        A list, tuple, array, pandas Series or a data frame of one column.
    name : str, default="X"
        What error messages call it.

    Returns
    -------
    entries : list of str or AudioSegment

    Raises
    ------
    TypeError
        When X is one path, no collection, or holds something other than paths.
    ValueError
        When X is empty or has more than one column.
    """
    if isinstance(X, (str, bytes, os.PathLike, AudioSegment)):
        raise TypeError(f"{name}={X!r} is one path: expected a list or 1-D array of paths")
    if hasattr(X, "to_numpy"):
        X = X.to_numpy()
    elif not isinstance(X, (list, tuple, np.ndarray)):
        raise TypeError(
            f"{name} is a {type(X).__name__}: expected a list, 1-D array or Series of paths"
        )
    if isinstance(X, np.ndarray):
        if X.ndim == 2 and X.shape[1] == 1:
            X = X[:, 0]
        if X.ndim != 1:
            raise ValueError(
                f"{name} has shape {X.shape}: expected paths of shape (n_clips,) or (n_clips, 1)"
            )
    else:
        X = [row[0] if isinstance(row, (list, tuple)) and len(row) == 1 else row for row in X]
    if len(X) == 0:
        raise ValueError(f"{name} holds 0 paths: at least 1 is needed")
    return [_check_entry(entry, i, name) for i, entry in enumerate(X)]


def _check_entry(entry, index, name):
    if isinstance(entry, AudioSegment):
        return entry
    if isinstance(entry, (str, os.PathLike)):
        path = os.fspath(entry)
        if isinstance(path, str):
            return str(path)  # numpy's str_ becomes a plain str
    raise TypeError(
        f"{name}[{index}] is {entry!r:.100} of type {type(entry).__name__}: expected the path of "
        "a sound file (str or os.PathLike) or an AudioSegment"
    )


def read_clips(entries, sample_rate=None, *, n_jobs=None, progress=None):
    """Read many entries in threads, in order.

    Parameters
    ----------
    entries : list of str or AudioSegment
        As :func:`check_entries` returns them.
    sample_rate : int or None, default=None
        Rate of the waveforms in Hz; None keeps the waveforms out of the result.
    n_jobs : int or None, default=None
        Threads, as in joblib.
    progress : str or None, default=None
        Title of a progress bar; None shows none.

    Returns
    -------
    clips : list of Clip
    """
    # soundfile and soxr release the interpreter's lock, so threads are enough
    clips = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")(
        delayed(read_clip)(entry, sample_rate) for entry in entries
    )
    return list(tqdm(clips, desc=progress, total=len(entries), disable=progress is None))


def read_clip(entry, sample_rate=None):
    """Read one entry; see :func:`read_clips`.

    Parameters
    ----------
    entry : str or AudioSegment
        What to read.
    sample_rate : int or None, default=None
        Rate of the waveform in Hz; None only checks, and returns no waveform.

    Returns
    -------
    clip : Clip
    """
    segment = entry if isinstance(entry, AudioSegment) else AudioSegment(entry)
    path = segment.path
    if reason := _not_a_readable_file(path):
        return Clip(reason=reason)
    try:
        with soundfile.SoundFile(_as_it_is_on_disk(path)) as file:
            rate, n_frames = file.samplerate, file.frames
            if n_frames >= _NO_LENGTH:
                return Clip(reason="states no length: write it anew as a file", sample_rate=rate)
            first, last, reason = _bounds(segment, rate, n_frames)
            reason = _cut_off(file, path) or reason
            if reason:
                return Clip(reason=reason, sample_rate=rate)
            can_seek = file.seekable() and file.format not in INEXACT_SEEK
            skipped = file.seek(first) if first and can_seek else 0
            samples = file.read(last - skipped, dtype="float32", always_2d=True)[first - skipped :]
    except (soundfile.SoundFileError, TypeError, ValueError, OSError) as error:
        # TypeError: soundfile takes the ending ".raw" for headerless samples
        return Clip(reason=f"not a sound file that can be decoded ({_brief(error)})")
    if len(samples) == 0:
        return Clip(reason="zero samples", sample_rate=rate)
    waveform = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    duration = len(waveform) / rate
    if reason := _bad_samples(waveform):
        return Clip(reason=reason, sample_rate=rate, duration=duration)
    if sample_rate is None:
        return Clip(sample_rate=rate, duration=duration)
    return Clip(_resample(waveform, rate, sample_rate), None, rate, duration)


def _not_a_readable_file(path):
    if not os.path.exists(path):
        return "no such file"
    if os.path.isdir(path):
        return "is a directory, not a file"
    if not os.access(path, os.R_OK):
        return "no permission to read it"
    if os.path.getsize(path) == 0:
        return "empty file (0 bytes)"
    return None


def _as_it_is_on_disk(path):
    """A path that libsndfile finds: names that are not UTF-8 as their bytes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def printable(entry):
    """A path or segment as text that can be printed, whatever bytes its name has."""
    return str(entry).encode(errors="backslashreplace").decode()


def _cut_off(file, path):
    """What is wrong with a file that ends before its header says, as an interrupted copy does."""
    if file.frames <= 0:
        return None
    if file.format == "NIST":
        with open(path, "rb") as header:
            noted = _SPHERE_LENGTH.search(header.read(1024))
        stated, there = (int(noted[1]), file.frames) if noted else (0, 1)
    elif noted := _CUT_OFF.search(file.extra_info):
        stated, there = map(int, noted.groups())
    else:
        return None
    lasts = file.frames / file.samplerate
    promised = lasts * stated / there
    if stated >= _UNKNOWN_LENGTH or promised - lasts <= END_TOLERANCE:
        return None
    return f"cut off: its header says {promised:.3f} s, {lasts:.3f} s are there"


def _brief(error):
    return getattr(error, "error_string", str(error)).strip().rstrip(".")


def _bounds(segment, rate, n_frames):
    """First sample, sample after the last, and what is wrong with them."""
    if n_frames <= 0:
        return 0, 0, "zero samples"
    first = round(segment.start * rate)
    last = n_frames if segment.end is None else round(segment.end * rate)
    if last > n_frames + END_TOLERANCE * rate or first >= n_frames:
        return (
            0,
            0,
            (
                f"has no part from {segment.start:g} s to "
                f"{'its end' if segment.end is None else f'{segment.end:g} s'}: "
                f"it lasts {n_frames / rate:.3f} s"
            ),
        )
    last = min(last, n_frames)
    if last <= first:
        return 0, 0, f"zero samples from {segment.start:g} s to {segment.end:g} s at {rate} Hz"
    return first, last, None


def _bad_samples(waveform):
    peak = np.abs(waveform).max()  # NaN if any sample is NaN
    if np.isnan(peak):
        return "contains NaN samples"
    if np.isinf(peak):
        return "contains infinite samples"
    if peak > MAX_PEAK:
        return f"has a peak of {peak:g}: amplitudes must be in [-1, 1]"
    return None


def _resample(waveform, rate, sample_rate):
    if rate != sample_rate:
        resampled = soxr.resample(waveform, rate, sample_rate, quality="HQ")
        # a clip shorter than one sample of the new rate keeps its mean as that sample
        waveform = resampled if len(resampled) else waveform.mean(keepdims=True)
    # lossy codecs and resampling overshoot full scale, as a sound card would then clip
    return np.clip(waveform, -1.0, 1.0).astype(np.float32, copy=False)


def header_rates(paths):
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
            rates.add(soundfile.info(_as_it_is_on_disk(path)).samplerate)
        except (soundfile.SoundFileError, TypeError, ValueError, OSError):
            continue  # reported, with its reason, by whoever reads the samples
    return rates
