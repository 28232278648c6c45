"""Events as comma-separated values."""

import csv
import io
import math
import os
from collections.abc import Callable, Iterable
from typing import Any

from ..utils.paths import check_path

COLUMNS = ("recording", "word", "start", "end", "score")

#: Names of files may hold bytes that are not UTF-8, which Python keeps as lone surrogates.
_ERRORS = "surrogateescape"

#: Digits after the point of a time: microseconds.
_DIGITS = 6


def csv_of(events: Iterable[tuple[Any, Any, float, float, float]]) -> bytes:
    """Events as the content of a file with a line of names.

    Parameters
    ----------
    events : iterable of (recording, word, start, end, score)

    Returns
    -------
    content : bytes

    Examples
    --------
    >>> csv_of([(0, "oh, no", 0.25, 0.5, 0.9)])
    b'recording,word,start,end,score\\n0,"oh, no",0.25,0.5,0.9\\n'
    """
    lines = [_line(COLUMNS)]
    for recording, word, start, end, score in events:
        sure = "" if math.isnan(score) else repr(score)
        times = (repr(round(time, _DIGITS)) for time in (start, end))
        lines.append(_line([recording, word, *times, sure]))
    return "".join(lines).encode("utf-8", _ERRORS)


def _line(values: Iterable[Any]) -> str:
    text = io.StringIO()
    # a carriage return is quoted only where it is part of the end of a line
    csv.writer(text, lineterminator="\r\n").writerow(values)
    return text.getvalue()[:-2] + "\n"


def rows_of_csv(
    path: str | os.PathLike[str], word_type: Callable[[str], Any]
) -> list[tuple[str, tuple[Any, ...]]]:
    """Rows of a file, and the place of each for messages.

    Parameters
    ----------
    path : str or os.PathLike
    word_type : callable
        Makes a word of its text.

    Returns
    -------
    rows : list of (str, (recording, word, start, end, score))
        The recording is text, or a whole number where all are.

    Raises
    ------
    ValueError
        When the file is no such table; the file and the line are named.
    """
    with open(check_path(path, "path"), encoding="utf-8-sig", errors=_ERRORS, newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            names = reader.fieldnames or ()
            missing = [name for name in COLUMNS[:4] if name not in names]
            if missing:
                raise ValueError(
                    f"{path} has no column {', '.join(missing)}: expected the columns "
                    "recording, word, start, end and perhaps score"
                )
            lines = [(f"{path}, line {reader.line_num}", line) for line in reader]
        except csv.Error as error:
            raise ValueError(f"{path}, line {reader.line_num + 1}: {error}") from error
    rows = [(place, _row(line, place, len(names), word_type)) for place, line in lines]
    if all(_is_position(row[0]) for _, row in rows):
        rows = [(place, (int(name), *rest)) for place, (name, *rest) in rows]
    return rows


def _row(
    line: dict[Any, Any], place: str, n_columns: int, word_type: Callable[[str], Any]
) -> tuple[Any, ...]:
    extra = line.pop(None, [])
    n_fields = sum(value is not None for value in line.values()) + len(extra)
    if n_fields != n_columns:
        raise ValueError(f"{place} has {n_fields} fields: expected {n_columns}")
    try:
        line["word"].encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{place} has a word that is not UTF-8") from error
    try:
        times = [float(line[name]) for name in ("start", "end")]
        score = float(line.get("score") or "nan")
        return (line["recording"], word_type(line["word"]), *times, score)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{place}: {error}") from error


def _is_position(name: str) -> bool:
    """Whether a name is how a whole number is written, and not "007"."""
    digits = name.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and str(int(name)) == name
