"""Selection of the clips to train on: the split of early stopping, and clips of weight 0."""

import warnings
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit

from ..splits import StratifiedGroupShuffleSplit
from ..utils.sklearn_private import safe_indexing
from ..utils.strata import N_BINS
from ._batches import ClipDataset


class DatasetPair(NamedTuple):
    """Training clips, and validation clips or None."""

    train: ClipDataset
    valid: ClipDataset | None


def split_for_early_stopping(
    data: ClipDataset, groups: Any, fraction: float, stratify: NDArray[Any] | None
) -> tuple[ClipDataset, ClipDataset]:
    """Split off validation clips, by speaker if the speakers are known.

    Parameters
    ----------
    data : ClipDataset
    groups : array-like of shape (n_clips,) or None
        Speakers. No speaker is in both parts.
    fraction : float
        Size of the validation part, as a fraction of the clips or speakers.
    stratify : ndarray of shape (n_clips,) or (n_clips, n_targets), or None
        Classes whose proportions are kept; or labels or numbers, whose proportions are kept if
        the speakers are known.

    Returns
    -------
    train, valid : ClipDataset
    """
    # fit has seeded torch, so that random_state determines the split too
    seed = int(torch.randint(2**31 - 1, ()))
    clips = torch.zeros(len(data), 1).numpy()
    if groups is not None:
        numbers = stratify is not None and stratify.dtype.kind == "f"
        by_speaker = StratifiedGroupShuffleSplit(
            1, test_size=fraction, n_bins=N_BINS if numbers else None, random_state=seed
        )
        labels = stratify if stratify is not None else torch.zeros(len(data)).numpy()
        split = next(by_speaker.split(clips, labels, groups))
    else:
        warnings.warn(
            "early_stopping=True splits off its validation clips at random, so that speakers may "
            "be in both parts and training may stop too late; pass groups=speakers to fit",
            UserWarning,
            stacklevel=5,
        )
        in_classes = stratify is not None and stratify.ndim == 1
        kind = StratifiedShuffleSplit if in_classes else ShuffleSplit
        splitter = kind(1, test_size=fraction, random_state=seed)
        try:
            split = next(splitter.split(clips, stratify))
        except ValueError as error:
            raise ValueError(
                f"validation_fraction={fraction} of {len(data)} clips cannot be split off for "
                f"early stopping: {error}"
            ) from error
    train, valid = (data.subset(torch.as_tensor(part)) for part in split)
    return train, valid


def without_zero_weights(data: ClipDataset, groups: Any) -> tuple[ClipDataset, Any]:
    """Clips with a weight above 0, and their speakers.

    Clips of weight 0 must affect neither batch norm nor the scale of the loss.
    """
    weight = data.sample_weight
    if weight is None or bool((weight > 0).all()):
        return data, groups
    kept = torch.nonzero(weight > 0)[:, 0]
    data = data.subset(kept)
    data.sample_weight = weight[kept] / weight[kept].mean()
    return data, None if groups is None else safe_indexing(groups, kept.numpy())
