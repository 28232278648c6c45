"""The safetensors file around an estimator: its header, its checksum and its limits."""

import hashlib
import json
import os
import re
import stat
from pathlib import Path
from typing import Any, NoReturn

from ..utils.paths import check_path

FORMAT, FORMAT_VERSION = "sklearn_speech.estimator", "2"

#: Largest header in bytes. The format allows 100 MB, which take several GB once parsed.
MAX_HEADER = 16 * 2**20

#: Deepest nesting of JSON; for that of values see ``MAX_DEPTH`` of the encoder.
_MAX_JSON_DEPTH = 600

#: Bytes that Python needs for an object, a list and each further entry of parsed JSON.
_OBJECT, _LIST, _ENTRY = 240, 90, 60

#: Most bytes that a parsed text may take.
_MAX_PARSED = 64 * 2**20

_DIGEST = re.compile(rb'"sha256":"([0-9a-f]{64})"')
_NO_DIGEST = b"0" * 64
#: Possessive, and up to the end of the text for a string without an end: never quadratic.
_STRING = re.compile(r'"(?:[^"\\]++|\\(?:.|\Z))*+(?:"|\Z)', re.DOTALL)
_CHUNK = 2**20


def sign(content: bytes) -> bytes:
    """The bytes of a safetensors file with their SHA-256 in the header.

    The digest is of all bytes of the file, with zeros where the digest itself stands.

    Parameters
    ----------
    content : bytes
        With ``unsigned()`` among its metadata.

    Returns
    -------
    content : bytes
    """
    size = int.from_bytes(content[:8], "little")
    if size > MAX_HEADER:
        raise ValueError(
            f"its strings, lists and dicts take {size} bytes, more than the {MAX_HEADER} that the "
            "header of a file may have"
        )
    start = 8 + _place_of_digest(content[8 : 8 + size])
    digest = hashlib.sha256(content).hexdigest().encode()
    return b"".join([content[:start], digest, content[start + len(digest) :]])


def unsigned() -> dict[str, str]:
    """The metadata before :func:`sign` adds the digest."""
    return {"format": FORMAT, "format_version": FORMAT_VERSION, "sha256": _NO_DIGEST.decode()}


def read_metadata(path: Path) -> dict[str, str]:
    """Check a file from its first byte to its last, and return what its header says.

    Reads the file once, in pieces, and keeps only the header. Needs neither torch nor
    safetensors.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    metadata : dict of str to str

    Raises
    ------
    ValueError
        When a bit differs from what was written, or the file is another format.
    """
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a regular file")
        first = file.read(8)
        size = int.from_bytes(first, "little")
        if len(first) < 8 or size > status.st_size - 8:
            raise ValueError("it ends before its header does")
        if size > MAX_HEADER:
            raise ValueError(f"its header has {size} bytes, more than {MAX_HEADER}")
        header = file.read(size)
        metadata = _metadata(header)
        start = _place_of_digest(header)
        digest = hashlib.sha256(first)
        digest.update(header[:start] + _NO_DIGEST + header[start + len(_NO_DIGEST) :])
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != metadata["sha256"]:
        raise ValueError("its checksum does not match: its contents have changed")
    return metadata


def _metadata(header: bytes) -> dict[str, str]:
    found = parse(header.decode())
    metadata = found.get("__metadata__") if isinstance(found, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != FORMAT:
        raise ValueError("its header lacks the mark of this format")
    if metadata.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"it uses format version {metadata.get('format_version')!r:.20}, but this version of "
            f"sklearn_speech reads version {FORMAT_VERSION!r}"
        )
    return metadata


def _place_of_digest(header: bytes) -> int:
    places = [match.start(1) for match in _DIGEST.finditer(header)]
    if len(places) != 1:
        raise ValueError(f"its header has {len(places)} checksums, expected one")
    return places[0]


def parse(text: str) -> Any:
    """Parse JSON text, unless its values would be deeply nested or take much memory.

    Parameters
    ----------
    text : str

    Returns
    -------
    value : object

    Raises
    ------
    ValueError
        When the text is not JSON, is nested too deeply, or would take much more memory than
        it has bytes.
    """
    size = _OBJECT * text.count("{") + _LIST * text.count("[") + _ENTRY * text.count(",")
    if size > _MAX_PARSED:
        raise ValueError(
            f"its lists and dicts would take {size} bytes of memory, more than {_MAX_PARSED}"
        )
    _check_depth(text)
    return json.loads(text, parse_constant=_refuse_constant)


def _check_depth(text: str) -> None:
    depth = 0
    for mark in re.findall(r"[\[\]{}]", _STRING.sub("", text)):
        depth += 1 if mark in "[{" else -1
        if depth > _MAX_JSON_DEPTH:
            raise ValueError(f"its JSON is nested more than {_MAX_JSON_DEPTH} deep")


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def as_file(path: str | os.PathLike[str]) -> Path:
    """The path of a file to read, or an error that names what is there instead."""
    path = check_path(path, "path")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, expected a file that save wrote")
    return path
