"""A part of a sound file, given in place of its path."""

import math
import numbers
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class AudioSegment:
    """A part of a sound file, which :class:`AudioReader` takes in place of a path.

    Parameters
    ----------
    path : str or os.PathLike
        The sound file.
    start : float, default=0.0
        Where the part begins, in seconds from the beginning of the file.
    end : float or None, default=None
        Where the part ends, in seconds; None is the end of the file.

    Raises
    ------
    TypeError
        When `path` is not a path.
    ValueError
        When the times are not finite numbers with ``0 <= start < end``.

    Examples
    --------
    >>> AudioSegment("interview.flac", start=2.5, end=3.25).duration
    0.75
    """

    path: str
    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.path, (str, os.PathLike)):
            raise TypeError(f"path={self.path!r}: expected a str or os.PathLike")
        object.__setattr__(self, "path", os.fspath(self.path))
        if not _is_time(self.start) or self.start < 0:
            raise ValueError(f"start={self.start!r}: expected seconds, 0 or more")
        object.__setattr__(self, "start", float(self.start))
        if self.end is None:
            return
        if not _is_time(self.end) or self.end <= self.start:
            raise ValueError(
                f"end={self.end!r}: expected seconds after start={self.start}, or None for the "
                "end of the file"
            )
        object.__setattr__(self, "end", float(self.end))

    @property
    def duration(self) -> float | None:
        """Length in seconds, None when the part goes on to the end of the file."""
        return None if self.end is None else self.end - self.start

    def __str__(self) -> str:
        end = "end" if self.end is None else f"{self.end:g} s"
        return f"{self.path} ({self.start:g} s to {end})"


def _is_time(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
