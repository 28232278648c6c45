"""fetch_fsdd on the real recordings, and on incomplete and wrong copies."""

import csv
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sklearn_speech.audio import AudioReader
from sklearn_speech.datasets import _fsdd, fetch_fsdd
from sklearn_speech.datasets._download import folder_digest


@pytest.fixture
def speech(fsdd_folder):
    return fetch_fsdd(fsdd_folder.parent, download_if_missing=False)


@pytest.fixture
def empty_copy(tmp_path):
    """A copy with all file names of the data set, and empty files."""
    folder = tmp_path / "fsdd" / "recordings"
    folder.mkdir(parents=True)
    for name in _fsdd.FILE_NAMES:
        (folder / name).touch()
    return tmp_path


def test_every_speaker_says_every_digit_fifty_times(speech):
    assert len(speech.data) == 3000
    counts = Counter(zip(speech.speaker, speech.target, strict=True))
    assert len(counts) == 60 and set(counts.values()) == {50}
    assert speech.take.min() == 0 and speech.take.max() == 49


def test_target_speaker_and_take_are_those_of_the_file_name(speech):
    for i in range(0, 3000, 7):
        name = f"{speech.target[i]}_{speech.speaker[i]}_{speech.take[i]}.wav"
        assert Path(speech.data[i]).name == name


def test_sample_rate_is_that_of_the_files(speech):
    assert {soundfile.info(path).samplerate for path in speech.data[::50]} == {speech.sample_rate}


def test_recordings_are_readable(speech):
    waveforms = AudioReader(speech.sample_rate).transform(speech.data[::100])
    assert all(0.1 < len(waveform) / 8000 < 2.5 for waveform in waveforms)


def test_speaker_table_is_the_published_one(speech, fsdd_folder):
    with open(fsdd_folder / "speakers.csv", newline="") as file:
        published = {
            row["speaker"]: {"gender": row["gender"], "accent": row["accent"]}
            for row in csv.DictReader(file)
        }
    assert speech.speaker_info == published
    assert "CC BY-SA 4.0" in speech.DESCR and speech.license == "CC BY-SA 4.0"


def test_pinned_digest_is_that_of_the_recordings(fsdd_folder):
    assert folder_digest(fsdd_folder / "recordings", _fsdd.FILE_NAMES) == _fsdd.DIGEST


def test_official_subsets_divide_the_takes(empty_copy):
    test, train = (fetch_fsdd(empty_copy, subset=subset) for subset in ("test", "train"))
    assert set(test.take) == set(range(5)) and len(test.data) == 300
    assert set(train.take) == set(range(5, 50)) and len(train.data) == 2700


def test_only_chosen_speakers_are_loaded_in_a_fixed_order(empty_copy):
    speech = fetch_fsdd(empty_copy, speakers=["theo", "jackson"])
    assert set(speech.speaker) == set(speech.speaker_info) == {"jackson", "theo"}
    again = fetch_fsdd(empty_copy, speakers=("jackson", "theo", "theo"))
    np.testing.assert_array_equal(speech.data, again.data)


def test_environment_variable_names_the_data_home(empty_copy, monkeypatch):
    monkeypatch.setenv("SKLEARN_SPEECH_DATA", str(empty_copy))
    assert fetch_fsdd(download_if_missing=False).data[0].startswith(str(empty_copy))


def test_the_error_names_the_folder_without_recordings(tmp_path):
    (tmp_path / "fsdd" / "recordings").mkdir(parents=True)
    with pytest.raises(OSError, match="no recordings") as info:
        fetch_fsdd(tmp_path, download_if_missing=False)
    assert str(tmp_path / "fsdd" / "recordings") in str(info.value)


def test_a_copy_that_lacks_files_is_refused_except_for_its_complete_speakers(empty_copy):
    for name in ("3_theo_4.wav", "3_theo_40.wav"):
        (empty_copy / "fsdd" / "recordings" / name).unlink()
    with pytest.raises(OSError, match=r"lacks 2 of 3000 recordings \(3_theo_4.wav, 3_theo_40.wav"):
        fetch_fsdd(empty_copy)
    assert len(fetch_fsdd(empty_copy, speakers=["jackson"]).data) == 500


def test_files_not_in_the_pinned_version_are_left_out_and_counted(empty_copy):
    (empty_copy / "fsdd" / "recordings" / "3_newcomer_4.wav").touch()
    with pytest.warns(UserWarning, match=r"1 recordings .* \(3_newcomer_4.wav\)"):
        assert len(fetch_fsdd(empty_copy).data) == 3000


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"speakers": "theo"}, r"speakers='theo': expected a list"),
        ({"speakers": ["thea"]}, r"speakers=\['thea'\]: expected names from \['george'"),
        ({"speakers": []}, r"speakers=\[\]"),
        ({"subset": "dev"}, "'subset' parameter"),
        ({"n_retries": -1}, "'n_retries' parameter"),
    ],
)
def test_errors_name_wrong_arguments(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        fetch_fsdd(tmp_path, download_if_missing=False, **arguments)


def test_download_equals_the_local_copy(speech, fsdd_folder, tmp_path, monkeypatch):
    archive = tmp_path / "archive.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        tar.add(fsdd_folder, arcname=f"free-spoken-digit-dataset-{_fsdd.COMMIT}")
    monkeypatch.setattr(_fsdd, "ARCHIVE_URL", archive.as_uri())
    fetched = fetch_fsdd(tmp_path / "home", verbose=False)
    np.testing.assert_array_equal(fetched.target, speech.target)
    assert Path(fetched.data[5]).read_bytes() == Path(speech.data[5]).read_bytes()
    archive.unlink()
    again = fetch_fsdd(tmp_path / "home")  # from the disk
    np.testing.assert_array_equal(again.data, fetched.data)


def test_a_download_of_another_version_is_refused(empty_copy, tmp_path, monkeypatch):
    archive = tmp_path / "archive.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(empty_copy / "fsdd", arcname="free-spoken-digit-dataset")
    monkeypatch.setattr(_fsdd, "ARCHIVE_URL", archive.as_uri())
    for _ in range(2):
        with pytest.raises(OSError, match="not the pinned version"):
            fetch_fsdd(tmp_path / "home", verbose=False)
    with pytest.raises(OSError, match="no recordings"):
        fetch_fsdd(tmp_path / "home", download_if_missing=False)
