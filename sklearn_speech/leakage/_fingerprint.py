"""Acoustic fingerprints to find copies of one recording in about linear time.

A copy that was trimmed, rescaled, resampled or re-encoded has the same waveform below 2.6 kHz,
only shifted and scaled; another take of the same word by the same speaker does not. Both steps
therefore work on waveforms, not on spectra:

1. `fingerprint` picks *anchors*, the highest peaks of the signal within 10 ms,
   which do not move when a clip is cut, and describes the 64 ms around each by the signs of
   random projections (locality-sensitive hashing). `candidate_pairs` sorts the anchors of all
   clips by these codes and keeps the pairs of clips in which two matches have the same shift.
2. `similarity` then compares the two clips sample by sample at that shift.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soxr
from scipy.ndimage import maximum_filter1d, uniform_filter1d
from scipy.signal import firwin

#: Sample rate (Hz) at which everything is compared.
RATE = 8000

#: Minimum length in samples (0.1 s); in shorter clips a match may be chance.
MIN_LENGTH = 800

#: Minimum overlap of two compared clips, as a share of the shorter one.
MIN_OVERLAP = 0.5

N_TAPS = 201
# 100 to 1,200 Hz: lossy codecs keep the low frequencies best
HASH_BAND = firwin(N_TAPS, (100, 1200), pass_zero=False, fs=RATE)
# 150 to 2,600 Hz: a copy at 6 kHz still contains this band
MATCH_BAND = firwin(N_TAPS, (150, 2600), pass_zero=False, fs=RATE)
FLOOR = 0.03  # share of the highest level below which levels are not equalised
PEAK_DISTANCE = 80  # samples, 10 ms
PEAK_RANGE = 0.05  # share of the highest peak, -26 dB
HALF_PATCH = 256  # samples, 32 ms
N_TABLES = 8
SURE_TABLES = 4  # tables in which a single matching pair of anchors suffices
MAX_NEIGHBOURS = 64  # anchors with the same code that each anchor is paired with
MAX_LAGS = 3  # shifts tried for each pair
SEARCH = 8  # samples around a shift that `similarity` tries

_OFFSETS = np.arange(-HALF_PATCH, HALF_PATCH + 1, 2)
_TAPER = np.hanning(len(_OFFSETS) + 2)[1:-1].astype(np.float32)


class Fingerprint(NamedTuple):
    """Anchors of one clip."""

    positions: np.ndarray  # (n_anchors,) int32, samples at RATE
    codes: np.ndarray  # (n_anchors, N_TABLES) uint64


def to_common_rate(waveform: npt.NDArray[Any], sample_rate: float) -> npt.NDArray[Any]:
    """Resample a waveform to `RATE`, and remove zero padding at either end.

    Parameters
    ----------
    waveform : ndarray of shape (n_times,)
    sample_rate : int or float
        In Hz.

    Returns
    -------
    waveform : ndarray of shape (n_samples,), float32
        Empty if the clip is silent, that is, if it has one constant value.
    """
    waveform = np.asarray(waveform, dtype=np.float32)
    sounding = np.flatnonzero(waveform)
    if not len(sounding) or waveform.min() == waveform.max():
        return np.zeros(0, np.float32)
    waveform = waveform[sounding[0] : sounding[-1] + 1]
    if sample_rate != RATE:
        waveform = soxr.resample(waveform, sample_rate, RATE)
    return np.ascontiguousarray(waveform)


def _band(waveform, taps):
    filtered = np.convolve(waveform.astype(np.float64), taps)
    return filtered[N_TAPS // 2 : N_TAPS // 2 + len(waveform)]


def _equalise_level(signal, seconds):
    """Divide a signal by its running level, so that soft parts count as much as loud ones."""
    level = np.sqrt(
        np.maximum(uniform_filter1d(signal**2, int(seconds * RATE), mode="constant"), 0.0)
    )
    return (signal / (level + FLOOR * level.max() + 1e-30)).astype(np.float32)


def matching_signal(waveform: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the signal that :func:`similarity` compares: 150 to 2,600 Hz, whitened and levelled.

    Parameters
    ----------
    waveform : ndarray of shape (n_samples,)
        At `RATE`.

    Returns
    -------
    signal : ndarray of shape (n_samples,), float32
    """
    signal = _band(waveform, MATCH_BAND)
    signal[1:] -= 0.95 * signal[:-1]  # otherwise the pitch of a voice dominates
    return _equalise_level(signal, 0.05)


