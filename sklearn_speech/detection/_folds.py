"""What each fold of the cross-validation of a detector is trained on and judged by."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold

from ..metrics import EventTable
from ._recordings import Recording, is_file


class Fold(NamedTuple):
    """Positions of what one fold uses."""

    held_out: list[Any]  # speakers
    train: npt.NDArray[np.intp]  # clips
    background: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]  # recordings


def fold_of_each_speaker(
    cv: int | None, names: npt.NDArray[Any], of_recording: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """The fold that holds out each speaker.

    Parameters
    ----------
    cv : int or None
        Number of folds; None holds out one speaker after the other.
    names : ndarray of shape (n_speakers,)
    of_recording : ndarray of shape (n_recordings,)
        Position of the speaker of each recording.

    Returns
    -------
    folds : ndarray of shape (n_speakers,)
    """
    if cv is None:
        return np.arange(len(names))
    if not isinstance(cv, int) or isinstance(cv, bool) or not 2 <= cv <= len(names):
        raise ValueError(
            f"cv={cv!r}: expected None, or a number of folds from 2 to {len(names)}, the number "
            "of speakers"
        )
    folds = np.zeros(len(names), dtype=np.intp)
    for fold, (_, test) in enumerate(GroupKFold(cv).split(of_recording, groups=of_recording)):
        folds[of_recording[test]] = fold
    return folds


def make_folds(
    fold_of_speaker: npt.NDArray[np.intp],
    names: npt.NDArray[Any],
    of_recording: npt.NDArray[np.intp],
    of_clip: npt.NDArray[Any],
    of_background: npt.NDArray[Any] | None,
    n_background: int,
) -> list[Fold]:
    """What each fold uses, before the first one is computed.

    Parameters
    ----------
    fold_of_speaker, names : ndarray of shape (n_speakers,)
    of_recording : ndarray of shape (n_recordings,)
        Positions of speakers.
    of_clip : ndarray of shape (n_clips,)
        Names of speakers.
    of_background : ndarray of shape (n_background,) or None
        Names of speakers; None keeps all of the background.
    n_background : int

    Returns
    -------
    folds : list of Fold

    Raises
    ------
    ValueError
        When a fold has nothing to train on.
    """
    folds = []
    for k in range(fold_of_speaker.max() + 1):
        held_out = names[fold_of_speaker == k]
        train = np.flatnonzero(~np.isin(of_clip, held_out))
        if len(train) == 0:
            raise ValueError(f"without {held_out.tolist()} there is no clip to train on")
        background = np.arange(n_background)
        if of_background is not None:
            background = np.flatnonzero(~np.isin(of_background, held_out))
            if len(background) == 0:
                raise ValueError(f"without {held_out.tolist()} no background is left")
        test = np.flatnonzero(fold_of_speaker[of_recording] == k)
        folds.append(Fold(held_out.tolist(), train, background, test))
    return folds


def check_words(
    folds: list[Fold], y: npt.NDArray[Any], true: EventTable, labels: list[Any], others: list[Any]
) -> None:
    """Refuse events that no fold can find, and warn of those that one fold cannot.

    Parameters
    ----------
    folds : list of Fold
    y : ndarray of shape (n_clips,)
    true : EventTable
    labels : list of length n_recordings
        What events call each recording.
    others : list of labels
        Those that are no words.

    Raises
    ------
    ValueError
        When an event has a word without clips, or a fold has no event to choose a threshold by.
    """
    known = set(y.tolist()) - set(others)
    if unknown := {word for word in true.word.tolist() if word not in known}:
        raise ValueError(
            f"events has the word {min(unknown, key=str)!r}, of which y has no clip: it could not "
            f"be found (words: {', '.join(sorted(map(repr, known))[:10])}); leave such events out"
        )
    recording_of = np.array([labels.index(name) for name in true.recording.tolist()])
    for fold in folds:
        is_own = np.isin(recording_of, fold.test)
        if is_own.all():
            raise ValueError(
                f"without {fold.held_out} there is no event to choose a threshold by: expected "
                "events in the recordings of at least two folds"
            )
        left = set(y[fold.train].tolist())
        if lost := sorted({str(w) for w in true.word[is_own].tolist() if w not in left}):
            warnings.warn(
                f"without {fold.held_out} there is no clip of {', '.join(lost)} to train on: "
                "these events count as misses",
                UserWarning,
                stacklevel=3,
            )


def check_lengths(recordings: list[Recording], n_window: int, rate: float, on_invalid: str) -> None:
    """Refuse recordings that could not be judged, before a detector is trained.

    Raises
    ------
    ValueError
        When one is shorter than a window, or holds NaN or infinity while ``on_invalid="raise"``.
    """
    for i, recording in enumerate(recordings):
        if recording.duration * rate < n_window - 0.5:
            raise ValueError(
                f"recordings[{i}] has {recording.duration:.3f} s, less than one window of "
                f"{n_window / rate:.3f} s"
            )
        in_memory = not is_file(recording.content)
        is_valid = len(recording.invalid) == 0
        if in_memory and is_valid:
            is_valid = bool(np.isfinite(recording.content).all())
        if not is_valid and on_invalid == "raise":
            raise ValueError(
                f"recordings[{i}] holds NaN or infinity; on_invalid='nan' of the detector scores "
                "the windows around them as NaN"
            )


def renumbered(
    events: list[list[tuple[Any, ...]]] | None, kept: npt.NDArray[np.intp]
) -> list[tuple[Any, ...]] | None:
    """Events of some recordings, by their new positions.

    Examples
    --------
    >>> renumbered([[("a", 0.0, 1.0)], [("b", 2.0, 3.0)]], np.array([1]))
    [(0, 'b', 2.0, 3.0)]
    """
    if events is None:
        return None
    return [(new, *event) for new, old in enumerate(kept.tolist()) for event in events[old]]
