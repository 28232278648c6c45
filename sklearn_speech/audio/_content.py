"""Recognise what a file holds by its first bytes, whatever its name."""

import io
import mmap
import re
from collections.abc import Callable
from typing import BinaryIO

from . import _aiff, _fixed_headers, _flac, _mpeg, _ogg, _packets, _riff
from ._inspection import Inspection, id3_size

#: Number of bytes that identify a file: MPEG-TS needs three packets of 188, text a few lines.
_HEAD = 4096

#: Larger FLAC files are mapped into memory instead of read.
_SMALL = 1 << 20

#: Files whose samples can be read: pattern and check.
_SOUND_PATTERNS = (
    (rb"RIF[FX].{4}WAVE|RF64.{4}WAVE", _riff.inspect_wav),
    (rb"riff\x2e\x91\xcf\x11", _riff.inspect_w64),
    (rb"FORM.{4}AIF[FC]", _aiff.inspect_aiff),
    (rb"FORM.{4}(8SVX|16SV)", _aiff.inspect_svx),
    (rb"caff\0\x01", _aiff.inspect_caf),
    (rb"\.snd|dns\.", _fixed_headers.inspect_au),
    (rb"NIST_1A\n", _fixed_headers.inspect_sphere),
    (rb"2BIT", _fixed_headers.inspect_avr),
    (rb"ALawSoundFile\*\*", _fixed_headers.inspect_wve),
    (rb"Creative Voice File", _fixed_headers.inspect_voc),
    (rb"\x01\x04.{19}[\0\x01]", _fixed_headers.inspect_mpc),
    (rb"MATLAB 5\.0 MAT-file", _packets.inspect_mat5),
    (rb"\0\0\x03\xe8|\0\0\0\0\x01\0\0\0", _packets.inspect_mat4),
    (rb"\xf0\x7e.\x01", _packets.inspect_sds),
    (rb"Extended Instrument:", _packets.inspect_xi),
    (rb"fLaC", lambda handle, n_bytes: _inspect_flac(handle, n_bytes)),
    (rb"OggS", lambda handle, _: _ogg.inspect(_all(handle))),
)

#: Files whose formats state nothing that could be checked before decoding.
_UNCHECKED = re.compile(
    rb" paf|fap |PVF1\n|\x64\xa3|\0\0\xa3\x64|\0\x01\xa3\x64|\0\x02\xa3\x64|\0\x03\xa3\x64",
    re.DOTALL,
)

