"""What a sound file says about itself, checked without decoding it."""

from dataclasses import dataclass

#: Sizes that a writer states before it knows the length, as when it writes to a pipe: 0, all bits
#: set, and what is left of 2 GiB after the headers (SoX, eSpeak NG, which count down from there).
STREAMED_SIZES = range(0x7FFF0000, 0x80000000)


@dataclass(frozen=True)
class PlainSamples:
    """Where samples stand that need no decoder, least significant byte first."""

    start: int  # in bytes
    is_float: bool  # of 32 bits; otherwise integers of 16 bits
    n_channels: int
    rate: int  # in Hz


@dataclass(frozen=True)
class Inspection:
    """What the headers, sizes and checksums of one file tell.

    Parameters
    ----------
    problem : str or None, default=None
        What in the file contradicts itself; None where all agrees.
    source : bytes or None, default=None
        What to decode in place of the file, where the decoder would not read all of it.
    n_frames : int or None, default=None
        Samples per channel that decoding must give; None leaves it to the decoder's header.
    max_frames : int or None, default=None
        No more samples per channel than this can be in the file.
    md5 : bytes or None, default=None
        MD5 digest of the samples as integers (FLAC).
    whole : bool, default=True
        False where there is nothing to decode.
    plain : PlainSamples or None, default=None
        Where the samples are, if they need no decoder.
    """

    problem: str | None = None
    source: bytes | None = None
    n_frames: int | None = None
    max_frames: int | None = None
    md5: bytes | None = None
    whole: bool = True
    plain: PlainSamples | None = None


def is_streamed(size: int) -> bool:
    """Whether a 32-bit size was written before the length was known."""
    return size in (0, 0xFFFFFFFF) or size in STREAMED_SIZES


def cut_off(lacking: int, what: str = "sound") -> str:
    """The reason for a file that ends too early."""
    return f"cut off: {lacking:,} bytes of {what} are missing at its end"


def trailer_length(tail: bytes, padding: bool = False) -> int:
    """Bytes at the beginning of `tail` that are tags or padding rather than sound.

    Parameters
    ----------
    tail : bytes
        What follows the sound of a file.
    padding : bool, default=False
        Whether zeros may follow: after frames and pages they are never sound, after bare
        samples they may be.

    Returns
    -------
    length : int
    """
    position = 0
    while position < len(tail):
        rest = tail[position:]
        if rest.startswith(b"TAG") and len(rest) >= 128:  # ID3v1, its extension "TAG+" before it
            position += 227 if rest.startswith(b"TAG+") and len(rest) >= 227 else 128
        elif rest.startswith((b"ID3", b"3DI")) and len(rest) >= 10:
            position += 10 + id3_size(rest)
        elif rest.startswith(b"APETAGEX") and len(rest) >= 32:
            # the size counts the footer but not the header, which flag 29 announces
            is_header = int.from_bytes(rest[20:24], "little") >> 29 & 1
            position += int.from_bytes(rest[12:16], "little") + 32 * is_header
            if not is_header:
                position = max(position, len(tail) - len(rest) + 32)
        elif rest.startswith(b"LYRICSBEGIN"):
            ends = [rest.find(mark) for mark in (b"LYRICS200", b"LYRICSEND")]
            ends = [end for end in ends if end > 0]
            if not ends:
                break
            position += min(ends) + 9
        elif padding and not any(rest):
            position = len(tail)
        elif padding and rest[0] == 0:
            zeros = len(rest) - len(rest.lstrip(b"\0"))
            if not rest[zeros:].startswith((b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN")):
                break
            position += zeros
        else:
            break
    return min(position, len(tail))


def id3_size(head: bytes) -> int:
    """Bytes of an ID3v2 tag after its header of ten."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size + (10 if head[5] & 0x10 else 0)  # a footer repeats the header
