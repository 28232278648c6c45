"""Training a classifier of clips for windows of recordings."""

import inspect
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import column_or_1d

from ..metrics._event_table import check_events
from ..store._split_clipwise import split_clipwise
from ..utils.parts import final_step
from ._recordings import is_file, waveforms_of
from ._training_windows import WindowMaker, free_ranges
from ._window_scorer import split_steps
from ._word_edges import WordEdges

#: Windows whose features are computed at a time.
_BATCH = 512

#: Windows beside the middle of a word, and windows of background, for each window with a word in
#: its middle. Words are confused with each other far more often than found in background, so most
#: windows hold a word.
_BESIDE, _EXCERPTS = 0.6, 0.3


def fit_in_background(
    estimator: Any,
    X: Any,
    y: Any,
    groups: Any,
    background: Any,
    background_events: Any,
    *,
    others: list[Any],
    n_shifts: int,
    n_window: int,
    sample_rate: float,
    tolerance: float,
    random_state: Any,
) -> tuple[Any, dict[Any, WordEdges]]:
    """Fit a classifier on clips that are laid into background.

    Parameters
    ----------
    estimator : estimator instance
        Not fitted; it is changed.
    X, y, groups, background, background_events
        As of ``SlidingWindow.fit``.
    others : list of labels
        Those that are no words; the first is given to background.
    n_shifts : int
        How often each clip is laid.
    n_window : int
        Samples of a window.
    sample_rate : float
        In Hz.
    tolerance : float
        How far from the middle of a window a word may be, in seconds.
    random_state : int, RandomState instance or None

    Returns
    -------
    estimator : estimator instance
        Fitted.
    edges : dict of label to WordEdges
        Usual duration and soft parts of each word.
    """
    steps = split_steps(estimator)
    reader = steps[0]
    y = column_or_1d(np.asarray(y))
    clips = waveforms_of(X, reader, sample_rate, "X")
    no_word = _label_of_background(y, others)
    for name, values in (("y", y), ("groups", groups)):
        if values is not None and len(values) != len(clips):
            raise ValueError(f"{name} has {len(values)} entries for {len(clips)} clips")
    recordings = waveforms_of(background, reader, sample_rate, "background")
    for i, samples in enumerate(recordings):
        if len(samples) < n_window:
            raise ValueError(
                f"background[{i}] has {len(samples) / sample_rate:.3f} s, less than one window of "
                f"{n_window / sample_rate:.3f} s"
            )
    blocked = _blocked(background, background_events, sample_rate)
    if not free_ranges(recordings, blocked, n_window)[0]:
        raise ValueError(
            f"background_events leave no window of {n_window / sample_rate:.3f} s of background"
        )
    maker = WindowMaker(
        clips,
        groups,
        recordings,
        blocked,
        n_window,
        sample_rate,
        tolerance,
        check_random_state(random_state),
    )
    is_other = np.array([label in others for label in y.tolist()])
    edges = {word: maker.edges(y == word) for word in np.unique(y[~is_other]).tolist()}
    y = np.where(is_other, no_word, y)
    return _fit_on_windows(estimator, maker, y, no_word, groups, n_shifts), edges


def _label_of_background(y: npt.NDArray[Any], others: list[Any]) -> Any:
    if not others:
        raise ValueError("other is empty: expected the label of background")
    if (y.dtype.kind in "biuf") is isinstance(others[0], str):
        kind = "numbers" if y.dtype.kind in "biuf" else "strings"
        raise ValueError(
            f"y holds {kind}, but other begins with {others[0]!r}: expected a label of the same "
            "kind for windows of background, such as other=-1 among numbers"
        )
    return others[0]


