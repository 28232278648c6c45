"""Load recordings, or parts of them, that a table lists."""

import difflib
import math
import os
import unicodedata
import warnings
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils import Bunch

from ..audio import AudioSegment
from ..audio._reading import header_rates
from ..utils.paths import absolute_path
from ..utils.sklearn_private import validate_parameter_constraints
from ..utils.text import normalize_name
from ..utils.validation import make_ragged
from ._file_pattern import RESERVED
from ._manifest_table import MAX_SHOWN, Table, file_table, frame_table, is_frame

#: Columns with a meaning; the first two are required.
ROLES = ("path", "label", "speaker", "start", "end")

#: Number of missing files to show, and of folders to search for the first one.
_N_TRIED, _N_SEARCHED = 3, 100


def load_speech_manifest(
    manifest: Any,
    *,
    columns: Mapping[str, str] | None = None,
    root: str | os.PathLike[str] | None = None,
    delimiter: str | None = None,
    quotes: bool | None = None,
    encoding: str | None = None,
    check_paths: bool = True,
) -> Bunch:
    """Load recordings listed in a CSV file, TSV file or DataFrame, with one row for each clip.

    The first line of a file names the columns. Columns ``path`` and ``label`` are required,
    ``speaker``, ``start`` and ``end`` (seconds) are optional, and all others are kept as strings.
    An empty ``start`` means the beginning of the recording, an empty ``end`` its end. Empty
    lines are skipped, and spaces around entries are removed. Labels, speakers and other columns
    are converted to Unicode form NFC, so that differently encoded spellings of a name are
    equal; paths may have either form, and "\\\\" between folders.

    Parameters
    ----------
    manifest : str, os.PathLike or pandas.DataFrame
        The file, which may be compressed by gzip, or the table itself. Missing values of a
        DataFrame are empty entries; its index is not used.
    columns : dict of str to str or None, default=None
        Names of columns in the table if they differ from those above, such as ``{"path":
        "filename", "label": "sentence", "speaker": "client_id"}``. Other keys name further
        entries of the result: ``{"text": "sentence"}``. A column may be used more than once.
    root : str, os.PathLike or None, default=None
        Folder of relative paths. None means the folder of the file, or the current folder for a
        DataFrame.
    delimiter : str or None, default=None
        The character that separates columns. None means a tab if the name of the file ends in
        ``.tsv``, ``.tab``, ``.tsv.gz`` or ``.tab.gz``, and a comma otherwise.
    quotes : bool or None, default=None
        Whether double quotes may enclose entries, as in files written by spreadsheets (True),
        or are ordinary characters, as in the TSV files of Common Voice (False). None means
        True, except in tab-separated files: there it means the value with which every row is
        complete or, if both values work, False, unless all entries have quotes or those that
        have quotes need them.
    encoding : str or None, default=None
        Encoding of the file. None means UTF-8, or the encoding of its byte order mark.
    check_paths : bool, default=True
        Whether to raise an error for missing sound files now. If False, the error comes when
        the file is read.

    Returns
    -------
    speech : sklearn.utils.Bunch
        data : ndarray of shape (n_clips,)
            Absolute paths as str or, if there is a column ``start`` or ``end``, an object array
            of :class:`~sklearn_speech.audio.AudioSegment`.
            :class:`~sklearn_speech.audio.AudioReader` reads both.
        target : ndarray of str, shape (n_clips,)
            Labels.
        speaker : ndarray of str, shape (n_clips,), or None
            Speakers; None without such a column.
        sample_rate : int or None
            In Hz, from the headers of the sound files; None if they differ, or no header can be
            read.
        others : ndarray of str, shape (n_clips,)
            One entry for each other column, under its name.

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        If it is not such a table, or an entry is wrong. The message names lines and columns,
        and the first paths that were tried.

    Warns
    -----
    UserWarning
        When it is unclear whether quotes in a tab-separated file join several rows, or when
        two rows give the same clip different labels.

    Examples
    --------
    >>> import os, tempfile
    >>> import numpy as np, soundfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     soundfile.write(os.path.join(folder, "talk.wav"), np.zeros(8000), 8000)
    ...     csv_path = os.path.join(folder, "clips.csv")
    ...     with open(csv_path, "w") as file:
    ...         lines = "path,word,speaker,start,end", "talk.wav,yes,ann,0.25,0.5"
    ...         _ = file.write("\\n".join(lines))
    ...     speech = load_speech_manifest(csv_path, columns={"label": "word"})
    >>> speech.target, speech.speaker, speech.data[0].duration
    (array(['yes'], ...), array(['ann'], ...), 0.25)
    """
    validate_parameter_constraints(
        {
            "columns": [Mapping, None],
            "root": [str, os.PathLike, None],
            "delimiter": [str, None],
            "quotes": ["boolean", None],
            "encoding": [str, None],
            "check_paths": ["boolean"],
        },
        {
            "columns": columns,
            "root": root,
            "delimiter": delimiter,
            "quotes": quotes,
            "encoding": encoding,
            "check_paths": check_paths,
        },
        "load_speech_manifest",
    )
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n '):
        raise ValueError(
            f"delimiter={delimiter!r}: expected one character other than a quote, a space or the "
            "end of a line"
        )
    if is_frame(manifest):
        options = {"delimiter": delimiter, "quotes": quotes, "encoding": encoding}
        unused = [f"{name}={value!r}" for name, value in options.items() if value is not None]
        if unused:
            raise ValueError(f"{', '.join(unused)}: applies to files, not to a DataFrame")
        table = frame_table(manifest)
        folder = Path.cwd()
    else:
        path = absolute_path(manifest, "manifest")
        if path.is_dir():
            raise IsADirectoryError(
                f"manifest={str(path)!r} is a folder, expected a CSV or TSV file; "
                "load_speech_folder reads folders"
            )
        table = file_table(path, delimiter, quotes, encoding)
        folder = path.parent
    if root is not None:
        folder = absolute_path(root, "root")
        if not folder.is_dir():
            raise OSError(f"root={os.fspath(root)!r}: there is no folder {folder}")
    roles, others = _positions(table, columns or {})
    clips = _clips(table, roles, folder, check_paths)
    _warn_of_contradictions(table, roles["label"], clips)
    rates = header_rates(sorted({clip.path for clip in clips}))

    def entries(k: int) -> np.ndarray:
        return np.array([normalize_name(cells[k]) for _, cells in table.rows])

    is_cut = "start" in roles or "end" in roles
    return Bunch(
        data=make_ragged(clips) if is_cut else np.array([clip.path for clip in clips]),
        target=entries(roles["label"]),
        speaker=entries(roles["speaker"]) if "speaker" in roles else None,
        sample_rate=rates.pop() if len(rates) == 1 else None,
        **{name: entries(k) for name, k in others.items()},
    )


