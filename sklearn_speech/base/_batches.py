"""Batches cut by index from tensors, not collated item by item.

A batch is a pair ``(X, y)``, as skorch expects it. ``X`` is a tensor, or a dict if the batch
holds more than clips. Its entries are

- ``"x"``, Tensor of shape (n_clips, ...): the clips, padded to the longest;
- ``"lengths"``, Tensor of shape (n_clips,): number of valid samples or frames of each clip;
- ``"sample_weight"``, Tensor of shape (n_clips,): weight of each clip in the loss;
- ``"features"``, in place of ``"x"``: features of the clips, computed by a front end beforehand.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from skorch.dataset import Dataset
from torch.utils.data import DataLoader

from ..utils.lazy_clips import LazyClips
from ..utils.tensors import as_tensor
from ._ahead import read_ahead

#: Clips of one length as a tensor, or of several lengths as a list of tensors.
Clips: TypeAlias = torch.Tensor | list[torch.Tensor]

#: First part of a batch.
Inputs: TypeAlias = torch.Tensor | dict[str, Any]


class ClipDataset(Dataset):
    """Clips with their targets and weights, as tensors.

    A skorch data set, so that skorch's callbacks find ``X`` and ``y`` in it.

    Parameters
    ----------
    X : Tensor of shape (n_clips, ...), list of Tensors, or LazyClips
        A list if clips differ in length; the last axis of each is time.
    targets : Tensor of shape (n_clips, ...), default=None
    sample_weight : Tensor of shape (n_clips,), default=None
    classes : ndarray of shape (n_classes,), default=None
        Labels, or any object that maps an array of targets to labels when indexed with it.
    is_features : bool, default=False
        Whether X holds features that the front end of the network has computed.
    """

    def __init__(
        self,
        X: Any,
        targets: torch.Tensor | None = None,
        sample_weight: torch.Tensor | None = None,
        classes: Any = None,
        is_features: bool = False,
    ):
        self.X, self.targets, self.sample_weight, self.classes = X, targets, sample_weight, classes
        self.is_features = is_features
        self.lazy = isinstance(X, LazyClips)
        self.ragged = X.ragged if isinstance(X, LazyClips) else isinstance(X, list)
        self.lengths = _lengths(X) if self.ragged else None
        #: Whether batches of lazy clips are read to pinned memory, from which a GPU copies faster.
        self.pinned = False

    @property
    def y(self) -> Any:
        """Targets in the form that the user gave."""
        return labels_of_codes(self.targets, self.classes)

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, index: int) -> tuple[Inputs, torch.Tensor]:
        x = as_tensor(self.X[index], np.float32) if self.lazy else self.X[index]
        more: dict[str, torch.Tensor | None] = {}
        if self.ragged:
            more["lengths"] = torch.tensor(x.shape[-1])
        if self.sample_weight is not None:
            more["sample_weight"] = self.sample_weight[index]
        # a stock DataLoader cannot collate None
        y = torch.tensor(0) if self.targets is None else self.targets[index]
        return self._inputs(x, more), y

    def _inputs(self, x: torch.Tensor, more: dict[str, torch.Tensor | None]) -> Inputs:
        more = {key: value for key, value in more.items() if value is not None}
        if self.is_features:
            return {"features": x, **more}
        return {"x": x, **more} if more else x

    def with_clips(self, X: Clips, is_features: bool = False) -> "ClipDataset":
        """The same targets with another representation of the clips."""
        return ClipDataset(X, self.targets, self.sample_weight, self.classes, is_features)

    def subset(self, index: torch.Tensor) -> "ClipDataset":
        """The clips at `index`, an integer Tensor, in that order."""
        if self.lazy:
            X = self.X[index.numpy()]
        else:
            X = [self.X[i] for i in index.tolist()] if self.ragged else take(self.X, index)
        targets, weight = take(self.targets, index), take(self.sample_weight, index)
        return ClipDataset(X, targets, weight, self.classes, self.is_features)

    def to(self, device: torch.device) -> "ClipDataset":
        """The same clips on another device; clips in the store stay there until they are read."""
        if self.lazy:
            self.pinned = device.type == "cuda"
            return self
        X = [x.to(device) for x in self.X] if self.ragged else self.X.to(device)
        targets, weight = _move(self.targets, device), _move(self.sample_weight, device)
        return ClipDataset(X, targets, weight, self.classes, self.is_features)

    def batch(self, index: slice | torch.Tensor) -> tuple[Any, torch.Tensor | None]:
        """The clips at `index`, a slice or an integer Tensor, padded to the longest of them."""
        more = {"sample_weight": take(self.sample_weight, index)}
        if self.lazy:
            clips = self.X.load(index if isinstance(index, slice) else index.numpy())
            if self.ragged:
                x, more["lengths"] = pad([as_tensor(clip, np.float32) for clip in clips])
            else:
                x = as_tensor(clips, np.float32)
            x = x.pin_memory() if self.pinned else x
        elif not self.ragged:
            x = take(self.X, index)
        else:
            clips = self.X[index] if isinstance(index, slice) else [self.X[i] for i in index]
            x, more["lengths"] = pad(clips)
        return self._inputs(x, more), take(self.targets, index)


def _lengths(X: Any) -> torch.Tensor:
    if isinstance(X, LazyClips):
        return torch.from_numpy(X.lengths())
    return torch.tensor([x.shape[-1] for x in X])


def labels_of_codes(targets: torch.Tensor | None, classes: Any) -> Any:
    """Targets in the form that the user gave, looked up among the classes."""
    if targets is None or classes is None:
        return targets
    return classes[targets.cpu().numpy()]


def split_inputs(X: Any) -> tuple[Any, bool, torch.Tensor | None]:
    """Split the first part of a batch into clips, whether they are features, and their lengths.

    Parameters
    ----------
    X : Tensor or dict
        First part of a batch.

    Returns
    -------
    x : Tensor of shape (n_clips, ...)
    is_features : bool
    lengths : Tensor of shape (n_clips,) or None
    """
    if not isinstance(X, Mapping):
        return X, False, None
    if "features" in X:
        return X["features"], True, X.get("lengths")
    return X["x"], False, X.get("lengths")


def collate(items: Iterable[tuple[Inputs, torch.Tensor]]) -> tuple[Inputs, torch.Tensor]:
    """Items of a :class:`ClipDataset` as one batch, for torch's DataLoader."""
    inputs, codes = zip(*items)
    same_shape = len({code.shape for code in codes}) == 1
    targets = torch.stack(codes) if same_shape else pad(codes)[0]
    if not isinstance(inputs[0], Mapping):
        return torch.stack(inputs), targets
    batch = {}
    for key in inputs[0]:
        values = [entry[key] for entry in inputs]
        if key in ("x", "features") and "lengths" in inputs[0]:
            batch[key] = pad(values)[0]
        else:
            batch[key] = torch.stack(values)
    return batch, targets


