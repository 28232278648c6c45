"""Loss and accuracy over the epochs of one or more runs."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ..utils.parts import final_step
from ._axes import GREY, color_of, open_frame, panel_axes
from ._segments import draw_segments

#: For each panel: history keys for training and validation, and the axis label.
PANELS = {
    "loss": ("train_loss", "valid_loss", "Loss"),
    "accuracy": ("train_acc", "valid_acc", "Accuracy"),
    "lr": ("lr", None, "Learning rate"),
}


class TrainingCurveDisplay:
    """Learning curves over epochs: training and validation, one or more runs.

    All parameters are stored as attributes.

    Parameters
    ----------
    histories : list of dict, or dict of str to list of dict
        One run, or several by name. A run has one row per epoch, such as the ``history_`` of a
        skorch net: ``epoch``, ``train_loss`` and, if available, ``valid_loss``, ``valid_acc``,
        ``train_acc``, ``lr`` and ``stage`` (of stacked training; stages are marked).

    Attributes
    ----------
    lines_ : dict of (str, str) to matplotlib Line2D
        Lines by name of the run (``""`` for a single run) and history key.
    best_ : list of matplotlib Line2D
        Dots at the epoch of the lowest validation loss.
    axes_ : ndarray of matplotlib Axes of shape (n_panels,)
        The panels, from left to right.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        The figure.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech.inspection import TrainingCurveDisplay
    >>> history = [
    ...     {"epoch": 1, "train_loss": 2.3, "valid_loss": 2.2, "valid_acc": 0.2},
    ...     {"epoch": 2, "train_loss": 1.1, "valid_loss": 1.4, "valid_acc": 0.6},
    ... ]
    >>> display = TrainingCurveDisplay(history).plot()
    >>> [ax.get_ylabel() for ax in display.axes_]
    ['Loss', 'Accuracy']
    >>> plt.close(display.figure_)
    """

    def __init__(self, histories: Any) -> None:
        self.histories = histories

    def plot(
        self,
        ax: Any = None,
        *,
        panels: str | list[str] = "auto",
        mark_best: bool = True,
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of such, default=None
            A single axes is divided into the panels; an array contains the panels.
            None makes a new figure.
        panels : "auto" or list of {"loss", "accuracy", "lr"}, default="auto"
            Which panels to draw; "auto" draws the loss, and the accuracy if it was recorded.
        mark_best : bool, default=True
            Whether to mark the epoch of the lowest validation loss with a dot.
        line_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : TrainingCurveDisplay
            This display.

        Raises
        ------
        ValueError
            If a run has no epoch, or a name in `panels` is unknown.
        """
        runs = _check_histories(self.histories)
        panels = self._check_panels(panels, runs)
        size = (3.4 * len(panels) + (0.6 if len(panels) == 1 else 0), 2.8)
        axes = panel_axes(self, ax, (1, len(panels)), size, sharex=True)[0]
        self.lines_: dict[tuple[str, str], Any] = {}
        self.best_: list[Any] = []
        for panel, kind in zip(axes, panels):
            self._draw_panel(panel, kind, runs, mark_best, line_kw or {})
        for i, (panel, kind) in enumerate(zip(axes, panels)):
            _finish_panel(panel, kind)
            if i == 0:
                self._draw_legend(panel, runs)
        self.axes_ = axes
        self.ax_ = axes[0]
        self.figure_ = axes[0].figure
        return self

    def _check_panels(self, panels, runs):
        if isinstance(panels, str) and panels == "auto":
            keys = {key for rows in runs.values() for row in rows for key in row}
            return ["loss"] + (["accuracy"] if keys & {"train_acc", "valid_acc"} else [])
        panels = [panels] if isinstance(panels, str) else list(panels)
        unknown = [kind for kind in panels if kind not in PANELS]
        if unknown or not panels:
            raise ValueError(f"panels={panels!r}: expected 'auto' or names from {list(PANELS)}")
        return panels

    def _draw_panel(self, panel, kind, runs, mark_best, line_kw):
        train_key, valid_key, _ = PANELS[kind]
        single = len(runs) == 1
        for i, (name, rows) in enumerate(runs.items()):
            epochs = _epochs(rows)
            styles = ((train_key, "-" if kind == "lr" else "--"), (valid_key, "-"))
            for key, style in styles:
                values = np.array([row.get(key, np.nan) for row in rows], dtype=float)
                if key is None or np.isnan(values).all():
                    continue
                color = color_of(int(key == valid_key) if single else i)
                alone = {"marker": "o", "markersize": 4} if len(rows) == 1 else {}
                drawing = {"color": color, "linestyle": style, "linewidth": 1.5} | alone | line_kw
                x, y = _break_at_stages(rows, epochs, values)
                (self.lines_[name, key],) = panel.plot(x, y, **drawing)
            self._mark_best(panel, name, valid_key, rows, mark_best)
        stages = _stages(next(iter(runs.values())))
        if stages:
            panel.set_xlim(stages[0][0], stages[-1][1])
            draw_segments(panel, stages, color=GREY)

    def _mark_best(self, panel, name, key, rows, mark_best):
        losses = np.array([row.get("valid_loss", np.nan) for row in rows], dtype=float)
        if not mark_best or (name, key) not in self.lines_ or np.isnan(losses).all():
            return
        best = int(np.nanargmin(losses))
        color = self.lines_[name, key].get_color()
        self.best_ += panel.plot(
            _epochs(rows)[best], rows[best].get(key, np.nan), "o", color=color, markersize=5
        )

    def _draw_legend(self, panel, runs):
        from matplotlib.lines import Line2D

        drawn = {key.split("_")[0] for _, key in self.lines_ if key != "lr"}
        single = len(runs) == 1
        handles = []
        if not single:
            handles += [
                Line2D([], [], color=color_of(i), label=name) for i, name in enumerate(runs)
            ]
        if single or len(drawn) == 2:
            styles: list[tuple[str, Any, str]] = [
                ("train", "--", "training"),
                ("valid", "-", "validation"),
            ]
            for i, (split, style, label) in enumerate(styles):
                if split in drawn:
                    color = color_of(i) if single else GREY
                    handles.append(Line2D([], [], color=color, linestyle=style, label=label))
        if self.best_:
            handles.append(
                Line2D(
                    [],
                    [],
                    color=color_of(1) if single else GREY,
                    marker="o",
                    markersize=5,
                    linestyle="none",
                    label="lowest validation loss",
                )
            )
        if handles:
            panel.legend(handles=handles, frameon=False, fontsize="small")

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **plot_kw: Any) -> Self:
        """Draw the history of a fitted network, or of several.

        Parameters
        ----------
        estimator : fitted estimator or Pipeline, or dict of str to such
            An estimator with ``history_`` or ``history``; for a pipeline, its last step. An
            ensemble gives one run for each of its networks.
        ax : matplotlib Axes or array-like of such, default=None
            See :meth:`plot`.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : TrainingCurveDisplay
            The drawn display.

        Raises
        ------
        AttributeError
            If an estimator has no history, or was not fitted.
        """
        if isinstance(estimator, Mapping):
            fitted = estimator
        else:
            from ..base import nets_of  # imported here, because it loads torch

            nets = nets_of(estimator)
            fitted = nets if len(nets) > 1 else {"": estimator}
        histories = {name: _history_of(network) for name, network in fitted.items()}
        return cls(histories).plot(ax=ax, **plot_kw)


