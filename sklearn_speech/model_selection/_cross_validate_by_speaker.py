"""Cross-validation that holds out speakers."""

from typing import Any

from ..utils.parallel import check_run_options
from ._collect import collect, shorten_names, speakers_of
from ._folds import check_splits
from ._routing import route_metadata
from ._run_splits import check_input, run_splits
from ._scoring import check_scorers
from ._speaker_scores import SpeakerScores
from ._unlabelled import with_labels


def cross_validate_by_speaker(
    estimator: Any,
    X: Any,
    y: Any,
    speakers: Any,
    *,
    cv: Any = None,
    scoring: Any = None,
    params: dict[str, Any] | None = None,
    n_jobs: int | None = None,
    verbose: int = 0,
    return_estimator: bool = False,
    return_train_score: bool = False,
    error_score: float | str = "raise",
    memory: Any = None,
) -> SpeakerScores:
    """Score an estimator on speakers that are not in its training data.

    Like :func:`sklearn.model_selection.cross_validate`, but no split may have a speaker on both
    sides, and the result contains a score for each speaker, predictions in the order of X, and
    a confidence interval over speakers.

    Parameters
    ----------
    estimator : estimator instance
        Cloned for each fold.
    X : array-like of shape (n_clips, ...)
        Whatever the estimator takes: paths, waveforms, spectrograms, a DataFrame.
    y : array-like of shape (n_clips,) or (n_clips, n_targets)
        Classes as strings or integers, an indicator matrix, numbers to predict, or other
        targets, such as lists of phones.
    speakers : array-like of shape (n_clips,)
        The speaker of each clip. They are also passed as `groups` to steps that split again
        (early stopping, searches), inside a pipeline too: with metadata routing on, to steps
        that request them; with routing off, to steps whose ``fit`` takes `groups`.
    cv : int, splitter, iterable or None, default=None
        None holds out one speaker at a time; an int is the number of folds of ``GroupKFold``;
        otherwise a group splitter, such as ``StratifiedGroupKFold()`` or
        ``StratifiedGroupShuffleSplit()``, or an iterable of (train, test) positions.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in scikit-learn; None uses the estimator's own ``score``.
    params : dict or None, default=None
        Further arguments of ``fit`` (and of scorers, with metadata routing on), such as sample
        weights; arguments with one entry per clip are split like X.
    n_jobs : int or None, default=None
        Number of folds that run in parallel. They share torch's threads.
    verbose : int, default=0
        1 shows a progress bar over folds.
    return_estimator : bool, default=False
        Keep the fitted estimators, as ``result["estimator"]``.
    return_train_score : bool, default=False
        Also score the training clips, as ``result["train_score"]``.
    error_score : "raise" or float, default="raise"
        "raise" stops at the first fold that fails; a number, such as NaN, becomes the score of
        that fold, with a warning.
    memory : str, os.PathLike, FeatureCache, joblib.Memory or None, default=None
        Folder that stores the output of the first steps of a pipeline, for later calls with the
        same clips; see the notes.

    Returns
    -------
    scores : SpeakerScores
        A dict with ``test_score`` (or ``test_<metric>``), one entry per fold, and
        per-speaker scores, predictions and intervals as attributes and methods.

    Raises
    ------
    ValueError
        If a split has a speaker on both sides, the name of a speaker or a target is missing,
        labels mix strings and numbers, there is only one speaker, or folds would run on
        joblib's "multiprocessing" backend.
    SpeakerFoldError
        If a fold fails and ``error_score="raise"``; it names the speakers held out.

    Warns
    -----
    sklearn.exceptions.FitFailedWarning
        When a fold fails and `error_score` is a number.
    sklearn.exceptions.UndefinedMetricWarning
        When a metric has no value (NaN) for the clips of a fold.

    See Also
    --------
    SpeakerScores : The class of the result.
    compare_by_speaker : Compares several results.

    Notes
    -----
    Where some step has a `pretrainer` that is not None, clips with ``y = -1`` (of a
    regressor: NaN, in each column) are unlabelled: they are trained on, when their speaker
    is not held out, and never scored.

    The first steps of a pipeline that process each clip independently (this library's own
    steps: reading files, spectrograms) are computed once for all folds; the scores are the
    same. This is not done if a scorer is your own function, because it may need the clips
    themselves.

    Held-out speakers may lack classes. Metrics of probabilities that take ``labels=``
    (log loss, Brier score, top-k accuracy, multi-class AUC) are given all classes that the
    fold's estimator knows. An AUC has no value where the test clips of a class are all or
    none, an average precision where a class or label has no clip or all, and R2 and its like
    where all true numbers are the same (or there is one clip). These are NaN, "undefined" in the
    table, with a warning where a whole fold has no value; the mean over speakers leaves such
    speakers out and says so, and ``pooled_scores`` has the score of all clips
    together (an AUC by "ovo" averages over the pairs of classes that are there). A class that
    no training clip has counts as wrong in metrics of predicted classes; the others raise an
    error.

    KeyboardInterrupt stops the whole run. A fold whose training was interrupted is never
    scored.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_speech.model_selection import cross_validate_by_speaker
    >>> X = np.array([[0.0], [1.0], [0.2], [0.9], [0.1], [0.8]])
    >>> y = ["no", "yes", "no", "yes", "no", "yes"]
    >>> speakers = ["ann", "ann", "bob", "bob", "cem", "cem"]
    >>> scores = cross_validate_by_speaker(LogisticRegression(), X, y, speakers)
    >>> scores["test_score"]
    array([1., 1., 1.])
    >>> scores
    speaker             clips  accuracy
    -----------------------------------
    ann                     2     1.000
    bob                     2     1.000
    cem                     2     1.000
    -----------------------------------
    mean                    6     1.000
    standard deviation            0.000
    95 % interval of the mean, over 3 speakers: 1.000 to 1.000 (Student's t)
    """
    caller = "cross_validate_by_speaker"
    check_run_options(caller, n_jobs=n_jobs, verbose=verbose)
    X, y, names, codes, unlabelled = check_input(caller, estimator, X, y, speakers, error_score)
    params = {} if params is None else dict(params)
    splits = with_labels(check_splits(cv, X, y, names, codes), unlabelled)
    scorers, labels = check_scorers(estimator, scoring)
    fit_params, score_params = route_metadata(estimator, params, names[codes], scorers, caller)
    held_out = [speakers_of(test, names, codes) for _, test, _ in splits]
    shown = [shorten_names(who) for who in held_out]
    titles = [f"fold {i}, which held out {who}" for i, who in enumerate(shown)]
    folds = run_splits(
        estimator,
        X,
        y,
        codes,
        splits,
        titles,
        shown,
        scorers,
        fit_params,
        score_params,
        memory=memory,
        n_jobs=n_jobs,
        verbose=verbose,
        error_score=error_score,
        return_estimator=return_estimator,
        return_train_score=return_train_score,
    )
    return collect(
        folds,
        splits,
        titles,
        held_out,
        y,
        names,
        codes,
        labels,
        error_score,
        scorers,
        score_params,
    )
