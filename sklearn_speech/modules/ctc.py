"""Connectionist temporal classification: the loss of each clip, and the frames that it needs."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class CTCCriterion(nn.Module):
    """Negative log-likelihood of phone sequences, each divided by its number of phones.

    The values that :func:`torch.nn.functional.ctc_loss` averages with ``reduction="mean"``,
    one per clip. A clip with fewer frames than its phones need counts 0; augmentation may
    shorten clips that far.

    Shape
    -----
    Logits (n_clips, n_frames, n_labels), blank first and ``-inf`` for all but blank
    beyond a clip's end; targets (n_clips, n_phones), codes from 1 on, filled up
    with 0; losses (n_clips,).

    References
    ----------
    A. Graves, S. Fernandez, F. Gomez and J. Schmidhuber, "Connectionist temporal
    classification: labelling unsegmented sequence data with recurrent neural
    networks", ICML 2006.
    """

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        n_phones = (targets > 0).sum(1)
        losses = F.ctc_loss(
            logits.log_softmax(2).transpose(0, 1),
            targets,
            valid_frames(logits),
            n_phones,
            reduction="none",
            zero_infinity=True,
        )
        return losses / n_phones.clamp(min=1)


def valid_frames(logits: Tensor) -> Tensor:
    """Frames of each clip of a padded batch, found from the logits.

    Parameters
    ----------
    logits : Tensor of shape (n_clips, n_frames, n_labels)
        ``-inf`` for all but blank beyond a clip's end.

    Returns
    -------
    n_frames : int64 Tensor of shape (n_clips,)
    """
    return (logits[:, :, -1] != -torch.inf).sum(1)


def frames_needed(targets: Tensor) -> Tensor:
    """The fewest frames of phone sequences: repeated phones need a blank between them.

    Parameters
    ----------
    targets : int64 Tensor of shape (n_clips, n_phones)
        Codes from 1 on, filled up with 0.

    Returns
    -------
    n_frames : int64 Tensor of shape (n_clips,)

    Examples
    --------
    >>> frames_needed(torch.tensor([[3, 3, 5], [2, 0, 0]])).tolist()
    [4, 1]
    """
    repeats = (targets[:, 1:] == targets[:, :-1]) & (targets[:, 1:] > 0)
    return (targets > 0).sum(1) + repeats.sum(1)
