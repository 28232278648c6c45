"""Sine and cosine kernels over time, before and after training."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..utils.parts import final_step
from ._axes import GREY, color_of, open_frame, panel_axes
from ._front_end import describe_front_end


class FourierKernelDisplay:
    """Cosines and sines of a Fourier transform, before and after training.

    There is one column per bin, with cosines above sines. All parameters are stored as
    attributes.

    Parameters
    ----------
    cosine, sine : array-like of shape (n_bins, win_length)
        The kernels, including the window; if there are two sets, the trained one.
    sample_rate : float
        In Hz.
    n_fft : int
        Length of the Fourier transform in samples, which sets the frequencies of the bins.
    initial : (array-like, array-like), default=None
        Cosines and sines before training, shaped like `cosine`.

    Attributes
    ----------
    lines_ : ndarray of matplotlib Line2D of shape (2, n_shown)
        Lines of the kernels; if there are two sets, of the trained ones.
    initial_lines_ : ndarray of matplotlib Line2D of shape (2, n_shown), or None
        Lines of the initial kernels.
    axes_ : ndarray of matplotlib Axes of shape (2, n_shown)
        The panels.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    FilterbankDisplay : The mel filters that follow the kernels.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech import MelSpectrogram
    >>> from sklearn_speech.inspection import FourierKernelDisplay
    >>> display = FourierKernelDisplay.from_estimator(MelSpectrogram(8000), bins=[2, 10])
    >>> [panel.get_title() for panel in display.axes_[0]]
    ['bin 2: 62 Hz', 'bin 10: 312 Hz']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        cosine: npt.ArrayLike,
        sine: npt.ArrayLike,
        *,
        sample_rate: float,
        n_fft: int,
        initial: Any = None,
    ) -> None:
        self.cosine = cosine
        self.sine = sine
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.initial = initial

    def plot(
        self,
        ax: Any = None,
        *,
        bins: Sequence[int] = (2, 10, 20, 50),
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the kernels.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of such, default=None
            A single axes is divided into the panels; an array contains the panels.
            None makes a new figure.
        bins : sequence of int, default=(2, 10, 20, 50)
            Bins to draw, counted from 0 Hz.
        line_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : FourierKernelDisplay
            This display.

        Raises
        ------
        ValueError
            If kernels differ in shape or are not 2-D, or a bin does not exist.
        """
        kernels, initial = self._check_kernels()
        bins = list(bins)
        n_bins, win_length = kernels[0].shape
        if not bins or any(not 0 <= k < n_bins for k in bins):
            raise ValueError(f"bins={bins}: expected whole numbers from 0 to {n_bins - 1}")
        axes = panel_axes(
            self, ax, (2, len(bins)), (1.0 + 2.2 * len(bins), 3.6), sharex=True, sharey=True
        )
        every = [*kernels, *(initial or ())]
        peak = 1.05 * max(float(np.abs(kernel[bins]).max()) for kernel in every) or 1.0
        times = 1000 * np.arange(win_length) / self.sample_rate
        self.lines_ = np.empty((2, len(bins)), dtype=object)
        initial_lines = np.empty((2, len(bins)), dtype=object)
        for row, name in enumerate(("Cosine", "Sine")):
            for column, k in enumerate(bins):
                panel = axes[row, column]
                drawing = {"color": color_of(row), "linewidth": 0.9} | (line_kw or {})
                (self.lines_[row, column],) = panel.plot(times, kernels[row][k], **drawing)
                if initial is not None:
                    # dashed over the trained kernel, so that both are visible where they coincide
                    behind = {"color": GREY, "linestyle": "--", "linewidth": 0.7}
                    (initial_lines[row, column],) = panel.plot(times, initial[row][k], **behind)
                open_frame(panel)
                panel.set_xlim(0, times[-1] if win_length > 1 else 1)
                panel.set_ylim(-peak, peak)
                if row == 0:
                    panel.set_title(
                        f"bin {k}: {k * self.sample_rate / self.n_fft:.0f} Hz", fontsize="medium"
                    )
                    panel.tick_params(labelbottom=False)
                else:
                    panel.set_xlabel("Time (ms)")
                if column == 0:
                    panel.set_ylabel(name)
                else:
                    panel.tick_params(labelleft=False)
        if initial is not None:
            axes[0, 0].legend(
                [self.lines_[0, 0], initial_lines[0, 0]],
                ["trained", "initial"],
                frameon=False,
                fontsize="x-small",
                loc="lower right",
            )
        self.initial_lines_ = None if initial is None else initial_lines
        self.axes_ = axes
        self.ax_ = axes[0, 0]
        self.figure_ = axes[0, 0].figure
        return self

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **plot_kw: Any) -> Self:
        """Draw the kernels of a front end, or of a network that has trained them.

        Parameters
        ----------
        estimator : transformer, fitted network with a ``frontend``, or Pipeline
            If a network has trained its kernels, those of its front end's design are drawn too.
        ax : matplotlib Axes or array-like of such, default=None
            See :meth:`plot`.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : FourierKernelDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the estimator contains no front end of this library.
        """
        axes = describe_front_end(estimator)
        if axes is None or not hasattr(axes.step, "to_module"):
            raise ValueError(f"{type(estimator).__name__} has no front end with Fourier kernels")
        designed = axes.step.to_module(train_stft=True)
        first = _kernels_of(designed.stft)
        network = getattr(final_step(estimator), "module_", None)
        stft = getattr(getattr(network, "front_end", None), "stft", None)
        trained = hasattr(stft, "cosine")
        cosine, sine = _kernels_of(stft) if trained else first
        display = cls(
            cosine,
            sine,
            sample_rate=axes.sample_rate,
            n_fft=designed.n_fft,
            initial=first if trained else None,
        )
        return display.plot(ax=ax, **plot_kw)

    def _check_kernels(self):
        kernels = [np.asarray(self.cosine, dtype=float), np.asarray(self.sine, dtype=float)]
        initial = None
        if self.initial is not None:
            initial = [np.asarray(kernel, dtype=float) for kernel in self.initial]
        for kernel in [*kernels, *(initial or ())]:
            if kernel.ndim != 2 or kernel.shape != kernels[0].shape or kernel.size == 0:
                raise ValueError(
                    f"kernels have shapes {[k.shape for k in [*kernels, *(initial or ())]]}; "
                    "expected (n_bins, win_length), the same for all"
                )
        return kernels, initial


def _kernels_of(stft):
    return [kernel.detach().cpu().numpy() for kernel in (stft.cosine, stft.sine)]
