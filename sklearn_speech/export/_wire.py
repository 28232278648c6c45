"""Look through an ONNX file before a runtime sees it: pure Python, nothing is executed.

An ONNX file is a protobuf message. Only the fields that decide whether the file is safe to
open are read here; weights are skipped.
"""

import hashlib
from collections.abc import Iterator

#: Metadata that holds the SHA-256 of all the rest of the file, so that damage is noticed.
DIGEST_KEY = "sklearn_speech.sha256"

#: Bytes of the largest file that is read: 1 GiB.
MAX_FILE = 2**30
#: Nodes of the largest graph that is read.
MAX_NODES = 50_000
#: Fields of the largest part of a file, such as values of an attribute.
MAX_FIELDS = 1_000_000
#: Bytes of all metadata together, and of the longest name.
MAX_METADATA = 2**22

#: Operators of the standard and of its extension for classical machine learning.
_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5


class UnsafeFileError(ValueError):
    """A file is damaged, or holds what a file of ``to_onnx`` never holds."""


def read_metadata(content: bytes) -> dict[str, str]:
    """Check an ONNX file and read its metadata.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    metadata : dict of str to str

    Raises
    ------
    UnsafeFileError
        When the file is damaged; when weights lie in other files; or when it has operators
        outside of the ONNX standard, subgraphs (loops and branches) or functions; or when
        a part of it is not the one that was written.
    """
    metadata: dict[str, str] = {}
    n_graphs = n_nodes = n_bytes = 0
    for number, value in _messages(memoryview(content)):
        if number == 7:
            n_graphs += 1
            n_nodes += _check_graph(value)
        elif number == 14:
            n_bytes += len(value)
            if n_bytes > MAX_METADATA:
                raise UnsafeFileError(f"more than {MAX_METADATA} bytes of metadata")
            key, text = _pair(value)
            if key in metadata:
                raise UnsafeFileError(f"it holds the metadata {key!r:.60} twice")
            metadata[key] = text
        elif number == 6:
            _text(value)
        elif number in (20, 25):
            raise UnsafeFileError("it holds functions or a part for training")
    if n_graphs != 1 or n_nodes == 0:
        raise UnsafeFileError("it holds no network")
    if DIGEST_KEY in metadata and metadata[DIGEST_KEY] != file_digest(content):
        raise UnsafeFileError("it is damaged: it is not what was written")
    return metadata


def file_digest(content: bytes) -> str:
    """SHA-256 of a file without its entry :data:`DIGEST_KEY`."""
    digest = hashlib.sha256()
    for number, wire, value in _fields(memoryview(content)):
        if isinstance(value, int):
            digest.update(f"{number} {wire} {value};".encode())
        elif number != 14 or _pair(value)[0] != DIGEST_KEY:
            digest.update(f"{number} {wire} {len(value)};".encode())
            digest.update(value)
    return digest.hexdigest()


def _pair(entry: memoryview) -> tuple[str, str]:
    """Key and value of an entry of the metadata."""
    pair = dict(_messages(entry))
    return _text(pair.get(1, b"")), _text(pair.get(2, b""))


def _check_graph(graph: memoryview) -> int:
    """Check nodes and weights; give the number of nodes."""
    n_nodes = 0
    for number, value in _messages(graph):
        if number == 1:
            n_nodes += 1
            if n_nodes > MAX_NODES:
                raise UnsafeFileError(f"more than {MAX_NODES} nodes")
            _check_node(value)
        elif number == 5:
            _check_tensor(value)
        elif number == 15:
            raise UnsafeFileError("it holds sparse weights")
    return n_nodes


def _check_node(node: memoryview) -> None:
    for number, value in _messages(node):
        if number == 7 and _text(value) not in _DOMAINS:
            raise UnsafeFileError(
                f"it has operators of {_text(value)!r:.60}, outside of the ONNX standard"
            )
        if number == 5:
            _check_attribute(value)


def _check_attribute(attribute: memoryview) -> None:
    for number, value in _messages(attribute):
        if number in (5, 10):
            _check_tensor(value)
        elif number == 4:
            _check_size(value)
        elif number in (6, 11):
            raise UnsafeFileError("it has loops or branches, which run code of their own")
        elif number in (22, 23):
            raise UnsafeFileError("it holds sparse weights")


def _check_tensor(tensor: memoryview) -> None:
    for number, wire, value in _fields(tensor):
        stored_outside = number == 14 and wire == _VARINT and value != 0
        if stored_outside or (number == 13 and wire == _LENGTH):
            raise UnsafeFileError("its weights lie in another file, which is not opened")


def _messages(view: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Fields of a message that are messages, strings or bytes themselves."""
    for number, wire, value in _fields(view):
        if wire == _LENGTH and isinstance(value, memoryview):
            yield number, value


def _fields(view: memoryview) -> Iterator[tuple[int, int, memoryview | int]]:
    """Fields of a message: number, wire type, and bytes or a whole number."""
    place, end, n_fields = 0, len(view), 0
    while place < end:
        n_fields += 1
        if n_fields > MAX_FIELDS:
            raise UnsafeFileError(f"more than {MAX_FIELDS} fields in one part")
        tag, place = _varint(view, place)
        number, wire = tag >> 3, tag & 7
        value: memoryview | int
        if number == 0:
            raise UnsafeFileError("it is damaged, or no ONNX file")
        if wire == _VARINT:
            value, place = _varint(view, place)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES, _LENGTH):
            size = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(wire, 0)
            if wire == _LENGTH:
                size, place = _varint(view, place)
            if size > end - place:
                raise UnsafeFileError("it ends early, or is no ONNX file")
            value = view[place : place + size]
            place += size
        else:
            raise UnsafeFileError("it is damaged, or no ONNX file")
        yield number, wire, value


def _varint(view: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for i in range(10):
        if place >= len(view):
            raise UnsafeFileError("it ends early, or is no ONNX file")
        byte = view[place]
        place += 1
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, place
    raise UnsafeFileError("it is damaged, or no ONNX file")


def _check_size(value: memoryview | bytes) -> None:
    if len(value) > MAX_METADATA:
        raise UnsafeFileError(f"it holds a text of {len(value)} bytes")


def _text(value: memoryview | bytes) -> str:
    _check_size(value)
    try:
        return bytes(value).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnsafeFileError("it holds text that is not UTF-8") from error
