"""Compare pipelines on the same held-out speakers."""

from typing import Any, NoReturn

import numpy as np

from ._metric_names import common_label
from ._speaker_comparison import SpeakerComparison
from ._speaker_scores import SpeakerScores


def compare_by_speaker(
    *results: Any, metric: str | None = None, **named: SpeakerScores
) -> SpeakerComparison:
    """Compare pipelines speaker by speaker, with a paired test over speakers.

    Parameters
    ----------
    *results : SpeakerScores, or one dict or list of them
        Results of :func:`cross_validate_by_speaker` on the same folds. Results without a name
        are called "1", "2" and so on.
    metric : str or None, default=None
        The metric to compare; None means the first of each result.
    **named : SpeakerScores
        Results by name.

    Returns
    -------
    comparison : SpeakerComparison
        When printed, it shows the score of each speaker, the differences, and p-values with
        their limits.

    Raises
    ------
    ValueError
        If there are fewer than two results or speakers, or the results are not from the same
        clips, folds and metric.

    Notes
    -----
    Speakers that the metric has no value for (see :meth:`SpeakerScores.undefined`), in any of
    the results, are left out of means and tests of all of them.

    With up to 16 speakers the p-value is that of the exact sign-flip permutation test, with
    more that of the paired t-test. Clips are never treated as independent: in a test over
    thousands of clips of six speakers every difference would be significant.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_speech.model_selection import compare_by_speaker, cross_validate_by_speaker
    >>> X = np.array([[0.0], [1.0], [0.2], [0.9], [0.1], [0.8]])
    >>> y = ["no", "yes", "no", "yes", "no", "yes"]
    >>> speakers = ["ann", "ann", "bob", "bob", "cem", "cem"]
    >>> linear = cross_validate_by_speaker(LogisticRegression(), X, y, speakers)
    >>> chance = cross_validate_by_speaker(DummyClassifier(), X, y, speakers)
    >>> print(compare_by_speaker(linear=linear, chance=chance))
    speaker (accuracy)  linear  chance
    ----------------------------------
    ann                  1.000   0.500
    bob                  1.000   0.500
    cem                  1.000   0.500
    ----------------------------------
    mean                 1.000   0.500
    standard deviation   0.000   0.000
    linear - chance: +0.500 (+0.500 to +0.500), better on 3 and worse on 0 of 3 speakers, p = 0.250
    Tests are over 3 speakers (exact sign-flip permutation), not over clips, ...
    With 3 speakers no p-value can be below 0.25; a large p-value does ...
    """
    by_name: dict[str, Any] = {}
    for given in results:
        if isinstance(given, SpeakerScores):
            by_name[str(len(by_name) + 1)] = given
        elif isinstance(given, dict):
            by_name |= {str(name): result for name, result in given.items()}
        else:
            by_name |= {str(len(by_name) + i + 1): result for i, result in enumerate(given)}
    by_name |= named
    for name, result in by_name.items():
        if not isinstance(result, SpeakerScores):
            raise ValueError(
                f"result {name!r} is of type {type(result).__name__}: expected SpeakerScores, "
                "the result of cross_validate_by_speaker"
            )
    if len(by_name) < 2:
        raise ValueError(f"got {len(by_name)} result: a comparison needs at least two")
    (first_name, first), *others = by_name.items()
    for name, result in others:
        _check_same_folds(first_name, first, name, result)
    if len(first.speakers) < 2:
        raise ValueError("the results have one held-out speaker: a comparison needs at least two")
    label = common_label(result.labels[result._metric(metric)] for result in by_name.values())
    scores = np.column_stack([result.speaker_scores(metric) for result in by_name.values()])
    undefined = np.logical_or.reduce([result.undefined(metric) for result in by_name.values()])
    return SpeakerComparison(list(by_name), first.speakers, scores, label, undefined=undefined)


def _targets(result):
    """Targets as plain values; sequences as lists, whatever they were given as."""
    if result.y_true.dtype.kind == "f":
        values = result.y_true.astype(object)
        values[np.isnan(result.y_true)] = None  # unlabelled for a regressor; NaN equals nothing
        return values.tolist()
    return [
        np.asarray(target).tolist() if isinstance(target, (list, tuple, np.ndarray)) else target
        for target in result.y_true.tolist()
    ]


def _check_same_folds(first_name, first, name, other):
    def differ(what: str) -> NoReturn:
        raise ValueError(
            f"{first_name!r} and {name!r} are not comparable: {what}. Give both "
            "cross-validations the same clips in the same order and the same cv (with an "
            "int as random_state if it draws at random)"
        )

    if _targets(first) != _targets(other):
        differ("their targets differ")
    if first.speaker_of_clip.tolist() != other.speaker_of_clip.tolist():
        differ("their speakers differ")
    n_first, n_other = len(first["indices"]["test"]), len(other["indices"]["test"])
    if n_first != n_other:
        differ(f"they have {n_first} and {n_other} folds")
    for part in ("train", "test"):
        pairs = zip(first["indices"][part], other["indices"][part])
        for i, (ours, theirs) in enumerate(pairs):
            if not np.array_equal(np.sort(ours), np.sort(theirs)):
                differ(f"fold {i} has different {part} clips")
