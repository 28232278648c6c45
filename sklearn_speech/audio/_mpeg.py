"""Frames of MPEG audio (MP3 and its older layers; ISO/IEC 11172-3, 13818-3).

Such a file has no header of its own: frame follows frame. The first frame may state the
number of frames (Xing, Info, VBRI) and a checksum of all that follows (LAME).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from ._crc16 import crc16
from ._inspection import Inspection, cut_off, id3_size, trailer_length

_VERSIONS = {0: 2.5, 2: 2, 3: 1}
_RATES = (44100, 48000, 32000)
_BIT_RATES = {  # kbit/s, by (MPEG 1 or not, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}

#: Delay of a layer III decoder in samples (ISO/IEC 11172-3: 528, and one more).
_DECODER_DELAY = 529

#: A free-format frame is at most as long as one of 640 kbit/s at 8 kHz.
_MAX_FREE_FRAME = 11520


@dataclass(frozen=True)
class Frame:
    """What the four bytes of a frame header say."""

    version: float
    layer: int
    rate: int
    n_samples: int
    length: int  # bytes; 0 in free format
    slot: int  # bytes that the padding bit adds
    protected: bool
    mono: bool

    def is_compatible(self, other: Self) -> bool:
        """Whether both can stand in one stream."""
        return (self.version, self.layer, self.rate) == (other.version, other.layer, other.rate)

    @property
    def side_length(self) -> int:
        """Bytes of side information of layer III."""
        if self.version == 1:
            return 17 if self.mono else 32
        return 9 if self.mono else 17


@lru_cache(maxsize=4096)
def frame_header(head: bytes) -> Frame | None:
    """Read a frame header.

    Parameters
    ----------
    head : bytes of length 4

    Returns
    -------
    frame : Frame or None
        None where the bytes are no header.
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = _VERSIONS.get(head[1] >> 3 & 3), 4 - (head[1] >> 1 & 3)
    rate_code, bit_rate_code = head[2] >> 2 & 3, head[2] >> 4
    if version is None or layer == 4 or rate_code == 3 or bit_rate_code == 15 or head[3] & 3 == 2:
        return None
    rate = _RATES[rate_code] // {1: 1, 2: 2, 2.5: 4}[version]
    bit_rate = _BIT_RATES[version == 1, layer][bit_rate_code] * 1000
    padding = head[2] >> 1 & 1
    if layer == 1:
        n_samples, slot = 384, 4
        length = (12 * bit_rate // rate + padding) * 4
    else:
        n_samples, slot = (576 if layer == 3 and version != 1 else 1152), 1
        length = n_samples // 8 * bit_rate // rate + padding
    return Frame(
        version,
        layer,
        rate,
        n_samples,
        length if bit_rate else 0,
        slot * padding,
        not head[1] & 1,
        head[3] >> 6 == 3,
    )


def begins_with_frames(content: bytes, start: int) -> bool:
    """Whether two frames, or one up to the end, follow from `start`."""
    frame = frame_header(content[start : start + 4])
    if frame is None:
        return False
    length = frame.length or _free_length(content, start, frame) + frame.slot
    following = content[start + length : start + length + 4]
    if length <= 4 or len(following) < 4:
        return length > 4 and start + length <= len(content)
    other = frame_header(following)
    return other is not None and other.is_compatible(frame)


def inspect(content: bytes, start: int = 0) -> Inspection:
    """Walk over the frames of an MPEG audio file.

    Parameters
    ----------
    content : bytes
        The whole file.
    start : int, default=0
        Where the first frame, or a tag before it, begins.

    Returns
    -------
    inspection : Inspection
    """
    begin, problem = _skip_tags(content, start)
    frames, end, damage = _walk(content, begin)
    problem = problem or damage
    first = frame_header(content[frames[0] : frames[0] + 4]) if frames else None
    if first is None:
        return Inspection(problem or "holds no MPEG audio frame", whole=False)
    following = frames[1] if len(frames) > 1 else end
    info = _StreamInfo.read(content[frames[0] : following], first)
    n_audio = len(frames) - info.own_frame
    n_samples = n_audio * first.n_samples
    bound = (n_audio + 1) * first.n_samples
    if n_audio == 0:
        return Inspection(problem or "holds no frame of sound", whole=False)
    audio = content[frames[info.own_frame] : end]
    if not info.own_frame and _is_unnamed_tag(content[frames[0] : following], first):
        problem = problem or "damaged: its Info header has no name"
    problem = problem or info.contradicts(n_audio, audio, content[end:])
    if info.n_frames is not None and not info.is_vbri and not problem:
        return Inspection(n_frames=n_samples - info.gap, max_frames=bound)
    # Without a Xing header the decoder guesses the length from the size of the first frame, and
    # stops there; it decodes a VBRI header as sound.
    heads = (content[at : at + 4] for at in frames[info.own_frame :])
    lengths = {frame.length for head in heads if (frame := frame_header(head)) is not None}
    if first.layer != 3 or max(lengths) - min(lengths) <= 1:
        source = audio if problem or info.own_frame or start else None
        return Inspection(problem, source=source, n_frames=n_samples, max_frames=bound)
    source = _info_frame(content, frames[0], n_audio, audio) + audio
    return Inspection(problem, source, n_samples - _DECODER_DELAY, bound)


def _skip_tags(content: bytes, start: int) -> tuple[int, str | None]:
    position = start
    while True:
        if content.startswith(b"ID3", position):
            position += 10 + id3_size(content[position : position + 10])
        elif content.startswith(b"APETAGEX", position):
            position += trailer_length(content[position : position + 32]) or 32
            size = content[position - 32 + 12 : position - 32 + 16]
            position += int.from_bytes(size, "little")
        else:
            break
    if position >= len(content):
        return position, "cut off: ends within its tag"
    zeros = position
    while zeros < len(content) and content[zeros] == 0:
        zeros += 1  # some tags are padded beyond the size that they state
    if begins_with_frames(content, zeros):
        return zeros, None
    found = zeros
    while (found := content.find(b"\xff", found + 1)) >= 0:
        if begins_with_frames(content, found):
            lost = found - position
            return found, f"damaged: {lost:,} bytes before the first frame are not a frame"
    return position, "holds no MPEG audio frame"


def _walk(content: bytes, begin: int) -> tuple[list[int], int, str | None]:
    """Where the frames begin, where the last one ends, and what is wrong between them."""
    frames: list = []
    problem, position = None, begin
    first = frame_header(content[begin : begin + 4])
    free = _free_length(content, begin, first) if first and not first.length else 0
    n_bytes = len(content)
    while first is not None and position < n_bytes:
        frame = frame_header(content[position : position + 4])
        if frame is None or not frame.is_compatible(first):
            tail = content[position:]
            if trailer_length(tail, padding=True) == len(tail):
                return frames, position, problem
            found = position
            while (found := content.find(b"\xff", found + 1)) >= 0:
                other = frame_header(content[found : found + 4])
                if other and other.is_compatible(first) and begins_with_frames(content, found):
                    break
            until = n_bytes if found < 0 else found
            problem = problem or (
                f"damaged: {until - position:,} bytes at {position:,} are not an MPEG audio frame"
            )
            if found < 0:
                return frames, position, problem
            position = found
            continue
        length = frame.length or free + frame.slot
        if length < 5 or position + length > n_bytes:
            lacking = position + length - n_bytes
            return frames, position, problem or cut_off(lacking, "the last frame")
        if frame.protected and not problem and not _side_agrees(content, position, frame):
            problem = f"damaged: the checksum of frame {len(frames)} does not match"
        frames.append(position)
        position += length
    return frames, position, problem


def _free_length(content: bytes, start: int, frame: Frame) -> int:
    """Bytes of a free-format frame without padding, from where the next header stands."""
    mask = (content[start + 1], content[start + 2] & 0xFC)
    position = start + 24
    while True:
        position = content.find(b"\xff", position, start + _MAX_FREE_FRAME)
        if position < 0 or position + 3 > len(content):
            return 0
        if (content[position + 1], content[position + 2] & 0xFC) == mask:
            return position - start - frame.slot
        position += 1


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x8005 if crc & 0x8000 else 0)) & 0xFFFF
        table.append(crc)
    return table


