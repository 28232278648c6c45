"""Batches cut by index from tensors that lie in one piece, not collated item by item."""

import torch
from skorch.dataset import Dataset


class Batch(tuple):
    """What an iterator yields: ``(x, y)``, as skorch expects, with two attributes more.

    Attributes
    ----------
    lengths : Tensor of shape (n_clips,) or None
        Valid samples or frames of each clip, where clips were padded.
    sample_weight : Tensor of shape (n_clips,) or None
    """

    def __new__(cls, x, y, lengths=None, sample_weight=None):
        batch = super().__new__(cls, (x, y))
        batch.lengths = lengths
        batch.sample_weight = sample_weight
        return batch


class ClipDataset(Dataset):
    """Clips with their targets and weights, as tensors.

    A skorch data set, so that skorch's callbacks find ``X`` and ``y`` in it.

    Parameters
    ----------
    X : Tensor of shape (n_clips, ...) or list of Tensors
        A list where clips differ in length; the last axis of each is time.
    targets : Tensor of shape (n_clips,) or None
    sample_weight : Tensor of shape (n_clips,) or None
    classes : ndarray of shape (n_classes,) or None
        Labels that the targets are positions in.
    """

    def __init__(self, X, targets=None, sample_weight=None, classes=None):
        self.X, self.targets, self.sample_weight, self.classes = X, targets, sample_weight, classes
        self.ragged = isinstance(X, list)
        self.lengths = torch.tensor([x.shape[-1] for x in X]) if self.ragged else None

    @property
    def y(self):
        """Targets as the user gave them."""
        if self.targets is None or self.classes is None:
            return self.targets
        return self.classes[self.targets.cpu().numpy()]

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        # a stock DataLoader cannot collate None
        return self.X[index], 0 if self.targets is None else self.targets[index]

    def with_clips(self, X):
        """The same targets for other representations of the clips."""
        return ClipDataset(X, self.targets, self.sample_weight, self.classes)

    def subset(self, index):
        """The clips at `index`, an integer Tensor, in that order."""
        X = [self.X[i] for i in index.tolist()] if self.ragged else _take(self.X, index)
        targets, weight = _take(self.targets, index), _take(self.sample_weight, index)
        return ClipDataset(X, targets, weight, self.classes)

    def to(self, device):
        """The same clips on another device."""
        X = [x.to(device) for x in self.X] if self.ragged else self.X.to(device)
        targets, weight = _move(self.targets, device), _move(self.sample_weight, device)
        return ClipDataset(X, targets, weight, self.classes)

    def batch(self, index):
        """The clips at `index`, a slice or an integer Tensor, padded to the longest of them."""
        targets, weight = _take(self.targets, index), _take(self.sample_weight, index)
        if not self.ragged:
            return Batch(_take(self.X, index), targets, None, weight)
        clips = self.X[index] if isinstance(index, slice) else [self.X[i] for i in index.tolist()]
        padded, lengths = _pad(clips)
        return Batch(padded, targets, lengths, weight)


def _take(values, index):
    if values is None:
        return None
    # what values[index] gives, and faster
    return values[index] if isinstance(index, slice) else values.index_select(0, index)


def _move(values, device):
    return None if values is None else values.to(device)


def _pad(clips):
    lengths = torch.tensor([clip.shape[-1] for clip in clips], device=clips[0].device)
    padded = clips[0].new_zeros(len(clips), *clips[0].shape[:-1], int(lengths.max()))
    for row, clip in zip(padded, clips):
        row[..., : clip.shape[-1]] = clip
    return padded, lengths


class BatchIterator:
    """Cuts a :class:`ClipDataset` into batches.

    Clips of differing lengths are put together by length, so that little is
    padded; which batch comes when is still random where `shuffle` is true.

    Parameters
    ----------
    dataset : ClipDataset
    batch_size : int, default=128
    shuffle : bool, default=False
        A new order in each pass, drawn from torch's generator.
    drop_last : bool, default=False
        Leave out a last batch that is smaller than the others.
    sampler : iterable of int, default=None
        The order of clips of one pass, drawn anew in each, such as a
        ``torch.utils.data.WeightedRandomSampler``; excludes `shuffle`.
    join_single : bool, default=False
        Put a last batch of one clip with the batch before it: batch norm cannot
        be trained on one value.
    **unsupported
        Other options of torch's DataLoader are refused: there are no workers to
        set up and nothing to collate.
    """

    def __init__(
        self,
        dataset,
        batch_size=128,
        shuffle=False,
        drop_last=False,
        sampler=None,
        join_single=False,
        **unsupported,
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

    def _bounds(self, n_clips):
        starts = list(range(0, n_clips, self.batch_size))
        stops = [*starts[1:], n_clips]
        if starts and stops[-1] - starts[-1] < self.batch_size and self.drop_last:
            starts, stops = starts[:-1], stops[:-1]
        elif self.join_single and len(starts) > 1 and stops[-1] - starts[-1] == 1:
            starts, stops = starts[:-1], [*stops[:-2], n_clips]
        return list(zip(starts, stops))

    def __len__(self):
        return len(self._bounds(len(self.dataset)))

    def _order(self):
        if self.sampler is not None:
            return torch.as_tensor(list(self.sampler))
        if not self.shuffle:
            return None
        order = torch.randperm(len(self.dataset))
        if not self.dataset.ragged:
            return order
        # clips of like length together, ties and neighbours still shuffled
        jitter = 1 + 0.1 * torch.rand(len(order))
        return order[torch.argsort(self.dataset.lengths[order] * jitter)]

    def __iter__(self):
        order = self._order()
        if order is None:
            for start, stop in self._bounds(len(self.dataset)):
                yield self.dataset.batch(slice(start, stop))
            return
        bounds = self._bounds(len(order))
        if self.dataset.ragged and self.shuffle:
            bounds = [bounds[i] for i in torch.randperm(len(bounds)).tolist()]
        for start, stop in bounds:
            yield self.dataset.batch(order[start:stop])