def _warn_of_contradictions(table: Table, label: int, clips: list[AudioSegment]) -> None:
    """Warn where the same clip has several labels."""
    first: dict[tuple, tuple[str, str]] = {}
    for clip, (place, cells) in zip(clips, table.rows):
        key = (clip.path, clip.start, clip.end)
        before, given = first.setdefault(key, (place, normalize_name(cells[label])))
        if given != normalize_name(cells[label]):
            warnings.warn(
                f"{table.name} gives {clip.path} the label {given!r} in {before} and "
                f"{cells[label]!r} in {place}; further clips are not checked",
                UserWarning,
                stacklevel=3,
            )
            return


def _positions(table: Table, columns: Mapping[str, str]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the column positions of each role, and of each other name in the result."""
    header = table.header
    where = f"{table.name}, {table.header_place}"
    # spreadsheets and programs may leave empty columns without names at the end
    idle = {
        k for k, name in enumerate(header) if not name and not any(row[k] for _, row in table.rows)
    }
    names = [name for k, name in enumerate(header) if k not in idle]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{where}: column name {twice[0]!r} is used twice")
    roles, others = {}, {}
    for role in ROLES:
        name = columns.get(role, role)
        if name in names:
            roles[role] = header.index(name)
        elif role in columns or role in ROLES[:2]:
            raise ValueError(f"{where}: no column {name!r} among {names}{_advice(role, names)}")
    for name, column in columns.items():
        if name in ROLES:
            continue
        if column not in names:
            raise ValueError(f"{where}: no column {column!r} among {names}")
        _check_name(where, name, f"columns={{{name!r}: {column!r}}}")
        others[name] = header.index(column)
    for k, name in enumerate(header):
        if k in idle or k in roles.values() or k in others.values():
            continue
        _check_name(where, name, f"column name {name!r}")
        if name in others:
            raise ValueError(f"{where}: columns= gives the name {name!r} to another column")
        others[name] = k
    return roles, others


def _advice(role: str, names: list[str]) -> str:
    close = difflib.get_close_matches(role, [name.lower() for name in names], n=1)
    chosen = next((name for name in names if close and name.lower() == close[0]), "...")
    return f"; name it with columns={{{role!r}: {chosen!r}}}, or choose another delimiter="


def _check_name(where: str, name: str, what: str) -> None:
    if name == "" or name == "speaker" or name in RESERVED:
        raise ValueError(
            f"{where}: {what} cannot be used in the result; give it another name with "
            f"columns={{'another_name': {name!r}}}"
        )


def _clips(
    table: Table, roles: dict[str, int], folder: Path, check_paths: bool
) -> list[AudioSegment]:
    """Return one clip for each row, or raise an error that lists the wrong entries."""
    problems, clips, lost = [], [], []
    for place, cells in table.rows:
        row = {name: cells[k] for name, k in roles.items()}
        tried = _spellings(folder, row["path"])
        path = next(filter(os.path.isfile, tried), tried[0])
        found = _problems(row)
        if row["path"] and check_paths and not os.path.isfile(path):
            found.insert(0, ("path", f"no such file: {row['path']!r}"))
            lost.append((row["path"], tried))
        problems += [
            f"  {place}, column {table.header[roles[name]]!r}: {what}" for name, what in found
        ]
        if not found:
            end = _seconds(row["end"]) if row.get("end") else None
            clips.append(AudioSegment(path, _seconds(row.get("start") or "0") or 0.0, end))
    if problems:
        more = len(problems) - MAX_SHOWN
        shown = problems[:MAX_SHOWN] + ([f"  ... and {more} more"] if more > 0 else [])
        raise ValueError(
            "\n".join(
                [f"{table.name} has {len(problems)} wrong entries:", *shown, *_tried(lost, folder)]
            )
        )
    return clips


def _problems(row: dict[str, str]) -> list[tuple[str, str]]:
    """Return the problems of a row, except a missing file, by entry."""
    found = [(name, "is empty") for name in ("path", "label", "speaker") if row.get(name) == ""]
    for name in ("start", "end"):
        if row.get(name) and _seconds(row[name]) is None:
            found.append((name, f"{row[name]!r} is not a number of seconds, 0 or more"))
    start, end = (_seconds(row.get(name) or "0") for name in ("start", "end"))
    if row.get("end") and start is not None and end is not None and end <= start:
        found.append(("end", f"{end:g} s does not come after the start, {start:g} s"))
    return found


def _spellings(folder: Path, text: str) -> list[str]:
    """Return the absolute paths at which a file may be found, the one as written first."""
    written = dict.fromkeys([text, text.replace("\\", os.sep)])
    paths = [os.path.abspath(os.path.join(folder, each)) for each in written]
    if all(map(str.isascii, paths)):
        return paths
    forms = [unicodedata.normalize(form, path) for path in paths for form in ("NFC", "NFD")]
    return list(dict.fromkeys(paths + forms))


def _tried(lost: list[tuple[str, list[str]]], folder: Path) -> list[str]:
    """Return lines for an error that show which paths were tried, and where one file is."""
    if not lost:
        return []
    lines = [f"Relative paths are below {folder} (root= names another folder). Tried first:"]
    for _, paths in lost[:_N_TRIED]:
        # paths that differ only in their Unicode form look the same
        lines += [f"  {path}" for path in {normalize_name(path): path for path in paths}.values()]
    name = lost[0][0]
    if folder.is_dir() and not os.path.isabs(name):
        for below in islice((path for path in folder.iterdir() if path.is_dir()), _N_SEARCHED):
            if any(map(os.path.isfile, _spellings(below, name))):
                return [*lines, f"There is such a file in {below}: pass root={str(below)!r}"]
    return lines


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 and "_" not in text else None
