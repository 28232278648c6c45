"""Draw training parts of 1, 2, 4, ... speakers from the training side of splits."""

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

Positions = npt.NDArray[np.intp]


@dataclass
class Draw:
    """The order in which one draw adds training speakers, and the clips of each."""

    speakers: Positions  # codes
    clips: list[Positions]
    always: Positions  # unlabelled clips, which belong to every training part

    def part(self, n_speakers: int) -> tuple[Positions, Positions]:
        """Return the ascending training clips of the first speakers, and those with a label."""
        labelled = np.sort(np.concatenate(self.clips[:n_speakers]))
        return np.sort(np.concatenate([labelled, self.always])), labelled


def check_count(value: Any, name: str) -> int:
    """Return a whole number of at least 1, or raise an error.

    Parameters
    ----------
    value : int
    name : str
        Start of the message, such as "n_draws=", which the value follows.

    Returns
    -------
    count : int
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1:
        raise ValueError(f"{name}{value!r}: expected a whole number of at least 1")
    return int(value)


def check_n_speakers(n_speakers: Any, most: int) -> npt.NDArray[np.intp]:
    """Return the ascending numbers of training speakers.

    Parameters
    ----------
    n_speakers : array-like of int or None
        None doubles from 1 up to `most`, which is always the last.
    most : int
        Training speakers that every split has.

    Returns
    -------
    n_speakers : ndarray of int of shape (n_sizes,)

    Raises
    ------
    ValueError
        If they are not different whole numbers from 1 to `most`.

    Examples
    --------
    >>> check_n_speakers(None, 5).tolist()
    [1, 2, 4, 5]
    """
    if n_speakers is None:
        return np.array([*(2**i for i in range((most - 1).bit_length())), most], dtype=np.intp)
    if isinstance(n_speakers, (str, bytes)) or np.ndim(n_speakers) != 1 or not len(n_speakers):
        raise ValueError(f"n_speakers={n_speakers!r}: expected a list such as [1, 2, 4], or None")
    sizes = [check_count(size, "n_speakers holds ") for size in np.asarray(n_speakers).tolist()]
    if max(sizes) > most:
        raise ValueError(
            f"n_speakers holds {max(sizes)}, but a split of cv has only {most} speakers with "
            "labelled clips to train on"
        )
    if len(set(sizes)) < len(sizes):
        raise ValueError(f"n_speakers={n_speakers!r}: expected each number only once")
    return np.array(sorted(sizes), dtype=np.intp)


def draw_speakers(
    splits: list[tuple[Positions, Positions, Positions]],
    codes: Positions,
    classes: npt.NDArray[Any] | None,
    *,
    clips_per_speaker: int | None,
    n_draws: int,
    random_state: Any,
) -> list[list[Draw]]:
    """Draw, for each split, orders of its training speakers and of their clips.

    Parameters
    ----------
    splits : list of (ndarray, ndarray, ndarray) of int
        Training clips, test clips, and labelled training clips.
    codes : ndarray of int of shape (n_clips,)
        Speakers as numbers.
    classes : ndarray of int of shape (n_clips,) or None
        Classes as numbers, which the chosen clips of a speaker represent as equally as possible.
    clips_per_speaker : int or None
        Labelled clips of each speaker; None takes all.
    n_draws : int
    random_state : int, RandomState instance or None

    Returns
    -------
    draws : list of list of Draw
        By split, then by draw.
    """
    rng = check_random_state(random_state)
    seeds = rng.randint(np.iinfo(np.int32).max, size=(len(splits), 1 + n_draws))
    draws: list[list[Draw]] = []
    for (train, _, labelled), (seed_of_orders, *seeds_of_clips) in zip(splits, seeds):
        always = np.setdiff1d(train, labelled)
        clips_of = _clips_of_each(labelled, codes)
        orders = _orders(np.array(list(clips_of), dtype=np.intp), n_draws, seed_of_orders)
        draws.append([])
        for order, seed in zip(orders, seeds_of_clips):
            clips = [clips_of[code] for code in order.tolist()]
            if clips_per_speaker is not None:
                rng = np.random.RandomState(seed)
                clips = [_in_turns(some, classes, rng)[:clips_per_speaker] for some in clips]
            draws[-1].append(Draw(order, clips, always))
    return draws


def _clips_of_each(clips, codes):
    """Return the ascending clips of each speaker, by code."""
    clips = np.sort(clips)
    found, starts = np.unique(np.sort(codes[clips]), return_index=True)
    by_speaker = clips[np.argsort(codes[clips], kind="stable")]
    return dict(zip(found.tolist(), np.split(by_speaker, starts[1:])))


def _orders(speakers, n_draws, seed):
    """Return one order of the speakers for each draw.

    The draws go round one random circle from starts that are as far apart as possible. So
    small parts overlap as little as possible, and no draw of one speaker is wasted on a
    speaker who was already drawn.
    """
    rng = np.random.RandomState(seed)
    n = len(speakers)
    step = max(1, n // n_draws)
    orders = []
    for i in range(n_draws):
        if i * step % n < step:  # every start has been used: a new circle
            circle = rng.permutation(speakers)
        orders.append(np.roll(circle, -(i * step % n)))
    return orders


def _in_turns(clips, classes, rng):
    """Return clips in random order, with classes taking turns as long as they last."""
    clips = rng.permutation(clips)
    if classes is None:
        return clips
    of_class = classes[clips]
    order = np.argsort(of_class, kind="stable")
    _, starts, counts = np.unique(of_class[order], return_index=True, return_counts=True)
    turns = np.empty(len(clips), dtype=np.intp)
    turns[order] = np.arange(len(clips)) - np.repeat(starts, counts)
    return clips[np.argsort(turns, kind="stable")]
