"""All containers and encodings that libsndfile writes: whole, segments, streamed and misnamed."""

import io
import warnings

import numpy as np
import pytest
import soundfile

from sklearn_speech.audio import AudioReader, AudioSegment, check_audio_files
from sklearn_speech.audio._crc16 import crc16
from sklearn_speech.audio._decoding import decode

RATE = 16000


def sound(seconds=1.0, rate=RATE, n_channels=1):
    times = np.arange(int(seconds * rate)) / rate
    noise = np.random.RandomState(0).standard_normal((len(times), n_channels))
    return 0.4 * np.sin(2 * np.pi * (200 * times + 300 * times**2))[:, np.newaxis] + 0.05 * noise


def written(container, encoding, seconds=1.0, n_channels=1):
    """A file's bytes and rate, None where libsndfile does not write, or read, this pair."""
    rate = {"WVE": 8000, "XI": 44100}.get(container, RATE)
    stream = io.BytesIO()
    stream.name = "sound"
    try:
        soundfile.write(
            stream, sound(seconds, rate, n_channels), rate, format=container, subtype=encoding
        )
        soundfile.read(io.BytesIO(stream.getvalue()))
    except soundfile.SoundFileError:
        return None
    return stream.getvalue()


#: RAW has no header; SD2 keeps it in a second file.
PAIRS = [
    (container, encoding)
    for container in soundfile.available_formats()
    if container not in ("RAW", "SD2")
    for encoding in soundfile.available_subtypes(container)
    if written(container, encoding, 0.1) is not None
]


@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("container, encoding", PAIRS)
def test_whole_files_are_good_and_segments_are_slices_of_them(
    tmp_path, container, encoding, n_channels
):
    content = written(container, encoding, n_channels=n_channels)
    if content is None:
        assert n_channels == 2, "of one channel it was written above"
        return
    path = tmp_path / "sound"
    path.write_bytes(content)
    whole = decode(AudioSegment(path))
    assert whole.problem is None
    expected = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)[0]
    # mpg123 rounds the last of 24 bits depending on the alignment of its output buffer
    rounding = 2.0**-23 if container == "MP3" else 0
    np.testing.assert_allclose(whole.samples, expected, rtol=0, atol=rounding)
    rng = np.random.RandomState(0)
    n_times = len(whole.samples)
    for start in [1, n_times - 5, *rng.randint(1, n_times - 1, 8)]:
        end = min(n_times, start + rng.randint(1, 4000))
        part = decode(AudioSegment(path, start / whole.rate, end / whole.rate))
        np.testing.assert_allclose(part.samples, whole.samples[start:end], rtol=0, atol=rounding)


@pytest.mark.parametrize(
    "content, name",
    [
        (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9) + b"\xff\xf1\x50\x80\x02\x1f\xfc", "ADTS"),
        ((b"G" + bytes(187)) * 4, "MPEG transport stream"),
        (b"FLV\x01\x05" + bytes(20), "FLV"),
        (b"\x56\xe0\x10" + b"\1" * 16 + b"\x56\xe0\x10", "LATM"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska", "Matroska"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "WebM"),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "M4A"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b'{"error": "not found"}', "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"PK\x03\x04", "zip"),
        (bytes(5000), "zeros"),
        ("Das ist kein Geräusch.\n".encode() * 9, "text"),
    ],
)
@pytest.mark.parametrize("ending", ["mp3", "wav", "ogg"])
def test_the_error_names_the_real_format_of_a_file(tmp_path, content, name, ending):
    path = tmp_path / f"sound.{ending}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"is .*{name}"):
        AudioReader(RATE).transform([path])


@pytest.mark.parametrize("rate", [1, 999, 768_001, 2**31 - 1])
def test_impossible_sampling_rates_are_refused_before_resampling(tmp_path, rate):
    path = tmp_path / "sound.wav"
    content = bytearray(written("WAV", "PCM_16"))
    content[24:28] = rate.to_bytes(4, "little")
    content[28:32] = (2 * rate % 2**32).to_bytes(4, "little")
    path.write_bytes(content)
    for on_error in ("raise", "warn"):
        with (
            warnings.catch_warnings(),
            pytest.raises((ValueError, UserWarning), match=r"sampling rate of"),
        ):
            warnings.simplefilter("error")
            AudioReader(RATE, on_error=on_error).transform([path])


@pytest.mark.parametrize("total", [2**36 - 1, 2**33, RATE + 1, RATE - 1])
def test_a_flac_header_with_a_wrong_length_is_an_error(tmp_path, total):
    path = tmp_path / "sound.flac"
    content = bytearray(written("FLAC", "PCM_16"))
    packed = int.from_bytes(content[18:26]) & ~(2**36 - 1) | total
    content[18:26] = packed.to_bytes(8)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"its header says {total:,} samples"):
        AudioReader(RATE).transform([path])


def test_a_damaged_file_is_refused_reported_or_partly_read(tmp_path):
    path = tmp_path / "sound.wav"
    path.write_bytes(written("WAV", "PCM_16")[: 44 + RATE])
    reason = "cut off: its header says 1.000 s, 0.500 s are there"
    with pytest.raises(ValueError, match=reason):
        AudioReader(RATE).transform([path])
    assert check_audio_files([path]).bad == {str(path): reason}
    with pytest.warns(UserWarning, match=r"cut off.*\(the 0\.500 s that can be decoded\)"):
        (waveform,) = AudioReader(RATE, on_error="warn").transform([path])
    assert len(waveform) == RATE // 2


def test_channels_that_cancel_each_other_are_an_error_unless_one_is_chosen(tmp_path):
    path = tmp_path / "sound.wav"
    one = sound()[:, 0]
    soundfile.write(path, np.stack([one, -one], axis=1), RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"2 channels cancel each other.*channel="):
        AudioReader(RATE).transform([path])
    assert not check_audio_files([path]).good[0]
    for channel, sign in ((0, 1), (1, -1)):
        (waveform,) = AudioReader(RATE, channel=channel).transform([path])
        np.testing.assert_allclose(waveform, sign * one, atol=1e-6)
    with pytest.raises(ValueError, match=r"channel=2 is not among them"):
        AudioReader(RATE, channel=2).transform([path])


def test_independent_channels_are_averaged(tmp_path):
    path = tmp_path / "sound.wav"
    soundfile.write(path, np.random.RandomState(0).uniform(-0.5, 0.5, (RATE, 8)), RATE)
    assert check_audio_files([path]).good[0]


@pytest.mark.parametrize("n_bytes", [0, 1, 15, 16, 17, 1000, 4096])
def test_the_fast_checksum_equals_bit_by_bit_division(n_bytes):
    data = np.random.RandomState(n_bytes).bytes(n_bytes)
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    assert crc16(data) == crc


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "VOC"])
def test_errors_about_zeroed_header_fields_name_the_recording(container):
    content = written(container, "PCM_16" if container != "VOC" else "PCM_U8", seconds=0.02)
    reader = AudioReader(RATE)
    for start in range(4, 120, 2):
        for stop in range(start + 2, min(start + 18, 120), 2):
            zeroed = content[:start] + bytes(stop - start) + content[stop:]
            try:
                reader.transform([zeroed])
            except ValueError as error:
                assert "X[0]" in str(error)


def test_a_wav_without_channels_is_refused():
    content = bytearray(written("WAV", "PCM_16", seconds=0.02))
    content[22:24] = content[32:34] = bytes(2)
    with pytest.raises(ValueError, match=r"0 channels|Channel count is zero"):
        AudioReader(RATE).transform([bytes(content)])
