"""Cross-validation of a detector: clips to train on, recordings to judge by, speakers apart."""

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils import Bunch, check_consistent_length
from tqdm.auto import tqdm

from ..metrics import EventTable, detection_curve, match_events, miss_rate_at
from ..metrics._event_table import check_events
from ..utils.parallel import check_run_options
from ..utils.sklearn_private import safe_indexing
from ..utils.speakers import check_speakers
from ..utils.tables import html_table, text_table
from ._fitting import events_of_background
from ._folds import check_lengths, check_words, fold_of_each_speaker, make_folds, renumbered
from ._recordings import check_recordings
from ._settings import rate_of, window_of
from ._sliding_window import SlidingWindow
from ._window_scorer import split_steps


class DetectionScores(Bunch):
    """Misses and false alarms on held-out speakers.

    Made by :func:`cross_validate_detection_by_speaker`.

    Parameters
    ----------
    **kwargs : dict
        The attributes.

    Attributes
    ----------
    speakers : ndarray of shape (n_speakers,)
        Speakers of the recordings, sorted.
    n_true : ndarray of int of shape (n_speakers,)
        Events that each speaker said.
    miss_rate : ndarray of shape (n_speakers,)
        Share of them that was not found; NaN for a speaker without events.
    false_alarms_per_hour : ndarray of shape (n_speakers,)
        In the recordings of each speaker.
    thresholds : ndarray of shape (n_speakers,)
        With which each speaker was judged, chosen on the others.
    threshold : float
        Chosen on all speakers: the one to use on new ones.
    detected : EventTable
        Events that reach the threshold of their fold.
    candidates : EventTable
        All events down to `min_score`, each found by a detector that has not heard the speaker.
    match : Bunch
        Which of `detected` are right; see :func:`sklearn_speech.metrics.match_events`.
    curve : Bunch
        Over all thresholds; see :func:`sklearn_speech.metrics.detection_curve`.
    estimators : list of SlidingWindow
        The fitted detector of each fold.
    fold_of_speaker : ndarray of int of shape (n_speakers,)
        Fold that held each speaker out.
    """

    def __repr__(self) -> str:
        return text_table(*self._rows())

    def _repr_html_(self) -> str:
        return html_table(*self._rows())

    def _rows(self) -> tuple[list[str], list[list[str]], list[list[str]]]:
        """Header, a row for each speaker, and a row for all of them."""
        header = ["speaker", "events", "misses", "false alarms/h", "threshold"]
        body = [
            [str(name), str(n), f"{miss:.3f}", f"{alarms:.2f}", f"{threshold:.3f}"]
            for name, n, miss, alarms, threshold in zip(
                self.speakers,
                self.n_true,
                self.miss_rate,
                self.false_alarms_per_hour,
                self.thresholds,
            )
        ]
        n_alarms = int((~self.match.is_hit).sum())
        missed = f"{1 - self.match.is_found.mean():.3f}"
        foot = ["all", str(self.n_true.sum()), missed, f"{n_alarms / self.curve.hours:.2f}", ""]
        return header, body, [foot]


