"""Change of sampling rate by a ratio of whole numbers."""

from math import gcd

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..filters import resampling_filter
from .counts import Count

#: Largest number of filter weights; clips at rates that need more are better resampled when their
#: files are read.
_MAX_WEIGHTS = 2**23


class Resampler(nn.Module):
    """Waveforms at another sampling rate, by a polyphase filter.

    Parameters
    ----------
    from_rate, to_rate : int
        In Hz.
    dtype : torch.dtype, default=torch.float32
        Type of the filter and the waveforms.

    Raises
    ------
    ValueError
        When the two rates have so few common factors that the filter would be huge.

    Shape
    -----
    Input (n_clips, n_times), output (n_clips, ceil(n_times * to_rate / from_rate)).

    Examples
    --------
    >>> Resampler(8000, 16000)(torch.zeros(2, 8000)).shape
    torch.Size([2, 16000])
    """

    kernel: Tensor

    def __init__(self, from_rate: int, to_rate: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        common = gcd(from_rate, to_rate)
        self.up, self.down = to_rate // common, from_rate // common
        if self.up * self.down > _MAX_WEIGHTS:
            raise ValueError(
                f"sample_rate={from_rate} Hz and {to_rate} Hz have no large common factor; "
                "resample the clips beforehand, for example with "
                f"AudioReader(sample_rate={to_rate})"
            )
        taps = resampling_filter(self.up, self.down)
        half = len(taps) // 2
        #: Input samples that a block of `up` outputs needs before its first one.
        self.before = half // self.up
        width = self.before + 1 + ((self.up - 1) * self.down + half) // self.up
        phases = np.arange(self.up)[:, np.newaxis] * self.down
        offsets = (np.arange(width) - self.before) * self.up
        index = phases - offsets + half
        inside = (index >= 0) & (index < len(taps))
        kernel = np.where(inside, taps[index.clip(0, len(taps) - 1)], 0.0)[:, np.newaxis]
        self.register_buffer("kernel", torch.from_numpy(kernel).to(dtype), persistent=False)

    def n_out(self, n_samples: Count) -> Count:
        """Samples at the new rate of clips of `n_samples` samples (int or Tensor)."""
        return -((-n_samples * self.up) // self.down)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Resample a batch; beyond its ends a clip counts as silent."""
        if self.up == self.down:
            return waveforms
        n_out = self.n_out(waveforms.shape[1])
        n_blocks = -(-n_out // self.up)
        width = (n_blocks - 1) * self.down + self.kernel.shape[2]
        after = width - self.before - waveforms.shape[1]
        # negative padding cuts off samples that no output needs
        padded = F.pad(waveforms, (self.before, after))
        blocks = F.conv1d(padded.unsqueeze(1), self.kernel, stride=self.down)
        return blocks.transpose(1, 2).flatten(1)[:, :n_out]