def take(values: torch.Tensor | None, index: slice | torch.Tensor) -> Any:
    """Entries of a tensor at a slice or an integer Tensor; None if `values` is None."""
    if values is None:
        return None
    if isinstance(index, slice):
        return values[index]
    if values.dim() == 4 and not values.is_contiguous():  # maps with channels last stay so
        return values.permute(0, 2, 3, 1).index_select(0, index).permute(0, 3, 1, 2)
    return values.index_select(0, index)  # faster than values[index]


def _move(values: torch.Tensor | None, device: torch.device) -> torch.Tensor | None:
    return None if values is None else values.to(device)


def pad(clips: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Clips in one tensor, the shorter ones padded with zeros, and their lengths."""
    lengths = torch.tensor([clip.shape[-1] for clip in clips], device=clips[0].device)
    padded = clips[0].new_zeros(len(clips), *clips[0].shape[:-1], int(lengths.max()))
    for row, clip in zip(padded, clips):
        row[..., : clip.shape[-1]] = clip
    return padded, lengths


class BatchIterator:
    """Cuts a :class:`ClipDataset` into batches.

    With `shuffle`, clips of similar length share a batch, so that little is padded; the order
    of the batches is random. Clips of one length have the same order in a list and in a tensor.

    Parameters
    ----------
    dataset : ClipDataset
    batch_size : int, default=128
    shuffle : bool, default=False
        Draw a new order for each pass from torch's generator.
    drop_last : bool, default=False
        Leave out a last batch that is smaller than the others.
    sampler : iterable of int, default=None
        Gives the order of the clips for each pass, such as a
        ``torch.utils.data.WeightedRandomSampler``; excludes `shuffle`.
    join_single : bool, default=False
        Merge a last batch of one clip into the batch before it, since batch norm cannot
        be trained on one value.
    **unsupported
        Other options of torch's DataLoader are refused: there are no workers to
        start and no items to collate.
    """

    def __init__(
        self,
        dataset: ClipDataset,
        batch_size: int = 128,
        shuffle: bool = False,
        drop_last: bool = False,
        sampler: Iterable[int] | None = None,
        join_single: bool = False,
        **unsupported: Any,
    ):
        if unsupported:
            raise ValueError(
                f"iterator options {sorted(unsupported)} cannot be honoured: batches are cut by "
                "index in this process; supported are batch_size, shuffle, drop_last and sampler "
                "(set iterator_train=torch.utils.data.DataLoader to use a DataLoader)"
            )
        if sampler is not None and shuffle:
            raise ValueError("sampler and shuffle=True exclude each other")
        self.dataset, self.batch_size = dataset, int(batch_size)
        self.shuffle, self.drop_last = shuffle, drop_last
        self.sampler, self.join_single = sampler, join_single
        lengths = dataset.lengths
        self.by_length = lengths is not None and len(lengths.unique()) > 1

    def _bounds(self, n_clips: int) -> list[tuple[int, int]]:
        starts = list(range(0, n_clips, self.batch_size))
        stops = [*starts[1:], n_clips]
        if starts and stops[-1] - starts[-1] < self.batch_size and self.drop_last:
            starts, stops = starts[:-1], stops[:-1]
        elif self.join_single and len(starts) > 1 and stops[-1] - starts[-1] == 1:
            starts, stops = starts[:-1], [*stops[:-2], n_clips]
        return list(zip(starts, stops))

    def __len__(self) -> int:
        return len(self._bounds(len(self.dataset)))

    def _order(self) -> torch.Tensor | None:
        if self.sampler is not None:
            return torch.as_tensor(list(self.sampler))
        if not self.shuffle:
            return None
        order = torch.randperm(len(self.dataset))
        if self.dataset.lengths is None or not self.by_length:
            return order
        # similar lengths together; the noise shuffles ties and neighbours
        jitter = 1 + 0.1 * torch.rand(len(order))
        return order[torch.argsort(self.dataset.lengths[order] * jitter)]

    def __iter__(self) -> Iterator[tuple[Any, torch.Tensor | None]]:
        if self.dataset.lazy:
            yield from read_ahead(self.dataset.batch, self._indices())
        else:
            yield from map(self.dataset.batch, self._indices())

    def _indices(self) -> Iterator[slice | torch.Tensor]:
        """Yield the clips of each batch."""
        order = self._order()
        if order is None:
            for start, stop in self._bounds(len(self.dataset)):
                yield slice(start, stop)
            return
        bounds = self._bounds(len(order))
        if self.by_length and self.shuffle:
            bounds = [bounds[i] for i in torch.randperm(len(bounds)).tolist()]
        for start, stop in bounds:
            yield order[start:stop]


#: Anything that cuts batches.
Batches: TypeAlias = BatchIterator | DataLoader[Any]


def with_collate_fn(iterator: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Options of an iterator; a DataLoader also gets the function that collates clips."""
    if isinstance(iterator, type) and issubclass(iterator, DataLoader):
        options.setdefault("collate_fn", collate)
    return options


def map_clips(
    data: ClipDataset,
    function: Callable[..., tuple[torch.Tensor, torch.Tensor | None]],
    device: torch.device,
    batch_size: int = 64,
) -> Any:
    """Apply a function to all clips of a dataset batch by batch, without gradients.

    Parameters
    ----------
    data : ClipDataset
    function : callable
        Takes padded clips and their lengths (or None) on the device; returns a tensor of shape
        (n_clips, ..., n_steps), and lengths or None.
    device : torch.device
    batch_size : int, default=64

    Returns
    -------
    X : Tensor of shape (n_clips, ...), or list of Tensors if clips differ in length
        On the CPU, in the order of `data`, without padding.
    """
    # sorted by length, clips of a batch need little padding
    order = torch.arange(len(data))
    if data.lengths is not None:
        order = torch.argsort(data.lengths, stable=True)
    whole: torch.Tensor | None = None
    clips: list[Any] = [None] * len(data)
    with torch.no_grad():
        for start in range(0, len(data), batch_size):
            index = order[start : start + batch_size]
            part = index if data.ragged else slice(start, start + batch_size)
            x, _, lengths = split_inputs(data.batch(part)[0])
            x, lengths = function(x.to(device), None if lengths is None else lengths.to(device))
            x = x.cpu()
            if lengths is None:
                whole = _room_for(len(data), x) if whole is None else whole
                whole[start : start + batch_size] = x
                continue
            for i, clip, n in zip(index.tolist(), x, lengths.tolist()):
                clips[i] = clip[..., :n].clone()
    return clips if data.ragged else whole


def _room_for(n_clips: int, x: torch.Tensor) -> torch.Tensor:
    """Memory for clips with the shape and layout of those of a batch."""
    layout = torch.contiguous_format
    if x.dim() == 4 and not x.is_contiguous():
        layout = torch.channels_last
    return torch.empty((n_clips, *x.shape[1:]), dtype=x.dtype, memory_format=layout)
