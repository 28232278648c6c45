"""The one spectral front end: waveforms to spectrograms, mel spectrograms or MFCC."""

from itertools import chain
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from ..filters import frame_sizes, mel_filterbank, mel_frequencies, window_function
from ..filters._mel_filterbank import check_band
from ..filters._mel_scale import MelScale
from .cepstrum import Cepstrum
from .counts import Count
from .filterbank import MatrixFilterbank, ShapedFilterbank
from .framing import Framing, PadMode
from .scaling import Scaling
from .stft import FixedSTFT, TrainableSTFT

#: Number of bands that are multiplied together: as many as a vector of the processor holds.
_BANDS_IN_BLOCK = 16

#: Bands, interleaved real and imaginary parts of bins, and weights of a part of a filter bank.
Blocks = list[tuple[slice, slice, Tensor]]

ZERO_FRAMES_IN_NETWORK = (
    "zero_frames='drop' cannot be used inside a network, where the number of frames must follow "
    "from the length of a clip; use zero_frames='keep'"
)


class FrontEnd(nn.Module):
    """Framing, Fourier transform, filter bank, compression and normalisation in one module.

    ``forward`` is the layer of a network: it takes padded batches with their
    lengths and lets gradients through. The transformers of `feature_extraction` run
    the same parts in cache-sized chunks, without gradients.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    n_fft, win_length, hop_length : int, default=None
        In samples; see :func:`sklearn_speech.filters.frame_sizes`.
    window : str, float, tuple or ndarray, default="hann"
        See :func:`sklearn_speech.filters.window_function`.
    periodic : bool, default=True
        Periodic or symmetric window.
    center, pad_mode, preemphasis
        See :class:`sklearn_speech.modules.framing.Framing`.
    detrend : {None, "constant", "linear"}, default=None
        What is subtracted from each frame before the window.
    power : float, default=2.0
        Exponent of the magnitudes.
    density : bool, default=False
        Power per Hz of one-sided spectra, as in :func:`scipy.signal.spectrogram`.
    n_mels : int, default=None
        Number of mel bands; None keeps the bins of the FFT.
    fmin, fmax, mel_scale, norm
        See :func:`sklearn_speech.filters.mel_filterbank`. Shaped filters with
        ``norm="slaney"`` keep the area norm that they begin with.
    scaling, log_offset, ref, amin, top_db, db_window, normalize
        See :class:`sklearn_speech.modules.scaling.Scaling`.
    zero_frames : {"keep", "drop"}, default="keep"
        Whether frames with an energy of exactly 0 in some band are dropped; only outside a
        network.
    n_mfcc : int, default=None
        Number of cepstral coefficients; None is no cepstrum.
    dct_type, lifter, deltas, delta_width
        See :class:`sklearn_speech.modules.cepstrum.Cepstrum`.
    train_stft : bool, default=False
        Whether the sines and cosines, at first the windowed Fourier basis, are learned.
    train_mel : bool, default=False
        Whether the filter bank is learned. Its ``apply_constraints`` clips it to its limits
        after an optimiser's step.
    random_mel : bool, default=False
        Start from random filters; only for a free filter bank that is trained.
    filterbank : {"free", "triangular", "gaussian", "rectangular"}, default="free"
        "free" treats every weight of the mel filter bank independently; the others are
        filters of that shape, each with a centre and a half band.
    masked_bins : (int, int), default=None
        Bins of the Fourier transform, first and one after the last, taken as 0.
    generator : torch.Generator, default=None
        Source of random filters; None is torch's global generator.
    dtype : torch.dtype, default=torch.float32
        Type of the filters and of the computation.

    Attributes
    ----------
    n_bands : int
        Number of output rows.
    hop_length, n_fft, win_length : int
        In samples.

    Examples
    --------
    >>> front_end = FrontEnd(8000, n_mels=40)
    >>> front_end(torch.zeros(2, 8000)).shape
    torch.Size([2, 40, 101])
    >>> front_end.n_frames(4000)
    51
    """

    gain: Tensor | None

    def __init__(
        self,
        sample_rate: float,
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
        n_mels: int | None = None,
        fmin: float = 0.0,
        fmax: float | None = None,
        mel_scale: MelScale = "slaney",
        norm: str | None = "slaney",
        scaling: str | None = "log",
        log_offset: float = 1e-6,
        ref: float | str = 1.0,
        amin: float = 1e-14,
        top_db: float | None = 80.0,
        db_window: tuple[float, float] | None = None,
        normalize: str | None = None,
        zero_frames: str = "keep",
        n_mfcc: int | None = None,
        dct_type: Literal[1, 2, 3] = 2,
        lifter: float = 0,
        deltas: int = 0,
        delta_width: int = 9,
        train_stft: bool = False,
        train_mel: bool = False,
        random_mel: bool = False,
        filterbank: str = "free",
        masked_bins: tuple[int, int] | None = None,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        n_fft, win_length, hop_length = frame_sizes(sample_rate, n_fft, win_length, hop_length)
        self.sample_rate = sample_rate
        self.n_fft, self.win_length, self.hop_length = n_fft, win_length, hop_length
        self.power = power
        self.zero_frames = zero_frames
        samples = window_function(window, win_length, periodic=periodic)
        self.framing = Framing(
            n_fft,
            win_length,
            hop_length,
            center=center,
            pad_mode=pad_mode,
            preemphasis=preemphasis,
        )
        transform = TrainableSTFT if train_stft else FixedSTFT
        self.stft: Any = transform(samples, n_fft, detrend=detrend, dtype=dtype)
        self.n_bands = self.stft.n_bins if n_mels is None else n_mels
        self.bank: Any = None
        if n_mels is not None:
            mel = {"fmin": fmin, "fmax": fmax, "mel_scale": mel_scale, "norm": norm}
            self.bank = self._design_bank(
                n_mels, mel, filterbank, train_mel, random_mel, generator, dtype
            )
        elif n_mfcc is not None:
            raise ValueError("n_mfcc needs a mel filter bank (n_mels)")
        elif train_mel or random_mel or filterbank != "free":
            raise ValueError("train_mel, random_mel and filterbank need a mel filter bank (n_mels)")
        gain = self._design_gain(samples if density else None, masked_bins)
        self.register_buffer("gain", None if gain is None else gain.to(dtype))
        cepstrum = None
        if n_mfcc is not None:
            cepstrum = Cepstrum(
                self.n_bands,
                n_mfcc,
                dct_type=dct_type,
                lifter=lifter,
                deltas=deltas,
                delta_width=delta_width,
                dtype=dtype,
            )
            self.n_bands = cepstrum.n_features
        self.scaling = Scaling(
            scaling,
            power,
            log_offset=log_offset,
            ref=ref,
            amin=amin,
            top_db=top_db,
            db_window=db_window,
            normalize=normalize,
            cepstrum=cepstrum,
        )

    @property
    def dtype(self) -> torch.dtype:
        """Type in which the module currently computes."""
        return next(chain(self.stft.parameters(), self.stft.buffers())).dtype

    def _design_bank(
        self,
        n_mels: int,
        mel: dict[str, Any],
        filterbank: str,
        trainable: bool,
        random: bool,
        generator: torch.Generator | None,
        dtype: torch.dtype,
    ) -> MatrixFilterbank | ShapedFilterbank:
        if random and not (trainable and filterbank == "free"):
            raise ValueError(
                "random_mel=True needs free, learned filters: "
                "set train_mel=True and filterbank='free'"
            )
        if filterbank == "free":
            bank = mel_filterbank(self.sample_rate, self.n_fft, n_mels, **mel)
            return MatrixFilterbank(
                bank, trainable=trainable, random=random, generator=generator, dtype=dtype
            )
        fmax = check_band(self.sample_rate, mel["fmin"], mel["fmax"])
        points = mel_frequencies(n_mels + 2, mel["fmin"], fmax, mel["mel_scale"])
        gains = None if mel["norm"] is None else 2.0 / (points[2:] - points[:-2])
        return ShapedFilterbank(
            points[1:-1],
            points[1:-1] - points[:-2],
            self.sample_rate,
            self.n_fft,
            filterbank,
            gains=gains,
            trainable=trainable,
            dtype=dtype,
        )

    def _design_gain(
        self, density_window: np.ndarray | None, masked_bins: tuple[int, int] | None
    ) -> Tensor | None:
        """Factor of each bin's magnitude raised to `power`, or None where all are 1."""
        if density_window is None and masked_bins is None:
            return None
        gain = torch.ones(self.stft.n_bins, dtype=torch.float64)
        if density_window is not None:
            gain *= 2.0 / (self.sample_rate * (density_window**2).sum())
            gain[0] /= 2
            if self.n_fft % 2 == 0:
                gain[-1] /= 2
            gain = gain ** (self.power / 2)
        if masked_bins is not None:
            start, stop = masked_bins
            if not 0 <= start < stop <= self.stft.n_bins:
                raise ValueError(
                    f"masked_bins={masked_bins!r}: expected (first, one after the last) within "
                    f"the {self.stft.n_bins} bins of n_fft={self.n_fft}"
                )
            gain[start:stop] = 0
        return gain

    def n_frames(self, lengths: Count) -> Count:
        """Number of frames of clips of `lengths` samples (int or Tensor)."""
        return self.framing.n_frames(lengths)

    def energies(self, frames: Tensor, blocks: Blocks | None = None) -> Tensor:
        """Energies of frames before scaling.

        Parameters
        ----------
        frames : Tensor of shape (..., win_length)
            Frames from ``framing``.
        blocks : list of tuple, default=None
            Result of :meth:`blocks`, for speed without gradients.

        Returns
        -------
        energies : Tensor of shape (..., n_mels) or (..., n_fft // 2 + 1)
        """
        if not isinstance(self.stft, FixedSTFT):
            return self._filtered(self.stft(frames, self.power))
        return self.energies_of_spectra(self.stft.spectrum(self.stft.windowed(frames)), blocks)

    def energies_of_spectra(self, spectrum: Tensor, blocks: Blocks | None = None) -> Tensor:
        """Energies of complex spectra, whose memory is overwritten where no gradient needs it.

        Parameters
        ----------
        spectrum : complex Tensor of shape (..., n_fft // 2 + 1)
        blocks : list of tuple, default=None
            As in :meth:`energies`.

        Returns
        -------
        energies : Tensor of shape (..., n_mels) or (..., n_fft // 2 + 1)
        """
        if self.power != 2:
            magnitudes = spectrum.abs()
            return self._filtered(magnitudes if self.power == 1 else magnitudes**self.power)
        parts = torch.view_as_real(spectrum)
        # Squares of real and imaginary parts stay side by side, where the filter
        # bank adds them up: adding them first costs more than the transform itself.
        parts = parts.square() if parts.requires_grad else parts.square_()
        if self.bank is None:
            return self._filtered(parts[..., 0] + parts[..., 1])
        squares = parts.flatten(-2)
        if blocks is None:
            return squares @ self._weights().repeat_interleave(2, dim=1).T
        rows = squares.reshape(-1, squares.shape[-1])
        # frames side by side, as in features: what follows runs along them
        out = rows.new_empty(blocks[-1][0].stop, len(rows))
        for bands, columns, weights in blocks:
            torch.mm(weights, rows[:, columns].T, out=out[bands])
        return out.T.reshape(*squares.shape[:-1], len(out))

    @torch.no_grad()
    def blocks(self) -> Blocks | None:
        """The parts of the filter bank's matrix that are not zero, in groups of 16 bands.

        Most of a mel matrix is zeros: the products with these blocks take half
        the time of the product with the whole.

        Returns
        -------
        blocks : list of (slice, slice, Tensor), or None
            Bands, interleaved real and imaginary parts of bins, and their weights; None
            without a filter bank, or unless `power` is 2.
        """
        if self.bank is None or self.power != 2:
            return None
        blocks: Blocks = []
        for group in self._weights().repeat_interleave(2, dim=1).split(_BANDS_IN_BLOCK):
            used = group.any(dim=0).nonzero().flatten().tolist() or [0]
            columns = slice(used[0], used[-1] + 1)
            first = blocks[-1][0].stop if blocks else 0
            bands = slice(first, first + len(group))
            blocks.append((bands, columns, group[:, columns].contiguous()))
        return blocks

    def _weights(self) -> Tensor:
        weights = self.bank.matrix()
        return weights if self.gain is None else weights * self.gain

    def _filtered(self, spectra: Tensor) -> Tensor:
        if self.bank is not None:
            return spectra @ self._weights().T
        return spectra if self.gain is None else spectra * self.gain

    def scale(self, energies: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Features and ranges of energies; see :meth:`Scaling.scale`."""
        return self.scaling.scale(energies, valid)

    def unscale(self, features: Tensor, ranges: Tensor) -> Tensor:
        """Energies of features; see :meth:`Scaling.unscale`."""
        return self.scaling.unscale(features, ranges)

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Spectrograms of a batch.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_samples)
            Waveforms, amplitude in [-1, 1]; the padding may hold anything.
        lengths : int64 Tensor of shape (n_clips,), default=None
            Samples of each clip; None is the whole width.

        Returns
        -------
        spectrograms : Tensor of shape (n_clips, n_bands, n_frames)
            Frames beyond a clip's own are 0.
        """
        if self.zero_frames == "drop":
            raise ValueError(ZERO_FRAMES_IN_NETWORK)
        # half precision cannot hold the energy of a loud clip
        with torch.autocast(waveforms.device.type, enabled=False):
            return self._features(waveforms.to(self.dtype), lengths)

    def frame_times(self) -> tuple[float, float]:
        """Seconds from one frame to the next, and to the centre of the first one."""
        centre = self.framing.first_sample + self.framing.win_length / 2
        return self.hop_length / self.sample_rate, centre / self.sample_rate

    def _features(self, waveforms: Tensor, lengths: Tensor | None) -> Tensor:
        energies = self.energies(self.framing(waveforms, lengths))
        valid = None
        if lengths is not None:
            counts = self.n_frames(lengths.to(energies.device)).unsqueeze(1)
            valid = torch.arange(energies.shape[1], device=energies.device) < counts
        features, _ = self.scale(energies, valid)
        if valid is not None:
            features = torch.where(valid.unsqueeze(-1), features, features.new_zeros(()))
        return features.transpose(1, 2)
