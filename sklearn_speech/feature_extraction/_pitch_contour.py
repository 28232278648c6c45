"""Waveforms to contours of pitch and level."""

from numbers import Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from ..modules.clipwise_encoder import ClipwiseEncoder
from ..modules.embedding_front_end import EmbeddingFrontEnd
from ..modules.pitch_tracker import PitchTracker
from ..utils.lazy_clips import sample_of
from ..utils.sklearn_private import Interval, check_feature_names_in, fit_context
from ..utils.validation import check_waveforms
from ._base_encoder import BaseEncoder

_NAMES = ("pitch", "periodicity", "level", "pitch_change", "level_change", "pitch_speed", "voiced")


class PitchContour(BaseEncoder):
    """Pitch, periodicity and level of the voice every 10 ms.

    The pitch is that of the largest peak of the autocorrelation of windows of 64 ms [1]_. Its
    course tells emotions, questions and languages with tones apart. The result has seven rows:

    - "pitch": semitones above 100 Hz
    - "periodicity": height of the peak, up to 1 for a clear voice
    - "level": dB of full scale
    - "pitch_change", "level_change": from one frame to the next, in semitones and dB
    - "pitch_speed": absolute value of "pitch_change"
    - "voiced": 1 in voiced frames, 0 in others

    Frames are voiced if their periodicity is above 0.5 and their level at most 35 dB below the
    loudest frame of the clip. In all others, the first six rows have their mean over the voiced
    frames, so that statistics of a clip describe its voiced frames. A clip without periodic
    frames counts as voiced where it is loud enough, with a pitch of 0 semitones.

    Parameters
    ----------
    sample_rate : float, default=16000
        Sampling rate of the waveforms, in Hz. Other rates than 16000 Hz are resampled inside.
    fmin : float, default=60.0
        Lowest pitch, in Hz, 30 or more.
    fmax : float, default=500.0
        Highest pitch, in Hz, up to 2000.
    device : {"auto", "cpu", "cuda"} or torch.device, default="cpu"
        Where to compute.

    Attributes
    ----------
    n_bands_ : int
        Number of rows of a clip's features, 7.
    n_features_in_ : int
        Number of samples of the clips seen in ``fit``, where they were one
        2-D array.

    See Also
    --------
    MFCC : Cepstra describe the spectrum's envelope; those of long windows depend on the pitch.
    TemporalPooling : Makes a table of the contours, for classifiers of scikit-learn.

    References
    ----------
    .. [1] P. Boersma (1993). "Accurate short-term analysis of the fundamental frequency and the
       harmonics-to-noise ratio of a sampled sound". Proceedings of the Institute of Phonetic
       Sciences 17, University of Amsterdam.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech import PitchContour
    >>> times = np.arange(16000) / 16000
    >>> buzz = sum(np.sin(2 * np.pi * 200 * k * times) / k for k in range(1, 6)) / 10
    >>> contours = PitchContour().fit_transform([buzz])[0]
    >>> contours.shape
    (7, 101)
    >>> bool(abs(contours[0, 50] - 12) < 0.1)  # an octave above 100 Hz
    True
    """

    _parameter_constraints = {
        "sample_rate": [Interval(Real, 0, None, closed="neither")],
        "fmin": [Interval(Real, 30, 2000, closed="both")],
        "fmax": [Interval(Real, 30, 2000, closed="both")],
        "device": [str, torch.device],
    }

    n_bands_: int

    def __init__(
        self,
        sample_rate: float = 16000,
        *,
        fmin: float = 60.0,
        fmax: float = 500.0,
        device: str | torch.device = "cpu",
    ) -> None:
        self.sample_rate = sample_rate
        self.fmin = fmin
        self.fmax = fmax
        self.device = device

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Check the parameters; nothing is learned from the clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or 1-D object array or list of 1-D arrays
            Waveforms, amplitude in [-1, 1].
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            When `sample_rate` is no whole number, or `fmin` is not below `fmax`.
        """
        check_waveforms(self, sample_of(X), reset=True)
        self.n_bands_ = self._shared_front_end().n_bands
        return self

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Names of the rows of each clip.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of a 2-D X; they are checked and not used.

        Returns
        -------
        names : ndarray of shape (7,) of str
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features, generate_names=False)
        return np.array(_NAMES, dtype=object)

    def to_module(self) -> EmbeddingFrontEnd:
        """Make a torch module that computes the contours, without anything to learn.

        Returns
        -------
        module : EmbeddingFrontEnd
            ``module(waveforms, lengths=None)`` gives contours of shape (n_clips, 7, n_frames),
            in float32, on the CPU.
        """
        return self._front_end()

    def _make_encoder(self, dtype: torch.dtype) -> ClipwiseEncoder:
        tracker = PitchTracker(self.fmin, self.fmax, dtype)
        return ClipwiseEncoder(tracker, tracker.sample_rate, 0, tracker.hop_length)
