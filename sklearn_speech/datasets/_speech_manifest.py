"""Recordings, or parts of them, listed in a CSV file."""

import csv
import math
import os
import unicodedata
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from ..audio import AudioSegment
from ..audio._reading import header_rates
from ..utils.sklearn_private import validate_parameter_constraints
from ..utils.validation import make_ragged
from ._file_pattern import RESERVED

#: So many problems are listed; a wrong column would otherwise list every line.
MAX_SHOWN = 20

_TIMES = ("start", "end")


def load_speech_manifest(csv_path, *, delimiter=",", check_paths=True):
    """Load recordings that a CSV file lists, one line a clip.

    The first line names the columns: ``path`` and ``label``, then optionally
    ``speaker``, ``start`` and ``end`` (seconds), and any others, which are kept
    as strings. Paths are relative to the folder of the CSV file, or absolute.
    An empty ``start`` is the beginning of the recording, an empty ``end`` its
    end. Empty lines are passed over. Labels, speakers and other columns are brought to
    Unicode's form NFC, so that a name is one name however it was typed; a path finds
    its file in either form.

    Parameters
    ----------
    csv_path : str or os.PathLike
        The CSV file, UTF-8.
    delimiter : str, default=","
        What separates the columns, one character.
    check_paths : bool, default=True
        Whether a path that names no file is an error now, rather than when it
        is read.

    Returns
    -------
    speech : sklearn.utils.Bunch
        data : ndarray of shape (n_clips,)
            Absolute paths as str; or, when there is a column ``start`` or
            ``end``, an object array of :class:`~sklearn_speech.audio.AudioSegment`.
            :class:`~sklearn_speech.audio.AudioReader` reads both.
        target : ndarray of str, shape (n_clips,)
            Labels.
        speaker : ndarray of str, shape (n_clips,), or None
            Speakers; None when there is no such column.
        sampling_rate : int or None
            In Hz, as the files' headers state; None when they differ, or when
            no header can be read.
        others : ndarray of str, shape (n_clips,)
            One entry for each other column, under its name.

    Raises
    ------
    OSError
        When the CSV file cannot be read.
    ValueError
        When it is no such table; the message names lines and columns.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(os.path.join(folder, "talk.wav"), np.zeros(8000), 8000)
    ...     csv_path = os.path.join(folder, "clips.csv")
    ...     with open(csv_path, "w") as file:
    ...         lines = "path,label,speaker,start,end", "talk.wav,yes,ann,0.25,0.5"
    ...         _ = file.write("\\n".join(lines))
    ...     speech = load_speech_manifest(csv_path)
    >>> speech.target, speech.speaker, speech.data[0].duration
    (array(['yes'], ...), array(['ann'], ...), 0.25)
    """
    validate_parameter_constraints(
        {"delimiter": [str], "check_paths": ["boolean"]},
        {"delimiter": delimiter, "check_paths": check_paths},
        "load_speech_manifest",
    )
    if len(delimiter) != 1:
        raise ValueError(f"delimiter={delimiter!r}: expected one character")
    csv_path = Path(os.path.abspath(Path(csv_path).expanduser()))
    header, rows = _read_table(csv_path, delimiter)
    problems, data = [], []
    for line, row in rows:
        entry, found = _entry(row, csv_path.parent, check_paths)
        problems += [f"  line {line}, column {column!r}: {what}" for column, what in found]
        data.append(entry)
    if problems:
        more = len(problems) - MAX_SHOWN
        raise ValueError(
            f"{csv_path} has {len(problems)} wrong entries:\n"
            + "\n".join(problems[:MAX_SHOWN] + ([f"  ... and {more} more"] if more > 0 else []))
        )
    is_cut = any(name in header for name in _TIMES)
    rates = header_rates(sorted({entry.path for entry in data}))
    columns = {
        name: np.array([unicodedata.normalize("NFC", row[name]) for _, row in rows])
        for name in header
        if name not in ("path", *_TIMES)
    }
    return Bunch(
        data=make_ragged(data) if is_cut else np.array([entry.path for entry in data]),
        target=columns.pop("label"),
        speaker=columns.pop("speaker", None),
        sampling_rate=rates.pop() if len(rates) == 1 else None,
        **columns,
    )


def _read_table(csv_path, delimiter):
    """Column names, and (line number, {column: text}) for each row."""
    try:
        with open(csv_path, newline="", encoding="utf-8-sig") as file:  # spreadsheets write a BOM
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            lines = [
                (reader.line_num, [cell.strip() for cell in row])
                for row in reader
                if any(cell.strip() for cell in row)
            ]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{csv_path} is no CSV file in UTF-8: {error}") from error
    if not lines:
        raise ValueError(f"{csv_path} is empty: expected a line of column names")
    header_line, header = lines[0]
    _check_header(csv_path, header_line, header, delimiter)
    if len(lines) == 1:
        raise ValueError(f"{csv_path} has column names but no clips")
    wrong = [
        f"line {line} has {len(row)} columns" for line, row in lines[1:] if len(row) != len(header)
    ]
    if wrong:
        raise ValueError(
            f"{csv_path} has {len(header)} column names, but {'; '.join(wrong[:MAX_SHOWN])}"
        )
    return header, [(line, dict(zip(header, row, strict=True))) for line, row in lines[1:]]


def _check_header(csv_path, line, header, delimiter):
    missing = [name for name in ("path", "label") if name not in header]
    if missing:
        raise ValueError(
            f"{csv_path}, line {line}: no column {' or '.join(map(repr, missing))} among {header} "
            f"(separated by {delimiter!r})"
        )
    for column, name in enumerate(header):
        if name in RESERVED or name == "" or header.index(name) != column:
            kind = "is used twice" if header.index(name) != column else "cannot be used"
            raise ValueError(f"{csv_path}, line {line}: column name {name!r} {kind}")


def _entry(row, folder, check_paths):
    """The clip of one row, and what is wrong with which column."""
    problems = [
        (name, "is empty") for name in ("path", "label", "speaker") if row.get(name, "-") == ""
    ]
    path = _spelt_as_on_disk(os.path.abspath(folder / row["path"]))
    if row["path"] and check_paths and not os.path.isfile(path):
        problems.append(("path", f"no such file: {path}"))
    times = {}
    for name in _TIMES:
        if text := row.get(name):
            times[name] = _seconds(text)
            if times[name] is None:
                problems.append((name, f"{text!r} is not a number of seconds, 0 or more"))
    start, end = times.get("start", 0.0), times.get("end")
    if not problems and end is not None and end <= start:
        problems.append(("end", f"{end:g} s does not come after the start, {start:g} s"))
    return (None if problems else AudioSegment(path, start, end)), problems


def _spelt_as_on_disk(path):
    """A path in that form of Unicode in which there is such a file, if there is one."""
    spellings = [path, *(unicodedata.normalize(form, path) for form in ("NFC", "NFD"))]
    return next(filter(os.path.isfile, spellings), path)


def _seconds(text):
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
