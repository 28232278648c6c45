"""Steps of pipelines as torch modules: what their ``transform`` and ``predict`` do."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


def constant(values: Any) -> Tensor:
    """Fitted numbers in float32, the precision of the file."""
    return torch.from_numpy(np.array(values, dtype=np.float32))


class Padding(nn.Module):
    """What ``PadOrTrim`` does, for clips of any length.

    Parameters
    ----------
    n_times : int
        Samples or frames that come out.
    align : {"start", "center"}
    pad_value : float or "min"

    Shape
    -----
    Input (n_clips, ..., n_times_in), output (n_clips, ..., n_times).
    """

    position: Tensor

    def __init__(self, n_times: int, align: str, pad_value: float | str) -> None:
        super().__init__()
        self.n_times, self.align, self.pad_value = n_times, align, pad_value
        self.register_buffer("position", torch.arange(n_times))

    def forward(self, x: Tensor) -> Tensor:
        """Clips of one length, cut or padded."""
        length = torch.full((), x.shape[-1], dtype=torch.int64)
        place = self.position
        if self.align == "center":
            place = place + torch.div(length - self.n_times, 2, rounding_mode="trunc")
        inside = (place >= 0) & (place < length)
        cut = x.index_select(-1, place.clamp(min=0).minimum(length - 1))
        if self.pad_value == "min":
            filling = x.amin(dim=tuple(range(1, x.ndim)), keepdim=True)
        else:
            filling = torch.full((), float(self.pad_value), dtype=x.dtype)
        return torch.where(inside, cut, filling)


class Standardising(nn.Module):
    """Subtract a mean and divide by a deviation, which broadcast over the clips.

    Parameters
    ----------
    mean, scale : ndarray or None
        None leaves out that half.
    """

    mean: Tensor | None
    scale: Tensor | None

    def __init__(self, mean: Any, scale: Any) -> None:
        super().__init__()
        self.register_buffer("mean", None if mean is None else constant(mean))
        self.register_buffer("scale", None if scale is None else constant(scale))

    def forward(self, x: Tensor) -> Tensor:
        """Scaled values of the same shape."""
        if self.mean is not None:
            x = x - self.mean
        return x if self.scale is None else x / self.scale


class Pooling(nn.Module):
    """What ``TemporalPooling`` does.

    Parameters
    ----------
    statistics : list of {"mean", "std", "min", "max"}
    n_segments : int
    n_frames : int or None

    Shape
    -----
    Input (n_clips, n_bands, n_frames), output (n_clips, n_features).
    """

    def __init__(self, statistics: list[str], n_segments: int, n_frames: int | None) -> None:
        super().__init__()
        self.statistics, self.n_segments, self.n_frames = statistics, n_segments, n_frames

    def forward(self, x: Tensor) -> Tensor:
        """Statistic by statistic, part by part, band by band; then frame by frame."""
        k, n = self.n_segments, x.shape[2]
        parts = [x[:, :, i * n // k : ((i + 1) * n + k - 1) // k] for i in range(k)]
        columns = [_statistic(name, part) for name in self.statistics for part in parts]
        if self.n_frames is not None:
            first = F.pad(x, (0, self.n_frames))[:, :, : self.n_frames]
            columns.append(first.transpose(1, 2).flatten(1))
        return torch.cat(columns, dim=1)


def _statistic(name: str, part: Tensor) -> Tensor:
    if name == "min":
        return part.amin(2)
    if name == "max":
        return part.amax(2)
    mean = part.mean(2, keepdim=True)
    # the mean of what is left corrects the rounding of the first
    mean = mean + (part - mean).mean(2, keepdim=True)
    if name == "mean":
        return mean.squeeze(2)
    return (part - mean).square().mean(2).sqrt()


class Linear(nn.Module):
    """Scores of a linear model.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs, n_features) or (n_features,)
    intercept : float or ndarray of shape (n_outputs,)
    """

    coef: Tensor
    intercept: Tensor

    def __init__(self, coef: Any, intercept: Any) -> None:
        super().__init__()
        coef = np.atleast_2d(coef)
        self.n_outputs = len(coef)
        self.register_buffer("coef", constant(coef))
        self.register_buffer("intercept", constant(np.broadcast_to(intercept, len(coef))))

    def forward(self, x: Tensor) -> Tensor:
        """Scores (n_clips, n_outputs)."""
        return x @ self.coef.T + self.intercept


class Prototypes(nn.Module):
    """Scores of ``PrototypeClassifier``: negative distances, and the threshold.

    Parameters
    ----------
    prototypes : ndarray of shape (n_words, n_features)
    metric : {"cosine", "euclidean", "manhattan"}
    column : int or None
        Place of the class of unknown words; None where there is none.
    threshold : float
        Score of that class.

    Shape
    -----
    Input (n_clips, n_features), output (n_clips, n_classes), or (n_clips, 1) of two classes: the
    score of the second minus that of the first.
    """

    prototypes: Tensor

    def __init__(self, prototypes: Any, metric: str, column: int | None, threshold: float) -> None:
        super().__init__()
        if metric == "cosine":
            norms = np.linalg.norm(prototypes, axis=1, keepdims=True)
            prototypes = prototypes / np.where(norms == 0, 1, norms)
        self.register_buffer("prototypes", constant(prototypes))
        self.metric, self.column, self.threshold = metric, column, threshold

    def forward(self, x: Tensor) -> Tensor:
        """Scores of each class."""
        scores = -self._distances(x)
        if self.column is not None:
            unknown = torch.full_like(scores[:, :1], self.threshold)
            parts = [scores[:, : self.column], unknown, scores[:, self.column :]]
            scores = torch.cat(parts, dim=1)
        return scores[:, 1:] - scores[:, :1] if scores.shape[1] == 2 else scores

    def _distances(self, x: Tensor) -> Tensor:
        if self.metric == "cosine":
            norms = x.square().sum(1, keepdim=True).sqrt()
            x = x / torch.where(norms == 0, torch.ones_like(norms), norms)
            return (1 - x @ self.prototypes.T).clamp(0, 2)
        apart = x.unsqueeze(1) - self.prototypes
        if self.metric == "manhattan":
            return apart.abs().sum(2)
        return apart.square().sum(2).sqrt()


class Probabilities(nn.Module):
    """Probabilities of scores: by softmax, or of one score by the logistic function."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities (n_clips, n_classes)."""
        scores = self.model(x)
        return both_sides(scores).sigmoid() if scores.shape[1] == 1 else scores.softmax(1)


