"""Scores on held-out speakers by the number of training speakers."""

from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import GroupKFold

from ..utils.parallel import check_run_options
from ._collect import a_whole_fold, collect, shorten_names, speakers_of
from ._folds import check_splits
from ._routing import route_metadata
from ._run_splits import check_input, run_splits
from ._scoring import check_scorers
from ._speaker_learning_curve import SpeakerLearningCurve
from ._training_parts import check_count, check_n_speakers, draw_speakers
from ._unlabelled import with_labels

#: With more speakers than this, ``cv=None`` does not hold out each of them on their own.
MAX_LEFT_OUT = 10


def learning_curve_by_speaker(
    estimator: Any,
    X: Any,
    y: Any,
    speakers: Any,
    *,
    n_speakers: Any = None,
    clips_per_speaker: int | None = None,
    n_draws: int = 5,
    cv: Any = None,
    scoring: Any = None,
    params: dict[str, Any] | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    error_score: float | str = "raise",
    memory: Any = None,
    random_state: Any = None,
) -> SpeakerLearningCurve:
    """Score an estimator on new speakers after training on 1, 2, 4, ... speakers.

    The curve shows how much further speakers help, up to the number of speakers that there are.
    It is like :func:`sklearn.model_selection.learning_curve`, but counts speakers instead of
    clips, because further clips of a known speaker help less than a new speaker does. See
    :ref:`how-many-speakers` for how to read it.

    Parameters
    ----------
    estimator : estimator instance
        Cloned for each fit.
    X : array-like of shape (n_clips, ...)
        Input of the estimator: paths, waveforms, spectrograms or a DataFrame.
    y : array-like of shape (n_clips,) or (n_clips, n_targets)
        Classes as strings or integers, an indicator matrix, numbers to predict, or other
        targets, such as lists of phones.
    speakers : array-like of shape (n_clips,)
        The speaker of each clip; also passed as `groups` to steps that split again, as in
        :func:`cross_validate_by_speaker`.
    n_speakers : array-like of int or None, default=None
        Numbers of training speakers. None takes 1, 2, 4 and so on, and in the end all speakers
        that every split has for training.
    clips_per_speaker : int or None, default=None
        Number of training clips of each speaker, drawn at random. For a classifier, they are
        spread over as many classes as possible. Of a speaker with fewer clips, all are taken.
        None takes all clips.
    n_draws : int, default=5
        Number of draws of training speakers for each split and number of speakers.
    cv : int, splitter, iterable or None, default=None
        Splits off the speakers to score on, as in :func:`cross_validate_by_speaker`. None holds
        out one speaker at a time if there are at most 10 speakers, and otherwise means
        ``GroupKFold(5)``.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in scikit-learn; None uses the estimator's own ``score``.
    params : dict or None, default=None
        Further arguments of ``fit`` (and of scorers, with metadata routing on), such as sample
        weights; arguments with one entry per clip are split like X.
    n_jobs : int or None, default=None
        Number of fits that run in parallel. They share torch's threads.
    verbose : int, default=0
        1 shows a progress bar over fits.
    error_score : "raise" or float, default="raise"
        "raise" stops at the first fit that fails. A number, such as NaN, becomes the score of
        such a fit, with a warning. Fits with few speakers may fail because a class is missing.
    memory : str, os.PathLike, FeatureCache, joblib.Memory or None, default=None
        Folder that stores the output of the first steps of a pipeline, for later calls with the
        same clips.
    random_state : int, RandomState instance or None, default=None
        Controls which speakers and clips are drawn. An int gives the same draws in each call,
        whatever the estimator, `n_speakers` and `n_jobs`.

    Returns
    -------
    curve : SpeakerLearningCurve
        Scores of every held-out speaker for each number of training speakers, with means and
        intervals.

    Raises
    ------
    ValueError
        If a split has a speaker on both sides, a number is larger than the training speakers of
        a split, or the input is one that :func:`cross_validate_by_speaker` refuses.
    SpeakerFoldError
        If a fit fails and ``error_score="raise"``; it names the number of training speakers
        and the speakers held out.

    Warns
    -----
    sklearn.exceptions.FitFailedWarning
        When a fit fails and `error_score` is a number.
    sklearn.exceptions.UndefinedMetricWarning
        When a metric has no value (NaN) for the clips of a fold.

    See Also
    --------
    SpeakerLearningCurve : The class of the result.
    LearningCurveBySpeakerDisplay : Draws it.
    cross_validate_by_speaker : Scores after training on all speakers.

    Notes
    -----
    All numbers of training speakers are scored on the same held-out clips. Draws are nested:
    the four training speakers of a draw include its two, and a call with larger
    `clips_per_speaker` and the same `random_state` adds clips of the same speakers. All speakers
    of a split are drawn about equally often. If several draws have the same training clips, as
    those of all speakers do, they are fitted once, and the score counts for each draw.

    The features of the first steps that process each clip independently are computed once for
    the whole curve, as in :func:`cross_validate_by_speaker`. If a step has a `pretrainer` that
    is not None, clips with ``y = -1`` (of a regressor: NaN) are unlabelled: unless their speaker
    is held out, they belong to every training part, and neither `n_speakers` nor
    `clips_per_speaker` counts them.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_speech import learning_curve_by_speaker
    >>> X = [[0.0], [1.0], [0.4], [0.9], [0.1], [0.6]]
    >>> y = ["no", "yes", "no", "yes", "no", "yes"]
    >>> speakers = ["ann", "ann", "bob", "bob", "cem", "cem"]
    >>> learning_curve_by_speaker(LogisticRegression(), X, y, speakers, n_draws=2)
    training speakers  clips  accuracy   95 % interval  worst speaker
    -----------------------------------------------------------------
    1                      2     0.833  0.475 to 1.000          0.750
    2                      4     1.000  1.000 to 1.000          1.000
    Means over 3 held-out speakers, who are never in training, and over 2 draws of ...
    """
    caller = "learning_curve_by_speaker"
    check_run_options(caller, n_jobs=n_jobs, verbose=verbose)
    X, y, names, codes, unlabelled = check_input(caller, estimator, X, y, speakers, error_score)
    n_draws = check_count(n_draws, "n_draws=")
    if clips_per_speaker is not None:
        clips_per_speaker = check_count(clips_per_speaker, "clips_per_speaker=")
    params = {} if params is None else dict(params)
    if cv is None and len(names) > MAX_LEFT_OUT:
        cv = GroupKFold(5)
    splits = with_labels(check_splits(cv, X, y, names, codes), unlabelled)
    most = min(len(np.unique(codes[labelled])) for _, _, labelled in splits)
    sizes = check_n_speakers(n_speakers, most)
    draws = draw_speakers(
        splits,
        codes,
        _as_codes(y) if is_classifier(estimator) else None,
        clips_per_speaker=clips_per_speaker,
        n_draws=n_draws,
        random_state=random_state,
    )
    scorers, labels = check_scorers(estimator, scoring)
    fit_params, score_params = route_metadata(estimator, params, names[codes], scorers, caller)

    parts: list[Any] = []  # distinct training parts, each fitted once
    titles: list[str] = []
    shown: list[str] = []
    positions: dict[tuple[int, bytes], int] = {}
    rows = np.empty((len(sizes), len(splits), n_draws), dtype=np.intp)
    for (k, i, d), _ in np.ndenumerate(rows):
        train, labelled = draws[i][d].part(int(sizes[k]))
        key = i, train.tobytes()
        if key not in positions:
            positions[key] = len(parts)
            test = splits[i][1]
            parts.append((train, test, labelled))
            shown.append(shorten_names(speakers_of(test, names, codes)))
            titles.append(
                f"fold {i} with {_count_speakers(int(sizes[k]))} (draw {d}), which held out "
                f"{shown[-1]}"
            )
        rows[k, i, d] = positions[key]
    folds = run_splits(
        estimator,
        X,
        y,
        codes,
        parts,
        titles,
        shown,
        scorers,
        fit_params,
        score_params,
        memory=memory,
        n_jobs=n_jobs,
        verbose=verbose,
        error_score=error_score,
    )
    for fold in folds:
        fold.probabilities = None  # they would take more memory than everything else
    whole = a_whole_fold(folds, titles)
    scores = [
        collect(
            [folds[row] for row in of_size],
            [parts[row] for row in of_size],
            [titles[row] for row in of_size],
            [speakers_of(parts[row][1], names, codes) for row in of_size],
            y,
            names,
            codes,
            labels,
            error_score,
            scorers,
            score_params,
            whole,
        )
        for of_size in rows.reshape(len(sizes), -1).tolist()
    ]
    return SpeakerLearningCurve(
        sizes,
        scores,
        n_draws=n_draws,
        clips_per_speaker=clips_per_speaker,
        draws=[[names[draw.speakers[: sizes[-1]]] for draw in of_split] for of_split in draws],
    )


def _count_speakers(n):
    return f"{n} training speaker{'' if n == 1 else 's'}"


def _as_codes(y):
    """Return classes as numbers, or None for several labels a clip."""
    if y.ndim != 1:
        return None
    # strings may be mixed with the integer -1, which cannot be sorted
    code_of = {label: code for code, label in enumerate(dict.fromkeys(y.tolist()))}
    return np.array([code_of[label] for label in y.tolist()], dtype=np.intp)