def _history_of(estimator):
    network = final_step(estimator)
    for attribute in ("history_", "history"):
        history = getattr(network, attribute, None)
        if history is not None and len(history) > 0:
            return history
    raise AttributeError(
        f"{type(network).__name__} has no history of epochs; expected a fitted network"
    )


def _check_histories(histories):
    runs = dict(histories) if isinstance(histories, Mapping) else {"": histories}
    for name, rows in runs.items():
        if len(rows) == 0:
            raise ValueError(f"the history {name!r} has no epoch; expected one dict per epoch")
    if not runs:
        raise ValueError("histories is empty; expected at least one run")
    return {name: [dict(row) for row in rows] for name, rows in runs.items()}


def _epochs(rows):
    """Return the epoch numbers, counted continuously if each stage restarts at 1."""
    numbers = np.array([row.get("epoch", i + 1) for i, row in enumerate(rows)])
    return numbers if (np.diff(numbers) > 0).all() else np.arange(1, len(rows) + 1)


def _stages(rows):
    """Return the range of epochs of each stage of stacked training; empty without stages."""
    if "stage" not in rows[0]:
        return []
    epochs, stages = _epochs(rows), [row.get("stage") for row in rows]
    starts = [0] + [i for i in range(1, len(rows)) if stages[i] != stages[i - 1]]
    ends = [start - 1 for start in starts[1:]] + [len(rows) - 1]
    return [(epochs[a] - 0.5, epochs[b] + 0.5, f"stage {stages[a]}") for a, b in zip(starts, ends)]


def _break_at_stages(rows, epochs, values):
    """Return the points of a curve with gaps between stages, whose losses are not comparable."""
    changes = [i for i in range(1, len(rows)) if rows[i].get("stage") != rows[i - 1].get("stage")]
    return np.insert(epochs.astype(float), changes, np.nan), np.insert(values, changes, np.nan)


def _finish_panel(panel, kind):
    from matplotlib.ticker import MaxNLocator

    panel.set(xlabel="Epoch", ylabel=PANELS[kind][2])
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    open_frame(panel)
