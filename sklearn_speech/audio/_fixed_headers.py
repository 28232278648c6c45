"""Formats with one header that states a length, then samples: AU, SPHERE, HTK and others."""

import re
import struct
from typing import BinaryIO

from ._inspection import Inspection, cut_off, trailer_length

_AU_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}


def inspect_au(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a Sun/NeXT file.

    Parameters
    ----------
    handle : file
        Opened for reading bytes.
    n_bytes : int
        Its size.

    Returns
    -------
    inspection : Inspection
    """
    handle.seek(0)
    head = handle.read(24)
    if len(head) < 24:
        return Inspection("cut off: ends within its header", whole=False)
    order = ">" if head.startswith(b".snd") else "<"
    start, stated, coding, _, n_channels = struct.unpack(order + "5I", head[4:])
    if start < 24 or start > n_bytes:
        return Inspection(f"its header says that samples begin at byte {start:,} of {n_bytes:,}")
    if stated == 0xFFFFFFFF:  # written to a pipe
        stated = n_bytes - start
    problem = _compare(handle, n_bytes, start, stated)
    block = _AU_WIDTHS.get(coding, 0) * n_channels
    if not problem and block and stated % block:
        problem = f"its {stated:,} bytes of samples are not a multiple of {block}"
    return Inspection(problem, n_frames=min(stated, n_bytes - start) // block if block else None)


def inspect_sphere(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a NIST SPHERE file; see :func:`inspect_au`."""
    handle.seek(0)
    head = handle.read(1024)
    lines = head.split(b"\n", 2)
    try:
        start = int(lines[1])
    except (IndexError, ValueError):
        return Inspection("damaged: the second line of its header is not a length")
    handle.seek(0)
    head = handle.read(min(start, 1 << 16))
    fields = dict(
        re.findall(rb"^(\w+) -\w+ ([^\n;]*)", head.partition(b"end_head")[0], re.MULTILINE)
    )
    coding = fields.get(b"sample_coding", b"pcm").strip()
    if b"," in coding:
        shown = coding.decode("ascii", "backslashreplace")
        return Inspection(
            f"is SPHERE with {shown}: only uncompressed samples are read", whole=False
        )
    count, width = _number(fields, b"sample_count"), _number(fields, b"sample_n_bytes")
    n_channels = _number(fields, b"channel_count")
    if n_channels is None:
        n_channels = 1
    if count is None or width is None:
        # libsndfile needs neither; without them nothing can be compared
        return Inspection("damaged: its header lacks the number or the width of samples")
    stated = count * n_channels * width
    problem = _compare(handle, n_bytes, start, stated)
    there = (n_bytes - start) // max(1, n_channels * width)
    return Inspection(problem, n_frames=min(count, there))


def _number(fields: dict[bytes, bytes], name: bytes) -> int | None:
    value = fields.get(name, b"").strip()
    return int(value) if value.isdigit() else None


def inspect_htk(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check an HTK waveform file; see :func:`inspect_au`."""
    handle.seek(0)
    n_frames, _, width = struct.unpack(">IIH", handle.read(10))
    return Inspection(_compare(handle, n_bytes, 12, n_frames * width), n_frames=n_frames)


def inspect_avr(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check an Audio Visual Research file; see :func:`inspect_au`."""
    handle.seek(12)
    head = handle.read(18)
    if len(head) < 18:
        return Inspection("cut off: ends within its header", whole=False)
    stereo, bits = struct.unpack(">HH", head[:4])
    (n_frames,) = struct.unpack(">I", head[14:18])
    block = (2 if stereo else 1) * -(-bits // 8)
    # libsndfile counts one channel, others all
    counts = {n_frames * block, n_frames * -(-bits // 8)}
    if n_bytes - 128 in counts:
        return Inspection()
    return Inspection(_compare(handle, n_bytes, 128, n_frames * block))


def inspect_mpc(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check an Akai MPC 2000 file; see :func:`inspect_au`."""
    handle.seek(21)
    head = handle.read(21)
    if len(head) < 21:
        return Inspection("cut off: ends within its header", whole=False)
    stereo, n_frames = head[0], struct.unpack("<I", head[9:13])[0]
    return Inspection(_compare(handle, n_bytes, 42, n_frames * 2 * (2 if stereo else 1)))


def inspect_wve(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a Psion file; see :func:`inspect_au`."""
    handle.seek(18)
    (n_frames,) = struct.unpack(">I", handle.read(4).ljust(4, b"\0"))
    return Inspection(_compare(handle, n_bytes, 32, n_frames), n_frames=n_frames)


def inspect_voc(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check the blocks of a Creative Voice file; see :func:`inspect_au`."""
    handle.seek(20)
    (position,) = struct.unpack("<H", handle.read(2).ljust(2, b"\0"))
    n_sounds = 0
    while position < n_bytes:
        handle.seek(position)
        head = handle.read(4)
        if head[0] == 0:  # the last block has no length
            handle.seek(position + 1)
            rest = handle.read()
            if trailer_length(rest) < len(rest):
                return Inspection(f"{len(rest):,} bytes follow the end of its blocks")
            return Inspection()
        if head[0] > 9:
            return Inspection(f"damaged: byte {position:,} begins no block")
        length = int.from_bytes(head[1:], "little")
        n_sounds += head[0] in (1, 2, 9)
        # SoX counts only 4 of the 12 bytes before the samples of such a block
        if head[0] == 9 and position + 13 + length == n_bytes:
            return Inspection()
        if position + 4 + length > n_bytes:
            return Inspection(cut_off(position + 4 + length - n_bytes))
        position += 4 + length
    return Inspection(None if n_sounds else "holds no block of samples")


def _compare(handle: BinaryIO, n_bytes: int, start: int, stated: int) -> str | None:
    there = n_bytes - start
    if stated > there:
        return cut_off(stated - there)
    handle.seek(start + stated)
    rest = handle.read(1 << 16)
    # one more byte: padding to an even size
    if stated < there and len(rest) > 1 and trailer_length(rest) < len(rest):
        return f"{there - stated:,} bytes follow the sound that its header states"
    return None