class TwoSided(nn.Module):
    """Scores of a model, of two classes one for each."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """Scores (n_clips, n_classes)."""
        scores = self.model(x)
        return both_sides(scores) if scores.shape[1] == 1 else scores


def both_sides(scores: Tensor) -> Tensor:
    """Scores of both classes, of the score of the second."""
    return torch.cat([-scores, scores], dim=1)


class Calibrated(nn.Module):
    """Probabilities of a classifier, column by column calibrated, then brought to sum to 1.

    Parameters
    ----------
    model : torch.nn.Module
        Scores or probabilities; one column where there are two classes.
    calibration : torch.nn.Module
    second_column : bool
        Whether the model gives two columns, of which only the second is calibrated.
    """

    def __init__(self, model: nn.Module, calibration: nn.Module, second_column: bool) -> None:
        super().__init__()
        self.model, self.calibration = model, calibration
        self.second_column = second_column

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities (n_clips, n_classes)."""
        scores = self.model(x)
        if isinstance(self.calibration, TemperatureCalibration):
            return self.calibration(scores)
        columns = self.calibration(scores[:, 1:] if self.second_column else scores)
        if columns.shape[1] == 1:
            return torch.cat([1 - columns, columns], dim=1)
        total = columns.sum(1, keepdim=True)
        uniform = torch.full_like(columns, 1 / columns.shape[1])
        return torch.where(total > 0, columns / total.clamp(min=1e-30), uniform)


class Vote(nn.Module):
    """Weighted mean of what several models answer.

    Parameters
    ----------
    models : list of torch.nn.Module
    weights : list of float or None
    """

    def __init__(self, models: list[nn.Module], weights: Any = None) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        shares = np.ones(len(models)) if weights is None else np.asarray(weights, dtype=float)
        self.shares = (shares / shares.sum()).tolist()

    def forward(self, x: Tensor) -> Tensor:
        """Answers of the same shape as those of each model."""
        total = self.shares[0] * self.models[0](x)
        for share, model in zip(self.shares[1:], list(self.models)[1:], strict=True):
            total = total + share * model(x)
        return total


class Joined(nn.Module):
    """Features of several transformers side by side.

    Parameters
    ----------
    models : list of torch.nn.Module
    weights : list of float
        Factor of each.
    """

    def __init__(self, models: list[nn.Module], weights: list[float]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)
        self.weights = weights

    def forward(self, x: Tensor) -> Tensor:
        """Features (n_clips, n_features)."""
        return torch.cat([w * m(x) for w, m in zip(self.weights, self.models)], dim=1)


class SigmoidCalibration(nn.Module):
    """Platt's logistic function of each column."""

    slopes: Tensor
    intercepts: Tensor

    def __init__(self, slopes: Any, intercepts: Any) -> None:
        super().__init__()
        self.register_buffer("slopes", constant(slopes))
        self.register_buffer("intercepts", constant(intercepts))

    def forward(self, x: Tensor) -> Tensor:
        """Calibrated columns."""
        return torch.sigmoid(-(x * self.slopes + self.intercepts))


class IsotonicCalibration(nn.Module):
    """Linear interpolation between the steps of an isotonic regression, column by column.

    Parameters
    ----------
    curves : list of (ndarray, ndarray)
        Thresholds, rising, and their values.
    """

    def __init__(self, curves: list[tuple[Any, Any]]) -> None:
        super().__init__()
        self.n_columns = len(curves)
        for i, (x, y) in enumerate(curves):
            steps = np.diff(x)
            for name, values in (("left", x[:-1]), ("width", steps), ("rise", np.diff(y))):
                self.register_buffer(f"{name}{i}", constant(values))
            self.register_buffer(f"first{i}", constant(y[0]))

    def forward(self, x: Tensor) -> Tensor:
        """Calibrated columns."""
        columns = []
        for i in range(self.n_columns):
            value = x[:, i : i + 1]
            left, width = getattr(self, f"left{i}"), getattr(self, f"width{i}")
            passed = ((value - left) / width).clamp(0, 1)
            rise, first = getattr(self, f"rise{i}"), getattr(self, f"first{i}")
            columns.append(first + (passed * rise).sum(1, keepdim=True))
        return torch.cat(columns, dim=1)


class TemperatureCalibration(nn.Module):
    """Softmax of scores, or of logarithms of probabilities, times an inverse temperature."""

    def __init__(self, inverse: float, *, of_probabilities: bool) -> None:
        super().__init__()
        self.inverse, self.of_probabilities = float(inverse), of_probabilities

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities (n_clips, n_classes)."""
        if self.of_probabilities:
            x = torch.log(x + 1e-12)
        elif x.shape[1] == 1:
            x = both_sides(x)
        return torch.softmax(self.inverse * x, dim=1)
