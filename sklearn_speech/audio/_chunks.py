"""Files made of chunks, each with a name and a size: WAV, RF64, Wave64, AIFF and CAF."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from ._inspection import cut_off, trailer_length


@dataclass(frozen=True)
class Layout:
    """How the chunks of one kind of file are written."""

    id_length: int
    size: str  # as struct writes it
    counts_header: bool  # whether a size includes the chunk's own header
    align: int

    @property
    def header(self) -> int:
        """Bytes before a chunk's content."""
        return self.id_length + struct.calcsize(self.size)


@dataclass(frozen=True)
class Chunk:
    """One chunk: the stated size of its content, and how many bytes of it are there."""

    name: bytes
    start: int
    size: int
    available: int


def walk(
    handle: BinaryIO,
    start: int,
    n_bytes: int,
    layout: Layout,
    sound: bytes,
    is_unknown: Callable[[int], bool],
    sizes: dict[bytes, int] | None = None,
) -> tuple[list[Chunk], str | None, int]:
    """Walk over the chunks of a file.

    Parameters
    ----------
    handle : file
        Opened for reading bytes.
    start : int
        Where the first chunk begins.
    n_bytes : int
        Size of the file.
    layout : Layout
        How chunks are written.
    sound : bytes
        Name of the chunk of samples.
    is_unknown : callable
        Whether a size of that chunk means "up to the end of the file".
    sizes : dict or None, default=None
        Sizes known from elsewhere, by name.

    Returns
    -------
    chunks : list of Chunk
    problem : str or None
    end : int
        Where the last chunk ends.
    """
    chunks: list = []
    position = start
    while position < n_bytes:
        handle.seek(position)
        head = handle.read(layout.header)
        seen = any(chunk.name == sound for chunk in chunks)
        if seen and _is_trailer(handle, position, n_bytes):
            break
        name = head[: layout.id_length]
        if len(head) < layout.header or not _is_name(name):
            lost = n_bytes - position
            return chunks, f"{lost:,} bytes at {position:,} belong to no chunk", position
        (size,) = struct.unpack(layout.size, head[layout.id_length :])
        size = (sizes or {}).get(name, size)
        content = position + layout.header
        available = n_bytes - content
        if name == sound and is_unknown(size):
            if size or not _is_walkable(handle, content, n_bytes, layout):
                size = available  # streamed: the samples go on to the end
        elif layout.counts_header:
            size -= layout.header
        if size < 0:
            return chunks, f"its part {_shown(name)} states a size of {size:,} bytes", position
        chunks.append(Chunk(name, content, size, min(size, available)))
        if size > available:
            if name == sound and size - available == content:
                return chunks, None, n_bytes  # a known mistake: the size counts the header
            what = "sound" if name == sound else f"its part {_shown(name)}"
            return chunks, cut_off(size - available, what), n_bytes
        position = content + size
        position += -size % layout.align
    return chunks, None, min(position, n_bytes)


def _is_trailer(handle: BinaryIO, position: int, n_bytes: int) -> bool:
    handle.seek(position)
    tail = handle.read(n_bytes - position)
    # one zero may pad to an even length, also in formats that require no padding
    return tail == b"\0" or trailer_length(tail) == len(tail)


def _is_walkable(handle: BinaryIO, position: int, n_bytes: int, layout: Layout) -> bool:
    """Whether another chunk or the end of the file follows an empty chunk."""
    handle.seek(position)
    name = handle.read(layout.id_length)
    return position >= n_bytes or (len(name) == layout.id_length and _is_name(name))


def _is_name(name: bytes) -> bool:
    """Names are printable ASCII; those of Wave64 are GUIDs, with such a name at the beginning."""
    return all(32 <= byte < 127 for byte in name[:4])


def _shown(name: bytes) -> str:
    return repr(name[:4].decode("ascii"))


def only(chunks: list[Chunk], name: bytes) -> Chunk | None:
    """The first chunk of a name; None where there is none."""
    found = [chunk for chunk in chunks if chunk.name == name]
    return found[0] if found else None
