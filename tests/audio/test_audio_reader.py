"""AudioReader on signals with known output."""

import errno
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from sklearn_speech.audio import AudioReader, AudioSegment, PadOrTrim, _decoding


def tone(frequency, rate, seconds=1.0, amplitude=0.5):
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(int(seconds * rate)) / rate)


def peak_frequency(waveform, rate):
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return np.argmax(spectrum) * rate / len(waveform)


def rms(waveform):
    return np.sqrt(np.mean(waveform[len(waveform) // 4 : -len(waveform) // 4] ** 2))


@pytest.fixture
def write(tmp_path):
    def write(name, samples, rate=8000, **options):
        path = tmp_path / name
        soundfile.write(path, samples, rate, **options)
        return str(path)

    return write


@pytest.fixture
def bad_files(write, tmp_path):
    """Path and part of the reason, for each way in which a file can be bad."""
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "zero_bytes.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("not a sound\n" * 100)
    (tmp_path / "headerless.raw").write_bytes(bytes(100))
    good = write("truncated.flac", np.random.RandomState(0).uniform(-1, 1, 16000))
    content = Path(good).read_bytes()
    Path(good).write_bytes(content[: len(content) // 2])
    nan = np.zeros(10)
    nan[3] = np.nan
    return {
        str(tmp_path / "missing.wav"): "no such file",
        str(tmp_path / "folder.wav"): "is a directory",
        str(tmp_path / "zero_bytes.wav"): "empty file (0 bytes)",
        str(tmp_path / "text.wav"): "not a sound file that can be decoded",
        str(tmp_path / "headerless.raw"): "not a sound file that can be decoded",
        good: "its header says 16,000 samples, its last frame ends at 8,192",
        write("no_samples.wav", np.zeros(0)): "zero samples",
        write("nan.wav", nan, subtype="FLOAT"): "contains NaN samples",
        write("inf.wav", np.full(5, -np.inf), subtype="FLOAT"): "contains infinite samples",
        write("int_scale.wav", np.full(5, 2e4), subtype="FLOAT"): "has a peak of 20000",
    }


def test_sixteen_bit_samples_come_out_exactly_in_float32(write):
    samples = np.array([-32768, -1, 0, 1, 32767], dtype=np.int16)
    (waveform,) = AudioReader(8000).transform([write("a.wav", samples)])
    assert waveform.dtype == np.float32
    np.testing.assert_array_equal(waveform, samples / np.float32(32768))


@pytest.mark.parametrize(
    "name, options",
    [
        ("a.wav", {}),
        ("a.flac", {}),
        ("a.ogg", {}),
        ("a.mp3", {}),
        ("sphere.wav", {"format": "NIST"}),
        ("a.WAV", {"subtype": "DOUBLE"}),
    ],
)
def test_every_format_keeps_a_tone_and_its_loudness(write, name, options):
    path = write(name, tone(440, 16000), 16000, **options)
    (waveform,) = AudioReader(16000).transform([path])
    assert peak_frequency(waveform, 16000) == pytest.approx(440, abs=2)
    assert rms(waveform) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_three_channels_are_averaged(write):
    path = write("a.wav", np.tile([0.75, 0.0, -0.25], (100, 1)))
    (waveform,) = AudioReader(8000).transform([path])
    assert waveform.shape == (100,)
    np.testing.assert_allclose(waveform, 0.5 / 3, atol=1e-4)


@pytest.mark.parametrize("rate", [44100, 48000, 22050, 11025, 16000, 6000])
def test_resampling_keeps_frequency_loudness_and_duration(write, rate):
    (waveform,) = AudioReader(8000).transform([write("a.wav", tone(1000, rate), rate)])
    assert len(waveform) == pytest.approx(8000, abs=1)
    assert peak_frequency(waveform, 8000) == pytest.approx(1000, abs=1)
    assert rms(waveform) == pytest.approx(0.5 / np.sqrt(2), rel=1e-3)


def test_resampling_removes_frequencies_that_would_alias(write):
    (waveform,) = AudioReader(8000).transform([write("a.wav", tone(5000, 44100), 44100)])
    assert rms(waveform) < 0.5e-4  # 80 dB below the tone


def test_resampling_overshoot_is_clipped_to_full_scale(write):
    square = np.sign(np.sin(2 * np.pi * 700 * np.arange(44100) / 44100 + 0.1))
    (waveform,) = AudioReader(8000).transform([write("a.wav", square, 44100, subtype="FLOAT")])
    assert np.abs(waveform).max() == 1.0


def test_a_single_sample_survives_resampling(write):
    (waveform,) = AudioReader(8000).transform([write("a.wav", np.array([0.5]), 44100)])
    assert len(waveform) >= 1


def test_result_is_ragged_even_with_equal_lengths(write):
    paths = [write("a.wav", np.zeros(10)), write("b.wav", np.zeros(10))]
    waveforms = AudioReader(8000).fit_transform(paths)
    assert waveforms.shape == (2,) and waveforms.dtype == object


def test_every_container_of_paths_reads_the_same(write):
    paths = [write(f"{i}.wav", tone(100 * i + 100, 8000)[: 50 + i]) for i in range(3)]
    expected = AudioReader(8000).transform(paths)
    for X in [
        tuple(paths),
        [Path(path) for path in paths],
        np.array(paths),
        np.array(paths, dtype=object),
        np.array(paths)[:, np.newaxis],
        [[path] for path in paths],
        pd.Series(paths, index=[7, 8, 9]),
        pd.Series(paths, dtype="string"),
        pd.DataFrame({"path": paths}),
        [AudioSegment(path) for path in paths],
    ]:
        for one, other in zip(AudioReader(8000).fit_transform(X), expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_one_error_lists_every_bad_file_with_its_reason(write, bad_files):
    paths = [write("good.wav", np.zeros(10)), *bad_files]
    with pytest.raises(ValueError, match=f"{len(bad_files)} of {len(paths)} files") as info:
        AudioReader(8000).transform(paths)
    lines = str(info.value).splitlines()[1:]
    assert len(lines) == len(bad_files)
    for line, (path, reason) in zip(lines, bad_files.items(), strict=True):
        assert line.strip().startswith(f"{path}: {reason}")


def test_bad_files_give_silence_or_their_readable_part_and_one_warning(write, bad_files):
    good = write("good.wav", np.full(10, 0.5))
    with pytest.warns(UserWarning, match="one second of silence") as record:
        waveforms = AudioReader(8000, on_error="warn").transform([*bad_files, good])
    assert len(record) == 1
    assert all(path in str(record[0].message) for path in bad_files)
    for path, waveform in zip(bad_files, waveforms, strict=False):
        if path.endswith(".flac"):
            assert 3000 <= len(waveform) <= 4096  # only the first of four frames is complete
            expected = np.random.RandomState(0).uniform(-1, 1, 16000)[: len(waveform)]
            np.testing.assert_allclose(waveform, expected, atol=1e-4)
        else:
            np.testing.assert_array_equal(waveform, np.zeros(8000, np.float32))
    np.testing.assert_array_equal(waveforms[-1], np.full(10, 0.5, np.float32))


def test_the_error_names_a_file_without_read_permission(write, monkeypatch):
    path = write("a.wav", np.zeros(10))

    def refuse(*args):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    # root may read everything, so the mode of the file would not do
    monkeypatch.setattr(_decoding, "open", refuse, raising=False)
    with pytest.raises(ValueError, match="no permission"):
        AudioReader(8000).transform([path])


def test_a_segment_is_a_slice_of_the_file(write):
    samples = np.arange(8000) / 8000
    path = write("a.wav", samples, subtype="FLOAT")
    segments = [AudioSegment(path, 0.25, 0.5), AudioSegment(Path(path), 0.75)]
    first, second = AudioReader(8000).transform(segments)
    np.testing.assert_allclose(first, samples[2000:4000], atol=1e-7)
    np.testing.assert_allclose(second, samples[6000:], atol=1e-7)


@pytest.mark.parametrize(
    "name, subtype",
    [("a.wav", "PCM_16"), ("a.wav", "GSM610"), ("a.flac", None), ("a.ogg", None), ("a.mp3", None)],
)
def test_a_segment_equals_a_slice_of_the_whole_file_in_every_format(write, name, subtype):
    sweep = 0.5 * np.sin(2 * np.pi * np.cumsum(np.linspace(200, 3000, 48000)) / 16000)
    path = write(name, sweep, 16000, subtype=subtype)
    whole, part = AudioReader(16000).transform([path, AudioSegment(path, 1.5, 2.5)])
    np.testing.assert_allclose(part, whole[24000:40000], atol=1e-6)


def test_a_segment_may_end_after_its_file_only_by_rounding(write):
    path = write("a.wav", np.zeros(8000))
    (waveform,) = AudioReader(8000).transform([AudioSegment(path, 0.5, 1.04)])
    assert len(waveform) == 4000
    for segment in [AudioSegment(path, 0.5, 1.2), AudioSegment(path, 1.0)]:
        with pytest.raises(ValueError, match=r"it lasts 1\.000 s"):
            AudioReader(8000).transform([segment])
    with pytest.raises(ValueError, match=r"zero samples from 0\.5 s"):
        AudioReader(8000).transform([AudioSegment(path, 0.5, 0.500001)])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("a.wav", -1), "start=-1"),
        (("a.wav", float("nan")), "start=nan"),
        (("a.wav", 2, 2), "end=2"),
        (("a.wav", 0, "1"), "end='1'"),
    ],
)
def test_impossible_segments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        AudioSegment(*arguments)
    with pytest.raises(TypeError, match="path=3"):
        AudioSegment(3)


@pytest.mark.parametrize(
    "X, error, message",
    [
        ("a.wav", TypeError, "is one path"),
        ([], ValueError, "0 paths"),
        ([1.0, 2.0], TypeError, r"X\[0\] is 1\.0 of type float"),
        (np.zeros((3, 2)), ValueError, r"shape \(3, 2\)"),
        (["a.wav", None], TypeError, r"X\[1\] is None"),
        (pd.Series(["a.wav", np.nan]), TypeError, r"X\[1\] is nan"),
        (7, TypeError, "X is a int"),
    ],
)
def test_other_types_than_collections_of_paths_are_refused(X, error, message):
    for method in (AudioReader(8000).fit, AudioReader(8000).transform):
        with pytest.raises(error, match=message):
            method(X)


@pytest.mark.parametrize("parameters", [{"sample_rate": 0}, {"on_error": "skip"}])
def test_fit_and_transform_name_wrong_parameters(parameters):
    reader = AudioReader(8000).set_params(**parameters)
    for method in (reader.fit, reader.transform):
        with pytest.raises(ValueError, match=f"'{next(iter(parameters))}' parameter"):
            method(["a.wav"])


def test_reader_is_a_well_behaved_stateless_estimator(write):
    reader = AudioReader(8000, on_error="warn")
    paths = np.array([write("a.wav", np.full(10, 0.5))])
    assert clone(reader).get_params() == reader.get_params()
    before = dict(vars(reader))
    kept = paths.copy()
    expected = reader.transform(paths)[0]  # without fit
    assert reader.fit(paths) is reader
    assert vars(reader) == before
    np.testing.assert_array_equal(paths, kept)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reader)).transform(paths)[0], expected)
    tags = get_tags(reader)
    assert not tags.requires_fit
    assert tags.input_tags.string and tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array


