"""Where sound begins and ends, from its level over time."""

from typing import Any

import numpy as np
import numpy.typing as npt

#: Frames of levels in a second.
FRAMES_PER_SECOND = 100

#: A word reaches down to at most this far below its loudest frame, in dB.
_DEPTH = 60.0

#: In a clip, sound is louder than the background by at least this part of the contrast, down to
#: this far below the loudest frame, in dB. The noise of a room changes by several dB from frame
#: to frame: a small fixed distance fails.
_PART, _CLIP_DEPTH = 0.35, 40.0

#: Softer sound that follows without a pause belongs to the word, over at most this many frames
#: on either side: "f" and "s" are weak. It is this far above the softest 30 ms, in dB.
_SOFT_FRAMES, SOFT_ABOVE = 10, 6.0

#: What is softer is digital silence, which tells nothing about the background, in dB.
_SILENCE = -110.0

#: Parts of a word are at most this far apart, in seconds: the stop in "eight" or "right".
_PAUSE = 0.2

#: Without this contrast between loudest frame and background, levels say nothing, in dB.
CONTRAST = 12.0


def frames_of(sample_rate: float) -> int:
    """Samples of a frame of levels."""
    return max(1, round(sample_rate / FRAMES_PER_SECOND))


def levels(samples: npt.NDArray[np.float32], hop: int) -> npt.NDArray[Any]:
    """Mean square of consecutive frames of `hop` samples, in dB relative to full scale."""
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / hop
    return 10 * np.log10(power + 1e-12)


def extent(clip: npt.NDArray[np.float32], sample_rate: float) -> tuple[int, int]:
    """First sample of the word in a clip, and the first one after it.

    Of several sounds with pauses between them, the one with the most energy is the word.

    Parameters
    ----------
    clip : ndarray of shape (n_samples,)
        One word, perhaps with silence before and after it.
    sample_rate : float
        In Hz.

    Returns
    -------
    start, stop : int
        The whole clip where its level hardly changes.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.zeros(1000, dtype=np.float32)
    >>> clip[300:700] = 0.5
    >>> extent(clip, 1000)
    (300, 700)
    """
    hop = frames_of(sample_rate)
    level = levels(clip, hop)
    if len(level) == 0 or level.max() - level.min() < CONTRAST:
        return 0, len(clip)
    power = 10 ** (level / 10)
    peak, floor = level.max(), np.percentile(level, 10)
    least = max(peak - _CLIP_DEPTH, floor + _PART * (peak - floor))
    loud = np.flatnonzero(level > least)
    pauses = np.flatnonzero(np.diff(loud) > _PAUSE * FRAMES_PER_SECOND)
    # clicks and breaths before or after the word have little energy
    word = max(np.split(loud, pauses + 1), key=lambda frames: power[frames].sum())
    is_sound = level > _least_of_clip(level)
    first = word[0] - _continued(is_sound[: word[0]][::-1])
    last = word[-1] + _continued(is_sound[word[-1] + 1 :])
    return int(first * hop), int(min(len(clip), (last + 1) * hop))


def _least_of_clip(level: npt.NDArray[Any]) -> float:
    """Level above which a frame of a clip is sound and not its background, in dB."""
    peak, heard = level.max(), level[level > _SILENCE]
    floor = level.min()
    if len(heard) >= 3:
        # the word may fill all of the clip but for a short part
        power = np.convolve(10 ** (heard / 10), np.full(3, 1 / 3), mode="valid")
        floor = 10 * np.log10(power.min())
    return float(max(peak - _DEPTH, floor + min(SOFT_ABOVE, _PART * (peak - floor))))


def _continued(is_sound: npt.NDArray[np.bool_]) -> int:
    """Frames over which sound goes on, with gaps of one frame.

    Examples
    --------
    >>> _continued(np.array([True, False, True, True, False, False, True]))
    4
    """
    sound = np.flatnonzero(is_sound[:_SOFT_FRAMES])
    gaps = np.diff(sound, prepend=-1)
    breaks = np.flatnonzero(gaps > 2)
    sound = sound[: breaks[0]] if len(breaks) else sound
    return int(sound[-1]) + 1 if len(sound) else 0
