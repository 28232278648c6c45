"""Waveforms to mel spectrograms."""

from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..filters._mel_scale import MelScale
from ..modules.framing import PadMode
from ._base import ANALYSIS_CONSTRAINTS, MEL_CONSTRAINTS, BaseSpectralTransformer


class MelSpectrogram(BaseSpectralTransformer):
    """Mel spectrograms of waveforms.

    Each clip is cut into overlapping windows, whose Fourier spectra are summed
    in bands of equal width on the mel scale; the logarithm of these energies is
    what most speech classifiers read. With ``scaling=None`` and
    ``norm="slaney"`` the result is that of ``librosa.feature.melspectrogram``.

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
        Exponent of the magnitudes: 2 sums energies, 1 sums magnitudes.
    n_mels : int, default=40
        Number of bands.
    fmin : float, default=0.0
        Lower edge of the lowest band, in Hz.
    fmax : float, default=None
        Upper edge of the highest band, in Hz. None is half of `sample_rate`.
    mel_scale : {"slaney", "htk"}, default="slaney"
        See :func:`sklearn_speech.filters.hz_to_mel`.
    norm : {"slaney", None}, default="slaney"
        Whether triangles have equal areas, or all have the peak 1.
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
        Whether to leave out the frames in which the energy of some band is
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
    Spectrogram : The bins of the Fourier transform themselves.
    MFCC : Cepstral coefficients of mel spectrograms.
    TemporalPooling : Makes a table of them, for ``SVC`` and other classifiers of scikit-learn.

    Notes
    -----
    float64 waveforms are computed, and returned, in float64.

    Decibels with a floor below the loudest band of the same clip are the default because
    silence, and the zeros that pad a clip, then lie equally far below a quiet speaker's
    voice and a loud one's. A fixed `log_offset` masks the quiet one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech import MelSpectrogram
    >>> X = np.random.default_rng(0).normal(scale=0.1, size=(2, 8000))
    >>> MelSpectrogram(sample_rate=8000, n_mels=40).fit_transform(X).shape
    (2, 40, 101)
    """

    _band_name = "mel"

    _parameter_constraints = {**ANALYSIS_CONSTRAINTS, **MEL_CONSTRAINTS}

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
        n_mels: int = 40,
        fmin: float = 0.0,
        fmax: float | None = None,
        mel_scale: MelScale = "slaney",
        norm: Literal["slaney"] | None = "slaney",
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
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.mel_scale = mel_scale
        self.norm = norm
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
