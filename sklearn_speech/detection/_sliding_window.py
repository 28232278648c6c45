"""A classifier of clips slid over recordings."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone

from ..base._class_encoding import check_class_labels
from ..metrics import EventTable
from ..metrics._event_table import check_recording
from ..utils.sklearn_private import (
    DocumentedMixin,
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
)
from ..utils.validation import make_ragged
from ._detection_stream import DetectionStream
from ._fitting import fit_in_background, groups_for
from ._parameters import check_n_windows, is_fitted, labels_of_others
from ._searching import find_in_each, score_each
from ._settings import (
    Plan,
    Rule,
    plan_of,
    rate_of,
    refuse_without_probabilities,
    rule_of,
    window_of,
)
from ._window_scorer import split_steps


class SlidingWindow(MetaEstimatorMixin, DocumentedMixin, BaseEstimator):
    """Find words in long recordings with a classifier of clips.

    A window is slid over the recording, the classifier gives the probabilities of its classes
    in each position, and peaks of a word's probability over time become events. The frames of
    a front end at the beginning of the pipeline are computed once for all windows where that
    gives the same numbers.

    Parameters
    ----------
    estimator : estimator
        A classifier of clips with ``predict_proba``, or a pipeline that ends with one, which
        takes waveforms, or files where it begins with AudioReader. One that is fitted already
        can be used without calling ``fit``.
    duration : float, default=None
        Length of the window in seconds. None is that of the pipeline's PadOrTrim, or of the
        waveforms that it was fitted with.
    step : float, default=0.1
        Seconds from one window to the next; rounded to whole frames of the front end.
    sample_rate : int, default=None
        In Hz. None is that of the pipeline's steps.
    other : label or tuple of labels, default=("other", "_unknown_", "_silence_")
        Classes that are no words, of which no events are made; those that the classifier does
        not know are left out. ``fit`` gives the first one to windows of background.
    threshold : float or dict of label to float, default=0.5
        Least score of an event, for all words or for each. See
        :func:`cross_validate_detection_by_speaker`, which chooses one by other speakers.
    min_distance : float, default=0.3
        Least time between the middles of two events, in seconds: of nearer ones the one with
        the higher score stays.
    smoothing : float, default=0.3
        Seconds over which scores are averaged [1]_; rounded down to an odd number of windows.
    patience : int, default=1
        Number of windows in a row that must reach the threshold.
    n_shifts : int, default=2
        Number of windows that ``fit`` makes of each clip, each with other background.
    on_invalid : {"raise", "nan"}, default="raise"
        What NaN or infinity in a recording does: raise an error that names the windows, or
        give these windows NaN as scores, with a warning.
    verbose : int, default=0
        1 shows a progress bar over the seconds of the recordings.
    random_state : int, RandomState instance or None, default=None
        Draws positions, neighbours and levels of the windows that ``fit`` makes.

    Attributes
    ----------
    estimator_ : estimator
        The fitted classifier.
    durations_ : dict of label to float, or None
        Usual duration of each word in seconds, where background was given to ``fit``.
    soft_parts_ : dict of label to ndarray of shape (21, 3), or None
        Seconds at the start of each word, at its end and in its longest pause that are more than
        0, 3, ... 60 dB below its loudest 10 ms; medians of the clips.

    See Also
    --------
    DetectionStream : The same for sound that is still coming in.
    sklearn_speech.metrics.match_events : Compares events with true ones.

    Notes
    -----
    Start and end of an event are where the level of the sound rises and falls, near to where a
    word of the usual duration would begin and end. What noise hides of a word, such as a weak
    "f" or "s", is added as the clips of ``fit`` have it, and the pause of a stop, as in "eight",
    does not end a word. In noise that hides a word almost whole, the usual duration holds. Each
    recording is mirrored at its ends, by half a window, so that words near its ends are found
    too.

    Files that are PCM or FLAC are read in blocks of some seconds, other files one at a time,
    and computed in float32; memory does not grow with the length of a recording, beyond its
    scores. Networks that normalise each clip by itself, or that pad its edges, are not the same
    when they are slid over a whole recording, so they see each window; windows are computed in
    batches.

    With ``background`` in ``fit``, the sound of each clip is mixed into random excerpts of the
    background, alone or among other words of the same speaker. In `n_shifts` windows a clip, the
    word is in the middle, and the label is that word. For every ten such windows, there are six
    with the word beside the middle, and three of background alone, both with the label "other".
    So the classifier learns what clips alone do not contain: parts of words, two words in one
    window, and noise.

    References
    ----------
    .. [1] Chen, Parada and Heigold, "Small-footprint keyword spotting using deep neural
       networks", ICASSP 2014 (posteriors averaged over 0.3 s).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_speech import MelSpectrogram, PadOrTrim, SlidingWindow, TemporalPooling
    >>> tone = np.sin(0.5 * np.arange(800)).astype(np.float32)
    >>> hiss = 0.01 * np.random.default_rng(0).normal(size=8000).astype(np.float32)
    >>> pipeline = make_pipeline(
    ...     PadOrTrim(n_times=800),
    ...     MelSpectrogram(8000),
    ...     TemporalPooling(n_segments=5),
    ...     StandardScaler(),
    ...     LogisticRegression(),
    ... )
    >>> detector = SlidingWindow(
    ...     pipeline, step=0.02, smoothing=0.04, n_shifts=20, random_state=0
    ... )
    >>> detector = detector.fit([tone], ["tone"], background=[hiss])
    >>> recording = hiss.copy()
    >>> recording[4000:4800] += tone
    >>> for recording, word, start, end, score in detector.detect([recording]):
    ...     print(word, round(start, 1), round(end, 1))
    tone 0.5 0.6
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit"])],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
        "step": [Interval(Real, 0, None, closed="neither")],
        "sample_rate": [Interval(Integral, 1, None, closed="left"), None],
        "other": "no_validation",
        "threshold": [Interval(Real, 0, None, closed="left"), dict],
        "min_distance": [Interval(Real, 0, None, closed="left")],
        "smoothing": [Interval(Real, 0, None, closed="left")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "n_shifts": [Interval(Integral, 1, None, closed="left")],
        "on_invalid": [StrOptions({"raise", "nan"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        *,
        duration: float | None = None,
        step: float = 0.1,
        sample_rate: int | None = None,
        other: Any = ("other", "_unknown_", "_silence_"),
        threshold: float | dict[Any, float] = 0.5,
        min_distance: float = 0.3,
        smoothing: float = 0.3,
        patience: int = 1,
        n_shifts: int = 2,
        on_invalid: str = "raise",
        verbose: int = 0,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.duration = duration
        self.step = step
        self.sample_rate = sample_rate
        self.other = other
        self.threshold = threshold
        self.min_distance = min_distance
        self.smoothing = smoothing
        self.patience = patience
        self.n_shifts = n_shifts
        self.on_invalid = on_invalid
        self.verbose = verbose
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: Any,
        *,
        groups: Any = None,
        background: Any = None,
        background_events: Any = None,
    ) -> Self:
        """Fit the classifier on clips, as they are or laid into background.

        Parameters
        ----------
        X : array-like of shape (n_clips,) or (n_clips, n_times)
            Clips of one word each, as the pipeline takes them: files or waveforms.
        y : array-like of shape (n_clips,)
            What is said in each clip.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip: neighbours in a window are of one speaker. Also handed on to
            a classifier whose ``fit`` takes them, for its early stopping.
        background : list of recordings, default=None
            Files or waveforms, at least one window long, that hold no word but at
            `background_events`; "other" is learned from them. None fits the classifier on the
            clips as they are.
        background_events : EventTable, DataFrame or iterable of tuples, default=None
            Words within the background, by the positions or paths of its recordings. These
            parts are left out.

        Returns
        -------
        self : SlidingWindow

        Raises
        ------
        TypeError, ValueError
            When the classifier has no probabilities, no window or rate is known, a recording
            is shorter than a window, or one cannot be read.
        """
        refuse_without_probabilities(self.estimator)
        estimator = clone(self.estimator)
        if background is None:
            if background_events is not None:
                raise ValueError("background_events were given without background")
            estimator.fit(X, y, **groups_for(estimator, groups))
            self.estimator_, self.durations_, self.soft_parts_ = estimator, None, None
            return self
        y = check_class_labels(y)
        rate = rate_of(estimator, self.sample_rate)
        n_window = window_of(split_steps(estimator)[1], self.duration, rate)
        self.estimator_, edges = fit_in_background(
            estimator,
            X,
            y,
            groups,
            background,
            background_events,
            others=self._others(),
            n_shifts=self.n_shifts,
            n_window=n_window,
            sample_rate=rate,
            tolerance=min(self.step, n_window / rate / 4),
            random_state=self.random_state,
        )
        self.durations_ = {word: usual.duration for word, usual in edges.items()}
        self.soft_parts_ = {word: usual.soft for word, usual in edges.items()}
        return self

    def predict_proba(
        self, recordings: Any, *, sample_rate: float | None = None
    ) -> npt.NDArray[Any]:
        """Probabilities of the classes in each window of each recording.

        Parameters
        ----------
        recordings : list of str, os.PathLike, AudioSegment or ndarray of shape (n_samples,)
            Sound files, or waveforms of the pipeline's rate, or anything else that
            :class:`~sklearn_speech.AudioReader` takes, such as ``(samples, sample_rate)``.
        sample_rate : float, default=None
            Rate of the waveforms in Hz, to be compared with the pipeline's.

        Returns
        -------
        scores : ndarray of shape (n_recordings,), dtype object
            One array of shape (n_windows, n_classes) a recording; see :meth:`window_times`.

        Raises
        ------
        TypeError, ValueError
            When a recording is shorter than a window, is empty, holds NaN, or has another
            rate. All are looked at before the first one is computed.
        """
        plan = plan_of(self, sample_rate)
        return make_ragged(score_each(recordings, plan, self.verbose))

    def window_times(self, n_windows: int) -> npt.NDArray[Any]:
        """Middles of the first windows of a recording.

        Parameters
        ----------
        n_windows : int

        Returns
        -------
        times : ndarray of shape (n_windows,)
            In seconds.
        """
        check_n_windows(n_windows)
        return plan_of(self, None).seconds(np.arange(n_windows))

    def detect(
        self,
        recordings: Any,
        *,
        threshold: float | Mapping[Any, float] | None = None,
        min_distance: float | None = None,
        smoothing: float | None = None,
        patience: int | None = None,
        sample_rate: float | None = None,
    ) -> EventTable:
        """Find words.

        Parameters
        ----------
        recordings : list of recordings
            Sound files or waveforms; see :meth:`predict_proba`.
        threshold, min_distance, smoothing, patience : default=None
            Instead of the parameters of the same names.
        sample_rate : float, default=None
            Rate of the waveforms in Hz, to be compared with the pipeline's.

        Returns
        -------
        events : EventTable
            Recordings are named by their paths, or by their positions where they are waveforms.

        Raises
        ------
        TypeError, ValueError
            As of :meth:`predict_proba`.
        """
        plan, rule = self._prepared(sample_rate, threshold, min_distance, smoothing, patience)
        return find_in_each(recordings, plan, rule, self.verbose)

    def stream(
        self,
        *,
        threshold: float | Mapping[Any, float] | None = None,
        min_distance: float | None = None,
        smoothing: float | None = None,
        patience: int | None = None,
        sample_rate: float | None = None,
        recording: Any = 0,
    ) -> DetectionStream:
        """Begin to listen to sound that comes in chunks.

        Parameters
        ----------
        threshold, min_distance, smoothing, patience : default=None
            Instead of the parameters of the same names.
        sample_rate : float, default=None
            Rate of the chunks in Hz, to be compared with the pipeline's.
        recording : str or int, default=0
            What the events call the recording.

        Returns
        -------
        stream : DetectionStream
        """
        plan, rule = self._prepared(sample_rate, threshold, min_distance, smoothing, patience)
        return DetectionStream(plan, rule, check_recording(recording))

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimator_") or is_fitted(self.estimator)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """Classes in the order of the columns of ``predict_proba``."""
        return self._classifier().classes_

    @property
    def sample_rate_(self) -> float:
        """Rate of the waveforms that the classifier takes, in Hz."""
        return rate_of(self._classifier(), self.sample_rate)

    @property
    def words_(self) -> list[Any]:
        """The classes that are words."""
        return [word for word in self.classes_.tolist() if word not in self._others()]

    def _prepared(self, sample_rate: float | None, *passed: Any) -> tuple[Plan, Rule]:
        plan = plan_of(self, sample_rate)
        return plan, rule_of(self, plan, *passed)

    def _classifier(self) -> Any:
        return self.estimator_ if hasattr(self, "estimator_") else self.estimator

    def _others(self) -> list[Any]:
        return labels_of_others(self.other)