def cross_validate_detection_by_speaker(
    detector: SlidingWindow,
    X: Any,
    y: Any,
    speakers: Any,
    recordings: Any,
    events: Any,
    recording_speakers: Any,
    *,
    background: Any = None,
    background_speakers: Any = None,
    background_events: Any = None,
    cv: int | None = None,
    false_alarms_per_hour: float = 1.0,
    min_score: float = 0.02,
    collar: float = 0.2,
    at: str = "start",
    verbose: int = 0,
) -> DetectionScores:
    """Judge a detector on recordings of speakers that it has never heard.

    The detector is trained on clips of words, and scored on recordings with known events. In
    each fold, the clips and the recordings of some speakers are held out.

    The threshold with which a speaker is scored is chosen on the recordings of the other folds.
    The events in those recordings were found by detectors that had not been trained on their
    speakers, just as on a new speaker. So neither the detector nor the threshold depends on the
    speaker who is scored.

    Parameters
    ----------
    detector : SlidingWindow
        Cloned for each fold.
    X : array-like of shape (n_clips,) or (n_clips, n_times)
        Clips of one word each to train on; see :meth:`SlidingWindow.fit`.
    y : array-like of shape (n_clips,)
        What is said in each clip.
    speakers : array-like of shape (n_clips,)
        Who says it.
    recordings : list of recordings
        Files or waveforms to judge by.
    events : EventTable, DataFrame or iterable of tuples
        What is said in the recordings and when, by their paths or positions.
    recording_speakers : array-like of shape (n_recordings,)
        Who speaks in each recording.
    background : list of recordings, default=None
        See :meth:`SlidingWindow.fit`.
    background_speakers : array-like of shape (n_background,), default=None
        Who speaks in them: a speaker held out is left out of the background too.
    background_events : EventTable, DataFrame or iterable of tuples, default=None
        Words within the background; see :meth:`SlidingWindow.fit`.
    cv : int or None, default=None
        Number of folds by speaker; None holds out one speaker after the other.
    false_alarms_per_hour : float, default=1.0
        Rate for which thresholds are chosen.
    min_score : float, default=0.02
        Events with lower scores are not looked at.
    collar : float, default=0.2
        See :func:`sklearn_speech.metrics.match_events`, in seconds.
    at : {"start", "center", "both"}, default="start"
        See :func:`sklearn_speech.metrics.match_events`.
    verbose : int, default=0
        1 shows a progress bar over folds.

    Returns
    -------
    scores : DetectionScores
        By speaker, with the thresholds and all events.

    Raises
    ------
    TypeError, ValueError
        When the sets do not fit together, there is one speaker only, an event has a word
        without clips, or a fold has no clip to train on. Everything is checked before the first
        detector is trained.

    Warns
    -----
    UserWarning
        When only the speakers of one fold say a word.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_speech import MelSpectrogram, PadOrTrim, SlidingWindow, TemporalPooling
    >>> from sklearn_speech.detection import cross_validate_detection_by_speaker
    >>> tone = np.sin(0.5 * np.arange(800)).astype(np.float32)
    >>> hiss = 0.01 * np.random.default_rng(0).normal(size=8000).astype(np.float32)
    >>> recording = hiss.copy()
    >>> recording[4000:4800] += tone
    >>> pipeline = make_pipeline(
    ...     PadOrTrim(n_times=800),
    ...     MelSpectrogram(8000),
    ...     TemporalPooling(n_segments=5),
    ...     StandardScaler(),
    ...     LogisticRegression(),
    ... )
    >>> detector = SlidingWindow(
    ...     pipeline, step=0.02, smoothing=0.04, n_shifts=10, random_state=0
    ... )
    >>> cross_validate_detection_by_speaker(
    ...     detector,
    ...     [tone, tone],
    ...     ["tone", "tone"],
    ...     ["ann", "bob"],
    ...     [recording, recording],
    ...     [(0, "tone", 0.5, 0.6), (1, "tone", 0.5, 0.6)],
    ...     ["ann", "bob"],
    ...     background=[hiss],
    ... ).miss_rate
    array([0., 0.])
    """
    check_run_options("cross_validate_detection_by_speaker", verbose=verbose)
    if not isinstance(detector, SlidingWindow):
        raise TypeError(f"detector is a {type(detector).__name__}: expected a SlidingWindow")
    rate = rate_of(detector.estimator, detector.sample_rate)
    checked = check_recordings(recordings, split_steps(detector.estimator)[0], rate)
    labels = [recording.name for recording in checked]
    durations = {recording.name: recording.duration for recording in checked}
    if len(durations) < len(labels):
        raise ValueError("recordings holds one file twice: expected each recording once")
    true = check_events(events)
    _check_options(true, false_alarms_per_hour, min_score, collar, at)
    if unknown := set(true.recording.tolist()) - durations.keys():
        raise ValueError(f"events has an event in {min(unknown, key=str)!r}, which is no recording")
    names, of_recording = check_speakers(recording_speakers, len(checked), "recording_speakers")
    if len(names) < 2:
        raise ValueError("recording_speakers holds one speaker only: expected at least two")
    y = np.asarray(y)
    check_consistent_length(X, y)
    of_clip = names_of(speakers, len(y), "speakers")
    fold_of_speaker = fold_of_each_speaker(cv, names, of_recording)
    of_background = blocked = None
    if background is None and (background_speakers is not None or background_events is not None):
        raise ValueError("background_speakers or background_events were given without background")
    if background_speakers is not None:
        of_background = names_of(background_speakers, len(background), "background_speakers")
    if background_events is not None:
        blocked = events_of_background(background, background_events)
    n_background = 0 if background is None else len(background)
    folds = make_folds(fold_of_speaker, names, of_recording, of_clip, of_background, n_background)
    check_words(folds, y, true, labels, detector._others())
    if detector.duration is not None or background is not None:
        n_window = window_of(split_steps(detector.estimator)[1], detector.duration, rate)
        check_lengths(checked, n_window, rate, detector.on_invalid)

    rows: list[Any] = []
    estimators = []
    for fold in tqdm(folds, desc="held-out speakers", disable=not verbose):
        fitted = clone(detector).fit(
            safe_indexing(X, fold.train),
            y[fold.train],
            groups=of_clip[fold.train],
            background=None if background is None else [background[i] for i in fold.background],
            background_events=renumbered(blocked, fold.background),
        )
        found = fitted.detect([recordings[i] for i in fold.test], threshold=min_score)
        by_name = {labels[i]: labels[i] for i in fold.test} | {
            k: labels[i] for k, i in enumerate(fold.test) if not isinstance(labels[i], str)
        }
        rows += [(by_name[name], *rest) for name, *rest in found]
        estimators.append(fitted)

    candidates = EventTable(rows)
    fold_of = dict(zip(labels, fold_of_speaker[of_recording].tolist()))
    thresholds = np.array(
        [
            _threshold(true, candidates, durations, lambda name, f=fold: fold_of[name] != f,
                       false_alarms_per_hour, min_score, collar, at)
            for fold in range(len(estimators))
        ]
    )  # fmt: skip
    detected = EventTable(row for row in candidates if row[4] >= thresholds[fold_of[row[0]]])
    match = match_events(true, detected, collar=collar, at=at)  # type: ignore[arg-type]
    speaker_of = dict(zip(labels, names[of_recording].tolist()))
    by_speaker = [_by_speaker(name, match, speaker_of, durations) for name in names.tolist()]
    n_true, miss_rate, alarms = (np.array(column) for column in zip(*by_speaker))
    return DetectionScores(
        speakers=names,
        n_true=n_true,
        miss_rate=miss_rate,
        false_alarms_per_hour=alarms,
        thresholds=thresholds[fold_of_speaker],
        threshold=_threshold(
            true, candidates, durations, lambda _: True, false_alarms_per_hour, min_score, collar,
            at,
        ),
        detected=detected,
        candidates=candidates,
        match=match,
        curve=detection_curve(
            true, candidates, durations, speakers=speaker_of, collar=collar, at=at  # type: ignore[arg-type]
        ),
        estimators=estimators,
        fold_of_speaker=fold_of_speaker,
    )  # fmt: skip


