"""Axes and levels of the spectrograms of a front end."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..feature_extraction._base_encoder import BaseEncoder
from ..filters import frame_sizes, mel_frequencies
from ..utils.parts import final_step, walk
from ._scales import power_to_decibels


@dataclass(frozen=True)
class FrontEndAxes:
    """Axes and levels of the spectrograms that a front end computes.

    Parameters
    ----------
    step : estimator
        The front end.
    sample_rate : float
        In Hz.
    hop_length : float
        In samples.
    first_frame_time : float
        Time of the middle of the first frame, in seconds.
    frequencies : ndarray of shape (n_bands,) or None
        Centre of each band in Hz; None for cepstral coefficients and vectors of an encoder.
    row_name : str, default=None
        What the rows are if they are not frequencies.
    """

    step: Any
    sample_rate: float
    hop_length: float
    first_frame_time: float
    frequencies: np.ndarray | None
    row_name: str | None = None

    def to_decibels(self, levels: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], str]:
        """Return levels in dB and "dB", or unchanged levels and "" if the front end normalised
        them.

        Parameters
        ----------
        levels : ndarray of shape (n_bands, n_frames)
            Output of the front end.

        Returns
        -------
        levels : ndarray of shape (n_bands, n_frames)
        unit : {"dB", ""}
        """
        step = self.step
        if self.frequencies is None or getattr(step, "normalize", None) is not None:
            return levels, ""
        # an energy is a power of the magnitude; decibels are 20 log10 of the magnitude
        per_power = 2 / getattr(step, "power", 2.0)
        scaling = getattr(step, "scaling", None)
        if scaling == "log":
            return levels * (10 / np.log(10)) * per_power, "dB"
        if scaling is None:
            return power_to_decibels(levels) * per_power, "dB"
        if scaling == "db" and getattr(step, "db_window", None) is not None:
            low, high = step.db_window
            return levels * (high - low) + low, "dB"
        return levels, "dB" if scaling == "db" else ""


def describe_front_end(estimator: Any) -> FrontEndAxes | None:
    """Return the axes of the spectrograms that an estimator computes or uses.

    Parameters
    ----------
    estimator : estimator or Pipeline
        A front end, or a pipeline or network that contains one.

    Returns
    -------
    axes : FrontEndAxes or None
        None if there is no front end.
    """
    found = [
        step
        for _, step in walk(estimator)
        if getattr(step, "sample_rate", None) is not None and hasattr(step, "hop_length")
    ]
    if not found:
        return None
    step = found[-1]
    rate = step.sample_rate
    if isinstance(step, BaseEncoder):
        period, first = step._shared_front_end().frame_times()
        return FrontEndAxes(step, rate, period * rate, first, None, "Dimension")
    n_fft, _, hop_length = frame_sizes(
        rate, getattr(step, "n_fft", None), getattr(step, "win_length", None), step.hop_length
    )
    n_mels = getattr(step, "n_mels", None)
    row_name = None
    if getattr(step, "n_mfcc", None) is not None:
        frequencies, row_name = None, "Cepstral coefficient"
    elif n_mels is None:
        frequencies = np.fft.rfftfreq(n_fft, 1 / rate)
    else:
        fmax = rate / 2 if step.fmax is None else step.fmax
        frequencies = mel_frequencies(n_mels + 2, step.fmin, fmax, step.mel_scale)[1:-1]
    first = 0.0 if getattr(step, "center", True) else n_fft / 2 / rate
    return FrontEndAxes(step, rate, hop_length, first, frequencies, row_name)


def spectrogram_of(estimator: Any, X: Any) -> tuple[npt.NDArray[Any], str, FrontEndAxes]:
    """Return the spectrogram that a fitted transformer computes from one clip, and its axes.

    Parameters
    ----------
    estimator : fitted transformer or Pipeline
        A transformer that computes spectrograms. If a pipeline ends in a classifier, the steps
        before it are used.
    X : array-like of shape (n_times,), or what ``transform`` takes for one clip
        One clip.

    Returns
    -------
    levels : ndarray of shape (n_bands, n_frames)
    unit : str
        "dB", or "" if levels have no unit.
    axes : FrontEndAxes

    Raises
    ------
    ValueError
        If the estimator contains no front end, or X holds several clips.
    """
    if hasattr(estimator, "steps") and not hasattr(final_step(estimator), "transform"):
        estimator = estimator[:-1]
    axes = describe_front_end(estimator)
    if axes is None:
        raise ValueError(
            f"{type(estimator).__name__} has no front end with sample_rate and hop_length; "
            "use SpectrogramDisplay(spectrogram, sample_rate=..., hop_length=...)"
        )
    if np.ndim(X) == 1 and np.asarray(X).dtype.kind in "fiu":
        X = np.asarray(X)[np.newaxis]
    made = estimator.transform(X)
    if len(made) != 1 or np.ndim(made[0]) != 2:
        raise ValueError(
            f"X gives {len(made)} outputs of {np.ndim(made[0])} dimensions; "
            "expected the spectrogram of one clip"
        )
    levels = np.asarray(made[0], dtype=float)
    if final_step(estimator) is not axes.step:
        return levels, "", axes  # a later step, such as a scaler, removed the unit
    return *axes.to_decibels(levels), axes
