"""AIFF, AIFF-C and the older 8SVX, which consist of big-endian chunks, and CAF."""

import struct
from typing import BinaryIO

from ._chunks import Chunk, Layout, only, walk
from ._inspection import Inspection

_LAYOUT = Layout(4, ">I", False, 2)
_CAF_LAYOUT = Layout(4, ">q", False, 1)

#: Bytes of a sample for the kinds of AIFF-C and CAF that store each sample alone.
_AIFF_KINDS = {b"NONE": None, b"twos": None, b"sowt": None, b"raw ": None, b"in24": 3, b"42ni": 3}
_AIFF_KINDS |= {b"in32": 4, b"23ni": 4, b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8}
_AIFF_KINDS |= {b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1}
_CAF_KINDS = (b"lpcm", b"ulaw", b"alaw")

#: Two old Macintosh rates that are not whole numbers (Hz).
_BROKEN_RATES = (22254.545, 11127.273)


def inspect_aiff(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check an AIFF or AIFF-C file.

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
    chunks, problem = _walk_form(handle, n_bytes, b"SSND")
    form, sound = only(chunks, b"COMM"), only(chunks, b"SSND")
    if form is None or sound is None:
        missing = "format" if form is None else "samples"
        return Inspection(problem or f"damaged: the part with its {missing} is missing")
    handle.seek(form.start)
    found = handle.read(min(form.size, 22))
    if len(found) < 18:
        return Inspection(problem or "damaged: the part with its format is too short")
    n_channels, n_frames, bits = struct.unpack(">HIH", found[:8])
    rate = _extended(found[8:18])
    kind = found[18:22] if len(found) == 22 else b"NONE"
    if not problem and not _is_rate(rate):
        problem = f"its header says {rate:g} Hz, a rate that no sound card has"
    if kind not in _AIFF_KINDS:
        return Inspection(problem)
    width = _AIFF_KINDS[kind] or -(-bits // 8)
    there = (sound.available - 8) // max(1, n_channels * width)
    if not problem and n_frames and n_frames * n_channels * width != sound.size - 8:
        # a header written before the length was known holds 0
        problem = (
            f"its header says {n_frames:,} samples of {n_channels} x {width} bytes, its part of "
            f"samples holds {sound.size - 8:,} bytes"
        )
    return Inspection(problem, n_frames=None if problem else there)


def inspect_svx(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check an 8SVX or 16SV file; see :func:`inspect_aiff`."""
    chunks, problem = _walk_form(handle, n_bytes, b"BODY")
    form, sound = only(chunks, b"VHDR"), only(chunks, b"BODY")
    if form is None or sound is None:
        return Inspection(problem or "damaged: a part of it is missing")
    handle.seek(8)
    width = 2 if handle.read(4) == b"16SV" else 1
    handle.seek(form.start)
    (n_frames,) = struct.unpack(">I", handle.read(4))
    # libsndfile counts bytes here, SoX samples, of both channels together or of one
    counts = {0, sound.size, sound.size // width, sound.size // width // 2}
    if not problem and n_frames not in counts:
        problem = f"its header says {n_frames:,} samples, {sound.size // width:,} are there"
    return Inspection(problem)


def inspect_caf(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a Core Audio file; see :func:`inspect_aiff`."""
    chunks, problem, _ = walk(handle, 8, n_bytes, _CAF_LAYOUT, b"data", lambda size: size == -1)
    form, sound = only(chunks, b"desc"), only(chunks, b"data")
    if form is None or sound is None:
        missing = "format" if form is None else "samples"
        return Inspection(problem or f"damaged: the part with its {missing} is missing")
    handle.seek(form.start)
    found = handle.read(32)
    rate, kind, _, packet, per_packet, n_channels, bits = struct.unpack(">d4sIIIII", found)
    if not problem and not _is_rate(rate):
        problem = f"its header says {rate:g} Hz, a rate that no sound card has"
    handle.seek(sound.start - 8)
    source = None
    if handle.read(8) == b"\xff" * 8:  # allowed for the last chunk; not decoded
        handle.seek(0)
        content = bytearray(handle.read())
        content[sound.start - 8 : sound.start] = struct.pack(">q", sound.available)
        source = bytes(content)
    n_frames = None
    if kind in _CAF_KINDS:
        if not problem and (packet != n_channels * -(-bits // 8) or per_packet != 1):
            problem = (
                f"its header says {n_channels} channels of {bits} bits, but packets of {packet}"
            )
        n_frames = (sound.available - 4) // packet if packet else None
        if not problem and (sound.available - 4) % packet:
            problem = f"its {sound.available - 4:,} bytes of samples are not a multiple of {packet}"
    elif (packets := only(chunks, b"pakt")) is not None and packets.available >= 24:
        handle.seek(packets.start)
        n_packets, valid, priming, remainder = struct.unpack(">qqii", handle.read(24))
        if not problem and valid + priming + remainder != n_packets * per_packet:
            problem = (
                f"its header says {valid:,} samples in {n_packets:,} packets of {per_packet:,}"
            )
        n_frames = valid
    return Inspection(problem, source=source, n_frames=n_frames)


def _walk_form(handle: BinaryIO, n_bytes: int, sound: bytes) -> tuple[list[Chunk], str | None]:
    handle.seek(4)
    (stated,) = struct.unpack(">I", handle.read(4))
    chunks, problem, end = walk(
        handle, 12, n_bytes, _LAYOUT, sound, lambda size: size in (0, 0xFFFFFFFF)
    )
    # some writers leave out the last padding byte, or state the size of the file itself
    if not problem and stated not in (0, 0xFFFFFFFF) and stated + 8 - end not in (-1, 0, 1, 8):
        problem = f"its header says {stated + 8:,} bytes, {end:,} are there"
    return chunks, problem


def _extended(ten: bytes) -> float:
    """An 80-bit floating-point number."""
    exponent, mantissa = struct.unpack(">HQ", ten)
    return mantissa * 2.0 ** max(-1000, min(900, (exponent & 0x7FFF) - 16446))


def _is_rate(rate: float) -> bool:
    return rate == round(rate) or any(abs(rate - broken) < 0.01 for broken in _BROKEN_RATES)