def names_of(speakers: Any, n: int, name: str) -> npt.NDArray[Any]:
    """Checked names of speakers, one an entry."""
    names, codes = check_speakers(speakers, n, name)
    return names[codes]


def _check_options(true: EventTable, rate: Any, min_score: Any, collar: Any, at: Any) -> None:
    """Refuse before anything is computed what metrics would refuse afterwards."""
    if len(true) == 0:
        raise ValueError("events is empty: expected at least one event")
    match_events(true, [], collar=collar, at=at)
    for name, value in (("false_alarms_per_hour", rate), ("min_score", min_score)):
        is_number = isinstance(value, Real) and not isinstance(value, bool)
        if not is_number or not 0 <= float(value) < float("inf"):
            raise ValueError(f"{name}={value!r}: expected a number of at least 0")


def _threshold(
    true: EventTable,
    candidates: EventTable,
    durations: dict[Any, float],
    is_used: Any,
    rate: float,
    min_score: float,
    collar: float,
    at: Any,
) -> float:
    """Threshold for a rate of false alarms on some of the recordings."""
    used = {name: seconds for name, seconds in durations.items() if is_used(name)}
    own, found = (EventTable(r for r in rows if r[0] in used) for rows in (true, candidates))
    curve = detection_curve(own, found, used, collar=collar, at=at)
    return float(miss_rate_at(curve, rate, floor=min_score)[1])


def _by_speaker(
    name: Any, match: Bunch, speaker_of: dict[Any, Any], durations: dict[Any, float]
) -> tuple[int, float, float]:
    """Number of true events, miss rate and false alarms an hour of one speaker."""
    said, answered = (
        np.array([speaker_of[r] == name for r in events.recording.tolist()], dtype=bool)
        for events in (match.true, match.predicted)
    )
    hours = sum(durations[r] for r, speaker in speaker_of.items() if speaker == name) / 3600
    n_true = int(said.sum())
    misses = 1 - float(match.is_found[said].mean()) if n_true else float("nan")
    return n_true, misses, float((~match.is_hit[answered]).sum() / hours)
