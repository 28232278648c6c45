"""The folder in which recordings are searched for."""

from pathlib import Path

from sklearn_speech.datasets import fetch_fsdd, get_data_home


def test_the_argument_overrides_the_variable_and_the_variable_the_default(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("SKLEARN_SPEECH_DATA", "~/from_variable")
    assert get_data_home("~/given") == tmp_path / "given"
    assert get_data_home() == tmp_path / "from_variable"
    monkeypatch.setenv("SKLEARN_SPEECH_DATA", "")
    assert get_data_home() == tmp_path / "sklearn_speech_data"
    monkeypatch.delenv("SKLEARN_SPEECH_DATA")
    assert get_data_home() == tmp_path / "sklearn_speech_data"
    assert not get_data_home().exists()


def test_paths_stay_valid_when_the_working_directory_changes(fsdd_folder, monkeypatch, tmp_path):
    monkeypatch.chdir(fsdd_folder)
    speech = fetch_fsdd("..", speakers=["theo"])
    monkeypatch.chdir(tmp_path)
    assert Path(speech.data[0]).is_file()
