"""Scores by speaker as a table, and notes about them."""

from typing import Any

import numpy as np

from ..utils.tables import score_cell
from ._statistics import MIN_BOOTSTRAP, deviation_of, mean_of

Rows = tuple[list[str], list[list[str]], list[list[str]]]


def rows_of(scores: Any) -> Rows:
    """Header, one row per speaker, and mean and deviation, as text cells.

    Parameters
    ----------
    scores : SpeakerScores
    """
    columns = [scores.speaker_scores(name) for name in scores.metrics]
    none = [scores.undefined(name) for name in scores.metrics]
    header = ["speaker", "clips", *(scores.labels[name] for name in scores.metrics)]
    body = [
        [
            str(speaker),
            str(n),
            *(score_cell(column[i], no[i]) for column, no in zip(columns, none)),
        ]
        for i, (speaker, n) in enumerate(zip(scores.speakers, scores.n_clips))
    ]
    counted = [scores._counted(name) for name in scores.metrics]
    foot = [["mean", str(scores.n_clips.sum()), *(f"{mean_of(values):.3f}" for values in counted)]]
    if len(scores.speakers) > 1:
        foot.append(
            ["standard deviation", "", *(f"{deviation_of(values):.3f}" for values in counted)]
        )
    return header, body, foot


def notes_of(scores: Any) -> list[str]:
    """Intervals of the means, undefined scores, and speakers whose folds failed.

    Parameters
    ----------
    scores : SpeakerScores
    """
    notes = []
    for name in scores.metrics:
        n = len(scores._counted(name))
        if n > 1:
            method = "Student's t" if n < MIN_BOOTSTRAP else "bootstrap"
            low, high = scores.confidence_interval(metric=name)
            if np.isfinite(low):
                which = f" of {scores.labels[name]}" if len(scores.metrics) > 1 else ""
                notes.append(
                    f"95 % interval of the mean{which}, over {n} speakers: "
                    f"{low:.3f} to {high:.3f} ({method})"
                )
        if n < len(scores.speakers):
            notes.append(_note_of_undefined(scores, name))
    if scores.failures:
        who = sorted({str(name) for i in scores.failures for name in scores.fold_speakers[i]})
        notes.append(f"failed while held out, so there is no mean: {', '.join(who)}")
    return notes


def _note_of_undefined(scores: Any, name: str) -> str:
    undefined = scores.speakers[scores.undefined(name)]
    label = scores.labels[name]
    note = (
        f"{label} is undefined for {len(undefined)} of {len(scores.speakers)} speakers (the "
        f"targets of each are too much alike), which mean and interval leave out"
    )
    pooled = scores.pooled_scores.get(name, np.nan)
    return f"{note}; of all clips together it is {pooled:.3f}" if np.isfinite(pooled) else note
