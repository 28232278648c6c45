"""Spectrograms and their reconstructions by an autoencoder."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..utils.parts import final_step
from ._axes import panel_axes
from ._front_end import describe_front_end
from ._results import refuse_without
from ._spectrogram_display import SpectrogramDisplay

ROWS = ("Input", "Reconstruction", "Error")


class ReconstructionDisplay:
    """Input, reconstruction and difference, one column per clip.

    Input and reconstruction share one colour scale, so that wrong levels are visible; the
    difference has its own scale, with white at zero. All parameters are stored as attributes.

    Parameters
    ----------
    originals : array-like of shape (n_clips, n_bands, n_frames), or list of 2-D arrays
        Spectrograms before the autoencoder.
    reconstructions : array-like of shape (n_clips, n_bands, n_frames), or list of 2-D arrays
        Spectrograms after it, of the same shapes.
    sample_rate : int, default=None
        In Hz. None means that the axes count frames and bands.
    hop_length : float, default=None
        Samples from one frame to the next.
    frequencies : array-like of shape (n_bands,), default=None
        Centre of each band in Hz.
    unit : str, default="dB"
        Unit of the levels; "" for none.
    names : list of str, default=None
        Titles of the clips.

    Attributes
    ----------
    im_ : ndarray of matplotlib QuadMesh of shape (n_rows, n_clips)
        The pictures.
    colorbars_ : list of matplotlib Colorbar
        Colour bars of the levels and, if drawn, of the errors.
    errors_ : ndarray of shape (n_clips,)
        Root mean squared error of each clip, in `unit`.
    axes_ : ndarray of matplotlib Axes of shape (n_rows, n_clips)
        The panels.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        The figure.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn_speech.inspection import ReconstructionDisplay
    >>> levels = np.linspace(-60, 0, 2 * 8 * 10).reshape(2, 8, 10)
    >>> display = ReconstructionDisplay(levels, levels + 3).plot()
    >>> display.errors_
    array([3., 3.])
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        originals: Any,
        reconstructions: Any,
        *,
        sample_rate: float | None = None,
        hop_length: float | None = None,
        frequencies: npt.ArrayLike | None = None,
        unit: str = "dB",
        names: list[str] | None = None,
    ) -> None:
        self.originals = originals
        self.reconstructions = reconstructions
        self.sample_rate = sample_rate
        self.hop_length = hop_length
        self.frequencies = frequencies
        self.unit = unit
        self.names = names

    def plot(
        self,
        ax: Any = None,
        *,
        show_error: bool = True,
        frequency_scale: str = "linear",
        dynamic_range: float | None = 80.0,
        cmap: Any = "magma",
        error_cmap: Any = "RdBu_r",
    ) -> Self:
        """Draw the pairs.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of such, default=None
            A single axes is divided into the panels; an array contains the panels, row by row.
            None makes a new figure.
        show_error : bool, default=True
            Whether to draw a third row, reconstruction minus input.
        frequency_scale : {"linear", "mel"}, default="linear"
            Scale of the frequency axis; it is labelled in Hz in either case.
        dynamic_range : float or None, default=80.0
            For levels in dB, the range of the colours below the loudest input.
        cmap, error_cmap : str or matplotlib Colormap
            Colours of levels and of errors.

        Returns
        -------
        display : ReconstructionDisplay
            This display.

        Raises
        ------
        ValueError
            If there is no clip, or shapes or numbers of clips differ.
        """
        pairs = self._check_pairs()
        rows = ROWS if show_error else ROWS[:2]
        shape = (len(rows), len(pairs))
        axes = panel_axes(
            self, ax, shape, (1.2 + 2.0 * shape[1], 0.6 + 1.6 * shape[0]), sharex="col", sharey=True
        )
        self.errors_ = np.array([np.sqrt(np.mean((b - a) ** 2)) for a, b in pairs])
        vmax = max(original.max() for original, _ in pairs)
        vmin = min(original.min() for original, _ in pairs)
        if self.unit == "dB" and dynamic_range is not None:
            vmin = max(vmin, vmax - dynamic_range)
        worst = max(np.percentile(np.abs(b - a), 99.5) for a, b in pairs) or 1.0

        self.im_ = np.empty(shape, dtype=object)
        for column, (original, rebuilt) in enumerate(pairs):
            for row, levels in enumerate((original, rebuilt, rebuilt - original)[: len(rows)]):
                colors = {"cmap": cmap, "vmin": vmin, "vmax": vmax}
                if row == 2:
                    colors = {"cmap": error_cmap, "vmin": -worst, "vmax": worst}
                self.im_[row, column] = self._draw(
                    axes[row, column], levels, frequency_scale, colors
                )
        self._label(axes, rows)
        self._draw_colorbars(axes, rows)
        self.axes_ = axes
        self.ax_ = axes[0, 0]
        self.figure_ = self.ax_.figure
        return self

    def _draw(self, ax, levels, frequency_scale, colors):
        display = SpectrogramDisplay(
            levels,
            sample_rate=self.sample_rate,
            hop_length=self.hop_length,
            frequencies=self.frequencies,
            unit=self.unit,
        )
        return display.plot(ax, frequency_scale=frequency_scale, colorbar=False, **colors).im_

    def _label(self, axes, rows):
        unit = f" {self.unit}" if self.unit else ""
        for (row, column), panel in np.ndenumerate(axes):
            if row < len(rows) - 1:
                panel.set_xlabel("")
                panel.tick_params(labelbottom=False)
            if column > 0:
                panel.set_ylabel("")
                panel.tick_params(labelleft=False)
            else:
                panel.set_ylabel(f"{rows[row]}\n{panel.get_ylabel()}")
        for column, error in enumerate(self.errors_):
            name = f"{self.names[column]}\n" if self.names is not None else ""
            axes[0, column].set_title(f"{name}RMSE {error:.3g}{unit}", fontsize="medium")

    def _draw_colorbars(self, axes, rows):
        unit = f" ({self.unit})" if self.unit else ""
        figure = axes[0, 0].figure
        self.colorbars_ = [
            figure.colorbar(self.im_[0, 0], ax=list(axes[:2].ravel()), label=f"Level{unit}")
        ]
        if len(rows) == 3:
            self.colorbars_.append(
                figure.colorbar(
                    self.im_[2, 0], ax=list(axes[2]), label=f"Error{unit}", extend="both"
                )
            )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        names: list[str] | None = None,
        max_clips: int = 5,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw some clips and their reconstructions by a fitted autoencoder.

        Levels are converted to dB if a front end precedes the autoencoder in a pipeline;
        otherwise they are not changed. Mel bands are drawn on a mel axis unless
        `frequency_scale` is given.

        Parameters
        ----------
        estimator : fitted autoencoder, or Pipeline that ends in one
            Has ``reconstruct``, or ``transform`` and ``inverse_transform``.
        X : array-like
            Input of the estimator: spectrograms, or waveforms or paths for a pipeline.
        names : list of str, default=None
            Titles of the clips.
        max_clips : int, default=5
            Maximum number of clips to draw; the first ones are drawn.
        ax : matplotlib Axes or array-like of such, default=None
            See :meth:`plot`.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : ReconstructionDisplay
            The drawn display.
        """
        refuse_without(final_step(estimator), "estimator", "reconstruct", "inverse_transform")
        X = X[:max_clips]
        before = estimator[:-1] if hasattr(estimator, "steps") and len(estimator) > 1 else None
        autoencoder = final_step(estimator)
        spectrograms = X if before is None else before.transform(X)
        if hasattr(autoencoder, "reconstruct"):
            rebuilt = autoencoder.reconstruct(spectrograms)
        else:
            rebuilt = autoencoder.inverse_transform(autoencoder.transform(spectrograms))
        axes, unit = describe_front_end(estimator), ""
        keywords: dict[str, Any] = {}
        if axes is not None:
            keywords = {"sample_rate": axes.sample_rate, "hop_length": axes.hop_length}
            if axes.frequencies is not None and len(axes.frequencies) == len(spectrograms[0]):
                keywords["frequencies"] = axes.frequencies
            if before is not None and final_step(before) is axes.step:
                unit = axes.to_decibels(np.asarray(spectrograms[0]))[1]
                spectrograms = [axes.to_decibels(np.asarray(clip))[0] for clip in spectrograms]
                rebuilt = [axes.to_decibels(np.asarray(clip))[0] for clip in rebuilt]
            if getattr(axes.step, "n_mels", None) is not None:
                plot_kw.setdefault("frequency_scale", "mel")
        names = names if names is None else names[:max_clips]
        display = cls(spectrograms, rebuilt, unit=unit, names=names, **keywords)
        return display.plot(ax=ax, **plot_kw)

    def _check_pairs(self):
        if len(self.originals) != len(self.reconstructions) or len(self.originals) == 0:
            raise ValueError(
                f"{len(self.originals)} originals and {len(self.reconstructions)} "
                "reconstructions; expected equal numbers, at least one"
            )
        if self.names is not None and len(self.names) != len(self.originals):
            raise ValueError(f"names has {len(self.names)} entries for {len(self.originals)} clips")
        pairs = [
            (np.asarray(a, dtype=float), np.asarray(b, dtype=float))
            for a, b in zip(self.originals, self.reconstructions)
        ]
        for i, (original, rebuilt) in enumerate(pairs):
            if original.ndim != 2 or original.shape != rebuilt.shape or original.size == 0:
                raise ValueError(
                    f"clip {i}: original of shape {original.shape}, reconstruction of shape "
                    f"{rebuilt.shape}; expected one shape, (n_bands, n_frames)"
                )
        return pairs
