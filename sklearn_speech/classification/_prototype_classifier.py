"""A few clips of each word, and an answer for words that were never heard."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import GroupKFold
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ..base._class_encoding import check_class_labels
from ..utils.labels import as_targets, spelled_as
from ..utils.scores import reports
from ..utils.sklearn_private import DocumentedMixin, Interval, StrOptions, fit_context
from ..utils.speakers import check_speakers
from ..utils.values import TOO_LARGE, check_finite, check_values

#: Speakers are held out in at most this many groups to choose the threshold.
MAX_FOLDS = 10


class PrototypeClassifier(ClassifierMixin, DocumentedMixin, BaseEstimator):
    """Classify words by their prototypes, which one to ten clips of each word make.

    A prototype is the mean feature vector of a word. A clip is of the word with the nearest
    prototype, or of no known word if that is too far away. The features may be any numbers;
    those of a pretrained network, such as :class:`SpeechEmbedding` with
    :class:`TemporalPooling`, need only a few clips.

    Parameters
    ----------
    metric : {"cosine", "euclidean", "manhattan"}, default="euclidean"
        Distance between a clip and a prototype. "cosine" separates embeddings better, but the
        features must not be centred; see the notes.
    threshold : float, "auto" or None, default=None
        A clip is of a known word if the negative distance to the nearest prototype reaches
        this. "auto" chooses the threshold on speakers that the prototypes did not see, which
        needs `groups` in :meth:`fit`. None accepts every clip.
    false_acceptance : float, default=0.05
        With ``threshold="auto"``, the share of clips of other words, by held-out speakers, that
        may be accepted as a known word.
    unknown : str or int, default="unknown"
        The class of clips that are of no known word. Clips with this label in :meth:`fit` have
        no prototype. They are other words, and help to choose the threshold.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Sorted classes, among them `unknown` if it occurs in `y` or there is a threshold.
    words_ : ndarray of shape (n_words,)
        Sorted classes that have a prototype.
    prototypes_ : ndarray of shape (n_words, n_features)
        Mean features of the words.
    threshold_ : float
        The threshold; minus infinity if every clip is accepted.
    false_rejection_ : float
        With ``threshold="auto"``, the share of clips of known words, by held-out speakers, that
        the threshold rejects; NaN with another threshold, or if no word is by two groups.
    n_features_in_ : int
        Number of features.

    See Also
    --------
    sklearn.neighbors.NearestCentroid : Needs two clips of a word and rejects nothing.
    sklearn.neighbors.LocalOutlierFactor : Finds outliers without regard to classes.

    Notes
    -----
    Groups of speakers are held out in turn, at most 10. Prototypes of the other speakers'
    clips give two lists of negative distances of the held-out clips. Known: to the nearest
    prototype, for clips of a word. Unknown: to the nearest prototype, for clips labelled
    `unknown`; and to the nearest prototype of *another* word, for clips of a word, as if their
    own word had not been enrolled. The threshold is the lowest that accepts at most the share
    `false_acceptance` of the unknown.

    A step that subtracts the mean of the training clips moves the words of these clips, but
    no others, away from each other. With ``metric="cosine"`` the threshold is then too low, and
    several times as many clips of words that were never heard are accepted as promised: use
    ``StandardScaler(with_mean=False)``. The other metrics do not depend on the mean.

    References
    ----------
    Snell, Swersky and Zemel, "Prototypical networks for few-shot learning", 2017.

    Examples
    --------
    >>> from sklearn_speech import PrototypeClassifier
    >>> X = [[0.0, 1.0], [0.1, 1.1], [3.0, 0.0], [3.1, 0.1]]
    >>> words = ["go", "go", "stop", "stop"]
    >>> speakers = ["ann", "bob", "ann", "bob"]
    >>> classifier = PrototypeClassifier(threshold="auto").fit(X, words, groups=speakers)
    >>> classifier.predict([[0.0, 1.2], [3.0, 0.2], [9.0, 9.0]]).tolist()
    ['go', 'stop', 'unknown']
    """

    # read by scikit-learn's metadata routing: fit requests groups
    __metadata_request__fit = {"groups": True}

    _parameter_constraints: dict[str, list[Any]] = {
        "metric": [StrOptions({"cosine", "euclidean", "manhattan"})],
        "threshold": [Interval(Real, None, None, closed="neither"), StrOptions({"auto"}), None],
        "false_acceptance": [Interval(Real, 0, 1, closed="both")],
        "unknown": [str, Integral],
    }

    def __init__(
        self,
        *,
        metric: str = "euclidean",
        threshold: float | str | None = None,
        false_acceptance: float = 0.05,
        unknown: str | int = "unknown",
    ) -> None:
        self.metric = metric
        self.threshold = threshold
        self.false_acceptance = false_acceptance
        self.unknown = unknown

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Compute the prototypes and choose the threshold.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Features.
        y : array-like of shape (n_clips,)
            Words as strings or integers.
        groups : array-like of shape (n_clips,), default=None
            The speaker of each clip; needed for ``threshold="auto"`` only.

        Returns
        -------
        self : PrototypeClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If no clip is of a word, `unknown` and the words are of different types or booleans, or
            ``threshold="auto"`` has no groups, fewer than two, or no held-out clip of
            another word; or if ``threshold=None`` and `y` has clips of unknown words.
        """
        check_values(X)
        X, y = validate_data(self, X, y)
        y = check_class_labels(y)
        found = np.unique(y)
        same_type = isinstance(self.unknown, str) == isinstance(found.tolist()[0], str)
        self._unknown = spelled_as(np.array([self.unknown]), found).tolist()[0]
        self.words_ = found[found != self._unknown] if same_type else found
        if len(self.words_) == 0:
            raise ValueError(f"every label in y is {self.unknown!r}: expected clips of a word")
        self.classes_ = found
        self.prototypes_ = _prototypes(X, y, self.words_)
        if not np.isfinite(self.prototypes_).all():
            raise ValueError(f"the mean of the clips of a word is not finite: {TOO_LARGE}")
        self._similarities(X, self.prototypes_)  # refuses features that are too large
        self.threshold_, self.false_rejection_ = -np.inf, np.nan
        if self.threshold is None:
            if len(self.words_) < len(found):
                raise ValueError(
                    f"y has clips of {self.unknown!r}, but threshold=None accepts every clip: set "
                    "threshold to 'auto' or a number, or leave these clips out"
                )
            return self
        if found.dtype.kind == "b":
            raise ValueError(
                "y holds booleans, beside which no label can stand for unknown words: expected "
                f"strings or integers with threshold={self.threshold!r}"
            )
        if not same_type:
            raise ValueError(
                f"unknown={self.unknown!r} is of another type than the words, such as "
                f"{found.tolist()[0]!r}: expected a label that can stand beside them, such as "
                f"{-1 if isinstance(self.unknown, str) else 'unknown'!r}"
            )
        self.classes_ = np.union1d(found, [self._unknown])
        if self.threshold == "auto":
            self._choose_threshold(X, y, groups)
        else:
            self.threshold_ = float(self.threshold)
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Return the negative distance to each word's prototype.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Features.

        Returns
        -------
        scores : ndarray of shape (n_clips, n_classes), or (n_clips,) for two classes
            In the order of ``classes_``; the column of `unknown` is the threshold. For two
            classes, the second column minus the first.
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the word of each clip, or `unknown`.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Features.

        Returns
        -------
        words : ndarray of shape (n_clips,)
            Labels from ``classes_``.
        """
        similarities = self._scores(X)
        known = np.isin(self.classes_, self.words_)
        similarities = similarities[:, known]
        nearest = self.classes_[known][similarities.argmax(axis=1)]
        rejected = similarities.max(axis=1) < self.threshold_
        return np.where(rejected, self._unknown, nearest) if rejected.any() else nearest

    @reports("accuracy")
    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of clips with the right word, or `unknown`.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Features.
        y : array-like of shape (n_clips,)
            True words.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips.

        Returns
        -------
        score : float
        """
        check_is_fitted(self)
        y = spelled_as(column_or_1d(as_targets(y)), self.classes_)
        return super().score(X, y, sample_weight)

    def _scores(self, X):
        check_is_fitted(self)
        check_values(X)
        X = validate_data(self, X, reset=False)
        scores = np.full((len(X), len(self.classes_)), self.threshold_)
        columns = np.isin(self.classes_, self.words_)
        scores[:, columns] = self._similarities(X, self.prototypes_)
        return scores

    def _similarities(self, X, prototypes):
        if self.metric == "cosine":
            X, prototypes = _with_norms(X), _with_norms(prototypes)
        with np.errstate(all="ignore"):  # infinity is refused below
            similarities = -pairwise_distances(X, prototypes, metric=self.metric)
        check_finite(similarities, "the distance to a prototype", TOO_LARGE)
        return similarities

    def _choose_threshold(self, X, y, groups):
        if groups is None:
            raise ValueError(
                "threshold='auto' is chosen on speakers that are held out: give their names to "
                "fit as `groups`, or set threshold to a number"
            )
        names, codes = check_speakers(groups, len(y), "groups")
        if len(names) < 2:
            raise ValueError(
                f"groups holds only one speaker ({str(names[0])!r}): threshold='auto' holds out "
                "speakers, so it needs at least two"
            )
        near: list[Any] = [[]]  # each known clip's similarity to its nearest prototype
        wrong: list[Any] = [[]]  # each clip's to the nearest prototype of another word
        for train, test in GroupKFold(min(len(names), MAX_FOLDS)).split(X, y, codes):
            words = np.intersect1d(self.words_, y[train])
            if not len(words):
                continue
            similarities = self._similarities(X[test], _prototypes(X[train], y[train], words))
            own = y[test][:, None] == words
            of_word = own.any(axis=1)
            near.append(similarities[of_word].max(axis=1))
            others = np.where(own, -np.inf, similarities).max(axis=1)
            wrong.append(others[np.isfinite(others)])
        known, unknown = np.concatenate(near), np.sort(np.concatenate(wrong))
        if not len(unknown):
            raise ValueError(
                "threshold='auto' found no clip of another word among the held-out speakers: add "
                f"such clips, labelled {self.unknown!r}, or set threshold to a number"
            )
        # 0.29 of 100 is 29, though the product is a little less
        n_accepted = int(self.false_acceptance * len(unknown) + 1e-9)
        # the smallest number above the last clip that has to be rejected
        last = unknown[len(unknown) - 1 - n_accepted] if n_accepted < len(unknown) else -np.inf
        self.threshold_ = float(np.nextafter(last, np.inf))
        if len(known):
            self.false_rejection_ = float(np.mean(known < self.threshold_))


def _with_norms(X):
    """Rows, those whose squares are beyond their dtype divided by their largest number."""
    if X.dtype.kind != "f":
        return X
    largest = np.abs(X).max(axis=1, keepdims=True)
    limits = np.finfo(X.dtype)
    too_large = largest > np.sqrt(limits.max / X.shape[1])
    too_small = (largest < np.sqrt(limits.tiny)) & (largest > 0)
    return X / np.where(too_large | too_small, largest, 1)


def _prototypes(X, y, words):
    with np.errstate(all="ignore"):  # infinity and NaN are refused in fit
        return np.array([X[y == word].mean(axis=0) for word in words])
