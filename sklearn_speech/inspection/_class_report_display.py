"""Precision, recall and F1 of each class as horizontal bars."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.metrics import precision_recall_fscore_support
from sklearn.utils.multiclass import unique_labels

from ._axes import color_of, open_frame, panel_axes
from ._results import refuse_without

METRICS = {"precision": "Precision", "recall": "Recall", "f1": "F1 score"}


class ClassReportDisplay:
    """Precision, recall and F1 of each class, and their mean over classes.

    Use :meth:`from_estimator` or :meth:`from_predictions` to make one. All parameters
    are stored as attributes.

    Parameters
    ----------
    scores : dict of str to array-like of shape (n_classes,)
        Any of "precision", "recall" and "f1", in [0, 1].
    class_names : array-like of shape (n_classes,)
        Names of the classes.
    support : array-like of shape (n_classes,), default=None
        Number of clips of each class, shown after its name.

    Attributes
    ----------
    bars_ : dict of str to matplotlib BarContainer
        Bars by metric, in row order with the best class first.
    axes_ : ndarray of matplotlib Axes of shape (n_metrics,)
        The panels, from left to right.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : Which classes are confused.
    sklearn.metrics.classification_report : The numbers as text.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech.inspection import ClassReportDisplay
    >>> display = ClassReportDisplay.from_predictions(
    ...     ["yes", "yes", "no", "up"], ["yes", "no", "no", "up"]
    ... )
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['up (1)', 'no (1)', 'yes (2)']
    >>> plt.close(display.figure_)
    """

    def __init__(self, scores: Any, class_names: Any, *, support: Any = None) -> None:
        self.scores = scores
        self.class_names = class_names
        self.support = support

    def plot(
        self,
        ax: Any = None,
        *,
        metrics: list[str] | None = None,
        sort_by: str | None = "f1",
        bar_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of such, default=None
            A single axes is divided into the panels; an array contains the panels.
            None makes a new figure.
        metrics : list of {"precision", "recall", "f1"}, default=None
            Panels to draw; None means all in `scores`.
        sort_by : {"precision", "recall", "f1"} or None, default="f1"
            The best class is at the top; None keeps the order of `class_names`. If `scores` has
            no f1, the default is its first metric.
        bar_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : ClassReportDisplay
            This display.

        Raises
        ------
        ValueError
            If a metric is unknown or missing, or there is not one score per class.
        """
        if not self.scores:
            raise ValueError("scores is empty: expected the scores of at least one metric")
        names = [str(name) for name in self.class_names]
        metrics = list(self.scores) if metrics is None else list(metrics)
        if sort_by == "f1" and "f1" not in self.scores:
            sort_by = metrics[0]
        for metric in metrics + ([sort_by] if sort_by is not None else []):
            if metric not in self.scores or metric not in METRICS:
                raise ValueError(f"metric {metric!r}: expected one of {list(self.scores)}")
            if np.shape(self.scores[metric]) != (len(names),):
                raise ValueError(
                    f"scores[{metric!r}] has shape {np.shape(self.scores[metric])}; "
                    f"expected one per class, ({len(names)},)"
                )
        if self.support is not None:
            names = [f"{name} ({count})" for name, count in zip(names, self.support)]
        order = np.arange(len(names))
        if sort_by is not None:
            order = np.argsort(-np.asarray(self.scores[sort_by], dtype=float), kind="stable")
        size = (1.2 + 2.0 * len(metrics), 1.0 + 0.22 * len(names))
        axes = panel_axes(self, ax, (1, len(metrics)), size, sharey=True)[0]
        self.bars_ = {}
        for i, (panel, metric) in enumerate(zip(axes, metrics)):
            values = np.asarray(self.scores[metric], dtype=float)[order]
            drawing = {"color": color_of(i), "height": 0.75} | (bar_kw or {})
            self.bars_[metric] = panel.barh(np.arange(len(names)), values, **drawing)
            for row, value in enumerate(values):
                # a separate column, because next to the bars they would overlap the mean
                panel.annotate(
                    f"{value:.2f}",
                    (1.02, row),
                    xycoords=panel.get_yaxis_transform(),
                    va="center",
                    fontsize="x-small",
                    annotation_clip=False,
                )
            panel.axvline(values.mean(), color="black", linestyle="--", linewidth=0.8)
            panel.set_title(f"mean {values.mean():.3f}", fontsize="small")
            panel.set_xlabel(METRICS[metric])
            panel.set_xlim(0, 1)
            panel.set_xticks([0, 0.5, 1])
            panel.tick_params(axis="y", length=0)
            open_frame(panel)
            if i > 0:
                panel.tick_params(labelleft=False)
        axes[0].set_yticks(np.arange(len(names)), labels=[names[k] for k in order])
        axes[0].set_ylim(len(names) - 0.4, -0.6)
        self.axes_ = axes
        self.ax_ = axes[0]
        self.figure_ = axes[0].figure
        return self

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        labels: Any = None,
        display_labels: Any = None,
        sample_weight: npt.ArrayLike | None = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the bars from true and predicted labels.

        Parameters
        ----------
        y_true : array-like or sparse matrix of shape (n_clips,) or (n_clips, n_labels)
            True labels, or an indicator matrix, each label of which has a bar.
        y_pred : array-like or sparse matrix of shape (n_clips,) or (n_clips, n_labels)
            Predicted labels, in the same form.
        labels : array-like of shape (n_classes,), default=None
            Classes to draw, or columns of an indicator matrix; None: all that occur.
        display_labels : array-like of shape (n_classes,), default=None
            What the bars are called, in the order of `labels`, such as the ``classes_`` of
            :class:`~sklearn.preprocessing.MultiLabelBinarizer`; None: as `labels` are.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips.
        ax : matplotlib Axes or array-like of such, default=None
            See :meth:`plot`.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : ClassReportDisplay
            The drawn display. A class that is never predicted has precision 0.
        """
        labels = unique_labels(y_true, y_pred) if labels is None else np.asarray(labels)
        names = labels if display_labels is None else np.asarray(display_labels)
        if len(names) != len(labels):
            raise ValueError(
                f"display_labels has {len(names)} names, but there are {len(labels)} labels to "
                "draw; give both"
            )
        precision, recall, f1, support = precision_recall_fscore_support(
            y_true, y_pred, labels=labels, sample_weight=sample_weight, zero_division=0
        )
        scores = {"precision": precision, "recall": recall, "f1": f1}
        support = None if sample_weight is not None else support
        return cls(scores, names, support=support).plot(ax=ax, **plot_kw)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        labels: Any = None,
        display_labels: Any = None,
        sample_weight: npt.ArrayLike | None = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the bars for a fitted classifier on test clips.

        Parameters
        ----------
        estimator : fitted classifier or Pipeline
            Has ``predict``.
        X : array-like
            Clips.
        y : array-like of shape (n_clips,) or (n_clips, n_labels)
            True labels.
        labels, display_labels, sample_weight, ax, **plot_kw
            See :meth:`from_predictions`.

        Returns
        -------
        display : ClassReportDisplay
            The drawn display.
        """
        refuse_without(estimator, "estimator", "predict")
        return cls.from_predictions(
            y,
            estimator.predict(X),
            labels=labels,
            display_labels=display_labels,
            sample_weight=sample_weight,
            ax=ax,
            **plot_kw,
        )
