"""Recorded noise added to waveforms."""

import numpy as np
import torch

from ._add_noise import add_at_snr
from ._augmentation import (
    Augmentation,
    check_number,
    check_range,
    uniform,
    whole_number,
)


class BackgroundNoise(Augmentation):
    """Add a piece of recorded background noise at a random signal-to-noise ratio.

    Each clip gets a piece from a random place of a random recording; a recording
    that is shorter than the batch is repeated. The ratio is that of the mean
    powers over the whole clip, and holds exactly unless the piece is silent. A
    silent clip stays silent.

    Parameters
    ----------
    clips : list of arrays of shape (n_times,), or array of shape (n_recordings, n_times)
        Recordings of noise, at the sample rate of the clips.
    snr_db : (low, high) tuple, default=(5.0, 25.0)
        In dB, drawn uniformly for each clip.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import numpy as np, torch
    >>> hum = np.sin(2 * np.pi * 50 * np.arange(8000) / 8000)
    >>> x, _ = BackgroundNoise([hum], snr_db=(10, 10))(torch.ones(2, 8000))
    >>> round(((x - 1) ** 2).mean().item(), 4)
    0.1
    """

    domain = "waveform"

    def __init__(self, clips, snr_db=(5.0, 25.0), p=1.0):
        check_range("snr_db", snr_db)
        check_number("p", p, 0, 1)
        if len(clips) == 0:
            raise ValueError("clips is empty: expected at least one recording of noise")
        for i, clip in enumerate(clips):
            shape = np.shape(clip)
            if len(shape) != 1 or shape[0] == 0:
                raise ValueError(f"clips[{i}] has shape {shape}: expected (n_times,), not empty")
        self.clips = clips
        self.snr_db = snr_db
        self.p = p

    def _transform(self, x, lengths, generator):
        samples, starts, sizes = self._bank(x)
        which = whole_number(*_bounds(len(x), len(sizes), x.device), generator)
        sizes = sizes[which]
        offsets = whole_number(torch.zeros_like(sizes), sizes - 1, generator)
        steps = torch.arange(x.shape[1], device=x.device)
        index = starts[which, None] + (offsets[:, None] + steps) % sizes[:, None]
        snr_db = uniform(len(x), *self.snr_db, generator, x.device)
        return add_at_snr(x, samples[index].to(x.dtype), lengths, snr_db), lengths

    def _bank(self, x):
        """All recordings in one tensor on the device of x, with their starts and sizes."""
        kept = getattr(self, "_kept", None)
        if kept is None or kept[0] is not self.clips or kept[1].device != x.device:
            clips = [np.asarray(clip, dtype=np.float32) for clip in self.clips]
            sizes = torch.tensor([len(clip) for clip in clips], device=x.device)
            samples = torch.from_numpy(np.concatenate(clips)).to(x.device)
            self._kept = kept = (self.clips, samples, sizes.cumsum(0) - sizes, sizes)
        return kept[1:]

    def __getstate__(self):
        return self.get_params()


def _bounds(n_clips, n_recordings, device):
    first = torch.zeros(n_clips, dtype=torch.int64, device=device)
    return first, first + n_recordings - 1
