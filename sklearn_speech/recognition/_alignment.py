"""Which frames belong to which phone of a known sequence."""

import numpy as np

BLANK = 0

#: Silence between two phones that is shorter than this, in seconds, is shared out between them.
SHORTEST_PAUSE = 0.05


def forced_alignment(log_probs, codes, *, min_frames=1, pause_penalty=0.0):
    """The most probable path that says a sequence.

    With the defaults the path is one of CTC: blank may stand before, after and
    between any phones, and must stand between two that are the same.

    Parameters
    ----------
    log_probs : ndarray of shape (n_frames, n_labels)
        Blank, or silence, first. Need not sum to one.
    codes : list of int
        From 1 on.
    min_frames : int, default=1
        Fewest frames of each phone.
    pause_penalty : float, default=0.0
        Subtracted for each run of blanks between two phones.

    Returns
    -------
    path : ndarray of shape (n_frames,)
        Position in `codes` that each frame belongs to, -1 for blank.
    score : float
        Sum of `log_probs` along the path, less the penalties.

    Raises
    ------
    ValueError
        When there are too few frames.

    Examples
    --------
    >>> log_probs = np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    >>> forced_alignment(log_probs, [1, 2])[0].tolist()
    [-1, 0, 1]
    """
    log_probs = np.asarray(log_probs, dtype=float)
    owner, labels, enter, skip = _states(codes, min_frames, pause_penalty)
    emitted = log_probs[:, labels]
    best = np.full(len(labels), -np.inf)
    best[:2] = emitted[0, :2]
    steps = np.zeros(emitted.shape, dtype=np.int8)
    options = np.full((3, len(labels)), -np.inf)
    for t in range(1, len(emitted)):
        options[0] = best
        options[1, 1:] = best[:-1] + enter[1:]
        options[2, 2:] = best[:-2] + skip[2:]
        steps[t] = options.argmax(0)
        best = options.max(0) + emitted[t]
    state = len(labels) - 1
    if len(labels) > 1 and best[-2] > best[-1]:
        state -= 1
    score = float(best[state])
    if score == -np.inf:
        raise ValueError(
            f"{len(emitted)} frames are too few for {len(codes)} phones of at least "
            f"{min_frames} frames"
        )
    path = np.empty(len(emitted), dtype=int)
    for t in range(len(emitted) - 1, -1, -1):
        path[t] = owner[state]
        state -= int(steps[t, state])  # a small integer type would make it overflow
    return path, score


def _states(codes, min_frames, pause_penalty):
    """What each state of a path belongs to and emits, and what entering and skipping cost."""
    n_states = len(codes) * (min_frames + 1) + 1
    first = np.arange(len(codes)) * (min_frames + 1) + 1
    owner, labels = np.full(n_states, -1), np.full(n_states, BLANK)
    for k in range(min_frames):
        owner[first + k], labels[first + k] = np.arange(len(codes)), codes
    enter, skip = np.zeros(n_states), np.full(n_states, -np.inf)
    enter[first[1:] - 1] = -pause_penalty
    # one frame for each phone: only blank tells a phone from itself
    free = [i for i in range(1, len(codes)) if min_frames > 1 or codes[i] != codes[i - 1]]
    skip[first[free]] = 0.0
    return owner, labels, enter, skip


def phone_bounds(path, n_phones, frame_period, first_frame_time, duration):
    """Where the phones of a path begin and end, in seconds.

    Parameters
    ----------
    path : ndarray of shape (n_frames,)
        What :func:`forced_alignment` gives.
    n_phones : int
    frame_period : float
        Seconds from one frame to the next; a frame reaches half of that to both sides.
    first_frame_time : float
        Middle of the first frame, in seconds.
    duration : float
        Of the clip, which no phone outlasts.

    Returns
    -------
    bounds : ndarray of shape (n_phones, 2)

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
