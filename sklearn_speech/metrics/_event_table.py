"""Events in recordings as a table: what, where, from when to when, how sure."""

import math
import numbers
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..utils.atomic import write_atomically
from ..utils.tables import html_table
from ._event_csv import COLUMNS, csv_of, rows_of_csv

#: Most events that are shown.
_N_SHOWN = 20


class EventTable:
    """Events in recordings, ordered by recording and time, one entry of each array an event.

    Parameters
    ----------
    rows : iterable of tuple (recording, word, start, end) or (recording, word, start, end, score)
        Recording (its path, or its position), word, start and end in seconds, and a score where
        a detector gave one.

    Attributes
    ----------
    recording : ndarray of shape (n_events,), dtype object
        Paths as str, or positions as int.
    word : ndarray of shape (n_events,), dtype object
        What was said.
    start, end : ndarray of shape (n_events,)
        In seconds from the beginning of the recording.
    score : ndarray of shape (n_events,)
        Larger is surer; NaN where no detector gave one.

    Examples
    --------
    >>> from sklearn_speech.metrics import EventTable
    >>> events = EventTable([(0, "yes", 1.5, 2.0, 0.9), (0, "no", 0.2, 0.5, 0.8)])
    >>> len(events), events.word.tolist()
    (2, ['no', 'yes'])
    >>> for recording, word, start, end, score in events:
    ...     print(recording, word, start, end, score)
    0 no 0.2 0.5 0.8
    0 yes 1.5 2.0 0.9
    """

    def __init__(self, rows: Iterable[Any] = ()) -> None:
        checked = [_check_row(row, i) for i, row in enumerate(rows)]
        order: dict[Any, int] = {}
        for row in checked:
            order.setdefault(row[0], len(order))
        if all(isinstance(name, int) for name in order):
            order = {name: name for name in order}
        checked.sort(key=lambda row: (order[row[0]], row[2], row[3]))
        self.recording = _objects([row[0] for row in checked])
        self.word = _objects([row[1] for row in checked])
        self.start = np.array([row[2] for row in checked], dtype=float)
        self.end = np.array([row[3] for row in checked], dtype=float)
        self.score = np.array([row[4] for row in checked], dtype=float)

    def __len__(self) -> int:
        return len(self.start)

    def __iter__(self) -> Iterator[tuple[Any, Any, float, float, float]]:
        yield from zip(
            self.recording.tolist(),
            self.word.tolist(),
            self.start.tolist(),
            self.end.tolist(),
            self.score.tolist(),
        )

    def __repr__(self) -> str:
        shown = [
            f"{recording}  {start:.3f}-{end:.3f} s  {word}"
            + ("" if math.isnan(score) else f"  {score:.3f}")
            for recording, word, start, end, score in list(self)[:_N_SHOWN]
        ]
        if len(self) > len(shown):
            shown.append(f"... {len(self) - len(shown)} more")
        return "\n".join([f"EventTable of {len(self)} events", *shown])

    def _repr_html_(self) -> str:
        body = [
            [str(recording), str(word), f"{start:.3f}", f"{end:.3f}", f"{score:.3f}"]
            for recording, word, start, end, score in list(self)[:_N_SHOWN]
        ]
        header = ["recording", "word", "start (s)", "end (s)", "score"]
        note = f"{len(self)} events, {len(body)} of them shown"
        return html_table(header, body, [], [note] if len(body) < len(self) else [])

    def above(self, threshold: float) -> "EventTable":
        """The events with at least a score.

        Parameters
        ----------
        threshold : float
            Least score.

        Returns
        -------
        events : EventTable
        """
        return EventTable(row for row in self if row[4] >= threshold)

    def of(self, recording: Any) -> "EventTable":
        """The events of one recording.

        Parameters
        ----------
        recording : str or int
            As in `recording`.

        Returns
        -------
        events : EventTable
        """
        return EventTable(row for row in self if row[0] == recording)

    def to_frame(self) -> Any:
        """The events as a table of pandas.

        Returns
        -------
        frame : pandas.DataFrame
            Columns recording, word, start, end, score.

        Raises
        ------
        ImportError
            When pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                "EventTable.to_frame needs pandas; install it with "
                "`pip install sklearn-speech[pandas]`"
            ) from error
        return pd.DataFrame({name: getattr(self, name) for name in COLUMNS})

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the events as comma-separated values with a line of names.

        Times are in seconds, rounded to microseconds.

        Parameters
        ----------
        path : str or os.PathLike
            A file that exists is replaced.
        """
        write_atomically(path, csv_of(self))

    @classmethod
    def from_csv(
        cls, path: str | os.PathLike[str], *, word_type: Callable[[str], Any] = str
    ) -> Self:
        """Read what :meth:`to_csv` wrote.

        Parameters
        ----------
        path : str or os.PathLike
            A file with the columns recording, word, start and end, and perhaps score. Whole
            numbers among the recordings are read as positions if all recordings are whole
            numbers.
        word_type : callable, default=str
            Type of the words, such as ``int`` if the labels are numbers: a file does not tell
            1 from "1".

        Returns
        -------
        events : EventTable

        Raises
        ------
        ValueError
            When a column is missing, a line has too few or too many fields, or a time is no
            number; the file and the line are named.
        """
        rows = rows_of_csv(path, word_type)
        for place, row in rows:
            try:
                _check_row(row, 0)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{place}: {str(error).removeprefix('event 0 ')}") from error
        return cls(row for _, row in rows)

    def to_audacity(self, path: str | os.PathLike[str], recording: Any = None) -> None:
        """Write a label track that Audacity imports: start, end and word, separated by tabs.

        Parameters
        ----------
        path : str or os.PathLike
            A file that exists is replaced.
        recording : str or int, default=None
            The recording whose events are written; None where there is one only.

        Raises
        ------
        ValueError
            When `recording` is None and there are several.
        """
        events = self if recording is None else self.of(recording)
        names = list(dict.fromkeys(events.recording.tolist()))
        if len(names) > 1:
            raise ValueError(
                f"a label track belongs to one recording, but there are {len(names)}: pass "
                f"recording=, such as {names[0]!r}"
            )
        lines = [
            f"{start:.6f}\t{end:.6f}\t{_without_spaces(word, ' ')}\n"
            for _, word, start, end, _ in events
        ]
        write_atomically(path, "".join(lines).encode("utf-8", "surrogateescape"))

    def to_rttm(self, path: str | os.PathLike[str]) -> None:
        """Write lines of NIST's Rich Transcription Time Marked format, of type LEXEME.

        The fields are type, file, channel, start, duration, word, subtype, speaker and
        confidence. Spaces in names and words become underscores, since fields end at spaces.

        Parameters
        ----------
        path : str or os.PathLike
            A file that exists is replaced.

        References
        ----------
        NIST, "RT-09 Evaluation Plan", 2009, appendix A.
        """
        lines = []
        for recording, word, start, end, score in self:
            file, label = (_without_spaces(text, "_") for text in (recording, word))
            sure = "<NA>" if math.isnan(score) else f"{score:.4f}"
            lines.append(
                f"LEXEME {file} 1 {start:.4f} {end - start:.4f} {label} lex <NA> {sure} <NA>\n"
            )
        write_atomically(path, "".join(lines).encode("utf-8", "surrogateescape"))


