"""Read tables from CSV files, TSV files and DataFrames without losing rows silently."""

import csv
import gzip
import io
import re
import warnings
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Maximum number of problems in an error; a wrong column would otherwise list every line.
MAX_SHOWN = 20

#: UTF-32 first, because its mark begins with that of UTF-16.
_MARKED = {
    BOM_UTF32_LE: "utf-32",
    BOM_UTF32_BE: "utf-32",
    BOM_UTF16_LE: "utf-16",
    BOM_UTF16_BE: "utf-16",
}

_GZIP = b"\x1f\x8b"

_LINE_END = re.compile("\r\n|\r|\n")


@dataclass
class Table:
    """Column names and rows, all entries str without spaces around them.

    Parameters
    ----------
    name : str
        Name of the table in error messages.
    header : list of str
        Names of the columns.
    header_place : str
        Place of the names, such as "line 1".
    rows : list of (str, list of str)
        Place of each row, such as "line 2", and its entries, one for each column.
    """

    name: str
    header: list[str]
    header_place: str
    rows: list[tuple[str, list[str]]]


def frame_table(frame: Any) -> Table:
    """Convert a DataFrame to a table; missing values become empty entries.

    Parameters
    ----------
    frame : pandas.DataFrame
        Its index is not used.

    Returns
    -------
    table : Table

    Raises
    ------
    ValueError
        If it has no rows, or an entry contains a NUL character.
    """
    header = [str(name).strip() for name in frame.columns]
    columns = [
        ["" if missing else str(value).strip() for value, missing in zip(column, column.isna())]
        for column in (frame.iloc[:, k] for k in range(len(header)))
    ]
    rows = [(f"row {i}", list(cells)) for i, cells in enumerate(zip(*columns))]
    for place, cells in rows:
        if any("\0" in cell for cell in cells):
            raise ValueError(f"the DataFrame, {place}: an entry contains a NUL character")
    if not rows:
        raise ValueError("the DataFrame has no rows: expected one row for each clip")
    return Table("the DataFrame", header, "its columns", rows)


def file_table(
    path: Path, delimiter: str | None, quotes: bool | None, encoding: str | None
) -> Table:
    """Read the table in a text file, which may be compressed by gzip.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    delimiter, quotes, encoding
        See :func:`load_speech_manifest`.

    Returns
    -------
    table : Table

    Raises
    ------
    OSError
        When the file cannot be read.
    ValueError
        If it is not such a table; the message names the line.
    """
    if delimiter is None:
        name = path.name.lower().removesuffix(".gz")
        delimiter = "\t" if name.endswith((".tsv", ".tab")) else ","
    text = _read_text(path, encoding)
    if delimiter == "\t" and quotes is None and '"' in text:
        return _undecided_table(path, text, delimiter)
    table, spans = _parse(path, text, delimiter, quoted=quotes is not False)
    if quotes is None and spans:
        first, last = spans[0]
        raise ValueError(
            f"{path}, line {first}: a quoted entry goes on to line {last}, but each of these lines "
            "is a whole row by itself. If a quote is missing, add it; if this is one entry, pass "
            "quotes=True"
        )
    return table


def _undecided_table(path: Path, text: str, delimiter: str) -> Table:
    """Read a tab-separated file with or without quotes, whichever gives complete rows."""
    try:
        literal, _ = _parse(path, text, delimiter, quoted=False)
    except ValueError as problem:
        try:
            return _parse(path, text, delimiter, quoted=True)[0]
        except ValueError as other:
            raise ValueError(f"{problem}\n(and with quotes=True: {other})") from other
    try:
        quoted, spans = _parse(path, text, delimiter, quoted=True)
    except ValueError:
        return literal
    if spans:
        first, last = spans[0]
        warnings.warn(
            f"{path}, line {first}: a quote opens an entry and line {last} closes it, but each of "
            "these lines is a whole row by itself and is read as one. Pass quotes=False to confirm "
            "this, or quotes=True if it is one entry",
            UserWarning,
            stacklevel=4,
        )
        return literal
    # programs quote either all entries, or only those with a quote or a delimiter
    if all(name.startswith('"') for name in literal.header):
        return quoted
    needed = all(
        '"' in read
        for (_, written_cells), (_, read_cells) in zip(literal.rows, quoted.rows)
        for written, read in zip(written_cells, read_cells)
        if written.startswith('"')
    )
    return quoted if needed else literal


def _parse(
    path: Path, text: str, delimiter: str, *, quoted: bool
) -> tuple[Table, list[tuple[int, int]]]:
    """Return the table, and the first and last lines of entries that may have swallowed rows."""
    lines = list(io.StringIO(text, newline=""))
    # spaces may precede a quoted entry
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        strict=True,
        skipinitialspace=quoted,
        quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
    )
    found: list[tuple[int, int, list[str]]] = []
    first = 1
    try:
        for row in reader:
            if any(cells := [cell.strip() for cell in row]):
                found.append((first, reader.line_num, cells))
            first = reader.line_num + 1
    except csv.Error as error:
        advice = (
            "; an entry that begins with a double quote ends with one, and has double quotes "
            "within it written twice. If quotes mean nothing in this file, pass quotes=False"
        )
        read_to = f" to {reader.line_num}" if reader.line_num > first else ""
        raise ValueError(
            f"{path}, line {first}{read_to}: {error}{advice if quoted else ''}"
        ) from error
    if not found:
        raise ValueError(f"{path} is empty: expected a line of column names")
    (place, _, header), *rows = found
    if not rows:
        raise ValueError(f"{path} has column names but no clips")
    wrong = [
        f"line {line} has {len(row)} columns" for line, _, row in rows if len(row) != len(header)
    ]
    if wrong:
        more = f"; and {len(wrong) - MAX_SHOWN} more" if len(wrong) > MAX_SHOWN else ""
        raise ValueError(
            f"{path} has {len(header)} column names, but {'; '.join(wrong[:MAX_SHOWN])}{more} "
            f"(separated by {delimiter!r})"
        )
    spans = [
        (line, last)
        for line, last, _ in rows
        if last > line
        and all(piece.count(delimiter) == len(header) - 1 for piece in lines[line - 1 : last])
    ]
    header_place = f"line {place} (separated by {delimiter!r})"
    table = Table(str(path), header, header_place, [(f"line {line}", row) for line, _, row in rows])
    return table, spans


def _read_text(path: Path, encoding: str | None) -> str:
    data = path.read_bytes()
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path} is not a complete gzip file: {error}") from error
    if encoding is None:
        encoding = next((_MARKED[mark] for mark in _MARKED if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except LookupError as error:
        raise ValueError(f"encoding={encoding!r}: {error}") from error
    except UnicodeDecodeError as error:
        line = _line_of(data[: error.start].decode(encoding, "replace"))
        raise ValueError(
            f"{path}, line {line}: byte 0x{data[error.start]:02x} is not {encoding.upper()} "
            f"({error.reason}); pass the encoding of the file, such as encoding='latin-1'"
        ) from error
    if "\0" in text:
        line = _line_of(text[: text.index("\0")])
        raise ValueError(
            f"{path}, line {line}: a NUL character, which is not text; a file in UTF-16 without "
            "a byte order mark needs encoding='utf-16-le'"
        )
    return text.removeprefix("\ufeff")


def _line_of(text_before: str) -> int:
    return len(_LINE_END.findall(text_before)) + 1


def is_frame(manifest: Any) -> bool:
    """Whether this is a pandas DataFrame, without importing pandas."""
    return hasattr(manifest, "iloc") and hasattr(manifest, "columns")
