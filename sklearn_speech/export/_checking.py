"""Compare what a file answers with what the estimator answers."""

import warnings
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from ..utils.parts import unwrapped, unwrapped_final_step
from ..utils.validation import make_ragged
from ._onnx_estimator import OnnxEstimator

#: Numbers of clips in the batches that are compared; the batch that was traced has another.
_BATCHES = (1, 5)

#: Clips whose labels are compared.
_N_LABELS = 16

#: Share of labels that a file with weights in 8 bits must keep.
LEAST_AGREEMENT = 0.95


def noise(n_clips: int, n_times: int, seed: int = 0) -> np.ndarray:
    """Clips to compare on: noise and tones that swell and fade, one with digital silence."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_times) / n_times
    clips = rng.normal(scale=0.1, size=(n_clips, n_times))
    for i, clip in enumerate(clips):
        clip += 0.2 * np.sin(2 * np.pi * rng.uniform(0.01, 0.3) * np.arange(n_times))
        clip *= np.sin(np.pi * time) ** 2 * 10.0 ** rng.uniform(-2, 0)
        if i % 2:
            clip[: n_times // 3] = 0
    return clips.astype(np.float32)


def accepts(estimator: Any, kind: str, n_times: int) -> bool:
    """Whether an estimator takes clips of a length."""
    try:
        expected_answers(estimator, kind, make_ragged(noise(2, n_times)))
    except ValueError:
        return False
    return True


def expected_answers(estimator: Any, kind: str, X: Any) -> list[np.ndarray]:
    """What an estimator answers, in the form of the outputs of its file."""
    with warnings.catch_warnings():  # about these clips, which are not the user's
        warnings.simplefilter("ignore")
        if kind in ("classifier", "multilabel classifier"):
            return [estimator.predict_proba(X)]
        if kind == "classifier without probabilities":
            scores = estimator.decision_function(X)
            return [np.column_stack([-scores, scores]) if scores.ndim == 1 else scores]
        if kind == "regressor":
            return [estimator.predict(X).reshape(len(X), -1)]
        if kind == "recognizer":
            return [np.stack(list(estimator.predict_log_proba(X)))]
        found = estimator.transform(X)
        if kind == "transformer":
            return [np.stack(list(found))]
        return [np.stack([code.ravel() for code in found]), _decoded(estimator, X, found)]


def _decoded(estimator: Any, X: Any, codes: Any) -> np.ndarray:
    autoencoder = unwrapped_final_step(estimator)
    S = X
    pipeline = unwrapped(estimator)
    while isinstance(pipeline, Pipeline):
        for _, step in pipeline.steps[:-1]:
            S = S if isinstance(step, str) or step is None else step.transform(S)
        pipeline = unwrapped(pipeline.steps[-1][1])
    return np.stack(list(autoencoder.inverse_transform(codes, n_frames=S[0].shape[-1])))


def largest_difference(
    model: OnnxEstimator, estimator: Any, X: np.ndarray, *, ragged: bool
) -> float:
    """Largest difference between file and estimator, as a share of the largest answer above 1.

    Parameters
    ----------
    model : OnnxEstimator
    estimator : estimator instance
    X : ndarray of shape (n_clips, n_times)
    ragged : bool
        Whether the estimator gets the clips one by one, so that any length is possible.

    Returns
    -------
    difference : float
        Infinity where shapes differ or a number is not finite.
    """
    expected = expected_answers(estimator, model.kind, make_ragged(X) if ragged else X)
    largest = 0.0
    for i, answers in enumerate(expected):
        found = np.stack(model._run(X, i))
        if model.kind == "autoencoder" and found.size == answers.size:
            found = found.reshape(answers.shape)  # codes of clips of one length are flat
        if found.shape != answers.shape or not np.isfinite(found).all():
            return np.inf
        scale = max(1.0, float(np.abs(answers).max()))
        largest = max(largest, float(np.abs(found - answers).max()) / scale)
    return largest


def check(
    model: OnnxEstimator, estimator: Any, lengths: list[int], tolerance: float, *, free: bool
) -> None:
    """Compare file and estimator on several numbers of clips and lengths.

    Raises
    ------
    ValueError
        When an answer differs by more than `tolerance`, or a label that is not nearly tied.
    """
    for n_times in lengths:
        for n_clips in _BATCHES:
            X = noise(n_clips, n_times, seed=n_clips)
            difference = largest_difference(model, estimator, X, ragged=free)
            if not difference <= tolerance:
                raise ValueError(
                    f"the file answers other than the estimator: on {n_clips} clips of {n_times} "
                    f"samples by {difference:.3g}, more than tolerance={tolerance:g}; nothing was "
                    "written"
                )
    if hasattr(model, "classes_") and model.classes_.ndim == 1:
        X = noise(_N_LABELS, lengths[-1])
        _check_labels(model, estimator, X, make_ragged(X) if free else X, tolerance)


def _check_labels(
    model: OnnxEstimator, estimator: Any, X: np.ndarray, given: Any, tolerance: float
) -> None:
    """Compare labels where they are not nearly tied."""
    name = type(unwrapped_final_step(estimator)).__name__
    decisions = np.stack(model._run(X, -1))
    found = model.classes_[decisions.argmax(axis=1)]
    with warnings.catch_warnings():  # about these clips, which are not the user's
        warnings.simplefilter("ignore")
        expected = np.asarray(estimator.predict(given))
    if expected.shape != found.shape:
        raise ValueError(
            f"{name} was fitted with several labels a clip, which only the classifiers of this "
            "library can have in a file; nothing was written"
        )
    if decisions.shape[1] < 2:
        return
    second, first = np.sort(decisions, axis=1)[:, -2:].T
    is_sure = first - second > 2 * tolerance * max(1.0, float(np.abs(decisions).max()))
    wrong = np.flatnonzero(is_sure & (found != expected))
    if len(wrong):
        raise ValueError(
            f"predict of {name} gives other labels than its largest probability or score, such as "
            f"{expected[wrong[0]]!r} instead of {found[wrong[0]]!r}; a file cannot hold how it "
            "chooses; put CalibratedClassifierCV around it, which chooses by probabilities; "
            "nothing was written"
        )


def check_quantized(model: OnnxEstimator, exact: OnnxEstimator, X: Any, lengths: list[int]) -> None:
    """Compare labels of a file with weights in 8 bits with those of the exact one.

    Raises
    ------
    ValueError
        When more than 5 % of the labels of X differ, or an answer is not finite.
    """
    for n_times in lengths:
        for n_clips in _BATCHES:
            if not np.isfinite(np.stack(model._run(noise(n_clips, n_times), 0))).all():
                raise ValueError(
                    f"quantize='int8' gives numbers that are not finite on {n_clips} clips of "
                    f"{n_times} samples; nothing was written"
                )
    agreement = float(np.mean(model.predict(X) == exact.predict(X)))
    if agreement < LEAST_AGREEMENT:
        raise ValueError(
            f"quantize='int8' changes the labels of {1 - agreement:.0%} of the clips of X, more "
            f"than {1 - LEAST_AGREEMENT:.0%}; nothing was written"
        )


def shortest_length(
    model: OnnxEstimator, estimator: Any, least: int, usual: int, tolerance: float
) -> int:
    """Samples of the shortest clip on which file and estimator agree.

    Parameters
    ----------
    model : OnnxEstimator
    estimator : estimator instance
    least : int
        Samples below which the traced operations do not hold.
    usual : int
        Samples of the clips that were traced.
    tolerance : float

    Returns
    -------
    n_times : int
        One of a few lengths between both; `usual` is not tried.
    """
    for n_times in np.unique(np.geomspace(min(least, usual), usual, 6).astype(int)).tolist():
        try:
            if largest_difference(model, estimator, noise(2, n_times), ragged=True) <= tolerance:
                return n_times
        except ValueError:  # too short, says the estimator or the runtime
            continue
    return usual