#: Files of other kinds: pattern, name.
_FOREIGN_PATTERNS = (
    (rb"version https://git-lfs", "a Git LFS pointer: the file itself was not fetched"),
    (rb"\s*(<!doctype html|<html|<head|<body)", "an HTML page, as a failed download leaves"),
    (rb"\s*<(\?xml|svg|[a-z]+[ >])", "XML text"),
    (rb'\s*(\{\s*["}]|\[\s*["{\[\]\d])', "JSON text"),
    (rb".{4}ftyp(M4[ABP]|mp4|isom|iso\d|avc1|dash)", "an MP4 or M4A file"),
    (rb".{4}ftypqt", "a QuickTime file"),
    (rb".{4}ftyp3g", "a 3GP file"),
    (rb".{4}(ftyp|moov|mdat)", "an MP4 or M4A file"),
    (rb"\x1aE\xdf\xa3.{0,60}webm", "a WebM file"),
    (rb"\x1aE\xdf\xa3", "a Matroska file"),
    (rb"FLV\x01", "an FLV file"),
    (rb"G.{187}G.{187}G", "an MPEG transport stream"),
    (rb".{4}G.{191}G.{191}G", "an MPEG transport stream (M2TS)"),
    (rb"\0\0\x01[\xb3\xba]", "an MPEG program stream"),
    (rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a WMA or ASF file"),
    (rb"RIFF.{4}AVI ", "an AVI file"),
    (rb"RIFF.{4}WEBP", "a WebP picture"),
    (rb"BW64", "a BW64 file"),
    (rb"ADIF", "AAC (ADIF)"),
    (rb"#!AMR", "AMR"),
    (rb"#!SILK|\x02#!SILK", "SILK"),
    (rb"\x0bw", "AC-3"),
    (rb"\x7f\xfe\x80\x01|\xfe\x7f\x01\x80", "DTS"),
    (rb"MPCK|MP\+", "Musepack"),
    (rb"MAC ", "Monkey's Audio"),
    (rb"wvpk", "WavPack"),
    (rb"TTA[12]", "True Audio"),
    (rb"ajkg", "Shorten"),
    (rb"DSD |FRM8", "DSD"),
    (rb"\.RMF|\.ra\xfd", "RealAudio"),
    (rb"MThd", "MIDI"),
    (rb"\x1f\x8b", "compressed by gzip: unpack it first"),
    (rb"PK\x03\x04|PK\x05\x06", "a zip archive: unpack it first"),
    (rb"BZh\d", "compressed by bzip2: unpack it first"),
    (rb"\xfd7zXZ\0", "compressed by xz: unpack it first"),
    (rb"\x28\xb5\x2f\xfd", "compressed by Zstandard: unpack it first"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (rb"Rar!\x1a\x07", "a RAR archive: unpack it first"),
    (rb".{257}ustar", "a tar archive: unpack it first"),
    (rb"%PDF", "a PDF document"),
    (rb"\x89PNG", "a PNG picture"),
    (rb"\xff\xd8\xff", "a JPEG picture"),
    (rb"GIF8", "a GIF picture"),
    (rb"\x93NUMPY", "a NumPy array"),
    (rb"\x89HDF", "an HDF5 file"),
    (rb"SQLite format 3", "an SQLite database"),
    (rb"\x7fELF|MZ.{58}", "a program"),
)
_SOUND = tuple((re.compile(pattern, re.DOTALL), check) for pattern, check in _SOUND_PATTERNS)
_FOREIGN = tuple(
    (
        re.compile(pattern, re.DOTALL | re.IGNORECASE if pattern.startswith(rb"\s") else re.DOTALL),
        name,
    )
    for pattern, name in _FOREIGN_PATTERNS
)

#: Control characters that text does not contain, in UTF-8 or another encoding.
_NOT_TEXT = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def inspect(handle: BinaryIO, n_bytes: int) -> Inspection | None:
    """Find out what a file is, and check it by the rules of its kind.

    Parameters
    ----------
    handle : file
        Opened for reading bytes.
    n_bytes : int
        Its size.

    Returns
    -------
    inspection : Inspection or None
        None where the first bytes tell nothing, so that the decoder may try.
    """
    head = handle.read(_HEAD)
    for pattern, check in _SOUND:
        if pattern.match(head):
            return check(handle, n_bytes)
    if _UNCHECKED.match(head):
        return Inspection()
    start = 0
    if head.startswith(b"ID3") and len(head) >= 10:
        start = 10 + id3_size(head)
        handle.seek(start)
        behind = handle.read(_HEAD)
        if behind.startswith(b"fLaC"):
            return _inspect_flac(handle, n_bytes)
    else:
        behind = head
    for pattern, name in _FOREIGN:
        if pattern.match(behind):
            return _foreign(name)
    if _is_framed(behind, _adts_length):
        return _foreign("AAC (ADTS)")
    if _is_framed(behind, _loas_length):
        return _foreign("AAC (LATM)")
    if _mpeg.begins_with_frames(behind, 0) or start:
        return _mpeg.inspect(_all(handle))
    if not any(head) and not _holds_anything(handle):
        return _foreign("nothing but zeros, as an unfinished download leaves")
    if _is_htk(head, n_bytes):
        return _fixed_headers.inspect_htk(handle, n_bytes)
    if not _NOT_TEXT.search(head):
        return _foreign("text")
    return None


def inspect_as_mpeg(handle: BinaryIO) -> Inspection:
    """Check a file that only the decoder recognised as MPEG audio, such as behind other bytes."""
    return _mpeg.inspect(_all(handle))


def _inspect_flac(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check both ends of a FLAC file; the middle of a large one is not read."""
    if n_bytes <= _SMALL or isinstance(handle, io.BytesIO):
        return _flac.inspect(_all(handle))
    with mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _flac.inspect(content)


def _foreign(name: str) -> Inspection:
    return Inspection(f"not a sound file that can be decoded (is {name})", whole=False)


def _all(handle: BinaryIO) -> bytes:
    handle.seek(0)
    return handle.read()


def _holds_anything(handle: BinaryIO) -> bool:
    handle.seek(0)
    while block := handle.read(1 << 20):
        if any(block):
            return True
    return False


def _is_framed(head: bytes, length_at: Callable[[bytes, int], int]) -> bool:
    """Whether two frames follow each other."""
    length = length_at(head, 0)
    return length > 0 and (length >= len(head) or length_at(head, length) > 0)


def _adts_length(head: bytes, position: int) -> int:
    head = head[position : position + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return 0
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return length if length >= 7 else 0


def _loas_length(head: bytes, position: int) -> int:
    head = head[position : position + 3]
    if len(head) < 3 or head[0] != 0x56 or head[1] & 0xE0 != 0xE0:
        return 0
    return 3 + ((head[1] & 0x1F) << 8 | head[2])


def _is_htk(head: bytes, n_bytes: int) -> bool:
    """HTK has no signature: the kind of its samples is 0, their width 2."""
    return n_bytes >= 12 and head[8:12] == b"\0\x02\0\0"
