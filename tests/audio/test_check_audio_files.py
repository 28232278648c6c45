"""The report on sound files before they are read."""

import numpy as np
import pytest
import soundfile

from sklearn_speech.audio import AudioReader, AudioSegment, check_audio_files


@pytest.fixture
def paths(tmp_path):
    soundfile.write(tmp_path / "half.wav", np.full(4000, 0.1), 8000)
    soundfile.write(tmp_path / "one.flac", np.full(16000, 0.1), 16000)
    soundfile.write(tmp_path / "nan.wav", np.array([0.1, np.nan]), 8000, subtype="FLOAT")
    (tmp_path / "text.wav").write_text("no sound")
    names = ["half.wav", "text.wav", "one.flac", "lost.wav", "nan.wav"]
    return np.array([str(tmp_path / name) for name in names])


def test_the_mask_keeps_exactly_the_files_that_the_reader_reads(paths):
    report = check_audio_files(paths)
    np.testing.assert_array_equal(report.good, [True, False, True, False, False])
    assert len(AudioReader(8000).fit_transform(paths[report.good])) == 2
    for path in paths[~report.good]:
        with pytest.raises(ValueError, match="1 of 1 files") as info:
            AudioReader(8000).transform([path])
        assert report.bad[path] in str(info.value)


def test_rates_and_durations_are_those_of_the_files(paths):
    report = check_audio_files(paths, n_jobs=2)  # in other processes
    assert report.bad == check_audio_files(paths).bad
    np.testing.assert_array_equal(report.sample_rate, [8000, 0, 16000, 0, 8000])
    np.testing.assert_allclose(report.duration, [0.5, np.nan, 1.0, np.nan, 2 / 8000])


def test_clips_outside_of_the_allowed_durations_are_bad(paths):
    report = check_audio_files(paths[[0, 2]], min_duration=0.75)
    assert list(report.bad.values()) == ["lasts 0.500 s, less than min_duration=0.75 s"]
    report = check_audio_files(paths[[0, 2]], max_duration=0.75)
    assert list(report.bad.values()) == ["lasts 1.000 s, more than max_duration=0.75 s"]


def test_segments_are_checked_and_named_with_their_times(paths):
    good, bad = AudioSegment(paths[0], 0.1, 0.3), AudioSegment(paths[0], 0.4, 3)
    report = check_audio_files([good, bad])
    assert report.duration[0] == pytest.approx(0.2)
    assert list(report.bad) == [f"{paths[0]} (0.4 s to 3 s)"]


def test_the_summary_lists_rates_durations_and_bad_files(paths):
    summary = str(check_audio_files(paths))
    assert "2 of 5 files can be used: 1 at 8000 Hz, 1 at 16000 Hz; 0.50 s to 1.00 s" in summary
    assert f"{paths[3]}: no such file" in summary
    assert str(check_audio_files(paths[[3]])).startswith("0 of 1 files can be used\n")


def test_errors_name_wrong_arguments(paths):
    with pytest.raises(ValueError, match="'min_duration' parameter"):
        check_audio_files(paths, min_duration=-1)
    with pytest.raises(TypeError, match="is one path"):
        check_audio_files("a.wav")


def test_all_real_recordings_are_good(fsdd_folder):
    report = check_audio_files(sorted((fsdd_folder / "recordings").glob("*.wav"))[::10])
    assert report.good.all() and set(report.sample_rate) == {8000}