def events_of_background(background: Any, events: Any) -> list[list[tuple[Any, ...]]]:
    """Words within each recording of the background.

    Parameters
    ----------
    background : list of recordings
    events : EventTable, DataFrame, iterable of tuples or None

    Returns
    -------
    events : list of list of (word, start, end)

    Raises
    ------
    ValueError
        When an event is in no recording of the background.
    """
    names = [str(entry) if is_file(entry) else i for i, entry in enumerate(background)]
    found: list[list[tuple[Any, ...]]] = [[] for _ in names]
    for name, word, start, end, _ in check_events(
        [] if events is None else events, "background_events"
    ):
        if name not in names:
            raise ValueError(
                f"background_events has an event in {name!r}, which is no recording of background"
            )
        found[names.index(name)].append((word, start, end))
    return found


def _blocked(background: Any, events: Any, sample_rate: float) -> list[list[tuple[int, int]]]:
    """Parts of each background recording that hold words, in samples."""
    return [
        [(int(start * sample_rate), int(np.ceil(end * sample_rate))) for _, start, end in words]
        for words in events_of_background(background, events)
    ]


def _fit_on_windows(
    estimator: Any,
    maker: WindowMaker,
    y: npt.NDArray[Any],
    no_word: Any,
    groups: Any,
    n_shifts: int,
) -> Any:
    """Fit on features that are computed in batches, so that no waveforms pile up."""
    reader, steps = split_steps(estimator)
    body = Pipeline(steps) if len(steps) > 1 else steps[0][1]
    first, rest = split_clipwise(body)
    features: list[npt.NDArray[Any]] = []
    windows: list[npt.NDArray[np.float32]] = []
    labels: list[Any] = []
    owners: list[int] = []

    def flush() -> None:
        batch = np.stack(windows)
        windows.clear()
        if first is not None:
            batch = first.transform(batch) if features else first.fit_transform(batch)
        features.append(batch)

    # in another order each time: else it would be the same clips that get no window beside them
    order = np.concatenate([maker.rng.permutation(len(y)) for _ in range(n_shifts)])
    for k, i in enumerate(order.tolist()):
        made = [(maker.word(i), y[i])]
        if _is_due(k, _BESIDE):
            made.append((maker.beside(i), no_word))
        if _is_due(k, _EXCERPTS):
            made.append((maker.excerpt(), no_word))
        for window, label in made:
            windows.append(window)
            labels.append(label)
            owners.append(i)
        if len(windows) >= _BATCH:
            flush()
    if windows:
        flush()
    of_windows = None if groups is None else np.asarray(groups)[owners]
    rest.fit(np.concatenate(features), np.array(labels), **groups_for(rest, of_windows))
    fitted = [] if reader is None else [estimator.steps[0]]
    if first is not None:
        fitted += first.steps
    if not fitted:
        return rest
    name = steps[-1][0]
    return Pipeline([*fitted, *(rest.steps if isinstance(rest, Pipeline) else [(name, rest)])])


def _is_due(k: int, rate: float) -> bool:
    """Whether number `k`, counted from 0, is one of those that `rate` chooses evenly.

    Examples
    --------
    >>> [k for k in range(10) if _is_due(k, 0.3)]
    [0, 3, 6]
    """
    return math.ceil((k + 1) * rate) > math.ceil(k * rate)


def groups_for(estimator: Any, groups: Iterable[Any] | None) -> dict[str, Any]:
    """Groups as an argument of ``fit``, where the classifier takes them.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_speech import SpectrogramCNNClassifier
    >>> groups_for(make_pipeline(SpectrogramCNNClassifier()), ["ann", "bob"])
    {'spectrogramcnnclassifier__groups': ['ann', 'bob']}
    >>> groups_for(LogisticRegression(), ["ann", "bob"])
    {}
    """
    if groups is None:
        return {}
    if sklearn.get_config()["enable_metadata_routing"]:
        takes = get_routing_for_object(estimator).consumes("fit", ["groups"])
        return {"groups": groups} if takes else {}
    if "groups" not in inspect.signature(final_step(estimator).fit).parameters:
        return {}
    prefix = f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""
    return {f"{prefix}groups": groups}
