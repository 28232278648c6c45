"""Conversion of phone sequences into training targets, and checks of clip lengths."""

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ..base._batches import ClipDataset
from ..base._mixin import Mixin
from ..modules.ctc import frames_needed
from ..modules.phoneme_net import frames_per_output, out_frames
from ..utils.phones import check_phone_sequences
from ..utils.random import torch_seed
from ..utils.validation import make_ragged


class TargetsMixin(Mixin):
    """Convert phone sequences to rows of codes; refuse clips too short for their phones."""

    phones_: NDArray[np.str_]

    def _network_shape(self, shape: tuple[int | None, ...]) -> dict[str, Any]:
        return {**super()._network_shape(shape), "n_phones": len(self.phones_)}

    def _check_y(self, y: Any, *, reset: bool, classes: Any = None) -> torch.Tensor:
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        y = check_phone_sequences(y)
        present = sorted({phone for phones in y for phone in phones})
        if reset or not hasattr(self, "phones_"):
            (phones,) = [present] if classes is None else check_phone_sequences([classes], "phones")
            if not phones:
                raise ValueError("y contains no phones in any clip; expected at least one phone")
            self.phones_ = np.unique(phones)
        unknown = sorted(set(present) - set(self.phones_.tolist()))
        if unknown:
            raise ValueError(
                f"y contains the phones {unknown}, which are not among the phones_ of this "
                f"{type(self).__name__}: {self.phones_.tolist()}"
            )
        code = {phone: i for i, phone in enumerate(self.phones_.tolist(), 1)}
        targets = torch.zeros(len(y), max(1, *map(len, y)), dtype=torch.int64)
        for row, phones in zip(targets, y):
            row[: len(phones)] = torch.tensor([code[phone] for phone in phones])
        return targets

    def _labels(self) -> "PhoneCodes | None":
        return PhoneCodes(self.phones_) if hasattr(self, "phones_") else None

    def get_dataset(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        reset: bool = False,
    ) -> ClipDataset:
        """Make a dataset of clips and phones; see ``BaseSpeechNet.get_dataset``.

        Raises
        ------
        ValueError
            When a clip has fewer frames than its phones need.
        """
        is_checked = isinstance(X, ClipDataset)
        data = super().get_dataset(X, y, sample_weight=sample_weight, classes=classes, reset=reset)
        if data.targets is not None and not is_checked:
            self._check_lengths(data, data.targets)
        return data

    def _check_lengths(self, data: ClipDataset, targets: torch.Tensor) -> None:
        """Refuse clips with fewer frames than a CTC path through their phones needs."""
        needed = frames_needed(targets)
        too_short = self._out_frames(steps_of(data)) < needed
        if data.sample_weight is not None:
            too_short &= data.sample_weight > 0
        if too_short.any():
            i = int(too_short.nonzero()[0])
            raise ValueError(
                f"clip {i} of X gives {int(self._out_frames(steps_of(data))[i])} frames, but its "
                f"{int((targets[i] > 0).sum())} phones need {int(needed[i])}"
                f" (number of clips that are too short: {int(too_short.sum())}); use a smaller "
                "time_stride or hop_length, or leave these clips out"
            )

    def _out_frames(self, n_steps: torch.Tensor) -> torch.Tensor:
        """Numbers of output frames for clips of `n_steps` samples or frames; needs no network."""
        if self.frontend is not None:
            with torch_seed(0):
                n_steps = self._make_front_end().n_frames(n_steps)
        return out_frames(n_steps, frames_per_output(self.encoder, self.time_stride))


class PhoneCodes:
    """Lookup of phone sequences by padded rows of codes."""

    def __init__(self, phones: NDArray[np.str_]):
        self.phones = phones.tolist()

    def __getitem__(self, codes: Any) -> NDArray[np.object_]:
        return make_ragged([self.phones[code - 1] for code in row if code] for row in codes)


def codes_of(targets: Any) -> list[list[int]]:
    """Rows of codes without their padding, each a list of int."""
    return [[code for code in row if code] for row in targets.tolist()]


def steps_of(data: ClipDataset) -> torch.Tensor:
    """Number of samples or frames of each clip."""
    if data.lengths is not None:
        return data.lengths
    return torch.full((len(data),), data.X.shape[-1])
