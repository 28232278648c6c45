"""The one spectral front end: waveforms to spectrograms, mel spectrograms or MFCC."""

import torch
from torch import nn

from ..filters import frame_sizes, mel_filterbank, window_function
from .cepstrum import Cepstrum
from .filterbank import MatrixFilterbank
from .framing import Framing
from .scaling import Scaling
from .stft import FixedSTFT


class FrontEnd(nn.Module):
    """Framing, Fourier transform, filter bank, compression and normalisation in one module.

    ``forward`` is the layer of a network: it takes padded batches with their
    lengths and lets gradients through. ``sklearn_speech.modules.extract`` runs
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
        See :func:`sklearn_speech.filters.mel_filterbank`.
    scaling, log_offset, ref, amin, top_db, db_window, normalize
        See :class:`sklearn_speech.modules.scaling.Scaling`.
    zero_frames : {"keep", "drop"}, default="keep"
        Whether frames with an energy of exactly 0 in some band are left out;
        only outside of a network.
    n_mfcc : int, default=None
        Number of cepstral coefficients; None is no cepstrum.
    dct_type, lifter, deltas, delta_width
        See :class:`sklearn_speech.modules.cepstrum.Cepstrum`.
    dtype : torch.dtype, default=torch.float32
        In which filters are stored and clips computed.

    Attributes
    ----------
    n_bands : int
        Rows of what comes out.
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

    def __init__(
        self,
        sample_rate,
        *,
        n_fft=None,
        win_length=None,
        hop_length=None,
        window="hann",
        periodic=True,
        center=True,
        pad_mode="constant",
        preemphasis=0.0,
        detrend=None,
        power=2.0,
        density=False,
        n_mels=None,
        fmin=0.0,
        fmax=None,
        mel_scale="slaney",
        norm="slaney",
        scaling="log",
        log_offset=1e-6,
        ref=1.0,
        amin=1e-10,
        top_db=80.0,
        db_window=None,
        normalize=None,
        zero_frames="keep",
        n_mfcc=None,
        dct_type=2,
        lifter=0,
        deltas=0,
        delta_width=9,
        dtype=torch.float32,
    ):
        super().__init__()
        n_fft, win_length, hop_length = frame_sizes(sample_rate, n_fft, win_length, hop_length)
        self.sample_rate = sample_rate
        self.n_fft, self.win_length, self.hop_length = n_fft, win_length, hop_length
        self.power = power
        self.zero_frames = zero_frames
        self.dtype = dtype
        samples = window_function(window, win_length, periodic=periodic)
        self.framing = Framing(
            n_fft,
            win_length,
            hop_length,
            center=center,
            pad_mode=pad_mode,
            preemphasis=preemphasis,
        )
        self.stft = FixedSTFT(samples, n_fft, detrend=detrend, dtype=dtype)
        self.n_bands = self.stft.n_bins
        self.bank = None
        if n_mels is not None:
            bank = mel_filterbank(
                sample_rate, n_fft, n_mels, fmin=fmin, fmax=fmax, mel_scale=mel_scale, norm=norm
            )
            self.bank = MatrixFilterbank(bank, dtype=dtype)
            self.n_bands = n_mels
        gain = None
        if density:
            gain = torch.full((self.stft.n_bins,), 2.0 / (sample_rate * (samples**2).sum()))
            gain = gain.to(dtype)
            gain[0] /= 2
            if n_fft % 2 == 0:
                gain[-1] /= 2
            gain = gain ** (power / 2)
        self.register_buffer("gain", gain)
        cepstrum = None
        if n_mfcc is not None:
            cepstrum = Cepstrum(
                n_mels,
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

    def n_frames(self, lengths):
        """Number of frames of clips of `lengths` samples (int or Tensor)."""
        return self.framing.n_frames(lengths)

    def energies(self, frames):
        """Energies of frames before scaling.

        Parameters
        ----------
        frames : Tensor of shape (..., win_length)
            What ``framing`` cuts.

        Returns
        -------
        energies : Tensor of shape (..., n_mels) or (..., n_fft // 2 + 1)
        """
        if isinstance(self.stft, FixedSTFT):
            return self.energies_of_windowed(self.stft.windowed(frames))
        return self._filtered(self.stft(frames, self.power))

    def energies_of_windowed(self, windowed):
        """As :meth:`energies`, of frames already multiplied by the window."""
        spectrum = self.stft.spectrum(windowed)
        if self.power != 2:
            magnitudes = spectrum.abs()
            return self._filtered(magnitudes if self.power == 1 else magnitudes**self.power)
        parts = torch.view_as_real(spectrum)
        # Squares of real and imaginary parts stay side by side, where the filter
        # bank adds them up: adding them first costs more than the transform itself.
        parts = parts.square() if parts.requires_grad else parts.square_()
        if self.bank is None:
            return self._filtered(parts[..., 0] + parts[..., 1])
        weights = self._weights().repeat_interleave(2, dim=1)
        return parts.flatten(-2) @ weights.T

    def _weights(self):
        weights = self.bank.matrix()
        return weights if self.gain is None else weights * self.gain

    def _filtered(self, spectra):
        if self.bank is not None:
            return spectra @ self._weights().T
        return spectra if self.gain is None else spectra * self.gain

    def scale(self, energies, valid=None):
        """Features and ranges of energies; see :meth:`Scaling.scale`."""
        return self.scaling.scale(energies, valid)

    def unscale(self, features, ranges):
        """Energies of features; see :meth:`Scaling.unscale`."""
        return self.scaling.unscale(features, ranges)

    def forward(self, waveforms, lengths=None):
        """Spectrograms of a batch.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_samples)
            Waveforms, amplitude in [-1, 1], padded with anything.
        lengths : int64 Tensor of shape (n_clips,), default=None
            Samples of each clip; None is the whole width.

        Returns
        -------
        spectrograms : Tensor of shape (n_clips, n_bands, n_frames)
            Frames beyond a clip's own are 0.
        """
        if self.zero_frames == "drop":
            raise ValueError(
                "zero_frames='drop' cannot be used inside a network, where the number of frames "
                "must follow from the length of a clip; use zero_frames='keep'"
            )
        frames = self.framing(waveforms.to(self.dtype), lengths)
        energies = self.energies(frames)
        valid = None
        if lengths is not None:
            counts = self.n_frames(lengths.to(energies.device)).unsqueeze(1)
            valid = torch.arange(energies.shape[1], device=energies.device) < counts
        features, _ = self.scale(energies, valid)
        if valid is not None:
            features = torch.where(valid.unsqueeze(-1), features, features.new_zeros(()))
        return features.transpose(1, 2)