@pytest.mark.filterwarnings("ignore:n_times=6 cuts:UserWarning")
def test_reader_works_in_a_pipeline_with_pad_or_trim(write):
    paths = [write("a.wav", np.full(10, 0.5)), write("b.wav", np.full(4, 0.5))]
    X = make_pipeline(AudioReader(8000), PadOrTrim(n_times=6)).fit_transform(paths)
    np.testing.assert_array_equal(X, [[0.5] * 6, [0.5] * 4 + [0] * 2])


def test_progress_bar_is_shown_only_when_verbose(write, capsys):
    path = write("a.wav", np.zeros(10))
    AudioReader(8000).transform([path])
    assert capsys.readouterr().err == ""
    AudioReader(8000, verbose=True).transform([path])
    assert "reading sound files" in capsys.readouterr().err


def test_real_recordings_read_without_a_warning(timit_folder, fsdd_folder):
    paths = [timit_folder / "dr1-fvmh0" / "sa1.wav", fsdd_folder / "recordings" / "0_theo_0.wav"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        waveforms = AudioReader(16000).transform(paths)
    for path, waveform in zip(paths, waveforms, strict=True):
        info = soundfile.info(path)
        assert len(waveform) == pytest.approx(info.duration * 16000, abs=1)
        assert 0.01 < np.abs(waveform).max() <= 1
