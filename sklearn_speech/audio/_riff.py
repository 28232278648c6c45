"""WAV and its large relatives RF64 and Wave64: sizes and formats that must agree."""

import struct
from typing import BinaryIO

from . import _mpeg
from ._chunks import Chunk, Layout, only, walk
from ._inspection import Inspection, PlainSamples, is_streamed

#: Wave64 writes names as GUIDs; all but that of "riff" end in these bytes.
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")

_PCM, _MS_ADPCM, _FLOAT, _ALAW, _ULAW, _IMA, _GSM, _MP3 = 1, 2, 3, 6, 7, 0x11, 0x31, 0x55
_EXTENSIBLE = 0xFFFE

#: Formats and bits of samples that need no decoder.
_PLAIN = {(_PCM, 16), (_FLOAT, 32)}

#: Files with more channels are left to the decoder, which may refuse them.
_MAX_PLAIN_CHANNELS = 64
_BITS = {
    _PCM: range(1, 65),
    _FLOAT: (32, 64),
    _ALAW: (8,),
    _ULAW: (8,),
    _MS_ADPCM: (4,),
    _IMA: (3, 4),
}


def inspect_wav(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a WAV or RF64 file.

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
    head = handle.read(12)
    order = ">" if head.startswith(b"RIFX") else "<"
    (stated,) = struct.unpack(order + "I", head[4:8])
    sizes = None
    if head.startswith(b"RF64"):
        stated, sizes = _large_sizes(handle, stated)
    layout = Layout(4, order + "I", False, 2)
    is_unknown = is_streamed if sizes is None else _is_unknown_large
    chunks, problem, end = walk(handle, 12, n_bytes, layout, b"data", is_unknown, sizes)
    data = only(chunks, b"data")
    if not problem and not is_unknown(stated):
        problem = _compare_riff(stated + 8, end, n_bytes, data)
    return _judge(handle, chunks, problem, order, b"fmt ", b"data")


def inspect_w64(handle: BinaryIO, n_bytes: int) -> Inspection:
    """Check a Sony Wave64 file; see :func:`inspect_wav`."""
    handle.seek(16)
    (stated,) = struct.unpack("<q", handle.read(8))
    layout = Layout(16, "<q", True, 8)
    data = b"data" + _W64_TAIL
    chunks, problem, end = walk(handle, 40, n_bytes, layout, data, _is_unknown_large)
    if not problem and not _is_unknown_large(stated) and not end - 8 < stated <= end + 8:
        # writers differ in whether the last chunk's padding to 8 bytes counts
        problem = f"its header says {stated:,} bytes, its parts end at {end:,}"
    return _judge(handle, chunks, problem, "<", b"fmt " + _W64_TAIL, data)


def _is_unknown_large(size: int) -> bool:
    """Whether a 64-bit size was written before the length was known."""
    return size in (0, -1, 24, 0xFFFFFFFF) or size >= 1 << 62  # 24: an empty chunk of Wave64


def _large_sizes(handle: BinaryIO, stated: int) -> tuple[int, dict[bytes, int]]:
    """Sizes of RF64, which stand in its first chunk."""
    handle.seek(12)
    head = handle.read(36)
    if not head.startswith(b"ds64") or len(head) < 24:
        return stated, {}
    riff, data = struct.unpack("<QQ", head[8:24])
    return riff, {b"data": data}


def _compare_riff(stated: int, end: int, n_bytes: int, data: Chunk | None) -> str | None:
    """What is wrong with the size of the whole file."""
    # Some writers state the size of the file itself, 8 more; some leave out the padding byte of
    # the last chunk, or count it where it is not there.
    if -1 <= stated - end <= 1 or stated - end == 8:
        return None
    if data is not None and stated < data.start + data.size:
        return (
            f"its header says {stated:,} bytes, its samples alone end at {data.start + data.size:,}"
        )
    return f"its header says {stated:,} bytes, {n_bytes:,} are there"


def _judge(
    handle: BinaryIO, chunks: list[Chunk], problem: str | None, order: str, fmt: bytes, data: bytes
) -> Inspection:
    names = [chunk.name for chunk in chunks]
    samples, form = only(chunks, data), only(chunks, fmt)
    if form is None or samples is None:
        missing = "format" if form is None else "samples"
        return Inspection(problem or f"damaged: the part with its {missing} is missing")
    if not problem and (names.count(fmt) > 1 or names.count(data) > 1):
        problem = "holds two formats or two parts of samples: one is read"
    handle.seek(form.start)
    found = handle.read(min(form.size, 40))
    if len(found) < 16:
        return Inspection(problem or "damaged: the part with its format is too short")
    tag, n_channels, rate, byte_rate, block, bits = struct.unpack(order + "HHIIHH", found[:16])
    is_plain = (tag, bits) in _PLAIN and order == "<" and data == b"data"
    if tag == _EXTENSIBLE and len(found) >= 26:
        (tag,) = struct.unpack(order + "H", found[24:26])
    if tag == _MP3:
        handle.seek(samples.start)
        return _combine(problem, _mpeg.inspect(handle.read(samples.available)))
    if problem and samples.size > samples.available and byte_rate and byte_rate == rate * block:
        problem = (
            f"cut off: its header says {samples.size / byte_rate:.3f} s, "
            f"{samples.available / byte_rate:.3f} s are there"
        )
    problem = problem or _compare_format(tag, n_channels, rate, byte_rate, block, bits)
    problem = problem or _compare_length(tag, n_channels, block, samples, order, found)
    source = None
    (stated,) = _stated_data(handle, samples, order)
    if data == b"data" and stated == 0 and samples.available:
        handle.seek(0)  # the decoder would read nothing
        content = bytearray(handle.read())
        content[samples.start - 4 : samples.start] = struct.pack(
            order + "I", min(samples.available, 2**32 - 1)
        )
        source = bytes(content)
    n_frames = samples.available // block if tag in (_PCM, _FLOAT, _ALAW, _ULAW) and block else None
    plain = None
    if is_plain and problem is None and source is None and n_channels <= _MAX_PLAIN_CHANNELS:
        plain = PlainSamples(samples.start, tag == _FLOAT, n_channels, rate)
    return Inspection(problem, source=source, n_frames=n_frames, plain=plain)


def _stated_data(handle: BinaryIO, samples: Chunk, order: str) -> tuple[int, ...]:
    handle.seek(samples.start - 4)
    return struct.unpack(order + "I", handle.read(4))


def _combine(problem: str | None, found: Inspection) -> Inspection:
    return Inspection(
        problem or found.problem, found.source, found.n_frames, found.max_frames, whole=found.whole
    )


def _compare_format(
    tag: int, n_channels: int, rate: int, byte_rate: int, block: int, bits: int
) -> str | None:
    """What contradicts itself in the format."""
    if n_channels == 0:
        return "its header says 0 channels"
    if tag in _BITS and bits not in _BITS[tag]:
        return f"its header says samples of {bits} bits, which format {tag:#x} does not have"
    if tag not in (_PCM, _FLOAT, _ALAW, _ULAW):
        return None  # FFmpeg writes any byte rate for ADPCM: nothing else states the rate
    if block != n_channels * -(-bits // 8):
        return (
            f"its header says {n_channels} channels of {bits} bits, but {block} bytes for all of "
            "them together"
        )
    if byte_rate != rate * block:
        return f"its header says {rate} Hz, but {byte_rate:,} bytes a second of {block} bytes each"
    return None


def _compare_length(
    tag: int, n_channels: int, block: int, samples: Chunk, order: str, found: bytes
) -> str | None:
    if tag in (_PCM, _FLOAT, _ALAW, _ULAW):
        if samples.available % block:
            return f"its {samples.available:,} bytes of samples are not a multiple of {block} bytes"
        return None
    if tag not in (_MS_ADPCM, _IMA, _GSM) or len(found) < 20 or not n_channels:
        return None
    (per_block,) = struct.unpack(order + "H", found[18:20])
    expected = {
        _MS_ADPCM: (block - 7 * n_channels) * 2 // n_channels + 2,
        _IMA: (block - 4 * n_channels) * 2 // n_channels + 1,
        _GSM: 320,
    }[tag]
    if per_block != expected or (tag == _GSM and block != 65):
        return (
            f"its header says {per_block} samples in blocks of {block} bytes, which hold {expected}"
        )
    # The number of samples in "fact" is not checked: libsndfile 1.2 writes a wrong one for ADPCM.
    return None
