"""An exported pipeline that onnxruntime runs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.values import as_arrays, check_values
from ._header import INPUT, Header
from ._limited_session import ENDED

#: Samples and clips in one run of the network, so that memory stays bounded for any number of
#: clips, and for short ones that the network pads.
_RUN_SAMPLES, _RUN_CLIPS = 2**21, 256

#: What onnxruntime says when memory beyond its bound is wanted.
_OUT_OF_MEMORY = "Available memory of"


class _OnlyFor:
    """A method that exists on estimators of some kinds only, as ``hasattr`` sees it."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds

    def __call__(self, method: Callable[..., Any]) -> "_OnlyFor":
        self.method = method
        return self

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self.method
        if instance.kind not in self.kinds:
            raise AttributeError(f"a {instance.kind} has no {self.method.__name__}")
        return self.method.__get__(instance, owner)


_CLASSIFIERS = ("classifier", "multilabel classifier")


class OnnxEstimator:
    """A fitted pipeline that :func:`load_onnx` read from a file.

    Its methods are those of the pipeline that was exported, and no others: ``hasattr`` tells.
    All take waveforms, also where the pipeline began with paths of sound files.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        The network.
    header : object
        What the file says about itself.
    path : str
        The file, for messages.
    again : tuple of (callable, tuple), default=None
        A function and arguments that make the same estimator, for copies and other processes.

    Attributes
    ----------
    kind : str
        "classifier", "classifier without probabilities", "multilabel classifier",
        "regressor", "autoencoder", "recognizer" or "transformer".
    sample_rate : int or float
        Of the waveforms, in Hz.
    classes_ : ndarray of shape (n_classes,) or (n_labels, 2)
        Labels in the order of the probabilities; only of classifiers.
    phones_ : ndarray of shape (n_phones,)
        Phones in the order of the posteriors, behind blank; only of recognisers.
    n_times_ : int or None
        Samples of every clip where only one length is possible; None where lengths are free.
    least_times_ : int
        Samples of the shortest clip that is taken.
    """

    def __init__(
        self,
        session: Any,
        header: Header,
        path: str,
        again: tuple[Callable[..., Any], tuple[Any, ...]] | None = None,
    ) -> None:
        self._session = session
        self._again = again
        self._header = header
        self._path = path
        self.kind = header.kind
        self.sample_rate = header.sample_rate
        self.n_times_ = header.n_times
        self.least_times_ = header.least_times
        if header.kind in ("classifier", "classifier without probabilities"):
            self.classes_ = header.label_array()
        elif header.kind == "multilabel classifier":
            self.classes_ = np.tile([0, 1], (_count(session), 1))
        elif header.kind == "recognizer":
            self.phones_ = header.label_array()

    def __reduce__(self) -> Any:
        if self._again is None:
            raise TypeError(f"{self!r} was not made by load_onnx and cannot be pickled or copied")
        return self._again

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} of {self._header.estimator}: {self.kind}, "
            f"{self.sample_rate} Hz, {self._path}>"
        )

    @_OnlyFor(*_CLASSIFIERS)
    def predict_proba(self, X: npt.ArrayLike | Sequence[npt.ArrayLike]) -> np.ndarray:
        """Probability of each class, or of each label where there are several a clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or list or 1-D object array of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        probabilities : ndarray of float32 of shape (n_clips, n_classes) or (n_clips, n_labels)
        """
        return self._stacked(X, 0)

    @_OnlyFor(*_CLASSIFIERS, "classifier without probabilities", "regressor", "recognizer")
    def predict(self, X: npt.ArrayLike | Sequence[npt.ArrayLike]) -> np.ndarray:
        """Label, labels, numbers or phones of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or list or 1-D object array of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        y : ndarray of shape (n_clips,) or (n_clips, n_outputs)
            An indicator matrix of a multilabel classifier; lists of phones of a recogniser, each
            the most probable of its frame, repetitions and blanks left out.

        Raises
        ------
        ValueError
            Of a recogniser that was exported with another decoder than "greedy".
        """
        if self.kind == "recognizer":
            if self._header.decoder != "greedy":
                raise ValueError(
                    f"{self._path} is of a recogniser with decoder={self._header.decoder!r}, which "
                    "is not part of the file; decode what predict_log_proba gives"
                )
            phones = [self.phones_[codes - 1].tolist() for codes in map(_greedy, self._run(X, 0))]
            return _ragged(phones)
        answers = self._stacked(X, -1)
        if self.kind == "regressor":
            return answers[:, 0] if self._header.flat else answers
        if self.kind == "multilabel classifier":
            return (answers > 0.5).astype(np.int64)
        return self.classes_[answers.argmax(axis=1)]

    @_OnlyFor("classifier without probabilities")
    def decision_function(self, X: npt.ArrayLike | Sequence[npt.ArrayLike]) -> np.ndarray:
        """Score of each class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or list or 1-D object array of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        scores : ndarray of float32 of shape (n_clips, n_classes) or (n_clips,)
            Of two classes, the score of the second, as in scikit-learn.
        """
        scores = self._stacked(X, 0)
        return scores[:, 1] if len(self.classes_) == 2 else scores

    @_OnlyFor("recognizer")
    def predict_log_proba(self, X: npt.ArrayLike | Sequence[npt.ArrayLike]) -> np.ndarray:
        """Log posterior of blank and of each phone, for each frame.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or list or 1-D object array of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        log_posteriors : ndarray of shape (n_clips,), dtype object
            One array of shape (n_frames, n_phones + 1) a clip.
        """
        return _ragged(self._run(X, 0))

    @_OnlyFor("transformer", "autoencoder")
    def transform(self, X: npt.ArrayLike | Sequence[npt.ArrayLike]) -> np.ndarray:
        """Features or codes of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or list or 1-D object array of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        features : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,)
            Ragged where clips differ in length and features do too. Codes of an autoencoder
            are (n_clips, n_codes) of clips of one length, as its own ``transform`` gives them,
            else one array of shape (n_filters * n_code_bands, n_code_frames) a clip.
        """
        found = self._gathered(X, 0)
        is_flat = self.kind == "autoencoder" and found.dtype != object
        return found.reshape(len(found), -1) if is_flat else found

    @_OnlyFor("autoencoder")
    def reconstruct(self, X: npt.ArrayLike | Sequence[npt.ArrayLike]) -> np.ndarray:
        """Spectrograms that the codes of clips give back.

        What ``inverse_transform`` of the exported autoencoder makes of what its ``transform``
        gives: the network decodes without the levels of the clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or list or 1-D object array of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        S : ndarray of shape (n_clips, n_bands, n_frames), or object ndarray of shape (n_clips,)
            Ragged where clips differ in length and spectrograms do too.
        """
        return self._gathered(X, 1)

    # Running

    def _run(self, X: Any, output: int) -> list[np.ndarray]:
        """One array a clip, in the order of X; clips of one length run together."""
        clips = self._checked(X)
        answers: list[Any] = [None] * len(clips)
        by_length: dict[int, list[int]] = {}
        for i, clip in enumerate(clips):
            by_length.setdefault(len(clip), []).append(i)
        for length, rows in by_length.items():
            for part in _parts(rows, min(max(1, _RUN_SAMPLES // length), _RUN_CLIPS)):
                batch = np.stack([clips[i] for i in part])
                found = self._compute(batch, self._header.outputs[output])
                for i, answer in zip(part, found, strict=True):
                    answers[i] = answer
        return answers

    def _compute(self, batch: np.ndarray, output: str) -> np.ndarray:
        try:
            (found,) = self._session.run([output], {INPUT: batch})
        except Exception as error:
            if _OUT_OF_MEMORY in str(error):
                raise ValueError(
                    f"{self._path} needs more memory than load_onnx allowed it for {len(batch)} "
                    f"clips of {batch.shape[1]} samples; if it is a file that you trust, pass "
                    "load_onnx a larger max_memory"
                ) from error
            if ENDED in str(error):
                raise TimeoutError(
                    f"{self._path} takes longer than the max_seconds of load_onnx for {len(batch)} "
                    f"clips of {batch.shape[1]} samples"
                ) from error
            raise ValueError(
                f"{self._path} fails on {len(batch)} clips of {batch.shape[1]} samples: {error}"
            ) from error
        if found.dtype != np.float32 or found.ndim < 2 or len(found) != len(batch):
            raise ValueError(
                f"{self._path} gives {found.dtype} of shape {found.shape} for {len(batch)} clips; "
                "expected one row of float32 a clip"
            )
        if not np.isfinite(found).all():
            raise ValueError(f"{self._path} gives numbers that are not finite; it is damaged")
        expected = self._width()
        if expected is not None and found.shape[-1] != expected:
            raise ValueError(
                f"{self._path} gives {found.shape[-1]} values a clip, but has {expected} labels"
            )
        return found

    def _width(self) -> int | None:
        if self.kind == "recognizer":
            return len(self.phones_) + 1
        if self.kind in ("classifier", "classifier without probabilities"):
            return len(self.classes_)
        return None

    def _stacked(self, X: Any, output: int) -> np.ndarray:
        return np.stack(self._run(X, output))

    def _gathered(self, X: Any, output: int) -> np.ndarray:
        found = self._run(X, output)
        one_shape = len({answer.shape for answer in found}) == 1
        return np.stack(found) if one_shape else _ragged(found)

    def _checked(self, X: Any) -> list[np.ndarray]:
        """Waveforms as a list of float32 arrays, or an error that names the clip."""
        X = as_arrays(X)
        if not isinstance(X, (list, tuple)) and not hasattr(X, "__array__"):
            raise TypeError(
                f"X is of type {type(X).__name__}: expected an array of shape (n_clips, n_times) "
                "or a list of 1-D arrays"
            )
        check_values(X)
        X = X if isinstance(X, (list, tuple)) else np.asarray(X)
        if isinstance(X, np.ndarray) and X.ndim != (1 if X.dtype == object else 2):
            raise ValueError(
                f"X has shape {X.shape}, expected (n_clips, n_times); one clip is X[np.newaxis]"
            )
        if len(X) == 0:
            raise ValueError("X has no clips")
        return [self._checked_clip(clip, i) for i, clip in enumerate(X)]

    def _checked_clip(self, clip: Any, i: int) -> np.ndarray:
        if isinstance(clip, (str, bytes)) or hasattr(clip, "__fspath__"):
            raise ValueError(
                f"clip {i} of X is {clip!r:.60}: a file of to_onnx takes waveforms at "
                f"{self.sample_rate} Hz, not paths; read sound files before"
            )
        try:
            samples = np.asarray(clip)
            if samples.dtype.kind in "iu" and samples.dtype.itemsize <= 2:
                full = 2 ** (8 * samples.dtype.itemsize - 1)
                raise ValueError(
                    f"clip {i} of X holds samples of dtype {samples.dtype}; waveforms are "
                    f"amplitudes in [-1, 1]: divide them by {full}"
                )
            with np.errstate(over="ignore"):  # infinity is refused below
                samples = samples.astype(np.float32)
        except (TypeError, ValueError) as error:
            if "clip" in str(error):
                raise
            raise ValueError(f"clip {i} of X is not an array of numbers: {error}") from error
        if samples.ndim != 1:
            raise ValueError(f"clip {i} of X has shape {samples.shape}, expected (n_times,)")
        if not np.isfinite(samples).all():
            kind = "NaN" if np.isnan(samples).any() else "infinity"
            raise ValueError(f"clip {i} of X contains {kind}")
        n_times = len(samples)
        if self.n_times_ not in (None, n_times):
            raise ValueError(
                f"clip {i} of X has {n_times} samples, but {self._path} takes clips of "
                f"{self.n_times_}; put PadOrTrim first in the pipeline before it is exported"
            )
        if n_times < self.least_times_:
            raise ValueError(
                f"clip {i} of X has {n_times} samples; {self._path} takes at least "
                f"{self.least_times_}"
            )
        return samples


def _count(session: Any) -> int:
    n_labels = session.get_outputs()[0].shape[-1]
    if not isinstance(n_labels, int) or not 1 <= n_labels <= 100_000:
        raise ValueError(f"the network says that it has {n_labels!r:.40} labels")
    return n_labels


def _parts(rows: list[int], size: int) -> Iterator[list[int]]:
    for first in range(0, len(rows), size):
        yield rows[first : first + size]


def _greedy(log_posteriors: np.ndarray) -> np.ndarray:
    """Best code of each frame without repetitions and blanks, which are 0."""
    best = log_posteriors.argmax(axis=1)
    starts = np.concatenate([[True], best[1:] != best[:-1]])
    return best[starts & (best > 0)]


def _ragged(values: Sequence[Any]) -> np.ndarray:
    ragged = np.empty(len(values), dtype=object)
    for i, value in enumerate(values):
        ragged[i] = value
    return ragged