_CRC = _crc_table()


def _side_agrees(content: bytes, position: int, frame: Frame) -> bool:
    """Whether the checksum of a protected frame of layer III agrees (polynomial 0x8005)."""
    if frame.layer != 3:
        return True  # layers I and II protect what only their bit allocation delimits
    crc = 0xFFFF
    side = position + 6
    for byte in content[position + 2 : position + 4] + content[side : side + frame.side_length]:
        crc = (crc << 8 & 0xFF00) ^ _CRC[crc >> 8 ^ byte]
    return crc == int.from_bytes(content[position + 4 : position + 6])


@dataclass(frozen=True)
class _StreamInfo:
    """What the first frame states about the others."""

    own_frame: bool = False  # whether the first frame holds this instead of sound
    n_frames: int | None = None
    delay: int = 0
    padding: int = 0
    checksum: int | None = None
    tag_agrees: bool = True
    is_vbri: bool = False

    @classmethod
    def read(cls, head: bytes, first: Frame) -> Self:
        if first.layer != 3:
            return cls()
        if head.startswith(b"VBRI", 36):
            return cls(True, int.from_bytes(head[50:54]), is_vbri=True)
        # LAME places it as if the header had no checksum, others place it behind the checksum
        for at in {4 + first.side_length, 4 + first.side_length + 2 * first.protected}:
            if head.startswith((b"Xing", b"Info"), at):
                return cls._read_xing(head, at)
        return cls()

    @classmethod
    def _read_xing(cls, head: bytes, at: int) -> Self:
        flags, position = int.from_bytes(head[at + 4 : at + 8]), at + 8
        n_frames = int.from_bytes(head[position : position + 4]) if flags & 1 else None
        for bit, length in enumerate((4, 4, 100, 4)):  # frames, bytes, table to seek, quality
            position += length if flags >> bit & 1 else 0
        lame = head[position : position + 36]
        if len(lame) < 36 or not lame[:9].strip(b"\0 "):
            return cls(True, n_frames)
        packed = int.from_bytes(lame[21:24])
        checksum, own = int.from_bytes(lame[32:34]), int.from_bytes(lame[34:36])
        # An encoder without checksums leaves zeros. FFmpeg takes 190 bytes, as many as stand
        # before the checksum in MPEG 1 stereo alone, also where that is beyond the frame.
        known = own != 0 and (lame.startswith(b"LAME") or position + 34 == 190)
        agrees = not known or own == crc16(head[: position + 34])
        return cls(True, n_frames, packed >> 12, packed & 0xFFF, checksum or None, agrees)

    @property
    def gap(self) -> int:
        """Samples that the decoder leaves out at both ends."""
        return self.delay + max(self.padding, _DECODER_DELAY) if self.n_frames is not None else 0

    def contradicts(self, n_frames: int, audio: bytes, trailer: bytes) -> str | None:
        # some encoders count the frame that holds the number
        if self.n_frames is not None and self.n_frames - n_frames not in (0, 1):
            return f"its header says {self.n_frames:,} frames, {n_frames:,} are there"
        if not self.tag_agrees:
            return "damaged: the checksum of its Info header does not match"
        # MP3Gain changes the loudness of every frame and leaves the header as it was
        if self.checksum is not None and b"MP3GAIN" not in trailer.upper():
            if self.checksum != crc16(audio):
                return "damaged: its sound does not match the checksum in its Info header"
        return None


def _is_unnamed_tag(head: bytes, first: Frame) -> bool:
    """Whether a frame of silence holds an encoder's name where only an Info header has it."""
    at = 4 + first.side_length
    empty = first.layer == 3 and not any(head[4:at])
    return empty and head.startswith((b"LAME", b"Lavc", b"Lavf"), at + 120)


def _info_frame(content: bytes, start: int, n_frames: int, audio: bytes) -> bytes:
    """A frame of layer III that holds the number of frames, to stand before the others."""
    sync, kind, rates, mode = content[start : start + 4]
    # the lowest bit rate with enough room, without a checksum
    heads = (bytes((sync, kind | 1, rates & 0x0C | code << 4, mode)) for code in range(1, 15))
    head, frame = next(
        (head, frame)
        for head in heads
        if (frame := frame_header(head)) and frame.length >= 4 + frame.side_length + 16
    )
    tag = b"Info" + (3).to_bytes(4) + n_frames.to_bytes(4) + (len(audio) + frame.length).to_bytes(4)
    return (head + bytes(frame.side_length) + tag).ljust(frame.length, b"\0")
