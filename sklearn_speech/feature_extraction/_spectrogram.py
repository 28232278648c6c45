"""Waveforms to spectrograms."""

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..modules.framing import PadMode
from ._base import ANALYSIS_CONSTRAINTS, BaseSpectralTransformer


class Spectrogram(BaseSpectralTransformer):
    """Spectrograms of waveforms: the magnitudes of the short-time Fourier transform.

    With ``scaling=None`` and ``power=1.0`` the result is that of
    ``numpy.abs(librosa.stft(...))``; with ``density=True``, ``center=False`` and
    ``detrend="constant"``, and `win_length` equal to `n_fft`, that of
    :func:`scipy.signal.spectrogram`.

    Parameters
    ----------
    sample_rate : float, default=16000
        Sampling rate of the waveforms, in Hz.
    n_fft : int, default=None
        Length of the Fourier transform, in samples. None is the next power of
        two that holds the window.
    win_length : int, default=None
        Length of the window, in samples. None is `n_fft`, or 25 ms where that
        is None too.
    hop_length : int, default=None
        Samples from one frame to the next. None is 10 ms.
    window : str, float, tuple or array-like of shape (win_length,), default="hann"
        Any window that :func:`scipy.signal.get_window` accepts, or its samples.
    periodic : bool, default=True
        Whether the window is periodic, as for spectral analysis, or symmetric.
    center : bool, default=True
        Whether frame t is centred on sample ``t * hop_length``, with padding at both ends.
        If False, a clip must be at least `n_fft` samples long.
    pad_mode : {"constant", "reflect", "edge"}, default="constant"
        What lies beyond the ends of a clip: silence, its mirror image (which
        needs clips longer than half a window), or its outermost sample.
    preemphasis : float, default=0.0
        Share of the previous sample that is subtracted from each sample, often 0.97.
    detrend : {None, "constant", "linear"}, default=None
        What is subtracted from each frame before the window: nothing, its mean,
        or its least-squares line.
    power : float, default=2.0
        Exponent of the magnitudes: 2 is energy, 1 is magnitude.
    density : bool, default=False
        Whether to divide by the sampling rate and the energy of the window, and
        count the negative frequencies too: power per Hz.
    scaling : {None, "log", "db"}, default="db"
        None keeps energies, "log" is ``log(energy + log_offset)``, "db" is
        decibels over `ref`.
    log_offset : float, default=1e-6
        Added before the logarithm, so that silence has a level. Waveforms in
        [-1, 1] are assumed.
    ref : float or "max", default=1.0
        The energy of 0 dB; "max" is the largest of each clip. Only for "db".
    amin : float, default=1e-14
        Smaller energies are raised to this value before decibels are taken.
    top_db : float, default=80.0
        Floor of each clip, in dB below its largest value; None is no floor. Only for "db".
    db_window : (float, float), default=None
        Levels in dB that become 0 and 1; values outside are cut off. Only for "db".
    normalize : {None, "clip", "band", "minmax", "max"}, default=None
        Bring each clip to mean 0 and standard deviation 1 as a whole ("clip")
        or band by band ("band"), to [0, 1] ("minmax"), or divide it by its
        largest value ("max").
    zero_frames : {"keep", "drop"}, default="keep"
        Whether to leave out the frames in which the energy of some bin is
        exactly 0. Dropping makes the result ragged.
    device : {"auto", "cpu", "cuda"} or torch.device, default="cpu"
        Where to compute.
    n_iter : int, default=32
        Iterations in which ``inverse_transform`` estimates the phases.
    momentum : float, default=0.9
        Momentum of these iterations, in [0, 2); from 1 on they may not converge.
    random_state : int, RandomState instance or None, default=None
        Seed of the initial phases of ``inverse_transform``.

    Attributes
    ----------
    n_bands_ : int
        Number of rows of a clip's features.
    ranges_ : ndarray of shape (3, 1) or (3, n_bands), or None
        Mean range of up to 256 training clips, see ``clip_ranges``; None where scaling
        removes nothing from a clip.
    n_features_in_ : int
        Number of samples of the clips seen in ``fit``, where they were one
        2-D array.

    See Also
    --------
    MelSpectrogram : Spectrograms summed in mel bands.
    MFCC : Cepstral coefficients of mel spectrograms.
    TemporalPooling : Makes a table of them, for ``SVC`` and other classifiers of scikit-learn.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech import Spectrogram
    >>> X = np.random.default_rng(0).normal(scale=0.1, size=(2, 8000))
    >>> Spectrogram(sample_rate=8000).fit_transform(X).shape
    (2, 129, 101)
    """

    _band_name = "bin"

    _parameter_constraints = {**ANALYSIS_CONSTRAINTS, "density": ["boolean"]}

    def __init__(
        self,
        sample_rate: float = 16000,
        *,
        n_fft: int | None = None,
        win_length: int | None = None,
        hop_length: int | None = None,
        window: str | float | tuple | ArrayLike = "hann",
        periodic: bool = True,
        center: bool = True,
        pad_mode: PadMode = "constant",
        preemphasis: float = 0.0,
        detrend: str | None = None,
        power: float = 2.0,
        density: bool = False,
        scaling: str | None = "db",
        log_offset: float = 1e-6,
        ref: float | str = 1.0,
        amin: float = 1e-14,
        top_db: float | None = 80.0,
        db_window: tuple[float, float] | None = None,
        normalize: str | None = None,
        zero_frames: str = "keep",
        device: str | torch.device = "cpu",
        n_iter: int = 32,
        momentum: float = 0.9,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.window = window
        self.periodic = periodic
        self.center = center
        self.pad_mode = pad_mode
        self.preemphasis = preemphasis
        self.detrend = detrend
        self.power = power
        self.density = density
        self.scaling = scaling
        self.log_offset = log_offset
        self.ref = ref
        self.amin = amin
        self.top_db = top_db
        self.db_window = db_window
        self.normalize = normalize
        self.zero_frames = zero_frames
        self.device = device
        self.n_iter = n_iter
        self.momentum = momentum
        self.random_state = random_state
