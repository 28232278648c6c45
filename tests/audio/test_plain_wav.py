"""WAV files that are read without a decoder: the samples are those of libsndfile, bit by bit."""

import io
import struct

import numpy as np
import pytest
import soundfile

from sklearn_speech.audio import AudioSegment, _decoding
from sklearn_speech.audio._decoding import decode

RATE = 8000
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
#: Rest of the GUIDs of WAVE_FORMAT_EXTENSIBLE after the format's number.
GUID = bytes.fromhex("000000001000800000aa00389b71")


def samples(n_channels, is_float, n_times=37):
    rng = np.random.default_rng(n_channels)
    if is_float:
        return rng.uniform(-1, 1, (n_times, n_channels)).astype("<f4")
    whole = rng.integers(-(2**15), 2**15, (n_times, n_channels)).astype("<i2")
    whole[:2] = [[-(2**15)], [2**15 - 1]]
    return whole


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def wav(x, *, extensible=False, extra=b"", before=b"", after=b""):
    """Content of a WAV file of samples of shape (n_times, n_channels)."""
    width, n_channels = x.dtype.itemsize, x.shape[1]
    tag = FLOAT if x.dtype.kind == "f" else PCM
    form = struct.pack(
        "<HHIIHH",
        EXTENSIBLE if extensible else tag,
        n_channels,
        RATE,
        RATE * width * n_channels,
        width * n_channels,
        8 * width,
    )
    if extensible:
        form += struct.pack("<HHIH", 22, 8 * width, 0, tag) + GUID
    body = b"WAVE" + chunk(b"fmt ", form + extra) + before + chunk(b"data", x.tobytes()) + after
    return b"RIFF" + struct.pack("<I", len(body)) + body


VARIANTS = {
    "plain": {},
    "format of 18 bytes": {"extra": b"\0\0"},
    "a part of odd length before the samples": {"before": chunk(b"LIST", b"INFOxyz")},
    "parts after the samples": {"after": chunk(b"LIST", b"INFO") + chunk(b"id3 ", b"abc")},
    "extensible": {"extensible": True},
}


@pytest.mark.parametrize("is_float", [False, True])
@pytest.mark.parametrize("n_channels", [1, 2, 3])
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_has_the_samples_of_libsndfile(variant, n_channels, is_float, monkeypatch):
    content = wav(samples(n_channels, is_float), **VARIANTS[variant])
    expected, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    if variant != "extensible":  # which is left to the decoder
        monkeypatch.delattr(_decoding, "open_sound")
    for start, end in ((0, None), (0, 20), (5, 20), (36, None)):
        segment = AudioSegment("x.wav", start / RATE, None if end is None else end / RATE)
        found = decode(segment, content=content)
        assert found.problem is None
        assert (found.rate, found.samples.dtype) == (rate, np.float32)
        np.testing.assert_array_equal(found.samples, expected[start:end])


@pytest.mark.parametrize("is_float", [False, True])
def test_samples_that_were_read_can_be_changed(is_float):
    content = wav(samples(1, is_float))
    found = decode(AudioSegment("x.wav"), content=content).samples
    found[:] = 0
    assert not found.any()
    assert decode(AudioSegment("x.wav"), content=content).samples.any()


@pytest.mark.parametrize("is_float", [False, True])
def test_a_file_that_is_cut_off_anywhere_is_refused(is_float):
    content = wav(samples(2, is_float))
    for n_bytes in range(1, len(content)):
        found = decode(AudioSegment("x.wav"), content=content[:n_bytes])
        assert found.problem, n_bytes
        assert found.samples is None, n_bytes


@pytest.mark.parametrize("is_float", [False, True])
@pytest.mark.parametrize("position", [22, 28, 32, 34])
def test_a_format_that_contradicts_itself_is_refused(position, is_float):
    content = bytearray(wav(samples(2, is_float)))
    content[position] ^= 1
    assert decode(AudioSegment("x.wav"), content=bytes(content)).problem
