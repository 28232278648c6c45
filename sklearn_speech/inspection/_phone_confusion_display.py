"""Confusions, insertions and deletions of phones as an image."""

from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from ..metrics import phone_confusion_matrix
from ._axes import single_axes
from ._results import refuse_without


class PhoneConfusionDisplay:
    """Share of each true phone that was recognised as each phone, from aligned sequences.

    Use :meth:`from_estimator` or :meth:`from_predictions` to make one. All parameters
    are stored as attributes.

    Parameters
    ----------
    confusion_matrix : ndarray of shape (n_labels, n_labels)
        Counts of true (rows) and recognised (columns) phones, as returned by
        :func:`~sklearn_speech.metrics.phone_confusion_matrix`: the last row counts insertions,
        the last column deletions.
    labels : list of str
        Names of rows and columns.

    Attributes
    ----------
    image_ : matplotlib AxesImage
        Share of each row, in [0, 1].
    colorbar_ : matplotlib Colorbar or None
        None with ``colorbar=False``.
    ax_ : matplotlib Axes
        Axes with the picture.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    sklearn_speech.metrics.phone_error_rate : The errors as one number.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech.inspection import PhoneConfusionDisplay
    >>> display = PhoneConfusionDisplay.from_predictions(
    ...     [["n", "ay", "n"], ["w", "ah", "n"]], [["m", "ay", "n"], ["w", "n"]]
    ... )
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['ah', 'ay', 'm', 'n', 'w', '-']
    >>> plt.close(display.figure_)
    """

    def __init__(self, confusion_matrix: npt.ArrayLike, labels: Any) -> None:
        self.confusion_matrix = confusion_matrix
        self.labels = labels

    def plot(
        self,
        ax: Any = None,
        *,
        cmap: Any = "Blues",
        colorbar: bool = True,
        im_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the shares.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure that is large enough for all labels.
        cmap : str or matplotlib Colormap, default="Blues"
            Colours from share 0 to share 1.
        colorbar : bool, default=True
            Whether to draw a colour bar.
        im_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : PhoneConfusionDisplay
            This display.

        Raises
        ------
        ValueError
            If the matrix is not square, or its size is not the number of labels.
        """
        counts = np.asarray(self.confusion_matrix, dtype=float)
        n_labels = len(self.labels)
        if counts.shape != (n_labels, n_labels):
            raise ValueError(
                f"confusion_matrix has shape {counts.shape}; expected ({n_labels}, {n_labels}), "
                "one row and one column per label"
            )
        # the row of a phone that was never spoken is empty
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        side = 2.0 + 0.16 * n_labels
        ax = single_axes(self, ax, (side, side))
        drawing = {"vmin": 0, "vmax": 1, "cmap": cmap, "interpolation": "nearest"} | (im_kw or {})
        self.image_ = ax.imshow(shares, **drawing)
        ax.set_xticks(range(n_labels), labels=self.labels, rotation=90, fontsize="x-small")
        ax.set_yticks(range(n_labels), labels=self.labels, fontsize="x-small")
        ax.tick_params(length=0)
        # a line that separates insertions and deletions from phones
        ax.axhline(n_labels - 1.5, color="black", linewidth=0.5)
        ax.axvline(n_labels - 1.5, color="black", linewidth=0.5)
        ax.set_xlabel("Heard (last column: left out)")
        ax.set_ylabel("Said (last row: added)")
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = ax.figure.colorbar(
                self.image_, ax=ax, label="Share of the row", shrink=0.8
            )
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        folding: Literal[48, 39] | None = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the confusions from true and recognised phones.

        Parameters
        ----------
        y_true : list or 1-D array of sequences of str, of shape (n_clips,)
            The true phones.
        y_pred : list or 1-D array of sequences of str, of shape (n_clips,)
            The recognised phones.
        folding : {None, 48, 39}, default=None
            Fold both sequences before comparing them; see
            :func:`~sklearn_speech.metrics.fold_phones`.
        ax : matplotlib Axes, default=None
            See :meth:`plot`.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : PhoneConfusionDisplay
            The drawn display.
        """
        matrix, labels = phone_confusion_matrix(y_true, y_pred, folding=folding)
        return cls(matrix, labels).plot(ax=ax, **plot_kw)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        folding: Literal[48, 39] | None = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the confusions of a fitted recogniser on test clips.

        Parameters
        ----------
        estimator : fitted recogniser or Pipeline
            Has ``predict``, which returns phone sequences.
        X : array-like
            Clips.
        y : list or 1-D array of sequences of str, of shape (n_clips,)
            The true phones.
        folding, ax, **plot_kw
            See :meth:`from_predictions`.

        Returns
        -------
        display : PhoneConfusionDisplay
            The drawn display.
        """
        refuse_without(estimator, "estimator", "predict")
        return cls.from_predictions(y, estimator.predict(X), folding=folding, ax=ax, **plot_kw)
