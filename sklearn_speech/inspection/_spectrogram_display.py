"""A spectrogram in seconds, hertz and decibels."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..filters import frame_sizes, window_function
from ._axes import single_axes
from ._front_end import spectrogram_of
from ._inputs import one_waveform
from ._scales import centers_to_edges, mel_axis, power_to_decibels
from ._segments import check_segments, draw_segments


class SpectrogramDisplay:
    """Spectrogram of one clip, optionally with phones or words.

    Use :meth:`from_waveform` or :meth:`from_estimator` to make one. All parameters
    are stored as attributes.

    Parameters
    ----------
    spectrogram : array-like of shape (n_bands, n_frames)
        Levels, lowest frequency first.
    sample_rate : int, default=None
        In Hz. None means that the axes count frames and bands.
    hop_length : float, default=None
        Samples from one frame to the next; needed with `sample_rate`.
    frequencies : array-like of shape (n_bands,), default=None
        Centre of each band in Hz, ascending. None means evenly spaced from 0 Hz to half the
        sample rate, like the bins of a short-time Fourier transform.
    first_frame_time : float, default=0.0
        Seconds from the start of the clip to the middle of the first frame.
    unit : str, default="dB"
        Unit of the levels; "" for none.
    row_name : str, default=None
        Label of rows that are not frequencies, such as "Cepstral coefficient"; they are counted
        from 0.
    segments : list of (float, float, str), default=None
        Start and end in seconds, and label, of phones or words.

    Attributes
    ----------
    im_ : matplotlib QuadMesh
        The picture.
    colorbar_ : matplotlib Colorbar or None
        None with ``colorbar=False``.
    boundaries_ : matplotlib LineCollection or None
        Boundaries of the segments; None without segments.
    segment_labels_ : list of matplotlib Text
        Labels of the segments that fit.
    ax_ : matplotlib Axes
        Axes with the spectrogram.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    ReconstructionDisplay : Spectrograms and their reconstructions by an autoencoder.
    WaveformDisplay : The waveform itself.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn_speech.inspection import SpectrogramDisplay
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(8000) / 8000)
    >>> display = SpectrogramDisplay.from_waveform(
    ...     tone, sample_rate=8000, segments=[(0.2, 0.8, "beep")]
    ... )
    >>> display.ax_.get_ylabel()
    'Frequency (Hz)'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        spectrogram: npt.ArrayLike,
        *,
        sample_rate: float | None = None,
        hop_length: float | None = None,
        frequencies: npt.ArrayLike | None = None,
        first_frame_time: float = 0.0,
        unit: str = "dB",
        row_name: str | None = None,
        segments: Any = None,
    ) -> None:
        self.spectrogram = spectrogram
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        self.frequencies = frequencies
        self.first_frame_time = first_frame_time
        self.unit = unit
        self.row_name = row_name
        self.segments = segments

    def plot(
        self,
        ax: Any = None,
        *,
        frequency_scale: str = "linear",
        dynamic_range: float | None = 80.0,
        vmin: float | None = None,
        vmax: float | None = None,
        cmap: Any = "magma",
        colorbar: bool = True,
        segment_color: Any = "white",
        im_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the spectrogram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        frequency_scale : {"linear", "mel"}, default="linear"
            Scale of the frequency axis; it is labelled in Hz in either case.
        dynamic_range : float or None, default=80.0
            For levels in dB without `vmin`, the range of the colours below the highest level.
            None extends it to the lowest level.
        vmin, vmax : float, default=None
            Levels of the first and the last colour.
        cmap : str or matplotlib Colormap, default="magma"
            The lightness of the default is uniform, so it is readable with any colour blindness
            and in grey.
        colorbar : bool, default=True
            Whether to draw a colour bar.
        segment_color : color, default="white"
            Colour of the boundaries between segments.
        im_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        display : SpectrogramDisplay
            This display.

        Raises
        ------
        ValueError
            If the spectrogram is not 2-D, `frequencies` has the wrong length, or
            `frequency_scale` is unknown.
        """
        levels = np.asarray(self.spectrogram, dtype=float)
        if levels.ndim != 2 or levels.size == 0:
            raise ValueError(
                f"spectrogram has shape {levels.shape}; expected one clip, (n_bands, n_frames)"
            )
        if frequency_scale not in ("linear", "mel"):
            raise ValueError(f"frequency_scale={frequency_scale!r}: expected 'linear' or 'mel'")
        segments = check_segments(self.segments)
        time_edges, frequency_edges = self._cell_edges(levels.shape)
        vmax = float(levels.max()) if vmax is None else vmax
        if vmin is None:
            vmin = float(levels.min())
            if self.unit.startswith("dB") and dynamic_range is not None:
                vmin = max(vmin, vmax - dynamic_range)

        ax = single_axes(self, ax, figsize=(6.4, 3.2))
        # rasterized, because a mesh of 20,000 vector cells makes a PDF slow and shows seams
        drawing = {"cmap": cmap, "vmin": vmin, "vmax": vmax, "rasterized": True} | (im_kw or {})
        self.im_ = ax.pcolormesh(time_edges, frequency_edges, levels, **drawing)
        if self.sample_rate is None:
            ax.set(xlabel="Frame", ylabel="Band")
        else:
            ax.set(xlabel="Time (s)", ylabel=self.row_name or "Frequency (Hz)")
            if frequency_scale == "mel" and self.row_name is None:
                mel_axis(ax)
        ax.set_xlim(time_edges[0], time_edges[-1])
        ax.set_ylim(frequency_edges[0], frequency_edges[-1])
        self.colorbar_ = None
        if colorbar:
            cut = (levels.min() < vmin, levels.max() > vmax)
            plain = "Level" if self.row_name is None else "Value"
            self.colorbar_ = ax.figure.colorbar(
                self.im_,
                ax=ax,
                label=f"{plain} ({self.unit})" if self.unit else plain,
                extend={(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[cut],
                pad=0.02,
            )
        self.boundaries_, self.segment_labels_ = draw_segments(ax, segments, color=segment_color)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _cell_edges(self, shape):
        n_bands, n_frames = shape
        if self.sample_rate is None:
            return np.arange(n_frames + 1) - 0.5, np.arange(n_bands + 1) - 0.5
        if self.hop_length is None:
            raise ValueError("hop_length=None: expected samples, because sample_rate is given")
        period = self.hop_length / self.sample_rate
        times = self.first_frame_time + period * np.arange(n_frames)
        time_edges = centers_to_edges(times, width=period)
        if self.row_name is not None:
            return time_edges, np.arange(n_bands + 1) - 0.5
        nyquist = self.sample_rate / 2
        centers = self.frequencies
        centers = np.linspace(0, nyquist, n_bands) if centers is None else np.asarray(centers)
        if centers.shape != (n_bands,) or (np.diff(centers) <= 0).any():
            raise ValueError(
                f"frequencies has shape {centers.shape}: expected {n_bands} ascending numbers in "
                "Hz, one per band of the spectrogram"
            )
        return time_edges, centers_to_edges(centers, low=0.0, high=nyquist)

    @classmethod
    def from_waveform(
        cls,
        waveform: npt.ArrayLike,
        *,
        sample_rate: float,
        n_fft: int | None = None,
        win_length: int | None = None,
        hop_length: int | None = None,
        segments: Any = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the short-time Fourier spectrum of a waveform.

        Levels are relative to full scale: a sine of amplitude 1 is at 0 dB.

        Parameters
        ----------
        waveform : array-like of shape (n_times,)
            One clip, amplitude in [-1, 1].
        sample_rate : int
            In Hz.
        n_fft : int, default=None
            Length of the Fourier transform in samples; None means the smallest power of two
            that covers the window.
        win_length : int, default=None
            Length of the Hann window in samples; None means `n_fft`, or 25 ms.
        hop_length : int, default=None
            Samples from one frame to the next; None means 5 ms, half of the estimators'
            default, for a smooth picture.
        segments : list of (float, float, str), default=None
            Start and end in seconds, and label, of phones or words.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : SpectrogramDisplay
            The drawn display.
        """
        waveform = one_waveform(waveform).astype(float)
        hop_length = hop_length or max(1, round(0.005 * sample_rate))
        n_fft, win_length, hop_length = frame_sizes(sample_rate, n_fft, win_length, hop_length)
        window = window_function("hann", win_length)
        padded = np.pad(waveform, (win_length // 2, win_length))
        frames = np.lib.stride_tricks.sliding_window_view(padded, win_length)
        frames = frames[: len(waveform) : hop_length]
        amplitudes = np.abs(np.fft.rfft(frames * window, n=n_fft)) / (window.sum() / 2)
        display = cls(
            power_to_decibels(amplitudes.T**2),
            sample_rate=sample_rate,
            hop_length=hop_length,
            frequencies=np.fft.rfftfreq(n_fft, 1 / sample_rate),
            unit="dB re full scale",
            segments=segments,
        )
        return display.plot(ax=ax, **plot_kw)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, *, segments: Any = None, ax: Any = None, **plot_kw: Any
    ) -> Self:
        """Draw the spectrogram that a fitted front end computes from one clip.

        Levels are converted to dB for any ``scaling`` of the front end, unless the front end or
        a later step of a pipeline normalises them. Mel bands are drawn on a mel axis unless
        `frequency_scale` is given.

        Parameters
        ----------
        estimator : fitted transformer or Pipeline
            A transformer that computes spectrograms. If a pipeline ends in a classifier, the
            steps before it are used.
        X : array-like of shape (n_times,), or what ``transform`` takes for one clip
            One clip.
        segments : list of (float, float, str), default=None
            Start and end in seconds, and label, of phones or words.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : SpectrogramDisplay
            The drawn display.
        """
        levels, unit, front_end = spectrogram_of(estimator, X)
        display = cls(
            levels,
            sample_rate=front_end.sample_rate,
            hop_length=front_end.hop_length,
            frequencies=front_end.frequencies,
            first_frame_time=front_end.first_frame_time,
            unit=unit,
            row_name=front_end.row_name,
            segments=segments,
        )
        if getattr(front_end.step, "n_mfcc", None) is not None and len(levels) > 1:
            # coefficient 0, the loudness, is so large that the others would be indistinguishable
            plot_kw = {"vmin": levels[1:].min(), "vmax": levels[1:].max()} | plot_kw
        elif getattr(front_end.step, "n_mels", None) is not None:
            plot_kw.setdefault("frequency_scale", "mel")
        return display.plot(ax=ax, **plot_kw)