def fingerprint(waveforms: Any) -> list[Any]:
    """Compute the anchors and codes of some clips.

    Parameters
    ----------
    waveforms : list of ndarray of shape (n_samples,)
        At `RATE`.

    Returns
    -------
    fingerprints : list of Fingerprint
        Clips shorter than `MIN_LENGTH` have no anchors.
    """
    positions, patches = [], [np.zeros((0, len(_OFFSETS)), np.float32)]
    for waveform in waveforms:
        if len(waveform) < MIN_LENGTH:
            positions.append(np.zeros(0, np.int32))
            continue
        signal = _equalise_level(_band(waveform, HASH_BAND), 0.1)
        positions.append(_anchors(signal))
        patches.append(_patches(signal, positions[-1]))
    signs = np.concatenate(patches) @ _projections() > 0
    codes = np.packbits(signs, axis=1, bitorder="little").view("<u8")
    ends = np.cumsum([len(p) for p in positions])
    return [Fingerprint(p, codes[end - len(p) : end]) for p, end in zip(positions, ends)]


def _anchors(signal):
    height = np.abs(signal)
    highest = maximum_filter1d(height, 2 * PEAK_DISTANCE + 1, mode="constant")
    is_anchor = (height == highest) & (height > PEAK_RANGE * height.max())
    return np.flatnonzero(is_anchor).astype(np.int32)


def _patches(signal, positions):
    """Return the signal around each anchor, resampled so that a sample falls on the peak."""
    padded = np.pad(signal, HALF_PATCH + 1)
    index = positions[:, None] + HALF_PATCH + 1 + _OFFSETS
    before, at, after = (padded[index + k] for k in (-1, 0, 1))
    middle = len(_OFFSETS) // 2
    peaks = np.abs(np.stack([side[:, middle] for side in (before, at, after)]))
    bend = np.minimum(peaks[0] - 2 * peaks[1] + peaks[2], -1e-12)
    shift = np.clip(0.5 * (peaks[0] - peaks[2]) / bend, -0.5, 0.5)[:, None]
    patches = (
        before * (shift * (shift - 1) / 2) + at * (1 - shift**2) + after * (shift * (shift + 1) / 2)
    )
    # a copy may be inverted, so every peak is made positive
    return patches * (_TAPER * np.sign(at[:, middle : middle + 1]))


def _projections():
    # a fixed seed: the same clips give the same report
    shape = (len(_OFFSETS), 64 * N_TABLES)
    return np.random.RandomState(0).standard_normal(shape).astype(np.float32)


def n_code_bits(n_anchors: int) -> int:
    """Return how many bits of the codes are compared: more for more anchors.

    Four more bits for each doubling keep the number of candidates per clip, and so the time,
    about constant (on speech, four bits halve the number of candidates).

    Parameters
    ----------
    n_anchors : int

    Returns
    -------
    n_bits : int
        32 to 60.

    Examples
    --------
    >>> n_code_bits(1000), n_code_bits(2**20)
    (32, 48)
    """
    doublings = np.log2(max(n_anchors, 1) / 2**16)
    return int(np.clip(32 + 4 * np.ceil(doublings), 32, 60))


