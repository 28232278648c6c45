"""Scores and events of whole recordings, one after the other."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..metrics import EventTable
from ._detection_stream import DetectionStream, without_invalid
from ._reading import read_each
from ._settings import Plan, Rule
from ._window_scorer import WindowScorer


def score_each(recordings: Any, plan: Plan, verbose: int) -> list[npt.NDArray[Any]]:
    """Class probabilities of the windows of each recording.

    Parameters
    ----------
    recordings : list or array of paths or AudioSegment, or of 1-D arrays
        As the user gave them.
    plan : Plan
        How they are scored.
    verbose : int
        Whether a progress bar is shown.

    Returns
    -------
    scores : list of ndarray of shape (n_windows, n_classes)
        NaN for windows that see an invalid sample.
    """
    scores = []
    for _, blocks in read_each(recordings, plan, verbose):
        scorer = WindowScorer(plan.steps, plan.n_window, plan.n_step)
        found, invalid = [], []
        for block in blocks:
            found.append(scorer.push(block.samples))
            invalid.append(block.invalid)
        found.append(scorer.finish())
        starts = plan.starts(0, scorer.n_windows)
        bad = np.concatenate(invalid)
        scores.append(without_invalid(np.concatenate(found), starts, bad, plan.n_window))
    return scores


def find_in_each(recordings: Any, plan: Plan, rule: Rule, verbose: int) -> EventTable:
    """Events of all recordings.

    Parameters
    ----------
    recordings : list or array of paths or AudioSegment, or of 1-D arrays
        As the user gave them.
    plan : Plan
        How they are scored.
    rule : Rule
        How scores become events.
    verbose : int
        Whether a progress bar is shown.

    Returns
    -------
    events : EventTable
    """
    rows: list[Any] = []
    for recording, blocks in read_each(recordings, plan, verbose):
        stream = DetectionStream(plan, rule, recording.name)
        for block in blocks:
            rows += stream.take(block.samples, block.invalid)
        rows += stream.finish()
    return EventTable(rows)
