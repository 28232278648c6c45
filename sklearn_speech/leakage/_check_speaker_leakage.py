"""Check whether training clips share recordings, speakers or texts with test clips."""

import math
import numbers
import os
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..audio._audio_segment import AudioSegment
from ..audio._given_paths import absolute_entries
from ..audio._reading import check_entries
from ..audio._recording import is_recording
from ..utils.parallel import check_run_options, refuse_multiprocessing
from ..utils.speakers import check_speakers
from ..utils.text import comparable_text
from ..utils.validation import check_waveforms
from ._copies import find_copies, fingerprint_all
from ._fingerprint import MIN_LENGTH
from ._leakage_report import KINDS, Leak, LeakageReport
from ._sides import list_sides, on_both_sides, separated_pairs

__all__ = ["LeakageReport", "check_speaker_leakage"]


def check_speaker_leakage(
    X: Any,
    y: Any,
    speakers: Any,
    cv: Any,
    *,
    sample_rate: float | None = None,
    texts: Any = None,
    threshold: float = 0.85,
    raise_on_leak: bool = False,
    n_jobs: int | None = None,
    verbose: int = 0,
) -> LeakageReport:
    """Look for leaks, which make scores better than they would be on new speakers.

    The check finds four kinds of leaks:

    - "speaker on both sides": a speaker has training and test clips in a split.
    - "copy under two speakers": two clips with different speaker names are copies of
      one recording. Reported for any split, because one of the names is wrong.
    - "copy on both sides": two clips of one speaker are copies of one recording,
      and a split puts one of them into training and the other into test.
    - "text on both sides": a sentence is spoken in training and in test, like
      TIMIT's sa1 and sa2, which all speakers read. Checked only if `texts` are given.

    Parameters
    ----------
    X : list or array of paths, ndarray of shape (n_clips, n_times), or 1-D object array \
            or list of 1-D arrays
        Sound files (or :class:`AudioSegment`), or waveforms. Zero padding at either end of a
        waveform does not matter.
    y : array-like of shape (n_clips,) or None
        Classes, used only by the splitter.
    speakers : array-like of shape (n_clips,)
        The speaker of each clip; no name may be missing.
    cv : int, splitter, iterable of (train, test) or None
        As in :func:`cross_validate_by_speaker`: None leaves one speaker out, an
        int k means ``GroupKFold(k)``. In scikit-learn's own functions, an int means
        ``StratifiedKFold``, which does not keep speakers apart; pass that splitter to check it.
        A splitter that shuffles needs a fixed ``random_state``; otherwise the checked splits
        differ from those used later.
    sample_rate : int or float or None, default=None
        Sample rate of the waveforms in Hz; required for waveforms, read from files.
    texts : array-like of shape (n_clips,) of str or None, default=None
        The words of each clip, in any script; None or "" if unknown. Case, punctuation and
        Unicode form are ignored in comparisons; vowel signs, tones and harakat are not. Do not
        give texts in tasks whose classes are the words.
    threshold : float, default=0.85
        Similarity in (0, 1] from which two clips count as copies; see Notes.
    raise_on_leak : bool, default=False
        Whether to raise an error if there is a leak, for continuous integration.
    n_jobs : int or None, default=None
        Number of processes, as in joblib.
    verbose : int, default=0
        Above 0 shows progress bars.

    Returns
    -------
    report : LeakageReport
        ``report.n_leaks`` is the number of leaks, ``report.to_frame()`` their table.

    Raises
    ------
    ValueError
        If there is a leak and `raise_on_leak` is set; the message is the report. Also if
        lengths differ, a speaker is missing, a file cannot be read, the splits do not fit these
        clips, or jobs would run on joblib's "multiprocessing" backend.

    See Also
    --------
    cross_validate_by_speaker : Scores on held-out speakers.

    Notes
    -----
    *Identical* clips have the same samples after conversion to 8 kHz. Other
    copies are found in two steps. The 64 ms around each peak of a clip are hashed, and two
    clips become candidates if two pairs of peaks match at the same shift; this takes about
    linear time (1.1, 1.3 and 1.3 ms per clip of 0.75 s for 2,500, 5,000 and 10,000 clips on one
    core). Candidates are then compared by the normalised cross-correlation of their waveforms
    from 150 to 2,600 Hz, whitened and levelled, over their overlap, which must be at least half
    of the shorter clip. Because it correlates waveforms, not spectra, the comparison can tell a
    copy from a second take of the same word.

    The default threshold separates copies from other pairs in the measurements of
    ``benchmarks/leakage.py`` on the Free Spoken Digit Dataset (3,000 clips at 8 kHz). The
    copies were cut by 10 to 30 %, made ten times softer, resampled (6, 11.025, 16 kHz), or
    encoded in mu-law, MP3 or Ogg Vorbis, 300 of each kind: 99 % have a similarity above 0.92,
    and at least 99.7 % of each kind are found. Candidates that are not copies reach at most
    0.70. Over all shifts, the 73,500 pairs of takes of one digit by one speaker reach at most
    0.82 (median 0.18). About half of the MP3 copies at the lowest bit rate are found.

    The check does not find copies cut to less than half, changed in speed or pitch, mixed with
    loud noise or reverberation, or resampled below 5.2 kHz. It does not find a speaker under
    two names without a shared recording, which would need speaker recognition. For clips
    shorter than 0.1 s, it finds only identical copies. Silent clips (one constant value) are
    not compared; the report lists them. All steady tones are similar, so test signals may count
    as copies. In groups of more than 65 identical clips, every clip is reported, but not every
    pair.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import LeaveOneGroupOut
    >>> from sklearn_speech.model_selection import check_speaker_leakage
    >>> clips = list(np.random.RandomState(0).randn(4, 4000))
    >>> clips.append(0.1 * clips[0][800:])  # cut at the start, softer, another name
    >>> speakers = ["ada", "ada", "ben", "ben", "cleo"]
    >>> report = check_speaker_leakage(
    ...     clips, None, speakers, LeaveOneGroupOut(), sample_rate=8000
    ... )
    >>> report.n_leaks
    1
    >>> leak = report.leaks[0]
    >>> leak.kind, leak.i, leak.j, leak.speaker_j
    ('copy under two speakers', 0, 4, 'cleo')
    """
    check_run_options("check_speaker_leakage", n_jobs=n_jobs, verbose=verbose)
    if not isinstance(threshold, numbers.Real) or not 0 < threshold <= 1:
        raise ValueError(f"threshold={threshold!r}: expected a number in (0, 1]")
    refuse_multiprocessing("check_speaker_leakage")
    clips, sample_rate = _check_clips(X, sample_rate)
    names, codes = check_speakers(speakers, len(clips))
    text_codes = _check_texts(texts, len(clips))
    sides = list_sides(cv, clips if sample_rate is None else X, y, names, codes)

    if sample_rate is None:
        clips = absolute_entries(clips)
    digests, fingerprints = fingerprint_all(clips, sample_rate, n_jobs, verbose)
    pairs, identical, alike = find_copies(
        clips, sample_rate, digests, fingerprints, codes, sides, threshold, n_jobs, verbose
    )
    leaks = [(KINDS[0], i, j, np.nan, False, folds) for i, j, folds in on_both_sides(codes, sides)]
    folds_of = separated_pairs(pairs, sides)
    for k, (i, j) in enumerate(pairs.tolist()):
        folds = folds_of.get(k, ())
        if codes[i] != codes[j]:
            leaks.append((KINDS[1], i, j, alike[k], bool(identical[k]), folds))
        elif folds:
            leaks.append((KINDS[2], i, j, alike[k], bool(identical[k]), folds))
    if texts is not None:
        leaks += [
            (KINDS[3], i, j, np.nan, False, folds)
            for i, j, folds in on_both_sides(text_codes, sides)
        ]
    leaks.sort(key=lambda leak: KINDS.index(leak[0]))
    paths = [str(clip) for clip in clips] if sample_rate is None else [None] * len(clips)
    who = names.tolist()
    report = LeakageReport(
        [
            Leak(kind, i, j, paths[i], paths[j], who[codes[i]], who[codes[j]], float(s), same, f)
            for kind, i, j, s, same, f in leaks
        ],
        n_clips=len(clips),
        n_speakers=len(names),
        n_folds=len(sides),
        threshold=float(threshold),
        silent=[i for i, (length, _) in enumerate(digests) if not length],
        short=[i for i, (length, _) in enumerate(digests) if 0 < length < MIN_LENGTH],
        texts_checked=texts is not None,
    )
    if raise_on_leak and report.n_leaks:
        raise ValueError(str(report))
    return report