def candidate_pairs(
    fingerprints: list[Any],
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Find pairs of clips in which two pairs of anchors match at the same shift.

    One pair of anchors, which may be all that a very short clip has, suffices if it is equal in
    `SURE_TABLES` of the `N_TABLES` codes.

    Parameters
    ----------
    fingerprints : list of Fingerprint
        One per clip.

    Returns
    -------
    first, second : ndarray of int of shape (n_candidates,)
        Positions of the clips, sorted, ``first < second``; a pair occurs up to `MAX_LAGS` times.
    lags : ndarray of int of shape (n_candidates,)
        Sample t of the first clip is sample t - lag of the second.
    """
    clips = np.repeat(np.arange(len(fingerprints)), [len(f.positions) for f in fingerprints])
    if not len(clips):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    positions = np.concatenate([f.positions for f in fingerprints]).astype(np.int64)
    mask = np.uint64(2 ** n_code_bits(len(clips)) - 1)
    found = [np.zeros(0, np.int64)]
    for table in range(N_TABLES):
        codes = np.concatenate([f.codes[:, table] for f in fingerprints]) & mask
        for a, b in _equal_codes(codes, clips):
            other = clips[a] != clips[b]
            found.append(a[other] * len(clips) + b[other])
    # a pair of anchors found in several tables is one match
    hits, n_tables = np.unique(np.concatenate(found), return_counts=True)
    a, b = hits // len(clips), hits % len(clips)
    pairs, lags = _agreeing(
        clips[a] * len(fingerprints) + clips[b], positions[a] - positions[b], n_tables
    )
    return pairs // len(fingerprints), pairs % len(fingerprints), lags


def _equal_codes(codes, clips):
    """Yield arrays of anchors (a, b) with the same code, where the clip of a precedes that of b."""
    order = np.argsort(codes, kind="stable")  # keeps anchors of one code in the order of clips
    codes = codes[order]
    same = codes[1:] == codes[:-1]
    repeated = np.r_[same, False] | np.r_[False, same]
    codes, order = codes[repeated], order[repeated]
    for step in range(1, min(MAX_NEIGHBOURS, len(codes) - 1) + 1):
        found = np.flatnonzero(codes[step:] == codes[:-step])
        if not len(found):
            return
        yield order[found], order[found + step]


def _agreeing(pairs, lags, n_tables):
    """Return pairs with enough matches within two samples of one lag, most frequent lag first."""
    if not len(pairs):
        return pairs, lags
    order = np.lexsort((lags, pairs))
    pairs, lags, n_tables = pairs[order], lags[order], n_tables[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(pairs) != 0) | (np.diff(lags) > 2)])
    n_hits = np.diff(np.r_[starts, len(pairs)])
    votes = np.add.reduceat(n_tables, starts)
    enough = (n_hits >= 2) | (votes >= SURE_TABLES)
    middle, votes = (starts + n_hits // 2)[enough], votes[enough]
    pairs, lags = pairs[middle], lags[middle]
    order = np.lexsort((-votes, pairs))
    pairs, lags = pairs[order], lags[order]
    firsts = np.flatnonzero(np.r_[True, np.diff(pairs) != 0][: len(pairs)])
    rank = np.arange(len(pairs)) - np.repeat(firsts, np.diff(np.r_[firsts, len(pairs)]))
    return pairs[rank < MAX_LAGS], lags[rank < MAX_LAGS]


def _fractional_shifts():
    """Return weights that interpolate a correlation in steps of an eighth of a sample."""
    steps = np.arange(-4 * 8, 4 * 8 + 1) / 8
    distance = steps[:, None] - np.arange(-SEARCH, SEARCH + 1)
    return np.sinc(distance) * np.clip(np.cos(np.pi * distance / (2 * SEARCH + 2)), 0, None) ** 2


_SHIFTS = _fractional_shifts()


def similarity(first: npt.NDArray[Any], second: npt.NDArray[Any], lag: int) -> float:
    """Normalised cross-correlation of two matching signals over their overlap.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples,), float32
        See :func:`matching_signal`; lengths may differ.
    lag : int
        Sample t of the first is about sample t - lag of the second; four
        samples to either side are tried, in steps of an eighth.

    Returns
    -------
    similarity : float
        Absolute value, in [0, 1]; 0 if the overlap is too short.
    """
    start, stop = max(0, lag), min(len(first), len(second) + lag)
    if stop - start < max(1, MIN_OVERLAP * min(len(first), len(second))):
        return 0.0
    overlap = first[start:stop]
    around = np.pad(second, SEARCH)[start - lag : stop - lag + 2 * SEARCH]
    other = around[SEARCH:-SEARCH]
    energy = float(overlap @ overlap) * float(other @ other)
    if energy <= 0:
        return 0.0
    correlation = np.correlate(around, overlap, mode="valid")
    peak = np.abs(_SHIFTS @ correlation).max()
    return float(min(peak / np.sqrt(energy), 1.0))
