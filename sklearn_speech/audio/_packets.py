"""Formats of packets, each with a length or a checksum: MAT, SDS and XI."""

import struct
from functools import reduce
from operator import xor
from typing import BinaryIO

from ._inspection import Inspection, cut_off

#: Bytes of a number, by the tens digit of a MAT 4 type.
_MAT4_WIDTHS = (8, 4, 4, 2, 2, 1)

#: Bytes of an SDS file's header and of each packet, of which 120 are samples.
_SDS_HEADER, _SDS_PACKET = 21, 127


def inspect_mat4(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a MATLAB 4 file.

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
    order = ">" if handle.read(4) == b"\0\0\x03\xe8" else "<"
    position = 0
    while position < n_bytes:
        handle.seek(position)
        head = handle.read(20)
        if len(head) < 20:
            return Inspection(f"{len(head)} bytes follow its last matrix")
        kind, n_rows, n_columns, imaginary, n_name = struct.unpack(order + "5I", head)
        width = kind // 10 % 10
        if kind > 9999 or width >= len(_MAT4_WIDTHS) or n_name > 1024:
            return Inspection(f"damaged: byte {position:,} begins no matrix")
        size = n_rows * n_columns * _MAT4_WIDTHS[width] * (2 if imaginary else 1)
        position += 20 + n_name + size
    return Inspection(cut_off(position - n_bytes) if position > n_bytes else None)


def inspect_mat5(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a MATLAB 5 file; see :func:`inspect_mat4`."""
    handle.seek(126)
    order = "<" if handle.read(2) == b"IM" else ">"
    position = 128
    while position < n_bytes:
        handle.seek(position)
        head = handle.read(8)
        if len(head) < 8:
            return Inspection(f"{len(head)} bytes follow its last matrix")
        kind, size = struct.unpack(order + "II", head)
        if kind not in (14, 15):  # a matrix, plain or compressed
            return Inspection(f"damaged: byte {position:,} begins no matrix")
        position += 8 + size
    # libsndfile 1.2 states 8 bytes more than it writes
    return Inspection(cut_off(position - n_bytes) if position - n_bytes not in (0, 8) else None)


def inspect_sds(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a MIDI sample dump; see :func:`inspect_mat4`."""
    handle.seek(0)
    content = handle.read()
    n_words = content[10] | content[11] << 7 | content[12] << 14 if n_bytes > 12 else 0
    n_packets, rest = divmod(n_bytes - _SDS_HEADER, _SDS_PACKET)
    if rest:
        return Inspection(f"cut off: {rest} bytes at its end do not form a whole packet")
    width = {True: 2, False: 3}[content[6] < 15] if content[6] >= 8 else 1
    if content[6] > 21:
        width = 4
    if not (n_packets - 1) * (120 // width) < n_words <= n_packets * (120 // width):
        return Inspection(f"its header says {n_words:,} samples, {n_packets:,} packets are there")
    for count in range(n_packets):
        at = _SDS_HEADER + count * _SDS_PACKET
        packet = content[at : at + _SDS_PACKET]
        if packet[:2] != b"\xf0\x7e" or packet[3] != 2 or packet[126] != 0xF7:
            return Inspection(f"damaged: byte {at:,} begins no packet")
        if packet[4] != count & 0x7F:
            return Inspection(f"damaged: packet {count} of its samples is missing")
        if reduce(xor, packet[1:125]) != packet[125]:
            return Inspection(f"damaged: the checksum of packet {count} does not match")
    return Inspection()


def inspect_xi(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a FastTracker instrument; see :func:`inspect_mat4`."""
    handle.seek(296)
    head = handle.read(6)
    if len(head) < 6:
        return Inspection("cut off: ends within its header")
    n_sounds, size = struct.unpack("<HI", head)
    if n_sounds != 1 or size == 0:
        return Inspection()  # several are not read, and libsndfile 1.2 writes no size
    there = n_bytes - 298 - 40
    if size > there:
        return Inspection(cut_off(size - there))
    return Inspection(f"{there - size:,} bytes follow its samples" if there > size else None)