def _check_clips(X, sample_rate):
    """Return entries and None if X holds files, otherwise waveforms and their sample rate."""
    if isinstance(X, (list, tuple, np.ndarray)) and len(X) and is_recording(X[0]):
        return check_entries(X), None
    first = X
    while isinstance(first, (list, tuple, np.ndarray)) and len(first):
        first = first[0]
    if hasattr(first, "iloc") and len(first):
        first = first.to_numpy().ravel()[0]
    if isinstance(first, (str, os.PathLike, AudioSegment)):
        return check_entries(X), None
    if sample_rate is None:
        raise ValueError("sample_rate=None: expected the sample rate of the waveforms in Hz")
    if not isinstance(sample_rate, numbers.Real) or not 0 < float(sample_rate) < math.inf:
        raise ValueError(f"sample_rate={sample_rate!r}: expected a sample rate in Hz")
    return check_waveforms(BaseEstimator(), X, reset=True), sample_rate


def _check_texts(texts, n_clips):
    """Return one number per text, -1 if unknown."""
    if texts is None:
        return None
    texts = list(texts)
    if len(texts) != n_clips:
        raise ValueError(f"texts has {len(texts)} entries, but X has {n_clips} clips")
    numbers_of, codes = {"": -1}, []
    for i, text in enumerate(texts):
        if text is not None and not isinstance(text, str):
            raise ValueError(f"texts[{i}] is {text!r:.80}: expected a str, or None if unknown")
        words = comparable_text(text or "")
        codes.append(numbers_of.setdefault(words, len(numbers_of) - 1))
    return np.array(codes)
