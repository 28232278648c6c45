"""Filters over frequency, before and after training."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..filters import frame_sizes, mel_filterbank
from ..utils.parts import final_step
from ._axes import GREY, open_frame, panel_axes
from ._front_end import describe_front_end
from ._scales import centers_to_edges


class FilterbankDisplay:
    """Weights of a filter bank over frequency, before and after training.

    All parameters are stored as attributes.

    Parameters
    ----------
    filters : array-like of shape (n_filters, n_frequencies)
        Weights, one filter per row; if there are two banks, those of the trained one.
    sample_rate : int
        In Hz; the columns are evenly spaced from 0 Hz to half of it.
    initial : array-like of shape (n_filters, n_frequencies), default=None
        The bank before training.

    Attributes
    ----------
    lines_ : list of list of matplotlib Line2D
        Lines of the filters of each bank, the initial bank first. Empty for images.
    im_ : list of matplotlib QuadMesh
        Images of the banks, the initial one first. Empty for lines.
    colorbar_ : matplotlib Colorbar or None
        Colour bar of the images; None for lines.
    axes_ : ndarray of matplotlib Axes of shape (n_panels,)
        The panels, from top to bottom.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        The figure.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech.filters import mel_filterbank
    >>> from sklearn_speech.inspection import FilterbankDisplay
    >>> bank = mel_filterbank(8000, 256, n_mels=20)
    >>> display = FilterbankDisplay(0.9 * bank, sample_rate=8000, initial=bank).plot()
    >>> [len(lines) for lines in display.lines_]
    [20, 20]
    >>> plt.close(display.figure_)
    """

    def __init__(self, filters: npt.ArrayLike, *, sample_rate: float, initial: Any = None) -> None:
        self.filters = filters
        self.sample_rate = sample_rate
        self.initial = initial

    def plot(
        self,
        ax: Any = None,
        *,
        kind: str = "lines",
        cmap: Any = "viridis",
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the filters.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of such, default=None
            A single axes is divided into the panels; an array contains the panels.
            None makes a new figure.
        kind : {"lines", "overlay", "image"}, default="lines"
            "lines" draws one panel per bank and one line per filter. "overlay" draws the
            initial bank in grey behind the trained one. "image" draws one row per filter, with
            weights as colours; it suits filters that training spread over many frequencies.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours of the filters, from first to last, or of the weights.
        line_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : FilterbankDisplay
            This display.

        Raises
        ------
        ValueError
            If a bank is not 2-D, the two differ in shape, or `kind` is unknown.
        """
        if kind not in ("lines", "overlay", "image"):
            raise ValueError(f"kind={kind!r}: expected 'lines', 'overlay' or 'image'")
        banks = self._check_banks()
        overlay = kind == "overlay"
        n_panels = 1 if overlay else len(banks)
        axes = panel_axes(
            self, ax, (n_panels, 1), (6.4, 0.8 + 1.7 * n_panels), sharex=True, sharey=True
        )[:, 0]
        peak = max(float(bank.max()) for bank in banks.values()) or 1.0
        lowest = min(0.0, *(float(bank.min()) for bank in banks.values()))
        self.lines_, self.im_, self.colorbar_ = [], [], None
        for i, (name, bank) in enumerate(banks.items()):
            panel = axes[min(i, n_panels - 1)]
            if kind == "image":
                self.im_.append(self._draw_image(panel, bank, cmap, lowest, peak))
            else:
                behind = overlay and i < len(banks) - 1
                self.lines_.append(self._draw_bank(panel, bank, cmap, behind, line_kw or {}))
            if n_panels > 1:
                panel.set_title(name, loc="left", fontsize="medium")
        for panel in axes:
            panel.set_xlim(0, self.sample_rate / 2)
            if kind == "image":
                panel.set_ylabel("Filter")
            else:
                panel.set_ylabel("Weight")
                panel.set_ylim(1.05 * lowest, 1.05 * peak)
                panel.ticklabel_format(axis="y", scilimits=(-2, 3), useMathText=True)
                open_frame(panel)
            if panel is not axes[-1]:
                panel.tick_params(labelbottom=False)
        if kind == "image":
            self.colorbar_ = axes[0].figure.colorbar(
                self.im_[0], ax=list(axes), label="Weight", pad=0.02
            )
        axes[-1].set_xlabel("Frequency (Hz)")
        if overlay and len(banks) == 2:
            axes[0].legend(
                [lines[len(lines) // 2] for lines in self.lines_],
                list(banks),
                frameon=False,
                fontsize="small",
            )
        self.axes_ = axes
        self.ax_ = axes[0]
        self.figure_ = axes[0].figure
        return self

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, initial: Any = None, ax: Any = None, **plot_kw: Any
    ) -> Self:
        """Draw the mel filters of a front end, or of a network that has trained them.

        Parameters
        ----------
        estimator : transformer, fitted network with a ``frontend``, or Pipeline
            If the filters of a network differ from the design of its front end, both are drawn.
        initial : array-like of shape (n_filters, n_frequencies), default=None
            The bank before training. None means the design of the front end, which is not the
            bank before training if filters were initialised at random.
        ax : matplotlib Axes or array-like of such, default=None
            See :meth:`plot`.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : FilterbankDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If there is no front end with mel filters.
        """
        axes = describe_front_end(estimator)
        if axes is None or getattr(axes.step, "n_mels", None) is None:
            raise ValueError(f"{type(estimator).__name__} has no front end with mel filters")
        designed = _designed_bank(axes.step)
        filters = designed
        module = getattr(final_step(estimator), "module_", None)
        front_end = getattr(module, "front_end", None)
        if front_end is not None:
            filters = front_end.bank.matrix().detach().cpu().numpy()
            if initial is None and not np.allclose(filters, designed, atol=1e-7):
                initial = designed
        display = cls(filters, sample_rate=axes.sample_rate, initial=initial)
        return display.plot(ax=ax, **plot_kw)

    def _draw_image(self, panel, bank, cmap, vmin, vmax):
        frequencies = np.linspace(0, self.sample_rate / 2, bank.shape[1])
        return panel.pcolormesh(
            centers_to_edges(frequencies, low=0.0, high=self.sample_rate / 2),
            np.arange(len(bank) + 1) - 0.5,
            bank,
            cmap=cmap,
            vmin=vmin,
            vmax=vmax,
            rasterized=True,
        )

    def _draw_bank(self, panel, bank, cmap, behind, line_kw):
        import matplotlib

        frequencies = np.linspace(0, self.sample_rate / 2, bank.shape[1])
        # the palest colours of most colour maps are invisible on white
        colors = matplotlib.colormaps.get_cmap(cmap)(np.linspace(0, 0.85, len(bank)))
        lines = []
        for weights, color in zip(bank, colors):
            drawing = {"color": GREY if behind else color, "linewidth": 0.9}
            if behind:
                drawing |= {"linestyle": "--", "linewidth": 0.6}
            lines += panel.plot(frequencies, weights, **(drawing | line_kw))
        return lines

    def _check_banks(self):
        filters = np.asarray(self.filters, dtype=float)
        banks = {"Filters": filters}
        if self.initial is not None:
            banks = {"Initial": np.asarray(self.initial, dtype=float), "Trained": filters}
        for name, bank in banks.items():
            if bank.ndim != 2 or bank.shape != filters.shape or bank.size == 0:
                raise ValueError(
                    f"{name.lower()} has shape {bank.shape}; expected (n_filters, n_frequencies), "
                    f"as filters of shape {filters.shape}"
                )
        return banks


def _designed_bank(step):
    """Return the filters that the parameters of a front end describe."""
    if hasattr(step, "to_module"):
        return step.to_module().bank.matrix().detach().cpu().numpy()
    n_fft = frame_sizes(step.sample_rate, step.n_fft, step.win_length, step.hop_length)[0]
    return mel_filterbank(
        step.sample_rate,
        n_fft,
        step.n_mels,
        fmin=step.fmin,
        fmax=step.fmax,
        mel_scale=step.mel_scale,
        norm=step.norm,
    )
