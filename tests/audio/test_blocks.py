"""Files read in blocks give the samples, and the errors, of files read whole."""

import numpy as np
import pytest
import soundfile

from sklearn_speech import AudioSegment
from sklearn_speech.audio import _blocks
from sklearn_speech.audio._blocks import check_in_blocks, open_block_file, read_in_blocks
from sklearn_speech.audio._reading import read_clip

RATE = 8000
KINDS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "FLOAT"),
    ("WAV", "ULAW"),
    ("W64", "DOUBLE"),
    ("AIFF", "PCM_16"),
    ("CAF", "PCM_32"),
    ("FLAC", "PCM_S8"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(_blocks, "BLOCK", 1000)


def write(folder, kind=("WAV", "PCM_16"), n_channels=1, rate=RATE, n_samples=5321):
    rng = np.random.default_rng(0)
    path = folder / f"sound.{kind[0].lower()}"
    sound = 0.2 * rng.normal(size=(n_samples, n_channels))
    soundfile.write(path, sound.clip(-1, 1), rate, format=kind[0], subtype=kind[1])
    return path


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("rate", [RATE, 11025])
@pytest.mark.parametrize("channel", [None, 1])
def test_blocks_are_the_file(tmp_path, kind, rate, channel):
    path = write(tmp_path, kind, n_channels=2, rate=rate)
    for entry in (path, AudioSegment(path, 0.1, 0.4)):
        file = open_block_file(entry)
        check = check_in_blocks(file, channel)
        assert check.reason is None and len(check.invalid) == 0
        blocks = list(read_in_blocks(file, RATE, channel))
        whole = read_clip(entry, RATE, channel=channel)
        assert len(blocks) > 1 and file.duration == pytest.approx(whole.duration)
        np.testing.assert_array_equal(np.concatenate(blocks), whole.waveform)


def flip_digest(path):
    content = bytearray(path.read_bytes())
    content[30] ^= 1  # within the MD5 digest of STREAMINFO
    path.write_bytes(content)


def flip_frame(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-1500])


def cancel(path):
    left = soundfile.read(path)[0]
    soundfile.write(path, np.stack([left, -left], axis=1), RATE, subtype="PCM_16")


def shout(path):
    soundfile.write(path, np.full(4000, 100.0), RATE, subtype="FLOAT", format="WAV")


@pytest.mark.parametrize(
    ("damage", "kind"),
    [
        (flip_digest, "FLAC"),
        (flip_frame, "FLAC"),
        (cut, "FLAC"),
        (cut, "WAV"),
        (cancel, "WAV"),
        (shout, "WAV"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_is_wrong_with_a_file_is_what_reading_it_whole_says(tmp_path, damage, kind):
    path = write(tmp_path, (kind, "PCM_16"))
    damage(path)
    reason = read_clip(path).reason
    file = open_block_file(path)  # None: it is read whole
    assert reason and (file is None or check_in_blocks(file, None).reason == reason)


def test_invalid_samples_are_given_by_their_positions_and_read_as_0(tmp_path):
    path = tmp_path / "nan.wav"
    sound = np.full((3500, 2), 0.1, np.float32)
    sound[1500, 0], sound[2999, 1] = np.nan, np.inf
    soundfile.write(path, sound, RATE, subtype="FLOAT")
    file = open_block_file(path)
    assert check_in_blocks(file, None).invalid.tolist() == [1500, 2999]
    assert check_in_blocks(file, 1).invalid.tolist() == [2999]
    samples = np.concatenate(list(read_in_blocks(file, RATE, None)))
    np.testing.assert_array_equal(np.flatnonzero(samples != np.float32(0.1)), [1500, 2999])
    assert samples[1500] == samples[2999] == 0


def test_a_channel_that_is_not_there_is_named(tmp_path):
    path = write(tmp_path)
    assert check_in_blocks(open_block_file(path), 2).reason == read_clip(path, channel=2).reason


def test_a_file_that_is_cut_after_the_check_is_named(tmp_path):
    path = write(tmp_path)
    file = open_block_file(path)
    cut(path)
    with pytest.raises(ValueError, match=r"sound\.wav: .*cut off|sound\.wav: "):
        list(read_in_blocks(file, RATE, None))


@pytest.mark.parametrize("kind", [("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS")], ids="-".join)
def test_files_without_exact_positions_are_read_whole(tmp_path, kind):
    assert open_block_file(write(tmp_path, kind)) is None
    assert open_block_file(tmp_path / "missing.wav") is None
    assert open_block_file((np.zeros(100), RATE)) is None
