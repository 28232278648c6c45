"""Metadata and frame headers of a FLAC stream (RFC 9639).

The decoder checks the CRC of each frame; what STREAMINFO says is checked here, against the
first and the last frame, and by the MD5 digest once all is decoded.
"""

import mmap
from dataclasses import dataclass

from ._inspection import Inspection, id3_size, trailer_length

#: The shortest frame: a header of 6 bytes, one constant subframe of 2, a checksum of 2.
_MIN_FRAME = 10

#: Bytes at the end that are searched for the last frame: 8 channels of 32 bits and 65,535
#: samples, the longest that RFC 9639 allows, would take 2 MiB; encoders make frames of at most
#: 16,384.
_TAIL = 1 << 19

_RATES = (None, 88200, 176400, 192000, 8000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)
_BITS = (None, 8, 12, None, 16, 20, 24, 32)


def _crc8_table() -> list[int]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte << 1 ^ (0x07 if byte & 0x80 else 0)
        table.append(byte & 0xFF)
    return table


_CRC8 = _crc8_table()


@dataclass(frozen=True)
class Frame:
    """Header of one frame."""

    variable: bool  # whether `number` counts samples rather than frames
    number: int
    block_size: int
    rate: int | None  # Hz, None where only STREAMINFO states it
    n_channels: int
    bits: int | None


def inspect(content: bytes | mmap.mmap) -> Inspection:
    """Check a FLAC stream.

    Parameters
    ----------
    content : bytes or mmap
        The whole file.

    Returns
    -------
    inspection : Inspection
    """
    begin = 10 + id3_size(content[:10]) if content[:3] == b"ID3" else 0
    audio, problem = _skip_metadata(content, begin)
    info = content[begin + 8 : begin + 42]
    if len(info) < 34:
        return Inspection("cut off: ends within its header", whole=False)
    smallest, largest = int.from_bytes(info[:2]), int.from_bytes(info[2:4])
    packed = int.from_bytes(info[10:18])
    rate, n_channels = packed >> 44, (packed >> 41 & 7) + 1
    bits, total = (packed >> 36 & 31) + 1, packed & (1 << 36) - 1
    md5 = info[18:] if any(info[18:]) else None  # zeros: the encoder could not seek back
    first = _frame(content, audio)
    if first is None:
        return Inspection(problem or "damaged: no FLAC frame follows its header", md5=md5)
    if not problem:
        problem = _compare(first, rate, n_channels, bits, smallest, largest)
    until, last = _last_total(content, audio, first, total)
    if not problem and total and last is not None and last != total:
        problem = f"its header says {total:,} samples, its last frame ends at {last:,}"
    source = None
    if not total and last:
        # with no total the decoder does not know where to stop
        patched = bytearray(content[begin:until])
        patched[18:26] = (packed | last).to_bytes(8)
        source, total = bytes(patched), last
    bound = (len(content) - audio) // _MIN_FRAME * max(largest, first.block_size)
    return Inspection(problem, source=source, n_frames=total, max_frames=bound, md5=md5)


def _skip_metadata(content: bytes | mmap.mmap, begin: int) -> tuple[int, str | None]:
    """Where the first frame begins, and what is wrong before it."""
    position, last = begin + 4, False
    if content[begin : begin + 4] != b"fLaC":
        return position, "damaged: the mark of a FLAC stream is missing"
    while not last:
        if position + 4 > len(content):
            return position, "cut off: ends within its header"
        last = bool(content[position] & 0x80)
        if content[position] & 0x7F == 127:
            return position, "damaged: an invalid block stands in its header"
        position += 4 + int.from_bytes(content[position + 1 : position + 4])
    return position, None


def _compare(
    first: Frame, rate: int, n_channels: int, bits: int, smallest: int, largest: int
) -> str | None:
    for what, stated, found in (
        ("Hz", rate, first.rate),
        ("channels", n_channels, first.n_channels),
        ("bits", bits, first.bits),
    ):
        if found is not None and stated != found:
            return f"its header says {stated} {what}, its first frame {found}"
    if not 16 <= smallest <= largest or first.block_size > largest:
        return (
            f"its header says frames of {smallest} to {largest} samples, its first frame has "
            f"{first.block_size}"
        )
    return None


def _last_total(
    content: bytes | mmap.mmap, audio: int, first: Frame, total: int
) -> tuple[int, int | None]:
    """Where the sound ends in `content`, and the samples up to the end of the last frame."""
    lowest = max(audio, len(content) - _TAIL)
    nearest = None
    position = len(content)
    mark = bytes([0xFF, 0xF8 | first.variable])
    # marks do not overlap, so none is lost by searching only before the last one found
    while (position := content.rfind(mark, lowest, position)) >= 0:
        frame = _frame(content, position)
        if (
            frame is None
            or (frame.rate, frame.bits) != (first.rate, first.bits)
            or frame.n_channels != first.n_channels
            or (not frame.variable and frame.block_size > first.block_size)
        ):
            continue
        begins = frame.number if frame.variable else frame.number * first.block_size
        ends = begins + frame.block_size
        if nearest is None:
            nearest = ends
        if ends == total:  # bytes within the last frame can look like a header
            nearest = ends
            break
        if not total:
            break
    until = len(content)
    if content[-128:].startswith(b"TAG") and trailer_length(content[-128:]) == 128:
        until -= 128
    return until, nearest


def _frame(content: bytes | mmap.mmap, position: int) -> Frame | None:
    """The frame header at a position, None where there is none."""
    head = content[position : position + 16]
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    size_code, rate_code = head[2] >> 4, head[2] & 15
    channel_code, bits_code = head[3] >> 4, head[3] >> 1 & 7
    if size_code == 0 or rate_code == 15 or channel_code > 10 or bits_code == 3:
        return None
    number, length = _coded_number(head)
    if number is None:
        return None
    end = 4 + length
    if size_code in (6, 7):
        width = size_code - 5
        block_size = int.from_bytes(head[end : end + width]) + 1
        end += width
    elif size_code == 1:
        block_size = 192
    else:
        block_size = 144 << size_code if size_code < 6 else 1 << size_code
    rate = _RATES[rate_code] if rate_code < 12 else None
    if rate_code >= 12:
        width, unit = {12: (1, 1000), 13: (2, 1), 14: (2, 10)}[rate_code]
        rate = int.from_bytes(head[end : end + width]) * unit
        end += width
    if end >= len(head):
        return None
    crc = 0
    for byte in head[:end]:
        crc = _CRC8[crc ^ byte]
    if crc != head[end]:
        return None
    n_channels = channel_code + 1 if channel_code < 8 else 2
    return Frame(bool(head[1] & 1), number, block_size, rate, n_channels, _BITS[bits_code])


def _coded_number(head: bytes) -> tuple[int | None, int]:
    """A number coded like UTF-8, up to 36 bits, from byte 4, and its length."""
    lead = head[4]
    if lead < 0x80:
        return lead, 1
    length = 8 - (lead ^ 0xFF).bit_length()
    if not 2 <= length <= 7 or len(head) < 5 + length:
        return None, 0
    number = lead & (0x7F >> length)
    for byte in head[5 : 4 + length]:
        if byte & 0xC0 != 0x80:
            return None, 0
        number = number << 6 | byte & 0x3F
    return number, length
