"""Which frames belong to which phone of a known sequence."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

BLANK = 0

#: A silence between two phones that is shorter than this (seconds) is divided between them.
SHORTEST_PAUSE = 0.05


def forced_alignment(
    log_probs: ArrayLike,
    codes: list[int],
    *,
    min_frames: int = 1,
    pause_penalty: float = 0.0,
) -> tuple[NDArray[np.int_], float]:
    """Find the most probable path that yields a given sequence of phones.

    With the defaults, paths follow the rules of CTC: blank may come before, after and
    between any two phones, and must come between two equal phones.

    Parameters
    ----------
    log_probs : ndarray of shape (n_frames, n_labels)
        Log probability of each label in each frame; column 0 is blank or silence.
        Rows need not be normalised.
    codes : list of int
        Phones, as columns of `log_probs`, from 1.
    min_frames : int, default=1
        Minimum number of frames of each phone.
    pause_penalty : float, default=0.0
        Subtracted from the score for each run of blanks between two phones.

    Returns
    -------
    path : ndarray of shape (n_frames,)
        For each frame, the position in `codes` of its phone; -1 for blank.
    score : float
        Sum of `log_probs` along the path, minus the penalties.

    Raises
    ------
    ValueError
        When there are too few frames for the phones.

    Notes
    -----
    An exact Viterbi search: its time and memory (``min_frames + 2`` bytes for each phone
    and frame) grow with ``n_frames * len(codes)``. All states of a frame are computed
    together.

    Examples
    --------
    >>> log_probs = np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    >>> forced_alignment(log_probs, [1, 2])[0].tolist()
    [-1, 0, 1]
    """
    log_probs = np.asarray(log_probs, dtype=float)
    n_frames, n_phones = len(log_probs), len(codes)
    phone_scores = np.full((n_frames, n_phones + 1), -np.inf)
    phone_scores[:, :-1] = log_probs[:, codes]
    blank_scores = log_probs[:, BLANK].tolist()
    penalties, may_skip = _transitions(codes, min_frames, pause_penalty)

    # Column k holds the states around phone k: row 0 is the blank before it, the other rows
    # are its frames up to the minimum. The last column has only a blank, the final one.
    best = np.full((min_frames + 1, n_phones + 1), -np.inf)
    best[0, 0], best[1, 0] = blank_scores[0], phone_scores[0, 0]
    new, from_last = np.empty_like(best), np.empty(n_phones)
    advanced = np.zeros((n_frames, *best.shape), dtype=bool)  # came from the state before
    skipped = np.zeros((n_frames, n_phones), dtype=bool)  # came from the phone before, no blank
    for t in range(1, n_frames):
        np.greater(best[:-1], best[1:], out=advanced[t, 1:])
        np.maximum(best[1:], best[:-1], out=new[1:])
        np.subtract(best[-1, :-1], penalties, out=from_last)
        np.greater(from_last, best[0, 1:], out=advanced[t, 0, 1:])
        new[0, 0] = best[0, 0]
        np.maximum(best[0, 1:], from_last, out=new[0, 1:])
        np.add(best[-1, :-1], may_skip, out=from_last)
        np.greater(from_last[:-1], new[1, 1:-1], out=skipped[t, 1:])
        np.maximum(new[1, 1:-1], from_last[:-1], out=new[1, 1:-1])
        new[1:] += phone_scores[t]
        new[0] += blank_scores[t]
        best, new = new, best

    k, row = n_phones, 0
    if n_phones and best[-1, -2] > best[0, -1]:
        k, row = n_phones - 1, min_frames
    score = float(best[row, k])
    if score == -np.inf:
        raise ValueError(
            f"{n_frames} frames are too few for {n_phones} phones of at least {min_frames} frames"
        )
    path = np.empty(n_frames, dtype=int)
    for t in range(n_frames - 1, -1, -1):
        path[t] = k if row else -1
        if row == 1 and skipped[t, k]:
            k, row = k - 1, min_frames
        elif advanced[t, row, k]:
            k, row = (k, row - 1) if row else (k - 1, min_frames)
    return path, score


def _transitions(
    codes: list[int], min_frames: int, pause_penalty: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Penalty for a blank after each phone; 0 where the next phone may follow at once, or -inf."""
    n_phones = len(codes)
    penalties, may_skip = np.zeros(n_phones), np.full(n_phones, -np.inf)
    penalties[:-1] = pause_penalty
    for i in range(n_phones - 1):
        # equal phones of one frame each cannot be told apart without a blank between them
        if min_frames > 1 or codes[i] != codes[i + 1]:
            may_skip[i] = 0.0
    return penalties, may_skip


def phone_bounds(
    path: NDArray[np.int_],
    n_phones: int,
    frame_period: float,
    first_frame_time: float,
    duration: float,
) -> NDArray[np.float64]:
    """Start and end of each phone of a path, in seconds.

    Parameters
    ----------
    path : ndarray of shape (n_frames,)
        As returned by :func:`forced_alignment`.
    n_phones : int
    frame_period : float
        Time between the centres of two frames, in seconds. A frame covers half of it on
        either side of its centre.
    first_frame_time : float
        Centre of the first frame, in seconds.
    duration : float
        Length of the clip in seconds. Bounds are clipped to it.

    Returns
    -------
    bounds : ndarray of shape (n_phones, 2)
        Start and end in seconds.

    Examples
    --------
    >>> phone_bounds(np.array([-1, 0, -1, 1, 1]), 2, 0.02, 0.01, 1.0).round(3).tolist()
    [[0.02, 0.05], [0.05, 0.1]]
    """
    inside = path == np.arange(n_phones)[:, None]
    first = inside.argmax(1)
    stop = len(path) - inside[:, ::-1].argmax(1)
    bounds = first_frame_time + frame_period * (np.stack([first, stop], axis=1) - 0.5)
    bounds = bounds.clip(0, duration)
    gaps = bounds[1:, 0] - bounds[:-1, 1]
    for i in np.flatnonzero(gaps < SHORTEST_PAUSE - 1e-9):
        bounds[i, 1] = bounds[i + 1, 0] = (bounds[i, 1] + bounds[i + 1, 0]) / 2
    return bounds
