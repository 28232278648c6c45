"""Manifests: what they give, and how their mistakes are named."""

import unicodedata

import numpy as np
import pytest
import soundfile

from sklearn_speech.audio import AudioReader, AudioSegment
from sklearn_speech.datasets import load_speech_manifest


@pytest.fixture
def manifest(tmp_path):
    """Writes a manifest beside two recordings of one second."""
    (tmp_path / "sub").mkdir()
    ramp = np.arange(8000) / 8000
    soundfile.write(tmp_path / "a.wav", ramp, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "sub" / "b.wav", ramp, 8000, subtype="FLOAT")

    def write(text, encoding="utf-8"):
        path = tmp_path / "clips.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_columns_become_paths_labels_speakers_and_others(manifest, tmp_path):
    speech = load_speech_manifest(
        manifest("path,label,speaker,room\na.wav,yes,ann,1\nsub/b.wav,no,bob,2\n")
    )
    assert list(speech.data) == [str(tmp_path / "a.wav"), str(tmp_path / "sub" / "b.wav")]
    assert list(speech.target) == ["yes", "no"] and list(speech.speaker) == ["ann", "bob"]
    assert list(speech.room) == ["1", "2"] and speech.sample_rate == 8000
    assert len(AudioReader(8000).transform(speech.data)) == 2


def test_times_become_segments_that_are_read(manifest, tmp_path):
    speech = load_speech_manifest(
        manifest("path,label,start,end\na.wav,yes,0.25,0.5\na.wav,no,0.75,\nsub/b.wav,no,,0.5\n")
    )
    assert speech.data[0] == AudioSegment(str(tmp_path / "a.wav"), 0.25, 0.5)
    waveforms = AudioReader(8000).transform(speech.data)
    assert [len(waveform) for waveform in waveforms] == [2000, 2000, 4000]
    assert [waveform[0] for waveform in waveforms] == [0.25, 0.75, 0.0]
    assert speech.speaker is None
    AudioReader(8000).transform(speech.data[speech.target == "no"])  # indexable like any X


def test_absolute_paths_stay(manifest, tmp_path):
    speech = load_speech_manifest(manifest(f"path,label\n{tmp_path / 'a.wav'},yes\n"))
    assert speech.data[0] == str(tmp_path / "a.wav")


def test_what_spreadsheets_write_is_read(manifest):
    text = 'path;label;speaker\r\n"a.wav"; yes ;Zoë\r\n\r\n;;\r\n'
    speech = load_speech_manifest(manifest(text, "utf-8-sig"), delimiter=";")
    assert (speech.target[0], speech.speaker[0], len(speech.data)) == ("yes", "Zoë", 1)


def test_every_wrong_entry_is_named_by_line_and_column(manifest):
    path = manifest(
        "path,label,speaker,start,end\n"
        "lost.wav,yes,ann,,\n"
        "a.wav,,ann,,\n"
        "\n"
        "a.wav,yes,,x,-1\n"
        "a.wav,yes,ann,0.5,0.5\n"
        "a.wav,yes,ann,0,nan\n"
    )
    with pytest.raises(ValueError, match="7 wrong entries") as info:
        load_speech_manifest(path)
    lines = str(info.value).splitlines()[1:]
    for line, start in zip(
        lines,
        [
            "line 2, column 'path': no such file",
            "line 3, column 'label': is empty",
            "line 5, column 'speaker': is empty",
            "line 5, column 'start': 'x' is not a number of seconds",
            "line 5, column 'end': '-1' is not a number of seconds",
            "line 6, column 'end': 0.5 s does not come after the start, 0.5 s",
            "line 7, column 'end': 'nan' is not",
        ],
        strict=True,
    ):
        assert line.strip().startswith(start)


def test_a_long_list_of_mistakes_is_cut(manifest):
    path = manifest("path,label\n" + "lost.wav,yes\n" * 50)
    with pytest.raises(ValueError, match=r"50 wrong entries(?s:.*)and 30 more"):
        load_speech_manifest(path)
    assert len(load_speech_manifest(path, check_paths=False).data) == 50


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "is empty"),
        ("path,label\n", "no clips"),
        ("path;label\na.wav;yes\n", r"no column 'path' or 'label' among \['path;label'\]"),
        ("path,word\na.wav,yes\n", "line 1: no column 'label'"),
        ("path,label,label\na.wav,yes,yes\n", "column name 'label' is used twice"),
        ("path,label,data\na.wav,yes,1\n", "column name 'data' cannot be used"),
        ("path,label\na.wav,yes\na.wav,yes,ann\n", "2 column names, but line 3 has 3 columns"),
        ('path,label\n"a.wav,yes\n', "no CSV file"),
    ],
)
def test_tables_of_another_form_are_refused(manifest, text, message):
    with pytest.raises(ValueError, match=message):
        load_speech_manifest(manifest(text))


def test_other_encodings_are_refused(manifest):
    with pytest.raises(ValueError, match="no CSV file in UTF-8"):
        load_speech_manifest(manifest("path,label\na.wav,Zoë\n", "latin-1"))


def test_wrong_arguments_are_named(manifest, tmp_path):
    with pytest.raises(OSError, match=r"absent\.csv"):
        load_speech_manifest(tmp_path / "absent.csv")
    with pytest.raises(ValueError, match="delimiter=', '"):
        load_speech_manifest(manifest("path,label\n"), delimiter=", ")


@pytest.mark.parametrize(("on_disk", "in_table"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_a_path_finds_its_file_in_either_form_of_unicode(manifest, tmp_path, on_disk, in_table):
    name = tmp_path / unicodedata.normalize(on_disk, "josé.wav")
    (tmp_path / "a.wav").rename(name)
    written = unicodedata.normalize(in_table, "josé.wav")
    speech = load_speech_manifest(manifest(f"path,label\n{written},oui\n"))
    assert len(AudioReader(8000).transform(speech.data)[0]) == 8000