def check_events(events: Any, name: str = "events") -> EventTable:
    """Bring events into a table, or say which one is wrong.

    Parameters
    ----------
    events : EventTable, DataFrame with its columns, or iterable of tuples
        See :class:`EventTable`.
    name : str, default="events"
        What an error calls them.

    Returns
    -------
    events : EventTable
    """
    if isinstance(events, EventTable):
        return events
    if hasattr(events, "columns"):
        missing = [column for column in COLUMNS[:4] if column not in events.columns]
        if missing:
            raise ValueError(
                f"{name} has no column {', '.join(missing)}: expected the columns "
                f"{', '.join(COLUMNS)}"
            )
        kept = [column for column in COLUMNS if column in events.columns]
        events = zip(*(events[column].tolist() for column in kept))
    try:
        return EventTable(events)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from error


def _objects(values: list[Any]) -> npt.NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _without_spaces(value: Any, instead: str) -> str:
    return instead.join(str(value).split()) or "_"


def as_float(value: Any, name: str) -> float:
    """Return a number as a float.

    Raises
    ------
    ValueError
        When it is a whole number beyond those of float.
    """
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError(f"{name}={value!r:.40}: expected a finite number") from error


def check_recording(recording: Any) -> str | int:
    """Return the name of a recording.

    Raises
    ------
    TypeError
        When it is neither a path nor a position.
    """
    if isinstance(recording, os.PathLike):
        recording = os.fspath(recording)
    if isinstance(recording, numbers.Integral) and not isinstance(recording, bool):
        return int(recording)
    if isinstance(recording, str):
        return str(recording)
    raise TypeError(f"recording={recording!r:.100}: expected a path or a position")


def _check_row(row: Any, index: int) -> tuple[Any, Any, float, float, float]:
    if not isinstance(row, (tuple, list)) or len(row) not in (4, 5):
        raise ValueError(
            f"event {index} is {row!r:.100}: expected (recording, word, start, end) or "
            "(recording, word, start, end, score)"
        )
    recording, word, start, end = row[:4]
    score = row[4] if len(row) == 5 else math.nan
    try:
        recording = check_recording(recording)
    except TypeError as error:
        raise TypeError(f"event {index} has {error}") from error
    if isinstance(word, np.generic):
        word = word.item()
    if not isinstance(word, (str, numbers.Real)) or word != word:
        raise TypeError(f"event {index} has word={word!r:.100}: expected a string or a number")
    for what, value in (("start", start), ("end", end), ("score", score)):
        if not isinstance(value, numbers.Real) or isinstance(value, bool):
            raise TypeError(f"event {index} has {what}={value!r:.100}: expected a number")
        if what == "score" and math.isinf(as_float(value, f"event {index} has score")):
            raise ValueError(f"event {index} has score={value!r}: expected a finite number")
    start, end = (as_float(value, f"event {index} has a time") for value in (start, end))
    if not (math.isfinite(start) and math.isfinite(end) and start <= end):
        raise ValueError(
            f"event {index} has start={start!r} and end={end!r}: expected finite seconds, "
            "start <= end"
        )
    return recording, word, start, end, float(score)
