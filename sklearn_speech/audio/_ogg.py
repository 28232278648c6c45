"""Pages of an Ogg file: Vorbis, Opus and FLAC streams.

Every page carries a checksum, its number and flags for the first and the last page of its
stream (RFC 3533), so that a lost, changed or cut page is noticed.
"""

import struct
import zlib
from dataclasses import dataclass

from . import _flac
from ._inspection import Inspection, cut_off, trailer_length

_HEADER = struct.Struct("<4sBBqIIIB")
_CONTINUED, _FIRST, _LAST = 1, 2, 4

#: zlib's CRC-32 has Ogg's polynomial with the bits of each byte in the other order.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

#: What the first packet of a stream begins with.
_CODECS = {
    b"\x01vorbis": "Vorbis",
    b"OpusHead": "Opus",
    b"\x7fFLAC": "FLAC",
    b"Speex   ": "Speex",
    b"\x80theora": "Theora (video)",
    b"fishead\0": "Skeleton",
}
_DECODED = ("Vorbis", "Opus", "FLAC")

#: The longest Opus packet lasts 120 ms at 48 kHz (RFC 6716, section 3.2).
_MAX_OPUS_PACKET = 5760


@dataclass(frozen=True)
class Page:
    """One page of an Ogg file."""

    start: int
    end: int
    flags: int
    granule: int
    serial: int
    number: int
    lacing: bytes
    body: int  # where its body begins


def inspect(content: bytes) -> Inspection:
    """Check the pages of an Ogg file.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    inspection : Inspection
    """
    pages, problem = _split(content)
    codecs = {}
    for page in pages:
        if page.flags & _FIRST and page.serial not in codecs:
            head = content[page.body : page.end]
            codecs[page.serial] = next(
                (name for magic, name in _CODECS.items() if head.startswith(magic)), "unknown"
            )
    serials = [serial for serial, codec in codecs.items() if codec in _DECODED]
    if not serials:
        found = ", ".join(sorted(set(codecs.values()))) or "nothing whole"
        return Inspection(
            problem
            or f"is an Ogg file containing {found}; only Vorbis, Opus and FLAC are supported",
            whole=False,
        )
    mine = [page for page in pages if page.serial == serials[0]]
    problem = problem or _check_stream(mine)
    if len(serials) > 1 and not problem:
        problem = f"holds {len(serials)} streams of sound: the first one alone is read"
    source = None
    if len(codecs) > 1:  # the decoder reads files of one stream only
        source = b"".join(content[page.start : page.end] for page in mine)
    codec = codecs[serials[0]]
    if codec == "FLAC":
        return _inspect_flac(content, mine, problem)
    n_packets = sum(len(page.lacing) - page.lacing.count(255) for page in mine)
    longest = _MAX_OPUS_PACKET
    if codec == "Vorbis" and mine[0].end - mine[0].body > 28:
        longest = 1 << (content[mine[0].body + 28] >> 4)
    return Inspection(problem, source=source, max_frames=n_packets * longest)


def _split(content: bytes) -> tuple[list[Page], str | None]:
    pages: list = []
    problem = None
    reflected = content.translate(_REVERSED)
    position = 0
    while position < len(content):
        if not content.startswith(b"OggS", position):
            tail = content[position:]
            if trailer_length(tail, padding=True) == len(tail):
                break
            following = content.find(b"OggS", position + 1)
            until = len(content) if following < 0 else following
            problem = (
                problem
                or f"damaged: {until - position:,} bytes at {position:,} are not an Ogg page"
            )
            if following < 0:
                break
            position = following
            continue
        if position + _HEADER.size > len(content):
            problem = problem or cut_off(_HEADER.size - len(content) + position, "a page's header")
            break
        _, _, flags, granule, serial, number, _, n_lacing = _HEADER.unpack_from(content, position)
        body = position + _HEADER.size + n_lacing
        lacing = content[position + _HEADER.size : body]
        end = body + sum(lacing)
        if end > len(content):
            problem = problem or cut_off(end - len(content), "the last page")
            following = content.find(b"OggS", position + 1)
            if following < 0:
                break
            position = following
            continue
        if not _checksum_agrees(reflected, position, end):
            problem = (
                problem
                or f"damaged: the checksum of page {len(pages)} (byte {position:,}) does not match"
            )
            following = content.find(b"OggS", position + 1, end)
            end_of_bad = end if following < 0 else following
            position = end_of_bad
            continue
        pages.append(Page(position, end, flags, granule, serial, number, lacing, body))
        position = end
    return pages, problem


def _checksum_agrees(reflected: bytes, start: int, end: int) -> bool:
    crc = zlib.crc32(reflected[start : start + 22], 0xFFFFFFFF)
    crc = zlib.crc32(bytes(4), crc)  # the checksum's own place counts as zeros
    crc = zlib.crc32(reflected[start + 26 : end], crc) ^ 0xFFFFFFFF
    return crc == int.from_bytes(reflected[start + 22 : start + 26], "big")


def _check_stream(pages: list[Page]) -> str | None:
    first = pages[0]
    if not first.flags & _FIRST:
        return "damaged: the first page of its stream is missing"
    granule = 0
    for count, page in enumerate(pages):
        if page.number != (first.number + count) & 0xFFFFFFFF:
            return f"damaged: page {first.number + count} of its stream is missing"
        if page.flags & _LAST and count + 1 < len(pages):
            return "holds pages after the one that ends its stream"
        if page.granule >= 0:  # -1: no packet ends on this page
            if page.granule < granule:
                return f"damaged: the time of page {page.number} is before that of an earlier page"
            granule = page.granule
    if not pages[-1].flags & _LAST:
        return "cut off: the page that ends its stream is missing"
    return None


def _inspect_flac(content: bytes, pages: list[Page], problem: str | None) -> Inspection:
    """The FLAC frames without their pages, since libsndfile does not open all such files."""
    packets, open_packet = [], b""
    for page in pages:
        position = page.body
        for length in page.lacing:
            open_packet += content[position : position + length]
            position += length
            if length < 255:
                packets.append(open_packet)
                open_packet = b""
    stream = packets[0][9:] + b"".join(packets[1:]) if packets else b""
    found = _flac.inspect(stream)
    return Inspection(
        problem or found.problem,
        source=found.source or stream,
        n_frames=found.n_frames,
        max_frames=found.max_frames,
        md5=found.md5,
        whole=found.whole,
    )
