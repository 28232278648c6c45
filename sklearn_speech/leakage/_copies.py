"""Find pairs of copies of one recording: candidates by fingerprint, then comparison."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from tqdm import tqdm

from ..audio._given_paths import printable
from ..audio._reading import read_clip
from ._fingerprint import (
    RATE,
    candidate_pairs,
    fingerprint,
    matching_signal,
    similarity,
    to_common_rate,
)
from ._sides import separated_pairs

#: Number of clips, or pairs of clips, in one joblib job.
CHUNK = 256

#: In larger groups of copies, each clip is paired with only this many others.
MAX_PARTNERS = 64


def _load(clips, sample_rate):
    """Return waveforms at the common rate, from files (sample_rate None) or waveforms."""
    if sample_rate is not None:
        return [to_common_rate(clip, sample_rate) for clip in clips]
    waveforms = []
    for entry in clips:
        clip = read_clip(entry, RATE)
        if clip.reason or clip.waveform is None:
            raise ValueError(f"X: {printable(entry)}: {clip.reason}")
        waveforms.append(to_common_rate(clip.waveform, RATE))
    return waveforms


def _fingerprint_chunk(clips, sample_rate):
    waveforms = _load(clips, sample_rate)
    digests = [(len(w), hashlib.blake2b(w + 0.0, digest_size=16).digest()) for w in waveforms]
    return digests, fingerprint(waveforms)


def fingerprint_all(
    clips: Any, sample_rate: float | None, n_jobs: int | None, verbose: int
) -> tuple[list[tuple[int, bytes]], list[Any]]:
    starts = range(0, len(clips), CHUNK)
    results = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_fingerprint_chunk)(clips[start : start + CHUNK], sample_rate) for start in starts
    )
    digests, fingerprints = [], []
    for result in tqdm(results, "fingerprints", len(starts), disable=not verbose):
        digests += result[0]
        fingerprints += result[1]
    return digests, fingerprints


def find_copies(
    clips: Any,
    sample_rate: float | None,
    digests: list[tuple[int, bytes]],
    fingerprints: list[Any],
    codes: npt.NDArray[Any],
    sides: list[npt.NDArray[Any]],
    threshold: float,
    n_jobs: int | None,
    verbose: int,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Find leaking copies: pairs of clips (n_pairs, 2), whether identical, similarity."""
    identical_clips = defaultdict(list)
    for i, (length, digest) in enumerate(digests):
        if length:
            identical_clips[length, digest].append(i)
    groups = list(identical_clips.values())
    # compare one of several identical clips only, or the cost would be quadratic
    same = np.array([pair for group in groups for pair in _within(group)], np.int64).reshape(-1, 2)
    first, second, lags = candidate_pairs([fingerprints[group[0]] for group in groups])

    members, origins = [same], [np.full(len(same), -1)]
    for k in np.flatnonzero(
        np.r_[True, (np.diff(first) != 0) | (np.diff(second) != 0)][: len(first)]
    ):
        found = _between(groups[first[k]], groups[second[k]])
        members.append(found)
        origins.append(np.full(len(found), k))
    pairs, origin = np.concatenate(members), np.concatenate(origins)

    # a pair that no split separates is not a leak; this saves most comparisons
    relevant = codes[pairs[:, 0]] != codes[pairs[:, 1]]
    relevant[list(separated_pairs(pairs, sides))] = True
    pairs, origin = pairs[relevant], origin[relevant]
    heads = np.array([group[0] for group in groups], np.int64)
    wanted = np.isin(
        first * len(groups) + second,
        (first * len(groups) + second)[origin[origin >= 0]],
    )
    best = _compare_all(
        clips,
        sample_rate,
        heads[first[wanted]],
        heads[second[wanted]],
        lags[wanted],
        n_jobs,
        verbose,
    )
    alike = np.array(
        [
            1.0 if k < 0 else best[heads[first[k]].item(), heads[second[k]].item()]
            for k in origin.tolist()
        ]
    )
    keep = alike >= threshold
    pairs, alike, identical = pairs[keep], alike[keep], origin[keep] < 0
    order = np.lexsort((pairs[:, 1], pairs[:, 0]))
    return pairs[order], identical[order], alike[order]


def _within(group):
    return [(i, j) for k, j in enumerate(group[1:], 1) for i in group[: min(k, MAX_PARTNERS)]]


def _between(group, other):
    pairs = [(i, j) for i in group[:MAX_PARTNERS] for j in other[:MAX_PARTNERS]]
    return np.sort(np.array(pairs, np.int64), axis=1)


def _compare_all(clips, sample_rate, first, second, lags, n_jobs, verbose):
    """Return the highest similarity of each pair over its lags."""
    starts = range(0, len(first), CHUNK)

    def jobs() -> Iterator[Any]:
        for start in starts:
            chunk = slice(start, start + CHUNK)
            needed = np.unique(np.r_[first[chunk], second[chunk]])
            yield delayed(_compare_chunk)(
                [clips[i] for i in needed],
                sample_rate,
                np.searchsorted(needed, first[chunk]),
                np.searchsorted(needed, second[chunk]),
                lags[chunk],
            )

    results = Parallel(n_jobs=n_jobs, return_as="generator")(jobs())
    values = []
    for result in tqdm(results, "candidates", len(starts), disable=not verbose):
        values += result
    best: dict[tuple[int, int], float] = defaultdict(float)
    for i, j, value in zip(first.tolist(), second.tolist(), values):
        best[i, j] = max(best[i, j], value)
    return best


def _compare_chunk(clips, sample_rate, first, second, lags):
    signals = [matching_signal(waveform) for waveform in _load(clips, sample_rate)]
    return [similarity(signals[i], signals[j], int(lag)) for i, j, lag in zip(first, second, lags)]
